//! From the model to text: `$` doubled in every value that Compose interpolates, lists where a map
//! would be misread, secrets as the variables that hold them.

use std::fmt::Write as _;

use indexmap::IndexMap;

use super::model::{
    Condition, Dependency, Env, Healthcheck, Mount, Project, PublishedPort, Resources,
    SecretSource, Service, Volume, VolumeMount,
};
use super::settings::Settings;
use super::share;
use crate::emit::yaml::{self, Yaml};
use crate::plan::{Part, Plan, Value};
use crate::target::{memory, patch};

/// The whole file.
pub(super) fn document(project: &Project, plan: &Plan, settings: &Settings) -> String {
    let patched = |name: &str| {
        let whole = settings.patch.as_ref().and_then(|p| p.0.get("services"));
        let own = project.services.get(name).and_then(|s| s.patch.as_ref());
        whole.is_some_and(|s| s.get(name).is_some())
            || own.is_some_and(|p| p.get("environment").is_some())
    };
    let environments = share::environments(project, &patched);
    let emitter = Emitter {
        secrets: &project.secrets,
        environments: &environments,
    };
    let mut document = emitter.project(project);
    if let Some(node) = &settings.patch {
        patch::apply(&mut document, &node.0);
    }
    let shared = environments.anchors.iter().map(|(anchor, variables)| {
        let pairs = variables.iter().map(|v| (&*v.name, &v.value));
        (anchor.clone(), emitter.pairs(pairs))
    });
    let shared: Vec<(String, Yaml)> = shared.collect();
    let anchors = shared
        .into_iter()
        .chain(share::bodies(&mut document, &project.families));
    if let Yaml::Map(entries) = &mut document {
        let at = entries
            .iter()
            .position(|(k, _)| k == "services")
            .unwrap_or(0);
        let anchors = anchors.map(|(name, body)| {
            let anchor = Yaml::Anchor(name.clone(), Box::new(body));
            (format!("x-{name}"), anchor)
        });
        entries.splice(at..at, anchors);
    }
    let mut comment = format!(
        "Made by flokkr from the blueprint {}: change that, not this file.",
        plan.name
    );
    if let Some(description) = &plan.description {
        let line = description.split_whitespace().collect::<Vec<_>>().join(" ");
        comment = format!("{line}\n{comment}");
    }
    yaml::document(&comment, &document)
}

struct Emitter<'a> {
    secrets: &'a IndexMap<String, SecretSource>,
    environments: &'a share::Environments<'a>,
}

type Entries = Vec<(String, Yaml)>;

/// `$` is doubled in every value that Compose interpolates; keys of mappings it leaves alone.
fn doubled(text: &str) -> String {
    if !text.contains('$') {
        return text.to_owned();
    }
    text.replace('$', "$$")
}

fn plain(text: &str) -> Yaml {
    Yaml::Text(doubled(text))
}

fn key(entries: &mut Entries, key: &str, value: Yaml) {
    entries.push((key.to_owned(), value));
}

fn text(entries: &mut Entries, name: &str, value: Option<impl AsRef<str>>) {
    if let Some(value) = value {
        key(entries, name, plain(value.as_ref()));
    }
}

fn list<T>(entries: &mut Entries, name: &str, items: &[T], body: impl Fn(&T) -> Yaml) {
    if !items.is_empty() {
        key(entries, name, Yaml::List(items.iter().map(body).collect()));
    }
}

