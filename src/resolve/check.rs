//! What the names in a blueprint refer to, and the rules of a single service: every problem that
//! can be told without a target.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use super::images;
use super::names::{PortTable, Ports, name, port_name, port_table, unknown};
use super::needs;
use crate::blueprint::{
    At, Blueprint, Check, Config, Health, HttpCheck, Init, Kind, Map, PortForm, PortRef, Protocol,
    Publish, Restart, SecretMount, Service, Volume, VolumeKind,
};
use crate::problem::{Problem, Problems, Span, one_of};

/// More replicas than this in all are a mistake, or an attack.
const MAX_TOTAL: u32 = 50_000;

pub(super) fn check(blueprint: &Blueprint, targets: &[&str], problems: &mut Problems) {
    let checker = Checker {
        blueprint,
        targets,
        ports: port_table(blueprint),
        services: blueprint
            .services
            .iter()
            .map(|(k, v)| (&*k.value, v))
            .collect(),
    };
    checker.blueprint(problems);
    needs::check(blueprint, &checker.services, &checker.ports, problems);
}

/// Do two steps of a service have one name? Whatever is made of them would clash again.
pub(super) fn has_twins(blueprint: &Blueprint) -> bool {
    blueprint.services.iter().any(|(_, service)| {
        let mut seen = HashSet::new();
        let mut names = service.init.iter().map(|step| &*step.name.value);
        names.any(|name| !seen.insert(name))
    })
}

struct Checker<'a> {
    blueprint: &'a Blueprint,
    targets: &'a [&'a str],
    ports: PortTable<'a>,
    services: HashMap<&'a str, &'a Service>,
}

