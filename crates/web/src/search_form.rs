//! What a reader searches for, as it stands in the query of an address.
//!
//! One reading for the page, for JSON, CSV and the feeds of news, so that the same query finds the same
//! records everywhere. What cannot be read is kept as a [`Fault`]: a page names it beside its form, a
//! program is refused.

use feed::search::{Facet, Order, Query, Withdrawn};
use practice::kind::Kind;
use practice::vocabulary::{self, Vocabulary};
use practice::{date, language};
use tlog::name::{NodeName, Origin};
use url::form_urlencoded;

/// Longest value of a filter: the name of a feed with the id of a record.
const VALUE_BYTES_MAX: usize = 320;

/// How much of something unreadable is repeated to who wrote it.
const SHOWN_CHARS_MAX: usize = 60;

/// What is searched for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SearchForm {
    /// Words, a phrase, a symbol, or a whole paragraph; without controls, its white space single.
    pub(crate) text: String,
    /// The filters, in the order in which they were chosen, each once.
    pub(crate) facets: Vec<(Facet, String)>,
    /// Which come first, if the reader said so.
    pub(crate) order: Option<Order>,
    /// Whether withdrawn records are found too, or alone.
    pub(crate) withdrawn: Withdrawn,
    /// The page, from 1 on; 0 is the first one too.
    pub(crate) page: usize,
    /// How many on a page, if the reader said so.
    pub(crate) limit: Option<usize>,
    /// What could not be read.
    pub(crate) faults: Vec<Fault>,
}

/// A part of the query that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Fault {
    /// A text over the limit; its beginning was taken.
    #[error(
        "the text searched for has {bytes} bytes; at most {} are read: shorten it to what matters",
        Query::BYTES_MAX
    )]
    TooLong { bytes: usize },
    /// A value that the filter cannot have.
    #[error("`{}={value}` names nothing that can be chosen", facet.as_str())]
    Choice { facet: Facet, value: String },
    /// A parameter with a word or number it does not know.
    #[error("`{name}={value}` cannot be read; it takes {takes}")]
    Word { name: &'static str, value: String, takes: &'static str },
    /// More filters than anybody needs.
    #[error("a search takes at most {} filters", Query::CHOICES_MAX)]
    Choices,
    /// A parameter that is not known here. Pages pass over it: trackers add such things to links.
    #[error("there is no parameter `{name}` here")]
    Parameter { name: String },
}

impl Fault {
    /// Whether the search makes no sense with it, rather than a little less.
    pub(crate) fn stops_a_page(&self) -> bool {
        !matches!(self, Self::TooLong { .. } | Self::Parameter { .. })
    }
}