impl Emitter<'_> {
    fn project(&self, project: &Project) -> Yaml {
        let mut entries = Entries::new();
        key(&mut entries, "name", plain(&project.name));
        let services = project
            .services
            .iter()
            .map(|(name, service)| (name.clone(), self.service(name, service)))
            .collect();
        key(&mut entries, "services", Yaml::Map(services));
        if !project.volumes.is_empty() {
            let volumes = project.volumes.iter();
            let volumes = volumes.map(|(name, volume)| (name.clone(), volume_body(volume)));
            key(&mut entries, "volumes", Yaml::Map(volumes.collect()));
        }
        if !project.configs.is_empty() {
            let configs = project.configs.iter().map(|(name, content)| {
                // Without content Compose mounts the directory that it runs in.
                let body = if content.raw().is_empty() {
                    ("file".to_owned(), Yaml::Text("/dev/null".to_owned()))
                } else {
                    ("content".to_owned(), self.value(content))
                };
                (name.clone(), Yaml::Map(vec![body]))
            });
            key(&mut entries, "configs", Yaml::Map(configs.collect()));
        }
        let secrets: Entries = project
            .secrets
            .iter()
            .filter(|(name, _)| project.services.values().any(|s| uses(s, name)))
            .map(|(name, source)| (name.clone(), secret_body(source)))
            .collect();
        if !secrets.is_empty() {
            key(&mut entries, "secrets", Yaml::Map(secrets));
        }
        Yaml::Map(entries)
    }

    fn service(&self, name: &str, service: &Service) -> Yaml {
        let Service {
            image,
            build,
            unpulled,
            hostname,
            profiles,
            user,
            working_dir,
            entrypoint,
            command,
            environment,
            configs,
            secrets,
            volumes,
            ports,
            network_mode,
            aliases,
            pid,
            depends_on,
            healthcheck,
            unchecked,
            replicas,
            resources,
            restart,
            stop_grace_period,
            stop_signal,
            before_stop,
            labels,
            patch,
        } = service;
        let mut body = Entries::new();
        text(&mut body, "image", Some(image));
        if let Some(context) = build {
            let context = vec![("context".to_owned(), plain(context))];
            key(&mut body, "build", Yaml::Map(context));
        }
        text(&mut body, "pull_policy", unpulled.then_some("never"));
        text(&mut body, "hostname", hostname.as_ref());
        text(&mut body, "user", user.as_ref());
        text(&mut body, "working_dir", working_dir.as_ref());
        list(&mut body, "profiles", profiles, |p| plain(p));
        for (name, words) in [("entrypoint", entrypoint), ("command", command)] {
            if let Some(words) = words {
                key(&mut body, name, self.words(words));
            }
        }
        if !environment.is_empty() {
            key(
                &mut body,
                "environment",
                self.environment(name, environment),
            );
        }
        list(&mut body, "configs", configs, mount_body);
        list(&mut body, "secrets", secrets, mount_body);
        list(&mut body, "volumes", volumes, volume_mount);
        list(&mut body, "ports", ports, port_body);
        text(&mut body, "network_mode", network_mode.as_ref());
        if !aliases.is_empty() {
            key(&mut body, "networks", networks(aliases));
        }
        text(&mut body, "pid", pid.as_ref());
        if !depends_on.is_empty() {
            let depends_on = depends_on.iter();
            let entries = depends_on.map(|(name, on)| (name.clone(), dependency_body(*on)));
            key(&mut body, "depends_on", Yaml::Map(entries.collect()));
        }
        if let Some(check) = healthcheck {
            key(&mut body, "healthcheck", self.healthcheck(check));
        } else if *unchecked {
            let disabled = ("disable".to_owned(), Yaml::Plain("true".to_owned()));
            key(&mut body, "healthcheck", Yaml::Map(vec![disabled]));
        }
        resources_body(*resources, *replicas, &mut body);
        text(&mut body, "restart", restart.as_ref());
        text(&mut body, "stop_grace_period", stop_grace_period.as_ref());
        text(&mut body, "stop_signal", stop_signal.as_ref());
        if let Some(words) = before_stop {
            let hook = vec![("command".to_owned(), self.words(words))];
            key(&mut body, "pre_stop", Yaml::List(vec![Yaml::Map(hook)]));
        }
        if !labels.is_empty() {
            let pairs = labels.iter().map(|(k, v)| (k.as_str(), v));
            key(&mut body, "labels", self.pairs(pairs));
        }
        let mut body = Yaml::Map(body);
        if let Some(patch) = patch {
            patch::apply(&mut body, patch);
        }
        body
    }

    /// An environment: shared parts merged, the rest written out.
    fn environment(&self, name: &str, environment: &[Env]) -> Yaml {
        let Some(split) = self.environments.services.get(name) else {
            return self.pairs(environment.iter().map(|e| (&*e.name, &e.value)));
        };
        let own = split
            .own
            .iter()
            .map(|v| (v.name.to_string(), self.value(&v.value)));
        match split.merges.as_slice() {
            [] => Yaml::Map(own.collect()),
            [only] if split.own.is_empty() => Yaml::Alias(only.clone()),
            merges => Yaml::Merged(merges.to_vec(), own.collect()),
        }
    }

    /// A text in which secrets are written as `${VARIABLE:?message}`.
    fn value(&self, value: &Value) -> Yaml {
        Yaml::Text(self.interpolated(value))
    }

    fn interpolated(&self, value: &Value) -> String {
        if let Some(text) = value.plain() {
            return doubled(text);
        }
        let mut out = String::with_capacity(value.raw().len());
        for part in value.parts() {
            match part {
                Part::Text(text) => out.push_str(&doubled(text)),
                Part::Secret(name) => {
                    if let Some(SecretSource::Environment(variable)) = self.secrets.get(name) {
                        let _ = write!(out, "${{{variable}:?set it to the secret {name}}}");
                    }
                }
            }
        }
        out
    }

    fn words(&self, words: &[Value]) -> Yaml {
        Yaml::List(words.iter().map(|w| self.value(w)).collect())
    }

    /// A mapping, or a list of `KEY=VALUE` when some key would be misread in a mapping. In a list the
    /// key is interpolated too.
    fn pairs<'v>(&self, pairs: impl Iterator<Item = (&'v str, &'v Value)> + Clone) -> Yaml {
        if pairs.clone().any(|(key, _)| share::misread_as_key(key)) {
            let list = pairs.map(|(key, value)| {
                Yaml::Text(format!("{}={}", doubled(key), self.interpolated(value)))
            });
            return Yaml::List(list.collect());
        }
        Yaml::Map(
            pairs
                .map(|(key, value)| (key.to_owned(), self.value(value)))
                .collect(),
        )
    }

    fn healthcheck(&self, check: &Healthcheck) -> Yaml {
        let Healthcheck {
            test,
            interval,
            timeout,
            retries,
            start_period,
        } = check;
        Yaml::Map(vec![
            ("test".to_owned(), self.words(test)),
            ("interval".to_owned(), plain(interval)),
            ("timeout".to_owned(), plain(timeout)),
            ("retries".to_owned(), Yaml::number(*retries)),
            ("start_period".to_owned(), plain(start_period)),
        ])
    }
}

