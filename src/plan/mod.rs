//! What runs, as plain text for one target: [`Plan`].
//!
//! Owns the evaluation of every value with the target's names ([`Addressing`]), what differs per
//! replica ([`Each`]), config as (file, format, key, value) to the very end, and how it reaches
//! the process ([`Deliverer`]). Knows no target: a target's names come in through the trait, its
//! way of writing begins in its own `lower`.
//! May fail with all problems of values at once: templates, names, what a launcher would corrupt.

mod across;
mod addressing;
mod build;
mod config;
mod container;
mod context;
mod deliver;
mod evaluate;
pub mod fields;
mod mounts;
pub mod shell;
mod steps;
mod value;

use std::sync::Arc;

pub use across::{Across, FileOfAll, VariableOfAll, words_of_all};
pub use addressing::{Addressing, Member};
pub use build::build;
pub use config::path as config_path;
pub use deliver::{Delivered, Deliverer, MAX_VARIABLE, Mounted, Variable, words};
pub use shell::{is_identifier, quote};
pub use value::{Each, Part, Slot, Value};

use crate::blueprint::{
    Argv, Cpu, Delivery, Duration, Entrypoint, Kind, Mode, Protocol, Quorum, Restart, Shell, Size,
    Spread, User, VolumeKind,
};
use crate::env::{Dialect, Format};
use crate::problem::Span;
use crate::yaml::Node;

/// Is a problem of this stage one of its own, whatever was wrong with services, ports and kinds?
pub fn is_independent(problem: &crate::problem::Problem) -> bool {
    const OWN: [&str; 6] = [
        "duplicate-key",
        "health",
        "invalid-name",
        "secret",
        "undefined",
        "wrong-value",
    ];
    OWN.contains(&problem.code)
        || (problem.code == "template" && !problem.message.starts_with(context::UNNAMED))
}

/// A cluster for one target.
#[derive(Debug)]
pub struct Plan {
    /// Its name.
    pub name: String,
    /// What it is.
    pub description: Option<String>,
    /// Services in the order of the blueprint.
    pub services: Vec<Service>,
    /// Secrets that something uses.
    pub secrets: Vec<Secret>,
    /// All images in the order of the blueprint, used by a service or not.
    pub images: Vec<Arc<Image>>,
    /// Commands to begin with.
    pub tries: Vec<Try>,
}

/// A command to begin with.
#[derive(Debug)]
pub struct Try {
    /// The position of the service it runs in.
    pub service: usize,
    /// Its words.
    pub words: Words,
    /// What it shows.
    pub about: Option<String>,
}

/// Where a secret's value comes from.
#[derive(Debug, Clone)]
pub struct Secret {
    /// Its name in the blueprint.
    pub name: Arc<str>,
    /// Its source.
    pub source: SecretSource,
    /// Where it is declared.
    pub span: Span,
}

/// The one source of a secret.
#[derive(Debug, Clone)]
pub enum SecretSource {
    /// A file, relative to what is emitted.
    File(String),
    /// A variable of whoever deploys.
    Env(String),
    /// Known to the platform by this name.
    External(String),
}

/// An image and its facts, defaults filled in.
#[derive(Debug, Clone)]
pub struct Image {
    /// Its name in the blueprint.
    pub name: Arc<str>,
    /// Where that stands.
    pub span: Span,
    /// What is pulled.
    pub reference: String,
    /// The launcher inside.
    pub launcher: Dialect,
    /// The numeric user it runs as.
    pub user: Option<User>,
    /// The directory of its config files.
    pub conf: Option<String>,
    /// The shell it has.
    pub shell: Shell,
    /// What runs its entrypoint.
    pub entrypoint: Entrypoint,
    /// What its entrypoint does with the command's words.
    pub argv: Argv,
    /// Directories it makes itself with the right owner.
    pub owns: Vec<String>,
    /// Files its entrypoint rewrites.
    pub rewrites: Vec<String>,
    /// Why it needs root.
    pub root: Option<String>,
    /// How it is built, when the blueprint says so.
    pub build: Option<crate::blueprint::Build>,
}

impl Image {
    /// Where flokkr is in the images that it launches.
    pub const LAUNCHER: &str = "/usr/local/bin/flokkr";

    /// The entrypoint of the image, which is known when it is built.
    pub fn built_entrypoint(&self) -> Option<Vec<String>> {
        let build = self.build.as_ref()?;
        if self.launches() {
            let words = [Self::LAUNCHER, "launch", "--"];
            return Some(words.map(str::to_owned).to_vec());
        }
        let words = build.entrypoint.as_ref()?;
        Some(words.iter().map(|word| word.value.clone()).collect())
    }

    /// Whether flokkr itself is the entrypoint of the image that is built.
    pub fn launches(&self) -> bool {
        self.build.as_ref().is_some_and(|build| {
            let usual = self.launcher == Dialect::Launch && build.entrypoint.is_none();
            build.launch.map_or(usual, |launch| launch.value)
        })
    }
}

