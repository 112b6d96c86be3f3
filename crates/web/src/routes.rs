//! The one table of routes: what is answered where, for whom, and by which function.
//!
//! The router, the description of the API and the test that asks every route are made from it.

use axum::Router;
use axum::middleware::{from_fn_with_state, map_response};
use axum::routing::{MethodRouter, any, get, post};
use http::Method;
use tower_http::compression::CompressionLayer;
use wire::paths;

use crate::app::{App, Audience};
use crate::memory::note_length;
use crate::{
    answer::Answer, api, around, bundles, caller, crawlers, descriptions, download, feed_objects,
    news, oai, openapi, operator, pages, receipts, search_api, witness,
};

/// One route.
pub struct Route {
    /// `GET` (which answers `HEAD` too) or `POST`.
    pub method: Method,
    /// Its path, in axum's syntax; from [`wire::paths`].
    pub pattern: &'static str,
    /// Who may use it.
    pub audience: Audience,
    /// Whether its bytes arrive as they are, or may be compressed on their way.
    pub form: Form,
    /// What it answers, for the description of the API; empty for pages.
    pub summary: &'static str,
    make: fn() -> MethodRouter<App>,
}

/// How an answer travels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Byte for byte: what is verified.
    Exact,
    /// Compressed if the client can read that: pages and JSON.
    Loose,
}

impl std::fmt::Debug for Route {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} {}", self.method, self.pattern)
    }
}

const fn exact(
    pattern: &'static str,
    make: fn() -> MethodRouter<App>,
    summary: &'static str,
) -> Route {
    let (method, audience, form) = (Method::GET, Audience::Everyone, Form::Exact);
    Route { method, pattern, audience, form, summary, make }
}

const fn loose(
    pattern: &'static str,
    make: fn() -> MethodRouter<App>,
    summary: &'static str,
) -> Route {
    let (method, audience, form) = (Method::GET, Audience::Everyone, Form::Loose);
    Route { method, pattern, audience, form, summary, make }
}

const fn page(pattern: &'static str, make: fn() -> MethodRouter<App>) -> Route {
    loose(pattern, make, "")
}

/// Takes something signed, from anybody: who signed decides.
const fn taken(
    pattern: &'static str,
    make: fn() -> MethodRouter<App>,
    summary: &'static str,
) -> Route {
    let (method, audience, form) = (Method::POST, Audience::Everyone, Form::Exact);
    Route { method, pattern, audience, form, summary, make }
}

/// Asked with a form, by anybody; changes nothing.
const fn posted(
    pattern: &'static str,
    make: fn() -> MethodRouter<App>,
    summary: &'static str,
) -> Route {
    let (method, audience, form) = (Method::POST, Audience::Everyone, Form::Loose);
    Route { method, pattern, audience, form, summary, make }
}

const fn for_operator(
    pattern: &'static str,
    make: fn() -> MethodRouter<App>,
    summary: &'static str,
) -> Route {
    let (method, audience, form) = (Method::POST, Audience::Operator, Form::Loose);
    Route { method, pattern, audience, form, summary, make }
}

const fn operator_reads(
    pattern: &'static str,
    make: fn() -> MethodRouter<App>,
    summary: &'static str,
) -> Route {
    let (method, audience, form) = (Method::GET, Audience::Operator, Form::Loose);
    Route { method, pattern, audience, form, summary, make }
}

