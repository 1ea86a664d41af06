//! Templates found by trial: from lines that were emitted with two values of each variable, the
//! places where a value stands, or a number with something added.

use std::fmt::Write as _;

/// Runs with other values: two to find the places, the others to prove them.
pub(super) const RUNS: usize = 4;

/// How a variable is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    Size,
    Number,
}

/// A variable that the chart leaves open.
#[derive(Debug, Clone)]
pub(super) struct Open {
    pub(super) name: String,
    pub(super) value: String,
    pub(super) kind: Kind,
    /// What it is tried with.
    pub(super) trials: [String; RUNS],
}

/// A piece of a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Text(String),
    /// The value of an open variable.
    Value(usize),
    /// A number with so much added.
    Sum(usize, i64),
    Namespace,
    /// The checksum of these templates.
    Checksum(Vec<String>),
}

pub(super) type Template = Vec<Piece>;

/// What a variable is tried with; none of the trials is the value at hand. Numbers stay near it,
/// since some are counts of replicas; two of one variable differ by as much as those of no other,
/// which tells whose a number is. The last are on the other side, where a limit may lie.
pub(super) fn trials(kind: Kind, at: usize, value: &str) -> Option<[String; RUNS]> {
    let step = i64::try_from(at).ok()? + 1;
    let trials: [String; RUNS] = match kind {
        Kind::Text => std::array::from_fn(|run| format!("0try{run}of{at}x")),
        Kind::Size => std::array::from_fn(|run| format!("{}Gi", 1009 + 2 * (run + RUNS * at))),
        Kind::Number => {
            let value: i64 = value.parse().ok()?;
            let below = if value > 1 {
                value - 1
            } else {
                value + 5 * step
            };
            let low = if value > 2 { 1 } else { value + 7 * step };
            [value + step, value + 2 * step, below, low].map(|n| n.to_string())
        }
    };
    (!trials.iter().any(|t| t == value)).then_some(trials)
}

/// A line of which two trials are known.
pub(super) fn line(one: &str, two: &str, open: &[Open]) -> Option<Template> {
    let (one, two) = (segments(one, 0, open), segments(two, 1, open));
    if one.len() != two.len() {
        return None;
    }
    let mut template = Template::new();
    for pair in one.into_iter().zip(two) {
        template.push(match pair {
            (Segment::Value(a), Segment::Value(b)) if a == b => Piece::Value(a),
            (Segment::Text(a), Segment::Text(b)) if a == b => Piece::Text(a),
            (Segment::Number(a), Segment::Number(b)) if a == b => Piece::Text(a),
            (Segment::Number(a), Segment::Number(b)) => {
                let (a, b) = (a.parse::<i64>().ok()?, b.parse::<i64>().ok()?);
                sum(a, b, open)?
            }
            _ => return None,
        });
    }
    Some(template)
}

/// The number variable that explains two numbers, with what is added to it.
fn sum(one: i64, two: i64, open: &[Open]) -> Option<Piece> {
    let explained = open.iter().enumerate().filter_map(|(at, o)| {
        let trial = |run: usize| o.trials.get(run)?.parse::<i64>().ok();
        let added = one - trial(0)?;
        (o.kind == Kind::Number && two - trial(1)? == added).then_some((added.abs(), at, added))
    });
    let (_, at, added) = explained.min()?;
    Some(if added == 0 {
        Piece::Value(at)
    } else {
        Piece::Sum(at, added)
    })
}

enum Segment {
    Text(String),
    Number(String),
    Value(usize),
}

/// A line of one run, taken apart at the values of text variables and at numbers.
fn segments(line: &str, run: usize, open: &[Open]) -> Vec<Segment> {
    let mut segments = Vec::new();
    let mut text = String::new();
    let mut rest = line;
    while let Some(c) = rest.chars().next() {
        let here = open.iter().enumerate().find_map(|(at, o)| {
            let trial = o.trials.get(run).filter(|_| o.kind != Kind::Number)?;
            Some((at, rest.strip_prefix(trial.as_str())?))
        });
        if let Some((at, after)) = here {
            segments.push(Segment::Text(std::mem::take(&mut text)));
            segments.push(Segment::Value(at));
            rest = after;
        } else if c.is_ascii_digit() {
            let end = rest.find(|c: char| !c.is_ascii_digit());
            let (number, after) = rest
                .split_at_checked(end.unwrap_or(rest.len()))
                .unwrap_or((rest, ""));
            segments.push(Segment::Text(std::mem::take(&mut text)));
            segments.push(Segment::Number(number.to_owned()));
            rest = after;
        } else {
            text.push(c);
            rest = rest.get(c.len_utf8()..).unwrap_or_default();
        }
    }
    segments.push(Segment::Text(text));
    segments
}

/// A template filled in, as Helm fills it in; a checksum stays away.
pub(super) fn filled(template: &Template, values: &[&str], namespace: &str) -> String {
    let mut out = String::new();
    for piece in template {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Value(at) => out.push_str(values.get(*at).copied().unwrap_or_default()),
            Piece::Sum(at, added) => {
                let value = values.get(*at).and_then(|v| v.parse::<i64>().ok());
                let _ = write!(out, "{}", value.unwrap_or_default() + added);
            }
            Piece::Namespace => out.push_str(namespace),
            Piece::Checksum(_) => {}
        }
    }
    out
}