/// One service.
#[derive(Debug)]
pub struct Service {
    /// Its name.
    pub name: Arc<str>,
    /// Where its name stands.
    pub span: Span,
    /// What it is, for people.
    pub description: Option<String>,
    /// How its processes are run.
    pub kind: Kind,
    /// How many; 1 for a daemon.
    pub replicas: u32,
    /// The main process.
    pub main: Container,
    /// Steps before it, in order.
    pub inits: Vec<Init>,
    /// Processes beside it.
    pub sidecars: Vec<Sidecar>,
    /// Ports of the replica: the main container's and the sidecars'.
    pub ports: Vec<Port>,
    /// Its volumes.
    pub volumes: Vec<Volume>,
    /// What must be there first.
    pub needs: Vec<Need>,
    /// What happens when the main process ends.
    pub restart: Restart,
    /// Where it runs.
    pub placement: Option<Placement>,
    /// There only with one of these.
    pub profiles: Vec<String>,
    /// Labels of the emitted objects.
    pub labels: Vec<Label>,
    /// Laid over what is emitted, by target.
    pub patches: Vec<(Arc<str>, Node)>,
}

/// One process with all that it sees.
#[derive(Debug, Clone)]
pub struct Container {
    /// The service's, step's or sidecar's name.
    pub name: Arc<str>,
    /// Where that stands.
    pub span: Span,
    /// Its image.
    pub image: Arc<Image>,
    /// Replaces the image's entrypoint.
    pub entrypoint: Option<Words>,
    /// What the image's entrypoint is given; absent, the image's own command runs.
    pub command: Option<Words>,
    /// Runs as this user instead of the image's.
    pub user: Option<User>,
    /// The working directory.
    pub workdir: Option<String>,
    /// Environment variables, config not among them.
    pub env: Vec<EnvEntry>,
    /// Config files.
    pub config: Vec<ConfigFile>,
    /// Files.
    pub files: Vec<File>,
    /// Secrets mounted as files.
    pub secrets: Vec<SecretMount>,
    /// How to tell that it runs.
    pub health: Option<Health>,
    /// How it ends.
    pub stop: Stop,
    /// Processor and memory.
    pub resources: Resources,
}

/// A label.
#[derive(Debug, Clone)]
pub struct Label {
    /// Its name.
    pub key: Arc<str>,
    /// Its value.
    pub value: Slot,
    /// Where the name stands.
    pub span: Span,
}

/// Words of a command, with the place of their list.
#[derive(Debug, Clone)]
pub struct Words {
    /// The words; an omitted one is left out.
    pub words: Vec<Slot>,
    /// Where each stands; none for words that no blueprint has.
    pub spans: Vec<Span>,
    /// The list.
    pub span: Span,
}

impl Words {
    /// Words that flokkr itself runs, for what stands at this place.
    pub fn own(words: &[&str], span: Span) -> Self {
        let slot = |word: &&str| Each::Same(Some(Value::new(*word)));
        Self {
            words: words.iter().map(slot).collect(),
            spans: Vec::new(),
            span,
        }
    }

    /// Where a word stands, else the list.
    pub fn span_of(&self, at: usize) -> Span {
        self.spans.get(at).copied().unwrap_or(self.span)
    }

    /// The words with their places.
    pub fn placed(&self) -> impl Iterator<Item = (&Slot, Span)> {
        let spans = self.spans.iter().copied();
        self.words
            .iter()
            .zip(spans.chain(std::iter::repeat(self.span)))
    }
}

/// An environment variable.
#[derive(Debug, Clone)]
pub struct EnvEntry {
    /// Its name.
    pub name: Arc<str>,
    /// Its value.
    pub value: Slot,
    /// Where the name stands.
    pub span: Span,
    /// Where the value stands.
    pub value_span: Span,
}

/// One config file of one container.
#[derive(Debug, Clone)]
pub struct ConfigFile {
    /// `core-site.xml`, or an absolute path.
    pub name: Arc<str>,
    /// The format that the blueprint gives (`name!format`); else the extension tells.
    pub format: Option<Format>,
    /// How it reaches the process.
    pub delivery: Delivery,
    /// Keys and values, in order. Containers with the same config share them.
    pub entries: Arc<Vec<ConfigEntry>>,
    /// Some value differs from replica to replica.
    pub differs: bool,
    /// Where its name stands.
    pub span: Span,
}

/// One key of a config file.
#[derive(Debug, Clone)]
pub struct ConfigEntry {
    /// The key.
    pub key: Arc<str>,
    /// Its value; none for replicas that do not have the key.
    pub value: Slot,
    /// Where the value stands.
    pub span: Span,
    /// The group that it comes from.
    pub group: Option<Arc<str>>,
    /// Where the values stand that it replaces, of groups used before: the last one first.
    pub over: Vec<Span>,
}

