//! Rules of the platforms that no value shows: who waits for what, what is started again, what
//! rolls when its config changes, what a pod may do. A file that breaks one is read without a word.
//!
//! Each rule says what a platform does with it. Snapshots hold the same words, but they only say
//! that something changed; `tests/conformance/mutants` shows who notices more.

mod common;
mod compose;
mod kubernetes;
mod nomad;
mod processes;
mod texts;

use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::{Command, Stdio};

use flokkr::file::File;
use flokkr::resolve;
use flokkr::target;
use serde_yaml::Value;

use crate::meaning::nomad::job::{self, Body};
use crate::meaning::yaml::{documents, entries, items, text};
use crate::support::{ROOT, emit};

/// An ensemble with all that may stand beside a process, a job, and who needs both.
const BLUEPRINT: &str = r#"
blueprint: v1
name: demo
images: { app: { ref: "app:1", conf: /etc/app, user: "1000:1000" } }
services:
  quorum:
    image: app
    kind: ensemble
    replicas: 3
    ports: { client: { port: 1, publish: 30001 } }
    volumes: { data: { path: /data, size: 1Gi } }
    files: { /etc/motd: { text: "hello", mode: "0600" } }
    health: { tcp: client }
    init: [{ name: format, command: [format] }]
    sidecars: { agent: { command: [agent] } }
  task: { image: app, kind: job, command: [once], restart: on-failure, ports: { done: 2 }, health: { tcp: done } }
  web: { image: app, replicas: 2, needs: { quorum: all, task: all } }
  plain: { image: app, env: { A: b } }
targets:
  kubernetes: { kubectl: "kubectl:1", expose: node-port }
  nomad: { accept: { needs: submitted later } }
"#;

/// Steps of two images and a volume of its own, behind two of three.
const STEPS: &str = r#"
blueprint: v1
name: demo
images: { app: { ref: "app:1", user: "1000:2000" }, tool: { ref: "tool:1", user: "1000:2000" } }
services:
  quorum: { image: app, kind: ensemble, replicas: 3, ports: { a: 1 } }
  user:
    image: app
    needs: { quorum.a: majority }
    volumes: { data: { path: /data, size: 1Gi } }
    stop: { grace: 40s }
    init: [{ name: one, command: [one] }, { name: two, image: tool, command: [two] }]
    sidecars: { agent: { command: [agent], stop: { grace: 10s } } }
"#;

fn files(blueprint: &str, target: &str) -> Vec<File> {
    let emitted = emit(blueprint, target::find(target).unwrap());
    emitted.files.unwrap_or_else(|| panic!("{}", emitted.said))
}

/// Asserts that a target takes a blueprint, or refuses it; gives what is said.
fn takes(target: &str, blueprint: &str, taken: bool) -> String {
    let emitted = emit(blueprint, target::find(target).unwrap());
    let said = emitted.said;
    assert_eq!(
        emitted.files.is_some(),
        taken,
        "{target}: {blueprint}{said}"
    );
    said
}

/// The services of a Compose file.
fn composed(blueprint: &str) -> Value {
    let files = files(blueprint, "compose");
    documents(&files[0].text).remove(0)["services"].clone()
}

/// The object of this kind and name.
fn object(files: &[File], kind: &str, name: &str) -> Value {
    let all = files.iter().flat_map(|f| documents(&f.text));
    let found = all
        .into_iter()
        .find(|o| text(&o["kind"]) == kind && text(&o["metadata"]["name"]) == name);
    found.unwrap_or_else(|| panic!("no {kind} {name}"))
}

/// The group of a service's job.
fn group(files: &[File], service: &str) -> Body {
    let path = format!("{service}.nomad.hcl");
    let file = files.iter().find(|f| f.path == path).unwrap();
    let job = job::parsed(&file.text).taken("job");
    job.taken("group")
}

/// A process that ends well is awaited by its end, one with a check by that, and what has ended is
/// not started again.
#[test]
fn compose_waits_for_what_is_needed() {
    let services = composed(BLUEPRINT);
    let mut ends = 0;
    for (name, service) in entries(&services) {
        for (other, on) in entries(&service["depends_on"]) {
            let needed = &services[other];
            let restart = text(&needed["restart"]);
            let same_network = service["network_mode"]
                .as_str()
                .is_some_and(|mode| mode == format!("service:{other}"));
            let condition = match restart {
                "no" | "on-failure" => "service_completed_successfully",
                _ if name == "web" => "service_healthy",
                _ => "service_started",
            };
            assert_eq!(text(&on["condition"]), condition, "{name} needs {other}");
            ends += usize::from(restart == "no");
            // A network ends with the container that holds it.
            let restarted = on["restart"].as_bool() == Some(true);
            assert_eq!(restarted, same_network, "{name} beside {other}");
        }
        let is_step = name.ends_with("-format") || name.ends_with("-volumes");
        assert_eq!(is_step, text(&service["restart"]) == "no", "{name}");
    }
    // Of each replica: the owner of its volume, awaited by the step and the process, and the step.
    assert_eq!(ends, 9);
}

/// A majority is enough: one replica that is down must hold nobody back, however it is checked.
#[test]
fn compose_waits_for_no_more_than_is_needed() {
    let checked = STEPS.replace("ports: { a: 1 }", "ports: { a: 1 }, health: { tcp: a }");
    let awaited = |blueprint: &str| -> Vec<String> {
        let services = composed(blueprint);
        let entries = entries(&services["user"]["depends_on"]);
        entries
            .into_iter()
            .map(|(name, _)| name.to_owned())
            .collect()
    };
    let replicas = |names: &[String]| names.iter().filter(|n| n.starts_with("quorum-")).count();
    for quorum in ["majority", "any"] {
        let names = awaited(&checked.replace("majority", quorum));
        assert_eq!(replicas(&names), 0, "{names:?}");
        let gate = format!("wait-quorum-a-{quorum}");
        assert!(names.contains(&gate), "{names:?}");
    }
    let names = awaited(&checked.replace("majority", "all"));
    assert_eq!(replicas(&names), 3, "{names:?}");
}

