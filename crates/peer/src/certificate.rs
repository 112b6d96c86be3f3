//! When a certificate ends. Whether it is trusted was decided before, by TLS.

use x509_parser::prelude::{FromDer as _, X509Certificate};

/// The end of a certificate (DER), in seconds since 1970; `None` for what is no certificate.
pub fn end_of(der: &[u8]) -> Option<u64> {
    let (_, certificate) = X509Certificate::from_der(der).ok()?;
    u64::try_from(certificate.validity().not_after.timestamp()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_certificate_is_read_and_nothing_else_passes_for_one() {
        let mut parameters =
            rcgen::CertificateParams::new(vec!["simore.example".to_owned()]).unwrap();
        parameters.not_after = rcgen::date_time_ymd(2027, 1, 1);
        let key = rcgen::KeyPair::generate().unwrap();
        let certificate = parameters.self_signed(&key).unwrap();
        // 2027-01-01T00:00:00Z.
        assert_eq!(end_of(certificate.der()), Some(1_798_761_600));
        let der = certificate.der();
        assert_eq!(end_of(&der[..der.len() / 2]), None);
        assert_eq!(end_of(b""), None);
    }
}
