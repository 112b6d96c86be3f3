//! One record from its cells: each cell is split, read as its column says and put into the subject,
//! and every fault is kept with its cell.

use serde_json::{Value, json};

use super::choices::fold;
use super::day::{ascii_digit, day};
use super::fault::CellFault;
use super::grid::Cell;
use super::limits::FAULTS_PER_RECORD_MAX;
use super::path::{Path, Step};
use super::shape::{Field, Shape, Slot};
use super::subject::Subject;
use super::texts;

/// A record being filled in.
#[derive(Debug)]
pub(super) struct Filling {
    /// Language of its text where a column names none.
    language: String,
    /// Whether `;` separates the items of a list as a new line does; so in CSV, where a new line in
    /// a cell is hard to type.
    semicolons: bool,
    /// What it says so far.
    pub(super) subject: Subject,
    /// What is wrong so far.
    pub(super) faults: Vec<CellFault>,
}

/// One cell on its way into the subject.
struct Source<'a> {
    place: &'a str,
    language: &'a str,
    /// Whether the cell holds a number, not text: `16.10` has become `16.1` there.
    number: bool,
}

impl Filling {
    /// An empty record in `language`.
    pub(super) fn new(language: &str, semicolons: bool) -> Self {
        Self {
            language: language.to_owned(),
            semicolons,
            subject: Subject::default(),
            faults: Vec::new(),
        }
    }

    /// Puts one cell in. `translation` is the language of a cell in the sheet of translations.
    pub(super) fn cell(
        &mut self,
        slot: &Slot,
        place: &str,
        cell: &Cell,
        translation: Option<&str>,
    ) {
        if let Cell::Error(error) = cell {
            return self.fault(
                place,
                &slot.path,
                error,
                "the formula in this cell has no result; write the value itself",
            );
        }
        let language =
            slot.language.as_deref().or(translation).unwrap_or(&self.language).to_owned();
        let source = Source { place, language: &language, number: matches!(cell, Cell::Number(_)) };
        let text = cell.shown();
        let translated = language != self.language && slot.shape.has_text();
        let shape = if translated { slot.shape.text_only() } else { slot.shape.clone() };
        let Some(each) = slot.path.0.iter().position(|step| *step == Step::Each) else {
            return self.put(&slot.path, &shape, &text, &source);
        };
        let (list, after) = slot.path.0.split_at(each);
        let list = Path(list.to_vec());
        let items = self.items(&text, &slot.shape);
        let held = self.subject.len(&list);
        if translated && held != items.len() {
            let message = format!(
                "{} lines here and {held} in `{}`: a translation has the same lines in the same order",
                items.len(),
                self.language
            );
            return self.fault(place, &slot.path, &text, &message);
        }
        // A further cell of a list adds items; a further column of the same items completes them.
        let first = if after.len() == 1 && !translated { held } else { 0 };
        for (index, item) in items.iter().enumerate() {
            let mut path = list.then(Step::At(first + index));
            path.0.extend(after.iter().skip(1).cloned());
            if path.0.contains(&Step::Each) {
                return self.fault(
                    place,
                    &slot.path,
                    &text,
                    "a list within a list needs its items named, such as `results[0].documents`",
                );
            }
            self.put(&path, &shape, item, &source);
        }
    }

    /// Adds a fault, up to a limit.
    pub(super) fn fault(&mut self, place: &str, path: &Path, value: &str, message: &str) {
        if self.faults.len() < FAULTS_PER_RECORD_MAX {
            self.faults.push(CellFault::new(place, path.to_string(), value, message));
        }
    }

    fn put(&mut self, path: &Path, shape: &Shape, text: &str, source: &Source<'_>) {
        let (path, read) = match shape {
            Shape::Text => (path.then(Step::Name(source.language.to_owned())), Ok(json!(text))),
            Shape::Object(_) => return self.put_parts(path, shape, text, source),
            Shape::List(_) => (
                path.clone(),
                Err(
                    "this cannot hold a list; name its items in the header, such as `documents[0]`"
                        .to_owned(),
                ),
            ),
            simple => (path.clone(), simple_value(simple, text, source)),
        };
        match read {
            Ok(value) => {
                if self.subject.set(&path, value, source.place).is_err() {
                    self.fault(
                        source.place,
                        &path,
                        text,
                        "another cell of this record already says this; keep one of the two",
                    );
                }
            }
            Err(message) => self.fault(source.place, &path, text, &message),
        }
    }

