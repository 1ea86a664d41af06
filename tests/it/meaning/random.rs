//! Made-up blueprints of one ensemble whose texts mix what replicas differ in with what platforms
//! change: each target either says what it can't carry, or gives every replica its own.

use std::cell::Cell;

use flokkr::emit::yaml::{Yaml, document};
use flokkr::problem::{Problems, Severity};
use flokkr::target;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use proptest::test_runner::{TestCaseError, TestError, TestRunner};

use super::compare::report;
use super::{Outcome, hear, no_loader, said_by_all};
use crate::env::hostile;
use crate::properties::cases_or;

/// A piece of a text.
#[derive(Debug, Clone)]
enum Bit {
    Literal(String),
    /// What a replica knows of itself: `index`, `id`, `host`.
    Own(&'static str),
    /// The host of the next replica in the ring.
    Next,
    Secret,
}

/// A text, of all replicas or of some.
#[derive(Debug, Clone)]
enum Text {
    All(Vec<Bit>),
    Some(Condition, Vec<Bit>),
    /// One text for some replicas, another for the rest.
    Either(Condition, Vec<Bit>, Vec<Bit>),
}

/// Which replicas.
type Condition = &'static str;

const CONDITIONS: [Condition; 5] = [
    "replica.index == 0",
    "replica.index > 0",
    "replica.index is odd",
    "replica.id < 3",
    "replica.index == replica.count - 1",
];

/// Images of steps: the ensemble's own, one whose launcher spells config in another way, one that has a place for it and
/// no launcher, and one that has neither.
const IMAGES: [&str; 4] = ["app", "tool", "place", "bare"];

/// A step of the ensemble.
#[derive(Debug, Clone)]
struct Step {
    when: Option<Condition>,
    unless: Option<Text>,
    env: Texts,
    /// The image that it runs in.
    image: &'static str,
    /// The words of its command, or the text of its script.
    words: Result<Vec<Text>, Text>,
}

type Texts = Vec<(String, Text)>;

/// A blueprint.
#[derive(Debug, Clone)]
struct Case {
    replicas: u32,
    /// Where the numbers of a target begin, if it can begin elsewhere.
    first: u32,
    entrypoint: Option<Vec<Text>>,
    command: Vec<Text>,
    env: Texts,
    config: Texts,
    /// Config that other services have too.
    shared: Texts,
    /// What one of those has instead of the first of it.
    changed: Vec<Bit>,
    as_files: bool,
    files: Vec<Text>,
    steps: Vec<Step>,
    sidecar: Option<(Texts, Vec<Text>)>,
}

fn literal() -> impl Strategy<Value = Bit> {
    let known = proptest::sample::select(vec![
        "0",
        "1",
        "2",
        "10",
        "11",
        "app-",
        "app-0",
        "app-1",
        ".app",
        ".",
        "-",
        "$",
        "$$",
        "$(",
        ")",
        "$$$",
        "a$b$$c",
        "$(A)$$",
        "$(POD_NAME)",
        "$POD_NAME",
        "$(FLOKKR_REPLICA)",
        "${A:-b}",
        "$(A)",
        "${",
        "`",
        "'",
        "\"",
        "\\",
        "\n",
        "\t",
        " ",
        "é",
        "$é",
        "😀",
        "=",
        ":",
        "{{",
        "}}",
        "{%",
        "#",
        "*",
        "~",
        "%",
        "&",
        "env",
        "exec ",
        "<<",
        "x",
    ]);
    let hostile = hostile().prop_map(|text| text.replace('\0', ""));
    let text = prop_oneof![12 => known.prop_map(str::to_owned), 1 => hostile];
    text.prop_map(Bit::Literal)
}

fn bits() -> impl Strategy<Value = Vec<Bit>> {
    let bit = prop_oneof![
        12 => literal(),
        4 => Just(Bit::Own("index")),
        4 => Just(Bit::Own("host")),
        1 => Just(Bit::Own("id")),
        1 => Just(Bit::Next),
    ];
    vec(bit, 0..5)
}

/// A text that every target can give to each replica.
fn easy_text() -> impl Strategy<Value = Text> {
    let bit = prop_oneof![
        3 => literal(),
        1 => Just(Bit::Own("index")),
        1 => Just(Bit::Own("host")),
    ];
    vec(bit, 0..5).prop_map(Text::All)
}

fn text() -> impl Strategy<Value = Text> {
    let condition = || proptest::sample::select(CONDITIONS.to_vec());
    prop_oneof![
        10 => bits().prop_map(Text::All),
        1 => (condition(), bits()).prop_map(|(c, bits)| Text::Some(c, bits)),
        1 => (condition(), bits(), bits()).prop_map(|(c, yes, no)| Text::Either(c, yes, no)),
    ]
}

/// A text that all replicas have, because not every target can leave it out.
fn text_of_all() -> impl Strategy<Value = Text> {
    bits().prop_map(Text::All)
}

/// A text of a file: it may have characters that are nowhere else taken.
fn text_of_file() -> impl Strategy<Value = Text> {
    (bits(), proptest::bool::weighted(0.2)).prop_map(|(mut bits, rare)| {
        if rare {
            bits.push(Bit::Literal("\u{7f}\u{85}\u{ffff}".to_owned()));
        }
        Text::All(bits)
    })
}

/// Variables with such values, and with secrets.
fn env(value: impl Strategy<Value = Text>) -> impl Strategy<Value = Texts> {
    let names = proptest::sample::select(vec![
        "A",
        "B",
        "a.b",
        "-u",
        "-",
        "A B",
        "x-y",
        "POD_NAME",
        "FLOKKR_REPLICA",
        "SECRET_TOKEN",
        "PATH",
        "1A",
        "A!B",
    ]);
    let secret = bits().prop_map(|mut bits| {
        bits.push(Bit::Secret);
        Text::All(bits)
    });
    let value = prop_oneof![8 => value, 1 => secret];
    btree_map(names.prop_map(str::to_owned), value, 0..4).prop_map(|map| map.into_iter().collect())
}

fn step(text: &BoxedStrategy<Text>) -> impl Strategy<Value = Step> + use<> {
    let when = proptest::option::of(proptest::sample::select(CONDITIONS.to_vec()));
    let unless = proptest::option::weighted(0.2, text.clone());
    let env = prop_oneof![3 => Just(Texts::new()), 1 => env(text.clone())];
    let words = prop_oneof![
        2 => vec(text.clone(), 1..3).prop_map(Ok),
        1 => text.clone().prop_map(Err),
    ];
    let image = prop_oneof![3 => Just("app"), 1 => proptest::sample::select(IMAGES.to_vec())];
    (when, unless, env, image, words).prop_map(|(when, unless, env, image, words)| Step {
        when,
        unless,
        env,
        image,
        words,
    })
}

/// At least one word; seldom none, which is refused.
fn words_of_entrypoint() -> impl Strategy<Value = Vec<Text>> {
    prop_oneof![30 => vec(text_of_all(), 1..3), 1 => Just(Vec::new())]
}

prop_compose! {
    /// A blueprint of such texts; those of steps and sidecars, which no script stands before, apart.
    fn case_of(text: BoxedStrategy<Text>, alone: BoxedStrategy<Text>, entrypoint: f64)(
        replicas in 1u32..=12,
        first in 0u32..3,
        entrypoint in proptest::option::weighted(entrypoint, words_of_entrypoint()),
        command in vec(text.clone(), 0..4),
        env in env(text.clone()),
        config in vec(text.clone(), 0..5),
        shared in vec(vec(literal(), 0..3), 0..4),
        changed in vec(literal(), 0..2),
        as_files in any::<bool>(),
        files in vec(text_of_file(), 0..3),
        steps in prop_oneof![Just(Vec::new()), vec(step(&alone), 1..3)],
        sidecar in proptest::option::weighted(0.3, (env(alone.clone()), vec(alone.clone(), 1..3))),
    ) -> Case {
        let config = config.into_iter().enumerate();
        let shared = shared.into_iter().enumerate();
        Case {
            replicas,
            first,
            entrypoint,
            command,
            env,
            config: config.map(|(i, text)| (format!("key.{i}"), text)).collect(),
            shared: shared.map(|(i, bits)| (format!("shared.{i}"), Text::All(bits))).collect(),
            changed,
            as_files,
            files,
            steps,
            sidecar,
        }
    }
}

fn case() -> impl Strategy<Value = Case> {
    let easy = || easy_text().boxed();
    prop_oneof![
        case_of(easy(), easy(), 0.2),
        case_of(text().boxed(), text_of_all().boxed(), 0.8),
    ]
}

impl Bit {
    /// In a text.
    fn written(&self) -> String {
        match self {
            Self::Literal(text) => text.replace('{', "{{ '{' }}"),
            other => format!("{{{{ {} }}}}", other.expression()),
        }
    }

