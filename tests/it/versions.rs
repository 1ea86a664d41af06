//! The version that a blueprint declares decides what is emitted: each boundary, from both sides.

use flokkr::target;

use crate::support::{Emitted, emit};

/// One service, with settings of a target.
fn at(target: &str, version: &str, service: &str) -> Emitted {
    let text = format!(
        "blueprint: v1\nname: versions\nimages: {{ app: {{ ref: \"example/app:1\", user: \"1:1\" }} }}\n\
         targets: {{ {target}: {{ version: \"{version}\" }} }}\n\
         services:\n  app: {{ image: app, {service} }}\n"
    );
    emit(&text, target::find(target).unwrap())
}

/// What is written for a version; `None` when it is refused.
fn written(target: &str, version: &str, service: &str) -> Option<String> {
    let emitted = at(target, version, service);
    let texts = emitted.files?.into_iter().map(|f| f.text);
    Some(texts.collect())
}

/// What is said about a version.
fn said(target: &str, version: &str, service: &str) -> String {
    at(target, version, service).said
}

#[test]
fn compose_has_files_in_it_from_2_23_1() {
    let service = "files: { /etc/app: text }";
    for old in ["2.20", "2.22.9", "2.23", "2.23.0"] {
        assert_eq!(written("compose", old, service), None, "{old}");
        assert!(said("compose", old, service).contains("2.23.1"), "{old}");
    }
    for new in ["2.23.1", "2.24", "2.100"] {
        let text = written("compose", new, service).expect(new);
        assert!(text.contains("content: \"text\""), "{new}");
    }
    assert!(written("compose", "2.20", "env: { A: b }").is_some());
}

#[test]
fn compose_has_hooks_from_2_30() {
    let service = "stop: { before: [a, \"$b\"] }";
    let old = written("compose", "2.29.7", service).unwrap();
    assert!(!old.contains("pre_stop"));
    assert!(said("compose", "2.29.7", service).contains("2.30"));
    let new = written("compose", "2.30", service).unwrap();
    assert!(
        new.contains("pre_stop:\n      - command: [\"a\", \"$$b\"]"),
        "{new}"
    );
    assert_eq!(said("compose", "2.30", service), "");
}

#[test]
fn kubernetes_has_native_sidecars_from_1_29() {
    let service = "sidecars: { side: { command: [a] } }";
    let old = written("kubernetes", "1.28", service).unwrap();
    assert!(!old.contains("restartPolicy: Always"));
    assert!(said("kubernetes", "1.28", service).contains("1.29"));
    let new = written("kubernetes", "1.29", service).unwrap();
    assert!(new.contains("restartPolicy: Always"));
    assert_eq!(said("kubernetes", "1.29", service), "");
}

#[test]
fn kubernetes_sleeps_by_itself_from_1_30() {
    let service = "stop: { before: [sleep, \"5\"] }";
    let old = written("kubernetes", "1.29", service).unwrap();
    assert!(old.contains("exec:") && !old.contains("seconds: 5"));
    let new = written("kubernetes", "1.30", service).unwrap();
    assert!(!new.contains("exec:") && new.contains("seconds: 5"));
}

#[test]
fn kubernetes_takes_more_names_from_1_32() {
    let service = "env: { \"A B!\": c }";
    assert_eq!(written("kubernetes", "1.31", service), None);
    assert!(said("kubernetes", "1.31", service).contains("1.32"));
    assert!(
        written("kubernetes", "1.32", service)
            .unwrap()
            .contains("A B!")
    );
}