    /// `title | web address`: the simple members of an object in their order.
    fn put_parts(&mut self, path: &Path, shape: &Shape, text: &str, source: &Source<'_>) {
        let fields = shape.parts();
        if let Some(address) = fields
            .iter()
            .find(|field| matches!(field.shape, Shape::Address))
            .filter(|_| !text.contains('|'))
        {
            let (rest, found) = split_address(text);
            if let Some(found) = found {
                self.put(
                    &path.then(Step::Name(address.name.to_owned())),
                    &address.shape,
                    found,
                    source,
                );
            }
            if let Some(first) = fields
                .iter()
                .find(|field| matches!(field.shape, Shape::Text | Shape::Word))
                .filter(|_| !rest.is_empty())
            {
                self.put(
                    &path.then(Step::Name(first.name.to_owned())),
                    &first.shape,
                    &rest,
                    source,
                );
            }
            return;
        }
        if let (Some(state), Some(organization)) =
            (member(&fields, "state"), member(&fields, "organization"))
        {
            return self.put_participant(
                path,
                state,
                organization,
                member(&fields, "role"),
                text,
                source,
            );
        }
        let parts: Vec<&str> = if fields.len() < 2 {
            vec![text]
        } else {
            text.split(['|', '｜']).map(str::trim).collect()
        };
        if parts.len() > fields.len() {
            let names: Vec<&str> = fields.iter().map(|field| field.name).collect();
            let message = format!(
                "{} parts between vertical bars, and at most {} are known: {}",
                parts.len(),
                fields.len(),
                names.join(" | ")
            );
            return self.fault(source.place, path, text, &message);
        }
        for (field, part) in fields.iter().zip(parts).filter(|(_, part)| !part.is_empty()) {
            self.put(&path.then(Step::Name(field.name.to_owned())), &field.shape, part, source);
        }
    }

    /// `Paraguay | provider`: a State or an organization, and its role.
    fn put_participant(
        &mut self,
        path: &Path,
        state: &Field,
        organization: &Field,
        role: Option<&Field>,
        text: &str,
        source: &Source<'_>,
    ) {
        let (who, what) = text
            .split_once(['|', '｜'])
            .map_or((text, ""), |(who, what)| (who.trim(), what.trim()));
        let is_state = matches!(&state.shape, Shape::Code(states) if states.code(who, source.language).is_some());
        let named = if is_state { state } else { organization };
        self.put(&path.then(Step::Name(named.name.to_owned())), &named.shape, who, source);
        if let Some(role) = role.filter(|_| !what.is_empty()) {
            self.put(&path.then(Step::Name(role.name.to_owned())), &role.shape, what, source);
        }
    }

    /// The items of a cell: its lines; codes also between semicolons, and in CSV everything.
    fn items(&self, text: &str, shape: &Shape) -> Vec<String> {
        let whole = text.trim();
        if let Shape::Code(choices) = shape {
            if choices.code(whole, &self.language).is_some() {
                return vec![whole.to_owned()];
            }
            let known = |item: &str| choices.code(item, &self.language).is_some();
            let pieces = |signs: &[char]| {
                whole
                    .split(signs)
                    .map(str::trim)
                    .filter(|item| !item.is_empty())
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
            };
            let by_comma = pieces(&['\n', ';', '；', ',', '،', '、', '，']);
            // A label may contain a comma, so commas count only where all pieces are known.
            return if by_comma.iter().all(|item| known(item)) {
                by_comma
            } else {
                pieces(&['\n', ';', '；'])
            };
        }
        let lines = whole.contains('\n');
        let separator: &[char] = if self.semicolons && !lines { &[';'] } else { &['\n'] };
        whole
            .split(separator)
            .map(|item| unbulleted(item).to_owned())
            .filter(|item| !item.is_empty())
            .collect()
    }
}

fn simple_value(shape: &Shape, text: &str, source: &Source<'_>) -> Result<Value, String> {
    match shape {
        Shape::Date => day(text).map(Value::String).ok_or_else(|| {
            "this is no date we can be sure of; write 2026, 2026-11 or 2026-11-23".to_owned()
        }),
        Shape::Integer => {
            let digits: String =
                text.chars().filter(|c| !c.is_whitespace()).map(ascii_digit).collect();
            digits
                .parse::<i64>()
                .map(Value::from)
                .map_err(|_| "this is no whole number; write digits only".to_owned())
        }
        Shape::Flag => flag(text).map(Value::Bool).ok_or_else(|| "write yes or no".to_owned()),
        Shape::Language(names) => {
            let tag = names
                .code(text, source.language)
                .map(str::to_owned)
                .or_else(|| practice::language::canonical(text));
            tag.map(Value::String).ok_or_else(|| "this is no language; choose one of the list, or write a code such as `es` or `gn`".to_owned())
        }
        Shape::Code(choices) => match choices.code(text, source.language) {
            Some(code)
                if source.number
                    && choices.code(&format!("{text}0"), source.language).is_some() =>
            {
                Err(format!(
                    "the cell holds a number, so this is `{code}` or `{code}0`; format the cell as text and write it again"
                ))
            }
            Some(code) => Ok(json!(code)),
            None => Err(match choices.suggestion(text, source.language) {
                Some(meant) => format!("not in the list; did you mean \u{201c}{meant}\u{201d}?"),
                None => "not in the list; choose an entry of the list, or leave the cell empty"
                    .to_owned(),
            }),
        },
        _ => Ok(json!(text)),
    }
}

