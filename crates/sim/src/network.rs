//! Lines between machines and connections over them, as QUIC makes them look from above.
//!
//! QUIC gives whole frames, once, in the order of their lane, as long as the connection lasts; a
//! packet that is lost makes its lane late. So frames are not dropped or doubled here one by one:
//! they are late, stand still while a line is cut, and vanish with their connection. What can come
//! twice or out of order is connections: one end learns late that it ended, while the other has
//! opened the next one.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use lienthong_protocol::{Frame, Moment};
use lienthong_replica::LinkId;

use crate::plan::Dice;

/// After how long without a packet an end gives a connection up: the node's default.
pub(crate) const IDLE_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a dial takes that nobody answers: the node's default.
pub(crate) const DIAL_TIMEOUT: Duration = Duration::from_secs(5);

/// One machine's place on the network.
pub(crate) type Seat = usize;

/// One end of a connection: which connection, and whether the end that dialled (0) or not (1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct End {
    pub(crate) connection: u64,
    pub(crate) side: usize,
}

impl End {
    fn other(self) -> End {
        End { connection: self.connection, side: 1 - self.side }
    }
}

/// How good a line is, in one direction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quality {
    /// How long a packet takes at least.
    pub(crate) latency_ms: u64,
    /// How much longer it may take.
    pub(crate) jitter_ms: u64,
    /// How often a frame is late by a retransmission, in a million.
    pub(crate) loss: u32,
    /// How many bytes pass in a second; none: any number.
    pub(crate) bytes_per_second: Option<u64>,
}

impl Quality {
    /// A line on which nothing goes wrong.
    pub(crate) const GOOD: Quality =
        Quality { latency_ms: 15, jitter_ms: 5, loss: 0, bytes_per_second: None };
}

#[derive(Clone, Copy, Debug)]
struct Line {
    quality: Quality,
    free_at: Moment,
    cut_since: Option<Moment>,
}

#[derive(Debug)]
struct Connection {
    seats: [Seat; 2],
    links: [LinkId; 2],
    /// Whether the process at this end still has it.
    open: [bool; 2],
    /// Since when an end says nothing any more, because it is gone.
    gone_since: [Option<Moment>; 2],
    /// When the last frame arrives, by receiving side and lane.
    last: [[Moment; 2]; 2],
    /// What waits for a cut line, by receiving side.
    held: [VecDeque<Frame>; 2],
}

/// All lines and connections.
pub(crate) struct Network {
    dice: Dice,
    quality: Vec<Quality>,
    lines: BTreeMap<(Seat, Seat), Line>,
    paused: BTreeMap<Seat, Moment>,
    connections: BTreeMap<u64, Connection>,
    ends: BTreeMap<(Seat, LinkId), End>,
    last: u64,
}

impl Network {
    /// A network whose lines are each as good as one of `quality`.
    pub(crate) fn new(dice: Dice, quality: Vec<Quality>) -> Network {
        Network {
            dice,
            quality,
            lines: BTreeMap::new(),
            paused: BTreeMap::new(),
            connections: BTreeMap::new(),
            ends: BTreeMap::new(),
            last: 0,
        }
    }

    /// Makes every line good, and all that are still to come; says what had been held back.
    pub(crate) fn heal(&mut self, now: Moment) -> Vec<(Moment, End, Frame)> {
        self.quality = vec![Quality::GOOD];
        let lines: Vec<(Seat, Seat)> = self.lines.keys().copied().collect();
        let mut freed = Vec::new();
        for (from, to) in lines {
            self.line(from, to).quality = Quality::GOOD;
            freed.extend(self.mend(now, (from, to)));
        }
        freed
    }

    /// How long a packet takes from one seat to another; `None` when nothing passes.
    pub(crate) fn travel(&mut self, (from, to): (Seat, Seat)) -> Option<Duration> {
        if self.paused.contains_key(&from) || self.paused.contains_key(&to) {
            return None;
        }
        let line = *self.line(from, to);
        let jitter = self.dice.below(line.quality.jitter_ms + 1);
        let passes = line.cut_since.is_none();
        passes.then(|| Duration::from_millis(line.quality.latency_ms + jitter))
    }

