//! Rules of Kubernetes: what rolls a pod, how long a start may take, what a pod may do, how it is reached and who
//! keeps its data.

use flokkr::target;
use serde_yaml::Value;

use super::{BLUEPRINT, files, minimal, object, sharing, takes};
use crate::meaning::yaml::{documents, entries, items, text};
use crate::support::emit;

/// A cluster of one service, with settings of the target.
fn with(settings: &str, service: &str) -> String {
    format!(
        "{}targets: {{ kubernetes: {{ {settings} }} }}\n",
        minimal(service)
    )
}

fn pod(blueprint: &str, kind: &str, name: &str) -> Value {
    let object = object(&files(blueprint, "kubernetes"), kind, name);
    object["spec"]["template"].clone()
}

fn kinds(blueprint: &str, kind: &str) -> Vec<Value> {
    let files = files(blueprint, "kubernetes");
    let all = files.iter().flat_map(|f| documents(&f.text));
    all.filter(|o| text(&o["kind"]) == kind).collect()
}

/// What a sidecar or a step reads counts like what the main container reads, and so do the names of variables.
#[test]
fn kubernetes_rolls_with_all_that_is_read() {
    let sum = |service: &str| {
        let blueprint = minimal(&format!("{{ image: app{service} }}")).replace(
            "ref: \"app:1\"",
            "ref: \"app:1\", launcher: flokkr, argv: exec, conf: /etc/app",
        );
        let template = pod(&blueprint, "Deployment", "one");
        let sum = template["metadata"]["annotations"]["checksum/config"].as_str();
        sum.unwrap_or_else(|| panic!("no checksum: {service}"))
            .to_owned()
    };
    for place in [
        ", config: { a.properties: { KEY: VALUE, c: \"2\", d: \"3\" } }",
        ", sidecars: { agent: { command: [a], config: { a.properties: { KEY: VALUE, c: \"2\", d: \"3\" } } } }",
        ", sidecars: { agent: { command: [a], files: { /etc/KEY: VALUE } } }",
    ] {
        let with = |key: &str, value: &str| sum(&place.replace("KEY", key).replace("VALUE", value));
        let first = with("b", "one");
        assert_eq!(first, with("b", "one"));
        assert_ne!(first, with("b", "two"), "{place}");
        assert_ne!(first, with("x", "one"), "{place}");
    }
}

/// A start may take as long as the blueprint says: with a startup probe that many failures, without one nothing is
/// killed before. One check of a native sidecar is no startup probe, which would hold back the main container.
#[test]
fn kubernetes_gives_a_start_its_time() {
    let probes = |health: &str, of_sidecar: bool| {
        let service = if of_sidecar {
            format!(
                "{{ image: app, sidecars: {{ agent: {{ command: [a], ports: {{ a: 1 }}, health: {health} }} }} }}"
            )
        } else {
            format!("{{ image: app, ports: {{ a: 1 }}, health: {health} }}")
        };
        let spec = pod(&minimal(&service), "Deployment", "one")["spec"].clone();
        if of_sidecar {
            spec["initContainers"][0].clone()
        } else {
            spec["containers"][0].clone()
        }
    };
    let number = |probe: &Value, key: &str| probe[key].as_u64().unwrap_or_default();
    for (health, within, has_start) in [
        ("{ tcp: a, interval: 7s, within: 60s }", 60, true),
        ("{ tcp: a, interval: 1s, within: 5m }", 300, true),
        (
            "{ start: { tcp: a, interval: 9s, within: 100s }, alive: { tcp: a } }",
            100,
            true,
        ),
        (
            "{ ready: { tcp: a }, alive: { tcp: a, within: 90s } }",
            90,
            false,
        ),
        // What is said for all checks counts where a check says nothing else.
        (
            "{ within: 200s, start: { tcp: a }, alive: { tcp: a } }",
            200,
            true,
        ),
        (
            "{ within: 200s, start: { tcp: a, within: 50s }, alive: { tcp: a } }",
            50,
            true,
        ),
    ] {
        for of_sidecar in [false, true] {
            let container = probes(health, of_sidecar);
            let (start, alive) = (&container["startupProbe"], &container["livenessProbe"]);
            let has_start = has_start && (!of_sidecar || health.contains("start"));
            assert_eq!(!start.is_null(), has_start, "{health}");
            let time = if has_start {
                assert_eq!(number(alive, "initialDelaySeconds"), 0, "{health}");
                number(start, "periodSeconds") * number(start, "failureThreshold")
            } else {
                number(alive, "initialDelaySeconds")
            };
            let interval = number(start, "periodSeconds");
            assert!(
                (within..=within + interval).contains(&time),
                "{health}: {time}"
            );
        }
    }
}

/// Every container of a `restricted` namespace is what the namespace says; what asks for jobs only looks at them. A
/// process that is no root is none either where its image says why it is more than `restricted` allows.
#[test]
fn kubernetes_lets_nobody_do_more_than_is_needed() {
    let of_workloads = ["StatefulSet", "Deployment", "Job"].into_iter();
    let mut seen = 0;
    for workload in of_workloads.flat_map(|kind| kinds(BLUEPRINT, kind)) {
        let spec = &workload["spec"]["template"]["spec"];
        let pod = &spec["securityContext"];
        let lists = [&spec["initContainers"], &spec["containers"]];
        for container in lists.into_iter().flat_map(items) {
            let own = &container["securityContext"];
            let or_of_pod = |key: &str| {
                if own[key].is_null() {
                    &pod[key]
                } else {
                    &own[key]
                }
            };
            assert_eq!(own["allowPrivilegeEscalation"].as_bool(), Some(false));
            assert_eq!(text(&own["capabilities"]["drop"][0]), "ALL");
            assert_eq!(or_of_pod("runAsNonRoot").as_bool(), Some(true));
            assert_ne!(or_of_pod("runAsUser").as_u64(), Some(0));
            seen += 1;
        }
    }
    assert!(seen > 6);
    let role = object(&files(BLUEPRINT, "kubernetes"), "Role", "web");
    for rule in items(&role["rules"]) {
        assert_eq!(text(&rule["apiGroups"][0]), "batch");
        assert_eq!(text(&rule["resources"][0]), "jobs");
        for verb in items(&rule["verbs"]) {
            assert!(["get", "list", "watch"].contains(&text(verb)), "{verb:?}");
        }
    }
    let sudo = minimal("{ image: app }").replace(
        "\"app:1\"",
        "\"app:1\", user: \"1000\", root: it calls sudo",
    );
    let pod = pod(&sudo, "Deployment", "one");
    assert_eq!(
        pod["spec"]["securityContext"]["runAsNonRoot"].as_bool(),
        Some(true)
    );
}

