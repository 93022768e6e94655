//! The newest word of every node, and how contact with every office went.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use lienthong_protocol::limits::MAX_REPORTS;
use lienthong_protocol::{
    BadSignature, FederationId, Moment, NodeId, OfficeId, Report, ReportOrder, Reports, Told, codec,
};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::contact::{Contact, SILENT_AFTER, Turn};

/// The newest report of a node as this node holds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Held {
    /// What the node said.
    pub report: Report,
    /// When it was first heard by anybody above the node, by the clock of this node.
    pub heard: Moment,
    /// How far the node's clock is ahead of this node's, in milliseconds; `None` if it was not
    /// measured on the whole way.
    pub skew_ms: Option<i64>,
}

/// Who hands reports over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Teller {
    /// Its key.
    pub node: NodeId,
    /// How far its clock is ahead of this node's, in milliseconds; `None` if not measured yet.
    pub skew_ms: Option<i64>,
}

/// What became of a report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    /// It is the newest of its node: hand it on.
    New,
    /// It is held already, or a newer one is.
    Known,
    /// It is of another run than the newest one: tell the teller this, so that the node learns of
    /// it and goes on above.
    Behind(Report),
}

/// The newest reports, one of each node, and the history of contact, one of each office. Both
/// grow no further than the registry, as [`Board::keep`] is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Board {
    /// The last run of the node that keeps the board.
    run: u64,
    held: BTreeMap<NodeId, Held>,
    contacts: BTreeMap<OfficeId, Contact>,
}

impl Board {
    /// Begins a run of the node that keeps the board; its number is above every one known.
    /// Contact was lost when an office was last heard in the run before.
    pub fn begin_run(&mut self, own: NodeId) -> u64 {
        for contact in self.contacts.values_mut() {
            contact.lose(contact.heard().unwrap_or_default());
        }
        let known = self.held.get(&own).map_or(0, |held| held.report.order.run);
        self.run = self.run.max(known).saturating_add(1);
        self.run
    }

    /// Goes on above a run of one's own that somebody above knows; `None` if it is no later one.
    pub fn pass_run(&mut self, shown: ReportOrder, own: ReportOrder) -> Option<u64> {
        let is_other = shown.incarnation != own.incarnation && shown.run >= own.run;
        is_other.then(|| {
            self.run = shown.run.saturating_add(1);
            self.run
        })
    }

    /// Keeps what this node says of itself.
    pub fn say(&mut self, report: Report, now: Moment) {
        let held = Held { heard: now, skew_ms: Some(0), report };
        self.held.insert(held.report.node, held);
    }

    /// Takes a report of another node. The caller knows that the teller may tell it. A report
    /// that is not newer than the held one costs no check of its signature.
    pub fn take(
        &mut self,
        federation: FederationId,
        told: Told,
        teller: Teller,
        now: Moment,
    ) -> Result<Taken, BadSignature> {
        let Told { report, age_ms, skew_ms } = told;
        if let Some(held) = self.held.get(&report.node)
            && report.order <= held.report.order
        {
            let is_behind = report.order.incarnation != held.report.order.incarnation;
            let known = held.report.clone();
            return Ok(if is_behind { Taken::Behind(known) } else { Taken::Known });
        }
        report.verify(federation)?;
        let is_own = report.node == teller.node;
        let heard = now.0.saturating_sub(if is_own { 0 } else { age_ms });
        let skew_ms = match is_own {
            true => teller.skew_ms,
            false => teller.skew_ms.zip(skew_ms).map(|(one, next)| one.saturating_add(next)),
        };
        self.held.insert(report.node, Held { report, heard: Moment(heard), skew_ms });
        Ok(Taken::New)
    }

    /// The newest report of a node.
    pub fn of(&self, node: NodeId) -> Option<&Held> {
        self.held.get(&node)
    }

    /// The reports that somebody who knows `known` lacks, in as many frames as it takes.
    pub fn news(
        &self,
        known: &BTreeMap<NodeId, ReportOrder>,
        own: NodeId,
        now: Moment,
    ) -> Vec<Reports> {
        let lacks = |held: &&Held| known.get(&held.report.node) != Some(&held.report.order);
        let told = self.held.values().filter(lacks).map(|held| {
            let is_own = held.report.node == own;
            let age = if is_own { Duration::ZERO } else { now.since(held.heard) };
            let age_ms = u64::try_from(age.as_millis()).unwrap_or(u64::MAX);
            Told { report: held.report.clone(), age_ms, skew_ms: held.skew_ms }
        });
        let told: Vec<Told> = told.collect();
        told.chunks(MAX_REPORTS).map(|told| Reports { told: told.to_vec() }).collect()
    }

