//! Takes a set of payloads in causal order: all at once if all are good, else the good ones.

use std::collections::{BTreeMap, BTreeSet};

use crate::actor::Actor;
use crate::document::Document;
use crate::payload::{self, ChangeHash};
use crate::rehearsal::{Candidate, Refusal};

/// What is known of a set of payloads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trust {
    /// Nothing: it must be rehearsed.
    New,
    /// This very set was rehearsed before.
    Rehearsed,
}

/// Takes what `document` can take of `changes`; gives the rest with the reasons.
pub(crate) fn extend<'a, K>(
    document: &mut Document,
    changes: impl IntoIterator<Item = (K, &'a [u8])>,
    actor_of: impl Fn(&K) -> Option<Actor>,
    trust: Trust,
) -> Vec<(K, Refusal)> {
    let mut refused = Vec::new();
    let mut waiting = BTreeMap::new();
    for (key, payload) in changes {
        match look_at(payload, actor_of(&key)) {
            Err(refusal) => refused.push((key, refusal)),
            Ok(candidate) if document.contains(candidate.peek.hash) => (),
            Ok(candidate) => {
                waiting.entry(candidate.peek.hash).or_insert((key, candidate));
            }
        }
    }
    let (ordered, stuck) = in_causal_order(document, waiting);
    refused.append(&mut take(document, ordered, trust));
    refused.extend(stuck.into_iter().map(|(key, candidate)| {
        let dependency = missing(document, &candidate).unwrap_or(candidate.peek.hash);
        (key, Refusal::Missing { dependency })
    }));
    refused
}

fn look_at(payload: &[u8], expected: Option<Actor>) -> Result<Candidate, Refusal> {
    let (peek, change) = payload::read(payload)?;
    match expected {
        Some(expected) if expected != peek.actor => {
            Err(Refusal::Actor { named: peek.actor, expected })
        }
        _ => Ok(Candidate { peek, change }),
    }
}

/// Takes a block whole if it can, else its two halves one after the other, so that `n` payloads
/// with one bad one cost about `2 log n` rehearsals and not `n`.
fn take<K>(document: &mut Document, block: Block<K>, trust: Trust) -> Vec<(K, Refusal)> {
    let mut refused = Vec::new();
    let mut kept = Vec::with_capacity(block.len());
    let mut coming: BTreeSet<ChangeHash> = BTreeSet::new();
    for (key, candidate) in block {
        let dependencies = candidate.peek.dependencies.iter();
        let mut absent = dependencies.filter(|d| !document.contains(**d) && !coming.contains(d));
        match absent.next().copied() {
            Some(dependency) => refused.push((key, Refusal::Missing { dependency })),
            None => {
                coming.insert(candidate.peek.hash);
                kept.push((key, candidate));
            }
        }
    }
    if kept.is_empty() {
        return refused;
    }
    let candidates = kept.iter().map(|(_, candidate)| candidate);
    if trust == Trust::Rehearsed && document.play_and_take(candidates.clone()).is_ok() {
        return refused;
    }
    let Err(refusal) = document.rehearse_and_take(candidates) else {
        return refused;
    };
    if kept.len() == 1 {
        refused.extend(kept.into_iter().map(|(key, _)| (key, refusal.clone())));
        return refused;
    }
    let later = kept.split_off(kept.len() / 2);
    refused.append(&mut take(document, kept, Trust::New));
    refused.append(&mut take(document, later, Trust::New));
    refused
}

type Block<K> = Vec<(K, Candidate)>;
type Waiting<K> = BTreeMap<ChangeHash, (K, Candidate)>;

/// Orders what can be taken so that every payload stands behind its dependencies, by hash where
/// the order is free; gives beside it what waits for something that is not in the set.
fn in_causal_order<K>(document: &Document, mut waiting: Waiting<K>) -> (Block<K>, Block<K>) {
    let mut needs: BTreeMap<ChangeHash, usize> = BTreeMap::new();
    let mut frees: BTreeMap<ChangeHash, Vec<ChangeHash>> = BTreeMap::new();
    for (hash, (_, candidate)) in &waiting {
        let dependencies: BTreeSet<_> = candidate.peek.dependencies.iter().collect();
        let open: Vec<_> = dependencies.into_iter().filter(|d| !document.contains(**d)).collect();
        needs.insert(*hash, open.len());
        for dependency in open {
            frees.entry(*dependency).or_default().push(*hash);
        }
    }
    let free = needs.iter().filter(|(_, open)| **open == 0);
    let mut ready: BTreeSet<ChangeHash> = free.map(|(hash, _)| *hash).collect();
    let mut ordered = Vec::with_capacity(waiting.len());
    while let Some(hash) = ready.pop_first() {
        ordered.extend(waiting.remove(&hash));
        for freed in frees.remove(&hash).unwrap_or_default() {
            let open = needs.entry(freed).or_default();
            *open = open.saturating_sub(1);
            if *open == 0 {
                ready.insert(freed);
            }
        }
    }
    (ordered, waiting.into_values().collect())
}

fn missing(document: &Document, candidate: &Candidate) -> Option<ChangeHash> {
    candidate.peek.dependencies.iter().find(|dependency| !document.contains(**dependency)).copied()
}

#[cfg(test)]
#[path = "open_tests.rs"]
mod tests;
