//! The filters of a search: those chosen, and those that can be, with how many records each leaves.

use std::collections::BTreeMap;

use feed::search::{Facet, Hits};
use practice::vocabulary::Vocabulary;
use tlog::name::{FeedName, NodeName, Origin};
use wire::paths;

use crate::app::App;
use crate::pages::{best_name, node_name};
use crate::search_form::{SearchForm, vocabulary_of};
use crate::texts::Texts;

/// The filters offered, in the order of the page. Feeds are chosen on their own pages.
pub(super) const SHOWN: [Facet; 15] = [
    Facet::Kind,
    Facet::State,
    Facet::Topic,
    Facet::Language,
    Facet::Region,
    Facet::Situation,
    Facet::Capacity,
    Facet::Theme,
    Facet::AffectedPersons,
    Facet::Sdg,
    Facet::HumanRightsMechanism,
    Facet::Year,
    Facet::Says,
    Facet::Node,
    Facet::Group,
];

/// How many of [`SHOWN`] are open without being asked.
const OPEN: usize = 4;

/// A value that is offered alone narrows nothing down.
const USEFUL: usize = 2;

/// A filter that was chosen.
pub(super) struct Chip {
    /// The filter and its value.
    pub(super) text: String,
    /// The search without it.
    pub(super) href: String,
}

/// A filter with its values.
pub(super) struct Group {
    pub(super) name: String,
    pub(super) open: bool,
    pub(super) values: Vec<Choice>,
}

/// A value of a filter.
pub(super) struct Choice {
    pub(super) text: String,
    pub(super) count: String,
    /// The search with it, or without it if it is chosen.
    pub(super) href: String,
    pub(super) chosen: bool,
}

/// A search that finds more.
pub(super) struct Drop {
    pub(super) text: String,
    pub(super) count: String,
    pub(super) href: String,
}

/// What was chosen.
pub(super) fn chips(app: &App, form: &SearchForm, texts: &Texts) -> Vec<Chip> {
    let chip = |(facet, code): &(Facet, String)| Chip {
        // The name of a node may run the other way.
        text: texts.labelled(
            &name(*facet, texts),
            &format!("\u{2068}{}\u{2069}", value(app, *facet, code, texts)),
        ),
        href: form.without(*facet, code).address(paths::site::SEARCH),
    };
    form.facets.iter().map(chip).collect()
}

/// What may be chosen.
pub(super) fn groups(
    app: &App,
    form: &SearchForm,
    mut counts: BTreeMap<Facet, Vec<(String, usize)>>,
    texts: &Texts,
) -> Vec<Group> {
    let mut groups = Vec::new();
    for (rank, facet) in SHOWN.into_iter().enumerate() {
        let chosen: Vec<&String> =
            form.facets.iter().filter(|(known, _)| *known == facet).map(|(_, code)| code).collect();
        let mut values = counts.remove(&facet).unwrap_or_default();
        // What is chosen can be dropped here too, even where nothing has it.
        let missing = chosen.iter().filter(|code| !values.iter().any(|(known, _)| known == **code));
        let missing: Vec<_> = missing.map(|code| ((*code).clone(), 0)).collect();
        values.extend(missing);
        if values.len() < USEFUL && chosen.is_empty() {
            continue;
        }
        sort(facet, &mut values, texts);
        let choice = |(code, number): (String, usize)| {
            let is_chosen = chosen.contains(&&code);
            let other =
                if is_chosen { form.without(facet, &code) } else { form.with(facet, &code) };
            Choice {
                text: value(app, facet, &code, texts),
                count: count(number, texts),
                href: other.address(paths::site::SEARCH),
                chosen: is_chosen,
            }
        };
        let open = rank < OPEN || !chosen.is_empty();
        let values = values.into_iter().map(choice).collect();
        groups.push(Group { name: name(facet, texts), open, values });
    }
    groups
}

/// The filters without which something is found, as the index says.
pub(super) fn drops(app: &App, form: &SearchForm, hits: &Hits, texts: &Texts) -> Vec<Drop> {
    let drop = |(facet, code, number): &(Facet, String, usize)| {
        let words = texts.labelled(&name(*facet, texts), &value(app, *facet, code, texts));
        Drop {
            text: texts.with("search-without", &[("reason", &words)]),
            count: count(*number, texts),
            href: form.without(*facet, code).address(paths::site::SEARCH),
        }
    };
    hits.without.iter().map(drop).collect()
}

