//! What changed from one version of a record to the next: field by field, in the words of the page.
//!
//! Both versions are made showable first, so that codes are compared by their names and lists as lines:
//! what a reader sees as the same is the same.

use similar::{ChangeTag, TextDiff};

use super::super::value::{Labelled, Shown};
use practice::language;

/// Bytes of the changed texts of a version that are compared word by word: the work of a few milliseconds.
/// Two longer texts that have nothing in common cost the square of their length.
const COMPARED_BYTES_MAX: usize = 8_000;
/// Letters of unchanged text that are shown beside a change.
const CONTEXT: usize = 90;
/// Changed texts that are shown of one version.
const CHANGES_MAX: usize = 40;

/// One changed text.
#[derive(Debug)]
pub(crate) struct Change {
    /// The names of the field and of what it stands in.
    pub(crate) label: String,
    /// BCP 47; empty for what has no language.
    pub(crate) lang: String,
    pub(crate) dir: &'static str,
    /// None if the texts are too long to compare here.
    pub(crate) pieces: Vec<Piece>,
}

/// A piece of a changed text. It is text, not markup.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Piece {
    Same(String),
    Deleted(String),
    Inserted(String),
}

/// All changes of one version.
#[derive(Debug, Default)]
pub(crate) struct Difference {
    pub(crate) changes: Vec<Change>,
    /// Whether there are more.
    pub(crate) more: bool,
}

/// A text with the names it stands under.
struct Leaf {
    label: String,
    lang: String,
    text: String,
}

/// What changed from `old` to `new`; `text_label` is the name of the field `text`, which adds nothing to the
/// name of the list it stands in.
pub(crate) fn between(old: &[Labelled], new: &[Labelled], text_label: &str) -> Difference {
    let (old, new) = (leaves(old, text_label), leaves(new, text_label));
    let same = |one: &Leaf, other: &Leaf| one.label == other.label && one.lang == other.lang;
    let mut pairs: Vec<(&Leaf, &str, &str)> = Vec::new();
    for leaf in &new {
        let before = old.iter().find(|before| same(before, leaf));
        pairs.push((leaf, before.map_or("", |before| before.text.as_str()), &leaf.text));
    }
    let gone = old.iter().filter(|leaf| !new.iter().any(|after| same(after, leaf)));
    pairs.extend(gone.map(|leaf| (leaf, leaf.text.as_str(), "")));
    pairs.retain(|(_, before, after)| before != after);
    let mut budget = COMPARED_BYTES_MAX;
    let change = |(leaf, before, after): &(&Leaf, &str, &str)| {
        let bytes = before.len().saturating_add(after.len());
        let compared = bytes <= budget;
        budget = budget.saturating_sub(bytes);
        Change {
            label: leaf.label.clone(),
            lang: leaf.lang.clone(),
            dir: if leaf.lang.is_empty() { "auto" } else { language::direction(&leaf.lang) },
            pieces: if compared { pieces(before, after) } else { Vec::new() },
        }
    };
    let more = pairs.len() > CHANGES_MAX;
    Difference { changes: pairs.iter().take(CHANGES_MAX).map(change).collect(), more }
}

/// The texts in some fields; those under the same names are lines of one text, so that an item that was put
/// between two others is one insertion.
fn leaves(fields: &[Labelled], text_label: &str) -> Vec<Leaf> {
    let mut all = Vec::new();
    for field in fields {
        collect(&field.value, &field.label, text_label, &mut all);
    }
    all
}

fn collect(shown: &Shown, label: &str, text_label: &str, all: &mut Vec<Leaf>) {
    match shown {
        Shown::Passages(passages) => {
            for passage in passages {
                put(all, label, &passage.lang, &passage.text);
            }
        }
        Shown::Plain(text) | Shown::Symbol(text) => put(all, label, "", text),
        Shown::Link { url, text } if url == text => put(all, label, "", url),
        Shown::Link { url, text } => put(all, label, "", &format!("{text} ({url})")),
        Shown::Tags(tags) => {
            for tag in tags {
                put(all, label, "", &tag.name);
            }
        }
        Shown::List(items) => {
            for item in items {
                collect(item, label, text_label, all);
            }
        }
        Shown::Group(members) => collect_members(members, label, text_label, all),
        Shown::Record(named) => collect_members(&named.members, label, text_label, all),
    }
}

fn collect_members(members: &[Labelled], label: &str, text_label: &str, all: &mut Vec<Leaf>) {
    for member in members {
        if member.label == text_label {
            collect(&member.value, label, text_label, all);
        } else {
            collect(&member.value, &format!("{label} · {}", member.label), text_label, all);
        }
    }
}

fn put(all: &mut Vec<Leaf>, label: &str, lang: &str, text: &str) {
    match all.iter_mut().find(|leaf| leaf.label == label && leaf.lang == lang) {
        Some(leaf) => {
            leaf.text.push('\n');
            leaf.text.push_str(text);
        }
        None => all.push(Leaf { label: label.into(), lang: lang.into(), text: text.into() }),
    }
}

