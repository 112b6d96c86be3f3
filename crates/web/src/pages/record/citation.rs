//! How to cite a version of a record, and where to report an error in it.

use practice::body::Body;
use practice::node_record::Contact;
use serde_json::Value;
use tlog::name::Origin;

use super::super::subjects::{is_address, node_unit};
use super::super::value::{Passage, Shower};
use super::super::{Frame, Reader};
use super::versions;
use crate::app::App;

/// What names one version for ever: its address, and the hash by which any copy of it is recognised.
pub(crate) struct Citation {
    /// In the language in which it was written.
    pub(crate) title: Option<Passage>,
    /// Which version it is, and of which day.
    pub(crate) version: String,
    pub(crate) address: String,
    /// SHA-256, in hexadecimal.
    pub(crate) hash: String,
    pub(crate) id: String,
}

/// Whom a reader writes to about an error.
pub(crate) struct Report {
    pub(crate) unit: Option<String>,
    pub(crate) email: String,
    /// With the address of the record in the subject.
    pub(crate) href: String,
}

/// The citation of `body`.
pub(crate) fn citation(
    reader: &Reader,
    shower: Shower<'_>,
    origin: &Origin,
    body: &Body,
) -> Citation {
    let title = body.subject().get("title").and_then(Value::as_object);
    let original = title.and_then(|map| {
        let only = map.get(shower.source).map(|text| (shower.source.to_owned(), text.clone()));
        only.map(|only| std::iter::once(only).collect()).or_else(|| Some(map.clone()))
    });
    let (version, date) = (body.version().to_string(), reader.texts.date(body.valid_from()));
    let version = [("version", version.as_str()), ("date", &date)];
    let path = versions::address(origin, &body.id(), body.version());
    Citation {
        title: original.and_then(|map| shower.best(&map)),
        version: reader.texts.with("record-cite-version", &version),
        address: reader.address(&path),
        hash: body.hash().to_hex(),
        id: body.id().to_string(),
    }
}

/// The unit that runs the node, else the one that the record names, else the contact of this site. Over a
/// documentation node no State is asked: its records name units that did not write them.
pub(crate) fn report(app: &App, reader: &Reader, frame: &Frame, body: &Body) -> Option<Report> {
    let of_node = node_unit(app, body.node());
    let of_record = || {
        let contact = body.subject().get("contact").filter(|_| !frame.sample)?;
        let email = contact.get("email").and_then(Value::as_str).map(str::to_owned);
        Some(Contact { unit: None, email })
    };
    let of_site = || Contact { unit: None, email: app.site.contact.clone() };
    let usable = |contact: &Contact| contact.email.as_deref().is_some_and(is_address);
    let contact = of_node
        .filter(usable)
        .or_else(|| of_record().filter(usable))
        .or_else(|| Some(of_site()).filter(usable))?;
    let email = contact.email?;
    let page = reader.address(&reader.path);
    let subject = reader.texts.labelled(&reader.texts.get("record-error-subject"), &page);
    let href = format!("mailto:{email}?subject={}", percent_encoded(&subject));
    Some(Report { unit: contact.unit, email, href })
}

/// As RFC 6068 wants it: everything but letters and digits of ASCII and a few marks.
fn percent_encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::percent_encoded;

    #[test]
    fn a_subject_cannot_add_a_header() {
        assert_eq!(percent_encoded("a b&cc=x\r\n"), "a%20b%26cc%3Dx%0D%0A");
        assert_eq!(percent_encoded("خطأ"), "%D8%AE%D8%B7%D8%A3");
    }
}
