//! An engine error in the words of a blueprint's author.

use std::collections::HashSet;
use std::ops::Range;

use minijinja::{Error, ErrorKind};

use crate::problem::{Problem, Sources, Span, one_of};

/// How the message of a syntax error begins.
const UNPARSED: &str = "this template does not parse";

/// Why a template has no value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What is wrong.
    pub message: String,
    /// Where in the template's text, in bytes.
    pub range: Option<Range<usize>>,
    /// Names that the template looks up; the caller, who knows which exist, picks the missing one.
    pub names: Vec<String>,
}

impl Failure {
    /// A failure without a place.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            range: None,
            names: Vec::new(),
        }
    }

    pub(super) fn of(error: &Error, template: &str, names: Option<HashSet<String>>) -> Self {
        let range = error
            .range()
            .filter(|r| r.start < r.end && template.get(r.clone()).is_some());
        let shown = range
            .clone()
            .and_then(|r| template.get(r))
            .unwrap_or("")
            .trim();
        let detail = error.detail().unwrap_or("");
        let message = match error.kind() {
            ErrorKind::UndefinedError if !shown.is_empty() => format!("`{shown}` is not defined"),
            ErrorKind::UndefinedError => "a name in this template is not defined".to_owned(),
            ErrorKind::SyntaxError => {
                let detail = detail
                    .replace("end of variable block", "`}}`")
                    .replace("end of input", "end of the text");
                format!("{UNPARSED}: {detail}")
            }
            ErrorKind::UnknownFunction if detail.ends_with(" is unknown") => {
                format!(
                    "`{}` is not defined",
                    detail.trim_end_matches(" is unknown")
                )
            }
            ErrorKind::OutOfFuel => "this template does not come to an end".to_owned(),
            ErrorKind::MissingArgument => "an argument is missing in this call".to_owned(),
            ErrorKind::TooManyArguments => "this call has too many arguments".to_owned(),
            kind if detail.is_empty() => kind.to_string(),
            _ => detail.to_owned(),
        };
        let mut names: Vec<String> = names.unwrap_or_default().into_iter().collect();
        names.sort();
        Self {
            message,
            range,
            names,
        }
    }
}

impl Failure {
    /// The failure as a problem at its place in the source.
    /// `text` is the template as the YAML reader gave it, `span` where it stands, `known` every
    /// name that would have been right.
    pub fn problem(
        &self,
        text: &str,
        span: Span,
        sources: &Sources,
        known: &dyn Fn() -> Vec<String>,
    ) -> Problem {
        let at = self
            .range
            .clone()
            .and_then(|range| locate(text, span, range, sources))
            .unwrap_or(span);
        let mut problem = Problem::error("template", self.message.clone()).at(at);
        if self.message.starts_with(UNPARSED) {
            problem = problem.help("two braces that are no template are written {{ '{{' }}");
        }
        if self.names.is_empty() {
            return problem;
        }
        let known = known();
        let unknown = self.names.iter().find(|n| !known.contains(n));
        if let Some(name) = unknown {
            problem.message = format!("`{name}` is not defined");
            problem.code = "undefined";
            problem = problem
                .label("expected a variable of `vars`, or one of the functions")
                .nearest(name, known.iter().map(String::as_str))
                .help(format!(
                    "known here: {}",
                    one_of(known.iter().map(String::as_str))
                ));
        }
        problem
    }
}

/// Where a range of the template's text stands in its source: exact for scalars that YAML does
/// not rewrite, else the same words if they occur there once.
fn locate(text: &str, span: Span, range: Range<usize>, sources: &Sources) -> Option<Span> {
    let raw = sources.slice(span)?;
    if let Some(offset) = raw.find(text) {
        let start = span.start as usize + offset + range.start;
        return Some(Span::new(span.source, start, start + range.len()));
    }
    let words = text.get(range)?.trim();
    let mut found = raw.match_indices(words);
    let (first, _) = found.next()?;
    if words.is_empty() || found.next().is_some() {
        return None;
    }
    let start = span.start as usize + first;
    Some(Span::new(span.source, start, start + words.len()))
}
