//! Who else has received what the checkpoint says, and how long ago: told, never a reason to doubt words
//! that are signed. Two histories are.

use bytes::Bytes;
use network::times;
use tlog::checkpoint::SignedCheckpoint;
use tlog::key::VerifierKey;
use tlog::name::{KeyName, NodeName};

use crate::cosignatures::Cosignatures;

/// Counts the lines by known cosigners; the owner's own node says nothing that its log key does not say.
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
        if line.size() == said.size && !is_of_owner(line.name(), said.origin.as_str()) {
            agreeing.push(time);
        }
    }
    Ok(words(&agreeing, strangers, now))
}

fn is_of_owner(cosigner: &KeyName, log: &str) -> bool {
    let owner = log.split('/').next().and_then(|node| NodeName::parse(node).ok());
    owner.is_some_and(|node| {
        *cosigner == KeyName::receipt_of(&node) || *cosigner == KeyName::witness_of(&node)
    })
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
