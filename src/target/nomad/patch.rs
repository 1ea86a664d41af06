//! Patches over a job: a mapping is laid over blocks and attributes.
//!
//! A key is an attribute or a type of block. Below a type of block with labels (`group`, `task`,
//! `port`) come the labels. A mapping is laid over the only block of its type, or over an attribute
//! that is an object; where neither is there, a block is added. A list of mappings replaces all
//! blocks of that type. Null removes. Texts go out as they stand: `${...}` is Nomad's own there.

use super::text::is_normal;
use crate::emit::hcl::{Block, Body, Expr, Item};
use crate::problem::{Problem, Problems, Span};
use crate::template::{ValueKind, plain_value};
use crate::yaml::{Node, Value};

/// Types of blocks with a label.
const LABELED: [&str; 6] = ["group", "task", "port", "volume", "secret", "upstream"];
/// Objects that are attributes, because their keys are free.
const OBJECTS: [&str; 3] = ["env", "meta", "labels"];

/// Lays a patch, which is a mapping, over a body.
pub(super) fn apply(body: &mut Body, patch: &Node, problems: &mut Problems) {
    normal(patch, problems);
    for entry in patch.entries() {
        if is_name(&entry.key) {
            lay(body, &entry.key, &entry.value, problems);
            continue;
        }
        problems.add(
            Problem::error(
                "bad-patch",
                format!("`{}` is no attribute or block", entry.key.escape_debug()),
            )
            .at(entry.key_span)
            .label("expected letters, digits, `_` and `-`, no digit or `-` first")
            .help("any key can stand in `env`, `meta` and `labels`"),
        );
    }
}

