//! What payloads wrote, read from their operations one by one, without applying them.

use std::collections::{BTreeMap, BTreeSet};

use automerge::legacy::{ElementId, Key, ObjectId, Op, OpId, OpType};
use automerge::{ActorId, ObjType};
use lienthong_protocol::{Change, OfficeId};
use serde_json::Value;

use crate::document::Document;
use crate::limits::MAX_DEPTH;
use crate::open::least;
use crate::payload::{self, ChangeHash, Peek, guard};
use crate::read::{Entry, scalar};

/// How a document was opened, and one of its lists, as their authors wrote them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// As [`Document::opened`] gives it.
    pub opened: Value,
    /// As [`Document::entries`] gives them.
    pub entries: Vec<Entry>,
    /// As [`Document::heads`] gives them.
    pub heads: Vec<ChangeHash>,
}

impl Document {
    /// Reads how it was opened, and the list that its opening payload made at `key`.
    pub fn written(&self, key: &str) -> Written {
        Written { opened: self.opened(), entries: self.entries(key), heads: self.heads() }
    }
}

impl Written {
    /// Reads the same from signed changes that were opened together before and were all taken
    /// then, at a third of the cost of [`Document::reopen_changes`].
    ///
    /// None if they are more than an opening and payloads that each add entries to that list and
    /// touch nothing else: then open the document. Honest dossiers are no more than that.
    pub fn of_changes<'a>(
        changes: impl IntoIterator<Item = &'a Change>,
        key: &str,
    ) -> Option<Written> {
        let payloads = changes.into_iter();
        let payloads = payloads.map(|change| (Some(change.header().office), change.payload()));
        Written::of_payloads(payloads, key)
    }

    fn of_payloads<'a>(
        payloads: impl Iterator<Item = (Option<OfficeId>, &'a [u8])>,
        key: &str,
    ) -> Option<Written> {
        let sheets = sheets(payloads)?;
        let mut openings = sheets.values().filter(|sheet| sheet.peek.dependencies.is_empty());
        let (Some(opening), None) = (openings.next(), openings.next()) else { return None };
        let root = opening.walk(&ObjectId::Root)?;
        let list = root.list_at(key);
        let mut entries = BTreeMap::new();
        for sheet in sheets.values() {
            let walked;
            let (strokes, added) = if sheet.peek.hash == opening.peek.hash {
                (&root, root.entries_of(list.as_ref()))
            } else {
                walked = sheet.walk(&ObjectId::Id(list.clone()?))?;
                (&walked, walked.on_page())
            };
            for (counter, slot) in added {
                let value = strokes.value(slot, 0);
                let entry = Entry { value, signer: sheet.signer, is_altered: false };
                entries.insert((*counter, sheet.operations.0.clone()), entry);
            }
        }
        Some(Written {
            opened: root.page_value(),
            entries: entries.into_values().collect(),
            heads: heads(&sheets),
        })
    }
}

/// One payload with its operations.
struct Sheet {
    peek: Peek,
    signer: Option<OfficeId>,
    /// Who wrote them, under which first counter.
    operations: (ActorId, u64, Vec<Op>),
}

/// Reads every payload once; none if one of them replaces or deletes anything.
fn sheets<'a>(
    payloads: impl Iterator<Item = (Option<OfficeId>, &'a [u8])>,
) -> Option<BTreeMap<ChangeHash, Sheet>> {
    let mut sheets: BTreeMap<ChangeHash, Sheet> = BTreeMap::new();
    for (signer, payload) in payloads {
        let (peek, change) = payload::read(payload).ok()?;
        if let Some(copy) = sheets.get_mut(&peek.hash) {
            copy.signer = least(copy.signer, signer);
            continue;
        }
        if peek.replaced > 0 {
            return None;
        }
        let decoded = guard(|| change.decode())?;
        let operations = (decoded.actor_id, decoded.start_op.get(), decoded.operations);
        sheets.insert(peek.hash, Sheet { peek, signer, operations });
    }
    Some(sheets)
}

fn heads(sheets: &BTreeMap<ChangeHash, Sheet>) -> Vec<ChangeHash> {
    let seen: BTreeSet<&ChangeHash> =
        sheets.values().flat_map(|sheet| &sheet.peek.dependencies).collect();
    sheets.keys().filter(|hash| !seen.contains(hash)).copied().collect()
}

