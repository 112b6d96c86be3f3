//! Writing XML 1.0: every element is closed, every text escaped, and what XML cannot hold replaced. Marks that
//! turn round the words after them are left out, as on pages; signed bytes travel in base64, which has none.

use crate::pages::turns_words;

/// A document under way.
#[derive(Debug)]
pub(crate) struct Xml {
    text: String,
    open: Vec<&'static str>,
}

impl Xml {
    /// A document with nothing in it.
    pub(crate) fn new() -> Self {
        Self { text: "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n".to_owned(), open: Vec::new() }
    }

    /// What will be appended to a document.
    pub(crate) fn part() -> Self {
        Self { text: String::new(), open: Vec::new() }
    }

    /// Adds a part; what is still open in it is closed.
    pub(crate) fn append(&mut self, part: Self) {
        self.text.push_str(&part.finish());
    }

    /// Begins an element.
    pub(crate) fn open(&mut self, name: &'static str, attributes: &[(&str, &str)]) {
        self.tag(name, attributes);
        self.text.push('>');
        self.open.push(name);
    }

    /// Ends the element that was begun last.
    pub(crate) fn close(&mut self) {
        if let Some(name) = self.open.pop() {
            self.end(name);
        }
    }

    /// An element with a text.
    pub(crate) fn leaf(&mut self, name: &'static str, attributes: &[(&str, &str)], text: &str) {
        self.tag(name, attributes);
        self.text.push('>');
        self.escape(text);
        self.end(name);
    }

    /// Bytes written so far.
    pub(crate) fn bytes(&self) -> usize {
        self.text.len()
    }

    /// The whole document; what is still open is closed.
    pub(crate) fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.close();
        }
        self.text
    }

    fn tag(&mut self, name: &str, attributes: &[(&str, &str)]) {
        self.text.push('<');
        self.text.push_str(name);
        for (attribute, value) in attributes {
            self.text.push(' ');
            self.text.push_str(attribute);
            self.text.push_str("=\"");
            self.escape(value);
            self.text.push('"');
        }
    }

    fn end(&mut self, name: &str) {
        self.text.push_str("</");
        self.text.push_str(name);
        self.text.push_str(">\n");
    }

    fn escape(&mut self, text: &str) {
        for letter in text.chars() {
            match letter {
                '&' => self.text.push_str("&amp;"),
                '<' => self.text.push_str("&lt;"),
                '>' => self.text.push_str("&gt;"),
                '"' => self.text.push_str("&quot;"),
                turning if turns_words(turning) => {}
                // A parser would turn it into a line feed.
                '\r' => self.text.push_str("&#13;"),
                '\t' | '\n' | ' '.. if !is_forbidden(letter) => self.text.push(letter),
                _ => self.text.push(char::REPLACEMENT_CHARACTER),
            }
        }
    }
}

/// What stands above the control characters and is no character of XML 1.0 either.
fn is_forbidden(letter: char) -> bool {
    matches!(letter, '\u{fffe}' | '\u{ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_text_holds_can_become_markup() {
        let mut xml = Xml::new();
        xml.open("a", &[("b", "\"<'&\n")]);
        xml.leaf("c", &[], "]]> \u{202e}\u{2067}<d/>\r\u{0}\u{1b}\u{ffff} né");
        let text = xml.finish();
        assert_eq!(
            text.split_once('\n').unwrap().1,
            "<a b=\"&quot;&lt;'&amp;\n\"><c>]]&gt; &lt;d/&gt;&#13;\u{fffd}\u{fffd}\u{fffd} né</c>\n</a>\n"
        );
    }
}
