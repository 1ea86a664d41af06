//! Where several voices say different things about a cluster, down to one key of one config file.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use flokkr::conffile;
use flokkr::env::{self, Format};
use flokkr::plan::{Addressing, Member, Plan};
use serde_yaml::Value;

use super::process::{Cluster, Facts, Process, Role};
use super::yaml::documents;

/// Somebody who says something about a cluster.
pub struct Voice {
    pub name: String,
    pub cluster: Cluster,
}

/// How the texts of each container are to be read.
pub type AllFacts = BTreeMap<(String, Role), Facts>;

/// What a process is given, one fact each.
type Said = BTreeMap<String, String>;

/// Longer values are cut in messages.
const SHOWN: usize = 160;

/// What is not said by all alike: `namenode[0] hdfs-site.xml dfs.replication: compose "3", ...`.
pub fn differences(voices: &[Voice], facts: &AllFacts) -> Vec<String> {
    let mut lines = Vec::new();
    let places: BTreeSet<_> = voices.iter().flat_map(|v| v.cluster.keys()).collect();
    for place in places {
        let said: Vec<Option<&Process>> = voices.iter().map(|v| v.cluster.get(place)).collect();
        if said.iter().all(|p| *p == said[0]) {
            continue;
        }
        let there: Vec<&Process> = said.iter().copied().flatten().collect();
        if there.len() < voices.len() {
            let there = said.iter().map(|p| p.map(|_| "is there".to_owned()));
            lines.push(format!("{place}: {}", told(voices, there)));
            continue;
        }
        let known = facts.get(&(place.service.clone(), place.role.clone()));
        let keys = unlike(voices, &there, |p| config(p, known));
        let found = if keys.is_empty() {
            unlike(voices, &there, rest)
        } else {
            keys
        };
        lines.extend(found.into_iter().map(|line| format!("{place} {line}")));
    }
    lines
}

fn unlike(voices: &[Voice], there: &[&Process], say: impl Fn(&Process) -> Said) -> Vec<String> {
    let said: Vec<Said> = there.iter().map(|p| say(p)).collect();
    let keys: BTreeSet<&String> = said.iter().flat_map(BTreeMap::keys).collect();
    let keys = keys.into_iter().filter_map(|key| {
        let values: Vec<Option<&String>> = said.iter().map(|s| s.get(key)).collect();
        let same = values.iter().all(|v| *v == values[0]);
        let values = values.into_iter().map(|v| v.map(|v| shown(v)));
        (!same).then(|| format!("{key}: {}", told(voices, values)))
    });
    keys.collect()
}

fn told(voices: &[Voice], values: impl Iterator<Item = Option<String>>) -> String {
    let values = voices.iter().zip(values).map(|(voice, value)| {
        let value = value.unwrap_or_else(|| "nothing".to_owned());
        format!("{} {value}", voice.name)
    });
    values.collect::<Vec<_>>().join(", ")
}

fn shown(value: &str) -> String {
    let mut shown: String = value.chars().take(SHOWN).collect();
    if shown.len() < value.len() {
        shown.push('…');
    }
    format!("{shown:?}")
}

/// The config of a process by file and key, however it arrives.
fn config(process: &Process, facts: Option<&Facts>) -> Said {
    let mut said = Said::new();
    if let Some(facts) = facts {
        let variables = process.environment.iter();
        let variables = variables.map(|(k, v)| (k.as_str(), v.as_str()));
        let decoded = env::decode(facts.launcher, variables);
        for (file, content) in decoded.files {
            for (key, value) in content.entries {
                said.insert(format!("{file} {key}"), value);
            }
        }
    }
    for (path, content) in &process.files {
        let file = path.rsplit('/').next().unwrap();
        for (key, value) in entries(file, content) {
            said.insert(format!("{file} {key}"), value);
        }
    }
    said
}

/// The entries of a config file; none of a file that is no config.
fn entries(file: &str, content: &str) -> Vec<(String, String)> {
    let extension = file.rsplit_once('.').map_or("", |(_, e)| e);
    match Format::of_extension(extension) {
        Some(Format::Yaml) => {
            let mut leaves = Vec::new();
            for document in documents(content) {
                grow(String::new(), &document, &mut leaves);
            }
            leaves
        }
        Some(format) => conffile::parse(format, content)
            .map(|found| found.into_iter().collect())
            .unwrap_or_default(),
        None => Vec::new(),
    }
}

