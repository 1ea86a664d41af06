//! The launcher as a container has it: the real binary with an environment and programs of the test's
//! own, some of which are killed half way.

mod decisions;

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpListener;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use flokkr::conffile::{self, Format};
use flokkr::env::{self, ConfigFile, Dialect};
use flokkr::launch::{self, Choices, Environment, Garbled};
use flokkr::problem::Problems;
use proptest::collection::btree_map;
use proptest::prelude::*;
use tempfile::TempDir;

use crate::env as readings;
use crate::properties::{cases_or, name, value};
use crate::support::install;

/// A container: a directory with programs in `bin`, config in `conf` and a volume in `data`.
struct Container {
    directory: TempDir,
    env: Vec<(String, String)>,
}

impl Container {
    fn new() -> Self {
        let container = Self {
            directory: tempfile::tempdir().unwrap(),
            env: Vec::new(),
        };
        for name in ["bin", "conf", "data"] {
            fs::create_dir(container.path(name)).unwrap();
        }
        let path = format!("{}:/usr/bin:/bin", container.text("bin"));
        let conf = container.text("conf");
        container.set("PATH", &path).set("CONF_DIR", &conf)
    }

    fn set(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    fn path(&self, below: &str) -> PathBuf {
        self.directory.path().join(below)
    }

    fn text(&self, below: &str) -> String {
        self.path(below).to_str().unwrap().to_owned()
    }

    /// Puts a program of bash into the container; `$ROOT` is the container.
    fn program(self, name: &str, script: &str) -> Self {
        let path = self.path("bin").join(name);
        let root = self.text("");
        let source = self.path("source");
        fs::write(&source, format!("#!/bin/bash\nROOT='{root}'\n{script}\n")).unwrap();
        install(&source, &path);
        self
    }

    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_flokkr"));
        command.arg("launch").args(words).env_clear();
        command.envs(self.env.iter().map(|(k, v)| (k, v)));
        command.stdin(Stdio::null());
        command
    }

    fn run(&self, words: &[&str]) -> Output {
        self.command(words).output().unwrap()
    }

    fn start(&self, words: &[&str]) -> Child {
        let mut command = self.command(words);
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().unwrap()
    }