/// What the level of a namespace forbids is not started in it, and what may not be known before the start is said.
#[test]
fn kubernetes_says_what_its_pods_need() {
    let level = |image: &str, service: &str| {
        let blueprint = minimal(&format!("{{ image: app{service} }}"));
        let blueprint = blueprint.replace("\"app:1\"", &format!("\"app:1\"{image}"));
        let emitted = emit(&blueprint, target::find("kubernetes").unwrap());
        let namespace = object(&emitted.files.unwrap(), "Namespace", "demo");
        let level = &namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"];
        (
            text(level).to_owned(),
            emitted.said.matches("does not carry").count(),
        )
    };
    let node = ", volumes: { a: { path: /a, kind: host, source: /srv } }";
    for (image, service, wanted, losses) in [
        (", user: \"1\"", "", "restricted", 0),
        ("", "", "restricted", 1),
        ("", ", user: \"1\"", "restricted", 0),
        (", user: \"0\"", "", "baseline", 1),
        (", root: why", "", "baseline", 0),
        (", user: \"1\"", node, "privileged", 1),
        (", root: why", node, "privileged", 1),
    ] {
        let found = level(image, service);
        assert_eq!(found, (wanted.to_owned(), losses), "{image} {service}");
    }
}

/// Replica N is published on the number plus N, behind the same port of its pod; and a certificate is for every name.
#[test]
fn kubernetes_publishes_each_replica() {
    let ports = "ports: { a: { port: 80, publish: 30100 }, b: { port: 81, publish: 30200 } }";
    let ensemble = format!("{{ image: app, kind: ensemble, replicas: 3, {ports} }}");
    for expose in ["node-port", "load-balancer"] {
        let files = files(&with(&format!("expose: {expose}"), &ensemble), "kubernetes");
        for replica in 0..3u64 {
            let service = object(&files, "Service", &format!("one-{replica}-published"));
            let list = items(&service["spec"]["ports"]);
            for (port, (number, first)) in list.iter().zip([(80, 30100), (81, 30200)]) {
                let published = port["nodePort"].as_u64().or(port["port"].as_u64());
                assert_eq!(published, Some(first + replica), "{expose}");
                let target = port["targetPort"].as_u64().or(port["port"].as_u64());
                assert_eq!(target, Some(number), "{expose}");
            }
        }
    }
    let ingress = with(
        "expose: ingress, ingress: { domain: example.org, tls: web }",
        &ensemble,
    );
    let made = kinds(&ingress, "Ingress");
    assert_eq!(made.len(), 3);
    for (replica, ingress) in made.iter().enumerate() {
        let rules = items(&ingress["spec"]["rules"]).iter();
        let rules: Vec<&str> = rules.map(|r| text(&r["host"])).collect();
        let host = format!("one-{replica}.example.org");
        assert_eq!(rules, [host.clone(), format!("b.{host}")]);
        let tls = items(&ingress["spec"]["tls"]);
        let named = items(&tls[0]["hosts"]).iter().map(text);
        assert_eq!(named.collect::<Vec<_>>(), rules);
    }
}

/// A volume of all replicas is mounted wherever one of them is, what is in memory is on no disk, and the storage
/// class of a volume counts before that of the settings.
#[test]
fn kubernetes_keeps_data_where_it_belongs() {
    let volumes = "all: { path: /all, kind: shared, size: 1Gi }, quick: { path: /quick, kind: memory }, \
                   left: { path: /left, kind: temporary }";
    let blueprint = with(
        "storage-class: fast",
        &format!(
            "{{ image: app, kind: ensemble, replicas: 2, volumes: {{ {volumes}, \
                  own: {{ path: /own, size: 1Gi }}, slow: {{ path: /slow, size: 1Gi, class: tape }} }} }}"
        ),
    );
    let made = files(&blueprint, "kubernetes");
    let set = object(&made, "StatefulSet", "one");
    let all = object(&made, "PersistentVolumeClaim", "one-all");
    let mut claims = vec![(&all["metadata"]["name"], &all["spec"])];
    let templates = items(&set["spec"]["volumeClaimTemplates"]).iter();
    claims.extend(templates.map(|t| (&t["metadata"]["name"], &t["spec"])));
    let claims = claims.into_iter().map(|(name, spec)| {
        let class = text(&spec["storageClassName"]);
        (text(name), text(&spec["accessModes"][0]), class)
    });
    let wanted = [
        ("one-all", "ReadWriteMany", "fast"),
        ("own", "ReadWriteOnce", "fast"),
        ("slow", "ReadWriteOnce", "tape"),
    ];
    assert_eq!(claims.collect::<Vec<_>>(), wanted);
    let volumes = items(&set["spec"]["template"]["spec"]["volumes"]);
    let medium = |name: &str| {
        let mut volumes = volumes.iter();
        let volume = volumes.find(|v| text(&v["name"]) == name).unwrap();
        volume["emptyDir"]["medium"].as_str()
    };
    assert_eq!([medium("quick"), medium("left")], [Some("Memory"), None]);
}

/// A job that is not started again has one try, and its replicas may need each other.
#[test]
fn kubernetes_runs_a_job_as_often_as_it_is_told() {
    let job = |more: &str| {
        let blueprint = minimal(&format!("{{ image: app, kind: job{more} }}"));
        let job = object(&files(&blueprint, "kubernetes"), "Job", "one");
        let number = |key: &str| job["spec"][key].as_u64();
        let policy = &job["spec"]["template"]["spec"]["restartPolicy"];
        let counts = (number("completions"), number("parallelism"));
        (text(policy).to_owned(), number("backoffLimit"), counts)
    };
    assert_eq!(
        job(", restart: never"),
        ("Never".to_owned(), Some(0), (None, None))
    );
    assert_eq!(job(""), ("OnFailure".to_owned(), None, (None, None)));
    let three = (Some(3), Some(3));
    assert_eq!(job(", replicas: 3").2, three);
}

/// Files that differ from replica to replica are one ConfigMap, which holds so much and no more.
#[test]
fn kubernetes_refuses_replicas_files_that_no_config_map_holds() {
    let with = |size: usize| {
        let file = "v".repeat(size);
        let one = format!(
            "{{ image: app, kind: ensemble, replicas: 4, files: {{ /x: \"{{{{ replica.index }}}}{file}\" }} }}"
        );
        emit(&minimal(&one), target::find("kubernetes").unwrap())
    };
    let quarter = super::CONFIG_MAP / 4;
    assert!(with(quarter - 1).files.is_some());
    let refused = with(quarter);
    assert!(refused.files.is_none());
    assert!(refused.said.contains("1048580 bytes"), "{}", refused.said);
}

