//! Audience, caller and route: each answer is what its caller may read, and to everybody else what it
//! would be if the feed were not there, byte for byte.

use anyhow::{Context as _, Result, ensure};
use http::StatusCode;
use tests::ask::{Answered, ask};
use tests::chance::BEGINNING;
use tests::federation::Node;
use tests::signed::{Header, signed};
use tlog::hash::Hash;
use tlog::name::{FeedName, Origin};
use web::routes::ROUTES;

use super::requests::{Asked, of};
use super::world::{
    FORMER, KNOWN, Kind, LISTED, MIRROR, NETWORK, OWNER, PAUSED, Restricted, SIBLING, STRANGER,
    World, member, title,
};

/// Fewer cells than this would mean that something is left out.
const CELLS_MIN: usize = 400;
/// A feed of the owner that was never there.
const GHOST: &str = "r-ghostghostghostghostghost2";
/// The request of every cell, so that answers can be compared.
const REQUEST: &str = "matrix-request-1";

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Who {
    Operator,
    /// A node, by its name.
    Node(&'static str),
    Unsigned,
    /// Whoever has seen a request of a listed node and sends its signature along.
    Borrowed,
    /// A listed node whose clock is ten minutes slow.
    Stale,
    /// A listed node that uses one nonce again and again.
    Replayed,
}

const ALL: [Who; 13] = [
    Who::Operator,
    Who::Node(OWNER),
    Who::Node(MIRROR),
    Who::Node(LISTED),
    Who::Node(KNOWN),
    Who::Node(SIBLING),
    Who::Node(PAUSED),
    Who::Node(FORMER),
    Who::Node(NETWORK),
    Who::Node(STRANGER),
    Who::Unsigned,
    Who::Borrowed,
    Who::Stale,
];

/// What a caller may expect.
#[derive(Clone, Copy)]
struct Right {
    /// It may read the feed.
    entitled: bool,
    /// And this answer says something of it.
    tells: bool,
}

/// One node that is asked, with a nonce for each request.
struct Host<'a> {
    node: &'a Node,
    nonce: u64,
}

#[tokio::test]
async fn every_route_tells_each_caller_what_it_may_read_and_nothing_else() -> Result<()> {
    let world = World::new().await?;
    let (mut cells, mut told) = (0, 0);
    for name in [OWNER, MIRROR] {
        let mut host = Host { node: world.node(name)?, nonce: 1 };
        host.node.index().await?;
        host.use_up().await?;
        for feed in &world.feeds {
            let held = host.node.feeds().view(&feed.origin).is_some();
            for who in ALL.into_iter().chain([Who::Replayed]) {
                let entitled = held && may_read(feed.kind, who);
                for route in ROUTES {
                    cells += 1;
                    for asked in of(route, feed)? {
                        let what = format!("{who:?} asks {name} for {route:?} of {:?}", feed.kind);
                        let right = Right { entitled, tells: entitled && asked.tells };
                        host.judge(who, feed, &asked, right).await.context(what)?;
                        told += usize::from(right.tells);
                    }
                }
            }
        }
    }
    assert!(cells >= CELLS_MIN && told > 0, "only {cells} cells");
    println!(
        "{cells} cells of audience, caller and route at two nodes; {told} answers told something"
    );
    Ok(())
}

/// The rule, once more and by hand.
fn may_read(kind: Kind, who: Who) -> bool {
    let readers: &[&str] = match kind {
        Kind::Nodes | Kind::Group => &[OWNER, MIRROR, LISTED],
        Kind::Participants => &[OWNER, MIRROR, LISTED, SIBLING],
        Kind::Broken | Kind::Unknown => &[OWNER],
    };
    match who {
        Who::Operator => true,
        Who::Node(name) => readers.contains(&name),
        Who::Unsigned | Who::Borrowed | Who::Stale | Who::Replayed => false,
    }
}

