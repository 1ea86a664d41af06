//! What a container is given: variables and files, each by the simplest thing that carries it.

use std::sync::Arc;

use super::addressing::pod_name;
use super::carrier::{References, is_unsafe};
use super::files::MAX_MAP;
use super::model::{EnvValue, EnvVar, Mount};
use super::pod::Draft;
use super::settings::Version;
use super::share::ConfigVariable;
use crate::blueprint::Mode;
use crate::plan::shell::disturbs_bash;
use crate::plan::{Container, Each, FileOfAll, Value, VariableOfAll};
use crate::problem::{Problem, Span};

/// The environment of a container.
#[derive(Default)]
pub(super) struct Environment {
    /// For ConfigMaps.
    pub(super) config: Vec<ConfigVariable>,
    /// Written into the container.
    pub(super) env: Vec<EnvVar>,
    /// What one template can't give to each replica.
    pub(super) rest: Vec<VariableOfAll>,
    /// Of the others those that a script before the command must be without.
    pub(super) disturbing: Vec<VariableOfAll>,
}

impl Environment {
    /// Keeps a variable that a script may have to be without.
    fn beside(&mut self, variable: VariableOfAll) {
        if disturbs_bash(&variable.name) {
            self.disturbing.push(variable);
        }
    }

    /// Takes out what a script before the command must be without.
    pub(super) fn without_disturbing(&mut self) -> Vec<VariableOfAll> {
        self.config.retain(|v| !disturbs_bash(&v.name));
        self.env.retain(|v| !disturbs_bash(&v.name));
        std::mem::take(&mut self.disturbing)
    }
}

/// A variable of a ConfigMap, written into a container.
pub(super) fn direct(variable: &ConfigVariable) -> EnvVar {
    EnvVar {
        name: variable.name.to_string(),
        value: EnvValue::Text(variable.value.replace('$', "$$")),
    }
}

impl Draft<'_, '_> {
    /// Sorts the variables by what carries them.
    pub(super) fn environment(
        &mut self,
        container: &Container,
        variables: Vec<VariableOfAll>,
        references: &mut References,
    ) -> Environment {
        let mut environment = Environment::default();
        for variable in variables {
            self.name(&variable.name, variable.span);
            for value in variable.value.all().iter().flatten() {
                self.safe(value.raw(), variable.span);
            }
            // The service's own variables are few, and better read beside the command.
            let own = container.env.iter().any(|e| e.name == variable.name);
            if !own
                && is_key(&variable.name)
                && let Each::Same(Some(value)) = &variable.value
                && let Some(text) = value.plain()
            {
                environment.config.push(ConfigVariable {
                    name: Arc::clone(&variable.name),
                    value: text.to_owned(),
                    group: variable.group.clone(),
                });
                environment.beside(variable);
                continue;
            }
            let lowering = &*self.lowering;
            let secret = |name: &str| lowering.secret(name);
            match self.carrier.env(&variable.value, &secret, references) {
                Some(value) => {
                    environment.env.push(EnvVar {
                        name: variable.name.to_string(),
                        value,
                    });
                    environment.beside(variable);
                }
                None => environment.rest.push(variable),
            }
        }
        environment
    }

    /// A variable's name: strict up to 1.31, then any printable ASCII but `=`.
    fn name(&mut self, name: &str, span: Span) {
        let strict = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
        let digit = name.starts_with(|c: char| c.is_ascii_digit());
        if name.chars().all(strict) && !digit && !name.starts_with("..") && name != "." {
            return;
        }
        let shown = name.escape_debug();
        let relaxed = name.chars().all(|c| (' '..='~').contains(&c) && c != '=');
        let problem = if !relaxed {
            Problem::error(
                "unsupported",
                format!("Kubernetes takes no variable `{shown}`"),
            )
            .at(span)
            .label("expected a name of printable ASCII without `=`")
        } else if self.lowering.settings.version() < Version::RELAXED_NAMES {
            Problem::error(
                "unsupported",
                format!("Kubernetes takes a variable `{shown}` from 1.32 on"),
            )
            .at(span)
            .label("expected letters, digits, `-`, `_` and `.`, no digit first")
            .help("say targets: { kubernetes: { version: \"1.32\" } } if that is what runs, or deliver it as a file: `delivery: files`")
        } else {
            return;
        };
        self.lowering.account.refused("env", span, problem);
    }

