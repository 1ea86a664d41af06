//! The way through the house, stage by stage: what every command does between reading and writing.

use crate::blueprint::Reader;
use crate::file::File;
use crate::plan::{self, Plan};
use crate::problem::{Problems, Sources};
use crate::resolve::{self, Cluster, Input, Loader};
use crate::target::{self, Account, Configured, Layout, Request, Target, Variants};
use crate::template::Engine;

/// Where a cluster comes from: what it takes to resolve it again with other values.
#[derive(Clone, Copy)]
pub struct Origin<'a> {
    /// What the run was given.
    pub input: &'a Input,
    /// Brings what the blueprint names.
    pub loader: &'a dyn Loader,
}

impl Origin<'_> {
    /// Resolves it.
    pub fn resolve(&self, sources: &mut Sources, problems: &mut Problems) -> Option<Cluster> {
        resolve::resolve(self.input, self.loader, &target::names(), sources, problems)
    }
}

/// The files of a cluster for one target; `None` when an error was reported.
pub fn emit(
    cluster: &Cluster,
    origin: Origin<'_>,
    target: &dyn Target,
    layout: Layout,
    sources: &Sources,
    problems: &mut Problems,
) -> Option<Vec<File>> {
    let before = problems.errors();
    let Lowered { files, account, .. } = lower(cluster, origin, target, layout, sources, problems)?;
    problems.extend(account.problems);
    (problems.errors() == before).then_some(files)
}

/// What a cluster became on a target.
pub struct Lowered {
    /// The files.
    pub files: Vec<File>,
    /// What became of its fields, and the problems with that.
    pub account: Account,
    /// The fields that it makes use of.
    pub fields: Vec<&'static str>,
    /// What it was made from.
    pub plan: Plan,
    /// The target with its settings.
    pub configured: Box<dyn Configured>,
}

fn configured(
    cluster: &Cluster,
    target: &dyn Target,
    sources: &Sources,
    problems: &mut Problems,
) -> Option<Box<dyn Configured>> {
    let contexts = [cluster.vars.clone()];
    let engine = Engine::default();
    let settings = cluster.blueprint.targets.get(target.name());
    target.configure(
        settings.map(|raw| &raw.0),
        &mut Reader {
            problems,
            sources,
            engine: &engine,
            contexts: &contexts,
            variable: &|name| cluster.declared.get(name).map(|d| d.span),
            unsure: false,
        },
    )
}

/// Lowers a cluster for one target; `None` when it came to no plan, which is reported.
pub fn lower(
    cluster: &Cluster,
    origin: Origin<'_>,
    target: &dyn Target,
    layout: Layout,
    sources: &Sources,
    problems: &mut Problems,
) -> Option<Lowered> {
    let configured = configured(cluster, target, sources, problems)?;
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
    let mut account = Account::open(target, &*configured, &cluster.accepts);
    let again = Again {
        cluster,
        origin,
        target,
        sources,
    };
    let request = Request {
        layout,
        variants: &again,
    };
    let files = configured.lower(&plan, &request, &mut account);
    Some(Lowered {
        files,
        account,
        fields: plan::fields::used(&plan),
        plan,
        configured,
    })
}

/// The same cluster with other values.
struct Again<'a> {
    cluster: &'a Cluster,
    origin: Origin<'a>,
    target: &'a dyn Target,
    sources: &'a Sources,
}

impl Again<'_> {
    fn emit(&self, input: &Input, mut sources: Sources) -> Option<Vec<File>> {
        let mut problems = Problems::default();
        let origin = Origin {
            input,
            loader: self.origin.loader,
        };
        let cluster = origin.resolve(&mut sources, &mut problems)?;
        let layout = Layout::Objects;
        let files = emit(
            &cluster,
            origin,
            self.target,
            layout,
            &sources,
            &mut problems,
        )?;
        (!problems.has_errors()).then_some(files)
    }
}

impl Variants for Again<'_> {
    fn variables(&self) -> Vec<(String, String)> {
        self.cluster.scalars()
    }

    fn files(&self, values: &[(String, String)]) -> Option<Vec<File>> {
        let mut sources = self.sources.clone();
        let mut input = self.origin.input.clone();
        for (name, value) in values {
            let set = format!("{name}={value}");
            input.sets.push(sources.add("--set", set));
        }
        self.emit(&input, sources)
    }

    fn defaults(&self) -> Option<Vec<File>> {
        let input = Input {
            values: Vec::new(),
            sets: Vec::new(),
            ..self.origin.input.clone()
        };
        self.emit(&input, self.sources.clone())
    }
}