/// A variable of one replica is set before the entrypoint, which is known of an image that is built.
#[test]
fn kubernetes_sets_a_variable_of_one_replica_before_the_entrypoint() {
    let blueprint = |build: &str| {
        format!(
            "blueprint: v1\nname: demo\nimages: {{ app: {{ ref: \"app:1\", user: \"1000\", build: {{ base: \"b:1\"{build} }} }} }}\n\
             services:\n  scm: {{ image: app, kind: ensemble, replicas: 2, command: [scm],\n    \
             env: {{ FIRST: \"{{{{ 1 if replica.index == 0 else omit }}}}\" }} }}\n"
        )
    };
    for (build, words) in [
        (", launch: true", "/usr/local/bin/flokkr launch -- scm"),
        (", entrypoint: [/enter, a b]", "/enter 'a b' scm"),
    ] {
        let files = files(&blueprint(build), "kubernetes");
        let line = format!("  scm-0) exec env FIRST=1 {words} ;;");
        assert!(files.iter().any(|f| f.text.contains(&line)), "{line}");
    }
}

/// A sidecar starts after its main process: that one is healthy before the sidecar's port is open.
#[test]
fn compose_waits_for_the_port_of_a_sidecar() {
    let blueprint = r#"
blueprint: v1
name: demo
images: { app: { ref: "app:1" } }
services:
  db:
    image: app
    ports: { client: 1 }
    health: { tcp: client }
    sidecars: { agent: { command: [agent], ports: { metrics: 2 } } }
  user: { image: app, needs: [db.client, db.metrics] }
"#;
    let services = composed(blueprint);
    let awaited = &services["user"]["depends_on"];
    assert_eq!(text(&awaited["db"]["condition"]), "service_healthy");
    let gate = "wait-db-metrics-all";
    let condition = text(&awaited[gate]["condition"]);
    assert_eq!(condition, "service_completed_successfully");
    let words: Vec<&str> = items(&services[gate]["command"]).iter().map(text).collect();
    assert_eq!(words, ["1", "db:2"]);
    // Who starts the wait alone starts what it waits for.
    let started = |services: &Value, name: &str| {
        let on = &services[name]["depends_on"]["db-agent"]["condition"];
        assert_eq!(text(on), "service_started", "{name}");
    };
    started(&services, gate);
    let checked = blueprint.replace("health: { tcp: client }", "health: { tcp: metrics }");
    for needs in ["db.metrics", "db"] {
        let services = composed(&checked.replace("db.client, db.metrics", needs));
        started(&services, "user");
        let condition = &services["user"]["depends_on"]["db"]["condition"];
        assert_eq!(text(condition), "service_healthy");
    }
}

/// A name of a plugin that is made from a parameter is the same name: the service's own value counts.
#[test]
fn a_service_lays_its_own_over_names_of_plugins() {
    let blueprint = r#"
blueprint: v1
name: demo
images: { app: { ref: "app:1" } }
services:
  zk:
    image: app
    env: { SERVER_JVMFLAGS: "-Xss512k" }
    plugins: { prometheus: { variable: SERVER_JVMFLAGS } }
  other:
    image: app
    plugins: { prometheus: { variable: "{{ name }}_OPTS" } }
"#;
    let services = composed(blueprint);
    let env = entries(&services["zk"]["environment"]);
    assert_eq!(env.len(), 1, "{env:?}");
    assert_eq!(
        text(&services["zk"]["environment"]["SERVER_JVMFLAGS"]),
        "-Xss512k"
    );
    let option = text(&services["other"]["environment"]["demo_OPTS"]);
    assert!(option.starts_with("-javaagent:"), "{option}");
}

/// What is registered, or reached first, is a port of the service's own, whatever a plugin adds.
#[test]
fn ports_of_plugins_come_last() {
    for discovery in ["consul", "nomad", "static"] {
        let blueprint = format!(
            r#"
blueprint: v1
name: demo
images: {{ app: {{ ref: "app:1" }} }}
services:
  db:
    image: app
    ports: {{ client: 1, admin: 2 }}
    health: {{ tcp: client }}
    plugins: {{ prometheus: {{ variable: OPTS }} }}
targets: {{ nomad: {{ discovery: {discovery} }} }}
"#
        );
        let files = files(&blueprint, "nomad");
        let text = &files[0].text;
        for (at, _) in text.match_indices("service {") {
            let service = &text[at..];
            let end = service.find("\n    }").unwrap();
            assert!(!service[..end].contains("9404"), "{discovery}: {text}");
            assert!(!service[..end].contains("metrics"), "{discovery}: {text}");
        }
        assert!(text.contains("service {"), "{text}");
    }
}

/// A replica stays where its data is. What it only reads of a node is not its data.
#[test]
fn nomad_keeps_replicas_at_their_data() {
    for (volume, stays) in [
        ("kind: persistent", true),
        ("kind: shared", true),
        ("kind: host, source: /srv", true),
        ("kind: host, source: /srv, readonly: true", false),
        ("kind: temporary", false),
    ] {
        let blueprint = STEPS.replace("path: /data, size: 1Gi", &format!("path: /data, {volume}"));
        let files = files(&blueprint, "nomad");
        let moved = group(&files, "user").blocks("reschedule").count();
        assert_eq!(moved, usize::from(stays), "{volume}");
    }
}

/// A step finds by the host name which replica it belongs to, and so does what it fetches a keytab from.
#[test]
fn steps_have_the_host_name_of_their_replica() {
    for (blueprint, steps) in [
        (BLUEPRINT, &["quorum-0-format", "quorum-2-format"][..]),
        (STEPS, &["user-one", "user-two"]),
    ] {
        let services = composed(blueprint);
        for step in steps {
            let (replica, _) = step.rsplit_once('-').unwrap();
            assert_eq!(text(&services[*step]["hostname"]), replica, "{step}");
        }
    }
    let files = files(STEPS, "nomad");
    let group = group(&files, "user");
    for step in ["init", "two"] {
        let task = group.blocks("task").find(|t| t.labels == [step]).unwrap();
        let config = task.body.only("config");
        assert_eq!(config.body.text("hostname"), Some("user"), "{step}");
    }
}

