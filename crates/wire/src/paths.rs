//! Every URL of a node: as the pattern of a route (axum's syntax) and as a function that fills it.
//!
//! Paths are relative to a base URL of the node and begin with `/`. No part of them needs escaping:
//! names, numbers, UUIDs and hashes are made of letters, digits, `-`, `.` and `:`.
//!
//! Pages for people, beside the protocol of design 4.6:
//!
//! | page | shows |
//! |---|---|
//! | [`HOME`] | what this node is, its feeds, the newest records |
//! | [`FEED`] | one feed: its state and its records |
//! | [`RECORD`] | one record in all its languages, who says so, and the proof part |
//! | [`NODE`] | what a node says of itself, and its feeds held here |
//! | [`PEERS`] | the nodes this one follows, and how fresh each copy is |
//! | [`PROBLEM`] | what a problem means and what to do |
//! | [`NETWORK`] | who takes part in a network, who decides, and how fresh that is |
//! | [`ABOUT`] | what this software is, and how to check a record without it |

use practice::id::RecordId;
use tlog::hash::Hash;
use tlog::name::{NodeName, Origin};
use tlog::tile::TilePath;

pub mod site;

/// OAI-PMH 2.0.
pub const OAI: &str = "/oai";
/// The XML Schema of the metadata format `practice`.
pub const OAI_SCHEMA: &str = "/oai/practice.xsd";
/// The node record's bytes; always public.
pub const WELL_KNOWN: &str = "/.well-known/jopoi";
/// Size, origin and root of every feed held; JSON, see [`crate::heads`].
pub const HEADS: &str = "/heads";
/// Who the caller is taken for, and what is wrong with its signature; JSON, [`crate::api::WhoAmI`].
pub const WHOAMI: &str = "/whoami";
/// `POST`: push from a node that cannot be reached.
pub const BUNDLES: &str = "/bundles";
/// C2SP tlog-witness.
pub const ADD_CHECKPOINT: &str = "/add-checkpoint";
/// The last checkpoint this node cosigned of an origin, by the hex SHA-256 of the origin.
pub const WITNESS_CHECKPOINT: &str = "/witness/{hash}/checkpoint";

/// The signed note of the newest commit.
pub const CHECKPOINT: &str = "/feeds/{node}/{feed}/checkpoint";
/// C2SP tiles; `path` is what follows `tile/`.
pub const TILE: &str = "/feeds/{node}/{feed}/tile/{*path}";
/// What follows a size: 200 with a head or commits, 204 for nothing new, or 409 with the signed note
/// of the last commit as [`crate::media::TEXT`] if the feed is shorter.
pub const SINCE: &str = "/feeds/{node}/{feed}/since/{size}";
/// A sealed segment.
pub const SEGMENT: &str = "/feeds/{node}/{feed}/segment/{number}";
/// The body at an entry.
pub const BODY: &str = "/feeds/{node}/{feed}/body/{index}";
/// The `.tlog-proof` of an entry for the newest size.
pub const PROOF: &str = "/feeds/{node}/{feed}/proof/{index}";
/// An attachment, by the hex of its SHA-256.
pub const FILE: &str = "/feeds/{node}/{feed}/file/{hash}";
/// `GET`: the cosigner lines known for a feed (`JPC1`). `POST`: a cosignature of one's own, a note.
pub const COSIGNATURES: &str = "/feeds/{node}/{feed}/cosignatures";
/// The approvals behind a network's effective records.
pub const ANCHORS: &str = "/feeds/{node}/{feed}/anchors";
/// The evidence that two histories of a feed were signed, if there is any; JSON, at most 512 KiB.
pub const EVIDENCE: &str = "/feeds/{node}/{feed}/evidence";
/// One body by `sha256:HEX`, from whichever feed it stands in.
pub const BODIES: &str = "/bodies/{hash}";