impl SearchForm {
    /// Reads the part of an address after `?`. The language of the page is not a part of the search.
    pub(crate) fn read(query: &str) -> Self {
        let mut form = Self::default();
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            form.take(&name, &value);
        }
        form
    }

    fn take(&mut self, name: &str, value: &str) {
        match name {
            "q" => self.take_text(value),
            "lang" => {}
            // A form without JavaScript sends what was left empty too.
            _ if value.is_empty() => {}
            "order" => match value {
                "relevance" => self.order = Some(Order::Relevance),
                "newest" => self.order = Some(Order::Newest),
                _ => self.unreadable("order", value, "`relevance` or `newest`"),
            },
            "withdrawn" => match value {
                "without" => self.withdrawn = Withdrawn::Without,
                "with" => self.withdrawn = Withdrawn::With,
                "only" => self.withdrawn = Withdrawn::Only,
                _ => self.unreadable("withdrawn", value, "`without`, `with` or `only`"),
            },
            "page" => match whole(value).filter(|page| *page > 0) {
                Some(page) => self.page = page,
                None => self.unreadable("page", value, "a number from 1 on"),
            },
            "limit" => match whole(value).filter(|limit| (1..=Query::HITS_MAX).contains(limit)) {
                Some(limit) => self.limit = Some(limit),
                None => self.unreadable("limit", value, "a number from 1 to 200"),
            },
            _ => match Facet::parse(name) {
                Some(facet) => self.take_choice(facet, value),
                None => self.fault(Fault::Parameter { name: shown(name) }),
            },
        }
    }

    fn take_text(&mut self, value: &str) {
        let plain = plain(value);
        if plain.len() > Query::BYTES_MAX {
            self.fault(Fault::TooLong { bytes: plain.len() });
        }
        self.text = cut(&plain).to_owned();
    }

    fn take_choice(&mut self, facet: Facet, value: &str) {
        let choice = (facet, value.to_owned());
        if !may_be(facet, value) {
            self.fault(Fault::Choice { facet, value: shown(value) });
        } else if self.facets.len() >= Query::CHOICES_MAX {
            self.fault(Fault::Choices);
        } else if !self.facets.contains(&choice) {
            self.facets.push(choice);
        }
    }

    fn unreadable(&mut self, name: &'static str, value: &str, takes: &'static str) {
        self.fault(Fault::Word { name, value: shown(value), takes });
    }

    /// Each once, and not more of them than a page can name.
    fn fault(&mut self, fault: Fault) {
        if !self.faults.contains(&fault) && self.faults.len() < Query::CHOICES_MAX {
            self.faults.push(fault);
        }
    }

    /// Which come first: what fits best if there are words, else what is new.
    pub(crate) fn order(&self) -> Order {
        let default = if self.text.is_empty() { Order::Newest } else { Order::Relevance };
        self.order.unwrap_or(default)
    }

    /// The number of the page, from 1 on.
    pub(crate) fn page(&self) -> usize {
        self.page.max(1)
    }

    /// With one more filter.
    pub(crate) fn with(&self, facet: Facet, value: &str) -> Self {
        let mut form = self.first_page();
        form.facets.push((facet, value.to_owned()));
        form
    }

    /// Without a filter.
    pub(crate) fn without(&self, facet: Facet, value: &str) -> Self {
        let mut form = self.first_page();
        form.facets.retain(|(known, code)| (*known, code.as_str()) != (facet, value));
        form
    }

    /// Without anything chosen in one filter.
    pub(crate) fn without_facet(&self, facet: Facet) -> Self {
        let mut form = self.first_page();
        form.facets.retain(|(known, _)| *known != facet);
        form
    }

    /// Without its text.
    pub(crate) fn without_text(&self) -> Self {
        Self { text: String::new(), ..self.first_page() }
    }

    /// In another order.
    pub(crate) fn ordered(&self, order: Order) -> Self {
        Self { order: Some(order), ..self.first_page() }
    }

    /// With, without or with nothing but withdrawn records.
    pub(crate) fn with_withdrawn(&self, withdrawn: Withdrawn) -> Self {
        Self { withdrawn, ..self.first_page() }
    }

    /// Another page of the same.
    pub(crate) fn on_page(&self, page: usize) -> Self {
        Self { page, ..self.clone() }
    }

    fn first_page(&self) -> Self {
        self.on_page(1)
    }

    /// Its address below `path`: what was read, in one order.
    pub(crate) fn address(&self, path: &str) -> String {
        let parts = self.parts();
        if parts.is_empty() {
            return path.to_owned();
        }
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(parts).finish();
        format!("{path}?{query}")
    }

    /// Its parameters, for hidden fields of a form too.
    pub(crate) fn parts(&self) -> Vec<(&'static str, String)> {
        let mut parts = Vec::new();
        if !self.text.is_empty() {
            parts.push(("q", self.text.clone()));
        }
        parts.extend(self.facets.iter().map(|(facet, code)| (facet.as_str(), code.clone())));
        if let Some(order) = self.order {
            let word = if order == Order::Newest { "newest" } else { "relevance" };
            parts.push(("order", word.to_owned()));
        }
        match self.withdrawn {
            Withdrawn::Without => {}
            Withdrawn::With => parts.push(("withdrawn", "with".to_owned())),
            Withdrawn::Only => parts.push(("withdrawn", "only".to_owned())),
        }
        if let Some(limit) = self.limit {
            parts.push(("limit", limit.to_string()));
        }
        if self.page > 1 {
            parts.push(("page", self.page.to_string()));
        }
        parts
    }

    /// For the index: this page of `limit` hits, for a reader of `reader`.
    pub(crate) fn query(&self, reader: &str, limit: usize, count: &[Facet]) -> Query {
        Query {
            text: self.text.clone(),
            reader: reader.to_owned(),
            facets: self.facets.clone(),
            count: count.to_vec(),
            order: self.order(),
            offset: (self.page() - 1).saturating_mul(limit),
            limit,
            withdrawn: self.withdrawn,
            ..Query::default()
        }
    }
}

/// Whether a filter can have this value: one of its vocabulary, or of the right shape where there is none.
fn may_be(facet: Facet, value: &str) -> bool {
    if value.len() > VALUE_BYTES_MAX || value.chars().any(is_control) {
        return false;
    }
    let listed = |name: &str| Vocabulary::get(name).is_some_and(|list| list.contains(value));
    match facet {
        Facet::Kind => Kind::parse(value).is_ok(),
        Facet::State => vocabulary::is_state(value),
        Facet::Language => language::is_canonical(value),
        Facet::Year => value.len() == 4 && date::is_date(&format!("{value}-01-01")),
        Facet::Feed => Origin::parse(value).is_ok(),
        Facet::Node => NodeName::parse(value).is_ok(),
        Facet::Group => true,
        _ => vocabulary_of(facet).is_some_and(listed),
    }
}

/// The vocabulary with the names of a facet's values, if there is one.
pub(crate) fn vocabulary_of(facet: Facet) -> Option<&'static str> {
    Some(match facet {
        Facet::Kind => "record-kinds",
        Facet::State => "states",
        Facet::Region => "regional-groups",
        Facet::Situation => "state-groups",
        Facet::Capacity => "capacities",
        Facet::Topic => "practice-topics",
        Facet::Theme => "themes",
        Facet::AffectedPersons => "affected-persons",
        Facet::Sdg => "sdgs",
        Facet::HumanRightsMechanism => "human-rights-mechanisms",
        Facet::Language => "languages",
        Facet::Says => "bases",
        Facet::Year | Facet::Feed | Facet::Node | Facet::Group => return None,
    })
}

