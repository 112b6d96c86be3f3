//! A node with fixed keys that makes real steps of its feed: entry 0 is its node record, the other entries
//! are statements of a later version with bodies, which need no further signatures.

use std::collections::BTreeMap;

use bytes::Bytes;
use feed::advance::HeadMark;
use feed::append::{self, Sealed, Staged};
use feed::block::{Block, Item};
use feed::ports::{KeyUse, Locked, Signer};
use feed::tree::Tree;
use network::keys::KeyHistory;
use practice::body::{Body, Issuer, Unsigned};
use practice::id::RecordId;
use practice::kind::Kind;
use practice::node_record::NodeSubject;
use tlog::ed25519::{PublicKey, Signature, SigningKey};
use tlog::hash::Hash;
use tlog::name::{NodeName, Origin};

/// The online keys of a test node, one for each use, and its root.
pub(crate) struct Keys {
    node: NodeName,
}

impl Keys {
    pub(crate) fn of(node: &NodeName) -> Self {
        Self { node: node.clone() }
    }

    pub(crate) fn root(&self) -> SigningKey {
        self.key("root")
    }

    fn key(&self, usage: &str) -> SigningKey {
        SigningKey::from_seed(Hash::of(format!("{} {usage}", self.node)).as_bytes()).unwrap()
    }

    /// The node record, signed by the root.
    pub(crate) fn node_record(&self) -> Bytes {
        let root = self.root();
        let names = BTreeMap::from([("en".to_owned(), "Test".to_owned())]);
        let mut subject = NodeSubject::new(self.node.clone(), names.clone(), root.public());
        subject.organization = Some(names);
        for usage in KeyUse::ALL {
            subject = subject.with_key(usage.as_str(), 1, &self.key(usage.as_str()));
        }
        let unsigned = Unsigned {
            kind: Kind::NODE,
            id: RecordId::from_random_bytes(
                *Hash::of(self.node.as_str()).as_bytes().first_chunk().unwrap(),
            ),
            feed: None,
            version: 1,
            issuer: Issuer { key: root.public(), node: self.node.clone(), state: None },
            valid_from: "2026-11-23T10:00:00Z".to_owned(),
            salt: [7; 32],
            subject: subject.subject(),
        };
        let body = Body::sign(unsigned, &|message| Ok::<_, Locked>(root.sign(message))).unwrap();
        body.bytes().clone()
    }
}

impl Signer for Keys {
    fn public(&self, key_use: KeyUse) -> Result<PublicKey, Locked> {
        Ok(self.key(key_use.as_str()).public())
    }

    fn sign(&self, key_use: KeyUse, message: &[u8]) -> Result<Signature, Locked> {
        Ok(self.key(key_use.as_str()).sign(message))
    }
}

/// A feed as its author knows it.
pub(crate) struct Author {
    pub(crate) origin: Origin,
    keys: Keys,
    history: KeyHistory,
    tree: Tree,
    tail: Vec<Block>,
    note: Vec<u8>,
    pub(crate) mark: Option<HeadMark>,
}

impl Author {
    pub(crate) fn of(origin: &str) -> Self {
        let origin = Origin::parse(origin).unwrap();
        let keys = Keys::of(origin.node());
        let history = KeyHistory::new(origin.node().clone(), keys.root().public());
        Self {
            origin,
            keys,
            history,
            tree: Tree::new(),
            tail: Vec::new(),
            note: Vec::new(),
            mark: None,
        }
    }

    pub(crate) fn size(&self) -> u64 {
        self.tree.size()
    }

    /// The next `count` entries as a step, not yet taken; the first of a feed is its node record.
    pub(crate) fn stage(&self, count: u64) -> Staged {
        let items = (self.size()..self.size() + count).map(|index| self.item(index)).collect();
        append::stage(&self.origin, self.mark, &self.tree, &self.history, items, &self.keys)
            .unwrap()
    }

    /// Segments, tiles and a shorter head.
    pub(crate) fn seal(&self) -> Option<Sealed> {
        append::seal(&self.origin, self.mark.unwrap(), &self.tree, &self.tail, &self.note).unwrap()
    }

    /// The step was committed.
    pub(crate) fn take(&mut self, staged: Staged) {
        self.mark = Some(staged.advance.to());
        self.tree = staged.tree;
        self.history = staged.keys;
        self.note = staged.note;
        self.tail.extend(staged.blocks);
    }

    /// The shorter head was committed.
    pub(crate) fn take_sealed(&mut self, sealed: Sealed) {
        let items = std::mem::take(&mut self.tail)
            .into_iter()
            .flat_map(|block| (block.first..).zip(block.items));
        let rest = items.filter(|(index, _)| *index >= sealed.tree.sealed());
        self.tail = rest.map(|(first, item)| Block { first, items: vec![item] }).collect();
        self.mark = Some(sealed.advance.to());
        self.tree = sealed.tree;
    }

    fn item(&self, index: u64) -> Item {
        if index == 0 {
            let body = self.keys.node_record();
            let id = Body::open(body.clone()).unwrap().id();
            let entry = format!(
                r#"{{"body":"sha256:{}","id":"{id}","kind":"node","op":"publish","time":"2026-11-23T10:00:00Z","v":1,"version":1}}"#,
                Hash::of(&body).to_hex()
            );
            return Item::new(entry.into(), Some(body)).unwrap();
        }
        // Nothing in it compresses well, so that a head has a length worth tearing.
        let body = Bytes::from(format!(r#"{{"n":"{}"}}"#, Hash::of(index.to_be_bytes())));
        let entry = format!(r#"{{"body":"sha256:{}","v":2}}"#, Hash::of(&body).to_hex());
        Item::new(entry.into(), Some(body)).unwrap()
    }
}
