//! Changes of keys: what a root or recovery key is to sign, and what happens with it once it is signed.
//!
//! The root never comes here: a command signs what [`Keeper::prepare_change`] made and hands it back.

use std::sync::Arc;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use feed::feeds::Recovery;
use feed::row::RowOp;
use practice::body::Body;
use practice::node_record::{Contact, NodeRecord, NodeSubject, USE_LOG};
use tlog::ed25519::PublicKey;
use tlog::name::{FeedName, Origin};
use wire::api::keys::{
    DisownedLine, FeedRecordToSign, KeyChange, NodeRecordAnswer, NodeRecordRequest, PrepareAnswer,
    PrepareRequest,
};

use super::restricted::{Revoked, add, opened};
use super::{Keeper, own_keys};
use crate::config::check_base_url;
use crate::keys::Role;
use crate::keys::online::{self, Online, Slot};
use crate::keys::passphrase::{Passphrase, Ways};

/// Why a key is revoked.
pub const REASONS: [&str; 3] = ["stolen", "lost", "ended"];

/// A change as it takes shape.
struct Draft {
    subject: NodeSubject,
    signer: PublicKey,
    role: Role,
    words: Vec<String>,
    publish_again: Vec<DisownedLine>,
    feed_records: Vec<FeedRecordToSign>,
}

impl Keeper {
    /// What is to be signed for a change. Makes a new secret where one is needed, and publishes nothing.
    pub(super) async fn prepare_change(
        &self,
        request: PrepareRequest,
    ) -> anyhow::Result<PrepareAnswer> {
        let _turn = self.changing.lock().await;
        let keys = own_keys(&self.feeds).context("this node has no feed to change keys in")?;
        let record = Arc::clone(&keys.newest().context("this node has no node record")?.record);
        let mut draft = Draft {
            subject: (**record).clone(),
            signer: record.root,
            role: Role::Root,
            words: Vec::new(),
            publish_again: Vec::new(),
            feed_records: Vec::new(),
        };
        self.describe(&request, &mut draft)?;
        if matches!(request.change, KeyChange::Rotate | KeyChange::Revoke { .. }) {
            self.refuse_while_announced(&record)?;
        }
        self.shape(&request, &record, &mut draft).await?;
        let id = record.id();
        Ok(PrepareAnswer {
            node: self.node().clone(),
            id: id.to_string(),
            version: self.highest_version(&record)?.saturating_add(1),
            signer: draft.signer.to_did(),
            role: draft.role.as_str().to_owned(),
            subject: draft.subject.subject(),
            words: draft.words,
            publish_again: draft.publish_again,
            feed_records: draft.feed_records,
        })
    }

    /// What a change makes of the draft.
    async fn shape(
        &self,
        request: &PrepareRequest,
        record: &NodeRecord,
        draft: &mut Draft,
    ) -> anyhow::Result<()> {
        match &request.change {
            KeyChange::Rotate => self.renew(request, record, draft, true)?,
            KeyChange::Revoke { usage, feed, from_size, reason } => {
                self.revoke(record, (usage, feed, *from_size, reason), draft).await?;
                // What an unfinished change made may have been copied with the rest.
                self.renew(request, record, draft, false)?;
            }
            KeyChange::Recover { new_root } => {
                self.may_announce()?;
                self.announce(request, record, new_root, draft)?;
            }
            KeyChange::Finish { new_root } => {
                let announced = self.announced() || record.is_recovery();
                if !announced && record.root.to_did() == *new_root {
                    bail!(
                        "no other root key is announced, and this one is in force: nothing is to be \
                         finished"
                    );
                }
                self.confirm(record, new_root, draft)?;
            }
            KeyChange::Reinstated { new_root } => {
                self.may_be_reinstated(&PublicKey::from_did(new_root)?)?;
                self.confirm(record, new_root, draft)?;
            }
            KeyChange::Reinstatement { new_root, network } => {
                self.may_ask_for(&PublicKey::from_did(new_root)?, network)?;
                self.confirm(record, new_root, draft)?;
                if !draft.subject.networks.contains(network) {
                    draft.subject.networks.push(network.clone());
                }
            }
            KeyChange::Object { by } => {
                if by == "root" && !self.announced() {
                    bail!(
                        "no other root key is announced for this node: there is nothing to object to \
                         (`jopoi keys status` shows what is open)"
                    );
                }
                object(record, by, draft)?;
            }
        }
        Ok(())
    }

