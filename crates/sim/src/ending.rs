//! The end of a run: all is put right, everything settles, and all are held against each other.

use std::collections::BTreeMap;
use std::time::Duration;

use lienthong_document::Document;
use lienthong_dossier::Dossier;
use lienthong_protocol::{ChangeId, DocumentId, NodeId};
use lienthong_replica::{Entry, Quarantined, Verdict};
use lienthong_store::MemoryEngine;

use crate::hostile;
use crate::network::Seat;
use crate::oracle::Broken;
use crate::plan::Fault;
use crate::process::Member;
use crate::workload::Decree;
use crate::world::{Happening, LOOK_MS, Machine, ROOT, SETTLE_MS, World};

impl World {
    /// Nothing goes wrong any more, and everybody is there.
    pub(crate) fn heal(&mut self) -> Result<(), Broken> {
        self.say(format_args!("all is well from now on"));
        self.healed_at = Some(self.now);
        for seat in 0..self.machines.len() {
            self.resume(seat);
            let machine = &mut self.machines[seat];
            machine.process.ahead_ms = 0;
            machine.process.disk.calm();
            machine.process.spare();
            machine.process.disk.below.set_capacity_bytes(None);
            if machine.is_revoked {
                // Its children would never learn of it while it goes on as their parent.
                machine.is_gone = true;
                self.down(seat);
            } else if machine.is_clone && !machine.is_gone {
                machine.is_gone = true;
                self.oracle.gone(seat);
                self.down(seat);
            } else if machine.is_doubtful && !machine.is_gone {
                // What an operator does who reads the remedy of damage.
                self.down(seat);
                self.machines[seat].process.engine = MemoryEngine::new();
            }
            self.settle_disk(seat);
            self.later(0, Happening::Start(seat));
        }
        let freed = self.network.heal(self.now);
        self.on_the_way(freed);
        self.banish_enemy();
        // A link with a machine that is gone looks settled until it has been silent for too long.
        self.later(2 * LOOK_MS, Happening::Look);
        Ok(())
    }

    /// Faults of the disk that still lie ahead are gone with a last loss of power.
    fn settle_disk(&mut self, seat: Seat) {
        if !std::mem::take(&mut self.machines[seat].has_disk_faults) {
            return;
        }
        self.down(seat);
        let seed = self.fate.draw();
        self.machines[seat].process.disk.below.crash(seed);
    }

    /// Whether it is worth waiting on: not when all has settled.
    pub(crate) fn look(&mut self) -> Result<bool, Broken> {
        self.admit_forgotten()?;
        let healed_at = self.healed_at.unwrap_or(self.now);
        let waited = self.now.since(healed_at);
        match self.unsettled() {
            None => {
                self.counts.settled_after_ms = waited.as_millis() as u64;
                self.say(format_args!("all have settled"));
                self.check_end()?;
                Ok(false)
            }
            Some(words) if waited >= Duration::from_millis(SETTLE_MS) => {
                Err(format!("not settled 10 minutes after healing: {words}"))
            }
            Some(_) => {
                self.later(LOOK_MS, Happening::Look);
                Ok(true)
            }
        }
    }

    /// A root that was put back to an old backup may not know who joined since: they join again.
    fn admit_forgotten(&mut self) -> Result<(), Broken> {
        let Some(replica) = self.machines[ROOT].process.replica() else { return Ok(()) };
        let registry = replica.registry().clone();
        let forgotten = |machine: &&Machine| {
            machine.is_member() && registry.node(machine.process.me.node()).is_none()
        };
        let members: Vec<Member> = self
            .machines
            .iter()
            .filter(forgotten)
            .map(|machine| machine.process.me.clone())
            .collect();
        for member in members {
            let above = registry.root().unwrap_or(member.office);
            self.decree(&Decree::Join { member, above })?;
        }
        Ok(())
    }

    /// The first link that is not settled, in words.
    fn unsettled(&self) -> Option<String> {
        let Some(root) = self.machines[ROOT].process.replica() else {
            return Some("the root does not run".into());
        };
        for (seat, machine) in self.machines.iter().enumerate().filter(|(_, one)| one.is_member()) {
            let Some(replica) = machine.process.replica() else {
                return Some(format!("seat {seat} does not run"));
            };
            let revoked = |node| root.registry().node(node).is_none_or(|one| one.revoked.is_some());
            if revoked(machine.process.me.node()) {
                continue;
            }
            let status = replica.status().ok()?;
            let own = machine.process.me.office;
            let is_above = |office| office == own || replica.registry().is_ancestor(office, own);
            let has_link = status
                .links
                .iter()
                .any(|link| link.settled && !revoked(link.node) && is_above(link.office));
            if seat != ROOT && !has_link {
                return Some(format!("seat {seat} is settled with nobody above it"));
            }
            // A parent whose address a clone has taken is not reached; those above it are.
            let is_moved = |state: &str| self.plan.has(Fault::Clone) && state == "down";
            let links = status.links.iter().filter(|link| !revoked(link.node));
            let mut links = links.filter(|link| !is_moved(link.state));
            let own = |link: &&lienthong_replica::LinkStatus| {
                link.node != hostile::node() && self.is_running(link.node)
            };
            if let Some(link) =
                links.by_ref().filter(own).find(|link| !(link.settled && link.proof.is_some()))
            {
                let (state, count) = (link.state, link.root.count);
                return Some(format!("seat {seat} with {} is {state}, {count}", link.office));
            }
        }
        None
    }

