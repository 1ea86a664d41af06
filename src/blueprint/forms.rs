//! Values that may be written in more than one form: a port as a number or a mapping, needs as a
//! list or a mapping, a command that must be a list.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::read::{At, FromText, Read, Reader, Text};
use super::reference::Definitions;
use super::scalar::Quorum;
use super::service::Port;
use crate::problem::Span;
use crate::yaml::{Node, Value};

/// The words of a command, and where the list stands.
#[derive(Debug, Clone)]
pub struct Command {
    /// The words.
    pub words: Vec<Text>,
    /// The list.
    pub span: Span,
}

impl Read for Command {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        Some(Self {
            words: Vec::read(node, reader)?,
            span: node.span,
        })
    }

    fn schema(definitions: &mut Definitions) -> Json {
        Vec::<Text>::schema(definitions)
    }
}

/// A port, written as its number or as a mapping.
#[derive(Debug, Clone)]
pub struct PortForm(pub Port);

impl Read for PortForm {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        if matches!(node.value, Value::Scalar(_)) {
            return Some(Self(Port {
                port: At::<u16>::read(node, reader)?,
                publish: None,
                protocol: None,
                span: node.span,
            }));
        }
        Port::read(node, reader).map(Self)
    }

    fn example() -> &'static str {
        "{ rpc: 8020, web: { port: 9870, publish: true } }"
    }

    fn schema(definitions: &mut Definitions) -> Json {
        let number = At::<u16>::schema(definitions);
        json!({"anyOf": [number, Port::schema(definitions)]})
    }
}

/// The name of a port of the same service.
#[derive(Debug, Clone)]
pub struct PortRef {
    /// The name.
    pub name: Arc<str>,
    /// Where it stands.
    pub span: Span,
}

impl Read for PortRef {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let Some(text) = node.text() else {
            return reader.expected(node, "the name of a port");
        };
        Some(Self {
            name: reader.structure(text, node.span, node.scope)?,
            span: node.span,
        })
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"type": ["string", "integer"]})
    }
}

/// One thing that is needed.
#[derive(Debug, Clone)]
pub struct Need {
    /// `service` or `service.port`.
    pub what: At<Arc<str>>,
    /// How many replicas of it.
    pub quorum: Quorum,
}

/// What a service needs before it starts.
#[derive(Debug, Clone, Default)]
pub struct Needs {
    /// In the order written.
    pub list: Vec<Need>,
}

impl Read for Needs {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let mut list = Vec::new();
        // What can't be read is left out alone.
        match &node.value {
            Value::Null => {}
            Value::List(items) => {
                for item in items {
                    let what = item
                        .text()
                        .and_then(|t| reader.structure(t, item.span, item.scope))
                        .map(|value| At {
                            value,
                            span: item.span,
                        });
                    match what {
                        Some(what) => list.push(Need {
                            what,
                            quorum: Quorum::All,
                        }),
                        None if item.text().is_some() => {}
                        None => {
                            reader.expected::<()>(item, "`service` or `service.port`");
                        }
                    }
                }
            }
            Value::Map(entries) => {
                for entry in entries.iter().filter(|e| !e.value.is_null()) {
                    let span = entry.key_span;
                    let what = reader.structure(&entry.key, span, entry.value.scope);
                    let quorum = At::<Quorum>::read(&entry.value, reader);
                    if let (Some(value), Some(quorum)) = (what, quorum) {
                        list.push(Need {
                            what: At { value, span },
                            quorum: quorum.value,
                        });
                    }
                }
            }
            Value::Scalar(_) => {
                return reader.expected(
                    node,
                    "a list such as [namenode.rpc], or a mapping such as { journalnode.rpc: majority }",
                );
            }
        }
        Some(Self { list })
    }

    fn missing() -> Option<Self> {
        Some(Self::default())
    }

    fn schema(_: &mut Definitions) -> Json {
        json!({"anyOf": [
            {"type": "array", "items": {"type": "string"}},
            {"type": "object", "additionalProperties": Quorum::scalar_schema()},
        ]})
    }
}
