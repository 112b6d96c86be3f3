//! The analysers of this crate in the form that tantivy asks for: one tokenizer for each language.

use practice::language::INTERFACE;
use tantivy::tokenizer::{TextAnalyzer, Token, TokenStream, Tokenizer, TokenizerManager};

use crate::analyse::analyse;
use crate::fields::OTHER;

/// A tokenizer under the name of each language that has fields.
pub(crate) fn tokenizers() -> TokenizerManager {
    let tokenizers = TokenizerManager::default();
    for language in INTERFACE.into_iter().chain([OTHER]) {
        tokenizers.register(language, TextAnalyzer::from(Of(language)));
    }
    tokenizers
}

/// The analyser of one language.
#[derive(Clone)]
struct Of(&'static str);

/// The tokens of one text, one after the other.
struct Tokens {
    rest: std::vec::IntoIter<crate::analyse::Token>,
    now: Token,
}

impl Tokenizer for Of {
    type TokenStream<'a> = Tokens;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> Tokens {
        Tokens { rest: analyse(self.0, text).into_iter(), now: Token::default() }
    }
}

impl TokenStream for Tokens {
    fn advance(&mut self) -> bool {
        let Some(token) = self.rest.next() else { return false };
        self.now = Token {
            offset_from: token.from,
            offset_to: token.to,
            position: token.position,
            text: token.text,
            position_length: 1,
        };
        true
    }

    fn token(&self) -> &Token {
        &self.now
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.now
    }
}
