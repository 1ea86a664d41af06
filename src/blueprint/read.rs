//! Reading a typed value from a node: the trait [`Read`], its [`Reader`], and the containers
//! ([`Text`], [`At`], [`Map`]) that keep the place of what they hold.
//!
//! Owns "wrong type", "unknown key", "missing key" and the evaluation of *structure* scalars
//! (counts, ports, sizes: known before any target is), which see the variables only.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::reference::Definitions;
use crate::problem::{Problem, Problems, Sources, Span};
use crate::template::{self, Engine};
use crate::yaml::{Entry, Node, Scalar, Value};

/// What reading needs besides the node.
pub struct Reader<'a> {
    /// Where problems go.
    pub problems: &'a mut Problems,
    /// The texts that spans point into.
    pub sources: &'a Sources,
    /// Evaluates structure scalars.
    pub engine: &'a Engine,
    /// What structure scalars see: the variables and `name`; in a plugin's part (by scope) also
    /// its `params`. The first is the blueprint's own.
    pub contexts: &'a [template::Value],
    /// Where the value of a variable stands.
    pub variable: &'a dyn Fn(&str) -> Option<Span>,
    /// Something that other parts depend on could not be read, and stands as absent.
    pub unsure: bool,
}

impl Reader<'_> {
    /// Reports a problem, and gives the `None` that ends the reading of this value.
    pub fn fail<T>(&mut self, problem: Problem) -> Option<T> {
        self.problems.add(problem);
        None
    }

    /// Reports that a node is of the wrong kind.
    pub fn expected<T>(&mut self, node: &Node, what: &str) -> Option<T> {
        let got = match node.text() {
            Some(text) if text.chars().count() <= 40 => format!("`{text}`"),
            _ => node.kind().to_owned(),
        };
        let mut problem = Problem::error("wrong-type", format!("expected {what}, found {got}"))
            .at(node.span)
            .label(format!("expected {what}"));
        if let [Entry { value, key, .. }] = node.entries()
            && (value.is_null() || !value.entries().is_empty())
            && (key.starts_with('{') || key.is_empty())
        {
            // Said already where it was read as YAML.
            if key.is_empty() && self.problems.has_errors() {
                return None;
            }
            problem = problem.help("a value that begins with `{{` needs quotes: \"{{ name }}\"");
        }
        self.fail(problem)
    }

    /// The text of a structure scalar, its templates evaluated with the variables.
    pub fn structure(&mut self, text: &str, span: Span, scope: u32) -> Option<Arc<str>> {
        if !template::is_template(text) {
            return Some(text.into());
        }
        let context = self
            .contexts
            .get(scope as usize)
            .cloned()
            .unwrap_or_default();
        match self.engine.render(text, &context) {
            Ok(value) => Some(value.into()),
            Err(failure) => {
                let known = || {
                    let names = context.try_iter().into_iter().flatten();
                    names
                        .filter_map(|n| n.as_str().map(str::to_owned))
                        .collect()
                };
                let mut problem = failure.problem(text, span, self.sources, &known);
                if failure
                    .names
                    .iter()
                    .any(|n| VALUE_NAMES.contains(&n.as_str()))
                {
                    problem = problem.help(
                        "this field is part of the cluster's structure: it sees `vars` and `name`, \
                         not other services or replicas",
                    );
                }
                self.fail(problem)
            }
        }
    }
}

/// Names that only values see, besides the variables; none of them can be a variable's.
pub const VALUE_NAMES: [&str; 12] = [
    "address",
    "addresses",
    "host",
    "hosts",
    "omit",
    "params",
    "peer",
    "peers",
    "port",
    "replica",
    "secret",
    "service",
];

/// A type of the blueprint language.
pub trait Read: Sized {
    /// Reads the node; `None` when a problem was reported.
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self>;

    /// What an absent key means; `None` makes the key required.
    fn missing() -> Option<Self> {
        None
    }

    /// Is it one text that stands for itself? Then nothing else depends on one that can't be read.
    fn is_leaf() -> bool {
        false
    }

    /// How a mapping of names to such values is written, for the message that says so.
    fn example() -> &'static str {
        ""
    }

    /// The JSON Schema of this type; records put theirs into `definitions` and give a reference.
    fn schema(definitions: &mut Definitions) -> Json;
}

impl<T: Read> Read for Option<T> {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        if node.is_null() {
            return Some(None);
        }
        T::read(node, reader).map(Some)
    }

    fn missing() -> Option<Self> {
        Some(None)
    }

    fn schema(definitions: &mut Definitions) -> Json {
        T::schema(definitions)
    }
}

/// A scalar that is evaluated later, when the target's names are known.
#[derive(Debug, Clone)]
pub struct Text {
    /// The text as written.
    pub text: Arc<str>,
    /// Where it stands.
    pub span: Span,
    /// The plugin instance it came with (0: none).
    pub scope: u32,
}

impl Text {
    /// A text that stands where another one does.
    pub fn of(text: impl Into<Arc<str>>, span: Span, scope: u32) -> Self {
        Self {
            text: text.into(),
            span,
            scope,
        }
    }
}

