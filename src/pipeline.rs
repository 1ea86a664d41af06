//! The way through the house, stage by stage: what every command does between reading and writing.

use crate::blueprint::Reader;
use crate::file::File;
use crate::plan;
use crate::problem::{Problems, Sources};
use crate::resolve::Cluster;
use crate::target::{Account, Layout, Target};
use crate::template::Engine;

/// The files of a cluster for one target; `None` when an error was reported.
pub fn emit(
    cluster: &Cluster,
    target: &dyn Target,
    layout: Layout,
    sources: &Sources,
    problems: &mut Problems,
) -> Option<Vec<File>> {
    let before = problems.errors();
    let Lowered { files, account, .. } = lower(cluster, target, layout, sources, problems)?;
    problems.extend(account.problems);
    (problems.errors() == before).then_some(files)
}

/// What a plan became on a target.
pub struct Lowered {
    /// The files.
    pub files: Vec<File>,
    /// What became of its fields, and the problems with that.
    pub account: Account,
    /// The fields that it makes use of.
    pub fields: Vec<&'static str>,
}

/// Lowers a cluster for one target; `None` when it came to no plan, which is reported.
pub fn lower(
    cluster: &Cluster,
    target: &dyn Target,
    layout: Layout,
    sources: &Sources,
    problems: &mut Problems,
) -> Option<Lowered> {
    let contexts = [cluster.vars.clone()];
    let engine = Engine::default();
    let settings = cluster.blueprint.targets.get(target.name());
    let configured = target.configure(
        settings.map(|raw| &raw.0),
        &mut Reader {
            problems,
            sources,
            engine: &engine,
            contexts: &contexts,
            unsure: false,
        },
    )?;
    if cluster.unsure {
        // Only what can't be a consequence of the errors that are reported already.
        let mut found = Problems::default();
        plan::build(cluster, configured.addressing(), sources, &mut found);
        for problem in found.sorted() {
            if plan::is_independent(problem) {
                problems.add(problem.clone());
            }
        }
        return None;
    }
    let plan = plan::build(cluster, configured.addressing(), sources, problems);
    let mut account = Account::open(target, &*configured);
    let files = configured.lower(&plan, layout, &mut account);
    let fields = plan::fields::used(&plan);
    Some(Lowered {
        files,
        account,
        fields,
    })
}
