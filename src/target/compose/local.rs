//! A project on this machine: Docker Compose's commands and what they answer (2.20 to 2.40).

use std::sync::Arc;

use camino::Utf8Path;
use serde_json::Value as Json;

use super::lower::{emitted_names, lower};
use super::settings::Settings;
use crate::plan::{self, Plan, Probe};
use crate::target::image;
use crate::target::{Account, Built, Layout, Phase, Published, Reach, Runner, State, Tool};

/// Docker Engine with its Compose.
pub(super) struct Engine;

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

impl Runner for Engine {
    fn tools(&self) -> Vec<Tool> {
        vec![
            Tool {
                name: "Docker Engine",
                version: words(&["docker", "version", "--format", "{{.Server.Version}}"]),
                oldest: (20, 10, 0),
                get: "install it: https://docs.docker.com/engine/install/",
                mend: "is it running, and may you use it? (`docker version`)",
            },
            Tool {
                name: "Docker Compose",
                version: words(&["docker", "compose", "version", "--short"]),
                oldest: (2, 23, 1),
                get: "install the plugin: https://docs.docker.com/compose/install/linux/",
                mend: "install the plugin: https://docs.docker.com/compose/install/linux/",
            },
        ]
    }

    fn start(&self, project: &str, file: &Utf8Path, directory: &Utf8Path) -> Vec<String> {
        words(&[
            "docker",
            "compose",
            "--ansi=never",
            "--progress=plain",
            "--project-directory",
            directory.as_str(),
            "--project-name",
            project,
            "--file",
            file.as_str(),
            "up",
            "--detach",
            "--no-build",
            "--remove-orphans",
        ])
    }

    fn end(&self, project: &str, volumes: bool) -> Vec<String> {
        let mut line = words(&[
            "docker",
            "compose",
            "--project-name",
            project,
            "down",
            "--remove-orphans",
        ]);
        line.extend(volumes.then(|| "--volumes".to_owned()));
        line
    }

    fn services(&self, project: &str, file: &Utf8Path) -> Vec<String> {
        words(&[
            "docker",
            "compose",
            "--project-name",
            project,
            "--file",
            file.as_str(),
            "config",
            "--services",
        ])
    }

    fn list(&self, project: &str) -> Vec<String> {
        words(&[
            "docker",
            "compose",
            "--project-name",
            project,
            "ps",
            "--all",
            "--format",
            "json",
        ])
    }

    /// An object a line, and before 2.21 one list.
    fn read_list(&self, text: &str) -> Result<Vec<State>, String> {
        let mut states = Vec::new();
        for line in text.lines().filter(|line| !line.trim().is_empty()) {
            let read: Json = serde_json::from_str(line)
                .map_err(|e| format!("`docker compose ps` answered `{line}`: {e}"))?;
            match read {
                Json::Array(list) => states.extend(list.iter().map(state)),
                one => states.push(state(&one)),
            }
        }
        Ok(states)
    }

    fn log(&self, container: &str) -> Vec<String> {
        words(&["docker", "logs", "--tail", "15", container])
    }

    fn has_image(&self, image: &str) -> Vec<String> {
        words(&["docker", "image", "inspect", "--format", "{{.Id}}", image])
    }

    fn pull(&self, image: &str) -> Vec<String> {
        words(&["docker", "pull", image])
    }

    fn build(&self, image: &str, context: &Utf8Path) -> Vec<String> {
        words(&["docker", "build", "--tag", image, context.as_str()])
    }

    fn execute(&self, project: &str, service: &str, line: &[String]) -> Vec<String> {
        let mut all = words(&["docker", "compose", "-p", project, "exec", service]);
        all.extend_from_slice(line);
        all
    }
}

fn state(one: &Json) -> State {
    let text = |key: &str| one.get(key).and_then(Json::as_str).unwrap_or_default();
    let code = one.get("ExitCode").and_then(Json::as_i64).unwrap_or(0);
    let phase = match (text("State"), text("Health")) {
        ("created", _) => Phase::Waiting,
        ("running", "healthy") => Phase::Healthy,
        ("running", "starting") => Phase::Starting,
        ("running", "unhealthy") => Phase::Unhealthy,
        ("running", _) => Phase::Running,
        ("restarting", _) => Phase::Restarting,
        ("exited" | "dead", _) => Phase::Ended(code),
        _ => Phase::Other,
    };
    let publishers = one.get("Publishers").and_then(Json::as_array);
    let ports = publishers.into_iter().flatten().filter_map(|publisher| {
        let number = publisher.get("PublishedPort")?.as_u64()?;
        u16::try_from(number).ok().filter(|number| *number > 0)
    });
    let mut ports: Vec<u16> = ports.collect();
    ports.sort_unstable();
    ports.dedup();
    State {
        service: text("Service").to_owned(),
        container: text("Name").to_owned(),
        phase,
        ports,
    }
}

/// Names of ports that a browser can look at.
const WEB: [&str; 5] = ["http", "web", "ui", "webui", "console"];

/// What a person on this machine can reach.
pub(super) fn reach(plan: &Plan, settings: &Settings, account: &mut Account) -> Reach {
    let project = lower(plan, settings, Layout::Started, account);
    let mut reach = Reach::default();
    let built: Vec<_> = image::built(plan).collect();
    for one in &built {
        let archive = one.build.as_ref().and_then(|build| build.archive.as_ref());
        reach.built.push(Built {
            image: one.reference.clone(),
            folder: image::folder(one).to_owned(),
            archive: archive.and_then(|archive| archive.path.clone()),
        });
    }
    for (name, service) in &project.services {
        let is_built = built.iter().any(|one| one.reference == service.image);
        if !is_built && !reach.pulled.contains(&service.image) {
            reach.pulled.push(service.image.clone());
        }
        for port in &service.ports {
            let Some((number, declared)) =
                port.published
                    .parse()
                    .ok()
                    .zip(declared(plan, &project, name, port.target))
            else {
                continue;
            };
            reach.ports.push(Published {
                service: name.clone(),
                name: declared.0.to_string(),
                host: port.host_ip.clone(),
                number,
                web: declared.1,
            });
        }
    }
    for one in &plan.tries {
        let Some(service) = plan.services.get(one.service) else {
            continue;
        };
        let words = one.words.words.iter().filter_map(|slot| slot.value(0));
        let words = words.filter_map(|value| value.plain());
        let words = words.map(str::to_owned).collect();
        let names = emitted_names(service).into_iter().next();
        let name = names.unwrap_or_else(|| service.name.to_string());
        reach.tries.push((name, words, one.about.clone()));
    }
    reach
}

/// The port of the blueprint that a container's is, and whether it is a web page.
fn declared(
    plan: &Plan,
    project: &super::model::Project,
    container: &str,
    number: u16,
) -> Option<(Arc<str>, bool)> {
    let owner = |service: &&plan::Service| {
        let names = project.owners.get(&*service.name);
        let held = container.strip_suffix("-network").unwrap_or(container);
        emitted_names(service).iter().any(|name| name == held)
            || names.is_some_and(|names| names.iter().any(|name| name == container))
    };
    let service = plan.services.iter().find(owner)?;
    let port = service.ports.iter().find(|port| port.number == number)?;
    let checks = service.main.health.iter().flat_map(|health| {
        [&health.start, &health.ready, &health.alive]
            .into_iter()
            .flatten()
    });
    let asked = checks
        .into_iter()
        .any(|check| matches!(&check.probe, Probe::Http(name, ..) if *name == port.name));
    Some((Arc::clone(&port.name), asked || WEB.contains(&&*port.name)))
}
