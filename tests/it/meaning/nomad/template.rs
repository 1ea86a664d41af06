//! Templates of Go's, as far as flokkr writes them: what the client renders for one allocation.

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

/// What a template asks for.
pub struct Asked<'a> {
    /// The index of the allocation.
    pub index: String,
    /// The text of a secret: by the path of its variable, and the item there.
    pub secret: &'a dyn Fn(&str, &str) -> String,
}

/// A value of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Value {
    Text(String),
    Number(i64),
    Truth(bool),
    /// The items at a path.
    Items(String),
}

impl Value {
    fn text(self) -> String {
        match self {
            Self::Text(text) => text,
            Self::Number(number) => number.to_string(),
            other => panic!("expected a text: {other:?}"),
        }
    }

    fn number(self) -> i64 {
        match self {
            Self::Number(number) => number,
            other => panic!("expected a number: {other:?}"),
        }
    }
}

/// Text, or the inside of an action.
#[derive(Debug)]
enum Part<'t> {
    Text(&'t str),
    Action(&'t str),
}

/// The text that a template gives.
pub fn rendered(data: &str, (open, close): (&str, &str), asked: &Asked<'_>) -> String {
    let parts = parts(data, open, close);
    let mut writer = Writer {
        asked,
        parts: parts.iter(),
        out: String::new(),
    };
    let mut scope = Scope::default();
    let end = writer.block(&mut scope, true);
    assert_eq!(end, None, "an action that ends nothing: {data}");
    writer.out
}

/// A `-` at an action takes the blanks beside it away.
fn parts<'t>(data: &'t str, open: &str, close: &str) -> Vec<Part<'t>> {
    let mut parts = Vec::new();
    let mut rest = data;
    while let Some((before, after)) = rest.split_once(open) {
        let cuts = after.starts_with("- ");
        parts.push(Part::Text(if cuts { before.trim_end() } else { before }));
        let inside = action_length(after, close);
        let (action, after) = after.split_at(inside);
        let action = action.strip_prefix("- ").unwrap_or(action);
        rest = &after[close.len()..];
        if let Some(action) = action.strip_suffix(" -") {
            rest = rest.trim_start();
            parts.push(Part::Action(action.trim()));
        } else {
            parts.push(Part::Action(action.trim()));
        }
    }
    parts.push(Part::Text(rest));
    parts
}

/// The bytes before what closes an action; inside a string it closes nothing.
fn action_length(text: &str, close: &str) -> usize {
    let mut quoted = false;
    for (at, c) in text.char_indices() {
        if c == '"' {
            quoted = !quoted;
        } else if !quoted && text[at..].starts_with(close) {
            return at;
        }
    }
    panic!("an action without an end: {text}");
}

/// The variables, and the dot.
#[derive(Debug, Clone, Default)]
struct Scope {
    dot: Option<Value>,
    variables: BTreeMap<String, Value>,
}

struct Writer<'a, 't> {
    asked: &'a Asked<'a>,
    parts: std::slice::Iter<'a, Part<'t>>,
    out: String,
}

impl<'t> Writer<'_, 't> {
    /// Writes up to the action that ends a block or a branch, and gives that.
    fn block(&mut self, scope: &mut Scope, shown: bool) -> Option<&'t str> {
        while let Some(part) = self.parts.next() {
            let action = match part {
                Part::Text(text) if shown => {
                    self.out.push_str(text);
                    continue;
                }
                Part::Text(_) => continue,
                Part::Action(action) => *action,
            };
            let (word, tail) = action.split_once(' ').unwrap_or((action, ""));
            match word {
                "end" | "else" => return Some(action),
                "if" => self.branches(tail, scope, shown),
                "with" => {
                    let mut within = scope.clone();
                    within.dot = shown.then(|| self.value(tail, scope));
                    let end = self.block(&mut within, shown);
                    assert_eq!(end, Some("end"));
                }
                _ if !shown => {}
                name if name.starts_with('$') && tail.starts_with(":= ") => {
                    let value = self.value(&tail[3..], scope);
                    scope.variables.insert(name.to_owned(), value);
                }
                _ => {
                    let text = self.value(action, scope).text();
                    self.out.push_str(&text);
                }
            }
        }
        None
    }

    /// The first branch whose condition holds.
    fn branches(&mut self, condition: &str, scope: &Scope, shown: bool) {
        let mut condition = condition;
        let mut open = shown;
        loop {
            let holds = open && self.value(condition, scope) == Value::Truth(true);
            open &= !holds;
            let end = self.block(&mut scope.clone(), holds).expect("an end");
            let Some(next) = end.strip_prefix("else if ") else {
                assert_eq!(end, "end");
                return;
            };
            condition = next;
        }
    }

    fn value(&self, text: &str, scope: &Scope) -> Value {
        let mut expression = Expression {
            asked: self.asked,
            scope,
            rest: text,
        };
        let value = expression.pipeline();
        assert!(expression.rest.is_empty(), "not read: {text}");
        value
    }
}

