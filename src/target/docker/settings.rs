//! `targets.docker`: what only the building of images knows.

use crate::blueprint::{Patch, records};
use crate::problem::Span;

records! {
    /// Settings of the target `docker`.
    pub struct DockerSettings at "targets.docker" {
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
            patch: None,
            span: Span::nowhere(),
        }
    }
}
