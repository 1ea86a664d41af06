//! A blueprint full of hostile texts, and what its processes must get: this crate's own knowledge, not
//! that of flokkr.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use crate::consumer::{Config, Process, Role};
use crate::hostile::{Hostile, WORDS};
use crate::launcher::{Files, Launcher};

/// Where in a process a text arrives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A variable that a blueprint sets itself.
    Variable,
    /// A key of a config file, delivered as a variable for the image's launcher.
    Config,
    /// A word of the command.
    Word,
    /// A word of what replaces the image's entrypoint.
    Entry,
    /// A label.
    Label,
    /// A file.
    File,
    /// A word of the command that checks the process.
    Check,
    /// A text of a patch: an annotation, metadata or a label of the platform's own, which goes out as
    /// it stands.
    Patch,
    /// A key of a config file that is mounted, or that a launcher makes, and what a program reads.
    Key(Option<Launcher>, Format),
}

/// The syntax of a config file that some program reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Format {
    /// Hadoop's Configuration.
    Xml,
    /// `java.util.Properties`.
    Properties,
    /// The same.
    Cfg,
    /// Lines for `docker run --env-file`.
    Env,
    /// What a shell sources.
    Sh,
    /// The same.
    Conf,
    /// A YAML document.
    Yaml,
    /// Sections.
    Ini,
}

impl Format {
    /// Its name, and the extension of its file.
    pub fn name(self) -> &'static str {
        match self {
            Self::Xml => "xml",
            Self::Properties => "properties",
            Self::Cfg => "cfg",
            Self::Env => "env",
            Self::Sh => "sh",
            Self::Conf => "conf",
            Self::Yaml => "yaml",
            Self::Ini => "ini",
        }
    }

    /// The name of a file that is mounted; without the word a `conf` could be anything.
    fn file(self) -> &'static str {
        match self {
            Self::Xml => "app.xml",
            Self::Properties => "app.properties",
            Self::Cfg => "app.cfg",
            Self::Env => "app.env",
            Self::Sh => "app.sh",
            Self::Conf => "app.conf!conf",
            Self::Yaml => "app.yaml",
            Self::Ini => "app.ini",
        }
    }
}

/// All places, in the order of the report, which tells launchers apart and not what they write.
pub const PLACES: [(Place, &str); 21] = [
    (Place::Variable, "variables"),
    (Place::Config, "config keys"),
    (Place::Word, "words"),
    (Place::Entry, "words of entrypoints"),
    (Place::Label, "labels"),
    (Place::File, "files"),
    (Place::Check, "words of checks"),
    (Place::Patch, "in patches"),
    (Place::Key(None, Format::Xml), "in XML"),
    (Place::Key(None, Format::Properties), "in properties"),
    (Place::Key(None, Format::Cfg), "in cfg"),
    (Place::Key(None, Format::Env), "in env"),
    (Place::Key(None, Format::Sh), "in sh"),
    (Place::Key(None, Format::Conf), "in conf"),
    (Place::Key(None, Format::Yaml), "in YAML"),
    (Place::Key(None, Format::Ini), "in ini"),
    (Place::Key(Some(Launcher::Flokkr), Format::Xml), "by flokkr"),
    (Place::Key(Some(Launcher::Apache), Format::Xml), "by apache"),
    (Place::Key(Some(Launcher::Ozone), Format::Xml), "by ozone"),
    (Place::Key(Some(Launcher::Bde), Format::Xml), "by bde"),
    (Place::Key(Some(Launcher::Kafka), Format::Xml), "by kafka"),
];

impl Place {
    /// Where it is counted.
    fn counted(self) -> Self {
        match self {
            Self::Key(Some(launcher), _) => Self::Key(Some(launcher), Format::Xml),
            other => other,
        }
    }
}

/// A text, and what replicas get of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Text {
    /// What stands between the numbers of the replica; alone, all get the same.
    Numbered(Vec<String>),
    /// Each replica its own.
    Each(Vec<String>),
}

impl Text {
    fn of(value: String) -> Self {
        Self::Numbered(vec![value])
    }

    /// It is another for each replica.
    pub fn differs(&self) -> bool {
        self.texts().len() > 1
    }

    /// What a replica gets.
    pub fn of_replica(&self, index: u32) -> String {
        match self {
            Self::Numbered(parts) => parts.join(&index.to_string()),
            Self::Each(texts) => texts[index as usize].clone(),
        }
    }

    fn texts(&self) -> &[String] {
        match self {
            Self::Numbered(texts) | Self::Each(texts) => texts,
        }
    }
}

