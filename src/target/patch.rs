//! The way out for what flokkr does not model: a part of a blueprint laid over what is emitted.
//! Maps merge, lists replace, null removes; texts go out as they stand.

use crate::emit::yaml::Yaml;
use crate::template::{ValueKind, plain_value};
use crate::yaml::{Node, Value};

/// Lays a patch, which is a mapping, over an emitted mapping.
pub(super) fn apply(value: &mut Yaml, patch: &Node) {
    for entry in patch.entries() {
        lay(value, &entry.key, &entry.value);
    }
}

fn lay(value: &mut Yaml, key: &str, patch: &Node) {
    let Yaml::Map(entries) = value else {
        return;
    };
    let at = entries.iter().position(|(k, _)| k == key);
    match (&patch.value, at) {
        (Value::Null, Some(at)) => {
            entries.remove(at);
        }
        (Value::Null, None) => {}
        (Value::Map(inner), Some(at)) => {
            let Some((_, below)) = entries.get_mut(at) else {
                return;
            };
            if matches!(below, Yaml::Map(_)) {
                for entry in inner {
                    lay(below, &entry.key, &entry.value);
                }
            } else {
                *below = converted(patch);
            }
        }
        (_, Some(at)) => {
            if let Some((_, below)) = entries.get_mut(at) {
                *below = converted(patch);
            }
        }
        (_, None) => entries.push((key.to_owned(), converted(patch))),
    }
}

/// A node as it goes out: what was written plain and reads as a number or boolean is one.
fn converted(node: &Node) -> Yaml {
    match &node.value {
        Value::Null => Yaml::Plain("null".to_owned()),
        Value::List(items) => Yaml::List(items.iter().map(converted).collect()),
        Value::Map(entries) => Yaml::Map(
            entries
                .iter()
                .map(|e| (e.key.to_string(), converted(&e.value)))
                .collect(),
        ),
        Value::Scalar(scalar) => {
            let typed = matches!(
                plain_value(&scalar.text).kind(),
                ValueKind::Number | ValueKind::Bool
            );
            if scalar.plain && typed {
                Yaml::Plain(scalar.text.to_string())
            } else {
                Yaml::Text(scalar.text.to_string())
            }
        }
    }
}
