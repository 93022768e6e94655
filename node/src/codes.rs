//! Dossier codes of this office: the next one, and any that two dossiers have.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use lienthong_catalogue::VIETNAM_MS;
use lienthong_dossier::{Code, Dossier, local_day};
use lienthong_federation::SerialPart;
use lienthong_protocol::{Change, DocumentId, Incarnation, Kind, Moment, OfficeId};
use lienthong_replica::{Replica, Shelf};
use lienthong_request::Failure;
use serde_json::{Value, json};

use crate::mind::{Mind, store_failed};
use crate::serials::Serials;
use crate::shelf::StoreShelf;

/// How many dossiers are looked through at a time.
const PAGE: usize = 256;
/// How many days are kept in memory; beyond it the oldest is read again when it is needed.
const MAX_DAYS: usize = 8;
/// How many dossiers that grew are looked at between two groups of messages.
const READ_AT_ONCE: usize = 8;

/// What is known about the codes of this office's unit.
pub(crate) struct Codes {
    serials: Serials,
    /// The days that were read, by their number since the epoch.
    days: BTreeMap<u64, Day>,
    is_stale: bool,
    /// Documents that grew and were not looked at yet.
    unread: BTreeSet<DocumentId>,
    /// How far this node's incarnations had written by what the log holds; none once a peer has
    /// told what it holds of them.
    written: Option<BTreeMap<Incarnation, u64>>,
}

/// The dossiers of this unit that were opened on one day.
#[derive(Debug, Default)]
struct Day {
    codes: BTreeMap<Code, BTreeSet<DocumentId>>,
    documents: BTreeSet<DocumentId>,
    /// The highest place by unit code, day as in the code, and part.
    highest: BTreeMap<(String, String, SerialPart), u32>,
}

impl Codes {
    /// Reads what the data folder says of the numbers that were given.
    pub(crate) fn open(
        folder: &Path,
        replica: &Replica<StoreShelf>,
        at: Moment,
    ) -> Result<Codes, Failure> {
        let written = replica.last_seqs(replica.identity().key.id()).map_err(store_failed)?;
        Ok(Codes {
            serials: Serials::open(folder, at),
            days: BTreeMap::new(),
            is_stale: false,
            unread: BTreeSet::new(),
            written: Some(written),
        })
    }

    /// Lets a document be looked at when there is time: its code may be another's too.
    pub(crate) fn grew(&mut self, document: DocumentId) {
        self.unread.insert(document);
    }

    /// Offices and their unit codes may be others now: the days are read anew when needed next.
    pub(crate) fn forget(&mut self) {
        self.is_stale = true;
    }

    /// Whether documents wait to be looked at.
    pub(crate) fn has_unread(&self) -> bool {
        !self.unread.is_empty()
    }

    /// The highest place of a part that any dossier of a unit and the day of `at` has; 0 if none.
    fn highest(&self, unit: &str, at: Moment, part: SerialPart) -> u32 {
        let short = local_day(at).get(2..).unwrap_or_default().replace('-', "");
        let key = (unit.to_owned(), short, part);
        let day = self.days.get(&day_of(at));
        day.and_then(|day| day.highest.get(&key)).copied().unwrap_or(0)
    }

    fn knows(&self, document: DocumentId) -> bool {
        self.days.values().any(|day| day.documents.contains(&document))
    }
}

impl Mind {
    /// The next code of this office at a moment. It is the next one until [`Mind::code_given`].
    pub(crate) fn next_code(&mut self, at: Moment) -> Result<Code, Failure> {
        let me = self.replica.identity();
        let (node, office) = (me.key.id(), me.office);
        let registry = self.replica.registry();
        let unit = registry.office(office).map(|known| known.unit_code.clone());
        let unit = unit.unwrap_or_default();
        let part = registry.serial_part(node).ok_or_else(no_serials)?;
        if self.codes.serials.wait_for_peer(at) && self.has_witness() {
            return Err(wait_for_peer(&local_day(at)));
        }
        self.read_codes(usize::MAX)?;
        self.read_day(day_of(at))?;
        let place = self.codes.serials.next(at, self.codes.highest(&unit, at, part))?;
        let serial = part.serial(place).unwrap_or_default();
        Code::issue(&unit, at, serial).map_err(|error| {
            Failure::refused(
                error.code(),
                "chưa cấp mã / no code was given",
                error.to_string(),
                error.remedy(),
            )
        })
    }