/// A chart takes the values that it leaves open, and no other name and no other value of what is fixed.
#[test]
fn charts_take_only_what_they_can_use() {
    let blueprint = with(
        "package: helm",
        "{ image: app, kind: ensemble, replicas: \"{{ count }}\", env: { A: \"{{ tag }}\" } }",
    )
    .replace(
        "\nimages",
        "\nvars: { tag: one, count: 3, odd: \"{{ name }} x\" }\nimages",
    );
    let files = files(&blueprint, "kubernetes");
    let named = |name: &str| files.iter().find(|f| f.path == name).unwrap().text.as_str();
    let schema: serde_json::Value = serde_json::from_str(named("values.schema.json")).unwrap();
    assert_eq!(schema["additionalProperties"].as_bool(), Some(false));
    let values = documents(named("values.yaml")).remove(0);
    let open: Vec<&str> = entries(&values).into_iter().map(|(name, _)| name).collect();
    assert!(open.contains(&"tag"), "{open:?}");
    let rules = schema["properties"].as_object().unwrap();
    for (name, rule) in rules
        .iter()
        .filter(|(name, _)| *name != "global" && *name != "profiles")
    {
        let is_open = open.contains(&name.as_str());
        assert_eq!(rule["enum"].is_array(), !is_open, "{name}: {rule}");
    }
    assert!(rules.len() > open.len() + 2, "{rules:?}");
}

/// Replicas are kept apart by what the blueprint names.
#[test]
fn kubernetes_spreads_replicas_as_it_is_told() {
    for (spread, key) in [
        ("host", "kubernetes.io/hostname"),
        ("zone", "topology.kubernetes.io/zone"),
    ] {
        let one = format!("{{ image: app, replicas: 2, placement: {{ spread: {spread} }} }}");
        let template = pod(&minimal(&one), "Deployment", "one");
        let constraint = &template["spec"]["topologySpreadConstraints"][0];
        assert_eq!(text(&constraint["topologyKey"]), key);
        let chosen = &constraint["labelSelector"]["matchLabels"];
        for (label, value) in entries(chosen) {
            assert_eq!(&template["metadata"]["labels"][label], value);
        }
    }
}

/// The script tries ports by TCP: one of UDP would never be open.
#[test]
fn nobody_waits_for_udp() {
    for health in ["", ", health: { command: [ok] }", ", health: { tcp: b }"] {
        for kind in ["", ", kind: ensemble"] {
            let blueprint = format!(
                "blueprint: v1\nname: demo\nimages: {{ app: {{ ref: \"app:1\", user: \"1\" }} }}\nservices:\n\
                 \x20 db: {{ image: app{kind}, ports: {{ a: {{ port: 7001, protocol: udp }}, b: 7002 }}{health} }}\n\
                 \x20 user: {{ image: app, needs: [db] }}\n"
            );
            for target in ["compose", "kubernetes", "nomad"] {
                let files = files(&blueprint, target);
                let mut waiting = files.iter().flat_map(|f| f.text.lines());
                let wrong = waiting.find(|line| line.contains(":7001"));
                assert_eq!(wrong, None, "{target}");
            }
        }
    }
}

/// A volume that is only read can't be written, whoever mounts it; a temporary one has its size; and a sidecar that
/// has the volumes of its service unless it is told that it has none.
#[test]
fn kubernetes_mounts_what_was_asked_for() {
    let volumes = "a: { path: /a, kind: temporary, size: 64Mi, readonly: true }, b: { path: /b, kind: temporary }";
    let template = pod(
        &minimal(&format!(
            "{{ image: app, volumes: {{ {volumes} }}, sidecars: {{ bare: {{ command: [a], volumes: false }}, all: {{ command: [a] }} }} }}"
        )),
        "Deployment",
        "one",
    );
    let spec = &template["spec"];
    let containers = [&spec["initContainers"], &spec["containers"]];
    let mounted = |name: &str| -> Vec<(String, bool)> {
        let mut all = containers.into_iter().flat_map(items);
        let container = all.find(|c| text(&c["name"]) == name).unwrap();
        let mounts = container["volumeMounts"].as_sequence();
        let mounts = mounts.into_iter().flatten().map(|m| {
            let readonly = m["readOnly"].as_bool().unwrap_or_default();
            (text(&m["mountPath"]).to_owned(), readonly)
        });
        mounts.collect()
    };
    let both = [("/a".to_owned(), true), ("/b".to_owned(), false)];
    assert_eq!(mounted("one"), both);
    assert_eq!(mounted("all"), both);
    assert_eq!(mounted("bare"), []);
    let first = items(&spec["volumes"])
        .iter()
        .find(|v| text(&v["name"]) == "a");
    let limit = &first.unwrap()["emptyDir"]["sizeLimit"];
    assert_eq!(text(limit), "64Mi");
}

/// A UDP port is one everywhere; the ports of a sidecar are its container's.
#[test]
fn kubernetes_opens_the_ports_of_each_container() {
    let files = files(
        &minimal(
            "{ image: app, ports: { a: { port: 7001, protocol: udp }, b: 7002 }, \
               sidecars: { agent: { command: [a], ports: { c: 7003 } } } }",
        ),
        "kubernetes",
    );
    let spec = &object(&files, "Deployment", "one")["spec"]["template"]["spec"];
    let opened = |container: &Value| -> Vec<(u64, bool)> {
        let ports = items(&container["ports"]).iter().map(|p| {
            let udp = p["protocol"].as_str() == Some("UDP");
            (p["containerPort"].as_u64().unwrap(), udp)
        });
        ports.collect()
    };
    assert_eq!(
        opened(&spec["containers"][0]),
        [(7001, true), (7002, false)]
    );
    assert_eq!(opened(&spec["initContainers"][0]), [(7003, false)]);
    let service = object(&files, "Service", "one");
    let ports = items(&service["spec"]["ports"]).iter();
    let udp = ports.filter(|p| p["protocol"].as_str() == Some("UDP"));
    assert_eq!(
        udp.map(|p| p["port"].as_u64()).collect::<Vec<_>>(),
        [Some(7001)]
    );
}

/// A check has the time and the tries that it is given, in whole seconds and not fewer.
#[test]
fn kubernetes_checks_as_it_is_told() {
    let template = pod(
        &minimal(
            "{ image: app, ports: { a: 1 }, health: { ready: { tcp: a, interval: 20s, timeout: 1500ms, retries: 1 } } }",
        ),
        "Deployment",
        "one",
    );
    let probe = &template["spec"]["containers"][0]["readinessProbe"];
    let number = |key: &str| probe[key].as_u64();
    assert_eq!(number("periodSeconds"), Some(20));
    assert_eq!(number("timeoutSeconds"), Some(2));
    assert_eq!(number("failureThreshold"), Some(1));
}

/// A service is a StatefulSet if any of its volumes is its own, and containers share their processes if any sidecar
/// asks for that.
#[test]
fn one_of_many_is_enough_for_kubernetes() {
    for volumes in [
        "a: { path: /a, kind: temporary }, b: { path: /b, size: 1Gi }",
        "b: { path: /b, size: 1Gi }, a: { path: /a, kind: temporary }",
    ] {
        let blueprint = minimal(&format!("{{ image: app, volumes: {{ {volumes} }} }}"));
        assert_eq!(kinds(&blueprint, "StatefulSet").len(), 1, "{volumes}");
    }
    for (first, second, shared) in [
        (true, false, Some(true)),
        (false, true, Some(true)),
        (false, false, None),
    ] {
        let template = pod(
            &minimal(&format!(
                "{{ image: app, sidecars: {{ a: {{ command: [a], processes: {first} }}, b: {{ command: [b], processes: {second} }} }} }}"
            )),
            "Deployment",
            "one",
        );
        assert_eq!(template["spec"]["shareProcessNamespace"].as_bool(), shared);
    }
}

