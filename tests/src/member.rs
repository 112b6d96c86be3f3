//! Who a node is in a test: its name and, from the name alone, its keys and its node record.

use std::collections::BTreeMap;
use std::convert::Infallible;

use anyhow::Result;
use bytes::Bytes;
use feed::feeds::Publication;
use feed::ports::{KeyUse, Random as _};
use feed::secret::OnlineSecret;
use practice::body::{Body, Issuer, Unsigned};
use practice::id::RecordId;
use practice::kind::Kind;
use practice::node_record::{NodeSubject, Revocation};
use serde_json::{Value, json};
use tlog::ed25519::SigningKey;
use tlog::hash::Hash;
use tlog::name::{FeedName, NodeName, Origin};

use crate::chance::{BEGINNING_TEXT, TestChance};

/// A node's name and keys. Two members of one name and one salt are the same node.
#[derive(Clone, Debug)]
pub struct Member {
    name: NodeName,
    salt: String,
}

impl Member {
    /// The honest node of this name.
    pub fn of(name: &str) -> Result<Self> {
        Self::with_salt(name, "")
    }

    /// Somebody else who uses the same name.
    pub fn impostor_of(name: &str) -> Result<Self> {
        Self::with_salt(name, "impostor")
    }

    fn with_salt(name: &str, salt: &str) -> Result<Self> {
        Ok(Self { name: NodeName::parse(name)?, salt: salt.to_owned() })
    }

    /// Its name.
    pub fn name(&self) -> &NodeName {
        &self.name
    }

    /// Its public feed.
    pub fn origin(&self) -> Origin {
        Origin::new(self.name.clone(), FeedName::public())
    }

    /// The key that signs its node record.
    pub fn root(&self) -> Result<SigningKey> {
        Ok(SigningKey::from_seed(&self.seed("root"))?)
    }

    /// Its online secret.
    pub fn secret(&self) -> OnlineSecret {
        OnlineSecret::from_bytes(self.seed("online"))
    }

    /// Version 3, which says the same once more.
    pub fn taking_part_still(&self, urls: &[String], network: &Origin) -> Result<Bytes> {
        self.described(urls, vec![network.clone()], 3)
    }

    /// The online secret that takes the place of [`secret`](Self::secret) once that was stolen.
    pub fn second_secret(&self) -> OnlineSecret {
        OnlineSecret::from_bytes(self.seed("online 2"))
    }

    /// Version 1 of its node record, which says that it is found at `urls`.
    pub fn node_record(&self, urls: &[String]) -> Result<Bytes> {
        self.described(urls, Vec::new(), 1)
    }

    /// Version 2, which says that it takes part in a network.
    pub fn taking_part(&self, urls: &[String], network: &Origin) -> Result<Bytes> {
        self.described(urls, vec![network.clone()], 2)
    }

    /// Version 2, which lists the keys of the [second secret](Self::second_secret), and revokes those of the
    /// first from `size` entries of the public feed on.
    pub fn after_theft(&self, urls: &[String], size: u64) -> Result<Bytes> {
        let mut subject = self.subject(urls, Vec::new(), &self.second_secret(), 2)?;
        for key_use in KeyUse::ALL {
            subject.revoked.push(Revocation {
                key: self.secret().key(key_use, 1)?.public(),
                feed: FeedName::public(),
                size,
                reason: "stolen".to_owned(),
            });
        }
        self.sign(&self.root()?, Kind::NODE, None, (1, 2), subject.subject())
    }

    /// Version 2 of its node record, with the keys of [`second_secret`](Self::second_secret) in the place of the
    /// first ones.
    pub fn with_new_keys(&self, urls: &[String]) -> Result<Bytes> {
        let subject = self.subject(urls, Vec::new(), &self.second_secret(), 2)?;
        self.sign(&self.root()?, Kind::NODE, None, (1, 2), subject.subject())
    }

    /// What a thief of the online keys makes of the node record, who has no root key: version 4 by the
    /// record key.
    pub fn node_record_by_a_thief(&self, urls: &[String], network: &Origin) -> Result<Bytes> {
        let subject = self.subject(urls, vec![network.clone()], &self.second_secret(), 4)?;
        let key = self.secret().key(KeyUse::Record, 1)?;
        self.sign(&key, Kind::NODE, None, (1, 4), subject.subject())
    }

