//! The environment conventions of the launchers, in both directions.
//!
//! What each launcher makes of an environment is in `tests/env/readings.yaml`, how files are spelled
//! in `tests/env/spellings.yaml`.

use flokkr::env::{self, ConfigFile, Dialect, Format, conflicts, decode, encode};
use indexmap::IndexMap;
use proptest::collection::vec;
use proptest::prelude::*;

/// Pieces that have hurt somebody, between ordinary letters.
pub(crate) fn hostile() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-zA-Z0-9]{1,4}",
        1 => Just(String::new()),
        4 => proptest::sample::select(vec![
            " ", "  ", "\t", "\n", "\r", "\r\n", "\u{c}", "\u{b}", "\u{1c}", "\u{85}", "\u{a0}",
            "\u{2028}", "\u{feff}", "\u{ffff}", "é", "☂", "😀", "\0", "\u{1}", "\u{7f}", ".", "..",
            "_", "__", "-", "--", ":", ": ", "=", "#", " #", "!", "\"", "'", "''", "\\", "\\\\",
            "\\u", "\\u0041", "\\n", "$", "${x}", "`", "&", "&amp;", "&#10;", "&lt", "<", ">", "]]>",
            "<!--", "</value>", "*", "?", "[", "]", "{", "}", "%", "@", "~", "/", "1", "2", "0",
            "01", "+1", "-1", "true", "null", "1.10", "0.5", ";", ",", "|", "KAFKA_", "opts",
        ]).prop_map(str::to_owned),
    ];
    vec(piece, 0..6).prop_map(|pieces| pieces.concat())
}

/// Keys as people write them, and hostile ones.
fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => "[a-z][a-zA-Z0-9]{0,3}([._-][a-zA-Z0-9]{1,3}){0,3}",
        2 => hostile(),
        1 => "[a-c](\\.[1-3]){0,2}(\\.[a-c])?",
    ]
}

fn value() -> impl Strategy<Value = String> {
    prop_oneof![1 => "[a-zA-Z0-9:/,. -]{0,12}", 2 => hostile()]
}

pub(crate) fn entries() -> impl Strategy<Value = Vec<(String, String)>> {
    vec((key(), value()), 0..4)
}

fn file_name() -> impl Strategy<Value = String> {
    let known = proptest::sample::select(vec![
        "core-site.xml",
        "yarn-site.xml",
        "server.properties",
        "zoo.cfg",
        "flume.txt",
        "app.env",
        "hadoop-env.sh",
        "spark-defaults.conf",
        "flink-conf.yaml",
        "storm.yml",
        "grafana.ini",
        "log4j.console.properties",
        "yarn_site.xml",
        "/etc/krb5.conf",
        "sub/a.xml",
        "A.xml",
        "a.",
        ".xml",
        "noextension",
        "é.xml",
        "a!b.xml",
        "a.x!y",
    ]);
    prop_oneof![4 => known.prop_map(str::to_owned), 1 => "[a-z0-9-]{1,4}\\.[a-z]{1,3}"]
}

fn format() -> impl Strategy<Value = Option<Format>> {
    proptest::option::of(proptest::sample::select(Format::ALL.to_vec()))
}

pub(crate) fn borrowed(entries: &[(String, String)]) -> Vec<(&str, &str)> {
    entries
        .iter()
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect()
}

pub(crate) fn owned(entries: &[(&str, &str)]) -> IndexMap<String, String> {
    entries
        .iter()
        .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
        .collect()
}

