//! `flokkr up`, `status` and `down` with a Docker of the test's own: a script that notes what it was
//! told and answers from files.

use std::fs;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Output;

use tempfile::TempDir;

use crate::support::{flokkr, install, said};

/// Answers as Docker 20.10 and Compose 2.26 do. What it is told is in `calls`; `states` is what runs
/// once the project was started; images are there that `images` names.
const DOCKER: &str = r#"#!/bin/bash
echo "$*" >> calls
case "$*" in
  'version '*) cat engine ;;
  'compose version --short') cat compose ;;
  *' config --services') cat services ;;
  *' ps --all --format json') if [ -e started ]; then cat states; fi ;;
  *' up --detach '*) touch started; exit "$(cat code)" ;;
  'image inspect '*) grep -qxF "${*: -1}" images ;;
  'pull '*) echo 'no such host' >&2; exit 1 ;;
  'build '*) test ! -e unbuildable ;;
  'logs '*) echo 'java.net.BindException' ;;
  *' down '*) rm -f started ;;
esac
"#;

const BLUEPRINT: &str = "\
blueprint: v1
name: demo
vars: { web: 0 }
images:
  app: { ref: example/app:1 }
services:
  app:
    image: app
    kind: ensemble
    replicas: 2
    ports: { http: { port: 8080, publish: '{{ web }}' }, rpc: 9000 }
  job: { image: app, kind: job }
