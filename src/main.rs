//! The `flokkr` command: parses what was typed, runs it, gives the exit code.

use std::process::ExitCode;

use clap::Parser as _;

/// A run makes millions of small texts and ends: see docs/performance.md.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    flokkr::command::run(flokkr::cli::Cli::parse())
}
