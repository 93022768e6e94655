//! What can be set about links, and what quinn makes of it.

use std::sync::Arc;
use std::time::Duration;

use quinn::{IdleTimeout, TransportConfig, VarInt};

/// The settings of all links of one endpoint.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LinkSettings {
    /// How long a peer may stay silent before its link is closed. Default 30 s; at least
    /// 3 × `keep_alive`. Lower finds dead peers sooner and drops slow ones.
    pub idle_timeout: Duration,
    /// How long a link stays quiet before the transport asks whether the peer is there. Default
    /// 10 s. Lower keeps more firewalls open and costs about 70 bytes each time.
    pub keep_alive: Duration,
    /// How long a peer may take to send its first frame before its link is closed with
    /// `silent`. Default 10 s.
    pub first_frame_time_limit: Duration,
    /// How long one address may take to answer with a complete handshake. Default 5 s.
    pub dial_time_limit: Duration,
    /// How long each step of an enrolment may take: the knock, the decision on it, every frame
    /// of the answer. Default 10 s.
    pub enrolment_time_limit: Duration,
    /// How many frames a peer may send each second, in the long run, before its link is closed
    /// with `flooded`. Default 4,000. The own end keeps to three quarters of it.
    pub frames_per_second: u32,
    /// How many frames a peer may send at once. Default 8,000. The own end keeps to half of it.
    pub frame_burst: u32,
    /// How many incoming handshakes may be under way; more are refused. Default 64.
    pub max_handshakes: usize,
    /// From how many handshakes under way on a caller must first show that it receives at its
    /// address, which costs it a round trip. Default 16.
    pub validate_from_handshakes: usize,
    /// Whether the system may cut large sends into datagrams (GSO). Default on. Off helps with
    /// network drivers that do it wrong.
    pub segmentation_offload: bool,
}

impl Default for LinkSettings {
    fn default() -> Self {
        LinkSettings {
            idle_timeout: Duration::from_secs(30),
            keep_alive: Duration::from_secs(10),
            first_frame_time_limit: Duration::from_secs(10),
            dial_time_limit: Duration::from_secs(5),
            enrolment_time_limit: Duration::from_secs(10),
            frames_per_second: 4_000,
            frame_burst: 8_000,
            max_handshakes: 64,
            validate_from_handshakes: 16,
            segmentation_offload: true,
        }
    }
}

impl LinkSettings {
    /// What quinn is told, the same at both ends. No bidirectional streams: enrolment grants its
    /// one stream after the handshake.
    pub(crate) fn transport(&self) -> Arc<TransportConfig> {
        let mut transport = TransportConfig::default();
        transport
            .max_concurrent_uni_streams(VarInt::from_u32(MAX_STREAMS))
            .max_concurrent_bidi_streams(VarInt::from_u32(0))
            .receive_window(VarInt::from_u32(CONNECTION_WINDOW_BYTES))
            .stream_receive_window(VarInt::from_u32(STREAM_WINDOW_BYTES))
            .send_window(u64::from(CONNECTION_WINDOW_BYTES))
            // Probing for larger datagrams costs 7 kB for each new link, twice the handshake, and
            // saves 0.4 % of what is sent afterwards.
            .mtu_discovery_config(None)
            .datagram_receive_buffer_size(None)
            .max_idle_timeout(Some(idle(self.idle_timeout)))
            .keep_alive_interval(Some(self.keep_alive))
            .enable_segmentation_offload(self.segmentation_offload);
        Arc::new(transport)
    }
}

fn idle(timeout: Duration) -> IdleTimeout {
    IdleTimeout::try_from(timeout).unwrap_or_else(|_| VarInt::MAX.into())
}

/// How many streams a peer may have open; one more is a transport violation.
const MAX_STREAMS: u32 = 8;

/// How many bytes of a peer may lie here unread, and how many of ours may be on their way.
const CONNECTION_WINDOW_BYTES: u32 = 4 << 20;

/// The same for one stream: half, so that a full changes lane leaves room for control frames.
const STREAM_WINDOW_BYTES: u32 = 2 << 20;
