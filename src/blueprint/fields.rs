//! The fields of one mapping while it is read: unknown keys are reported at once, each field is
//! taken by its key, missing ones that are required are reported.

use super::read::{Read, Reader};
use crate::problem::{Problem, Span, did_you_mean, one_of};
use crate::yaml::{Node, Value};

/// Keys on which other parts depend: when one of them can't be read, what would be said of those
/// parts might be wrong.
const STRUCTURE: [&str; 14] = [
    "kind", "replicas", "ports", "port", "sidecars", "image", "images", "services", "config",
    "vars", "secrets", "plugins", "launcher", "name",
];

/// A mapping whose keys are known.
pub(crate) struct Fields<'n> {
    node: &'n Node,
}

impl<'n> Fields<'n> {
    /// Checks that the node is a mapping with no other keys than these. Unknown keys are reported,
    /// and reading goes on.
    pub(crate) fn of(
        node: &'n Node,
        keys: &[&'static str],
        example: &str,
        reader: &mut Reader<'_>,
    ) -> Option<Self> {
        match &node.value {
            Value::Null => {}
            Value::Map(entries) => {
                for entry in entries.iter().filter(|e| !keys.contains(&&*e.key)) {
                    let meant = did_you_mean(&entry.key, keys.iter().copied());
                    reader.unsure |= meant.is_some_and(|key| STRUCTURE.contains(&key));
                    reader.problems.add(unknown_key(
                        &entry.key,
                        entry.key_span,
                        keys.iter().copied(),
                    ));
                }
            }
            // Whoever writes a secret in its place wrote its value: it is not said again.
            Value::Scalar(_) if keys.contains(&"external") => {
                return reader.fail(
                    Problem::error(
                        "secret-source",
                        "a secret's value never stands in a blueprint",
                    )
                    .at(node.span)
                    .label("expected where it comes from: `file`, `env` or `external`"),
                );
            }
            Value::Scalar(_) | Value::List(_) => {
                let what = if example.is_empty() || example.contains('\n') {
                    format!("a mapping with {}", one_of(keys.iter().copied()))
                } else {
                    format!("a mapping such as {{ {example} }}")
                };
                return reader.expected(node, &what);
            }
        }
        Some(Self { node })
    }

    /// Reads one field; a null is the same as an absent key. What can't be read is reported and
    /// taken for absent, so that the rest is checked too.
    pub(crate) fn field<T: Read>(&self, key: &'static str, reader: &mut Reader<'_>) -> Option<T> {
        let given = self.node.get(key).filter(|n| !n.is_null());
        if let Some(node) = given {
            let read = T::read(node, reader);
            reader.unsure |= read.is_none() && STRUCTURE.contains(&key);
            return read.or_else(T::missing);
        }
        let missing = T::missing();
        if missing.is_none() {
            reader.problems.add(
                Problem::error("missing-key", format!("`{key}` is missing"))
                    .at(self.node.span)
                    .label(if key == "blueprint" {
                        "expected `blueprint: v1`".to_owned()
                    } else {
                        format!("expected the key `{key}` in this mapping")
                    }),
            );
        }
        missing
    }
}

/// The problem of a key that the language does not have.
pub fn unknown_key<'a>(
    key: &str,
    span: Span,
    known: impl IntoIterator<Item = &'a str> + Clone,
) -> Problem {
    let problem = Problem::error("unknown-key", format!("unknown key `{key}`"))
        .at(span)
        .label(format!("expected {}", one_of(known.clone())));
    let meant = ELSEWHERE.iter().find(|(other, _)| *other == key);
    match meant.filter(|(_, here)| known.clone().into_iter().any(|k| k == *here)) {
        Some((_, here)) => problem.help(format!("here that is `{here}`")),
        None => problem.nearest(key, known),
    }
}

/// What other tools call it, and what it is here.
const ELSEWHERE: [(&str, &str); 34] = [
    ("hostname", "patch"),
    ("networks", "patch"),
    ("ulimits", "patch"),
    ("cap_add", "patch"),
    ("privileged", "patch"),
    ("logging", "patch"),
    ("container_name", "patch"),
    ("env_file", "env"),
    ("expose", "ports"),
    ("extends", "plugins"),
    ("volumeMounts", "volumes"),
    ("storage", "size"),
    ("environment", "env"),
    ("envFrom", "env"),
    ("depends_on", "needs"),
    ("depends", "needs"),
    ("healthcheck", "health"),
    ("livenessProbe", "health"),
    ("readinessProbe", "health"),
    ("startupProbe", "health"),
    ("cmd", "command"),
    ("working_dir", "workdir"),
    ("workingDir", "workdir"),
    ("configs", "config"),
    ("initContainers", "init"),
    ("scale", "replicas"),
    ("count", "replicas"),
    ("instances", "replicas"),
    ("deploy", "resources"),
    ("limits", "resources"),
    ("stop_grace_period", "stop"),
    ("affinity", "placement"),
    ("constraints", "placement"),
    ("tag", "ref"),
];
