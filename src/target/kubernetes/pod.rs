//! The pod template of one service: its containers, what they are given, what they may do.

use std::collections::HashSet;
use std::sync::Arc;

use indexmap::IndexSet;

use super::carrier::{Carrier, References};
use super::files::{Files, for_the_group};
use super::lower::Lowering;
use super::model::{
    Body, Claim, Container, ContainerPort, EnvVar, Mount, Pod, PodSecurity, Security, SubPath,
    Volume, VolumeSource,
};
use super::network::METRICS;
use super::probes::Probes;
use super::settings::{Metrics, Version};
use super::share::Unit;
use super::stop::{self, End};
use crate::blueprint::{Kind, Protocol, Restart, Spread, User, VolumeKind};
use crate::plan::{self, Across, Each, Image};
use crate::problem::Span;
use crate::target::Extra;

/// A pod template, while it is made.
pub(super) struct Draft<'l, 'a> {
    pub(super) lowering: &'l mut Lowering<'a>,
    pub(super) service: &'a plan::Service,
    pub(super) carrier: Carrier,
    pub(super) files: Files,
    /// Some container asks the API server about jobs.
    pub(super) asks_for_jobs: bool,
    /// How its processes end: sidecars, then the main one.
    pub(super) ends: Vec<End>,
    /// Volumes of secrets.
    secrets: Vec<Volume>,
    /// Names of containers.
    names: HashSet<String>,
    /// What the containers are given: main, steps, sidecars.
    given: Given,
}

#[derive(Default)]
struct Given {
    main: Across,
    steps: Vec<Across>,
    sidecars: Vec<Across>,
}

impl<'l, 'a> Draft<'l, 'a> {
    pub(super) fn new(lowering: &'l mut Lowering<'a>, service: &'a plan::Service) -> Self {
        let replicas = service.replicas;
        let mut across = |container: &plan::Container| {
            let problems = &mut lowering.account.problems;
            lowering.deliverer.across(container, replicas, problems)
        };
        let given = Given {
            main: across(&service.main),
            steps: service.inits.iter().map(|i| across(&i.container)).collect(),
            sidecars: service
                .sidecars
                .iter()
                .map(|s| across(&s.container))
                .collect(),
        };
        let all = [&given.main]
            .into_iter()
            .chain(&given.steps)
            .chain(&given.sidecars);
        let taken: IndexSet<String> = all
            .flat_map(|a| a.env.iter().map(|v| v.name.to_string()))
            .collect();
        let first = lowering.settings.first(&service.name);
        let volumes: Vec<&str> = service.volumes.iter().map(|v| &*v.name).collect();
        let secrets = lowering.plan.secrets.iter().map(|s| &*s.name);
        Self {
            carrier: Carrier::new(service, first, taken, secrets),
            lowering,
            service,
            files: Files::beside(&volumes),
            asks_for_jobs: false,
            ends: Vec::new(),
            secrets: Vec::new(),
            names: HashSet::new(),
            given,
        }
    }

    /// The template, and the claims of its StatefulSet.
    pub(super) fn pod(mut self) -> (Pod, Vec<Claim>) {
        let service = self.service;
        let plan::Service {
            name: _,
            span,
            description: _,
            kind,
            replicas: _,
            main,
            inits,
            sidecars,
            ports: _,
            volumes: _,
            needs: _,
            restart,
            placement,
            profiles: _,
            labels: _,
            patches: _,
        } = service;
        let given = std::mem::take(&mut self.given);
        let (volumes, claims) = self.volumes();
        let mut pod = Pod {
            volumes,
            ..Pod::default()
        };
        let main_name = self.container_name(&service.name);
        let waits = self.waits();
        // The main container is lowered first: its steps have its config.
        let mut container = self.container(main, given.main, &service.name, true, false);
        for (init, given) in inits.iter().zip(given.steps) {
            pod.inits.extend(self.step(init, given));
        }
        for (sidecar, given) in sidecars.iter().zip(given.sidecars) {
            let container = self.sidecar(sidecar, given);
            pod.share_processes |= sidecar.processes;
            if container.sidecar {
                pod.inits.push(container);
            } else {
                pod.containers.push(container);
            }
        }
        pod.inits.splice(0..0, waits);
        container.name = main_name;
        container.ports = self.container_ports(None);
        self.health(&mut container, main, false);
        pod.containers.insert(0, container);
        pod.grace = stop::grace(&self.ends);
        if *kind == Kind::Job {
            pod.restart_policy = Some(if *restart == Restart::Never {
                "Never"
            } else {
                "OnFailure"
            });
        }
        if let Some(placement) = placement {
            self.place(placement, &mut pod);
        }
        self.metadata(&mut pod);
        if self.asks_for_jobs {
            pod.service_account = Some(service.name.to_string());
            for body in [Body::ServiceAccount, Body::Role, Body::RoleBinding] {
                self.object(service.name.to_string(), body);
            }
        }
        self.finish_files(&mut pod, *span);
        self.finish_security(&mut pod);
        (pod, claims)
    }

