//! Reaching a known node at one of its addresses.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use lienthong_protocol::NodeId;
use lienthong_protocol::limits::MAX_ADDRESSES;
use quinn::{ClientConfig, ConnectError, Connection, ConnectionError, TransportErrorCode};
use tokio::time::timeout;

use crate::tls::{Identity, Purpose};
use crate::{CloseCause, Closed, DialError, LinkSettings};

/// Dials from one endpoint.
#[derive(Clone)]
pub(crate) struct Dialer {
    pub(crate) endpoint: quinn::Endpoint,
    pub(crate) identity: Identity,
    pub(crate) settings: LinkSettings,
}

/// A connection whose other end has proven to be the node that was dialled.
#[derive(Debug)]
pub(crate) struct Reached {
    pub(crate) connection: Connection,
    pub(crate) address: String,
}

impl Dialer {
    /// Tries the addresses one after the other, at most [`MAX_ADDRESSES`].
    pub(crate) async fn reach(
        &self,
        node: NodeId,
        purpose: Purpose,
        addresses: &[String],
    ) -> Result<Reached, DialError> {
        let mut failure = DialError::NoAddress;
        for address in addresses.iter().take(MAX_ADDRESSES) {
            match self.reach_at(node, purpose, address).await {
                Ok(connection) => return Ok(Reached { connection, address: address.clone() }),
                Err(DialError::Closing) => return Err(DialError::Closing),
                Err(error) => {
                    tracing::debug!(peer = %node.short(), %error, "address-failed");
                    if error.rank() >= failure.rank() {
                        failure = error;
                    }
                }
            }
        }
        Err(failure)
    }

    async fn reach_at(
        &self,
        node: NodeId,
        purpose: Purpose,
        address: &str,
    ) -> Result<Connection, DialError> {
        let unreachable =
            |cause: String| DialError::Unreachable { address: address.to_owned(), cause };
        let limit = self.settings.dial_time_limit;
        let lookup = timeout(limit, tokio::net::lookup_host(address)).await;
        let found = lookup.map_err(|_| unreachable(too_slow(limit)))?;
        let found = found.map_err(|error| unreachable(error.to_string()))?;
        let mut failure = unreachable("the name has no address".into());
        for socket in found.take(MAX_SOCKETS) {
            let attempt = self.handshake(node, purpose, address, socket);
            match timeout(limit, attempt).await {
                Ok(Ok(connection)) => return Ok(connection),
                Ok(Err(error)) => failure = error,
                Err(_) => failure = unreachable(too_slow(limit)),
            }
        }
        Err(failure)
    }

    async fn handshake(
        &self,
        node: NodeId,
        purpose: Purpose,
        address: &str,
        socket: SocketAddr,
    ) -> Result<Connection, DialError> {
        let found = Arc::new(OnceLock::new());
        let tls = self.identity.client(node, purpose, Arc::clone(&found));
        let mut config = ClientConfig::new(Arc::new(tls));
        config.transport_config(self.settings.transport());
        let address = address.to_owned();
        let connecting = match self.endpoint.connect_with(config, socket, SERVER_NAME) {
            Ok(connecting) => connecting,
            Err(ConnectError::EndpointStopping) => return Err(DialError::Closing),
            Err(error) => {
                return Err(DialError::Unreachable { address, cause: error.to_string() });
            }
        };
        connecting.await.map_err(|error| match found.get() {
            Some(found) => DialError::WrongKey { address, expected: node, found: *found },
            None => failed(address, &error),
        })
    }
}

fn failed(address: String, error: &ConnectionError) -> DialError {
    if *error == ConnectionError::LocallyClosed {
        return DialError::Closing;
    }
    match Closed::by(error).cause {
        CloseCause::Code(code) => DialError::Refused { address, code },
        _ if is_version(error) => DialError::NoCommonVersion { address },
        _ => DialError::Unreachable { address, cause: error.to_string() },
    }
}

fn too_slow(limit: Duration) -> String {
    format!("no answer in {} s", limit.as_secs_f32())
}

fn is_version(error: &ConnectionError) -> bool {
    match error {
        ConnectionError::VersionMismatch => true,
        ConnectionError::ConnectionClosed(close) => {
            close.error_code == TransportErrorCode::crypto(NO_APPLICATION_PROTOCOL)
        }
        _ => false,
    }
}

/// The TLS alert of a server that speaks none of the protocols offered (RFC 7301).
const NO_APPLICATION_PROTOCOL: u8 = 120;

/// How many of the addresses that one name has are tried.
const MAX_SOCKETS: usize = 4;

/// quinn wants a name; nothing depends on it and it is not sent.
const SERVER_NAME: &str = "lienthong";