    /// A code stands in a dossier now.
    pub(crate) fn code_given(&mut self, code: &Code, document: DocumentId) {
        if let Some((_, place)) = SerialPart::locate(code.serial()) {
            self.codes.serials.given(place);
        }
        self.codes.unread.remove(&document);
        self.enter(day_of(document.created_at()), code, document);
    }

    /// Whether the registry has a node that holds whatever this office writes: one of an office
    /// above, or another one of this office.
    fn has_witness(&self) -> bool {
        let me = self.replica.identity();
        let mut nodes = self.replica.registry().nodes().filter(|node| node.revoked.is_none());
        nodes.any(|node| node.id != me.key.id() && self.is_witness(node.office))
    }

    fn is_witness(&self, office: OfficeId) -> bool {
        let own = self.replica.identity().office;
        office == own || self.replica.registry().is_ancestor(office, own)
    }

    /// Tells that this node gives no codes yet, because its folder was restored.
    pub(crate) fn restored_alarm(&self) -> Option<Value> {
        let now = self.now();
        let waits = self.codes.serials.wait_for_peer(now) && self.has_witness();
        waits.then(|| {
            json!({
                "code": "folder-restored",
                "office": self.replica.identity().office.to_string(),
                "at_ms": now.0,
                "remedy": WAIT_REMEDY,
            })
        })
    }

    /// Both ends of a link with an office hold the same. The first time after a start, changes
    /// of this very node that it did not know show that its folder is an old one.
    pub(crate) fn settled_with(&mut self, office: OfficeId) -> Result<(), Failure> {
        if !self.is_witness(office) {
            return Ok(());
        }
        self.codes.serials.peer_heard();
        let Some(known) = self.codes.written.take() else { return Ok(()) };
        let me = self.replica.identity();
        let running = me.incarnation;
        let written = self.replica.last_seqs(me.key.id()).map_err(store_failed)?;
        let mut earlier = written.iter().filter(|(incarnation, _)| **incarnation != running);
        let is_old = earlier.any(|(incarnation, seq)| known.get(incarnation) < Some(seq));
        if is_old {
            tracing::warn!(%office, "folder-is-an-old-one");
            let at = self.now();
            self.codes.serials.jump(at);
        }
        Ok(())
    }

    /// Looks at some of the documents that grew.
    pub(crate) fn read_grown(&mut self) -> Result<(), Failure> {
        self.read_codes(READ_AT_ONCE)
    }

    fn read_codes(&mut self, limit: usize) -> Result<(), Failure> {
        if std::mem::take(&mut self.codes.is_stale) {
            self.codes.days.clear();
        }
        for _ in 0..limit {
            let Some(document) = self.codes.unread.pop_first() else { break };
            if self.codes.knows(document) || !self.is_of_unit(document)? {
                continue;
            }
            let day = day_of(document.created_at());
            self.read_day(day)?;
            self.read_code(day, document)?;
        }
        Ok(())
    }

    /// Reads the dossiers of this unit that were opened on a day, once.
    fn read_day(&mut self, day: u64) -> Result<(), Failure> {
        if self.codes.days.contains_key(&day) {
            return Ok(());
        }
        while self.codes.days.len() >= MAX_DAYS {
            self.codes.days.pop_first();
        }
        self.codes.days.insert(day, Day::default());
        let (from, to) = (first_of(day), first_of(day + 1));
        let mut below = to;
        loop {
            let ids = self.replica.documents(Kind::DOSSIER, Some(below), PAGE);
            let ids = ids.map_err(store_failed)?;
            for id in ids.iter().filter(|id| **id >= from) {
                if self.is_of_unit(*id)? {
                    self.read_code(day, *id)?;
                }
            }
            match ids.last().filter(|last| ids.len() == PAGE && **last >= from) {
                Some(last) => below = *last,
                None => return Ok(()),
            }
        }
    }

