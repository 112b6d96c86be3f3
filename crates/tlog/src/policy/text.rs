//! The text of a policy, read line by line and written back.

use super::{
    Group, InvalidPolicy, Log, Named, POLICY_BYTES_MAX, Policy, PolicyDraft, PolicyFault, Witness,
    Word, excerpt,
};
use crate::decimal;
use crate::key::{InvalidVerifierKey, VerifierKey};
use std::fmt::Display;

impl Policy {
    /// Reads a policy; every line must be well formed and end in a newline.
    pub fn parse(octets: &[u8]) -> Result<Self, InvalidPolicy> {
        if octets.len() > POLICY_BYTES_MAX {
            let fault = PolicyFault::Bytes { bytes: octets.len() };
            return Err(InvalidPolicy { line: 1, fault });
        }
        let lines: Vec<&[u8]> = octets.split(|octet| *octet == b'\n').collect();
        let at = |line: usize| move |fault| InvalidPolicy { line, fault };
        let (last, lines) = lines.split_last().unwrap_or((&octets, &[]));
        if !last.is_empty() {
            return Err(at(lines.len() + 1)(PolicyFault::Unfinished));
        }
        let mut draft = PolicyDraft::default();
        for (index, line) in lines.iter().enumerate() {
            read_line(&mut draft, line).map_err(at(index + 1))?;
        }
        draft.finish().map_err(at(lines.len()))
    }

    /// The text: logs first, then witnesses and groups in their order, then the quorum.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut text = Vec::new();
        for log in &self.logs {
            write_line(&mut text, "log", &[log.key.to_string().as_bytes()], &[], log.url.as_ref());
        }
        for named in &self.named {
            match named {
                Named::Witness(Witness { name, key, url }) => {
                    let key = key.to_string();
                    let words = [name.as_bytes(), key.as_bytes()];
                    write_line(&mut text, "witness", &words, &[], url.as_ref());
                }
                Named::Group(Group { name, threshold, members }) => {
                    let threshold = threshold.to_string();
                    let words = [name.as_bytes(), threshold.as_bytes()];
                    write_line(&mut text, "group", &words, members, None);
                }
            }
        }
        write_line(&mut text, "quorum", &[self.quorum.as_bytes()], &[], None);
        text
    }
}

fn write_line(text: &mut Vec<u8>, key: &str, words: &[&[u8]], more: &[Word], url: Option<&Word>) {
    text.extend_from_slice(key.as_bytes());
    let more = more.iter().chain(url).map(Word::as_bytes);
    for word in words.iter().copied().chain(more) {
        text.push(b' ');
        text.extend_from_slice(word);
    }
    text.push(b'\n');
}

fn read_line(draft: &mut PolicyDraft, line: &[u8]) -> Result<(), PolicyFault> {
    let control = |octet: &&u8| matches!(octet, 0..=0x08 | 0x0b..=0x1f | 0x7f);
    if let Some(&octet) = line.iter().find(control) {
        return Err(PolicyFault::Control { octet });
    }
    let words: Vec<&[u8]> =
        line.split(|octet| matches!(octet, b' ' | b'\t')).filter(|word| !word.is_empty()).collect();
    let no_line = || PolicyFault::Line { line: excerpt(line) };
    match words.as_slice() {
        [] => Ok(()),
        [first, ..] if first.starts_with(b"#") => Ok(()),
        [b"log", key, url @ ..] => draft.log(Log { key: vkey(key)?, url: one(url, no_line)? }),
        [b"witness", name, key, url @ ..] => draft.witness(Witness {
            name: Word::new(name)?,
            key: vkey(key)?,
            url: one(url, no_line)?,
        }),
        [b"group", name, threshold, members @ ..] if !members.is_empty() => {
            let threshold = match *threshold {
                b"all" => members.len(),
                b"any" => 1,
                k => number(k).ok_or_else(no_line)?,
            };
            let members =
                members.iter().map(|member| Word::new(member)).collect::<Result<_, _>>()?;
            draft.group(Group { name: Word::new(name)?, threshold, members })
        }
        [b"quorum", name] => draft.quorum(Word::new(name)?),
        _ => Err(no_line()),
    }
}

/// The address at the end of a line, if there is one.
fn one(url: &[&[u8]], no_line: impl Fn() -> PolicyFault) -> Result<Option<Word>, PolicyFault> {
    match url {
        [] => Ok(None),
        [url] => Word::new(url).map(Some),
        _ => Err(no_line()),
    }
}

fn vkey(octets: &[u8]) -> Result<VerifierKey, PolicyFault> {
    let malformed = || InvalidVerifierKey::Malformed { text: excerpt(octets) };
    Ok(VerifierKey::parse(std::str::from_utf8(octets).map_err(|_| malformed())?)?)
}

fn number(octets: &[u8]) -> Option<usize> {
    usize::try_from(decimal::parse(std::str::from_utf8(octets).ok()?)?).ok()
}

impl Display for Policy {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.to_bytes()))
    }
}