/// Every route of a node.
#[rustfmt::skip]
pub static ROUTES: &[Route] = &[
    // The protocol (design 4.6).
    exact(paths::WELL_KNOWN, || get(descriptions::well_known), "The node record: what this node says of itself"),
    exact(paths::HEADS, || get(descriptions::heads), "Origin, size and root of every feed; waits for news with Prefer: wait and If-None-Match"),
    exact(paths::WHOAMI, || get(caller::whoami), "Who the caller is taken for, and what is wrong with its signature"),
    exact(paths::CHECKPOINT, || get(feed_objects::checkpoint), "C2SP tlog-tiles: the signed checkpoint"),
    exact(paths::TILE, || get(feed_objects::tile), "C2SP tlog-tiles: a hash tile or a bundle of entries"),
    exact(paths::SINCE, || get(feed_objects::since), "What follows a size: the head, or commits; waits for news with Prefer: wait"),
    exact(paths::SEGMENT, || get(feed_objects::segment), "A sealed segment, one zstd frame"),
    exact(paths::BODY, || get(feed_objects::body), "The body at an entry, a Verifiable Credential"),
    exact(paths::PROOF, || get(feed_objects::proof), "C2SP tlog-proof of an entry"),
    exact(paths::COSIGNATURES, || get(feed_objects::cosignatures), "The cosigner lines known for a feed"),
    taken(paths::COSIGNATURES, || post(receipts::take), "A cosignature of one's own: a checkpoint of the feed, the line of its log, one's own line"),
    taken(paths::BUNDLES, || post(bundles::take), "What a known node pushes, as a bundle: its feeds, cosignatures, evidence of forks"),
    taken(paths::ADD_CHECKPOINT, || post(witness::add_checkpoint), "C2SP tlog-witness: cosigns a checkpoint"),
    exact(paths::WITNESS_CHECKPOINT, || get(witness::checkpoint), "The last checkpoint this witness cosigned of a log, by the SHA-256 of its origin"),
    exact(paths::ANCHORS, || get(feed_objects::anchors), "The approvals behind a network's effective records"),
    exact(paths::EVIDENCE, || get(feed_objects::evidence), "The evidence that two histories of a feed were signed, if there is any"),
    exact(paths::FILE, || get(feed_objects::file), "An attachment"),
    exact(paths::BODIES, || get(descriptions::bodies), "One body by its hash"),
    // For programs.
    loose(paths::API_NODE, || get(api::node), "What this node is"),
    loose(paths::API_FEEDS, || get(api::feeds), "The feeds held, own ones first"),
    loose(paths::API_RECORDS, || get(api::records), "Current records, newest first"),
    loose(paths::API_RECORD, || get(api::record), "One record with its history"),
    loose(paths::API_PEERS, || get(api::peers), "The nodes followed"),
    loose(paths::API_NETWORKS, || get(operator::network::networks), "The networks known here: who takes part, what waits"),
    loose(paths::site::API_SEARCH, || get(search_api::json), "Records found by words and filters, with counts of what narrows them down"),
    loose(paths::site::SEARCH_CSV, || get(search_api::csv), "Records found, as a table"),
    loose(paths::site::SEARCH_ATOM, || get(news::atom), "News of a search as Atom, with what was withdrawn"),
    loose(paths::site::SEARCH_JSON_FEED, || get(news::json_feed), "News of a search as JSON Feed, with what was withdrawn"),
    loose(paths::site::SITEMAP, || get(crawlers::sitemap), "The map of the site, and its parts"),
    loose(paths::site::ROBOTS, || get(crawlers::robots), "What crawlers need not read"),
    exact(paths::site::DOWNLOAD_COLLECTION, || get(download::collection), "All public feeds held here as one bundle, with their proofs"),
    exact(paths::site::PROFILE_DOCX, || get(pages::profile_docx), "The profiles of a State as a document, in the order of the Knowledge Gateway"),
    loose(paths::site::PROFILE_JSON, || get(pages::profile_json), "The profiles of a State as data, in the order of the Knowledge Gateway"),
    loose(paths::OPENAPI, || get(openapi::document), "This description"),
    loose(paths::SCHEMA, || get(descriptions::schema), "JSON Schema of a kind of record"),
    loose(paths::CONTEXT, || get(descriptions::context), "JSON-LD context of all records"),
    exact(paths::LIVEZ, || get(descriptions::livez), "The process runs"),
    loose(paths::READYZ, || get(descriptions::readyz), "It can serve and write"),
    loose(paths::site::SECURITY, || get(crawlers::security), "Where to report a weakness (RFC 9116), if the operator says it"),
    loose(paths::OAI, || get(oai::get), "OAI-PMH 2.0"),
    posted(paths::OAI, || post(oai::post), "OAI-PMH 2.0, with the arguments as a form"),
    loose(paths::OAI_SCHEMA, || get(oai::schema), "The XML Schema of our metadata format"),
    // For the operator, over the control socket.
    for_operator(paths::API_PUBLISH, || post(operator::publish), "Publish drafts, all or none"),
    for_operator(paths::API_WITHDRAW, || post(operator::withdraw), "Withdraw a record"),
    for_operator(paths::API_FEED_NEW, || post(operator::feeds::new), "Begin a feed that only some may read"),
    for_operator(paths::API_FOLLOW, || post(operator::follow), "Look at a node, and follow it"),
    for_operator(paths::API_UNFOLLOW, || post(operator::unfollow), "Follow a node no longer"),
    for_operator(paths::API_PROBE, || post(operator::probe), "Every step of reaching a node"),
    for_operator(paths::API_PEER_SYNC, || post(operator::sync), "One round with a node now"),
    for_operator(paths::API_REBUILD, || post(operator::rebuild), "The catalog anew from the facts"),
    operator_reads(paths::API_GUARD, || get(operator::guard::states), "Whether each own feed may be signed"),
    for_operator(paths::API_RESTORE, || post(operator::guard::restore), "Own feeds from whoever holds more of them"),
    for_operator(paths::API_BUNDLE_EXPORT, || post(operator::guard::export), "Write a bundle or a backup"),
    for_operator(paths::API_BUNDLE_IMPORT, || post(operator::guard::import), "Take a bundle in"),
    operator_reads(paths::API_COPIES, || get(operator::guard::status), "What is being packed or taken in, and what the last scrub found"),
    for_operator(paths::API_SCRUB, || post(operator::guard::scrub), "Read everything back, and heal what is damaged"),
    operator_reads(paths::API_FAULTS, || get(operator::faults::list), "Feeds of which two versions were signed"),
    for_operator(paths::API_FAULTS_SETTLE, || post(operator::faults::settle), "What becomes of a copy that stands still"),
    operator_reads(paths::API_KEYS, || get(operator::keys::status), "Every key of this node"),
    for_operator(paths::API_KEYS_PREPARE, || post(operator::keys::prepare), "What is to be signed for a change of keys"),
    for_operator(paths::API_KEYS_PUBLISH, || post(operator::keys::publish), "Publish a signed node record"),
    for_operator(paths::API_KEYS_UNLOCK, || post(operator::keys::unlock), "Unlock the online secret"),
    operator_reads(paths::API_CALENDAR, || get(operator::keys::calendar), "What ends or is due"),
    operator_reads(paths::API_STATUS, || get(operator::status::status), "What is known of this node at a glance"),
    for_operator(paths::API_DOCTOR, || post(operator::keys::doctor), "How this node is, from inside and outside"),
    operator_reads(paths::METRICS, || get(operator::metrics), "Figures as OpenMetrics text"),
    for_operator(paths::API_NETWORK_INIT, || post(operator::network::init), "This node becomes a network's own"),
    for_operator(paths::API_NETWORK_FILE, || post(operator::network::file), "The network file of today"),
    for_operator(paths::API_NETWORK_PIN, || post(operator::network::pin), "Look at a network file, and follow the network"),
    for_operator(paths::API_NETWORK_DECIDE, || post(operator::network::decide), "Record a decision of the network"),
    for_operator(paths::API_NETWORK_APPROVE, || post(operator::network::approve), "Look at a record, and approve it"),
    for_operator(paths::API_NETWORK_APPROVALS, || post(operator::network::approvals), "Take approvals that came by mail"),
    for_operator(paths::API_NETWORK_ANSWER, || post(operator::network::answer), "The answer to mail to a participant"),
    for_operator(paths::API_NETWORK_JOIN, || post(operator::network::join), "Ask to take part: the request to mail"),
    for_operator(paths::API_NETWORK_TAKE, || post(operator::network::take), "Take the answer of a network"),
    // For people.
    page(paths::HOME, || get(pages::home)),
    page(paths::site::SEARCH, || get(pages::search)),
    page(paths::site::DOWNLOAD, || get(pages::download)),
    page(paths::FEED, || get(pages::feed)),
    page(paths::RECORD, || get(pages::record)),
    page(paths::NODE, || get(pages::node)),
    page(paths::PEERS, || get(pages::nodes)),
    page(paths::NETWORK, || get(pages::network)),
    page(paths::site::STATES, || get(pages::states)),
    page(paths::site::STATE, || get(pages::state)),
    page(paths::site::COMPARE, || get(pages::compare)),
    page(paths::site::GROUP, || get(pages::group)),
    page(paths::site::TOPICS, || get(pages::topics)),
    page(paths::site::TOPIC, || get(pages::topic)),
    page(paths::site::SDGS, || get(pages::goals)),
    page(paths::site::SDG, || get(pages::goal)),
    page(paths::site::HUMAN_RIGHTS_MECHANISMS, || get(pages::mechanisms)),
    page(paths::site::HUMAN_RIGHTS_MECHANISM, || get(pages::mechanism)),
    page(paths::site::WITHDRAWALS, || get(pages::withdrawals)),
    page(paths::site::NETWORK_STATUS, || get(pages::network_status)),
    operator_reads(paths::STATUS, || get(pages::health), ""),
    page(paths::ABOUT, || get(pages::about)),
    page(paths::site::COST, || get(pages::cost)),
    page(paths::site::ACCESSIBILITY, || get(pages::accessibility)),
    page(paths::PROBLEM, || get(pages::problem)),
    page(paths::ASSET, || get(pages::asset)),
];

