//! Finding records: what readers ask of the search index, and what it answers.
//!
//! The index is a disposable view, as the catalog is: everything in it can be made again from the
//! facts. It shows nothing of a restricted feed that the caller did not name as [`Query::readable`];
//! who may read one is decided before, from the verified fold.

use std::collections::BTreeMap;

use async_trait::async_trait;
use practice::id::RecordId;
use tlog::name::Origin;

/// The index, as pages and commands use it. Synchronous: from a runtime, call it where blocking is allowed.
pub trait Search: Send + Sync {
    /// The records that match, one hit for each.
    ///
    /// # Errors
    /// When the query is over a limit, or the index failed.
    fn search(&self, query: &Query) -> Result<Hits, SearchError>;

    /// How far the index has come.
    fn progress(&self) -> Progress;
}

/// What keeps words of bodies beside the facts, and loses them before anybody is told that they are gone.
#[async_trait]
pub trait Forget: Send + Sync {
    /// Destroys everything taken from the bodies at `indices` of `origin`, on disk too, before it returns.
    ///
    /// # Errors
    /// When it could not be done: then no receipt may say that it was.
    async fn forget(&self, origin: &Origin, indices: &[u64]) -> Result<(), SearchError>;
}

/// What a reader looks for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query {
    /// Words, `"a phrase"`, `begin*`, `-without`, a document symbol with a paragraph, or a whole text that
    /// was pasted; empty: everything. At most [`Query::BYTES_MAX`] bytes.
    pub text: String,
    /// The language of the reader (BCP 47): hits in it stand first.
    pub reader: String,
    /// What was chosen: of one facet, any of its values; of different facets, each.
    pub facets: Vec<(Facet, String)>,
    /// The facets to count. What was chosen in a facet does not narrow the counts of that facet.
    pub count: Vec<Facet>,
    /// The order of the hits.
    pub order: Order,
    /// Hits to skip, at most [`Query::OFFSET_MAX`].
    pub offset: usize,
    /// Hits to give, at most [`Query::HITS_MAX`].
    pub limit: usize,
    /// Whether records that were withdrawn are among them.
    pub withdrawn: Withdrawn,
    /// Whether a record whose text was erased is found too by a filter that went with it, such as a topic or a
    /// State: for those who may show the record and must learn that it is gone.
    pub erased: bool,
    /// Only records that name this one, such as its attestations, its translations and what answers to it.
    /// Without it, and unless their kind is chosen, attestations and translations are not among the hits.
    pub mentions: Option<(Origin, RecordId)>,
    /// Restricted feeds the caller may read, besides all public ones. Pages name none.
    pub readable: Vec<Origin>,
}

impl Query {
    /// Bytes of the text: a long recommendation pasted whole has about 2,000 in Latin letters.
    pub const BYTES_MAX: usize = 4_096;
    /// Hits in one answer.
    pub const HITS_MAX: usize = 200;
    /// How far one can turn the pages; beyond it, facets find more.
    pub const OFFSET_MAX: usize = 10_000;
    /// Values chosen in all facets together.
    pub const CHOICES_MAX: usize = 64;
}

/// By what hits are told apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Facet {
    /// The kind of record.
    Kind,
    /// The States a record is about, by their codes.
    State,
    /// The UN regional groups of those States.
    Region,
    /// Whether one of those States is a small island developing State, a least developed or a landlocked
    /// developing country, at the date of publication.
    Situation,
    /// Capacities of a mechanism.
    Capacity,
    /// Topics.
    Topic,
    /// Themes.
    Theme,
    /// Affected persons.
    AffectedPersons,
    /// Sustainable Development Goals; a record under a target is under its goal too.
    Sdg,
    /// Human rights mechanisms.
    HumanRightsMechanism,
    /// The languages in which the record has a text.
    Language,
    /// The year in which what it describes began; without one, the year in which it was published.
    Year,
    /// Who says so: the basis.
    Says,
    /// The feed, as `NODE/FEED`.
    Feed,
    /// The node that published it.
    Node,
    /// A group of a network, as `NODE/ID`: the records of its members.
    Group,
}