fn grow(path: String, value: &Value, leaves: &mut Vec<(String, String)>) {
    let below = |key: &str| match path.as_str() {
        "" => key.to_owned(),
        path => format!("{path}.{key}"),
    };
    match value {
        Value::Mapping(map) => {
            for (key, value) in map {
                grow(below(key.as_str().unwrap_or("?")), value, leaves);
            }
        }
        Value::Sequence(items) => {
            for (at, value) in (1..).zip(items) {
                grow(below(&format!("{at}")), value, leaves);
            }
        }
        leaf => leaves.push((path, format!("{leaf:?}"))),
    }
}

/// Everything but config; files by their lines.
fn rest(process: &Process) -> Said {
    let Process {
        image,
        line,
        plain: _,
        environment,
        carriers: _,
        files,
        secrets,
        volumes,
        workdir,
        user,
    } = process;
    let mut said = Said::new();
    said.insert("image".to_owned(), image.clone());
    let runs = if line.whole {
        "runs"
    } else {
        "gives its image"
    };
    if let Some(words) = &line.words {
        said.insert(runs.to_owned(), words.join(" "));
        for (at, word) in words.iter().enumerate() {
            said.insert(format!("{runs} word {at}"), word.clone());
        }
    }
    for (name, value) in environment {
        said.insert(format!("env {}", name.escape_debug()), value.clone());
    }
    for (path, content) in files {
        for (at, line) in (1..).zip(content.split('\n')) {
            said.insert(format!("file {path} line {at}"), line.to_owned());
        }
    }
    for (path, name) in secrets {
        said.insert(format!("secret at {path}"), name.clone());
    }
    for path in volumes {
        said.insert(format!("volume at {path}"), "is there".to_owned());
    }
    let workdir = workdir.iter().map(|w| ("workdir", w));
    let user = user.iter().map(|u| ("user", u));
    said.extend(workdir.chain(user).map(|(k, v)| (k.to_owned(), v.clone())));
    said
}

/// From the names of one target to those of another.
#[derive(Default)]
pub struct Translation {
    /// Longest first.
    names: Vec<(String, String)>,
}

impl Translation {
    pub fn new(plan: &Plan, from: &dyn Addressing, to: &dyn Addressing) -> Self {
        let mut names = Vec::new();
        for service in &plan.services {
            let member = Member {
                cluster: &plan.name,
                service: &service.name,
                kind: service.kind,
                replicas: service.replicas,
            };
            names.push((from.service(member), to.service(member)));
            if service.kind == flokkr::blueprint::Kind::Ensemble {
                for index in 0..service.replicas {
                    names.push((from.replica(member, index), to.replica(member, index)));
                }
            }
        }
        names.retain(|(from, to)| from != to);
        names.sort_by_key(|(from, _)| std::cmp::Reverse(from.len()));
        Self { names }
    }

    /// A text with the other names.
    pub fn text(&self, text: &str) -> String {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let name = self.names.iter().find(|(name, _)| rest.starts_with(name));
            if let Some((from, to)) = name {
                out.push_str(to);
                rest = &rest[from.len()..];
            } else {
                out.push(c);
                rest = &rest[c.len_utf8()..];
            }
        }
        out
    }

    /// A cluster with the other names.
    pub fn cluster(&self, cluster: &Cluster) -> Cluster {
        let change = |text: &str| self.text(text);
        let processes = cluster.iter();
        processes
            .map(|(place, process)| (place.clone(), process.map(&change)))
            .collect()
    }
}

/// Lines for a message, not too many of them.
pub fn report(lines: &[String]) -> String {
    const LINES: usize = 20;
    let mut text = String::new();
    for line in lines.iter().take(LINES) {
        let _ = writeln!(text, "  {line}");
    }
    if lines.len() > LINES {
        let _ = writeln!(text, "  and {} more", lines.len() - LINES);
    }
    text
}
