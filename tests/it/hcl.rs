//! HCL that is read back, and the client's replacement after it.

mod read;

use flokkr::emit::hcl::{Body, Expr, Piece, document, is_heredoc, quoted, quoted_apart};
use flokkr::target;
use proptest::prelude::*;
use unicode_normalization::UnicodeNormalization as _;

use crate::support::emit;
pub use read::{flushed, unescaped, unquoted};

/// What the client makes of a variable: each `${NAME}` is replaced once. Whoever writes one that is
/// not known here has not escaped a text.
pub fn replaced(text: &str, known: impl Fn(&str) -> Option<String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        let name: String = from[2..].chars().take_while(|c| *c != '}').collect();
        let named = |x: char| x.is_ascii_alphanumeric() || "_.-".contains(x);
        let whole = format!("${{{name}}}");
        if name.is_empty() || !name.chars().all(named) || !from.starts_with(&whole) {
            out.push_str("${");
            rest = &from[2..];
            continue;
        }
        out.push_str(&known(&name).unwrap_or_else(|| panic!("another reference: {name}")));
        rest = &from[whole.len()..];
    }
    out + rest
}

/// A text between double quotes of YAML.
fn escaped(text: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || " ${}%#.-_".contains(c);
    let chars = text.chars().map(|c| {
        if safe(c) {
            c.to_string()
        } else {
            format!("\\U{:08x}", u32::from(c))
        }
    });
    chars.collect()
}

/// Texts in which everything that HCL, Nomad or a shell takes for itself is frequent.
fn texts() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        Just("$"),
        Just("{"),
        Just("}"),
        Just("%"),
        Just("${"),
        Just("%{"),
        Just("${a.b-C_1}"),
        Just("\""),
        Just("\\"),
        Just("\n"),
        Just("\r\n"),
        Just("\t"),
        Just(" "),
        Just("#"),
        Just("EOF"),
        Just("é"),
        Just("e\u{301}"),
        Just("\u{1100}\u{1161}"),
        Just("a\u{323}\u{307}"),
        Just("\u{301}"),
        Just("\u{200d}"),
        Just("\u{1f3fd}"),
        Just("\u{600}"),
        Just("😀"),
        Just("\u{1}"),
        Just("\u{feff}"),
        Just("\u{2028}"),
        Just("0"),
        Just("x"),
        Just("'"),
    ];
    proptest::collection::vec(part, 0..12).prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn quoted_texts_come_back(text in texts()) {
        prop_assert_eq!(unquoted(&quoted(&[Piece::Text(text.clone())])), text);
    }

    #[test]
    fn heredocs_come_back(text in texts()) {
        let text = text + "\n";
        if is_heredoc(&text) {
            let mut body = Body::default();
            body.set("data", Expr::Lines(text.clone()));
            let written = document("", &body);
            let lines = written.strip_prefix("data = ").unwrap();
            prop_assert_eq!(flushed(lines), text);
        }
    }

    #[test]
    fn the_index_carries_what_it_can(before in texts(), after in texts(), count in 2..12usize) {
        // What would begin a template of the blueprint is not the matter here.
        prop_assume!(!before.contains("{{") && !after.contains("{{") && !before.ends_with('{'));
        let value = format!("{}{{{{ replica.index }}}}{}", escaped(&before), escaped(&after));
        let blueprint = format!(
            "blueprint: v1\nname: p\nimages: {{ i: {{ ref: \"i:1\" }} }}\nservices:\n  s:\n    \
             image: i\n    kind: ensemble\n    replicas: {count}\n    env: {{ \"A.B-C\": \"{value}\" }}\n"
        );
        let nomad = target::find("nomad").unwrap();
        let file = emit(&blueprint, nomad).only();
        let wanted = format!("count = {count}\n");
        prop_assert!(file.contains(&wanted), "{}", file);
        let line = file.lines().find_map(|l| l.trim().strip_prefix("\"A.B-C\" = ")).unwrap();
        for index in 0..count {
            let known = |name: &str| match name {
                "NOMAD_ALLOC_INDEX" => Some(index.to_string()),
                "NOMAD_META_dollar" => Some("$".to_owned()),
                "NOMAD_META_empty" => Some(String::new()),
                _ => None,
            };
            prop_assert_eq!(replaced(&unquoted(line), known), format!("{before}{index}{after}"));
        }
    }
}

#[test]
fn names_are_aligned_as_nomad_does() {
    let mut body = Body::default();
    body.set("é", Expr::number(1u64));
    body.set("e\u{301}e", Expr::text("two clusters, three characters"));
    body.set(
        "a\u{1ae6}",
        Expr::text("a mark since Unicode 17, none to Nomad"),
    );
    body.set("long_name", Expr::texts(["a", "b"]));
    body.block("block", &["label"], Body::default());
    body.set("after", Expr::bool(true));
    let wanted = "é         = 1\ne\u{301}e        = \"two clusters, three characters\"\n\
                  a\u{1ae6}        = \"a mark since Unicode 17, none to Nomad\"\n\
                  long_name = [\"a\", \"b\"]\n\nblock \"label\" {}\n\nafter = true\n";
    assert_eq!(document("", &body), wanted);
}

