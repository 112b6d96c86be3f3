//! Attacks on the trust features that once worked, or nearly did.

use std::collections::BTreeMap;

use bytes::Bytes;
use feed::feeds::{FeedState, Pin, PublishError, TakenFault};
use feed::ports::{FeedStore as _, KeyUse};
use feed::secret::OnlineSecret;
use practice::body::{Body, Issuer, Unsigned};
use practice::id::RecordId;
use practice::kind::Kind;
use practice::node_record::NodeSubject;
use serde_json::json;
use std::sync::Arc;
use store::memory::{Fault, Faults, MemoryCatalog};
use tlog::ed25519::{PublicKey, Signature, SigningKey};
use tlog::name::FeedName;

use crate::receipts::{acquainted, receipt};
use crate::world::{Direct, NOW, Node, publication};

const HOUR: u64 = 3_600;
const RECOVERY: u8 = 201;
const NEW_ROOT: u8 = 202;

fn key(seed: u8) -> SigningKey {
    SigningKey::from_seed(&[seed; 32]).unwrap()
}

/// What a node record of a test says besides.
struct Draft {
    version: u64,
    root: SigningKey,
    issuer: SigningKey,
    recovery: Option<PublicKey>,
    /// Whose online keys it lists.
    secret: u8,
}

impl Draft {
    /// By the root of `node`, naming the recovery key.
    fn of(node: &Node, version: u64) -> Self {
        let root = || key(node.seed().wrapping_add(100));
        let recovery = Some(key(RECOVERY).public());
        Self { version, root: root(), issuer: root(), recovery, secret: node.seed() }
    }

    fn sign(&self, node: &Node) -> Bytes {
        self.padded(node, 0)
    }

    /// The same with a long name.
    fn padded(&self, node: &Node, bytes: usize) -> Bytes {
        let name = format!("A mechanism{}", "x".repeat(bytes));
        let names = BTreeMap::from([("en".to_owned(), name)]);
        let mut subject = NodeSubject::new(node.name.clone(), names, self.root.public());
        subject.organization = Some(BTreeMap::from([("en".to_owned(), "A test".to_owned())]));
        subject.recovery = self.recovery;
        for key_use in KeyUse::ALL {
            let online = OnlineSecret::from_bytes([self.secret; 32]).key(key_use, 1).unwrap();
            subject = subject.with_key(key_use.as_str(), 1, &online);
        }
        let unsigned = Unsigned {
            kind: Kind::NODE,
            id: RecordId::from_random_bytes([node.seed(); 16]),
            feed: None,
            version: self.version,
            issuer: Issuer { key: self.issuer.public(), node: node.name.clone(), state: None },
            valid_from: "2026-11-23T10:00:00Z".to_owned(),
            salt: [u8::try_from(self.version).unwrap(); 32],
            subject: subject.subject(),
        };
        let sign =
            |message: &[u8]| Ok::<Signature, std::convert::Infallible>(self.issuer.sign(message));
        Body::sign(unsigned, &sign).unwrap().bytes().clone()
    }
}

/// The recovery key announces a root.
fn announcement(node: &Node, version: u64) -> Bytes {
    let (root, issuer) = (key(NEW_ROOT), key(RECOVERY));
    Draft { root, issuer, ..Draft::of(node, version) }.sign(node)
}

async fn pair() -> (Node, Node) {
    let node = Node::empty("node.example", 1).await;
    let first = Draft::of(&node, 1).sign(&node);
    node.feeds.begin(&FeedName::public(), first).await.unwrap();
    let hub = Node::new("hub.example", 2).await;
    hub.follow(&node).await;
    node.publish(&["Before"]).await;
    hub.sync(&node).await.unwrap();
    (node, hub)
}

async fn meet(hub: &Node, node: &Node, record: Bytes) {
    let carrier = Direct::of(node.feeds.clone(), record);
    let _ = hub.sync_through(&carrier, &node.origin()).await;
}

#[tokio::test]
async fn a_thief_of_the_recovery_key_convicts_nobody_with_a_log_key_of_his_own() {
    let (node, hub) = pair().await;
    // Two histories under a log key that nobody but the recovery key ever listed.
    let mut notes = Vec::new();
    for title in ["One", "Another"] {
        let thief = Node::new("node.example", 9).await;
        thief.publish(&[title]).await;
        let note = thief.feeds.checkpoint(&thief.origin()).await.unwrap();
        notes.push(String::from_utf8(note.to_vec()).unwrap());
    }
    let forged =
        Draft { root: key(NEW_ROOT), issuer: key(RECOVERY), secret: 9, ..Draft::of(&node, 2) };
    let genuine = node.feeds.well_known().unwrap();
    let text = |bytes: &Bytes| String::from_utf8(bytes.to_vec()).unwrap();
    let fault = json!({
        "fault": "same-size", "origin": node.origin(), "first": notes[0], "second": notes[1],
        "node_records": [text(&genuine), text(&forged.sign(&node))],
    });
    let bytes = serde_json::to_vec(&fault).unwrap();
    for victim in [&hub, &node] {
        let taken = victim.feeds.take_fault(&bytes).await.unwrap();
        assert!(matches!(taken, TakenFault::Refused { .. }), "{taken:?}");
        assert_eq!(victim.feeds.view(&node.origin()).unwrap().state, FeedState::Open);
    }
}

