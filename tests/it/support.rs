//! What the tests share: paths, the stages in a row, the real binary, and where snapshots go.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use camino::Utf8PathBuf;
use flokkr::file::File;
use flokkr::pipeline::{self, Lowered, Origin};
use flokkr::problem::{self, Problems, Sources, Style};
use flokkr::resolve::{Cluster, Input, Loader};
use flokkr::target::{self, Layout, Target};
use flokkr::workspace::FileLoader;

/// The repository.
pub const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// A path in the repository.
pub fn path(relative: &str) -> PathBuf {
    Path::new(ROOT).join(relative)
}

/// The text of a file in the repository.
pub fn text(relative: &str) -> String {
    let path = path(relative);
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// The names of what is in a folder of the repository, sorted.
pub fn entries(relative: &str) -> Vec<String> {
    let folder = path(relative);
    let entries =
        std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{}: {e}", folder.display()));
    let mut names: Vec<String> = entries
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

/// All files below a folder of the repository, as paths relative to that folder, sorted.
pub fn tree(relative: &str) -> Vec<String> {
    let mut files = Vec::new();
    for name in entries(relative) {
        let below = format!("{relative}/{name}");
        if path(&below).is_dir() {
            files.extend(tree(&below).into_iter().map(|f| format!("{name}/{f}")));
        } else {
            files.push(name);
        }
    }
    files
}

/// What became of a blueprint for a target.
pub struct Emitted {
    /// The files; none when there was an error.
    pub files: Option<Vec<File>>,
    /// Everything that was reported, as a person reads it.
    pub said: String,
}

impl Emitted {
    /// The text of the only file.
    pub fn only(self) -> String {
        let said = self.said;
        let files = self
            .files
            .unwrap_or_else(|| panic!("an error was reported:\n{said}"));
        let [file] = files.try_into().expect("one file");
        file.text
    }
}

/// A blueprint up to where targets begin, and what was reported until then.
pub struct Resolved<'l> {
    /// Its texts.
    pub sources: Sources,
    /// What was reported.
    pub problems: Problems,
    /// None when there is nothing to go on with.
    pub cluster: Option<Cluster>,
    input: Input,
    loader: &'l dyn Loader,
}

/// Resolves a blueprint of this text, which is called `name`; includes and plugins come from
/// `loader`.
pub fn resolve_with<'l>(name: &str, text: &str, loader: &'l dyn Loader) -> Resolved<'l> {
    let mut sources = Sources::default();
    let mut problems = Problems::default();
    let input = Input {
        blueprint: sources.add(name, text),
        values: Vec::new(),
        sets: Vec::new(),
    };
    let origin = Origin {
        input: &input,
        loader,
    };
    let cluster = origin.resolve(&mut sources, &mut problems);
    Resolved {
        sources,
        problems,
        cluster,
        input,
        loader,
    }
}

impl Resolved<'_> {
    /// The files for a target; what is wrong is added to what was reported.
    pub fn emit(&mut self, target: &dyn Target, layout: Layout) -> Option<Vec<File>> {
        let origin = Origin {
            input: &self.input,
            loader: self.loader,
        };
        let cluster = self.cluster.as_ref()?;
        let files = pipeline::emit(
            cluster,
            origin,
            target,
            layout,
            &self.sources,
            &mut self.problems,
        );
        files.filter(|_| !self.problems.has_errors())
    }
}

impl Resolved<'_> {
    /// What it becomes on a target, as each thing that the platform knows.
    pub fn lower(&self, target: &dyn Target) -> Option<Lowered> {
        let origin = Origin {
            input: &self.input,
            loader: self.loader,
        };
        let cluster = self.cluster.as_ref()?;
        let mut problems = Problems::default();
        let layout = Layout::Objects;
        pipeline::lower(
            cluster,
            origin,
            target,
            layout,
            &self.sources,
            &mut problems,
        )
    }
}

/// Emits a blueprint of this text, which is called `name`; includes and plugins come from `loader`.
pub fn emit_with(name: &str, text: &str, loader: &dyn Loader, target: &dyn Target) -> Emitted {
    let mut resolved = resolve_with(name, text, loader);
    let files = resolved.emit(target, Layout::Several);
    let said = problem::text(&resolved.problems, &resolved.sources, Style::Plain);
    Emitted { files, said }
}

/// Emits a blueprint of this text with the library beside it.
pub fn emit(text: &str, target: &dyn Target) -> Emitted {
    let directory = Utf8PathBuf::from("no-such-directory");
    emit_with("test.yaml", text, &FileLoader { directory }, target)
}

/// Emits a blueprint file of the repository.
pub fn emit_file(relative: &str, target: &dyn Target) -> Emitted {
    let directory = Utf8PathBuf::from(relative).parent().unwrap().to_owned();
    emit_with(relative, &text(relative), &FileLoader { directory }, target)
}

/// The target that cases without one of their own are emitted for.
pub fn first_target() -> &'static dyn Target {
    target::ALL[0]
}

/// The real binary, in a directory.
pub fn flokkr(directory: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_flokkr"));
    command.current_dir(directory).args(words);
    command
        .env_remove("CLICOLOR_FORCE")
        .env("NO_COLOR", "1")
        .env("COLUMNS", "100");
    command
}

/// Standard output and standard error as text.
pub fn said(output: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr))
}

/// Copies a program to where it is run from. Another process writes it: what a thread of this one has
/// open to write, whatever another thread starts has open for a moment, too, and then nobody can run it.
pub fn install(program: &Path, to: &Path) {
    let mut install = Command::new("install");
    let status = install.arg("--mode=755").args([program, to]).status();
    assert!(status.unwrap().success(), "{}", to.display());
}

/// Compares a text with `snapshots/<folder>/<name>.snap`.
pub fn snapshot(folder: &str, name: &str, text: &str) {
    let place = path("snapshots").join(folder).join(name);
    let mut settings = insta::Settings::clone_current();
    settings.set_snapshot_path(place.parent().unwrap());
    settings.set_prepend_module_to_snapshot(false);
    settings.set_omit_expression(true);
    settings.remove_snapshot_suffix();
    settings.remove_input_file();
    settings.remove_description();
    let name = place.file_name().unwrap().to_str().unwrap().to_owned();
    settings.bind(|| insta::assert_snapshot!(name, text));
}

/// Runs every case and reports all that fail, so that one run shows every changed snapshot.
pub fn each<T: std::fmt::Display>(cases: impl IntoIterator<Item = T>, check: impl Fn(&T)) {
    let filter = std::env::var("CASE").unwrap_or_default();
    let mut failed = Vec::new();
    for case in cases {
        if !case.to_string().contains(&filter) {
            continue;
        }
        let run = std::panic::AssertUnwindSafe(|| check(&case));
        if std::panic::catch_unwind(run).is_err() {
            failed.push(case.to_string());
        }
    }
    assert!(failed.is_empty(), "failed: {}", failed.join(", "));
}
