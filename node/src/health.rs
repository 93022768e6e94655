//! This node's own health and that of the nodes below it: measured, told, taken in, kept.
//!
//! What is measured costs a look at the view and at the disk, so a thread of its own does it. The
//! board is small and rebuilt when it is lost: nodes say all of it again.

use std::collections::{BTreeMap, BTreeSet};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use lienthong_catalogue::{Calendar, Limit, Unit, worktime};
use lienthong_folder::{read_limited, replace_with};
use lienthong_health::{
    Board, Disk, Dossiers, Health, MAX_BOARD_BYTES, Reason, Taken, Teller, Uplink,
};
use lienthong_protocol::{
    CloseCode, FederationId, Frame, Moment, NodeId, OfficeId, Report, ReportOrder, Reports, Told,
};
use lienthong_replica::{Identity, LinkId, LinkStatus, Notice, OpenLink, Quarantined, Status};
use lienthong_request::Failure;
use tokio::sync::mpsc;

use crate::list::Door;
use crate::mind::{Message, Mind, store_failed};

/// The reports that are held, and when this node measures and says its own.
pub(crate) struct Watch {
    pub(crate) board: Board,
    file: PathBuf,
    to_mind: mpsc::WeakSender<Message>,
    /// The place of the last report of this node.
    order: ReportOrder,
    said: Option<Health>,
    said_at: Option<Instant>,
    measuring: Measuring,
    /// What was told on each link.
    told: BTreeMap<LinkId, BTreeMap<NodeId, ReportOrder>>,
    has_news: bool,
    tended_at: Option<Instant>,
    is_unsaved: bool,
    saved_at: Option<Instant>,
}

/// Whether this node is being measured.
#[derive(Clone, Copy, Debug)]
enum Measuring {
    UnderWay { has_changed: bool },
    Idle { due: Instant, last: Option<Instant> },
}

/// What it takes a thread to find out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    disk: Option<Disk>,
    dossiers: Option<Dossiers>,
}

impl Watch {
    /// Reads the board of a data folder and begins a run of its node.
    pub(crate) fn open(folder: &Path, me: &Identity, to_mind: mpsc::WeakSender<Message>) -> Watch {
        let file = folder.join(BOARD);
        let mut board = read(&file, me.federation);
        let order = ReportOrder {
            run: board.begin_run(me.key.id()),
            incarnation: me.incarnation,
            number: 0,
        };
        Watch {
            board,
            file,
            to_mind,
            order,
            said: None,
            said_at: None,
            measuring: Measuring::Idle { due: Instant::now(), last: None },
            told: BTreeMap::new(),
            has_news: true,
            tended_at: None,
            is_unsaved: true,
            saved_at: None,
        }
    }

    /// Something about this node changed: it is measured soon.
    fn changed(&mut self) {
        match &mut self.measuring {
            Measuring::UnderWay { has_changed } => *has_changed = true,
            Measuring::Idle { due, last } => {
                let soon = last.map_or_else(Instant::now, |last| last + MEASURE_PAUSE);
                *due = soon.min(*due);
            }
        }
    }

    /// How long nothing is due.
    pub(crate) fn wait(&self) -> Duration {
        match self.measuring {
            Measuring::UnderWay { .. } => REPORT_EVERY,
            Measuring::Idle { due, .. } => due.saturating_duration_since(Instant::now()),
        }
    }

    /// Keeps the board on disk. A board that is not saved is said again by the nodes.
    pub(crate) fn save(&mut self) {
        if !std::mem::take(&mut self.is_unsaved) {
            return;
        }
        self.saved_at = Some(Instant::now());
        let bytes = self.board.to_bytes().map_err(|error| error.to_string());
        let saved = bytes.and_then(|bytes| {
            replace_with(&self.file, |_| Ok(bytes)).map_err(|error| error.to_string())
        });
        if let Err(cause) = saved {
            self.is_unsaved = true;
            tracing::debug!(cause, "board-not-saved");
        }
    }
}

