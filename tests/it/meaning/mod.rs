//! What the emitted files say to whoever runs them, held against the plan and against each other.
//!
//! Each target has a reader here that takes its files as the platform takes them, and gives every
//! process of every replica with its variables, files and words ([`process`]). The plan says the
//! same in its own way ([`planned`]), and [`compare`] finds what is not alike. [`random`] does it
//! for made-up blueprints, [`once`] for those that were wrong, and [`fit`] for the piece that finds
//! one text for all replicas.

mod compare;
pub mod compose;
mod explained;
mod fit;
mod kubernetes;
pub mod nomad;
mod once;
mod planned;
pub mod process;
mod random;
mod shell;
pub mod yaml;

use camino::{Utf8Path, Utf8PathBuf};
use flokkr::blueprint;
use flokkr::file::File;
use flokkr::plan::{self, Plan};
use flokkr::problem::{self, Problems, Style};
use flokkr::resolve::Loader;
use flokkr::target::{self, Configured, Layout, Target};
use flokkr::template::Engine;
use flokkr::workspace::FileLoader;

use crate::blueprints;
use crate::support::{Resolved, each, first_target, path, resolve_with, text};
use compare::{AllFacts, Translation, Voice, differences, report};
use process::{Cluster, Outline};

/// How the files of a target are read.
#[derive(Clone, Copy)]
enum Reads {
    /// What is run, by this reader; it gives none for files that another program unpacks first.
    Processes(Reader),
    /// It runs nothing: it makes images, say.
    Nothing,
}

type Reader = fn(&[File], &Outline) -> Option<Cluster>;

/// The reader of each target, by its name: a file beside this one for each that runs processes.
const READERS: &[(&str, Reads)] = &[
    (
        "compose",
        Reads::Processes(|f, o| Some(compose::read(f, o))),
    ),
    ("kubernetes", Reads::Processes(kubernetes::read)),
    ("docker", Reads::Nothing),
    ("nomad", Reads::Processes(|f, o| Some(nomad::read(f, o)))),
];

fn reader(target: &dyn Target) -> Reads {
    let name = target.name();
    let found = READERS.iter().find(|(n, _)| *n == name);
    let Some((_, reads)) = found else {
        panic!(
            "nothing reads what the target `{name}` emits: write tests/it/meaning/{name}.rs and name it in READERS \
             in tests/it/meaning/mod.rs; a target that runs no processes is `Reads::Nothing` there"
        );
    };
    *reads
}

/// A blueprint for one target: what is planned, and what the files say.
struct Heard {
    target: &'static dyn Target,
    planned: Cluster,
    said: Cluster,
    /// To the names of the first target.
    translation: Translation,
    facts: AllFacts,
}

/// What came of a blueprint.
enum Outcome {
    Heard(Box<Heard>),
    /// The target runs nothing.
    Silent,
    /// The target refuses it, with these words.
    Refused(Problems, String),
}

/// Emits a blueprint and reads the files back.
fn hear(name: &str, text: &str, loader: &dyn Loader, target: &'static dyn Target) -> Outcome {
    let Reads::Processes(read) = reader(target) else {
        return Outcome::Silent;
    };
    let mut resolved = resolve_with(name, text, loader);
    let Some(files) = resolved.emit(target, Layout::Objects) else {
        let said = problem::text(&resolved.problems, &resolved.sources, Style::Plain);
        return Outcome::Refused(resolved.problems, said);
    };
    let configured = configure(target, &resolved);
    let common = configure(first_target(), &resolved);
    let cluster = resolved.cluster.as_ref().unwrap();
    let mut problems = Problems::default();
    let addressing = configured.addressing();
    let plan = plan::build(cluster, addressing, &resolved.sources, &mut problems);
    let translation = Translation::new(&plan, addressing, common.addressing());
    let outline = Outline::new(&plan);
    let said = read(&files, &outline).expect("files that can be read as they are");
    for (place, process) in &said {
        // An engine starts nothing with another path.
        let paths = process.files.keys().chain(process.secrets.keys());
        let mut relative = paths
            .chain(&process.volumes)
            .filter(|path| !path.starts_with('/'));
        assert_eq!(relative.next(), None, "{place}");
    }
    let lowered = resolved.lower(target).unwrap();
    explained::agrees(cluster, &lowered, target, &resolved.sources, &said);
    for layout in [Layout::Several, Layout::Single] {
        // A package, say, can't be one file.
        let files = resolved.emit(target, layout).unwrap_or_default();
        if let Some(other) = read(&files, &outline).filter(|_| !files.is_empty()) {
            assert_eq!(said, other, "the layout {layout:?} says something else");
        }
    }
    Outcome::Heard(Box::new(heard(target, &plan, &outline, said, translation)))
}

