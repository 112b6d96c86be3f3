//! When a certificate ends. Whether it is trusted was decided before, by TLS.

use x509_parser::prelude::{FromDer as _, X509Certificate};

/// The end of a certificate (DER), in seconds since 1970; `None` for what is no certificate.
pub fn end_of(der: &[u8]) -> Option<u64> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    u64::try_from(certificate.validity().not_after.timestamp()).ok()
}
