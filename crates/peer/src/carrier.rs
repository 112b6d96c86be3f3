//! The HTTP carrier: a node's feeds from the URLs it names, within limits (design 4.6 and 4.7).
//!
//! It checks that an answer is one: the right media type, not too long, not too slow, no redirect, no
//! content coding. What the bytes say is judged in `feed`.

use std::fmt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use feed::fault::FAULT_BYTES_MAX;
use feed::ports::{BodyAnswer, Carrier, CarrierError, Delivered, Since};
use reqwest::StatusCode;
use tlog::name::{NodeName, Origin};
use tlog::tile::TilePath;
use tokio::time::Instant;
use url::Url;
use wire::api::bundles::BundleAnswer;
use wire::api::{Peers, WhoAmI};
use wire::heads::HeadLine;
use wire::problem::{Name, Problem};
use wire::{media, paths};

use crate::budget::Share;
use crate::exchange::{Answer, Ask, Exchange};
use crate::outbound::{Outbound, RefusedUrl};
use crate::signing::Signs;
use crate::tally::Exchanged;

/// The heads a node shows, and the tag of that answer.
pub type Heads = (Vec<HeadLine>, Option<String>);

/// An address that failed is left out of turns for this long.
const FAILED_FOR: Duration = Duration::from_secs(600);

/// One node at one or more base URLs; the one that answered last is asked first. Whoever is a node's relay, or
/// was its address, may keep news to himself: so when a wait for news ends without any, the next wait is at
/// the next URL.
pub struct HttpCarrier {
    outbound: Arc<Outbound>,
    urls: Vec<Url>,
    preferred: AtomicUsize,
    /// When each of them failed last.
    failed: Mutex<Vec<Option<Instant>>>,
    /// Who asks; a stranger, without.
    signs: Option<Arc<dyn Signs>>,
    /// Where what is exchanged is counted; nowhere, without.
    exchanged: Option<Exchanged>,
    /// Whose answers it brings: a node, or of a stranger the address.
    owner: String,
    /// What the answers of this owner may hold of the budget.
    share: Share,
    /// Its clock in Unix seconds, and when it told.
    date: Mutex<Option<(u64, Instant)>>,
    /// When its certificate ends, in Unix seconds.
    certificate_end: Mutex<Option<u64>>,
    /// The node record that it sent last, with its tag: each round asks, and it seldom changes.
    record: Mutex<Option<(String, Bytes)>>,
}

impl HttpCarrier {
    /// A carrier for the first [`wire::limits::URLS_OF_A_NODE`] of `urls` that may be connected to; an
    /// error if none may.
    pub fn new(outbound: &Arc<Outbound>, urls: &[String]) -> Result<Self, RefusedUrl> {
        let mut refused = None;
        let mut usable = Vec::new();
        for text in urls {
            match outbound.base_url(text) {
                Ok(url) => usable.push(url),
                Err(error) => refused = refused.or(Some(error)),
            }
        }
        usable.truncate(wire::limits::URLS_OF_A_NODE);
        let Some(owner) = usable.first().map(Url::to_string) else {
            let reason = "it names none".to_owned();
            return Err(refused.unwrap_or(RefusedUrl::Form { url: String::new(), reason }));
        };
        Ok(Self {
            share: outbound.budget.share(&owner),
            owner,
            outbound: Arc::clone(outbound),
            failed: Mutex::new(vec![None; usable.len()]),
            urls: usable,
            preferred: AtomicUsize::new(0),
            signs: None,
            exchanged: None,
            date: Mutex::new(None),
            certificate_end: Mutex::new(None),
            record: Mutex::new(None),
        })
    }

    /// Has all its requests signed.
    #[must_use]
    pub fn signed_by(self, signs: Option<Arc<dyn Signs>>) -> Self {
        Self { signs, ..self }
    }

    /// Has what it brings counted as this node's: all carriers of one node have one share of the budget.
    #[must_use]
    pub fn of_node(self, node: &NodeName) -> Self {
        let owner = node.to_string();
        Self { share: self.outbound.budget.share(&owner), owner, ..self }
    }

    /// Has what is exchanged counted there.
    #[must_use]
    pub(crate) fn counted_in(self, exchanged: Exchanged) -> Self {
        Self { exchanged: Some(exchanged), ..self }
    }