/// A volume in memory belongs to root. Unless it is said, it may have the permissions of the image's directory there.
#[test]
fn everybody_may_write_a_volume_in_memory() {
    let blueprint = STEPS.replace("path: /data, size: 1Gi", "path: /data, kind: memory");
    let services = composed(&blueprint);
    let mount = &services["user"]["volumes"][0];
    assert_eq!(mount["tmpfs"]["mode"].as_u64(), Some(0o1777));
    let files = files(&blueprint, "nomad");
    let group = group(&files, "user");
    let main = group.blocks("task").find(|t| t.labels == ["user"]).unwrap();
    let mount = main.body.only("config").body.only("mount");
    let mode = mount.body.only("tmpfs_options").body.plain("mode");
    assert_eq!(mode, Some("1023"));
}

/// A `tmpfs` is of one container: what a step or a sidecar puts there, the main process does not see. It is lost
/// only where several mount it, and not where containers of a pod share it.
#[test]
fn volumes_in_memory_that_processes_share_are_a_loss() {
    let said = |target: &str, blueprint: &str| emit(blueprint, target::find(target).unwrap()).said;
    let in_memory = STEPS.replace("path: /data, size: 1Gi", "path: /data, kind: memory");
    let without_steps = in_memory.lines().filter(|line| !line.contains("init:"));
    let beside = without_steps.collect::<Vec<_>>().join("\n");
    let alone = beside.replace("command: [agent]", "command: [agent], volumes: false");
    for target in ["compose", "nomad"] {
        let of_all = said(target, &in_memory);
        let names = "`user` and beside it `one`, `two`, `agent` get an empty /data each";
        assert!(of_all.contains(names), "{target}: {of_all}");
        let of_two = said(target, &beside);
        let names = "`user` and beside it `agent` get an empty /data each";
        assert!(of_two.contains(names), "{target}: {of_two}");
        assert!(!said(target, &alone).contains("get an empty"), "{target}");
        let on_disk = beside.replace("kind: memory", "kind: temporary");
        assert!(!said(target, &on_disk).contains("get an empty"), "{target}");
        let why = format!("  {target}: {{ accept: {{ volumes.memory: a cache }} }}");
        let accepted = format!("{in_memory}targets:\n{why}\n");
        assert!(
            !said(target, &accepted).contains("get an empty"),
            "{target}"
        );
    }
    assert!(!said("kubernetes", &in_memory).contains("get an empty"));
}

/// Who includes a blueprint has not read what that one accepts: losses of services of one's own are said.
#[test]
fn losses_are_accepted_for_what_a_file_declares() {
    let own = r#"
blueprint: v1
include: []
name: demo
images: { app: { ref: "app:1", user: "1000:1000" } }
services:
  web:
    image: app
    ports: { http: 80 }
    placement: { nodes: { gpu: "yes" } }
    health: { ready: { command: [ask] }, alive: { tcp: http } }
"#;
    let said = |target: &str, text: &str| emit(text, target::find(target).unwrap()).said;
    for (target, losses, accepted) in [
        ("compose", 2, "{ health.alive: none, placement: one }"),
        ("nomad", 1, "{ health.ready: open is enough }"),
    ] {
        let alone = said(target, own);
        assert_eq!(alone.matches("does not carry").count(), losses, "{alone}");
        let blueprints = [
            "zookeeper",
            "hdfs, zookeeper",
            "hdfs-ha",
            "zookeeper, kafka",
            "hdfs-ha, zookeeper, hdfs",
        ];
        for include in blueprints {
            let included = format!("include: [{include}]");
            // Also where what is included is changed.
            let changed = "services: { zookeeper: { env: { A: b } } }\n";
            let library = format!("blueprint: v1\n{included}\nname: demo\n{changed}");
            if include.contains("zookeeper") {
                assert_eq!(said(target, &library), "");
            }
            let both = own.replace("include: []", &included);
            assert_eq!(said(target, &both), alone, "{include}");
            let stated = format!("{both}targets: {{ {target}: {{ accept: {accepted} }} }}\n");
            assert_eq!(said(target, &stated), "", "{include}");
            let other = "stop.before: not now";
            let taken = format!("{both}targets: {{ {target}: {{ accept: {{ {other} }} }} }}\n");
            assert_eq!(said(target, &taken), alone, "{include}");
        }
    }
    // What the one below accepts of itself can be taken back.
    let back = "blueprint: v1\ninclude: [zookeeper]\nname: demo\n\
                targets: { compose: { accept: { placement: null } } }\n";
    let heard = said("compose", back);
    assert_eq!(heard.matches("does not carry").count(), 1, "{heard}");
    assert!(heard.contains("`placement`"), "{heard}");
}

/// Compose creates a container anew when its labels change, but not when a config does.
#[test]
fn compose_tells_files_apart() {
    let label = |blueprint: &str| {
        let services = composed(blueprint);
        text(&services["quorum-0"]["labels"]["flokkr.files"]).to_owned()
    };
    let (one, other) = (
        label(BLUEPRINT),
        label(&BLUEPRINT.replace("hello", "hullo")),
    );
    assert_ne!(one, other);
    assert_eq!(one, label(BLUEPRINT));
}

/// Labels that would be another's, or another one: each is refused alone.
#[test]
fn compose_refuses_labels_that_are_lost() {
    for labels in [
        "com.docker.compose.project: mine",
        "\"x-a=b\": c",
        "\"x-a\": b, \"c=d\": e",
        "\"\": b, \"c=d\": e",
    ] {
        let blueprint = format!(
            "blueprint: v1\nname: demo\nimages: {{ app: {{ ref: \"app:1\" }} }}\n\
             services: {{ app: {{ image: app, labels: {{ {labels} }} }} }}\n"
        );
        let emitted = emit(&blueprint, target::find("compose").unwrap());
        assert!(emitted.files.is_none(), "{labels} is taken");
    }
}

