//! Trust policies: which logs are known, which witnesses, and how many of them make a quorum
//! (C2SP tlog-policy).
//!
//! A policy is a text of lines that outsiders' tools read too. It is read as octets, as the specification
//! asks: names, addresses and comments may hold any octet from 0x80 on, and no two spellings are equal.
//!
//! **Invariant:** the quorum of a [`Policy`], and every member of a group, is a name defined before; no
//! name is a member of two groups, so a witness counts in one way only.

mod text;

use std::collections::HashSet;
use std::fmt;

use crate::checkpoint::{SignedCheckpoint, UnverifiedCheckpoint};
use crate::key::{InvalidVerifierKey, KeyKind, VerifierKey};
use crate::note::Signed;

/// Room for [`POLICY_ITEMS_MAX`] witnesses with addresses, and for comments.
pub const POLICY_BYTES_MAX: usize = 262_144;

/// Most logs, most witnesses, most groups: a network of every State and its groups. The specification asks
/// for 32 of each at least.
pub const POLICY_ITEMS_MAX: usize = 256;

/// The predefined name: no cosignature is required.
pub const NONE: &str = "none";

/// A name or an address in a policy: octets without white space and control characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Word(Vec<u8>);

impl Word {
    /// Checks the octets. A word that begins with `#` is allowed where it does not begin a line.
    pub fn new(octets: &[u8]) -> Result<Self, PolicyFault> {
        let allowed = |octet: &u8| matches!(octet, 0x21..=0x7e | 0x80..=0xff);
        if !octets.is_empty() && octets.iter().all(allowed) {
            Ok(Self(octets.to_vec()))
        } else {
            Err(PolicyFault::Word { text: excerpt(octets) })
        }
    }

    /// The octets, mostly UTF-8.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    fn is_none(&self) -> bool {
        self.0 == NONE.as_bytes()
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.0))
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", String::from_utf8_lossy(&self.0))
    }
}

/// A log whose checkpoints are accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Log {
    /// Its key; the name of the key is the log's origin.
    pub key: VerifierKey,
    /// Where it is found.
    pub url: Option<Word>,
}

/// Somebody whose cosignature may count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// What groups and the quorum call it; means nothing elsewhere.
    pub name: Word,
    /// Its key.
    pub key: VerifierKey,
    /// Where it is asked.
    pub url: Option<Word>,
}

/// Some of several witnesses or groups.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Group {
    /// What other groups and the quorum call it.
    pub name: Word,
    /// How many of the members suffice, from 1 to all.
    pub threshold: usize,
    /// Witnesses and groups defined before.
    pub members: Vec<Word>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Named {
    Witness(Witness),
    Group(Group),
}

impl Named {
    fn name(&self) -> &Word {
        match self {
            Self::Witness(witness) => &witness.name,
            Self::Group(group) => &group.name,
        }
    }
}

/// A policy. Read by [`Policy::parse`] or put together with a [`PolicyDraft`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    logs: Vec<Log>,
    named: Vec<Named>,
    quorum: Word,
}

impl Policy {
    /// Any `threshold` of `witnesses`, each under the name of its key, with the id of the key where two keys
    /// have one name; none for 0.
    ///
    /// # Errors
    /// When a key is of the wrong kind or there twice, or there are fewer witnesses than asked for.
    pub fn some_of(
        logs: Vec<Log>,
        witnesses: &[VerifierKey],
        threshold: usize,
    ) -> Result<Self, PolicyFault> {
        let mut draft = PolicyDraft::default();
        logs.into_iter().try_for_each(|log| draft.log(log))?;
        let mut members = Vec::new();
        for key in witnesses {
            let mut name = Word::new(key.name.as_str().as_bytes())?;
            if members.contains(&name) {
                name = Word::new(format!("{}+{:08x}", key.name, key.id).as_bytes())?;
            }
            members.push(name.clone());
            draft.witness(Witness { name, key: key.clone(), url: None })?;
        }
        if threshold == 0 {
            draft.quorum(Word::new(NONE.as_bytes())?)?;
        } else {
            // A key's name may be any word but those of the others, and this one is no key's name.
            let name = Word::new(b"quorum+")?;
            draft.group(Group { name: name.clone(), threshold, members })?;
            draft.quorum(name)?;
        }
        draft.finish()
    }

    /// The logs, in the order of the text.
    pub fn logs(&self) -> &[Log] {
        &self.logs
    }

    /// The witnesses, in the order of the text.
    pub fn witnesses(&self) -> impl Iterator<Item = &Witness> {
        self.named.iter().filter_map(|named| match named {
            Named::Witness(witness) => Some(witness),
            Named::Group(_) => None,
        })
    }

    /// The groups, in the order of the text.
    pub fn groups(&self) -> impl Iterator<Item = &Group> {
        self.named.iter().filter_map(|named| match named {
            Named::Group(group) => Some(group),
            Named::Witness(_) => None,
        })
    }

