//! Needs: that each names a service and a port that exist, and that they do not go in a circle.

use std::collections::HashMap;

use super::names::{PortTable, unknown};
use crate::blueprint::{At, Blueprint, Kind, Service};
use crate::problem::{Problem, Problems, Span};

pub(super) fn check(
    blueprint: &Blueprint,
    services: &HashMap<&str, &Service>,
    ports: &PortTable<'_>,
    problems: &mut Problems,
) {
    let mut edges: HashMap<&str, Vec<(&str, Span)>> = HashMap::new();
    for (key, service) in blueprint.services.iter() {
        for need in &service.needs.list {
            let (name, port) = split(&need.what.value);
            let span = need.what.span;
            let Some((name, needed)) = services.get_key_value(name) else {
                if !blueprint.services.has(name) {
                    problems.add(unknown("service", name, span, blueprint.services.names()));
                }
                continue;
            };
            if let Some(port) = port {
                let known = ports.get(name).cloned().unwrap_or_default();
                known.check(port, span, problems);
                if needed.kind.is_some_and(|k| k.value == Kind::Job) {
                    problems.add(
                        Problem::error(
                            "wrong-value",
                            format!("`{name}` is a job: it ends, it does not listen"),
                        )
                        .at(span)
                        .label(format!(
                            "expected `{name}`, which waits until it ended well"
                        )),
                    );
                }
            }
            profiles(key, service, name, needed, span, problems);
            edges.entry(&*key.value).or_default().push((name, span));
        }
    }
    cycles(blueprint, &edges, problems);
}

/// A service that is always there can't need one that is only there with a profile.
fn profiles(
    key: &At<std::sync::Arc<str>>,
    service: &Service,
    name: &str,
    needed: &Service,
    span: Span,
    problems: &mut Problems,
) {
    let has = |p: &str| needed.profiles.iter().any(|n| n.value == p);
    let covered = needed.profiles.is_empty()
        || (!service.profiles.is_empty() && service.profiles.iter().all(|p| has(&p.value)));
    if !covered {
        problems.add(
            Problem::error(
                "profile",
                format!(
                    "`{}` needs `{name}`, which is there only with a profile",
                    key.value
                ),
            )
            .at(span)
            .label("expected a service that is there whenever this one is")
            .help(format!(
                "give `{}` the same `profiles`, or take them from `{name}`",
                key.value
            )),
        );
    }
}

/// `service.port` in its parts.
pub(super) fn split(what: &str) -> (&str, Option<&str>) {
    match what.split_once('.') {
        Some((name, port)) => (name, Some(port)),
        None => (what, None),
    }
}

fn cycles(
    blueprint: &Blueprint,
    edges: &HashMap<&str, Vec<(&str, Span)>>,
    problems: &mut Problems,
) {
    let mut done: HashMap<&str, bool> = HashMap::new();
    for start in blueprint.services.names() {
        // Depth first with a stack of our own: a chain of 10,000 services is fine.
        let mut way: Vec<(&str, usize)> = vec![(start, 0)];
        while let Some((name, next)) = way.last_mut() {
            let name = *name;
            if *next == 0 && done.contains_key(name) {
                way.pop();
                continue;
            }
            if *next == 0 {
                done.insert(name, false);
            }
            let edge = edges.get(name).and_then(|list| list.get(*next));
            *next += 1;
            match edge {
                None => {
                    done.insert(name, true);
                    way.pop();
                }
                Some((to, span)) if done.get(to) == Some(&false) => {
                    let names: Vec<&str> = way.iter().map(|(n, _)| *n).collect();
                    let from = names.iter().position(|n| n == to).unwrap_or(0);
                    let circle = names.get(from..).unwrap_or_default().join(" -> ");
                    problems.add(
                        Problem::error("cycle", "services need each other in a circle")
                            .at(*span)
                            .label(format!("{circle} -> {to}"))
                            .help("leave out the need of the one that retries by itself"),
                    );
                }
                Some((to, _)) => way.push((to, 0)),
            }
        }
    }
}
