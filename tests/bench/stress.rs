//! Sixty real processes at work for five minutes while they are killed and cut off. `README.md`
//! beside this file says how to run it and what it gave.

use std::process::ExitCode;
use std::str::FromStr;
use std::time::Duration;

use lienthong_tests::{Outcome, Stress, stress};

#[tokio::main]
async fn main() -> ExitCode {
    let what = Stress {
        offices: setting("STRESS_OFFICES", 60),
        time: Duration::from_secs(setting("STRESS_SECONDS", 300)),
        seed: setting("STRESS_SEED", 1),
        pause: Duration::from_millis(setting("STRESS_PAUSE_MS", 6_000)),
    };
    let outcome = stress(what).await;
    print(&what, &outcome);
    let is_good = outcome.lost.is_empty() && outcome.settled_after.is_some();
    if is_good { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn setting<T: FromStr>(name: &str, otherwise: T) -> T {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(otherwise)
}

#[expect(clippy::print_stdout, reason = "figures are what this program is for")]
fn print(what: &Stress, outcome: &Outcome) {
    let peaks = &outcome.node_peaks_kib;
    let mib = |kib: u64| kib as f64 / 1_024.0;
    let at = |part: usize| peaks.get(part).copied().map_or(0.0, mib);
    println!("processes            {}", what.offices);
    println!("under stress         {} s, seed {}", what.time.as_secs(), what.seed);
    println!("killed               {} times", outcome.kills);
    println!("cut off              {} times", outcome.cuts);
    println!("acknowledged         {} receptions and acts", outcome.acknowledged);
    println!("lost                 {}", outcome.lost.len());
    match outcome.settled_after {
        Some(after) => println!("settled after        {:.1} s", after.as_secs_f64()),
        None => println!("settled              NEVER"),
    }
    println!("peak memory, hub     {:.1} MiB", mib(outcome.hub_peak_kib));
    println!(
        "peak memory, a node  {:.1} MiB median, {:.1} to {:.1}",
        at(peaks.len() / 2),
        at(0),
        at(peaks.len().saturating_sub(1)),
    );
    outcome.lost.iter().take(20).for_each(|lost| println!("LOST {lost}"));
}
