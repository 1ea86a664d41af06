//! What holds for every input: the same bytes twice, values that arrive as they were written, YAML
//! that every reader takes for the same, and an end in every case.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use flokkr::diff;
use flokkr::emit::yaml::{Yaml, document};
use flokkr::file::File;
use flokkr::problem::{Problems, Sources};
use flokkr::target;
use flokkr::yaml::{Node, Value, read};
use granit_parser::{Event, Parser, ScalarStyle};
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_yaml::Value as Loaded;

use crate::blueprints::cases;
use crate::env::hostile;
use crate::meaning::compose;
use crate::support::{each, emit, emit_file, first_target};

/// Blueprint files of every case.
fn files() -> impl Iterator<Item = String> {
    cases()
        .into_iter()
        .map(|(folder, name)| format!("{folder}/{name}/blueprint.yaml"))
}

#[test]
fn the_same_blueprint_gives_the_same_bytes() {
    each(files(), |file| {
        for target in target::ALL {
            let (one, two) = (emit_file(file, *target), emit_file(file, *target));
            assert_eq!(one.files, two.files);
            assert_eq!(one.said, two.said);
        }
    });
}

#[test]
fn nothing_differs_from_itself() {
    each(files(), |file| {
        for target in target::ALL {
            let files = emit_file(file, *target).files.unwrap_or_default();
            let there: Vec<diff::Found> = files
                .iter()
                .map(|f| diff::Found {
                    path: f.path.clone(),
                    text: Some(f.text.clone()),
                })
                .collect();
            assert!(diff::compare(&files, &there).is_empty());
            assert!(diff::compare(&files, &[]).changes.len() == files.len());
        }
    });
}

/// A key is read whatever its length: readers look 1024 characters far for a colon without a mark.
#[test]
fn keys_of_every_length_are_read() {
    for length in (980..1060).chain([2000]) {
        let key = "k".repeat(length);
        let map = map([(key.as_str(), Yaml::text("v"))]);
        let text = document("", &map);
        let loaded: Loaded = serde_yaml::from_str(&text).unwrap();
        assert_eq!(loaded[key.as_str()].as_str(), Some("v"), "{length}");
        let longest = text
            .lines()
            .find(|line| line.contains(": "))
            .map_or(0, str::len);
        assert!(longest <= 1024, "{length}");
    }
}

/// What differs is told for what it is, from what is there to what is wanted.
#[test]
fn differences_are_told_for_what_they_are() {
    let file = |path: &str, text: &str| File {
        path: path.into(),
        text: text.to_owned(),
    };
    let found = |path: &str, text: Option<&str>| diff::Found {
        path: path.into(),
        text: text.map(str::to_owned),
    };
    let wanted = [
        file("same", "a: 1\n"),
        file("spelled", "a: 1\n---\nb: 2\n"),
        file("second", "a: 1\n---\nb: 2\n"),
        file("more", "a: 1\n---\nb: 2\n"),
        file("no yaml", "a: [1\n"),
        file("end", "a: 1\n"),
        file("missing", "a: 1\n"),
        file("unread", "a: 1\n"),
    ];
    let there = [
        found("same", Some("a: 1\r\n")),
        found("spelled", Some("\"a\": 1\n---\nb: 2\n")),
        found("second", Some("a: 1\n---\nb: 3\n")),
        found("more", Some("a: 1\n")),
        found("no yaml", Some("a: [2\n")),
        found("end", Some("a: 1")),
        found("unread", None),
        found("written once", None),
        found("left", Some("a: 1\n")),
    ];
    let report = diff::compare(&wanted, &there);
    let told = report.changes.iter().map(|change| match change {
        diff::Change::Changed {
            path, same_data, ..
        } => format!("{path} {}", if *same_data { "spelled" } else { "changed" }),
        diff::Change::Missing(path) => format!("{path} missing"),
        diff::Change::Stale(path) => format!("{path} stale"),
    });
    assert_eq!(
        told.collect::<Vec<_>>(),
        [
            "spelled spelled",
            "second changed",
            "more changed",
            "no yaml changed",
            "end spelled",
            "missing missing",
            "unread missing",
            "written once stale",
            "left stale"
        ]
    );
    let text = diff::text(&report, &|path| format!("there/{path}"), "demo");
    assert!(
        text.contains("--- there/second\n+++ demo/second\n"),
        "{text}"
    );
    assert!(text.contains("-b: 3\n+b: 2\n"), "{text}");
    assert!(
        text.contains("drift: 5 changed, 2 missing, 2 stale\n"),
        "{text}"
    );
}

