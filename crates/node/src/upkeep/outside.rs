//! How this node looks from outside: its addresses as somebody else would reach them, and what its peers
//! hold of it, how they reach it, and whether its signature counts there.

use std::cmp::Ordering;
use std::time::Duration;

use feed::feeds::Pin;
use futures_util::StreamExt as _;
use futures_util::stream;
use peer::sight::Sight;
use wire::api::keys::Finding;
use wire::api::{Peer, PeerState, ProbeResult};
use wire::heads::HeadLine;

use super::Keeper;
use super::doctor::{failed, fine, skipped, warning};

/// Peers asked at the same time.
const ASKED_TOGETHER: usize = 8;

/// A peer has a round at least every five minutes, and some patience.
const NEW_KEYS_S: u64 = 10 * 60;

/// One peer, or one address, has this long.
const PATIENCE: Duration = Duration::from_secs(20);

impl Keeper {
    /// Each address, then each peer.
    pub(super) async fn look_from_outside(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for url in &self.place.config.base_urls {
            findings.extend(self.look_at_address(url).await);
        }
        let asked = stream::iter(self.feeds.pins()).map(|pin| self.ask(pin));
        let told: Vec<Vec<Finding>> = asked.buffered(ASKED_TOGETHER).collect().await;
        findings.extend(told.into_iter().flatten());
        findings
    }

    async fn look_at_address(&self, url: &str) -> Vec<Finding> {
        let area = format!("outside {url}");
        let Ok(answer) = tokio::time::timeout(PATIENCE, self.outward.reach(url)).await else {
            let words = format!("no answer within {} s", PATIENCE.as_secs());
            let todo = "is the server running, and does the firewall let it through?";
            return vec![warning(&area, words, todo)];
        };
        let bad = answer
            .steps
            .into_iter()
            .filter(|step| matches!(step.result, ProbeResult::Failed | ProbeResult::Warning));
        // A firewall that lets nobody turn round inside is no fault of the node: a warning.
        let todo = format!("try `jopoi probe {url}` from another network");
        let findings: Vec<Finding> = bad
            .map(|step| warning(&area, format!("{}: {}", step.step, step.words), &todo))
            .collect();
        if findings.is_empty() {
            return vec![fine(&area, "reached, and signed as it should be".to_owned())];
        }
        findings
    }

    async fn ask(&self, pin: Pin) -> Vec<Finding> {
        let area = format!("from {}", pin.node);
        match tokio::time::timeout(PATIENCE, self.outward.sight(&pin)).await {
            Ok(Ok(sight)) => self.judge(&area, &sight),
            Ok(Err(error)) => vec![skipped(&area, format!("it could not be asked: {error}"))],
            Err(_) => vec![skipped(&area, format!("no answer within {} s", PATIENCE.as_secs()))],
        }
    }

    /// What a peer says of this node, against what this node knows of itself.
    fn judge(&self, area: &str, sight: &Sight) -> Vec<Finding> {
        if sight.heads.is_empty() && sight.follows.is_none() {
            return vec![fine(area, "it does not follow this node".to_owned())];
        }
        let mut findings: Vec<Finding> =
            sight.heads.iter().map(|head| self.judge_head(area, head)).collect();
        findings.extend(sight.follows.as_ref().map(|follows| judge_way(area, follows)));
        match sight.whoami.as_ref().map(|whoami| (&whoami.node, &whoami.problem)) {
            Some((Some(node), _)) if node == self.node() => {
                findings.push(fine(area, "our signature counts there".to_owned()));
            }
            // They ask in rounds; a minute after a change of keys nothing is wrong.
            Some((_, Some(_))) if self.has_new_keys() => findings.push(warning(
                area,
                "our signature does not count there yet: our keys are new".to_owned(),
                "nothing: peers learn of new keys with their next round; look again in some minutes",
            )),
            Some((_, Some(problem))) => findings.push(failed(
                area,
                format!("our signature does not count there: {problem}"),
                "do what it says; most often this machine's clock is wrong, or the copy there is behind",
            )),
            _ => {}
        }
        findings
    }

    /// Whether our node record is so new that peers need not have it yet.
    fn has_new_keys(&self) -> bool {
        let keys = super::own_keys(&self.feeds);
        let since = keys.as_ref().and_then(|keys| {
            keys.newest()?.record.body().valid_from().parse::<jiff::Timestamp>().ok()
        });
        let since = since.and_then(|since| u64::try_from(since.as_second()).ok());
        since.is_some_and(|since| is_new(since, self.clock.now()))
    }

    fn judge_head(&self, area: &str, head: &HeadLine) -> Finding {
        let (origin, theirs) = (&head.origin, head.size);
        let Some(view) = self.feeds.view(origin) else {
            let words = format!("it holds {theirs} entries of `{origin}`, which is not here");
            return failed(area, words, "bring it back: `jopoi restore --from-network`");
        };
        let ours = view.size();
        match (theirs.cmp(&ours), head.root == view.root()) {
            (Ordering::Greater, _) => failed(
                area,
                format!(
                    "it holds {theirs} entries of `{origin}`, and {ours} are here: this is an older copy"
                ),
                "publish nothing; `jopoi restore --from-network` brings the rest back",
            ),
            (Ordering::Equal, false) => failed(
                area,
                format!(
                    "its {theirs} entries of `{origin}` are not ours: two versions were signed"
                ),
                "publish nothing; is the same secret in use on another machine? See docs/losses.md",
            ),
            (Ordering::Equal, true) => {
                fine(area, format!("it holds all {ours} entries of `{origin}`"))
            }
            (Ordering::Less, _) => {
                fine(area, format!("it holds {theirs} of {ours} entries of `{origin}`"))
            }
        }
    }
}

fn is_new(since: u64, now: u64) -> bool {
    now.saturating_sub(since) < NEW_KEYS_S
}

/// How a peer reaches this node.
fn judge_way(area: &str, follows: &Peer) -> Finding {
    match follows.state {
        PeerState::Healthy => fine(area, "it reaches this node".to_owned()),
        PeerState::New => skipped(area, "it has not tried to reach this node yet".to_owned()),
        PeerState::Failing | PeerState::Dormant => warning(
            area,
            format!("it cannot reach this node ({} rounds failed)", follows.failures),
            "can the server be reached from outside, and is its certificate valid?",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_are_new_for_as_long_as_peers_may_not_have_asked_again() {
        let now = 1_800_000_000;
        assert!(is_new(now, now) && is_new(now - NEW_KEYS_S + 1, now));
        // A clock that was set back meanwhile is no reason to worry.
        assert!(is_new(now + 60, now));
        assert!(!is_new(now - NEW_KEYS_S, now));
    }
}
