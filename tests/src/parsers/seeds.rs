//! Well-formed inputs, made with fixed keys: where a fuzzer begins.

use anyhow::{Context as _, Result};
use bytes::Bytes;
use feed::block::{self, Block, Item};
use feed::bundle::{self, ItemKind};
use feed::cosignatures::{Cosignatures, Cosigned};
use feed::fault::{Fault, ForkKind};
use feed::head::{self, Commit};
use feed::ports::KeyUse;
use feed::statement::{Said, Statement};
use feed::verdict::{Evidence, Placed};
use practice::body::Body;
use practice::entry;
use serde_json::json;
use tlog::checkpoint::SignedCheckpoint;
use tlog::cosignature::cosign;
use tlog::hash::Hash;
use tlog::key::VerifierKey;
use tlog::name::{KeyName, Origin};
use tlog::proof_file::TlogProof;
use tlog::tile;

use crate::chance::{BEGINNING, BEGINNING_TEXT};
use crate::forge::Forge;
use crate::member::Member;
use crate::signed::signed;

/// What the seeds of all readers are cut from: one small feed and its keys.
pub struct Seeds {
    /// The feed.
    pub(super) origin: Origin,
    /// Its log key and a witness's.
    pub(super) keys: [VerifierKey; 2],
    /// Its checkpoint.
    pub(super) note: Vec<u8>,
    /// The same with a witness's line.
    pub(super) cosigned: Vec<u8>,
    /// Node record and two records.
    pub(super) bodies: Vec<Vec<u8>>,
    /// Headers of a signed request, as the reader takes them.
    pub(super) requests: Vec<Vec<u8>>,
    member: Member,
    forge: Forge,
}

impl Seeds {
    /// Makes them.
    ///
    /// # Errors
    /// Never with the keys of members.
    pub fn new() -> Result<Self> {
        let member = Member::of("node.example")?;
        let mut forge = Forge::begin(&member)?;
        forge.record("First")?.record("Второй")?;
        let note = forge.note()?;
        let witness = Member::of("witness.example")?.secret().key(KeyUse::Witness, 1)?;
        let name = KeyName::parse("witness.example/witness")?;
        let mut checkpoint = SignedCheckpoint::parse(&note)?;
        let witness_key = VerifierKey::cosignature(name, witness.public());
        let text = checkpoint.checkpoint.body();
        checkpoint
            .add(cosign(&text, BEGINNING, &witness_key, &|message| witness.sign(message))?)?;
        let log = member.secret().key(KeyUse::Log, 1)?.public();
        let log_key = VerifierKey::note(KeyName::from(&member.origin()), log);
        let bodies = vec![
            member.node_record(&["https://node.example/".to_owned()])?.to_vec(),
            member.record(1, "First")?.to_vec(),
            member.record(2, "Второй")?.to_vec(),
        ];
        let requests = [("GET", None), ("POST", Some(&b"{}"[..]))];
        let requests = requests.map(|(method, body)| request(&member, method, body));
        Ok(Self {
            origin: member.origin(),
            keys: [log_key, witness_key],
            cosigned: checkpoint.to_string().into_bytes(),
            requests: requests.into_iter().collect::<Result<_>>()?,
            note,
            bodies,
            member,
            forge,
        })
    }

    pub(super) fn cosignatures(&self) -> Vec<Vec<u8>> {
        let mut list = Cosignatures::default();
        if let Ok(one) = Cosigned::parse(&self.cosigned) {
            list.insert(one);
        }
        vec![list.encode().to_vec()]
    }

    pub(super) fn verifier_keys(&self) -> Vec<Vec<u8>> {
        let mut all: Vec<_> = self.keys.iter().map(|key| key.to_string().into_bytes()).collect();
        all.extend(self.keys.iter().map(|key| key.key.to_did().into_bytes()));
        all
    }

    pub(super) fn policies(&self) -> Vec<Vec<u8>> {
        let [log, witness] = &self.keys;
        let text = format!(
            "log {log} https://node.example/\nwitness one {witness} https://witness.example/\n\
             group some any one\ngroup most 1 some\nquorum most\n"
        );
        vec![text.into_bytes(), format!("log {log}\nquorum none\n").into_bytes()]
    }

