//! The language and its documents: every example is real, every field is used, and what is made
//! from the declarations is up to date.

use std::collections::BTreeSet;
use std::path::Path;

use camino::Utf8PathBuf;
use flokkr::blueprint::{
    Blueprint, Definitions, Plugin, Read as _, Record, base_document, reference,
};
use flokkr::problem::{Problems, Sources};
use flokkr::resolve::Loader;
use flokkr::target;
use flokkr::workspace::FileLoader;
use flokkr::yaml::{Node, Value, read};
use serde_json::Value as Json;

use crate::support::{ROOT, each, emit_with, first_target, flokkr, path, said, text};

/// Every record of the language and of the targets' settings.
fn records() -> Vec<Record> {
    let mut definitions = Definitions::default();
    Blueprint::schema(&mut definitions);
    Plugin::schema(&mut definitions);
    for target in target::ALL {
        target.schema(&mut definitions);
    }
    definitions.records().cloned().collect()
}

/// The library, with the document that examples are laid over as `base`, and one plugin.
struct Around {
    plugin: String,
}

impl Loader for Around {
    fn include(&self, name: &str, from: &str) -> Result<(String, String), String> {
        match name {
            "base" => Ok(("base".to_owned(), base_document().to_owned())),
            _ => library().include(name, from),
        }
    }

    fn plugin(&self, name: &str, from: &str) -> Option<Result<(String, String), String>> {
        match name {
            "sleep" => Some(Ok(("plugin".to_owned(), self.plugin.clone()))),
            _ => library().plugin(name, from),
        }
    }

    fn blueprints(&self) -> Vec<String> {
        library().blueprints()
    }

    fn plugins(&self) -> Vec<String> {
        library().plugins()
    }
}

fn library() -> FileLoader {
    FileLoader {
        directory: Utf8PathBuf::from("no-such-directory"),
    }
}

fn indented(text: &str, depth: usize) -> String {
    let lines = text
        .lines()
        .map(|line| format!("{}{line}\n", "  ".repeat(depth)));
    lines.collect()
}

/// A blueprint that lays an example over the base document, at the record's place.
fn blueprint(record: &Record, example: &str) -> String {
    if record.path.is_empty() && example.starts_with("include:") {
        return format!("{example}\n{}", base_document());
    }
    let mut out = String::from("include: [base]\n");
    let keys: Vec<&str> = record.path.split('.').filter(|k| !k.is_empty()).collect();
    for (depth, key) in keys.iter().enumerate() {
        out.push_str(&indented(&format!("{key}:"), depth));
    }
    // Steps and commands to begin with are the records that stand in a list.
    let example = match record.name {
        "Init" => indented(example, 1).replacen("  ", "- ", 1),
        "Try" => {
            let needed = ["service: db", "run: [ls]"];
            let given = example.split(':').next().unwrap_or_default();
            let others = needed.iter().filter(|line| !line.starts_with(given));
            let lines: Vec<&str> = [example].into_iter().chain(others.copied()).collect();
            indented(&lines.join("\n"), 1).replacen("  ", "- ", 1)
        }
        _ => example.to_owned(),
    };
    out + &indented(&example, keys.len())
}

/// A plugin in which an example takes the place of its key.
fn plugin(record: &Record, key: &str, example: &str) -> String {
    let mut lines = vec![
        ("plugin", "plugin: v1".to_owned()),
        ("name", "name: sleep".to_owned()),
        ("description", "description: Waits".to_owned()),
        (
            "params",
            "params: { seconds: { type: integer } }".to_owned(),
        ),
        (
            "service",
            "service: { env: { SECONDS: \"{{ params.seconds }}\" } }".to_owned(),
        ),
    ];
    let of_parameter = record.name == "Parameter";
    for (name, line) in &mut lines {
        if of_parameter && *name == "params" {
            let kind = if key == "type" {
                ""
            } else {
                "    type: integer\n"
            };
            *line = format!("params:\n  seconds:\n{kind}    {example}");
        } else if record.name == "Plugin" && *name == key {
            example.clone_into(line);
        }
    }
    let lines: Vec<String> = lines.into_iter().map(|(_, line)| line).collect();
    lines.join("\n")
}

