//! What a process is told, on every platform: each test says by itself what that is, and reads it back from the
//! emitted files as the platform would.

use flokkr::target;

use super::minimal;
use crate::meaning::process::{Place, Process, Role};
use crate::meaning::processes;
use crate::support::emit;

/// The process of a place in a cluster of one service, on every platform; none where it is not there.
fn each(blueprint: &str, replica: u32, role: &Role, check: impl Fn(Option<&Process>)) {
    for (_, cluster) in processes(blueprint) {
        let place = Place {
            service: "one".to_owned(),
            replica,
            role: role.clone(),
        };
        check(cluster.get(&place));
    }
}

fn main(blueprint: &str, check: impl Fn(&Process)) {
    each(blueprint, 0, &Role::Main, |process| check(process.unwrap()));
}

fn step() -> Role {
    Role::Step("step".to_owned())
}

fn variable<'p>(process: &'p Process, name: &str) -> Option<&'p str> {
    process.environment.get(name).map(String::as_str)
}

/// What every platform says against it; none where all take it.
fn refused(blueprint: &str) -> Option<String> {
    let platforms = ["compose", "kubernetes", "nomad"].map(|t| target::find(t).unwrap());
    let said = platforms.map(|target| {
        let emitted = emit(blueprint, target);
        emitted.files.is_none().then_some(emitted.said)
    });
    let refusing = said.iter().flatten().count();
    assert!([0, said.len()].contains(&refusing), "{blueprint}: {said:?}");
    said.into_iter().next().unwrap()
}

/// A step has what its process has, and what it says itself counts more; the process has nothing of its steps.
#[test]
fn a_step_lays_its_own_over_its_process() {
    let blueprint = minimal(
        "{ image: app, command: [run], env: { A: one, B: two }, config: { a.properties: { k: v } }, \
         files: { /etc/own: text }, init: [{ name: step, command: [step], env: { A: step, C: three } }] }",
    )
    .replace("\"app:1\"", "\"app:1\", conf: /etc/app");
    each(&blueprint, 0, &step(), |step| {
        let step = step.unwrap();
        let names = ["A", "B", "C"].map(|name| variable(step, name));
        assert_eq!(names, [Some("step"), Some("two"), Some("three")]);
        assert_eq!(step.files["/etc/own"], "text");
        assert!(step.files["/etc/app/a.properties"].contains("k=v\n"));
    });
    main(&blueprint, |main| {
        let names = ["A", "B", "C"].map(|name| variable(main, name));
        assert_eq!(names, [Some("one"), Some("two"), None]);
    });
}

/// A step is taken by the replicas that are told to, and by no other.
#[test]
fn a_step_is_taken_where_it_is_wanted() {
    for (when, taken) in [
        ("true", [true, true]),
        ("false", [false, false]),
        ("{{ name == 'other' }}", [false, false]),
        ("{{ replica.index == 0 }}", [true, false]),
        ("{{ replica.id == 2 }}", [false, true]),
        ("{{ replica.count == 2 }}", [true, true]),
        ("{{ omit }}", [false, false]),
        ("{{ true if replica.index == 1 else omit }}", [false, true]),
    ] {
        let blueprint = minimal(&format!(
            "{{ image: app, kind: ensemble, replicas: 2, command: [run], \
             init: [{{ name: step, command: [step], when: \"{when}\" }}] }}"
        ));
        for (replica, taken) in (0..).zip(taken) {
            each(&blueprint, replica, &step(), |step| {
                assert_eq!(step.is_some(), taken, "{when}, {replica}");
            });
        }
    }
}

