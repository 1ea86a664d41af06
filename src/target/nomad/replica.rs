//! What differs from replica to replica, written once for the group: by the index of the
//! allocation where that gives every replica its value, else by a lookup with it.
//!
//! Which places can look something up (seen with Nomad 1.11.3):
//! - options of the driver, which are expressions: `${["a", "b"][NOMAD_ALLOC_INDEX]}`;
//! - templates: files, and variables whose names have no dash (`env = true` refuses others);
//! - scripts of steps.
//!
//! Variables with dashes, names of services and paths of checks are only replaced, so that
//! the index itself is all that can differ there. Where a blueprint asks for more, each replica
//! becomes a job.

use super::model::Text;
use super::template;
use super::text::{INDEX, Unfit, apart, is_normal, joined, option, replaced};
use crate::emit::hcl::{self, Piece};
use crate::plan::{Deliverer, Each, Probe, Service, Slot, Value};
use crate::problem::{Problems, Span};
use crate::target::{self, fit};

/// The replicas that a group is for: all, or one that is a job of its own.
#[derive(Debug, Clone, Copy)]
pub(super) struct Covered {
    pub(super) first: u32,
    pub(super) count: u32,
}

impl Covered {
    /// What differs among them.
    pub(super) fn pick<T: PartialEq + Clone>(self, each: &Each<T>) -> Option<Each<T>> {
        let values = self.indexes().map(|i| each.get(i).cloned());
        Each::of(values.collect::<Option<Vec<T>>>()?)
    }

    /// Their indexes among all replicas of the service.
    pub(super) fn indexes(self) -> std::ops::Range<u32> {
        self.first..self.first + self.count
    }

    /// The texts of the index, by replica.
    pub(super) fn tokens(self) -> Vec<Vec<String>> {
        vec![self.indexes().map(|i| i.to_string()).collect()]
    }

    /// The index as a part of a name: of one replica alone it is known.
    pub(super) fn index(self) -> Piece {
        if self.count == 1 {
            Piece::Text(self.first.to_string())
        } else {
            Piece::reference(INDEX)
        }
    }

    /// A text that ends with the index.
    pub(super) fn numbered(self, name: &str) -> Text {
        joined(vec![Piece::Text(format!("{name}-")), self.index()])
    }
}

/// Bytes of the values of all replicas in which numbers are looked for: the search has a step for
/// each character, and larger texts are written out per replica.
const SEARCHED: usize = 1 << 18;

/// The pieces that give every replica its value, if there are any, in texts of a bearable size.
pub(super) fn fitted(values: &[&Value], tokens: &[Vec<String>]) -> Option<Vec<target::Piece>> {
    let size: usize = values.iter().map(|v| v.raw().len()).sum();
    (size <= SEARCHED).then(|| fit(values, tokens)).flatten()
}

/// The pieces in which only the index differs, each text spelled for its place.
fn by_index(
    values: &[&Value],
    covered: Covered,
    spell: impl Fn(&str) -> Result<Text, Unfit>,
) -> Option<Result<Text, Unfit>> {
    let pieces = fitted(values, &covered.tokens())?;
    let mut text = Text::new();
    for piece in pieces {
        match piece {
            target::Piece::Text(part) => match spell(&part) {
                Ok(part) => text.extend(part),
                Err(unfit) => return Some(Err(unfit)),
            },
            target::Piece::Token(_) => text.push(Piece::reference(INDEX)),
            target::Piece::Secret(_) => return None,
        }
    }
    Some(Ok(text))
}

/// A text of all replicas in a place that is only replaced; `None` where that can't carry it.
pub(super) fn replaced_slot(slot: &Slot, covered: Covered) -> Option<Result<Text, Unfit>> {
    match covered.pick(slot)? {
        Each::Same(value) => Some(replaced(value?.plain()?)),
        Each::Replica(values) => {
            let values: Vec<&Value> = values.iter().map(Option::as_ref).collect::<Option<_>>()?;
            by_index(&values, covered, replaced).map(|text| text.map(joined))
        }
    }
}

/// A text of all replicas in an option of the driver.
pub(super) fn option_text(values: &Each<Value>, covered: Covered) -> Result<Text, Unfit> {
    match values {
        Each::Same(value) => option(value.raw()),
        Each::Replica(values) => {
            let all: Vec<&Value> = values.iter().collect();
            if let Some(text) = by_index(&all, covered, option) {
                return text.map(apart);
            }
            let written: Result<Vec<String>, Unfit> =
                values.iter().map(|v| quoted(v.raw())).collect();
            Ok(lookup(&written?))
        }
    }
}

