//! Takes a set of payloads in causal order: all at once if all are good, else the good ones.

use std::collections::{BTreeMap, BTreeSet};

use lienthong_protocol::OfficeId;

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

/// What a payload's header says, where it was seen.
#[derive(Clone, Copy, Default)]
pub(crate) struct Signed {
    /// The actor that it must be written by.
    pub(crate) actor: Option<Actor>,
    /// The office in whose name it was signed.
    pub(crate) office: Option<OfficeId>,
}

/// Takes what `document` can take of `changes`; gives the rest with the reasons.
pub(crate) fn extend<'a, K>(
    document: &mut Document,
    changes: impl IntoIterator<Item = (K, &'a [u8])>,
    signed: impl Fn(&K) -> Signed,
    trust: Trust,
) -> Vec<(K, Refusal)> {
    let mut refused = Vec::new();
    let mut waiting = BTreeMap::new();
    for (key, payload) in changes {
        match look_at(payload, signed(&key)) {
            Err(refusal) => refused.push((key, refusal)),
            Ok(candidate) if document.contains(candidate.peek.hash) => document.sign(&candidate),
            Ok(candidate) => {
                let signer = candidate.signer;
                let known = waiting.entry(candidate.peek.hash).or_insert((key, candidate));
                known.1.signer = least(known.1.signer, signer);
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

/// Of two offices in whose names one payload was signed the first by id: an author that signs
/// twice must not be read otherwise where the copies come in another order.
pub(crate) fn least(one: Option<OfficeId>, other: Option<OfficeId>) -> Option<OfficeId> {
    one.into_iter().chain(other).min()
}

fn look_at(payload: &[u8], signed: Signed) -> Result<Candidate, Refusal> {
    let (peek, change) = payload::read(payload)?;
    match signed.actor {
        Some(expected) if expected != peek.actor => {
            Err(Refusal::Actor { named: peek.actor, expected })
        }
        _ => Ok(Candidate { peek, change, signer: signed.office }),
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
