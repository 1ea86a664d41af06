//! Images that are built: what a builder reads from a Dockerfile is what the blueprint says, and
//! what builds agrees with what runs.

mod read;

use std::collections::BTreeMap;

use flokkr::emit::dockerfile::{Instruction, line};
use flokkr::emit::yaml::{Yaml, document};
use flokkr::file::File;
use flokkr::target;
use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::Value as Json;
use serde_yaml::Value as Loaded;

use crate::properties::{cases_or, list, map, name, texts, value};
use crate::support::{emit, emit_file};
use read::{exec, instructions, pair};

fn built(text: &str) -> Vec<File> {
    let emitted = emit(text, target::find("docker").unwrap());
    emitted.files.unwrap_or_else(|| panic!("{}", emitted.said))
}

fn text<'f>(files: &'f [File], path: &str) -> &'f str {
    let found = files.iter().find(|f| f.path == path);
    &found.unwrap_or_else(|| panic!("no {path}")).text
}

fn single_line(pairs: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let plain = |text: &str| text.replace('\n', "\u{b}");
    pairs.iter().map(|(k, v)| (plain(k), plain(v))).collect()
}

proptest! {
    #![proptest_config(cases_or(96))]

    #[test]
    fn values_are_built_as_they_were_written(
        env in btree_map(name(), value(), 0..5),
        labels in btree_map(name(), value(), 0..5),
        command in vec(value(), 1..4),
    ) {
        let (env, labels) = (single_line(&env), single_line(&labels));
        let build = map([
            ("base", Yaml::text("debian:12")),
            ("env", texts(&env)),
            ("labels", texts(&labels)),
            ("entrypoint", list(&command)),
            ("command", list(&command)),
        ]);
        let app = map([
            ("ref", Yaml::text("example/app:1")),
            ("user", Yaml::text("1000")),
            ("build", build),
        ]);
        let blueprint = map([
            ("blueprint", Yaml::text("v1")),
            ("name", Yaml::text("demo")),
            ("images", map([("app", app)])),
            ("services", map([("app", map([("image", Yaml::text("app"))]))])),
        ]);
        let files = built(&document("", &blueprint));
        let dockerfile = text(&files, "app/Dockerfile");
        let pairs = |what: &str| -> BTreeMap<String, String> {
            instructions(dockerfile, what).into_iter().map(pair).collect()
        };
        prop_assert_eq!(pairs("ENV"), env);
        let mut found = pairs("LABEL");
        found.retain(|name, _| !name.starts_with("org.opencontainers.image."));
        prop_assert_eq!(found, labels);
        for what in ["ENTRYPOINT", "CMD"] {
            let lines = instructions(dockerfile, what);
            prop_assert_eq!(exec(lines[0]), command.clone());
        }
    }

    /// Buildah 1.28 joins two lines at any backslash, whatever stands before it.
    #[test]
    fn no_line_ends_with_a_backslash(name in name(), value in value(), ends in 0..4_usize) {
        let end = "\\".repeat(ends);
        let texts = [name, value].map(|text| text.replace('\n', "") + &end);
        let [name, value] = texts;
        for line in [
            line(&Instruction::Env(name.clone(), value.clone())),
            line(&Instruction::Label(name.clone(), value.clone())),
            line(&Instruction::Label(format!("={name}"), value)),
        ] {
            prop_assert!(line.lines().all(|line| !line.ends_with('\\')), "{}", line);
        }
    }

    /// hadolint 2.15.1 takes `\\"` for an escaped quote, in words and in exec form.
    #[test]
    fn no_backslash_ends_before_a_quote(value in value()) {
        let value = value.replace('\n', "");
        for line in [
            line(&Instruction::Env("A".to_owned(), value.clone())),
            line(&Instruction::Cmd(vec![value])),
        ] {
            let mut open = false;
            let mut chars = line.chars().peekable();
            while let Some(c) = chars.next() {
                open ^= c == '"';
                if c == '\\' && chars.next() == Some('\\') && open {
                    prop_assert_ne!(chars.peek(), Some(&'"'), "{}", line);
                    prop_assert!(!(chars.peek() == Some(&'\\') && chars.clone().nth(1) == Some('"')), "{}", line);
                }
            }
        }
    }
}

