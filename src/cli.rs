//! What is typed: the commands and their flags, and nothing that they do.

use std::ffi::OsString;

use camino::Utf8PathBuf;
use clap::error::{ContextKind, ContextValue};
use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use crate::problem::did_you_mean;

const EXAMPLES: &str = "\
Examples:
  flokkr gen compose hdfs-ha -o out          a library blueprint as a Compose file in out/
  flokkr gen compose --set datanodes=5       ./blueprint.yaml with another value, to standard output
  flokkr gen compose -o out --check          does out/ match the blueprint? 0 same, 1 drift, 2 error
  flokkr diff compose hdfs-ha out            what differs, file by file
  flokkr explain hdfs-ha namenode            what a process is given, and where each value comes from
  flokkr init --from hdfs                    a blueprint of your own to start from

Exit codes: 0 done or same, 1 drift (diff, gen --check), 2 error; on an error nothing is written.";

/// One blueprint of a big-data cluster, emitted for the platform that runs it.
#[derive(Debug, Parser)]
#[command(name = "flokkr", version, after_help = EXAMPLES, max_term_width = 100)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,

    /// How problems are reported on standard error: text, or one JSON object a line.
    #[arg(long, global = true, value_enum, default_value_t = MessageFormat::Text)]
    pub message_format: MessageFormat,
}

/// How problems are reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum MessageFormat {
    /// For people.
    Text,
    /// For tools.
    Json,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Emit the files of a cluster for a target
    #[command(after_help = "\
Examples:
  flokkr gen compose hdfs -o out
  flokkr gen compose -f cluster.yaml --values prod.yaml --set datanodes=5 -o out --overwrite
  flokkr gen all hdfs-ha -o out              one folder per target below out/

Without -o the files go to standard output. A directory keeps a list of what flokkr wrote
(.flokkr): a file that is not on it, or was edited since, is never touched.")]
    Gen(Gen),
    /// Compare a blueprint with what is there: 0 same, 1 drift, 2 error
    #[command(after_help = "\
Examples:
  flokkr diff compose hdfs-ha out            a library blueprint with a directory
  flokkr diff compose out                    ./blueprint.yaml with a directory
  flokkr diff compose -f c.yaml compose.yaml a blueprint with one file
  cat compose.yaml | flokkr diff compose -   ./blueprint.yaml with standard input

Whatever `gen` wrote or printed can be compared, with --single-file or without.")]
    Diff(Diff),
    /// Validate a blueprint for one target, or for all
    #[command(after_help = "\
Examples:
  flokkr check                               ./blueprint.yaml for all targets
  flokkr check compose hdfs-ha --set datanodes=5")]
    Check(Check),
    /// Show what a process is given, and where each value comes from
    #[command(after_help = "\
Examples:
  flokkr explain                             ./blueprint.yaml: its services in order of start
  flokkr explain namenode                    a service of ./blueprint.yaml: its replica 0
  flokkr explain hdfs-ha namenode-1          replica 1 of a service of a library blueprint
  flokkr explain -f hdfs-ha namenode.zkfc --target kubernetes
  flokkr explain hdfs-ha --format json       every container of every replica, for tools

A place is FILE:LINE, or :LINE in the text that has the service. A variable has the place of its
value: the default, a values file, or --set. docs/explain.md has the keys of the JSON.")]
    Explain(Explain),
    /// Run a cluster on this machine: emit, build what is needed, start, wait until it is healthy
    #[command(after_help = "\
Examples:
  flokkr up hdfs-ha                          a library blueprint
  flokkr up -f cluster.yaml --set datanodes=5
  flokkr status hdfs-ha
  flokkr down hdfs-ha                        its data stays; --volumes removes it as well

The files are in a directory of their own (--state), so that `down` needs no blueprint. Run it again after
a change: only what changed is started anew.")]
    Up(Up),
    /// End a cluster that `up` started
    Down(Down),
    /// Show what runs of the clusters that `up` started
    Status(Status),
    /// Be the entrypoint of a container: config files from variables, waits, preparation, the process
    #[command(after_help = "\
Examples:
  ENTRYPOINT [\"/usr/local/bin/flokkr\", \"launch\", \"--\"]
  flokkr launch --dry-run -- hdfs namenode   what would be written and run, secrets masked

docs/launch.md has the variables. The exit code is the process's own; 2: the environment is refused, and
nothing was done; 126, 127: the program can't be run, is not there; 1: something before it failed.")]
    Launch(Launch),
    /// Write a commented blueprint.yaml to start from
    Init(Init),
    /// Show the blueprints, plugins and targets there are
    List,
    /// Show what each target does for a blueprint's fields
    #[command(after_help = "\
Examples:
  flokkr targets                             ./blueprint.yaml
  flokkr targets hdfs-ha

native: the platform has it. emulated: something else of the same effect. left out: not there, with a
warning unless it is accepted. refused: the target gives no files for this blueprint.")]
    Targets(Targets),
    /// Print the JSON Schema of blueprints, or of plugins
    Schema(Schema),
    /// Print completions for a shell
    Completions {
        /// The shell.
        shell: Shell,
    },
}

