//! An explanation for people, aligned, and no more than is needed to see why a process does what it
//! does.

use std::fmt::Write as _;

use super::json::user;
use super::origin::{Origin, Place};
use super::{ConfigFile, Container, Entry, Explanation, File, Role, Service, Setter, Variable};
use crate::blueprint::{Quorum, VolumeKind};
use crate::conffile::shown;
use crate::plan::{self, Check, Part, Port, Probe, Slot, Value, Volume, Words, quote};

/// A cell that is longer does not widen its column: a key, and all others.
const WIDE: [usize; 2] = [72, 40];

/// All containers of an explanation; with `full`, the texts of their files as well.
pub fn text(explanation: &Explanation<'_>, full: bool) -> String {
    let mut out = String::new();
    for service in &explanation.services {
        for container in &service.containers {
            if !out.is_empty() {
                out.push('\n');
            }
            let writer = Writer {
                explanation,
                service,
                container,
                full,
            };
            out.push_str(&writer.text());
        }
    }
    out
}

struct Writer<'a> {
    explanation: &'a Explanation<'a>,
    service: &'a Service<'a>,
    container: &'a Container<'a>,
    full: bool,
}

impl Writer<'_> {
    fn text(&self) -> String {
        let mut out = self.title();
        out.push_str(&table(&self.facts(), "  ", WIDE));
        for file in &self.container.config {
            out.push('\n');
            out.push_str(&self.config(file));
        }
        let env = &self.container.env;
        if !env.is_empty() {
            out.push_str("\nenvironment\n");
            let rows: Vec<Vec<String>> = env.iter().map(|v| self.variable(v)).collect();
            out.push_str(&table(&rows, "  ", WIDE));
        }
        out.push_str(&self.files());
        out
    }

    fn title(&self) -> String {
        let Container {
            plan,
            role,
            replica,
            ..
        } = self.container;
        let service = self.service.plan;
        let name = match role {
            Role::Main => service.name.to_string(),
            _ => format!("{}.{}, a {}", service.name, plan.name, role.word()),
        };
        let replica = match service.replicas {
            1 => String::new(),
            count => format!(", replica {replica} of {count}"),
        };
        let Explanation {
            cluster, target, ..
        } = self.explanation;
        format!("{name}{replica}, of {cluster} on {target}\n")
    }

    /// Everything but values: a name and what there is to say.
    fn facts(&self) -> Vec<Vec<String>> {
        let Container {
            plan,
            role,
            replica,
            from: own,
            entrypoint,
            command: _,
            config: _,
            env: _,
            files: _,
        } = self.container;
        let service = self.service.plan;
        let mut facts = Vec::new();
        let from = self.service.from.as_ref();
        let mut fact = |name: &str, text: String| {
            if !text.is_empty() {
                facts.push(vec![name.to_owned(), text]);
            }
        };
        let mut places: Vec<String> = from.iter().map(|p| shown_place(p, None)).collect();
        if *role != Role::Main {
            let own = own.iter();
            places.extend(own.map(|p| format!("{} {}", plan.name, self.place(p))));
        }
        fact("from", places.join(", "));
        let image = &plan.image;
        fact(
            "image",
            format!("{} (launcher {})", image.reference, image.launcher.name()),
        );
        if entrypoint.is_some() {
            fact("entrypoint", line(plan.entrypoint.as_ref(), *replica));
        }
        let command = line(plan.command.as_ref(), *replica);
        let own = plan.command.is_none() && entrypoint.is_none();
        fact(
            "command",
            if own {
                "that of the image".to_owned()
            } else {
                command
            },
        );
        let of_image = image.user.map(|u| format!("{} (of the image)", user(u)));
        fact("user", plan.user.map(user).or(of_image).unwrap_or_default());
        fact("workdir", plan.workdir.clone().unwrap_or_default());
        if *role != Role::Sidecar {
            fact("needs", needs(service));
        }
        if *role == Role::Main {
            let takes = |i: &&plan::Init| i.when.get(*replica) == Some(&true);
            let steps = service.inits.iter().filter(takes);
            fact("steps", list(steps.map(|i| i.container.name.to_string())));
            let sidecars = service.sidecars.iter();
            fact(
                "sidecars",
                list(sidecars.map(|s| s.container.name.to_string())),
            );
        }
        let listener = (*role == Role::Sidecar).then_some(&plan.name);
        let ports = service
            .ports
            .iter()
            .filter(|p| p.sidecar.as_ref() == listener);
        let ports = ports.filter(|_| *role != Role::Step);
        fact("ports", list(ports.map(|p| port(p, service.replicas > 1))));
        let mounts = service
            .sidecars
            .iter()
            .any(|s| s.volumes && s.container.name == plan.name);
        let volumes = service.volumes.iter();
        let volumes = volumes.filter(|_| *role != Role::Sidecar || mounts);
        fact("volumes", list(volumes.map(volume)));
        let secrets = plan.secrets.iter();
        fact(
            "secrets",
            list(secrets.map(|s| format!("{} at {}", s.secret, s.path))),
        );
        for (name, text) in self.health() {
            fact(name, text);
        }
        if let Some(place) = &self.service.patch {
            let what = "laid over what is emitted";
            fact("patch", format!("{}, {what}", self.place(place)));
        }
        facts
    }

    fn health(&self) -> Vec<(&'static str, String)> {
        let Some(health) = &self.container.plan.health else {
            return Vec::new();
        };
        let replica = self.container.replica;
        let one = |check: &Option<Check>| check.as_ref().map(|c| shown_check(c, replica));
        if !health.apart {
            return vec![("health", one(&health.ready).unwrap_or_default())];
        }
        let all = [
            ("started", &health.start),
            ("ready", &health.ready),
            ("alive", &health.alive),
        ];
        let all = all.into_iter();
        all.filter_map(|(name, check)| Some((name, one(check)?)))
            .collect()
    }

    fn config(&self, file: &ConfigFile) -> String {
        let ConfigFile {
            path,
            format,
            by_env,
            entries,
            text,
        } = file;
        let format = format.map_or(String::new(), |f| format!(", {f}"));
        let launcher = self.container.plan.image.launcher.name();
        let by = if *by_env {
            format!("written by the launcher `{launcher}`")
        } else {
            "mounted".to_owned()
        };
        let mut out = format!("{}{format}, {by}\n", shown(path));
        let rows: Vec<Vec<String>> = entries.iter().map(|e| self.entry(e)).collect();
        out.push_str(&table(&rows, "  ", WIDE));
        if self.full
            && let Some(text) = text
        {
            out.push_str(&quoted(text));
        }
        out
    }

    /// Mounted files that are no config, which is shown before.
    fn files(&self) -> String {
        let files = self.container.files.iter().filter(|f| !f.is_config);
        let files: Vec<&File> = files.collect();
        if files.is_empty() {
            return String::new();
        }
        let mut out = "\nfiles\n".to_owned();
        let rows: Vec<Vec<String>> = files.iter().map(|f| self.file(f)).collect();
        let rows = table(&rows, "  ", WIDE);
        for (row, file) in rows.lines().zip(files) {
            let _ = writeln!(out, "{row}");
            if self.full {
                out.push_str(&quoted(&file.text));
            }
        }
        out
    }

    fn file(&self, file: &File) -> Vec<String> {
        let File {
            path,
            text,
            mode,
            is_config: _,
            from,
        } = file;
        let lines = match text.raw().lines().count() {
            1 => "1 line".to_owned(),
            count => format!("{count} lines"),
        };
        let mode = format!("{:04o}", mode.0);
        vec![shown(path), mode, lines, self.origin(from)]
    }

    fn entry(&self, entry: &Entry) -> Vec<String> {
        let Entry {
            key,
            value,
            group,
            from,
            over,
        } = entry;
        let mut place = self.origin(from);
        for (at, below) in over.iter().enumerate() {
            place.push_str(if at == 0 { ", over " } else { " and " });
            place.push_str(&self.place(below));
        }
        if let Some(group) = group {
            place = format!("{group} {place}");
        }
        vec![shown(key), shown_value(value), place]
    }

    /// A variable that carries config has the place of the entry, which is shown there.
    fn variable(&self, variable: &Variable) -> Vec<String> {
        let Variable {
            name,
            value,
            setter,
            from,
        } = variable;
        let place = match setter {
            Setter::Config => String::new(),
            Setter::Target => "for the target's own use".to_owned(),
            Setter::Env | Setter::Patch => self.origin(from),
        };
        vec![shown(name), shown_value(value), place]
    }

    /// `:12, datanodes :5`
    fn origin(&self, origin: &Origin) -> String {
        let Origin { place, used } = origin;
        let mut parts: Vec<String> = place.iter().map(|p| self.place(p)).collect();
        parts.extend(used.iter().map(|used| match &used.place {
            Some(place) => format!("{} {}", used.name, self.place(place)),
            None => used.name.clone(),
        }));
        parts.join(", ")
    }

    /// A place in the text that has the service is only a line.
    fn place(&self, place: &Place) -> String {
        let from = self.service.from.as_ref();
        shown_place(place, from.map(|p| &*p.file))
    }
}

