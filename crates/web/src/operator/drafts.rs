//! Drafts on their way to a feed: what each is to it, every fault, what to look at again, what is open.

use std::collections::{BTreeMap, HashMap, HashSet};

use feed::feeds::{Page, Publication};
use feed::row::Standing;
use practice::completeness;
use practice::draft::{Defaults, Draft, Record};
use practice::id::RecordId;
use practice::kind::Kind;
use practice::language::INTERFACE;
use rayon::prelude::*;
use serde_json::Value;
use tlog::name::{FeedName, Origin};
use wire::api::{self, DraftAction, DraftAnswer, Fault, PublishRequest, Question};

use super::entry;
use crate::answer::Answer;
use crate::app::App;

/// Records looked at in one read while looking for local references.
const PAGE: usize = 200;

/// All drafts of a request, judged.
pub(super) struct Checked {
    judged: Vec<Judged>,
}

/// One draft, judged.
struct Judged {
    answer: DraftAnswer,
    /// What is to be published for it.
    publication: Option<Publication>,
}

/// A current record of the feed.
struct Held {
    id: RecordId,
    version: u64,
    subject: Value,
}

/// Judges every draft of the request, which it takes out of it, without writing anything.
pub(super) async fn check(
    app: &App,
    feed: &FeedName,
    request: &mut PublishRequest,
) -> Result<Checked, Answer> {
    let origin = Origin::new(app.feeds.node().clone(), feed.clone());
    let drafts = std::mem::take(&mut request.drafts);
    let has_reference = |draft: &api::Draft| draft.subject.get("local_id").is_some();
    let by_reference = match drafts.iter().any(has_reference) {
        true => references(app, &origin).await?,
        false => HashMap::new(),
    };
    let mut seen = HashSet::new();
    let mut judged = Vec::with_capacity(drafts.len());
    let dry_run = request.dry_run;
    let all = app.aside(move |app| read_all(drafts, &defaults(app), dry_run)).await?;
    for mut read in all {
        if let Some(typed) = read.typed.take() {
            place(app, &origin, typed, &by_reference, request, &mut read.judged).await?;
        }
        if let Some(reference) = read.reference
            && !seen.insert(reference.clone())
        {
            let reason = format!("`{reference}` stands twice in this request");
            read.judged.refuse("local_id", reason);
        }
        judged.push(read.judged);
    }
    Ok(Checked { judged })
}

impl Checked {
    /// Whether nothing may be written: a fault, or a warning that its author has not seen.
    pub(super) fn is_refused(&self, request: &PublishRequest) -> bool {
        let faulty = |one: &Judged| !one.answer.faults.is_empty();
        let unseen = |one: &Judged| one.publication.is_some() && !one.answer.warnings.is_empty();
        let must_be_seen = !request.warnings_seen && !request.dry_run;
        self.judged.iter().any(|one| faulty(one) || (must_be_seen && unseen(one)))
    }

    /// Publishes what is new or changed, all or none.
    pub(super) async fn publish(&mut self, app: &App, feed: &FeedName) -> Result<(), Answer> {
        let publications: Vec<Publication> =
            self.judged.iter_mut().filter_map(|one| one.publication.take()).collect();
        if publications.is_empty() {
            return Ok(());
        }
        let mut published = app.feeds.publish(feed, publications).await?.into_iter();
        let to_fill = |one: &&mut Judged| {
            matches!(one.answer.action, DraftAction::New | DraftAction::Changed)
        };
        for one in self.judged.iter_mut().filter(to_fill) {
            one.answer.published = published.next().map(|published| entry(app, &published));
        }
        Ok(())
    }

    /// What is answered, in the order of the request.
    pub(super) fn into_answers(self) -> Vec<DraftAnswer> {
        self.judged.into_iter().map(|one| one.answer).collect()
    }
}

impl Judged {
    fn new(source: Option<String>) -> Self {
        let answer = DraftAnswer {
            source,
            action: DraftAction::New,
            published: None,
            faults: Vec::new(),
            warnings: Vec::new(),
            questions: Vec::new(),
        };
        Self { answer, publication: None }
    }

    fn refuse(&mut self, path: &str, reason: String) {
        self.answer.action = DraftAction::Refused;
        self.answer.faults.push(Fault { path: path.to_owned(), reason });
        self.publication = None;
    }
}

/// What fills the gaps of a draft: the configuration, and the State whose node this is.
fn defaults(app: &App) -> Defaults {
    let own = app.feeds.newest_record(app.feeds.node());
    let state = own.and_then(|record| record.state.clone());
    Defaults { state, ..app.site.defaults.clone() }
}

/// A draft as far as it can be judged alone.
struct Read {
    judged: Judged,
    /// Its author's own reference, as it came.
    reference: Option<String>,
    /// What it says, if nothing is wrong with it.
    typed: Option<Typed>,
}

/// What a draft without faults says.
struct Typed {
    id: Option<String>,
    expected: Option<u64>,
    reference: Option<String>,
    record: Record,
}

/// Reads drafts over all cores where there are several; a person's single one at once.
fn read_all(drafts: Vec<api::Draft>, defaults: &Defaults, dry_run: bool) -> Vec<Read> {
    let read = |draft| read(draft, defaults, dry_run);
    match drafts.len() {
        1 => drafts.into_iter().map(read).collect(),
        _ => drafts.into_par_iter().map(read).collect(),
    }
}

