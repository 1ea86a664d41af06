//! Which fields of the language a plan makes use of, in the order of the language: the rows of
//! `flokkr targets`.

use indexmap::IndexSet;

use super::{
    Container, Each, Health, Init, Placement, Plan, Port, Resources, Service, Sidecar, Stop, Value,
    Volume,
};
use crate::blueprint::{Delivery, Kind, Protocol, Quorum, Restart, Spread, VolumeKind};

/// All fields that a target may do something of its own with, in the order of tables.
pub const FIELDS: [&str; 50] = [
    "build",
    "kind.service",
    "kind.ensemble",
    "kind.daemon",
    "kind.job",
    "replicas",
    "replica",
    "entrypoint",
    "command",
    "user",
    "security",
    "workdir",
    "env",
    "config.env",
    "config.files",
    "files",
    "files.mode",
    "ports",
    "ports.udp",
    "ports.publish",
    "volumes.persistent",
    "volumes.shared",
    "volumes.temporary",
    "volumes.memory",
    "volumes.host",
    "volumes.size",
    "volumes.class",
    "needs",
    "needs.quorum",
    "init",
    "init.when",
    "health.start",
    "health.ready",
    "health.alive",
    "health.interval",
    "stop.grace",
    "stop.signal",
    "stop.before",
    "restart",
    "resources",
    "placement.spread",
    "placement.nodes",
    "placement.with",
    "secrets",
    "secrets.mode",
    "profiles",
    "labels",
    "sidecars",
    "sidecars.processes",
    "sidecars.order",
];

/// Is a field the other, or a part of it? `health` stands for `health.start` too.
pub fn is_part(field: &str, of: &str) -> bool {
    let rest = field.strip_prefix(of);
    rest.is_some_and(|r| r.is_empty() || r.starts_with('.'))
}

/// The fields that a plan makes use of.
pub fn used(plan: &Plan) -> Vec<&'static str> {
    let mut used = IndexSet::new();
    for service in &plan.services {
        of_service(service, &mut used);
    }
    FIELDS.into_iter().filter(|f| used.contains(f)).collect()
}

type Used = IndexSet<&'static str>;

fn of_service(service: &Service, used: &mut Used) {
    let Service {
        name: _,
        span: _,
        description: _,
        kind,
        replicas,
        main,
        inits,
        sidecars,
        ports,
        volumes,
        needs,
        restart,
        placement,
        profiles,
        labels,
        patches: _,
    } = service;
    used.insert(match kind {
        Kind::Service => "kind.service",
        Kind::Ensemble => "kind.ensemble",
        Kind::Daemon => "kind.daemon",
        Kind::Job => "kind.job",
    });
    if *replicas > 1 {
        used.insert("replicas");
    }
    of_container(main, used);
    for init in inits {
        let Init { container, when } = init;
        used.insert("init");
        if matches!(when, Each::Replica(_)) {
            used.insert("init.when");
        }
        of_container(container, used);
    }
    for sidecar in sidecars {
        let Sidecar {
            container,
            volumes: _,
            processes,
        } = sidecar;
        used.insert("sidecars");
        if *processes {
            used.insert("sidecars.processes");
        }
        of_container(container, used);
    }
    for port in ports {
        of_port(port, used);
    }
    for volume in volumes {
        of_volume(volume, used);
    }
    for need in needs {
        used.insert("needs");
        if need.quorum != Quorum::All {
            used.insert("needs.quorum");
        }
    }
    if !matches!(
        (kind, restart),
        (Kind::Job, Restart::OnFailure) | (_, Restart::Always)
    ) {
        used.insert("restart");
    }
    if let Some(placement) = placement {
        of_placement(placement, used);
    }
    if !profiles.is_empty() {
        used.insert("profiles");
    }
    if !labels.is_empty() {
        used.insert("labels");
    }
}

