//! The launcher: any environment is taken or refused, what is taken can be put into words, and a
//! file is merged with any other text so that what is merged in is what is read.

#![no_main]

use std::collections::BTreeMap;

use arbitrary::Arbitrary;
use flokkr::conffile::{self, Format};
use flokkr::env::Dialect;
use flokkr::launch::{self, Choices, Garbled};
use flokkr::problem::Problems;
use libfuzzer_sys::fuzz_target;

#[derive(Debug, Arbitrary)]
struct Input<'i> {
    dialect: u8,
    words: Vec<&'i str>,
    variables: Vec<(u8, &'i str, &'i str)>,
    base: &'i str,
}

/// Names that the launcher knows, so that not all has to be guessed.
const NAMES: [&str; 24] = [
    "CORE-SITE.XML_",
    "HDFS-SITE.XML_",
    "SERVER.CONF_",
    "WAITFOR",
    "WAITFOR_TIMEOUT",
    "WAITFOR_COUNT",
    "SERVICE_PRECONDITION",
    "SLEEP_SECONDS",
    "FLOKKR_USER",
    "FLOKKR_OWNED",
    "FLOKKR_MERGE",
    "FLOKKR_AGENT",
    "JAVA_OPTS_VAR",
    "BYTEMAN_SCRIPT_URL",
    "ENSURE_NAMENODE_DIR",
    "ENSURE_KAFKA_FORMATTED",
    "ZOOKEEPER_ID_FROM_HOST",
    "ZOOKEEPER_ID",
    "INSTALLER_SPARK",
    "DOWNLOAD_X",
    "KERBEROS_KEYTABS",
    "KEYTAB_DIR",
    "RETRY_NUMBER",
    "RETRY_NORMAL_RUN_DURATION",
];

fuzz_target!(|input: Input<'_>| {
    let known = |index: u8| NAMES[usize::from(index) % NAMES.len()];
    let variables = input.variables.iter().map(|(index, name, value)| {
        let name = match known(*index) {
            prefix if prefix.ends_with('_') => format!("{prefix}{name}"),
            exact if index % 2 == 0 => exact.to_owned(),
            _ => (*name).to_owned(),
        };
        (name, (*value).to_owned())
    });
    let env: BTreeMap<String, String> = variables.collect();
    let choices = Choices {
        dialect: Some(Dialect::ALL[usize::from(input.dialect) % Dialect::ALL.len()]),
        directory: Some("/conf".into()),
    };
    let words = input.words.iter().map(|&word| word.into()).collect();
    let mut problems = Problems::default();
    let Some(launch) = launch::read(words, &env, &Garbled::new(), &choices, &mut problems) else {
        assert!(problems.has_errors());
        return;
    };
    let _ = launch::describe(&launch);
    for file in &launch.files {
        file.text(None).expect("what can't be written is refused");
        let Ok(text) = file.text(Some(input.base)) else {
            continue;
        };
        if !matches!(file.format, Format::Xml | Format::Properties | Format::Cfg) {
            continue;
        }
        let read = conffile::parse(file.format, &text).expect("a merged file can be read");
        for (key, value) in &file.entries {
            assert_eq!(read.get(key), Some(value), "{text}");
        }
    }
});
