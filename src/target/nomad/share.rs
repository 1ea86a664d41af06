//! What several tasks of a job have alike, written once: their variables as `locals`.
//!
//! Files can't share locals with each other, so that each job has its own.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::model::{Env, Job};

/// Fewer variables are written out.
const LEAST: usize = 3;

/// Which variables of which tasks are written once.
#[derive(Debug, Default)]
pub(super) struct Locals<'a> {
    /// Names, and variables in the order of the first task that has them.
    pub(super) groups: Vec<(String, Vec<&'a Env>)>,
    /// By task: which locals it merges, and what it has besides.
    pub(super) tasks: BTreeMap<&'a str, (Vec<usize>, Vec<&'a Env>)>,
}

/// Finds what is shared.
pub(super) fn locals(job: &Job) -> Locals<'_> {
    let tasks = &job.group.tasks;
    // Which tasks have a variable with its value.
    let mut owners: BTreeMap<(&str, String), BTreeSet<usize>> = BTreeMap::new();
    for (at, task) in tasks.iter().enumerate() {
        for env in &task.env {
            owners.entry(key(env)).or_default().insert(at);
        }
    }
    let mut sets: Vec<(&BTreeSet<usize>, Vec<&Env>)> = Vec::new();
    for (at, task) in tasks.iter().enumerate() {
        for env in &task.env {
            let Some(set) = owners.get(&key(env)) else {
                continue;
            };
            if set.len() < 2 || set.first() != Some(&at) {
                continue;
            }
            match sets.iter_mut().find(|(s, _)| *s == set) {
                Some((_, members)) => members.push(env),
                None => sets.push((set, vec![env])),
            }
        }
    }
    sets.retain(|(_, members)| members.len() >= LEAST);
    let mut locals = Locals::default();
    for (_, members) in &sets {
        let name = name(members, &locals);
        locals.groups.push((name, members.clone()));
    }
    for (at, task) in tasks.iter().enumerate() {
        let merged: Vec<usize> = sets
            .iter()
            .enumerate()
            .filter(|(_, (set, _))| set.contains(&at))
            .map(|(index, _)| index)
            .collect();
        let within = |env: &Env| {
            owners
                .get(&key(env))
                .is_some_and(|set| sets.iter().any(|(s, _)| *s == set))
        };
        let own = task.env.iter().filter(|e| !within(e)).collect();
        locals.tasks.insert(&task.name, (merged, own));
    }
    locals
}

fn key(env: &Env) -> (&str, String) {
    (&env.name, format!("{:?}", env.value))
}

/// The config groups that the variables come from, where they all do.
fn name(members: &[&Env], locals: &Locals<'_>) -> String {
    let mut groups: Vec<&Arc<str>> = Vec::new();
    for env in members {
        if let Some(group) = &env.group
            && !groups.contains(&group)
        {
            groups.push(group);
        }
    }
    let known = members.iter().all(|e| e.group.is_some()) && groups.len() <= 3;
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let base: String = if known {
        let names: Vec<&str> = groups.iter().map(|g| &***g).collect();
        names.join("_").chars().map(plain).collect()
    } else {
        "shared".to_owned()
    };
    let base = if base.starts_with(|c: char| c.is_ascii_alphabetic()) {
        base
    } else {
        format!("config_{base}")
    };
    let mut candidate = base.clone();
    let mut number = 2;
    while locals.groups.iter().any(|(n, _)| *n == candidate) {
        candidate = format!("{base}_{number}");
        number += 1;
    }
    candidate
}
