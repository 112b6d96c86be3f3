//! Paragraphs as the value of a field, and back.
//!
//! Both directions stand together, for each undoes the other: a member of an object is a paragraph
//! `Label: value`, with the colon of its language, a code is written as its name, a date as it is in records.

use super::blocks::{Block, BlockKind, address};
use crate::date::is_date;
use crate::kinds::{Field, Shape};
use crate::language::{self, INTERFACE};
use crate::vocabulary::{Vocabulary, sort_key};
use serde_json::{Map, Value, json};

/// Yes and no, for a flag, in the order of [`INTERFACE`].
const FLAGS: [(&str, &str); 7] = [
    ("Yes", "No"),
    ("Oui", "Non"),
    ("Sí", "No"),
    ("Да", "Нет"),
    ("是", "否"),
    ("نعم", "لا"),
    ("Sim", "Não"),
];

/// Between the ends of a period.
const DASH: &str = " – ";

/// Around the beginning of a period that goes on, in the order of [`INTERFACE`].
const SINCE: [(&str, &str); 7] = [
    ("since ", ""),
    ("depuis ", ""),
    ("desde ", ""),
    ("с ", ""),
    ("自", "起"),
    ("منذ ", ""),
    ("desde ", ""),
];

/// A value made of paragraphs, and the paragraphs that did not fit.
pub(super) fn value(field: &Field, blocks: Vec<Block>, tag: &str) -> (Option<Value>, Vec<String>) {
    match field.shape {
        Shape::Text => (Some(json!({ tag: text(&blocks) })), Vec::new()),
        Shape::Codes(_) | Shape::Plains | Shape::Languages => list(field.shape, blocks, tag),
        Shape::Items(fields) => items(fields, blocks, tag),
        Shape::Object(fields) => object(fields, blocks, tag),
        _ => {
            let mut left = Vec::new();
            let mut found = None;
            for block in blocks {
                match (&found, single(field.shape, &block.text, tag)) {
                    (None, Some(value)) => found = Some(value),
                    _ => left.push(block.text),
                }
            }
            (found, left)
        }
    }
}

/// The paragraphs of a value for a reader of `language`; `source` is the language of the record.
pub(super) fn paragraphs(field: &Field, value: &Value, language: &str, source: &str) -> Vec<Block> {
    match (field.shape, value) {
        (Shape::Text, Value::Object(map)) => {
            let Some((tag, text)) = language::choose(map, language, source) else {
                return Vec::new();
            };
            let mut blocks = of_text(text);
            for block in &mut blocks {
                block.language = Some(tag.to_owned());
            }
            blocks
        }
        (Shape::Codes(_) | Shape::Plains | Shape::Languages, Value::Array(codes)) => {
            let words = codes.iter().filter_map(|code| word(field.shape, code, language, source));
            words.map(|(_, word)| Block::new(BlockKind::Item, word)).collect()
        }
        (Shape::Object(fields), Value::Object(object)) => members(fields, object, language, source),
        (Shape::Items(fields), Value::Array(all)) => {
            let objects = all.iter().filter_map(Value::as_object);
            objects.flat_map(|item| self::item(fields, item, language, source)).collect()
        }
        (shape, value) => {
            let word = word(shape, value, language, source);
            word.map(|(tag, word)| tagged(BlockKind::Paragraph, word, tag)).into_iter().collect()
        }
    }
}

/// Paragraphs as one text: a line between them, items as lines that begin with a hyphen.
fn text(blocks: &[Block]) -> String {
    let mut text = String::new();
    for block in blocks {
        match (text.is_empty(), block.kind) {
            (true, BlockKind::Item) => text.push_str("- "),
            (true, _) => {}
            (false, BlockKind::Item) => text.push_str("\n- "),
            (false, _) => text.push_str("\n\n"),
        }
        text.push_str(&block.text);
    }
    text
}

