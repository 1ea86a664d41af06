//! Kubernetes objects, as far as flokkr writes them. Texts of variables and arguments are final:
//! `$` is doubled already where the kubelet expands them.

use indexmap::IndexMap;

use crate::blueprint::User;
use crate::plan::Resources;
use crate::yaml::Node;

/// One object.
#[derive(Debug)]
pub(super) struct Object {
    pub(super) name: String,
    pub(super) labels: Vec<(String, String)>,
    pub(super) annotations: Vec<(String, String)>,
    pub(super) body: Body,
    /// It is part of the cluster only with one of these.
    pub(super) profiles: Vec<String>,
    /// Laid over it.
    pub(super) patch: Option<Node>,
}

/// What an object is.
#[derive(Debug)]
pub(super) enum Body {
    Namespace,
    ServiceAccount,
    /// May look at jobs.
    Role,
    /// Gives the role to the service account of the same name.
    RoleBinding,
    ConfigMap(ConfigMap),
    Service(ServiceBody),
    Workload(Box<Workload>),
    Claim(Claim),
    Budget {
        selector: Labels,
    },
    Ingress(Ingress),
    PodMonitor {
        selector: Labels,
        ports: Vec<String>,
    },
}

pub(super) type Labels = Vec<(String, String)>;

impl Body {
    /// The kind, as the object says it.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Namespace => "Namespace",
            Self::ServiceAccount => "ServiceAccount",
            Self::Role => "Role",
            Self::RoleBinding => "RoleBinding",
            Self::ConfigMap(_) => "ConfigMap",
            Self::Service(_) => "Service",
            Self::Workload(workload) => workload.kind.word(),
            Self::Claim(_) => "PersistentVolumeClaim",
            Self::Budget { .. } => "PodDisruptionBudget",
            Self::Ingress(_) => "Ingress",
            Self::PodMonitor { .. } => "PodMonitor",
        }
    }

    /// The group and version of its kind.
    pub(super) fn api_version(&self) -> &'static str {
        match self {
            Self::Namespace
            | Self::ServiceAccount
            | Self::ConfigMap(_)
            | Self::Service(_)
            | Self::Claim(_) => "v1",
            Self::Role | Self::RoleBinding => "rbac.authorization.k8s.io/v1",
            Self::Workload(workload) if workload.kind == WorkloadKind::Job => "batch/v1",
            Self::Workload(_) => "apps/v1",
            Self::Budget { .. } => "policy/v1",
            Self::Ingress(_) => "networking.k8s.io/v1",
            Self::PodMonitor { .. } => "monitoring.coreos.com/v1",
        }
    }
}

/// Keys with their texts, in order.
#[derive(Debug, Default, Clone)]
pub(super) struct ConfigMap {
    pub(super) data: IndexMap<String, String>,
}

/// A Service.
#[derive(Debug)]
pub(super) struct ServiceBody {
    pub(super) kind: ServiceKind,
    pub(super) selector: Labels,
    pub(super) ports: Vec<ServicePort>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ServiceKind {
    /// Resolves to the pods themselves, also before they are ready: peers must find each other
    /// before any of them can be.
    Headless,
    ClusterIp,
    NodePort,
    LoadBalancer,
}

#[derive(Debug, Clone)]
pub(super) struct ServicePort {
    pub(super) name: String,
    pub(super) port: u16,
    /// The number in the container, when it is another.
    pub(super) target: Option<u16>,
    pub(super) node_port: Option<u16>,
    pub(super) udp: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WorkloadKind {
    StatefulSet,
    Deployment,
    DaemonSet,
    Job,
}

impl WorkloadKind {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::StatefulSet => "StatefulSet",
            Self::Deployment => "Deployment",
            Self::DaemonSet => "DaemonSet",
            Self::Job => "Job",
        }
    }
}

/// A StatefulSet, Deployment, DaemonSet or Job.
#[derive(Debug)]
pub(super) struct Workload {
    pub(super) kind: WorkloadKind,
    pub(super) replicas: u32,
    /// The number of a StatefulSet's first pod.
    pub(super) first: u32,
    pub(super) selector: Labels,
    pub(super) pod: Pod,
    pub(super) claims: Vec<Claim>,
    /// A Job gives up after its first failure.
    pub(super) once: bool,
}

/// A pod template.
#[derive(Debug, Default)]
pub(super) struct Pod {
    pub(super) labels: Labels,
    pub(super) annotations: Vec<(String, String)>,
    pub(super) restart_policy: Option<&'static str>,
    pub(super) service_account: Option<String>,
    pub(super) grace: Option<u64>,
    pub(super) share_processes: bool,
    pub(super) security: PodSecurity,
    pub(super) nodes: Vec<(String, String)>,
    /// The node label by which the pods are kept apart.
    pub(super) spread: Option<&'static str>,
    /// The labels of pods to be near.
    pub(super) near: Vec<Labels>,
    pub(super) inits: Vec<Container>,
    pub(super) containers: Vec<Container>,
    pub(super) volumes: Vec<Volume>,
}