/// A script is run by bash, whatever of that its first line says. What another program should run is refused, and so
/// are options, which would be lost.
#[test]
fn a_script_is_one_of_bash() {
    let with = |first: &str| {
        minimal(&format!(
            "\n    image: app\n    init:\n      - name: step\n        script: |\n          {first}\n          echo made\n"
        ))
    };
    for first in [
        "#!/bin/bash",
        "#!/usr/bin/env bash",
        "#!/bin/sh",
        "# a note",
        "true",
    ] {
        each(&with(first), 0, &step(), |step| {
            let files = &step.unwrap().files;
            let script = files.values().next().unwrap();
            assert!(script.starts_with("#!/bin/bash\n"), "{first}: {script}");
            let is_kept = script.contains(&format!("{first}\necho made\n"));
            assert_eq!(
                is_kept,
                first == "#!/bin/bash" || !first.starts_with("#!"),
                "{script}"
            );
            assert!(script.ends_with("\necho made\n"), "{first}: {script}");
        });
    }
    for (first, instead) in [
        ("#!/usr/bin/env python3", "run it by `command`"),
        ("#!/bin/bash -eu", "begin with `set -eu`"),
        ("#!/usr/bin/perl", "run it by `command`"),
    ] {
        let said = refused(&with(first)).unwrap();
        assert!(said.contains("expected a script for bash"), "{said}");
        assert!(said.contains(instead), "{said}");
    }
}

/// Words behind a command are given to it, and alone they are given to what the image runs.
#[test]
fn a_process_has_all_its_words() {
    for (written, whole, words) in [
        (
            "command: [run, a], args: [b, \"c d\"]",
            false,
            vec!["run", "a", "b", "c d"],
        ),
        ("args: [b, \"\"]", false, vec!["b", ""]),
        ("entrypoint: [run], args: [b]", true, vec!["run", "b"]),
        (
            "entrypoint: [run], command: [a], args: [b]",
            true,
            vec!["run", "a", "b"],
        ),
    ] {
        main(&minimal(&format!("{{ image: app, {written} }}")), |main| {
            assert_eq!(main.line.whole, whole, "{written}");
            assert_eq!(main.line.words.as_deref().unwrap(), words, "{written}");
        });
    }
}

/// An entrypoint that splits words gets none that it would break, and one that evaluates them no secret.
#[test]
fn an_entrypoint_gets_words_that_it_hands_on() {
    for (argv, words, reason) in [
        ("split", "[run, plain]", None),
        ("split", "[run, \"\"]", Some("splits words at blanks")),
        ("split", "[run, \"a b\"]", Some("splits words at blanks")),
        ("split", "[run, \"a\\tb\"]", Some("splits words at blanks")),
        ("split", "[run, \"*\"]", Some("splits words at blanks")),
        ("split", "[run, \"[a]\"]", Some("splits words at blanks")),
        ("eval", "[run, \"\", \"a b\", \"*\"]", None),
        (
            "eval",
            "[run, \"{{ secret('key') }}\"]",
            Some("evaluates it in a shell"),
        ),
    ] {
        let blueprint = minimal(&format!("{{ image: app, command: {words} }}"))
            .replace("\"app:1\"", &format!("\"app:1\", argv: {argv}"))
            .replace("\nservices", "\nsecrets: { key: { env: KEY } }\nservices");
        let said = refused(&blueprint);
        assert_eq!(said.is_none(), reason.is_none(), "{argv} {words}: {said:?}");
        if let (Some(said), Some(reason)) = (said, reason) {
            assert!(said.contains(reason), "{said}");
        }
    }
}

/// Braces in a raw text are braces.
#[test]
fn a_raw_file_is_as_it_was_written() {
    let blueprint = minimal(
        "{ image: app, files: { /raw: { text: \"{{ name }} {% if %}\", raw: true }, /made: \"{{ name }}\", \
         /said: { text: \"{{ name }}\", raw: false } } }",
    );
    main(&blueprint, |main| {
        let text = |path: &str| main.files[path].as_str();
        assert_eq!(text("/raw"), "{{ name }} {% if %}");
        assert_eq!([text("/made"), text("/said")], ["demo"; 2]);
    });
}

/// A cluster whose image has a directory for config, and two groups of it.
fn configured(image: &str, service: &str) -> String {
    minimal(&format!("{{ image: app, {service} }}"))
        .replace("\"app:1\"", &format!("\"app:1\", conf: /etc/app{image}"))
        .replace(
            "\nservices",
            "\nconfig:\n  first: { a.properties: { a: \"1\", b: \"1\", c: \"1\" } }\n  \
             second: { a.properties: { b: \"2\", c: \"2\" } }\nservices",
        )
}

