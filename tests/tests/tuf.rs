//! The eleven attacks that The Update Framework lists (its specification, section 1.5.2), each on every
//! object a follower fetches, over real HTTP. A table: a row an attack, a column an object.
//!
//! Whatever is sent, three things hold afterwards: what is shown is what the owner signed, at a size
//! it signed; another feed goes on; and the owner itself is believed as soon as it can be reached.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::response::Response;
use bytes::Bytes;
use feed::block::Block;
use feed::feeds::{BodyRead, Publication, SyncError};
use feed::head::{self, Commit};
use futures_util::stream::{self, StreamExt as _};
use http::{Request, StatusCode, header};
use peer::carrier::HttpCarrier;
use peer::limits::Limits;
use peer::outbound::{Outbound, SystemLookup};
use peer::settings::PeerSettings;
use tests::federation::{Federation, Node, Server};
use tests::liar;
use tests::member::{Member, practice};
use tlog::hash::Hash;
use tlog::name::FeedName;
use tower::ServiceExt as _;

const OWNER: &str = "owner.example";
const OTHER: &str = "other.example";
/// A tail is sealed at 1,024 entries: a newcomer then fetches a head, tiles and segments.
const LONG: usize = 1_030;
/// No honest answer here is longer.
const ANSWER_BYTES_MAX: usize = 64 << 20;
/// How long a silent server is listened to.
const PATIENCE: Duration = Duration::from_millis(300);

/// What a follower fetches, as a part of its path.
const OBJECTS: [(&str, Stage); 8] = [
    ("/checkpoint", Stage::Newcomer),
    ("/since/", Stage::Newcomer),
    ("/tile/", Stage::Newcomer),
    ("/segment/", Stage::Newcomer),
    ("/checkpoint", Stage::Behind),
    ("/since/", Stage::Behind),
    ("/body/", Stage::Incomplete),
    ("/since/", Stage::Incomplete),
];

/// How far the follower is when it meets the liar.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Stage {
    /// It holds nothing, and the feed is sealed.
    Newcomer,
    /// It holds the feed as it was a while ago.
    Behind,
    /// It holds all entries and lacks a body.
    Incomplete,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Attack {
    ArbitraryInstallation,
    EndlessData,
    ExtraneousDependencies,
    FastForward,
    IndefiniteFreeze,
    MirrorPreventsUpdates,
    MixAndMatch,
    Rollback,
    SlowRetrieval,
    KeyCompromise,
    WrongInstallation,
}

const ATTACKS: [Attack; 11] = [
    Attack::ArbitraryInstallation,
    Attack::EndlessData,
    Attack::ExtraneousDependencies,
    Attack::FastForward,
    Attack::IndefiniteFreeze,
    Attack::MirrorPreventsUpdates,
    Attack::MixAndMatch,
    Attack::Rollback,
    Attack::SlowRetrieval,
    Attack::KeyCompromise,
    Attack::WrongInstallation,
];

/// Answers by path, as they were once given.
type Answers = BTreeMap<String, Bytes>;

/// What the liar has in its hands.
struct Loot {
    /// What the owner said when it had a few entries less.
    before: Answers,
    /// What the owner says now.
    now: Answers,
    /// What somebody says who uses the owner's name with keys of its own.
    impostor: Answers,
    /// What another honest node says of its own feed, at the owner's paths.
    other: Answers,
    /// What a thief of the owner's online keys says, who writes another history with them.
    thief: Answers,
}

/// The nodes of a test, and the two states of the owner's feed.
struct Scene {
    federation: Federation,
    loot: Arc<Loot>,
    roots: BTreeMap<u64, Hash>,
}

fn publications(prefix: &str, count: usize) -> Vec<Publication> {
    (0..count).map(|number| practice(None, &format!("{prefix} {number}"))).collect()
}

async fn node_with(federation: &mut Federation, member: Member, count: usize) -> Result<&Node> {
    let prefix = member.root()?.public().to_did();
    let node = federation.add(member).await?;
    // In two commits: what is sealed is written before the second.
    for part in [count - 1, 1] {
        node.feeds().publish(&FeedName::public(), publications(&prefix, part)).await?;
    }
    Ok(node)
}

