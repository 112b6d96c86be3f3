//! The table itself: every field once, then every kind.

use super::Shape::{
    Any, ByLanguage, Code, Codes, Date, Flag, Integer, Items, Language, Languages, Object, Period,
    Plain, Plains, Text, Url, Word,
};
use super::{Field, KindRow, Shape};
use crate::kind::Kind;

const fn may(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, required: false }
}

const fn must(name: &'static str, shape: Shape) -> Field {
    Field { name, shape, required: true }
}

/// The fields of [`Shape::Period`].
pub(super) const PERIOD: &[Field] = &[must("from", Date), may("to", Date)];

/// A list of texts.
const TEXTS: Shape = Items(&[must("text", Text)]);
/// A record, in one version where it is named.
const RECORD: &[Field] =
    &[must("feed", Plain), must("id", Plain), may("version", Integer), may("body", Plain)];
const DOCUMENTS: Shape = Items(&[must("title", Plain), may("url", Url), may("date", Date)]);
const ACTIVITIES: Shape = Items(&[must("text", Text), may("date", Date), may("place", Text)]);
const TOOLS: Shape = Items(&[must("text", Text), may("url", Url)]);
/// Many a description of who takes part names no sector; a form asks for it, and prose stands without one.
const COMPOSITION: Shape =
    Items(&[may("sector", Code("stakeholders")), may("text", Text), may("count", Integer)]);
/// States or organizations, each with its role.
const PARTICIPANTS: Shape = Items(&[
    may("state", Code("states")),
    may("organization", Text),
    may("node", Plain),
    may("role", Code("cooperation-roles")),
]);
const DECISION: Shape = Object(&[
    must("deciding_body", Text),
    may("date", Date),
    may("document", Plain),
    may("url", Url),
]);

