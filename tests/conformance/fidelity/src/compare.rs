//! What differs between the texts that must arrive and those that do.

use std::collections::{BTreeMap, BTreeSet};

use crate::consumer::{Process, Processes};

/// Variables that a target gives a process to make others from.
const CARRIERS: &[&str] = &["POD_NAME", "FLOKKR_REPLICA"];

/// All differences, one text each.
pub fn differences(expected: &Processes, got: &Processes) -> Vec<String> {
    let mut lines = Vec::new();
    let places: BTreeSet<_> = expected.keys().chain(got.keys()).collect();
    for place in places {
        let name = format!("{} {} {:?}", place.0, place.1, place.2);
        match (expected.get(place), got.get(place)) {
            (Some(expected), Some(got)) => process(&name, expected, got, &mut lines),
            (Some(_), None) => lines.push(format!("{name} is not there")),
            (None, _) => lines.push(format!("{name} should not be there")),
        }
    }
    lines
}

fn process(place: &str, expected: &Process, got: &Process, lines: &mut Vec<String>) {
    map(
        &format!("{place}: variable"),
        &expected.variables,
        &got.variables,
        CARRIERS,
        lines,
    );
    map(
        &format!("{place}: label"),
        &expected.labels,
        &got.labels,
        &[],
        lines,
    );
    map(
        &format!("{place}: file"),
        &expected.files,
        &got.files,
        &[],
        lines,
    );
    words(
        &format!("{place}: word"),
        &expected.words,
        &got.words,
        lines,
    );
    for format in expected
        .entries
        .keys()
        .chain(got.entries.keys())
        .collect::<BTreeSet<_>>()
    {
        let none = BTreeMap::new();
        let entries = |of: &Process| of.entries.get(format).unwrap_or(&none).clone();
        let what = format!("{place}: {format}");
        map(&what, &entries(expected), &entries(got), &[], lines);
    }
    words(
        &format!("{place}: word of the check"),
        &expected.check,
        &got.check,
        lines,
    );
}

fn map(
    what: &str,
    expected: &BTreeMap<String, String>,
    got: &BTreeMap<String, String>,
    carriers: &[&str],
    lines: &mut Vec<String>,
) {
    for (name, value) in expected {
        text(&format!("{what} {name:?}"), value, got.get(name), lines);
    }
    for (name, value) in got.iter().filter(|(name, _)| !expected.contains_key(*name)) {
        // A number follows where a process has such a variable itself.
        let plain = name.trim_end_matches(|c: char| c.is_ascii_digit());
        let plain = plain.strip_suffix('_').unwrap_or(name);
        if !carriers.contains(&plain) {
            lines.push(format!("{what} {name:?} should not be there: {value:?}"));
        }
    }
}

fn words(what: &str, expected: &[String], got: &[String], lines: &mut Vec<String>) {
    for (at, word) in expected.iter().enumerate() {
        text(&format!("{what} {at}"), word, got.get(at), lines);
    }
    if got.len() > expected.len() {
        lines.push(format!(
            "{what}: {} too many: {:?}",
            got.len() - expected.len(),
            shortened(&got.join(" "))
        ));
    }
}

fn text(what: &str, expected: &str, got: Option<&String>, lines: &mut Vec<String>) {
    match got {
        Some(got) if got == expected => {}
        Some(got) => {
            let same = expected
                .chars()
                .zip(got.chars())
                .take_while(|(a, b)| a == b)
                .count();
            lines.push(format!(
                "{what}: from character {same} on {:?} became {:?}",
                shortened(&expected.chars().skip(same).collect::<String>()),
                shortened(&got.chars().skip(same).collect::<String>())
            ));
        }
        None => lines.push(format!("{what} is not there: {:?}", shortened(expected))),
    }
}

/// The beginning of a text.
pub fn shortened(text: &str) -> String {
    text.chars().take(80).collect()
}
