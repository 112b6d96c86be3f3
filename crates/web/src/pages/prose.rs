//! Pages that only tell something: what running a node costs, and how far everybody can use this site.

use askama::Template;
use axum::extract::State;
use axum::response::Response;

use super::{Frame, Reader};
use crate::answer::Answer;
use crate::app::App;
use crate::texts::Texts;

/// What was measured, by the key of its words. Each figure stands so in `docs/performance.md`, which a
/// test asserts, and is written again when that is measured again.
const MEASURED: [(&str, &str, &str); 9] = [
    ("cost-memory", "45.2", "MiB"),
    ("cost-publish", "721", ""),
    ("cost-disk", "834", "B"),
    ("cost-sync", "6.40", "s"),
    ("cost-sync-bytes", "825", "B"),
    ("cost-sync-memory", "141", "MiB"),
    ("cost-serve", "0.28", "s"),
    ("cost-load", "2200", ""),
    ("cost-load-answer", "8.9", "ms"),
];

const COST_SECTIONS: [(&str, &[&str]); 3] = [
    ("cost-machine", &["cost-machine-text"]),
    ("cost-people", &["cost-people-text"]),
    ("cost-unmeasured", &["cost-unmeasured-text"]),
];

const ACCESSIBILITY_SECTIONS: [(&str, &[&str]); 4] = [
    ("accessibility-aim", &["accessibility-aim-text", "accessibility-lines-text"]),
    ("accessibility-tested", &["accessibility-tested-text"]),
    ("accessibility-limits", &["accessibility-limits-text"]),
    ("accessibility-report", &["accessibility-report-text"]),
];

#[derive(Template)]
#[template(path = "prose.html")]
struct ProsePage {
    frame: Frame,
    title: String,
    lead: String,
    /// A caption and its rows; empty: no table.
    table: String,
    rows: Vec<(String, String)>,
    sections: Vec<Section>,
}

struct Section {
    title: String,
    paragraphs: Vec<String>,
}

/// `GET /cost`
pub(crate) async fn cost(State(app): State<App>, reader: Reader) -> Result<Response, Answer> {
    let texts = reader.texts;
    let rows = MEASURED.iter().map(|(key, figure, unit)| {
        let figure = texts.number(figure);
        let figure = if unit.is_empty() { figure } else { format!("{figure}\u{a0}{unit}") };
        (texts.get(key), figure)
    });
    reader.page(&ProsePage {
        frame: reader.frame(&app, None),
        title: texts.get("cost-title"),
        lead: texts.get("cost-text"),
        table: texts.get("cost-table"),
        rows: rows.collect(),
        sections: sections(&COST_SECTIONS, texts),
    })
}

/// `GET /accessibility`
pub(crate) async fn accessibility(
    State(app): State<App>,
    reader: Reader,
) -> Result<Response, Answer> {
    let texts = reader.texts;
    reader.page(&ProsePage {
        frame: reader.frame(&app, None),
        title: texts.get("accessibility-title"),
        lead: texts.get("accessibility-text"),
        table: String::new(),
        rows: Vec::new(),
        sections: sections(&ACCESSIBILITY_SECTIONS, texts),
    })
}

fn sections(keys: &[(&str, &[&str])], texts: &Texts) -> Vec<Section> {
    let section = |(title, paragraphs): &(&str, &[&str])| Section {
        title: texts.get(title),
        paragraphs: paragraphs.iter().map(|key| texts.get(key)).collect(),
    };
    keys.iter().map(section).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_figure_of_the_cost_was_measured() {
        let measured = include_str!("../../../../docs/performance.md");
        let english = Texts::of("en").unwrap();
        for (key, figure, unit) in MEASURED {
            let figure = english.number(figure);
            let written = if unit.is_empty() {
                format!("| {figure}/s |")
            } else {
                format!("| {figure} {unit} |")
            };
            assert!(measured.contains(&written), "{key}: no `{written}`");
        }
    }
}
