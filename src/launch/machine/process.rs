//! Processes: those that prepare, and the one that all is for.
//!
//! Owns signals and exit codes. Whoever is process 1 gets no signal that it did not ask for, so this
//! asks for those that mean to end something, and hands them to the child that runs, or ends.

use std::cell::RefCell;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, WaitOptions};
use signal_hook::consts::{SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGWINCH};

use super::{Failure, Never, reason, say};
use crate::launch::Environment;

/// Signals that mean to end the process.
const ENDING: [i32; 4] = [SIGTERM, SIGINT, SIGQUIT, SIGHUP];

/// Signals that mean something else to it.
const OTHERS: [i32; 3] = [SIGUSR1, SIGUSR2, SIGWINCH];

/// What signals are handed to.
#[derive(Default)]
struct State {
    child: Option<Pid>,
    beside: Option<Pid>,
    stopped_by: Option<i32>,
}

/// The children of the launcher, one at a time.
pub(super) struct Children {
    state: Arc<Mutex<State>>,
}

impl Children {
    /// Begins to catch signals.
    pub(super) fn watch() -> io::Result<Self> {
        let state = Arc::new(Mutex::new(State::default()));
        let all = ENDING.iter().chain(&OTHERS);
        let mut signals = signal_hook::iterator::Signals::new(all)?;
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for signal in signals.forever() {
                let mut state = shared.lock().unwrap_or_else(PoisonError::into_inner);
                let ends = ENDING.contains(&signal);
                if let Some(beside) = state.beside.filter(|_| ends) {
                    let _ = rustix::process::kill_process(beside, Signal::TERM);
                }
                match (state.child, Signal::from_named_raw(signal)) {
                    (Some(child), Some(named)) => {
                        if ends {
                            state.stopped_by = Some(signal);
                        }
                        let _ = rustix::process::kill_process(child, named);
                    }
                    _ if ends => std::process::exit(128 + signal),
                    _ => {}
                }
            }
        });
        Ok(Self { state })
    }

    /// Whether a signal has asked for the end.
    pub(super) fn stopping(&self) -> bool {
        self.lock().stopped_by.is_some()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a command to its end and gives its exit code. A signal that ended it ends the launcher.
    pub(super) fn run(&self, words: &[&str]) -> Result<u8, Failure> {
        let mut command = command(words)?;
        let status = self.wait(&mut command, Child::wait);
        let status = status.map_err(|e| not_run(words, &e))?;
        if let Some(signal) = self.lock().stopped_by {
            std::process::exit(128 + signal);
        }
        Ok(code(status))
    }

    /// Starts a server that is there as long as what is returned.
    pub(super) fn start_beside(&self, words: &[&str]) -> Result<Beside<'_>, Failure> {
        let mut command = command(words)?;
        let mut state = self.lock();
        let child = command.spawn();
        let child = child.map_err(|e| not_run(words, &e))?;
        state.beside = Some(Pid::from_child(&child));
        drop(state);
        Ok(Beside {
            children: self,
            child: RefCell::new(child),
        })
    }

    /// Runs the process as its init: gives its exit code and how long it ran, and reaps whatever else
    /// ends meanwhile.
    pub(super) fn run_as_init(
        &self,
        words: &[OsString],
        env: &Environment,
    ) -> Result<(u8, Duration), Failure> {
        let began = Instant::now();
        // Orphans of the process come here, whoever is process 1.
        let own = rustix::process::getpid();
        rustix::process::set_child_subreaper(Some(own))
            .map_err(|e| Failure::new(format!("can't be an init: {e}")))?;
        let mut command = command(words)?;
        command.envs(env);
        let status = self.wait(&mut command, |child| {
            let own = Pid::from_child(child);
            loop {
                match rustix::process::wait(WaitOptions::empty()) {
                    Ok(Some((pid, status))) if pid == own => {
                        return Ok(ExitStatus::from_raw(status.as_raw()));
                    }
                    Ok(_) | Err(rustix::io::Errno::INTR) => {}
                    Err(e) => return Err(e.into()),
                }
            }
        });
        let status = status.map_err(|e| not_run(words, &e))?;
        Ok((code(status), began.elapsed()))
    }

    /// Starts a child and waits for it, with signals handed to it.
    fn wait(
        &self,
        command: &mut Command,
        wait: impl Fn(&mut Child) -> io::Result<ExitStatus>,
    ) -> io::Result<ExitStatus> {
        let mut child = {
            // Held while it starts, so that no signal falls between.
            let mut state = self.lock();
            let child = command.spawn()?;
            state.child = Some(Pid::from_child(&child));
            child
        };
        let status = wait(&mut child);
        self.lock().child = None;
        status
    }
}

/// A server beside the children, for as long as it is needed.
pub(super) struct Beside<'a> {
    children: &'a Children,
    child: RefCell<Child>,
}

/// So long a server has to end by itself.
const GRACE: Duration = Duration::from_secs(60);