fn check_round_trip(dialect: Dialect, file: &ConfigFile<'_>) -> Result<(), TestCaseError> {
    let variables = match encode(dialect, file) {
        Ok(variables) => variables,
        Err(problems) => {
            prop_assert!(!problems.is_empty());
            for problem in problems {
                prop_assert!(!problem.reason.is_empty() && !problem.instead.is_empty());
                // The last net must have nothing to catch: every refusal has its own reason.
                prop_assert!(
                    !problem.reason.contains("would not give the product"),
                    "{problem:?}"
                );
            }
            return Ok(());
        }
    };
    let pairs: Vec<_> = variables
        .iter()
        .map(|v| (v.name.as_str(), v.value.as_str()))
        .collect();
    let decoded = decode(dialect, pairs.iter().copied());
    prop_assert_eq!(&decoded.ignored, &[]);
    prop_assert!(decoded.unrelated.is_empty());
    if file.entries.is_empty() {
        prop_assert!(variables.is_empty() && decoded.files.is_empty());
        return Ok(());
    }
    prop_assert!(env::carries(dialect, file.name));
    prop_assert_eq!(decoded.files.keys().collect::<Vec<_>>(), vec![file.name]);
    let read = &decoded.files[file.name];
    prop_assert_eq!(&read.entries, &owned(&file.entries));
    let extension = file.name.rsplit('.').next().unwrap();
    prop_assert_eq!(
        Some(read.format),
        file.format.or(Format::of_extension(extension))
    );
    let carried: Vec<_> = variables
        .iter()
        .filter_map(|variable| variable.entry)
        .collect();
    prop_assert_eq!(carried, (0..file.entries.len()).collect::<Vec<_>>());
    for variable in variables {
        prop_assert!(!variable.name.contains(['=', '\0']));
        if variable.entry.is_some() && file.format.is_none() {
            let taken = env::mistaken_for(dialect, &variable.name);
            prop_assert_eq!(taken.as_deref(), Some(file.name));
        }
    }
    Ok(())
}

/// A case of `tests/env/readings.yaml` but for the groups, which are named by their dialects.
pub(crate) type Reading = IndexMap<String, serde_yaml::Value>;

pub(crate) fn cases(text: &str) -> Vec<Reading> {
    let cases: serde_yaml::Value = serde_yaml::from_str(text).unwrap();
    let fields = |case: &serde_yaml::Value| {
        let case = case.as_mapping().unwrap();
        case.iter()
            .map(|(name, field)| (name.as_str().unwrap().to_owned(), field.clone()))
            .collect()
    };
    cases.as_sequence().unwrap().iter().map(fields).collect()
}

/// The pairs of a map of texts.
pub(crate) fn pairs(map: &serde_yaml::Value) -> Vec<(&str, &str)> {
    let map = map.as_mapping().unwrap();
    map.iter()
        .map(|(name, text)| (name.as_str().unwrap(), text.as_str().unwrap()))
        .collect()
}

pub(crate) fn dialects(names: &str) -> Vec<Dialect> {
    names
        .split(' ')
        .map(|name| Dialect::parse(name).unwrap())
        .collect()
}

/// Compares one reading with what is expected of it; an error is a sentence for the report.
fn compare(decoded: &env::Decoded, expected: &serde_yaml::Value) -> Result<(), String> {
    let mut files = IndexMap::new();
    for (name, file) in &decoded.files {
        files.insert(format!("{name} as {}", file.format), file.entries.clone());
    }
    let mut reasons: IndexMap<&str, String> = IndexMap::new();
    for ignored in &decoded.ignored {
        *reasons.entry(&ignored.variable).or_default() += &ignored.reason;
    }
    let mut unrelated = decoded.unrelated.clone();
    for (name, wanted) in expected.as_mapping().unwrap() {
        match name.as_str().unwrap() {
            "ignored" => {
                for (variable, part) in pairs(wanted) {
                    let reason = reasons.shift_remove(variable).unwrap_or_default();
                    let told = part.split("; ").all(|part| reason.contains(part));
                    told.then_some(())
                        .ok_or(format!("{variable}: `{reason}` is not `{part}`"))?;
                }
            }
            "unrelated" => {
                for variable in wanted.as_sequence().unwrap() {
                    let found = unrelated
                        .iter()
                        .position(|name| Some(name.as_str()) == variable.as_str());
                    unrelated.remove(found.ok_or(format!("{variable:?} is not unrelated"))?);
                }
            }
            file => {
                let found = files.shift_remove(file);
                let wanted = owned(&pairs(wanted));
                (found.as_ref() == Some(&wanted))
                    .then_some(())
                    .ok_or(format!("{file}: {found:?}"))?;
            }
        }
    }
    let rest = files.is_empty() && reasons.is_empty() && unrelated.is_empty();
    rest.then_some(())
        .ok_or(format!("also {files:?}, {reasons:?}, {unrelated:?}"))
}

