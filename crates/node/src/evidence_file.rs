//! Evidence of one record as a file: a bundle (design 4.4) of its node records and of the body with its
//! `.tlog-proof`.
//!
//! The entry is not in it: a statement of version 1 says nothing that its body does not say, so it is
//! written again from the body, and the proof shows whether that is what stands in the log.

use anyhow::{Context as _, bail};
use bytes::{Buf as _, Bytes};
use feed::statement::Statement;
use feed::verdict::Evidence;
use practice::body::Body;
use sha2::{Digest as _, Sha256};
use tlog::hash::Hash;
use tlog::name::Origin;

const MAGIC: &[u8] = b"JPB1";
const END: u8 = 0;
const NODE_RECORD: u8 = 4;
const BODY_WITH_PROOF: u8 = 9;

/// SHA-256, at the end.
const SUM_BYTES: usize = 32;

/// A node has a few node records in all its life.
const ITEMS_MAX: usize = 1_000;

/// The file. A body with its proof is `u32 n | body | .tlog-proof`.
pub fn write(evidence: &Evidence) -> Vec<u8> {
    let mut file = MAGIC.to_vec();
    for record in &evidence.node_records {
        put(&mut file, NODE_RECORD, &evidence.origin, record);
    }
    let length = u32::try_from(evidence.body.len()).unwrap_or(u32::MAX);
    let both = [&length.to_be_bytes(), &*evidence.body, &*evidence.proof].concat();
    put(&mut file, BODY_WITH_PROOF, &evidence.origin, &both);
    file.push(END);
    let sum = Sha256::digest(&file);
    file.extend_from_slice(&sum);
    file
}

/// The evidence back; nothing in it is verified.
pub fn read(file: &Bytes) -> anyhow::Result<Evidence> {
    if !file.starts_with(MAGIC) {
        bail!("it does not begin with JPB1");
    }
    let Some(content) = file.len().checked_sub(SUM_BYTES).filter(|&content| content > MAGIC.len())
    else {
        bail!("it is cut short");
    };
    if Sha256::digest(file.slice(..content)).as_slice() != &*file.slice(content..) {
        bail!("it was damaged or cut on its way: its SHA-256 is another one; fetch it again");
    }
    let mut rest = file.slice(MAGIC.len()..content);
    let mut node_records = Vec::new();
    let mut found = None;
    for _ in 0..ITEMS_MAX {
        let (kind, origin, bytes) = match take(&mut rest)? {
            None => {
                let (origin, body, proof) = found.context("it holds no record")?;
                let entry = entry_of(&body)?;
                return Ok(Evidence { origin, entry, body, proof, node_records });
            }
            Some(item) => item,
        };
        match kind {
            NODE_RECORD => node_records.push(bytes),
            BODY_WITH_PROOF if found.is_none() => {
                let mut both = bytes;
                let length = usize::try_from(both.try_get_u32().unwrap_or(u32::MAX))?;
                if length > both.len() {
                    bail!("its record is cut short");
                }
                let body = both.split_to(length);
                found = Some((origin, body, both));
            }
            BODY_WITH_PROOF => bail!("it holds more than one record"),
            // Of a later version, or nothing a verdict needs.
            _ => {}
        }
    }
    bail!("it has more than {ITEMS_MAX} parts")
}

fn put(file: &mut Vec<u8>, kind: u8, origin: &Origin, bytes: &[u8]) {
    file.push(kind);
    // An origin has at most 200 bytes.
    file.extend_from_slice(&u16::try_from(origin.as_str().len()).unwrap_or_default().to_be_bytes());
    file.extend_from_slice(origin.as_str().as_bytes());
    file.extend_from_slice(&0_u64.to_be_bytes());
    file.extend_from_slice(&u64::try_from(bytes.len()).unwrap_or_default().to_be_bytes());
    file.extend_from_slice(bytes);
}

/// One item; `None` at the end of the file.
fn take(rest: &mut Bytes) -> anyhow::Result<Option<(u8, Origin, Bytes)>> {
    const SHORT: &str = "it is cut short";
    let kind = rest.try_get_u8().context(SHORT)?;
    if kind == END {
        return Ok(None);
    }
    let length = usize::from(rest.try_get_u16().context(SHORT)?);
    if length > rest.len() {
        bail!(SHORT);
    }
    let origin = Origin::parse(std::str::from_utf8(&rest.split_to(length))?)?;
    rest.try_get_u64().context(SHORT)?;
    let length = usize::try_from(rest.try_get_u64().context(SHORT)?)?;
    if length > rest.len() {
        bail!(SHORT);
    }
    Ok(Some((kind, origin, rest.split_to(length))))
}

fn entry_of(body: &Bytes) -> anyhow::Result<Bytes> {
    let opened = Body::open(body.clone()).context("its record is no document of this format")?;
    let statement = Statement::Publish {
        id: opened.id(),
        kind: opened.kind().clone(),
        version: opened.version(),
        body: Hash::of(body),
        time: opened.valid_from().to_owned(),
    };
    Ok(statement.to_bytes()?.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_cut_or_changed_anywhere_is_refused() {
        let evidence = Evidence {
            origin: Origin::parse("simore.gov.py/public").unwrap(),
            entry: Bytes::new(),
            body: Bytes::from_static(b"{}"),
            proof: Bytes::from_static(b"c2sp.org/tlog-proof@v1\n"),
            node_records: vec![Bytes::from_static(b"{}")],
        };
        let file = write(&evidence);
        for cut in 0..file.len() {
            assert!(read(&Bytes::copy_from_slice(&file[..cut])).is_err(), "{cut} bytes were read");
            let mut changed = file.clone();
            changed[cut] ^= 1;
            let error = read(&changed.into()).unwrap_err().to_string();
            assert!(error.contains("JPB1") || error.contains("SHA-256"), "byte {cut}: {error}");
        }
    }
}