/// Of groups the last one counts, and what a process says itself counts most.
#[test]
fn config_is_laid_over_config() {
    let blueprint = configured(
        "",
        "config: { use: [first, second], a.properties: { c: \"3\" } }",
    );
    main(&blueprint, |main| {
        let file = &main.files["/etc/app/a.properties"];
        for line in ["a=1", "b=2", "c=3"] {
            assert!(file.lines().any(|l| l == line), "{line}: {file}");
        }
        assert_eq!(file.matches('=').count(), 3, "{file}");
    });
}

/// A file with a path of its own is not put into the directory of the image.
#[test]
fn config_is_where_it_was_wanted() {
    let blueprint = configured(
        "",
        "config: { a.properties: { k: v }, /srv/b.properties: { k: v } }",
    );
    main(&blueprint, |main| {
        let paths: Vec<&str> = main.files.keys().map(String::as_str).collect();
        assert_eq!(paths, ["/etc/app/a.properties", "/srv/b.properties"]);
    });
}

/// A launcher that does not run writes no config: then it is mounted.
#[test]
fn config_is_left_only_to_a_launcher_that_runs() {
    let service = "config: { a.properties: { k: v } }";
    let image = ", launcher: flokkr, argv: exec";
    main(&configured(image, service), |main| {
        assert_eq!(variable(main, "A.PROPERTIES_k"), Some("v"));
        assert!(main.files.is_empty());
    });
    let replaced = format!("entrypoint: [run], {service}");
    main(&configured(image, &replaced), |main| {
        assert_eq!(variable(main, "A.PROPERTIES_k"), None);
        assert!(main.files["/etc/app/a.properties"].contains("k=v\n"));
    });
}

/// A file has one format, and a variable one value, wherever they are said.
#[test]
fn what_is_said_twice_is_refused() {
    for (service, reason) in [
        (
            "config: { use: [xml], a!properties: { k: v } }",
            "one file can't have two formats",
        ),
        (
            "config: { a.properties: { k: v } }, env: { A.PROPERTIES_k: w }",
            "the variable `A.PROPERTIES_k` is set twice",
        ),
    ] {
        let blueprint = configured(", launcher: flokkr, argv: exec", service)
            .replace("\n  first:", "\n  xml: { a!xml: { b: c } }\n  first:");
        let said = refused(&blueprint).unwrap_or_else(|| panic!("{service}"));
        assert!(said.contains(reason), "{said}");
    }
}

/// What a group says of whoever asks is said of each, also beside one that says the same to all.
#[test]
fn groups_are_told_to_each_service() {
    let blueprint = "blueprint: v1\nname: demo\nimages: { app: { ref: \"app:1\", conf: /etc/app } }\nconfig:\n  \
        same: { a.properties: { one: same } }\n  own: { a.properties: { name: \"{{ service }}\" } }\nservices:\n  \
        one: { image: app, config: { use: [same, own] } }\n  two: { image: app, config: { use: [same, own] } }\n";
    for (target, cluster) in processes(blueprint) {
        for (place, process) in &cluster {
            let line = format!("name={}\n", place.service);
            let file = &process.files["/etc/app/a.properties"];
            assert!(file.contains(&line), "{target}, {place}: {file}");
        }
    }
}

