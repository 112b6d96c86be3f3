//! Receipts: who has received what, said by nobody but themselves.

use std::sync::Arc;

use bytes::Bytes;
use feed::cosignatures::{Cosignatures, Cosigned};
use feed::feeds::{BodyRead, RENEW_S, Receipt, RefusedCheckpoint, RefusedCosignature, Withdrawal};
use feed::ports::{Fact, FeedStore as _, KeyUse, Since};
use feed::secret::OnlineSecret;
use network::times::FRESH;
use store::memory::{Fault, Faults};
use tlog::checkpoint::SignedCheckpoint;
use tlog::cosignature;
use tlog::key::VerifierKey;
use tlog::name::{FeedName, KeyName, NodeName};

use crate::world::{Direct, NOW, Node};

/// An owner with two entries and followers of seeds 2, 3…, who know each other's keys.
pub(crate) async fn acquainted<const N: usize>() -> (Node, [Node; N]) {
    let owner = Node::new("owner.example", 1).await;
    owner.publish(&["One"]).await;
    let mut followers = Vec::new();
    for seed in 2..2 + u8::try_from(N).unwrap() {
        let follower = Node::new(&format!("follower-{seed}.example"), seed).await;
        follower.follow(&owner).await;
        owner.follow(&follower).await;
        owner.sync(&follower).await.unwrap();
        followers.push(follower);
    }
    (owner, followers.try_into().ok().unwrap())
}

/// One round as a node makes it: sync, then receipts.
pub(crate) async fn round(follower: &Node, owner: &Node) {
    follower.sync(owner).await.unwrap();
    follower.feeds.exchange_receipts(&Direct::new(owner), &owner.origin()).await;
}

fn received(owner: &Node, index: u64) -> (Vec<String>, Vec<String>) {
    let delivery = owner.feeds.delivery(&owner.origin(), index);
    let names = |nodes: Vec<NodeName>| nodes.iter().map(NodeName::to_string).collect();
    (names(delivery.received), names(delivery.waiting))
}

/// A cosignature of the newest checkpoint of `of`, by a key of the secret of `seed`.
fn cosigned(of: &Node, name: KeyName, seed: u8, key_use: KeyUse, time: u64) -> Cosigned {
    let note = of.feeds.view(&of.origin()).unwrap().note.clone();
    let SignedCheckpoint { checkpoint, note, .. } = SignedCheckpoint::parse(&note).unwrap();
    let key = OnlineSecret::from_bytes([seed; 32]).key(key_use, 1).unwrap();
    let vkey = VerifierKey::cosignature(name, key.public());
    let line =
        cosignature::cosign(&checkpoint.body(), time, &vkey, &|message| key.sign(message)).unwrap();
    Cosigned::new(checkpoint, note.signatures[0].clone(), line).unwrap()
}

pub(crate) fn receipt(of: &Node, follower: &Node, seed: u8, time: u64) -> Cosigned {
    cosigned(of, KeyName::receipt_of(&follower.name), seed, KeyUse::Receipt, time)
}

#[tokio::test]
async fn what_was_received_is_known_to_its_author_by_node() {
    let (owner, [one, two]) = acquainted().await;
    assert_eq!(received(&owner, 1), (vec![], vec![]));
    round(&one, &owner).await;
    round(&two, &owner).await;
    let both = vec!["follower-2.example".to_owned(), "follower-3.example".to_owned()];
    assert_eq!(received(&owner, 1), (both.clone(), vec![]));
    owner.publish(&["Two"]).await;
    assert_eq!(received(&owner, 2), (vec![], both.clone()));
    round(&one, &owner).await;
    assert_eq!(received(&owner, 2), (both[..1].to_vec(), both[1..].to_vec()));
    let receipts = owner.feeds.receipts(&owner.origin());
    assert_eq!(receipts.iter().map(|receipt| receipt.size).collect::<Vec<_>>(), [3, 2]);
    // Its checkpoint bears the line over this very text, and no other.
    let served = owner.feeds.checkpoint(&owner.origin()).await.unwrap();
    let lines = SignedCheckpoint::parse(&served).unwrap().note.signatures;
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[1].name, KeyName::receipt_of(&one.name));
}

