//! The texts of the pages in seven languages, and which of them a reader gets.
//!
//! One Fluent file for each language (`texts/LANG.ftl`); all have the same keys, which a test asserts.
//! Names of States, kinds and fields are not here: they come from the vocabularies of `practice`.

mod cldr;
pub mod own;

use std::sync::LazyLock;

use cldr::Cldr;
use fluent_bundle::concurrent::FluentBundle;
use fluent_bundle::{FluentArgs, FluentResource, FluentValue};
use practice::{language, vocabulary};
use unic_langid::LanguageIdentifier;

/// The texts of one language: one file for each area of the site, read as one.
macro_rules! texts_of {
    ($code:literal) => {
        concat!(
            include_str!(concat!("../texts/", $code, ".ftl")),
            "\n",
            include_str!(concat!("../texts/", $code, "/search.ftl")),
            "\n",
            include_str!(concat!("../texts/", $code, "/states.ftl")),
            "\n",
            include_str!(concat!("../texts/", $code, "/directories.ftl")),
            "\n",
            include_str!(concat!("../texts/", $code, "/status.ftl")),
            "\n",
            include_str!(concat!("../texts/", $code, "/about.ftl")),
            "\n",
            include_str!(concat!("../texts/", $code, "/record.ftl")),
            "\n",
            include_str!(concat!("../texts/", $code, "/check.ftl")),
        )
    };
}

/// Files by language, in the order in which the languages are offered: that of the alphabet of their
/// English names, as the United Nations lists its official ones, then Portuguese.
const FILES: [(&str, &str, &str); 7] = [
    ("ar", "العربية", texts_of!("ar")),
    ("zh", "中文", texts_of!("zh")),
    ("en", "English", texts_of!("en")),
    ("fr", "Français", texts_of!("fr")),
    ("ru", "Русский", texts_of!("ru")),
    ("es", "Español", texts_of!("es")),
    ("pt", "Português", texts_of!("pt")),
];

/// Longest `Accept-Language` that is read; those of browsers have at most about 100 bytes.
const ACCEPT_LANGUAGE_BYTES_MAX: usize = 1_024;

/// Decimal digits that a floating-point number keeps exactly.
const WHOLE_DIGITS_MAX: usize = 15;

static ALL: LazyLock<Vec<Texts>> = LazyLock::new(|| {
    let ours = FILES.iter().map(|&(code, name, source)| Texts::read(code, name, source));
    let is_new = |own: &&own::Own| !FILES.iter().any(|(code, ..)| *code == own.code);
    let others = own::all().iter().filter(is_new).map(|own| {
        // What it does not have is English.
        Texts::read(&own.code, own.name.as_deref().unwrap_or(&own.code), texts_of!("en"))
    });
    ours.chain(others).collect()
});

/// For a reader who asks for no language that is there.
static FALLBACK: LazyLock<Texts> = LazyLock::new(|| Texts::read("en", "English", texts_of!("en")));

/// The texts of one language.
pub struct Texts {
    code: &'static str,
    name: &'static str,
    bundle: FluentBundle<FluentResource>,
    cldr: Cldr,
}

impl std::fmt::Debug for Texts {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Texts").field("code", &self.code).finish_non_exhaustive()
    }
}

