//! YAML that every reader takes for the same: YAML 1.1 (`sigs.k8s.io/yaml`, `PyYAML`), YAML 1.2 and
//! go-yaml v3 agree on what is written here.
//!
//! Texts are always double-quoted, or a literal block where they have lines; keys are quoted
//! unless they are identifiers that no reader takes for a boolean, a number or a date. Nothing is
//! folded. Numbers and booleans are [`Yaml::Plain`], whose text the caller answers for.

use std::fmt::Write as _;

/// A YAML value to write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Yaml {
    /// A string, whatever it looks like.
    Text(String),
    /// A number or boolean, written as it is.
    Plain(String),
    /// A sequence.
    List(Vec<Yaml>),
    /// A mapping, in order.
    Map(Vec<(String, Yaml)>),
    /// A mapping that begins with `<<:` of these anchors.
    Merged(Vec<String>, Vec<(String, Yaml)>),
    /// A value with an anchor.
    Anchor(String, Box<Yaml>),
    /// A reference to an anchor.
    Alias(String),
}

/// Lists of scalars that fit into this many characters stand on one line.
const LINE: usize = 88;

impl Yaml {
    /// A string.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// A name or a word of a schema: without quotes where no reader takes it for anything else.
    pub fn word(text: &str) -> Self {
        if is_plain_key(text) {
            Self::Plain(text.to_owned())
        } else {
            Self::text(text)
        }
    }

    /// A whole number.
    pub fn number(number: impl Into<u64>) -> Self {
        Self::Plain(number.into().to_string())
    }

    /// The entries of a mapping.
    pub fn entries(&self) -> &[(String, Yaml)] {
        match self {
            Self::Map(entries) | Self::Merged(_, entries) => entries,
            _ => &[],
        }
    }

    /// The value under a key.
    pub fn get(&self, key: &str) -> Option<&Yaml> {
        self.entries()
            .iter()
            .find(|(k, _)| k == key)
            .map(|(_, v)| v)
    }

    /// The value under a key, to change it.
    pub fn get_mut(&mut self, key: &str) -> Option<&mut Yaml> {
        match self {
            Self::Map(entries) | Self::Merged(_, entries) => {
                entries.iter_mut().find(|(k, _)| k == key).map(|(_, v)| v)
            }
            _ => None,
        }
    }

    fn is_empty(&self) -> bool {
        match self {
            Self::List(items) => items.is_empty(),
            Self::Map(entries) => entries.is_empty(),
            Self::Merged(names, entries) => names.is_empty() && entries.is_empty(),
            _ => false,
        }
    }
}

/// A whole document: comment lines, then the value. Ends with a newline.
pub fn document(comment: &str, value: &Yaml) -> String {
    let mut writer = Writer {
        out: String::with_capacity(4096),
    };
    for line in comment.lines() {
        let _ = writeln!(writer.out, "# {line}");
    }
    match value {
        Yaml::Map(_) | Yaml::Merged(..) if !value.is_empty() => writer.map(value, 0),
        Yaml::List(items) if !items.is_empty() => writer.list(items, 0),
        _ => writer.inline(value),
    }
    if !writer.out.ends_with('\n') {
        writer.out.push('\n');
    }
    writer.out
}

struct Writer {
    out: String,
}

/// Bytes that a key without a mark has at most: YAML 1.2 (7.4.3) and its readers look no further than
/// 1024 characters for the colon.
const SIMPLE_KEY: usize = 1000;

impl Writer {
    fn indent(&mut self, depth: usize) {
        for _ in 0..depth {
            self.out.push_str("  ");
        }
    }

    fn map(&mut self, value: &Yaml, depth: usize) {
        if let Yaml::Merged(names, _) = value {
            self.indent(depth);
            self.out.push_str("<<: ");
            match names.as_slice() {
                [one] => {
                    let _ = write!(self.out, "*{one}");
                }
                many => {
                    let list: Vec<String> = many.iter().map(|n| format!("*{n}")).collect();
                    let _ = write!(self.out, "[{}]", list.join(", "));
                }
            }
            self.out.push('\n');
        }
        for (key, value) in value.entries() {
            self.indent(depth);
            self.key(key, depth);
            self.value(value, depth);
        }
    }

    /// A key, and the colon behind it. A long one says by a mark that it is a key.
    fn key(&mut self, key: &str, depth: usize) {
        let begin = self.out.len();
        push_key(&mut self.out, key);
        if self.out.len() - begin > SIMPLE_KEY {
            self.out.insert_str(begin, "? ");
            self.out.push('\n');
            self.indent(depth);
        }
        self.out.push(':');
    }

