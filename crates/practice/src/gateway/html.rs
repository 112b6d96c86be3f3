//! The text of a saved page, paragraph by paragraph.
//!
//! A scanner, not a browser: it keeps no tree, so that elements nested a million deep cost nothing, and goes
//! through the page once.

use super::GatewayError;
use super::blocks::{Block, BlockKind, Page, address};
use crate::language;

/// Elements whose content is no text of the page. Menus and footers are the same on every page.
const SKIPPED: [&str; 8] =
    ["script", "style", "noscript", "template", "svg", "nav", "footer", "title"];

/// Elements inside a paragraph; every other one ends it.
const INLINE: [&str; 21] = [
    "a", "abbr", "b", "bdi", "bdo", "cite", "code", "em", "font", "i", "img", "mark", "q", "s",
    "small", "span", "strong", "sub", "sup", "u", "wbr",
];

/// Longest name of an element that is told from another.
const NAME_BYTES_MAX: usize = 16;

/// Reads the text of `html`.
pub(super) fn read(html: &str) -> Result<Page, GatewayError> {
    let mut scanner = Scanner {
        rest: html,
        page: Page::default(),
        block: Block::new(BlockKind::Paragraph, ""),
        without_end: [false; SKIPPED.len()],
    };
    scanner.run()?;
    Ok(scanner.page)
}

struct Scanner<'a> {
    rest: &'a str,
    page: Page,
    /// The paragraph being read.
    block: Block,
    /// Skipped elements of which no end follows any more, so that it is looked for once.
    without_end: [bool; SKIPPED.len()],
}

impl Scanner<'_> {
    fn run(&mut self) -> Result<(), GatewayError> {
        while let Some(at) = self.rest.find('<') {
            let (text, rest) = self.rest.split_at(at);
            self.text(text);
            self.rest = rest;
            if rest.starts_with("<!--") {
                self.comment();
            } else if rest.get(1..2).is_some_and(|next| next.starts_with(['/', '!', '?']))
                || rest
                    .get(1..2)
                    .is_some_and(|next| next.starts_with(|c: char| c.is_ascii_alphabetic()))
            {
                self.tag()?;
            } else {
                self.text("<");
                self.rest = rest.get(1..).unwrap_or_default();
            }
        }
        let rest = std::mem::take(&mut self.rest);
        self.text(rest);
        self.flush(BlockKind::Paragraph)
    }

    /// Text between tags: white space folded, character references read.
    fn text(&mut self, text: &str) {
        let text = html_escape::decode_html_entities(text);
        for letter in text.chars() {
            let blank = letter.is_whitespace() || letter.is_control();
            match blank {
                true if self.block.text.is_empty() || self.block.text.ends_with([' ', '\n']) => {}
                true => self.block.text.push(' '),
                false => self.block.text.push(letter),
            }
        }
    }

    /// A comment; the one that browsers write above a saved page says where it was.
    fn comment(&mut self) {
        let (comment, rest) = match self.rest.find("-->") {
            Some(end) => (self.rest.get(4..end), self.rest.get(end + 3..)),
            None => (self.rest.get(4..), None),
        };
        let saved = comment.unwrap_or_default().trim().strip_prefix("saved from url=");
        let saved = saved.and_then(|saved| saved.split_once(')')).map(|(_, url)| url.trim());
        if let Some(saved) = saved.and_then(address) {
            self.page.address.get_or_insert(saved);
        }
        self.rest = rest.unwrap_or_default();
    }

    fn tag(&mut self) -> Result<(), GatewayError> {
        let (tag, rest) = cut_tag(self.rest);
        self.rest = rest;
        let closing = tag.starts_with("</");
        let inside = tag.trim_start_matches('<').trim_start_matches('/');
        let length = inside.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(inside.len());
        let (name, attributes) = inside.split_at(length.min(NAME_BYTES_MAX));
        let name = name.to_ascii_lowercase();
        if let Some(place) = SKIPPED.iter().position(|skipped| *skipped == name && !closing) {
            return self.skip(&name, place);
        }
        match name.as_str() {
            "a" if !closing => {
                let href = attribute(attributes, "href").and_then(|href| address(&href));
                self.block.link = self.block.link.take().or(href);
            }
            "html" if !closing => {
                let lang = attribute(attributes, "lang");
                self.page.language = lang.and_then(|lang| language::canonical(&lang));
            }
            "link" => {
                if attribute(attributes, "rel").as_deref() == Some("canonical") {
                    let href = attribute(attributes, "href").and_then(|href| address(&href));
                    self.page.address = self.page.address.take().or(href);
                }
            }
            name if INLINE.contains(&name) => {}
            "h1" | "h2" | "h3" | "h4" | "h5" | "h6" => {
                let kind = if closing { BlockKind::Paragraph } else { BlockKind::Heading };
                self.flush(kind)?;
            }
            "li" if !closing => self.flush(BlockKind::Item)?,
            // The paragraph in an item is the item.
            "p" | "div" if !closing && self.block.text.trim().is_empty() => {}
            _ => self.flush(BlockKind::Paragraph)?,
        }
        Ok(())
    }

    /// Goes past an element; without an end the rest of a script is a script, and a menu is text.
    fn skip(&mut self, name: &str, place: usize) -> Result<(), GatewayError> {
        self.flush(BlockKind::Paragraph)?;
        let ended = self.without_end.get(place) == Some(&false);
        let end = ended.then(|| find_end(self.rest, name)).flatten();
        match end {
            Some(end) => self.rest = self.rest.get(end..).unwrap_or_default(),
            None if matches!(name, "script" | "style") => self.rest = "",
            None => {
                if let Some(known) = self.without_end.get_mut(place) {
                    *known = true;
                }
            }
        }
        Ok(())
    }

    /// Ends the paragraph, and begins one of `next`.
    fn flush(&mut self, next: BlockKind) -> Result<(), GatewayError> {
        let mut block = std::mem::replace(&mut self.block, Block::new(next, ""));
        block.text.truncate(block.text.trim_end().len());
        self.page.add(block)
    }
}

