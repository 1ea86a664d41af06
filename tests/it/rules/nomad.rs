//! Rules of Nomad: what is reserved, how long an update waits, who restarts what, who may read which secret, and
//! which task waits for which.

use super::{STEPS, files, group, minimal, takes};
use crate::meaning::nomad::job::{self, Block, Body, Value};
use crate::support::emit;
use flokkr::target;

/// A cluster of one service, with settings of the target.
fn with(settings: &str, service: &str) -> String {
    format!(
        "{}targets: {{ nomad: {{ {settings} }} }}\n",
        minimal(service)
    )
}

fn task<'g>(group: &'g Body, name: &str) -> &'g Body {
    let mut tasks = group.blocks("task");
    let found = tasks.find(|t| t.labels == [name]);
    &found.unwrap_or_else(|| panic!("no task {name}")).body
}

/// The only task of a cluster of one service, and its group.
fn one(blueprint: &str) -> Body {
    group(&files(blueprint, "nomad"), "one")
}

/// A time in seconds.
fn seconds(text: &str) -> u64 {
    let (number, unit) = text.split_at(text.len() - 1);
    let number: u64 = number.parse().unwrap();
    match unit {
        "s" => number,
        "m" => number * 60,
        "h" => number * 3600,
        other => panic!("{other}"),
    }
}

/// Nomad keeps whole megabytes and MHz: at least what the blueprint asks for. What is reserved is kept for a process,
/// the limit is what it may take while there is some.
#[test]
fn nomad_reserves_what_is_asked_for() {
    let reserved = |resources: &str| {
        let group = one(&with(
            "mhz: 2400, memory: 100Mi",
            &format!("{{ image: app, resources: {{ {resources} }} }}"),
        ));
        let resources = &task(&group, "one").only("resources").body;
        let number = |key: &str| resources.plain(key).map(|n| n.parse::<u64>().unwrap());
        (
            number("cpu").unwrap(),
            number("memory").unwrap(),
            number("memory_max"),
        )
    };
    assert_eq!(reserved("cpu: 0.5, memory: 100M"), (1200, 96, None));
    assert_eq!(reserved("cpu: 2, memory: 1Gi"), (4800, 1024, None));
    assert_eq!(reserved("memory: 1Gi, limits: { memory: 3Gi }").1, 1024);
    assert_eq!(
        reserved("memory: 1Gi, limits: { memory: 3Gi }").2,
        Some(3072)
    );
    assert_eq!(reserved("limits: { memory: 3Gi }").1, 3072);
    assert_eq!(reserved("cpu: 1").1, 100);
    let volume = |name: &str, size: &str| {
        format!("{name}: {{ path: /{name}, kind: temporary, size: {size} }}")
    };
    let volumes = format!("{}, {}", volume("a", "100Mi"), volume("b", "300Mi"));
    let group = one(&minimal(&format!(
        "{{ image: app, volumes: {{ {volumes} }} }}"
    )));
    let disk = &group.only("ephemeral_disk").body;
    assert_eq!(disk.plain("size"), Some("400"));
}

/// An update fails when a replica is not healthy in time: that is the longest start of what runs in it, and the time
/// that its steps may wait for others.
#[test]
fn nomad_gives_an_update_its_time() {
    let deadline = |user: &str| {
        let blueprint = format!(
            "{}  user: {{ image: app{user} }}\n",
            minimal("{ image: app, ports: { a: 1 } }")
        );
        let files = files(&blueprint, "nomad");
        let file = files.iter().find(|f| f.path == "user.nomad.hcl").unwrap();
        let update = job::parsed(&file.text).taken("job").taken("update");
        let time = |key: &str| seconds(update.text(key).unwrap());
        assert!(time("progress_deadline") > time("healthy_deadline"));
        time("healthy_deadline")
    };
    let check = "ports: { b: 2 }, health: { tcp: b, within: 20m }";
    let quick = deadline("");
    assert!(deadline(", needs: [one.a]") >= quick + 300);
    assert!(deadline(&format!(", {check}")) >= 1200);
    let of_sidecar = deadline(&format!(
        ", sidecars: {{ agent: {{ command: [a], {check} }} }}"
    ));
    assert!(of_sidecar >= 1200, "{of_sidecar}");
}

/// What is alive by one check is not restarted before it has failed for as long as the blueprint says, nor before it
/// has had its time to start, also where one check stands for two.
#[test]
fn nomad_restarts_nothing_too_soon() {
    for (health, long, start) in [
        (
            "{ ready: { tcp: a, interval: 2s }, alive: { tcp: a, interval: 30s, retries: 4, within: 90s } }",
            120,
            90,
        ),
        (
            "{ ready: { tcp: a, interval: 7s }, alive: { tcp: a, interval: 10s, retries: 3, within: 3m } }",
            30,
            180,
        ),
        (
            "{ ready: { tcp: b }, alive: { tcp: a, interval: 10s, retries: 3, within: 3m } }",
            30,
            180,
        ),
        (
            "{ start: { tcp: a, within: 5m }, ready: { tcp: b }, alive: { tcp: a, interval: 10s, retries: 3 } }",
            30,
            300,
        ),
        ("{ tcp: a, interval: 10s, retries: 3, within: 4m }", 30, 240),
    ] {
        for discovery in ["docker-network", "consul", "nomad", "static"] {
            let group = one(&with(
                &format!("discovery: {discovery}"),
                &format!("{{ image: app, ports: {{ a: 1, b: 2 }}, health: {health} }}"),
            ));
            let services = group.blocks("task").flat_map(|t| t.body.blocks("service"));
            let services: Vec<&Block> = services.chain(group.blocks("service")).collect();
            let checks = services.iter().flat_map(|s| s.body.blocks("check"));
            let restarting = checks.filter(|c| c.body.blocks("check_restart").count() > 0);
            let restarting: Vec<&Block> = restarting.collect();
            let [check] = restarting[..] else {
                panic!("{health}: {restarting:?}")
            };
            let restart = &check.body.only("check_restart").body;
            let limit: u64 = restart.plain("limit").unwrap().parse().unwrap();
            let interval = seconds(check.body.text("interval").unwrap());
            let failing = limit * interval;
            assert!(
                (long..long + interval).contains(&failing),
                "{health}: {failing}"
            );
            assert_eq!(seconds(restart.text("grace").unwrap()), start, "{health}");
        }
    }
}