/// Nodes are drained of one replica at a time, and a pod is near each service that it should be near.
#[test]
fn kubernetes_keeps_what_belongs_together() {
    let blueprint = minimal("{ image: app, replicas: 3, placement: { with: [two, three] } }")
        + "  two: { image: app }\n  three: { image: app }\n";
    let files = files(&blueprint, "kubernetes");
    let budget = object(&files, "PodDisruptionBudget", "one");
    assert_eq!(budget["spec"]["maxUnavailable"].as_u64(), Some(1));
    let affinity = &object(&files, "Deployment", "one")["spec"]["template"]["spec"]["affinity"];
    let near = &affinity["podAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"];
    let names = items(near).iter().map(|term| {
        let labels = &term["podAffinityTerm"]["labelSelector"]["matchLabels"];
        text(&labels["app.kubernetes.io/name"])
    });
    assert_eq!(names.collect::<Vec<_>>(), ["two", "three"]);
}

/// Labels that select pods are Kubernetes' own: the blueprint's can't take their place, which is said; what is no
/// label is an annotation.
#[test]
fn kubernetes_keeps_labels_apart() {
    let blueprint = minimal(
        "{ image: app, labels: { app.kubernetes.io/name: other, example.org/note: \"two words\" } }",
    );
    let emitted = emit(&blueprint, target::find("kubernetes").unwrap());
    assert!(
        emitted.said.contains("the label `app.kubernetes.io/name`"),
        "{}",
        emitted.said
    );
    let template = pod(&blueprint, "Deployment", "one");
    let metadata = &template["metadata"];
    assert_eq!(text(&metadata["labels"]["app.kubernetes.io/name"]), "one");
    let note = &metadata["annotations"]["example.org/note"];
    assert_eq!(text(note), "two words");
}

/// A text that is there with two modes is two files, and what its owner may execute the pod's group may, too: the
/// files are root's.
#[test]
fn kubernetes_gives_files_their_modes() {
    let template = pod(
        &minimal(
            "{ image: app, files: { /a: { text: x, mode: \"0700\" }, /b: { text: x, mode: \"0600\" } } }",
        ),
        "Deployment",
        "one",
    );
    let spec = &template["spec"];
    let mode = |path: &str| {
        let mut mounts = items(&spec["containers"][0]["volumeMounts"]).iter();
        let mount = mounts.find(|m| text(&m["mountPath"]) == path).unwrap();
        let mut volumes = items(&spec["volumes"]).iter();
        let volume = volumes.find(|v| v["name"] == mount["name"]).unwrap();
        let mut all = items(&volume["configMap"]["items"]).iter();
        let item = all.find(|i| i["path"] == mount["subPath"]).unwrap();
        item["mode"].as_u64().unwrap()
    };
    assert_eq!(mode("/a"), 0o710);
    assert_eq!(mode("/b"), 0o600);
}

/// What a pod can't do is said: to end without another start, by another signal, its sidecars last.
#[test]
fn kubernetes_says_what_a_pod_can_not_do() {
    for (settings, service, loss) in [
        ("", "restart: never", "is always restarted"),
        ("", "restart: on-failure", "is always restarted"),
        ("", "stop: { signal: SIGINT }", "the stop signal SIGINT"),
        (
            "version: \"1.28\"",
            "sidecars: { agent: { command: [a] } }",
            "ends after the main process",
        ),
    ] {
        let blueprint = with(settings, &format!("{{ image: app, {service} }}"));
        let emitted = emit(&blueprint, target::find("kubernetes").unwrap());
        assert!(emitted.said.contains(loss), "{service}: {}", emitted.said);
    }
}

/// Only the versions that know `sleep` are given it, and its time is the pod's as well.
#[test]
fn kubernetes_sleeps_before_the_end() {
    for (version, knows) in [("1.28", false), ("1.29", false), ("1.30", true)] {
        let blueprint = with(
            &format!("version: \"{version}\""),
            "{ image: app, stop: { before: [sleep, \"7\"], grace: 40s } }",
        );
        let spec = pod(&blueprint, "Deployment", "one")["spec"].clone();
        let before = &spec["containers"][0]["lifecycle"]["preStop"];
        assert_eq!(before["sleep"]["seconds"].as_u64() == Some(7), knows);
        assert_eq!(before["exec"].is_null(), knows, "{version}");
        let whole = spec["terminationGracePeriodSeconds"].as_u64();
        assert_eq!(whole, Some(47), "{version}");
    }
    // No second is one that older versions don't take.
    let spec = pod(
        &minimal("{ image: app, stop: { before: [sleep, \"0\"] } }"),
        "Deployment",
        "one",
    )["spec"]
        .clone();
    let before = &spec["containers"][0]["lifecycle"]["preStop"];
    assert!(before["sleep"].is_null());
    assert_eq!(items(&before["exec"]["command"]).len(), 2);
}

/// An annotation of the blueprint is there once, and counts; the checksum has a name of its own.
#[test]
fn kubernetes_annotates_nothing_twice() {
    let service = |labels: &str| {
        minimal(&format!(
            "{{ image: app, ports: {{ metrics: 9090 }}, labels: {{ {labels} }} }}"
        ))
    };
    let template = pod(&service("prometheus.io/path: /custom"), "Deployment", "one");
    let annotations = entries(&template["metadata"]["annotations"]);
    let value = |key: &str| {
        let values = annotations.iter().filter(|(k, _)| *k == key);
        values.map(|(_, v)| text(v)).collect::<Vec<_>>()
    };
    assert_eq!(value("prometheus.io/path"), ["/custom"]);
    assert_eq!(value("prometheus.io/port"), ["9090"]);
    let refused = emit(
        &service("checksum/config: \"a b\""),
        target::find("kubernetes").unwrap(),
    );
    assert!(refused.files.is_none(), "{}", refused.said);
    assert!(
        refused.said.contains("`checksum/config`"),
        "{}",
        refused.said
    );
}