/// One thing that must arrive.
#[derive(Debug, Clone)]
pub struct Case {
    /// Where.
    pub place: Place,
    /// Of a variable, label, file or config key.
    pub name: String,
    /// What.
    pub value: Text,
}

impl Case {
    /// There is a character in it that no process can be given.
    pub fn has_nul(&self) -> bool {
        self.name.contains('\0') || self.value.texts().iter().any(|part| part.contains('\0'))
    }
}

/// The processes that one service, or one image, comes to.
pub struct Unit {
    name: String,
    replicas: u32,
    launcher: Option<Launcher>,
    /// Its config files as the blueprint names them.
    files: Files,
    cases: Vec<Case>,
    beside: Vec<Case>,
}

/// What the batches of a target are like.
#[derive(Clone, Copy)]
pub struct Shape {
    /// The name of the target.
    pub target: &'static str,
    /// Its settings, a set of which each batch has in turn.
    pub settings: &'static [&'static str],
    /// The places that it carries.
    pub places: &'static [Place],
    /// It makes images instead of running them.
    pub builds: bool,
}

/// A blueprint.
pub struct Batch {
    shape: Shape,
    /// The settings of the target.
    pub settings: &'static str,
    /// The image that all processes are of, if they are run.
    witness: Option<String>,
    units: Vec<Unit>,
    /// By the lines of the text: where each case stands. Line 1 is the first.
    lines: Vec<Option<Key>>,
}

/// A case: its unit, whether it is the sidecar's, and its number.
pub type Key = (usize, bool, usize);

/// The launcher whose convention the config keys follow: `APP.PROPERTIES_key`.
const CONFIG_FILE: &str = "app.properties";
const CONFIG_PREFIX: &str = "APP.PROPERTIES_";

impl Batch {
    /// About so many cases from a seed.
    pub fn new(
        shape: Shape,
        witness: Option<String>,
        seed: u64,
        number: usize,
        size: usize,
    ) -> Self {
        let mut hostile = Hostile::new(
            seed.wrapping_mul(0x9e37_79b9_7f4a_7c15)
                .wrapping_add(number as u64),
        );
        // Beside an agent that runs them there is no Consul.
        let runs = |settings: &&&str| witness.is_none() || !settings.contains("consul");
        let all: Vec<&str> = shape.settings.iter().filter(runs).copied().collect();
        let settings = all[number % all.len()];
        let (mut units, mut count) = (Vec::new(), 0);
        while count < size {
            let unit = Unit::new(
                shape,
                settings,
                format!("s{}", units.len()),
                &mut hostile,
                size - count,
            );
            count += unit.cases.len() + unit.beside.len();
            units.push(unit);
        }
        Self {
            shape,
            settings,
            witness,
            units,
            lines: Vec::new(),
        }
    }

    /// The blueprint. The lines of the cases are known from then on.
    pub fn blueprint(&mut self) -> String {
        let mut page = Page {
            text: String::new(),
            lines: Vec::new(),
        };
        page.line("blueprint: v1");
        page.line("name: bytes");
        if !self.settings.is_empty() {
            page.line(&format!(
                "targets: {{ {}: {} }}",
                self.shape.target, self.settings
            ));
        }
        page.line("images:");
        if self.shape.builds {
            for (at, unit) in self.units.iter().enumerate() {
                page.image(at, unit, self.witness.as_deref());
            }
        } else {
            let launched = Launcher::ALL
                .map(|launcher| (launcher.name(), format!("launcher: {}", launcher.name())));
            let others = [
                ("plain", "entrypoint: exec, argv: exec"),
                ("config", "entrypoint: exec, argv: exec, launcher: launch"),
                ("mounted", "conf: /conf"),
            ];
            let others = others.map(|(name, more)| (name, more.to_owned()));
            for (name, more) in others.into_iter().chain(launched) {
                let own = format!("example.org/{name}:1");
                let image = self.witness.as_ref().unwrap_or(&own);
                // The witness has nothing beside it.
                let shell = if self.witness.is_some() {
                    ", shell: none"
                } else {
                    ""
                };
                page.line(&format!(
                    "  {name}: {{ ref: \"{image}\", user: \"1000:1000\", {more}{shell} }}"
                ));
            }
        }
        page.line("services:");
        for (at, unit) in self.units.iter().enumerate() {
            page.service(at, unit, self.shape);
        }
        self.lines = page.lines;
        page.text
    }

