//! At least one request for every route of the table. A route without one fails the test.

use anyhow::{Result, bail};
use http::Method;
use tlog::name::Origin;
use tlog::tile::TilePath;
use web::routes::Route;
use wire::paths::{self, site};

use super::world::Restricted;

/// A request, and what it would be for a feed that does not exist.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) body: Option<Vec<u8>>,
    /// Whether whoever may read the feed gets something that nobody else gets.
    pub(crate) tells: bool,
}

fn get(path: impl Into<String>) -> Asked {
    Asked { method: Method::GET, path: path.into(), body: None, tells: true }
}

/// The same for everybody, or not there in this feed.
fn same(path: impl Into<String>) -> Asked {
    Asked { tells: false, ..get(path) }
}

fn post(path: impl Into<String>) -> Asked {
    Asked { method: Method::POST, body: Some(b"{}".to_vec()), ..same(path) }
}

/// What is asked of a route, about this feed.
///
/// # Errors
/// When the route has no request here: somebody added one, and must say who may read what by it.
pub(crate) fn of(route: &Route, feed: &Restricted) -> Result<Vec<Asked>> {
    if route.pattern.starts_with("/feeds/") {
        return of_feed(route, feed);
    }
    let origin = &feed.origin;
    let hash = |body: Option<tlog::hash::Hash>| body.unwrap_or(tlog::hash::Hash::EMPTY_ROOT);
    let record = paths::record(origin, &feed.record.id);
    let operators = route.audience == web::Audience::Operator;
    if let Some(asked) = of_site(route, feed) {
        return Ok(asked);
    }
    Ok(match (route.method.as_str(), route.pattern) {
        ("GET", paths::HEADS | paths::API_FEEDS | paths::API_RECORDS | paths::HOME) => {
            let mut asked = vec![get(route.pattern)];
            if route.pattern == paths::API_RECORDS {
                asked.push(get(paths::api_records(origin, None)));
                asked.push(get(paths::api_records(origin, Some(feed.size))));
            }
            asked
        }
        ("GET", paths::BODIES) => vec![
            get(paths::bodies(&hash(feed.record.body))),
            get(paths::bodies(&hash(feed.erased.body))),
        ],
        ("GET", paths::API_RECORD) => vec![
            get(paths::api_record(origin, &feed.record.id)),
            get(paths::api_record(origin, &feed.erased.id)),
        ],
        ("GET", paths::RECORD) => vec![
            get(record.clone()),
            get(format!("{record}?lang=ar")),
            get(paths::record(origin, &feed.erased.id)),
        ],
        ("GET", paths::NETWORK) => vec![same("/networks/network.example")],
        ("GET", paths::NODE) => vec![get(paths::node(origin.node()))],
        ("GET", paths::PEERS | paths::API_PEERS) => vec![same(route.pattern)],
        ("GET", paths::WITNESS_CHECKPOINT) => {
            vec![same(paths::witness_checkpoint(&tlog::hash::Hash::of(origin.as_str())))]
        }
        ("POST", paths::ADD_CHECKPOINT | paths::BUNDLES) => vec![post(route.pattern)],
        ("GET", paths::SCHEMA) => vec![same(paths::schema("good-practice"))],
        ("GET", paths::PROBLEM) => vec![same(paths::problem("not-found"))],
        ("GET", paths::ASSET) => vec![same("/assets/style.css")],
        (
            "GET",
            paths::WELL_KNOWN
            | paths::WHOAMI
            | paths::API_NODE
            | paths::OPENAPI
            | paths::CONTEXT
            | paths::API_NETWORKS
            | paths::LIVEZ
            | paths::READYZ
            | paths::ABOUT,
        ) => vec![same(route.pattern)],
        ("GET", pattern) if operators => vec![same(filled(pattern, origin))],
        ("POST", pattern) if operators => vec![post(filled(pattern, origin))],
        _ => bail!(
            "{route:?} has no request in the access matrix: add one, and say what it may tell"
        ),
    })
}

