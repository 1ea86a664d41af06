//! What shells do: how a word is quoted for them, and which variables they do not hand on.
//!
//! Seen with bash 5.2 and dash 0.5.12: each name that `compgen -v` knows was set to three values, and a
//! script that replaces itself by `env -0` said what became of it.

use crate::blueprint::{Entrypoint, Shell};

/// Variables that bash sets itself, whatever it was given.
const OF_BASH: [&str; 27] = [
    "_",
    "BASH",
    "BASHOPTS",
    "BASHPID",
    "BASH_ARGV0",
    "BASH_COMMAND",
    "BASH_SUBSHELL",
    "BASH_VERSINFO",
    "BASH_VERSION",
    "COMP_WORDBREAKS",
    "EPOCHREALTIME",
    "EPOCHSECONDS",
    "HISTCMD",
    "IFS",
    "LINENO",
    "OLDPWD",
    "OPTERR",
    "OPTIND",
    "PPID",
    "PS1",
    "PS2",
    "PS4",
    "PWD",
    "RANDOM",
    "SHELLOPTS",
    "SHLVL",
    "SRANDOM",
];

/// And dash.
const OF_SH: [&str; 4] = ["IFS", "OPTIND", "PPID", "PWD"];

/// What makes bash itself another, or keeps it from being found: a file that it runs first, its options,
/// and where programs are.
const TO_BASH: [&str; 3] = ["BASH_ENV", "PATH", "POSIXLY_CORRECT"];

/// Does what a shell starts get this variable as it is?
pub fn hands_on(shell: Shell, name: &str) -> bool {
    match shell {
        Shell::Bash => !OF_BASH.contains(&name),
        Shell::Sh => is_identifier(name) && !OF_SH.contains(&name),
        Shell::None => true,
    }
}

/// Should a script of flokkr's own be without this variable, and set it for what it starts?
pub fn disturbs_bash(name: &str) -> bool {
    !hands_on(Shell::Bash, name) || TO_BASH.contains(&name)
}

/// The shell that runs an entrypoint.
pub fn of_entrypoint(entrypoint: Entrypoint) -> Shell {
    match entrypoint {
        Entrypoint::Bash => Shell::Bash,
        Entrypoint::Sh => Shell::Sh,
        Entrypoint::Exec => Shell::None,
    }
}

/// Why a shell hands a variable on otherwise than it was given, behind `is run by bash, which ...`.
pub fn why(shell: Shell, name: &str) -> String {
    let (program, does) = match shell {
        Shell::Sh if !is_identifier(name) => ("/bin/sh", "removes such names"),
        Shell::Sh => ("/bin/sh", "sets it itself"),
        Shell::Bash | Shell::None => ("bash", "sets it itself"),
    };
    format!("{program}, which {does}")
}

/// A name that every shell can set.
pub fn is_identifier(name: &str) -> bool {
    name.chars()
        .enumerate()
        .all(|(i, c)| c == '_' || c.is_ascii_alphabetic() || (i > 0 && c.is_ascii_digit()))
}

/// A word for a shell.
pub fn quote(word: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', r"'\''"))
}
