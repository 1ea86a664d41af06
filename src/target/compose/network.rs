//! The network of a replica: who holds it, and which ports of the node it takes.

use std::collections::HashMap;
use std::sync::Arc;

use super::lower::{Lowering, Place, distinct, is_expanded};
use super::model::{PublishedPort, Service};
use crate::blueprint::{Protocol, Shell};
use crate::plan::{self, Value};
use crate::problem::{Problem, Span};

impl Lowering<'_> {
    /// The container that holds the network of a replica with sidecars, as the pause container of a
    /// pod does: without it a sidecar would be cut off for good when the main process is killed,
    /// because a network namespace ends with its container. Its name is returned.
    pub(super) fn network(&mut self, place: Place<'_>) -> Option<String> {
        let Place { service, main, .. } = place;
        if service.sidecars.is_empty() || self.settings.is_host() {
            return None;
        }
        let sidecars = service.sidecars.iter().map(|s| &s.container.image);
        let image = [&service.main.image]
            .into_iter()
            .chain(sidecars)
            .find(|i| i.shell != Shell::None)?;
        let name = format!("{main}-network");
        let holder = Service {
            image: image.reference.clone(),
            hostname: Some(main.to_owned()),
            entrypoint: Some(vec![Value::new("sleep")]),
            command: Some(vec![Value::new("infinity")]),
            aliases: distinct([main.into(), Arc::clone(&service.name)])
                .iter()
                .map(ToString::to_string)
                .collect(),
            ports: self.ports(&service.ports, place),
            restart: Some("unless-stopped"),
            // Nothing to end in order: a sleeping process 1 ignores SIGTERM.
            stop_signal: Some("SIGKILL".to_owned()),
            profiles: service.profiles.clone(),
            ..Service::default()
        };
        self.add(
            name.clone(),
            format!("{}-network", service.name),
            holder,
            service.span,
        );
        Some(name)
    }

    pub(super) fn ports(&mut self, ports: &[plan::Port], place: Place<'_>) -> Vec<PublishedPort> {
        let expanded = is_expanded(place.service);
        let replicas = place.service.replicas;
        ports
            .iter()
            .filter_map(|port| {
                let first = u32::from(port.publish?);
                let published = if expanded {
                    (first + place.replica).to_string()
                } else if replicas > 1 {
                    format!("{first}-{}", first + replicas - 1)
                } else {
                    first.to_string()
                };
                Some(PublishedPort {
                    target: port.number,
                    published,
                    host_ip: self.settings.bind().to_owned(),
                    protocol: match port.protocol {
                        Protocol::Tcp => "tcp",
                        Protocol::Udp => "udp",
                    },
                })
            })
            .collect()
    }

    /// Ports of the node that two containers want: published ones, and in the node's network all.
    pub(super) fn published(&mut self) {
        let mut taken: HashMap<(u32, Protocol), (String, Span)> = HashMap::new();
        let host = self.settings.is_host();
        for service in &self.plan.services {
            for port in &service.ports {
                if host && port.publish.is_some_and(|p| p != port.number) {
                    let what = "in the node's network a port is published on its own number";
                    self.account.lost("ports.publish", port.span, what);
                }
                let first = match (host, port.publish) {
                    (true, _) => port.number,
                    (false, Some(published)) => published,
                    (false, None) => continue,
                };
                for replica in 0..service.replicas {
                    let number = u32::from(first) + if host { 0 } else { replica };
                    let who = if service.replicas > 1 {
                        format!("{} (replica {replica})", service.name)
                    } else {
                        service.name.to_string()
                    };
                    let other = taken.insert((number, port.protocol), (who.clone(), port.span));
                    if let Some((other, span)) = other {
                        self.clash(number, &who, &other, port.span, span, host);
                    }
                }
            }
        }
    }

    fn clash(&mut self, number: u32, who: &str, other: &str, at: Span, first: Span, host: bool) {
        let message = format!("`{who}` and `{other}` both want port {number} of the node");
        let mut problem = Problem::error("port-clash", message).at(at);
        if first != at {
            problem = problem.related(first, "wanted here too");
        }
        problem = if host {
            problem
                .label("in the node's network every port is the node's")
                .help("use another number, one replica, or `network: bridge`")
        } else {
            problem
                .label("expected a port that no other replica publishes")
                .help("publish on another number: `publish: 19870`; replica N gets that number plus N")
        };
        self.account.problems.add(problem);
    }
}