/// `GET`: what this node is; answers [`crate::api::NodeInfo`].
pub const API_NODE: &str = "/api/v1/node";
/// `GET`: the feeds held; answers [`crate::api::Feeds`].
pub const API_FEEDS: &str = "/api/v1/feeds";
/// `POST`, operator only: [`crate::api::NewFeedRequest`] to [`crate::api::NewFeedAnswer`].
pub const API_FEED_NEW: &str = "/api/v1/feeds/new";
/// `GET ?feed=&kind=&before=&limit=`: [`crate::api::RecordsQuery`] to [`crate::api::Records`].
pub const API_RECORDS: &str = "/api/v1/records";
/// `GET`: one record; answers [`crate::api::Record`].
pub const API_RECORD: &str = "/api/v1/records/{node}/{feed}/{uuid}";
/// `GET`: the nodes followed; answers [`crate::api::Peers`].
pub const API_PEERS: &str = "/api/v1/peers";
/// `POST`, operator only: [`crate::api::PublishRequest`] to [`crate::api::PublishAnswer`].
pub const API_PUBLISH: &str = "/api/v1/publish";
/// `POST`, operator only: [`crate::api::WithdrawRequest`] to [`crate::api::PublishedEntry`].
pub const API_WITHDRAW: &str = "/api/v1/withdraw";
/// `POST`, operator only: [`crate::api::FollowRequest`] to [`crate::api::FollowAnswer`].
pub const API_FOLLOW: &str = "/api/v1/follow";
/// `POST`, operator only: [`crate::api::UnfollowRequest`] to [`crate::api::Peers`].
pub const API_UNFOLLOW: &str = "/api/v1/unfollow";
/// `POST`, operator only: [`crate::api::ProbeRequest`] to [`crate::api::ProbeAnswer`].
pub const API_PROBE: &str = "/api/v1/probe";
/// `POST`, operator only, no body: one round now; answers [`crate::api::Peer`].
pub const API_PEER_SYNC: &str = "/api/v1/peers/{node}/sync";
/// `POST`, operator only, no body: the catalog anew from the facts; answers [`crate::api::RebuildAnswer`].
pub const API_REBUILD: &str = "/api/v1/rebuild";
/// `GET`, operator only: whether each own feed may be signed; answers [`crate::api::guard::GuardAnswer`].
pub const API_GUARD: &str = "/api/v1/guard";
/// `POST`, operator only: [`crate::api::guard::RestoreRequest`] to [`crate::api::guard::RestoreAnswer`].
pub const API_RESTORE: &str = "/api/v1/restore";
/// `POST`, operator only: [`crate::api::guard::PackRequest`] to [`crate::api::guard::PackAnswer`].
pub const API_BUNDLE_EXPORT: &str = "/api/v1/bundle/export";
/// `POST`, operator only: [`crate::api::guard::ImportRequest`] to [`crate::api::guard::ImportAnswer`].
pub const API_BUNDLE_IMPORT: &str = "/api/v1/bundle/import";
/// `GET`: what is being packed or taken in, and what the last scrub found; [`crate::api::guard::CopiesStatus`].
pub const API_COPIES: &str = "/api/v1/copies";
/// `POST`: read everything back, and heal what is damaged.
pub const API_SCRUB: &str = "/api/v1/scrub";
/// `GET`: the networks known here; answers [`crate::api::network::Networks`].
pub const API_NETWORKS: &str = "/api/v1/networks";
/// `POST`, operator only: [`crate::api::network::InitRequest`] to [`crate::api::network::NetworkFileAnswer`].
pub const API_NETWORK_INIT: &str = "/api/v1/network/init";
/// `POST`, operator only: [`crate::api::network::NetworkFileRequest`] to [`crate::api::network::NetworkFileAnswer`].
pub const API_NETWORK_FILE: &str = "/api/v1/network/file";
/// `POST`, operator only: [`crate::api::network::PinNetworkRequest`] to [`crate::api::network::NetworkFileAnswer`].
pub const API_NETWORK_PIN: &str = "/api/v1/network/pin";
/// `POST`, operator only: [`crate::api::network::DecideRequest`] to [`crate::api::network::DecideAnswer`].
pub const API_NETWORK_DECIDE: &str = "/api/v1/network/decide";
/// `POST`, operator only: [`crate::api::network::ApproveRequest`] to [`crate::api::network::ApproveAnswer`].
pub const API_NETWORK_APPROVE: &str = "/api/v1/network/approve";
/// `POST`, operator only: [`crate::api::network::ImportApprovalsRequest`] to
/// [`crate::api::network::ImportApprovalsAnswer`].
pub const API_NETWORK_APPROVALS: &str = "/api/v1/network/approvals";
/// `POST`, operator only: [`crate::api::network::AnswerRequest`] to [`crate::api::network::MailAnswer`].
pub const API_NETWORK_ANSWER: &str = "/api/v1/network/answer";
/// `POST`, operator only: [`crate::api::network::JoinRequest`] to [`crate::api::network::MailAnswer`].
pub const API_NETWORK_JOIN: &str = "/api/v1/network/join";
/// `POST`, operator only: [`crate::api::network::TakeAnswerRequest`] to [`crate::api::network::MailAnswer`].
pub const API_NETWORK_TAKE: &str = "/api/v1/network/take";
/// `GET`, operator only: every key; answers [`crate::api::keys::KeysStatus`].
pub const API_KEYS: &str = "/api/v1/keys";
/// `POST`, operator only: [`crate::api::keys::PrepareRequest`] to [`crate::api::keys::PrepareAnswer`].
pub const API_KEYS_PREPARE: &str = "/api/v1/keys/prepare";
/// `POST`, operator only: [`crate::api::keys::NodeRecordRequest`] to [`crate::api::keys::NodeRecordAnswer`].
pub const API_KEYS_PUBLISH: &str = "/api/v1/keys/publish";
/// `POST`, operator only: [`crate::api::keys::UnlockRequest`] to [`crate::api::keys::KeysStatus`].
pub const API_KEYS_UNLOCK: &str = "/api/v1/keys/unlock";
/// `GET`, operator only: what ends or is due; answers [`crate::api::keys::Calendar`].
pub const API_CALENDAR: &str = "/api/v1/calendar";
/// `POST`, operator only, no body: from inside and outside; answers [`crate::api::keys::DoctorAnswer`].
pub const API_DOCTOR: &str = "/api/v1/doctor";
/// `GET`, operator only: what is known of this node; answers [`crate::api::status::NodeStatus`].
pub const API_STATUS: &str = "/api/v1/status";
/// `GET`, operator only: feeds of which two versions were signed; answers [`crate::api::faults::Faults`].
pub const API_FAULTS: &str = "/api/v1/faults";
/// `POST`, operator only: [`crate::api::faults::SettleRequest`] to [`crate::api::faults::Faults`].
pub const API_FAULTS_SETTLE: &str = "/api/v1/faults/settle";
/// The description of the API.
pub const OPENAPI: &str = "/openapi.json";
/// The JSON Schema of a kind; `name` is `KIND.json`.
pub const SCHEMA: &str = "/schemas/{name}";
/// The JSON-LD context.
pub const CONTEXT: &str = "/ns/v1";

