//! The registry as a plain value, read leniently from its document.

use std::collections::{BTreeMap, BTreeSet};

use lienthong_document::Document;
use lienthong_protocol::limits::{MAX_ADDRESSES, MAX_TEXT_BYTES};
use lienthong_protocol::{Incarnation, Moment, NodeId, OfficeId};
use serde::Deserialize;
use serde_json::Value;
use thiserror::Error;

use crate::office::{Node, Office};
use crate::ready::{Need, Tick, read_ticks};
use crate::serials::SerialPart;
use crate::tree::{MAX_DEPTH, Tree};

/// The most offices that are read; those with the greatest ids beyond it are left out.
pub const MAX_OFFICES: usize = 10_000;

/// The most nodes that are read; those with the greatest ids beyond it are left out.
pub const MAX_NODES: usize = 20_000;

/// Which offices and nodes exist, who stands under whom, and who is revoked.
///
/// Equal documents give equal registries on every node.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Registry {
    name: String,
    root: Option<OfficeId>,
    offices: BTreeMap<OfficeId, Office>,
    nodes: BTreeMap<NodeId, Node>,
    ticks: BTreeMap<(OfficeId, Need), Tick>,
    tree: Tree,
    problems: Vec<Problem>,
}

/// Something in the registry document that does not make sense, and what was made of it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Problem {
    /// The document names no root office that it also describes; there is no tree and nobody may
    /// write anything but through changes that are already there.
    #[error("registry names no root office that it describes")]
    NoRoot,
    /// An entry of `offices` is not an office; it is left out.
    #[error("registry entry 'offices/{key}' is left out: {cause}")]
    NotAnOffice {
        /// The key, cut to 64 characters.
        key: String,
        /// What is wrong with it.
        cause: String,
    },
    /// An entry of `nodes` is not a node; it is left out.
    #[error("registry entry 'nodes/{key}' is left out: {cause}")]
    NotANode {
        /// The key, cut to 64 characters.
        key: String,
        /// What is wrong with it.
        cause: String,
    },
    /// A node of an office that is not there; it is left out.
    #[error("node {} is left out: its office {office} is not in the registry", node.short())]
    HomelessNode {
        /// The node.
        node: NodeId,
        /// The office it names.
        office: OfficeId,
    },
    /// An office states no parent, or one that is not there; it stands under the root.
    #[error("office {office} stands under the root: {} is not in the registry", spell(*parent))]
    UnknownParent {
        /// The office.
        office: OfficeId,
        /// The parent that it states.
        parent: Option<OfficeId>,
    },
    /// The root states a parent; it is ignored.
    #[error("the root office states {parent} as its parent, which is ignored")]
    RootWithParent {
        /// The parent that it states.
        parent: OfficeId,
    },
    /// An office is its own ancestor; it stands under the root.
    #[error("office {office} stands under the root: it is an ancestor of {parent}, its parent")]
    Cycle {
        /// The office.
        office: OfficeId,
        /// The parent that it states.
        parent: OfficeId,
    },
    /// An office lies more than [`MAX_DEPTH`] below the root; it stands under the root.
    #[error("office {office} stands under the root: under {parent} it would be below {MAX_DEPTH}")]
    TooDeep {
        /// The office.
        office: OfficeId,
        /// The parent that it states.
        parent: OfficeId,
    },
    /// There are more entries than are read.
    #[error("registry has {count} entries in '{map}', only the first {limit} are read")]
    TooMany {
        /// `offices` or `nodes`.
        map: &'static str,
        /// How many there are.
        count: usize,
        /// How many are read.
        limit: usize,
    },
}

impl Registry {
    /// Reads the registry's document, whatever it holds.
    pub fn read(document: &Document) -> Registry {
        Registry::from_value(&document.value())
    }

