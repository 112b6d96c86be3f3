//! Resumption tokens: the whole state of a list, carried by the harvester. Nothing is kept here, so a
//! token never expires; a token that somebody changed asks for another list, to which anybody has a right.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::request::{Format, List, is_set};

/// The first member, so that a later release can write others.
const VERSION: &str = "1";
/// Longest token that is read.
const BYTES_MAX: usize = 1_024;

/// The token that goes on with `list`. Seven members, joined by blanks: version, prefix, from, until, set,
/// number of the change given last, records given before; `-` stands for none.
pub(super) fn write(list: &List) -> String {
    let number =
        |number: Option<u64>| number.map_or_else(|| "-".to_owned(), |number| number.to_string());
    let (from, until) = (number(list.from), number(list.until));
    let set = list.set.as_deref().unwrap_or("-");
    let prefix = list.format.prefix();
    let text = format!("{VERSION} {prefix} {from} {until} {set} {} {}", list.after, list.cursor);
    URL_SAFE_NO_PAD.encode(text)
}

/// Reads a token.
pub(super) fn read(token: &str) -> Option<List> {
    if token.len() > BYTES_MAX {
        return None;
    }
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    let members: Vec<&str> = text.split(' ').collect();
    let [VERSION, prefix, from, until, set, after, cursor] = members.as_slice() else {
        return None;
    };
    let number = |text: &str| match text {
        "-" => Some(None),
        _ => wire::paths::number(text).map(Some),
    };
    let set = Some(*set).filter(|set| *set != "-");
    let list = List {
        format: Format::parse(prefix)?,
        from: number(from)?,
        until: number(until)?,
        set: set.map(str::to_owned),
        after: wire::paths::number(after)?,
        cursor: wire::paths::number(cursor)?,
    };
    set.is_none_or(is_set).then_some(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_holds_the_whole_list() {
        let list = List {
            format: Format::Practice,
            from: Some(1_795_435_200),
            until: None,
            set: Some("state:PY".to_owned()),
            after: 1_795_435_200 << 20,
            cursor: 300,
        };
        assert_eq!(read(&write(&list)), Some(list.clone()));
        let bare = List { from: None, set: None, format: Format::DublinCore, ..list };
        assert_eq!(read(&write(&bare)), Some(bare));
    }

    #[test]
    fn what_is_no_token_is_none() {
        let encoded = |text: &str| URL_SAFE_NO_PAD.encode(text);
        for token in [
            String::new(),
            "%".to_owned(),
            encoded("1 oai_dc - - - 0"),
            encoded("1 oai_dc - - - 0 0 0"),
            encoded("2 oai_dc - - - 0 0"),
            encoded("1 marc - - - 0 0"),
            encoded("1 oai_dc -1 - - 0 0"),
            encoded("1 oai_dc - - a<b 0 0"),
            encoded("1 oai_dc - - - 99999999999999999999 0"),
            "A".repeat(2_000),
        ] {
            assert_eq!(read(&token), None, "{token}");
        }
    }
}
