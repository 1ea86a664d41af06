//! Takes the steps of preparation, each so that being killed at any moment leaves something that the
//! next start completes.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};

use super::fetch;
use super::files;
use super::hadoop::{Edits, Settings};
use super::process::Children;
use super::{Failure, reason, say};
use crate::launch::prepare::{Daemon, FIRST_NAMENODE, Step, ZookeeperId, list};
use crate::launch::secret::masked_words;

/// How long a step waits for the processes that it needs.
const PATIENCE: Duration = Duration::from_secs(600);

/// In the directory of a NameNode: its first command is still to be run.
const FIRST_MARK: &str = "init-begun";

/// Takes a step.
pub(super) fn take(step: &Step, children: &Children) -> Result<(), Failure> {
    match step {
        Step::Namenode {
            directories,
            cluster,
            config,
            first,
        } => {
            let cluster = cluster.as_deref();
            namenode(directories, cluster, config, first.is_some(), children)?;
            match (first, directories.first()) {
                (Some(words), Some(directory)) => on_new_namenode(directory, words, children),
                _ => Ok(()),
            }
        }
        Step::Standby {
            directories,
            config,
        } => standby(directories, config, children),
        Step::Zkfc => zkfc(children),
        Step::Ozone(daemon, version) => ozone(*daemon, version, children),
        Step::ZookeeperId(file, id) => zookeeper_id(file, id),
        Step::Kafka { cluster, config } => {
            let words = [
                "kafka-storage.sh",
                "format",
                "--ignore-formatted",
                "-t",
                cluster,
                "-c",
                config.as_str(),
            ];
            must(&words, children)
        }
    }
}

/// Clones a repository, unless that was done.
pub(super) fn clone(url: &str, to: &Utf8Path, children: &Children) -> Result<(), Failure> {
    let name = url.trim_end_matches('/').rsplit('/').next();
    let name = name.unwrap_or_default().trim_end_matches(".git");
    let to = to.join(name);
    if to.join(".git").exists() {
        return Ok(());
    }
    must(
        &["git", "clone", "--depth", "1", "--", url, to.as_str()],
        children,
    )
}

/// A NameNode writes `fsimage_N` last; `VERSION` comes first, so that a directory alone says nothing.
fn has_image(directory: &Utf8PathBuf) -> bool {
    let current = directory.join("current");
    let Ok(entries) = current.read_dir_utf8() else {
        return false;
    };
    entries.flatten().any(|entry| {
        let number = entry.file_name().strip_prefix("fsimage_");
        number.is_some_and(|n| !n.is_empty() && n.chars().all(|c| c.is_ascii_digit()))
    })
}

/// Formats a NameNode's directories once in the life of a cluster.
///
/// The mark is there while a format is under way that began with nothing: no NameNode ever ran on such
/// a directory, so a half-made one may be formatted again. Without it nothing is ever overwritten. It
/// is in the first of the directories that were named, all of which the NameNode must have.
fn namenode(
    named: &[Utf8PathBuf],
    cluster: Option<&str>,
    config: &Utf8Path,
    has_first: bool,
    children: &Children,
) -> Result<(), Failure> {
    let Some(main) = named.first() else {
        return Ok(());
    };
    let mark = main.join("format-begun");
    let Some(settings) = without_image(named, config)? else {
        let _ = fs::remove_file(&mark);
        return Ok(());
    };
    if !mark.exists() {
        if is_used(&settings.shared_edits()?)? {
            say("the shared journal belongs to a cluster already: fetching its image");
            return fetch_image(children);
        }
        let mut emptied = settings.name_directories(named)?;
        for edits in settings.edits()? {
            match edits {
                Edits::Directory(directory) => emptied.push(directory),
                journal @ Edits::Journal(..) => {
                    if is_used(&[journal])? {
                        return Err(Failure::new(
                            "the journal belongs to a cluster already, and there is no image: not \
                                formatted",
                        ));
                    }
                }
            }
        }
        if let Some(directory) = emptied.iter().find(|path| path.join("current").exists()) {
            return Err(Failure::new(format!(
                "{directory} has been in use but holds no image: not formatted; restore it, or \
                    remove it to begin anew"
            )));
        }
        files::put_for_good(&mark, "")?;
    }
    if has_first {
        files::put_for_good(&main.join(FIRST_MARK), "")?;
    }
    say(&format!("a new cluster: formatting {}", list(named)));
    let mut words = vec!["hdfs", "namenode", "-format", "-force", "-nonInteractive"];
    if let Some(cluster) = cluster {
        words.extend(["-clusterId", cluster]);
    }
    must(&words, children)?;
    if let Some(directory) = named.iter().find(|path| !has_image(path)) {
        return Err(Failure::new(format!(
            "the format made no image in {directory}: is it dfs.namenode.name.dir?"
        )));
    }
    let _ = fs::remove_file(&mark);
    Ok(())
}

