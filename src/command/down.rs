//! `flokkr down`: ends a cluster that runs on this machine, whatever state it is in.

use super::{ERROR, SAME, Session, local};
use crate::cli::Down;
use crate::machine;
use crate::workspace;

pub(super) fn run(typed: &Down, session: &mut Session) -> Option<u8> {
    let Down {
        cluster,
        volumes,
        state,
    } = typed;
    let (_, runner) = local::runner()?;
    let state = session.state(state.as_deref())?;
    let name = session.cluster_name(cluster.as_deref(), &state)?;
    session.tools(runner)?;
    match machine::show(&runner.end(&name, *volumes)) {
        Ok(true) => {}
        Ok(false) => return Some(ERROR),
        Err(e) => return session.fail("no-tool", format!("can't end {name}: {e}")),
    }
    if *volumes {
        if let Err(reason) = workspace::forget(&state, &name) {
            return session.fail("io", reason);
        }
        session.say(&format!("{name} is down, and its data is gone"));
    } else {
        session.say(&format!(
            "{name} is down; its data stays (`flokkr down {name} --volumes` removes it)"
        ));
    }
    Some(SAME)
}
