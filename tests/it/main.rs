//! The one test crate: what flokkr does, seen from outside.
//!
//! Cases are files: `blueprints/` and `tests/blueprints/` become `snapshots/<case>/<target>/`, and
//! `tests/errors/` becomes `snapshots/errors/`.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice
)]

mod blueprints;
mod cli;
mod conffile;
mod docker;
mod env;
mod errors;
mod hcl;
mod launch;
mod meaning;
mod properties;
mod reference;
mod rules;
mod support;
mod tidy;
mod up;
mod versions;
