//! The decisions read back. They are in no mirror: what a disk lost of them is put back as this process read or
//! wrote it; what it found damaged at its start is told.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use tlog::key::VerifierKey;

use super::{DECISIONS, Pace, Scrubbed};
use crate::fault::Fault;
use crate::feeds::Feeds;

type Reader = fn(&[u8]) -> Result<(), String>;

/// What stands in a decision, by the first part of its name, as far as no start checks it: a start that
/// cannot read one of the others says so, and ends.
const READERS: &[(&str, Reader)] = &[("fault/", convinces), ("seen/", is_json)];

/// What to do where nobody knows what stood there.
const PUT_BACK: &str = "put it back from a backup, or remove it, while the node is stopped";

impl Feeds {
    /// Reads every decision back and compares it with what was read or written before.
    pub(super) async fn scrub_decisions(&self, found: &mut Scrubbed, pace: &dyn Pace) {
        let bytes = self.compare_decisions(found).await;
        pace.read(bytes).await;
    }

    /// The same; how many bytes were read. Nothing is decided meanwhile.
    async fn compare_decisions(&self, found: &mut Scrubbed) -> usize {
        let mut known = self.decisions.lock().await;
        let on_disk: BTreeMap<String, Bytes> = match self.parts.store.decisions().await {
            Ok(read) => read.into_iter().collect(),
            Err(error) => {
                let why = format!("{error}; nothing was changed, and the next walk reads it again");
                found.enter(None, "decisions".to_owned(), Err(why));
                return 0;
            }
        };
        let names: BTreeSet<String> = known.keys().chain(on_disk.keys()).cloned().collect();
        let mut read = 0;
        for name in names {
            let (what, bytes) = (format!("decisions/{name}"), on_disk.get(&name));
            let length = bytes.map_or(0, Bytes::len);
            read += length;
            found.read(DECISIONS, length);
            let lost = known.get(&name).filter(|known| Some(*known) != bytes).cloned();
            if let Some(kept) = lost {
                let healed = self.parts.store.set_decision(&name, Some(kept)).await;
                found.enter(None, what, healed.map_err(|error| error.to_string()));
                continue;
            }
            let Some(bytes) = bytes else { continue };
            match readable(&name, bytes) {
                Ok(()) => drop(known.insert(name, bytes.clone())),
                Err(why) => found.enter(None, what, Err(format!("{why}; {PUT_BACK}"))),
            }
        }
        read
    }
}

fn readable(name: &str, bytes: &[u8]) -> Result<(), String> {
    let reader = READERS.iter().find(|(prefix, _)| name.starts_with(prefix));
    reader.map_or(Ok(()), |(_, read)| read(bytes))
}

/// Evidence was kept because it convinced. Whose root speaks for a node may have changed since, so it is held
/// against the roots that it names itself.
fn convinces(bytes: &[u8]) -> Result<(), String> {
    let fault = Fault::parse(bytes).map_err(|error| error.to_string())?;
    let roots = fault.issuers();
    let mut why = "no root is named in it".to_owned();
    // A root, and the one before it or after it: a recovery key issues records too.
    for (root, other) in roots.iter().flat_map(|root| roots.iter().map(move |other| (root, other)))
    {
        match fault.with_records_by(&[*root, *other]).verify(*root) {
            Ok(()) => return Ok(()),
            Err(error) => why = error.to_string(),
        }
    }
    let key = fault.cosigner.as_deref().and_then(|key| VerifierKey::parse(key).ok());
    if key.is_some_and(|key| fault.verify_cosigner(&key).is_ok()) {
        return Ok(());
    }
    Err(why)
}

fn is_json(bytes: &[u8]) -> Result<(), String> {
    let read = serde_json::from_slice::<serde_json::Value>(bytes);
    read.map(drop).map_err(|error| error.to_string())
}
