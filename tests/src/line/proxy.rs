//! Three small proxies: one that asks who one is, one that opens TLS on the way, and the server's own.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::rustls::pki_types::pem::PemObject as _;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{ClientConfig, RootCertStore, ServerConfig};
use tokio_rustls::{TlsAcceptor, TlsConnector};

/// Where the proxies listen, on loopback.
pub const PROXY_PORT: u16 = 3_128;
/// Where the server speaks TLS.
pub const TLS_PORT: u16 = 8_443;
/// Who one says one is.
pub const ASKED_FOR: &str = "mechanism:secret";
/// No request to a proxy is longer.
const HEAD_BYTES: usize = 16 << 10;

/// A certificate authority and one certificate by it, as files `NAME.{ca,chain,key}.pem`.
pub struct Authority {
    directory: PathBuf,
    name: &'static str,
}

impl Authority {
    /// Makes one that certifies `host`.
    ///
    /// # Errors
    /// When the files cannot be written.
    pub fn make(directory: &Path, name: &'static str, host: &str) -> Result<Self> {
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate()?)?;
        let key = KeyPair::generate()?;
        let leaf = CertificateParams::new(vec![host.to_owned()])?.signed_by(&key, &authority)?;
        let made = Self { directory: directory.to_owned(), name };
        std::fs::write(made.file("ca"), authority.pem())?;
        std::fs::write(made.file("chain"), leaf.pem())?;
        std::fs::write(made.file("key"), key.serialize_pem())?;
        Ok(made)
    }

    /// One that was made.
    pub fn of(directory: &Path, name: &'static str) -> Self {
        Self { directory: directory.to_owned(), name }
    }

    /// The file of one of its three parts.
    pub fn file(&self, part: &str) -> PathBuf {
        self.directory.join(format!("{}.{part}.pem", self.name))
    }

    fn acceptor(&self) -> Result<TlsAcceptor> {
        let chain: Result<Vec<_>, _> = CertificateDer::pem_file_iter(self.file("chain"))?.collect();
        let key = PrivateKeyDer::from_pem_file(self.file("key"))?;
        let config = ServerConfig::builder().with_no_client_auth().with_single_cert(chain?, key)?;
        Ok(TlsAcceptor::from(Arc::new(config)))
    }

    fn connector(&self) -> Result<TlsConnector> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.file("ca"))?)?;
        let config = ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
        Ok(TlsConnector::from(Arc::new(config)))
    }
}

/// Serves TLS at `listen` for what listens at `inner`.
///
/// # Errors
/// When the port is taken or the files cannot be read.
pub async fn serving(directory: &Path, listen: &str, inner: &str) -> Result<()> {
    let acceptor = Authority::of(directory, "server").acceptor()?;
    let listener = TcpListener::bind((listen, TLS_PORT)).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        let (acceptor, inner) = (acceptor.clone(), inner.to_owned());
        tokio::spawn(async move {
            let (outside, inside) =
                (acceptor.accept(stream).await?, TcpStream::connect(inner).await?);
            both_ways(outside, inside).await
        });
    }
}

/// A proxy that tunnels to `to` for whoever says who he is.
///
/// # Errors
/// When the port is taken.
pub async fn asking(to: &str) -> Result<()> {
    let listener = TcpListener::bind(("127.0.0.1", PROXY_PORT)).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        let to = to.to_owned();
        tokio::spawn(async move {
            if let Some(inside) = tunnel(stream, true).await? {
                both_ways(inside, TcpStream::connect(to).await?).await?;
            }
            anyhow::Ok(())
        });
    }
}

/// A proxy that shows a certificate of its own for `host`, and reads what passes.
///
/// # Errors
/// When the port is taken or the files cannot be read.
pub async fn inspecting(directory: &Path, host: &str, to: &str) -> Result<()> {
    let acceptor = Authority::of(directory, "proxy").acceptor()?;
    let connector = Authority::of(directory, "server").connector()?;
    let name = ServerName::try_from(host.to_owned())?;
    let listener = TcpListener::bind(("127.0.0.1", PROXY_PORT)).await?;
    loop {
        let (stream, _) = listener.accept().await?;
        let (acceptor, connector) = (acceptor.clone(), connector.clone());
        let (name, to) = (name.clone(), to.to_owned());
        tokio::spawn(async move {
            if let Some(inside) = tunnel(stream, false).await? {
                let opened = acceptor.accept(inside).await?;
                let outside = connector.connect(name, TcpStream::connect(to).await?).await?;
                both_ways(opened, outside).await?;
            }
            anyhow::Ok(())
        });
    }
}

/// The connection once its `CONNECT` was granted; whoever does not say who he is when asked is sent away.
async fn tunnel(mut stream: TcpStream, asks: bool) -> Result<Option<TcpStream>> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") && head.len() < HEAD_BYTES {
        head.push(stream.read_u8().await?);
    }
    let head = String::from_utf8(head)?;
    let known = format!("basic {}", BASE64_STANDARD.encode(ASKED_FOR)).to_lowercase();
    let said = head.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("proxy-authorization").then(|| value.trim().to_lowercase())
    });
    let answer = match (head.starts_with("CONNECT "), asks && said.as_deref() != Some(&known)) {
        (false, _) => "HTTP/1.1 405 Only CONNECT\r\nContent-Length: 0\r\n\r\n",
        (_, true) => {
            "HTTP/1.1 407 Who are you\r\nProxy-Authenticate: Basic realm=\"out\"\r\nContent-Length: 0\r\n\r\n"
        }
        _ => "HTTP/1.1 200 Connected\r\n\r\n",
    };
    stream.write_all(answer.as_bytes()).await?;
    Ok(answer.contains(" 200 ").then_some(stream))
}

async fn both_ways(
    mut one: impl AsyncRead + AsyncWrite + Unpin,
    mut other: impl AsyncRead + AsyncWrite + Unpin,
) -> Result<()> {
    copy_bidirectional(&mut one, &mut other).await.context("a connection broke")?;
    Ok(())
}