    /// The name of the witness or group that must have cosigned, or `none`.
    pub fn quorum(&self) -> &Word {
        &self.quorum
    }

    /// Whether those of whom `cosigned` says yes make the quorum.
    pub fn is_met(&self, cosigned: &dyn Fn(&VerifierKey) -> bool) -> bool {
        // Members are defined before their group, so one pass settles all.
        let mut met: HashSet<&Word> = HashSet::new();
        for named in &self.named {
            let yes = match named {
                Named::Witness(witness) => cosigned(&witness.key),
                Named::Group(group) => {
                    group.members.iter().filter(|member| met.contains(member)).count()
                        >= group.threshold
                }
            };
            if yes {
                met.insert(named.name());
            }
        }
        self.quorum.is_none() || met.contains(&self.quorum)
    }

    /// Checks that one of the logs signed `checkpoint`, that every line by a known witness holds, and that
    /// they make the quorum; answers with the witnesses and their times.
    pub fn verify(&self, checkpoint: &SignedCheckpoint) -> Result<Vec<Cosigned>, Unsatisfied> {
        let keys: Vec<VerifierKey> = self.witnesses().map(|witness| witness.key.clone()).collect();
        let of_origin = |log: &&Log| log.key.name == checkpoint.checkpoint.origin;
        let mut refusal = None;
        for log in self.logs.iter().filter(of_origin) {
            match checkpoint.verify_with(&log.key, &keys) {
                Ok(signed) => {
                    let signed: Vec<Cosigned> = signed.into_iter().filter_map(cosigned).collect();
                    let met = self.is_met(&|key| signed.iter().any(|one| one.key == *key));
                    return if met {
                        Ok(signed)
                    } else {
                        Err(Unsatisfied::Quorum { quorum: self.quorum.to_string() })
                    };
                }
                Err(error) => refusal = Some(error),
            }
        }
        let origin = checkpoint.checkpoint.origin.to_string();
        Err(refusal.map_or(Unsatisfied::UnknownLog { origin }, Unsatisfied::Checkpoint))
    }
}

/// A witness of a policy that cosigned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cosigned {
    /// Its key.
    pub key: VerifierKey,
    /// When, in seconds since 1970.
    pub time: u64,
}

fn cosigned(signed: Signed<'_>) -> Option<Cosigned> {
    Some(Cosigned { key: signed.key.clone(), time: signed.time? })
}

/// A policy in the making: each call is a line of its text.
#[derive(Clone, Debug, Default)]
pub struct PolicyDraft {
    logs: Vec<Log>,
    named: Vec<Named>,
    members: HashSet<Word>,
    quorum: Option<Word>,
}

impl PolicyDraft {
    /// Adds a log.
    pub fn log(&mut self, log: Log) -> Result<(), PolicyFault> {
        at_most(self.logs.len(), "logs")?;
        if log.key.kind != KeyKind::Ed25519 {
            return Err(PolicyFault::LogKey { name: log.key.name.to_string() });
        }
        if self.logs.iter().any(|other| other.key.key == log.key.key) {
            return Err(PolicyFault::KeyTwice { name: log.key.name.to_string() });
        }
        self.logs.push(log);
        Ok(())
    }

    /// Adds a witness.
    pub fn witness(&mut self, witness: Witness) -> Result<(), PolicyFault> {
        let mut others = self.named.iter().filter_map(|named| match named {
            Named::Witness(witness) => Some(witness),
            Named::Group(_) => None,
        });
        at_most(others.clone().count(), "witnesses")?;
        if witness.key.kind != KeyKind::Cosignature {
            return Err(PolicyFault::WitnessKey { name: witness.name.to_string() });
        }
        if others.any(|other| other.key.key == witness.key.key) {
            return Err(PolicyFault::KeyTwice { name: witness.name.to_string() });
        }
        self.define(Named::Witness(witness))
    }

    /// Adds a group.
    pub fn group(&mut self, group: Group) -> Result<(), PolicyFault> {
        let is_group = |named: &&Named| matches!(named, Named::Group(_));
        at_most(self.named.iter().filter(is_group).count(), "groups")?;
        if group.threshold == 0 || group.threshold > group.members.len() {
            return Err(PolicyFault::Threshold {
                name: group.name.to_string(),
                threshold: group.threshold,
                members: group.members.len(),
            });
        }
        for member in &group.members {
            self.known(member)?;
            if !self.members.insert(member.clone()) {
                return Err(PolicyFault::MemberTwice { name: member.to_string() });
            }
        }
        self.define(Named::Group(group))
    }

    /// Says who must have cosigned; exactly once, and not before that name is defined.
    pub fn quorum(&mut self, name: Word) -> Result<(), PolicyFault> {
        if !name.is_none() {
            self.known(&name)?;
        }
        match self.quorum.replace(name) {
            None => Ok(()),
            Some(_) => Err(PolicyFault::QuorumTwice),
        }
    }

