//! What a core can do with a record, operation by operation: the floor under works A and B.

use std::convert::Infallible;
use std::hint::black_box;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use bytes::Bytes;
use feed::block::{self, Block, Item};
use feed::statement::Statement;
use practice::body::{Body, Issuer, ProofParts, Unsigned};
use practice::id::RecordId;
use practice::json::{canonical, check_canonical};
use rayon::prelude::*;
use tlog::ed25519::Batch;
use tlog::hash::Hash;

use crate::Bench;
use crate::host::AUTHOR;
use crate::records::Records;

/// Each operation is repeated for at least so long.
const LONG_ENOUGH: Duration = Duration::from_millis(300);
/// As many signatures as the core checks together.
const BATCH: usize = 64;
const SEGMENT: u64 = 256;

pub(crate) const GROUP: &str = "CPU: one core unless said";
pub(crate) const PUBLISH: &str = "all cores: write, hash and sign records (limit of A)";
pub(crate) const FOLLOW: &str = "all cores: check, hash and verify records (limit of B)";

/// Measures it once.
pub(crate) fn round(bench: &mut Bench) -> anyhow::Result<()> {
    let bodies = (0..SEGMENT).map(body).collect::<anyhow::Result<Vec<Body>>>()?;
    let parts: Vec<ProofParts> = bodies.iter().map(Body::proof_parts).collect();
    let one = bodies.first().context("no records")?;
    let key = AUTHOR.root()?;
    let value = one.subject().clone();
    let segment = segment(&bodies)?;
    let packed = block::pack_segment(&segment)?;

    let mut length = |what: &str, bytes: usize| {
        bench.results.add(GROUP, what, "B", bytes as f64 / SEGMENT as f64);
    };
    length("mean length of a body", bodies.iter().map(|body| body.bytes().len()).sum());
    length("segment, bytes on disk for a record", packed.len());
    let mut add = |what: &str, once: &dyn Fn()| {
        bench.results.add(GROUP, what, "/s", rate(once));
    };
    add("Ed25519 sign", &|| each(&parts, |part| key.sign(&part.message)));
    add("Ed25519 verify, ZIP-215", &|| each(&bodies, Body::verify));
    add("Ed25519 verify, batch of 64, one key", &|| parts.chunks(BATCH).for_each(verify));
    add("all cores: Ed25519 verify, batches of 64", &|| parts.par_chunks(BATCH).for_each(verify));
    add("SHA-256 of a body", &|| each(&bodies, |body| Hash::of(body.bytes())));
    add("is a body canonical JSON?", &|| {
        each(&bodies, |body| check_canonical(body.bytes()).is_ok());
    });
    add("a body read, proof not checked", &|| {
        each(&bodies, |body| Body::open(body.bytes().clone()));
    });
    add("a record written as canonical JSON", &|| each(&bodies, |_| canonical(&value)));
    add("segment compressed, records", &|| each(&[()], |()| block::pack_segment(&segment)));
    add("segment opened: decompressed, hashed, read, records", &|| {
        each(&[()], |()| block::open_segment(&packed, 0));
    });
    add(PUBLISH, &|| {
        parts.par_chunks(BATCH).for_each(|parts| {
            each(parts, |part| (canonical(&value).map(Hash::of), key.sign(&part.message)));
        });
    });
    add(FOLLOW, &|| {
        bodies.par_chunks(BATCH).for_each(|bodies| {
            let read = bodies.iter().filter_map(|body| Body::open(body.bytes().clone()).ok());
            let parts: Vec<ProofParts> =
                read.map(|body| (black_box(body.hash()), body.proof_parts()).1).collect();
            verify(&parts);
        });
    });
    Ok(())
}

/// How often an operation can be done in a second; `once` does it for a segment of records.
fn rate(once: &dyn Fn()) -> f64 {
    once();
    let started = Instant::now();
    let mut times = 0_u64;
    while started.elapsed() < LONG_ENOUGH {
        once();
        times += 1;
    }
    (times * SEGMENT) as f64 / started.elapsed().as_secs_f64()
}

fn each<T, R>(all: &[T], once: impl Fn(&T) -> R) {
    for one in all {
        black_box(once(one));
    }
}

fn verify(parts: &[ProofParts]) {
    let mut batch = Batch::new();
    for part in parts {
        batch.queue(part.key, &part.message, part.signature);
    }
    drop(black_box(batch.verify_all()));
}

fn body(number: u64) -> anyhow::Result<Body> {
    let mut id = [0; 16];
    let drawn = Hash::of(number.to_be_bytes());
    for (byte, random) in id.iter_mut().zip(drawn.as_bytes()) {
        *byte = *random;
    }
    let key = AUTHOR.root()?;
    let publication = Records::new().publication(number);
    let unsigned = Unsigned {
        kind: publication.kind,
        id: RecordId::from_random_bytes(id),
        feed: Some(AUTHOR.origin()?),
        version: 1,
        issuer: Issuer { key: key.public(), node: AUTHOR.node()?, state: None },
        valid_from: "2026-11-23T10:00:00Z".to_owned(),
        salt: *drawn.as_bytes(),
        subject: publication.subject,
    };
    Ok(Body::sign(unsigned, &|message| Ok::<_, Infallible>(key.sign(message)))?)
}

fn segment(bodies: &[Body]) -> anyhow::Result<Block> {
    let item = |body: &Body| -> anyhow::Result<Item> {
        let statement = Statement::Publish {
            id: body.id(),
            kind: body.kind().clone(),
            version: body.version(),
            body: body.hash(),
            time: body.valid_from().to_owned(),
        };
        Ok(Item::new(Bytes::from(statement.to_bytes()?), Some(body.bytes().clone()))?)
    };
    Ok(Block { first: 0, items: bodies.iter().map(item).collect::<anyhow::Result<_>>()? })
}
