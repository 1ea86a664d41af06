//! Dockerfiles: `BuildKit`'s own frontend.

use serde_json::Value;

use super::{Consumer, Processes, Role, map, nothing, nothing_asked, text, texts};
use crate::batch::{Place, Shape};

pub const DOCKER: Consumer = Consumer {
    shape: Shape {
        target: "docker",
        settings: &[""],
        places: &[
            Place::Variable,
            Place::Word,
            Place::Entry,
            Place::Label,
            Place::Check,
        ],
        builds: true,
    },
    ending: "Dockerfile",
    more: nothing,
    asked: nothing_asked,
    own: |_| false,
    read,
    run: Some(crate::engine::dockerfiles),
};

fn read(line: &Value, processes: &mut Processes) {
    let file = text(&line["file"]);
    let unit = file.rsplit('/').nth(1).unwrap_or_default().to_owned();
    let process = processes.entry((unit, 0, Role::Main)).or_default();
    process.variables = map(&line["environment"]);
    process.words = texts(&line["entrypoint"]);
    process.words.extend(texts(&line["command"]));
    process.labels = map(&line["labels"]);
    let own = |name: &str| {
        matches!(
            name,
            "org.opencontainers.image.title"
                | "org.opencontainers.image.version"
                | "org.opencontainers.image.base.name"
        )
    };
    process.labels.retain(|name, _| !own(name));
    process.check = texts(&line["health"]["test"]);
    if process.check.first().is_some_and(|word| word == "CMD") {
        process.check.remove(0);
    }
}
