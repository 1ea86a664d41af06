//! Objects as files: one for each, all in one, or a package of kustomize or Helm. What is there only
//! with a profile has a folder of its own, so that whoever wants it applies that folder too.

mod helm;
mod kustomize;
mod template;

use std::collections::{HashMap, HashSet};

use camino::Utf8PathBuf;
use indexmap::IndexMap;

use super::carrier::is_unsafe;
use super::model::{Body, Object, WorkloadKind};
use super::settings::{Package, Settings};
use super::{checksum, emit, secrets};
use crate::emit::yaml::{self, Yaml};
use crate::file::File;
use crate::plan::{Plan, SecretSource, quote};
use crate::problem::{Problem, Span};
use crate::target::{Account, Layout, Request, patch};
use crate::yaml::{Node, Value};

/// The folder of the folders of profiles.
const PROFILES: &str = "profiles";

/// The files.
pub(super) fn files(
    objects: &[Object],
    plan: &Plan,
    settings: &Settings,
    request: &Request<'_>,
    account: &mut Account,
) -> Vec<File> {
    let package = match request.layout {
        Layout::Objects => Package::Plain,
        Layout::Several | Layout::Single | Layout::Started => settings.package(),
    };
    if let (Package::Kustomize | Package::Helm, Layout::Single | Layout::Started) =
        (package, request.layout)
    {
        let problem = Problem::error(
            "unsupported",
            format!("a package of {} is a directory", package.word()),
        );
        account.problems.add(
            problem
                .at(settings.package.map_or(settings.span, |p| p.span))
                .label("one file is asked for")
                .help("leave out --single-file, or say package: plain"),
        );
        return Vec::new();
    }
    let layout = match package {
        Package::Plain => request.layout,
        Package::Kustomize | Package::Helm => Layout::Objects,
    };
    let files = plain(objects, plan, settings, layout, account);
    match package {
        Package::Plain => files,
        Package::Kustomize => kustomize::files(&files, plan, request.variants),
        Package::Helm => {
            let chart = helm::Chart {
                plan,
                settings,
                checksums: checksums(objects, &files),
                files,
            };
            chart.files(request.variants)
        }
    }
}

/// For the file of each workload, the files of the ConfigMaps that its pods read.
fn checksums(objects: &[Object], files: &[File]) -> HashMap<String, Vec<String>> {
    // A patch may have removed some.
    let there: HashSet<&str> = files.iter().filter_map(|f| f.path.file_name()).collect();
    let maps: HashMap<&str, String> = objects
        .iter()
        .filter(|o| matches!(o.body, Body::ConfigMap(_)))
        .filter(|o| there.contains(file_name(o).as_str()))
        .map(|o| (o.name.as_str(), file_name(o)))
        .collect();
    let workloads = objects.iter().filter_map(|o| match &o.body {
        Body::Workload(workload) => Some((o, workload)),
        _ => None,
    });
    workloads
        .map(|(object, workload)| {
            let names = checksum::read_by(&workload.pod);
            let files = names.iter().filter_map(|n| maps.get(n.as_str()).cloned());
            (file_name(object), files.collect())
        })
        .collect()
}

/// One file for each object, or all in one.
fn plain(
    objects: &[Object],
    plan: &Plan,
    settings: &Settings,
    layout: Layout,
    account: &mut Account,
) -> Vec<File> {
    let namespace = settings.namespace(&plan.name);
    let mut files: IndexMap<Utf8PathBuf, String> = IndexMap::new();
    if let Some(laid) = &settings.patch {
        sound(&laid.0, account);
    }
    let mut patches = Patches::new(settings);
    for object in objects {
        let mut value = emit::object(object, namespace);
        if let Some(node) = &object.patch {
            sound(node, account);
            patch::apply(&mut value, node);
        }
        let removed = object.patch.as_ref().is_some_and(Node::is_null);
        if patches.apply(object, &mut value) == Laid::Removed || removed {
            continue;
        }
        let folders = if object.profiles.is_empty() {
            vec![Utf8PathBuf::new()]
        } else {
            let folder = |p: &String| Utf8PathBuf::from(PROFILES).join(p);
            object.profiles.iter().map(folder).collect()
        };
        for folder in folders {
            let path = match layout {
                Layout::Several | Layout::Objects => folder.join(file_name(object)),
                Layout::Single | Layout::Started if folder.as_str().is_empty() => {
                    format!("{}.yaml", plan.name).into()
                }
                Layout::Single | Layout::Started => format!("{folder}.yaml").into(),
            };
            let comment = comment(object, plan, namespace, !files.contains_key(&path));
            let text = yaml::document(&comment, &value);
            let file = files.entry(path).or_default();
            if !file.is_empty() {
                file.push_str("---\n");
            }
            file.push_str(&text);
        }
    }
    patches.unused(account);
    let files = files.into_iter();
    files.map(|(path, text)| File { path, text }).collect()
}

