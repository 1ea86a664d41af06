//! What the launcher decides: whether it formats, what it waits for, what is replaced and what is run again. Each test
//! says by itself what must be so.

use std::fs;

use super::{
    Container, NAME_DIR, SHARED, entry, printed, said, server, server_at, with_directories,
};

/// What a dry run says of one thing: the line that begins so.
fn told(container: &Container, begins: &str) -> String {
    let output = container.run(&["--dry-run", "--", "server"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let text = printed(&output);
    let line = text.lines().find(|line| line.starts_with(begins));
    line.unwrap_or_else(|| panic!("nothing begins with {begins}: {text}"))
        .to_owned()
}

/// The journal is in use when one of its servers says so, whatever the others say.
#[test]
fn one_server_that_has_a_journal_is_enough() {
    let status = |is_formatted: bool| {
        format!(
            "{{\"beans\":[{{\"JournalsStatus\":\"{{\\\"ns\\\":{{\\\"Formatted\\\":\\\"{is_formatted}\\\"}}}}\"}}]}}"
        )
    };
    for (first, second, third) in [
        (false, false, true),
        (true, false, false),
        (false, true, false),
        (false, false, false),
    ] {
        let path = "/jmx?qry=Hadoop:service=JournalNode";
        let answers = |is_formatted: bool| vec![(path, status(is_formatted).into_bytes())];
        let port = server(answers(first));
        server_at(&format!("127.0.0.2:{port}"), answers(second));
        server_at(&format!("127.0.0.3:{port}"), answers(third));
        let journal = "qjournal://127.0.0.1:8485;127.0.0.2:8485;127.0.0.3:8485/ns";
        let text = entry(NAME_DIR, "$ROOT/data/name")
            + &entry(SHARED, journal)
            + &entry("dfs.journalnode.http-address", &format!("0.0.0.0:{port}"));
        let container = with_directories("$ROOT/data/name", &[("hdfs-site.xml", &text)]);
        let output = container.run(&["true"]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let calls = container.read("calls");
        let is_in_use = first || second || third;
        assert_eq!(calls.contains("-bootstrapStandby"), is_in_use, "{calls}");
        assert_eq!(calls.contains("-format"), !is_in_use, "{calls}");
    }
}

/// A switch beside the directories is none of them.
#[test]
fn switches_of_directories_are_no_directories() {
    let text = entry(NAME_DIR, "$ROOT/data/name") + &entry("dfs.namenode.name.dir.restore", "true");
    let container = with_directories("$ROOT/data/name", &[("hdfs-site.xml", &text)]);
    let output = container.run(&["true"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(container.read("calls").contains("-format"));
}

/// The first manager begins a cluster, another one asks it.
#[test]
fn another_manager_begins_no_cluster() {
    for (variable, call) in [
        ("ENSURE_SCM_INITIALIZED", "scm --init"),
        ("ENSURE_SCM_BOOTSTRAPPED", "scm --bootstrap"),
        ("ENSURE_OM_INITIALIZED", "om --init"),
    ] {
        let container = Container::new().program(
            "ozone",
            "echo \"$*\" >> $ROOT/calls; mkdir -p $ROOT/data/current; touch $ROOT/data/current/VERSION",
        );
        let version = container.text("data/current/VERSION");
        let output = container.set(variable, &version);
        let container = output;
        for _ in 0..2 {
            let output = container.run(&["true"]);
            assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        }
        assert_eq!(container.read("calls"), format!("{call}\n"), "{variable}");
    }
}

/// Just the files that are named are merged with; another is replaced.
#[test]
fn files_are_merged_with_as_they_are_named() {
    for (named, first, second) in [
        ("all", "k=old\na=new\n", "k=old\nb=new\n"),
        ("one.properties", "k=old\na=new\n", "b=new\n"),
        (
            "two.properties one.properties",
            "k=old\na=new\n",
            "k=old\nb=new\n",
        ),
        ("", "a=new\n", "b=new\n"),
    ] {
        let container = Container::new()
            .set("ONE.PROPERTIES_a", "new")
            .set("TWO.PROPERTIES_b", "new")
            .set("FLOKKR_MERGE", named);
        for name in ["one", "two"] {
            fs::write(
                container.path(&format!("conf/{name}.properties")),
                "k=old\n",
            )
            .unwrap();
        }
        let output = container.run(&["true"]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        assert_eq!(container.read("conf/one.properties"), first, "{named}");
        assert_eq!(container.read("conf/two.properties"), second, "{named}");
    }
}

/// All agents are loaded, whatever their variables are called.
#[test]
fn every_agent_is_loaded() {
    let container = Container::new()
        .set("FLOKKR_AGENT", "-javaagent:/one.jar")
        .set("FLOKKR_AGENT_TWO", "-javaagent:/two.jar=a")
        .set("JAVA_OPTS_VAR", "SERVER_OPTS")
        .program("server", "echo \"$SERVER_OPTS\" > $ROOT/options");
    let output = container.run(&["server"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let options = container.read("options");
    for agent in ["-javaagent:/one.jar", "-javaagent:/two.jar=a"] {
        assert_eq!(options.matches(agent).count(), 1, "{options}");
    }
}

/// However a secret's option is called, its value is not said.
#[test]
fn secrets_behind_options_are_not_said() {
    for option in [
        "--access-key",
        "--secret_access_key",
        "--db-password",
        "-password",
        "--fs.s3a.secret.key",
        "--API-TOKEN",
    ] {
        for words in [vec![option, "hidden"], vec![option, "=hidden"]] {
            let (words, joined) = match words[1].strip_prefix('=') {
                Some(value) => (vec![format!("{option}={value}")], true),
                None => (vec![option.to_owned(), words[1].to_owned()], false),
            };
            let all: Vec<&str> = ["--dry-run", "--", "server"]
                .into_iter()
                .chain(words.iter().map(String::as_str))
                .collect();
            let text = printed(&Container::new().run(&all));
            assert!(text.contains("server"), "{text}");
            assert!(!text.contains("hidden"), "{option} {joined}: {text}");
        }
    }
}

/// Times are what they say, and a majority is more than half.
#[test]
fn waits_are_as_long_and_for_as_many_as_is_said() {
    for (time, long) in [
        ("7", "7 s"),
        ("90s", "90 s"),
        ("5m", "300 s"),
        ("2h", "7200 s"),
        ("1500ms", "1500 ms"),
    ] {
        let container = Container::new()
            .set("WAITFOR", "a:1")
            .set("WAITFOR_TIMEOUT", time);
        let line = told(&container, "wait for ");
        assert!(
            line.ends_with(&format!(", {long} at most")),
            "{time}: {line}"
        );
    }
    for (all, count, least) in [
        (1, "majority", 1),
        (2, "majority", 2),
        (3, "majority", 2),
        (4, "majority", 3),
        (5, "majority", 3),
        (4, "any", 1),
        (4, "3", 3),
    ] {
        let endpoints: Vec<String> = (0..all).map(|at| format!("h{at}:1")).collect();
        let container = Container::new()
            .set("WAITFOR", &endpoints.join(" "))
            .set("WAITFOR_COUNT", count);
        let line = told(&container, "wait for ");
        let begins = format!("wait for {least} of ");
        assert!(
            line.starts_with(&begins) || least == all,
            "{all} {count}: {line}"
        );
    }
}

/// A process that ended well has done what it was to do.
#[test]
fn a_process_that_ended_well_is_not_started_again() {
    let container = Container::new()
        .set("RETRY_NUMBER", "3")
        .set("RETRY_PAUSE", "10ms")
        .program("server", "echo run >> $ROOT/runs");
    let output = container.run(&["server"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(container.read("runs"), "run\n");
}
