//! Days as people write them, made `2026-11-23`, `2026-11` or `2026`.

/// The day, month or year that `text` names, or `None` if it is no date or could be two.
///
/// Read are `2026`, `2026-11`, `2026-11-23` with `-`, `/` or `.` between, `2026年11月23日`, a day
/// first as `23.11.2026` when no other reading is possible, and the digits of Arabic and Persian.
pub(super) fn day(text: &str) -> Option<String> {
    let text: String = text.trim().chars().map(ascii_digit).collect();
    let text = text.split(['T', ' ']).next().unwrap_or_default();
    let parts: Vec<&str> =
        text.split(['-', '/', '.', '年', '月', '日']).filter(|part| !part.is_empty()).collect();
    match *parts.as_slice() {
        [year] => Some(format!("{:04}", whole_year(year)?)),
        [year, month] if year.len() == 4 => made(whole_year(year)?, Some(small(month)?), None),
        [month, year] => made(whole_year(year)?, Some(small(month)?), None),
        [year, month, day] if year.len() == 4 => {
            made(whole_year(year)?, Some(small(month)?), Some(small(day)?))
        }
        [first, second, year] => {
            let (first, second, year) = (small(first)?, small(second)?, whole_year(year)?);
            match (first, second) {
                (13.., 1..=12) => made(year, Some(second), Some(first)),
                (1..=12, 13..) => made(year, Some(first), Some(second)),
                (same, other) if same == other => made(year, Some(same), Some(same)),
                _ => None,
            }
        }
        _ => None,
    }
}

fn made(year: u16, month: Option<u8>, day: Option<u8>) -> Option<String> {
    let Some(month) = month else { return Some(format!("{year:04}")) };
    let Some(day) = day else {
        return (1..=12).contains(&month).then(|| format!("{year:04}-{month:02}"));
    };
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let last = match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => 31,
        4 | 6 | 9 | 11 => 30,
        2 if leap => 29,
        2 => 28,
        _ => return None,
    };
    (1..=last).contains(&day).then(|| format!("{year:04}-{month:02}-{day:02}"))
}

fn whole_year(text: &str) -> Option<u16> {
    let year: u16 = (text.len() == 4).then(|| text.parse().ok())??;
    (1800..=2200).contains(&year).then_some(year)
}

fn small(text: &str) -> Option<u8> {
    (text.len() <= 2).then(|| text.parse().ok())?
}

/// Arabic-Indic and Persian digits as ASCII; anything else unchanged.
pub(super) fn ascii_digit(c: char) -> char {
    let zero = match c {
        '\u{660}'..='\u{669}' => 0x660,
        '\u{6f0}'..='\u{6f9}' => 0x6f0,
        '\u{ff10}'..='\u{ff19}' => 0xff10,
        _ => return c,
    };
    char::from_digit(u32::from(c) - zero, 10).unwrap_or(c)
}

#[cfg(test)]
mod tests {
    use super::day;

    #[test]
    fn dates_are_read_as_people_write_them() {
        for (written, meant) in [
            ("2026", "2026"),
            ("2026-11", "2026-11"),
            ("2026-11-23", "2026-11-23"),
            ("2026/1/3", "2026-01-03"),
            ("11/2026", "2026-11"),
            ("23.11.2026", "2026-11-23"),
            ("11/23/2026", "2026-11-23"),
            ("05/05/2026", "2026-05-05"),
            ("2026年11月23日", "2026-11-23"),
            ("٢٠٢٦-١١-٢٣", "2026-11-23"),
            ("2024-02-29", "2024-02-29"),
            ("2026-11-23 00:00:00", "2026-11-23"),
        ] {
            assert_eq!(day(written).as_deref(), Some(meant), "{written}");
        }
    }

    #[test]
    fn what_could_be_two_days_or_none_is_refused() {
        for written in [
            "",
            "05/06/2026",
            "2026-13",
            "2026-02-29",
            "soon",
            "26",
            "12345",
            "2026-11-23-01",
            "-5",
        ] {
            assert_eq!(day(written), None, "{written}");
        }
    }
}