fn of_text(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for paragraph in text.split("\n\n") {
        let mut goes_on = false;
        for line in paragraph.lines() {
            match (line.strip_prefix("- "), blocks.last_mut()) {
                (Some(item), _) => blocks.push(Block::new(BlockKind::Item, item)),
                (None, Some(last)) if goes_on => {
                    last.text.push('\n');
                    last.text.push_str(line);
                }
                (None, _) => blocks.push(Block::new(BlockKind::Paragraph, line)),
            }
            goes_on = true;
        }
    }
    blocks
}

fn list(shape: Shape, blocks: Vec<Block>, tag: &str) -> (Option<Value>, Vec<String>) {
    let one = match shape {
        Shape::Codes(name) => Shape::Code(name),
        Shape::Languages => Shape::Language,
        _ => Shape::Plain,
    };
    let (mut found, mut left) = (Vec::new(), Vec::new());
    for block in blocks {
        match single(one, &block.text, tag) {
            Some(value) if !found.contains(&value) => found.push(value),
            Some(_) => {}
            None => left.push(block.text),
        }
    }
    ((!found.is_empty()).then_some(Value::Array(found)), left)
}

/// The field that a paragraph without a label is for.
fn primary(fields: &[Field]) -> Option<&Field> {
    let text = |field: &&Field| matches!(field.shape, Shape::Text);
    let named = |field: &&Field| matches!(field.name, "title" | "name" | "unit");
    fields.iter().find(named).or_else(|| fields.iter().find(text))
}

fn object(fields: &[Field], blocks: Vec<Block>, tag: &str) -> (Option<Value>, Vec<String>) {
    let (mut members, mut left, mut plain) = (Map::new(), Vec::new(), Vec::new());
    for block in blocks {
        match member(fields, &block.text, tag) {
            Some((name, value)) if !members.contains_key(name) => {
                members.insert(name.to_owned(), value);
            }
            Some(_) => left.push(block.text),
            None => plain.push(block),
        }
    }
    match primary(fields).filter(|_| !plain.is_empty()) {
        Some(field) if !members.contains_key(field.name) => {
            let (value, rest) = value(field, plain, tag);
            members.extend(value.map(|value| (field.name.to_owned(), value)));
            left.extend(rest);
        }
        _ => left.extend(plain.into_iter().map(|block| block.text)),
    }
    let complete = fields.iter().all(|field| !field.required || members.contains_key(field.name));
    ((complete && !members.is_empty()).then_some(Value::Object(members)), left)
}

/// A list of objects. Where there are items, a paragraph belongs to the item above it.
fn items(fields: &[Field], blocks: Vec<Block>, tag: &str) -> (Option<Value>, Vec<String>) {
    let listed = blocks.iter().any(|block| block.kind == BlockKind::Item);
    let (mut found, mut left) = (Vec::<Map<String, Value>>::new(), Vec::new());
    for block in blocks {
        let begins = block.kind == BlockKind::Item || !listed;
        match (member(fields, &block.text, tag), found.last_mut()) {
            (Some((name, value)), Some(last))
                if block.kind != BlockKind::Item && !last.contains_key(name) =>
            {
                last.insert(name.to_owned(), value);
            }
            (Some((name, value)), _) => {
                found.push(Map::from_iter([(name.to_owned(), value)]));
            }
            (None, last) => match primary(fields) {
                Some(field) if begins || last.is_none() => {
                    found.push(first(fields, field, &block, tag));
                }
                Some(field) => append(last, field, &block, tag),
                None => left.push(block.text),
            },
        }
    }
    let required: Vec<_> = fields.iter().filter(|field| field.required).collect();
    let (whole, broken): (Vec<_>, Vec<_>) = found
        .into_iter()
        .partition(|item| required.iter().all(|field| item.contains_key(field.name)));
    left.extend(broken.into_iter().map(|item| Value::Object(item).to_string()));
    let whole: Vec<Value> = whole.into_iter().map(Value::Object).collect();
    ((!whole.is_empty()).then_some(Value::Array(whole)), left)
}

