//! Rules that hold on every platform: amounts and times arrive as they were written, and what is said of a process is
//! said of its steps.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::process::Command;

use flokkr::file::File;
use flokkr::target;
use serde_yaml::Value;

use super::{composed, files, group, minimal, object, sharing, takes};
use crate::meaning::yaml::{entries, items, text};
use crate::support::emit;

/// The bytes that Compose reads: its units are powers of 1024 (docker/go-units, `RAMInBytes`).
fn of_compose(size: &str) -> u64 {
    let (number, unit) = size.split_at(size.len() - 1);
    let shift = match unit {
        "b" => 0,
        "k" => 10,
        "m" => 20,
        "g" => 30,
        other => panic!("{other}"),
    };
    number.parse::<u64>().unwrap() << shift
}

/// The bytes that Kubernetes reads (`resource.Quantity`).
fn of_kubernetes(size: &str) -> u64 {
    let at = size
        .find(|c: char| !c.is_ascii_digit())
        .unwrap_or(size.len());
    let (number, unit) = size.split_at(at);
    let unit: u64 = match unit {
        "" => 1,
        "Ki" => 1 << 10,
        "Mi" => 1 << 20,
        "Gi" => 1 << 30,
        "Ti" => 1 << 40,
        other => panic!("{other}"),
    };
    number.parse::<u64>().unwrap() * unit
}

/// A size is what the blueprint's documentation says it is, on every platform: decimal without an `i`. What is only
/// reserved is the limit as well.
#[test]
fn memory_is_what_was_written() {
    for (written, bytes) in [
        ("64000000", 64_000_000),
        ("65536k", 65_536_000),
        ("65537Ki", 65_537 << 10),
        ("500M", 500_000_000),
        ("512Mi", 512 << 20),
        ("3G", 3_000_000_000),
        ("3Gi", 3 << 30),
        ("1T", 1_000_000_000_000),
        ("1Ti", 1 << 40),
    ] {
        let one = |amount: &str| minimal(&format!("{{ image: app, resources: {{ {amount} }} }}"));
        let reserved = one(&format!("memory: {written}"));
        let limited = one(&format!("memory: 50M, limits: {{ memory: {written} }}"));
        for (blueprint, least) in [(&reserved, bytes), (&limited, 50_000_000)] {
            let deploy = &composed(blueprint)["one"]["deploy"]["resources"];
            let amount = |kind: &str| of_compose(text(&deploy[kind]["memory"]));
            assert_eq!(
                [amount("reservations"), amount("limits")],
                [least, bytes],
                "{written}"
            );
            let pod = object(&files(blueprint, "kubernetes"), "Deployment", "one");
            let resources = &pod["spec"]["template"]["spec"]["containers"][0]["resources"];
            let amount = |kind: &str| of_kubernetes(text(&resources[kind]["memory"]));
            assert_eq!(
                [amount("requests"), amount("limits")],
                [least, bytes],
                "{written}"
            );
            let group = group(&files(blueprint, "nomad"), "one");
            let resources = &group.only("task").body.only("resources").body;
            let amount = |key: &str| resources.plain(key).map(|n| n.parse::<u64>().unwrap());
            let whole = |bytes: u64| bytes.div_ceil(1 << 20);
            assert_eq!(amount("memory"), Some(whole(least)), "{written}");
            let most = Some(whole(bytes)).filter(|_| bytes > least);
            assert_eq!(amount("memory_max"), most, "{written}");
        }
    }
}