#[test]
fn emitted_yaml_means_one_thing() {
    each(files(), |file| {
        for target in target::ALL {
            for emitted in emit_file(file, *target).files.unwrap_or_default() {
                // Templates of a chart become YAML when they are filled in.
                let is_template = emitted.path.starts_with("templates");
                if emitted.path.extension() == Some("yaml") && !is_template {
                    one_meaning(&emitted.text);
                }
            }
        }
    });
}

/// Checks that YAML 1.1, YAML 1.2 and flokkr's own reader take a document for the same.
fn one_meaning(text: &str) {
    unambiguous(text);
    // A quoted `<<` is a key like any other; this reader forgets that it was quoted.
    let text = text.replace("\"<<\":", "quoted-merge:");
    let mut loaded: Loaded = serde_yaml::from_str(&text).unwrap();
    loaded.apply_merge().unwrap();
    assert_eq!(comparable(&loaded), comparable(&own(&text)), "{text}");
}

/// What YAML 1.1 and 1.2 read differently is absent: every plain scalar is a number, a boolean or
/// null that both agree on, or as a key an identifier; and no character stands raw that only one
/// of them allows or takes for a line end.
fn unambiguous(text: &str) {
    let raw = |c: char| {
        matches!(c, '\u{0}'..='\u{8}' | '\u{b}'..='\u{1f}' | '\u{7f}'..='\u{a0}' | '\u{2028}' | '\u{2029}'
            | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
    };
    assert!(!text.contains(raw), "{text:?}");
    for event in Parser::new_from_str(text) {
        if let (Event::Scalar(scalar, ScalarStyle::Plain, _, _), span) = event.unwrap() {
            let after = span
                .byte_range()
                .and_then(|r| text.get(r.end..))
                .unwrap_or("");
            let is_key = after.starts_with(':');
            assert!(
                if is_key {
                    is_key_of_all(&scalar)
                } else {
                    is_value_of_all(&scalar)
                },
                "{scalar}"
            );
        }
    }
}

fn is_key_of_all(key: &str) -> bool {
    const WORDS: [&str; 10] = [
        "y", "n", "yes", "no", "on", "off", "true", "false", "null", "~",
    ];
    let identifier = key.starts_with(|c: char| c == '_' || c.is_ascii_alphabetic())
        && key
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || "_-./".contains(c));
    key == "<<" || (identifier && !WORDS.contains(&key.to_ascii_lowercase().as_str()))
}

fn is_value_of_all(value: &str) -> bool {
    let digits = value.strip_prefix('-').unwrap_or(value);
    let decimal = digits == "0" || (!digits.starts_with('0') && digits.parse::<u64>().is_ok());
    let fraction = digits.split_once('.').is_some_and(|(whole, part)| {
        let all = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
        all(whole) && all(part)
    });
    let word = is_key_of_all(value) && value != "<<";
    decimal || fraction || word || matches!(value, "true" | "false" | "null")
}

/// The document by flokkr's own reader, typed as YAML 1.2 does.
fn own(text: &str) -> Loaded {
    let mut sources = Sources::default();
    let mut problems = Problems::default();
    let source = sources.add("emitted", text);
    let node = read(source, &sources, &mut problems).unwrap();
    assert!(problems.is_empty());
    typed(&node)
}

fn typed(node: &Node) -> Loaded {
    match &node.value {
        Value::Null => Loaded::Null,
        Value::Scalar(scalar) if scalar.plain => serde_yaml::from_str(&scalar.text).unwrap(),
        Value::Scalar(scalar) => Loaded::String(scalar.text.to_string()),
        Value::List(items) => Loaded::Sequence(items.iter().map(typed).collect()),
        Value::Map(entries) => Loaded::Mapping(
            entries
                .iter()
                .map(|e| (Loaded::String(e.key.to_string()), typed(&e.value)))
                .collect(),
        ),
    }
}

