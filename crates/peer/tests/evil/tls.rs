//! Certificates, and the proxy that leads out.

use std::path::PathBuf;
use std::sync::Arc;

use feed::ports::Carrier as _;
use peer::limits::Limits;
use peer::{HttpCarrier, Outbound, PeerSettings};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use crate::server::{Evil, Fixed, allowing_loopback, ok};
use crate::{TEXT, origin};

/// A node behind TLS with a certificate for `node.example`; its port, and its authority as PEM.
async fn secure_node() -> anyhow::Result<(u16, String)> {
    let mut authority = CertificateParams::new(Vec::new())?;
    authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(authority, KeyPair::generate()?)?;
    let key = KeyPair::generate()?;
    let leaf =
        CertificateParams::new(vec!["node.example".to_owned()])?.signed_by(&key, &authority)?;
    let private = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
    let config = ServerConfig::builder()
        .with_no_client_auth()
        .with_single_cert(vec![leaf.der().clone()], private)?;
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let port = listener.local_addr()?.port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let Ok(mut stream) = acceptor.accept(stream).await else { continue };
            let mut request = [0; 4_096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(&ok(TEXT, b"a note")).await;
            let _ = stream.shutdown().await;
        }
    });
    Ok((port, authority.pem()))
}

fn carrier(settings: &PeerSettings, url: String) -> anyhow::Result<HttpCarrier> {
    let lookup = Fixed::answering(&["127.0.0.1"])?;
    let outbound = Outbound::with(settings, Limits::default(), lookup)?;
    Ok(HttpCarrier::new(&outbound, &[url])?)
}

#[tokio::test]
async fn an_unknown_issuer_points_to_the_setting_that_makes_it_known() -> anyhow::Result<()> {
    let (port, authority) = secure_node().await?;
    let url = format!("https://node.example:{port}/");
    let settings = allowing_loopback()?;
    let error =
        carrier(&settings, url.clone())?.checkpoint(&origin()?).await.unwrap_err().to_string();
    assert!(error.contains("inspecting proxy") && error.contains("extra_ca_file"), "{error}");

    let directory = tempfile::tempdir()?;
    let file = directory.path().join("authority.pem");
    std::fs::write(&file, authority)?;
    let settings = PeerSettings { extra_ca_file: Some(file), ..settings };
    let answer = carrier(&settings, url)?.checkpoint(&origin()?).await?;
    assert_eq!(answer, &b"a note"[..]);

    let other = carrier(&settings, format!("https://other.example:{port}/"))?;
    let error = other.checkpoint(&origin()?).await.unwrap_err().to_string();
    assert!(error.contains("for another name"), "{error}");
    Ok(())
}

#[tokio::test]
async fn tls_to_something_that_speaks_none_is_named() -> anyhow::Result<()> {
    let evil = Evil::saying(ok(TEXT, b"a note")).await?;
    let limits = crate::server::tight();
    let lookup = Fixed::answering(&["127.0.0.1"])?;
    let outbound = Outbound::with(&allowing_loopback()?, limits, lookup)?;
    let carrier =
        HttpCarrier::new(&outbound, &[format!("https://node.example:{}/", evil.address.port())])?;
    let error = carrier.checkpoint(&origin()?).await.unwrap_err().to_string();
    assert!(error.contains("cannot be reached"), "{error}");
    Ok(())
}

#[tokio::test]
async fn a_proxy_is_asked_for_a_tunnel_and_the_name_is_not_looked_up_here() -> anyhow::Result<()> {
    let proxy = Evil::saying("HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n").await?;
    let address = format!("http://someone:secret@{}", proxy.address);
    let settings = PeerSettings { proxy: Some(address), ..PeerSettings::default() };
    let lookup = Fixed::answering(&[])?;
    let outbound = Outbound::with(&settings, Limits::default(), lookup.clone())?;
    let carrier = HttpCarrier::new(&outbound, &["https://node.example/".to_owned()])?;
    let error = carrier.checkpoint(&origin()?).await.unwrap_err().to_string();
    assert!(!error.contains("secret"), "{error}");
    let asked = proxy.heard().concat();
    assert!(asked.starts_with("connect node.example:443 http/1.1\r\n"), "{asked}");
    assert!(asked.contains("proxy-authorization: basic"), "{asked}");
    assert_eq!(lookup.asked.load(std::sync::atomic::Ordering::Relaxed), 0);
    Ok(())
}

#[test]
fn a_file_without_certificates_is_refused_with_its_name() -> anyhow::Result<()> {
    let directory = tempfile::tempdir()?;
    let file = directory.path().join("empty.pem");
    std::fs::write(&file, "nothing")?;
    for file in [file, PathBuf::from("/nowhere/ca.pem")] {
        let settings =
            PeerSettings { extra_ca_file: Some(file.clone()), ..PeerSettings::default() };
        let error = Outbound::new(&settings).unwrap_err().to_string();
        assert!(error.contains(&file.display().to_string()), "{error}");
    }
    Ok(())
}