/// A processor is a thousand thousandths, however it is written.
#[test]
fn processors_are_what_was_written() {
    for (written, millis) in [
        ("\"1m\"", 1),
        ("\"250m\"", 250),
        ("0.5", 500),
        ("0.05", 50),
        ("1.5", 1500),
        ("2", 2000),
        ("\"12.125\"", 12_125),
    ] {
        let resources = format!("cpu: {written}, limits: {{ cpu: {written} }}");
        let blueprint = minimal(&format!("{{ image: app, resources: {{ {resources} }} }}"));
        let service = &composed(&blueprint)["one"];
        let shares = (millis * 1024 / 1000).max(2);
        assert_eq!(service["cpu_shares"].as_u64(), Some(shares), "{written}");
        let limit = text(&service["deploy"]["resources"]["limits"]["cpus"]);
        let (whole, part) = limit.split_once('.').unwrap_or((limit, "0"));
        let thousandths = format!("{whole}{part:0<3}");
        assert_eq!(thousandths.parse(), Ok(millis), "{written}: {limit}");
        let pod = object(&files(&blueprint, "kubernetes"), "Deployment", "one");
        let resources = &pod["spec"]["template"]["spec"]["containers"][0]["resources"];
        for kind in ["requests", "limits"] {
            let cpu = text(&resources[kind]["cpu"]);
            let found = match cpu.strip_suffix('m') {
                Some(millis) => millis.parse::<u64>().unwrap(),
                None => cpu.parse::<u64>().unwrap() * 1000,
            };
            assert_eq!(found, millis, "{written}");
        }
        // 1000 MHz are a processor unless it is said.
        let group = group(&files(&blueprint, "nomad"), "one");
        let resources = &group.only("task").body.only("resources").body;
        let mhz = millis.to_string();
        assert_eq!(resources.plain("cpu"), Some(mhz.as_str()), "{written}");
    }
}

/// Milliseconds of a time as Go reads it.
fn millis(text: &str) -> u64 {
    let at = text.find(|c: char| !c.is_ascii_digit()).unwrap();
    let (number, unit) = text.split_at(at);
    let number: u64 = number.parse().unwrap();
    match unit {
        "ms" => number,
        "s" => number * 1000,
        "m" => number * 60_000,
        "h" => number * 3_600_000,
        other => panic!("{other}"),
    }
}

/// No time is cut to whole seconds where the platform knows parts of them; a start has the time of the check that
/// says that it is over.
#[test]
fn times_are_what_was_written() {
    for (written, time) in [
        ("500ms", 500),
        ("1500ms", 1500),
        ("61s", 61_000),
        ("90s", 90_000),
        ("2m", 120_000),
        ("1h", 3_600_000),
    ] {
        let health = format!(
            "health: {{ start: {{ tcp: a, within: {written} }}, ready: {{ tcp: a, interval: {written}, timeout: {written} }} }}"
        );
        let one =
            format!("{{ image: app, ports: {{ a: 1 }}, {health}, stop: {{ grace: {written} }} }}");
        let build = ", user: \"1\", build: { base: \"debian:12\" }";
        let blueprint = minimal(&one).replace("\"app:1\"", &format!("\"app:1\"{build}"));
        let service = &composed(&blueprint)["one"];
        let check = &service["healthcheck"];
        for key in ["interval", "timeout", "start_period"] {
            assert_eq!(millis(text(&check[key])), time, "{key}: {written}");
        }
        assert_eq!(
            millis(text(&service["stop_grace_period"])),
            time,
            "{written}"
        );
        let group = group(&files(&blueprint, "nomad"), "one");
        let task = &group.only("task").body;
        assert_eq!(
            millis(task.text("kill_timeout").unwrap()),
            time,
            "{written}"
        );
        let check = &task.only("service").body.only("check").body;
        for key in ["interval", "timeout"] {
            // Nomad takes no less than a second.
            assert_eq!(
                millis(check.text(key).unwrap()),
                time.max(1000),
                "{written}"
            );
        }
        let files = files(&blueprint, "docker");
        let dockerfile = files.iter().find(|f| f.path == "app/Dockerfile").unwrap();
        for option in ["interval", "timeout", "start-period"] {
            let (_, rest) = dockerfile.text.split_once(&format!("--{option}=")).unwrap();
            assert_eq!(
                millis(rest.split(' ').next().unwrap()),
                time,
                "{option}: {written}"
            );
        }
    }
}