    /// The history of contact with an office; `None` if there never was any.
    pub fn contact(&self, office: OfficeId) -> Option<&Contact> {
        self.contacts.get(&office)
    }

    /// Something was heard of an office; `true` if contact came by that. What was heard too long
    /// ago to count as contact is none.
    pub fn hear(&mut self, office: OfficeId, at: Moment, now: Moment) -> bool {
        let is_fresh = now.since(at) < SILENT_AFTER;
        is_fresh && self.contacts.entry(office).or_default().hear(at.min(now))
    }

    /// The link with an office is gone; `true` if there was contact before.
    pub fn lose(&mut self, office: OfficeId, now: Moment) -> bool {
        self.contacts.get_mut(&office).is_some_and(|contact| contact.lose(now))
    }

    /// Ends contact with those of whom nothing was heard for [`SILENT_AFTER`] and who have no link
    /// of their own: it was lost when they were last heard. `true` if there were any.
    pub fn tend(&mut self, linked: &BTreeSet<OfficeId>, now: Moment) -> bool {
        let mut has_turned = false;
        for (office, contact) in &mut self.contacts {
            let heard = contact.heard().unwrap_or_default();
            if !linked.contains(office) && now.since(heard) >= SILENT_AFTER {
                has_turned |= contact.lose(heard);
            }
        }
        has_turned
    }

    /// Forgets nodes and offices that are no longer wanted.
    pub fn keep(&mut self, node: impl Fn(NodeId) -> bool, office: impl Fn(OfficeId) -> bool) {
        self.held.retain(|id, _| node(*id));
        self.contacts.retain(|id, _| office(*id));
    }

    /// The board for its file.
    pub fn to_bytes(&self) -> Result<Vec<u8>, BoardError> {
        let contacts = self.contacts.iter().map(|(office, contact)| {
            let (turns, heard) = (contact.turns().collect(), contact.heard());
            Kept { office: *office, turns, heard }
        });
        let file = File {
            run: self.run,
            held: self.held.values().cloned().collect(),
            contacts: contacts.collect(),
        };
        let encoded = codec::encode(&file, MAX_BOARD_BYTES);
        let encoded = encoded.map_err(|error| BoardError { cause: error.to_string() })?;
        Ok([HEAD, &encoded].concat())
    }

    /// Reads the file of a board. Reports that their nodes did not sign are left out.
    pub fn from_bytes(bytes: &[u8], federation: FederationId) -> Result<Board, BoardError> {
        let rest = bytes.strip_prefix(HEAD);
        let rest = rest.ok_or_else(|| BoardError { cause: "it begins otherwise".into() })?;
        let file: File = codec::decode(rest, MAX_BOARD_BYTES)
            .map_err(|error| BoardError { cause: error.to_string() })?;
        let signed = file.held.into_iter().filter(|held| held.report.verify(federation).is_ok());
        let contacts = file.contacts.into_iter();
        Ok(Board {
            run: file.run,
            held: signed.map(|held| (held.report.node, held)).collect(),
            contacts: contacts
                .map(|kept| (kept.office, Contact::of(kept.turns, kept.heard)))
                .collect(),
        })
    }
}

/// The file of a board does not read: begin with an empty one, nodes say all of it again.
#[derive(Debug, Error)]
#[error("the board does not read or is not written: {cause}")]
pub struct BoardError {
    /// What was met.
    pub cause: String,
}

#[derive(Serialize, Deserialize)]
struct File {
    run: u64,
    held: Vec<Held>,
    contacts: Vec<Kept>,
}

#[derive(Serialize, Deserialize)]
struct Kept {
    office: OfficeId,
    turns: Vec<Turn>,
    heard: Option<Moment>,
}

/// The longest file of a board: 20,000 nodes and 10,000 offices have a third of it.
pub const MAX_BOARD_BYTES: usize = 64 << 20;
const HEAD: &[u8] = b"lienthong board 1\0";
