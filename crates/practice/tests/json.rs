//! The refusing scanner, the refusing parser and the canonical writer.

#![cfg(test)]

use practice::json::{InvalidJson, JsonFault, canonical, check_canonical, parse};
use proptest::prelude::*;
use serde_json::{Value, json};

fn vectors(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn documents_of_the_jcs_vectors_come_out_byte_for_byte() {
    let vectors = vectors(include_str!("vectors/jcs/documents.json"));
    for case in vectors["cases"].as_array().unwrap() {
        let expected = hex::decode(case["canonical_hex"].as_str().unwrap()).unwrap();
        let input = case["input"].as_str().unwrap();
        // Our own parser refuses 1E30, which a general one reads.
        let mut value =
            parse(input.as_bytes()).unwrap_or_else(|_| serde_json::from_str(input).unwrap());
        if case["name"] == "values" {
            // serde_json reads this one a bit off.
            value["numbers"][0] = json!("333333333.33333329".parse::<f64>().unwrap());
        }
        assert_eq!(canonical(&value).unwrap(), expected, "{}", case["name"]);
        assert_eq!(
            check_canonical(&expected).is_ok(),
            case["name"] != "values",
            "{}",
            case["name"]
        );
    }
}

#[test]
fn numbers_of_rfc_8785_come_out_as_ecmascript_writes_them() {
    let vectors = vectors(include_str!("vectors/jcs/numbers.json"));
    let float =
        |hex: &Value| f64::from_bits(u64::from_str_radix(hex.as_str().unwrap(), 16).unwrap());
    for case in vectors["numbers"].as_array().unwrap() {
        let written = canonical(&json!(float(&case["ieee754"]))).unwrap();
        assert_eq!(String::from_utf8(written).unwrap(), case["json"].as_str().unwrap());
    }
    for bits in vectors["errors"].as_array().unwrap() {
        assert_eq!(serde_json::Number::from_f64(float(bits)), None);
    }
}

#[test]
fn what_is_not_canonical_is_refused_with_its_reason() {
    let fault = |text: &str| check_canonical(text.as_bytes()).unwrap_err().fault;
    assert_eq!(fault(r#"{"a":1,"a":2}"#), JsonFault::Duplicate("a".into()));
    assert_eq!(fault(r#"{"b":1,"a":2}"#), JsonFault::Order("a".into()));
    assert_eq!(fault("{\"\u{fb33}\":1,\"\u{1f602}\":2}"), JsonFault::Order("\u{1f602}".into()));
    assert_eq!(fault(r#"{"a":1,"\n":2}"#), JsonFault::Order("\n".into()));
    for number in [
        "9007199254740992",
        "-9007199254740992",
        "99999999999999999999999",
        "-0",
        "01",
        "-",
        "1.0",
        "1e3",
        "1E3",
        "0.5",
    ] {
        assert_eq!(fault(number), JsonFault::Number, "{number}");
        assert_eq!(fault(&format!("[{number}]")), JsonFault::Number, "{number}");
    }
    for escape in [
        r#""\/""#,
        r#""\u000a""#,
        r#""\u0041""#,
        r#""\u001F""#,
        r#""\ud800""#,
        r#""\ud83d\ude02""#,
        r#""\u007f""#,
        r#""\x""#,
    ] {
        assert_eq!(fault(escape), JsonFault::Escape, "{escape}");
    }
    assert_eq!(fault(r#""\u0000""#), JsonFault::Nul);
    assert_eq!(fault("\"a\0\""), JsonFault::Nul);
    assert_eq!(fault("\"a\tb\""), JsonFault::Unexpected(b'\t'));
    for space in [
        " {}",
        "{ }",
        "[1, 2]",
        "{\"a\": 1}",
        "\u{feff}{}",
        "+1",
        "nul",
        "'a'",
        "[,]",
        "[1,]",
        "{1:2}",
    ] {
        assert!(
            matches!(fault(space), JsonFault::Unexpected(_) | JsonFault::End),
            "{space}: {}",
            fault(space)
        );
    }
    for end in ["", "[", "{", "\"abc", "{\"a\"", "{\"a\":", "\"\\", "tru"] {
        assert!(matches!(fault(end), JsonFault::End | JsonFault::Escape), "{end}");
    }
    for trailing in ["{} ", "{}\n", "1,", "[][]"] {
        assert_eq!(fault(trailing), JsonFault::Trailing, "{trailing}");
    }
}

#[test]
fn bytes_that_are_no_utf8_are_refused_with_their_place() {
    let lone_surrogate = b"\"ab\xed\xa0\x80\"";
    let expected = InvalidJson { at: 3, fault: JsonFault::Utf8 };
    assert_eq!(check_canonical(lone_surrogate).unwrap_err(), expected);
    assert_eq!(parse(lone_surrogate).unwrap_err(), expected);
    assert_eq!(check_canonical(b"\xff\xfe{}").unwrap_err().at, 0);
}

#[test]
fn the_nesting_limit_counts_the_outermost_object_and_deep_json_is_a_plain_error() {
    let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
    let objects = |depth: usize| "{\"a\":".repeat(depth - 1) + "{}" + &"}".repeat(depth - 1);
    for make in [nested as fn(usize) -> String, objects] {
        assert!(check_canonical(make(32).as_bytes()).is_ok());
        assert!(parse(make(32).as_bytes()).is_ok());
        for depth in [33, 10_000, 1_000_000] {
            assert_eq!(
                check_canonical(make(depth).as_bytes()).unwrap_err().fault,
                JsonFault::Depth
            );
            assert!(parse(make(depth).as_bytes()).is_err());
        }
    }
    let mut value = json!(1);
    for _ in 0..33 {
        value = json!([value]);
    }
    assert_eq!(canonical(&value).unwrap_err().fault, JsonFault::Depth);
}

#[test]
fn a_draft_may_be_any_sane_json() {
    let text = "\u{feff}{ \"b\" : 3.0,\n \"a\": [1.5, -0, \"\\u00e9\\ud83d\\ude02\"] }\n";
    assert_eq!(parse(text.as_bytes()).unwrap(), json!({"b": 3, "a": [1.5, 0, "é😂"]}));
    for bad in [
        r#"{"a":1,"a":2}"#,
        r#"{"a":{"b":1,"b":1}}"#,
        "9007199254740992",
        "1e16",
        "1e999",
        r#""\ud800""#,
        r#""\u0000""#,
        r#"{"\u0000":1}"#,
        "{} {}",
        "{a:1}",
        "",
    ] {
        assert!(parse(bad.as_bytes()).is_err(), "{bad}");
    }
    let error = parse(b"{\n \"a\": 1,\n \"a\": 2}").unwrap_err();
    assert!(error.to_string().contains("the member `a` stands twice"), "{error}");
    assert_eq!(&"{\n \"a\": 1,\n \"a\": 2}"[error.at..error.at + 1], "\"");
}

#[test]
fn the_writer_refuses_what_the_scanner_would() {
    for value in [
        json!("\0"),
        json!({"\0": 1}),
        json!(9_007_199_254_740_992_i64),
        json!(u64::MAX),
        json!(i64::MIN),
    ] {
        assert!(canonical(&value).is_err(), "{value}");
    }
}

#[test]
fn members_are_found_by_their_places() {
    let text = br#"{"a":{"x":[{"deep":1}],"y":"z"},"b":[{"x":1}],"c":{}}"#;
    let scan = check_canonical(text).unwrap();
    let names: Vec<_> = scan.members().map(|member| scan.slice(&member.name)).collect();
    assert_eq!(names, [b"a", b"b", b"c"]);
    let a = scan.get("a").unwrap();
    assert_eq!(scan.inner(a).count(), 2);
    assert_eq!(scan.slice(&scan.get_inner(a, "y").unwrap().value), b"\"z\"");
    assert_eq!(scan.inner(scan.get("b").unwrap()).count(), 0);
    assert_eq!(scan.inner(scan.get("c").unwrap()).count(), 0);
    assert!(scan.get("x").is_none() && scan.get_inner(a, "deep").is_none());
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-9_007_199_254_740_991_i64..=9_007_199_254_740_991).prop_map(Value::from),
        "[^\\x00]{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::hash_map("[^\\x00]{0,6}", inner, 0..6)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn what_the_writer_writes_the_scanner_accepts_and_the_parser_reads_back(value in any_json()) {
        let bytes = canonical(&value).unwrap();
        prop_assert!(check_canonical(&bytes).is_ok());
        prop_assert_eq!(parse(&bytes).unwrap(), value);
    }

    #[test]
    fn what_the_scanner_accepts_is_what_the_writer_writes(value in any_json(), at in any::<prop::sample::Index>(), byte: u8) {
        let mut bytes = canonical(&value).unwrap();
        let at = at.index(bytes.len());
        bytes[at] = byte;
        if check_canonical(&bytes).is_ok() {
            prop_assert_eq!(canonical(&parse(&bytes).unwrap()).unwrap(), bytes);
        }
    }
}