    /// Makes a connection; gives its two ends, the dialling one first, with their links.
    pub(crate) fn connect(&mut self, now: Moment, seats: [Seat; 2]) -> [(End, LinkId); 2] {
        self.last += 1;
        let connection = self.last;
        let links = [LinkId(2 * connection), LinkId(2 * connection + 1)];
        let made = Connection {
            seats,
            links,
            open: [true; 2],
            gone_since: [None; 2],
            last: [[now; 2]; 2],
            held: [VecDeque::new(), VecDeque::new()],
        };
        self.connections.insert(connection, made);
        let ends = [0, 1].map(|side| End { connection, side });
        for end in ends {
            self.ends.insert((seats[end.side], links[end.side]), end);
        }
        [(ends[0], links[0]), (ends[1], links[1])]
    }

    /// Sends a frame; says when and at which end it arrives, unless it is held back or lost.
    pub(crate) fn send(
        &mut self,
        now: Moment,
        from: (Seat, LinkId),
        frame: Frame,
    ) -> Option<(Moment, End, Frame)> {
        let to = self.ends.get(&from)?.other();
        self.forward(now, to, frame)
    }

    fn forward(&mut self, now: Moment, to: End, frame: Frame) -> Option<(Moment, End, Frame)> {
        let seats = self.connections.get(&to.connection)?.seats;
        let travel = self.travel((seats[1 - to.side], seats[to.side]));
        let late = self.lateness((seats[1 - to.side], seats[to.side]));
        let connection = self.connections.get_mut(&to.connection)?;
        if !connection.open[to.side] {
            return None;
        }
        let Some(travel) = travel.filter(|_| connection.held[to.side].is_empty()) else {
            connection.held[to.side].push_back(frame);
            return None;
        };
        let lane = usize::from(matches!(frame, Frame::Batch(_)));
        let line = self.lines.get_mut(&(seats[1 - to.side], seats[to.side]))?;
        let mut leaves = now;
        if let Some(rate) = line.quality.bytes_per_second {
            leaves = now.max(line.free_at);
            let ms = size_of(&frame).saturating_mul(1000) / rate.max(1);
            line.free_at = leaves.after(Duration::from_millis(ms));
            leaves = line.free_at;
        }
        let last = &mut connection.last[to.side][lane];
        *last = leaves.after(travel + late).max(*last);
        Some((*last, to, frame))
    }

    /// How late retransmissions make a frame.
    fn lateness(&mut self, (from, to): (Seat, Seat)) -> Duration {
        let quality = self.line(from, to).quality;
        let mut late_ms = 0;
        let mut wait_ms = 2 * quality.latency_ms + 50;
        while quality.loss > 0 && self.dice.chance(quality.loss) && late_ms < 20_000 {
            late_ms += wait_ms;
            wait_ms *= 2;
        }
        Duration::from_millis(late_ms)
    }

    /// Who takes what arrives at an end, if somebody still does.
    pub(crate) fn receiver(&self, end: End) -> Option<(Seat, LinkId)> {
        let connection = self.connections.get(&end.connection)?;
        connection.open[end.side]
            .then_some((connection.seats[end.side], connection.links[end.side]))
    }

    /// One end closes a connection; says when, and which end, learns it by a packet.
    pub(crate) fn close(&mut self, now: Moment, from: (Seat, LinkId)) -> Option<(Moment, End)> {
        let end = *self.ends.get(&from)?;
        self.shut(now, end);
        let other = end.other();
        let (peer, _) = self.receiver(other)?;
        match self.travel((from.0, peer)) {
            // The packet that closes a connection overtakes what was lost.
            Some(travel) => Some((now.after(travel), other)),
            None => Some((now.after(IDLE_TIMEOUT), other)),
        }
    }

    /// An end has no use for its connection any more.
    pub(crate) fn shut(&mut self, now: Moment, end: End) {
        let Some(connection) = self.connections.get_mut(&end.connection) else { return };
        connection.open[end.side] = false;
        connection.gone_since[end.side].get_or_insert(now);
        connection.held[end.side].clear();
        let key = (connection.seats[end.side], connection.links[end.side]);
        let over = !connection.open[0] && !connection.open[1];
        self.ends.remove(&key);
        if over {
            self.connections.remove(&end.connection);
        }
    }

    /// A process is gone without a word; gives the ends that will miss it.
    pub(crate) fn vanish(&mut self, now: Moment, seat: Seat) -> Vec<End> {
        let own: Vec<End> =
            self.ends.iter().filter(|((at, _), _)| *at == seat).map(|(_, end)| *end).collect();
        own.iter().for_each(|end| self.shut(now, *end));
        own.into_iter().map(End::other).filter(|end| self.receiver(*end).is_some()).collect()
    }