/// The bytes at these paths of a router.
async fn answers(router: &Router, paths: &[String]) -> Result<Answers> {
    let mut answers = Answers::new();
    for path in paths {
        let request = Request::get(path).body(Body::empty())?;
        let answer = router.clone().oneshot(request).await;
        let answer = answer.unwrap_or_else(|never: Infallible| match never {});
        if answer.status() == StatusCode::OK {
            let bytes = to_bytes(answer.into_body(), ANSWER_BYTES_MAX).await?;
            answers.insert(path.clone(), bytes);
        }
    }
    Ok(answers)
}

fn paths(node: &str, held: u64) -> Vec<String> {
    let base = format!("/feeds/{node}/public");
    let mut paths = vec!["/.well-known/jopoi".to_owned(), format!("{base}/checkpoint")];
    paths.extend([0, held].map(|size| format!("{base}/since/{size}")));
    paths.extend((0..4).map(|number| format!("{base}/segment/{number}")));
    paths.extend((1..8).map(|width| format!("{base}/tile/1/000.p/{width}")));
    paths.extend((0..4).map(|number| format!("{base}/tile/0/00{number}")));
    paths.extend((0..8).map(|index| format!("{base}/body/{index}")));
    paths
}

impl Scene {
    /// An owner whose feed has `count` entries besides the node record, and had two less.
    async fn of(count: usize) -> Result<Self> {
        let mut federation = Federation::of([]).await?;
        let mut roots = BTreeMap::new();
        let owner = node_with(&mut federation, Member::of(OWNER)?, count - 2).await?;
        let origin = owner.member().origin();
        let view = owner.feeds().view(&origin).context("no feed")?;
        roots.insert(view.size(), view.root());
        let held = view.size();
        let before = answers(&owner.router(), &paths(OWNER, held)).await?;
        owner.feeds().publish(&FeedName::public(), publications("newer", 2)).await?;
        let view = owner.feeds().view(&origin).context("no feed")?;
        roots.insert(view.size(), view.root());
        let now = answers(&owner.router(), &paths(OWNER, held)).await?;
        let impostor = node_with(&mut federation, Member::impostor_of(OWNER)?, count).await?;
        let impostor = answers(&impostor.router(), &paths(OWNER, held)).await?;
        let other = node_with(&mut federation, Member::of(OTHER)?, count).await?;
        let other = answers(&other.router(), &paths(OTHER, held)).await?;
        let renamed = |(path, bytes): (String, Bytes)| (path.replace(OTHER, OWNER), bytes);
        let other = other.into_iter().map(renamed).collect();
        // The same name and salt are the same keys.
        let thief = node_with(&mut federation, Member::of(OWNER)?, count).await?;
        thief.feeds().publish(&FeedName::public(), publications("stolen", 1)).await?;
        let thief = answers(&thief.router(), &paths(OWNER, held)).await?;
        let loot = Arc::new(Loot { before, now, impostor, other, thief });
        Ok(Self { federation, loot, roots })
    }

    /// A follower at this stage.
    async fn follower(&mut self, number: usize, stage: Stage) -> Result<Member> {
        let member = Member::of(&format!("follower-{number}.example"))?;
        let owner = self.federation.node(OWNER)?.member().clone();
        let answers = match stage {
            Stage::Newcomer => None,
            Stage::Behind => Some(self.loot.before.clone()),
            Stage::Incomplete => Some(without_a_body(&self.loot.before)?),
        };
        let hub = self.federation.add(member.clone()).await?;
        hub.pin(&owner).await?;
        if let Some(answers) = answers {
            let past = Server::start(replay(answers), None).await?;
            hub.sync_by(&owner, &carrier(&past.url())?).await?;
        }
        Ok(member)
    }

    /// What is shown is what the owner signed, at a size it signed.
    async fn is_true(&self, hub: &Node) -> Result<()> {
        let origin = self.federation.node(OWNER)?.member().origin();
        let Some(view) = hub.feeds().view(&origin) else { return Ok(()) };
        let root = self.roots.get(&view.size()).context("a size that the owner never signed")?;
        ensure!(*root == view.root(), "another root than the owner's");
        let owner = self.federation.node(OWNER)?.feeds();
        for index in [0, 1, 2, view.size() - 1] {
            let (held, true_one) =
                (hub.feeds().entry(&origin, index).await?, owner.entry(&origin, index).await?);
            ensure!(held.entry == true_one.entry, "entry {index} was changed");
            let same = held.body == true_one.body || held.body == BodyRead::Missing;
            ensure!(same, "the body of entry {index} was changed");
        }
        Ok(())
    }
}

