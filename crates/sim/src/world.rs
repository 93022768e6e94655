//! The world: machines, the network between them, and one queue of what happens next.

use std::collections::BTreeMap;
use std::time::Duration;

use lienthong_protocol::{Change, ChangeId, Frame, Incarnation, Moment, NodeId};
use lienthong_replica::{Inspected, Notice};
use lienthong_store::{Disk, SimDisk};

use crate::disk::ReadFaults;
use crate::hostile::Enemy;
use crate::links;
use crate::network::{End, IDLE_TIMEOUT, Network, Seat};
use crate::oracle::{Backup, Broken, Oracle};
use crate::plan::{Dice, Fault, Plan};
use crate::process::{Member, Out, Process, Stop};
use crate::run::{Counts, Journal, Outcome};
use crate::workload::{self, Decree};

/// Monday, 2026-01-05, 00:00 in Asia/Ho_Chi_Minh.
pub(crate) const MONDAY: Moment = Moment(1_767_546_000_000);
pub(crate) const SECOND_MS: u64 = 1_000;
pub(crate) const MINUTE_MS: u64 = 60 * SECOND_MS;
pub(crate) const HOUR_MS: u64 = 60 * MINUTE_MS;
pub(crate) const DAY_MS: u64 = 24 * HOUR_MS;
/// How long everything may take to settle once nothing goes wrong any more.
pub(crate) const SETTLE_MS: u64 = 10 * MINUTE_MS;
/// How often it is looked whether everything has settled.
pub(crate) const LOOK_MS: u64 = 20 * SECOND_MS;
/// How often a machine may fail to start in a row before that is the machine's fault.
const MOST_FAILED_STARTS: u32 = 40;
/// The root office's first machine.
pub(crate) const ROOT: Seat = 0;

/// Something that is due at a moment.
pub(crate) enum Happening {
    /// A process takes what lies before it and does what is due.
    Turn(Seat),
    /// A frame is there.
    Arrive(End, Frame),
    /// A connection is closed by the other end, or the other machine says that it knows of none.
    Closed(End),
    /// An end may have heard nothing for too long.
    Idle(End),
    /// An attempt to reach a node is decided.
    Dialed { from: Seat, start: u32, node: NodeId, to: Option<Seat> },
    /// Somebody does something.
    Act,
    /// A fault strikes.
    Strike(Fault),
    /// A machine is switched on, or a process started again.
    Start(Seat),
    /// A machine is switched off for the night.
    Evening(Seat),
    /// A machine that stood still goes on.
    Resume(Seat),
    /// A line carries again.
    Mend(Seat, Seat),
    /// A full disk is given room.
    Room(Seat),
    /// A clock is set right.
    Clock(Seat),
    /// Every machine's disk is copied.
    Backup,
    /// The hostile node does something.
    Misdeed,
    /// Nothing goes wrong any more.
    Heal,
    /// It is looked whether everything has settled.
    Look,
}

/// A machine and what is known about it.
pub(crate) struct Machine {
    pub(crate) process: Process,
    pub(crate) is_clone: bool,
    /// Whether it and its disk are no more.
    pub(crate) is_gone: bool,
    pub(crate) is_revoked: bool,
    pub(crate) is_paused: bool,
    pub(crate) is_newer: bool,
    /// Whether its index was made from a disk that did not read well.
    pub(crate) is_doubtful: bool,
    /// Whether faults of its disk may still lie ahead.
    pub(crate) has_disk_faults: bool,
    /// Whether the power goes when the process is struck.
    pub(crate) loses_power: bool,
    pub(crate) backup: Option<(SimDisk, Backup)>,
    starts: u32,
    failed_starts: u32,
    incarnation: Incarnation,
    turn_at: Option<Moment>,
}

/// Everything.
pub(crate) struct World {
    pub(crate) plan: Plan,
    pub(crate) now: Moment,
    pub(crate) machines: Vec<Machine>,
    pub(crate) enemy: Option<Enemy>,
    pub(crate) network: Network,
    pub(crate) oracle: Oracle,
    pub(crate) journal: Journal,
    pub(crate) counts: Counts,
    /// Decides what goes wrong.
    pub(crate) fate: Dice,
    /// Decides what people do.
    pub(crate) people: Dice,
    queue: BTreeMap<(Moment, u64), Happening>,
    sequence: u64,
    pub(crate) healed_at: Option<Moment>,
    pub(crate) acts: u64,
    /// Changes whose signature was checked: the check says the same each time.
    pub(crate) checked: BTreeMap<ChangeId, (bytes::Bytes, Option<Inspected>)>,
}

