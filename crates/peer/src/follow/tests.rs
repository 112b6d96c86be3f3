//! Following as a play: the rounds are told what to do, and time passes at once.

use std::collections::BTreeMap;
use std::future::pending;

use crate::signing::Signs;
use async_trait::async_trait;
use feed::ports::{BodyAnswer, Carrier, CarrierError, Progress, Since};
use tlog::ed25519::SigningKey;
use tlog::tile::TilePath;
use tokio::sync::Semaphore;
use tokio::time::Instant;

use super::*;
use crate::gate::Gate;
use crate::home::{Failure, Round};
use crate::limits::Limits;
use crate::outbound::SystemLookup;
use crate::tally::Why;

/// What the rounds of a node do.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    /// They end well; those that wait, after the wait.
    Good,
    /// They fail.
    Bad,
    /// They never end until the carrier says so.
    Stuck,
    /// There is no room on our own disk.
    NoRoom,
}

/// A home without feeds.
struct Stage {
    started: Instant,
    parts: Mutex<BTreeMap<String, Part>>,
    memos: Mutex<BTreeMap<String, Vec<u8>>>,
    rounds: Mutex<BTreeMap<String, u64>>,
    changed: watch::Sender<u64>,
}

impl Stage {
    fn with(parts: &[(&str, Part)]) -> Arc<Self> {
        let parts = parts.iter().map(|(node, part)| ((*node).to_owned(), *part)).collect();
        Arc::new(Self {
            started: Instant::now(),
            parts: Mutex::new(parts),
            memos: Mutex::default(),
            rounds: Mutex::default(),
            changed: watch::Sender::new(0),
        })
    }

    fn set(&self, node: &str, part: Option<Part>) {
        let mut parts = self.parts.lock().unwrap();
        match part {
            Some(part) => parts.insert(node.to_owned(), part),
            None => parts.remove(node),
        };
        self.changed.send_modify(|tick| *tick += 1);
    }

    fn rounds_of(&self, node: &str) -> u64 {
        self.rounds.lock().unwrap().get(node).copied().unwrap_or(0)
    }

    fn follow(self: &Arc<Self>) -> Arc<Peers> {
        let settings = PeerSettings {
            allow_networks: vec!["127.0.0.0/8".parse().unwrap()],
            ..PeerSettings::default()
        };
        let outbound = outbound(&settings);
        Peers::start_in(Arc::clone(self) as Arc<dyn Home>, outbound, &settings)
    }
}

#[async_trait]
impl Home for Stage {
    fn pins(&self) -> Vec<Pin> {
        let root = SigningKey::from_seed(&[7; 32]).unwrap().public();
        let parts = self.parts.lock().unwrap();
        let url = |node: &str| match node {
            "inside.example" => "https://10.0.0.1/".to_owned(),
            _ => "http://127.0.0.1:9/".to_owned(),
        };
        let pin =
            |node: &String| Pin::new(NodeName::parse(node).unwrap(), root, vec![url(node)], 0);
        parts.keys().map(pin).collect()
    }

    fn said(&self, node: &NodeName) -> Option<(Vec<String>, Vec<FeedName>)> {
        let twice = node.as_str() == "twice.example";
        twice.then(|| (Vec::new(), vec![FeedName::parse("public-2").unwrap()]))
    }

    fn restricted(&self, _node: &NodeName) -> Vec<FeedName> {
        Vec::new()
    }

    fn signs(&self) -> Option<Arc<dyn Signs>> {
        None
    }

    fn held(&self, _origin: &Origin) -> (u64, u64) {
        (0, 0)
    }

    fn changed(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    fn now(&self) -> u64 {
        1_800_000_000 + self.started.elapsed().as_secs()
    }

    fn chance(&self) -> u64 {
        1 << 63
    }

    fn memo(&self, key: &str) -> Option<Vec<u8>> {
        self.memos.lock().unwrap().get(key).cloned()
    }

    fn set_memo(&self, key: &str, value: Option<&[u8]>) {
        let mut memos = self.memos.lock().unwrap();
        match value {
            Some(value) => memos.insert(key.to_owned(), value.to_vec()),
            None => memos.remove(key),
        };
    }

    async fn round(
        &self,
        carrier: &dyn Carrier,
        origin: &Origin,
        wait: Option<Duration>,
        progress: &dyn Progress,
    ) -> Result<Round, Failure> {
        let node = origin.node().as_str();
        *self.rounds.lock().unwrap().entry(node.to_owned()).or_default() += 1;
        let part = self.parts.lock().unwrap().get(node).copied();
        match part {
            Some(Part::Good) => {
                progress.step("segments", 1, 1);
                sleep(wait.unwrap_or_default()).await;
                Ok(Round::default())
            }
            Some(Part::NoRoom) => {
                Err(Failure::Other { why: Why::NoRoom, words: "9 MiB are free".to_owned() })
            }
            Some(Part::Stuck) => Err(other(stuck(carrier, origin).await)),
            Some(Part::Bad) | None => Err(other("a forged signature".to_owned())),
        }
    }
}

fn other(words: String) -> Failure {
    Failure::Other { why: Why::Signature, words }
}

/// A round that needs an answer that never comes.
async fn stuck(carrier: &dyn Carrier, origin: &Origin) -> String {
    let gate = Nobody(carrier);
    gate.checkpoint(origin).await.unwrap_err().to_string()
}

/// Never answers, and describes itself as the carrier it has.
struct Nobody<'a>(&'a dyn Carrier);

