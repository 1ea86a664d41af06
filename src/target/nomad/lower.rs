//! From a plan to Nomad jobs: reads as the list of what a service becomes.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

use super::model::{Constraint, Group, Job, JobKind, Restart, Task, Text, Update};
use super::network;
use super::replica::{self, Covered, replaced_slot};
use super::settings::{Discovery, Settings};
use super::template::Secrets;
use super::text::{Meta, Unfit};
use crate::blueprint::{self, Kind, Spread, VolumeKind};
use crate::emit::hcl::Piece;
use crate::plan::{self, Container, Plan, SecretSource};
use crate::problem::{Problem, Span};
use crate::target::{Account, memory};

/// The jobs of a plan, and the texts that they expect in Consul's KV store.
pub(super) fn lower<'a>(
    plan: &'a Plan,
    settings: &'a Settings,
    account: &'a mut Account,
) -> (Vec<Job>, Vec<(String, String)>) {
    let services = plan.services.iter().map(|s| (&*s.name, s)).collect();
    let mut lowering = Lowering {
        plan,
        settings,
        services,
        secrets: Secrets::default(),
        deliverer: plan::Deliverer::default(),
        meta: BTreeSet::new(),
        kv: Vec::new(),
        places: HashMap::new(),
        volumes: HashMap::new(),
        job: String::new(),
        account,
    };
    lowering.separated();
    network::taken(&mut lowering);
    let mut jobs = Vec::new();
    for service in &plan.services {
        lowering.service(service, &mut jobs);
    }
    (jobs, lowering.kv)
}

pub(super) struct Lowering<'a> {
    pub(super) plan: &'a Plan,
    pub(super) settings: &'a Settings,
    pub(super) services: HashMap<&'a str, &'a plan::Service>,
    pub(super) secrets: Secrets,
    pub(super) deliverer: plan::Deliverer,
    /// What texts of the job at hand refer to.
    pub(super) meta: BTreeSet<Meta>,
    /// Keys and texts in Consul's KV store.
    pub(super) kv: Vec<(String, String)>,
    /// Names of files, and what each was made from.
    places: HashMap<String, Span>,
    /// Names of Docker volumes, and the service and volume that each is of.
    pub(super) volumes: HashMap<String, (VolumeOf, Span)>,
    /// The name of the job at hand.
    pub(super) job: String,
    pub(super) account: &'a mut Account,
}

/// A service and its volume.
type VolumeOf = (Arc<str>, Arc<str>);

/// The replicas of a service that one job is for.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) service: &'a plan::Service,
    pub(super) covered: Covered,
}

impl Place<'_> {
    /// The service has several replicas, with something of its own each.
    pub(super) fn is_numbered(&self) -> bool {
        self.service.kind == Kind::Ensemble
            || (self.service.replicas > 1 && matches!(self.service.kind, Kind::Service | Kind::Job))
    }
}

/// Where every secret is read: by the name in the blueprint, the path in the store and the item
/// there. What the blueprint's author keeps in a file or a variable is put into the store under its
/// name, where the job at hand may read it without further rights.
fn secrets(plan: &Plan, settings: &Settings, job: &str) -> Secrets {
    let path = |secret: &plan::Secret| match &secret.source {
        SecretSource::External(name) => match name.split_once('#') {
            Some((path, item)) => (path.to_owned(), item.to_owned()),
            None => (name.clone(), "value".to_owned()),
        },
        SecretSource::File(_) | SecretSource::Env(_) => {
            let path = if settings.is_vault() {
                format!("secret/data/{}", plan.name)
            } else {
                format!("nomad/jobs/{job}")
            };
            (path, secret.name.to_string())
        }
    };
    Secrets {
        paths: plan
            .secrets
            .iter()
            .map(|s| (Arc::clone(&s.name), path(s)))
            .collect(),
        vault: settings.is_vault(),
    }
}