    /// What the node shows to us of all feeds it holds, with the tag of this answer; `None` if that is
    /// still `known`.
    pub async fn heads(&self, known: Option<&str>) -> Result<Option<Heads>, CarrierError> {
        let what = "the list of heads".to_owned();
        let limit = wire::limits::HEADS_BYTES;
        let ask = Ask {
            known: known.map(str::to_owned),
            also: &[(StatusCode::NOT_MODIFIED, None)],
            ..plain(what.clone(), paths::HEADS.to_owned(), media::JSON, limit)
        };
        let answer = self.ask(ask).await?;
        if answer.status == StatusCode::NOT_MODIFIED {
            return Ok(None);
        }
        let heads = wire::heads::parse(&answer.bytes);
        let heads = heads.map_err(|error| self.improper(what, &error.to_string()))?;
        Ok(Some((heads, answer.tag)))
    }

    /// The nodes it says it follows, and how that goes.
    pub async fn peers(&self) -> Result<Peers, CarrierError> {
        let what = "the list of the nodes it follows".to_owned();
        let limit = wire::limits::HEADS_BYTES;
        let ask = plain(what.clone(), paths::API_PEERS.to_owned(), media::JSON, limit);
        serde_json::from_slice(&self.ask(ask).await?.bytes)
            .map_err(|_| self.improper(what, "it cannot be read; is it of another version?"))
    }

    /// Who the node takes us for.
    pub async fn whoami(&self) -> Result<WhoAmI, CarrierError> {
        let what = "an answer to whoami".to_owned();
        let limit = self.outbound.limits.note;
        let answer =
            self.ask(plain(what.clone(), paths::WHOAMI.to_owned(), media::JSON, limit)).await?;
        serde_json::from_slice(&answer.bytes)
            .map_err(|_| self.improper(what, "it cannot be read; is it an older version?"))
    }

    /// The node's clock now, in Unix seconds, as far as its last answer told.
    pub fn server_time(&self) -> Option<u64> {
        let date = *self.date.lock().unwrap_or_else(PoisonError::into_inner);
        date.map(|(seconds, then)| seconds + then.elapsed().as_secs())
    }

    /// When the certificate that it showed last ends, in Unix seconds; none without TLS.
    pub fn certificate_end(&self) -> Option<u64> {
        *self.certificate_end.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Asks each URL in turn until one answers. One deadline for all of them.
    async fn ask(&self, ask: Ask) -> Result<Answer, CarrierError> {
        let deadline = ask.deadline(&self.outbound.limits);
        let first = self.preferred.load(Ordering::Relaxed);
        let mut failure = None;
        for turn in 0..self.urls.len() {
            let at = (first + turn) % self.urls.len();
            let Some(base) = self.urls.get(at) else { break };
            let (outbound, owner, share) = (&*self.outbound, &*self.owner, &self.share);
            let (signs, exchanged) = (self.signs.as_deref(), self.exchanged.as_ref());
            let exchange =
                Exchange { outbound, base, signs, ask: &ask, owner, share, exchanged, deadline };
            match exchange.run().await {
                Ok(answer) => {
                    self.preferred.store(at, Ordering::Relaxed);
                    self.note_date(&answer);
                    return Ok(answer);
                }
                Err(error @ CarrierError::Busy { .. }) => return Err(error),
                // Not found either: an old address may be somebody else's by now.
                Err(error) => {
                    self.note_failure(at);
                    failure = failure.or(Some(error));
                }
            }
        }
        Err(failure.unwrap_or_else(|| CarrierError::Unreachable {
            carrier: self.describe(),
            reason: "it has no URL".to_owned(),
        }))
    }

    /// Asks a witness to cosign (C2SP tlog-witness).
    pub async fn submit(&self, request: Bytes) -> Result<WitnessAnswer, CarrierError> {
        let what = "an answer to add-checkpoint".to_owned();
        let limit = wire::limits::WITNESS_ANSWER_BYTES;
        let ask = Ask {
            post: Some((media::TEXT, request)),
            also: &[(StatusCode::CONFLICT, Some(media::TLOG_SIZE))],
            // The specification names no media type for the lines of a witness.
            ..plain(what.clone(), paths::ADD_CHECKPOINT.to_owned(), "", limit)
        };
        let Answer { status, bytes, .. } = self.ask(ask).await?;
        let text = String::from_utf8(bytes.to_vec())
            .map_err(|_| self.improper(what.clone(), "it is no text"))?;
        if status != StatusCode::CONFLICT {
            return Ok(WitnessAnswer::Lines(text));
        }
        let size = text.strip_suffix('\n').and_then(paths::number);
        let size = size.ok_or_else(|| self.improper(what, "it says no size"))?;
        Ok(WitnessAnswer::Holds(size))
    }

    /// Hands over a bundle; `None` if the node does not know our key.
    pub async fn push(&self, bundle: Bytes) -> Result<Option<BundleAnswer>, CarrierError> {
        let what = "an answer to a bundle".to_owned();
        let limit = self.outbound.limits.cosignatures;
        let ask = Ask {
            post: Some((media::BYTES, bundle)),
            also: &[(StatusCode::FORBIDDEN, None)],
            ..plain(what.clone(), paths::BUNDLES.to_owned(), media::JSON, limit)
        };
        let Answer { status, bytes, .. } = self.ask(ask).await?;
        if status == StatusCode::FORBIDDEN {
            return Ok(None);
        }
        let read = serde_json::from_slice(&bytes).map(Some);
        read.map_err(|_| self.improper(what, "it cannot be read; is it of another version?"))
    }

    fn note_failure(&self, at: usize) {
        let mut failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(failed) = failed.get_mut(at) {
            *failed = Some(Instant::now());
        }
    }

    fn note_date(&self, answer: &Answer) {
        let end = answer.certificate_end;
        *self.certificate_end.lock().unwrap_or_else(PoisonError::into_inner) = end;
        if let Some(date) = answer.date {
            let told = Some((date, Instant::now()));
            *self.date.lock().unwrap_or_else(PoisonError::into_inner) = told;
        }
    }

    fn improper(&self, what: String, reason: &str) -> CarrierError {
        CarrierError::Improper { carrier: self.describe(), what, reason: reason.to_owned() }
    }
}

/// What a witness answers.
#[derive(Debug)]
pub enum WitnessAnswer {
    /// Its signature lines.
    Lines(String),
    /// The size of the last checkpoint that it cosigned, which is not the one that was said.
    Holds(u64),
}

impl fmt::Debug for HttpCarrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HttpCarrier").field("urls", &self.urls).finish_non_exhaustive()
    }
}

