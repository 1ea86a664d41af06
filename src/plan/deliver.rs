//! From config to what the process is given: environment variables in the image's dialect, and
//! finished files; and the words of a command as the image's entrypoint passes them on.
//!
//! Shared by all targets, so that every one gives a process the same bytes. What a launcher or an
//! entrypoint would corrupt is a problem here, with its place.

use std::collections::HashMap;
use std::sync::Arc;

use super::config::path;
use super::shell;
use super::{ConfigEntry, ConfigFile, Container, Probe, Value, Words};
use crate::blueprint::{Argv, Delivery, Mode, Shell};
use crate::conffile;
use crate::env::{self, Dialect, Format};
use crate::problem::{Problem, Problems, Span};

/// Linux takes `NAME=VALUE` and its final NUL up to this many bytes (`MAX_ARG_STRLEN`).
pub const MAX_VARIABLE: usize = 131_072;

/// Linux takes so many bytes in one argument, without its final NUL.
const MAX_WORD: usize = MAX_VARIABLE - 1;

/// Linux takes a quarter of the usual stack limit, 8 MiB, of words, variables and pointers to them. So much
/// of it is the blueprint's; the rest is for what platforms, images and launchers add.
const MAX_EXEC: usize = (2 << 20) - (128 << 10);

/// Bytes of a pointer to a word or variable.
const POINTER: usize = 8;

/// What one replica's process is given.
#[derive(Debug, Default)]
pub struct Delivered {
    /// Environment variables, in order, names unique.
    pub env: Vec<Variable>,
    /// Files, in order, paths unique.
    pub files: Vec<Mounted>,
}

/// An environment variable.
#[derive(Debug, Clone)]
pub struct Variable {
    /// Its name.
    pub name: Arc<str>,
    /// Its value.
    pub value: Value,
    /// The config group that it comes from.
    pub group: Option<Arc<str>>,
    /// Where it stands.
    pub span: Span,
}

/// A file.
#[derive(Debug, Clone)]
pub struct Mounted {
    /// Its path in the container.
    pub path: String,
    /// Its text.
    pub content: Value,
    /// Its permissions.
    pub mode: Mode,
    /// Where it stands.
    pub span: Span,
}

/// Turns config into what processes are given. Services that share a group get the same variables,
/// so what was spelled once is kept.
#[derive(Debug, Default)]
pub struct Deliverer {
    spelled: HashMap<Spelling, Spelled>,
}

/// The variables of a file, and what is wrong with them: whoever asks again is told again, for the
/// first one may not have listened.
#[derive(Debug)]
struct Spelled {
    variables: Vec<Variable>,
    problems: Vec<Problem>,
}

/// A file's entries by their address, which the plan keeps alive longer than this table, and the
/// replica that they are spelled for; none when all replicas have the same.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Spelling {
    launcher: Dialect,
    entries: usize,
    replica: Option<u32>,
}

impl Deliverer {
    /// What a replica of a container is given.
    pub fn deliver(
        &mut self,
        container: &Container,
        replica: u32,
        problems: &mut Problems,
    ) -> Delivered {
        let mut delivered = Delivered::default();
        for entry in &container.env {
            if let Some(value) = entry.value.value(replica) {
                delivered.env.push(Variable {
                    name: Arc::clone(&entry.name),
                    value: value.clone(),
                    group: None,
                    span: entry.span,
                });
            }
        }
        for file in &container.config {
            self.config(container, file, replica, &mut delivered, problems);
        }
        for file in &container.files {
            if let Some(content) = file.content.value(replica) {
                delivered.files.push(Mounted {
                    path: file.path.clone(),
                    content: content.clone(),
                    mode: file.mode,
                    span: file.span,
                });
            }
        }
        conflicts(container, problems);
        names(container, &delivered, problems);
        exec(container, replica, &delivered, problems);
        paths(container, &delivered, problems);
        delivered
    }

