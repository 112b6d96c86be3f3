//! Evidence of a fork, of each kind: what convinces a stranger convinces him of nothing else once it is
//! changed.

use std::convert::Infallible;

use feed::fault::{Fault, ForkKind};
use feed::ports::KeyUse;
use practice::body::Body;
use practice::kind::Kind;
use tests::chance::BEGINNING;
use tests::member::Member;
use tlog::checkpoint::Checkpoint;
use tlog::cosignature::cosign;
use tlog::ed25519::{PublicKey, SigningKey};
use tlog::hash::Hash;
use tlog::key::VerifierKey;
use tlog::name::KeyName;
use tlog::note::{Note, sign_note};
use tlog::prove::{Nodes, prove_consistency, root_of};

use super::binary::{self, Field};
use super::json;
use super::trial::{Says, Tolerated, examine};
use super::world::{full_subject, key, sign};

/// A file has thousands of bytes.
const STRIDE: usize = 7;

const SPELT: Tolerated<'_> =
    ("spelt otherwise", "the file is plain JSON: what is signed stands in strings, however spelt");
const SPACED: Tolerated<'_> = ("with white space", SPACE);
const AFTER: Tolerated<'_> = ("a space after", SPACE);
const LINE_AFTER: Tolerated<'_> = ("a line end after", SPACE);
const BEFORE: Tolerated<'_> = ("a space before", SPACE);
const LINE_BEFORE: Tolerated<'_> = ("a line end before", SPACE);
const SPACE: &str = "the file is plain JSON: white space says nothing";
const PLAIN: [Tolerated<'_>; 6] = [SPELT, SPACED, AFTER, LINE_AFTER, BEFORE, LINE_BEFORE];
const RECORDS: Tolerated<'_> =
    ("/node_records", "one record more than is needed, or in another order, takes nothing away");

pub(crate) struct Tree(Vec<Hash>);

impl Nodes for Tree {
    type Error = Infallible;

    fn node(&self, level: u8, index: u64) -> Result<Hash, Infallible> {
        Ok(if level == 0 {
            self.0[usize::try_from(index).unwrap()]
        } else {
            let left = self.node(level - 1, index * 2)?;
            Hash::node(&left, &self.node(level - 1, index * 2 + 1)?)
        })
    }
}

pub(crate) fn story(title: &str, size: usize) -> Tree {
    Tree((0..size).map(|number| Hash::leaf(format!("{title} {number}").as_bytes())).collect())
}

/// A checkpoint of the first entries of a story.
fn note(member: &Member, tree: &Tree, size: u64, log: &SigningKey) -> Note {
    let name = KeyName::from(&member.origin());
    let text = Checkpoint::new(name.clone(), size, root_of(size, tree).unwrap()).unwrap().body();
    sign_note(&text, name, log).unwrap()
}

fn log_key(member: &Member, generation: u64) -> SigningKey {
    member.secret().key(KeyUse::Log, generation).unwrap()
}

fn text(body: &Body) -> String {
    String::from_utf8(body.bytes().to_vec()).unwrap()
}

fn record_of(member: &Member) -> String {
    let body = Body::open(member.node_record(&[]).unwrap()).unwrap();
    text(&body)
}

fn same_size(member: &Member) -> Fault {
    let log = log_key(member, 1);
    let notes = ["one", "other"].map(|title| note(member, &story(title, 9), 9, &log).to_string());
    let [first, second] = notes;
    Fault {
        fault: ForkKind::SameSize,
        origin: member.origin(),
        cosigner: None,
        first,
        second,
        prefix_root: None,
        proof: Vec::new(),
        node_records: vec![record_of(member)],
    }
}

fn prefix(member: &Member) -> Fault {
    let log = log_key(member, 1);
    let (one, other) = (story("one", 6), story("other", 11));
    let hashes = prove_consistency(6, 11, &other).unwrap();
    Fault {
        fault: ForkKind::Prefix,
        first: note(member, &one, 6, &log).to_string(),
        second: note(member, &other, 11, &log).to_string(),
        prefix_root: Some(root_of(6, &other).unwrap().to_base64()),
        proof: hashes.iter().map(Hash::to_base64).collect(),
        ..same_size(member)
    }
}

/// The second note is by a key that only a later root lists, which the first handed its place to.
fn after_a_succession(member: &Member) -> (Fault, PublicKey) {
    let later = key(201);
    let mut subject = full_subject(member);
    let online = subject.keys.len();
    subject.root = later.public();
    subject.recovery = Some(member.root().unwrap().public());
    subject.keys.clear();
    for usage in KeyUse::ALL {
        let secret = member.secret().key(usage, 2).unwrap();
        subject = subject.with_key(usage.as_str(), 2, &secret);
    }
    assert_eq!(subject.keys.len(), online);
    let newer = sign(member, &later, (Kind::NODE, None), subject.subject());
    let (one, other) = (story("one", 9), story("other", 9));
    let fault = Fault {
        first: note(member, &one, 9, &log_key(member, 1)).to_string(),
        second: note(member, &other, 9, &log_key(member, 2)).to_string(),
        node_records: vec![record_of(member), text(&newer)],
        ..same_size(member)
    };
    (fault, later.public())
}

/// A cosigner that vouched for both, of a log that is another's.
fn by_a_cosigner(log: &Member, fault: Fault, cosigner: &VerifierKey, secret: &SigningKey) -> Fault {
    let cosigned = |text: &str| {
        let mut note = Note::parse(text.as_bytes()).unwrap();
        let sign = |message: &[u8]| secret.sign(message);
        let line = cosign(&note.text, BEGINNING, cosigner, &sign).unwrap();
        note.add(line).unwrap();
        note.to_string()
    };
    Fault {
        origin: log.origin(),
        cosigner: Some(cosigner.to_string()),
        first: cosigned(&fault.first),
        second: cosigned(&fault.second),
        node_records: Vec::new(),
        ..fault
    }
}

/// What a fault says of whom.
fn says(fault: &Fault) -> Option<Says> {
    let mut notes = fault.checkpoints().ok()?;
    notes.sort_by_key(|one| (one.size, one.root));
    Some(Says::that(format!("{:?} {:?} {:?} {notes:?}", fault.node(), fault.cosigner, fault.fault)))
}

/// Where the lines of the log stand in a file.
fn log_lines(fault: &Fault, bytes: &[u8]) -> Vec<Field> {
    let text = std::str::from_utf8(bytes).unwrap();
    let start = format!("\u{2014} {} ", fault.origin);
    text.match_indices(&start)
        .map(|(from, _)| (from..from + text[from..].find("\\n").unwrap(), "log line".to_owned()))
        .collect()
}

fn examine_fault(
    object: &str,
    (fault, neighbour): (&Fault, &Fault),
    verify: impl Fn(&Fault) -> bool,
    tolerated: &[Tolerated<'_>],
) -> usize {
    let says = |bytes: &[u8]| {
        let fault = Fault::parse(bytes).ok()?;
        if verify(&fault) { says(&fault) } else { None }
    };
    assert_eq!(Fault::parse(&fault.to_bytes()).unwrap(), *fault);
    let (bytes, theirs) =
        (serde_json::to_vec(fault).unwrap(), serde_json::to_vec(neighbour).unwrap());
    let mut all = json::mutations(&bytes, Some(&theirs));
    // Other evidence that holds is evidence.
    all.retain(|one| !one.what.starts_with(": the neighbour's") || !verify(neighbour));
    all.extend(binary::flips(&bytes, &log_lines(fault, &bytes), STRIDE));
    all.extend(binary::cuts(&bytes, STRIDE));
    examine(object, &bytes, says, tolerated, all)
}

#[test]
fn a_fork_of_a_log_is_shown_by_its_own_evidence_only() {
    let [member, other] = ["liar.example", "other.example"].map(|name| Member::of(name).unwrap());
    let root = member.root().unwrap().public();
    let by_root = |root: PublicKey| move |fault: &Fault| fault.verify(root).is_ok();
    let (one, two) = (same_size(&member), prefix(&member));
    let mut tried = 0;
    let all = [&PLAIN[..], &[RECORDS]].concat();
    tried += examine_fault("fault, same size", (&one, &same_size(&other)), by_root(root), &all);
    tried += examine_fault("fault, same size beside prefix", (&one, &two), by_root(root), &all);
    tried += examine_fault("fault, prefix", (&two, &prefix(&other)), by_root(root), &all);
    let (three, later) = after_a_succession(&member);
    tried += examine_fault("fault, two roots", (&three, &two), by_root(later), &all);
    assert!(tried >= 10_500, "{tried}");
}

#[test]
fn a_cosigner_that_vouched_for_two_histories_is_convicted_by_its_own_lines_only() {
    let [log, other] = ["log.example", "other.example"].map(|name| Member::of(name).unwrap());
    let cosigner = Member::of("cosigner.example").unwrap();
    let secret = cosigner.secret().key(KeyUse::Receipt, 1).unwrap();
    let vkey = VerifierKey::cosignature(KeyName::receipt_of(cosigner.name()), secret.public());
    let outside =
        VerifierKey::cosignature(KeyName::parse("w.example/w").unwrap(), key(55).public());
    let root = cosigner.root().unwrap().public();
    let why = "the line of the log convicts nobody here: the cosigner's own two lines do";
    let spare = [("log line", why), ("another character", why)];
    let all = [&PLAIN[..], &spare, &[RECORDS]].concat();
    let nobody = ("/node_records: the neighbour's", "a witness outside is known by its key alone");
    let outside_all = [&PLAIN[..], &spare, &[nobody]].concat();
    let mut tried = 0;
    for make in [same_size as fn(&Member) -> Fault, prefix] {
        let mut fault = by_a_cosigner(&log, make(&log), &vkey, &secret);
        fault.node_records = vec![record_of(&cosigner)];
        let theirs = by_a_cosigner(&other, make(&other), &outside, &key(55));
        let kind = format!("fault of a cosigner, {:?}", fault.fault);
        let verify = |fault: &Fault| fault.verify(root).is_ok();
        tried += examine_fault(&kind, (&fault, &theirs), verify, &all);
        let stranger = by_a_cosigner(&log, make(&log), &outside, &key(55));
        let kind = format!("fault of a witness outside, {:?}", stranger.fault);
        let verify = |fault: &Fault| fault.verify_cosigner(&outside).is_ok();
        tried += examine_fault(&kind, (&stranger, &fault), verify, &outside_all);
    }
    assert!(tried >= 7_000, "{tried}");
}