/// Can it stand in HCL without quotes? All that Nomad knows can.
fn is_name(key: &str) -> bool {
    key.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        && key
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

/// Refuses what Nomad's parser would change.
fn normal(patch: &Node, problems: &mut Problems) {
    let mut check = |text: &str, span: Span| {
        if !is_normal(text) {
            problems.add(
                Problem::error("corrupted", "this text would not arrive as it is written")
                    .at(span)
                    .label("Nomad's parser normalises every text (NFC)"),
            );
        }
    };
    match &patch.value {
        Value::Null => {}
        Value::Scalar(scalar) => check(&scalar.text, patch.span),
        Value::List(items) => {
            for item in items {
                normal(item, problems);
            }
        }
        Value::Map(entries) => {
            for entry in entries {
                check(&entry.key, entry.key_span);
            }
            for entry in entries {
                normal(&entry.value, problems);
            }
        }
    }
}

fn lay(body: &mut Body, key: &str, patch: &Node, problems: &mut Problems) {
    match &patch.value {
        Value::Null => body.0.retain(|item| !is_named(item, key)),
        Value::Map(entries) if LABELED.contains(&key) => {
            for entry in entries {
                labeled(body, key, &entry.key, &entry.value, problems);
            }
        }
        Value::Map(_) => mapping(body, key, patch, problems),
        Value::List(items) if !items.is_empty() && items.iter().all(is_map) => {
            body.0.retain(|item| !is_named(item, key));
            for item in items {
                let mut inside = Body::default();
                apply(&mut inside, item, problems);
                body.block(key, &[], inside);
            }
        }
        Value::List(_) | Value::Scalar(_) => {
            let value = converted(patch);
            let found = body.0.iter_mut().find_map(|item| match item {
                Item::Attribute(name, value) if name == key => Some(value),
                _ => None,
            });
            match found {
                Some(old) => *old = value,
                None => insert(body, Item::Attribute(key.to_owned(), value)),
            }
        }
    }
}

fn is_map(node: &Node) -> bool {
    matches!(node.value, Value::Map(_))
}

fn is_named(item: &Item, key: &str) -> bool {
    match item {
        Item::Attribute(name, _) => name == key,
        Item::Block(block) => block.kind == key,
        Item::Comment(_) => false,
    }
}

fn labeled(body: &mut Body, kind: &str, label: &str, patch: &Node, problems: &mut Problems) {
    let is_it = |block: &Block| block.kind == kind && block.labels.iter().any(|l| l == label);
    if patch.is_null() {
        body.0
            .retain(|item| !matches!(item, Item::Block(b) if is_it(b)));
        return;
    }
    let found = body.0.iter_mut().find_map(|item| match item {
        Item::Block(block) if is_it(block) => Some(&mut block.body),
        _ => None,
    });
    if let Some(inside) = found {
        apply(inside, patch, problems);
        return;
    }
    let mut inside = Body::default();
    apply(&mut inside, patch, problems);
    body.block(kind, &[label], inside);
}

fn mapping(body: &mut Body, key: &str, patch: &Node, problems: &mut Problems) {
    let count = body.0.iter().filter(|item| is_named(item, key)).count();
    if count > 1 {
        problems.add(
            Problem::error("bad-patch", format!("there are {count} blocks `{key}`"))
                .at(patch.span)
                .label("expected a list of them, which replaces all"),
        );
        return;
    }
    let found = body.0.iter_mut().find(|item| is_named(item, key));
    match found {
        Some(Item::Block(block)) => apply(&mut block.body, patch, problems),
        Some(Item::Attribute(_, value)) => {
            for entry in patch.entries() {
                lay_object(value, &entry.key, &entry.value);
            }
        }
        _ if OBJECTS.contains(&key) => {
            insert(body, Item::Attribute(key.to_owned(), converted(patch)));
        }
        _ => {
            let mut inside = Body::default();
            apply(&mut inside, patch, problems);
            body.block(key, &[], inside);
        }
    }
}

/// Lays a key over an object, or over what is merged into one.
fn lay_object(value: &mut Expr, key: &str, patch: &Node) {
    match value {
        Expr::Object(entries) => {
            let at = entries.iter().position(|(k, _)| k == key);
            match (at, patch.is_null()) {
                (Some(at), true) => {
                    entries.remove(at);
                }
                (Some(at), false) => {
                    if let Some((_, old)) = entries.get_mut(at) {
                        *old = converted(patch);
                    }
                }
                (None, true) => {}
                (None, false) => entries.push((key.to_owned(), converted(patch))),
            }
        }
        Expr::List(items) if matches!(items.as_slice(), [Expr::Object(_)]) => {
            if let Some(only) = items.first_mut() {
                lay_object(only, key, patch);
            }
        }
        other => {
            let old = std::mem::replace(other, Expr::Plain(String::new()));
            let own = Expr::Object(vec![(key.to_owned(), converted(patch))]);
            *other = match old {
                Expr::Call("merge", mut parts) => {
                    match parts.last_mut() {
                        Some(last @ Expr::Object(_)) => lay_object(last, key, patch),
                        _ => parts.push(own),
                    }
                    Expr::Call("merge", parts)
                }
                old => Expr::Call("merge", vec![old, own]),
            };
        }
    }
}

/// A new attribute stands with the others, before the first block.
fn insert(body: &mut Body, item: Item) {
    let at = body
        .0
        .iter()
        .position(|i| !matches!(i, Item::Attribute(..)));
    body.0.insert(at.unwrap_or(body.0.len()), item);
}

/// A node as it goes out: what was written plain and reads as a number or boolean is one.
fn converted(node: &Node) -> Expr {
    match &node.value {
        Value::Null => Expr::Plain("null".to_owned()),
        Value::List(items) => Expr::List(items.iter().map(converted).collect()),
        Value::Map(entries) => {
            let pairs = entries
                .iter()
                .map(|e| (e.key.to_string(), converted(&e.value)));
            Expr::Object(pairs.collect())
        }
        Value::Scalar(scalar) => {
            let typed = matches!(
                plain_value(&scalar.text).kind(),
                ValueKind::Number | ValueKind::Bool
            );
            if scalar.plain && typed {
                Expr::Plain(scalar.text.to_string())
            } else {
                Expr::text(&*scalar.text)
            }
        }
    }
}
