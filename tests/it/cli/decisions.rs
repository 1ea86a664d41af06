//! What the command line decides: whether anything is written, what counts before what, how it ends. Each test says
//! by itself what must be so.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use flokkr::problem::{Problem, Problems, Sources, Span};
use serde_json::Value;

use super::{BLUEPRINT, Desk};

/// A blueprint of which Compose says that something is left out.
fn doubtful() -> Desk {
    let desk = Desk::empty();
    let service = "kind: ensemble, placement: { spread: host },";
    desk.put(
        "blueprint.yaml",
        &BLUEPRINT.replace("kind: ensemble,", service),
    );
    desk
}

/// What tools are told, a problem each.
fn messages(err: &str) -> Vec<Value> {
    let lines = err.lines().map(|line| serde_json::from_str(line).unwrap());
    lines.collect()
}

/// Denied warnings are errors for every command: nothing is written, and nothing is the same as what is there.
#[test]
fn denied_warnings_end_everything() {
    let desk = doubtful();
    desk.run("gen compose -o out", 0);
    desk.run("diff compose out", 0);
    desk.run("check compose", 0);
    for typed in [
        "gen compose -o denied",
        "gen compose -o out --check",
        "gen compose",
        "diff compose out",
        "check compose",
    ] {
        let (out, err) = desk.run(&format!("{typed} --deny-warnings"), 2);
        assert_eq!(out, "", "{typed}");
        assert!(
            err.contains("error: Compose does not carry this"),
            "{typed}: {err}"
        );
        let (_, err) = desk.run(&format!("{typed} --deny-warnings --message-format json"), 2);
        for message in messages(&err) {
            assert_eq!(message["severity"], "error", "{typed}");
        }
    }
    assert!(!desk.has("denied"));
}

/// Tools are told lines and columns from 1, the columns in characters.
#[test]
fn places_are_counted_as_editors_count() {
    for (text, place) in [
        ("nme: demo\n", (1, 1, 1, 4)),
        ("name: demo\nnme: demo\n", (2, 1, 2, 4)),
        ("name: demo\r\n\r\nnme: demo\r\n", (3, 1, 3, 4)),
        (
            "vars: { \"é☂😀\": 1, name: demo }\nname: { \"é☂😀\": 1 }",
            (2, 7, 2, 19),
        ),
    ] {
        let desk = Desk::empty();
        desk.put("blueprint.yaml", text);
        let (_, err) = desk.run("gen compose --message-format json", 2);
        let all = messages(&err);
        let places = all.iter().map(|message| {
            let number = |key: &str| message[key].as_u64().unwrap_or(0);
            (
                number("line"),
                number("column"),
                number("end_line"),
                number("end_column"),
            )
        });
        let places: Vec<_> = places.collect();
        assert!(places.contains(&place), "{text}: {err}");
    }
}

/// Problems are told in the order of the texts, those without a place at the end.
#[test]
fn problems_are_told_in_order() {
    let mut sources = Sources::default();
    let source = sources.add("a.yaml", "one two");
    let mut problems = Problems::default();
    let place = |start: u32| Span {
        source,
        start,
        end: start + 3,
    };
    problems.add(Problem::error("io", "nowhere"));
    problems.add(Problem::error("usage", "second").at(place(4)));
    problems.add(Problem::warning("usage", "first").at(place(0)));
    let told: Vec<&str> = problems
        .sorted()
        .iter()
        .map(|p| p.message.as_str())
        .collect();
    assert_eq!(told, ["first", "second", "nowhere"]);
}

/// What is no YAML is never the same data.
#[test]
fn jobs_of_nomad_are_compared_as_texts() {
    let desk = Desk::new();
    desk.run("gen nomad -o out", 0);
    let (out, _) = desk.run("diff nomad out --set tag=2", 1);
    assert!(out.contains('+') && !out.contains("the same data"), "{out}");
    assert!(
        out.ends_with("drift: 1 changed, 0 missing, 0 stale\n"),
        "{out}"
    );
}

