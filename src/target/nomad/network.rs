//! The network of an allocation: its mode and ports, the names in it, and who holds it.
//!
//! On a Docker network every container has an address of its own. A sidecar joins the network of
//! another container, and a network ends with its container: so a task that only sleeps holds it,
//! as Nomad's own pause container does in a bridge network. Without, a sidecar would be cut off for
//! good as soon as the main process is started again.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use super::addressing::{registered, replica_name};
use super::lower::{Lowering, Names, Place};
use super::model::{
    Config, Endpoint, Group, Network, Port, Resources, Service, Task, Template, Text,
};
use super::settings::Discovery;
use crate::blueprint::{Kind, Shell};
use crate::emit::hcl::{Expr, Piece};
use crate::plan;
use crate::problem::{Problem, Span};

/// The host name of a replica on the Docker network.
fn host_name(place: Place<'_>) -> Option<Text> {
    let service = place.service;
    if service.kind == Kind::Ensemble {
        return Some(place.covered.numbered(&service.name));
    }
    let alone = place.covered.count == 1 && service.replicas == 1 && service.kind != Kind::Daemon;
    alone.then(|| vec![Piece::Text(service.name.to_string())])
}

impl Lowering<'_> {
    /// Mode, names and published ports of an allocation's network.
    pub(super) fn network(&mut self, place: Place<'_>, group: &mut Group) {
        let service = place.service;
        let discovery = self.settings.discovery();
        group.network = Network {
            mode: match discovery {
                Discovery::DockerNetwork => None,
                Discovery::Consul | Discovery::Nomad => Some("bridge"),
                Discovery::Static => Some("host"),
            },
            hostname: (self.settings.is_bridge() && service.kind == Kind::Ensemble)
                .then(|| place.covered.numbered(&service.name)),
            dns: self
                .settings
                .dns
                .as_ref()
                .filter(|_| discovery == Discovery::Consul)
                .map(|dns| dns.value.clone()),
            ports: Vec::new(),
        };
        for port in &service.ports {
            if discovery == Discovery::Static {
                if port.publish.is_some_and(|p| p != port.number) {
                    let what = "in the node's network a port is published on its own number";
                    self.account.lost("ports.publish", port.span, what);
                }
                group.network.ports.push(Port {
                    label: label(&port.name),
                    fixed: Some(port.number),
                    to: None,
                });
                continue;
            }
            let Some(publish) = port.publish else {
                continue;
            };
            let fixed = if place.covered.count > 1 {
                let what = "the replicas of a group can't have numbers of their own, so that Nomad \
                            publishes each on any free one (`nomad alloc status` shows it)";
                self.account.lost("ports.publish", port.span, what);
                None
            } else {
                u16::try_from(u32::from(publish) + place.covered.first).ok()
            };
            group.network.ports.push(Port {
                label: label(&port.name),
                fixed,
                to: Some(port.number),
            });
        }
    }

    /// Where Nomad and Consul look at a port: they need one of the node's, unless the allocation
    /// has an address that Consul is told.
    pub(super) fn endpoint(&self, group: &mut Group, name: &str, number: u16) -> Endpoint {
        if self.settings.discovery() == Discovery::Consul {
            return Endpoint::Number(number);
        }
        let label = label(name);
        if !group.network.ports.iter().any(|p| p.label == label) {
            let fixed = self.settings.discovery() == Discovery::Static;
            group.network.ports.push(Port {
                label: label.clone(),
                fixed: fixed.then_some(number),
                to: (!fixed).then_some(number),
            });
        }
        Endpoint::Label(label)
    }

    /// The service by which a replica is found before, and while, its process is not up.
    pub(super) fn identity(&mut self, place: Place<'_>, group: &mut Group) {
        let service = place.service;
        let native = self.settings.discovery() == Discovery::Nomad;
        if self.settings.discovery() == Discovery::DockerNetwork {
            return;
        }
        let name = registered(&self.plan.name, &service.name);
        let longest = match service.kind {
            Kind::Ensemble => replica_name(&name, service.replicas.saturating_sub(1)),
            _ => name.clone(),
        };
        self.label(&longest, service.span);
        let mut add = |name: Text, comment| {
            let port = service
                .ports
                .first()
                .map(|p| match self.settings.discovery() {
                    Discovery::Static => Endpoint::Label(label(&p.name)),
                    _ => Endpoint::Number(p.number),
                });
            group.services.push(Service {
                comment,
                name,
                task: None,
                native,
                port,
                of_allocation: self.settings.is_bridge(),
                checks: Vec::new(),
            });
        };
        if service.kind == Kind::Ensemble {
            let comment = "identity: no check, so that the name is there before the process is up";
            add(place.covered.numbered(&name), Some(comment));
        }
        // The name of all replicas is registered with the checks, by the main task; without any,
        // or where it is looked up while a process starts, here.
        if native || (service.main.health.is_none() && !service.ports.is_empty()) {
            add(vec![Piece::Text(name)], None);
        }
    }

    /// The task that holds the network of a replica with sidecars.
    pub(super) fn holder(&mut self, place: Place<'_>, names: &mut Names) -> Option<Task> {
        let service = place.service;
        if service.sidecars.is_empty() || self.settings.discovery() != Discovery::DockerNetwork {
            return None;
        }
        let sidecars = service.sidecars.iter().map(|s| &s.container.image);
        let image = [&service.main.image]
            .into_iter()
            .chain(sidecars)
            .find(|i| i.shell != Shell::None)?;
        let mut config = Config {
            image: self.option(&image.reference, "entrypoint", service.span),
            entrypoint: Some(Expr::texts(["sleep"])),
            args: Some(Expr::texts(["infinity"])),
            ..Config::default()
        };
        self.named(place, &mut config);
        Some(Task {
            name: names.take("network"),
            comment: Some(
                "holds the network: without it a sidecar is cut off when the main task restarts",
            ),
            lifecycle: Some(("prestart", true)),
            config,
            resources: SMALL,
            ..Task::default()
        })
    }

    /// The names of a replica on the Docker network.
    pub(super) fn named(&self, place: Place<'_>, config: &mut Config) {
        let service = place.service;
        config.network_mode = Some(vec![Piece::Text(self.docker_network())]);
        config.hostname = host_name(place);
        if service.kind == Kind::Ensemble {
            config.aliases.extend(config.hostname.clone());
        }
        config
            .aliases
            .push(vec![Piece::Text(service.name.to_string())]);
    }

    /// How a step reaches others. Its replica's host name is its own: a keytab, or a number, is found by that.
    pub(super) fn reaching_as(&self, place: Place<'_>, config: &mut Config) {
        self.reaching(config);
        if self.settings.discovery() == Discovery::DockerNetwork {
            config.hostname = host_name(place);
        }
    }

    /// The Docker network that containers join.
    pub(super) fn docker_network(&self) -> String {
        let network = self.settings.network.as_ref();
        network.map_or_else(|| self.plan.name.clone(), |n| n.value.clone())
    }

    /// A task beside the main one that only waits, reads or writes: how it reaches others.
    pub(super) fn reaching(&self, config: &mut Config) {
        match self.settings.discovery() {
            Discovery::DockerNetwork => {
                config.network_mode = Some(vec![Piece::Text(self.docker_network())]);
            }
            Discovery::Static => {
                config.network_mode = Some(vec![Piece::Text("host".to_owned())]);
                config.dns = self.settings.dns.as_ref().map(|dns| dns.value.clone());
            }
            Discovery::Consul | Discovery::Nomad => {}
        }
    }

    /// The task that keeps `/etc/hosts` up to date with Nomad's own services. That file is one for
    /// all tasks of an allocation; it is written in place, for a mounted file would stay what it
    /// was.
    pub(super) fn resolver(&mut self, place: Place<'_>, names: &mut Names) -> Option<Task> {
        if self.settings.discovery() != Discovery::Nomad {
            return None;
        }
        let service = place.service;
        let sidecars = service.sidecars.iter().map(|s| &s.container.image);
        let image = [&service.main.image]
            .into_iter()
            .chain(sidecars)
            .find(|i| i.shell == Shell::Bash);
        let Some(image) = image else {
            self.account.refused(
                "sidecars",
                service.span,
                Problem::error(
                    "unsupported",
                    "nothing can write the names of other services",
                )
                .at(service.span)
                .label("with `discovery: nomad` that takes an image with bash")
                .help("use another `discovery`"),
            );
            return None;
        };
        let mut lines = String::new();
        for service in &self.plan.services {
            let mut known: Vec<String> = Vec::new();
            if service.kind == Kind::Ensemble {
                known.extend((0..service.replicas).map(|i| replica_name(&service.name, i)));
            }
            known.push(service.name.to_string());
            for name in known {
                let registered = registered(&self.plan.name, &name);
                let _ = write!(
                    lines,
                    "{{{{ range nomadService \"{registered}\" }}}}{{{{ .Address }}}} {name}\n{{{{ end }}}}"
                );
            }
        }
        lines.push('\n');
        let script = "trap 'exit 143' TERM; cp /etc/hosts /tmp/own; while :; do \
                      cat /tmp/own /local/names > /tmp/new; \
                      cmp -s /tmp/new /etc/hosts || cat /tmp/new > /etc/hosts; sleep 1; done";
        Some(Task {
            name: names.take("names"),
            comment: Some("keeps /etc/hosts, which the tasks share, up to date"),
            lifecycle: Some(("prestart", true)),
            user: Some("0:0".to_owned()),
            config: Config {
                image: self.option(&image.reference, "entrypoint", service.span),
                entrypoint: Some(Expr::texts(["bash", "-c"])),
                args: Some(Expr::texts([script])),
                ..Config::default()
            },
            templates: vec![Template {
                destination: "local/names".to_owned(),
                data: lines,
                delimiters: None,
                env: false,
                perms: None,
                owner: None,
                noop: true,
            }],
            resources: SMALL,
            ..Task::default()
        })
    }
}