/// What is documented of a check of which nothing is said.
#[test]
fn checks_have_their_usual_times() {
    let service = &composed(&minimal(
        "{ image: app, ports: { a: 1 }, health: { tcp: a } }",
    ))["one"];
    let check = &service["healthcheck"];
    for (key, usual) in [("interval", 5), ("timeout", 5), ("start_period", 120)] {
        assert_eq!(millis(text(&check[key])), usual * 1000, "{key}");
    }
    assert_eq!(check["retries"].as_u64(), Some(6));
}

fn texts(files: &[File]) -> String {
    files.iter().map(|f| f.text.as_str()).collect()
}

/// A step is taken by whom the process is, and where it is: what it writes is the process's.
#[test]
fn steps_are_taken_as_the_process() {
    let blueprint = minimal(
        "{ image: app, user: \"7:8\", workdir: /srv/work, init: [{ name: step, command: [step] }] }",
    )
    .replace("\"app:1\"", "\"app:1\", user: \"5:6\"");
    let service = &composed(&blueprint)["one-step"];
    assert_eq!(text(&service["user"]), "7:8");
    assert_eq!(text(&service["working_dir"]), "/srv/work");
    let pod = object(&files(&blueprint, "kubernetes"), "Deployment", "one");
    let pod = &pod["spec"]["template"]["spec"];
    let step = &pod["initContainers"][0];
    assert_eq!(text(&step["workingDir"]), "/srv/work");
    let (own, of_pod) = (&step["securityContext"], &pod["securityContext"]);
    for (key, id) in [("runAsUser", 7), ("runAsGroup", 8)] {
        let found = if own[key].is_null() {
            &of_pod[key]
        } else {
            &own[key]
        };
        assert_eq!(found.as_u64(), Some(id), "{key}");
    }
    let group = group(&files(&blueprint, "nomad"), "one");
    for task in group.blocks("task") {
        assert_eq!(task.body.text("user"), Some("7:8"), "{:?}", task.labels);
        let config = &task.body.only("config").body;
        assert_eq!(
            config.text("work_dir"),
            Some("/srv/work"),
            "{:?}",
            task.labels
        );
    }
}

/// What a step leaves is a file or a directory: either says that it was taken.
#[test]
fn a_step_is_left_out_when_its_path_is_there() {
    let one = "{ image: app, init: [{ name: step, command: [touch, made], unless: PATH }] }";
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("it's there");
    let made = folder.path().join("made");
    let blueprint = minimal(one).replace("PATH", &format!("\"{}\"", place.display()));
    let compose: Value = serde_yaml::from_str(&texts(&files(&blueprint, "compose"))).unwrap();
    let configs = entries(&compose["configs"]);
    let [(_, script)] = configs[..] else {
        panic!("{configs:?}")
    };
    let script = text(&script["content"]).replace("$$", "$");
    let taken = || {
        let status = Command::new("bash")
            .args(["-c", &script])
            .current_dir(folder.path())
            .status();
        assert!(status.unwrap().success());
        std::fs::remove_file(&made).is_ok()
    };
    assert!(taken());
    std::fs::create_dir(&place).unwrap();
    assert!(!taken());
    std::fs::remove_dir(&place).unwrap();
    std::fs::write(&place, "").unwrap();
    assert!(!taken());
}

/// Who asks for a port of their own gets their own, however many ask in the same words.
#[test]
fn everybody_has_a_port_of_their_own() {
    let blueprint = "blueprint: v1\nname: demo\nimages: { app: { ref: \"app:1\", conf: /etc/app } }\n\
        config: { all: { a.properties: { listen: \"{{ port('a') }}\", name: \"{{ service }}\" } } }\nservices:\n  \
        one: { image: app, ports: { a: 1 }, env: { A: \"{{ port('a') }}\" }, config: { use: [all] } }\n  \
        two: { image: app, ports: { a: 2 }, env: { A: \"{{ port('a') }}\" }, config: { use: [all] } }\n";
    let services = composed(blueprint);
    for (name, port) in [("one", "1"), ("two", "2")] {
        assert_eq!(text(&services[name]["environment"]["A"]), port, "{name}");
        let source = text(&services[name]["configs"][0]["source"]);
        let compose: Value = serde_yaml::from_str(&texts(&files(blueprint, "compose"))).unwrap();
        let content = text(&compose["configs"][source]["content"]);
        assert!(
            content.contains(&format!("listen={port}\nname={name}\n")),
            "{content}"
        );
    }
}