impl Sheet {
    /// Walks the operations, which may write into `page` and into what they make themselves.
    fn walk(&self, page: &ObjectId) -> Option<Strokes> {
        let (actor, first, operations) = &self.operations;
        let on_root = matches!(page, ObjectId::Root);
        let page_kind = if on_root { Made::Map(BTreeMap::new()) } else { Made::List(Vec::new()) };
        let mut strokes = Strokes { actor: actor.clone(), made: BTreeMap::from([(0, page_kind)]) };
        for (counter, operation) in (*first..).zip(operations) {
            let slot = strokes.slot(counter, &operation.action)?;
            let place = match &operation.obj {
                object if object == page => 0,
                ObjectId::Id(OpId(made, by)) if by == actor => *made,
                ObjectId::Id(_) | ObjectId::Root => return None,
            };
            let is_foreign_page = place == 0 && !on_root;
            match (strokes.made.get_mut(&place)?, &operation.key, operation.insert) {
                (Made::Map(map), Key::Map(key), false) => {
                    map.insert(key.to_string(), slot);
                }
                // What stands before an entry of the page is of others; counters give the order.
                (Made::List(list), Key::Seq(_), true) if is_foreign_page => {
                    list.push((counter, slot));
                }
                (Made::List(list), Key::Seq(before), true) => {
                    let last = list.last().map(|(counter, _)| *counter);
                    follows(before, last, actor)?;
                    list.push((counter, slot));
                }
                (Made::Text(text, last), Key::Seq(before), true) => {
                    let Slot::Scalar(Value::String(letters)) = slot else { return None };
                    follows(before, last.replace(counter), actor)?;
                    text.push_str(&letters);
                }
                _ => return None,
            }
        }
        Some(strokes)
    }
}

/// Whether an insertion comes behind the last one, as those of an honest author do. To find the
/// place of another would take long in a long list.
fn follows(before: &ElementId, last: Option<u64>, actor: &ActorId) -> Option<()> {
    let is_next = match before {
        ElementId::Head => last.is_none(),
        ElementId::Id(OpId(counter, by)) => last == Some(*counter) && by == actor,
    };
    is_next.then_some(())
}

/// What one payload made, by counter; 0 is the page that it wrote on.
struct Strokes {
    actor: ActorId,
    made: BTreeMap<u64, Made>,
}

enum Made {
    Map(BTreeMap<String, Slot>),
    /// In the order in which it reads, each with the counter of its operation.
    List(Vec<(u64, Slot)>),
    /// With the counter of its last operation.
    Text(String, Option<u64>),
}

enum Slot {
    Scalar(Value),
    Object(u64),
}

impl Strokes {
    /// What an operation puts in its place; none for one that does more than to write.
    fn slot(&mut self, counter: u64, action: &OpType) -> Option<Slot> {
        let made = match action {
            OpType::Put(value) => return Some(Slot::Scalar(scalar(value))),
            OpType::Make(ObjType::Map | ObjType::Table) => Made::Map(BTreeMap::new()),
            OpType::Make(ObjType::List) => Made::List(Vec::new()),
            OpType::Make(ObjType::Text) => Made::Text(String::new(), None),
            OpType::Delete | OpType::Increment(_) | OpType::MarkBegin(..) | OpType::MarkEnd(_) => {
                return None;
            }
        };
        self.made.insert(counter, made);
        Some(Slot::Object(counter))
    }

    fn page_value(&self) -> Value {
        self.value(&Slot::Object(0), 0)
    }

    /// Reads as [`crate::read::object`] does: what lies deeper than `MAX_DEPTH` is null.
    fn value(&self, slot: &Slot, depth: usize) -> Value {
        let counter = match slot {
            Slot::Scalar(value) => return value.clone(),
            Slot::Object(_) if depth > MAX_DEPTH => return Value::Null,
            Slot::Object(counter) => counter,
        };
        match self.made.get(counter) {
            None => Value::Null,
            Some(Made::Map(map)) => {
                let read = map.iter().map(|(key, slot)| (key.clone(), self.value(slot, depth + 1)));
                Value::Object(read.collect())
            }
            Some(Made::Text(text, _)) => Value::from(text.as_str()),
            Some(Made::List(list)) => {
                list.iter().map(|(_, slot)| self.value(slot, depth + 1)).collect()
            }
        }
    }

    /// The list that stands under a key of the page.
    fn list_at(&self, key: &str) -> Option<OpId> {
        let Some(Made::Map(page)) = self.made.get(&0) else { return None };
        let Slot::Object(counter) = page.get(key)? else { return None };
        let is_list = matches!(self.made.get(counter), Some(Made::List(_)));
        is_list.then(|| OpId(*counter, self.actor.clone()))
    }

    fn entries_of(&self, list: Option<&OpId>) -> &[(u64, Slot)] {
        match list.and_then(|OpId(counter, _)| self.made.get(counter)) {
            Some(Made::List(entries)) => entries,
            _ => &[],
        }
    }

    fn on_page(&self) -> &[(u64, Slot)] {
        match self.made.get(&0) {
            Some(Made::List(entries)) => entries,
            _ => &[],
        }
    }
}

#[cfg(test)]
#[path = "written_tests.rs"]
mod tests;
