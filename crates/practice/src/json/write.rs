//! The canonical form of RFC 8785.

use super::scan::plain_prefix;
use super::{DEPTH_MAX, INTEGER_MAX, InvalidJson, JsonFault, utf16_order};
use serde_json::{Number, Value};

/// Writes `value` in canonical form. Fractions are written as ECMAScript does, though no body may hold
/// one. Refuses U+0000, integers beyond ±(2^53-1) and more than [`DEPTH_MAX`] levels; the error's place is
/// the offset in the output.
pub fn canonical(value: &Value) -> Result<Vec<u8>, InvalidJson> {
    canonical_at(value, 1)
}

/// The same for a value that will stand inside another, its own outermost level being `depth`.
pub(crate) fn canonical_at(value: &Value, depth: usize) -> Result<Vec<u8>, InvalidJson> {
    let mut output = Vec::with_capacity(1024);
    write(value, depth, &mut output).map_err(|fault| InvalidJson { at: output.len(), fault })?;
    Ok(output)
}

fn write(value: &Value, depth: usize, output: &mut Vec<u8>) -> Result<(), JsonFault> {
    match value {
        Value::Null => output.extend_from_slice(b"null"),
        Value::Bool(true) => output.extend_from_slice(b"true"),
        Value::Bool(false) => output.extend_from_slice(b"false"),
        Value::Number(number) => write_number(number, output)?,
        Value::String(text) => write_string(text, output)?,
        Value::Array(_) | Value::Object(_) if depth > DEPTH_MAX => return Err(JsonFault::Depth),
        Value::Array(items) => {
            output.push(b'[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    output.push(b',');
                }
                write(item, depth + 1, output)?;
            }
            output.push(b']');
        }
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by(|(left, _), (right, _)| utf16_order(left.as_bytes(), right.as_bytes()));
            output.push(b'{');
            for (index, (name, member)) in members.into_iter().enumerate() {
                if index > 0 {
                    output.push(b',');
                }
                write_string(name, output)?;
                output.push(b':');
                write(member, depth + 1, output)?;
            }
            output.push(b'}');
        }
    }
    Ok(())
}

fn write_string(text: &str, output: &mut Vec<u8>) -> Result<(), JsonFault> {
    output.push(b'"');
    let mut rest = text.as_bytes();
    loop {
        let (plain, from) = rest.split_at(plain_prefix(rest));
        output.extend_from_slice(plain);
        let Some((&byte, after)) = from.split_first() else { break };
        match byte {
            0 => return Err(JsonFault::Nul),
            b'"' => output.extend_from_slice(b"\\\""),
            b'\\' => output.extend_from_slice(b"\\\\"),
            0x08 => output.extend_from_slice(b"\\b"),
            b'\t' => output.extend_from_slice(b"\\t"),
            b'\n' => output.extend_from_slice(b"\\n"),
            0x0c => output.extend_from_slice(b"\\f"),
            b'\r' => output.extend_from_slice(b"\\r"),
            control => output.extend_from_slice(format!("\\u{control:04x}").as_bytes()),
        }
        rest = after;
    }
    output.push(b'"');
    Ok(())
}

fn write_number(number: &Number, output: &mut Vec<u8>) -> Result<(), JsonFault> {
    let text = match (number.as_i64(), number.as_f64()) {
        (Some(integer), _) if integer.unsigned_abs() <= INTEGER_MAX => integer.to_string(),
        (Some(_), _) => return Err(JsonFault::Number),
        (None, Some(_)) if number.is_f64() => ecmascript(number),
        (None, _) => return Err(JsonFault::Number),
    };
    output.extend_from_slice(text.as_bytes());
    Ok(())
}

/// `Number.prototype.toString` of ECMAScript for a finite number.
///
/// serde_json finds the shortest digits that read back as the same number, the even ones of two that are
/// equally near, as that language wants (Rust's own formatting takes the larger); only the layout differs.
fn ecmascript(number: &Number) -> String {
    let text = number.to_string();
    let (sign, magnitude) = text.strip_prefix('-').map_or(("", text.as_str()), |rest| ("-", rest));
    let (mantissa, exponent) = magnitude.split_once('e').unwrap_or((magnitude, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let significant = all.trim_start_matches('0');
    let digits = significant.trim_end_matches('0');
    if digits.is_empty() {
        return "0".to_owned();
    }
    let length = |text: &str| i32::try_from(text.len()).unwrap_or(i32::MAX);
    let count = length(digits);
    // The decimal point stands after this many digits.
    let point = length(whole) - (length(&all) - length(significant))
        + exponent.parse::<i32>().unwrap_or_default();
    let zeros = |n: i32| "0".repeat(usize::try_from(n).unwrap_or_default());
    let body = if (count..=21).contains(&point) {
        format!("{digits}{}", zeros(point - count))
    } else if (1..=21).contains(&point) {
        let (whole, fraction) = digits.split_at(usize::try_from(point).unwrap_or_default());
        format!("{whole}.{fraction}")
    } else if (-5..=0).contains(&point) {
        format!("0.{}{digits}", zeros(-point))
    } else {
        let (first, rest) = digits.split_at(1);
        let dot = if rest.is_empty() { "" } else { "." };
        format!("{first}{dot}{rest}e{:+}", point - 1)
    };
    format!("{sign}{body}")
}
