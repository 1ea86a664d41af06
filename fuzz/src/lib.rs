//! What the fuzz targets share: a text taken apart into the files of one run, the stages in a row,
//! and what has to hold whatever the input is.

use std::collections::BTreeMap;

use flokkr::diff::{self, Found};
use flokkr::file::File;
use flokkr::library;
use flokkr::pipeline::{self, Origin};
use flokkr::problem::{self, Problems, Sources, Style};
use flokkr::resolve::{Cluster, Input, Loader};
use flokkr::target::{Layout, Target};
use flokkr::yaml;

/// Begins the line that names the next text of an input.
const MARK: &str = "=== ";

/// The texts of one run: the first is the blueprint, each line `=== NAME` begins another. `values`
/// is a file for `--values`, `set` has arguments for `--set`, a line each; any other is a file that
/// may be included, or a plugin.
#[derive(Debug)]
pub struct Texts<'t> {
    blueprint: &'t str,
    values: Vec<&'t str>,
    sets: Vec<&'t str>,
    files: BTreeMap<&'t str, &'t str>,
}

impl<'t> Texts<'t> {
    /// Takes an input apart.
    #[must_use]
    pub fn of(input: &'t str) -> Self {
        let mut parts = split(input).into_iter();
        let (_, blueprint) = parts.next().unwrap_or_default();
        let mut texts = Self::with(blueprint);
        for (name, text) in parts {
            match name {
                "values" => texts.values.push(text),
                "set" => texts.sets.extend(text.lines()),
                _ => {
                    texts.files.insert(name, text);
                }
            }
        }
        texts
    }

    /// A blueprint alone.
    #[must_use]
    pub fn with(blueprint: &'t str) -> Self {
        Self {
            blueprint,
            values: Vec::new(),
            sets: Vec::new(),
            files: BTreeMap::from([("blueprint.yaml", blueprint)]),
        }
    }

    /// The same with a file for `--values` and arguments for `--set`, a line each.
    #[must_use]
    pub fn given(mut self, values: &'t str, sets: &'t str) -> Self {
        self.values.push(values);
        self.sets.extend(sets.lines());
        self
    }
}

/// The parts of an input, with their names; the first has none.
#[must_use]
pub fn split(input: &str) -> Vec<(&str, &str)> {
    let (mut parts, mut name, mut start, mut at) = (Vec::new(), "", 0, 0);
    for line in input.split_inclusive('\n') {
        let end = at + line.len();
        if let Some(next) = line.strip_prefix(MARK) {
            parts.push((name, &input[start..at]));
            (name, start) = (next.trim(), end);
        }
        at = end;
    }
    parts.push((name, &input[start..]));
    parts
}

impl Loader for Texts<'_> {
    fn include(&self, name: &str, _: &str) -> Result<(String, String), String> {
        let name = name.trim_start_matches("./");
        match self.files.get(name).copied().or(library::blueprint(name)) {
            Some(text) => Ok((name.to_owned(), text.to_owned())),
            None => Err(format!("there is no `{name}`")),
        }
    }

    fn plugin(&self, name: &str, _: &str) -> Option<Result<(String, String), String>> {
        let path = format!("plugins/{name}.yaml");
        let text = self.files.get(&*path).copied().or(library::plugin(name))?;
        Some(Ok((path, text.to_owned())))
    }

    fn blueprints(&self) -> Vec<String> {
        library::blueprints().map(str::to_owned).collect()
    }

    fn plugins(&self) -> Vec<String> {
        library::plugins().map(str::to_owned).collect()
    }
}

/// A run up to where targets begin.
pub struct Run<'t> {
    /// What was read.
    pub sources: Sources,
    /// What was reported.
    pub problems: Problems,
    /// None when there is nothing to go on with.
    pub cluster: Option<Cluster>,
    input: Input,
    texts: &'t Texts<'t>,
}