/// However alike the names of secrets are, each has a variable of its own, which nothing else has.
#[test]
fn kubernetes_tells_secrets_apart() {
    let blueprint = format!(
        "{}secrets: {{ a-b: {{ external: one }}, a_b: {{ external: two }}, a_b_2: {{ external: three }} }}\n",
        minimal(
            "{ image: app, env: { X: \"x{{ secret('a-b') }}\", Y: \"y{{ secret('a_b') }}\", Z: \"z{{ secret('a_b_2') }}\", SECRET_A_B: own } }"
        )
    );
    let template = pod(&blueprint, "Deployment", "one");
    let env = items(&template["spec"]["containers"][0]["env"]);
    let of = |name: &str| {
        let mut found = env.iter().filter(|v| text(&v["name"]) == name);
        let first = found.next().unwrap_or_else(|| panic!("no {name}"));
        assert!(found.next().is_none(), "{name} twice");
        first.clone()
    };
    assert_eq!(text(&of("SECRET_A_B")["value"]), "own");
    for (name, before, secret) in [("X", "x", "one"), ("Y", "y", "two"), ("Z", "z", "three")] {
        let value = of(name);
        let reference = text(&value["value"])
            .strip_prefix(before)
            .unwrap()
            .to_owned();
        let variable = reference
            .strip_prefix("$(")
            .unwrap()
            .strip_suffix(')')
            .unwrap()
            .to_owned();
        assert_eq!(
            text(&of(&variable)["valueFrom"]["secretKeyRef"]["name"]),
            secret
        );
    }
}

/// The words of the container that waits in a pod, without the shell and its script.
fn awaited(template: &Value) -> Vec<String> {
    let step = &template["spec"]["initContainers"][0];
    let words = items(&step["command"]).iter().skip(2);
    words.map(|w| text(w).to_owned()).collect()
}

/// A cluster of one service, and another that needs it.
fn needed(settings: &str, service: &str, need: &str) -> String {
    let user = format!("  user: {{ image: app, needs: {{ {need} }} }}\ntargets");
    with(settings, service).replace("targets", &user)
}

/// Pods are numbered from where the blueprint says, and whoever looks for them looks there.
#[test]
fn kubernetes_numbers_pods_as_it_is_told() {
    for (settings, first) in [
        ("", 0),
        ("ordinals: { one: 0 }", 0),
        ("ordinals: { one: 1 }", 1),
    ] {
        let settings = format!("expose: load-balancer, {settings}");
        let blueprint = needed(
            &settings,
            "{ image: app, kind: ensemble, replicas: 2, ports: { a: { port: 7, publish: 7001 } } }",
            "one.a: all",
        );
        let set = object(&files(&blueprint, "kubernetes"), "StatefulSet", "one");
        let start = set["spec"]["ordinals"]["start"].as_u64().unwrap_or(0);
        assert_eq!(start, first, "{settings}");
        let names = [first, first + 1].map(|number| format!("one-{number}"));
        let words = awaited(&pod(&blueprint, "Deployment", "user"));
        let hosts = words[1..].iter().map(|w| w.split('.').next().unwrap());
        assert_eq!(hosts.collect::<Vec<_>>(), names, "{settings}");
        let published = kinds(&blueprint, "Service")
            .into_iter()
            .filter_map(|service| {
                let selector = &service["spec"]["selector"]["statefulset.kubernetes.io/pod-name"];
                selector.as_str().map(str::to_owned)
            });
        assert_eq!(published.collect::<Vec<_>>(), names, "{settings}");
    }
}

/// So many replicas must answer as are needed. Those that share a name can't be told apart: that is said.
#[test]
fn kubernetes_waits_for_as_many_as_are_needed() {
    for (quorum, least) in [("all", "3"), ("majority", "2"), ("any", "1")] {
        let ensemble = "{ image: app, kind: ensemble, replicas: 3, ports: { a: 1 } }";
        let blueprint = needed("", ensemble, &format!("one.a: {quorum}"));
        let words = awaited(&pod(&blueprint, "Deployment", "user"));
        assert_eq!((words[0].as_str(), words.len()), (least, 4), "{quorum}");
    }
    for (kind, is_said) in [
        ("", false),
        (", kind: daemon", true),
        (", replicas: 2", true),
        (", kind: ensemble, replicas: 2", false),
    ] {
        for health in ["", ", health: { tcp: a }"] {
            let service = format!("{{ image: app, ports: {{ a: 1 }}{kind}{health} }}");
            let blueprint = needed("", &service, "one: all");
            let said = emit(&blueprint, target::find("kubernetes").unwrap()).said;
            let is_heard = said.contains("the replicas of `one` share one name");
            assert_eq!(is_heard, is_said, "{service}: {said}");
        }
    }
}

/// A secret is a file with each of the modes that it is asked for with, and is found by the name and key it has.
#[test]
fn kubernetes_mounts_secrets_as_they_are_asked_for() {
    let template = pod(
        &minimal(
            "{ image: app, secrets: { key: { path: /a, mode: \"0400\" } }, sidecars: { s: { command: [s], \
             secrets: { key: { path: /b, mode: \"0444\" }, other: null } } } }",
        )
        .replace(
            "\nservices",
            "\nsecrets: { key: { external: there/item }, other: { external: alone } }\nservices",
        ),
        "Deployment",
        "one",
    );
    let spec = &template["spec"];
    let mounted = |path: &str| {
        let containers = items(&spec["containers"]).iter();
        let containers = containers.chain(items(&spec["initContainers"]));
        let mut mounts = containers.flat_map(|c| items(&c["volumeMounts"]));
        let mount = mounts.find(|m| text(&m["mountPath"]) == path).unwrap();
        let mut volumes = items(&spec["volumes"]).iter();
        let volume = volumes.find(|v| v["name"] == mount["name"]).unwrap();
        let secret = &volume["secret"];
        let mode = [&secret["items"][0]["mode"], &secret["defaultMode"]];
        let mode = mode.into_iter().find_map(Value::as_u64);
        let key = text(&secret["items"][0]["key"]).to_owned();
        (text(&secret["secretName"]).to_owned(), key, mode)
    };
    let there = |mode| ("there".to_owned(), "item".to_owned(), Some(mode));
    assert_eq!(mounted("/a"), there(0o400));
    assert_eq!(mounted("/b"), there(0o444));
    let (name, key, _) = mounted("/run/secrets/other");
    assert_eq!([name.as_str(), key.as_str()], ["alone", "other"]);
    let refused = minimal("{ image: app, secrets: { key: null } }").replace(
        "\nservices",
        "\nsecrets: { key: { external: a/b/c } }\nservices",
    );
    let said = emit(&refused, target::find("kubernetes").unwrap()).said;
    assert!(said.contains("`b/c` can't be a key of a Secret"), "{said}");
}

/// What several services read is there whenever one of them is: with their profiles, or always.
#[test]
fn kubernetes_has_shared_config_with_whoever_reads_it() {
    let paths = |one: &str, two: &str| {
        let service = |profiles: &str| {
            format!("{{ image: app, profiles: [{profiles}], config: {{ use: [common] }} }}")
        };
        let blueprint = sharing(&service(one), &format!("  two: {}\n", service(two)));
        let files = files(&blueprint, "kubernetes");
        let maps = files
            .into_iter()
            .filter(|f| f.path.as_str().ends_with("-configmap.yaml"));
        let mut paths: Vec<String> = maps.map(|f| f.path.to_string()).collect();
        paths.sort();
        paths
    };
    let map = "config-common-configmap.yaml";
    assert_eq!(paths("", ""), [map]);
    assert_eq!(paths("x", ""), [map]);
    assert_eq!(paths("", "x"), [map]);
    assert_eq!(paths("x", "x"), [format!("profiles/x/{map}")]);
    let both = ["x", "y"].map(|profile| format!("profiles/{profile}/{map}"));
    assert_eq!(paths("x", "y"), both);
}

