//! Names: of nodes, of their feeds, of logs, and of keys (design 3).
//!
//! A name is chosen once and never resolved; the grammar leaves one text for each, in ASCII, so that two
//! names that look alike are never two names.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A node's name such as `simore.gov.py`: two or more labels of lower-case letters, digits and inner
/// hyphens, 1 to 63 bytes each, the last beginning with a letter, at most [`NodeName::BYTES_MAX`] in all.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeName(Arc<str>);

impl NodeName {
    /// Leaves room for a feed in an origin and for a node in a file name.
    pub const BYTES_MAX: usize = 100;
    /// As in DNS.
    pub const LABEL_BYTES_MAX: usize = 63;

    /// Checks the grammar.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let labels_valid = text.split('.').all(|label| {
            let inner = label.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-'));
            let edges = !label.starts_with('-') && !label.ends_with('-');
            (1..=Self::LABEL_BYTES_MAX).contains(&label.len()) && inner && edges
        });
        let last = text.rsplit_once('.').map(|(_, last)| last);
        let last_valid =
            last.is_some_and(|label| label.starts_with(|first: char| first.is_ascii_lowercase()));
        if text.len() <= Self::BYTES_MAX && labels_valid && last_valid {
            Ok(Self(text.into()))
        } else {
            Err(InvalidName::Node { text: excerpt(text) })
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A feed's name within its node: `public`, `public-2` and so on for a continuation, or `r-` and 26
/// random characters of `a-z2-7` for a restricted feed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FeedName(Arc<str>);

impl FeedName {
    /// No feed has a longer name.
    pub const BYTES_MAX: usize = 32;
    /// 130 random bits, so that a stranger cannot guess a restricted feed.
    pub const RANDOM_CHARACTERS: usize = 26;

    /// The feed every node has.
    pub fn public() -> Self {
        Self("public".into())
    }

    /// Checks the grammar.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let valid = text.len() <= Self::BYTES_MAX
            && if let Some(random) = text.strip_prefix("r-") {
                let alphabet = random.bytes().all(|byte| matches!(byte, b'a'..=b'z' | b'2'..=b'7'));
                random.len() == Self::RANDOM_CHARACTERS && alphabet
            } else if let Some(number) = text.strip_prefix("public-") {
                crate::decimal::parse(number).is_some_and(|number| number >= 2)
            } else {
                text == "public"
            };
        if valid { Ok(Self(text.into())) } else { Err(InvalidName::Feed { text: excerpt(text) }) }
    }

    /// Whether only an audience may read it.
    pub fn is_restricted(&self) -> bool {
        self.0.starts_with("r-")
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The name of a log, `NODE/FEED`, at most [`Origin::BYTES_MAX`] bytes: the first line of its checkpoints
/// and the name of the key that signs them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    text: Arc<str>,
    node: NodeName,
    feed: FeedName,
}

impl Origin {
    /// Fits an index key in every storage backend.
    pub const BYTES_MAX: usize = 200;

    /// The log `feed` of `node`. Both parts are short enough for every origin to fit.
    pub fn new(node: NodeName, feed: FeedName) -> Self {
        Self { text: format!("{node}/{feed}").into(), node, feed }
    }

    /// Checks the grammar.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        if text.len() > Self::BYTES_MAX {
            return Err(InvalidName::Origin { text: excerpt(text) });
        }
        let (node, feed) =
            text.split_once('/').ok_or_else(|| InvalidName::Origin { text: excerpt(text) })?;
        Ok(Self::new(NodeName::parse(node)?, FeedName::parse(feed)?))
    }

    /// The node whose log it is.
    pub fn node(&self) -> &NodeName {
        &self.node
    }

    /// Which of its feeds.
    pub fn feed(&self) -> &FeedName {
        &self.feed
    }

    /// The whole name.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// The name a key signs under: not empty, without white space, control characters and `+`, which the
/// signed-note format uses as separators, and not `cosignature/v1` (design 4.1).
///
/// It may be anybody's, an outside witness's for example, so its grammar is that of C2SP, not of design 3.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyName(Arc<str>);

impl KeyName {
    /// The longest that newer C2SP cosignatures can carry.
    pub const BYTES_MAX: usize = 255;
    /// A note by this key would read like the message of a cosignature.
    pub const REFUSED: &str = "cosignature/v1";

    /// Checks the grammar.
    pub fn parse(text: &str) -> Result<Self, InvalidName> {
        let forbidden = |c: char| c == '+' || c.is_whitespace() || c.is_control();
        let length = (1..=Self::BYTES_MAX).contains(&text.len());
        if length && text != Self::REFUSED && !text.contains(forbidden) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidName::Key { text: excerpt(text) })
        }
    }

    /// The key with which `node` answers add-checkpoint.
    pub fn witness_of(node: &NodeName) -> Self {
        Self(format!("{node}/witness").into())
    }

    /// The key with which `node` says that it holds a feed.
    pub fn receipt_of(node: &NodeName) -> Self {
        Self(format!("{node}/receipt").into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&Origin> for KeyName {
    fn from(origin: &Origin) -> Self {
        Self(Arc::clone(&origin.text))
    }
}

/// Which grammar a text breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidName {
    /// Not a node's name.
    #[error(
        "`{text}` is no node name; use two or more labels of a-z, 0-9 and inner hyphens such as `simore.gov.py`, \
         the last beginning with a letter, at most 100 characters"
    )]
    Node {
        /// The beginning of what was read.
        text: String,
    },
    /// Not a feed's name.
    #[error(
        "`{text}` is no feed name; it is `public`, `public-2`, `public-3`… or `r-` and 26 characters of a-z2-7"
    )]
    Feed {
        /// The beginning of what was read.
        text: String,
    },
    /// Not an origin.
    #[error("`{text}` is no origin, which is NODE/FEED such as `simore.gov.py/public`")]
    Origin {
        /// The beginning of what was read.
        text: String,
    },
    /// Not a key's name.
    #[error(
        "`{text}` is no key name; it has 1 to 255 bytes without white space, control characters and `+`"
    )]
    Key {
        /// The beginning of what was read.
        text: String,
    },
}

/// What an error shows of a text that may be long or not fit for a terminal.
fn excerpt(text: &str) -> String {
    text.chars().take(120).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// A name is its text: for people, for parsers and in JSON, always through `parse`.
macro_rules! is_its_text {
    ($($name:ident),+) => {$(
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{:?}", self.as_str())
            }
        }

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                self.as_str()
            }
        }

        impl FromStr for $name {
            type Err = InvalidName;

            fn from_str(text: &str) -> Result<Self, InvalidName> {
                Self::parse(text)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::parse(&text).map_err(serde::de::Error::custom)
            }
        }
    )+};
}

is_its_text!(NodeName, FeedName, Origin, KeyName);
