//! Config (file, key, value) and files, as a service or a group writes them.

use std::sync::Arc;

use serde_json::{Value as Json, json};

use super::read::{At, Read, Reader, Text, Texts, nullable};
use super::record::records;
use super::reference::Definitions;
use super::scalar::{Delivery, Mode};
use crate::yaml::{Entry, Node, Value};

/// Config files by name, each with its keys and values.
#[derive(Debug, Clone, Default)]
pub struct Files {
    /// File name as written (`core-site.xml`, `x.conf!properties`, `/etc/x.properties`) and entries.
    pub files: Vec<(At<Arc<str>>, Texts)>,
}

impl Files {
    fn read_entries<'n>(
        entries: impl Iterator<Item = &'n Entry>,
        reader: &mut Reader<'_>,
    ) -> Option<Self> {
        let mut files = Vec::new();
        let mut whole = true;
        for entry in entries.filter(|e| !e.value.is_null()) {
            let name = reader.structure(&entry.key, entry.key_span, entry.value.scope);
            if !matches!(entry.value.value, Value::Map(_)) {
                whole = false;
                reader.expected::<()>(&entry.value, "the keys and values of this config file");
                continue;
            }
            match (name, Texts::read(&entry.value, reader)) {
                (Some(value), Some(texts)) => {
                    let span = entry.key_span;
                    files.push((At { value, span }, texts));
                }
                _ => whole = false,
            }
        }
        whole.then_some(Self { files })
    }
}

impl Read for Files {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        match &node.value {
            Value::Null => Some(Self::default()),
            Value::Map(entries) => Self::read_entries(entries.iter(), reader),
            _ => reader.expected(node, "config files by name"),
        }
    }

    fn schema(definitions: &mut Definitions) -> Json {
        json!({"type": "object", "additionalProperties": nullable(&Texts::schema(definitions))})
    }
}

/// A service's config: the groups it uses, how it is delivered, and entries of its own.
#[derive(Debug, Clone)]
pub struct Config {
    /// Names of groups; a later one wins.
    pub uses: Vec<At<String>>,
    /// Chosen by the image's launcher unless given.
    pub delivery: Option<At<Delivery>>,
    /// Its own entries; they win over the groups'.
    pub files: Files,
}

impl Read for Config {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        let Value::Map(entries) = &node.value else {
            return reader.expected(node, "`use`, `delivery` and config files by name");
        };
        let uses = match node.get("use") {
            Some(list) => Vec::read(list, reader),
            None => Some(Vec::new()),
        };
        let delivery = match node.get("delivery") {
            Some(word) => Option::read(word, reader),
            None => Some(None),
        };
        let own = entries
            .iter()
            .filter(|e| !matches!(&*e.key, "use" | "delivery"));
        let files = Files::read_entries(own, reader);
        Some(Self {
            uses: uses?,
            delivery: delivery?,
            files: files?,
        })
    }

    fn schema(definitions: &mut Definitions) -> Json {
        json!({
            "type": "object",
            "properties": {
                "use": Vec::<At<String>>::schema(definitions),
                "delivery": At::<Delivery>::schema(definitions),
            },
            "additionalProperties": nullable(&Texts::schema(definitions)),
        })
    }
}

records! {
    /// A file whose permissions are given, or whose text is no template.
    pub struct File at "services.app.files./etc/motd" {
        /// The text.
        pub text: Text = "text", "text: Welcome";
        /// Permissions; `"0644"` unless given.
        pub mode: Option<At<Mode>> = "mode", "text: Welcome\nmode: \"0755\"";
        /// The text is taken as it is: `{{ }}` in it means nothing.
        pub raw: Option<At<bool>> = "raw", "text: \"{{ not a template }}\"\nraw: true";
    }
}

/// A file: its text alone, or with more said about it.
#[derive(Debug, Clone)]
pub struct MountedText(pub File);

impl Read for MountedText {
    fn read(node: &Node, reader: &mut Reader<'_>) -> Option<Self> {
        if matches!(node.value, Value::Scalar(_)) {
            return Some(Self(File {
                text: Text::read(node, reader)?,
                mode: None,
                raw: None,
                span: node.span,
            }));
        }
        File::read(node, reader).map(Self)
    }

    fn example() -> &'static str {
        "{ /etc/motd: \"the text of the file\" }"
    }

    fn schema(definitions: &mut Definitions) -> Json {
        let text = Text::schema(definitions);
        json!({"anyOf": [text, File::schema(definitions)]})
    }
}
