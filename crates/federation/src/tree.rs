//! The tree that parents make, mended where they do not make one.

use std::collections::{BTreeMap, BTreeSet};

use lienthong_protocol::OfficeId;

use crate::registry::Problem;

/// How many offices may stand above one. An office that would lie deeper stands directly under
/// the root instead, with all that is below it, and is reported.
pub const MAX_DEPTH: usize = 16;

/// Every office's parent and children. Has no cycle and is at most [`MAX_DEPTH`] deep.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tree {
    parents: BTreeMap<OfficeId, OfficeId>,
    children: BTreeMap<OfficeId, BTreeSet<OfficeId>>,
}

impl Tree {
    /// Plants the offices that `stated` names, each with the parent it states, under `root`.
    ///
    /// An office whose parent is missing or unknown, that is its own ancestor, or that lies too
    /// deep is put directly under the root, and `problems` says so. Equal arguments give equal
    /// trees, so every node mends a broken registry in the same way.
    pub(crate) fn plant(
        root: OfficeId,
        stated: &BTreeMap<OfficeId, Option<OfficeId>>,
        problems: &mut Vec<Problem>,
    ) -> Tree {
        let mut planting = Planting { root, below: BTreeMap::new(), tree: Tree::default() };
        for (office, parent) in stated {
            if let Some(parent) = planting.sound_parent(*office, *parent, stated, problems) {
                planting.below.entry(parent).or_default().insert(*office);
            }
        }
        planting.grow(root, 0, problems);
        for office in stated.keys() {
            if *office != root && planting.tree.parent(*office).is_none() {
                let (first, parent) = first_of_cycle(*office, stated, root);
                problems.push(Problem::Cycle { office: first, parent });
                planting.attach(first, root);
                planting.grow(first, 1, problems);
            }
        }
        planting.tree
    }

    pub(crate) fn parent(&self, office: OfficeId) -> Option<OfficeId> {
        self.parents.get(&office).copied()
    }

    pub(crate) fn children(&self, office: OfficeId) -> impl Iterator<Item = OfficeId> + '_ {
        self.children.get(&office).into_iter().flatten().copied()
    }
}

struct Planting {
    root: OfficeId,
    /// Stated children; an office leaves it when it is planted.
    below: BTreeMap<OfficeId, BTreeSet<OfficeId>>,
    tree: Tree,
}

impl Planting {
    fn sound_parent(
        &self,
        office: OfficeId,
        parent: Option<OfficeId>,
        stated: &BTreeMap<OfficeId, Option<OfficeId>>,
        problems: &mut Vec<Problem>,
    ) -> Option<OfficeId> {
        match parent {
            _ if office == self.root => {
                problems.extend(parent.map(|parent| Problem::RootWithParent { parent }));
                None
            }
            Some(parent) if stated.contains_key(&parent) => Some(parent),
            parent => {
                problems.push(Problem::UnknownParent { office, parent });
                Some(self.root)
            }
        }
    }

    /// Plants all that is stated to be below `top`, which stands `depth` offices below the root.
    fn grow(&mut self, top: OfficeId, depth: usize, problems: &mut Vec<Problem>) {
        let mut level = vec![(top, depth)];
        while let Some((parent, depth)) = level.pop() {
            for office in self.below.remove(&parent).unwrap_or_default() {
                if self.tree.parents.contains_key(&office) {
                    continue;
                }
                let fits = depth < MAX_DEPTH;
                if !fits {
                    problems.push(Problem::TooDeep { office, parent });
                }
                self.attach(office, if fits { parent } else { self.root });
                level.push((office, if fits { depth + 1 } else { 1 }));
            }
        }
    }

    fn attach(&mut self, office: OfficeId, parent: OfficeId) {
        self.tree.parents.insert(office, parent);
        self.tree.children.entry(parent).or_default().insert(office);
    }
}

/// The least office of the cycle that the parents of `office` run into, and its stated parent.
fn first_of_cycle(
    office: OfficeId,
    stated: &BTreeMap<OfficeId, Option<OfficeId>>,
    root: OfficeId,
) -> (OfficeId, OfficeId) {
    let up = |office: OfficeId| stated.get(&office).copied().flatten().unwrap_or(root);
    let mut passed = BTreeSet::new();
    let mut on_cycle = office;
    while passed.insert(on_cycle) {
        on_cycle = up(on_cycle);
    }
    let (mut least, mut next) = (on_cycle, up(on_cycle));
    while next != on_cycle {
        least = least.min(next);
        next = up(next);
    }
    (least, up(least))
}