fn shown_place(place: &Place, file: Option<&str>) -> String {
    let Place {
        file: own,
        line,
        column: _,
        set,
    } = place;
    match set {
        Some(set) => format!("--set {}", shown(set)),
        None if file == Some(own) => format!(":{line}"),
        None => format!("{own}:{line}"),
    }
}

/// A value in one line. A secret is only named.
fn shown_value(value: &Value) -> String {
    if let Some(text) = value.plain() {
        return match text {
            "" => "\"\"".to_owned(),
            text => shown(text),
        };
    }
    let parts: Vec<Part<'_>> = value.parts().collect();
    if let [Part::Secret(name)] = parts.as_slice() {
        return format!("secret {name}");
    }
    let parts = parts.into_iter().map(|part| match part {
        Part::Text(text) => shown(text),
        Part::Secret(name) => format!("<secret {name}>"),
    });
    parts.collect()
}

/// A whole text, marked line by line.
fn quoted(value: &Value) -> String {
    let mut out = String::new();
    for line in value.raw().split_terminator('\n') {
        let line = match line {
            "" => String::new(),
            line => shown_value(&Value::new(line)),
        };
        let _ = writeln!(out, "{}", format!("  | {line}").trim_end());
    }
    out
}

/// What a service needs, in the words of the blueprint.
pub(super) fn needs(service: &plan::Service) -> String {
    let needs = service.needs.iter().map(|need| {
        let port = need.port.as_ref().map(|(name, _)| format!(".{name}"));
        let port = port.unwrap_or_default();
        let quorum = match need.quorum {
            Quorum::All => String::new(),
            quorum => format!(" ({})", quorum.word()),
        };
        format!("{}{port}{quorum}", need.service)
    });
    list(needs)
}

