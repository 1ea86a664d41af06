//! A Helm chart whose values are the blueprint's variables.
//!
//! A template is not guessed: the blueprint is lowered with values that occur nowhere else, and
//! where those come out, plainly or with a number added, stands the value. What is made so is proven
//! before it is written: filled in with the values at hand and with others, it gives what the
//! blueprint gives with them. A variable that does more than that (a count of replicas, which
//! changes addresses everywhere) is fixed, and the chart's schema refuses another value for it.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use camino::{Utf8Path, Utf8PathBuf};
use serde_json::{Map, Value as Json, json};

use super::super::checksum::ANNOTATION;
use super::super::settings::Settings;
use super::PROFILES;
use super::template::{Kind, Open, Piece, RUNS, Template, filled, line, trials};
use crate::emit::yaml::{self, Yaml};
use crate::file::File;
use crate::plan::Plan;
use crate::problem::{Problems, Sources};
use crate::target::{Variants, patch};

/// Values stand in YAML as they are, so they are of these characters.
const SAFE: &str = "^[A-Za-z0-9][A-Za-z0-9._:/@-]*$";

/// The same, for the value at hand.
fn is_safe(value: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "._:/@-".contains(c);
    value.starts_with(|c: char| c.is_ascii_alphanumeric()) && value.chars().all(allowed)
}

/// Bytes of a cluster whose chart leaves nothing open: it would take a minute of trying.
const MAX_SIZE: usize = 1 << 20;

/// What a chart is made of.
pub(super) struct Chart<'a> {
    pub(super) plan: &'a Plan,
    pub(super) settings: &'a Settings,
    /// For the file of each workload, the files of the ConfigMaps that its pods read.
    pub(super) checksums: HashMap<String, Vec<String>>,
    /// The objects with the values at hand.
    pub(super) files: Vec<File>,
}

