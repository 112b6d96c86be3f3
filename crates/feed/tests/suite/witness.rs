//! Cosigning as a witness (C2SP tlog-witness): never two histories, whoever asks, whenever it ends.

use std::sync::Arc;

use feed::block::root_of;
use feed::feeds::{Feeds, RefusedCheckpoint};
use feed::ports::KeyUse;
use feed::secret::OnlineSecret;
use store::memory::{Fault, Faults};
use tlog::checkpoint::Checkpoint;
use tlog::cosignature;
use tlog::ed25519::SigningKey;
use tlog::hash::Hash;
use tlog::key::VerifierKey;
use tlog::name::KeyName;
use tlog::note::{SignatureLine, sign_note};
use tlog::prove::{self, Nodes};

use crate::receipts::acquainted;
use crate::world::{NOW, Node};

/// A log that is no feed of anybody.
struct Log {
    key: SigningKey,
    leaves: Vec<Hash>,
}

impl Log {
    fn new(story: &str) -> Self {
        let leaf = |number| Hash::leaf(format!("{story} {number}").as_bytes());
        let key = SigningKey::from_seed(&[77; 32]).unwrap();
        Self { key, leaves: (0..64).map(leaf).collect() }
    }

    /// The same as another log as far as `size`.
    fn fork(other: &Self, size: usize) -> Self {
        let mut fork = Self::new("another");
        fork.leaves[..size].copy_from_slice(&other.leaves[..size]);
        fork
    }

    fn vkey(&self) -> VerifierKey {
        VerifierKey::note(name(), self.key.public())
    }

    fn root(&self, size: u64) -> Hash {
        prove::root_of(size, self).unwrap()
    }

    fn note(&self, size: u64) -> String {
        let text = Checkpoint::new(name(), size, self.root(size)).unwrap().body();
        sign_note(&text, name(), &self.key).unwrap().to_string()
    }

    fn proof(&self, old: u64, size: u64) -> Vec<Hash> {
        let trivial = old == 0 || old >= size;
        if trivial { Vec::new() } else { prove::prove_consistency(old, size, self).unwrap() }
    }

    fn request(&self, old: u64, size: u64) -> Vec<u8> {
        body(old, &self.proof(old, size), &self.note(size))
    }
}

impl Nodes for Log {
    type Error = ();

    fn node(&self, level: u8, index: u64) -> Result<Hash, ()> {
        let start = usize::try_from(index << level).unwrap();
        root_of(self.leaves.get(start..start + (1 << level)).ok_or(())?).ok_or(())
    }
}

fn name() -> KeyName {
    KeyName::parse("log.example/elsewhere").unwrap()
}

fn body(old: u64, proof: &[Hash], note: &str) -> Vec<u8> {
    let lines: String = proof.iter().map(|hash| format!("{}\n", hash.to_base64())).collect();
    format!("old {old}\n{lines}\n{note}").into_bytes()
}

/// A witness of this log.
async fn witness(log: &Log) -> Node {
    let node = Node::new("witness.example", 2).await;
    node.feeds.trust_outside(Vec::new(), vec![log.vkey()]);
    node
}

/// Checks that an answer is a cosignature of this state.
fn check(node: &Node, log: &Log, size: u64, answer: &str) {
    let key = OnlineSecret::from_bytes([2; 32]).key(KeyUse::Witness, 1).unwrap();
    let vkey = VerifierKey::cosignature(KeyName::witness_of(&node.name), key.public());
    let line = SignatureLine::parse(answer.strip_suffix('\n').unwrap()).unwrap();
    let text = Checkpoint::new(name(), size, log.root(size)).unwrap().body();
    assert_eq!(cosignature::verify(&line, &text, &vkey), Ok(NOW));
}

#[tokio::test]
async fn every_step_of_a_small_log_is_cosigned_by_its_proof_alone() {
    use RefusedCheckpoint as R;
    let log = Log::new("one");
    let (mut agreed, mut refused) = (0, 0);
    for held in 0..=13 {
        for size in held..=13 {
            let node = witness(&log).await;
            if held > 0 {
                node.feeds.add_checkpoint(&log.request(0, held)).await.unwrap();
            }
            let (proof, note) = (log.proof(held, size), log.note(size));
            let ask = async |request: Vec<u8>| node.feeds.add_checkpoint(&request).await;
            for other in (0..=size).filter(|other| *other != held) {
                let answer = ask(log.request(other, size)).await;
                assert!(matches!(answer, Err(R::Conflict { held: says }) if says == held));
                refused += 1;
            }
            let mut wrong: Vec<Vec<Hash>> =
                (0..proof.len()).map(|at| proof[..at].to_vec()).collect();
            wrong.push([&proof[..], &[Hash::leaf(b"more")]].concat());
            for at in 0..proof.len() {
                let mut altered = proof.clone();
                altered[at] = Hash::leaf(b"other");
                wrong.push(altered);
            }
            for proof in wrong {
                let answer = ask(body(held, &proof, &note)).await;
                assert!(matches!(answer, Err(R::Proof)), "{held} to {size}: {answer:?}");
                refused += 1;
            }
            if held > 0 {
                let fork = Log::fork(&log, usize::try_from(held - 1).unwrap());
                let answer = ask(fork.request(held, size)).await;
                let told = if size == held {
                    matches!(answer, Err(R::Conflict { held: says }) if says == held)
                } else {
                    matches!(answer, Err(R::Proof))
                };
                assert!(told, "{held} to {size}: {answer:?}");
                refused += 1;
            }
            check(&node, &log, size, &ask(log.request(held, size)).await.unwrap());
            check(&node, &log, size, &ask(log.request(size, size)).await.unwrap());
            agreed += 2;
        }
    }
    println!("{agreed} requests to cosign were answered and {refused} refused");
}

