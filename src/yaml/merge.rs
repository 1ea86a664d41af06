//! Layers of one document: maps merge, lists replace, null removes.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Entry, Node, Value};

/// Keys of two mappings that are searched one by one before a table is made of them.
const FEW: usize = 32;

/// Lays `over` on `base`. Keys keep the place of their first appearance; a null in `over` removes
/// what `base` had (and stays, so that the reader of a single layer sees it as "not given").
pub fn merge(base: Node, over: Node) -> Node {
    let value = match (base.value, over.value) {
        (Value::Map(base), Value::Map(over)) => Value::Map(merge_entries(base, over)),
        (_, value) => value,
    };
    Node {
        value,
        span: over.span,
        scope: over.scope,
    }
}

fn merge_entries(base: Vec<Entry>, over: Vec<Entry>) -> Vec<Entry> {
    let mut places = (base.len() + over.len() > FEW).then(|| {
        let keys = base.iter().enumerate();
        let places = keys.map(|(at, e)| (Arc::clone(&e.key), at));
        places.collect::<HashMap<Arc<str>, usize>>()
    });
    let mut entries: Vec<Option<Entry>> = base.into_iter().map(Some).collect();
    for entry in over {
        let at = match &places {
            Some(places) => places.get(&entry.key).copied(),
            None => entries
                .iter()
                .position(|e| e.as_ref().is_some_and(|e| e.key == entry.key)),
        };
        let slot = at.and_then(|at| entries.get_mut(at));
        match slot.and_then(|slot| Some((slot.take()?, slot))) {
            Some(_) if entry.value.is_null() => {}
            Some((below, slot)) => {
                *slot = Some(Entry {
                    key: below.key,
                    key_span: entry.key_span,
                    value: merge(below.value, entry.value),
                });
            }
            None => {
                if let Some(places) = &mut places {
                    places.insert(Arc::clone(&entry.key), entries.len());
                }
                entries.push(Some(entry));
            }
        }
    }
    entries.into_iter().flatten().collect()
}