/// Tasks before the main one start together, so that each waits for the mark of the one before and takes it away when
/// it is done: an allocation that is restarted would else find the marks of the last time.
#[test]
fn nomad_leaves_no_marks_behind() {
    let needless = STEPS.replace("needs: { quorum.a: majority }", "needs: {}");
    let dataless = needless.replace(
        "volumes: { data: { path: /data, size: 1Gi } }",
        "volumes: {}",
    );
    let three = STEPS.replace(
        "command: [two] }",
        "command: [two] }, { name: three, command: [three] }",
    );
    for (blueprint, count) in [(STEPS, 3), (&needless, 3), (&dataless, 2), (&three, 4)] {
        let group = group(&files(blueprint, "nomad"), "user");
        let before = group.blocks("task").filter(|t| {
            let hook = t.body.blocks("lifecycle").next();
            hook.is_some_and(|l| {
                l.body.text("hook") == Some("prestart") && l.body.plain("sidecar") == Some("false")
            })
        });
        let mut left: Option<String> = None;
        let mut seen = 0;
        for task in before {
            let scripts = task
                .body
                .blocks("template")
                .filter_map(|t| t.body.text("data"));
            let words = match task.body.only("config").body.get("args") {
                Some(Value::List(words)) => words.clone(),
                _ => Vec::new(),
            };
            let words = words.iter().map(Value::text);
            let script: String = scripts.chain(words).collect::<Vec<_>>().join("\n");
            let marks = |before: &str| -> Vec<String> {
                let found = script.match_indices(before);
                let found = found.map(|(at, _)| {
                    let rest = &script[at + before.len()..];
                    rest.split_whitespace().next().unwrap().to_owned()
                });
                found.collect()
            };
            let awaited: Vec<String> = left.iter().cloned().collect();
            assert_eq!(marks("until [ -e "), awaited, "{script}");
            assert_eq!(marks("rm -f "), awaited, "{script}");
            left = marks("touch ").pop();
            // The last one is awaited by Nomad itself.
            seen += 1;
            assert_eq!(left.is_some(), seen < count, "{script}");
        }
        assert_eq!(seen, count);
    }
}

/// Replicas are on nodes of their own only where each has the node's own ports; who is separated has the number that
/// is its own.
#[test]
fn nomad_places_replicas_where_they_can_be() {
    for discovery in ["docker-network", "consul", "nomad", "static"] {
        let group = one(&with(
            &format!("discovery: {discovery}"),
            "{ image: app, kind: ensemble, replicas: 3, ports: { a: 1 } }",
        ));
        let constraints = group.blocks("constraint");
        let distinct = constraints.filter(|c| c.body.text("operator") == Some("distinct_hosts"));
        assert_eq!(distinct.count() == 1, discovery == "static", "{discovery}");
    }
    let separate = with(
        "separate: [one]",
        "{ image: app, kind: ensemble, replicas: 3, ports: { a: { port: 1, publish: 30001 } } }",
    );
    let files = files(&separate, "nomad");
    for replica in 0..3 {
        let group = group(&files, &format!("one-{replica}"));
        let port = &group.only("network").body.only("port").body;
        let number = (30001 + replica).to_string();
        assert_eq!(port.plain("static"), Some(number.as_str()));
        assert_eq!(port.plain("to"), Some("1"));
    }
}

/// Whoever reads a secret of Vault's has a token for it; what is kept in Nomad's variables lies where the job, and no
/// other, may read it; and a file that others may not read belongs to who reads it.
#[test]
fn nomad_reads_secrets_as_it_may() {
    let blueprint = |settings: &str, service: &str| {
        with(settings, &format!("{{ image: app, {service} }}"))
            .replace("\nimages", "\nsecrets: { key: { env: KEY } }\nimages")
            .replace("\"app:1\"", "\"app:1\", user: \"5:6\", conf: /etc/app")
    };
    for service in [
        "env: { A: \"{{ secret('key') }}\" }",
        "files: { /x: \"a {{ secret('key') }}\" }",
        "secrets: { key: null }",
    ] {
        let of_vault = one(&blueprint("secrets: vault", service));
        let of_task = task(&of_vault, "one");
        assert_eq!(of_task.blocks("vault").count(), 1, "{service}");
        let own = one(&blueprint("", service));
        let of_task = task(&own, "one");
        assert_eq!(of_task.blocks("vault").count(), 0, "{service}");
        let template = &of_task.only("template").body;
        let data = template.text("data").unwrap();
        assert!(data.contains("nomadVar \"nomad/jobs/demo-one\""), "{data}");
        // What is there is not shown to who may look into the folder of a task.
        let place = template.text("destination").unwrap();
        assert!(place.starts_with("secrets/"), "{place}");
    }
    for (mode, is_owned) in [
        ("0600", true),
        ("0640", true),
        ("0750", true),
        ("0644", false),
    ] {
        let file = format!("files: {{ /x: {{ text: a, mode: \"{mode}\" }} }}");
        let group = one(&blueprint("", &file));
        let template = &task(&group, "one").only("template").body;
        let owner = (template.plain("uid"), template.plain("gid"));
        let wanted = if is_owned {
            (Some("5"), Some("6"))
        } else {
            (None, None)
        };
        assert_eq!(owner, wanted, "{mode}");
    }
}

