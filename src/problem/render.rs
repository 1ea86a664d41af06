//! How problems are printed: for a person (the source line with the place marked) and for a tool
//! (one JSON object a line). Decides nothing about what is a problem.

use std::borrow::Cow;
use std::collections::HashMap;
use std::fmt::Write as _;

use annotate_snippets::{AnnotationKind, Element, Level, Renderer, Snippet};
use serde_json::json;

use super::{Problem, Problems, Severity, Source, SourceId, Sources, Span};

/// Whether a terminal shows colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Plain text.
    Plain,
    /// ANSI colours; the caller's stream strips them where they can't be shown.
    Colour,
}

/// More than this many problems are counted, not shown.
const SHOWN: usize = 50;
/// Longer source lines are cut around the mark, so that a 100 kB value does not fill the screen.
const WIDTH: usize = 140;

/// All problems as text, the last line a count.
pub fn text(problems: &Problems, sources: &Sources, style: Style) -> String {
    let renderer = match style {
        Style::Plain => Renderer::plain(),
        Style::Colour => Renderer::styled(),
    }
    .term_width(WIDTH);
    let mut out = String::new();
    let list = problems.sorted();
    for problem in list.iter().take(SHOWN) {
        out.push_str(&one(problem, sources, &renderer));
        out.push_str("\n\n");
    }
    if list.len() > SHOWN {
        let _ = write!(out, "... and {} more\n\n", list.len() - SHOWN);
    }
    out.push_str(&summary(problems));
    out
}

fn summary(problems: &Problems) -> String {
    let errors = problems.errors();
    let warnings = problems.list.len() - errors;
    let count = |n: usize, word: &str| match n {
        0 => None,
        1 => Some(format!("1 {word}")),
        n => Some(format!("{n} {word}s")),
    };
    let parts: Vec<String> = [count(errors, "error"), count(warnings, "warning")]
        .into_iter()
        .flatten()
        .collect();
    if parts.is_empty() {
        return String::new();
    }
    let end = match (errors, problems.written) {
        (0, _) => String::new(),
        (_, 0) => "; nothing was written".to_owned(),
        (_, 1) => "; 1 file was written before".to_owned(),
        (_, written) => format!("; {written} files were written before"),
    };
    format!("{}{end}\n", parts.join(", "))
}

fn one(problem: &Problem, sources: &Sources, renderer: &Renderer) -> String {
    let level = match problem.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let mut elements: Vec<Element<'_>> = Vec::new();
    if let Some((span, source)) = place(problem.span, sources) {
        let mut snippet = Snippet::source(&*source.text)
            .path(&*source.name)
            .annotation(
                AnnotationKind::Primary
                    .span(visible(span, &source.text))
                    .label((!problem.label.is_empty()).then_some(problem.label.as_str())),
            );
        let (same, other): (Vec<_>, Vec<_>) = problem
            .related
            .iter()
            .partition(|(related, _)| related.source == span.source);
        for (related, label) in same {
            snippet = snippet.annotation(
                AnnotationKind::Context
                    .span(visible(*related, &source.text))
                    .label(label.as_str()),
            );
        }
        elements.push(snippet.into());
        for (related, label) in other {
            if let Some((related, source)) = place(Some(*related), sources) {
                elements.push(
                    Snippet::source(&*source.text)
                        .path(&*source.name)
                        .annotation(
                            AnnotationKind::Context
                                .span(visible(related, &source.text))
                                .label(label.as_str()),
                        )
                        .into(),
                );
            }
        }
    } else if !problem.label.is_empty() {
        elements.push(Level::NOTE.message(problem.label.as_str()).into());
    }
    for help in &problem.help {
        elements.push(Level::HELP.message(help.as_str()).into());
    }
    let title = title(&problem.message);
    let group = level.primary_title(title.as_ref()).elements(elements);
    renderer.render(&[group])
}

/// A message on one line: what it names may be long, and may have line ends.
fn title(message: &str) -> Cow<'_, str> {
    let count = message.chars().count();
    if count <= LONGEST_TITLE && !message.contains(char::is_control) {
        return message.into();
    }
    let mut out = String::new();
    for (at, c) in message.chars().enumerate() {
        let skipped = TITLE_END..count.saturating_sub(TITLE_END);
        if count > LONGEST_TITLE && skipped.contains(&at) {
            if at == skipped.start {
                out.push_str("...");
            }
        } else if c.is_control() {
            out.extend(c.escape_debug());
        } else {
            out.push(c);
        }
    }
    out.into()
}

