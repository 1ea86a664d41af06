//! The commands: each reads what it needs, calls the stages, writes or prints, and gives an exit
//! code. What they share, reading a blueprint and reporting problems, is the [`Session`].

mod check;
mod completions;
mod diff;
mod down;
mod explain;
mod generate;
mod init;
mod launch;
mod list;
mod local;
mod schema;
mod status;
mod targets;
mod up;

use std::io::{self, Write as _};
use std::process::ExitCode;

use camino::Utf8PathBuf;

use crate::cli::{Cli, Command, Input, MessageFormat, Refused};
use crate::file::File;
use crate::library;
use crate::pipeline::{self, Lowered, Origin};
use crate::problem::{self, Problem, Problems, Sources, Style};
use crate::resolve::{self, Cluster};
use crate::target::{self, Layout, Target};
use crate::workspace::{self, FileLoader};

/// Done, or nothing differs.
const SAME: u8 = 0;
/// Something differs.
const DRIFT: u8 = 1;
/// An error was reported; nothing was written, unless the system refused something half way.
const ERROR: u8 = 2;

/// Runs what was typed.
pub fn run(cli: Cli) -> ExitCode {
    let mut session = Session::new(cli.message_format);
    let done = match cli.command {
        Command::Gen(gen_) => generate::run(&gen_, &mut session),
        Command::Diff(diff) => diff::run(&diff, &mut session),
        Command::Check(check) => check::run(&check, &mut session),
        Command::Explain(explain) => explain::run(&explain, &mut session),
        Command::Up(up) => up::run(&up, &mut session),
        Command::Down(down) => down::run(&down, &mut session),
        Command::Status(status) => status::run(&status, &mut session),
        Command::Launch(launch) => launch::run(&launch, &mut session),
        Command::Init(init) => init::run(&init, &mut session),
        Command::List => list::run(&mut session),
        Command::Targets(targets) => targets::run(&targets, &mut session),
        Command::Schema(schema) => schema::run(&schema, &mut session),
        Command::Completions { shell } => completions::run(shell, &mut session),
    };
    session.report();
    ExitCode::from(done.unwrap_or(ERROR))
}

/// Says what does not fit in what was typed, or the help that was asked for.
pub fn refuse(refused: &Refused) -> ExitCode {
    let Refused { error, format } = refused;
    let is_wrong = error.use_stderr();
    if is_wrong && *format == MessageFormat::Json {
        let mut session = Session::new(*format);
        let text = error.to_string();
        let text = text.strip_prefix("error: ").unwrap_or(&text);
        session.fail::<()>("usage", text.trim_end());
        session.report();
    } else {
        let _ = error.print();
    }
    ExitCode::from(if is_wrong { ERROR } else { SAME })
}

/// What one run has read, and what it has found wrong.
struct Session {
    sources: Sources,
    problems: Problems,
    format: MessageFormat,
    /// Where this program must be, beside the files that were emitted.
    programs: Vec<Utf8PathBuf>,
}

/// A cluster, and what it was made from.
struct Loaded {
    cluster: Cluster,
    input: resolve::Input,
    loader: FileLoader,
}

impl Loaded {
    fn origin(&self) -> Origin<'_> {
        Origin {
            input: &self.input,
            loader: &self.loader,
        }
    }
}

impl Session {
    fn new(format: MessageFormat) -> Self {
        Self {
            sources: Sources::default(),
            problems: Problems::default(),
            format,
            programs: Vec::new(),
        }
    }

    /// Reports an error without a place and gives the `None` that ends the command.
    fn fail<T>(&mut self, code: &'static str, message: impl Into<String>) -> Option<T> {
        self.problems.add(Problem::error(code, message));
        None
    }