/// A writer that puts `key: value` is given keys that are found before their colon.
#[test]
fn yaml_keys_for_a_writer_without_marks() {
    let is_taken = |length: usize| {
        let key = format!("a.{}", "k".repeat(length));
        let file = ConfigFile {
            name: "storm.yaml",
            format: None,
            entries: vec![(&key, "x")],
        };
        encode(Dialect::Apache, &file).is_ok()
    };
    assert_eq!(
        [1023, 1024, 1025, 3000].map(is_taken),
        [true, true, false, false]
    );
}

#[test]
fn environments_are_read_as_the_launchers_read_them() {
    let mut failures = Vec::new();
    for case in cases(include_str!("../env/readings.yaml")) {
        let about = case["about"].as_str().unwrap();
        let mut seen = 0;
        for (names, expected) in case
            .iter()
            .filter(|(name, _)| !["about", "env"].contains(&name.as_str()))
        {
            for dialect in dialects(names) {
                seen += 1;
                let decoded = decode(dialect, pairs(&case["env"]));
                let outcome = compare(&decoded, expected);
                failures.extend(
                    outcome
                        .err()
                        .map(|failure| format!("{about}, {dialect}: {failure}")),
                );
            }
        }
        assert_eq!(seen, 3, "{about}");
    }
    assert_eq!(failures, Vec::<String>::new());
}

/// What an encoding came to, in the words of `tests/env/spellings.yaml`.
fn check_spelling(dialect: Dialect, case: &Reading) -> Result<(), String> {
    let file = case["file"].as_str().unwrap();
    let (name, format) = file.split_once('!').unwrap_or((file, ""));
    let file = ConfigFile {
        name,
        format: Format::parse(format),
        entries: pairs(&case["entries"]),
    };
    let problems = match (encode(dialect, &file), case.get("variables")) {
        (Ok(variables), Some(wanted)) => {
            let found: Vec<_> = variables
                .iter()
                .map(|v| (v.name.as_str(), v.value.as_str()))
                .collect();
            return (found == pairs(wanted))
                .then_some(())
                .ok_or(format!("{found:?}"));
        }
        (Ok(variables), None) => return Err(format!("accepted: {variables:?}")),
        (Err(problems), Some(_)) => return Err(format!("refused: {problems:?}")),
        (Err(problems), None) => problems,
    };
    let wanted = pairs(&case["refused"]);
    let key = |entry: Option<usize>| entry.map_or("", |index| file.entries[index].0);
    let found: Vec<_> = problems
        .iter()
        .map(|p| (key(p.entry), p.reason.as_str()))
        .collect();
    let told = found.len() == wanted.len()
        && found
            .iter()
            .zip(&wanted)
            .all(|(found, wanted)| found.0 == wanted.0 && found.1.contains(wanted.1));
    let way = case
        .get("instead")
        .and_then(|way| way.as_str())
        .unwrap_or("");
    let led = problems.iter().all(|problem| problem.instead.contains(way));
    (told && led).then_some(()).ok_or(format!("{problems:?}"))
}

#[test]
fn files_are_spelled_for_each_launcher_or_refused() {
    let mut failures = Vec::new();
    for case in cases(include_str!("../env/spellings.yaml")) {
        for dialect in dialects(case["dialects"].as_str().unwrap()) {
            let outcome = check_spelling(dialect, &case);
            let about = case["about"].as_str().unwrap();
            failures.extend(
                outcome
                    .err()
                    .map(|failure| format!("{about}, {dialect}: {failure}")),
            );
        }
    }
    assert_eq!(failures, Vec::<String>::new());
}

#[test]
fn tokens_of_secrets_pass_unchanged() {
    let value = "jdbc:\0secret:db-password\0";
    let files = [
        (Dialect::Flokkr, "a.xml"),
        (Dialect::Flokkr, "a.sh"),
        (Dialect::Apache, "a.properties"),
        (Dialect::Apache, "a.yaml"),
        (Dialect::Ozone, "a.env"),
        (Dialect::Bde, "core-site.xml"),
        (Dialect::Kafka, "server.properties"),
        (Dialect::Launch, "a.ini"),
    ];
    for (dialect, name) in files {
        let file = ConfigFile {
            name,
            format: None,
            entries: vec![("k", value)],
        };
        let variables = encode(dialect, &file).unwrap();
        assert!(
            variables
                .iter()
                .any(|variable| variable.value.contains(value)),
            "{name}"
        );
    }
}

