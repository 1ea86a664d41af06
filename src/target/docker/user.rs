//! Who the process is: its numeric user, the entry that gives it a name, and the directories that
//! are its own.

use crate::blueprint::{Shell, User};
use crate::plan::Image;

/// `1000:100`; a user without a group is in the group of its own number.
pub(super) fn ids(user: User) -> String {
    format!("{}:{}", user.uid, user.gid.unwrap_or(user.uid))
}

/// The commands that give the ids names, unless the base has some. Hadoop refuses to run as a user
/// without one. Lines are added, because not every base has a program for it, and those that have
/// one differ in how it is called.
pub(super) fn entries(image: &Image, user: User, home: Option<&str>) -> Vec<String> {
    let User { uid, gid } = user;
    let gid = gid.unwrap_or(uid);
    let name = &image.name;
    let shell = match image.shell {
        Shell::Bash => "/bin/bash",
        Shell::Sh | Shell::None => "/bin/sh",
    };
    let home = home.unwrap_or("/");
    let add = |file: &str, id: u32, line: String| {
        format!("{{ grep -q '^[^:]*:[^:]*:{id}:' {file} || echo '{line}' >>{file}; }}")
    };
    vec![
        add("/etc/group", gid, format!("{name}:x:{gid}:")),
        add(
            "/etc/passwd",
            uid,
            format!("{name}:*:{uid}:{gid}::{home}:{shell}"),
        ),
    ]
}

/// The commands that make directories with the right owner.
pub(super) fn directories(user: User, paths: &[&str]) -> Vec<String> {
    if paths.is_empty() {
        return Vec::new();
    }
    let list = paths.join(" ");
    vec![
        format!("mkdir -p {list}"),
        format!("chown -R {} {list}", ids(user)),
    ]
}
