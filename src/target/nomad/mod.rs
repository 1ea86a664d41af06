//! Nomad jobs (HCL2, checked against Nomad 1.11.3): one file per service, `NAME.nomad.hcl`.
//!
//! A job has one group with as many allocations as the service has replicas, because an update
//! goes one by one within a group only; what differs per replica looks at the index of the
//! allocation (`replica`). What comes before the main process is in [`steps`], texts that Nomad
//! would change in [`text`]. `docs/targets/nomad.md` says what becomes of each field of the
//! blueprint.

mod addressing;
mod checks;
mod emit;
mod given;
mod lower;
mod model;
mod network;
mod patch;
mod replica;
mod script;
mod settings;
mod share;
mod steps;
mod task;
mod template;
mod text;
mod volumes;
mod waits;

use camino::Utf8PathBuf;

use std::borrow::Cow;

use crate::blueprint::{Definitions, Map, Read, Reader, Text};
use crate::file::File;
use crate::plan::{Addressing, Container, Plan};
use crate::target::{Account, Configured, Layout, Request, Target};
use crate::yaml::Node;

use settings::Settings;

/// The target.
pub struct Nomad;

impl Target for Nomad {
    fn name(&self) -> &'static str {
        "nomad"
    }

    fn title(&self) -> &'static str {
        "Nomad"
    }

    fn summary(&self) -> &'static str {
        "Nomad jobs: one HCL file per service, Docker driver"
    }

    fn losses(&self) -> &'static [&'static str] {
        &settings::LOSSES
    }

    fn configure(
        &self,
        settings: Option<&Node>,
        reader: &mut Reader<'_>,
    ) -> Option<Box<dyn Configured>> {
        let settings = match settings {
            Some(node) => Settings::read(node, reader)?,
            None => Settings::default(),
        };
        settings.check(reader.problems);
        Some(Box::new(settings))
    }

    fn schema(&self, definitions: &mut Definitions) -> serde_json::Value {
        Settings::schema(definitions)
    }
}

impl Configured for Settings {
    fn addressing(&self) -> &dyn Addressing {
        self
    }

    fn accepted(&self) -> &Map<Text> {
        &self.accept
    }

    fn delivered<'c>(&self, container: &'c Container) -> Cow<'c, Container> {
        given::delivered(self, container)
    }

    fn lower(&self, plan: &Plan, request: &Request<'_>, account: &mut Account) -> Vec<File> {
        let (jobs, kv) = lower::lower(plan, self, account);
        if matches!(request.layout, Layout::Single | Layout::Started) && jobs.len() > 1 {
            account.problems.add(
                crate::problem::Problem::error(
                    "unsupported",
                    "a file of Nomad's holds one job, and these are several",
                )
                .help("write them to a directory: `--output DIRECTORY`"),
            );
        }
        let mut files = Vec::new();
        for job in &jobs {
            let text = emit::document(job, plan, self, &mut account.problems);
            let name = format!("{}.nomad.hcl", job.name);
            // Whoever asks for a profile submits the folder that is called like it.
            let mut paths: Vec<Utf8PathBuf> = job
                .profiles
                .iter()
                .map(|profile| Utf8PathBuf::from("profiles").join(profile).join(&name))
                .collect();
            if paths.is_empty() {
                paths.push(name.into());
            }
            files.extend(paths.into_iter().map(|path| File {
                path,
                text: text.clone(),
            }));
        }
        if !kv.is_empty() {
            files.push(File {
                path: "consul-kv.json".into(),
                text: store(&kv),
            });
        }
        files
    }
}

/// What `consul kv import` takes.
fn store(kv: &[(String, String)]) -> String {
    let entries = kv.iter().map(|(key, text)| {
        serde_json::json!({
            "key": key,
            "flags": 0,
            "value": template::base64(text.as_bytes()),
        })
    });
    let entries = serde_json::Value::Array(entries.collect());
    serde_json::to_string_pretty(&entries).unwrap_or_default() + "\n"
}
