//! A Compose file as Compose reads it.
//!
//! Taken out, because Compose adds it and the blueprint does not have it: `SERVICE-network`
//! (sleeps, and holds the network of a replica), `SERVICE-volumes` (gives volumes to their user)
//! and whatever runs the waiting script.

use std::collections::{BTreeMap, BTreeSet};

use flokkr::file::File;
use flokkr::plan::SecretSource;
use serde_yaml::Value;

use super::process::{Cluster, Line, Names, Outline, Place, Process, Role, secret};
use super::yaml::{documents, entries, items, text};

/// The processes of the one file.
pub fn read(files: &[File], outline: &Outline) -> Cluster {
    let [file] = files else {
        panic!("expected one file, there are {}", files.len());
    };
    let document = documents(&file.text).remove(0);
    let mut reader = Reader {
        document: &document,
        outline,
        seen: BTreeSet::new(),
        cluster: Cluster::new(),
    };
    for names in &outline.services {
        reader.service(names);
    }
    for (name, body) in entries(&document["services"]) {
        let known = reader.seen.contains(name) || is_own(name, body);
        assert!(known, "nobody asked for the service {name}");
    }
    reader.cluster
}

/// Is this something that Compose alone needs?
fn is_own(name: &str, body: &Value) -> bool {
    let words = |key: &str| -> Vec<&str> { items(&body[key]).iter().map(text).collect() };
    match words("entrypoint").as_slice() {
        ["sleep"] => name.ends_with("-network") && words("command") == ["infinity"],
        ["chown"] => name.ends_with("-volumes"),
        ["bash", script] => name.starts_with("wait-") && *script == "/flokkr/wait-for.sh",
        _ => false,
    }
}

struct Reader<'a> {
    document: &'a Value,
    outline: &'a Outline,
    seen: BTreeSet<String>,
    cluster: Cluster,
}

impl Reader<'_> {
    /// All replicas: one service that is scaled, or one for each.
    fn service(&mut self, names: &Names) {
        let service = &names.service;
        if let Some(body) = self.document["services"].get(service) {
            let scale = &body["deploy"]["replicas"];
            let scale = scale.as_u64().unwrap_or(1);
            for replica in 0..u32::try_from(scale).unwrap() {
                self.replica(names, replica, service);
            }
            return;
        }
        for replica in 0.. {
            let main = format!("{service}-{replica}");
            if self.document["services"].get(&main).is_none() {
                break;
            }
            self.replica(names, replica, &main);
        }
    }

    fn replica(&mut self, names: &Names, replica: u32, main: &str) {
        let steps = names.steps.iter();
        let steps = steps.map(|s| (Role::Step(s.clone()), format!("{main}-{s}")));
        let sidecars = names.sidecars.iter();
        let sidecars = sidecars.map(|s| (Role::Sidecar(s.clone()), format!("{main}-{s}")));
        let main = (Role::Main, main.to_owned());
        for (role, name) in std::iter::once(main).chain(steps).chain(sidecars) {
            let Some(body) = self.document["services"].get(&name) else {
                continue;
            };
            let place = Place {
                service: names.service.clone(),
                replica,
                role,
            };
            let process = self.process(body);
            self.cluster.insert(place, process);
            self.seen.insert(name);
        }
    }

    fn process(&self, body: &Value) -> Process {
        let words = |key: &str| {
            let list = body.get(key)?;
            Some(items(list).iter().map(|w| self.text(w)).collect())
        };
        let mounts = |key: &str| {
            let mounts = items(&body[key]).iter();
            mounts.map(|m| (self.text(&m["source"]), self.text(&m["target"])))
        };
        let files = mounts("configs").map(|(source, target)| {
            let declared = &self.document["configs"][source.as_str()];
            if declared["file"] == "/dev/null" {
                return (target, String::new());
            }
            (target, self.text(&declared["content"]))
        });
        let secrets = mounts("secrets").map(|(source, target)| {
            let declared = &self.document["secrets"][source.as_str()];
            assert!(declared.is_mapping(), "the secret {source} is not declared");
            (target, self.outline.same_secret(&source).to_owned())
        });
        let volumes = items(&body["volumes"]).iter();
        Process {
            image: self.text(&body["image"]),
            line: Line::new(words("entrypoint"), words("command")),
            environment: pairs(&body["environment"], &|name| self.variable(name)),
            files: files.collect(),
            secrets: secrets.collect(),
            volumes: volumes.map(|v| self.text(&v["target"])).collect(),
            workdir: body.get("working_dir").map(|w| self.text(w)),
            user: body.get("user").map(|u| self.text(u)),
            ..Process::default()
        }
    }

    fn text(&self, value: &Value) -> String {
        interpolated(text(value), &|name| self.variable(name)).unwrap()
    }

    /// The secret that a variable of the deploying shell holds.
    fn variable(&self, name: &str) -> Option<String> {
        let is =
            |_: &str, source: &SecretSource| matches!(source, SecretSource::Env(v) if v == name);
        self.outline.secret(is).map(secret)
    }
}

/// The variables of the shell that deploys.
pub type Variables<'v> = &'v dyn Fn(&str) -> Option<String>;

/// A mapping as Compose reads it: as a mapping, or as a list of `KEY=VALUE` whose keys are
/// interpolated too.
pub fn pairs(node: &Value, variables: Variables<'_>) -> BTreeMap<String, String> {
    let value = |text: &str| interpolated(text, variables).unwrap();
    match node {
        Value::Sequence(list) => {
            let list = list.iter().map(|item| value(text(item)));
            let pairs = list.map(|item| {
                let (key, value) = item.split_once('=').expect("a value");
                (key.to_owned(), value.to_owned())
            });
            pairs.collect()
        }
        map => entries(map)
            .into_iter()
            .inspect(|(key, _)| assert!(!key.starts_with("x-"), "an extension: {key}"))
            .map(|(key, v)| (key.to_owned(), value(text(v))))
            .collect(),
    }
}

/// The text that a container is given for an emitted value, as compose-go's template package has
/// it: `$$` is a dollar, `$name` and `${name:?message}` are variables, anything else behind a
/// dollar stays. An error where there is no such variable, or Compose would refuse the text.
pub fn interpolated(value: &str, variables: Variables<'_>) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = value;
    let is_name = |c: char| c == '_' || c.is_ascii_alphanumeric();
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        if let Some(tail) = after.strip_prefix('$') {
            out.push('$');
            rest = tail;
        } else if let Some(braced) = after.strip_prefix('{') {
            let (inside, tail) = braced.split_once('}').ok_or(format!("${after}"))?;
            let (name, _) = inside.split_once(":?").ok_or(format!("${after}"))?;
            out.push_str(&variables(name).ok_or(format!("${after}"))?);
            rest = tail;
        } else if after.starts_with(|c: char| is_name(c) && !c.is_ascii_digit()) {
            let end = after.find(|c| !is_name(c)).unwrap_or(after.len());
            out.push_str(&variables(&after[..end]).ok_or(format!("${after}"))?);
            rest = &after[end..];
        } else {
            out.push('$');
            rest = after;
        }
    }
    out.push_str(rest);
    Ok(out)
}
