//! What a server does instead of answering: one row for each fault.

use bytes::Bytes;
use feed::head::{self, Commit, Head};

use super::Exchange;

/// The honest answer to a question, and where a server elsewhere would betray that it was asked.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its media type.
    pub media: &'static str,
    /// Its content; never empty.
    pub bytes: Bytes,
    /// An address that nobody may be led to.
    pub inside: String,
}

/// What is sent.
#[derive(Clone, Debug)]
pub struct Play {
    /// First this.
    pub first: Vec<u8>,
    /// And then.
    pub then: Then,
}

/// How it goes on.
#[derive(Clone, Debug)]
pub enum Then {
    /// The connection ends.
    Close,
    /// It is broken off.
    Reset,
    /// Nothing more comes, and the connection stays open.
    Hold,
    /// These bytes without end, as fast as they are taken.
    Repeat(Vec<u8>),
    /// These bytes without end, some each few milliseconds.
    Trickle(&'static [u8]),
}

/// What must become of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It is no answer: refused with one of these words.
    Refused(&'static [&'static str]),
    /// The same for its media type, where one is expected.
    WrongType,
    /// It is an answer, and what it says is judged later; or it is the honest one.
    Judged,
}

impl Verdict {
    /// Whether nothing but patience that ends tells that it is no answer.
    pub fn takes_patience(self) -> bool {
        [LATE, QUIET, SLOW].contains(&self)
    }
}

/// One fault.
#[derive(Debug)]
pub struct Fault {
    /// In words.
    pub name: &'static str,
    /// What must become of it.
    pub verdict: Verdict,
    play: fn(&Answer) -> Play,
}

impl Fault {
    /// What is sent in place of `answer`.
    pub fn play(&self, answer: &Answer) -> Play {
        (self.play)(answer)
    }

    /// Whether it is one in this exchange.
    pub fn applies_to(&self, exchange: &Exchange) -> bool {
        exchange.typed || self.verdict != Verdict::WrongType
    }
}

const BROKEN: Verdict = Verdict::Refused(&["cannot be reached"]);
const LATE: Verdict = Verdict::Refused(&["did not answer within"]);
const QUIET: Verdict = Verdict::Refused(&["nothing came for", "not complete in time"]);
const SLOW: Verdict =
    Verdict::Refused(&["it comes slower than", "nothing came for", "not complete in time"]);
const LONG: Verdict = Verdict::Refused(&["it is longer than", "cannot be reached"]);
const ANNOUNCED: Verdict = Verdict::Refused(&["it announces"]);
const FLOOD: Verdict = Verdict::Refused(&["its headers have", "cannot be reached"]);
const PACKED: Verdict = Verdict::Refused(&["it came compressed"]);
const ELSEWHERE: Verdict = Verdict::Refused(&["redirects are not followed"]);
const STATUS: Verdict = Verdict::Refused(&["it answered with status", "cannot be reached"]);
const JUDGED: Verdict = Verdict::Judged;

const fn row(name: &'static str, verdict: Verdict, play: fn(&Answer) -> Play) -> Fault {
    Fault { name, verdict, play }
}

