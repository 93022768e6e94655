//! `serve`: a node that runs until it is told to stop, its log, and the progress of a first load.

use std::io::{IsTerminal, Write};
use std::path::Path;
use std::time::{Duration, Instant};

use clap::Args;
use indicatif::{MultiProgress, ProgressBar, ProgressStyle};
use lienthong::{Node, Pages};
use lienthong_folder::{Flags, Folder, LogFormat, Settings};
use lienthong_request::{Failure, Request};
use serde_json::Value;
use tokio::signal::unix::{Signal, SignalKind, signal};

/// How long a stop may take before the process ends all the same.
const STOP_TIME_LIMIT: Duration = Duration::from_secs(10);
/// How often the node is looked at, whether it has failed and how far its first load is: where a
/// terminal shows it, and elsewhere.
const SHOW_EVERY: Duration = Duration::from_millis(250);
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How often a first load is told where no terminal shows it.
const TELL_EVERY: Duration = Duration::from_secs(10);

/// How a node is run, as it is typed.
#[derive(Args)]
pub(crate) struct Serve {
    /// Where to listen, as `host:port`.
    #[arg(long)]
    pub(crate) listen: Option<String>,
    /// What to tell others to dial, if not the address listened at.
    #[arg(long)]
    pub(crate) advertise: Option<String>,
    /// Where to serve the web pages, as an address and port: beyond loopback with TLS only, under
    /// the names in the setting `http_names`; a folder that has not joined is served at
    /// 127.0.0.1:8080.
    #[arg(long)]
    pub(crate) http: Option<String>,
}

/// Runs the node of a data folder.
pub(crate) async fn serve(data: &Path, serve: Serve) -> Result<(), Failure> {
    let flags = Flags { listen: serve.listen, advertise: serve.advertise, http: serve.http };
    let settings = Settings::load(data, std::env::vars(), &flags)?;
    let bars = MultiProgress::new();
    start_log(&settings.log_level, settings.log_format, &bars);
    let mut signals = Signals::new()?;
    let mut pages = Pages::open(data, &settings).await?;
    if let Some(pages) = &pages {
        tell_where(pages);
    }
    let node = match &mut pages {
        Some(pages) if !Folder::has_joined(data) => tokio::select! {
            node = pages.first_node() => node,
            () = signals.told() => None,
        },
        _ => Some(Box::pin(Node::start(Folder::open(data)?, &settings)).await?),
    };
    let ended = match node {
        Some(node) => Box::pin(run(node, pages.as_ref(), signals, bars)).await,
        None => Ok(()),
    };
    if let Some(pages) = pages {
        pages.close().await;
    }
    ended
}

/// Says where the pages are, and to whoever started a program that nobody administers yet, how to
/// begin. The code in it is for that terminal alone: it is no event of the log.
fn tell_where(pages: &Pages) {
    tracing::info!(address = %pages.address(), origin = pages.origin(), "pages");
    if let Some(fingerprint) = pages.fingerprint() {
        crate::tell(&format!(
            "chứng thư tự ký của {origin}, so vân tay SHA-256 khi trình duyệt hỏi / \
             self-signed certificate of {origin}, compare its SHA-256 when the browser asks:\n\
             {fingerprint}",
            origin = pages.origin()
        ));
    }
    if let Some(opening) = pages.opening() {
        crate::tell(&format!("thiết lập tại / set up at {opening}"));
    }
}

async fn run(
    node: Node,
    pages: Option<&Pages>,
    signals: Signals,
    bars: MultiProgress,
) -> Result<(), Failure> {
    if let Some(pages) = pages {
        pages.show(&node);
    }
    let office = node.membership().office;
    tracing::info!(%office, address = %node.address(), "serving");
    wait_for_end(&node, signals, bars).await;
    tracing::info!("stopping");
    let stopping = tokio::time::timeout(STOP_TIME_LIMIT, node.stop());
    stopping.await.unwrap_or_else(|_| {
        let remedy = "nothing: the next start replays what is missing";
        Err(Failure::failed("slow-stop", "not stopped cleanly", "10 s were not enough", remedy))
    })
}

