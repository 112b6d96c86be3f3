//! The id of a record: a random UUID, written as a URN.

use std::fmt;
use std::str::FromStr;
use uuid::Uuid;

const PREFIX: &str = "urn:uuid:";

/// The id of a record, unique in its feed: a version 4 UUID, written `urn:uuid:` and lower case (design 4.7).
///
/// Equal ids in two feeds are two records.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId(Uuid);

impl RecordId {
    /// Bytes of the text form.
    pub const TEXT_BYTES: usize = 45;

    /// Makes an id of 16 random bytes, six bits of which give way to the version and variant.
    pub fn from_random_bytes(bytes: [u8; 16]) -> Self {
        Self(uuid::Builder::from_random_bytes(bytes).into_uuid())
    }

    /// Reads exactly the text that [`Display`](fmt::Display) writes; upper case, braces and other versions
    /// are refused, so that one id has one text.
    pub fn parse(text: &str) -> Result<Self, InvalidRecordId> {
        let invalid = || InvalidRecordId { text: text.chars().take(80).collect() };
        let digits = text.strip_prefix(PREFIX).ok_or_else(invalid)?;
        let uuid = Uuid::try_parse(digits).map_err(|_| invalid())?;
        let mut buffer = Uuid::encode_buffer();
        let canonical = uuid.hyphenated().encode_lower(&mut buffer);
        let random = uuid.get_version() == Some(uuid::Version::Random)
            && uuid.get_variant() == uuid::Variant::RFC4122;
        if canonical == digits && random { Ok(Self(uuid)) } else { Err(invalid()) }
    }

    /// The id as a number, for compact tables.
    pub fn as_u128(&self) -> u128 {
        self.0.as_u128()
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}", self.0.hyphenated())
    }
}

impl fmt::Debug for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for RecordId {
    type Err = InvalidRecordId;

    fn from_str(text: &str) -> Result<Self, InvalidRecordId> {
        Self::parse(text)
    }
}

impl serde::Serialize for RecordId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for RecordId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

/// The text is no record id.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is no record id, which is `urn:uuid:` and a version 4 UUID in lower case")]
pub struct InvalidRecordId {
    /// The beginning of what was read.
    pub text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_id_has_one_text() {
        let id = RecordId::from_random_bytes([0xab; 16]);
        let text = id.to_string();
        assert_eq!(text, "urn:uuid:abababab-abab-4bab-abab-abababababab");
        assert_eq!(text.len(), RecordId::TEXT_BYTES);
        assert_eq!(RecordId::parse(&text), Ok(id));
        for other in [
            text.to_uppercase(),
            text.replace("urn:uuid:", ""),
            text.replace("-4bab", "-1bab"),
            text.replace("-abab-abababababab", "-cbab-abababababab"),
            text.replace('-', ""),
            format!("{text} "),
            format!("urn:uuid:{{{}}}", &text[9..]),
        ] {
            assert!(RecordId::parse(&other).is_err(), "{other}");
        }
    }
}