impl World {
    pub(crate) fn new(plan: Plan, keep_journal: bool) -> World {
        let mut dice = Dice::new(plan.seed);
        let (mut fate, people) = (dice.fork(), dice.fork());
        let network = Network::new(dice.fork(), links::qualities(&plan, &mut fate));
        let genesis = workload::genesis(&mut fate, usize::from(plan.offices), MONDAY);
        let mut world = World {
            now: MONDAY,
            machines: Vec::new(),
            enemy: None,
            network,
            oracle: Oracle::default(),
            journal: Journal::new(keep_journal),
            counts: Counts::default(),
            fate,
            people,
            queue: BTreeMap::new(),
            sequence: 0,
            healed_at: None,
            acts: 0,
            checked: BTreeMap::new(),
            plan,
        };
        world.journal.line(format_args!("{}", world.plan));
        for number in 0..usize::from(world.plan.offices) {
            let (office, key) = (workload::office_id(number), workload::key_of(number));
            let address = workload::address_of(number);
            let member = Member::new(genesis.id().into(), office, key, address);
            let seat = world.add_machine(member, std::slice::from_ref(&genesis));
            world.later(0, Happening::Start(seat));
        }
        world.arrange();
        world
    }

    /// Plays until everything has settled or a promise is broken.
    pub(crate) fn play(mut self) -> Outcome {
        let mut broken = None;
        while let Some(((at, _), happening)) = self.queue.pop_first() {
            self.now = at;
            self.counts.steps += 1;
            match self.happen(happening) {
                Ok(true) => {}
                Ok(false) => break,
                Err(words) => {
                    let after = at.since(MONDAY).as_millis();
                    broken = Some(format!("{words} (after {after} ms)"));
                    break;
                }
            }
        }
        if let Some(words) = &broken {
            self.journal.line(format_args!("BROKEN {words}"));
        }
        let (digest, journal) = self.journal.end();
        Outcome { plan: self.plan, broken, digest, journal, counts: self.counts }
    }

    /// Puts something into the queue.
    pub(crate) fn later(&mut self, wait_ms: u64, happening: Happening) {
        self.at(self.now.after(Duration::from_millis(wait_ms)), happening);
    }

    pub(crate) fn at(&mut self, at: Moment, happening: Happening) {
        self.sequence += 1;
        self.queue.insert((at.max(self.now), self.sequence), happening);
    }

    pub(crate) fn say(&mut self, words: std::fmt::Arguments<'_>) {
        let at = self.now.since(MONDAY).as_millis();
        self.journal.line(format_args!("{at} {words}"));
    }

    /// A new machine; what it is given when it joins is on its disk.
    pub(crate) fn add_machine(&mut self, member: Member, records: &[Change]) -> Seat {
        let seat = self.machines.len();
        let mut process = Process::new(member, ReadFaults::default(), records);
        process.ping_every = Duration::from_secs(60 * u64::from(self.plan.ping_minutes));
        self.oracle.begin(seat, records);
        let is_newer = self.plan.has(Fault::Newer) && self.fate.chance(400_000);
        self.machines.push(Machine { is_newer, ..Machine::new(process) });
        seat
    }

    /// Lets one thing happen; `false` when it was the last.
    fn happen(&mut self, happening: Happening) -> Result<bool, Broken> {
        match happening {
            Happening::Turn(seat) => self.turn(seat)?,
            Happening::Arrive(end, frame) => self.arrive(end, frame)?,
            Happening::Closed(end) => self.closed(end),
            Happening::Idle(end) => {
                if self.network.is_idle(self.now, end) {
                    self.closed(end);
                }
            }
            Happening::Dialed { from, start, node, to } => self.dialed((from, start), node, to),
            Happening::Act => self.act()?,
            Happening::Strike(fault) if self.healed_at.is_none() => {
                self.counts.faults += 1;
                self.strike(fault)?;
            }
            Happening::Strike(_) => {}
            Happening::Start(seat) => self.start(seat)?,
            Happening::Evening(seat) => self.evening(seat),
            Happening::Resume(seat) => self.resume(seat),
            Happening::Mend(from, to) => {
                let freed = self.network.mend(self.now, (from, to));
                self.on_the_way(freed);
            }
            Happening::Room(seat) => {
                self.machines[seat].process.disk.below.set_capacity_bytes(None);
            }
            Happening::Clock(seat) => {
                self.machines[seat].process.ahead_ms = 0;
                self.turn_soon(seat);
            }
            Happening::Backup => self.back_up(),
            Happening::Misdeed => self.misdeed()?,
            Happening::Heal => self.heal()?,
            Happening::Look => return self.look(),
        }
        Ok(true)
    }