    pub(super) fn network_files(&self) -> Vec<Vec<u8>> {
        let root = self.keys.first().map(|key| key.key.to_did()).unwrap_or_default();
        let first = format!("{} {root} 1\n", self.origin);
        let header = network::file::HEADER.as_bytes();
        let whole = |policy: Vec<u8>| [header, first.as_bytes(), &policy].concat();
        self.policies().into_iter().map(whole).collect()
    }

    fn proof(&self) -> Option<TlogProof> {
        let checkpoint = SignedCheckpoint::parse(&self.cosigned).ok()?;
        let hashes = vec![Hash::of("one"), Hash::of("other")];
        Some(TlogProof { extra: Some(b"extra".to_vec()), index: 1, hashes, checkpoint })
    }

    pub(super) fn proofs(&self) -> Vec<Vec<u8>> {
        self.proof().iter().map(|proof| proof.to_string().into_bytes()).collect()
    }

    pub(super) fn entries(&self) -> Vec<Vec<u8>> {
        let mut all: Vec<Vec<u8>> = self.opened().map(|body| entry::publish(&body)).collect();
        for body in self.opened() {
            let withdrawal = Statement::Withdraw {
                id: body.id(),
                reason: "data-protection".to_owned(),
                erase: vec![1, 2],
                time: BEGINNING_TEXT.to_owned(),
            };
            all.extend(withdrawal.to_bytes());
        }
        all
    }

    pub(super) fn entries_tiles(&self) -> Vec<Vec<u8>> {
        tile::encode_entries(&self.entries()).into_iter().collect()
    }

    pub(super) fn documents(&self) -> Vec<Vec<u8>> {
        let mut all = self.bodies.clone();
        all.extend(self.opened().map(|body| body.subject().to_string().into_bytes()));
        all
    }

    pub(super) fn blocks(&self) -> Vec<Vec<u8>> {
        self.block().iter().map(Block::encode).collect()
    }

    pub(super) fn segments(&self) -> Vec<Vec<u8>> {
        let item = |number: u32| {
            let entry = Bytes::from(format!("entry {number}"));
            Item { said: Said::read(&entry), entry, body: None }
        };
        let full = Block { first: 0, items: (0..256).map(item).collect() };
        block::pack_segment(&full).into_iter().map(|packed| packed.to_vec()).collect()
    }

    pub(super) fn commits(&self) -> Vec<Vec<u8>> {
        let all = self.forge.commits(0, &self.note).map(|commits| commits.to_vec());
        let block = self.block();
        let one = block.and_then(|block| Commit::write(&self.note, &[block]).ok());
        let two = one.map(|one| head::encode_since([&one, &one].into_iter()).to_vec());
        all.into_iter().chain(two).collect()
    }

    pub(super) fn bundles(&self) -> Vec<Vec<u8>> {
        let item = |(number, kind): (u64, ItemKind)| {
            let bytes = Bytes::from(self.note.clone());
            bundle::Item { kind, origin: self.origin.clone(), number, bytes }
        };
        let kinds = [ItemKind::File, ItemKind::Anchors, ItemKind::BodyWithProof];
        let mut all = vec![bundle::write(&(0..).zip(kinds).map(item).collect::<Vec<_>>())];
        all.extend(self.evidence());
        all
    }

    pub(super) fn evidence(&self) -> Vec<Vec<u8>> {
        let proof = Bytes::from(self.proofs().concat());
        let placed = self
            .bodies
            .iter()
            .map(|body| Placed { body: Bytes::from(body.clone()), proof: proof.clone() });
        let mut node_records: Vec<Placed> = placed.collect();
        let Some(record) = node_records.pop() else { return Vec::new() };
        let (origin, cosignatures) = (self.origin.clone(), None);
        let evidence = Evidence { origin, record, node_records, cosignatures, network: None };
        vec![bundle::evidence::write(&evidence)]
    }

    pub(super) fn faults(&self) -> Vec<Vec<u8>> {
        let note = String::from_utf8_lossy(&self.note).into_owned();
        let records = self.bodies.first().map(|body| String::from_utf8_lossy(body).into_owned());
        let fault = Fault {
            fault: ForkKind::Prefix,
            origin: self.origin.clone(),
            cosigner: None,
            first: note.clone(),
            second: note,
            prefix_root: Some(Hash::of("root").to_base64()),
            proof: vec![Hash::of("one").to_base64()],
            node_records: records.into_iter().collect(),
        };
        let same = Fault { fault: ForkKind::SameSize, prefix_root: None, ..fault.clone() };
        vec![fault.to_bytes(), same.to_bytes()]
    }

