//! The blueprint language: what may be written, as types.
//!
//! Owns every key of the language, declared once by [`record`]'s macro: the struct, the reader,
//! the JSON Schema and the reference page come from the same lines. Structure scalars (counts,
//! ports, sizes) are evaluated while they are read; value scalars stay [`Text`] until `plan`.
//! Leaves to `resolve` the layers (include, `--values`, `--set`, plugins) that make the one tree
//! read here, and every question about what a name refers to.
//! May fail with wrong types, unknown and missing keys, and templates of structure scalars.

mod config;
pub(crate) mod fields;
mod forms;
mod plugin;
pub(crate) mod read;
pub(crate) mod record;
pub(crate) mod reference;
mod scalar;
mod service;

pub use config::{Config, Files, MountedText};
pub use fields::unknown_key;
pub use forms::{Command, Needs, PortForm, PortRef};
pub use plugin::{Parameter, ParameterType, Plugin};
pub use read::{At, FromText, Map, Patch, Raw, Read, Reader, Text, Texts, VALUE_NAMES, nullable};
pub(crate) use record::records;
pub use reference::{Definitions, Field, Record, base_document, reference};
pub use scalar::{
    Argv, ContainerPath, Count, Cpu, Delivery, Duration, Entrypoint, Kind, MAX_REPLICAS, Mode,
    Packager, Protocol, Publish, Quorum, Restart, Shell, Size, Spread, User, VolumeKind,
};
pub use service::{
    Check, Health, HttpCheck, Init, Limits, Placement, Port, Resources, SecretMount, Service,
    Sidecar, Stop, Volume,
};

use crate::env::Dialect;
use record::choices;

choices! {
    /// The version of the language.
    pub enum Version {
        /// The only one so far.
        V1 = "v1",
    }
}

/// The launcher that an image carries.
impl FromText for Dialect {
    fn expected() -> String {
        crate::problem::one_of(Dialect::ALL.iter().map(|d| d.name()))
    }

    fn from_text(text: &str) -> Option<Self> {
        Dialect::ALL.iter().copied().find(|d| d.name() == text)
    }

    fn scalar_schema() -> serde_json::Value {
        let names: Vec<&str> = Dialect::ALL.iter().map(|d| d.name()).collect();
        serde_json::json!({"enum": names})
    }

    fn names() -> Vec<&'static str> {
        Dialect::ALL.iter().map(|d| d.name()).collect()
    }
}

