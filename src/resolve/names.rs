//! Names: what one may look like, and the problem of one that refers to nothing.

use std::collections::HashMap;
use std::sync::Arc;

use crate::blueprint::{At, Blueprint, Map, PortForm, Protocol};
use crate::problem::{Problem, Problems, Span, one_of};

/// The rule for names of clusters and services, in words.
pub const NAME_RULE: &str =
    "lower-case letters, digits and dashes, a letter first, at most 40 characters";

/// The ports of each service, those of its sidecars with them.
pub(super) type PortTable<'a> = HashMap<&'a str, Ports<'a>>;

/// The ports of a service by name, and those of them that are UDP's.
#[derive(Debug, Clone, Default)]
pub(super) struct Ports<'a> {
    names: Vec<&'a str>,
    udp: Vec<&'a str>,
}

impl Ports<'_> {
    /// Checks a port that something is to connect to.
    pub(super) fn check(&self, name: &str, span: Span, problems: &mut Problems) {
        if !self.names.contains(&name) {
            problems.add(unknown("port", name, span, self.names.iter().copied()));
        } else if self.udp.contains(&name) {
            problems.add(
                Problem::error("wrong-value", format!("nothing can connect to `{name}`"))
                    .at(span)
                    .label("expected a port of protocol tcp: udp has no connections"),
            );
        }
    }
}

pub(super) fn port_table(blueprint: &Blueprint) -> PortTable<'_> {
    let services = blueprint.services.iter();
    let tables = services.map(|(name, service)| {
        let all = || {
            [&service.ports]
                .into_iter()
                .chain(service.sidecars.iter().map(|(_, s)| &s.ports))
        };
        let is_udp = |form: &PortForm| form.0.protocol.is_some_and(|p| p.value == Protocol::Udp);
        let udp = all().flat_map(Map::iter).filter(|(_, form)| is_udp(form));
        let ports = Ports {
            // Also of those that are wrong otherwise.
            names: all().flat_map(Map::names).collect(),
            udp: udp.map(|(port, _)| &*port.value).collect(),
        };
        (&*name.value, ports)
    });
    tables.collect()
}

/// The problem of a name that refers to nothing.
pub(super) fn unknown<'a>(
    what: &str,
    name: &str,
    span: Span,
    known: impl Iterator<Item = &'a str>,
) -> Problem {
    let known: Vec<&str> = known.collect();
    let label = if known.is_empty() && what == "port" {
        "the service declares no port".to_owned()
    } else if known.is_empty() {
        format!("the blueprint declares no {what}")
    } else {
        format!("expected {}", one_of(known.iter().copied()))
    };
    let code = match what {
        "service" => "unknown-service",
        "image" => "unknown-image",
        "port" => "unknown-port",
        "secret" => "unknown-secret",
        "volume" => "unknown-volume",
        _ => "unknown-config-group",
    };
    Problem::error(code, format!("there is no {what} `{name}`"))
        .at(span)
        .label(label)
        .nearest(name, known)
}

/// Checks the name of a cluster, a service or a part of one.
pub(super) fn name(what: &str, name: &str, span: Span, problems: &mut Problems) {
    let good = name.len() <= 40
        && name.starts_with(|c: char| c.is_ascii_lowercase())
        && !name.ends_with('-')
        && name
            .chars()
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if !good {
        let mut problem = Problem::error(
            "invalid-name",
            format!("`{name}` can't be the name of {what}"),
        )
        .at(span)
        .label(format!("expected {NAME_RULE}"));
        let mended: String = name
            .to_lowercase()
            .chars()
            .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
            .collect();
        let mended = mended.trim_matches(|c: char| c == '-' || c.is_ascii_digit());
        if !mended.is_empty() && mended.len() <= 40 && mended != name {
            problem = problem.help(format!("for example `{mended}`"));
        }
        problems.add(problem);
    }
}

/// Checks the name of a port.
pub(super) fn port_name(name: &At<Arc<str>>, problems: &mut Problems) {
    let text = &*name.value;
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    let expected = if text.is_empty() || !text.chars().all(plain) {
        "lower-case letters, digits and dashes, at most 15 characters"
    } else if text.len() > 15 {
        "at most 15 characters"
    } else if !text.contains(|c: char| c.is_ascii_lowercase()) {
        "a name with a letter in it"
    } else if text.starts_with('-') || text.ends_with('-') {
        "no dash at the beginning or the end"
    } else if text.contains("--") {
        "no two dashes in a row"
    } else {
        return;
    };
    problems.add(
        Problem::error(
            "invalid-name",
            format!("`{text}` can't be the name of a port"),
        )
        .at(name.span)
        .label(format!("expected {expected}")),
    );
}
