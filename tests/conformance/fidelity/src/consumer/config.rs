//! Config files that are mounted, and the programs that read them: not a platform, but the products.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;

use super::compose::read;
use super::{Consumer, Processes, map, nothing, nothing_asked, text};
use crate::batch::{CONFIG_FOLDER, Format, Place, Shape};

/// A Compose file brings the config files of each process.
pub const CONFIG: Consumer = Consumer {
    shape: Shape {
        target: "compose",
        settings: &[""],
        places: &[
            Place::Key(Format::Xml),
            Place::Key(Format::Properties),
            Place::Key(Format::Cfg),
            Place::Key(Format::Yaml),
            Place::Key(Format::Sh),
            Place::Key(Format::Conf),
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

/// Has each config file read, by a program of Java's with this class path.
pub fn entries(processes: &mut Processes, classpath: &str, folder: &Path) -> Result<(), String> {
    let mut questions = String::new();
    let mut places = Vec::new();
    for (place, process) in processes.iter_mut() {
        for (path, content) in std::mem::take(&mut process.files) {
            let Some(format) = path.strip_prefix(CONFIG_FOLDER) else {
                process.files.insert(path, content);
                continue;
            };
            let file = folder.join(format!("config-{}", places.len()));
            std::fs::write(&file, content).map_err(|e| format!("{}: {e}", file.display()))?;
            let file = std::path::absolute(file).map_err(|e| e.to_string())?;
            for part in [format, " ", &file.to_string_lossy(), "\n"] {
                questions.push_str(part);
            }
            places.push((place.clone(), format.to_owned()));
        }
    }
    let run = || {
        let mut child = Command::new("java")
            .args(["-cp", classpath, "ConfigCheck"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()?;
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
    let out = run().map_err(|e| format!("java: {e}"))?;
    let lines: Vec<&[u8]> = out
        .stdout
        .split(|b| *b == b'\n')
        .filter(|l| !l.is_empty())
        .collect();
    if lines.len() != places.len() {
        return Err(format!(
            "{} answers about {} files",
            lines.len(),
            places.len()
        ));
    }
    for (line, (place, format)) in lines.into_iter().zip(places) {
        let answer: Value = serde_json::from_slice(line)
            .map_err(|e| format!("an answer that can't be read: {e}"))?;
        let mut found = map(&answer["entries"]);
        if let Some(error) = answer.get("error") {
            found.insert("it can't be read".to_owned(), text(error));
        }
        if let Some(process) = processes.get_mut(&place) {
            process.entries.insert(format, found);
        }
    }
    Ok(())
}
