//! What each stage costs: generated clusters of 10, 1,000 and 10,000 services of 30 config keys, a
//! blueprint of the library, and the whole process. `docs/performance.md` has the figures.
//!
//! Two shapes. `shared`: the 30 keys stand in one group that every service uses. `own`: every
//! service has its 30 keys written out. In both, three of the 30 values are templates, every
//! service has a port and a health check, and every tenth needs the one before it.

#![expect(
    clippy::expect_used,
    reason = "a stage that fails leaves nothing to measure"
)]

use std::fmt::{self, Write as _};
use std::process::{Command, Stdio};

use divan::Bencher;
use flokkr::blueprint::Reader;
use flokkr::diff::{self, Found};
use flokkr::file::File;
use flokkr::library;
use flokkr::pipeline::{self, Origin};
use flokkr::plan::{self, Plan};
use flokkr::problem::{Problems, SourceId, Sources};
use flokkr::resolve::{Accepts, Cluster, Input};
use flokkr::target::{self, Account, Configured, Layout, Request, Target, Variants};
use flokkr::template::Engine;
use flokkr::workspace::FileLoader;
use flokkr::yaml;

/// The same as in the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() {
    divan::Divan::default()
        .max_time(std::time::Duration::from_secs(2))
        .config_with_args()
        .main();
}

/// Config keys of every service.
const KEYS: usize = 30;

/// Where the config of a generated cluster stands.
#[derive(Clone, Copy)]
enum Shape {
    Shared,
    Own,
    Library,
}

/// A blueprint to measure with.
#[derive(Clone, Copy)]
struct Case {
    shape: Shape,
    services: usize,
}

/// A blueprint and the target that it is emitted for.
#[derive(Clone, Copy)]
struct Emitted {
    target: &'static dyn Target,
    case: Case,
}

const CASES: [Case; 7] = [
    Case {
        shape: Shape::Library,
        services: 0,
    },
    Case {
        shape: Shape::Shared,
        services: 10,
    },
    Case {
        shape: Shape::Shared,
        services: 1_000,
    },
    Case {
        shape: Shape::Shared,
        services: 10_000,
    },
    Case {
        shape: Shape::Own,
        services: 10,
    },
    Case {
        shape: Shape::Own,
        services: 1_000,
    },
    Case {
        shape: Shape::Own,
        services: 10_000,
    },
];

impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.shape {
            Shape::Shared => write!(f, "shared {}", self.services),
            Shape::Own => write!(f, "own {}", self.services),
            Shape::Library => f.write_str("library hdfs"),
        }
    }
}

impl fmt::Display for Emitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.target.name(), self.case)
    }
}

impl Case {
    fn text(self) -> String {
        let own = match self.shape {
            Shape::Library => {
                return library::blueprint("hdfs")
                    .expect("a library blueprint")
                    .to_owned();
            }
            Shape::Shared => false,
            Shape::Own => true,
        };
        let mut text = String::from(
            "blueprint: v1\n\
             name: measured\n\
             vars: { base: \"/data\", size: 64 }\n\
             images:\n  \
               app: { ref: \"apache/hadoop:3.4.3\", launcher: apache, user: \"1000:100\", conf: /opt/hadoop/etc/hadoop }\n",
        );
        if !own {
            text.push_str("config:\n  common:\n    core-site.xml:\n");
            keys(&mut text, "      ", None);
        }
        text.push_str("services:\n");
        for service in 0..self.services {
            let _ = write!(
                text,
                "  s{service}:\n    image: app\n    command: [hdfs, datanode]\n    ports: {{ rpc: 8020 }}\n    \
                 health: {{ tcp: rpc }}\n"
            );
            if service % 10 == 9 {
                let _ = writeln!(text, "    needs: [s{}.rpc]", service - 1);
            }
            if own {
                text.push_str("    config:\n      core-site.xml:\n");
                keys(&mut text, "        ", Some(service));
            } else {
                text.push_str("    config: { use: [common] }\n");
            }
        }
        text
    }

    fn sources(self) -> (Sources, SourceId) {
        let mut sources = Sources::default();
        let id = sources.add("blueprint.yaml", self.text());
        (sources, id)
    }

    fn cluster(self) -> (Sources, Cluster) {
        let (mut sources, id) = self.sources();
        let cluster = resolve(id, &mut sources).expect("a cluster without a problem");
        (sources, cluster)
    }
}

/// The keys of one config file. What belongs to a service differs from the others' by its number.
fn keys(text: &mut String, indent: &str, service: Option<usize>) {
    for key in 0..KEYS {
        let value = match (key, service) {
            (10, _) => "\"{{ base }}/tmp\"".to_owned(),
            (20, _) => "\"{{ size * 1024 }}\"".to_owned(),
            (29, Some(own)) => format!("\"hdfs://{{{{ address('s{own}', 'rpc') }}}}\""),
            (29, None) => "\"hdfs://{{ address('s0', 'rpc') }}\"".to_owned(),
            (_, Some(own)) if key % 3 == 0 => format!("value-{own}-{key}"),
            _ => format!("value-{key}"),
        };
        let _ = writeln!(text, "{indent}some.config.key.number-{key}: {value}");
    }
}

fn cases_of_targets() -> Vec<Emitted> {
    let of = |target: &'static dyn Target| CASES.map(|case| Emitted { target, case });
    target::ALL.iter().flat_map(|t| of(*t)).collect()
}