/// Which blueprint, and with which values.
#[derive(Debug, Clone, Default, Args)]
pub struct Input {
    /// A blueprint: a file, a folder that has one, `-` for standard input, or a name of the library
    #[arg(short, long, value_name = "FILE|NAME")]
    pub file: Option<String>,
    /// Values of variables, from a YAML file; a later file wins
    #[arg(long, value_name = "FILE")]
    pub values: Vec<Utf8PathBuf>,
    /// The value of one variable; wins over files
    #[arg(long, value_name = "NAME=VALUE")]
    pub set: Vec<String>,
    /// Take every warning for an error
    #[arg(long)]
    pub deny_warnings: bool,
}

/// `flokkr gen`.
#[allow(
    clippy::struct_excessive_bools,
    reason = "each is a flag that is typed"
)]
#[derive(Debug, Args)]
pub struct Gen {
    /// The target, or `all`
    pub target: String,
    /// The blueprint, instead of -f
    #[arg(value_name = "BLUEPRINT", conflicts_with = "file")]
    pub blueprint: Option<String>,
    /// Which blueprint.
    #[command(flatten)]
    pub input: Input,
    /// A directory, a file when the target emits just one, or `-` for standard output
    #[arg(short, long, value_name = "DIR|FILE|-")]
    pub output: Option<Utf8PathBuf>,
    /// Everything in one file, where a target would emit several
    #[arg(long)]
    pub single_file: bool,
    /// Write nothing; say what differs from the output, with exit code 1 if anything does
    #[arg(long, requires = "output", conflicts_with_all = ["prune", "overwrite"])]
    pub check: bool,
    /// Remove files that flokkr wrote, that nobody edited, and that the blueprint no longer gives
    #[arg(long, requires = "output")]
    pub prune: bool,
    /// Replace files that flokkr wrote and nobody edited
    #[arg(long, requires = "output")]
    pub overwrite: bool,
    /// The program that images get as their launcher, instead of this one: one that is static, or for
    /// another machine
    #[arg(long, value_name = "FILE", requires = "output")]
    pub launcher: Option<Utf8PathBuf>,
}

/// `flokkr diff`.
#[derive(Debug, Args)]
pub struct Diff {
    /// The target, or `all`
    pub target: String,
    /// The blueprint, unless -f names it or ./blueprint.yaml is meant, and what to compare with:
    /// a directory, a file, or `-` for standard input
    #[arg(value_name = "[BLUEPRINT] AGAINST", required = true, num_args = 1..=2)]
    pub words: Vec<String>,
    /// Which blueprint.
    #[command(flatten)]
    pub input: Input,
}

/// `flokkr check`.
#[derive(Debug, Args)]
pub struct Check {
    /// The target (all of them unless given), and the blueprint
    #[arg(value_name = "[TARGET] [BLUEPRINT]", num_args = 0..=2)]
    pub words: Vec<String>,
    /// Which blueprint.
    #[command(flatten)]
    pub input: Input,
}

/// `flokkr explain`.
#[derive(Debug, Args)]
pub struct Explain {
    /// The blueprint, unless -f names it or ./blueprint.yaml is meant, and what to explain: SERVICE,
    /// SERVICE-REPLICA, SERVICE.STEP or SERVICE.SIDECAR
    #[arg(value_name = "[BLUEPRINT] [SERVICE]", num_args = 0..=2)]
    pub words: Vec<String>,
    /// The target; the first that takes the blueprint unless given
    #[arg(short, long)]
    pub target: Option<String>,
    /// The replica; unless given 0, and as JSON all
    #[arg(short, long, value_name = "NUMBER")]
    pub replica: Option<u32>,
    /// For people, or as JSON
    #[arg(long, value_enum, default_value_t = MessageFormat::Text)]
    pub format: MessageFormat,
    /// Also the text of each file
    #[arg(long)]
    pub full: bool,
    /// Which blueprint.
    #[command(flatten)]
    pub input: Input,
}

/// `flokkr targets`.
#[derive(Debug, Args)]
pub struct Targets {
    /// The blueprint, instead of -f
    #[arg(value_name = "BLUEPRINT", conflicts_with = "file")]
    pub blueprint: Option<String>,
    /// Which blueprint.
    #[command(flatten)]
    pub input: Input,
}