/// The process runs.
pub const LIVEZ: &str = "/livez";
/// It can serve and write; JSON with reasons.
pub const READYZ: &str = "/readyz";
/// Measurements, on the operator's listener only.
pub const METRICS: &str = "/metrics";

/// Page: what this node is.
pub const HOME: &str = "/";
/// Page: one feed.
pub const FEED: &str = "/feeds/{node}/{feed}";
/// Page: one record; `uuid` is its id without `urn:uuid:`.
pub const RECORD: &str = "/records/{node}/{feed}/{uuid}";
/// Page: a node.
pub const NODE: &str = "/nodes/{node}";
/// Page: the nodes followed.
pub const PEERS: &str = "/peers";
/// Page: a network.
pub const NETWORK: &str = "/networks/{node}";
/// Page, operator only: how this node stands.
pub const STATUS: &str = "/status";
/// Page: this software.
pub const ABOUT: &str = "/about";
/// Page: what a problem means.
pub const PROBLEM: &str = "/problems/{name}";
/// Style sheet, drawings, icon.
pub const ASSET: &str = "/assets/{*path}";

/// [`WITNESS_CHECKPOINT`] for the SHA-256 of an origin.
pub fn witness_checkpoint(origin_hash: &Hash) -> String {
    format!("/witness/{}/checkpoint", origin_hash.to_hex())
}

