//! `flokkr up`: runs a cluster on this machine.
//!
//! Thin on purpose: what it does is what a person would do with the files that it writes. Whatever
//! moment it is ended at, `flokkr down` cleans what is there.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::{IsTerminal as _, Write as _};
use std::thread;
use std::time::{Duration, Instant};

use camino::{Utf8Path, Utf8PathBuf};

use super::{DRIFT, SAME, Session, local};
use crate::cli::Up;
use crate::machine::{self, Beside};
use crate::pipeline::Lowered;
use crate::plan;
use crate::problem::{Problem, Problems};
use crate::target::{self, Account, Layout, Phase, Reach, Runner, State};
use crate::workspace::{self, Place};

/// Between two looks at what runs.
const LOOK: Duration = Duration::from_millis(700);

pub(super) fn run(typed: &Up, session: &mut Session) -> Option<u8> {
    let Up {
        blueprint,
        input,
        state,
        timeout,
        launcher,
    } = typed;
    let (target, runner) = local::runner()?;
    let state = session.state(state.as_deref())?;
    let loaded = session.cluster(blueprint.as_deref(), input)?;
    let base = match workspace::absolute(&loaded.loader.directory) {
        Ok(base) => base,
        Err(reason) => return session.fail("io", reason),
    };
    let name = loaded.cluster.blueprint.name.value.clone();
    let directory = state.join(&name);
    let Lowered {
        files,
        plan,
        configured,
        ..
    } = session.lowered(&loaded, target, Layout::Started)?;
    let mut account = Account::open(target, &*configured, &loaded.cluster.accepts);
    let reach = configured.within_reach(&plan, &mut account);
    let mut written = vec![(directory.join(target.name()), files)];
    let builder = target::ALL.iter().find(|t| t.builds());
    if let Some(builder) = builder.filter(|_| !reach.built.is_empty()) {
        let contexts = session.emit(&loaded, builder.name(), Layout::Several)?;
        written.push((directory.join(builder.name()), contexts));
    }
    let contexts = builder.map(|builder| directory.join(builder.name()));
    let archives = archives(&reach, contexts.as_deref(), &base, session);
    session.denied(input)?;
    let archives = archives?;
    session.tools(runner)?;
    free_ports(&name, &reach, runner, session)?;
    let paths = std::mem::take(&mut session.programs);
    let mut count = 0;
    for (folder, files) in &written {
        let paths: &[Utf8PathBuf] = if contexts.as_ref() == Some(folder) {
            &paths
        } else {
            &[]
        };
        let programs = workspace::Programs {
            paths,
            from: launcher.as_deref(),
        };
        count += put(folder, files, programs, session)?;
    }
    for (from, to) in &archives {
        if let Err(reason) = workspace::place_archive(from, to) {
            return session.fail("not-written", reason);
        }
    }
    // Warnings come before the cluster does.
    session.report();
    session.problems = Problems::default();
    session.problems.wrote(count);
    if !images(&reach, contexts.as_deref(), runner, session)? {
        return Some(DRIFT);
    }
    let file = written.first().and_then(|(folder, files)| {
        let file = files.first()?;
        Some(folder.join(&file.path))
    })?;
    let project = Project {
        name: &name,
        file: &file,
        base: &base,
        log: directory.join("up.log"),
        runner,
    };
    let began = Instant::now();
    if !project.start(Duration::from_secs(*timeout), session)? {
        return Some(DRIFT);
    }
    session.say(&format!(
        "\n{name} is up after {} s",
        began.elapsed().as_secs()
    ));
    session.print(&welcome(&project, &reach))?;
    Some(SAME)
}

fn put(
    folder: &Utf8Path,
    files: &[crate::file::File],
    programs: workspace::Programs<'_>,
    session: &mut Session,
) -> Option<usize> {
    let options = workspace::Options {
        overwrite: true,
        prune: true,
        whole: true,
    };
    match workspace::write(folder, files, programs, options) {
        Ok(outcome) => {
            session.problems.wrote(outcome.written.len());
            Some(outcome.written.len())
        }
        Err(failure) => {
            session.problems.wrote(failure.done.written.len());
            for reason in failure.reasons {
                session.fail::<()>("not-written", reason);
            }
            None
        }
    }
}