impl Host<'_> {
    /// Uses the nonce of [`Who::Replayed`] for the first time.
    async fn use_up(&mut self) -> Result<()> {
        let asked = Asked {
            method: http::Method::GET,
            path: "/livez".to_owned(),
            body: None,
            tells: false,
        };
        self.ask(Who::Replayed, &asked).await?;
        Ok(())
    }

    async fn judge(
        &mut self,
        who: Who,
        feed: &Restricted,
        asked: &Asked,
        right: Right,
    ) -> Result<()> {
        let real = self.ask(who, asked).await?;
        let (path, real_text) = (ghost(&asked.path, feed), normal(&real, feed));
        // What is asked of the node as a whole, such as its peers' clocks, may change between two answers.
        let about = if path == asked.path { None } else { Some(Asked { path, ..asked.clone() }) };
        let told = match &about {
            Some(other) => real_text != normal(&self.ask(who, other).await?, feed),
            None => mentions(&real, feed),
        };
        if !right.entitled && who != Who::Operator {
            ensure!(!told, "{} tells that the feed is there: {real_text}", asked.path);
        }
        if right.tells {
            ensure!(told, "{} tells nothing", asked.path);
            ensure!(real.status != StatusCode::NOT_FOUND, "{} is not found", asked.path);
            let header = |name: &str| {
                real.headers
                    .get_all(name)
                    .iter()
                    .map(|value| format!("{value:?}"))
                    .collect::<String>()
            };
            let kept = header("cache-control");
            ensure!(kept.contains("no-store"), "{} may be kept: {kept}", asked.path);
            ensure!(
                header("vary").contains("signature-input"),
                "{} may be kept for others",
                asked.path
            );
        }
        Ok(())
    }

    async fn ask(&mut self, who: Who, asked: &Asked) -> Result<Answered> {
        self.nonce += 1;
        let mut headers = self.headers(who, asked)?;
        headers.push(("x-request-id", REQUEST.to_owned()));
        headers.push(("content-type", "application/json".to_owned()));
        let router = if who == Who::Operator { self.node.operator() } else { self.node.router() };
        ask(router, asked.method.clone(), &asked.path, &headers, asked.body.clone()).await
    }

    fn headers(&self, who: Who, asked: &Asked) -> Result<Vec<Header>> {
        let url = self.node.url();
        let request = (asked.method.as_str(), url.as_str(), asked.path.as_str());
        let body = asked.body.as_deref();
        match who {
            Who::Operator | Who::Unsigned => Ok(Vec::new()),
            Who::Node(name) => signed(&member(name)?, request, body, BEGINNING, self.nonce),
            Who::Borrowed => {
                signed(&member(LISTED)?, ("GET", &url, "/about"), None, BEGINNING, self.nonce)
            }
            Who::Stale => signed(&member(LISTED)?, request, body, BEGINNING - 600, self.nonce),
            Who::Replayed => signed(&member(LISTED)?, request, body, BEGINNING, 0),
        }
    }
}

/// The same path about a feed and bodies that were never there.
fn ghost(path: &str, feed: &Restricted) -> String {
    swaps(feed).into_iter().fold(path.to_owned(), |path, (real, ghost)| path.replace(&real, &ghost))
}

/// An answer as it would be if the other names had been asked for.
fn normal(answered: &Answered, feed: &Restricted) -> String {
    // The weak tag of a page is made from its text, which is compared, and which may repeat what was asked.
    let weak = |value: &http::HeaderValue| value.as_bytes().starts_with(b"W/");
    let headers = answered.headers.iter().filter(|(_, value)| !weak(value));
    let headers = headers.map(|(name, value)| format!("{name}: {value:?}\n"));
    let text = format!("{}\n{}\n{}", answered.status, headers.collect::<String>(), answered.text());
    swaps(feed).into_iter().fold(text, |text, (real, ghost)| text.replace(&ghost, &real))
}

/// Names of what there is, with those of what there never was.
fn swaps(feed: &Restricted) -> Vec<(String, String)> {
    let unreal = Origin::new(feed.origin.node().clone(), ghost_name());
    let hash = |body: Option<Hash>| body.unwrap_or(Hash::EMPTY_ROOT).to_hex();
    vec![
        (feed.origin.feed().to_string(), GHOST.to_owned()),
        (hash(feed.record.body), Hash::of("no record").to_hex()),
        (hash(feed.erased.body), Hash::of("no erased record").to_hex()),
        (Hash::of(feed.origin.as_str()).to_hex(), Hash::of(unreal.as_str()).to_hex()),
    ]
}

fn ghost_name() -> FeedName {
    FeedName::parse(GHOST).unwrap()
}

/// Whether an answer says anything of the feed.
fn mentions(answered: &Answered, feed: &Restricted) -> bool {
    let all = format!("{:?} {}", answered.headers, answered.text());
    let hash = feed.record.body.unwrap_or(Hash::EMPTY_ROOT).to_hex();
    [feed.origin.feed().as_str(), &title(feed.kind), &hash].iter().any(|mark| all.contains(*mark))
}
