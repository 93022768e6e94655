//! What happens on links: dialling, arriving, closing, as the transport of the node does it.

use lienthong_protocol::{Change, Frame, NodeId, VersionRange};
use lienthong_replica::{Event, Inspected, inspect};

use crate::hostile;
use crate::network::{DIAL_TIMEOUT, End, Quality, Seat};
use crate::oracle::Broken;
use crate::plan::{Dice, Fault, Plan};
use crate::world::{Happening, World};

impl World {
    /// Puts frames that the network has taken into the queue.
    pub(crate) fn on_the_way(
        &mut self,
        frames: impl IntoIterator<Item = (lienthong_protocol::Moment, End, Frame)>,
    ) {
        for (at, end, frame) in frames {
            self.at(at, Happening::Arrive(end, frame));
        }
    }

    /// The frame as this machine's version writes it.
    pub(crate) fn dressed(&self, seat: Seat, frame: Frame) -> Frame {
        match frame {
            Frame::Hello(mut hello) if self.machines[seat].is_newer => {
                let VersionRange { oldest, newest } = hello.versions;
                hello.versions = VersionRange { oldest, newest: newest + 1 };
                Frame::Hello(hello)
            }
            frame => frame,
        }
    }

    /// Tries to reach a node at the first of its addresses.
    pub(crate) fn dial(&mut self, from: Seat, node: NodeId, addresses: &[String]) {
        let start = self.machines[from].starts();
        let at = |address: &String| {
            self.machines.iter().position(|machine| machine.process.me.address == *address)
        };
        let to = addresses.first().and_then(at);
        let there = to.and_then(|to| self.network.travel((from, to)));
        let back = to.and_then(|to| self.network.travel((to, from)));
        let is_there = to.is_some_and(|to| {
            let machine = &self.machines[to];
            machine.process.is_up() && !machine.is_gone && machine.process.me.node() == node
        });
        let (wait, to) = match (there, back) {
            (Some(there), Some(back)) if is_there => (there + back, to),
            _ => (DIAL_TIMEOUT, None),
        };
        let at = self.now.after(wait);
        self.at(at, Happening::Dialed { from, start, node, to });
    }

    /// An attempt to reach a node has come to its end.
    pub(crate) fn dialed(&mut self, (from, start): (Seat, u32), node: NodeId, to: Option<Seat>) {
        let machine = &self.machines[from];
        if !machine.process.is_up() || machine.starts() != start {
            return;
        }
        let own = machine.process.me.node();
        let admits = |to: &Seat| {
            let replica = self.machines[*to].process.replica();
            replica.is_some_and(|replica| replica.admits(own))
        };
        let Some(to) = to.filter(|to| !self.machines[*to].is_paused).filter(admits) else {
            self.tell(from, Event::DialFailed { node });
            return;
        };
        let ends = self.network.connect(self.now, [from, to]);
        let [(dialing, near), (dialed, far)] = ends;
        self.say(format_args!("{from} reaches {to}: {near} {far}"));
        self.tell(to, Event::Reached { link: far, node: own, dialed: false });
        if self.plan.has(Fault::Flap) && self.healed_at.is_none() && self.fate.chance(50_000) {
            // The last packet of the handshake was lost: one end knows of a connection.
            self.network.shut(self.now, dialing);
            self.miss(dialed);
            self.tell(from, Event::DialFailed { node });
            return;
        }
        self.tell(from, Event::Reached { link: near, node, dialed: true });
    }

    /// A frame has come to an end.
    pub(crate) fn arrive(&mut self, end: End, frame: Frame) -> Result<(), Broken> {
        let Some((seat, link)) = self.network.receiver(end) else { return Ok(()) };
        if seat == hostile::SEAT {
            return self.arrive_at_enemy(link, frame);
        }
        if !matches!(frame, Frame::Ping(_) | Frame::Pong(_)) {
            self.say(format_args!("{seat} gets {} on {link}", frame.name()));
        }
        let event = match frame {
            Frame::Batch(batch) => {
                let sent = batch.records.len();
                let records = batch.records.into_iter();
                let changes: Vec<Inspected> =
                    records.filter_map(|bytes| self.inspected(bytes)).collect();
                let refused = u32::try_from(sent - changes.len()).unwrap_or(u32::MAX);
                Event::Changes { link, number: batch.number, changes, refused }
            }
            frame => Event::Frame { link, frame },
        };
        self.tell(seat, event);
        Ok(())
    }

    /// Checks a record as the transport and the node do. What was checked once is not checked
    /// again: it depends on the bytes alone.
    fn inspected(&mut self, bytes: bytes::Bytes) -> Option<Inspected> {
        let change = Change::trusted(bytes.clone()).ok()?;
        if let Some((known, inspected)) = self.checked.get(&change.id())
            && *known == bytes
        {
            return inspected.clone();
        }
        let inspected = Change::open(bytes.clone()).ok().and_then(|change| inspect(change).ok());
        self.checked.insert(change.id(), (bytes, inspected.clone()));
        inspected
    }

    /// A connection is over for an end.
    pub(crate) fn closed(&mut self, end: End) {
        let Some((seat, link)) = self.network.receiver(end) else { return };
        self.network.shut(self.now, end);
        let other = End { connection: end.connection, side: 1 - end.side };
        if self.network.receiver(other).is_some() {
            self.miss(other);
        }
        self.say(format_args!("{seat} loses {link}"));
        if seat == hostile::SEAT {
            self.enemy_loses(link);
        } else {
            self.tell(seat, Event::Down { link });
        }
    }

    /// Puts something before a process.
    fn tell(&mut self, seat: Seat, event: Event) {
        self.machines[seat].process.tell(event);
        self.turn_soon(seat);
    }

    /// Breaks a link: what it had to carry is gone, and each end learns it in its own time.
    pub(crate) fn flap(&mut self) {
        let Some(end) = self.network.some_end() else { return };
        let other = End { connection: end.connection, side: 1 - end.side };
        for end in [end, other] {
            let wait_ms = self.fate.below(40_000);
            self.later(wait_ms, Happening::Closed(end));
        }
    }
}

/// What the lines of a run are like.
pub(crate) fn qualities(plan: &Plan, fate: &mut Dice) -> Vec<Quality> {
    let mut qualities = vec![Quality::GOOD];
    for _ in 0..4 {
        let (latency_ms, jitter_ms) = (fate.between(5, 400), fate.between(0, 300));
        let loss = if plan.has(Fault::Loss) { 10_000 * fate.between(1, 20) as u32 } else { 0 };
        let narrow = plan.has(Fault::Narrow) && fate.chance(600_000);
        let bytes_per_second = narrow.then(|| fate.between(800, 40_000));
        qualities.push(Quality { latency_ms, jitter_ms, loss, bytes_per_second });
    }
    qualities
}
