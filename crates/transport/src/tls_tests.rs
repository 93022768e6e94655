use std::sync::Arc;

use lienthong_protocol::NodeId;
use quinn::{ConnectionError, ServerConfig, TransportErrorCode};
use rustls::sign::CertifiedKey;

use super::{Identity, Purpose};
use crate::dial::{Dialer, Reached};
use crate::endpoint::open;
use crate::world::{Node, key, loopback, soon};
use crate::{DialError, LinkSettings};

/// Shows the key of another node and signs with its own.
fn thief(seed: u8) -> Identity {
    let (shown, own) = (Identity::new(&key(seed)), Identity::new(&key(66)));
    let key = CertifiedKey::new(shown.key.cert.clone(), Arc::clone(&own.key.key));
    Identity { key: Arc::new(key), ..own }
}

async fn dial(identity: Identity, node: NodeId, address: String) -> Result<Reached, DialError> {
    let (endpoint, _) = open(loopback(), None).expect("loopback can be bound");
    let dialer = Dialer { endpoint, identity, settings: LinkSettings::default() };
    soon(dialer.reach(node, Purpose::Link, &[address])).await
}

#[tokio::test]
async fn a_caller_that_does_not_hold_its_key_gets_no_link() {
    let mut bob = Node::new(2);
    let reached = dial(thief(1), bob.id(), bob.address()).await;
    // The dialling end is through before the other has seen its signature.
    let connection = reached.expect("the other end shows its own key").connection;
    let ConnectionError::ConnectionClosed(close) = soon(connection.closed()).await else {
        panic!("the other end did not close");
    };
    assert_eq!(close.error_code, TransportErrorCode::crypto(DECRYPT_ERROR));
    bob.endpoint.close().await;
    assert!(bob.events.try_recv().is_err(), "the thief had an event");
}

#[tokio::test]
async fn an_answer_by_one_that_does_not_hold_its_key_is_refused() {
    let server = ServerConfig::with_crypto(Arc::new(thief(2).server()));
    let (listener, _) = open(loopback(), Some(server)).expect("loopback can be bound");
    let address = listener.local_addr().expect("it is bound").to_string();
    let answering = tokio::spawn(async move { listener.accept().await?.await.err() });
    let reached = dial(Identity::new(&key(1)), key(2).id(), address).await.map(drop);
    assert!(matches!(reached, Err(DialError::Unreachable { .. })), "{reached:?}");
    let failed = soon(answering).await.expect("the task does not panic").expect("no link");
    let ConnectionError::ConnectionClosed(close) = failed else { panic!("not closed: {failed}") };
    assert_eq!(close.error_code, TransportErrorCode::crypto(DECRYPT_ERROR));
}

/// The TLS alert for a signature that does not fit (RFC 8446, section 6.2).
const DECRYPT_ERROR: u8 = 51;