    fn is_running(&self, node: NodeId) -> bool {
        self.machines.iter().any(|one| one.is_member() && one.process.me.node() == node)
    }

    /// Holds all machines against each other and against the model.
    fn check_end(&mut self) -> Result<(), Broken> {
        let members: Vec<Seat> =
            (0..self.machines.len()).filter(|seat| self.machines[*seat].is_member()).collect();
        for seat in &members {
            self.oracle.check_deep(*seat, &self.machines[*seat].process)?;
        }
        let cut_off: Vec<Seat> =
            (0..self.machines.len()).filter(|seat| !members.contains(seat)).collect();
        self.oracle.check_kept(ROOT, &cut_off)?;
        let whole = self.oracle.held(ROOT);
        for seat in &members {
            let held = self.oracle.held(*seat);
            let mut strays = held.difference(&whole).copied();
            let is_stray = |id: &ChangeId| {
                !self.oracle.is_excused(*seat, *id) && !self.is_only_kept(*seat, *id)
            };
            if let Some(id) = strays.find(is_stray) {
                return Err(format!("seat {seat} holds {}, which the root lacks", id.short()));
            }
        }
        self.rehearse(&members)?;
        let documents = self.oracle.documents();
        let sample = self.fate.draw() % 8;
        for (number, id) in documents.into_iter().enumerate() {
            let is_opened = self.plan.real || number as u64 % 8 == sample;
            self.check_document(&members, id, is_opened)?;
        }
        Ok(())
    }

    /// Whether a seat keeps this and counts it in nothing: what let its office in was written by a
    /// node after it was revoked, when the seat did not know of that yet.
    fn is_only_kept(&self, seat: Seat, id: ChangeId) -> bool {
        let process = &self.machines[seat].process;
        let (Some(replica), Some(document)) = (process.replica(), self.oracle.document_of(id))
        else {
            return false;
        };
        let Ok(Some((record, entries))) = replica.document(document) else { return false };
        let closed = replica.registry().closure(record.offices.iter().copied());
        let is_revoked =
            |entry: &Entry| entry.verdict == Verdict::Quarantined(Quarantined::Revoked);
        !record.kind.is_public()
            && !closed.contains(&process.me.office)
            && entries.iter().any(is_revoked)
    }

    /// Opens what the hostile node has written to, everywhere: what no document can take is found
    /// out by opening. The node's view does that for every document that grows.
    fn rehearse(&mut self, members: &[Seat]) -> Result<(), Broken> {
        for id in self.oracle.touched_by_enemy() {
            for seat in members {
                let mut out = Vec::new();
                let opened = self.machines[*seat].process.open(self.now, id, &mut out);
                opened.map_err(|stop| format!("seat {seat} cannot open {id}: {stop:?}"))?;
            }
        }
        Ok(())
    }

    /// Whoever shares a document holds the same changes of it, judges them alike and reads alike.
    fn check_document(
        &mut self,
        members: &[Seat],
        id: DocumentId,
        is_opened: bool,
    ) -> Result<(), Broken> {
        let Some(root) = self.machines[ROOT].process.replica() else { return Ok(()) };
        let Some((record, whole)) = root.document(id).map_err(|error| error.to_string())? else {
            return Ok(());
        };
        let closed = root.registry().closure(record.offices.iter().copied());
        let accepted = whole.iter().any(|entry| entry.verdict == Verdict::Accepted);
        let is_public = record.kind.is_public() && accepted;
        let whole = comparable(&whole);
        let mut text: Option<String> = None;
        for seat in members {
            let process = &mut self.machines[*seat].process;
            if !is_public && !closed.contains(&process.me.office) {
                continue;
            }
            let Some(replica) = process.replica() else { continue };
            let held = replica.document(id).map_err(|error| error.to_string())?;
            let held = held.map(|(_, entries)| comparable(&entries)).unwrap_or_default();
            if held != whole {
                let difference = differing(&whole, &held);
                return Err(format!("seat {seat} and the root differ in {id}: {difference}"));
            }
            if is_opened {
                let mut out = Vec::new();
                let opened = process.open(self.now, id, &mut out).ok().flatten();
                let own = opened.map(|document| told(id, &document)).unwrap_or_default();
                if text.get_or_insert_with(|| own.clone()) != &own {
                    return Err(format!("seat {seat} reads {id} otherwise"));
                }
            }
        }
        Ok(())
    }
}

/// All that a document says, and what the acts of a dossier add up to.
fn told(id: DocumentId, document: &Document) -> String {
    let dossier = Dossier::read(id, document).ok();
    let sum = dossier.map(|dossier| (dossier.heads, dossier.acts, dossier.standing));
    format!("{} {sum:?}", document.canonical())
}

type Verdicts = BTreeMap<ChangeId, &'static str>;

fn comparable(entries: &[Entry]) -> Verdicts {
    entries.iter().map(|entry| (entry.id, entry.verdict.name())).collect()
}

fn differing(whole: &Verdicts, held: &Verdicts) -> String {
    let ids = whole.keys().chain(held.keys());
    let mut differing = ids.filter(|id| whole.get(id) != held.get(id));
    let Some(id) = differing.next() else { return "nothing".into() };
    let word = |verdicts: &Verdicts| verdicts.get(id).copied().unwrap_or("absent");
    format!("{} is {} and {}", id.short(), word(held), word(whole))
}