/// A server that knows these answers and no others.
fn replay(answers: Answers) -> Router {
    Router::new().fallback(move |request: Request<Body>| {
        let found = answers.get(request.uri().path()).cloned();
        let media_type = media_type(request.uri().path());
        async move {
            let mut answer = Response::new(Body::from(found.clone().unwrap_or_default()));
            answer.headers_mut().insert(header::CONTENT_TYPE, media_type);
            if found.is_none() {
                *answer.status_mut() = StatusCode::NOT_FOUND;
            }
            answer
        }
    })
}

fn media_type(path: &str) -> header::HeaderValue {
    header::HeaderValue::from_static(match path {
        path if path.ends_with("/checkpoint") => wire::media::TEXT,
        path if path.ends_with("/jopoi") || path.contains("/body/") => wire::media::VC,
        _ => wire::media::BYTES,
    })
}

/// The same answers, but the commits lack the body of entry 1.
fn without_a_body(answers: &Answers) -> Result<Answers> {
    let mut answers = answers.clone();
    let (path, since) =
        answers.iter().find(|(path, _)| path.ends_with("/since/0")).context("no commits")?;
    let mut commits = head::decode_since(since)?;
    for commit in &mut commits {
        let opened = commit.frames.iter().map(head::Frame::open);
        let mut blocks: Vec<Block> = opened.collect::<Result<_, _>>()?;
        for block in &mut blocks {
            for (_, item) in (block.first..).zip(&mut block.items).filter(|(index, _)| *index == 1)
            {
                item.body = None;
            }
        }
        *commit = Commit::write(&commit.note, &blocks)?;
    }
    let since = head::encode_since(commits.iter());
    answers.insert(path.clone(), since);
    answers.retain(|path, _| !path.contains("/body/"));
    Ok(answers)
}

fn carrier(url: &str) -> Result<HttpCarrier> {
    let networks = vec!["127.0.0.0/8".parse()?];
    let settings = PeerSettings { allow_networks: networks, ..PeerSettings::default() };
    let limits = Limits {
        idle: PATIENCE,
        deadline_small: 10 * PATIENCE,
        deadline_large: 30 * PATIENCE,
        ..Limits::default()
    };
    let outbound = Outbound::with(&settings, limits, Arc::new(SystemLookup))?;
    Ok(HttpCarrier::new(&outbound, &[url.to_owned()])?)
}

/// What the liar answers at a path it lies about.
fn lie(attack: Attack, path: &str, answer: Response<Bytes>, loot: &Loot) -> Response {
    let of = |answers: &Answers| answers.get(path).cloned().unwrap_or_default();
    let truth = answer.body().clone();
    match attack {
        Attack::ArbitraryInstallation => liar::with(answer, of(&loot.impostor)),
        Attack::EndlessData => liar::endless(answer),
        Attack::ExtraneousDependencies => {
            let more = [&truth[..], &of(&loot.other)[..], b"\n"].concat();
            liar::with(answer, more)
        }
        Attack::FastForward => liar::with(answer, far_ahead(path, &truth, loot)),
        Attack::IndefiniteFreeze | Attack::Rollback => liar::with(answer, of(&loot.before)),
        Attack::MirrorPreventsUpdates => {
            let mut answer = liar::with(answer, Bytes::new());
            *answer.status_mut() = StatusCode::NOT_FOUND;
            answer
        }
        Attack::MixAndMatch => liar::with(answer, neighbour(path, &truth, loot)),
        Attack::SlowRetrieval => {
            let (mut parts, bytes) = answer.into_parts();
            parts.headers.remove(header::CONTENT_LENGTH);
            let first = bytes.slice(..bytes.len().min(10));
            let slow = stream::iter([Ok::<_, Infallible>(first)]).chain(stream::pending());
            Response::from_parts(parts, Body::from_stream(slow))
        }
        Attack::KeyCompromise => liar::with(answer, of(&loot.thief)),
        Attack::WrongInstallation => liar::with(answer, of(&loot.other)),
    }
}

/// The answer with the greatest size that fits where its size stood; where none stands, what belongs
/// further on.
fn far_ahead(path: &str, truth: &Bytes, loot: &Loot) -> Bytes {
    let text = String::from_utf8_lossy(truth.get(..200.min(truth.len())).unwrap_or_default());
    let size = text.lines().nth(1).filter(|line| line.parse::<u64>().is_ok());
    match size {
        Some(size) => text.replacen(size, "9007199254740991", 1).into_bytes().into(),
        None => {
            loot.now.range(path.to_owned()..).nth(1).map_or_else(Bytes::new, |(_, b)| b.clone())
        }
    }
}