impl<'a> Lowering<'a> {
    /// Services that the settings name must be there.
    fn separated(&mut self) {
        for name in &self.settings.separate {
            if !self.services.contains_key(name.value.as_str()) {
                let names = || self.plan.services.iter().map(|s| &*s.name);
                self.account.problems.add(
                    Problem::error("undefined", format!("there is no service `{}`", name.value))
                        .at(name.span)
                        .label("expected the name of a service")
                        .nearest(&name.value, names()),
                );
            }
        }
    }

    fn service(&mut self, service: &'a plan::Service, jobs: &mut Vec<Job>) {
        if let Some(build) = &service.main.image.build {
            let what = "`build` is for the target that emits Dockerfiles; the image must exist";
            self.account.lost("build", build.span, what);
        }
        self.emulated(service);
        for (span, what) in memory::apart(service) {
            self.account.lost("volumes.memory", span, &what);
        }
        let asked = self
            .settings
            .separate
            .iter()
            .any(|name| name.value == *service.name);
        let mut separate = asked && service.replicas > 1;
        if !separate {
            let commands = self.settings.is_consul();
            for (span, why) in replica::obstacles(service, commands, &mut self.deliverer) {
                separate = true;
                let what = format!(
                    "{why}, so that each becomes a job: submit them one after the other, nothing \
                     else holds two of them back"
                );
                self.account.lost("replicas", span, &what);
            }
        }
        if separate {
            for index in 0..service.replicas {
                let covered = Covered {
                    first: index,
                    count: 1,
                };
                let name = format!("{}-{index}", service.name);
                jobs.push(self.job(Place { service, covered }, name));
            }
            return;
        }
        let covered = Covered {
            first: 0,
            count: service.replicas,
        };
        jobs.push(self.job(Place { service, covered }, service.name.to_string()));
    }

    /// What Nomad has no word for, and is made of tasks.
    fn emulated(&mut self, service: &plan::Service) {
        let holds = self.settings.discovery() == Discovery::DockerNetwork;
        let ways = [
            (
                service.kind == Kind::Ensemble,
                "kind.ensemble",
                "names and volumes by the index of the allocation",
            ),
            (
                !service.inits.is_empty(),
                "init",
                "prestart tasks, which start together and wait for each other",
            ),
            (
                !service.sidecars.is_empty() && holds,
                "sidecars",
                "tasks in one network, which a task of its own holds",
            ),
        ];
        for (_, field, how) in ways.iter().filter(|(is, _, _)| *is) {
            self.account.emulated(field, service.span, how);
        }
    }

    fn job(&mut self, place: Place<'a>, name: String) -> Job {
        let plan::Service {
            name: _,
            span,
            description,
            kind,
            replicas: _,
            main,
            inits: _,
            sidecars,
            ports: _,
            volumes: _,
            needs,
            restart: _,
            placement: _,
            profiles,
            labels: _,
            patches,
        } = place.service;
        if let Some(first) = self.places.insert(name.clone(), *span) {
            self.account.problems.add(
                Problem::error(
                    "duplicate-name",
                    format!("two jobs become `{name}` in Nomad"),
                )
                .at(*span)
                .label("expected another name")
                .related(first, "the first one"),
            );
        }
        self.meta.clear();
        self.job = format!("{}-{name}", self.plan.name);
        self.secrets = secrets(self.plan, self.settings, &self.job);
        let kind = match kind {
            Kind::Service | Kind::Ensemble => JobKind::Service,
            Kind::Daemon => JobKind::System,
            Kind::Job => JobKind::Batch,
        };
        let group = self.group(place, kind);
        let all = [main]
            .into_iter()
            .chain(sidecars.iter().map(|s| &s.container));
        let within = all
            .filter_map(|c| c.health.as_ref())
            .filter_map(|h| h.start.as_ref().or(h.usable()))
            .map(|c| c.within.0)
            .max();
        let checks = group
            .tasks
            .iter()
            .flat_map(|t| &t.services)
            .chain(&group.services)
            .any(|s| !s.checks.is_empty());
        // The time of a start counts from the first step on, and a step may wait for others.
        let healthy_deadline =
            within.unwrap_or(0).max(300_000) + if needs.is_empty() { 0 } else { 300_000 };
        Job {
            id: self.job.clone(),
            name,
            kind,
            description: description.clone(),
            meta: std::mem::take(&mut self.meta),
            update: (kind == JobKind::Service).then_some(Update {
                checks,
                healthy_deadline,
            }),
            group,
            patch: patches
                .iter()
                .find(|(target, _)| &**target == "nomad")
                .map(|(_, node)| node.clone()),
            profiles: profiles.clone(),
        }
    }

