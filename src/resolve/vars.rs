//! Variables: their types come from the defaults in `vars`, their values from the defaults,
//! `--values` and `--set`.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use indexmap::IndexMap;

use super::layers::Input;
use crate::blueprint::VALUE_NAMES;
use crate::problem::{Problem, Problems, SourceId, Sources, Span, one_of};
use crate::template::{self, Engine, Value as Evaluated};
use crate::yaml::{self, Entry, Node, Scalar, Value};

/// Where the value of a variable comes from.
#[derive(Debug, Clone)]
pub struct Declared {
    /// The value that counts: under `vars`, in a values file, or behind `--set`.
    pub span: Span,
    /// It was given from outside, over the default.
    pub given: bool,
    /// The variables that it is made from.
    pub names: Vec<Arc<str>>,
}

/// The variables as templates see them, with `name`; and where each comes from.
pub(super) fn values(
    tree: &Node,
    input: &Input,
    engine: &Engine,
    sources: &mut Sources,
    problems: &mut Problems,
) -> (Evaluated, BTreeMap<Arc<str>, Declared>) {
    let mut declared: IndexMap<Arc<str>, Entry> = IndexMap::new();
    for entry in tree.get("vars").map(Node::entries).unwrap_or_default() {
        reserved(entry, problems);
        declared.insert(Arc::clone(&entry.key), entry.clone());
    }
    let defaults: Vec<Span> = declared.values().map(|e| e.value.span).collect();
    for source in &input.values {
        if let Some(node) = yaml::read(*source, sources, problems) {
            layer(&mut declared, &node, problems);
        }
    }
    for source in &input.sets {
        set(&mut declared, *source, sources, problems);
    }
    let mut evaluation = Evaluation {
        declared: &declared,
        done: BTreeMap::new(),
        engine,
        sources,
        problems,
    };
    if let Some(name) = tree.get("name").and_then(Node::text) {
        evaluation.done.insert("name".into(), Evaluated::from(name));
    }
    for key in declared.keys() {
        evaluation.value(key);
    }
    let places = declared
        .iter()
        .zip(defaults)
        .map(|((name, entry), default)| {
            let span = entry.value.span;
            let place = Declared {
                span,
                given: span != default,
                names: evaluation.needed(name),
            };
            (Arc::clone(name), place)
        });
    let places = places.collect();
    (Evaluated::from_pairs(evaluation.done), places)
}

fn reserved(entry: &Entry, problems: &mut Problems) {
    let identifier = entry
        .key
        .chars()
        .enumerate()
        .all(|(i, c)| c == '_' || c.is_ascii_alphabetic() || (i > 0 && c.is_ascii_digit()));
    if VALUE_NAMES.contains(&&*entry.key) || &*entry.key == "name" {
        problems.add(
            Problem::error(
                "invalid-name",
                format!("`{}` is the name of a function", entry.key),
            )
            .at(entry.key_span)
            .label("expected another name for this variable"),
        );
    } else if !identifier || entry.key.is_empty() {
        problems.add(
            Problem::error(
                "invalid-name",
                format!("`{}` can't be the name of a variable", entry.key),
            )
            .at(entry.key_span)
            .label("expected letters, digits and underscores, so that {{ }} can name it"),
        );
    }
}

/// Lays the values of one file over the defaults.
fn layer(declared: &mut IndexMap<Arc<str>, Entry>, node: &Node, problems: &mut Problems) {
    if !matches!(node.value, Value::Map(_) | Value::Null) {
        problems.add(
            Problem::error(
                "wrong-type",
                format!("values are a mapping, this is {}", node.kind()),
            )
            .at(node.span)
            .label("expected variables and their values"),
        );
    }
    for entry in node.entries() {
        assign(
            declared,
            &entry.key,
            entry.key_span,
            entry.value.clone(),
            problems,
        );
    }
}

/// Gives one variable another value, of the same type.
fn assign(
    declared: &mut IndexMap<Arc<str>, Entry>,
    name: &str,
    span: Span,
    value: Node,
    problems: &mut Problems,
) {
    if !declared.contains_key(name) {
        let known = declared.keys().map(|n| &**n);
        let label = if declared.is_empty() {
            "it has no `vars`".to_owned()
        } else {
            format!("expected {}", one_of(known.clone()))
        };
        problems.add(
            Problem::error(
                "undefined",
                format!("the blueprint has no variable `{name}`"),
            )
            .at(span)
            .label(label)
            .nearest(name, known)
            .help("only what stands under `vars` can be changed from outside"),
        );
    }
    let Some(entry) = declared.get_mut(name) else {
        return;
    };
    if !fits(name, &entry.value, &value, problems) {
        return;
    }
    let below = std::mem::replace(&mut entry.value, null(span));
    entry.value = yaml::merge(below, value);
}