/// An item that begins with its text; the address it links to goes along.
fn first(fields: &[Field], field: &Field, block: &Block, tag: &str) -> Map<String, Value> {
    let mut item = Map::new();
    let value = single(field.shape, &block.text, tag);
    item.extend(value.map(|value| (field.name.to_owned(), value)));
    let has = |name: &str| fields.iter().any(|field| field.name == name);
    if let Some(link) = block.link.as_ref().filter(|_| has("url")) {
        item.insert("url".to_owned(), link.as_str().into());
    }
    // A page links to documents; how they belong to this one is not said.
    if has("relation") {
        item.insert("relation".to_owned(), "see-also".into());
    }
    item
}

/// A further paragraph of an item.
fn append(item: Option<&mut Map<String, Value>>, field: &Field, block: &Block, tag: &str) {
    let Some(item) = item else { return };
    let held = item.get(field.name).map(|held| held.get(tag).unwrap_or(held));
    let text = match held.and_then(Value::as_str) {
        Some(held) => format!("{held}\n\n{}", block.text),
        None => block.text.clone(),
    };
    item.extend(single(field.shape, &text, tag).map(|value| (field.name.to_owned(), value)));
}

/// `Label: value`, if it is that of a member.
fn member<'a>(fields: &'a [Field], text: &str, tag: &str) -> Option<(&'a str, Value)> {
    let (label, rest) = match text.split_once('：') {
        Some((label, rest)) if !label.contains(": ") => (label, rest),
        _ => text.split_once(": ")?,
    };
    let label = sort_key(label.trim());
    let is_named =
        |field: &&Field| INTERFACE.iter().any(|language| sort_key(field.label(language)) == label);
    let field = fields.iter().find(is_named)?;
    Some((field.name, single(field.shape, rest.trim(), tag)?))
}

/// The members of an object as paragraphs, the one without a label first.
fn members(
    fields: &[Field],
    object: &Map<String, Value>,
    language: &str,
    source: &str,
) -> Vec<Block> {
    let first = primary(fields);
    let told = |field: &Field| Some((field.name, object.get(field.name)?));
    let of = |field: &Field| -> Vec<Block> {
        let Some((name, value)) = told(field) else { return Vec::new() };
        if Some(name) == first.map(|first| first.name) {
            return paragraphs(field, value, language, source);
        }
        let word = word(field.shape, value, language, source);
        let told = |word: &str| language::labelled(language, field.label(language), word);
        let block = word.map(|(tag, word)| tagged(BlockKind::Paragraph, told(&word), tag));
        block.into_iter().collect()
    };
    let rest = fields.iter().filter(|field| Some(field.name) != first.map(|first| first.name));
    first.into_iter().chain(rest).flat_map(of).collect()
}

/// An item as paragraphs; the first is the item, and holds the whole text.
fn item(fields: &[Field], object: &Map<String, Value>, language: &str, source: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let text = primary(fields).and_then(|field| {
        let value = object.get(field.name)?;
        word(field.shape, value, language, source)
    });
    let named = text.is_some();
    blocks.extend(text.map(|(tag, word)| tagged(BlockKind::Item, word, tag)));
    let rest: Vec<Field> = match primary(fields).filter(|_| named) {
        Some(first) => fields.iter().filter(|field| field.name != first.name).copied().collect(),
        None => fields.to_vec(),
    };
    for field in &rest {
        let Some(value) = object.get(field.name) else { continue };
        let Some((tag, word)) = word(field.shape, value, language, source) else { continue };
        let kind = if blocks.is_empty() { BlockKind::Item } else { BlockKind::Paragraph };
        let told = language::labelled(language, field.label(language), &word);
        blocks.push(tagged(kind, told, tag));
    }
    blocks
}

