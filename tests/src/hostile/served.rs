//! The honest answers of a node, made ahead: a small feed, a sealed one, or one that lacks a body.

use anyhow::Result;
use bytes::Bytes;
use serde_json::json;
use tlog::hash::Hash;
use tlog::name::Origin;
use wire::{media, paths};

use super::Trial;
use crate::chance::BEGINNING;
use crate::forge::Forge;
use crate::member::Member;

/// Entries of the small feed.
const SMALL: u64 = 3;

/// One node's answers.
pub(super) struct Served {
    origin: Origin,
    record: Bytes,
    note: Bytes,
    size: u64,
    pub(super) root: Hash,
    since: Bytes,
    tile: Bytes,
    segment: Bytes,
    body: Bytes,
    heads: Bytes,
}

/// What a node answers.
pub(super) enum Said {
    /// 200, with its media type.
    Content(&'static str, Bytes),
    /// A status without content.
    Status(u16),
    /// Nothing, until the wait is over.
    NoNews,
}

impl Served {
    /// The node of a trial, with a feed in which its question is asked.
    pub(super) fn of(trial: &Trial) -> Result<Self> {
        let member = trial.member()?;
        match trial.exchange.name {
            "head" | "hash tile" | "segment" => Self::sealed(&member),
            "body" => Self::small(&member, true),
            "evidence" => {
                let served = Self::small(&member, false)?;
                let evidence = Hash::of("there is none").to_string();
                let line = json!([{"origin": served.origin, "size": SMALL, "root": served.root, "evidence": evidence}]);
                Ok(Self { heads: line.to_string().into(), ..served })
            }
            _ => Self::small(&member, false),
        }
    }

    fn small(member: &Member, lacks_body: bool) -> Result<Self> {
        let mut forge = Forge::begin(member)?;
        forge.record("One")?.record("Two")?;
        let body = member.record(2, "Two")?;
        if lacks_body {
            forge.leave_out_body(2);
        }
        let note = forge.note()?;
        let since = forge.commits(0, &note)?;
        Self::made(member, &forge, since, body)
    }

    fn sealed(member: &Member) -> Result<Self> {
        let mut forge = Forge::begin(member)?;
        for number in 1..256 {
            // No statements, for they cost no signatures: kept without effect.
            forge.entry(format!("entry {number}"));
        }
        let since = forge.sealed_head()?;
        Self::made(member, &forge, since, Bytes::from_static(b"{}"))
    }

    fn made(member: &Member, forge: &Forge, since: Bytes, body: Bytes) -> Result<Self> {
        let root = forge.root()?;
        let line = json!([{"origin": member.origin(), "size": forge.size(), "root": root}]);
        Ok(Self {
            origin: member.origin(),
            record: member.node_record(&[])?,
            note: forge.note()?.into(),
            size: forge.size(),
            root,
            since,
            tile: Bytes::copy_from_slice(root.as_bytes()),
            segment: forge.segment()?,
            body,
            heads: line.to_string().into(),
        })
    }

    /// The answer to a request below the node's address.
    pub(super) fn answer(&self, method: &str, path: &str) -> Said {
        let feed = format!("/feeds/{}/", self.origin);
        let known = |bytes: &Bytes, media| Said::Content(media, bytes.clone());
        match (method, path, path.strip_prefix(&feed)) {
            ("GET", paths::WELL_KNOWN, _) => known(&self.record, media::VC),
            ("GET", paths::HEADS, _) => known(&self.heads, media::JSON),
            ("GET", paths::WHOAMI, _) => {
                let who = json!({"caller": "stranger", "server_time": BEGINNING});
                Said::Content(media::JSON, who.to_string().into())
            }
            ("GET", paths::API_PEERS, _) => {
                Said::Content(media::JSON, json!({"peers": []}).to_string().into())
            }
            ("POST", paths::BUNDLES, _) => {
                Said::Content(media::JSON, json!({"outcomes": []}).to_string().into())
            }
            ("POST", paths::ADD_CHECKPOINT, _) => {
                Said::Content(media::TEXT, "\u{2014} w x\n".into())
            }
            ("GET", _, Some("checkpoint")) => known(&self.note, media::TEXT),
            ("GET", _, Some("cosignatures")) => {
                Said::Content(media::BYTES, Bytes::from_static(b"JPC1\0\0"))
            }
            ("GET", _, Some("anchors")) => {
                Said::Content(media::BYTES, feed::bundle::write(&[]).into())
            }
            ("POST", _, Some("cosignatures")) => Said::Status(204),
            ("GET", _, Some(rest)) => match rest.split_once('/') {
                Some(("since", size)) if size == self.size.to_string() => Said::NoNews,
                Some(("since", _)) => known(&self.since, media::BYTES),
                Some(("tile", tile)) if tile.starts_with("1/") => known(&self.tile, media::BYTES),
                Some(("segment", _)) => known(&self.segment, media::BYTES),
                Some(("body", "0")) => known(&self.record, media::VC),
                Some(("body", _)) => known(&self.body, media::VC),
                _ => Said::Status(404),
            },
            _ => Said::Status(404),
        }
    }
}
