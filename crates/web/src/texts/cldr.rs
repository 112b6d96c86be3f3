//! How numbers are written and names sorted in each language: the data of Unicode (CLDR), through ICU4X.

use std::cmp::Ordering;

use icu_collator::CollatorBorrowed;
use icu_collator::options::CollatorOptions;
use icu_decimal::DecimalFormatter;
use icu_decimal::input::Decimal;
use icu_locale_core::Locale;
use intl_memoizer::Memoizable;
use unic_langid::LanguageIdentifier;

/// What one language does with numbers and names.
pub(crate) struct Cldr {
    numbers: Option<DecimalFormatter>,
    order: Option<CollatorBorrowed<'static>>,
}

impl Cldr {
    /// That of `code`. Digits are the same in every language, as in the symbols, dates and addresses that
    /// stand beside them.
    pub(crate) fn of(code: &str) -> Self {
        let locale: Option<Locale> = format!("{code}-u-nu-latn").parse().ok();
        let Some(locale) = locale else { return Self { numbers: None, order: None } };
        let numbers = DecimalFormatter::try_new((&locale).into(), Default::default());
        let order = CollatorBorrowed::try_new((&locale).into(), CollatorOptions::default());
        Self { numbers: numbers.ok(), order: order.ok() }
    }

    /// `1234.5` as the language writes it; what is no number stays as it is.
    pub(crate) fn number(&self, text: &str) -> String {
        match (&self.numbers, text.parse::<Decimal>()) {
            (Some(numbers), Ok(number)) => numbers.format(&number).to_string(),
            _ => text.to_owned(),
        }
    }

    /// Which of two keys a reader looks for first.
    pub(crate) fn compare(&self, one: &str, other: &str) -> Ordering {
        let order = self.order.as_ref().map(|order| order.compare(one, other));
        order.unwrap_or_else(|| one.cmp(other)).then_with(|| one.cmp(other))
    }
}

/// For numbers within the texts.
impl Memoizable for Cldr {
    type Args = ();
    type Error = std::convert::Infallible;

    fn construct(language: LanguageIdentifier, (): ()) -> Result<Self, Self::Error> {
        Ok(Self::of(&language.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_the_language_does() {
        for (code, written) in [
            ("en", "12,345.6"),
            ("zh", "12,345.6"),
            ("es", "12.345,6"),
            ("fr", "12\u{202f}345,6"),
            ("ru", "12\u{a0}345,6"),
            ("ar", "12,345.6"),
            ("gn", "12,345.6"),
        ] {
            assert_eq!(Cldr::of(code).number("12345.6"), written, "{code}");
            assert_eq!(Cldr::of(code).number("A/HRC/47/9"), "A/HRC/47/9");
        }
    }

    #[test]
    fn names_stand_in_the_alphabet_of_the_reader() {
        let sorted = |code: &str, mut names: Vec<&'static str>| {
            let cldr = Cldr::of(code);
            names.sort_by(|one, other| cldr.compare(one, other));
            names
        };
        assert_eq!(sorted("es", vec!["o", "ñandú", "nz"]), ["nz", "ñandú", "o"]);
        assert_eq!(sorted("fr", vec!["zambie", "égypte", "fidji"]), ["égypte", "fidji", "zambie"]);
        // By the sound: Bālāguī, Fǎguó, Zhōngguó.
        assert_eq!(sorted("zh", vec!["中国", "法国", "巴拉圭"]), ["巴拉圭", "法国", "中国"]);
        assert_eq!(sorted("ru", vec!["япония", "ёж", "египет"]), ["египет", "ёж", "япония"]);
    }
}
