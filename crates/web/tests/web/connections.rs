//! The server over real sockets, with tiny time-outs.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::routing::get;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use web::{Certificate, Limits, Listener, serve};

use crate::stand::Stand;

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
    Router::new()
        .route("/", get(async || "here"))
        .route("/never", get(std::future::pending::<()>))
        .route("/long", get(async || vec![0_u8; LONG_BYTES]))
}

/// More than the buffers of both systems take.
const LONG_BYTES: usize = 32 << 20;

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
async fn whoever_takes_an_answer_slowly_makes_room_and_whoever_waits_for_one_does_not() {
    let limits = Limits { connections: 2, slow: SHORT, ..Limits::default() };
    let served = served(limits, router()).await;
    let mut waits = TcpStream::connect(served.address).await.unwrap();
    waits.write_all(b"GET /never HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    let mut slow = TcpStream::connect(served.address).await.unwrap();
    slow.write_all(b"GET /long HTTP/1.1\r\nhost: a\r\n\r\n").await.unwrap();
    // It takes the beginning, so that its answer is under way, and then no more.
    slow.read_exact(&mut [0; 1_024]).await.unwrap();
    assert!(exchange(&served, CLOSE).await.ends_with("here"));
    let mut rest = Vec::new();
    let _ = slow.read_to_end(&mut rest).await;
    assert!(rest.len() < LONG_BYTES / 2, "{}", rest.len());
    // The other one has its connection still: nothing came, not even an end.
    let nothing = tokio::time::timeout(SHORT, waits.read(&mut [0])).await;
    assert!(nothing.is_err(), "{nothing:?}");
}

/// A frame of HTTP/2.
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let head = [&length[1..], &[kind, flags], &stream.to_be_bytes()[..]].concat();
    [&head[..], payload].concat()
}

/// Opens an HTTP/2 connection whose streams have this window, and asks for `path` on `streams` of them.
async fn asked_over_http2(served: &Served, window: u32, path: &str, streams: u32) -> TcpStream {
    let mut stream = TcpStream::connect(served.address).await.unwrap();
    let mut bytes = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    bytes.extend(frame(4, 0, 0, &[&[0, 4][..], &window.to_be_bytes()].concat()));
    // GET, http, and two literals: `:path` and `:authority`.
    let path = [&[0x82, 0x86, 0x04, u8::try_from(path.len()).unwrap()], path.as_bytes()].concat();
    let headers = [&path[..], &[0x01, 1, b'a']].concat();
    for number in 0..streams {
        bytes.extend(frame(1, 0x05, 2 * number + 1, &headers));
    }
    stream.write_all(&bytes).await.unwrap();
    stream
}

#[tokio::test]
async fn an_answer_that_a_closed_window_keeps_is_dropped_with_its_connection() {
    let limits = Limits { write: SHORT, ..Limits::default() };
    let answered = Arc::new(());
    let held = Arc::downgrade(&answered);
    let bytes = Bytes::from_owner(Owned { _until_sent: answered, bytes: vec![0; LONG_BYTES] });
    let given = Arc::new(std::sync::Mutex::new(Some(bytes)));
    let once = move || std::future::ready(given.lock().unwrap().take().unwrap());
    let router = Router::new().route("/once", get(once));
    let served = served(limits, router).await;
    let mut stream = asked_over_http2(&served, 0, "/once", 1).await;
    let mut sent = Vec::new();
    // It ends although nothing was written that could wait, and although the client is alive.
    let _ = stream.read_to_end(&mut sent).await;
    assert!(sent.len() < 1_024, "{}", sent.len());
    while held.upgrade().is_some() {
        tokio::task::yield_now().await;
    }
}

/// Bytes that tell when the last of them is dropped.
struct Owned {
    _until_sent: Arc<()>,
    bytes: Vec<u8>,
}

impl AsRef<[u8]> for Owned {
    fn as_ref(&self) -> &[u8] {
        &self.bytes
    }
}

#[tokio::test]
async fn pages_are_served_although_slow_readers_hold_all_memory_that_answers_may_take() {
    let stand = Stand::new().await;
    let limits = Limits { slow: SHORT, ..Limits::default() };
    let served = served(limits, web::routes::public(stand.app.clone())).await;
    let mut slow = Vec::new();
    let is_over = |stream: &TcpStream| match stream.try_read(&mut [0; 1_024]) {
        Ok(read) => read == 0,
        Err(error) => error.kind() != std::io::ErrorKind::WouldBlock,
    };
    // They are let go for want of memory alone: there are places for a thousand.
    while !slow.iter().any(is_over) {
        assert!(slow.len() < 500);
        slow.push(asked_over_http2(&served, 0, "/openapi.json", Limits::STREAMS).await);
        let page = exchange(&served, CLOSE).await;
        assert!(page.starts_with("HTTP/1.1 200"), "{page}");
    }
}

#[tokio::test]
async fn a_connection_says_how_many_requests_it_takes_at_a_time() {
    let served = served(Limits::default(), router()).await;
    let mut stream = asked_over_http2(&served, 65_535, "/", 1).await;
    let mut head = [0; 9];
    stream.read_exact(&mut head).await.unwrap();
    assert_eq!(head[3], 4, "settings come first");
    let mut settings = vec![0; usize::from(head[2])];
    stream.read_exact(&mut settings).await.unwrap();
    let streams = Limits::STREAMS.to_be_bytes();
    let said = settings.chunks(6).find(|setting| setting[..2] == [0, 3]).unwrap();
    assert_eq!(said[2..], streams);
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
    let connector = tokio_rustls::TlsConnector::from(Arc::new(config));
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
