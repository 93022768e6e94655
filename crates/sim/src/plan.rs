//! What a seed decides: before a run begins its size and its kinds of fault, then every chance.

use std::collections::BTreeSet;
use std::fmt;

/// One kind of fault. Each seed draws its own mix, so that each run is hard in its own way and
/// rare pairs meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// Machines are switched off in the evening, half of them by the plug.
    Nights,
    /// The power goes between any two effects or calls of the disk: unsynced writes are lost,
    /// kept or torn.
    Crash,
    /// The process dies between any two effects, and what it wrote stays.
    Kill,
    /// A process stands still and goes on later, as a laptop does that was shut.
    Pause,
    /// A whole disk is put back to what it was some days ago.
    Restore,
    /// A copy of a disk is started as a second process with the same key.
    Clone,
    /// A disk runs full, and is given room later.
    Full,
    /// A write or a sync fails, or writes half.
    WriteError,
    /// A read fails.
    ReadError,
    /// Bits of acknowledged records flip on the medium.
    Rot,
    /// A read brings bytes from another place.
    Misread,
    /// A clock jumps, by seconds or by years, and stands right again later.
    Clock,
    /// Packets are lost: frames are late, and those behind them on the same lane too.
    Loss,
    /// Nothing passes in one direction, or in both, for seconds or for hours.
    Cut,
    /// Connections break, and the two ends learn it at different times.
    Flap,
    /// A line carries few bytes a second.
    Narrow,
    /// An office with its node joins.
    Join,
    /// An office moves in the tree.
    Move,
    /// A node is revoked.
    Revoke,
    /// A node with a good key forges, replays, floods and lies.
    Hostile,
    /// Some nodes speak the next version of the protocol as well, and write documents of a kind
    /// that nobody here knows.
    Newer,
}

impl Fault {
    /// Every kind.
    pub const ALL: [Fault; 21] = [
        Fault::Nights,
        Fault::Crash,
        Fault::Kill,
        Fault::Pause,
        Fault::Restore,
        Fault::Clone,
        Fault::Full,
        Fault::WriteError,
        Fault::ReadError,
        Fault::Rot,
        Fault::Misread,
        Fault::Clock,
        Fault::Loss,
        Fault::Cut,
        Fault::Flap,
        Fault::Narrow,
        Fault::Join,
        Fault::Move,
        Fault::Revoke,
        Fault::Hostile,
        Fault::Newer,
    ];

    /// The word for the command line and the journal.
    pub fn name(self) -> &'static str {
        match self {
            Fault::Nights => "nights",
            Fault::Crash => "crash",
            Fault::Kill => "kill",
            Fault::Pause => "pause",
            Fault::Restore => "restore",
            Fault::Clone => "clone",
            Fault::Full => "full",
            Fault::WriteError => "write-error",
            Fault::ReadError => "read-error",
            Fault::Rot => "rot",
            Fault::Misread => "misread",
            Fault::Clock => "clock",
            Fault::Loss => "loss",
            Fault::Cut => "cut",
            Fault::Flap => "flap",
            Fault::Narrow => "narrow",
            Fault::Join => "join",
            Fault::Move => "move",
            Fault::Revoke => "revoke",
            Fault::Hostile => "hostile",
            Fault::Newer => "newer",
        }
    }

    /// The fault with this word.
    pub fn named(word: &str) -> Option<Fault> {
        Fault::ALL.into_iter().find(|fault| fault.name() == word)
    }

    /// How often it strikes in a week at most; 0 for what is so all the time.
    pub(crate) fn most_in_a_week(self) -> u64 {
        match self {
            Fault::Nights | Fault::Loss | Fault::Narrow | Fault::Newer => 0,
            Fault::Clone | Fault::Move | Fault::Revoke | Fault::Hostile => 1,
            Fault::Restore | Fault::Join => 2,
            Fault::Full | Fault::WriteError | Fault::Clock | Fault::Rot => 6,
            Fault::ReadError | Fault::Misread | Fault::Pause => 8,
            Fault::Crash | Fault::Kill | Fault::Cut | Fault::Flap => 24,
        }
    }
}

/// How many times as many machines a province has as the small worlds.
const PROVINCE_TIMES: u16 = 45;

/// A run, as its seed has drawn it or as a person has cut it down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// Decides all that the other fields leave open.
    pub seed: u64,
    /// How many offices there are at the start, the root included; 2 to 400.
    pub offices: u16,
    /// How many days are played, from a Monday on; at least 1.
    pub days: u16,
    /// How many acts there are in a week of five working days, in all offices together.
    pub acts: u32,
    /// How often each fault strikes, in percent of the most.
    pub intensity_percent: u16,
    /// After how many minutes each link is asked for its time; at least 1. A node asks each minute:
    /// then nearly all that happens in a week is that.
    pub ping_minutes: u16,
    /// Whether acts are those of real dossiers, or small edits that nobody reads.
    pub real: bool,
    /// What goes wrong.
    pub faults: BTreeSet<Fault>,
}

