//! What an index document holds: one for each record, with its texts in one pair of fields for each language.
//!
//! Records in other languages than the seven of the interface share a pair of fields, whose analyser knows
//! no language. Every facet is a field of codes that can be filtered by and counted.

use feed::search::Facet;
use practice::language::{INTERFACE, primary};
use tantivy::schema::{
    BytesOptions, FAST, Field, INDEXED, IndexRecordOption, NumericOptions, STRING, Schema,
    SchemaBuilder, TextFieldIndexing, TextOptions,
};

/// The form of the index and of its analysers: another number makes every node build its index anew, so it
/// is raised with every change of a field, of what is put in one, or of [`analyse`](crate::analyse).
pub(crate) const VERSION: u32 = 5;

/// The language of what is in none of the seven.
pub(crate) const OTHER: &str = "und";

/// The kinds that speak of other records: found when asked for, else in the way of what they speak of.
pub(crate) const ABOUT_OTHERS: [&str; 2] = ["attestation", "translation"];

/// The fields, by what they are for.
#[derive(Clone, Debug)]
pub(crate) struct Fields {
    pub(crate) schema: Schema,
    /// `ORIGIN ID`: the record, to replace its document.
    pub(crate) record: Field,
    /// `ORIGIN INDEX`: each entry of whose body something is kept here, to forget it.
    pub(crate) entry: Field,
    /// `public` or `restricted`.
    pub(crate) audience: Field,
    /// `current` or `withdrawn`; of a withdrawn record without a text also `erased`.
    pub(crate) standing: Field,
    /// `ORIGIN ID` of each record it names.
    pub(crate) mentions: Field,
    /// Symbols of documents, alone and as `SYMBOL#PARAGRAPH`.
    pub(crate) symbol: Field,
    /// Unix seconds.
    pub(crate) changed: Field,
    /// What a result line shows.
    pub(crate) stored: Field,
    facets: Vec<(Facet, Field)>,
    texts: Vec<TextFields>,
}

/// The two fields of one language.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TextFields {
    /// One of the seven, or [`OTHER`].
    pub(crate) language: &'static str,
    pub(crate) title: Field,
    pub(crate) text: Field,
}

/// The name of the field a fast column is read by.
pub(crate) const CHANGED: &str = "changed";

impl Fields {
    /// The schema.
    pub(crate) fn new() -> Self {
        let mut builder = Schema::builder();
        let record = builder.add_text_field("record", STRING);
        let entry = builder.add_text_field("entry", STRING);
        let audience = builder.add_text_field("audience", STRING);
        let standing = builder.add_text_field("standing", STRING);
        let mentions = builder.add_text_field("mentions", STRING);
        let symbol = builder.add_text_field("symbol", STRING);
        let changed = builder.add_i64_field(CHANGED, NumericOptions::from(FAST | INDEXED));
        let stored = builder.add_bytes_field("stored", BytesOptions::default().set_stored());
        let facets =
            Facet::ALL.map(|facet| (facet, builder.add_text_field(&column(facet), STRING | FAST)));
        let texts = INTERFACE.into_iter().chain([OTHER]).map(|language| TextFields {
            language,
            title: text_field(&mut builder, "title", language),
            text: text_field(&mut builder, "text", language),
        });
        let texts = texts.collect();
        Self {
            record,
            entry,
            audience,
            standing,
            mentions,
            symbol,
            changed,
            stored,
            facets: facets.to_vec(),
            texts,
            schema: builder.build(),
        }
    }

    /// The field of a facet. Groups have none: they are told by the nodes in them.
    pub(crate) fn facet(&self, facet: Facet) -> Field {
        let found = self.facets.iter().find(|(known, _)| *known == facet);
        found.map_or(self.record, |(_, field)| *field)
    }

    /// The fields of every language.
    pub(crate) fn texts(&self) -> &[TextFields] {
        &self.texts
    }

    /// The fields a text of this language stands in.
    pub(crate) fn text_of(&self, tag: &str) -> Option<TextFields> {
        let language = analyser(tag);
        self.texts.iter().copied().find(|fields| fields.language == language)
    }
}

/// The language whose analyser serves a text of this language.
pub(crate) fn analyser(tag: &str) -> &'static str {
    let of = primary(tag);
    INTERFACE.into_iter().find(|known| *known == of).unwrap_or(OTHER)
}

/// The name of the column of a facet.
pub(crate) fn column(facet: Facet) -> String {
    format!("facet_{}", facet.as_str())
}

fn text_field(builder: &mut SchemaBuilder, name: &str, language: &str) -> Field {
    let indexing = TextFieldIndexing::default()
        .set_tokenizer(language)
        .set_index_option(IndexRecordOption::WithFreqsAndPositions);
    builder.add_text_field(
        &format!("{name}_{language}"),
        TextOptions::default().set_indexing_options(indexing),
    )
}