/// A package that is a directory is compared as one, whatever could be said against one file.
#[test]
fn a_package_is_compared_with_its_directory() {
    let desk = Desk::empty();
    let package = "targets: { kubernetes: { package: helm } }\n";
    let more = "  more: { image: app }\n";
    desk.put("blueprint.yaml", &format!("{BLUEPRINT}{package}"));
    desk.run("gen k8s -o out", 0);
    desk.put("blueprint.yaml", &format!("{BLUEPRINT}{more}{package}"));
    let (out, err) = desk.run("diff k8s out", 1);
    assert!(out.contains("missing: "), "{out}");
    assert!(!err.contains("error"), "{err}");
}

/// Permissions are of whoever gave them, and a text that flokkr wrote once and a person put back is the person's.
#[test]
fn what_people_did_to_files_stays() {
    let desk = Desk::new();
    desk.run("gen compose -o out", 0);
    let path = desk.path().join("out/compose.yaml");
    let first = desk.read("out/compose.yaml");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
    desk.run("gen compose -o out --set tag=2 --overwrite", 0);
    let mode = fs::metadata(&path).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o640);
    desk.put("out/compose.yaml", &first);
    let (_, err) = desk.run("gen compose -o out --set tag=3 --overwrite", 2);
    assert!(err.contains("was edited since flokkr wrote it"), "{err}");
    assert_eq!(desk.read("out/compose.yaml"), first);
}

/// Of several files it is told whose the one is that is in the way.
#[test]
fn what_is_in_the_way_is_told_for_what_it_is() {
    let desk = Desk::new();
    desk.run("gen nomad -o jobs", 0);
    desk.run("gen k8s -o out", 0);
    let edited = desk.list("out").pop().unwrap();
    desk.put(&format!("out/{edited}"), "edited: true\n");
    let (_, err) = desk.run("gen k8s -o out", 2);
    assert!(err.contains("was edited since flokkr wrote it"), "{err}");
    assert!(!err.contains("was not written by flokkr"), "{err}");
    desk.put("new/app.nomad.hcl", "");
    let (_, err) = desk.run("gen nomad -o new", 2);
    assert!(err.contains("was not written by flokkr"), "{err}");
    // What another version knows about files is not guessed.
    desk.put("jobs/.flokkr", "{\"version\":2,\"files\":{}}");
    let (_, err) = desk.run("gen nomad -o jobs", 2);
    assert!(err.contains("was written by a later flokkr"), "{err}");
}

/// What lies here counts before what the library has of the same name.
#[test]
fn a_folder_counts_before_the_library() {
    let desk = Desk::empty();
    desk.put("hdfs/blueprint.yaml", BLUEPRINT);
    let (out, _) = desk.run("gen compose hdfs", 0);
    assert!(out.contains("name: \"demo\""), "{out}");
}

/// A circle is one by whatever paths it goes.
#[test]
fn includes_in_a_circle_are_told() {
    let desk = Desk::empty();
    desk.put("a/one.yaml", "include: [../b/./two.yaml]\n");
    desk.put("b/two.yaml", "include: [../a/../a/one.yaml]\n");
    let (_, err) = desk.run("gen compose -f a/one.yaml", 2);
    assert!(err.contains("circle"), "{err}");
    assert!(!err.contains("more than 16"), "{err}");
}

/// A plugin is the one beside whoever asks for it, also where another of its name lies beside the blueprint.
#[test]
fn a_plugin_beside_who_asks_counts_first() {
    let desk = Desk::empty();
    let base = BLUEPRINT.replace("image: app,", "image: app, plugins: { hello: null },");
    desk.put("sub/base.yaml", &base);
    for (folder, says) in [("sub", "below"), (".", "above")] {
        let plugin = format!(
            "plugin: v1\nname: hello\ndescription: Says it\nservice: {{ env: {{ HELLO: {says} }} }}\n"
        );
        desk.put(&format!("{folder}/plugins/hello.yaml"), &plugin);
    }
    let over = "blueprint: v1\nname: over\ninclude: [./sub/base.yaml]\n";
    desk.put("over.yaml", over);
    let (out, _) = desk.run("gen compose -f over.yaml", 0);
    assert!(out.contains("HELLO: \"below\""), "{out}");
    let own = "services: { app: { plugins: { hello: {} } } }\n";
    desk.put("over.yaml", &format!("{over}{own}"));
    let (out, _) = desk.run("gen compose -f over.yaml", 0);
    assert!(out.contains("HELLO: \"above\""), "{out}");
}