    /// In an expression.
    fn expression(&self) -> String {
        match self {
            Self::Literal(text) => serde_json::to_string(text).unwrap(),
            Self::Own(what) => format!("replica.{what}"),
            Self::Next => "hosts('app')[(replica.index + 1) % replica.count]".to_owned(),
            Self::Secret => "secret('token')".to_owned(),
        }
    }
}

impl Text {
    fn written(&self) -> Yaml {
        let joined = |bits: &[Bit]| {
            let bits = bits.iter().map(|bit| format!(" ~ {}", bit.expression()));
            format!("(''{})", bits.collect::<String>())
        };
        Yaml::text(match self {
            Self::All(bits) => bits.iter().map(Bit::written).collect(),
            Self::Some(when, bits) => format!("{{{{ {} if {when} else omit }}}}", joined(bits)),
            Self::Either(when, yes, no) => {
                format!("{{{{ {} if {when} else {} }}}}", joined(yes), joined(no))
            }
        })
    }
}

fn map<'a>(entries: impl IntoIterator<Item = (&'a str, Yaml)>) -> Yaml {
    let entries = entries.into_iter();
    Yaml::Map(entries.map(|(k, v)| (k.to_owned(), v)).collect())
}

fn texts(texts: &Texts) -> Yaml {
    map(texts
        .iter()
        .map(|(name, text)| (name.as_str(), text.written())))
}

