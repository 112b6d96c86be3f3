//! How is this node? Looked at from inside, then asked of its peers: what they hold of it, how they
//! reach it, whether its signature counts there. Each finding that is not fine says what to do.

use std::path::Path;
use std::sync::Arc;

use feed::feeds::{FeedState, GuardState};
use wire::api::ProbeResult;
use wire::api::keys::{DoctorAnswer, Finding};

use super::Keeper;
use crate::keys::online::Slot;

/// A segment, a head and some room; below it publishing may fail at any time.
const ROOM_LITTLE: u64 = 256 << 20;

/// Less is no room at all.
const ROOM_NONE: u64 = 64 << 20;

/// A copy nobody refreshed for so long is stale (design 6).
const STALE_S: u64 = 72 * 3_600;

impl Keeper {
    /// Everything, in a fixed order.
    pub(super) async fn examine(&self) -> DoctorAnswer {
        let mut findings = self.at_a_glance();
        findings.extend(self.look_at_dates());
        findings.extend(self.look_at_feeds());
        findings.extend(self.look_at_guards());
        findings.extend(self.look_at_copies());
        findings.extend(self.look_at_relays());
        findings.push(self.look_at_scrub());
        findings.extend(self.look_from_outside().await);
        DoctorAnswer { findings }
    }

    /// What is seen without asking anybody, but for dates, feeds and copies.
    pub(super) fn at_a_glance(&self) -> Vec<Finding> {
        let mut findings = vec![self.look_at_keys(), room(&self.place.data), self.look_at_clock()];
        findings.extend(self.look_at_reserve());
        findings.extend(secrets(&self.place.data));
        findings.extend(self.look_at_addresses());
        findings
    }

    fn look_at_keys(&self) -> Finding {
        let status = match self.status() {
            Ok(status) => status,
            Err(error) => {
                return failed(
                    "keys",
                    format!("{error:#}"),
                    "make the node anew with `jopoi init`",
                );
            }
        };
        let (generation, version) =
            (status.keys.first().map_or(0, |key| key.generation), status.version);
        match (status.state.as_str(), status.open_step) {
            ("locked", _) => warning(
                "keys",
                "the online secret is locked: nothing can be published".to_owned(),
                "run `jopoi keys unlock`",
            ),
            ("lost", _) => failed(
                "keys",
                "no secret here has the keys of the node record: nothing can be published"
                    .to_owned(),
                "bring DATA/keys back from a backup, or run `jopoi keys rotate --root FILE`",
            ),
            (_, Some(step)) => warning("keys", step, "finish it with the same command"),
            _ => fine("keys", format!("generation {generation}, node record version {version}")),
        }
    }

    /// Whether what others publish is taken in.
    fn look_at_reserve(&self) -> Option<Finding> {
        let short = self.feeds.room_for_others().err()?;
        Some(warning(
            "disk",
            short.to_string(),
            "free some space: what others publish waits for it",
        ))
    }

    pub(super) fn look_at_clock(&self) -> Finding {
        let told: Vec<i64> = self.outward.clocks();
        let mut sorted = told.clone();
        sorted.sort_unstable();
        let Some(middle) = sorted.get(sorted.len() / 2).copied() else {
            return skipped("clock", "no peer has told its time yet".to_owned());
        };
        if middle.abs() <= peer::probe::CLOCK_TOLERANCE_S {
            return fine("clock", format!("within {} s of {} peers", middle.abs(), told.len()));
        }
        let (ahead, side) = (middle.abs(), if middle > 0 { "behind" } else { "ahead of" });
        failed(
            "clock",
            format!(
                "this machine's clock is {ahead} s {side} that of its peers: its signed requests are refused"
            ),
            "set it, and let it be set over the network (`timedatectl set-ntp true`)",
        )
    }

