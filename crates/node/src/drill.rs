//! The drill: every row of the table of losses, rehearsed on a throw-away copy of a node.
//!
//! The copy has the texts of the real node and keys of its own: signing a second history with the real
//! keys, in a file that may survive, would be the very fork that the guide warns of. Peers are nodes in
//! this process, on disk as real ones are; the clock is moved where people wait.

mod carrier;
mod committee;
mod losses;
mod stage;

use std::time::Instant;

use practice::kind::Kind;
use serde::Serialize;
use serde_json::Value;
use wire::{api, paths};

use crate::cli::Global;
use crate::output::Usage;

/// Texts that are copied: enough to be like the node, few enough for a drill of minutes.
const TEXTS_MAX: usize = 200;

/// One row of the table of losses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// The online secret is gone, or its passphrase.
    OnlineSecret,
    /// The machine burnt, with its disk.
    ServerAndDisk,
    /// The root key is gone.
    Root,
    /// Both keys in safes are gone.
    RootAndRecovery,
    /// Somebody else has the online secret.
    SecretStolen,
    /// Somebody else has the root key.
    RootStolen,
    /// Somebody else has the keys of a node of the committee.
    CommitteeKey,
}

/// A text of the real node.
#[derive(Clone, Debug)]
pub struct Text {
    /// Its kind.
    pub kind: Kind,
    /// What it says.
    pub subject: Value,
}

/// How a rehearsal went.
#[derive(Clone, Debug, Serialize)]
pub struct Outcome {
    /// Which loss.
    pub loss: &'static str,
    /// Whether the node spoke for itself again in the end, and everybody believed it.
    pub passed: bool,
    /// Minutes of the machine; people and the 72 hours come on top.
    pub minutes: f64,
    /// What was done, or what failed.
    pub words: String,
}

impl Loss {
    /// All rows, as the guide has them.
    pub const ALL: [Self; 7] = [
        Self::OnlineSecret,
        Self::ServerAndDisk,
        Self::Root,
        Self::RootAndRecovery,
        Self::SecretStolen,
        Self::RootStolen,
        Self::CommitteeKey,
    ];

    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::OnlineSecret => "online-secret-lost",
            Self::ServerAndDisk => "server-and-disk-lost",
            Self::Root => "root-lost",
            Self::RootAndRecovery => "root-and-recovery-lost",
            Self::SecretStolen => "online-secret-stolen",
            Self::RootStolen => "root-stolen",
            Self::CommitteeKey => "committee-key-stolen",
        }
    }

    /// The way out, in a line.
    pub fn title(self) -> &'static str {
        match self {
            Self::OnlineSecret => "the root signs new keys; nobody else is involved",
            Self::ServerAndDisk => {
                "a new server fetches its feeds from two peers, then makes new keys"
            }
            Self::Root => "the recovery key announces another root; 72 hours, visible to all",
            Self::RootAndRecovery => "the committee reinstates the node, after a check of identity",
            Self::SecretStolen => {
                "the root revokes the keys from an entry on; what follows is published again"
            }
            Self::RootStolen => {
                "the recovery key announces another root; the thief objects; the committee decides"
            }
            Self::CommitteeKey => {
                "the others of the committee make a new policy; every node keeps its history"
            }
        }
    }
}

/// The losses of these names; all, if there are none.
pub fn wanted(names: &[String]) -> anyhow::Result<Vec<Loss>> {
    if names.is_empty() {
        return Ok(Loss::ALL.to_vec());
    }
    let find = |name: &String| {
        let found = Loss::ALL.into_iter().find(|loss| loss.name() == name.as_str());
        let all: Vec<&str> = Loss::ALL.iter().map(|loss| loss.name()).collect();
        found.ok_or_else(|| {
            Usage(format!("`{name}` is no loss that is rehearsed; write one of {}", all.join(", ")))
                .into()
        })
    };
    names.iter().map(find).collect()
}

/// The newest public texts of the real node, read and nothing else.
pub async fn texts_of(global: &Global) -> anyhow::Result<Vec<Text>> {
    let place = global.place()?;
    let control = global.control().await?;
    let public = tlog::name::Origin::new(place.node.clone(), tlog::name::FeedName::public());
    let listed: api::Records = control.get(&paths::api_records(&public, None)).await?;
    let mut texts = Vec::new();
    for line in listed.records.into_iter().filter(|line| !line.kind.is_trust()).take(TEXTS_MAX) {
        let record: api::Record = control.get(&paths::api_record(&public, &line.id)).await?;
        texts.extend(
            record.body.as_ref().and_then(copied).map(|subject| Text { kind: line.kind, subject }),
        );
    }
    Ok(texts)
}

/// What a record says, for an author that is no State: its State is named where it stood for itself.
fn copied(body: &Value) -> Option<Value> {
    let mut subject = body.get("credentialSubject").cloned()?;
    let members = subject.as_object_mut()?;
    members.remove("id");
    if let Some(state) = body.get("issuer").and_then(|issuer| issuer.get("state")) {
        members.entry("states").or_insert_with(|| serde_json::json!([state]));
    }
    Some(subject)
}

/// Does one.
pub async fn rehearse(loss: Loss, texts: &[Text]) -> Outcome {
    let started = Instant::now();
    let ended = losses::run(loss, texts).await;
    let minutes = started.elapsed().as_secs_f64() / 60.0;
    let (passed, words) = match ended {
        Ok(words) => (true, words),
        Err(error) => (false, format!("{error:#}")),
    };
    Outcome { loss: loss.name(), passed, minutes, words }
}