/// A text without controls and marks that turn its direction, with single spaces.
fn plain(text: &str) -> String {
    let visible: String = text
        .chars()
        .map(|c| if c.is_whitespace() { ' ' } else { c })
        .filter(|c| !is_control(*c))
        .collect();
    visible.split(' ').filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ")
}

fn is_control(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

/// Its beginning within the limit, up to the end of a word if there are words.
fn cut(text: &str) -> &str {
    if text.len() <= Query::BYTES_MAX {
        return text;
    }
    let end =
        (0..=Query::BYTES_MAX).rev().find(|&at| text.is_char_boundary(at)).unwrap_or_default();
    let begin = text.get(..end).unwrap_or_default();
    begin.rsplit_once(' ').map_or(begin, |(words, _)| words)
}

/// What somebody wrote, short enough to be repeated.
fn shown(value: &str) -> String {
    let plain = plain(value);
    if plain.chars().count() <= SHOWN_CHARS_MAX {
        return plain;
    }
    plain.chars().take(SHOWN_CHARS_MAX).chain(['…']).collect()
}

/// Decimal digits without leading zeros.
fn whole(text: &str) -> Option<usize> {
    text.parse().ok().filter(|number: &usize| number.to_string() == text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_read_and_written_alike() {
        let address = "q=%D8%AA%D9%88%D8%B5%D9%8A%D8%A9+a%26b&kind=good-practice&state=PY&state=XA&order=newest&withdrawn=with&limit=5&page=3";
        let form = SearchForm::read(address);
        assert_eq!(form.faults, []);
        assert_eq!(form.text, "توصية a&b");
        assert_eq!(form.address("/search"), format!("/search?{address}"));
        let query = form.query("ar", 5, &[]);
        assert_eq!((query.offset, query.limit, query.reader.as_str()), (10, 5, "ar"));
        assert_eq!(SearchForm::read("").address("/search"), "/search");
        assert_eq!(SearchForm::read("q=&state=&lang=ar&page="), SearchForm::default());
    }

    #[test]
    fn changing_a_filter_leads_back_to_the_first_page() {
        let form = SearchForm::read("q=a&state=PY&page=4");
        let more = form.with(Facet::Topic, "legal-basis");
        assert_eq!(more.address("/search"), "/search?q=a&state=PY&topic=legal-basis");
        assert_eq!(form.without(Facet::State, "PY").address("/search"), "/search?q=a");
        assert_eq!(form.without_text().address("/search"), "/search?state=PY");
        assert_eq!(form.on_page(5).address("/search"), "/search?q=a&state=PY&page=5");
    }

    #[test]
    fn what_cannot_be_chosen_is_named() {
        for (query, words) in [
            ("state=ZZ", "`state=ZZ` names nothing that can be chosen"),
            ("topic=%3Cscript%3E", "`topic=<script>` names nothing"),
            ("year=20266", "`year=20266`"),
            ("language=english", "`language=english`"),
            ("feed=nonsense", "`feed=nonsense`"),
            ("order=best", "`order=best` cannot be read; it takes `relevance` or `newest`"),
            ("page=0", "`page=0` cannot be read"),
            ("page=-1", "`page=-1`"),
            ("page=99999999999999999999", "cannot be read"),
            ("limit=201", "from 1 to 200"),
            ("withdrawn=maybe", "`without`, `with` or `only`"),
        ] {
            let form = SearchForm::read(query);
            let [fault] = form.faults.as_slice() else { panic!("{query}: {form:?}") };
            assert!(fault.to_string().contains(words), "{query}: {fault}");
            assert!(fault.stops_a_page(), "{query}");
            assert!(form.facets.is_empty() && form.page() == 1, "{query}");
        }
        let many: String = (1..=99).map(|year| format!("year=19{year:02}&")).collect();
        let form = SearchForm::read(&many);
        assert_eq!(
            (form.facets.len(), form.faults.as_slice()),
            (Query::CHOICES_MAX, &[Fault::Choices][..])
        );
        let unknown = SearchForm::read("utm_source=x");
        assert!(!unknown.faults[0].stops_a_page());
    }

    #[test]
    fn a_text_is_read_without_what_cannot_be_seen_and_within_its_limit() {
        let form = SearchForm::read("q=%E2%80%AEevil%00%0d%0a++two%E2%81%A6");
        assert_eq!(form.text, "evil two");
        let long = format!("q={}", "word%20".repeat(Query::BYTES_MAX));
        let form = SearchForm::read(&long);
        assert!(form.text.len() <= Query::BYTES_MAX && form.text.ends_with("word"));
        assert!(matches!(form.faults.as_slice(), [Fault::TooLong { .. }]));
        let chinese = format!("q={}", "议".repeat(Query::BYTES_MAX));
        assert!(SearchForm::read(&chinese).text.len() <= Query::BYTES_MAX);
    }
}