#[test]
fn names_of_dialects_and_formats_are_read_back() {
    for dialect in Dialect::ALL {
        assert_eq!(Dialect::parse(dialect.name()), Some(dialect));
    }
    for format in Format::ALL {
        assert_eq!(Format::parse(format.name()), Some(format));
        assert_eq!(Format::of_extension(format.name()), Some(format));
    }
    assert_eq!(Format::of_extension("yml"), Some(Format::Yaml));
    assert_eq!(Dialect::parse("Apache"), None);
}

#[test]
fn carries_tells_by_the_name_alone() {
    let carried = |name| {
        Dialect::ALL
            .map(|dialect| env::carries(dialect, name))
            .map(u8::from)
    };
    // flokkr, apache, ozone, bde, kafka, launch, none
    assert_eq!(carried("core-site.xml"), [1, 1, 1, 1, 0, 1, 0]);
    assert_eq!(carried("capacity-scheduler.xml"), [1, 1, 1, 0, 0, 1, 0]);
    assert_eq!(carried("server.properties"), [1, 1, 1, 0, 1, 1, 0]);
    assert_eq!(carried("flume.txt"), [1, 0, 0, 0, 0, 1, 0]);
    assert_eq!(carried("log4j.console.properties"), [0; 7]);
    assert_eq!(carried("/etc/hadoop/core-site.xml"), [0; 7]);
}

#[test]
fn ordinary_variables_that_are_taken_for_configuration() {
    let taken = |variable| Dialect::ALL.map(|dialect| env::mistaken_for(dialect, variable));
    let files = |files: [&str; 7]| files.map(|file| (!file.is_empty()).then(|| file.to_owned()));
    let conf = "hadoop.conf";
    assert_eq!(
        taken("HADOOP_CONF_DIR"),
        files([conf, "", "", "", "", "", ""])
    );
    let conf = "spark.conf";
    assert_eq!(
        taken("SPARK_CONF_DIR"),
        files([conf, conf, conf, "", "", "", ""])
    );
    let core = "core.conf";
    assert_eq!(
        taken("CORE_CONF_x"),
        files([core, core, core, "core-site.xml", "", "", ""])
    );
    let cfg = "kafka.cfg";
    assert_eq!(
        taken("KAFKA_CFG_X"),
        files([cfg, cfg, cfg, "", "server.properties", "", ""])
    );
    assert_eq!(taken("KAFKA_HEAP_OPTS"), files([""; 7]));
    assert_eq!(
        taken("NODE_ENV"),
        files(["", "node.env", "node.env", "", "", "", ""])
    );
    assert_eq!(
        taken("A.XML_k"),
        files(["a.xml", "a.xml", "a.xml", "", "", "a.xml", ""])
    );
    assert_eq!(taken("JAVA_HOME"), files([""; 7]));
}

#[test]
fn files_that_cannot_be_beside_each_other() {
    let at = |dialect, names: &[&str]| -> Vec<usize> {
        conflicts(dialect, names)
            .into_iter()
            .map(|(index, _)| index)
            .collect()
    };
    let names = [
        "kafka.cfg",
        "core-site.xml",
        "kafka.sh",
        "/etc/kafka.sh",
        "core-site.xml",
    ];
    assert_eq!(at(Dialect::Flokkr, &names), [4]);
    assert_eq!(at(Dialect::Apache, &names), [2, 4]);
    assert_eq!(at(Dialect::Ozone, &names), [2, 4]);
    assert_eq!(at(Dialect::Bde, &names), [4]);
    assert_eq!(at(Dialect::None, &names), [0; 0]);
}