fn input(id: SourceId) -> Input {
    Input {
        blueprint: id,
        values: Vec::new(),
        sets: Vec::new(),
    }
}

fn loader() -> FileLoader {
    FileLoader {
        directory: "".into(),
    }
}

fn resolve(id: SourceId, sources: &mut Sources) -> Option<Cluster> {
    let origin = Origin {
        input: &input(id),
        loader: &loader(),
    };
    origin.resolve(sources, &mut Problems::default())
}

/// No other values: what is measured leaves none open.
struct NoVariants;

impl Variants for NoVariants {
    fn variables(&self) -> Vec<(String, String)> {
        Vec::new()
    }

    fn files(&self, _: &[(String, String)]) -> Option<Vec<File>> {
        None
    }

    fn defaults(&self) -> Option<Vec<File>> {
        None
    }
}

fn configure(target: &dyn Target, cluster: &Cluster, sources: &Sources) -> Box<dyn Configured> {
    let settings = cluster.blueprint.targets.get(target.name());
    let mut reader = Reader {
        problems: &mut Problems::default(),
        sources,
        engine: &Engine::default(),
        contexts: std::slice::from_ref(&cluster.vars),
        variable: &|_| None,
        unsure: false,
    };
    target
        .configure(settings.map(|raw| &raw.0), &mut reader)
        .expect("settings without a problem")
}

impl Emitted {
    fn plan(self) -> (Box<dyn Configured>, Plan, Accepts) {
        let (sources, cluster) = self.case.cluster();
        let configured = configure(self.target, &cluster, &sources);
        let plan = plan::build(
            &cluster,
            configured.addressing(),
            &sources,
            &mut Problems::default(),
        );
        (configured, plan, cluster.accepts)
    }

    fn files(self) -> Vec<File> {
        let (sources, cluster) = self.case.cluster();
        let (_, id) = self.case.sources();
        let origin = Origin {
            input: &input(id),
            loader: &loader(),
        };
        pipeline::emit(
            &cluster,
            origin,
            self.target,
            Layout::Several,
            &sources,
            &mut Problems::default(),
        )
        .expect("files without a problem")
    }
}

/// Text to tree.
#[divan::bench(args = CASES)]
fn a_read(bencher: Bencher<'_, '_>, case: Case) {
    let (sources, id) = case.sources();
    bencher.bench_local(|| yaml::read(id, &sources, &mut Problems::default()));
}

/// Text to cluster: reading is part of it.
#[divan::bench(args = CASES)]
fn b_read_and_resolve(bencher: Bencher<'_, '_>, case: Case) {
    bencher
        .with_inputs(|| case.sources())
        .bench_local_values(|(mut sources, id)| resolve(id, &mut sources));
}

/// Cluster to plan, with a target's names.
#[divan::bench(args = cases_of_targets())]
fn c_plan(bencher: Bencher<'_, '_>, emitted: &Emitted) {
    let (sources, cluster) = emitted.case.cluster();
    let configured = configure(emitted.target, &cluster, &sources);
    bencher.bench_local(|| {
        plan::build(
            &cluster,
            configured.addressing(),
            &sources,
            &mut Problems::default(),
        )
    });
}

/// Plan to files: the target's model and its text.
#[divan::bench(args = cases_of_targets())]
fn d_emit(bencher: Bencher<'_, '_>, emitted: &Emitted) {
    let (configured, plan, accepts) = emitted.plan();
    bencher.bench_local(|| {
        let mut account = Account::open(emitted.target, &*configured, &accepts);
        let request = Request {
            layout: Layout::Several,
            variants: &NoVariants,
        };
        configured.lower(&plan, &request, &mut account)
    });
}

/// Files with the same files.
#[divan::bench(args = cases_of_targets())]
fn e_compare_same(bencher: Bencher<'_, '_>, emitted: &Emitted) {
    compare(bencher, *emitted, |_| {});
}

/// Files with files in which one line differs.
#[divan::bench(args = cases_of_targets())]
fn f_compare_one_line(bencher: Bencher<'_, '_>, emitted: &Emitted) {
    compare(bencher, *emitted, |text| {
        *text = text.replacen("3.4.3", "3.4.2", 1);
    });
}

fn compare(bencher: Bencher<'_, '_>, emitted: Emitted, edit: fn(&mut String)) {
    let files = emitted.files();
    let found = |file: &File| {
        let mut text = file.text.clone();
        edit(&mut text);
        Found {
            path: file.path.clone(),
            text: Some(text),
        }
    };
    let there: Vec<Found> = files.iter().map(found).collect();
    bencher.bench_local(|| {
        diff::text(
            &diff::compare(&files, &there),
            &|p| p.to_string(),
            "blueprint",
        )
    });
}

/// The process from its start to its end, output thrown away. Wall time.
#[divan::bench(args = cases_of_targets())]
fn g_process(bencher: Bencher<'_, '_>, emitted: &Emitted) {
    let folder = tempfile::tempdir().expect("a folder for the blueprint");
    let path = folder.path().join("blueprint.yaml");
    std::fs::write(&path, emitted.case.text()).expect("a blueprint in the folder");
    bencher.bench_local(|| {
        Command::new(env!("CARGO_BIN_EXE_flokkr"))
            .args(["gen", emitted.target.name(), "-f"])
            .arg(&path)
            .stdout(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
            .then_some(())
            .expect("a process without an error");
    });
}
