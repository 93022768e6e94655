//! What goes wrong in the middle of work.

use std::time::Duration;

use lienthong_protocol::{Change, NodeId, NodeKey, OfficeId};
use lienthong_store::{Disk, Fault as DiskFault, MemoryEngine};

use crate::disk::{BadRead, ReadFaults};
use crate::network::{IDLE_TIMEOUT, Seat};
use crate::oracle::Broken;
use crate::plan::Fault;
use crate::process::{Member, Out, Stop};
use crate::workload::{self, Decree};
use crate::world::{DAY_MS, HOUR_MS, Happening, MINUTE_MS, Machine, ROOT, SECOND_MS, World};

impl World {
    /// Lets a fault strike somewhere.
    pub(crate) fn strike(&mut self, fault: Fault) -> Result<(), Broken> {
        let Some(seat) = self.somewhere() else { return Ok(()) };
        self.say(format_args!("{} strikes at {seat}", fault.name()));
        match fault {
            Fault::Nights | Fault::Loss | Fault::Narrow | Fault::Newer => {}
            Fault::Crash | Fault::Kill => self.doom(seat, fault == Fault::Crash),
            Fault::Pause => self.pause(seat),
            Fault::Restore => self.restore(seat),
            Fault::Clone => self.clone_machine(seat),
            Fault::Full => self.fill(seat),
            Fault::WriteError => {
                let kind = *self.fate.pick(&WRITE_FAULTS).unwrap_or(&DiskFault::Fails);
                let call = self.disk(seat).below.calls() + self.fate.between(1, 30);
                self.disk(seat).below.set_fault(call, kind);
                self.machines[seat].has_disk_faults = true;
            }
            Fault::ReadError | Fault::Misread => self.misread(seat, fault),
            Fault::Rot => self.rot(seat),
            Fault::Clock => self.turn_clock(seat),
            Fault::Cut => self.cut(seat),
            Fault::Flap => self.flap(),
            Fault::Join => self.join()?,
            Fault::Move => self.move_office()?,
            Fault::Revoke => self.revoke(seat)?,
            Fault::Hostile => self.let_enemy_in()?,
        }
        Ok(())
    }

    /// One of the machines that run.
    fn somewhere(&mut self) -> Option<Seat> {
        let up = |seat: &Seat| {
            let machine = &self.machines[*seat];
            machine.process.is_up() && !machine.is_gone && !machine.is_paused
        };
        let up: Vec<Seat> = (0..self.machines.len()).filter(up).collect();
        self.fate.pick(&up).copied()
    }

    fn disk(&self, seat: Seat) -> &ReadFaults {
        &self.machines[seat].process.disk
    }

    fn doom(&mut self, seat: Seat, loses_power: bool) {
        let effects = u32::try_from(self.fate.below(60)).unwrap_or(0);
        let at_the_disk = loses_power && self.fate.chance(500_000);
        let call = self.disk(seat).below.calls() + self.fate.between(1, 20);
        let machine = &mut self.machines[seat];
        machine.loses_power = loses_power;
        if at_the_disk {
            machine.process.disk.below.set_fault(call, DiskFault::PowerCut);
            machine.has_disk_faults = true;
        } else {
            machine.process.die_after(effects);
        }
    }

    fn pause(&mut self, seat: Seat) {
        self.machines[seat].is_paused = true;
        for end in self.network.pause(self.now, seat) {
            self.miss(end);
        }
        let longest =
            *self.fate.pick(&[5 * SECOND_MS, MINUTE_MS, 3 * HOUR_MS]).unwrap_or(&MINUTE_MS);
        let wait_ms = self.fate.between(1, longest);
        if Duration::from_millis(wait_ms) >= IDLE_TIMEOUT {
            // On waking it finds that it has heard nothing for too long.
            for end in self.network.ends_of(seat) {
                self.later(wait_ms, Happening::Closed(end));
            }
        }
        self.later(wait_ms, Happening::Resume(seat));
    }

    /// A machine goes on where it stood still.
    pub(crate) fn resume(&mut self, seat: Seat) {
        if !std::mem::take(&mut self.machines[seat].is_paused) {
            return;
        }
        let freed = self.network.resume(self.now, seat);
        self.on_the_way(freed);
        self.turn_soon(seat);
    }

    fn restore(&mut self, seat: Seat) {
        let Some((disk, kept)) = self.machines[seat].backup.clone() else { return };
        self.down(seat);
        self.oracle.restore(seat, &kept);
        let fresh_index = self.fate.chance(500_000);
        let process = &mut self.machines[seat].process;
        process.disk = ReadFaults::over(disk.fork());
        let seed = self.fate.draw();
        let process = &mut self.machines[seat].process;
        process.disk.below.crash(seed);
        if fresh_index {
            process.engine = MemoryEngine::new();
        }
        self.later(MINUTE_MS, Happening::Start(seat));
    }

    /// Ends a process without a word.
    pub(crate) fn down(&mut self, seat: Seat) {
        self.machines[seat].process.kill();
        self.end_links(seat);
    }