/// Names, numbers and ports of replicas are theirs, in the order of the replicas; whoever has none of their own is
/// there by one name.
#[test]
fn everybody_is_found_by_name() {
    let blueprint = "blueprint: v1\nname: demo\nimages: { app: { ref: \"app:1\" } }\nservices:\n  \
        db: { image: app, kind: ensemble, replicas: 3, ports: { a: 7 } }\n  \
        web: { image: app, replicas: 2, ports: { a: 8 } }\n  \
        each: { image: app, kind: daemon, ports: { a: 9 } }\n  one:\n    image: app\n    entrypoint: [run]\n    kind: ensemble\n    replicas: 2\n    \
        env:\n      HOST: \"{{ host('db', 1) }}\"\n      ADDRESS: \"{{ address('db', 'a', 1) }}\"\n      \
        HOSTS: \"{{ hosts('db') | join(',') }}\"\n      ADDRESSES: \"{{ addresses('db', 'a') | join(',') }}\"\n      \
        WEB: \"{{ addresses('web', 'a') | join(',') }}\"\n      ONE_WEB: \"{{ address('web', 'a') }}\"\n      \
        EACH: \"{{ addresses('each', 'a') | join(',') }}\"\n      ONE_EACH: \"{{ address('each', 'a') }}\"\n      \
        INDEX: \"{{ replica.index }}\"\n      ID: \"{{ replica.id }}\"\n      COUNT: \"{{ replica.count }}\"\n      \
        PORT: \"{{ port('db', 'a') }}\"\n";
    for replica in 0..2 {
        each(blueprint, replica, &Role::Main, |one| {
            let one = |name: &str| variable(one.unwrap(), name).unwrap();
            let hosts: Vec<&str> = one("HOSTS").split(',').collect();
            let [first, second, third] = hosts[..] else {
                panic!("{hosts:?}");
            };
            assert!(first != second && second != third && third != first);
            for (host, number) in hosts.iter().zip(["0", "1", "2"]) {
                assert!(host.contains(&format!("db-{number}")), "{host}");
            }
            assert_eq!(one("HOST"), second);
            assert_eq!(one("ADDRESS"), format!("{second}:7"));
            let addresses = hosts.iter().map(|host| format!("{host}:7"));
            assert_eq!(one("ADDRESSES"), addresses.collect::<Vec<_>>().join(","));
            assert_eq!(one("WEB"), one("ONE_WEB"));
            assert_eq!(one("EACH"), one("ONE_EACH"));
            assert!(one("WEB").ends_with(":8") && one("EACH").ends_with(":9"));
            let numbers = ["INDEX", "ID", "COUNT", "PORT"].map(one);
            let (index, id) = (replica.to_string(), (replica + 1).to_string());
            assert_eq!(numbers, [index.as_str(), id.as_str(), "2", "7"]);
        });
    }
}

/// Every process runs as who it is told to, else as who its image says, whoever runs beside it.
#[test]
fn everybody_runs_as_themselves() {
    let blueprint = minimal(
        "{ image: app, user: \"5:6\", init: [{ name: step, user: \"9\", command: [step] }], sidecars: { \
         own: { command: [own], user: \"7:8\" }, other: { image: other, command: [other] } } }",
    )
    .replace("\"app:1\"", "\"app:1\", user: \"1:2\"")
    .replace("services:", "  other: { ref: \"other:1\", user: \"3:4\" }\nservices:")
    .replace("images: { app: { ref: \"app:1\", user: \"1:2\" } }", "images:\n  app: { ref: \"app:1\", user: \"1:2\" }");
    let sidecar = |name: &str| Role::Sidecar(name.to_owned());
    for (role, user) in [
        (Role::Main, Some("5:6")),
        (step(), Some("9")),
        (sidecar("own"), Some("7:8")),
        // Its image's own.
        (sidecar("other"), None),
    ] {
        each(&blueprint, 0, &role, |process| {
            assert_eq!(process.unwrap().user.as_deref(), user, "{role:?}");
        });
    }
}

/// Files of one name in several folders have a text each.
#[test]
fn files_of_one_name_are_told_apart() {
    let paths = ["/a/x", "/b/x", "/b/x.x", "/c-x", "/c/x"];
    let all = paths.map(|path| format!("{path}: \"of {path}\""));
    let sidecar = "sidecars: { s: { command: [s], files: { /a/x: \"of s\" } } }";
    let blueprint = minimal(&format!(
        "{{ image: app, files: {{ {} }}, {sidecar} }}",
        all.join(", ")
    ));
    main(&blueprint, |main| {
        for path in paths {
            assert_eq!(main.files[path], format!("of {path}"));
        }
    });
    each(&blueprint, 0, &Role::Sidecar("s".to_owned()), |sidecar| {
        assert_eq!(sidecar.unwrap().files["/a/x"], "of s");
    });
}