fn read(file: &Path, federation: FederationId) -> Board {
    let read = match read_limited(file, MAX_BOARD_BYTES as u64) {
        Ok(bytes) => Board::from_bytes(&bytes, federation).map_err(|error| error.to_string()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Board::default()),
        Err(error) => Err(error.to_string()),
    };
    read.unwrap_or_else(|cause| {
        tracing::warn!(cause, "board-thrown-away");
        Board::default()
    })
}

impl Mind {
    /// Takes note of what happened on links and in documents.
    pub(crate) fn watch(&mut self, notice: &Notice) {
        let now = self.now();
        match notice {
            Notice::Connected { office, .. } => {
                self.watch.is_unsaved |= self.watch.board.hear(*office, now, now);
                self.watch.has_news = true;
                self.watch.changed();
            }
            Notice::Disconnected { office, .. } => {
                if !self.replica.open_links().any(|open| open.office == *office) {
                    // A link that is up is contact, whatever was said on it last.
                    self.watch.board.hear(*office, now, now);
                    self.watch.is_unsaved |= self.watch.board.lose(*office, now);
                }
                self.watch.changed();
            }
            Notice::Settled { .. } | Notice::Grew { .. } => self.watch.changed(),
            Notice::Registry => {
                let registry = self.replica.registry();
                let is_live = |id| registry.node(id).is_some_and(|node| node.revoked.is_none());
                self.watch.board.keep(is_live, |office| registry.office(office).is_some());
                self.watch.changed();
            }
            Notice::Reports { .. } | Notice::Refused { .. } | Notice::Alarm(_) => {}
        }
    }

    /// Measures, tells and keeps what is due.
    pub(crate) fn tend_health(&mut self) -> Result<(), Failure> {
        let passed = |since: Option<Instant>, wait| since.is_none_or(|at| at.elapsed() >= wait);
        if let Measuring::Idle { due, .. } = self.watch.measuring
            && due <= Instant::now()
        {
            self.measure()?;
        }
        if passed(self.watch.tended_at, TEND_EVERY) {
            self.watch.tended_at = Some(Instant::now());
            self.tend_contacts();
        }
        if std::mem::take(&mut self.watch.has_news) {
            self.hand_on();
        }
        if passed(self.watch.saved_at, SAVE_PAUSE) {
            self.watch.save();
        }
        Ok(())
    }

    fn tend_contacts(&mut self) {
        let now = self.now();
        let linked: BTreeSet<OfficeId> =
            self.replica.open_links().map(|open| open.office).collect();
        for office in &linked {
            self.watch.board.hear(*office, now, now);
        }
        self.watch.is_unsaved |= self.watch.board.tend(&linked, now);
    }

    fn measure(&mut self) -> Result<(), Failure> {
        self.watch.measuring = Measuring::UnderWay { has_changed: false };
        let (at, own) = (self.now(), self.replica.identity().office);
        let calendar = self.published()?.calendar().for_office(own);
        let spans = [1, 3].map(|days| horizon(&calendar, at, days));
        let door = Arc::clone(&self.viewer.door);
        let (file, to_mind) = (self.watch.file.clone(), self.watch.to_mind.clone());
        tokio::task::spawn_blocking(move || {
            let measured =
                Measured { disk: space(&file), dossiers: dossiers_of(&door, own, at, spans) };
            if let Some(to_mind) = to_mind.upgrade() {
                // A node that has stopped needs no figures.
                drop(to_mind.blocking_send(Message::Measured(measured)));
            }
        });
        Ok(())
    }

    /// Says how this node is, if that is news or it has not said so for long.
    pub(crate) fn measured(&mut self, measured: Measured) -> Result<(), Failure> {
        let health = self.health(measured)?;
        let is_due = self.watch.said_at.is_none_or(|at| at.elapsed() >= REPORT_EVERY);
        if is_due || self.watch.said.as_ref().is_none_or(|said| is_news(said, &health)) {
            self.watch.order.number += 1;
            let (me, order) = (self.replica.identity(), self.watch.order);
            let report = Report::sign(me.federation, &me.key, order, health.to_body());
            let now = self.now();
            self.watch.board.say(report, now);
            self.watch.said = Some(health);
            self.watch.said_at = Some(Instant::now());
            self.watch.has_news = true;
        }
        let now = Instant::now();
        let wait = match self.watch.measuring {
            Measuring::UnderWay { has_changed: true } => MEASURE_PAUSE,
            Measuring::UnderWay { .. } | Measuring::Idle { .. } => REPORT_EVERY,
        };
        self.watch.measuring = Measuring::Idle { due: now + wait, last: Some(now) };
        Ok(())
    }

