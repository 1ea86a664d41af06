//! What several services have in common is written once, behind an anchor: the config of a group,
//! the environment of a service's containers, what replicas have beyond it, the body of replicas. Readers of the file see the
//! cluster; readers of the YAML see the same values as without anchors.
//!
//! `<<` is shallow and loses to the keys beside it, so an environment is split into disjoint parts.

use std::collections::{HashMap, HashSet};

use indexmap::IndexMap;

use super::model::{Env, Project};
use crate::emit::yaml::Yaml;

/// A part is shared when it has at least this many entries.
const WORTH: usize = 2;

/// Can a name not be a key of a mapping? compose-go takes one that begins with `x-` for an
/// extension, its schema wants some character that is no line end, and YAML ends simple keys at 1024
/// characters.
pub(super) fn misread_as_key(name: &str) -> bool {
    name.chars().all(|c| c == '\n') || name.starts_with("x-") || name.len() > 1000
}

/// Does a name end with what Docker Compose takes for a blank? From 2.34 on it takes no such variable
/// in a list, and looks at the last byte alone (compose-go 2.4.9, `MappingWithEquals.DecodeMapstructure`).
pub(super) fn ends_blank(name: &str) -> bool {
    let last = name.as_bytes().last();
    last.is_some_and(|last| matches!(last, 0x09..=0x0d | b' ' | 0x85 | 0xa0))
}

/// How environments are split.
#[derive(Default)]
pub(super) struct Environments<'p> {
    /// Shared parts by anchor.
    pub(super) anchors: Vec<(String, Vec<&'p Env>)>,
    /// What each service takes from them; a service that is not here shares nothing.
    pub(super) services: HashMap<&'p str, Split<'p>>,
}

/// One environment: the shared parts it is made of, and the rest.
pub(super) struct Split<'p> {
    pub(super) merges: Vec<String>,
    pub(super) own: Vec<&'p Env>,
}

/// A set of services that may share variables: the anchor's name, the services, and, where only
/// the variables of a group are meant, which.
struct Candidates<'p> {
    anchor: String,
    members: Vec<&'p str>,
    group: Option<&'p str>,
}

/// Splits the environments of a project; those of services in `apart` stay whole.
pub(super) fn environments<'p>(
    project: &'p Project,
    apart: &dyn Fn(&str) -> bool,
) -> Environments<'p> {
    let mut groups: IndexMap<&str, Vec<&str>> = IndexMap::new();
    // Beside a merge a variable `<<` would be a second one, in quotes too.
    let unmerged = |v: &Env| misread_as_key(&v.name) || &*v.name == "<<";
    let sharing = |name: &str, variables: &[Env]| !apart(name) && !variables.iter().any(unmerged);
    let mut able: HashSet<&str> = HashSet::new();
    for (name, service) in &project.services {
        if service.environment.is_empty() || !sharing(name, &service.environment) {
            continue;
        }
        able.insert(name);
        for variable in &service.environment {
            if let Some(group) = &variable.group {
                let members = groups.entry(group).or_default();
                if members.last() != Some(&name.as_str()) {
                    members.push(name);
                }
            }
        }
    }
    let of_groups = groups.into_iter().map(|(group, members)| Candidates {
        anchor: format!("config-{group}"),
        members,
        group: Some(group),
    });
    let several = |(_, members): &(&String, &Vec<String>)| members.len() > 1;
    let those_able = |members: &'p [String]| -> Vec<&'p str> {
        let members = members.iter().map(String::as_str);
        members.filter(|m| able.contains(m)).collect()
    };
    let of_owners = project
        .owners
        .iter()
        .filter(several)
        .map(|(owner, members)| Candidates {
            anchor: format!("environment-{owner}"),
            members: those_able(members),
            group: None,
        });
    let of_replicas = project
        .families
        .iter()
        .filter(several)
        .map(|(family, members)| Candidates {
            anchor: format!("environment-of-{family}"),
            members: those_able(members),
            group: None,
        });
    let mut environments = Environments::default();
    for candidates in of_groups.chain(of_owners).chain(of_replicas) {
        if candidates.members.len() > 1 {
            environments.split(project, candidates);
        }
    }
    environments
}

impl<'p> Environments<'p> {
    /// Takes what the members have in common out of their own parts.
    fn split(&mut self, project: &'p Project, candidates: Candidates<'p>) {
        let Candidates {
            anchor,
            members,
            group,
        } = candidates;
        for member in &members {
            let variables = project.services.get(*member).map(|s| &s.environment);
            self.services.entry(member).or_insert_with(|| Split {
                merges: Vec::new(),
                own: variables.into_iter().flatten().collect(),
            });
        }
        let common = self.common(&members, group);
        if common.len() < WORTH {
            return;
        }
        let names: HashSet<&str> = common.iter().map(|v| &*v.name).collect();
        for member in &members {
            if let Some(split) = self.services.get_mut(member) {
                split.own.retain(|v| !names.contains(&*v.name));
                split.merges.push(anchor.clone());
            }
        }
        self.anchors.push((anchor, common));
    }

    /// Variables that all members have with the same value.
    fn common(&self, members: &[&str], group: Option<&str>) -> Vec<&'p Env> {
        let own = |member: &&str| self.services.get(*member).map(|s| &s.own);
        let Some((first, others)) = members.split_first() else {
            return Vec::new();
        };
        let mut common: Vec<&Env> = own(first)
            .into_iter()
            .flatten()
            .copied()
            .filter(|v| group.is_none() || v.group.as_deref() == group)
            .collect();
        for member in others {
            let Some(variables) = own(member) else {
                return Vec::new();
            };
            retain_equal(&mut common, variables);
            if common.len() < WORTH {
                return common;
            }
        }
        common
    }
}

/// Keeps the variables that are among the others with the same value. Replicas and users of a group
/// mostly have them at the same place, so that is looked at first.
fn retain_equal(common: &mut Vec<&Env>, others: &[&Env]) {
    let mut by_name: Option<HashMap<&str, &Env>> = None;
    let mut at = 0;
    common.retain(|variable| {
        let found = match others.get(at) {
            Some(other) if other.name == variable.name => Some(*other),
            _ => {
                let by_name =
                    by_name.get_or_insert_with(|| others.iter().map(|o| (&*o.name, *o)).collect());
                by_name.get(&*variable.name).copied()
            }
        };
        at += 1;
        found.is_some_and(|other| other.value == variable.value)
    });
}

/// Writes what the bodies of replicas have in common once; the anchors are returned.
pub(super) fn bodies(
    document: &mut Yaml,
    families: &IndexMap<String, Vec<String>>,
) -> Vec<(String, Yaml)> {
    let mut anchors = Vec::new();
    if families.values().all(|members| members.len() < 2) {
        return anchors;
    }
    let mut bodies: HashMap<String, &mut Yaml> = match document.get_mut("services") {
        Some(Yaml::Map(entries)) => entries.iter_mut().map(|(k, v)| (k.clone(), v)).collect(),
        _ => HashMap::new(),
    };
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
    anchors
}
