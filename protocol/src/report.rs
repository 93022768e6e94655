//! What a node says of its own health, signed, so that whoever passes it on cannot change it.

use serde::{Deserialize, Serialize};

use crate::codec;
use crate::key::{BadSignature, NodeKey, Signature, verify};
use crate::limits::{MAX_REPORT_BYTES, MAX_REPORTS};
use crate::{FederationId, Incarnation, NodeId};

/// Which of two reports of one node is the newer one. No clock has a say in it.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct ReportOrder {
    /// Counts the process starts of the node. A node that is shown a later run of its own than it
    /// knows of, as after a backup was put back, goes on above it.
    pub run: u64,
    /// The process start itself: tells two runs with one number apart.
    pub incarnation: Incarnation,
    /// Counts the reports of this process: 1, 2, 3 …
    pub number: u64,
}

/// One node's word about itself. Its body is opaque here: a node passes on what a newer version
/// says and this one does not understand.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// Whose.
    pub node: NodeId,
    /// Its place among the reports of this node.
    pub order: ReportOrder,
    /// What it says; at most [`MAX_REPORT_BYTES`].
    #[serde(with = "codec::List::<MAX_REPORT_BYTES>")]
    pub body: Vec<u8>,
    /// Over [`Report::message`].
    pub signature: Signature,
}

impl Report {
    /// Signs what a node says of itself.
    pub fn sign(
        federation: FederationId,
        key: &NodeKey,
        order: ReportOrder,
        body: Vec<u8>,
    ) -> Report {
        let signature = key.sign(&Report::message(federation, key.id(), order, &body));
        Report { node: key.id(), order, body, signature }
    }

    /// The bytes that the node signs.
    pub fn message(
        federation: FederationId,
        node: NodeId,
        order: ReportOrder,
        body: &[u8],
    ) -> Vec<u8> {
        [
            b"lienthong report 1\0".as_slice(),
            federation.as_bytes(),
            node.as_bytes(),
            &order.run.to_le_bytes(),
            &order.incarnation.0.to_le_bytes(),
            &order.number.to_le_bytes(),
            body,
        ]
        .concat()
    }

    /// Checks that the node said this, in this federation.
    pub fn verify(&self, federation: FederationId) -> Result<(), BadSignature> {
        let message = Report::message(federation, self.node, self.order, &self.body);
        verify(self.node, &message, &self.signature)
    }
}

/// A report as one node hands it to another, with what only the teller knows.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// The report.
    pub report: Report,
    /// How long ago the teller heard it, in milliseconds by the teller's clock; 0 for its own.
    pub age_ms: u64,
    /// How far the clock of the report's node is ahead of the teller's, in milliseconds; `None`
    /// if the teller has not measured it.
    pub skew_ms: Option<i64>,
}

/// The newest reports of the teller and of the nodes below it, each node once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reports {
    /// Ascending by node; at most [`MAX_REPORTS`].
    #[serde(with = "codec::List::<MAX_REPORTS>")]
    pub told: Vec<Told>,
}

impl Reports {
    pub(crate) fn ascends(&self) -> bool {
        self.told.is_sorted_by(|one, next| one.report.node < next.report.node)
    }
}
