//! What `flokkr explain` says to tools, held against the files: every variable, file and word of every
//! replica.

use std::collections::BTreeMap;

use flokkr::explain::{self, Chosen, Made};
use flokkr::launch::{self, Choices, Environment, Garbled};
use flokkr::pipeline::Lowered;
use flokkr::problem::{Problems, Sources};
use flokkr::resolve::Cluster as Resolved;
use flokkr::target::{Layout, Target};
use serde_json::Value;

use super::process::{Cluster, Line, Outline, Place, Process, Role, secret};
use super::{compose, planned};
use crate::support::{first_target, resolve_with};

/// The processes of the JSON of an explanation.
pub fn explained(
    cluster: &Resolved,
    lowered: &Lowered,
    target: &'static dyn Target,
    sources: &Sources,
) -> Cluster {
    let made = Made {
        cluster,
        plan: &lowered.plan,
        target,
        configured: &*lowered.configured,
        account: &lowered.account,
        sources,
    };
    let outline = Outline::new(&lowered.plan);
    let text = explain::json(&explain::explain(made, &Chosen::default()));
    let document: Value = serde_json::from_str(&text).unwrap();
    let mut processes = Cluster::new();
    for service in document["services"].as_array().unwrap() {
        for container in service["containers"].as_array().unwrap() {
            let name = container["name"].as_str().unwrap().to_owned();
            let place = Place {
                service: service["name"].as_str().unwrap().to_owned(),
                replica: u32::try_from(container["replica"].as_u64().unwrap()).unwrap(),
                role: match container["role"].as_str().unwrap() {
                    "main" => Role::Main,
                    "step" => Role::Step(name),
                    _ => Role::Sidecar(name),
                },
            };
            processes.insert(place, process(container, &outline));
        }
    }
    processes
}

fn process(container: &Value, outline: &Outline) -> Process {
    let texts = |key: &str| -> BTreeMap<String, String> {
        let entries = container[key].as_object().unwrap().iter();
        entries
            .map(|(k, v)| (k.clone(), text(v, outline)))
            .collect()
    };
    let words = |key: &str| {
        let words = container[key].as_array()?.iter();
        Some(words.map(|w| text(w, outline)).collect())
    };
    let secrets = container["secrets"].as_object().unwrap().iter();
    let own = |key: &str| container[key].as_str().map(str::to_owned);
    config_is_consistent(container, outline);
    Process {
        image: own("image").unwrap(),
        line: Line::new(words("entrypoint"), words("command")),
        environment: texts("env"),
        files: texts("files"),
        secrets: secrets
            .map(|(path, name)| {
                let name = outline.same_secret(name.as_str().unwrap());
                (path.clone(), name.to_owned())
            })
            .collect(),
        workdir: own("workdir"),
        user: own("user"),
        ..Process::default()
    }
}

/// A text; secrets stand in it as the readers of targets have them.
fn text(value: &Value, outline: &Outline) -> String {
    let Value::Array(parts) = value else {
        return value.as_str().unwrap().to_owned();
    };
    let parts = parts.iter().map(|part| match part["secret"].as_str() {
        Some(name) => secret(outline.same_secret(name)),
        None => part.as_str().unwrap().to_owned(),
    });
    parts.collect()
}

/// A mounted config file is among the files; every variable says where it comes from.
fn config_is_consistent(container: &Value, outline: &Outline) {
    for (path, file) in container["config"].as_object().unwrap() {
        assert!(!file["text"].is_null(), "{path} has no text");
        if file["delivery"] == "files" {
            assert_eq!(
                text(&file["text"], outline),
                text(&container["files"][path], outline)
            );
        }
        for entry in file["entries"].as_array().unwrap() {
            assert!(entry["from"]["line"].is_u64(), "{path}: {entry}");
        }
    }
    let env = container["env"].as_object().unwrap();
    let from = container["env_from"].as_object().unwrap();
    assert!(env.keys().eq(from.keys()));
    for (name, from) in from {
        let known = from["line"].is_u64() || from["by"] == "target";
        assert!(known, "{name}: {from}");
    }
}

/// Holds what is explained against what was read from the files.
pub fn agrees(
    cluster: &Resolved,
    lowered: &Lowered,
    target: &'static dyn Target,
    sources: &Sources,
    said: &Cluster,
) {
    let facts = planned::facts(&lowered.plan);
    let settled = |cluster: &Cluster| {
        let mut cluster = cluster.clone();
        for (place, process) in &mut cluster {
            process.settle(&facts[&(place.service.clone(), place.role.clone())]);
            // What is run has no say in how it is carried, and volumes are not explained.
            process.carriers.clear();
            process.volumes.clear();
        }
        cluster
    };
    let (explained, said) = (
        settled(&explained(cluster, lowered, target, sources)),
        settled(said),
    );
    let places = |cluster: &Cluster| cluster.keys().map(Place::to_string).collect::<Vec<_>>();
    assert_eq!(places(&explained), places(&said), "{}", target.name());
    for (place, process) in &explained {
        assert_eq!(process, &said[place], "{place} on {}", target.name());
    }
}

