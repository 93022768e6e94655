//! TLS 1.3 with the nodes' own keys as raw public keys (RFC 7250), both ways.

use std::sync::{Arc, OnceLock};

use lienthong_protocol::{NodeId, NodeKey};
use quinn::crypto::rustls::{HandshakeData, QuicClientConfig, QuicServerConfig};
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{AlwaysResolvesClientRawPublicKeys, Resumption};
use rustls::crypto::aws_lc_rs::sign::any_eddsa_type;
use rustls::crypto::{CryptoProvider, aws_lc_rs, verify_tls13_signature_with_raw_key};
use rustls::pki_types::{
    CertificateDer, PrivatePkcs8KeyDer, ServerName, SubjectPublicKeyInfoDer, UnixTime,
};
use rustls::server::danger::{ClientCertVerified, ClientCertVerifier};
use rustls::server::{AlwaysResolvesServerRawPublicKeys, NoServerSessionStorage};
use rustls::sign::CertifiedKey;
use rustls::{
    CertificateError, DigitallySignedStruct, DistinguishedName, Error, PeerIncompatible,
    SignatureScheme,
};
use zeroize::Zeroizing;

/// What a connection is for, as the handshake says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// A link between two nodes of the registry.
    Link,
    /// A new node knocks.
    Join,
}

impl Purpose {
    fn alpn(self) -> Vec<u8> {
        match self {
            Purpose::Link => b"lienthong/1".to_vec(),
            Purpose::Join => b"lienthong-join/1".to_vec(),
        }
    }
}

/// The node's key in the form that handshakes take.
#[derive(Clone)]
pub(crate) struct Identity {
    key: Arc<CertifiedKey>,
    provider: Arc<CryptoProvider>,
}

impl Identity {
    pub(crate) fn new(key: &NodeKey) -> Identity {
        let mut pkcs8 = Zeroizing::new([0; PKCS8_PREFIX.len() + 32]);
        pkcs8[..PKCS8_PREFIX.len()].copy_from_slice(&PKCS8_PREFIX);
        pkcs8[PKCS8_PREFIX.len()..].copy_from_slice(key.seed().as_slice());
        let signing = any_eddsa_type(&PrivatePkcs8KeyDer::from(pkcs8.as_slice()))
            .expect("prefix and seed are an Ed25519 key in PKCS#8");
        let public = CertificateDer::from([&SPKI_PREFIX[..], key.id().as_bytes()].concat());
        Identity {
            key: Arc::new(CertifiedKey::new(vec![public], signing)),
            provider: Arc::new(aws_lc_rs::default_provider()),
        }
    }

    /// Accepts links and knocks from any well-formed key; who it is and what it may is asked
    /// after the handshake.
    pub(crate) fn server(&self) -> QuicServerConfig {
        let verifier = AnyNode { provider: Arc::clone(&self.provider) };
        let mut config = rustls::ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .expect("aws-lc-rs speaks TLS 1.3")
            .with_client_cert_verifier(Arc::new(verifier))
            .with_cert_resolver(Arc::new(AlwaysResolvesServerRawPublicKeys::new(Arc::clone(
                &self.key,
            ))));
        config.alpn_protocols = vec![Purpose::Link.alpn(), Purpose::Join.alpn()];
        config.session_storage = Arc::new(NoServerSessionStorage {});
        config.send_tls13_tickets = 0;
        QuicServerConfig::try_from(config).expect("aws-lc-rs has AES-128-GCM")
    }

    /// Dials one node; any other is refused inside the handshake, and `found` names it.
    pub(crate) fn client(
        &self,
        expected: NodeId,
        purpose: Purpose,
        found: Arc<OnceLock<NodeId>>,
    ) -> QuicClientConfig {
        let verifier = OneNode { expected, found, provider: Arc::clone(&self.provider) };
        let mut config = rustls::ClientConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(&[&rustls::version::TLS13])
            .expect("aws-lc-rs speaks TLS 1.3")
            .dangerous()
            .with_custom_certificate_verifier(Arc::new(verifier))
            .with_client_cert_resolver(Arc::new(AlwaysResolvesClientRawPublicKeys::new(
                Arc::clone(&self.key),
            )));
        config.alpn_protocols = vec![purpose.alpn()];
        config.resumption = Resumption::disabled();
        config.enable_sni = false;
        QuicClientConfig::try_from(config).expect("aws-lc-rs has AES-128-GCM")
    }
}

