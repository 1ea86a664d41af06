//! Nomad jobs as the parser, the client and the Docker driver read them.
//!
//! Taken out, because Nomad needs it and the blueprint does not have it: the tasks that hold the
//! network of a replica, give volumes to their user or wait for others, and the script that takes
//! steps one after the other (`script`).

mod driver;
pub mod job;
mod script;
mod template;

use std::collections::{BTreeMap, BTreeSet};

use flokkr::file::File;
use flokkr::plan::SecretSource;

use super::process::{Cluster, Line, Names, Outline, Place, Process, Role, known, secret};
use crate::hcl::replaced;
use job::{Block, Body};

/// The processes of all jobs.
pub fn read(files: &[File], outline: &Outline) -> Cluster {
    let mut cluster = Cluster::new();
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    for file in files {
        let name = file.path.file_name().unwrap();
        let before = seen.insert(name, &file.text);
        if let Some(before) = before {
            // With several profiles a job is there several times.
            assert_eq!(before, file.text, "two of one name");
            continue;
        }
        let body = job::parsed(&file.text);
        for (place, process) in processes(body.only("job"), outline) {
            let before = cluster.insert(place.clone(), process);
            assert!(before.is_none(), "{place} is there twice");
        }
    }
    cluster
}

/// The processes of all allocations of a job.
fn processes(job: &Block, outline: &Outline) -> Vec<(Place, Process)> {
    let group = job.body.only("group");
    let name = &group.labels[0];
    assert!(job.labels[0].ends_with(&format!("-{name}")));
    let whole = outline.services.iter().find(|s| s.service == *name);
    let one = || {
        let (service, index) = name.rsplit_once('-')?;
        let names = outline.services.iter().find(|s| s.service == service)?;
        Some((names, index.parse::<u32>().ok()?))
    };
    let found = whole.map(|names| (names, 0)).or_else(one);
    let (names, first) = found.unwrap_or_else(|| panic!("nobody asked for the job {name}"));
    let count = group.body.plain("count").map_or(1, |n| n.parse().unwrap());
    assert!(whole.is_some() || count == 1, "{name} is one replica");
    let mut processes = Vec::new();
    for index in 0..count {
        let allocation = Allocation::new(job, outline, names, index);
        for (role, process) in allocation.processes(&group.body) {
            let place = Place {
                service: names.service.clone(),
                replica: first + index,
                role,
            };
            processes.push((place, process));
        }
    }
    processes
}

/// One allocation of a job.
struct Allocation<'a> {
    job: &'a str,
    outline: &'a Outline,
    names: &'a Names,
    index: String,
    /// What `${NAME}` refers to.
    variables: BTreeMap<String, String>,
}

impl<'a> Allocation<'a> {
    fn new(job: &'a Block, outline: &'a Outline, names: &'a Names, index: u32) -> Self {
        let index = index.to_string();
        let mut variables = BTreeMap::from([
            ("NOMAD_ALLOC_INDEX".to_owned(), index.clone()),
            ("NOMAD_ALLOC_ID".to_owned(), format!("id-{index}")),
        ]);
        let meta = job.body.texts("meta").into_iter();
        variables.extend(meta.map(|(key, text)| (format!("NOMAD_META_{key}"), text)));
        Self {
            job: &job.labels[0],
            outline,
            names,
            index,
            variables,
        }
    }

    fn processes(&self, group: &Body) -> Vec<(Role, Process)> {
        let Names {
            service,
            steps: _,
            sidecars,
        } = self.names;
        let mut processes = Vec::new();
        for task in group.blocks("task") {
            let name = &task.labels[0];
            let process = self.process(&task.body);
            let lifecycle = task.body.blocks("lifecycle").next();
            let lifecycle = lifecycle.map(|l| (l.body.text("hook"), l.body.plain("sidecar")));
            match lifecycle {
                None => {
                    known(name, std::slice::from_ref(service));
                    processes.push((Role::Main, process));
                }
                Some((Some("poststart"), Some("true"))) => {
                    processes.push((Role::Sidecar(known(name, sidecars)), process));
                }
                Some((Some("prestart"), Some("true"))) => {
                    let words = process.line.words.unwrap_or_default();
                    assert_eq!(words, ["sleep", "infinity"], "nobody asked for {name}");
                }
                Some((Some("prestart"), Some("false"))) => {
                    processes.extend(self.before(name, process));
                }
                other => panic!("the lifecycle {other:?}"),
            }
        }
        processes
    }