/// Readers take what comes last, some of them: the keys that a layer leaves stay in their order.
#[test]
fn keys_stay_in_their_order() {
    let blueprint = "blueprint: v1\nname: demo\nimages: { app: { ref: \"app:1\", conf: /etc/app } }\n\
        config: { all: { a.properties: { a: \"1\", b: \"2\", c: \"3\", d: \"4\" } } }\nservices:\n  \
        one: { image: app, config: { use: [all], a.properties: { b: null, c: \"5\", e: \"6\" } } }\n";
    for target in ["compose", "kubernetes", "nomad"] {
        let text = texts(&files(blueprint, target));
        let at = |line: &str| {
            text.find(line)
                .unwrap_or_else(|| panic!("no {line}: {text}"))
        };
        let lines = ["a=1", "c=5", "d=4", "e=6"];
        let places: Vec<usize> = lines.into_iter().map(at).collect();
        assert!(places.is_sorted(), "{target}: {text}");
        assert!(!text.contains("b=2"), "{target}");
    }
}

/// Whoever is there needs what is there with each of the profiles that bring it.
#[test]
fn what_is_needed_is_there_with_each_profile() {
    for (user, needed, taken) in [
        ("", "", true),
        ("a", "", true),
        ("", "a", false),
        ("a", "a", true),
        ("a", "a, b", true),
        ("a, b", "a", false),
        ("a, b", "b, a", true),
        ("b", "a", false),
    ] {
        let blueprint = minimal(&format!("{{ image: app, profiles: [{needed}] }}"))
            + &format!("  user: {{ image: app, needs: [one], profiles: [{user}] }}\n");
        takes("compose", &blueprint, taken);
    }
}

/// A loss that one platform has is not known for another, also where what is included knows it for both.
#[test]
fn losses_are_accepted_for_one_target() {
    let said = |target: &str, accepting: &str| {
        let own = minimal("{ image: app, stop: { before: [drain], grace: 30s } }");
        let text = own.replace("\nname", "\ninclude: [hdfs-ha]\nname")
            + &format!("targets: {{ {accepting}: {{ accept: {{ stop.before: known }} }} }}\n");
        emit(&text, target::find(target).unwrap()).said
    };
    for target in ["compose", "nomad"] {
        for accepting in ["compose", "nomad", "kubernetes"] {
            let said = said(target, accepting);
            let heard = said.contains("accept: { stop.before");
            assert_eq!(heard, target != accepting, "{target}, {accepting}: {said}");
        }
    }
}

/// A secret is filled in when the escapes of a file are made: that is said, wherever it goes.
#[test]
fn a_secret_in_a_config_file_is_said() {
    for launcher in ["", ", launcher: flokkr, argv: exec"] {
        let blueprint =
            minimal("{ image: app, config: { a.xml: { password: \"{{ secret('key') }}\" } } }")
                .replace("\"app:1\"", &format!("\"app:1\", conf: /etc/app{launcher}"))
                .replace("\nimages", "\nsecrets: { key: { env: KEY } }\nimages");
        for target in ["compose", "nomad"] {
            let said = emit(&blueprint, target::find(target).unwrap()).said;
            assert!(
                said.contains("the secret in `password` goes into a.xml as it is"),
                "{said}"
            );
        }
    }
}

