//! Records that are the same in each run: practices of an invented State, in words of no language.
//!
//! The body of one has about 3,170 bytes, proof included. Words are drawn as seldom and as often as in
//! prose, so that a segment compresses as prose does, 3.4 to 1; a test of compression alone would
//! otherwise decide the figures of work B.

use feed::feeds::Publication;
use practice::kind::Kind;
use serde_json::{Value, json};

/// Different words.
const WORDS: usize = 4_000;
/// How much rarer each next word is (the exponent of Zipf's law), and from which rank on.
const ZIPF: f64 = 0.9;
const FIRST_RANK: f64 = 8.0;
const SYLLABLES: [&str; 24] = [
    "ka", "ri", "to", "men", "al", "es", "de", "con", "pra", "tion", "lo", "ve", "sur", "ni", "ga",
    "pe", "la", "do", "ur", "in", "sta", "co", "ma", "le",
];
/// Bytes of the texts of a record of mean length.
const TEXT_BYTES: f64 = 1_800.0;

/// Makes records; each by its number alone.
pub(crate) struct Records {
    words: Vec<String>,
    cumulative: Vec<f64>,
}

/// SplitMix64: a stream of numbers from a seed.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// Evenly between 0 and 1.
    fn share(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn of<'a, T>(&mut self, all: &'a [T]) -> Option<&'a T> {
        let count = (all.len() as u64).max(1);
        all.get(usize::try_from(self.next() % count).unwrap_or_default())
    }
}

impl Records {
    pub(crate) fn new() -> Self {
        let mut numbers = Numbers(1);
        let word = |numbers: &mut Numbers| {
            let syllables = numbers.of(&[1, 2, 2, 3, 3, 4]).copied().unwrap_or(1);
            (0..syllables).filter_map(|_| numbers.of(&SYLLABLES).copied()).collect()
        };
        let words = (0..WORDS).map(|_| word(&mut numbers)).collect();
        let mut sum = 0.0;
        let mut weight = |rank: usize| {
            sum += (rank as f64 + FIRST_RANK).powf(-ZIPF);
            sum
        };
        let cumulative = (0..WORDS).map(&mut weight).collect();
        Self { words, cumulative }
    }

    /// What record `number` says, as an author would send it.
    pub(crate) fn subject(&self, number: u64) -> Value {
        let mut numbers = Numbers(number.wrapping_mul(0x2545_f491_4f6c_dd1d));
        // Records are half to one and a half times as long as the mean.
        let bytes = TEXT_BYTES * (0.5 + numbers.share());
        let mut text = |share: f64| json!({ "en": self.text(&mut numbers, bytes * share) });
        let actions: Vec<Value> = (0..3).map(|_| json!({ "text": text(0.1) })).collect();
        json!({
            "title": text(0.04), "summary": text(0.2), "context": text(0.2), "actions": actions,
            "results": [{ "text": text(0.13) }], "lessons": [{ "text": text(0.13) }],
            "language": "en", "basis": "own-statement", "reuse": "CC-BY-4.0", "states": ["XA"],
            "topics": ["focal-points", "tracking-tools"], "capacities": ["coordination"],
            "period": { "from": "2019" },
        })
    }

    /// The same for the core.
    pub(crate) fn publication(&self, number: u64) -> Publication {
        let subject = self.subject(number);
        Publication { kind: Kind::GOOD_PRACTICE, id: None, subject, expected: None }
    }

    /// Words that a reader may look for; each query by its number alone.
    pub(crate) fn some_words(&self, number: u64, count: u64) -> String {
        let mut numbers = Numbers(number.wrapping_mul(0x9fb2_1c65_1e98_df25));
        let words: Vec<String> = (0..count).map(|_| self.text(&mut numbers, 1.0)).collect();
        words.join(" ").replace('.', "")
    }

    fn text(&self, numbers: &mut Numbers, bytes: f64) -> String {
        let all = self.cumulative.last().copied().unwrap_or_default();
        let mut text = String::new();
        while (text.len() as f64) < bytes {
            let at = numbers.share() * all;
            let rank = self.cumulative.partition_point(|sum| *sum < at);
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(self.words.get(rank).map_or("", String::as_str));
        }
        text.push('.');
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_told_by_its_number_alone() {
        let (some, others) = (Records::new(), Records::new());
        assert_eq!(some.subject(7), others.subject(7));
        assert_ne!(some.subject(7), some.subject(8));
    }
}
