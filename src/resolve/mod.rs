//! From sources to one [`Cluster`]: layers merged, variables typed, plugins taken in, the language
//! read, and every reference checked.
//!
//! Owns the order of layers (included blueprints, the blueprint, `--values`, `--set`), the typing
//! of variables by their defaults, plugin parameters, and what names may refer to. Leaves value
//! texts unevaluated: their meaning depends on the target's names, which `plan` is given.
//! Reads no file: what it needs comes through [`Loader`].
//! May fail with all problems of meaning at once.

mod accepts;
mod check;
mod image_name;
mod images;
mod layers;
mod names;
mod needs;
mod plugins;
mod vars;

pub use accepts::Accepts;
pub use image_name::image_fault;
pub use layers::{Input, Loader};
pub use names::NAME_RULE;
pub use plugins::{Param, Scope};
pub use vars::Declared;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::blueprint::{Blueprint, Read, Reader};
use crate::problem::{Problem, Problems, Sources};
use crate::template::{Engine, Value, ValueKind};
use crate::yaml;

/// A blueprint with its layers merged and its references checked.
#[derive(Debug)]
pub struct Cluster {
    /// The whole of it, read.
    pub blueprint: Blueprint,
    /// The variables, as templates see them, and `name`.
    pub vars: Value,
    /// Where the value of each variable comes from.
    pub declared: BTreeMap<Arc<str>, Declared>,
    /// Plugin instances: scope N of a text is entry N - 1.
    pub scopes: Vec<Scope>,
    /// The losses that its files accept.
    pub accepts: Accepts,
    /// Something that other parts depend on was reported and stands as absent: what a later stage
    /// finds wrong may be a consequence of it.
    pub unsure: bool,
}

impl Cluster {
    /// The variables that are one text or number each, with their values, in the order of names.
    pub fn scalars(&self) -> Vec<(String, String)> {
        let keys = self.vars.try_iter().into_iter().flatten();
        let pairs = keys.filter_map(|key| {
            let name = key.as_str()?.to_owned();
            let value = self.vars.get_attr(&name).ok()?;
            let scalar = matches!(value.kind(), ValueKind::String | ValueKind::Number);
            (scalar && name != "name").then(|| (name, value.to_string()))
        });
        pairs.collect()
    }
}

/// Makes a cluster of a blueprint and its layers. `targets` are the names that `targets:` and
/// `patch:` may have.
///
/// `None` when there is nothing to go on with. A cluster may come with errors reported: the stages
/// after this one find more, and nothing is written.
pub fn resolve(
    input: &Input,
    loader: &dyn Loader,
    targets: &[&str],
    sources: &mut Sources,
    problems: &mut Problems,
) -> Option<Cluster> {
    let before = problems.errors();
    let engine = Engine::default();
    let (mut tree, mut accepts) = layers::load(input, loader, sources, problems)?;
    let (vars, declared) = vars::values(&tree, input, &engine, sources, problems);
    let scopes = plugins::apply(
        &mut tree,
        &mut accepts,
        loader,
        &engine,
        &vars,
        sources,
        problems,
    );
    let mut contexts = vec![vars.clone()];
    contexts.extend(scopes.iter().map(|s| s.structure.clone()));
    let mut reader = Reader {
        problems,
        sources,
        engine: &engine,
        contexts: &contexts,
        variable: &|name| declared.get(name).map(|d| d.span),
        unsure: false,
    };
    if tree.is_null() {
        let what = "a blueprint: `blueprint: v1`, `name`, `images`, `services`";
        return reader.fail(
            Problem::error("missing-key", "there is nothing in this file")
                .at(tree.span)
                .label(format!("expected {what}"))
                .help("`flokkr init` writes a blueprint to start from"),
        );
    }
    let broken_layers = reader.problems.errors() > before;
    let blueprint = Blueprint::read(&strip(tree), &mut reader)?;
    let unsure = reader.unsure || broken_layers || check::has_twins(&blueprint);
    check::check(&blueprint, targets, reader.problems);
    Some(Cluster {
        blueprint,
        vars,
        declared,
        scopes,
        accepts,
        unsure,
    })
}

/// Without `include`, whose work is done.
fn strip(mut tree: yaml::Node) -> yaml::Node {
    if let yaml::Value::Map(entries) = &mut tree.value {
        entries.retain(|e| &*e.key != "include");
    }
    tree
}
