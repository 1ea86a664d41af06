//! `targets.nomad`: what only Nomad knows.

use crate::blueprint::record::choices;
use crate::blueprint::{At, Map, Patch, Size, Text, records};
use crate::problem::{Problem, Problems, Span};

choices! {
    /// How services find each other.
    pub enum Discovery {
        /// A network of Docker's, which must exist: Docker resolves the names. One node.
        DockerNetwork = "docker-network",
        /// Consul and its DNS; containers in bridge networks.
        Consul = "consul",
        /// Nomad's own services, as lines of `/etc/hosts` that a task keeps up to date; containers
        /// in bridge networks. One node.
        Nomad = "nomad",
        /// Every process in the network of its node, on its own port numbers, no two replicas on
        /// one node; names are Consul's.
        Static = "static",
    }

    /// Where secrets are kept.
    pub enum Store {
        /// Nomad's variables.
        Variables = "variables",
        /// Vault, a KV store of version 2.
        Vault = "vault",
    }

    /// How config reaches processes.
    pub enum Config {
        /// As the blueprint says: variables of the environment, or files of the job.
        Env = "env",
        /// As files whose text is in Consul's KV store; a process is restarted when it changes.
        Consul = "consul",
    }

    /// What a change in a store does to the processes that read it.
    pub enum Change {
        /// Nomad restarts all of them, within seconds.
        Restart = "restart",
        /// Nothing until they are restarted.
        Noop = "noop",
    }
}

records! {
    /// Settings of the target `nomad`.
    pub struct NomadSettings at "targets.nomad" {
        /// How services find each other: `docker-network` (the default; one node), `consul`,
        /// `nomad` (one node) or `static`.
        pub discovery: Option<At<Discovery>> = "discovery", "discovery: consul";
        /// The Docker network of discovery `docker-network`; the cluster's name unless given.
        pub network: Option<At<String>> = "network", "network: data";
        /// The address at which containers reach Consul's DNS, for discovery `consul` and `static`;
        /// the node's own resolver unless given, which must then know `.consul`.
        pub dns: Option<At<String>> = "dns", "dns: 172.17.0.1";
        /// How config reaches processes: `env` (the default) or `consul`.
        pub config: Option<At<Config>> = "config", "config: consul";
        /// What a changed key in Consul, or a changed secret in a file, does to the processes that read it:
        /// `restart` (the default; all of them within seconds) or `noop` (nothing until they are
        /// restarted).
        pub on_change: Option<At<Change>> = "on-change", "on-change: noop";
        /// Where secrets are kept: `variables` (the default) or `vault`.
        pub secrets: Option<At<Store>> = "secrets", "secrets: vault";
        /// The datacenters that jobs may run in; all unless given.
        pub datacenters: Vec<At<String>> = "datacenters", "datacenters: [dc1]";
        /// The namespace of the jobs.
        pub namespace: Option<At<String>> = "namespace", "namespace: data";
        /// The region of the jobs.
        pub region: Option<At<String>> = "region", "region: europe";
        /// The node pool of the jobs.
        pub node_pool: Option<At<String>> = "node-pool", "node-pool: storage";
        /// The priority of the jobs, from 1 to 100; 50 unless given.
        pub priority: Option<At<u32>> = "priority", "priority: 70";
        /// What one processor is worth: Nomad reserves MHz. 1000 unless given.
        pub mhz: Option<At<u32>> = "mhz", "mhz: 2400";
        /// The memory of a process of which the blueprint says nothing; 512Mi unless given. Nomad
        /// runs no process without a limit.
        pub memory: Option<At<Size>> = "memory", "memory: 1Gi";
        /// Services whose replicas become a job each, instead of one job with a count: then each
        /// has the published port that the blueprint gives it, but nothing holds two of them back
        /// when all jobs are submitted at once.
        pub separate: Vec<At<String>> = "separate", "separate: [app]";
        /// Losses that are known and accepted, each with the reason: no warning is given for them where this
        /// file, or one that it includes, declares what is lost.
        pub accept: Map<Text> = "accept", "accept: { stop.before: a failover takes longer }";
        /// Laid over every job: maps merge into blocks and attributes, lists replace, null removes.
        pub patch: Option<Patch> = "patch", "patch: { meta: { team: storage } }";
    }
}

/// The settings, defaults included.
pub(super) type Settings = NomadSettings;

/// What Nomad cannot carry, by the name that `accept` takes.
pub(super) const LOSSES: [&str; 11] = [
    "build",
    "health.alive",
    "health.ready",
    "needs",
    "needs.quorum",
    "ports.publish",
    "replicas",
    "resources",
    "restart",
    "stop.before",
    "volumes.memory",
];

