//! Decimal numbers as the C2SP texts write them: digits only, no sign, no leading zero.

/// Reads `text` as such a number; `None` if it is anything else or does not fit.
pub(crate) fn parse(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let canonical = text == "0" || !text.starts_with('0');
    if digits && canonical { text.parse().ok() } else { None }
}