    pub(crate) fn from_value(value: &Value) -> Registry {
        let mut problems = Vec::new();
        let federation = &value["federation"];
        let offices = read_offices(&value["offices"], &mut problems);
        let nodes = read_nodes(&value["nodes"], &offices, &mut problems);
        let root = federation["root"].as_str().and_then(|text| text.parse().ok());
        let root = root.filter(|root| offices.contains_key(root));
        let stated = offices.values().map(|office| (office.id, office.parent)).collect();
        let tree = match root {
            Some(root) => Tree::plant(root, &stated, &mut problems),
            None => Tree::default(),
        };
        if root.is_none() {
            problems.push(Problem::NoRoot);
        }
        let name = federation["name"].as_str().unwrap_or_default().to_owned();
        let ticks = read_ticks(value, offices.keys().copied());
        Registry { name, root, offices, nodes, ticks, tree, problems }
    }

    /// The federation's name, for people; empty if there is none.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The office that writes the registry; none in a registry that was never founded.
    pub fn root(&self) -> Option<OfficeId> {
        self.root
    }

    /// What did not make sense, in the order in which it was met.
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }

    /// One office. Its `parent` is what the registry states; [`Registry::parent`] is what holds.
    pub fn office(&self, id: OfficeId) -> Option<&Office> {
        self.offices.get(&id)
    }

    /// Every office, closed ones too, by id.
    pub fn offices(&self) -> impl Iterator<Item = &Office> {
        self.offices.values()
    }

    /// The office directly above; none for the root and for an office that is not there.
    pub fn parent(&self, office: OfficeId) -> Option<OfficeId> {
        self.tree.parent(office)
    }

    /// The offices directly below, by id.
    pub fn children(&self, office: OfficeId) -> impl Iterator<Item = OfficeId> + '_ {
        self.tree.children(office)
    }

    /// All offices above, nearest first; at most [`MAX_DEPTH`].
    pub fn ancestors(&self, office: OfficeId) -> Vec<OfficeId> {
        let above = |office: &OfficeId| self.tree.parent(*office);
        std::iter::successors(above(&office), above).take(MAX_DEPTH).collect()
    }

    /// Says whether `ancestor` stands above `office`. No office stands above itself.
    pub fn is_ancestor(&self, ancestor: OfficeId, office: OfficeId) -> bool {
        self.ancestors(office).contains(&ancestor)
    }

    /// The offices and everything above them. An office that is not there brings only itself.
    pub fn closure(&self, offices: impl IntoIterator<Item = OfficeId>) -> BTreeSet<OfficeId> {
        let mut closed = BTreeSet::new();
        for office in offices {
            closed.insert(office);
            closed.extend(self.ancestors(office));
        }
        closed
    }

    /// The offices and everything that stands above them or did so before somebody was moved. It
    /// only grows: what a later registry says of the same offices includes it.
    pub fn closure_ever(&self, offices: impl IntoIterator<Item = OfficeId>) -> BTreeSet<OfficeId> {
        let mut closed = BTreeSet::new();
        let mut rest: Vec<OfficeId> = offices.into_iter().collect();
        while let Some(id) = rest.pop() {
            if closed.insert(id) {
                rest.extend(self.parent(id));
                let office = self.offices.get(&id);
                rest.extend(office.into_iter().flat_map(|office| office.stood_under.keys()));
            }
        }
        closed
    }

    /// Whether an office has one of the things that it needs, as people have said; none before
    /// anybody did.
    pub fn tick(&self, office: OfficeId, need: Need) -> Option<&Tick> {
        self.ticks.get(&(office, need))
    }

    /// One node, revoked or not.
    pub fn node(&self, id: NodeId) -> Option<&Node> {
        self.nodes.get(&id)
    }

    /// Every node, revoked ones too, by id.
    pub fn nodes(&self) -> impl Iterator<Item = &Node> {
        self.nodes.values()
    }

    /// The nodes of one office, revoked ones too, by id.
    pub fn nodes_of(&self, office: OfficeId) -> impl Iterator<Item = &Node> {
        self.nodes.values().filter(move |node| node.office == office)
    }
}