/// A patch is YAML: what stands in quotes is a text, also where it looks like a number.
#[test]
fn a_patch_tells_texts_from_numbers() {
    let patch = "{ a: \"1.10\", b: 1.5, c: 'true', d: true, e: \"0644\", f: x }";
    let blueprint = minimal(&format!(
        "{{ image: app, patch: {{ compose: {{ x-own: {patch} }} }} }}"
    ));
    let file = texts(&files(&blueprint, "compose"));
    let own = &serde_yaml::from_str::<Value>(&file).unwrap()["services"]["one"]["x-own"];
    for key in ["a", "c", "e", "f"] {
        assert!(own[key].is_string(), "{key}: {file}");
    }
    assert!(own["b"].is_f64() && own["d"].is_bool(), "{file}");
    let blueprint = minimal(&format!(
        "{{ image: app, patch: {{ kubernetes: {{ Deployment: {{ own: {patch} }} }} }} }}"
    ));
    let own = &object(&files(&blueprint, "kubernetes"), "Deployment", "one")["own"];
    assert!(own["a"].is_string() && own["c"].is_string() && own["e"].is_string());
    assert!(own["b"].is_f64() && own["d"].is_bool());
}

/// A process that answers is ready when it says so: by a status from 200 to 399, as the language has it.
#[test]
fn an_answer_that_says_an_error_is_none() {
    let health =
        "{ image: app, ports: { a: PORT }, health: { http: { port: a, path: \"/it's\" } } }";
    for (status, ready) in [
        ("200 OK", true),
        ("204 No Content", true),
        ("302 Found", true),
        ("404 Not Found", false),
        ("503 Service Unavailable", false),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port().to_string();
        let services = composed(&minimal(&health.replace("PORT", &port)));
        let words = items(&services["one"]["healthcheck"]["test"]).iter();
        let words: Vec<String> = words.map(|w| text(w).replace("$$", "$")).collect();
        assert_eq!(words[0], "CMD");
        let server = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let lines = BufReader::new(&stream).lines().map(Result::unwrap);
            let asked: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
            write!(stream, "HTTP/1.0 {status}\r\n\r\n").unwrap();
            asked
        });
        let run = Command::new(&words[1])
            .args(&words[2..])
            .env("HOSTNAME", "127.0.0.1")
            .status();
        assert_eq!(run.unwrap().success(), ready, "{status}");
        assert_eq!(server.join().unwrap()[0], "GET /it%27s HTTP/1.0");
    }
}

/// A step has what its process has: the secrets that it fetches something with, and no more memory.
#[test]
fn steps_have_what_the_process_has() {
    let blueprint = minimal(
        "{ image: app, secrets: { key: null }, resources: { memory: 64Mi }, init: [{ name: step, command: [step] }] }",
    )
    .replace("\nservices", "\nsecrets: { key: { env: KEY } }\nservices");
    let services = composed(&blueprint);
    for name in ["one", "one-step"] {
        let service = &services[name];
        let secret = &service["secrets"][0];
        assert_eq!(text(&secret["source"]), "key", "{name}");
        assert_eq!(text(&secret["target"]), "/run/secrets/key", "{name}");
        let limit = &service["deploy"]["resources"]["limits"]["memory"];
        assert_eq!(of_compose(text(limit)), 64 << 20, "{name}");
    }
}