/// Config reaches a step of another image by that image's launcher, else as files where it has its config; an image
/// that has neither gets none, whatever way it reaches the process.
#[test]
fn steps_of_other_images_have_config_their_own_way() {
    let of = |name: &str, app: &str, service: &str| {
        let images = format!(
            "images:\n  app: {{ ref: \"app:1\", conf: /etc/app{app} }}\n  tool: {{ ref: \"tool:1\", conf: /etc/tool }}\n  \
             other: {{ ref: \"other:1\", conf: /etc/other, launcher: apache, argv: exec }}\n  bare: {{ ref: \"bare:1\" }}"
        );
        let config = "config: { a.properties: { k: v }, /srv/b.properties: { k: v } }";
        minimal(&format!(
            "{{ image: app, command: [run], {config}{service}, init: [{{ name: step, image: {name}, command: [step] }}] }}"
        ))
        .replace("images: { app: { ref: \"app:1\" } }", &images)
    };
    let launched = ", launcher: flokkr, argv: exec";
    for (name, app, path, by_variable) in [
        ("tool", launched, Some("/etc/tool/a.properties"), false),
        ("tool", "", Some("/etc/tool/a.properties"), false),
        ("bare", launched, None, false),
        ("bare", "", None, false),
        ("other", launched, None, true),
        ("other", "", Some("/etc/other/a.properties"), false),
        ("app", launched, None, true),
        ("app", "", Some("/etc/app/a.properties"), false),
    ] {
        each(&of(name, app, ""), 0, &step(), |step| {
            let step = step.unwrap();
            let place = format!("{name}{app}: {step:?}");
            let relative = step
                .files
                .keys()
                .find(|path| path.ends_with("a.properties"));
            assert_eq!(relative.map(String::as_str), path, "{place}");
            let variable = variable(step, "A.PROPERTIES_k");
            assert_eq!(variable.is_some(), by_variable, "{place}");
            // What says its own place is there in any case.
            let is_mounted = step.files.contains_key("/srv/b.properties");
            assert!(is_mounted || by_variable, "{place}");
        });
    }
    for path in ["/etc/tool/a.properties", "/srv/b.properties", "/made"] {
        let rewrites = format!("/etc/tool, rewrites: [{path}] }}");
        let blueprint = of("tool", "", ", files: { /made: x }").replace("/etc/tool }", &rewrites);
        let said = refused(&blueprint).unwrap();
        let reason = format!(
            "`{}` can't be mounted",
            path.trim_start_matches("/etc/tool/")
        );
        assert!(said.contains(&reason), "{said}");
        assert!(
            said.contains("image `tool` rewrites it at each start"),
            "{said}"
        );
    }
}

/// A key that names the replica is that replica's alone, and another service's replicas are its own.
#[test]
fn replicas_have_their_own_keys() {
    let blueprint = minimal(
        "{ image: app, entrypoint: [run], kind: ensemble, replicas: 2, env: { PEERS: \
         \"{{ peers('db') | map(attribute='host') | join(' ') }}\", OWN: \"{{ peers() | length }}\" }, config: { delivery: files, \
         a.properties: { \"own.{{ replica.index }}\": \"v{{ replica.index }}\", all: x } } }",
    )
    .replace("\"app:1\"", "\"app:1\", conf: /etc/app")
        + "  db: { image: app, kind: ensemble, replicas: 3 }\n";
    for replica in 0..2 {
        each(&blueprint, replica, &Role::Main, |process| {
            let process = process.unwrap();
            let file = &process.files["/etc/app/a.properties"];
            for other in 0..2 {
                let line = format!("own.{other}=v{other}\n");
                assert_eq!(file.contains(&line), other == replica, "{replica}: {file}");
            }
            assert!(file.contains("all=x\n"), "{file}");
            let peers = variable(process, "PEERS").unwrap();
            assert_eq!(peers.split_whitespace().count(), 3, "{peers}");
            assert!(
                peers.split_whitespace().all(|p| p.contains("db-")),
                "{peers}"
            );
            assert_eq!(variable(process, "OWN"), Some("2"));
        });
    }
}

/// Where flokkr launches an image there is no entrypoint that would split words, or evaluate them.
#[test]
fn launched_images_get_words_as_they_are() {
    for launcher in ["flokkr", "apache", "launch"] {
        let built = format!(
            "\"app:1\", user: \"5\", launcher: {launcher}, conf: /etc/app, build: {{ base: \"debian:12\", launch: true }}"
        );
        let blueprint = minimal("{ image: app, command: [run, \"a b\", \"\", \"*\"] }")
            .replace("\"app:1\"", &built);
        main(&blueprint, |main| {
            assert_eq!(
                main.line.words.as_deref().unwrap(),
                ["run", "a b", "", "*"],
                "{launcher}"
            );
        });
    }
}
