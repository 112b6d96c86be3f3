//! One request and its answer within limits: length, silence, rate and a deadline, all fixed before
//! the first byte.

use std::time::Duration;

use bytes::Bytes;
use feed::ports::CarrierError;
use reqwest::header::{self, HeaderMap};
use reqwest::tls::TlsInfo;
use reqwest::{Response, StatusCode};
use tokio::time::{Instant, timeout_at};
use url::Url;
use wire::signature;

use crate::budget::{FREE_BYTES, Held, Rate, Share, Taken};
use crate::limits::Limits;
use crate::outbound::Outbound;
use crate::parts::{Part, continues};
use crate::signing::Signs;
use crate::tally::Exchanged;
use crate::words;

/// Answers up to this length must come within the deadline of small ones, and are not worth resuming.
const SMALL_BYTES: usize = 512 << 10;

/// What a busy peer means by `Retry-After` when it does not say.
const RETRY_AFTER_DEFAULT_S: u64 = 60;

/// What is asked, and what an answer to it may be.
pub(crate) struct Ask {
    /// In words: `the checkpoint of simore.gov.py/public`.
    pub(crate) what: String,
    /// Path below the base URL.
    pub(crate) path: String,
    /// What is handed over, with its media type; without it, the path is read.
    pub(crate) post: Option<(&'static str, Bytes)>,
    /// The entity tag of what is known already: 304 if it is still that.
    pub(crate) known: Option<String>,
    /// The media type of an answer; any, if it is empty.
    pub(crate) media: &'static str,
    /// The most bytes of an answer.
    pub(crate) limit: usize,
    /// How long the peer may hold the request for news.
    pub(crate) wait: Option<Duration>,
    /// Whether the answer counts against the budget until its bytes are dropped, not only while they
    /// arrive. For what is verified and stored by itself, or a peer would wait for its own bytes.
    pub(crate) hold: bool,
    /// How many of the first bytes are an answer by themselves, where that may be.
    pub(crate) whole: Option<fn(&Bytes) -> usize>,
    /// Statuses beside 200 that are answers, with the media type of their content if it is wanted.
    pub(crate) also: &'static [(StatusCode, Option<&'static str>)],
}

/// An answer within the limits.
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    pub(crate) bytes: Bytes,
    /// The peer's clock, Unix seconds, if it told.
    pub(crate) date: Option<u64>,
    /// The entity tag, if it has one.
    pub(crate) tag: Option<String>,
    /// When the certificate of the peer ends, Unix seconds; none without TLS.
    pub(crate) certificate_end: Option<u64>,
}

/// One exchange at a time with one base URL.
pub(crate) struct Exchange<'a> {
    pub(crate) outbound: &'a Outbound,
    pub(crate) base: &'a Url,
    /// Signs the request, unless it is asked as a stranger.
    pub(crate) signs: Option<&'a dyn Signs>,
    pub(crate) ask: &'a Ask,
    /// Whose answers these are: those of one owner share what they may hold.
    pub(crate) owner: &'a str,
    /// What they may hold of the budget.
    pub(crate) share: &'a Share,
    /// Where bytes are counted, if anywhere.
    pub(crate) exchanged: Option<&'a Exchanged>,
    pub(crate) deadline: Instant,
}

impl Ask {
    /// When an exchange that starts now must be over.
    pub(crate) fn deadline(&self, limits: &Limits) -> Instant {
        let small = self.limit <= SMALL_BYTES;
        let most = if small { limits.deadline_small } else { limits.deadline_large };
        Instant::now() + most + self.wait.unwrap_or_default() + self.posting(limits)
    }

    /// Whether what comes of an answer is kept if it breaks off.
    fn is_resumed(&self) -> bool {
        self.post.is_none() && self.limit > SMALL_BYTES
    }

    /// How long what is handed over may take to leave, at the lowest rate that counts as one.
    fn posting(&self, limits: &Limits) -> Duration {
        let bytes = self.post.as_ref().map_or(0, |(_, bytes)| bytes.len() as u64);
        Duration::from_secs(bytes / limits.minimum_rate.max(1)).min(wire::limits::DEADLINE_PUSH)
    }
}

