//! The language described from its own declarations: the JSON Schema and the reference page.

use std::fmt::Write as _;

use indexmap::IndexMap;
use serde_json::{Map as JsonMap, Value as Json, json};

use super::read::{Read, nullable};
use super::{Blueprint, Plugin};

/// One key of a record.
#[derive(Debug, Clone)]
pub struct Field {
    /// As it is written.
    pub key: &'static str,
    /// Its documentation.
    pub doc: &'static str,
    /// Lines of YAML that go where the record goes.
    pub example: &'static str,
    /// It can't be left out.
    pub required: bool,
    /// Its JSON Schema.
    pub schema: Json,
}

/// One mapping of the language.
#[derive(Debug, Clone)]
pub struct Record {
    /// The type's name.
    pub name: &'static str,
    /// Where an example of it stands in [`base_document`], keys divided by dots.
    pub path: &'static str,
    /// Its documentation.
    pub doc: &'static str,
    /// Its keys.
    pub fields: Vec<Field>,
}

/// Records found so far, outermost first.
#[derive(Debug, Default)]
pub struct Definitions {
    records: IndexMap<&'static str, Record>,
}

impl Definitions {
    /// Adds a record once, and gives a reference to it.
    pub fn record(
        &mut self,
        name: &'static str,
        path: &'static str,
        doc: &'static str,
        fields: impl FnOnce(&mut Self) -> Vec<Field>,
    ) -> Json {
        if !self.records.contains_key(name) {
            let empty = Record {
                name,
                path,
                doc,
                fields: Vec::new(),
            };
            self.records.insert(name, empty);
            let fields = fields(self);
            if let Some(record) = self.records.get_mut(name) {
                record.fields = fields;
            }
        }
        json!({"$ref": format!("#/$defs/{name}")})
    }

    /// The records.
    pub fn records(&self) -> impl Iterator<Item = &Record> {
        self.records.values()
    }

    /// The whole schema of a document of type `root`.
    pub fn document(&self, title: &str, root: &Json) -> Json {
        let definitions: JsonMap<String, Json> = self
            .records
            .values()
            .map(|r| (r.name.to_owned(), schema_of(r)))
            .collect();
        json!({
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "title": title,
            "$ref": root.get("$ref").cloned().unwrap_or_default(),
            "$defs": definitions,
        })
    }
}

fn schema_of(record: &Record) -> Json {
    let mut properties = JsonMap::new();
    for field in &record.fields {
        let mut schema = if field.required {
            field.schema.clone()
        } else {
            nullable(&field.schema)
        };
        if let Some(object) = schema.as_object_mut() {
            object.insert("description".to_owned(), joined(field.doc).into());
        }
        properties.insert(field.key.to_owned(), schema);
    }
    // Nothing is required here: a file may be laid over another that says the rest.
    json!({
        "type": "object",
        "description": joined(record.doc),
        "properties": properties,
        "additionalProperties": false,
    })
}

/// Doc lines as one paragraph.
fn joined(doc: &str) -> String {
    doc.lines()
        .map(str::trim)
        .collect::<Vec<_>>()
        .join(" ")
        .trim()
        .to_owned()
}

/// The blueprint that examples of the reference are put into.
pub fn base_document() -> &'static str {
    include_str!("reference.yaml")
}

/// The body of the reference page: each record with its keys, each key with a line and an example.
/// `settings` adds the records of the targets, which this module does not know.
pub fn reference(settings: impl FnOnce(&mut Definitions)) -> String {
    let mut definitions = Definitions::default();
    Blueprint::schema(&mut definitions);
    Plugin::schema(&mut definitions);
    settings(&mut definitions);
    let mut out = String::new();
    for record in definitions.records() {
        let at = if record.path.is_empty() {
            "the top of the file".to_owned()
        } else {
            format!("`{}`", record.path)
        };
        let _ = write!(
            out,
            "\n## {}\n\n{} Here: {at}.\n\n",
            record.name,
            joined(record.doc)
        );
        for field in &record.fields {
            let required = if field.required { " (required)" } else { "" };
            let _ = write!(
                out,
                "### `{}`{required}\n\n{}\n\n```yaml\n{}\n```\n\n",
                field.key,
                joined(field.doc),
                field.example
            );
        }
    }
    out
}