impl<'t> Run<'t> {
    /// Resolves the texts.
    #[must_use]
    pub fn new(texts: &'t Texts<'t>) -> Self {
        let mut sources = Sources::default();
        let mut problems = Problems::default();
        let mut add = |name: &str, text: &str| sources.add(name, text);
        let input = Input {
            blueprint: add("blueprint.yaml", texts.blueprint),
            values: texts.values.iter().map(|t| add("values.yaml", t)).collect(),
            sets: texts.sets.iter().map(|t| add("--set", t)).collect(),
        };
        let origin = Origin {
            input: &input,
            loader: texts,
        };
        let cluster = origin.resolve(&mut sources, &mut problems);
        Self {
            sources,
            problems,
            cluster,
            input,
            texts,
        }
    }

    /// The files for a target, checked; none when something is wrong with the input.
    pub fn emit(&mut self, target: &dyn Target, layout: Layout) -> Option<Vec<File>> {
        let origin = Origin {
            input: &self.input,
            loader: self.texts,
        };
        let cluster = self.cluster.as_ref()?;
        let sources = &self.sources;
        let mut problems = Problems::default();
        let files = pipeline::emit(cluster, origin, target, layout, sources, &mut problems);
        self.problems.extend(problems);
        let files = files.filter(|_| !self.problems.has_errors())?;
        check_files(&files);
        Some(files)
    }
}

/// Runs an input for some targets: what it gives is well formed, and is the same again.
///
/// # Panics
/// When that does not hold.
pub fn run(texts: &Texts<'_>, targets: &[&dyn Target], layout: Layout) {
    let once = || {
        let mut run = Run::new(texts);
        let files: Vec<_> = targets.iter().map(|t| run.emit(*t, layout)).collect();
        let said = check_problems(&run.problems, &run.sources);
        (files, said)
    };
    let (files, said) = once();
    assert_eq!(once(), (files, said), "not the same again");
}

/// Every problem lies in the text that it speaks of, and can be shown. Gives what is shown.
///
/// # Panics
/// When that does not hold.
#[must_use]
pub fn check_problems(problems: &Problems, sources: &Sources) -> String {
    for problem in problems.sorted() {
        let related = problem.related.iter().map(|(span, _)| *span);
        for span in related.chain(problem.span) {
            let inside = sources.get(span.source).is_none() || sources.slice(span).is_some();
            assert!(inside, "outside of its source: {problem:?}");
        }
        assert!(!problem.message.is_empty());
    }
    let said = problem::text(problems, sources, Style::Plain);
    said + &problem::json(problems, sources)
}

/// Files that stand where they may, hold the YAML that they say, and do not differ from
/// themselves.
///
/// # Panics
/// When that does not hold.
pub fn check_files(files: &[File]) {
    let mut there = Vec::with_capacity(files.len());
    for file in files {
        let outside = |part: &str| part == ".." || part.is_empty();
        assert!(
            !file.path.as_str().split('/').any(outside),
            "not below: {}",
            file.path
        );
        // Templates of a chart become YAML when they are filled in.
        let is_template = file.path.starts_with("templates");
        if file.path.extension() == Some("yaml") && !is_template {
            for document in documents(&file.text) {
                check_yaml(document);
            }
        }
        there.push(Found {
            path: file.path.clone(),
            text: Some(file.text.clone()),
        });
    }
    assert!(
        diff::compare(files, &there).is_empty(),
        "differs from itself"
    );
}

/// A text that flokkr's own reader takes.
///
/// # Panics
/// When it does not.
pub fn check_yaml(text: &str) {
    let mut sources = Sources::default();
    let mut problems = Problems::default();
    let source = sources.add("emitted", text);
    let read = yaml::read(source, &sources, &mut problems);
    assert!(
        read.is_some() && problems.is_empty(),
        "{problems:?}\n{text}"
    );
}

fn documents(text: &str) -> impl Iterator<Item = &str> {
    text.split("\n---\n")
}
