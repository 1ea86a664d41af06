//! Main processes and sidecars as tasks, and what every container has in common: its image, its
//! words, its resources.

use super::lower::{Lowering, Place, megabytes};
use super::model::{Config, Group, Resources, Task, Text};
use super::replica::{Covered, option_lists, option_text};
use super::settings::Discovery;
use crate::blueprint::User;
use crate::emit::hcl::{Expr, Piece};
use crate::plan::{self, Container, Each, Label, Value};
use crate::problem::{Problem, Span};

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
        for Label { key, value, span } in &service.labels {
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
                self.no_secret(*span, "a label");
                continue;
            }
            let key = self.option(key, "labels", *span);
            let value = self.spelled(option_text(&value, place.covered), "labels", *span);
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
            task.config.entrypoint = Some(self.list(&words, place.covered, entrypoint, 0));
        }
        if let Some(command) = command {
            let words = self.words(container, command, place);
            self.command(&words, place.covered, command, &mut task.config);
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
            let span = container
                .command
                .as_ref()
                .map_or(container.span, |c| c.span);
            self.no_secret(span, "a command");
            return Each::Same(Vec::new());
        }
        words
    }

    pub(super) fn no_secret(&mut self, span: Span, place: &str) {
        self.account.refused(
            "secrets",
            span,
            Problem::error(
                "unsupported",
                format!("Nomad can't write a secret into {place}"),
            )
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
        written: &plan::Words,
        config: &mut Config,
    ) {
        // The driver refuses a command with blanks, and takes one without a `command` just as well.
        let simple =
            |word: &Value| !word.raw().is_empty() && !word.raw().contains(char::is_whitespace);
        if let Each::Same(words) = words
            && let [first, rest @ ..] = words.as_slice()
            && simple(first)
        {
            config.command = Some(self.option(first.raw(), "command", written.span_of(0)));
            if !rest.is_empty() {
                let rest = Each::Same(rest.to_vec());
                config.args = Some(self.list(&rest, covered, written, 1));
            }
            return;
        }
        if words.all().iter().any(|w| !w.is_empty()) {
            config.args = Some(self.list(words, covered, written, 0));
        }
    }

    /// A list of texts in the driver's options: the words of a command, without so many at its head.
    fn list(
        &mut self,
        lists: &Each<Vec<Value>>,
        covered: Covered,
        written: &plan::Words,
        head: usize,
    ) -> Expr {
        let count = lists.all().first().map_or(0, Vec::len);
        if lists.all().iter().any(|l| l.len() != count) {
            let text = self.spelled(option_lists(lists.all()), "command", written.span);
            return Expr::Text(text);
        }
        let mut words = Vec::with_capacity(count);
        for at in 0..count {
            let each = lists.all().iter().map(|l| l.get(at).cloned());
            let Some(each) = each.collect::<Option<Vec<Value>>>().and_then(Each::of) else {
                continue;
            };
            let span = written.span_of(head + at);
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
        let reserved = memory
            .or(memory_limit)
            .map_or_else(|| self.settings.memory(), |m| m.0);
        let most = memory_limit.map(|m| m.0).filter(|m| *m > reserved);
        Resources {
            cpu: cpu
                .map_or(100, |c| u64::from(c.0) * self.settings.mhz() / 1000)
                .max(1),
            memory: megabytes(reserved).max(10),
            memory_max: most.map(megabytes),
        }
    }
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
