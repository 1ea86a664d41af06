//! `targets.kubernetes`: what only Kubernetes knows.

use crate::blueprint::record::choices;
use crate::blueprint::{At, FromText, Map, Patch, Text, records};
use crate::problem::{Problem, Problems, Span};
use crate::resolve::image_fault;

choices! {
    /// How the objects are packed.
    pub enum Package {
        /// A file for each, for `kubectl apply -f`.
        Plain = "plain",
        /// A base, and an overlay with what the given values change.
        Kustomize = "kustomize",
        /// A chart, whose values are the blueprint's variables.
        Helm = "helm",
    }

    /// How a published port is reached from outside of the cluster.
    pub enum Expose {
        /// By `kubectl port-forward`, from the machine of whoever may do that.
        PortForward = "port-forward",
        /// On every node: a Service of type NodePort.
        NodePort = "node-port",
        /// On an address of its own: a Service of type LoadBalancer.
        LoadBalancer = "load-balancer",
        /// By host name and HTTP: an Ingress.
        Ingress = "ingress",
    }

    /// What tells Prometheus about ports that are called `metrics`.
    pub enum Metrics {
        /// The annotations `prometheus.io/scrape`, `port` and `path` on pods.
        Annotations = "annotations",
        /// A PodMonitor for the Prometheus operator.
        PodMonitor = "pod-monitor",
        /// Nothing.
        None = "none",
    }
}

records! {
    /// Settings of the target `kubernetes`.
    pub struct KubernetesSettings at "targets.kubernetes" {
        /// The namespace of all objects, which is made as well; the cluster's name unless given.
        /// `default` is not made.
        pub namespace: Option<At<String>> = "namespace", "namespace: data";
        /// The oldest version that must take the files: 1.32 unless given, at least 1.28.
        pub version: Option<At<Version>> = "version", "version: \"1.34\"";
        /// How the objects are packed: `plain` (the default), `kustomize` or `helm`.
        pub package: Option<At<Package>> = "package", "package: helm";
        /// The version of the chart that `package: helm` makes; 0.1.0 unless given.
        pub chart_version: Option<At<String>> = "chart-version", "chart-version: 1.2.0";
        /// The DNS domain of the cluster; `cluster.local` unless given.
        pub domain: Option<At<String>> = "domain", "domain: cluster.local";
        /// How published ports are reached: `port-forward` (the default: nothing is open to the
        /// outside by accident), `node-port`, `load-balancer` or `ingress`.
        pub expose: Option<At<Expose>> = "expose", "expose: load-balancer";
        /// The Ingress that `expose: ingress` makes.
        pub ingress: Option<Ingress> = "ingress", "ingress: { domain: example.org }";
        /// The storage class of volumes that name none; the cluster's default unless given.
        pub storage_class: Option<At<String>> = "storage-class", "storage-class: fast";
        /// The number of the first pod of an ensemble, by service; 0 unless given. With 1 the
        /// pods' numbers are the ids of the replicas, so that a value that needs an id is carried
        /// by the pod's number. It is part of the pods' names and of their volumes' names.
        pub ordinals: Map<At<u32>> = "ordinals", "ordinals: { app: 1 }";
        /// What tells Prometheus about ports called `metrics`: `annotations` (the default),
        /// `pod-monitor` or `none`.
        pub metrics: Option<At<Metrics>> = "metrics", "metrics: pod-monitor";
        /// An image with `kubectl`. What needs a job waits for it with that.
        pub kubectl: Option<At<String>> = "kubectl", "kubectl: \"registry.example.org/kubectl:1.34\"";
        /// Losses that are known and accepted, each with the reason: no warning is given for them where this
        /// file, or one that it includes, declares what is lost.
        pub accept: Map<Text> = "accept", "accept: { restart: a pod is always restarted }";
        /// Laid over objects, by `Kind/name`: maps merge, lists replace (a mapping laid over a list
        /// changes its items by their name), null removes.
        pub patch: Option<Patch> = "patch", "patch: { Namespace/demo: { metadata: { labels: { team: storage } } } }";
    }

    /// The Ingress of published ports.
    pub struct Ingress at "targets.kubernetes.ingress" {
        /// Each service is reached as `SERVICE.DOMAIN`, each replica as `SERVICE-N.DOMAIN`.
        pub domain: At<String> = "domain", "domain: example.org";
        /// The ingress class; the cluster's default unless given.
        pub class: Option<At<String>> = "class", "domain: example.org\nclass: nginx";
        /// The Secret with the certificate for these names.
        pub tls: Option<At<String>> = "tls", "domain: example.org\ntls: web-certificate";
    }
}

/// The settings, defaults included.
pub(super) type Settings = KubernetesSettings;

/// What Kubernetes cannot carry, by the name that `accept` takes.
pub(super) const LOSSES: [&str; 10] = [
    "labels",
    "needs.quorum",
    "ports.publish",
    "restart",
    "security",
    "sidecars.order",
    "stop.before",
    "stop.signal",
    "user",
    "volumes.size",
];

/// A minor version of Kubernetes 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32);

