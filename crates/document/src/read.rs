//! Reads a document: values, single places, the canonical export, and entries of a list as they
//! were written.

use std::collections::{BTreeMap, BTreeSet};

use automerge::{
    ActorId, Automerge, ChangeHash, ObjId, ObjType, ROOT, ReadDoc, ScalarValue, Value as Held,
    ValueRef,
};
use lienthong_protocol::OfficeId;
use serde_json::{Map, Value};

use crate::limits::MAX_DEPTH;
use crate::path::Step;
use crate::payload::guard;

/// One entry of a list as the payload that added it wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What that payload wrote.
    pub value: Value,
    /// The office in whose name the payload was signed; none for a draft of this node, and where
    /// the document was opened without headers.
    pub signer: Option<OfficeId>,
    /// Whether a later payload changed, hid or deleted it.
    pub is_altered: bool,
}

/// The operations of one payload, and who signed it.
pub(crate) struct Origin {
    /// The counter of its first operation.
    pub(crate) first: u64,
    /// The counter of its last.
    pub(crate) last: u64,
    pub(crate) signer: Option<OfficeId>,
}

/// The values that payloads replaced or deleted: who wrote them, under which counter.
pub(crate) type Replaced = BTreeSet<(ActorId, u64)>;

/// Reads one object whole. What lies deeper than `MAX_DEPTH` reads as null.
pub(crate) fn object(document: &impl ReadDoc, id: &ObjId, kind: ObjType, depth: usize) -> Value {
    Reading { document, heads: None }.object(id, kind, depth)
}

/// Reads the whole document as it was after one payload.
pub(crate) fn whole_at(document: &Automerge, payload: ChangeHash) -> Value {
    Reading { document, heads: Some(&[payload]) }.object(&ROOT, ObjType::Map, 0)
}

/// Reads the list that the payload `opening` made at `key`, each entry as it was written, in the
/// order of the counters. `origin` tells of the payloads that were taken.
pub(crate) fn entries(
    document: &Automerge,
    key: &str,
    opening: ChangeHash,
    replaced: &Replaced,
    origin: impl Fn(&ChangeHash) -> Option<Origin>,
) -> Vec<Entry> {
    let made = guard(|| document.get_at(ROOT, key, &[opening]).ok().flatten());
    let Some(Some((Held::Object(ObjType::List), list))) = made else { return Vec::new() };
    let mut found = guard(|| shown(document, &list)).unwrap_or_default();
    for payload in payloads_of(document, replaced) {
        let Some(origin) = origin(&payload) else { continue };
        let wrote = guard(|| hidden(document, &list, payload, (&origin, replaced)));
        for (place, entry) in wrote.unwrap_or_default() {
            found.entry(place).or_insert(entry);
        }
    }
    let read = |(id, found): (ObjId, Found)| {
        guard(|| {
            let payload = document.hash_for_opid(&id)?;
            as_written(document, &id, found, payload, (&origin(&payload)?, replaced))
        })
        .flatten()
    };
    found.into_values().filter_map(read).collect()
}

/// What stands or stood in a list, by counter and actor.
type Places = BTreeMap<(u64, ActorId), (ObjId, Found)>;

/// What stands in a list, or once stood there.
enum Found {
    Scalar(Value),
    Object(ObjType),
    Hidden(ObjType),
}

/// What stands in a list now, with what lost against another entry at the same place.
fn shown(document: &Automerge, list: &ObjId) -> Places {
    let mut found = Places::new();
    let mut add = |id: ObjId, entry: Found| {
        if let ObjId::Id(counter, actor, _) = &id {
            found.insert((*counter, actor.clone()), (id, entry));
        }
    };
    for entry in document.list_range(list, ..) {
        match entry.value.clone() {
            ValueRef::Object(kind) => add(entry.id(), Found::Object(kind)),
            ValueRef::Scalar(value) => {
                add(entry.id(), Found::Scalar(scalar(&ScalarValue::from(value))));
            }
        }
        let all = if entry.conflict { document.get_all(list, entry.index) } else { Ok(Vec::new()) };
        for (value, id) in all.unwrap_or_default() {
            match value {
                Held::Object(kind) => add(id, Found::Object(kind)),
                Held::Scalar(value) => add(id, Found::Scalar(scalar(&value))),
            }
        }
    }
    found
}