    fn read(&self, below: &str) -> String {
        fs::read_to_string(self.path(below)).unwrap_or_default()
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn printed(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn signal(name: &str, child: &Child) {
    let id = child.id().to_string();
    let sent = Command::new("kill").args(["-s", name, &id]).status();
    assert!(sent.unwrap().success());
}

/// The first line that a process complains of.
fn first_line(child: &mut Child) -> String {
    let mut line = String::new();
    let complaint = child.stderr.take().unwrap();
    BufReader::new(complaint).read_line(&mut line).unwrap();
    line
}

/// The environments of which is known what the published launchers made of them.
#[test]
fn manifests_of_other_launchers_run_unchanged() {
    let mut failures = Vec::new();
    let (mut ran, mut refused) = (0, 0);
    for case in readings::cases(include_str!("../env/readings.yaml")) {
        let about = case["about"].as_str().unwrap();
        let groups = case
            .iter()
            .filter(|(name, _)| !["about", "env"].contains(&name.as_str()));
        for (names, expected) in groups {
            for dialect in readings::dialects(names) {
                let mut container = Container::new();
                for (name, value) in readings::pairs(&case["env"]) {
                    container = container.set(name, value);
                }
                // Whom it waits for is not here.
                container = container.set("WAITFOR", "");
                let conf = container.text("conf");
                let output =
                    container.run(&["--dialect", dialect.name(), "--conf", &conf, "--", "true"]);
                let written = fs::read_dir(&conf).unwrap().map(|entry| entry.unwrap());
                let mut written: BTreeMap<String, String> = written
                    .map(|entry| {
                        let text = fs::read_to_string(entry.path()).unwrap();
                        (entry.file_name().into_string().unwrap(), text)
                    })
                    .collect();
                let decoded = env::decode(dialect, readings::pairs(&case["env"]));
                if decoded.ignored.iter().any(|ignored| ignored.fails) {
                    refused += 1;
                    if output.status.code() != Some(2) || !written.is_empty() {
                        failures.push(format!("{about}, {dialect}: is not refused"));
                    }
                    continue;
                }
                ran += 1;
                if !output.status.success() {
                    failures.push(format!("{about}, {dialect}: {}", said(&output)));
                    continue;
                }
                for (file, wanted) in expected.as_mapping().unwrap() {
                    let Some((name, format)) = file.as_str().unwrap().split_once(" as ") else {
                        continue;
                    };
                    let text = written.remove(name).unwrap_or_default();
                    let format = Format::parse(format).unwrap();
                    let mut wanted = readings::pairs(wanted);
                    if wanted.is_empty() {
                        continue;
                    }
                    // An environment has no order.
                    wanted.sort_unstable();
                    // What no product can read is left out, as the reading says.
                    let rendered = conffile::render(format, &wanted).unwrap_or_default();
                    if rendered != text {
                        failures.push(format!("{about}, {dialect}: {name} has {text:?}"));
                    }
                }
                if !written.is_empty() {
                    failures.push(format!("{about}, {dialect}: also {written:?}"));
                }
            }
        }
    }
    assert_eq!(failures, Vec::<String>::new());
    assert!(ran > 50 && refused > 5, "{ran} ran, {refused} were refused");
}

/// Waits until a condition holds, for what other processes do.
fn eventually(what: &str, holds: impl Fn() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(30), "{what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// Answers GETs: the body for a path that begins so, else 404.
fn server(answers: Vec<(&'static str, Vec<u8>)>) -> u16 {
    server_at("127.0.0.1:0", answers)
}

fn server_at(address: &str, answers: Vec<(&'static str, Vec<u8>)>) -> u16 {
    let listener = TcpListener::bind(address).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let mut request = vec![0; 4096];
            let read = stream.read(&mut request).unwrap_or(0);
            let request = String::from_utf8_lossy(&request[..read]).into_owned();
            let path = request.split(' ').nth(1).unwrap_or("").to_owned();
            let found = answers.iter().find(|(start, _)| path.starts_with(start));
            let (status, body) = found.map_or(("404 Not Found", Vec::new()), |(_, body)| {
                ("200 OK", body.clone())
            });
            let head = format!(
                "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            let _ = stream.write_all(head.as_bytes());
            let _ = stream.write_all(&body);
        }
    });
    port
}

#[test]
fn the_process_is_as_it_was_given() {
    let container = Container::new()
        .set("CORE-SITE.XML_fs.defaultFS", "hdfs://a?b&c=<d>")
        .set("ZOO.CFG_tickTime", "2000")
        .set("SERVER.CONF", "cfg")
        .set("SERVER.CONF_a.b", "1")
        .set("OTHER.TXT!PROPERTIES_x", " y")
        .set("A B", "$HOME")
        .program(
            "server",
            "echo $$; printf '%s\\n' \"$@\"; tr '\\0' '\\n' < /proc/$$/environ | grep '^A B='; exit 42",
        );
    let child = container.start(&["--", "server", "a b", "$(x)", "", "--message-format"]);
    let id = child.id();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(42), "{}", said(&output));
    assert_eq!(
        printed(&output),
        format!("{id}\na b\n$(x)\n\n--message-format\nA B=$HOME\n")
    );
    assert_eq!(
        container.read("conf/core-site.xml"),
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<configuration>\n  <property>\n    \
            <name>fs.defaultFS</name>\n    <value>hdfs://a?b&amp;c=&lt;d></value>\n  \
            </property>\n</configuration>\n"
    );
    assert_eq!(container.read("conf/zoo.cfg"), "tickTime=2000\n");
    assert_eq!(container.read("conf/server.conf"), "a.b=1\n");
    assert_eq!(container.read("conf/other.txt"), "x=\\ y\n");
}

/// A word before the program that is no option is no program either, and nothing was done when it is told.
#[test]
fn options_that_are_not_known_are_refused_before_anything_is_done() {
    let container = Container::new()
        .set("CORE-SITE.XML_k", "v")
        .program("server", "printf '<%s>' \"$@\"")
        .program("--odd", "echo odd");
    for words in [
        &["--dryrun", "--", "server"][..],
        &["--dry-run", "--bogus", "--", "server"],
        &["--init", "-x", "server"],
        &[],
    ] {
        let output = container.run(words);
        assert_eq!(output.status.code(), Some(2), "{words:?}");
        assert_eq!(container.read("conf/core-site.xml"), "", "{words:?}");
    }
    for (words, told) in [
        (&["server", "--init", "--", "-x"][..], "<--init><--><-x>"),
        (&["--", "server", "--init", "--"], "<--init><-->"),
        (&["--", "--odd"], "odd\n"),
    ] {
        let output = container.run(words);
        assert_eq!(printed(&output), told, "{}", said(&output));
    }
}

#[test]
fn all_problems_come_at_once_and_nothing_is_done() {
    let container = Container::new()
        .set("CORE-SITE.XML_k", "v")
        .set("A.TXT!JSN_k", "v")
        .set("B.SH_a.b", "v")
        .set("WAITFOR", "namenode")
        .set("WAITFOR_TIMEOUT", "soon")
        .set("ENSURE_NAMENODE_DIR", "name")
        .set("FLOKKR_USER", "hadoop")
        .set("FLOKKR_CONFDIR", "/x")
        .set("KUBERNETES_CONFIGMAP", "config")
        .program("server", "touch $ROOT/ran");
    let output = container.run(&["server"]);
    assert_eq!(output.status.code(), Some(2));
    let said = said(&output).replace(&container.text(""), "/");
    let conf = container.path("conf").read_dir().unwrap();
    assert_eq!(conf.count(), 0, "config was written");
    assert_eq!(container.read("ran"), "");
    insta::with_settings!({ snapshot_path => "../../snapshots/launch", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("refused", said);
    });
}

#[test]
fn a_dry_run_says_everything_and_no_secret() {
    let container = Container::new()
        .set("CORE-SITE.XML_fs.s3a.secret.key", "hidden-1")
        .set("CORE-SITE.XML_fs.s3a.access.key", "hidden-2")
        .set("SSL-SERVER.XML_ssl.server.keystore.password", "hidden-3")
        .set("HDFS-SITE.XML_dfs.block.access.token.enable", "true")
        .set("HIVE-SITE.XML_url", "jdbc:postgresql://u:hidden-4@db/x")
        .set(
            "WAITFOR",
            "zookeeper:2181, journalnode-0:8485 journalnode-1:8485",
        )
        .set("WAITFOR_COUNT", "majority")
        .set("ENSURE_NAMENODE_DIR", "file:///data/name")
        .set("ENSURE_ZKFC_FORMATTED", "true")
        .set("FLOKKR_AGENT", "-javaagent:/opt/jmx.jar=9404:/etc/jmx.yaml")
        .set(
            "INSTALLER_SPARK",
            "https://u:hidden-5@example.org/spark.tgz",
        )
        .set("RETRY_NUMBER", "3");
    let output = container.run(&["--dry-run", "--", "hdfs", "namenode", "-upgrade"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let text = printed(&output).replace(&container.text(""), "/");
    assert!(!text.contains("hidden"), "{text}");
    insta::with_settings!({ snapshot_path => "../../snapshots/launch", prepend_module_to_snapshot => false, omit_expression => true }, {
        insta::assert_snapshot!("dry-run", text);
    });
}

/// Whatever says it: the config, a setting, the command, what is wrong, and what is done.
#[test]
fn secrets_are_never_said() {
    let container = Container::new()
        .set("A.XML_fs.azure.account.key.foo", "HIDDEN")
        .set("A.XML_my.password", "1230984560")
        .set("A.XML_a.pwd", "HIDDEN")
        .set(
            "A.XML_opts",
            "-Xmx1g -Djavax.net.ssl.trustStorePassword=HIDDEN -Da=shown",
        )
        .set("A.XML_url", "jdbc:x://db/x?user=u&password=HIDDEN")
        .set(
            "A.XML_jaas",
            "x required user=\"u\" password=\"HIDDEN HIDDEN\" a=\"shown\";",
        )
        .set("A.SH_DB_PASS", "HIDDEN HIDDEN")
        .set("A.PROPERTIES_delegation.token.max-lifetime", "604800")
        .set("A.PROPERTIES_list", "hdfs://shown@a:1,http://u:HIDDEN@b:2")
        .set("WAITFOR", "http://u:HIDDEN@127.0.0.1:1/x")
        .set("WAITFOR_TIMEOUT", "2")
        .set(
            "FLOKKR_AGENT",
            "-javaagent:x.jar=user=shown,password=HIDDEN",
        )
        .set("NAMENODE_INIT", "say --password HIDDEN --shown")
        .set("ENSURE_NAMENODE_DIR", "/nn")
        .set("GIT_CLONE", "https://HIDDEN@127.0.0.1:1/r.git");
    let words = [
        "--",
        "hdfs",
        "namenode",
        "--db-password",
        "HIDDEN",
        "-Dx.secret=HIDDEN HIDDEN",
    ];
    let dry: Vec<&str> = ["--dry-run"].into_iter().chain(words).collect();
    let output = container.set(
        "DOWNLOAD_X",
        "http://127.0.0.1:1/x?a=shown&token=HIDDEN /tmp/no-such/x",
    );
    let container = output;
    let text = printed(&container.run(&dry));
    assert!(
        !text.contains("HIDDEN") && !text.contains("1230984560"),
        "{text}"
    );
    assert_eq!(text.matches("shown").count(), 6, "{text}");
    assert!(text.contains("max-lifetime=604800"), "{text}");
    assert!(
        text.contains("run hdfs namenode --db-password '********' '-Dx.secret=********'"),
        "{text}"
    );

    // On the way, and when it fails.
    let mut container = container;
    container.env.retain(|(name, _)| {
        !["GIT_CLONE", "DOWNLOAD_X", "ENSURE_NAMENODE_DIR"].contains(&name.as_str())
    });
    let output = container.run(&words);
    assert_eq!(output.status.code(), Some(1));
    let text = said(&output);
    assert!(
        text.contains("waiting for http://********@127.0.0.1:1/x"),
        "{text}"
    );
    assert!(
        text.contains("missing: http://********@127.0.0.1:1/x"),
        "{text}"
    );
    assert!(!text.contains("HIDDEN"), "{text}");

    // What is wrong.
    let container = container
        .set("WAITFOR", "tcp://u:HIDDEN@h")
        .set("INSTALLER_X", "http://u:HIDDEN@h/x.zip?sig=HIDDEN");
    let output = container.run(&words);
    assert_eq!(output.status.code(), Some(2));
    assert!(!said(&output).contains("HIDDEN"), "{}", said(&output));
}

#[test]
fn programs_that_are_not_there_end_as_in_a_shell() {
    let container = Container::new();
    let output = container.run(&["hdfs namenode"]);
    assert_eq!(output.status.code(), Some(127));
    assert!(
        said(&output).contains("as a list of words"),
        "{}",
        said(&output)
    );
    fs::write(container.path("bin/plain"), "").unwrap();
    assert_eq!(container.run(&["plain"]).status.code(), Some(126));
    // The program is there, and what it is for is not.
    let source = container.path("source");
    fs::write(&source, "#!/no/such/shell\n").unwrap();
    install(&source, &container.path("bin/odd-script"));
    for name in ["odd-script", &container.text("bin/odd-script")] {
        let output = container.run(&[name]);
        assert_eq!(output.status.code(), Some(126));
        let told = format!("`{name}` can't be run");
        assert!(said(&output).contains(&told), "{}", said(&output));
    }
}

#[test]
fn what_is_no_address_is_not_waited_for() {
    for (word, fits) in [
        ("a:1", true),
        ("[::1]:1", true),
        ("::1:1", true),
        ("tcp://a-b.c:1", true),
        ("http://a", true),
        ("https://u:p@[::1]:1/x?y:z", true),
        ("[::1:1", false),
        ("[a]:1", false),
        ("127.0.0.1:80:80", false),
        ("a:0", false),
        ("a", false),
        ("http://", false),
        ("http://x:y", false),
        ("http:///x", false),
    ] {
        let container = Container::new().set("WAITFOR", word);
        let output = container.run(&["--dry-run", "true"]);
        let code = if fits { 0 } else { 2 };
        assert_eq!(output.status.code(), Some(code), "{word}");
    }
    let container = Container::new().set("WAITFOR_COUNT", "3");
    let output = container.run(&["true"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(said(&output).contains("WAITFOR_COUNT does nothing without WAITFOR"));
}

#[test]
fn a_wait_of_no_time_tries_once() {
    let there = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = there.local_addr().unwrap().to_string();
    let container = Container::new()
        .set("WAITFOR", &address)
        .set("WAITFOR_TIMEOUT", "0");
    let output = container.run(&["true"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    drop(there);
    assert_eq!(container.run(&["true"]).status.code(), Some(1));
}

/// The group is the process's as well as the user.
#[test]
fn root_takes_the_group_it_is_given() {
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    if !is_root {
        return;
    }
    let container = Container::new().set("FLOKKR_USER", "0:1234");
    let output = container.run(&["id", "-g"]);
    assert_eq!(printed(&output), "1234\n", "{}", said(&output));
}

#[test]
fn what_is_waited_for_is_tried_at_once() {
    let first = TcpListener::bind("127.0.0.1:0").unwrap();
    let later = TcpListener::bind("127.0.0.1:0").unwrap();
    let (one, two) = (first.local_addr().unwrap(), later.local_addr().unwrap());
    drop(later);
    let web = server(vec![("/ready", b"yes".to_vec())]);
    let container = Container::new()
        .set("WAITFOR", &format!("{one} tcp://{two}"))
        .set(
            "SERVICE_PRECONDITION",
            &format!("http://127.0.0.1:{web}/ready"),
        )
        .set("WAITFOR_TIMEOUT", "60s");
    let child = container.start(&["true"]);
    thread::sleep(Duration::from_millis(1500));
    let _later = TcpListener::bind(two).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(said(&output).contains(&format!("waiting for {two}")));
}

#[test]
fn a_wait_has_an_end_and_says_what_is_missing() {
    let there = TcpListener::bind("127.0.0.1:0").unwrap();
    let there = there.local_addr().map(|a| (a, there)).unwrap();
    let none = TcpListener::bind("127.0.0.1:0").unwrap();
    let gone = none.local_addr().unwrap();
    drop(none);
    let waits = format!("{},{gone},no-such-host.invalid:1", there.0);
    let container = Container::new()
        .set("WAITFOR", &waits)
        .set("WAITFOR_TIMEOUT", "2")
        .program("server", "touch $ROOT/ran");
    let output = container.run(&["server"]);
    assert_eq!(output.status.code(), Some(1));
    let said = said(&output);
    assert!(said.contains("only 1 of 3 answer"), "{said}");
    assert!(
        said.contains(&format!("{gone} (connection refused)")),
        "{said}"
    );
    assert!(
        said.contains("no-such-host.invalid:1 (no such name)"),
        "{said}"
    );
    assert_eq!(container.read("ran"), "");

    let any = Container::new()
        .set("WAITFOR", &waits)
        .set("WAITFOR_COUNT", "any");
    assert_eq!(any.run(&["true"]).status.code(), Some(0));
}

#[test]
fn a_signal_ends_it_at_any_moment() {
    // While it waits, nothing runs that could take the signal.
    let container = Container::new().set("WAITFOR", "127.0.0.1:1");
    let mut child = container.start(&["true"]);
    assert!(first_line(&mut child).contains("waiting for"));
    signal("TERM", &child);
    assert_eq!(child.wait().unwrap().code(), Some(143));

    // While a step runs, that gets it, and the process is not started.
    let container = Container::new()
        .set("ENSURE_ZKFC_FORMATTED", "yes")
        .program(
            "hdfs",
            "trap 'touch $ROOT/told; exit 0' TERM\ntouch $ROOT/begun\nwhile :; do sleep 0.05; done",
        )
        .program("server", "touch $ROOT/ran");
    let mut child = container.start(&["server"]);
    eventually("the step begins", || container.path("begun").exists());
    signal("TERM", &child);
    assert_eq!(child.wait().unwrap().code(), Some(143));
    assert!(container.path("told").exists());
    assert!(!container.path("ran").exists());
}

#[test]
fn as_init_it_hands_on_signals_and_reaps() {
    // The inner shell leaves a child behind, whose end is nobody's but the launcher's.
    let container = Container::new().program(
        "server",
        "trap 'exit 7' TERM; trap 'touch $ROOT/usr1' USR1\n\
            ( sleep 0.05 & echo $! > $ROOT/orphan )\n\
            touch $ROOT/up; while :; do sleep 0.05; done",
    );
    let mut child = container.start(&["--init", "server"]);
    eventually("the process is up", || container.path("up").exists());
    signal("USR1", &child);
    eventually("it had the signal", || container.path("usr1").exists());
    let orphan = format!("/proc/{}", container.read("orphan").trim());
    eventually("the orphan is reaped", || !PathBuf::from(&orphan).exists());
    signal("TERM", &child);
    assert_eq!(child.wait().unwrap().code(), Some(7));
    let killed = Container::new().program("server", "kill -9 $$");
    assert_eq!(killed.run(&["--init", "server"]).status.code(), Some(137));
}

#[test]
fn a_process_that_fails_soon_is_started_again() {
    let container = Container::new()
        .set("RETRY_NUMBER", "3")
        .set("RETRY_PAUSE", "10ms")
        .program("server", "echo run >> $ROOT/runs; exit 5");
    let output = container.run(&["server"]);
    assert_eq!(output.status.code(), Some(5));
    assert_eq!(container.read("runs"), "run\nrun\nrun\n");
    assert!(said(&output).contains("run 2 of 3"), "{}", said(&output));
    // A normal run is not repeated.
    let container = Container::new()
        .set("RETRY_NUMBER", "3")
        .set("RETRY_NORMAL_RUN_DURATION", "0")
        .program("server", "echo run >> $ROOT/runs; exit 5");
    assert_eq!(container.run(&["server"]).status.code(), Some(5));
    assert_eq!(container.read("runs"), "run\n");
}

/// A NameNode that formats as Hadoop does: VERSION first, the image last. It stops between the two
/// while `stall` is there.
const NAMENODE: &str = "echo \"$*\" >> $ROOT/calls
case \"$*\" in
  *-format*|*-bootstrapStandby*)
    mkdir -p $ROOT/data/name/current; touch $ROOT/data/name/current/VERSION
    while [ -e $ROOT/stall ]; do sleep 0.05; done
    touch $ROOT/data/name/current/fsimage_0000000000000000000 ;;
esac";

fn namenode() -> Container {
    let container = Container::new().program("hdfs", NAMENODE);
    let directory = container.text("data/name");
    container
        .set("HDFS-SITE.XML_dfs.namenode.name.dir", &directory)
        .set("ENSURE_NAMENODE_DIR", &directory)
        .set("ENSURE_NAMENODE_CLUSTERID", "c1")
}

const FORMAT: &str = "namenode -format -force -nonInteractive -clusterId c1\n";

#[test]
fn a_namenode_is_formatted_once() {
    let container = namenode();
    for _ in 0..2 {
        let output = container.run(&["hdfs", "namenode"]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    }
    assert_eq!(
        container.read("calls"),
        format!("{FORMAT}namenode\nnamenode\n")
    );
    assert!(!container.path("data/name/format-begun").exists());
}

#[test]
fn a_format_that_was_killed_is_taken_again() {
    let container = namenode();
    fs::write(container.path("stall"), "").unwrap();
    let mut child = container.start(&["hdfs", "namenode"]);
    eventually("the format begins", || {
        container.path("data/name/current/VERSION").exists()
    });
    child.kill().unwrap();
    child.wait().unwrap();
    fs::remove_file(container.path("stall")).unwrap();
    // The orphan goes on, as it would not in a container.
    eventually("the orphan ends", || {
        container
            .path("data/name/current/fsimage_0000000000000000000")
            .exists()
    });
    fs::remove_file(container.path("data/name/current/fsimage_0000000000000000000")).unwrap();
    assert_eq!(container.run(&["hdfs", "namenode"]).status.code(), Some(0));
    assert_eq!(
        container.read("calls"),
        format!("{FORMAT}{FORMAT}namenode\n")
    );
}

#[test]
fn a_directory_that_was_in_use_is_never_formatted() {
    let container = namenode();
    fs::create_dir_all(container.path("data/name/current")).unwrap();
    fs::write(container.path("data/name/current/VERSION"), "").unwrap();
    let output = container.run(&["hdfs", "namenode"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said(&output).contains("has been in use"),
        "{}",
        said(&output)
    );
    assert_eq!(container.read("calls"), "");
}

/// A NameNode that serves in a container of its own until it is told to end, and a program that says its
/// words when it is up, but fails while `fail` is there.
fn with_init(text: &str) -> Container {
    let server = "
case \"$*\" in
  'namenode -D '*)
    trap 'rm $ROOT/up; exit 143' TERM; touch $ROOT/up
    while true; do sleep 0.02; done ;;
  dfsadmin*) [ -e $ROOT/up ] ;;
  'dfs '*) [ -e $ROOT/up ] ;;
esac";
    let said = "[ -e $ROOT/up ] && printf '<%s>' \"$@\" >> $ROOT/words && [ ! -e $ROOT/fail ]";
    namenode()
        .program("hdfs", &format!("{NAMENODE}{server}"))
        .program("say", said)
        .set("NAMENODE_INIT", text)
}

#[test]
fn the_first_command_of_a_namenode_is_run_once() {
    let container = with_init("say  a \"b 'c'\"'d \"e' \"\" f\\ g\\\\");
    for _ in 0..2 {
        let output = container.run(&["hdfs", "namenode"]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        assert!(!container.path("up").exists());
    }
    assert_eq!(container.read("words"), "<a><b 'c'd \"e><><f g\\>");
    let calls = container.read("calls");
    assert_eq!(calls.matches("-fs hdfs://127.0.0.1:1111\n").count(), 1);
    assert!(calls.ends_with("\nnamenode\nnamenode\n"), "{calls}");
    assert!(!container.path("data/name/init-begun").exists());
}

#[test]
fn a_first_command_that_failed_is_run_again() {
    let container = with_init("say x");
    fs::write(container.path("fail"), "").unwrap();
    let output = container.run(&["hdfs", "namenode"]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("`say x` ended with 1"));
    // The server was killed with the launcher: nobody took this away.
    fs::remove_file(container.path("fail")).unwrap();
    fs::remove_file(container.path("up")).unwrap();
    let output = container.run(&["hdfs", "namenode"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(container.read("words"), "<x><x>");
    let calls = container.read("calls");
    assert_eq!(calls.matches("-format").count(), 1, "{calls}");
    assert!(calls.ends_with("\nnamenode\n"), "{calls}");
}

/// As in the published manifests: with the address of that NameNode, and without any.
#[test]
fn a_first_command_asks_the_namenode_that_is_there() {
    for (text, asked) in [
        (
            "hdfs dfs -chmod 777 /",
            "dfs -fs hdfs://127.0.0.1:1111 -chmod 777 /",
        ),
        ("hdfs dfs -fs hdfs://x:1 -ls", "dfs -fs hdfs://x:1 -ls"),
    ] {
        let container = with_init(text);
        let output = container.run(&["hdfs", "namenode"]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let calls = container.read("calls");
        assert!(calls.lines().any(|line| line == asked), "{calls}");
    }
}

#[test]
fn a_first_command_is_for_no_shell() {
    for (text, what) in [
        ("a; b", "`;`"),
        ("a && b", "`&`"),
        ("a > b", "`>`"),
        ("a $b", "`$`"),
        ("a \"$b\"", "`$`"),
        ("`b`", "```"),
        ("a *", "`*`"),
        ("~/a", "`~`"),
        ("a 'b", "a quote without an end"),
        ("a \"b", "a quote without an end"),
        ("a\nb", "the end of a line"),
        ("a \\", "a `\\` at the end"),
    ] {
        let container = with_init(text);
        let output = container.run(&["hdfs", "namenode"]);
        assert_eq!(output.status.code(), Some(2), "{text}: {}", said(&output));
        assert!(said(&output).contains(what), "{text}: {}", said(&output));
        assert_eq!(container.read("calls"), "");
    }
}

#[test]
fn a_namenode_whose_journal_is_in_use_fetches_the_image() {
    for (formatted, call) in [
        (
            "true",
            "namenode -bootstrapStandby -force -nonInteractive\n",
        ),
        ("false", FORMAT),
    ] {
        let status = format!("{{\\\"ns\\\":{{\\\"Formatted\\\":\\\"{formatted}\\\"}}}}");
        let jmx = format!("{{\"beans\":[{{\"JournalsStatus\":\"{status}\"}}]}}");
        let port = server(vec![(
            "/jmx?qry=Hadoop:service=JournalNode",
            jmx.into_bytes(),
        )]);
        let container = namenode()
            .set(
                "HDFS-SITE.XML_dfs.namenode.shared.edits.dir",
                "qjournal://127.0.0.1:8485/ns",
            )
            .set(
                "HDFS-SITE.XML_dfs.journalnode.http-address",
                &format!("0.0.0.0:{port}"),
            );
        let output = container.run(&["true"]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        assert_eq!(container.read("calls"), call);
    }
}

/// What is named with the config of a NameNode, and what Hadoop reads: `$ROOT` is the container.
fn with_directories(named: &str, files: &[(&str, &str)]) -> Container {
    let container = Container::new().program("hdfs", NAMENODE);
    let root = container.text("");
    let root = root.trim_end_matches('/');
    for (name, entries) in files {
        let text = format!("<configuration>{entries}</configuration>").replace("$ROOT", root);
        fs::write(container.path("conf").join(name), text).unwrap();
    }
    let named = named.replace("$ROOT", root);
    container.set("ENSURE_NAMENODE_DIR", &named)
}

fn entry(key: &str, value: &str) -> String {
    format!("<property><name>{key}</name><value>{value}</value></property>")
}

const NAME_DIR: &str = "dfs.namenode.name.dir";

/// An image in any of its directories is one of the NameNode, however they are written.
#[test]
fn a_namenode_with_several_directories_is_not_formatted_when_one_has_an_image() {
    for (named, configured, image) in [
        (
            "$ROOT/data/a,$ROOT/data/b",
            "$ROOT/data/a,$ROOT/data/b",
            "a",
        ),
        (
            "$ROOT/data/a,$ROOT/data/b",
            "$ROOT/data/a,$ROOT/data/b",
            "b",
        ),
        (
            "file://$ROOT/data/b/ , $ROOT/data/a",
            "\n $ROOT/data/a, file:$ROOT/data/b\n",
            "b",
        ),
        ("$ROOT/data/a", "$ROOT/data/a,file://$ROOT/data/b", "b"),
        ("$ROOT/data/a", "${base}/data/a,${base}/data/b", "b"),
    ] {
        for standby in [false, true] {
            let text = entry(NAME_DIR, configured) + &entry("base", "$ROOT");
            let mut container = with_directories(named, &[("hdfs-site.xml", &text)]);
            if standby {
                let (_, named) = container.env.pop().unwrap();
                container = container.set("ENSURE_STANDBY_NAMENODE_DIR", &named);
            }
            let current = container.path("data").join(image).join("current");
            fs::create_dir_all(&current).unwrap();
            fs::write(current.join("fsimage_0"), "").unwrap();
            let output = container.run(&["true"]);
            assert_eq!(output.status.code(), Some(0), "{named}: {}", said(&output));
            assert_eq!(container.read("calls"), "", "{named}");
        }
    }
}

/// A format empties what the config names: what was asked for must be the same.
#[test]
fn a_namenode_whose_config_names_another_directory_is_left_alone() {
    let tmp = entry("hadoop.tmp.dir", "$ROOT/data");
    for (named, name, text) in [
        (
            "$ROOT/data/a",
            "hdfs-site.xml",
            entry(NAME_DIR, "$ROOT/data/b"),
        ),
        (
            "$ROOT/data/a,$ROOT/data/b",
            "hdfs-site.xml",
            entry(NAME_DIR, "$ROOT/data/b"),
        ),
        (
            "$ROOT/data/a",
            "hdfs-site.xml",
            entry(NAME_DIR, "file://host$ROOT/data/a"),
        ),
        (
            "$ROOT/data/a",
            "hdfs-site.xml",
            entry(NAME_DIR, "${user.home}/a"),
        ),
        ("$ROOT/data/a", "core-site.xml", tmp),
        ("$ROOT/data/a", "core-site.xml", String::new()),
        ("$ROOT/data/a", "other.xml", entry(NAME_DIR, "$ROOT/data/a")),
    ] {
        for variable in ["ENSURE_NAMENODE_DIR", "ENSURE_STANDBY_NAMENODE_DIR"] {
            let mut container = with_directories(named, &[(name, &text)]);
            let (_, named) = container.env.pop().unwrap();
            container = container.set(variable, &named);
            let output = container.run(&["true"]);
            assert_eq!(output.status.code(), Some(1), "{text}: {}", said(&output));
            assert!(
                said(&output).contains("nothing is formatted"),
                "{}",
                said(&output)
            );
            assert_eq!(container.read("calls"), "");
            assert!(!container.path("data/a").exists());
        }
    }
}

/// What the published images name is the directory that Hadoop takes by itself.
#[test]
fn a_namenode_without_a_setting_has_the_directory_of_hadoop() {
    let tmp = entry("hadoop.tmp.dir", "$ROOT/data");
    let container = with_directories("$ROOT/data/dfs/name", &[("core-site.xml", &tmp)]);
    let program = NAMENODE.replace("data/name", "data/dfs/name");
    let container = container.program("hdfs", &program);
    let output = container.run(&["true"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert!(container.read("calls").contains("-format"));

    // Without a setting it has the name of the user in it. What is another's may be what is formatted.
    let user = tempfile::Builder::new()
        .prefix("hadoop-")
        .tempdir_in("/tmp")
        .unwrap();
    let other = tempfile::Builder::new()
        .prefix("hadoop-")
        .tempdir_in("/tmp")
        .unwrap();
    let current = other.path().join("dfs/name/current");
    fs::create_dir_all(&current).unwrap();
    fs::write(current.join("fsimage_0"), "").unwrap();
    let named = format!("{}/dfs/name", user.path().display());
    let container = with_directories(&named, &[("core-site.xml", "")]);
    let output = container.run(&["true"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(container.read("calls"), "");
}

#[test]
fn a_format_of_several_directories_makes_all_of_them() {
    let text = entry(NAME_DIR, "$ROOT/data/name,$ROOT/data/two");
    let named = "$ROOT/data/name,$ROOT/data/two";
    let container = with_directories(named, &[("hdfs-site.xml", &text)]);
    let output = container.run(&["true"]);
    assert_eq!(output.status.code(), Some(1));
    let two = format!("made no image in {}", container.text("data/two"));
    assert!(said(&output).contains(&two), "{}", said(&output));
    let twice = NAMENODE.replace(
        " ;;",
        "\n mkdir -p $ROOT/data/two; cp -r $ROOT/data/name/current $ROOT/data/two ;;",
    );
    let container = with_directories(named, &[("hdfs-site.xml", &text)]).program("hdfs", &twice);
    for _ in 0..2 {
        let output = container.run(&["true"]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    }
    assert_eq!(container.read("calls").lines().count(), 1);
}

/// Edits that are not with the image are emptied by a format as well.
#[test]
fn edits_in_a_directory_of_their_own_are_kept() {
    let text =
        entry(NAME_DIR, "$ROOT/data/name") + &entry("dfs.namenode.edits.dir", "$ROOT/data/edits");
    let container = with_directories("$ROOT/data/name", &[("hdfs-site.xml", &text)]);
    fs::create_dir_all(container.path("data/edits/current")).unwrap();
    let output = container.run(&["true"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        said(&output).contains("data/edits has been in use"),
        "{}",
        said(&output)
    );
    assert_eq!(container.read("calls"), "");
}

const SHARED: &str = "dfs.namenode.shared.edits.dir";

/// However Hadoop lets the journal be written, it is asked first.
#[test]
fn a_shared_journal_is_asked_however_it_is_written() {
    let jmx =
        "{\"beans\":[{\"JournalsStatus\":\"{\\\"ns\\\":{\\\"Formatted\\\":\\\"true\\\"}}\"}]}";
    let port = server(vec![("/jmx?qry=Hadoop:service=JournalNode", jmx.into())]);
    let http = entry("dfs.journalnode.http-address", " 0.0.0.0:${port} ");
    let rest = http + &entry("port", &port.to_string()) + &entry("h", "127.0.0.1");
    for journal in [
        "\n  qjournal://127.0.0.1:8485/ns\n",
        "${j}</value></property><property><name>j</name><value>qjournal://${h}/ns",
        "qjournal://${env.JOURNAL:-${h}}:8485/ns",
        "file://$ROOT/data/shared",
    ] {
        let text = entry(NAME_DIR, "$ROOT/data/name") + &entry(SHARED, journal) + &rest;
        let container = with_directories("$ROOT/data/name", &[("hdfs-site.xml", &text)]);
        fs::create_dir_all(container.path("data/shared/current")).unwrap();
        let output = container.run(&["true"]);
        assert_eq!(
            output.status.code(),
            Some(0),
            "{journal}: {}",
            said(&output)
        );
        let calls = container.read("calls");
        assert_eq!(
            calls, "namenode -bootstrapStandby -force -nonInteractive\n",
            "{journal}"
        );
    }
}

#[test]
fn a_shared_journal_that_is_not_understood_stops_the_format() {
    for (journal, http) in [
        ("qjournal://127.0.0.1:8485/x/", "0.0.0.0:1"),
        ("qjournal://127.0.0.1:8485", "0.0.0.0:1"),
        ("qjournal://a b:8485/x", "0.0.0.0:1"),
        ("QJOURNAL://127.0.0.1:8485/x", "0.0.0.0:1"),
        ("bookkeeper://127.0.0.1:8485/x", "0.0.0.0:1"),
        ("${nobody}", "0.0.0.0:1"),
        (
            "${a}</value></property><property><name>a</name><value>${a}",
            "0.0.0.0:1",
        ),
        ("qjournal://127.0.0.1:8485/x", "0.0.0.0"),
        ("qjournal://127.0.0.1:8485/x", "0.0.0.0:${nobody}"),
    ] {
        let text = entry(NAME_DIR, "$ROOT/data/name")
            + &entry(SHARED, journal)
            + &entry("dfs.journalnode.http-address", http);
        let container = with_directories("$ROOT/data/name", &[("hdfs-site.xml", &text)]);
        let output = container.run(&["true"]);
        assert_eq!(
            output.status.code(),
            Some(1),
            "{journal}: {}",
            said(&output)
        );
        assert!(
            said(&output).contains("nothing is formatted"),
            "{}",
            said(&output)
        );
        assert_eq!(container.read("calls"), "");
    }
    // Nor is anything formatted when no config is known.
    let container = Container::new().program("hdfs", NAMENODE);
    let mut command = container.command(&["hdfs", "namenode"]);
    let output = command
        .env_remove("CONF_DIR")
        .env("ENSURE_NAMENODE_DIR", "/no-such-directory");
    let output = output.output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(
        said(&output).contains("nothing says where hdfs-site.xml is"),
        "{}",
        said(&output)
    );
    assert_eq!(container.read("calls"), "");
}

#[test]
fn ozone_zkfc_and_kafka_are_prepared() {
    let container = Container::new()
        .set("ENSURE_ZKFC_FORMATTED", "true")
        .set("ENSURE_KAFKA_FORMATTED", "id-1")
        .program("hdfs", "echo hdfs \"$*\" >> $ROOT/calls; exit 2")
        .program("kafka-storage.sh", "echo kafka \"$*\" >> $ROOT/calls")
        .program(
            "ozone",
            "echo ozone \"$*\" >> $ROOT/calls; if [ ! -e $ROOT/once ]; then touch $ROOT/once; exit 1; fi\n\
                touch $ROOT/data/VERSION",
        );
    let version = container.text("data/VERSION");
    let container = container.set("ENSURE_OM_INITIALIZED", &version);
    for _ in 0..2 {
        let output = container.run(&["true"]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    }
    let config = container.text("conf/server.properties");
    let once = format!(
        "hdfs zkfc -formatZK -nonInteractive\nozone om --init\nozone om --init\n\
            kafka format --ignore-formatted -t id-1 -c {config}\n"
    );
    let again = once.replace("ozone om --init\n", "");
    assert_eq!(container.read("calls"), format!("{once}{again}"));
}

/// Does what Ozone's does: it makes the directory, then the file, and refuses a directory that is there.
const OZONE: &str = "echo \"$*\" >> $ROOT/calls
    case $2 in --init) ;; *) exit 0 ;; esac
    mkdir -p $ROOT/data/scm
    mkdir $ROOT/data/scm/current || exit 255
    touch $ROOT/data/scm/current/VERSION.tmp
    while [ -e $ROOT/stall ]; do sleep 0.05; [ -e $ROOT ] || exit; done
    mv $ROOT/data/scm/current/VERSION.tmp $ROOT/data/scm/current/VERSION";

fn scm() -> Container {
    let container = Container::new().program("ozone", OZONE);
    let version = container.text("data/scm/current/VERSION");
    container.set("ENSURE_SCM_INITIALIZED", &version)
}

#[test]
fn an_init_of_ozone_that_was_killed_is_taken_again() {
    let container = scm();
    fs::write(container.path("stall"), "").unwrap();
    let mut child = container.start(&["ozone", "scm"]);
    eventually("the init begins", || {
        container.path("data/scm/current/VERSION.tmp").exists()
    });
    child.kill().unwrap();
    child.wait().unwrap();
    fs::remove_file(container.path("stall")).unwrap();
    // The orphan goes on, as it would not in a container.
    let version = container.path("data/scm/current/VERSION");
    eventually("the orphan ends", || version.exists());
    fs::rename(&version, container.path("data/scm/current/VERSION.tmp")).unwrap();
    for _ in 0..2 {
        let output = container.run(&["ozone", "scm"]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    }
    assert_eq!(
        container.read("calls"),
        "scm --init\nscm --init\nscm\nscm\n"
    );
    assert!(!container.path("data/scm/init-begun").exists());
}

#[test]
fn a_directory_of_ozone_in_use_is_left_alone() {
    let container = scm();
    fs::create_dir_all(container.path("data/scm/current")).unwrap();
    let output = container.run(&["ozone", "scm"]);
    assert_eq!(output.status.code(), Some(255), "{}", said(&output));
    assert_eq!(container.read("calls"), "scm --init\n");
    assert!(container.path("data/scm/current").exists());
}

#[test]
fn a_failover_waits_for_a_quorum() {
    let answers = |codes: &str| {
        let script = format!(
            "echo call >> $ROOT/calls\nset -- {codes}\n\
            shift $(($(wc -l < $ROOT/calls) - 1))\nexit $1"
        );
        let container = Container::new()
            .set("ENSURE_ZKFC_FORMATTED", "true")
            .program("hdfs", &script);
        let output = container.run(&["true"]);
        (
            output.status.code(),
            container.read("calls").lines().count(),
        )
    };
    assert_eq!(answers("6 2"), (Some(0), 2));
    assert_eq!(answers("6 0"), (Some(0), 2));
    // Anything else does not mend itself.
    assert_eq!(answers("3 0"), (Some(3), 1));
}

#[test]
fn a_zookeeper_keeps_its_id() {
    let container = Container::new().set("ZOOKEEPER_ID", "3");
    let data = container.text("data");
    let container = container.set("ZOOKEEPER_ID_FROM_HOST", &data);
    assert_eq!(container.run(&["true"]).status.code(), Some(0));
    assert_eq!(container.read("data/myid"), "3\n");
    fs::write(container.path("data/myid"), "4\n").unwrap();
    let output = container.run(&["true"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("belongs to another server"));
    // As manifests for the published image say it.
    let container = Container::new().set("ZOO_MY_ID", "5");
    let data = container.text("data");
    let container = container.set("ZOOKEEPER_ID_FROM_HOST", &data);
    assert_eq!(container.run(&["true"]).status.code(), Some(0));
    assert_eq!(container.read("data/myid"), "5\n");
}

#[test]
fn agents_are_for_the_server_only() {
    let container = namenode()
        .set("HDFS_NAMENODE_OPTS", "-Xmx1g")
        .set("FLOKKR_AGENT", "-javaagent:/opt/jmx.jar=9404")
        .set("BYTEMAN_SCRIPT", "RULE x")
        .program(
            "hdfs",
            &format!("echo \"$HDFS_NAMENODE_OPTS\" >> $ROOT/options\n{NAMENODE}"),
        );
    let output = container.run(&["hdfs", "namenode"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(
        container.read("options"),
        "-Xmx1g\n-Xmx1g -javaagent:/opt/byteman.jar=script:/tmp/byteman.btm \
            -javaagent:/opt/jmx.jar=9404\n"
    );
    // Nobody knows what another program reads.
    let container = Container::new().set("FLOKKR_AGENT", "-javaagent:/x.jar");
    let output = container.run(&["server"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("JAVA_OPTS_VAR"));
}

#[test]
fn downloads_are_proven() {
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    {
        let mut tar = tar::Builder::new(&mut packed);
        let mut header = tar::Header::new_gnu();
        header.set_size(5);
        header.set_mode(0o644);
        tar.append_data(&mut header, "app-1.0/bin/x", &b"hello"[..])
            .unwrap();
        tar.finish().unwrap();
    }
    let port = server(vec![
        ("/app-1.0.tgz", packed.finish().unwrap()),
        ("/text", b"hello".to_vec()),
    ]);
    let hello = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
    let container = Container::new();
    let to = container.text("data/text");
    let given = format!("http://127.0.0.1:{port}/text#sha256={hello} {to}");
    let container = container.set("DOWNLOAD_TEXT", &given);
    let output = container.run(&["true"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(container.read("data/text"), "hello");
    assert_eq!(said(&output), "");

    let container = Container::new();
    let to = container.text("data/text");
    let wrong = hello.replace('2', "3");
    let given = format!("http://127.0.0.1:{port}/text#sha256={wrong} {to}");
    let container = container.set("DOWNLOAD_TEXT", &given);
    let output = container.run(&["true"]);
    assert_eq!(output.status.code(), Some(1));
    let text = said(&output);
    assert!(
        text.contains("its digest is") && !text.contains("again in"),
        "{text}"
    );
    assert!(!container.path("data/text").exists());

    let container = Container::new();
    let given = format!("http://127.0.0.1:{port}/text {}", container.text("data"));
    let output = container.set("DOWNLOAD_TEXT", &given).run(&["true"]);
    assert_eq!(output.status.code(), Some(1));
    let text = said(&output);
    assert!(
        text.contains("is a directory") && !text.contains("again in"),
        "{text}"
    );
}

#[test]
fn what_is_fetched_leads_nowhere_else() {
    for name in ["INSTALLER_", "INSTALLER_..", "INSTALLER_../../etc"] {
        let container = Container::new().set(name, "http://127.0.0.1:1/x.tgz");
        let output = container.run(&["--dry-run", "true"]);
        assert_eq!(output.status.code(), Some(2), "{name}");
        assert!(
            said(&output).contains("names no product"),
            "{}",
            said(&output)
        );
    }
    let container = Container::new()
        .set("GIT_CLONE", "--upload-pack=evil")
        .program("git", "printf '<%s>' \"$@\"; exit 3");
    let output = container.run(&["true"]);
    assert_eq!(output.status.code(), Some(3));
    let told = "<clone><--depth><1><--><--upload-pack=evil></tmp/--upload-pack=evil>";
    assert_eq!(printed(&output), told);
    let container = Container::new()
        .set("BYTEMAN_SCRIPT", "RULE x")
        .set("BYTEMAN_SCRIPT_URL", "http://127.0.0.1:1/x");
    let output = container.run(&["--dry-run", "hdfs", "namenode"]);
    assert!(said(&output).contains("BYTEMAN_SCRIPT_URL does nothing"));
}

#[test]
fn keytabs_and_keystores_come_from_the_issuer() {
    let port = server(vec![
        ("/keytab/", b"keys".to_vec()),
        ("/keystore/", b"store".to_vec()),
        ("/truststore", b"trust".to_vec()),
    ]);
    let container = Container::new();
    let to = container.text("data/keytabs");
    let settings = container.text("conf/krb5.conf");
    let container = container
        .set("KERBEROS_KEYTABS", "dn HTTP")
        .set("KERBEROS_KEYSTORES", "hadoop")
        .set("KERBEROS_SERVER", "kdc:1088")
        .set("KERBEROS_REALM", "EXAMPLE.ORG")
        .set("KEYTAB_DIR", &to)
        .set("KRB5_CONFIG", &settings);
    let output = container.run(&["--dry-run", "--", "true"]);
    let steps = printed(&output).replace(&container.text(""), "");
    assert_eq!(
        steps,
        "write conf/krb5.conf\n\
            fetch the keytabs dn, HTTP from kdc:8081 to data/keytabs\n\
            fetch the keystores hadoop from kdc:8081 to data/keytabs\nrun true\n"
    );
    let container = container.set("ISSUER_SERVER", &format!("127.0.0.1:{port}"));
    let output = container.run(&["true"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(said(&output), "");
    let text = container.read("conf/krb5.conf");
    for part in [
        "default_realm = EXAMPLE.ORG\n",
        "kdc = kdc:1088\n",
        "admin_server = kdc\n",
    ] {
        assert!(text.contains(part), "{text}");
    }
    for (name, content) in [
        ("dn.keytab", "keys"),
        ("HTTP.keytab", "keys"),
        ("hadoop.keystore", "store"),
        ("truststore", "trust"),
    ] {
        let name = format!("data/keytabs/{name}");
        assert_eq!(container.read(&name), content);
        let mode = fs::metadata(container.path(&name)).unwrap().permissions();
        assert_eq!(mode.mode() & 0o777, 0o600, "{name}");
    }
}

/// A `krb5.conf` that the process may not write is kept when it is of the realm.
#[test]
fn settings_of_kerberos_that_are_somebodys_stay() {
    let container = Container::new();
    let settings = container.text("sealed/krb5.conf");
    fs::create_dir(container.path("sealed")).unwrap();
    fs::write(&settings, "[libdefaults]\n  default_realm = EXAMPLE.ORG\n").unwrap();
    for (below, mode) in [("", 0o755), ("sealed/krb5.conf", 0o444), ("sealed", 0o555)] {
        let mode = fs::Permissions::from_mode(mode);
        fs::set_permissions(container.path(below), mode).unwrap();
    }
    let container = container.set("KERBEROS_ENABLED", "true");
    let container = container.set("KRB5_CONFIG", &settings);
    // Root may write everything, and others need not reach the program where it was built.
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    let program = container.path("bin/flokkr");
    install(env!("CARGO_BIN_EXE_flokkr").as_ref(), &program);
    for (realm, code, what) in [
        ("EXAMPLE.ORG", 0, "stays as it is"),
        ("EXAMPLE.NET", 1, "with this default_realm"),
    ] {
        let mut command = Command::new(&program);
        command.args(["launch", "true"]).env_clear();
        command.envs(container.env.iter().map(|(k, v)| (k, v)));
        command.env("KERBEROS_REALM", realm);
        if is_root {
            command.uid(65534).gid(65534);
        }
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(code), "{}", said(&output));
        assert!(said(&output).contains(what), "{}", said(&output));
    }
}

#[test]
fn a_keytab_that_does_not_come_ends_the_start() {
    let port = server(vec![]);
    let container = Container::new();
    let settings = container.text("conf/krb5.conf");
    let container = container
        .set("KERBEROS_KEYTABS", "dn")
        .set("ISSUER_SERVER", &format!("127.0.0.1:{port}"))
        .set("KERBEROS_TIMEOUT", "2")
        .set("KRB5_CONFIG", &settings);
    let output = container.run(&["true"]);
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    let lines = said(&output);
    assert_eq!(lines.matches("waiting for http://").count(), 1, "{lines}");
    assert!(lines.contains("/dn: http status: 404"), "{lines}");
}

#[test]
fn a_default_file_is_merged_with() {
    let there = "<?xml version=\"1.0\"?>\n<!-- <property> of nobody -->\n<configuration>\n  <property name=\"c\" value=\"old\"/>\n  \
        <property><name>a</name><value>1</value></property>\n  <property>\n    <name>b</name>\n    \
        <value>2</value>\n    <final>true</final>\n    <description>kept</description>\n  \
        </property>\n</configuration>\n";
    let container = Container::new()
        .set("CORE-SITE.XML_a", "new")
        .set("CORE-SITE.XML_c", "3")
        .set("LOG4J.PROPERTIES_x", "new")
        .set("FLOKKR_MERGE", "all");
    fs::write(container.path("conf/core-site.xml"), there).unwrap();
    fs::write(
        container.path("conf/log4j.properties"),
        "# text\nx = 1\ny: 2\n",
    )
    .unwrap();
    for _ in 0..2 {
        let output = container.run(&["true"]);
        assert_eq!(output.status.code(), Some(0), "{}", said(&output));
        let text = container.read("conf/core-site.xml");
        let entries = conffile::parse(Format::Xml, &text).unwrap();
        let entries: Vec<_> = entries.iter().map(|(k, v)| format!("{k}={v}")).collect();
        assert_eq!(entries, ["b=2", "a=new", "c=3"], "{text}");
        assert!(text.contains("<final>true</final>"), "{text}");
        assert_eq!(container.read("conf/log4j.properties"), "y=2\nx=new\n");
    }
    fs::write(container.path("conf/core-site.xml"), "<configuration>").unwrap();
    let output = container.run(&["true"]);
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(container.read("conf/core-site.xml"), "<configuration>");
}

/// The published launcher goes on; which of the two it takes depends on who sets them.
#[test]
fn one_key_in_two_spellings_is_told() {
    let container = Container::new()
        .set("FLOKKR_DIALECT", "apache")
        .set("A.XML_k", "1")
        .set("a.xml_k", "2")
        .set("B.XML_k", "1")
        .set("b.xml_k", "1");
    let conf = container.text("conf");
    let output = container.run(&["--conf", &conf, "true"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let told = "warning: a.xml_k spells the same key as A.XML_k, and counts\n\n1 warning\n";
    assert_eq!(said(&output), told);
    assert!(container.read("conf/a.xml").contains("<value>2</value>"));
    let container = container.set("KAFKA_A_B", "1").set("KAFKA_a_b", "2");
    let output = container.run(&["--conf", &conf, "--dialect", "kafka", "true"]);
    assert_eq!(output.status.code(), Some(2));
}

/// No other variable has a name like this, and a typo would lose the entry.
#[test]
fn variables_that_look_like_entries_are_told() {
    let container = Container::new()
        .set("CORE-SITE.XML_", "1")
        .set("CORE-SITE.XLM_a", "1")
        .set("A.JSON_k", "1")
        .set("npm_config_a.b", "1")
        .set("_A.B", "1");
    let output = container.run(&["true"]);
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let text = said(&output);
    for told in [
        "CORE-SITE.XML_ is not read: there is no key",
        "CORE-SITE.XLM_a is not read: `xlm` is no format",
        "did you mean `xml`",
        "A.JSON_k is not read: `json` is no format",
        "\n3 warnings\n",
    ] {
        assert!(text.contains(told), "{text}");
    }
}

#[test]
fn a_wrong_directory_or_dialect_is_one_problem() {
    for (name, value) in [("CONF_DIR", "rel"), ("FLOKKR_DIALECT", "lunch")] {
        let mut container = Container::new().set("A.XML_a", "1");
        container.env.retain(|(name, _)| name != "CONF_DIR");
        let output = container.set(name, value).run(&["true"]);
        assert_eq!(output.status.code(), Some(2));
        assert!(said(&output).contains("\n1 error;"), "{}", said(&output));
    }
    for conf in ["rel", ""] {
        let container = Container::new().set("A.XML_a", "1");
        let output = container.run(&["--conf", conf, "true"]);
        assert_eq!(output.status.code(), Some(2));
        let told = format!("--conf is `{conf}`");
        assert!(said(&output).contains(&told), "{}", said(&output));
    }
}

/// A file that only its owner may read is one when entries are laid over it.
#[test]
fn a_file_that_is_merged_with_keeps_its_owner_and_its_last_line() {
    let container = Container::new()
        .set("H.SH_K", "v")
        .set("FLOKKR_MERGE", "all")
        .program("server", ". $CONF_DIR/h.sh; echo $K");
    let file = container.path("conf/h.sh");
    fs::write(&file, "echo a \\").unwrap();
    fs::set_permissions(&file, fs::Permissions::from_mode(0o600)).unwrap();
    let is_root = fs::metadata("/proc/self").unwrap().uid() == 0;
    if is_root {
        std::os::unix::fs::chown(&file, Some(1234), Some(1235)).unwrap();
    }
    let before = fs::metadata(&file).unwrap();
    let output = container.run(&["server"]);
    assert_eq!(printed(&output), "a\nv\n", "{}", said(&output));
    let after = fs::metadata(&file).unwrap();
    assert_eq!(
        (after.uid(), after.gid(), after.mode()),
        (before.uid(), before.gid(), before.mode())
    );
}

#[test]
fn defaults_are_copied_also_without_entries_and_must_be_there() {
    let container = Container::new();
    let defaults = container.text("data");
    fs::write(container.path("data/a.xml"), "text").unwrap();
    let mut container = container.set("FLOKKR_DEFAULTS", &defaults);
    assert_eq!(container.run(&["true"]).status.code(), Some(0));
    assert_eq!(container.read("conf/a.xml"), "text");
    for path in ["data/a.xml", "nothing"] {
        let path = container.text(path);
        container = container.set("FLOKKR_DEFAULTS", &path);
        let output = container.run(&["true"]);
        assert_eq!(output.status.code(), Some(2));
        let told = format!("FLOKKR_DEFAULTS is `{path}`, and that is no directory");
        assert!(said(&output).contains(&told), "{}", said(&output));
    }
    container.env.retain(|(name, _)| name != "CONF_DIR");
    let output = container.run(&["true"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(said(&output).contains("nothing says where what FLOKKR_DEFAULTS names goes"));
}

/// What can't be read is refused where it would be, and reaches the process where it is not.
#[test]
fn bytes_that_are_no_utf_8_are_for_the_process_only() {
    let odd = OsStr::from_bytes(b"caf\xe9");
    let container = Container::new().program("server", "printf '%s' \"$1\" \"$ODD\"");
    let output = container
        .command(&["--", "server"])
        .arg(odd)
        .env("ODD", odd)
        .output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    assert_eq!(output.stdout, b"caf\xe9caf\xe9");
    let name = OsStr::from_bytes(b"A.XML_\xff");
    let agent = ("FLOKKR_AGENT".as_ref(), "-Dx".as_ref());
    let options = ("JAVA_OPTS_VAR".as_ref(), "ODD".as_ref());
    for (given, told) in [
        (&[("A.XML_k".as_ref(), odd)][..], "A.XML_k"),
        (&[(name, "1".as_ref())], "A.XML_\u{fffd}"),
        (&[("WAITFOR".as_ref(), odd)], "WAITFOR"),
        (&[("DOWNLOAD_X".as_ref(), odd)], "DOWNLOAD_X"),
        (&[("FLOKKR_AGENT".as_ref(), odd), options], "FLOKKR_AGENT"),
        (&[agent, options, ("ODD".as_ref(), odd)], "ODD"),
    ] {
        let mut command = container.command(&["--", "server"]);
        command.envs(given.iter().copied());
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{told}");
        let told = format!("{told} is not UTF-8");
        assert!(said(&output).contains(&told), "{}", said(&output));
    }
}

/// What is written is UTF-8, and says so.
#[test]
fn a_default_file_in_another_encoding_is_not_mixed_with_utf_8() {
    let container = Container::new()
        .set("A.XML_k", "é")
        .set("FLOKKR_MERGE", "all");
    for (declared, text, code) in [
        ("encoding=\"ISO-8859-1\"", "a", 0),
        ("encoding = 'us-ascii' standalone='yes'", "a", 0),
        ("encoding=\"utf-8\"", "é", 0),
        ("encoding=\"ISO-8859-1\"", "é", 2),
    ] {
        let there = format!(
            "<?xml version=\"1.0\" {declared}?>\n<configuration>{}</configuration>",
            entry("a", text)
        );
        fs::write(container.path("conf/a.xml"), &there).unwrap();
        let output = container.run(&["true"]);
        assert_eq!(output.status.code(), Some(code), "{}", said(&output));
        let written = container.read("conf/a.xml");
        let says = written.lines().next().unwrap_or_default().to_lowercase();
        assert_eq!(says.contains("utf-8"), code == 0, "{written}");
        assert_eq!(written == there, code == 2);
    }
}

/// What is there is read before anything is written, also when only that is to be said.
#[test]
fn files_that_cant_be_merged_with_are_all_told_before_anything_is_written() {
    let container = Container::new()
        .set("A.XML_x", "1")
        .set("B.XML_x", "1")
        .set("D.XML_x", "1")
        .set("Z.YAML_b", "2")
        .set("FLOKKR_MERGE", "all")
        .program("server", "touch $ROOT/ran");
    let defaults = container.text("data");
    let container = container.set("FLOKKR_DEFAULTS", &defaults);
    for (name, text) in [
        ("conf/b.xml", "<configuration>"),
        ("conf/z.yaml", "a: 1\n"),
        ("conf/d.xml", "<configuration/>"),
        ("data/d.xml", "<other/>"),
    ] {
        fs::write(container.path(name), text).unwrap();
    }
    for words in [&["server"][..], &["--dry-run", "server"]] {
        let output = container.run(words);
        assert_eq!(output.status.code(), Some(2));
        for name in ["b.xml", "d.xml", "z.yaml"] {
            let what = format!("{name}: the file that is there can't be merged with");
            assert!(said(&output).contains(&what), "{}", said(&output));
        }
        assert!(!container.path("conf/a.xml").exists());
        assert_eq!(container.read("conf/d.xml"), "<configuration/>");
        assert!(!container.path("ran").exists());
    }
}

proptest! {
    #![proptest_config(cases_or(300))]

    /// What a blueprint says of a file, its launcher writes: nothing is changed by the way through the
    /// environment.
    #[test]
    fn what_is_given_as_variables_is_written(
        entries in btree_map(name(), value(), 1..5),
        format in prop::sample::select(vec![Format::Xml, Format::Properties, Format::Env]),
    ) {
        let file_name = format!("some-file.{format}");
        let pairs: Vec<(&str, &str)> =
            entries.iter().map(|(k, v)| (k.as_str(), v.as_str())).collect();
        let file = ConfigFile { name: &file_name, format: None, entries: pairs.clone() };
        let Ok(variables) = env::encode(Dialect::Launch, &file) else {
            return Ok(());
        };
        let env: Environment = variables.into_iter().map(|v| (v.name, v.value)).collect();
        prop_assume!(env.len() == pairs.len());
        let mut problems = Problems::default();
        let choices = Choices { dialect: None, directory: Some("/conf".into()) };
        let launch = launch::read(vec!["x".into()], &env, &Garbled::new(), &choices, &mut problems);
        let Ok(_) = conffile::render(format, &pairs) else {
            prop_assert!(launch.is_none());
            return Ok(());
        };
        let launch = launch.unwrap();
        prop_assert_eq!(launch.files.len(), 1);
        let text = launch.files[0].text(None).unwrap();
        let read = conffile::parse(format, &text).unwrap();
        let read: std::collections::BTreeMap<_, _> = read.into_iter().collect();
        prop_assert_eq!(read, entries);
    }
}
