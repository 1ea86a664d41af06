//! What is mounted in one container: one thing at a path, and nothing below a file.

use std::collections::HashMap;

use camino::Utf8Path;

use super::{Container, Each, Volume, config_path};
use crate::blueprint::Delivery;
use crate::problem::{Problem, Problems, Span};

/// Checks the volumes and files of a container against each other. That no two volumes and no two
/// files have the same path is checked where they are read and delivered.
pub(super) fn check(container: &Container, volumes: &[Volume], problems: &mut Problems) {
    let files = files(container);
    let places: HashMap<&str, Span> = files.iter().map(|(p, s)| (p.as_str(), *s)).collect();
    for volume in volumes {
        if let Some(file) = places.get(volume.path.as_str()) {
            let message = format!("a file and a volume are mounted at {}", volume.path);
            problems.add(
                Problem::error("volume-clash", message)
                    .at(*file)
                    .label("expected another path")
                    .related(volume.span, "the volume"),
            );
        }
    }
    let all = volumes.iter().map(|v| (v.path.as_str(), v.span));
    for (path, span) in all.chain(files.iter().map(|(p, s)| (p.as_str(), *s))) {
        let above = Utf8Path::new(path).ancestors().skip(1);
        for above in above.map(Utf8Path::as_str) {
            if let Some(file) = places.get(above) {
                let message = format!("{path} can't be mounted: {above} is a file");
                problems.add(
                    Problem::error("volume-clash", message)
                        .at(span)
                        .label("expected a path that is not below a file")
                        .related(*file, "the file"),
                );
            }
        }
    }
}

/// The paths of all that is mounted as a file, and where they stand.
fn files(container: &Container) -> Vec<(String, Span)> {
    let Container {
        image,
        config,
        files,
        secrets,
        ..
    } = container;
    let there = files
        .iter()
        .filter(|f| !matches!(f.content, Each::Same(None)));
    let written = config.iter().filter(|c| c.delivery == Delivery::Files);
    there
        .map(|f| (f.path.clone(), f.span))
        .chain(secrets.iter().map(|s| (s.path.clone(), s.span)))
        .chain(written.map(|c| (config_path(image, &c.name), c.span)))
        .collect()
}
