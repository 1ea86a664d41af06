//! `targets.docker`: what only the building of images knows.

use crate::blueprint::{Map, Patch, Text, records};
use crate::problem::Span;

records! {
    /// Settings of the target `docker`.
    pub struct DockerSettings at "targets.docker" {
        /// Losses that are known and accepted, each with the reason. This target has none so far.
        pub accept: Map<Text> = "accept", "accept: {}";
        /// Laid over the bake file: maps merge, lists replace, null removes. `${...}` is bake's own
        /// here.
        pub patch: Option<Patch> = "patch", "patch: { target: { app: { platforms: [linux/amd64, linux/arm64] } } }";
    }
}

/// The settings, defaults included.
pub(super) type Settings = DockerSettings;

impl Default for Settings {
    fn default() -> Self {
        Self {
            accept: Map::default(),
            patch: None,
            span: Span::nowhere(),
        }
    }
}