/// Every fault.
#[rustfmt::skip]
pub static FAULTS: &[Fault] = &[
    // Silence, and slowness.
    row("says nothing", LATE, |_| hold("")),
    row("stops within the status line", LATE, |_| hold("HTTP/1.1 20")),
    row("stops within the headers", LATE, |a| hold(format!("HTTP/1.1 200 OK\r\nContent-Type: {}\r\n", a.media))),
    row("stops before the content", QUIET, |a| hold(with_length(a, a.bytes.len()))),
    row("stops within the content", QUIET, |a| hold([with_length(a, a.bytes.len()).as_bytes(), half(a)].concat())),
    row("stops within a chunk", QUIET, |a| hold(format!("{}ff\r\nx", chunked(a)))),
    row("headers byte by byte", LATE, |_| trickle("HTTP/1.1 200 OK\r\nX-Slow: ", b"x")),
    row("content byte by byte", SLOW, |a| trickle(with_length(a, 4_000), b"x")),
    row("content byte by byte, without a length", SLOW, |a| trickle(open_ended(a), b"x")),
    row("content in chunks of one byte", SLOW, |a| trickle(chunked(a), b"1\r\nx\r\n")),
    // An end too early.
    row("closes without a word", BROKEN, |_| close("")),
    row("closes within the status line", BROKEN, |_| close("HTTP/1.1 2")),
    row("closes within the headers", BROKEN, |a| close(format!("HTTP/1.1 200 OK\r\nContent-Type: {}\r\n", a.media))),
    row("closes within the content", BROKEN, |a| close([with_length(a, a.bytes.len()).as_bytes(), half(a)].concat())),
    row("closes within a chunk", BROKEN, |a| close(format!("{}ff\r\nx", chunked(a)))),
    row("closes before the last chunk", BROKEN, |a| close([chunked(a).as_bytes(), &chunk(&a.bytes)].concat())),
    row("resets without a word", BROKEN, |_| Play { first: Vec::new(), then: Then::Reset }),
    row("resets within the content", BROKEN, |a| Play { first: with_length(a, a.bytes.len()).into_bytes(), then: Then::Reset }),
    // Too much.
    row("endless content", LONG, |a| repeat(open_ended(a), vec![b'x'; 65_536])),
    row("endless content in chunks", LONG, |a| repeat(chunked(a), chunk(&[b'x'; 16_384]))),
    row("an endless chunk", LONG, |a| repeat(format!("{}FFFFFFFFFFFFFFF\r\n", chunked(a)), vec![b'x'; 65_536])),
    row("an endless chunk extension", BROKEN, |a| repeat(format!("{}1;", chunked(a)), vec![b'x'; 65_536])),
    row("endless trailers", BROKEN, |a| repeat([chunked(a).as_bytes(), &chunk(&a.bytes), b"0\r\n"].concat(), b"X-More: 1\r\n".repeat(4_096))),
    row("a huge length", ANNOUNCED, |a| hold(with_length(a, 9_007_199_254_740_991_usize))),
    row("content without end after a huge length", ANNOUNCED, |a| repeat(with_length(a, 1_usize << 40), vec![0; 65_536])),
    // Wrong lengths.
    row("a length beyond 64 bits", BROKEN, |a| close(with_length(a, "99999999999999999999999"))),
    row("a negative length", BROKEN, |a| close(with_length(a, "-1"))),
    row("a length that is no number", BROKEN, |a| close(with_length(a, "0x10"))),
    row("two lengths", BROKEN, |a| close([format!("{}\r\nContent-Length: 3\r\n\r\n", with_length(a, 4).trim_end()).as_bytes(), &a.bytes].concat())),
    row("a length that is too great", BROKEN, |a| close([with_length(a, a.bytes.len() + 1).as_bytes(), &a.bytes].concat())),
    row("a chunk length that is no number", BROKEN, |a| close(format!("{}zz\r\nx\r\n0\r\n\r\n", chunked(a)))),
    row("a chunk length beyond 64 bits", BROKEN, |a| close(format!("{}FFFFFFFFFFFFFFFFFF\r\nx\r\n", chunked(a)))),
    row("a chunk that is longer than it says", BROKEN, |a| close(format!("{}1\r\nxyz\r\n0\r\n\r\n", chunked(a)))),
    row("a length that is too small", JUDGED, |a| close([with_length(a, half(a).len()).as_bytes(), &a.bytes].concat())),
    row("a length and chunks", JUDGED, |a| close([format!("{}\r\nTransfer-Encoding: chunked\r\n\r\n", with_length(a, 1).trim_end()).as_bytes(), &chunk(&a.bytes), b"0\r\n\r\n"].concat())),
    row("another answer behind the first", JUDGED, |a| close([whole(a, &a.bytes), whole(a, b"not asked for")].concat())),
    // Another type.
    row("a page", Verdict::WrongType, |_| close("HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 13\r\n\r\n<p>Hotel</p>\n")),
    row("no type", Verdict::WrongType, |a| close([format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", a.bytes.len()).as_bytes(), &a.bytes].concat())),
    row("an empty type", Verdict::WrongType, |a| close([format!("HTTP/1.1 200 OK\r\nContent-Type:\r\nContent-Length: {}\r\n\r\n", a.bytes.len()).as_bytes(), &a.bytes].concat())),
    row("parts of many types", Verdict::WrongType, |_| close("HTTP/1.1 200 OK\r\nContent-Type: multipart/byteranges; boundary=x\r\nContent-Length: 1\r\n\r\nx")),
    row("a picture", Verdict::WrongType, |_| close("HTTP/1.1 200 OK\r\nContent-Type: image/png\r\nContent-Length: 4\r\n\r\n\x7fPNG")),
    // Early answers.
    row("early hints without end", LATE, |_| repeat("", b"HTTP/1.1 103 Early Hints\r\nLink: </>\r\n\r\n".repeat(64))),
    row("100 without end", LATE, |_| repeat("", b"HTTP/1.1 100 Continue\r\n\r\n".repeat(64))),
    row("102 now and then", LATE, |_| trickle("", b"HTTP/1.1 102 Processing\r\n\r\n")),
    row("other protocols", STATUS, |_| hold("HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: h2c\r\n\r\n")),
    // Headers.
    row("many headers", FLOOD, |a| close(with_headers(a, &"X-Many: 1\r\n".repeat(101)))),
    row("a long header", FLOOD, |a| close(with_headers(a, &format!("X-Long: {}\r\n", "x".repeat(1_000_000))))),
    row("long headers", FLOOD, |a| close(with_headers(a, &format!("X-Long: {}\r\n", "x".repeat(1_000)).repeat(60)))),
    row("a header without end", FLOOD, |_| repeat("HTTP/1.1 200 OK\r\nX-Endless: ", vec![b'x'; 65_536])),
    row("headers without end", FLOOD, |_| repeat("HTTP/1.1 200 OK\r\n", b"X-Endless: 1\r\n".repeat(4_096))),
    row("a header name without end", FLOOD, |_| repeat("HTTP/1.1 200 OK\r\nX-", vec![b'x'; 65_536])),
    row("a header without a colon", BROKEN, |a| close(with_headers(a, "nothing\r\n"))),
    row("a header with a NUL", BROKEN, |a| close(with_headers(a, "X-Null: \0\r\n"))),
    row("a header over two lines", BROKEN, |a| close(with_headers(a, "X-Folded: one\r\n two\r\n"))),
    row("a blank before the colon", BROKEN, |a| close(with_headers(a, "X-Blank : 1\r\n"))),
    // Compressed.
    row("gzip", PACKED, |a| hold(packed(a, "gzip", &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]))),
    row("gzip in gzip", PACKED, |a| hold(packed(a, "gzip, gzip", &[0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3]))),
    row("deflate", PACKED, |a| hold(packed(a, "deflate", &[0x78, 0x9c]))),
    row("brotli", PACKED, |a| hold(packed(a, "br", &[0x5b]))),
    row("zstd", PACKED, |a| hold(packed(a, "zstd", &DECLARES_4_GIB))),
    row("a coding that nobody knows", PACKED, |a| hold(packed(a, "bomb", b"x"))),
    // Elsewhere.
    row("301", ELSEWHERE, |a| redirect(301, &a.inside)),
    row("302", ELSEWHERE, |a| redirect(302, &a.inside)),
    row("303", ELSEWHERE, |a| redirect(303, &a.inside)),
    row("307", ELSEWHERE, |a| redirect(307, &a.inside)),
    row("308", ELSEWHERE, |a| redirect(308, &a.inside)),
    row("300", ELSEWHERE, |a| redirect(300, &a.inside)),
    row("302 to a file", ELSEWHERE, |_| redirect(302, "file:///etc/passwd")),
    row("302 to a service of the cloud", ELSEWHERE, |_| redirect(302, "http://169.254.169.254/latest/meta-data/")),
    row("302 to nowhere", ELSEWHERE, |_| close("HTTP/1.1 302 Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")),
    row("302 to an endless place", ELSEWHERE, |_| redirect(302, &format!("https://{}.example/", "x".repeat(8_000)))),
    // Other statuses.
    row("201", STATUS, |a| status(a, "201 Created")),
    row("202", STATUS, |a| status(a, "202 Accepted")),
    row("206", STATUS, |a| status(a, "206 Partial Content")),
    row("400", STATUS, |a| status(a, "400 Bad Request")),
    row("401", STATUS, |a| status(a, "401 Unauthorized\r\nWWW-Authenticate: Basic")),
    row("407", STATUS, |a| status(a, "407 Proxy Authentication Required\r\nProxy-Authenticate: Basic")),
    row("421", STATUS, |a| status(a, "421 Misdirected Request")),
    row("500", STATUS, |a| status(a, "500 Oh")),
    row("502", STATUS, |a| status(a, "502 Bad Gateway")),
    row("599", STATUS, |a| status(a, "599 Whatever")),
    row("999", STATUS, |a| status(a, "999 Whatever")),
    row("000", STATUS, |a| status(a, "000 Whatever")),
    // Another protocol.
    row("content without headers", BROKEN, |_| close("<html>the web of 1991</html>")),
    row("HTTP/2", BROKEN, |_| close(b"\0\0\x12\x04\0\0\0\0\0\0\x03\0\0\0\x64\0\x04\x40\0\0\0\0\x02\0\0\0\0".to_vec())),
    row("TLS", BROKEN, |_| close(b"\x15\x03\x01\0\x02\x02\x46".to_vec())),
    row("SSH", BROKEN, |_| close("SSH-2.0-OpenSSH_9.9\r\n")),
    row("noise", BROKEN, |a| close(noise(a.bytes.len()))),
    row("NULs without end", BROKEN, |_| repeat("", vec![0; 65_536])),
    // An answer that says something else.
    row("nothing in it", JUDGED, |a| content(a, b"")),
    row("half of it", JUDGED, |a| content(a, half(a))),
    row("a byte less", JUDGED, |a| content(a, a.bytes.get(1..).unwrap_or_default())),
    row("a byte more", JUDGED, |a| content(a, [&a.bytes[..], &[0]].concat())),
    row("twice", JUDGED, |a| content(a, a.bytes.repeat(2))),
    row("a changed byte", JUDGED, |a| content(a, changed(a))),
    row("zeros", JUDGED, |a| content(a, vec![0; a.bytes.len()])),
    row("as much noise", JUDGED, |a| content(a, noise(a.bytes.len()))),
    row("its beginning alone", JUDGED, |a| content(a, magic(a))),
    row("its beginning and the greatest numbers", JUDGED, |a| content(a, [magic(a), &[0xff; 256]].concat())),
    row("its beginning and zeros", JUDGED, |a| content(a, [magic(a), &[0; 256]].concat())),
    row("null", JUDGED, |a| content(a, b"null")),
    row("a number beyond 64 bits", JUDGED, |a| content(a, b"99999999999999999999999999")),
    row("deep brackets", JUDGED, |a| content(a, vec![b'['; 4_000])),
    row("deep objects", JUDGED, |a| content(a, br#"{"a":"#.repeat(800))),
    row("a page as such", JUDGED, |a| content(a, b"<!doctype html><title>Hotel</title>")),
    row("a claim of 2^53 entries", JUDGED, |a| content(a, claim(a))),
    row("a bomb that declares 4 GiB", JUDGED, |a| content(a, bomb(a, &DECLARES_4_GIB))),
    row("a bomb of 32 MiB of zeros", JUDGED, |a| content(a, bomb(a, &zeros()))),
    row("an array without end", LONG, |a| repeat([open_ended(a).as_bytes(), b"["].concat(), b"{},".repeat(16_384))),
];

/// A zstd frame of a few bytes that declares 4 GiB.
const DECLARES_4_GIB: [u8; 13] =
    [0x28, 0xb5, 0x2f, 0xfd, 0xa0, 0xff, 0xff, 0xff, 0xff, 0x03, 0, 0x10, b'x'];

fn close(first: impl Into<Vec<u8>>) -> Play {
    Play { first: first.into(), then: Then::Close }
}

fn hold(first: impl Into<Vec<u8>>) -> Play {
    Play { first: first.into(), then: Then::Hold }
}

fn repeat(first: impl Into<Vec<u8>>, again: Vec<u8>) -> Play {
    Play { first: first.into(), then: Then::Repeat(again) }
}

fn trickle(first: impl Into<Vec<u8>>, again: &'static [u8]) -> Play {
    Play { first: first.into(), then: Then::Trickle(again) }
}

fn redirect(status: u16, to: &str) -> Play {
    close(format!(
        "HTTP/1.1 {status} Elsewhere\r\nConnection: close\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n"
    ))
}

fn status(answer: &Answer, line: &str) -> Play {
    let head = with_length(answer, answer.bytes.len());
    close([head.replacen("200 OK", line, 1).as_bytes(), &answer.bytes].concat())
}

fn content(answer: &Answer, bytes: impl AsRef<[u8]>) -> Play {
    close(whole(answer, bytes.as_ref()))
}

fn whole(answer: &Answer, bytes: &[u8]) -> Vec<u8> {
    [with_length(answer, bytes.len()).as_bytes(), bytes].concat()
}

fn with_length(answer: &Answer, length: impl std::fmt::Display) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {}\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n",
        answer.media
    )
}

fn open_ended(answer: &Answer) -> String {
    format!("HTTP/1.1 200 OK\r\nContent-Type: {}\r\nConnection: close\r\n\r\n", answer.media)
}

fn chunked(answer: &Answer) -> String {
    format!(
        "HTTP/1.1 200 OK\r\nContent-Type: {}\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n",
        answer.media
    )
}

fn chunk(bytes: &[u8]) -> Vec<u8> {
    [format!("{:x}\r\n", bytes.len()).as_bytes(), bytes, b"\r\n"].concat()
}

fn with_headers(answer: &Answer, headers: &str) -> Vec<u8> {
    let head = with_length(answer, answer.bytes.len());
    [head.trim_end().as_bytes(), b"\r\n", headers.as_bytes(), b"\r\n", &answer.bytes].concat()
}

fn packed(answer: &Answer, coding: &str, begin: &[u8]) -> Vec<u8> {
    let head = with_length(answer, begin.len());
    let head = format!("{}\r\nContent-Encoding: {coding}\r\n\r\n", head.trim_end());
    [head.as_bytes(), begin].concat()
}

fn half(answer: &Answer) -> &[u8] {
    answer.bytes.get(..answer.bytes.len() / 2).unwrap_or_default()
}

fn magic(answer: &Answer) -> &[u8] {
    answer.bytes.get(..4).unwrap_or(&answer.bytes)
}

fn changed(answer: &Answer) -> Vec<u8> {
    let mut bytes = answer.bytes.to_vec();
    let middle = bytes.len() / 2;
    if let Some(byte) = bytes.get_mut(middle) {
        *byte ^= 1;
    }
    bytes
}

/// Bytes without any order, the same each time.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_be_bytes()[0]
    };
    std::iter::repeat_with(next).take(length.max(1)).collect()
}