fn words(words: &[Text]) -> Yaml {
    Yaml::List(words.iter().map(Text::written).collect())
}

impl Case {
    /// The text of the blueprint.
    fn blueprint(&self) -> String {
        let image = |launcher: &str| {
            map([
                ("ref", Yaml::text(format!("example/{launcher}:1"))),
                ("launcher", Yaml::text(launcher)),
                ("conf", Yaml::text("/etc/app")),
                ("entrypoint", Yaml::text("bash")),
                ("argv", Yaml::text("exec")),
            ])
        };
        let place = map([
            ("ref", Yaml::text("example/place:1")),
            ("conf", Yaml::text("/etc/place")),
        ]);
        let bare = map([("ref", Yaml::text("example/bare:1"))]);
        let images = map([
            ("app", image("flokkr")),
            ("tool", image("launch")),
            ("place", place),
            ("bare", bare),
        ]);
        let ordinals = map([("ordinals", map([("app", Yaml::number(self.first))]))]);
        let other = |own: Yaml| {
            let used = Yaml::List(vec![Yaml::text("all")]);
            let config = map([("use", used), ("app.properties", own)]);
            map([("image", Yaml::text("app")), ("config", config)])
        };
        let changed = Text::All(self.changed.clone()).written();
        let services = map([
            ("app", self.service()),
            ("other", other(map([]))),
            ("changed", other(map([("shared.0", changed)]))),
        ]);
        let blueprint = map([
            ("blueprint", Yaml::text("v1")),
            ("name", Yaml::text("made")),
            (
                "secrets",
                map([("token", map([("env", Yaml::text("TOKEN"))]))]),
            ),
            ("images", images),
            (
                "config",
                map([("all", map([("app.properties", texts(&self.shared))]))]),
            ),
            ("services", services),
            ("targets", map([("kubernetes", ordinals)])),
        ]);
        document("", &blueprint)
    }