    fn read_code(&mut self, day: u64, id: DocumentId) -> Result<(), Failure> {
        let Some(document) = self.open_document(id)? else { return Ok(()) };
        if let Ok(dossier) = Dossier::read(id, &document) {
            self.enter(day, &dossier.code, id);
        }
        Ok(())
    }

    fn enter(&mut self, day: u64, code: &Code, document: DocumentId) {
        let now = self.now();
        // A day that was not read yet finds the dossier when it is.
        let Some(known) = self.codes.days.get_mut(&day) else { return };
        known.documents.insert(document);
        if let Some((part, place)) = SerialPart::locate(code.serial()) {
            let key = (code.unit().to_owned(), code.day().to_owned(), part);
            let highest = known.highest.entry(key).or_default();
            *highest = place.max(*highest);
        }
        let holders = known.codes.entry(code.clone()).or_default();
        if holders.insert(document) && holders.len() > 1 {
            // The code itself leads to a person, so the log names the document.
            tracing::error!(%document, "code-given-twice");
            self.troubles.given_twice(code, holders, now);
        }
    }

    /// Whether a document is a dossier that an office with this one's unit code opened. Told by
    /// the header of its first change, which costs far less than opening it.
    fn is_of_unit(&self, id: DocumentId) -> Result<bool, Failure> {
        let own = self.replica.identity().office;
        let Some((record, entries)) = self.replica.document(id).map_err(store_failed)? else {
            return Ok(false);
        };
        if record.kind != Kind::DOSSIER {
            return Ok(false);
        }
        for entry in entries {
            let bytes = self.replica.shelf().record(entry.place).map_err(store_failed)?;
            let Some(change) = bytes.and_then(|bytes| Change::trusted(bytes).ok()) else {
                continue;
            };
            let header = change.header();
            let opened =
                DocumentId::derive(header.author, header.incarnation, header.seq, header.at);
            if opened == id {
                return Ok(self.replica.registry().share_unit(header.office, own));
            }
        }
        Ok(false)
    }
}

/// The number of the day in Vietnam on which a moment falls, from the epoch on.
fn day_of(at: Moment) -> u64 {
    at.0.saturating_add(VIETNAM_MS) / DAY_MS
}

/// The least id of a document that can have been opened on a day or after it.
fn first_of(day: u64) -> DocumentId {
    let ms = day.saturating_mul(DAY_MS).saturating_sub(VIETNAM_MS);
    let mut bytes = [0; 16];
    bytes[..6].copy_from_slice(&ms.to_be_bytes()[2..]);
    DocumentId::from_bytes(bytes)
}

fn no_serials() -> Failure {
    Failure::refused(
        "no-serials",
        "chưa tiếp nhận hồ sơ / the dossier was not received",
        "nút này chưa được chia số hồ sơ: mọi phần đã thuộc về nút khác của đơn vị / \
         this node has no part of the day's numbers: all belong to other nodes of the office",
        "tiếp nhận tại một nút khác của đơn vị; để trung tâm thu hồi nút không còn dùng / \
         receive it at another node of the office; let the hub revoke a node that is not used",
    )
}

fn wait_for_peer(day: &str) -> Failure {
    Failure::refused(
        "code-wait-for-peer",
        "chưa tiếp nhận hồ sơ / the dossier was not received",
        format!(
            "dữ liệu được khôi phục từ bản sao lưu, số của ngày {day} có thể đã được cấp / \
             the folder was restored from a backup, so numbers of {day} may have been given"
        ),
        WAIT_REMEDY,
    )
}

const WAIT_REMEDY: &str = concat!(
    "nối mạng tới đơn vị cấp trên và chờ đến khi khớp, hoặc tiếp nhận sau nửa đêm / ",
    "connect to the office above and wait until both are settled, or receive it after midnight",
);

const DAY_MS: u64 = 86_400_000;

#[cfg(test)]
#[path = "codes_tests.rs"]
mod tests;