/// Every service with ports has a name, checked or not; and who is in the node's network asks the DNS that is given.
#[test]
fn nomad_finds_every_service() {
    for discovery in ["consul", "nomad", "static"] {
        for health in ["", ", health: { tcp: a }"] {
            for kind in ["", ", kind: ensemble", ", kind: daemon"] {
                let blueprint = with(
                    &format!("discovery: {discovery}"),
                    &format!("{{ image: app, ports: {{ a: 1 }}{health}{kind} }}"),
                );
                let group = one(&blueprint);
                let services = group.blocks("task").flat_map(|t| t.body.blocks("service"));
                let services = services.chain(group.blocks("service"));
                let names: Vec<&str> = services.filter_map(|s| s.body.text("name")).collect();
                assert!(
                    names.contains(&"demo-one"),
                    "{discovery}{health}{kind}: {names:?}"
                );
            }
        }
    }
    let blueprint = STEPS.to_owned() + "targets: { nomad: { discovery: static, dns: 10.0.0.1 } }\n";
    let group = group(&files(&blueprint, "nomad"), "user");
    let mut asking = 0;
    for task in group.blocks("task") {
        let config = &task.body.only("config").body;
        if config.text("network_mode") != Some("host") {
            continue;
        }
        let Some(Value::List(servers)) = config.get("dns_servers") else {
            panic!("{:?} asks nobody", task.labels)
        };
        assert_eq!(servers[0].text(), "10.0.0.1");
        asking += 1;
    }
    assert!(asking >= 4, "{asking}");
}

/// A folder of the allocation is root's, whatever the image has at its path, and what is only read can't be written.
#[test]
fn nomad_gives_folders_to_their_user() {
    let group = |volume: &str| {
        let blueprint = minimal(&format!(
            "{{ image: app, volumes: {{ a: {{ path: /a, {volume} }} }} }}"
        ));
        one(&blueprint.replace("\"app:1\"", "\"app:1\", user: \"5:6\", owns: [/a]"))
    };
    for (volume, is_given) in [
        ("kind: temporary", true),
        ("kind: persistent", false),
        ("kind: shared", false),
        ("kind: memory", false),
        ("kind: temporary, readonly: true", false),
    ] {
        let given = group(volume)
            .blocks("task")
            .any(|t| t.labels == ["volumes"]);
        assert_eq!(given, is_given, "{volume}");
    }
    for (volume, end) in [
        ("kind: temporary", ":/a"),
        ("kind: temporary, readonly: true", ":/a:ro"),
    ] {
        let group = group(volume);
        let Some(Value::List(volumes)) = task(&group, "one").only("config").body.get("volumes")
        else {
            panic!("no folder")
        };
        assert_eq!(volumes[0].text(), format!("../alloc/data/a{end}"));
    }
}

/// A sidecar sees the processes of the main task, not of whoever holds the network.
#[test]
fn nomad_shares_processes_of_the_main_task() {
    for discovery in ["docker-network", "consul"] {
        let group = one(&with(
            &format!("discovery: {discovery}"),
            "{ image: app, sidecars: { agent: { command: [a], processes: true } } }",
        ));
        let config = &task(&group, "agent").only("config").body;
        assert_eq!(
            config.text("pid_mode"),
            Some("container:one-${NOMAD_ALLOC_ID}")
        );
    }
}

/// Nomad can't wait for the end of a job: that is said.
#[test]
fn nomad_says_that_it_waits_for_no_job() {
    let job = minimal("{ image: app, kind: job }") + "  user: { image: app, needs: [one] }\n";
    let emitted = emit(&job, target::find("nomad").unwrap());
    assert!(emitted.files.is_some());
    assert!(
        emitted.said.contains("the job `one` has ended well"),
        "{}",
        emitted.said
    );
}

/// A check is made as often, and may take as long, as the blueprint says; a process ends by its signal, in its time;
/// and a sidecar that ended is started again.
#[test]
fn nomad_runs_processes_as_it_is_told() {
    let group = one(&minimal(
        "{ image: app, ports: { a: 1 }, stop: { signal: SIGQUIT, grace: 90s }, \
           health: { tcp: a, interval: 2s, timeout: 3s, within: 80s }, sidecars: { agent: { command: [a] } } }",
    ));
    let main = task(&group, "one");
    assert_eq!(main.text("kill_signal"), Some("SIGQUIT"));
    assert_eq!(main.text("kill_timeout"), Some("90s"));
    let check = main.only("service").body.only("check");
    assert_eq!(check.body.text("interval").map(seconds), Some(2));
    assert_eq!(check.body.text("timeout").map(seconds), Some(3));
    let hook = &task(&group, "agent").only("lifecycle").body;
    assert_eq!(hook.plain("sidecar"), Some("true"));
    assert_eq!(hook.text("hook"), Some("poststart"));
}

/// A volume that is only read can't be written, what replicas share is one volume, a class is a driver, and a volume
/// in memory has its size in bytes.
#[test]
fn nomad_mounts_what_was_asked_for() {
    let group = one(&minimal(
        "{ image: app, kind: ensemble, replicas: 2, volumes: { own: { path: /own, size: 1Gi }, \
           all: { path: /all, kind: shared, size: 1Gi, class: nfs, readonly: true }, \
           quick: { path: /quick, kind: memory, size: 64Mi } } }",
    ));
    let config = &task(&group, "one").only("config").body;
    let mount = |path: &str| -> &Body {
        let mut mounts = config.blocks("mount");
        let found = mounts.find(|m| m.body.text("target") == Some(path));
        &found.unwrap_or_else(|| panic!("no mount at {path}")).body
    };
    let all = mount("/all");
    assert_eq!(all.text("source"), Some("demo-one-all"));
    assert_eq!(all.plain("readonly"), Some("true"));
    let driver = &all.only("volume_options").body.only("driver_config").body;
    assert_eq!(driver.text("name"), Some("nfs"));
    assert_eq!(mount("/own").plain("readonly"), None);
    let memory = &mount("/quick").only("tmpfs_options").body;
    assert_eq!(memory.plain("size"), Some("67108864"));
}