/// A parameter of a plugin is of its type.
#[test]
fn parameters_are_of_their_types() {
    let desk = Desk::empty();
    for (name, good, bad) in [
        ("integer", ["-7", "\"12\""], ["1.5", "x"]),
        ("boolean", ["true", "\"false\""], ["1", "maybe"]),
        ("path", ["/a/b", "\"/\""], ["a/b", "/a/../b"]),
        ("port", ["1", "65535"], ["0", "65536"]),
        ("duration", ["5s", "100ms"], ["5", "5 s"]),
        ("list", ["[a, b]", "alone"], ["[[a]]", "{ a: b }"]),
    ] {
        let plugin = format!(
            "plugin: v1\nname: takes\ndescription: Takes it\nparams: {{ it: {{ type: {name} }} }}\n\
             service: {{ env: {{ IT: \"{{{{ params.it{} }}}}\" }} }}\n",
            if name == "list" { " | join" } else { "" }
        );
        desk.put("plugins/takes.yaml", &plugin);
        for (values, code) in [(good, 0), (bad, 2)] {
            for value in values {
                let asks = format!("image: app, plugins: {{ takes: {{ it: {value} }} }},");
                desk.put("blueprint.yaml", &BLUEPRINT.replace("image: app,", &asks));
                desk.run("gen compose", code);
            }
        }
    }
}

/// Of several files with values the last one counts, and what is typed counts most.
#[test]
fn later_values_count() {
    let desk = Desk::new();
    desk.put("one.yaml", "tag: one\ncount: 2\n");
    desk.put("two.yaml", "tag: two\n");
    let image = |typed: &str| {
        let (out, _) = desk.run(&format!("gen compose {typed}"), 0);
        let (_, rest) = out.split_once("example/app:").unwrap();
        assert!(out.contains("app-1:"), "{typed}: {out}");
        rest.split('"').next().unwrap().to_owned()
    };
    assert_eq!(image("--values one.yaml --values two.yaml"), "two");
    assert_eq!(image("--values two.yaml --values one.yaml"), "one");
    let all = "--set tag=three --values one.yaml --values two.yaml";
    assert_eq!(image(all), "three");
    assert_eq!(image(&format!("--set tag=four {all}")), "three");
}

/// What is printed leaves nothing behind that could be removed.
#[test]
fn only_a_folder_is_pruned() {
    let desk = Desk::new();
    let (out, err) = desk.run("gen compose --prune", 2);
    assert_eq!(out, "");
    assert!(err.contains("--output"), "{err}");
}

/// A field of which a part is lost is not told to be carried.
#[test]
fn the_table_tells_the_worst() {
    let desk = Desk::empty();
    let services = "services:\n  one:\n    image: app\n    ports:\n      a: { port: 1, publish: true }\n      \
                    b: { port: 2, publish: true, protocol: udp }\n";
    let head = BLUEPRINT.split("services:").next().unwrap();
    let settings =
        "targets: { kubernetes: { expose: ingress, ingress: { domain: example.org } } }\n";
    desk.put("blueprint.yaml", &format!("{head}{services}{settings}"));
    let (out, _) = desk.run("targets", 0);
    let line = out
        .lines()
        .find(|l| l.starts_with("ports.publish"))
        .unwrap();
    assert!(
        line.contains("left out") && !line.contains("emulated"),
        "{out}"
    );
}

