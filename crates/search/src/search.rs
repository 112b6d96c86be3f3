//! Answering a query.

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::PoisonError;

use feed::search::{Facet, Hits, Order, Progress, Query, Search, SearchError, Withdrawn};
use tantivy::collector::{Count, TopDocs};
use tantivy::query::{AllQuery, BooleanQuery, ConstScoreQuery, Occur};
use tantivy::schema::Value as _;
use tantivy::{DocAddress, Searcher, TantivyDocument};

use crate::clause::{Clauses, READER_LIFT, Strictness, any, exactly, filter};
use crate::counts::{Counted, Counting};
use crate::document::{CURRENT, ERASED, PUBLIC, Stored, WITHDRAWN, record_key};
use crate::facets::outlives_the_body;
use crate::fields::{ABOUT_OTHERS, CHANGED};
use crate::index::{Index, Shared, failed};
use crate::marks::Marks;
use crate::words::Words;

/// Values listed of one facet: more than there are States.
const COUNTS_MAX: usize = 500;

type Clause = (Occur, Box<dyn tantivy::query::Query>);

impl Search for Index {
    fn search(&self, query: &Query) -> Result<Hits, SearchError> {
        check(query)?;
        self.shared.usable()?;
        let _files_stay = self.shared.searching.read().unwrap_or_else(PoisonError::into_inner);
        let searcher = self.shared.reader.searcher();
        let words = Words::read(&query.text);
        let clauses = Clauses::new(&self.shared.fields, &searcher, &words);
        let asked = Asked {
            shared: &self.shared,
            searcher: &searcher,
            query,
            words: &words,
            clauses,
            strict: OnceCell::new(),
            lenient: OnceCell::new(),
        };
        asked.answer().map_err(|error| failed(&error))
    }

    fn progress(&self) -> Progress {
        self.shared.progress()
    }
}

/// The column that is counted for a facet: of groups, that of the nodes in them.
fn column_of(facet: Facet) -> Facet {
    if facet == Facet::Group { Facet::Node } else { facet }
}

fn check(query: &Query) -> Result<(), SearchError> {
    let limits = [
        ("text (bytes)", query.text.len(), Query::BYTES_MAX),
        ("page (hits)", query.limit, Query::HITS_MAX),
        ("page (hits before it)", query.offset, Query::OFFSET_MAX),
        ("list of filters", query.facets.len(), Query::CHOICES_MAX),
    ];
    match limits.into_iter().find(|(_, given, most)| given > most) {
        Some((what, given, most)) => Err(SearchError::TooLong { what, given, most }),
        None => Ok(()),
    }
}

/// One query being answered.
struct Asked<'a> {
    shared: &'a Shared,
    searcher: &'a Searcher,
    query: &'a Query,
    words: &'a Words,
    clauses: Clauses<'a>,
    /// What matches the words, made once.
    strict: OnceCell<Box<dyn tantivy::query::Query>>,
    lenient: OnceCell<Box<dyn tantivy::query::Query>>,
}

/// What matches, in one walk through the index.
struct Matched {
    total: usize,
    /// One page, in the order asked for.
    page: Vec<(f32, DocAddress)>,
    /// The counts of the facets in which nothing was chosen.
    counts: Counted,
}

