//! Answering a query.

use std::cell::OnceCell;
use std::collections::BTreeMap;
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

impl Asked<'_> {
    fn answer(&self) -> tantivy::Result<Hits> {
        let mut strictness = Strictness::Strict;
        let mut total = self.count(strictness, None)?;
        if total == 0 && self.clauses.can_be_lenient() {
            let lenient = self.count(Strictness::Lenient, None)?;
            if lenient > 0 {
                (total, strictness) = (lenient, Strictness::Lenient);
            }
        }
        let mut hits = Hits { total, ..Hits::default() };
        if total == 0 {
            hits.without = self.without()?;
        } else {
            let mut marks = Marks::new(self.words, &self.query.reader);
            for (score, address) in self.page(strictness)? {
                let in_readers = score >= READER_LIFT;
                let score = if in_readers { score - READER_LIFT } else { score };
                let stored = self.stored(address)?;
                hits.hits.extend(stored.and_then(|stored| marks.hit(&stored, score, in_readers)));
            }
        }
        hits.counts = self.counts(strictness)?;
        Ok(hits)
    }

    fn count(&self, strictness: Strictness, without: Option<usize>) -> tantivy::Result<usize> {
        self.searcher.search(&self.matching(strictness, without, None)?, &Count)
    }

    /// One page of hits in the order asked for.
    fn page(&self, strictness: Strictness) -> tantivy::Result<Vec<(f32, DocAddress)>> {
        if self.query.limit == 0 {
            return Ok(Vec::new());
        }
        let matching = self.matching(strictness, None, None)?;
        let top = TopDocs::with_limit(self.query.limit).and_offset(self.query.offset);
        let by_words = self.query.order == Order::Relevance && !self.words.wanted.is_empty();
        if by_words {
            return self.searcher.search(&matching, &top.order_by_score());
        }
        let newest = top.order_by_fast_field::<i64>(CHANGED, tantivy::Order::Desc);
        let found = self.searcher.search(&matching, &newest)?;
        Ok(found.into_iter().map(|(_, at)| (0.0, at)).collect())
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

    /// The counts asked for. Facets in which nothing was chosen are counted together.
    fn counts(
        &self,
        strictness: Strictness,
    ) -> tantivy::Result<BTreeMap<Facet, Vec<(String, usize)>>> {
        let chosen = |facet: &Facet| {
            *facet == Facet::Kind || self.query.facets.iter().any(|(of, _)| of == facet)
        };
        let (apart, together): (Vec<Facet>, Vec<Facet>) =
            self.query.count.iter().partition(|facet| chosen(facet));
        let mut counted = Counted::new();
        if !together.is_empty() {
            counted.extend(self.counted(strictness, &together, None)?);
        }
        for facet in apart {
            counted.extend(self.counted(strictness, &[facet], Some(facet))?);
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

    /// Counts facets; those of groups from those of their members.
    fn counted(
        &self,
        strictness: Strictness,
        facets: &[Facet],
        open: Option<Facet>,
    ) -> tantivy::Result<Counted> {
        let groups_asked = facets.contains(&Facet::Group);
        let mut columns: Vec<Facet> =
            facets.iter().copied().filter(|facet| *facet != Facet::Group).collect();
        let node_asked = columns.contains(&Facet::Node);
        if groups_asked && !node_asked {
            columns.push(Facet::Node);
        }
        let mut counted =
            self.searcher.search(&self.matching(strictness, None, open)?, &Counting(columns))?;
        if groups_asked {
            let nodes = counted.get(&Facet::Node).cloned().unwrap_or_default();
            let of_group = self
                .shared
                .groups()
                .iter()
                .filter_map(|(group, members)| {
                    let count =
                        members.iter().filter_map(|member| nodes.get::<str>(member.as_ref())).sum();
                    (count > 0).then(|| (group.clone(), count))
                })
                .collect();
            counted.insert(Facet::Group, of_group);
            if !node_asked {
                counted.remove(&Facet::Node);
            }
        }
        Ok(counted)
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