impl Read for Text {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match &node.value {
            Value::Scalar(scalar) => {
                Some(Self::of(Arc::clone(&scalar.text), node.span, node.scope))
            }
            _ => reader.expected(node, "a text"),
        }
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"type": ["string", "number", "boolean"]})
    }
}

/// A structure value and its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct At<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub span: Span,
}

/// Words of other tools, and the word here.
const ELSEWHERE: [(&str, &str); 13] = [
    ("unless-stopped", "always"),
    ("Always", "always"),
    ("OnFailure", "on-failure"),
    ("Never", "never"),
    ("no", "never"),
    ("StatefulSet", "ensemble"),
    ("Deployment", "service"),
    ("DaemonSet", "daemon"),
    ("Job", "job"),
    ("tmpfs", "memory"),
    ("emptyDir", "temporary"),
    ("bind", "host"),
    ("hostPath", "host"),
];

/// A type that is written as one scalar.
pub trait FromText: Sized {
    /// "a number from 1 to 65535": completes "expected ...".
    fn expected() -> String;
    /// Reads the text, after templates.
    fn from_text(text: &str) -> Option<Self>;
    /// The JSON Schema of the written form.
    fn scalar_schema() -> Json;
    /// Known names, for "did you mean".
    fn names() -> Vec<&'static str> {
        Vec::new()
    }
    /// What to write instead of a text that has a meaning elsewhere.
    fn hint(text: &str) -> Option<String> {
        let known = Self::names();
        let (_, here) = ELSEWHERE
            .iter()
            .find(|(other, here)| *other == text && known.contains(here))?;
        Some(format!("here that is `{here}`"))
    }
}

impl<T: FromText> Read for At<T> {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let expected = T::expected();
        let Value::Scalar(scalar) = &node.value else {
            return reader.expected(node, &expected);
        };
        let text = reader.structure(&scalar.text, node.span, node.scope)?;
        let Some(value) = T::from_text(&text) else {
            let got = if text == scalar.text {
                format!("`{text}`")
            } else {
                format!("`{text}` (from `{}`)", scalar.text)
            };
            let mut problem =
                Problem::error("wrong-type", format!("expected {expected}, found {got}"))
                    .at(node.span)
                    .label(format!("expected {expected}"));
            for name in reader.engine.names(&scalar.text) {
                if let Some(value) = (reader.variable)(&name) {
                    problem = problem.related(value, format!("the value of `{name}`"));
                }
            }
            return reader.fail(match T::hint(&text) {
                Some(hint) => problem.help(hint),
                None => problem.nearest(&text, T::names()),
            });
        };
        Some(Self {
            value,
            span: node.span,
        })
    }

    fn is_leaf() -> bool {
        true
    }

    fn schema(_: &mut Definitions) -> Json {
        let plain = T::scalar_schema();
        json!({"anyOf": [plain, {"type": "string", "pattern": "\\{\\{"}]})
    }
}

impl FromText for String {
    fn expected() -> String {
        "a text".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        Some(text.to_owned())
    }

    fn scalar_schema() -> Json {
        json!({"type": ["string", "number", "boolean"]})
    }
}

impl<T: Read> Read for Vec<T> {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let Value::List(items) = &node.value else {
            if node.is_null() {
                return Some(Vec::new());
            }
            if let Some(text) = node.text() {
                let words: Vec<String> = if text.contains(['"', '\'']) {
                    vec!["word".to_owned(), "\"two words\"".to_owned()]
                } else {
                    text.split_whitespace().map(quoted_word).collect()
                };
                return reader.fail(
                    Problem::error("wrong-type", format!("expected a list, found `{text}`"))
                        .at(node.span)
                        .label("expected a list")
                        .help(format!("write it as a list: [{}]", words.join(", "))),
                );
            }
            return reader.expected(node, "a list");
        };
        // What can't be read is left out alone, so that one run reports the problems of all.
        Some(items.iter().filter_map(|n| T::read(n, reader)).collect())
    }

    fn missing() -> Option<Self> {
        Some(Vec::new())
    }

    fn schema(definitions: &mut Definitions) -> Json {
        json!({"type": "array", "items": T::schema(definitions)})
    }
}

fn quoted_word(word: &str) -> String {
    let plain = word
        .chars()
        .all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c));
    if plain {
        word.to_owned()
    } else {
        format!("\"{}\"", word.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

/// A mapping from names to values of one type, in the order written.
#[derive(Debug, Clone)]
pub struct Map<T> {
    entries: Vec<(At<Arc<str>>, T)>,
    /// Names whose values could not be read.
    broken: Vec<Arc<str>>,
}

impl<T> Default for Map<T> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            broken: Vec::new(),
        }
    }
}

impl<T> Map<T> {
    /// Is a name written here, whether its value could be read or not?
    pub fn has(&self, name: &str) -> bool {
        self.get(name).is_some() || self.broken.iter().any(|b| &**b == name)
    }

    /// The value of a name. Linear: use an index for large maps.
    pub fn get(&self, name: &str) -> Option<&T> {
        self.entries
            .iter()
            .find(|(key, _)| &*key.value == name)
            .map(|(_, value)| value)
    }