/// Is a secret mounted in a service? One that only stands in texts needs no declaration.
fn uses(service: &Service, secret: &str) -> bool {
    service.secrets.iter().any(|m| m.source == secret)
}

fn volume_body(volume: &Volume) -> Yaml {
    let Volume { size } = volume;
    let mut body = Entries::new();
    if let Some(size) = size {
        let label = ("flokkr.size".to_owned(), Yaml::Text(bytes(*size)));
        key(&mut body, "labels", Yaml::Map(vec![label]));
    }
    Yaml::Map(body)
}

fn secret_body(source: &SecretSource) -> Yaml {
    match source {
        SecretSource::File(path) => Yaml::Map(vec![("file".to_owned(), plain(path))]),
        SecretSource::Environment(name) => Yaml::Map(vec![("environment".to_owned(), plain(name))]),
        SecretSource::External(name) => Yaml::Map(vec![
            ("external".to_owned(), Yaml::Plain("true".to_owned())),
            ("name".to_owned(), plain(name)),
        ]),
    }
}

fn mount_body(mount: &Mount) -> Yaml {
    let Mount { source, target } = mount;
    Yaml::Map(vec![
        ("source".to_owned(), plain(source)),
        ("target".to_owned(), plain(target)),
    ])
}

fn volume_mount(mount: &VolumeMount) -> Yaml {
    let mut body = Entries::new();
    let (kind, source, target, readonly) = match mount {
        VolumeMount::Named {
            source,
            target,
            readonly,
        } => ("volume", Some(source), target, *readonly),
        VolumeMount::Bind {
            source,
            target,
            readonly,
        } => ("bind", Some(source), target, *readonly),
        VolumeMount::Memory { target, .. } => ("tmpfs", None, target, false),
    };
    key(&mut body, "type", plain(kind));
    if let Some(source) = source {
        key(&mut body, "source", plain(source));
    }
    key(&mut body, "target", plain(target));
    if readonly {
        key(&mut body, "read_only", Yaml::Plain("true".to_owned()));
    }
    match mount {
        VolumeMount::Memory { size, .. } => {
            let mut options = Entries::new();
            if let Some(size) = size {
                key(&mut options, "size", Yaml::number(*size));
            }
            key(&mut options, "mode", Yaml::number(memory::MODE));
            key(&mut body, "tmpfs", Yaml::Map(options));
        }
        VolumeMount::Bind { .. } => {
            let create = (
                "create_host_path".to_owned(),
                Yaml::Plain("true".to_owned()),
            );
            key(&mut body, "bind", Yaml::Map(vec![create]));
        }
        VolumeMount::Named { .. } => {}
    }
    Yaml::Map(body)
}