struct Expression<'e> {
    asked: &'e Asked<'e>,
    scope: &'e Scope,
    rest: &'e str,
}

impl Expression<'_> {
    /// Commands, each of which is given what the one before it gives as its last argument.
    fn pipeline(&mut self) -> Value {
        let mut value = self.command(None);
        while let Some(rest) = self.rest.strip_prefix('|') {
            self.rest = rest;
            value = self.command(Some(value));
        }
        value
    }

    fn command(&mut self, last: Option<Value>) -> Value {
        self.rest = self.rest.trim_start();
        let named = |c: char| c.is_ascii_alphanumeric();
        let end = self.rest.find(|c| !named(c)).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        let is_function = name.starts_with(|c: char| c.is_ascii_alphabetic());
        if is_function {
            self.rest = rest;
        }
        let mut arguments = Vec::new();
        loop {
            self.rest = self.rest.trim_start();
            if self.rest.is_empty() || self.rest.starts_with(['|', ')']) {
                break;
            }
            arguments.push(self.operand());
        }
        arguments.extend(last);
        if is_function {
            return self.called(name, arguments);
        }
        let [value] = &arguments[..] else {
            panic!("expected one value: {arguments:?}");
        };
        value.clone()
    }

    fn operand(&mut self) -> Value {
        if let Some(inside) = self.rest.strip_prefix('"') {
            let (text, rest) = inside.split_once('"').expect("the end of a string");
            assert!(!text.contains('\\'), "an escape: {text}");
            self.rest = rest;
            return Value::Text(text.to_owned());
        }
        if let Some(inside) = self.rest.strip_prefix('(') {
            self.rest = inside;
            let value = self.pipeline();
            self.rest = self.rest.strip_prefix(')').expect("a parenthesis");
            return value;
        }
        let end = self.rest.find([' ', '|', ')']).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        match word {
            "." => self.scope.dot.clone().expect("a dot"),
            name if name.starts_with('$') => self.scope.variables[name].clone(),
            number => Value::Number(number.parse().unwrap()),
        }
    }

    fn called(&self, name: &str, arguments: Vec<Value>) -> Value {
        let mut arguments = arguments.into_iter();
        let mut next = || arguments.next().expect("one more argument");
        let value = match name {
            "env" => {
                assert_eq!(next().text(), "NOMAD_ALLOC_INDEX");
                Value::Text(self.asked.index.clone())
            }
            "parseInt" => Value::Number(next().text().parse().unwrap()),
            "add" => Value::Number(next().number() + next().number()),
            "base64Decode" => {
                let bytes = STANDARD.decode(next().text()).unwrap();
                Value::Text(String::from_utf8(bytes).unwrap())
            }
            "toJSON" => Value::Text(serde_json::Value::from(next().text()).to_string()),
            "nomadVar" => Value::Items(next().text()),
            "index" => {
                let Value::Items(path) = next() else {
                    panic!("expected the items of a variable");
                };
                Value::Text((self.asked.secret)(&path, &next().text()))
            }
            "eq" => {
                let value = next();
                return Value::Truth(arguments.any(|other| other == value));
            }
            "printf" => {
                let format = next().text();
                let values: Vec<Value> = arguments.by_ref().collect();
                let verbs = values.iter().map(|value| match value {
                    Value::Number(_) => "%d",
                    _ => "%s",
                });
                assert_eq!(format, verbs.collect::<String>());
                Value::Text(values.into_iter().map(Value::text).collect())
            }
            other => panic!("the function {other}"),
        };
        assert!(arguments.next().is_none(), "{name} has more arguments");
        value
    }
}

/// The variables that a rendered text gives to a task, as Nomad reads its lines.
pub fn variables(text: &str) -> BTreeMap<String, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,@+=".contains(c);
    let mut variables = BTreeMap::new();
    for line in text.lines().filter(|l| !l.trim().is_empty()) {
        let (name, value) = line.split_once('=').expect("a value");
        let first = name.starts_with(|c: char| c == '_' || c.is_ascii_alphabetic());
        let named = |c: char| "_./".contains(c) || c.is_ascii_alphanumeric();
        assert!(first && name.chars().all(named), "no name: {name}");
        if value.starts_with('"') {
            let value = serde_json::from_str(value).unwrap();
            variables.insert(name.to_owned(), value);
            continue;
        }
        assert!(value.chars().all(plain), "a value without quotes: {value}");
        // A line without a value is dropped.
        if !value.is_empty() {
            variables.insert(name.to_owned(), value.to_owned());
        }
    }
    variables
}
