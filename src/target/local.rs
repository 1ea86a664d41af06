//! A cluster on this machine: what runs it, in words that a target knows and nobody else.
//!
//! Owns no process: the commands are given and their answers are read here, `command` runs them.

use camino::Utf8Path;

use crate::blueprint::At;

/// What runs the files of a target on this machine.
pub trait Runner {
    /// The programs that must be there, in the order in which their lack is told.
    fn tools(&self) -> Vec<Tool>;

    /// Starts what is in a file, and comes back when the last container has been started. Relative
    /// paths in the file begin at `directory`.
    fn start(&self, project: &str, file: &Utf8Path, directory: &Utf8Path) -> Vec<String>;

    /// Ends a project and removes what it made; with `volumes` its data as well. It needs no file.
    fn end(&self, project: &str, volumes: bool) -> Vec<String>;

    /// Tells the names of all services of a file.
    fn services(&self, project: &str, file: &Utf8Path) -> Vec<String>;

    /// Tells what runs of a project.
    fn list(&self, project: &str) -> Vec<String>;

    /// Reads what [`list`](Self::list) told.
    ///
    /// # Errors
    /// What is not understood.
    fn read_list(&self, text: &str) -> Result<Vec<State>, String>;

    /// The last lines that a container said.
    fn log(&self, container: &str) -> Vec<String>;

    /// Ends with success if an image is there.
    fn has_image(&self, image: &str) -> Vec<String>;

    /// Fetches an image.
    fn pull(&self, image: &str) -> Vec<String>;

    /// Builds an image from a context.
    fn build(&self, image: &str, context: &Utf8Path) -> Vec<String>;

    /// Runs a command in a service, as a person would type it.
    fn execute(&self, project: &str, service: &str, words: &[String]) -> Vec<String>;
}

/// A program that must be there.
#[derive(Debug, Clone)]
pub struct Tool {
    /// What people call it.
    pub name: &'static str,
    /// Tells its version.
    pub version: Vec<String>,
    /// The oldest that will do.
    pub oldest: (u32, u32, u32),
    /// What to do when it is not there, or too old.
    pub get: &'static str,
    /// What to do when it is there, and fails.
    pub mend: &'static str,
}

/// One container.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// The service that it is.
    pub service: String,
    /// Its own name.
    pub container: String,
    /// How it is.
    pub phase: Phase,
    /// Ports of this machine that lead to it.
    pub ports: Vec<u16>,
}

/// How a container is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// It waits for others.
    Waiting,
    /// It runs, and its check has not passed yet.
    Starting,
    /// It runs, and its check passes.
    Healthy,
    /// It runs, and nothing checks it.
    Running,
    /// It runs, and its check fails.
    Unhealthy,
    /// It ended, and is started again.
    Restarting,
    /// It ended with this code.
    Ended(i64),
    /// Anything else.
    Other,
}

impl Phase {
    /// It does what it is to do, or has done it.
    pub fn is_good(self) -> bool {
        matches!(self, Self::Healthy | Self::Running | Self::Ended(0))
    }
}

impl std::fmt::Display for Phase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Waiting => "waiting",
            Self::Starting => "starting",
            Self::Healthy => "healthy",
            Self::Running => "running",
            Self::Unhealthy => "unhealthy",
            Self::Restarting => "restarting",
            Self::Ended(0) => "done",
            Self::Ended(code) => return write!(f, "ended with {code}"),
            Self::Other => "not running",
        })
    }
}

/// What someone can reach.
#[derive(Debug, Default)]
pub struct Reach {
    /// Images, without those that are built here.
    pub pulled: Vec<String>,
    /// Images that are built here.
    pub built: Vec<Built>,
    /// Ports of this machine.
    pub ports: Vec<Published>,
    /// Commands to begin with: the service, the words, what it shows.
    pub tries: Vec<(String, Vec<String>, Option<String>)>,
}

/// An image that is built here.
#[derive(Debug)]
pub struct Built {
    /// What it is called.
    pub image: String,
    /// The folder of its context.
    pub folder: String,
    /// The archive, or the directory, that must be in the context.
    pub archive: Option<At<String>>,
}

/// A port of this machine.
#[derive(Debug)]
pub struct Published {
    /// The container that it leads to.
    pub service: String,
    /// The port's name in the blueprint.
    pub name: String,
    /// The address that it listens on.
    pub host: String,
    /// Its number.
    pub number: u16,
    /// A browser can look at it.
    pub web: bool,
}