impl Version {
    /// Without the pod's number as a label nothing tells a replica its index.
    const OLDEST: Self = Self(28);
    const DEFAULT: Self = Self(32);
    /// Native sidecars are on by default (gate `SidecarContainers`).
    pub(super) const SIDECARS: Self = Self(29);
    /// The `sleep` action of hooks is on by default (gate `PodLifecycleSleepAction`).
    pub(super) const SLEEP: Self = Self(30);
    /// Any printable ASCII but `=` is a variable's name (gate
    /// `RelaxedEnvironmentVariableValidation`).
    pub(super) const RELAXED_NAMES: Self = Self(32);
}

impl FromText for Version {
    fn expected() -> String {
        "a version of Kubernetes such as \"1.34\", at least 1.28".to_owned()
    }

    fn from_text(text: &str) -> Option<Self> {
        let minor = text.strip_prefix("1.")?;
        let digits = !minor.is_empty() && minor.bytes().all(|b| b.is_ascii_digit());
        let version = Self(minor.parse().ok().filter(|_| digits)?);
        (version >= Self::OLDEST).then_some(version)
    }

    fn scalar_schema() -> serde_json::Value {
        serde_json::json!({"type": ["string", "number"], "pattern": "^1\\.[0-9]+$"})
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            namespace: None,
            version: None,
            package: None,
            chart_version: None,
            domain: None,
            expose: None,
            ingress: None,
            storage_class: None,
            ordinals: Map::default(),
            metrics: None,
            kubectl: None,
            accept: Map::default(),
            patch: None,
            span: Span::nowhere(),
        }
    }
}

impl Settings {
    /// The namespace of a cluster.
    pub(super) fn namespace<'a>(&'a self, cluster: &'a str) -> &'a str {
        self.namespace.as_ref().map_or(cluster, |n| &n.value)
    }

    /// The oldest version that must take the files.
    pub(super) fn version(&self) -> Version {
        self.version.map_or(Version::DEFAULT, |v| v.value)
    }

    /// How the objects are packed.
    pub(super) fn package(&self) -> Package {
        self.package.map_or(Package::Plain, |p| p.value)
    }

    /// The DNS domain.
    pub(super) fn domain(&self) -> &str {
        self.domain.as_ref().map_or("cluster.local", |d| &d.value)
    }

    /// How published ports are reached.
    pub(super) fn expose(&self) -> Expose {
        self.expose.map_or(Expose::PortForward, |e| e.value)
    }

    /// The number of an ensemble's first pod.
    pub(super) fn first(&self, service: &str) -> u32 {
        self.ordinals.get(service).map_or(0, |o| o.value)
    }

    /// Checks what can be told from the settings alone.
    pub(super) fn check(&self, problems: &mut Problems) {
        let mut name = |value: Option<&At<String>>, dots: bool, what: &str| {
            if let Some(value) = value.filter(|v| !is_name(&v.value, dots)) {
                problems.add(
                    Problem::error("wrong-value", format!("`{}` is no {what}", value.value))
                        .at(value.span)
                        .label("expected lower-case letters, digits and dashes"),
                );
            }
        };
        name(self.namespace.as_ref(), false, "namespace");
        name(self.domain.as_ref(), true, "domain");
        name(self.storage_class.as_ref(), true, "storage class");
        if let Some(ingress) = &self.ingress {
            name(Some(&ingress.domain), true, "domain");
            name(ingress.class.as_ref(), true, "ingress class");
            name(ingress.tls.as_ref(), true, "name of a Secret");
        }
        if let Some(image) = &self.kubectl
            && let Some(expected) = image_fault(&image.value)
        {
            problems.add(
                Problem::error("wrong-value", format!("`{}` is no image", image.value))
                    .at(image.span)
                    .label(format!("expected {expected}")),
            );
        }
        if let (Some(expose), None) = (self.expose, &self.ingress)
            && expose.value == Expose::Ingress
        {
            problems.add(
                Problem::error("missing-key", "an Ingress needs a domain")
                    .at(expose.span)
                    .label("expected `ingress: { domain: ... }` beside it"),
            );
        }
        if let Some(version) = &self.chart_version {
            let numbers: Vec<&str> = version.value.split('.').collect();
            let number = |n: &&str| n.parse::<u64>().is_ok_and(|v| v.to_string() == **n);
            if numbers.len() != 3 || !numbers.iter().all(number) {
                let message = format!("`{}` is no version of a chart", version.value);
                let problem = Problem::error("wrong-value", message).at(version.span);
                problems.add(problem.label("expected three numbers, such as 1.2.0"));
            }
        }
        for (service, first) in self.ordinals.iter() {
            if first.value > 1_000_000 {
                problems.add(
                    Problem::error(
                        "wrong-value",
                        format!("the pods of `{}` can't begin there", service.value),
                    )
                    .at(first.span)
                    .label("expected a number up to 1000000"),
                );
            }
        }
    }
}

/// A DNS label, or with dots a subdomain (RFC 1123), as Kubernetes wants names.
fn is_name(name: &str, dots: bool) -> bool {
    let label = |label: &str| {
        let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
        !label.is_empty()
            && label.len() <= 63
            && label.starts_with(alphanumeric)
            && label.ends_with(alphanumeric)
            && label.chars().all(|c| alphanumeric(c) || c == '-')
    };
    if dots {
        name.len() <= 253 && name.split('.').all(label)
    } else {
        label(name)
    }
}
