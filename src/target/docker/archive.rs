//! The stage that gets the archive, proves that it is the right one, and unpacks it. Nothing of it
//! is in the image but what was unpacked.

use super::packages;
use crate::blueprint::{Archive, Packager};
use crate::emit::dockerfile::Instruction;

/// The name of the stage.
pub(super) const STAGE: &str = "archive";
/// Where it works.
const DIRECTORY: &str = "/archive";
/// Where it unpacks, below that.
pub(super) const UNPACKED: &str = "/archive/unpacked";

/// Where an archive comes from.
pub(super) enum Source<'a> {
    /// A download.
    Url(&'a str),
    /// A file of the context.
    File(&'a str),
    /// A directory of the context, without the slash at its end: it needs no stage.
    Directory(&'a str),
}

/// The source of an archive that counts.
pub(super) fn source(archive: &Archive) -> Option<Source<'_>> {
    match (&archive.path, &archive.url) {
        (Some(path), _) => Some(match path.value.strip_suffix('/') {
            Some(directory) => Source::Directory(directory),
            None => Source::File(&path.value),
        }),
        (None, url) => url.as_ref().map(|url| Source::Url(&url.value)),
    }
}

/// The stage of an archive; none for a directory.
pub(super) fn stage(base: &str, archive: &Archive, packager: Packager) -> Vec<Instruction> {
    let Archive {
        url: _,
        path: _,
        digest,
        strip,
        span: _,
    } = archive;
    let digest = digest.as_ref().map(|d| d.value.as_str());
    let (named, fetches) = match source(archive) {
        Some(Source::Url(url)) => (url, true),
        Some(Source::File(path)) => (path, false),
        Some(Source::Directory(_)) | None => return Vec::new(),
    };
    let published = published(named, digest, fetches);
    let fetches = fetches || published.is_some();
    let mut stage = vec![
        Instruction::From(base.to_owned(), STAGE.to_owned()),
        Instruction::Comment("No process runs in this stage.\nhadolint ignore=DL3002".to_owned()),
        Instruction::User("0:0".to_owned()),
    ];
    let file = name(named.split(['?', '#']).next().unwrap_or_default());
    let tools = packages::tools(packager, fetches, file);
    if !tools.is_empty() {
        stage.extend(packages::unpinned(packager, &tools));
        stage.push(Instruction::Run(packages::install(packager, &tools)));
    }
    stage.push(Instruction::Workdir(DIRECTORY.to_owned()));
    let mut commands = Vec::new();
    if let Some(Source::Url(url)) = source(archive) {
        commands.push(fetch(url, file));
    } else {
        stage.push(Instruction::Copy {
            from: None,
            owner: None,
            source: named.to_owned(),
            target: format!("{DIRECTORY}/{file}"),
        });
    }
    if let Some(address) = &published {
        commands.push(fetch(address, "published"));
        commands.extend(compare(file, sum(address)));
        stage.push(Instruction::Comment(
            "A publisher writes the digest alone, before or behind the file's name, or in groups on\n\
             several lines: it has to stand there when blanks and case don't count."
                .to_owned(),
        ));
    } else if let Some(digest) = digest {
        let sum = if digest.len() == 64 {
            "sha256"
        } else {
            "sha512"
        };
        let digest = digest.to_ascii_lowercase();
        commands.push(format!("echo '{digest}  {file}' >digest"));
        commands.push(format!("{sum}sum -c digest"));
    }
    let strip = strip.map_or(1, |s| s.value);
    commands.push(format!("mkdir {UNPACKED}"));
    commands.push(format!(
        "tar -x{}f {file} -C {UNPACKED}{}",
        compression(file),
        match strip {
            0 => String::new(),
            n => format!(" --strip-components={n}"),
        }
    ));
    stage.push(Instruction::Run(commands));
    stage.push(Instruction::Blank);
    stage
}

/// Where the digest of an archive is published: at the address given, else beside the download.
fn published(named: &str, digest: Option<&str>, fetches: bool) -> Option<String> {
    match digest {
        Some(digest) if digest.starts_with("https://") => Some(digest.to_owned()),
        None if fetches => Some(format!("{named}.sha512")),
        _ => None,
    }
}

fn sum(address: &str) -> &'static str {
    if address.ends_with(".sha256") {
        "sha256sum"
    } else {
        "sha512sum"
    }
}

/// A download that fails when the server says so, and never leaves `https` on a redirection.
fn fetch(address: &str, file: &str) -> String {
    let protocols = if address.starts_with("https:") {
        "=https"
    } else {
        "=http,https"
    };
    let address = address.replace('\'', "'\\''");
    format!("curl -fsSL --retry 3 --proto '{protocols}' -o {file} '{address}'")
}

fn compare(file: &str, sum: &str) -> [String; 3] {
    [
        format!("sum=\"$({sum} {file})\""),
        "tr -d '[:space:]' <published >joined".to_owned(),
        "{ grep -qiF \"${sum%% *}\" joined \\\n      || { echo \"the archive is not what was published: ${sum%% *}\" >&2; exit 1; }; }"
            .to_owned(),
    ]
}

/// The file in the stage: only its ending matters.
fn name(named: &str) -> &'static str {
    match compression(named) {
        "z" => "archive.tar.gz",
        "j" => "archive.tar.bz2",
        "J" => "archive.tar.xz",
        " --zstd -" => "archive.tar.zst",
        _ => "archive.tar",
    }
}

/// Said because not every tar finds it out. It stands between `-x` and `f`.
fn compression(named: &str) -> &'static str {
    match named.rsplit('.').next().unwrap_or_default() {
        "gz" | "tgz" => "z",
        "bz2" | "tbz2" => "j",
        "xz" | "txz" => "J",
        "zst" => " --zstd -",
        _ => "",
    }
}
