//! The nodes of a demonstration: how they start, join, and are asked.

use std::collections::BTreeMap;
use std::io::Write;
use std::net::{Ipv4Addr, UdpSocket};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use lienthong_federation::{Office, Province};
use lienthong_folder::{Flags, Folder, Settings, socket_of};
use lienthong_protocol::{Moment, OfficeId};
use lienthong_request::{Failure, Publishing, Request, call};
use lienthong_store::RealDisk;
use serde_json::Value;
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::catalogue::{Catalogue, PROCEDURES};
use crate::node::{Node, Surroundings};
use crate::setup;
use crate::story::Cast;

/// The nodes, and what they play with.
pub(crate) struct Stage {
    folder: TempDir,
    pub(crate) province: Province,
    pub(crate) catalogue: Catalogue,
    pub(crate) nodes: BTreeMap<OfficeId, Node>,
    cache_bytes: usize,
    pub(crate) began: Instant,
    time: Arc<StageTime>,
}

/// The time on the stage: it passes as outside, and can be turned forward.
struct StageTime {
    /// The moment at which it was begun, or turned to; milliseconds.
    from_ms: AtomicU64,
    /// How far it had passed outside by then; milliseconds.
    passed_ms: AtomicU64,
    began: Instant,
}

impl StageTime {
    fn now(&self) -> Moment {
        let outside = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        let since = outside.saturating_sub(self.passed_ms.load(Ordering::Relaxed));
        Moment(self.from_ms.load(Ordering::Relaxed).saturating_add(since))
    }

    pub(crate) fn turn_to(&self, moment: Moment) {
        let outside = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.passed_ms.store(outside, Ordering::Relaxed);
        self.from_ms.store(moment.0, Ordering::Relaxed);
    }
}

/// A loopback address that nobody else is given until its node binds it.
struct Place {
    address: String,
    kept: UdpSocket,
}

impl Place {
    fn keep() -> Result<Place, Failure> {
        let bound = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0));
        let kept = bound.and_then(|kept| Ok((kept.local_addr()?.to_string(), kept)));
        let (address, kept) = kept.map_err(|error| {
            let remedy = "give this process more open files and ports";
            Failure::failed("no-address", "no demonstration", error.to_string(), remedy)
        })?;
        Ok(Place { address, kept })
    }
}

impl Stage {
    pub(crate) fn new(offices: usize) -> Result<Stage, Failure> {
        let began = Instant::now();
        let folder = tempfile::Builder::new().prefix("lienthong-demo-").tempdir();
        let folder = folder
            .map_err(|error| Failure::disk("no temporary folder", &std::env::temp_dir(), &error))?;
        let province = Province::parse(PROVINCE).map_err(|error| {
            Failure::failed(error.code(), "no demonstration", error.to_string(), error.remedy())
        })?;
        let catalogue = Catalogue::reference()?;
        let cache_bytes = (CACHE_BYTES / (offices + 1)).clamp(1 << 20, 16 << 20);
        let from_ms = AtomicU64::new(FIRST_DAY.0);
        let time = Arc::new(StageTime { from_ms, passed_ms: AtomicU64::new(0), began });
        let nodes = BTreeMap::new();
        Ok(Stage { folder, province, catalogue, nodes, cache_bytes, began, time })
    }

    /// Tells what happened, after the time since the beginning.
    pub(crate) fn say(&self, words: &str) {
        let seconds = self.began.elapsed().as_secs_f64();
        // Standard error may be closed; the table still comes.
        drop(writeln!(std::io::stderr(), "{seconds:6.1} s  {words}"));
    }

    pub(crate) fn path(&self, office: OfficeId) -> PathBuf {
        self.folder.path().join(office.as_str())
    }

    pub(crate) fn office(&self, id: OfficeId) -> Option<&Office> {
        self.province.offices.iter().find(|office| office.id == id)
    }

    /// The name of an office without what kind of office it is.
    pub(crate) fn name(&self, id: OfficeId) -> &str {
        let name = self.office(id).map_or("", |office| &office.name);
        let kinds = ["Thành phố ", "Thị xã ", "Thị trấn ", "Huyện ", "Phường ", "Xã "];
        kinds.into_iter().find_map(|kind| name.strip_prefix(kind)).unwrap_or(name)
    }