/// One value from one text; `None` if it is none.
fn single(shape: Shape, text: &str, tag: &str) -> Option<Value> {
    let text = text.trim();
    match shape {
        Shape::Text => Some(json!({ tag: text })),
        Shape::Plain => Some(text.into()),
        Shape::Word(words) => words.contains(&text).then(|| text.into()),
        Shape::Code(name) => Some(Vocabulary::get(name)?.find(text)?.code.as_str().into()),
        Shape::Language => {
            let named = Vocabulary::get("languages")?.find(text).map(|term| term.code.clone());
            named.or_else(|| language::canonical(text)).map(Value::from)
        }
        Shape::Date => is_date(text).then(|| text.into()),
        Shape::Url => address(text).map(Value::from),
        Shape::Integer => text.parse::<u32>().ok().map(Value::from),
        Shape::Flag => {
            let folded = sort_key(text);
            let yes = FLAGS.iter().any(|(yes, _)| sort_key(yes) == folded);
            let no = FLAGS.iter().any(|(_, no)| sort_key(no) == folded);
            (yes || no).then(|| yes.into())
        }
        Shape::Period => {
            let since = |(before, after): &(&str, &str)| {
                text.strip_prefix(before)?.strip_suffix(after).filter(|from| is_date(from))
            };
            let text = SINCE.iter().find_map(since).unwrap_or(text);
            let (from, to) = text.split_once(DASH.trim()).unwrap_or((text, ""));
            let (from, to) = (from.trim(), to.trim());
            match (is_date(from), is_date(to), to.is_empty()) {
                (true, true, _) => Some(json!({ "from": from, "to": to })),
                (true, false, true) => Some(json!({ "from": from })),
                _ => None,
            }
        }
        // In a member only; a list there would need a notation of its own.
        _ => None,
    }
}

/// One value as a text, with the language it is in where it is a human one.
fn word(
    shape: Shape,
    value: &Value,
    language: &str,
    source: &str,
) -> Option<(Option<String>, String)> {
    let plain = |text: &str| Some((None, text.to_owned()));
    let name = |vocabulary: &str, code: &str| {
        let name = Vocabulary::get(vocabulary).map(|list| list.label(code, language));
        name.unwrap_or(code).to_owned()
    };
    match (shape, value) {
        (Shape::Text, Value::Object(map)) => {
            let (tag, text) = language::choose(map, language, source)?;
            Some((Some(tag.to_owned()), text.to_owned()))
        }
        (Shape::Code(list) | Shape::Codes(list), Value::String(code)) => plain(&name(list, code)),
        (Shape::Language | Shape::Languages, Value::String(tag)) => plain(&name("languages", tag)),
        (Shape::Flag, Value::Bool(flag)) => {
            let (yes, no) = of_language(&FLAGS, language);
            plain(if *flag { yes } else { no })
        }
        (Shape::Period, Value::Object(period)) => {
            let end = |name: &str| period.get(name).and_then(Value::as_str).unwrap_or_default();
            let (before, after) = of_language(&SINCE, language);
            match (end("from"), end("to")) {
                (from, "") => plain(&format!("{before}{from}{after}")),
                (from, to) => plain(&format!("{from}{DASH}{to}")),
            }
        }
        (_, Value::String(text)) => plain(text),
        (_, Value::Number(number)) => plain(&number.to_string()),
        _ => None,
    }
}

/// What of a table in the order of [`INTERFACE`] is for a reader of `language`; English is for all others.
fn of_language(
    table: &[(&'static str, &'static str); 7],
    language: &str,
) -> (&'static str, &'static str) {
    let [english, ..] = table;
    let mut all = INTERFACE.iter().zip(table);
    let found = all.find(|(known, _)| **known == language::primary(language));
    *found.map_or(english, |(_, words)| words)
}

fn tagged(kind: BlockKind, text: String, language: Option<String>) -> Block {
    Block { language, ..Block::new(kind, text) }
}