    /// Names with their places, and values.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&At<Arc<str>>, &T)> {
        self.entries.iter().map(|(k, v)| (k, v))
    }

    /// The names, those with broken values last.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        let broken = self.broken.iter().map(|b| &**b);
        self.entries.iter().map(|(k, _)| &*k.value).chain(broken)
    }

    /// The names whose values could not be read.
    pub fn broken(&self) -> impl Iterator<Item = &str> {
        self.broken.iter().map(|b| &**b)
    }

    /// How many could be read.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// None at all?
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.broken.is_empty()
    }
}

impl<T: Read> Read for Map<T> {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        if node.is_null() {
            return Some(Self::default());
        }
        let Value::Map(entries) = &node.value else {
            let what = match T::example() {
                "" => "a mapping such as { NAME: ... }".to_owned(),
                example => format!("a mapping such as {example}"),
            };
            return reader.expected(node, &what);
        };
        let mut read = Self {
            entries: Vec::with_capacity(entries.len()),
            broken: Vec::new(),
        };
        for entry in entries {
            // A null removes what another layer gave; alone it means that nothing is given.
            if entry.value.is_null() && T::missing().is_none() {
                continue;
            }
            let key = reader.structure(&entry.key, entry.key_span, entry.value.scope);
            let value = T::read(&entry.value, reader);
            match (key, value) {
                (Some(key), Some(value)) => {
                    let span = entry.key_span;
                    read.entries.push((At { value: key, span }, value));
                }
                (key, _) => {
                    reader.unsure |= !T::is_leaf();
                    read.broken
                        .push(key.unwrap_or_else(|| Arc::clone(&entry.key)));
                }
            }
        }
        Some(read)
    }

    fn missing() -> Option<Self> {
        Some(Self::default())
    }

    fn schema(definitions: &mut Definitions) -> Json {
        json!({"type": "object", "additionalProperties": nullable(&T::schema(definitions))})
    }
}

/// Key and value texts that are both evaluated later, in the order written.
#[derive(Debug, Clone, Default)]
pub struct Texts {
    /// Keys and values; no value removes what a layer below gave.
    pub entries: Vec<(Text, Option<Text>)>,
}

impl Read for Texts {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        if node.is_null() {
            return Some(Self::default());
        }
        let Value::Map(entries) = &node.value else {
            return reader.expected(node, "a mapping such as { NAME: value }");
        };
        let mut read = Vec::with_capacity(entries.len());
        for entry in entries {
            // Said already where it was read as YAML.
            if entry.key.is_empty() && reader.problems.has_errors() {
                continue;
            }
            let key = Text::of(Arc::clone(&entry.key), entry.key_span, entry.value.scope);
            // What can't be read is left out alone: the others have problems of their own.
            if let Some(value) = Option::<Text>::read(&entry.value, reader) {
                read.push((key, value));
            }
        }
        Some(Self { entries: read })
    }

    fn missing() -> Option<Self> {
        Some(Self::default())
    }

    fn schema(definitions: &mut Definitions) -> Json {
        json!({"type": "object", "additionalProperties": nullable(&Text::schema(definitions))})
    }
}

/// A part of the blueprint that another module reads: a target's settings, a patch, parameters.
#[derive(Debug, Clone)]
pub struct Raw(pub Node);

impl Read for Raw {
    fn read(node: &Node, _: &mut Reader<'_>) -> Option<Self> {
        Some(Self(node.clone()))
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({})
    }
}

/// A part that is laid over what a target emits: its texts are evaluated with the variables.
#[derive(Debug, Clone)]
pub struct Patch(pub Node);

impl Read for Patch {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        if !matches!(node.value, Value::Map(_)) {
            return reader.expected(node, "a mapping to lay over what is emitted");
        }
        evaluated(node, reader).map(Self)
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"type": "object"})
    }
}

fn evaluated(node: &Node, reader: &mut Reader<'_>) -> Option<Node> {
    let value = match &node.value {
        Value::Null => Value::Null,
        Value::Scalar(scalar) => Value::Scalar(Scalar {
            text: reader.structure(&scalar.text, node.span, node.scope)?,
            plain: scalar.plain,
        }),
        Value::List(items) => {
            let items: Vec<_> = items.iter().map(|n| evaluated(n, reader)).collect();
            Value::List(items.into_iter().collect::<Option<_>>()?)
        }
        Value::Map(entries) => {
            let mut read = Vec::with_capacity(entries.len());
            for entry in entries {
                read.push(Entry {
                    key: reader.structure(&entry.key, entry.key_span, entry.value.scope)?,
                    key_span: entry.key_span,
                    value: evaluated(&entry.value, reader)?,
                });
            }
            Value::Map(read)
        }
    };
    Some(Node {
        value,
        span: node.span,
        scope: node.scope,
    })
}

/// A schema that also takes null, which removes an inherited entry.
pub fn nullable(schema: &Json) -> Json {
    json!({"anyOf": [schema, {"type": "null"}]})
}
