//! Why can a node not be reached? Every step, in words; nothing is changed or pinned.

use std::sync::Arc;

use bytes::Bytes;
use feed::ports::{Carrier, CarrierError};
use practice::body::Body;
use practice::node_record::NodeRecord;
use tlog::checkpoint::SignedCheckpoint;
use tlog::key::VerifierKey;
use tlog::name::{FeedName, KeyName, Origin};
use wire::api::{ProbeAnswer, ProbeResult, ProbeStep};

use crate::carrier::HttpCarrier;
use crate::outbound::Outbound;

/// A clock further off than this makes signed requests fail (design 4.6).
pub const CLOCK_TOLERANCE_S: i64 = 300;

/// The steps, in order.
const STEPS: [&str; 8] = [
    "address",
    "look-up",
    "connection",
    "node record",
    "checkpoint",
    "signature",
    "clock",
    "certificate",
];

/// A certificate that ends sooner than this was not renewed in time.
const CERTIFICATE_SOON_S: u64 = 14 * 24 * 3_600;

/// The node record at a URL, as it came: to show it to somebody before it is pinned.
///
/// # Errors
/// When the URL is not one to connect to, or no node answers there.
pub async fn fetch_node_record(outbound: &Arc<Outbound>, url: &str) -> Result<Bytes, CarrierError> {
    let carrier = HttpCarrier::new(outbound, &[url.to_owned()]).map_err(|refused| {
        CarrierError::Unreachable { carrier: url.to_owned(), reason: refused.to_string() }
    })?;
    carrier.node_record().await
}

/// Tries every step of reaching the node at `url`; `now` is our own clock in Unix seconds.
pub async fn probe(outbound: &Arc<Outbound>, url: &str, now: u64) -> ProbeAnswer {
    let mut report = Report { steps: Vec::new(), clock_delta: None };
    // The first failure ends the probe; what was not tried is said too.
    let _ = report.walk(outbound, url, now).await;
    for step in STEPS.iter().skip(report.steps.len()) {
        report.push(step, ProbeResult::Skipped, "not tried, because an earlier step failed");
    }
    ProbeAnswer { steps: report.steps, clock_delta: report.clock_delta }
}

struct Report {
    steps: Vec<ProbeStep>,
    clock_delta: Option<i64>,
}

/// The step that failed is in the report.
struct Failed;

impl Report {
    async fn walk(&mut self, outbound: &Arc<Outbound>, url: &str, now: u64) -> Result<(), Failed> {
        let base = self.pass("address", outbound.base_url(url))?;
        self.ok("address", base.as_str());
        match outbound.look_up(&base).await {
            Ok(addresses) => {
                let addresses: Vec<_> = addresses.iter().map(ToString::to_string).collect();
                self.ok("look-up", &addresses.join(", "));
            }
            // Behind a proxy names are often looked up there and not here.
            Err(error) if outbound.has_proxy() => {
                let words = format!("{error} (the proxy may know better)");
                self.push("look-up", ProbeResult::Warning, &words);
            }
            Err(error) => return self.pass("look-up", Err(error)),
        }
        let carrier = HttpCarrier::new(outbound, &[base.to_string()]);
        let carrier = self.pass("connection", carrier)?;
        let record = self.node_record(&carrier).await?;
        self.checkpoint(&carrier, &record).await?;
        self.clock(&carrier, now);
        self.certificate(&carrier, now);
        Ok(())
    }

    async fn node_record(&mut self, carrier: &HttpCarrier) -> Result<NodeRecord, Failed> {
        let bytes = match carrier.node_record().await {
            Err(error @ CarrierError::Unreachable { .. }) => {
                return self.pass("connection", Err(error));
            }
            answer => {
                self.ok("connection", "it answers");
                self.pass("node record", answer)?
            }
        };
        let body = self.pass("node record", Body::open(bytes))?;
        let record = self.pass("node record", NodeRecord::from_body(&body))?;
        let root = record.root.to_did();
        self.ok(
            "node record",
            &format!("`{}`, root {root}, version {}", record.node, record.version()),
        );
        Ok(record)
    }

    async fn checkpoint(
        &mut self,
        carrier: &HttpCarrier,
        record: &NodeRecord,
    ) -> Result<(), Failed> {
        let origin = Origin::new(record.node.clone(), FeedName::public());
        let note = self.pass("checkpoint", carrier.checkpoint(&origin).await)?;
        let signed = self.pass("checkpoint", SignedCheckpoint::parse(&note))?;
        let size = signed.checkpoint.size;
        self.ok("checkpoint", &format!("`{}` has {size} entries", signed.checkpoint.origin));
        // During a rotation the key of an earlier generation may still sign.
        let keys = record.keys.iter().filter(|key| key.usage == "log");
        let mut verified = keys
            .map(|key| signed.verify(&VerifierKey::note(KeyName::from(&origin), key.key)).is_ok());
        if verified.any(|verified| verified) {
            self.ok("signature", "by the log key of the node record");
            return Ok(());
        }
        let words = "the checkpoint is not signed by a log key of the node record";
        self.push("signature", ProbeResult::Failed, words);
        Err(Failed)
    }

    fn clock(&mut self, carrier: &HttpCarrier, now: u64) {
        let time = carrier.server_time().and_then(|time| i64::try_from(time).ok());
        let (Some(theirs), Ok(ours)) = (time, i64::try_from(now)) else {
            self.push("clock", ProbeResult::Warning, "it does not tell its time");
            return;
        };
        let delta = theirs.saturating_sub(ours);
        self.clock_delta = Some(delta);
        if delta.abs() <= CLOCK_TOLERANCE_S {
            self.ok("clock", &format!("{delta} s ahead of this machine's"));
            return;
        }
        let words = format!(
            "its clock says {theirs} and this machine's {ours} (seconds since 1970), {delta} s apart: \
             one of them is wrong; records do not depend on it, signed requests do"
        );
        self.push("clock", ProbeResult::Warning, &words);
    }

    /// Whether it is trusted was seen at the connection; here, for how long.
    fn certificate(&mut self, carrier: &HttpCarrier, now: u64) {
        let Some(end) = carrier.certificate_end() else {
            return self.push("certificate", ProbeResult::Skipped, "it is reached without TLS");
        };
        let when = feed::feeds::timestamp(end);
        match end.checked_sub(now) {
            Some(left) if left > CERTIFICATE_SOON_S => {
                self.ok("certificate", &format!("good until {when}"));
            }
            Some(_) => {
                let words = format!("it ends at {when}: renew it, or nobody reaches the node then");
                self.push("certificate", ProbeResult::Warning, &words);
            }
            None => {
                let words = format!("it ended at {when} by this machine's clock: renew it");
                self.push("certificate", ProbeResult::Warning, &words);
            }
        }
    }

    fn pass<T>(
        &mut self,
        step: &str,
        result: Result<T, impl std::error::Error>,
    ) -> Result<T, Failed> {
        result.map_err(|error| {
            self.push(step, ProbeResult::Failed, &error.to_string());
            Failed
        })
    }

    fn ok(&mut self, step: &str, words: &str) {
        self.push(step, ProbeResult::Ok, words);
    }

    fn push(&mut self, step: &str, result: ProbeResult, words: &str) {
        self.steps.push(ProbeStep { step: step.to_owned(), result, words: words.to_owned() });
    }
}
