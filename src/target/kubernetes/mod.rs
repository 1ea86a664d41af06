//! Kubernetes, from 1.28 on (checked against 1.34 to 1.37).
//!
//! An ensemble, and a service with storage of its own, becomes a StatefulSet behind a headless
//! Service; another service a Deployment, a daemon a DaemonSet, a job a Job. Config goes into
//! ConfigMaps, whose checksum on the pod template rolls those pods that read it. Each object is a
//! file. `docs/targets/kubernetes.md` says what becomes of each field of the blueprint.

mod addressing;
mod carrier;
mod checksum;
mod emit;
mod env;
mod files;
mod labels;
mod lower;
mod model;
mod network;
mod pack;
mod pod;
mod probes;
mod script;
mod secrets;
mod settings;
mod share;
mod stop;
mod volumes;
mod waits;

use crate::blueprint::{Definitions, Map, Read, Reader, Text};
use crate::file::File;
use crate::plan::{Addressing, Plan};
use crate::target::{Account, Configured, Request, Target};
use crate::yaml::Node;

use settings::Settings;

/// The target.
pub struct Kubernetes;

impl Target for Kubernetes {
    fn name(&self) -> &'static str {
        "kubernetes"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["k8s"]
    }

    fn title(&self) -> &'static str {
        "Kubernetes"
    }

    fn summary(&self) -> &'static str {
        "Kubernetes objects, a file each"
    }

    fn losses(&self) -> &'static [&'static str] {
        &settings::LOSSES
    }

    fn concerns(&self, field: &str) -> bool {
        field != "build"
    }

    fn configure(
        &self,
        settings: Option<&Node>,
        reader: &mut Reader<'_>,
    ) -> Option<Box<dyn Configured>> {
        let settings = match settings {
            Some(node) => Settings::read(node, reader)?,
            None => Settings::default(),
        };
        settings.check(reader.problems);
        Some(Box::new(settings))
    }

    fn schema(&self, definitions: &mut Definitions) -> serde_json::Value {
        Settings::schema(definitions)
    }
}

impl Configured for Settings {
    fn addressing(&self) -> &dyn Addressing {
        self
    }

    fn accepted(&self) -> &Map<Text> {
        &self.accept
    }

    fn lower(&self, plan: &Plan, request: &Request<'_>, account: &mut Account) -> Vec<File> {
        let mut objects = lower::lower(plan, self, account);
        checksum::annotate(&mut objects);
        pack::files(&objects, plan, self, request, account)
    }
}
