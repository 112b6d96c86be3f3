//! Reading a signature: its headers in the one spelling that is taken, then time, key and body.

use sfv::{BareItem, Dictionary, FieldType as _, InnerList, ListEntry, Parameters, Parser};
use tlog::ed25519::{PublicKey, Signature};
use tlog::hash::Hash;

use super::{
    CLOCK_AHEAD_S, CONTENT_DIGEST, LABEL, LIFETIME_S, NONCE_BYTES_MAX, Refused, SIGNATURE,
    SIGNATURE_INPUT, base, covered, lines,
};

/// Longest text of one of the headers: ours have less than 400 bytes.
const HEADER_BYTES_MAX: usize = 2_048;
/// Characters of a stranger's text that are repeated to it.
const SHOWN_MAX: usize = 200;

/// The headers of a request, each as often as it stands there.
#[derive(Clone, Debug, Default)]
pub struct Fields<'a> {
    /// [`SIGNATURE_INPUT`]
    pub signature_input: Vec<&'a [u8]>,
    /// [`SIGNATURE`]
    pub signature: Vec<&'a [u8]>,
    /// [`CONTENT_DIGEST`]
    pub content_digest: Vec<&'a [u8]>,
}

/// A signature as a request presents it; nothing about it is believed yet.
#[derive(Clone, Debug)]
pub struct Presented {
    key: PublicKey,
    created: u64,
    expires: u64,
    nonce: String,
    /// The parameters as they were signed.
    params: String,
    signature: Signature,
    digest: Option<(String, Hash)>,
}

impl Fields<'_> {
    /// Whether the request claims to be signed.
    pub fn is_signed(&self) -> bool {
        !self.signature_input.is_empty() || !self.signature.is_empty()
    }

    /// Reads the headers of a request that has a body, or has none.
    ///
    /// # Errors
    /// When anything is not as the profile has it.
    pub fn read(&self, has_body: bool) -> Result<Presented, Refused> {
        let list = self.input()?;
        let found: Vec<String> = list.items.iter().map(component).collect();
        let expected: Vec<&str> = covered(has_body).collect();
        if found != expected {
            let (expected, found) = (expected.join(", "), shown(&found.join(", ")));
            return Err(Refused::Components { expected, found });
        }
        let params = &list.params;
        let names: Vec<&str> = params.keys().map(|name| name.as_str()).collect();
        let mut sorted = names.clone();
        sorted.sort_unstable();
        if sorted != ["created", "expires", "keyid", "nonce", "tag"] {
            return Err(Refused::Parameters { found: shown(&names.join(", ")) });
        }
        let (created, expires) = (time(params, "created")?, time(params, "expires")?);
        if text(params, "tag") != Some(LABEL) {
            return Err(Refused::tag());
        }
        let nonce = text(params, "nonce").filter(|nonce| is_nonce(nonce));
        let nonce = nonce.ok_or_else(Refused::nonce)?.to_owned();
        let keyid = text(params, "keyid").unwrap_or_default();
        let key = PublicKey::from_did(keyid).map_err(|source| Refused::Key { source })?;
        let digest = if has_body { Some(self.digest()?) } else { None };
        let signature = self.signature()?;
        let written = self.signature_input.first().copied().unwrap_or_default();
        let written = String::from_utf8_lossy(written);
        let params = written.split_once('=').map_or("", |(_, params)| params).to_owned();
        Ok(Presented { key, created, expires, nonce, params, signature, digest })
    }

    fn input(&self) -> Result<InnerList, Refused> {
        match only_member(SIGNATURE_INPUT, &self.signature_input)? {
            ListEntry::InnerList(list) => Ok(list),
            ListEntry::Item(_) => Err(Refused::Form { header: SIGNATURE_INPUT }),
        }
    }

    fn signature(&self) -> Result<Signature, Refused> {
        let ListEntry::Item(item) = only_member(SIGNATURE, &self.signature)? else {
            return Err(Refused::Form { header: SIGNATURE });
        };
        match (&item.bare_item, item.params.is_empty()) {
            (BareItem::ByteSequence(bytes), true) => {
                Signature::from_slice(bytes).map_err(|_| Refused::Length)
            }
            _ => Err(Refused::Form { header: SIGNATURE }),
        }
    }

    fn digest(&self) -> Result<(String, Hash), Refused> {
        let (written, dictionary) = dictionary(CONTENT_DIGEST, &self.content_digest)?;
        let mut members = dictionary.iter();
        let (Some((name, ListEntry::Item(item))), None) = (members.next(), members.next()) else {
            return Err(Refused::DigestForm);
        };
        let BareItem::ByteSequence(bytes) = &item.bare_item else {
            return Err(Refused::DigestForm);
        };
        match (name.as_str(), item.params.is_empty(), <[u8; 32]>::try_from(bytes.as_slice())) {
            ("sha-256", true, Ok(bytes)) => Ok((written.to_owned(), Hash::from(bytes))),
            _ => Err(Refused::DigestForm),
        }
    }
}