    // ------------------------------------------------------------- processes

    fn turn(&mut self, seat: Seat) -> Result<(), Broken> {
        let machine = &mut self.machines[seat];
        if machine.turn_at != Some(self.now) || machine.is_paused {
            return Ok(());
        }
        machine.turn_at = None;
        let mut out = Vec::new();
        let ended = machine.process.turn(self.now, &mut out);
        self.after(seat, out, ended)
    }

    /// Performs what a process has done, and lets it fall if it has ended.
    pub(crate) fn after(
        &mut self,
        seat: Seat,
        out: Vec<Out>,
        ended: Result<(), Stop>,
    ) -> Result<(), Broken> {
        let stored = out.iter().any(|one| matches!(one, Out::Durable(_)));
        let mut moved = Vec::new();
        for one in out {
            self.perform(seat, one, &mut moved)?;
        }
        match ended {
            Err(stop) => self.fall(seat, &stop),
            Ok(()) if stored => self.oracle.check_counts(seat, &self.machines[seat].process)?,
            Ok(()) => {}
        }
        for decree in moved {
            self.decree(&decree)?;
        }
        self.turn_when_due(seat);
        Ok(())
    }

    fn perform(&mut self, seat: Seat, out: Out, moved: &mut Vec<Decree>) -> Result<(), Broken> {
        match out {
            Out::Send { link, frame } => {
                let frame = self.dressed(seat, frame);
                let sent = self.network.send(self.now, (seat, link), frame);
                self.on_the_way(sent);
            }
            Out::Dial { node, addresses } => self.dial(seat, node, &addresses),
            Out::HangUp { link, code } => {
                self.say(format_args!("{seat} hangs up {link}: {code}"));
                if let Some((at, end)) = self.network.close(self.now, (seat, link)) {
                    self.at(at, Happening::Closed(end));
                }
            }
            Out::Notice(notice) => self.notice(seat, notice, moved),
            Out::Wrote(change) => self.oracle.wrote(seat, &change)?,
            Out::Durable(ids) => {
                let words: String = ids.iter().map(|id| format!(" {}", id.short())).collect();
                self.say(format_args!("{seat} stores{words}"));
                self.counts.durable += ids.len() as u64;
                self.oracle.durable(seat, &ids)?;
            }
            Out::Doubtful(ids) => self.oracle.doubtful(seat, &ids),
            Out::Lost(ids) => {
                let words: String = ids.iter().map(|id| format!(" {}", id.short())).collect();
                self.say(format_args!("{seat} gives up{words}"));
                self.oracle.lost(seat, &ids)?;
            }
        }
        Ok(())
    }

    fn notice(&mut self, seat: Seat, notice: Notice, moved: &mut Vec<Decree>) {
        match notice {
            Notice::Connected { node, addresses, .. } => {
                self.say(format_args!("{seat} connected {}", node.short()));
                let Some(replica) = self.machines[seat].process.replica() else { return };
                let known = replica.registry().node(node).map(|known| known.addresses.clone());
                if seat == ROOT && known.is_some_and(|known| known != addresses) {
                    moved.push(Decree::Address { node, addresses });
                }
            }
            Notice::Disconnected { node, .. } => {
                self.say(format_args!("{seat} disconnected {}", node.short()));
            }
            Notice::Settled { office, changes } => {
                self.say(format_args!("{seat} settled {office} {changes}"));
            }
            Notice::Registry => self.learn(seat),
            Notice::Refused { office, changes, cause } => {
                self.say(format_args!("{seat} refuses {changes} of {office}: {cause:?}"));
            }
            Notice::Alarm(alarm) => self.say(format_args!("{seat} alarm {alarm:?}")),
            Notice::Grew { .. } | Notice::Reports { .. } => {}
        }
    }