/// Behind a sign, and behind a brace that is no template's, a mark is a piece of its own to the parser.
#[test]
fn a_mark_behind_a_sign_is_a_code() {
    for (sign, written) in [
        ("$", "$"),
        ("%", "%"),
        ("$$", "$$"),
        ("${", "$${"),
        ("%{", "%%{"),
    ] {
        let pieces = [Piece::Text(format!("{sign}\u{20ef}é"))];
        assert_eq!(quoted(&pieces), format!("\"{written}\\u20efé\""));
    }
}

/// Normalised, `\n` and a cedilla would be a backslash and another letter.
#[test]
fn a_mark_behind_an_escape_is_a_code() {
    for (text, written) in [
        ("\n\u{327}\u{301}a", "\\n\\u0327\\u0301a"),
        ("\u{1a}\u{301}", "\\u001a\\u0301"),
        ("\"\\\u{338}é", "\\\"\\\\\\u0338\\u00e9"),
        ("né\u{327}", "né\u{327}"),
    ] {
        assert_eq!(quoted_apart(text), format!("\"{written}\""));
    }
}

/// A heredoc has no codes.
#[test]
fn a_mark_behind_a_sign_stays_in_a_heredoc() {
    let text = "a$\u{301}\n%\u{1f3fd}\n${\u{200d}\n";
    assert!(is_heredoc(text));
    let mut body = Body::default();
    body.set("data", Expr::Lines(text.to_owned()));
    let wanted = "data = <<-EOF\n  a$\u{301}\n  %\u{1f3fd}\n  $${\u{200d}\nEOF\n";
    assert_eq!(document("", &body), wanted);
}

/// `nomad fmt` counts the quote before a text by itself, and so the character that is shown on it: marks,
/// and what is none to Unicode but joins all the same.
#[test]
fn what_is_shown_on_a_quote_is_a_code() {
    for (first, code) in [
        ('\u{301}', "\\u0301"),
        ('\u{200d}', "\\u200d"),
        ('\u{ff9e}', "\\uff9e"),
        ('\u{1f3fd}', "\\U0001f3fd"),
        ('\u{e007f}', "\\U000e007f"),
    ] {
        let pieces = [Piece::Text(format!("{first}é"))];
        assert_eq!(quoted(&pieces), format!("\"{code}é\""));
    }
}

/// The parser takes away the blanks of a heredoc with what is shown on them.
#[test]
fn a_line_that_begins_with_a_mark_is_no_heredoc() {
    for mark in ['\u{301}', '\u{1039}', '\u{200d}', '\u{1f3fd}'] {
        assert!(!is_heredoc(&format!("a\n{mark}b\n")));
        assert!(is_heredoc(&format!("a\nb{mark}\n")));
    }
}

/// Where the clusters of `nomad fmt` are not Unicode's, names are aligned without them.
#[test]
fn what_is_counted_otherwise_is_a_code() {
    let pieces = [Piece::Text(
        "각\u{200d}👧ᄀ가\u{d7cb}\u{fffd}\u{301}".to_owned(),
    )];
    let wanted = "\"각\\u200d👧\\u1100가\\ud7cb\\ufffd\u{301}\"";
    assert_eq!(quoted(&pieces), wanted);
}

/// In the driver's options, which are JSON before they are read again, such a character hides a quote
/// or a backslash that follows.
#[test]
fn what_is_shown_before_others_hides_no_quote() {
    let blueprint = "blueprint: v1\nname: made\nimages: { app: { ref: \"example/app:1\" } }\nservices:\n  \
                     app: { image: app, command: [run, \"a\\u0600\", \"\\u0600b\", \"\\u0600\\\"c\"] }\n";
    let emitted = emit(blueprint, target::find("nomad").unwrap());
    let text = &emitted.files.unwrap()[0].text;
    let wanted = r#"["a\u0600${NOMAD_META_empty}", "\u0600b", "\u0600${NOMAD_META_empty}\"c"]"#;
    assert!(text.contains(wanted), "{text}");
}