    /// The case on a line.
    pub fn at(&self, line: usize) -> Option<Key> {
        self.lines.get(line.checked_sub(1)?).copied().flatten()
    }

    /// Takes cases out: those that are refused. What is gone is given back.
    pub fn remove(&mut self, keys: &BTreeSet<Key>) -> Vec<(Key, Case)> {
        let mut gone = Vec::new();
        for (at, unit) in self.units.iter_mut().enumerate() {
            for (beside, cases) in [(false, &mut unit.cases), (true, &mut unit.beside)] {
                let mut number = 0;
                cases.retain(|case| {
                    number += 1;
                    let key = (at, beside, number - 1);
                    let refused = keys.contains(&key);
                    if refused {
                        gone.push((key, case.clone()));
                    }
                    !refused
                });
            }
        }
        gone
    }

    /// How the config files of each service come about.
    pub fn configs(&self) -> BTreeMap<String, Config> {
        let with_files = self.units.iter().filter(|unit| !unit.files.is_empty());
        let config = |unit: &Unit| {
            let named = unit.files.iter().map(|(file, format)| {
                let name = file.split_once('!').map_or(*file, |(name, _)| name);
                (name.to_owned(), *format)
            });
            let config = Config {
                launcher: unit.launcher,
                formats: named.collect(),
            };
            (unit.name.clone(), config)
        };
        with_files.map(config).collect()
    }

    /// How many cases there are, by place.
    pub fn count(&self, counts: &mut BTreeMap<Place, usize>) {
        for unit in &self.units {
            for case in unit.cases.iter().chain(&unit.beside) {
                *counts.entry(case.place.counted()).or_default() += 1;
            }
        }
    }

    /// What the processes must get.
    pub fn expected(&self) -> BTreeMap<(String, u32, Role), Process> {
        let mut all = BTreeMap::new();
        for unit in &self.units {
            for replica in 0..unit.replicas {
                let process = expected(&unit.cases, replica, "run");
                all.insert((unit.name.clone(), replica, Role::Main), process);
                if !unit.beside.is_empty() {
                    let process = expected(&unit.beside, replica, "beside");
                    all.insert((unit.name.clone(), replica, Role::Sidecar), process);
                }
            }
        }
        all
    }
}

fn expected(cases: &[Case], replica: u32, command: &str) -> Process {
    let mut process = Process::default();
    let (mut entry, mut words, mut check) = (Vec::new(), vec![command.to_owned()], Vec::new());
    for case in cases {
        let value = case.value.of_replica(replica);
        let name = case.name.clone();
        match case.place {
            Place::Variable => drop(process.variables.insert(name, value)),
            Place::Config => drop(
                process
                    .variables
                    .insert(format!("{CONFIG_PREFIX}{name}"), value),
            ),
            Place::Label | Place::Patch => drop(process.labels.insert(name, value)),
            Place::File => drop(process.files.insert(name, value)),
            Place::Word => words.push(value),
            Place::Entry => entry.push(value),
            Place::Check => check.push(value),
            Place::Key(_, format) => {
                let entries = process.entries.entry(format.name().to_owned()).or_default();
                entries.insert(name, value);
            }
        }
    }
    if !entry.is_empty() {
        entry.insert(0, "/entry".to_owned());
    }
    if !check.is_empty() {
        check.insert(0, "/check".to_owned());
    }
    process.words = entry.into_iter().chain(words).collect();
    process.check = check;
    process
}