    fn config(
        &mut self,
        container: &Container,
        file: &ConfigFile,
        replica: u32,
        delivered: &mut Delivered,
        problems: &mut Problems,
    ) {
        match file.delivery {
            Delivery::Env => {
                let key = Spelling {
                    launcher: container.image.launcher,
                    entries: Arc::as_ptr(&file.entries).addr(),
                    replica: file.differs.then_some(replica),
                };
                let spelled = self.spelled.entry(key).or_insert_with(|| {
                    let mut found = Problems::default();
                    let variables = spell(container, file, replica, &mut found);
                    Spelled {
                        variables,
                        problems: found.sorted().into_iter().cloned().collect(),
                    }
                });
                delivered.env.extend(spelled.variables.iter().cloned());
                for problem in &spelled.problems {
                    problems.add(problem.clone());
                }
            }
            Delivery::Files => {
                let Some(format) = format(file, problems) else {
                    return;
                };
                let present = present(file, replica);
                unescaped(file, &present, problems);
                match conffile::render(format, &texts(&present)) {
                    Ok(text) => delivered.files.push(Mounted {
                        path: path(&container.image, &file.name),
                        content: Value::new(text),
                        mode: Mode(0o644),
                        span: file.span,
                    }),
                    Err(list) => corrupt(&list, |entry| place(entry, file, &present), problems),
                }
            }
        }
    }
}

/// The entries that a replica has.
fn present(file: &ConfigFile, replica: u32) -> Vec<(&ConfigEntry, &Value)> {
    let entries = file.entries.iter();
    let present = entries.filter_map(|e| Some((e, e.value.value(replica)?)));
    present.collect()
}

/// The variables that carry a file to a replica.
fn spell(
    container: &Container,
    file: &ConfigFile,
    replica: u32,
    problems: &mut Problems,
) -> Vec<Variable> {
    let present = present(file, replica);
    unescaped(file, &present, problems);
    let source = env::ConfigFile {
        name: &file.name,
        format: file.format,
        entries: texts(&present),
    };
    match env::encode(container.image.launcher, &source) {
        Ok(variables) => variables
            .into_iter()
            .map(|v| Variable {
                name: v.name.into(),
                value: Value::new(v.value),
                group: v.entry.and_then(|i| present.get(i)?.0.group.clone()),
                span: place(v.entry, file, &present),
            })
            .collect(),
        Err(list) => {
            corrupt(&list, |entry| place(entry, file, &present), problems);
            Vec::new()
        }
    }
}

fn texts<'a>(present: &[(&'a ConfigEntry, &'a Value)]) -> Vec<(&'a str, &'a str)> {
    present.iter().map(|(e, v)| (&*e.key, v.raw())).collect()
}

fn place(entry: Option<usize>, file: &ConfigFile, present: &[(&ConfigEntry, &Value)]) -> Span {
    entry
        .and_then(|i| present.get(i))
        .map_or(file.span, |(e, _)| e.span)
}

/// A config file has escapes, but the platform fills a secret in after they were made.
fn unescaped(file: &ConfigFile, present: &[(&ConfigEntry, &Value)], problems: &mut Problems) {
    for (entry, _) in present.iter().filter(|(_, v)| v.has_secret()) {
        problems.add(
            Problem::warning(
                "secret-unescaped",
                format!(
                    "the secret in `{}` goes into {} as it is",
                    entry.key, file.name
                ),
            )
            .at(entry.span)
            .label("a secret with characters that the format escapes would break the file"),
        );
    }
}

fn corrupt(
    list: &[env::Corruption],
    place: impl Fn(Option<usize>) -> Span,
    problems: &mut Problems,
) {
    for corruption in list {
        problems.add(
            Problem::error("corrupted", "this value would not arrive as it is written")
                .at(place(corruption.entry))
                .label(corruption.reason.clone())
                .help(corruption.instead.clone()),
        );
    }
}

/// The format of a file that flokkr writes itself.
fn format(file: &ConfigFile, problems: &mut Problems) -> Option<Format> {
    if let Some(format) = file.format {
        return Some(format);
    }
    let extension = file.name.rsplit_once('.').map_or("", |(_, ext)| ext);
    let format = Format::of_extension(extension).filter(|f| *f != Format::Conf);
    if format.is_none() {
        let known: Vec<String> = Format::ALL
            .iter()
            .map(|f| format!("!{}", f.name()))
            .collect();
        problems.add(
            Problem::error(
                "unknown-format",
                format!("nothing says which format `{}` has", file.name),
            )
            .at(file.span)
            .label("its extension does not tell")
            .help(format!(
                "write it behind the name, such as `{}!properties`; there are {}",
                file.name,
                known.join(", ")
            )),
        );
    }
    format
}

