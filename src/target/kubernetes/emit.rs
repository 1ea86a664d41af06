//! From the model to YAML. Every text is quoted; what a ConfigMap can't hold as text is in
//! `binaryData`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::carrier::is_unsafe;
use super::model::{
    Action, Body, Claim, ConfigMap, Container, ContainerPort, EnvValue, EnvVar, Ingress, Labels,
    Mount, Object, Pod, PreStop, Probe, Security, ServiceBody, ServiceKind, ServicePort, SubPath,
    Volume, VolumeSource, Workload, WorkloadKind,
};
use crate::blueprint::User;
use crate::emit::yaml::Yaml;
use crate::plan::Resources;

type Entries = Vec<(String, Yaml)>;

fn text(text: &str) -> Yaml {
    Yaml::text(text)
}

/// A name, or a word of the API.
fn word(text: &str) -> Yaml {
    Yaml::word(text)
}

fn truth(value: bool) -> Yaml {
    Yaml::Plain(value.to_string())
}

fn put(entries: &mut Entries, key: &str, value: Yaml) {
    entries.push((key.to_owned(), value));
}

fn map<const N: usize>(entries: [(&str, Yaml); N]) -> Yaml {
    Yaml::Map(entries.map(|(k, v)| (k.to_owned(), v)).to_vec())
}

fn texts(pairs: &[(String, String)]) -> Yaml {
    Yaml::Map(pairs.iter().map(|(k, v)| (k.clone(), text(v))).collect())
}

fn labels_body(labels: &Labels) -> Yaml {
    Yaml::Map(labels.iter().map(|(k, v)| (k.clone(), word(v))).collect())
}

fn list<T>(entries: &mut Entries, key: &str, items: &[T], body: impl Fn(&T) -> Yaml) {
    if !items.is_empty() {
        put(entries, key, Yaml::List(items.iter().map(body).collect()));
    }
}

/// An object.
pub(super) fn object(object: &Object, namespace: &str) -> Yaml {
    let Object {
        name,
        labels,
        annotations,
        body,
        profiles: _,
        patch: _,
    } = object;
    let mut metadata = Entries::new();
    put(&mut metadata, "name", word(name));
    if !matches!(body, Body::Namespace) {
        put(&mut metadata, "namespace", word(namespace));
    }
    put(&mut metadata, "labels", labels_body(labels));
    if !annotations.is_empty() {
        put(&mut metadata, "annotations", texts(annotations));
    }
    let mut entries = Entries::new();
    put(&mut entries, "apiVersion", word(body.api_version()));
    put(&mut entries, "kind", word(body.kind()));
    put(&mut entries, "metadata", Yaml::Map(metadata));
    entries.extend(rest(body, name, namespace));
    Yaml::Map(entries)
}

/// What stands below the metadata.
fn rest(body: &Body, name: &str, namespace: &str) -> Entries {
    let spec = match body {
        Body::Namespace => return Entries::new(),
        Body::ServiceAccount => {
            return vec![("automountServiceAccountToken".to_owned(), truth(false))];
        }
        Body::Role => return role(),
        Body::RoleBinding => return role_binding(name, namespace),
        Body::ConfigMap(config) => return data(config),
        Body::Service(body) => service(body),
        Body::Workload(body) => workload(body, name),
        Body::Claim(body) => claim(body),
        Body::Budget { selector } => map([
            ("maxUnavailable", Yaml::number(1u32)),
            ("selector", match_labels(selector)),
        ]),
        Body::Ingress(body) => ingress(body),
        Body::PodMonitor { selector, ports } => map([
            ("selector", match_labels(selector)),
            (
                "podMetricsEndpoints",
                Yaml::List(ports.iter().map(|p| map([("port", text(p))])).collect()),
            ),
        ]),
    };
    vec![("spec".to_owned(), spec)]
}

fn match_labels(labels: &Labels) -> Yaml {
    map([("matchLabels", labels_body(labels))])
}

fn words(words: &[String]) -> Yaml {
    Yaml::List(words.iter().map(|w| text(w)).collect())
}

fn role() -> Entries {
    let only = |text: &str| Yaml::List(vec![word(text)]);
    let verbs = ["get", "list", "watch"].map(word).to_vec();
    let rule = map([
        ("apiGroups", only("batch")),
        ("resources", only("jobs")),
        ("verbs", Yaml::List(verbs)),
    ]);
    vec![("rules".to_owned(), Yaml::List(vec![rule]))]
}

