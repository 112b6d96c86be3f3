//! What ends or is due: keys, the certificate, the former key, recoveries, decisions that wait.

use network::fold::Pending;
use practice::node_record::USES;
use wire::api::keys::{Calendar, DateLine};

use super::{Keeper, certificate, key_line, own_keys};

/// What ends within this time is said to be soon.
const SOON_S: u64 = 30 * 24 * 3_600;

/// A certificate of 90 days is commonly renewed 30 days before its end; what is closer was forgotten.
const CERTIFICATE_SOON_S: u64 = 14 * 24 * 3_600;

/// A committee meets by mail: what it has not looked at within this time was forgotten. The alarm
/// `JopoiDecisionWaits` waits as long.
const DECISION_S: u64 = 7 * 24 * 3_600;

impl Keeper {
    /// All dates, the soonest first.
    pub(super) fn dates(&self) -> Calendar {
        let mut dates = self.dates_of_keys();
        dates.extend(self.date_of_certificate());
        dates.extend(self.dates_of_recoveries());
        dates.extend(self.decisions());
        dates.sort_by_key(|date| date.at);
        Calendar { dates }
    }

    fn dates_of_keys(&self) -> Vec<DateLine> {
        let Some(keys) = own_keys(&self.feeds) else { return Vec::new() };
        let lines: Vec<_> = USES.iter().filter_map(|usage| key_line(&keys, usage)).collect();
        let mut dates = Vec::new();
        // All keys come from one secret and are changed together.
        if let Some(first) = lines.iter().min_by_key(|line| line.due) {
            let words = "the online keys are a year old then: change them with `jopoi keys rotate --root \
                         FILE`, and whenever somebody leaves who could read them";
            dates.push(self.date(
                "keys",
                &format!("generation {}", first.generation),
                first.due,
                SOON_S,
                words,
            ));
        }
        if let Some((_, until)) = self.ring().former(&keys) {
            let words = "the log key before the last change signs its second line until then and is deleted; \
                         nothing to do";
            dates.push(self.date("former-key", "log", until, 0, words));
        }
        dates
    }

    fn date_of_certificate(&self) -> Option<DateLine> {
        let path = self.place.config.tls.certificate.as_ref()?;
        let end = certificate::end_of_chain(path).ok()?;
        let words = "the certificate ends then and nobody can reach this node: renew it; the files are read \
                     again by themselves";
        let about = path.display().to_string();
        Some(self.date("certificate", &about, end, CERTIFICATE_SOON_S, words))
    }

    fn dates_of_recoveries(&self) -> Vec<DateLine> {
        let dates = self.feeds.recoveries().into_iter().map(|recovery| {
            let own = recovery.node == *self.node();
            let words = match (recovery.contested, own) {
                (true, _) => {
                    "this recovery is contested: the committee of the network decides whose root counts"
                }
                (false, true) => {
                    "the announced root takes effect then: run `jopoi keys recover --finish --root FILE`; if \
                     you did not announce it, object now with `jopoi keys object --root FILE`"
                }
                (false, false) => {
                    "this node announced another root, which takes effect then; if its people do not know of \
                     it, they must object before"
                }
            };
            self.date("recovery", recovery.node.as_str(), recovery.effective_at, SOON_S, words)
        });
        dates.collect()
    }

    /// What a network waits for from this node.
    fn decisions(&self) -> Vec<DateLine> {
        let mut dates = Vec::new();
        for network in self.feeds.networks() {
            for pending in network.pending().iter().filter(|one| !one.superseded) {
                let waits =
                    pending.missing.iter().any(|member| member.node.as_ref() == Some(self.node()));
                if waits {
                    let about = format!("{} {} of {}", pending.kind, pending.id, network.origin());
                    let words = "the committee waits for this node: look at it, and `jopoi approve` if it agrees";
                    dates.push(self.date("decision", &about, self.due(pending), DECISION_S, words));
                }
            }
        }
        dates
    }

    /// A week after a decision was proposed; its author's clock may be ahead of ours.
    fn due(&self, pending: &Pending) -> u64 {
        let now = self.clock.now();
        let said: Option<jiff::Timestamp> = pending.proposed.parse().ok();
        let said = said.and_then(|said| u64::try_from(said.as_second()).ok());
        said.unwrap_or(now).min(now).saturating_add(DECISION_S)
    }

    fn date(&self, what: &str, about: &str, at: u64, soon: u64, words: &str) -> DateLine {
        let now = self.clock.now();
        let state = match at.saturating_sub(now) {
            0 => "over",
            left if left <= soon => "soon",
            _ => "fine",
        };
        let (what, about) = (what.to_owned(), about.to_owned());
        DateLine { what, about, at, state: state.to_owned(), words: words.to_owned() }
    }
}