impl Plan {
    /// The run that belongs to a seed.
    pub fn draw(seed: u64) -> Plan {
        let mut dice = Dice::new(seed).fork();
        // Few kinds at once let a run get far, many bring rare pairs together.
        let share = *dice.pick(&[0, 15, 30, 30, 50]).unwrap_or(&30) * 10_000;
        let mut faults: BTreeSet<Fault> =
            Fault::ALL.into_iter().filter(|_| dice.chance(share)).collect();
        // Machines that run all night mostly measure each other's clocks.
        if dice.chance(850_000) {
            faults.insert(Fault::Nights);
        } else {
            faults.remove(&Fault::Nights);
        }
        Plan {
            seed,
            offices: u16::try_from(dice.between(3, 9)).unwrap_or(3),
            days: 7,
            acts: u32::try_from(dice.between(50, 160)).unwrap_or(100),
            intensity_percent: u16::try_from(dice.between(10, 100)).unwrap_or(100),
            ping_minutes: u16::try_from(Dice::new(!seed).between(5, 60)).unwrap_or(60),
            real: seed % 10 == 7,
            faults,
        }
    }

    /// The world of a whole province for one day: as many offices as Quảng Nam had, and faults as
    /// often as so many machines meet them.
    pub fn province(seed: u64) -> Plan {
        let drawn = Plan::draw(seed);
        let (offices, days, acts, ping_minutes) = (270, 1, 1_000, 60);
        let intensity_percent = drawn.intensity_percent * PROVINCE_TIMES;
        Plan { offices, days, acts, ping_minutes, intensity_percent, ..drawn }
    }

    /// Whether a kind of fault strikes in this run.
    pub fn has(&self, fault: Fault) -> bool {
        self.faults.contains(&fault)
    }

    /// How many weeks of virtual time the run plays.
    pub fn weeks(&self) -> f64 {
        f64::from(self.days) / 7.0
    }

    /// The plans that are a little simpler than this one, the most promising first.
    pub(crate) fn simpler(&self) -> Vec<Plan> {
        let mut plans = Vec::new();
        let without = |fault: &Fault| {
            let mut faults = self.faults.clone();
            faults.remove(fault);
            Plan { faults, ..self.clone() }
        };
        plans.extend(self.faults.iter().map(without));
        if self.real {
            plans.push(Plan { real: false, ..self.clone() });
        }
        if self.days > 1 {
            plans.push(Plan { days: self.days / 2, ..self.clone() });
            plans.push(Plan { days: self.days - 1, ..self.clone() });
        }
        if self.offices > 2 {
            plans.push(Plan { offices: (self.offices / 2).max(2), ..self.clone() });
            plans.push(Plan { offices: self.offices - 1, ..self.clone() });
        }
        if self.acts > 1 {
            plans.push(Plan { acts: self.acts / 2, ..self.clone() });
            plans.push(Plan { acts: self.acts * 4 / 5, ..self.clone() });
        }
        if self.intensity_percent > 5 {
            plans.push(Plan { intensity_percent: self.intensity_percent / 2, ..self.clone() });
        }
        plans
    }
}

impl fmt::Display for Plan {
    /// The arguments with which `sim` plays it again.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Plan { seed, offices, days, acts, intensity_percent, ping_minutes, real, faults } =
            self;
        write!(f, "run {seed} --offices {offices} --days {days} --acts {acts}")?;
        write!(f, " --intensity {intensity_percent} --ping {ping_minutes} --real {real}")?;
        let words: Vec<&str> = faults.iter().map(|fault| fault.name()).collect();
        let words = if words.is_empty() { "none".into() } else { words.join(",") };
        write!(f, " --faults {words}")
    }
}

/// SplitMix64: a short generator whose every seed is good. The same seed gives the same numbers.
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    /// A generator for a seed.
    pub fn new(seed: u64) -> Dice {
        Dice(seed)
    }

    /// A generator of its own for one concern: what it draws changes nothing for the others.
    pub fn fork(&mut self) -> Dice {
        Dice(self.draw())
    }

    /// The next 64 bits.
    pub fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `limit`; 0 when the limit is 0.
    pub fn below(&mut self, limit: u64) -> u64 {
        self.draw() % limit.max(1)
    }

    /// A number from `least` to `most`, both included.
    pub fn between(&mut self, least: u64, most: u64) -> u64 {
        least + self.below(most.saturating_sub(least).saturating_add(1))
    }

    /// Whether something happens that happens so often in a million times.
    pub fn chance(&mut self, per_million: u32) -> bool {
        self.below(1_000_000) < u64::from(per_million)
    }

    /// A place in a list of this length; `None` when it is empty.
    pub fn place(&mut self, length: usize) -> Option<usize> {
        let limit = u64::try_from(length).unwrap_or(u64::MAX);
        (length > 0).then(|| usize::try_from(self.below(limit)).unwrap_or_default())
    }

    /// One of a list; `None` when it is empty.
    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> Option<&'a T> {
        self.place(from.len()).and_then(|at| from.get(at))
    }
}
