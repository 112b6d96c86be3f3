//! The kind of a record: a word that decides which fields it has.

use std::borrow::Borrow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

/// The kind of a record, such as `good-practice`: `[a-z][a-z0-9]*(-[a-z][a-z0-9]*)*`, at most
/// [`Kind::BYTES_MAX`] bytes.
///
/// A kind this release does not know is valid too: its records are stored, mirrored and listed.
#[derive(Clone)]
pub struct Kind(Text);

#[derive(Clone)]
enum Text {
    Known(&'static str),
    Unknown(Arc<str>),
}

macro_rules! known_kinds {
    ($($(#[$doc:meta])+ $name:ident = $text:literal;)+) => {
        impl Kind {
            $($(#[$doc])+ pub const $name: Self = Self(Text::Known($text));)+

            /// Every kind of design 5, in its order.
            pub const ALL: &[Self] = &[$(Self::$name),+];
        }
    };
}

known_kinds! {
    /// What a mechanism is: several may be a State's.
    MECHANISM_PROFILE = "mechanism-profile";
    /// A good practice.
    GOOD_PRACTICE = "good-practice";
    /// A lesson learned.
    LESSON_LEARNED = "lesson-learned";
    /// Guidance, a decree, a form, training material, a declaration.
    RESOURCE = "resource";
    /// What a mechanism offers its peers.
    EXCHANGE_OFFER = "exchange-offer";
    /// What a mechanism asks of its peers.
    EXCHANGE_REQUEST = "exchange-request";
    /// A working arrangement for an exchange; see [`crate::exchange`].
    EXCHANGE_ARRANGEMENT = "exchange-arrangement";
    /// What came of an exchange.
    EXCHANGE_REPORT = "exchange-report";
    /// A meeting, workshop or visit.
    EVENT = "event";
    /// What one node says about a record of another or its own.
    ATTESTATION = "attestation";
    /// A translation of another node's record.
    TRANSLATION = "translation";
    /// A node's description of itself; see [`crate::node_record`].
    NODE = "node";
    /// Who may read a restricted feed.
    FEED = "feed";
    /// A node that takes part in a network.
    PARTICIPANT = "participant";
    /// Participants of a network that share a feed.
    GROUP = "group";
    /// Who decides in a network and how many must.
    POLICY = "policy";
    /// A proof of a fork.
    FAULT = "fault";
}

impl Kind {
    /// Fits the statement that names it (design 4.2).
    pub const BYTES_MAX: usize = 32;

    /// Checks the grammar.
    pub fn parse(text: &str) -> Result<Self, InvalidKind> {
        if let Some(known) = Self::ALL.iter().find(|kind| kind.as_str() == text) {
            return Ok(known.clone());
        }
        let part_valid = |part: &str| {
            part.starts_with(|first: char| first.is_ascii_lowercase())
                && part.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9'))
        };
        if text.len() <= Self::BYTES_MAX && text.split('-').all(part_valid) {
            Ok(Self(Text::Unknown(text.into())))
        } else {
            Err(InvalidKind { text: text.chars().take(80).collect() })
        }
    }

    /// The kind whose [`type_name`](Self::type_name) is `text`.
    pub fn from_type_name(text: &str) -> Result<Self, InvalidKind> {
        let mut kind = String::with_capacity(text.len() + 4);
        for (index, letter) in text.char_indices() {
            // Only a capital begins a part, so that one kind has one type name.
            if index == 0 && !letter.is_ascii_uppercase() || letter == '-' {
                return Err(InvalidKind { text: text.chars().take(80).collect() });
            }
            if index > 0 && letter.is_ascii_uppercase() {
                kind.push('-');
            }
            kind.push(letter.to_ascii_lowercase());
        }
        Self::parse(&kind)
    }

    /// The type of its bodies: `good-practice` is `GoodPractice`.
    pub fn type_name(&self) -> String {
        let capitalised = |part: &str| {
            let (first, rest) = part.split_at_checked(1).unwrap_or((part, ""));
            first.to_ascii_uppercase() + rest
        };
        self.as_str().split('-').map(capitalised).collect()
    }

    /// Whether it is one of design 5, which this release can check and show.
    pub fn known(&self) -> bool {
        matches!(self.0, Text::Known(_))
    }

    /// Whether keys, audiences or decisions depend on it; such records are never erased (design 4.2).
    pub fn is_trust(&self) -> bool {
        [Self::NODE, Self::FEED, Self::PARTICIPANT, Self::GROUP, Self::POLICY, Self::FAULT]
            .contains(self)
    }

    /// Whether a record of this kind is about States, and so names them where its issuer is none. What
    /// speaks of another record, or of trust, is not.
    pub fn is_about_states(&self) -> bool {
        !self.is_trust() && *self != Self::ATTESTATION && *self != Self::TRANSLATION
    }

    /// The word.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Text::Known(text) => text,
            Text::Unknown(text) => text,
        }
    }
}

impl PartialEq for Kind {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Kind {}

impl PartialOrd for Kind {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Kind {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl Hash for Kind {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl Borrow<str> for Kind {
    fn borrow(&self) -> &str {
        self.as_str()
    }
}

impl AsRef<str> for Kind {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.as_str())
    }
}

impl FromStr for Kind {
    type Err = InvalidKind;

    fn from_str(text: &str) -> Result<Self, InvalidKind> {
        Self::parse(text)
    }
}

impl serde::Serialize for Kind {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

impl<'de> serde::Deserialize<'de> for Kind {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// The text is no kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is no kind of record, which is a word such as `good-practice` of at most 32 characters a-z, 0-9, `-`"
)]
pub struct InvalidKind {
    /// The beginning of what was read.
    pub text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kind_and_its_type_name_lead_to_each_other() {
        for kind in Kind::ALL {
            assert!(kind.known());
            assert_eq!(Kind::from_type_name(&kind.type_name()).as_ref(), Ok(kind));
        }
        assert_eq!(Kind::GOOD_PRACTICE.type_name(), "GoodPractice");
        let later = Kind::parse("peer2-review").unwrap();
        assert_eq!((later.type_name().as_str(), later.known()), ("Peer2Review", false));
        assert_eq!(Kind::from_type_name("Peer2Review"), Ok(later));
    }

    #[test]
    fn what_breaks_the_grammar_is_no_kind() {
        for text in ["", "-a", "a-", "a--b", "Good", "1a", "a-1", "a_b", "a b", &"a".repeat(33)] {
            assert!(Kind::parse(text).is_err(), "{text}");
        }
        for text in ["", "good", "Good-Practice", "Good1 ", "1Good", "Ünder"] {
            assert!(Kind::from_type_name(text).is_err(), "{text}");
        }
    }

    #[test]
    fn trust_kinds_are_six() {
        assert_eq!(Kind::ALL.iter().filter(|kind| kind.is_trust()).count(), 6);
    }
}