/// Maps in the order of their keys: a merge gives no order.
fn comparable(value: &Loaded) -> String {
    match value {
        Loaded::Mapping(map) => {
            let sorted: BTreeMap<String, String> = map
                .iter()
                .map(|(k, v)| (comparable(k), comparable(v)))
                .collect();
            format!("{sorted:?}")
        }
        Loaded::Sequence(items) => {
            format!("{:?}", items.iter().map(comparable).collect::<Vec<_>>())
        }
        other => format!("{other:?}"),
    }
}

/// A text of a blueprint that gives just this value.
fn literal(text: &str) -> String {
    text.replace("{{", "{{ '{{' }}")
}

/// Any text that a process can be given: all of Unicode but NUL, with hostile pieces.
pub fn value() -> impl Strategy<Value = String> {
    let any = vec(any::<char>(), 0..8).prop_map(|chars| chars.into_iter().collect());
    prop_oneof![2 => hostile(), 1 => any, 1 => "[ -~]{0,12}"]
        .prop_map(|text: String| text.replace('\0', ""))
}

pub fn name() -> impl Strategy<Value = String> {
    let plain = prop_oneof![3 => value(), 2 => "[A-Z_]{1,6}", 1 => "x-[a-z$]{0,3}"];
    plain
        .prop_map(|name: String| name.replace('=', ""))
        .prop_filter("a name has a character", |name| !name.is_empty())
}

/// Variables that one service can have: where a name makes a list of them, no other may end with a byte that
/// compose-go takes for a blank.
fn variables() -> impl Strategy<Value = BTreeMap<String, String>> {
    let blank = |name: &String| {
        let last = name.bytes().last().unwrap();
        char::from(last).is_whitespace()
    };
    btree_map(name(), value(), 0..5).prop_filter("no list with blanks", move |all| {
        let listed = |name: &String| name.starts_with("x-") || name.chars().all(|c| c == '\n');
        !all.keys().any(listed) || !all.keys().any(blank)
    })
}

/// What Compose makes of a mapping, or of a list of `KEY=VALUE`.
fn pairs(node: &Loaded) -> BTreeMap<String, String> {
    compose::pairs(node, &|_| None)
}

/// What Compose makes of a text; an error where a variable of the deploying shell would be put in.
fn interpolated(value: &str) -> Result<String, String> {
    compose::interpolated(value, &|_| None)
}

fn words(node: &Loaded) -> Vec<String> {
    let items = node.as_sequence().unwrap();
    items
        .iter()
        .map(|w| interpolated(w.as_str().unwrap()).unwrap())
        .collect()
}

pub fn map(entries: impl IntoIterator<Item = (impl Into<String>, Yaml)>) -> Yaml {
    Yaml::Map(entries.into_iter().map(|(k, v)| (k.into(), v)).collect())
}

pub fn texts(entries: &BTreeMap<String, String>) -> Yaml {
    map(entries
        .iter()
        .map(|(k, v)| (literal(k), Yaml::text(literal(v)))))
}

pub fn list(items: &[String]) -> Yaml {
    Yaml::List(items.iter().map(|i| Yaml::text(literal(i))).collect())
}

/// Few cases: the suite is run often. `PROPTEST_CASES=10000` searches longer.
pub fn cases_or(few: u32) -> ProptestConfig {
    let cases = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|n| n.parse().ok());
    ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::with_cases(cases.unwrap_or(few))
    }
}