/// A node as its entry in the document holds it; the key of the entry is its id.
#[derive(Deserialize)]
struct NodeEntry {
    office: OfficeId,
    #[serde(default)]
    addresses: Vec<String>,
    #[serde(default)]
    since: Moment,
    #[serde(default)]
    serials: Value,
    revoked: Option<BTreeMap<String, u64>>,
    revoked_because: Option<String>,
}

fn read_offices(entries: &Value, problems: &mut Vec<Problem>) -> BTreeMap<OfficeId, Office> {
    let mut offices = BTreeMap::new();
    for (key, entry) in sorted("offices", entries, MAX_OFFICES, problems) {
        match read_office(key, entry) {
            Ok(office) => drop(offices.insert(office.id, office)),
            Err(cause) => problems.push(Problem::NotAnOffice { key: cut(key), cause }),
        }
    }
    offices
}

fn read_office(key: &str, entry: &Value) -> Result<Office, String> {
    let id: OfficeId = key.parse().map_err(|_| "its key is no office id".to_owned())?;
    let mut entry = entry.clone();
    let fields = entry.as_object_mut().ok_or("it is not a map")?;
    fields.insert("id".into(), id.as_str().into());
    serde_json::from_value(entry).map_err(|error| error.to_string())
}

fn read_nodes(
    entries: &Value,
    offices: &BTreeMap<OfficeId, Office>,
    problems: &mut Vec<Problem>,
) -> BTreeMap<NodeId, Node> {
    let mut nodes = BTreeMap::new();
    for (key, entry) in sorted("nodes", entries, MAX_NODES, problems) {
        match read_node(key, entry) {
            Ok(node) if offices.contains_key(&node.office) => drop(nodes.insert(node.id, node)),
            Ok(Node { id, office, .. }) => {
                problems.push(Problem::HomelessNode { node: id, office });
            }
            Err(cause) => problems.push(Problem::NotANode { key: cut(key), cause }),
        }
    }
    nodes
}

fn read_node(key: &str, entry: &Value) -> Result<Node, String> {
    let id: NodeId = key.parse().map_err(|_| "its key is no node id".to_owned())?;
    let entry = NodeEntry::deserialize(entry).map_err(|error| error.to_string())?;
    let NodeEntry { office, mut addresses, since, serials, revoked, revoked_because } = entry;
    addresses.retain(|address| address.len() <= MAX_TEXT_BYTES);
    addresses.truncate(MAX_ADDRESSES);
    // An unreadable incarnation is dropped, so that nothing of it counts: the node stays revoked.
    let revoked = revoked.map(|last| {
        let last = last.iter().map(|(key, seq)| (incarnation(key), *seq));
        last.filter_map(|(incarnation, seq)| Some((incarnation?, seq))).collect()
    });
    let revoked_because = revoked_because.filter(|reason| reason.len() <= MAX_TEXT_BYTES);
    let serials = serials.as_u64().and_then(SerialPart::new);
    Ok(Node { id, office, addresses, since, serials, revoked, revoked_because })
}

fn incarnation(key: &str) -> Option<Incarnation> {
    let digits = key.len() == 16 && key.bytes().all(|byte| byte.is_ascii_hexdigit());
    digits.then(|| u64::from_str_radix(key, 16).ok().map(Incarnation)).flatten()
}

/// The entries of a map in the order of their keys; none if it is no map.
fn sorted<'a>(
    map: &'static str,
    entries: &'a Value,
    limit: usize,
    problems: &mut Vec<Problem>,
) -> impl Iterator<Item = (&'a String, &'a Value)> + use<'a> {
    let entries: BTreeMap<_, _> = entries.as_object().into_iter().flatten().collect();
    if entries.len() > limit {
        problems.push(Problem::TooMany { map, count: entries.len(), limit });
    }
    entries.into_iter().take(limit)
}

fn cut(text: &str) -> String {
    text.chars().take(64).collect()
}

fn spell(parent: Option<OfficeId>) -> String {
    parent.map_or_else(|| "its parent".to_owned(), |parent| format!("its parent {parent}"))
}
