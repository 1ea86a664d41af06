//! Mounted files: inline configs, written once when several containers have the same.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::lower::{Lowering, Place};
use super::model::{Mount, Service};
use super::settings::Version;
use crate::blueprint::Mode;
use crate::plan::{self, Value};
use crate::problem::Problem;

/// A checksum of a container's mounted files: Compose does not recreate a container when the
/// content of an inline config changes, but it does when a label changes.
const FILES_LABEL: &str = "flokkr.files";

impl Lowering<'_> {
    /// Files as inline configs, and their checksum as a label.
    pub(super) fn mounts(
        &mut self,
        files: &[plan::Mounted],
        container: &str,
        place: Place<'_>,
        emitted: &mut Service,
    ) {
        if files.is_empty() {
            return;
        }
        let mut hash = Sha256::new();
        for file in files {
            if self.settings.version() < Version::CONTENT {
                let problem = Problem::error(
                    "unsupported",
                    format!("the file {} needs Docker Compose 2.23.1", file.path),
                )
                .at(file.span)
                .label("older ones take no file that stands in the Compose file")
                .help("say targets: { compose: { version: \"2.23.1\" } } if that is what runs, or deliver config by environment: `delivery: env`");
                self.account.refused("files", file.span, problem);
                continue;
            }
            self.readable(&file.content, file.span);
            if !matches!(file.mode, Mode(0o644 | 0o444)) {
                let what = "a file's permissions (`mode`) are 0444";
                self.account.lost("files.mode", file.span, what);
            }
            hash.update(file.path.as_bytes());
            hash.update([0]);
            hash.update(file.content.raw().as_bytes());
            hash.update([0]);
            let source = self.config(file, container, place);
            emitted.configs.push(Mount {
                source,
                target: file.path.clone(),
            });
        }
        let mut text = String::from("sha256:");
        for byte in hash.finalize().iter().take(16) {
            let _ = write!(text, "{byte:02x}");
        }
        emitted
            .labels
            .push((FILES_LABEL.to_owned(), Value::new(text)));
    }

    /// The inline config with this content, made when it is new.
    fn config(&mut self, file: &plan::Mounted, container: &str, place: Place<'_>) -> String {
        if let Some(name) = self.configs.get(&file.content) {
            return name.clone();
        }
        let base: String = file
            .path
            .rsplit('/')
            .next()
            .unwrap_or("file")
            .chars()
            .map(|c| {
                if c.is_ascii_alphanumeric() || c == '_' {
                    c
                } else {
                    '-'
                }
            })
            .collect();
        let Place { service, main, .. } = place;
        let name = &service.name;
        // A step has the files of its service, beside its script; a sidecar has its own.
        let is_sidecar = service
            .sidecars
            .iter()
            .any(|s| *s.container.name == *container);
        let candidates = if is_sidecar {
            vec![
                format!("{name}-{container}-{base}"),
                format!("{main}-{container}-{base}"),
            ]
        } else {
            vec![format!("{name}-{base}"), format!("{main}-{base}")]
        };
        let free = |name: &String| !self.project.configs.contains_key(name);
        let mut numbered = (2..).map(|n| format!("{main}-{container}-{base}-{n}"));
        let name = candidates.into_iter().find(free);
        let name = name.or_else(|| numbered.find(free)).unwrap_or_default();
        self.project
            .configs
            .insert(name.clone(), file.content.clone());
        self.configs.insert(file.content.clone(), name.clone());
        name
    }
}
