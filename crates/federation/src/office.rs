//! What is known about one office and one node.

use std::collections::BTreeMap;

use lienthong_protocol::{Incarnation, Moment, NodeId, OfficeId};
use serde::{Deserialize, Serialize};

use crate::serials::SerialPart;

/// A place that takes part, as the province file describes it and the registry keeps it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Office {
    /// Its id, given once and never reused.
    pub id: OfficeId,
    /// The official name, in Vietnamese.
    pub name: String,
    /// The name in English, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name_en: Option<String>,
    /// Other official spellings of the name; found by search.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_names: Vec<String>,
    /// A label for grouping lists (province, department, district, commune). Gives no rights.
    #[serde(default)]
    pub tier: String,
    /// What the law calls it (xã, phường, sở ...).
    #[serde(default)]
    pub kind: String,
    /// The office above it; none for the root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<OfficeId>,
    /// The offices that it was moved away from or under, with the time of that: they keep the
    /// right to write what they have held. Empty for an office that was never moved.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub stood_under: BTreeMap<OfficeId, Moment>,
    /// The body it belongs to, where that is not the parent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub managed_by: Option<OfficeId>,
    /// The unit's part of the dossier codes that it issues.
    #[serde(default)]
    pub unit_code: String,
    /// Official codes with the days on which they hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<OfficialCode>,
    /// The year in which a district's centre joins.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wave: Option<u16>,
    /// When the registry took it in. The epoch in a province that is not founded yet.
    #[serde(default)]
    pub since: Moment,
    /// When it was closed; none while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub closed: Option<Moment>,
    /// The office that goes on with its work after it was closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub successor: Option<OfficeId>,
}

impl Office {
    /// An open office with a name and a place in the tree, and nothing else known about it.
    pub fn new(id: OfficeId, name: &str, tier: &str, parent: Option<OfficeId>) -> Office {
        Office {
            id,
            name: name.to_owned(),
            name_en: None,
            other_names: Vec::new(),
            tier: tier.to_owned(),
            kind: String::new(),
            parent,
            stood_under: BTreeMap::new(),
            managed_by: None,
            unit_code: String::new(),
            codes: Vec::new(),
            wave: None,
            since: Moment::default(),
            closed: None,
            successor: None,
        }
    }
}

/// An official code of an office. Codes are given to other offices later, so they carry dates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfficialCode {
    /// Who gives the codes: `gso` is the Statistics Office.
    pub system: String,
    /// The code.
    pub code: String,
    /// The first day on which it holds, as `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_from: Option<String>,
    /// The last day on which it holds, as `YYYY-MM-DD`; none while it still does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub valid_to: Option<String>,
}

/// One running installation that the registry knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Node {
    /// Its public key.
    pub id: NodeId,
    /// The office in whose name it acts.
    pub office: OfficeId,
    /// Where it listens, as `host:port`; at most `protocol::limits::MAX_ADDRESSES`.
    pub addresses: Vec<String>,
    /// When the registry took it in.
    pub since: Moment,
    /// The part of the day's serials that it was given; none in an entry of the first version.
    /// [`crate::Registry::serial_part`] is what holds.
    pub serials: Option<SerialPart>,
    /// None while it is trusted. Once revoked: the last `seq` that counts of each incarnation;
    /// of an incarnation that is not listed nothing counts.
    pub revoked: Option<BTreeMap<Incarnation, u64>>,
    /// Why it was revoked, where the operator has said so.
    pub revoked_because: Option<String>,
}

impl Node {
    /// The last `seq` of an incarnation that counts, or none if the node is not revoked.
    pub fn last_seq(&self, incarnation: Incarnation) -> Option<u64> {
        let revoked = self.revoked.as_ref()?;
        Some(revoked.get(&incarnation).copied().unwrap_or(0))
    }
}