    /// Reads a blueprint with its layers. `word` is the blueprint as a bare word.
    fn cluster(&mut self, word: Option<&str>, input: &Input) -> Option<Loaded> {
        let word = word.or(input.file.as_deref());
        let found = match workspace::blueprint(word) {
            Ok(found) => found,
            Err(reason) => return self.fail("no-blueprint", reason),
        };
        let loader = FileLoader {
            directory: found.directory,
        };
        let blueprint = self.sources.add(found.name, found.text);
        let mut values = Vec::new();
        for path in &input.values {
            match workspace::text(path) {
                Ok(text) => values.push(self.sources.add(path.as_str(), text)),
                Err(reason) => self.problems.add(Problem::error("no-values", reason)),
            }
        }
        let sets = input.set.iter();
        let sets = sets
            .map(|set| self.sources.add("--set", set.as_str()))
            .collect();
        let input = resolve::Input {
            blueprint,
            values,
            sets,
        };
        let origin = Origin {
            input: &input,
            loader: &loader,
        };
        let cluster = origin.resolve(&mut self.sources, &mut self.problems)?;
        Some(Loaded {
            cluster,
            input,
            loader,
        })
    }

    /// The targets that a word means.
    fn targets(&mut self, word: &str) -> Option<Vec<&'static dyn Target>> {
        if word == "all" {
            return Some(target::ALL.to_vec());
        }
        match target::find(word) {
            Ok(target) => Some(vec![target]),
            Err(problem) => {
                let mut problem = *problem;
                if library::blueprint(word).is_some() {
                    problem =
                        problem.help(format!("`{word}` is a blueprint: name a target before it"));
                }
                self.problems.add(problem);
                None
            }
        }
    }

    /// What a cluster becomes on a target; `None` when an error was reported.
    fn lowered(&mut self, loaded: &Loaded, target: &dyn Target, layout: Layout) -> Option<Lowered> {
        let before = self.problems.errors();
        let mut lowered = pipeline::lower(
            &loaded.cluster,
            loaded.origin(),
            target,
            layout,
            &self.sources,
            &mut self.problems,
        )?;
        let problems = std::mem::take(&mut lowered.account.problems);
        self.problems.extend(problems);
        (self.problems.errors() == before).then_some(lowered)
    }

    /// The files of a cluster for what `word` means: of one target straight, of `all` in a folder
    /// each. Every target is tried, so that all problems come in one run.
    fn emit(&mut self, loaded: &Loaded, word: &str, layout: Layout) -> Option<Vec<File>> {
        let targets = self.targets(word)?;
        let mut files = Vec::new();
        let mut whole = true;
        for target in targets {
            let Some(lowered) = self.lowered(loaded, target, layout) else {
                whole = false;
                continue;
            };
            let folder = Utf8PathBuf::from(if word == "all" { target.name() } else { "" });
            let placed = |path: Utf8PathBuf| folder.join(path);
            let programs = lowered.account.programs.into_iter();
            self.programs.extend(programs.map(placed));
            files.extend(lowered.files.into_iter().map(|file| File {
                path: placed(file.path),
                text: file.text,
            }));
        }
        (whole && !self.problems.has_errors()).then_some(files)
    }

    /// Ends the command when warnings are denied and there are some.
    fn denied(&mut self, input: &Input) -> Option<()> {
        if input.deny_warnings && !self.problems.is_empty() {
            self.problems.deny_warnings();
            return None;
        }
        Some(())
    }

    /// Prints to standard output; a closed pipe is no error.
    fn print(&mut self, text: &str) -> Option<()> {
        match io::stdout().lock().write_all(text.as_bytes()) {
            Err(e) if e.kind() != io::ErrorKind::BrokenPipe => {
                self.fail("io", format!("can't write to standard output: {e}"))
            }
            _ => Some(()),
        }
    }

    /// Says something on standard error.
    fn say(&self, text: &str) {
        if self.format == MessageFormat::Text {
            let _ = writeln!(anstream::stderr(), "{text}");
        }
    }

    fn report(&self) {
        if self.problems.is_empty() {
            return;
        }
        let mut out = anstream::stderr();
        let _ = match self.format {
            MessageFormat::Json => write!(out, "{}", problem::json(&self.problems, &self.sources)),
            MessageFormat::Text => {
                let text = problem::text(&self.problems, &self.sources, Style::Colour);
                write!(out, "{text}")
            }
        };
    }
}
