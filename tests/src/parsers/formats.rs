//! Readers of whole files and messages. What one accepts and writes again is what it accepted.

use bytes::Bytes;
use feed::block::{self, Block};
use feed::bundle::{self, Contents};
use feed::cosignatures::{Cosignatures, Cosigned};
use feed::fault::Fault;
use feed::head;
use feed::statement::{ENTRY_BYTES_MAX, Said};
use network::audience::Audience;
use network::file::NetworkFile;
use network::join::Request;
use practice::body::Body;
use practice::draft::{Defaults, Draft};
use practice::json::{self as strict, JsonFault};
use practice::kind::Kind;
use practice::node_record::NodeRecord;
use practice::{completeness, kinds};
use tlog::checkpoint::{Checkpoint, SignedCheckpoint};
use tlog::note::Note;
use tlog::policy::Policy;
use tlog::proof_file::TlogProof;
use tlog::tile;
use wire::signature::Fields;

pub(super) fn note(bytes: &[u8]) -> bool {
    let Ok(note) = Note::parse(bytes) else { return false };
    assert_eq!(note.to_bytes(), bytes);
    true
}

pub(super) fn checkpoint(bytes: &[u8]) -> bool {
    if let Ok(text) = std::str::from_utf8(bytes)
        && let Ok(read) = Checkpoint::parse(text)
    {
        assert_eq!(Checkpoint::parse(&read.body()).ok(), Some(read));
    }
    let Ok(signed) = SignedCheckpoint::parse(bytes) else { return false };
    let served = signed.to_serve().to_bytes();
    assert!(SignedCheckpoint::parse(&served).is_ok(), "what is served can be read");
    true
}

pub(super) fn cosignatures(bytes: &[u8]) -> bool {
    let Ok(list) = Cosignatures::decode(bytes) else { return false };
    let again = Cosignatures::decode(&list.encode());
    assert_eq!(again.ok().map(|again| again.encode()), Some(list.encode()));
    true
}

/// A note with one line of a cosigner.
pub(super) fn cosigned(bytes: &[u8]) -> bool {
    let Ok(one) = Cosigned::parse(bytes) else { return false };
    assert!(Cosigned::parse(&one.to_bytes()).is_ok(), "what is written can be read");
    true
}

pub(super) fn policy(bytes: &[u8]) -> bool {
    let Ok(policy) = Policy::parse(bytes) else { return false };
    assert_eq!(Policy::parse(&policy.to_bytes()).ok(), Some(policy));
    true
}

pub(super) fn network_file(bytes: &[u8]) -> bool {
    let Ok(file) = NetworkFile::parse(bytes) else { return false };
    assert_eq!(file.bytes(), bytes);
    assert_eq!(file.fingerprint(), network::file::fingerprint(bytes));
    true
}

pub(super) fn tlog_proof(bytes: &[u8]) -> bool {
    let Ok(proof) = TlogProof::parse(bytes) else { return false };
    assert_eq!(proof.to_string().as_bytes(), bytes);
    true
}

pub(super) fn entries_tile(bytes: &[u8]) -> bool {
    if let Ok(hashes) = tile::hashes(bytes) {
        assert_eq!(hashes.len() * 32, bytes.len());
    }
    let Ok(entries) = tile::decode_entries(bytes) else { return false };
    assert_eq!(tile::encode_entries(&entries).ok().as_deref(), Some(bytes));
    true
}

/// Two readers of one grammar agree, and what is canonical has one form.
pub(super) fn json(bytes: &[u8]) -> bool {
    let value = strict::parse(bytes);
    let accepted = value.is_ok();
    if let Ok(value) = &value
        && let Ok(written) = strict::canonical(value)
    {
        // A draft may hold a fraction, so that its fault can be told; nothing that is signed may.
        let fault = strict::check_canonical(&written).err().map(|invalid| invalid.fault);
        assert!(matches!(fault, None | Some(JsonFault::Number)), "{fault:?}");
    }
    if strict::check_canonical(bytes).is_ok() {
        let again = value.ok().and_then(|value| strict::canonical(&value).ok());
        assert_eq!(again.as_deref(), Some(bytes));
    }
    accepted
}

pub(super) fn entry(bytes: &[u8]) -> bool {
    if bytes.len() > ENTRY_BYTES_MAX {
        return false;
    }
    let said = Said::read(bytes);
    let Some(statement) = said.statement() else { return false };
    let again = statement.to_bytes().ok().map(|written| Said::read(&written));
    assert_eq!(again.as_ref().and_then(Said::statement), Some(statement));
    true
}