#[test]
fn examples_are_real() {
    const USING: &str =
        "include: [base]\nservices: { app: { plugins: { sleep: { seconds: 5 } } } }";
    let records = records();
    let all = records.iter().flat_map(|r| {
        r.fields
            .iter()
            .map(move |f| format!("{} {}", r.name, f.key))
    });
    each(all, |case| {
        let (name, key) = case.split_once(' ').unwrap();
        let record = records.iter().find(|r| r.name == name).unwrap();
        let field = record.fields.iter().find(|f| f.key == key).unwrap();
        assert!(
            field.example.contains(field.key),
            "the example does not use `{key}`"
        );
        let text = if record.path.starts_with("plugin") {
            USING.to_owned()
        } else {
            blueprint(record, field.example)
        };
        let around = Around {
            plugin: plugin(record, key, field.example),
        };
        let emitted = emit_with("example", &text, &around, first_target());
        assert!(
            emitted.files.is_some(),
            "{text}\n{}\n{}",
            around.plugin,
            emitted.said
        );
    });
}

#[test]
fn every_field_is_documented() {
    for record in records() {
        assert!(!record.doc.trim().is_empty(), "{}", record.name);
        for field in &record.fields {
            assert!(
                field.doc.trim().ends_with('.'),
                "{}.{}: {}",
                record.name,
                field.key,
                field.doc
            );
        }
    }
}

/// The schema of blueprints, as the command prints it.
fn schema() -> String {
    said(&flokkr(Path::new(ROOT), &["schema"]).output().unwrap()).0
}

/// The test blueprint `every-field` has every key that the schema knows.
#[test]
fn every_field_is_tested() {
    let schema: Json = serde_json::from_str(&schema()).unwrap();
    let mut sources = Sources::default();
    let source = sources.add(
        "every-field",
        text("tests/blueprints/every-field/blueprint.yaml"),
    );
    let node = read(source, &sources, &mut Problems::default()).unwrap();
    let mut used = BTreeSet::new();
    visit(&node, &schema, &schema, &mut used);
    let mut unused = Vec::new();
    for (name, record) in schema["$defs"].as_object().unwrap() {
        for key in record["properties"].as_object().unwrap().keys() {
            if !used.contains(&format!("{name}.{key}")) {
                unused.push(format!("{name}.{key}"));
            }
        }
    }
    assert_eq!(
        unused,
        Vec::<String>::new(),
        "write them in tests/blueprints/every-field"
    );
}

/// Notes which keys of which records a node has.
fn visit(node: &Node, schema: &Json, root: &Json, used: &mut BTreeSet<String>) {
    if let Some(name) = schema["$ref"]
        .as_str()
        .and_then(|r| r.strip_prefix("#/$defs/"))
    {
        for entry in node.entries() {
            used.insert(format!("{name}.{}", entry.key));
        }
        visit(node, &root["$defs"][name], root, used);
    }
    for one in schema["anyOf"].as_array().into_iter().flatten() {
        visit(node, one, root, used);
    }
    for entry in node.entries() {
        let property = &schema["properties"][&*entry.key];
        let below = if property.is_null() {
            &schema["additionalProperties"]
        } else {
            property
        };
        visit(&entry.value, below, root, used);
    }
    if let Value::List(items) = &node.value {
        for item in items {
            visit(item, &schema["items"], root, used);
        }
    }
}

const HEAD: &str = "\
# The blueprint language

Every key of a blueprint and of a plugin. This page is made from the declarations in `src/blueprint/`;
`UPDATE_DOCS=1 cargo test` writes it again. Each example stands in a blueprint that is emitted in the tests.
";

/// Compares a file with what it should be, or writes it when that is asked for.
fn up_to_date(file: &str, wanted: &str) {
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path(file), wanted).unwrap();
    }
    let there = std::fs::read_to_string(path(file)).unwrap_or_default();
    assert!(
        there == wanted,
        "{file} is not up to date: run UPDATE_DOCS=1 cargo test"
    );
}

#[test]
fn the_reference_page_is_up_to_date() {
    up_to_date(
        "docs/blueprint.md",
        &(HEAD.to_owned() + reference(settings).trim_end() + "\n"),
    );
}

#[test]
fn the_schema_is_up_to_date() {
    up_to_date("blueprints/blueprint.schema.json", &schema());
}

/// The records of every target's settings.
fn settings(definitions: &mut Definitions) {
    for target in flokkr::target::ALL {
        target.schema(definitions);
    }
}