impl Beside<'_> {
    /// Its exit code, if it has ended.
    pub(super) fn ended(&self) -> Result<Option<u8>, Failure> {
        let status = self.child.borrow_mut().try_wait();
        let status = status.map_err(|e| Failure::new(format!("can't wait: {}", reason(&e))))?;
        Ok(status.map(code))
    }

    /// Ends it, and waits until it has.
    pub(super) fn stop(self) -> Result<(), Failure> {
        let own = Pid::from_child(&self.child.borrow());
        if self.ended()?.is_none() {
            let _ = rustix::process::kill_process(own, Signal::TERM);
        }
        let began = Instant::now();
        while self.ended()?.is_none() && began.elapsed() < GRACE {
            thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }
}

impl Drop for Beside<'_> {
    fn drop(&mut self) {
        self.children.lock().beside = None;
        let child = self.child.get_mut();
        let _ = child.kill();
        let _ = child.wait();
    }
}

/// The variables of the process: what agents need is added to the options that are there.
pub(super) fn with_options(env: &Environment, agents: Option<&(String, String)>) -> Environment {
    let mut changed = Environment::new();
    if let Some((variable, options)) = agents {
        let before = env.get(variable).map(|given| given.trim_end());
        let value = match before {
            Some(given) if !given.is_empty() => format!("{given} {options}"),
            _ => options.clone(),
        };
        changed.insert(variable.clone(), value);
    }
    changed
}

/// Becomes the process.
pub(super) fn exec(words: &[OsString], env: &Environment) -> Never<Failure> {
    let mut command = command(words)?;
    let error = command.envs(env).exec();
    Err(not_run(words, &error))
}

/// Whether this is root.
pub(super) fn is_root() -> bool {
    rustix::process::geteuid().is_root()
}

/// Becomes this launcher again as another user, unless it is that already.
pub(super) fn become_user((uid, gid): (u32, u32)) -> Result<(), Failure> {
    let own = rustix::process::geteuid();
    let group = rustix::process::getegid().as_raw();
    if own.as_raw() == uid && (group == gid || !own.is_root()) {
        if group != gid {
            say(&format!(
                "user {uid} stays in the group {group}: only root can become {uid}:{gid}"
            ));
        }
        return Ok(());
    }
    if !own.is_root() {
        let text = format!(
            "only root can become user {uid}, and this is {}",
            own.as_raw()
        );
        return Err(Failure::new(text));
    }
    let mut command = Command::new("/proc/self/exe");
    command.args(std::env::args_os().skip(1)).arg0("flokkr");
    command.uid(uid).gid(gid);
    for done in ["FLOKKR_USER", "FLOKKR_OWNED", "PERMISSION_FIX"] {
        command.env_remove(done);
    }
    if let Some(home) = home(uid) {
        command.env("HOME", home);
    }
    let error = command.exec();
    Err(Failure::new(format!(
        "can't go on as user {uid}:{gid}: {}",
        reason(&error)
    )))
}

/// The home of a user, by `/etc/passwd`.
fn home(uid: u32) -> Option<String> {
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    users.lines().find_map(|line| {
        let mut fields = line.split(':');
        let number = fields.nth(2)?;
        (number.parse() == Ok(uid)).then(|| fields.nth(2).map(str::to_owned))?
    })
}

fn command(words: &[impl AsRef<OsStr>]) -> Result<Command, Failure> {
    let Some((program, arguments)) = words.split_first() else {
        return Err(Failure::new("there is no command to run"));
    };
    let mut command = Command::new(program);
    command.args(arguments);
    Ok(command)
}

/// The failure of a program that did not start, with the exit code that a shell would give.
fn not_run(words: &[impl AsRef<OsStr>], error: &io::Error) -> Failure {
    let program = words
        .first()
        .map(|program| program.as_ref().to_string_lossy());
    let program = program.unwrap_or_default();
    let is_there = |path: &Path| path.is_file();
    let found = if program.contains('/') {
        is_there(Path::new(&*program))
    } else {
        let places = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&places).any(|place| is_there(&place.join(&*program)))
    };
    let (what, code) = match error.kind() {
        io::ErrorKind::NotFound if found => (
            format!(
                "`{program}` can't be run: what its first line names, or its loader, is not there"
            ),
            126,
        ),
        io::ErrorKind::NotFound if program.contains(char::is_whitespace) => (
            format!("there is no program `{program}`: write the command as a list of words"),
            127,
        ),
        io::ErrorKind::NotFound => (format!("there is no program `{program}`"), 127),
        io::ErrorKind::PermissionDenied => (format!("`{program}` may not be run"), 126),
        _ => (format!("can't run `{program}`: {}", reason(error)), 126),
    };
    Failure {
        message: what,
        code,
    }
}

/// The exit code, as a shell gives it.
fn code(status: ExitStatus) -> u8 {
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}