impl Facet {
    /// Every facet, in the order of a page.
    pub const ALL: [Self; 16] = [
        Self::Kind,
        Self::State,
        Self::Region,
        Self::Situation,
        Self::Capacity,
        Self::Topic,
        Self::Theme,
        Self::AffectedPersons,
        Self::Sdg,
        Self::HumanRightsMechanism,
        Self::Language,
        Self::Year,
        Self::Says,
        Self::Feed,
        Self::Node,
        Self::Group,
    ];

    /// Its name in addresses.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kind => "kind",
            Self::State => "state",
            Self::Region => "region",
            Self::Situation => "situation",
            Self::Capacity => "capacity",
            Self::Topic => "topic",
            Self::Theme => "theme",
            Self::AffectedPersons => "persons",
            Self::Sdg => "sdg",
            Self::HumanRightsMechanism => "mechanism",
            Self::Language => "language",
            Self::Year => "year",
            Self::Says => "says",
            Self::Feed => "feed",
            Self::Node => "node",
            Self::Group => "group",
        }
    }

    /// The facet of that name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|facet| facet.as_str() == name)
    }
}

/// The order of hits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Order {
    /// Those in the reader's language first, then by how well the words fit; without words, the newest first.
    #[default]
    Relevance,
    /// What was published or withdrawn last stands first.
    Newest,
}

/// Whether withdrawn records are found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Withdrawn {
    /// No.
    #[default]
    Without,
    /// With the others.
    With,
    /// Nothing else.
    Only,
}

/// The answer.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Hits {
    /// Records that match.
    pub total: usize,
    /// Those of this page.
    pub hits: Vec<Hit>,
    /// How many records have each value, for the facets asked for: most first, then by value.
    pub counts: BTreeMap<Facet, Vec<(String, usize)>>,
    /// When nothing was found: for each value chosen, how many there were without it; only where that helps.
    pub without: Vec<(Facet, String, usize)>,
}

/// A record that was found.
#[derive(Clone, Debug, PartialEq)]
pub struct Hit {
    /// Its feed.
    pub origin: Origin,
    /// The entry of its current version, or of its withdrawal.
    pub index: u64,
    /// The record.
    pub id: RecordId,
    /// The language of title and excerpt, which is that of the words found; empty if there is no text.
    pub language: String,
    /// The title, empty for a withdrawn record.
    pub title: Vec<Part>,
    /// The passage where the words stand.
    pub excerpt: Vec<Part>,
    /// The States it is about, by their codes: those it names, else its issuer's.
    pub states: Vec<String>,
    /// Whether it was withdrawn.
    pub withdrawn: bool,
    /// When its statement says it was published or withdrawn, in Unix seconds; never in the future.
    pub changed: i64,
    /// How well it fits, for the order only: it means nothing from one query to another.
    pub score: f32,
}

/// A piece of a title or an excerpt. It is text, not markup.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Part {
    /// As it is.
    Plain(String),
    /// What the reader looked for.
    Marked(String),
}

impl Part {
    /// The words, marked or not.
    pub fn text(&self) -> &str {
        match self {
            Self::Plain(text) | Self::Marked(text) => text,
        }
    }
}

/// How far the index has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// The last change of the catalog that can be found.
    pub sequence: u64,
    /// The last change of the catalog.
    pub of: u64,
}

/// Why the index did not answer.
#[derive(Debug, thiserror::Error)]
pub enum SearchError {
    /// Over a limit of [`Query`].
    #[error(
        "the search is too long: {what} is {given}, at most {most}; search with fewer words or filters"
    )]
    TooLong {
        /// What of it.
        what: &'static str,
        /// How much was given.
        given: usize,
        /// How much is taken.
        most: usize,
    },
    /// The index failed.
    #[error(
        "the search index failed: {reason}; it holds nothing that is not in the facts: `jopoi rebuild` makes it anew"
    )]
    Index {
        /// In words.
        reason: String,
    },
}
