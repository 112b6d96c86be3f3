//! Paragraphs: what a page is made of, once its markup is gone; and reading them from plain text.

use super::{BLOCKS_MAX, GatewayError, TEXT_BYTES_MAX};

/// One paragraph of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// What it is.
    pub kind: BlockKind,
    /// Its text; lines are separated by `\n`.
    pub text: String,
    /// The first address on the web that it links to.
    pub link: Option<String>,
    /// The language of the text where it is known, BCP 47.
    pub language: Option<String>,
}

/// What a paragraph is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BlockKind {
    /// Stands above others.
    Heading,
    /// Text.
    Paragraph,
    /// An item of a list.
    Item,
}

/// A page as paragraphs.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) blocks: Vec<Block>,
    /// BCP 47, from the markup.
    pub(super) language: Option<String>,
    /// Where the page was saved from, if it says so.
    pub(super) address: Option<String>,
    bytes: usize,
}

impl Block {
    pub(super) fn new(kind: BlockKind, text: impl Into<String>) -> Self {
        Self { kind, text: text.into(), link: None, language: None }
    }
}

impl Page {
    /// Adds a paragraph, unless it is blank.
    pub(super) fn add(&mut self, block: Block) -> Result<(), GatewayError> {
        if block.text.trim().is_empty() {
            return Ok(());
        }
        self.bytes += block.text.len();
        if self.bytes > TEXT_BYTES_MAX {
            return Err(GatewayError::TooLong { what: format!("over {TEXT_BYTES_MAX} bytes") });
        }
        if self.blocks.len() >= BLOCKS_MAX {
            return Err(GatewayError::TooLong { what: format!("over {BLOCKS_MAX} paragraphs") });
        }
        self.blocks.push(block);
        Ok(())
    }
}

/// Reads pasted text: every line is a paragraph, and one that begins with a bullet an item.
pub(super) fn of_text(text: &str) -> Result<Page, GatewayError> {
    let mut page = Page::default();
    for line in text.lines().map(str::trim) {
        let item = ['•', '-', '–', '*', '◦', '·', '▪', '○'].iter().find_map(|bullet| {
            line.strip_prefix(*bullet)?.strip_prefix([' ', '\t', '\u{a0}']).map(str::trim)
        });
        let (kind, text) = match item {
            Some(item) => (BlockKind::Item, item),
            None => (BlockKind::Paragraph, line),
        };
        let link = text.split_whitespace().find_map(address);
        page.add(Block { link, ..Block::new(kind, text) })?;
    }
    Ok(page)
}

/// The address on the web that a word is, without the brackets around it.
pub(super) fn address(word: &str) -> Option<String> {
    let word = word.trim_matches(['(', ')', '<', '>', ',', ';']);
    let rest = word.strip_prefix("https://").or_else(|| word.strip_prefix("http://"))?;
    let plain = !rest.is_empty() && !rest.contains(|c: char| c.is_whitespace() || c.is_control());
    plain.then(|| word.to_owned())
}

/// `bytes` as text: UTF-8, or UTF-16 with its mark, as some editors save it.
pub(super) fn decode(bytes: &[u8]) -> Result<String, GatewayError> {
    let utf16 = |bytes: &[u8], unit: fn([u8; 2]) -> u16| {
        let units = bytes.as_chunks::<2>().0.iter().map(|pair| unit(*pair));
        let mut text = String::new();
        for (number, letter) in char::decode_utf16(units).enumerate() {
            text.push(letter.map_err(|_| GatewayError::Encoding { at: number.saturating_mul(2) })?);
        }
        Ok(text)
    };
    match bytes {
        [0xff, 0xfe, rest @ ..] => utf16(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => utf16(rest, u16::from_be_bytes),
        [0xef, 0xbb, 0xbf, rest @ ..] | rest => std::str::from_utf8(rest)
            .map(str::to_owned)
            .map_err(|error| GatewayError::Encoding { at: error.valid_up_to() }),
    }
}