/// What belongs to several profiles is in a chart whenever one of them is asked for.
#[test]
fn charts_have_what_one_of_its_profiles_asks_for() {
    for (profiles, asked) in [
        ("x", "{{- if or (has \"x\" .Values.profiles) }}\n"),
        (
            "x, y",
            "{{- if or (has \"x\" .Values.profiles) (has \"y\" .Values.profiles) }}\n",
        ),
    ] {
        let service = format!("{{ image: app, profiles: [{profiles}] }}");
        let files = files(&with("package: helm", &service), "kubernetes");
        let one = files
            .iter()
            .find(|f| f.path == "templates/one-deployment.yaml");
        let text = &one.unwrap().text;
        assert!(text.starts_with(asked), "{text}");
        assert!(text.ends_with("{{- end }}\n"), "{text}");
    }
}

/// Prometheus is told in the one way that was asked for.
#[test]
fn kubernetes_is_scraped_once() {
    for (metrics, annotated, monitored) in [
        ("", true, false),
        ("metrics: annotations", true, false),
        ("metrics: pod-monitor", false, true),
        ("metrics: none", false, false),
    ] {
        let blueprint = with(metrics, "{ image: app, ports: { metrics: 9404 } }");
        let annotations = pod(&blueprint, "Deployment", "one")["metadata"]["annotations"].clone();
        let port = annotations["prometheus.io/port"].as_str();
        assert_eq!(port, annotated.then_some("9404"), "{metrics}");
        assert_eq!(
            !kinds(&blueprint, "PodMonitor").is_empty(),
            monitored,
            "{metrics}"
        );
    }
}

/// A node has certain ports only: of others the server chooses one, which is said.
#[test]
fn kubernetes_asks_nodes_for_ports_that_they_have() {
    for (number, is_one) in [
        (29_999, false),
        (30_000, true),
        (32_767, true),
        (32_768, false),
    ] {
        let blueprint = with(
            "expose: node-port",
            &format!("{{ image: app, ports: {{ a: {{ port: 1, publish: {number} }} }} }}"),
        );
        let service = object(&files(&blueprint, "kubernetes"), "Service", "one-published");
        let port = service["spec"]["ports"][0]["nodePort"].as_u64();
        assert_eq!(port, is_one.then_some(number));
        let said = emit(&blueprint, target::find("kubernetes").unwrap()).said;
        assert_eq!(!said.contains("the server chooses it"), is_one, "{said}");
    }
}

/// A file that others may not read is root's: the pod has the group of whoever reads it, sidecar or not.
#[test]
fn kubernetes_lets_sidecars_read_what_is_theirs() {
    let private = "files: { /x: { text: a, mode: \"0600\" } }";
    for (main, sidecar, group) in [
        ("", "", None),
        (private, "", Some(6)),
        ("", private, Some(8)),
        ("volumes: { data: { path: /data } }", private, Some(6)),
    ] {
        let blueprint = minimal(&format!(
            "{{ image: app, user: \"5:6\", sidecars: {{ s: {{ command: [s], user: \"7:8\", {sidecar} }} }}, {main} }}"
        ));
        let kind = if main.contains("volumes") {
            "StatefulSet"
        } else {
            "Deployment"
        };
        let template = pod(&blueprint, kind, "one");
        let found = &template["spec"]["securityContext"]["fsGroup"];
        assert_eq!(found.as_u64(), group, "{main}, {sidecar}");
    }
}

/// A job has a name where it has ports; a patch of what is not made is a mistake.
#[test]
fn kubernetes_makes_what_is_named() {
    let services = |service: &str| kinds(&minimal(service), "Service").len();
    assert_eq!(services("{ image: app, kind: job }"), 0);
    assert_eq!(services("{ image: app, kind: job, ports: { a: 1 } }"), 1);
    assert_eq!(services("{ image: app }"), 1);
    for (kind, is_made) in [
        ("Deployment", true),
        ("Ingress", false),
        ("StatefulSet", false),
    ] {
        let patch = format!("{kind}: {{ metadata: {{ labels: {{ a: b }} }} }}");
        let blueprint = minimal(&format!(
            "{{ image: app, patch: {{ kubernetes: {{ {patch} }} }} }}"
        ));
        let said = takes("kubernetes", &blueprint, is_made);
        let what = format!("no {kind} is made for `one`");
        assert_eq!(!said.contains(&what), is_made, "{said}");
    }
}

/// By an Ingress HTTP is reached, not UDP: that is said, whichever comes first.
#[test]
fn kubernetes_lets_in_what_an_ingress_passes() {
    let tcp = "a: { port: 1, publish: 7001 }";
    let udp = "b: { port: 2, publish: 7002, protocol: udp }";
    for (ports, hosts, is_said) in [
        (vec![tcp], 1, false),
        (vec![udp], 0, true),
        (vec![udp, tcp], 1, true),
        (vec![tcp, udp], 1, true),
    ] {
        let blueprint = with(
            "expose: ingress, ingress: { domain: example.org }",
            &format!("{{ image: app, ports: {{ {} }} }}", ports.join(", ")),
        );
        let all = kinds(&blueprint, "Ingress");
        let rules = all.iter().flat_map(|i| items(&i["spec"]["rules"]).to_vec());
        assert_eq!(rules.count(), hosts, "{ports:?}");
        let said = emit(&blueprint, target::find("kubernetes").unwrap()).said;
        assert_eq!(said.contains("not UDP"), is_said, "{said}");
    }
}

/// A load balancer listens on what is published, of each replica on the next number, and leads to the container's.
#[test]
fn kubernetes_balances_what_is_published() {
    for (kind, names) in [
        ("", &["one-published"][..]),
        (
            ", kind: ensemble, replicas: 2",
            &["one-0-published", "one-1-published"],
        ),
    ] {
        let blueprint = with(
            "expose: load-balancer",
            &format!("{{ image: app{kind}, ports: {{ a: {{ port: 1, publish: 7001 }} }} }}"),
        );
        let files = files(&blueprint, "kubernetes");
        for (number, name) in (7001..).zip(names) {
            let port = object(&files, "Service", name)["spec"]["ports"][0].clone();
            assert_eq!(port["port"].as_u64(), Some(number), "{name}");
            assert_eq!(port["targetPort"].as_u64(), Some(1), "{name}");
        }
    }
}

