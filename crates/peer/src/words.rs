//! Why an exchange failed, in words that say what to do, and that are told once.

use std::error::Error;
use std::io;

use crate::address::RefusedAddress;
use crate::outbound::FailedLookup;

/// The cause of a failed request, for an operator.
pub(crate) fn of(error: &reqwest::Error) -> String {
    let mut cause: Option<&(dyn Error + 'static)> = Some(error);
    let mut last = error.to_string();
    while let Some(error) = cause {
        if let Some(words) = known(error) {
            return words;
        }
        last = error.to_string();
        cause = error.source();
    }
    if error.is_timeout() {
        return "it does not answer: no connection in time".to_owned();
    }
    format!("the connection failed: {}", last.chars().take(200).collect::<String>())
}

/// Whether two reasons differ in nothing but numbers: so many bytes came, so many seconds passed.
pub(crate) fn same(one: &str, other: &str) -> bool {
    let words = |text: &str| {
        text.split(|c: char| c.is_ascii_digit()).map(str::to_owned).collect::<String>()
    };
    words(one) == words(other)
}

/// A trouble that is told once, until it is another one or over.
#[derive(Debug, Default)]
pub(crate) struct Told(Option<String>);

impl Told {
    /// Whether these words were not told last.
    pub(crate) fn is_news(&mut self, words: &str) -> bool {
        let known = self.0.as_deref().is_some_and(|told| same(told, words));
        self.0 = Some(words.to_owned());
        !known
    }

    /// It goes well again.
    pub(crate) fn over(&mut self) {
        self.0 = None;
    }
}

fn known(error: &(dyn Error + 'static)) -> Option<String> {
    if let Some(refused) = error.downcast_ref::<RefusedAddress>() {
        return Some(refused.to_string());
    }
    if let Some(failed) = error.downcast_ref::<FailedLookup>() {
        return Some(failed.to_string());
    }
    if let Some(tls) = error.downcast_ref::<rustls::Error>() {
        return Some(certificate(tls));
    }
    let system = error.downcast_ref::<io::Error>()?;
    if let Some(inner) = system.get_ref() {
        return known(inner);
    }
    let words = match system.kind() {
        io::ErrorKind::ConnectionRefused => {
            "it refuses connections: is the server running, and is the port right?"
        }
        io::ErrorKind::ConnectionReset | io::ErrorKind::ConnectionAborted => {
            "it broke the connection off"
        }
        io::ErrorKind::NetworkUnreachable | io::ErrorKind::HostUnreachable => {
            "no way leads there from this machine: does the network work?"
        }
        io::ErrorKind::TimedOut => "it does not answer: no connection in time",
        io::ErrorKind::UnexpectedEof => "it closed the connection without an answer",
        _ => return None,
    };
    Some(words.to_owned())
}

fn certificate(error: &rustls::Error) -> String {
    use rustls::CertificateError as C;
    let rustls::Error::InvalidCertificate(reason) = error else {
        return format!("TLS failed: {error}");
    };
    match reason {
        C::UnknownIssuer => "its certificate is by an issuer unknown here; is there an inspecting \
                             proxy? set `peers.extra_ca_file`"
            .to_owned(),
        C::Expired | C::ExpiredContext { .. } => {
            "its certificate has expired (or this machine's clock is wrong)".to_owned()
        }
        C::NotValidYet | C::NotValidYetContext { .. } => {
            "its certificate is not valid yet (or this machine's clock is wrong)".to_owned()
        }
        C::NotValidForName | C::NotValidForNameContext { .. } => {
            "its certificate is for another name: is the URL right?".to_owned()
        }
        other => format!("its certificate is not accepted: {other}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trouble_is_told_when_it_begins_and_when_it_changes() {
        let mut told = Told::default();
        assert!(told.is_news("nothing came for 15 s"));
        assert!(!told.is_news("nothing came for 20 s"), "it differs in numbers alone");
        assert!(told.is_news("it refuses connections"));
        assert!(!told.is_news("it refuses connections"));
        told.over();
        assert!(told.is_news("it refuses connections"));
    }
}