/// [`NETWORK`]
pub fn network(node: &NodeName) -> String {
    format!("/networks/{node}")
}

/// [`CHECKPOINT`]
pub fn checkpoint(origin: &Origin) -> String {
    format!("/feeds/{origin}/checkpoint")
}

/// [`TILE`]
pub fn tile(origin: &Origin, tile: &TilePath) -> String {
    format!("/feeds/{origin}/{tile}")
}

/// [`SINCE`]
pub fn since(origin: &Origin, size: u64) -> String {
    format!("/feeds/{origin}/since/{size}")
}

/// [`SEGMENT`]
pub fn segment(origin: &Origin, number: u64) -> String {
    format!("/feeds/{origin}/segment/{number}")
}

/// [`BODY`]
pub fn body(origin: &Origin, index: u64) -> String {
    format!("/feeds/{origin}/body/{index}")
}

/// [`PROOF`]
pub fn proof(origin: &Origin, index: u64) -> String {
    format!("/feeds/{origin}/proof/{index}")
}

/// [`FILE`]
pub fn file(origin: &Origin, hash: &Hash) -> String {
    format!("/feeds/{origin}/file/{}", hash.to_hex())
}

/// [`COSIGNATURES`]
pub fn cosignatures(origin: &Origin) -> String {
    format!("/feeds/{origin}/cosignatures")
}

/// [`ANCHORS`]
pub fn anchors(origin: &Origin) -> String {
    format!("/feeds/{origin}/anchors")
}

/// [`EVIDENCE`]
pub fn evidence(origin: &Origin) -> String {
    format!("/feeds/{origin}/evidence")
}

/// [`BODIES`]
pub fn bodies(hash: &Hash) -> String {
    format!("/bodies/sha256:{}", hash.to_hex())
}

/// [`API_RECORD`]
pub fn api_record(origin: &Origin, id: &RecordId) -> String {
    format!("{API_RECORDS}/{origin}/{}", uuid(id))
}

/// [`API_RECORDS`] of one feed, from the newest or from below entry `before`.
pub fn api_records(origin: &Origin, before: Option<u64>) -> String {
    match before {
        Some(index) => format!("{API_RECORDS}?feed={origin}&before={index}"),
        None => format!("{API_RECORDS}?feed={origin}"),
    }
}

/// [`API_PEER_SYNC`]
pub fn api_peer_sync(node: &NodeName) -> String {
    format!("{API_PEERS}/{node}/sync")
}

/// [`SCHEMA`] of a kind, such as `good-practice`.
pub fn schema(kind: &str) -> String {
    format!("/schemas/{kind}.json")
}

/// [`FEED`]
pub fn feed(origin: &Origin) -> String {
    format!("/feeds/{origin}")
}

/// [`RECORD`]
pub fn record(origin: &Origin, id: &RecordId) -> String {
    format!("/records/{origin}/{}", uuid(id))
}

/// [`NODE`]
pub fn node(node: &NodeName) -> String {
    format!("/nodes/{node}")
}

/// [`PROBLEM`]: the `type` of a problem, by its name.
pub fn problem(name: &str) -> String {
    format!("/problems/{name}")
}

/// The feed a path below `/feeds/` speaks of, and the rest (without a `/` before it, empty for the
/// page of the feed).
pub fn split_feed(path: &str) -> Option<(Origin, &str)> {
    let below = path.strip_prefix("/feeds/")?;
    let mut slashes = below.match_indices('/').map(|(at, _)| at).skip(1);
    let end = slashes.next().unwrap_or(below.len());
    let (origin, rest) = below.split_at_checked(end)?;
    Some((Origin::parse(origin).ok()?, rest.strip_prefix('/').unwrap_or(rest)))
}

/// The record a page or an answer of the API is about: the inverse of [`record`] and [`api_record`].
pub fn split_record(path: &str) -> Option<(Origin, RecordId)> {
    let path = path.strip_prefix("/api/v1").unwrap_or(path);
    let (origin, uuid) = path.strip_prefix("/records/")?.rsplit_once('/')?;
    Some((Origin::parse(origin).ok()?, record_id(uuid)?))
}

