//! What a text of a blueprint means before any platform has it: YAML's words, templates, layers, and where a mistake in
//! them is shown.

use std::fmt::Write as _;

use flokkr::target;

use super::{composed, files, group, minimal};
use crate::support::emit;

/// What a process on Compose has in a variable `A`.
fn variable(head: &str, value: &str) -> Option<String> {
    let blueprint = minimal(&format!("{{ image: app, env: {{ A: {value} }} }}"));
    let services = composed(&blueprint.replace("\nimages", &format!("\n{head}\nimages")));
    let found = services["one"]["environment"]["A"].as_str();
    found.map(|text| text.replace("$$", "$"))
}

/// What is said of a text that is refused, and the line under its place.
fn refused(head: &str, service: &str) -> String {
    let blueprint = minimal(service).replace("\nimages", &format!("\n{head}\nimages"));
    let emitted = emit(&blueprint, target::find("compose").unwrap());
    assert!(emitted.files.is_none(), "{blueprint}");
    emitted.said
}

/// What a mistake is shown at: the words over the marks.
fn marked(said: &str) -> String {
    let lines: Vec<&str> = said.lines().collect();
    let at = lines.iter().position(|l| l.contains('^')).unwrap();
    let marks = lines[at]
        .chars()
        .map(|c| c == '^')
        .chain(std::iter::repeat(false));
    let shown = lines[at - 1].chars().zip(marks);
    shown
        .filter_map(|(c, is_marked)| is_marked.then_some(c))
        .collect()
}

/// A text stays as it was written, also where it looks like a number, and also on its way through a variable.
#[test]
fn texts_stay_as_they_were_written() {
    for text in [
        "0777",
        "007",
        "+5",
        "1.10",
        "1e3",
        "0x1F",
        "1_000",
        ".5",
        "5.",
        "-0",
        "0",
        "12",
        "-7",
        "0.5",
        "inf",
        "nan",
        "NaN",
        ".inf",
        "yes",
        "no",
        "on",
        "True",
        "12345678901234567890123",
    ] {
        assert_eq!(variable("", text).as_deref(), Some(text));
        let through = variable(&format!("vars: {{ given: {text} }}"), "\"{{ given }}\"");
        assert_eq!(through.as_deref(), Some(text), "through a variable");
        let tagged = variable("", &format!("!!str {text}"));
        assert_eq!(tagged.as_deref(), Some(text), "with a tag");
    }
    for text in ["null", "Null", "~", "\"\""] {
        let tagged = variable("", &format!("!!str {text}"));
        assert_eq!(tagged.as_deref(), Some(text.trim_matches('"')));
    }
}

/// A template leaves what stands around it, line ends too.
#[test]
fn templates_leave_what_is_around_them() {
    let text = |value: &str| variable("vars: { x: v }", value).unwrap();
    assert_eq!(text("\"{{ x }}\\n\""), "v\n");
    assert_eq!(text("\"\\n{{ x }}\\n\\n\""), "\nv\n\n");
    assert_eq!(text("\" {{ x }}  {{ x }} \""), " v  v ");
    assert_eq!(text("\"{ {{x}} }\""), "{ v }");
    assert_eq!(text("\"${{ x }}\""), "$v");
}

/// An expression may have 1000 bytes.
#[test]
fn expressions_are_as_long_as_they_may_be() {
    let expression = |length: usize| format!("\"{{{{'{}'}}}}\"", "x".repeat(length - 2));
    let longest = variable("", &expression(1000)).unwrap();
    assert_eq!(longest.len(), 998);
    let service = format!("{{ image: app, env: {{ A: {} }} }}", expression(1001));
    let said = refused("", &service);
    assert!(said.contains("longer than 1000 bytes"), "{said}");
}

/// What has no text is not written as a word for that.
#[test]
fn nothing_is_no_text() {
    for value in ["{{ none }}", "a{{ none }}", "{{ [1] }}", "{{ {'a': 1} }}"] {
        let said = refused("", &format!("{{ image: app, env: {{ A: \"{value}\" }} }}"));
        assert!(said.contains("error: "), "{value}");
    }
}

/// A mistake is shown at its words, whatever stands before them, and is told of the name that is wrong.
#[test]
fn mistakes_are_shown_at_their_words() {
    for (value, words) in [
        ("\"{{ nme }}\"", "nme"),
        ("\"é {{ known }} {{ nme }}\"", "nme"),
        ("'{{ known ~ nme }}'", "known ~ nme"),
        ("\"{{ known }}nme{{ 1 ~ nme }}\"", "1 ~ nme"),
        // Escapes are no part of the text: the words are looked for.
        ("\"\\t{{ nme }}\"", "nme"),
    ] {
        let service = format!("{{ image: app, env: {{ A: {value} }} }}");
        let said = refused("vars: { known: x }", &service);
        assert!(said.contains("`nme` is not defined"), "{value}: {said}");
        assert!(marked(&said).contains("nme"), "{value}: {said}");
        assert!(words.contains(&marked(&said)), "{value}: {said}");
    }
    // Where the words are twice, and which are meant can't be told, the whole is shown.
    let said = refused("", "{ image: app, env: { A: \"nme\\t{{ nme }}\" } }");
    assert!(marked(&said).contains("{{ nme }}"), "{said}");
}

/// Of mappings that are merged the first counts, and what stands beside them counts more (YAML's `<<`).
#[test]
fn the_first_of_merged_mappings_counts() {
    let blueprint = "blueprint: v1\nname: demo\nimages: { app: { ref: \"app:1\" } }\nservices:\n  \
        one: { image: app, env: &one { A: one, B: one, C: one } }\n  \
        two: { image: app, env: &two { A: two, B: two, D: two } }\n  \
        three: { image: app, env: { <<: [*one, *two], A: three } }\n";
    let services = composed(blueprint);
    let values = ["A", "B", "C", "D"].map(|name| {
        let value = services["three"]["environment"][name].as_str();
        value.unwrap().to_owned()
    });
    assert_eq!(values, ["three", "one", "one", "two"]);
}

/// A key stands once in a mapping, however long that is.
#[test]
fn a_key_is_there_once() {
    for count in [1, 7, 8, 9, 50] {
        for twice in [0, count / 2, count - 1] {
            let mut env = String::new();
            for at in 0..count {
                let _ = write!(env, "K{at}: x, ");
            }
            let said = refused(
                "",
                &format!("{{ image: app, env: {{ {env}K{twice}: y }} }}"),
            );
            assert!(said.contains(&format!("`K{twice}`")), "{said}");
            assert!(
                said.contains("duplicate") || said.contains("twice"),
                "{said}"
            );
        }
    }
}

/// Of a patch, too, a word that is no number for the platform is a text.
#[test]
fn words_of_patches_are_texts() {
    for word in ["inf", "NaN", "nan", "infinity", "yes", "0777", "1_000"] {
        let blueprint = minimal("{ image: app }")
            + &format!("targets: {{ nomad: {{ patch: {{ meta: {{ a: {word} }} }} }} }}\n");
        let all = files(&blueprint, "nomad");
        let text = format!("a = \"{word}\"");
        assert!(all[0].text.contains(&text), "{}", all[0].text);
        // It can be read back.
        group(&all, "one");
    }
}
