//! From a plan to a Compose project: reads as the list of what a service becomes.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use indexmap::IndexMap;

use super::addressing::replica_name;
use super::build;
use super::health;
use super::model::{Condition, Dependency, Env, Mount, Project, Resources, SecretSource, Service};
use super::settings::{Settings, Version};
use super::share;
use super::volumes;
use super::waits;
use crate::blueprint::{Kind, Quorum, Restart, User, VolumeKind};
use crate::plan::{self, Container, Delivered, Label, Part, Plan, Value};
use crate::problem::{Problem, Problems, Span};
use crate::target::probe::duration;
use crate::target::{Account, Layout, memory};

/// Labels that Docker Compose 2.26.1 gives to every container (`prepareLabels` in `pkg/compose`).
const OWN_LABELS: &[&str] = &[
    "com.docker.compose.config-hash",
    "com.docker.compose.container-number",
    "com.docker.compose.depends_on",
    "com.docker.compose.image",
    "com.docker.compose.oneoff",
    "com.docker.compose.project",
    "com.docker.compose.project.config_files",
    "com.docker.compose.project.working_dir",
    "com.docker.compose.replace",
    "com.docker.compose.service",
    "com.docker.compose.version",
];

pub(super) fn lower<'a>(
    plan: &'a Plan,
    settings: &'a Settings,
    layout: Layout,
    account: &'a mut Account,
) -> Project {
    let services = plan.services.iter().map(|s| (&*s.name, s)).collect();
    let mut lowering = Lowering {
        plan,
        settings,
        services,
        project: Project {
            name: plan.name.clone(),
            ..Project::default()
        },
        configs: HashMap::new(),
        places: HashMap::new(),
        gates: HashMap::new(),
        volume_owners: HashMap::new(),
        deliverer: plan::Deliverer::default(),
        account,
    };
    lowering.secrets();
    for service in &plan.services {
        lowering.service(service);
    }
    lowering.published();
    build::sections(&mut lowering, layout);
    lowering.project
}

pub(super) struct Lowering<'a> {
    pub(super) plan: &'a Plan,
    pub(super) settings: &'a Settings,
    pub(super) services: HashMap<&'a str, &'a plan::Service>,
    pub(super) project: Project,
    /// Inline configs by content, so that equal files are written once.
    pub(super) configs: HashMap<Value, String>,
    /// Emitted service names, and what each was made from.
    places: HashMap<String, Span>,
    /// Services that wait for a port of others: which port, how many replicas, and their names.
    pub(super) gates: HashMap<(Arc<str>, Arc<str>, Quorum), String>,
    /// Emitted volumes, and the service and volume that each was made from.
    volume_owners: HashMap<String, ((String, String), Span)>,
    deliverer: plan::Deliverer,
    pub(super) account: &'a mut Account,
}

/// One container of one replica, while it is lowered.
#[derive(Clone, Copy)]
pub(super) struct Place<'a> {
    pub(super) service: &'a plan::Service,
    pub(super) replica: u32,
    /// The Compose service of the main process.
    pub(super) main: &'a str,
}

/// Is a service written once per replica? An ensemble always is; so is one whose replicas have
/// something each that a scaled Compose service can't give them.
pub(super) fn is_expanded(service: &plan::Service) -> bool {
    let own_volumes = service
        .volumes
        .iter()
        .any(|v| matches!(v.kind, VolumeKind::Persistent | VolumeKind::Temporary));
    service.kind == Kind::Ensemble
        || (service.replicas > 1
            && (own_volumes || !service.sidecars.is_empty() || !service.inits.is_empty()))
}

/// The host name of a replica: of scaled ones each container has its own.
fn host_name(place: Place<'_>) -> Option<String> {
    let Place { service, main, .. } = place;
    (is_expanded(service) || service.replicas == 1).then(|| main.to_owned())
}

/// The Compose services that the replicas of a service become.
pub(super) fn emitted_names(service: &plan::Service) -> Vec<String> {
    if is_expanded(service) {
        let names = (0..service.replicas).map(|i| replica_name(&service.name, i));
        return names.collect();
    }
    vec![service.name.to_string()]
}