/// A file with its text.
#[derive(Debug, Clone)]
pub struct File {
    /// Where it is mounted.
    pub path: String,
    /// Its text.
    pub content: Slot,
    /// Its permissions.
    pub mode: Mode,
    /// Where its path stands.
    pub span: Span,
}

/// A secret mounted as a file.
#[derive(Debug, Clone)]
pub struct SecretMount {
    /// Its name.
    pub secret: Arc<str>,
    /// Where it is mounted.
    pub path: String,
    /// Permissions.
    pub mode: Option<Mode>,
    /// Where it is asked for.
    pub span: Span,
}

/// A step before the main process.
#[derive(Debug)]
pub struct Init {
    /// What runs. A script is among its files already.
    pub container: Container,
    /// The replicas that take the step.
    pub when: Each<bool>,
}

/// A process beside the main one.
#[derive(Debug)]
pub struct Sidecar {
    /// What runs.
    pub container: Container,
    /// Mounts the service's volumes.
    pub volumes: bool,
    /// Shares the main container's processes.
    pub processes: bool,
}

/// A port of a replica.
#[derive(Debug, Clone)]
pub struct Port {
    /// Its name.
    pub name: Arc<str>,
    /// Its number in the container.
    pub number: u16,
    /// Published on this number (of replica 0).
    pub publish: Option<u16>,
    /// Transport.
    pub protocol: Protocol,
    /// The sidecar that listens on it, if it is not the main process.
    pub sidecar: Option<Arc<str>>,
    /// Where it stands.
    pub span: Span,
}

/// A volume.
#[derive(Debug, Clone)]
pub struct Volume {
    /// Its name in the service.
    pub name: Arc<str>,
    /// Where it is mounted.
    pub path: String,
    /// What it is made of.
    pub kind: VolumeKind,
    /// How much it holds.
    pub size: Option<Size>,
    /// The directory of the node, for kind `host`.
    pub source: Option<String>,
    /// Mounted read-only.
    pub readonly: bool,
    /// Storage class or driver.
    pub class: Option<String>,
    /// Where it stands.
    pub span: Span,
}

/// Something that must be there first.
#[derive(Debug, Clone)]
pub struct Need {
    /// The service.
    pub service: Arc<str>,
    /// The port that must take connections: name and number.
    pub port: Option<(Arc<str>, u16)>,
    /// How many replicas of it.
    pub quorum: Quorum,
    /// Where it stands.
    pub span: Span,
}

/// How to tell that a process runs.
#[derive(Debug, Clone)]
pub struct Health {
    /// It has started.
    pub start: Option<Check>,
    /// It can be used.
    pub ready: Option<Check>,
    /// It need not be restarted.
    pub alive: Option<Check>,
    /// `start`, `ready` and `alive` were written apart; else all three are the same check.
    pub apart: bool,
    /// Where it stands.
    pub span: Span,
}

impl Health {
    /// The check that says that the process can be used: ready, else the nearest to it.
    pub fn usable(&self) -> Option<&Check> {
        let Self {
            start,
            ready,
            alive,
            ..
        } = self;
        ready.as_ref().or(start.as_ref()).or(alive.as_ref())
    }
}

/// One check.
#[derive(Debug, Clone)]
pub struct Check {
    /// What is tried.
    pub probe: Probe,
    /// Time between two tries.
    pub interval: Duration,
    /// Time for one try.
    pub timeout: Duration,
    /// Failures in a row that count as one.
    pub retries: u32,
    /// Time for the start.
    pub within: Duration,
    /// Where it stands.
    pub span: Span,
}

/// What a check tries.
#[derive(Debug, Clone)]
pub enum Probe {
    /// A connection to a port: name and number.
    Tcp(Arc<str>, u16),
    /// A GET: port name, number, path.
    Http(Arc<str>, u16, Slot),
    /// A command in the container.
    Command(Words),
}

/// How a process ends.
#[derive(Debug, Clone, Default)]
pub struct Stop {
    /// Time between signal and kill.
    pub grace: Option<Duration>,
    /// The signal.
    pub signal: Option<String>,
    /// A command before the signal.
    pub before: Option<Words>,
}

/// Processor and memory.
#[derive(Debug, Clone, Copy, Default)]
pub struct Resources {
    /// Processors reserved.
    pub cpu: Option<Cpu>,
    /// Memory reserved.
    pub memory: Option<Size>,
    /// Processors at most.
    pub cpu_limit: Option<Cpu>,
    /// Memory at most.
    pub memory_limit: Option<Size>,
}

/// Where replicas run.
#[derive(Debug, Clone)]
pub struct Placement {
    /// Kept apart by.
    pub spread: Option<Spread>,
    /// Only on nodes with these labels.
    pub nodes: Vec<(Arc<str>, Slot)>,
    /// Near these services.
    pub with: Vec<String>,
    /// Where it stands.
    pub span: Span,
}