fn role_binding(name: &str, namespace: &str) -> Entries {
    let role = map([
        ("apiGroup", word("rbac.authorization.k8s.io")),
        ("kind", word("Role")),
        ("name", word(name)),
    ]);
    let subject = map([
        ("kind", word("ServiceAccount")),
        ("name", word(name)),
        ("namespace", word(namespace)),
    ]);
    vec![
        ("roleRef".to_owned(), role),
        ("subjects".to_owned(), Yaml::List(vec![subject])),
    ]
}

fn data(config: &ConfigMap) -> Entries {
    let (mut data, mut binary) = (Entries::new(), Entries::new());
    for (key, value) in &config.data {
        if value.contains(is_unsafe) {
            put(&mut binary, key, text(&STANDARD.encode(value)));
        } else {
            put(&mut data, key, text(value));
        }
    }
    let mut entries = Entries::new();
    for (name, map) in [("data", data), ("binaryData", binary)] {
        if !map.is_empty() {
            put(&mut entries, name, Yaml::Map(map));
        }
    }
    entries
}

fn service(body: &ServiceBody) -> Yaml {
    let ServiceBody {
        kind,
        selector,
        ports,
    } = body;
    let mut entries = Entries::new();
    match kind {
        ServiceKind::Headless => {
            put(&mut entries, "clusterIP", word("None"));
            put(&mut entries, "publishNotReadyAddresses", truth(true));
        }
        ServiceKind::ClusterIp => {}
        ServiceKind::NodePort => put(&mut entries, "type", word("NodePort")),
        ServiceKind::LoadBalancer => put(&mut entries, "type", word("LoadBalancer")),
    }
    put(&mut entries, "selector", labels_body(selector));
    list(&mut entries, "ports", ports, |p| {
        let ServicePort {
            name,
            port,
            target,
            node_port,
            udp,
        } = p;
        let mut entries = Entries::new();
        put(&mut entries, "name", word(name));
        put(&mut entries, "port", Yaml::number(*port));
        for (key, number) in [("targetPort", target), ("nodePort", node_port)] {
            if let Some(number) = number {
                put(&mut entries, key, Yaml::number(*number));
            }
        }
        if *udp {
            put(&mut entries, "protocol", word("UDP"));
        }
        Yaml::Map(entries)
    });
    Yaml::Map(entries)
}

fn workload(body: &Workload, name: &str) -> Yaml {
    let Workload {
        kind,
        replicas,
        first,
        selector,
        pod,
        claims,
        once,
    } = body;
    let mut entries = Entries::new();
    match kind {
        WorkloadKind::StatefulSet => {
            put(&mut entries, "serviceName", word(name));
            put(&mut entries, "replicas", Yaml::number(*replicas));
            if *first > 0 {
                put(
                    &mut entries,
                    "ordinals",
                    map([("start", Yaml::number(*first))]),
                );
            }
            // Peers that wait for each other would never start one after the other.
            put(&mut entries, "podManagementPolicy", word("Parallel"));
        }
        WorkloadKind::Deployment => put(&mut entries, "replicas", Yaml::number(*replicas)),
        WorkloadKind::DaemonSet => {}
        WorkloadKind::Job => {
            if *replicas > 1 {
                put(&mut entries, "completions", Yaml::number(*replicas));
                put(&mut entries, "parallelism", Yaml::number(*replicas));
            }
            if *once {
                put(&mut entries, "backoffLimit", Yaml::number(0u32));
            }
        }
    }
    if *kind != WorkloadKind::Job {
        put(&mut entries, "selector", match_labels(selector));
    }
    put(&mut entries, "template", template(pod, selector));
    list(&mut entries, "volumeClaimTemplates", claims, |c| {
        let mut entries = Entries::new();
        put(&mut entries, "metadata", map([("name", word(&c.name))]));
        put(&mut entries, "spec", claim(c));
        Yaml::Map(entries)
    });
    Yaml::Map(entries)
}

