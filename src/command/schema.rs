//! `flokkr schema`: the JSON Schema of the language, with every target's settings in its place.

use serde_json::{Map, json};

use super::{SAME, Session};
use crate::blueprint::{Blueprint, Definitions, Plugin, Read as _};
use crate::cli::Schema;
use crate::target;

pub(super) fn run(typed: &Schema, session: &mut Session) -> Option<u8> {
    let text = if typed.plugin {
        of_plugins()
    } else {
        of_blueprints()
    };
    session.print(&text)?;
    Some(SAME)
}

/// The schema of blueprints.
pub fn of_blueprints() -> String {
    let mut definitions = Definitions::default();
    let root = Blueprint::schema(&mut definitions);
    let settings: Map<String, serde_json::Value> = target::ALL
        .iter()
        .map(|t| (t.name().to_owned(), t.schema(&mut definitions)))
        .collect();
    let mut document = definitions.document("A flokkr blueprint", &root);
    if let Some(targets) = document.pointer_mut("/$defs/Blueprint/properties/targets") {
        *targets = json!({
            "type": "object",
            "description": "Settings that only one target knows, by target.",
            "properties": settings,
            "additionalProperties": false,
        });
    }
    pretty(&document)
}

/// The schema of plugins.
pub fn of_plugins() -> String {
    let mut definitions = Definitions::default();
    let root = Plugin::schema(&mut definitions);
    crate::blueprint::Service::schema(&mut definitions);
    let mut document = definitions.document("A flokkr plugin", &root);
    if let Some(service) = document.pointer_mut("/$defs/Plugin/properties/service") {
        *service = json!({
            "description": "What it adds: the same keys as a service.",
            "$ref": "#/$defs/Service",
        });
    }
    pretty(&document)
}

fn pretty(value: &serde_json::Value) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}