fn read(draft: api::Draft, defaults: &Defaults, dry_run: bool) -> Read {
    let mut judged = Judged::new(draft.source);
    let reference = draft.subject.get("local_id").and_then(Value::as_str).map(str::to_owned);
    let kind = match Kind::parse(&draft.kind) {
        Ok(kind) => kind,
        Err(error) => {
            judged.refuse("kind", error.to_string());
            return Read { judged, reference, typed: None };
        }
    };
    let typed = Draft::from_value(kind.clone(), draft.subject, defaults);
    let record = match typed.validate() {
        Ok(record) => record,
        Err(faults) => {
            for fault in faults {
                judged.refuse(&fault.path, fault.reason.to_string());
            }
            return Read { judged, reference, typed: None };
        }
    };
    judged.answer.warnings = record
        .warnings
        .iter()
        .map(|warning| Fault { path: warning.path.clone(), reason: warning.to_string() })
        .collect();
    if dry_run {
        judged.answer.questions = questions(&kind, &record.subject, defaults.state.as_deref());
    }
    let normal = typed.local_id().map(str::to_owned);
    let typed = Typed { id: draft.id, expected: draft.expected, reference: normal, record };
    Read { judged, reference, typed: Some(typed) }
}

/// Tells new from changed from unchanged.
async fn place(
    app: &App,
    origin: &Origin,
    typed: Typed,
    by_reference: &HashMap<String, Held>,
    request: &PublishRequest,
    judged: &mut Judged,
) -> Result<(), Answer> {
    let Typed { id, expected, reference, record } = typed;
    let reference = reference.and_then(|reference| by_reference.get(&reference));
    let id = match id {
        Some(text) => match RecordId::parse(&text) {
            Ok(id) => Some(id),
            Err(error) => {
                judged.refuse("id", error.to_string());
                return Ok(());
            }
        },
        None => record.id,
    };
    let revised = match (id, reference) {
        (Some(id), Some(held)) if held.id != id => {
            judged.refuse("local_id", format!("this is the reference of {} in the feed", held.id));
            return Ok(());
        }
        (None, Some(held)) if !request.match_local_id => {
            let id = held.id;
            judged.refuse(
                "local_id",
                format!("this is the reference of {id}; name that id to revise it"),
            );
            return Ok(());
        }
        (Some(id), _) => held(app, origin, &id).await?,
        (None, Some(held)) => {
            Some(Held { id: held.id, version: held.version, subject: held.subject.clone() })
        }
        (None, None) => None,
    };
    let subject = without_id(record.subject);
    let revised = revised.map(|held| (held.id, held.version, without_id(held.subject)));
    if let Some((_, _, held)) = &revised {
        judged.answer.action = DraftAction::Changed;
        if *held == subject {
            judged.answer.action = DraftAction::Unchanged;
            return Ok(());
        }
    }
    judged.publication = Some(Publication {
        kind: record.kind,
        id: id.or(revised.as_ref().map(|(id, ..)| *id)),
        subject,
        expected: expected.or(revised.as_ref().map(|(_, version, _)| *version)),
    });
    Ok(())
}

/// The current version of a record, if there is one.
async fn held(app: &App, origin: &Origin, id: &RecordId) -> Result<Option<Held>, Answer> {
    let Standing::Current { version, .. } = app.feeds.standing(origin, id)? else {
        return Ok(None);
    };
    let read = app.feeds.record(origin, id).await?;
    Ok(read.body.map(|body| Held { id: *id, version, subject: body.subject().clone() }))
}

/// The current records of the feed by their author's own references.
async fn references(app: &App, origin: &Origin) -> Result<HashMap<String, Held>, Answer> {
    let mut found = HashMap::new();
    let mut before = None;
    if app.feeds.view(origin).is_none() {
        return Ok(found);
    }
    loop {
        let page = app.records(origin, Page { before, limit: PAGE, kind: None }).await?;
        for summary in &page.records {
            let Some(held) = held(app, origin, &summary.id).await? else { continue };
            if let Some(reference) = held.subject.get("local_id").and_then(Value::as_str) {
                found.insert(reference.to_owned(), held);
            }
        }
        before = page.next;
        if before.is_none() {
            return Ok(found);
        }
    }
}

fn without_id(mut subject: Value) -> Value {
    if let Some(members) = subject.as_object_mut() {
        members.remove("id");
    }
    subject
}

/// What is not described yet, each question in all languages of the interface.
fn questions(kind: &Kind, subject: &Value, state: Option<&str>) -> Vec<Question> {
    let mut found: Vec<(&str, Question)> = Vec::new();
    for language in INTERFACE {
        for question in completeness::questions(kind, subject, state, language) {
            let text = (language.to_owned(), question.text.to_owned());
            match found.iter_mut().find(|(code, _)| *code == question.code) {
                Some((_, known)) => {
                    known.text.insert(text.0, text.1);
                }
                None => {
                    let path = question.field.to_owned();
                    let text = BTreeMap::from([text]);
                    found.push((question.code, Question { path, text }));
                }
            }
        }
    }
    found.into_iter().map(|(_, question)| question).collect()
}
