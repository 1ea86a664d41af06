//! Does what a [`Launch`] says: the files, sockets and processes of a container.
//!
//! Owns the order, what is said on the way (standard error, one line each), and the exit codes: the
//! process's own; 126 and 127 as a shell has them for a program that can't be run or is not there; 128
//! and the number for a signal; 1 when something before the process failed. Until the process runs,
//! any signal that means to end it ends this, too.

mod fetch;
mod files;
mod hadoop;
mod process;
mod steps;
mod wait;

use std::convert::Infallible;
use std::thread;

use super::{AgentText, Environment, Garbled, Launch, masked};
use crate::problem::{Problem, Problems};
use process::Children;

/// Why the process does not run.
#[derive(Debug)]
pub struct Failure {
    /// What is said.
    pub message: String,
    /// The exit code.
    pub code: u8,
}

impl Failure {
    fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            code: 1,
        }
    }
}

/// How a launch ended that did not become the process.
#[derive(Debug)]
pub enum Ended {
    /// The process ran beside the launcher, and gave this code.
    Process(u8),
    /// It does not run.
    Failed(Failure),
}

/// The variables of this process, and which of them are not UTF-8: these reach the process, too, but
/// nothing can be read from them.
pub fn environment() -> (Environment, Garbled) {
    let mut garbled = Garbled::new();
    let pairs = std::env::vars_os();
    let texts = pairs.map(|(name, value)| {
        let is_text = name.to_str().is_some() && value.to_str().is_some();
        let name = name.to_string_lossy().into_owned();
        if !is_text {
            garbled.insert(name.clone());
        }
        (name, value.to_string_lossy().into_owned())
    });
    (texts.collect(), garbled)
}

/// Reports what can't be done by what is there already, which is read and not changed: config files that
/// entries are to be laid over, and the defaults of an image. `None` when there is any.
pub fn check(launch: &Launch, problems: &mut Problems) -> Option<()> {
    let before = problems.errors();
    // What is fetched may bring them.
    let comes = launch.clone.is_some() || !launch.downloads.is_empty();
    let defaults = match files::defaults_of(&launch.defaults) {
        Ok(defaults) => defaults,
        Err(_) if comes => None,
        Err(failure) => {
            problems.add(Problem::error("no-directory", failure.message));
            None
        }
    };
    for file in &launch.files {
        // A default comes to the place of the base first.
        let copied = defaults
            .zip(file.path.file_name())
            .map(|(directory, name)| directory.join(name))
            .filter(|copied| file.base.as_ref() == Some(&file.path) && copied.is_file());
        let base = copied.as_deref().or(file.base.as_deref());
        let reasons = files::config_text(file, base).err();
        for reason in reasons.into_iter().flatten() {
            problems.add(Problem::error("corrupted", reason));
        }
    }
    (problems.errors() == before).then_some(())
}

/// Does it. With `init` the process runs beside the launcher, which reaps whatever it leaves behind;
/// else it takes the launcher's place, and this does not return unless something failed.
pub fn run(launch: &Launch, env: &Environment, init: bool) -> Ended {
    let children = match Children::watch() {
        Ok(children) => children,
        Err(e) => return Ended::Failed(Failure::new(format!("no signal can be caught: {e}"))),
    };
    if let Err(failure) = prepare(launch, &children) {
        return Ended::Failed(failure);
    }
    let beside = init || launch.retry.is_some() || !launch.pause_after.is_zero();
    if beside {
        return match beside_us(launch, env, &children) {
            Ok(code) => Ended::Process(code),
            Err(failure) => Ended::Failed(failure),
        };
    }
    let variables = process::with_options(env, launch.agents.as_ref());
    let Err(failure) = process::exec(&launch.words, &variables);
    Ended::Failed(failure)
}

fn prepare(launch: &Launch, children: &Children) -> Result<(), Failure> {
    files::own(&launch.owned, launch.user)?;
    if let Some(user) = launch.user {
        // Later there is nobody who may.
        if let Some(kerberos) = launch.kerberos.as_ref().filter(|_| process::is_root()) {
            fetch::kerberos_settings(kerberos)?;
        }
        process::become_user(user)?;
    }
    if let Some((url, to)) = &launch.clone {
        steps::clone(url, to, children)?;
    }
    for download in &launch.downloads {
        fetch::download(download, launch.directory.as_deref())?;
    }
    if let Some(waits) = &launch.waits {
        wait::for_all(waits)?;
    }
    if !launch.pause.is_zero() {
        say(&format!("sleeping {} s", launch.pause.as_secs_f32()));
        thread::sleep(launch.pause);
    }
    if let Some(directory) = &launch.directory {
        files::defaults(&launch.defaults, directory)?;
    }
    files::config(&launch.files)?;
    if let Some(kerberos) = &launch.kerberos {
        fetch::kerberos_settings(kerberos)?;
        fetch::kerberos(kerberos)?;
    }
    for step in &launch.steps {
        steps::take(step, children)?;
    }
    for file in &launch.agent_files {
        match &file.from {
            AgentText::Here(text) => files::put(&file.path, text)?,
            AgentText::Fetched(download) => fetch::download(download, None)?,
        }
    }
    Ok(())
}

/// Runs the process beside the launcher, again if that was asked for.
fn beside_us(launch: &Launch, env: &Environment, children: &Children) -> Result<u8, Failure> {
    let variables = process::with_options(env, launch.agents.as_ref());
    let mut run = 1;
    let code = loop {
        let (code, lasted) = children.run_as_init(&launch.words, &variables)?;
        let again = launch
            .retry
            .filter(|retry| code != 0 && run < retry.times && lasted < retry.normal);
        let Some(retry) = again.filter(|_| !children.stopping()) else {
            break code;
        };
        let pause = retry.pause * run.min(6);
        say(&format!(
            "it ended with {code} after {} s; run {} of {} in {} s",
            lasted.as_secs(),
            run + 1,
            retry.times,
            pause.as_secs_f32()
        ));
        thread::sleep(pause);
        run += 1;
    };
    if !launch.pause_after.is_zero() && !children.stopping() {
        say(&format!(
            "it ended with {code}; sleeping {} s",
            launch.pause_after.as_secs_f32()
        ));
        thread::sleep(launch.pause_after);
    }
    Ok(code)
}

/// Says something to whoever reads the container's log, but no secret.
fn say(text: &str) {
    use std::io::Write as _;
    let _ = writeln!(std::io::stderr(), "flokkr launch: {}", masked(text));
}

/// The words of an error of the system, without its number.
fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    let words = text.split(" (os error").next().unwrap_or(&text);
    words.to_lowercase()
}

/// A function that gives only errors.
type Never<T> = Result<Infallible, T>;