/// Nobody is kept from root who has a reason to be root, whoever runs beside them; and the others are.
#[test]
fn kubernetes_lets_root_be_who_has_to() {
    for (main, sidecar) in [(true, false), (false, true), (true, true), (false, false)] {
        let image = |is_root: bool| if is_root { "rooted" } else { "app" };
        let blueprint = format!(
            "blueprint: v1\nname: demo\nimages:\n  app: {{ ref: \"app:1\", user: \"5\" }}\n  \
             rooted: {{ ref: \"rooted:1\", user: \"0\", root: why }}\nservices:\n  one: {{ image: {}, \
             sidecars: {{ s: {{ image: {}, command: [s] }} }} }}\n",
            image(main),
            image(sidecar)
        );
        let spec = pod(&blueprint, "Deployment", "one")["spec"].clone();
        let whole = spec["securityContext"]["runAsNonRoot"].as_bool();
        let of = |container: &Value| container["securityContext"]["runAsNonRoot"].as_bool();
        for (container, is_root) in [
            (&spec["containers"][0], main),
            (&spec["initContainers"][0], sidecar),
        ] {
            let is_kept = of(container).or(whole).unwrap_or(false);
            assert_eq!(is_kept, !is_root, "{main}, {sidecar}: {spec:?}");
        }
    }
}

/// A sidecar that runs a command before its signal has the usual time behind it.
#[test]
fn kubernetes_gives_sidecars_time_behind_their_commands() {
    for (stop, whole) in [
        // All commands start at once; a native sidecar gets its signal when the others have ended, after 30 seconds.
        ("before: [sleep, \"7\"]", 60),
        ("before: [sleep, \"40\"]", 70),
        ("before: [sleep, \"7\"], grace: 10s", 40),
        ("grace: 10s", 40),
    ] {
        let blueprint = minimal(&format!(
            "{{ image: app, sidecars: {{ s: {{ command: [s], stop: {{ {stop} }} }} }} }}"
        ));
        let spec = pod(&blueprint, "Deployment", "one")["spec"].clone();
        let found = spec["terminationGracePeriodSeconds"].as_u64();
        assert_eq!(found, Some(whole), "{stop}");
    }
}

/// What has no claim of its own is refused, and does not share one.
#[test]
fn kubernetes_shares_no_data_unasked() {
    for (service, taken) in [
        ("kind: daemon", false),
        ("kind: job, replicas: 2", false),
        ("kind: job", true),
        ("kind: ensemble, replicas: 2", true),
    ] {
        let blueprint = minimal(&format!(
            "{{ image: app, {service}, volumes: {{ data: {{ path: /data }} }} }}"
        ));
        takes("kubernetes", &blueprint, taken);
    }
}

/// A check by HTTP asks for its path, at its port.
#[test]
fn kubernetes_asks_for_what_a_check_names() {
    for (http, path) in [
        ("{ port: b }", "/"),
        ("{ port: b, path: /status?x=1 }", "/status?x=1"),
    ] {
        let blueprint = minimal(&format!(
            "{{ image: app, ports: {{ a: 1, b: 2 }}, health: {{ http: {http} }} }}"
        ));
        let container = pod(&blueprint, "Deployment", "one")["spec"]["containers"][0].clone();
        for probe in ["readinessProbe", "livenessProbe"] {
            let get = &container[probe]["httpGet"];
            assert_eq!(text(&get["path"]), path);
            assert!(get["port"].as_str() == Some("b") || get["port"].as_u64() == Some(2));
        }
    }
}

/// Two secrets whose names Kubernetes can't tell apart are refused: one would be the other.
#[test]
fn kubernetes_refuses_secrets_of_one_name() {
    for (second, taken) in [
        ("b_a", false),
        ("A_b", true),
        ("other", true),
        ("B-a", false),
    ] {
        let blueprint = format!(
            "{}secrets: {{ b-a: {{ env: ONE }}, {second}: {{ env: TWO }} }}\n",
            minimal(&format!(
                "{{ image: app, env: {{ X: \"{{{{ secret('b-a') }}}}\", Y: \"{{{{ secret('{second}') }}}}\" }} }}"
            ))
        );
        takes("kubernetes", &blueprint, taken);
    }
}

/// A majority is awaited one by one, also where a Service knows who is ready.
#[test]
fn kubernetes_waits_for_a_majority_of_what_is_ready() {
    let service =
        "{ image: app, kind: ensemble, replicas: 3, ports: { a: 1 }, health: { tcp: a } }";
    for (quorum, least, hosts) in [("all", "3", 3), ("majority", "2", 3), ("any", "1", 1)] {
        let blueprint = needed("", service, &format!("one: {quorum}"));
        let words = awaited(&pod(&blueprint, "Deployment", "user"));
        assert_eq!(
            (words[0].as_str(), words.len()),
            (least, 1 + hosts),
            "{quorum}"
        );
    }
}

/// The port of metrics is scraped whatever ports stand beside it.
#[test]
fn kubernetes_monitors_one_port_of_many() {
    let monitored = |ports: &str| {
        let blueprint = with(
            "metrics: pod-monitor",
            &format!("{{ image: app, ports: {{ {ports} }} }}"),
        );
        kinds(&blueprint, "PodMonitor").len()
    };
    assert_eq!(monitored("web: 80, metrics: 9404"), 1);
    assert_eq!(monitored("metrics: 9404, web: 80"), 1);
    assert_eq!(monitored("web: 80"), 0);
    assert_eq!(monitored(""), 0);
}

/// Each port that is let in has a host name of its own; without a domain there is none, which is refused.
#[test]
fn kubernetes_names_what_is_let_in() {
    let service = |count: u32| {
        let ports = (0..count).map(|at| format!("p{at}: {{ port: {}, publish: true }}", 80 + at));
        format!(
            "{{ image: app, ports: {{ {} }} }}",
            ports.collect::<Vec<_>>().join(", ")
        )
    };
    let ingress = "expose: ingress, ingress: { domain: example.org }";
    for count in 1..4 {
        let ingress = kinds(&with(ingress, &service(count)), "Ingress").remove(0);
        let rules = items(&ingress["spec"]["rules"]).iter();
        let mut hosts: Vec<&str> = rules.map(|rule| text(&rule["host"])).collect();
        assert_eq!(hosts[0], "one.example.org");
        hosts.sort_unstable();
        hosts.dedup();
        assert_eq!(hosts.len(), usize::try_from(count).unwrap(), "{hosts:?}");
    }
    for (settings, taken) in [
        (ingress, true),
        ("expose: ingress", false),
        ("expose: ingress, domain: cluster.local", false),
    ] {
        takes("kubernetes", &with(settings, &service(1)), taken);
    }
}

/// Pods are waited for by their names where they have any, else by that of all.
#[test]
fn kubernetes_waits_by_names_that_there_are() {
    for (kind, hosts) in [
        ("", &["one"][..]),
        ("replicas: 2", &["one"]),
        ("kind: ensemble", &["one"]),
        ("kind: ensemble, replicas: 2", &["one-0", "one-1"]),
    ] {
        let service = format!("{{ image: app, ports: {{ a: 1 }}, {kind} }}");
        let words = awaited(&pod(
            &needed("", &service, "one.a: all"),
            "Deployment",
            "user",
        ));
        let found: Vec<&str> = words[1..]
            .iter()
            .map(|w| w.split('.').next().unwrap())
            .collect();
        assert_eq!(found, hosts, "{kind}");
    }
}