/// A body, and whatever is made of one: all of it stands in feeds that strangers write.
pub(super) fn body(bytes: &[u8]) -> bool {
    let Ok(body) = Body::open(Bytes::copy_from_slice(bytes)) else { return false };
    assert_eq!(body.bytes(), bytes);
    let _ = body.verify();
    if let Ok(record) = NodeRecord::from_body(&body) {
        for network in &record.networks {
            let asked = Request { network: network.clone(), node_record: body.bytes().clone() };
            let _ = asked.check();
        }
    }
    let _ = network::approval::About::parse(body.subject());
    let _ = Audience::parse(body.subject());
    let _ = completeness::questions(body.kind(), body.subject(), body.state(), "en");
    let _ = kinds::fields(body.kind());
    let _ = search::facets::of(&body);
    true
}

pub(super) fn block(bytes: &[u8]) -> bool {
    let Ok(block) = Block::decode(&Bytes::copy_from_slice(bytes)) else { return false };
    assert_eq!(block.encode(), bytes);
    let _ = block.segment_root();
    true
}

pub(super) fn segment(bytes: &[u8]) -> bool {
    let Ok(block) = block::open_segment(&Bytes::copy_from_slice(bytes), 0) else { return false };
    let packed = block::pack_segment(&block);
    let again = packed.ok().and_then(|packed| block::open_segment(&packed, 0).ok());
    assert_eq!(again, Some(block));
    true
}

pub(super) fn commits(bytes: &[u8]) -> bool {
    let bytes = Bytes::copy_from_slice(bytes);
    let _ = head::mark(&bytes);
    let Ok(commits) = head::decode_since(&bytes) else { return false };
    assert_eq!(head::encode_since(commits.iter()), bytes);
    for commit in &commits {
        let _ = commit.tip();
        for frame in &commit.frames {
            let _ = frame.open();
        }
    }
    true
}

/// Read in two ways: at once, and as what stands where in a stream.
pub(super) fn bundle(bytes: &[u8]) -> bool {
    let whole = Bytes::copy_from_slice(bytes);
    let contents = Contents::of(bytes);
    let Ok(items) = bundle::read(&whole) else { return false };
    assert!(contents.is_ok(), "what is read at once is read as a stream");
    let again = bundle::read(&bundle::write(&items).into());
    assert_eq!(again.ok(), Some(items.clone()));
    for item in &items {
        let _ = bundle::split_body_with_proof(&item.bytes);
        let _ = bundle::split_decision(&item.bytes);
    }
    true
}

pub(super) fn evidence(bytes: &[u8]) -> bool {
    let Ok(read) = bundle::evidence::read(&Bytes::copy_from_slice(bytes)) else { return false };
    let again = bundle::evidence::read(&bundle::evidence::write(&read).into());
    assert_eq!(again.ok().map(|again| again.record), Some(read.record));
    true
}

pub(super) fn fault(bytes: &[u8]) -> bool {
    let Ok(fault) = Fault::parse(bytes) else { return false };
    assert!(Fault::parse(&fault.to_bytes()).is_ok(), "what is written can be read");
    let _ = (fault.checkpoints(), fault.node());
    if let Some(root) = fault.root() {
        let _ = fault.verify(root);
    }
    true
}

pub(super) fn heads(bytes: &[u8]) -> bool {
    let Ok(heads) = wire::heads::parse(bytes) else { return false };
    let again = wire::heads::parse(wire::heads::format(&heads).as_bytes());
    assert_eq!(again.ok(), Some(heads));
    true
}

/// Lines: method, URI, the three headers; then the body.
pub(super) fn signature(bytes: &[u8]) -> bool {
    let mut lines = bytes.splitn(6, |byte| *byte == b'\n');
    let mut line = || lines.next().unwrap_or_default();
    let (method, uri) = (line(), line());
    let one = |line| vec![line];
    let (signature_input, signature) = (one(line()), one(line()));
    let (content_digest, body) = (one(line()), line());
    let has_body = !body.is_empty();
    let content_digest = if has_body { content_digest } else { Vec::new() };
    let Ok(presented) = (Fields { signature_input, signature, content_digest }).read(has_body)
    else {
        return false;
    };
    let text = |bytes| String::from_utf8_lossy(bytes).into_owned();
    let _ = presented.check_time(crate::chance::BEGINNING);
    let _ = presented.check_signature(&text(method), &text(uri));
    let _ = presented.check_body(body);
    true
}

/// What somebody typed, as a record of every kind: what is valid can be signed.
pub(super) fn draft(bytes: &[u8]) -> bool {
    let Ok(value) = strict::parse(bytes) else { return false };
    let defaults = Defaults { language: Some("en".to_owned()), ..Defaults::default() };
    for kind in Kind::ALL {
        let draft = Draft::from_value(kind.clone(), value.clone(), &defaults);
        if let Ok(record) = draft.validate() {
            assert!(strict::canonical(&record.subject).is_ok(), "what is valid can be written");
        }
    }
    true
}
