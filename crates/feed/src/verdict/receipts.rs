//! Who else has received what the checkpoint says, and how long ago: told, never a reason to doubt words
//! that are signed. Two histories are.

use bytes::Bytes;
use network::times;
use tlog::checkpoint::SignedCheckpoint;
use tlog::key::VerifierKey;

use crate::cosignatures::Cosignatures;

/// Counts the lines by known cosigners.
pub(super) fn judge(
    lines: Option<&Bytes>,
    checkpoint: &SignedCheckpoint,
    known: &[VerifierKey],
    now: Option<u64>,
) -> Result<String, String> {
    let Some(lines) = lines else { return Ok("none were brought".to_owned()) };
    let lines = Cosignatures::decode(lines).map_err(|error| error.to_string())?;
    let said = &checkpoint.checkpoint;
    let mut agreeing = Vec::new();
    let mut strangers = 0_usize;
    for line in lines.lines() {
        if line.checkpoint().origin != said.origin {
            return Err(format!("they are of `{}`", line.checkpoint().origin));
        }
        let Some(key) = known.iter().find(|key| line.line().is_by(key)) else {
            strangers += 1;
            continue;
        };
        let time = line.verify(key).map_err(|error| error.to_string())?;
        if line.size() == said.size && line.checkpoint().root != said.root {
            return Err(format!(
                "`{}` received another version of these {} entries: two versions were signed",
                key.name, said.size
            ));
        }
        if line.size() == said.size {
            agreeing.push(time);
        }
    }
    Ok(words(&agreeing, strangers, now))
}

fn words(agreeing: &[u64], strangers: usize, now: Option<u64>) -> String {
    let mut words = format!("{} known nodes have received exactly this state", agreeing.len());
    if strangers > 0 {
        words.push_str(&format!("; {strangers} others are not known here"));
    }
    if let (Some(now), Some(median)) = (now, times::median(agreeing)) {
        let hours = now.saturating_sub(median) / 3_600;
        words
            .push_str(&format!("; half of them within the last {} hours", hours.saturating_add(1)));
        if times::is_stale(Some(median), now) {
            words.push_str(": stale, there may be news");
        }
    }
    words
}
