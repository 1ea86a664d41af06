//! From a plan to Kubernetes objects: reads as the list of what a service becomes.

use std::collections::{HashMap, HashSet};

use super::env;
use super::labels;
use super::model::{Body, Labels, Object, ServiceBody, ServiceKind, Workload, WorkloadKind};
use super::network;
use super::pod::Draft;
use super::secrets;
use super::settings::Settings;
use super::share::{self, Unit};
use crate::blueprint::{Kind, Restart, VolumeKind};
use crate::plan::{self, Deliverer, Plan};
use crate::problem::{Problem, Span, one_of};
use crate::target::Account;

/// Objects in the order of their making: what others refer to comes first.
pub(super) fn lower(plan: &Plan, settings: &Settings, account: &mut Account) -> Vec<Object> {
    let services = plan.services.iter().map(|s| (&*s.name, s)).collect();
    let mut lowering = Lowering {
        plan,
        settings,
        services,
        account,
        deliverer: Deliverer::default(),
        objects: Vec::new(),
        places: HashMap::new(),
        units: Vec::new(),
        awaited: HashSet::new(),
        privileged: false,
        rooted: false,
    };
    lowering.known_services();
    for service in &plan.services {
        lowering.service(service);
    }
    secrets::check(&mut lowering);
    lowering.config();
    lowering.namespace();
    let mut objects = lowering.objects;
    objects.sort_by_key(|o| rank(&o.body));
    objects
}

pub(super) struct Lowering<'a> {
    pub(super) plan: &'a Plan,
    pub(super) settings: &'a Settings,
    pub(super) services: HashMap<&'a str, &'a plan::Service>,
    pub(super) account: &'a mut Account,
    pub(super) deliverer: Deliverer,
    pub(super) objects: Vec<Object>,
    /// Kinds and names of objects, and what each was made from.
    places: HashMap<(&'static str, String), Span>,
    /// Whose config goes into ConfigMaps.
    pub(super) units: Vec<Unit>,
    /// Services whose readiness somebody waits for.
    awaited: HashSet<String>,
    /// Some pod is more than `baseline` allows.
    pub(super) privileged: bool,
    /// Some pod is more than `restricted` allows.
    pub(super) rooted: bool,
}

/// What is referred to stands before what refers to it.
fn rank(body: &Body) -> u8 {
    match body {
        Body::Namespace => 0,
        Body::ServiceAccount => 1,
        Body::Role => 2,
        Body::RoleBinding => 3,
        Body::ConfigMap(_) => 4,
        Body::Claim(_) => 5,
        Body::Service(_) => 6,
        Body::Budget { .. } => 7,
        Body::Workload(_) => 8,
        Body::Ingress(_) => 9,
        Body::PodMonitor { .. } => 10,
    }
}

/// Is a service a StatefulSet? An ensemble always is; so is one whose replicas have storage of
/// their own, which a Deployment can't give them.
pub(super) fn is_stateful(service: &plan::Service) -> bool {
    let stored = || {
        let mut kinds = service.volumes.iter().map(|v| v.kind);
        kinds.any(|k| k == VolumeKind::Persistent)
    };
    match service.kind {
        Kind::Ensemble => true,
        Kind::Service => stored(),
        Kind::Daemon | Kind::Job => false,
    }
}

/// Does the name of a service resolve to its pods themselves? The alternative, an address of its
/// own, takes ports and only passes on to pods that are ready.
pub(super) fn headless(service: &plan::Service) -> bool {
    is_stateful(service) || service.kind == Kind::Daemon || service.ports.is_empty()
}

impl<'a> Lowering<'a> {
    fn known_services(&mut self) {
        for (name, _) in self.settings.ordinals.iter() {
            let known = self.plan.services.iter();
            let known: Vec<&str> = known
                .filter(|s| s.kind == Kind::Ensemble)
                .map(|s| &*s.name)
                .collect();
            if !known.contains(&&*name.value) {
                let problem = Problem::error(
                    "unknown-service",
                    format!("there is no ensemble `{}`", name.value),
                );
                self.account.problems.add(
                    problem
                        .at(name.span)
                        .label("expected the name of a service of kind `ensemble`")
                        .nearest(&name.value, known),
                );
            }
        }
    }

    fn service(&mut self, service: &'a plan::Service) {
        let kind = match service.kind {
            Kind::Job => WorkloadKind::Job,
            Kind::Daemon => WorkloadKind::DaemonSet,
            Kind::Service | Kind::Ensemble if is_stateful(service) => WorkloadKind::StatefulSet,
            Kind::Service | Kind::Ensemble => WorkloadKind::Deployment,
        };
        let before = self.objects.len();
        if !service.profiles.is_empty() {
            let how = "its objects are in a folder for each profile";
            self.account.emulated("profiles", service.span, how);
        }
        self.restart(service);
        self.network(service);
        let selector = self.selector(&service.name);
        let first = self.settings.first(&service.name);
        let (pod, claims) = Draft::new(self, service).pod();
        let workload = Workload {
            kind,
            replicas: service.replicas,
            first,
            selector,
            pod,
            claims,
            once: service.restart == Restart::Never,
        };
        let name = service.name.to_string();
        self.object(service, name, Body::Workload(Box::new(workload)));
        let made = self.objects.get(before..).unwrap_or_default();
        let kinds: Vec<&str> = made.iter().map(|o| o.body.kind()).collect();
        let patches = service.patches.iter();
        for (_, node) in patches.filter(|(target, _)| &**target == "kubernetes") {
            for entry in node.entries() {
                if !kinds.contains(&&*entry.key) {
                    let what = format!("no {} is made for `{}`", entry.key, service.name);
                    self.account.problems.add(
                        Problem::error("unknown-key", what)
                            .at(entry.key_span)
                            .label(format!("expected {}", one_of(kinds.iter().copied())))
                            .nearest(&entry.key, kinds.iter().copied()),
                    );
                }
            }
        }
    }

