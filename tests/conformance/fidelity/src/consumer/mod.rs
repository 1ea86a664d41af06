//! The programs around the platforms' own code, and what they say that processes get.

mod compose;
mod config;
mod docker;
mod kubernetes;
mod nomad;

pub use config::{Config, entries};

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::batch::{Case, Place, Shape};
use crate::engine::{NOMADS_VARIABLES, OWN_LABELS, OWN_VARIABLES, Run};
use crate::script;

/// The part that a process plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// That of the service.
    Main,
    /// One beside it.
    Sidecar,
}

/// What one process gets.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Process {
    /// Variables by name.
    pub variables: BTreeMap<String, String>,
    /// The words that replace the image's entrypoint, then those of the command.
    pub words: Vec<String>,
    /// Labels, wherever the platform keeps them.
    pub labels: BTreeMap<String, String>,
    /// Files by path.
    pub files: BTreeMap<String, String>,
    /// The words of the command that checks it.
    pub check: Vec<String>,
    /// What is in its config files, by their formats.
    pub entries: BTreeMap<String, BTreeMap<String, String>>,
}

/// The processes of a batch: by service, replica and role.
pub type Processes = BTreeMap<(String, u32, Role), Process>;

/// A platform: what is made for it, and how its program's answers are read.
pub struct Consumer {
    /// What the blueprints are like.
    pub shape: Shape,
    /// What the names of the files end with that the program reads.
    ending: &'static str,
    /// More words for the program, from the folder of the files.
    more: fn(&Path) -> Vec<String>,
    /// More words for the program when it is asked, from the settings of the blueprint.
    asked: fn(&str) -> Vec<String>,
    /// Names that flokkr keeps for texts of its own, though a process could be given them.
    own: fn(&str) -> bool,
    /// Puts a line of the program's answer where it belongs.
    read: fn(&Value, &mut Processes),
    /// Runs them on an engine, if there is one for them.
    run: Option<Run>,
}

/// All platforms.
pub const ALL: [&Consumer; 5] = [
    &config::CONFIG,
    &compose::COMPOSE,
    &kubernetes::KUBERNETES,
    &nomad::NOMAD,
    &docker::DOCKER,
];

/// A case as a program is asked about it.
#[derive(Serialize)]
struct Question<'a> {
    place: &'static str,
    name: &'a str,
    value: &'a str,
}

/// What a program says: whether it can be carried at all.
#[derive(Deserialize)]
pub struct Answer {
    /// Some spelling brings the bytes.
    pub carried: bool,
    /// Which.
    #[serde(default)]
    pub how: String,
}

