//! Evaluated text: [`Value`], in which secrets stay opaque, and [`Each`], which says what differs
//! from replica to replica.

use std::fmt;
use std::sync::Arc;

/// The text of a process's variable, word or file. A secret in it is a token that only a target
/// may fill; there is no way to its bytes here.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Value(Arc<str>);

/// A piece of a [`Value`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part<'a> {
    /// Text.
    Text(&'a str),
    /// The name of a secret that stands here.
    Secret(&'a str),
}

/// Stands before a secret's name; NUL can't occur in a blueprint, so nobody else writes it.
const OPEN: &str = "\0secret:";
const CLOSE: char = '\0';

impl Value {
    /// A text, or one with tokens made by [`Value::token`].
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The token of a secret.
    pub(super) fn token(name: &str) -> String {
        format!("{OPEN}{name}{CLOSE}")
    }

    /// A secret and nothing else.
    pub fn secret(name: &str) -> Self {
        Self::new(Self::token(name))
    }

    /// The text, unless a secret is in it.
    pub fn plain(&self) -> Option<&str> {
        (!self.has_secret()).then_some(&self.0)
    }

    /// Is there a secret in it?
    pub fn has_secret(&self) -> bool {
        self.0.contains('\0')
    }

    /// The text with its tokens: for what passes text on without looking into it.
    pub(crate) fn raw(&self) -> &str {
        &self.0
    }

    /// The pieces, in order.
    pub fn parts(&self) -> impl Iterator<Item = Part<'_>> {
        let mut rest: &str = &self.0;
        std::iter::from_fn(move || {
            if rest.is_empty() {
                return None;
            }
            if let Some(after) = rest.strip_prefix(OPEN)
                && let Some((name, tail)) = after.split_once(CLOSE)
            {
                rest = tail;
                return Some(Part::Secret(name));
            }
            let (text, tail) = rest
                .find(OPEN)
                .filter(|at| *at > 0)
                .and_then(|at| rest.split_at_checked(at))
                .unwrap_or((rest, ""));
            rest = tail;
            Some(Part::Text(text))
        })
    }

    /// Whole tokens in it, and whether a NUL is left outside of them.
    pub(super) fn tokens(text: &str) -> (usize, bool) {
        let value = Self::new(text);
        value
            .parts()
            .fold((0, false), |(count, broken), part| match part {
                Part::Secret(_) => (count + 1, broken),
                Part::Text(text) => (count, broken || text.contains('\0')),
            })
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

/// One value for all replicas, or one for each.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Each<T> {
    /// The same for all.
    Same(T),
    /// One for each, in the order of their indexes; at least one differs.
    Replica(Vec<T>),
}

/// A value that a replica may lack (`{{ omit }}`).
pub type Slot = Each<Option<Value>>;

impl<T: PartialEq + Clone> Each<T> {
    /// From one value for each replica; equal ones become `Same`.
    pub fn of(values: Vec<T>) -> Option<Self> {
        let first = values.first()?.clone();
        if values.iter().all(|v| *v == first) {
            Some(Self::Same(first))
        } else {
            Some(Self::Replica(values))
        }
    }
}

impl<T> Each<T> {
    /// The value of a replica.
    pub fn get(&self, replica: u32) -> Option<&T> {
        match self {
            Self::Same(value) => Some(value),
            Self::Replica(values) => values.get(replica as usize),
        }
    }

    /// All values that occur.
    pub fn all(&self) -> &[T] {
        match self {
            Self::Same(value) => std::slice::from_ref(value),
            Self::Replica(values) => values,
        }
    }
}

impl Each<Option<Value>> {
    /// The value of a replica, if it has one.
    pub fn value(&self, replica: u32) -> Option<&Value> {
        self.get(replica).and_then(Option::as_ref)
    }
}