    /// Publishes a node record that a root or recovery key signed, and uses the keys it names.
    pub(super) async fn publish_record(
        &self,
        NodeRecordRequest { record: text, feed_records, reinstated }: NodeRecordRequest,
    ) -> anyhow::Result<NodeRecordAnswer> {
        let _turn = self.changing.lock().await;
        let bytes = Bytes::from(text);
        let body = Body::open(bytes.clone()).context("this is no node record")?;
        let record = NodeRecord::from_body(&body).context("this node record is not valid")?;
        if record.node != *self.node() {
            bail!("this node record is of `{}`, and this node is `{}`", record.node, self.node());
        }
        let feed_records = opened(feed_records)?;
        let active = record.active(USE_LOG).context("it names no log key")?.key;
        let signer = {
            let ring = self.ring();
            match ring.holder(&active) {
                Some((_, online)) => {
                    let clock = Arc::clone(&self.clock);
                    ring.signer_of(online, self.clock.now(), clock, &record.revoked)?
                }
                None => bail!(
                    "the secret of the keys in this node record is not here, or is locked: unlock it with \
                     `jopoi keys unlock`, or prepare the record anew with the same command"
                ),
            }
        };
        if reinstated {
            self.may_be_reinstated(&record.root)?;
            let why = "the committee reinstated this node with it";
            self.feeds.change_root(self.node(), record.root, why).await?;
        }
        self.feeds.set_signer(signer);
        let published = self.feeds.publish_node_record(bytes).await;
        // Whether it was published or not: the node record in force says which keys are in use.
        self.settle()?;
        let mut entries = published.context("the node record was not published")?;
        entries.extend(self.publish_feed_records(feed_records).await?);
        Ok(NodeRecordAnswer {
            version: record.version(),
            entries: entries.into_iter().map(|entry| (entry.origin, entry.index)).collect(),
            next: self.what_next(&record),
        })
    }

    fn what_next(&self, record: &NodeRecord) -> Vec<String> {
        let mut next =
            vec!["everybody who follows this node takes it over with the next round".to_owned()];
        if record.is_recovery() {
            next.push(
                "nothing changes for 72 hours, in which the old root can object; then run `jopoi keys recover \
                 --finish --root FILE` with the new root"
                    .to_owned(),
            );
        }
        if self.ring().is_encrypted() {
            next.push("the new secret is encrypted as the old one was".to_owned());
        }
        if online::credential(online::CREDENTIAL).is_some() {
            next.push(
                "the new secret is in DATA/keys/online, and the systemd credential online-secret still holds \
                 the former one: put the new one there and delete the file, or drop the credential"
                    .to_owned(),
            );
        }
        let disowned = self.disowned();
        if !disowned.is_empty() {
            next.push(format!(
                "what counts no more ({}): look at each entry and publish it again if it is yours (`jopoi \
                 keys status` lists them)",
                disowned.len()
            ));
        }
        next
    }

    /// Addresses and contact, where the request has others.
    fn describe(&self, request: &PrepareRequest, draft: &mut Draft) -> anyhow::Result<()> {
        if let Some(urls) = &request.urls {
            let checked: anyhow::Result<Vec<String>> =
                urls.iter().map(|url| Ok(check_base_url(url)?.to_string())).collect();
            draft.subject.urls = checked?;
            draft.words.push(format!("the addresses become {}", draft.subject.urls.join(", ")));
            draft.words.push("set `base_urls` in jopoi.toml to the same addresses".to_owned());
        }
        if request.contact_unit.is_some() || request.contact_email.is_some() {
            let before = draft.subject.contact.clone();
            let (unit, email) =
                before.map_or((None, None), |contact| (contact.unit, contact.email));
            let contact = Contact {
                unit: request.contact_unit.clone().or(unit),
                email: request.contact_email.clone().or(email),
            };
            draft.subject.contact = Some(contact);
            draft.words.push("the contact becomes another one".to_owned());
        }
        Ok(())
    }

    /// Whether another root is announced for this node, contested or not.
    fn announced(&self) -> bool {
        self.feeds.recoveries().iter().any(|recovery| recovery.node == *self.node())
    }

    /// New keys: those that an unfinished change made, where they may be used, or fresh ones.
    fn renew(
        &self,
        request: &PrepareRequest,
        record: &NodeRecord,
        draft: &mut Draft,
        go_on: bool,
    ) -> anyhow::Result<()> {
        let generations = record.keys.iter().map(|key| key.generation).max().unwrap_or(0);
        let generation = generations.saturating_add(1);
        draft.words.push(format!("all online keys become generation {generation}"));
        let waiting =
            go_on && self.ring().get(Slot::Next).is_some_and(|next| next.generation == generation);
        if !waiting && request.dry_run {
            draft.words.push("their secret is made when this is not a dry run".to_owned());
            return Ok(());
        }
        if !waiting {
            self.make_next(&Online::create(generation)?, request)?;
        }
        let ring = self.ring();
        let next = ring.get(Slot::Next).context("the new secret cannot be read back")?;
        draft.subject.keys = next.node_keys(self.node(), &draft.subject.root)?;
        Ok(())
    }

