//! The targets: [`Target`] is what each is, [`ALL`] the list of them.
//!
//! A target is one folder and one entry here. It owns its settings, its names ([`Addressing`]),
//! what becomes of a plan in its own terms, and its way of writing. It imports `plan`, `emit` and
//! what those stand on, never another target.

mod compose;
mod patch;

use crate::blueprint::{Definitions, Reader};
use crate::file::File;
use crate::plan::{Addressing, Plan};
use crate::problem::{Problem, Problems, did_you_mean, one_of};
use crate::yaml::Node;

/// Every target, in the order of help texts.
pub const ALL: &[&dyn Target] = &[&compose::Compose];

/// A platform that flokkr emits files for.
pub trait Target: Sync {
    /// Its name on the command line and under `targets:`; its folder below `gen all`.
    fn name(&self) -> &'static str;

    /// Other names it is called by.
    fn aliases(&self) -> &'static [&'static str] {
        &[]
    }

    /// One line for help.
    fn summary(&self) -> &'static str;

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

    /// Its files for a plan. What it can't carry is a problem that names the field and the way
    /// round.
    fn lower(&self, plan: &Plan, problems: &mut Problems) -> Vec<File>;
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
