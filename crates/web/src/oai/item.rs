//! A record as a harvester sees it: what it is now, or that it is gone, and the sets it belongs to.

use std::collections::BTreeSet;
use std::sync::Arc;

use feed::feeds::BodyRead;
use feed::row::{BodyState, Row, Standing, current};
use practice::body::Body;
use practice::id::RecordId;
use practice::kind::Kind;
use practice::language;
use practice::vocabulary::{self, Vocabulary};
use serde_json::Value;
use tlog::name::Origin;
use tokio::time::{Duration, timeout};

use super::ledger::{Place, kind_of};
use crate::answer::Answer;
use crate::app::App;
use crate::pages;

/// How long a list waits for a commit that the catalog knows already to be shown; it takes microseconds.
const PATIENCE: Duration = Duration::from_secs(2);

/// A record, or what is left of one.
pub(super) struct Item {
    pub(super) origin: Arc<Origin>,
    pub(super) id: RecordId,
    /// The number of its newest change.
    pub(super) sequence: u64,
    /// The current version and its entry; none if the record is gone.
    pub(super) live: Option<Live>,
    pub(super) sets: Sets,
}

/// The current version of a record.
pub(super) struct Live {
    pub(super) index: u64,
    pub(super) body: Body,
}

/// The sets of a record.
#[derive(Clone, Debug)]
pub(super) struct Sets {
    /// Sorted, with a blank between them: a list of many records is kept in memory.
    names: Box<str>,
    /// Whether these are all: the topics of what was erased are known to nobody.
    complete: bool,
}

impl Item {
    /// What stands at `place` now; nothing if its text has not arrived, or its feed is not open.
    pub(super) async fn read(app: &App, place: &Place) -> Result<Option<Self>, Answer> {
        let (catalog, origin) = (app.feeds.catalog(), &place.origin);
        let Some(id) = catalog.row(origin, place.first)?.and_then(|row| row.id()) else {
            return Ok(None);
        };
        let rows = catalog.rows_of(origin, &id)?;
        let Some(kind) = kind_of(&rows) else { return Ok(None) };
        let item = |live, sets| {
            let (origin, sequence) = (Arc::clone(origin), place.sequence);
            Some(Self { origin, id, sequence, live, sets })
        };
        let index = match current(&rows) {
            Standing::Absent => return Ok(None),
            Standing::Current { index, .. } if state_at(&rows, index) != BodyState::Erased => index,
            _ => return Ok(item(None, Sets::of_gone(app, origin, kind, &rows).await?)),
        };
        let Some(body) = body_at(app, origin, index).await? else { return Ok(None) };
        let sets = Sets::of(&body);
        Ok(item(Some(Live { index, body }), sets))
    }
}

impl Sets {
    /// Whether a record belongs to `set`, or to one below it. What may have belonged to it counts: whoever
    /// harvests a topic must learn that one of its records is gone.
    pub(super) fn meet(&self, set: &str) -> bool {
        let below = |name: &str| {
            name.strip_prefix(set).is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
        };
        self.names().any(below) || (!self.complete && is_of_the_text(set))
    }

    /// Their names, sorted.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.split_ascii_whitespace()
    }

    fn named(names: &BTreeSet<String>, complete: bool) -> Self {
        let names: Vec<_> = names.iter().map(String::as_str).collect();
        Self { names: names.join(" ").into(), complete }
    }

    /// All sets of a record.
    fn of(body: &Body) -> Self {
        let mut names = BTreeSet::new();
        let subject = body.subject();
        let codes = |member: &str| {
            let list = subject.get(member).and_then(Value::as_array);
            list.into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect::<Vec<_>>()
        };
        names.insert(format!("kind:{}", body.kind()));
        add_states(&mut names, states(body).iter().map(String::as_str));
        let topics = Vocabulary::get("practice-topics");
        let known = |topic: &String| topics.is_some_and(|topics| topics.contains(topic));
        names.extend(
            codes("topics").into_iter().filter(known).map(|topic| format!("topic:{topic}")),
        );
        names.extend(languages(body).into_iter().map(|tag| format!("language:{tag}")));
        Self::named(&names, true)
    }

    /// The sets of a record that is gone: of its last text, while that is held; else what is known without.
    async fn of_gone(
        app: &App,
        origin: &Origin,
        kind: &Kind,
        rows: &[(u64, Row)],
    ) -> Result<Self, Answer> {
        let last = rows.iter().rev().find(|(_, row)| row.valid_version().is_some());
        if let Some((index, row)) = last
            && row.body == BodyState::Held
            && let Some(body) = body_at(app, origin, *index).await?
        {
            return Ok(Self::of(&body));
        }
        let mut names = BTreeSet::from([format!("kind:{kind}")]);
        let state = pages::node_subject(app, origin.node()).and_then(|subject| subject.state);
        add_states(&mut names, state.as_deref().into_iter());
        Ok(Self::named(&names, false))
    }
}

/// The States a record is about: those it names, else its issuer's.
pub(super) fn states(body: &Body) -> Vec<String> {
    let named = body.subject().get("states").and_then(Value::as_array);
    let codes: Vec<&str> = match named {
        Some(codes) => codes.iter().filter_map(Value::as_str).collect(),
        None => body.state().into_iter().collect(),
    };
    codes.into_iter().filter(|code| vocabulary::is_state(code)).map(str::to_owned).collect()
}

/// The languages a record has a title in, and the one it was written in.
pub(super) fn languages(body: &Body) -> BTreeSet<String> {
    let subject = body.subject();
    let titles = subject.get("title").and_then(Value::as_object);
    let tags = titles.into_iter().flat_map(|map| map.keys().map(String::as_str));
    let written = subject.get("language").and_then(Value::as_str);
    tags.chain(written).filter(|tag| language::is_canonical(tag)).map(str::to_owned).collect()
}

fn add_states<'a>(names: &mut BTreeSet<String>, codes: impl Iterator<Item = &'a str>) {
    for code in codes.filter(|code| vocabulary::is_state(code)) {
        names.insert(format!("state:{code}"));
        names.extend(vocabulary::regional_group(code).map(|group| format!("region:{group}")));
    }
}

/// Whether a set is told from the text of a record, so that nobody knows it once that is erased. A compiled
/// record may be about other States than its node's.
fn is_of_the_text(set: &str) -> bool {
    ["state", "region", "topic", "language"].contains(&set.split(':').next().unwrap_or_default())
}

fn state_at(rows: &[(u64, Row)], index: u64) -> BodyState {
    let row = rows.iter().find(|(at, _)| *at == index);
    row.map_or(BodyState::None, |(_, row)| row.body)
}

/// The body at an entry, if it is held and its feed is open. A commit reaches the catalog a moment before
/// it is shown; a list that left it out would date it before its own time, so it waits.
async fn body_at(app: &App, origin: &Origin, index: u64) -> Result<Option<Body>, Answer> {
    let mut changed = app.feeds.changed();
    let shown = async {
        while app.feeds.view(origin).is_some_and(|view| view.size() <= index) {
            if changed.changed().await.is_err() {
                break;
            }
        }
    };
    timeout(PATIENCE, shown).await.map_err(|_| Answer::Busy)?;
    if app.feeds.view(origin).is_none() {
        return Ok(None);
    }
    match app.feeds.entry(origin, index).await?.body {
        BodyRead::Held(bytes) => Ok(Body::open(bytes).ok()),
        BodyRead::None | BodyRead::Erased { .. } | BodyRead::Missing => Ok(None),
    }
}
