//! `flokkr status`: what runs of the clusters on this machine. Exit code 1 when something that should
//! run does not.

use std::fmt::Write as _;

use super::{DRIFT, SAME, Session, local};
use crate::cli::Status;
use crate::target::{Phase, Runner, State};
use crate::workspace;

pub(super) fn run(typed: &Status, session: &mut Session) -> Option<u8> {
    let Status { cluster, state } = typed;
    let (_, runner) = local::runner()?;
    let state = session.state(state.as_deref())?;
    session.tools(runner)?;
    if let Some(word) = cluster {
        let name = session.cluster_name(Some(word), &state)?;
        let states = session.states(runner, &name)?;
        session.print(&table(&name, &states))?;
        let good = !states.is_empty() && states.iter().all(|state| state.phase.is_good());
        return Some(if good { SAME } else { DRIFT });
    }
    all(&workspace::kept(&state), runner, session)
}

/// A line for each cluster.
fn all(names: &[String], runner: &dyn Runner, session: &mut Session) -> Option<u8> {
    if names.is_empty() {
        session.say("no cluster was started here; try `flokkr up hdfs`, or `flokkr list`");
        return Some(SAME);
    }
    let mut out = String::new();
    let mut worst = SAME;
    for name in names {
        let states = session.states(runner, name)?;
        let _ = writeln!(out, "{name:<24} {}", summary(&states));
        if states.iter().any(|state| !state.phase.is_good()) {
            worst = DRIFT;
        }
    }
    session.print(&out)?;
    Some(worst)
}

fn summary(states: &[State]) -> String {
    let ended = |state: &&State| matches!(state.phase, Phase::Ended(0));
    let lasting = states.len() - states.iter().filter(ended).count();
    let good = states.iter().filter(|state| state.phase.is_good());
    let good = good.filter(|state| !ended(state)).count();
    match lasting {
        0 => "down".to_owned(),
        _ => format!("{good} of {lasting} containers well"),
    }
}

fn table(name: &str, states: &[State]) -> String {
    let mut out = String::new();
    if states.is_empty() {
        let _ = writeln!(out, "{name} is down");
    }
    let mut states: Vec<&State> = states.iter().collect();
    states.sort_by_key(|state| (matches!(state.phase, Phase::Ended(0)), &state.service));
    let width = states.iter().map(|s| s.service.len()).max().unwrap_or(0);
    for state in states {
        let ports: Vec<String> = state.ports.iter().map(ToString::to_string).collect();
        let line = format!(
            "{:<width$}  {:<12} {}",
            state.service,
            state.phase.to_string(),
            ports.join(" ")
        );
        let _ = writeln!(out, "{}", line.trim_end());
    }
    out
}
