//! The media types of the protocol (design 4.7). Another type than the one expected is not an answer.

/// Node records and bodies: a W3C Verifiable Credential.
pub const VC: &str = "application/vc";
/// Head, since, segment, tiles, cosignatures, bundles, attachments.
pub const BYTES: &str = "application/octet-stream";
/// Checkpoints, proofs, notes.
pub const TEXT: &str = "text/plain; charset=utf-8";
/// The API, `/heads`, schemas.
pub const JSON: &str = "application/json";
/// The JSON-LD context at `/ns/v1`.
pub const JSON_LD: &str = "application/ld+json";
/// Problems after RFC 9457.
pub const PROBLEM: &str = "application/problem+json";
/// The size that a witness holds of a log (C2SP tlog-witness), in an answer of status 409.
pub const TLOG_SIZE: &str = "text/x.tlog.size";
/// Answers of OAI-PMH, XML Schemas.
pub const XML: &str = "text/xml; charset=utf-8";
/// News of a search.
pub const ATOM: &str = "application/atom+xml; charset=utf-8";
/// News of a search, for programs that would rather not read XML.
pub const JSON_FEED: &str = "application/feed+json";
/// Pages.
pub const HTML: &str = "text/html; charset=utf-8";
/// The style sheet.
pub const CSS: &str = "text/css; charset=utf-8";
/// The script of record pages.
pub const SCRIPT: &str = "text/javascript; charset=utf-8";
/// Tables.
pub const CSV: &str = "text/csv; charset=utf-8";
/// Documents for a word processor (Office Open XML).
pub const DOCX: &str = "application/vnd.openxmlformats-officedocument.wordprocessingml.document";
/// Figures for monitoring systems.
pub const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Drawings.
pub const SVG: &str = "image/svg+xml";

/// Whether the value of a `Content-Type` header names the media type `expected`.
///
/// Parameters and letter case are not compared: `text/plain;charset=UTF-8` is what
/// [`TEXT`] says, and so is `text/plain` alone, which is what some static file servers give.
pub fn is(content_type: &str, expected: &str) -> bool {
    essence(content_type).eq_ignore_ascii_case(essence(expected))
}

fn essence(content_type: &str) -> &str {
    content_type.split(';').next().unwrap_or_default().trim()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_and_letter_case_do_not_change_a_media_type() {
        assert!(is("Text/Plain;charset=UTF-8", TEXT));
        assert!(is("text/plain", TEXT));
        assert!(!is("text/html; charset=utf-8", TEXT));
        assert!(!is("application/vc+jwt", VC));
        assert!(!is("", BYTES));
    }
}
