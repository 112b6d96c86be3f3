//! The proof part of a record's page: exact commands that check it without us.

use feed::feeds::View;
use practice::body::Body;
use tlog::name::Origin;
use wire::paths;

use crate::answer::Answer;
use crate::app::App;

/// What a reader needs to check one version of a record.
pub(crate) struct Proof {
    pub(crate) index: u64,
    pub(crate) jopoi: String,
    pub(crate) body: String,
    pub(crate) entry: String,
    pub(crate) log: String,
    pub(crate) vkey: String,
    pub(crate) issuer: String,
    pub(crate) body_href: String,
    pub(crate) proof_href: String,
    pub(crate) checkpoint_href: String,
}

impl Proof {
    /// The commands for the body at entry `index`.
    pub(crate) async fn of(
        app: &App,
        view: &View,
        index: u64,
        body: &Body,
        page: &str,
        base: &str,
    ) -> Result<Self, Answer> {
        let origin: &Origin = &view.origin;
        let entry = app.feeds.entry(origin, index).await?.entry;
        let entry = writing(&String::from_utf8_lossy(&entry));
        let url = |path: &str| paths::below(base, path);
        let (body_href, proof_href) = (paths::body(origin, index), paths::proof(origin, index));
        let vkey = view.log_vkey().map(|key| key.to_string()).unwrap_or_default();
        Ok(Self {
            index,
            jopoi: format!("jopoi verify {}", url(page)),
            body: format!(
                "{entry}curl -s {} > record.json\n\
                 sha256sum record.json\n\
                 grep -o 'sha256:[0-9a-f]*' entry.json",
                url(&body_href)
            ),
            entry: "(printf '\\000'; cat entry.json) | sha256sum".to_owned(),
            log: format!("curl -s {} > record.tlog-proof", url(&proof_href)),
            issuer: body.issuer_key().to_did(),
            checkpoint_href: paths::checkpoint(origin),
            vkey,
            body_href,
            proof_href,
        })
    }
}

/// The command that writes an entry to a file: it is one word of the shell, whatever stands in it. Nobody
/// is asked to paste control characters, which an honest entry has none of.
fn writing(entry: &str) -> String {
    if entry.contains(char::is_control) {
        return String::new();
    }
    format!("printf '%s' '{}' > entry.json\n", entry.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_stays_one_word_of_the_shell() {
        assert_eq!(writing(r#"{"a":"b"}"#), "printf '%s' '{\"a\":\"b\"}' > entry.json\n");
        assert!(writing("a'; rm -rf /; 'b").contains(r"'a'\''; rm -rf /; '\''b'"));
        assert_eq!(writing("\u{9b}2J"), "");
    }
}
