//! Files and variables as templates of Go's (`text/template`, with the functions of
//! consul-template): what differs per replica looks at the index, secrets are asked for.
//!
//! Bytes that a template or Nomad's parser would change go in as `base64Decode`. Seen with Nomad
//! 1.11.3: `env = true` takes lines of `NAME=VALUE`, where a value in double quotes has the escapes
//! of JSON, names are identifiers, and a line without a value is dropped.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use super::replica::Covered;
use super::text::{INDEX, is_normal};
use crate::plan::{Each, Part, Value};
use crate::target::{Piece, fit};

/// Where secrets are read: by the name in the blueprint, the path in the store and the item there.
#[derive(Debug, Default)]
pub(super) struct Secrets {
    pub(super) paths: HashMap<Arc<str>, (String, String)>,
    pub(super) vault: bool,
}

impl Secrets {
    /// The action that opens the store at a secret, and the expression of its value there.
    fn read(&self, name: &str) -> Option<(String, String)> {
        let (path, item) = self.paths.get(name)?;
        Some(if self.vault {
            (
                format!("with secret {}", go_text(path)),
                format!("index .Data.data {}", go_text(item)),
            )
        } else {
            (
                format!("with nomadVar {}", go_text(path)),
                format!("index . {}", go_text(item)),
            )
        })
    }
}

/// What opens and closes actions.
pub(super) type Delimiters = (&'static str, &'static str);

const USUAL: Delimiters = ("{{", "}}");
const OTHERS: [Delimiters; 4] = [("[[", "]]"), ("<<", ">>"), ("((", "))"), ("<%", "%>")];

/// A template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Data {
    pub(super) text: String,
    /// Unless the usual ones.
    pub(super) delimiters: Option<Delimiters>,
}

struct Writer<'a> {
    secrets: &'a Secrets,
    covered: Covered,
    delimiters: Delimiters,
}

/// A file of all replicas.
pub(super) fn file(content: &Each<Value>, covered: Covered, secrets: &Secrets) -> Data {
    let texts = || content.all().iter().map(Value::raw);
    // Only what stands in a text of itself asks for other delimiters.
    let delimiters = [USUAL]
        .into_iter()
        .chain(OTHERS)
        .find(|(open, _)| texts().all(|t| !t.contains(open)))
        .unwrap_or(USUAL);
    let writer = Writer {
        secrets,
        covered,
        delimiters,
    };
    let mut text = writer.each(content, |value| writer.parts(value));
    if text.is_empty() {
        // Nomad asks for some text.
        text = writer.action("\"\"");
    }
    Data {
        text,
        delimiters: (delimiters != USUAL).then_some(delimiters),
    }
}

/// A file that is one secret.
pub(super) fn secret(name: &str, secrets: &Secrets) -> Data {
    let covered = Covered { first: 0, count: 1 };
    let writer = Writer {
        secrets,
        covered,
        delimiters: USUAL,
    };
    Data {
        text: writer.secret(name),
        delimiters: None,
    }
}

/// The text of Consul's KV store under a key.
pub(super) fn kv(key: &str) -> Data {
    Data {
        text: format!("{{{{ key {} }}}}", go_text(key)),
        delimiters: None,
    }
}

/// The text under a key of each replica.
pub(super) fn kv_of_replica(folder: &str, base: &str) -> Data {
    let index = format!("(env \"{INDEX}\")");
    let text = format!(
        "{{{{ key (printf \"%s-%s/%s\" {} {index} {}) }}}}",
        go_text(folder),
        go_text(base)
    );
    Data {
        text,
        delimiters: None,
    }
}

/// Variables of all replicas, as lines of one template.
pub(super) fn variables(
    variables: &[(Arc<str>, Each<Option<Value>>)],
    covered: Covered,
    secrets: &Secrets,
) -> Data {
    let writer = Writer {
        secrets,
        covered,
        delimiters: USUAL,
    };
    let mut text = String::new();
    for (name, slot) in variables {
        let line = |value: Option<&Value>| match value {
            Some(value) => writer.line(name, value),
            None => String::new(),
        };
        let all: Option<Vec<&Value>> = match slot {
            Each::Replica(values) => values.iter().map(Option::as_ref).collect(),
            Each::Same(_) => None,
        };
        // The id counts from 1.
        let ids = [covered.indexes().map(|i| (i + 1).to_string()).collect()];
        let id = all.and_then(|values| fit(&values, &ids));
        match (id, slot) {
            (Some(pieces), _) => text.push_str(&writer.numbered(name, &pieces)),
            (None, Each::Same(value)) => text.push_str(&line(value.as_ref())),
            (None, Each::Replica(_)) => {
                text.push_str(&writer.each(slot, |value| line(value.as_ref())));
            }
        }
    }
    Data {
        text,
        delimiters: None,
    }
}