/// What ends is tried again as often as the blueprint says, and an update stops one replica at a time.
#[test]
fn nomad_tries_again_as_it_is_told() {
    let restart = |service: &str| {
        let group = one(&minimal(&format!("{{ image: app, {service} }}")));
        let restart = &group.only("restart").body;
        (
            restart.plain("attempts").unwrap() == "0",
            restart.text("mode").unwrap().to_owned(),
        )
    };
    let fails = "fail".to_owned();
    assert_eq!(restart("kind: job, restart: never"), (true, fails.clone()));
    assert_eq!(restart("kind: job, restart: on-failure"), (false, fails));
    assert_eq!(restart("restart: always"), (false, "delay".to_owned()));
    for (health, looked_at) in [("", "task_states"), (", health: { tcp: a }", "checks")] {
        let blueprint = minimal(&format!("{{ image: app, ports: {{ a: 1 }}{health} }}"));
        let files = files(&blueprint, "nomad");
        let file = files.iter().find(|f| f.path == "one.nomad.hcl").unwrap();
        let update = job::parsed(&file.text).taken("job").taken("update");
        assert_eq!(update.plain("max_parallel"), Some("1"));
        assert_eq!(update.text("health_check"), Some(looked_at));
    }
}

/// Replicas are spread over what the blueprint names, on nodes that say what it asks for, near all that it names.
#[test]
fn nomad_chooses_nodes_as_it_is_told() {
    let blueprint = minimal(
        "{ image: app, replicas: 3, placement: { spread: zone, nodes: { disk: ssd }, with: [two, three] } }",
    ) + "  two: { image: app }\n  three: { image: app }\n";
    let group = one(&blueprint);
    let whole = format!("{group:?}");
    assert!(format!("{:?}", group.only("spread")).contains("meta.zone"));
    assert!(format!("{:?}", group.only("constraint")).contains("meta.disk"));
    let near: Vec<String> = group.blocks("affinity").map(|a| format!("{a:?}")).collect();
    assert_eq!(near.len(), 2, "{whole}");
    assert!(near[0].contains("meta.two") && near[1].contains("meta.three"));
}

/// What Nomad can't do is said, and what it would refuse is refused.
#[test]
fn nomad_says_what_it_can_not_do() {
    let two = "{ image: app, ports: { a: { port: 1, publish: 7001 } } }";
    let clash = format!("{}  two: {two}\n", minimal(two));
    for (blueprint, is_emitted, what) in [
        (
            minimal("{ image: app, restart: on-failure }"),
            true,
            "only a job may end",
        ),
        (
            minimal("{ image: app, resources: { cpu: 1, limits: { cpu: 2 } } }"),
            true,
            "may use every idle processor",
        ),
        (
            minimal("{ image: app, stop: { before: [a] } }"),
            true,
            "nothing runs before the signal",
        ),
        (
            with("discovery: static", two),
            true,
            "a port is published on its own number",
        ),
        (clash, false, "both want port 7001"),
        (
            with("separate: [other]", two),
            false,
            "there is no service `other`",
        ),
        (with("priority: 0", two), false, "`0` is no priority"),
    ] {
        let said = takes("nomad", &blueprint, is_emitted);
        assert!(said.contains(what), "{blueprint}: {said}");
    }
}

/// One check for everything does not restart what has not had its time to start.
#[test]
fn nomad_lets_a_process_start_before_its_only_check_counts() {
    let group = one(&minimal(
        "{ image: app, ports: { a: 1 }, health: { tcp: a, interval: 5s, timeout: 3s, retries: 4, within: 7m } }",
    ));
    let check = task(&group, "one").only("service").body.only("check");
    let restart = &check.body.only("check_restart").body;
    assert_eq!(restart.plain("limit"), Some("4"));
    assert_eq!(restart.text("grace").map(seconds), Some(420));
}

/// In the node's network a port is the node's own, published or not; elsewhere it is one where it is published.
#[test]
fn nomad_takes_ports_of_the_node() {
    for (discovery, port, fixed) in [
        ("static", "a: 7", Some(("7", None))),
        ("static", "a: { port: 7, publish: 7 }", Some(("7", None))),
        ("static", "a: { port: 7, publish: 8 }", Some(("7", None))),
        ("consul", "a: 7", None),
        (
            "consul",
            "a: { port: 7, publish: 8 }",
            Some(("8", Some("7"))),
        ),
        (
            "docker-network",
            "a: { port: 7, publish: 8 }",
            Some(("8", Some("7"))),
        ),
    ] {
        let blueprint = with(
            &format!("discovery: {discovery}"),
            &format!("{{ image: app, ports: {{ {port} }} }}"),
        );
        let group = one(&blueprint);
        let ports = group.blocks("network").flat_map(|n| n.body.blocks("port"));
        let found: Vec<_> = ports
            .map(|p| (p.body.plain("static").unwrap(), p.body.plain("to")))
            .collect();
        assert_eq!(found, Vec::from_iter(fixed), "{discovery}, {port}");
    }
}

/// What a task that waits in a group is given: so many, and where.
fn awaited(blueprint: &str) -> Vec<String> {
    let group = group(&files(blueprint, "nomad"), "user");
    let waiting = group.blocks("task").find_map(|task| {
        let config = task.body.only("config");
        let Some(Value::List(words)) = config.body.get("args") else {
            return None;
        };
        let words: Vec<String> = words.iter().map(|w| w.text().to_owned()).collect();
        words.iter().any(|w| w.contains(":7")).then_some(words)
    });
    let words = waiting.unwrap_or_else(|| panic!("nobody waits: {group:?}"));
    let at = words.iter().position(|w| w.parse::<u32>().is_ok()).unwrap();
    words[at..].to_vec()
}

/// So many replicas must answer as are needed, each by its own name, also where Consul knows one for all of them.
#[test]
fn nomad_waits_for_as_many_as_are_needed() {
    for discovery in ["docker-network", "consul", "static"] {
        for (quorum, least, hosts) in [("all", "3", 3), ("majority", "2", 3)] {
            for health in ["", ", health: { tcp: a }"] {
                let service = format!(
                    "{{ image: app, kind: ensemble, replicas: 3, ports: {{ a: 7 }}{health} }}"
                );
                let user = format!("  user: {{ image: app, needs: {{ one: {quorum} }} }}\ntargets");
                let blueprint =
                    with(&format!("discovery: {discovery}"), &service).replace("targets", &user);
                let words = awaited(&blueprint);
                assert_eq!(words[0], least, "{discovery}{health}");
                assert_eq!(words.len(), 1 + hosts, "{discovery}{health}: {words:?}");
            }
        }
    }
}

