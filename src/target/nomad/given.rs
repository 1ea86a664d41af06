//! What a container is given besides its words: environment variables, files and secrets.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use super::lower::{Lowering, Place};
use super::model::{Env, Mount, Task, Template};
use super::replica::{self, Carrier, Covered};
use super::settings::Settings;
use super::template::{self, Data};
use super::text::is_normal;
use crate::blueprint::{Delivery, User};
use crate::emit::hcl::Piece;
use crate::plan::{self, Across, Container, Each, Slot, Value, VariableOfAll};
use crate::problem::{Problem, Span};

impl Lowering<'_> {
    /// Environment and files.
    pub(super) fn given(&mut self, container: &Container, place: Place<'_>, task: &mut Task) {
        let container = &*delivered(self.settings, container);
        let replicas = place.service.replicas;
        let problems = &mut self.account.problems;
        let Across { env, files } = self.deliverer.across(container, replicas, problems);
        self.environment(env, place, task);
        for file in files {
            let Some(content) = present(&file.content, place.covered) else {
                continue;
            };
            let secret = content.all().iter().any(Value::has_secret);
            let is_config = container.config.iter().any(|c| c.span == file.span);
            let in_store = self.settings.is_kv() && is_config && !secret;
            let data = if in_store {
                self.in_store(&file.path, &content, &container.name)
            } else {
                template::file(&content, place.covered, &self.secrets)
            };
            task.vault |= secret && self.settings.is_vault();
            let mode = file.mode.0;
            let file = Mounted {
                path: &file.path,
                mode: (mode != 0o644).then_some(mode),
                owner: container.user.or(container.image.user),
                secret,
                stored: secret || in_store,
                span: file.span,
            };
            self.mounted(data, &file, task);
        }
    }

    /// A file whose text is in Consul's KV store, under the job's name; where a sidecar has a file
    /// of that path as well, with another text, under its own.
    fn in_store(&mut self, path: &str, content: &Each<Value>, container: &str) -> Data {
        let base = path.trim_start_matches('/');
        let job = self.job.strip_prefix(&self.plan.name).unwrap_or_default();
        let plain = format!("{}/{}", self.plan.name, job.trim_start_matches('-'));
        let own = format!("{plain}/{container}");
        let keys = |folder: &str| -> Vec<(String, String)> {
            match content {
                Each::Same(value) => vec![(format!("{folder}/{base}"), value.raw().to_owned())],
                Each::Replica(values) => (0u32..)
                    .zip(values)
                    .map(|(i, value)| (format!("{folder}-{i}/{base}"), value.raw().to_owned()))
                    .collect(),
            }
        };
        let taken =
            |(key, text): &(String, String)| self.kv.iter().any(|(k, t)| k == key && t != text);
        let folder = if keys(&plain).iter().any(taken) {
            own
        } else {
            plain
        };
        for pair in keys(&folder) {
            if !self.kv.contains(&pair) {
                self.kv.push(pair);
            }
        }
        match content {
            Each::Same(_) => template::kv(&format!("{folder}/{base}")),
            Each::Replica(_) => template::kv_of_replica(&folder, base),
        }
    }

    fn environment(&mut self, variables: Vec<VariableOfAll>, place: Place<'_>, task: &mut Task) {
        let mut rendered: Vec<(Arc<str>, Slot)> = Vec::new();
        let mut secret = false;
        for variable in variables {
            let VariableOfAll {
                name,
                value,
                group,
                span,
            } = variable;
            match replica::variable(&name, &value, place.covered) {
                Some(Carrier::Absent) | None => {}
                Some(Carrier::Env(text)) => {
                    if !self.variable_name(&name, span) {
                        continue;
                    }
                    let value = self.spelled(text, "env", span);
                    task.env.push(Env { name, value, group });
                }
                Some(Carrier::Template) if template::is_name(&name) => {
                    if !self.variable_name(&name, span) {
                        continue;
                    }
                    let Some(value) = place.covered.pick(&value) else {
                        continue;
                    };
                    secret |= value.all().iter().flatten().any(Value::has_secret);
                    rendered.push((name, value));
                }
                Some(Carrier::Template) => {
                    self.account.refused(
                        "env",
                        span,
                        Problem::error(
                            "unsupported",
                            format!("Nomad can't fill a secret into the variable `{name}`"),
                        )
                        .at(span)
                        .label(
                            "a template gives variables of letters, digits, `_`, `.` and `/` only",
                        )
                        .help("deliver it as a file: `delivery: files`, or `files`"),
                    );
                }
            }
        }
        if rendered.is_empty() {
            return;
        }
        task.vault |= secret && self.settings.is_vault();
        let Data { text, delimiters } =
            template::variables(&rendered, place.covered, &self.secrets);
        let folder = if secret { "secrets" } else { "local" };
        task.templates.push(Template {
            destination: format!("{folder}/variables.env"),
            data: text,
            delimiters,
            env: true,
            perms: None,
            owner: None,
            // Without a restart Nomad would not take it for the next start either.
            noop: false,
        });
    }

    /// Can Nomad carry a variable of this name?
    fn variable_name(&mut self, name: &str, span: Span) -> bool {
        let (label, help) = if is_referred_to(name) {
            ("other texts of the job refer to it", "use another name")
        } else if is_cleaned(name) {
            (
                "Nomad makes an underscore of characters in it",
                "use letters, digits, `_` and `.` in such a name",
            )
        } else if !is_normal(name) {
            (
                "Nomad's parser normalises every text (NFC), also names",
                "use another name, or deliver it as a file",
            )
        } else {
            return true;
        };
        self.account.refused(
            "env",
            span,
            Problem::error(
                "unsupported",
                format!("Nomad can't set the variable `{name}`"),
            )
            .at(span)
            .label(label)
            .help(help),
        );
        false
    }

    /// A file of the task's folder, mounted where the container looks for it.
    pub(super) fn mounted(&mut self, data: Data, file: &Mounted<'_>, task: &mut Task) {
        let Mounted {
            path,
            mode,
            owner,
            secret,
            stored,
            span,
        } = *file;
        let folder = if secret { "secrets" } else { "local" };
        let base = file_name(path);
        let mut destination = format!("{folder}/{base}");
        let taken: HashSet<&str> = task.templates.iter().map(|t| &*t.destination).collect();
        let mut number = 2;
        while taken.contains(destination.as_str()) {
            destination = format!("{folder}/{number}-{base}");
            number += 1;
        }
        let target = self.option(path, "files", span);
        task.config.mounts.push(Mount {
            kind: "bind",
            source: Some(vec![Piece::Text(destination.clone())]),
            target,
            readonly: true,
            size: None,
            driver: None,
        });
        task.templates.push(Template {
            destination,
            data: data.text,
            delimiters: data.delimiters,
            env: false,
            perms: mode.map(|m| format!("{m:04o}")),
            // A file that others may not read belongs to whoever reads it.
            owner: owner.filter(|_| mode.is_some_and(|m| m & 0o004 == 0)),
            noop: stored && self.settings.is_noop(),
        });
    }

    /// A secret as a file.
    pub(super) fn secret(
        &mut self,
        mount: &plan::SecretMount,
        container: &Container,
        task: &mut Task,
    ) {
        let data = template::secret(&mount.secret, &self.secrets);
        task.vault |= self.settings.is_vault();
        let file = Mounted {
            path: &mount.path,
            mode: mount.mode.map(|m| m.0),
            owner: container.user.or(container.image.user),
            secret: true,
            stored: true,
            span: mount.span,
        };
        self.mounted(data, &file, task);
    }
}

