//! A whole province on loopback, in one process, with real QUIC between its nodes.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Instant;

use lienthong_dossier::Reception;
use lienthong_folder::socket_of;
use lienthong_protocol::{Moment, OfficeId};
use lienthong_request::{Failure, Request, SCHEMA, call};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use crate::catalogue::{acts, choose};
use crate::stage::{LOOK_EVERY, SETTLE_TIME_LIMIT, Stage, bug};
use crate::story::Story;
use crate::tree::{HEADINGS, TreeLink, above, link_with, number, tree_links};

/// Monday, 12 June 2017, 08:30.
const WEEK_LATER: Moment = Moment(1_497_231_000_000);
/// Open files of one node, and of the process besides its nodes.
const FILES_PER_NODE: u64 = 32;
const FILES_BESIDES: u64 = 128;

/// How a demonstration ended.
pub struct Played {
    /// The last table as JSON.
    pub answer: Value,
    /// The last table in words.
    pub words: String,
    /// A failure if not every root is equal at both ends.
    pub outcome: Result<(), Failure>,
}

/// Plays the demonstration and tells it on standard error; the last papers are printed into the
/// folder `out`. 4 to 100 offices besides the hub, 1 to 100,000 dossiers.
pub async fn demo(offices: usize, dossiers: usize, out: &Path) -> Result<Played, Failure> {
    if !(4..=100).contains(&offices) || !(1..=100_000).contains(&dossiers) {
        let why = format!("{offices} offices and {dossiers} dossiers");
        let remedy = "4 to 100 offices, 1 to 100,000 dossiers";
        return Err(Failure::usage("demo-size", "no demonstration", why, remedy));
    }
    raise_file_limit(offices)?;
    let mut stage = Stage::new(offices)?;
    stage.found().await?;
    let chosen = choose(&stage.province, offices);
    stage.join_all(&chosen).await?;
    let counters = stage.counters(&chosen);
    let first = dossiers.div_ceil(3);
    stage.work(&counters, 0..first).await?;
    stage.say(&format!(
        "{first} hồ sơ đã tiếp nhận, mọi nơi đều nối / received, everything connected"
    ));
    let story = Story::begin(&stage, stage.cast(&chosen, &counters)?).await?;
    let cut: Vec<OfficeId> = counters.iter().copied().step_by(2).collect();
    stage.cut(&cut).await;
    stage.work(&counters, first..dossiers).await?;
    stage.say(&format!(
        "thêm {} hồ sơ, cả ở nơi bị cắt mạng / more received, also by offices cut off",
        dossiers - first
    ));
    stage.turn_to(WEEK_LATER, "một tuần sau, thứ Hai 12/06/2017 / a week later");
    story.a_week_later(&stage).await?;
    let returning = stage.reconnect(&cut).await?;
    stage.settle(returning).await?;
    story.end(&stage).await?;
    stage.settle(Vec::new()).await?;
    let papers = story.papers(&stage, out).await?;
    let played = stage.judge(&papers).await?;
    stage.stop().await?;
    Ok(played)
}

/// An office that comes back: how many of its changes are still to be sent, and were at first.
struct Returning {
    office: OfficeId,
    unsent: u64,
    left: u64,
    is_settled: bool,
}

impl Stage {
    /// Lets the hub and the offices receive these dossiers and work on them, all at once, each
    /// through the socket of its node.
    async fn work(
        &self,
        offices: &[OfficeId],
        numbers: std::ops::Range<usize>,
    ) -> Result<(), Failure> {
        let mut receiving = offices.to_vec();
        receiving.push(self.province.root);
        let mut counters = JoinSet::new();
        for (at, id) in receiving.iter().enumerate() {
            let Some(office) = self.office(*id) else { continue };
            let own = numbers.clone().filter(|number| number % receiving.len() == at);
            let receptions = own.map(|number| {
                let reception = self.catalogue.reception(&self.province, office, number);
                reception.map(|reception| (number, Box::new(reception)))
            });
            let receptions = receptions.collect::<Result<Vec<_>, Failure>>()?;
            counters.spawn(serve_counter(socket_of(&self.path(*id)), *id, receptions));
        }
        while let Some(worked) = counters.join_next().await {
            worked.map_err(|error| bug(&error.to_string()))??;
        }
        Ok(())
    }

    async fn cut(&mut self, offices: &[OfficeId]) {
        for office in offices {
            if let Some(node) = self.nodes.get_mut(office) {
                node.unplug().await;
            }
        }
        let names: Vec<&str> = offices.iter().map(|office| self.name(*office)).collect();
        self.say(&format!("cắt mạng / cut off: {}", names.join(", ")));
    }

    /// Brings offices back, and says what each of them has to send.
    async fn reconnect(&mut self, offices: &[OfficeId]) -> Result<Vec<Returning>, Failure> {
        let mut returning = Vec::new();
        for office in offices {
            let Some(node) = self.nodes.get_mut(office) else { continue };
            let status = node.ask(Request::Status).await?;
            let unsent = self.upward(*office, &status).map_or(0, |link| number(&link["unsent"]));
            returning.push(Returning { office: *office, unsent, left: unsent, is_settled: false });
        }
        for office in offices {
            if let Some(node) = self.nodes.get_mut(office) {
                node.plug().await?;
            }
        }
        self.say("nối lại mạng / the network is back");
        Ok(returning)
    }