proptest! {
    #![proptest_config(cases_or(96))]

    #[test]
    fn values_arrive_as_they_were_written(
        env in variables(),
        labels in btree_map(name(), value(), 0..3),
        command in vec(value(), 1..4),
        files in vec(value(), 0..4),
    ) {
        let contents = files.iter().enumerate();
        let contents = contents.map(|(i, text)| (format!("/f/{i}"), Yaml::text(literal(text))));
        let app = map([
            ("image", Yaml::text("app")),
            ("env", texts(&env)),
            ("labels", texts(&labels)),
            ("command", list(&command)),
            ("files", map(contents)),
        ]);
        let blueprint = map([
            ("blueprint", Yaml::text("v1")),
            ("name", Yaml::text("demo")),
            ("images", map([("app", map([("ref", Yaml::text("example/app:1"))]))])),
            ("services", map([("app", app)])),
        ]);
        let text = emit(&document("", &blueprint), first_target()).only();
        unambiguous(&text);
        let loaded: Loaded = serde_yaml::from_str(&text).unwrap();
        let service = &loaded["services"]["app"];
        prop_assert_eq!(pairs(&service["environment"]), env);
        let mut found = pairs(&service["labels"]);
        found.remove("flokkr.files");
        prop_assert_eq!(found, labels);
        prop_assert_eq!(words(&service["command"]), command);
        for (index, content) in files.iter().enumerate() {
            let mount = &service["configs"][index];
            prop_assert_eq!(&mount["target"], &Loaded::String(format!("/f/{index}")));
            let emitted = &loaded["configs"][mount["source"].as_str().unwrap()];
            if content.is_empty() {
                prop_assert_eq!(&emitted["file"], "/dev/null");
                continue;
            }
            let text = emitted["content"].as_str().unwrap();
            prop_assert_eq!(&interpolated(text).unwrap(), content);
        }
    }

    #[test]
    fn trees_are_written_so_that_every_reader_agrees(tree in tree()) {
        let text = document("a comment", &tree);
        prop_assert!(text.ends_with('\n'));
        unambiguous(&text);
        let loaded: Loaded = serde_yaml::from_str(&text).unwrap();
        prop_assert_eq!(&loaded, &meant(&tree), "{}", text);
        prop_assert_eq!(&own(&text), &loaded, "{}", text);
    }

    #[test]
    fn any_bytes_come_to_an_end(bytes in vec(any::<u8>(), 0..300)) {
        quick(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn any_text_like_a_blueprint_comes_to_an_end(pieces in vec(piece(), 0..60)) {
        quick(&pieces.concat());
    }

    #[test]
    fn a_blueprint_with_a_part_replaced_comes_to_an_end(
        at in 0usize..10_000, len in 0usize..40, by in piece(), which in 0usize..64,
    ) {
        let files: Vec<String> = files().collect();
        let file = &files[which % files.len()];
        let mut chars: Vec<char> = crate::support::text(file).chars().collect();
        let start = at % chars.len();
        let end = (start + len).min(chars.len());
        chars.splice(start..end, by.chars());
        quick(&chars.into_iter().collect::<String>());
    }
}

/// Emits a text for every target: whatever it says, there is an answer, and soon.
fn quick(text: &str) {
    for target in target::ALL {
        let start = Instant::now();
        let emitted = emit(text, *target);
        assert_eq!(
            emitted.files.is_none(),
            emitted.said.contains("nothing was written"),
            "{text}"
        );
        assert!(start.elapsed() < Duration::from_secs(5), "{text}");
    }
}

/// Pieces of which blueprints, and what looks like one, are made.
fn piece() -> impl Strategy<Value = String> {
    let known = proptest::sample::select(vec![
        "\n",
        "\n  ",
        "\n    ",
        ": ",
        ":",
        "- ",
        "{ ",
        " }",
        "[",
        "]",
        ", ",
        "\"",
        "'",
        "|\n",
        ">-\n",
        "&a ",
        "*a",
        "<<: ",
        "# ",
        "---\n",
        "\t",
        "{{ ",
        " }}",
        "null",
        "~",
        "!!str ",
        "? ",
        "blueprint: v1",
        "name: demo",
        "images",
        "services",
        "app",
        "image",
        "replicas",
        "kind: ensemble",
        "ports",
        "env",
        "config",
        "use",
        "needs",
        "vars",
        "include",
        "plugins",
        "sleep",
        "health",
        "peer.id",
        "replica.index",
        "hosts('app')",
        "secret('x')",
        "omit",
        "range(9)",
        "name",
        "0",
        "-1",
        "99999999999999999999",
        "1000",
    ]);
    prop_oneof![6 => known.prop_map(str::to_owned), 1 => value()]
}

fn tree() -> impl Strategy<Value = Yaml> {
    let plain = proptest::sample::select(vec![
        "0",
        "-1",
        "1234567890",
        "0.5",
        "true",
        "false",
        "null",
    ]);
    let leaf = prop_oneof![
        4 => value().prop_map(Yaml::Text),
        2 => lines().prop_map(Yaml::Text),
        1 => plain.prop_map(|text| Yaml::Plain(text.to_owned())),
    ];
    leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Yaml::List),
            btree_map(key(), inner, 0..5).prop_map(map),
        ]
    })
}

