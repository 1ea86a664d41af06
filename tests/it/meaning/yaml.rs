//! Emitted YAML, with its anchors and merges taken in.

use serde::Deserialize as _;
use serde_yaml::{Deserializer, Mapping, Value};

/// A quoted `<<` is a key like any other, but the reader forgets that it was quoted.
const MERGE: &str = "\"<<\":";
const QUOTED: &str = "\"quoted-merge\":";

/// The documents of a file.
pub fn documents(text: &str) -> Vec<Value> {
    let text = text.replace(MERGE, QUOTED);
    let documents = Deserializer::from_str(&text).map(|document| {
        let mut value = Value::deserialize(document).unwrap();
        value.apply_merge().unwrap();
        restored(value)
    });
    documents.collect()
}

fn restored(value: Value) -> Value {
    match value {
        Value::String(text) if text == "quoted-merge" => Value::String("<<".to_owned()),
        // In a block it is text.
        Value::String(text) => Value::String(text.replace(QUOTED, MERGE)),
        Value::Sequence(items) => Value::Sequence(items.into_iter().map(restored).collect()),
        Value::Mapping(map) => Value::Mapping(
            map.into_iter()
                .map(|(key, value)| (restored(key), restored(value)))
                .collect::<Mapping>(),
        ),
        other => other,
    }
}

/// A string; the platforms take nothing else in these places.
pub fn text(value: &Value) -> &str {
    value
        .as_str()
        .unwrap_or_else(|| panic!("expected a string: {value:?}"))
}

/// The items of a list; none when it is absent.
pub fn items(value: &Value) -> &[Value] {
    match value {
        Value::Null => &[],
        Value::Sequence(items) => items,
        other => panic!("expected a list: {other:?}"),
    }
}

/// The entries of a mapping; none when it is absent.
pub fn entries(value: &Value) -> Vec<(&str, &Value)> {
    match value {
        Value::Null => Vec::new(),
        Value::Mapping(map) => map.iter().map(|(k, v)| (text(k), v)).collect(),
        other => panic!("expected a mapping: {other:?}"),
    }
}