    /// Adds an object of this service.
    pub(super) fn object(&mut self, name: String, body: Body) {
        self.lowering.object(self.service, name, body);
    }

    /// A name for a container: the wanted one, unless it is taken.
    pub(super) fn container_name(&mut self, wanted: &str) -> String {
        let short: String = wanted.chars().take(60).collect();
        let short = short.trim_end_matches('-').to_owned();
        let mut candidates =
            std::iter::once(short.clone()).chain((2..).map(|n| format!("{short}-{n}")));
        let names = &mut self.names;
        candidates
            .find(|n| names.insert(n.clone()))
            .unwrap_or_default()
    }

    fn step(&mut self, init: &plan::Init, mut given: Across) -> Option<Container> {
        if init.when == Each::Same(false) {
            return None;
        }
        let gated = self.gated(init, &mut given);
        let container = gated.as_ref().unwrap_or(&init.container);
        let mut emitted =
            self.container(container, given, &self.service.name, true, gated.is_some());
        emitted.name = self.container_name(&container.name);
        Some(emitted)
    }

    fn sidecar(&mut self, sidecar: &plan::Sidecar, given: Across) -> Container {
        let plan::Sidecar {
            container,
            volumes,
            processes,
        } = sidecar;
        let unit = format!("{}-{}", self.service.name, container.name);
        let mut emitted = self.container(container, given, &unit, *volumes, false);
        emitted.name = self.container_name(&container.name);
        emitted.ports = self.container_ports(Some(&container.name));
        // A sidecar of a job would keep it from ending, if it were a container like the others.
        emitted.sidecar = self.lowering.settings.version() >= Version::SIDECARS;
        if !emitted.sidecar {
            let what = "that a sidecar ends after the main process: it takes Kubernetes 1.29";
            self.lowering
                .account
                .lost("sidecars.order", container.span, what);
        }
        if *processes {
            let how = "all containers of the pod share their processes";
            self.lowering
                .account
                .emulated("sidecars.processes", container.span, how);
        }
        self.health(&mut emitted, container, true);
        emitted
    }

    fn health(&mut self, emitted: &mut Container, container: &plan::Container, sidecar: bool) {
        let health = container.health.as_ref();
        let Probes {
            start,
            ready,
            alive,
        } = if sidecar {
            self.sidecar_probes(health)
        } else {
            self.probes(health)
        };
        // A job is done when it ends: it is never ready.
        if self.service.kind != Kind::Job || sidecar {
            emitted.start = start;
            emitted.ready = ready;
            emitted.alive = alive;
        }
        self.stop(emitted, container, sidecar);
        if let Some(signal) = container.stop.signal.as_ref().filter(|s| *s != "SIGTERM") {
            let what = format!("the stop signal {signal}: a pod is stopped with that of its image");
            self.lowering
                .account
                .lost("stop.signal", container.span, &what);
        }
    }

    /// What main processes, steps and sidecars have in common. `named`: it asks for its pod's name.
    fn container(
        &mut self,
        container: &plan::Container,
        given: Across,
        unit: &str,
        volumes: bool,
        named: bool,
    ) -> Container {
        let plan::Container {
            name: _,
            span,
            image,
            entrypoint: _,
            command: _,
            user,
            workdir,
            env: _,
            config: _,
            files: _,
            secrets,
            health: _,
            stop: _,
            resources,
        } = container;
        let Across { env, files } = given;
        let mut references = References::default();
        if named {
            self.carrier.name_variable(&mut references);
        }
        let mut mounts = if volumes {
            self.volume_mounts()
        } else {
            Vec::new()
        };
        for file in &files {
            if let Some(mount) = self.file(file, &mut references) {
                mounts.push(mount);
            }
        }
        for secret in secrets {
            mounts.push(self.secret_mount(secret));
        }
        let mut environment = self.environment(container, env, &mut references);
        let words = self.command(container, &mut environment, &mut mounts, &mut references);
        let lowering = &*self.lowering;
        let mut variables = self.carrier.variables(&references, &|s| lowering.secret(s));
        for (name, value) in self.carrier.values(&references) {
            self.lowering.account.extra(Extra {
                service: Arc::clone(&self.service.name),
                container: *span,
                replica: None,
                name: name.into(),
                value,
                span: None,
            });
        }
        variables.extend(environment.env);
        let unit = self.unit(unit, environment.config, &mut variables);
        Container {
            image: image.reference.clone(),
            command: words.command,
            args: words.args,
            workdir: workdir.clone(),
            unit,
            env: variables,
            mounts,
            resources: *resources,
            security: self.security(image, *user, *span),
            ..Container::default()
        }
    }