    fn health(&self, Measured { disk, dossiers }: Measured) -> Result<Health, Failure> {
        let status = self.replica.status().map_err(store_failed)?;
        let (uplink, unsent) = self.uplink(&status);
        let mut quarantined: BTreeMap<Reason, u64> = BTreeMap::new();
        if status.totals.quarantined > 0 {
            let listed = self.replica.quarantine(MAX_LOOKED_AT).map_err(store_failed)?;
            for (_, why, _) in listed {
                *quarantined.entry(reason(why)).or_default() += 1;
            }
        }
        Ok(Health {
            at: self.now(),
            program: self.replica.identity().agent.clone(),
            uplink,
            unsent,
            waiting: status.totals.waiting,
            quarantined: quarantined.into_iter().collect(),
            disk,
            dossiers,
        })
    }

    /// How this node stands with whoever is above it, by the best of its links there.
    fn uplink(&self, status: &Status) -> (Uplink, u64) {
        let above = self.replica.registry().ancestors(self.replica.identity().office);
        let Some(parent) = above.first() else { return (Uplink::Top, 0) };
        let is_up = |link: &&LinkStatus| above.contains(&link.office);
        let rank = |link: &&LinkStatus| {
            let is_parent = link.office == *parent;
            (link.settled, link.state == "connected", is_parent, link.last_contact)
        };
        let Some(link) = status.links.iter().filter(is_up).max_by_key(rank) else {
            return (Uplink::Cut { since: None }, 0);
        };
        let since = link.settled_at;
        let uplink = match (link.settled, link.state) {
            (true, _) => Uplink::Settled { since },
            (false, "connected") => Uplink::Working { since },
            _ => Uplink::Cut { since: link.last_contact },
        };
        (uplink, link.unsent)
    }

    /// Tells those above what they have not been told on their links.
    fn hand_on(&mut self) {
        let (own, now) = (self.replica.identity().key.id(), self.now());
        let office = self.replica.identity().office;
        let registry = self.replica.registry();
        let up: Vec<OpenLink> = self
            .replica
            .open_links()
            .filter(|open| registry.is_ancestor(open.office, office))
            .collect();
        self.watch.told.retain(|link, _| up.iter().any(|open| open.link == *link));
        for open in up {
            let known = self.watch.told.entry(open.link).or_default();
            let frames = self.watch.board.news(known, own, now);
            let told = frames.iter().flat_map(|frame| &frame.told);
            known.extend(told.map(|told| (told.report.node, told.report.order)));
            for reports in frames {
                self.send(open.link, Frame::Reports(reports));
            }
        }
    }

    /// Takes in what a peer tells of nodes.
    pub(crate) fn hear_reports(&mut self, link: LinkId, reports: Reports) {
        let Some(open) = self.replica.open_links().find(|open| open.link == link) else { return };
        let mut back = Vec::new();
        for told in reports.told {
            let node = told.report.node;
            match self.take_report(open, told) {
                Some(Ok(Taken::Behind(report))) => {
                    back.push(Told { report, age_ms: 0, skew_ms: None });
                }
                Some(Ok(Taken::New | Taken::Known)) | None => {}
                Some(Err(())) => {
                    let words = format!("a report of {} has a wrong signature", node.short());
                    self.replica.hang_up(link, CloseCode::MALFORMED_FRAME, words);
                    return;
                }
            }
        }
        if !back.is_empty() {
            self.send(link, Frame::Reports(Reports { told: back }));
        }
    }