impl Unit {
    fn new(shape: Shape, settings: &str, name: String, hostile: &mut Hostile, room: usize) -> Self {
        let is_ensemble = !shape.builds && hostile.once_in(4);
        let replicas = if is_ensemble { 3 } else { 1 };
        let mut cases = Vec::new();
        // Config is for a launcher, and a replaced entrypoint runs none.
        let has_config = hostile.once_in(2);
        // Without Consul, a command is none of the checks that Nomad has.
        let has_check =
            hostile.once_in(2) && (shape.target != "nomad" || settings.contains("consul"));
        for (place, least, more) in [
            (Place::Variable, 8, 12),
            (
                Place::Config,
                usize::from(has_config),
                if has_config { 6 } else { 1 },
            ),
            (Place::Word, 0, 8),
            (Place::Entry, 0, if has_config { 1 } else { 3 }),
            (Place::Label, 0, 8),
            (Place::File, 0, 4),
            (Place::Check, 0, if has_check { 4 } else { 1 }),
            (Place::Patch, 0, 4),
        ] {
            if shape.places.contains(&place) {
                let count = (least + hostile.below(more)).min(room.saturating_sub(cases.len()));
                add(&mut cases, place, count, replicas, hostile);
            }
        }
        let reads = |place: &&Place| matches!(place, Place::Key(..));
        let mut launcher = None;
        let mut files: Files = Vec::new();
        for place in shape.places.iter().filter(reads) {
            if let Place::Key(_, format) = place {
                files.push((format.file(), *format));
            }
        }
        if !files.is_empty() && hostile.once_in(2) {
            let one = Launcher::ALL[hostile.below(Launcher::ALL.len())];
            launcher = Some(one);
            files = one.files(hostile.below(12));
        }
        // As many texts go to a launcher with one file as to one with some.
        let most = if files.len() == 1 { 24 } else { 6 };
        for (_, format) in &files {
            let count = (1 + hostile.below(most)).min(room.saturating_sub(cases.len()));
            let place = Place::Key(launcher, *format);
            add(&mut cases, place, count, replicas, hostile);
        }
        if has_config {
            // To the launcher in that image such a variable would be config as well.
            cases.retain(|case| case.place != Place::Variable || !case.name.contains('_'));
        }
        let mut beside = Vec::new();
        // A launcher in its image would take its command apart: that is no question of config.
        if !shape.builds && files.is_empty() && hostile.once_in(4) {
            let left = room.saturating_sub(cases.len());
            for place in [Place::Variable, Place::Word] {
                let count = (1 + hostile.below(4)).min(left);
                add(&mut beside, place, count, replicas, hostile);
            }
        }
        if cases.is_empty() {
            add(&mut cases, Place::Variable, 1, replicas, hostile);
        }
        Self {
            name,
            replicas,
            launcher,
            files,
            cases,
            beside,
        }
    }
}

fn add(cases: &mut Vec<Case>, place: Place, count: usize, replicas: u32, hostile: &mut Hostile) {
    let mut names = BTreeSet::new();
    for number in 0..count {
        let name = match place {
            Place::Config => hostile.key(),
            Place::Key(launcher, format) => key(launcher, format, cases, hostile),
            Place::Variable | Place::Label => hostile.name(),
            Place::File => format!("/f/{number}"),
            Place::Patch => format!("patched_{number}"),
            Place::Word | Place::Entry | Place::Check => number.to_string(),
        };
        if !names.insert(name.clone()) {
            continue;
        }
        let value = match place {
            Place::Config => Text::of(hostile.tame()),
            // The platform's own references are what patches are for.
            Place::Patch => Text::of(hostile.tame().replace(['$', '%'], "#")),
            // The number of a replica, between texts that mean something.
            _ if replicas > 1 && hostile.once_in(4) => {
                Text::Numbered((0..=1 + hostile.below(2)).map(|_| hostile.tame()).collect())
            }
            _ if replicas > 1 && hostile.once_in(4) => each(place, replicas, hostile),
            // No text at all is what formats have the least of a spelling for.
            Place::Key(..) if hostile.once_in(20) => Text::of(String::new()),
            Place::Key(Some(_), _) if hostile.once_in(3) => Text::of(hostile.key()),
            Place::Key(Some(_), _) if hostile.once_in(2) => Text::of(hostile.tame()),
            _ => Text::of(hostile.value()),
        };
        cases.push(Case { place, name, value });
    }
}

/// For each replica a text of its own. Files mostly end with a line.
fn each(place: Place, replicas: u32, hostile: &mut Hostile) -> Text {
    let end = if place == Place::File && hostile.once_in(2) {
        "\n"
    } else {
        ""
    };
    let text = |_| {
        let text = if hostile.once_in(4) {
            hostile.value()
        } else {
            hostile.tame()
        };
        text + end
    };
    Text::Each((0..replicas).map(text).collect())
}

/// A key for a format, behind those that are there. Most of what a launcher gets is what it can take.
fn key(
    launcher: Option<Launcher>,
    format: Format,
    cases: &[Case],
    hostile: &mut Hostile,
) -> String {
    match format {
        Format::Sh | Format::Conf => hostile.identifier(),
        Format::Yaml => {
            let before = cases.last().map_or("", |case| &case.name);
            match before.strip_suffix(".1") {
                Some(list) if hostile.once_in(2) => format!("{list}.2"),
                _ => hostile.identifier() + hostile.one(&["", "", ".x", ".x.y", ".1", ".1.z"]),
            }
        }
        Format::Ini if !hostile.once_in(4) => hostile.identifier() + "." + &hostile.key(),
        _ if launcher == Some(Launcher::Kafka) => hostile.key().to_lowercase(),
        _ if launcher.is_some() && !hostile.once_in(4) => hostile.key(),
        _ => hostile.name(),
    }
}