/// What would make another process than was written is refused, each alone, and what stands beside it is not.
#[test]
fn what_can_not_be_meant_is_refused() {
    for (service, taken) in [
        ("resources: { cpu: 2, limits: { cpu: 1 } }", false),
        ("resources: { cpu: 1, limits: { cpu: 1 } }", true),
        (
            "kind: ensemble, replicas: 2, entrypoint: [\"{{ 'a' if replica.index == 0 else omit }}\"]",
            false,
        ),
        (
            "kind: ensemble, replicas: 2, entrypoint: [\"a{{ replica.index }}\"]",
            true,
        ),
        ("env: { A_B: x }, config: { a.properties: { b: c } }", true),
        ("labels: { flokkr.own: x }", false),
        ("labels: { own.flokkr: x }", true),
        (
            "files: { /run/secrets/key: x }, secrets: { key: null }",
            false,
        ),
        (
            "files: { /run/secrets/other: x }, secrets: { key: null }",
            true,
        ),
        ("files: { /etc/app/made: x }", false),
        ("files: { /etc/app/other: x }", true),
        (
            "config: { made.properties: { b: c }, delivery: files }",
            false,
        ),
        ("files: { /etc/folder/: x }", false),
        ("files: { /v: x }, volumes: { v: { path: /v } }", false),
        ("files: { /v: x }, volumes: { v: { path: /w } }", true),
        (
            "volumes: { v: { path: /v } }, sidecars: { s: { command: [s], files: { /v: x } } }",
            false,
        ),
        (
            "volumes: { v: { path: /v } }, sidecars: { s: { command: [s], files: { /v: x }, volumes: false } }",
            true,
        ),
        ("ports: { a: 1 }, health: { tcp: a, retries: 0 }", false),
        ("ports: { a: 1 }, health: { tcp: a, interval: 0s }", false),
        ("ports: { a: 1 }, health: { tcp: a, timeout: 0s }", false),
        ("files: { /x: { text: a, mode: \"0777\" } }", true),
        ("files: { /x: { text: a, mode: \"1777\" } }", false),
        ("files: { /x: { text: a, mode: \"0888\" } }", false),
        ("files: { /a/.b/..c: x }", true),
        ("files: { /a/../x: x }", false),
        ("files: { /a/./x: x }", false),
        ("volumes: { v: { path: /a/.. } }", false),
        ("volumes: { v: { path: a } }", false),
        ("workdir: /a/.", false),
        ("resources: { memory: 0 }", false),
        ("resources: { memory: 0Gi }", false),
        ("resources: { cpu: 0 }", false),
        ("resources: { cpu: 0.125 }", true),
        ("resources: { cpu: 0.1250 }", false),
        ("resources: { cpu: 0.0001 }", false),
        ("files: { /x: a, /x/y: b }", false),
        ("files: { /x: a, /x/y/z: b }", false),
        ("files: { /x/y: a, /x/z: b }", true),
        (
            "init: [{ name: s, command: [a], unless: \"/{{ secret('key') }}\" }]",
            false,
        ),
        ("init: [{ name: s }]", false),
        ("init: [{ name: s, command: [a], script: b }]", false),
        (
            "ports: { a: 1 }, health: { tcp: a, ready: { tcp: a } }",
            false,
        ),
        ("ports: { a: 1 }, health: { interval: 1s }", false),
        ("ports: { a: 1 }, health: { tcp: a, command: [b] }", false),
        ("env: { A: \"{{ replica.index }}\" }", false),
        ("replicas: 2, env: { A: \"{{ replica.index }}\" }", false),
        ("kind: daemon, env: { A: \"{{ replica.index }}\" }", false),
        ("kind: ensemble, env: { A: \"{{ replica.index }}\" }", true),
        ("needs: [one]", false),
    ] {
        let blueprint = minimal(&format!("{{ image: app, {service} }}"))
            .replace(
                "\"app:1\"",
                "\"app:1\", conf: /etc/app, rewrites: [/etc/app/made, /etc/app/made.properties]",
            )
            .replace("\nservices", "\nsecrets: { key: { env: KEY } }\nservices");
        takes("compose", &blueprint, taken);
    }
}

/// A volume may lie where config would be that goes into variables, and not where it is a file.
#[test]
fn config_in_variables_is_no_file_in_the_way() {
    for (delivery, taken) in [("env", true), ("files", false)] {
        let service = format!(
            "{{ image: app, config: {{ use: [common], delivery: {delivery} }}, \
             volumes: {{ v: {{ path: /etc/app/a.properties }} }} }}"
        );
        takes("compose", &sharing(&service, ""), taken);
    }
}

/// A check has times of its own, else those of all checks beside it, else the usual ones.
#[test]
fn checks_have_times_of_their_own() {
    let template = object(
        &files(
            &minimal(
                "{ image: app, ports: { a: 1 }, health: { interval: 9s, timeout: 8s, retries: 3, \
                 ready: { tcp: a, interval: 7s, timeout: 4s, retries: 2 }, alive: { tcp: a } } }",
            ),
            "kubernetes",
        ),
        "Deployment",
        "one",
    );
    let container = &template["spec"]["template"]["spec"]["containers"][0];
    let times = |probe: &str| {
        let keys = ["periodSeconds", "timeoutSeconds", "failureThreshold"];
        // What is not said is what Kubernetes takes: 10 seconds, 1 second, 3 times.
        let usual = [10, 1, 3];
        let pairs = keys.into_iter().zip(usual);
        let pairs = pairs.map(|(key, usual)| container[probe][key].as_u64().unwrap_or(usual));
        pairs.collect::<Vec<_>>()
    };
    assert_eq!(times("readinessProbe"), [7, 4, 2]);
    assert_eq!(times("livenessProbe"), [9, 8, 3]);
}

