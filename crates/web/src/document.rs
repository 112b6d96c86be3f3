//! A document for a word processor: paragraphs with styles, languages and directions, as DOCX (ECMA-376).
//!
//! Five small parts in an archive, the same bytes for the same paragraphs. Written here, because each paragraph
//! must carry its language and direction, which the crates for such documents do not let one set.

use std::io::{Cursor, Write as _};

use askama::Template;
use practice::language;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::pages::turns_words;

/// A document.
#[derive(Template)]
#[template(path = "document.xml")]
pub(crate) struct Document {
    /// Whether it is written from right to left.
    rtl: bool,
    paragraphs: Vec<Paragraph>,
}

/// A paragraph.
struct Paragraph {
    style: &'static str,
    lang: String,
    rtl: bool,
    runs: Vec<Run>,
}

/// Words of one direction.
struct Run {
    rtl: bool,
    /// Whether a line of the paragraph other than the first begins with it.
    begins_line: bool,
    text: String,
}

/// What a paragraph is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Style {
    /// The title of the document.
    Title,
    /// A heading of the first level.
    First,
    /// A heading of the second level.
    Second,
    /// A heading of the third level.
    Third,
    /// Text.
    Text,
    /// An item of a list.
    Item,
}

#[derive(Template)]
#[template(path = "document_core.xml")]
struct Core<'a> {
    title: &'a str,
    publisher: &'a str,
    language: &'a str,
}

/// The parts that are the same in every document.
const FIXED: [(&str, &str); 5] = [
    ("[Content_Types].xml", include_str!("../assets/docx/content-types.xml")),
    ("_rels/.rels", include_str!("../assets/docx/rels.xml")),
    ("word/_rels/document.xml.rels", include_str!("../assets/docx/document-rels.xml")),
    ("word/styles.xml", include_str!("../assets/docx/styles.xml")),
    ("word/numbering.xml", include_str!("../assets/docx/numbering.xml")),
];

impl Document {
    /// An empty document in `language`.
    pub(crate) fn new(language: &str) -> Self {
        Self { rtl: language::direction(language) == "rtl", paragraphs: Vec::new() }
    }

    /// Adds a paragraph in `language`.
    pub(crate) fn add(&mut self, style: Style, text: &str, language: &str) {
        let rtl = language::direction(language) == "rtl";
        let mut runs = Vec::new();
        for (number, line) in text.lines().enumerate() {
            add_line(&mut runs, &writable(line), rtl, number > 0);
        }
        self.paragraphs.push(Paragraph {
            style: style.name(),
            lang: language.to_owned(),
            rtl,
            runs,
        });
    }

    /// The file.
    pub(crate) fn to_bytes(
        &self,
        title: &str,
        publisher: &str,
        language: &str,
    ) -> Result<Vec<u8>, askama::Error> {
        let core =
            Core { title: &writable(title), publisher: &writable(publisher), language }.render()?;
        let body = self.render()?;
        let mut parts = FIXED.to_vec();
        parts.push(("docProps/core.xml", &core));
        parts.push(("word/document.xml", &body));
        pack(&parts).map_err(|error| askama::Error::Custom(Box::new(error)))
    }
}

impl Style {
    fn name(self) -> &'static str {
        match self {
            Self::Title => "Title",
            Self::First => "Heading1",
            Self::Second => "Heading2",
            Self::Third => "Heading3",
            Self::Text => "Normal",
            Self::Item => "ListBullet",
        }
    }
}

/// Adds a line. An address or a name in Latin letters within Arabic is a run of its own, or its slashes and
/// full stops would be set from right to left.
fn add_line(runs: &mut Vec<Run>, line: &str, rtl: bool, begins_line: bool) {
    runs.push(Run { rtl, begins_line, text: String::new() });
    for word in line.split_inclusive(' ') {
        let latin = word.contains(|c: char| c.is_ascii_alphabetic());
        let foreign = rtl && latin && !word.contains(|c: char| c.is_alphabetic() && !c.is_ascii());
        match runs.last_mut() {
            // What has no direction of its own, such as a number, goes with what stands before it.
            Some(run) if run.text.is_empty() || run.rtl != foreign || !rtl => {
                run.rtl = rtl && !foreign;
                run.text.push_str(word);
            }
            _ => runs.push(Run { rtl: !foreign, begins_line: false, text: word.to_owned() }),
        }
    }
}

fn pack(parts: &[(&str, &str)]) -> std::io::Result<Vec<u8>> {
    let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, text) in parts {
        archive.start_file(*name, SimpleFileOptions::default())?;
        archive.write_all(text.as_bytes())?;
    }
    Ok(archive.finish()?.into_inner())
}

/// A line without what XML 1.0 cannot hold, and without marks that turn round the words beside it.
fn writable(line: &str) -> String {
    let refused = |c: char| {
        (c.is_control() && c != '\t') || matches!(c, '\u{fffe}' | '\u{ffff}') || turns_words(c)
    };
    line.chars().filter(|c| !refused(*c)).collect()
}
