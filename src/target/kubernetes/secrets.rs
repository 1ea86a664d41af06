//! Secrets. flokkr makes none: a pod names the Secret and the key that it reads, which Kubernetes
//! must be able to have.

use std::collections::HashMap;

use super::lower::Lowering;
use super::model::{Body, EnvValue, Pod, VolumeSource};
use crate::plan::{self, SecretSource};
use crate::problem::{Problem, Span};

/// Names of objects and keys have at most so many bytes.
const LONGEST: usize = 253;

/// The Secret and its key for a secret of the blueprint. One that the platform has already is
/// named `NAME` or `NAME/KEY`; the others are to be made under their own name, spelled as
/// Kubernetes takes it.
pub(super) fn place(secret: &plan::Secret) -> (String, String) {
    let own = &*secret.name;
    match &secret.source {
        SecretSource::External(name) => match name.split_once('/') {
            Some((name, key)) => (name.to_owned(), key.to_owned()),
            None => (name.clone(), key(own)),
        },
        SecretSource::File(_) | SecretSource::Env(_) => {
            let name = own.to_ascii_lowercase();
            (
                spelled(&name, |c| !c.is_ascii_uppercase() && c != '_'),
                key(own),
            )
        }
    }
}

fn key(secret: &str) -> String {
    spelled(secret, |_| true)
}

/// A name with a dash for each character that it can't have.
fn spelled(name: &str, can: impl Fn(char) -> bool) -> String {
    let taken = |c: char| if is_of_key(c) && can(c) { c } else { '-' };
    name.chars().map(taken).collect()
}

fn is_of_key(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-._".contains(c)
}

/// Does a pod read this key of this Secret?
pub(super) fn reads(pod: &Pod, (name, key): &(String, String)) -> bool {
    let mut volumes = pod.volumes.iter();
    let mut containers = pod.inits.iter().chain(&pod.containers);
    volumes.any(|v| {
        matches!(&v.source, VolumeSource::Secret { name: n, key: k, .. } if n == name && k == key)
    }) || containers.any(|c| {
        let mut env = c.env.iter();
        env.any(|e| {
            matches!(&e.value, EnvValue::Secret { name: n, key: k } if n == name && k == key)
        })
    })
}

/// Refuses Secrets and keys that can't be, of those that some pod reads.
pub(super) fn check(lowering: &mut Lowering<'_>) {
    let mut made: HashMap<String, Span> = HashMap::new();
    for secret in &lowering.plan.secrets {
        let place = place(secret);
        let read = lowering.objects.iter().any(|object| match &object.body {
            Body::Workload(workload) => reads(&workload.pod, &place),
            _ => false,
        });
        if !read {
            continue;
        }
        let (name, key) = place;
        let mut refuse = |message: String, label: &str| {
            let problem = Problem::error("invalid-name", message).at(secret.span);
            let problem = problem.label(label);
            lowering.account.refused("secrets", secret.span, problem);
        };
        if !is_name(&name) {
            let message = format!("`{name}` can't be the name of a Secret in Kubernetes");
            let label = "expected lower-case letters and digits, with dashes and dots between them";
            refuse(message, label);
        }
        if !is_key(&key) {
            let message = format!("`{key}` can't be a key of a Secret in Kubernetes");
            refuse(message, "expected letters, digits, `-`, `_` and `.`");
        }
        if matches!(secret.source, SecretSource::External(_)) {
            continue;
        }
        if let Some(first) = made.insert(name.clone(), secret.span) {
            let message = format!("two secrets become the Secret `{name}` in Kubernetes");
            let problem = Problem::error("duplicate-name", message).at(secret.span);
            let problem = problem.label("expected another name");
            let problem = problem.related(first, "the first one");
            lowering.account.refused("secrets", secret.span, problem);
        }
    }
}

/// A subdomain of RFC 1123, as the API server checks it.
fn is_name(name: &str) -> bool {
    let good = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    name.len() <= LONGEST
        && name.split('.').all(|part| {
            part.starts_with(good)
                && part.ends_with(good)
                && part.chars().all(|c| good(c) || c == '-')
        })
}

fn is_key(key: &str) -> bool {
    !key.is_empty()
        && key.len() <= LONGEST
        && key.chars().all(is_of_key)
        && key != "."
        && !key.starts_with("..")
}
