//! What the processes of a plan are given on one target, and where each value comes from:
//! [`Explanation`].
//!
//! Owns which services, containers and replicas are meant by what was typed ([`Chosen`]), the way
//! back from a value to its places ([`origin`]), and how all that is shown, to people ([`text`],
//! [`overview`]) and to tools ([`json`]). Knows no target: how one delivers config, and what it adds,
//! it says itself.
//! May fail with a name that is not there.

mod build;
mod choose;
mod json;
mod origin;
mod overview;
mod text;

use std::sync::Arc;

pub use build::{Made, explain};
pub use choose::{Chosen, Part, choose};
pub use json::json;
pub use origin::{Origin, Place, Used};
pub use overview::overview;
pub use text::text;

use crate::blueprint::Mode;
use crate::env::Format;
use crate::plan::{self, Value};

/// What was asked for.
#[derive(Debug)]
pub struct Explanation<'p> {
    /// The name of the cluster.
    pub cluster: &'p str,
    /// What it is.
    pub description: Option<&'p str>,
    /// The name of the target.
    pub target: &'static str,
    /// Services in the order of their start.
    pub services: Vec<Service<'p>>,
}

/// A service, with those of its containers that were asked for.
#[derive(Debug)]
pub struct Service<'p> {
    /// As it was planned.
    pub plan: &'p plan::Service,
    /// Where it stands.
    pub from: Option<Place>,
    /// Where something is laid over what is emitted for it. Only those variables in it are regarded
    /// that the target tells of.
    pub patch: Option<Place>,
    /// Containers, one replica after the other: steps, the main process, sidecars.
    pub containers: Vec<Container<'p>>,
}

/// What a container is to its replica.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The process that the service is.
    Main,
    /// It comes before the main process.
    Step,
    /// It runs beside it.
    Sidecar,
}

impl Role {
    /// As a word.
    pub fn word(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Step => "step",
            Self::Sidecar => "sidecar",
        }
    }
}

/// One container of one replica.
#[derive(Debug)]
pub struct Container<'p> {
    /// As it was planned.
    pub plan: &'p plan::Container,
    /// What it is.
    pub role: Role,
    /// The replica.
    pub replica: u32,
    /// Where it stands.
    pub from: Option<Place>,
    /// What replaces the image's entrypoint.
    pub entrypoint: Option<Vec<Value>>,
    /// What the entrypoint is given, spelled as it must be for this entrypoint.
    pub command: Option<Vec<Value>>,
    /// Config files that it has.
    pub config: Vec<ConfigFile>,
    /// The whole environment, in order.
    pub env: Vec<Variable>,
    /// Everything that is mounted with a text, config among it.
    pub files: Vec<File>,
}

/// A config file as the process finds it.
#[derive(Debug)]
pub struct ConfigFile {
    /// Where it is; only its name when nothing says in which directory the launcher writes it.
    pub path: String,
    /// Its format, if it can be told.
    pub format: Option<Format>,
    /// A launcher writes it, from variables; else it is mounted.
    pub by_env: bool,
    /// Keys and values, in the order of the blueprint.
    pub entries: Vec<Entry>,
    /// The whole of it; what a launcher writes may be laid out in another way.
    pub text: Option<Value>,
}

/// A key of a config file.
#[derive(Debug)]
pub struct Entry {
    /// The key.
    pub key: Arc<str>,
    /// Its value, as the product reads it.
    pub value: Value,
    /// The group that it comes from.
    pub group: Option<Arc<str>>,
    /// Where it comes from.
    pub from: Origin,
    /// Places that it replaces, the last one first.
    pub over: Vec<Place>,
}

/// An environment variable.
#[derive(Debug)]
pub struct Variable {
    /// Its name.
    pub name: Arc<str>,
    /// Its value.
    pub value: Value,
    /// Who sets it.
    pub setter: Setter,
    /// Where it comes from.
    pub from: Origin,
}

/// Who sets a variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Setter {
    /// The blueprint, under `env`.
    Env,
    /// It carries config to the launcher.
    Config,
    /// The target, to carry other values.
    Target,
    /// A patch.
    Patch,
}

/// A mounted file.
#[derive(Debug)]
pub struct File {
    /// Where it is.
    pub path: String,
    /// Its text.
    pub text: Value,
    /// Its permissions.
    pub mode: Mode,
    /// It is a config file.
    pub is_config: bool,
    /// Where it comes from.
    pub from: Origin,
}