impl Chart<'_> {
    /// The files of the chart.
    pub(super) fn files(&self, variants: &dyn Variants) -> Vec<File> {
        let all = variants.variables();
        let mut open = self.candidates(&all, variants);
        let mut templates = self.templates(&open, variants);
        // What can't be proven together is fixed: numbers first, they are the likelier cause.
        if templates.is_none() {
            open.retain(|o| o.kind != Kind::Number);
            templates = self.templates(&open, variants);
        }
        if templates.is_none() {
            open.clear();
            templates = self.templates(&open, variants);
        }
        let templates = templates.unwrap_or_else(|| self.literal());
        let with_profiles = self.files.iter().any(|f| f.path.starts_with(PROFILES));
        let mut out = vec![
            self.chart(),
            values(&open, &all, with_profiles),
            schema(&open, &all),
        ];
        for (file, template) in self.objects().zip(templates) {
            let mut text = written(&template, &open);
            let profiles = self.profiles(file).into_iter();
            let asked: Vec<String> = profiles
                .map(|p| format!("(has \"{p}\" .Values.profiles)"))
                .collect();
            if !asked.is_empty() {
                text = format!(
                    "{{{{- if or {} }}}}\n{text}{{{{- end }}}}\n",
                    asked.join(" ")
                );
            }
            out.push(File {
                path: Utf8PathBuf::from("templates")
                    .join(file.path.file_name().unwrap_or_default()),
                text,
            });
        }
        out
    }

    /// Templates that leave nothing open.
    fn literal(&self) -> Vec<Template> {
        let text = |file: &File| vec![Piece::Text(file.text.clone())];
        self.objects().map(text).collect()
    }

    /// The namespace is Helm's to make; what is in the folders of several profiles is one template.
    fn objects(&self) -> impl Iterator<Item = &File> {
        let mut names = HashSet::new();
        let namespace = |f: &&File| !f.path.as_str().starts_with("00-");
        let files = self.files.iter().filter(namespace);
        files.filter(move |f| names.insert(f.path.file_name().map(str::to_owned)))
    }

    /// The profiles that an object is there with.
    fn profiles(&self, object: &File) -> Vec<&str> {
        let same = self.files.iter().filter(|f| {
            f.path.starts_with(PROFILES) && f.path.file_name() == object.path.file_name()
        });
        same.filter_map(|f| f.path.parent()?.file_name()).collect()
    }

    fn chart(&self) -> File {
        let version = self.settings.chart_version.as_ref();
        let version = version.map_or("0.1.0", |v| v.value.as_str());
        let mut entries = vec![
            ("apiVersion".to_owned(), Yaml::word("v2")),
            ("name".to_owned(), Yaml::word(&self.plan.name)),
        ];
        if let Some(description) = &self.plan.description {
            entries.push(("description".to_owned(), Yaml::text(description)));
        }
        entries.push(("type".to_owned(), Yaml::word("application")));
        entries.push(("version".to_owned(), Yaml::text(version)));
        let comment = format!(
            "Made by flokkr from the blueprint {}: change that, not this file.",
            self.plan.name
        );
        File {
            path: "Chart.yaml".into(),
            text: yaml::document(&comment, &Yaml::Map(entries)),
        }
    }

    /// The variables that can be left open.
    fn candidates(&self, all: &[(String, String)], variants: &dyn Variants) -> Vec<Open> {
        let size: usize = self.files.iter().map(|f| f.text.len()).sum();
        if size > MAX_SIZE {
            return Vec::new();
        }
        let mut open: Vec<Open> = Vec::new();
        // What the schema refuses, and the name that the chart itself takes, are never left open.
        let can = |(name, value): &&(String, String)| is_safe(value) && name != "profiles";
        for (name, value) in all.iter().filter(can) {
            let kinds: &[Kind] = if value.parse::<i64>().is_ok() {
                &[Kind::Number, Kind::Text]
            } else {
                &[Kind::Text, Kind::Size]
            };
            let found = kinds.iter().find_map(|kind| {
                let variable = Open {
                    name: name.clone(),
                    value: value.clone(),
                    kind: *kind,
                    trials: trials(*kind, open.len(), value)?,
                };
                self.templates(std::slice::from_ref(&variable), variants)?;
                Some(variable)
            });
            open.extend(found);
        }
        open
    }

    /// The templates of all objects, proven; `None` when they can't be.
    fn templates(&self, open: &[Open], variants: &dyn Variants) -> Option<Vec<Template>> {
        let run = |at: usize| -> Option<Vec<File>> {
            let values = open.iter().filter_map(|o| {
                let trial = o.trials.get(at)?;
                Some((o.name.clone(), trial.clone()))
            });
            let files = variants.files(&values.collect::<Vec<_>>())?;
            same_shape(&files, &self.files).then_some(files)
        };
        let (first, second) = (run(0)?, run(1)?);
        let text = |files: &'_ [File], path: &Utf8Path| -> Option<String> {
            Some(files.iter().find(|f| f.path == path)?.text.clone())
        };
        let mut templates = Vec::new();
        for file in self.objects() {
            let (first, second) = (text(&first, &file.path)?, text(&second, &file.path)?);
            templates.push(self.template(file, &first, &second, open)?);
        }
        let proven = |files: &[File], values: &[&str]| -> Option<()> {
            let namespace = self.settings.namespace(&self.plan.name);
            for (file, template) in self.objects().zip(&templates) {
                let wanted = text(files, &file.path)?;
                same(&filled(template, values, namespace), &wanted).then_some(())?;
            }
            Some(())
        };
        let at_hand: Vec<&str> = open.iter().map(|o| o.value.as_str()).collect();
        proven(&self.files, &at_hand)?;
        for at in 2..RUNS {
            let values = open.iter().filter_map(|o| o.trials.get(at));
            let values: Vec<&str> = values.map(String::as_str).collect();
            proven(&run(at)?, &values)?;
        }
        Some(templates)
    }

    /// The template of one object.
    fn template(&self, file: &File, first: &str, second: &str, open: &[Open]) -> Option<Template> {
        let mut template = Template::new();
        for (one, two) in first.lines().zip(second.lines()) {
            if let Some((head, _)) = one.split_once(&format!("{ANNOTATION}: ")) {
                template.push(Piece::Text(format!("{head}{ANNOTATION}: ")));
                let maps = self
                    .checksums
                    .get(file.path.file_name().unwrap_or_default());
                template.push(Piece::Checksum(maps.cloned().unwrap_or_default()));
            } else {
                template.extend(line(one, two, open)?);
            }
            template.push(Piece::Text("\n".to_owned()));
        }
        Some(self.with_namespace(template))
    }

    /// Puts the release's namespace where the blueprint's stands in addresses and metadata.
    fn with_namespace(&self, template: Template) -> Template {
        let namespace = self.settings.namespace(&self.plan.name);
        let address = format!(".{namespace}.svc.{}", self.settings.domain());
        let field = format!("  namespace: {namespace}");
        let mut out = Template::new();
        for piece in template {
            let Piece::Text(text) = &piece else {
                out.push(piece);
                continue;
            };
            if let Some(head) = text
                .strip_suffix(namespace)
                .filter(|_| text.ends_with(&field))
            {
                out.push(Piece::Text(head.to_owned()));
                out.push(Piece::Namespace);
                continue;
            }
            let mut parts = text.split(&address);
            out.push(Piece::Text(parts.next().unwrap_or_default().to_owned()));
            for part in parts {
                out.push(Piece::Text(".".to_owned()));
                out.push(Piece::Namespace);
                out.push(Piece::Text(format!(
                    ".svc.{}{part}",
                    self.settings.domain()
                )));
            }
        }
        out
    }
}

fn same_shape(one: &[File], other: &[File]) -> bool {
    let lines = |f: &File| f.text.lines().count();
    one.len() == other.len()
        && one
            .iter()
            .zip(other)
            .all(|(a, b)| a.path == b.path && lines(a) == lines(b))
}