/// Peers find each other before any of them is ready, by names that the StatefulSet gives them.
#[test]
fn kubernetes_lets_peers_find_each_other() {
    let files = files(BLUEPRINT, "kubernetes");
    let set = object(&files, "StatefulSet", "quorum");
    assert_eq!(text(&set["spec"]["podManagementPolicy"]), "Parallel");
    let service = object(&files, "Service", text(&set["spec"]["serviceName"]));
    assert_eq!(text(&service["spec"]["clusterIP"]), "None");
    assert_eq!(
        service["spec"]["publishNotReadyAddresses"].as_bool(),
        Some(true)
    );
    let published: Vec<String> = (0..3)
        .map(|i| {
            let service = object(&files, "Service", &format!("quorum-{i}-published"));
            let pod = &service["spec"]["selector"]["statefulset.kubernetes.io/pod-name"];
            text(pod).to_owned()
        })
        .collect();
    assert_eq!(published, ["quorum-0", "quorum-1", "quorum-2"]);
    for name in ["quorum", "web"] {
        let budget = object(&files, "PodDisruptionBudget", name);
        assert_eq!(budget["spec"]["maxUnavailable"].as_u64(), Some(1));
    }
}

/// A pod is told what the blueprint says, and nothing of the namespace it happens to be in; it may
/// do what `restricted` allows, and the namespace says that nothing may do more.
#[test]
fn kubernetes_keeps_pods_apart() {
    let files = files(BLUEPRINT, "kubernetes");
    let namespace = object(&files, "Namespace", "demo");
    let level = &namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"];
    assert_eq!(text(level), "restricted");
    for (kind, name) in [
        ("StatefulSet", "quorum"),
        ("Job", "task"),
        ("Deployment", "plain"),
    ] {
        let pod = &object(&files, kind, name)["spec"]["template"]["spec"];
        assert_eq!(pod["enableServiceLinks"].as_bool(), Some(false));
        assert_eq!(pod["automountServiceAccountToken"].as_bool(), Some(false));
        let context = &pod["securityContext"];
        assert_eq!(context["runAsNonRoot"].as_bool(), Some(true));
        assert_eq!(text(&context["seccompProfile"]["type"]), "RuntimeDefault");
        for container in items(&pod["initContainers"])
            .iter()
            .chain(items(&pod["containers"]))
        {
            let context = &container["securityContext"];
            assert_eq!(context["allowPrivilegeEscalation"].as_bool(), Some(false));
            assert_eq!(text(&context["capabilities"]["drop"][0]), "ALL");
        }
    }
    let rooted = BLUEPRINT.replace("\"1000:1000\"", "\"0:0\", root: why");
    let namespace = object(&self::files(&rooted, "kubernetes"), "Namespace", "demo");
    let level = &namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"];
    assert_eq!(text(level), "baseline");
}

/// Variables and files are read once: pods must be made anew when they change, and no others.
#[test]
fn kubernetes_rolls_what_has_changed() {
    let config =
        "\nconfig: { all: { a.properties: { one: \"1\", two: \"2\", three: \"3\" } } }\nservices:";
    let blueprint = BLUEPRINT
        .replace("\nservices:", config)
        .replace("env: { A: b }", "config: { use: [all] }");
    let sum = |blueprint: &str, kind: &str, name: &str| {
        let template =
            object(&files(blueprint, "kubernetes"), kind, name)["spec"]["template"].clone();
        let sum = template["metadata"]["annotations"]["checksum/config"].as_str();
        sum.map(str::to_owned)
    };
    let of_file = |b: &str| sum(b, "StatefulSet", "quorum").unwrap();
    let of_config = |b: &str| sum(b, "Deployment", "plain").unwrap();
    let (file, variable) = (
        blueprint.replace("hello", "hullo"),
        blueprint.replace("one: \"1\"", "one: \"4\""),
    );
    assert_ne!(of_file(&blueprint), of_file(&file));
    assert_eq!(of_file(&blueprint), of_file(&variable));
    assert_ne!(of_config(&blueprint), of_config(&variable));
    assert_eq!(of_config(&blueprint), of_config(&file));
}

/// Files of ConfigMaps and Secrets are root's: who may not read them as one of the others reads them
/// as one of the group, which the kubelet gives them to.
#[test]
fn kubernetes_lets_processes_read_what_is_theirs() {
    let group = |user: &str, file: &str, secret: &str, sidecar: &str| {
        let blueprint = format!(
            "blueprint: v1\nname: demo\nsecrets: {{ key: {{ file: ./key }} }}\n\
             images: {{ app: {{ ref: \"app:1\", user: \"{user}\", root: why }} }}\nservices:\n  web:\n    image: app\n    \
             files: {{ /etc/x.conf: {{ text: hi, mode: \"{file}\" }} }}\n    \
             secrets: {{ key: {{ mode: \"{secret}\" }} }}\n    \
             sidecars: {{ agent: {{ command: [agent], user: \"7:8\"{sidecar} }} }}\n"
        );
        let pod = object(&files(&blueprint, "kubernetes"), "Deployment", "web");
        let pod = pod["spec"]["template"]["spec"].clone();
        (pod["securityContext"]["fsGroup"].as_u64(), pod)
    };
    assert_eq!(group("101:102", "0644", "0444", "").0, None);
    assert_eq!(group("101:102", "0400", "0444", "").0, Some(102));
    assert_eq!(group("101:102", "0644", "0440", "").0, Some(102));
    assert_eq!(group("101", "0640", "0444", "").0, Some(101));
    assert_eq!(group("0:0", "0400", "0400", "").0, None);
    let of_sidecar = ", secrets: { key: { mode: \"0400\" } }";
    assert_eq!(group("0:0", "0644", "0444", of_sidecar).0, Some(8));
    // The kubelet adds that the group may read, and no more.
    let (found, pod) = group("101:102", "0700", "0444", "");
    assert_eq!(found, Some(102));
    let volumes = items(&pod["volumes"]).iter();
    let modes = volumes.filter_map(|v| v["configMap"]["items"][0]["mode"].as_u64());
    assert_eq!(modes.collect::<Vec<_>>(), [0o710]);
}

