//! Which texts make the tree: the blueprint, what it includes, and nothing else.

use crate::problem::{Problem, Problems, SourceId, Sources, one_of};
use crate::yaml::{self, Node, Value};

/// Includes may nest this deep.
const MAX_DEPTH: usize = 16;

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
) -> Option<Node> {
    let mut open = Vec::new();
    load_one(input.blueprint, loader, &mut open, sources, problems)
}

fn load_one(
    source: SourceId,
    loader: &dyn Loader,
    open: &mut Vec<String>,
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
    let Some(include) = tree.get("include").cloned() else {
        return Some(tree);
    };
    open.push(from.clone());
    let mut base: Option<Node> = None;
    let mut whole = true;
    for item in items(&include) {
        match include_one(item, &from, loader, open, sources, problems) {
            Some(node) => {
                base = Some(match base {
                    Some(below) => yaml::merge(below, node),
                    None => node,
                });
            }
            None => whole = false,
        }
    }
    open.pop();
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
    open: &mut Vec<String>,
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
        Ok((called, _)) if open.contains(&called) || open.len() >= MAX_DEPTH => {
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
            load_one(id, loader, open, sources, problems)
        }
    }
}
