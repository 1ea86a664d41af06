//! Nomad: its parser, the client's interpolation, the second reading of the driver's options.

use std::path::Path;

use serde_json::Value;

use super::{Consumer, Processes, Role, map, nothing_asked, numbered, text, texts};
use crate::batch::{Place, Shape};

pub const NOMAD: Consumer = Consumer {
    shape: Shape {
        target: "nomad",
        settings: &[
            "",
            "{ discovery: consul }",
            "{ accept: { replicas: each may be a job } }",
        ],
        places: &[
            Place::Variable,
            Place::Config,
            Place::Word,
            Place::Entry,
            Place::Label,
            Place::File,
            Place::Check,
            Place::Patch,
        ],
        builds: false,
    },
    ending: ".hcl",
    more: keys,
    asked: nothing_asked,
    own: |name| {
        matches!(name, "NOMAD_ALLOC_ID" | "NOMAD_ALLOC_INDEX") || name.starts_with("NOMAD_META_")
    },
    read,
    run: Some(crate::engine::jobs),
};

/// What is to be loaded into Consul.
fn keys(folder: &Path) -> Vec<String> {
    let file = folder.join("consul-kv.json");
    if file.is_file() {
        vec!["-kv".to_owned(), file.display().to_string()]
    } else {
        Vec::new()
    }
}

fn read(line: &Value, processes: &mut Processes) {
    let index = u32::try_from(line["index"].as_u64().unwrap_or_default()).unwrap_or_default();
    let (unit, alone) = numbered(&text(&line["group"]));
    let task = text(&line["task"]);
    let role = match task.as_str() {
        "side" => Role::Sidecar,
        "network" | "volumes" | "init" => return,
        _ => Role::Main,
    };
    let config = &line["config"];
    let process = processes.entry((unit, alone + index, role)).or_default();
    process.variables = map(&line["environment"]);
    process.words = texts(&config["entrypoint"]);
    process
        .words
        .extend(config["command"].as_str().map(str::to_owned));
    process.words.extend(texts(&config["args"]));
    process.files = map(&line["files"]);
    // The folder that they are mounted from is in the container, too.
    process.files.retain(|path, _| !path.starts_with("/local/"));
    for list in config["labels"].as_array().into_iter().flatten() {
        process.labels.extend(map(list));
    }
    process.labels.extend(map(&config["labels"]));
    if role == Role::Main {
        // A shell stands before it, which says how the check ended.
        let checks = line["services"].as_array().into_iter().flatten();
        let checks = checks.flat_map(|service| service["checks"].as_array().into_iter().flatten());
        for check in checks {
            let words = texts(&check["args"]).into_iter();
            process.check = words.skip_while(|word| word != "/check").collect();
        }
        // All tasks have that of their job; what flokkr has there itself is for variables.
        let meta = map(&line["meta"]).into_iter();
        let patched = meta.filter(|(name, _)| name.starts_with("patched_"));
        process.labels.extend(patched);
    }
}
