//! HCL as Nomad reads it: blocks, attributes and expressions, spelled so that the parser gives
//! back the same texts, and laid out as `nomad fmt` would lay them out.
//!
//! Knows the syntax only. Rules (seen with Nomad's own fork of hashicorp/hcl, v2.20.2-nomad-1):
//! - a run of dollars before `{` is written with one more of them, and so is a run of `%`;
//! - `=` is aligned over consecutive lines of one attribute each, by grapheme clusters; a blank
//!   line, a comment, a block or a value of several lines ends the run, a heredoc does not;
//! - the parser normalises every text to NFC: whoever needs other bytes needs another way.

use std::borrow::Cow;
use std::fmt::Write as _;

use unicode_normalization::char::is_combining_mark;
use unicode_segmentation::UnicodeSegmentation;

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Piece {
    /// Characters.
    Text(String),
    /// `${NAME}`, left as it is by the parser for who comes after it.
    Reference(Cow<'static, str>),
}

impl Piece {
    /// `${NAME}`.
    pub fn reference(name: impl Into<Cow<'static, str>>) -> Self {
        Self::Reference(name.into())
    }
}

/// A value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expr {
    /// A string.
    Text(Vec<Piece>),
    /// A number, a boolean or a name, written as it is.
    Plain(String),
    /// A list.
    List(Vec<Expr>),
    /// An object, in order.
    Object(Vec<(String, Expr)>),
    /// A call of a function.
    Call(&'static str, Vec<Expr>),
    /// A string of lines as a heredoc, where [`is_heredoc`] says that it can be one.
    Lines(String),
}

impl Expr {
    /// A string.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(vec![Piece::Text(text.into())])
    }

    /// A whole number.
    pub fn number(number: impl Into<u64>) -> Self {
        Self::Plain(number.into().to_string())
    }

    /// A boolean.
    pub fn bool(value: bool) -> Self {
        Self::Plain(value.to_string())
    }

    /// A list of strings.
    pub fn texts<T: Into<String>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self::List(texts.into_iter().map(Self::text).collect())
    }
}

/// What stands in a body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// `name = value`.
    Attribute(String, Expr),
    /// `kind "label" { ... }`.
    Block(Block),
    /// `# text` before what follows.
    Comment(String),
}

/// A block.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Block {
    /// Its type.
    pub kind: String,
    /// Its labels.
    pub labels: Vec<String>,
    /// What stands in it.
    pub body: Body,
}

/// The inside of a block, or a whole file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Body(pub Vec<Item>);

impl Body {
    /// Adds an attribute.
    pub fn set(&mut self, name: &str, value: Expr) {
        self.0.push(Item::Attribute(name.to_owned(), value));
    }

    /// Adds a block.
    pub fn block(&mut self, kind: &str, labels: &[&str], body: Body) {
        self.0.push(Item::Block(Block {
            kind: kind.to_owned(),
            labels: labels.iter().map(|l| (*l).to_owned()).collect(),
            body,
        }));
    }

    /// Adds a comment that belongs to what follows.
    pub fn comment(&mut self, text: impl Into<String>) {
        self.0.push(Item::Comment(text.into()));
    }

