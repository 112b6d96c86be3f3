//! Which records have been approved by all who must.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use practice::body::Body;
use practice::id::RecordId;
use practice::kind::Kind;
use tlog::ed25519::PublicKey;
use tlog::name::NodeName;

use super::{Decided, Member, Network, Pending, Policy, Proposal, Refused, Subject};
use crate::approval::{About, Approval};
use crate::subject::{GroupSubject, Participation, PolicySubject};

/// Who has approved one version: nodes with the roots that vouch for them.
type Voters = BTreeSet<(NodeName, PublicKey)>;

impl Network {
    /// The records that could take effect, by index.
    pub(super) fn read(&mut self, records: &[Decided]) -> Vec<Proposal> {
        let by_index: BTreeMap<u64, &Body> =
            records.iter().rev().map(|one| (one.index, &one.body)).collect();
        let mut proposals = Vec::new();
        for (index, body) in by_index {
            if body.feed() != Some(&self.origin) {
                continue;
            }
            match self.subject(index, body) {
                Ok(Some(subject)) => {
                    proposals.push(Proposal { index, body: body.clone(), subject });
                }
                Ok(None) => {}
                Err(reason) => self.refuse(index, body, reason),
            }
        }
        proposals
    }

    /// Judges every record by the policy in force below it; answers with those that passed.
    pub(super) fn judge(
        &mut self,
        proposals: Vec<Proposal>,
        approvals: &[Approval],
    ) -> Vec<Proposal> {
        let mut votes: HashMap<&About, Voters> = HashMap::new();
        for approval in approvals {
            let voter = (approval.node.clone(), approval.root);
            votes.entry(&approval.about).or_default().insert(voter);
        }
        let none = Voters::new();
        let mut passed = Vec::new();
        for proposal in proposals {
            let about = About::of(&proposal.body);
            let voters = about.and_then(|about| votes.get(&about)).unwrap_or(&none);
            let mut committees: Vec<&Policy> = self.policy().into_iter().collect();
            if let Subject::Policy(policy) = &proposal.subject {
                committees.push(policy);
            }
            let ballot = Ballot::of(&committees, voters);
            if ballot.needed > 0 {
                self.pending.push(pending(&proposal, ballot));
                continue;
            }
            self.effective.insert(proposal.index);
            if let Subject::Policy(policy) = &proposal.subject {
                self.policies.push(policy.clone());
            }
            passed.push(proposal);
        }
        self.mark_superseded(&passed);
        passed
    }

    pub(super) fn refuse(&mut self, index: u64, body: &Body, reason: String) {
        let (id, kind) = (body.id(), body.kind().clone());
        self.refused.push(Refused { index, id, kind, reason, replaced: false });
    }

    /// Tells what cannot take effect and is still wanted from what was said anew: a version of the same
    /// record, a record of the same node, another policy.
    pub(super) fn mark_replaced(&mut self, records: &[Decided]) {
        // The last entry that speaks of each record, node or policy: one pass, however long the feed.
        let mut last: HashMap<Topic, u64> = HashMap::new();
        for one in records {
            for topic in topics(&one.body) {
                let at = last.entry(topic).or_default();
                *at = (*at).max(one.index);
            }
        }
        let bodies: HashMap<u64, &Body> =
            records.iter().map(|one| (one.index, &one.body)).collect();
        for refused in &mut self.refused {
            let said_anew = |topic| last.get(&topic).is_some_and(|at| *at > refused.index);
            refused.replaced =
                bodies.get(&refused.index).is_some_and(|body| topics(body).any(said_anew));
        }
    }

    fn subject(&self, index: u64, body: &Body) -> Result<Option<Subject>, String> {
        let kind = body.kind();
        let subject = if *kind == Kind::PARTICIPANT {
            Participation::from_body(body).map(|one| Subject::Participant(Box::new(one)))
        } else if *kind == Kind::GROUP {
            GroupSubject::from_body(body).map(Subject::Group)
        } else if *kind == Kind::POLICY {
            let subject = PolicySubject::from_body(body).map_err(|error| error.to_string())?;
            return self.policy_of(index, subject).map(|policy| Some(Subject::Policy(policy)));
        } else {
            return Ok(None);
        };
        subject.map(Some).map_err(|error| error.to_string())
    }

