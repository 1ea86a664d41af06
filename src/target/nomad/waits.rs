//! What must be there first: a script waits for ports, because Nomad starts jobs as they come.

use std::sync::Arc;

use super::addressing::replica_name;
use super::lower::{Lowering, Place};
use super::settings::Discovery;
use crate::blueprint::{Kind, Quorum};
use crate::plan::{self, Image, Probe};
use crate::target::wait;

/// Some ports, of which so many must be open.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wait {
    at_least: u32,
    addresses: Vec<String>,
}

impl Wait {
    /// What the script is given.
    pub(super) fn words(&self) -> Vec<String> {
        let minimum = self.at_least.to_string();
        [minimum]
            .into_iter()
            .chain(self.addresses.iter().cloned())
            .collect()
    }
}

impl<'a> Lowering<'a> {
    /// The waits of a replica, each with an image that can run it.
    pub(super) fn waits(&mut self, place: Place<'a>) -> Vec<(&'a Arc<Image>, Wait)> {
        let mut waits = Vec::new();
        for need in &place.service.needs {
            let Some(needed) = self.services.get(&*need.service).copied() else {
                continue;
            };
            let how = "a script waits for the ports before the first step";
            self.account.emulated("needs", need.span, how);
            if let Some(wait) = self.wait(need, needed, place)
                && !waits.iter().any(|(_, known)| *known == wait.1)
            {
                waits.push(wait);
            }
        }
        waits
    }

    fn wait(
        &mut self,
        need: &plan::Need,
        needed: &'a plan::Service,
        place: Place<'a>,
    ) -> Option<(&'a Arc<Image>, Wait)> {
        let service = &need.service;
        if needed.kind == Kind::Job {
            let what = format!(
                "nothing says that the job `{service}` has ended well: submit this one after it"
            );
            self.account.lost("needs", need.span, &what);
            return None;
        }
        let port = wait::port(need, needed).or_else(|| wait::nearest_port(needed));
        let Some((_, number)) = port else {
            let what = format!("`{service}` has no port that could be waited for");
            self.account.lost("needs", need.span, &what);
            return None;
        };
        let Some(image) = wait::image(place.service, needed) else {
            let what = format!("nothing can wait for `{service}`: that takes an image with bash");
            self.account.lost("needs.quorum", need.span, &what);
            return None;
        };
        // Consul's DNS names those whose checks pass, by the name that all replicas share.
        let by_checks = self.settings.discovery() == Discovery::Consul
            && need.port.is_none()
            && (needed.replicas == 1 || need.quorum == Quorum::Any);
        let checked = needed.main.health.is_some();
        if !by_checks && need.port.is_none() && checked && !is_tcp(needed) {
            let what = format!(
                "a port of `{service}` is waited for, which may be open before it is ready"
            );
            self.account.lost("needs", need.span, &what);
        }
        let numbered = needed.kind == Kind::Ensemble && !by_checks;
        let count = if numbered { needed.replicas } else { 1 };
        if !numbered && needed.replicas > 1 && need.quorum != Quorum::Any {
            let what = format!(
                "the replicas of `{service}` share one name, so that one which answers is enough"
            );
            self.account.lost("needs.quorum", need.span, &what);
        }
        let cluster = &self.plan.name;
        let hosts: Vec<String> = if numbered {
            (0..needed.replicas)
                .map(|i| self.settings.host(cluster, &replica_name(service, i)))
                .collect()
        } else {
            vec![self.settings.host(cluster, service)]
        };
        let wait = Wait {
            at_least: wait::at_least(need.quorum, count),
            addresses: hosts.iter().map(|h| format!("{h}:{number}")).collect(),
        };
        Some((image, wait))
    }
}

/// Is an open port what a service's check asks for?
fn is_tcp(needed: &plan::Service) -> bool {
    let check = needed.main.health.as_ref().and_then(plan::Health::usable);
    check.is_some_and(|c| matches!(c.probe, Probe::Tcp(..)))
}