    fn described(&self, urls: &[String], networks: Vec<Origin>, version: u64) -> Result<Bytes> {
        let subject = self.subject(urls, networks, &self.secret(), 1)?;
        self.sign(&self.root()?, Kind::NODE, None, (1, version), subject.subject())
    }

    fn subject(
        &self,
        urls: &[String],
        networks: Vec<Origin>,
        secret: &OnlineSecret,
        generation: u64,
    ) -> Result<NodeSubject> {
        let root = self.root()?;
        let names = BTreeMap::from([("en".to_owned(), format!("Node {}", self.name))]);
        let mut subject = NodeSubject::new(self.name.clone(), names.clone(), root.public());
        subject.organization = Some(names);
        subject.urls = urls.to_vec();
        subject.networks = networks;
        for key_use in KeyUse::ALL {
            let key = secret.key(key_use, generation)?;
            subject = subject.with_key(key_use.as_str(), generation, &key);
        }
        Ok(subject)
    }

    /// A record by its record key, as entry `index` could hold it.
    pub fn record(&self, index: u64, title: &str) -> Result<Bytes> {
        let subject = practice(None, title).subject;
        let key = self.secret().key(KeyUse::Record, 1)?;
        self.sign(&key, Kind::GOOD_PRACTICE, Some(self.origin()), (index, 1), subject)
    }

    fn sign(
        &self,
        key: &SigningKey,
        kind: Kind,
        feed: Option<Origin>,
        (number, version): (u64, u64),
        subject: Value,
    ) -> Result<Bytes> {
        let mut id = [0; 16];
        TestChance::new(format!("{} {} {kind} {number}", self.name, self.salt)).fill(&mut id);
        let unsigned = Unsigned {
            kind,
            id: RecordId::from_random_bytes(id),
            feed,
            version,
            issuer: Issuer { key: key.public(), node: self.name.clone(), state: None },
            valid_from: BEGINNING_TEXT.to_owned(),
            salt: self.seed(&format!("salt {}", number + version - 1)),
            subject,
        };
        let body = Body::sign(unsigned, &|message| Ok::<_, Infallible>(key.sign(message)))?;
        Ok(body.bytes().clone())
    }

    fn seed(&self, purpose: &str) -> [u8; 32] {
        *Hash::of(format!("{} {} {purpose}", self.name, self.salt)).as_bytes()
    }
}

/// A good practice to publish.
pub fn practice(id: Option<RecordId>, title: &str) -> Publication {
    let subject = json!({
        "title": {"en": title},
        "summary": {"en": format!("{title}, in short")},
        "language": "en",
        "basis": "own-statement",
        "reuse": "CC-BY-4.0",
        "capacities": ["coordination"],
        "states": ["XA"],
    });
    Publication { kind: Kind::GOOD_PRACTICE, id, subject, expected: None }
}

/// The subject of a good practice as long as they are in life, some 3 KiB; told by its number alone.
pub fn long_practice(number: u64) -> Value {
    const SYLLABLES: [&str; 24] = [
        "ma", "re", "ti", "co", "an", "de", "lo", "ser", "pra", "tion", "al", "mi", "nu", "vi",
        "es", "por", "ca", "lu", "men", "to", "si", "be", "ing", "o",
    ];
    let mut state = number.wrapping_mul(0x2545_f491_4f6c_dd1d) | 1;
    let mut draw = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state >> 11) % below
    };
    let mut text = |bytes: usize| {
        let mut text = String::new();
        while text.len() < bytes {
            // Few words come often, as in prose.
            let word = draw(64) * draw(64);
            let syllable = |at: u64| SYLLABLES.get(usize::try_from(at % 24).unwrap_or(0)).copied();
            text.extend(
                [word, word / 5, word / 31]
                    .into_iter()
                    .take(1 + usize::try_from(word % 3).unwrap_or(0))
                    .filter_map(syllable),
            );
            text.push(' ');
        }
        json!({ "en": text.trim_end() })
    };
    let actions: Vec<Value> = (0..3).map(|_| json!({ "text": text(200) })).collect();
    json!({
        "title": text(60), "summary": text(400), "context": text(400), "actions": actions,
        "results": [{ "text": text(300) }], "lessons": [{ "text": text(300) }],
        "language": "en", "basis": "own-statement", "reuse": "CC-BY-4.0", "states": ["XA"],
        "topics": ["focal-points", "tracking-tools"], "capacities": ["coordination"],
        "period": { "from": "2019" },
    })
}
