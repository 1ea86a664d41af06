//! Config files, and the programs that read them: not a platform, but the products.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;

use super::compose::read;
use super::{Consumer, Process, Processes, Role, map, nothing, nothing_asked, text};
use crate::batch::{Format, Place, Shape};
use crate::launcher::Launcher;

/// A Compose file brings the config files of each process, or the variables that they are made of.
pub const CONFIG: Consumer = Consumer {
    shape: Shape {
        target: "compose",
        settings: &[""],
        places: &[
            Place::Key(None, Format::Xml),
            Place::Key(None, Format::Properties),
            Place::Key(None, Format::Cfg),
            Place::Key(None, Format::Env),
            Place::Key(None, Format::Sh),
            Place::Key(None, Format::Conf),
            Place::Key(None, Format::Yaml),
            Place::Key(None, Format::Ini),
        ],
        builds: false,
    },
    ending: "compose.yaml",
    more: nothing,
    asked: nothing_asked,
    own: |_| false,
    read,
    run: None,
};

/// Where config files are in a container.
const FOLDER: &str = "/conf/";

/// What is known of the config of a service: who makes its files, and the format of each by its name.
pub struct Config {
    /// No one makes what is mounted.
    pub launcher: Option<Launcher>,
    /// By name.
    pub formats: BTreeMap<String, Format>,
}

/// A file that is to be read, and whose it is.
struct Question {
    process: (String, u32, Role),
    format: Format,
    path: PathBuf,
    /// The launcher that only the reader has makes it of this environment.
    is_kafka: bool,
}

/// Has each config file made where nothing mounts it, and read: by the programs in a folder.
pub fn entries(
    processes: &mut Processes,
    configs: &BTreeMap<String, Config>,
    programs: &Path,
    folder: &Path,
) -> Result<(), String> {
    let mut questions = Vec::new();
    for (place, process) in processes.iter_mut() {
        // What stands beside a process has no config.
        let Some(config) = configs.get(&place.0).filter(|_| place.2 == Role::Main) else {
            continue;
        };
        let files = folder.join(format!("config-{}-{}", place.0, place.1));
        let paths = match config.launcher {
            None => written(process, &files)?,
            Some(launcher) => {
                let variables = std::mem::take(&mut process.variables);
                match launcher.launch(programs, &variables, &files) {
                    Ok(paths) => paths,
                    Err(wrong) => {
                        process.files.insert(wrong, String::new());
                        continue;
                    }
                }
            }
        };
        for path in paths {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            let is_kafka = config.launcher == Some(Launcher::Kafka);
            let name = if is_kafka {
                "server.properties".into()
            } else {
                name
            };
            let Some(format) = config.formats.get(&*name) else {
                process
                    .files
                    .insert(format!("{FOLDER}{name}"), String::new());
                continue;
            };
            questions.push(Question {
                process: place.clone(),
                format: *format,
                path: std::path::absolute(&path).map_err(|e| e.to_string())?,
                is_kafka,
            });
        }
    }
    let (go, java): (Vec<_>, Vec<_>) = questions
        .into_iter()
        .partition(|question| matches!(question.format, Format::Env | Format::Ini));
    let mut program = Command::new(programs.join("config-check"));
    program.arg("read");
    ask(&mut program, &go, processes)?;
    let classes = programs.display();
    let mut program = Command::new("java");
    program
        .arg("-cp")
        .arg(format!("{classes}:{classes}/lib/*"))
        .arg("ConfigCheck");
    ask(&mut program, &java, processes)
}

/// The config files of a process, in a folder.
fn written(process: &mut Process, folder: &Path) -> Result<Vec<PathBuf>, String> {
    let wrong = |e: std::io::Error| format!("{}: {e}", folder.display());
    std::fs::create_dir_all(folder).map_err(wrong)?;
    let mut paths = Vec::new();
    for (path, content) in std::mem::take(&mut process.files) {
        let Some(name) = path.strip_prefix(FOLDER) else {
            process.files.insert(path, content);
            continue;
        };
        let path = folder.join(name);
        std::fs::write(&path, content).map_err(wrong)?;
        paths.push(path);
    }
    Ok(paths)
}

/// Asks a program what is in files, and gives it to their processes.
fn ask(
    program: &mut Command,
    questions: &[Question],
    processes: &mut Processes,
) -> Result<(), String> {
    if questions.is_empty() {
        return Ok(());
    }
    let lines = questions.iter().map(|question| {
        let format = if question.is_kafka {
            "kafka"
        } else {
            question.format.name()
        };
        format!("{format} {}\n", question.path.display())
    });
    let text_of_all: String = lines.collect();
    let run = || {
        let mut child = program
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
        let writer = child
            .stdin
            .take()
            .map(|mut stdin| std::thread::spawn(move || stdin.write_all(text_of_all.as_bytes())));
        let out = child.wait_with_output()?;
        if let Some(Err(_)) = writer.map(std::thread::JoinHandle::join) {
            return Err(std::io::Error::other("the questions could not be asked"));
        }
        Ok(out)
    };
    let out = run().map_err(|e| format!("a reader of config files: {e}"))?;
    let lines: Vec<&[u8]> = out
        .stdout
        .split(|b| *b == b'\n')
        .filter(|line| !line.is_empty())
        .collect();
    if lines.len() != questions.len() {
        let (answers, files) = (lines.len(), questions.len());
        return Err(format!("{answers} answers about {files} files"));
    }
    for (line, question) in lines.into_iter().zip(questions) {
        let answer: Value = serde_json::from_slice(line)
            .map_err(|e| format!("an answer that can't be read: {e}"))?;
        let mut found = map(&answer["entries"]);
        if let Some(error) = answer.get("error") {
            found.insert("it can't be read".to_owned(), text(error));
        }
        if let Some(process) = processes.get_mut(&question.process) {
            process
                .entries
                .insert(question.format.name().to_owned(), found);
        }
    }
    Ok(())
}
