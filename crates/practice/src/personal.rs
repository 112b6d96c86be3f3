//! What looks like personal data in a text: addresses of e-mail, telephone and identity numbers.
//!
//! It asks before publishing and decides nothing. Addresses on the web, symbols such as `A/HRC/RES/60/27`,
//! dates, years, and the numbers of decrees and laws are not meant.

use serde::Serialize;
use std::fmt;

/// What some text looks like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PersonalShape {
    /// An e-mail address.
    Email,
    /// A telephone number.
    Telephone,
    /// The number of an identity card, a passport or a taxpayer.
    IdentityNumber,
}

impl fmt::Display for PersonalShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Email => "an e-mail address",
            Self::Telephone => "a telephone number",
            Self::IdentityNumber => "an identity number",
        })
    }
}

/// A part of a text that looks like personal data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// What it looks like.
    pub shape: PersonalShape,
    /// The part.
    pub excerpt: String,
}

/// Fewest digits of a telephone number written for other countries, without its `+`.
const TELEPHONE_DIGITS_MIN: usize = 8;
/// Most digits of one (ITU-T E.164).
const TELEPHONE_DIGITS_MAX: usize = 15;
/// Fewest digits in a row that are no amount, year or number of a decree.
const IDENTITY_DIGITS_MIN: usize = 8;

/// All that looks like personal data in `text`, in its order.
pub fn find(text: &str) -> Vec<Found> {
    let mut found = Vec::new();
    if !text.chars().any(|letter| letter == '@' || ascii_digit(letter).is_ascii_digit()) {
        return found;
    }
    // Numbers may hold spaces, so words that cannot be part of one are replaced by a mark that ends a number.
    let mut numbers = String::with_capacity(text.len());
    for word in text.split_inclusive(char::is_whitespace) {
        let bare = word.trim();
        if let Some(address) = email(bare) {
            found.push(Found { shape: PersonalShape::Email, excerpt: address });
            numbers.push('|');
        } else if bare.contains('/') || bare.contains("www.") {
            numbers.push('|');
        } else {
            numbers.extend(word.chars().map(ascii_digit));
        }
    }
    let mut rest = numbers.as_str();
    while let Some(start) = rest.find(|c: char| c.is_ascii_digit() || c == '+') {
        let (before, from) = rest.split_at(start);
        let end = from
            .find(|c: char| !c.is_ascii_digit() && !" \u{a0}-.()+".contains(c))
            .unwrap_or(from.len());
        let (run, after) = from.split_at(end.max(1));
        found.extend(number(before, run));
        rest = after;
    }
    found
}

/// Arabic-Indic and Persian digits as the ones everybody else uses.
fn ascii_digit(letter: char) -> char {
    let value = match letter {
        '\u{660}'..='\u{669}' => u32::from(letter) - 0x660,
        '\u{6f0}'..='\u{6f9}' => u32::from(letter) - 0x6f0,
        _ => return letter,
    };
    char::from_digit(value, 10).unwrap_or(letter)
}

fn email(word: &str) -> Option<String> {
    let word = word.trim_start_matches("mailto:");
    let word = word.trim_matches(|c: char| !c.is_alphanumeric());
    let (local, domain) = word.split_once('@')?;
    let local = local.rsplit(|c: char| !c.is_alphanumeric() && !"._%+-".contains(c)).next()?;
    let dotted = domain.split('.').count() > 1 && domain.split('.').all(|label| !label.is_empty());
    let plain = domain.chars().all(|c| c.is_alphanumeric() || c == '.' || c == '-');
    (!local.is_empty() && dotted && plain && !word.contains("://"))
        .then(|| format!("{local}@{domain}"))
}