fn member<'a>(fields: &[&'a Field], name: &str) -> Option<&'a Field> {
    fields.iter().find(|field| field.name == name).copied()
}

fn flag(text: &str) -> Option<bool> {
    let text = fold(text);
    let says = |key: &str| texts::all().iter().any(|texts| fold(texts.word(key)) == text);
    match text.as_str() {
        "true" | "1" | "x" | "✓" | "si" => Some(true),
        "false" | "0" | "nao" => Some(false),
        _ if says("yes") => Some(true),
        _ if says("no") => Some(false),
        _ => None,
    }
}

/// The line without its bullet or number: people number their lists, and the list is numbered anyway.
fn unbulleted(line: &str) -> &str {
    let line = line.trim();
    if let Some(rest) = line
        .strip_prefix(['-', '–', '—', '•', '·', '*', '▪', '●'])
        .filter(|rest| rest.starts_with(char::is_whitespace))
    {
        return rest.trim();
    }
    let digits = line.chars().take_while(char::is_ascii_digit).count();
    let numbered = (1..=2).contains(&digits).then(|| line.get(digits..)).flatten();
    match numbered
        .and_then(|rest| rest.strip_prefix(['.', ')']))
        .filter(|rest| rest.starts_with(char::is_whitespace))
    {
        Some(rest) => rest.trim(),
        None => line,
    }
}

/// A line that names a page and gives its address, apart.
fn split_address(text: &str) -> (String, Option<&str>) {
    let Some(at) = ["https://", "http://"].iter().filter_map(|scheme| text.find(scheme)).min()
    else {
        return (text.trim().to_owned(), None);
    };
    let (before, from) = text.split_at(at);
    let address = from
        .split(|c: char| c.is_whitespace() || matches!(c, '>' | '"' | '）'))
        .next()
        .unwrap_or(from);
    let address = address.trim_end_matches([',', ';', '.']);
    let after = from.get(address.len()..).unwrap_or_default();
    let dressing = |c: char| {
        c.is_whitespace()
            || matches!(c, ':' | '：' | ',' | ';' | '<' | '>' | '-' | '–' | '—' | '(' | '（' | '）')
    };
    let mut rest = before.trim_matches(dressing).to_owned();
    let after = after.trim_matches(|c: char| dressing(c) || c == ')' || c == '.');
    if !after.is_empty() {
        rest = if rest.is_empty() { after.to_owned() } else { format!("{rest} {after}") };
    }
    (rest, Some(address))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bullets_and_numbers_of_a_list_are_left_out() {
        for (line, item) in [
            ("- first", "first"),
            ("1. first", "first"),
            ("12) first", "first"),
            ("2015 decree", "2015 decree"),
            ("-5 degrees", "-5 degrees"),
            ("3.5 million", "3.5 million"),
        ] {
            assert_eq!(unbulleted(line), item);
        }
    }

    #[test]
    fn a_page_and_its_address_are_told_apart() {
        for (line, title, address) in [
            (
                "SIMORE Plus https://example.org/a?b=1",
                "SIMORE Plus",
                Some("https://example.org/a?b=1"),
            ),
            (
                "Page (Ministry): https://example.org/.",
                "Page (Ministry)",
                Some("https://example.org/"),
            ),
            ("https://example.org", "", Some("https://example.org")),
            ("Decree 4368 of 2015", "Decree 4368 of 2015", None),
        ] {
            assert_eq!(split_address(line), (title.to_owned(), address), "{line}");
        }
    }

    #[test]
    fn yes_and_no_are_read_in_seven_languages() {
        for yes in ["yes", "Oui", "SÍ", "да", "是", "نعم", "sim", "TRUE", "x"] {
            assert_eq!(flag(yes), Some(true), "{yes}");
        }
        for no in ["no", "Non", "нет", "否", "لا", "não", "false"] {
            assert_eq!(flag(no), Some(false), "{no}");
        }
        assert_eq!(flag("perhaps"), None);
    }
}