fn heard(
    target: &'static dyn Target,
    plan: &Plan,
    outline: &Outline,
    mut said: Cluster,
    translation: Translation,
) -> Heard {
    let facts = planned::facts(plan);
    let mut planned = planned::planned(plan, outline);
    for (place, process) in &mut said {
        // A carrier that the blueprint has itself is a variable like the others.
        let known = planned.get(place).map(|p| &p.environment);
        let is_known = |name: &String| known.is_some_and(|k| k.contains_key(name));
        let carriers = std::mem::take(&mut process.carriers);
        for name in carriers.iter().filter(|name| !is_known(name)) {
            process.environment.remove(name);
        }
    }
    for (place, process) in planned.iter_mut().chain(&mut said) {
        let known = facts.get(&(place.service.clone(), place.role.clone()));
        process.settle(known.unwrap_or_else(|| panic!("{place} is not planned")));
    }
    Heard {
        target,
        planned,
        said,
        translation,
        facts,
    }
}

fn configure(target: &dyn Target, resolved: &Resolved<'_>) -> Box<dyn Configured> {
    let cluster = resolved.cluster.as_ref().unwrap();
    let settings = cluster.blueprint.targets.get(target.name());
    let mut reader = blueprint::Reader {
        problems: &mut Problems::default(),
        sources: &resolved.sources,
        engine: &Engine::default(),
        contexts: std::slice::from_ref(&cluster.vars),
        variable: &|_| None,
        unsure: false,
    };
    let configured = target.configure(settings.map(|raw| &raw.0), &mut reader);
    configured.expect("settings without a problem")
}

/// Every process of a blueprint, as each target that runs any has it, by the target's name. All must take it.
pub fn processes(text: &str) -> Vec<(&'static str, Cluster)> {
    let mut all = Vec::new();
    for target in target::ALL {
        match hear("test.yaml", text, &no_loader(), *target) {
            Outcome::Heard(heard) => all.push((target.name(), heard.said)),
            Outcome::Silent => {}
            Outcome::Refused(_, said) => panic!("{}: {said}", target.name()),
        }
    }
    all
}

/// Where the files of a target say other things than its plan.
fn from_plan(heard: &Heard) -> Vec<String> {
    let voices = [
        Voice {
            name: "plan".to_owned(),
            cluster: heard.planned.clone(),
        },
        Voice {
            name: heard.target.name().to_owned(),
            cluster: heard.said.clone(),
        },
    ];
    differences(&voices, &heard.facts)
}

/// Where targets say different things, by names that are common to all.
fn from_each_other(all: &[Heard]) -> Vec<String> {
    let Some(first) = all.first() else {
        return Vec::new();
    };
    let voices: Vec<Voice> = all
        .iter()
        .map(|heard| Voice {
            name: heard.target.name().to_owned(),
            cluster: heard.translation.cluster(&heard.said),
        })
        .collect();
    differences(&voices, &first.facts)
}

/// All targets that take a blueprint of the repository, and the names of those that do not.
fn hear_all(file: &str) -> (Vec<Heard>, Vec<&'static dyn Target>) {
    let directory = Utf8Path::new(file).parent().unwrap().to_owned();
    let loader = FileLoader { directory };
    let (mut all, mut refusing) = (Vec::new(), Vec::new());
    for target in target::ALL {
        match hear(file, &unpatched(&text(file)), &loader, *target) {
            Outcome::Heard(heard) => all.push(*heard),
            Outcome::Silent => {}
            Outcome::Refused(..) => refusing.push(*target),
        }
    }
    (all, refusing)
}

/// A blueprint without its patches: they are there to say what the plan does not.
fn unpatched(text: &str) -> String {
    let depth = |line: &str| line.len() - line.trim_start().len();
    let (mut kept, mut patch) = (String::new(), None);
    for line in text.lines() {
        if patch.is_some_and(|at| line.trim().is_empty() || depth(line) > at) {
            continue;
        }
        patch = line.trim().starts_with("patch:").then(|| depth(line));
        if patch.is_none() {
            kept.push_str(line);
            kept.push('\n');
        }
    }
    kept
}

#[test]
fn every_target_has_a_reader() {
    for target in target::ALL {
        reader(*target);
    }
    for (name, _) in READERS {
        assert!(target::find(name).is_ok(), "there is no target {name}");
    }
}

/// What a target refuses of a blueprint is compared without it, for all targets.
#[test]
fn every_target_says_the_same() {
    let cases = blueprints::cases().into_iter();
    let cases = cases.map(|(folder, name)| format!("{folder}/{name}"));
    each(cases, |case| {
        let mut files = vec![format!("{case}/blueprint.yaml")];
        let (whole, refusing) = hear_all(&files[0]);
        let without = refusing.iter().map(|t| blueprints::without(case, *t));
        files.extend(without.filter(|f| path(f).is_file()));
        let mut lines = said_by_all(&whole);
        for file in &files[1..] {
            lines.extend(said_by_all(&hear_all(file).0));
        }
        assert!(lines.is_empty(), "{case}:\n{}", report(&lines));
    });
}

fn said_by_all(all: &[Heard]) -> Vec<String> {
    let lines: Vec<String> = all.iter().flat_map(from_plan).collect();
    // What is not as it was planned is not told twice.
    if lines.is_empty() {
        from_each_other(all)
    } else {
        lines
    }
}

/// Nothing is beside a blueprint that is only a text.
fn no_loader() -> FileLoader {
    FileLoader {
        directory: Utf8PathBuf::from("no-such-directory"),
    }
}
