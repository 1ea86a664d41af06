//! What a real bash makes of emitted scripts and words.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Mutex;

use flokkr::blueprint::Shell;
use flokkr::plan;
use flokkr::plan::shell::hands_on;

/// `exec` shows the words that it is given, each with a NUL behind it, instead of running them.
const SHOWN: &str = "exec() { (($#)) && printf '%s\\0' \"$@\"; exit; }\n";

/// The words of the first `exec` that a script comes to, with these variables. Nothing else is
/// there for the script to run.
pub fn words(script: &str, variables: &[(&str, &str)]) -> Vec<String> {
    // The plan and every target have much the same scripts.
    static KNOWN: Mutex<BTreeMap<String, Vec<String>>> = Mutex::new(BTreeMap::new());
    let key = format!("{script}\0{variables:?}");
    let known = KNOWN.lock().unwrap().get(&key).cloned();
    known.unwrap_or_else(|| {
        let words = run(script, variables);
        KNOWN.lock().unwrap().insert(key, words.clone());
        words
    })
}

fn run(script: &str, variables: &[(&str, &str)]) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    // What a pattern without quotes would become.
    for name in ["0", "a", "a.b", "x y", "é"] {
        std::fs::write(folder.path().join(name), "").unwrap();
    }
    let mut command = Command::new("/bin/bash");
    command
        .args(["--noprofile", "--norc", "-s"])
        .current_dir(folder.path())
        .env_clear()
        .env("PATH", folder.path())
        .envs(variables.iter().copied())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let mut bash = command.spawn().expect("a bash for the scripts");
    let mut input = bash.stdin.take().unwrap();
    let text = format!("{SHOWN}{script}");
    // A script that ends before it is read whole closes the pipe.
    let _ = input.write_all(text.as_bytes());
    drop(input);
    let output = bash.wait_with_output().unwrap().stdout;
    let output = String::from_utf8(output).unwrap();
    output.split_terminator('\0').map(str::to_owned).collect()
}

/// Whatever a word looks like to a shell.
#[test]
fn quoted_words_come_back() {
    let all = [
        "*", "?", "[a]", "a*", "~", "{0,a}", "$HOME", "$(a)", "`a`", "a b", "'", "''a'", "\"",
        "\\", "#a", "!", "a;b", "a&b", "a|b", "<a", ">a", "(a)", "a\nb", "\t", "-n", "a=b", "",
    ];
    let quoted: Vec<String> = all.iter().map(|word| plan::quote(word)).collect();
    let script = format!("exec {}\n", quoted.join(" "));
    assert_eq!(words(&script, &[]), all);
}

/// What bash is said to hand on it does, and of the rest nothing.
#[test]
fn bash_hands_on_what_it_is_said_to() {
    for name in [
        "A", "A.b", "/a", "HOME", "IFS", "LINENO", "OPTIND", "PPID", "PS3", "PWD", "SHLVL",
    ] {
        let output = Command::new("/bin/bash")
            .args(["-c", "exec /usr/bin/env -0"])
            .env_clear()
            .env(name, "some value")
            .output()
            .unwrap();
        let wanted = format!("{name}=some value");
        let mut got = output.stdout.split(|byte| *byte == 0);
        let arrived = got.any(|variable| variable == wanted.as_bytes());
        assert_eq!(arrived, hands_on(Shell::Bash, name), "{name}");
    }
}
