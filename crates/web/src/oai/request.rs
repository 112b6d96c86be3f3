//! What a harvester asks: its arguments, read strictly, and the eight ways in which they can be wrong.

use practice::date;
use practice::id::RecordId;
use tlog::name::Origin;
use wire::paths;

use super::token;

/// Arguments of a request; the protocol knows seven.
const ARGUMENTS_MAX: usize = 16;
/// Longest argument; a token of ours has less than 400 bytes.
const ARGUMENT_BYTES_MAX: usize = 1_024;
/// Seconds of a day.
const DAY: u64 = 86_400;

/// A request that can be answered.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// What this repository is.
    Identify,
    /// The formats of a record, or of all.
    Formats {
        /// Of this record.
        of: Option<(Origin, RecordId)>,
    },
    /// The sets.
    Sets,
    /// One record.
    Record {
        /// Which.
        of: (Origin, RecordId),
        /// In which format.
        format: Format,
    },
    /// Many records.
    List {
        /// With their metadata, or their headers alone.
        whole: bool,
        /// Which.
        list: List,
    },
}

/// Which records, and how far the harvester has come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct List {
    /// In which format.
    pub(super) format: Format,
    /// Changed at or after this second since 1970.
    pub(super) from: Option<u64>,
    /// Changed at or before this second since 1970.
    pub(super) until: Option<u64>,
    /// In this set, or in one below it.
    pub(super) set: Option<String>,
    /// The change that was given last.
    pub(super) after: u64,
    /// How many were given before.
    pub(super) cursor: u64,
}

/// A metadata format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    /// Dublin Core.
    DublinCore,
    /// Our own, with the signed bytes.
    Practice,
}

/// The protocol's word for what is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Code {
    BadArgument,
    BadResumptionToken,
    BadVerb,
    CannotDisseminateFormat,
    IdDoesNotExist,
    NoRecordsMatch,
}

/// A request that cannot be answered, with words for whoever wrote the harvester.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) code: Code,
    pub(super) words: String,
}

/// Names and values, as they came.
pub(super) type Arguments = Vec<(String, String)>;

impl Format {
    pub(super) const ALL: [Self; 2] = [Self::DublinCore, Self::Practice];

    /// The metadataPrefix.
    pub(super) fn prefix(self) -> &'static str {
        match self {
            Self::DublinCore => "oai_dc",
            Self::Practice => "practice",
        }
    }

    pub(super) fn parse(prefix: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.prefix() == prefix)
    }
}

impl Code {
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::BadArgument => "badArgument",
            Self::BadResumptionToken => "badResumptionToken",
            Self::BadVerb => "badVerb",
            Self::CannotDisseminateFormat => "cannotDisseminateFormat",
            Self::IdDoesNotExist => "idDoesNotExist",
            Self::NoRecordsMatch => "noRecordsMatch",
        }
    }

    /// Whether the arguments are sound enough to be repeated in the answer.
    pub(super) fn is_about_a_sound_request(self) -> bool {
        !matches!(self, Self::BadVerb | Self::BadArgument)
    }
}

impl Fault {
    pub(super) fn new(code: Code, words: impl Into<String>) -> Self {
        Self { code, words: words.into() }
    }

    fn argument(words: impl Into<String>) -> Self {
        Self::new(Code::BadArgument, words)
    }
}

/// Reads a request.
pub(super) fn read(arguments: &Arguments) -> Result<Asked, Fault> {
    let mut verbs = arguments.iter().filter(|(name, _)| name == "verb");
    let verb = match (verbs.next(), verbs.next()) {
        (Some((_, verb)), None) => verb.as_str(),
        (None, _) => return Err(Fault::new(Code::BadVerb, "the argument `verb` is missing")),
        (_, Some(_)) => return Err(Fault::new(Code::BadVerb, "the argument `verb` stands twice")),
    };
    let given = |allowed| Given::of(arguments, allowed);
    match verb {
        "Identify" => given(&[]).map(|_| Asked::Identify),
        "ListMetadataFormats" => {
            let of = given(&["identifier"])?.get("identifier").map(identifier).transpose()?;
            Ok(Asked::Formats { of })
        }
        "ListSets" => match given(&["resumptionToken"])?.get("resumptionToken") {
            None => Ok(Asked::Sets),
            Some(_) => Err(no_token()),
        },
        "GetRecord" => {
            let given = given(&["identifier", "metadataPrefix"])?;
            let format = format(given.need("metadataPrefix")?)?;
            Ok(Asked::Record { of: identifier(given.need("identifier")?)?, format })
        }
        "ListRecords" => Ok(Asked::List { whole: true, list: list(arguments)? }),
        "ListIdentifiers" => Ok(Asked::List { whole: false, list: list(arguments)? }),
        _ => Err(Fault::new(Code::BadVerb, "the verb is none of the six of OAI-PMH 2.0")),
    }
}

/// The identifier of a record: the same at every node that serves it.
pub(super) fn identifier_of(origin: &Origin, id: &RecordId) -> String {
    let id = id.to_string();
    let uuid = id.strip_prefix("urn:uuid:").unwrap_or(&id);
    format!("oai:{}:{}/{uuid}", origin.node(), origin.feed())
}

/// A time as the protocol has it.
pub(super) fn stamp(seconds: u64) -> String {
    feed::feeds::timestamp(seconds)
}