    fn policy_of(&self, index: u64, subject: PolicySubject) -> Result<Policy, String> {
        let logs = self.policy().map(|file| file.cosigners.logs().to_vec()).unwrap_or_default();
        let number = |number: u64| usize::try_from(number).map_err(|error| error.to_string());
        let quorum = number(subject.quorum)?;
        let cosigners = tlog::policy::Policy::some_of(logs, &subject.witnesses, quorum)
            .map_err(|error| error.to_string())?;
        let threshold = number(subject.threshold)?;
        let member =
            |one: crate::subject::CommitteeNode| Member { node: Some(one.node), root: one.root };
        let committee = subject.committee.into_iter().map(member).collect();
        Ok(Policy { index: Some(index), committee, threshold, cosigners })
    }

    /// Tells what waits and is wanted from what waits and was replaced.
    fn mark_superseded(&mut self, passed: &[Proposal]) {
        let overtaken = |pending: &Pending| {
            passed.iter().filter(|later| later.index > pending.index).any(|later| {
                match &later.subject {
                    Subject::Participant(one) => pending.node.as_ref() == Some(&one.subject.node),
                    Subject::Group(_) => pending.id == later.body.id(),
                    Subject::Policy(_) => pending.kind == Kind::POLICY,
                }
            })
        };
        let mut newest: HashMap<RecordId, u64> = HashMap::new();
        for pending in self.pending.iter_mut().rev() {
            let highest = newest.entry(pending.id).or_insert(pending.version);
            pending.superseded = *highest > pending.version || overtaken(pending);
        }
    }
}

/// How a vote stands.
struct Ballot {
    approved_by: BTreeSet<NodeName>,
    missing: Vec<Member>,
    needed: usize,
}

impl Ballot {
    /// Counts `voters` in every one of `committees`, each by its own threshold.
    fn of(committees: &[&Policy], voters: &Voters) -> Self {
        let mut approved_by = BTreeSet::new();
        let mut missing: Vec<Member> = Vec::new();
        let mut short: Vec<usize> = Vec::new();
        for policy in committees {
            let mut count = 0;
            for member in &policy.committee {
                let mut own = voters.iter().filter(|voter| member.is(voter)).peekable();
                if own.peek().is_some() {
                    count += 1;
                    approved_by.extend(own.map(|(node, _)| node.clone()));
                } else if !missing.iter().any(|other| other.root == member.root) {
                    missing.push(member.clone());
                }
            }
            short.push(policy.threshold.saturating_sub(count));
        }
        let needed = fewest(committees, &short, &missing);
        Self { approved_by, missing, needed }
    }
}

/// The fewest approvals that make up what the committees are short of: a member of two counts in both.
fn fewest(committees: &[&Policy], short: &[usize], missing: &[Member]) -> usize {
    let in_all = |member: &&Member| {
        committees
            .iter()
            .all(|policy| policy.committee.iter().any(|other| other.root == member.root))
    };
    let sum: usize = short.iter().sum();
    if let [first, second] = short {
        let shared = missing.iter().filter(in_all).count();
        return sum - shared.min(*first).min(*second);
    }
    sum
}

impl Member {
    fn is(&self, (node, root): &(NodeName, PublicKey)) -> bool {
        self.root == *root && self.node.as_ref().is_none_or(|own| own == node)
    }
}

/// What a record speaks of, where a newer one takes its place.
#[derive(PartialEq, Eq, Hash)]
enum Topic {
    Record(RecordId),
    Node(Kind, String),
    Policy,
}

fn topics(body: &Body) -> impl Iterator<Item = Topic> {
    let kind = body.kind();
    let node = body.subject().get("node").and_then(serde_json::Value::as_str);
    let node = node.map(|node| Topic::Node(kind.clone(), node.to_owned()));
    let policy = (*kind == Kind::POLICY).then_some(Topic::Policy);
    [Some(Topic::Record(body.id())), node, policy].into_iter().flatten()
}

fn pending(proposal: &Proposal, ballot: Ballot) -> Pending {
    let node = match &proposal.subject {
        Subject::Participant(one) => Some(one.subject.node.clone()),
        Subject::Group(_) | Subject::Policy(_) => None,
    };
    Pending {
        index: proposal.index,
        id: proposal.body.id(),
        kind: proposal.body.kind().clone(),
        version: proposal.body.version(),
        body: proposal.body.hash(),
        proposed: proposal.body.valid_from().to_owned(),
        node,
        approved_by: ballot.approved_by.into_iter().collect(),
        missing: ballot.missing,
        needed: ballot.needed,
        effective_at: None,
        superseded: false,
    }
}

impl Proposal {
    /// A record that everybody has approved and that waits for its time.
    pub(super) fn waiting(&self, effective_at: Option<u64>) -> Pending {
        let nobody = Ballot { approved_by: BTreeSet::new(), missing: Vec::new(), needed: 0 };
        Pending { effective_at, ..pending(self, nobody) }
    }
}