try:
  - { service: app, run: [app, \"list {{ address('app', 'rpc', 0) }}\"], about: what there is }
";

struct Machine {
    directory: TempDir,
    port: u16,
}

impl Machine {
    fn new() -> Self {
        let machine = Self {
            directory: tempfile::tempdir().unwrap(),
            port: free(),
        };
        machine.put("docker", DOCKER);
        fs::create_dir(machine.path("bin")).unwrap();
        install(&machine.path("docker"), &machine.path("bin/docker"));
        machine.put("blueprint.yaml", BLUEPRINT);
        machine.put("engine", "20.10.24+dfsg1\n");
        machine.put("compose", "2.26.1-4\n");
        machine.put("services", "app-0\napp-1\njob\n");
        machine.put("images", "example/app:1\n");
        machine.put("code", "0");
        machine.states(&[
            ("app-0", "running", "", 0),
            ("app-1", "running", "healthy", 0),
            ("job", "exited", "", 0),
        ]);
        machine
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn put(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn states(&self, states: &[(&str, &str, &str, i32)]) {
        let lines = states.iter().map(|(service, state, health, code)| {
            format!(
                "{{\"Name\":\"demo-{service}-1\",\"Service\":\"{service}\",\"State\":\"{state}\",\
                    \"Health\":\"{health}\",\"ExitCode\":{code},\"Publishers\":[]}}\n"
            )
        });
        self.put("states", &lines.collect::<String>());
    }

    fn run(&self, typed: &str) -> (Option<i32>, String, String) {
        // The script of the test needs programs, too.
        let path = format!("{}:/usr/bin:/bin", self.path("bin").display());
        self.run_with(typed, &path)
    }

    fn run_with(&self, typed: &str, path: &str) -> (Option<i32>, String, String) {
        let typed = typed.replace("PORT", &self.port.to_string());
        let words: Vec<&str> = typed.split(' ').collect();
        let mut command = flokkr(self.directory.path(), &words);
        let output: Output = command
            .env("PATH", path)
            .env("FLOKKR_STATE", self.path("state"))
            .output()
            .unwrap();
        let (out, complaint) = said(&output);
        (output.status.code(), out, complaint)
    }

    fn calls(&self) -> String {
        let calls = fs::read_to_string(self.path("calls")).unwrap_or_default();
        calls.replace(self.directory.path().to_str().unwrap(), "")
    }
}

/// A port that nobody has, with the next one.
fn free() -> u16 {
    loop {
        let one = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = one.local_addr().unwrap().port();
        if port < 60000 && TcpListener::bind(("127.0.0.1", port + 1)).is_ok() {
            return port;
        }
    }
}

#[test]
fn a_cluster_comes_up_and_goes_down() {
    let machine = Machine::new();
    let (code, out, complaint) = machine.run("up --set web=PORT");
    assert_eq!(code, Some(0), "{complaint}");
    let port = machine.port;
    let next = port + 1;
    assert!(out.contains(&format!("http://127.0.0.1:{port} ")), "{out}");
    assert!(out.contains(&format!("http://127.0.0.1:{next} ")), "{out}");
    let line = "docker compose -p demo exec app-0 app 'list app-0:9000'   # what there is";
    assert!(out.contains(line), "{out}");
    assert!(complaint.contains("demo is up after"), "{complaint}");
    let text = fs::read_to_string(machine.path("state/demo/compose/compose.yaml")).unwrap();
    assert!(text.contains("example/app:1"));
    let call = "--project-name demo --file /state/demo/compose/compose.yaml up --detach";
    assert!(machine.calls().contains(call), "{}", machine.calls());

    let (code, out, _) = machine.run("status");
    assert_eq!(
        (code, out.as_str()),
        (Some(0), "demo                     2 of 2 containers well\n")
    );
    machine.states(&[
        ("app-0", "running", "unhealthy", 0),
        ("app-1", "restarting", "", 3),
    ]);
    let (code, out, _) = machine.run("status demo");
    assert_eq!(
        (code, out.as_str()),
        (Some(1), "app-0  unhealthy\napp-1  restarting\n")
    );

    let (code, _, complaint) = machine.run("down demo");
    assert_eq!(code, Some(0), "{complaint}");
    // Data is lost only by whoever asks for that.
    let call = "--project-name demo down --remove-orphans\n";
    assert!(machine.calls().ends_with(call), "{}", machine.calls());
    assert!(machine.path("state/demo").exists());
    // A blueprint names it as well.
    let (code, _, complaint) = machine.run("down blueprint.yaml --volumes");
    assert_eq!(code, Some(0), "{complaint}");
    assert!(!machine.path("state/demo").exists());
    assert!(
        machine
            .calls()
            .ends_with("--project-name demo down --remove-orphans --volumes\n")
    );
    assert_eq!(machine.run("status").1, "");
}

/// What a replica publishes is told, too, where another container holds the network that it shares with sidecars.
#[test]
fn ports_in_a_shared_network_are_told() {
    let machine = Machine::new();
    let sidecars = "image: app\n    sidecars: { side: { command: [side] } }\n    kind: ensemble";
    let blueprint = BLUEPRINT.replacen("image: app\n    kind: ensemble", sidecars, 1);
    machine.put("blueprint.yaml", &blueprint);
    let (code, out, complaint) = machine.run("up --set web=PORT");
    assert_eq!(code, Some(0), "{complaint}");
    let text = fs::read_to_string(machine.path("state/demo/compose/compose.yaml")).unwrap();
    assert!(text.contains("app-0-network:"), "{text}");
    for port in [machine.port, machine.port + 1] {
        assert!(out.contains(&format!("http://127.0.0.1:{port} ")), "{out}");
    }
}

#[test]
fn what_keeps_it_from_coming_up_is_said() {
    // Missing, too old, not answering.
    let machine = Machine::new();
    fs::remove_file(machine.path("bin/docker")).unwrap();
    let only_own = machine.path("bin").display().to_string();
    let (code, _, complaint) = machine.run_with("up --set web=PORT", &only_own);
    assert_eq!(code, Some(2));
    assert!(
        complaint.contains("Docker Engine is not there"),
        "{complaint}"
    );
    let machine = Machine::new();
    machine.put("compose", "2.20.3\n");
    let (code, _, complaint) = machine.run("up --set web=PORT");
    assert_eq!(code, Some(2));
    assert!(
        complaint.contains("Docker Compose is 2.20.3, and 2.23.1 is"),
        "{complaint}"
    );
    assert!(!machine.path("state").exists(), "something was written");
    fs::remove_file(machine.path("engine")).unwrap();
    let complaint = machine.run("up --set web=PORT").2;
    assert!(
        complaint.contains("Docker Engine does not answer"),
        "{complaint}"
    );

    // A port that is taken, and one that the cluster itself has.
    let machine = Machine::new();
    let taken = TcpListener::bind(("127.0.0.1", machine.port)).unwrap();
    let (code, _, complaint) = machine.run("up --set web=PORT");
    assert_eq!(code, Some(2));
    let text = format!("port {} of this machine is taken: app-0", machine.port);
    assert!(complaint.contains(&text), "{complaint}");
    assert!(!machine.path("state").exists(), "something was written");
    machine.put("started", "");
    let own = fs::read_to_string(machine.path("states")).unwrap();
    let port = format!("[{{\"PublishedPort\":{}}}]", machine.port);
    machine.put("states", &own.replacen("[]", &port, 1));
    assert_eq!(machine.run("up --set web=PORT").0, Some(0));
    drop(taken);

    // An image that is nowhere.
    let machine = Machine::new();
    machine.put("images", "");
    let (code, _, complaint) = machine.run("up --set web=PORT");
    assert_eq!(code, Some(1));
    assert!(
        complaint.contains("example/app:1 is not here"),
        "{complaint}"
    );
    assert!(!machine.calls().contains(" up "), "{}", machine.calls());
}

#[test]
fn images_are_built_from_what_lies_beside_the_blueprint() {
    let machine = Machine::new();
    let build = "app: { ref: example/app:1, user: \"1000:1000\", build: { base: 'debian:bookworm', archive: { path: app/ }, home: /opt/app } }";
    machine.put(
        "blueprint.yaml",
        &BLUEPRINT.replace("app: { ref: example/app:1 }", build),
    );
    machine.put("images", "");
    let (code, _, complaint) = machine.run("up --set web=PORT");
    assert_eq!(code, Some(2));
    let base = machine.directory.path().display().to_string();
    let text = format!("there is no {base}/app");
    assert!(complaint.contains(&text), "{complaint}");
    assert!(!machine.path("state").exists(), "something was written");

    machine.put("app/bin/app", "one");
    let (code, _, complaint) = machine.run("up --set web=PORT --deny-warnings");
    assert_eq!(code, Some(0), "{complaint}");
    let call = "build --tag example/app:1 /state/demo/docker/app\n";
    assert!(machine.calls().contains(call), "{}", machine.calls());
    let context = machine.path("state/demo/docker/app/app/bin");
    assert_eq!(fs::read_to_string(context.join("app")).unwrap(), "one");

    // What is gone there is gone here; without it there, what is here counts.
    machine.put("app/bin/other", "two");
    fs::remove_file(machine.path("app/bin/app")).unwrap();
    assert_eq!(machine.run("up --set web=PORT").0, Some(0));
    assert!(!context.join("app").exists());
    fs::remove_dir_all(machine.path("app")).unwrap();
    assert_eq!(machine.run("up --set web=PORT").0, Some(0));
    assert_eq!(fs::read_to_string(context.join("other")).unwrap(), "two");
}

#[test]
fn a_cluster_that_does_not_come_up_is_told() {
    let machine = Machine::new();
    machine.put("code", "1");
    machine.states(&[("app-0", "exited", "", 1), ("app-1", "created", "", 0)]);
    let (code, _, complaint) = machine.run("up --set web=PORT");
    assert_eq!(code, Some(1));
    assert!(
        complaint.contains("app-0: ended with 1\n  java.net.BindException"),
        "{complaint}"
    );
    assert!(complaint.contains("demo is not up"), "{complaint}");

    let machine = Machine::new();
    machine.states(&[
        ("app-0", "running", "starting", 0),
        ("app-1", "running", "healthy", 0),
        ("job", "exited", "", 0),
    ]);
    let (code, _, complaint) = machine.run("up --set web=PORT --timeout 1");
    assert_eq!(code, Some(1));
    assert!(
        complaint.contains("not everything is healthy after 1 s"),
        "{complaint}"
    );
    let (code, out, _) = machine.run("status demo");
    let lines = "app-0  starting\napp-1  healthy\njob    done\n";
    assert_eq!((code, out.as_str()), (Some(1), lines));
}

/// Relative paths of a blueprint begin beside it, though the cluster's files are kept elsewhere: among those of the
/// user, in a folder of flokkr's own.
#[test]
fn a_cluster_is_kept_and_finds_what_lies_beside_its_blueprint() {
    let machine = Machine::new();
    let path = format!("{}:/usr/bin:/bin", machine.path("bin").display());
    let output = flokkr(machine.directory.path(), &["up"])
        .env("PATH", path)
        .env_remove("FLOKKR_STATE")
        .env("XDG_STATE_HOME", machine.path("of-user"))
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output).1);
    assert!(
        machine
            .path("of-user/flokkr/demo/compose/compose.yaml")
            .exists()
    );
    let calls = fs::read_to_string(machine.path("calls")).unwrap();
    let start = calls
        .lines()
        .find(|line| line.contains(" up --detach"))
        .unwrap();
    let beside = machine.directory.path().display();
    let option = format!("--project-directory {beside} ");
    assert!(start.contains(&option), "{start}");
}

/// The oldest version that is named will do; a cluster of which nothing runs is not well.
#[test]
fn what_will_just_do_and_what_is_not_there() {
    let machine = Machine::new();
    machine.put("compose", "2.23.1\n");
    let (code, _, complaint) = machine.run("up --set web=PORT");
    assert_eq!(code, Some(0), "{complaint}");
    machine.put("states", "");
    let (code, out, _) = machine.run("status demo");
    assert_eq!((code, out.as_str()), (Some(1), "demo is down\n"));
}

/// Only what is not well is told, with what it said.
#[test]
fn what_is_well_is_not_told_as_trouble() {
    let machine = Machine::new();
    machine.states(&[
        ("app-0", "exited", "", 1),
        ("app-1", "running", "healthy", 0),
        ("job", "exited", "", 0),
    ]);
    machine.put("code", "1");
    let (code, _, complaint) = machine.run("up --set web=PORT");
    assert_eq!(code, Some(1));
    assert!(complaint.contains("app-0: ended with 1\n"), "{complaint}");
    assert_eq!(
        complaint.matches("java.net.BindException").count(),
        1,
        "{complaint}"
    );
    for well in ["\napp-1:", "\njob:"] {
        assert!(!complaint.contains(well), "{complaint}");
    }
}

/// Without its image nothing is started.
#[test]
fn a_cluster_without_its_images_is_not_started() {
    let machine = Machine::new();
    let build =
        "app: { ref: example/app:1, user: \"1000:1000\", build: { base: 'debian:bookworm' } }";
    let blueprint = BLUEPRINT.replace("app: { ref: example/app:1 }", build);
    machine.put("blueprint.yaml", &blueprint);
    machine.put("unbuildable", "");
    let (code, _, complaint) = machine.run("up --set web=PORT");
    assert_eq!(code, Some(1));
    assert!(complaint.contains("can't be built"), "{complaint}");
    assert!(
        !machine.calls().contains(" up --detach"),
        "{}",
        machine.calls()
    );
}