    /// The process at a seat has ended without good order; it is started again later.
    pub(crate) fn fall(&mut self, seat: Seat, stop: &Stop) {
        self.say(format_args!("{seat} falls: {stop:?}"));
        self.counts.crashes += 1;
        let loses_power = self.machines[seat].loses_power || self.fate.chance(200_000);
        let machine = &mut self.machines[seat];
        machine.process.kill();
        let disk = &machine.process.disk.below;
        if loses_power || disk.list().is_err() {
            disk.crash(self.fate.draw());
        }
        self.end_links(seat);
        let wait_ms = self.fate.between(SECOND_MS, 3 * MINUTE_MS);
        self.later(wait_ms, Happening::Start(seat));
    }

    /// The links of a process that is gone: the other ends miss it, or are told by a packet.
    pub(crate) fn end_links(&mut self, seat: Seat) {
        self.machines[seat].turn_at = None;
        for end in self.network.vanish(self.now, seat) {
            if self.fate.chance(500_000) {
                let wait_ms = self.fate.between(10, 10 * SECOND_MS);
                self.later(wait_ms, Happening::Closed(end));
            } else {
                self.miss(end);
            }
        }
    }

    /// An end hears nothing from now on.
    pub(crate) fn miss(&mut self, end: End) {
        self.at(self.now.after(IDLE_TIMEOUT), Happening::Idle(end));
    }

    fn start(&mut self, seat: Seat) -> Result<(), Broken> {
        let seeds = (Incarnation(self.fate.draw()), self.fate.draw());
        let machine = &mut self.machines[seat];
        if machine.process.is_up() || machine.is_gone || machine.is_paused {
            return Ok(());
        }
        machine.loses_power = false;
        machine.incarnation = seeds.0;
        let started = machine.process.start(self.now, seeds);
        self.counts.starts += 1;
        match started {
            Ok(started) => {
                machine.starts += 1;
                machine.failed_starts = 0;
                let words = started.rebuilt.unwrap_or_default();
                self.say(format_args!("{seat} starts, {} damages {words}", started.damages));
                self.learn(seat);
                self.oracle.check_start(seat, &self.machines[seat].process)?;
                // As the node does, before it serves anybody.
                let mut out = Vec::new();
                let ended = self.machines[seat].process.take_spare(self.now, &mut out);
                self.after(seat, out, ended)?;
                self.turn_soon(seat);
                self.oracle.check_deep(seat, &self.machines[seat].process)
            }
            Err(stop) => {
                machine.failed_starts += 1;
                if machine.failed_starts > MOST_FAILED_STARTS {
                    return Err(format!("seat {seat} cannot start: {stop:?}"));
                }
                self.fall(seat, &stop);
                Ok(())
            }
        }
    }

    pub(crate) fn turn_soon(&mut self, seat: Seat) {
        let wait_ms = self.fate.between(1, 4);
        self.turn_at(seat, self.now.after(Duration::from_millis(wait_ms)));
    }

    fn turn_when_due(&mut self, seat: Seat) {
        if let Some(at) = self.machines[seat].process.next_turn(self.now) {
            self.turn_at(seat, at.max(self.now.after(Duration::from_millis(1))));
        }
    }

    fn turn_at(&mut self, seat: Seat, at: Moment) {
        let machine = &mut self.machines[seat];
        if machine.turn_at.is_none_or(|known| at < known || known < self.now) {
            machine.turn_at = Some(at);
            self.at(at, Happening::Turn(seat));
        }
    }
}

impl Machine {
    fn new(process: Process) -> Machine {
        Machine {
            process,
            is_clone: false,
            is_gone: false,
            is_revoked: false,
            is_paused: false,
            is_newer: false,
            is_doubtful: false,
            has_disk_faults: false,
            loses_power: false,
            backup: None,
            starts: 0,
            failed_starts: 0,
            incarnation: Incarnation(0),
            turn_at: None,
        }
    }

    /// Which start of the process this is.
    pub(crate) fn starts(&self) -> u32 {
        self.starts
    }

    /// What its process drew at its start.
    pub(crate) fn incarnation(&self) -> Incarnation {
        self.incarnation
    }

    /// Whether people rely on it.
    pub(crate) fn is_member(&self) -> bool {
        !self.is_clone && !self.is_gone && !self.is_revoked
    }
}

#[cfg(test)]
#[path = "world_tests.rs"]
mod tests;
