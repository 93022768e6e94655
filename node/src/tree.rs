//! The links of a demonstration that go upward in the office tree, as both ends see them.

use std::collections::BTreeMap;

use lienthong_federation::Province;
use lienthong_protocol::OfficeId;
use serde_json::{Value, json};

/// A link between an office and one above it, as both ends see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TreeLink {
    pub(crate) office: OfficeId,
    pub(crate) peer: OfficeId,
    pub(crate) changes: u64,
    pub(crate) unsent: u64,
    pub(crate) is_settled: bool,
    pub(crate) root: String,
    pub(crate) peer_root: String,
}

impl TreeLink {
    /// Whether both ends say that they hold the same, and do.
    pub(crate) fn is_equal(&self) -> bool {
        self.is_settled && !self.root.is_empty() && self.root == self.peer_root
    }

    pub(crate) fn row(&self, name: &str) -> Vec<String> {
        let yes = |is: bool| if is { "có / yes" } else { "KHÔNG / NO" }.to_owned();
        let short = |root: &str| root.chars().take(12).collect();
        vec![
            self.office.to_string(),
            name.to_owned(),
            self.changes.to_string(),
            self.unsent.to_string(),
            self.peer.to_string(),
            yes(self.is_settled),
            short(&self.root),
            short(&self.peer_root),
            yes(self.root == self.peer_root),
        ]
    }

    pub(crate) fn to_json(&self) -> Value {
        json!({
            "office": self.office,
            "peer": self.peer,
            "changes": self.changes,
            "unsent": self.unsent,
            "settled": self.is_settled,
            "root": self.root,
            "peer_root": self.peer_root,
        })
    }
}

pub(crate) const HEADINGS: [(&str, &str); 9] = [
    ("đơn vị", "office"),
    ("tên", "name"),
    ("thay đổi", "changes"),
    ("chưa gửi", "unsent"),
    ("liên kết với", "link with"),
    ("đã khớp", "settled"),
    ("gốc ở đây", "root here"),
    ("gốc bên kia", "root there"),
    ("bằng nhau", "equal"),
];

/// All links that go upward in the tree, by office.
pub(crate) fn tree_links(
    province: &Province,
    statuses: &BTreeMap<OfficeId, Value>,
) -> Vec<TreeLink> {
    let mut links = Vec::new();
    for (office, status) in statuses {
        for peer in above(province, *office) {
            let Some(here) = link_with(status, peer) else { continue };
            let there = statuses.get(&peer).and_then(|status| link_with(status, *office));
            let root = |link: &Value| link["root"].as_str().unwrap_or_default().to_owned();
            links.push(TreeLink {
                office: *office,
                peer,
                changes: number(&status["changes"]),
                unsent: number(&here["unsent"]),
                is_settled: here["settled"] == true
                    && there.is_some_and(|there| there["settled"] == true),
                root: root(here),
                peer_root: there.map(root).unwrap_or_default(),
            });
        }
    }
    links
}

/// The offices above one, the nearest first.
pub(crate) fn above(province: &Province, office: OfficeId) -> Vec<OfficeId> {
    let parent = |id: OfficeId| {
        province.offices.iter().find(|office| office.id == id).and_then(|office| office.parent)
    };
    std::iter::successors(parent(office), |above| parent(*above)).collect()
}

pub(crate) fn link_with(status: &Value, peer: OfficeId) -> Option<&Value> {
    status["links"].as_array()?.iter().find(|link| link["office"] == peer.as_str())
}

pub(crate) fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or(0)
}

#[cfg(test)]
#[path = "tree_tests.rs"]
mod tests;
