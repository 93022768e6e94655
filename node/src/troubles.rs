//! What went wrong lately, for `status` and `peers`. Forgotten with the process.

use std::collections::{BTreeMap, BTreeSet};

use lienthong_dossier::Code;
use lienthong_protocol::{DocumentId, Moment, NodeId};
use lienthong_replica::Alarm;
use lienthong_transport::{Closed, DialError};
use serde_json::{Value, json};

/// How many codes that two dossiers have are shown.
const MAX_TWICE: usize = 100;

/// The last end of each node's links, and the alarms. They are about nodes and offices of the
/// registry, so they do not grow beyond it, and about [`MAX_TWICE`] codes.
#[derive(Debug, Default)]
pub(crate) struct Troubles {
    closes: BTreeMap<NodeId, LastClose>,
    /// By code and by whom it is about; the latest of each.
    alarms: BTreeMap<(&'static str, String), Raised>,
    /// Codes that several dossiers have, with these and when that was found.
    twice: BTreeMap<Code, (BTreeSet<DocumentId>, Moment)>,
}

#[derive(Debug)]
struct LastClose {
    code: &'static str,
    by_peer: bool,
    at: Moment,
}

#[derive(Debug)]
struct Raised {
    alarm: Alarm,
    at: Moment,
}

impl Troubles {
    /// A link with a node has ended.
    pub(crate) fn closed(&mut self, node: NodeId, close: &Closed, at: Moment) {
        let (code, by_peer) = (close.cause.name(), close.by_peer);
        self.closes.insert(node, LastClose { code, by_peer, at });
    }

    /// A node was dialled and no link came of it.
    pub(crate) fn not_reached(&mut self, node: NodeId, cause: &DialError, at: Moment) {
        let by_peer = matches!(cause, DialError::Refused { .. });
        self.closes.insert(node, LastClose { code: cause.code(), by_peer, at });
    }

    /// A person should look.
    pub(crate) fn alarm(&mut self, alarm: &Alarm, at: Moment) {
        let subject = match alarm {
            Alarm::Clone { node } => node.to_string(),
            Alarm::Unequal { office } | Alarm::Skew { office, .. } => office.to_string(),
        };
        self.alarms.insert((code(alarm), subject), Raised { alarm: alarm.clone(), at });
    }

    /// Several dossiers have one code. Both keep it, so a person has to tell them apart.
    pub(crate) fn given_twice(&mut self, code: &Code, dossiers: &BTreeSet<DocumentId>, at: Moment) {
        if self.twice.len() < MAX_TWICE || self.twice.contains_key(code) {
            self.twice.insert(code.clone(), (dossiers.clone(), at));
        }
    }

    /// How the last link with a node ended, or why none came about; `null` if nothing ended.
    pub(crate) fn last_close(&self, node: NodeId) -> Value {
        let Some(LastClose { code, by_peer, at }) = self.closes.get(&node) else {
            return Value::Null;
        };
        json!({ "code": code, "by_peer": by_peer, "at_ms": at.0 })
    }

    /// Every alarm since the process started, with the time when it was raised last.
    pub(crate) fn alarms(&self) -> Vec<Value> {
        let twice = self.twice.iter().map(|(code, (dossiers, at))| {
            json!({
                "code": "code-given-twice",
                "dossier": code,
                "documents": dossiers.iter().map(ToString::to_string).collect::<Vec<_>>(),
                "at_ms": at.0,
                "remedy": "call both by their documents, note it in each, tell the applicants",
            })
        });
        self.alarms.values().map(alarm_json).chain(twice).collect()
    }
}

fn code(alarm: &Alarm) -> &'static str {
    match alarm {
        Alarm::Clone { .. } => "cloned-node",
        Alarm::Unequal { .. } => "unequal-roots",
        Alarm::Skew { .. } => "clock-skew",
    }
}

fn alarm_json(Raised { alarm, at }: &Raised) -> Value {
    let code = code(alarm);
    match alarm {
        Alarm::Clone { node } => json!({
            "code": code,
            "node": node.to_string(),
            "at_ms": at.0,
            "remedy": "stop the process that was started later, or replace the node",
        }),
        Alarm::Unequal { office } => json!({
            "code": code,
            "office": office.to_string(),
            "at_ms": at.0,
            "remedy": "update the older of the two nodes; if both are new, report this",
        }),
        Alarm::Skew { office, skew_ms } => json!({
            "code": code,
            "office": office.to_string(),
            "skew_ms": skew_ms,
            "at_ms": at.0,
            "remedy": "set the clocks of both machines by a time server",
        }),
    }
}

#[cfg(test)]
#[path = "troubles_tests.rs"]
mod tests;
