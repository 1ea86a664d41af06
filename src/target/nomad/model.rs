//! A Nomad job, as far as flokkr writes one. Texts are spelled for the place where they stand
//! (`text`), so that the emitter has nothing left to escape but HCL.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::text::Meta;
use crate::blueprint::User;
use crate::emit::hcl::{Expr, Piece};
use crate::yaml::Node;

/// A text with references.
pub(super) type Text = Vec<Piece>;

/// A job of one group.
#[derive(Debug)]
pub(super) struct Job {
    /// What the file is called, and the group.
    pub(super) name: String,
    pub(super) id: String,
    pub(super) kind: JobKind,
    pub(super) description: Option<String>,
    pub(super) meta: BTreeSet<Meta>,
    pub(super) update: Option<Update>,
    pub(super) group: Group,
    /// Laid over the emitted job.
    pub(super) patch: Option<Node>,
    /// The profiles that it is there for.
    pub(super) profiles: Vec<String>,
}

/// `type`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum JobKind {
    Service,
    System,
    Batch,
}

impl JobKind {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::System => "system",
            Self::Batch => "batch",
        }
    }
}

/// How a changed job is rolled out.
#[derive(Debug, Clone)]
pub(super) struct Update {
    /// By checks, else by the states of tasks.
    pub(super) checks: bool,
    /// Milliseconds.
    pub(super) healthy_deadline: u64,
}

/// What runs together on one node.
#[derive(Debug, Default)]
pub(super) struct Group {
    /// Of a system job there is none.
    pub(super) count: Option<u32>,
    pub(super) constraints: Vec<Constraint>,
    /// Services whose nodes are preferred.
    pub(super) affinities: Vec<Constraint>,
    /// The attribute that replicas are spread over.
    pub(super) spread: Option<&'static str>,
    pub(super) restart: Restart,
    /// An allocation that failed is not placed anew.
    pub(super) stays: bool,
    /// Megabytes of the disk of an allocation.
    pub(super) disk: Option<u64>,
    pub(super) network: Network,
    pub(super) services: Vec<Service>,
    pub(super) tasks: Vec<Task>,
}

/// A condition on nodes.
#[derive(Debug)]
pub(super) struct Constraint {
    pub(super) attribute: Option<Text>,
    pub(super) operator: Option<&'static str>,
    pub(super) value: Text,
}

/// What happens when a task ends.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Restart {
    /// It is started again for ever, where it is.
    #[default]
    Always,
    /// It is started again some times, then the allocation fails.
    Some,
    /// The allocation fails.
    Never,
}

/// The network of an allocation.
#[derive(Debug, Default)]
pub(super) struct Network {
    pub(super) mode: Option<&'static str>,
    pub(super) hostname: Option<Text>,
    pub(super) dns: Option<String>,
    pub(super) ports: Vec<Port>,
}

/// A port of the node.
#[derive(Debug, Clone)]
pub(super) struct Port {
    pub(super) label: String,
    /// The number on the node; any free one unless given.
    pub(super) fixed: Option<u16>,
    /// The number in the container.
    pub(super) to: Option<u16>,
}

/// Where a service or check listens.
#[derive(Debug, Clone)]
pub(super) enum Endpoint {
    /// A port of the node, by its label.
    Label(String),
    /// A number, in the allocation's own network.
    Number(u16),
}

/// A service in a catalog.
#[derive(Debug)]
pub(super) struct Service {
    pub(super) comment: Option<&'static str>,
    pub(super) name: Text,
    /// The task that it belongs to, where it stands in the group.
    pub(super) task: Option<String>,
    /// Nomad's own catalog; else Consul's.
    pub(super) native: bool,
    pub(super) port: Option<Endpoint>,
    /// The address is the allocation's, not the node's.
    pub(super) of_allocation: bool,
    pub(super) checks: Vec<Check>,
}

/// A check of a service.
#[derive(Debug)]
pub(super) struct Check {
    pub(super) name: &'static str,
    pub(super) probe: Probe,
    pub(super) interval: u64,
    pub(super) timeout: u64,
    /// Failures in a row after which the task is restarted, and the time before they count.
    pub(super) restart: Option<(u32, u64)>,
}

/// What a check tries.
#[derive(Debug)]
pub(super) enum Probe {
    Tcp(Endpoint),
    Http(Endpoint, Text),
    Script(Vec<Text>),
}

/// One process.
#[derive(Debug, Default)]
pub(super) struct Task {
    pub(super) name: String,
    pub(super) comment: Option<&'static str>,
    /// The hook, and whether it goes on as a sidecar.
    pub(super) lifecycle: Option<(&'static str, bool)>,
    pub(super) user: Option<String>,
    pub(super) config: Config,
    pub(super) env: Vec<Env>,
    pub(super) templates: Vec<Template>,
    pub(super) services: Vec<Service>,
    pub(super) resources: Resources,
    pub(super) kill_timeout: Option<u64>,
    pub(super) kill_signal: Option<String>,
    /// It reads secrets from Vault.
    pub(super) vault: bool,
}

/// The options of the Docker driver.
#[derive(Debug, Default)]
pub(super) struct Config {
    pub(super) image: Text,
    pub(super) entrypoint: Option<Expr>,
    pub(super) command: Option<Text>,
    pub(super) args: Option<Expr>,
    pub(super) work_dir: Option<Text>,
    pub(super) network_mode: Option<Text>,
    pub(super) aliases: Vec<Text>,
    pub(super) hostname: Option<Text>,
    pub(super) dns: Option<String>,
    pub(super) ports: Vec<String>,
    pub(super) pid_mode: Option<Text>,
    /// Directories of the allocation, which Docker makes: `SOURCE:TARGET`.
    pub(super) volumes: Vec<Text>,
    pub(super) mounts: Vec<Mount>,
    pub(super) labels: Vec<(String, Text)>,
}

/// A mount.
#[derive(Debug, Clone)]
pub(super) struct Mount {
    pub(super) kind: &'static str,
    pub(super) source: Option<Text>,
    pub(super) target: Text,
    pub(super) readonly: bool,
    /// Bytes, in memory.
    pub(super) size: Option<u64>,
    /// The driver of a named volume, unless Docker's own.
    pub(super) driver: Option<Text>,
}

/// An environment variable.
#[derive(Debug, Clone)]
pub(super) struct Env {
    pub(super) name: Arc<str>,
    pub(super) value: Text,
    /// The config group it comes from, for sharing.
    pub(super) group: Option<Arc<str>>,
}

/// A file that the client writes before the task starts.
#[derive(Debug, Clone)]
pub(super) struct Template {
    pub(super) destination: String,
    /// A template of Go's.
    pub(super) data: String,
    /// What opens and closes its actions, unless it is `{{` and `}}`.
    pub(super) delimiters: Option<(&'static str, &'static str)>,
    /// Its lines are variables of the task.
    pub(super) env: bool,
    pub(super) perms: Option<String>,
    pub(super) owner: Option<User>,
    /// A change of it restarts nothing.
    pub(super) noop: bool,
}

/// Processor and memory.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Resources {
    /// MHz.
    pub(super) cpu: u64,
    /// Megabytes.
    pub(super) memory: u64,
    pub(super) memory_max: Option<u64>,
}
