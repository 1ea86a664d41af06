//! YAML that flokkr writes: whatever the values are, it is read back as it was.

#![no_main]

use std::collections::BTreeSet;

use arbitrary::Arbitrary;
use flokkr::emit::yaml::{Yaml, document};
use flokkr::problem::{Problems, Sources};
use flokkr::yaml::{Node, Value, read};
use libfuzzer_sys::fuzz_target;

#[derive(Debug, Arbitrary)]
enum Input {
    Text(String),
    Number(u32),
    List(Vec<Input>),
    Map(Vec<(String, Input)>),
}

/// As many lists and maps in one another are read back; the reader refuses more than it has stack for.
const DEEPEST: usize = 100;

fuzz_target!(|input: Input| {
    if depth(&input) > DEEPEST {
        return;
    }
    let wanted = yaml(&input);
    let text = document("a comment", &wanted);
    let mut sources = Sources::default();
    let mut problems = Problems::default();
    let source = sources.add("written", &*text);
    let node = read(source, &sources, &mut problems);
    assert!(problems.is_empty(), "{problems:?}\n{text}");
    assert_eq!(node.as_ref().map(again), Some(wanted), "{text}");
});

fn depth(input: &Input) -> usize {
    let deepest = match input {
        Input::Text(_) | Input::Number(_) => return 0,
        Input::List(items) => items.iter().map(depth).max(),
        Input::Map(entries) => entries.iter().map(|(_, value)| depth(value)).max(),
    };
    1 + deepest.unwrap_or(0)
}

/// To be written; of each key the first.
fn yaml(input: &Input) -> Yaml {
    match input {
        // No reader of YAML takes it, and no blueprint can hold it.
        Input::Text(text) => Yaml::text(text.replace('\0', "")),
        Input::Number(number) => Yaml::number(*number),
        Input::List(items) => Yaml::List(items.iter().map(yaml).collect()),
        Input::Map(entries) => {
            let mut seen = BTreeSet::new();
            let entries = entries
                .iter()
                .map(|(key, value)| (key.replace('\0', ""), yaml(value)));
            Yaml::Map(entries.filter(|(k, _)| seen.insert(k.clone())).collect())
        }
    }
}

fn again(node: &Node) -> Yaml {
    match &node.value {
        Value::Null => Yaml::Plain("null".to_owned()),
        Value::Scalar(scalar) if scalar.plain => Yaml::Plain(scalar.text.to_string()),
        Value::Scalar(scalar) => Yaml::text(&*scalar.text),
        Value::List(items) => Yaml::List(items.iter().map(again).collect()),
        Value::Map(entries) => Yaml::Map(
            entries
                .iter()
                .map(|e| (e.key.to_string(), again(&e.value)))
                .collect(),
        ),
    }
}