fn template(pod: &Pod, selector: &Labels) -> Yaml {
    let Pod {
        labels,
        annotations,
        restart_policy,
        service_account,
        grace,
        share_processes,
        security,
        nodes,
        spread,
        near,
        inits,
        containers,
        volumes,
    } = pod;
    let mut metadata = Entries::new();
    put(&mut metadata, "labels", labels_body(labels));
    if !annotations.is_empty() {
        put(&mut metadata, "annotations", texts(annotations));
    }
    let mut spec = Entries::new();
    // Else every Service of the namespace becomes some variables, and launchers read variables.
    put(&mut spec, "enableServiceLinks", truth(false));
    if let Some(account) = service_account {
        put(&mut spec, "serviceAccountName", word(account));
    }
    put(
        &mut spec,
        "automountServiceAccountToken",
        truth(service_account.is_some()),
    );
    if let Some(policy) = restart_policy {
        put(&mut spec, "restartPolicy", word(policy));
    }
    if let Some(grace) = grace {
        put(
            &mut spec,
            "terminationGracePeriodSeconds",
            Yaml::number(*grace),
        );
    }
    if *share_processes {
        put(&mut spec, "shareProcessNamespace", truth(true));
    }
    let mut context = Entries::new();
    if security.non_root {
        put(&mut context, "runAsNonRoot", truth(true));
    }
    user(&mut context, security.user);
    if let Some(group) = security.group {
        put(&mut context, "fsGroup", Yaml::number(group));
        put(&mut context, "fsGroupChangePolicy", word("OnRootMismatch"));
    }
    put(
        &mut context,
        "seccompProfile",
        map([("type", word("RuntimeDefault"))]),
    );
    put(&mut spec, "securityContext", Yaml::Map(context));
    if !nodes.is_empty() {
        put(&mut spec, "nodeSelector", texts(nodes));
    }
    if let Some(topology) = spread {
        let constraint = map([
            ("maxSkew", Yaml::number(1u32)),
            ("topologyKey", word(topology)),
            ("whenUnsatisfiable", word("ScheduleAnyway")),
            ("labelSelector", match_labels(selector)),
        ]);
        put(
            &mut spec,
            "topologySpreadConstraints",
            Yaml::List(vec![constraint]),
        );
    }
    if !near.is_empty() {
        put(&mut spec, "affinity", affinity(near));
    }
    list(&mut spec, "initContainers", inits, container);
    list(&mut spec, "containers", containers, container);
    list(&mut spec, "volumes", volumes, volume);
    map([("metadata", Yaml::Map(metadata)), ("spec", Yaml::Map(spec))])
}

fn user(context: &mut Entries, user: Option<User>) {
    let Some(User { uid, gid }) = user else {
        return;
    };
    put(context, "runAsUser", Yaml::number(uid));
    if let Some(gid) = gid {
        put(context, "runAsGroup", Yaml::number(gid));
    }
}

fn affinity(near: &[Labels]) -> Yaml {
    let terms = near.iter().map(|labels| {
        let term = map([
            ("topologyKey", word("kubernetes.io/hostname")),
            ("labelSelector", match_labels(labels)),
        ]);
        map([("weight", Yaml::number(100u32)), ("podAffinityTerm", term)])
    });
    let preferred = "preferredDuringSchedulingIgnoredDuringExecution";
    map([(
        "podAffinity",
        map([(preferred, Yaml::List(terms.collect()))]),
    )])
}

fn container(container: &Container) -> Yaml {
    let Container {
        name,
        image,
        sidecar,
        command,
        args,
        workdir,
        unit: _,
        env_from,
        env,
        ports,
        mounts,
        resources,
        start,
        ready,
        alive,
        pre_stop,
        security,
    } = container;
    let mut entries = Entries::new();
    put(&mut entries, "name", word(name));
    put(&mut entries, "image", text(image));
    if *sidecar {
        put(&mut entries, "restartPolicy", word("Always"));
    }
    for (key, line) in [("command", command), ("args", args)] {
        if let Some(line) = line {
            put(&mut entries, key, words(line));
        }
    }
    if let Some(workdir) = workdir {
        put(&mut entries, "workingDir", text(workdir));
    }
    list(&mut entries, "envFrom", env_from, |name| {
        map([("configMapRef", map([("name", word(name))]))])
    });
    list(&mut entries, "env", env, variable);
    list(&mut entries, "ports", ports, |p| {
        let ContainerPort { name, number, udp } = p;
        let mut entries = vec![
            ("name".to_owned(), word(name)),
            ("containerPort".to_owned(), Yaml::number(*number)),
        ];
        if *udp {
            put(&mut entries, "protocol", word("UDP"));
        }
        Yaml::Map(entries)
    });
    for (key, found) in [
        ("startupProbe", start),
        ("readinessProbe", ready),
        ("livenessProbe", alive),
    ] {
        if let Some(found) = found {
            put(&mut entries, key, probe(found));
        }
    }
    if let Some(stop) = pre_stop {
        let action = match stop {
            PreStop::Sleep(seconds) => ("sleep", map([("seconds", Yaml::number(*seconds))])),
            PreStop::Exec(line) => ("exec", map([("command", words(line))])),
        };
        put(&mut entries, "lifecycle", map([("preStop", map([action]))]));
    }
    amounts(&mut entries, *resources);
    secure(&mut entries, *security);
    list(&mut entries, "volumeMounts", mounts, mount);
    Yaml::Map(entries)
}

