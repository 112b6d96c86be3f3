//! Paths of fields, as the header of a sheet and the places of faults name them: `title`,
//! `title.es`, `period.from`, `actions[2].text.ar`, `actions[].text`.

use std::fmt;

/// One step of a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// A member of an object, or a language of a text.
    Name(String),
    /// An item of a list, from 0.
    At(usize),
    /// Every item: the cell holds one a line.
    Each,
}

/// A path from the record's subject to a value in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Path(pub(super) Vec<Step>);

/// Highest item a path may name: no list of a record is nearly as long, and the list is built.
const ITEM_MAX: usize = 999;

/// Most steps of a path; the deepest field has five.
const STEPS_MAX: usize = 8;

impl Path {
    /// Parses a path; `None` if `text` is none.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut steps = Vec::new();
        for part in text.split('.') {
            let (name, mut items) = part.split_at(part.find('[').unwrap_or(part.len()));
            let named = !name.is_empty()
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
            if !named {
                return None;
            }
            steps.push(Step::Name(name.to_owned()));
            while let Some(rest) = items.strip_prefix('[') {
                let (item, after) = rest.split_once(']')?;
                steps.push(if item.is_empty() {
                    Step::Each
                } else {
                    Step::At(item.parse().ok().filter(|item| *item <= ITEM_MAX)?)
                });
                items = after;
            }
            if !items.is_empty() || steps.len() > STEPS_MAX {
                return None;
            }
        }
        Some(Self(steps))
    }

    /// This path and one step more.
    pub(super) fn then(&self, step: Step) -> Self {
        let mut steps = self.0.clone();
        steps.push(step);
        Self(steps)
    }

    /// The member of the subject in which the path begins.
    pub(super) fn field(&self) -> &str {
        match self.0.first() {
            Some(Step::Name(name)) => name,
            _ => "",
        }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, step) in self.0.iter().enumerate() {
            match step {
                Step::Name(name) if index == 0 => write!(f, "{name}")?,
                Step::Name(name) => write!(f, ".{name}")?,
                Step::At(item) => write!(f, "[{item}]")?,
                Step::Each => write!(f, "[]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_written_as_it_was_read() {
        for text in [
            "title",
            "title.es",
            "period.from",
            "actions[2].text.ar",
            "actions[].text",
            "owner_body.name.zh-Hant",
        ] {
            assert_eq!(Path::parse(text).map(|path| path.to_string()).as_deref(), Some(text));
        }
    }

    #[test]
    fn what_is_no_path_is_refused() {
        for text in [
            "",
            "a..b",
            "a[",
            "a[x]",
            "a[1]b",
            "a[99999999999999999999]",
            "a[1000]",
            "[0]",
            "what was done?",
            "a.b.c.d.e.f.g.h.i.j",
        ] {
            assert_eq!(Path::parse(text), None, "{text}");
        }
    }
}