impl Writer<'_> {
    fn action(&self, inside: &str) -> String {
        let (open, close) = self.delimiters;
        format!("{open} {inside} {close}")
    }

    /// What all replicas have, or a branch for each value that some have.
    fn each<T: PartialEq>(&self, each: &Each<T>, write: impl Fn(&T) -> String) -> String {
        let values = match each {
            Each::Same(value) => return write(value),
            Each::Replica(values) => values,
        };
        let mut branches: Vec<(String, Vec<u32>)> = Vec::new();
        for (index, value) in (0u32..).zip(values) {
            let text = write(value);
            match branches.iter_mut().find(|(t, _)| *t == text) {
                Some((_, indexes)) => indexes.push(index),
                None => branches.push((text, vec![index])),
            }
        }
        branches.retain(|(text, _)| !text.is_empty());
        let mut out = self.action(&format!("$index := env \"{INDEX}\""));
        for (at, (text, indexes)) in branches.iter().enumerate() {
            let words: Vec<String> = indexes.iter().map(|i| format!("\"{i}\"")).collect();
            let condition = format!("if eq $index {}", words.join(" "));
            let opening = if at == 0 {
                condition
            } else {
                format!("else {condition}")
            };
            out.push_str(&self.action(&opening));
            out.push_str(text);
        }
        if !branches.is_empty() {
            out.push_str(&self.action("end"));
        }
        out
    }

    /// Text and secrets as they are.
    fn parts(&self, value: &Value) -> String {
        let mut out = String::new();
        for part in value.parts() {
            match part {
                Part::Text(text) => out.push_str(&self.literal(text)),
                Part::Secret(name) => out.push_str(&self.secret(name)),
            }
        }
        out
    }

    fn secret(&self, name: &str) -> String {
        let Some((open, read)) = self.secrets.read(name) else {
            return String::new();
        };
        self.action(&open) + &self.action(&read) + &self.action("end")
    }

    /// A text that the template gives back.
    fn literal(&self, text: &str) -> String {
        let (open, _) = self.delimiters;
        // The delimiter's first character at the end would join the next action's.
        let joins = open.chars().next().is_some_and(|c| text.ends_with(c));
        if is_normal(text) && !text.contains(open) && !joins {
            return text.to_owned();
        }
        self.action(&format!("\"{}\" | base64Decode", base64(text.as_bytes())))
    }

    /// `NAME=VALUE`.
    fn line(&self, name: &str, value: &Value) -> String {
        if let Some(text) = value.plain() {
            return format!("{name}={}\n", self.literal(&json(text)));
        }
        let mut opened = 0;
        let mut out = String::new();
        let (mut format, mut arguments) = (String::new(), String::new());
        // A store is asked once, and the value of each secret kept.
        for part in value.parts() {
            format.push_str("%s");
            match part {
                Part::Text(text) => {
                    let _ = write!(arguments, " {}", go_text(text));
                }
                Part::Secret(secret) => {
                    let Some((open, read)) = self.secrets.read(secret) else {
                        continue;
                    };
                    out.push_str(&self.action(&open));
                    out.push_str(&self.action(&format!("$s{opened} := {read}")));
                    let _ = write!(arguments, " $s{opened}");
                    opened += 1;
                }
            }
        }
        let whole = format!("printf \"{format}\"{arguments} | toJSON");
        let _ = write!(out, "{name}={}", self.action(&whole));
        for _ in 0..opened {
            out.push_str(&self.action("end"));
        }
        out.push('\n');
        out
    }

    /// A value in which only the id differs.
    fn numbered(&self, name: &str, pieces: &[Piece]) -> String {
        let mut value = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(text) => {
                    let text = json(text);
                    let inside = text.get(1..text.len() - 1).unwrap_or_default();
                    value.push_str(&self.literal(inside));
                }
                Piece::Token(_) => {
                    let id = format!("env \"{INDEX}\" | parseInt | add 1");
                    value.push_str(&self.action(&id));
                }
                Piece::Secret(_) => {}
            }
        }
        if matches!(pieces, [Piece::Token(_)]) {
            format!("{name}={value}\n")
        } else {
            format!("{name}=\"{value}\"\n")
        }
    }
}

/// A text between double quotes, with the escapes of JSON.
fn json(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// A text in an action.
fn go_text(text: &str) -> String {
    let plain = |c: char| matches!(c, ' '..='~') && c != '"' && c != '\\';
    if text.chars().all(plain) && !text.contains("{{") && !text.contains("}}") {
        return format!("\"{text}\"");
    }
    format!("(\"{}\" | base64Decode)", base64(text.as_bytes()))
}

/// RFC 4648.
pub(super) fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let word = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let digit = (word >> (18 - 6 * at)) & 63;
            let letter = ALPHABET.get(digit as usize).copied().unwrap_or(b'=');
            out.push(if at > chunk.len() { '=' } else { char::from(letter) });
        }
    }
    out
}