    fn clone_machine(&mut self, seat: Seat) {
        if self.machines[seat].is_clone {
            return;
        }
        let original = &self.machines[seat].process;
        let (disk, mut me) = (original.disk.below.fork(), original.me.clone());
        me.address = workload::address_of(self.machines.len());
        let copy = self.add_machine(me, &[]);
        let seed = self.fate.draw();
        let machine = &mut self.machines[copy];
        machine.is_clone = true;
        machine.process.disk = ReadFaults::over(disk);
        machine.process.disk.below.crash(seed);
        self.oracle.clone_of(copy, seat);
        self.later(SECOND_MS, Happening::Start(copy));
    }

    fn fill(&mut self, seat: Seat) {
        let disk = &self.machines[seat].process.disk.below;
        let names = disk.list().unwrap_or_default();
        let used: usize =
            names.iter().filter_map(|name| disk.contents(name)).map(|c| c.len()).sum();
        let room = self.fate.below(6_000);
        self.disk(seat).below.set_capacity_bytes(Some(used as u64 + room));
        let wait_ms = self.fate.between(MINUTE_MS, 5 * HOUR_MS);
        self.later(wait_ms, Happening::Room(seat));
    }

    fn misread(&mut self, seat: Seat, fault: Fault) {
        let reads = u32::try_from(self.fate.below(40)).unwrap_or(0);
        let bad = match fault {
            Fault::Misread => BadRead::Elsewhere {
                bytes: u16::try_from(self.fate.between(1, 9_000)).unwrap_or(1),
            },
            _ => BadRead::Fails,
        };
        if fault == Fault::Misread {
            self.machines[seat].is_doubtful = true;
            self.oracle.misread(seat);
        }
        self.disk(seat).plan(reads, bad);
    }

    fn rot(&mut self, seat: Seat) {
        let process = &self.machines[seat].process;
        let Some(records) = process.records() else { return };
        let Some((location, change)) = self.fate.pick(&records).cloned() else { return };
        let names = process.disk.list().unwrap_or_default();
        let suffix = format!("{:08}", location.segment);
        let Some(name) = names.into_iter().find(|name| name.contains(&suffix)) else { return };
        let offset = u64::from(location.offset) + self.fate.below(u64::from(location.length));
        let bit = u32::try_from(self.fate.below(8)).unwrap_or(0);
        if self.disk(seat).below.flip(&name, offset, bit) {
            self.machines[seat].is_doubtful = true;
            self.oracle.rotten(seat, change.id());
        }
    }

    fn turn_clock(&mut self, seat: Seat) {
        let longest = *self.fate.pick(&[HOUR_MS, 30 * DAY_MS, 3_000 * DAY_MS]).unwrap_or(&HOUR_MS);
        let ahead_ms = i64::try_from(self.fate.between(1, longest)).unwrap_or(0);
        let ahead_ms = if self.fate.chance(500_000) { ahead_ms } else { -ahead_ms };
        self.say(format_args!("{seat} has its clock {ahead_ms} ms ahead"));
        self.machines[seat].process.ahead_ms = ahead_ms;
        let wait_ms = self.fate.between(1, DAY_MS);
        self.later(wait_ms, Happening::Clock(seat));
        self.turn_soon(seat);
    }

    fn cut(&mut self, seat: Seat) {
        let Some(other) = self.fate.place(self.machines.len()) else { return };
        let longest = *self.fate.pick(&[MINUTE_MS, HOUR_MS, 20 * HOUR_MS]).unwrap_or(&MINUTE_MS);
        let wait_ms = self.fate.between(SECOND_MS, longest);
        let one_way = self.fate.chance(400_000);
        // A machine alone, or one line.
        let others: Vec<Seat> = if self.fate.chance(500_000) {
            (0..self.machines.len()).collect()
        } else {
            vec![other]
        };
        for other in others.into_iter().filter(|other| *other != seat) {
            let both = [(seat, other), (other, seat)];
            for (from, to) in both.into_iter().take(if one_way { 1 } else { 2 }) {
                for end in self.network.cut(self.now, (from, to)) {
                    self.miss(end);
                }
                self.later(wait_ms, Happening::Mend(from, to));
            }
        }
    }

    /// Copies the disks of about half of the machines.
    pub(crate) fn back_up(&mut self) {
        for seat in 0..self.machines.len() {
            if self.machines[seat].is_gone || self.fate.chance(500_000) {
                continue;
            }
            let kept = self.oracle.backup(seat);
            let machine = &mut self.machines[seat];
            machine.backup = Some((machine.process.disk.below.fork(), kept));
        }
    }

    /// Switches a machine off for the night, in good order or by the plug.
    pub(crate) fn evening(&mut self, seat: Seat) {
        if !self.machines[seat].process.is_up() || self.healed_at.is_some() {
            return;
        }
        self.say(format_args!("{seat} is switched off"));
        let by_the_plug = self.fate.chance(500_000);
        let process = &mut self.machines[seat].process;
        if by_the_plug || process.close().is_err() {
            process.kill();
            process.disk.below.crash(self.fate.draw());
            return self.end_links(seat);
        }
        // Whoever leaves in good order says so on every link.
        for end in self.network.ends_of(seat) {
            if let Some(from) = self.network.receiver(end)
                && let Some((at, end)) = self.network.close(self.now, from)
            {
                self.at(at, Happening::Closed(end));
            }
        }
        self.end_links(seat);
    }

