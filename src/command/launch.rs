//! `flokkr launch`: the entrypoint of a container.

use super::{ERROR, SAME, Session};
use crate::cli::Launch;
use crate::env::Dialect;
use crate::launch::machine::{self, Ended};
use crate::launch::{self, Choices};
use crate::problem::{Problem, one_of};

pub(super) fn run(typed: &Launch, session: &mut Session) -> Option<u8> {
    let Launch {
        dry_run,
        init,
        conf,
        dialect,
        command,
    } = typed;
    let dialect = match dialect.as_deref().map(|name| (name, Dialect::parse(name))) {
        None => None,
        Some((_, Some(dialect))) => Some(dialect),
        Some((name, None)) => {
            let names = || Dialect::ALL.into_iter().map(Dialect::name);
            let problem = Problem::error("usage", format!("there is no dialect `{name}`"));
            let problem = problem.help(format!("expected {}", one_of(names())));
            session.problems.add(problem.nearest(name, names()));
            return None;
        }
    };
    if let Some(conf) = conf.as_ref().filter(|conf| !conf.is_absolute()) {
        let problem = Problem::error("usage", format!("--conf is `{conf}`"));
        session
            .problems
            .add(problem.help("expected an absolute path"));
        return None;
    }
    let (env, garbled) = machine::environment();
    let choices = Choices {
        dialect,
        directory: conf.clone(),
    };
    let launch = launch::read(
        command.clone(),
        &env,
        &garbled,
        &choices,
        &mut session.problems,
    )?;
    machine::check(&launch, &mut session.problems)?;
    if *dry_run {
        session.print(&launch::describe(&launch))?;
        return Some(SAME);
    }
    // Warnings come before whatever the process says, and it may not come back here.
    session.report();
    session.problems = crate::problem::Problems::default();
    match machine::run(&launch, &env, *init) {
        Ended::Process(code) => Some(code),
        Ended::Failed(failure) => {
            session.say(&format!(
                "flokkr launch: {}",
                launch::masked(&failure.message)
            ));
            Some(if failure.code == 0 {
                ERROR
            } else {
                failure.code
            })
        }
    }
}