records! {
    /// One cluster.
    pub struct Blueprint at "" {
        /// The version of the language.
        pub version: At<Version> = "blueprint", "blueprint: v1";
        /// The cluster's name: lower-case letters, digits and dashes, at most 40 characters.
        /// Project in Compose, app label in Kubernetes, job prefix in Nomad.
        pub name: At<String> = "name", "name: demo";
        /// What it is, for `flokkr list` and for people.
        pub description: Option<At<String>> = "description", "description: A cluster to try things on";
        /// Other blueprints laid under this one, in this order: a path relative to this file
        /// (with `/` or ending in `.yaml`), or the name of a library blueprint. Maps merge, lists
        /// replace, null removes. They nest at most 16 deep.
        pub include: Vec<At<String>> = "include", "include: [zookeeper]";
        /// What a user may change with `--set` and `--values`. The default gives the type; a
        /// variable may be made from others.
        pub vars: Option<Raw> = "vars", "vars: { workers: 3, home: \"/opt/{{ name }}\" }";
        /// Secrets by name: where each value comes from, never the value itself.
        pub secrets: Map<Secret> = "secrets", "secrets: { token: { file: ./secrets/token } }";
        /// Images by name.
        pub images: Map<Image> = "images", "images: { web: { ref: \"nginx:1.27\" } }";
        /// Named groups of config that services share: file, key, value. A key that names `peer`
        /// is written once for every replica.
        pub config: Map<Files> = "config", "config: { common: { core-site.xml: { fs.defaultFS: \"hdfs://{{ host('db', 0) }}:9000\" } } }";
        /// The services by name: lower-case letters, digits and dashes, at most 40 characters.
        pub services: Map<Service> = "services", "services: { web: { image: app } }";
        /// Commands to begin with when the cluster is up, which `flokkr up` prints.
        pub tries: Vec<Try> = "try", "try: [{ service: app, run: [app, --version] }]";
        /// Settings that only one target knows, by target.
        pub targets: Map<Raw> = "targets", "targets: { compose: { network: bridge } }";
    }

    /// A command for whoever is new to the cluster.
    pub struct Try at "try" {
        /// The service it runs in; of several replicas in the first.
        pub service: At<String> = "service", "service: app";
        /// Its words. They see what values of the service see.
        pub run: Command = "run", "run: [hdfs, dfs, -ls, /]";
        /// What it shows.
        pub about: Option<At<String>> = "about", "about: the root of the file system";
    }

    /// Where a secret's value comes from: exactly one of these.
    pub struct Secret at "secrets.password" {
        /// A file, by a path relative to what is emitted.
        pub file: Option<At<String>> = "file", "file: ./secrets/token";
        /// A variable in the environment of whoever deploys.
        pub env: Option<At<String>> = "env", "env: TOKEN";
        /// A secret that the platform has already, by the name it has there.
        pub external: Option<At<String>> = "external", "external: prod-token";
    }

    /// An image, and what it can't hide from whoever runs it.
    pub struct Image at "images.app" {
        /// What is pulled: repository and tag or digest.
        pub reference: At<String> = "ref", "ref: apache/hadoop:3.4.3";
        /// Which launcher turns environment variables into config files inside it:
        /// `flokkr`, `apache`, `ozone`, `bde`, `kafka`, `launch`, or `none` (the default).
        pub launcher: Option<At<Dialect>> = "launcher", "launcher: apache";
        /// The numeric user, and group, that its process runs as.
        pub user: Option<At<User>> = "user", "user: \"1000:100\"";
        /// The directory of its config files.
        pub conf: Option<At<ContainerPath>> = "conf", "conf: /opt/hadoop/etc/hadoop";
        /// The shell it has: `bash` (the default), `sh` or `none`. Generated health checks, waits
        /// and scripts need `bash`.
        pub shell: Option<At<Shell>> = "shell", "shell: bash";
        /// What runs its own entrypoint: `bash`, `sh` (loses variables with dots or dashes in
        /// their names), or `exec` (the default).
        pub entrypoint: Option<At<Entrypoint>> = "entrypoint", "entrypoint: bash";
        /// What its entrypoint does with the command's words: `exec` passes them on, `split`
        /// splits them again at blanks, `eval` evaluates them. The default is what the launcher
        /// does: `eval` for flokkr, `split` for apache, else `exec`.
        pub argv: Option<At<Argv>> = "argv", "argv: split";
        /// Directories that it makes itself with the right owner. A fresh volume anywhere else is
        /// given to `user` before the first start.
        pub owns: Vec<At<ContainerPath>> = "owns", "owns: [/data]";
        /// Files that its entrypoint rewrites at each start: they can't be mounted.
        pub rewrites: Vec<At<ContainerPath>> = "rewrites", "rewrites: [/opt/kafka/config/server.properties]";
        /// Why it needs root or sudo; absent, it runs without.
        pub root: Option<At<String>> = "root", "root: its entrypoint changes the owner of /data";
        /// How it is built, for the target that emits Dockerfiles.
        pub build: Option<Build> = "build", "build: { base: \"debian:bookworm-slim\" }";
    }

    /// How an image is built. It is the same for every cluster, so its texts see `vars` and `name`,
    /// but no service, replica or secret.
    pub struct Build at "images.app.build" {
        /// The image it starts from, with a tag other than `latest` or a digest. It needs `/bin/sh`.
        pub base: At<String> = "base", "base: \"debian:bookworm-slim\"";
        /// What installs packages in the base: `apt`, `apk`, `dnf` or `microdnf`. Needed where the
        /// base's name does not tell.
        pub packager: Option<At<Packager>> = "packager", "packager: apt";
        /// Packages of the base's distribution; a version is given as the packager takes it
        /// (`curl=7.88.1-10+deb12u8`).
        pub packages: Vec<At<String>> = "packages", "packages: [bash, curl]";
        /// The archive that is unpacked into `home`.
        pub archive: Option<Archive> = "archive", "archive: { url: \"https://example.org/hadoop-3.4.3.tar.gz\" }";
        /// Where the archive is unpacked; also the working directory, and the home of `user`.
        pub home: Option<At<ContainerPath>> = "home", "home: /opt/hadoop";
        /// Directories that are put before the base's `PATH`.
        pub path: Vec<At<ContainerPath>> = "path", "path: [/opt/hadoop/bin]";
        /// Commands that root runs in the image at the end, each one line: for bash, where a pipe
        /// fails with any of its commands, or for `sh` where `shell` says so.
        pub run: Vec<At<String>> = "run", "run: [\"ln -s /usr/bin/python3 /usr/bin/python\"]";
        /// Variables that the image sets, which a service may set otherwise.
        pub env: Map<At<String>> = "env", "env: { JAVA_HOME: /usr/lib/jvm/java }";
        /// Labels that the image carries, beside those that tell its title, version and base.
        pub labels: Map<At<String>> = "labels", "labels: { org.opencontainers.image.licenses: Apache-2.0 }";
        /// Whether `flokkr launch` is copied in and is the entrypoint, which reads variables as
        /// `launcher` says. It is where that is `launch`, unless there is an `entrypoint`.
        pub launch: Option<At<bool>> = "launch", "launch: true";
        /// Its entrypoint; absent, the base's.
        pub entrypoint: Option<Vec<At<String>>> = "entrypoint", "entrypoint: [/usr/bin/tini, --]";
        /// What it runs when a service gives no command; absent, the base's.
        pub command: Option<Vec<At<String>>> = "command", "command: [bash]";
    }

    /// An archive to unpack: from `path`, else from `url`.
    pub struct Archive at "images.app.build.archive" {
        /// Where it is downloaded.
        pub url: Option<At<String>> = "url", "url: \"https://example.org/hadoop-3.4.3.tar.gz\"";
        /// A file in the build context, instead of the download: for an archive of one's own, or
        /// a build without a network. With `/` at the end it is a directory, and is copied into
        /// `home`. It is put there before the build; `flokkr up` takes it from beside the
        /// blueprint.
        pub path: Option<At<String>> = "path", "path: hadoop-3.5.0-SNAPSHOT.tar.gz";
        /// The SHA-256 or SHA-512 of its bytes, in hexadecimal; or the `https` address of the file
        /// in which its publisher says it, ending in `.sha256` or `.sha512`. Absent, a download
        /// is checked against what stands at its own address with `.sha512` behind.
        pub digest: Option<At<String>> = "digest", "digest: \"https://downloads.example.org/hadoop-3.4.3.tar.gz.sha512\"";
        /// How many leading directories of its paths are left out: 1 unless given.
        pub strip: Option<At<u32>> = "strip", "strip: 0";
    }
}