/// A user and a group are what the blueprint says they are.
#[test]
fn nomad_runs_processes_as_whom_it_is_told() {
    for (user, wanted) in [("5", "5"), ("5:6", "5:6"), ("6:5", "6:5"), ("0:7", "0:7")] {
        let group = one(&minimal(&format!("{{ image: app, user: \"{user}\" }}")));
        assert_eq!(task(&group, "one").text("user"), Some(wanted));
    }
}

/// What the platform has already is found by its path and item there; the item has the usual name unless it is said.
#[test]
fn nomad_finds_secrets_that_are_there() {
    for (external, path, item) in [
        ("some/path", "some/path", "value"),
        ("some/path#item", "some/path", "item"),
    ] {
        let blueprint = minimal("{ image: app, env: { A: \"{{ secret('key') }}\" } }").replace(
            "\nservices",
            &format!("\nsecrets: {{ key: {{ external: \"{external}\" }} }}\nservices"),
        );
        let group = one(&blueprint);
        let template = &task(&group, "one").only("template").body;
        let data = template.text("data").unwrap();
        assert!(data.contains(&format!("nomadVar \"{path}\"")), "{data}");
        assert!(data.contains(item), "{data}");
        assert!(!data.contains("key"), "{data}");
    }
}

/// Who is in a network of their own has a name there, and asks the DNS that is given.
#[test]
fn nomad_names_replicas_in_their_network() {
    for discovery in ["consul", "nomad", "static"] {
        for kind in ["ensemble", "ensemble, replicas: 2", "service", "daemon"] {
            let is_ensemble = kind.starts_with("ensemble");
            let dns = if discovery == "nomad" {
                ""
            } else {
                ", dns: 10.0.0.1"
            };
            let blueprint = with(
                &format!("discovery: {discovery}{dns}"),
                &format!("{{ image: app, kind: {kind}, ports: {{ a: 1 }} }}"),
            );
            let group = one(&blueprint);
            let network = &group.only("network").body;
            let named = discovery != "static" && is_ensemble;
            assert_eq!(
                network.text("hostname").is_some(),
                named,
                "{discovery} {kind}"
            );
            let asks = network.blocks("dns").count() == 1;
            assert_eq!(asks, discovery == "consul", "{discovery} {kind}");
            // By its number a replica of an ensemble is found, however many there are.
            let services = group.blocks("service");
            let numbered = services
                .filter_map(|s| s.body.text("name"))
                .filter(|name| *name != "demo-one");
            assert_eq!(numbered.count() == 1, is_ensemble, "{discovery} {kind}");
        }
    }
}

/// Whoever is separate, and so the only allocation of a job, has the name and the data of its number.
#[test]
fn nomad_gives_who_is_separate_the_own_name_and_data() {
    for discovery in ["docker-network", "consul", "nomad", "static"] {
        let blueprint = with(
            &format!("separate: [one], discovery: {discovery}"),
            "{ image: app, kind: ensemble, replicas: 2, ports: { a: 1 }, volumes: { data: { path: /data } } }",
        );
        let files = files(&blueprint, "nomad");
        for replica in ["one-0", "one-1"] {
            let group = group(&files, replica);
            let text = format!("{group:?}");
            assert!(!text.contains("NOMAD_ALLOC_INDEX"), "{discovery}: {text}");
            let main = task(&group, "one");
            let mounts = main.only("config").body.blocks("mount");
            let sources: Vec<&str> = mounts.filter_map(|m| m.body.text("source")).collect();
            assert!(
                sources.contains(&format!("demo-{replica}-data").as_str()),
                "{discovery}: {sources:?}"
            );
            if discovery != "docker-network" {
                let mut names = group.blocks("service").filter_map(|s| s.body.text("name"));
                assert!(names.any(|n| n == format!("demo-{replica}")), "{discovery}");
            }
        }
    }
}

/// Who has a variable that one group can't give to all replicas gets it in a job for each: the main process, a sidecar
/// and a step.
#[test]
fn nomad_gives_every_process_the_variables_of_its_replica() {
    let env = "env: { a-b: \"{{ ['x', 'yy'][replica.index] }}\" }";
    for (name, fields) in [
        ("one", env.to_owned()),
        (
            "side",
            format!("sidecars: {{ side: {{ command: [a], {env} }} }}"),
        ),
        (
            "step",
            format!("init: [{{ name: step, command: [a], {env} }}]"),
        ),
    ] {
        let files = files(
            &minimal(&format!(
                "{{ image: app, kind: ensemble, replicas: 2, {fields} }}"
            )),
            "nomad",
        );
        for (replica, value) in [("one-0", "x"), ("one-1", "yy")] {
            let group = group(&files, replica);
            assert_eq!(task(&group, name).texts("env")["a-b"], value, "{name}");
        }
    }
}

/// A job has the priority that it is given.
#[test]
fn nomad_gives_jobs_their_priority() {
    for (settings, wanted) in [
        ("", None),
        ("priority: 1", Some("1")),
        ("priority: 70", Some("70")),
        ("priority: 100", Some("100")),
    ] {
        let files = files(&with(settings, "{ image: app }"), "nomad");
        let job = job::parsed(&files[0].text).taken("job");
        assert_eq!(job.plain("priority"), wanted);
    }
}

/// A port that is only checked is any of the node's, and leads to the one of the container.
#[test]
fn nomad_checks_the_port_of_the_container() {
    for discovery in ["docker-network", "nomad", "static"] {
        let group = one(&with(
            &format!("discovery: {discovery}"),
            "{ image: app, ports: { a: 7 }, health: { tcp: a } }",
        ));
        let port = &group.only("network").body.only("port").body;
        let numbers = (port.plain("static"), port.plain("to"));
        let wanted = if discovery == "static" {
            (Some("7"), None)
        } else {
            (None, Some("7"))
        };
        assert_eq!(numbers, wanted, "{discovery}");
    }
}

