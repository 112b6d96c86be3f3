//! What goes wrong, as RFC 9457 problems: one name, one status, one page each.

use serde::{Deserialize, Serialize};

use crate::paths;

/// The names of problems. Each is a page at `/problems/NAME` that says what to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Name {
    /// 400: a request that cannot be read.
    BadRequest,
    /// 404: no such thing here (or not for this caller, which looks the same).
    NotFound,
    /// 405: another method is needed; `Allow` says which.
    MethodNotAllowed,
    /// 406: no form of it that the caller accepts.
    NotAcceptable,
    /// 409: the caller knows more entries than this node has. (`since` answers the note, as text.)
    Shorter,
    /// 409: another version came first, or the name is taken.
    Conflict,
    /// 410: the body was erased after a withdrawal, which comes with its proof.
    Erased,
    /// 413: longer than the limit.
    TooLong,
    /// 415: sent as a media type that is not read here.
    UnsupportedMediaType,
    /// 421: this host name is no node of this server.
    Misdirected,
    /// 422: understood, and refused: faults are listed.
    Refused,
    /// 403: only over the operator's socket.
    OperatorOnly,
    /// 403: signed by nobody who is known here.
    UnknownKey,
    /// 429: too many requests; `Retry-After` says when.
    TooManyRequests,
    /// 500: something here is broken.
    Internal,
    /// 502: another node did not answer as it should.
    PeerFailed,
    /// 503: the online keys are locked.
    Locked,
    /// 503: the feed is read-only.
    ReadOnly,
    /// 503: busy; `Retry-After` says when.
    Busy,
    /// 507: the disk is full, or the node may not write to it.
    NoRoom,
}

impl Name {
    /// All of them, in the order of their statuses.
    pub const ALL: [Self; 20] = [
        Self::BadRequest,
        Self::OperatorOnly,
        Self::UnknownKey,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::NotAcceptable,
        Self::Shorter,
        Self::Conflict,
        Self::Erased,
        Self::TooLong,
        Self::UnsupportedMediaType,
        Self::Misdirected,
        Self::Refused,
        Self::TooManyRequests,
        Self::Internal,
        Self::PeerFailed,
        Self::Locked,
        Self::ReadOnly,
        Self::Busy,
        Self::NoRoom,
    ];

    /// The last part of the problem's `type`.
    pub fn as_str(self) -> &'static str {
        self.row().0
    }

    /// The status it is answered with.
    pub fn status(self) -> u16 {
        self.row().1
    }

    /// A short sentence, the same for every occurrence.
    pub fn title(self) -> &'static str {
        self.row().2
    }

    /// Back from the last part of a `type`.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|problem| problem.as_str() == name)
    }

    fn row(self) -> (&'static str, u16, &'static str) {
        match self {
            Self::BadRequest => ("bad-request", 400, "the request cannot be read"),
            Self::OperatorOnly => ("operator-only", 403, "only the operator may do this"),
            Self::UnknownKey => ("unknown-key", 403, "this is signed by nobody who is known here"),
            Self::NotFound => ("not-found", 404, "there is no such thing here"),
            Self::MethodNotAllowed => ("method-not-allowed", 405, "this needs another method"),
            Self::NotAcceptable => ("not-acceptable", 406, "there is no such form of it"),
            Self::Shorter => ("shorter", 409, "the feed is shorter than that here"),
            Self::Conflict => ("conflict", 409, "something else came first"),
            Self::Erased => ("erased", 410, "the text was erased after a withdrawal"),
            Self::TooLong => ("too-long", 413, "this is longer than the limit"),
            Self::UnsupportedMediaType => {
                ("unsupported-media-type", 415, "this media type is not read here")
            }
            Self::Misdirected => ("misdirected", 421, "no node of this name answers here"),
            Self::Refused => ("refused", 422, "this was understood and refused"),
            Self::TooManyRequests => ("too-many-requests", 429, "too many requests"),
            Self::Internal => ("internal", 500, "something is broken here"),
            Self::PeerFailed => ("peer-failed", 502, "another node did not answer as it should"),
            Self::Locked => ("locked", 503, "the keys of this node are locked"),
            Self::NoRoom => ("no-room", 507, "there is no room to write"),
            Self::ReadOnly => ("read-only", 503, "nothing can be written at present"),
            Self::Busy => ("busy", 503, "busy at present"),
        }
    }
}

/// A problem as it travels, `application/problem+json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// A URI relative to the node: `/problems/NAME`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The same sentence for every occurrence of the type.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened here, why, and what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// Names this occurrence: the request id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instance: Option<String>,
    /// Seconds after which to try again, as in `Retry-After`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// The server's clock, in Unix seconds, where a clock may be the cause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_time: Option<u64>,
    /// The limit that was passed, in its own unit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// 410: the entry of the withdrawal.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub index: Option<u64>,
    /// 410: the text of that entry.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub withdrawal: Option<String>,
    /// 410: its `.tlog-proof`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proof: Option<String>,
}

impl Problem {
    /// A problem of this name with its title and status and nothing else.
    pub fn of(name: Name) -> Self {
        Self {
            kind: paths::problem(name.as_str()),
            title: name.title().to_owned(),
            status: name.status(),
            detail: None,
            instance: None,
            retry_after: None,
            server_time: None,
            limit: None,
            index: None,
            withdrawal: None,
            proof: None,
        }
    }

    /// Says what happened here.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Asks to come back after `seconds`.
    #[must_use]
    pub fn retry_after(mut self, seconds: u64) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// Names the limit that was passed.
    #[must_use]
    pub fn limit(mut self, limit: u64) -> Self {
        self.limit = Some(limit);
        self
    }

    /// The name, if it is one of ours.
    pub fn name(&self) -> Option<Name> {
        Name::parse(self.kind.rsplit('/').next()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_problem_has_a_name_of_its_own_and_comes_back_from_json() {
        let mut names: Vec<_> = Name::ALL.iter().map(|name| name.as_str()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), Name::ALL.len());
        for name in Name::ALL {
            let problem = Problem::of(name).detail("because").retry_after(3).limit(4);
            let text = serde_json::to_string(&problem).unwrap();
            let back: Problem = serde_json::from_str(&text).unwrap();
            assert_eq!(back, problem);
            assert_eq!(back.name(), Some(name));
        }
    }

    #[test]
    fn a_problem_has_no_empty_members_and_reads_those_of_others() {
        let text = serde_json::to_string(&Problem::of(Name::NotFound)).unwrap();
        assert_eq!(
            text,
            r#"{"type":"/problems/not-found","title":"there is no such thing here","status":404}"#
        );
        let other = r#"{"type":"about:blank","title":"Oh","status":404,"more":[1]}"#;
        assert_eq!(serde_json::from_str::<Problem>(other).unwrap().name(), None);
    }
}