    fn service(&self) -> Yaml {
        let delivery = if self.as_files { "files" } else { "env" };
        let config = [
            ("use", Yaml::List(vec![Yaml::text("all")])),
            ("delivery", Yaml::text(delivery)),
            ("app.properties", texts(&self.config)),
        ];
        let paths: Vec<String> = (0..self.files.len()).map(|i| format!("/f/{i}")).collect();
        let files = paths.iter().zip(&self.files);
        let mut service = vec![
            ("image", Yaml::text("app")),
            ("kind", Yaml::text("ensemble")),
            ("replicas", Yaml::number(self.replicas)),
            ("command", words(&self.command)),
            ("env", texts(&self.env)),
            (
                "files",
                map(files.map(|(path, text)| (path.as_str(), text.written()))),
            ),
            (
                "init",
                Yaml::List((0..).zip(&self.steps).map(|(i, s)| s.written(i)).collect()),
            ),
        ];
        // A replaced entrypoint runs no launcher.
        if let Some(entrypoint) = &self.entrypoint {
            service.push(("entrypoint", words(entrypoint)));
        }
        if self.entrypoint.is_none() || self.as_files {
            service.push(("config", map(config)));
        }
        if let Some((env, command)) = &self.sidecar {
            let side = map([("command", words(command)), ("env", texts(env))]);
            service.push(("sidecars", map([("side", side)])));
        }
        map(service)
    }
}

impl Step {
    fn written(&self, at: u32) -> Yaml {
        let mut step = vec![
            ("name", Yaml::text(format!("step{at}"))),
            ("env", texts(&self.env)),
            ("image", Yaml::text(self.image)),
        ];
        if let Some(when) = self.when {
            step.push(("when", Yaml::text(format!("{{{{ {when} }}}}"))));
        }
        if let Some(unless) = &self.unless {
            step.push(("unless", unless.written()));
        }
        step.push(match &self.words {
            Ok(list) => ("command", words(list)),
            Err(script) => ("script", script.written()),
        });
        map(step)
    }
}

/// A refusal says where, what is expected there, or what to do.
fn names_the_field(problems: &Problems) -> bool {
    let errors = problems.sorted().into_iter();
    errors
        .filter(|p| p.severity == Severity::Error)
        .all(|p| p.span.is_some() && !p.label.is_empty())
}

/// How many targets take a blueprint and how many refuse it, or what they do wrong.
pub fn judge(text: &str) -> Result<(u32, u32), String> {
    let (mut all, mut refused) = (Vec::new(), 0);
    for target in target::ALL {
        match hear("made.yaml", text, &no_loader(), *target) {
            Outcome::Silent => {}
            Outcome::Heard(heard) => all.push(*heard),
            Outcome::Refused(problems, said) => {
                refused += 1;
                if !names_the_field(&problems) {
                    return Err(format!("a refusal without a place:\n{said}"));
                }
            }
        }
    }
    let lines = said_by_all(&all);
    if lines.is_empty() {
        Ok((u32::try_from(all.len()).unwrap(), refused))
    } else {
        Err(report(&lines))
    }
}

#[test]
fn every_replica_gets_its_own_or_the_field_is_named() {
    let (taken, refused) = (Cell::new(0), Cell::new(0));
    let mut runner = TestRunner::new(cases_or(64));
    let result = runner.run(&case(), |case| {
        let (some, others) = judge(&case.blueprint()).map_err(TestCaseError::fail)?;
        taken.set(taken.get() + some);
        refused.set(refused.get() + others);
        Ok(())
    });
    if let Err(TestError::Fail(reason, case)) = &result {
        panic!("{reason}\nfor this blueprint:\n{}", case.blueprint());
    }
    result.unwrap();
    // Else little would be tested.
    let (taken, refused) = (taken.get(), refused.get());
    assert!(taken > refused, "{taken} taken, {refused} refused");
}
