//! Main processes and sidecars as tasks, and what every container has in common: its image and
//! words, its environment, its files.

use std::collections::HashSet;
use std::sync::Arc;

use super::lower::{Lowering, Place, megabytes};
use super::model::{Config, Env, Group, Mount, Resources, Task, Template, Text};
use super::replica::{self, Carrier, Covered, is_identifier, option_lists, option_text};
use super::settings::Discovery;
use super::template::{self, Data};
use super::text::is_normal;
use crate::blueprint::{Delivery, User};
use crate::emit::hcl::{Expr, Piece};
use crate::plan::{self, Across, Container, Each, Slot, Value, VariableOfAll};
use crate::problem::{Problem, Span};

/// The folder in a container in which scripts of steps are mounted.
const OWN: &str = "/flokkr/";

impl Lowering<'_> {
    pub(super) fn main(
        &mut self,
        place: Place<'_>,
        name: String,
        network: Option<&str>,
        group: &mut Group,
    ) -> Task {
        let service = place.service;
        let mut task = self.container(&service.main, place, true);
        task.name = name;
        self.checked(&service.main, &service.name, &mut task, place, group);
        match (self.settings.discovery(), network) {
            (Discovery::DockerNetwork, Some(holder)) => {
                task.config.network_mode = Some(of_task(holder));
            }
            (Discovery::DockerNetwork, None) => {
                self.named(place, &mut task.config);
            }
            _ => self.reaching(&mut task.config),
        }
        for (key, value) in &service.labels {
            let Some(value) = place.covered.pick(value) else {
                continue;
            };
            // A replica without the label has an empty one only where others have one.
            let value = match value {
                Each::Same(None) => continue,
                Each::Same(Some(value)) => Each::Same(value),
                Each::Replica(values) => {
                    let empty = || Value::new("");
                    let values = values.into_iter().map(|v| v.unwrap_or_else(empty));
                    Each::Replica(values.collect())
                }
            };
            if value.all().iter().any(Value::has_secret) {
                self.no_secret(service.span, "a label");
                continue;
            }
            let key = self.option(key, "labels", service.span);
            let value = self.spelled(option_text(&value, place.covered), "labels", service.span);
            task.config.labels.push((flat(&key), value));
        }
        task
    }

    pub(super) fn sidecar(
        &mut self,
        place: Place<'_>,
        sidecar: &plan::Sidecar,
        name: String,
        (main, network): (&str, &str),
        group: &mut Group,
    ) -> Task {
        let plan::Sidecar {
            container,
            volumes,
            processes,
        } = sidecar;
        let mut task = self.container(container, place, *volumes);
        task.name = name;
        // After the main task, and ended after it.
        task.lifecycle = Some(("poststart", true));
        let own = format!("{}-{}", place.service.name, container.name);
        self.checked(container, &own, &mut task, place, group);
        if self.settings.discovery() == Discovery::DockerNetwork {
            task.config.network_mode = Some(of_task(network));
        } else {
            self.reaching(&mut task.config);
        }
        if *processes {
            task.config.pid_mode = Some(of_task(main));
        }
        task
    }

    /// What main processes, steps and sidecars have in common.
    pub(super) fn container(
        &mut self,
        container: &Container,
        place: Place<'_>,
        volumes: bool,
    ) -> Task {
        let Container {
            name: _,
            span,
            image,
            entrypoint,
            command,
            user,
            workdir,
            env: _,
            config: _,
            files: _,
            secrets,
            health: _,
            stop,
            resources,
        } = container;
        let mut task = Task {
            user: user.map(user_text),
            config: Config {
                image: self.option(&image.reference, "entrypoint", *span),
                work_dir: workdir.as_ref().map(|w| self.option(w, "workdir", *span)),
                ..Config::default()
            },
            resources: self.resources(*resources, *span),
            kill_timeout: stop.grace.map(|g| g.0),
            kill_signal: stop.signal.clone(),
            ..Task::default()
        };
        if let Some(before) = &stop.before {
            let what = "nothing runs before the signal (`stop.before`); sidecars get theirs when \
                        the main process has ended";
            self.account.lost("stop.before", before.span, what);
        }
        if let Some(entrypoint) = entrypoint {
            let words = self.words(container, entrypoint, place);
            task.config.entrypoint = Some(self.list(&words, place.covered, entrypoint.span));
        }
        if let Some(command) = command {
            let words = self.words(container, command, place);
            self.command(&words, place.covered, command.span, &mut task.config);
        }
        self.given(container, place, &mut task);
        for mount in secrets {
            self.secret(mount, container, &mut task);
        }
        if volumes {
            self.mounts(place, &mut task.config);
        }
        task
    }

    /// The words of a command for the replicas at hand.
    fn words(
        &mut self,
        container: &Container,
        words: &plan::Words,
        place: Place<'_>,
    ) -> Each<Vec<Value>> {
        let problems = &mut self.account.problems;
        let all = plan::words_of_all(container, words, place.service.replicas, problems);
        let words = place.covered.pick(&all).unwrap_or(all);
        if words.all().iter().flatten().any(Value::has_secret) {
            let span = container.command.as_ref().map_or(container.span, |c| c.span);
            self.no_secret(span, "a command");
            return Each::Same(Vec::new());
        }
        words
    }

    pub(super) fn no_secret(&mut self, span: Span, place: &str) {
        self.account.refused(
            "secrets",
            span,
            Problem::error("unsupported", format!("Nomad can't write a secret into {place}"))
                .at(span)
                .label("it fills them into files and variables only")
                .help("put it into a variable under `env`, or mount it as a file under `secrets`"),
        );
    }

    /// `command` and `args`: one word is what runs, the rest is what it is given.
    fn command(
        &mut self,
        words: &Each<Vec<Value>>,
        covered: Covered,
        span: Span,
        config: &mut Config,
    ) {
        // The driver refuses a command with blanks, and takes one without a `command` just as well.
        let simple = |word: &Value| {
            !word.raw().is_empty() && !word.raw().contains(char::is_whitespace)
        };
        if let Each::Same(words) = words
            && let [first, rest @ ..] = words.as_slice()
            && simple(first)
        {
            config.command = Some(self.option(first.raw(), "command", span));
            if !rest.is_empty() {
                let rest = Each::Same(rest.to_vec());
                config.args = Some(self.list(&rest, covered, span));
            }
            return;
        }
        if words.all().iter().any(|w| !w.is_empty()) {
            config.args = Some(self.list(words, covered, span));
        }
    }

    /// A list of texts in the driver's options.
    fn list(&mut self, lists: &Each<Vec<Value>>, covered: Covered, span: Span) -> Expr {
        let count = lists.all().first().map_or(0, Vec::len);
        if lists.all().iter().any(|l| l.len() != count) {
            let text = self.spelled(option_lists(lists.all()), "command", span);
            return Expr::Text(text);
        }
        let mut words = Vec::with_capacity(count);
        for at in 0..count {
            let each = lists.all().iter().map(|l| l.get(at).cloned());
            let Some(each) = each.collect::<Option<Vec<Value>>>().and_then(Each::of) else {
                continue;
            };
            let word = self.spelled(option_text(&each, covered), "command", span);
            words.push(Expr::Text(word));
        }
        Expr::List(words)
    }

    fn resources(&mut self, resources: plan::Resources, span: Span) -> Resources {
        let plan::Resources {
            cpu,
            memory,
            cpu_limit,
            memory_limit,
        } = resources;
        if cpu_limit.is_some() {
            let what = "a process may use every idle processor: only its share is kept for it";
            self.account.lost("resources", span, what);
        }
        if cpu.is_some() {
            let how = "a processor counts as the MHz of the setting `mhz`";
            self.account.emulated("resources", span, how);
        }
        let reserved = memory.or(memory_limit).map_or_else(|| self.settings.memory(), |m| m.0);
        let most = memory_limit.map(|m| m.0).filter(|m| *m > reserved);
        Resources {
            cpu: cpu.map_or(100, |c| u64::from(c.0) * self.settings.mhz() / 1000).max(1),
            memory: megabytes(reserved).max(10),
            memory_max: most.map(megabytes),
        }
    }

    /// Environment and files.
    fn given(&mut self, container: &Container, place: Place<'_>, task: &mut Task) {
        let stored;
        let container = if self.settings.is_kv() {
            stored = as_files(container);
            &stored
        } else {
            container
        };
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
            let data = if self.settings.is_kv() && is_config && !secret {
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
        let taken = |(key, text): &(String, String)| {
            self.kv.iter().any(|(k, t)| k == key && t != text)
        };
        let folder = if keys(&plain).iter().any(taken) { own } else { plain };
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
                Some(Carrier::Template) if is_identifier(&name) => {
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
                        Problem::error("unsupported", format!("Nomad can't fill a secret into the variable `{name}`"))
                            .at(span)
                            .label("a template gives variables of letters, digits and underscores only")
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
            noop: false,
        });
    }

    /// Can Nomad carry a variable of this name?
    fn variable_name(&mut self, name: &str, span: Span) -> bool {
        let (label, help) = if name.starts_with("NOMAD_") {
            ("Nomad keeps names that begin with NOMAD_ for its own", "use another name")
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
            Problem::error("unsupported", format!("Nomad can't set the variable `{name}`"))
                .at(span)
                .label(label)
                .help(help),
        );
        false
    }

    /// A file of the task's folder, mounted where the container looks for it.
    pub(super) fn mounted(
        &mut self,
        data: Data,
        file: &Mounted<'_>,
        task: &mut Task,
    ) {
        let Mounted {
            path,
            mode,
            owner,
            secret,
            span,
        } = *file;
        let folder = if secret { "secrets" } else { "local" };
        let base = file_name(path);
        let own = path.strip_prefix(OWN).is_some_and(|name| name == base) && !secret;
        let mut destination = if own {
            format!("{folder}/flokkr/{base}")
        } else {
            format!("{folder}/{base}")
        };
        let taken: HashSet<&str> = task.templates.iter().map(|t| &*t.destination).collect();
        let mut number = 2;
        while taken.contains(destination.as_str()) {
            destination = format!("{folder}/{number}-{base}");
            number += 1;
        }
        // Scripts are mounted by their folder: one mount for all of them.
        let (source, target) = if own {
            (format!("{folder}/flokkr"), OWN.trim_end_matches('/'))
        } else {
            (destination.clone(), path)
        };
        let source = Some(vec![Piece::Text(source)]);
        if !task.config.mounts.iter().any(|m| m.source == source) {
            let target = self.option(target, "files", span);
            task.config.mounts.push(Mount {
                kind: "bind",
                source,
                target,
                readonly: true,
                size: None,
                driver: None,
            });
        }
        task.templates.push(Template {
            destination,
            data: data.text,
            delimiters: data.delimiters,
            env: false,
            perms: mode.map(|m| format!("{m:04o}")),
            // A file that others may not read belongs to whoever reads it.
            owner: owner.filter(|_| mode.is_some_and(|m| m & 0o004 == 0)),
            noop: false,
        });
    }

    /// A secret as a file.
    fn secret(&mut self, mount: &plan::SecretMount, container: &Container, task: &mut Task) {
        let data = template::secret(&mount.secret, &self.secrets);
        task.vault |= self.settings.is_vault();
        let file = Mounted {
            path: &mount.path,
            mode: mount.mode.map(|m| m.0),
            owner: container.user.or(container.image.user),
            secret: true,
            span: mount.span,
        };
        self.mounted(data, &file, task);
    }
}