impl<'a> Lowering<'a> {
    fn secrets(&mut self) {
        for secret in &self.plan.secrets {
            let source = match &secret.source {
                plan::SecretSource::File(path) => SecretSource::File(path.clone()),
                plan::SecretSource::External(name) => SecretSource::External(name.clone()),
                plan::SecretSource::Env(name) => {
                    let good = name.chars().enumerate().all(|(i, c)| {
                        c == '_' || c.is_ascii_alphabetic() || (i > 0 && c.is_ascii_digit())
                    });
                    if !good || name.is_empty() {
                        self.account.problems.add(
                            Problem::error(
                                "invalid-name",
                                format!("Compose can't read the variable `{name}`"),
                            )
                            .at(secret.span)
                            .label("expected letters, digits and underscores"),
                        );
                    }
                    SecretSource::Environment(name.clone())
                }
            };
            self.project.secrets.insert(secret.name.to_string(), source);
        }
    }

    fn service(&mut self, service: &'a plan::Service) {
        self.emulated(service);
        let names = emitted_names(service);
        if let Some(placement) = &service.placement {
            let what = "it has one node, so that `placement` chooses nothing";
            self.account.lost("placement", placement.span, what);
        }
        for volume in &service.volumes {
            self.volume(volume);
        }
        for (span, what) in memory::apart(service) {
            self.account.lost("volumes.memory", span, &what);
        }
        for (replica, main) in (0u32..).zip(&names) {
            let place = Place {
                service,
                replica,
                main,
            };
            self.replica(place);
        }
    }

    /// What Compose has no word for, and is made of services.
    fn emulated(&mut self, service: &plan::Service) {
        let span = service.span;
        let ways = [
            (
                service.kind == Kind::Ensemble,
                "kind.ensemble",
                "one Compose service per replica",
            ),
            (
                service.kind == Kind::Daemon,
                "kind.daemon",
                "one container: there is one node",
            ),
            (
                !service.inits.is_empty(),
                "init",
                "a service for each step, which completes before the next",
            ),
            (
                !service.sidecars.is_empty() && !self.settings.is_host(),
                "sidecars",
                "services in one network, which a service of its own holds",
            ),
            (
                service.main.resources.cpu.is_some(),
                "resources",
                "reserved processors are a weight (cpu_shares)",
            ),
        ];
        for (_, field, how) in ways.iter().filter(|(is, _, _)| *is) {
            self.account.emulated(field, span, how);
        }
    }

    /// Notes whose a named volume is: `a` with `b-c` and `a-b` with `c` must not share one.
    pub(super) fn own_volume(&mut self, emitted: &str, service: &str, volume: &str, span: Span) {
        let owner = (service.to_owned(), volume.to_owned());
        let first = self
            .volume_owners
            .entry(emitted.to_owned())
            .or_insert_with(|| (owner.clone(), span));
        if first.0 != owner {
            let related = first.1;
            self.account.problems.add(
                Problem::error(
                    "duplicate-name",
                    format!("two volumes become `{emitted}` in Compose"),
                )
                .at(span)
                .label("expected another name")
                .related(related, "the first one"),
            );
        }
    }

    /// What of a volume is not carried.
    fn volume(&mut self, volume: &plan::Volume) {
        if volume.kind == VolumeKind::Temporary {
            let what =
                "a `temporary` volume outlives its container, up to `docker compose down -v`";
            self.account.lost("volumes.temporary", volume.span, what);
        }
        if volume.class.is_some() {
            let what = "`class` is the storage of other platforms; a driver is set by a `patch`";
            self.account.lost("volumes.class", volume.span, what);
        }
    }

