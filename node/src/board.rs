//! The board: how the offices at and below this node's stand, worst first.
//!
//! The mind sketches it from links, reports and registry; what the view knows of dossiers is added
//! beside the mind, because that is a look at the disk.

use std::collections::BTreeMap;

use lienthong_catalogue::{Calendar, local, worktime};
use lienthong_federation::{Node, Office};
use lienthong_health::{Disk, Dossiers, Health, HealthError, Held, Uplink};
use lienthong_protocol::{Moment, OfficeId};
use lienthong_replica::LinkStatus;
use lienthong_request::{Failure, SCHEMA};
use lienthong_views::Holding;
use serde::Serialize;
use serde_json::{Value, json};

use crate::health::horizon;
use crate::list::Door;
use crate::mind::{Mind, store_failed};

/// How an office stands, as this node sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum State {
    /// Nothing was heard of it for longer than [`GRACE_MINUTES`] of its working time.
    CutOff,
    /// It is linked and does not hold the same yet.
    Working,
    /// Nothing is heard of it, and it has hardly been open since.
    Resting,
    /// It holds the same, up to this node.
    Settled,
    /// It is this node's own office.
    Here,
    /// No node of it has joined.
    NotJoined,
}

/// One office.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Row {
    office: OfficeId,
    name: String,
    tier: String,
    parent: Option<OfficeId>,
    wave: Option<u16>,
    joined_ms: Option<u64>,
    standing: Standing,
    report: Option<Word>,
    held: Holding,
    at_risk: u64,
}

#[derive(Clone, Debug, Serialize)]
struct Standing {
    state: State,
    /// Whether this node has a link with it.
    direct: bool,
    /// When both ends last held the same, as far as it is known.
    settled_ms: Option<u64>,
    heard_ms: Option<u64>,
    /// Working time of the office since it was heard; 0 while it is linked.
    silent_minutes: u64,
    skew_ms: Option<i64>,
    rtt_ms: Option<u64>,
}

/// What the office says of itself.
#[derive(Clone, Debug, Serialize)]
struct Word {
    heard_ms: u64,
    /// Whether a newer program wrote it, which this one cannot read.
    newer: bool,
    program: String,
    uplink: &'static str,
    unsent: u64,
    waiting: u64,
    quarantined: Vec<Set>,
    disk: Option<Space>,
    dossiers: Option<Figures>,
}

#[derive(Clone, Debug, Serialize)]
struct Set {
    reason: &'static str,
    changes: u64,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Space {
    free_bytes: u64,
    total_bytes: u64,
}

#[derive(Clone, Copy, Debug, Serialize)]
struct Figures {
    open: u64,
    overdue: u64,
    due_in_1: u64,
    due_in_3: u64,
}

/// The board without what the view knows.
pub(crate) struct Sketch {
    own: OfficeId,
    at: Moment,
    is_open: bool,
    /// The ends of the first and of the third working day from now.
    spans: [Moment; 2],
    rows: Vec<Row>,
}

impl Sketch {
    /// The board with what the view knows, worst office first. Without a view that answers, all
    /// numbers of dossiers are 0 and `dossiers_known` says so.
    pub(crate) fn finished(mut self, door: &Door) -> Value {
        let holdings = door.read(|reader| reader.holdings(self.at, self.spans));
        let is_known = holdings.is_ok();
        let holdings: BTreeMap<String, Holding> =
            holdings.unwrap_or_default().into_iter().collect();
        for row in &mut self.rows {
            row.held = holdings.get(row.office.as_str()).copied().unwrap_or_default();
            if row.standing.state == State::CutOff {
                let heard = Moment(row.standing.heard_ms.or(row.joined_ms).unwrap_or(0));
                let falling =
                    door.read(|reader| reader.falling_due(row.office, heard, self.spans[1]));
                row.at_risk = falling.unwrap_or(0);
            }
        }
        self.rows.sort_by_key(Row::rank);
        let count = |state| self.rows.iter().filter(|row| row.standing.state == state).count();
        let sum = |of: fn(&Row) -> u64| self.rows.iter().map(of).sum::<u64>();
        json!({
            "schema": SCHEMA,
            "office": self.own,
            "at_ms": self.at.0,
            "open": self.is_open,
            "until_ms": self.spans[1].0,
            "dossiers_known": is_known,
            "numbers": {
                "joined": self.rows.iter().filter(|row| row.joined_ms.is_some()).count(),
                "offices": self.rows.len(),
                "settled": count(State::Settled) + count(State::Here),
                "working": count(State::Working),
                "cut_off": count(State::CutOff),
                "resting": count(State::Resting),
                "overdue": sum(|row| row.held.overdue),
                "at_risk": sum(|row| row.at_risk),
            },
            "offices": self.rows,
        })
    }
}

impl Row {
    /// Worst first: citizens' dues behind a link that is down, then how the office stands, then
    /// how long it is silent, what is set aside and what is late there.
    fn rank(&self) -> impl Ord + use<> {
        let down = |number: u64| u64::MAX - number;
        let set_aside = self.report.as_ref().map_or(0, Word::all_quarantined);
        (
            down(self.at_risk),
            self.standing.state,
            down(self.standing.silent_minutes),
            down(set_aside),
            down(self.held.overdue),
            self.name.clone(),
        )
    }
}

impl Word {
    fn all_quarantined(&self) -> u64 {
        self.quarantined.iter().fold(0, |all, set| all.saturating_add(set.changes))
    }