fn place(span: Option<Span>, sources: &Sources) -> Option<(Span, &Source)> {
    let span = span?;
    let source = sources.get(span.source)?;
    Some((span, source))
}

/// What is marked: the first line of the span only, never past the end of the text.
fn visible(span: Span, text: &str) -> std::ops::Range<usize> {
    let start = (span.start as usize).min(text.len());
    let end = (span.end as usize).clamp(start, text.len());
    let marked = text.get(start..end).unwrap_or("");
    let first = marked.lines().next().unwrap_or("").trim_end();
    start..start + first.len()
}

/// All problems as JSON, one object a line: `severity`, `code`, `message`, `expected`, `help`,
/// `related` (other places, each with its `message`), `file`, `line`, `column`, `end_line`, `end_column` (from 1, characters), `source_line`
/// (unless it is very long).
pub fn json(problems: &Problems, sources: &Sources) -> String {
    let mut out = String::new();
    let mut lines = Lines::new(sources);
    for problem in problems.sorted() {
        let mut object = json!({
            "severity": match problem.severity { Severity::Error => "error", Severity::Warning => "warning" },
            "code": problem.code,
            "message": problem.message,
        });
        if let Some(fields) = object.as_object_mut() {
            if !problem.label.is_empty() {
                fields.insert("expected".into(), problem.label.clone().into());
            }
            if !problem.help.is_empty() {
                fields.insert("help".into(), problem.help.clone().into());
            }
            if let Some((span, source)) = place(problem.span, sources) {
                location(fields, span, source, &mut lines);
            }
            let related: Vec<serde_json::Value> = problem
                .related
                .iter()
                .filter_map(|(span, text)| {
                    let (span, source) = place(Some(*span), sources)?;
                    let mut fields = serde_json::Map::new();
                    fields.insert("message".into(), text.clone().into());
                    location(&mut fields, span, source, &mut lines);
                    Some(fields.into())
                })
                .collect();
            if !related.is_empty() {
                fields.insert("related".into(), related.into());
            }
        }
        out.push_str(&object.to_string());
        out.push('\n');
    }
    out
}

/// Longer messages are shown without their middle.
const LONGEST_TITLE: usize = 500;

/// So much of a long message is shown of its beginning and its end.
const TITLE_END: usize = 200;

/// Longer lines are not repeated: there may be a problem in each of their words.
const LONGEST_LINE: usize = 10_000;

/// Where the lines of sources begin, found once for each.
pub struct Lines<'s> {
    sources: &'s Sources,
    starts: HashMap<SourceId, Vec<usize>>,
}

impl<'s> Lines<'s> {
    /// Of these sources.
    pub fn new(sources: &'s Sources) -> Self {
        Self {
            sources,
            starts: HashMap::new(),
        }
    }

    /// Line and column of the first byte of a span, both from 1.
    pub fn of(&mut self, span: Span) -> Option<(usize, usize)> {
        let (line, column, _) = self.position(span.source, span.start as usize)?;
        Some((line, column))
    }

    /// Line and column of a byte, both from 1, and the text of the line; the column counts
    /// characters.
    fn position(&mut self, source: SourceId, at: usize) -> Option<(usize, usize, &'s str)> {
        let text = &*self.sources.get(source)?.text;
        let starts = self.starts.entry(source).or_insert_with(|| {
            let ends = text.match_indices('\n').map(|(at, _)| at + 1);
            std::iter::once(0).chain(ends).collect()
        });
        let line = starts.partition_point(|start| *start <= at);
        let start = *starts.get(line.checked_sub(1)?)?;
        let column = text.get(start..at)?.chars().count() + 1;
        let whole = text.get(start..)?.lines().next().unwrap_or("");
        Some((line, column, whole))
    }
}

fn location(
    fields: &mut serde_json::Map<String, serde_json::Value>,
    span: Span,
    source: &Source,
    lines: &mut Lines<'_>,
) {
    let (start, end) = (span.start as usize, span.end.max(span.start) as usize);
    let (line, column, text) = lines.position(span.source, start).unwrap_or((1, 1, ""));
    let (end_line, end_column, _) = lines
        .position(span.source, end)
        .unwrap_or((line, column, ""));
    fields.insert("file".into(), source.name.clone().into());
    fields.insert("line".into(), line.into());
    fields.insert("column".into(), column.into());
    fields.insert("end_line".into(), end_line.into());
    fields.insert("end_column".into(), end_column.into());
    if text.len() <= LONGEST_LINE {
        fields.insert("source_line".into(), text.into());
    }
}
