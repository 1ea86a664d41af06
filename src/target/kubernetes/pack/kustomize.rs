//! A base with the blueprint's defaults, and an overlay that turns it into the cluster with the
//! given values: what changed as JSON patches (RFC 6902), what is new as files, what is gone as
//! deletions. Without values the overlay is empty, and a place for one's own patches.

use std::fmt::Write as _;

use camino::Utf8PathBuf;

use super::PROFILES;
use crate::emit::yaml::{self, Yaml};
use crate::file::File;
use crate::plan::Plan;
use crate::problem::{Problems, Sources};
use crate::target::{Variants, patch};
use crate::yaml::{self as reading, Node, Value};

const KUSTOMIZATION: &str = "kustomization.yaml";
const BASE: &str = "base";
const OVERLAY: &str = "overlays/values";

/// The base and the overlay. Profiles are components, which an overlay takes in by name.
pub(super) fn files(current: &[File], plan: &Plan, variants: &dyn Variants) -> Vec<File> {
    let base = variants.defaults().unwrap_or_else(|| current.to_vec());
    let profiles = folders(&base);
    let mut out = Vec::new();
    for file in &base {
        out.push(File {
            path: Utf8PathBuf::from(BASE).join(&file.path),
            text: file.text.clone(),
        });
    }
    let plain = |files: &[File], folder: &str| -> Vec<String> {
        let inside = files
            .iter()
            .filter_map(|f| f.path.strip_prefix(folder).ok());
        let direct = inside.filter(|p| p.components().count() == 1);
        direct.map(ToString::to_string).collect()
    };
    let resources = [("resources", texts(&plain(&base, "")))];
    out.push(kustomization(plan, BASE, "Kustomization", resources));
    for profile in &profiles {
        let resources = [("resources", texts(&plain(&base, profile)))];
        let folder = format!("{BASE}/{profile}");
        out.push(kustomization(plan, &folder, "Component", resources));
    }
    out.extend(overlay(&base, current, &profiles, plan));
    out
}

/// The folders of profiles.
fn folders(files: &[File]) -> Vec<String> {
    let mut folders: Vec<String> = Vec::new();
    for file in files {
        if let Some(folder) = file.path.parent().filter(|p| p.starts_with(PROFILES))
            && !folders.iter().any(|f| f == folder)
        {
            folders.push(folder.to_string());
        }
    }
    folders
}

fn overlay(base: &[File], current: &[File], profiles: &[String], plan: &Plan) -> Vec<File> {
    let mut out = Vec::new();
    let mut resources = vec![format!("../../{BASE}")];
    let mut patches = Vec::new();
    for file in current {
        match base.iter().find(|b| b.path == file.path) {
            None => {
                resources.push(file.path.to_string());
                out.push(File {
                    path: Utf8PathBuf::from(OVERLAY).join(&file.path),
                    text: file.text.clone(),
                });
            }
            Some(old) if old.text != file.text => {
                patches.extend(changed(&old.text, &file.text));
            }
            Some(_) => {}
        }
    }
    for file in base {
        if !current.iter().any(|c| c.path == file.path) {
            patches.extend(deleted(&file.text));
        }
    }
    let mut entries = vec![("resources", texts(&resources))];
    if !patches.is_empty() {
        entries.push(("patches", Yaml::List(patches)));
    }
    let mut file = kustomization(plan, OVERLAY, "Kustomization", entries);
    if !profiles.is_empty() {
        file.text
            .push_str("# What is there only with a profile:\n# components:\n");
        for profile in profiles {
            let _ = writeln!(file.text, "#   - ../../{BASE}/{profile}");
        }
    }
    out.push(file);
    out
}

fn kustomization<'k>(
    plan: &Plan,
    folder: &str,
    kind: &str,
    entries: impl IntoIterator<Item = (&'k str, Yaml)>,
) -> File {
    let version = if kind == "Component" {
        "kustomize.config.k8s.io/v1alpha1"
    } else {
        "kustomize.config.k8s.io/v1beta1"
    };
    let head = [
        ("apiVersion", Yaml::word(version)),
        ("kind", Yaml::word(kind)),
    ];
    let entries = head.into_iter().chain(entries);
    let entries = entries.map(|(k, v)| (k.to_owned(), v)).collect();
    let comment = format!(
        "Made by flokkr from the blueprint {}: change that, not this file.",
        plan.name
    );
    File {
        path: Utf8PathBuf::from(folder).join(KUSTOMIZATION),
        text: yaml::document(&comment, &Yaml::Map(entries)),
    }
}