impl Checker<'_> {
    fn blueprint(&self, problems: &mut Problems) {
        let Blueprint {
            version: _,
            name: cluster,
            description: _,
            include: _,
            vars: _,
            secrets,
            images,
            config: _,
            services,
            tries,
            targets,
            span,
        } = self.blueprint;
        name("a cluster", &cluster.value, cluster.span, problems);
        if services.is_empty() && !problems.has_errors() {
            problems.add(
                Problem::error("missing-key", "this blueprint has no service")
                    .at(*span)
                    .label("expected `services` with at least one service"),
            );
        }
        for (key, secret) in secrets.iter() {
            let sources = [&secret.file, &secret.env, &secret.external];
            if sources.iter().filter(|s| s.is_some()).count() != 1 {
                problems.add(
                    Problem::error(
                        "secret-source",
                        format!("the secret `{}` needs one source", key.value),
                    )
                    .at(key.span)
                    .label("expected exactly one of `file`, `env` and `external`"),
                );
            }
            for source in sources.into_iter().flatten() {
                if source.value.trim().is_empty() {
                    problems.add(
                        Problem::error(
                            "secret-source",
                            format!("nothing says where the secret `{}` is", key.value),
                        )
                        .at(source.span)
                        .label("expected a path or a name"),
                    );
                }
            }
        }
        for (_, image) in images.iter() {
            images::check(image, problems);
        }
        for one in tries {
            self.known_service(&one.service.value, one.service.span, problems);
        }
        self.targets(targets.iter().map(|(k, _)| k), problems);
        let mut total = 0;
        for (key, service) in services.iter() {
            name("a service", &key.value, key.span, problems);
            total += service.replicas.map_or(1, |r| r.value.0);
            self.service(key, service, problems);
        }
        if total > MAX_TOTAL {
            problems.add(
                Problem::error("too-large", format!("{total} replicas in all"))
                    .at(self.blueprint.name.span)
                    .label(format!("expected at most {MAX_TOTAL}")),
            );
        }
    }

    fn targets<'k>(&self, keys: impl Iterator<Item = &'k At<Arc<str>>>, problems: &mut Problems) {
        for key in keys.filter(|k| !self.targets.contains(&&*k.value)) {
            problems.add(
                Problem::error(
                    "unknown-target",
                    format!("there is no target `{}`", key.value),
                )
                .at(key.span)
                .label(format!("expected {}", one_of(self.targets.iter().copied())))
                .nearest(&key.value, self.targets.iter().copied()),
            );
        }
    }

    fn service(&self, key: &At<Arc<str>>, service: &Service, problems: &mut Problems) {
        self.image(&service.image, problems);
        self.targets(service.patch.iter().map(|(k, _)| k), problems);
        if let (
            Some(At {
                value: Kind::Daemon,
                ..
            }),
            Some(replicas),
        ) = (service.kind, service.replicas)
        {
            problems.add(
                Problem::error("wrong-value", "a daemon runs once on every node")
                    .at(replicas.span)
                    .label("expected no `replicas` here"),
            );
        }
        if let (
            Some(At {
                value: Kind::Job, ..
            }),
            Some(At {
                value: Restart::Always,
                span,
            }),
        ) = (service.kind, service.restart)
        {
            problems.add(
                Problem::error(
                    "wrong-value",
                    "a job that is always started again never ends",
                )
                .at(span)
                .label("expected `on-failure` or `never`"),
            );
        }
        self.config(service.config.as_ref(), problems);
        self.secrets(&service.secrets, problems);
        self.init(&service.init, problems);
        profiles(&service.profiles, problems);
        ports(key, service, problems);
        volumes(&service.volumes, problems);
        let own = self.ports.get(&*key.value).cloned().unwrap_or_default();
        health(service.health.as_ref(), &own, problems);
        for (sidecar_key, sidecar) in service.sidecars.iter() {
            name("a sidecar", &sidecar_key.value, sidecar_key.span, problems);
            if let Some(image) = &sidecar.image {
                self.image(image, problems);
            }
            self.config(sidecar.config.as_ref(), problems);
            self.secrets(&sidecar.secrets, problems);
            health(sidecar.health.as_ref(), &own, problems);
        }
        let with = service.placement.iter().flat_map(|p| &p.with);
        for with in with.clone() {
            self.known_service(&with.value, with.span, problems);
        }
        once("service", with, problems);
    }

    fn known_service(&self, service: &str, span: Span, problems: &mut Problems) {
        if !self.services.contains_key(service) && !self.blueprint.services.has(service) {
            problems.add(unknown(
                "service",
                service,
                span,
                self.blueprint.services.names(),
            ));
        }
    }

    fn image(&self, image: &At<String>, problems: &mut Problems) {
        if !self.blueprint.images.has(&image.value) {
            let mut problem = unknown(
                "image",
                &image.value,
                image.span,
                self.blueprint.images.names(),
            );
            if image.value.contains([':', '/']) {
                problem = problem.help(format!(
                    "declare it: images: {{ NAME: {{ ref: \"{}\" }} }}, then `image: NAME`",
                    image.value
                ));
            }
            problems.add(problem);
        }
    }

    fn config(&self, config: Option<&Config>, problems: &mut Problems) {
        for group in config.iter().flat_map(|c| &c.uses) {
            if !self.blueprint.config.has(&group.value) {
                let known = self.blueprint.config.names();
                problems.add(unknown("config group", &group.value, group.span, known));
            }
        }
    }

    fn secrets(&self, mounts: &Map<Option<SecretMount>>, problems: &mut Problems) {
        for (key, _) in mounts.iter() {
            if !self.blueprint.secrets.has(&key.value) {
                let known = self.blueprint.secrets.names();
                problems.add(unknown("secret", &key.value, key.span, known));
            }
        }
    }

    fn init(&self, steps: &[Init], problems: &mut Problems) {
        let mut seen: HashMap<&str, Span> = HashMap::new();
        for step in steps {
            name("a step", &step.name.value, step.name.span, problems);
            if let Some(first) = seen.insert(&step.name.value, step.name.span) {
                problems.add(
                    Problem::error(
                        "duplicate-name",
                        format!("two steps are called `{}`", step.name.value),
                    )
                    .at(step.name.span)
                    .label("expected another name")
                    .related(first, "the first one"),
                );
            }
            if step.command.is_some() == step.script.is_some() {
                problems.add(
                    Problem::error(
                        "init-step",
                        format!("the step `{}` needs one thing to run", step.name.value),
                    )
                    .at(step.span)
                    .label("expected exactly one of `command` and `script`"),
                );
            }
            if let Some(image) = &step.image {
                self.image(image, problems);
            }
        }
    }
}

/// A profile is a folder of some target's, and a word of a command line of another's.
fn profiles(profiles: &[At<String>], problems: &mut Problems) {
    for profile in profiles {
        name("a profile", &profile.value, profile.span, problems);
    }
    once("profile", profiles.iter(), problems);
}

/// Refuses a name that stands twice in a list.
fn once<'a>(what: &str, names: impl Iterator<Item = &'a At<String>>, problems: &mut Problems) {
    let mut seen: HashMap<&str, Span> = HashMap::new();
    for name in names {
        if let Some(first) = seen.insert(&name.value, name.span) {
            problems.add(
                Problem::error(
                    "duplicate-name",
                    format!("the {what} `{}` is named twice", name.value),
                )
                .at(name.span)
                .label(format!("expected each {what} once"))
                .related(first, "the first one"),
            );
        }
    }
}

