//! Readers of a line, a name, a page, or whatever somebody typed.

use practice::gateway::{self, Told};
use practice::id::RecordId;
use practice::recommendation::Recommendation;
use practice::{date, language, personal};
use tlog::ed25519::PublicKey;
use tlog::hash::Hash;
use tlog::key::VerifierKey;
use tlog::name::{FeedName, KeyName, NodeName, Origin};
use tlog::tile::TilePath;
use wire::paths;

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).unwrap_or_default()
}

pub(super) fn verifier_key(bytes: &[u8]) -> bool {
    let text = text(bytes);
    let (key, did) = (text.parse::<VerifierKey>(), text.parse::<PublicKey>());
    assert!(key.as_ref().is_ok_and(|key| key.to_string() == text) || key.is_err());
    assert!(did.as_ref().is_ok_and(|did| did.to_did() == text) || did.is_err());
    key.is_ok() || did.is_ok()
}

pub(super) fn path(bytes: &[u8]) -> bool {
    let text = text(bytes);
    let tile = TilePath::parse(text);
    if let Ok(path) = &tile {
        assert_eq!(path.path(), text);
    }
    let (record, feed) = (paths::split_record(text), paths::split_feed(text));
    if let Some((origin, rest)) = &feed {
        assert!(text.contains(origin.as_str()) && text.ends_with(rest));
    }
    let number = paths::number(text);
    if let Some(number) = number {
        assert_eq!(number.to_string(), text);
    }
    let part = paths::record_id(text).is_some() || paths::hash(text).is_some();
    tile.is_ok() || record.is_some() || feed.is_some() || number.is_some() || part
}

pub(super) fn name(bytes: &[u8]) -> bool {
    let text = text(bytes);
    let names = [
        NodeName::parse(text).map(|name| name.to_string()).ok(),
        FeedName::parse(text).map(|name| name.to_string()).ok(),
        Origin::parse(text).map(|name| name.to_string()).ok(),
        KeyName::parse(text).map(|name| name.to_string()).ok(),
        RecordId::parse(text).map(|id| id.to_string()).ok(),
        text.parse::<Hash>().map(|hash| hash.to_string()).ok(),
    ];
    assert!(names.iter().flatten().all(|name| name == text), "{names:?}");
    let tag = language::canonical(text);
    assert!(tag.as_deref().is_none_or(language::is_canonical));
    let accepted = names.iter().any(Option::is_some) || tag.is_some();
    accepted || date::is_date(text) || date::is_time(text)
}

pub(super) fn gateway(bytes: &[u8]) -> bool {
    let told = Told { language_otherwise: Some("en".to_owned()), ..Told::default() };
    gateway::read(bytes, &told).is_ok()
}

pub(super) fn recommendation(bytes: &[u8]) -> bool {
    let text = text(bytes);
    let found = Recommendation::find(text);
    let _ = personal::find(text);
    found.is_some()
}

/// Words of a search, in every language that is analysed: each stands where it says.
pub(super) fn words(bytes: &[u8]) -> bool {
    let text = text(bytes);
    for language in ["en", "fr", "es", "pt", "ru", "ar", "zh", "th"] {
        for token in search::analyse::analyse(language, text) {
            assert!(text.get(token.from..token.to).is_some(), "{token:?}");
        }
    }
    !text.is_empty()
}
