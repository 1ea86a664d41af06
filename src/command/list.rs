//! `flokkr list`: the library and the targets, each with a line.

use std::fmt::Write as _;

use super::{SAME, Session};
use crate::library;
use crate::problem::{Problems, Sources};
use crate::target;
use crate::yaml;

pub(super) fn run(session: &mut Session) -> Option<u8> {
    let mut out = String::from("Blueprints (flokkr gen TARGET NAME)\n");
    for name in library::blueprints() {
        line(&mut out, name, library::blueprint(name));
    }
    out.push_str("\nPlugins (under `plugins` of a service)\n");
    for name in library::plugins() {
        line(&mut out, name, library::plugin(name));
    }
    out.push_str("\nTargets\n");
    for target in target::ALL {
        let _ = writeln!(out, "  {:<16} {}", target.name(), target.summary());
    }
    session.print(&out)?;
    Some(SAME)
}

fn line(out: &mut String, name: &str, text: Option<&str>) {
    let _ = writeln!(
        out,
        "  {name:<16} {}",
        description(text.unwrap_or_default())
    );
}

/// The first sentence of the `description` of a YAML text.
fn description(text: &str) -> String {
    let mut sources = Sources::default();
    let source = sources.add("library", text);
    yaml::read(source, &sources, &mut Problems::default())
        .and_then(|node| {
            let text = node.get("description")?.text()?;
            let first = text.split_once(". ").map_or(text, |(first, _)| first);
            Some(first.trim_end_matches('.').to_owned())
        })
        .unwrap_or_default()
}