#[async_trait]
impl Carrier for Nobody<'_> {
    fn describe(&self) -> String {
        self.0.describe()
    }
    async fn node_record(&self) -> Result<bytes::Bytes, CarrierError> {
        pending().await
    }
    async fn checkpoint(&self, _: &Origin) -> Result<bytes::Bytes, CarrierError> {
        pending().await
    }
    async fn since(&self, _: &Origin, _: u64, _: Option<Duration>) -> Result<Since, CarrierError> {
        pending().await
    }
    async fn tile(&self, _: &Origin, _: &TilePath) -> Result<bytes::Bytes, CarrierError> {
        pending().await
    }
    async fn segment(&self, _: &Origin, _: u64) -> Result<bytes::Bytes, CarrierError> {
        pending().await
    }
    async fn body(&self, _: &Origin, _: u64) -> Result<BodyAnswer, CarrierError> {
        pending().await
    }
}

fn outbound(settings: &PeerSettings) -> Arc<Outbound> {
    Outbound::with(settings, Limits::default(), Arc::new(SystemLookup)).unwrap()
}

fn state_of(peers: &Peers, node: &str) -> PeerState {
    peers.status().into_iter().find(|peer| peer.node.as_str() == node).unwrap().state
}

#[tokio::test(start_paused = true)]
async fn peers_that_misbehave_do_not_stop_the_others() {
    let stage = Stage::with(&[
        ("bad.example", Part::Bad),
        ("good.example", Part::Good),
        ("inside.example", Part::Good),
        ("stuck.example", Part::Stuck),
    ]);
    let peers = stage.follow();
    sleep(Duration::from_secs(3_600)).await;
    assert_eq!(state_of(&peers, "good.example"), PeerState::Healthy);
    assert_eq!(state_of(&peers, "bad.example"), PeerState::Failing);
    assert_eq!(state_of(&peers, "inside.example"), PeerState::Failing);
    assert_eq!(state_of(&peers, "stuck.example"), PeerState::New);
    // A feed in step holds a request for 30 s, again and again; a failing one is left more and more alone.
    assert!(stage.rounds_of("good.example") >= 115);
    assert!(stage.rounds_of("bad.example") <= 12);
    assert_eq!(stage.rounds_of("stuck.example"), 1);
    let status = peers.status();
    assert!(status[0].reason.contains("a forged signature"), "{}", status[0].reason);
    assert!(status[2].reason.contains("allow_networks"), "{}", status[2].reason);
}

#[tokio::test(start_paused = true)]
async fn a_peer_is_dormant_after_a_week_and_awake_at_a_contact() {
    let stage = Stage::with(&[("bad.example", Part::Bad)]);
    let peers = stage.follow();
    sleep(Duration::from_secs(9 * 24 * 3_600)).await;
    assert_eq!(state_of(&peers, "bad.example"), PeerState::Dormant);
    let before = stage.rounds_of("bad.example");
    stage.set("bad.example", Some(Part::Good));
    peers.contact(&NodeName::parse("bad.example").unwrap());
    sleep(Duration::from_secs(1)).await;
    assert!(stage.rounds_of("bad.example") > before);
    assert_eq!(state_of(&peers, "bad.example"), PeerState::Healthy);
}