    /// Notes whose config this is. A step has that of the main container, with some variables of
    /// its own, which it is given directly.
    fn unit(
        &mut self,
        name: &str,
        config: Vec<super::share::ConfigVariable>,
        env: &mut Vec<EnvVar>,
    ) -> Option<usize> {
        let units = &mut self.lowering.units;
        // Those of this service are the last.
        let own = units.iter().enumerate().rev();
        let mut own = own.take_while(|(_, u)| u.owner == self.service.name);
        let at = own.find(|(_, u)| u.name == name).map(|(at, _)| at);
        if let Some(at) = at
            && let Some(unit) = units.get(at)
        {
            let names: HashSet<&str> = config
                .iter()
                .map(|v| &*v.name)
                .chain(env.iter().map(|v| v.name.as_str()))
                .collect();
            if unit.variables.iter().all(|v| names.contains(&*v.name)) {
                let own: Vec<EnvVar> = config
                    .iter()
                    .filter(|v| !unit.variables.contains(v))
                    .map(super::env::direct)
                    .collect();
                env.extend(own);
                return (!unit.variables.is_empty()).then_some(at);
            }
            env.extend(config.iter().map(super::env::direct));
            return None;
        }
        if config.is_empty() {
            return None;
        }
        units.push(Unit {
            name: name.to_owned(),
            owner: std::sync::Arc::clone(&self.service.name),
            profiles: self.service.profiles.clone(),
            variables: config,
        });
        Some(units.len() - 1)
    }

    fn container_ports(&self, sidecar: Option<&str>) -> Vec<ContainerPort> {
        let ports = self.service.ports.iter();
        ports
            .filter(|p| p.sidecar.as_deref() == sidecar)
            .map(|p| ContainerPort {
                name: p.name.to_string(),
                number: p.number,
                udp: p.protocol == Protocol::Udp,
            })
            .collect()
    }

    /// What a container may do: all that `restricted` asks, unless its image says why it can't.
    pub(super) fn security(&mut self, image: &Image, user: Option<User>, span: Span) -> Security {
        let user = user.or(image.user);
        let root = user.is_some_and(|u| u.uid == 0);
        if image.root.is_none() && root {
            let what = "the Pod Security level `restricted`: this runs as root";
            self.lowering.account.lost("security", span, what);
        }
        if image.root.is_none() && user.is_none() {
            let what = format!(
                "nothing says as which user image `{}` runs: it starts only if the image itself names a number that is not 0",
                image.name
            );
            self.lowering.account.lost("user", span, &what);
        }
        let restricted = image.root.is_none() && !root;
        self.lowering.rooted |= !restricted;
        Security {
            user,
            // One that needs sudo does not start as root.
            non_root: restricted || user.is_some_and(|u| u.uid != 0),
            restricted,
        }
    }

    /// What all containers say alike is said once, for the pod.
    fn finish_security(&mut self, pod: &mut Pod) {
        let users: Vec<Option<User>> = all(pod).map(|c| c.security.user).collect();
        let same = users.iter().all(|u| Some(u) == users.first());
        let user = users.first().copied().flatten().filter(|_| same);
        let non_root = all(pod).all(|c| c.security.non_root);
        let group = self.group(pod);
        pod.security = PodSecurity {
            user,
            non_root,
            group,
        };
        for container in pod.inits.iter_mut().chain(&mut pod.containers) {
            if same {
                container.security.user = None;
            }
            container.security.non_root &= !non_root;
        }
    }

