//! A peer that shakes hands as it should and then says whatever a test writes. It is made of
//! quinn and rustls alone, so that it shares no mistake with the transport.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use lienthong_protocol::{CloseCode, NodeKey};
use quinn::crypto::rustls::QuicClientConfig;
use quinn::{ClientConfig, Connection, ConnectionError, Endpoint, SendStream};
use rustls::client::AlwaysResolvesClientRawPublicKeys;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::aws_lc_rs;
use rustls::crypto::aws_lc_rs::sign::any_eddsa_type;
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer, ServerName, UnixTime};
use rustls::sign::CertifiedKey;
use rustls::{ClientConfig as TlsConfig, DigitallySignedStruct, Error, SignatureScheme};

/// The first byte of the stream for everything but batches.
pub const CONTROL_LANE: u8 = 1;
/// The first byte of the stream for batches.
pub const BATCH_LANE: u8 = 2;

/// How long a node may take to close a link that breaks the rules.
const PATIENCE: Duration = Duration::from_secs(30);

/// One end of a connection without a node behind it.
pub struct Stranger {
    connection: Connection,
    // The socket goes with it.
    _endpoint: Endpoint,
}

impl Stranger {
    /// Shakes hands with whoever listens at the address, as the holder of a key.
    pub async fn reach(address: SocketAddr, key: &NodeKey) -> Stranger {
        let endpoint = Endpoint::client((Ipv4Addr::LOCALHOST, 0).into()).expect("loopback");
        let config = ClientConfig::new(Arc::new(tls(key)));
        let connecting =
            endpoint.connect_with(config, address, "lienthong").expect("an address to dial");
        let connection = connecting.await.expect("the handshake takes any well-formed key");
        Stranger { connection, _endpoint: endpoint }
    }

    /// Opens a stream and writes to it, as far as the node lets it.
    pub async fn says(&self, bytes: &[u8]) -> Option<SendStream> {
        let mut stream = self.connection.open_uni().await.ok()?;
        stream.write_all(bytes).await.ok()?;
        Some(stream)
    }

    /// Waits until the node closes the connection; gives its code.
    pub async fn closed(&self) -> CloseCode {
        let closed = tokio::time::timeout(PATIENCE, self.connection.closed()).await;
        match closed.expect("the node closes the connection") {
            ConnectionError::ApplicationClosed(close) => {
                let code = u32::try_from(close.error_code.into_inner());
                CloseCode(code.expect("close codes are small numbers"))
            }
            other => panic!("the connection ended without a code: {other}"),
        }
    }
}

fn tls(key: &NodeKey) -> QuicClientConfig {
    let private = [&PKCS8_PREFIX[..], key.seed().as_slice()].concat();
    let private = any_eddsa_type(&PrivatePkcs8KeyDer::from(private)).expect("an Ed25519 key");
    let public = CertificateDer::from([&SPKI_PREFIX[..], key.id().as_bytes()].concat());
    let certified = Arc::new(CertifiedKey::new(vec![public], private));
    let mut config = TlsConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()))
        .with_protocol_versions(&[&rustls::version::TLS13])
        .expect("aws-lc-rs speaks TLS 1.3")
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(Anybody))
        .with_client_cert_resolver(Arc::new(AlwaysResolvesClientRawPublicKeys::new(certified)));
    config.alpn_protocols = vec![b"lienthong/1".to_vec()];
    QuicClientConfig::try_from(config).expect("aws-lc-rs has what QUIC needs")
}

/// A stranger does not care whom it speaks with.
#[derive(Debug)]
struct Anybody;

impl ServerCertVerifier for Anybody {
    fn verify_server_cert(
        &self,
        _: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn verify_tls13_signature(
        &self,
        _: &[u8],
        _: &CertificateDer<'_>,
        _: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        Ok(HandshakeSignatureValid::assertion())
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        vec![SignatureScheme::ED25519]
    }

    fn requires_raw_public_keys(&self) -> bool {
        true
    }
}

/// An Ed25519 private key in PKCS#8 without its 32-byte seed (RFC 8410, section 7).
const PKCS8_PREFIX: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// An Ed25519 public key in SPKI without its 32 bytes (RFC 8410, section 4).
const SPKI_PREFIX: [u8; 12] =
    [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
