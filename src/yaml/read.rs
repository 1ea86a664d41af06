//! Text to [`Node`] tree, by the events of `granit-parser`.
//!
//! The parser's own limits end deep nesting (255 levels); what has an anchor is copied, and again
//! for each alias, so the total size of copies is limited
//! here. A tag that says anything else than the node itself is refused: it has no meaning in a blueprint.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use granit_parser::{Event, Parser, ScalarStyle, ScanError, Tag};

use super::{Entry, Node, Scalar, Value};
use crate::problem::{Problem, Problems, SourceId, Sources, Span};

/// Nodes that may be copied in all. A blueprint of 10,000 services stays far below.
const COPIED_NODES: usize = 1_000_000;
/// Larger sources are refused: spans are 32 bits, and no blueprint is a hundredth of it.
const MAX_BYTES: usize = 256 << 20;

/// A key before `: ` alone is at most so many characters long (YAML 1.2, 7.4).
const LONGEST_KEY: usize = 1024;

/// Reads one document. Problems go to `problems`; `None` when there is no tree to go on with.
pub fn read(source: SourceId, sources: &Sources, problems: &mut Problems) -> Option<Node> {
    let text = Arc::clone(&sources.get(source)?.text);
    if text.len() > MAX_BYTES {
        problems.add(
            Problem::error("too-large", "the file is larger than 256 MiB")
                .at(Span::new(source, 0, 0)),
        );
        return None;
    }
    let mut builder = Builder {
        source,
        text: &text,
        problems,
        open: Vec::new(),
        anchors: HashMap::new(),
        copied: 0,
        root: None,
        documents: 0,
    };
    let options = granit_parser::options! { emit_comments: false };
    for event in Parser::new_from_str_with_options(&text, options) {
        let done = match event {
            Ok((event, span)) => builder.event(event, span),
            Err(error) => builder.syntax(&error),
        };
        done?;
    }
    Some(builder.finish())
}

/// A collection that is not closed yet.
struct Open {
    value: Value,
    span: Span,
    anchor: usize,
    /// The key that waits for its value, in a mapping.
    key: Option<Key>,
    /// Keys of this mapping so far, once there are enough of them to make searching slow.
    seen: HashSet<Arc<str>>,
    /// What `<<` brings; laid under the mapping when it closes.
    merges: Vec<Node>,
}

/// A key that waits for its value.
struct Key {
    text: Arc<str>,
    span: Span,
    /// What becomes of its value.
    kind: KeyKind,
}

#[derive(PartialEq, Eq)]
enum KeyKind {
    /// It is an entry.
    Own,
    /// It is merged: the key is `<<`.
    Merge,
    /// The key was there before, which is reported: nothing more is said of this one.
    Again,
}

/// Keys of a mapping that are searched one by one before a table is made of them.
const FEW: usize = 8;

impl Open {
    /// Is a key there already? Notes it when it is not.
    fn has(&mut self, key: &Arc<str>) -> bool {
        let Value::Map(entries) = &self.value else {
            return false;
        };
        if entries.len() < FEW {
            return entries.iter().any(|e| e.key == *key);
        }
        if self.seen.is_empty() {
            self.seen.extend(entries.iter().map(|e| Arc::clone(&e.key)));
        }
        !self.seen.insert(Arc::clone(key))
    }
}

struct Builder<'a> {
    source: SourceId,
    text: &'a str,
    problems: &'a mut Problems,
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    copied: usize,
    root: Option<Node>,
    documents: usize,
}

