//! Signed notes: a text and the lines of those who signed it (C2SP signed-note v1.0.0).
//!
//! Parsing says nothing about who signed; [`Note::verify`] does, for the keys one knows. Lines by other
//! keys are kept and mean nothing.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;

use crate::cosignature;
use crate::ed25519::{PublicKey, Signature, SigningKey};
use crate::key::{KeyKind, VerifierKey};
use crate::name::{InvalidName, KeyName};

/// The longest note, text and lines: room for a checkpoint and some thirty cosignatures (design 4.7).
pub const NOTE_BYTES_MAX: usize = 4096;

/// The most signature lines, as in Go's implementation, which everybody's notes pass through.
pub const NOTE_LINES_MAX: usize = 100;

/// A text and at least one signature line. Made by [`Note::parse`] or [`sign_note`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Note {
    /// What was signed: lines, each with its newline.
    pub text: String,
    /// Who says to have signed it, in the order of the note.
    pub signatures: Vec<SignatureLine>,
}

impl Note {
    /// A note with one signature line, which is not checked here.
    pub fn new(text: impl Into<String>, line: SignatureLine) -> Result<Self, InvalidNote> {
        let text = text.into();
        check_text(&text)?;
        Self { text, signatures: vec![line] }.within_limits()
    }

    /// Reads a note; signatures are not checked.
    pub fn parse(bytes: &[u8]) -> Result<Self, InvalidNote> {
        if bytes.len() > NOTE_BYTES_MAX {
            return Err(InvalidNote::Bytes { bytes: bytes.len() });
        }
        let note = std::str::from_utf8(bytes).map_err(|_| InvalidNote::NotUtf8)?;
        check_characters(note)?;
        // The text may have empty lines of its own: the last one is the separator.
        let separator = note.rfind("\n\n").ok_or(InvalidNote::NoSignatures)?;
        let (text, rest) = note.split_at_checked(separator + 1).ok_or(InvalidNote::NoSignatures)?;
        let lines = rest.strip_prefix('\n').and_then(|lines| lines.strip_suffix('\n'));
        let lines = lines.ok_or(InvalidNote::NoSignatures)?;
        if lines.split('\n').count() > NOTE_LINES_MAX {
            return Err(InvalidNote::TooManyLines);
        }
        let signatures = lines.split('\n').map(SignatureLine::parse).collect::<Result<_, _>>()?;
        Ok(Self { text: text.to_owned(), signatures })
    }

    /// The bytes, as they are served and stored.
    pub fn to_bytes(&self) -> Vec<u8> {
        self.to_string().into_bytes()
    }

    /// Checks every line that is by one of `keys` and says by which of them the note is signed, each once.
    ///
    /// A single such line that does not verify makes the whole note bad, even beside a good one of the
    /// same key: it shows that somebody tampered. No such line at all is an error too.
    pub fn verify<'k>(&self, keys: &'k [VerifierKey]) -> Result<Vec<Signed<'k>>, UnverifiedNote> {
        let mut signed: Vec<Signed<'k>> = Vec::new();
        for line in &self.signatures {
            for key in keys.iter().filter(|key| line.is_by(key)) {
                let time = line.verify(&self.text, key)?;
                match signed.iter_mut().find(|earlier| earlier.key == key) {
                    Some(earlier) => earlier.time = earlier.time.max(time),
                    None => signed.push(Signed { key, time }),
                }
            }
        }
        if signed.is_empty() { Err(UnverifiedNote::NoKnownKey) } else { Ok(signed) }
    }

    /// The text, if `key` signed it.
    pub fn text_signed_by(&self, key: &VerifierKey) -> Result<&str, UnverifiedNote> {
        self.verify(std::slice::from_ref(key)).map(|_| self.text.as_str())
    }

    /// Adds a signature line, which the caller has verified. A line that is there already is not repeated.
    pub fn add(&mut self, line: SignatureLine) -> Result<(), InvalidNote> {
        if !self.signatures.contains(&line) {
            let mut longer = self.clone();
            longer.signatures.push(line);
            *self = longer.within_limits()?;
        }
        Ok(())
    }

    fn within_limits(self) -> Result<Self, InvalidNote> {
        if self.signatures.len() > NOTE_LINES_MAX {
            return Err(InvalidNote::TooManyLines);
        }
        let bytes = self.to_string().len();
        if bytes > NOTE_BYTES_MAX { Err(InvalidNote::Bytes { bytes }) } else { Ok(self) }
    }
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// Makes a note of `text`, signed under `name`.
pub fn sign_note(text: &str, name: KeyName, key: &SigningKey) -> Result<Note, InvalidNote> {
    sign_note_with(text, name, key.public(), &|message| key.sign(message))
}

/// Makes a note of `text`, signed under `name` by whoever holds the secret half of `key`.
pub fn sign_note_with(
    text: &str,
    name: KeyName,
    key: PublicKey,
    sign: &dyn Fn(&[u8]) -> Signature,
) -> Result<Note, InvalidNote> {
    check_text(text)?;
    let key = VerifierKey::note(name, key);
    Note::new(text, SignatureLine::note(&key, &sign(text.as_bytes())))
}