fn texts(texts: &[String]) -> Yaml {
    Yaml::List(texts.iter().map(|t| Yaml::word(t)).collect())
}

/// The patch of a changed object.
fn changed(old: &str, new: &str) -> Option<Yaml> {
    let (old, new) = (object(old)?, object(new)?);
    let mut operations = Vec::new();
    compare(&old, &new, "", &mut operations);
    if operations.is_empty() {
        return None;
    }
    // kustomize 5.8 cuts line ends at the end of a patch: no text with lines may stand there.
    if let Some(Yaml::Map(last)) = operations.last_mut()
        && let Some(at) = last.iter().position(|(key, _)| key == "path")
        && yaml::document("", &Yaml::Map(last.clone())).lines().count() > last.len()
    {
        let path = last.remove(at);
        last.push(path);
    }
    let patch = yaml::document("", &Yaml::List(operations));
    Some(Yaml::Map(vec![
        ("target".to_owned(), target(&new)),
        ("patch".to_owned(), Yaml::text(patch)),
    ]))
}

/// The patch that takes an object away.
fn deleted(old: &str) -> Option<Yaml> {
    let old = object(old)?;
    let text = |path: &[&str]| -> Yaml {
        let found = path.iter().try_fold(&old, |node, key| node.get(key));
        Yaml::text(found.and_then(Node::text).unwrap_or_default())
    };
    let metadata = Yaml::Map(vec![
        ("name".to_owned(), text(&["metadata", "name"])),
        ("namespace".to_owned(), text(&["metadata", "namespace"])),
    ]);
    let patch = Yaml::Map(vec![
        ("$patch".to_owned(), Yaml::word("delete")),
        ("apiVersion".to_owned(), text(&["apiVersion"])),
        ("kind".to_owned(), text(&["kind"])),
        ("metadata".to_owned(), metadata),
    ]);
    Some(Yaml::Map(vec![(
        "patch".to_owned(),
        Yaml::text(yaml::document("", &patch)),
    )]))
}

fn object(text: &str) -> Option<Node> {
    let mut sources = Sources::default();
    let source = sources.add("", text);
    reading::read(source, &sources, &mut Problems::default())
}

fn target(object: &Node) -> Yaml {
    let name = object.get("metadata").and_then(|m| m.get("name"));
    let text = |node: Option<&Node>| Yaml::word(node.and_then(Node::text).unwrap_or_default());
    Yaml::Map(vec![
        ("kind".to_owned(), text(object.get("kind"))),
        ("name".to_owned(), text(name)),
    ])
}

/// The operations that make `new` of `old`.
fn compare(old: &Node, new: &Node, path: &str, out: &mut Vec<Yaml>) {
    match (&old.value, &new.value) {
        (Value::Map(before), Value::Map(after)) => {
            for entry in after {
                let path = format!("{path}/{}", escaped(&entry.key));
                match old.get(&entry.key) {
                    Some(old) => compare(old, &entry.value, &path, out),
                    None => out.push(operation("add", &path, Some(&entry.value))),
                }
            }
            for entry in before.iter().filter(|e| new.get(&e.key).is_none()) {
                let path = format!("{path}/{}", escaped(&entry.key));
                out.push(operation("remove", &path, None));
            }
        }
        // Items are told by their place; with another number of them the list is another one.
        (Value::List(before), Value::List(after)) if before.len() == after.len() => {
            for (at, (old, new)) in before.iter().zip(after).enumerate() {
                compare(old, new, &format!("{path}/{at}"), out);
            }
        }
        _ if patch::converted(old) == patch::converted(new) => {}
        _ => out.push(operation("replace", path, Some(new))),
    }
}

fn operation(word: &str, path: &str, value: Option<&Node>) -> Yaml {
    let mut entries = vec![
        ("op".to_owned(), Yaml::word(word)),
        ("path".to_owned(), Yaml::text(path)),
    ];
    if let Some(value) = value {
        entries.push(("value".to_owned(), patch::converted(value)));
    }
    Yaml::Map(entries)
}

/// A key in a JSON pointer (RFC 6901).
fn escaped(key: &str) -> String {
    key.replace('~', "~0").replace('/', "~1")
}