/// Every field that can stand at the top of a record.
///
/// Names that the contexts of Verifiable Credentials define otherwise (`type`, `name`, `description`,
/// `evidence`, `created` …) do not stand here, for a generic tool would refuse the whole document.
pub(super) const FIELDS: &[Field] = &[
    // Every content kind.
    must("title", Text),
    must("summary", Text),
    must("language", Language),
    must("basis", Code("bases")),
    must("reuse", Code("reuse-licences")),
    may("states", Codes("states")),
    may("owner_body", Object(&[must("name", Text), may("level", Code("owner-levels"))])),
    may(
        "joint_with",
        Items(&[must("name", Text), may("state", Code("states")), may("node", Plain)]),
    ),
    may("contact", Object(&[may("unit", Text), may("email", Plain), may("url", Url)])),
    may("context", Text),
    may("actions", ACTIVITIES),
    may(
        "results",
        Items(&[
            must("text", Text),
            may("indicator", Text),
            may("value", Plain),
            may("date", Date),
            may("documents", DOCUMENTS),
        ]),
    ),
    may("lessons", TEXTS),
    may("period", Period),
    may("topics", Codes("practice-topics")),
    may("capacities", Codes("capacities")),
    may("themes", Codes("themes")),
    may("sdgs", Codes("sdgs")),
    may("affected_persons", Codes("affected-persons")),
    may("stakeholders", Codes("stakeholders")),
    may("human_rights_mechanisms", Codes("human-rights-mechanisms")),
    may("modality", Code("cooperation-modalities")),
    may("format", Codes("cooperation-formats")),
    may(
        "sources",
        Items(&[must("title", Plain), may("url", Url), may("date", Date), may("symbol", Plain)]),
    ),
    may(
        "links",
        Items(&[
            must("relation", Word(&["derived-from", "adapts", "responds-to", "see-also"])),
            may("title", Plain),
            may("feed", Plain),
            may("id", Plain),
            may("version", Integer),
            may("url", Url),
        ]),
    ),
    may(
        "attachments",
        Items(&[
            must("title", Text),
            may("language", Language),
            must("media_type", Plain),
            must("size", Integer),
            must("sha256", Plain),
            may("date", Date),
            may("licence", Code("reuse-licences")),
        ]),
    ),
    may("reported_by", Object(&[must("name", Plain), may("level", Code("owner-levels"))])),
    may("retrieved", Plain),
    may("reviewed", Date),
    may("local_id", Plain),
    may(
        "translations",
        ByLanguage(&[
            must("made_by", Word(MADE_BY)),
            may("reviewed_by_person", Flag),
            may("of_version", Integer),
        ]),
    ),
    // Practices and lessons.
    may("objective", Text),
    may("success_factors", TEXTS),
    may("constraints", TEXTS),
    may("replicability", Text),
    may("sustainability", Text),
    may(
        "recommendations",
        Items(&[
            must("symbol", Plain),
            may("paragraph", Plain),
            may("document_type", Code("recommendation-document-types")),
        ]),
    ),
    may("plans", TOOLS),
    may("resources", Text),
    may("validation", Text),
    may("what_happened", Text),
    may("advice", Text),
    // Mechanism profiles.
    may("official_name", Text),
    may("short_name", Text),
    may("mechanism_type", Code("mechanism-types")),
    may("mechanism_status", Code("mechanism-statuses")),
    may(
        "legal_bases",
        Items(&[
            must("text", Text),
            may("legal_basis", Code("legal-bases")),
            may("date", Date),
            may("url", Url),
        ]),
    ),
    may("established", Date),
    may("lead_institution", Text),
    may("composition", COMPOSITION),
    may("observers", COMPOSITION),
    may("focal_points", Object(&[may("count", Integer), may("text", Text)])),
    may("secretariat", Text),
    may("methods_of_work", TEXTS),
    may("mandate", Text),
    may("tools", TOOLS),
    may("challenges", TEXTS),
    may("designated_contact", Flag),
    // Resources and events.
    may(
        "resource_type",
        Word(&["guidance", "decree", "form", "training-material", "declaration", "other"]),
    ),
    may("date", Date),
    may("link", Url),
    may(
        "event_type",
        Word(&[
            "conference",
            "meeting",
            "seminar",
            "workshop",
            "training",
            "study-visit",
            "side-event",
            "other",
        ]),
    ),
    may("organizers", TEXTS),
    may("from", Date),
    may("to", Date),
    may("place", Text),
    may("online", Flag),
    may("outcomes", TEXTS),
    may("practices_shared", Items(RECORD)),
    // Exchanges.
    may("validity", Period),
    may("languages", Languages),
    may("regions", Codes("regional-groups")),
    may("addressed_to", Codes("states")),
    may("based_on", Items(RECORD)),
    may("funding", Text),
    may("supporter", Text),
    may("participants", PARTICIPANTS),
    may("objectives", TEXTS),
    may("may_be_published", TEXTS),
    may("offer", Object(RECORD)),
    may("request", Object(RECORD)),
    may("activities", ACTIVITIES),
    may("instrument", Text),
    may("arrangement", Object(RECORD)),
    may("consents_to_publish", PARTICIPANTS),
    may("participants_by_institution", Items(&[must("institution", Text), must("count", Integer)])),
    may("follow_up", Text),
    // Attestations and translations.
    may("about", Object(RECORD)),
    may("relation", Code("attestation-relations")),
    may("note", Text),
    may("target_language", Language),
    may("text", Any),
    may("made_by", Word(MADE_BY)),
    // Trust (design 4.5 and 6); these are checked where they are folded.
    may("node", Plain),
    may("names", Text),
    may("state", Plain),
    may("organization", Text),
    may("root", Plain),
    may("recovery", Plain),
    may("keys", Any),
    may("feeds", Plains),
    may("networks", Plains),
    may("urls", Plains),
    may("continues", Any),
    may("revoked", Any),
    may("feed", Plain),
    may("audience", Any),
    may("network", Plain),
    may("node_record", Any),
    may("succeeds", Plain),
    may("reinstated", Flag),
    may("succession", Any),
    may("status", Code("participation-statuses")),
    may("status_reason", Code("participation-reasons")),
    may("members", Plains),
    may("committee", Items(&[must("node", Plain), must("root", Plain)])),
    may("threshold", Integer),
    may("witnesses", Plains),
    may("quorum", Integer),
    may("decision", DECISION),
    may("reason", Text),
    may("fault_evidence", Any),
];

const MADE_BY: &[&str] = &["person", "machine"];

/// What a content record begins with, and cannot do without.
pub(super) const COMMON_FIRST: &[&str] = &["title", "summary"];