fn port_body(port: &PublishedPort) -> Yaml {
    let PublishedPort {
        target,
        published,
        host_ip,
        protocol,
    } = port;
    Yaml::Map(vec![
        ("target".to_owned(), Yaml::number(*target)),
        ("published".to_owned(), plain(published)),
        ("host_ip".to_owned(), plain(host_ip)),
        ("protocol".to_owned(), plain(protocol)),
    ])
}

fn networks(aliases: &[String]) -> Yaml {
    let aliases = Yaml::List(aliases.iter().map(|a| plain(a)).collect());
    let network = Yaml::Map(vec![("aliases".to_owned(), aliases)]);
    Yaml::Map(vec![("default".to_owned(), network)])
}

fn dependency_body(dependency: Dependency) -> Yaml {
    let condition = match dependency.condition {
        Condition::Started => "service_started",
        Condition::Healthy => "service_healthy",
        Condition::Completed => "service_completed_successfully",
    };
    let mut body = vec![("condition".to_owned(), plain(condition))];
    if dependency.restart {
        key(&mut body, "restart", Yaml::Plain("true".to_owned()));
    }
    Yaml::Map(body)
}

fn resources_body(resources: Resources, replicas: Option<u32>, body: &mut Entries) {
    let Resources {
        cpu_shares,
        cpu_limit,
        memory,
        memory_limit,
    } = resources;
    if let Some(shares) = cpu_shares {
        key(body, "cpu_shares", Yaml::number(shares));
    }
    let mut deploy = Entries::new();
    if let Some(replicas) = replicas {
        key(&mut deploy, "replicas", Yaml::number(replicas));
    }
    let mut limits = Entries::new();
    if let Some(millis) = cpu_limit {
        let text = format!("{}.{:03}", millis / 1000, millis % 1000);
        let text = text.trim_end_matches('0').trim_end_matches('.').to_owned();
        key(&mut limits, "cpus", Yaml::Text(text));
    }
    if let Some(memory) = memory_limit {
        key(&mut limits, "memory", Yaml::Text(bytes(memory)));
    }
    let mut amounts = Entries::new();
    if !limits.is_empty() {
        key(&mut amounts, "limits", Yaml::Map(limits));
    }
    if let Some(memory) = memory {
        let reserved = vec![("memory".to_owned(), Yaml::Text(bytes(memory)))];
        key(&mut amounts, "reservations", Yaml::Map(reserved));
    }
    if !amounts.is_empty() {
        key(&mut deploy, "resources", Yaml::Map(amounts));
    }
    if !deploy.is_empty() {
        key(body, "deploy", Yaml::Map(deploy));
    }
}

/// Bytes in the largest unit that gives a whole number; Compose's units are powers of 1024.
fn bytes(size: u64) -> String {
    const UNITS: [(u32, &str); 3] = [(30, "g"), (20, "m"), (10, "k")];
    for (shift, unit) in UNITS {
        if size.is_multiple_of(1 << shift) {
            return format!("{}{unit}", size >> shift);
        }
    }
    format!("{size}b")
}
