//! The public log of withdrawals: what was withdrawn, when, by whom and with which reason. No word of what
//! was withdrawn stands here.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use feed::feeds::RecordRead;
use feed::row::{BodyState, RowOp, Standing, Validity};
use feed::search::{Hit, Query, Withdrawn};
use feed::statement::{Said, Statement};
use practice::vocabulary::Vocabulary;
use wire::paths::{self, site};

use super::shelf::newest;
use super::{Frame, Reader, node_name};
use crate::answer::Answer;
use crate::app::App;
use crate::found;
use crate::texts::Texts;

/// Withdrawals on one page.
const PAGE: usize = 50;

#[derive(Template)]
#[template(path = "withdrawals.html")]
struct WithdrawalsPage {
    frame: Frame,
    lines: Vec<Line>,
    older: Option<String>,
    newer: Option<String>,
}

struct Line {
    href: String,
    /// The time in its statement.
    time: String,
    date: String,
    kind: String,
    node_href: String,
    node: String,
    reason: String,
    /// Whether its text was destroyed too.
    erased: bool,
}

/// `GET /withdrawals`
pub(crate) async fn withdrawals(
    State(app): State<App>,
    reader: Reader,
) -> Result<Response, Answer> {
    let page = match reader.parameter("page") {
        Some(text) => {
            let number = paths::number(text).and_then(|page| usize::try_from(page).ok());
            let last = Query::OFFSET_MAX / PAGE;
            let number = number.filter(|page| (1..=last).contains(page));
            number.ok_or_else(|| Answer::bad(format!("`page={text}` is no page of this log")))?
        }
        None => 1,
    };
    let offset = (page - 1) * PAGE;
    let mut query = newest(&reader, Vec::new(), PAGE);
    (query.withdrawn, query.offset) = (Withdrawn::Only, offset);
    let found = found::ask(&app, query).await?;
    let mut lines = Vec::new();
    for hit in &found.hits {
        lines.extend(line(&app, &reader, hit).await?);
    }
    let place = |page: usize| format!("{}?page={page}", site::WITHDRAWALS);
    let more = found.total > offset + PAGE && offset + PAGE < Query::OFFSET_MAX;
    reader.page(&WithdrawalsPage {
        frame: reader.frame(&app, None),
        lines,
        older: more.then(|| place(page + 1)),
        newer: (page > 1).then(|| place(page - 1)),
    })
}

/// The line of a withdrawal; none if the record was published again since.
async fn line(app: &App, reader: &Reader, hit: &Hit) -> Result<Option<Line>, Answer> {
    if app.view(&hit.origin, &reader.caller).is_none() {
        return Ok(None);
    }
    let read = app.feeds.record(&hit.origin, &hit.id).await?;
    let Standing::Withdrawn { by } = read.standing else { return Ok(None) };
    let entry = app.feeds.entry(&hit.origin, by).await?.entry;
    let Said::Statement(Statement::Withdraw { reason, time, .. }) = Said::read(&entry) else {
        return Ok(None);
    };
    let texts = reader.texts;
    let node = hit.origin.node();
    Ok(Some(Line {
        href: paths::record(&hit.origin, &hit.id),
        date: texts.date(&time),
        time,
        kind: kind(&read, texts),
        node_href: paths::node(node),
        node: node_name(app, node, texts),
        reason: label("withdrawal-reasons", &reason, texts),
        erased: is_erased(&read),
    }))
}

/// What kind of record it was, which no version of it could change.
fn kind(read: &RecordRead, texts: &Texts) -> String {
    let kinds = read.versions.iter().filter_map(|(_, row)| match (&row.op, row.validity) {
        (RowOp::Publish { kind, .. }, Validity::Valid) => Some(kind),
        _ => None,
    });
    kinds.map(|kind| label("record-kinds", kind.as_str(), texts)).next().unwrap_or_default()
}

/// Whether the text of its newest version was destroyed.
fn is_erased(read: &RecordRead) -> bool {
    let published = |row: &&feed::row::Row| matches!(row.op, RowOp::Publish { .. });
    let newest = read.versions.iter().rev().map(|(_, row)| row).find(published);
    newest.is_some_and(|row| row.body == BodyState::Erased)
}

fn label(vocabulary: &str, code: &str, texts: &Texts) -> String {
    Vocabulary::get(vocabulary).map_or(code, |terms| terms.label(code, texts.code())).to_owned()
}
