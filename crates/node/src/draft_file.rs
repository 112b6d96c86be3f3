//! Drafts in JSON files, as somebody wrote them: one object, or a list of them.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};
use practice::draft::{Defaults, normalise};
use serde_json::Value;
use wire::api::Draft;

/// A record has at most 128 KiB and a file some hundred of them; what is larger is another file.
const FILE_BYTES_MAX: u64 = 64 << 20;

/// The drafts of all files, in their order.
pub fn read_all(files: &[PathBuf], defaults: &Defaults) -> anyhow::Result<Vec<Draft>> {
    let mut drafts = Vec::new();
    for file in files {
        read(file, defaults, &mut drafts)
            .with_context(|| format!("cannot read the draft {}", file.display()))?;
    }
    Ok(drafts)
}

/// Reads a file that a person named, up to a limit.
pub fn read_bytes(file: &Path, bytes_max: u64) -> anyhow::Result<Vec<u8>> {
    // The length that is told is not believed: a pipe and a device tell none.
    let mut bytes = Vec::new();
    std::fs::File::open(file)?.take(bytes_max.saturating_add(1)).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > bytes_max {
        bail!("it has more than the {bytes_max} bytes that are read");
    }
    Ok(bytes)
}

fn read(file: &Path, defaults: &Defaults, drafts: &mut Vec<Draft>) -> anyhow::Result<()> {
    let value: Value = practice::json::parse(&read_bytes(file, FILE_BYTES_MAX)?)?;
    let source = file.display().to_string();
    match value {
        Value::Array(items) => {
            for (number, item) in (1_usize..).zip(items) {
                drafts.push(draft(item, format!("{source} item {number}"), defaults)?);
            }
        }
        other => drafts.push(draft(other, source, defaults)?),
    }
    Ok(())
}

/// One draft. `id` names the record it revises if it is an id of this software, else it is the
/// author's own reference; `version` is the one it was made from. What it does not say is taken from
/// `defaults`, and plain text becomes a text in its language.
pub fn draft(value: Value, source: String, defaults: &Defaults) -> anyhow::Result<Draft> {
    let Value::Object(mut members) = value else {
        bail!("{source} is not a JSON object: a draft is `{{\"kind\": …, \"title\": …}}`");
    };
    let Some(Value::String(kind)) = members.shift_remove("kind") else {
        bail!("{source} has no `kind`, such as \"good-practice\"");
    };
    let expected = members.shift_remove("version").as_ref().and_then(Value::as_u64);
    let id = match members.shift_remove("id") {
        Some(Value::String(id)) if id.starts_with("urn:uuid:") => Some(id),
        Some(own) => {
            members.entry("local_id").or_insert(own);
            None
        }
        None => None,
    };
    let subject = normalise(Value::Object(members), defaults);
    Ok(Draft { kind, id, expected, subject, source: Some(source) })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_of_the_author_is_not_taken_for_an_id() {
        let value = serde_json::json!({"kind": "event", "id": "py-1", "title": {"en": "x"}});
        let draft = draft(value, "a.json".into(), &Defaults::default()).unwrap();
        assert_eq!(draft.id, None);
        assert_eq!(draft.subject["local_id"], "py-1");
    }

    #[test]
    fn a_draft_without_a_kind_is_refused_by_name() {
        let error = draft(serde_json::json!({"title": {}}), "a.json".into(), &Defaults::default())
            .unwrap_err();
        assert!(error.to_string().contains("a.json has no `kind`"), "{error}");
    }
}
