//! What an operator reads of the guard: what happened, why nothing is signed, what to run.

use std::fmt::Display;

use tlog::name::Origin;

const RESTORE: &str =
    "stop the other server if there is one, then run `jopoi restore --from-network`";

pub(super) fn behind(origin: &Origin, here: u64, shown: u64) -> String {
    format!(
        "{shown} entries of `{origin}` were shown to others and {here} are here: this looks like an older copy; \
         nothing is signed until the newer one is restored: {RESTORE}; if nobody has them any more, \
         `jopoi restore --accept-loss` goes on without them and needs the root key"
    )
}

pub(super) fn others_shown(size: u64) -> String {
    format!(
        "the {size} entries here are not those that were shown to others; nothing is signed until that is \
         cleared up: put the directory back that was in use last, or go on with `jopoi restore --accept-loss`"
    )
}

pub(super) fn copied() -> String {
    "this directory was restored or copied from elsewhere".to_owned()
}

pub(super) fn no_mark(error: &dyn Display) -> String {
    format!("{error}; that file tells which size was shown to others, and it cannot be read")
}

pub(super) fn not_surely_written(error: &dyn Display) -> String {
    format!(
        "{error}; what was shown before is shown still, and nothing more is signed until the node is started again: look \
         at the disk first, then restart"
    )
}

pub(super) fn claimed(from: &str, here: u64, there: u64) -> String {
    format!(
        "the witness `{from}` says that it cosigned {there} entries of this feed, and {here} are here: perhaps a second \
         server runs with the same keys; a witness that is wrong is taken out of `witnesses` in the configuration"
    )
}

pub(super) fn waiting(why: &str, asked: usize, answers: usize, needed: usize) -> String {
    let whom = match asked {
        0 => "nobody is known who holds a copy of this feed".to_owned(),
        _ => format!(
            "of the {asked} nodes that cosigned it last {answers} have said what they hold, and {needed} must"
        ),
    };
    format!(
        "{why}, and {whom}; nothing is signed until then: see that they can be reached (`jopoi probe`); cut off for \
         good, `jopoi restore --accept-loss` goes on and needs the root key"
    )
}

pub(super) fn more(origin: &Origin, from: &str, here: u64, there: u64) -> String {
    format!(
        "{from} holds {there} entries of `{origin}` signed with this node's own key, and {here} are here: this is an \
         older copy, or a second server runs with the same keys; nothing is signed here: {RESTORE}"
    )
}

pub(super) fn other(origin: &Origin, from: &str, size: u64) -> String {
    format!(
        "{from} holds {size} entries of `{origin}` signed with this node's own key that are not the ones here: two \
         servers have published with the same keys; nothing is signed here: stop one of them for good, then run \
         `jopoi restore --accept-loss` on the other, which needs the root key"
    )
}

pub(super) fn forked(origin: &Origin) -> String {
    format!(
        "two versions of `{origin}` were signed with this node's own keys, and the evidence is kept; nothing is \
         signed here: `jopoi restore --accept-loss` goes on in a continuation and needs the root key"
    )
}
