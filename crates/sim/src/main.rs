//! `sim`: the command line of the simulated world.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::ExitCode;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use clap::{Args, Parser, Subcommand};
use lienthong_sim::{Counts, Fault, Outcome, Plan, run, run_told, shrink};

/// Runs worlds from seeds and looks for what breaks.
#[derive(Parser)]
#[command(name = "sim", version)]
struct Line {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Plays the world of one seed.
    Run(One),
    /// Plays many seeds, on all the cores that it is given.
    Weeks(Many),
    /// Plays the worlds of some seeds with 270 offices.
    Province {
        /// How many seeds.
        #[arg(long, default_value_t = 20)]
        seeds: u32,
        /// The first seed.
        #[arg(long, default_value_t = 1)]
        from: u64,
        /// How many worlds are played at once.
        #[arg(long, default_value_t = 2)]
        jobs: usize,
    },
    /// Looks for a smaller world in which a seed still fails.
    Shrink(One),
}

#[derive(Args)]
struct Many {
    /// How many weeks of virtual time; none: as many as fit the minutes.
    #[arg(long)]
    weeks: Option<u64>,
    /// For how many minutes of real time new seeds are begun.
    #[arg(long)]
    minutes: Option<f64>,
    /// The first seed.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Kinds of fault to leave out of every seed's mix, with commas between them.
    #[arg(long, default_value = "none")]
    without: String,
    /// How many worlds are played at once.
    #[arg(long, default_value_t = 2)]
    jobs: usize,
}

#[derive(Args)]
struct One {
    /// The seed.
    seed: u64,
    /// Offices at the start, instead of those that the seed draws.
    #[arg(long)]
    offices: Option<u16>,
    /// Days.
    #[arg(long)]
    days: Option<u16>,
    /// Acts in a week.
    #[arg(long)]
    acts: Option<u32>,
    /// How often faults strike, in percent.
    #[arg(long)]
    intensity: Option<u16>,
    /// After how many minutes each link is asked for its time.
    #[arg(long)]
    ping: Option<u16>,
    /// Whether dossiers are real ones.
    #[arg(long)]
    real: Option<bool>,
    /// The kinds of fault, with commas between them; `none` for none.
    #[arg(long)]
    faults: Option<String>,
    /// Prints the journal.
    #[arg(long)]
    log: bool,
}

impl One {
    fn plan(&self) -> Result<Plan, String> {
        let mut plan = Plan::draw(self.seed);
        plan.offices = self.offices.unwrap_or(plan.offices).clamp(2, 400);
        plan.days = self.days.unwrap_or(plan.days).max(1);
        plan.acts = self.acts.unwrap_or(plan.acts);
        plan.intensity_percent = self.intensity.unwrap_or(plan.intensity_percent);
        plan.ping_minutes = self.ping.unwrap_or(plan.ping_minutes).max(1);
        plan.real = self.real.unwrap_or(plan.real);
        if let Some(words) = &self.faults {
            plan.faults = faults_of(words)?;
        }
        Ok(plan)
    }
}

/// Reads kinds of fault, with commas between them.
fn faults_of(words: &str) -> Result<BTreeSet<Fault>, String> {
    let words = words.split(',').filter(|word| *word != "none");
    words.map(|word| Fault::named(word).ok_or(format!("no fault is called {word}"))).collect()
}

fn main() -> ExitCode {
    match Line::parse().command {
        Command::Run(one) => with(&one, |plan| {
            let outcome = if one.log { run_told(plan) } else { run(plan) };
            tell(outcome.journal.trim_end());
            report(&outcome)
        }),
        Command::Weeks(many) => play_many(&many, Plan::draw),
        Command::Province { seeds, from, jobs } => {
            let (weeks, minutes, without) = (Some(u64::from(seeds)), None, "none".into());
            play_many(&Many { weeks, minutes, from, without, jobs }, Plan::province)
        }
        Command::Shrink(one) => with(&one, |plan| report(&shrink(plan, 500))),
    }
}

/// Plays seed after seed, prints those that fail, and the totals.
fn play_many(many: &Many, draw: fn(u64) -> Plan) -> ExitCode {
    let without = match faults_of(&many.without) {
        Ok(without) => without,
        Err(words) => {
            tell(&words);
            return ExitCode::from(64);
        }
    };
    let begun = Instant::now();
    let until = many.minutes.map(|minutes| begun + Duration::from_secs_f64(minutes * 60.0));
    let most = many.weeks.unwrap_or(if until.is_some() { u64::MAX } else { 100 });
    let next = AtomicU64::new(0);
    let totals = Mutex::new(Totals::default());
    let play = || {
        while until.is_none_or(|until| Instant::now() < until) {
            let number = next.fetch_add(1, Ordering::Relaxed);
            if number >= most {
                break;
            }
            let mut plan = draw(many.from + number);
            plan.faults.retain(|fault| !without.contains(fault));
            let outcome = run_caught(&plan);
            let mut totals = totals.lock().unwrap_or_else(PoisonError::into_inner);
            totals.add(&outcome);
        }
    };
    std::thread::scope(|scope| (0..many.jobs.max(1)).for_each(|_| drop(scope.spawn(play))));
    let totals = totals.into_inner().unwrap_or_else(PoisonError::into_inner);
    let Totals { runs, weeks, failed, counts } = totals;
    let minutes = begun.elapsed().as_secs_f64() / 60.0;
    tell(&format!(
        "{runs} runs, {weeks:.1} weeks in {minutes:.1} min, {failed} failed; {counts:?}"
    ));
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Plays a plan; a panic is a promise that was not kept, so that its seed is told too.
fn run_caught(plan: &Plan) -> Outcome {
    std::panic::catch_unwind(|| run(plan)).unwrap_or_else(|_| Outcome {
        plan: plan.clone(),
        broken: Some("it panicked, as said above".into()),
        digest: [0; 32],
        journal: String::new(),
        counts: Counts::default(),
    })
}

#[derive(Default)]
struct Totals {
    runs: u64,
    weeks: f64,
    failed: u64,
    counts: Counts,
}

impl Totals {
    fn add(&mut self, outcome: &Outcome) {
        self.runs += 1;
        self.weeks += outcome.plan.weeks();
        self.counts.add(&outcome.counts);
        if outcome.broken.is_some() {
            self.failed += 1;
            report(outcome);
        }
    }
}

fn with(one: &One, play: impl FnOnce(&Plan) -> ExitCode) -> ExitCode {
    match one.plan() {
        Ok(plan) => play(&plan),
        Err(words) => {
            tell(&words);
            ExitCode::from(64)
        }
    }
}

fn report(outcome: &Outcome) -> ExitCode {
    let digest: String = outcome.digest[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    tell(&format!("{:?} journal {digest}", outcome.counts));
    match &outcome.broken {
        None => ExitCode::SUCCESS,
        Some(words) => {
            tell(&format!("seed {} broke: {words}", outcome.plan.seed));
            let commit = option_env!("LIENTHONG_COMMIT").unwrap_or("unknown");
            tell(&format!("commit: {commit}"));
            tell(&format!("again: cargo run -p lienthong-sim --bin sim -- {}", outcome.plan));
            ExitCode::FAILURE
        }
    }
}

fn tell(words: &str) {
    // Nobody may be reading.
    drop(writeln!(std::io::stdout(), "{words}"));
}
