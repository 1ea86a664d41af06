//! Names in Nomad: what a service and a replica answer to, by the setting `discovery`.

use super::settings::{Discovery, Settings};
use crate::plan::{Addressing, Member};

impl Addressing for Settings {
    fn service(&self, member: Member<'_>) -> String {
        self.host(member.service)
    }

    fn replica(&self, member: Member<'_>, index: u32) -> String {
        self.host(&replica_name(member.service, index))
    }
}

impl Settings {
    /// The host name at which a service of Consul, Nomad or Docker is reached.
    pub(super) fn host(&self, name: &str) -> String {
        match self.discovery() {
            Discovery::Consul | Discovery::Static => format!("{name}.service.consul"),
            Discovery::DockerNetwork | Discovery::Nomad => name.to_owned(),
        }
    }
}

/// The name of a replica, where it is a service or alias of its own.
pub(super) fn replica_name(service: &str, index: u32) -> String {
    format!("{service}-{index}")
}
