//! A container's config files: groups in the order they are used, its own entries over them, and
//! the way they reach the process.

use std::rc::Rc;
use std::sync::Arc;

use indexmap::IndexMap;

use super::evaluate::Evaluator;
use super::{ConfigEntry, ConfigFile, Container, Each, Image};
use crate::blueprint::{At, Blueprint, Config, Delivery, Files};
use crate::env::{self, Format};
use crate::problem::{Problem, Span, one_of};
use crate::template::is_template;

/// What decides how config can be delivered.
pub(super) struct Carrier<'a> {
    pub(super) image: &'a Image,
    /// The image's entrypoint is replaced, so no launcher runs.
    pub(super) replaced: bool,
}

/// The config files of a container, in the order of their first mention.
pub(super) fn files(
    config: Option<&Config>,
    blueprint: &Blueprint,
    carrier: &Carrier<'_>,
    service: usize,
    evaluator: &mut Evaluator<'_>,
) -> Vec<ConfigFile> {
    let Some(config) = config else {
        return Vec::new();
    };
    let merged = merged(config, blueprint, service, evaluator);
    merged
        .iter()
        .filter_map(|file| {
            let delivery = delivery(file, config, carrier, evaluator)?;
            Some(ConfigFile {
                name: Arc::clone(&file.name),
                format: file.format,
                delivery,
                entries: Arc::clone(&file.entries),
                differs: file.differs,
                span: file.span,
            })
        })
        .collect()
}

/// A file with all its layers.
#[derive(Debug)]
pub(super) struct Merged {
    name: Arc<str>,
    format: Option<Format>,
    span: Span,
    entries: Arc<Vec<ConfigEntry>>,
    /// Some value differs from replica to replica.
    differs: bool,
}

/// The config of a process as a step has it that runs another image: by that image's launcher, else as files where the
/// image has its config. An image with neither has nothing that reads any.
pub(super) fn of_step(
    main: &Container,
    image: &Image,
    span: Span,
    evaluator: &mut Evaluator<'_>,
) -> Vec<ConfigFile> {
    if image.name == main.image.name {
        return main.config.clone();
    }
    for file in main
        .files
        .iter()
        .filter(|f| image.rewrites.contains(&f.path))
    {
        evaluator.problems.add(rewritten(&file.path, image, span));
    }
    let files = main.config.iter();
    let files = files.filter_map(|file| {
        let launched = file.delivery == Delivery::Env && env::carries(image.launcher, &file.name);
        let delivery = if launched {
            Delivery::Env
        } else {
            Delivery::Files
        };
        if !launched {
            if !file.name.starts_with('/') && image.conf.is_none() {
                return None;
            }
            if image.rewrites.contains(&path(image, &file.name)) {
                evaluator.problems.add(rewritten(&file.name, image, span));
                return None;
            }
        }
        Some(ConfigFile {
            delivery,
            ..file.clone()
        })
    });
    files.collect()
}

fn rewritten(name: &str, image: &Image, span: Span) -> Problem {
    Problem::error("delivery", format!("`{name}` can't be mounted"))
        .at(span)
        .label(format!(
            "the entrypoint of image `{}` rewrites it at each start",
            image.name
        ))
        .help("use the image's own variables, under `env`")
}

/// The files of a container. Those who take the same groups, add nothing of their own, and find no
/// text in them that depends on who asks, get the very same entries.
fn merged(
    config: &Config,
    blueprint: &Blueprint,
    service: usize,
    evaluator: &mut Evaluator<'_>,
) -> Rc<Vec<Merged>> {
    let uses: Vec<&str> = config.uses.iter().map(|u| u.value.as_str()).collect();
    let groups = uses.iter().filter_map(|name| blueprint.config.get(name));
    let shared = config.files.files.is_empty() && groups.clone().all(|g| evaluator.is_shared(g));
    let key = uses.join("\0");
    if let Some(merged) = evaluator.merged.get(&key).filter(|_| shared) {
        return Rc::clone(merged);
    }
    let mut layers = Layers::default();
    for (name, group) in uses.iter().zip(groups) {
        let group_name: Arc<str> = (*name).into();
        layers.add(group, Some(&group_name), service, evaluator);
    }
    layers.add(&config.files, None, service, evaluator);
    let files = layers.files.into_iter();
    let files = files.filter(|(_, file)| !file.entries.is_empty());
    let merged: Rc<Vec<Merged>> = Rc::new(
        files
            .map(|(name, file)| Merged {
                name,
                format: file.format.map(|(format, _)| format),
                span: file.span,
                differs: file
                    .entries
                    .values()
                    .any(|e| matches!(e.value, Each::Replica(_))),
                entries: Arc::new(file.entries.into_values().collect()),
            })
            .collect(),
    );
    if shared {
        evaluator.merged.insert(key, Rc::clone(&merged));
    }
    merged
}

#[derive(Default)]
struct Layers {
    files: IndexMap<Arc<str>, Layered>,
}

struct Layered {
    format: Option<(Format, Span)>,
    span: Span,
    entries: IndexMap<Arc<str>, ConfigEntry>,
}

