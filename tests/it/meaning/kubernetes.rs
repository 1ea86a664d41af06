//! Kubernetes objects as the controllers and the kubelet read them.
//!
//! Taken out, because Kubernetes needs it and the blueprint does not have it: the variables with
//! the pod's name and number, those with a Secret that others refer to, init containers that run
//! the waiting script or `kubectl wait`, the script that has the words of each replica, and the
//! gate before a step that only some replicas take.

use std::collections::{BTreeMap, BTreeSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flokkr::file::File;
use flokkr::plan::SecretSource;
use serde_yaml::Value;

use super::process::{Cluster, Line, Names, Outline, Place, Process, Role, known, secret};
use super::shell;
use super::yaml::{documents, entries, items, text};

/// What makes files a package, which kustomize or Helm unpack.
const PACKAGES: [&str; 2] = ["kustomization.yaml", "Chart.yaml"];

/// The processes of all workloads.
pub fn read(files: &[File], outline: &Outline) -> Option<Cluster> {
    let names = files.iter().filter_map(|f| f.path.file_name());
    if names.into_iter().any(|name| PACKAGES.contains(&name)) {
        return None;
    }
    let mut objects = Objects::new();
    for document in files.iter().flat_map(|f| documents(&f.text)) {
        let key = |key: &str| text(&document[key]).to_owned();
        let name = text(&document["metadata"]["name"]).to_owned();
        // With several profiles an object is there several times.
        let before = objects.insert((key("kind"), name), document.clone());
        assert!(before.is_none_or(|b| b == document), "two of one name");
    }
    let mut cluster = Cluster::new();
    for ((kind, name), object) in &objects {
        let Some(count) = replicas(kind, object) else {
            continue;
        };
        let names = outline.services.iter().find(|s| s.service == *name);
        let names = names.unwrap_or_else(|| panic!("nobody asked for {kind} {name}"));
        let first = &object["spec"]["ordinals"]["start"];
        let first = first.as_u64().unwrap_or(0);
        for replica in 0..count {
            let number = (kind == "StatefulSet").then_some(first + u64::from(replica));
            let pod = Pod {
                objects: &objects,
                outline,
                names,
                spec: &object["spec"]["template"]["spec"],
                number,
            };
            for (role, process) in pod.processes() {
                let place = Place {
                    service: name.clone(),
                    replica,
                    role,
                };
                cluster.insert(place, process);
            }
        }
    }
    Some(cluster)
}

type Objects = BTreeMap<(String, String), Value>;

/// How many pods a workload has; none for an object that has no pods.
fn replicas(kind: &str, object: &Value) -> Option<u32> {
    let spec = &object["spec"];
    let count = |key: &str| spec[key].as_u64().map(|n| u32::try_from(n).unwrap());
    match kind {
        "StatefulSet" | "Deployment" => Some(count("replicas").unwrap_or(1)),
        "Job" => Some(count("completions").unwrap_or(1)),
        "DaemonSet" => Some(1),
        _ => None,
    }
}

/// One pod.
struct Pod<'a> {
    objects: &'a Objects,
    outline: &'a Outline,
    names: &'a Names,
    spec: &'a Value,
    /// What its controller numbers it with.
    number: Option<u64>,
}