    /// Refuses a text with characters that the API server does not keep.
    pub(super) fn safe(&mut self, text: &str, span: Span) {
        let Some(c) = text.chars().find(|c| is_unsafe(*c)) else {
            return;
        };
        self.lowering.account.refused(
            "env",
            span,
            Problem::error("corrupted", "this text would not arrive as it is written")
                .at(span)
                .label(format!(
                    "Kubernetes refuses or changes the character U+{:04X}",
                    u32::from(c)
                ))
                .help("deliver it as a file: `delivery: files`, or `files`"),
        );
    }

    /// A file: one for all replicas, or one for each.
    pub(super) fn file(&mut self, file: &FileOfAll, references: &mut References) -> Option<Mount> {
        let FileOfAll {
            path,
            content,
            mode,
            span,
        } = file;
        if content.all().iter().flatten().any(Value::has_secret) {
            self.lowering.account.refused(
                "files",
                *span,
                Problem::error("unsupported", "Kubernetes can't write a secret into a file")
                    .at(*span)
                    .label("a ConfigMap holds its text, and flokkr reads no secret")
                    .help("mount the secret as a file of its own (`secrets`), or put it into a variable under `env`"),
            );
            return None;
        }
        match content {
            Each::Same(text) => self.mount_text(path, text.as_ref()?.raw(), *mode, *span),
            Each::Replica(texts) => {
                let whole: Option<Vec<&str>> =
                    texts.iter().map(|t| Some(t.as_ref()?.raw())).collect();
                let Some(whole) = whole else {
                    self.unsupported(
                        "files",
                        *span,
                        "a file that only some replicas have",
                        "give every replica one, empty where it is not needed",
                    );
                    return None;
                };
                let first = self.lowering.settings.first(&self.service.name);
                let name = &self.service.name;
                let pods = (0..).map(|i| pod_name(name, first, i));
                let variable = self.carrier.name_variable(references);
                Some(
                    self.files
                        .mount_each(path, pods.zip(whole), *mode, variable),
                )
            }
        }
    }

    /// Mounts a text that all replicas have, if a ConfigMap holds it.
    pub(super) fn mount_text(
        &mut self,
        path: &str,
        text: &str,
        mode: Mode,
        span: Span,
    ) -> Option<Mount> {
        let size = text.len();
        if size > MAX_MAP {
            let what = format!("the file {path} has {size} bytes");
            self.too_large(what, span);
            return None;
        }
        Some(self.files.mount(path, text, mode))
    }

    /// Refuses files that no ConfigMap holds.
    pub(super) fn too_large(&mut self, what: String, span: Span) {
        self.lowering.account.refused(
            "files",
            span,
            Problem::error("too-large", what)
                .at(span)
                .label(format!("Kubernetes takes {MAX_MAP} bytes in one ConfigMap"))
                .help("put it into the image, or have a step fetch it into a volume"),
        );
    }

    /// Refuses what one pod template can't say.
    pub(super) fn unsupported(&mut self, field: &'static str, span: Span, what: &str, help: &str) {
        self.lowering.account.refused(
            field,
            span,
            Problem::error("unsupported", format!("Kubernetes can't carry {what}"))
                .at(span)
                .label("one pod template stands for all replicas")
                .help(help),
        );
    }
}

/// A key of a ConfigMap that is a variable's name in every version.
fn is_key(name: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
    !name.is_empty()
        && name.len() <= 253
        && name.chars().all(allowed)
        && !name.starts_with(|c: char| c.is_ascii_digit())
        && name != "."
        && !name.starts_with("..")
}