    fn replica(&mut self, place: Place<'_>) {
        let Place {
            service,
            replica,
            main,
        } = place;
        let mut before = waits::needs(self, place);
        if let Some(name) = volumes::owner(self, place) {
            before.insert(name, condition(Condition::Completed));
        }
        for init in &service.inits {
            if !init.when.get(replica).copied().unwrap_or(false) {
                continue;
            }
            let name = format!("{main}-{}", init.container.name);
            let mut emitted = self.container(&init.container, place, true);
            emitted.depends_on.clone_from(&before);
            emitted.restart = Some("no");
            if self.settings.is_host() {
                emitted.network_mode = Some("host".to_owned());
            } else {
                // A keytab, or a number of its own, is found by the host name, by steps too.
                emitted.hostname = host_name(place);
            }
            emitted.profiles.clone_from(&service.profiles);
            let family = format!("{}-{}", service.name, init.container.name);
            self.add(name.clone(), family, emitted, init.container.span);
            self.owned(service, &name);
            before.insert(name, condition(Condition::Completed));
        }
        let network = self.network(place);
        if let Some(name) = &network {
            before.insert(name.clone(), in_namespace());
        }
        let emitted = self.main(place, before, network.as_deref());
        self.add(
            main.to_owned(),
            service.name.to_string(),
            emitted,
            service.span,
        );
        self.owned(service, main);
        for sidecar in &service.sidecars {
            self.sidecar(sidecar, place, network.as_deref());
        }
    }

    fn main(
        &mut self,
        place: Place<'_>,
        before: IndexMap<String, Dependency>,
        network: Option<&str>,
    ) -> Service {
        let Place {
            service, replica, ..
        } = place;
        let plan::Service {
            name: _,
            span: _,
            description: _,
            kind: _,
            replicas,
            main: container,
            inits: _,
            sidecars: _,
            ports,
            volumes: _,
            needs: _,
            restart,
            placement: _,
            profiles,
            labels,
            patches,
        } = service;
        let expanded = is_expanded(service);
        let mut emitted = self.container(container, place, true);
        emitted.depends_on = before;
        emitted.profiles.clone_from(profiles);
        emitted.restart = Some(restart_policy(*restart));
        emitted.healthcheck = health::check(container, replica, self.settings, self.account);
        if self.settings.is_host() {
            emitted.network_mode = Some("host".to_owned());
        } else if let Some(network) = network {
            emitted.network_mode = Some(format!("service:{network}"));
        } else {
            emitted.hostname = host_name(place);
            if expanded {
                emitted.aliases.push(service.name.to_string());
            }
            emitted.ports = self.ports(ports, place);
        }
        if !expanded && *replicas > 1 {
            emitted.replicas = Some(*replicas);
        }
        self.labels(labels, replica, &mut emitted);
        emitted.patch = patches
            .iter()
            .find(|(target, _)| &**target == "compose")
            .map(|(_, node)| node.clone());
        emitted
    }

    /// The labels of a replica. In a mapping Compose takes no empty name, and drops one with `x-`; in a
    /// list a name ends at the first `=`.
    fn labels(&mut self, labels: &[Label], replica: u32, emitted: &mut Service) {
        let is_list = labels.iter().any(|l| share::misread_as_key(&l.key));
        for Label { key, value, span } in labels {
            let Some(value) = value.value(replica) else {
                continue;
            };
            let problem = if OWN_LABELS.contains(&key.as_ref()) {
                let label = "Docker Compose writes a value of its own over it";
                Some(("unsupported", label, "use another name"))
            } else if key.contains('=') && share::misread_as_key(key) {
                let label = "it drops names that begin with `x-`, or ends them at `=`";
                Some(("unsupported", label, "use another name"))
            } else if key.contains('=') && is_list {
                let label = "another label begins with `x-` or has no name, and beside that a name ends at `=`";
                Some(("label-clash", label, "use another name for one of them"))
            } else {
                None
            };
            if let Some((code, label, help)) = problem {
                let problem = Problem::error(code, format!("Compose can't set the label `{key}`"))
                    .at(*span)
                    .label(label)
                    .help(help);
                self.account.refused("labels", *span, problem);
                continue;
            }
            self.readable(value, *span);
            emitted.labels.push((key.to_string(), value.clone()));
        }
    }