/// The payloads that wrote what was replaced or deleted.
fn payloads_of(document: &Automerge, replaced: &Replaced) -> BTreeSet<ChangeHash> {
    let ids = replaced.iter().map(|(actor, counter)| ObjId::Id(*counter, actor.clone(), 0));
    ids.filter_map(|id| guard(|| document.hash_for_opid(&id)).flatten()).collect()
}

/// What a payload added to a list and others replaced or deleted later. It is looked up in the
/// past, because Automerge tells nothing of an object that is gone.
fn hidden(
    document: &Automerge,
    list: &ObjId,
    payload: ChangeHash,
    (origin, replaced): (&Origin, &Replaced),
) -> Places {
    let entries = document.list_range_at(list, .., &[payload]);
    let gone = entries.filter_map(|entry| {
        let ValueRef::Object(kind) = entry.value else { return None };
        let id = entry.id();
        let ObjId::Id(counter, actor, _) = &id else { return None };
        let place = (*counter, actor.clone());
        let is_own = (origin.first..=origin.last).contains(counter);
        let is_gone = replaced.contains(&(actor.clone(), *counter));
        (is_own && is_gone).then_some((place, (id, Found::Hidden(kind))))
    });
    gone.collect()
}

fn as_written(
    document: &Automerge,
    id: &ObjId,
    found: Found,
    payload: ChangeHash,
    (origin, replaced): (&Origin, &Replaced),
) -> Option<Entry> {
    let signer = origin.signer;
    let (kind, is_hidden) = match found {
        Found::Scalar(value) => return Some(Entry { value, signer, is_altered: false }),
        Found::Object(kind) => (kind, false),
        Found::Hidden(kind) => (kind, true),
    };
    let ObjId::Id(_, actor, _) = id else { return None };
    let own = Own { document, actor, origin };
    let now = object(document, id, kind, 0);
    let touched = replaced.range((actor.clone(), origin.first)..=(actor.clone(), origin.last));
    if !is_hidden && touched.count() == 0 && own.wrote(id, kind, 0) {
        return Some(Entry { value: now, signer, is_altered: false });
    }
    let value = Reading { document, heads: Some(&[payload]) }.object(id, kind, 0);
    let is_altered = is_hidden || value != now;
    Some(Entry { value, signer, is_altered })
}

/// What one payload wrote.
struct Own<'a> {
    document: &'a Automerge,
    actor: &'a ActorId,
    origin: &'a Origin,
}

impl Own<'_> {
    /// Says whether the payload wrote everything that an object shows. A mergeable text is looked
    /// up in the past in any case.
    fn wrote(&self, id: &ObjId, kind: ObjType, depth: usize) -> bool {
        let holds = |is_contested: bool, id: ObjId, value: &ValueRef<'_>| {
            let is_own = !is_contested && self.holds(&id);
            match value {
                ValueRef::Object(kind) => is_own && self.wrote(&id, *kind, depth + 1),
                ValueRef::Scalar(_) => is_own,
            }
        };
        match kind {
            _ if depth > MAX_DEPTH => true,
            ObjType::Text => false,
            ObjType::List => {
                let mut entries = self.document.list_range(id, ..);
                entries.all(|entry| holds(entry.conflict, entry.id(), &entry.value))
            }
            ObjType::Map | ObjType::Table => {
                let mut entries = self.document.map_range(id, ..);
                entries.all(|entry| holds(entry.conflict, entry.id(), &entry.value))
            }
        }
    }

    fn holds(&self, id: &ObjId) -> bool {
        let Origin { first, last, .. } = self.origin;
        matches!(id, ObjId::Id(counter, actor, _)
            if actor == self.actor && (first..=last).contains(&counter))
    }
}