/// The filters with several values chosen: dropping one of these leaves the others, which may not help.
pub(super) fn chosen_twice(form: &SearchForm) -> Vec<Facet> {
    let times = |facet: &Facet| form.facets.iter().filter(|(known, _)| known == facet).count();
    Facet::ALL.into_iter().filter(|facet| times(facet) > 1).collect()
}

/// The words for a search without a filter.
pub(super) fn without(facet: Facet, texts: &Texts) -> String {
    texts.with("search-without", &[("reason", &name(facet, texts))])
}

/// Names in the order of their list where that means something, States and languages by the alphabet of the
/// reader, years from the newest; the rest by how much there is of it, as the index counted.
pub(super) fn sort(facet: Facet, values: &mut [(String, usize)], texts: &Texts) {
    let list = vocabulary_of(facet).and_then(Vocabulary::get);
    match facet {
        Facet::State | Facet::Language | Facet::Region | Facet::Node | Facet::Group => {
            texts.sort_by_name(values, |(code, _)| {
                list.map_or(code.as_str(), |list| list.label(code, texts.code()))
            });
        }
        Facet::Year => values.sort_by(|one, other| other.0.cmp(&one.0)),
        Facet::Sdg => values.sort_by_cached_key(|(code, _)| {
            let mut parts = code.split('.').map(|part| part.parse::<u16>().unwrap_or(u16::MAX));
            (parts.next(), parts.next(), code.clone())
        }),
        _ => {}
    }
}

/// What a filter is called.
pub(super) fn name(facet: Facet, texts: &Texts) -> String {
    texts.get(&format!("facet-{}", facet.as_str()))
}

/// What a value of a filter is called.
pub(super) fn value(app: &App, facet: Facet, code: &str, texts: &Texts) -> String {
    match facet {
        Facet::Node => match NodeName::parse(code) {
            Ok(node) => node_name(app, &node, texts),
            Err(_) => code.to_owned(),
        },
        Facet::Group => group(app, code, texts).unwrap_or_else(|| code.to_owned()),
        Facet::Sdg => match label(facet, code, texts) {
            label if label == code => label,
            label => format!("{code}. {label}"),
        },
        _ => label(facet, code, texts),
    }
}

/// A number of records, beside a name.
pub(super) fn count(number: usize, texts: &Texts) -> String {
    texts.count("search-count", u64::try_from(number).unwrap_or(u64::MAX))
}

fn label(facet: Facet, code: &str, texts: &Texts) -> String {
    let list = vocabulary_of(facet).and_then(Vocabulary::get);
    list.map_or(code, |list| list.label(code, texts.code())).to_owned()
}

/// The name of a group of a network, which stands in its public feed.
fn group(app: &App, code: &str, texts: &Texts) -> Option<String> {
    let (node, id) = code.split_once('/')?;
    let origin = Origin::new(NodeName::parse(node).ok()?, FeedName::public());
    let id = paths::record_id(id.strip_prefix("urn:uuid:").unwrap_or(id))?;
    let network = app.feeds.network(&origin)?;
    best_name(&network.group(&id)?.subject.names, texts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_and_a_list_are_called_as_the_field_is() {
        let fields = Vocabulary::get("fields").unwrap();
        for (key, field) in [
            ("facet-state", "state"),
            ("facet-capacity", "capacities"),
            ("facet-topic", "topics"),
            ("facet-theme", "themes"),
            ("facet-persons", "affected_persons"),
            ("facet-sdg", "sdgs"),
            ("facet-mechanism", "human_rights_mechanisms"),
            ("facet-language", "languages"),
            ("facet-says", "basis"),
            ("facet-feed", "feed"),
            ("nav-states", "states"),
            ("states-title", "states"),
            ("nav-topics", "topics"),
            ("topics-title", "topics"),
            ("sdgs-title", "sdgs"),
            ("mechanisms-title", "human_rights_mechanisms"),
            ("node", "node"),
            ("feed", "feed"),
        ] {
            for texts in Texts::all() {
                let code = texts.code();
                assert_eq!(texts.get(key), fields.label(field, code), "{code}: {key}");
            }
        }
    }
}