#[derive(Debug, Default, Clone, Copy)]
pub(super) struct PodSecurity {
    pub(super) user: Option<User>,
    /// No container runs as root.
    pub(super) non_root: bool,
    /// The group that owns the volumes and reads the files.
    pub(super) group: Option<u32>,
}

/// A container.
#[derive(Debug, Default)]
pub(super) struct Container {
    pub(super) name: String,
    pub(super) image: String,
    /// Among the init containers: stays while the others run.
    pub(super) sidecar: bool,
    /// Final words: the kubelet expands `$(...)` in them.
    pub(super) command: Option<Vec<String>>,
    pub(super) args: Option<Vec<String>>,
    pub(super) workdir: Option<String>,
    /// Whose config it has; the ConfigMaps are known when all services are lowered.
    pub(super) unit: Option<usize>,
    pub(super) env_from: Vec<String>,
    pub(super) env: Vec<EnvVar>,
    pub(super) ports: Vec<ContainerPort>,
    pub(super) mounts: Vec<Mount>,
    pub(super) resources: Resources,
    pub(super) start: Option<Probe>,
    pub(super) ready: Option<Probe>,
    pub(super) alive: Option<Probe>,
    pub(super) pre_stop: Option<PreStop>,
    pub(super) security: Security,
}

/// What a container may do.
#[derive(Debug, Default, Clone, Copy)]
pub(super) struct Security {
    /// The user, when it is another than the pod's.
    pub(super) user: Option<User>,
    /// Said here when the pod as a whole can't say it.
    pub(super) non_root: bool,
    /// All that `restricted` asks of a container.
    pub(super) restricted: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct EnvVar {
    pub(super) name: String,
    pub(super) value: EnvValue,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum EnvValue {
    /// Final text: the kubelet expands `$(...)` in it.
    Text(String),
    /// A field of the pod.
    Field(&'static str),
    /// A key of a Secret.
    Secret { name: String, key: String },
}

#[derive(Debug, Clone)]
pub(super) struct ContainerPort {
    pub(super) name: String,
    pub(super) number: u16,
    pub(super) udp: bool,
}

/// A volume in a container.
#[derive(Debug, Clone)]
pub(super) struct Mount {
    pub(super) volume: String,
    pub(super) path: String,
    pub(super) sub: Option<SubPath>,
    pub(super) readonly: bool,
}

/// The part of a volume that is mounted.
#[derive(Debug, Clone)]
pub(super) enum SubPath {
    Path(String),
    /// `$(...)` in it is expanded.
    Expression(String),
}

/// A volume of the pod.
#[derive(Debug, Clone)]
pub(super) struct Volume {
    pub(super) name: String,
    pub(super) source: VolumeSource,
}

#[derive(Debug, Clone)]
pub(super) enum VolumeSource {
    ConfigMap {
        name: String,
        /// Keys, their paths in the volume, and modes other than 0644.
        items: Vec<(String, String, Option<u32>)>,
    },
    Secret {
        name: String,
        key: String,
        path: String,
        mode: Option<u32>,
    },
    Empty {
        memory: bool,
        size: Option<u64>,
    },
    Host(String),
    Claim(String),
}

impl VolumeSource {
    /// Is there a file in it with which others may do less than its owner, who is root?
    pub(super) fn is_private(&self) -> bool {
        let private = |mode: &u32| (mode >> 6) & !mode & 0o5 != 0;
        match self {
            Self::ConfigMap { items, .. } => items.iter().any(|(_, _, m)| m.iter().any(private)),
            Self::Secret { mode, .. } => mode.iter().any(private),
            Self::Empty { .. } | Self::Host(_) | Self::Claim(_) => false,
        }
    }
}

/// A claim of storage.
#[derive(Debug, Clone)]
pub(super) struct Claim {
    pub(super) name: String,
    /// Mounted by several pods at once.
    pub(super) shared: bool,
    pub(super) class: Option<String>,
    pub(super) size: u64,
}

/// A probe; times in seconds.
#[derive(Debug, Clone)]
pub(super) struct Probe {
    pub(super) action: Action,
    pub(super) delay: u64,
    pub(super) period: u64,
    pub(super) timeout: u64,
    pub(super) failures: u64,
}

#[derive(Debug, Clone)]
pub(super) enum Action {
    Tcp(String),
    Http {
        port: String,
        path: String,
    },
    /// Run as it is: the kubelet expands nothing here.
    Exec(Vec<String>),
}

#[derive(Debug, Clone)]
pub(super) enum PreStop {
    Sleep(u64),
    /// Run as it is: the kubelet expands nothing here.
    Exec(Vec<String>),
}

/// An Ingress: host, Service and port.
#[derive(Debug)]
pub(super) struct Ingress {
    pub(super) class: Option<String>,
    pub(super) tls: Option<String>,
    pub(super) rules: Vec<(String, String, String)>,
}
