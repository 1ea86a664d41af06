//! A Compose project, as far as flokkr writes one. Texts are plain: `$` is doubled when they are
//! emitted.

use std::sync::Arc;

use indexmap::IndexMap;

use crate::plan::Value;
use crate::yaml::Node;

/// A project.
#[derive(Debug, Default)]
pub(super) struct Project {
    pub(super) name: String,
    pub(super) services: IndexMap<String, Service>,
    pub(super) volumes: IndexMap<String, Volume>,
    /// Inline configs: name and content.
    pub(super) configs: IndexMap<String, Value>,
    pub(super) secrets: IndexMap<String, SecretSource>,
    /// Services that are replicas of the same thing, by what they are replicas of.
    pub(super) families: IndexMap<String, Vec<String>>,
    /// Main containers and steps of a service of the blueprint, by its name.
    pub(super) owners: IndexMap<String, Vec<String>>,
}

/// A service.
#[derive(Debug, Default)]
pub(super) struct Service {
    pub(super) image: String,
    /// The context that the image is built from, in the one service that builds it.
    pub(super) build: Option<String>,
    /// It is built here, and not pulled: what a registry has under its name is another image.
    pub(super) unpulled: bool,
    pub(super) hostname: Option<String>,
    pub(super) profiles: Vec<String>,
    pub(super) user: Option<String>,
    pub(super) working_dir: Option<String>,
    pub(super) entrypoint: Option<Vec<Value>>,
    pub(super) command: Option<Vec<Value>>,
    pub(super) environment: Vec<Env>,
    pub(super) configs: Vec<Mount>,
    pub(super) secrets: Vec<Mount>,
    pub(super) volumes: Vec<VolumeMount>,
    pub(super) ports: Vec<PublishedPort>,
    /// `host`, `none` or `service:NAME`; the project's network unless given.
    pub(super) network_mode: Option<String>,
    /// Further names in the project's network.
    pub(super) aliases: Vec<String>,
    pub(super) pid: Option<String>,
    pub(super) depends_on: IndexMap<String, Dependency>,
    pub(super) healthcheck: Option<Healthcheck>,
    /// It is not checked, whatever its image says.
    pub(super) unchecked: bool,
    pub(super) replicas: Option<u32>,
    pub(super) resources: Resources,
    pub(super) restart: Option<&'static str>,
    pub(super) stop_grace_period: Option<String>,
    pub(super) stop_signal: Option<String>,
    /// A command that runs in it before it is stopped.
    pub(super) before_stop: Option<Vec<Value>>,
    pub(super) labels: Vec<(String, Value)>,
    /// Laid over the emitted service.
    pub(super) patch: Option<Node>,
}

/// An environment variable.
#[derive(Debug, Clone)]
pub(super) struct Env {
    pub(super) name: Arc<str>,
    pub(super) value: Value,
    /// The config group it comes from, for sharing.
    pub(super) group: Option<Arc<str>>,
}

/// A config or secret in a container.
#[derive(Debug, Clone)]
pub(super) struct Mount {
    pub(super) source: String,
    pub(super) target: String,
}

/// Where a top-level secret comes from.
#[derive(Debug, Clone)]
pub(super) enum SecretSource {
    File(String),
    Environment(String),
    External(String),
}

/// A named volume.
#[derive(Debug, Clone, Default)]
pub(super) struct Volume {
    /// What the blueprint says of its size; no driver of Docker's own keeps to it.
    pub(super) size: Option<u64>,
}

/// A volume in a container, in long form: a one-letter name in short form is taken for a drive.
#[derive(Debug, Clone)]
pub(super) enum VolumeMount {
    Named {
        source: String,
        target: String,
        readonly: bool,
    },
    Bind {
        source: String,
        target: String,
        readonly: bool,
    },
    Memory {
        target: String,
        size: Option<u64>,
    },
}

/// A port of the node.
#[derive(Debug, Clone)]
pub(super) struct PublishedPort {
    pub(super) target: u16,
    /// A number, or a range when there are several replicas.
    pub(super) published: String,
    pub(super) host_ip: String,
    pub(super) protocol: &'static str,
}

/// What a dependency must have reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Condition {
    Started,
    Healthy,
    Completed,
}

/// One entry of `depends_on`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dependency {
    pub(super) condition: Condition,
    /// Restarted with it: it lives in its namespaces.
    pub(super) restart: bool,
}

/// A health check.
#[derive(Debug, Clone)]
pub(super) struct Healthcheck {
    pub(super) test: Vec<Value>,
    pub(super) interval: String,
    pub(super) timeout: String,
    pub(super) retries: u32,
    pub(super) start_period: String,
}

/// Processor and memory.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Resources {
    /// A weight, 1024 for one processor.
    pub(super) cpu_shares: Option<u32>,
    /// Thousandths of a processor.
    pub(super) cpu_limit: Option<u32>,
    /// Bytes.
    pub(super) memory: Option<u64>,
    /// Bytes.
    pub(super) memory_limit: Option<u64>,
}