/// The file that runs and the folders that are built are made by different targets; with
/// `gen all` they lie side by side.
#[test]
fn what_is_run_is_what_is_built() {
    let blueprint = r#"
blueprint: v1
name: demo
images:
  app: { ref: "app:1", user: "1000", build: { base: "debian:12" } }
  tool: { ref: "tool:1", user: "1000", build: { base: "debian:12" } }
  later: { ref: "later:1", user: "1000", build: { base: "debian:12" } }
  spare: { ref: "spare:1", user: "1000", build: { base: "debian:12" } }
  pulled: { ref: "pulled:1" }
services:
  late: { image: app, profiles: [late] }
  app:
    image: app
    kind: ensemble
    replicas: 3
    ports: { rpc: 1 }
    health: { tcp: rpc }
    init: [{ name: step, image: tool, command: [x] }]
    sidecars: { beside: { image: tool } }
  one: { image: later, profiles: [one] }
  two: { image: later, profiles: [two] }
  other: { image: pulled }
targets:
  compose: { build: ../docker/ }
"#;
    let files = built(blueprint);
    let bake: Json = serde_json::from_str(text(&files, "docker-bake.json")).unwrap();
    let compose = emit(blueprint, target::find("compose").unwrap()).only();
    let compose: Loaded = serde_yaml::from_str(&compose).unwrap();
    let mut builders: Vec<(&str, &str, &str)> = Vec::new();
    for (name, service) in compose["services"].as_mapping().unwrap() {
        let mut service = service.clone();
        service.apply_merge().unwrap();
        let is_built = service["image"] != "pulled:1";
        let policy = is_built.then_some("never");
        assert_eq!(service["pull_policy"].as_str(), policy);
        let Some(context) = service["build"]["context"].as_str() else {
            continue;
        };
        let image = context.strip_prefix("../docker/").unwrap();
        let target = &bake["target"][image];
        assert_eq!(target["context"], image);
        assert_eq!(target["tags"][0].as_str(), service["image"].as_str());
        text(&files, &format!("{image}/Dockerfile"));
        builders.push((
            name.as_str().unwrap(),
            target["tags"][0].as_str().unwrap(),
            target["dockerfile"].as_str().unwrap(),
        ));
    }
    assert_eq!(
        builders,
        [
            ("app-0-step", "tool:1", "Dockerfile"),
            ("app-0", "app:1", "Dockerfile"),
            ("one", "later:1", "Dockerfile"),
            ("two", "later:1", "Dockerfile"),
        ]
    );
    // The image of `app-0` may carry its check; the helper beside it is not to be checked so.
    let mut helper = compose["services"]["app-0-network"].clone();
    helper.apply_merge().unwrap();
    assert_eq!(helper["image"], "app:1");
    assert_eq!(helper["healthcheck"]["disable"].as_bool(), Some(true));
    let all = &bake["group"]["default"]["targets"];
    assert_eq!(*all, serde_json::json!(["app", "tool", "later", "spare"]));
}

/// What a Dockerfile takes from its context is not kept from it, and nothing else is sent.
#[test]
fn contexts_hold_what_is_copied() {
    let docker = target::find("docker").unwrap();
    let emitted = emit_file("tests/blueprints/images/blueprint.yaml", docker);
    let files = emitted.files.unwrap();
    let mut copied = 0;
    for file in files.iter().filter(|f| f.path.ends_with("Dockerfile")) {
        let folder = file.path.parent().unwrap();
        let ignored = text(&files, folder.join(".dockerignore").as_str());
        let mut lines = ignored.lines();
        assert_eq!(lines.next(), Some("*"));
        let sources: Vec<&str> = instructions(&file.text, "COPY")
            .into_iter()
            .filter(|line| !line.contains("--from"))
            .map(|line| line.split(' ').nth(1).unwrap().trim_end_matches('/'))
            .collect();
        let let_in: Vec<&str> = lines.map(|l| l.strip_prefix('!').unwrap()).collect();
        assert_eq!(let_in, sources, "{}", file.path);
        copied += sources.len();
    }
    assert_eq!(copied, 5);
}