#[test]
fn other_conventions_are_read_too() {
    let env = [
        ("CORE_CONF_fs_defaultFS", "hdfs://namenode:8020"),
        ("YARN_CONF_a___b__c", "x   y"),
        ("HDFS_CONF_a.b", "lost"),
        ("KAFKA_LOG_DIRS", "c:\\\\x"),
        ("KAFKA_OPTS", "-Da"),
        ("CORE-SITE.XML_a", "<x>"),
        ("SERVER.PROPERTIES", "cfg"),
        ("SERVER.PROPERTIES_b", "1"),
    ];
    let shown = |dialect| {
        let decoded = decode(dialect, env);
        let files = decoded.files.into_iter().map(|(name, file)| {
            let entries: Vec<_> = file
                .entries
                .iter()
                .map(|(key, value)| format!("{key}={value}"))
                .collect();
            format!("{name}!{} {}", file.format, entries.join(" "))
        });
        (
            files.collect::<Vec<_>>(),
            decoded.ignored.len(),
            decoded.unrelated.len(),
        )
    };
    let bde = [
        "core-site.xml!xml fs.defaultFS=hdfs://namenode:8020",
        "yarn-site.xml!xml a-b_c=x y",
    ];
    assert_eq!(shown(Dialect::Bde), (bde.map(str::to_owned).to_vec(), 2, 5));
    let kafka = ["server.properties!properties log.dirs=c:\\x"];
    assert_eq!(
        shown(Dialect::Kafka),
        (kafka.map(str::to_owned).to_vec(), 0, 7)
    );
    let launch = ["core-site.xml!xml a=<x>", "server.properties!cfg b=1"];
    assert_eq!(
        shown(Dialect::Launch),
        (launch.map(str::to_owned).to_vec(), 0, 5)
    );
    assert_eq!(shown(Dialect::None), (vec![], 0, 8));
}

