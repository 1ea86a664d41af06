//! Packages: which program installs them in a base, and how it is called so that nothing but them
//! stays in the layer.

use crate::blueprint::{At, Build, Packager};
use crate::emit::dockerfile::Instruction;

/// What installs packages: what the build says, else what the base's name tells.
pub(super) fn packager(build: &Build) -> Option<Packager> {
    if let Some(packager) = build.packager {
        return Some(packager.value);
    }
    let name = build.base.value.rsplit('/').next()?;
    let name = name.split('@').next()?;
    let (name, tag) = name.split_once(':').unwrap_or((name, ""));
    let release = |known: &[&str]| tag.split(['-', '.']).any(|part| known.contains(&part));
    match name {
        "debian" | "ubuntu" => Some(Packager::Apt),
        "alpine" => Some(Packager::Apk),
        "fedora" | "rockylinux" | "almalinux" | "ubi8" | "ubi9" | "ubi10" => Some(Packager::Dnf),
        "ubi8-minimal" | "ubi9-minimal" | "ubi10-minimal" => Some(Packager::Microdnf),
        _ if tag.split(['-', '.']).any(|part| part.starts_with("alpine")) => Some(Packager::Apk),
        _ if release(&["bullseye", "bookworm", "trixie"]) => Some(Packager::Apt),
        _ if release(&["focal", "jammy", "noble"]) => Some(Packager::Apt),
        _ => None,
    }
}

/// What a packager needs to fetch and unpack an archive. Images of Red Hat's family have curl
/// already, in a package of another name that a second curl clashes with.
pub(super) fn tools(packager: Packager, fetches: bool, archive: &str) -> Vec<&'static str> {
    let mut tools = Vec::new();
    let own = matches!(packager, Packager::Apt | Packager::Apk);
    if fetches && own {
        tools.extend(["ca-certificates", "curl"]);
    }
    if !own {
        tools.extend(["gzip", "tar"]);
    }
    let bzip2 = archive.ends_with("bz2");
    let zst = archive.ends_with("zst");
    match packager {
        _ if bzip2 => tools.insert(0, "bzip2"),
        Packager::Apt if archive.ends_with("xz") => tools.push("xz-utils"),
        _ if archive.ends_with("xz") => tools.push("xz"),
        _ if zst => tools.push("zstd"),
        _ => {}
    }
    // Alpine's own tar knows no Zstandard.
    if zst && packager == Packager::Apk {
        tools.insert(0, "tar");
    }
    tools
}

/// The commands that install packages.
pub(super) fn install(packager: Packager, packages: &[&str]) -> Vec<String> {
    let list = |command: &str| {
        let lines: Vec<String> = packages.iter().map(|p| format!("      {p}")).collect();
        format!("{command} \\\n{}", lines.join(" \\\n"))
    };
    match packager {
        Packager::Apt => vec![
            "apt-get update".to_owned(),
            list("DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends"),
            "rm -rf /var/lib/apt/lists/*".to_owned(),
        ],
        Packager::Apk => vec![list("apk add --no-cache")],
        Packager::Dnf => vec![
            list("dnf install -y --setopt=install_weak_deps=0"),
            "dnf clean all".to_owned(),
        ],
        Packager::Microdnf => vec![
            list("microdnf install -y --setopt=install_weak_deps=0"),
            "microdnf clean all".to_owned(),
        ],
    }
}

/// What is said before packages without a version: hadolint wants one, and each distribution keeps
/// but its newest build.
pub(super) fn unpinned(packager: Packager, packages: &[&str]) -> Option<Instruction> {
    let (rule, mark) = match packager {
        Packager::Apt => ("DL3008", '='),
        Packager::Apk => ("DL3018", '='),
        Packager::Dnf => ("DL3041", '-'),
        Packager::Microdnf => return None,
    };
    let pinned = |package: &&str| package.contains(mark);
    if packages.iter().all(pinned) {
        return None;
    }
    Some(Instruction::Comment(format!(
        "Without versions: distributions drop a build when they have the next.\nhadolint ignore={rule}"
    )))
}

/// The packages of a build, as texts.
pub(super) fn names(packages: &[At<String>]) -> Vec<&str> {
    packages.iter().map(|p| p.value.as_str()).collect()
}
