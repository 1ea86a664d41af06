//! `flokkr completions`: completions for a shell, from the same definitions as the help.

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::{SAME, Session};
use crate::cli::Cli;

pub(super) fn run(shell: Shell, session: &mut Session) -> Option<u8> {
    let mut out = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "flokkr", &mut out);
    session.print(&String::from_utf8_lossy(&out))?;
    Some(SAME)
}
