//! What is said about the processes of a cluster, in terms that all platforms share.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use flokkr::blueprint::Argv;
use flokkr::env::Dialect;
use flokkr::plan::{Plan, SecretSource};

use super::shell;

/// Everything that runs.
pub type Cluster = BTreeMap<Place, Process>;

/// Where a process runs.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    pub service: String,
    pub replica: u32,
    pub role: Role,
}

/// What a process is to its replica.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    Main,
    Step(String),
    Sidecar(String),
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            service,
            replica,
            role,
        } = self;
        write!(f, "{service}[{replica}]")?;
        match role {
            Role::Main => Ok(()),
            Role::Step(name) => write!(f, " step {name}"),
            Role::Sidecar(name) => write!(f, " sidecar {name}"),
        }
    }
}

/// One process and what it sees.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Process {
    pub image: String,
    pub line: Line,
    /// The target's script runs the words itself: no entrypoint of an image evaluates them.
    pub plain: bool,
    pub environment: BTreeMap<String, String>,
    /// Variables that look like the target's own, which carry others.
    pub carriers: BTreeSet<String>,
    /// Texts by path.
    pub files: BTreeMap<String, String>,
    /// Secrets by the path that they are mounted at.
    pub secrets: BTreeMap<String, String>,
    /// Paths of volumes.
    pub volumes: BTreeSet<String>,
    pub workdir: Option<String>,
    /// None where nothing is said, so that the image decides.
    pub user: Option<String>,
}

/// What is run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    /// The image's entrypoint is replaced: the words are the whole line.
    pub whole: bool,
    /// Absent, the image's own.
    pub words: Option<Vec<String>>,
}

/// A secret, where its bytes will stand.
pub fn secret(name: &str) -> String {
    format!("\0secret {name}\0")
}

impl Line {
    /// A line of what replaces the entrypoint and what it is given. Where the image's entrypoint
    /// runs, no words are the image's own.
    pub fn new(entrypoint: Option<Vec<String>>, command: Option<Vec<String>>) -> Self {
        match entrypoint {
            None => Self {
                whole: false,
                words: command.filter(|words| !words.is_empty()),
            },
            Some(mut words) => {
                words.extend(command.unwrap_or_default());
                Self {
                    whole: true,
                    words: Some(words),
                }
            }
        }
    }
}

impl Process {
    /// Takes the ways of targets out: what is carried by scripts, quotes or `env` stands plain.
    pub fn settle(&mut self, facts: &Facts) {
        if self.user == facts.user {
            // Said or not, it is the image's.
            self.user = None;
        }
        let plain = std::mem::take(&mut self.plain);
        if facts.argv == Argv::Eval && !self.line.whole && !plain {
            self.evaluate();
        }
        self.read_script();
        self.take_env();
    }

    /// The image's entrypoint evaluates its words in a shell.
    fn evaluate(&mut self) {
        if let Some(words) = self.line.words.as_mut().filter(|w| !w.is_empty()) {
            *words = shell::words(&format!("exec {}\n", words.join(" ")), &[]);
        }
    }

    /// A mounted script that is nothing but a command stands for the command.
    fn read_script(&mut self) {
        let Some([bash, path]) = self.line.words.as_deref() else {
            return;
        };
        let (bash, path) = (bash.clone(), path.clone());
        let script = self.files.get(&path).filter(|_| bash == "bash");
        let body = script.and_then(|text| text.strip_prefix("#!/bin/bash\n"));
        if let Some(body) = body
            && body.starts_with("exec ")
            && path.starts_with("/flokkr/")
        {
            let words = shell::words(body, &[]);
            self.line.words = Some(words);
            self.files.remove(&path);
        }
    }

    /// `env NAME=VALUE... command` is the command with these variables.
    fn take_env(&mut self) {
        let Some(words) = self.line.words.as_mut().filter(|_| self.line.whole) else {
            return;
        };
        while words.first().is_some_and(|w| w == "env") {
            let from = 1 + usize::from(words.get(1).is_some_and(|w| w == "--"));
            let is_set = |w: &&String| w.contains('=') && (from == 2 || !w.starts_with('-'));
            let count = words[from..].iter().take_while(is_set).count();
            if count == 0 && words.get(from).is_some_and(|w| w.starts_with('-')) {
                // An option: this is another command than the plan's.
                return;
            }
            for word in words.drain(..from + count).skip(from) {
                let (name, value) = word.split_once('=').unwrap();
                self.environment.insert(name.to_owned(), value.to_owned());
            }
        }
    }

    /// Changes every text in it.
    pub fn map(&self, change: &dyn Fn(&str) -> String) -> Self {
        let texts = |map: &BTreeMap<String, String>| {
            let pairs = map.iter().map(|(k, v)| (change(k), change(v)));
            pairs.collect()
        };
        let words = self.line.words.as_ref();
        Self {
            line: Line {
                whole: self.line.whole,
                words: words.map(|words| words.iter().map(|w| change(w)).collect()),
            },
            environment: texts(&self.environment),
            files: texts(&self.files),
            workdir: self.workdir.as_deref().map(change),
            ..self.clone()
        }
    }
}

/// What a reader must know of the blueprint: the names of things, and no values.
pub struct Outline {
    pub services: Vec<Names>,
    secrets: Vec<(String, SecretSource)>,
}

/// The names in a service.
pub struct Names {
    pub service: String,
    pub steps: Vec<String>,
    pub sidecars: Vec<String>,
}

/// What says how texts of a container are to be read.
#[derive(Debug, Clone)]
pub struct Facts {
    pub launcher: Dialect,
    pub argv: Argv,
    /// The user of the image.
    pub user: Option<String>,
}

impl Outline {
    pub fn new(plan: &Plan) -> Self {
        let services = plan.services.iter().map(|service| {
            let steps = service.inits.iter().map(|i| &i.container);
            let sidecars = service.sidecars.iter().map(|s| &s.container);
            Names {
                service: service.name.to_string(),
                steps: steps.map(|c| c.name.to_string()).collect(),
                sidecars: sidecars.map(|c| c.name.to_string()).collect(),
            }
        });
        let secrets = plan.secrets.iter();
        Self {
            services: services.collect(),
            secrets: secrets
                .map(|s| (s.name.to_string(), s.source.clone()))
                .collect(),
        }
    }

    /// The first secret that is this one: two of one source are the same.
    pub fn secret(&self, is: impl Fn(&str, &SecretSource) -> bool) -> Option<&str> {
        let mut secrets = self.secrets.iter();
        let found = secrets.find(|(name, source)| is(name, source));
        found.map(|(name, _)| name.as_str())
    }

    /// The first secret that has the source of this one.
    pub fn same_secret(&self, name: &str) -> &str {
        let source = self.secrets.iter().find(|(n, _)| n == name);
        let source = source.map(|(_, source)| format!("{source:?}"));
        let found = self.secret(|_, s| Some(format!("{s:?}")) == source);
        found.unwrap_or_else(|| panic!("there is no secret {name}"))
    }
}

/// The name in the blueprint: one that another container had already is numbered.
pub fn known(name: &str, names: &[String]) -> String {
    let numbered = || {
        let (start, number) = name.rsplit_once('-')?;
        let is_number = number.parse::<u32>().is_ok();
        names.iter().find(|n| *n == start && is_number)
    };
    let found = names.iter().find(|n| *n == name).or_else(numbered);
    let found = found.unwrap_or_else(|| panic!("nobody asked for the container {name}"));
    found.clone()
}