impl Consumer {
    /// What it is called here.
    pub fn name(&self) -> &'static str {
        match self.shape.places.first() {
            Some(Place::Key(..)) => "config",
            _ => self.shape.target,
        }
    }

    /// Is it refused because flokkr's own texts depend on it?
    pub fn is_own(&self, case: &Case) -> bool {
        case.place == Place::Variable && (self.own)(&case.name)
    }

    /// What the processes get by the files in a folder; or why the platform takes them not.
    pub fn processes(&self, program: &Path, folder: &Path) -> Result<Processes, String> {
        let mut files = Vec::new();
        find(folder, self.ending, &mut files).map_err(|e| format!("{}: {e}", folder.display()))?;
        files.sort();
        let run = Command::new(program)
            .arg("env")
            .args((self.more)(folder))
            .args(files)
            .output();
        let run = run.map_err(|e| format!("{}: {e}", program.display()))?;
        if !run.status.success() {
            return Err(String::from_utf8_lossy(&run.stderr).into_owned());
        }
        let mut processes = Processes::new();
        for line in run
            .stdout
            .split(|b| *b == b'\n')
            .filter(|line| !line.is_empty())
        {
            let line = serde_json::from_slice(line)
                .map_err(|e| format!("an answer that can't be read: {e}"))?;
            (self.read)(&line, &mut processes);
        }
        processes.values_mut().try_for_each(script::run)?;
        Ok(processes)
    }

    /// What the processes got when they ran, by what was built with.
    pub fn run(
        &self,
        witness: &str,
        folder: &Path,
        expected: &Processes,
    ) -> Result<Vec<(&'static str, Processes)>, String> {
        let run = self.run.ok_or("there is no engine for that here")?;
        let said = run(witness, folder)?.into_iter().map(|(builder, lines)| {
            let mut processes = Processes::new();
            for line in &lines {
                (self.read)(line, &mut processes);
            }
            for (place, process) in &mut processes {
                let Some(expected) = expected.get(place) else {
                    continue;
                };
                process.variables.retain(|name, _| {
                    let own = OWN_VARIABLES.contains(&name.as_str())
                        || self.shape.target == "nomad" && name.starts_with(NOMADS_VARIABLES);
                    !own || expected.variables.contains_key(name)
                });
                process.labels.retain(|name, _| {
                    let own = OWN_LABELS.iter().any(|own| name.starts_with(own));
                    !own || expected.labels.contains_key(name)
                });
            }
            (builder, processes)
        });
        Ok(said.collect())
    }

    /// What the platform makes of cases that are written without flokkr.
    pub fn answers(
        &self,
        program: &Path,
        settings: &str,
        cases: &[Case],
    ) -> Result<Vec<Answer>, String> {
        if cases.is_empty() {
            return Ok(Vec::new());
        }
        let mut questions = String::new();
        for case in cases {
            let value = case.value.of_replica(0);
            let question = Question {
                place: asked(case.place),
                name: &case.name,
                value: &value,
            };
            questions.push_str(&serde_json::to_string(&question).map_err(|e| e.to_string())?);
            questions.push('\n');
        }
        let run = || {
            let mut child = Command::new(program)
                .arg("try")
                .args((self.asked)(settings))
                .stdin(Stdio::piped())
                .stdout(Stdio::piped())
                .spawn()?;
            // Answers may come before the last question.
            let writer = child
                .stdin
                .take()
                .map(|mut stdin| std::thread::spawn(move || stdin.write_all(questions.as_bytes())));
            let out = child.wait_with_output()?;
            if let Some(Err(_)) = writer.map(std::thread::JoinHandle::join) {
                return Err(std::io::Error::other("the questions could not be asked"));
            }
            Ok(out)
        };
        let out = run().map_err(|e| format!("{}: {e}", program.display()))?;
        let lines = out
            .stdout
            .split(|b| *b == b'\n')
            .filter(|line| !line.is_empty());
        let answers: Result<Vec<Answer>, _> = lines.map(serde_json::from_slice).collect();
        let answers = answers.map_err(|e| format!("an answer that can't be read: {e}"))?;
        if !out.status.success() || answers.len() != cases.len() {
            return Err(format!(
                "{} answers to {} questions",
                answers.len(),
                cases.len()
            ));
        }
        Ok(answers)
    }
}

fn asked(place: Place) -> &'static str {
    match place {
        Place::Variable | Place::Config => "env",
        Place::Word | Place::Entry => "word",
        Place::Label => "label",
        Place::File => "file",
        Place::Check => "health",
        // flokkr refuses none of the one, and it is no platform that reads the other.
        Place::Patch | Place::Key(..) => "other",
    }
}

fn find(folder: &Path, ending: &str, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            find(&path, ending, found)?;
        } else if path
            .file_name()
            .is_some_and(|name| name.to_string_lossy().ends_with(ending))
        {
            found.push(path);
        }
    }
    Ok(())
}

/// `s3-1` is replica 1 of `s3`, and `s3` its only one.
fn numbered(name: &str) -> (String, u32) {
    let split = name
        .rsplit_once('-')
        .and_then(|(unit, index)| Some((unit, index.parse().ok()?)));
    split.map_or((name.to_owned(), 0), |(unit, index)| {
        (unit.to_owned(), index)
    })
}

fn nothing(_: &Path) -> Vec<String> {
    Vec::new()
}

fn nothing_asked(_: &str) -> Vec<String> {
    Vec::new()
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn texts(value: &Value) -> Vec<String> {
    value
        .as_array()
        .map(|list| list.iter().map(text).collect())
        .unwrap_or_default()
}

fn map(value: &Value) -> BTreeMap<String, String> {
    let entries = value.as_object().into_iter().flatten();
    entries
        .map(|(name, value)| (name.clone(), text(value)))
        .collect()
}