/// The namespace that is everybody's is not made, and has no level that a cluster gave it.
#[test]
fn kubernetes_makes_only_a_namespace_of_its_own() {
    for (settings, made) in [
        ("namespace: default", None),
        ("namespace: own", Some("own")),
        ("", Some("demo")),
    ] {
        let found = kinds(&with(settings, "{ image: app }"), "Namespace");
        let names: Vec<&str> = found.iter().map(|o| text(&o["metadata"]["name"])).collect();
        assert_eq!(names, Vec::from_iter(made), "{settings}");
    }
}

/// Keys of files and names of objects are such as the API server takes, however they are called.
#[test]
fn kubernetes_names_files_and_groups_as_it_can() {
    for name in ["..a", ".a", "...", "A b", "ä"] {
        let service = format!("{{ image: app, files: {{ \"/x/{name}\": text }} }}");
        let maps = kinds(&minimal(&service), "ConfigMap");
        let keys: Vec<&str> = maps
            .iter()
            .flat_map(|map| entries(&map["data"]).into_iter().map(|(key, _)| key))
            .collect();
        let [key] = keys.as_slice() else {
            panic!("{name}: {keys:?}");
        };
        assert!(!key.starts_with('.'), "{key}");
        let fine = |c: char| c.is_ascii_alphanumeric() || "-._".contains(c);
        assert!(key.chars().all(fine), "{key}");
        // It is mounted where it belongs, whatever its key.
        let spec = pod(&minimal(&service), "Deployment", "one")["spec"].clone();
        let mounts = items(&spec["containers"][0]["volumeMounts"]);
        let mount = mounts
            .iter()
            .find(|m| text(&m["mountPath"]) == format!("/x/{name}"));
        assert_eq!(text(&mount.unwrap()["subPath"]), *key);
    }
    let blueprint = sharing(
        "{ image: app, config: { use: [common] } }",
        "  two: { image: app, config: { use: [common] } }\n",
    )
    .replace("common", "Hdfs_Site");
    let maps = kinds(&blueprint, "ConfigMap");
    let names: Vec<&str> = maps.iter().map(|o| text(&o["metadata"]["name"])).collect();
    assert_eq!(names, ["config-hdfs-site"]);
}

/// The version among the labels is the tag, with a digest behind it or a port before it.
#[test]
fn kubernetes_labels_pods_with_the_tag() {
    let digest = "0123456789abcdef".repeat(4);
    for (reference, tag) in [
        ("app:1.2".to_owned(), Some("1.2")),
        (format!("app:1.2@sha256:{digest}"), Some("1.2")),
        (format!("host:5000/app@sha256:{digest}"), None),
        ("host:5000/app:3".to_owned(), Some("3")),
    ] {
        let blueprint = minimal("{ image: app }").replace("app:1", &reference);
        let template = pod(&blueprint, "Deployment", "one");
        let label = template["metadata"]["labels"]["app.kubernetes.io/version"].as_str();
        assert_eq!(label, tag, "{reference}");
    }
}

/// A script before an image that is built runs the image's own command for a service without words.
#[test]
fn kubernetes_runs_the_own_command_behind_a_script() {
    let blueprint = |build: &str| {
        minimal(
            "{ image: app, kind: ensemble, replicas: 2, env: { FIRST: \"{{ 1 if replica.index == 0 else omit }}\" } }",
        )
        .replace(
            "ref: \"app:1\"",
            &format!("ref: \"app:1\", user: \"1000\", build: {{ base: \"b:1\", entrypoint: [/enter]{build} }}"),
        )
    };
    let files = files(&blueprint(", command: [serve, \"a b\"]"), "kubernetes");
    let line = "  one-0) exec env FIRST=1 /enter serve 'a b' ;;";
    assert!(files.iter().any(|f| f.text.contains(line)));
    // What it would run is not known of a base.
    let said = takes("kubernetes", &blueprint(""), false);
    assert!(said.contains("the values of `FIRST`"), "{said}");
}

/// A pod of a chart has the checksum of what is there.
#[test]
fn charts_count_nothing_that_a_patch_removes() {
    let service = "{ image: app, config: { use: [common] } }";
    let two = "  two: { image: app, config: { use: [common] }, files: { /x: text } }\n";
    let patched = |patch: &str| {
        let settings = format!("targets: {{ kubernetes: {{ package: helm{patch} }} }}\n");
        files(
            &format!("{}{settings}", sharing(service, two)),
            "kubernetes",
        )
    };
    let map = "config-common-configmap.yaml";
    for (patch, counted) in [
        ("", true),
        (", patch: { ConfigMap/config-common: null }", false),
    ] {
        let files = patched(patch);
        let is_there = files
            .iter()
            .any(|f| f.path.as_str() == format!("templates/{map}"));
        assert_eq!(is_there, counted);
        let of_two = files
            .iter()
            .find(|f| f.path == "templates/two-deployment.yaml");
        let text = &of_two.unwrap().text;
        assert!(text.contains("/two-files-configmap.yaml"), "{text}");
        assert_eq!(text.contains(&format!("/{map}")), counted, "{text}");
    }
}

/// A chart has a version that Helm takes.
#[test]
fn charts_have_versions_of_three_numbers() {
    for (version, taken) in [
        ("1.2.0", true),
        ("0.0.10", true),
        ("1.0", false),
        ("1.02.0", false),
        ("1.2.00", false),
        ("1.2.+3", false),
        ("1.2.3.4", false),
        ("1..2", false),
    ] {
        let settings = format!("package: helm, chart-version: \"{version}\"");
        takes("kubernetes", &with(&settings, "{ image: app }"), taken);
    }
}

/// A number that does something else where it is 1 is no value of a chart.
#[test]
fn charts_try_numbers_on_both_sides() {
    for (count, limit, open) in [
        (2, 1, false),
        (3, 1, false),
        (4, 1, false),
        (2, 29, true),
        (3, 29, true),
    ] {
        let blueprint = with(
            "package: helm",
            &format!(
                "{{ image: app, env: {{ N: \"{{{{ count }}}}\", A: \"{{{{ 'few' if count == {limit} else 'many' }}}}\" }} }}"
            ),
        )
        .replace("\nimages", &format!("\nvars: {{ count: {count} }}\nimages"));
        let files = files(&blueprint, "kubernetes");
        let values = files.iter().find(|f| f.path == "values.yaml").unwrap();
        let values = documents(&values.text).remove(0);
        let is_open = entries(&values).iter().any(|(name, _)| *name == "count");
        assert_eq!(is_open, open, "{count} {limit}");
    }
}