    /// Nothing stands in it.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// A whole file: comment lines, then the body. Ends with a newline.
pub fn document(comment: &str, body: &Body) -> String {
    let mut out = String::with_capacity(8192);
    for line in comment.lines() {
        let _ = writeln!(out, "# {line}");
    }
    if !comment.is_empty() && !body.is_empty() {
        out.push('\n');
    }
    push_body(&mut out, body, 0);
    out
}

/// Lists of texts that fit into this many characters stand on one line.
const LINE: usize = 88;

fn indent(out: &mut String, depth: usize) {
    for _ in 0..depth {
        out.push_str("  ");
    }
}

fn push_body(out: &mut String, body: &Body, depth: usize) {
    // Attributes of one line that follow each other.
    let mut run: Vec<(String, String)> = Vec::new();
    // Does a blank line belong before the next item? It does behind whatever has several lines.
    let mut parted = false;
    let mut first = true;
    for item in &body.0 {
        let part = |out: &mut String| {
            if !first {
                out.push('\n');
            }
        };
        match item {
            Item::Attribute(name, value) if !has_lines(value) => {
                if run.is_empty() && parted {
                    part(out);
                }
                let mut text = String::new();
                push_expr(&mut text, value, depth);
                run.push((name.clone(), text));
                parted = false;
            }
            Item::Attribute(name, value) => {
                push_run(out, &mut run, depth);
                part(out);
                indent(out, depth);
                let _ = write!(out, "{name} = ");
                push_expr(out, value, depth);
                out.push('\n');
                parted = true;
            }
            Item::Comment(text) => {
                push_run(out, &mut run, depth);
                part(out);
                for line in text.lines() {
                    indent(out, depth);
                    let _ = writeln!(out, "# {line}");
                }
                first = true; // what follows stands right below
                parted = false;
                continue;
            }
            Item::Block(block) => {
                push_run(out, &mut run, depth);
                part(out);
                push_block(out, block, depth);
                parted = true;
            }
        }
        first = false;
    }
    push_run(out, &mut run, depth);
}

fn push_block(out: &mut String, block: &Block, depth: usize) {
    indent(out, depth);
    out.push_str(&block.kind);
    for label in &block.labels {
        out.push(' ');
        push_quoted(out, &[Piece::Text(label.clone())]);
    }
    if block.body.is_empty() {
        out.push_str(" {}\n");
        return;
    }
    out.push_str(" {\n");
    push_body(out, &block.body, depth + 1);
    indent(out, depth);
    out.push_str("}\n");
}

/// Lines of one attribute or object key each, with their `=` aligned.
fn push_run(out: &mut String, run: &mut Vec<(String, String)>, depth: usize) {
    let width = |name: &str| {
        if name.is_ascii() {
            name.len()
        } else {
            name.graphemes(true).count()
        }
    };
    let widest = run.iter().map(|(name, _)| width(name)).max().unwrap_or(0);
    for (name, value) in run.drain(..) {
        indent(out, depth);
        out.push_str(&name);
        for _ in width(&name)..=widest {
            out.push(' ');
        }
        out.push_str("= ");
        out.push_str(&value);
        out.push('\n');
    }
}

/// Does a value open a bracket that a later line closes? (A heredoc opens none.)
fn has_lines(value: &Expr) -> bool {
    match value {
        Expr::Text(_) | Expr::Plain(_) | Expr::Lines(_) => false,
        Expr::Object(entries) => !entries.is_empty(),
        Expr::List(items) => !fits(items),
        Expr::Call(_, arguments) => arguments.iter().any(has_lines),
    }
}

/// Does a list stand on one line?
fn fits(items: &[Expr]) -> bool {
    let mut length = 0;
    for item in items {
        let mut text = String::new();
        match item {
            Expr::Text(_) | Expr::Plain(_) => push_expr(&mut text, item, 0),
            _ => return false,
        }
        length += text.chars().count() + 2;
    }
    length <= LINE || items.len() == 1
}

fn push_expr(out: &mut String, value: &Expr, depth: usize) {
    match value {
        Expr::Text(pieces) => push_quoted(out, pieces),
        Expr::Plain(text) => out.push_str(text),
        Expr::List(items) if fits(items) => {
            out.push('[');
            for (index, item) in items.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                push_expr(out, item, depth);
            }
            out.push(']');
        }
        Expr::List(items) if matches!(items.as_slice(), [Expr::Object(_)]) => {
            out.push('[');
            for item in items {
                push_expr(out, item, depth);
            }
            out.push(']');
        }
        Expr::List(items) => {
            out.push_str("[\n");
            for item in items {
                indent(out, depth + 1);
                push_item(out, item, depth + 1);
                out.push_str(",\n");
            }
            indent(out, depth);
            out.push(']');
        }
        Expr::Object(entries) if entries.is_empty() => out.push_str("{}"),
        Expr::Object(entries) => {
            out.push_str("{\n");
            push_entries(out, entries, depth + 1);
            indent(out, depth);
            out.push('}');
        }
        Expr::Call(name, arguments) => {
            let _ = write!(out, "{name}(");
            for (index, argument) in arguments.iter().enumerate() {
                if index > 0 {
                    out.push_str(", ");
                }
                push_item(out, argument, depth);
            }
            out.push(')');
        }
        Expr::Lines(text) => push_heredoc(out, text, depth),
    }
}

/// A value that something stands behind: the end of a heredoc has its line for itself.
fn push_item(out: &mut String, value: &Expr, depth: usize) {
    match value {
        Expr::Lines(text) => push_quoted(out, &[Piece::Text(text.clone())]),
        value => push_expr(out, value, depth),
    }
}

