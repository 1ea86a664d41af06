//! Rules of Compose: whose a volume is, who has which port and network, who waits behind what.

use flokkr::target;
use serde_yaml::Value;

use super::{composed, minimal, sharing, takes};
use crate::meaning::yaml::{entries, items, text};
use crate::support::emit;

fn texts(list: &Value) -> Vec<&str> {
    items(list).iter().map(text).collect()
}

/// Names of all services that were made.
fn names(services: &Value) -> Vec<&str> {
    entries(services)
        .into_iter()
        .map(|(name, _)| name)
        .collect()
}

/// What a replica keeps is its own, what all share is one, and what is only read can't be written.
#[test]
fn compose_mounts_what_is_whose() {
    let services = composed(&minimal(
        "{ image: app, kind: ensemble, replicas: 2, volumes: { own: { path: /own }, all: { path: /all, kind: shared }, \
         read: { path: /read, kind: shared, readonly: true }, seen: { path: /seen, kind: host, source: /srv, readonly: true }, \
         left: { path: /left, kind: host, source: /var/left } } }",
    ));
    let mounted = |service: &str, path: &str| {
        let volumes = items(&services[service]["volumes"]).iter();
        let mut found = volumes.filter(|v| text(&v["target"]) == path);
        let volume = found.next().unwrap();
        let readonly = volume["read_only"].as_bool() == Some(true);
        (text(&volume["source"]).to_owned(), readonly)
    };
    for (path, is_one, is_read) in [
        ("/own", false, false),
        ("/all", true, false),
        ("/read", true, true),
        ("/seen", true, true),
        ("/left", true, false),
    ] {
        let (one, other) = (mounted("one-0", path), mounted("one-1", path));
        assert_eq!(one.0 == other.0, is_one, "{path}");
        assert_eq!([one.1, other.1], [is_read; 2], "{path}");
    }
}

