//! The `flokkr` command: parses what was typed, runs it, gives the exit code.

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    flokkr::command::run(flokkr::cli::Cli::parse())
}
