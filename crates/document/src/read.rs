//! Reads a document: values, single places, and the canonical export.

use automerge::{ObjId, ObjType, ROOT, ReadDoc, ScalarValue, Value as Held, ValueRef};
use serde_json::{Map, Value};

use crate::limits::MAX_DEPTH;
use crate::path::Step;

/// Reads one object whole. What lies deeper than `MAX_DEPTH` reads as null.
pub(crate) fn object(document: &impl ReadDoc, id: &ObjId, kind: ObjType, depth: usize) -> Value {
    if depth > MAX_DEPTH {
        return Value::Null;
    }
    match kind {
        ObjType::Text => Value::String(document.text(id).unwrap_or_default()),
        ObjType::List => {
            let entries = document.list_range(id, ..);
            entries.map(|entry| held(document, entry.value.clone(), || entry.id(), depth)).collect()
        }
        ObjType::Map | ObjType::Table => {
            let entries = document.map_range(id, ..);
            let read = entries.map(|entry| {
                let value = held(document, entry.value.clone(), || entry.id(), depth);
                (entry.key.into_owned(), value)
            });
            Value::Object(read.collect::<Map<_, _>>())
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

fn held(
    document: &impl ReadDoc,
    value: ValueRef<'_>,
    id: impl FnOnce() -> ObjId,
    depth: usize,
) -> Value {
    match value {
        ValueRef::Object(kind) => object(document, &id(), kind, depth + 1),
        ValueRef::Scalar(value) => scalar(&ScalarValue::from(value)),
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