/// A sidecar is no step that must end, and a version that knows no native one gets a container; a
/// job is never ready.
#[test]
fn kubernetes_starts_sidecars_and_jobs() {
    let containers = |version: &str, kind: &str, name: &str| {
        let settings = format!("kubernetes: {{ version: \"{version}\", ");
        let blueprint = BLUEPRINT.replace("kubernetes: { ", &settings);
        let pod = object(&files(&blueprint, "kubernetes"), kind, name);
        let pod = pod["spec"]["template"]["spec"].clone();
        let list = |key: &str| items(&pod[key]).to_vec();
        (list("initContainers"), list("containers"))
    };
    let (steps, _) = containers("1.29", "StatefulSet", "quorum");
    let policies = steps
        .iter()
        .map(|s| (text(&s["name"]), s["restartPolicy"].as_str()));
    let policies: Vec<_> = policies.collect();
    assert_eq!(policies, [("format", None), ("agent", Some("Always"))]);
    let (_, job) = containers("1.29", "Job", "task");
    for probe in ["startupProbe", "readinessProbe", "livenessProbe"] {
        assert!(job[0][probe].is_null(), "{probe}");
    }
}

/// A task is restarted when its check fails, stays where its data is, and reads what a store has
/// changed only when it may.
#[test]
fn nomad_restarts_what_fails() {
    let files = files(BLUEPRINT, "nomad");
    let group = group(&files, "quorum");
    let reschedule = &group.only("reschedule").body;
    assert_eq!(reschedule.plain("attempts"), Some("0"));
    let mut tasks = group.blocks("task");
    let main = tasks.find(|t| t.labels == ["quorum"]).unwrap();
    let service = &main.body.only("service").body;
    let check = &service.only("check").body;
    check.only("check_restart");
    let template = &main.body.only("template").body;
    assert_eq!(template.text("perms"), Some("0600"));
    assert_eq!(template.text("change_mode"), None);
    for (discovery, provider) in [("consul", None), ("nomad", Some("nomad"))] {
        let settings = format!("nomad: {{ discovery: {discovery}, ");
        let files = self::files(&BLUEPRINT.replace("nomad: { ", &settings), "nomad");
        let group = self::group(&files, "quorum");
        let tasks = group.blocks("task");
        let services = tasks.flat_map(|t| t.body.blocks("service"));
        let services: Vec<&job::Block> = services.chain(group.blocks("service")).collect();
        assert!(!services.is_empty());
        for service in services {
            assert_eq!(service.body.text("provider"), provider);
        }
    }
}

/// With `on-change: noop` nothing is restarted that reads a store; without it all of it is. Consul
/// takes the code 1 for a warning, with which a name still leads to who failed.
#[test]
fn nomad_reads_stores_as_it_is_told() {
    for (settings, mode) in [("", None), (", on-change: noop", Some("noop"))] {
        let blueprint = format!(
            "blueprint: v1\nname: demo\nimages: {{ app: {{ ref: \"app:1\", conf: /etc/app }} }}\n\
             services:\n  app:\n    image: app\n    config: {{ a.properties: {{ b: \"1\" }} }}\n\
             \x20   files: {{ /etc/motd: own }}\n    health: {{ command: [ready] }}\n\
             targets: {{ nomad: {{ discovery: consul, config: consul{settings} }} }}\n"
        );
        let files = files(&blueprint, "nomad");
        let group = group(&files, "app");
        let task = &group.blocks("task").next().unwrap().body;
        for template in task.blocks("template") {
            let stored = template
                .body
                .text("destination")
                .unwrap()
                .contains("properties");
            assert_eq!(template.body.text("change_mode"), mode.filter(|_| stored));
        }
        let services = task.blocks("service").chain(group.blocks("service"));
        let checks: Vec<&job::Block> = services.flat_map(|s| s.body.blocks("check")).collect();
        let [check] = checks[..] else {
            panic!("{checks:?}")
        };
        assert_eq!(check.body.text("command"), Some("bash"));
        let Some(job::Value::List(words)) = check.body.get("args") else {
            panic!("no words")
        };
        assert!(words[1].text().ends_with("|| exit 2"));
    }
}

/// Two of three and three of four are a majority: with half of them two parts could each have one.
#[test]
fn a_majority_is_more_than_half() {
    for (count, least) in [(1, "1"), (3, "2"), (4, "3"), (5, "3")] {
        let blueprint = format!(
            "blueprint: v1\nname: demo\nimages: {{ app: {{ ref: \"app:1\" }} }}\nservices:\n\
             \x20 quorum: {{ image: app, kind: ensemble, replicas: {count}, ports: {{ a: 1 }} }}\n\
             \x20 user: {{ image: app, needs: {{ quorum.a: majority }} }}\n"
        );
        let services = composed(&blueprint);
        let wait = &services["wait-quorum-a-majority"];
        assert_eq!(text(&wait["command"][0]), least, "of {count}");
    }
}

#[test]
fn a_patch_changes_pairs_by_their_names() {
    let text = "blueprint: v1\nname: pairs\nimages: { app: { ref: \"example/app:1\", user: \"1:1\" } }\n\
        services:\n  app:\n    image: app\n    labels: { x-a: kept, b: old, c: gone }\n    \
        patch: { compose: { labels: { b: new, c: null, d: more } } }\n";
    let emitted = emit(text, target::find("compose").unwrap());
    let file = emitted.files.unwrap().remove(0).text;
    let pairs = "labels: [\"x-a=kept\", \"b=new\", \"d=more\"]";
    assert!(file.contains(pairs), "{file}");
}

/// Each step is behind those before it, and all of them behind what is needed and the volume's owner:
/// whoever is awaited must have ended well.
#[test]
fn compose_takes_steps_in_their_order() {
    let services = composed(STEPS);
    let before = ["wait-quorum-a-majority", "user-volumes"];
    let steps = ["user-one", "user-two"];
    for (name, count) in [("user-one", 0), ("user-two", 1), ("user", 2)] {
        let awaited = &services[name]["depends_on"];
        let wanted: Vec<&str> = before.iter().chain(&steps[..count]).copied().collect();
        for other in &wanted {
            let condition = text(&awaited[*other]["condition"]);
            assert_eq!(
                condition, "service_completed_successfully",
                "{name}: {other}"
            );
        }
        let mut others: Vec<&str> = entries(awaited)
            .into_iter()
            .map(|(other, _)| other)
            .collect();
        others.retain(|other| *other != "user-network");
        assert_eq!(others.len(), wanted.len(), "{name}");
    }
}