/// Files that the launcher would mix up with each other.
fn conflicts(container: &Container, problems: &mut Problems) {
    let by_env: Vec<&ConfigFile> = container
        .config
        .iter()
        .filter(|f| f.delivery == Delivery::Env)
        .collect();
    let names: Vec<&str> = by_env.iter().map(|f| &*f.name).collect();
    for (index, corruption) in env::conflicts(container.image.launcher, &names) {
        if let Some(file) = by_env.get(index) {
            corrupt(&[corruption], |_| file.span, problems);
        }
    }
}

/// What is wrong with a variable for every platform: set twice, too large, lost on its way.
fn names(container: &Container, delivered: &Delivered, problems: &mut Problems) {
    let mut seen: HashMap<&str, Span> = HashMap::with_capacity(delivered.env.len());
    let shell = match &container.entrypoint {
        Some(_) => Shell::None,
        None => shell::of_entrypoint(container.image.entrypoint),
    };
    // The variables of one file never clash with each other.
    let may_clash = container.config.len() + usize::from(!container.env.is_empty()) > 1;
    for variable in &delivered.env {
        if may_clash && let Some(first) = seen.insert(&variable.name, variable.span) {
            problems.add(
                Problem::error(
                    "duplicate-key",
                    format!("the variable `{}` is set twice", variable.name),
                )
                .at(variable.span)
                .label("second time")
                .related(first, "first time"),
            );
        }
        let size = variable.name.len() + variable.value.raw().len() + 2;
        if size > MAX_VARIABLE {
            problems.add(
                Problem::error(
                    "too-large",
                    format!("the variable `{}` has {size} bytes", variable.name),
                )
                .at(variable.span)
                .label(format!(
                    "Linux takes {MAX_VARIABLE} bytes of name, `=`, value and end"
                ))
                .help("deliver it as a file: `delivery: files`, or `files`"),
            );
        }
        if !shell::hands_on(shell, &variable.name) {
            problems.add(
                Problem::error(
                    "corrupted",
                    format!("the variable `{}` would not arrive", variable.name),
                )
                .at(variable.span)
                .label(format!(
                    "the entrypoint of image `{}` is run by {}",
                    container.image.name,
                    shell::why(shell, &variable.name)
                ))
                .help(if container.env.iter().any(|e| e.name == variable.name) {
                    "use another name, of letters, digits and underscores, or replace the `entrypoint`"
                } else {
                    "deliver it as a file: `delivery: files`, or replace the `entrypoint`"
                }),
            );
        }
    }
}

/// What is too large for Linux to start: a word, or all words and variables together.
fn exec(container: &Container, replica: u32, delivered: &Delivered, problems: &mut Problems) {
    let Container {
        entrypoint,
        command,
        health,
        stop,
        ..
    } = container;
    let probes = health.iter().flat_map(|h| [&h.start, &h.ready, &h.alive]);
    let probes = probes.flatten().filter_map(|check| match &check.probe {
        Probe::Command(words) => Some(words),
        Probe::Tcp(..) | Probe::Http(..) => None,
    });
    let variables = delivered.env.iter();
    // Each has `=` or not, its final NUL, and a pointer to it.
    let variables: usize = variables
        .map(|v| v.name.len() + v.value.raw().len() + "=\0".len() + POINTER)
        .sum();
    let own = spelled_size(container, command.as_ref(), replica, problems)
        + spelled_size(container, entrypoint.as_ref(), replica, problems);
    let beside = probes.chain(&stop.before);
    let beside = beside.map(|words| (size(words, replica, str::len, problems), words.span));
    let main = command.as_ref().or(entrypoint.as_ref());
    let main = (own, main.map_or(container.span, |w| w.span));
    for (words, span) in std::iter::once(main).chain(beside.collect::<Vec<_>>()) {
        let size = words + variables;
        if size <= MAX_EXEC {
            continue;
        }
        // All that is started has the variables.
        let span = if variables > MAX_EXEC {
            container.span
        } else {
            span
        };
        problems.add(
            Problem::error(
                "too-large",
                format!(
                    "the words and variables of `{}` have {size} bytes together",
                    container.name
                ),
            )
            .at(span)
            .label(format!(
                "Linux takes 2 MiB, of which {MAX_EXEC} bytes are for these"
            ))
            .help("deliver some as files: `delivery: files`, or `files`"),
        );
    }
}