impl Default for Settings {
    fn default() -> Self {
        Self {
            discovery: None,
            network: None,
            dns: None,
            config: None,
            on_change: None,
            secrets: None,
            datacenters: Vec::new(),
            namespace: None,
            region: None,
            node_pool: None,
            priority: None,
            mhz: None,
            memory: None,
            separate: Vec::new(),
            accept: Map::default(),
            patch: None,
            span: Span::nowhere(),
        }
    }
}

impl Settings {
    /// How services find each other.
    pub(super) fn discovery(&self) -> Discovery {
        self.discovery.map_or(Discovery::DockerNetwork, |d| d.value)
    }

    /// Services are Consul's.
    pub(super) fn is_consul(&self) -> bool {
        matches!(self.discovery(), Discovery::Consul | Discovery::Static)
    }

    /// Containers of an allocation share a network that Nomad makes.
    pub(super) fn is_bridge(&self) -> bool {
        matches!(self.discovery(), Discovery::Consul | Discovery::Nomad)
    }

    /// Config comes from Consul's KV store.
    pub(super) fn is_kv(&self) -> bool {
        self.config.is_some_and(|c| c.value == Config::Consul)
    }

    /// A change in a store restarts nothing.
    pub(super) fn is_noop(&self) -> bool {
        self.on_change.is_some_and(|c| c.value == Change::Noop)
    }

    /// Secrets are kept in Vault.
    pub(super) fn is_vault(&self) -> bool {
        self.secrets.is_some_and(|s| s.value == Store::Vault)
    }

    /// What one processor is worth.
    pub(super) fn mhz(&self) -> u64 {
        self.mhz.map_or(1000, |m| u64::from(m.value))
    }

    /// The memory of a process of which nothing is said.
    pub(super) fn memory(&self) -> u64 {
        self.memory.map_or(512 << 20, |m| m.value.0)
    }

    /// Checks what can be told from the settings alone.
    pub(super) fn check(&self, problems: &mut Problems) {
        if let Some(priority) = self.priority.filter(|p| !(1..=100).contains(&p.value)) {
            problems.add(
                Problem::error(
                    "wrong-value",
                    format!("`{}` is no priority", priority.value),
                )
                .at(priority.span)
                .label("expected a number from 1 to 100"),
            );
        }
        if let Some(mhz) = self.mhz.filter(|m| m.value == 0) {
            problems.add(
                Problem::error("wrong-value", "a processor is worth some MHz")
                    .at(mhz.span)
                    .label("expected a number above 0"),
            );
        }
        if let Some(dns) = &self.dns
            && dns.value.parse::<std::net::IpAddr>().is_err()
        {
            problems.add(
                Problem::error("wrong-value", format!("`{}` is no address", dns.value))
                    .at(dns.span)
                    .label("expected an IP address such as 172.17.0.1"),
            );
        }
        let is_word = |c: char| c.is_ascii_alphanumeric() || c == '-';
        let mut name = |value: &At<String>, what: &str, more: &[char], expected: &str| {
            let text = &value.value;
            let allowed = |c: char| is_word(c) || more.contains(&c);
            if text.is_empty() || text.len() > 128 || !text.chars().all(allowed) {
                problems.add(
                    Problem::error("wrong-value", format!("`{text}` is no {what}"))
                        .at(value.span)
                        .label(format!("expected {expected}, at most 128 characters")),
                );
            }
        };
        if let Some(namespace) = &self.namespace {
            name(namespace, "namespace", &[], "letters, digits and dashes");
        }
        if let Some(pool) = &self.node_pool {
            name(pool, "node pool", &['_'], "letters, digits, `_` and dashes");
        }
        if let Some(region) = &self.region {
            let expected = "letters, digits, `_`, `.` and dashes";
            name(region, "region", &['_', '.'], expected);
        }
        for datacenter in &self.datacenters {
            // `*` stands for any characters.
            let expected = "letters, digits, `_`, `.`, `*` and dashes";
            name(datacenter, "datacenter", &['_', '.', '*'], expected);
        }
        if let Some(network) = &self.network {
            let named = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '-');
            let first = network
                .value
                .starts_with(|c: char| c.is_ascii_alphanumeric());
            if !first || !network.value.chars().all(named) {
                problems.add(
                    Problem::error(
                        "invalid-name",
                        format!("`{}` can't be a Docker network", network.value),
                    )
                    .at(network.span)
                    .label("expected letters, digits, `_`, `.` and `-`"),
                );
            }
        }
    }
}
