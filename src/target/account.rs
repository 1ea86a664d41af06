//! What becomes of the fields of a blueprint on one target: [`Account`], kept while a plan is
//! lowered. It gives the warnings of what is not carried, and the table of `flokkr targets`.

use std::sync::Arc;

use camino::Utf8PathBuf;

use super::{Configured, Target};
use crate::plan::Slot;
use crate::plan::fields::{FIELDS, is_part};
use crate::problem::{Problem, Problems, Span, one_of};
use crate::resolve::Accepts;

/// What became of a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fate {
    /// The platform has another thing, with which the same is reached.
    Emulated,
    /// It is left out.
    Lost,
    /// The blueprint is refused because of it.
    Refused,
}

/// A remark on one field.
#[derive(Debug, Clone)]
pub struct Note {
    /// Which field of a service or volume or check: `health.alive`.
    pub field: &'static str,
    /// Where it is written.
    pub span: Span,
    /// What became of it.
    pub fate: Fate,
    /// How, or why not.
    pub how: String,
}

/// A variable that a process has, or lacks, on one target, whatever the plan says.
#[derive(Debug, Clone)]
pub struct Extra {
    /// The service.
    pub service: Arc<str>,
    /// The container: its place in the blueprint, which with the service tells it from all others.
    pub container: Span,
    /// The replica, when it is not all of them.
    pub replica: Option<u32>,
    /// The variable.
    pub name: Arc<str>,
    /// Its value; none for replicas that do not have it.
    pub value: Slot,
    /// Where it stands, when a patch of the blueprint sets it.
    pub span: Option<Span>,
}

/// The account of one target for one plan. What no note says is carried as it is.
#[derive(Debug)]
pub struct Account {
    /// The target's name under `targets`.
    target: &'static str,
    /// What people call the platform.
    title: &'static str,
    losses: &'static [&'static str],
    accepted: Vec<Arc<str>>,
    accepts: Accepts,
    /// What is wrong with the plan on this target.
    pub problems: Problems,
    /// Where flokkr itself must be, as a program, beside the files.
    pub programs: Vec<Utf8PathBuf>,
    notes: Vec<Note>,
    extras: Vec<Extra>,
}

impl Account {
    /// Opens an account. The losses that the blueprint accepts must be among those that the
    /// target has.
    pub fn open(target: &dyn Target, configured: &dyn Configured, accepts: &Accepts) -> Self {
        let (losses, accepted) = (target.losses(), configured.accepted());
        let mut problems = Problems::default();
        for (key, _) in accepted.iter() {
            if !losses.contains(&&*key.value) {
                problems.add(
                    Problem::error(
                        "unknown-key",
                        format!("there is no loss `{}` to accept", key.value),
                    )
                    .at(key.span)
                    .label(format!("expected {}", one_of(losses.iter().copied())))
                    .nearest(&key.value, losses.iter().copied()),
                );
            }
        }
        Self {
            target: target.name(),
            title: target.title(),
            losses,
            accepted: accepted.iter().map(|(k, _)| Arc::clone(&k.value)).collect(),
            accepts: accepts.clone(),
            problems,
            programs: Vec::new(),
            notes: Vec::new(),
            extras: Vec::new(),
        }
    }

    /// The field is not carried: a warning, unless the loss is accepted where it stands.
    pub fn lost(&mut self, field: &'static str, span: Span, what: &str) {
        debug_assert!(self.losses.contains(&field), "{field} is not in the list");
        self.note(field, span, Fate::Lost, what);
        let stated = self.accepted.iter().any(|a| **a == *field);
        if !(stated && self.accepts.cover(self.target, field, span)) {
            let Self { target, title, .. } = self;
            self.problems.add(
                Problem::warning("not-carried", format!("{title} does not carry this: {what}"))
                    .at(span)
                    .label("left out")
                    .help(format!(
                        "if that is fine, say so: targets: {{ {target}: {{ accept: {{ {field}: why }} }} }}"
                    )),
            );
        }
    }

    /// The field is carried by something else of the same effect.
    pub fn emulated(&mut self, field: &'static str, span: Span, how: &str) {
        self.note(field, span, Fate::Emulated, how);
    }

    /// The field can't be carried, and leaving it out would make another cluster.
    pub fn refused(&mut self, field: &'static str, span: Span, problem: Problem) {
        self.note(field, span, Fate::Refused, &problem.message);
        self.problems.add(problem);
    }

    /// A process is given another environment than the plan says.
    pub fn extra(&mut self, extra: Extra) {
        self.extras.push(extra);
    }

    /// What environments have, and lack, beside what the plan says; what is said later counts.
    pub fn extras(&self) -> &[Extra] {
        &self.extras
    }

    /// The remarks so far.
    pub fn notes(&self) -> &[Note] {
        &self.notes
    }

    fn note(&mut self, field: &'static str, span: Span, fate: Fate, how: &str) {
        debug_assert!(
            FIELDS.iter().any(|f| is_part(f, field)),
            "{field} is no field of a plan"
        );
        self.notes.push(Note {
            field,
            span,
            fate,
            how: how.to_owned(),
        });
    }
}
