//! `sim`: the command line of the simulated world.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Runs worlds from seeds and looks for what breaks.
#[derive(Parser)]
#[command(name = "sim", version)]
struct Line {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Says the first numbers that a seed draws.
    Draw {
        /// The seed.
        seed: u64,
    },
}

fn main() -> ExitCode {
    match Line::parse().command {
        Command::Draw { seed } => {
            let mut dice = lienthong_sim::Dice::new(seed);
            tell(&format!("{:x}", dice.draw()));
            ExitCode::SUCCESS
        }
    }
}

fn tell(words: &str) {
    use std::io::Write;
    // Nobody may be reading.
    drop(writeln!(std::io::stdout(), "{words}"));
}