impl Pod<'_> {
    fn processes(&self) -> Vec<(Role, Process)> {
        let mut processes = Vec::new();
        let Names {
            service: _,
            steps,
            sidecars,
        } = self.names;
        for body in items(&self.spec["initContainers"]) {
            let mut process = self.process(body);
            let name = text(&body["name"]);
            let always = body.get("restartPolicy").map(text) == Some("Always");
            if always {
                processes.push((Role::Sidecar(known(name, sidecars)), process));
            } else if !is_wait(&process) && takes(&mut process) {
                processes.push((Role::Step(known(name, steps)), process));
            }
        }
        for (at, body) in items(&self.spec["containers"]).iter().enumerate() {
            let name = text(&body["name"]);
            let role = if at == 0 {
                assert_eq!(name, self.names.service);
                Role::Main
            } else {
                Role::Sidecar(known(name, sidecars))
            };
            processes.push((role, self.process(body)));
        }
        processes
    }

    /// The pod's name.
    fn name(&self) -> String {
        let number = self
            .number
            .expect("the name of a pod that has no fixed one");
        format!("{}-{number}", self.names.service)
    }

    fn process(&self, body: &Value) -> Process {
        let (environment, carriers) = self.environment(body);
        let words = |key: &str| {
            // An empty list is the same as none.
            let words = items(&body[key]).iter();
            let words: Vec<String> = words
                .map(|w| expanded(kept(w), &environment).unwrap())
                .collect();
            (!words.is_empty()).then_some(words)
        };
        let mut process = Process {
            image: text(&body["image"]).to_owned(),
            line: Line::new(words("command"), words("args")),
            workdir: body.get("workingDir").map(|w| text(w).to_owned()),
            user: self.user(body),
            ..Process::default()
        };
        for mount in items(&body["volumeMounts"]) {
            self.mount(mount, &environment, &mut process);
        }
        process.environment = environment;
        process.carriers = carriers;
        run_script(&mut process);
        process
    }

    fn user(&self, body: &Value) -> Option<String> {
        let of_pod = &self.spec["securityContext"];
        let own = &body["securityContext"];
        let number = |key: &str| own[key].as_u64().or(of_pod[key].as_u64());
        let user = number("runAsUser")?;
        Some(match number("runAsGroup") {
            Some(group) => format!("{user}:{group}"),
            None => user.to_string(),
        })
    }

    /// The variables, and the names of those that carry others.
    fn environment(&self, body: &Value) -> (BTreeMap<String, String>, BTreeSet<String>) {
        let mut environment = BTreeMap::new();
        for from in items(&body["envFrom"]) {
            let map = self.object("ConfigMap", text(&from["configMapRef"]["name"]));
            let data = entries(&map["data"]).into_iter();
            environment.extend(data.map(|(k, v)| (k.to_owned(), kept(v).to_owned())));
        }
        let mut carriers = BTreeSet::new();
        for variable in items(&body["env"]) {
            let name = text(&variable["name"]);
            let from = &variable["valueFrom"];
            let (value, carrier) = if let Some(field) = from.get("fieldRef") {
                (
                    self.field(text(&field["fieldPath"])),
                    &["POD_NAME", "FLOKKR_REPLICA"][..],
                )
            } else if let Some(key) = from.get("secretKeyRef") {
                let name = self.secret(text(&key["name"]), text(&key["key"]));
                (secret(name), &["SECRET_"][..])
            } else {
                let value = expanded(kept(&variable["value"]), &environment);
                (value.unwrap(), &[][..])
            };
            if carrier.iter().any(|c| name.starts_with(c)) {
                carriers.insert(name.to_owned());
            }
            environment.insert(name.to_owned(), value);
        }
        (environment, carriers)
    }

    fn field(&self, path: &str) -> String {
        match path {
            "metadata.name" => self.name(),
            "metadata.labels['apps.kubernetes.io/pod-index']" => self
                .number
                .expect("the number of a pod that has none")
                .to_string(),
            other => panic!("the field {other}"),
        }
    }

    /// The blueprint's name of a key of a Secret.
    fn secret(&self, name: &str, key: &str) -> &str {
        let is = |secret: &str, source: &SecretSource| match source {
            SecretSource::External(platform) => match platform.split_once('/') {
                Some(both) => both == (name, key),
                None => platform == name && secret == key,
            },
            _ => secret == name && secret == key,
        };
        let found = self.outline.secret(is);
        let found = found.unwrap_or_else(|| panic!("there is no secret {name}/{key}"));
        self.outline.same_secret(found)
    }

    fn object(&self, kind: &str, name: &str) -> &Value {
        let object = self.objects.get(&(kind.to_owned(), name.to_owned()));
        object.unwrap_or_else(|| panic!("there is no {kind} {name}"))
    }

    fn mount(&self, mount: &Value, environment: &BTreeMap<String, String>, process: &mut Process) {
        let path = text(&mount["mountPath"]).to_owned();
        let name = text(&mount["name"]);
        let mut volumes = items(&self.spec["volumes"]).iter();
        let volume = volumes.find(|v| text(&v["name"]) == name);
        let Some(volume) = volume.filter(|_| name.starts_with("flokkr-")) else {
            process.volumes.insert(path);
            return;
        };
        let file = match (mount.get("subPath"), mount.get("subPathExpr")) {
            (Some(path), None) => text(path).to_owned(),
            (None, Some(path)) => {
                let path = expanded(text(path), environment).unwrap();
                assert!(
                    !path.contains("$("),
                    "a path of a variable that is not there: {path}"
                );
                path
            }
            _ => panic!("expected a file of the volume {name}"),
        };
        let source = volume.get("configMap").or(volume.get("secret")).unwrap();
        let mut keys = items(&source["items"]).iter();
        let key = keys.find(|i| text(&i["path"]) == file);
        let key = key.unwrap_or_else(|| panic!("there is no file {file} in the volume {name}"));
        let key = text(&key["key"]);
        if volume.get("secret").is_some() {
            let secret = self.secret(text(&source["secretName"]), key);
            process.secrets.insert(path, secret.to_owned());
            return;
        }
        let content = self.content(text(&source["name"]), key);
        process.files.insert(path, content);
    }

    fn content(&self, map: &str, key: &str) -> String {
        let object = self.object("ConfigMap", map);
        if let Some(content) = object["data"].get(key) {
            return kept(content).to_owned();
        }
        let coded = object["binaryData"].get(key);
        let coded = coded.unwrap_or_else(|| panic!("there is no {key} in the ConfigMap {map}"));
        String::from_utf8(STANDARD.decode(text(coded)).unwrap()).unwrap()
    }
}