/// On a Docker network a replica has its own name and that of all; among Nomad's services each is a line of the hosts.
#[test]
fn nomad_has_every_name_of_a_replica() {
    for (kind, names) in [
        (
            "kind: ensemble, replicas: 2",
            &["one-${NOMAD_ALLOC_INDEX}", "one"][..],
        ),
        ("replicas: 2", &["one"]),
    ] {
        let group = one(&minimal(&format!("{{ image: app, {kind} }}")));
        let config = &task(&group, "one").only("config").body;
        let Some(Value::List(aliases)) = config.get("network_aliases") else {
            panic!("no names: {config:?}")
        };
        let aliases: Vec<&str> = aliases.iter().map(Value::text).collect();
        assert_eq!(aliases, names, "{kind}");
    }
    let group = one(&with(
        "discovery: nomad",
        "{ image: app, kind: ensemble, replicas: 3, ports: { a: 1 } }",
    ));
    let names = task(&group, "names").only("template").body.text("data");
    for name in ["one-0", "one-1", "one-2", "one"] {
        let line =
            format!("{{{{ range nomadService \"demo-{name}\" }}}}{{{{ .Address }}}} {name}\n");
        assert_eq!(
            names.unwrap().matches(&line).count(),
            1,
            "{name}: {names:?}"
        );
    }
}

/// The replicas of a job have volumes of their own, as those of a service have.
#[test]
fn nomad_gives_each_replica_its_volume() {
    for (kind, is_own) in [
        ("replicas: 2", true),
        ("kind: job, replicas: 2", true),
        ("kind: ensemble, replicas: 2", true),
        ("kind: ensemble", true),
        ("", false),
        ("kind: job", false),
    ] {
        let group = one(&minimal(&format!(
            "{{ image: app, volumes: {{ data: {{ path: /data }} }}, {kind} }}"
        )));
        let mount = &task(&group, "one").only("config").body.only("mount").body;
        let source = mount.text("source").unwrap();
        let found = source.contains("NOMAD_ALLOC_INDEX") || source == "demo-one-0-data";
        assert_eq!(found, is_own, "{kind}: {source}");
    }
}

/// A step in an image without bash can't wait for what is before it: that is refused.
#[test]
fn nomad_waits_with_whoever_can() {
    let image = "images:\n  app: { ref: \"app:1\" }\n  small: { ref: \"small:1\", shell: sh }";
    for (need, step, taken) in [
        (", needs: [one.a]", ", image: small", false),
        (", needs: [one.a]", "", true),
        ("", ", image: small", true),
    ] {
        let blueprint = minimal("{ image: app, ports: { a: 7 } }")
            .replace("images: { app: { ref: \"app:1\" } }", image)
            + &format!(
                "  user: {{ image: app{need}, init: [{{ name: step{step}, command: [step] }}] }}\n"
            );
        let said = takes("nomad", &blueprint, taken);
        assert_eq!(!said.contains("`small` has no bash"), taken, "{said}");
    }
}

/// In Consul a process is found by a port of its own: a sidecar by its own, not by that of the process beside it.
#[test]
fn nomad_registers_processes_with_their_ports() {
    let group = one(&with(
        "discovery: consul",
        "{ image: app, ports: { a: 7 }, health: { tcp: a }, sidecars: { s: { command: [s], ports: { b: 8 }, health: { tcp: b } } } }",
    ));
    let services = group.blocks("service").map(|s| &s.body);
    let of_tasks = group.blocks("task").flat_map(|t| t.body.blocks("service"));
    let all = services.chain(of_tasks.map(|s| &s.body));
    let ports = all.filter_map(|s| Some((s.text("name")?, s.plain("port")?)));
    let ports: Vec<(&str, &str)> = ports.collect();
    let of_sidecar = ports.iter().filter(|(name, _)| name.ends_with("-s"));
    let found: Vec<&str> = of_sidecar.map(|(_, port)| *port).collect();
    assert_eq!(found, ["8"], "{ports:?}");
    let of_main = ports.iter().filter(|(name, _)| *name == "demo-one");
    assert!(
        of_main.clone().count() > 0 && of_main.clone().all(|(_, port)| *port == "7"),
        "{ports:?}"
    );
}

/// Config of several processes at one path is kept under a key for each text.
#[test]
fn nomad_keeps_config_of_each_process() {
    let keys = |of_sidecar: &str| {
        let blueprint = with(
            "config: consul",
            &format!(
                "{{ image: app, config: {{ a.properties: {{ k: v }} }}, sidecars: {{ s: {{ command: [s], \
                 config: {{ a.properties: {{ k: {of_sidecar} }} }} }} }} }}"
            ),
        )
        .replace("\"app:1\"", "\"app:1\", conf: /etc/app");
        let files = files(&blueprint, "nomad");
        let kept = files.iter().find(|f| f.path == "consul-kv.json").unwrap();
        let kept: serde_json::Value = serde_json::from_str(&kept.text).unwrap();
        let group = group(&files, "one");
        let asked = ["one", "s"].map(|name| {
            let data = task(&group, name)
                .only("template")
                .body
                .text("data")
                .unwrap();
            data.split('"').nth(1).unwrap().to_owned()
        });
        let kept = kept.as_array().unwrap().iter();
        let kept: Vec<String> = kept
            .map(|k| k["key"].as_str().unwrap().to_owned())
            .collect();
        assert!(
            asked.iter().all(|key| kept.contains(key)),
            "{asked:?}: {kept:?}"
        );
        asked
    };
    let [main, sidecar] = keys("other");
    assert_ne!(main, sidecar);
    let [main, sidecar] = keys("v");
    assert_eq!(main, sidecar);
}

