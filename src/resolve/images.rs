//! Images: what a reference, a base, an archive and a package may look like, on every target.

use std::collections::HashMap;
use std::sync::Arc;

use super::image_name::image_fault;
use crate::blueprint::{Archive, At, Build, Image, Map};
use crate::problem::{Problem, Problems, Span};

/// Endings that `tar` unpacks with what [`crate::blueprint::Packager`]s install.
const ARCHIVES: [&str; 8] = [
    ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz", ".tar.zst",
];

/// Checks an image.
pub(super) fn check(image: &Image, problems: &mut Problems) {
    reference(&image.reference, problems);
    if let Some(build) = &image.build {
        check_build(build, problems);
    }
}

fn wrong(span: Span, message: String, expected: &str, problems: &mut Problems) {
    problems.add(
        Problem::error("wrong-value", message)
            .at(span)
            .label(format!("expected {expected}")),
    );
}

fn reference(reference: &At<String>, problems: &mut Problems) {
    let text = &reference.value;
    if let Some(expected) = image_fault(text) {
        wrong(
            reference.span,
            format!("`{text}` is no image"),
            &expected,
            problems,
        );
    }
}

fn check_build(build: &Build, problems: &mut Problems) {
    let Build {
        base: from,
        packager: _,
        packages,
        archive,
        home,
        path: _,
        run: _,
        env,
        labels,
        launch,
        entrypoint,
        command: _,
        span: _,
    } = build;
    base(from, problems);
    for package in packages {
        check_package(package, problems);
    }
    if let Some(archive) = archive {
        check_archive(archive, problems);
        if home.is_none() {
            wrong(
                archive.span,
                "nothing says where the archive is unpacked".to_owned(),
                "`home` beside it, such as home: /opt/hadoop",
                problems,
            );
        }
    }
    keys("variable", env, problems);
    keys(LABEL, labels, problems);
    if let Some(launch) = launch.filter(|launch| launch.value && entrypoint.is_some()) {
        wrong(
            launch.span,
            "an image has one entrypoint, and there is another beside this".to_owned(),
            "`launch` or `entrypoint`",
            problems,
        );
    }
    if let Some([]) = entrypoint.as_deref() {
        wrong(
            build.span,
            "the entrypoint has no word".to_owned(),
            "a program, or no `entrypoint`: then it is the base's",
            problems,
        );
    }
}

/// Whoever builds later must get the same base, so a name alone and `latest` say too little.
fn base(base: &At<String>, problems: &mut Problems) {
    let text = &base.value;
    // It stands in a Dockerfile, where `$` and brackets would be more than characters.
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-/:@+".contains(c);
    let fault = image_fault(text);
    if fault.is_some() || !text.chars().all(plain) {
        let whole = "a repository with a tag or digest, such as debian:bookworm-slim";
        wrong(
            base.span,
            format!("`{text}` is no image"),
            fault.as_deref().unwrap_or(whole),
            problems,
        );
        return;
    }
    if text == "scratch" {
        wrong(
            base.span,
            "`scratch` has nothing that could make an image".to_owned(),
            "a base with /bin/sh, such as debian:bookworm-slim",
            problems,
        );
        return;
    }
    let name = text.rsplit('/').next().unwrap_or_default();
    let tag = name.split_once(':').map(|(_, tag)| tag);
    if !name.contains('@') && tag.is_none_or(|t| t == "latest" || t.is_empty()) {
        problems.add(
            Problem::error("unpinned", format!("`{text}` is another image every time"))
                .at(base.span)
                .label("expected a tag other than `latest`, or a digest"),
        );
    }
}

fn check_package(package: &At<String>, problems: &mut Problems) {
    let text = &package.value;
    let plain = |c: char| c.is_ascii_alphanumeric() || "+-._:=~@/".contains(c);
    let good = text.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '@')
        && text.chars().all(plain);
    if !good {
        let expected = "a name such as curl, or one with its version";
        wrong(
            package.span,
            format!("`{text}` is no package"),
            expected,
            problems,
        );
    }
}

