use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;

use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;

use super::*;

/// 2026-11-24.
const NOW: Moment = Moment(1_795_500_000_000);

fn names(names: &[&str]) -> Vec<String> {
    names.iter().map(ToString::to_string).collect()
}

#[test]
fn a_certificate_is_made_once_and_again_only_for_other_names() {
    let folder = tempfile::tempdir().expect("a folder");
    let made = Certificate::of(folder.path(), &names(&["mot-cua.lan", "192.168.1.10"]), NOW);
    let made = made.expect("it is made");
    assert!(made.fingerprint().is_some() && made.chain.starts_with(b"-----BEGIN CERTIFICATE"));
    let mode = std::fs::metadata(folder.path().join(KEY)).expect("written").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = Certificate::of(folder.path(), &names(&["mot-cua.lan", "192.168.1.10"]), NOW);
    assert_eq!(again.expect("it is read").chain, made.chain);
    let other = Certificate::of(folder.path(), &names(&["tiep-dan.lan"]), NOW);
    assert_ne!(other.expect("it is made").chain, made.chain);
}

#[test]
fn an_operators_certificate_is_never_written_over() {
    let (ours, theirs) = (tempfile::tempdir(), tempfile::tempdir());
    let (ours, theirs) = (ours.expect("a folder"), theirs.expect("a folder"));
    Certificate::of(ours.path(), &names(&["a.lan"]), NOW).expect("it is made");
    Certificate::of(theirs.path(), &names(&["b.lan"]), NOW).expect("it is made");
    for file in [CHAIN, KEY] {
        std::fs::copy(theirs.path().join(file), ours.path().join(file)).expect("is copied");
    }
    let held = Certificate::of(ours.path(), &names(&["c.lan"]), NOW).expect("it is read");
    assert!(held.fingerprint().is_none());
    assert_eq!(held.chain, std::fs::read(theirs.path().join(CHAIN)).expect("is read"));
}

#[test]
fn a_pair_that_was_half_written_is_made_again() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join(MARK), Mark::default().text()).expect("is written");
    std::fs::write(folder.path().join(KEY), "half").expect("is written");
    let made = Certificate::of(folder.path(), &names(&["a.lan"]), NOW).expect("it is made");
    assert!(made.fingerprint().is_some());
}

#[test]
fn one_file_without_the_other_and_a_readable_key_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::write(folder.path().join(KEY), "theirs").expect("is written");
    let open =
        Certificate::of(folder.path(), &names(&["a.lan"]), NOW).err().expect("others read it");
    assert_eq!(open.code, "folder-open-to-others");
    let closed = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(folder.path().join(KEY), closed).expect("is set");
    let half = Certificate::of(folder.path(), &names(&["a.lan"]), NOW).err().expect("no chain");
    assert!(half.why.contains("pages.crt"), "{half}");
}

#[test]
fn names_that_no_certificate_can_have_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let refused = Certificate::of(folder.path(), &names(&["một cửa"]), NOW).err().expect("no name");
    assert_eq!(refused.code, "http-name-not-usable");
}

#[test]
fn files_that_are_no_certificate_are_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    for file in [CHAIN, KEY] {
        replace_with(&folder.path().join(file), |_| Ok(Vec::new())).expect("is written");
    }
    let read = Certificate::of(folder.path(), &names(&["a.lan"]), NOW).expect("they are there");
    assert_eq!(read.acceptor().err().expect("empty").code, "http-certificate-not-usable");
}

/// The time now: a certificate counts within its dates alone.
fn today() -> Moment {
    let since = std::time::UNIX_EPOCH.elapsed().expect("after 1970");
    Moment(u64::try_from(since.as_millis()).expect("before the end of time"))
}

#[tokio::test]
async fn who_trusts_the_certificate_is_secured_under_its_names_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let wanted = names(&["mot-cua.lan", "127.0.0.1"]);
    let made = Certificate::of(folder.path(), &wanted, today()).expect("it is made");
    let mut trusted = RootCertStore::empty();
    let der = CertificateDer::from_pem_slice(&made.chain).expect("it is one");
    trusted.add(der).expect("it can be trusted");
    let provider = Arc::new(crypto::aws_lc_rs::default_provider());
    let client = ClientConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&version::TLS13])
        .expect("it is known")
        .with_root_certificates(trusted)
        .with_no_client_auth();
    let connector = TlsConnector::from(Arc::new(client));
    let acceptor = made.acceptor().expect("it is usable");
    for (name, is_its_own) in [("mot-cua.lan", true), ("127.0.0.1", true), ("evil.lan", false)] {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.expect("it binds");
        let at = listener.local_addr().expect("bound");
        let acceptor = acceptor.clone();
        let serving = tokio::spawn(async move {
            let (stream, _) = listener.accept().await.expect("somebody comes");
            let Ok(mut stream) = acceptor.accept(stream).await else { return };
            stream.write_all(b"here").await.expect("it is sent");
            stream.shutdown().await.expect("it ends");
        });
        let stream = TcpStream::connect(at).await.expect("it listens");
        let known = name.try_into().expect("a name");
        let met = connector.connect(known, stream).await;
        assert_eq!(met.is_ok(), is_its_own, "{name}");
        if let Ok(mut stream) = met {
            let mut read = String::new();
            stream.read_to_string(&mut read).await.expect("it is text");
            assert_eq!(read, "here");
        }
        serving.await.expect("no panic");
    }
}
