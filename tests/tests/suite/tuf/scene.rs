//! The owner's feed before and now, what a liar has in its hands, and followers of it.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::response::Response;
use bytes::Bytes;
use feed::block::Block;
use feed::feeds::{BodyRead, Publication};
use feed::head::{self, Commit};
use http::{Request, StatusCode, header};
use peer::carrier::HttpCarrier;
use peer::limits::Limits;
use peer::outbound::{Outbound, SystemLookup};
use peer::settings::PeerSettings;
use tests::federation::{Federation, Node, Server};
use tests::member::{Member, practice};
use tlog::hash::Hash;
use tlog::name::FeedName;
use tower::ServiceExt as _;

use super::{OTHER, OWNER, Stage};

/// No honest answer here is longer.
const ANSWER_BYTES_MAX: usize = 64 << 20;
/// How long a silent server is listened to.
const PATIENCE: Duration = Duration::from_millis(300);

/// Answers by path, as they were once given.
pub(crate) type Answers = BTreeMap<String, Bytes>;

/// What the liar has in its hands.
pub(crate) struct Loot {
    /// What the owner said when it had a few entries less.
    pub(crate) before: Answers,
    /// What the owner says now.
    pub(crate) now: Answers,
    /// What somebody says who uses the owner's name with keys of its own.
    pub(crate) impostor: Answers,
    /// What another honest node says of its own feed, at the owner's paths.
    pub(crate) other: Answers,
    /// What a thief of the owner's online keys says, who writes another history with them.
    pub(crate) thief: Answers,
}

/// The nodes of a test, and the two states of the owner's feed.
pub(crate) struct Scene {
    pub(crate) federation: Federation,
    pub(crate) loot: Arc<Loot>,
    pub(crate) roots: BTreeMap<u64, Hash>,
}

fn publications(prefix: &str, count: usize) -> Vec<Publication> {
    (0..count).map(|number| practice(None, &format!("{prefix} {number}"))).collect()
}

pub(crate) async fn node_with(
    federation: &mut Federation,
    member: Member,
    count: usize,
) -> Result<&Node> {
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
    pub(crate) async fn of(count: usize) -> Result<Self> {
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
    pub(crate) async fn follower(&mut self, number: usize, stage: Stage) -> Result<Member> {
        let member = Member::of(&format!("follower-{number}.example"))?;
        let owner = self.federation.node(OWNER)?.member().clone();
        let answers = match stage {
            Stage::Newcomer => None,
            Stage::Behind => Some(self.loot.before.clone()),
            Stage::Incomplete => Some(without_a_body(&self.loot.before)?),
        };
        let hub = self.federation.add(member.clone()).await?;
        hub.rest().await;
        hub.pin(&owner).await?;
        if let Some(answers) = answers {
            let past = Server::start(replay(answers), None).await?;
            hub.sync_by(&owner, &carrier(&past.url())?).await?;
        }
        Ok(member)
    }

    /// What is shown is what the owner signed, at a size it signed.
    pub(crate) async fn is_true(&self, hub: &Node) -> Result<()> {
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
pub(crate) fn replay(answers: Answers) -> Router {
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

pub(crate) fn carrier(url: &str) -> Result<HttpCarrier> {
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