    /// What others are told of where this node is.
    fn look_at_addresses(&self) -> Vec<Finding> {
        let configured = &self.place.config.base_urls;
        let record = super::own_keys(&self.feeds)
            .and_then(|keys| keys.newest().map(|newest| Arc::clone(&newest.record)));
        let Some(record) = record else { return Vec::new() };
        if configured.is_empty() && record.urls.is_empty() {
            let words = "no public address is set: others cannot follow this node".to_owned();
            let todo =
                "if they shall, set `base_urls` and run `jopoi keys rotate --root FILE --url URL`";
            return vec![warning("address", words, todo)];
        }
        let mut findings = Vec::new();
        let relays = self.place.config.relays().unwrap_or_default();
        let relayed: Vec<String> =
            relays.iter().flat_map(|relay| self.feeds.urls_of(relay)).collect();
        let elsewhere = |url: &&String| !configured.contains(url) && !relayed.contains(url);
        for url in record.urls.iter().filter(elsewhere) {
            findings.push(failed(
                "address",
                format!("the node record names {url}, and `base_urls` does not: requests for it get 421"),
                "put it into `base_urls`, or publish a node record without it (`jopoi keys rotate --url`)",
            ));
        }
        for url in configured.iter().filter(|url| !record.urls.contains(url)) {
            findings.push(warning(
                "address",
                format!("`base_urls` has {url}, and the node record does not: nobody learns of it"),
                "publish it with `jopoi keys rotate --root FILE --url URL`",
            ));
        }
        if findings.is_empty() {
            findings.push(fine("address", record.urls.join(", ")));
        }
        findings
    }

    fn look_at_dates(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        if let Some(path) = &self.place.config.tls.certificate
            && let Err(error) = super::certificate::end_of_chain(path)
        {
            findings.push(failed("certificate", format!("{error:#}"), "put a PEM chain there"));
        }
        for date in self.dates().dates {
            let when = feed::feeds::timestamp(date.at);
            let words = format!("{}: {when}", date.about);
            let area = format!("date of {}", date.what);
            findings.push(match (date.state.as_str(), date.what.as_str()) {
                ("fine", _) | (_, "former-key") => fine(&area, words),
                ("over", "certificate") => failed(&area, words, &date.words),
                _ => warning(&area, words, &date.words),
            });
        }
        findings
    }

    fn look_at_feeds(&self) -> Vec<Finding> {
        let mut findings = Vec::new();
        for origin in self.feeds.origins() {
            let area = format!("feed {origin}");
            let Some(view) = self.feeds.view(&origin) else { continue };
            let size = view.size();
            findings.push(match &view.state {
                FeedState::Open if !view.missing.is_empty() => warning(
                    &area,
                    format!("{} of its texts have not been received", view.missing.len()),
                    "nothing: they are asked for again in each round",
                ),
                FeedState::Open if !view.own => continue,
                FeedState::Open => fine(&area, format!("{size} entries")),
                FeedState::Continued { by, size } => {
                    fine(&area, format!("goes on as {by} from entry {size} on"))
                }
                FeedState::ReadOnly { reason } => {
                    failed(&area, reason.clone(), "see `docs/losses.md`, \"Server and disk\"")
                }
                FeedState::Forked { reason } => failed(
                    &area,
                    reason.clone(),
                    "telephone the mechanism; the evidence is in DATA/decisions/fault",
                ),
            });
        }
        findings
    }

    /// What was found when everything was last read back.
    fn look_at_scrub(&self) -> Finding {
        let Some(last) = crate::scrub::last(&self.feeds) else {
            return skipped(
                "scrub",
                "not everything was read back yet: a server does it by itself, within a week"
                    .to_owned(),
            );
        };
        let when = crate::text::ago(last.ended);
        let open = last.damaged.saturating_sub(last.healed);
        if open == 0 {
            let words =
                format!("{} objects read back {when}, {} healed", last.objects, last.healed);
            return fine("scrub", words);
        }
        let first = last.told.iter().find(|damage| damage.still.is_some());
        let first = first.map(|damage| format!(", {} first", crate::scrub::name_of(damage)));
        failed(
            "scrub",
            format!(
                "{open} of {} objects read back {when} are damaged{}",
                last.objects,
                first.unwrap_or_default()
            ),
            "`jopoi scrub` tries to heal them once more; see docs/losses.md, \"The disk, or a part of it\"",
        )
    }

    /// Whether those who relay this node have what they are to serve, and are named.
    fn look_at_relays(&self) -> Vec<Finding> {
        let record = self.feeds.newest_record(self.feeds.node());
        let named = record.map(|record| record.urls.clone()).unwrap_or_default();
        let mut findings = Vec::new();
        for relay in self.outward.relayed() {
            let area = format!("relay {}", relay.node);
            let urls = self.feeds.urls_of(&relay.node);
            if let Some(trouble) = relay.trouble {
                findings.push(warning(&area, trouble, "it is tried again by itself"));
            } else if let (false, Some(url)) =
                (urls.iter().any(|url| named.contains(url)), urls.first())
            {
                let todo = format!("publish it with `jopoi keys rotate --root FILE --url {url}`");
                let words =
                    "no address of it stands in this node's record: nobody looks there".to_owned();
                findings.push(warning(&area, words, &todo));
            } else {
                let entries: u64 = relay.holds.values().sum();
                let words = format!("holds {entries} entries in {} feeds", relay.holds.len());
                findings.push(fine(&area, words));
            }
        }
        findings
    }

