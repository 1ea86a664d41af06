//! Kubernetes: decode, defaults, and what the kubelet does before it starts a container.

use serde_json::Value;

use super::{Consumer, Processes, Role, map, nothing, text, texts};
use crate::batch::{Place, Shape};

pub const KUBERNETES: Consumer = Consumer {
    shape: Shape {
        target: "kubernetes",
        settings: &["", "{ version: \"1.34\" }", "{ version: \"1.29\" }"],
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
    ending: ".yaml",
    more: nothing,
    asked,
    own: |_| false,
    read,
    run: Some(crate::engine::kubernetes),
};

/// The version that the files are for.
fn asked(settings: &str) -> Vec<String> {
    let version = settings.split('"').nth(1);
    version.map_or(Vec::new(), |v| vec!["-version".to_owned(), v.to_owned()])
}

fn read(line: &Value, processes: &mut Processes) {
    let unit = text(&line["workload"]);
    let role = match text(&line["role"]).as_str() {
        "main" => Role::Main,
        "sidecar" => Role::Sidecar,
        _ => return,
    };
    let replica = u32::try_from(line["replica"].as_u64().unwrap_or_default()).unwrap_or_default();
    let process = processes.entry((unit, replica, role)).or_default();
    process.variables = map(&line["environment"]);
    process.words = texts(&line["command"]);
    process.words.extend(texts(&line["args"]));
    process.files = map(&line["files"]);
    for (path, bytes) in map(&line["binaryFiles"]) {
        process.files.insert(path, format!("no UTF-8: {bytes}"));
    }
    process.check = texts(&line["ready"]);
    if role == Role::Main {
        let own = |name: &str| {
            name.starts_with("app.kubernetes.io/")
                || name.starts_with("apps.kubernetes.io/")
                || name == "checksum/config"
                || name == "statefulset.kubernetes.io/pod-name"
        };
        process.labels = map(&line["labels"]);
        process.labels.extend(map(&line["annotations"]));
        process.labels.retain(|name, _| !own(name));
    }
}