/// Equal numbers within a replica clash, whoever listens on them: a sidecar shares the network.
fn ports(key: &At<Arc<str>>, service: &Service, problems: &mut Problems) {
    let sidecars = service.sidecars.iter().flat_map(|(_, s)| s.ports.iter());
    let mut numbers: HashMap<(u16, Protocol), (Span, Arc<str>)> = HashMap::new();
    let mut names: HashMap<Arc<str>, Span> = HashMap::new();
    for (name, PortForm(port)) in service.ports.iter().chain(sidecars) {
        port_name(name, problems);
        if let Some(first) = names.insert(Arc::clone(&name.value), name.span) {
            problems.add(
                Problem::error(
                    "port-clash",
                    format!("two ports of `{}` are called `{}`", key.value, name.value),
                )
                .at(name.span)
                .label("a sidecar shares the ports of its replica")
                .related(first, "the first one"),
            );
        }
        let protocol = port.protocol.map_or(Protocol::Tcp, |p| p.value);
        let taken = numbers.insert(
            (port.port.value, protocol),
            (port.port.span, Arc::clone(&name.value)),
        );
        if let Some((first, other)) = taken {
            problems.add(
                Problem::error(
                    "port-clash",
                    format!(
                        "`{}` and `{other}` are both port {}",
                        name.value, port.port.value
                    ),
                )
                .at(port.port.span)
                .label("expected another number")
                .related(first, "the first one"),
            );
        }
        let published = port.publish.and_then(|p| match p.value {
            Publish::No => None,
            Publish::Same => Some((port.port.value, p.span)),
            Publish::On(number) => Some((number, p.span)),
        });
        if let Some((first, span)) = published {
            let last = u32::from(first) + service.replicas.map_or(1, |r| r.value.0) - 1;
            if last > u32::from(u16::MAX) {
                problems.add(
                    Problem::error(
                        "wrong-value",
                        format!("the last replica would publish port {last}"),
                    )
                    .at(span)
                    .label("expected a number that leaves room for every replica"),
                );
            }
        }
    }
}

fn volumes(volumes: &Map<Volume>, problems: &mut Problems) {
    let mut paths: HashMap<&str, Span> = HashMap::new();
    for (key, volume) in volumes.iter() {
        name("a volume", &key.value, key.span, problems);
        if volume.path.value.0 == "/" {
            problems.add(
                Problem::error("wrong-value", "a volume can't be mounted at /")
                    .at(volume.path.span)
                    .label("expected a directory below it, such as /data"),
            );
        }
        if let Some(first) = paths.insert(&volume.path.value.0, volume.path.span) {
            problems.add(
                Problem::error(
                    "volume-clash",
                    format!("two volumes are mounted at {}", volume.path.value.0),
                )
                .at(volume.path.span)
                .label("expected another path")
                .related(first, "the first one"),
            );
        }
        let host = volume.kind.is_some_and(|k| k.value == VolumeKind::Host);
        match (&volume.source, host) {
            (None, true) => problems.add(
                Problem::error("missing-key", "a volume of kind `host` needs `source`")
                    .at(volume.span)
                    .label("expected source: /a/directory/of/the/node"),
            ),
            (Some(source), false) => problems.add(
                Problem::error("wrong-value", "only a volume of kind `host` has a `source`")
                    .at(source.span)
                    .label("expected `kind: host`, or no source"),
            ),
            _ => {}
        }
    }
}

fn health(health: Option<&Health>, ports: &Ports<'_>, problems: &mut Problems) {
    let Some(health) = health else {
        return;
    };
    let Health {
        tcp,
        http,
        command,
        start,
        ready,
        alive,
        span,
        ..
    } = health;
    let own = [tcp.is_some(), http.is_some(), command.is_some()];
    let own = own.iter().filter(|s| **s).count();
    let apart = start.is_some() || ready.is_some() || alive.is_some();
    if own > 1 || (own == 0 && !apart) || (own == 1 && apart) {
        problems.add(
            Problem::error(
                "health",
                "a health check is one of `tcp`, `http` and `command`",
            )
            .at(*span)
            .label("expected one of them, or `start`, `ready` and `alive` with one each"),
        );
    }
    port_ref(tcp.as_ref(), http.as_ref(), ports, problems);
    for check in [start, ready, alive].into_iter().flatten() {
        let Check {
            tcp,
            http,
            command,
            span,
            ..
        } = check;
        let kinds = [tcp.is_some(), http.is_some(), command.is_some()];
        if kinds.iter().filter(|s| **s).count() != 1 {
            problems.add(
                Problem::error(
                    "health",
                    "a check is exactly one of `tcp`, `http` and `command`",
                )
                .at(*span)
                .label("expected one of them"),
            );
        }
        port_ref(tcp.as_ref(), http.as_ref(), ports, problems);
    }
}

fn port_ref(
    tcp: Option<&PortRef>,
    http: Option<&HttpCheck>,
    ports: &Ports<'_>,
    problems: &mut Problems,
) {
    for port in tcp.into_iter().chain(http.map(|h| &h.port)) {
        ports.check(&port.name, port.span, problems);
    }
}