    fn restart(&mut self, service: &plan::Service) {
        if service.kind != Kind::Job && service.restart != Restart::Always {
            let what = format!(
                "`restart: {}` of `{}`: a pod that is no job is always restarted",
                service.restart.word(),
                service.name
            );
            self.account.lost("restart", service.span, &what);
        }
    }

    /// What chooses the pods of a service: never changes, so nothing that may is in it.
    pub(super) fn selector(&self, service: &str) -> Labels {
        labels::selector(&self.plan.name, service)
    }

    /// Adds an object of a service.
    pub(super) fn object(&mut self, service: &plan::Service, name: String, body: Body) {
        let labels = labels::of_service(&self.plan.name, service);
        let kind = body.kind();
        let patch = service
            .patches
            .iter()
            .find(|(target, _)| &**target == "kubernetes")
            .and_then(|(_, node)| node.get(kind))
            .cloned();
        self.add(
            Object {
                name,
                labels,
                annotations: Vec::new(),
                body,
                profiles: service.profiles.clone(),
                patch,
            },
            service.span,
        );
    }

    /// The name that takes connections only when the replicas of a service are ready; none without
    /// ports.
    pub(super) fn ready_name(&mut self, service: &plan::Service) -> Option<String> {
        let ports: Vec<_> = network::service_ports(service);
        ports.first()?;
        if !headless(service) {
            return Some(service.name.to_string());
        }
        let name = format!("{}-ready", service.name);
        if self.awaited.insert(name.clone()) {
            let body = Body::Service(ServiceBody {
                kind: ServiceKind::ClusterIp,
                selector: self.selector(&service.name),
                ports,
            });
            self.object(service, name.clone(), body);
        }
        Some(name)
    }

    fn add(&mut self, object: Object, span: Span) {
        let place = (object.body.kind(), object.name.clone());
        let kind = place.0;
        if let Some(first) = self.places.insert(place, span) {
            self.account.problems.add(
                Problem::error(
                    "duplicate-name",
                    format!("two objects become {kind} `{}` in Kubernetes", object.name),
                )
                .at(span)
                .label("expected another name")
                .related(first, "the first one"),
            );
            return;
        }
        self.objects.push(object);
    }

    /// The ConfigMaps, and who takes which.
    fn config(&mut self) {
        let (maps, uses) = share::config_maps(&std::mem::take(&mut self.units));
        for object in &mut self.objects {
            let Body::Workload(workload) = &mut object.body else {
                continue;
            };
            let pod = &mut workload.pod;
            for container in pod.inits.iter_mut().chain(&mut pod.containers) {
                let Some(uses) = container.unit.and_then(|unit| uses.get(unit)) else {
                    continue;
                };
                container.env_from.clone_from(&uses.maps);
                for variable in &uses.direct {
                    if !container.env.iter().any(|e| *e.name == *variable.name) {
                        container.env.push(env::direct(variable));
                    }
                }
            }
        }
        for shared in maps {
            let owner = shared.owner.as_ref();
            let service = owner.and_then(|o| self.services.get(&**o).copied());
            let labels = match service {
                Some(service) => labels::of_service(&self.plan.name, service),
                None => labels::of_cluster(&self.plan.name),
            };
            let span = service.map_or(Span::nowhere(), |s| s.span);
            self.add(
                Object {
                    name: shared.name,
                    labels,
                    annotations: Vec::new(),
                    body: Body::ConfigMap(shared.map),
                    profiles: shared.profiles,
                    patch: None,
                },
                span,
            );
        }
    }

    /// The namespace, with the Pod Security level that its pods keep to.
    fn namespace(&mut self) {
        let name = self.settings.namespace(&self.plan.name);
        if name == "default" {
            return;
        }
        let level = if self.privileged {
            "privileged"
        } else if self.rooted {
            "baseline"
        } else {
            "restricted"
        };
        let mut labels = labels::of_cluster(&self.plan.name);
        let label = "pod-security.kubernetes.io/enforce".to_owned();
        labels.push((label, level.to_owned()));
        let object = Object {
            name: name.to_owned(),
            labels,
            annotations: Vec::new(),
            body: Body::Namespace,
            profiles: Vec::new(),
            patch: None,
        };
        self.add(object, Span::nowhere());
    }

    /// The Secret and its key for a secret of the blueprint.
    pub(super) fn secret(&self, secret: &str) -> (String, String) {
        let mut known = self.plan.secrets.iter();
        let known = known.find(|s| &*s.name == secret).map(secrets::place);
        known.unwrap_or_default()
    }
}
