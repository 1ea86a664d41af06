//! The entrypoint of a container: config files from variables, waits, preparation, and then the
//! process as it was given.
//!
//! Owns the variables that the launchers of published images read beside config (`WAITFOR`,
//! `ENSURE_NAMENODE_DIR`, and so on), their superset here, and what is done in which order. Which
//! variables are config, and what they say, is [`env`](crate::env)'s; the bytes of a file are
//! [`conffile`](crate::conffile)'s.
//!
//! [`read`] makes a [`Launch`] of an environment and touches nothing; [`describe`] puts it into words,
//! with secrets masked; [`machine`] does it. `read` may fail with all problems of the environment at
//! once, and `machine` with those of files that are there; nothing is done then. What it does then fails with
//! what the system, or a program, said.

mod agents;
mod config;
mod describe;
pub mod machine;
mod prepare;
mod secret;
mod settings;
mod words;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::time::Duration;

use camino::Utf8PathBuf;

pub use config::ConfigFile;
pub use describe::describe;
pub use prepare::{Daemon, Step};
pub use secret::masked;

use crate::env::Dialect;
use crate::problem::Problems;
use settings::Reader;

/// Variables by name: sorted, so that what is made of them does not depend on who set them.
pub type Environment = BTreeMap<String, String>;

/// Names of variables that are not all UTF-8. What is no UTF-8 of them stands in an [`Environment`] as U+FFFD.
pub type Garbled = BTreeSet<String>;

/// What is done before, for and after a process.
#[derive(Debug, Default)]
pub struct Launch {
    /// Files that are put into the directory of config files first.
    pub defaults: Defaults,
    /// The directory of config files.
    pub directory: Option<Utf8PathBuf>,
    /// Config files.
    pub files: Vec<ConfigFile>,
    /// Directories that must be writable for the process.
    pub owned: Vec<Utf8PathBuf>,
    /// Everything, from the waits on, runs as this user (uid, gid) instead of root.
    pub user: Option<(u32, u32)>,
    /// A repository to clone, and where to.
    pub clone: Option<(String, Utf8PathBuf)>,
    /// Files and archives to fetch.
    pub downloads: Vec<Download>,
    /// What must answer first.
    pub waits: Option<Waits>,
    /// A pause before the process.
    pub pause: Duration,
    /// A pause after it.
    pub pause_after: Duration,
    /// Keytabs and keystores to fetch.
    pub kerberos: Option<Kerberos>,
    /// What is prepared once in the life of a volume, in order.
    pub steps: Vec<Step>,
    /// A variable of the process, and only of it, with the options that are added to it.
    pub agents: Option<(String, String)>,
    /// Texts that agents need as files.
    pub agent_files: Vec<AgentFile>,
    /// Whether and how a process that fails soon is started again.
    pub retry: Option<Retry>,
    /// The process: program and arguments, as they were given.
    pub words: Vec<OsString>,
}

/// Where the defaults of an image are: in the first of these directories that is there.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Defaults {
    /// The directories.
    pub places: Vec<Utf8PathBuf>,
    /// One of them must be there, since it was asked for.
    pub needed: bool,
}

/// A text that an agent reads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentFile {
    /// Where it is put.
    pub path: Utf8PathBuf,
    /// Where it comes from.
    pub from: AgentText,
}

/// Where the text of an agent comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AgentText {
    /// A variable has it.
    Here(String),
    /// It is fetched.
    Fetched(Download),
}

/// Something that must answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Endpoint {
    /// It takes a connection: host and port.
    Tcp(String, u16),
    /// It answers a GET with success.
    Http(String),
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp(host, port) if host.contains(':') => write!(f, "[{host}]:{port}"),
            Self::Tcp(host, port) => write!(f, "{host}:{port}"),
            Self::Http(url) => f.write_str(url),
        }
    }
}

/// What must answer before the process starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waits {
    /// All of them are tried at once.
    pub endpoints: Vec<Endpoint>,
    /// How many must answer.
    pub count: usize,
    /// After this long the start fails.
    pub limit: Duration,
}

/// Something that is fetched by HTTP.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Download {
    /// Where it is.
    pub url: String,
    /// What proves that it is the right one.
    pub digest: Option<Digest>,
    /// The file it becomes, or the directory that the archive is unpacked to.
    pub to: Utf8PathBuf,
    /// It is a tar archive whose one directory becomes `to`.
    pub unpack: bool,
}

/// A digest in lower-case hexadecimal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Digest {
    /// SHA-256.
    Sha256(String),
    /// SHA-512.
    Sha512(String),
}

/// What an issuer of keytabs is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Kerberos {
    /// The host of the key distribution centre.
    pub server: String,
    /// The realm.
    pub realm: String,
    /// `host:port` of the issuer.
    pub issuer: String,
    /// Where keytabs and keystores are put.
    pub directory: Utf8PathBuf,
    /// Services with a keytab for this host.
    pub keytabs: Vec<String>,
    /// Keystores; with any of them also this host's, and the truststore.
    pub keystores: Vec<String>,
    /// `krb5.conf`, which names server and realm.
    pub settings: Utf8PathBuf,
    /// After this long the start fails.
    pub limit: Duration,
}

/// How a process that fails is started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retry {
    /// How often it is started at most.
    pub times: u32,
    /// A run that lasted this long was a normal one, and ends the launcher with it.
    pub normal: Duration,
    /// The pause after the first run; after the sixth and all later ones it is six times as long.
    pub pause: Duration,
}

/// Choices of the command line, which count before variables.
#[derive(Debug, Clone, Default)]
pub struct Choices {
    /// The convention of the variables.
    pub dialect: Option<Dialect>,
    /// The directory of config files.
    pub directory: Option<Utf8PathBuf>,
}

/// What this environment asks for; `None` when a problem with it was reported.
pub fn read(
    words: Vec<OsString>,
    env: &Environment,
    garbled: &Garbled,
    choices: &Choices,
    problems: &mut Problems,
) -> Option<Launch> {
    let before = problems.errors();
    let mut reader = Reader::new(env, garbled, problems);
    reader.unknown_names();
    let dialect = choices.dialect.or_else(|| reader.dialect());
    if reader.errors() > before {
        // In another convention the rest would mean something else.
        return None;
    }
    let dialect = dialect.unwrap_or(Dialect::Launch);
    let found = config::read(dialect, choices.directory.as_ref(), &mut reader);
    let root = found.directory.clone();
    let (agents, agent_files) = agents::read(&words, &mut reader);
    let launch = Launch {
        defaults: found.defaults,
        directory: found.directory,
        files: found.files,
        owned: reader.owned(),
        user: reader.user(),
        clone: reader
            .text("GIT_CLONE")
            .map(|url| (url.to_owned(), "/tmp".into())),
        downloads: reader.downloads(),
        waits: reader.waits(dialect),
        pause: reader.duration("SLEEP_SECONDS", Duration::ZERO),
        pause_after: reader.duration("SLEEP_AFTER_SECONDS", Duration::ZERO),
        kerberos: reader.kerberos(dialect, root.as_deref()),
        steps: prepare::read(root.as_deref(), &mut reader),
        agents,
        agent_files,
        retry: reader.retry(),
        words,
    };
    reader.not_there();
    reader.not_readable();
    (problems.errors() == before).then_some(launch)
}
