//! The blueprints and plugins that come with flokkr, embedded in the binary.
//!
//! Owns nothing but the texts: each is a YAML file under `blueprints/`.

include!(concat!(env!("OUT_DIR"), "/embedded.rs"));

/// The blueprint that `flokkr init` writes.
pub const STARTER: &str = include_str!("starter.yaml");

/// The text of a library blueprint.
pub fn blueprint(name: &str) -> Option<&'static str> {
    find(BLUEPRINTS, name)
}

/// The text of a library plugin.
pub fn plugin(name: &str) -> Option<&'static str> {
    find(PLUGINS, name)
}

/// Names of library blueprints, sorted.
pub fn blueprints() -> impl Iterator<Item = &'static str> {
    BLUEPRINTS.iter().map(|(name, _)| *name)
}

/// Names of library plugins, sorted.
pub fn plugins() -> impl Iterator<Item = &'static str> {
    PLUGINS.iter().map(|(name, _)| *name)
}

fn find(table: &[(&str, &'static str)], name: &str) -> Option<&'static str> {
    table
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, text)| *text)
}