/// A field has a row where a blueprint makes use of it, and nowhere else.
#[test]
fn the_table_has_what_is_used() {
    let rows = |service: &str| -> String {
        let desk = Desk::empty();
        let head = BLUEPRINT.split("services:").next().unwrap();
        let other = "  other: { image: app, ports: { a: 1 } }\n";
        let services = format!("services:\n{other}  one: {{ image: app, {service} }}\n");
        desk.put(
            "blueprint.yaml",
            &format!("{head}secrets: {{ s: {{ env: FROM }} }}\n{services}"),
        );
        let (out, _) = desk.run("targets", 0);
        let fields = out.lines().skip(1).take_while(|line| !line.is_empty());
        let fields = fields.filter_map(|line| line.split_whitespace().next());
        let own = fields.filter(|f| !["kind.service", "user", "ports"].contains(f));
        own.collect::<Vec<_>>().join(" ")
    };
    for (service, fields) in [
        ("", ""),
        ("replicas: 2", "replicas"),
        ("replicas: 1, restart: always", ""),
        ("restart: on-failure", "restart"),
        ("kind: job, restart: on-failure", "kind.job"),
        ("kind: job, restart: never", "kind.job restart"),
        ("kind: daemon", "kind.daemon"),
        ("entrypoint: [a]", "entrypoint"),
        ("command: [a]", "command"),
        ("workdir: /w", "workdir"),
        ("env: { A: a }", "env"),
        (
            "kind: ensemble, replicas: 2, command: ['{{ replica.index }}']",
            "kind.ensemble replicas replica command",
        ),
        ("files: { /f: { text: a } }", "files"),
        ("files: { /f: { text: a, mode: '0444' } }", "files"),
        (
            "files: { /f: { text: a, mode: '0600' } }",
            "files files.mode",
        ),
        ("env: { S: \"{{ secret('s') }}\" }", "env secrets"),
        ("secrets: { s: { path: /s } }", "secrets"),
        (
            "secrets: { s: { path: /s, mode: '0400' } }",
            "secrets secrets.mode",
        ),
        ("ports: { u: { port: 2, protocol: udp } }", "ports.udp"),
        ("ports: { u: { port: 2, publish: true } }", "ports.publish"),
        (
            "volumes: { v: { path: /v, kind: temporary } }",
            "volumes.temporary",
        ),
        (
            "volumes: { v: { path: /v, kind: host, source: /s } }",
            "security volumes.host",
        ),
        (
            "volumes: { v: { path: /v, size: 1Gi } }",
            "volumes.persistent volumes.size",
        ),
        (
            "volumes: { v: { path: /v, kind: memory, size: 1Mi } }",
            "volumes.memory volumes.size",
        ),
        (
            "volumes: { v: { path: /v, size: 1Gi, class: fast } }",
            "volumes.persistent volumes.size volumes.class",
        ),
        ("needs: [other.a]", "needs"),
        // Of one that is checked nothing has to be said besides.
        (
            "needs: { db.a: all } }\n  db: { image: app, ports: { a: 2 }, health: { tcp: a }",
            "needs health.start health.ready health.alive",
        ),
        (
            "needs: { db.a: any } }\n  db: { image: app, ports: { a: 2 }, health: { tcp: a }",
            "needs needs.quorum health.start health.ready health.alive",
        ),
        (
            "needs: { db.a: majority } }\n  db: { image: app, ports: { a: 2 }, health: { tcp: a }",
            "needs needs.quorum health.start health.ready health.alive",
        ),
        ("init: [{ name: i, command: [a] }]", "command init"),
        (
            "ports: { p: 2 }, health: { ready: { tcp: p } }",
            "health.ready",
        ),
        ("stop: { grace: 3s }", "stop.grace"),
        ("stop: { signal: SIGINT }", "stop.signal"),
        ("stop: { before: [a] }", "stop.before"),
        ("resources: { memory: 1Gi }", "resources"),
        ("placement: { spread: host }", "placement.spread"),
        ("profiles: [p]", "profiles"),
        ("labels: { a: b }", "labels"),
        ("sidecars: { c: { command: [a] } }", "command sidecars"),
        (
            "sidecars: { c: { command: [a], processes: true } }",
            "command sidecars sidecars.processes",
        ),
    ] {
        assert_eq!(rows(service), fields, "{service}");
    }
}