fn push_entries(out: &mut String, entries: &[(String, Expr)], depth: usize) {
    let bare = entries.iter().all(|(key, _)| is_bare(key));
    let mut run = Vec::new();
    for (key, value) in entries {
        let mut name = String::new();
        if bare {
            name.push_str(key);
        } else {
            push_quoted(&mut name, &[Piece::Text(key.clone())]);
        }
        let mut text = String::new();
        push_expr(&mut text, value, depth);
        if has_lines(value) {
            push_run(out, &mut run, depth);
            indent(out, depth);
            let _ = writeln!(out, "{name} = {text}");
        } else {
            run.push((name, text));
        }
    }
    push_run(out, &mut run, depth);
}

/// A key that is a name and no word of the language.
fn is_bare(key: &str) -> bool {
    const WORDS: [&str; 7] = ["for", "in", "if", "else", "null", "true", "false"];
    let mut bytes = key.bytes();
    let first = bytes
        .next()
        .is_some_and(|b| b == b'_' || b.is_ascii_alphabetic());
    let rest = bytes.all(|b| b == b'_' || b.is_ascii_alphanumeric());
    first && rest && !WORDS.contains(&key)
}

/// A text as it stands between quotes, with them.
pub fn quoted(pieces: &[Piece]) -> String {
    let mut out = String::new();
    push_quoted(&mut out, pieces);
    out
}

/// A text between quotes in one that is normalised before it is read: behind an escape stands no mark,
/// which would be composed with its last character.
pub fn quoted_apart(text: &str) -> String {
    let mut out = String::new();
    let written = quoted(&[Piece::Text(text.to_owned())]);
    let mut chars = written.chars();
    let mut is_behind = false;
    while let Some(c) = chars.next() {
        if is_behind && !c.is_ascii() {
            push_code(&mut out, c);
            continue;
        }
        out.push(c);
        is_behind = c == '\\';
        if is_behind {
            let selector = chars.next();
            let digits = match selector {
                Some('u') => 4,
                Some('U') => 8,
                _ => 0,
            };
            out.extend(selector);
            out.extend(chars.by_ref().take(digits));
        }
    }
    out
}

fn push_quoted(out: &mut String, pieces: &[Piece]) {
    out.push('"');
    let mut escape = Escape::default();
    for (at, piece) in pieces.iter().enumerate() {
        let before_brace = match pieces.get(at + 1) {
            Some(Piece::Text(next)) => next.contains('}'),
            _ => false,
        };
        match piece {
            Piece::Text(text) if escape.run.is_none() && text.bytes().all(is_plain) => {
                out.push_str(text);
                escape.reset();
            }
            Piece::Text(text) => {
                let mut chars = text.chars();
                // Raw, it would be shown on whatever stands before it: a quote, or a brace.
                if let Some(mark) = chars.clone().next().filter(|c| is_shown_behind(*c)) {
                    push_code(out, mark);
                    escape.reset();
                    chars.next();
                }
                for c in chars {
                    escape.push_quoted(out, c);
                }
            }
            // Behind a `$` the reference would be taken for an escape; and the parser of Nomad 1.11.3
            // doubles braces behind one that it leaves, with a blank between too. As text it is the
            // same.
            Piece::Reference(name) if escape.run.is_some() || before_brace => {
                for c in ['$', '{'].into_iter().chain(name.chars()).chain(['}']) {
                    escape.push_quoted(out, c);
                }
            }
            Piece::Reference(name) => {
                let _ = write!(out, "${{{name}}}");
            }
        }
    }
    out.push('"');
}

/// Stands for itself between quotes, whatever is beside it.
fn is_plain(byte: u8) -> bool {
    (b' '..=b'~').contains(&byte) && !matches!(byte, b'"' | b'\\' | b'$' | b'%' | b'{')
}

/// Doubles what stands before `{`: the parser takes one of a run of `$` or `%` away there.
#[derive(Default)]
struct Escape {
    /// The character of the run that was just written.
    run: Option<char>,
    /// What was just written, if the parser cuts a text behind it.
    cut: Option<char>,
}

impl Escape {
    /// Something else was written, behind which no text is cut.
    fn reset(&mut self) {
        *self = Self::default();
    }

