//! Names in Nomad: what a service and a replica answer to, by the setting `discovery`.
//!
//! A Docker network and `/etc/hosts` are the cluster's own. Consul and Nomad's services are not: there
//! a service is called like its job, or two clusters would answer to the same names, and the servers
//! of two ensembles would form one.

use super::settings::{Discovery, Settings};
use crate::plan::{Addressing, Member};

impl Addressing for Settings {
    fn service(&self, member: Member<'_>) -> String {
        self.host(member.cluster, member.service)
    }

    fn replica(&self, member: Member<'_>, index: u32) -> String {
        self.host(member.cluster, &replica_name(member.service, index))
    }
}

impl Settings {
    /// The host name at which a service of Consul, Nomad or Docker is reached.
    pub(super) fn host(&self, cluster: &str, name: &str) -> String {
        match self.discovery() {
            Discovery::Consul | Discovery::Static => {
                format!("{}.service.consul", registered(cluster, name))
            }
            Discovery::DockerNetwork | Discovery::Nomad => name.to_owned(),
        }
    }
}

/// The name of a replica, where it is a service or alias of its own.
pub(super) fn replica_name(service: &str, index: u32) -> String {
    format!("{service}-{index}")
}

/// What a service or a replica is called in Consul, or among Nomad's services.
pub(super) fn registered(cluster: &str, name: &str) -> String {
    format!("{cluster}-{name}")
}