/// A patch is told for the target that it is for, and a value for the service that it is of.
#[test]
fn explanations_are_of_what_was_asked_for() {
    let desk = Desk::empty();
    desk.put(
        "plugins/says.yaml",
        "plugin: v1\nname: says\ndescription: Says it\nparams: { it: { type: text } }\n\
         service: { env: { IT: \"{{ params.it }}\" } }\n",
    );
    let head = BLUEPRINT.split("services:").next().unwrap();
    desk.put(
        "blueprint.yaml",
        &format!(
            "{head}services:\n  a-b:\n    image: app\n    kind: ensemble\n    replicas: 2\n    \
             plugins: {{ says: {{ it: one }} }}\n    sidecars: {{ s: {{ command: [s] }} }}\n    patch:\n      \
             nomad: {{ meta: {{ a: b }} }}\n      compose: {{ tty: true }}\n  two:\n    image: app\n    \
             plugins:\n      says:\n        it: two\n"
        ),
    );
    let told = |typed: &str| -> Value {
        let (out, _) = desk.run(&format!("explain{typed} --format json"), 0);
        serde_json::from_str(&out).unwrap()
    };
    let text = desk.read("blueprint.yaml");
    let line = |part: &str| {
        let at = text.lines().position(|l| l.contains(part));
        Value::from(at.unwrap() + 1)
    };
    for target in ["nomad", "compose"] {
        let told = told(&format!(" a-b --target {target}"));
        let patch = &told["services"][0]["patch"];
        assert_eq!(patch["line"], line(&format!("{target}: {{")), "{target}");
    }
    let whole = told("");
    for (service, part) in [(0, "it: one"), (1, "it: two")] {
        let container = &whole["services"][service]["containers"][0];
        let variable = container.to_string();
        let (_, rest) = variable.split_once("params.it").unwrap();
        let (_, rest) = rest.split_once("\"line\":").unwrap();
        let found: u64 = rest
            .split(|c: char| !c.is_ascii_digit())
            .next()
            .unwrap()
            .parse()
            .unwrap();
        assert_eq!(Value::from(found), line(part), "{container}");
    }
    let replica = told(" a-b-1.s");
    let containers = replica["services"][0]["containers"].as_array().unwrap();
    assert_eq!(containers.len(), 1);
    assert_eq!(containers[0]["name"], "s");
    assert_eq!(containers[0]["replica"], 1);
    let (out, _) = desk.run("explain a-b", 0);
    // The value's own file is another than the service's.
    assert!(out.contains("plugins/says.yaml:"), "{out}");
}

/// What no platform takes is told for the first one, which is the one that is explained otherwise.
#[test]
fn what_nobody_takes_is_told_once() {
    let desk = Desk::empty();
    let settings =
        "compose: { network: one }, kubernetes: { expose: two }, nomad: { discovery: three }";
    desk.put(
        "blueprint.yaml",
        &format!("{BLUEPRINT}targets: {{ {settings} }}\n"),
    );
    let (_, err) = desk.run("explain -f blueprint.yaml", 2);
    assert!(err.contains("`bridge`"), "{err}");
    assert!(
        !err.contains("`node-port`") && !err.contains("`consul`"),
        "{err}"
    );
}

