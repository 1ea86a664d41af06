//! A job file as Nomad's parser gives it on: texts in NFC, locals and `merge` taken in.

use std::collections::BTreeMap;

use unicode_normalization::UnicodeNormalization;

use crate::hcl::{flushed, unquoted};

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    Text(String),
    /// A number or a boolean.
    Plain(String),
    List(Vec<Value>),
    Object(Vec<(String, Value)>),
}

/// The inside of a block, or a whole file.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Body {
    attributes: BTreeMap<String, Value>,
    blocks: Vec<Block>,
}

/// A block.
#[derive(Debug, PartialEq, Eq)]
pub struct Block {
    pub kind: String,
    pub labels: Vec<String>,
    pub body: Body,
}

impl Value {
    /// A string; nothing else is written in these places.
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            other => panic!("expected a string: {other:?}"),
        }
    }
}

impl Body {
    pub fn get(&self, name: &str) -> Option<&Value> {
        self.attributes.get(name)
    }

    /// An attribute that is a string.
    pub fn text(&self, name: &str) -> Option<&str> {
        self.get(name).map(Value::text)
    }

    /// An attribute that is a number or a boolean.
    pub fn plain(&self, name: &str) -> Option<&str> {
        self.get(name).map(|value| match value {
            Value::Plain(text) => text.as_str(),
            other => panic!("expected a number or a boolean: {other:?}"),
        })
    }

    /// The strings of an attribute that is an object, or of a block that stands for one.
    pub fn texts(&self, name: &str) -> BTreeMap<String, String> {
        let pair = |(key, value): (&String, &Value)| (key.clone(), value.text().to_owned());
        let mut texts = BTreeMap::new();
        for block in self.blocks(name) {
            texts.extend(block.body.attributes.iter().map(pair));
        }
        match self.get(name) {
            None => {}
            Some(Value::Object(entries)) => {
                texts.extend(entries.iter().map(|(key, value)| pair((key, value))));
            }
            Some(other) => panic!("expected an object: {other:?}"),
        }
        texts
    }

    pub fn blocks(&self, kind: &str) -> impl Iterator<Item = &Block> {
        self.blocks.iter().filter(move |b| b.kind == kind)
    }

    /// The only block of its kind.
    pub fn only(&self, kind: &str) -> &Block {
        let blocks: Vec<&Block> = self.blocks(kind).collect();
        let [block] = blocks[..] else {
            panic!("expected one {kind}, there are {}", blocks.len());
        };
        block
    }

    /// What stands in the only block of a kind, without what is around it.
    pub fn taken(self, kind: &str) -> Self {
        self.only(kind);
        let mut blocks = self.blocks.into_iter();
        blocks.find(|b| b.kind == kind).unwrap().body
    }
}

/// Reads a file.
pub fn parsed(text: &str) -> Body {
    let mut parser = Parser {
        rest: text,
        locals: BTreeMap::new(),
    };
    let body = parser.body();
    assert!(parser.rest.is_empty(), "not read: {}", parser.rest);
    body
}

struct Parser<'t> {
    rest: &'t str,
    /// They stand before the job.
    locals: BTreeMap<String, Value>,
}