/// Any text; some are longer than a key can be without a mark.
fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        9 => value(),
        1 => value().prop_map(|text| text.repeat(300)),
    ]
}

/// Texts of some lines, as scripts and config files are.
fn lines() -> impl Strategy<Value = String> {
    let line = prop_oneof![3 => "[ \t#:-]{0,3}[a-z$\"'{]{0,4}[ \t:]{0,2}", 1 => value()];
    vec(line, 1..6).prop_map(|lines| lines.join("\n"))
}

/// What a tree says, as a reader of YAML 1.2 has it.
fn meant(tree: &Yaml) -> Loaded {
    match tree {
        Yaml::Text(text) => Loaded::String(text.clone()),
        Yaml::Plain(text) => serde_yaml::from_str(text).unwrap(),
        Yaml::List(items) => Loaded::Sequence(items.iter().map(meant).collect()),
        Yaml::Map(entries) => Loaded::Mapping(
            entries
                .iter()
                .map(|(k, v)| (Loaded::String(k.clone()), meant(v)))
                .collect(),
        ),
        Yaml::Merged(..) | Yaml::Anchor(..) | Yaml::Alias(_) => panic!("not made here"),
    }
}

#[test]
fn deep_nesting_is_refused() {
    for (open, close) in [("[", "]"), ("{a: ", "}"), ("- ", ""), ("? ", "")] {
        let text = format!(
            "vars: \n  a: {}{}",
            open.repeat(10_000),
            close.repeat(10_000)
        );
        quick(&text);
        quick(&open.repeat(10_000));
    }
    let braces = format!(
        "blueprint: v1\nname: demo\nvars: {{ a: \"{}\" }}",
        "{{ ".repeat(10_000)
    );
    quick(&braces);
    quick(&format!(
        "vars: {{ a: \"{{{{ {} 1 {} }}}}\" }}",
        "(".repeat(10_000),
        ")".repeat(10_000)
    ));
    quick(&format!(
        "vars: {{ a: \"{{{{ {} 1 }}}}\" }}",
        "-".repeat(10_000)
    ));
    quick(&format!(
        "vars: {{ a: \"{{{{ 1 {} }}}}\" }}",
        "| upper ".repeat(10_000)
    ));
}

/// A text with a line for each number; `#` stands for the number.
fn repeated(count: usize, line: &str) -> String {
    let lines = (0..count).map(|i| line.replace('#', &i.to_string()));
    lines.collect::<Vec<_>>().join("\n") + "\n"
}

/// What takes a step for each of its lines would take hours if it took one for each two of them.
#[test]
fn long_texts_come_to_an_end_as_well() {
    const COUNT: usize = 3000;
    let head = "blueprint: v1\nname: demo\nimages: { app: { ref: \"app:1\" } }\n";
    let services = "services: { app: { image: app } }\n";
    let many = |line: &str| repeated(COUNT, line);
    let chain: Vec<String> = (0..COUNT)
        .map(|i| format!("  v{i}: \"{{{{ v{} }}}}\"\n", i + 1))
        .collect();
    let chain = format!("{}  v{COUNT}: 1\n", chain.concat());
    for text in [
        // Variables, each made from another.
        format!("{head}vars:\n{chain}{services}"),
        format!(
            "{head}vars:\n  v: 1\n{}{services}",
            many("  v#: \"{{ v }}\"")
        ),
        // Mappings, one laid on the other, and on many others.
        format!(
            "a: &a\n{}b:\n  <<: *a\n{}",
            many("  a#: 1"),
            many("  b#: 1")
        ),
        format!(
            "a: &a {{ x: 1 }}\nb:\n  <<:\n{}{}",
            many("  - *a"),
            many("  b#: 1")
        ),
        // Mistakes, each with a place and perhaps a name that was meant.
        format!("{head}{services}{}", many("k#: 1")),
        format!(
            "{head}services:\n{}",
            repeated(500, "  s#: { image: app, needs: [t#.x] }")
        ),
    ] {
        quick(&text);
    }
}