/// Of what is included the later counts more, and what includes it most; a loss that is accepted there is accepted
/// for the plugins that are asked for there.
#[test]
fn what_is_included_later_counts_more() {
    let desk = Desk::empty();
    desk.put("one.yaml", "vars: { a: one, b: one, c: one }\n");
    desk.put("two.yaml", "vars: { b: two, c: two }\n");
    let over = "vars: { c: own }\ninclude: [./one.yaml, ./two.yaml]\n";
    let service = "app: { image: app, env: { ALL: \"{{ a }} {{ b }} {{ c }}\" } }";
    let blueprint = BLUEPRINT.replace("vars: { tag: \"1\", count: 1 }\n", over);
    let head = blueprint
        .split("services:")
        .next()
        .unwrap()
        .replace("{{ tag }}", "1");
    desk.put(
        "blueprint.yaml",
        &format!("{head}services: {{ {service} }}\n"),
    );
    let (out, _) = desk.run("gen compose", 0);
    assert!(out.contains("ALL: \"one two own\""), "{out}");

    desk.put(
        "plugins/drains.yaml",
        "plugin: v1\nname: drains\ndescription: Drains\nservice: { stop: { before: [drain], grace: 9s } }\n",
    );
    let base = BLUEPRINT.replace("image: app,", "image: app, plugins: { drains: null },");
    let accept = "targets: { nomad: { accept: { stop.before: known } } }\n";
    desk.put("base.yaml", &format!("{base}{accept}"));
    desk.put(
        "over.yaml",
        "blueprint: v1\nname: over\ninclude: [./base.yaml]\n",
    );
    desk.run("gen nomad -f over.yaml --deny-warnings", 0);
    desk.put("base.yaml", &base);
    desk.run("gen nomad -f over.yaml --deny-warnings", 2);
}

/// What is given from outside is laid over what is there, by its type: a part of a mapping leaves the rest.
#[test]
fn values_are_laid_over_variables() {
    let desk = Desk::empty();
    let service = "app: { image: app, env: { ALL: \"{{ jvm.heap }} {{ jvm.gc }} {{ rate }}\" } }";
    let head = BLUEPRINT
        .split("services:")
        .next()
        .unwrap()
        .replace("vars: {", "vars: { jvm: { heap: 1g, gc: G1 }, rate: 0.5,");
    desk.put(
        "blueprint.yaml",
        &format!("{head}services: {{ {service} }}\n"),
    );
    for (typed, all) in [
        ("", "1g G1 0.5"),
        (" --set jvm.heap=2g", "2g G1 0.5"),
        (" --set rate=2", "1g G1 2"),
        (" --values part.yaml", "1g Z 0.5"),
        (
            " --values part.yaml --set jvm.heap=3g --set rate=1.5",
            "3g Z 1.5",
        ),
    ] {
        desk.put("part.yaml", "jvm: { gc: Z }\n");
        let (out, _) = desk.run(&format!("gen compose{typed}"), 0);
        assert!(out.contains(&format!("ALL: \"{all}\"")), "{typed}: {out}");
    }
    desk.run("gen compose --set rate=fast", 2);
}

/// A plugin's words come before the service's own; a parameter is of its type once its template is evaluated, and a
/// list may name the replica in one of its items.
#[test]
fn plugins_add_to_services() {
    let desk = Desk::empty();
    desk.put(
        "plugins/adds.yaml",
        "plugin: v1\nname: adds\ndescription: Adds\nparams: { count: { type: integer, default: 1 }, all: { type: list } }\n\
         service: { args: [\"--count={{ params.count }}\"], env: { ALL: \"{{ params.all | join(',') }}\" } }\n",
    );
    let asks = |params: &str| {
        let own = format!(
            "image: app, entrypoint: [run], args: [--own], plugins: {{ adds: {{ {params} }} }},"
        );
        desk.put("blueprint.yaml", &BLUEPRINT.replace("image: app,", &own));
    };
    asks("all: [a, \"b{{ replica.index }}\"]");
    let (out, _) = desk.run("gen compose", 0);
    assert!(out.contains("[\"--count=1\", \"--own\"]"), "{out}");
    assert!(out.contains("ALL: \"a,b0\""), "{out}");
    asks("count: \"{{ count + 1 }}\"");
    assert!(desk.run("gen compose", 0).0.contains("--count=2"));
    for wrong in ["\"{{ tag }}x\"", "\"{{ count / 2 }}\"", "\"{{ name }}\""] {
        asks(&format!("count: {wrong}"));
        let (_, err) = desk.run("gen compose", 2);
        assert!(err.contains("of type `integer`"), "{wrong}: {err}");
    }
}