    /// Whether what is here may be signed.
    fn look_at_guards(&self) -> Vec<Finding> {
        let findings = self.feeds.guards().into_iter().filter_map(|(origin, state)| {
            let area = format!("guard {origin}");
            match state {
                GuardState::Open => None,
                GuardState::Asking { reason, .. } => Some(warning(
                    &area,
                    reason,
                    "wait: those who cosigned last are asked; nothing is signed before",
                )),
                GuardState::ReadOnly { reason } => {
                    Some(failed(&area, reason, "see docs/losses.md, \"The server and its disk\""))
                }
            }
        });
        findings.collect()
    }

    fn look_at_copies(&self) -> Vec<Finding> {
        let now = self.clock.now();
        let mut findings = Vec::new();
        for peer in self.outward.known() {
            let age = peer.last_success.map(|then| now.saturating_sub(then));
            let area = format!("copy of {}", peer.node);
            findings.push(match age {
                Some(age) if age <= STALE_S => {
                    fine(&area, crate::text::ago(now.saturating_sub(age)))
                }
                Some(_) | None => warning(
                    &area,
                    format!("not refreshed for 72 hours: {}", peer.reason),
                    "`jopoi probe URL` tries each step of reaching it",
                ),
            });
        }
        findings
    }
}

/// It is as it should be.
pub fn fine(area: &str, words: String) -> Finding {
    Finding { area: area.to_owned(), result: ProbeResult::Ok, words, todo: String::new() }
}

/// It works, and somebody should look at it.
pub fn warning(area: &str, words: String, todo: &str) -> Finding {
    Finding { area: area.to_owned(), result: ProbeResult::Warning, words, todo: todo.to_owned() }
}

/// It does not work.
pub fn failed(area: &str, words: String, todo: &str) -> Finding {
    Finding { area: area.to_owned(), result: ProbeResult::Failed, words, todo: todo.to_owned() }
}

/// It could not be looked at.
pub fn skipped(area: &str, words: String) -> Finding {
    Finding { area: area.to_owned(), result: ProbeResult::Skipped, words, todo: String::new() }
}

/// Room on the disk of the data directory.
pub fn room(data: &Path) -> Finding {
    let Ok(system) = rustix::fs::statvfs(data) else {
        return skipped("disk", "the system does not tell how much room is left".to_owned());
    };
    let free = system.f_bavail.saturating_mul(system.f_frsize);
    // A file system without inodes says 0 of 0.
    let files = (system.f_files > 0).then_some(system.f_favail);
    enough(free, files)
}

/// What so many free bytes, and room for so many files, are worth.
fn enough(free: u64, files: Option<u64>) -> Finding {
    let words = match files {
        Some(files) => format!("{} MiB free, {files} files more", free >> 20),
        None => format!("{} MiB free", free >> 20),
    };
    let todo = "free some space or enlarge the disk; publishing works again at once";
    match free {
        _ if files == Some(0) => failed("disk", words, todo),
        0..ROOM_NONE => failed("disk", words, todo),
        ROOM_NONE..ROOM_LITTLE => warning("disk", words, todo),
        _ => fine("disk", words),
    }
}

/// Who may read the secrets.
pub fn secrets(data: &Path) -> Vec<Finding> {
    let mut findings = Vec::new();
    for slot in Slot::ALL {
        let path = slot.path(data);
        if path.exists()
            && let Err(error) = slot.read(data)
        {
            findings.push(failed(
                "secrets",
                format!("{error:#}"),
                "do what it says; if others may have read it, run `jopoi keys revoke`",
            ));
        }
    }
    if findings.is_empty() {
        findings.push(fine("secrets", "only this user can read them".to_owned()));
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn little_room_is_a_warning_and_hardly_any_a_failure() {
        let judged = |mib: u64, files| enough(mib << 20, files).result;
        assert_eq!(judged(1_024, Some(9)), ProbeResult::Ok);
        assert_eq!(judged(1_024, None), ProbeResult::Ok);
        assert_eq!(judged(200, Some(9)), ProbeResult::Warning);
        assert_eq!(judged(63, Some(9)), ProbeResult::Failed);
        assert_eq!(judged(1_024, Some(0)), ProbeResult::Failed);
    }
}