/// What images are built from and is not in their contexts: where it is, and where it goes. It stands
/// beside the blueprint, unless someone put it into the context by hand.
fn archives(
    reach: &Reach,
    contexts: Option<&Utf8Path>,
    base: &Utf8Path,
    session: &mut Session,
) -> Option<Vec<(Utf8PathBuf, Utf8PathBuf)>> {
    let mut found = Vec::new();
    let mut whole = true;
    for (built, contexts) in reach.built.iter().zip(contexts.iter().cycle()) {
        let Some(archive) = &built.archive else {
            continue;
        };
        let name = archive.value.trim_end_matches('/');
        let (from, to) = (base.join(name), contexts.join(&built.folder).join(name));
        if workspace::place(&from) != Place::Free {
            found.push((from, to));
        } else if workspace::place(&to) == Place::Free {
            let problem = Problem::error("no-archive", format!("there is no {from}"))
                .at(archive.span)
                .label(format!("{} is built from it", built.image))
                .help(format!("put it there, or to {to}"));
            session.problems.add(problem);
            whole = false;
        }
    }
    whole.then_some(found)
}

/// Ports that others have, all of them; those that this cluster has already are fine.
fn free_ports(name: &str, reach: &Reach, runner: &dyn Runner, session: &mut Session) -> Option<()> {
    let states = session.states(runner, name)?;
    let own: Vec<u16> = states.into_iter().flat_map(|state| state.ports).collect();
    let taken = reach
        .ports
        .iter()
        .filter(|port| !own.contains(&port.number) && machine::is_taken(&port.host, port.number));
    let mut free = Some(());
    for port in taken {
        let text = format!(
            "port {} of this machine is taken: {} publishes its `{}` there",
            port.number, port.service, port.name
        );
        let help = "end whatever listens there (`ss -ltnp`, `flokkr status`), or publish on another \
            number: `publish` of the port in a blueprint that includes this one";
        session
            .problems
            .add(Problem::error("port-taken", text).help(help));
        free = None;
    }
    free
}

/// Builds and fetches what is not there; all failures are told.
fn images(
    reach: &Reach,
    contexts: Option<&Utf8Path>,
    runner: &dyn Runner,
    session: &mut Session,
) -> Option<bool> {
    let mut there = true;
    let built = contexts.iter().flat_map(|contexts| {
        let built = reach.built.iter();
        built.map(move |built| (&built.image, contexts.join(&built.folder)))
    });
    for (image, context) in built {
        session.say(&format!("building {image}"));
        if !machine::show(&runner.build(image, &context)).unwrap_or(false) {
            trouble(&format!("{image} can't be built: see above"), "", session);
            there = false;
        }
    }
    for image in &reach.pulled {
        if session.ask(&runner.has_image(image))?.is_good() {
            continue;
        }
        session.say(&format!("fetching {image}"));
        if !machine::show(&runner.pull(image)).unwrap_or(false) {
            let text = format!("{image} is not here and can't be fetched: see above");
            let help = "is there a way to its registry? An image of one's own can stand in: \
                `build` of the image, or its `ref`, in a blueprint that includes this one";
            trouble(&text, help, session);
            there = false;
        }
    }
    Some(there)
}

/// Says what went wrong on this machine, when files are written already.
fn trouble(text: &str, help: &str, session: &Session) {
    session.say(&format!("error: {text}"));
    if !help.is_empty() {
        session.say(&format!("  = help: {help}"));
    }
}

/// A project that is started.
struct Project<'a> {
    name: &'a str,
    file: &'a Utf8Path,
    base: &'a Utf8Path,
    log: Utf8PathBuf,
    runner: &'a dyn Runner,
}