/// Starts the log on standard error, between the lines of the progress bars.
pub(crate) fn start_log(level: &str, format: LogFormat, bars: &MultiProgress) {
    // Automerge tells of every change that it cannot load, with its contents; the node tells of
    // them without.
    let filter = tracing_subscriber::EnvFilter::new(format!("{level},automerge=off"));
    let bars = bars.clone();
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(std::io::stderr().is_terminal())
        .with_writer(move || BesideBars(bars.clone()));
    match format {
        LogFormat::Text => log.init(),
        LogFormat::Json => log.json().init(),
    }
    std::panic::set_hook(Box::new(|panic| {
        // The place alone: a message may hold what a peer or a person sent.
        let place = panic.location().map(ToString::to_string);
        tracing::error!(place, "panic");
    }));
}

/// The signals that tell the program to stop.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> Result<Signals, Failure> {
        let no_signals = |error: std::io::Error| {
            Failure::failed("no-signals", "not started", error.to_string(), "report this")
        };
        let terminate = signal(SignalKind::terminate()).map_err(no_signals)?;
        let interrupt = signal(SignalKind::interrupt()).map_err(no_signals)?;
        Ok(Signals { terminate, interrupt })
    }

    async fn told(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

async fn wait_for_end(node: &Node, mut signals: Signals, bars: MultiProgress) {
    let is_shown = std::io::stderr().is_terminal();
    let mut look = tokio::time::interval(if is_shown { SHOW_EVERY } else { LOOK_EVERY });
    let mut first_load = FirstLoad::new(bars);
    loop {
        tokio::select! {
            () = signals.told() => return,
            _ = look.tick() => {
                if node.has_failed() {
                    return;
                }
                // A node that does not answer fails in a moment; the next look sees it.
                if let Ok(status) = node.ask(Request::Status).await {
                    first_load.show(Load::of(&status));
                }
            }
        }
    }
}

/// How much of what the peers hold is here, on links that are not settled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Load {
    changes: u64,
    total: u64,
}

impl Load {
    /// `None` while no peer is known to hold more than this node.
    fn of(status: &Value) -> Option<Load> {
        let counts = |link: &Value| {
            let (here, there) = (&link["shared_changes"], &link["peer_changes"]);
            let (here, there) = (here.as_u64()?, there.as_u64()?);
            (link["settled"] == false && there > here).then_some((here, there))
        };
        let links = status["links"].as_array().into_iter().flatten();
        links.filter_map(counts).fold(None, |load, (here, there)| {
            let Load { changes, total } = load.unwrap_or(Load { changes: 0, total: 0 });
            Some(Load { changes: changes + here, total: total + there })
        })
    }
}

/// Shows a load as it goes: a bar on a terminal, an event now and then elsewhere.
struct FirstLoad {
    bars: MultiProgress,
    bar: Option<ProgressBar>,
    told: Option<Instant>,
}

impl FirstLoad {
    fn new(bars: MultiProgress) -> FirstLoad {
        FirstLoad { bars, bar: None, told: None }
    }

    fn show(&mut self, load: Option<Load>) {
        match load {
            Some(load) if std::io::stderr().is_terminal() => {
                let bars = &self.bars;
                let bar = self.bar.get_or_insert_with(|| bars.add(load_bar()));
                bar.set_length(load.total);
                bar.set_position(load.changes);
            }
            Some(Load { changes, total }) => {
                if self.told.is_none_or(|told| told.elapsed() >= TELL_EVERY) {
                    self.told = Some(Instant::now());
                    tracing::info!(changes, total, "loading");
                }
            }
            None => {
                if let Some(bar) = self.bar.take() {
                    bar.finish_and_clear();
                    self.bars.remove(&bar);
                }
                self.told = None;
            }
        }
    }
}

fn load_bar() -> ProgressBar {
    let style = ProgressStyle::with_template(
        "đang tải / loading {bar:30} {human_pos} / {human_len} thay đổi / changes, còn / eta {eta}",
    );
    ProgressBar::new(0).with_style(style.expect("the template is a constant that parses"))
}

/// Standard error, written to while the bars stand aside.
struct BesideBars(MultiProgress);

impl Write for BesideBars {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.suspend(|| std::io::stderr().write_all(bytes))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        std::io::stderr().flush()
    }
}

#[cfg(test)]
#[path = "serve_tests.rs"]
mod tests;
