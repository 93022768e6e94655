//! `crash`: puts stores through everything that a disk can do, and counts.

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use lienthong_crash::{flip_index, flip_log, inject, survey};

/// Puts stores through everything that a disk can do, and counts.
#[derive(Parser)]
#[command(name = "crash", version)]
struct Line {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Opens every state in which a power cut can leave the disk.
    Images {
        /// The seed of the first life; the next life has the next seed.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// How many images at least.
        #[arg(long, default_value_t = 1_000_000)]
        count: u64,
        /// About how many states of one file are looked for at each moment.
        #[arg(long, default_value_t = 400)]
        most: usize,
    },
    /// Injects every fault at every call of a store's work.
    Faults {
        /// The seed of the first work; the next work has the next seed.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// How many works.
        #[arg(long, default_value_t = 20)]
        works: u64,
    },
    /// Flips single bits in the log and in the index on disk.
    Flips {
        /// The seed of the flips.
        #[arg(long, default_value_t = 1)]
        seed: u64,
        /// How many bits of the log.
        #[arg(long, default_value_t = 90_000)]
        log: u64,
        /// How many bits of the index.
        #[arg(long, default_value_t = 10_000)]
        index: u64,
    },
}

fn main() -> ExitCode {
    let outcome = match Line::parse().command {
        Command::Images { seed, count, most } => images(seed, count, most),
        Command::Faults { seed, works } => faults(seed, works),
        Command::Flips { seed, log, index } => flips(seed, log, index),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(words) => {
            tell(&words);
            ExitCode::FAILURE
        }
    }
}

fn images(seed: u64, count: u64, most: usize) -> Result<(), String> {
    let survey = survey(seed, count, most).map_err(|failure| {
        let again = format!("crash images --seed {} --count 1 --most {most}", failure.seed);
        format!("{}\nagain: {again}", chain(&*failure))
    })?;
    tell(&survey.to_string());
    Ok(())
}

fn faults(seed: u64, works: u64) -> Result<(), String> {
    for seed in seed..seed.saturating_add(works) {
        let injected = inject(seed).map_err(|harmed| {
            format!("{}\nagain: crash faults --seed {seed} --works 1", chain(&*harmed))
        })?;
        tell(&format!("seed {seed}: {injected}"));
    }
    Ok(())
}

fn flips(seed: u64, log: u64, index: u64) -> Result<(), String> {
    // Sled panics on what it holds impossible; the store takes that for an answer.
    std::panic::set_hook(Box::new(|_| {}));
    let flipped = flip_log(seed, log).map_err(|flipped| chain(&*flipped))?;
    tell(&format!("log: {flipped}"));
    let flipped = flip_index(seed, index).map_err(|error| chain(&error))?;
    tell(&format!("index: {flipped}"));
    Ok(())
}

fn chain(error: &dyn Error) -> String {
    let mut words = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        words = format!("{words}: {error}");
        next = error.source();
    }
    words
}

fn tell(words: &str) {
    // Nobody may be reading.
    drop(writeln!(std::io::stdout(), "{words}"));
}