    /// Takes one report; `None` if it is none of this node's business.
    fn take_report(&mut self, open: OpenLink, told: Told) -> Option<Result<Taken, ()>> {
        let (me, registry) = (self.replica.identity(), self.replica.registry());
        let known = registry.node(told.report.node).filter(|node| node.revoked.is_none())?;
        let (node, office) = (known.id, known.office);
        let reaches = |above| above == office || registry.is_ancestor(above, office);
        if !reaches(me.office) || !reaches(open.office) {
            return None;
        }
        let (federation, now) = (me.federation, self.now());
        if node == me.key.id() {
            if told.report.verify(federation).is_err() {
                return Some(Err(()));
            }
            self.pass_run(told.report.order);
            return None;
        }
        let teller = Teller { node: open.node, skew_ms: open.skew_ms };
        let taken = self.watch.board.take(federation, told, teller, now);
        if taken == Ok(Taken::New) {
            let heard = self.watch.board.of(node).map_or(now, |held| held.heard);
            self.watch.board.hear(office, heard, now);
            self.watch.has_news = true;
            self.watch.is_unsaved = true;
        }
        Some(taken.map_err(drop))
    }

    /// Somebody above knows a later run of this node than itself: its folder is an old copy.
    fn pass_run(&mut self, shown: ReportOrder) {
        let Some(run) = self.watch.board.pass_run(shown, self.watch.order) else { return };
        tracing::info!(run, "run-passed");
        self.watch.order = ReportOrder { run, number: 0, ..self.watch.order };
        self.watch.said = None;
        self.watch.is_unsaved = true;
        self.watch.changed();
    }
}

/// The end of the `days`-th working day from now; by days of the calendar if it is never open.
pub(crate) fn horizon(calendar: &Calendar, now: Moment, days: u32) -> Moment {
    let due = worktime::due(calendar, now, Limit::of(days, Unit::WorkingDay));
    let day = Duration::from_secs(24 * 60 * 60);
    due.map_or_else(|_| now.after(day * days), |due| due.at)
}

/// Whether a report says more than that time passed and files grew.
fn is_news(said: &Health, health: &Health) -> bool {
    let as_said = Health { at: said.at, disk: said.disk, ..health.clone() };
    as_said != *said
}

pub(crate) fn reason(why: Quarantined) -> Reason {
    match why {
        Quarantined::NotEntitled => Reason::NOT_ENTITLED,
        Quarantined::Revoked => Reason::REVOKED,
        Quarantined::WrongKind => Reason::WRONG_KIND,
        Quarantined::Unfit => Reason::UNFIT,
    }
}

fn space(file: &Path) -> Option<Disk> {
    let figures = rustix::fs::statvfs(file.parent()?).ok()?;
    let bytes = |blocks: u64| blocks.saturating_mul(figures.f_frsize);
    Some(Disk { free_bytes: bytes(figures.f_bavail), total_bytes: bytes(figures.f_blocks) })
}

fn dossiers_of(door: &Door, own: OfficeId, at: Moment, spans: [Moment; 2]) -> Option<Dossiers> {
    let holdings = door.read(|reader| reader.holdings(at, spans)).ok()?;
    let held = holdings.into_iter().find(|(office, _)| office == own.as_str());
    let held = held.map(|(_, held)| held).unwrap_or_default();
    let (due_in_1, due_in_3) = (held.due_soon, held.due_later);
    Some(Dossiers { open: held.open, overdue: held.overdue, due_in_1, due_in_3 })
}

/// How often a node says how it is although nothing changed.
const REPORT_EVERY: Duration = Duration::from_secs(60);
/// How long a node waits between two looks at itself.
const MEASURE_PAUSE: Duration = Duration::from_secs(5);
/// How often contact is looked at.
const TEND_EVERY: Duration = Duration::from_secs(5);
/// How long the board waits between two times on disk.
const SAVE_PAUSE: Duration = Duration::from_secs(10);
/// How many documents with changes in quarantine are looked at.
const MAX_LOOKED_AT: usize = 1_000;
/// The file of the board in the data folder.
const BOARD: &str = "board";
