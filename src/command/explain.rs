//! `flokkr explain`: what the processes of a service are given, and where each value comes from.

use super::{SAME, Session};
use crate::cli::{Explain, MessageFormat};
use crate::explain::{self, Chosen, Made, Part};
use crate::pipeline::{self, Lowered};
use crate::problem::Problems;
use crate::target::{self, Layout, Target};
use crate::workspace;

pub(super) fn run(typed: &Explain, session: &mut Session) -> Option<u8> {
    let Explain {
        words,
        target,
        replica,
        format,
        full,
        input,
    } = typed;
    let (blueprint, service) = meant(typed, session)?;
    let targets = match target {
        Some(word) => session.targets(word)?,
        None => target::ALL.to_vec(),
    };
    let targets: Vec<_> = targets.into_iter().filter(|t| runs(*t)).collect();
    if targets.is_empty() {
        let word = target.as_deref().unwrap_or_default();
        return session.fail("usage", format!("the target `{word}` runs no processes"));
    }
    if service.is_none() && replica.is_some() {
        return session.fail("usage", "--replica needs the name of a service");
    }
    let loaded = session.cluster(blueprint, input)?;
    let (target, lowered) = lowered(&targets, &loaded, input.deny_warnings, session)?;
    session.denied(input)?;
    let Lowered {
        files: _,
        account,
        fields: _,
        plan,
        configured,
    } = &lowered;
    let mut chosen = match service {
        None => Chosen::default(),
        Some(word) => match explain::choose(plan, word, *replica) {
            Ok(chosen) => chosen,
            Err(problem) => {
                let mut problem = *problem;
                let is_service = problem.code == "unknown-service" && !word.contains('.');
                if is_service && words.len() == 1 && input.file.is_none() {
                    problem = problem.help(format!(
                        "`{word}` is taken for a service of ./blueprint.yaml: no file and no blueprint of the library has this name"
                    ));
                }
                session.problems.add(problem);
                return None;
            }
        },
    };
    let made = Made {
        cluster: &loaded.cluster,
        plan,
        target,
        configured: &**configured,
        account,
        sources: &session.sources,
    };
    let text = match (format, service) {
        (MessageFormat::Json, _) => explain::json(&explain::explain(made, &chosen)),
        (MessageFormat::Text, None) => explain::overview(plan, target.name()),
        (MessageFormat::Text, Some(_)) => {
            // The others of its containers are named, and can be asked for.
            if chosen.part == Part::All {
                chosen.part = Part::Main;
            }
            chosen.replica = chosen.replica.or(Some(0));
            explain::text(&explain::explain(made, &chosen), *full)
        }
    };
    session.print(&text)?;
    Some(SAME)
}

/// The blueprint and the service that the words mean. One word is the blueprint where there is one of
/// this name; but not where it could as well be a service of the blueprint that is here.
fn meant<'t>(
    typed: &'t Explain,
    session: &mut Session,
) -> Option<(Option<&'t str>, Option<&'t str>)> {
    let named = typed.input.file.is_some();
    match typed.words.as_slice() {
        [] => Some((None, None)),
        [one] if named => Some((None, Some(one))),
        [one] if !workspace::is_blueprint(one) => {
            // Without a blueprint here, the word is nothing at all.
            Some(if workspace::is_blueprint("blueprint.yaml") {
                (None, Some(one))
            } else {
                (Some(one), None)
            })
        }
        [one] => {
            if workspace::is_blueprint("blueprint.yaml") && is_service_here(one, typed, session) {
                return session.fail(
                    "usage",
                    format!(
                        "`{one}` is a blueprint and a service of ./blueprint.yaml: name the blueprint with -f"
                    ),
                );
            }
            Some((Some(one), None))
        }
        [_, _, ..] if named => {
            session.fail("usage", "name the blueprint once: with -f, or as a word")
        }
        [blueprint, service, ..] => Some((Some(blueprint), Some(service))),
    }
}

/// Has the blueprint that is here a service of this name?
fn is_service_here(word: &str, typed: &Explain, session: &Session) -> bool {
    let mut other = Session::new(session.format);
    let loaded = other.cluster(None, &typed.input);
    loaded.is_some_and(|l| l.cluster.blueprint.services.has(word))
}

/// Has a target anything to do with what processes are given?
fn runs(target: &dyn Target) -> bool {
    target.concerns("env")
}

/// The first target that takes the cluster. When none does, what the first one says. Warnings are for
/// who makes files, unless they are asked for.
fn lowered(
    targets: &[&'static dyn Target],
    loaded: &super::Loaded,
    deny_warnings: bool,
    session: &mut Session,
) -> Option<(&'static dyn Target, Lowered)> {
    let mut first = None;
    let mut refusing = Vec::new();
    for target in targets {
        let mut problems = Problems::default();
        let lowered = pipeline::lower(
            &loaded.cluster,
            loaded.origin(),
            *target,
            Layout::Several,
            &session.sources,
            &mut problems,
        );
        let lowered = lowered.map(|mut lowered| {
            problems.extend(std::mem::take(&mut lowered.account.problems));
            lowered
        });
        let has_errors = problems.has_errors() || session.problems.has_errors();
        if let Some(lowered) = lowered.filter(|_| !has_errors) {
            if deny_warnings {
                session.problems.extend(problems);
            }
            if !refusing.is_empty() {
                session.say(&format!(
                    "explained for {}; `flokkr check` says why not for {}",
                    target.name(),
                    refusing.join(" and ")
                ));
            }
            return Some((*target, lowered));
        }
        refusing.push(target.name());
        first.get_or_insert(problems);
    }
    session.problems.extend(first.unwrap_or_default());
    None
}