    /// `None` for a report that does not read.
    fn of(held: &Held) -> Option<Word> {
        let heard_ms = held.heard.0;
        match Health::from_body(&held.report.body) {
            Ok(health) => Some(Word::said(&health, heard_ms)),
            Err(HealthError::Newer { .. }) => Some(Word {
                heard_ms,
                newer: true,
                program: String::new(),
                uplink: "unknown",
                unsent: 0,
                waiting: 0,
                quarantined: Vec::new(),
                disk: None,
                dossiers: None,
            }),
            Err(HealthError::Malformed { .. }) => None,
        }
    }

    fn said(health: &Health, heard_ms: u64) -> Word {
        let sets = health.quarantined.iter();
        let figures = |dossiers: Dossiers| {
            let Dossiers { open, overdue, due_in_1, due_in_3 } = dossiers;
            Figures { open, overdue, due_in_1, due_in_3 }
        };
        Word {
            heard_ms,
            newer: false,
            program: health.program.clone(),
            uplink: match health.uplink {
                Uplink::Top => "top",
                Uplink::Settled { .. } => "settled",
                Uplink::Working { .. } => "working",
                Uplink::Cut { .. } => "cut",
            },
            unsent: health.unsent,
            waiting: health.waiting,
            quarantined: sets
                .map(|(reason, changes)| Set { reason: reason.name(), changes: *changes })
                .collect(),
            disk: health
                .disk
                .map(|Disk { free_bytes, total_bytes }| Space { free_bytes, total_bytes }),
            dossiers: health.dossiers.map(figures),
        }
    }
}

/// What a row is made from, besides its office.
struct Eyes<'m> {
    now: Moment,
    calendar: &'m Calendar,
    links: &'m [LinkStatus],
}

impl Mind {
    /// The board as far as the mind knows it.
    pub(crate) fn sketch(&mut self) -> Result<Sketch, Failure> {
        let published = self.published()?;
        let (calendar, now) = (published.calendar(), self.now());
        let own = self.replica.identity().office;
        let own_calendar = calendar.for_office(own);
        let links = self.replica.status().map_err(store_failed)?.links;
        let eyes = Eyes { now, calendar, links: &links };
        let offices = self.board_offices();
        let mut rows: Vec<Row> = offices.iter().map(|office| self.row(office, &eyes)).collect();
        self.hold_back(&mut rows);
        let (day, minute) = local(now);
        let is_open = own_calendar
            .windows(day)
            .iter()
            .any(|window| window.opens <= minute && minute < window.closes);
        let spans = [1, 3].map(|days| horizon(&own_calendar, now, days));
        Ok(Sketch { own, at: now, is_open, spans, rows })
    }

