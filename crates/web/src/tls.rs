//! TLS from certificate files, which are read again when they change.
//!
//! A tool that renews certificates replaces the files and tells nobody. So the times of the files are
//! looked at, at most every [`LOOK_EVERY`]; a new pair that cannot be used leaves the old one in place
//! and says why. The cryptographic provider is installed once, by the program.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tracing::{error, info};

/// How often the files are looked at: often enough for a renewal, too seldom to be felt.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// A certificate chain and its key, as files.
#[derive(Debug)]
pub struct Certificate {
    chain: PathBuf,
    key: PathBuf,
    current: Mutex<Loaded>,
}

/// Why certificate files cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CertificateError {
    /// Not there, not readable, or no PEM of the right kind.
    #[error("cannot use {}: {reason}; it must be PEM, and readable by the user this runs as", path.display())]
    File {
        /// Which file.
        path: PathBuf,
        /// The library's words.
        reason: String,
    },
    /// The two do not belong together, or no provider is installed.
    #[error("the certificate {} and the key {} do not work together", chain.display(), key.display())]
    Pair {
        /// The chain.
        chain: PathBuf,
        /// The key.
        key: PathBuf,
        /// The library's words.
        #[source]
        source: rustls::Error,
    },
}

/// What was read, and of which age the files were then.
#[derive(Clone)]
struct Loaded {
    config: Arc<ServerConfig>,
    modified: Times,
    looked: Instant,
}

impl std::fmt::Debug for Loaded {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Loaded").field("modified", &self.modified).finish_non_exhaustive()
    }
}

/// When the two files were last changed, as far as the system says.
type Times = (Option<SystemTime>, Option<SystemTime>);

impl Certificate {
    /// Reads a chain (PEM, the server's own certificate first) and its key (PEM).
    pub fn load(chain: &Path, key: &Path) -> Result<Arc<Self>, CertificateError> {
        let modified = (modified(chain), modified(key));
        let config = read(chain, key)?;
        let current = Loaded { config, modified, looked: Instant::now() };
        let (chain, key) = (chain.to_owned(), key.to_owned());
        Ok(Arc::new(Self { chain, key, current: Mutex::new(current) }))
    }

    /// What the next connection is accepted with.
    pub(crate) async fn acceptor(self: &Arc<Self>) -> TlsAcceptor {
        let current = self.now();
        if current.looked.elapsed() < LOOK_EVERY {
            return TlsAcceptor::from(current.config);
        }
        let certificate = Arc::clone(self);
        let config = tokio::task::spawn_blocking(move || certificate.look()).await;
        TlsAcceptor::from(config.unwrap_or(current.config))
    }

    /// Reads the files again if they changed. Blocking.
    fn look(&self) -> Arc<ServerConfig> {
        let modified = (modified(&self.chain), modified(&self.key));
        let mut loaded = self.now();
        loaded.looked = Instant::now();
        if modified != loaded.modified {
            loaded.modified = modified;
            match read(&self.chain, &self.key) {
                Ok(config) => {
                    info!(
                        event = "certificate.renewed",
                        "read the renewed certificate {}",
                        self.chain.display()
                    );
                    loaded.config = config;
                }
                Err(failure) => error!(
                    event = "certificate.refused",
                    "still using the certificate read before: {failure}"
                ),
            }
        }
        let config = Arc::clone(&loaded.config);
        *self.current.lock().unwrap_or_else(PoisonError::into_inner) = loaded;
        config
    }

    fn now(&self) -> Loaded {
        self.current.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

fn modified(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|metadata| metadata.modified()).ok()
}

fn read(chain: &Path, key: &Path) -> Result<Arc<ServerConfig>, CertificateError> {
    let failed = |path: &Path, reason: String| CertificateError::File { path: path.into(), reason };
    let certificates = CertificateDer::pem_file_iter(chain)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| failed(chain, error.to_string()))?;
    if certificates.is_empty() {
        return Err(failed(chain, "no certificate in it".to_owned()));
    }
    let secret =
        PrivateKeyDer::from_pem_file(key).map_err(|error| failed(key, error.to_string()))?;
    let mut config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(certificates, secret)
        .map_err(|source| CertificateError::Pair {
            chain: chain.into(),
            key: key.into(),
            source,
        })?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Arc::new(config))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn write_pair(chain: &Path, key: &Path, age: u64) {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        for (path, text) in [(chain, made.cert.pem()), (key, made.signing_key.serialize_pem())] {
            std::fs::write(path, text).unwrap();
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(age);
            std::fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
        }
    }

    #[test]
    fn a_renewed_pair_is_taken_and_a_broken_one_is_not() {
        // Another test of this process may have installed it.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let folder = tempfile::tempdir().unwrap();
        let (chain, key) = (folder.path().join("chain.pem"), folder.path().join("key.pem"));
        write_pair(&chain, &key, 1);
        let certificate = Certificate::load(&chain, &key).unwrap();
        let first = certificate.look();
        assert!(Arc::ptr_eq(&first, &certificate.look()), "nothing changed");
        write_pair(&chain, &key, 2);
        let second = certificate.look();
        assert!(!Arc::ptr_eq(&first, &second), "renewed");
        std::fs::write(&key, "no key").unwrap();
        assert!(Arc::ptr_eq(&second, &certificate.look()), "broken: the old one stays");
    }
}