/// What any content record may have, in the order of a page.
pub(super) const COMMON: &[&str] = &[
    "states",
    "owner_body",
    "joint_with",
    "context",
    "actions",
    "results",
    "lessons",
    "period",
    "topics",
    "capacities",
    "themes",
    "sdgs",
    "affected_persons",
    "stakeholders",
    "human_rights_mechanisms",
    "modality",
    "format",
    "links",
    "attachments",
    "sources",
    "reported_by",
    "retrieved",
    "contact",
    "reviewed",
    "translations",
    "local_id",
];

/// What a content record ends with, and cannot do without.
pub(super) const COMMON_LAST: &[&str] = &["language", "basis", "reuse"];

const fn content(
    kind: Kind,
    required: &'static [&'static str],
    asked: &'static [&'static str],
) -> KindRow {
    KindRow { kind, common: true, required, asked }
}

const fn bare(
    kind: Kind,
    required: &'static [&'static str],
    asked: &'static [&'static str],
) -> KindRow {
    KindRow { kind, common: false, required, asked }
}

#[rustfmt::skip]
const EXCHANGE_ASKED: &[&str] = &[
    "validity", "capacities", "languages", "modality", "format", "regions", "addressed_to", "based_on", "funding",
    "supporter",
];

/// Every kind of design 5 with what it requires beyond the common fields and what it asks for.
#[rustfmt::skip]
pub(super) const KINDS: &[KindRow] = &[
    content(Kind::MECHANISM_PROFILE, &[], &[
        "official_name", "short_name", "mechanism_type", "mechanism_status", "legal_bases", "established",
        "lead_institution", "composition", "observers", "focal_points", "secretariat", "methods_of_work", "mandate",
        "capacities", "human_rights_mechanisms", "tools", "challenges", "designated_contact",
    ]),
    content(Kind::GOOD_PRACTICE, &["capacities"], &[
        "context", "objective", "actions", "results", "lessons", "success_factors", "constraints", "replicability",
        "sustainability", "stakeholders", "affected_persons", "themes", "sdgs", "human_rights_mechanisms",
        "recommendations", "plans", "topics", "period", "resources", "validation", "sources", "links",
    ]),
    content(Kind::LESSON_LEARNED, &["capacities"], &[
        "lessons", "context", "what_happened", "advice", "topics", "stakeholders", "period",
    ]),
    content(Kind::RESOURCE, &[], &["resource_type", "link", "attachments", "date", "topics"]),
    content(Kind::EXCHANGE_OFFER, &["topics"], EXCHANGE_ASKED),
    content(Kind::EXCHANGE_REQUEST, &["topics"], EXCHANGE_ASKED),
    content(Kind::EXCHANGE_ARRANGEMENT, &["participants"], &[
        "objectives", "may_be_published", "offer", "request", "topics", "modality", "languages", "period", "activities",
        "instrument", "supporter",
    ]),
    content(Kind::EXCHANGE_REPORT, &[], &[
        "participants", "arrangement", "period", "consents_to_publish", "activities", "participants_by_institution",
        "results", "lessons", "follow_up",
    ]),
    content(Kind::EVENT, &[], &[
        "event_type", "organizers", "from", "to", "place", "online", "topics", "participants", "outcomes",
        "practices_shared",
    ]),
    bare(Kind::ATTESTATION, &["about", "relation"], &["note", "states"]),
    bare(Kind::TRANSLATION, &["about", "target_language", "text"], &["made_by", "states"]),
    bare(Kind::NODE, &["node", "names", "root", "keys"], &[
        "state", "organization", "recovery", "feeds", "networks", "urls", "contact", "continues", "revoked",
    ]),
    bare(Kind::FEED, &["feed", "audience"], &["continues", "revoked"]),
    bare(Kind::PARTICIPANT, &["node", "status", "network"], &[
        "status_reason", "node_record", "succeeds", "reinstated", "succession", "decision", "reason",
    ]),
    bare(Kind::GROUP, &["names", "members"], &["decision", "reason"]),
    bare(Kind::POLICY, &["committee", "threshold"], &["witnesses", "quorum", "decision", "reason"]),
    bare(Kind::FAULT, &["fault_evidence"], &["note"]),
];