#[tokio::test]
async fn what_is_no_request_is_told_so() {
    let log = Log::new("one");
    let node = witness(&log).await;
    let good = String::from_utf8(log.request(0, 5)).unwrap();
    let hash = Hash::leaf(b"x").to_base64();
    let note = log.note(5);
    let many = format!("{hash}\n").repeat(64);
    let malformed = [
        String::new(),
        "old 0".to_owned(),
        "old 0\n\n".to_owned(),
        good.replace("old 0", "old 00"),
        good.replace("old 0", "old -1"),
        good.replace("old 0", "old +0"),
        good.replace("old 0", "old  0"),
        good.replace("old 0", "Old 0"),
        good.replace("old 0", "old 0 "),
        good.replace("old 0", "old 9007199254740992"),
        good.replace("old 0", "old 6"),
        good.replace("old 0\n", ""),
        good.replace('\n', "\r\n"),
        good.replace("old 0\n\n", "old 0\n"),
        format!("old 0\n{many}\n{note}"),
        format!("old 0\n!!\n\n{note}"),
        format!("old 0\n{}\n\n{note}", &hash[..40]),
        format!("old 0\n{hash} \n\n{note}"),
        format!("old 0\n\n\n{note}"),
        format!("old 0\n\n{}", note.replace("\n\n", "\nextension\n\n")),
        good.trim_end().to_owned(),
    ];
    for request in &malformed {
        let answer = node.feeds.add_checkpoint(request.as_bytes()).await;
        let told = matches!(
            answer,
            Err(RefusedCheckpoint::Malformed { .. } | RefusedCheckpoint::Checkpoint(_))
        );
        assert!(told, "{request:?}: {answer:?}");
    }
    // Whatever byte is another one, nothing else than this checkpoint is ever cosigned.
    let mut cases = malformed.len();
    let place = Hash::of(name().as_str());
    for at in 0..good.len() {
        for bit in 0..8 {
            let mut altered = good.clone().into_bytes();
            altered[at] ^= 1 << bit;
            let answer = node.feeds.add_checkpoint(&altered).await;
            assert!(answer.is_err(), "{}", String::from_utf8_lossy(&altered));
            cases += 1;
        }
    }
    assert_eq!(node.feeds.witness_checkpoint(&place).await.unwrap(), None);
    println!("{cases} requests that are none were refused");
}

#[tokio::test]
async fn who_may_ask_is_told_by_the_key_of_the_log() {
    use RefusedCheckpoint as R;
    let log = Log::new("one");
    let node = Node::new("witness.example", 2).await;
    let asked = node.feeds.add_checkpoint(&log.request(0, 3)).await;
    assert!(matches!(asked, Err(R::UnknownLog { .. })), "{asked:?}");
    node.feeds.trust_outside(Vec::new(), vec![log.vkey()]);
    let stranger = Log { key: SigningKey::from_seed(&[78; 32]).unwrap(), ..Log::new("one") };
    let asked = node.feeds.add_checkpoint(&stranger.request(0, 3)).await;
    assert!(matches!(asked, Err(R::NotSigned)), "{asked:?}");
    check(&node, &log, 3, &node.feeds.add_checkpoint(&log.request(0, 3)).await.unwrap());
    let own = node.feeds.submission(&node.origin(), 0).await.unwrap();
    let asked = node.feeds.add_checkpoint(&own.request).await;
    assert!(matches!(asked, Err(R::UnknownLog { .. })), "nobody is his own witness: {asked:?}");
}

