//! What happens before a replica's main process: its volumes are given to its user, what it needs
//! is waited for, and its steps are taken, one after the other.
//!
//! Nomad starts the prestart tasks of a group at the same time. So steps that may share a container
//! are one task with one script, which the image's entrypoint is given: the launcher has written
//! its config by then, and what each step alone has of variables is set by `env` in the script.
//! Steps of another image or user are tasks of their own, and so is the one that changes owners,
//! which is root. Each of these waits for the one before it: that leaves a mark in the folder that
//! the tasks of an allocation share when it is done, and whoever waited takes the mark away when it
//! is done itself. So a task that failed finds the mark again, and an allocation that is restarted
//! as a whole finds none.

use std::sync::Arc;

use super::given::Mounted;
use super::lower::{Lowering, Names, Place};
use super::model::{Config, Task};
use super::network::SMALL;
use super::replica::Covered;
use super::script::{self, Chain, HEAD, push_step, push_waits, quote};
use super::task::user_text;
use super::template;
use super::volumes;
use super::waits::Wait;
use crate::blueprint::Shell;
use crate::emit::hcl::Expr;
use crate::env;
use crate::plan::{self, Container, Each, Image, Init, Value, is_identifier};
use crate::problem::{Problem, Span};
use crate::target::wait;

/// Where the script of a task is mounted.
const SCRIPT_PATH: &str = "/flokkr/before.sh";
/// One prestart task, before it is known which others there are.
enum Stage<'a> {
    /// Gives volumes to a user.
    Owner(String, Vec<String>),
    /// Waits only.
    Wait(&'a Arc<Image>, Vec<Wait>),
    /// Waits, and takes steps.
    Steps(Vec<Wait>, Vec<&'a Init>),
}

impl<'a> Lowering<'a> {
    /// The prestart tasks of a replica.
    pub(super) fn before(&mut self, place: Place<'a>, names: &mut Names) -> Vec<Task> {
        let stages = self.stages(place);
        // Owners and waits alone don't depend on each other.
        let chained = stages.len() > 1 && stages.iter().any(|s| matches!(s, Stage::Steps(..)));
        let called: Vec<String> = stages.iter().map(|s| names.take(&name(s, place))).collect();
        let mut tasks = Vec::new();
        for (at, stage) in stages.iter().enumerate() {
            let Some(own) = called.get(at) else { continue };
            // The last one need not leave a mark: Nomad starts the main process after all of them.
            let mark = (chained && at + 1 < called.len()).then(|| script::mark(own));
            let before = at.checked_sub(1).filter(|_| chained);
            let awaited = before.and_then(|b| called.get(b)).map(|b| script::mark(b));
            let chain = Chain { awaited, mark };
            let mut task = match stage {
                Stage::Owner(user, paths) => self.owner_task(user, paths, &chain, place),
                Stage::Wait(image, waits) => self.wait_task(image, waits, &chain, place),
                Stage::Steps(waits, steps) => self.steps_task(waits, steps, &chain, place),
            };
            if chained && !matches!(stage, Stage::Owner(..)) {
                self.shell(stage, place);
            }
            task.name.clone_from(own);
            task.lifecycle = Some(("prestart", false));
            tasks.push(task);
        }
        tasks
    }

    /// Tasks that wait for each other need a shell.
    fn shell(&mut self, stage: &Stage<'_>, place: Place<'_>) {
        let image = match stage {
            Stage::Owner(..) => &place.service.main.image,
            Stage::Wait(image, _) => image,
            Stage::Steps(_, steps) => match steps.first() {
                Some(step) => &step.container.image,
                None => return,
            },
        };
        if image.shell != Shell::Bash {
            self.account.refused(
                "init",
                place.service.span,
                Problem::error("unsupported", "Nomad starts all steps at the same time")
                    .at(place.service.span)
                    .label(format!(
                        "image `{}` has no bash to wait for the one before",
                        image.name
                    ))
                    .help("give the steps an image that has bash"),
            );
        }
    }

    /// What comes after each other, as few tasks as can be.
    fn stages(&mut self, place: Place<'a>) -> Vec<Stage<'a>> {
        let service = place.service;
        let mut stages = Vec::new();
        if let Some((user, paths)) = volumes::unowned(service) {
            stages.push(Stage::Owner(user_text(user), paths));
        }
        let mut waits = self.waits(place);
        let covered = place.covered;
        let taken = |init: &&Init| covered.indexes().any(|i| init.when.get(i) == Some(&true));
        let mut steps: Vec<Vec<&'a Init>> = Vec::new();
        for init in service.inits.iter().filter(taken) {
            match steps.last_mut() {
                Some(last) if last.iter().all(|other| shares(other, init)) => last.push(init),
                _ => steps.push(vec![init]),
            }
        }
        let first = steps.first().and_then(|s| s.first());
        let first_waits = first.is_some_and(|i| i.container.image.shell == Shell::Bash);
        if !first_waits && let Some((image, _)) = waits.first() {
            let image = *image;
            let only = waits.drain(..).map(|(_, wait)| wait).collect();
            stages.push(Stage::Wait(image, only));
        }
        let mut waits: Vec<Wait> = waits.into_iter().map(|(_, wait)| wait).collect();
        for steps in steps {
            stages.push(Stage::Steps(std::mem::take(&mut waits), steps));
        }
        stages
    }

    fn owner_task(
        &mut self,
        user: &str,
        paths: &[String],
        chain: &Chain,
        place: Place<'_>,
    ) -> Task {
        let service = place.service;
        let image = &service.main.image;
        let mut config = Config {
            image: self.option(&image.reference, "entrypoint", service.span),
            network_mode: Some(vec![crate::emit::hcl::Piece::Text("none".to_owned())]),
            ..Config::default()
        };
        if self.settings.is_bridge() {
            config.network_mode = None;
        }
        self.mounts(place, &mut config);
        if let Some(mark) = &chain.mark {
            let paths: Vec<String> = paths.iter().map(|p| quote(p)).collect();
            let shell = if image.shell == Shell::Bash {
                "bash"
            } else {
                "sh"
            };
            let script = format!("chown {user} {} && touch {mark}", paths.join(" "));
            config.entrypoint = Some(Expr::texts([shell, "-c"]));
            let script = self.option(&script, "volumes", service.span);
            config.args = Some(Expr::List(vec![Expr::Text(script)]));
        } else {
            config.entrypoint = Some(Expr::texts(["chown"]));
            let mut args = vec![Expr::text(user)];
            for path in paths {
                let path = self.option(path, "volumes", service.span);
                args.push(Expr::Text(path));
            }
            config.args = Some(Expr::List(args));
        }
        Task {
            comment: Some("a fresh volume belongs to root"),
            user: Some("0:0".to_owned()),
            config,
            resources: SMALL,
            ..Task::default()
        }
    }

    fn wait_task(
        &mut self,
        image: &Image,
        waits: &[Wait],
        chain: &Chain,
        place: Place<'_>,
    ) -> Task {
        let span = place.service.span;
        let mut task = Task {
            config: Config {
                image: self.option(&image.reference, "entrypoint", span),
                ..Config::default()
            },
            resources: SMALL,
            ..Task::default()
        };
        self.reaching(&mut task.config);
        if let ([wait], None, None) = (waits, &chain.awaited, &chain.mark) {
            task.config.entrypoint = Some(Expr::texts(["bash", wait::SCRIPT_PATH]));
            task.config.args = Some(Expr::texts(wait.words()));
            self.script(wait::SCRIPT, wait::SCRIPT_PATH, span, &mut task);
            return task;
        }
        let mut script = HEAD.to_owned();
        chain.begin(&mut script);
        push_waits(&mut script, waits, wait::SCRIPT_PATH);
        chain.end(&mut script);
        task.config.entrypoint = Some(Expr::texts(["bash", SCRIPT_PATH]));
        self.script(wait::SCRIPT, wait::SCRIPT_PATH, span, &mut task);
        self.script(&script, SCRIPT_PATH, span, &mut task);
        task
    }

    fn steps_task(
        &mut self,
        waits: &[Wait],
        steps: &[&Init],
        chain: &Chain,
        place: Place<'_>,
    ) -> Task {
        let covered = place.covered;
        let always = |init: &Init| covered.indexes().all(|i| init.when.get(i) == Some(&true));
        let alone = waits.is_empty() && chain.awaited.is_none() && chain.mark.is_none();
        if let ([step], true) = (steps, alone)
            && always(step)
        {
            let mut task = self.container(&step.container, place, true);
            self.reaching_as(place, &mut task.config);
            return task;
        }
        let Some(first) = steps.first() else {
            return Task::default();
        };
        let shared = shared(steps);
        let mut whole = first.container.clone();
        whole.env.retain(|e| shared.contains(&e.name));
        for step in steps {
            for file in &step.container.files {
                if !whole.files.iter().any(|f| f.path == file.path) {
                    whole.files.push(file.clone());
                }
            }
        }
        let path = free(SCRIPT_PATH, &whole);
        let wait_path = free(wait::SCRIPT_PATH, &whole);
        whole.command = Some(plan::Words::own(&["bash", &path], first.container.span));
        let mut task = self.container(&whole, place, true);
        self.reaching_as(place, &mut task.config);
        let mut script = HEAD.to_owned();
        chain.begin(&mut script);
        push_waits(&mut script, waits, &wait_path);
        for step in steps {
            push_step(&mut script, step, &shared, covered);
        }
        chain.end(&mut script);
        let span = first.container.span;
        if !waits.is_empty() {
            self.script(wait::SCRIPT, &wait_path, span, &mut task);
        }
        self.script(&script, &path, span, &mut task);
        task
    }

    /// A script of flokkr's own, mounted.
    fn script(&mut self, text: &str, path: &str, span: Span, task: &mut Task) {
        let covered = Covered { first: 0, count: 1 };
        let data = template::file(&Each::Same(Value::new(text)), covered, &self.secrets);
        let file = Mounted {
            path,
            mode: None,
            owner: None,
            secret: false,
            stored: false,
            span,
        };
        self.mounted(data, &file, task);
    }
}

fn name(stage: &Stage<'_>, place: Place<'_>) -> String {
    match stage {
        Stage::Owner(..) => "volumes".to_owned(),
        Stage::Wait(..) => "wait".to_owned(),
        Stage::Steps(waits, steps) => match steps.as_slice() {
            [step] if waits.is_empty() && *step.container.name != *place.service.name => {
                step.container.name.to_string()
            }
            _ => "init".to_owned(),
        },
    }
}

/// The path of a script, or the nearest that the blueprint has no file at: steps are called as their
/// author likes, and so are their scripts.
fn free(path: &str, container: &Container) -> String {
    let taken = |path: &str| container.files.iter().any(|f| f.path == path);
    let base = path.trim_end_matches(".sh");
    let mut candidate = path.to_owned();
    let mut number = 2;
    while taken(&candidate) {
        candidate = format!("{base}-{number}.sh");
        number += 1;
    }
    candidate
}

/// May two steps be taken in one container?
fn shares(first: &Init, second: &Init) -> bool {
    let same = first.container.image.name == second.container.image.name
        && first.container.user == second.container.user
        && first.container.image.shell == Shell::Bash;
    // What a launcher takes for config, and what Nomad fills in, must be there before the script.
    let plain = |entry: &plan::EnvEntry, of: &Container| {
        is_identifier(&entry.name)
            && env::mistaken_for(of.image.launcher, &entry.name).is_none()
            && !entry.value.all().iter().flatten().any(Value::has_secret)
    };
    let own = |a: &Container, b: &Container| {
        a.env
            .iter()
            .filter(|e| !b.env.iter().any(|o| o.name == e.name && o.value == e.value))
            .all(|e| plain(e, a))
    };
    same && own(&first.container, &second.container) && own(&second.container, &first.container)
}

/// The variables that all steps have alike.
fn shared(steps: &[&Init]) -> Vec<Arc<str>> {
    let Some((first, others)) = steps.split_first() else {
        return Vec::new();
    };
    let everywhere = |entry: &&plan::EnvEntry| {
        others.iter().all(|o| {
            let env = &o.container.env;
            env.iter()
                .any(|e| e.name == entry.name && e.value == entry.value)
        })
    };
    let shared = first.container.env.iter().filter(everywhere);
    shared.map(|e| Arc::clone(&e.name)).collect()
}
