//! The targets: [`Target`] is what each is, [`ALL`] the list of them.
//!
//! A target is one folder and one entry here. It owns its settings, its names ([`Addressing`]),
//! what becomes of a plan in its own terms, and its way of writing. It imports `plan`, `emit`,
//! what those stand on and the few rooms that targets share (the files beside the folders), never
//! another target.

mod account;
mod carry;
mod compose;
mod docker;
mod image;
mod kubernetes;
mod local;
mod memory;
mod nomad;
mod patch;
mod probe;
mod wait;

pub use account::{Account, Extra, Fate, Note};
pub use carry::{Piece, fit};
pub use local::{Built, Phase, Published, Reach, Runner, State, Tool};

use std::borrow::Cow;

use crate::blueprint::{Definitions, Map, Reader, Text};
use crate::file::File;
use crate::plan::{Addressing, Container, Plan};
use crate::problem::{Problem, did_you_mean, one_of};
use crate::yaml::Node;

/// Every target, in the order of help texts.
pub const ALL: &[&dyn Target] = &[
    &compose::Compose,
    &kubernetes::Kubernetes,
    &nomad::Nomad,
    &docker::Docker,
];

/// A platform that flokkr emits files for.
pub trait Target: Sync {
    /// Its name on the command line and under `targets:`; its folder below `gen all`.
    fn name(&self) -> &'static str;

    /// Other names it is called by.
    fn aliases(&self) -> &'static [&'static str] {
        &[]
    }

    /// What people call the platform.
    fn title(&self) -> &'static str;

    /// One line for help.
    fn summary(&self) -> &'static str;

    /// What it may have to leave out, by the names that its setting `accept` takes.
    fn losses(&self) -> &'static [&'static str];

    /// Why it may have no file at all for a blueprint.
    fn nothing(&self) -> &'static str {
        "there is nothing in it for this target"
    }

    /// Is a field (of [`FIELDS`](crate::plan::fields::FIELDS)) its business at all?
    fn concerns(&self, field: &str) -> bool {
        let _ = field;
        true
    }

    /// What runs its files on this machine, if anything does.
    fn runner(&self) -> Option<&'static dyn Runner> {
        None
    }

    /// Does it give what images are built from?
    fn builds(&self) -> bool {
        false
    }

    /// Reads its settings; without any, the defaults. `None` when a problem was reported.
    fn configure(
        &self,
        settings: Option<&Node>,
        reader: &mut Reader<'_>,
    ) -> Option<Box<dyn Configured>>;

    /// The JSON Schema of its settings.
    fn schema(&self, definitions: &mut Definitions) -> serde_json::Value;
}

/// A target with its settings.
pub trait Configured {
    /// How it calls services and replicas.
    fn addressing(&self) -> &dyn Addressing;

    /// The losses that the blueprint knows of, each with the reason.
    fn accepted(&self) -> &Map<Text>;

    /// What someone on this machine can reach of a plan, once it runs here.
    fn within_reach(&self, plan: &Plan, account: &mut Account) -> Reach {
        let _ = (plan, account);
        Reach::default()
    }

    /// A container with its config delivered as it is here, where that is not how it was planned.
    fn delivered<'c>(&self, container: &'c Container) -> Cow<'c, Container> {
        Cow::Borrowed(container)
    }

    /// Its files for a plan. What it can't carry is a problem that names the field and the way
    /// round.
    fn lower(&self, plan: &Plan, request: &Request<'_>, account: &mut Account) -> Vec<File>;
}

/// What is asked of a target besides a plan.
#[derive(Clone, Copy)]
pub struct Request<'a> {
    /// How many files.
    pub layout: Layout,
    /// The same blueprint with other values, for files that leave values open.
    pub variants: &'a dyn Variants,
}

/// The same blueprint with other values of its variables: its files for the same target, in the
/// layout [`Layout::Objects`].
pub trait Variants {
    /// The variables that are one text or number each, and their values.
    fn variables(&self) -> Vec<(String, String)>;

    /// The files with these values besides those that were given; `None` where an error comes of
    /// it.
    fn files(&self, values: &[(String, String)]) -> Option<Vec<File>>;

    /// The files without the values that were given: with the defaults of all variables.
    fn defaults(&self) -> Option<Vec<File>>;
}

/// How many files are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Layout {
    /// As many as is usual on the platform.
    #[default]
    Several,
    /// One, where the platform can read everything from one.
    Single,
    /// One for each thing that the platform knows, in no package.
    Objects,
    /// One, which is started at once, when all images have been built.
    Started,
}

/// The target of a name or alias.
///
/// # Errors
/// A problem with the nearest name.
pub fn find(name: &str) -> Result<&'static dyn Target, Box<Problem>> {
    let found = ALL
        .iter()
        .find(|t| t.name() == name || t.aliases().contains(&name));
    found.copied().ok_or_else(|| {
        let names = || ALL.iter().map(|t| t.name());
        let problem = Problem::error("unknown-target", format!("there is no target `{name}`"))
            .label(format!("expected {}", one_of(names())));
        let problem = match did_you_mean(name, names()) {
            Some(near) => problem.help(format!("did you mean `{near}`?")),
            None => problem,
        };
        Box::new(problem)
    })
}

/// The names of all targets.
pub fn names() -> Vec<&'static str> {
    ALL.iter().map(|t| t.name()).collect()
}
