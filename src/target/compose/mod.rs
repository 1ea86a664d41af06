//! Docker Compose, current specification (checked against compose-go 2.4 and Compose 2.26.1).
//!
//! One file, `compose.yaml`. An ensemble becomes one service per replica, because Compose has no
//! per-replica host names; init steps and quorum waits become services that complete first.
//! `docs/targets/compose.md` says what becomes of each field of the blueprint.

mod addressing;
mod build;
mod emit;
mod files;
mod health;
mod local;
mod lower;
mod model;
mod network;
mod patched;
mod settings;
mod share;
mod volumes;
mod waits;

use crate::blueprint::{Definitions, Map, Read, Reader, Text};
use crate::file::File;
use crate::plan::{Addressing, Plan};
use crate::target::{Account, Configured, Reach, Request, Runner, Target};
use crate::yaml::Node;

use settings::Settings;

/// The target.
pub struct Compose;

impl Target for Compose {
    fn name(&self) -> &'static str {
        "compose"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["docker-compose"]
    }

    fn title(&self) -> &'static str {
        "Compose"
    }

    fn summary(&self) -> &'static str {
        "a Compose file: one node, Docker Engine"
    }

    fn losses(&self) -> &'static [&'static str] {
        &settings::LOSSES
    }

    fn runner(&self) -> Option<&'static dyn Runner> {
        Some(&local::Engine)
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

    fn within_reach(&self, plan: &Plan, account: &mut Account) -> Reach {
        local::reach(plan, self, account)
    }

    fn lower(&self, plan: &Plan, request: &Request<'_>, account: &mut Account) -> Vec<File> {
        let project = lower::lower(plan, self, request.layout, account);
        patched::environments(&project, plan, self, account);
        let text = emit::document(&project, plan, self);
        vec![File {
            path: "compose.yaml".into(),
            text,
        }]
    }
}
