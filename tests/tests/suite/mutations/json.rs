//! Every member of a JSON document at any depth: left out, null, of another type or value, twice, renamed,
//! as a neighbour has it; and one member more in every object.

use serde_json::Value;

use super::trial::Mutation;

/// Where a value stands.
#[derive(Clone, Debug)]
enum Step {
    Member(String),
    Item(usize),
}

/// What is written where the value stood; raw JSON.
enum Change {
    /// These values one after the other, each under the name again; none leaves it out.
    Values(Vec<String>),
    /// The value under another name.
    Name(String),
    /// One member more in the object that the value is.
    More(&'static str),
}

/// All mutations of a document whose members stand in the order of `bytes`, written without white space.
pub(crate) fn mutations(bytes: &[u8], neighbour: Option<&[u8]>) -> Vec<Mutation> {
    let document: Value = serde_json::from_slice(bytes).unwrap();
    let neighbour = neighbour.map(|bytes| serde_json::from_slice(bytes).unwrap());
    let mut all = Vec::new();
    walk(&document, neighbour.as_ref(), &document, &mut Vec::new(), &mut all);
    all
}

/// The same, of what stands at `pointer` and below only.
pub(crate) fn mutations_below(bytes: &[u8], neighbour: &[u8], pointer: &str) -> Vec<Mutation> {
    let mut all = mutations(bytes, Some(neighbour));
    all.retain(|mutation| mutation.what.starts_with(pointer));
    all
}

fn walk(
    document: &Value,
    neighbour: Option<&Value>,
    value: &Value,
    place: &mut Vec<Step>,
    all: &mut Vec<Mutation>,
) {
    let shown = pointer(place);
    let mut add = |what: String, change: Change| {
        let mut out = String::new();
        render(document, Some(place), &change, &mut out);
        all.push(Mutation::new(format!("{shown}: {what}"), out));
    };
    let raw = value.to_string();
    if !place.is_empty() {
        add("left out".to_owned(), Change::Values(Vec::new()));
        add("twice".to_owned(), Change::Values(vec![raw.clone(), raw.clone()]));
        for (what, other) in others(value) {
            add(what.to_owned(), Change::Values(vec![other.clone()]));
            if what == "null" {
                add(
                    "twice, null first".to_owned(),
                    Change::Values(vec![other.clone(), raw.clone()]),
                );
                add("twice, null last".to_owned(), Change::Values(vec![raw.clone(), other]));
            }
        }
    }
    let theirs = neighbour.and_then(|other| other.pointer(&pointer(place)));
    if let Some(theirs) = theirs.filter(|theirs| *theirs != value) {
        let theirs = theirs.to_string();
        add("the neighbour's".to_owned(), Change::Values(vec![theirs.clone()]));
        if !place.is_empty() {
            let both = vec![raw, theirs];
            add("the neighbour's too".to_owned(), Change::Values(both));
        }
    }
    if let Some(Step::Member(name)) = place.last() {
        for other in [name.to_uppercase(), format!("{name}x"), format!(" {name}"), String::new()] {
            add(format!("named `{other}`"), Change::Name(other));
        }
    }
    if value.is_object() {
        for more in [r#""~":1"#, r#""~":null"#, r#""~":{"~":[]}"#] {
            add(format!("one member more, {more}"), Change::More(more));
        }
    }
    let below: Vec<(Step, &Value)> = match value {
        Value::Object(members) => {
            members.iter().map(|(name, value)| (Step::Member(name.clone()), value)).collect()
        }
        Value::Array(items) => {
            items.iter().enumerate().map(|(at, value)| (Step::Item(at), value)).collect()
        }
        _ => Vec::new(),
    };
    for (step, value) in below {
        place.push(step);
        walk(document, neighbour, value, place, all);
        place.pop();
    }
}

/// Other values, as raw JSON.
fn others(value: &Value) -> Vec<(&'static str, String)> {
    let raw = value.to_string();
    let mut others = vec![
        ("null", "null".to_owned()),
        ("true", "true".to_owned()),
        ("in a list", format!("[{raw}]")),
        ("in an object", format!("{{\"v\":{raw}}}")),
        ("nothing", String::new()),
        ("another type, {}", "{}".to_owned()),
        ("another type, []", "[]".to_owned()),
        ("another type, 7", "7".to_owned()),
        ("another type, \"7\"", "\"7\"".to_owned()),
        ("with white space", format!(" {raw}")),
    ];
    match value {
        Value::String(text) => others.extend(texts(text)),
        Value::Number(number) => {
            let number = number.as_i64().unwrap();
            let numbers = [number + 1, number - 1, -number, 0, 1 << 53, (1 << 53) - 1, i64::MAX];
            others.extend(numbers.map(|other| ("another number", other.to_string())));
            let spelt = [format!("\"{raw}\""), format!("{raw}.0"), format!("{raw}e0")];
            others.extend(spelt.map(|other| ("spelt otherwise", other)));
            others.push(("a zero before", format!("0{raw}")));
            others.push(("above 2^64", "18446744073709551616".to_owned()));
        }
        Value::Array(items) => {
            let list = |items: Vec<Value>| Value::Array(items).to_string();
            let turned = items.iter().rev().cloned().collect();
            others.push(("turned round", list(turned)));
            others.push(("all twice", list(items.iter().chain(items).cloned().collect())));
            others.push(("null besides", list([items.as_slice(), &[Value::Null]].concat())));
        }
        Value::Bool(bool) => others.push(("the opposite", (!bool).to_string())),
        _ => {}
    }
    others
}

fn texts(text: &str) -> Vec<(&'static str, String)> {
    let string = |text: &str| Value::from(text).to_string();
    let shorter: String = text.chars().take(text.chars().count().saturating_sub(1)).collect();
    let turned: String = text.chars().rev().collect();
    let replaced = |from: usize| {
        let change = |(at, c): (usize, char)| match c {
            'a' if at == from => 'b',
            _ if at == from => 'a',
            c => c,
        };
        text.chars().enumerate().map(change).collect::<String>()
    };
    let middle = text.chars().count() / 2;
    let mut texts = vec![
        ("empty", string("")),
        ("longer", string(&format!("{text}x"))),
        ("with a space", string(&format!("{text} "))),
        ("with U+0000", string(&format!("{text}\0"))),
        ("shorter", string(&shorter)),
        ("turned round", string(&turned)),
        ("upper case", string(&text.to_uppercase())),
        ("lower case", string(&text.to_lowercase())),
        ("another first character", string(&replaced(0))),
        ("another character", string(&replaced(middle))),
        ("a lone surrogate", format!("\"{text}\\ud800\"")),
    ];
    if let Some(first) = text.chars().next().filter(char::is_ascii) {
        let rest = string(&text[1..]);
        let spelt = format!("\"\\u{:04x}{}", u32::from(first), &rest[1..]);
        texts.push(("spelt otherwise", spelt));
    }
    texts
}

fn pointer(place: &[Step]) -> String {
    let step = |step: &Step| match step {
        Step::Member(name) => format!("/{}", name.replace('~', "~0").replace('/', "~1")),
        Step::Item(at) => format!("/{at}"),
    };
    place.iter().map(step).collect()
}

/// Writes a value; at the end of `place`, if this is on its way, with the change.
fn render(value: &Value, place: Option<&[Step]>, change: &Change, out: &mut String) {
    let (here, rest) = match place {
        None => return out.push_str(&value.to_string()),
        Some([]) => return outermost(value, change, out),
        Some([here, rest @ ..]) => (here, rest),
    };
    let mut parts: Vec<String> = Vec::new();
    let mut put = |name: Option<&str>, value: &Value, at_it: bool| {
        let key = |name: &str| format!("{}:", Value::from(name));
        let prefix = name.map(key).unwrap_or_default();
        match (at_it && rest.is_empty(), change) {
            (true, Change::Values(values)) => {
                parts.extend(values.iter().map(|value| format!("{prefix}{value}")));
            }
            (true, Change::Name(other)) => parts.push(format!("{}{value}", key(other))),
            _ => {
                let mut inner = prefix;
                render(value, at_it.then_some(rest), change, &mut inner);
                parts.push(inner);
            }
        }
    };
    let (open, close) = match value {
        Value::Object(members) => {
            for (name, value) in members {
                put(Some(name), value, matches!(here, Step::Member(step) if step == name));
            }
            ('{', '}')
        }
        Value::Array(items) => {
            for (at, value) in items.iter().enumerate() {
                put(None, value, matches!(here, Step::Item(step) if *step == at));
            }
            ('[', ']')
        }
        _ => unreachable!("a place leads through objects and lists"),
    };
    out.push(open);
    out.push_str(&parts.join(","));
    out.push(close);
}

fn outermost(value: &Value, change: &Change, out: &mut String) {
    match change {
        Change::More(more) => {
            let text = value.to_string();
            let inside = text.strip_suffix('}').unwrap();
            let comma = if inside.len() > 1 { "," } else { "" };
            out.push_str(&format!("{inside}{comma}{more}}}"));
        }
        Change::Values(values) => out.push_str(&values.concat()),
        Change::Name(_) => out.push_str(&value.to_string()),
    }
}