#[tokio::test]
async fn a_receipt_is_renewed_after_eight_hours_and_not_before() {
    let (owner, [one]) = acquainted().await;
    round(&one, &owner).await;
    let time = || owner.feeds.receipts(&owner.origin())[0].time;
    assert_eq!(time(), NOW);
    for node in [&owner, &one] {
        node.clock.pass(RENEW_S - 1);
    }
    round(&one, &owner).await;
    assert_eq!(time(), NOW);
    for node in [&owner, &one] {
        node.clock.pass(1);
    }
    round(&one, &owner).await;
    assert_eq!(time(), NOW + RENEW_S);
    assert!(!owner.feeds.freshness(&owner.origin()).stale);
    owner.clock.pass(FRESH + 1);
    assert!(owner.feeds.freshness(&owner.origin()).stale);
}

#[tokio::test]
async fn nothing_is_signed_beyond_a_body_that_is_missing() {
    let (owner, [one]) = acquainted().await;
    round(&one, &owner).await;
    owner.publish(&["Two"]).await;
    let mut carrier = Direct::new(&owner);
    carrier.since = Some(Box::new(|since| match since {
        Since::Commits(bytes) => {
            let commits = feed::head::decode_since(&bytes).unwrap();
            let without = commits.iter().map(|commit| {
                let mut blocks: Vec<_> =
                    commit.frames.iter().map(|frame| frame.open().unwrap()).collect();
                blocks.iter_mut().flat_map(|block| &mut block.items).for_each(|item| {
                    item.body = None;
                });
                feed::head::Commit::write(&commit.note, &blocks).unwrap()
            });
            let without: Vec<_> = without.collect();
            Since::Commits(feed::head::encode_since(without.iter()))
        }
        other => other,
    }));
    carrier.body_missing = true;
    let synced = one.sync_through(&carrier, &owner.origin()).await.unwrap();
    assert_eq!(synced.missing, [2]);
    one.feeds.exchange_receipts(&carrier, &owner.origin()).await;
    assert_eq!(received(&owner, 2).1, ["follower-2.example"]);
    assert!(one.feeds.own_receipt(&owner.origin()).await.unwrap().is_none());
    // The next round brings it.
    round(&one, &owner).await;
    assert_eq!(received(&owner, 2).0, ["follower-2.example"]);
}

#[tokio::test]
async fn the_receipt_of_a_withdrawal_comes_after_its_erasure() {
    let (owner, [one]) = acquainted().await;
    let secret = owner.publish(&["the words that must go"]).await.remove(0);
    round(&one, &owner).await;
    let erasing = Withdrawal { reason: "not-stated".to_owned(), erase: true };
    let withdrawal = owner.feeds.withdraw(&FeedName::public(), &secret.id, &erasing).await.unwrap();
    assert_eq!(received(&owner, withdrawal.index).1, ["follower-2.example"]);
    // Each write of the round in turn is the last one of its process.
    let mut at = 1;
    loop {
        let store = one.store.restarted();
        store.expect(Faults::at(at, Fault::CrashAfter));
        let catalog = Arc::new(store::memory::MemoryCatalog::new());
        let node = Node::over("follower-2.example", 2, Arc::new(store), catalog).await;
        let synced = node.sync(&owner).await;
        node.feeds.exchange_receipts(&Direct::new(&owner), &owner.origin()).await;
        let disk = node.store.restarted();
        let head = disk.fact(&owner.origin(), &Fact::Head).await.unwrap().unwrap();
        let gone = !plain(&head).contains("the words that must go");
        let said = received(&owner, withdrawal.index).0 == ["follower-2.example"];
        assert!(gone || !said, "write {at}: a receipt while the text is on disk");
        if synced.is_ok() && said {
            let read = node.feeds.entry(&owner.origin(), secret.index).await.unwrap().body;
            assert_eq!(read, BodyRead::Erased { withdrawal: withdrawal.index });
            break;
        }
        at += 1;
    }
    println!("{at} writes of a round with an erasure were each the last one");
    assert!(at >= 4);
}