/// Keys of Kafka have no capitals, names of variables may.
#[test]
fn one_key_of_kafka_in_two_spellings_is_read_at_random() {
    let env = [
        ("KAFKA_LOG_DIRS", "1"),
        ("KAFKA_log_dirs", "2"),
        ("KAFKA_A", "1"),
    ];
    let decoded = decode(Dialect::Kafka, env);
    let [ignored] = decoded.ignored.as_slice() else {
        panic!("{decoded:?}");
    };
    assert_eq!(ignored.variable, "KAFKA_log_dirs");
    assert!(ignored.fails && ignored.reason.contains("`KAFKA_LOG_DIRS`"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_encode_accepts_decode_gives_back(
        dialect in proptest::sample::select(Dialect::ALL.to_vec()),
        name in file_name(),
        format in format(),
        entries in entries(),
    ) {
        let file = ConfigFile { name: &name, format, entries: borrowed(&entries) };
        check_round_trip(dialect, &file)?;
    }

    #[test]
    fn each_dialect_with_its_own_files(entries in entries(), format in format()) {
        for dialect in Dialect::ALL {
            for name in ["core-site.xml", "server.properties", "conf.yaml", "a.sh", "a.env"] {
                for format in [None, format] {
                    let file = ConfigFile { name, format, entries: borrowed(&entries) };
                    check_round_trip(dialect, &file)?;
                }
            }
        }
    }

    #[test]
    fn decode_takes_any_environment(env in vec((hostile(), hostile()), 0..6), names in vec(hostile(), 0..4)) {
        for dialect in Dialect::ALL {
            decode(dialect, borrowed(&env));
            for (name, _) in &env {
                env::mistaken_for(dialect, name);
            }
            conflicts(dialect, &names.iter().map(String::as_str).collect::<Vec<_>>());
        }
    }
}

/// Every short text of what some launcher or format takes for itself arrives, or is refused with a reason.
#[test]
fn short_texts_arrive_or_are_refused() {
    const PIECES: [&str; 15] = [
        "", "\\", " ", "\"", "'", ":", "#", "a", "$", "=", "-", "<", "?", "*", ";",
    ];
    let names = [
        "a.xml",
        "a.properties",
        "a.cfg",
        "a.env",
        "a.sh",
        "a.conf",
        "a.yaml",
        "a.ini",
        "server.properties",
    ];
    for first in PIECES {
        for second in PIECES {
            for third in PIECES {
                let value = [first, second, third].concat();
                for (dialect, name) in Dialect::ALL.into_iter().flat_map(|d| names.map(|n| (d, n)))
                {
                    let file = ConfigFile {
                        name,
                        format: None,
                        entries: vec![("key", &value)],
                    };
                    let outcome = check_round_trip(dialect, &file);
                    assert!(outcome.is_ok(), "{dialect}, {name}, {value:?}: {outcome:?}");
                }
            }
        }
    }
}

/// A time that a launcher writes without quotes, and readers of YAML 1.1 take for one, is refused.
#[test]
fn times_without_quotes_are_refused() {
    for (value, taken) in [
        ("2001-12-14", true),
        ("2001-12-14t21:59:43Z", true),
        ("2001-12-14t21:59:43", false),
        ("2001-12-14T21:59:43", false),
        ("2001-12-14 21:59:43 +5", false),
        ("2001-12-14T24:59:43Z", false),
        ("2001-02-29", false),
        ("2001-12-14x", true),
    ] {
        let file = ConfigFile {
            name: "a.yaml",
            format: None,
            entries: vec![("key", value)],
        };
        assert_eq!(encode(Dialect::Flokkr, &file).is_ok(), taken, "{value}");
    }
}

/// What a launcher ends at is told from what it leaves out: the one keeps the container from starting.
#[test]
fn what_ends_a_launcher_is_told_from_what_it_leaves_out() {
    for (dialect, name, fails) in [
        (Dialect::Flokkr, "A.XML!", true),
        (Dialect::Flokkr, "A.XML!XML", true),
        (Dialect::Apache, "SUB/A.XML_k", true),
        (Dialect::Ozone, "STORM.YAML_a.l.3", false),
    ] {
        let decoded = decode(dialect, [(name, "v")]);
        let found: Vec<bool> = decoded.ignored.iter().map(|i| i.fails).collect();
        assert_eq!(found, [fails], "{dialect}, {name}: {:?}", decoded.ignored);
    }
}

/// The big-data-europe images give values to `echo` without quotes: what the shell would look for among the files of
/// its folder is refused, whatever lies there.
#[test]
fn patterns_of_file_names_are_refused_where_a_shell_looks_for_them() {
    for (value, taken) in [
        ("a b", true),
        ("/tmp/a-1.2", true),
        // The first word stands behind the tag of the value: no file is called like both.
        ("a?b", true),
        ("x a?b y", false),
        ("x * y", false),
        ("x [a] y", false),
        ("a\tb", false),
    ] {
        let file = ConfigFile {
            name: "core-site.xml",
            format: None,
            entries: vec![("key", value)],
        };
        assert_eq!(encode(Dialect::Bde, &file).is_ok(), taken, "{value}");
    }
}

/// A value that its launcher writes into a file for a shell is what the shell makes of it. What it would expand is
/// not taken for a text.
#[test]
fn values_for_a_shell_are_what_it_makes_of_them() {
    for (written, meant) in [
        ("'a b'", Some("a b")),
        ("\"a b\"", Some("a b")),
        ("'a$b'", Some("a$b")),
        ("\"a$b\"", None),
        ("\"a`b`\"", None),
        ("\"a\\b\"", None),
        ("'a'b'", None),
        ("plain", Some("plain")),
    ] {
        let decoded = decode(Dialect::Flokkr, [("A.SH_K", written)]);
        let found = decoded.files.get("a.sh").and_then(|f| f.entries.get("K"));
        match meant {
            Some(meant) => assert_eq!(found.map(String::as_str), Some(meant), "{written}"),
            None => assert_ne!(
                found.map(String::as_str),
                Some(&written[1..written.len() - 1]),
                "{written}"
            ),
        }
        assert_eq!(decoded.ignored.is_empty(), meant.is_some(), "{written}");
    }
}

/// For flokkr's own launcher a file's name has a dot, with letters, digits and dashes on both sides: any other
/// variable is the process's.
#[test]
fn ordinary_variables_are_no_config_of_the_own_launcher() {
    for (name, is_config) in [
        ("A-B.XML_k", true),
        ("a1.xml_k", true),
        ("MY_APP.XML_k", false),
        ("A.X+Y_k", false),
        (".XML_k", false),
        ("A._k", false),
        ("HADOOP_CONF_DIR", false),
    ] {
        let decoded = decode(Dialect::Launch, [(name, "v")]);
        assert_eq!(decoded.unrelated.is_empty(), is_config, "{name}");
    }
}
