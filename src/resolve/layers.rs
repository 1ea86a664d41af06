//! Which texts make the tree: the blueprint, what it includes, and nothing else.

use super::accepts::{Accepts, Reading};
use crate::blueprint::{At, Read as _, Reader, Version};
use crate::problem::{Problem, Problems, SourceId, Sources, one_of};
use crate::template::Engine;
use crate::yaml::{self, Node, Value};

/// Includes may nest this deep.
const MAX_DEPTH: usize = 16;
/// Includes of one run in all: a few files that include each other twice would else be read
/// thousands of times.
const MAX_INCLUDES: usize = 1000;

/// The includes of a run.
#[derive(Default)]
struct Includes {
    /// What is being read, each included by the one before it.
    open: Vec<String>,
    /// How many were read.
    count: usize,
    /// What they accept.
    reading: Reading,
}

/// What a run was given.
#[derive(Debug, Clone)]
pub struct Input {
    /// The blueprint.
    pub blueprint: SourceId,
    /// `--values` files, in order.
    pub values: Vec<SourceId>,
    /// `--set` arguments, each a source of its own, in order.
    pub sets: Vec<SourceId>,
}

/// A text from outside: what a person calls it, and the text.
pub type Loaded = (String, String);

/// Brings the texts that a blueprint names. The file system is behind it.
pub trait Loader {
    /// A blueprint included by the one called `from`.
    ///
    /// # Errors
    /// Why it can't be had, for a person.
    fn include(&self, name: &str, from: &str) -> Result<Loaded, String>;

    /// The definition of a plugin, if there is one of this name: beside the blueprint called
    /// `from`, which asks for it, else beside the one that includes it, else in the library.
    fn plugin(&self, name: &str, from: &str) -> Option<Result<Loaded, String>>;

    /// Names of library blueprints.
    fn blueprints(&self) -> Vec<String>;

    /// Names of plugins.
    fn plugins(&self) -> Vec<String>;
}

/// Reads the blueprint and all it includes, and lays them on each other.
pub(super) fn load(
    input: &Input,
    loader: &dyn Loader,
    sources: &mut Sources,
    problems: &mut Problems,
) -> Option<(Node, Accepts)> {
    let mut includes = Includes::default();
    let tree = load_one(input.blueprint, loader, &mut includes, sources, problems)?;
    Some((tree, includes.reading.accepts(sources)))
}

fn load_one(
    source: SourceId,
    loader: &dyn Loader,
    includes: &mut Includes,
    sources: &mut Sources,
    problems: &mut Problems,
) -> Option<Node> {
    let from = sources.get(source)?.name.clone();
    let tree = yaml::read(source, sources, problems)?;
    if !matches!(tree.value, Value::Map(_)) {
        if !tree.is_null() {
            problems.add(
                Problem::error(
                    "wrong-type",
                    format!("a blueprint is a mapping, this is {}", tree.kind()),
                )
                .at(tree.span)
                .label("expected `blueprint: v1`, `name`, `images`, `services`"),
            );
            return None;
        }
        return Some(tree);
    }
    let mark = includes.reading.mark();
    let whole_cluster = includes.open.is_empty();
    if let Some(version) = tree.get("blueprint").filter(|_| !whole_cluster) {
        // The one of the whole is read with the language.
        let mut reader = Reader {
            problems,
            sources,
            engine: &Engine::default(),
            contexts: &[],
            variable: &|_| None,
            unsure: false,
        };
        At::<Version>::read(version, &mut reader)?;
    }
    let Some(include) = tree.get("include").cloned() else {
        includes.reading.file(source, &tree, mark, whole_cluster);
        return Some(tree);
    };
    includes.open.push(from.clone());
    let mut base: Option<Node> = None;
    let mut whole = true;
    for item in items(&include) {
        match include_one(item, &from, loader, includes, sources, problems) {
            Some(node) => {
                base = Some(match base {
                    Some(below) => yaml::merge(below, node),
                    None => node,
                });
            }
            None => whole = false,
        }
    }
    includes.open.pop();
    includes.reading.file(source, &tree, mark, whole_cluster);
    let tree = match base {
        Some(base) => yaml::merge(base, tree),
        None => tree,
    };
    whole.then_some(tree)
}

/// The items of a list; anything else is reported when the language is read.
fn items(node: &Node) -> &[Node] {
    match &node.value {
        Value::List(items) => items,
        _ => std::slice::from_ref(node),
    }
}

fn include_one(
    item: &Node,
    from: &str,
    loader: &dyn Loader,
    includes: &mut Includes,
    sources: &mut Sources,
    problems: &mut Problems,
) -> Option<Node> {
    let Some(name) = item.text() else {
        problems.add(
            Problem::error(
                "wrong-type",
                format!("expected a blueprint to include, found {}", item.kind()),
            )
            .at(item.span)
            .label("expected a path such as ./base.yaml, or the name of a library blueprint"),
        );
        return None;
    };
    includes.count += 1;
    if includes.count > MAX_INCLUDES {
        if includes.count == MAX_INCLUDES + 1 {
            let message = format!("there are more than {MAX_INCLUDES} includes in all");
            problems.add(
                Problem::error("include", message)
                    .at(item.span)
                    .label("this one crosses the limit")
                    .help("a blueprint counts each time that it is included"),
            );
        }
        return None;
    }
    let open = &includes.open;
    match loader.include(name, from) {
        Err(reason) => {
            let library = loader.blueprints();
            problems.add(
                Problem::error("include", reason)
                    .at(item.span)
                    .label(
                        "expected a path such as ./base.yaml, or the name of a library blueprint",
                    )
                    .nearest(name, library.iter().map(String::as_str))
                    .help(format!(
                        "the library has {}",
                        one_of(library.iter().map(String::as_str))
                    )),
            );
            None
        }
        Ok((called, _)) if !open.contains(&called) && open.len() > MAX_DEPTH => {
            let message = format!("more than {MAX_DEPTH} includes are nested in each other");
            problems.add(
                Problem::error("include", message)
                    .at(item.span)
                    .label("this one crosses the limit"),
            );
            None
        }
        Ok((called, _)) if open.contains(&called) => {
            let way = [open.as_slice(), &[called]].concat().join(" -> ");
            problems.add(
                Problem::error("include", "includes go round in a circle")
                    .at(item.span)
                    .label(way),
            );
            None
        }
        Ok((called, text)) => {
            let id = sources.add(called, text);
            load_one(id, loader, includes, sources, problems)
        }
    }
}