    /// The steps of a prestart task.
    fn before(&self, task: &str, mut process: Process) -> Vec<(Role, Process)> {
        let words = process.line.words.clone().unwrap_or_default();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        if let ["bash", path] = words[..]
            && let Some(script) = process.files.get(path).and_then(|t| script::parsed(t))
        {
            process.files.remove(path);
            process.files.retain(|path, _| !script.waits.contains(path));
            let taken = script.taken(&self.index, &process).into_iter();
            let step = |name: &str| Role::Step(known(name, &self.names.steps));
            return taken
                .map(|(name, process)| (step(&name), process))
                .collect();
        }
        let whole = process.line.whole;
        match words[..] {
            ["chown", ..] | ["bash", "/flokkr/wait-for.sh", ..] if whole => Vec::new(),
            ["bash" | "sh", "-c", script] if whole && script.starts_with("chown ") => Vec::new(),
            _ => {
                // A step that is called like the service has another name as a task.
                let steps = &self.names.steps;
                let own = steps.iter().find(|s| **s == self.names.service);
                let renamed = task == "init" && !steps.iter().any(|s| s == "init");
                let name = match own.filter(|_| renamed) {
                    Some(name) => name.clone(),
                    None => known(task, steps),
                };
                vec![(Role::Step(name), process)]
            }
        }
    }

    fn process(&self, task: &Body) -> Process {
        let config = &task.only("config").body;
        let words = |key: &str| driver::texts(config.get(key), &self.variables);
        let mut command: Vec<String> = self.option(config, "command").into_iter().collect();
        command.extend(words("args").unwrap_or_default());
        let mut process = Process {
            image: self.option(config, "image").unwrap(),
            line: Line::new(words("entrypoint"), Some(command)),
            workdir: self.option(config, "work_dir"),
            user: task.text("user").map(str::to_owned),
            ..Process::default()
        };
        let variables = task.texts("env").into_iter();
        let known = |name: &str| self.variables.get(name).cloned();
        process.environment = variables.map(|(n, v)| (n, replaced(&v, known))).collect();
        let mut folder = self.templates(task, &mut process.environment);
        for mount in config.blocks("mount") {
            self.mount(&mount.body, &mut folder, &mut process);
        }
        assert!(folder.is_empty(), "never mounted: {folder:?}");
        for bind in words("volumes").unwrap_or_default() {
            let (_, target) = bind.split_once(':').unwrap();
            let target = target.strip_suffix(":ro").unwrap_or(target);
            process.volumes.insert(target.to_owned());
        }
        process
    }

    /// An option of the driver.
    fn option(&self, config: &Body, key: &str) -> Option<String> {
        let value = driver::option(config.get(key)?, &self.variables);
        Some(value.text().to_owned())
    }

    /// What is rendered into the folder of a task, by path; variables are added.
    fn templates(
        &self,
        task: &Body,
        environment: &mut BTreeMap<String, String>,
    ) -> BTreeMap<String, String> {
        let find = |path: &str, item: &str| self.secret(path, item);
        let asked = template::Asked {
            index: self.index.clone(),
            secret: &find,
        };
        let mut folder = BTreeMap::new();
        for block in task.blocks("template") {
            let template = &block.body;
            let open = template.text("left_delimiter").unwrap_or("{{");
            let close = template.text("right_delimiter").unwrap_or("}}");
            let data = template.text("data").unwrap();
            let text = template::rendered(data, (open, close), &asked);
            if template.plain("env") == Some("true") {
                environment.extend(template::variables(&text));
                continue;
            }
            let destination = template.text("destination").unwrap().to_owned();
            let before = folder.insert(destination, text);
            assert!(before.is_none(), "two files of one name");
        }
        folder
    }

    /// The secret that stands in an item of a variable of Nomad's.
    fn secret(&self, path: &str, item: &str) -> String {
        let own = format!("nomad/jobs/{}", self.job);
        let is = |name: &str, source: &SecretSource| match source {
            SecretSource::External(platform) => match platform.split_once('#') {
                Some(both) => both == (path, item),
                None => platform == path && item == "value",
            },
            SecretSource::File(_) | SecretSource::Env(_) => path == own && item == name,
        };
        let found = self.outline.secret(is);
        let found = found.unwrap_or_else(|| panic!("there is no secret {path}#{item}"));
        secret(self.outline.same_secret(found))
    }

    /// A volume, a file of the task's folder, or a folder in it.
    fn mount(&self, mount: &Body, folder: &mut BTreeMap<String, String>, process: &mut Process) {
        let target = self.option(mount, "target").unwrap();
        let source = self.option(mount, "source").unwrap_or_default();
        let is_own = ["local/", "secrets/"].iter().any(|f| source.starts_with(f));
        if mount.text("type") != Some("bind") || !is_own {
            process.volumes.insert(target);
            return;
        }
        let within = |path: &str| {
            path.strip_prefix(&source)
                .map(|rest| format!("{target}{rest}"))
        };
        let mounted: BTreeSet<String> = folder
            .keys()
            .filter(|path| **path == source || path.starts_with(&format!("{source}/")))
            .cloned()
            .collect();
        assert!(!mounted.is_empty(), "nothing is at {source}");
        for path in mounted {
            let text = folder.remove(&path).unwrap();
            let target = within(&path).unwrap();
            match only_secret(&text) {
                Some(name) => process.secrets.insert(target, name),
                None => process.files.insert(target, text),
            };
        }
    }
}

/// The name of the secret that is all of a text.
fn only_secret(text: &str) -> Option<String> {
    let name = text.strip_prefix("\0secret ")?.strip_suffix('\0')?;
    (!name.contains('\0')).then(|| name.to_owned())
}