/// The second since 1970 of `YYYY-MM-DD` or `YYYY-MM-DDThh:mm:ssZ`.
pub(super) fn seconds(text: &str) -> Option<u64> {
    let (day, clock) = match text.strip_suffix('Z') {
        Some(time) if date::is_time(text) => time.split_once('T')?,
        None if text.len() == 10 && date::is_date(text) => (text, "00:00:00"),
        _ => return None,
    };
    let mut parts = day.split('-').chain(clock.split(':')).map(|part| part.parse::<i64>().ok());
    let mut next = || parts.next().flatten();
    let (year, month, day) = (next()?, next()?, next()?);
    let (hours, minutes, rest) = (next()?, next()?, next()?);
    // Years that begin in March, so that a leap day is the last of its year.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year.div_euclid(4) - year.div_euclid(100)
        + year.div_euclid(400)
        + (153 * month + 2) / 5
        + day
        - 719_469;
    u64::try_from(days * 86_400 + hours * 3_600 + minutes * 60 + rest).ok()
}

/// Whether `text` is written as the name of a set is.
pub(super) fn is_set(text: &str) -> bool {
    let part = |part: &str| {
        let mut letters = part.bytes();
        !part.is_empty()
            && letters.all(|byte| byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte))
    };
    text.split(':').all(part)
}

/// The arguments besides the verb: each of them allowed, none twice.
struct Given<'a>(Vec<(&'a str, &'a str)>);

impl<'a> Given<'a> {
    fn of(arguments: &'a Arguments, allowed: &[&str]) -> Result<Self, Fault> {
        if arguments.len() > ARGUMENTS_MAX {
            return Err(Fault::argument(format!("more than {ARGUMENTS_MAX} arguments")));
        }
        let mut given = Self(Vec::new());
        for (name, value) in arguments.iter().filter(|(name, _)| name != "verb") {
            if !allowed.contains(&name.as_str()) {
                return Err(Fault::argument("an argument that this verb does not take"));
            }
            if given.get(name).is_some() {
                return Err(Fault::argument(format!("the argument `{name}` stands twice")));
            }
            if value.len() > ARGUMENT_BYTES_MAX {
                return Err(Fault::argument(format!(
                    "`{name}` has more than {ARGUMENT_BYTES_MAX} bytes"
                )));
            }
            given.0.push((name, value));
        }
        Ok(given)
    }

    fn get(&self, name: &str) -> Option<&'a str> {
        self.0.iter().find(|(known, _)| *known == name).map(|(_, value)| *value)
    }

    fn need(&self, name: &str) -> Result<&'a str, Fault> {
        self.get(name).ok_or_else(|| Fault::argument(format!("the argument `{name}` is missing")))
    }
}

fn list(arguments: &Arguments) -> Result<List, Fault> {
    let given =
        Given::of(arguments, &["metadataPrefix", "from", "until", "set", "resumptionToken"])?;
    if let Some(token) = given.get("resumptionToken") {
        if given.0.len() > 1 {
            return Err(Fault::argument("`resumptionToken` stands alone beside the verb"));
        }
        return token::read(token).ok_or_else(no_token);
    }
    let prefix = given.need("metadataPrefix")?;
    let time = |name| given.get(name).map(|text| time(name, text)).transpose();
    let (from, until) = (time("from")?, time("until")?);
    if let (Some(from), Some(until)) = (from, until) {
        if from.1 != until.1 {
            return Err(Fault::argument("`from` and `until` must both be days or both be seconds"));
        }
        if from.0 > until.0 {
            return Err(Fault::argument("`from` is later than `until`"));
        }
    }
    let set = given.get("set").map(str::to_owned);
    if set.as_deref().is_some_and(|set| !is_set(set)) {
        return Err(Fault::argument("`set` is not written like the name of a set"));
    }
    let last = |(second, days)| if days { second + DAY - 1 } else { second };
    Ok(List {
        format: format(prefix)?,
        from: from.map(|(second, _)| second),
        until: until.map(last),
        set,
        after: 0,
        cursor: 0,
    })
}

/// The second, and whether it was given as a day.
fn time(name: &str, text: &str) -> Result<(u64, bool), Fault> {
    let second = seconds(text).ok_or_else(|| {
        Fault::argument(format!("`{name}` is neither YYYY-MM-DD nor YYYY-MM-DDThh:mm:ssZ"))
    })?;
    Ok((second, text.len() == 10))
}

fn format(prefix: &str) -> Result<Format, Fault> {
    if prefix.contains(':') || !is_set(prefix) {
        return Err(Fault::argument("`metadataPrefix` is not written like one"));
    }
    Format::parse(prefix).ok_or_else(|| {
        Fault::new(Code::CannotDisseminateFormat, "the formats here are `oai_dc` and `practice`")
    })
}

fn identifier(text: &str) -> Result<(Origin, RecordId), Fault> {
    let parsed = text.strip_prefix("oai:").and_then(|rest| {
        let (node, rest) = rest.split_once(':')?;
        let (feed, uuid) = rest.split_once('/')?;
        Some((Origin::parse(&format!("{node}/{feed}")).ok()?, paths::record_id(uuid)?))
    });
    parsed.ok_or_else(|| {
        let plain =
            |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/?#@!$&'()*+,;=".contains(&byte);
        if text.bytes().all(plain) {
            Fault::new(Code::IdDoesNotExist, "identifiers here are `oai:NODE:FEED/UUID`")
        } else {
            Fault::argument("`identifier` is not a URI")
        }
    })
}

fn no_token() -> Fault {
    Fault::new(Code::BadResumptionToken, "this repository gave no such token for this verb")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_back_as_they_are_written() {
        for second in [0, 951_782_399, 951_782_400, 1_795_435_200, 4_107_542_399, 253_402_207_200] {
            assert_eq!(seconds(&stamp(second)), Some(second));
        }
        assert_eq!(seconds("1970-01-02"), Some(DAY));
        for text in
            ["2026-11", "2026", "2026-11-23T12:00Z", "2026-02-30", "1969-12-31", "2026-11-23Z", ""]
        {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