impl Layers {
    /// Lays the files of a group, or of the container itself, over what is there.
    fn add(
        &mut self,
        files: &Files,
        group: Option<&Arc<str>>,
        service: usize,
        evaluator: &mut Evaluator<'_>,
    ) {
        for (written, texts) in &files.files {
            let Some((name, format)) = file_name(written, evaluator) else {
                continue;
            };
            let file = self.files.entry(name).or_insert_with(|| Layered {
                format: None,
                span: written.span,
                entries: IndexMap::new(),
            });
            file.span = written.span;
            if let Some(format) = format {
                same_format(file, format, written.span, evaluator);
            }
            // Keys written out differ already: the reader of the file has seen to it.
            let templated = texts.entries.iter().any(|(key, _)| is_template(&key.text));
            let mut seen: IndexMap<Arc<str>, Span> = IndexMap::new();
            for pair in evaluator.pairs(texts, service) {
                if pair.removed {
                    file.entries.shift_remove(&pair.key);
                    continue;
                }
                if templated {
                    twice(&mut seen, &pair.key, pair.key_span, evaluator);
                }
                let mut over = Vec::new();
                if let Some(below) = file.entries.get_mut(&pair.key) {
                    over.push(below.span);
                    over.append(&mut below.over);
                }
                let entry = ConfigEntry {
                    key: Arc::clone(&pair.key),
                    value: pair.value,
                    span: pair.span,
                    group: group.map(Arc::clone),
                    over,
                };
                file.entries.insert(pair.key, entry);
            }
        }
    }
}

/// `name!format` in its parts.
fn file_name(
    written: &At<Arc<str>>,
    evaluator: &mut Evaluator<'_>,
) -> Option<(Arc<str>, Option<Format>)> {
    let Some((name, word)) = written.value.split_once('!') else {
        return Some((Arc::clone(&written.value), None));
    };
    let Some(format) = Format::parse(word) else {
        let known = Format::ALL.iter().map(|f| f.name());
        evaluator.problems.add(
            Problem::error("unknown-format", format!("there is no format `{word}`"))
                .at(written.span)
                .label(format!("expected {}", one_of(known.clone())))
                .nearest(word, known),
        );
        return None;
    };
    Some((name.into(), Some(format)))
}

fn same_format(file: &mut Layered, format: Format, span: Span, evaluator: &mut Evaluator<'_>) {
    match file.format {
        Some((other, first)) if other != format => evaluator.problems.add(
            Problem::error("unknown-format", "one file can't have two formats")
                .at(span)
                .label(format!("here it is {}", format.name()))
                .related(first, format!("and here {}", other.name())),
        ),
        _ => file.format = Some((format, span)),
    }
}

fn twice(
    seen: &mut IndexMap<Arc<str>, Span>,
    key: &Arc<str>,
    span: Span,
    evaluator: &mut Evaluator<'_>,
) {
    if let Some(first) = seen.insert(Arc::clone(key), span) {
        let mut problem = Problem::error("duplicate-key", format!("two keys become `{key}`"))
            .at(span)
            .label("expected keys that differ after their templates are evaluated");
        if first != span {
            problem = problem.related(first, "the first one");
        }
        evaluator.problems.add(problem);
    }
}

/// How a file reaches the process; `None` when a problem was reported.
fn delivery(
    file: &Merged,
    config: &Config,
    carrier: &Carrier<'_>,
    evaluator: &mut Evaluator<'_>,
) -> Option<Delivery> {
    let image = carrier.image;
    let name = &file.name;
    let launched = !carrier.replaced && env::carries(image.launcher, name);
    let wanted = config.delivery.map(|d| d.value);
    let delivery = wanted.unwrap_or(if launched {
        Delivery::Env
    } else {
        Delivery::Files
    });
    let problem = match delivery {
        Delivery::Env if !launched => {
            let span = config.delivery.map_or(file.span, |d| d.span);
            let reason = if carrier.replaced {
                "the image's entrypoint is replaced, so its launcher does not run".to_owned()
            } else {
                format!(
                    "the launcher `{}` of image `{}` can't write it",
                    image.launcher.name(),
                    image.name
                )
            };
            Problem::error(
                "delivery",
                format!("`{name}` can't be delivered by environment"),
            )
            .at(span)
            .label(reason)
            .help("leave out `delivery`, or say `delivery: files`: the file is mounted")
        }
        Delivery::Files if !name.starts_with('/') && image.conf.is_none() => Problem::error(
            "delivery",
            format!("there is no directory to put `{name}` into"),
        )
        .at(file.span)
        .label(format!("image `{}` has no `conf`", image.name))
        .help(format!(
            "say images.{}.conf: /the/config/directory, or write the file's absolute path",
            image.name
        )),
        Delivery::Files if image.rewrites.contains(&path(image, name)) => {
            rewritten(name, image, file.span)
        }
        _ => return Some(delivery),
    };
    evaluator.problems.add(problem);
    None
}

/// Where a config file is mounted.
pub fn path(image: &Image, name: &str) -> String {
    match &image.conf {
        Some(conf) if !name.starts_with('/') => format!("{}/{name}", conf.trim_end_matches('/')),
        _ => name.to_owned(),
    }
}