/// What is needed is awaited first, then come the steps in their order, then the sidecars. A volume
/// belongs to the process's group.
#[test]
fn kubernetes_takes_steps_in_their_order() {
    let files = files(STEPS, "kubernetes");
    let pod = object(&files, "StatefulSet", "user")["spec"]["template"]["spec"].clone();
    let steps = items(&pod["initContainers"]);
    let names: Vec<&str> = steps.iter().map(|s| text(&s["name"])).collect();
    assert_eq!(names, ["need-quorum-a", "one", "two", "agent"]);
    let words: Vec<&str> = items(&steps[0]["command"]).iter().map(text).collect();
    assert_eq!(words[2], "2");
    assert_eq!(words[3..].len(), 3);
    assert_eq!(pod["securityContext"]["fsGroup"].as_u64(), Some(2000));
    assert_eq!(pod["terminationGracePeriodSeconds"].as_u64(), Some(50));
}

/// The time of a pod is that of all which happens in it: what goes before the signals starts at once,
/// native sidecars get theirs when the main container has ended, one after the other.
#[test]
fn kubernetes_gives_every_process_its_time_to_end() {
    let grace = |version: &str, main: &str, sidecars: &[&str]| {
        let sidecars = sidecars.iter().enumerate();
        let sidecars = sidecars.map(|(i, stop)| format!("s{i}: {{ command: [s]{stop} }}"));
        let sidecars: Vec<String> = sidecars.collect();
        let blueprint = format!(
            "blueprint: v1\nname: demo\nimages: {{ app: {{ ref: \"app:1\", user: \"1\" }} }}\nservices:\n  \
             web: {{ image: app{main}, sidecars: {{ {} }} }}\n\
             targets: {{ kubernetes: {{ version: \"{version}\", accept: {{ stop.before: known, sidecars.order: known }} }} }}\n",
            sidecars.join(", ")
        );
        let pod = object(&files(&blueprint, "kubernetes"), "Deployment", "web");
        pod["spec"]["template"]["spec"]["terminationGracePeriodSeconds"].as_u64()
    };
    let sleeping = ", stop: { before: [sleep, \"40\"] }";
    let both = ", stop: { before: [sleep, \"30\"], grace: 20s }";
    assert_eq!(grace("1.32", "", &[""]), None);
    assert_eq!(grace("1.32", both, &[]), Some(50));
    assert_eq!(grace("1.29", both, &[]), Some(50));
    assert_eq!(grace("1.32", sleeping, &[]), Some(70));
    assert_eq!(grace("1.32", ", stop: { before: [drain] }", &[]), None);
    assert_eq!(
        grace("1.32", ", stop: { before: [drain], grace: 9s }", &[]),
        Some(9)
    );
    let (ten, five) = (", stop: { grace: 10s }", ", stop: { grace: 5s }");
    assert_eq!(grace("1.32", ten, &[five, "", ten]), Some(25));
    assert_eq!(grace("1.28", ten, &[five, "", five]), Some(10));
    assert_eq!(grace("1.32", "", &[five]), Some(35));
    assert_eq!(grace("1.32", ten, &[sleeping]), Some(70));
}

/// Who needs more than one that is ready waits for ports; where the check that says so looks at none,
/// for that of another one.
#[test]
fn kubernetes_waits_for_the_nearest_port() {
    let waited = |health: &str| {
        let blueprint = format!(
            "blueprint: v1\nname: demo\nimages: {{ app: {{ ref: \"app:1\", user: \"1\" }} }}\nservices:\n  \
             db: {{ image: app, kind: ensemble, replicas: 3, ports: {{ other: 1, rpc: 2 }}{health} }}\n  \
             web: {{ image: app, needs: {{ db: majority }} }}\n"
        );
        let emitted = emit(&blueprint, target::find("kubernetes").unwrap());
        let pod = object(&emitted.files.unwrap(), "Deployment", "web");
        let step = &pod["spec"]["template"]["spec"]["initContainers"][0];
        let words = items(&step["command"]).iter().map(text);
        let words: Vec<String> = words.skip(2).map(str::to_owned).collect();
        (words, emitted.said)
    };
    let hosts = |port: u16| {
        let mut words = vec!["2".to_owned()];
        words.extend((0..3).map(|i| format!("db-{i}.db.demo.svc.cluster.local:{port}")));
        words
    };
    for (health, port, sure) in [
        (
            ", health: { start: { tcp: rpc }, ready: { command: [ok] }, alive: { tcp: rpc } }",
            2,
            false,
        ),
        (
            ", health: { ready: { command: [ok] }, alive: { tcp: rpc } }",
            2,
            false,
        ),
        (", health: { command: [ok] }", 1, false),
        (", health: { tcp: rpc }", 2, true),
        ("", 1, true),
    ] {
        let (words, said) = waited(health);
        assert_eq!(words, hosts(port), "{health}");
        assert_eq!(!said.contains("may be open before"), sure, "{said}");
    }
}

/// A Secret is called as Kubernetes can call it, and the file says how it is made.
#[test]
fn kubernetes_names_secrets_as_it_can() {
    let blueprint = "blueprint: v1\nname: demo\nsecrets: { db_pass: { env: DB_PASS }, Key.File: { file: \"./a key\" } }\n\
         images: { app: { ref: \"app:1\", user: \"1\" } }\nservices:\n  app:\n    image: app\n    \
         env: { PASSWORD: \"{{ secret('db_pass') }}\" }\n    secrets: { Key.File: {} }\n";
    let files = files(blueprint, "kubernetes");
    let pod = &object(&files, "Deployment", "app")["spec"]["template"]["spec"];
    let key = &pod["containers"][0]["env"][0]["valueFrom"]["secretKeyRef"];
    assert_eq!(
        (text(&key["name"]), text(&key["key"])),
        ("db-pass", "db_pass")
    );
    let volume = &pod["volumes"][0]["secret"];
    assert_eq!(text(&volume["secretName"]), "key.file");
    assert_eq!(text(&volume["items"][0]["key"]), "Key.File");
    for line in [
        "create secret generic db-pass --from-literal=db_pass=\"$DB_PASS\"\n",
        "create secret generic key.file '--from-file=Key.File=./a key'\n",
    ] {
        assert!(files.iter().any(|f| f.text.contains(line)), "{line}");
    }
}