    /// A value after `key:`.
    fn value(&mut self, value: &Yaml, depth: usize) {
        match value {
            Yaml::Anchor(name, inner) => {
                let _ = write!(self.out, " &{name}");
                self.value(inner, depth);
            }
            Yaml::Map(_) | Yaml::Merged(..) if !value.is_empty() => {
                self.out.push('\n');
                self.map(value, depth + 1);
            }
            Yaml::List(items) if !items.is_empty() && !fits(items) => {
                self.out.push('\n');
                self.list(items, depth + 1);
            }
            Yaml::Text(text) if is_block(text) => {
                self.out.push(' ');
                self.block(text, depth + 1);
            }
            _ => {
                self.out.push(' ');
                self.inline(value);
                self.out.push('\n');
            }
        }
    }

    fn list(&mut self, items: &[Yaml], depth: usize) {
        for item in items {
            self.indent(depth);
            self.out.push('-');
            match item {
                Yaml::Map(entries) if !entries.is_empty() => self.item(entries, depth),
                _ => self.value(item, depth),
            }
        }
    }

    /// A mapping as an item: its first key stands behind the dash.
    fn item(&mut self, entries: &[(String, Yaml)], depth: usize) {
        for (index, (key, value)) in entries.iter().enumerate() {
            if index == 0 {
                self.out.push(' ');
            } else {
                self.indent(depth + 1);
            }
            self.key(key, depth + 1);
            self.value(value, depth + 1);
        }
    }

    fn inline(&mut self, value: &Yaml) {
        match value {
            Yaml::Text(text) => push_quoted(&mut self.out, text),
            Yaml::Plain(text) => self.out.push_str(text),
            Yaml::Alias(name) => {
                let _ = write!(self.out, "*{name}");
            }
            Yaml::List(items) => {
                self.out.push('[');
                for (index, item) in items.iter().enumerate() {
                    if index > 0 {
                        self.out.push_str(", ");
                    }
                    self.inline(item);
                }
                self.out.push(']');
            }
            Yaml::Map(_) | Yaml::Merged(..) | Yaml::Anchor(..) => self.out.push_str("{}"),
        }
    }

    fn block(&mut self, text: &str, depth: usize) {
        self.out
            .push_str(if text.ends_with('\n') { "|\n" } else { "|-\n" });
        for line in text.lines() {
            if !line.is_empty() {
                self.indent(depth);
                self.out.push_str(line);
            }
            self.out.push('\n');
        }
    }
}

/// Does a list of scalars stand on one line?
fn fits(items: &[Yaml]) -> bool {
    let mut length = 0;
    for item in items {
        length += match item {
            Yaml::Text(text) => text.len() + 4,
            Yaml::Plain(text) => text.len() + 2,
            _ => return false,
        };
    }
    length <= LINE
}

/// Can a text be a literal block that every reader gives back byte for byte? Only if it has lines,
/// begins with no blank, ends with at most one newline, and has no character that needs an escape.
fn is_block(text: &str) -> bool {
    let body = text.strip_suffix('\n').unwrap_or(text);
    let mut lines = 0;
    for line in body.split('\n') {
        lines += 1;
        let blank = !line.is_empty() && line.trim().is_empty();
        if blank || line.chars().any(|c| c != '\t' && needs_escape(c)) {
            return false;
        }
    }
    let starts_well = body.chars().next().is_some_and(|c| !c.is_whitespace());
    lines > 1 && starts_well && !body.ends_with('\n')
}

/// Characters that some reader changes or refuses when they stand raw: controls, the C1 range and
/// no-break space, line and paragraph separators, the byte order mark, noncharacters.
fn needs_escape(c: char) -> bool {
    matches!(c,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{a0}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// A double-quoted scalar.
pub fn push_quoted(out: &mut String, text: &str) {
    out.push('"');
    if text
        .bytes()
        .all(|b| (0x20..0x7f).contains(&b) && b != b'"' && b != b'\\')
    {
        out.push_str(text);
    } else {
        for c in text.chars() {
            match c {
                '\\' => out.push_str("\\\\"),
                '"' => out.push_str("\\\""),
                '\n' => out.push_str("\\n"),
                '\r' => out.push_str("\\r"),
                '\t' => out.push_str("\\t"),
                c if needs_escape(c) => {
                    let _ = write!(out, "\\u{:04x}", u32::from(c));
                }
                c => out.push(c),
            }
        }
    }
    out.push('"');
}

fn push_key(out: &mut String, key: &str) {
    if is_plain_key(key) {
        out.push_str(key);
    } else {
        push_quoted(out, key);
    }
}

/// A key that no reader takes for anything but itself: an identifier with dots, dashes and slashes
/// that is no word of YAML 1.1.
fn is_plain_key(key: &str) -> bool {
    const WORDS: [&str; 9] = ["y", "n", "yes", "no", "on", "off", "true", "false", "null"];
    let mut bytes = key.bytes();
    let first = bytes
        .next()
        .is_some_and(|b| b == b'_' || b.is_ascii_alphabetic());
    let rest = bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.' | b'/'));
    first && rest && key.len() <= 120 && !WORDS.iter().any(|w| w.eq_ignore_ascii_case(key))
}