/// All bodies of a head, as text.
fn plain(head: &Bytes) -> String {
    let (head, _) = feed::head::Head::read(head).unwrap();
    let frames = head.commits.iter().flat_map(|commit| &commit.frames);
    let items = frames.flat_map(|frame| frame.open().unwrap().items);
    items
        .filter_map(|item| item.body)
        .map(|body| String::from_utf8_lossy(&body).into_owned())
        .collect()
}

#[tokio::test]
async fn every_altered_byte_of_a_cosignature_is_refused() {
    let (owner, [one]) = acquainted().await;
    let good = receipt(&owner, &one, 2, NOW).to_bytes();
    let mut cases = 0;
    let mut refused = |bytes: Vec<u8>| {
        cases += 1;
        bytes
    };
    let mut altered = Vec::new();
    for at in 0..good.len() {
        for bit in 0..8 {
            let mut bytes = good.clone();
            bytes[at] ^= 1 << bit;
            altered.push(refused(bytes));
        }
        altered.push(refused(good[..at].to_vec()));
    }
    altered.push(refused([good.clone(), b"\n".to_vec()].concat()));
    for bytes in altered {
        let answer = owner.feeds.accept_cosignature(&owner.origin(), &bytes).await;
        assert!(answer.is_err(), "{}", String::from_utf8_lossy(&bytes));
    }
    assert!(owner.feeds.receipts(&owner.origin()).is_empty());
    owner.feeds.accept_cosignature(&owner.origin(), &good).await.unwrap();
    println!("{cases} alterations of a cosignature were refused");
}

async fn accept(owner: &Node, line: &Cosigned) -> Result<(), RefusedCosignature> {
    owner.feeds.accept_cosignature(&owner.origin(), &line.to_bytes()).await
}