#[tokio::test]
async fn a_feed_that_is_followed_is_cosigned_and_only_as_it_is_held() {
    let (owner, [one]) = acquainted().await;
    let twin = Node::new("owner.example", 1).await;
    twin.publish(&["Another story"]).await;
    one.sync(&owner).await.unwrap();
    let other = twin.feeds.submission(&owner.origin(), 0).await.unwrap();
    let refused = one.feeds.add_checkpoint(&other.request).await;
    assert!(matches!(refused, Err(RefusedCheckpoint::Contradicts)), "{refused:?}");
    let submission = owner.feeds.submission(&owner.origin(), 0).await.unwrap();
    let line = one.feeds.add_checkpoint(&submission.request).await.unwrap();
    owner.feeds.take_witness_lines(&owner.origin(), &submission, &line).await.unwrap();
    let key = OnlineSecret::from_bytes([2; 32]).key(KeyUse::Witness, 1).unwrap();
    let vkey = VerifierKey::cosignature(KeyName::witness_of(&one.name), key.public());
    assert_eq!(owner.feeds.cosigned_by(&owner.origin(), &vkey), Some((2, NOW)));
    // A witness that lags behind the log goes on from what it signed.
    owner.publish(&["Two", "Three"]).await;
    let submission = owner.feeds.submission(&owner.origin(), 2).await.unwrap();
    let line = one.feeds.add_checkpoint(&submission.request).await.unwrap();
    owner.feeds.take_witness_lines(&owner.origin(), &submission, &line).await.unwrap();
    assert_eq!(owner.feeds.cosigned_by(&owner.origin(), &vkey), Some((4, NOW)));
    // It is in the served checkpoint, and in a proof.
    let proof = owner.feeds.proof(&owner.origin(), 1).await.unwrap();
    assert!(proof.contains(&line), "{proof}");
    let bad = owner.feeds.take_witness_lines(&owner.origin(), &submission, "\u{2014} a b\n").await;
    assert!(bad.is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_requests_at_once_one_history_wins() {
    let log = Log::new("one");
    let mut answered = 0;
    for turn in 0_u64..40 {
        let node = witness(&log).await;
        node.feeds.add_checkpoint(&log.request(0, 3)).await.unwrap();
        let tasks: Vec<_> = (0..8)
            .map(|number| {
                let branch = Log::fork(&log, 3);
                let size = 4 + (turn + number) % 5;
                let on_branch = (turn + number).is_multiple_of(2);
                let request =
                    if on_branch { branch.request(3, size) } else { log.request(3, size) };
                let feeds: Arc<Feeds> = Arc::clone(&node.feeds);
                tokio::spawn(async move { feeds.add_checkpoint(&request).await })
            })
            .collect();
        let mut won = 0;
        for task in tasks {
            match task.await.unwrap() {
                Ok(_) => won += 1,
                Err(RefusedCheckpoint::Conflict { held }) => assert!((4..9).contains(&held)),
                Err(error) => panic!("{error}"),
            }
            answered += 1;
        }
        assert_eq!(won, 1, "of requests from one size exactly one is cosigned");
    }
    println!("{answered} requests at once, one cosigned of each eight");
}

#[tokio::test]
async fn a_process_that_ends_between_writing_and_answering_signs_no_other_history() {
    let log = Log::new("one");
    let branch = Log::fork(&log, 3);
    for fault in
        [Fault::CrashBefore, Fault::CrashAfter, Fault::Full, Fault::Broken, Fault::Unsynced]
    {
        let node = witness(&log).await;
        node.feeds.add_checkpoint(&log.request(0, 3)).await.unwrap();
        node.store.expect(Faults::at(1, fault));
        let answer = node.feeds.add_checkpoint(&log.request(3, 5)).await;
        assert!(answer.is_err(), "{fault:?}: it was answered and not written");
        let node = node.restarted(true).await;
        node.feeds.trust_outside(Vec::new(), vec![log.vkey()]);
        let written = matches!(fault, Fault::CrashAfter | Fault::Unsynced);
        let answer = node.feeds.add_checkpoint(&branch.request(3, 5)).await;
        match answer {
            Err(RefusedCheckpoint::Conflict { held: 5 }) => assert!(written, "{fault:?}"),
            // Nothing was written, so nothing was seen: this history is as good as the other.
            Ok(_) => assert!(!written, "{fault:?}"),
            other => panic!("{fault:?}: {other:?}"),
        }
    }
}

#[tokio::test]
async fn the_last_checkpoint_cosigned_can_be_read() {
    let log = Log::new("one");
    let node = witness(&log).await;
    let place = Hash::of(name().as_str());
    for (old, size) in [(0, 0), (0, 2), (2, 7)] {
        let line = node.feeds.add_checkpoint(&log.request(old, size)).await.unwrap();
        let shown = node.feeds.witness_checkpoint(&place).await.unwrap().unwrap();
        assert_eq!(shown, format!("{}{line}", log.note(size)).into_bytes());
    }
    assert_eq!(node.feeds.witness_checkpoint(&Hash::of("other")).await.unwrap(), None);
}