    /// Whether an end has heard nothing for the whole idle timeout.
    pub(crate) fn is_idle(&self, now: Moment, end: End) -> bool {
        let Some(connection) = self.connections.get(&end.connection) else { return false };
        let from = connection.seats[1 - end.side];
        let line = self.lines.get(&(from, connection.seats[end.side]));
        let silences = [
            connection.gone_since[1 - end.side],
            line.and_then(|line| line.cut_since),
            self.paused.get(&from).copied(),
        ];
        let since = silences.into_iter().flatten().min();
        connection.open[end.side] && since.is_some_and(|since| now.since(since) >= IDLE_TIMEOUT)
    }

    /// Nothing passes from one seat to another any more; gives the ends that will miss it.
    pub(crate) fn cut(&mut self, now: Moment, (from, to): (Seat, Seat)) -> Vec<End> {
        self.line(from, to).cut_since.get_or_insert(now);
        let ends = self.ends.iter().filter(|((seat, _), end)| {
            let connection = self.connections.get(&end.connection);
            *seat == to && connection.is_some_and(|one| one.seats[1 - end.side] == from)
        });
        ends.map(|(_, end)| *end).collect()
    }

    /// Everything passes again; gives what had been held back.
    pub(crate) fn mend(
        &mut self,
        now: Moment,
        (from, to): (Seat, Seat),
    ) -> Vec<(Moment, End, Frame)> {
        self.line(from, to).cut_since = None;
        self.free(now, |seats, side| seats[1 - side] == from && seats[side] == to)
    }

    /// A machine stands still, or goes on; gives the ends that will miss it, or what was held.
    pub(crate) fn pause(&mut self, now: Moment, seat: Seat) -> Vec<End> {
        self.paused.entry(seat).or_insert(now);
        let own = self.ends.iter().filter(|((at, _), _)| *at == seat);
        let others = own.map(|(_, end)| end.other());
        others.filter(|end| self.receiver(*end).is_some()).collect()
    }

    /// A machine goes on; gives what had been held back.
    pub(crate) fn resume(&mut self, now: Moment, seat: Seat) -> Vec<(Moment, End, Frame)> {
        self.paused.remove(&seat);
        self.free(now, |seats, _| seats.contains(&seat))
    }

    /// All open ends of a seat.
    pub(crate) fn ends_of(&self, seat: Seat) -> Vec<End> {
        self.ends.iter().filter(|((at, _), _)| *at == seat).map(|(_, end)| *end).collect()
    }

    /// One of the open ends, if there is any.
    pub(crate) fn some_end(&mut self) -> Option<End> {
        let at = self.dice.place(self.ends.len())?;
        self.ends.values().nth(at).copied()
    }

    fn free(
        &mut self,
        now: Moment,
        concerns: impl Fn([Seat; 2], usize) -> bool,
    ) -> Vec<(Moment, End, Frame)> {
        let mut held = Vec::new();
        for (number, connection) in &mut self.connections {
            for side in [0, 1] {
                if concerns(connection.seats, side) {
                    let end = End { connection: *number, side };
                    held.extend(connection.held[side].drain(..).map(|frame| (end, frame)));
                }
            }
        }
        held.into_iter().filter_map(|(end, frame)| self.forward(now, end, frame)).collect()
    }

    fn line(&mut self, from: Seat, to: Seat) -> &mut Line {
        let (dice, quality) = (&mut self.dice, &self.quality);
        self.lines.entry((from, to)).or_insert_with(|| Line {
            quality: dice.pick(quality).copied().unwrap_or(Quality::GOOD),
            free_at: Moment(0),
            cut_since: None,
        })
    }
}

/// What a frame takes on a line, in bytes, about: batches travel compressed.
fn size_of(frame: &Frame) -> u64 {
    match frame {
        Frame::Batch(batch) => {
            let bytes: usize = batch.records.iter().map(bytes::Bytes::len).sum();
            u64::try_from(bytes).unwrap_or(u64::MAX) * 2 / 3 + 60
        }
        Frame::Compare(compare) => 80 + 40 * compare.claims.len() as u64,
        _ => 120,
    }
}