/// A patch changes the environment after everything else; its own place is given.
#[test]
fn patches_of_an_environment_are_explained() {
    let text = "\
blueprint: v1
name: made
images: { app: { ref: \"example/app:1\" } }
services:
  app:
    image: app
    kind: ensemble
    replicas: 2
    env: { KEPT: a, CHANGED: b, GONE: c }
    sidecars: { beside: { command: [x], env: { S: \"1\" } } }
    patch: { compose: { environment: { CHANGED: \"it's $$5\", GONE: null, NEW: 1.50 } } }
  pairs:
    image: app
    env: { x-listed: a, GONE: c, $$D: e }
    patch: { compose: { environment: { x-listed: b, GONE: null, NEW: 1.50, P$$Q: z } } }
targets:
  compose:
    patch: { services: { app-1: { environment: [ONLY=$$it] }, app-0-beside: { environment: { S: \"2\" } } } }
";
    let loader = super::no_loader();
    let mut resolved = resolve_with("made.yaml", text, &loader);
    let target = first_target();
    let files = resolved.emit(target, Layout::Objects).unwrap();
    let lowered = resolved.lower(target).unwrap();
    let said = compose::read(&files, &Outline::new(&lowered.plan));
    let cluster = resolved.cluster.as_ref().unwrap();
    agrees(cluster, &lowered, target, &resolved.sources, &said);
    let explained = explained(cluster, &lowered, target, &resolved.sources);
    let environments: Vec<_> = explained.values().map(|p| &p.environment).collect();
    assert!(
        environments
            .iter()
            .any(|e| e.get("ONLY").is_some_and(|v| v == "$it"))
    );
    assert!(
        environments
            .iter()
            .any(|e| e.get("NEW").is_some_and(|v| v == "1.50"))
    );
    // Compose looks for references in the names of a list, too.
    assert!(
        environments
            .iter()
            .any(|e| e.get("P$Q").is_some_and(|v| v == "z"))
    );
}

/// What flokkr's own launcher makes of the variables is known to the byte.
#[test]
fn files_of_the_launcher_are_explained() {
    let text = "\
blueprint: v1
name: made
images: { app: { ref: \"example/app:1\", launcher: launch, conf: /etc/app } }
services:
  app:
    image: app
    env: { Z: z, A: a }
    config:
      b-site.xml: { z.y: \"<&>\", a: \" b \", m.n: \"\" }
      a.properties: { z: \"ä=ö\", a.b: \"c\\nd\" }
      c.conf!ini: { two.b: 1, one.a: 2, two.a: 3 }
      d.yaml: { list.2: b, list.1: a, top: x }
      e.sh: { PATH_X: \"$HOME/bin\", A: b }
";
    let loader = super::no_loader();
    let resolved = resolve_with("made.yaml", text, &loader);
    let lowered = resolved.lower(first_target()).unwrap();
    assert!(!lowered.account.problems.has_errors());
    let made = Made {
        cluster: resolved.cluster.as_ref().unwrap(),
        plan: &lowered.plan,
        target: first_target(),
        configured: &*lowered.configured,
        account: &lowered.account,
        sources: &resolved.sources,
    };
    let explanation = explain::explain(made, &Chosen::default());
    let container = &explanation.services[0].containers[0];
    let plain = |value: &flokkr::plan::Value| value.plain().unwrap().to_owned();
    let env: Environment = container
        .env
        .iter()
        .map(|v| (v.name.to_string(), plain(&v.value)))
        .collect();
    let choices = Choices {
        directory: Some("/etc/app".into()),
        ..Choices::default()
    };
    let mut problems = Problems::default();
    let launch = launch::read(
        vec!["run".into()],
        &env,
        &Garbled::new(),
        &choices,
        &mut problems,
    )
    .unwrap();
    let written = launch.files.iter();
    let written: BTreeMap<String, String> = written
        .map(|f| (f.path.to_string(), f.text(None).unwrap()))
        .collect();
    let explained: BTreeMap<String, String> = container
        .config
        .iter()
        .map(|f| (f.path.clone(), plain(f.text.as_ref().unwrap())))
        .collect();
    assert_eq!(explained.len(), 5);
    assert_eq!(explained, written);
}