    /// Starts the node of a folder at a place that was kept free for it.
    async fn start(&mut self, folder: Folder, place: Place) -> Result<(), Failure> {
        let office = folder.joined()?.office;
        let flags = Flags { listen: Some(place.address), advertise: None, http: None };
        // A demonstration has no five minutes for the next try.
        let variables = [
            ("LIENTHONG_STORE_INDEX_CACHE_BYTES", self.cache_bytes.to_string()),
            ("LIENTHONG_LINK_BACKOFF_MAX_MS", "2000".to_owned()),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value));
        let settings = Settings::load(folder.path(), variables, &flags)?;
        drop(place.kept);
        let disk = RealDisk::open(folder.log())
            .map_err(|error| Failure::disk("no demonstration", &folder.log(), &error))?;
        let time = Arc::clone(&self.time);
        let surroundings =
            Surroundings { disk: Arc::new(disk), clock: Arc::new(move || time.now()) };
        self.nodes.insert(office, Node::start_in(folder, &settings, surroundings).await?);
        Ok(())
    }

    pub(crate) async fn found(&mut self) -> Result<(), Failure> {
        let hub = self.province.root;
        let folder = setup::init(&self.path(hub), hub, &self.province, &[])?;
        self.start(folder, Place::keep()?).await?;
        let offices = self.province.offices.len();
        self.say(&format!("{hub}: lập liên thông, {offices} đơn vị / founds, {offices} offices"));
        for (what, file, text) in PUBLICATIONS {
            let (file, text) = ((*file).to_owned(), (*text).to_owned());
            let publish = Request::Publish { what: *what, file, text, from: None };
            self.ask(hub, publish).await?;
        }
        self.say("công bố danh mục thủ tục và lịch 2017, 2018 / catalogue and calendars published");
        Ok(())
    }

    /// Lets offices join one after the other, starts them all, and waits until each has what the
    /// hub published: before, it would give no due dates.
    pub(crate) async fn join_all(&mut self, chosen: &[OfficeId]) -> Result<(), Failure> {
        let mut joined = Vec::new();
        for office in chosen {
            joined.push(self.join(*office).await?);
        }
        for (folder, place) in joined {
            self.start(folder, place).await?;
        }
        let hub = self.root();
        for office in chosen {
            self.until("the catalogue everywhere", async || {
                let shown = |office| self.ask(office, Request::CalendarYear { year: 2018 });
                Ok(shown(*office).await.ok() == shown(hub).await.ok())
            })
            .await?;
        }
        self.say(&format!("{} nút chạy / nodes run", chosen.len()));
        Ok(())
    }

    /// The offices that people come to: departments work behind the provincial centre.
    pub(crate) fn counters(&self, chosen: &[OfficeId]) -> Vec<OfficeId> {
        let tier = |id: &OfficeId| self.office(*id).map_or("", |office| &office.tier);
        chosen.iter().copied().filter(|id| tier(id) != "department").collect()
    }

    pub(crate) fn cast(&self, chosen: &[OfficeId], counters: &[OfficeId]) -> Result<Cast, Failure> {
        let [district, commune, ..] = counters else { return Err(bug("too few counters")) };
        let departments: Vec<OfficeId> =
            chosen.iter().copied().filter(|id| !counters.contains(id)).collect();
        let [lead, first, rest @ ..] = departments.as_slice() else {
            return Err(bug("too few departments"));
        };
        let second = rest.first().unwrap_or(commune);
        let (lead, agencies) = (*lead, [*first, *second]);
        Ok(Cast { lead, agencies, district: *district, commune: *commune })
    }

    pub(crate) fn turn_to(&self, moment: Moment, words: &str) {
        self.time.turn_to(moment);
        self.say(words);
    }

    /// The office of the provincial centre.
    pub(crate) fn root(&self) -> OfficeId {
        self.province.root
    }

    /// Asks the node of an office.
    pub(crate) async fn ask(&self, office: OfficeId, request: Request) -> Result<Value, Failure> {
        let node = self.nodes.get(&office).ok_or_else(|| bug("an office without a node"))?;
        node.ask(request).await
    }

    /// What an office shows of a dossier.
    pub(crate) async fn show(&self, office: OfficeId, dossier: &str) -> Result<Value, Failure> {
        self.ask(office, Request::Show { dossier: dossier.to_owned() }).await
    }

    /// Receives a dossier of one procedure at the counter of an office, and says its document id.
    pub(crate) async fn receive(
        &self,
        office: OfficeId,
        procedure: &str,
        coordinating: &[OfficeId],
    ) -> Result<String, Failure> {
        let at = self.office(office).ok_or_else(|| bug("an unknown office"))?;
        let reception = self.catalogue.named((&self.province, at), procedure, coordinating)?;
        let officer = "cán bộ tiếp nhận".to_owned();
        let receive =
            Request::Receive { reception: Box::new(reception), officer, registered: false };
        let received = self.ask(office, receive).await?;
        Ok(received["id"].as_str().unwrap_or_default().to_owned())
    }

    /// Waits until an office holds a dossier with at least so many acts.
    pub(crate) async fn holds(
        &self,
        office: OfficeId,
        dossier: &str,
        acts: usize,
    ) -> Result<(), Failure> {
        self.until("a dossier at another office", async || {
            let known = self.show(office, dossier).await;
            Ok(known.is_ok_and(|known| known["acts"].as_array().map_or(0, Vec::len) >= acts))
        })
        .await
    }

    /// Waits until something is so.
    pub(crate) async fn until(
        &self,
        what: &str,
        is_so: impl AsyncFn() -> Result<bool, Failure>,
    ) -> Result<(), Failure> {
        let began = Instant::now();
        let mut tick = tokio::time::interval(LOOK_EVERY);
        while began.elapsed() < SETTLE_TIME_LIMIT {
            tick.tick().await;
            if is_so().await? {
                return Ok(());
            }
        }
        let why = format!("{what} is not there after {} s", SETTLE_TIME_LIMIT.as_secs());
        Err(Failure::failed("not-settled", "the demonstration failed", why, "report this"))
    }

    /// Lets an office join. Its address goes along: what the registry knows from the start is no
    /// change to it, which every node would take in.
    async fn join(&self, office: OfficeId) -> Result<(Folder, Place), Failure> {
        let hub = self.province.root;
        let invite = Request::Invite { office, valid_hours: 1 };
        let code = call(&socket_of(&self.path(hub)), &(&invite).into()).await?;
        let code = code["code"].as_str().unwrap_or_default();
        let place = Place::keep()?;
        let addresses = std::slice::from_ref(&place.address);
        let folder = setup::join(&self.path(office), code, addresses, || {}).await?;
        self.say(&format!("{}: tham gia bằng mã / joins with a code", self.name(office)));
        Ok((folder, place))
    }

    pub(crate) async fn stop(self) -> Result<(), Failure> {
        let mut stopping = JoinSet::new();
        for node in self.nodes.into_values() {
            stopping.spawn(node.stop());
        }
        while let Some(stopped) = stopping.join_next().await {
            stopped.map_err(|error| bug(&error.to_string()))??;
        }
        Ok(())
    }
}

