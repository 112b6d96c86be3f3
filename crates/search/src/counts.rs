//! Counting: how many of the records that match have each value of a facet.

use std::collections::BTreeMap;

use feed::search::Facet;
use tantivy::collector::{Collector, SegmentCollector};
use tantivy::columnar::StrColumn;
use tantivy::{DocId, Score, SegmentOrdinal, SegmentReader};

use crate::fields::column;

/// Counts the values of facets over what a query finds.
pub(crate) struct Counting(pub(crate) Vec<Facet>);

/// The counts of each facet, by value.
pub(crate) type Counted = BTreeMap<Facet, BTreeMap<String, usize>>;

/// Records counted together: a column at a time is several times as fast as a record at a time.
const TOGETHER: usize = 256;

/// The counts in one segment, where a value is a number.
pub(crate) struct InSegment {
    columns: Vec<Column>,
    /// Found, and not counted yet.
    found: Vec<DocId>,
    places: Places,
}

struct Column {
    facet: Facet,
    values: Option<StrColumn>,
    counts: Vec<usize>,
}

/// Where the values of some records stand in a column, and what they are.
#[derive(Default)]
struct Places {
    documents: Vec<DocId>,
    rows: Vec<u32>,
    values: Vec<u64>,
}

impl Column {
    fn count(&mut self, found: &[DocId], places: &mut Places) {
        let Some(values) = &self.values else { return };
        places.documents.clear();
        places.rows.clear();
        values.ords().row_ids_for_docs(found, &mut places.documents, &mut places.rows);
        places.values.clear();
        places.values.resize(places.rows.len(), 0);
        values.ords().values.get_vals(&places.rows, &mut places.values);
        for value in &places.values {
            let place = usize::try_from(*value).ok().and_then(|place| self.counts.get_mut(place));
            if let Some(count) = place {
                *count += 1;
            }
        }
    }
}

impl InSegment {
    fn count(&mut self) {
        for column in &mut self.columns {
            column.count(&self.found, &mut self.places);
        }
        self.found.clear();
    }
}

impl Collector for Counting {
    type Fruit = Counted;
    type Child = InSegment;

    fn for_segment(
        &self,
        _: SegmentOrdinal,
        segment: &SegmentReader,
    ) -> tantivy::Result<InSegment> {
        let columns = self.0.iter().map(|facet| {
            let values = segment.fast_fields().str(&column(*facet))?;
            let terms = values.as_ref().map_or(0, |values| values.num_terms());
            Ok(Column { facet: *facet, values, counts: vec![0; terms] })
        });
        let columns = columns.collect::<tantivy::Result<_>>()?;
        Ok(InSegment { columns, found: Vec::with_capacity(TOGETHER), places: Places::default() })
    }

    fn requires_scoring(&self) -> bool {
        false
    }

    fn merge_fruits(&self, segments: Vec<Counted>) -> tantivy::Result<Counted> {
        let mut all = Counted::new();
        for (facet, counts) in segments.into_iter().flatten() {
            let of_facet = all.entry(facet).or_default();
            for (value, count) in counts {
                *of_facet.entry(value).or_default() += count;
            }
        }
        Ok(all)
    }
}

impl SegmentCollector for InSegment {
    type Fruit = Counted;

    fn collect(&mut self, doc: DocId, _: Score) {
        self.found.push(doc);
        if self.found.len() == TOGETHER {
            self.count();
        }
    }

    fn harvest(mut self) -> Counted {
        self.count();
        let mut counted = Counted::new();
        for column in self.columns {
            let of_facet = counted.entry(column.facet).or_default();
            let Some(values) = &column.values else { continue };
            let mut value = String::new();
            for (ord, count) in (0_u64..).zip(&column.counts).filter(|(_, count)| **count > 0) {
                // A value that cannot be read would be shown as nothing: it is left out.
                if values.ord_to_str(ord, &mut value).unwrap_or(false) {
                    of_facet.insert(value.clone(), *count);
                }
            }
        }
        counted
    }
}
