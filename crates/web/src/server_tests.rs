use lienthong_protocol::Moment;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

fn address(text: &str) -> SocketAddr {
    text.parse().expect("an address")
}

/// A server that needs no certificate.
async fn plain() -> Server {
    Server::bind(address("127.0.0.1:0"), &[], (Path::new("/nowhere"), Moment(0)))
        .await
        .expect("it binds")
}

#[tokio::test]
async fn an_address_of_every_network_without_a_name_is_refused_with_a_remedy() {
    let refused = Server::bind(address("0.0.0.0:0"), &[], (Path::new("/nowhere"), Moment(0))).await;
    let refused = refused.err().expect("nobody could ask for it");
    assert_eq!(refused.code, "http-no-name");
    assert!(refused.remedy.contains("http_names"), "{refused}");
}

#[tokio::test]
async fn a_named_server_says_its_name_and_answers_nothing_in_the_open() {
    let folder = tempfile::tempdir().expect("a folder");
    let names = ["mot-cua.lan".to_owned()];
    let place = (folder.path(), Moment(0));
    let server = Server::bind(address("127.0.0.1:0"), &names, place).await.expect("it binds");
    let (at, stop) = (server.address(), CancellationToken::new());
    assert_eq!(server.origin(), format!("https://mot-cua.lan:{}", at.port()));
    assert!(server.fingerprint().is_some(), "the node made the certificate");
    let router = Router::new().route("/", axum::routing::get(|| async { "here" }));
    let serving = tokio::spawn(serve(server, router, stop.clone()));
    let mut stream = TcpStream::connect(at).await.expect("it listens");
    let request = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await.expect("it is sent");
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer).await);
    assert!(!answer.starts_with(b"HTTP"));
    stop.cancel();
    serving.await.expect("it ends");
}

#[tokio::test]
async fn it_answers_until_it_is_stopped() {
    let server = plain().await;
    let (address, stop) = (server.address(), CancellationToken::new());
    let router = Router::new().route("/", axum::routing::get(|| async { "here" }));
    let serving = tokio::spawn(serve(server, router, stop.clone()));
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    let request = b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    stream.write_all(request).await.expect("it is sent");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("it is text");
    assert!(answer.starts_with("HTTP/1.1 200") && answer.ends_with("here"), "{answer}");
    let head = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(64 << 10));
    let mut stream = TcpStream::connect(address).await.expect("it listens");
    // The other end may close before it has read all of it.
    drop(stream.write_all(head.as_bytes()).await);
    let mut answer = Vec::new();
    drop(stream.read_to_end(&mut answer).await);
    assert!(!String::from_utf8_lossy(&answer).starts_with("HTTP/1.1 200"));
    stop.cancel();
    serving.await.expect("it ends");
}
