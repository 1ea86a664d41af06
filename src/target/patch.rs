//! The way out for what flokkr does not model: a part of a blueprint laid over what is emitted.
//! Maps merge, lists replace, null removes; texts go out as they stand. A mapping laid over a list of
//! named things, such as containers, changes those by their names; so does one over a list of
//! `NAME=VALUE`, which is how Compose gets pairs when a name could be misread as a key.

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
            match below {
                Yaml::Map(_) => {
                    for entry in inner {
                        lay(below, &entry.key, &entry.value);
                    }
                }
                Yaml::List(items) if items.iter().all(|i| i.get("name").is_some()) => {
                    for entry in inner {
                        lay_item(items, &entry.key, &entry.value);
                    }
                }
                Yaml::List(items) if items.iter().all(|i| pair_of(i).is_some()) => {
                    for entry in inner {
                        lay_pair(items, &entry.key, &entry.value);
                    }
                }
                _ => *below = converted(patch),
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

/// Lays a patch over the item of this name; a new one is added.
fn lay_item(items: &mut Vec<Yaml>, name: &str, patch: &Node) {
    let called = |item: &Yaml| matches!(item.get("name"), Some(Yaml::Text(text) | Yaml::Plain(text)) if text == name);
    let at = items.iter().position(called);
    match (at.and_then(|at| items.get_mut(at)), &patch.value) {
        (Some(_), Value::Null) => items.retain(|i| !called(i)),
        (Some(item), Value::Map(_)) => apply(item, patch),
        (None, Value::Map(_)) => {
            let mut item = Yaml::Map(vec![("name".to_owned(), Yaml::text(name))]);
            apply(&mut item, patch);
            items.push(item);
        }
        _ => {}
    }
}

/// The name and the value of an item that is a pair.
fn pair_of(item: &Yaml) -> Option<(&str, &str)> {
    match item {
        Yaml::Text(text) => text.split_once('='),
        _ => None,
    }
}

/// Lays a patch over the pair of this name; a new one is added.
fn lay_pair(items: &mut Vec<Yaml>, name: &str, patch: &Node) {
    items.retain(|item| pair_of(item).is_none_or(|(known, _)| known != name));
    if let Yaml::Text(value) | Yaml::Plain(value) = converted(patch)
        && !patch.is_null()
    {
        items.push(Yaml::Text(format!("{name}={value}")));
    }
}

/// A node as it goes out: what was written plain and reads as a number or boolean is one.
pub(super) fn converted(node: &Node) -> Yaml {
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