    /// The group that owns the volumes, and reads what others may not: files of ConfigMaps and
    /// Secrets are root's. All containers are in it, so that of one who needs it does.
    fn group(&self, pod: &Pod) -> Option<u32> {
        let owned = |v: &plan::Volume| v.kind != VolumeKind::Host && !v.readonly;
        let private = |mount: &Mount| {
            let mut volumes = pod.volumes.iter();
            volumes.any(|v| v.name == mount.volume && v.source.is_private())
        };
        let main = self.service.main.user.or(self.service.main.image.user);
        let main = main.filter(|_| self.service.volumes.iter().any(owned));
        let readers = all(pod).filter(|c| c.mounts.iter().any(private));
        let mut users = main
            .into_iter()
            .chain(readers.filter_map(|c| c.security.user));
        users.find(|u| u.uid != 0).map(|u| u.gid.unwrap_or(u.uid))
    }

    fn place(&mut self, placement: &plan::Placement, pod: &mut Pod) {
        let plan::Placement {
            spread,
            nodes,
            with,
            span,
        } = placement;
        pod.spread = spread.map(|s| match s {
            Spread::Host => "kubernetes.io/hostname",
            Spread::Zone => "topology.kubernetes.io/zone",
        });
        for (key, value) in nodes {
            match value {
                Each::Same(Some(value)) => {
                    pod.nodes.push((key.to_string(), value.raw().to_owned()));
                }
                Each::Same(None) => {}
                Each::Replica(_) => self.unsupported(
                    "placement.nodes",
                    *span,
                    "nodes that differ from replica to replica",
                    "make a service of those replicas",
                ),
            }
        }
        pod.near = with.iter().map(|w| self.lowering.selector(w)).collect();
    }

    fn metadata(&mut self, pod: &mut Pod) {
        let service = self.service;
        let (labels, annotations) = self.lowering.own_labels(service);
        pod.labels = super::labels::of_service(&self.lowering.plan.name, service);
        pod.labels.extend(labels);
        pod.annotations = annotations;
        let metrics = self
            .lowering
            .settings
            .metrics
            .map_or(Metrics::Annotations, |m| m.value);
        if metrics == Metrics::Annotations
            && let Some(port) = service.ports.iter().find(|p| &*p.name == METRICS)
        {
            let scrape = [
                ("scrape", "true".to_owned()),
                ("port", port.number.to_string()),
                ("path", "/metrics".to_owned()),
            ];
            for (key, value) in scrape {
                let key = format!("prometheus.io/{key}");
                // What the blueprint says of its own counts.
                if !pod.annotations.iter().any(|(own, _)| *own == key) {
                    pod.annotations.push((key, value));
                }
            }
        }
    }

    /// A secret as a file: one volume for each secret and mode.
    fn secret_mount(&mut self, mount: &plan::SecretMount) -> Mount {
        let plan::SecretMount {
            secret,
            path,
            mode,
            span: _,
        } = mount;
        let (name, key) = self.lowering.secret(secret);
        let mode = mode.map(for_the_group);
        let same = |v: &&Volume| {
            matches!(&v.source, VolumeSource::Secret { name: n, key: k, mode: m, .. }
                if *n == name && *k == key && *m == mode)
        };
        let volume = self.secrets.iter().find(same).map(|v| v.name.clone());
        let volume = volume.unwrap_or_else(|| {
            let at = self.secrets.len() + 1;
            let volume = self.files.volume(&format!("secret-{at}"));
            self.secrets.push(Volume {
                name: volume.clone(),
                source: VolumeSource::Secret {
                    name,
                    key,
                    path: "secret".to_owned(),
                    mode,
                },
            });
            volume
        });
        Mount {
            volume,
            path: path.clone(),
            sub: Some(SubPath::Path("secret".to_owned())),
            readonly: true,
        }
    }

    /// The ConfigMaps of files, and their volumes.
    fn finish_files(&mut self, pod: &mut Pod, span: Span) {
        pod.volumes.append(&mut self.secrets);
        let size = self.files.size_of_each();
        if size > super::files::MAX_MAP {
            let what = format!("the files that differ from replica to replica have {size} bytes");
            self.too_large(what, span);
        }
        for made in std::mem::take(&mut self.files).made(&self.service.name) {
            let name = format!("{}-{}", self.service.name, made.suffix);
            pod.volumes.push(made.volume);
            self.object(name, Body::ConfigMap(made.map));
        }
    }
}

fn all(pod: &Pod) -> impl Iterator<Item = &Container> {
    pod.inits.iter().chain(&pod.containers)
}
