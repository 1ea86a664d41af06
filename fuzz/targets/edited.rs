//! Blueprints that are nearly right: those of the library and of the tests, with hostile texts,
//! other types, and parts missing, twice, or in the wrong place.

#![no_main]

use std::sync::LazyLock;

use arbitrary::Arbitrary;
use flokkr::emit::yaml::{Yaml, document};
use flokkr::problem::{Problems, Sources};
use flokkr::target::{self, Layout};
use flokkr::yaml::{Node, Value, read};
use flokkr_fuzz::{Texts, run};
use libfuzzer_sys::fuzz_target;

const BLUEPRINTS: [&str; 7] = [
    include_str!("../../tests/blueprints/every-field/blueprint.yaml"),
    include_str!("../../tests/blueprints/hostile/blueprint.yaml"),
    include_str!("../../tests/blueprints/dialects/blueprint.yaml"),
    include_str!("../../tests/blueprints/helm/blueprint.yaml"),
    include_str!("../../tests/blueprints/images/blueprint.yaml"),
    include_str!("../../tests/blueprints/secrets/blueprint.yaml"),
    include_str!("../../blueprints/hdfs-ha/blueprint.yaml"),
];

const LAYOUTS: [Layout; 3] = [Layout::Several, Layout::Single, Layout::Objects];

#[derive(Debug, Arbitrary)]
struct Input<'i> {
    blueprint: u8,
    layout: u8,
    target: u8,
    edits: [Option<Edit<'i>>; 4],
}

/// One change; the places are counted in the order of the text, round and round.
#[derive(Debug, Arbitrary)]
enum Edit<'i> {
    Text(u16, &'i str),
    Piece(u16, u8),
    Word(u16, u8),
    Null(u16),
    Number(u16, i64),
    Copy(u16, u16),
    Listed(u16),
    Renamed(u16, &'i str),
    Removed(u16),
}

/// Pieces that mean something to someone on the way.
const PIECES: [&str; 40] = [
    "{{ replica.index }}",
    "{{ peer.id }}",
    "{{ host('app') }}",
    "{{ secret('token') }}",
    "{{ omit }}",
    "{{ peers() | length }}",
    "{{ params.x }}",
    "{{ name }}",
    "{{",
    "}}",
    "${X}",
    "$$",
    "%{if}",
    "`id`",
    "'",
    "\"",
    "\\",
    "\n",
    "\r\n",
    "\t",
    " ",
    "\u{feff}",
    "\u{2028}",
    "é",
    "e\u{301}",
    "\u{1}",
    "EOF",
    "#",
    ": ",
    "- ",
    "..",
    "/",
    "/../",
    "=",
    "!",
    "*",
    "-1",
    "18446744073709551616",
    "0x10",
    "9223372036854775807",
];

/// Whole values of one type or another.
const WORDS: [&str; 24] = [
    "0",
    "1",
    "2",
    "65535",
    "65536",
    "4294967295",
    "1000",
    "true",
    "false",
    "ensemble",
    "process",
    "daemon",
    "job",
    "5Gi",
    "1e9",
    "9999999999999Ti",
    "1h",
    "18446744073709551615h",
    "0777",
    "1000:100",
    "{{ 3 }}",
    "{{ 'x' * 70000 }}",
    "{{ range(3) | list }}",
    "/data",
];

static TREES: LazyLock<Vec<Yaml>> = LazyLock::new(|| BLUEPRINTS.map(tree).to_vec());

fuzz_target!(|input: Input<'_>| {
    let trees = &*TREES;
    let mut tree = trees[usize::from(input.blueprint) % trees.len()].clone();
    for edit in input.edits.iter().flatten() {
        apply(&mut tree, edit);
    }
    let text = document("", &tree);
    let target = target::ALL[usize::from(input.target) % target::ALL.len()];
    let layout = LAYOUTS[usize::from(input.layout) % LAYOUTS.len()];
    run(&Texts::with(&text), &[target], layout);
});