fn of_container(container: &Container, used: &mut Used) {
    let Container {
        name: _,
        span: _,
        image,
        entrypoint,
        command,
        user,
        workdir,
        env,
        config,
        files,
        secrets,
        health,
        stop,
        resources,
    } = container;
    let values = env.iter().map(|e| &e.value);
    let values = values.chain(files.iter().map(|f| &f.content));
    let values = values.chain(
        [entrypoint, command]
            .into_iter()
            .flatten()
            .flat_map(|w| &w.words),
    );
    let entries = config.iter().flat_map(|c| &*c.entries);
    let mut values = values.chain(entries.map(|e| &e.value));
    let differs = values.clone().any(|v| matches!(v, Each::Replica(_)));
    let kept = values.any(|v| v.all().iter().flatten().any(Value::has_secret));
    let fields = [
        ("build", image.build.is_some()),
        ("replica", differs),
        ("entrypoint", entrypoint.is_some()),
        ("command", command.is_some()),
        ("user", user.is_some() || image.user.is_some()),
        ("security", image.root.is_some()),
        ("workdir", workdir.is_some()),
        ("env", !env.is_empty()),
        (
            "config.env",
            config.iter().any(|c| c.delivery == Delivery::Env),
        ),
        (
            "config.files",
            config.iter().any(|c| c.delivery == Delivery::Files),
        ),
        ("files", !files.is_empty()),
        (
            "files.mode",
            files.iter().any(|f| !matches!(f.mode.0, 0o644 | 0o444)),
        ),
        ("secrets", kept || !secrets.is_empty()),
        ("secrets.mode", secrets.iter().any(|s| s.mode.is_some())),
    ];
    used.extend(fields.into_iter().filter(|(_, is)| *is).map(|(f, _)| f));
    if let Some(health) = health {
        of_health(health, used);
    }
    let Stop {
        grace,
        signal,
        before,
    } = stop;
    let Resources {
        cpu,
        memory,
        cpu_limit,
        memory_limit,
    } = resources;
    let limited =
        cpu.is_some() || memory.is_some() || cpu_limit.is_some() || memory_limit.is_some();
    let fields = [
        ("stop.grace", grace.is_some()),
        ("stop.signal", signal.is_some()),
        ("stop.before", before.is_some()),
        ("resources", limited),
    ];
    used.extend(fields.into_iter().filter(|(_, is)| *is).map(|(f, _)| f));
}

fn of_health(health: &Health, used: &mut Used) {
    let Health {
        start,
        ready,
        alive,
        apart: _,
        span: _,
    } = health;
    let checks = [
        ("health.start", start),
        ("health.ready", ready),
        ("health.alive", alive),
    ];
    used.extend(checks.iter().filter(|(_, c)| c.is_some()).map(|(f, _)| *f));
}

fn of_port(port: &Port, used: &mut Used) {
    used.insert("ports");
    if port.protocol == Protocol::Udp {
        used.insert("ports.udp");
    }
    if port.publish.is_some() {
        used.insert("ports.publish");
    }
}

fn of_volume(volume: &Volume, used: &mut Used) {
    used.insert(match volume.kind {
        VolumeKind::Persistent => "volumes.persistent",
        VolumeKind::Shared => "volumes.shared",
        VolumeKind::Temporary => "volumes.temporary",
        VolumeKind::Memory => "volumes.memory",
        VolumeKind::Host => "volumes.host",
    });
    if volume.size.is_some() {
        used.insert("volumes.size");
    }
    if volume.class.is_some() {
        used.insert("volumes.class");
    }
}

fn of_placement(placement: &Placement, used: &mut Used) {
    let Placement {
        spread,
        nodes,
        with,
        span: _,
    } = placement;
    if matches!(spread, Some(Spread::Host | Spread::Zone)) {
        used.insert("placement.spread");
    }
    if !nodes.is_empty() {
        used.insert("placement.nodes");
    }
    if !with.is_empty() {
        used.insert("placement.with");
    }
}
