//! Config in ConfigMaps: a group that several containers have in common is written once, the rest
//! of a container's config in a ConfigMap of its own. `envFrom` takes every value as it is.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use indexmap::{IndexMap, IndexSet};

use super::files::MAX_MAP;
use super::model::ConfigMap;

/// A group is shared when so many of its variables are the same for all who use it; more than so
/// many of a container's own make a ConfigMap.
const WORTH: usize = 2;

/// A variable that a ConfigMap carries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ConfigVariable {
    pub(super) name: Arc<str>,
    pub(super) value: String,
    /// The config group that it comes from.
    pub(super) group: Option<Arc<str>>,
}

/// Containers with the same config: a main container and its steps, or a sidecar.
#[derive(Debug)]
pub(super) struct Unit {
    /// The service, or service and sidecar.
    pub(super) name: String,
    /// The service.
    pub(super) owner: Arc<str>,
    pub(super) profiles: Vec<String>,
    pub(super) variables: Vec<ConfigVariable>,
}

/// A ConfigMap that is made of config.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) name: String,
    /// The service, if it is of one alone.
    pub(super) owner: Option<Arc<str>>,
    pub(super) profiles: Vec<String>,
    pub(super) map: ConfigMap,
}

/// What carries the config of a unit.
#[derive(Debug, Default, Clone)]
pub(super) struct Uses {
    /// The names of ConfigMaps.
    pub(super) maps: Vec<String>,
    /// Too few for a ConfigMap: written into the containers.
    pub(super) direct: Vec<ConfigVariable>,
}

/// The ConfigMaps for some units, and what each unit takes.
pub(super) fn config_maps(units: &[Unit]) -> (Vec<Shared>, Vec<Uses>) {
    let mut maps: Vec<Shared> = Vec::new();
    let mut taken: IndexSet<String> = units.iter().map(|u| own_name(&u.name)).collect();
    let mut uses: Vec<Uses> = units.iter().map(|_| Uses::default()).collect();
    let mut carried: Vec<HashSet<Arc<str>>> = units.iter().map(|_| HashSet::new()).collect();
    for (group, members) in groups(units) {
        let common = common(units, &members, &group);
        if members.len() < 2 || common.len() < WORTH {
            continue;
        }
        let name = free(&format!("config-{}", label(&group)), &taken);
        taken.insert(name.clone());
        let parts = parts(&name, &common, &mut taken);
        for member in &members {
            if let (Some(uses), Some(carried)) = (uses.get_mut(*member), carried.get_mut(*member)) {
                uses.maps.extend(parts.iter().map(|(name, _)| name.clone()));
                carried.extend(common.iter().map(|v| Arc::clone(&v.name)));
            }
        }
        let profiles = profiles_of(units, &members);
        maps.extend(parts.into_iter().map(|(name, map)| Shared {
            name,
            owner: None,
            profiles: profiles.clone(),
            map,
        }));
    }
    for (at, unit) in units.iter().enumerate() {
        let is_carried = |v: &&ConfigVariable| carried.get(at).is_some_and(|c| c.contains(&v.name));
        let rest: Vec<&ConfigVariable> = unit.variables.iter().filter(|v| !is_carried(v)).collect();
        let Some(uses) = uses.get_mut(at) else {
            continue;
        };
        if rest.len() <= WORTH {
            uses.direct = rest.into_iter().cloned().collect();
            continue;
        }
        let parts = parts(&own_name(&unit.name), &rest, &mut taken);
        uses.maps.extend(parts.iter().map(|(name, _)| name.clone()));
        maps.extend(parts.into_iter().map(|(name, map)| Shared {
            name,
            owner: Some(Arc::clone(&unit.owner)),
            profiles: unit.profiles.clone(),
            map,
        }));
    }
    (maps, uses)
}

fn own_name(unit: &str) -> String {
    format!("{unit}-config")
}

/// Groups in the order of their first use, and the units that use each.
fn groups(units: &[Unit]) -> IndexMap<Arc<str>, Vec<usize>> {
    let mut groups: IndexMap<Arc<str>, Vec<usize>> = IndexMap::new();
    for (at, unit) in units.iter().enumerate() {
        for group in unit.variables.iter().filter_map(|v| v.group.as_ref()) {
            let members = groups.entry(Arc::clone(group)).or_default();
            if members.last() != Some(&at) {
                members.push(at);
            }
        }
    }
    groups
}

/// Variables of a group that all members have with the same value.
fn common<'u>(units: &'u [Unit], members: &[usize], group: &str) -> Vec<&'u ConfigVariable> {
    let mut members = members.iter().filter_map(|m| units.get(*m));
    let Some(first) = members.next() else {
        return Vec::new();
    };
    let mut common: Vec<&ConfigVariable> = first
        .variables
        .iter()
        .filter(|v| v.group.as_deref() == Some(group))
        .collect();
    for member in members {
        let theirs: HashMap<&str, &str> = member
            .variables
            .iter()
            .map(|v| (&*v.name, v.value.as_str()))
            .collect();
        common.retain(|v| theirs.get(&*v.name) == Some(&v.value.as_str()));
    }
    common
}

/// A shared map is there with whoever of its users is there.
fn profiles_of(units: &[Unit], members: &[usize]) -> Vec<String> {
    let users: Vec<&Unit> = members.iter().filter_map(|m| units.get(*m)).collect();
    if users.iter().any(|u| u.profiles.is_empty()) {
        return Vec::new();
    }
    let names: IndexSet<&String> = users.iter().flat_map(|u| &u.profiles).collect();
    names.into_iter().cloned().collect()
}

/// Variables in as many ConfigMaps as their size takes: the first has this name.
fn parts(
    name: &str,
    variables: &[&ConfigVariable],
    taken: &mut IndexSet<String>,
) -> Vec<(String, ConfigMap)> {
    let mut parts: Vec<Vec<&ConfigVariable>> = Vec::new();
    let mut size = 0;
    for variable in variables {
        let more = variable.name.len() + variable.value.len();
        match parts.last_mut() {
            Some(part) if size + more <= MAX_MAP => part.push(variable),
            _ => {
                parts.push(vec![variable]);
                size = 0;
            }
        }
        size += more;
    }
    let mut named = Vec::with_capacity(parts.len());
    for part in parts {
        let name = if named.is_empty() {
            name.to_owned()
        } else {
            free(name, taken)
        };
        taken.insert(name.clone());
        let data = part
            .into_iter()
            .map(|v| (v.name.to_string(), v.value.clone()));
        let data = data.collect();
        named.push((name, ConfigMap { data }));
    }
    named
}

/// A part of an object's name.
pub(super) fn label(text: &str) -> String {
    let text: String = text
        .to_lowercase()
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    let text = text.trim_matches('-');
    if text.is_empty() {
        "x".to_owned()
    } else {
        text.chars()
            .take(40)
            .collect::<String>()
            .trim_end_matches('-')
            .to_owned()
    }
}

fn free(name: &str, taken: &IndexSet<String>) -> String {
    if !taken.contains(name) {
        return name.to_owned();
    }
    let mut numbered = (2..).map(|n| format!("{name}-{n}"));
    numbered.find(|n| !taken.contains(n)).unwrap_or_default()
}
