//! The addresses of the public site: search, directories, comparison, and what other programs harvest.

/// Page: what was found.
pub const SEARCH: &str = "/search";
/// `GET`: what was found; answers [`crate::api::search::SearchAnswer`].
pub const API_SEARCH: &str = "/api/v1/search";
/// What was found, as a table.
pub const SEARCH_CSV: &str = "/search.csv";
/// What was found, as an Atom feed, newest first, with tombstones.
pub const SEARCH_ATOM: &str = "/search.atom";
/// What was found, as a JSON Feed, newest first.
pub const SEARCH_JSON_FEED: &str = "/search.json-feed";
/// Page: the whole collection as one file.
pub const DOWNLOAD: &str = "/download";
/// All public feeds held here, a bundle.
pub const DOWNLOAD_COLLECTION: &str = "/download/collection.jpb";
/// Page: the States about which records are held here.
pub const STATES: &str = "/states";
/// Page: a State and its mechanisms; `code` is ISO 3166-1 alpha-2.
pub const STATE: &str = "/states/{code}";
/// The profiles of a State as a document.
pub const PROFILE_DOCX: &str = "/states/{code}/profile.docx";
/// The profiles of a State as data: `{"state","profiles"}`.
pub const PROFILE_JSON: &str = "/states/{code}/profile.json";
/// Page: profiles side by side, `?state=A&state=B`.
pub const COMPARE: &str = "/compare";
/// Page: a group of the network of `node`; `id` is that of its record, without `urn:uuid:`.
pub const GROUP: &str = "/groups/{node}/{id}";
/// Page: all topics.
pub const TOPICS: &str = "/topics";
/// Page: a topic.
pub const TOPIC: &str = "/topics/{code}";
/// Page: the Sustainable Development Goals.
pub const SDGS: &str = "/sdgs";
/// Page: a Goal or a target.
pub const SDG: &str = "/sdgs/{code}";
/// Page: the human rights mechanisms.
pub const HUMAN_RIGHTS_MECHANISMS: &str = "/human-rights-mechanisms";
/// Page: a human rights mechanism.
pub const HUMAN_RIGHTS_MECHANISM: &str = "/human-rights-mechanisms/{code}";
/// Page: what was withdrawn.
pub const WITHDRAWALS: &str = "/withdrawals";
/// Page: how the copies held here stand.
pub const NETWORK_STATUS: &str = "/network-status";

/// The map of the site for search engines, and its parts.
pub const SITEMAP: &str = "/sitemap.xml";
/// What crawlers need not read.
pub const ROBOTS: &str = "/robots.txt";
/// Where to report a weakness (RFC 9116).
pub const SECURITY: &str = "/.well-known/security.txt";
/// Page: how far everybody can use this site.
pub const ACCESSIBILITY: &str = "/accessibility";
/// Page: what running a node costs, as measured.
pub const COST: &str = "/cost";

/// [`STATE`]
pub fn state(code: &str) -> String {
    format!("{STATES}/{code}")
}

/// [`GROUP`]
pub fn group(node: &tlog::name::NodeName, id: &practice::id::RecordId) -> String {
    let urn = id.to_string();
    format!("/groups/{node}/{}", urn.strip_prefix("urn:uuid:").unwrap_or(&urn))
}
