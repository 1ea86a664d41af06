//! The YAML reader: what is read lies in its text, can be laid on itself, and is read the same once
//! it is written again.

#![no_main]

use flokkr::emit::yaml::{Yaml, document};
use flokkr::problem::{Problems, SourceId, Sources};
use flokkr::yaml::{Node, Value, merge, read};
use flokkr_fuzz::check_problems;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &str| {
    let mut sources = Sources::default();
    let mut problems = Problems::default();
    let source = sources.add("input", input);
    let node = read(source, &sources, &mut problems);
    let _ = check_problems(&problems, &sources);
    if let Some(node) = node.filter(|_| problems.is_empty()) {
        check(&node, source, &sources);
        let _ = merge(node.clone(), node.clone());
        let written = written(&node);
        let source = sources.add("written", document("", &written));
        let again = read(source, &sources, &mut problems);
        assert!(
            problems.is_empty(),
            "{}",
            check_problems(&problems, &sources)
        );
        assert_eq!(again.map(|n| self::written(&n)), Some(written));
    }
});

/// Every node lies in the text.
fn check(node: &Node, source: SourceId, sources: &Sources) {
    assert_eq!(node.span.source, source);
    assert!(sources.slice(node.span).is_some(), "{node:?}");
    if let Value::List(items) = &node.value {
        for item in items {
            check(item, source, sources);
        }
    }
    for entry in node.entries() {
        assert!(sources.slice(entry.key_span).is_some(), "{entry:?}");
        check(&entry.value, source, sources);
    }
}

/// The same to be written. Every text is quoted, whether it was or not.
fn written(node: &Node) -> Yaml {
    match &node.value {
        Value::Null => Yaml::Plain("null".to_owned()),
        Value::Scalar(scalar) => Yaml::text(&*scalar.text),
        Value::List(items) => Yaml::List(items.iter().map(written).collect()),
        Value::Map(entries) => Yaml::Map(
            entries
                .iter()
                .map(|e| (e.key.to_string(), written(&e.value)))
                .collect(),
        ),
    }
}