/// The script that has the words of each replica gives those of this one.
fn run_script(process: &mut Process) {
    const HEAD: &str = "#!/bin/bash\n# What only one replica is given.\n";
    let Some([bash, path]) = process.line.words.as_deref() else {
        return;
    };
    let path = path.clone();
    let script = process.files.get(&path);
    let script = script.filter(|text| text.starts_with(HEAD) && bash == "bash");
    let Some(script) = script.filter(|_| process.line.whole) else {
        return;
    };
    let words = shell::words(script, &carried(process));
    process.line.words = Some(words);
    process.files.remove(&path);
}

/// Does this pod take the step? What only asks that is taken out of its script.
fn takes(process: &mut Process) -> bool {
    let Some([_, path]) = process.line.words.as_deref() else {
        return true;
    };
    let script = process.files.get(path);
    let body = script.and_then(|s| s.strip_prefix("#!/bin/bash\n"));
    let gate = body.and_then(|b| b.split_inclusive('\n').next());
    let Some(gate) = gate.filter(|g| g.starts_with("case $") && g.ends_with(" esac\n")) else {
        return true;
    };
    let shown = shell::words(&format!("{gate}exec taken\n"), &carried(process));
    let rest = script.unwrap().replacen(gate, "", 1);
    let path = path.clone();
    process.files.insert(path, rest);
    shown == ["taken"]
}

/// The variables that scripts ask for the pod.
fn carried(process: &Process) -> Vec<(&str, &str)> {
    let variables = process.environment.iter();
    let variables = variables.filter(|(name, _)| process.carriers.contains(*name));
    variables
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .filter(|(_, value)| !value.contains('\0'))
        .collect()
}

/// Does this container only wait for others?
fn is_wait(process: &Process) -> bool {
    let words = process.line.words.as_deref().unwrap_or_default();
    let words: Vec<&str> = words.iter().map(String::as_str).take(2).collect();
    process.line.whole
        && matches!(
            words[..],
            ["bash", "/flokkr/wait-for.sh"] | ["kubectl", "wait"]
        )
}

/// A text that arrives as it is written: some characters are refused or changed, depending on who
/// applies the file.
fn kept(value: &Value) -> &str {
    let text = text(value);
    let lost = |c| matches!(c, '\u{7f}'..='\u{9f}' | '\u{fffe}' | '\u{ffff}');
    assert!(!text.contains(lost), "not all of this arrives: {text:?}");
    text
}

/// The text that the kubelet makes of one with references (`expansion.Expand`). An error where
/// some versions corrupt it: at a `$` before a character of several bytes.
pub fn expanded(text: &str, variables: &BTreeMap<String, String>) -> Result<String, String> {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find('$') {
        out.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let Some(next) = after.chars().next() else {
            out.push('$');
            return Ok(out);
        };
        rest = &after[next.len_utf8()..];
        match next {
            '$' => out.push('$'),
            '(' => match rest.split_once(')') {
                Some((name, tail)) => {
                    let unknown = || format!("$({name})");
                    out.push_str(&variables.get(name).cloned().unwrap_or_else(unknown));
                    rest = tail;
                }
                None => out.push_str("$("),
            },
            c if c.is_ascii() => {
                out.push('$');
                out.push(c);
            }
            c => return Err(format!("${c} is corrupted by some versions: {text}")),
        }
    }
    out.push_str(rest);
    Ok(out)
}