    fn group(&mut self, place: Place<'a>, kind: JobKind) -> Group {
        let service = place.service;
        let mut group = Group {
            count: (kind != JobKind::System).then_some(place.covered.count),
            restart: self.restart(place, kind),
            stays: kind != JobKind::System && is_stateful(service),
            disk: service
                .volumes
                .iter()
                .filter(|v| v.kind == VolumeKind::Temporary)
                .filter_map(|v| v.size.map(|s| megabytes(s.0)))
                .reduce(|a, b| a + b),
            ..Group::default()
        };
        self.placement(place, kind, &mut group);
        self.network(place, &mut group);
        self.identity(place, &mut group);
        let mut names = Names::default();
        // The main task and the sidecars are known by their names, steps by what is left.
        let main = names.take(&service.name);
        let sidecars: Vec<String> = service
            .sidecars
            .iter()
            .map(|s| names.take(&s.container.name))
            .collect();
        let holder = self.holder(place, &mut names);
        let network = holder.as_ref().map(|h| h.name.clone());
        let mut tasks: Vec<Task> = holder.into_iter().collect();
        tasks.extend(self.resolver(place, &mut names));
        tasks.extend(self.before(place, &mut names));
        let joined = network.as_deref();
        tasks.push(self.main(place, main.clone(), joined, &mut group));
        for (sidecar, name) in service.sidecars.iter().zip(sidecars) {
            let joined = joined.unwrap_or(&main);
            tasks.push(self.sidecar(place, sidecar, name, (&main, joined), &mut group));
        }
        if self.settings.discovery() == Discovery::DockerNetwork {
            // Published by the container that has the network.
            let holder = network.unwrap_or(main);
            let labels: Vec<String> = group
                .network
                .ports
                .iter()
                .map(|p| p.label.clone())
                .collect();
            for task in tasks.iter_mut().filter(|t| t.name == holder) {
                task.config.ports.clone_from(&labels);
            }
        }
        group.tasks = tasks;
        group
    }

    fn restart(&mut self, place: Place<'_>, kind: JobKind) -> Restart {
        let service = place.service;
        match (service.restart, kind) {
            (blueprint::Restart::Never, _) => Restart::Never,
            (blueprint::Restart::OnFailure, JobKind::Batch) => Restart::Some,
            (blueprint::Restart::OnFailure, _) => {
                let what = "a process that ended well is started again: only a job may end";
                self.account.lost("restart", service.span, what);
                Restart::Always
            }
            (blueprint::Restart::Always, _) => Restart::Always,
        }
    }