fn apply(tree: &mut Yaml, edit: &Edit<'_>) {
    match *edit {
        Edit::Text(at, text) => put(tree, at, Yaml::text(text)),
        Edit::Piece(at, piece) => {
            let piece = PIECES[usize::from(piece) % PIECES.len()];
            with(tree, at, &mut |node| match node {
                Yaml::Text(text) | Yaml::Plain(text) => {
                    *node = Yaml::text(format!("{text}{piece}"));
                }
                _ => *node = Yaml::text(piece),
            });
        }
        Edit::Word(at, word) => {
            let word = WORDS[usize::from(word) % WORDS.len()];
            put(tree, at, scalar(word, !word.contains('{')));
        }
        Edit::Null(at) => put(tree, at, Yaml::Plain("null".to_owned())),
        Edit::Number(at, number) => put(tree, at, Yaml::Plain(number.to_string())),
        Edit::Copy(from, to) => {
            let mut copy = None;
            with(tree, from, &mut |node| copy = Some(node.clone()));
            put(tree, to, copy.unwrap_or(Yaml::List(Vec::new())));
        }
        Edit::Listed(at) => with(tree, at, &mut |node| {
            *node = Yaml::List(vec![node.clone(), node.clone()]);
        }),
        Edit::Renamed(at, name) => with(tree, at, &mut |node| {
            if let Yaml::Map(entries) = node
                && let Some((key, _)) = entries.last_mut()
            {
                name.clone_into(key);
            }
        }),
        Edit::Removed(at) => with(tree, at, &mut |node| match node {
            Yaml::Map(entries) => {
                entries.pop();
            }
            Yaml::List(items) => {
                items.pop();
            }
            _ => {}
        }),
    }
}

fn put(tree: &mut Yaml, at: u16, value: Yaml) {
    let mut value = Some(value);
    with(tree, at, &mut |node| {
        if let Some(value) = value.take() {
            *node = value;
        }
    });
}

/// Changes the node at a place.
fn with(tree: &mut Yaml, at: u16, change: &mut dyn FnMut(&mut Yaml)) {
    let mut left = usize::from(at) % count(tree);
    visit(tree, &mut left, change);
}

fn count(node: &Yaml) -> usize {
    match node {
        Yaml::List(items) => 1 + items.iter().map(count).sum::<usize>(),
        Yaml::Map(entries) => 1 + entries.iter().map(|(_, v)| count(v)).sum::<usize>(),
        _ => 1,
    }
}

/// Goes on until `left` nodes are passed; true when the change is made.
fn visit(node: &mut Yaml, left: &mut usize, change: &mut dyn FnMut(&mut Yaml)) -> bool {
    if *left == 0 {
        change(node);
        return true;
    }
    *left -= 1;
    match node {
        Yaml::List(items) => items.iter_mut().any(|n| visit(n, left, change)),
        Yaml::Map(entries) => entries.iter_mut().any(|(_, n)| visit(n, left, change)),
        _ => false,
    }
}

fn tree(text: &str) -> Yaml {
    let mut sources = Sources::default();
    let mut problems = Problems::default();
    let source = sources.add("blueprint.yaml", text);
    let node = read(source, &sources, &mut problems);
    converted(&node.expect("a blueprint that is right"))
}

fn converted(node: &Node) -> Yaml {
    match &node.value {
        Value::Null => Yaml::Plain("null".to_owned()),
        Value::Scalar(s) => scalar(&s.text, s.plain),
        Value::List(items) => Yaml::List(items.iter().map(converted).collect()),
        Value::Map(entries) => Yaml::Map(
            entries
                .iter()
                .map(|e| (e.key.to_string(), converted(&e.value)))
                .collect(),
        ),
    }
}

/// Plain where that is safe, so that numbers stay numbers.
fn scalar(text: &str, plain: bool) -> Yaml {
    let safe = |c: char| c.is_ascii_alphanumeric() || "._".contains(c);
    if plain && text.chars().all(safe) {
        Yaml::Plain(text.to_owned())
    } else {
        Yaml::text(text)
    }
}
