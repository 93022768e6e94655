//! The UDP port of a node: listening, dialling, closing.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use lienthong_protocol::{CloseCode, NodeId, NodeKey};
use quinn::{EndpointConfig, Incoming, ServerConfig, TokioRuntime, VarInt};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio::time::timeout;

use crate::dial::{Dialer, Reached};
use crate::enrol::{self, Reception};
use crate::lane::Stop;
use crate::socket::Socket;
use crate::tls::{self, Identity, Purpose};
use crate::{BindError, DialError, LinkEvent, LinkSettings, link};

/// Says who may have a link.
pub trait Gate: Send + Sync {
    /// Asked for every link, incoming and outgoing, when the peer has proven its key and before
    /// anything that it sent is read. A refused link is closed with the code. Must not block.
    fn admits(&self, node: NodeId) -> Result<(), CloseCode>;
}

/// One bound UDP port. Dropping it closes it, without waiting for the port to be free.
#[derive(Debug)]
pub struct Endpoint {
    quinn: quinn::Endpoint,
    socket: Arc<Socket>,
    context: Arc<Context>,
}

impl Endpoint {
    /// Binds the port and listens. Must be called within a tokio runtime, which all tasks of the
    /// endpoint run on. While `events` is full nothing more is read from any peer.
    pub fn bind(
        listen: SocketAddr,
        key: &NodeKey,
        gate: Arc<dyn Gate>,
        settings: LinkSettings,
        events: mpsc::Sender<LinkEvent>,
    ) -> Result<Endpoint, BindError> {
        let identity = Identity::new(key);
        let mut server = ServerConfig::with_crypto(Arc::new(identity.server()));
        server.transport_config(settings.transport());
        let (quinn, socket) = open(listen, Some(server))?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let context = Arc::new(Context {
            identity,
            gate,
            settings,
            events,
            workers: Arc::new(Semaphore::new(cores)),
            reception: Reception::default(),
        });
        tokio::spawn(accept(quinn.clone(), Arc::clone(&context)));
        tracing::info!(address = %socket.local(), "endpoint-bound");
        Ok(Endpoint { quinn, socket, context })
    }

    /// The address that is bound, with the port that the system chose if 0 was asked for.
    pub fn local_address(&self) -> SocketAddr {
        self.socket.local()
    }

    /// Starts to dial a node; returns at once. Ends with one [`LinkEvent::Reached`] or one
    /// [`LinkEvent::DialFailed`]. The addresses are `host:port` and are tried in order, at most 8.
    pub fn dial(&self, node: NodeId, addresses: Vec<String>) {
        let context = Arc::clone(&self.context);
        let dialer = Dialer {
            endpoint: self.quinn.clone(),
            identity: context.identity.clone(),
            settings: context.settings.clone(),
        };
        tokio::spawn(async move {
            let reached = dialer.reach(node, Purpose::Link, &addresses).await;
            drop(dialer);
            match reached.and_then(|reached| admit(reached, node, &context)) {
                Ok(connection) => link::run(connection, node, true, context).await,
                Err(cause) => {
                    let failed = LinkEvent::DialFailed { node, cause };
                    if context.tell(failed).await.is_err() {
                        tracing::debug!("nobody-listens");
                    }
                }
            }
        });
    }

    /// Closes all links with `going-away`, waits up to a second for peers to know, and frees the
    /// port: when this returns, the address can be bound again. Does not wait until the events
    /// are taken.
    pub async fn close(&self) {
        self.quinn.close(VarInt::from_u32(CloseCode::GOING_AWAY.0), GOING_AWAY_WORDS);
        if timeout(IDLE_TIME_LIMIT, self.quinn.wait_idle()).await.is_err() {
            tracing::debug!("endpoint-not-idle");
        }
        self.socket.unplug();
        tracing::info!(address = %self.socket.local(), "endpoint-closed");
    }
}

impl Drop for Endpoint {
    fn drop(&mut self) {
        self.quinn.close(VarInt::from_u32(CloseCode::GOING_AWAY.0), GOING_AWAY_WORDS);
    }
}