    // ------------------------------------------------------------- the tree

    /// What a node that joins now is given.
    pub(crate) fn registry_records(&self) -> Vec<Change> {
        let process = &self.machines[ROOT].process;
        let Some(replica) = process.replica() else { return Vec::new() };
        let records = process.records().unwrap_or_default();
        let registry = replica.registry_document();
        let of_registry = |change: &Change| Some(change.header().document) == registry;
        records.into_iter().map(|(_, change)| change).filter(of_registry).collect()
    }

    fn join(&mut self) -> Result<(), Broken> {
        let seat = self.machines.len();
        let Some(replica) = self.machines[ROOT].process.replica() else { return Ok(()) };
        let offices: Vec<OfficeId> = replica.registry().offices().map(|one| one.id).collect();
        let Some(above) = self.fate.pick(&offices).copied() else { return Ok(()) };
        // A second node for an office, or the first of a new one.
        let second = self.fate.chance(400_000);
        let office = if second { above } else { workload::office_id(1_000 + seat) };
        let federation = self.machines[ROOT].process.me.federation;
        // A hub that fell before it could answer has noted a key that nobody came with.
        let is_fresh = |number: &usize| {
            let node = NodeKey::from_seed(workload::key_of(*number)).id();
            let is_seated = |machine: &Machine| machine.process.me.node() == node;
            replica.registry().node(node).is_none() && !self.machines.iter().any(is_seated)
        };
        let number = (seat..).find(is_fresh).unwrap_or(seat);
        let (key, address) = (workload::key_of(number), workload::address_of(seat));
        let member = Member::new(federation, office, key, address);
        if self.decree(&Decree::Join { member: member.clone(), above })? {
            let records = self.registry_records();
            if records.is_empty() {
                // The hub is gone before it could answer: nobody has joined with this key.
                return Ok(());
            }
            let seat = self.add_machine(member, &records);
            self.later(SECOND_MS, Happening::Start(seat));
            if self.plan.has(Fault::Nights) && self.healed_at.is_none() {
                self.arrange_nights(seat);
            }
        }
        Ok(())
    }

    fn move_office(&mut self) -> Result<(), Broken> {
        let Some(replica) = self.machines[ROOT].process.replica() else { return Ok(()) };
        let registry = replica.registry().clone();
        let below: Vec<OfficeId> = registry
            .offices()
            .map(|one| one.id)
            .filter(|id| Some(*id) != registry.root())
            .collect();
        let Some(office) = self.fate.pick(&below).copied() else { return Ok(()) };
        let Some(above) = workload::new_parent(&mut self.fate, &registry, office) else {
            return Ok(());
        };
        self.say(format_args!("{office} moves under {above}"));
        self.decree(&Decree::Move { office, above }).map(|_| ())
    }

    fn revoke(&mut self, seat: Seat) -> Result<(), Broken> {
        let machine = &self.machines[seat];
        let node = machine.process.me.node();
        if node == self.machines[ROOT].process.me.node() {
            return Ok(());
        }
        self.decree(&Decree::Revoke { node }).map(|_| ())
    }

    /// The world learns what a registry says: a decree may be durable though the process that wrote
    /// it has fallen before it could say so.
    pub(crate) fn learn(&mut self, seat: Seat) {
        let Some(replica) = self.machines[seat].process.replica() else { return };
        let registry = replica.registry();
        self.oracle.plant(registry);
        let revoked = registry.nodes().filter(|node| node.revoked.is_some());
        let revoked: Vec<NodeId> = revoked.map(|node| node.id).collect();
        for seat in 0..self.machines.len() {
            let machine = &mut self.machines[seat];
            if !machine.is_revoked && revoked.contains(&machine.process.me.node()) {
                machine.is_revoked = true;
                self.oracle.revoked();
                self.say(format_args!("{seat} is revoked"));
            }
        }
    }

    /// Has the root write something into the registry; whether it was saved.
    pub(crate) fn decree(&mut self, decree: &Decree) -> Result<bool, Broken> {
        let mut out = Vec::new();
        let done = workload::decree(&mut self.machines[ROOT].process, self.now, decree, &mut out);
        let saved = matches!(done, Ok(true));
        self.after_writing(ROOT, out, done.map(|_| ()))?;
        Ok(saved)
    }

    /// Follows up on what was written at a seat.
    pub(crate) fn after_writing(
        &mut self,
        seat: Seat,
        out: Vec<Out>,
        ended: Result<(), Stop>,
    ) -> Result<(), Broken> {
        let seq = self.machines[seat].process.last_seq();
        self.after(seat, out, ended)?;
        let incarnation = self.machines[seat].incarnation();
        self.oracle.numbered(seat, incarnation, seq);
        Ok(())
    }
}

/// What a write may meet; losing power is a fault of its own.
const WRITE_FAULTS: [DiskFault; 2] = [DiskFault::Fails, DiskFault::HalfWritten];