#[tokio::test]
async fn a_stolen_root_that_gave_way_shows_no_newcomer_a_history_of_its_own() {
    // The thief holds the first root, and makes himself keys and a feed.
    let thief = Node::new("node.example", 1).await;
    thief.publish(&["Never said"]).await;
    let newcomer = Node::new("new.example", 3).await;
    let (root, former) = (key(NEW_ROOT).public(), vec![thief.root.public()]);
    let pin = Pin::new(thief.name.clone(), root, Vec::new(), NOW);
    newcomer.feeds.follow(Pin { former, ..pin }).await.unwrap();
    newcomer.sync(&thief).await.unwrap_err();
    assert!(newcomer.feeds.view(&thief.origin()).is_none());
    // The mechanism itself, once its new root has spoken in the log.
    let node = Node::new("node.example", 1).await;
    node.feeds.change_root(&node.name, root, "reinstated").await.unwrap();
    let (root, issuer) = (key(NEW_ROOT), key(NEW_ROOT));
    let spoken = Draft { root, issuer, ..Draft::of(&node, 2) }.sign(&node);
    node.feeds.publish_node_record(spoken).await.unwrap();
    newcomer.sync(&node).await.unwrap();
    let newcomer = newcomer.restarted(false).await;
    assert_eq!(newcomer.feeds.view(&node.origin()).unwrap().size(), 2);
}

#[tokio::test]
async fn who_wakes_with_old_receipts_does_not_skip_the_window_of_a_recovery() {
    let (node, [hub]) = acquainted().await;
    node.feeds.publish_node_record(Draft::of(&node, 2).sign(&node)).await.unwrap();
    hub.sync(&node).await.unwrap();
    let say = async |time: u64| {
        let line = receipt(&node, &hub, 2, time);
        hub.feeds.accept_cosignature(&node.origin(), &line.to_bytes()).await.unwrap();
    };
    say(NOW).await;
    // It sleeps for five days, wakes to an announcement, then hears the receipts of today.
    hub.clock.pass(120 * HOUR);
    meet(&hub, &node, announcement(&node, 3)).await;
    assert_eq!(hub.feeds.recoveries()[0].first_seen, NOW + 120 * HOUR);
    say(NOW + 120 * HOUR).await;
    meet(&hub, &node, announcement(&node, 3)).await;
    let root = || hub.feeds.pin(&node.name).unwrap().root;
    assert_eq!(root(), node.root.public());
    hub.clock.pass(72 * HOUR);
    say(NOW + 192 * HOUR).await;
    meet(&hub, &node, announcement(&node, 3)).await;
    assert_eq!(root(), key(NEW_ROOT).public());
}

#[tokio::test]
async fn a_recovery_that_a_person_decided_against_does_not_come_back_by_repeating_it() {
    let (node, hub) = pair().await;
    meet(&hub, &node, announcement(&node, 2)).await;
    assert_eq!(hub.feeds.recoveries().len(), 1);
    hub.feeds.change_root(&node.name, node.root.public(), "by telephone").await.unwrap();
    for version in [2, 3] {
        meet(&hub, &node, announcement(&node, version)).await;
        assert!(hub.feeds.recoveries().is_empty());
    }
    let hub = hub.later(72 * HOUR).await;
    meet(&hub, &node, announcement(&node, 4)).await;
    assert!(hub.feeds.recoveries().is_empty());
    // The root speaks again, and may name another recovery key.
    let recovery = Some(key(NEW_ROOT).public());
    let record = Draft { recovery, ..Draft::of(&node, 5) }.sign(&node);
    node.feeds.publish_node_record(record).await.unwrap();
    hub.sync(&node).await.unwrap();
    let view = hub.feeds.view(&node.origin()).unwrap();
    assert_eq!(view.keys.newest().unwrap().record.version(), 5);
}

#[tokio::test]
async fn who_forgets_a_node_and_confirms_its_root_anew_is_not_moved_to_an_old_announcement() {
    let (node, hub) = pair().await;
    meet(&hub, &node, announcement(&node, 2)).await;
    hub.feeds.unfollow(&node.name, true).await.unwrap();
    let hub = hub.later(72 * HOUR).await;
    hub.follow(&node).await;
    hub.sync(&node).await.unwrap();
    hub.sync(&node).await.unwrap();
    assert_eq!(hub.feeds.pin(&node.name).unwrap().root, node.root.public());
    assert!(hub.feeds.recoveries().is_empty());
}