    fn placement(&mut self, place: Place<'_>, kind: JobKind, group: &mut Group) {
        let several = place.service.replicas > 1;
        let fixed = self.settings.discovery() == Discovery::Static;
        if fixed && several && kind == JobKind::Service {
            group.constraints.push(Constraint {
                attribute: None,
                operator: Some("distinct_hosts"),
                value: vec![Piece::Text("true".to_owned())],
            });
        }
        let Some(placement) = &place.service.placement else {
            return;
        };
        let plan::Placement {
            spread,
            nodes,
            with,
            span,
        } = placement;
        for (key, value) in nodes {
            let Some(value) = replaced_slot(value, place.covered) else {
                continue;
            };
            let value = self.spelled(value, "placement", *span);
            group.constraints.push(Constraint {
                attribute: Some(vec![Piece::reference(format!("meta.{key}"))]),
                operator: None,
                value,
            });
        }
        if kind == JobKind::System {
            return;
        }
        // Of jobs with one replica each nothing can be spread, and where hosts are distinct by a
        // constraint nothing need be.
        if several && place.covered.count > 1 {
            group.spread = match spread {
                Some(Spread::Host) if !fixed => Some("node.unique.id"),
                Some(Spread::Zone) => Some("meta.zone"),
                Some(Spread::Host) | None => None,
            };
        }
        for near in with {
            self.account.emulated(
                "placement.with",
                *span,
                "nodes whose metadata has the service's name as `true` are preferred",
            );
            group.affinities.push(Constraint {
                attribute: Some(vec![Piece::reference(format!("meta.{near}"))]),
                operator: None,
                value: vec![Piece::Text("true".to_owned())],
            });
        }
    }

    /// A service's name, which is a DNS label.
    pub(super) fn label(&mut self, name: &str, span: Span) {
        if name.len() > 63 {
            self.account.problems.add(
                Problem::error(
                    "invalid-name",
                    format!("`{name}` is too long for a service"),
                )
                .at(span)
                .label("expected names that together have at most 63 characters"),
            );
        }
    }

    /// A text that was spelled, or a problem and nothing.
    pub(super) fn spelled(
        &mut self,
        text: Result<Text, Unfit>,
        field: &'static str,
        span: Span,
    ) -> Text {
        match text {
            Ok(text) => {
                self.meta.extend(Meta::of(&text));
                text
            }
            Err(unfit) => {
                let help = if field == "env" {
                    "deliver it as a file: `delivery: files`, or `files`"
                } else {
                    "write it without such characters, or read it from a file"
                };
                self.account.refused(
                    field,
                    span,
                    Problem::error("unsupported", "Nomad would change this text")
                        .at(span)
                        .label(unfit.reason())
                        .help(help),
                );
                Text::new()
            }
        }
    }

    /// A text in an option of the driver.
    pub(super) fn option(&mut self, text: &str, field: &'static str, span: Span) -> Text {
        self.spelled(super::text::option(text), field, span)
    }

    /// Whom a service's process belongs to, when that is not root.
    pub(super) fn owner(container: &Container) -> Option<blueprint::User> {
        let user = container.user.or(container.image.user)?;
        (user.uid != 0).then_some(user)
    }
}

/// Its data is on one node. What it only reads of a node is not its own.
fn is_stateful(service: &plan::Service) -> bool {
    service.volumes.iter().any(|v| match v.kind {
        VolumeKind::Persistent | VolumeKind::Shared => true,
        VolumeKind::Host => !v.readonly,
        VolumeKind::Temporary | VolumeKind::Memory => false,
    })
}

/// Bytes as Nomad's megabytes, which are of 1024 kilobytes of 1024 bytes; at least as many.
pub(super) fn megabytes(bytes: u64) -> u64 {
    bytes.div_ceil(1 << 20)
}

/// Names of the tasks of a group.
#[derive(Debug, Default)]
pub(super) struct Names(BTreeSet<String>);

impl Names {
    /// The name, or the nearest that is free. The folder of a task called `alloc` is that of the
    /// allocation, and in the folder of a task called `hosts` Nomad's own file of that name is put.
    pub(super) fn take(&mut self, name: &str) -> String {
        let reserved = |n: &str| matches!(n, "alloc" | "hosts");
        let mut candidate = name.to_owned();
        let mut number = 2;
        while reserved(&candidate) || !self.0.insert(candidate.clone()) {
            candidate = format!("{name}-{number}");
            number += 1;
        }
        candidate
    }
}