/// Nomad's parser puts a U+034F behind 30 marks in a row, and in a word of a command nothing keeps them
/// apart. What a composed character is made of counts, and what is composed with others.
#[test]
fn more_marks_than_the_parser_leaves_are_refused() {
    for (base, mark, most) in [
        ("a", '\u{20ed}', 30),
        ("é", '\u{20ed}', 29),
        ("각", '\u{1161}', 28),
        ("x", '\u{ff9e}', 30),
    ] {
        for count in [most, most + 1] {
            let marks = mark.to_string().repeat(count);
            let blueprint = format!(
                "blueprint: v1\nname: made\nimages: {{ app: {{ ref: \"example/app:1\" }} }}\nservices:\n  \
                 app: {{ image: app, command: [\"{base}{marks}\"] }}\n"
            );
            let emitted = emit(&blueprint, target::find("nomad").unwrap());
            assert_eq!(emitted.files.is_some(), count == most, "{}", emitted.said);
            assert_eq!(emitted.said.contains("U+034F"), count > most);
        }
    }
}

/// Nomad's parser looks at 16 bits of a character when it composes: nothing keeps these two apart in a word
/// of a command, and a reference does in a variable. A text may begin with a mark that takes another.
#[test]
fn what_the_parser_takes_for_composed_is_kept_apart() {
    for (text, is_kept) in [
        ("\u{11f02}\u{345}", false),
        ("\u{11f02}\u{316}\u{345}", false),
        ("\u{1099}\u{110ba}", false),
        ("\u{11f41}\u{300}", false),
        ("1\u{11f41}\u{300}", true),
        ("\u{11f02}\u{301}\u{300}", true),
        ("\u{11f02}a\u{345}", true),
        ("\u{1ac00}\u{11a8}", true),
    ] {
        let blueprint = |field: &str| {
            format!(
                "blueprint: v1\nname: made\nimages: {{ app: {{ ref: \"example/app:1\" }} }}\nservices:\n  \
                 app: {{ image: app, {field} }}\n"
            )
        };
        let nomad = target::find("nomad").unwrap();
        let word = emit(&blueprint(&format!("command: [\"{text}\"]")), nomad);
        assert_eq!(word.files.is_some(), is_kept, "{text:?}: {}", word.said);
        assert_eq!(word.said.contains("16 bits"), !is_kept);
        let variable = emit(&blueprint(&format!("env: {{ A: \"{text}\" }}")), nomad);
        let written = &variable.files.unwrap()[0].text;
        assert_eq!(written.contains("NOMAD_META_empty"), !is_kept, "{written}");
    }
}

#[test]
fn lines_in_a_list_are_quoted() {
    let mut body = Body::default();
    let lines = Expr::List(vec![Expr::Lines("a\nb\n".to_owned())]);
    body.set("list", lines);
    assert_eq!(document("", &body), "list = [\n  \"a\\nb\\n\",\n]\n");
}

/// Nomad's parser (1.11.3) doubles braces right behind a reference that it leaves as it is.
#[test]
fn a_reference_before_a_brace_is_text() {
    let pieces = |after: &str| {
        vec![
            Piece::reference("NOMAD_ALLOC_INDEX"),
            Piece::Text(after.to_owned()),
        ]
    };
    assert_eq!(quoted(&pieces("}}-")), r#""$${NOMAD_ALLOC_INDEX}}}-""#);
    assert_eq!(quoted(&pieces(" }")), r#""$${NOMAD_ALLOC_INDEX} }""#);
    assert_eq!(quoted(&pieces("-{")), r#""${NOMAD_ALLOC_INDEX}-{""#);
}

/// A word of the language is a key in quotes: `{ for = 1 }` would begin a loop.
#[test]
fn words_of_the_language_are_keys_in_quotes() {
    for word in ["for", "in", "if", "else", "null", "true", "false"] {
        let mut body = Body::default();
        let entries = vec![(word.to_owned(), Expr::texts(["x"]))];
        body.set("labels", Expr::Object(entries));
        let text = document("", &body);
        assert!(text.contains(&format!("\"{word}\" = ")), "{text}");
    }
}

/// Lines of blanks come back as they are, whatever is indented beside them.
#[test]
fn blank_lines_of_heredocs_come_back() {
    for text in ["a\n \nb\n", "a\n   \n  b\n", "a\n\t\nb\n", "a\n\n  \n\nb\n"] {
        assert!(is_heredoc(text), "{text:?}");
        let mut body = Body::default();
        body.set("data", Expr::Lines(text.to_owned()));
        let written = document("", &body);
        let lines = written.strip_prefix("data = ").unwrap();
        assert_eq!(flushed(lines), text, "{written}");
    }
}

/// Behind an escape of any length stands nothing that its last letter would be composed with.
#[test]
fn escapes_are_composed_with_nothing() {
    for text in [
        "\u{ae}\u{301}",
        "\u{200e}\u{301}",
        "\u{e006e}\u{301}",
        "\u{e006a}\u{30a}",
        "\u{1}\u{301}",
    ] {
        let written = quoted_apart(text);
        let composed: String = written.nfc().collect();
        assert_eq!(composed, written, "{text:?}");
        assert_eq!(unquoted(&composed), text);
    }
}
