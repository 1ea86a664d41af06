//! Files and variables as templates of Go's (`text/template`, with the functions of
//! consul-template): what differs per replica looks at the index, secrets are asked for.
//!
//! Bytes that a template or Nomad's parser would change go in as `base64Decode`. Seen with Nomad
//! 1.11.3: `env = true` takes lines of `NAME=VALUE`, where a value in double quotes has the escapes
//! of JSON, names are of letters, digits, `_`, `.` and `/`, and a line without a value is dropped.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Arc;

use super::replica::{Covered, fitted};
use super::text::{INDEX, is_normal};
use crate::plan::{Each, Part, Value};
use crate::target::Piece;

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
        delimiters,
    };
    let mut text = writer.whole(content, covered);
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
    let writer = Writer {
        secrets,
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
        delimiters: USUAL,
    };
    let mut text = String::new();
    let mut branches = false;
    for (name, slot) in variables {
        let all: Option<Vec<&Value>> = match slot {
            Each::Replica(values) => values.iter().map(Option::as_ref).collect(),
            Each::Same(_) => None,
        };
        let pieces = all.and_then(|values| fitted(&values, &numbers(covered)));
        match (pieces, slot) {
            (Some(pieces), _) => text.push_str(&writer.numbered_line(name, &pieces)),
            (None, Each::Same(Some(value))) => text.push_str(&writer.line(name, value)),
            (None, Each::Same(None)) => {}
            (None, Each::Replica(values)) => {
                let lines = values.iter().map(|value| match value {
                    Some(value) => writer.line(name, value),
                    None => String::new(),
                });
                text.push_str(&writer.branches(&lines.collect::<Vec<_>>()));
                branches = true;
            }
        }
    }
    if branches {
        text.insert_str(0, &writer.index());
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

    /// What all replicas have: alike, with a number in it, or a branch for each text.
    fn whole(&self, content: &Each<Value>, covered: Covered) -> String {
        let values = match content {
            Each::Same(value) => return self.parts(value),
            Each::Replica(values) => values,
        };
        let all: Vec<&Value> = values.iter().collect();
        if let Some(pieces) = fitted(&all, &numbers(covered)) {
            return self.numbered(&pieces, |text| self.literal(text));
        }
        let texts: Vec<String> = values.iter().map(|v| self.parts(v)).collect();
        self.index() + &self.branches(&texts)
    }

    /// The action that keeps the index for conditions.
    fn index(&self) -> String {
        let (open, close) = self.delimiters;
        format!("{open} $index := env \"{INDEX}\" -{close}\n")
    }

    /// A branch for each text that some replicas have.
    fn branches(&self, texts: &[String]) -> String {
        let mut branches: Vec<(&String, Vec<String>)> = Vec::new();
        for (index, text) in texts.iter().enumerate() {
            let index = format!("\"{index}\"");
            match branches.iter_mut().find(|(t, _)| *t == text) {
                Some((_, indexes)) => indexes.push(index),
                None => branches.push((text, vec![index])),
            }
        }
        branches.retain(|(text, _)| !text.is_empty());
        // A `-` cuts the blanks that follow, so that each branch begins on a line of its own; but
        // not those that a text begins with, nor where a text goes on behind the last branch.
        let lines = |text: &&String| text.ends_with('\n') && !text.starts_with(char::is_whitespace);
        let (open, close) = self.delimiters;
        let end = if branches.iter().all(|(text, _)| lines(text)) {
            format!(" -{close}\n")
        } else {
            format!(" {close}")
        };
        let mut out = String::new();
        for (at, (text, indexes)) in branches.iter().enumerate() {
            let word = if at == 0 { "if" } else { "else if" };
            let _ = write!(
                out,
                "{open} {word} eq $index {}{end}{text}",
                indexes.join(" ")
            );
        }
        if !branches.is_empty() {
            let _ = write!(out, "{open} end{end}");
        }
        out
    }

    /// A text in which the numbers of the replica stand.
    fn numbered(&self, pieces: &[Piece], text: impl Fn(&str) -> String) -> String {
        let mut out = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(part) => out.push_str(&text(part)),
                Piece::Token(0) => out.push_str(&self.action(&format!("env \"{INDEX}\""))),
                Piece::Token(_) => {
                    let id = format!("env \"{INDEX}\" | parseInt | add 1");
                    out.push_str(&self.action(&id));
                }
                Piece::Secret(name) => out.push_str(&self.secret(name)),
            }
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

    /// A text that the template gives back. Only the lines that need it are written in base 64, so
    /// that the rest can be read.
    fn literal(&self, text: &str) -> String {
        let (open, _) = self.delimiters;
        let whole = |line: &str| is_normal(line) && !line.contains(open);
        // The delimiter's first character at the end would join the next action's.
        let joins = open.chars().next().is_some_and(|c| text.ends_with(c));
        if whole(text) && !joins {
            return text.to_owned();
        }
        let mut out = String::new();
        for line in text.split_inclusive('\n') {
            let (body, end) = match line.strip_suffix('\n') {
                Some(body) => (body, "\n"),
                None => (line, ""),
            };
            if whole(body) && !(joins && end.is_empty()) {
                out.push_str(body);
            } else {
                let encoded = base64(body.as_bytes());
                out.push_str(&self.action(&format!("\"{encoded}\" | base64Decode")));
            }
            out.push_str(end);
        }
        out
    }

    /// `NAME=VALUE`.
    fn line(&self, name: &str, value: &Value) -> String {
        if let Some(text) = value.plain() {
            return format!("{name}={}\n", self.literal(&written(text)));
        }
        let pieces = value.parts().map(|part| match part {
            Part::Text(text) => Piece::Text(text.to_owned()),
            Part::Secret(name) => Piece::Secret(name.to_owned()),
        });
        self.secret_line(name, &pieces.collect::<Vec<_>>())
    }

    /// A line whose value has secrets: they are quoted with the rest of it, whatever is in them.
    fn secret_line(&self, name: &str, pieces: &[Piece]) -> String {
        let mut opened = 0;
        let mut out = String::new();
        let (mut format, mut arguments) = (String::new(), String::new());
        // A store is asked once, and the value of each secret kept.
        for piece in pieces {
            let argument = match piece {
                Piece::Text(text) => go_text(text),
                Piece::Token(0) => format!("(env \"{INDEX}\")"),
                Piece::Token(_) => format!("(env \"{INDEX}\" | parseInt | add 1)"),
                Piece::Secret(secret) => {
                    let Some((open, read)) = self.secrets.read(secret) else {
                        continue;
                    };
                    out.push_str(&self.action(&open));
                    out.push_str(&self.action(&format!("$s{opened} := {read}")));
                    opened += 1;
                    format!("$s{}", opened - 1)
                }
            };
            let is_number = matches!(piece, Piece::Token(1..));
            format.push_str(if is_number { "%d" } else { "%s" });
            let _ = write!(arguments, " {argument}");
        }
        let whole = format!("printf \"{format}\"{arguments} | toJSON");
        let _ = write!(out, "{name}={}", self.action(&whole));
        for _ in 0..opened {
            out.push_str(&self.action("end"));
        }
        out.push('\n');
        out
    }

    /// A line in whose value only a number of the replica differs.
    fn numbered_line(&self, name: &str, pieces: &[Piece]) -> String {
        if pieces.iter().any(|p| matches!(p, Piece::Secret(_))) {
            return self.secret_line(name, pieces);
        }
        let plain = |piece: &Piece| !matches!(piece, Piece::Text(text) if !is_plain(text));
        if pieces.iter().all(plain) {
            let value = self.numbered(pieces, str::to_owned);
            return format!("{name}={value}\n");
        }
        let value = self.numbered(pieces, |text| {
            let text = json(text);
            let inside = text.strip_prefix('"').and_then(|t| t.strip_suffix('"'));
            self.literal(inside.unwrap_or_default())
        });
        format!("{name}=\"{value}\"\n")
    }
}