impl Texts {
    /// All languages, in the order in which they are offered.
    pub fn all() -> &'static [Self] {
        &ALL
    }

    /// The texts of `code`, or of the language it is a variety of.
    pub fn of(code: &str) -> Option<&'static Self> {
        let wanted = language::primary(code);
        ALL.iter().find(|texts| texts.code.eq_ignore_ascii_case(wanted))
    }

    /// The texts for a reader with this `Accept-Language`, among the `offered` languages.
    pub fn for_reader(accept_language: Option<&str>, offered: &[String]) -> &'static Self {
        let header = accept_language.filter(|text| text.len() <= ACCEPT_LANGUAGE_BYTES_MAX);
        let mut wishes: Vec<(&str, u16)> =
            header.into_iter().flat_map(|text| text.split(',')).filter_map(wish).collect();
        wishes.sort_by_key(|&(_, weight)| std::cmp::Reverse(weight));
        let is_offered = |texts: &&Self| {
            offered.is_empty() || offered.iter().any(|code| language::primary(code) == texts.code)
        };
        let wished = wishes.into_iter().find_map(|(code, _)| Self::of(code).filter(is_offered));
        let first = || offered.iter().find_map(|code| Self::of(code));
        wished.or_else(first).unwrap_or(&FALLBACK)
    }

    /// Its BCP 47 code.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// Its own name for itself.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// `rtl` or `ltr`.
    pub fn direction(&self) -> &'static str {
        language::direction(self.code)
    }

    /// The text of `key`; the key itself if there is none, which a test excludes.
    pub fn get(&self, key: &str) -> String {
        self.with(key, &[])
    }

    /// The text of `key` with its placeholders filled; whole numbers choose the plural form.
    pub fn with(&self, key: &str, values: &[(&str, &str)]) -> String {
        let mut args = FluentArgs::new();
        for (name, value) in values {
            args.set(
                *name,
                whole(value).map_or_else(|| FluentValue::from(*value), FluentValue::from),
            );
        }
        self.format(key, None, &args)
    }

    /// The text of `key` with its placeholders filled by words: a year stays a year.
    pub fn with_words(&self, key: &str, values: &[(&str, &str)]) -> String {
        let mut args = FluentArgs::new();
        for (name, value) in values {
            args.set(*name, FluentValue::from(*value));
        }
        self.format(key, None, &args)
    }

    /// The text of `key` for a number of things.
    pub fn count(&self, key: &str, count: u64) -> String {
        let mut args = FluentArgs::new();
        args.set("count", FluentValue::from(count));
        self.format(key, None, &args)
    }

    /// The attribute `name` of `key`.
    pub fn attribute(&self, key: &str, name: &str) -> String {
        self.format(key, Some(name), &FluentArgs::new())
    }

    /// A number such as `1234.5`, as this language writes it; what is no number stays as it is.
    pub fn number(&self, text: &str) -> String {
        self.cldr.number(text)
    }

    /// Sorts by names, as a reader looks for them; the Arabic article and what stands between words are set
    /// aside, as in the lists of the United Nations.
    pub fn sort_by_name<T>(&self, things: &mut [T], name: impl Fn(&T) -> &str) {
        let key = |thing: &T| vocabulary::sort_key(name(thing));
        things.sort_by(|one, other| self.cldr.compare(&key(one), &key(other)));
    }

    /// A date of a record or statement (`2026-11-23`, `2026-11`, or with a time of day) as this language
    /// writes it. A year alone, or what is no date, stays as it is.
    pub fn date(&self, text: &str) -> String {
        let day = text.get(..10).unwrap_or(text);
        let parts: Vec<&str> = day.split('-').collect();
        let (key, year, month, day) = match *parts.as_slice() {
            [year, month, day_of] if practice::date::is_date(day) => ("date", year, month, day_of),
            [year, month] if practice::date::is_date(&format!("{day}-01")) => {
                ("month-of-year", year, month, "")
            }
            _ => return text.to_owned(),
        };
        // A month alone has another form in Russian than one with its day.
        let months = self.get(if day.is_empty() { "months-alone" } else { "months" });
        let number: usize = month.parse().unwrap_or_default();
        let Some(name) = number.checked_sub(1).and_then(|at| months.split(',').nth(at)) else {
            return text.to_owned();
        };
        let mut args = FluentArgs::new();
        // A year is not written as other numbers are; by the day the first of a month is told in French.
        args.set("year", FluentValue::from(year));
        args.set("month", FluentValue::from(name.trim()));
        args.set("day", FluentValue::from(day.parse::<u64>().unwrap_or_default()));
        let date = self.format(key, None, &args);
        // A date is isolated as a whole where it is put; isolates within would hide its direction.
        date.replace(['\u{2068}', '\u{2069}'], "")
    }

    /// A time in seconds since 1970 as date and time of day.
    pub fn time(&self, seconds: u64) -> String {
        let text = iso(seconds);
        let time = text.get(11..16).unwrap_or_default();
        let time = self.with("date-time", &[("date", &self.date(&text)), ("time", time)]);
        time.replace(['\u{2068}', '\u{2069}'], "")
    }

    /// Things after each other, with the comma of this language between them. In a text from the right
    /// each is isolated, so that foreign names keep the order of the list.
    pub fn listed<T: std::borrow::Borrow<str>>(&self, things: &[T]) -> String {
        match self.code {
            "ar" => {
                let isolated = |thing: &T| format!("\u{2068}{}\u{2069}", thing.borrow());
                things.iter().map(isolated).collect::<Vec<_>>().join("، ")
            }
            "zh" => things.join("、"),
            _ => things.join(", "),
        }
    }

    /// A value with its label before it.
    pub fn labelled(&self, label: &str, value: &str) -> String {
        language::labelled(self.code, label, value)
    }

    /// Every key and attribute of the file, for the test that compares the files.
    pub fn keys(&self) -> Vec<String> {
        let source = FILES.iter().find(|(code, ..)| *code == self.code).map_or("", |file| file.2);
        let mut message = "";
        let mut keys = Vec::new();
        for line in source.lines() {
            let Some((name, _)) = line.split_once(" =") else { continue };
            match name.trim().strip_prefix('.') {
                Some(attribute) => keys.push(format!("{message}.{attribute}")),
                None if !name.starts_with([' ', '#']) => {
                    message = name;
                    keys.push(name.to_owned());
                }
                None => {}
            }
        }
        keys.sort_unstable();
        keys
    }

    fn read(code: &'static str, name: &'static str, source: &str) -> Self {
        let identifier = code.parse::<LanguageIdentifier>().unwrap_or_default();
        let mut bundle = FluentBundle::new_concurrent(vec![identifier]);
        // Isolating marks keep foreign names in their place where the text runs the other way.
        bundle.set_use_isolating(language::direction(code) == "rtl");
        // The files are embedded, and a test formats every key of each: there are no errors to meet.
        let resource = FluentResource::try_new(source.to_owned()).unwrap_or_else(|(read, _)| read);
        bundle.add_resource_overriding(resource);
        if let Some(own) = own::all().iter().find(|own| own.code == code) {
            let resource = FluentResource::try_new(own.source.clone());
            bundle.add_resource_overriding(resource.unwrap_or_else(|(read, _)| read));
        }
        bundle.set_formatter(Some(|value, memoizer| match value {
            FluentValue::Number(number) => {
                let write = |cldr: &Cldr| cldr.number(&number.as_string());
                memoizer.with_try_get::<Cldr, _, _>((), write).ok()
            }
            _ => None,
        }));
        Self { code, name, bundle, cldr: Cldr::of(code) }
    }

    fn format(&self, key: &str, attribute: Option<&str>, args: &FluentArgs<'_>) -> String {
        let message = self.bundle.get_message(key);
        let pattern = message.as_ref().and_then(|message| match attribute {
            Some(name) => message.get_attribute(name).map(|attribute| attribute.value()),
            None => message.value(),
        });
        match pattern {
            Some(pattern) => {
                let mut errors = Vec::new();
                self.bundle.format_pattern(pattern, Some(args), &mut errors).into_owned()
            }
            None => key.to_owned(),
        }
    }
}

