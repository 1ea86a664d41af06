//! This machine: programs that a command runs, and ports that it needs.
//!
//! Knows no program by name. What a program says is given back as text; what it means is for whoever
//! asked.

use std::fs::File;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::process::{Child, Command, Stdio};

use camino::Utf8Path;

/// What a program gave.
#[derive(Debug)]
pub struct Answer {
    /// Its exit code; none when a signal ended it.
    pub code: Option<i32>,
    /// What it printed.
    pub out: String,
    /// What it complained of.
    pub complaint: String,
}

impl Answer {
    /// It succeeded.
    pub fn is_good(&self) -> bool {
        self.code == Some(0)
    }

    /// The last line of what it said, for a report.
    pub fn last_line(&self) -> &str {
        let said = [&self.complaint, &self.out];
        let lines = said.iter().flat_map(|text| text.lines().rev());
        let mut lines = lines.map(str::trim).filter(|line| !line.is_empty());
        lines.next().unwrap_or("it said nothing")
    }
}

/// Runs a program to its end; `None` when there is no such program.
///
/// # Errors
/// That it can't be run.
pub fn ask(words: &[String]) -> io::Result<Option<Answer>> {
    let Some(mut command) = command(words) else {
        return Ok(None);
    };
    match command.stdin(Stdio::null()).output() {
        Ok(output) => Ok(Some(Answer {
            code: output.status.code(),
            out: String::from_utf8_lossy(&output.stdout).into_owned(),
            complaint: String::from_utf8_lossy(&output.stderr).into_owned(),
        })),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(e),
    }
}

/// Runs a program to its end with what it says seen by whoever typed the command, on standard error:
/// whether it succeeded.
///
/// # Errors
/// That it can't be run.
pub fn show(words: &[String]) -> io::Result<bool> {
    let Some(mut command) = command(words) else {
        return Ok(false);
    };
    let seen = std::os::fd::AsFd::as_fd(&io::stderr()).try_clone_to_owned()?;
    let status = command.stdin(Stdio::null()).stdout(seen).status()?;
    Ok(status.success())
}

/// A program that runs beside this one, what it says going to a file.
pub struct Beside(Child);

impl Beside {
    /// Starts it.
    ///
    /// # Errors
    /// That it can't be run, or the file not be made.
    pub fn start(words: &[String], log: &Utf8Path) -> io::Result<Self> {
        let mut command = command(words).ok_or(io::ErrorKind::NotFound)?;
        let log = File::create(log)?;
        command.stdin(Stdio::null());
        command.stdout(log.try_clone()?).stderr(log);
        command.spawn().map(Self)
    }

    /// Whether it succeeded, once it has ended.
    pub fn ended(&mut self) -> Option<bool> {
        match self.0.try_wait() {
            Ok(None) => None,
            Ok(Some(status)) => Some(status.success()),
            Err(_) => Some(false),
        }
    }

    /// Ends it.
    pub fn end(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn command(words: &[String]) -> Option<Command> {
    let (program, arguments) = words.split_first()?;
    let mut command = Command::new(program);
    command.args(arguments);
    Some(command)
}

/// Is a port of this machine taken?
pub fn is_taken(host: &str, port: u16) -> bool {
    let Ok(address) = host.parse::<IpAddr>() else {
        return false;
    };
    let tried = TcpListener::bind(SocketAddr::new(address, port));
    tried.is_err_and(|e| e.kind() == io::ErrorKind::AddrInUse)
}