/// A blueprint's volume may be called like one of flokkr's own: a pod has each name once.
#[test]
fn kubernetes_has_volumes_of_one_name_each() {
    let blueprint = "blueprint: v1\nname: demo\nsecrets: { key: { file: ./key } }\n\
         images: { app: { ref: \"app:1\", user: \"1\" } }\nservices:\n  app:\n    image: app\n    \
         volumes: { flokkr-files: { path: /a, kind: temporary }, flokkr2-x: { path: /b, kind: temporary } }\n    \
         files: { /etc/motd: hello }\n    secrets: { key: {} }\n";
    let pod = object(&files(blueprint, "kubernetes"), "Deployment", "app");
    let pod = &pod["spec"]["template"]["spec"];
    let names = |list: &Value| -> Vec<String> {
        let mut names: Vec<String> = items(list)
            .iter()
            .map(|v| text(&v["name"]).to_owned())
            .collect();
        names.sort();
        names
    };
    let wanted = [
        "flokkr-files",
        "flokkr2-x",
        "flokkr3-files",
        "flokkr3-secret-1",
    ];
    assert_eq!(names(&pod["volumes"]), wanted);
    assert_eq!(names(&pod["containers"][0]["volumeMounts"]), wanted);
}

/// A job that has failed has ended, too: that is not what is needed.
#[test]
fn kubernetes_waits_for_jobs_that_end_well() {
    let files = files(BLUEPRINT, "kubernetes");
    let pod = object(&files, "Deployment", "web")["spec"]["template"]["spec"].clone();
    let steps = items(&pod["initContainers"]);
    let step = steps.iter().find(|s| text(&s["name"]) == "need-task");
    let words: Vec<&str> = items(&step.unwrap()["command"]).iter().map(text).collect();
    assert_eq!(words[..3], ["kubectl", "wait", "--for=condition=complete"]);
    assert_eq!(words[3], "job/task");
}

/// The template of a Job can't be changed: the file says what must be done before, in every package.
#[test]
fn kubernetes_says_how_a_job_is_changed() {
    for package in ["plain", "kustomize", "helm"] {
        let settings = format!("kubernetes: {{ package: {package}, ");
        let files = files(
            &BLUEPRINT.replace("kubernetes: { ", &settings),
            "kubernetes",
        );
        let line = "kubectl -n demo delete job task --ignore-not-found.";
        let told = files.iter().filter(|f| f.text.contains(line));
        let told: Vec<&str> = told.map(|f| f.path.as_str()).collect();
        assert!(
            matches!(told[..], [path] if path.ends_with("task-job.yaml")),
            "{told:?}"
        );
    }
}

/// Nomad starts all tasks before the main one together: each waits for the mark of the one before.
#[test]
fn nomad_takes_steps_in_their_order() {
    let files = files(STEPS, "nomad");
    let group = group(&files, "user");
    let script = |task: &str| {
        let task = group.blocks("task").find(|t| t.labels == [task]).unwrap();
        let of_steps = |t: &&job::Block| t.body.text("destination").unwrap().ends_with("before.sh");
        let template = task.body.blocks("template").find(of_steps).unwrap();
        template.body.text("data").unwrap().to_owned()
    };
    let in_order = |script: &str, parts: &[&str]| {
        let places: Vec<usize> = parts
            .iter()
            .map(|part| {
                script
                    .find(part)
                    .unwrap_or_else(|| panic!("{part}: {script}"))
            })
            .collect();
        assert!(places.is_sorted(), "{script}");
    };
    in_order(
        &script("init"),
        &[
            "until [ -e /alloc/data/volumes.done ]",
            "step bash /flokkr/wait-for.sh 2 quorum-0:1 quorum-1:1 quorum-2:1\n",
            "\nstep one\n",
            "touch /alloc/data/init.done",
        ],
    );
    in_order(
        &script("two"),
        &["until [ -e /alloc/data/init.done ]", "\nstep two\n"],
    );
}

/// The script of all waits, run: it ends when so many ports are open, and says how many are until then.
#[test]
fn the_script_waits_for_as_many_ports_as_it_is_told() {
    let listen = || TcpListener::bind("127.0.0.1:0").unwrap();
    let (one, other, gone) = (listen(), listen(), listen());
    let addresses = [&one, &other, &gone].map(|l| l.local_addr().unwrap().to_string());
    drop(gone);
    for (least, wanted) in [("1", ""), ("2", ""), ("3", "waiting: 2 of 3 (")] {
        let mut script = Command::new("bash")
            .arg(format!("{ROOT}/src/target/wait-for.sh"))
            .arg(least)
            .args(&addresses)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut said = String::new();
        let mut lines = BufReader::new(script.stdout.take().unwrap());
        lines.read_line(&mut said).unwrap();
        assert_eq!(said.is_empty(), wanted.is_empty(), "{said}");
        assert!(said.starts_with(wanted), "{said}");
        drop(script.kill());
        assert_eq!(script.wait().unwrap().success(), wanted.is_empty());
    }
}

/// The API server takes so many bytes in one ConfigMap.
const CONFIG_MAP: usize = 1_048_576;

/// Variables that are more than a ConfigMap holds are in several, all of which the container takes.
#[test]
fn kubernetes_splits_what_is_too_much_for_a_config_map() {
    let value = "v".repeat(50_000);
    let keys = (0..25).map(|n| format!("\n      k{n}: {value}"));
    let keys = keys.collect::<Vec<_>>().concat();
    for groups in [
        "config: { use: [big] }",
        "config: { use: [big], own.properties: { a: b } }",
    ] {
        let users: String = ["one", "two"]
            .map(|name| format!("\n  {name}: {{ image: app, {groups} }}"))
            .concat();
        let blueprint = format!(
            "blueprint: v1\nname: demo\nimages: {{ app: {{ ref: \"app:1\", launcher: flokkr, argv: exec }} }}\n\
             config:\n  big:\n    big.properties:{keys}\nservices:{users}\n"
        );
        let files = files(&blueprint, "kubernetes");
        let pod = object(&files, "Deployment", "one")["spec"]["template"]["spec"].clone();
        let mut carried = 0;
        let taken = items(&pod["containers"][0]["envFrom"]);
        assert!(taken.len() > 1);
        for from in taken {
            let map = object(&files, "ConfigMap", text(&from["configMapRef"]["name"]));
            let sizes = entries(&map["data"]);
            let sizes = sizes
                .iter()
                .map(|(key, value)| key.len() + text(value).len());
            assert!(sizes.clone().sum::<usize>() <= CONFIG_MAP);
            carried += sizes.count();
        }
        assert!(carried >= 25, "{carried}");
    }
}