/// The text of a blueprint, and where its cases are.
struct Page {
    text: String,
    lines: Vec<Option<Key>>,
}

impl Page {
    fn line(&mut self, text: &str) {
        self.put(text, None);
    }

    fn put(&mut self, text: &str, key: Option<Key>) {
        self.text.push_str(text);
        self.text.push('\n');
        self.lines
            .resize(self.lines.len() + text.matches('\n').count() + 1, key);
    }

    fn service(&mut self, at: usize, unit: &Unit, shape: Shape) {
        let Shape { target, builds, .. } = shape;
        self.line(&format!("  {}:", unit.name));
        let of = |place| of(&unit.cases, place);
        if builds {
            self.line(&format!("    image: {}", unit.name));
        } else {
            let has_config = of(Place::Config).next().is_some();
            let has_keys = unit.cases.iter().any(|c| matches!(c.place, Place::Key(..)));
            let image = match unit.launcher {
                Some(launcher) => launcher.name(),
                None if has_config => "config",
                None if has_keys => "mounted",
                None => "plain",
            };
            self.line(&format!("    image: {image}"));
            if unit.replicas > 1 {
                self.line(&format!(
                    "    kind: ensemble\n    replicas: {}",
                    unit.replicas
                ));
            }
            self.mapping("    env", at, false, of(Place::Variable));
            if has_config {
                self.line("    config:");
                self.mapping(
                    &format!("      {CONFIG_FILE}"),
                    at,
                    false,
                    of(Place::Config),
                );
            }
            if has_keys {
                self.line("    config:");
                if unit.launcher.is_some() {
                    self.line("      delivery: env");
                }
                for (file, format) in &unit.files {
                    let head = format!("      \"{file}\"");
                    self.mapping(&head, at, false, of(Place::Key(unit.launcher, *format)));
                }
            }
            self.words(
                "    entrypoint",
                "/entry",
                false,
                at,
                false,
                of(Place::Entry),
            );
            self.words("    command", "run", true, at, false, of(Place::Word));
            self.mapping("    labels", at, false, of(Place::Label));
            self.files(at, of(Place::File));
            self.patch(target, at, unit);
        }
        if of(Place::Check).next().is_some() {
            self.line("    health:");
            self.words(
                "      command",
                "/check",
                false,
                at,
                false,
                of(Place::Check),
            );
        }
        if !unit.beside.is_empty() {
            self.line("    sidecars:\n      side:");
            self.mapping(
                "        env",
                at,
                true,
                crate::batch::of(&unit.beside, Place::Variable),
            );
            self.words(
                "        command",
                "beside",
                true,
                at,
                true,
                crate::batch::of(&unit.beside, Place::Word),
            );
        }
    }

    fn patch(&mut self, target: &str, at: usize, unit: &Unit) {
        let mut cases = of(&unit.cases, Place::Patch).peekable();
        if cases.peek().is_none() {
            return;
        }
        let path: &[&str] = match target {
            "compose" => &["labels"],
            "nomad" => &["meta"],
            _ if unit.replicas > 1 => {
                &["StatefulSet", "spec", "template", "metadata", "annotations"]
            }
            _ => &["Deployment", "spec", "template", "metadata", "annotations"],
        };
        self.line(&format!("    patch:\n      {target}:"));
        let mut indent = " ".repeat(8);
        for key in &path[..path.len() - 1] {
            self.line(&format!("{indent}{key}:"));
            indent += "  ";
        }
        self.mapping(
            &format!("{indent}{}", path[path.len() - 1]),
            at,
            false,
            cases,
        );
    }

    fn image(&mut self, at: usize, unit: &Unit, witness: Option<&str>) {
        let of = |place| of(&unit.cases, place);
        self.line(&format!(
            "  {}:\n    ref: \"example.org/{}:1\"",
            unit.name, unit.name
        ));
        self.line(match witness {
            None => "    user: \"1000:1000\"",
            // A user is added by a shell, and there is none.
            Some(_) => "    root: there is no other user",
        });
        let base = witness.unwrap_or("debian:bookworm-slim");
        self.line(&format!("    build:\n      base: \"{base}\""));
        self.mapping("      env", at, false, of(Place::Variable));
        self.mapping("      labels", at, false, of(Place::Label));
        self.words(
            "      entrypoint",
            "/entry",
            false,
            at,
            false,
            of(Place::Entry),
        );
        self.words("      command", "run", true, at, false, of(Place::Word));
    }

