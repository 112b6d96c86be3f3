//! A record's subject while it is put together from cells, with the place each value came from.

use serde_json::{Map, Value};

use super::path::{Path, Step};

/// The subject so far.
#[derive(Debug, Default)]
pub(super) struct Subject {
    value: Map<String, Value>,
    placed: Vec<Placed>,
}

/// Where a value stands in the file.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    /// Concrete path of the value.
    path: String,
    /// `Practices!D7`.
    pub(super) place: String,
}

/// Two cells of one record say the same thing.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Occupied;

impl Subject {
    /// Sets the value at `path`, which names every item (no [`Step::Each`]); lists grow as needed.
    pub(super) fn set(&mut self, path: &Path, value: Value, place: &str) -> Result<(), Occupied> {
        let Some((Step::Name(field), rest)) = path.0.split_first() else { return Err(Occupied) };
        let slot = rest
            .iter()
            .try_fold(self.value.entry(field.clone()).or_insert(Value::Null), descend)?;
        if !slot.is_null() {
            return Err(Occupied);
        }
        *slot = value;
        self.placed.push(Placed { path: path.to_string(), place: place.to_owned() });
        Ok(())
    }

    /// How many items the list at `path` has so far.
    pub(super) fn len(&self, path: &Path) -> usize {
        let Some((Step::Name(field), rest)) = path.0.split_first() else { return 0 };
        let found = rest.iter().try_fold(self.value.get(field), |value, step| {
            Some(match step {
                Step::Name(name) => value?.get(name),
                Step::At(item) => value?.get(item),
                Step::Each => None,
            })
        });
        found.flatten().and_then(Value::as_array).map_or(0, Vec::len)
    }

    /// The cell that a fault at `path` is about: where that value, the nearest around it, or else
    /// the first within it came from.
    pub(super) fn place(&self, path: &str) -> Option<&Placed> {
        let within = |inner: &str, outer: &str| {
            inner
                .strip_prefix(outer)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '[']))
        };
        let around = self
            .placed
            .iter()
            .filter(|placed| within(path, &placed.path))
            .max_by_key(|placed| placed.path.len());
        around.or_else(|| self.placed.iter().find(|placed| within(&placed.path, path)))
    }

    /// The subject and the places of its values. Items left out of a list are dropped.
    pub(super) fn finish(&mut self) -> Map<String, Value> {
        let mut value = std::mem::take(&mut self.value);
        value.retain(|_, member| {
            prune(member);
            !member.is_null()
        });
        value
    }
}

fn descend<'a>(value: &'a mut Value, step: &Step) -> Result<&'a mut Value, Occupied> {
    match step {
        Step::Name(name) => {
            if value.is_null() {
                *value = Value::Object(Map::new());
            }
            Ok(value.as_object_mut().ok_or(Occupied)?.entry(name.clone()).or_insert(Value::Null))
        }
        Step::At(item) => {
            if value.is_null() {
                *value = Value::Array(Vec::new());
            }
            let items = value.as_array_mut().ok_or(Occupied)?;
            if items.len() <= *item {
                items.resize(item + 1, Value::Null);
            }
            items.get_mut(*item).ok_or(Occupied)
        }
        Step::Each => Err(Occupied),
    }
}

/// Takes out what stayed empty because its cell was at fault.
fn prune(value: &mut Value) {
    match value {
        Value::Array(items) => {
            items.iter_mut().for_each(prune);
            items.retain(|item| !item.is_null());
            if items.is_empty() {
                *value = Value::Null;
            }
        }
        Value::Object(members) => {
            members.values_mut().for_each(prune);
            members.retain(|_, member| !member.is_null());
            if members.is_empty() {
                *value = Value::Null;
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn set(subject: &mut Subject, path: &str, value: &str, place: &str) -> Result<(), Occupied> {
        subject.set(&Path::parse(path).unwrap(), json!(value), place)
    }

    #[test]
    fn cells_become_one_subject_and_faults_find_their_cells() {
        let mut subject = Subject::default();
        set(&mut subject, "title.es", "Título", "D4").unwrap();
        set(&mut subject, "actions[1].text.es", "Dos", "D9").unwrap();
        set(&mut subject, "actions[0].text.es", "Uno", "D8").unwrap();
        set(&mut subject, "actions[0].text.en", "One", "E8").unwrap();
        assert_eq!(set(&mut subject, "title.es", "Otro", "D5"), Err(Occupied));
        assert_eq!(set(&mut subject, "title.es.x", "Otro", "D5"), Err(Occupied));
        assert_eq!(subject.len(&Path::parse("actions").unwrap()), 2);
        let place = |path: &str| subject.place(path).map(|placed| placed.place.as_str());
        assert_eq!(place("actions[0].text.en"), Some("E8"));
        assert_eq!(place("actions[1].text"), Some("D9"));
        assert_eq!(place("title"), Some("D4"));
        assert_eq!(place("actions[10]"), None);
        assert_eq!(place("summary"), None);
        assert_eq!(
            Value::Object(subject.finish()),
            json!({"title": {"es": "Título"}, "actions": [{"text": {"es": "Uno", "en": "One"}}, {"text": {"es": "Dos"}}]})
        );
    }
}