/// Bytes of the words of a command as the image's entrypoint is given them.
fn spelled_size(
    container: &Container,
    words: Option<&Words>,
    replica: u32,
    problems: &mut Problems,
) -> usize {
    let Some(words) = words else {
        return 0;
    };
    let evaluated = container.entrypoint.is_none() && container.image.argv == Argv::Eval;
    let spelled = |word: &str| {
        if evaluated {
            shell::quote(word).len()
        } else {
            word.len()
        }
    };
    size(words, replica, spelled, problems)
}

/// Bytes of a replica's words, each with its end and a pointer.
fn size(
    words: &Words,
    replica: u32,
    spelled: impl Fn(&str) -> usize,
    problems: &mut Problems,
) -> usize {
    long_words(words, &spelled, problems);
    let present = words.words.iter().filter_map(|slot| slot.value(replica));
    present
        .map(|w| spelled(w.raw()) + "\0".len() + POINTER)
        .sum()
}

/// Refuses words that Linux does not take, of any replica: a target may ask for the first one alone.
pub(super) fn long_words(words: &Words, spelled: impl Fn(&str) -> usize, problems: &mut Problems) {
    for (slot, span) in words.placed() {
        let sizes = slot.all().iter().flatten().map(|w| spelled(w.raw()));
        let Some(size) = sizes.max().filter(|size| *size > MAX_WORD) else {
            continue;
        };
        problems.add(
            Problem::error("too-large", format!("this word has {size} bytes"))
                .at(span)
                .label(format!("Linux takes {MAX_WORD} bytes in one"))
                .help("put it into a file, under `files`, and give the process its path"),
        );
    }
}

fn paths(container: &Container, delivered: &Delivered, problems: &mut Problems) {
    let mut seen: HashMap<&str, Span> = HashMap::new();
    let secrets = container.secrets.iter().map(|s| (s.path.as_str(), s.span));
    let files = delivered.files.iter().map(|f| (f.path.as_str(), f.span));
    for (path, span) in files.chain(secrets) {
        if let Some(first) = seen.insert(path, span) {
            problems.add(
                Problem::error("volume-clash", format!("two files are mounted at {path}"))
                    .at(span)
                    .label("second time")
                    .related(first, "first time"),
            );
        }
    }
}

/// The words of a replica's command, spelled so that they arrive as they are: behind an entrypoint
/// that evaluates its words they are quoted, and what one that splits them would break is refused.
pub fn words(
    container: &Container,
    words: &Words,
    replica: u32,
    problems: &mut Problems,
) -> Vec<Value> {
    let image = &container.image;
    let argv = if container.entrypoint.is_some() {
        Argv::Exec
    } else {
        image.argv
    };
    let present = words.words.iter().filter_map(|w| w.value(replica));
    match argv {
        Argv::Exec => present.cloned().collect(),
        Argv::Eval if present.clone().any(Value::has_secret) => {
            problems.add(
                Problem::error("secret", "a secret can't stand in this command")
                    .at(words.span)
                    .label(format!(
                        "the entrypoint of image `{}` evaluates it in a shell",
                        image.name
                    ))
                    .help("put it into a variable under `env`"),
            );
            Vec::new()
        }
        Argv::Eval => present.map(|w| Value::new(shell::quote(w.raw()))).collect(),
        Argv::Split => {
            let breaks = |w: &Value| {
                w.raw().is_empty()
                    || w.raw()
                        .contains(|c: char| c.is_whitespace() || "*?[".contains(c))
            };
            let placed = words
                .placed()
                .filter_map(|(slot, span)| Some((slot.value(replica)?, span)));
            for (word, span) in placed.filter(|(word, _)| breaks(word)) {
                let shown: String = word.raw().chars().take(40).collect();
                problems.add(
                    Problem::error("corrupted", "this command would not arrive as it is written")
                        .at(span)
                        .label(format!(
                            "the entrypoint of image `{}` splits words at blanks and expands `*`: `{shown}`",
                            image.name
                        ))
                        .help("put the command into a script: a step takes `script`, a service a file under `files`"),
                );
            }
            present.cloned().collect()
        }
    }
}
