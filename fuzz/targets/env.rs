//! The conventions of launchers: any environment can be read, and a file that is spelled as
//! variables is read back as it was.

#![no_main]

use arbitrary::Arbitrary;
use flokkr::env::{ConfigFile, Dialect, Format, carries, conflicts, decode, encode, mistaken_for};
use libfuzzer_sys::fuzz_target;

#[derive(Debug, Arbitrary)]
struct Input<'i> {
    dialect: u8,
    format: Option<u8>,
    file: &'i str,
    other: &'i str,
    entries: Vec<(&'i str, &'i str)>,
}

/// Names that launchers know, so that not all has to be guessed.
const FILES: [&str; 10] = [
    "core-site.xml",
    "server.properties",
    "zoo.cfg",
    "app.env",
    "hadoop-env.sh",
    "spark-defaults.conf",
    "flink.yaml",
    "grafana.ini",
    "a.txt",
    "log4j.console.properties",
];

fuzz_target!(|input: Input<'_>| {
    let dialect = Dialect::ALL[usize::from(input.dialect) % Dialect::ALL.len()];
    let format = input
        .format
        .map(|f| Format::ALL[usize::from(f) % Format::ALL.len()]);
    let decoded = decode(dialect, input.entries.iter().copied());
    for (name, file) in &decoded.files {
        let entries = file.entries.iter().map(|(k, v)| (k.as_str(), v.as_str()));
        come_back(dialect, name, Some(file.format), entries.collect());
    }
    let known = FILES[input.file.len() % FILES.len()];
    for name in [input.file, known] {
        come_back(dialect, name, format, input.entries.clone());
        let _ = mistaken_for(dialect, name);
    }
    let _ = conflicts(dialect, &[input.file, input.other, known]);
});

/// What can be spelled is read back as it was, and is configuration to whoever asks.
fn come_back(dialect: Dialect, name: &str, format: Option<Format>, entries: Vec<(&str, &str)>) {
    let file = ConfigFile {
        name,
        format,
        entries,
    };
    let Ok(variables) = encode(dialect, &file).inspect_err(|problems| {
        let convention = !matches!(dialect, Dialect::Bde | Dialect::Kafka);
        // Before the first backquote nothing is quoted from the input.
        let net = |reason: &str| {
            let own = reason.split('`').next();
            own.is_some_and(|own| own.ends_with(" would not give the product the entry "))
        };
        let found = problems.iter().find(|p| net(&p.reason));
        assert!(
            !convention || found.is_none(),
            "no rule refuses {file:?}: {found:?}"
        );
    }) else {
        return;
    };
    let pairs = variables.iter().map(|v| (&*v.name, &*v.value));
    let decoded = decode(dialect, pairs);
    assert!(decoded.unrelated.is_empty(), "{decoded:?}");
    if variables.is_empty() {
        return;
    }
    assert!(carries(dialect, name));
    let read = decoded.files.get(name).expect("the same file");
    if let Some(format) = format {
        assert_eq!(read.format, format);
    }
    let mut read: Vec<_> = read.entries.iter().map(|(k, v)| (&**k, &**v)).collect();
    let mut wanted = file.entries.clone();
    read.sort_unstable();
    wanted.sort_unstable();
    assert_eq!(read, wanted);
    // Where a variable tells the format, it takes both to see the file.
    if variables.iter().any(|v| v.entry.is_none()) {
        return;
    }
    for variable in &variables {
        let taken = mistaken_for(dialect, &variable.name);
        assert!(taken.is_some(), "{variable:?} is not seen as configuration");
    }
}
