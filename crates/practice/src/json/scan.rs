//! One pass over received bytes: are they their own canonical form, and where are their members?

use super::{DEPTH_MAX, INTEGER_MAX, InvalidJson, JsonFault, utf16_order};
use std::cmp::Ordering;
use std::ops::Range;

/// Members at this depth and above are noted in a [`Scan`]: those of the outermost object and of the
/// objects in it, which is where a body keeps all that its structure depends on.
const NOTED_LEVELS: usize = 2;

/// Room for the members of an ordinary record, so that noting them allocates once.
const MEMBERS_EXPECTED: usize = 64;

/// Canonical bytes together with the places of their members.
#[derive(Clone, Debug)]
pub struct Scan<'a> {
    bytes: &'a [u8],
    members: Vec<Member>,
}

/// Where one member of an object stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    level: usize,
    /// The bytes of the name between its quotes, escapes as written.
    pub name: Range<usize>,
    /// The bytes of the value.
    pub value: Range<usize>,
}

impl<'a> Scan<'a> {
    /// The bytes that were read.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The bytes at `span`, empty where there are none.
    pub fn slice(&self, span: &Range<usize>) -> &'a [u8] {
        self.bytes.get(span.clone()).unwrap_or_default()
    }

    /// The members of the outermost object, in their order; none if it is no object.
    pub fn members(&self) -> impl Iterator<Item = &Member> + Clone {
        self.members.iter().filter(|member| member.level == 1)
    }

    /// The members of the object that is the value of `outer`, in their order; none if it is no object.
    pub fn inner(&self, outer: &Member) -> impl Iterator<Item = &Member> + Clone {
        let span = outer.value.clone();
        self.members
            .iter()
            .filter(move |member| member.level == 2 && span.contains(&member.name.start))
    }

    /// The member of the outermost object called `name` (plain ASCII, without escapes).
    pub fn get(&self, name: &str) -> Option<&Member> {
        self.members().find(|member| self.slice(&member.name) == name.as_bytes())
    }

    /// The member called `name` of the object that is the value of `outer`.
    pub fn get_inner(&self, outer: &Member, name: &str) -> Option<&Member> {
        self.inner(outer).find(|member| self.slice(&member.name) == name.as_bytes())
    }
}

/// Accepts `bytes` only if they are canonical JSON (RFC 8785) within the limits of design 4.3: UTF-8, no
/// white space, members sorted and unique, minimal escapes, integers within ±(2^53-1), no U+0000, at most
/// [`DEPTH_MAX`] deep. The error names the first rule broken and its place.
pub fn check_canonical(bytes: &[u8]) -> Result<Scan<'_>, InvalidJson> {
    if let Err(error) = std::str::from_utf8(bytes) {
        return Err(InvalidJson { at: error.valid_up_to(), fault: JsonFault::Utf8 });
    }
    let mut scanner = Scanner { bytes, at: 0, members: Vec::with_capacity(MEMBERS_EXPECTED) };
    scanner.value(1).map_err(|fault| InvalidJson { at: scanner.at, fault })?;
    if scanner.at != bytes.len() {
        return Err(InvalidJson { at: scanner.at, fault: JsonFault::Trailing });
    }
    Ok(Scan { bytes, members: scanner.members })
}

struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
    members: Vec<Member>,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// The fault of meeting what stands here.
    fn unexpected(&self) -> JsonFault {
        self.peek().map_or(JsonFault::End, JsonFault::Unexpected)
    }

    fn expect(&mut self, byte: u8) -> Result<(), JsonFault> {
        if self.peek() != Some(byte) {
            return Err(self.unexpected());
        }
        self.at += 1;
        Ok(())
    }

    /// `depth` is that of an object or array beginning here.
    fn value(&mut self, depth: usize) -> Result<(), JsonFault> {
        match self.peek() {
            Some(b'"') => self.string().map(drop),
            Some(b'{' | b'[') if depth > DEPTH_MAX => Err(JsonFault::Depth),
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'-' | b'0'..=b'9') => self.number(),
            Some(b't') => self.literal(b"true"),
            Some(b'f') => self.literal(b"false"),
            Some(b'n') => self.literal(b"null"),
            _ => Err(self.unexpected()),
        }
    }

    fn object(&mut self, depth: usize) -> Result<(), JsonFault> {
        self.at += 1;
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(());
        }
        let mut previous: Option<Range<usize>> = None;
        loop {
            let start = self.at;
            let name = self.string()?;
            if let Some(previous) = previous.replace(name.clone()) {
                self.in_order(&previous, &name).inspect_err(|_| self.at = start)?;
            }
            self.expect(b':')?;
            let noted = self.members.len();
            if depth <= NOTED_LEVELS {
                self.members.push(Member { level: depth, name, value: self.at..self.at });
            }
            self.value(depth + 1)?;
            if depth <= NOTED_LEVELS
                && let Some(member) = self.members.get_mut(noted)
            {
                member.value.end = self.at;
            }
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return Err(self.unexpected()),
            }
        }
        self.at += 1;
        Ok(())
    }

    fn array(&mut self, depth: usize) -> Result<(), JsonFault> {
        self.at += 1;
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(());
        }
        loop {
            self.value(depth + 1)?;
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                _ => return Err(self.unexpected()),
            }
        }
        self.at += 1;
        Ok(())
    }

    fn literal(&mut self, word: &[u8]) -> Result<(), JsonFault> {
        word.iter().try_for_each(|&byte| self.expect(byte))
    }

    fn number(&mut self) -> Result<(), JsonFault> {
        let start = self.at;
        let negative = self.peek() == Some(b'-');
        self.at += usize::from(negative);
        let mut value: u64 = 0;
        let first = self.at;
        while let Some(digit @ b'0'..=b'9') = self.peek() {
            // Saturated digits stay above the limit and are refused below.
            value = value.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
            self.at += 1;
        }
        let digits = self.at - first;
        let leading_zero = digits > 1 && self.bytes.get(first) == Some(&b'0');
        let fraction = matches!(self.peek(), Some(b'.' | b'e' | b'E'));
        if digits == 0
            || leading_zero
            || fraction
            || value > INTEGER_MAX
            || (negative && value == 0)
        {
            self.at = start;
            return Err(JsonFault::Number);
        }
        Ok(())
    }

    /// Reads a string and answers the place between its quotes.
    fn string(&mut self) -> Result<Range<usize>, JsonFault> {
        self.expect(b'"')?;
        let start = self.at;
        loop {
            self.at += plain_prefix(self.bytes.get(self.at..).unwrap_or_default());
            match self.peek() {
                Some(b'"') => break,
                Some(b'\\') => self.escape()?,
                Some(0) => return Err(JsonFault::Nul),
                _ => return Err(self.unexpected()),
            }
        }
        self.at += 1;
        Ok(start..self.at - 1)
    }

    /// The seven short escapes, and `\u00xx` in lower case for the other control characters: nothing else
    /// is escaped in canonical JSON, so a lone surrogate cannot be written at all.
    fn escape(&mut self) -> Result<(), JsonFault> {
        let rest = self.bytes.get(self.at + 1..).unwrap_or_default();
        match rest {
            [b'"' | b'\\' | b'b' | b't' | b'n' | b'f' | b'r', ..] => self.at += 2,
            [b'u', b'0', b'0', b'0', b'0', ..] => return Err(JsonFault::Nul),
            // \u0008 \u0009 \u000a \u000c \u000d have short forms.
            [b'u', b'0', b'0', b'0', b'1'..=b'7' | b'b' | b'e' | b'f', ..]
            | [b'u', b'0', b'0', b'1', b'0'..=b'9' | b'a'..=b'f', ..] => self.at += 6,
            _ => return Err(JsonFault::Escape),
        }
        Ok(())
    }

    fn in_order(&self, previous: &Range<usize>, name: &Range<usize>) -> Result<(), JsonFault> {
        let raw = |span: &Range<usize>| self.bytes.get(span.clone()).unwrap_or_default();
        let (left, right) = (raw(previous), raw(name));
        let order = if left.contains(&b'\\') || right.contains(&b'\\') {
            utf16_order(unescaped(left).as_bytes(), unescaped(right).as_bytes())
        } else {
            utf16_order(left, right)
        };
        match order {
            Ordering::Less => Ok(()),
            Ordering::Equal => Err(JsonFault::Duplicate(unescaped(right))),
            Ordering::Greater => Err(JsonFault::Order(unescaped(right))),
        }
    }
}

/// The text of a string whose escapes were checked.
fn unescaped(raw: &[u8]) -> String {
    let quoted = [b"\"", raw, b"\""].concat();
    serde_json::from_slice(&quoted).unwrap_or_else(|_| String::from_utf8_lossy(raw).into_owned())
}

/// How many bytes at the start are neither a quote, a backslash nor a control character, eight at a time.
pub(super) fn plain_prefix(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = 0x8080_8080_8080_8080;
    let zero_bytes = |word: u64| word.wrapping_sub(ONES) & !word & HIGH;
    let (words, tail) = bytes.as_chunks::<8>();
    for (index, chunk) in words.iter().enumerate() {
        let word = u64::from_le_bytes(*chunk);
        let control = word.wrapping_sub(ONES * 0x20) & !word & HIGH;
        // The lowest mark is exact; borrows can only add marks above it.
        let stop = control | zero_bytes(word ^ (ONES * 0x22)) | zero_bytes(word ^ (ONES * 0x5c));
        if stop != 0 {
            return index * 8 + stop.trailing_zeros() as usize / 8;
        }
    }
    let plain =
        tail.iter().take_while(|&&byte| byte >= 0x20 && byte != b'"' && byte != b'\\').count();
    words.len() * 8 + plain
}
