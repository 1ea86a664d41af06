//! Services: the one that gives a service and its pods their names, and those of what is
//! published; Ingress, disruption budgets, and what tells Prometheus.

use super::addressing::pod_name;
use super::lower::{Lowering, headless, is_stateful};
use super::model::{Body, Ingress, Labels, ServiceBody, ServiceKind, ServicePort};
use super::settings::{Expose, Metrics};
use crate::blueprint::{Kind, Protocol};
use crate::plan::{Port, Service};

/// A port of this name is scraped.
pub(super) const METRICS: &str = "metrics";

/// A NodePort is in this range unless the API server is told another (`--service-node-port-range`).
const NODE_PORTS: std::ops::RangeInclusive<u16> = 30_000..=32_767;

impl<'a> Lowering<'a> {
    /// What makes a service reachable.
    pub(super) fn network(&mut self, service: &'a Service) {
        let selector = self.selector(&service.name);
        let kind = if headless(service) {
            ServiceKind::Headless
        } else {
            ServiceKind::ClusterIp
        };
        if service.kind != Kind::Job || !service.ports.is_empty() {
            let body = ServiceBody {
                kind,
                selector: selector.clone(),
                ports: service_ports(service),
            };
            self.object(service, service.name.to_string(), Body::Service(body));
        }
        self.published(service, &selector);
        if service.replicas > 1 && service.kind != Kind::Job {
            let budget = Body::Budget {
                selector: selector.clone(),
            };
            self.object(service, service.name.to_string(), budget);
        }
        let scraped = service.ports.iter().any(|p| &*p.name == METRICS);
        let monitor = self.settings.metrics.map(|m| m.value) == Some(Metrics::PodMonitor);
        if scraped && monitor {
            let body = Body::PodMonitor {
                selector,
                ports: vec![METRICS.to_owned()],
            };
            self.object(service, service.name.to_string(), body);
        }
    }

    /// Published ports: of an ensemble each replica has its own.
    fn published(&mut self, service: &'a Service, selector: &Labels) {
        let ports: Vec<&Port> = service
            .ports
            .iter()
            .filter(|p| p.publish.is_some())
            .collect();
        if ports.is_empty() {
            return;
        }
        let expose = self.settings.expose();
        if expose == Expose::PortForward {
            for port in ports {
                let how = format!(
                    "kubectl port-forward, service {}, port {}",
                    service.name, port.number
                );
                self.account.emulated("ports.publish", port.span, &how);
            }
            return;
        }
        if !is_stateful(service) {
            let name = service.name.to_string();
            self.publish(service, &name, 0, selector.clone(), &ports);
            return;
        }
        let first = self.settings.first(&service.name);
        for replica in 0..service.replicas {
            let pod = pod_name(&service.name, first, replica);
            let label = "statefulset.kubernetes.io/pod-name".to_owned();
            let mut selector = selector.clone();
            selector.push((label, pod.clone()));
            self.publish(service, &pod, replica, selector, &ports);
        }
    }

    fn publish(
        &mut self,
        service: &'a Service,
        called: &str,
        replica: u32,
        selector: Labels,
        ports: &[&Port],
    ) {
        let expose = self.settings.expose();
        let name = format!("{called}-published");
        let mut list = Vec::new();
        let mut rules = Vec::new();
        for (at, published) in ports.iter().enumerate() {
            let number = u16::try_from(replica)
                .ok()
                .and_then(|r| published.publish?.checked_add(r))
                .unwrap_or(published.number);
            let mut emitted = port(published, published.number);
            match expose {
                Expose::PortForward => {}
                Expose::LoadBalancer => emitted = port(published, number),
                Expose::NodePort if NODE_PORTS.contains(&number) => {
                    emitted.node_port = Some(number);
                }
                Expose::NodePort => {
                    let what =
                        "a port of the nodes is one from 30000 to 32767: the server chooses it";
                    self.account.lost("ports.publish", published.span, what);
                }
                Expose::Ingress if published.protocol == Protocol::Udp => {
                    let what = "an Ingress passes HTTP, not UDP";
                    self.account.lost("ports.publish", published.span, what);
                }
                Expose::Ingress => {
                    if let Some(ingress) = &self.settings.ingress {
                        // The first port has the service's name, the others theirs before it.
                        let prefix = if at == 0 {
                            String::new()
                        } else {
                            format!("{}.", published.name)
                        };
                        rules.push((
                            format!("{prefix}{called}.{}", ingress.domain.value),
                            name.clone(),
                            published.name.to_string(),
                        ));
                    }
                    let how = "an Ingress: by host name and HTTP, not by port";
                    self.account.emulated("ports.publish", published.span, how);
                }
            }
            list.push(emitted);
        }
        let kind = match expose {
            Expose::LoadBalancer => ServiceKind::LoadBalancer,
            Expose::NodePort => ServiceKind::NodePort,
            Expose::Ingress | Expose::PortForward => ServiceKind::ClusterIp,
        };
        let body = ServiceBody {
            kind,
            selector,
            ports: list,
        };
        self.object(service, name.clone(), Body::Service(body));
        if let Some(ingress) = self.settings.ingress.as_ref().filter(|_| !rules.is_empty()) {
            let body = Ingress {
                class: ingress.class.as_ref().map(|c| c.value.clone()),
                tls: ingress.tls.as_ref().map(|t| t.value.clone()),
                rules,
            };
            self.object(service, called.to_owned(), Body::Ingress(body));
        }
    }
}

/// The ports of a service, each on its own number.
pub(super) fn service_ports(service: &Service) -> Vec<ServicePort> {
    service.ports.iter().map(|p| port(p, p.number)).collect()
}

fn port(port: &Port, number: u16) -> ServicePort {
    ServicePort {
        name: port.name.to_string(),
        port: number,
        target: (number != port.number).then_some(port.number),
        node_port: None,
        udp: port.protocol == Protocol::Udp,
    }
}