fn line(words: Option<&Words>, replica: u32) -> String {
    let words = words.iter().flat_map(|w| &w.words);
    let words = words.filter_map(|w: &Slot| w.value(replica));
    let words = words.map(|word| match word.plain() {
        Some(word) => shown(&quote(word)),
        None => shown_value(word),
    });
    words.collect::<Vec<_>>().join(" ")
}

fn shown_check(check: &Check, replica: u32) -> String {
    let Check {
        probe,
        interval,
        timeout: _,
        retries: _,
        within: _,
        span: _,
    } = check;
    let probe = match probe {
        Probe::Tcp(name, number) => format!("{name} ({number}) takes connections"),
        Probe::Http(name, number, path) => {
            let path = path.value(replica).map(shown_value).unwrap_or_default();
            format!("{name} ({number}) answers GET {path}")
        }
        Probe::Command(words) => line(Some(words), replica),
    };
    format!("{probe}, every {}", time(interval.0))
}

/// Milliseconds.
fn time(millis: u64) -> String {
    match millis {
        m if m % 1000 != 0 => format!("{m}ms"),
        m if m % 60_000 != 0 || m == 0 => format!("{}s", m / 1000),
        m => format!("{}m", m / 60_000),
    }
}

fn port(port: &Port, several: bool) -> String {
    let Port {
        name,
        number,
        publish,
        protocol: _,
        sidecar: _,
        span: _,
    } = port;
    match publish {
        Some(published) if several => format!("{name} {number} (published from {published} on)"),
        Some(published) => format!("{name} {number} (published on {published})"),
        None => format!("{name} {number}"),
    }
}

fn volume(volume: &Volume) -> String {
    let Volume {
        name,
        path,
        kind,
        size,
        source,
        readonly,
        class: _,
        span: _,
    } = volume;
    let mut text = format!("{name} at {}", shown(path));
    if *kind != VolumeKind::Persistent {
        let _ = write!(text, ", {}", kind.word());
    }
    if let Some(source) = source {
        let _ = write!(text, " {}", shown(source));
    }
    if let Some(size) = size {
        let _ = write!(text, ", {}", bytes(size.0));
    }
    if *readonly {
        text.push_str(", read-only");
    }
    text
}

fn bytes(bytes: u64) -> String {
    let units = [
        ("Ti", 1 << 40),
        ("Gi", 1 << 30),
        ("Mi", 1 << 20),
        ("Ki", 1 << 10),
    ];
    let unit = units
        .into_iter()
        .find(|(_, unit)| bytes >= *unit && bytes.is_multiple_of(*unit));
    match unit {
        Some((name, unit)) => format!("{}{name}", bytes / unit),
        None => bytes.to_string(),
    }
}

fn list(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}

/// Rows of cells in columns, each as wide as its longest cell of at most so many characters: the first
/// column, and all others.
pub(super) fn table(rows: &[Vec<String>], indent: &str, widest: [usize; 2]) -> String {
    let length = |cell: &String| cell.chars().count();
    let columns = rows.iter().map(Vec::len).max().unwrap_or_default();
    let widths: Vec<usize> = (0..columns)
        .map(|at| {
            let widest = if at == 0 { widest[0] } else { widest[1] };
            let cells = rows.iter().filter_map(|r| r.get(at)).map(length);
            cells.filter(|l| *l <= widest).max().unwrap_or_default()
        })
        .collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::from(indent);
        for (cell, width) in row.iter().zip(&widths) {
            let _ = write!(line, "{cell:width$}  ");
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}