/// A fresh volume is given to whoever runs. Not what is only read: that step would fail for ever. What the image
/// has made is already the user's, if it is the image's own user.
#[test]
fn compose_gives_volumes_to_their_user() {
    let given = |user: &str, volumes: &str| {
        let blueprint = format!(
            "blueprint: v1\nname: demo\nimages: {{ app: {{ ref: \"app:1\", user: \"1000:100\", owns: [/own] }} }}\n\
             services: {{ one: {{ image: app{user}, volumes: {{ own: {{ path: /own }}{volumes} }} }} }}\n"
        );
        let services = composed(&blueprint);
        let step = &services["one-volumes"];
        if step.is_null() {
            return Vec::new();
        }
        assert_eq!(texts(&step["entrypoint"]), ["chown"]);
        assert_eq!(text(&step["user"]), "0:0");
        let words = texts(&step["command"]);
        words.into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let more = ", fresh: { path: /fresh, kind: shared }, read: { path: /read, kind: shared, readonly: true }, \
                quick: { path: /quick, kind: memory }, node: { path: /node, kind: host, source: /srv }";
    assert!(given("", "").is_empty());
    assert_eq!(given("", more), ["1000:100", "/fresh"]);
    assert_eq!(given(", user: \"7\"", more), ["7", "/own", "/fresh"]);
    assert!(given(", user: \"0\"", more).is_empty());
}

/// Replicas that are scaled have one step, one sidecar and one volume: who has something of their own is a service.
#[test]
fn compose_scales_only_what_has_nothing_of_its_own() {
    for (own, scaled) in [
        ("", true),
        (", volumes: { all: { path: /all, kind: shared } }", true),
        (", volumes: { own: { path: /own } }", false),
        (", volumes: { own: { path: /own, kind: temporary } }", false),
        (", sidecars: { agent: { command: [agent] } }", false),
        (", init: [{ name: step, command: [step] }]", false),
        (", kind: ensemble", false),
    ] {
        let services = composed(&minimal(&format!("{{ image: app, replicas: 2{own} }}")));
        let names = names(&services);
        assert_eq!(names.contains(&"one"), scaled, "{own}: {names:?}");
        assert_eq!(names.contains(&"one-0"), !scaled, "{own}: {names:?}");
        assert_eq!(names.contains(&"one-1"), !scaled, "{own}: {names:?}");
        let count = &services["one"]["deploy"]["replicas"];
        assert_eq!(count.as_u64(), scaled.then_some(2), "{own}");
    }
}

/// Replica N is published on the number plus N: of scaled ones the range has just as many numbers. By TCP and by UDP
/// a number is two.
#[test]
fn compose_publishes_each_replica_once() {
    let port = "ports: { a: { port: 80, publish: 8080 } }";
    let published = |service: &str| -> Vec<String> {
        let services = composed(&minimal(&format!("{{ image: app, {port}{service} }}")));
        let all = entries(&services).into_iter();
        let ports = all.flat_map(|(_, s)| items(&s["ports"]).to_vec());
        let ports = ports.map(|p| {
            assert_eq!(p["target"].as_u64(), Some(80));
            text(&p["published"]).to_owned()
        });
        ports.collect()
    };
    assert_eq!(published(""), ["8080"]);
    assert_eq!(published(", replicas: 3"), ["8080-8082"]);
    assert_eq!(published(", replicas: 2, kind: ensemble"), ["8080", "8081"]);
    let two = |protocol: &str| {
        let other = format!(
            "two: {{ image: app, ports: {{ a: {{ port: 53, publish: true, protocol: {protocol} }} }} }}"
        );
        let one = minimal("{ image: app, ports: { a: { port: 53, publish: true } } }");
        emit(
            &format!("{one}  {other}\n"),
            target::find("compose").unwrap(),
        )
    };
    let taken = two("udp");
    assert!(taken.files.is_some(), "{}", taken.said);
    assert!(two("tcp").files.is_none());
}

/// Who needs another number of replicas waits behind another gate, and a gate is there for whoever waits behind it.
#[test]
fn compose_has_a_gate_for_each_number() {
    let waiting = |one: &str, two: &str| {
        composed(&format!(
            "blueprint: v1\nname: demo\nimages: {{ app: {{ ref: \"app:1\" }} }}\nservices:\n\
             \x20 quorum: {{ image: app, kind: ensemble, replicas: 5, ports: {{ a: 1 }} }}\n\
             \x20 one: {{ image: app, needs: {{ quorum.a: {one} }}\n\
             \x20 two: {{ image: app, needs: {{ quorum.a: {two} }}\n"
        ))
    };
    let gate = |services: &Value, name: &str| {
        let awaited = entries(&services[name]["depends_on"]);
        let [(gate, _)] = awaited[..] else {
            panic!("{awaited:?}")
        };
        services[gate].clone()
    };
    let services = waiting("any }", "majority }");
    let least = |name: &str| text(&gate(&services, name)["command"][0]).to_owned();
    assert_eq!([least("one"), least("two")], ["1", "3"]);
    for (one, two, profiles) in [
        ("any }", "any }", &[][..]),
        ("any }, profiles: [x]", "any }", &[]),
        ("any }", "any }, profiles: [x]", &[]),
        ("any }, profiles: [x]", "any }, profiles: [y]", &["x", "y"]),
    ] {
        let services = waiting(one, two);
        let [first, second] = ["one", "two"].map(|name| gate(&services, name));
        assert_eq!(first, second);
        assert_eq!(texts(&first["profiles"]), profiles, "{one}, {two}");
    }
}

/// A port is open before its service is ready, and who opens it may wait for whoever needs it.
#[test]
fn compose_waits_for_a_port_and_no_longer() {
    let condition = |health: &str| {
        let services = composed(&format!(
            "blueprint: v1\nname: demo\nimages: {{ app: {{ ref: \"app:1\" }} }}\nservices:\n\
             \x20 db: {{ image: app, ports: {{ a: 1, b: 2 }}, health: {health} }}\n\
             \x20 user: {{ image: app, needs: [db.a] }}\n"
        ));
        let awaited = &services["user"]["depends_on"];
        (
            !awaited["db"].is_null(),
            !awaited["wait-db-a-all"].is_null(),
        )
    };
    for (health, by_check) in [
        ("{ tcp: a }", true),
        ("{ command: [ok] }", true),
        ("{ start: { tcp: a }, ready: { command: [ok] } }", false),
        ("{ start: { tcp: b }, ready: { tcp: a } }", true),
    ] {
        assert_eq!(condition(health), (by_check, !by_check), "{health}");
    }
}

/// What others live in is always there, and a name of the blueprint leads to all replicas that have it: also to one.
#[test]
fn compose_keeps_networks_and_names() {
    for count in [1, 2] {
        let services = composed(&minimal(&format!(
            "{{ image: app, kind: ensemble, replicas: {count}, ports: {{ a: {{ port: 1, publish: true }} }}, \
             sidecars: {{ agent: {{ command: [agent], processes: true }} }} }}"
        )));
        for replica in 0..count {
            let main = format!("one-{replica}");
            let sidecar = &services[format!("{main}-agent")];
            let holder = text(&sidecar["network_mode"])
                .strip_prefix("service:")
                .unwrap();
            let holder = &services[holder];
            assert_eq!(text(&holder["restart"]), "unless-stopped");
            assert_eq!(text(&holder["hostname"]), main);
            assert_eq!(items(&holder["ports"]).len(), 1);
            let names = texts(&holder["networks"]["default"]["aliases"]);
            assert_eq!(names, [main.as_str(), "one"]);
            // The processes of the main container, and not those of the node.
            assert_eq!(text(&sidecar["pid"]), format!("service:{main}"));
        }
        let alone = composed(&minimal(&format!(
            "{{ image: app, kind: ensemble, replicas: {count} }}"
        )));
        for replica in 0..count {
            let service = &alone[format!("one-{replica}")];
            assert_eq!(texts(&service["networks"]["default"]["aliases"]), ["one"]);
        }
    }
}

/// `up` ends with "unsupported external secret", long after `config` took the file.
#[test]
fn compose_mounts_no_secret_of_another() {
    for (source, taken) in [
        ("external: key", false),
        ("file: ./key", true),
        ("env: KEY", true),
    ] {
        let blueprint = minimal("{ image: app, secrets: { key: null } }").replace(
            "\nservices",
            &format!("\nsecrets: {{ key: {{ {source} }} }}\nservices"),
        );
        takes("compose", &blueprint, taken);
    }
}

/// What a service becomes is there with the profiles of the service, and not without: its steps, its sidecars, what
/// gives it its volumes and what holds its network.
#[test]
fn compose_has_a_service_with_its_profiles_only() {
    let blueprint = minimal(
        "{ image: app, profiles: [x, y], volumes: { own: { path: /own } }, init: [{ name: step, command: [step] }], \
         sidecars: { agent: { command: [agent] } } }",
    )
    .replace("\"app:1\"", "\"app:1\", user: \"7\"");
    let services = composed(&blueprint);
    let all = entries(&services);
    assert_eq!(all.len(), 5, "{all:?}");
    for (name, service) in all {
        assert_eq!(texts(&service["profiles"]), ["x", "y"], "{name}");
    }
}

/// A sidecar sees what the main process stores, unless it wants none of it, and the processes of others only when it
/// asks for them.
#[test]
fn compose_gives_a_sidecar_what_it_asks_for() {
    for (more, volumes, processes) in [
        ("", 1, false),
        (", volumes: true, processes: true", 1, true),
        (", volumes: false, processes: false", 0, false),
    ] {
        let services = composed(&minimal(&format!(
            "{{ image: app, volumes: {{ own: {{ path: /own }} }}, sidecars: {{ agent: {{ command: [agent]{more} }} }} }}"
        )));
        let name = entries(&services)
            .into_iter()
            .map(|(name, _)| name)
            .find(|name| name.ends_with("-agent"));
        let agent = &services[name.unwrap()];
        assert_eq!(items(&agent["volumes"]).len(), volumes, "{more}");
        assert_eq!(!agent["pid"].is_null(), processes, "{more}");
    }
}

/// What has ended well is started again only if it is said; a job that failed is, unless it is said otherwise.
#[test]
fn compose_starts_again_what_has_to_be() {
    for (service, policy) in [
        ("", "unless-stopped"),
        (", restart: on-failure", "on-failure"),
        (", restart: never", "no"),
        (", kind: job", "on-failure"),
        (", kind: job, restart: never", "no"),
    ] {
        let services = composed(&minimal(&format!("{{ image: app{service} }}")));
        assert_eq!(text(&services["one"]["restart"]), policy, "{service}");
    }
    let services = composed(&minimal("{ image: app, stop: { signal: SIGQUIT } }"));
    assert_eq!(text(&services["one"]["stop_signal"]), "SIGQUIT");
}

/// A number of the node is one container's, and a name is one volume's. In the node's network all replicas listen on
/// the same number.
#[test]
fn compose_refuses_what_two_want() {
    let port = |number: u16| format!("ports: {{ a: {{ port: {number}, publish: {number} }} }}");
    let two = |replicas: u32, number: u16| {
        minimal(&format!(
            "{{ image: app, replicas: {replicas}, {} }}",
            port(8080)
        )) + &format!("  two: {{ image: app, {} }}\n", port(number))
    };
    let host = |replicas: u32| {
        minimal(&format!(
            "{{ image: app, replicas: {replicas}, ports: {{ a: 80 }} }}"
        )) + "targets: { compose: { network: host } }\n"
    };
    let volumes = |name: &str| {
        minimal("{ image: app, volumes: { a-b: { path: /v } } }")
            + &format!("  one-a: {{ image: app, volumes: {{ {name}: {{ path: /v }} }} }}\n")
    };
    for (blueprint, taken) in [
        (two(3, 8082), false),
        (two(2, 8082), true),
        (host(2), false),
        (host(1), true),
        (volumes("b"), false),
        (volumes("c"), true),
    ] {
        takes("compose", &blueprint, taken);
    }
}

/// In the node's network no name of a service leads anywhere: everybody is `localhost`, whoever asks.
#[test]
fn compose_finds_everybody_in_the_network_of_the_node() {
    let services = composed(
        "blueprint: v1\nname: demo\nimages: { app: { ref: \"app:1\" } }\nservices:\n  \
         db: { image: app, ports: { a: 1 }, health: { tcp: a } }\n  \
         other: { image: app, ports: { a: 2, b: 3 }, health: { start: { tcp: b }, ready: { command: [ok] } } }\n  \
         user: { image: app, needs: [other.a], init: [{ name: step, command: [step] }] }\n\
         targets: { compose: { network: host } }\n",
    );
    for (name, service) in entries(&services) {
        assert_eq!(text(&service["network_mode"]), "host", "{name}");
    }
    let check = texts(&services["db"]["healthcheck"]["test"]).join(" ");
    assert!(check.contains("/dev/tcp/127.0.0.1/1"), "{check}");
    let gate = texts(&services["wait-other-a-all"]["command"]);
    assert_eq!(gate, ["1", "localhost:2"]);
    // A replica, too, and a port has the number that it listens on.
    let found = |publish: &str| {
        format!(
            "{}targets: {{ compose: {{ network: host }} }}\n",
            minimal(&format!(
                "{{ image: app, kind: ensemble, ports: {{ a: {{ port: 80, publish: {publish} }} }}, \
                 env: {{ OWN: \"{{{{ replica.host }}}}\", AT: \"{{{{ address('one', 'a', 0) }}}}\" }} }}"
            ))
        )
    };
    let environment = composed(&found("80"))["one-0"]["environment"].clone();
    assert_eq!(text(&environment["OWN"]), "localhost");
    assert_eq!(text(&environment["AT"]), "localhost:80");
    for (publish, lost) in [("80", false), ("true", false), ("8080", true)] {
        let said = takes("compose", &found(publish), true);
        let what = "a port is published on its own number";
        assert_eq!(said.contains(what), lost, "{publish}: {said}");
    }
}

/// Each replica is asked for the path of its own.
#[test]
fn compose_asks_each_replica_for_its_own_path() {
    let services = composed(&minimal(
        "{ image: app, kind: ensemble, replicas: 2, ports: { a: 1 }, \
         health: { http: { port: a, path: \"/of/{{ replica.index }}\" } } }",
    ));
    for replica in 0..2 {
        let check =
            texts(&services[format!("one-{replica}").as_str()]["healthcheck"]["test"]).join(" ");
        let path = format!("/of/{replica}");
        assert!(check.contains(&path), "{check}");
        assert!(!check.contains(&format!("/of/{}", 1 - replica)), "{check}");
    }
}

/// Two services that wait are two, whatever they would be called.
#[test]
fn compose_waits_for_each_by_a_name_of_its_own() {
    let services = composed(
        &(minimal("{ image: app, needs: { a.b-c: any, a-b.c: any } }")
            + "  a: { image: app, replicas: 2, ports: { b-c: 1 } }\n  \
               a-b: { image: app, replicas: 2, ports: { c: 2 } }\n"),
    );
    let mut waits: Vec<String> = entries(&services)
        .into_iter()
        .filter(|(name, _)| name.starts_with("wait-"))
        .map(|(_, service)| texts(&service["command"]).join(" "))
        .collect();
    waits.sort();
    assert_eq!(waits, ["1 a-b:2", "1 a:1"]);
}

/// Contexts lie in a folder.
#[test]
fn compose_builds_in_a_folder() {
    for (folder, taken) in [
        ("../docker", true),
        (".", true),
        ("\"\"", false),
        ("\"a\\nb\"", false),
    ] {
        let settings = format!("targets: {{ compose: {{ build: {folder} }} }}\n");
        takes("compose", &(minimal("{ image: app }") + &settings), taken);
    }
}

/// Memory is lost where two processes would share it: a step that no replica takes shares nothing.
#[test]
fn compose_tells_of_shared_memory_where_it_would_be_shared() {
    for (condition, lost) in [
        ("false", false),
        ("true", true),
        ("\"{{ replica.index == 0 }}\"", true),
    ] {
        let blueprint = minimal(&format!(
            "{{ image: app, kind: ensemble, replicas: 2, volumes: {{ v: {{ path: /v, kind: memory }} }}, \
             init: [{{ name: step, command: [a], when: {condition} }}] }}"
        ));
        let said = takes("compose", &blueprint, true);
        assert_eq!(
            said.contains("memory that processes share"),
            lost,
            "{condition}: {said}"
        );
    }
}

/// Ports are open to this machine, and to others when it is said.
#[test]
fn compose_opens_ports_to_whom_it_is_told() {
    let one = minimal("{ image: app, ports: { a: { port: 80, publish: true } } }");
    for (settings, address) in [
        ("", "127.0.0.1"),
        ("targets: { compose: { bind: 10.0.0.1 } }\n", "10.0.0.1"),
    ] {
        let services = composed(&format!("{one}{settings}"));
        assert_eq!(text(&services["one"]["ports"][0]["host_ip"]), address);
    }
}

/// What is left out is said, and no more than that.
#[test]
fn compose_says_what_it_leaves_out() {
    let file = |mode: &str| format!("files: {{ /a: {{ text: a, mode: \"{mode}\" }} }}");
    let apart = "ports: { a: 1 }, health: { ready: { tcp: a }, alive: { tcp: a } }";
    let whole = "ports: { a: 1 }, health: { tcp: a }";
    for (service, field) in [
        (file("0755"), Some("files.mode")),
        (file("0600"), Some("files.mode")),
        (file("0644"), None),
        (file("0444"), None),
        (apart.to_owned(), Some("health.alive")),
        (whole.to_owned(), None),
    ] {
        let blueprint = minimal(&format!("{{ image: app, {service} }}"));
        let said = emit(&blueprint, target::find("compose").unwrap()).said;
        let heard = field.is_some_and(|f| said.contains(&format!("accept: {{ {f}:")));
        assert_eq!(heard, field.is_some(), "{service}: {said}");
        assert_eq!(
            said.contains("does not carry"),
            field.is_some(),
            "{service}: {said}"
        );
    }
    // Who shares a name with others can't be told from them.
    for (kind, is_lost) in [("service", true), ("ensemble", false)] {
        let blueprint = minimal(&format!(
            "{{ image: app, kind: {kind}, replicas: 3, ports: {{ a: 1 }} }}"
        )) + "  user: { image: app, needs: { one.a: majority } }\n";
        let said = emit(&blueprint, target::find("compose").unwrap()).said;
        assert_eq!(said.contains("accept: { needs.quorum:"), is_lost, "{said}");
    }
}

/// Of memory a volume takes as much as it is given, and a temporary one is no memory.
#[test]
fn compose_gives_volumes_in_memory_their_size() {
    let services = composed(&minimal(
        "{ image: app, volumes: { quick: { path: /quick, kind: memory, size: 64Mi }, \
         all: { path: /all, kind: memory }, other: { path: /other, kind: temporary, size: 64Mi } } }",
    ));
    let volume = |path: &str| {
        let mut volumes = items(&services["one"]["volumes"]).iter();
        volumes.find(|v| text(&v["target"]) == path).unwrap()
    };
    assert_eq!(text(&volume("/quick")["type"]), "tmpfs");
    assert_eq!(volume("/quick")["tmpfs"]["size"].as_u64(), Some(64 << 20));
    assert_eq!(text(&volume("/all")["type"]), "tmpfs");
    assert!(volume("/all")["tmpfs"]["size"].is_null());
    assert_eq!(text(&volume("/other")["type"]), "volume");
}

/// A patch of one service changes that one, also where others have the same variables.
#[test]
fn compose_patches_no_other_service() {
    let service = "{ image: app, config: { use: [common] } }";
    let blueprint = sharing(service, &format!("  two: {service}\n  three: {service}\n"));
    let patch = "{ environment: { A.PROPERTIES_a: changed, A.PROPERTIES_b: null } }";
    let whole = format!(
        "{blueprint}targets: {{ compose: {{ patch: {{ services: {{ one: {patch} }} }} }} }}\n"
    );
    let own = blueprint.replacen(
        "use: [common] }",
        &format!("use: [common] }}, patch: {{ compose: {patch} }}"),
        1,
    );
    for blueprint in [whole, own] {
        let services = composed(&blueprint);
        let values = |name: &str| {
            let environment = &services[name]["environment"];
            ["a", "b", "c"].map(|key| {
                let value = &environment[format!("A.PROPERTIES_{key}")];
                value.as_str().map(str::to_owned)
            })
        };
        let some = |text: &str| Some(text.to_owned());
        assert_eq!(values("one"), [some("changed"), None, some("3")]);
        for name in ["two", "three"] {
            assert_eq!(values(name), ["1", "2", "3"].map(some), "{name}");
        }
    }
}

/// A port that is not published is the cluster's own.
#[test]
fn compose_publishes_what_it_is_told_to() {
    for (publish, published) in [
        ("false", None),
        ("true", Some("80")),
        ("8080", Some("8080")),
    ] {
        let services = composed(&minimal(&format!(
            "{{ image: app, ports: {{ a: {{ port: 80, publish: {publish} }} }} }}"
        )));
        let ports = &services["one"]["ports"];
        assert_eq!(ports[0]["published"].as_str(), published, "{publish}");
    }
}

/// One replica has the name of its service as its host's; scaled ones have one each that Docker makes up.
#[test]
fn compose_names_hosts_like_their_services() {
    for (service, name, host) in [
        ("", "one", Some("one")),
        (", replicas: 2", "one", None),
        (", kind: ensemble", "one-0", Some("one-0")),
    ] {
        let services = composed(&minimal(&format!("{{ image: app{service} }}")));
        assert_eq!(services[name]["hostname"].as_str(), host, "{service}");
    }
}

/// A sidecar is checked as it says, and who sees the processes of another is started again with it.
#[test]
fn compose_keeps_sidecars_by_their_processes() {
    for processes in [false, true] {
        let services = composed(&minimal(&format!(
            "{{ image: app, sidecars: {{ s: {{ command: [s], ports: {{ a: 9 }}, health: {{ tcp: a }}, processes: {processes} }} }} }}"
        )));
        let all = entries(&services);
        let (_, sidecar) = all.iter().find(|(name, _)| name.ends_with("-s")).unwrap();
        let check = items(&sidecar["healthcheck"]["test"]);
        let check: String = check.iter().map(text).collect();
        assert!(check.contains('9'), "{check}");
        let main = &sidecar["depends_on"]["one"];
        assert_eq!(
            main["restart"].as_bool() == Some(true),
            processes,
            "{main:?}"
        );
    }
}

/// Whoever waits for the port of a sidecar starts that.
#[test]
fn compose_starts_whose_port_is_awaited() {
    let services = composed(&format!(
        "{}  user: {{ image: app, needs: [one.b] }}\n",
        minimal(
            "{ image: app, kind: ensemble, replicas: 2, sidecars: { s: { command: [s], ports: { b: 9 } } } }"
        )
    ));
    let gate = entries(&services["user"]["depends_on"])[0].0.to_owned();
    let mut started: Vec<&str> = entries(&services[&gate]["depends_on"])
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    started.sort_unstable();
    assert_eq!(started, ["one-0", "one-0-s", "one-1", "one-1-s"]);
}

/// A secret stands in a label only where a variable has it: a file's text is known to nobody who writes labels.
#[test]
fn compose_labels_nothing_with_secrets_of_files() {
    for (source, taken) in [("env: KEY", true), ("file: ./key", false)] {
        let blueprint = minimal("{ image: app, labels: { a: \"{{ secret('key') }}\" } }").replace(
            "\nservices",
            &format!("\nsecrets: {{ key: {{ {source} }} }}\nservices"),
        );
        takes("compose", &blueprint, taken);
    }
}

/// An image is built by the service that runs it, not by what stands before that.
#[test]
fn compose_builds_what_it_runs() {
    let blueprint = minimal("{ image: app, volumes: { data: { path: /data } } }").replace(
        "\"app:1\"",
        "\"app:1\", user: \"5\", build: { base: \"debian:12\" }",
    ) + "targets: { compose: { build: ../docker } }\n";
    let services = composed(&blueprint);
    let building: Vec<&str> = entries(&services)
        .into_iter()
        .filter(|(_, service)| !service["build"].is_null())
        .map(|(name, _)| name)
        .collect();
    assert_eq!(building, ["one"]);
    assert!(!services["one-volumes"].is_null());
}