/// Steps are taken up to the one that fails, and who is separate has the number that is its own.
#[test]
fn nomad_takes_no_step_behind_one_that_failed() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).display().to_string();
    let blueprint = with(
        "separate: [one]",
        &format!(
            "{{ image: app, kind: ensemble, replicas: 2, env: {{ N: \"x{{{{ replica.index }}}}\" }}, init: [ \
             {{ name: a, command: [touch, {}] }}, {{ name: b, command: [\"false\"] }}, {{ name: c, command: [touch, {}] }} ] }}",
            path("first"),
            path("third")
        ),
    );
    let all = files(&blueprint, "nomad");
    for (replica, number) in ["x0", "x1"].into_iter().enumerate() {
        let group = group(&all, &format!("one-{replica}"));
        let main = task(&group, "one");
        assert_eq!(main.texts("env")["N"], number);
    }
    let group = group(&all, "one-0");
    let script = group.blocks("task").find_map(|t| {
        let template = t.body.blocks("template").next()?;
        template.body.text("data").map(str::to_owned)
    });
    let status = std::process::Command::new("bash")
        .args(["-c", &script.unwrap()])
        .status();
    assert!(!status.unwrap().success());
    assert!(std::path::Path::new(&path("first")).exists());
    assert!(!std::path::Path::new(&path("third")).exists());
}

/// A step that reads a secret has a task of its own, whichever comes first: a script is no place for one.
#[test]
fn nomad_keeps_secrets_out_of_scripts() {
    let plain = "{ name: plain, command: [a] }";
    let secret = "{ name: knows, command: [b], env: { S: \"{{ secret('key') }}\" } }";
    for steps in [[plain, secret], [secret, plain]] {
        let blueprint = minimal(&format!("{{ image: app, init: [{}] }}", steps.join(", ")))
            .replace("\nservices", "\nsecrets: { key: { env: KEY } }\nservices");
        let group = one(&blueprint);
        let knows = task(&group, "knows");
        for other in group.blocks("task").filter(|t| t.labels != ["knows"]) {
            let text = format!("{:?}", other.body);
            assert!(!text.contains("nomadVar"), "{:?}", other.labels);
        }
        let mut templates = knows.blocks("template");
        let of_secret = templates.find(|t| format!("{:?}", t.body).contains("nomadVar"));
        let place = of_secret.unwrap().body.text("destination").unwrap();
        assert!(place.starts_with("secrets/"), "{place}");
    }
}

/// A process that is asked more rarely whether it is ready than whether it is alive is restarted by the latter.
#[test]
fn nomad_restarts_by_the_check_that_is_made_oftener() {
    for (ready, alive, checks) in [("30s", "5s", 2), ("5s", "30s", 1), ("5s", "5s", 1)] {
        let group = one(&minimal(&format!(
            "{{ image: app, ports: {{ a: 1 }}, health: {{ ready: {{ tcp: a, interval: {ready} }}, \
             alive: {{ tcp: a, interval: {alive}, retries: 4 }} }} }}"
        )));
        let service = &task(&group, "one").only("service").body;
        let all: Vec<&Body> = service.blocks("check").map(|c| &c.body).collect();
        assert_eq!(all.len(), checks, "{ready} {alive}");
        let restarting = all
            .iter()
            .find(|c| c.blocks("check_restart").count() == 1)
            .unwrap();
        let often = seconds(restarting.text("interval").unwrap());
        let limit = restarting
            .only("check_restart")
            .body
            .plain("limit")
            .unwrap();
        let long = often * limit.parse::<u64>().unwrap();
        assert_eq!(long, 4 * seconds(alive), "{ready} {alive}");
    }
}

/// A patch removes the block of its label and no other, a list takes the place of all blocks of a type, and a variable
/// counts more than what the tasks of a job share.
#[test]
fn nomad_is_patched_where_it_is_said() {
    let patched = |fields: &str, patch: &str| {
        one(&minimal(&format!(
            "{{ image: app, {fields}, patch: {{ nomad: {{ group: {{ one: {{ {patch} }} }} }} }} }}"
        )))
    };
    let sidecars = "sidecars: { a: { command: [a] }, b: { command: [b] } }";
    let group = patched(sidecars, "task: { a: null }");
    let tasks = |group: &Body| {
        let names = group.blocks("task").flat_map(|t| t.labels.clone());
        names.collect::<Vec<String>>()
    };
    let left = tasks(&group);
    assert!(
        left.contains(&"b".to_owned()) && left.contains(&"one".to_owned()),
        "{left:?}"
    );
    assert!(!left.contains(&"a".to_owned()), "{left:?}");

    let blueprint = with(
        "discovery: static",
        "{ image: app, kind: ensemble, replicas: 2, ports: { a: 1 }, patch: { nomad: { group: { one: { \
         constraint: [{ attribute: x, value: y }, { attribute: z, value: w }] } } } } }",
    );
    let constraints = one(&blueprint);
    let attributes = constraints
        .blocks("constraint")
        .map(|c| c.body.text("attribute"));
    assert_eq!(attributes.collect::<Vec<_>>(), [Some("x"), Some("z")]);

    let env = "{ A: a, B: b, C: c }";
    let fields = format!("env: {env}, sidecars: {{ side: {{ command: [a], env: {env} }} }}");
    let group = patched(&fields, "task: { one: { env: { A: other } } }");
    let own = task(&group, "one").texts("env");
    assert_eq!([&own["A"], &own["B"]], ["other", "b"]);
    assert_eq!(task(&group, "side").texts("env")["A"], "a");
}

/// No task has a name that Nomad has for something else.
#[test]
fn nomad_names_no_task_like_a_file_of_its_own() {
    for name in ["hosts", "alloc"] {
        let blueprint = minimal("{ image: app }").replace("  one:", &format!("  {name}:"));
        let group = group(&files(&blueprint, "nomad"), name);
        let names: Vec<_> = group.blocks("task").map(|t| t.labels.clone()).collect();
        assert_eq!(names, [[format!("{name}-2")]]);
    }
}