/// Only a loss that a platform has can be accepted: a word that is none would hide nothing, for ever.
#[test]
fn only_losses_are_accepted() {
    for (target, loss, taken) in [
        ("compose", "health.alive", true),
        ("compose", "health.aliv", false),
        ("kubernetes", "restart", true),
        ("kubernetes", "restarts", false),
        ("nomad", "stop.before", true),
        ("nomad", "before", false),
    ] {
        let accept = format!("targets: {{ {target}: {{ accept: {{ {loss}: known }} }} }}\n");
        let blueprint = minimal("{ image: app }") + &accept;
        let said = takes(target, &blueprint, taken);
        let error = format!("there is no loss `{loss}` to accept");
        assert_eq!(!said.contains(&error), taken, "{said}");
    }
}

/// Things of a list are patched by their names: changed, added and taken away, the others stay as they are.
#[test]
fn a_patch_changes_things_by_their_names() {
    let pod = |patch: &str| {
        let blueprint = minimal(&format!(
            "{{ image: app, env: {{ A: a, B: b }}, sidecars: {{ s: {{ command: [s] }} }}, patch: {{ kubernetes: \
             {{ Deployment: {{ spec: {{ template: {{ spec: {{ {patch} }} }} }} }} }} }} }}"
        ));
        let deployment = object(&files(&blueprint, "kubernetes"), "Deployment", "one");
        deployment["spec"]["template"]["spec"].clone()
    };
    let variables = |env: &str| {
        let spec = pod(&format!("containers: {{ one: {{ env: {env} }} }}"));
        let env = items(&spec["containers"][0]["env"]).iter();
        env.map(|v| format!("{}={}", text(&v["name"]), text(&v["value"])))
            .collect::<Vec<_>>()
    };
    assert_eq!(variables("{ A: { value: x } }"), ["A=x", "B=b"]);
    assert_eq!(variables("{ C: { value: c } }"), ["A=a", "B=b", "C=c"]);
    assert_eq!(variables("{ A: null }"), ["B=b"]);
    assert_eq!(variables("{ C: null }"), ["A=a", "B=b"]);
    assert_eq!(variables("[{ name: D, value: d }]"), ["D=d"]);
    let names = |patch: &str| {
        let spec = pod(patch);
        let all = [&spec["containers"], &spec["initContainers"]];
        let all = all.into_iter().flat_map(|list| items(list).to_vec());
        all.map(|c| text(&c["name"]).to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        names("containers: { more: { image: x } }"),
        ["one", "more", "s"]
    );
    assert_eq!(names("initContainers: { s: null }"), ["one"]);
}

/// Whoever needs each other, however far around, would wait for ever.
#[test]
fn needs_go_in_no_circle() {
    let needs = |of: [&str; 3]| {
        let service =
            |(name, need): (&str, &str)| format!("  {name}: {{ image: app, needs: [{need}] }}\n");
        let others: String = ["two", "three"]
            .into_iter()
            .zip([of[1], of[2]])
            .map(service)
            .collect();
        minimal(&format!("{{ image: app, needs: [{}] }}", of[0])) + &others
    };
    for (of, taken) in [
        (["two", "three", ""], true),
        (["", "one", "one, two"], true),
        (["two", "one", ""], false),
        (["two", "three", "one"], false),
        (["", "three", "two"], false),
        (["", "", "three"], false),
    ] {
        let said = takes("compose", &needs(of), taken);
        assert_eq!(said.contains("circle"), !taken, "{said}");
    }
}
