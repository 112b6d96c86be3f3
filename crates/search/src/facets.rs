//! The facets of a record: what readers narrow a search by.

use feed::search::Facet;
use practice::body::Body;
use practice::vocabulary::{regional_group, states};
use serde_json::Value;
use tlog::name::Origin;

/// Values of one facet in one record: no honest record has so many, and a hostile one should not fill a page.
const VALUES_MAX: usize = 300;
/// Bytes of a value: the longest feed name has 200.
const VALUE_BYTES_MAX: usize = 256;

/// What the record says of itself, in all facets but those of its feed.
pub fn of(body: &Body) -> Vec<(Facet, String)> {
    let subject = body.subject();
    let mut found = Values(Vec::new());
    found.add(Facet::Kind, body.kind().as_str());
    found.add_all(Facet::Capacity, codes(subject, "capacities"));
    found.add_all(Facet::Topic, codes(subject, "topics"));
    found.add_all(Facet::Theme, codes(subject, "themes"));
    found.add_all(Facet::AffectedPersons, codes(subject, "affected_persons"));
    found.add_all(Facet::HumanRightsMechanism, codes(subject, "human_rights_mechanisms"));
    for code in codes(subject, "sdgs") {
        found.add(Facet::Sdg, code.split('.').next().unwrap_or(code));
        found.add(Facet::Sdg, code);
    }
    found.add_all(Facet::Language, languages(subject));
    found.add_all(Facet::Says, subject.get("basis").and_then(Value::as_str));
    found.add(Facet::Year, &year(subject, body.valid_from()));
    let named: Vec<&str> = codes(subject, "states").collect();
    if named.is_empty() {
        found.add_all(Facet::State, body.state());
    }
    found.add_all(Facet::State, named);
    found.of_states(body.valid_from());
    found.0
}

/// The facets that can be told of any record of a feed, whatever became of its body: node, feed, kind, and
/// the State of the node.
pub fn of_feed(origin: &Origin, kind: &str, state: Option<&str>) -> Vec<(Facet, String)> {
    let mut found = Values(Vec::new());
    found.add(Facet::Kind, kind);
    found.add(Facet::Node, origin.node().as_ref());
    found.add(Facet::Feed, origin.as_ref());
    found.add_all(Facet::State, state);
    found.0
}

/// Whether a facet is among those of [`of_feed`], and they are right whatever became of the body. The State is
/// not: a record may be about another than its node's.
pub(crate) fn outlives_the_body(facet: Facet) -> bool {
    matches!(facet, Facet::Kind | Facet::Node | Facet::Feed | Facet::Group)
}

/// Values found so far, each once.
struct Values(Vec<(Facet, String)>);

impl Values {
    fn add(&mut self, facet: Facet, value: &str) {
        let known = self.0.iter().filter(|(of, _)| *of == facet);
        let fits = !value.is_empty() && value.len() <= VALUE_BYTES_MAX;
        if fits
            && known.clone().count() < VALUES_MAX
            && !known.clone().any(|(_, held)| held == value)
        {
            self.0.push((facet, value.to_owned()));
        }
    }

    fn add_all<'a>(&mut self, facet: Facet, values: impl IntoIterator<Item = &'a str>) {
        values.into_iter().for_each(|value| self.add(facet, value));
    }

    /// The regional groups and situations of the States found, at `date`.
    fn of_states(&mut self, date: &str) {
        let named: Vec<String> = self
            .0
            .iter()
            .filter(|(facet, _)| *facet == Facet::State)
            .map(|(_, code)| code.clone())
            .collect();
        for code in &named {
            self.add_all(Facet::Region, regional_group(code));
            let situations = states().term(code).and_then(|state| state.get("groups"));
            for situation in situations.and_then(Value::as_array).into_iter().flatten() {
                let text = |name| situation.get(name).and_then(Value::as_str);
                let begun = text("from").is_none_or(|from| date >= from);
                let ended = text("to").is_some_and(|to| date >= to);
                if begun && !ended {
                    self.add_all(Facet::Situation, text("group"));
                }
            }
        }
    }
}

fn codes<'a>(subject: &'a Value, field: &str) -> impl Iterator<Item = &'a str> + use<'a> {
    subject.get(field).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str)
}

/// The languages of title and summary.
fn languages(subject: &Value) -> impl Iterator<Item = &str> {
    let maps = ["title", "summary"].into_iter().filter_map(|field| subject.get(field)?.as_object());
    maps.flat_map(|map| map.keys().map(String::as_str))
}

/// The year in which what the record describes began, else that of its publication.
fn year(subject: &Value, published: &str) -> String {
    let begun = subject.pointer("/period/from");
    let dates = [begun, subject.get("date"), subject.get("from"), subject.get("established")];
    let dates = dates.into_iter().flatten().filter_map(Value::as_str).chain([published]);
    let mut years = dates.filter_map(|date| date.get(..4));
    let is_year = |year: &&str| year.bytes().all(|digit| digit.is_ascii_digit());
    years.find(is_year).unwrap_or_default().to_owned()
}
