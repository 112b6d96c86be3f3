//! Times and dates as text: one form each, on days that exist.

/// Whether `text` is `YYYY-MM-DDTHH:MM:SSZ`, as bodies have it (design 4.7). A leap second is not: most
/// software cannot read one.
pub fn is_time(text: &str) -> bool {
    let Some((date, time)) = text.split_once('T') else { return false };
    let Some(clock) = time.strip_suffix('Z') else { return false };
    let parts: Vec<_> = clock.split(':').collect();
    let in_clock = match parts.as_slice() {
        [hours, minutes, seconds] => {
            digits(hours, 2).is_some_and(|hours| hours < 24)
                && [minutes, seconds]
                    .iter()
                    .all(|part| digits(part, 2).is_some_and(|part| part < 60))
        }
        _ => false,
    };
    date.len() == 10 && is_date(date) && in_clock
}

/// Whether `text` is a year, a month or a day: `2026`, `2026-11`, `2026-11-23`. Sources often know no more.
pub fn is_date(text: &str) -> bool {
    let parts: Vec<_> = text.split('-').collect();
    let number = |part: Option<&&str>, width| part.map(|part| digits(part, width));
    let (year, month, day) =
        (number(parts.first(), 4), number(parts.get(1), 2), number(parts.get(2), 2));
    match (year, month, day) {
        (Some(Some(_)), None, None) => true,
        (Some(Some(_)), Some(Some(month)), None) => (1..=12).contains(&month),
        (Some(Some(year)), Some(Some(month)), Some(Some(day))) if parts.len() == 3 => {
            (1..=days_in(year, month)).contains(&day)
        }
        _ => false,
    }
}

fn digits(text: &str, width: usize) -> Option<u32> {
    let all = text.len() == width && text.bytes().all(|byte| byte.is_ascii_digit());
    if all { text.parse().ok() } else { None }
}

fn days_in(year: u32, month: u32) -> u32 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_times_of_days_that_exist_are_times() {
        for text in ["2026-11-23T10:00:00Z", "2024-02-29T23:59:59Z", "2000-02-29T00:00:00Z"] {
            assert!(is_time(text), "{text}");
        }
        for text in [
            "2026-11-23T10:00:00",
            "2026-11-23 10:00:00Z",
            "2026-11-23T10:00:00.0Z",
            "2026-11-23T10:00Z",
            "2026-02-29T00:00:00Z",
            "1900-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-00-01T00:00:00Z",
            "2026-11-00T00:00:00Z",
            "2026-11-31T00:00:00Z",
            "2026-11-23T24:00:00Z",
            "2026-12-31T23:59:60Z",
            "2026-11T10:00:00Z",
            "+026-11-23T10:00:00Z",
            "2026-11-23T10:00:00+00:00",
            "",
        ] {
            assert!(!is_time(text), "{text}");
        }
    }

    #[test]
    fn a_date_may_be_a_year_or_a_month() {
        assert!(["2015", "2015-06", "2015-06-30"].into_iter().all(is_date));
        assert!(
            !["15", "2015-6", "2015-06-31", "2015-06-30-01", "2015-", "since 2015", ""]
                .into_iter()
                .any(is_date)
        );
    }
}