/// What anybody may ask of a node.
pub fn public(app: App) -> Router {
    router(App { audience: Audience::Everyone, ..app })
}

/// What the operator may ask besides, for the control socket and for commands without a server.
pub fn operator(app: App) -> Router {
    router(App { audience: Audience::Operator, ..app })
}

/// What a monitoring system may ask at `operator.listen`: whoever reaches that port may read it, so there is
/// nothing else.
pub fn monitor(app: App) -> Router {
    router(App { audience: Audience::Monitor, ..app })
}

/// What is answered to a monitoring system.
const MONITORED: [&str; 3] = [paths::METRICS, paths::LIVEZ, paths::READYZ];

fn router(app: App) -> Router {
    let monitor = app.audience == Audience::Monitor;
    let group = |form: Form| {
        let routes = ROUTES.iter().filter(move |route| route.form == form);
        let routes = routes.filter(|route| !monitor || MONITORED.contains(&route.pattern));
        routes.fold(Router::new(), |router, route| {
            let allowed =
                route.audience == Audience::Everyone || app.audience != Audience::Everyone;
            let make = if allowed { (route.make)() } else { any(operator_only) };
            router.route(route.pattern, make)
        })
    };
    let loose = group(Form::Loose).layer(map_response(note_length)).layer(CompressionLayer::new());
    let routes = group(Form::Exact).merge(loose);
    let routes =
        if monitor { routes.fallback(operator_only) } else { routes.fallback(nothing_here) };
    routes
        .method_not_allowed_fallback(other_method)
        .layer(from_fn_with_state(app.clone(), around::every_request))
        .with_state(app)
}

async fn nothing_here(request: axum::extract::Request) -> Answer {
    Answer::not_found(format!("address `{}`", request.uri().path()))
}

async fn other_method() -> Answer {
    Answer::MethodNotAllowed
}

async fn operator_only() -> Answer {
    Answer::OperatorOnly
}