/// The public site, which knows of public feeds alone, whoever asks.
fn of_site(route: &Route, feed: &Restricted) -> Option<Vec<Asked>> {
    let (origin, pattern) = (&feed.origin, route.pattern);
    let node = origin.node();
    Some(match (route.method.as_str(), pattern) {
        (
            "GET",
            site::SEARCH
            | site::API_SEARCH
            | site::SEARCH_CSV
            | site::SEARCH_ATOM
            | site::SEARCH_JSON_FEED,
        ) => vec![
            same(pattern),
            same(format!("{pattern}?q=Reserved+words")),
            same(format!("{pattern}?feed={origin}")),
            same(format!("{pattern}?node={node}&withdrawn=only")),
        ],
        ("GET", site::STATE | site::PROFILE_DOCX | site::PROFILE_JSON) => {
            vec![same(pattern.replace("{code}", "PY"))]
        }
        ("GET", site::COMPARE) => vec![same(format!("{pattern}?state=PY&state=FR"))],
        ("GET", site::GROUP) => vec![same(site::group(node, &feed.record.id))],
        ("GET", site::TOPIC) => vec![same(pattern.replace("{code}", "data"))],
        ("GET", site::SDG) => vec![same(pattern.replace("{code}", "16"))],
        ("GET", site::HUMAN_RIGHTS_MECHANISM) => vec![same(pattern.replace("{code}", "CEDAW"))],
        ("GET", paths::OAI) => ["ListIdentifiers&metadataPrefix=oai_dc", "ListSets", "Identify"]
            .map(|verb| same(format!("{pattern}?verb={verb}")))
            .into(),
        ("POST", paths::OAI) => vec![post(pattern)],
        ("GET", paths::OAI_SCHEMA) => vec![same(pattern)],
        (
            "GET",
            site::DOWNLOAD
            | site::DOWNLOAD_COLLECTION
            | site::STATES
            | site::TOPICS
            | site::SDGS
            | site::HUMAN_RIGHTS_MECHANISMS
            | site::WITHDRAWALS
            | site::NETWORK_STATUS
            | site::ROBOTS
            | site::SECURITY
            | site::ACCESSIBILITY
            | site::COST,
        ) => vec![same(pattern)],
        ("GET", site::SITEMAP) => vec![
            same(pattern),
            same(format!("{pattern}?part=pages")),
            same(format!("{pattern}?feed={origin}&from=0")),
        ],
        _ => return None,
    })
}

fn of_feed(route: &Route, feed: &Restricted) -> Result<Vec<Asked>> {
    let origin = &feed.origin;
    let tile = |path: &str| TilePath::parse(path).map(|tile| paths::tile(origin, &tile));
    let size = feed.size;
    Ok(match (route.method.as_str(), route.pattern) {
        ("GET", paths::CHECKPOINT) => vec![get(paths::checkpoint(origin))],
        ("GET", paths::TILE) => vec![
            get(tile(&format!("tile/0/000.p/{size}"))?),
            get(tile(&format!("tile/entries/000.p/{size}"))?),
            same(tile("tile/1/000")?),
            same(format!("{}/tile/nonsense", paths::feed(origin))),
        ],
        ("GET", paths::SINCE) => vec![
            get(paths::since(origin, 0)),
            get(paths::since(origin, size)),
            get(paths::since(origin, size + 1)),
            same(format!("{}/since/x", paths::feed(origin))),
        ],
        ("GET", paths::SEGMENT) => vec![same(paths::segment(origin, 0))],
        ("GET", paths::BODY) => vec![
            get(paths::body(origin, 0)),
            get(paths::body(origin, feed.record.index)),
            get(paths::body(origin, feed.erased.index)),
            same(paths::body(origin, size)),
        ],
        ("GET", paths::PROOF) => {
            vec![get(paths::proof(origin, 0)), same(paths::proof(origin, size))]
        }
        ("GET", paths::COSIGNATURES) => vec![get(paths::cosignatures(origin))],
        ("POST", paths::COSIGNATURES) => vec![post(paths::cosignatures(origin))],
        ("GET", paths::ANCHORS) => vec![same(paths::anchors(origin))],
        ("GET", paths::EVIDENCE) => vec![same(format!("{}/evidence", paths::feed(origin)))],
        ("GET", paths::FILE) => vec![same(paths::file(origin, &tlog::hash::Hash::EMPTY_ROOT))],
        ("GET", paths::FEED) => {
            vec![get(paths::feed(origin)), get(format!("{}?before=3", paths::feed(origin)))]
        }
        _ => bail!(
            "{route:?} has no request in the access matrix: add one, and say what it may tell"
        ),
    })
}

fn filled(pattern: &str, origin: &Origin) -> String {
    pattern.replace("{node}", origin.node().as_str()).replace("{feed}", origin.feed().as_str())
}