/// One line `— NAME BASE64`: who signed, with which key, and the signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignatureLine {
    /// The name the key signs under.
    pub name: KeyName,
    /// The key id.
    pub id: u32,
    /// The signature, of a length that the kind of key decides.
    pub bytes: Vec<u8>,
}

impl SignatureLine {
    /// The line of a key that signed the text of a note.
    pub fn note(key: &VerifierKey, signature: &Signature) -> Self {
        Self { name: key.name.clone(), id: key.id, bytes: signature.as_bytes().to_vec() }
    }

    /// Reads a line without its newline.
    pub fn parse(line: &str) -> Result<Self, InvalidNote> {
        let malformed = || InvalidNote::Line { line: line.chars().take(120).collect() };
        let (name, base64) = line
            .strip_prefix("\u{2014} ")
            .and_then(|rest| rest.split_once(' '))
            .ok_or_else(malformed)?;
        let bytes = BASE64.decode(base64).map_err(|_| malformed())?;
        let (id, signature) = bytes.split_first_chunk().ok_or_else(malformed)?;
        if signature.is_empty() {
            return Err(malformed());
        }
        Ok(Self {
            name: KeyName::parse(name)?,
            id: u32::from_be_bytes(*id),
            bytes: signature.to_vec(),
        })
    }

    /// Whether it says to be by `key`: name and id decide, both.
    pub fn is_by(&self, key: &VerifierKey) -> bool {
        self.name == key.name && self.id == key.id
    }

    /// Checks that `key` signed `text` here; answers with the time if it is a cosignature.
    pub fn verify(&self, text: &str, key: &VerifierKey) -> Result<Option<u64>, UnverifiedNote> {
        let bad = || UnverifiedNote::BadLine { name: self.name.clone(), id: self.id };
        if !self.is_by(key) {
            return Err(bad());
        }
        match key.kind {
            KeyKind::Ed25519 => {
                let signature = Signature::from_slice(&self.bytes).map_err(|_| bad())?;
                key.key.verify_strict(text.as_bytes(), &signature).map_err(|_| bad())?;
                Ok(None)
            }
            KeyKind::Cosignature => {
                cosignature::verify(self, text, key).map(Some).map_err(|_| bad())
            }
        }
    }
}

impl fmt::Display for SignatureLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut bytes = self.id.to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.bytes);
        write!(f, "\u{2014} {} {}", self.name, BASE64.encode(bytes))
    }
}

/// A known key by which a note is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signed<'k> {
    /// The key.
    pub key: &'k VerifierKey,
    /// When, in seconds since 1970, if it cosigned; the newest if it did more than once.
    pub time: Option<u64>,
}

/// Why some bytes are not a signed note.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidNote {
    /// Longer than [`NOTE_BYTES_MAX`].
    #[error("a note has at most 4096 bytes, not {bytes}")]
    Bytes {
        /// How many it has.
        bytes: usize,
    },
    /// Not UTF-8.
    #[error("the note is not UTF-8")]
    NotUtf8,
    /// A control character other than newline.
    #[error("the note contains the control character U+{:04X}; only newlines are allowed", u32::from(*character))]
    Control {
        /// The character.
        character: char,
    },
    /// No text that ends in a newline.
    #[error("the text of a note must end in a newline")]
    Text,
    /// No empty line, nothing after it, or no newline at the end.
    #[error(
        "the note has no signature lines: a text, an empty line and lines such as `— NAME BASE64` are expected"
    )]
    NoSignatures,
    /// More than [`NOTE_LINES_MAX`] signature lines.
    #[error("the note has more than 100 signature lines")]
    TooManyLines,
    /// Not `— NAME BASE64`.
    #[error("`{line}` is no signature line, which reads `— NAME BASE64`")]
    Line {
        /// The beginning of the line.
        line: String,
    },
    /// A signature line with a name that no key may have.
    #[error(transparent)]
    Name(#[from] InvalidName),
}

/// Why a note is not signed by anybody one knows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnverifiedNote {
    /// A line by a known key is not a signature of this text.
    #[error(
        "the signature line of `{name}` (key {id:08x}) does not fit the note; the note was altered or forged"
    )]
    BadLine {
        /// Whose line it says to be.
        name: KeyName,
        /// The key id it says.
        id: u32,
    },
    /// None of the lines is by a known key.
    #[error("the note is not signed by any key we know")]
    NoKnownKey,
}

fn check_text(text: &str) -> Result<(), InvalidNote> {
    check_characters(text)?;
    if text.ends_with('\n') { Ok(()) } else { Err(InvalidNote::Text) }
}

fn check_characters(text: &str) -> Result<(), InvalidNote> {
    match text.chars().find(|&character| character < ' ' && character != '\n') {
        Some(character) => Err(InvalidNote::Control { character }),
        None => Ok(()),
    }
}
