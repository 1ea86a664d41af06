//! What services and replicas are called: the trait that a target implements, and the table of
//! names made with it.

use std::collections::HashMap;
use std::sync::Arc;

use crate::blueprint::{Blueprint, Kind, Map};

/// A service, as far as its names depend on it.
#[derive(Debug, Clone, Copy)]
pub struct Member<'a> {
    /// The cluster's name.
    pub cluster: &'a str,
    /// The service's name.
    pub service: &'a str,
    /// How its processes are run.
    pub kind: Kind,
    /// How many there are.
    pub replicas: u32,
}

/// How a target calls services and their replicas. Names must resolve from every other service
/// of the cluster, and a replica's name must be the one that it finds itself under.
pub trait Addressing {
    /// The name that all replicas of a service answer to.
    fn service(&self, member: Member<'_>) -> String;

    /// The name of one replica of an ensemble, by its index from 0.
    fn replica(&self, member: Member<'_>, index: u32) -> String;
}

/// Names and ports of all services, for templates.
#[derive(Debug)]
pub(super) struct Directory {
    entries: Vec<Listing>,
    index: HashMap<Arc<str>, usize>,
    pub(super) secrets: Vec<Arc<str>>,
    /// Services that are written but could not be read.
    pub(super) broken: Vec<String>,
}

/// One service in the directory.
#[derive(Debug)]
pub(super) struct Listing {
    pub(super) name: Arc<str>,
    pub(super) host: Arc<str>,
    pub(super) kind: Kind,
    pub(super) count: u32,
    /// Names of replicas: of an ensemble each, of a single process its host.
    pub(super) replicas: Vec<Arc<str>>,
    pub(super) ports: Vec<(Arc<str>, u16)>,
    /// Ports that are written but could not be read.
    pub(super) broken_ports: Vec<String>,
}

impl Directory {
    pub(super) fn new(blueprint: &Blueprint, addressing: &dyn Addressing) -> Self {
        let mut entries = Vec::new();
        let mut index = HashMap::new();
        for (key, service) in blueprint.services.iter() {
            let member = Member {
                cluster: &blueprint.name.value,
                service: &key.value,
                kind: service.kind.map_or(Kind::Service, |k| k.value),
                replicas: service.replicas.map_or(1, |r| r.value.0),
            };
            let host: Arc<str> = addressing.service(member).into();
            let replicas = match member.kind {
                Kind::Ensemble => (0..member.replicas)
                    .map(|i| addressing.replica(member, i).into())
                    .collect(),
                _ if member.replicas == 1 => vec![Arc::clone(&host)],
                _ => Vec::new(),
            };
            let sidecars = service.sidecars.iter().flat_map(|(_, s)| s.ports.iter());
            let ports = service
                .ports
                .iter()
                .chain(sidecars)
                .map(|(name, port)| (Arc::clone(&name.value), port.0.port.value))
                .collect();
            index.insert(Arc::clone(&key.value), entries.len());
            entries.push(Listing {
                name: Arc::clone(&key.value),
                host,
                kind: member.kind,
                count: member.replicas,
                replicas,
                ports,
                broken_ports: broken(&service.ports),
            });
        }
        let secrets = blueprint.secrets.iter().map(|(k, _)| Arc::clone(&k.value));
        Self {
            entries,
            index,
            secrets: secrets.collect(),
            broken: broken(&blueprint.services),
        }
    }

    pub(super) fn find(&self, name: &str) -> Option<usize> {
        self.index.get(name).copied()
    }

    pub(super) fn get(&self, at: usize) -> Option<&Listing> {
        self.entries.get(at)
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|e| &*e.name)
    }
}

fn broken<T>(map: &Map<T>) -> Vec<String> {
    map.broken().map(str::to_owned).collect()
}

impl Listing {
    /// The number of a port.
    pub(super) fn port(&self, name: &str) -> Option<u16> {
        self.ports
            .iter()
            .find(|(n, _)| &**n == name)
            .map(|(_, number)| *number)
    }
}
