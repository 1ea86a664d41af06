//! flokkr reads one declarative blueprint of a big-data cluster and emits what a platform runs.
//!
//! # The way through the house
//!
//! ```text
//! text ─yaml→ Node ─resolve→ Cluster ─plan→ Plan ─target→ typed model ─emit→ File ─→ workspace, stdout or diff
//! ```
//!
//! - [`problem`]: what is wrong and where; every stage reports through it.
//! - [`yaml`]: text to a tree that knows its places.
//! - [`template`]: the one strict template engine.
//! - [`conffile`] and [`env`](mod@env): config files, and the ENV convention of launchers, both ways.
//! - [`blueprint`]: the language, declared once as types.
//! - [`resolve`]: layers, variables, plugins and references: a [`resolve::Cluster`].
//! - [`plan`]: every value as text for one target's names: a [`plan::Plan`].
//! - [`emit`]: writers that know a syntax and no domain.
//! - [`file`](mod@file): a file before it is written.
//! - [`target`]: one folder per platform: a plan becomes its typed model, then text.
//! - [`diff`]: what differs from what is there.
//! - [`library`]: embedded blueprints and plugins.
//! - [`workspace`]: the only module that touches files where a command is typed.
//! - [`launch`]: the entrypoint of a container, which does I/O as well.
//! - [`explain`]: what the processes of a plan are given, and where it comes from.
//! - [`machine`]: programs and ports of this machine, for the commands that run a cluster here.
//! - [`pipeline`], [`cli`], [`command`]: the stages in a row, the words typed, the commands.
//!
//! # What holds everywhere
//!
//! - A stage imports only those before it; no target imports another, and no target is named
//!   outside of its folder and the list in [`target`].
//! - The core does no I/O and does not print; the same blueprint gives the same bytes.
//! - Whatever a source type holds is taken apart without `..` where it becomes the next stage's
//!   type, so a new field does not compile until its fate is decided.
//! - A problem does not end a stage: all problems of a run are reported together.

pub mod blueprint;
pub mod cli;
pub mod command;
pub mod conffile;
pub mod diff;
pub mod emit;
pub mod env;
pub mod explain;
pub mod file;
pub mod launch;
pub mod library;
pub mod machine;
pub mod pipeline;
pub mod plan;
pub mod problem;
pub mod resolve;
pub mod target;
pub mod template;
pub mod workspace;
pub mod yaml;
