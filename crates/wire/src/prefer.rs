//! `Prefer: wait=N` (RFC 7240): how long a reader is willing to be held for news (design 4.6).

use std::time::Duration;

use crate::limits::WAIT_MAX;

/// The name of the header.
pub const PREFER: &str = "prefer";

/// The name of the header by which a server says which preferences it honoured.
pub const APPLIED: &str = "preference-applied";

/// The `wait` in the value of a `Prefer` header, at most [`WAIT_MAX`]; `None` if there is none, if it
/// is 0, or if it is not a number of seconds. The first one counts.
pub fn wait(value: &str) -> Option<Duration> {
    let seconds = value.split(',').find_map(seconds_of)?;
    // More digits than a u64 holds is a longer wait than any other.
    let seconds = seconds.parse::<u64>().unwrap_or(u64::MAX).min(WAIT_MAX.as_secs());
    (seconds > 0).then(|| Duration::from_secs(seconds))
}

/// The value of a `Prefer` header that asks for `wait`, in whole seconds, at most [`WAIT_MAX`].
pub fn asking(wait: Duration) -> String {
    format!("wait={}", wait.min(WAIT_MAX).as_secs())
}

fn seconds_of(preference: &str) -> Option<&str> {
    let (name, value) = preference.split(';').next()?.split_once('=')?;
    let value = value.trim().trim_matches('"');
    let number = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    (name.trim().eq_ignore_ascii_case("wait") && number).then_some(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_is_found_among_other_preferences_and_capped() {
        let seconds = |value| wait(value).map(|wait| wait.as_secs());
        assert_eq!(seconds("wait=30"), Some(30));
        assert_eq!(seconds("respond-async, WAIT = \"10\"; foo=bar"), Some(10));
        assert_eq!(seconds("wait=61"), Some(60));
        assert_eq!(seconds("wait=99999999999999999999999"), Some(60));
        assert_eq!(seconds("wait=5, wait=7"), Some(5));
        for none in ["", "wait", "wait=", "wait=0", "wait=-1", "wait=1.5", "waiting=3"] {
            assert_eq!(seconds(none), None, "{none}");
        }
    }

    #[test]
    fn what_is_asked_is_understood() {
        assert_eq!(wait(&asking(Duration::from_secs(30))), Some(Duration::from_secs(30)));
        assert_eq!(wait(&asking(Duration::from_secs(600))), Some(WAIT_MAX));
    }
}
