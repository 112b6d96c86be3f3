//! The proof part of a record's page: exact commands that check it without us.

use std::sync::Arc;

use feed::feeds::View;
use network::fold::Network;
use practice::body::Body;
use tlog::name::Origin;
use wire::paths;

use crate::answer::Answer;
use crate::app::App;
use crate::texts::Texts;

/// One link of the chain from a network to a record's words, with its evidence.
pub(crate) struct Link {
    pub(crate) label: String,
    /// Names, keys and numbers, as they stand in the evidence.
    pub(crate) value: String,
    pub(crate) href: Option<String>,
}

/// What a reader needs to check one version of a record.
pub(crate) struct Proof {
    /// The links, each resting on those before it.
    pub(crate) chain: Vec<Link>,
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
    pub(crate) check: Check,
}

/// What the script that checks in the reader's browser begins with. It believes none of it.
pub(crate) struct Check {
    pub(crate) script: &'static str,
    pub(crate) origin: String,
    pub(crate) id: String,
    pub(crate) entry: String,
    /// The entries of the node records that name the keys of the record and of the checkpoint.
    pub(crate) keys_at: u64,
    pub(crate) log_keys_at: u64,
}

impl Proof {
    /// The commands for the body at entry `index`.
    pub(crate) async fn of(
        app: &App,
        view: &View,
        index: u64,
        body: &Body,
        page: &str,
        (base, texts): (&str, &Texts),
    ) -> Result<Self, Answer> {
        let origin: &Origin = &view.origin;
        let entry = app.feeds.entry(origin, index).await?.entry;
        let entry = String::from_utf8_lossy(&entry);
        let check = check(view, index, body, &entry);
        let entry = writing(&entry);
        let url = |path: &str| paths::below(base, path);
        let (body_href, proof_href) = (paths::body(origin, index), paths::proof(origin, index));
        let vkey = view.log_vkey().map(|key| key.to_string()).unwrap_or_default();
        let chain = chain(app, view, index, body, texts);
        let by_network = networks_of(app, view).next().is_some();
        let network = if by_network { " --network network.txt" } else { "" };
        Ok(Self {
            index,
            chain,
            jopoi: format!(
                "jopoi verify {0}{network}\n\
                 jopoi verify {0} --save evidence.jpb\n\
                 jopoi verify evidence.jpb{network}",
                url(page)
            ),
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
            check,
        })
    }
}

/// What the script is given.
fn check(view: &View, index: u64, body: &Body, entry: &str) -> Check {
    let keys_at = |index: u64| view.keys.in_force(index.max(1)).map_or(0, |keyed| keyed.index);
    Check {
        script: super::script_path(),
        origin: view.origin.to_string(),
        id: body.id().to_string(),
        entry: entry.to_owned(),
        keys_at: keys_at(index),
        log_keys_at: keys_at(view.size()),
    }
}

/// The networks known here that name the node of a feed.
fn networks_of(app: &App, view: &View) -> impl Iterator<Item = Arc<Network>> {
    let node = view.origin.node().clone();
    app.feeds.networks().into_iter().filter(move |network| network.participant(&node).is_some())
}

/// Every link, with where its evidence is.
fn chain(app: &App, view: &View, index: u64, body: &Body, texts: &Texts) -> Vec<Link> {
    let (origin, node) = (&view.origin, view.origin.node());
    let link = |key: &str, value: String, href: Option<String>| Link {
        label: texts.get(&format!("proof-link-{key}")),
        value,
        href,
    };
    let mut links = Vec::new();
    for network in networks_of(app, view) {
        let of = network.origin();
        let fingerprint = app.feeds.network_file(of).map(|file| file.fingerprint());
        let named = format!("{of} {}", fingerprint.unwrap_or_default());
        links.push(link("network", named, Some(paths::anchors(of))));
        if let Some(found) = network.participant(node) {
            let href = paths::body(of, found.index);
            links.push(link("participant", found.root.to_did(), Some(href)));
        }
    }
    if let Some(keyed) = view.keys.in_force(index.max(1)) {
        let root = keyed.record.root.to_did();
        links.push(link("node-record", root, Some(paths::body(origin, keyed.index))));
    }
    let size = texts.count("entries", view.size());
    links.push(link("checkpoint", size, Some(paths::checkpoint(origin))));
    let receipts = app.feeds.receipts(origin);
    let received =
        receipts.iter().filter(|one| one.size > index && one.receiver().is_some()).count();
    if received > 0 {
        links.push(link("receipts", received.to_string(), Some(paths::cosignatures(origin))));
    }
    links.push(link("entry", index.to_string(), Some(paths::proof(origin, index))));
    let key = body.issuer_key().to_did();
    links.push(link("record-key", key, Some(paths::body(origin, index))));
    links
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