impl Exchange<'_> {
    pub(crate) async fn run(&self) -> Result<Answer, CarrierError> {
        let url = wire::paths::below(self.base.as_str(), &self.ask.path);
        let parts = &self.outbound.parts;
        let mut part = if self.ask.is_resumed() { parts.take(self.owner, &url) } else { None };
        let answer = self.converse(&url, &mut part).await;
        if let (Err(_), Some(part)) = (&answer, part) {
            // Nothing came of this question: the next one still asks for the rest.
            parts.put_back(self.owner, &url, part);
        }
        answer
    }

    /// Asks, with the `part` that is there already; it is taken once an answer to it has begun.
    async fn converse(&self, url: &str, part: &mut Option<Part>) -> Result<Answer, CarrierError> {
        let response = self.send(url, part.as_ref()).await?;
        let status = response.status();
        let date = date(response.headers());
        let tag = text(response.headers(), header::ETAG).map(str::to_owned);
        let shown = response.extensions().get::<TlsInfo>().and_then(TlsInfo::peer_certificate);
        let certificate_end = shown.and_then(crate::certificate::end_of);
        self.check_headers(response.headers())?;
        let media = self.media(&response, part.as_ref())?;
        let Some(media) = media else {
            return Ok(Answer { status, bytes: Bytes::new(), date, tag, certificate_end });
        };
        self.check_content(response.headers(), media)?;
        let begun = match part.take() {
            None => None,
            Some(part) if status == StatusCode::PARTIAL_CONTENT => {
                let range = text(response.headers(), header::CONTENT_RANGE).unwrap_or_default();
                if !continues(range, part.bytes.len(), self.ask.limit) {
                    return Err(self.improper("it is another part than was asked for".to_owned()));
                }
                Some(part)
            }
            // It has changed since. What is an answer by itself is taken now, for the line may break again.
            Some(part) => match self.whole_of(part) {
                Some(bytes) => return Ok(Answer { status, bytes, date, tag, certificate_end }),
                None => None,
            },
        };
        let status = if status == StatusCode::PARTIAL_CONTENT { StatusCode::OK } else { status };
        let bytes = self.read(response, begun, url, tag.as_deref()).await?;
        Ok(Answer { status, bytes, date, tag, certificate_end })
    }

    fn whole_of(&self, part: Part) -> Option<Bytes> {
        let bytes = Bytes::from(part.bytes);
        let length = self.ask.whole.map_or(0, |whole| whole(&bytes));
        (length > 0).then(|| bytes.slice(..length))
    }

    async fn send(&self, url: &str, part: Option<&Part>) -> Result<Response, CarrierError> {
        let Self { outbound, base, ask, .. } = self;
        let client = outbound.client(base);
        let request = match &ask.post {
            None => client.get(url),
            Some((media, bytes)) => {
                client.post(url).header(header::CONTENT_TYPE, *media).body(bytes.clone())
            }
        };
        let mut request = request
            .header(header::ACCEPT, format!("{}, application/problem+json;q=0.1", ask.media))
            .header(header::ACCEPT_ENCODING, "identity");
        for (name, value) in self.signature() {
            request = request.header(name, value);
        }
        if let Some(part) = part {
            let rest = format!("bytes={}-", part.bytes.len());
            request = request.header(header::RANGE, rest).header(header::IF_RANGE, &part.tag);
        }
        if let Some(known) = &ask.known {
            request = request.header(header::IF_NONE_MATCH, known);
        }
        if let Some(wait) = ask.wait {
            request = request.header(wire::prefer::PREFER, wire::prefer::asking(wait));
        }
        let limits = &outbound.limits;
        let patience =
            limits.connect + limits.idle + ask.wait.unwrap_or_default() + ask.posting(limits);
        let until = self.deadline.min(Instant::now() + patience);
        let sent = timeout_at(until, request.send()).await;
        if let (Some(exchanged), Some((_, bytes))) = (self.exchanged, &ask.post) {
            exchanged.sent.inc_by(bytes.len() as u64);
        }
        match sent {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(self.unreachable(words::of(&error))),
            Err(_) => {
                let seconds = patience.as_secs();
                Err(self.unreachable(format!("it did not answer within {seconds} s")))
            }
        }
    }

    /// The headers that sign the request; none for a stranger.
    fn signature(&self) -> Vec<(&'static str, String)> {
        let Self { base, ask, signs, .. } = self;
        let uri = signature::target_uri(base.as_str(), &ask.path);
        let (method, body) = match &ask.post {
            Some((_, bytes)) => ("POST", Some(bytes.as_ref()).filter(|bytes| !bytes.is_empty())),
            None => ("GET", None),
        };
        let Some(headers) = signs.and_then(|signs| signs.sign(method, &uri, body)) else {
            return Vec::new();
        };
        let digest = headers.content_digest.map(|digest| (signature::CONTENT_DIGEST, digest));
        let signature = [
            (signature::SIGNATURE_INPUT, headers.signature_input),
            (signature::SIGNATURE, headers.signature),
        ];
        signature.into_iter().chain(digest).collect()
    }

    /// The media type that the content must have; `None` if the status alone is the answer.
    fn media(
        &self,
        response: &Response,
        part: Option<&Part>,
    ) -> Result<Option<&'static str>, CarrierError> {
        let status = response.status();
        let also = self.ask.also.iter().find(|(also, _)| *also == status);
        match (status.as_u16(), also) {
            (200, _) => Ok(Some(self.ask.media)),
            (206, None) if part.is_some() => Ok(Some(self.ask.media)),
            (_, Some((_, media))) => Ok(*media),
            (404, None) => Err(CarrierError::NotFound {
                carrier: self.base.to_string(),
                what: self.ask.what.clone(),
            }),
            (429 | 503, None) => Err(CarrierError::Busy {
                carrier: self.base.to_string(),
                seconds: retry_after(response.headers()),
            }),
            (300..400, None) => {
                let target = text(response.headers(), header::LOCATION).unwrap_or("nowhere");
                let target: String = target.chars().take(200).collect();
                Err(self.improper(format!(
                    "it redirects to `{target}`, and redirects are not followed; \
                     if the node has moved, its new address must be in its node record"
                )))
            }
            (status, None) => Err(self.improper(format!("it answered with status {status}"))),
        }
    }

    fn check_headers(&self, headers: &HeaderMap) -> Result<(), CarrierError> {
        let bytes: usize =
            headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum();
        let limit = self.outbound.limits.headers;
        if bytes > limit {
            return Err(self.improper(format!("its headers have {bytes} bytes, over {limit}")));
        }
        Ok(())
    }

    fn check_content(&self, headers: &HeaderMap, media: &str) -> Result<(), CarrierError> {
        let found = text(headers, header::CONTENT_TYPE).unwrap_or_default();
        if !media.is_empty() && !wire::media::is(found, media) {
            let found: String = found.chars().take(80).collect();
            return Err(self.improper(format!(
                "it is `{found}` and not `{media}`; is this a node, or a page of something before it?"
            )));
        }
        match text(headers, header::CONTENT_ENCODING) {
            None | Some("" | "identity") => Ok(()),
            Some(coding) => {
                let coding: String = coding.chars().take(40).collect();
                Err(self.improper(format!(
                    "it came compressed (`{coding}`), which was not asked for; \
                     does a proxy before the node compress?"
                )))
            }
        }
    }

    /// Reads what follows the part that is there. If it breaks off, what came is kept for the next question.
    async fn read(
        &self,
        mut response: Response,
        begun: Option<Part>,
        url: &str,
        tag: Option<&str>,
    ) -> Result<Bytes, CarrierError> {
        let (mut bytes, grew) = match begun {
            Some(part) => (part.bytes, Some(part.grew)),
            None => (Vec::new(), None),
        };
        let before = bytes.len();
        let expected = self.expected(before, response.content_length())?;
        let mut taken = Taken::default();
        match self.receive(&mut response, &mut bytes, &mut taken, expected).await {
            Ok(()) if self.ask.hold => Ok(Bytes::from_owner(Held { bytes, _taken: taken })),
            Ok(()) => Ok(Bytes::from(bytes)),
            Err(broken) if !self.ask.is_resumed() => Err(broken),
            Err(broken) => {
                let tag = tag.unwrap_or_default().to_owned();
                let part = Part { tag, bytes, grew: grew.unwrap_or_else(Instant::now) };
                let received = self.outbound.parts.keep(self.owner, url, part, before);
                Err(self.interrupted(broken, received))
            }
        }
    }

    /// Adds what comes to the bytes that are there, of which there will be as many as `expected`, or more if
    /// none were announced.
    async fn receive(
        &self,
        response: &mut Response,
        bytes: &mut Vec<u8>,
        taken: &mut Taken,
        expected: usize,
    ) -> Result<(), CarrierError> {
        let (limits, budget) = (&self.outbound.limits, &self.outbound.budget);
        self.draw(taken, expected, self.deadline).await?;
        // What is announced is not believed: memory is taken as bytes arrive.
        bytes.reserve(expected.min(FREE_BYTES).saturating_sub(bytes.len()));
        let (mut room, mut rate) = (expected, Rate::start());
        loop {
            let until = self.deadline.min(Instant::now() + limits.idle);
            let chunk = match timeout_at(until, response.chunk()).await {
                Ok(Ok(Some(chunk))) => chunk,
                Ok(Ok(None)) => return Ok(()),
                Ok(Err(error)) => return Err(self.unreachable(words::of(&error))),
                Err(_) => return Err(self.improper(self.too_slow(bytes.len()))),
            };
            let (length, limit) = (bytes.len() + chunk.len(), self.ask.limit);
            if length > limit {
                // That is no beginning of an answer.
                bytes.clear();
                return Err(self.improper(format!("it is longer than {limit} bytes")));
            }
            if length > room {
                room = room.saturating_mul(2).max(length).min(limit);
                // It holds what others may wait for: it cannot wait long itself.
                let patience = Instant::now() + limits.rate_window * 2;
                self.draw(taken, room, self.deadline.min(patience)).await?;
                rate = Rate::start();
            }
            bytes.extend_from_slice(&chunk);
            if let Some(exchanged) = self.exchanged {
                exchanged.received.inc_by(chunk.len() as u64);
            }
            let crowded = budget.is_crowded();
            if let Some(least) = rate.falls_short(chunk.len(), limits, taken, crowded) {
                let why = if crowded { ", and others wait" } else { "" };
                return Err(
                    self.improper(format!("it comes slower than {least} bytes a second{why}"))
                );
            }
        }
    }

    /// How many bytes an answer will have of which so many are there, if `rest` are announced; else as many as
    /// cost nothing.
    fn expected(&self, begun: usize, rest: Option<u64>) -> Result<usize, CarrierError> {
        let limit = self.ask.limit;
        let Some(rest) = rest else { return Ok(begun.max(FREE_BYTES).min(limit)) };
        let all = usize::try_from(rest).ok().and_then(|rest| begun.checked_add(rest));
        match all.filter(|all| *all <= limit) {
            Some(all) => Ok(all),
            None => Err(self.improper(format!("it announces {rest} bytes, over {limit}"))),
        }
    }

    /// The error says so if what came is kept, and is more than there was before.
    fn interrupted(&self, broken: CarrierError, received: usize) -> CarrierError {
        let reason = match broken {
            CarrierError::Unreachable { reason, .. } | CarrierError::Improper { reason, .. }
                if received > 0 =>
            {
                reason
            }
            other => return other,
        };
        let (carrier, what) = (self.base.to_string(), self.ask.what.clone());
        CarrierError::Interrupted { carrier, what, reason, received }
    }

    fn too_slow(&self, received: usize) -> String {
        if Instant::now() >= self.deadline {
            return format!("it was not complete in time ({received} bytes came)");
        }
        let seconds = self.outbound.limits.idle.as_secs();
        format!("nothing came for {seconds} s (after {received} bytes)")
    }

    async fn draw(
        &self,
        taken: &mut Taken,
        bytes: usize,
        until: Instant,
    ) -> Result<(), CarrierError> {
        match self.outbound.budget.draw(self.share, taken, bytes, until).await {
            true => Ok(()),
            false => Err(self.unreachable("too much else is being received here".to_owned())),
        }
    }

    fn unreachable(&self, reason: String) -> CarrierError {
        CarrierError::Unreachable { carrier: self.base.to_string(), reason }
    }

    fn improper(&self, reason: String) -> CarrierError {
        let (carrier, what) = (self.base.to_string(), self.ask.what.clone());
        CarrierError::Improper { carrier, what, reason }
    }
}

fn text(headers: &HeaderMap, name: header::HeaderName) -> Option<&str> {
    headers.get(name)?.to_str().ok().map(str::trim)
}

fn date(headers: &HeaderMap) -> Option<u64> {
    let date = httpdate::parse_http_date(text(headers, header::DATE)?).ok()?;
    date.duration_since(std::time::UNIX_EPOCH).ok().map(|since| since.as_secs())
}

/// `Retry-After` in seconds or as a date (measured by the peer's own clock), from 1 s to a day.
fn retry_after(headers: &HeaderMap) -> u64 {
    let most = wire::limits::RETRY_AFTER_MAX.as_secs();
    let Some(value) = text(headers, header::RETRY_AFTER) else { return RETRY_AFTER_DEFAULT_S };
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        return value.parse().unwrap_or(most).clamp(1, most);
    }
    let then = httpdate::parse_http_date(value).ok();
    let then = then.and_then(|then| then.duration_since(std::time::UNIX_EPOCH).ok());
    match (then, date(headers)) {
        (Some(then), Some(now)) => then.as_secs().saturating_sub(now).clamp(1, most),
        _ => RETRY_AFTER_DEFAULT_S,
    }
}