/// Judges a run of digits and what stands between them; `before` is the text in front of it.
fn number(before: &str, run: &str) -> Option<Found> {
    let run = run.trim_matches(|c: char| !c.is_ascii_digit() && c != '+').trim();
    let digits = run.chars().filter(char::is_ascii_digit).count();
    let groups: Vec<&str> =
        run.split(|c: char| !c.is_ascii_digit()).filter(|group| !group.is_empty()).collect();
    let telephone = (TELEPHONE_DIGITS_MIN..=TELEPHONE_DIGITS_MAX).contains(&digits);
    let international = run.starts_with('+') && telephone;
    // A national number begins with 0 and is written in groups; 08-24-2020 is a date.
    let date = groups.len() == 3 && groups.iter().any(|group| group.len() == 4) && digits == 8;
    let national = run.starts_with('0') && groups.len() >= 3 && telephone && !date;
    let called = [
        "tel",
        "tel.",
        "tel:",
        "tel.:",
        "phone",
        "phone:",
        "teléfono",
        "téléphone",
        "тел.",
        "هاتف",
        "电话",
    ];
    let last = before
        .trim_end()
        .rsplit(|c: char| c.is_whitespace() || c == '(')
        .next()
        .unwrap_or_default();
    let named = called.contains(&last.to_lowercase().as_str())
        && (6..=TELEPHONE_DIGITS_MAX).contains(&digits);
    if international || national || named {
        return Some(Found { shape: PersonalShape::Telephone, excerpt: run.to_owned() });
    }
    let glued = before.chars().rev().take_while(char::is_ascii_uppercase).count();
    let lettered = glued > 0 && !before.chars().rev().nth(glued).is_some_and(char::is_alphanumeric);
    let first = run.split_whitespace().next().unwrap_or_default();
    let passport = lettered
        && glued <= 2
        && (6..=9).contains(&first.len())
        && first.bytes().all(|b| b.is_ascii_digit());
    if passport {
        let start = before.len() - glued;
        let letters = before.get(start..).unwrap_or_default();
        return Some(Found {
            shape: PersonalShape::IdentityNumber,
            excerpt: format!("{letters}{first}"),
        });
    }
    run.split_whitespace().find(|chunk| is_identity(chunk)).map(|chunk| Found {
        shape: PersonalShape::IdentityNumber,
        excerpt: chunk.trim_matches(|c: char| !c.is_ascii_digit()).to_owned(),
    })
}

/// Whether a chunk has the shape of an identity number: eight digits or more in a row that are no date,
/// `1.234.567-8` or `123-45-6789`.
fn is_identity(chunk: &str) -> bool {
    let chunk = chunk.trim_matches(|c: char| !c.is_ascii_digit());
    let widths = |separator| chunk.split(separator).map(str::len).collect::<Vec<_>>();
    if chunk.bytes().all(|byte| byte.is_ascii_digit()) {
        let is_day = chunk.len() == 8 && (chunk.starts_with("19") || chunk.starts_with("20"));
        return chunk.len() >= IDENTITY_DIGITS_MIN && !is_day;
    }
    if widths('-') == [3, 2, 4] {
        return true;
    }
    let (number, check) = chunk.rsplit_once('-').unwrap_or((chunk, ""));
    let thousands =
        number.split('.').count() == 3 && number.split('.').skip(1).all(|group| group.len() == 3);
    thousands && (1..=2).contains(&check.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shapes(text: &str) -> Vec<(PersonalShape, String)> {
        find(text).into_iter().map(|found| (found.shape, found.excerpt)).collect()
    }

    #[test]
    fn personal_data_is_found() {
        use PersonalShape::{Email, IdentityNumber, Telephone};
        for (text, shape, excerpt) in [
            ("Write to (ana.perez@mre.gov.py).", Email, "ana.perez@mre.gov.py"),
            ("mailto:x@y.example", Email, "x@y.example"),
            ("Call +595 21 414 8000 today", Telephone, "+595 21 414 8000"),
            ("at 021 414-8000.", Telephone, "021 414-8000"),
            ("(021) 414 8000", Telephone, "021) 414 8000"),
            ("Tel.: 414 8000", Telephone, "414 8000"),
            ("اتصل على +٩٦٢ ٦ ٥٠٠ ١٢٣٤", Telephone, "+962 6 500 1234"),
            ("C.I. 1.234.567-8", IdentityNumber, "1.234.567-8"),
            ("CPF 123.456.789-09", IdentityNumber, "123.456.789-09"),
            ("DNI 30123456 of", IdentityNumber, "30123456"),
            ("passport AB1234567", IdentityNumber, "AB1234567"),
            ("no 123-45-6789", IdentityNumber, "123-45-6789"),
        ] {
            assert_eq!(shapes(text), [(shape, excerpt.to_owned())], "{text}");
        }
    }

    #[test]
    fn addresses_symbols_dates_and_decrees_are_not_meant() {
        for text in [
            "https://example.org/12345678901?x=a@b.example and www.example.org/+59521414800",
            "A/HRC/RES/60/27, CCPR/C/PRY/CO/4, HR/PUB/16/1",
            "2020-08-24, 24.08.2020, 08-24-2020, 20200824, 2015-2020, 2015. 2016",
            "Decreto 4368/2015, Ley N.º 5777, Decree No. 10449",
            "some 170 focal points in 70 institutions, 1.250.000 persons, 12 000 000 records, 1,234,567",
            "SDG 16.6 and 17.14; sections 1.2.3-4; upr-4; 193 + 2 States",
            "",
            "+",
            "@ mention@home",
        ] {
            assert_eq!(shapes(text), [], "{text}");
        }
    }
}