fn variable(variable: &EnvVar) -> Yaml {
    let EnvVar { name, value } = variable;
    let value = match value {
        EnvValue::Text(value) => ("value", text(value)),
        EnvValue::Field(path) => {
            let field = map([("fieldPath", text(path))]);
            ("valueFrom", map([("fieldRef", field)]))
        }
        EnvValue::Secret { name, key } => {
            let key = map([("name", word(name)), ("key", text(key))]);
            ("valueFrom", map([("secretKeyRef", key)]))
        }
    };
    map([("name", word(name)), value])
}

fn probe(probe: &Probe) -> Yaml {
    let Probe {
        action,
        delay,
        period,
        timeout,
        failures,
    } = probe;
    let mut entries = Entries::new();
    match action {
        Action::Tcp(port) => put(&mut entries, "tcpSocket", map([("port", word(port))])),
        Action::Http { port, path } => put(
            &mut entries,
            "httpGet",
            map([("path", text(path)), ("port", word(port))]),
        ),
        Action::Exec(line) => put(&mut entries, "exec", map([("command", words(line))])),
    }
    if *delay > 0 {
        put(&mut entries, "initialDelaySeconds", Yaml::number(*delay));
    }
    for (key, number) in [
        ("periodSeconds", period),
        ("timeoutSeconds", timeout),
        ("failureThreshold", failures),
    ] {
        put(&mut entries, key, Yaml::number(*number));
    }
    Yaml::Map(entries)
}

fn amounts(entries: &mut Entries, resources: Resources) {
    let Resources {
        cpu,
        memory,
        cpu_limit,
        memory_limit,
    } = resources;
    let amounts = |cpu: Option<u32>, memory: Option<u64>| {
        let mut entries = Entries::new();
        if let Some(cpu) = cpu {
            put(&mut entries, "cpu", text(&processors(cpu)));
        }
        if let Some(memory) = memory {
            put(&mut entries, "memory", text(&bytes(memory)));
        }
        entries
    };
    let requests = amounts(cpu.map(|c| c.0), memory.map(|m| m.0));
    let limits = amounts(cpu_limit.map(|c| c.0), memory_limit.map(|m| m.0));
    let mut body = Entries::new();
    for (key, amounts) in [("requests", requests), ("limits", limits)] {
        if !amounts.is_empty() {
            put(&mut body, key, Yaml::Map(amounts));
        }
    }
    if !body.is_empty() {
        put(entries, "resources", Yaml::Map(body));
    }
}

fn secure(entries: &mut Entries, security: Security) {
    let Security {
        user: own,
        non_root,
        restricted,
    } = security;
    let mut context = Entries::new();
    if non_root {
        put(&mut context, "runAsNonRoot", truth(true));
    }
    user(&mut context, own);
    if restricted {
        put(&mut context, "allowPrivilegeEscalation", truth(false));
        let drop = Yaml::List(vec![word("ALL")]);
        put(&mut context, "capabilities", map([("drop", drop)]));
    }
    if !context.is_empty() {
        put(entries, "securityContext", Yaml::Map(context));
    }
}