#[tokio::test]
async fn a_mechanism_that_signs_node_records_without_end_fills_nobodys_memory() {
    let flooder = Node::new("flood.example", 1).await;
    let roots = network::keys::Roots::pinned(flooder.root.public());
    let mut keys = network::keys::KeyHistory::of(flooder.name.clone(), roots);
    let id = RecordId::from_random_bytes([flooder.seed(); 16]);
    let mut taken = 0;
    for version in 1..=u64::from(u8::MAX) {
        let record = Draft::of(&flooder, version).padded(&flooder, 120_000);
        match keys.observe(version - 1, id, version, Some(&record)) {
            Ok(()) => taken += record.len(),
            Err(error) => {
                assert!(error.to_string().contains("8 MiB"), "{error}");
                break;
            }
        }
    }
    assert!(taken <= network::keys::RECORDS_BYTES_MAX && taken > 7 << 20, "{taken}");
}

#[tokio::test]
async fn a_backup_made_right_after_the_beginning_signs_nothing_over_what_came_later() {
    let node = Node::new("node.example", 1).await;
    let backup = node.store.backup();
    node.publish(&["Shown to all"]).await;
    let catalog = || Arc::new(MemoryCatalog::new());
    let restored = Node::over("node.example", 1, Arc::new(backup), catalog()).await;
    let another = vec![publication("Another", None)];
    let refused = restored.feeds.publish(&FeedName::public(), another).await.unwrap_err();
    assert!(matches!(refused, PublishError::ReadOnly { .. }), "{refused}");
    // Nor does a feed begin anew whose files were lost and whose mark says that there was one.
    node.store.forget(&node.origin()).await.unwrap();
    let lost = Node::over("node.example", 1, Arc::new(node.store.restarted()), catalog()).await;
    let refused = lost.feeds.begin(&FeedName::public(), lost.node_record(1)).await.unwrap_err();
    assert!(refused.to_string().contains("2 entries"), "{refused}");
}

#[tokio::test]
async fn a_beginning_that_was_cut_off_is_begun_again() {
    for (write, fault) in (1..4).flat_map(|at| [(at, Fault::CrashBefore), (at, Fault::CrashAfter)])
    {
        let node = Node::empty("node.example", 1).await;
        node.store.expect(Faults::at(write, fault));
        let _ = node.feeds.begin(&FeedName::public(), node.node_record(1)).await;
        let node = node.restarted(false).await;
        if node.feeds.view(&node.origin()).is_none() {
            node.feeds.begin(&FeedName::public(), node.node_record(1)).await.unwrap();
        }
        node.publish(&["It goes on"]).await;
    }
}

#[tokio::test]
async fn what_is_on_disk_and_not_below_the_mark_yet_is_shown_to_nobody() {
    let node = Node::new("node.example", 1).await;
    node.publish(&["Shown"]).await;
    // Another process over the same disk: as this one between its two writes.
    let catalog = Arc::new(MemoryCatalog::new());
    let writer = Node::at("node.example", 1, Arc::clone(&node.store), catalog, NOW + 9).await;
    writer.publish(&["Not yet"]).await;
    let hub = Node::new("hub.example", 2).await;
    hub.follow(&node).await;
    hub.sync(&node).await.unwrap();
    assert_eq!(hub.titles(&node.origin()).await, ["Shown"]);
}

#[tokio::test]
async fn what_may_not_have_reached_the_disk_is_shown_to_nobody_until_a_restart_has_read_it() {
    // The head, and the mark that must stand before the head is shown.
    for write in 1..=2 {
        let node = Node::new("node.example", 1).await;
        node.publish(&["Shown"]).await;
        node.store.expect(Faults::at(write, Fault::Unsynced));
        let another = |title| vec![publication(title, None)];
        let feeds = Arc::clone(&node.feeds);
        feeds.publish(&FeedName::public(), another("Not surely")).await.unwrap_err();
        let hub = Node::new("hub.example", 2).await;
        hub.follow(&node).await;
        hub.sync(&node).await.unwrap();
        assert_eq!(hub.titles(&node.origin()).await, ["Shown"], "write {write}");
        let refused = feeds.publish(&FeedName::public(), another("More")).await.unwrap_err();
        assert!(refused.to_string().contains("started again"), "{refused}");
        let node = node.later(60).await;
        node.publish(&["It goes on"]).await;
        hub.sync(&node).await.unwrap();
        assert_eq!(hub.titles(&node.origin()).await, node.titles(&node.origin()).await);
    }
}