/// What is sent, and how it is refused.
type Case = (&'static str, Cosigned, fn(&RefusedCosignature) -> bool);

#[tokio::test]
async fn each_reason_to_refuse_a_cosignature_is_told_apart() {
    use RefusedCosignature as R;
    let (owner, [one, two]) = acquainted().await;
    let (larger, other) =
        (Node::new("owner.example", 1).await, Node::new("owner.example", 1).await);
    larger.publish(&["One"]).await;
    larger.publish(&["Two"]).await;
    other.publish(&["Another story"]).await;
    let stranger = Node::new("stranger.example", 9).await;
    let impostor = Node::new("owner.example", 7).await;
    impostor.publish(&["One"]).await;
    let origin = owner.origin();
    accept(&owner, &receipt(&owner, &one, 2, NOW)).await.unwrap();
    let name = || KeyName::receipt_of(&one.name);
    let by_witness = KeyName::witness_of(&two.name);
    let is: [Case; 12] = [
        ("the same again", receipt(&owner, &one, 2, NOW), |r| {
            matches!(r, R::NotNewer { size: 2, .. })
        }),
        ("an older time", receipt(&owner, &one, 2, NOW - 1), |r| matches!(r, R::NotNewer { .. })),
        (
            "a smaller size",
            {
                let small = Node::new("owner.example", 1).await;
                receipt(&small, &one, 2, NOW + 1)
            },
            |r| matches!(r, R::NotNewer { .. } | R::OtherRoot { .. }),
        ),
        ("a time ahead", receipt(&owner, &one, 2, NOW + 301), |r| matches!(r, R::Ahead { .. })),
        ("nobody known", receipt(&owner, &stranger, 9, NOW), |r| matches!(r, R::UnknownKey { .. })),
        ("another's key", receipt(&owner, &one, 3, NOW), |r| matches!(r, R::UnknownKey { .. })),
        ("the log key", cosigned(&owner, name(), 2, KeyUse::Log, NOW), |r| {
            matches!(r, R::UnknownKey { .. })
        }),
        ("the witness key as receipt", cosigned(&owner, name(), 2, KeyUse::Witness, NOW), |r| {
            matches!(r, R::UnknownKey { .. })
        }),
        (
            "the receipt key as witness",
            cosigned(&owner, by_witness, 3, KeyUse::Receipt, NOW),
            |r| matches!(r, R::UnknownKey { .. }),
        ),
        ("an impostor's log", receipt(&impostor, &one, 2, NOW + 1), |r| {
            matches!(r, R::NotOfLog { .. })
        }),
        ("more than there is", receipt(&larger, &one, 2, NOW + 1), |r| {
            matches!(r, R::Larger { size: 3, held: 2 })
        }),
        ("another history", receipt(&other, &one, 2, NOW + 1), |r| {
            matches!(r, R::OtherRoot { size: 2 })
        }),
    ];
    let before = owner.feeds.cosignatures(&origin);
    for (case, line, expected) in &is {
        let error = accept(&owner, line).await.unwrap_err();
        assert!(expected(&error), "{case}: {error}");
        assert_eq!(owner.feeds.cosignatures(&origin), before, "{case}");
    }
    println!("{} reasons to refuse a cosignature were told apart", is.len());
    accept(&owner, &receipt(&owner, &two, 3, NOW + 300)).await.unwrap();
    // Two histories: the evidence is kept, and who vouched for both counts no more.
    assert!(owner.feeds.evidence_of(&origin).is_some());
    let counted = owner.feeds.receipts(&origin);
    assert_eq!(counted.iter().filter_map(Receipt::receiver).collect::<Vec<_>>(), [&two.name]);
}

#[tokio::test]
async fn a_cosignature_is_of_one_feed_and_of_one_that_is_here() {
    let (owner, [one]) = acquainted().await;
    let line = receipt(&owner, &one, 2, NOW).to_bytes();
    let elsewhere = Node::new("stranger.example", 9).await.origin();
    let answer = owner.feeds.accept_cosignature(&elsewhere, &line).await;
    assert!(matches!(answer, Err(RefusedCosignature::UnknownFeed { .. })));
    let answer = owner.feeds.accept_cosignature(&one.origin(), &line).await;
    assert!(matches!(answer, Err(RefusedCosignature::OtherFeed { .. })));
}

#[tokio::test]
async fn lines_come_from_carriers_too_and_false_ones_do_not_stay() {
    let (owner, [one, two]) = acquainted().await;
    // `two` knows the keys of `one`.
    two.follow(&one).await;
    two.sync(&one).await.unwrap();
    round(&one, &owner).await;
    two.sync(&owner).await.unwrap();
    let mut lines = Cosignatures::decode(&owner.feeds.cosignatures(&owner.origin())).unwrap();
    let stranger = Node::new("stranger.example", 9).await;
    lines.insert(receipt(&owner, &stranger, 9, NOW));
    assert_eq!(two.feeds.merge_cosignatures(&owner.origin(), &lines.encode(), None).await, 1);
    assert_eq!(two.feeds.receipts(&owner.origin())[0].cosigner, KeyName::receipt_of(&one.name));
    assert_eq!(two.feeds.merge_cosignatures(&owner.origin(), &lines.encode(), None).await, 0);
    let good = lines.encode();
    for at in 0..good.len() {
        let mut bytes = good.to_vec();
        bytes[at] ^= 1;
        assert_eq!(
            two.feeds.merge_cosignatures(&owner.origin(), &bytes, None).await,
            0,
            "byte {at}"
        );
    }
    println!("{} alterations of a list of cosignatures brought nothing", good.len());
    // They outlive a restart, and one that rotted does not.
    let kept = two.feeds.cosignatures(&owner.origin());
    let two = two.restarted(true).await;
    assert_eq!(two.feeds.cosignatures(&owner.origin()), kept);
    two.store.damage(&owner.origin(), &Fact::Cosignatures, |bytes| {
        let at = bytes.len() - 10;
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
    });
    let two = two.restarted(true).await;
    assert!(two.feeds.receipts(&owner.origin()).is_empty());
}

#[tokio::test]
async fn a_list_of_cosignatures_has_one_form() {
    let (owner, [one, two]) = acquainted().await;
    for follower in [&one, &two] {
        round(follower, &owner).await;
    }
    let bytes = owner.feeds.cosignatures(&owner.origin());
    let read = Cosignatures::decode(&bytes).unwrap();
    assert_eq!((read.lines().len(), read.encode()), (2, bytes.clone()));
    let mut kept = 0;
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut altered = bytes.to_vec();
            altered[at] ^= 1 << bit;
            if let Ok(lines) = Cosignatures::decode(&altered) {
                assert_eq!(lines.encode(), altered, "byte {at}: two forms of one list");
                kept += 1;
            }
        }
        assert!(Cosignatures::decode(&bytes[..at]).is_err(), "cut at {at}");
    }
    assert!(Cosignatures::decode(&[&bytes[..], b"\0"].concat()).is_err());
    println!("{} alterations: {kept} are lists of other lines, the rest is none", bytes.len() * 8);
    let mut reversed = b"JPC1\0\x02".to_vec();
    for line in read.lines().iter().rev() {
        let note = line.to_bytes();
        reversed.extend(u16::try_from(note.len()).unwrap().to_be_bytes());
        reversed.extend(note);
    }
    assert!(Cosignatures::decode(&reversed).is_err());
}