fn check_archive(archive: &Archive, problems: &mut Problems) {
    let Archive {
        url,
        path,
        digest,
        strip,
        span,
    } = archive;
    if let Some(url) = url {
        check_url(url, path.is_some(), digest.as_ref(), problems);
    }
    if let Some(path) = path {
        check_path(path, problems);
    }
    let Some(named) = path.as_ref().or(url.as_ref()) else {
        let message = "nothing says where the archive is".to_owned();
        wrong(*span, message, "`url` or `path`", problems);
        return;
    };
    if named.value.ends_with('/') {
        let unused = [digest.as_ref().map(|d| d.span), strip.map(|s| s.span)];
        if let Some(span) = unused.into_iter().flatten().next() {
            let message = "a directory is neither unpacked nor checked".to_owned();
            wrong(span, message, "only `path` here", problems);
        }
        return;
    }
    let file = named.value.split(['?', '#']).next().unwrap_or_default();
    if !ARCHIVES.iter().any(|end| file.ends_with(end)) {
        let expected = format!("a name that ends in one of {}", ARCHIVES.join(", "));
        let message = "nothing says how this archive is unpacked".to_owned();
        wrong(named.span, message, &expected, problems);
    }
    if let Some(digest) = digest {
        check_digest(digest, problems);
    }
}

fn is_address(text: &str) -> bool {
    let allowed = |c: char| c.is_ascii_alphanumeric() || "-._~:/?#[]@!$&()*+,;=%".contains(c);
    text.chars().all(allowed)
}

fn is_hex(digest: &str) -> bool {
    matches!(digest.len(), 64 | 128) && digest.bytes().all(|b| b.is_ascii_hexdigit())
}

fn check_url(url: &At<String>, unused: bool, digest: Option<&At<String>>, problems: &mut Problems) {
    let text = &url.value;
    let safe = text.starts_with("https://");
    if !(safe || text.starts_with("http://")) || !is_address(text) {
        let expected = "an address such as https://example.org/hadoop-3.4.3.tar.gz";
        wrong(
            url.span,
            format!("`{text}` is no address"),
            expected,
            problems,
        );
    } else if unused {
        // It is not downloaded, so nothing has to prove it.
    } else if !safe && !digest.is_some_and(|d| is_hex(&d.value)) {
        // Whoever can change the archive on its way could change the digest file too.
        wrong(
            url.span,
            "nothing proves what is downloaded here".to_owned(),
            "https, or the archive's `digest` in hexadecimal",
            problems,
        );
    } else if digest.is_none() && text.contains(['?', '#']) {
        wrong(
            url.span,
            "no digest file stands beside this address".to_owned(),
            "`digest`: the digest, or the address of the file that says it",
            problems,
        );
    }
}

fn check_path(path: &At<String>, problems: &mut Problems) {
    let text = &path.value;
    let plain = |c: char| c.is_ascii_alphanumeric() || "._+-/".contains(c);
    let whole = text.strip_suffix('/').unwrap_or(text);
    let parts =
        |part: &str| !part.is_empty() && part != "." && part != ".." && !part.starts_with('-');
    if !text.chars().all(plain) || !whole.split('/').all(parts) {
        let expected = "a path below the build context, of letters, digits and `._+-`";
        wrong(
            path.span,
            format!("`{text}` can't be in the build context"),
            expected,
            problems,
        );
    }
}

fn check_digest(digest: &At<String>, problems: &mut Problems) {
    let text = &digest.value;
    let published = text.starts_with("https://")
        && is_address(text)
        && (text.ends_with(".sha256") || text.ends_with(".sha512"));
    if !is_hex(text) && !published {
        let expected = "64 or 128 hexadecimal digits, or the https address of a .sha256 or .sha512";
        wrong(
            digest.span,
            format!("`{text}` is no digest"),
            expected,
            problems,
        );
    }
}

/// What a label is called in words.
const LABEL: &str = "label";

/// Names of variables and labels, which may come from templates.
fn keys(what: &str, map: &Map<At<String>>, problems: &mut Problems) {
    let mut seen: HashMap<Arc<str>, Span> = HashMap::new();
    for (key, _) in map.iter() {
        // A label may have the sign in its name.
        if key.value.is_empty() || (what != LABEL && key.value.contains('=')) {
            let label = if what == LABEL {
                "expected a name of at least one character"
            } else {
                "expected a name without `=`"
            };
            problems.add(
                Problem::error("invalid-name", format!("`{}` can't be a {what}", key.value))
                    .at(key.span)
                    .label(label),
            );
        }
        if let Some(first) = seen.insert(Arc::clone(&key.value), key.span) {
            problems.add(
                Problem::error(
                    "duplicate-key",
                    format!("the {what} `{}` is set twice", key.value),
                )
                .at(key.span)
                .label("second time")
                .related(first, "first time"),
            );
        }
    }
}