    /// The policy, if it has a quorum.
    pub fn finish(self) -> Result<Policy, PolicyFault> {
        let quorum = self.quorum.ok_or(PolicyFault::NoQuorum)?;
        Ok(Policy { logs: self.logs, named: self.named, quorum })
    }

    fn define(&mut self, named: Named) -> Result<(), PolicyFault> {
        let name = named.name();
        if name.is_none() || self.named.iter().any(|other| other.name() == name) {
            return Err(PolicyFault::NameTwice { name: name.to_string() });
        }
        self.named.push(named);
        Ok(())
    }

    fn known(&self, name: &Word) -> Result<(), PolicyFault> {
        if self.named.iter().any(|named| named.name() == name) {
            Ok(())
        } else {
            Err(PolicyFault::Undefined { name: name.to_string() })
        }
    }
}

/// Which rule a policy breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyFault {
    /// White space, a control character, or nothing.
    #[error("`{text}` is no name or address; it must have no spaces and no control characters")]
    Word {
        /// The beginning of what was read.
        text: String,
    },
    /// An octet that no line may hold.
    #[error("the control character {octet:#04x} is not allowed; only tabs and newlines are")]
    Control {
        /// The octet.
        octet: u8,
    },
    /// The last line has no newline.
    #[error("the last line does not end in a newline; the file may have been cut off")]
    Unfinished,
    /// Longer than [`POLICY_BYTES_MAX`].
    #[error("a policy has at most 262144 bytes, not {bytes}")]
    Bytes {
        /// How many it has.
        bytes: usize,
    },
    /// More than [`POLICY_ITEMS_MAX`] of something.
    #[error("a policy has at most 256 {what}")]
    TooMany {
        /// Of what.
        what: &'static str,
    },
    /// A line of no known form.
    #[error(
        "`{line}` is no line of a policy; lines read `log VKEY [URL]`, `witness NAME VKEY [URL]`, \
         `group NAME all|any|K NAME…` and `quorum NAME`"
    )]
    Line {
        /// The beginning of the line.
        line: String,
    },
    /// A key that is none.
    #[error("the key cannot be read")]
    Key(#[from] InvalidVerifierKey),
    /// A log with a witness's key.
    #[error("the key of the log `{name}` is of a witness (type 0x04); a log has one of type 0x01")]
    LogKey {
        /// The key's name.
        name: String,
    },
    /// A witness with a log's key.
    #[error(
        "the key of the witness `{name}` is of a log (type 0x01); a witness has one of type 0x04"
    )]
    WitnessKey {
        /// The witness's name.
        name: String,
    },
    /// The same key in two lines.
    #[error("the key of `{name}` stands in an earlier line too")]
    KeyTwice {
        /// The name in the later line.
        name: String,
    },
    /// A name defined twice, or `none`.
    #[error("`{name}` is already the name of another witness or group; choose another one")]
    NameTwice {
        /// The name.
        name: String,
    },
    /// A name that no earlier line defines.
    #[error("`{name}` is not defined in an earlier line")]
    Undefined {
        /// The name.
        name: String,
    },
    /// A name that is a member already.
    #[error("`{name}` is a member of a group already; it can count once only")]
    MemberTwice {
        /// The name.
        name: String,
    },
    /// Not from 1 to the number of members.
    #[error("the group `{name}` asks for {threshold} of {members}; it must be 1 to {members}")]
    Threshold {
        /// The group.
        name: String,
        /// What it asks for.
        threshold: usize,
        /// How many members it has.
        members: usize,
    },
    /// No `quorum` line.
    #[error("there is no `quorum` line; write `quorum none` if no witness is required")]
    NoQuorum,
    /// A second `quorum` line.
    #[error("there is a second `quorum` line; only one is allowed")]
    QuorumTwice,
}

/// A text that is no policy, and where.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("line {line} of the policy: {fault}")]
pub struct InvalidPolicy {
    /// The line, from 1 on; the last one for what is missing.
    pub line: usize,
    /// The rule it breaks.
    #[source]
    pub fault: PolicyFault,
}

/// Why a checkpoint does not satisfy a policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsatisfied {
    /// Of a log that the policy does not name.
    #[error("the policy knows no log `{origin}`")]
    UnknownLog {
        /// The log.
        origin: String,
    },
    /// Not signed by the log, or with a false line.
    #[error(transparent)]
    Checkpoint(UnverifiedCheckpoint),
    /// Too few witnesses.
    #[error("the witnesses of the checkpoint do not make the quorum `{quorum}`")]
    Quorum {
        /// Its name.
        quorum: String,
    },
}

fn at_most(count: usize, what: &'static str) -> Result<(), PolicyFault> {
    if count < POLICY_ITEMS_MAX { Ok(()) } else { Err(PolicyFault::TooMany { what }) }
}

fn excerpt(octets: &[u8]) -> String {
    let shown = String::from_utf8_lossy(octets.get(..octets.len().min(480)).unwrap_or_default());
    shown.chars().take(120).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