    fn mapping<'a>(
        &mut self,
        head: &str,
        at: usize,
        beside: bool,
        cases: impl Iterator<Item = (usize, &'a Case)>,
    ) {
        let mut cases = cases.peekable();
        if cases.peek().is_none() {
            return;
        }
        self.line(&format!("{head}:"));
        let indent = " ".repeat(head.len() - head.trim_start().len() + 2);
        for (number, case) in cases {
            let name = quoted(&Text::of(case.name.clone()));
            // Before `:` alone YAML takes keys of up to 1024 characters.
            let line = if name.len() < 1000 {
                format!("{indent}{name}: {}", scalar(case))
            } else {
                format!("{indent}? {name}\n{indent}: {}", scalar(case))
            };
            self.put(&line, Some((at, beside, number)));
        }
    }

    fn words<'a>(
        &mut self,
        head: &str,
        first: &str,
        always: bool,
        at: usize,
        beside: bool,
        cases: impl Iterator<Item = (usize, &'a Case)>,
    ) {
        let mut cases = cases.peekable();
        if cases.peek().is_none() && !always {
            return;
        }
        self.line(&format!("{head}:"));
        let indent = " ".repeat(head.len() - head.trim_start().len() + 2);
        self.line(&format!("{indent}- {first}"));
        for (number, case) in cases {
            self.put(
                &format!("{indent}- {}", scalar(case)),
                Some((at, beside, number)),
            );
        }
    }

    fn files<'a>(&mut self, at: usize, cases: impl Iterator<Item = (usize, &'a Case)>) {
        let mut cases = cases.peekable();
        if cases.peek().is_some() {
            self.line("    files:");
        }
        for (number, case) in cases {
            self.put(
                &format!("      {}: {}", case.name, quoted(&case.value)),
                Some((at, false, number)),
            );
        }
    }
}

/// The cases of a place, with their numbers.
fn of(cases: &[Case], place: Place) -> impl Iterator<Item = (usize, &Case)> {
    cases
        .iter()
        .enumerate()
        .filter(move |(_, case)| case.place == place)
}

/// A value as a scalar of YAML; a word that YAML could take for something else stands without quotes, but
/// not in a patch, which is the platform's own YAML.
fn scalar(case: &Case) -> String {
    match case.value.texts() {
        [word]
            if case.place != Place::Patch
                && word.len() > 1
                && word.len() % 2 == 0
                && WORDS.contains(&word.as_str())
                && !word.contains(['<', '='])
                && *word != "null"
                && *word != "Null"
                && *word != "NULL" =>
        {
            word.clone()
        }
        _ => quoted(&case.value),
    }
}

/// A template in double quotes. Half of what could stand there as it is does so.
fn quoted(text: &Text) -> String {
    let template = template(text);
    let mut out = String::from('"');
    for (at, c) in template.chars().enumerate() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            ' '..='~' => out.push(c),
            // What YAML prints, every other time; a line separator would fold.
            '\u{a0}'..='\u{2027}' | '\u{2030}'..='\u{d7ff}' | '\u{1_0000}'..='\u{1_fffd}'
                if at % 2 == 0 =>
            {
                out.push(c);
            }
            c if u32::from(c) < 0x100 => write!(out, "\\x{:02x}", u32::from(c)).unwrap_or_default(),
            c if u32::from(c) < 0x1_0000 => {
                write!(out, "\\u{:04x}", u32::from(c)).unwrap_or_default();
            }
            c => write!(out, "\\U{:08x}", u32::from(c)).unwrap_or_default(),
        }
    }
    out.push('"');
    out
}

fn template(text: &Text) -> String {
    match text {
        Text::Numbered(parts) => {
            let escapes = parts.len() > 1 || parts.iter().any(|part| part.contains("{{"));
            let written = parts.iter().map(|part| {
                if escapes {
                    part.replace('{', "{{ '{' }}")
                } else {
                    part.clone()
                }
            });
            written.collect::<Vec<_>>().join("{{ replica.index }}")
        }
        Text::Each(texts) => {
            let literal = |text: &String| {
                let inside = text.replace('\\', "\\\\").replace('\'', "\\'");
                format!("'{inside}'")
            };
            let all: Vec<String> = texts.iter().map(literal).collect();
            format!("{{{{ [{}][replica.index] }}}}", all.join(", "))
        }
    }
}
