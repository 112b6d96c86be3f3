//! `GET /api/v1/search`: what was found.

use std::collections::BTreeMap;

use practice::id::RecordId;
use serde::{Deserialize, Serialize};
use tlog::name::Origin;

/// What was found, a page of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct SearchAnswer {
    /// How many records match.
    pub total: u64,
    /// This page of them.
    pub hits: Vec<SearchHit>,
    /// By the name of a filter as it stands in addresses: its values and how many records each would
    /// leave. What is chosen in a filter does not narrow its own counts.
    pub facets: BTreeMap<String, Vec<FacetCount>>,
    /// When nothing matches: how many would, if one filter were dropped.
    pub without: Vec<WithoutChoice>,
    /// The recommendation that the text names, if it names one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recommendation: Option<Recommendation>,
    /// The address of the next page, below that of the node; absent on the last one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
}

/// One record that matches.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SearchHit {
    /// The feed it is in.
    pub origin: Origin,
    /// The record.
    pub id: RecordId,
    /// The entry of the version that matches.
    pub index: u64,
    /// What kind of record it is.
    pub kind: String,
    /// The language in which it matches, BCP 47.
    pub language: String,
    /// Its title in that language.
    pub title: Vec<TextPart>,
    /// A passage of it in that language.
    pub excerpt: Vec<TextPart>,
    /// The States it is about, ISO 3166-1 alpha-2.
    pub states: Vec<String>,
    /// Whether it was withdrawn; then nothing of its text is here.
    pub withdrawn: bool,
    /// When it last changed, Unix seconds.
    pub changed: i64,
    /// Whether it says that it answers the recommendation that was searched for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub answers: bool,
    /// Its page.
    pub page: String,
    /// Its body with its proof of authorship, a Verifiable Credential; absent once it is withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The proof that its entry stands in the log; absent once it is withdrawn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<String>,
}

/// A part of a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextPart {
    /// The words.
    pub text: String,
    /// Whether they are what was searched for.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mark: bool,
}

/// A value of a filter.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FacetCount {
    /// Its code.
    pub value: String,
    /// Its name in the language of the reader.
    pub name: String,
    /// Records with it.
    pub count: u64,
}

/// A filter that could be dropped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WithoutChoice {
    /// The name of the filter.
    pub facet: String,
    /// Its value.
    pub value: String,
    /// Records that match without it.
    pub count: u64,
}

/// A recommendation of a human rights mechanism.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recommendation {
    /// The symbol of the document.
    pub symbol: String,
    /// The paragraph, as the document numbers it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub paragraph: Option<String>,
}
