//! Services and everything a service holds.

use super::config::{Config, MountedText};
use super::forms::{Command, Needs, PortForm, PortRef};
use super::read::{At, Map, Patch, Raw, Text, Texts};
use super::record::records;
use super::scalar::{
    ContainerPath, Count, Cpu, Duration, Kind, Mode, Protocol, Publish, Restart, Size, Spread,
    User, VolumeKind,
};

records! {
    /// One service: a main process, and what stands beside it.
    pub struct Service at "services.app" {
        /// What it is, for people.
        pub description: Option<At<String>> = "description", "description: Keeps the names of all files";
        /// The name of an image under `images`.
        pub image: At<String> = "image", "image: app";
        /// `service` (the default): interchangeable replicas; `ensemble`: replicas with a stable
        /// identity each; `daemon`: one on every node; `job`: runs to its end.
        pub kind: Option<At<Kind>> = "kind", "kind: ensemble";
        /// How many, from 1 (the default) to 1000.
        pub replicas: Option<At<Count>> = "replicas", "replicas: 3";
        /// Replaces the image's entrypoint; then its launcher does not run.
        pub entrypoint: Option<Command> = "entrypoint", "entrypoint: [/bin/server]";
        /// What runs, given to the image's entrypoint.
        pub command: Option<Command> = "command", "command: [hdfs, namenode]";
        /// Words added after `command`; words of plugins come first.
        pub args: Vec<Text> = "args", "args: [--verbose]";
        /// The numeric user to run as, instead of the image's.
        pub user: Option<At<User>> = "user", "user: \"1000:1000\"";
        /// The working directory.
        pub workdir: Option<At<ContainerPath>> = "workdir", "workdir: /opt/app";
        /// Environment variables.
        pub env: Texts = "env", "env: { HEAP: \"512m\" }";
        /// Config files: which groups it uses, and entries of its own, which win.
        pub config: Option<Config> = "config", "config: { use: [common], delivery: files, site.xml: { a.b: \"1\" } }";
        /// Files by path: a text, or a text with its permissions.
        pub files: Map<MountedText> = "files", "files: { /etc/motd: \"Welcome to {{ name }}\" }";
        /// Ports by name: a number, or a mapping. The name is what `address()` and `needs` take.
        pub ports: Map<PortForm> = "ports", "ports: { rpc: 8020, web: { port: 9870, publish: true } }";
        /// Volumes by name.
        pub volumes: Map<Volume> = "volumes", "volumes: { data: { path: /data, size: 10Gi } }";
        /// What must be there before it starts: `service` (ready, or ended well if it is a job) or
        /// `service.port` (the port takes connections). A list, or a mapping to how many replicas:
        /// `all`, `majority` or `any`.
        pub needs: Needs = "needs", "needs: { db.client: majority }";
        /// Steps that end before the main process starts, once per replica and start, in this
        /// order; steps of plugins come first.
        pub init: Vec<Init> = "init", "init: [{ name: prepare, command: [bin/prepare], unless: /data/ready }]";
        /// How to tell that it runs: one check, or start, ready and alive apart.
        pub health: Option<Health> = "health", "ports: { rpc: 8020 }\nhealth: { tcp: rpc }";
        /// How it ends.
        pub stop: Option<Stop> = "stop", "stop: { grace: 30s }";
        /// What happens when its process ends: `always` (the default), `on-failure` (the default
        /// of a job) or `never`.
        pub restart: Option<At<Restart>> = "restart", "restart: on-failure";
        /// Processor and memory.
        pub resources: Option<Resources> = "resources", "resources: { cpu: 0.5, memory: 1Gi }";
        /// Where it runs.
        pub placement: Option<Placement> = "placement", "placement: { spread: host }";
        /// Secrets mounted as files, by name.
        pub secrets: Map<Option<SecretMount>> = "secrets", "secrets: { token: { path: /run/secrets/token } }";
        /// It is part of the cluster only when one of these profiles is asked for: names like those of
        /// services.
        pub profiles: Vec<At<String>> = "profiles", "profiles: [monitoring]";
        /// Labels of the emitted objects.
        pub labels: Texts = "labels", "labels: { team: storage }";
        /// Plugins by name, with their parameters.
        pub plugins: Map<Option<Raw>> = "plugins", "plugins: { sleep: { seconds: 5 } }";
        /// Processes beside the main one: they share its network and its volumes.
        pub sidecars: Map<Sidecar> = "sidecars", "sidecars: { exporter: { command: [bin/export] } }";
        /// Laid over what a target emits for this service, by target: maps merge, lists replace,
        /// null removes.
        pub patch: Map<Patch> = "patch", "patch: { compose: { ulimits: { nofile: 65536 } } }";
    }

    /// A port that more is said about than its number.
    pub struct Port at "services.app.ports.rpc" {
        /// The number inside the container.
        pub port: At<u16> = "port", "port: 9870";
        /// Reachable from outside: `true` for the same number, or a number. Replica N of several
        /// gets that number plus N.
        pub publish: Option<At<Publish>> = "publish", "publish: 19870";
        /// `tcp` (the default) or `udp`.
        pub protocol: Option<At<Protocol>> = "protocol", "protocol: tcp";
    }

    /// A volume.
    pub struct Volume at "services.app.volumes.data" {
        /// Where it is mounted.
        pub path: At<ContainerPath> = "path", "path: /data";
        /// `persistent` (the default): one per replica, kept; `shared`: one for all replicas, kept;
        /// `temporary`; `memory`, which steps and sidecars share only where the target can; `host`: a
        /// directory of the node.
        pub kind: Option<At<VolumeKind>> = "kind", "kind: persistent";
        /// How much it holds.
        pub size: Option<At<Size>> = "size", "size: 10Gi";
        /// The directory of the node, for kind `host`. Make it before, for the user of the process: a
        /// platform that makes it gives it to root.
        pub source: Option<At<ContainerPath>> = "source", "kind: host\nsource: /srv/logs";
        /// Mounted read-only.
        pub readonly: Option<At<bool>> = "readonly", "readonly: true";
        /// The storage class that the platform knows.
        pub class: Option<At<String>> = "class", "class: local";
    }

    /// A step that ends before the main process starts.
    pub struct Init at "services.app.init" {
        /// Its name, unique in the service.
        pub name: At<String> = "name", "name: prepare\ncommand: [bin/prepare]";
        /// What it runs, given to the image's entrypoint: this or `script`.
        pub command: Option<Command> = "command", "name: prepare\ncommand: [bin/prepare, --now]";
        /// The text of a bash script: this or `command`. A first line of its own may say `#!/bin/bash`, without options.
        pub script: Option<Text> = "script", "name: prepare\nscript: mkdir -p /data/{{ service }}";
        /// Skip the step when this path exists.
        pub unless: Option<Text> = "unless", "name: prepare\ncommand: [bin/prepare]\nunless: /data/ready";
        /// Take the step only where this is true; it may ask for `replica`.
        pub when: Option<Text> = "when", "name: prepare\ncommand: [bin/prepare]\nwhen: \"{{ name == 'demo' }}\"";
        /// The image, instead of the service's. The service's config reaches it by its launcher, or as files where it has `conf`; an image with neither gets none.
        pub image: Option<At<String>> = "image", "name: prepare\ncommand: [bin/prepare]\nimage: app";
        /// Environment variables, added to the service's.
        pub env: Texts = "env", "name: prepare\ncommand: [bin/prepare]\nenv: { STEP: one }";
        /// The numeric user to run as.
        pub user: Option<At<User>> = "user", "name: prepare\ncommand: [bin/prepare]\nuser: \"0\"";
    }

    /// How to tell that a process runs. One check for all, or `start`, `ready` and `alive`.
    pub struct Health at "services.app.health" {
        /// A port, by name, takes connections.
        pub tcp: Option<PortRef> = "tcp", "tcp: rpc";
        /// A port answers a GET with a status from 200 to 399.
        pub http: Option<HttpCheck> = "http", "http: { port: rpc, path: /status }";
        /// A command in the container ends with 0. It does not pass the image's entrypoint.
        pub command: Option<Command> = "command", "command: [pg_isready, -q]";
        /// Time between two checks; 5s unless given.
        pub interval: Option<At<Duration>> = "interval", "tcp: rpc\ninterval: 10s";
        /// Time that one check may take; 5s unless given.
        pub timeout: Option<At<Duration>> = "timeout", "tcp: rpc\ntimeout: 3s";
        /// Failures in a row that count as one; 6 unless given.
        pub retries: Option<At<u32>> = "retries", "tcp: rpc\nretries: 3";
        /// Time that the start may take before failures count; 2m unless given.
        pub within: Option<At<Duration>> = "within", "tcp: rpc\nwithin: 5m";
        /// Says that the process has started; until then the others wait.
        pub start: Option<Check> = "start", "start: { tcp: rpc, within: 5m }";
        /// Says that it can be used.
        pub ready: Option<Check> = "ready", "ready: { tcp: rpc }";
        /// Says that it need not be restarted.
        pub alive: Option<Check> = "alive", "alive: { tcp: rpc, retries: 12 }";
    }

    /// One check.
    pub struct Check at "services.app.health.ready" {
        /// A port, by name, takes connections.
        pub tcp: Option<PortRef> = "tcp", "tcp: rpc";
        /// A port answers a GET with a status from 200 to 399.
        pub http: Option<HttpCheck> = "http", "http: { port: rpc, path: /status }";
        /// A command in the container ends with 0.
        pub command: Option<Command> = "command", "command: [pg_isready, -q]";
        /// Time between two checks.
        pub interval: Option<At<Duration>> = "interval", "tcp: rpc\ninterval: 10s";
        /// Time that one check may take.
        pub timeout: Option<At<Duration>> = "timeout", "tcp: rpc\ntimeout: 3s";
        /// Failures in a row that count as one.
        pub retries: Option<At<u32>> = "retries", "tcp: rpc\nretries: 3";
        /// Time that the start may take; for `start`.
        pub within: Option<At<Duration>> = "within", "tcp: rpc\nwithin: 5m";
    }

    /// A GET.
    pub struct HttpCheck at "services.app.health.http" {
        /// The port, by name.
        pub port: PortRef = "port", "port: rpc";
        /// The path and query; `/` unless given.
        pub path: Option<Text> = "path", "port: rpc\npath: /status";
    }

    /// How a process ends.
    pub struct Stop at "services.app.stop" {
        /// Time between the signal and the kill.
        pub grace: Option<At<Duration>> = "grace", "grace: 30s";
        /// The signal, by name; SIGTERM unless given.
        pub signal: Option<At<String>> = "signal", "signal: SIGINT";
        /// A command that runs in the container before the signal.
        pub before: Option<Command> = "before", "before: [sleep, \"5\"]";
    }

    /// Processor and memory: what is reserved, and the limits.
    pub struct Resources at "services.app.resources" {
        /// Processors reserved: a weight where a platform has no reservation.
        pub cpu: Option<At<Cpu>> = "cpu", "cpu: 0.5";
        /// Memory reserved, and the limit unless `limits` says another.
        pub memory: Option<At<Size>> = "memory", "memory: 1Gi";
        /// What it may use at most.
        pub limits: Option<Limits> = "limits", "limits: { cpu: 2, memory: 2Gi }";
    }

    /// What a process may use at most.
    pub struct Limits at "services.app.resources.limits" {
        /// Processors.
        pub cpu: Option<At<Cpu>> = "cpu", "cpu: 2";
        /// Memory.
        pub memory: Option<At<Size>> = "memory", "memory: 2Gi";
    }

    /// Where replicas run.
    pub struct Placement at "services.app.placement" {
        /// Keep the replicas apart where that is possible: `host` or `zone`.
        pub spread: Option<At<Spread>> = "spread", "spread: host";
        /// Only on nodes with these labels.
        pub nodes: Texts = "nodes", "nodes: { disk: ssd }";
        /// Near the replicas of these services where that is possible.
        pub with: Vec<At<String>> = "with", "with: [db]";
    }

    /// A secret mounted as a file.
    pub struct SecretMount at "services.app.secrets.token" {
        /// Where; `/run/secrets/NAME` unless given.
        pub path: Option<At<ContainerPath>> = "path", "path: /run/secrets/token";
        /// Permissions.
        pub mode: Option<At<Mode>> = "mode", "mode: \"0400\"";
    }

    /// A process beside the main one.
    pub struct Sidecar at "services.app.sidecars.exporter" {
        /// The image, instead of the service's.
        pub image: Option<At<String>> = "image", "image: app";
        /// Replaces the image's entrypoint.
        pub entrypoint: Option<Command> = "entrypoint", "entrypoint: [/bin/export]";
        /// What runs, given to the image's entrypoint.
        pub command: Option<Command> = "command", "command: [bin/export]";
        /// Words added after `command`.
        pub args: Vec<Text> = "args", "args: [--verbose]";
        /// The numeric user to run as.
        pub user: Option<At<User>> = "user", "user: \"1000\"";
        /// The working directory.
        pub workdir: Option<At<ContainerPath>> = "workdir", "workdir: /opt/app";
        /// Environment variables of its own.
        pub env: Texts = "env", "env: { HEAP: \"128m\" }";
        /// Config files of its own.
        pub config: Option<Config> = "config", "config: { use: [common], delivery: files }";
        /// Files by path.
        pub files: Map<MountedText> = "files", "files: { /etc/motd: Welcome }";
        /// Ports by name; they are the replica's, as the network is.
        pub ports: Map<PortForm> = "ports", "ports: { metrics: 9404 }";
        /// How to tell that it runs.
        pub health: Option<Health> = "health", "ports: { metrics: 9404 }\nhealth: { tcp: metrics }";
        /// How it ends.
        pub stop: Option<Stop> = "stop", "stop: { grace: 10s }";
        /// Processor and memory.
        pub resources: Option<Resources> = "resources", "resources: { memory: 128Mi }";
        /// Secrets mounted as files, by name.
        pub secrets: Map<Option<SecretMount>> = "secrets", "secrets: { token: null }";
        /// Mounts the service's volumes; `true` unless given.
        pub volumes: Option<At<bool>> = "volumes", "volumes: false";
        /// Shares the processes of the main container.
        pub processes: Option<At<bool>> = "processes", "processes: true";
    }
}