    fn sidecar(&mut self, sidecar: &plan::Sidecar, place: Place<'_>, network: Option<&str>) {
        let plan::Sidecar {
            container,
            volumes,
            processes,
        } = sidecar;
        let main = place.main;
        let mut emitted = self.container(container, place, *volumes);
        emitted.restart = Some(restart_policy(place.service.restart));
        emitted.healthcheck = health::check(container, place.replica, self.settings, self.account);
        emitted.profiles.clone_from(&place.service.profiles);
        emitted.network_mode = Some(if self.settings.is_host() {
            "host".to_owned()
        } else {
            format!("service:{}", network.unwrap_or(main))
        });
        // Whoever lives in another's namespace is restarted with it.
        let started = condition(Condition::Started);
        let main_first = if network.is_some() && !*processes {
            started
        } else {
            in_namespace()
        };
        if *processes {
            emitted.pid = Some(format!("service:{main}"));
        }
        if let Some(network) = network {
            emitted
                .depends_on
                .insert(network.to_owned(), in_namespace());
        }
        emitted.depends_on.insert(main.to_owned(), main_first);
        let name = format!("{main}-{}", container.name);
        let family = format!("{}-{}", place.service.name, container.name);
        self.add(name, family, emitted, container.span);
    }

    /// What main processes, steps and sidecars have in common.
    fn container(&mut self, container: &Container, place: Place<'_>, volumes: bool) -> Service {
        let Container {
            name: _,
            span: _,
            image,
            entrypoint,
            command,
            user,
            workdir,
            env: _,
            config: _,
            files: _,
            secrets,
            health: _,
            stop,
            resources,
        } = container;
        let replica = place.replica;
        let Delivered { env, files } =
            self.deliverer
                .deliver(container, replica, &mut self.account.problems);
        let mut emitted = Service {
            image: image.reference.clone(),
            user: user.map(user_text),
            working_dir: workdir.clone(),
            resources: lower_resources(*resources),
            stop_grace_period: stop.grace.map(|g| duration(g.0)),
            stop_signal: stop.signal.clone(),
            ..Service::default()
        };
        if let Some(before) = &stop.before {
            if self.settings.version() < Version::HOOKS {
                let what = "a command before the stop (`stop.before`) needs Compose 2.30";
                self.account.lost("stop.before", before.span, what);
            } else {
                let how = "Compose runs it, when it is Compose that stops the container";
                self.account.emulated("stop.before", before.span, how);
                let words = before.words.iter().filter_map(|w| w.value(replica));
                emitted.before_stop = Some(words.cloned().collect());
            }
        }
        let is_list = env.iter().any(|v| share::misread_as_key(&v.name));
        for variable in env {
            self.readable(&variable.value, variable.span);
            if is_list && share::ends_blank(&variable.name) {
                self.blank(&variable.name, variable.span);
            }
            emitted.environment.push(Env {
                name: variable.name,
                value: variable.value,
                group: variable.group,
            });
        }
        let words = |words: &plan::Words, problems: &mut Problems| {
            plan::words(container, words, replica, problems)
        };
        emitted.entrypoint = entrypoint
            .as_ref()
            .map(|e| words(e, &mut self.account.problems));
        emitted.command = command
            .as_ref()
            .map(|c| words(c, &mut self.account.problems));
        self.mounts(&files, &container.name, place, &mut emitted);
        for mount in secrets {
            if mount.mode.is_some() {
                let what = "permissions of a secret (`mode`) are those of its source";
                self.account.lost("secrets.mode", mount.span, what);
            }
            self.mountable(mount);
            emitted.secrets.push(Mount {
                source: mount.secret.to_string(),
                target: mount.path.clone(),
            });
        }
        if volumes {
            emitted.volumes = volumes::mounts(self, place);
        }
        emitted
    }

    /// Refuses a variable that Docker Compose takes in a mapping only, where there has to be a list.
    fn blank(&mut self, name: &str, span: Span) {
        let (code, why) = if share::misread_as_key(name) {
            ("unsupported", "no spelling of it")
        } else {
            (
                "name-clash",
                "none beside one that begins with `x-`, is too long or of line ends only",
            )
        };
        self.account.problems.add(
            Problem::error(code, format!("Compose can't set the variable `{name}`"))
                .at(span)
                .label(format!(
                    "it ends with a blank, or a byte like one, and Compose 2.34 takes {why}"
                ))
                .help("use another name"),
        );
    }