fn mount(mount: &Mount) -> Yaml {
    let Mount {
        volume,
        path,
        sub,
        readonly,
    } = mount;
    let mut entries = Entries::new();
    put(&mut entries, "name", word(volume));
    put(&mut entries, "mountPath", text(path));
    match sub {
        Some(SubPath::Path(path)) => put(&mut entries, "subPath", text(path)),
        Some(SubPath::Expression(path)) => put(&mut entries, "subPathExpr", text(path)),
        None => {}
    }
    if *readonly {
        put(&mut entries, "readOnly", truth(true));
    }
    Yaml::Map(entries)
}

fn volume(volume: &Volume) -> Yaml {
    let Volume { name, source } = volume;
    let item = |key: &str, path: &str, mode: Option<u32>| {
        let mut entries = vec![
            ("key".to_owned(), text(key)),
            ("path".to_owned(), text(path)),
        ];
        if let Some(mode) = mode {
            put(&mut entries, "mode", Yaml::number(mode));
        }
        Yaml::Map(entries)
    };
    let source = match source {
        VolumeSource::ConfigMap { name, items } => {
            let items = items.iter().map(|(key, path, mode)| item(key, path, *mode));
            let items = Yaml::List(items.collect());
            ("configMap", map([("name", word(name)), ("items", items)]))
        }
        VolumeSource::Secret {
            name,
            key,
            path,
            mode,
        } => {
            let items = Yaml::List(vec![item(key, path, *mode)]);
            (
                "secret",
                map([("secretName", word(name)), ("items", items)]),
            )
        }
        VolumeSource::Empty { memory, size } => {
            let mut entries = Entries::new();
            if *memory {
                put(&mut entries, "medium", word("Memory"));
            }
            if let Some(size) = size {
                put(&mut entries, "sizeLimit", text(&bytes(*size)));
            }
            ("emptyDir", Yaml::Map(entries))
        }
        VolumeSource::Host(path) => (
            "hostPath",
            map([("path", text(path)), ("type", word("DirectoryOrCreate"))]),
        ),
        VolumeSource::Claim(claim) => ("persistentVolumeClaim", map([("claimName", word(claim))])),
    };
    map([("name", word(name)), source])
}

fn claim(claim: &Claim) -> Yaml {
    let Claim {
        name: _,
        shared,
        class,
        size,
    } = claim;
    let mode = if *shared {
        "ReadWriteMany"
    } else {
        "ReadWriteOnce"
    };
    let mut entries = Entries::new();
    put(&mut entries, "accessModes", Yaml::List(vec![text(mode)]));
    if let Some(class) = class {
        put(&mut entries, "storageClassName", word(class));
    }
    let storage = map([("storage", text(&bytes(*size)))]);
    put(&mut entries, "resources", map([("requests", storage)]));
    Yaml::Map(entries)
}

fn ingress(body: &Ingress) -> Yaml {
    let Ingress { class, tls, rules } = body;
    let mut entries = Entries::new();
    if let Some(class) = class {
        put(&mut entries, "ingressClassName", word(class));
    }
    if let Some(secret) = tls {
        let hosts = rules.iter().map(|(host, _, _)| word(host)).collect();
        let tls = map([("hosts", Yaml::List(hosts)), ("secretName", word(secret))]);
        put(&mut entries, "tls", Yaml::List(vec![tls]));
    }
    list(&mut entries, "rules", rules, |(host, service, port)| {
        let service = map([
            ("name", word(service)),
            ("port", map([("name", word(port))])),
        ]);
        let path = map([
            ("path", word("/")),
            ("pathType", word("Prefix")),
            ("backend", map([("service", service)])),
        ]);
        let http = map([("paths", Yaml::List(vec![path]))]);
        map([("host", word(host)), ("http", http)])
    });
    Yaml::Map(entries)
}

/// Bytes as the server itself writes them: the largest unit that gives a whole number.
fn bytes(size: u64) -> String {
    const UNITS: [(u32, &str); 4] = [(40, "Ti"), (30, "Gi"), (20, "Mi"), (10, "Ki")];
    let whole = UNITS
        .iter()
        .find(|(shift, _)| size > 0 && size.is_multiple_of(1 << shift));
    match whole {
        Some((shift, unit)) => format!("{}{unit}", size >> shift),
        None => size.to_string(),
    }
}

/// Thousandths of a processor as the server itself writes them.
fn processors(millis: u32) -> String {
    if millis.is_multiple_of(1000) {
        (millis / 1000).to_string()
    } else {
        format!("{millis}m")
    }
}