    fn push(&mut self, out: &mut String, c: char, write: impl Fn(&mut String, char)) {
        match (c, self.run) {
            ('{', Some(run)) => {
                out.push(run);
                out.push('{');
                self.run = None;
                self.cut = Some('{');
            }
            ('$' | '%', _) => {
                out.push(c);
                self.run = Some(c);
                self.cut = Some(c);
            }
            _ => {
                write(out, c);
                self.reset();
            }
        }
    }

    /// Between quotes, where the parser counts a mark by itself if it cuts the text before it.
    fn push_quoted(&mut self, out: &mut String, c: char) {
        if self.cut.is_some_and(|before| is_shown_on(c, before)) {
            push_code(out, c);
            self.reset();
        } else {
            self.push(out, c, quoted_char);
        }
    }
}

/// Does it make one cluster with whatever follows? The reader of Nomad's options (`json` of hcl 2.20)
/// passes over a quote or a backslash in such a cluster.
pub fn is_shown_before(c: char) -> bool {
    !c.is_ascii() && [c, '"'].iter().collect::<String>().graphemes(true).count() == 1
}

/// Does it make one cluster with whatever stands before it? Not only marks do: joiners, tags and the
/// colours of skin, too.
fn is_shown_behind(c: char) -> bool {
    is_combining_mark(c) || is_shown_on(c, '"')
}

/// Do both make one cluster?
fn is_shown_on(c: char, before: char) -> bool {
    !c.is_ascii()
        && [before, c]
            .iter()
            .collect::<String>()
            .graphemes(true)
            .count()
            == 1
}

fn push_code(out: &mut String, c: char) {
    let code = u32::from(c);
    let _ = if code > 0xffff {
        write!(out, "\\U{code:08x}")
    } else {
        write!(out, "\\u{code:04x}")
    };
}

fn quoted_char(out: &mut String, c: char) {
    match c {
        '\\' => out.push_str("\\\\"),
        '"' => out.push_str("\\\""),
        '\n' => out.push_str("\\n"),
        '\r' => out.push_str("\\r"),
        '\t' => out.push_str("\\t"),
        c if needs_escape(c) || is_shown_before(c) || is_counted_otherwise(c) => push_code(out, c),
        c => out.push(c),
    }
}

/// Characters around which the parser (go-textseg 15) sees other clusters than Unicode does: a syllable
/// of Hangul before its final, whatever U+200D joins, and a mark on U+FFFD.
fn is_counted_otherwise(c: char) -> bool {
    matches!(c,
        '\u{1100}'..='\u{11ff}' | '\u{a960}'..='\u{a97f}' | '\u{d7b0}'..='\u{d7ff}' | '\u{200d}' | '\u{fffd}')
}

/// Characters that don't show, or that an editor or a reader changes when they stand raw.
fn needs_escape(c: char) -> bool {
    matches!(c,
        '\0'..='\u{1f}' | '\u{7f}'..='\u{a0}' | '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}')
}

/// Can a text be an indented heredoc that gives it back byte for byte? Only if it ends with a
/// newline (a heredoc always does), some line begins with no blank (that many are taken away), none
/// with what is shown on a blank (it is taken away with it), and no character needs an escape, for
/// there are none.
pub fn is_heredoc(text: &str) -> bool {
    let Some(body) = text.strip_suffix('\n') else {
        return false;
    };
    let flush = |line: &str| line.chars().next().is_some_and(|c| !c.is_whitespace());
    let shown = |c: char| c == '\t' || !needs_escape(c);
    let apart = |line: &str| !line.starts_with(is_shown_behind);
    !body.is_empty()
        && body.split('\n').all(|l| apart(l) && l.chars().all(shown))
        && body.split('\n').any(flush)
}

fn push_heredoc(out: &mut String, text: &str, depth: usize) {
    let lines: Vec<&str> = text
        .strip_suffix('\n')
        .unwrap_or(text)
        .split('\n')
        .collect();
    let mut marker = "EOF".to_owned();
    while lines.iter().any(|l| l.trim() == marker) {
        marker.push('_');
    }
    let _ = writeln!(out, "<<-{marker}");
    for line in lines {
        // A line of blanks only is neither counted nor cut by the parser.
        if !line.trim().is_empty() {
            indent(out, depth + 1);
        }
        let mut escape = Escape::default();
        for c in line.chars() {
            escape.push(out, c, String::push);
        }
        out.push('\n');
    }
    indent(out, depth);
    out.push_str(&marker);
}