    /// The open offices at and below this node's.
    pub(crate) fn board_offices(&self) -> Vec<Office> {
        let (own, registry) = (self.replica.identity().office, self.replica.registry());
        let is_below = |office: OfficeId| office == own || registry.is_ancestor(own, office);
        let offices = registry.offices().filter(|office| office.closed.is_none());
        offices.filter(|office| is_below(office.id)).cloned().collect()
    }

    /// The nodes of an office that may still speak for it.
    pub(crate) fn live_nodes(&self, office: OfficeId) -> impl Iterator<Item = &Node> {
        self.replica.registry().nodes_of(office).filter(|node| node.revoked.is_none())
    }

    fn row(&self, office: &Office, eyes: &Eyes<'_>) -> Row {
        let (own, id) = (self.replica.identity().office, office.id);
        let joined = self.live_nodes(id).map(|node| node.since).min();
        let held = self.live_nodes(id).filter_map(|node| self.watch.board.of(node.id));
        let held = held.max_by_key(|held| held.heard);
        let report = held.and_then(Word::of);
        let link = eyes.links.iter().filter(|link| link.office == id);
        let link = link.max_by_key(|link| (link.settled, link.state == "connected"));
        let contact = self.watch.board.contact(id);
        let heard = contact.and_then(|contact| contact.heard());
        let heard = heard.max(link.and_then(|link| link.last_contact));
        let is_linked = link.is_some_and(|link| link.state == "connected");
        let is_up = is_linked || contact.is_some_and(|contact| contact.is_up());
        let is_settled = match link.filter(|_| is_linked) {
            Some(link) => link.settled,
            None => report.as_ref().is_some_and(|word| word.uplink == "settled"),
        };
        let silent_minutes = match (is_up, heard.or(joined)) {
            (false, Some(since)) if joined.is_some() => {
                worktime::between(&eyes.calendar.for_office(id), since, eyes.now).0
            }
            _ => 0,
        };
        let state = match joined {
            _ if id == own => State::Here,
            None => State::NotJoined,
            Some(_) if is_up && is_settled => State::Settled,
            Some(_) if is_up => State::Working,
            Some(_) if silent_minutes < GRACE_MINUTES => State::Resting,
            Some(_) => State::CutOff,
        };
        let settled = link.and_then(|link| link.settled_at).or_else(|| held.and_then(settled_at));
        let skew_ms = link.and_then(|link| link.skew_ms).or(held.and_then(|held| held.skew_ms));
        Row {
            office: id,
            name: office.name.clone(),
            tier: office.tier.clone(),
            parent: self.replica.registry().parent(id),
            wave: office.wave,
            joined_ms: joined.map(|at| at.0),
            standing: Standing {
                state,
                direct: is_linked,
                settled_ms: settled.map(|at| at.0),
                heard_ms: if is_up { Some(eyes.now.0) } else { heard.map(|at| at.0) },
                silent_minutes,
                skew_ms,
                rtt_ms: link.and_then(|link| link.rtt_ms),
            },
            report,
            held: Holding::default(),
            at_risk: 0,
        }
    }

    /// An office behind one that does not hold the same yet does not either, up to this node.
    fn hold_back(&self, rows: &mut [Row]) {
        let registry = self.replica.registry();
        let behind: Vec<OfficeId> = rows
            .iter()
            .filter(|row| row.standing.state == State::Working && row.standing.direct)
            .map(|row| row.office)
            .collect();
        for row in rows.iter_mut().filter(|row| !row.standing.direct) {
            let is_behind = behind.iter().any(|above| registry.is_ancestor(*above, row.office));
            if row.standing.state == State::Settled && is_behind {
                row.standing.state = State::Working;
            }
        }
    }
}

/// When the office last held the same as the one above it, by its own word.
fn settled_at(held: &Held) -> Option<Moment> {
    match Health::from_body(&held.report.body).ok()?.uplink {
        Uplink::Settled { since } | Uplink::Working { since } => since,
        Uplink::Cut { .. } | Uplink::Top => None,
    }
}

/// How many minutes of its working time an office may be silent before that is a reason to call.
const GRACE_MINUTES: u64 = 15;
