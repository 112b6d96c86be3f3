//! What goes wrong, and the status it is answered with: one `match`, [`Answer::problem`].
//!
//! A handler returns an [`Answer`]; it travels as a [`Problem`] in the extensions of the response until
//! [`around`](crate::around) knows the request and writes it, as JSON for programs or as a page for people.

use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use feed::feeds::{FollowError, PublishError, ReadError, RefusedCheckpoint, RefusedCosignature};
use feed::ports::{CatalogError, CommitError, StoreError};
use feed::search::SearchError;
use http::header::RETRY_AFTER;
use http::{HeaderValue, StatusCode};
use wire::problem::{Name, Problem};

use crate::app::PeersError;
use crate::upkeep::UpkeepError;

/// After how long to come back when too many readers wait for news already.
const BUSY_SECONDS: u64 = 5;

/// After how long a node that asked too often may go on: some of its nonces have ended by then.
const TOO_OFTEN_SECONDS: u64 = 60;

/// After how long a node asks again whether its share of a day is free.
const TOMORROW_SECONDS: u64 = 3_600;

/// After how long to come back while the index is being made.
const INDEX_SECONDS: u64 = 30;

/// Why a request is not answered with what it asks for.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Answer {
    /// Not here, or not for this caller.
    #[error("there is no {what} here")]
    NotFound { what: String },
    /// A part of the request that cannot be read.
    #[error("{reason}")]
    BadRequest { reason: String },
    /// A method this address does not take.
    #[error("this address takes other methods; the header Allow names them")]
    MethodNotAllowed,
    /// A route of the operator, asked for in public.
    #[error("only the operator may do this, over the control socket of the node")]
    OperatorOnly,
    /// A push by somebody who is not known here.
    #[error(
        "bundles are taken from known nodes that sign their requests; `/whoami` says what is wrong with yours"
    )]
    UnknownCaller,
    /// A request body that is not JSON.
    #[error("the body of this request must be JSON, with `Content-Type: application/json`")]
    NotJson,
    /// A request body over its limit.
    #[error("the body of this request is longer than {limit} bytes")]
    TooLong { limit: usize },
    /// The body is gone, and here is why.
    #[error(
        "the text was erased: entry {index} withdraws it, as `withdrawal` says and `proof` shows"
    )]
    Erased { index: u64, withdrawal: String, proof: String },
    /// No room for another waiting reader.
    #[error(
        "too many readers are waiting for news; try again in {BUSY_SECONDS} s, or without a wait"
    )]
    Busy,
    /// Too many bytes are on their way already.
    #[error("this node answers too much at once; try again in {BUSY_SECONDS} s")]
    NoRoom,
    /// A node that signs more requests than are kept in mind.
    #[error("this node asks too often; it may go on after {TOO_OFTEN_SECONDS} s")]
    TooOften,
    /// Another bundle is being taken.
    #[error("this node takes other bundles at present; try again in {BUSY_SECONDS} s")]
    Taking,
    /// A node that pushes more than its share.
    #[error(
        "this node took {limit} bytes of yours today; it goes on tomorrow, and a longer feed travels as a file (`jopoi bundle export`)"
    )]
    PushedTooMuch { limit: u64 },
    /// A host name that is no node of this server.
    #[error("no node of this server has the name in the header Host")]
    Misdirected,
    /// A search before the index is there.
    #[error("the index for searching is being made; try again in {INDEX_SECONDS} s")]
    NoIndex,
    /// A search failed.
    #[error(transparent)]
    Search(#[from] SearchError),
    /// A handler did not end.
    #[error("the answer was not ready after {seconds} s")]
    TookTooLong { seconds: u64 },
    /// Reading failed.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Publishing failed.
    #[error(transparent)]
    Publish(#[from] PublishError),
    /// A cosignature was not taken.
    #[error(transparent)]
    Cosignature(#[from] RefusedCosignature),
    /// A checkpoint was not cosigned.
    #[error(transparent)]
    Checkpoint(#[from] RefusedCheckpoint),
    /// Following failed.
    #[error(transparent)]
    Follow(#[from] FollowError),
    /// Nothing was decided about two versions of a feed.
    #[error(transparent)]
    Settle(#[from] feed::feeds::SettleError),
    /// What the node does with its peers failed.
    #[error(transparent)]
    Peers(#[from] PeersError),
    /// Keys, dates or health failed.
    #[error(transparent)]
    Upkeep(#[from] UpkeepError),
    /// The catalog failed.
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    /// The catalog could not be made anew.
    #[error(transparent)]
    Rebuild(#[from] feed::feeds::OpenError),
    /// Work beside the runtime's threads did not end.
    #[error("the work for this answer was stopped")]
    Stopped(#[from] tokio::task::JoinError),
    /// An answer could not be made whole.
    #[error("this answer broke off")]
    Cut(#[source] axum::Error),
    /// A page could not be rendered.
    #[error("this page cannot be shown")]
    Page(#[from] askama::Error),
}

/// Judging what somebody gave us failed here.
impl From<feed::feeds::SyncError> for Answer {
    fn from(error: feed::feeds::SyncError) -> Self {
        use feed::feeds::{ReadError, SyncError};
        match error {
            SyncError::Store(error) => Self::Read(ReadError::Store(error)),
            SyncError::Catalog(error) => Self::Catalog(error),
            other => Self::BadRequest { reason: other.to_string() },
        }
    }
}

impl Answer {
    /// Nothing of that name here.
    pub(crate) fn not_found(what: impl Into<String>) -> Self {
        Self::NotFound { what: what.into() }
    }

    /// A request that cannot be read.
    pub(crate) fn bad(reason: impl Into<String>) -> Self {
        Self::BadRequest { reason: reason.into() }
    }

    /// The problem it is: the only place that chooses a status.
    fn problem(self) -> Problem {
        let problem = Problem::of(self.name());
        let words = self.words();
        match self {
            Self::TooLong { limit } => {
                problem.detail(words).limit(u64::try_from(limit).unwrap_or(u64::MAX))
            }
            Self::Erased { index, withdrawal, proof } => Problem {
                index: Some(index),
                withdrawal: Some(withdrawal),
                proof: Some(proof),
                ..problem.detail(words)
            },
            Self::Busy | Self::NoRoom | Self::Taking => {
                problem.detail(words).retry_after(BUSY_SECONDS)
            }
            Self::PushedTooMuch { .. } => problem.detail(words).retry_after(TOMORROW_SECONDS),
            Self::TookTooLong { .. } => problem.detail(words).retry_after(BUSY_SECONDS),
            Self::NoIndex => problem.detail(words).retry_after(INDEX_SECONDS),
            Self::TooOften => problem.detail(words).retry_after(TOO_OFTEN_SECONDS),
            _ => problem.detail(words),
        }
    }

    fn name(&self) -> Name {
        match self {
            Self::NotFound { .. } => Name::NotFound,
            Self::BadRequest { .. } => Name::BadRequest,
            Self::MethodNotAllowed => Name::MethodNotAllowed,
            Self::UnknownCaller => Name::UnknownKey,
            Self::OperatorOnly => Name::OperatorOnly,
            Self::NotJson => Name::UnsupportedMediaType,
            Self::TooLong { .. } => Name::TooLong,
            Self::Erased { .. } => Name::Erased,
            Self::Busy | Self::NoRoom | Self::Taking | Self::TookTooLong { .. } | Self::NoIndex => {
                Name::Busy
            }
            Self::Search(SearchError::TooLong { .. }) => Name::BadRequest,
            Self::Search(SearchError::Index { .. }) => Name::Internal,
            Self::TooOften | Self::PushedTooMuch { .. } => Name::TooManyRequests,
            Self::Misdirected => Name::Misdirected,
            Self::Read(error) => read(error),
            Self::Publish(error) => publish(error),
            Self::Cosignature(error) => cosignature(error),
            Self::Checkpoint(error) => checkpoint(error),
            Self::Settle(error) => settle(error),
            Self::Follow(error) => follow(error),
            Self::Peers(error) => peers(error),
            Self::Upkeep(UpkeepError::Refused { .. }) => Name::Refused,
            Self::Upkeep(UpkeepError::Internal { .. }) => Name::Internal,
            Self::Catalog(_) | Self::Rebuild(_) | Self::Page(_) => Name::Internal,
            Self::Stopped(_) | Self::Cut(_) => Name::Internal,
        }
    }

    /// What happened, for the caller. What broke inside is not told to strangers.
    fn words(&self) -> String {
        match self.name() {
            Name::Internal => {
                "something failed here; the log of this node has the reason".to_owned()
            }
            _ => self.to_string(),
        }
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let cause = (self.name() == Name::Internal).then(|| Cause(chain(&self)));
        let mut response = bare(self.problem());
        if let Some(cause) = cause {
            response.extensions_mut().insert(cause);
        }
        response
    }
}

/// What broke inside: for the log, and for the operator.
#[derive(Clone, Debug)]
pub(crate) struct Cause(pub(crate) String);

/// A problem on its way out: its status, and itself in the extensions.
pub(crate) fn bare(problem: Problem) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() =
        StatusCode::from_u16(problem.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if let Some(seconds) = problem.retry_after {
        response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
    }
    response.extensions_mut().insert(problem);
    response
}

/// What the server answers when the router did not.
pub(crate) fn took_too_long(patience: Duration) -> Response {
    let problem = Answer::TookTooLong { seconds: patience.as_secs() }.problem();
    crate::around::as_json(bare(problem))
}

fn chain(error: &dyn std::error::Error) -> String {
    let mut words = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        words = format!("{words}: {cause}");
        source = cause.source();
    }
    words
}

fn read(error: &ReadError) -> Name {
    match error {
        ReadError::UnknownFeed { .. }
        | ReadError::Beyond { .. }
        | ReadError::NotSealed { .. }
        | ReadError::NotFound { .. } => Name::NotFound,
        ReadError::Damaged { .. } | ReadError::Store(_) | ReadError::Catalog(_) => Name::Internal,
    }
}

fn store(error: &StoreError) -> Name {
    match error {
        StoreError::Full { .. } | StoreError::Reserved { .. } => Name::NoRoom,
        StoreError::Poisoned { .. } => Name::ReadOnly,
        StoreError::Io { .. } | StoreError::Refused { .. } => Name::Internal,
    }
}

fn publish(error: &PublishError) -> Name {
    match error {
        PublishError::NotBegun { .. } | PublishError::NoSuchRecord { .. } => Name::NotFound,
        PublishError::BegunAlready { .. } | PublishError::Changed { .. } => Name::Conflict,
        PublishError::ReadOnly { .. } => Name::ReadOnly,
        PublishError::Commit(shared) => publish(shared),
        PublishError::KeysChanged { .. } => Name::Conflict,
        PublishError::NodeRecord { .. } => Name::Refused,
        PublishError::Count { .. }
        | PublishError::Nothing
        | PublishError::TooMuch { .. }
        | PublishError::Statement { .. }
        | PublishError::TrustIsNotErased { .. }
        | PublishError::Body { .. }
        | PublishError::TooLong(_)
        | PublishError::Block(_) => Name::Refused,
        PublishError::Locked(_) => Name::Locked,
        PublishError::Store(error) | PublishError::StoredNotShown { source: error } => store(error),
        PublishError::NotCommitted(CommitError::Refused(error)) => store(error),
        PublishError::NotCommitted(CommitError::Conflict { .. }) => Name::Busy,
        PublishError::NotCommitted(CommitError::Unknown { .. }) => Name::ReadOnly,
        PublishError::Interrupted => Name::Busy,
        PublishError::Append(_) | PublishError::Catalog(_) | PublishError::Settle(_) => {
            Name::Internal
        }
    }
}

fn cosignature(error: &RefusedCosignature) -> Name {
    match error {
        RefusedCosignature::Unreadable(_)
        | RefusedCosignature::OtherFeed { .. }
        | RefusedCosignature::Ahead { .. } => Name::BadRequest,
        RefusedCosignature::UnknownFeed { .. } => Name::NotFound,
        RefusedCosignature::UnknownKey { .. }
        | RefusedCosignature::False { .. }
        | RefusedCosignature::NotOfLog { .. } => Name::UnknownKey,
        RefusedCosignature::Larger { .. } => Name::Shorter,
        RefusedCosignature::NotNewer { .. } => Name::Conflict,
        RefusedCosignature::OtherRoot { .. } => Name::Refused,
        RefusedCosignature::Store(error) => store(error),
    }
}

fn checkpoint(error: &RefusedCheckpoint) -> Name {
    match error {
        RefusedCheckpoint::Malformed { .. } | RefusedCheckpoint::Checkpoint(_) => Name::BadRequest,
        RefusedCheckpoint::UnknownLog { .. } => Name::NotFound,
        RefusedCheckpoint::NotSigned => Name::UnknownKey,
        RefusedCheckpoint::Conflict { .. } => Name::Conflict,
        RefusedCheckpoint::Proof | RefusedCheckpoint::Contradicts => Name::Refused,
        RefusedCheckpoint::Restored => Name::ReadOnly,
        RefusedCheckpoint::Locked(_) => Name::Locked,
        RefusedCheckpoint::Store(error) => store(error),
        RefusedCheckpoint::Line(_) => Name::Internal,
    }
}

fn settle(error: &feed::feeds::SettleError) -> Name {
    use feed::feeds::SettleError;
    match error {
        SettleError::Own { .. } => Name::Refused,
        SettleError::NoFault { .. } => Name::NotFound,
        SettleError::Store(error) => store(error),
        SettleError::Follow(error) => follow(error),
    }
}

fn follow(error: &FollowError) -> Name {
    match error {
        FollowError::Ourselves => Name::Refused,
        FollowError::AnotherRoot { .. } | FollowError::AnotherNetwork { .. } => Name::Conflict,
        FollowError::NotVouched { .. } => Name::Refused,
        FollowError::Open(_) => Name::Internal,
        FollowError::NotFollowed { .. } => Name::NotFound,
        FollowError::Store(error) => store(error),
        FollowError::Unwritable { .. } | FollowError::Catalog(_) => Name::Internal,
    }
}

fn peers(error: &PeersError) -> Name {
    match error {
        PeersError::NotFollowed { .. } => Name::NotFound,
        PeersError::Refused { .. } => Name::Refused,
        PeersError::Conflict { .. } => Name::Conflict,
        PeersError::Unreachable { .. } => Name::PeerFailed,
        PeersError::Internal { .. } => Name::Internal,
    }
}
