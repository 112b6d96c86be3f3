//! Two to four profiles side by side: what each mechanism says, section by section, without marks, counts
//! or an order of merit.

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use practice::kind::Kind;
use practice::vocabulary::{self, Vocabulary};

use super::profile::{self, Profile};
use super::state::profiles;
use super::states::{StateName, present, sorted, state_name};
use super::value::{Passage, Shown};
use super::{Frame, Reader};
use crate::answer::Answer;
use crate::app::App;
use crate::texts::Texts;

/// States beside each other: more do not fit on a page.
const STATES_MAX: usize = 4;

#[derive(Template)]
#[template(path = "compare.html")]
struct ComparePage {
    frame: Frame,
    /// The choices of the form: for each place the State chosen.
    places: Vec<Place>,
    states: Vec<StateName>,
    /// What stands in the first row.
    kind: String,
    columns: Vec<Column>,
    sections: Vec<Section>,
    /// That more States were asked for than stand here.
    too_many: bool,
}

/// One choice of the form.
struct Place {
    id: String,
    label: String,
    chosen: String,
}

/// One State.
struct Column {
    state: StateName,
    profile: Option<Chosen>,
}

/// The profile that stands for it here.
struct Chosen {
    href: String,
    title: Passage,
    basis: Option<String>,
    not_assessed: bool,
    translation: Option<String>,
    /// How many others it has.
    others: bool,
}

struct Section {
    title: String,
    rows: Vec<Row>,
}

/// One field, as each State's profile tells it.
struct Row {
    label: String,
    cells: Vec<Cell>,
}

struct Cell {
    state: String,
    value: Option<Shown>,
}

/// `GET /compare?state=A&state=B`
pub(crate) async fn compare(State(app): State<App>, reader: Reader) -> Result<Response, Answer> {
    let asked: Vec<&str> = reader.parameters("state").filter(|code| !code.is_empty()).collect();
    let mut codes: Vec<String> = Vec::new();
    for code in &asked {
        if !vocabulary::is_state(code) {
            return Err(Answer::bad(format!("`state={code}` is no code of a State")));
        }
        if !codes.iter().any(|known| known == code) {
            codes.push((*code).to_owned());
        }
    }
    let too_many = codes.len() > STATES_MAX;
    codes.truncate(STATES_MAX);
    let texts = reader.texts;
    let chosen = sorted(codes.into_iter().map(|code| state_name(code, texts)).collect(), texts);
    let place = |at: usize| Place {
        id: format!("state-{}", at + 1),
        label: texts.with("compare-state", &[("number", &(at + 1).to_string())]),
        chosen: chosen.get(at).map(|state| state.code.clone()).unwrap_or_default(),
    };
    let places = (0..STATES_MAX).map(place).collect();
    let (mut columns, mut told) = (Vec::new(), Vec::new());
    for state in chosen {
        let (mut profiles, more) = profiles(&app, &reader, &state.code).await?;
        let others = more || profiles.len() > 1;
        let profile = (!profiles.is_empty()).then(|| profiles.swap_remove(0));
        columns.push(Column { state, profile: profile.as_ref().map(|one| chosen_of(one, others)) });
        told.push(profile);
    }
    let mut frame = reader.frame(&app, None);
    frame.sample |= told.iter().flatten().any(|profile| profile.sample);
    let page = ComparePage {
        frame,
        places,
        kind: kind_name(texts),
        states: present(&app, &reader, &[Kind::MECHANISM_PROFILE.as_str()]).await?,
        sections: if columns.len() > 1 { sections(&columns, told) } else { Vec::new() },
        columns,
        too_many,
    };
    reader.page(&page)
}

fn kind_name(texts: &Texts) -> String {
    let kind = Kind::MECHANISM_PROFILE.as_str();
    Vocabulary::get("record-kinds").map_or(kind, |kinds| kinds.label(kind, texts.code())).to_owned()
}

fn chosen_of(profile: &Profile, others: bool) -> Chosen {
    Chosen {
        href: profile.href.clone(),
        title: profile.title.clone(),
        basis: profile.basis.clone(),
        not_assessed: profile.not_assessed,
        translation: profile.translation.clone(),
        others,
    }
}

/// The fields that at least one of the profiles tells, in the order of sections; values are moved into the
/// cells of their States.
fn sections(columns: &[Column], mut told: Vec<Option<Profile>>) -> Vec<Section> {
    let mut sections = Vec::new();
    for (term, fields) in profile::layout() {
        let mut section = Section { title: String::new(), rows: Vec::new() };
        for field in fields {
            let mut row = Row { label: String::new(), cells: Vec::new() };
            for (column, profile) in columns.iter().zip(&mut told) {
                let taken = profile.as_mut().and_then(|profile| take(profile, &term.code, field));
                let value = taken.map(|(title, label, value)| {
                    section.title = title;
                    row.label = label;
                    value
                });
                row.cells.push(Cell { state: column.state.name.clone(), value });
            }
            if row.cells.iter().any(|cell| cell.value.is_some()) {
                section.rows.push(row);
            }
        }
        if !section.rows.is_empty() {
            sections.push(section);
        }
    }
    sections
}

/// Takes a field out of a profile, with the headings above it.
fn take(profile: &mut Profile, section: &str, field: &str) -> Option<(String, String, Shown)> {
    let section = profile.sections.iter_mut().find(|one| one.name == section)?;
    let at = section.fields.iter().position(|told| told.name == field)?;
    let told = section.fields.swap_remove(at);
    Some((section.title.clone(), told.shown.label, told.shown.value))
}