/// Variables that flokkr's own texts refer to.
fn is_referred_to(name: &str) -> bool {
    matches!(name, "NOMAD_ALLOC_ID" | "NOMAD_ALLOC_INDEX") || name.starts_with("NOMAD_META_")
}

/// Would Nomad give the variable another name? (`buildEnv` in `client/taskenv`, 1.11.3)
fn is_cleaned(name: &str) -> bool {
    let kept = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.');
    ["ADDR_", "IP_", "PORT_", "HOST_PORT_", "META_"]
        .iter()
        .any(|prefix| {
            let rest = name.strip_prefix("NOMAD_");
            rest.is_some_and(|rest| rest.starts_with(prefix))
        })
        && !name.chars().all(kept)
}

/// A container as it is given its config: with a store, all of it as files.
pub(super) fn delivered<'c>(settings: &Settings, container: &'c Container) -> Cow<'c, Container> {
    if !settings.is_kv() {
        return Cow::Borrowed(container);
    }
    let mut container = container.clone();
    for file in &mut container.config {
        file.delivery = Delivery::Files;
    }
    Cow::Owned(container)
}

/// A file in a container.
#[derive(Clone, Copy)]
pub(super) struct Mounted<'a> {
    pub(super) path: &'a str,
    /// Its permissions, unless they are the usual ones.
    pub(super) mode: Option<u32>,
    /// Whom the process belongs to.
    pub(super) owner: Option<User>,
    /// A secret is in it.
    pub(super) secret: bool,
    /// Its text is read from a store, where it may change.
    pub(super) stored: bool,
    pub(super) span: Span,
}

/// What some of the replicas at hand have; that all have it was asked before.
fn present(content: &Slot, covered: Covered) -> Option<Each<Value>> {
    let values = match covered.pick(content)? {
        Each::Same(value) => return value.map(Each::Same),
        Each::Replica(values) => values,
    };
    Each::of(values.into_iter().collect::<Option<Vec<Value>>>()?)
}

/// The last name of a path, of characters that need no care.
fn file_name(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let name: String = name
        .chars()
        .map(|c| if plain(c) { c } else { '-' })
        .collect();
    if name.chars().all(|c| c == '.') {
        "file".to_owned()
    } else {
        name
    }
}