/// What a task needs that hardly does anything.
pub(super) const SMALL: Resources = Resources {
    cpu: 10,
    memory: 32,
    memory_max: None,
};

/// The label of a port: it becomes a part of variables.
pub(super) fn label(name: &str) -> String {
    name.replace('-', "_")
}

/// Ports of the node that two services want.
pub(super) fn taken(lowering: &mut Lowering<'_>) {
    let fixed = lowering.settings.discovery() == Discovery::Static;
    let mut taken: HashMap<u32, (Arc<str>, Span)> = HashMap::new();
    let plan = lowering.plan;
    for service in &plan.services {
        let separate = lowering
            .settings
            .separate
            .iter()
            .any(|s| s.value == *service.name);
        for port in &service.ports {
            for number in numbers(service, port, fixed, separate) {
                let entry = (Arc::clone(&service.name), port.span);
                let Some((other, span)) = taken.insert(number, entry) else {
                    continue;
                };
                // In the node's network, services may still be on nodes of their own: Nomad places
                // no two on one.
                if fixed && other != service.name {
                    continue;
                }
                let mut problem = Problem::error(
                    "port-clash",
                    format!("`{}` and `{other}` both want port {number} of the node", service.name),
                )
                .at(port.span)
                .label("expected a port that no other replica publishes")
                .help("publish on another number: `publish: 19870`; replica N gets that number plus N");
                if span != port.span {
                    problem = problem.related(span, "wanted here too");
                }
                lowering.account.problems.add(problem);
            }
        }
    }
}

/// The numbers of the node that a port takes for certain.
fn numbers(service: &plan::Service, port: &plan::Port, fixed: bool, separate: bool) -> Vec<u32> {
    match (fixed, port.publish) {
        (true, _) => vec![u32::from(port.number)],
        (false, Some(publish)) if service.replicas == 1 => vec![u32::from(publish)],
        (false, Some(publish)) if separate => (0..service.replicas)
            .map(|i| u32::from(publish) + i)
            .collect(),
        (false, _) => Vec::new(),
    }
}
