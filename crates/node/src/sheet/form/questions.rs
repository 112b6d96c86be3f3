//! What a form asks: the fields of a kind, in the order in which a person would tell them.

use practice::kinds::Need;

use super::super::fields::{self, KindField};
use super::super::path::{Path, Step};
use super::super::shape::{Field, Shape};
use super::super::texts::Texts;

/// One line of a form.
#[derive(Clone, Debug)]
pub(in super::super) struct Question {
    /// Where the answer goes, in the hidden column.
    pub(in super::super) path: String,
    /// The question.
    pub(in super::super) label: String,
    /// How to answer it.
    pub(in super::super) help: String,
    /// What an answer is.
    pub(in super::super) shape: Shape,
    /// Whether a record needs it.
    pub(in super::super) required: bool,
    /// Whether it is a further cell for the same list.
    pub(in super::super) further: bool,
}

/// A heading and the questions below it.
#[derive(Clone, Debug)]
pub(in super::super) struct Section {
    /// Key of the heading's words.
    pub(in super::super) key: &'static str,
    /// Its questions.
    pub(in super::super) questions: Vec<Question>,
}

/// Cells offered for a list of codes: each has a drop-down, and the last takes several.
const CELLS_OF_A_LIST: usize = 3;

/// Fields that a form does not ask for: files go beside the record.
const NOT_ASKED: [&str; 1] = ["attachments"];

/// Fields that the import fills in where they are left empty.
const FILLED_IN: [&str; 3] = ["language", "basis", "reuse"];

/// The beginning of every form.
const RECORD: [&str; 5] = ["local_id", "language", "title", "summary", "states"];

/// What others search by.
const FINDING: [&str; 9] = [
    "capacities",
    "topics",
    "themes",
    "sdgs",
    "affected_persons",
    "stakeholders",
    "human_rights_mechanisms",
    "modality",
    "format",
];

/// Who stands behind it.
const ORIGIN: [&str; 8] =
    ["sources", "owner_body", "contact", "validation", "links", "reviewed", "basis", "reuse"];

/// The sections of a form with these fields. What the kind does not ask for comes last.
pub(in super::super) fn sections(kind_fields: &[KindField], texts: &Texts) -> Vec<Section> {
    let place = |list: &[&str], field: &&KindField| {
        list.iter().position(|known| *known == field.field.name)
    };
    let chosen = |list: &[&str]| {
        let mut fields: Vec<&KindField> =
            kind_fields.iter().filter(|field| place(list, field).is_some()).collect();
        fields.sort_by_key(|field| place(list, field));
        fields
    };
    let listed = |field: &&KindField| {
        place(&RECORD, field).is_some()
            || place(&FINDING, field).is_some()
            || place(&ORIGIN, field).is_some()
    };
    let asked = |field: &&KindField| field.need != Need::Optional;
    let kept = |field: &&KindField| !NOT_ASKED.contains(&field.field.name);
    let others = || kind_fields.iter().filter(|field| !listed(field) && kept(field));
    let searched = ["capacities", "topics", "themes", "sdgs"];
    let (finding, rest): (Vec<_>, Vec<_>) = chosen(&FINDING)
        .into_iter()
        .partition(|field| asked(field) || searched.contains(&field.field.name));
    let groups = [
        ("section_record", chosen(&RECORD)),
        ("section_content", others().filter(asked).collect()),
        ("section_finding", finding),
        ("section_origin", chosen(&ORIGIN)),
        ("section_more", others().filter(|field| !asked(field)).chain(rest).collect()),
    ];
    let section = |(key, fields): (&'static str, Vec<&KindField>)| Section {
        key,
        questions: fields
            .iter()
            .flat_map(|field| ask(&Path::default(), &field.field, texts))
            .collect(),
    };
    groups.into_iter().filter(|(_, fields)| !fields.is_empty()).map(section).collect()
}

/// The questions of the sheet of translations: all that is text, as many lines as the record has.
pub(in super::super) fn texts_to_translate(sections: &[Section], texts: &Texts) -> Vec<Question> {
    let asked = sections.iter().flat_map(|section| &section.questions);
    let translated = |question: &Question| {
        let shape = question.shape.text_only();
        let listed = question.path.ends_with("[]");
        let help = if listed { lines_help(&shape, texts) } else { String::new() };
        Question { help, shape, required: false, ..question.clone() }
    };
    asked.filter(|question| question.shape.has_text()).map(translated).collect()
}