/// Two volumes that would be one are refused.
#[test]
fn nomad_keeps_volumes_apart() {
    let blueprint = |name: &str| {
        let volume = |name: &str| format!("volumes: {{ {name}: {{ path: /v, size: 1Gi }} }}");
        let other = format!("  one-b: {{ image: app, {} }}\n", volume(name));
        minimal(&format!("{{ image: app, {} }}", volume("b-c"))) + &other
    };
    let said = takes("nomad", &blueprint("c"), false);
    assert!(said.contains("two volumes become `demo-one-b-c`"), "{said}");
    takes("nomad", &blueprint("d"), true);
}

/// Nomad gives no process less than 10 MiB.
#[test]
fn nomad_keeps_at_least_what_nomad_takes() {
    for (memory, kept) in [
        ("1Mi", "10"),
        ("10Mi", "10"),
        ("10241Ki", "11"),
        ("1Gi", "1024"),
    ] {
        let group = one(&minimal(&format!(
            "{{ image: app, resources: {{ memory: {memory} }} }}"
        )));
        let resources = &task(&group, "one").only("resources").body;
        assert_eq!(resources.plain("memory"), Some(kept), "{memory}");
    }
}

/// Replicas that ask for different nodes get them, each in a job of its own where more than a number differs.
#[test]
fn nomad_places_each_replica_on_the_node_it_asks_for() {
    let blueprint = |value: &str| {
        minimal(&format!(
            "{{ image: app, kind: ensemble, replicas: 2, placement: {{ nodes: {{ rack: \"{value}\" }} }} }}"
        ))
    };
    let asked = |group: &Body| {
        let values = group
            .blocks("constraint")
            .filter_map(|c| c.body.text("value"));
        values.map(str::to_owned).collect::<Vec<_>>()
    };
    let apart = files(
        &blueprint("{{ ['north', 'south'][replica.index] }}"),
        "nomad",
    );
    assert_eq!(asked(&group(&apart, "one-0")), ["north"]);
    assert_eq!(asked(&group(&apart, "one-1")), ["south"]);
    let numbered = one(&blueprint("r{{ replica.index }}"));
    assert_eq!(asked(&numbered), ["r${NOMAD_ALLOC_INDEX}"]);
}

/// A process is restarted by the check of its life: another path of the same port is another check.
#[test]
fn nomad_restarts_by_the_path_of_life() {
    for (alive, checks) in [("/alive", 2), ("/ready", 1)] {
        let group = one(&minimal(&format!(
            "{{ image: app, ports: {{ a: 1 }}, health: {{ ready: {{ http: {{ port: a, path: /ready }} }}, \
             alive: {{ http: {{ port: a, path: {alive} }} }} }} }}"
        )));
        let service = &task(&group, "one").only("service").body;
        let all: Vec<&Body> = service.blocks("check").map(|c| &c.body).collect();
        assert_eq!(all.len(), checks, "{alive}");
        let restarting = all
            .iter()
            .filter(|c| c.blocks("check_restart").count() == 1);
        let paths: Vec<_> = restarting.map(|c| c.text("path")).collect();
        assert_eq!(paths, [Some(alive)]);
    }
}

/// A secret is mounted by itself, also where scripts of the cluster lie.
#[test]
fn nomad_mounts_secrets_by_themselves() {
    let blueprint = minimal("{ image: app, secrets: { key: { path: /flokkr/key } } }")
        .replace("\nservices", "\nsecrets: { key: { env: KEY } }\nservices");
    let group = one(&blueprint);
    let main = task(&group, "one");
    let mounts: Vec<&Block> = main.only("config").body.blocks("mount").collect();
    let targets: Vec<_> = mounts.iter().map(|m| m.body.text("target")).collect();
    assert_eq!(targets, [Some("/flokkr/key")]);
    let place = main.only("template").body.text("destination");
    let source = mounts[0].body.text("source").unwrap();
    assert_eq!(Some(source), place);
}

/// A script is mounted by itself, whatever is mounted in or below its folder: Docker (20.10) makes no place for it in
/// a folder that is only read, and mounts no two things at one.
#[test]
fn nomad_mounts_scripts_beside_others() {
    for (fields, others) in [
        ("", vec![]),
        (
            "secrets: { key: { path: /flokkr/key } }",
            vec!["/flokkr/key"],
        ),
        ("files: { /flokkr/a/b: text }", vec!["/flokkr/a/b"]),
        (
            "volumes: { v: { path: /flokkr, size: 1Gi } }",
            vec!["/flokkr"],
        ),
        (
            "volumes: { v: { path: /flokkr/v, size: 1Gi } }",
            vec!["/flokkr/v"],
        ),
        (
            "volumes: { v: { path: /flokkr/v, kind: temporary } }",
            vec![],
        ),
        ("volumes: { v: { path: /flokkr, kind: temporary } }", vec![]),
    ] {
        let blueprint = minimal(&format!(
            "{{ image: app, {fields}{} init: [{{ name: step, script: \"echo made\" }}] }}",
            if fields.is_empty() { "" } else { "," }
        ))
        .replace("\nservices", "\nsecrets: { key: { env: KEY } }\nservices");
        let group = one(&blueprint);
        let step = task(&group, "step");
        let config = &step.only("config").body;
        let mut found: Vec<&str> = config
            .blocks("mount")
            .map(|m| m.body.text("target").unwrap())
            .collect();
        let at = found.iter().position(|target| *target == "/flokkr/step.sh");
        found.remove(at.unwrap_or_else(|| panic!("{fields}: {found:?}")));
        assert_eq!(found, others, "{fields}");
    }
}

/// Replicas that are jobs of their own publish on numbers of their own: each is held against the others.
#[test]
fn nomad_holds_every_separate_port_against_others() {
    for (number, taken) in [(30000, false), (30001, false), (30002, true)] {
        let blueprint = with(
            "separate: [one]",
            "{ image: app, kind: ensemble, replicas: 2, ports: { a: { port: 1, publish: 30000 } } }",
        )
        .replace(
            "targets:",
            &format!("  two: {{ image: app, ports: {{ a: {{ port: 2, publish: {number} }} }} }}\ntargets:"),
        );
        takes("nomad", &blueprint, taken);
    }
}