#[async_trait]
impl Carrier for HttpCarrier {
    fn describe(&self) -> String {
        let preferred = self.urls.get(self.preferred.load(Ordering::Relaxed));
        preferred.map(Url::to_string).unwrap_or_default()
    }

    async fn node_record(&self) -> Result<Bytes, CarrierError> {
        let limit = self.outbound.limits.body;
        let what = "the node record".to_owned();
        let kept = self.record.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let ask = Ask {
            known: kept.as_ref().map(|(tag, _)| tag.clone()),
            also: &[(StatusCode::NOT_MODIFIED, None)],
            ..plain(what.clone(), paths::WELL_KNOWN.to_owned(), media::VC, limit)
        };
        let Answer { status, bytes, tag, .. } = self.ask(ask).await?;
        if status == StatusCode::NOT_MODIFIED {
            let kept = kept.map(|(_, bytes)| bytes);
            return kept.ok_or_else(|| {
                self.improper(what, "it says that what was never sent is unchanged")
            });
        }
        *self.record.lock().unwrap_or_else(PoisonError::into_inner) =
            tag.map(|tag| (tag, bytes.clone()));
        Ok(bytes)
    }

    async fn checkpoint(&self, origin: &Origin) -> Result<Bytes, CarrierError> {
        let limit = self.outbound.limits.note;
        let what = format!("the checkpoint of {origin}");
        let ask = plain(what, paths::checkpoint(origin), media::TEXT, limit);
        Ok(self.ask(ask).await?.bytes)
    }

    async fn since(
        &self,
        origin: &Origin,
        size: u64,
        wait: Option<Duration>,
    ) -> Result<Since, CarrierError> {
        let what = format!("what follows entry {size} of {origin}");
        let limit = self.outbound.limits.head;
        let ask = Ask {
            wait,
            whole: Some(feed::head::whole),
            also: &[(StatusCode::NO_CONTENT, None), (StatusCode::CONFLICT, Some(media::TEXT))],
            ..plain(what.clone(), paths::since(origin, size), media::BYTES, limit)
        };
        let Answer { status, bytes, .. } = self.ask(ask).await?;
        match (status, bytes.get(..4)) {
            (StatusCode::NO_CONTENT, _) => {
                if wait.is_some() {
                    self.turn();
                }
                Ok(Since::Nothing)
            }
            (StatusCode::CONFLICT, _) if bytes.len() <= self.outbound.limits.note => {
                Ok(Since::Shorter(bytes))
            }
            (StatusCode::CONFLICT, _) => Err(self.improper(what, "its note is too long")),
            (_, Some(b"JPH1")) => Ok(Since::Head(bytes)),
            (_, Some(b"JPT1")) => Ok(Since::Commits(bytes)),
            _ => Err(self.improper(what, "it is neither a head nor commits")),
        }
    }