impl Presented {
    /// The key that is said to have signed.
    pub fn key(&self) -> &PublicKey {
        &self.key
    }

    /// What makes this request unlike every other one by the key.
    pub fn nonce(&self) -> &str {
        &self.nonce
    }

    /// When the signature ends, in Unix seconds of the signer's clock.
    pub fn expires(&self) -> u64 {
        self.expires
    }

    /// Whether it counts at `now`, in Unix seconds.
    ///
    /// # Errors
    /// When it was made too far in the future, has ended, or is good for too long.
    pub fn check_time(&self, now: u64) -> Result<(), Refused> {
        let (created, expires) = (self.created, self.expires);
        let seconds =
            i64::try_from(expires).unwrap_or(i64::MAX) - i64::try_from(created).unwrap_or(0);
        if !(1..=i64::try_from(LIFETIME_S).unwrap_or(0)).contains(&seconds) {
            return Err(Refused::Lifetime { seconds });
        }
        if created > now.saturating_add(CLOCK_AHEAD_S) {
            return Err(Refused::Early { created, now });
        }
        if expires < now {
            return Err(Refused::Expired { expires, now });
        }
        Ok(())
    }

    /// Whether the key in it signed this request to this address.
    ///
    /// # Errors
    /// When it did not.
    pub fn check_signature(&self, method: &str, target_uri: &str) -> Result<(), Refused> {
        let digest = self.digest.as_ref().map(|(written, _)| written.as_str());
        let base = base(&lines(method, target_uri, digest), &self.params);
        self.key.verify_strict(base.as_bytes(), &self.signature).map_err(|_| Refused::Signature {
            method: method.to_owned(),
            target_uri: target_uri.to_owned(),
        })
    }

    /// Whether `body` is the one that was signed; empty for a request without one.
    ///
    /// # Errors
    /// When it is another one.
    pub fn check_body(&self, body: &[u8]) -> Result<(), Refused> {
        let right = match &self.digest {
            Some((_, hash)) => *hash == Hash::of(body),
            None => body.is_empty(),
        };
        if right { Ok(()) } else { Err(Refused::Digest) }
    }
}

/// The value of the one label that a header may have.
fn only_member(header: &'static str, values: &[&[u8]]) -> Result<ListEntry, Refused> {
    let (_, dictionary) = dictionary(header, values)?;
    let labels = || dictionary.keys().map(|label| label.as_str()).collect::<Vec<_>>().join(", ");
    let found = shown(&labels());
    let mut members = dictionary.into_iter();
    match (members.next(), members.next()) {
        (Some((label, value)), None) if label.as_str() == LABEL => Ok(value),
        _ => Err(Refused::Label { header, found }),
    }
}

/// A header that stands there once, as a dictionary in canonical spelling.
fn dictionary<'a>(
    header: &'static str,
    values: &[&'a [u8]],
) -> Result<(&'a str, Dictionary), Refused> {
    let value = match values {
        [] => return Err(Refused::Missing { header }),
        [value] => *value,
        more => return Err(Refused::Doubled { header, count: more.len() }),
    };
    let form = || Refused::Form { header };
    let text = std::str::from_utf8(value).map_err(|_| form())?;
    if text.len() > HEADER_BYTES_MAX {
        return Err(form());
    }
    let dictionary: Dictionary = Parser::new(text).parse().map_err(|_| form())?;
    match dictionary.serialize() {
        Some(canonical) if canonical == text => Ok((text, dictionary)),
        _ => Err(form()),
    }
}

/// The name of a covered component; one with parameters, or that is no string, is none of ours.
fn component(item: &sfv::Item) -> String {
    match (&item.bare_item, item.params.is_empty()) {
        (BareItem::String(name), true) => name.as_str().to_owned(),
        _ => "?".to_owned(),
    }
}

fn text<'a>(params: &'a Parameters, name: &str) -> Option<&'a str> {
    match params.get(name)? {
        BareItem::String(text) => Some(text.as_str()),
        _ => None,
    }
}

fn time(params: &Parameters, name: &'static str) -> Result<u64, Refused> {
    let time = match params.get(name) {
        Some(BareItem::Integer(time)) => u64::try_from(i64::from(*time)).ok(),
        _ => None,
    };
    time.ok_or_else(|| Refused::time(name))
}

fn is_nonce(nonce: &str) -> bool {
    (1..=NONCE_BYTES_MAX).contains(&nonce.len())
        && nonce.bytes().all(|byte| byte.is_ascii_graphic())
}

fn shown(text: &str) -> String {
    text.chars().take(SHOWN_MAX).collect()
}