/// Has a value the type of the default, and so has whatever is in it?
fn fits(name: &str, default: &Node, value: &Node, problems: &mut Problems) -> bool {
    let wanted = Type::of(default);
    if !wanted.takes(Type::of(value)) {
        problems.add(
            Problem::error(
                "wrong-type",
                format!("`{name}` is {}, found {}", wanted.words(), shown(value)),
            )
            .at(value.span)
            .label(format!("expected {}", wanted.words()))
            .related(default.span, "the default gives the type"),
        );
        return false;
    }
    let defaults = default.entries().iter();
    let defaults: HashMap<&str, &Node> = defaults.map(|e| (&*e.key, &e.value)).collect();
    let inner = value.entries().iter();
    let inner = inner.filter_map(|e| Some((e, *defaults.get(&*e.key)?)));
    inner.fold(true, |good, (entry, default)| {
        let name = format!("{name}.{}", entry.key);
        fits(&name, default, &entry.value, problems) && good
    })
}

fn shown(node: &Node) -> String {
    node.text()
        .map_or_else(|| node.kind().to_owned(), |text| format!("`{text}`"))
}

fn null(span: Span) -> Node {
    Node {
        value: Value::Null,
        span,
        scope: 0,
    }
}

/// Takes one `--set name=value` or `--set name.key=value`.
fn set(
    declared: &mut IndexMap<Arc<str>, Entry>,
    source: SourceId,
    sources: &mut Sources,
    problems: &mut Problems,
) {
    let text = sources
        .get(source)
        .map(|s| Arc::clone(&s.text))
        .unwrap_or_default();
    let Some((path, value)) = text.split_once('=') else {
        problems.add(
            Problem::error("set", format!("`{text}` sets nothing"))
                .at(Span::new(source, 0, text.len()))
                .label("expected NAME=VALUE"),
        );
        return;
    };
    let span = Span::new(source, path.len() + 1, text.len());
    let mut keys = path.split('.');
    let name = keys.next().unwrap_or("").trim();
    let inner: Vec<&str> = keys.collect();
    let wants = declared.get(name).map(|e| Type::of(&e.value));
    let structured = inner.is_empty() && matches!(wants, Some(Type::List | Type::Map));
    let mut node = Node {
        value: Value::Scalar(Scalar {
            text: value.into(),
            plain: true,
        }),
        span,
        scope: 0,
    };
    if structured {
        let id = sources.add(format!("--set {name}"), value);
        match yaml::read(id, sources, problems) {
            Some(read) => node = read,
            None => return,
        }
    }
    for key in inner.into_iter().rev() {
        node = Node {
            value: Value::Map(vec![Entry {
                key: key.into(),
                key_span: span,
                value: node,
            }]),
            span,
            scope: 0,
        };
    }
    assign(
        declared,
        name,
        Span::new(source, 0, path.len()),
        node,
        problems,
    );
}

/// The type that a default gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Any,
    Text,
    Integer,
    Number,
    Boolean,
    List,
    Map,
}

impl Type {
    fn of(node: &Node) -> Self {
        match &node.value {
            Value::Null => Self::Any,
            Value::List(_) => Self::List,
            Value::Map(_) => Self::Map,
            Value::Scalar(scalar) if !scalar.plain => Self::Text,
            Value::Scalar(scalar) => {
                let value = template::plain_value(&scalar.text);
                match value.kind() {
                    template::ValueKind::Bool => Self::Boolean,
                    template::ValueKind::Number if value.as_i64().is_some() => Self::Integer,
                    template::ValueKind::Number => Self::Number,
                    _ => Self::Text,
                }
            }
        }
    }

    /// May a value of type `given` stand where the default has this type? A text takes every
    /// scalar, because its characters are what counts, but null is none.
    fn takes(self, given: Self) -> bool {
        match self {
            Self::Any => true,
            Self::Text => !matches!(given, Self::Any | Self::List | Self::Map),
            Self::Number => matches!(given, Self::Number | Self::Integer),
            Self::Integer | Self::Boolean | Self::List | Self::Map => given == self,
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Any => "any value",
            Self::Text => "a text",
            Self::Integer => "a whole number",
            Self::Number => "a number",
            Self::Boolean => "`true` or `false`",
            Self::List => "a list",
            Self::Map => "a mapping",
        }
    }
}

