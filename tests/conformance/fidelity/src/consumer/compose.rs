//! Docker Compose: its own loader, and what it hands to the engine.

use serde_json::Value;

use super::{Consumer, Processes, Role, map, nothing, nothing_asked, numbered, text, texts};
use crate::batch::{Place, Shape};

pub const COMPOSE: Consumer = Consumer {
    shape: Shape {
        target: "compose",
        settings: &[""],
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
    ending: "compose.yaml",
    more: nothing,
    asked: nothing_asked,
    own: |_| false,
    read,
    run: Some(crate::engine::compose),
};

pub fn read(line: &Value, processes: &mut Processes) {
    let name = text(&line["service"]);
    if name.ends_with("-network") || name.ends_with("-volumes") {
        return;
    }
    let (replica, role) = match name.strip_suffix("-side") {
        Some(replica) => (replica, Role::Sidecar),
        None => (name.as_str(), Role::Main),
    };
    let (unit, index) = numbered(replica);
    let process = processes.entry((unit, index, role)).or_default();
    process.variables = map(&line["environment"]);
    process.words = texts(&line["entrypoint"]);
    process.words.extend(texts(&line["command"]));
    process.labels = map(&line["labels"]);
    process.labels.remove("flokkr.files");
    process.files = map(&line["files"]);
    process.check = texts(&line["health"]);
    // The first says that no shell stands between.
    if process.check.first().is_some_and(|word| word == "CMD") {
        process.check.remove(0);
    }
}
