//! The fields of one mapping while it is read: unknown keys are reported at once, each field is
//! taken by its key, missing ones that are required are reported.

use super::read::{Read, Reader};
use crate::problem::{Problem, Span, one_of};
use crate::yaml::{Node, Value};

/// A mapping whose keys are known.
pub struct Fields<'n> {
    node: &'n Node,
    /// No unknown key was found.
    pub whole: bool,
}

impl<'n> Fields<'n> {
    /// Checks that the node is a mapping with no other keys than these.
    pub fn of(node: &'n Node, keys: &[&'static str], reader: &mut Reader<'_>) -> Option<Self> {
        let whole = match &node.value {
            Value::Null => true,
            Value::Map(entries) => {
                let unknown: Vec<_> = entries
                    .iter()
                    .filter(|e| !keys.contains(&&*e.key))
                    .collect();
                for entry in &unknown {
                    reader.problems.add(
                        unknown_key(&entry.key, entry.key_span, keys.iter().copied()),
                    );
                }
                unknown.is_empty()
            }
            Value::Scalar(_) | Value::List(_) => {
                let what = format!("a mapping with {}", one_of(keys.iter().copied()));
                return reader.expected(node, &what);
            }
        };
        Some(Self { node, whole })
    }

    /// Reads one field; a null is the same as an absent key.
    pub fn field<T: Read>(&mut self, key: &'static str, reader: &mut Reader<'_>) -> Option<T> {
        let given = self.node.get(key).filter(|n| !n.is_null());
        if let Some(node) = given {
            return T::read(node, reader);
        }
        let missing = T::missing();
        if missing.is_none() {
            reader.problems.add(
                Problem::error("missing-key", format!("`{key}` is missing"))
                    .at(self.node.span)
                    .label(format!("expected the key `{key}` in this mapping")),
            );
        }
        missing
    }
}


/// The problem of a key that the language does not have.
pub fn unknown_key<'a>(
    key: &str,
    span: Span,
    known: impl IntoIterator<Item = &'a str> + Clone,
) -> Problem {
    Problem::error("unknown-key", format!("unknown key `{key}`"))
        .at(span)
        .label(format!("expected {}", one_of(known.clone())))
        .nearest(key, known)
}