/// The tag at the beginning of `text`, and what follows it. A `>` in quotes does not end it; without an end
/// it is the rest.
fn cut_tag(text: &str) -> (&str, &str) {
    let mut quote = None;
    let mut previous = b' ';
    for (at, byte) in text.bytes().enumerate() {
        match (quote, byte) {
            (None, b'>') => return text.split_at(at + 1),
            // A quote begins a value after `=` only: elsewhere it is a slip of the author.
            (None, b'"' | b'\'') if previous == b'=' => quote = Some(byte),
            (Some(open), close) if open == close => quote = None,
            _ => {}
        }
        if !byte.is_ascii_whitespace() {
            previous = byte;
        }
    }
    (text, "")
}

/// Where `</name` stands, whatever its case.
fn find_end(text: &str, name: &str) -> Option<usize> {
    text.match_indices("</").map(|(at, _)| at).find(|at| {
        let found = text.get(at + 2..at + 2 + name.len());
        found.is_some_and(|found| found.eq_ignore_ascii_case(name))
    })
}

/// The value of the attribute `name` in a tag.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let mut rest = tag;
    loop {
        rest = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '/');
        let length =
            rest.find(|c: char| c.is_whitespace() || "=/>".contains(c)).unwrap_or(rest.len());
        let (found, after) = rest.split_at(length);
        let after = after.trim_start();
        let (value, next) = match after.strip_prefix('=').map(str::trim_start) {
            None => ("", after),
            Some(value) => match value.chars().next() {
                Some(quote @ ('"' | '\'')) => {
                    let value = value.get(1..).unwrap_or_default();
                    value.split_once(quote).unwrap_or((value, ""))
                }
                _ => {
                    let end = value.find(|c: char| c.is_whitespace() || c == '>');
                    value.split_at(end.unwrap_or(value.len()))
                }
            },
        };
        if found.eq_ignore_ascii_case(name) {
            return Some(html_escape::decode_html_entities(value).trim().to_owned());
        }
        if next.len() >= rest.len() || next.is_empty() || next.starts_with('>') {
            return None;
        }
        rest = next;
    }
}