/// A document now, or as it was after some payloads.
struct Reading<'a, D> {
    document: &'a D,
    heads: Option<&'a [ChangeHash]>,
}

impl<D: ReadDoc> Reading<'_, D> {
    fn object(&self, id: &ObjId, kind: ObjType, depth: usize) -> Value {
        if depth > MAX_DEPTH {
            return Value::Null;
        }
        let Reading { document, heads } = self;
        match kind {
            ObjType::Text => {
                let text = heads.map_or_else(|| document.text(id), |at| document.text_at(id, at));
                Value::String(text.unwrap_or_default())
            }
            ObjType::List => {
                let now = || document.list_range(id, ..);
                let entries = heads.map_or_else(now, |at| document.list_range_at(id, .., at));
                entries.map(|entry| self.held(&entry.value, || entry.id(), depth)).collect()
            }
            ObjType::Map | ObjType::Table => {
                let now = || document.map_range(id, ..);
                let entries = heads.map_or_else(now, |at| document.map_range_at(id, .., at));
                let read = entries.map(|entry| {
                    let value = self.held(&entry.value, || entry.id(), depth);
                    (entry.key.into_owned(), value)
                });
                Value::Object(read.collect::<Map<_, _>>())
            }
        }
    }

    fn held(&self, value: &ValueRef<'_>, id: impl FnOnce() -> ObjId, depth: usize) -> Value {
        match value {
            ValueRef::Object(kind) => self.object(&id(), *kind, depth + 1),
            ValueRef::Scalar(value) => scalar(&ScalarValue::from(value.clone())),
        }
    }
}

/// Reads what stands at `path`, the winner where offices wrote at once.
pub(crate) fn place(document: &impl ReadDoc, path: &[Step<'_>]) -> Option<Value> {
    let mut id = ROOT;
    let mut kind = ObjType::Map;
    for (depth, step) in path.iter().enumerate() {
        match document.get(&id, step.prop()).ok()?? {
            (Held::Object(next), child) => (id, kind) = (child, next),
            (Held::Scalar(value), _) if depth + 1 == path.len() => return Some(scalar(&value)),
            (Held::Scalar(_), _) => return None,
        }
    }
    Some(object(document, &id, kind, path.len()))
}

/// Writes a value as compact JSON with the keys of every map in the order of their bytes.
pub(crate) fn canonical(value: &Value, out: &mut String) {
    match value {
        Value::Object(map) => {
            let mut entries: Vec<_> = map.iter().collect();
            entries.sort_unstable_by_key(|(key, _)| *key);
            out.push('{');
            for (position, (key, value)) in entries.into_iter().enumerate() {
                separate(position, out);
                out.push_str(&Value::from(key.as_str()).to_string());
                out.push(':');
                canonical(value, out);
            }
            out.push('}');
        }
        Value::Array(entries) => {
            out.push('[');
            for (position, value) in entries.iter().enumerate() {
                separate(position, out);
                canonical(value, out);
            }
            out.push(']');
        }
        scalar => out.push_str(&scalar.to_string()),
    }
}

fn separate(position: usize, out: &mut String) {
    if position > 0 {
        out.push(',');
    }
}

/// Reads a scalar. Types that no payload may hold read as null.
pub(crate) fn scalar(value: &ScalarValue) -> Value {
    match value {
        ScalarValue::Str(text) => Value::from(text.as_str()),
        ScalarValue::Int(number) => Value::from(*number),
        ScalarValue::Uint(number) => Value::from(*number),
        ScalarValue::Boolean(truth) => Value::from(*truth),
        ScalarValue::Null
        | ScalarValue::Bytes(_)
        | ScalarValue::F64(_)
        | ScalarValue::Counter(_)
        | ScalarValue::Timestamp(_)
        | ScalarValue::Unknown { .. } => Value::Null,
    }
}

#[cfg(test)]
#[path = "read_tests.rs"]
mod tests;