/// `flokkr launch`.
#[derive(Debug, Args)]
pub struct Launch {
    /// Only say what would be written and run
    #[arg(long)]
    pub dry_run: bool,
    /// Stay beside the process, hand signals to it, and reap what it leaves behind
    #[arg(long)]
    pub init: bool,
    /// The directory of config files, instead of that of the variables
    #[arg(long, value_name = "DIR")]
    pub conf: Option<Utf8PathBuf>,
    /// The convention of the variables, instead of that of the variables
    #[arg(long, value_name = "DIALECT")]
    pub dialect: Option<String>,
    /// The process: a program and its arguments
    #[arg(required = true, trailing_var_arg = true)]
    pub command: Vec<OsString>,
}

/// `flokkr up`.
#[derive(Debug, Args)]
pub struct Up {
    /// The blueprint, instead of -f
    #[arg(value_name = "BLUEPRINT", conflicts_with = "file")]
    pub blueprint: Option<String>,
    /// Which blueprint.
    #[command(flatten)]
    pub input: Input,
    /// Where the files of all clusters are kept: `$XDG_STATE_HOME/flokkr`, or ~/.local/state/flokkr
    #[arg(long, value_name = "DIR", env = "FLOKKR_STATE")]
    pub state: Option<Utf8PathBuf>,
    /// How long to wait until everything is healthy, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 900)]
    pub timeout: u64,
    /// The program that images get as their launcher, instead of this one
    #[arg(long, value_name = "FILE")]
    pub launcher: Option<Utf8PathBuf>,
}

/// `flokkr down`.
#[derive(Debug, Args)]
pub struct Down {
    /// The cluster, by its name, or by its blueprint
    #[arg(value_name = "NAME|BLUEPRINT")]
    pub cluster: Option<String>,
    /// Remove its data as well
    #[arg(long)]
    pub volumes: bool,
    /// Where the files of all clusters are kept
    #[arg(long, value_name = "DIR", env = "FLOKKR_STATE")]
    pub state: Option<Utf8PathBuf>,
}

/// `flokkr status`.
#[derive(Debug, Args)]
pub struct Status {
    /// The cluster, by its name, or by its blueprint; without it, all of them
    #[arg(value_name = "NAME|BLUEPRINT")]
    pub cluster: Option<String>,
    /// Where the files of all clusters are kept
    #[arg(long, value_name = "DIR", env = "FLOKKR_STATE")]
    pub state: Option<Utf8PathBuf>,
}

/// `flokkr init`.
#[derive(Debug, Args)]
pub struct Init {
    /// Start from this blueprint of the library
    #[arg(long, value_name = "NAME")]
    pub from: Option<String>,
    /// The folder to write into
    #[arg(default_value = ".")]
    pub directory: Utf8PathBuf,
}

/// `flokkr schema`.
#[derive(Debug, Args)]
pub struct Schema {
    /// The schema of a plugin's file
    #[arg(long)]
    pub plugin: bool,
}

/// What was typed and is no command, or asks for help.
#[derive(Debug)]
pub struct Refused {
    /// What is to be said of it.
    pub error: clap::Error,
    /// How problems are to be reported.
    pub format: MessageFormat,
}

/// Takes what was typed apart.
///
/// # Errors
/// What does not fit, or the help that was asked for.
pub fn parse(words: impl Iterator<Item = OsString>) -> Result<Cli, Box<Refused>> {
    let words: Vec<OsString> = words.collect();
    Cli::try_parse_from(&words).map_err(|mut error| {
        nearest(&mut error);
        Box::new(Refused {
            error,
            format: format_of(&words),
        })
    })
}

/// Swapped letters are far apart for clap.
fn nearest(error: &mut clap::Error) {
    let Some(ContextValue::String(word)) = error.get(ContextKind::InvalidSubcommand) else {
        return;
    };
    let command = Cli::command();
    let known = command.get_subcommands().map(clap::Command::get_name);
    if error.get(ContextKind::SuggestedSubcommand).is_none()
        && let Some(near) = did_you_mean(word, known)
    {
        let near = ContextValue::Strings(vec![near.to_owned()]);
        error.insert(ContextKind::SuggestedSubcommand, near);
    }
}

/// What can't be read as a whole may still say how it wants to be told.
fn format_of(words: &[OsString]) -> MessageFormat {
    let own = words.iter().take_while(|word| *word != "--");
    let words: Vec<&str> = own.filter_map(|word| word.to_str()).collect();
    let pair = words
        .windows(2)
        .any(|pair| matches!(pair, ["--message-format", "json"]));
    if pair || words.contains(&"--message-format=json") {
        MessageFormat::Json
    } else {
        MessageFormat::Text
    }
}
