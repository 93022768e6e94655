use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

#[tokio::test]
async fn an_address_of_the_network_is_refused_with_a_remedy() {
    let address = "0.0.0.0:0".parse().expect("an address");
    let refused = Server::bind(address).await.expect_err("it is no loopback address");
    assert_eq!(refused.code, "http-not-loopback");
    assert!(refused.remedy.contains("127.0.0.1"), "{refused}");
}

#[tokio::test]
async fn it_answers_until_it_is_stopped() {
    let server = Server::bind("127.0.0.1:0".parse().expect("an address")).await.expect("it binds");
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