/// What the config says of a NameNode that has no image; none if it has one, in whichever of its directories.
fn without_image(named: &[Utf8PathBuf], config: &Utf8Path) -> Result<Option<Settings>, Failure> {
    if named.iter().any(has_image) {
        return Ok(None);
    }
    let settings = Settings::read(config)?;
    let all = settings.name_directories(named)?;
    Ok((!all.iter().any(has_image)).then_some(settings))
}

/// Runs the first command of a cluster on a NameNode that only this container sees, unless that was done.
///
/// The mark is there from before the format until the command has succeeded, so one that was killed half way is
/// run again.
fn on_new_namenode(
    directory: &Utf8Path,
    words: &[String],
    children: &Children,
) -> Result<(), Failure> {
    let mark = directory.join(FIRST_MARK);
    if !mark.exists() {
        return Ok(());
    }
    let here = FIRST_NAMENODE.trim_start_matches("hdfs://");
    let rpc = format!("dfs.namenode.rpc-address={here}");
    let namenode = [
        "hdfs",
        "namenode",
        "-D",
        &rpc,
        "-D",
        "dfs.namenode.rpc-bind-host=127.0.0.1",
        "-D",
        "dfs.namenode.http-address=127.0.0.1:0",
        "-fs",
        FIRST_NAMENODE,
    ];
    say(&format!(
        "a new cluster: a NameNode at {here} for NAMENODE_INIT"
    ));
    let beside = children.start_beside(&namenode)?;
    let began = Instant::now();
    let ready = [
        "hdfs",
        "dfsadmin",
        "-fs",
        FIRST_NAMENODE,
        "-safemode",
        "wait",
    ];
    while children.run(&ready)? != 0 {
        if let Some(code) = beside.ended()? {
            return Err(ended(&namenode, code));
        }
        if began.elapsed() >= PATIENCE {
            return Err(Failure::new(format!("no NameNode answers at {here}")));
        }
        thread::sleep(Duration::from_secs(1));
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    must(&words, children)?;
    beside.stop()?;
    fs::remove_file(&mark).map_err(|e| Failure::new(format!("can't remove {mark}: {}", reason(&e))))
}

/// Whether any of this holds something; false only when all `JournalNodes` have said that they don't.
fn is_used(edits: &[Edits]) -> Result<bool, Failure> {
    let mut waiting: Vec<(String, String)> = Vec::new();
    for one in edits {
        match one {
            Edits::Directory(directory) if directory.join("current").exists() => return Ok(true),
            Edits::Directory(_) => {}
            Edits::Journal(servers, journal) => waiting.extend(servers.iter().map(|server| {
                let url = format!(
                    "http://{server}/jmx?qry=Hadoop:service=JournalNode,name=JournalNodeInfo"
                );
                (url, journal.clone())
            })),
        }
    }
    let began = Instant::now();
    let mut said = 0;
    while !waiting.is_empty() {
        let mut silent = Vec::new();
        for (url, journal) in waiting {
            match fetch::text(&url, Duration::from_secs(3))
                .ok()
                .and_then(|text| is_formatted(&text, &journal))
            {
                Some(true) => return Ok(true),
                Some(false) => {}
                None => silent.push((url, journal)),
            }
        }
        waiting = silent;
        if began.elapsed() >= PATIENCE && !waiting.is_empty() {
            return Err(Failure::new(format!(
                "{} JournalNodes do not say whether their journal is in use; nothing is formatted",
                waiting.len()
            )));
        }
        if !waiting.is_empty() {
            if said != waiting.len() {
                said = waiting.len();
                let urls: Vec<&str> = waiting.iter().map(|(url, _)| url.as_str()).collect();
                say(&format!("waiting for {}", urls.join(", ")));
            }
            thread::sleep(Duration::from_secs(1));
        }
    }
    Ok(false)
}

/// What a JournalNode says of a journal; none when it says nothing of journals.
fn is_formatted(answer: &str, journal: &str) -> Option<bool> {
    let answer: serde_json::Value = serde_json::from_str(answer).ok()?;
    let status = answer.get("beans")?.get(0)?.get("JournalsStatus")?;
    let status: serde_json::Value = serde_json::from_str(status.as_str()?).ok()?;
    let formatted = status.get(journal).and_then(|one| one.get("Formatted"));
    Some(formatted.is_some_and(|word| word.as_str() == Some("true") || word == true))
}

/// Fetches the image from another NameNode, as soon as there is one. What a killed try left behind is
/// in this directory only.
fn standby(named: &[Utf8PathBuf], config: &Utf8Path, children: &Children) -> Result<(), Failure> {
    match without_image(named, config)? {
        Some(_) => fetch_image(children),
        None => Ok(()),
    }
}

fn fetch_image(children: &Children) -> Result<(), Failure> {
    let words = [
        "hdfs",
        "namenode",
        "-bootstrapStandby",
        "-force",
        "-nonInteractive",
    ];
    until(&words, children)
}

/// 2: the znode is there. 6: no ZooKeeper answers, or none that has a quorum.
fn zkfc(children: &Children) -> Result<(), Failure> {
    let words = ["hdfs", "zkfc", "-formatZK", "-nonInteractive"];
    repeated(&words, children, &[0, 2], |code| code == 6)
}

/// Initialises a daemon of Ozone once in the life of its volume.
///
/// Ozone makes the directory of `VERSION`, then the file in it, and refuses a directory without one. The
/// mark is there while an init is under way that began with nothing: only then may it be taken away.
fn ozone(daemon: Daemon, version: &Utf8Path, children: &Children) -> Result<(), Failure> {
    let directory = version
        .parent()
        .filter(|directory| directory.file_name() == Some("current"));
    let mark = directory
        .and_then(Utf8Path::parent)
        .map(|above| above.join("init-begun"));
    if !version.exists() {
        if let (Some(directory), Some(mark)) = (directory, &mark) {
            if !directory.exists() {
                // A path that is not Ozone's own need not be writable.
                let _ = files::put_for_good(mark, "");
            } else if mark.exists() {
                remove_begun(directory, version);
            }
        }
        let words = daemon.words();
        say(&format!("{version} is not there: {}", words.join(" ")));
        if daemon.asks() {
            until(&words, children)?;
        } else {
            must(&words, children)?;
        }
        if !version.exists() {
            say(&format!(
                "still {version} is not there, so this is done at each start: is it below \
                    ozone.metadata.dirs?"
            ));
        }
    }
    if let Some(mark) = mark {
        let _ = fs::remove_file(mark);
    }
    Ok(())
}

/// Takes away the directory of a killed init: if it holds more than the begun file, Ozone says so.
fn remove_begun(directory: &Utf8Path, version: &Utf8Path) {
    let _ = fs::remove_file(format!("{version}.tmp"));
    let _ = fs::remove_dir(directory);
}

fn zookeeper_id(file: &Utf8Path, id: &ZookeeperId) -> Result<(), Failure> {
    let id = match id {
        ZookeeperId::Given(id) => id.to_string(),
        ZookeeperId::Host => {
            let host = fetch::host_name();
            let host = host.split('.').next().unwrap_or_default();
            let digits = host.len() - host.trim_end_matches(|c: char| c.is_ascii_digit()).len();
            let number = host.get(host.len() - digits..).unwrap_or_default();
            let number: Option<u8> = number.parse().ok();
            let Some(number) = number else {
                return Err(Failure::new(format!(
                    "the host's name `{host}` does not end in a number up to 255; set ZOOKEEPER_ID"
                )));
            };
            number.to_string()
        }
    };
    let there = files::read(file)?.map(|text| text.trim().to_owned());
    if let Some(other) = there.filter(|there| !there.is_empty() && *there != id) {
        return Err(Failure::new(format!(
            "{file} says {other}, but this is server {id}: the volume belongs to another server"
        )));
    }
    files::put_for_good(file, &format!("{id}\n"))
}

/// Runs a command that must succeed.
fn must(words: &[&str], children: &Children) -> Result<(), Failure> {
    match children.run(words)? {
        0 => Ok(()),
        code => Err(ended(words, code)),
    }
}

/// Runs a command until it succeeds: what it needs may start later.
fn until(words: &[&str], children: &Children) -> Result<(), Failure> {
    repeated(words, children, &[0], |_| true)
}

/// Runs a command, and again after some codes, until it ends with one that is well.
fn repeated(
    words: &[&str],
    children: &Children,
    well: &[u8],
    again: impl Fn(u8) -> bool,
) -> Result<(), Failure> {
    let began = Instant::now();
    let mut pause = Duration::from_secs(1);
    loop {
        let code = children.run(words)?;
        if well.contains(&code) {
            return Ok(());
        }
        if !again(code) || began.elapsed() >= PATIENCE {
            return Err(ended(words, code));
        }
        say(&format!(
            "`{}` ended with {code}; again in {} s",
            masked_words(words.iter().copied()).join(" "),
            pause.as_secs()
        ));
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_secs(15));
    }
}

fn ended(words: &[&str], code: u8) -> Failure {
    Failure {
        message: format!(
            "`{}` ended with {code}",
            masked_words(words.iter().copied()).join(" ")
        ),
        code,
    }
}