/// A list of texts, which may have as many for one replica as for another, as one expression.
pub(super) fn option_lists(lists: &[Vec<Value>]) -> Result<Text, Unfit> {
    let mut written = Vec::with_capacity(lists.len());
    for list in lists {
        let words = list.iter().map(|w| quoted(w.raw()));
        let words: Result<Vec<String>, Unfit> = words.collect();
        written.push(format!("[{}]", words?.join(", ")));
    }
    Ok(lookup(&written))
}

/// A text in an expression of the driver's options.
fn quoted(text: &str) -> Result<String, Unfit> {
    if is_normal(text) {
        Ok(hcl::quoted_apart(text))
    } else {
        option(text).and(Err(Unfit::Decomposed))
    }
}

/// The expression that gives each replica its own.
fn lookup(written: &[String]) -> Text {
    let text = format!("${{[{}][{INDEX}]}}", written.join(", "));
    vec![Piece::Text(text)]
}

/// How a variable is carried.
#[derive(Debug)]
pub(super) enum Carrier {
    /// No replica has it.
    Absent,
    /// In `env`.
    Env(Result<Text, Unfit>),
    /// By a template: it has a secret, or looks something up.
    Template,
}

/// How a variable of all replicas is carried; `None` when one group can't.
pub(super) fn variable(name: &str, slot: &Slot, covered: Covered) -> Option<Carrier> {
    let each = covered.pick(slot)?;
    if each.all().iter().all(Option::is_none) {
        return Some(Carrier::Absent);
    }
    let present = || each.all().iter().flatten();
    let written = present().all(|v| template::takes(name, v.raw()));
    match replaced_slot(slot, covered) {
        // What the parser would change stands as base64 in a template.
        Some(Err(_)) if written => return Some(Carrier::Template),
        Some(text) => return Some(Carrier::Env(text)),
        None => {}
    }
    // Whether a secret can stand there at all is asked later, and of one value only.
    let secret = matches!(&each, Each::Same(_)) && present().any(Value::has_secret);
    (written || secret).then_some(Carrier::Template)
}

/// All reasons why the replicas of a service can't be one group, and where they stand; `commands`: checks
/// of commands are carried.
pub(super) fn obstacles(
    service: &Service,
    commands: bool,
    deliverer: &mut Deliverer,
) -> Vec<(Span, String)> {
    let mut found = Vec::new();
    let covered = Covered {
        first: 0,
        count: service.replicas,
    };
    // What is wrong with them is said when they are lowered.
    let mut unsaid = Problems::default();
    let sidecars = service.sidecars.iter().map(|s| &s.container);
    let steps = service.inits.iter().map(|i| &i.container);
    for container in [&service.main].into_iter().chain(sidecars).chain(steps) {
        let across = deliverer.across(container, service.replicas, &mut unsaid);
        for entry in &across.env {
            if variable(&entry.name, &entry.value, covered).is_none() {
                let why = format!(
                    "the replicas differ in the variable `{}` by more than their index",
                    entry.name
                );
                found.push((entry.span, why));
            }
        }
        let partly = |file: &&crate::plan::FileOfAll| {
            file.content.all().iter().any(Option::is_none)
                && file.content.all().iter().any(Option::is_some)
        };
        for file in across.files.iter().filter(partly) {
            let why = format!("only some replicas have the file {}", file.path);
            found.push((file.span, why));
        }
        let health = container.health.iter();
        let checks = health
            .flat_map(|h| [&h.start, &h.ready, &h.alive])
            .flatten();
        for check in checks {
            let slots: Vec<&Slot> = match &check.probe {
                Probe::Http(_, _, path) => vec![path],
                Probe::Command(words) if commands => words.words.iter().collect(),
                Probe::Tcp(..) | Probe::Command(_) => Vec::new(),
            };
            if slots.into_iter().any(|slot| differs(slot, covered)) {
                let why = "the replicas differ in a check by more than their index".to_owned();
                found.push((check.span, why));
            }
        }
    }
    if let Some(placement) = &service.placement {
        let differing = placement.nodes.iter();
        for (key, _) in differing.filter(|(_, value)| differs(value, covered)) {
            let why = format!("the replicas differ in the node's `{key}` by more than their index");
            found.push((placement.span, why));
        }
    }
    found
}

/// Does a text that is only replaced differ by more than the index?
fn differs(slot: &Slot, covered: Covered) -> bool {
    let several = matches!(covered.pick(slot), Some(Each::Replica(_)));
    several && replaced_slot(slot, covered).is_none()
}
