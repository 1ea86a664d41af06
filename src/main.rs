//! The `flokkr` command: parses what was typed, runs it, gives the exit code.

use std::process::ExitCode;

/// A run makes millions of small texts and ends: see docs/performance.md.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match flokkr::cli::parse(std::env::args_os()) {
        Ok(cli) => flokkr::command::run(cli),
        Err(refused) => flokkr::command::refuse(&refused),
    }
}