/// The texts of the index and of the id, which counts from 1, by replica.
fn numbers(covered: Covered) -> [Vec<String>; 2] {
    [
        covered.indexes().map(|i| i.to_string()).collect(),
        covered.indexes().map(|i| (i + 1).to_string()).collect(),
    ]
}

/// Characters that need no quotes.
fn is_plain(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:,@+=".contains(c);
    text.chars().all(plain)
}

/// A value behind `NAME=`.
/// What `bufio.Scanner` reads of a line at most, its end included.
const LINE: usize = 64 << 10;

/// Can a line of a template set this variable? `go-envparse` 0.1.0 takes these names; Nomad drops a
/// line without a value.
pub(super) fn takes(name: &str, text: &str) -> bool {
    let short = name.len() + "=\n".len() + written(text).len() <= LINE;
    is_name(name) && !text.is_empty() && short
}

/// Can a variable of this name stand in a template?
pub(super) fn is_name(name: &str) -> bool {
    let first = |c: char| c == '_' || c.is_ascii_alphabetic();
    let other = |c: char| first(c) || c.is_ascii_digit() || matches!(c, '.' | '/');
    name.starts_with(first) && name.chars().all(other)
}

fn written(text: &str) -> String {
    if is_plain(text) {
        text.to_owned()
    } else {
        json(text)
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
            out.push(if at > chunk.len() {
                '='
            } else {
                char::from(letter)
            });
        }
    }
    out
}
