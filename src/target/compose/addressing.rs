//! Names in Compose: a service answers to its name, a replica to `service-N`; in the node's
//! network every name is `localhost`.

use super::settings::Settings;
use crate::plan::{Addressing, Member};

impl Addressing for Settings {
    fn service(&self, member: Member<'_>) -> String {
        if self.is_host() {
            return "localhost".to_owned();
        }
        member.service.to_owned()
    }

    fn replica(&self, member: Member<'_>, index: u32) -> String {
        if self.is_host() {
            return "localhost".to_owned();
        }
        replica_name(member.service, index)
    }
}

/// The name of a replica: Compose service, host name and DNS name at once.
pub(super) fn replica_name(service: &str, index: u32) -> String {
    format!("{service}-{index}")
}