#[tokio::test(start_paused = true)]
async fn pins_take_effect_while_running_and_what_is_unfollowed_is_forgotten() {
    let stage = Stage::with(&[("good.example", Part::Good)]);
    let peers = stage.follow();
    sleep(Duration::from_secs(60)).await;
    stage.set("twice.example", Some(Part::Good));
    sleep(Duration::from_secs(60)).await;
    let twice = peers.status().pop().unwrap();
    assert_eq!(twice.state, PeerState::Healthy);
    let feeds: Vec<_> = twice.feeds.iter().map(|feed| feed.origin.as_str()).collect();
    assert_eq!(feeds, ["twice.example/public", "twice.example/public-2"]);
    assert_eq!(stage.memos.lock().unwrap().len(), 3);
    stage.set("twice.example", None);
    sleep(Duration::from_secs(60)).await;
    let before = stage.rounds_of("twice.example");
    sleep(Duration::from_secs(600)).await;
    assert_eq!(stage.rounds_of("twice.example"), before);
    assert_eq!(stage.memos.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_round_that_is_asked_for_begins_after_the_question() {
    let stage = Stage::with(&[("bad.example", Part::Bad)]);
    let peers = stage.follow();
    let node = NodeName::parse("bad.example").unwrap();
    sleep(Duration::from_secs(600)).await;
    stage.set("bad.example", Some(Part::Good));
    let before = (stage.rounds_of("bad.example"), Instant::now());
    let peer = peers.sync_now(&node, Duration::from_secs(60)).await.unwrap();
    assert_eq!((peer.state, peer.failures), (PeerState::Healthy, 0));
    assert!(stage.rounds_of("bad.example") > before.0);
    assert_eq!(before.1.elapsed(), Duration::ZERO);
    let stranger = NodeName::parse("stranger.example").unwrap();
    assert_eq!(peers.sync_now(&stranger, Duration::from_secs(60)).await, None);
}

#[tokio::test(start_paused = true)]
async fn stopping_ends_every_round() {
    let stage = Stage::with(&[("good.example", Part::Good), ("stuck.example", Part::Stuck)]);
    let peers = stage.follow();
    sleep(Duration::from_secs(60)).await;
    peers.stop().await;
    let before = stage.rounds_of("good.example");
    sleep(Duration::from_secs(600)).await;
    assert_eq!(stage.rounds_of("good.example"), before);
}

#[tokio::test(start_paused = true)]
async fn a_parked_request_takes_no_turn_and_ends_when_a_round_is_wanted_or_the_feed_is_not() {
    let stage = Stage::with(&[]);
    let outbound = outbound(&PeerSettings::default());
    let real = HttpCarrier::new(&outbound, &["https://node.example/".to_owned()]).unwrap();
    let (turns, halt, requested) =
        (Arc::new(Semaphore::new(1)), watch::Sender::new(false), watch::Sender::new(0));
    let nobody = Nobody(&real);
    let gate = || Gate {
        inner: &nobody,
        turns: Arc::clone(&turns),
        turn: tokio::sync::Mutex::new(None),
        halt: halt.subscribe(),
        requested: requested.subscribe(),
        deadline: Instant::now() + Duration::from_secs(3_600),
        news: std::sync::OnceLock::new(),
    };
    let origin = Origin::parse("node.example/public").unwrap();
    let wait = Some(Duration::from_secs(30));
    let (parked, busy) = (gate(), gate());
    let check = async {
        sleep(Duration::from_secs(1)).await;
        assert_eq!(turns.available_permits(), 0, "the round that asks has the turn");
        requested.send_replace(1);
        sleep(Duration::from_secs(10)).await;
        assert_eq!(turns.available_permits(), 1, "a peer that lets us wait keeps the turn");
    };
    // The busy one asks something that never comes; its deadline ends it long after the check.
    let (answer, error, ()) =
        tokio::join!(parked.since(&origin, 0, wait), busy.segment(&origin, 0), check);
    assert_eq!(answer.unwrap(), Since::Nothing);
    assert!(error.unwrap_err().to_string().contains("took too long"));
    drop((parked, busy));
    assert_eq!(turns.available_permits(), 1);
    let halted = gate();
    halt.send_replace(true);
    let error = halted.since(&origin, 0, wait).await.unwrap_err().to_string();
    assert!(error.contains("no longer wanted"), "{error}");
    drop(stage);
}

#[tokio::test(start_paused = true)]
async fn a_feed_that_waits_for_room_says_so_does_not_fail_and_goes_on_by_itself() {
    let stage = Stage::with(&[("full.example", Part::Good)]);
    let peers = stage.follow();
    let peer = || peers.status().into_iter().next().unwrap();
    sleep(Duration::from_secs(1)).await;
    assert_eq!((peer().state, peer().reason.as_str()), (PeerState::Healthy, "in step"));
    stage.set("full.example", Some(Part::NoRoom));
    sleep(Duration::from_secs(3_600)).await;
    assert_eq!((peer().state, peer().reason.as_str()), (PeerState::Healthy, "9 MiB are free"));
    assert_eq!((peer().failures, peer().feeds[0].reason.as_str()), (0, "9 MiB are free"));
    let asked = stage.rounds_of("full.example");
    sleep(Duration::from_secs(600)).await;
    let asked = stage.rounds_of("full.example") - asked;
    assert!((9..=11).contains(&asked), "it is looked again once a minute: {asked}");
    stage.set("full.example", Some(Part::Good));
    sleep(Duration::from_secs(60)).await;
    assert_eq!((peer().state, peer().reason.as_str()), (PeerState::Healthy, "in step"));
}