/// A parameter is what its type says: with a port and an integer templates count, and a truth is one.
#[test]
fn parameters_are_numbers_and_truths() {
    let desk = Desk::empty();
    desk.put(
        "plugins/counts.yaml",
        "plugin: v1\nname: counts\ndescription: Counts\n\
         params: { at: { type: port }, many: { type: integer }, on: { type: boolean }, word: { type: text } }\n\
         service: { env: { AT: \"{{ params.at + 1 }}\", MANY: \"{{ params.many * 2 }}\", \
         TRUTH: \"{{ 'yes' if params.on else 'no' }}\", WORD: \"{{ params.word ~ 1 }}\" } }\n",
    );
    for (at, many, on) in [
        ("8080", "3", "false"),
        (
            "\"{{ 8000 + 80 }}\"",
            "\"{{ count + 2 }}\"",
            "\"{{ count == 2 }}\"",
        ),
    ] {
        let own = format!(
            "image: app, plugins: {{ counts: {{ at: {at}, many: {many}, on: {on}, word: \"7\" }} }},"
        );
        desk.put("blueprint.yaml", &BLUEPRINT.replace("image: app,", &own));
        let (out, _) = desk.run("gen compose", 0);
        for line in [
            "AT: \"8081\"",
            "MANY: \"6\"",
            "TRUTH: \"no\"",
            "WORD: \"71\"",
        ] {
            assert!(out.contains(line), "{at}: {out}");
        }
    }
}

/// Of two patches of a variable that counts which is laid last, and that one is told.
#[test]
fn the_patch_that_counts_is_told() {
    let desk = Desk::empty();
    let own = "image: app, env: { A: a }, patch: { compose: { environment: { A: of-service } } },";
    let whole = "targets: { compose: { patch: { services: { app-0: { environment: { A: of-file } } } } } }\n";
    for (whole, value) in [("", "of-service"), (whole, "of-file")] {
        let blueprint = BLUEPRINT.replace("image: app,", own) + whole;
        desk.put("blueprint.yaml", &blueprint);
        let (out, _) = desk.run("gen compose", 0);
        assert!(out.contains(&format!("A: \"{value}\"")), "{out}");
        let (out, _) = desk.run("explain . app-0 --format json", 0);
        assert!(out.contains(&format!("\"{value}\"")), "{out}");
        let other = if whole.is_empty() {
            "of-file"
        } else {
            "of-service"
        };
        assert!(!out.contains(&format!("\"{other}\"")), "{out}");
    }
}

/// In one file for all is what is always there; what belongs to a profile is in that of the profile.
#[test]
fn one_file_has_nothing_of_profiles() {
    let desk = Desk::empty();
    let two = "  two: { image: app, profiles: [p] }\n";
    desk.put("blueprint.yaml", &format!("{BLUEPRINT}{two}"));
    desk.run("gen kubernetes --single-file -o out", 0);
    let (all, own) = (desk.read("out/demo.yaml"), desk.read("out/profiles/p.yaml"));
    assert!(
        all.contains("kind: StatefulSet") && !all.contains("kind: Deployment"),
        "{all}"
    );
    assert!(
        own.contains("kind: Deployment") && !own.contains("kind: StatefulSet"),
        "{own}"
    );
}

/// A file that is not there is looked for among those beside it, and in the library.
#[test]
fn a_missing_blueprint_may_be_one_beside_it() {
    let desk = Desk::new();
    desk.put("folder/cluster.yaml", BLUEPRINT);
    for (typed, meant) in [
        ("blueprnt.yaml", "blueprint.yaml"),
        ("folder/clutser.yaml", "folder/cluster.yaml"),
        ("hdsf", "hdfs"),
    ] {
        let (_, err) = desk.run(&format!("gen compose -f {typed}"), 2);
        assert!(err.contains(&format!("did you mean `{meant}`?")), "{err}");
    }
    let (_, err) = desk.run("gen compose -f nowhere/at/all.yaml", 2);
    assert!(!err.contains("did you mean"), "{err}");
}