    pub(super) fn heads(&self) -> Vec<Vec<u8>> {
        let root = Hash::of("root").to_string();
        let lines = json!([
            { "origin": "a.example/public", "size": 3, "root": root },
            { "origin": "b.example/public", "size": 9_007_199_254_740_991_u64, "root": root,
              "evidence": root },
        ]);
        vec![lines.to_string().into_bytes()]
    }

    pub(super) fn signed_requests(&self) -> Vec<Vec<u8>> {
        self.requests.clone()
    }

    pub(super) fn names(&self) -> Vec<Vec<u8>> {
        let hash = Hash::of("one").to_string();
        let texts = ["node.example", "node.example/public", "zh-Hant-TW", BEGINNING_TEXT, &hash];
        let ids = self.opened().map(|body| body.id().to_string());
        ids.chain(texts.map(str::to_owned)).map(String::into_bytes).collect()
    }

    pub(super) fn paths(&self) -> Vec<Vec<u8>> {
        let name = self.member.name();
        let texts = [
            "tile/0/x001/067".to_owned(),
            "tile/entries/x001/x234/067.p/3".to_owned(),
            format!("/feeds/{name}/public/checkpoint"),
            format!("/records/{name}/public/018f4c5e-0000-4000-8000-000000000001"),
            "9007199254740991".to_owned(),
        ];
        texts.map(String::into_bytes).to_vec()
    }

    pub(super) fn gateway_pages(&self) -> Vec<Vec<u8>> {
        let page = "<html lang=\"en\"><title>Paraguay</title><h1>Paraguay</h1><h2>Summary</h2><p>One.</p>\
                    <h3>MANDATE</h3><p>Includes:</p><ul><li>one<li>two</ul><h3>Other</h3><table><tr><td>a\
                    </table><p>Created 9/18/2025</p>";
        let text = "Paraguay\n\nSummary\nOne.\n\nMANDATE\nIncludes:\n- one\n- two\n";
        [page, text].map(|text| text.as_bytes().to_vec()).to_vec()
    }

    pub(super) fn recommendations(&self) -> Vec<Vec<u8>> {
        let texts = ["A/HRC/44/12, para. 128.17 (Botswana)", "CEDAW/C/FRA/CO/9 §12(a)"];
        texts.map(|text| text.as_bytes().to_vec()).to_vec()
    }

    pub(super) fn sentences(&self) -> Vec<Vec<u8>> {
        let texts = [
            "l’État partie devrait l'améliorer",
            "الآلية الوطنية للتنفيذ والإبلاغ والمتابعة +20 2 1234567",
            "国家执行、报告和后续机制 someone@example.org",
            "Национальный механизм \"точная фраза\" нача*",
        ];
        texts.map(|text| text.as_bytes().to_vec()).to_vec()
    }

    fn opened(&self) -> impl Iterator<Item = Body> {
        self.bodies.iter().filter_map(|body| Body::open(Bytes::from(body.clone())).ok())
    }

    fn block(&self) -> Option<Block> {
        let items = self.opened().map(|body| {
            let entry = Bytes::from(entry::publish(&body));
            Item { said: Said::read(&entry), entry, body: Some(body.bytes().clone()) }
        });
        let items: Vec<Item> = items.collect();
        (!items.is_empty()).then_some(Block { first: 0, items })
    }
}

fn request(member: &Member, method: &str, body: Option<&[u8]>) -> Result<Vec<u8>> {
    let (url, path) = ("https://other.example/", "/heads");
    let headers = signed(member, (method, url, path), body, BEGINNING, 1)?;
    let header = |name: &str| {
        headers.iter().find(|(other, _)| *other == name).map_or("", |(_, value)| value.as_str())
    };
    let lines = [
        method,
        &wire::signature::target_uri(url, path),
        header(wire::signature::SIGNATURE_INPUT),
        header(wire::signature::SIGNATURE),
        header(wire::signature::CONTENT_DIGEST),
        std::str::from_utf8(body.unwrap_or_default()).context("text")?,
    ];
    Ok(lines.join("\n").into_bytes())
}