/// A whole number as such; what only looks like one, such as `007`, stays text.
fn whole(value: &str) -> Option<u64> {
    let number = value.parse().ok().filter(|number: &u64| number.to_string() == value);
    // Fluent counts in floating point.
    number.filter(|_| value.len() <= WHOLE_DIGITS_MAX)
}

/// `YYYY-MM-DDTHH:MM:SSZ` of seconds since 1970 (Howard Hinnant's algorithm of days and dates).
pub(crate) fn iso(seconds: u64) -> String {
    let days = seconds / 86_400 + 719_468;
    let era = days / 146_097;
    let day_of_era = days % 146_097;
    let year_of_era =
        (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    let (hours, minutes) = (seconds / 3_600 % 24, seconds / 60 % 60);
    format!("{year:04}-{month:02}-{day:02}T{hours:02}:{minutes:02}:{:02}Z", seconds % 60)
}

/// One language of `Accept-Language` with its weight in thousandths.
fn wish(part: &str) -> Option<(&str, u16)> {
    let mut pieces = part.split(';');
    let code = pieces.next()?.trim();
    let weight = pieces.find_map(|piece| piece.trim().strip_prefix("q="));
    let thousandths = match weight {
        None => 1_000,
        Some("1") => 1_000,
        Some(text) => text
            .strip_prefix("0.")
            .filter(|digits| digits.len() <= 3)
            .and_then(|digits| format!("{digits:0<3}").parse().ok())
            .unwrap_or_default(),
    };
    (thousandths > 0 && !code.is_empty()).then_some((code, thousandths))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_language_has_every_text() {
        let english = Texts::of("en").unwrap().keys();
        assert!(english.len() > 100);
        for texts in Texts::all() {
            assert_eq!(texts.keys(), english, "{}", texts.code);
            for key in &english {
                let (name, attribute) = match key.split_once('.') {
                    Some((name, attribute)) => (name, Some(attribute)),
                    None => (key.as_str(), None),
                };
                let mut args = FluentArgs::new();
                for placeholder in ["year", "month", "day", "date", "time", "node", "feed", "index"]
                {
                    args.set(placeholder, placeholder);
                }
                for placeholder in [
                    "reason", "version", "status", "entries", "nodes", "network", "group",
                    "language", "number",
                ] {
                    args.set(placeholder, placeholder);
                }
                args.set("count", 3);
                args.set("of", 5);
                args.set("threshold", 2);
                let text = texts.format(name, attribute, &args);
                assert!(!text.is_empty() && text != name, "{}: {key}", texts.code);
                assert!(!text.contains('{'), "{}: {key} is `{text}`", texts.code);
            }
            for months in ["months", "months-alone"] {
                assert_eq!(texts.get(months).split(',').count(), 12, "{}", texts.code);
            }
        }
    }

    #[test]
    fn every_problem_says_what_to_do() {
        let keys = Texts::of("en").unwrap().keys();
        for problem in wire::problem::Name::ALL {
            let advice = format!("problem-{}.advice", problem.as_str());
            assert!(keys.contains(&advice), "{advice}");
        }
    }

    #[test]
    fn one_node_and_several_are_told_apart() {
        let received = |code: &str, count, of| {
            Texts::of(code).unwrap().with("history-received", &[("count", count), ("of", of)])
        };
        assert_eq!(received("en", "0", "1"), "received by 0 of 1 node");
        assert_eq!(received("en", "2", "12"), "received by 2 of 12 nodes");
        assert_eq!(received("fr", "1", "3"), "reçu par 1 nœud sur 3");
        let decided = |count| {
            Texts::of("en")
                .unwrap()
                .with("network-decided", &[("count", count), ("threshold", "1")])
        };
        assert!(decided("1").starts_with("This node decides"));
        assert!(decided("3").starts_with("1 of these 3"));
        assert_eq!(whole("007"), None);
        assert_eq!(whole("1e5"), None);
        assert_eq!(whole("42"), Some(42));
    }

    #[test]
    fn numbers_in_texts_are_grouped_and_years_are_not() {
        let of = |code: &str| Texts::of(code).unwrap();
        assert!(of("en").count("entries", 12_345).contains("12,345"));
        assert!(of("es").count("entries", 12_345).contains("12.345"));
        assert_eq!(of("en").date("2026-11-03"), "3 November 2026");
        let mut names = ["Égypte", "Zambie", "Fidji"];
        of("fr").sort_by_name(&mut names, |name| name);
        assert_eq!(names, ["Égypte", "Fidji", "Zambie"]);
    }

    #[test]
    fn a_reader_gets_the_language_asked_for_most() {
        let code = |header| Texts::for_reader(Some(header), &[]).code();
        assert_eq!(code("de, fr-CH;q=0.9, en;q=0.8"), "fr");
        assert_eq!(code("en;q=0.1, ar;q=0.75"), "ar");
        assert_eq!(code("zh-Hant-TW"), "zh");
        assert_eq!(code("en;q=0, pt-BR;q=0.001"), "pt");
        assert_eq!(code("de"), "en");
        assert_eq!(code(";;,,q=1,\u{1f600}"), "en");
        let offered = ["es".to_owned(), "en".to_owned()];
        assert_eq!(Texts::for_reader(Some("ar"), &offered).code(), "es");
        assert_eq!(Texts::for_reader(None, &offered).code(), "es");
    }

    #[test]
    fn dates_are_written_as_the_language_does() {
        let date = |code, text| Texts::of(code).unwrap().date(text);
        assert_eq!(date("en", "2026-11-03T10:00:00Z"), "3 November 2026");
        assert_eq!(date("es", "2026-11-23"), "23 de noviembre de 2026");
        assert_eq!(date("zh", "2026-11-23"), "2026年11月23日");
        assert_eq!(date("en", "2015"), "2015");
        assert_eq!(date("en", "2025-10"), "October 2025");
        assert_eq!(date("ru", "2025-10"), "октябрь 2025 г.");
        assert_eq!(date("ru", "2025-10-07"), "7 октября 2025 г.");
        assert_eq!(date("fr", "2026-01-01"), "1er janvier 2026");
        assert_eq!(date("fr", "2026-01-21"), "21 janvier 2026");
        assert_eq!(date("fr", "2026-01"), "janvier 2026");
        assert_eq!(date("ar", "2026-11-01"), "1 تشرين الثاني/نوفمبر 2026");
        assert_eq!(date("zh", "2025-10"), "2025年10月");
        assert_eq!(date("en", "2025-13"), "2025-13");
        assert_eq!(date("en", "not a day"), "not a day");
        assert_eq!(date("en", "2026-13-01"), "2026-13-01");
        assert_eq!(iso(0), "1970-01-01T00:00:00Z");
        assert_eq!(iso(951_827_696), "2000-02-29T12:34:56Z");
        assert_eq!(Texts::of("en").unwrap().time(1_795_435_200), "23 November 2026, 12:00 UTC");
    }
}