/// What a build fetches or is given is unpacked when it is what was published, and only then. The
/// commands are run, with a server and a `tar` that are none.
#[test]
fn changed_archives_are_not_unpacked() {
    const PLAYED: &str = "curl() { while [ \"$1\" != -o ]; do shift; done
        if [ \"$2\" = published ]; then echo \"$published\"; else echo changed; fi >\"$2\"; }
        tar() { echo unpacked; }\n";
    let docker = target::find("docker").unwrap();
    let files = emit_file("tests/blueprints/images/blueprint.yaml", docker).files;
    let files = files.unwrap();
    let texts = files.iter().filter(|f| f.path.ends_with("Dockerfile"));
    let commands = texts.flat_map(|f| f.text.split("\nRUN ").skip(1));
    let commands = commands.map(|rest| {
        let lines = rest.split_inclusive('\n');
        let mut length = 0;
        for line in lines {
            length += line.len();
            if !line.ends_with("\\\n") {
                break;
            }
        }
        &rest[..length]
    });
    let commands: Vec<&str> = commands.filter(|c| c.contains("tar -x")).collect();
    assert_eq!(commands.len(), 3);
    for command in commands {
        let folder = tempfile::tempdir().unwrap();
        for name in ["archive.tar", "archive.tar.gz"] {
            std::fs::write(folder.path().join(name), "changed\n").unwrap();
        }
        let run = |published: &str| {
            let script = command.replace("/archive/", "./");
            let output = std::process::Command::new("bash")
                .args(["-c", &format!("{PLAYED}{script}")])
                .current_dir(folder.path())
                .env("published", published)
                .output();
            let output = output.unwrap();
            (
                output.status.success(),
                output.stdout.ends_with(b"unpacked\n"),
            )
        };
        assert_eq!(run("0123456789abcdef"), (false, false), "{command}");
        if command.contains("published") {
            let sums = "for sum in sha256sum sha512sum; do echo changed | $sum; done";
            let sums = std::process::Command::new("bash")
                .args(["-c", sums])
                .output();
            let sums = String::from_utf8(sums.unwrap().stdout).unwrap();
            assert_eq!(run(&sums), (true, true), "{command}");
        }
    }
}

/// The last user is the process: in numbers, and said for root as well, whatever the base runs as.
#[test]
fn the_process_is_somebody() {
    let docker = target::find("docker").unwrap();
    let files = emit_file("tests/blueprints/images/blueprint.yaml", docker).files;
    for file in files.unwrap() {
        if !file.path.ends_with("Dockerfile") {
            continue;
        }
        let is_root = file.text.contains("# Root: ");
        let last = instructions(&file.text, "USER").pop().unwrap();
        let (_, user) = last.split_once(' ').unwrap();
        let (uid, gid) = user.split_once(':').unwrap();
        assert!(gid.parse::<u32>().is_ok(), "{}: {user}", file.path);
        assert_eq!(uid.parse::<u32>().unwrap() == 0, is_root, "{}", file.path);
        // Root's part is not what the process begins with.
        let at = |word: &str| file.text.rfind(&format!("\n{word} "));
        assert!(at("USER") > at("RUN").max(at("COPY")), "{}", file.path);
    }
}

/// A command of the blueprint fails with any part of its pipe, and what flokkr adds later has the usual shell.
#[test]
fn a_pipe_fails_with_each_of_its_commands() {
    let docker = target::find("docker").unwrap();
    let files = emit_file("tests/blueprints/images/blueprint.yaml", docker).files;
    let files = files.unwrap();
    let shells = files.iter().map(|file| -> Vec<Vec<String>> {
        let lines = instructions(&file.text, "SHELL");
        lines.into_iter().map(exec).collect()
    });
    let shells: Vec<_> = shells.filter(|shells| !shells.is_empty()).collect();
    assert!(!shells.is_empty());
    let fails = |shell: &[String], command: &str| {
        let (program, arguments) = shell.split_first().unwrap();
        let mut started = std::process::Command::new(program);
        !started
            .args(arguments)
            .arg(command)
            .status()
            .unwrap()
            .success()
    };
    for shells in shells {
        let [commands, usual] = shells.as_slice() else {
            panic!("{shells:?}")
        };
        assert!(fails(commands, "false | true"));
        assert!(!fails(commands, "true | true"));
        assert_eq!(usual.join(" "), "/bin/sh -c");
    }
}

/// Commands that a builder would take for something else: each is refused alone.
#[test]
fn commands_that_are_no_lines_are_refused() {
    for command in ["a \\\\", "[a]", "--mount=b c", "cat <<E", "a\\nb", " "] {
        let blueprint = format!(
            "blueprint: v1\nname: demo\nimages:\n  app: {{ ref: \"app:1\", user: \"1000\", build: \
             {{ base: \"debian:12\", run: [\"{command}\"] }} }}\n\
             services: {{ app: {{ image: app }} }}\n"
        );
        let emitted = emit(&blueprint, target::find("docker").unwrap());
        assert!(emitted.files.is_none(), "{command} is taken");
        assert!(emitted.said.contains("RUN can't hold"), "{}", emitted.said);
    }
}

/// A cluster whose image is built.
fn building(image: &str, services: &str) -> String {
    format!(
        "blueprint: v1\nname: demo\nimages:\n  app: {{ ref: \"app:1\", {image} }}\nservices:\n{services}\n"
    )
}

const BASE: &str = "user: \"1000\", build: { base: \"debian:12\" }";

/// An image carries a check when whoever runs it is checked so, and nobody otherwise.
#[test]
fn an_image_is_checked_as_all_its_processes_are() {
    let check = |services: &str| {
        let files = built(&building(BASE, services));
        !instructions(text(&files, "app/Dockerfile"), "HEALTHCHECK").is_empty()
    };
    let one = "  one: { image: app, ports: { a: 1 }, health: { tcp: a } }\n";
    let service = |more: &str| format!("{one}  two: {{ image: app, ports: {{ a: 1 }}{more} }}\n");
    assert!(check(one));
    assert!(check(&service(", health: { tcp: a }")));
    assert!(!check(&service("")));
    assert!(!check(&service(", health: { tcp: a, retries: 9 }")));
    assert!(!check(&service(
        ", health: { tcp: a }, sidecars: { b: { command: [b] } }"
    )));
    assert!(!check("  one: { image: app }"));
}

/// Root is somebody's decision.
#[test]
fn nobody_is_root_without_a_reason() {
    for (image, taken) in [
        ("build: { base: \"debian:12\" }", false),
        ("user: \"0\", build: { base: \"debian:12\" }", false),
        ("root: why, build: { base: \"debian:12\" }", true),
        (
            "user: \"0:0\", root: why, build: { base: \"debian:12\" }",
            true,
        ),
        (BASE, true),
    ] {
        let emitted = emit(
            &building(image, "  one: { image: app }"),
            target::find("docker").unwrap(),
        );
        assert_eq!(emitted.files.is_some(), taken, "{image}: {}", emitted.said);
    }
}

/// What a server says instead of the file is no archive; a publisher's first folder is not the product's; and what
/// was asked by `https` is not answered without.
#[test]
fn archives_are_fetched_and_unpacked_as_they_are_meant() {
    let commands = |archive: &str| {
        let build = format!(
            "user: \"1000\", build: {{ base: \"debian:12\", home: /opt/app, archive: {{ {archive} }} }}"
        );
        let files = built(&building(&build, "  one: { image: app }"));
        text(&files, "app/Dockerfile").to_owned()
    };
    let url = "url: \"https://example.org/app.tar.gz\"";
    let plain = commands(url);
    let fetches: Vec<&str> = plain.split("curl -").skip(1).collect();
    assert_eq!(fetches.len(), 2);
    for fetch in fetches {
        let options: Vec<&str> = fetch.split(' ').collect();
        assert!(options[0].contains('f'), "{fetch}");
        assert!(fetch.contains("--proto '=https' "), "{fetch}");
    }
    for (strip, option) in [
        ("", Some("1")),
        (", strip: 0", None),
        (", strip: 2", Some("2")),
    ] {
        let text = commands(&format!("{url}{strip}"));
        let (_, rest) = text.split_once("tar -xzf archive.tar.gz").unwrap();
        let line = rest.lines().next().unwrap();
        let found = line.split("--strip-components=").nth(1);
        assert_eq!(found, option, "{strip}");
    }
}

/// What the blueprint says of an image counts before what flokkr adds, and what the image brings before what its
/// base has.
#[test]
fn an_image_has_its_own_before_others() {
    let variables = |image: &str| {
        let build = format!(
            "user: \"1000\", launcher: flokkr, conf: /etc/app, build: {{ base: \"debian:12\", launch: true{image} }}"
        );
        let files = built(&building(&build, "  one: { image: app }"));
        let lines = instructions(text(&files, "app/Dockerfile"), "ENV").into_iter();
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let of = |name: &str, lines: &[String]| {
        let found = lines.iter().rev().find_map(|line| {
            let rest = line.strip_prefix("ENV ")?.strip_prefix(name)?;
            rest.strip_prefix('=')
                .map(|value| value.trim_matches('"').to_owned())
        });
        found.unwrap_or_else(|| panic!("no {name}: {lines:?}"))
    };
    let usual = variables("");
    assert_eq!(of("FLOKKR_CONF_DIR", &usual), "/etc/app");
    assert_eq!(of("FLOKKR_DIALECT", &usual), "flokkr");
    let own = variables(", env: { FLOKKR_CONF_DIR: /own }, path: [/opt/app/bin, /opt/app/sbin]");
    assert_eq!(of("FLOKKR_CONF_DIR", &own), "/own");
    assert_eq!(of("PATH", &own), "/opt/app/bin:/opt/app/sbin:${PATH}");
}

/// An image says what it is: the tag of its name, which is not the port of a registry, and the whole name of its base.
#[test]
fn images_say_what_they_are() {
    for (reference, version, base, name) in [
        (
            "app:1",
            Some("1"),
            "debian:12",
            "docker.io/library/debian:12",
        ),
        (
            "localhost:5000/app",
            None,
            "localhost/base:1",
            "localhost/base:1",
        ),
        (
            "example.org:5000/app:2.1",
            Some("2.1"),
            "example.org/base:1",
            "example.org/base:1",
        ),
        ("app", None, "some/base:1", "docker.io/some/base:1"),
    ] {
        let blueprint = building(
            &format!("user: \"1000\", build: {{ base: \"{base}\" }}"),
            "  one: { image: app }",
        )
        .replace("\"app:1\"", &format!("\"{reference}\""));
        let files = built(&blueprint);
        let labels = instructions(text(&files, "app/Dockerfile"), "LABEL").join("\n");
        let of = |label: &str| {
            let (_, rest) = labels.split_once(&format!("org.opencontainers.image.{label}="))?;
            let value = rest.split([' ', '\n']).next().unwrap();
            Some(value.trim_matches('"').to_owned())
        };
        assert_eq!(of("version").as_deref(), version, "{reference}: {labels}");
        assert_eq!(of("base.name").as_deref(), Some(name), "{labels}");
    }
}

/// A user without a group is in the group of its own number, and what it is to write in belongs to both.
#[test]
fn what_is_the_users_belongs_to_the_user() {
    for (user, ids, group) in [("1000", "1000:1000", "1000"), ("7:8", "7:8", "8")] {
        let image = format!(
            "user: \"{user}\", owns: [/opt/app], build: {{ base: \"debian:12\", home: /opt/app, archive: {{ path: app.tar }} }}"
        );
        let files = built(&building(&image, "  one: { image: app }"));
        let dockerfile = text(&files, "app/Dockerfile");
        let last = *instructions(dockerfile, "USER").last().unwrap();
        assert_eq!(last, format!("USER {ids}"));
        assert!(
            dockerfile.contains(&format!("COPY --from=archive --chown={ids} ")),
            "{dockerfile}"
        );
        assert!(
            dockerfile.contains(&format!("'app:x:{group}:' >>/etc/group")),
            "{dockerfile}"
        );
    }
}

/// What unpacks an archive is asked for by the name that the distribution has for it.
#[test]
fn archives_are_unpacked_by_what_the_base_has() {
    for (base, file, tool) in [
        ("debian:12", "app.tar.xz", "xz-utils"),
        ("alpine:3", "app.tar.xz", "xz"),
        ("alpine:3", "app.tar.zst", "tar"),
        ("debian:12", "app.tar.zst", "zstd"),
        ("debian:12", "app.tar.bz2", "bzip2"),
    ] {
        let image = format!(
            "user: \"1000\", build: {{ base: \"{base}\", home: /opt/app, archive: {{ path: {file} }} }}"
        );
        let files = built(&building(&image, "  one: { image: app }"));
        // What a packager is given stands on a line of its own.
        let mut lines = text(&files, "app/Dockerfile").lines();
        let is_asked_for = |line: &str| line.trim_end_matches(" \\") == format!("      {tool}");
        assert!(lines.any(is_asked_for), "{base}, {file}");
    }
}

/// An image exposes what its own processes listen on, and not what those of another beside them do.
#[test]
fn an_image_exposes_ports_of_its_own() {
    let files = built(&building(
        BASE,
        "  one: { image: app, ports: { a: 1, b: { port: 2, protocol: udp } }, sidecars: { s: { image: other, ports: { c: 3 } } } }",
    )
    .replace("services:", "  other: { ref: \"other:1\" }\nservices:"));
    let exposed = instructions(text(&files, "app/Dockerfile"), "EXPOSE");
    assert_eq!(exposed, ["EXPOSE 1/tcp 2/udp"]);
}

/// What the publisher says is compared with what it is a sum of, by the name of its file.
#[test]
fn published_sums_are_of_their_kind() {
    const PLAYED: &str = "curl() { while [ \"$1\" != -o ]; do shift; done
        if [ \"$2\" = published ]; then echo \"$published\"; else echo packed; fi >\"$2\"; }
        tar() { :; }\n";
    let sum = |program: &str| {
        let line = format!("echo packed | {program}");
        let output = std::process::Command::new("bash")
            .args(["-c", &line])
            .output();
        String::from_utf8(output.unwrap().stdout).unwrap()
    };
    let (short, long) = (sum("sha256sum"), sum("sha512sum"));
    for (digest, kind) in [
        (
            ", digest: \"https://example.org/app.tar.gz.sha256\"",
            &short,
        ),
        (", digest: \"https://example.org/app.tar.gz.sha512\"", &long),
        ("", &long),
    ] {
        let image = format!(
            "user: \"1000\", build: {{ base: \"debian:12\", home: /opt/app, archive: {{ url: \"https://example.org/app.tar.gz\"{digest} }} }}"
        );
        let files = built(&building(&image, "  one: { image: app }"));
        let dockerfile = text(&files, "app/Dockerfile");
        let (_, command) = dockerfile.split_once("\nWORKDIR /archive\n").unwrap();
        let (_, command) = command.split_once("RUN ").unwrap();
        let ends = |line: &str| !line.ends_with('\\');
        let last = command.lines().position(ends).unwrap();
        let lines: Vec<&str> = command.lines().take(last + 1).collect();
        let script = lines.join("\n").replace("/archive/", "./");
        for published in [&short, &long] {
            let folder = tempfile::tempdir().unwrap();
            let status = std::process::Command::new("bash")
                .args(["-c", &format!("{PLAYED}{script}")])
                .current_dir(folder.path())
                .env("published", published)
                .status();
            let taken = status.unwrap().success();
            assert_eq!(taken, published == kind, "{digest}: {dockerfile}");
        }
    }
}

/// An archive is fetched by what is installed for that: in a base of which nobody knows how, it must be said.
#[test]
fn a_base_says_how_packages_are_installed() {
    for (build, taken) in [
        ("", true),
        (", packages: [curl]", false),
        (
            ", archive: { url: \"https://example.org/app.tar.gz\" }",
            false,
        ),
        (", archive: { path: app.tar.gz }", false),
        (", archive: { path: app/ }", true),
        (
            ", packager: apt, archive: { url: \"https://example.org/app.tar.gz\" }",
            true,
        ),
    ] {
        let image = format!(
            "user: \"1000\", build: {{ base: \"example.org/own:1\", home: /opt/app{build} }}"
        );
        let emitted = emit(
            &building(&image, "  one: { image: app }"),
            target::find("docker").unwrap(),
        );
        let is_said = emitted
            .said
            .contains("nothing says how packages are installed");
        assert_eq!(!is_said, taken, "{build}: {}", emitted.said);
        assert_eq!(emitted.files.is_some(), taken, "{build}: {}", emitted.said);
    }
}

/// Two images that are built have two names; one that is only run may be called like another.
#[test]
fn images_that_are_built_have_a_name_each() {
    for (other, taken) in [
        (format!("ref: \"app:1\", {BASE}"), false),
        (format!("ref: \"app:2\", {BASE}"), true),
        ("ref: \"app:1\"".to_owned(), true),
    ] {
        let blueprint = building(BASE, "  one: { image: app }\n  two: { image: other }")
            .replace("services:", &format!("  other: {{ {other} }}\nservices:"));
        let emitted = emit(&blueprint, target::find("docker").unwrap());
        assert_eq!(emitted.files.is_some(), taken, "{other}: {}", emitted.said);
    }
}

/// The lines of an instruction as one. A line that begins with `#` is a comment wherever it stands, and a line
/// goes on behind a backslash that no other stands before.
fn joined(text: &str) -> String {
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with('#'));
    let mut out = String::new();
    for line in lines {
        assert!(
            !line.ends_with("\\\\"),
            "two builders read this in two ways"
        );
        out.push_str(line.strip_suffix('\\').unwrap_or(line));
    }
    out
}

/// What is longer than a builder's lines is written in several, whatever stands where they are broken.
#[test]
fn long_values_are_written_in_lines() {
    for piece in [
        "#", "\\", "\"", " ", "$", "'", "a#", "é\\", "# ", "\\\"", "\\#",
    ] {
        for shift in 0..3 {
            let text = "x".repeat(shift) + &piece.repeat(140_000 / piece.len());
            let env = line(&Instruction::Env("A".to_owned(), text.clone()));
            assert_eq!(pair(&joined(&env)).1, text, "{piece}");
            let words = ["x".to_owned(), text];
            let command = line(&Instruction::Cmd(words.to_vec()));
            assert_eq!(exec(&joined(&command)), words, "{piece}");
            for line in env.lines().chain(command.lines()) {
                assert!(line.len() <= 65_535, "{piece}: {}", line.len());
            }
        }
    }
}

/// A line is as long as a builder's may be (`BuildKit` 0.20: 65,535 bytes), and no longer.
#[test]
fn lines_are_as_long_as_builders_read() {
    for (length, taken) in [(65_535, true), (65_536, false)] {
        let command = "x".repeat(length - "RUN ".len());
        let image = format!("user: \"1000\", build: {{ base: \"debian:12\", run: [{command}] }}");
        let emitted = emit(
            &building(&image, "  one: { image: app }"),
            target::find("docker").unwrap(),
        );
        assert_eq!(emitted.files.is_some(), taken, "{length}");
        let files = emitted.files.unwrap_or_default();
        let lines = files.iter().flat_map(|f| f.text.lines());
        assert_eq!(lines.map(str::len).max() == Some(length), taken);
    }
}

/// What an image is made of is what it was meant to be, each time: a base has a tag, what comes without encryption is
/// proven by what stands in the blueprint, and the root of the file system is nobody's.
#[test]
fn what_may_be_another_thing_tomorrow_is_refused() {
    let http = "http://example.org/app.tar.gz";
    let sum = "0123456789abcdef".repeat(4);
    let archive = |url: &str, digest: &str| {
        format!(
            "user: \"1000\", build: {{ base: \"debian:12\", home: /opt/app, archive: {{ url: \"{url}\"{digest} }} }}"
        )
    };
    let based = |base: &str| format!("user: \"1000\", build: {{ base: \"{base}\" }}");
    for (image, taken) in [
        (based("debian:12"), true),
        (based("debian"), false),
        (based("debian:latest"), false),
        (based("localhost:5000/debian"), false),
        (based(&format!("debian@sha256:{sum}")), true),
        (archive(http, &format!(", digest: {sum}")), true),
        (archive(http, ""), false),
        (
            archive(http, &format!(", digest: \"{http}.sha512\"")),
            false,
        ),
        (
            archive(http, ", digest: \"https://example.org/app.tar.gz.sha512\""),
            false,
        ),
        (based("debian:12") + ", owns: [/data]", true),
        (based("debian:12") + ", owns: [/]", false),
    ] {
        let blueprint = building(&image, "  one: { image: app }");
        let emitted = emit(&blueprint, target::find("docker").unwrap());
        assert_eq!(emitted.files.is_some(), taken, "{image}: {}", emitted.said);
    }
}

/// Bases of Red Hat's family may have no tar, wherever an archive comes from.
#[test]
fn archives_are_unpacked_in_bases_without_tar() {
    for archive in [
        "path: app.tar.gz",
        "url: \"https://example.org/app.tar.gz\"",
    ] {
        let image = format!(
            "user: \"1000\", build: {{ base: \"example.org/ubi:9\", packager: dnf, home: /opt/app, archive: {{ {archive} }} }}"
        );
        let files = built(&building(&image, "  one: { image: app }"));
        let mut lines = text(&files, "app/Dockerfile").lines();
        assert!(
            lines.any(|line| line.trim_end_matches(" \\") == "      tar"),
            "{archive}"
        );
    }
}

/// A check that names a host of some cluster is none of the image's.
#[test]
fn checks_of_images_name_no_cluster() {
    let check = |command: &str| {
        let service =
            format!("  one: {{ image: app, kind: ensemble, health: {{ command: [{command}] }} }}");
        let files = built(&building(BASE, &service));
        !instructions(text(&files, "app/Dockerfile"), "HEALTHCHECK").is_empty()
    };
    assert!(check("ask, localhost"));
    assert!(!check("ask, \"{{ host('one', 0) }}\""));
    assert!(!check("\"{{ host('one', 0) }}\", ask"));
}

/// Packages are installed by what the base has, and nobody is asked whether they may be.
#[test]
fn packages_are_installed_without_a_question() {
    for (base, command) in [
        ("debian:12", "apt-get install -y "),
        ("ubuntu:24.04", "apt-get install -y "),
        ("example/python:3.12-bookworm", "apt-get install -y "),
        ("example/jre:21.0.2-jammy", "apt-get install -y "),
        ("alpine:3.20", "apk add "),
        ("example/jre:21-alpine", "apk add "),
        ("example/jre:21-alpine3.20", "apk add "),
        ("example/jre:21-alpine-slim", "apk add "),
        ("fedora:41", "dnf install -y "),
        ("example/ubi9:9.4", "dnf install -y "),
        ("example/ubi9-minimal:9.4", "microdnf install -y "),
    ] {
        let image = format!("user: \"1000\", build: {{ base: \"{base}\", packages: [krb5] }}");
        let files = built(&building(&image, "  one: { image: app }"));
        let dockerfile = text(&files, "app/Dockerfile");
        let words = |line: &str| line.trim_start_matches("RUN ").trim().to_owned();
        let mut lines = dockerfile.lines().map(words);
        let found = lines.any(|line| {
            let line = line.trim_start_matches("&& ");
            let line = line.trim_start_matches("DEBIAN_FRONTEND=noninteractive ");
            line.starts_with(command)
        });
        assert!(found, "{base}: {dockerfile}");
    }
}

/// A digest is compared by the sum that it is of.
#[test]
fn digests_are_compared_by_their_sum() {
    for (length, sum) in [(64, "sha256sum"), (128, "sha512sum")] {
        let image = format!(
            "user: \"1000\", build: {{ base: \"debian:12\", home: /opt/app, archive: {{ \
             url: \"https://example.org/app.tar.gz\", digest: \"{}\" }} }}",
            "a1".repeat(length / 2)
        );
        let files = built(&building(&image, "  one: { image: app }"));
        let dockerfile = text(&files, "app/Dockerfile");
        assert!(
            dockerfile.contains(&format!("{sum} -c digest")),
            "{dockerfile}"
        );
    }
}

/// An image is called as its user and its folder can be.
#[test]
fn images_have_names_that_linux_takes() {
    for (name, taken) in [
        ("a".repeat(32), true),
        ("a".repeat(33), false),
        ("a-1".to_owned(), true),
        ("1a".to_owned(), false),
    ] {
        let blueprint =
            building(BASE, "  one: { image: app }").replace("app: {", &format!("{name}: {{"));
        let blueprint = blueprint.replace("image: app", &format!("image: {name}"));
        let emitted = emit(&blueprint, target::find("docker").unwrap());
        assert_eq!(emitted.files.is_some(), taken, "{name}: {}", emitted.said);
    }
}

/// A check of a port is made by bash, and an image without it has none.
#[test]
fn images_without_bash_are_not_checked_by_it() {
    for (shell, checked) in [("bash", true), ("sh", false)] {
        for check in ["tcp: a", "http: { port: a }"] {
            let image = format!("shell: {shell}, {BASE}");
            let service =
                format!("  one: {{ image: app, ports: {{ a: 1 }}, health: {{ {check} }} }}");
            let files = built(&building(&image, &service));
            let found = instructions(text(&files, "app/Dockerfile"), "HEALTHCHECK");
            assert_eq!(!found.is_empty(), checked, "{shell} {check}");
        }
    }
}

/// An image begins with the entrypoint that the blueprint gives it, and with flokkr where it gives none.
#[test]
fn an_image_begins_with_its_own_entrypoint() {
    for (build, first) in [
        ("", "/usr/local/bin/flokkr"),
        (", entrypoint: [/enter]", "/enter"),
        (", entrypoint: [/enter], launch: false", "/enter"),
    ] {
        let image = format!(
            "user: \"1000\", launcher: launch, conf: /etc/app, build: {{ base: \"debian:12\"{build} }}"
        );
        let files = built(&building(&image, "  one: { image: app, command: [a] }"));
        let lines = instructions(text(&files, "app/Dockerfile"), "ENTRYPOINT");
        assert_eq!(exec(lines[0])[0], first, "{build}");
    }
}
