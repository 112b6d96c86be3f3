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

/// The counts in one segment, where a value is a number.
pub(crate) struct InSegment(Vec<Column>);

struct Column {
    facet: Facet,
    values: Option<StrColumn>,
    counts: Vec<usize>,
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
        columns.collect::<tantivy::Result<_>>().map(InSegment)
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
        for column in &mut self.0 {
            let Some(values) = &column.values else { continue };
            for value in values.term_ords(doc) {
                let place =
                    usize::try_from(value).ok().and_then(|place| column.counts.get_mut(place));
                if let Some(count) = place {
                    *count += 1;
                }
            }
        }
    }

    fn harvest(self) -> Counted {
        let mut counted = Counted::new();
        for column in self.0 {
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