#[tokio::test]
async fn a_restored_node_signs_nothing_before_it_has_read_what_it_signed() {
    let (owner, [one]) = acquainted().await;
    round(&one, &owner).await;
    let backup = Arc::new(one.store.cloned());
    owner.publish(&["Two"]).await;
    round(&one, &owner).await;
    let catalog = Arc::new(store::memory::MemoryCatalog::new());
    let one = Node::over("follower-2.example", 2, backup, catalog).await;
    assert!(one.feeds.is_restored());
    let (origin, carrier) = (owner.origin(), Direct::new(&owner));
    assert!(one.feeds.own_receipt(&origin).await.unwrap().is_none());
    let submission = owner.feeds.submission(&origin, 0).await.unwrap();
    let refused = one.feeds.add_checkpoint(&submission.request).await;
    assert!(matches!(refused, Err(RefusedCheckpoint::Restored)), "{refused:?}");
    // It reads that it signed three entries, and holds two.
    one.feeds.exchange_receipts(&carrier, &origin).await;
    assert!(one.feeds.own_receipt(&origin).await.unwrap().is_none());
    round(&one, &owner).await;
    let receipt = one.feeds.own_receipt(&origin).await.unwrap().unwrap();
    assert_eq!((receipt.size(), receipt.time()), (3, NOW));
    assert!(one.feeds.add_checkpoint(&submission.request).await.is_ok());
}

#[tokio::test]
async fn the_median_ignores_clocks_that_run_fast_and_counts_a_node_once() {
    let (owner, [one, two, three]) = acquainted().await;
    let origin = owner.origin();
    assert_eq!(owner.feeds.median_time(&origin), None);
    for (follower, seed, time) in [(&one, 2, NOW - 50), (&two, 3, NOW - 30), (&three, 4, NOW + 200)]
    {
        let line = receipt(&owner, follower, seed, time);
        owner.feeds.accept_cosignature(&origin, &line.to_bytes()).await.unwrap();
    }
    assert_eq!(owner.feeds.median_time(&origin), Some(NOW - 30));
    let witness = cosigned(&owner, KeyName::witness_of(&one.name), 2, KeyUse::Witness, NOW - 10);
    owner.feeds.accept_cosignature(&origin, &witness.to_bytes()).await.unwrap();
    assert_eq!(owner.feeds.median_time(&origin), Some(NOW - 10));
    assert_eq!(received(&owner, 1).0.len(), 3);
}
