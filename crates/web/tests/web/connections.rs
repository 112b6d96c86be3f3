//! The server over real sockets, with tiny time-outs.

use std::io::Write as _;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use web::{Certificate, Limits, Listener, serve};

const SHORT: Duration = Duration::from_millis(60);

/// A server, and what ends it.
struct Served {
    address: std::net::SocketAddr,
    stop: oneshot::Sender<()>,
    done: JoinHandle<()>,
}

async fn served(limits: Limits, router: Router) -> Served {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let shutdown = async {
        let _ = stopped.await;
    };
    let done = tokio::spawn(serve(Listener::Tcp(listener), router, limits, shutdown));
    Served { address, stop, done }
}

fn router() -> Router {
    Router::new().route("/", get(async || "here")).route("/never", get(std::future::pending::<()>))
}

/// Sends `bytes` and reads until the server closes.
async fn exchange(served: &Served, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    let mut answer = Vec::new();
    // A reset is an end too.
    let _ = stream.read_to_end(&mut answer).await;
    String::from_utf8_lossy(&answer).into_owned()
}

const CLOSE: &[u8] = b"GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";

#[tokio::test]
async fn a_client_that_says_nothing_or_too_little_is_let_go() {
    let limits = Limits { first_bytes: SHORT, headers: SHORT, ..Limits::default() };
    let served = served(limits, router()).await;
    for begun in ["", "G", "PRI * HT", "GET / HTTP/1.1\r\nhost: a\r\nx-slow: "] {
        let answer = exchange(&served, begun.as_bytes()).await;
        assert!(!answer.contains("here"), "{begun}: {answer}");
    }
    assert!(exchange(&served, CLOSE).await.ends_with("here"));
}

#[tokio::test]
async fn an_idle_connection_is_closed() {
    let limits = Limits { headers: SHORT, ..Limits::default() };
    let served = served(limits, router()).await;
    let answer = exchange(&served, b"GET / HTTP/1.1\r\nhost: a\r\n\r\n").await;
    assert!(answer.contains("here"), "{answer}");
}

#[tokio::test]
async fn headers_beyond_the_limit_are_refused() {
    let served = served(Limits::default(), router()).await;
    let long =
        format!("GET / HTTP/1.1\r\nhost: a\r\nx: {}\r\n\r\n", "a".repeat(Limits::HEADER_BYTES));
    assert!(exchange(&served, long.as_bytes()).await.starts_with("HTTP/1.1 431"));
    let many = format!("GET / HTTP/1.1\r\nhost: a\r\n{}\r\n", "x: 1\r\n".repeat(200));
    assert!(exchange(&served, many.as_bytes()).await.starts_with("HTTP/1.1 431"));
    // Ten thousand bytes of Arabic, pasted into the search, are three times as many in the address.
    let pasted = "%D8%A7".repeat(5_000);
    let pasted = format!("GET /?q={pasted} HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    assert!(exchange(&served, pasted.as_bytes()).await.ends_with("here"));
}

#[tokio::test]
async fn a_handler_that_does_not_end_is_answered_for() {
    let limits = Limits { request: SHORT, ..Limits::default() };
    let served = served(limits, router()).await;
    let answer =
        exchange(&served, b"GET /never HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 503") && answer.contains("/problems/busy"), "{answer}");
}

#[tokio::test]
async fn a_full_server_serves_the_next_one_once_a_place_is_free() {
    let limits = Limits { connections: 1, first_bytes: SHORT, ..Limits::default() };
    let served = served(limits, router()).await;
    let _silent = TcpStream::connect(served.address).await.unwrap();
    assert!(exchange(&served, CLOSE).await.ends_with("here"));
}

#[tokio::test]
async fn whoever_asks_for_nothing_makes_room_long_before_the_limits() {
    let limits = Limits { connections: 2, ..Limits::default() };
    let served = served(limits, router()).await;
    let mut silent = TcpStream::connect(served.address).await.unwrap();
    let mut slow = TcpStream::connect(served.address).await.unwrap();
    slow.write_all(b"GET / HTTP/1.1\r\nhost: a\r\nx-slow: ").await.unwrap();
    assert!(exchange(&served, CLOSE).await.ends_with("here"));
    let mut nothing = Vec::new();
    let _ = silent.read_to_end(&mut nothing).await;
    assert!(nothing.is_empty());
}

#[tokio::test]
async fn a_shutdown_ends_although_a_request_does_not() {
    let limits = Limits { drain: SHORT, ..Limits::default() };
    let served = served(limits, router()).await;
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    stream.write_all(b"GET /never HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    stream.flush().await.unwrap();
    tokio::task::yield_now().await;
    served.stop.send(()).unwrap();
    served.done.await.unwrap();
    let mut rest = Vec::new();
    let _ = stream.read_to_end(&mut rest).await;
    assert!(rest.is_empty());
}

#[tokio::test]
async fn a_router_is_served_over_tls() {
    // Another test of this process may have installed it.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let folder = tempfile::tempdir().unwrap();
    let (chain, key) = (folder.path().join("chain.pem"), folder.path().join("key.pem"));
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(&chain, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let certificate = Certificate::load(&chain, &key).unwrap();
    let listener = Listener::Tls(listener, certificate);
    tokio::spawn(serve(listener, router(), Limits::default(), std::future::pending()));
    let mut roots = rustls::RootCertStore::empty();
    roots.add(made.cert.der().clone()).unwrap();
    let config =
        rustls::ClientConfig::builder().with_root_certificates(roots).with_no_client_auth();
    let connector = tokio_rustls::TlsConnector::from(std::sync::Arc::new(config));
    let stream = TcpStream::connect(address).await.unwrap();
    let name = rustls::pki_types::ServerName::try_from("localhost").unwrap();
    let mut stream = connector.connect(name, stream).await.unwrap();
    stream.write_all(CLOSE).await.unwrap();
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert!(answer.ends_with(b"here"), "{}", String::from_utf8_lossy(&answer));
}

#[tokio::test]
async fn tls_from_files_is_served_and_a_broken_pair_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (chain, key) = (folder.path().join("chain.pem"), folder.path().join("key.pem"));
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::write(&chain, made.cert.pem()).unwrap();
    std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    assert!(Certificate::load(&chain, &key).is_ok());
    let other = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    std::fs::File::create(&key)
        .unwrap()
        .write_all(other.signing_key.serialize_pem().as_bytes())
        .unwrap();
    assert!(Certificate::load(&chain, &key).is_err());
    std::fs::write(&chain, "no certificate").unwrap();
    let error = Certificate::load(&chain, &key).unwrap_err().to_string();
    assert!(error.contains("chain.pem"), "{error}");
}
