//! What a node asks of another: one row for each kind of question.

use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use feed::ports::{Carrier as _, CarrierError};
use peer::HttpCarrier;
use tlog::name::Origin;
use tlog::tile::TilePath;
use wire::media;

/// One kind of question.
#[derive(Debug)]
pub struct Exchange {
    /// In words.
    pub name: &'static str,
    /// Where in following a node it is asked.
    pub place: Place,
    /// The media type of an honest answer.
    pub media: &'static str,
    /// Whether any other media type is refused.
    pub typed: bool,
    method: &'static str,
    is: fn(&str) -> bool,
    ask: Ask,
}

/// When a question is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Before a node is followed: without a proper answer it is not.
    Meeting,
    /// In every round: without a proper answer nothing is taken.
    Round,
    /// By a follower in step: without a proper answer the copy stays as it is.
    InStep,
    /// Beside the rounds: without a proper answer the feed is followed all the same.
    Beside,
    /// When our own feeds are sent to a relay.
    Relay,
    /// When our own checkpoint is to be cosigned.
    Witness,
    /// When an operator wonders, or a feed is looked at closely: no part of following.
    Asked,
}

type Asking<'a> = Pin<Box<dyn Future<Output = Result<(), CarrierError>> + Send + 'a>>;
type Ask = for<'a> fn(&'a HttpCarrier, &'a Origin) -> Asking<'a>;

impl Exchange {
    /// Whether a request is this question.
    pub fn is(&self, method: &str, path: &str) -> bool {
        method == self.method && (self.is)(path)
    }

    /// Asks it.
    ///
    /// # Errors
    /// When there is no proper answer.
    pub async fn ask(&self, carrier: &HttpCarrier, origin: &Origin) -> Result<(), CarrierError> {
        (self.ask)(carrier, origin).await
    }
}

macro_rules! ask {
    (|$carrier:ident, $origin:ident| $question:expr) => {
        |$carrier, $origin| {
            let _ = $origin;
            Box::pin(async move { $question.await.map(drop) })
        }
    };
}

const fn get(
    name: &'static str,
    place: Place,
    media: &'static str,
    is: fn(&str) -> bool,
    ask: Ask,
) -> Exchange {
    Exchange { name, place, media, typed: true, method: "GET", is, ask }
}

const fn post(
    name: &'static str,
    place: Place,
    media: &'static str,
    is: fn(&str) -> bool,
    ask: Ask,
) -> Exchange {
    Exchange { name, place, media, typed: true, method: "POST", is, ask }
}

/// Every question.
#[rustfmt::skip]
pub static EXCHANGES: [Exchange; 18] = [
    get("node record", Place::Meeting, media::VC, |path| path.ends_with("/.well-known/jopoi"), ask!(|c, o| c.node_record())),
    get("checkpoint", Place::Round, media::TEXT, |path| path.ends_with("/checkpoint"), ask!(|c, o| c.checkpoint(o))),
    get("commits", Place::Round, media::BYTES, |path| path.ends_with("/since/0"), ask!(|c, o| c.since(o, 0, None))),
    get("head", Place::Round, media::BYTES, |path| path.ends_with("/since/0"), ask!(|c, o| c.since(o, 0, None))),
    get("hash tile", Place::Round, media::BYTES, |path| path.contains("/tile/1/"), ask!(|c, o| c.tile(o, &tile("tile/1/000.p/1")?))),
    get("segment", Place::Round, media::BYTES, |path| path.contains("/segment/"), ask!(|c, o| c.segment(o, 0))),
    get("news", Place::InStep, media::BYTES, |path| path.contains("/since/") && !path.ends_with("/since/0"), ask!(|c, o| c.since(o, 3, Some(Duration::ZERO)))),
    get("body", Place::InStep, media::VC, |path| path.contains("/body/"), ask!(|c, o| c.body(o, 2))),
    get("cosignatures", Place::Beside, media::BYTES, |path| path.ends_with("/cosignatures"), ask!(|c, o| c.cosignatures(o))),
    post("receipt", Place::Beside, media::TEXT, |path| path.ends_with("/cosignatures"), ask!(|c, o| c.deliver(o, Bytes::from_static(b"a note")))),
    get("heads", Place::Beside, media::JSON, |path| path.ends_with("/heads"), ask!(|c, o| c.heads(None))),
    get("evidence", Place::Beside, media::JSON, |path| path.ends_with("/evidence"), ask!(|c, o| c.evidence(o))),
    get("anchors", Place::Asked, media::BYTES, |path| path.ends_with("/anchors"), ask!(|c, o| c.anchors(o))),
    get("entry tile", Place::Asked, media::BYTES, |path| path.contains("/tile/entries/"), ask!(|c, o| c.tile(o, &tile("tile/entries/000")?))),
    get("whoami", Place::Asked, media::JSON, |path| path.ends_with("/whoami"), ask!(|c, o| c.whoami())),
    get("peers", Place::Asked, media::JSON, |path| path.ends_with("/peers"), ask!(|c, o| c.peers())),
    post("bundle", Place::Relay, media::JSON, |path| path.ends_with("/bundles"), ask!(|c, o| c.push(Bytes::from_static(b"a bundle")))),
    Exchange { typed: false, ..post("cosigning", Place::Witness, media::TEXT, |path| path.ends_with("/add-checkpoint"), ask!(|c, o| c.submit(Bytes::from_static(b"a checkpoint")))) },
];

fn tile(path: &str) -> Result<TilePath, CarrierError> {
    TilePath::parse(path).map_err(|error| CarrierError::Improper {
        carrier: String::new(),
        what: path.to_owned(),
        reason: error.to_string(),
    })
}