    /// Waits until all is settled, telling how far each returning office is.
    async fn settle(&self, mut returning: Vec<Returning>) -> Result<(), Failure> {
        let began = Instant::now();
        let mut tick = tokio::time::interval(LOOK_EVERY);
        let mut told = usize::MAX;
        while began.elapsed() < SETTLE_TIME_LIMIT {
            tick.tick().await;
            let links = self.links().await?;
            for office in &mut returning {
                let own = links.iter().find(|link| link.office == office.office);
                if let Some(words) = own.and_then(|link| office.follow(link)) {
                    self.say(&format!("{}: {words}", self.name(office.office)));
                }
            }
            let open = links.iter().filter(|link| !link.is_equal()).count();
            if open != told {
                let (all, done) = (links.len(), links.len() - open);
                self.say(&format!("{done} / {all} liên kết đã khớp / links settled"));
                told = open;
            }
            if open == 0 {
                return Ok(());
            }
        }
        Ok(())
    }

    /// The links of the tree as both ends see them now.
    async fn links(&self) -> Result<Vec<TreeLink>, Failure> {
        let mut statuses = BTreeMap::new();
        for (office, node) in &self.nodes {
            statuses.insert(*office, node.ask(Request::Status).await?);
        }
        Ok(tree_links(&self.province, &statuses))
    }

    /// The link of an office with the nearest office above it.
    fn upward<'a>(&self, office: OfficeId, status: &'a Value) -> Option<&'a Value> {
        above(&self.province, office).into_iter().find_map(|peer| link_with(status, peer))
    }

    async fn judge(&self, papers: &[String]) -> Result<Played, Failure> {
        let links = self.links().await?;
        let unequal = links.iter().filter(|link| !link.is_equal()).count();
        let mut rows = vec![self.root_row().await?];
        rows.extend(links.iter().map(|link| link.row(self.name(link.office))));
        let table = lienthong_console::table(&HEADINGS, &rows);
        let answer = json!({
            "schema": SCHEMA,
            "seconds": self.began.elapsed().as_secs_f64(),
            "settled": unequal == 0,
            "links": links.iter().map(TreeLink::to_json).collect::<Vec<_>>(),
            "papers": papers,
        });
        if unequal == 0 {
            let end = "mọi gốc đều bằng nhau ở hai đầu / every root is equal at both ends";
            return Ok(Played { answer, words: format!("{table}\n\n{end}"), outcome: Ok(()) });
        }
        let limit = SETTLE_TIME_LIMIT.as_secs();
        let why = format!("{unequal} of {} links are not settled after {limit} s", links.len());
        let failure =
            Failure::failed("not-settled", "the demonstration failed", why, "report this");
        Ok(Played { answer, words: table, outcome: Err(failure) })
    }

    /// The root office has no office above it: its row tells what it holds.
    async fn root_row(&self) -> Result<Vec<String>, Failure> {
        let root = self.province.root;
        let changes = match self.nodes.get(&root) {
            Some(node) => number(&node.ask(Request::Status).await?["changes"]),
            None => 0,
        };
        let name = self.office(root).map_or("", |office| &office.kind);
        let mut row = vec![root.to_string(), name.to_owned(), changes.to_string()];
        row.resize(HEADINGS.len(), "-".to_owned());
        Ok(row)
    }
}

impl Returning {
    /// What there is to tell since it was last looked at.
    fn follow(&mut self, link: &TreeLink) -> Option<String> {
        let left = if link.is_settled { 0 } else { link.unsent.min(self.left) };
        let sent = self.unsent - left;
        let is_new = left != self.left;
        self.left = left;
        if link.is_settled && !self.is_settled {
            self.is_settled = true;
            let all = self.unsent;
            return Some(format!(
                "đã khớp, {all} / {all} thay đổi / settled, {all} of {all} changes"
            ));
        }
        let all = self.unsent;
        let words = format!("đã nối lại, {sent} / {all} thay đổi / back, {sent} of {all} changes");
        is_new.then_some(words)
    }
}

/// One office's counter: receives these dossiers, by number, and acts on each.
async fn serve_counter(
    socket: PathBuf,
    office: OfficeId,
    receptions: Vec<(usize, Box<Reception>)>,
) -> Result<(), Failure> {
    for (number, reception) in receptions {
        let decides = reception.offices.deciding() == office;
        let receive = Request::Receive {
            reception,
            officer: "cán bộ tiếp nhận".to_owned(),
            registered: false,
        };
        let received = call(&socket, &(&receive).into()).await?;
        // An office that is not competent takes in and decides nothing.
        if !decides {
            continue;
        }
        let dossier = received["id"].as_str().unwrap_or_default();
        for request in acts(dossier, office, number)? {
            call(&socket, &(&request).into()).await?;
        }
    }
    Ok(())
}

/// Raises the limit on open files as far as this process may, and says so if that is too low.
fn raise_file_limit(offices: usize) -> Result<(), Failure> {
    let needed = FILES_BESIDES + FILES_PER_NODE * (offices as u64 + 1);
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let most = maximum.unwrap_or(u64::MAX);
    if current.unwrap_or(u64::MAX) >= needed {
        return Ok(());
    }
    let raised = Rlimit { current: Some(needed.min(most)), maximum };
    if most >= needed && setrlimit(Resource::Nofile, raised).is_ok() {
        return Ok(());
    }
    let why = format!("{offices} offices need {needed} open files, the limit is {most}");
    let remedy = "raise it with `ulimit -Hn`, or give fewer --offices";
    Err(Failure::failed("few-files", "no demonstration", why, remedy))
}

#[cfg(test)]
#[path = "demo_tests.rs"]
mod tests;