/// What belongs elsewhere in the same feed: the object before or after it; of what there is one, its
/// older state.
fn neighbour(path: &str, truth: &Bytes, loot: &Loot) -> Bytes {
    let (parent, _) = path.rsplit_once('/').unwrap_or_default();
    let mut kin = loot.now.iter().filter(|(other, _)| other.starts_with(parent) && *other != path);
    let found = kin.find(|(other, bytes)| {
        other.matches('/').count() == path.matches('/').count() && *bytes != truth
    });
    let older = loot.before.get(path).cloned().unwrap_or_default();
    found.map_or(older, |(_, bytes)| bytes.clone())
}

/// One cell of the table. Answers how often the liar lied.
async fn attempt(
    scene: &mut Scene,
    number: usize,
    attack: Attack,
    (object, stage): (&'static str, Stage),
) -> Result<u64> {
    let follower = scene.follower(number, stage).await?;
    let hub = scene.federation.node(follower.name().as_str())?;
    let (owner, other) = (scene.federation.node(OWNER)?, scene.federation.node(OTHER)?);
    if attack == Attack::Rollback {
        // There is nothing to roll back from before it is up to date.
        hub.sync_by(owner.member(), &carrier(&owner.url())?).await?;
    }
    let lies = Arc::new(AtomicU64::new(0));
    let (counted, loot) = (Arc::clone(&lies), Arc::clone(&scene.loot));
    let server = liar::before(owner.router(), move |path, answer| {
        if !path.contains(object) && attack != Attack::Rollback {
            return liar::honest(answer);
        }
        counted.fetch_add(1, Ordering::Relaxed);
        lie(attack, path, answer, &loot)
    });
    let server = server.await?;
    let liar = carrier(&server.url())?;
    let outcome = hub.sync_by(owner.member(), &liar).await;
    if let Err(error) = &outcome {
        ensure!(error.to_string().len() > 20, "what is `{error}` to tell an operator?");
    }
    scene.is_true(hub).await?;
    hub.pin(other.member()).await?;
    hub.sync_by(other.member(), &carrier(&other.url())?).await?;
    if matches!(outcome, Err(SyncError::Fork { .. })) {
        // Two histories signed by one key: the copy stays as it was until a person decides.
        ensure!(attack == Attack::KeyCompromise, "an honest owner was accused");
        return Ok(lies.load(Ordering::Relaxed));
    }
    let synced = hub.sync_by(owner.member(), &carrier(&owner.url())?).await?;
    ensure!(synced.missing.is_empty(), "entries stay without bodies: {synced:?}");
    let size = hub.feeds().view(&owner.member().origin()).context("nothing is held")?.size();
    ensure!(Some(size) == scene.roots.keys().max().copied(), "stopped at {size}");
    scene.is_true(hub).await?;
    Ok(lies.load(Ordering::Relaxed))
}

/// Every attack on the objects of these stages, with an owner of `count` entries; how many there were.
async fn all_of(count: usize, stages: &[Stage]) -> Result<usize> {
    let mut scene = Scene::of(count).await?;
    let objects = OBJECTS.into_iter().filter(|(_, stage)| stages.contains(stage));
    let cells = objects.flat_map(|object| ATTACKS.map(|attack| (attack, object)));
    let mut tried = 0;
    for (attack, object) in cells {
        let cell = format!("{attack:?} on {} for a follower {:?}", object.0, object.1);
        let lies =
            attempt(&mut scene, tried, attack, object).await.with_context(|| cell.clone())?;
        ensure!(lies > 0, "{cell}: nobody asked for it");
        tried += 1;
    }
    Ok(tried)
}

#[tokio::test]
async fn a_newcomer_is_deceived_by_none_of_the_eleven_attacks_on_any_object() -> Result<()> {
    let tried = all_of(LONG, &[Stage::Newcomer]).await?;
    assert_eq!(tried, 4 * ATTACKS.len());
    println!("{tried} attacks on a newcomer");
    Ok(())
}

#[tokio::test]
async fn a_follower_is_deceived_by_none_of_the_eleven_attacks_on_any_object() -> Result<()> {
    let tried = all_of(6, &[Stage::Behind, Stage::Incomplete]).await?;
    assert_eq!(tried, 4 * ATTACKS.len());
    println!("{tried} attacks on a follower");
    Ok(())
}