struct Evaluation<'a> {
    declared: &'a IndexMap<Arc<str>, Entry>,
    done: BTreeMap<String, Evaluated>,
    engine: &'a Engine,
    sources: &'a Sources,
    problems: &'a mut Problems,
}

impl Evaluation<'_> {
    /// Evaluates one variable, and first those that it is made from. A chain of them may be longer
    /// than the stack is deep.
    fn value(&mut self, name: &Arc<str>) {
        if self.done.contains_key(&**name) {
            return;
        }
        // Each is needed by the one before it, and has those that it needs itself.
        let mut open = IndexMap::from([(Arc::clone(name), self.needed(name))]);
        while let Some((_, needed)) = open.last_mut() {
            let Some(next) = needed.pop() else {
                if let Some((name, _)) = open.pop() {
                    self.evaluate(&name);
                }
                continue;
            };
            if self.done.contains_key(&*next) {
                continue;
            }
            if open.contains_key(&next) {
                self.cycle(open.keys(), &next);
            } else {
                let needed = self.needed(&next);
                open.insert(next, needed);
            }
        }
    }

    /// The variables that one is made from, the last first.
    fn needed(&self, name: &str) -> Vec<Arc<str>> {
        let mut names = Vec::new();
        if let Some(entry) = self.declared.get(name) {
            self.named(&entry.value, &mut names);
        }
        names.reverse();
        names
    }

    fn named(&self, node: &Node, names: &mut Vec<Arc<str>>) {
        match &node.value {
            Value::Scalar(scalar) if template::is_template(&scalar.text) => {
                let found = self.engine.names(&scalar.text);
                let declared = found
                    .iter()
                    .filter_map(|n| self.declared.get_key_value(&**n));
                names.extend(declared.map(|(key, _)| Arc::clone(key)));
            }
            Value::List(items) => items.iter().for_each(|n| self.named(n, names)),
            Value::Map(entries) => entries.iter().for_each(|e| self.named(&e.value, names)),
            Value::Null | Value::Scalar(_) => {}
        }
    }

    fn cycle<'n>(&mut self, open: impl Iterator<Item = &'n Arc<str>>, name: &Arc<str>) {
        let way: Vec<&str> = open.map(|n| &**n).collect();
        if let Some(entry) = self.declared.get(name) {
            self.problems.add(
                Problem::error("cycle", "variables are made from each other in a circle")
                    .at(entry.key_span)
                    .label(format!("{} -> {name}", way.join(" -> "))),
            );
        }
        self.done.insert(name.to_string(), Evaluated::from(""));
    }

    fn evaluate(&mut self, name: &str) {
        let Some(entry) = self.declared.get(name) else {
            return;
        };
        if entry.value.is_null() {
            let (span, label) = if entry.value.span.source == entry.key_span.source {
                (entry.key_span, "its default is null, so it must be given")
            } else {
                (entry.value.span, "expected a value: null is none")
            };
            self.problems.add(
                Problem::error("missing-key", format!("the variable `{name}` has no value"))
                    .at(span)
                    .label(label)
                    .help(format!(
                        "give it with --set {name}=VALUE or in a --values file"
                    )),
            );
        }
        let value = self.node(&entry.value);
        self.done.insert(name.to_owned(), value);
    }

    fn node(&mut self, node: &Node) -> Evaluated {
        match &node.value {
            Value::Null => Evaluated::from(()),
            Value::Scalar(scalar) => self.scalar(scalar, node.span),
            Value::List(items) => {
                Evaluated::from(items.iter().map(|n| self.node(n)).collect::<Vec<_>>())
            }
            Value::Map(entries) => Evaluated::from_pairs(
                entries
                    .iter()
                    .map(|e| (e.key.to_string(), self.node(&e.value))),
            ),
        }
    }

    fn scalar(&mut self, scalar: &Scalar, span: Span) -> Evaluated {
        if !template::is_template(&scalar.text) {
            return if scalar.plain {
                template::plain_value(&scalar.text)
            } else {
                Evaluated::from(&*scalar.text)
            };
        }
        let names = self.engine.names(&scalar.text);
        let known = names
            .iter()
            .filter_map(|n| Some((n.as_str(), self.done.get(n)?.clone())));
        let context = Evaluated::from_pairs(known);
        match self.engine.render(&scalar.text, &context) {
            Ok(text) => Evaluated::from(text),
            Err(failure) => {
                let known = || {
                    let names = self.declared.keys().map(std::string::ToString::to_string);
                    names.chain(["name".to_owned()]).collect()
                };
                self.problems
                    .add(failure.problem(&scalar.text, span, self.sources, &known));
                Evaluated::from("")
            }
        }
    }
}