/// What every connection of an endpoint shares.
pub(crate) struct Context {
    pub(crate) identity: Identity,
    gate: Arc<dyn Gate>,
    pub(crate) settings: LinkSettings,
    events: mpsc::Sender<LinkEvent>,
    /// As many permits as there are cores: for compression and signatures.
    pub(crate) workers: Arc<Semaphore>,
    pub(crate) reception: Reception,
}

impl Context {
    /// Hands an event to the layer above, once it has room for it.
    pub(crate) async fn tell(&self, event: LinkEvent) -> Result<(), Stop> {
        let gone = |_| Stop::Close(CloseCode::GOING_AWAY, "the node stops".into());
        self.events.send(event).await.map_err(gone)
    }
}

impl std::fmt::Debug for Context {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Context")
    }
}

/// Opens a quinn endpoint on a socket that can be unplugged.
pub(crate) fn open(
    address: SocketAddr,
    server: Option<ServerConfig>,
) -> Result<(quinn::Endpoint, Arc<Socket>), BindError> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::AddrInUse => BindError::InUse { address },
        _ => BindError::Unbindable { address, source },
    };
    let socket = Socket::bind(address).map_err(failed)?;
    let endpoint = quinn::Endpoint::new_with_abstract_socket(
        EndpointConfig::default(),
        server,
        Arc::clone(&socket) as Arc<dyn quinn::AsyncUdpSocket>,
        Arc::new(TokioRuntime),
    );
    Ok((endpoint.map_err(failed)?, socket))
}

fn admit(
    reached: Reached,
    node: NodeId,
    context: &Context,
) -> Result<quinn::Connection, DialError> {
    let Reached { connection, address } = reached;
    match context.gate.admits(node) {
        Ok(()) => Ok(connection),
        Err(code) => {
            link::close(&connection, code, NOT_ADMITTED);
            Err(DialError::Refused { address, code })
        }
    }
}

/// Takes callers until the endpoint is closed.
async fn accept(endpoint: quinn::Endpoint, context: Arc<Context>) {
    let most = context.settings.max_handshakes;
    let handshakes = Arc::new(Semaphore::new(most));
    while let Some(incoming) = endpoint.accept().await {
        let under_way = most - handshakes.available_permits();
        let unproven = !incoming.remote_address_validated() && incoming.may_retry();
        if under_way >= context.settings.validate_from_handshakes && unproven {
            if let Err(error) = incoming.retry() {
                error.into_incoming().refuse();
            }
            continue;
        }
        let Ok(permit) = Arc::clone(&handshakes).try_acquire_owned() else {
            tracing::debug!(remote = %incoming.remote_address(), "handshake-refused");
            incoming.refuse();
            continue;
        };
        tokio::spawn(greet(incoming, permit, Arc::clone(&context)));
    }
}

async fn greet(incoming: Incoming, permit: OwnedSemaphorePermit, context: Arc<Context>) {
    let remote = link::plain_address(incoming.remote_address());
    let connection = match timeout(HANDSHAKE_TIME_LIMIT, incoming).await {
        Ok(Ok(connection)) => connection,
        Ok(Err(error)) => return tracing::debug!(%remote, %error, "handshake-failed"),
        Err(_) => return tracing::debug!(%remote, "handshake-too-slow"),
    };
    drop(permit);
    match tls::peer(&connection) {
        Some((node, Purpose::Join)) => enrol::serve(connection, node, &context).await,
        Some((node, Purpose::Link)) => match context.gate.admits(node) {
            Ok(()) => link::run(connection, node, false, context).await,
            Err(code) => {
                tracing::info!(%remote, peer = %node.short(), code = code.name(), "link-refused");
                link::close(&connection, code, NOT_ADMITTED);
            }
        },
        None => {
            tracing::error!(%remote, "handshake-without-key");
            link::close(&connection, CloseCode::UNKNOWN_NODE, NOT_ADMITTED);
        }
    }
}

const NOT_ADMITTED: &str = "this node's registry does not admit the key";
const GOING_AWAY_WORDS: &[u8] = b"the node closes its links";

/// How long a handshake may be under way, and hold one of the places for handshakes.
const HANDSHAKE_TIME_LIMIT: Duration = Duration::from_secs(10);

/// How long closing waits for peers to know.
const IDLE_TIME_LIMIT: Duration = Duration::from_secs(1);