impl Builder<'_> {
    /// Takes one event; `None` ends the reading.
    fn event(&mut self, event: Event<'_>, span: granit_parser::Span) -> Option<()> {
        let span = self.span(span);
        match event {
            Event::DocumentStart(..) => {
                self.documents += 1;
                if self.documents > 1 {
                    let message = "a second YAML document starts here";
                    self.problems.add(
                        Problem::error("yaml-syntax", message)
                            .at(span)
                            .label("expected one document in a file"),
                    );
                    return None;
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                if text.contains('\0') {
                    self.problems.add(
                        Problem::error("wrong-value", "a NUL stands in this text")
                            .at(span)
                            .label("no variable, file or word can hold it"),
                    );
                }
                self.tag(tag.as_deref(), "str", span);
                let plain = style == ScalarStyle::Plain && tag.is_none();
                let value = scalar(&text, plain);
                let mut span = span;
                if matches!(value, Value::Null) {
                    span.end = span.end.max(span.start);
                }
                self.node(
                    Node {
                        value,
                        span,
                        scope: 0,
                    },
                    anchor,
                    plain,
                )?;
            }
            Event::SequenceStart(_, anchor, tag) => {
                self.tag(tag.as_deref(), "seq", span);
                self.start(Value::List(Vec::new()), span, anchor);
            }
            Event::MappingStart(_, anchor, tag) => {
                self.tag(tag.as_deref(), "map", span);
                self.start(Value::Map(Vec::new()), span, anchor);
            }
            Event::SequenceEnd | Event::MappingEnd => return self.end(span),
            Event::Alias(id) => return self.alias(id, span),
            _ => {}
        }
        Some(())
    }

    /// A tag says what a node is: what it is anyway, or a text whatever it looks like.
    fn tag(&mut self, tag: Option<&Tag>, same: &str, span: Span) {
        let Some(tag) = tag else {
            return;
        };
        if tag.is_yaml_core_schema_tag(same) || matches!(tag.parts(), ("!", "") | ("", "!")) {
            return;
        }
        let written = format!("{}{}", tag.original_handle(), tag.suffix());
        self.problems.add(
            Problem::error(
                "wrong-value",
                format!("the tag `{written}` means nothing here"),
            )
            .at(span)
            .label(format!("expected no tag, or `!!{same}`")),
        );
    }

    fn start(&mut self, value: Value, span: Span, anchor: usize) {
        self.open.push(Open {
            value,
            span,
            anchor,
            key: None,
            seen: HashSet::new(),
            merges: Vec::new(),
        });
    }

    fn end(&mut self, span: Span) -> Option<()> {
        let Some(open) = self.open.pop() else {
            return Some(());
        };
        let value = match open.value {
            Value::Map(own) if !open.merges.is_empty() => Value::Map(under(open.merges, own)),
            value => value,
        };
        let node = Node {
            value,
            span: Span {
                end: span.end.max(open.span.end),
                ..open.span
            },
            scope: 0,
        };
        self.node(node, open.anchor, false)
    }

    fn alias(&mut self, id: usize, span: Span) -> Option<()> {
        let Some(node) = self.anchors.get(&id) else {
            let message = "this alias stands inside the node that it names";
            self.problems
                .add(Problem::error("yaml-syntax", message).at(span));
            return None;
        };
        let size = size(node);
        let node = node.clone();
        self.copied(size, span)?;
        self.node(node, 0, false)
    }

    /// Counts what is copied; `None` when it is too much.
    fn copied(&mut self, nodes: usize, span: Span) -> Option<()> {
        self.copied += nodes;
        if self.copied <= COPIED_NODES {
            return Some(());
        }
        let message = format!("anchors and aliases copy more than {COPIED_NODES} nodes");
        self.problems.add(
            Problem::error("alias-bomb", message)
                .at(span)
                .label("this one crosses the limit"),
        );
        None
    }

    /// Puts a finished node where it belongs.
    fn node(&mut self, node: Node, anchor: usize, plain: bool) -> Option<()> {
        if anchor != 0 {
            self.copied(size(&node), node.span)?;
            self.anchors.insert(anchor, node.clone());
        }
        let Some(open) = self.open.last_mut() else {
            self.root = Some(node);
            return Some(());
        };
        match &mut open.value {
            Value::List(items) => items.push(node),
            Value::Map(_) if open.key.is_none() => return self.key(&node, plain),
            Value::Map(entries) => {
                let Key { text, span, kind } = open.key.take()?;
                match kind {
                    KeyKind::Own => entries.push(Entry {
                        key: text,
                        key_span: span,
                        value: node,
                    }),
                    KeyKind::Merge => return self.merge_key(node),
                    KeyKind::Again => {}
                }
            }
            Value::Null | Value::Scalar(_) => {}
        }
        Some(())
    }

    fn key(&mut self, node: &Node, plain: bool) -> Option<()> {
        let text: Arc<str> = match &node.value {
            Value::Scalar(scalar) => Arc::clone(&scalar.text),
            Value::Null => self.text.get(node.span.range()).unwrap_or("").trim().into(),
            Value::List(_) | Value::Map(_) => {
                // Nearly always a template without quotes: `{{ name }}` is a mapping in a mapping.
                let written = self.text.get(node.span.range()).unwrap_or("").trim();
                let problem = if written.starts_with('{') {
                    Problem::error("wrong-type", "a value that begins with `{{` needs quotes")
                        .label(format!("expected \"{{{written}}}\""))
                } else {
                    Problem::error("wrong-type", format!("{} can't be a key", node.kind()))
                        .label("expected a text")
                };
                self.problems.add(problem.at(node.span));
                "".into()
            }
        };
        let open = self.open.last_mut()?;
        let mut kind = KeyKind::Own;
        if plain && &*text == "<<" {
            kind = KeyKind::Merge;
        } else if open.has(&text) {
            kind = KeyKind::Again;
            let first = match &open.value {
                Value::Map(entries) => entries.iter().find(|e| e.key == text),
                _ => None,
            };
            let mut problem = Problem::error(
                "duplicate-key",
                format!("the key `{text}` is written twice"),
            )
            .at(node.span)
            .label("second time");
            if let Some(first) = first {
                problem = problem.related(first.key_span, "first time");
            }
            self.problems.add(problem);
        }
        open.key = Some(Key {
            text,
            span: node.span,
            kind,
        });
        Some(())
    }

    fn merge_key(&mut self, node: Node) -> Option<()> {
        let open = self.open.last_mut()?;
        let maps = match node.value {
            Value::List(items) => items,
            _ => vec![node],
        };
        for map in maps {
            if matches!(map.value, Value::Map(_)) {
                open.merges.push(map);
            } else {
                self.problems.add(
                    Problem::error(
                        "wrong-type",
                        format!("`<<` merges mappings, this is {}", map.kind()),
                    )
                    .at(map.span)
                    .label("expected an alias of a mapping, or a list of them"),
                );
            }
        }
        Some(())
    }

    fn syntax(&mut self, error: &ScanError) -> Option<()> {
        let info = error.info();
        let mut at = error
            .marker()
            .byte_offset()
            .unwrap_or(0)
            .min(self.text.len());
        let rest = self.text.get(at..).unwrap_or("");
        let help = if info.contains("tab") {
            at += rest.find('\t').unwrap_or(0);
            "YAML is indented with blanks, never with tabs"
        } else if info.contains("unknown anchor") {
            "`*name` stands for what `&name` marked further up; a text that begins with `*` needs quotes"
        } else if info.contains("recursion") {
            "no blueprint is nested so deep"
        } else if self.line_at(at).len() > LONGEST_KEY
            && (info.contains("key") || info.contains("mapping values"))
        {
            "a key of more than 1024 characters stands behind `? `, and its value behind `: ` on a line \
             of its own"
        } else if rest.trim().is_empty() {
            "something is still open here: a quote, a bracket or a brace"
        } else {
            "look at this line and the one before it: a missing quote, a missing `:` and wrong \
             indentation are the usual causes"
        };
        let end = self
            .text
            .get(at..)
            .and_then(|rest| rest.chars().next())
            .map_or(at, |c| at + c.len_utf8());
        self.problems.add(
            Problem::error("yaml-syntax", "this is not YAML")
                .at(Span::new(self.source, at, end))
                .label(info.clone())
                .help(help),
        );
        None
    }

    /// The line of a place, without its end.
    fn line_at(&self, at: usize) -> &str {
        let before = self.text.get(..at).unwrap_or("");
        let start = before.rfind('\n').map_or(0, |end| end + 1);
        let line = self.text.get(start..).unwrap_or("");
        line.lines().next().unwrap_or("")
    }

    fn finish(self) -> Node {
        let empty = Span::new(self.source, 0, 0);
        self.root.unwrap_or(Node {
            value: Value::Null,
            span: empty,
            scope: 0,
        })
    }

    fn span(&self, span: granit_parser::Span) -> Span {
        let range = span.byte_range().unwrap_or(0..0);
        let text = self.text.get(range.clone()).unwrap_or("");
        Span::new(
            self.source,
            range.start,
            range.start + text.trim_end().len(),
        )
    }
}

/// What merged maps bring, put before a mapping's own entries. The first of several wins, and the
/// mapping's own keys win over all.
fn under(merges: Vec<Node>, own: Vec<Entry>) -> Vec<Entry> {
    let mut seen: HashSet<Arc<str>> = own.iter().map(|e| Arc::clone(&e.key)).collect();
    let mut layers = vec![own];
    for merged in merges {
        if let Value::Map(mut entries) = merged.value {
            entries.retain(|e| seen.insert(Arc::clone(&e.key)));
            layers.push(entries);
        }
    }
    layers.into_iter().rev().flatten().collect()
}

fn scalar(text: &str, plain: bool) -> Value {
    if plain && matches!(text, "" | "~" | "null" | "Null" | "NULL") {
        return Value::Null;
    }
    Value::Scalar(Scalar {
        text: text.into(),
        plain,
    })
}

/// Nodes in a tree. Depth is limited by the parser, so recursion is.
fn size(node: &Node) -> usize {
    match &node.value {
        Value::List(items) => 1 + items.iter().map(size).sum::<usize>(),
        Value::Map(entries) => 1 + entries.iter().map(|e| size(&e.value)).sum::<usize>(),
        Value::Null | Value::Scalar(_) => 1,
    }
}
