//! What several services have in common is written once, behind an anchor: the config of a group,
//! the environment of a service's containers, the body of replicas. Readers of the file see the
//! cluster; readers of the YAML see the same values as without anchors.
//!
//! `<<` is shallow and loses to the keys beside it, so an environment is split into disjoint parts.

use std::collections::{HashMap, HashSet};

use indexmap::IndexMap;

use super::model::Env;
use crate::emit::yaml::Yaml;

/// A part is shared when it has at least this many entries.
const WORTH: usize = 2;

/// Rewrites the document with anchors.
pub(super) fn share(
    document: &mut Yaml,
    families: &IndexMap<String, Vec<String>>,
    environment: &[(String, Vec<Env>)],
) {
    let mut anchors: Vec<(String, Yaml)> = Vec::new();
    environments(document, families, environment, &mut anchors);
    bodies(document, families, &mut anchors);
    if let Yaml::Map(entries) = document {
        let at = entries
            .iter()
            .position(|(k, _)| k == "services")
            .unwrap_or(0);
        let shared = anchors.into_iter().map(|(name, body)| {
            let anchor = Yaml::Anchor(name.clone(), Box::new(body));
            (format!("x-{name}"), anchor)
        });
        entries.splice(at..at, shared);
    }
}

fn services(document: &mut Yaml) -> HashMap<String, &mut Yaml> {
    match document.get_mut("services") {
        Some(Yaml::Map(entries)) => entries.iter_mut().map(|(k, v)| (k.clone(), v)).collect(),
        _ => HashMap::new(),
    }
}

/// Environments of services, by name; those written as lists take no part.
fn environments(
    document: &mut Yaml,
    families: &IndexMap<String, Vec<String>>,
    environment: &[(String, Vec<Env>)],
    anchors: &mut Vec<(String, Yaml)>,
) {
    let mut bodies = services(document);
    let mut rest: IndexMap<&str, IndexMap<String, Yaml>> = IndexMap::new();
    for (name, _) in environment {
        if let Some(Yaml::Map(entries)) = bodies.get(name).and_then(|b| b.get("environment")) {
            rest.insert(name, entries.iter().cloned().collect());
        }
    }
    let mut merges: HashMap<&str, Vec<String>> = HashMap::new();
    let sets = groups(environment)
        .into_iter()
        .chain(owners(families, environment));
    for (anchor, members, only) in sets {
        let members: Vec<&str> = members
            .into_iter()
            .filter(|m| rest.contains_key(m))
            .collect();
        let common = common(&members, &rest, only.as_ref());
        if members.len() < 2 || common.len() < WORTH {
            continue;
        }
        for member in &members {
            if let Some(own) = rest.get_mut(member) {
                own.retain(|key, _| !common.contains_key(key));
            }
            merges.entry(member).or_default().push(anchor.clone());
        }
        anchors.push((anchor, Yaml::Map(common.into_iter().collect())));
    }
    for (name, own) in rest {
        let Some(names) = merges.remove(name) else {
            continue;
        };
        if let Some(slot) = bodies.get_mut(name).and_then(|b| b.get_mut("environment")) {
            *slot = match (names.as_slice(), own.is_empty()) {
                ([one], true) => Yaml::Alias(one.clone()),
                _ => Yaml::Merged(names, own.into_iter().collect()),
            };
        }
    }
}

/// A set of services that may share variables: the anchor's name, the services, and, where only
/// some variables are meant, which.
type Candidates<'a> = (String, Vec<&'a str>, Option<HashSet<&'a str>>);

/// Services that use the same config group.
fn groups(environment: &[(String, Vec<Env>)]) -> Vec<Candidates<'_>> {
    let mut groups: IndexMap<&str, (Vec<&str>, HashSet<&str>)> = IndexMap::new();
    for (name, variables) in environment {
        for variable in variables {
            if let Some(group) = &variable.group {
                let (members, keys) = groups.entry(group).or_default();
                if members.last() != Some(&name.as_str()) {
                    members.push(name);
                }
                keys.insert(&variable.name);
            }
        }
    }
    groups
        .into_iter()
        .map(|(group, (members, keys))| (format!("config-{group}"), members, Some(keys)))
        .collect()
}

/// Replicas of the same container.
fn owners<'a>(
    families: &'a IndexMap<String, Vec<String>>,
    environment: &'a [(String, Vec<Env>)],
) -> Vec<Candidates<'a>> {
    let with: HashSet<&str> = environment
        .iter()
        .filter(|(_, variables)| !variables.is_empty())
        .map(|(name, _)| name.as_str())
        .collect();
    families
        .iter()
        .filter(|(_, members)| members.len() > 1)
        .map(|(family, members)| {
            let members = members.iter().map(String::as_str);
            let members = members.filter(|m| with.contains(m)).collect();
            (format!("environment-{family}"), members, None)
        })
        .collect()
}

/// Variables that all members have with the same value.
fn common(
    members: &[&str],
    rest: &IndexMap<&str, IndexMap<String, Yaml>>,
    only: Option<&HashSet<&str>>,
) -> IndexMap<String, Yaml> {
    let Some((first, others)) = members.split_first() else {
        return IndexMap::new();
    };
    let Some(first) = rest.get(first) else {
        return IndexMap::new();
    };
    first
        .iter()
        .filter(|(key, _)| only.is_none_or(|o| o.contains(key.as_str())))
        .filter(|(key, value)| {
            others
                .iter()
                .all(|m| rest.get(m).and_then(|e| e.get(key.as_str())) == Some(value))
        })
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

/// Bodies of replicas: what all of them have in common.
fn bodies(
    document: &mut Yaml,
    families: &IndexMap<String, Vec<String>>,
    anchors: &mut Vec<(String, Yaml)>,
) {
    let mut bodies = services(document);
    for (family, members) in families.iter().filter(|(_, m)| m.len() > 1) {
        let anchor = format!("service-{family}");
        let Some(first) = members.first().and_then(|m| bodies.get(m)) else {
            continue;
        };
        let shared: Vec<(String, Yaml)> = first
            .entries()
            .iter()
            .filter(|(key, value)| {
                let same = |m: &String| bodies.get(m).and_then(|b| b.get(key)) == Some(value);
                members.iter().all(same)
            })
            .cloned()
            .collect();
        if shared.len() < WORTH {
            continue;
        }
        let keys: HashSet<&str> = shared.iter().map(|(k, _)| k.as_str()).collect();
        for member in members {
            if let Some(body) = bodies.get_mut(member) {
                let own = body.entries().iter();
                let own: Vec<_> = own
                    .filter(|(k, _)| !keys.contains(k.as_str()))
                    .cloned()
                    .collect();
                **body = if own.is_empty() {
                    Yaml::Alias(anchor.clone())
                } else {
                    Yaml::Merged(vec![anchor.clone()], own)
                };
            }
        }
        anchors.push((anchor, Yaml::Map(shared)));
    }
}
