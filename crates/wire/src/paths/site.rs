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