    /// Compose without a swarm knows no secrets but its own: `up` ends with "unsupported external
    /// secret" (2.26.1), while `config` accepts it.
    fn mountable(&mut self, mount: &plan::SecretMount) {
        let source = self.project.secrets.get(&*mount.secret);
        if matches!(source, Some(SecretSource::External(_))) {
            self.account.problems.add(
                Problem::error(
                    "unsupported",
                    format!("Compose can't mount the secret `{}`", mount.secret),
                )
                .at(mount.span)
                .label("it is `external`, and Docker without a swarm keeps no secrets")
                .help("give it the source `file` or `env` in a blueprint that includes this one"),
            );
        }
    }

    /// A secret in a text is written as the variable that holds it, so it must have one.
    pub(super) fn readable(&mut self, value: &Value, span: Span) {
        if !value.has_secret() {
            return;
        }
        for part in value.parts() {
            let Part::Secret(name) = part else { continue };
            let source = self.project.secrets.get(name);
            if !matches!(source, Some(SecretSource::Environment(_)) | None) {
                self.account.problems.add(
                    Problem::error("unsupported", format!("Compose can't write the secret `{name}` into a text"))
                        .at(span)
                        .label("only a secret with `env` as its source can stand here")
                        .help(format!(
                            "mount it as a file (secrets: {{ {name}: null }}), or give the secret the source `env`"
                        )),
                );
            }
        }
    }

    /// Adds an emitted service; two of one name are a problem.
    pub(super) fn add(&mut self, name: String, family: String, service: Service, span: Span) {
        if name.len() > 63 {
            self.account.problems.add(
                Problem::error(
                    "invalid-name",
                    format!("`{name}` is too long for a host name"),
                )
                .at(span)
                .label("expected names that together have at most 63 characters"),
            );
        }
        if let Some(first) = self.places.insert(name.clone(), span) {
            self.account.problems.add(
                Problem::error(
                    "duplicate-name",
                    format!("two services become `{name}` in Compose"),
                )
                .at(span)
                .label("expected another name")
                .related(first, "the first one"),
            );
            return;
        }
        self.project
            .families
            .entry(family)
            .or_default()
            .push(name.clone());
        self.project.services.insert(name, service);
    }

    /// Notes that a container has the environment of a service of the blueprint.
    fn owned(&mut self, service: &plan::Service, name: &str) {
        let owner = service.name.to_string();
        let containers = self.project.owners.entry(owner).or_default();
        containers.push(name.to_owned());
    }

    /// Was a service of this name emitted already?
    pub(super) fn has(&self, name: &str) -> bool {
        self.project.services.contains_key(name)
    }
}

/// Started, and restarted together with it.
fn in_namespace() -> Dependency {
    Dependency {
        condition: Condition::Started,
        restart: true,
    }
}

pub(super) fn condition(condition: Condition) -> Dependency {
    Dependency {
        condition,
        restart: false,
    }
}

fn restart_policy(restart: Restart) -> &'static str {
    match restart {
        Restart::Always => "unless-stopped",
        Restart::OnFailure => "on-failure",
        Restart::Never => "no",
    }
}

pub(super) fn user_text(user: User) -> String {
    match user.gid {
        Some(gid) => format!("{}:{gid}", user.uid),
        None => user.uid.to_string(),
    }
}

fn lower_resources(resources: plan::Resources) -> Resources {
    let plan::Resources {
        cpu,
        memory,
        cpu_limit,
        memory_limit,
    } = resources;
    Resources {
        // Docker's weight: 1024 for one processor, at least 2.
        cpu_shares: cpu.map(|c| (c.0 * 1024 / 1000).max(2)),
        cpu_limit: cpu_limit.map(|c| c.0),
        memory: memory.map(|m| m.0),
        memory_limit: memory_limit.map(|m| m.0),
    }
}

/// Names without repetition, in order.
pub(super) fn distinct(names: impl IntoIterator<Item = Arc<str>>) -> Vec<Arc<str>> {
    let mut seen = HashSet::new();
    names
        .into_iter()
        .filter(|n| seen.insert(Arc::clone(n)))
        .collect()
}
