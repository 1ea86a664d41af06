//! Names in Kubernetes: a service is its Service, a replica its pod behind the headless one.

use super::settings::Settings;
use crate::plan::{Addressing, Member};

impl Addressing for Settings {
    fn service(&self, member: Member<'_>) -> String {
        let namespace = self.namespace(member.cluster);
        format!("{}.{namespace}.svc.{}", member.service, self.domain())
    }

    fn replica(&self, member: Member<'_>, index: u32) -> String {
        let pod = pod_name(member.service, self.first(member.service), index);
        format!("{pod}.{}", self.service(member))
    }
}

/// The name of a replica's pod: the StatefulSet's name and the pod's number.
pub(super) fn pod_name(service: &str, first: u32, index: u32) -> String {
    format!("{service}-{}", first.saturating_add(index))
}
