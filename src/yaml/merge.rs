//! Layers of one document: maps merge, lists replace, null removes.

use super::{Entry, Node, Value};

/// Lays `over` on `base`. Keys keep the place of their first appearance; a null in `over` removes
/// what `base` had (and stays, so that the reader of a single layer sees it as "not given").
pub fn merge(base: Node, over: Node) -> Node {
    match (base.value, over.value) {
        (Value::Map(mut entries), Value::Map(added)) => {
            for entry in added {
                merge_entry(&mut entries, entry);
            }
            Node {
                value: Value::Map(entries),
                span: over.span,
                scope: over.scope,
            }
        }
        (_, value) => Node {
            value,
            span: over.span,
            scope: over.scope,
        },
    }
}

fn merge_entry(entries: &mut Vec<Entry>, entry: Entry) {
    match entries.iter().position(|e| e.key == entry.key) {
        Some(at) if entry.value.is_null() => {
            entries.remove(at);
        }
        Some(at) => {
            let Some(slot) = entries.get_mut(at) else {
                return;
            };
            let base = std::mem::replace(
                &mut slot.value,
                Node {
                    value: Value::Null,
                    span: entry.key_span,
                    scope: 0,
                },
            );
            slot.value = merge(base, entry.value);
            slot.key_span = entry.key_span;
        }
        None => entries.push(entry),
    }
}