impl Project<'_> {
    /// Starts it, and waits until everything is well.
    fn start(&self, limit: Duration, session: &mut Session) -> Option<bool> {
        let listed = session.ask(&self.runner.services(self.name, self.file))?;
        if !listed.is_good() {
            let text = format!("{} is refused: {}", self.file, listed.last_line());
            trouble(&text, "", session);
            return Some(false);
        }
        let services: Vec<&str> = listed.out.lines().map(str::trim).collect();
        let words = self.runner.start(self.name, self.file, self.base);
        let mut starting = match Beside::start(&words, &self.log) {
            Ok(starting) => starting,
            Err(e) => return session.fail("no-tool", format!("can't start {}: {e}", self.name)),
        };
        let began = Instant::now();
        let mut progress = Progress::new(&services);
        loop {
            let ended = starting.ended();
            let states = session.states(self.runner, self.name)?;
            progress.show(&states, began.elapsed(), session);
            let well = |service: &&str| {
                let mut own = states.iter().filter(|state| state.service == **service);
                own.clone().next().is_some() && own.all(|state| state.phase.is_good())
            };
            if ended == Some(false) {
                return self.failed(
                    &states,
                    "a container that others need did not come up",
                    session,
                );
            }
            if ended == Some(true) && services.iter().all(well) {
                return Some(true);
            }
            let broken = |state: &State| matches!(state.phase, Phase::Ended(code) if code != 0);
            if ended == Some(true) && states.iter().any(broken) {
                return self.failed(&states, "a container ended", session);
            }
            if began.elapsed() >= limit {
                starting.end();
                let what = format!("not everything is healthy after {} s", limit.as_secs());
                return self.failed(&states, &what, session);
            }
            thread::sleep(LOOK);
        }
    }

    /// Says what is not well, with the last lines of what it said.
    fn failed(&self, states: &[State], what: &str, session: &mut Session) -> Option<bool> {
        let bad = |state: &&State| !state.phase.is_good() && state.phase != Phase::Waiting;
        let mut told = false;
        for state in states.iter().filter(bad) {
            told = true;
            session.say(&format!("\n{}: {}", state.service, state.phase));
            let log = session.ask(&self.runner.log(&state.container))?;
            let lines = [log.out, log.complaint].concat();
            for line in lines.lines() {
                session.say(&format!("  {line}"));
            }
        }
        if !told {
            let log = workspace::text(&self.log).unwrap_or_default();
            for line in log.lines().rev().take(10).collect::<Vec<_>>().iter().rev() {
                session.say(&format!("  {line}"));
            }
        }
        let name = self.name;
        let help = format!("what is there stays: `flokkr status {name}`, `flokkr down {name}`");
        trouble(&format!("{name} is not up: {what}"), &help, session);
        Some(false)
    }
}

/// What is shown while it starts: a line for each service, rewritten on a terminal, else said when it
/// changes.
struct Progress {
    services: Vec<String>,
    phases: BTreeMap<String, String>,
    terminal: bool,
    shown: usize,
}

impl Progress {
    fn new(services: &[&str]) -> Self {
        Self {
            services: services.iter().map(|&s| s.to_owned()).collect(),
            phases: BTreeMap::new(),
            terminal: std::io::stderr().is_terminal(),
            shown: 0,
        }
    }

    fn show(&mut self, states: &[State], elapsed: Duration, session: &Session) {
        let mut changed = Vec::new();
        for service in &self.services {
            let mut own = states.iter().filter(|state| state.service == *service);
            let worst = own.clone().find(|state| !state.phase.is_good());
            let phase = worst.or_else(|| own.next()).map(|state| state.phase);
            let phase = phase.unwrap_or(Phase::Waiting).to_string();
            if self.phases.get(service) != Some(&phase) {
                changed.push((service.clone(), phase.clone()));
                let seconds = elapsed.as_secs();
                self.phases.insert(service.clone(), phase);
                if !self.terminal {
                    let (service, phase) = changed.last().cloned().unwrap_or_default();
                    // What all begin with is no news.
                    if seconds > 0 || phase != Phase::Waiting.to_string() {
                        session.say(&format!("{seconds:>4} s  {service}: {phase}"));
                    }
                }
            }
        }
        if !self.terminal || (changed.is_empty() && self.shown > 0) {
            return;
        }
        let width = self.services.iter().map(String::len).max().unwrap_or(0);
        let mut text = String::new();
        if self.shown > 0 {
            let _ = write!(text, "\x1b[{}A", self.shown);
        }
        for service in &self.services {
            let phase = self.phases.get(service).map_or("", String::as_str);
            let _ = writeln!(text, "\x1b[2K  {service:<width$}  {phase}");
        }
        self.shown = self.services.len();
        let mut out = anstream::stderr();
        let _ = out.write_all(text.as_bytes());
        let _ = out.flush();
    }
}

/// What a person does first.
fn welcome(project: &Project<'_>, reach: &Reach) -> String {
    let Project { name, runner, .. } = project;
    let mut out = String::new();
    for port in &reach.ports {
        let host = match port.host.as_str() {
            "0.0.0.0" | "::" => "localhost",
            host => host,
        };
        let scheme = if port.web { "http://" } else { "" };
        let address = format!("{scheme}{host}:{}", port.number);
        let _ = writeln!(out, "  {address:<30} {} {}", port.service, port.name);
    }
    let _ = writeln!(out, "\nTry:");
    for (service, words, about) in &reach.tries {
        let line = runner.execute(name, service, words);
        let quoted: Vec<String> = line.iter().map(|word| plan::quote(word)).collect();
        let about = about.as_ref().map(|about| format!("   # {about}"));
        let _ = writeln!(out, "  {}{}", quoted.join(" "), about.unwrap_or_default());
    }
    let _ = writeln!(out, "  flokkr status {name}");
    let _ = writeln!(
        out,
        "  flokkr down {name}   # its data stays, unless --volumes"
    );
    out
}