/// Are two documents the same but for their checksum? The spelling may differ: a value needs quotes
/// or does without.
fn same(one: &str, other: &str) -> bool {
    let read = |text: &str| {
        let lines = text.lines().filter(|l| !l.contains(ANNOTATION));
        let text: String = lines.flat_map(|l| [l, "\n"]).collect();
        let mut sources = Sources::default();
        let source = sources.add("", text.as_str());
        let node = crate::yaml::read(source, &sources, &mut Problems::default());
        node.map(|n| as_texts(patch::converted(&n)))
    };
    let (one, other) = (read(one), read(other));
    one.is_some() && one == other
}

/// Quotes make no difference where only texts can stand.
fn as_texts(value: Yaml) -> Yaml {
    match value {
        Yaml::Plain(text) => Yaml::Text(text),
        Yaml::List(items) => Yaml::List(items.into_iter().map(as_texts).collect()),
        Yaml::Map(entries) => {
            let entries = entries.into_iter().map(|(k, v)| (k, as_texts(v)));
            Yaml::Map(entries.collect())
        }
        other => other,
    }
}

/// A template in Go's words.
fn written(template: &Template, open: &[Open]) -> String {
    let mut out = String::new();
    for piece in template {
        match piece {
            Piece::Text(text) => out.push_str(&text.replace("{{", "{{ \"{{\" }}")),
            Piece::Value(at) => {
                let Some(open) = open.get(*at) else { continue };
                let _ = match open.kind {
                    // A number from a file is a float to Helm, which writes large ones as 1e+06.
                    Kind::Number => write!(out, "{{{{ int64 .Values.{} }}}}", open.name),
                    Kind::Text | Kind::Size => write!(out, "{{{{ .Values.{} }}}}", open.name),
                };
            }
            Piece::Sum(at, added) => {
                let name = open.get(*at).map_or("", |o| &o.name);
                let _ = write!(out, "{{{{ add .Values.{name} {added} }}}}");
            }
            Piece::Namespace => out.push_str("{{ .Release.Namespace }}"),
            Piece::Checksum(maps) => {
                out.push_str("{{ print \"\"");
                for map in maps {
                    let _ = write!(out, " (include (print $.Template.BasePath \"/{map}\") .)");
                }
                out.push_str(" | sha256sum | quote }}");
            }
        }
    }
    out
}

fn fixed<'v>(open: &[Open], all: &'v [(String, String)]) -> Vec<&'v (String, String)> {
    let is_open = |name: &str| open.iter().any(|o| o.name == name);
    all.iter().filter(|(name, _)| !is_open(name)).collect()
}

fn values(open: &[Open], all: &[(String, String)], with_profiles: bool) -> File {
    let entries = open.iter().map(|o| {
        let value = match o.kind {
            Kind::Number => Yaml::Plain(o.value.clone()),
            Kind::Text | Kind::Size => Yaml::text(o.value.as_str()),
        };
        (o.name.clone(), value)
    });
    let profiles = ("profiles".to_owned(), Yaml::List(Vec::new()));
    let entries = entries.chain(with_profiles.then_some(profiles));
    let mut comment = "Variables of the blueprint that the chart leaves open.".to_owned();
    if open.iter().any(|o| o.kind == Kind::Size) {
        comment.push_str("\nSizes of volumes count when the chart is installed: a StatefulSet's claims never change.");
    }
    let fixed = fixed(open, all);
    if !fixed.is_empty() {
        comment.push_str("\nThese change more than a text, so that they are fixed; for others: flokkr gen kubernetes --set NAME=VALUE");
        for (name, value) in fixed {
            let _ = write!(comment, "\n  {name}: {}", value.escape_debug());
        }
    }
    File {
        path: "values.yaml".into(),
        text: yaml::document(&comment, &Yaml::Map(entries.collect())),
    }
}

/// What `helm` checks values against: an open value must be of characters that need no quotes, a
/// fixed one can only be what it is.
fn schema(open: &[Open], all: &[(String, String)]) -> File {
    let mut properties = Map::new();
    for variable in open {
        let rule = match variable.kind {
            Kind::Text => json!({"type": "string", "pattern": SAFE}),
            Kind::Size => json!({"type": "string", "pattern": "^[0-9]+(Ki|Mi|Gi|Ti)$"}),
            Kind::Number => json!({"type": "integer"}),
        };
        properties.insert(variable.name.clone(), rule);
    }
    for (name, value) in fixed(open, all) {
        let mut same: Vec<Json> = vec![value.as_str().into()];
        same.extend(value.parse::<i64>().map(Json::from));
        properties.insert(name.clone(), json!({ "enum": same }));
    }
    let profiles = json!({"type": "array", "items": {"type": "string"}});
    properties.insert("profiles".to_owned(), profiles);
    properties.insert("global".to_owned(), json!({}));
    let schema = json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "type": "object",
        "properties": properties,
        "additionalProperties": false,
    });
    let mut text = serde_json::to_string_pretty(&schema).unwrap_or_default();
    text.push('\n');
    File {
        path: "values.schema.json".into(),
        text,
    }
}