    async fn tile(&self, origin: &Origin, tile: &TilePath) -> Result<Bytes, CarrierError> {
        let limit = match tile {
            TilePath::Hashes(_) => self.outbound.limits.tile,
            TilePath::Entries(_) => self.outbound.limits.entry_tile,
        };
        let ask =
            plain(format!("{tile} of {origin}"), paths::tile(origin, tile), media::BYTES, limit);
        Ok(self.ask(ask).await?.bytes)
    }

    async fn segment(&self, origin: &Origin, number: u64) -> Result<Bytes, CarrierError> {
        let what = format!("segment {number} of {origin}");
        let limit = self.outbound.limits.segment;
        let ask = plain(what, paths::segment(origin, number), media::BYTES, limit);
        Ok(self.ask(Ask { hold: true, ..ask }).await?.bytes)
    }

    async fn evidence(&self, origin: &Origin) -> Result<Bytes, CarrierError> {
        let what = format!("the evidence about {origin}");
        let ask = plain(what, paths::evidence(origin), media::JSON, FAULT_BYTES_MAX);
        Ok(self.ask(ask).await?.bytes)
    }

    async fn body(&self, origin: &Origin, index: u64) -> Result<BodyAnswer, CarrierError> {
        let what = format!("the body at entry {index} of {origin}");
        let limit = self.outbound.limits.body;
        let ask = Ask {
            also: &[(StatusCode::GONE, None), (StatusCode::NOT_FOUND, None)],
            ..plain(what, paths::body(origin, index), media::VC, limit)
        };
        let Answer { status, bytes, .. } = self.ask(ask).await?;
        Ok(match status {
            StatusCode::GONE => BodyAnswer::Gone,
            StatusCode::NOT_FOUND => BodyAnswer::Missing,
            _ => BodyAnswer::Body(bytes),
        })
    }

    async fn anchors(&self, origin: &Origin) -> Result<Bytes, CarrierError> {
        let what = format!("the anchors of {origin}");
        let limit = wire::limits::ANCHORS_BYTES;
        let ask = plain(what, paths::anchors(origin), media::BYTES, limit);
        Ok(self.ask(ask).await?.bytes)
    }

    async fn cosignatures(&self, origin: &Origin) -> Result<Bytes, CarrierError> {
        let what = format!("the cosignatures of {origin}");
        let limit = self.outbound.limits.cosignatures;
        let ask = plain(what, paths::cosignatures(origin), media::BYTES, limit);
        Ok(self.ask(ask).await?.bytes)
    }

    async fn deliver(&self, origin: &Origin, note: Bytes) -> Result<Delivered, CarrierError> {
        let what = format!("a place for cosignatures of {origin}");
        let ask = Ask {
            post: Some((media::TEXT, note)),
            also: &[
                (StatusCode::NO_CONTENT, None),
                (StatusCode::FORBIDDEN, None),
                (StatusCode::CONFLICT, Some(media::PROBLEM)),
                (StatusCode::UNPROCESSABLE_ENTITY, None),
            ],
            ..plain(what, paths::cosignatures(origin), media::TEXT, self.outbound.limits.problem)
        };
        let Answer { status, bytes, .. } = self.ask(ask).await?;
        let problem = || serde_json::from_slice::<Problem>(&bytes).ok()?.name();
        Ok(match status {
            StatusCode::FORBIDDEN => Delivered::UnknownKey,
            StatusCode::UNPROCESSABLE_ENTITY => Delivered::Contradicts,
            StatusCode::CONFLICT if problem() == Some(Name::Shorter) => Delivered::Contradicts,
            _ => Delivered::Taken,
        })
    }

    fn turn(&self) -> bool {
        let failed = self.failed.lock().unwrap_or_else(PoisonError::into_inner);
        let usable = |at: &usize| {
            failed.get(*at).is_some_and(|at| at.is_none_or(|at| at.elapsed() >= FAILED_FOR))
        };
        let (now, count) = (self.preferred.load(Ordering::Relaxed), self.urls.len());
        let next = (1..count).map(|step| (now + step) % count).find(usable);
        if let Some(next) = next {
            self.preferred.store(next, Ordering::Relaxed);
        }
        next.is_some()
    }
}

/// A question without a wait whose only answer is 200.
fn plain(what: String, path: String, media: &'static str, limit: usize) -> Ask {
    Ask {
        what,
        path,
        post: None,
        known: None,
        media,
        limit,
        wait: None,
        hold: false,
        whole: None,
        also: &[],
    }
}
