//! Reading what somebody typed or exported: any sane JSON, without duplicate members.

use super::{DEPTH_MAX, INTEGER_MAX, InvalidJson, JsonFault};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::fmt;

/// Reads JSON that need not be canonical: white space and any order of members are fine, a byte order mark
/// is skipped, `3.0` is 3. Duplicate members, U+0000, lone surrogates, integers beyond ±(2^53-1) and more
/// than [`DEPTH_MAX`] levels are refused. Fractions are read, so that a draft's faults can be located.
pub fn parse(bytes: &[u8]) -> Result<Value, InvalidJson> {
    let text = bytes.strip_prefix("\u{feff}".as_bytes()).unwrap_or(bytes);
    if let Err(error) = std::str::from_utf8(text) {
        return Err(InvalidJson {
            at: bytes.len() - text.len() + error.valid_up_to(),
            fault: JsonFault::Utf8,
        });
    }
    let mut reader = serde_json::Deserializer::from_slice(text);
    Node { depth: 1 }
        .deserialize(&mut reader)
        .and_then(|value| reader.end().map(|()| value))
        .map_err(|error| located(&error, bytes, text))
}

/// Turns the parser's line and column into a byte offset.
fn located(error: &serde_json::Error, bytes: &[u8], text: &[u8]) -> InvalidJson {
    let lines = text.split_inclusive(|&byte| byte == b'\n').take(error.line().saturating_sub(1));
    let before: usize = lines.map(<[u8]>::len).sum();
    InvalidJson {
        at: bytes.len() - text.len() + before + error.column().saturating_sub(1),
        fault: JsonFault::Syntax(error.to_string()),
    }
}

/// One value; `depth` is that of an object or array beginning here.
#[derive(Clone, Copy)]
struct Node {
    depth: usize,
}

impl Node {
    fn below<E: Error>(self) -> Result<Self, E> {
        if self.depth > DEPTH_MAX {
            return Err(E::custom(JsonFault::Depth));
        }
        Ok(Self { depth: self.depth + 1 })
    }
}

impl<'de> DeserializeSeed<'de> for Node {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Node {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Value, E> {
        if value.unsigned_abs() > INTEGER_MAX {
            Err(E::custom(JsonFault::Number))
        } else {
            Ok(value.into())
        }
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Value, E> {
        if value > INTEGER_MAX { Err(E::custom(JsonFault::Number)) } else { Ok(value.into()) }
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        if value.fract() == 0.0 {
            // Exact: an f64 without fraction prints all its digits.
            let digits = format!("{value:.0}");
            let integer = digits.parse::<i64>().map_err(|_| E::custom(JsonFault::Number))?;
            return self.visit_i64(integer);
        }
        Number::from_f64(value).map(Value::Number).ok_or_else(|| E::custom(JsonFault::Number))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Value, E> {
        self.visit_string(value.to_owned())
    }

    fn visit_string<E: Error>(self, value: String) -> Result<Value, E> {
        if value.contains('\0') { Err(E::custom(JsonFault::Nul)) } else { Ok(Value::String(value)) }
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(below)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let below = self.below()?;
        let mut object = Map::new();
        while let Some(name) = members.next_key::<String>()? {
            if name.contains('\0') {
                return Err(A::Error::custom(JsonFault::Nul));
            }
            if object.contains_key(&name) {
                return Err(A::Error::custom(JsonFault::Duplicate(name)));
            }
            let value = members.next_value_seed(below)?;
            object.insert(name, value);
        }
        Ok(Value::Object(object))
    }
}
