//! YAML text as a tree in which every node knows where it stands: [`Node`].
//!
//! Owns reading (anchors, merge keys, duplicate keys, limits on depth and size) and the rule that
//! a plain scalar is the text that was written: `0777`, `1.10`, `yes` stay as they are.
//! Leaves the meaning of keys to `blueprint`, and writing YAML to `emit`.
//! May fail with syntax, duplicate keys, unknown anchors and exceeded limits, as `Problem`s.

mod merge;
mod read;

use std::sync::Arc;

pub use merge::merge;
pub use read::read;

use crate::problem::Span;

/// One place in a document.
#[derive(Debug, Clone)]
pub struct Node {
    /// What stands there.
    pub value: Value,
    /// Where.
    pub span: Span,
    /// Which plugin instance brought it (0: none), so that `params` can be found again.
    pub scope: u32,
}

/// The three kinds of YAML nodes, and null.
#[derive(Debug, Clone)]
pub enum Value {
    /// Plain `null`, `~` or nothing at all.
    Null,
    /// Any other scalar, as it was written.
    Scalar(Scalar),
    /// A sequence.
    List(Vec<Node>),
    /// A mapping, in the order written.
    Map(Vec<Entry>),
}

/// A scalar's text and whether it was written without quotes.
#[derive(Debug, Clone)]
pub struct Scalar {
    /// The text, after YAML's own escapes.
    pub text: Arc<str>,
    /// No quotes, no block: the reader of a typed value may take it for a number or a boolean.
    pub plain: bool,
}

/// One key of a mapping with its value.
#[derive(Debug, Clone)]
pub struct Entry {
    /// The key's text.
    pub key: Arc<str>,
    /// Where the key stands.
    pub key_span: Span,
    /// What it holds.
    pub value: Node,
}

impl Node {
    /// The value under a key, if this is a mapping that has it.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.entry(key).map(|e| &e.value)
    }

    /// The entry of a key, if this is a mapping that has it.
    pub fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|e| &*e.key == key)
    }

    /// The entries of a mapping; of anything else none.
    pub fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Map(entries) => entries,
            _ => &[],
        }
    }

    /// The text of a scalar.
    pub fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar(scalar) => Some(&scalar.text),
            _ => None,
        }
    }

    /// Is it null?
    pub fn is_null(&self) -> bool {
        matches!(self.value, Value::Null)
    }

    /// What a person calls this kind of node.
    pub fn kind(&self) -> &'static str {
        match self.value {
            Value::Null => "nothing",
            Value::Scalar(_) => "a text",
            Value::List(_) => "a list",
            Value::Map(_) => "a mapping",
        }
    }

    /// Marks this node and all below it as brought by a plugin instance.
    pub fn set_scope(&mut self, scope: u32) {
        self.scope = scope;
        match &mut self.value {
            Value::List(items) => items.iter_mut().for_each(|n| n.set_scope(scope)),
            Value::Map(entries) => entries.iter_mut().for_each(|e| e.value.set_scope(scope)),
            Value::Null | Value::Scalar(_) => {}
        }
    }
}