/// The id of a record from the last part of its path.
pub fn record_id(uuid: &str) -> Option<RecordId> {
    RecordId::parse(&format!("urn:uuid:{uuid}")).ok()
}

/// The hash in the last part of [`BODIES`] (`sha256:HEX`), [`FILE`] or [`WITNESS_CHECKPOINT`] (`HEX`),
/// 64 lower-case digits.
pub fn hash(part: &str) -> Option<Hash> {
    Hash::from_hex(part.strip_prefix("sha256:").unwrap_or(part)).ok()
}

/// A number in a path: decimal digits without leading zeros, at most 2^53-1.
pub fn number(part: &str) -> Option<u64> {
    let plain = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let padded = part.len() > 1 && part.starts_with('0');
    if !plain || padded {
        return None;
    }
    part.parse().ok().filter(|&number: &u64| number < 1 << 53)
}

/// `path` below a base URL, which may or may not end with `/` and may itself have a path.
pub fn below(base_url: &str, path: &str) -> String {
    format!("{}{path}", base_url.trim_end_matches('/'))
}

fn uuid(id: &RecordId) -> String {
    let urn = id.to_string();
    urn.strip_prefix("urn:uuid:").map_or_else(|| urn.clone(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    const UUID: &str = "0b8f4c2e-8d3a-4f6b-9c1d-2e3f4a5b6c7d";

    fn origin() -> Origin {
        Origin::parse("simore.gov.py/public").unwrap()
    }

    #[test]
    fn a_feed_is_found_again_in_every_path_below_it() {
        let place = TilePath::parse("tile/0/x001/234").unwrap();
        for (path, rest) in [
            (feed(&origin()), ""),
            (checkpoint(&origin()), "checkpoint"),
            (tile(&origin(), &place), "tile/0/x001/234"),
            (since(&origin(), 7), "since/7"),
            (segment(&origin(), 0), "segment/0"),
            (body(&origin(), 12), "body/12"),
            (proof(&origin(), 12), "proof/12"),
            (cosignatures(&origin()), "cosignatures"),
        ] {
            assert_eq!(split_feed(&path), Some((origin(), rest)), "{path}");
        }
        for path in
            ["/feeds/", "/feeds/a", "/feeds//public", "/feed/a.example/public", "/feeds/A.b/public"]
        {
            assert_eq!(split_feed(path), None, "{path}");
        }
    }

    #[test]
    fn a_record_is_found_again_in_its_page_and_in_the_api() {
        let id = record_id(UUID).unwrap();
        let page = record(&origin(), &id);
        assert_eq!(page, format!("/records/simore.gov.py/public/{UUID}"));
        assert_eq!(split_record(&page), Some((origin(), id)));
        assert_eq!(split_record(&api_record(&origin(), &id)), Some((origin(), id)));
        assert_eq!(split_record("/records/simore.gov.py/public/7"), None);
        assert_eq!(split_record(&page.to_uppercase()), None);
    }

    #[test]
    fn hashes_are_named_in_one_way_only() {
        let digest = Hash::from([0xab; 32]);
        let path = bodies(&digest);
        assert_eq!(path, format!("/bodies/sha256:{}", "ab".repeat(32)));
        assert_eq!(hash(path.rsplit('/').next().unwrap()), Some(digest));
        assert_eq!(hash(&"ab".repeat(32)), Some(digest));
        assert_eq!(hash(&"AB".repeat(32)), None);
        assert_eq!(hash(&"ab".repeat(31)), None);
    }

    #[test]
    fn numbers_are_written_in_one_way_only() {
        assert_eq!(number("0"), Some(0));
        assert_eq!(number("9007199254740991"), Some((1 << 53) - 1));
        for bad in ["", "00", "01", "+1", "-1", "1.0", "9007199254740992", "99999999999999999999"] {
            assert_eq!(number(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_base_url_may_end_with_a_slash_and_have_a_path() {
        assert_eq!(below("https://a.example/", "/heads"), "https://a.example/heads");
        assert_eq!(below("https://a.example/jopoi", "/heads"), "https://a.example/jopoi/heads");
    }
}
