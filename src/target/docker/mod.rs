//! Docker images: a Dockerfile with its build context for each image that the blueprint builds
//! (checked with the builders of Docker Engine 20.10, and with hadolint 2.15.1).
//!
//! `IMAGE/Dockerfile` and `IMAGE/.dockerignore` for each, and `docker-bake.json` for all together.
//! Services matter only as far as an image says something of them: ports and a check.
//! `docs/targets/docker.md` says what becomes of each field of the blueprint.

mod addressing;
mod archive;
mod bake;
mod check;
mod health;
mod labels;
mod launcher;
mod lower;
mod packages;
mod settings;
mod user;

use camino::Utf8PathBuf;

use crate::blueprint::{Definitions, Map, Read, Reader, Text};
use crate::emit::dockerfile;
use crate::file::File;
use crate::plan::{Addressing, Plan};
use crate::target::{Account, Configured, Request, Target, image};
use crate::yaml::Node;

use settings::Settings;

/// The target.
pub struct Docker;

impl Target for Docker {
    fn name(&self) -> &'static str {
        "docker"
    }

    fn aliases(&self) -> &'static [&'static str] {
        &["dockerfile"]
    }

    fn title(&self) -> &'static str {
        "Docker"
    }

    fn summary(&self) -> &'static str {
        "Dockerfiles of the images that have `build`, and a bake file"
    }

    fn losses(&self) -> &'static [&'static str] {
        &[]
    }

    fn concerns(&self, field: &str) -> bool {
        field == "build"
    }

    fn builds(&self) -> bool {
        true
    }

    fn nothing(&self) -> &'static str {
        "no image has `build`"
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
        Some(Box::new(Building {
            settings,
            accepted: Map::default(),
        }))
    }

    fn schema(&self, definitions: &mut Definitions) -> serde_json::Value {
        Settings::schema(definitions)
    }
}

/// The target with its settings. It leaves nothing out, so no loss can be accepted.
struct Building {
    settings: Settings,
    accepted: Map<Text>,
}

impl Configured for Building {
    fn addressing(&self) -> &dyn Addressing {
        &addressing::Nowhere
    }

    fn accepted(&self) -> &Map<Text> {
        &self.accepted
    }

    fn lower(&self, plan: &Plan, _: &Request<'_>, account: &mut Account) -> Vec<File> {
        let mut files = Vec::new();
        for built in image::built(plan) {
            let Some(context) = lower::image(built, plan, account) else {
                continue;
            };
            let folder = Utf8PathBuf::from(image::folder(built));
            if built.launches() {
                account.programs.push(folder.join(launcher::PROGRAM));
            }
            files.push(File {
                path: folder.join(image::FILE),
                text: dockerfile::document(&context.instructions),
            });
            files.push(File {
                path: folder.join(".dockerignore"),
                text: context.ignored,
            });
        }
        if !files.is_empty() {
            files.push(bake::file(plan, &self.settings));
        }
        files
    }
}
