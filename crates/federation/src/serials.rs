//! Which of a day's serials each node may give: one part for each node of a unit code.

use std::collections::{BTreeMap, BTreeSet};

use lienthong_protocol::{NodeId, OfficeId};

use crate::office::Node;
use crate::registry::Registry;

/// A node's own part of the serials 1 to 99,999 of every day, so that two nodes of one office
/// never give the same number, also when neither hears of the other.
///
/// There are [`SerialPart::COUNT`] parts, fixed for ever, of [`SerialPart::PLACES`] numbers each.
/// Part 0 is 0001 to 0999 and then 10000 to 18999, part 1 is 1001 to 1999 and then 19000 to
/// 27999, and so on up to part 9, which ends with 99999. A node that joins later takes a part
/// that nobody has, and nothing that was given out is taken back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SerialPart(u8);

impl SerialPart {
    /// How many parts there are: as many nodes may give codes under one unit code.
    pub const COUNT: u8 = 10;

    /// How many numbers a part has each day.
    pub const PLACES: u32 = 9_999;

    /// The part of the first node of an office.
    pub const FIRST: SerialPart = SerialPart(0);

    /// The first place whose serial has five digits.
    pub const LONG: u32 = SHORT_PLACES;

    /// The part with this number, from 0; `None` from [`SerialPart::COUNT`] on.
    pub fn new(number: u64) -> Option<SerialPart> {
        u8::try_from(number).ok().filter(|number| *number < SerialPart::COUNT).map(SerialPart)
    }

    /// Its number, from 0.
    pub fn number(self) -> u8 {
        self.0
    }

    /// The serial at a place of the part, counted from 1; `None` at 0 and beyond
    /// [`SerialPart::PLACES`].
    pub fn serial(self, place: u32) -> Option<u32> {
        let part = u32::from(self.0);
        match place {
            1..SHORT_PLACES => Some(part * SHORT_PLACES + place),
            SHORT_PLACES..=SerialPart::PLACES => {
                Some(LONG_FROM + part * LONG_PLACES + place - SHORT_PLACES)
            }
            _ => None,
        }
    }

    /// The part that a serial belongs to and its place there; `None` for 0, for 1000, 2000 and so
    /// on up to 9000, which are left out, and from 100,000 on.
    pub fn locate(serial: u32) -> Option<(SerialPart, u32)> {
        let (part, place) = match serial.checked_sub(LONG_FROM) {
            Some(long) => (long / LONG_PLACES, SHORT_PLACES + long % LONG_PLACES),
            None => (serial / SHORT_PLACES, serial % SHORT_PLACES),
        };
        SerialPart::new(part.into()).filter(|_| place > 0).map(|part| (part, place))
    }
}

impl Registry {
    /// The part of the day's serials that a node may give; `None` for a node that is revoked or
    /// has no part of its own.
    ///
    /// A node that was entered without a part has the one of its rank among such nodes of its
    /// unit code. Of two that claim one part, as when two nodes of the root office let them in
    /// without hearing of each other, the one that joined first has it.
    pub fn serial_part(&self, node: NodeId) -> Option<SerialPart> {
        let office = self.node(node)?.office;
        let held = Claims::of(self.unit_nodes(office)).held();
        held.into_iter().find(|(id, _)| *id == node).map(|(_, part)| part)
    }

    /// The part for the next node of an office: the first that no node of its unit code ever had,
    /// or else the first that only revoked ones had; `None` if every part belongs to a node.
    pub fn free_serial_part(&self, office: OfficeId) -> Option<SerialPart> {
        Claims::of(self.unit_nodes(office)).free(&BTreeSet::new())
    }

    /// The parts that the root office has yet to write down: of nodes that have one by their rank
    /// alone, and for nodes that have none, as long as there are any. Nothing when all is in
    /// order.
    pub fn serials_to_give(&self) -> BTreeMap<NodeId, SerialPart> {
        let mut units: BTreeMap<Unit<'_>, Vec<&Node>> = BTreeMap::new();
        for node in self.nodes() {
            units.entry(self.unit(node.office)).or_default().push(node);
        }
        units.into_values().flat_map(|nodes| Claims::of(nodes).to_give()).collect()
    }

    /// Whether two offices give codes under one unit code; an office does so with itself.
    pub fn share_unit(&self, one: OfficeId, other: OfficeId) -> bool {
        self.unit(one) == self.unit(other)
    }

    fn unit(&self, office: OfficeId) -> Unit<'_> {
        let code = self.office(office).map(|known| known.unit_code.as_str());
        code.filter(|code| !code.is_empty()).map_or(Unit::Office(office), Unit::Code)
    }

    fn unit_nodes(&self, office: OfficeId) -> Vec<&Node> {
        self.nodes().filter(|node| self.share_unit(node.office, office)).collect()
    }
}

/// Whose serials must differ: those under one unit code.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Unit<'a> {
    Code(&'a str),
    /// An office without a code, which gives none.
    Office(OfficeId),
}

/// The nodes of one unit code, revoked ones too, in the order in which they joined, each with the
/// part that it claims.
struct Claims<'a>(Vec<(&'a Node, Option<SerialPart>)>);

impl<'a> Claims<'a> {
    fn of(mut nodes: Vec<&'a Node>) -> Claims<'a> {
        nodes.sort_by_key(|node| (node.since, node.id));
        let mut ranks = 0..;
        let claim = |node: &'a Node| {
            let by_rank = || ranks.next().and_then(SerialPart::new);
            (node, node.serials.or_else(by_rank))
        };
        Claims(nodes.into_iter().map(claim).collect())
    }

    /// Who has which part: of those that are not revoked, the first that claims it.
    fn held(&self) -> Vec<(NodeId, SerialPart)> {
        let mut taken = BTreeSet::new();
        let live = self.0.iter().filter(|(node, _)| node.revoked.is_none());
        let claims = live.filter_map(|(node, claim)| Some((node.id, (*claim)?)));
        claims.filter(|(_, part)| taken.insert(*part)).collect()
    }

    /// The next part to give, beside those in `given`.
    fn free(&self, given: &BTreeSet<SerialPart>) -> Option<SerialPart> {
        let claimed = |part: SerialPart, and: fn(&Node) -> bool| {
            given.contains(&part) || self.0.iter().any(|(n, claim)| *claim == Some(part) && and(n))
        };
        let mut all = (0..SerialPart::COUNT).map(SerialPart);
        let fresh = all.clone().find(|part| !claimed(*part, |_| true));
        fresh.or_else(|| all.find(|part| !claimed(*part, |node| node.revoked.is_none())))
    }

    fn to_give(&self) -> Vec<(NodeId, SerialPart)> {
        let held: BTreeMap<_, _> = self.held().into_iter().collect();
        let (mut given, mut new) = (BTreeSet::new(), Vec::new());
        for (node, _) in self.0.iter().filter(|(node, _)| node.revoked.is_none()) {
            match held.get(&node.id).copied() {
                held if held.is_some() && held == node.serials => {}
                held => {
                    let Some(part) = held.or_else(|| self.free(&given)) else { continue };
                    given.insert(part);
                    new.push((node.id, part));
                }
            }
        }
        new
    }
}

/// Serials with four digits in a part, with the one that is left out: 0, 1000, 2000 and so on.
const SHORT_PLACES: u32 = 1_000;
/// Serials with five digits in a part.
const LONG_PLACES: u32 = 9_000;
/// The first serial with five digits.
const LONG_FROM: u32 = 10_000;

#[cfg(test)]
#[path = "serials_tests.rs"]
mod tests;