/// The namespace is applied before what is in it: `kubectl` takes files by their names.
fn file_name(object: &Object) -> String {
    let kind = object.body.kind().to_lowercase();
    match object.body {
        Body::Namespace => format!("00-{kind}.yaml"),
        _ => format!("{}-{kind}.yaml", object.name),
    }
}

/// Where a file comes from, and what must be there, or must not, before an object.
fn comment(object: &Object, plan: &Plan, namespace: &str, first: bool) -> String {
    let mut lines = Vec::new();
    if first {
        let name = &plan.name;
        lines.push(format!(
            "Made by flokkr from the blueprint {name}: change that, not this file."
        ));
    }
    let Body::Workload(workload) = &object.body else {
        return lines.join("\n");
    };
    if workload.kind == WorkloadKind::Job {
        lines.push(format!(
            "A Job never changes: before it is applied or upgraded with another template, kubectl -n {namespace} delete job {} --ignore-not-found. It runs again then.",
            object.name
        ));
    }
    for secret in &plan.secrets {
        let place = secrets::place(secret);
        let (name, key) = &place;
        let source = match &secret.source {
            SecretSource::File(path) => quote(&format!("--from-file={key}={path}")),
            SecretSource::Env(variable) => format!("--from-literal={key}=\"${variable}\""),
            SecretSource::External(_) => continue,
        };
        if secrets::reads(&workload.pod, &place) {
            lines.push(format!(
                "Needs: kubectl -n {namespace} create secret generic {name} {source}"
            ));
        }
    }
    lines.join("\n")
}

/// Refuses texts of a patch with characters that the API server does not keep.
fn sound(patch: &Node, account: &mut Account) {
    let mut check = |text: &str, span: Span| {
        if let Some(c) = text.chars().find(|c| is_unsafe(*c)) {
            account.problems.add(
                Problem::error("corrupted", "this text would not arrive as it is written")
                    .at(span)
                    .label(format!(
                        "Kubernetes refuses or changes the character U+{:04X}",
                        u32::from(c)
                    )),
            );
        }
    };
    match &patch.value {
        Value::Null => {}
        Value::Scalar(scalar) => check(&scalar.text, patch.span),
        Value::List(items) => {
            for item in items {
                sound(item, account);
            }
        }
        Value::Map(entries) => {
            for entry in entries {
                check(&entry.key, entry.key_span);
            }
            for entry in entries {
                sound(&entry.value, account);
            }
        }
    }
}

/// What a patch did to an object.
#[derive(PartialEq, Eq)]
enum Laid {
    /// It was laid over it, or there is none.
    Over,
    /// It is null.
    Removed,
}

/// The patches of `targets.kubernetes.patch`, by object.
struct Patches<'a> {
    entries: Vec<(&'a crate::yaml::Entry, bool)>,
    known: Vec<String>,
}

impl<'a> Patches<'a> {
    fn new(settings: &'a Settings) -> Self {
        let node = settings.patch.as_ref().map(|p| &p.0);
        Self {
            entries: node
                .into_iter()
                .flat_map(Node::entries)
                .map(|e| (e, false))
                .collect(),
            known: Vec::new(),
        }
    }

    fn apply(&mut self, object: &Object, value: &mut Yaml) -> Laid {
        let name = format!("{}/{}", object.body.kind(), object.name);
        let mut laid = Laid::Over;
        for (entry, used) in &mut self.entries {
            if *entry.key == *name {
                *used = true;
                patch::apply(value, &entry.value);
                if entry.value.is_null() {
                    laid = Laid::Removed;
                }
            }
        }
        self.known.push(name);
        laid
    }

    /// A patch of an object that is not there is a mistake.
    fn unused(self, account: &mut Account) {
        for (entry, used) in self.entries {
            if !used {
                let known = self.known.iter().map(String::as_str);
                account.problems.add(
                    Problem::error("unknown-key", format!("there is no object `{}`", entry.key))
                        .at(entry.key_span)
                        .label("expected the kind and name of an emitted object: `Kind/name`")
                        .nearest(&entry.key, known),
                );
            }
        }
    }
}
