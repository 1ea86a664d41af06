//! What is wrong with an input, and where: [`Problem`], the [`Sources`] it points into, and the
//! collector [`Problems`] that lets a stage go on and find the next one.
//!
//! Owns positions (byte spans and their line and column) and the wording rules: a message says
//! what is wrong, a label says what was expected, help says what to write instead.
//! How a problem looks on a terminal or as JSON is [`render`]'s; this file prints nothing.

mod nearest;
mod render;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

pub use nearest::{did_you_mean, one_of};
pub use render::{Lines, Style, json, text};

/// A text that problems can point into: a file, a `--set` argument, an embedded blueprint.
#[derive(Debug, Clone)]
pub struct Source {
    /// What a person calls it: the path as it was typed, `library:hdfs`, or `--set`.
    pub name: String,
    /// The whole text.
    pub text: Arc<str>,
}

/// Which [`Source`] of the [`Sources`] a span points into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SourceId(u32);

/// Every text read in this run, in the order of reading.
#[derive(Debug, Clone, Default)]
pub struct Sources {
    list: Vec<Source>,
}

impl Sources {
    /// Keeps a text and gives its id.
    pub fn add(&mut self, name: impl Into<String>, text: impl Into<Arc<str>>) -> SourceId {
        let id = SourceId(u32::try_from(self.list.len()).unwrap_or(u32::MAX));
        self.list.push(Source {
            name: name.into(),
            text: text.into(),
        });
        id
    }

    /// The source of an id.
    pub fn get(&self, id: SourceId) -> Option<&Source> {
        self.list.get(id.0 as usize)
    }

    /// The text that a span covers.
    pub fn slice(&self, span: Span) -> Option<&str> {
        self.get(span.source)?.text.get(span.range())
    }
}

/// A range of bytes in one source.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Span {
    /// The text it points into.
    pub source: SourceId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// A span of byte offsets; offsets past 4 GiB are cut, which no accepted input reaches.
    pub fn new(source: SourceId, start: usize, end: usize) -> Self {
        let cut = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
        Self {
            source,
            start: cut(start),
            end: cut(end),
        }
    }

    /// The span of something that no source says, such as settings left at their defaults.
    pub fn nowhere() -> Self {
        Self {
            source: SourceId(u32::MAX),
            start: 0,
            end: 0,
        }
    }

    /// The span as a byte range.
    pub fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.end as usize
    }
}

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    /// Nothing is written, exit code 2.
    Error,
    /// Said on standard error; `--deny-warnings` makes it an error.
    Warning,
}

/// One thing that is wrong, with everything a person needs to mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Error or warning.
    pub severity: Severity,
    /// A stable, short name of this kind of problem, for tools (`unknown-key`).
    pub code: &'static str,
    /// What is wrong, in one line.
    pub message: String,
    /// The place.
    pub span: Option<Span>,
    /// What was expected there.
    pub label: String,
    /// Other places that matter (where the first of two equal keys stands), each with its text.
    pub related: Vec<(Span, String)>,
    /// What to write instead, the nearest name, the way round.
    pub help: Vec<String>,
}

impl Problem {
    /// A problem that stops the run.
    pub fn error(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Error,
            code,
            message: message.into(),
            span: None,
            label: String::new(),
            related: Vec::new(),
            help: Vec::new(),
        }
    }

    /// A problem that is only said.
    pub fn warning(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            ..Self::error(code, message)
        }
    }

    /// Sets the place.
    pub fn at(mut self, span: Span) -> Self {
        self.span = Some(span);
        self
    }

    /// Sets what was expected at the place.
    pub fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Adds a line of help.
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }

    /// Adds "did you mean" where a known name is near to what was written.
    pub fn nearest<'a>(self, written: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        match did_you_mean(written, known) {
            Some(name) => self.help(format!("did you mean `{name}`?")),
            None => self,
        }
    }

    /// Adds another place that matters.
    pub fn related(mut self, span: Span, text: impl Into<String>) -> Self {
        self.related.push((span, text.into()));
        self
    }
}

/// Collects problems, so that one run can report all of them. Equal problems count once: a shared
/// config group is evaluated for every service that uses it.
#[derive(Debug, Default)]
pub struct Problems {
    list: Vec<Problem>,
    seen: HashSet<(Option<Span>, &'static str, String)>,
    /// The first warning of each kind and wording.
    warnings: HashMap<(&'static str, String), usize>,
    errors: usize,
    /// How many files were written all the same.
    written: usize,
}

/// Places shown with a warning besides the first.
const PLACES: usize = 3;

impl Problems {
    /// Adds a problem, unless the same one is there. A warning that was given for another place
    /// becomes a place of that one.
    pub fn add(&mut self, problem: Problem) {
        let key = (problem.span, problem.code, problem.message.clone());
        if !self.seen.insert(key) {
            return;
        }
        if problem.severity == Severity::Warning {
            let kind = (problem.code, problem.message.clone());
            let first = *self.warnings.entry(kind).or_insert(self.list.len());
            if let Some(first) = self.list.get_mut(first) {
                if let Some(span) = problem.span
                    && first.related.len() < PLACES
                {
                    first.related.push((span, "and here".to_owned()));
                }
                return;
            }
        }
        self.errors += usize::from(problem.severity == Severity::Error);
        self.list.push(problem);
    }

    /// Adds all of another list.
    pub fn extend(&mut self, others: Self) {
        for problem in others.list {
            self.add(problem);
        }
    }

    /// Notes that so many files were written before what went wrong.
    pub fn wrote(&mut self, files: usize) {
        self.written += files;
    }

    /// Is there an error among them?
    pub fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// How many errors there are.
    pub fn errors(&self) -> usize {
        self.errors
    }

    /// All of them: in the order of the sources' texts, those without a place last.
    pub fn sorted(&self) -> Vec<&Problem> {
        let mut list: Vec<&Problem> = self.list.iter().collect();
        list.sort_by_key(|p| (p.span.is_none(), p.span));
        list
    }

    /// Nothing was reported.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Makes every warning an error (`--deny-warnings`).
    pub fn deny_warnings(&mut self) {
        for problem in &mut self.list {
            problem.severity = Severity::Error;
        }
        self.errors = self.list.len();
    }
}
