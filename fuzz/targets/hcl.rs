//! HCL: any text ends for the reader of the tests, and what flokkr writes is read back as it was.

#![no_main]

use std::collections::BTreeSet;
use std::panic;

use arbitrary::Arbitrary;
use flokkr::emit::hcl::{Body, Expr, Piece, document, is_heredoc};
use libfuzzer_sys::fuzz_target;
use unicode_normalization::UnicodeNormalization;

#[path = "../../tests/it/hcl/read.rs"]
#[allow(dead_code)]
mod hcl;
#[path = "../../tests/it/meaning/nomad/job.rs"]
#[allow(dead_code)]
mod job;

#[derive(Debug, Arbitrary)]
enum Value {
    Text(String),
    Lines(String),
    Number(u32),
    List(Vec<Value>),
    Object(Vec<(String, Value)>),
}

#[derive(Debug, Arbitrary)]
enum Input<'i> {
    Read(&'i str),
    Write(Vec<Value>),
}

fuzz_target!(
    // A text that is refused is the end of a test, not of the run.
    init: panic::set_hook(Box::new(|_| {})),
    |input: Input<'_>| match input {
        Input::Read(text) => {
            let _ = panic::catch_unwind(|| job::parsed(text));
        }
        Input::Write(values) => {
            let mut body = Body::default();
            for (index, value) in values.iter().enumerate() {
                body.set(&format!("a{index}"), expression(value));
            }
            let text = document("", &body);
            let read = panic::catch_unwind(|| job::parsed(&text));
            let alike = read.is_ok_and(|read| {
                let mut values = values.iter().enumerate();
                values.all(|(index, value)| read.get(&format!("a{index}")) == Some(&wanted(value)))
            });
            if !alike {
                eprintln!("not read as it was written:\n{text}");
                std::process::abort();
            }
        }
    }
);

fn expression(value: &Value) -> Expr {
    match value {
        Value::Lines(text) if is_heredoc(text) => Expr::Lines(text.clone()),
        Value::Text(text) | Value::Lines(text) => Expr::Text(vec![Piece::Text(text.clone())]),
        Value::Number(number) => Expr::number(*number),
        Value::List(items) => Expr::List(items.iter().map(expression).collect()),
        Value::Object(_) => Expr::Object(
            entries(value)
                .into_iter()
                .map(|(key, value)| (key.to_owned(), expression(value)))
                .collect(),
        ),
    }
}

/// What the parser gives: every text in NFC.
fn wanted(value: &Value) -> job::Value {
    let text = |text: &str| text.nfc().collect::<String>();
    match value {
        Value::Text(t) | Value::Lines(t) => job::Value::Text(text(t)),
        Value::Number(number) => job::Value::Plain(number.to_string()),
        Value::List(items) => job::Value::List(items.iter().map(wanted).collect()),
        Value::Object(_) => job::Value::Object(
            entries(value)
                .into_iter()
                .map(|(key, value)| (text(key), wanted(value)))
                .collect(),
        ),
    }
}

/// The entries of an object, of each key the first.
fn entries(value: &Value) -> Vec<(&str, &Value)> {
    let mut seen = BTreeSet::new();
    let Value::Object(entries) = value else {
        return Vec::new();
    };
    let entries = entries.iter().map(|(key, value)| (&**key, value));
    entries
        .filter(|(key, _)| seen.insert(key.nfc().collect::<String>()))
        .collect()
}
