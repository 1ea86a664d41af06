//! Options of the driver: texts that Nomad's client takes as HCL templates once more, with the
//! variables of the allocation.

use std::collections::BTreeMap;

use unicode_normalization::UnicodeNormalization;

use super::job::{Value, quoted_length};
use crate::hcl::unescaped;

/// What the driver is given for an option.
pub fn option(value: &Value, variables: &BTreeMap<String, String>) -> Value {
    match value {
        Value::Text(text) => {
            let alone = text.replace("\r\n", "\n");
            assert!(
                !alone.contains('\r'),
                "all behind a return is lost: {text:?}"
            );
            assert!(!text.starts_with('\u{feff}'), "a mark is lost: {text:?}");
            Template { variables }.value(text)
        }
        Value::List(items) => Value::List(items.iter().map(|v| option(v, variables)).collect()),
        other => other.clone(),
    }
}

/// An option that is a list of strings; none when it is absent.
pub fn texts(value: Option<&Value>, variables: &BTreeMap<String, String>) -> Option<Vec<String>> {
    match option(value?, variables) {
        Value::List(items) => Some(items.iter().map(|v| v.text().to_owned()).collect()),
        other => panic!("expected a list: {other:?}"),
    }
}

struct Template<'v> {
    variables: &'v BTreeMap<String, String>,
}

impl Template<'_> {
    /// A template of one expression is its value; any other is a text.
    fn value(&self, text: &str) -> Value {
        let mut out = String::new();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let run = rest.len() - rest.trim_start_matches(c).len();
            let is_sign = matches!(c, '$' | '%');
            let opens = is_sign && rest[run..].starts_with('{');
            if opens && run == 1 {
                assert_eq!(c, '$', "an instruction: {text}");
                let mut expression = Expression {
                    template: self,
                    rest: &rest[2..],
                };
                let value = expression.value();
                expression.expect("}");
                rest = expression.rest;
                if out.is_empty() && rest.is_empty() {
                    return value;
                }
                out.push_str(value.text());
                continue;
            }
            let length = if is_sign { run } else { c.len_utf8() };
            // Of a run before `{` one is taken away.
            out.push_str(&rest[usize::from(opens)..length]);
            rest = &rest[length..];
        }
        Value::Text(out.nfc().collect())
    }
}

struct Expression<'e> {
    template: &'e Template<'e>,
    rest: &'e str,
}

impl Expression<'_> {
    fn take(&mut self, text: &str) -> bool {
        self.rest = self.rest.trim_start_matches(' ');
        let rest = self.rest.strip_prefix(text);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn expect(&mut self, text: &str) {
        assert!(self.take(text), "expected {text} at: {}", self.rest);
    }

    /// A value, and what is looked up in it.
    fn value(&mut self) -> Value {
        let mut value = self.alone();
        while self.take("[") {
            let index = self.value();
            self.expect("]");
            let Value::List(items) = value else {
                panic!("expected a list: {value:?}");
            };
            let index: usize = index.text().parse().unwrap();
            let found = items.get(index);
            value = found.unwrap_or_else(|| panic!("no item {index}")).clone();
        }
        value
    }

    fn alone(&mut self) -> Value {
        if self.take("[") {
            let mut items = Vec::new();
            while !self.take("]") {
                items.push(self.value());
                if !self.take(",") {
                    self.expect("]");
                    break;
                }
            }
            return Value::List(items);
        }
        if self.rest.starts_with('"') {
            let (text, rest) = self.rest.split_at(quoted_length(self.rest));
            self.rest = rest;
            return self.template.value(&unescaped(text));
        }
        let named = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let end = self.rest.find(|c| !named(c)).unwrap_or(self.rest.len());
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        let value = self.template.variables.get(name);
        let value = value.unwrap_or_else(|| panic!("another reference: {name} before {rest}"));
        Value::Text(value.clone())
    }
}