/// A file is whole or not at all.
#[test]
fn kubernetes_refuses_a_file_that_no_config_map_holds() {
    let with = |size: usize| {
        let file = "v".repeat(size);
        let one = format!("{{ image: app, files: {{ /x: {file} }} }}");
        emit(&minimal(&one), target::find("kubernetes").unwrap())
    };
    let refused = with(CONFIG_MAP + 1);
    assert!(refused.files.is_none());
    assert!(
        refused.said.contains("the file /x has 1048577 bytes"),
        "{}",
        refused.said
    );
    assert!(with(CONFIG_MAP).files.is_some());
}

/// A cluster of one service.
fn minimal(service: &str) -> String {
    format!(
        "blueprint: v1\nname: demo\nimages: {{ app: {{ ref: \"app:1\" }} }}\nservices:\n  one: {service}\n"
    )
}

/// A cluster of such services, `one` and those in `others`, whose launcher is given the config that they all use.
fn sharing(service: &str, others: &str) -> String {
    format!("{}{others}", minimal(service))
        .replace(
            "\"app:1\"",
            "\"app:1\", launcher: flokkr, argv: exec, conf: /etc/app",
        )
        .replace(
            "\nservices",
            "\nconfig: { common: { a.properties: { a: \"1\", b: \"2\", c: \"3\" } } }\nservices",
        )
}

/// What is too large for Linux to start is refused on every platform, wherever it stands.
#[test]
fn what_can_not_be_started_is_refused() {
    let word = |size: usize| format!("\"{{{{ 'x' * {size} }}}}\"");
    let many = |count: usize, size: usize| {
        let one = |n| format!("V{n}: {}", word(size - format!("V{n}").len()));
        (0..count).map(one).collect::<Vec<_>>().join(", ")
    };
    let long = word(131_072);
    let services = [
        format!("{{ image: app, command: [a, {long}] }}"),
        format!("{{ image: app, entrypoint: [a, {long}] }}"),
        format!("{{ image: app, args: [{long}] }}"),
        format!("{{ image: app, health: {{ command: [a, {long}] }} }}"),
        format!("{{ image: app, stop: {{ before: [a, {long}] }} }}"),
        format!("{{ image: app, init: [{{ name: a, command: [a, {long}] }}] }}"),
        format!("{{ image: app, init: [{{ name: a, command: [a, {long}], unless: /x }}] }}"),
        format!("{{ image: app, sidecars: {{ a: {{ command: [a, {long}] }} }} }}"),
        format!("{{ image: app, env: {{ {} }} }}", many(25, 120_000)),
        format!(
            "{{ image: app, sidecars: {{ a: {{ env: {{ {} }} }} }} }}",
            many(25, 120_000)
        ),
        format!(
            "{{ image: app, env: {{ {0} }}, command: [a, {1}, {1}, {1}] }}",
            many(14, 120_000),
            word(130_000)
        ),
    ];
    for target in ["compose", "kubernetes", "nomad"].map(|t| target::find(t).unwrap()) {
        for service in &services {
            let refused = emit(&minimal(service), target);
            let (name, said) = (target.name(), &refused.said);
            assert!(refused.files.is_none(), "{name}: {service}");
            assert!(said.contains("Linux takes"), "{name}: {service}: {said}");
        }
        let just = format!(
            "{{ image: app, env: {{ {} }}, command: [a, {}] }}",
            many(14, 120_000),
            word(131_071)
        );
        let taken = emit(&minimal(&just), target);
        assert!(taken.files.is_some(), "{}", taken.said);
    }
}

/// What registries take is taken, wherever it comes from.
#[test]
fn images_are_called_as_registries_call_them() {
    let digest = format!("sha256:{}", "0123456789abcdef".repeat(4));
    let images = [
        "nginx".to_owned(),
        "nginx:1.27".to_owned(),
        "a/b/c__d.e--f_0:_Tag.1-x".to_owned(),
        "localhost/x:1".to_owned(),
        "localhost:5000".to_owned(),
        "Example.org:5000/app".to_owned(),
        "[::1]:5000/app:1".to_owned(),
        format!("example.org/app:1@{digest}"),
        format!("app@{digest}"),
        format!("app:{}", "t".repeat(128)),
    ];
    for image in images {
        assert_eq!(resolve::image_fault(&image), None, "{image}");
        assert!(resolve::image_fault(&format!("{image}:")).is_some());
    }
    let long = format!("{}:1", "a/".repeat(127) + "bc");
    assert!(resolve::image_fault(&long).is_some());
}

/// Null removes, an object as well.
#[test]
fn kubernetes_leaves_out_what_a_patch_removes() {
    let names = |more: &str, service: &str| -> Vec<String> {
        let service = format!("{{ image: app, ports: {{ a: 1 }}{service} }}");
        let blueprint = format!("{}{more}\n", minimal(&service));
        let files = files(&blueprint, "kubernetes");
        files.iter().map(|f| f.path.to_string()).collect()
    };
    let all = [
        "00-namespace.yaml",
        "one-deployment.yaml",
        "one-service.yaml",
    ];
    let mut usual = names("", "");
    usual.sort();
    assert_eq!(usual, all);
    let patch = "targets: { kubernetes: { patch: { Service/one: null, Namespace/demo: ~ } } }";
    assert_eq!(names(patch, ""), [all[1]]);
    let own = ", patch: { kubernetes: { Service: null } }";
    assert!(!names("", own).contains(&all[2].to_owned()));
}
