//! The real binary, in a directory of its own: what it writes, what it leaves alone, and how it ends.

mod decisions;

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Stdio;

use serde_json::Value;
use tempfile::TempDir;

use camino::Utf8Path;
use flokkr::file::File;
use flokkr::target::{self, Target};
use flokkr::workspace::{self, Options, Programs};

use crate::support::{emit, flokkr, said, snapshot};

const BLUEPRINT: &str = "\
blueprint: v1
name: demo
vars: { tag: \"1\", count: 1 }
images:
  app: { ref: \"example/app:{{ tag }}\" }
services:
  app: { image: app, kind: ensemble, replicas: \"{{ count }}\" }
";

/// A directory with a blueprint.
struct Desk {
    directory: TempDir,
}

impl Desk {
    fn empty() -> Self {
        let directory = tempfile::tempdir().unwrap();
        Self { directory }
    }

    fn new() -> Self {
        let desk = Self::empty();
        desk.put("blueprint.yaml", BLUEPRINT);
        desk
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    fn put(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path().join(name)).unwrap()
    }

    fn has(&self, name: &str) -> bool {
        self.path().join(name).exists()
    }

    /// Names in a folder, sorted.
    fn list(&self, folder: &str) -> Vec<String> {
        let entries = fs::read_dir(self.path().join(folder)).unwrap();
        let mut names: Vec<String> = entries
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    /// Runs what is typed; gives standard output and standard error.
    fn run(&self, typed: &str, code: i32) -> (String, String) {
        self.feed(typed, "", code)
    }

    fn feed(&self, typed: &str, input: &str, code: i32) -> (String, String) {
        let words: Vec<&str> = typed.split(' ').collect();
        let mut command = flokkr(self.path(), &words);
        command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A command that reads no input may have ended already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        let (out, err) = said(&output);
        assert_eq!(
            output.status.code(),
            Some(code),
            "flokkr {typed}\n{out}{err}"
        );
        (out, err)
    }

    /// Runs what is typed and compares all that is said with a snapshot.
    fn shows(&self, name: &str, typed: &str, code: i32) {
        let (out, err) = self.run(typed, code);
        snapshot("cli", name, &format!("$ flokkr {typed}\n{out}{err}"));
    }
}

#[test]
fn gen_prints() {
    let desk = Desk::new();
    let (out, err) = desk.run("gen compose", 0);
    assert!(out.contains("name: \"demo\""), "{out}");
    assert_eq!(err, "");
    assert_eq!(desk.run("gen compose -o -", 0).0, out);
    assert_eq!(desk.run("gen compose .", 0).0, out);
    assert_eq!(desk.run("gen compose blueprint.yaml", 0).0, out);
    assert_eq!(desk.run("gen compose -f blueprint.yaml", 0).0, out);
    assert_eq!(desk.feed("gen compose -f -", BLUEPRINT, 0).0, out);
    assert_eq!(desk.run("gen docker-compose", 0).0, out, "an alias");
    assert!(
        desk.run("gen compose --set tag=2", 0)
            .0
            .contains("example/app:2")
    );
    desk.put("values.yaml", "tag: 3");
    assert!(
        desk.run("gen compose --values values.yaml", 0)
            .0
            .contains("example/app:3")
    );
    let both = desk
        .run("gen compose --values values.yaml --set tag=4", 0)
        .0;
    assert!(both.contains("example/app:4"), "--set wins: {both}");
    assert_eq!(desk.list("."), ["blueprint.yaml", "values.yaml"]);
}

#[test]
fn gen_writes_a_directory() {
    let desk = Desk::new();
    desk.shows("gen-directory", "gen compose -o out", 0);
    assert_eq!(desk.list("out"), [".flokkr", "compose.yaml"]);
    assert_eq!(desk.read("out/compose.yaml"), desk.run("gen compose", 0).0);
    desk.run("gen all -o all", 0);
    assert!(desk.has("all/compose/compose.yaml"));
    desk.run("gen compose -o some/where/deep", 0);
    assert!(desk.has("some/where/deep/compose.yaml"));
}

#[test]
fn gen_writes_a_file() {
    let desk = Desk::new();
    desk.shows("gen-file", "gen compose -o other.yaml", 0);
    assert_eq!(desk.read("other.yaml"), desk.run("gen compose", 0).0);
    assert_eq!(desk.run("diff compose other.yaml", 0).0, "");
}

#[test]
fn gen_again_touches_nothing() {
    let desk = Desk::new();
    desk.run("gen compose -o out", 0);
    let stamps = || {
        desk.list("out").into_iter().map(|name| {
            let path = desk.path().join("out").join(&name);
            (name, fs::metadata(path).unwrap().modified().unwrap())
        })
    };
    let before: Vec<_> = stamps().collect();
    std::thread::sleep(std::time::Duration::from_millis(20));
    desk.shows("gen-again", "gen compose -o out", 0);
    desk.run("gen compose -o out --overwrite --prune", 0);
    assert_eq!(stamps().collect::<Vec<_>>(), before);
}

#[test]
fn gen_refuses_what_is_not_its_own() {
    let desk = Desk::new();
    desk.put("out/compose.yaml", "services: {}\n");
    desk.shows("gen-foreign", "gen compose -o out", 2);
    desk.run("gen compose -o out --overwrite --prune", 2);
    assert_eq!(desk.read("out/compose.yaml"), "services: {}\n");
    assert_eq!(desk.list("out"), ["compose.yaml"], "nothing was written");

    let desk = Desk::new();
    desk.run("gen compose -o out", 0);
    let edited = desk.read("out/compose.yaml") + "# mine\n";
    desk.put("out/compose.yaml", &edited);
    desk.shows("gen-edited", "gen compose -o out --overwrite", 2);
    assert_eq!(desk.read("out/compose.yaml"), edited);
}

#[test]
fn gen_overwrites_only_when_asked() {
    let desk = Desk::new();
    desk.run("gen compose -o out", 0);
    let first = desk.read("out/compose.yaml");
    desk.shows("gen-changed", "gen compose -o out --set tag=2", 2);
    assert_eq!(desk.read("out/compose.yaml"), first);
    desk.shows(
        "gen-overwrite",
        "gen compose -o out --set tag=2 --overwrite",
        0,
    );
    assert!(desk.read("out/compose.yaml").contains("example/app:2"));
    desk.run("gen compose -o out --overwrite", 0);
    assert_eq!(
        desk.read("out/compose.yaml"),
        first,
        "it still knows what it wrote"
    );
}

#[test]
fn gen_prunes_only_its_own() {
    let desk = Desk::new();
    // What one target gave alone is stale when all give a folder each.
    desk.run("gen compose -o out", 0);
    desk.put("out/mine.yaml", "a: b\n");
    desk.shows("gen-stale", "gen all -o out", 0);
    assert!(desk.has("out/compose.yaml"));
    desk.shows("gen-prune", "gen all -o out --prune", 0);
    let mut kept = vec![".flokkr", "mine.yaml"];
    let gives = |t: &&&dyn Target| !emit(BLUEPRINT, **t).files.unwrap().is_empty();
    kept.extend(target::ALL.iter().filter(gives).map(|t| t.name()));
    kept.sort_unstable();
    assert_eq!(desk.list("out"), kept);

    desk.put("out/compose/compose.yaml", "edited: true\n");
    let (_, err) = desk.run("gen compose -o out --prune", 0);
    assert!(
        err.contains("edited since flokkr wrote it, so it stays"),
        "{err}"
    );
    assert_eq!(desk.read("out/compose/compose.yaml"), "edited: true\n");
}

/// Names are checked long before; a path that leads out is refused whoever made it.
#[test]
fn nothing_is_written_outside_of_the_output() {
    let desk = Desk::empty();
    let out = Utf8Path::from_path(desk.path()).unwrap().join("deep/out");
    for path in ["../esc", "/tmp/esc", "a/../../esc", "", workspace::LIST] {
        let file = |path: &str| File {
            path: path.into(),
            text: "text".to_owned(),
        };
        let files = [file("good"), file(path)];
        let refused = workspace::write(&out, &files, Programs::default(), Options::default());
        let reasons = refused.expect_err(path).reasons.join("\n");
        assert!(reasons.contains("no path below"), "{reasons}");
    }
    assert!(desk.list(".").is_empty());
}

#[test]
fn gen_to_a_file_leaves_its_neighbours_alone() {
    let desk = Desk::new();
    desk.run("gen compose -o one.yaml", 0);
    desk.run("gen compose -o two.yaml", 0);
    desk.run("gen compose -o two.yaml --check", 0);
    let (_, err) = desk.run("gen compose -o two.yaml --prune", 0);
    assert_eq!(err, "unchanged two.yaml\n");
    assert!(desk.has("one.yaml"));
    desk.run("gen compose -o ", 2);
}

#[test]
fn gen_tells_line_ends_and_links_from_edits() {
    let desk = Desk::new();
    desk.run("gen compose -o out", 0);
    let text = desk.read("out/compose.yaml");
    desk.put("out/compose.yaml", &text.replace('\n', "\r\n"));
    desk.run("gen compose -o out --check", 0);
    desk.run("gen compose -o out", 0);
    desk.run("gen compose -o out --set tag=2 --overwrite", 0);
    assert!(desk.read("out/compose.yaml").contains("example/app:2"));

    let out = desk.path().join("out");
    fs::rename(out.join("compose.yaml"), out.join("real.yaml")).unwrap();
    std::os::unix::fs::symlink("real.yaml", out.join("compose.yaml")).unwrap();
    desk.run("gen compose -o out --overwrite", 2);
    assert!(desk.read("out/real.yaml").contains("example/app:2"));
}

#[test]
fn plugins_are_found_beside_the_blueprint_that_asks() {
    let desk = Desk::new();
    let base = BLUEPRINT.replace("image: app,", "image: app, plugins: { hello: null },");
    desk.put("sub/base.yaml", &base);
    desk.put(
        "sub/plugins/hello.yaml",
        "plugin: v1\nname: hello\ndescription: Says it\nservice: { env: { HELLO: there } }\n",
    );
    desk.put(
        "over.yaml",
        "blueprint: v1\nname: over\ninclude: [./sub/base.yaml]\n",
    );
    let (out, _) = desk.run("gen compose -f over.yaml", 0);
    assert!(out.contains("HELLO: \"there\""));
}

#[test]
fn includes_nest_so_deep() {
    let desk = Desk::empty();
    desk.put("0.yaml", BLUEPRINT);
    for depth in 1..=17 {
        let text = format!("include: [./{}.yaml]\n", depth - 1);
        desk.put(&format!("{depth}.yaml"), &text);
    }
    desk.run("gen compose -f 16.yaml", 0);
    let (_, err) = desk.run("gen compose -f 17.yaml", 2);
    assert!(err.contains("more than 16 includes are nested"), "{err}");
    assert!(!err.contains("circle"), "{err}");
}

#[test]
fn gen_checks() {
    let desk = Desk::new();
    desk.shows("check-missing", "gen compose -o out --check", 1);
    assert!(!desk.has("out"), "a check writes nothing");
    desk.run("gen compose -o out", 0);
    assert_eq!(
        desk.run("gen compose -o out --check", 0),
        (String::new(), String::new())
    );
    desk.shows("check-drift", "gen compose -o out --check --set tag=2", 1);
    desk.shows(
        "check-drift-ensemble",
        "gen compose -o out --check --set count=2",
        1,
    );
    desk.run("gen compose -o other.yaml", 0);
    desk.run("gen compose -o other.yaml --check", 0);
    desk.run("gen compose -o other.yaml --check --set tag=2", 1);
    desk.run("gen compose --check", 2);
    let (out, err) = desk.run("gen compose --check -o -", 2);
    assert!(out.is_empty() && err.contains("--check compares"), "{err}");
}

#[test]
fn gen_sweeps_after_a_killed_run() {
    let desk = Desk::new();
    desk.run("gen compose -o out", 0);
    desk.put("out/.flokkr-new-abcdef", "half a fi");
    desk.run("gen compose -o out --set tag=2 --overwrite", 0);
    assert_eq!(desk.list("out"), [".flokkr", "compose.yaml"]);
}

#[test]
fn an_error_writes_nothing() {
    let desk = Desk::new();
    desk.put(
        "blueprint.yaml",
        &BLUEPRINT.replace("image: app", "image: ap"),
    );
    let (out, err) = desk.run("gen compose -o out", 2);
    assert!(
        out.is_empty() && err.contains("nothing was written"),
        "{err}"
    );
    assert_eq!(desk.list("."), ["blueprint.yaml"]);
    desk.run("gen compose -o other.yaml", 2);
    desk.run("diff compose blueprint.yaml", 2);
    desk.run("check", 2);
    assert_eq!(desk.list("."), ["blueprint.yaml"]);
}

#[test]
fn diff_tells_same_drift_and_error() {
    let desk = Desk::new();
    desk.run("gen compose -o out", 0);
    assert_eq!(desk.run("diff compose out", 0).0, "");
    assert_eq!(desk.run("diff compose . out", 0).0, "");
    assert_eq!(desk.run("diff compose -f blueprint.yaml out", 0).0, "");
    assert_eq!(desk.run("diff compose out/compose.yaml", 0).0, "");
    let text = desk.read("out/compose.yaml");
    assert_eq!(desk.feed("diff compose -", &text, 0).0, "");
    assert_eq!(
        desk.feed("diff compose -", &text.replace('\n', "\r\n"), 0)
            .0,
        "",
        "line ends"
    );
    desk.shows("diff-directory", "diff compose out --set tag=2", 1);
    desk.shows("diff-file", "diff compose out/compose.yaml --set tag=2", 1);
    desk.feed("diff compose -", "name: other\n", 1);
    desk.put("spelled.yaml", &text.replace("\"demo\"", "demo"));
    desk.shows("diff-spelling", "diff compose spelled.yaml", 1);
    desk.shows("diff-nowhere", "diff compose nowhere", 2);
    desk.feed("diff compose -f - -", BLUEPRINT, 2);
}

/// Whatever `gen` gave, `diff` takes: what was printed, one file for all, a directory of it.
#[test]
fn diff_takes_what_gen_gave() {
    let desk = Desk::new();
    for target in ["kubernetes", "nomad", "all"] {
        let (printed, _) = desk.run(&format!("gen {target}"), 0);
        desk.put("printed", &printed);
        let with = |against: &str, set: &str| format!("diff {target} {against}{set}");
        assert_eq!(desk.feed(&with("-", ""), &printed, 0).0, "", "{target}");
        desk.run(&with("printed", ""), 0);
        desk.feed(&with("-", " --set tag=2"), &printed, 1);
    }
    desk.run("gen kubernetes --single-file -o one", 0);
    desk.run("gen kubernetes --single-file -o file.yaml", 0);
    for one in ["one", "file.yaml"] {
        assert_eq!(desk.run(&format!("diff kubernetes {one}"), 0).0, "");
        desk.run(&format!("diff kubernetes {one} --set tag=2"), 1);
    }
    desk.run("gen all --single-file -o every", 0);
    assert_eq!(desk.run("diff all every", 0).0, "");
    // A target that has nothing in one file.
    let two = BLUEPRINT.to_owned() + "  web: { image: app }\n";
    desk.put("two.yaml", &two);
    desk.run("gen nomad -f two.yaml -o jobs", 0);
    assert_eq!(desk.run("diff nomad -f two.yaml jobs", 0).0, "");
    desk.run("diff nomad jobs", 1);
    let (printed, _) = desk.run("gen nomad -f two.yaml", 0);
    assert_eq!(desk.feed("diff nomad -f two.yaml -", &printed, 0).0, "");
    let (_, err) = desk.feed("diff nomad -f two.yaml -", "job \"x\" {}\n", 2);
    assert!(err.contains("the blueprint gives 2"), "{err}");
    // The spelling of many documents.
    let spelled = desk
        .read("file.yaml")
        .replace("\"example/app:1\"", "'example/app:1'");
    desk.put("spelled.yaml", &spelled);
    let (out, _) = desk.run("diff kubernetes spelled.yaml", 1);
    assert!(out.contains("(the same data"), "{out}");
}

#[test]
fn diff_names_what_is_missing_and_stale() {
    let desk = Desk::new();
    desk.run("gen all -o out", 0);
    desk.shows("diff-stale", "diff compose out", 1);
    desk.put("empty/readme", "");
    desk.shows("diff-missing", "diff compose empty", 1);
}

#[test]
fn check_says_for_what_it_is_good() {
    let desk = Desk::new();
    let (_, err) = desk.run("check compose", 0);
    assert_eq!(err, "demo: good for compose, 1 file\n");
    desk.run("check", 0);
    desk.run("check compose hdfs", 0);
    desk.run("check hdfs-ha", 0);
    desk.run("check all blueprint.yaml", 0);
    desk.shows("check-bad", "check compose --set count=0", 2);
    desk.run("check compose hdfs -f blueprint.yaml", 2);
    desk.run("check swarm hdfs", 2);
}

/// A blueprint with every layer that a value may come from.
fn layered() -> Desk {
    let desk = Desk::empty();
    desk.put(
        "base.yaml",
        "\
vars: { heap: 256, number: 9000 }
images:
  app: { ref: \"example/app:1\", launcher: flokkr, conf: /etc/app, shell: bash }
config:
  common:
    app.properties: { listen: \"0.0.0.0:{{ number }}\", mode: slow, name: \"{{ name }}\" }
",
    );
    desk.put(
        "plugins/agent.yaml",
        "\
plugin: v1
name: agent
description: Counts
params:
  dir: { type: path, default: /agent }
  every: { type: duration, default: 5s }
service:
  env: { AGENT: \"-javaagent:{{ params.dir }}={{ params.every }}\" }
  init: [{ name: fetch, script: \"fetch '{{ params.dir }}'\" }]
",
    );
    desk.put(
        "blueprint.yaml",
        "\
blueprint: v1
name: layered
include: [./base.yaml]
vars: { members: 2, quick: \"{{ members > 1 }}\" }
secrets: { token: { env: TOKEN } }
config:
  tuned: { app.properties: { mode: fast } }
services:
  app:
    image: app
    kind: ensemble
    replicas: \"{{ members }}\"
    command: [serve, --quick, \"{{ quick }}\"]
    env: { HEAP: \"{{ heap }}m\", TOKEN: \"{{ secret('token') }}\", HEADER: \"Bearer {{ secret('token') }}\" }
    config:
      use: [common, tuned]
      app.properties: { id: \"{{ replica.index }}\" }
    files: { /etc/motd: { text: \"Replica {{ replica.index }}\\nof {{ members }}\\n\", mode: \"0600\" } }
    plugins: { agent: { every: \"{{ heap }}s\" } }
    ports: { main: { port: \"{{ number }}\", publish: true } }
    volumes: { data: { path: /data, size: 5Gi } }
    health: { tcp: main }
  web:
    image: app
    needs: { app.main: majority }
    config: { delivery: files, use: [common], plain.conf!ini: { a.b: c } }
targets: { compose: { accept: { files.mode: it is a test } } }
",
    );
    desk.put("prod.yaml", "heap: 512\n");
    desk
}

#[test]
fn explain_says_where_values_come_from() {
    let desk = layered();
    desk.shows("explain-overview", "explain", 0);
    desk.shows(
        "explain-layers",
        "explain app-1 --values prod.yaml --set members=3 --full",
        0,
    );
    desk.shows("explain-step", "explain app.fetch", 0);
    desk.shows(
        "explain-json",
        "explain app.fetch --replica 1 --format json",
        0,
    );
    desk.shows("explain-delivery", "explain web --target nomad", 0);
    desk.shows("explain-unknown-service", "explain ap", 2);
    desk.shows("explain-unknown-step", "explain app.fetsh", 2);
    desk.shows("explain-no-steps", "explain web.fetch", 2);
    desk.shows("explain-unknown-replica", "explain app-2", 2);
    desk.shows("explain-two-replicas", "explain app-1 --replica 0", 2);
    desk.run("explain --replica 1", 2);
    desk.run("explain app --target docker", 2);
    desk.run("explain app --target swarm", 2);
}

#[test]
fn explain_takes_the_library() {
    let desk = Desk::empty();
    desk.shows("explain-library", "explain hdfs-ha", 0);
    desk.shows("explain-compose", "explain hdfs namenode", 0);
    desk.shows(
        "explain-kubernetes",
        "explain kafka kafka-1 --target k8s",
        0,
    );
    desk.shows("explain-plugin", "explain hdfs namenode.format", 0);
    desk.shows("explain-unknown", "explain hdfs-ha nmenode", 2);
    let named = desk.run("explain -f hdfs-ha namenode", 0);
    assert_eq!(named, desk.run("explain hdfs-ha namenode", 0));
    assert_eq!(named, desk.run("explain hdfs-ha namenode-0 -t compose", 0));
    desk.run("explain hdfs-ha namenode -f hdfs", 2);
    desk.run("explain namenode", 2);
    // Every container of every replica.
    let (all, _) = desk.run("explain hdfs-ha --format json", 0);
    let all: Value = serde_json::from_str(&all).unwrap();
    let services = all["services"].as_array().unwrap();
    let count = |s: &Value| s["containers"].as_array().unwrap().len();
    assert_eq!(services.iter().map(count).collect::<Vec<_>>(), [3, 3, 8, 3]);
}

#[test]
fn explain_does_not_guess() {
    let desk = Desk::empty();
    let services = "zookeeper: { image: app }\n  kafka-1: { image: app }\n  kafka: { image: app, replicas: 2 }";
    let head = "blueprint: v1\nname: demo\nimages: { app: { ref: \"example/app:1\" } }\n";
    desk.put(
        "blueprint.yaml",
        &format!("{head}services:\n  {services}\n"),
    );
    desk.shows("explain-ambiguous", "explain zookeeper", 2);
    desk.run("explain -f blueprint.yaml zookeeper", 0);
    desk.run("explain . zookeeper", 0);
    assert!(desk.run("explain hdfs", 0).0.starts_with("hdfs on "));
    let (out, _) = desk.run("explain kafka-1", 0);
    assert!(out.starts_with("kafka-1, of demo"), "{out}");
    let (out, _) = desk.run("explain -f . kafka-0", 0);
    assert!(out.starts_with("kafka, replica 0 of 2, of demo"), "{out}");
}

#[test]
fn init_starts_a_blueprint_and_never_overwrites() {
    let desk = Desk::empty();
    desk.run("init", 0);
    assert_eq!(desk.list("."), ["blueprint.schema.json", "blueprint.yaml"]);
    desk.run("gen compose -o out", 0);
    let text = desk.read("blueprint.yaml");
    desk.shows("init-twice", "init", 2);
    desk.run("init --from hdfs", 2);
    assert_eq!(desk.read("blueprint.yaml"), text);

    desk.run("init --from hdfs-ha cluster", 0);
    let text = desk.read("cluster/blueprint.yaml");
    assert!(
        text.starts_with("# yaml-language-server: $schema=./blueprint.schema.json\n"),
        "{text}"
    );
    let same = desk.run("gen compose -f cluster", 0).0;
    assert_eq!(same, desk.run("gen compose hdfs-ha", 0).0);
    desk.shows("init-unknown", "init --from hdsf elsewhere", 2);
    assert!(!desk.has("elsewhere"));
}

#[test]
fn the_list_is_nothing_that_a_platform_reads() {
    // `kubectl apply -f DIRECTORY` takes every .json, .yaml and .yml, those with a dot before too.
    let list = Utf8Path::new(workspace::LIST);
    assert_eq!(list.extension(), None);
}

#[test]
fn list_shows_the_library() {
    Desk::empty().shows("list", "list", 0);
    Desk::empty().shows("targets", "targets hdfs-ha", 0);
}

#[test]
fn schemas_are_json() {
    let desk = Desk::empty();
    let blueprint: Value = serde_json::from_str(&desk.run("schema", 0).0).unwrap();
    assert_eq!(blueprint["$ref"], "#/$defs/Blueprint");
    let plugin: Value = serde_json::from_str(&desk.run("schema --plugin", 0).0).unwrap();
    assert_eq!(plugin["$ref"], "#/$defs/Plugin");
}

#[test]
fn completions_for_every_shell() {
    let desk = Desk::empty();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let (out, err) = desk.run(&format!("completions {shell}"), 0);
        assert!(out.contains("deny-warnings") && err.is_empty(), "{shell}");
    }
    desk.run("completions tcsh", 2);
}

#[test]
fn messages_for_tools() {
    let desk = Desk::new();
    desk.put(
        "blueprint.yaml",
        &BLUEPRINT.replace("image: app", "image: ap, comand: [a]"),
    );
    let (out, err) = desk.run("gen compose --message-format json", 2);
    assert_eq!(out, "");
    let lines: Vec<Value> = err
        .lines()
        .map(|l| serde_json::from_str(l).unwrap())
        .collect();
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["severity"], "error");
    assert_eq!(lines[0]["code"], "unknown-image");
    assert_eq!(lines[0]["file"], "blueprint.yaml");
    assert_eq!(
        (&lines[0]["line"], &lines[0]["column"]),
        (&7.into(), &17.into())
    );
    assert_eq!(
        (&lines[0]["end_line"], &lines[0]["end_column"]),
        (&7.into(), &19.into())
    );
    // What is no command, too.
    for typed in [
        "gne compose --message-format json",
        "--message-format=json gen",
        "gen compose --check --message-format json",
        "gen compose --chek --message-format=json",
    ] {
        let (out, err) = desk.run(typed, 2);
        assert_eq!(out, "");
        let problem: Value = serde_json::from_str(&err).unwrap();
        assert_eq!(problem["code"], "usage", "{err}");
    }
    assert!(desk.run("--message-format json --help", 0).1.is_empty());
    desk.put("blueprint.yaml", BLUEPRINT);
    assert_eq!(
        desk.run("gen compose -o out --message-format=json", 0),
        (String::new(), String::new())
    );
}

#[test]
fn words_that_do_not_fit() {
    let desk = Desk::new();
    desk.shows("usage-twice", "gen compose hdfs -f blueprint.yaml", 2);
    desk.shows("usage-diff", "diff compose hdfs out -f blueprint.yaml", 2);
    desk.shows("usage-check-output", "gen compose --check", 2);
    desk.shows("unknown-target", "gen compsoe", 2);
    desk.shows("unknown-command", "generate compose", 2);
    let (_, err) = desk.run("gne compose", 2);
    assert!(err.contains("'gen'"), "{err}");
    desk.shows("unknown-blueprint", "gen compose hdfss", 2);
    desk.shows("unknown-blueprint-far", "gen compose mysql", 2);
    desk.shows("missing-values", "gen compose --values nowhere.yaml", 2);
    Desk::empty().shows("no-blueprint", "gen compose", 2);
    desk.put("latin.yaml", "");
    fs::write(desk.path().join("latin.yaml"), b"a: b\nname: caf\xe9\n").unwrap();
    desk.shows("not-utf8", "gen compose -f latin.yaml", 2);
    desk.put("out/.flokkr", "{ damaged");
    desk.shows("damaged-list", "gen compose -o out", 2);
    desk.put(
        "out/.flokkr",
        r#"{"version":1,"files":{"../blueprint.yaml":["sha256:0"]}}"#,
    );
    desk.shows("hostile-list", "gen compose -o out --prune", 2);
}

#[test]
fn a_closed_pipe_is_no_error() {
    // More than a pipe holds, so that the write fails when nobody reads.
    let desk = Desk::new();
    let words = ["gen", "compose", "--set", "count=1000"];
    let mut command = flokkr(desk.path(), &words);
    let mut child = command
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(said(&output).1, "");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn help_and_version() {
    let desk = Desk::empty();
    desk.shows("help", "--help", 0);
    for command in [
        "gen",
        "diff",
        "check",
        "explain",
        "init",
        "list",
        "targets",
        "schema",
        "completions",
    ] {
        desk.shows(&format!("help-{command}"), &format!("{command} --help"), 0);
    }
    let version = format!("flokkr {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(desk.run("--version", 0).0, version);
}

const LAUNCHED: &str = "\
blueprint: v1
name: demo
images:
  app:
    ref: example/app:1
    launcher: launch
    user: \"1000:1000\"
    conf: /etc/app
    build: { base: \"debian:bookworm-slim\" }
services:
  app: { image: app }
";

/// An image that flokkr launches has flokkr in its context, whichever: it is no part of what the
/// blueprint gives.
#[test]
fn an_image_gets_its_launcher() {
    let desk = Desk::empty();
    desk.put("blueprint.yaml", LAUNCHED);
    let wrote = |typed: &str| desk.run(typed, 0).1;
    assert!(wrote("gen docker -o out").contains("wrote out/app/flokkr"));
    let place = desk.path().join("out/app/flokkr");
    let mode = fs::metadata(&place).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o755);
    let program = fs::read(env!("CARGO_BIN_EXE_flokkr")).unwrap();
    assert!(fs::read(&place).unwrap() == program);
    assert!(wrote("gen docker -o out").contains("unchanged out/app/flokkr"));
    desk.put("other", "another program");
    let again = wrote("gen docker -o out --launcher other");
    assert!(again.contains("wrote out/app/flokkr"), "{again}");
    assert_eq!(desk.read("out/app/flokkr"), "another program");
    desk.run("gen docker -o out --check", 0);
    assert!(wrote("gen all -o every").contains("wrote every/docker/app/flokkr"));
    // What someone else put there is theirs.
    desk.put("out/app/flokkr", "mine");
    let edited = desk.run("gen docker -o out", 2).1;
    assert!(edited.contains("was changed since"), "{edited}");
    desk.put("foreign/app/flokkr", "mine");
    let foreign = desk.run("gen docker -o foreign", 2).1;
    assert!(foreign.contains("was not written by flokkr"), "{foreign}");
    assert!(foreign.contains("nothing was written"), "{foreign}");
    assert_eq!(desk.read("foreign/app/flokkr"), "mine");
    assert_eq!(desk.list("foreign"), ["app"]);
    // A program that is not there is told before anything is written.
    let missing = desk
        .run("gen docker -o missing --launcher no-such-program", 2)
        .1;
    assert!(missing.contains("can't read the program"), "{missing}");
    assert!(missing.contains("nothing was written"), "{missing}");
    assert!(!desk.has("missing"));
    // What is no file is in the way.
    fs::remove_file(&place).unwrap();
    fs::create_dir(&place).unwrap();
    let blocked = desk.run("gen docker -o out", 2).1;
    assert!(blocked.contains("in the way"), "{blocked}");
}
