//! When the certificate that this node shows ends.

use std::path::Path;

use anyhow::Context as _;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;

/// The end of the first certificate that ends in the chain at `path`, in seconds since 1970.
pub fn end_of_chain(path: &Path) -> anyhow::Result<u64> {
    let shown = path.display();
    let chain = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .with_context(|| format!("cannot read the certificate {shown}"))?;
    let ends: Option<Vec<u64>> =
        chain.iter().map(|certificate| peer::certificate::end_of(certificate)).collect();
    let ends = ends.with_context(|| format!("{shown} holds something that is no certificate"))?;
    ends.into_iter().min().with_context(|| format!("{shown} holds no certificate"))
}
