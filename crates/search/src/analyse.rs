//! From a text to the tokens it is found by, as its language asks for.

/// One token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Token {
    /// What is looked for.
    pub text: String,
    /// The first byte it comes from.
    pub from: usize,
    /// The byte after the last.
    pub to: usize,
    /// Its place among the tokens: alternatives have the same.
    pub position: usize,
}

/// The tokens of `text` in a language.
pub fn analyse(_language: &str, text: &str) -> Vec<Token> {
    let mut tokens = Vec::new();
    let mut from = None;
    for (at, letter) in text.char_indices().chain([(text.len(), ' ')]) {
        match (letter.is_alphanumeric(), from) {
            (true, None) => from = Some(at),
            (false, Some(begin)) => {
                let word = text.get(begin..at).unwrap_or_default().to_lowercase();
                tokens.push(Token { text: word, from: begin, to: at, position: tokens.len() });
                from = None;
            }
            _ => {}
        }
    }
    tokens
}