    /// Writes a new secret beside the one in use; encrypted if that one is.
    fn make_next(&self, online: &Online, request: &PrepareRequest) -> anyhow::Result<()> {
        let given = request.passphrase.clone().map(|text| Passphrase::new(text.0)).transpose()?;
        let given = match given {
            None => Ways::default().find("")?,
            given => given,
        };
        let encrypted = self.ring().is_encrypted();
        if encrypted && given.is_none() {
            bail!(
                "the online secret is encrypted, and so is the new one: give its passphrase with \
                 --passphrase-file, or run this on a terminal"
            );
        }
        let passphrase = given.filter(|_| encrypted);
        Slot::Next.write(&self.place.data, online, passphrase.as_ref())?;
        let mut ring = self.ring();
        ring.add_next(Online::parse(&online.text(), &Slot::Next.path(&self.place.data))?);
        Ok(())
    }

    async fn revoke(
        &self,
        record: &NodeRecord,
        (usage, feed, from_size, reason): (&str, &str, u64, &str),
        draft: &mut Draft,
    ) -> anyhow::Result<()> {
        if !REASONS.contains(&reason) {
            bail!("`{reason}` is no reason to revoke a key; write one of {}", REASONS.join(", "));
        }
        let feed = FeedName::parse(feed)?;
        let origin = Origin::new(self.node().clone(), feed.clone());
        let view =
            self.feeds.view(&origin).with_context(|| format!("there is no feed `{origin}`"))?;
        if from_size == 0 || from_size > view.size() {
            bail!(
                "`{origin}` has {} entries: --from-size is the number of those that you still vouch for, from \
                 1 to {}",
                view.size(),
                view.size()
            );
        }
        let wanted: Vec<&str> = match usage {
            "all" => record.keys.iter().map(|key| key.usage.as_str()).collect(),
            "log" => vec![USE_LOG],
            other => bail!("`{other}` is no use to revoke; write `log` or `all`"),
        };
        let keys: Vec<PublicKey> =
            wanted.iter().filter_map(|usage| Some(record.active(usage)?.key)).collect();
        draft.words.push(format!(
            "the keys of use {usage} count no more in `{origin}` from entry {from_size} on ({reason})"
        ));
        let revoked = Revoked { keys: &keys, from: (&origin, from_size), reason };
        for (other, size) in self.sizes(&revoked) {
            if other != origin {
                draft.words.push(format!("nor in `{other}` beyond the {size} entries it has"));
            }
            if other.feed().is_restricted() {
                draft.feed_records.push(self.feed_record_revoking(&other, size, &revoked).await?);
            } else {
                add(&mut draft.subject.revoked, &other, size, &revoked);
            }
        }
        draft.publish_again = self.published_from(&origin, from_size, view.size())?;
        Ok(())
    }

    /// Records that a revocation from a size makes count no more.
    fn published_from(
        &self,
        origin: &Origin,
        from: u64,
        size: u64,
    ) -> anyhow::Result<Vec<DisownedLine>> {
        let mut lines = Vec::new();
        for index in from..size {
            let Some(row) = self.feeds.catalog().row(origin, index)? else { continue };
            let (Some(id), RowOp::Publish { kind, version, .. }) = (row.id(), &row.op) else {
                continue;
            };
            if kind.as_str() != "node" {
                lines.push(DisownedLine {
                    origin: origin.clone(),
                    index,
                    id: id.to_string(),
                    kind: kind.to_string(),
                    version: *version,
                });
            }
        }
        Ok(lines)
    }

    /// A recovery: the recovery key announces another root.
    fn announce(
        &self,
        request: &PrepareRequest,
        record: &NodeRecord,
        new_root: &str,
        draft: &mut Draft,
    ) -> anyhow::Result<()> {
        let Some(recovery) = record.recovery else {
            bail!(
                "this node has no recovery key: without the root its keys can be changed only by the \
                 committee of its network, after a check of identity (`docs/losses.md`)"
            );
        };
        let new_root = PublicKey::from_did(new_root)?;
        draft.subject.root = new_root;
        (draft.signer, draft.role) = (recovery, Role::Recovery);
        draft
            .words
            .push(format!("announced: the root becomes {} after 72 hours", new_root.to_did()));
        draft.words.push("until then either key can object, and nothing changes".to_owned());
        self.prove_again(request, record, draft)
    }