/// The same container with all its config as files.
fn as_files(container: &Container) -> Container {
    let mut config = container.config.clone();
    for file in &mut config {
        file.delivery = Delivery::Files;
    }
    Container {
        name: Arc::clone(&container.name),
        span: container.span,
        image: Arc::clone(&container.image),
        entrypoint: container.entrypoint.clone(),
        command: container.command.clone(),
        user: container.user,
        workdir: container.workdir.clone(),
        env: container.env.clone(),
        config,
        files: container.files.clone(),
        secrets: container.secrets.clone(),
        health: container.health.clone(),
        stop: container.stop.clone(),
        resources: container.resources,
    }
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

/// The namespace of another task's container.
pub(super) fn of_task(task: &str) -> Text {
    vec![
        Piece::Text(format!("container:{task}-")),
        Piece::reference("NOMAD_ALLOC_ID"),
    ]
}

/// A text with its references written out: a key is no expression.
fn flat(text: &Text) -> String {
    let pieces = text.iter().map(|piece| match piece {
        Piece::Text(text) => text.clone(),
        Piece::Reference(name) => format!("${{{name}}}"),
    });
    pieces.collect()
}

pub(super) fn user_text(user: User) -> String {
    match user.gid {
        Some(gid) => format!("{}:{gid}", user.uid),
        None => user.uid.to_string(),
    }
}

/// The last name of a path, of characters that need no care.
fn file_name(path: &str) -> String {
    let name = path.rsplit('/').next().unwrap_or_default();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let name: String = name.chars().map(|c| if plain(c) { c } else { '-' }).collect();
    if name.chars().all(|c| c == '.') { "file".to_owned() } else { name }
}