/// What the sheet of translations asks first: which record, which language, by whom.
pub(in super::super) fn about_translation(texts: &Texts) -> Vec<Question> {
    let question = |path: &str, label: &str, help: &str, shape| Question {
        path: path.to_owned(),
        label: texts.word(label).to_owned(),
        help: help.to_owned(),
        shape,
        required: false,
        further: false,
    };
    vec![
        question(TRANSLATED_RECORD, "of_record", texts.word("of_record_help"), Shape::Word),
        question(
            TRANSLATED_INTO,
            "into_language",
            texts.word("choose"),
            Shape::Language(fields::languages()),
        ),
        question(MADE_BY, "made_by", texts.word("choose"), Shape::Code(fields::makers())),
        question(REVIEWED, "was_reviewed", texts.word("yes_no"), Shape::Flag),
    ]
}

/// Path, in the sheet of translations, of the record that is translated.
pub(in super::super) const TRANSLATED_RECORD: &str = "record";
/// Path of the language it is translated into.
pub(in super::super) const TRANSLATED_INTO: &str = "language";
/// Path of who translated it.
pub(in super::super) const MADE_BY: &str = "made_by";
/// Path of whether a person has checked it.
pub(in super::super) const REVIEWED: &str = "reviewed_by_person";

fn ask(above: &Path, field: &Field, texts: &Texts) -> Vec<Question> {
    let path = above.then(Step::Name(field.name.to_owned()));
    let words = texts.field(&path.to_string(), field.name);
    let required = field.required && !(above.0.is_empty() && FILLED_IN.contains(&field.name));
    let question = |path: String, label: String, help: String, shape: &Shape, required| Question {
        path,
        label,
        help,
        shape: shape.clone(),
        required,
        further: false,
    };
    match &field.shape {
        record if record.is_record() => vec![question(
            path.to_string(),
            words.label,
            joined(&[&words.help, texts.word("record_reference")]),
            record,
            required,
        )],
        Shape::Object(inner) => {
            // A member that its object needs is not asked for more than the object itself.
            let inner = inner
                .iter()
                .map(|inner| Field { required: inner.required && required, ..inner.clone() });
            inner.flat_map(|inner| ask(&path, &inner, texts)).collect()
        }
        Shape::List(item) => match item.as_ref() {
            Shape::Code(_) | Shape::Language(_) => {
                let line = |number: usize| {
                    let first = number == 1;
                    let help = if first {
                        joined(&[&words.help, texts.word("choose_several")])
                    } else {
                        String::new()
                    };
                    let asked = question(
                        format!("{path}[]"),
                        format!("{} ({number})", words.label),
                        help,
                        item,
                        required && first,
                    );
                    Question { further: !first, ..asked }
                };
                (1..=cells_of(item)).map(line).collect()
            }
            _ => vec![question(
                format!("{path}[]"),
                words.label,
                joined(&[&words.help, &lines_help(item, texts)]),
                item,
                required,
            )],
        },
        simple => vec![question(
            path.to_string(),
            words.label,
            joined(&[&words.help, simple_help(simple, texts)]),
            simple,
            required,
        )],
    }
}

/// Short lists get a cell for every entry.
fn cells_of(item: &Shape) -> usize {
    match item {
        Shape::Code(choices) if choices.entries().len() <= CELLS_OF_A_LIST + 2 => {
            choices.entries().len()
        }
        _ => CELLS_OF_A_LIST,
    }
}

fn lines_help(item: &Shape, texts: &Texts) -> String {
    let parts = item.parts();
    if item.is_record() {
        return joined(&[texts.word("one_per_line"), texts.word("record_reference")]);
    }
    let named = |name: &str| parts.iter().any(|part| part.name == name);
    let names: Vec<&str> = if named("state") && named("organization") {
        vec![texts.word("state_or_organization"), texts.label("role")]
    } else {
        parts.iter().map(|part| texts.label(part.name)).collect()
    };
    if names.len() < 2 {
        return texts.word("one_per_line").to_owned();
    }
    let text_first = parts.first().is_some_and(|first| first.name == "text");
    if let (true, Some(added)) = (text_first, names.get(1..)) {
        let added = texts.word("may_add").replace("{parts}", &format!("| {}", added.join(" | ")));
        return joined(&[texts.word("one_per_line"), &added]);
    }
    joined(&[
        texts.word("one_per_line"),
        &texts.word("parts").replace("{parts}", &names.join(" | ")),
    ])
}

fn simple_help<'a>(shape: &Shape, texts: &'a Texts) -> &'a str {
    match shape {
        Shape::Date => texts.word("date"),
        Shape::Integer => texts.word("number"),
        Shape::Flag => texts.word("yes_no"),
        Shape::Code(_) | Shape::Language(_) => texts.word("choose"),
        Shape::Address => texts.word("address"),
        _ => "",
    }
}

fn joined(sentences: &[&str]) -> String {
    sentences.iter().filter(|sentence| !sentence.is_empty()).copied().collect::<Vec<_>>().join(" ")
}