pub(crate) fn bug(why: &str) -> Failure {
    Failure::failed("demo-bug", "no demonstration", why, "report this")
}

/// The first day of the stage: Monday, 5 June 2017, 08:00 in Vietnam.
const FIRST_DAY: Moment = Moment(1_496_624_400_000);
/// What the hub publishes.
const PUBLICATIONS: &[(Publishing, &str, &str)] = &[
    (Publishing::Catalogue, "procedures.toml", PROCEDURES),
    (
        Publishing::Calendar,
        "calendar-2017.toml",
        include_str!("../../config/quang-nam/calendar-2017.toml"),
    ),
    (
        Publishing::Calendar,
        "calendar-2018.toml",
        include_str!("../../config/quang-nam/calendar-2018.toml"),
    ),
];
/// The reference province, part of the program.
const PROVINCE: &str = include_str!("../../config/quang-nam/province.toml");
/// How long the whole province may take to settle after the last cut.
pub(crate) const SETTLE_TIME_LIMIT: Duration = Duration::from_secs(300);
/// How often the offices are asked how far they are.
pub(crate) const LOOK_EVERY: Duration = Duration::from_millis(50);
/// Memory for the indexes of all nodes together, bytes; each gets its part, 1 to 16 MiB.
const CACHE_BYTES: usize = 256 << 20;