/// Who is at the other end of a finished handshake, and what for. The verifiers have seen to it
/// that there is a key; a `None` means that quinn changed its types.
pub(crate) fn peer(connection: &quinn::Connection) -> Option<(NodeId, Purpose)> {
    let chain = connection.peer_identity()?.downcast::<Vec<CertificateDer<'static>>>().ok()?;
    let node = node_of(chain.first()?).ok()?;
    let handshake = connection.handshake_data()?.downcast::<HandshakeData>().ok()?;
    let alpn = handshake.protocol?;
    [Purpose::Link, Purpose::Join]
        .into_iter()
        .find(|purpose| purpose.alpn() == alpn)
        .map(|purpose| (node, purpose))
}

fn node_of(raw_key: &CertificateDer<'_>) -> Result<NodeId, Error> {
    raw_key
        .strip_prefix(&SPKI_PREFIX[..])
        .and_then(|key| <[u8; 32]>::try_from(key).ok())
        .map(NodeId::from_bytes)
        .ok_or(Error::InvalidCertificate(CertificateError::BadEncoding))
}

/// How both verifiers check that the other end holds the private half of the key it shows: a
/// signature by Ed25519 and nothing else, over TLS 1.3.
macro_rules! raw_key_signatures {
    () => {
        fn verify_tls12_signature(
            &self,
            _: &[u8],
            _: &CertificateDer<'_>,
            _: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            Err(Error::PeerIncompatible(PeerIncompatible::Tls12NotOffered))
        }

        fn verify_tls13_signature(
            &self,
            message: &[u8],
            raw_key: &CertificateDer<'_>,
            signed: &DigitallySignedStruct,
        ) -> Result<HandshakeSignatureValid, Error> {
            let key = SubjectPublicKeyInfoDer::from(raw_key.as_ref());
            let algorithms = &self.provider.signature_verification_algorithms;
            verify_tls13_signature_with_raw_key(message, &key, signed, algorithms)
        }

        fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
            vec![SignatureScheme::ED25519]
        }

        fn requires_raw_public_keys(&self) -> bool {
            true
        }
    };
}

#[derive(Debug)]
struct OneNode {
    expected: NodeId,
    found: Arc<OnceLock<NodeId>>,
    provider: Arc<CryptoProvider>,
}

impl ServerCertVerifier for OneNode {
    fn verify_server_cert(
        &self,
        raw_key: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: &ServerName<'_>,
        _: &[u8],
        _: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let found = node_of(raw_key)?;
        if found != self.expected {
            self.found.get_or_init(|| found);
            return Err(CertificateError::ApplicationVerificationFailure.into());
        }
        Ok(ServerCertVerified::assertion())
    }

    raw_key_signatures!();
}

#[derive(Debug)]
struct AnyNode {
    provider: Arc<CryptoProvider>,
}

impl ClientCertVerifier for AnyNode {
    fn root_hint_subjects(&self) -> &[DistinguishedName] {
        &[]
    }

    fn verify_client_cert(
        &self,
        raw_key: &CertificateDer<'_>,
        _: &[CertificateDer<'_>],
        _: UnixTime,
    ) -> Result<ClientCertVerified, Error> {
        node_of(raw_key).map(|_| ClientCertVerified::assertion())
    }

    raw_key_signatures!();
}

/// An Ed25519 private key in PKCS#8 without its 32-byte seed (RFC 8410, section 7).
const PKCS8_PREFIX: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

/// An Ed25519 public key in SPKI without its 32 bytes (RFC 8410, section 4).
const SPKI_PREFIX: [u8; 12] =
    [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

#[cfg(test)]
#[path = "tls_tests.rs"]
mod tests;
