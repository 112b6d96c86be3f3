//! Why an exchange failed, in words that say what to do.

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