impl Asked<'_> {
    fn answer(&self) -> tantivy::Result<Hits> {
        let mut strictness = Strictness::Strict;
        let mut matched = self.matched(strictness)?;
        if matched.total == 0 && self.clauses.can_be_lenient() {
            let lenient = self.matched(Strictness::Lenient)?;
            if lenient.total > 0 {
                (matched, strictness) = (lenient, Strictness::Lenient);
            }
        }
        let mut hits = Hits { total: matched.total, ..Hits::default() };
        if hits.total == 0 {
            hits.without = self.without()?;
        }
        let mut marks = Marks::new(self.words, &self.query.reader);
        for (score, address) in matched.page {
            let in_readers = score >= READER_LIFT;
            let score = if in_readers { score - READER_LIFT } else { score };
            let stored = self.stored(address)?;
            hits.hits.extend(stored.and_then(|stored| marks.hit(&stored, score, in_readers)));
        }
        hits.counts = self.counts(strictness, &matched.counts)?;
        Ok(hits)
    }

    fn matched(&self, strictness: Strictness) -> tantivy::Result<Matched> {
        let matching = self.matching(strictness, None, None)?;
        let together = self.query.count.iter().filter(|facet| !self.is_chosen(**facet));
        let columns: BTreeSet<Facet> = together.map(|facet| column_of(*facet)).collect();
        let counting = Counting(columns.into_iter().collect());
        let top = TopDocs::with_limit(self.query.limit.max(1)).and_offset(self.query.offset);
        let by_words = self.query.order == Order::Relevance && !self.words.wanted.is_empty();
        let (total, mut page, counts) = if by_words {
            self.searcher.search(&matching, &(Count, top.order_by_score(), counting))?
        } else {
            let newest = top.order_by_fast_field::<i64>(CHANGED, tantivy::Order::Desc);
            let (total, page, counts) =
                self.searcher.search(&matching, &(Count, newest, counting))?;
            (total, page.into_iter().map(|(_, at)| (0.0, at)).collect(), counts)
        };
        page.truncate(self.query.limit);
        Ok(Matched { total, page, counts })
    }

    fn count(&self, strictness: Strictness, without: Option<usize>) -> tantivy::Result<usize> {
        self.searcher.search(&self.matching(strictness, without, None)?, &Count)
    }

    fn stored(&self, address: DocAddress) -> tantivy::Result<Option<Stored>> {
        let document: TantivyDocument = self.searcher.doc(address)?;
        let bytes =
            document.get_first(self.shared.fields.stored).and_then(|value| value.as_bytes());
        Ok(bytes.and_then(|bytes| serde_json::from_slice(bytes).ok()))
    }

    /// Everything asked for, but for one choice, or for all choices of one facet.
    fn matching(
        &self,
        strictness: Strictness,
        without: Option<usize>,
        open: Option<Facet>,
    ) -> tantivy::Result<BooleanQuery> {
        let fields = &self.shared.fields;
        let mut parts = vec![self.readable(), self.text(strictness)?];
        match self.query.withdrawn {
            Withdrawn::Without => parts.push(filter(exactly(fields.standing, CURRENT))),
            Withdrawn::Only => parts.push(filter(exactly(fields.standing, WITHDRAWN))),
            Withdrawn::With => {}
        }
        let mut chosen: BTreeMap<Facet, Vec<&str>> = BTreeMap::new();
        for (place, (facet, value)) in self.query.facets.iter().enumerate() {
            if without != Some(place) && open != Some(*facet) {
                chosen.entry(*facet).or_default().push(value);
            }
        }
        for (facet, values) in &chosen {
            let ways = values.iter().flat_map(|value| self.of_facet(*facet, value));
            let may_have_been = self.query.erased && !outlives_the_body(*facet);
            let erased = may_have_been.then(|| exactly(fields.standing, ERASED));
            parts.push(filter(any(ways.chain(erased).collect())));
        }
        if let Some((origin, id)) = &self.query.mentions {
            parts.push(filter(exactly(fields.mentions, &record_key(origin, id))));
        } else if !chosen.contains_key(&Facet::Kind) && open != Some(Facet::Kind) {
            let kind = fields.facet(Facet::Kind);
            parts.extend(ABOUT_OTHERS.map(|of| (Occur::MustNot, exactly(kind, of))));
        }
        Ok(BooleanQuery::new(parts))
    }

    fn text(&self, strictness: Strictness) -> tantivy::Result<Clause> {
        if self.query.text.trim().is_empty() {
            return Ok((Occur::Must, Box::new(ConstScoreQuery::new(Box::new(AllQuery), 0.0))));
        }
        let made = match strictness {
            Strictness::Strict => &self.strict,
            Strictness::Lenient => &self.lenient,
        };
        if let Some(query) = made.get() {
            return Ok((Occur::Must, query.box_clone()));
        }
        let query = self.clauses.query(&self.query.reader, strictness)?;
        Ok((Occur::Must, made.get_or_init(|| query).box_clone()))
    }

    /// What anybody may read, and what this caller may.
    fn readable(&self) -> Clause {
        let fields = &self.shared.fields;
        let feed = fields.facet(Facet::Feed);
        let restricted = self.query.readable.iter().map(|origin| exactly(feed, origin.as_ref()));
        filter(any([exactly(fields.audience, PUBLIC)].into_iter().chain(restricted).collect()))
    }

    fn of_facet(&self, facet: Facet, value: &str) -> Vec<Box<dyn tantivy::query::Query>> {
        if facet != Facet::Group {
            return vec![exactly(self.shared.fields.facet(facet), value)];
        }
        let (groups, node) = (self.shared.groups(), self.shared.fields.facet(Facet::Node));
        let members = groups.get(value).into_iter().flatten();
        members.map(|member| exactly(node, member.as_ref())).collect()
    }

    fn is_chosen(&self, facet: Facet) -> bool {
        self.query.facets.iter().any(|(of, _)| *of == facet)
    }

    /// The counts asked for: from those counted `together`, or apart where something was chosen in a facet, for
    /// that does not narrow its own counts.
    fn counts(
        &self,
        strictness: Strictness,
        together: &Counted,
    ) -> tantivy::Result<BTreeMap<Facet, Vec<(String, usize)>>> {
        let mut counted = Counted::new();
        for facet in self.query.count.iter().copied() {
            let column = column_of(facet);
            let mut counts = if self.is_chosen(facet) {
                let matching = self.matching(strictness, None, Some(facet))?;
                self.searcher.search(&matching, &Counting(vec![column]))?.remove(&column)
            } else {
                together.get(&column).cloned()
            }
            .unwrap_or_default();
            match facet {
                Facet::Group => counts = self.of_groups(&counts),
                Facet::Kind => counts.extend(self.of_those_about_others(strictness)?),
                _ => {}
            }
            counted.insert(facet, counts);
        }
        let most_first = |counts: BTreeMap<String, usize>| {
            let mut counts: Vec<(String, usize)> = counts.into_iter().collect();
            counts.sort_by(|(value, count), (other, more)| {
                more.cmp(count).then_with(|| value.cmp(other))
            });
            counts.truncate(COUNTS_MAX);
            counts
        };
        Ok(counted.into_iter().map(|(facet, counts)| (facet, most_first(counts))).collect())
    }

    /// The counts of groups, from those of the nodes in them.
    fn of_groups(&self, nodes: &BTreeMap<String, usize>) -> BTreeMap<String, usize> {
        let groups = self.shared.groups();
        let counts = groups.iter().map(|(group, members)| {
            let counts = members.iter().filter_map(|member| nodes.get::<str>(member.as_ref()));
            (group.clone(), counts.sum())
        });
        counts.filter(|(_, count)| *count > 0).collect()
    }

    /// The counts of the kinds that are found only when they are chosen.
    fn of_those_about_others(
        &self,
        strictness: Strictness,
    ) -> tantivy::Result<BTreeMap<String, usize>> {
        let kind = self.shared.fields.facet(Facet::Kind);
        let of = any(ABOUT_OTHERS.map(|of| exactly(kind, of)).into());
        let all = self.matching(strictness, None, Some(Facet::Kind))?;
        let matching = BooleanQuery::new(vec![filter(of), filter(Box::new(all))]);
        let counts = self.searcher.search(&matching, &Counting(vec![Facet::Kind]))?;
        Ok(counts.into_values().next().unwrap_or_default())
    }

    /// How many there were without each of the choices.
    fn without(&self) -> tantivy::Result<Vec<(Facet, String, usize)>> {
        let mut without = Vec::new();
        for (place, (facet, value)) in self.query.facets.iter().enumerate() {
            let mut count = self.count(Strictness::Strict, Some(place))?;
            if count == 0 && self.clauses.can_be_lenient() {
                count = self.count(Strictness::Lenient, Some(place))?;
            }
            if count > 0 {
                without.push((*facet, value.clone(), count));
            }
        }
        Ok(without)
    }
}