/// The greatest size of a feed, where a text has one in its second line.
fn claim(answer: &Answer) -> Vec<u8> {
    let text = String::from_utf8_lossy(&answer.bytes);
    let mut lines: Vec<&str> = text.split('\n').collect();
    if let Some(second) = lines.get_mut(1) {
        *second = "9007199254740991";
    }
    lines.join("\n").into_bytes()
}

/// `frame` wherever the answer has compressed parts, under hashes to match; else in its place.
fn bomb(answer: &Answer, frame: &[u8]) -> Bytes {
    let replaced = |commits: Vec<Commit>| -> Option<Vec<Commit>> {
        let replace = |commit: Commit| {
            let mut frames = commit.frames;
            for part in &mut frames {
                part.packed = Bytes::copy_from_slice(frame);
            }
            Commit::from_frames(commit.note, frames).ok()
        };
        commits.into_iter().map(replace).collect()
    };
    if let Some(commits) = head::decode_since(&answer.bytes).ok().and_then(replaced) {
        return head::encode_since(commits.iter());
    }
    if let Ok(head) = Head::decode(&answer.bytes)
        && head.commits.iter().any(|commit| !commit.frames.is_empty())
        && let Some(commits) = replaced(head.commits.clone())
    {
        return Head { commits, ..head }.encode();
    }
    Bytes::copy_from_slice(frame)
}

fn zeros() -> Vec<u8> {
    feed::frame::pack(&vec![0; 32 << 20]).unwrap_or_default()
}