/// The words that were deleted and inserted, with some of what stands around them.
fn pieces(before: &str, after: &str) -> Vec<Piece> {
    let difference = TextDiff::from_unicode_words(before, after);
    let mut pieces = Vec::new();
    let (mut same, mut deleted, mut inserted) = (String::new(), String::new(), String::new());
    for change in difference.iter_all_changes() {
        let word = change.value();
        match change.tag() {
            ChangeTag::Equal => same.push_str(word),
            tag => {
                // A space between two changed words belongs to both changes.
                let between = !deleted.is_empty() || !inserted.is_empty();
                if between && !same.trim().is_empty() {
                    change_ends(&mut pieces, &mut deleted, &mut inserted);
                    pieces.push(Piece::Same(std::mem::take(&mut same)));
                } else if between {
                    deleted.push_str(&same);
                    inserted.push_str(&same);
                    same.clear();
                } else if !same.is_empty() {
                    pieces.push(Piece::Same(std::mem::take(&mut same)));
                }
                match tag {
                    ChangeTag::Delete => deleted.push_str(word),
                    _ => inserted.push_str(word),
                }
            }
        }
    }
    change_ends(&mut pieces, &mut deleted, &mut inserted);
    if !same.is_empty() {
        pieces.push(Piece::Same(same));
    }
    shortened(pieces)
}

fn change_ends(pieces: &mut Vec<Piece>, deleted: &mut String, inserted: &mut String) {
    let (old, new) = (std::mem::take(deleted), std::mem::take(inserted));
    if !old.trim().is_empty() {
        pieces.push(Piece::Deleted(old));
    }
    if !new.is_empty() {
        pieces.push(Piece::Inserted(new));
    }
}

/// Long passages that did not change are cut, at spaces where there are any.
fn shortened(pieces: Vec<Piece>) -> Vec<Piece> {
    let last = pieces.len().saturating_sub(1);
    let cut = |(at, piece): (usize, Piece)| match piece {
        Piece::Same(text) if text.chars().count() > 2 * CONTEXT + 20 => {
            let begins = if at == 0 { "" } else { beginning(&text) };
            let ends = if at == last { "" } else { ending(&text) };
            Piece::Same(format!("{begins} … {ends}"))
        }
        piece => piece,
    };
    pieces.into_iter().enumerate().map(cut).collect()
}

fn beginning(text: &str) -> &str {
    let end = text.char_indices().nth(CONTEXT).map_or(text.len(), |(at, _)| at);
    let begins = text.get(..end).unwrap_or(text);
    begins.rfind(' ').and_then(|space| begins.get(..space)).unwrap_or(begins)
}

fn ending(text: &str) -> &str {
    let start = text.char_indices().rev().nth(CONTEXT - 1).map_or(0, |(at, _)| at);
    let ends = text.get(start..).unwrap_or(text);
    ends.find(' ').and_then(|space| ends.get(space + 1..)).unwrap_or(ends)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(label: &str, text: &str) -> Labelled {
        Labelled { label: label.to_owned(), value: Shown::Plain(text.to_owned()) }
    }

    #[test]
    fn words_that_changed_stand_between_those_that_did_not() {
        let pieces = pieces("The unit meets twice a year.", "The unit meets four times a year.");
        assert_eq!(
            pieces,
            [
                Piece::Same("The unit meets ".to_owned()),
                Piece::Deleted("twice".to_owned()),
                Piece::Inserted("four times".to_owned()),
                Piece::Same(" a year.".to_owned()),
            ]
        );
    }

    #[test]
    fn chinese_is_compared_sign_by_sign() {
        let pieces = pieces("国家机制每年开会", "国家机制每月开会");
        assert!(pieces.contains(&Piece::Deleted("年".to_owned())), "{pieces:?}");
        assert!(pieces.contains(&Piece::Inserted("月".to_owned())), "{pieces:?}");
    }

    #[test]
    fn a_long_passage_that_did_not_change_is_cut() {
        let same = "word ".repeat(400);
        let pieces = pieces(&format!("{same}old"), &format!("{same}new"));
        let Some(Piece::Same(text)) = pieces.first() else { panic!("{pieces:?}") };
        assert!(text.len() < 200 && text.starts_with(" … ") && text.ends_with("word "), "{text}");
    }

    #[test]
    fn texts_too_long_to_compare_are_named_and_not_compared() {
        let (old, new) = ("a ".repeat(COMPARED_BYTES_MAX), "b ".repeat(COMPARED_BYTES_MAX));
        let difference = between(&[plain("Context", &old)], &[plain("Context", &new)], "Text");
        assert!(difference.changes.len() == 1 && difference.changes[0].pieces.is_empty());
    }

    #[test]
    fn an_item_put_between_two_others_is_one_insertion() {
        let list = |items: &[&str]| Labelled {
            label: "Lessons".to_owned(),
            value: Shown::List(items.iter().map(|item| Shown::Plain((*item).to_owned())).collect()),
        };
        let difference = between(&[list(&["one", "three"])], &[list(&["one", "two", "three"])], "");
        let [change] = difference.changes.as_slice() else { panic!("{difference:?}") };
        let inserted = |piece: &&Piece| !matches!(piece, Piece::Same(_));
        assert_eq!(change.pieces.iter().filter(inserted).count(), 1, "{change:?}");
    }
}