    /// The end of a recovery: the announced root speaks for itself.
    fn confirm(
        &self,
        record: &NodeRecord,
        new_root: &str,
        draft: &mut Draft,
    ) -> anyhow::Result<()> {
        let new_root = PublicKey::from_did(new_root)?;
        let recoveries = self.feeds.recoveries();
        // One whose window is over may be in force here already: the core knows, and says so.
        let own = recoveries.iter().find(|recovery| recovery.node == *self.node());
        if let Some(recovery) = own.filter(|recovery| recovery.new_root == new_root) {
            self.may_confirm(recovery)?;
        }
        draft.subject.root = new_root;
        draft.signer = new_root;
        draft.words.push(format!("the root is {} from now on", new_root.to_did()));
        let request = PrepareRequest::of(KeyChange::Finish { new_root: new_root.to_did() });
        self.prove_again(&request, record, draft)
    }

    /// One announcement at a time: a second one would start nothing anew and confuse everybody.
    fn may_announce(&self) -> anyhow::Result<()> {
        let recoveries = self.feeds.recoveries();
        let Some(open) = recoveries.iter().find(|recovery| recovery.node == *self.node()) else {
            return Ok(());
        };
        let (root, since) = (open.new_root.to_did(), feed::feeds::timestamp(open.first_seen));
        if open.contested {
            bail!(
                "the root {root} is announced since {since}, and contested: nothing is announced again; the \
                 committee of the network decides, and `jopoi join FILE --root NEWFILE` asks it"
            );
        }
        bail!(
            "the root {root} is announced since {since}: nothing is announced again; when the 72 hours are over, \
             at {}, `jopoi keys recover --finish --root FILE` takes it into use",
            feed::feeds::timestamp(open.effective_at)
        )
    }

    fn may_confirm(&self, recovery: &Recovery) -> anyhow::Result<()> {
        if recovery.contested {
            bail!(
                "this recovery is contested: a node record by the other key was published meanwhile; neither \
                 counts until the committee of the network reinstates one"
            );
        }
        if self.clock.now() < recovery.effective_at {
            bail!(
                "the 72 hours end at {}: run this again then",
                feed::feeds::timestamp(recovery.effective_at)
            );
        }
        Ok(())
    }

    /// Keys prove to whom they belong together with the root: for another root they prove it anew.
    fn prove_again(
        &self,
        request: &PrepareRequest,
        record: &NodeRecord,
        draft: &mut Draft,
    ) -> anyhow::Result<()> {
        let active = record.active(USE_LOG).map(|active| active.key);
        let held = {
            let ring = self.ring();
            let online = active.and_then(|key| ring.holder(&key));
            online
                .map(|(_, online)| online.node_keys(self.node(), &draft.subject.root))
                .transpose()?
        };
        match held {
            Some(keys) => draft.subject.keys = keys,
            None => {
                draft
                    .words
                    .push("the online secret is not here or locked: new keys are made".to_owned());
                self.renew(request, record, draft, true)?;
            }
        }
        Ok(())
    }

    /// The highest version of the node record that was ever published here, or that a network recorded.
    fn highest_version(&self, record: &NodeRecord) -> anyhow::Result<u64> {
        let networks = self.feeds.networks();
        let recorded = networks.iter().filter_map(|network| network.participant(self.node()));
        let recorded = recorded.map(|stated| stated.record.version()).max();
        let mut highest = record.version().max(recorded.unwrap_or(0));
        for origin in self.feeds.own() {
            for (_, row) in self.feeds.catalog().rows_of(&origin, &record.id())? {
                if let RowOp::Publish { version, .. } = row.op {
                    highest = highest.max(version);
                }
            }
        }
        Ok(highest)
    }
}

/// An objection says again what stood before, under a higher version.
fn object(record: &NodeRecord, by: &str, draft: &mut Draft) -> anyhow::Result<()> {
    match (by, record.recovery) {
        ("root", _) => {}
        ("recovery", Some(recovery)) => (draft.signer, draft.role) = (recovery, Role::Recovery),
        ("recovery", None) => bail!("this node has no recovery key"),
        (other, _) => bail!("`{other}` is neither `root` nor `recovery`"),
    }
    draft.words.push(
        "the node record in force is said again: neither the announced root nor this one counts until the \
         committee of the network reinstates one"
            .to_owned(),
    );
    Ok(())
}