impl Parser<'_> {
    /// Passes blanks, lines' ends and comments.
    fn blanks(&mut self) {
        loop {
            self.rest = self.rest.trim_start_matches([' ', '\n']);
            if !self.rest.starts_with('#') {
                return;
            }
            self.rest = self.rest.split_once('\n').map_or("", |(_, rest)| rest);
        }
    }

    /// Passes this if it is next.
    fn take(&mut self, text: &str) -> bool {
        self.blanks();
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn expect(&mut self, text: &str) {
        assert!(self.take(text), "expected {text} at: {}", self.rest);
    }

    fn body(&mut self) -> Body {
        let mut body = Body::default();
        loop {
            self.blanks();
            if self.rest.is_empty() || self.rest.starts_with('}') {
                return body;
            }
            let name = self.word();
            if self.take("=") {
                let value = self.value();
                let before = body.attributes.insert(name.clone(), value);
                assert!(before.is_none(), "{name} is there twice");
                continue;
            }
            let block = self.block(name);
            if block.kind == "locals" {
                self.locals = block.body.attributes;
            } else {
                body.blocks.push(block);
            }
        }
    }

    fn block(&mut self, kind: String) -> Block {
        let mut labels = Vec::new();
        while !self.take("{") {
            labels.push(self.quoted());
        }
        let body = self.body();
        self.expect("}");
        Block { kind, labels, body }
    }

    /// A name, a number, or a word of the language.
    fn word(&mut self) -> String {
        let named = |c: char| c.is_alphanumeric() || "_-.".contains(c);
        let end = self.rest.find(|c| !named(c)).unwrap_or(self.rest.len());
        assert!(end > 0, "expected a name at: {}", self.rest);
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word.to_owned()
    }

    fn quoted(&mut self) -> String {
        self.blanks();
        let (text, rest) = self.rest.split_at(quoted_length(self.rest));
        self.rest = rest;
        unquoted(text).nfc().collect()
    }

    fn heredoc(&mut self) -> String {
        let marker = self.rest.lines().next().unwrap();
        let marker = marker.strip_prefix("<<-").unwrap();
        let mut length = 0;
        for (at, line) in self.rest.split('\n').enumerate() {
            length += line.len() + 1;
            if at > 0 && line.trim() == marker {
                break;
            }
        }
        let (text, rest) = self.rest.split_at(length - 1);
        self.rest = rest;
        flushed(text).nfc().collect()
    }

    fn value(&mut self) -> Value {
        self.blanks();
        if self.rest.starts_with('"') {
            return Value::Text(self.quoted());
        }
        if self.rest.starts_with("<<-") {
            return Value::Text(self.heredoc());
        }
        if self.take("[") {
            return Value::List(self.values("]"));
        }
        if self.take("{") {
            return Value::Object(self.entries());
        }
        let word = self.word();
        if let Some(name) = word.strip_prefix("local.") {
            let local = self.locals.get(name);
            let local = local.unwrap_or_else(|| panic!("there is no local {name}"));
            return local.clone();
        }
        if word == "merge" {
            self.expect("(");
            return merged(self.values(")"));
        }
        Value::Plain(word)
    }

    /// Values up to what closes their list.
    fn values(&mut self, end: &str) -> Vec<Value> {
        let mut values = Vec::new();
        while !self.take(end) {
            values.push(self.value());
            if !self.take(",") {
                self.expect(end);
                break;
            }
        }
        values
    }

    fn entries(&mut self) -> Vec<(String, Value)> {
        let mut entries: Vec<(String, Value)> = Vec::new();
        while !self.take("}") {
            let key = if self.rest.starts_with('"') {
                self.quoted()
            } else {
                self.word()
            };
            self.expect("=");
            let value = self.value();
            assert!(
                entries.iter().all(|(k, _)| *k != key),
                "{key} is there twice"
            );
            entries.push((key, value));
            self.take(",");
        }
        entries
    }
}

/// The bytes of a quoted string at the beginning of a text.
pub fn quoted_length(text: &str) -> usize {
    let inside = text.strip_prefix('"');
    let inside = inside.unwrap_or_else(|| panic!("expected a string at: {text}"));
    let mut escaped = false;
    for (at, c) in inside.char_indices() {
        match c {
            '"' if !escaped => return at + 2,
            _ => escaped = c == '\\' && !escaped,
        }
    }
    panic!("a string without an end: {text}");
}

/// Objects as one; what comes later is stronger.
fn merged(objects: Vec<Value>) -> Value {
    let mut all: Vec<(String, Value)> = Vec::new();
    for object in objects {
        let Value::Object(entries) = object else {
            panic!("expected an object: {object:?}");
        };
        for (key, value) in entries {
            all.retain(|(k, _)| *k != key);
            all.push((key, value));
        }
    }
    Value::Object(all)
}
