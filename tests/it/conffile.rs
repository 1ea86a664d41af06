//! The configuration files that flokkr renders itself, and reads back.

use crate::env::{borrowed, entries, hostile, owned};
use flokkr::conffile::{Format, merge, parse, render};
use indexmap::IndexMap;
use proptest::prelude::*;

#[test]
fn rendered_files() {
    let entries = [
        ("plain", "x"),
        ("a.b", "1 < 2 & \"q\""),
        ("a.c", " é\t\\"),
        ("secret", "\0db:password\0"),
    ];
    let xml = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<configuration>\n  <property>\n    <name>a</name>\n    <value>x&#13;\n&lt;</value>\n  </property>\n</configuration>\n";
    assert_eq!(render(Format::Xml, &[("a", "x\r\n<")]).unwrap(), xml);
    let empty = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<configuration>\n  <property value=\"\">\n    <name>a</name>\n    <value><![CDATA[]]></value>\n  </property>\n</configuration>\n";
    assert_eq!(render(Format::Xml, &[("a", "")]).unwrap(), empty);
    let properties = "plain=x\na.b=1 < 2 & \"q\"\na.c=\\ \\u00e9\\t\\\\\nsecret=\0db:password\0\n";
    assert_eq!(render(Format::Properties, &entries).unwrap(), properties);
    assert_eq!(render(Format::Cfg, &entries).unwrap(), properties);
    let yaml = "plain: \"x\"\na:\n  b: \"1 < 2 & \\\"q\\\"\"\n  c: \" é\\t\\\\\"\nsecret: \"\0db:password\0\"\n";
    assert_eq!(render(Format::Yaml, &entries).unwrap(), yaml);
    let lists = [
        ("l.1.a", "1"),
        ("l.1.b", "true"),
        ("l.2.a", "1.10"),
        ("m.1", "yes"),
        ("m.2", "-0.5"),
    ];
    let yaml = "l:\n  - a: 1\n    b: true\n  - a: \"1.10\"\nm:\n  - \"yes\"\n  - -0.5\n";
    assert_eq!(render(Format::Yaml, &lists).unwrap(), yaml);
    assert_eq!(render(Format::Yaml, &[]).unwrap(), "{}\n");
    let shell = "export A='it'\\''s $HOME'\n";
    assert_eq!(render(Format::Sh, &[("A", "it's $HOME")]).unwrap(), shell);
    assert_eq!(render(Format::Conf, &[("A", "it's $HOME")]).unwrap(), shell);
    let ini = "top=1\n\n[s]\na.b=2\nc=3\n\n[t]\nd=4\n";
    let entries = [("s.a.b", "2"), ("top", "1"), ("s.c", "3"), ("t.d", "4")];
    assert_eq!(render(Format::Ini, &entries).unwrap(), ini);
    assert_eq!(
        render(Format::Env, &[("A", " x \"y\"")]).unwrap(),
        "A= x \"y\"\n"
    );
}

/// Readers of YAML look no further than 1024 characters for the colon behind a key.
#[test]
fn yaml_keys_of_any_length_are_read() {
    for length in [998, 999, 1000, 1001, 1022, 1023, 1024, 1025, 3000] {
        let long = "k".repeat(length);
        let quoted = "/".repeat(length);
        let keys = [
            long.clone(),
            format!("below.{long}"),
            format!("below.{quoted}"),
            format!("list.1.{long}"),
            format!("list.1.{quoted}.x"),
            format!("list.1.{quoted}.y.1"),
        ];
        let entries: Vec<_> = keys.iter().map(|key| (&**key, "value")).collect();
        let text = render(Format::Yaml, &entries).unwrap();
        let read: serde_yaml::Value = serde_yaml::from_str(&text).unwrap();
        let mut found = IndexMap::new();
        flatten(String::new(), &read, &mut found);
        let wanted = owned(&entries).into_iter().collect::<IndexMap<_, _>>();
        assert_eq!(found, wanted, "{length}: {text}");
    }
}

#[test]
fn entries_that_a_file_cannot_hold() {
    let refused = |format, entries: &[(&str, &str)]| -> Vec<Option<usize>> {
        render(format, entries)
            .err()
            .into_iter()
            .flatten()
            .map(|problem| problem.entry)
            .collect()
    };
    let entries = [("a", "\u{1}"), ("", "x"), ("a", "x"), ("b c", "x\ny")];
    for format in Format::ALL {
        assert_eq!(refused(format, &entries), [Some(1), Some(2)], "{format}");
    }
    let entries = [
        ("a", "\u{1}"),
        ("b c", "x\ny"),
        ("d:", "x"),
        ("e.1", " "),
        ("e.3", "#"),
    ];
    assert_eq!(refused(Format::Xml, &entries), [Some(0)]);
    assert_eq!(refused(Format::Properties, &entries), []);
    assert_eq!(refused(Format::Env, &entries), [Some(1)]);
    assert_eq!(
        refused(Format::Sh, &entries),
        [Some(1), Some(2), Some(3), Some(4)]
    );
    let (longest, longer) = ("x".repeat(65_533), "x".repeat(65_534));
    assert_eq!(refused(Format::Env, &[("a", &longest)]), []);
    assert_eq!(refused(Format::Env, &[("a", &longer)]), [Some(0)]);
    assert_eq!(refused(Format::Env, &[("\u{feff}a", "b")]), [Some(0)]);
    assert_eq!(refused(Format::Yaml, &entries), [Some(3)]);
    assert_eq!(
        refused(Format::Ini, &entries),
        [Some(1), Some(2), Some(3), Some(4)]
    );
    let entries = [
        ("a", "x;y"),
        ("b", "x#y"),
        ("c", "'x"),
        ("d", "`x`"),
        ("e", "x\\\\"),
        ("f", "x'y\\z"),
        ("s.-", "x"),
        ("DEFAULT.a", "x"),
        ("\"a", "x"),
    ];
    let all_but_one = [0, 1, 2, 3, 4, 6, 7, 8].map(Some);
    assert_eq!(refused(Format::Ini, &entries), all_but_one);
}

#[test]
fn files_that_are_read() {
    let one = |key: &str, value: &str| Ok(owned(&[(key, value)]));
    let xml = "\u{feff}<?xml version='1.0'?>\r\n<!-- <x> --><configuration>\r\n<property><name> a\n</name><value>1\r\n&#x41;<![CDATA[<&>]]></value><final>true</final><description/></property><property><name>b</name></property><property><name>c</name><value/></property></configuration>";
    assert_eq!(parse(Format::Xml, xml), one("a", "1\nA<&>"));
    for (property, value) in [
        ("<property name='a' value='1'/>", "1"),
        (
            "<property name=\"a\"\nvalue = \"x > '&lt;\ty&#9;\" final='true' ></property>",
            "x > '< y\t",
        ),
        (
            "<property value='1'><name>a</name><value><![CDATA[]]></value></property>",
            "1",
        ),
        (
            "<property value='1'><name>a</name><value>2</value></property>",
            "2",
        ),
        ("<property name='a' value=''/>", ""),
    ] {
        let xml = format!("<configuration xmlns:x='y'>{property}</configuration>");
        assert_eq!(parse(Format::Xml, &xml), one("a", value), "{property}");
    }
    for broken in [
        "",
        "text",
        "<configuration>",
        "<configuration></x>",
        "<configuration/><configuration/>",
        "<a/>",
        "<configuration><xi:include href='x'/></configuration>",
        "<!DOCTYPE x><configuration/>",
        "<configuration><property><value>1</value></property></configuration>",
        "<configuration><property><name>a</name><value>&x;</value></property></configuration>",
        "<configuration><property name='a' name='a'/></configuration>",
        "<configuration><property name='a'value='a'/></configuration>",
        "<configuration><property name='<'/></configuration>",
        "<configuration><property name=a/></configuration>",
        "<configuration><property name/></configuration>",
    ] {
        assert!(parse(Format::Xml, broken).is_err(), "{broken}");
    }
    let lines = "# comment\n ! another\n\n  a\\ b : \\\n   c\\u0041\\q \r\n";
    assert_eq!(parse(Format::Properties, lines), one("a b", "cAq "));
    assert!(parse(Format::Properties, "a=\\u00g0").is_err());
    assert!(parse(Format::Properties, "a=\\ud800").is_err());
    assert_eq!(
        parse(Format::Env, "\n # c\nA=b = c \r\n"),
        one("A", "b = c ")
    );
    assert!(parse(Format::Env, "HOME\n").is_err());
    assert!(parse(Format::Yaml, "a: b\n").is_err());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_render_accepts_parse_gives_back(entries in entries()) {
        let entries = borrowed(&entries);
        for format in [Format::Xml, Format::Properties, Format::Cfg, Format::Env] {
            if let Ok(text) = render(format, &entries) {
                prop_assert_eq!(parse(format, &text), Ok(owned(&entries)), "{}", text);
            }
        }
    }

    #[test]
    fn parse_takes_any_text(text in hostile(), more in hostile()) {
        for format in Format::ALL {
            let _ = parse(format, &text);
            let _ = parse(format, &format!("<configuration><property><name>{text}</name>{more}</property>"));
        }
    }

    #[test]
    fn yaml_is_read_as_it_was_written(entries in entries()) {
        let entries = borrowed(&entries);
        if let Ok(text) = render(Format::Yaml, &entries) {
            // A secret's NUL is replaced before any reader sees the file.
            let read: serde_yaml::Value = serde_yaml::from_str(&text.replace('\0', "N")).unwrap();
            let mut found = IndexMap::new();
            flatten(String::new(), &read, &mut found);
            let wanted: IndexMap<_, _> = owned(&entries).into_iter()
                .map(|(key, value)| (key.replace('\0', "N"), value.replace('\0', "N"))).collect();
            prop_assert_eq!(found, wanted, "{}", text);
        }
    }
}

/// The dotted keys of a YAML tree.
fn flatten(key: String, value: &serde_yaml::Value, found: &mut IndexMap<String, String>) {
    let below = |piece: &str| {
        if key.is_empty() {
            piece.to_owned()
        } else {
            format!("{key}.{piece}")
        }
    };
    match value {
        serde_yaml::Value::Mapping(map) => {
            for (piece, value) in map {
                flatten(below(piece.as_str().unwrap()), value, found);
            }
        }
        serde_yaml::Value::Sequence(list) => {
            for (index, value) in list.iter().enumerate() {
                flatten(below(&(index + 1).to_string()), value, found);
            }
        }
        serde_yaml::Value::String(text) => drop(found.insert(key, text.clone())),
        serde_yaml::Value::Bool(value) => drop(found.insert(key, value.to_string())),
        serde_yaml::Value::Number(value) => drop(found.insert(key, value.to_string())),
        other => panic!("{other:?}"),
    }
}

/// A line of a shell file that goes on would take in the first one that is laid over it.
#[test]
fn a_line_that_goes_on_ends_before_a_merge() {
    let merged = merge(Format::Sh, "export A=b\\\n", &[("C", "d")]).unwrap();
    assert_eq!(merged, "export A=b\\\n\nexport C='d'\n");
}

/// A word that readers of YAML 1.1 take for a boolean has quotes as a key, in capitals as well.
#[test]
fn words_of_yaml_are_no_plain_keys() {
    for key in ["no", "No", "OFF", "Null", "y", "Y"] {
        let text = render(Format::Yaml, &[(key, "x")]).unwrap();
        assert_eq!(text, format!("\"{key}\": \"x\"\n"));
    }
}

/// Whatever a file of Hadoop's holds, and however its root is written, new properties are laid over it.
#[test]
fn properties_are_laid_over_every_file_of_hadoop() {
    for (base, rest) in [
        ("<configuration/>", ""),
        ("<configuration />", ""),
        ("<configuration a='>' />", ""),
        (
            "<?xml version=\"1.0\"?>\n<!-- <configuration/> -->\n<configuration>\n</configuration>\n",
            "",
        ),
        (
            "<configuration xmlns:x='y'><property><name>b</name><value>2</value></property></configuration>",
            "b",
        ),
        (
            "<configuration><property name='a' value='0'/><property name='b' value='2'/></configuration>",
            "b",
        ),
        (
            "<configuration><property><!-- </property> --><name>a</name><value>0</value></property><property><name>b</name><value>2</value></property></configuration>",
            "b",
        ),
        (
            "<configuration><!-- <property><name>c</name></property> --><property><name> a </name></property></configuration>",
            "",
        ),
    ] {
        let merged =
            merge(Format::Xml, base, &[("a", "1")]).unwrap_or_else(|e| panic!("{base}: {e:?}"));
        let mut wanted = IndexMap::new();
        if !rest.is_empty() {
            wanted.insert(rest.to_owned(), "2".to_owned());
        }
        wanted.insert("a".to_owned(), "1".to_owned());
        assert_eq!(parse(Format::Xml, &merged), Ok(wanted), "{merged}");
        // What stands in a property goes with it.
        let kept = base.matches("<!--").count() - base.matches("<property><!--").count();
        assert_eq!(merged.matches("<!--").count(), kept);
    }
}

/// What a file has besides stays, also where it is empty.
#[test]
fn what_is_merged_with_keeps_what_is_empty() {
    for (format, base) in [
        (Format::Properties, "a=\nb=1\n"),
        (Format::Cfg, "a=\nb=1\n"),
        (Format::Env, "a=\nb=1\n"),
    ] {
        let merged = merge(format, base, &[("b", "2"), ("c", "3")]).unwrap();
        let wanted: IndexMap<String, String> = [("a", ""), ("b", "2"), ("c", "3")]
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect();
        assert_eq!(parse(format, &merged), Ok(wanted), "{merged}");
    }
}

/// What a reader of the format would take for something else is refused.
#[test]
fn keys_that_are_read_as_something_else_are_refused() {
    for (format, key, value, taken) in [
        (Format::Ini, "a.b", "c", true),
        (Format::Ini, ";a", "b", false),
        (Format::Ini, "#a", "b", false),
        (Format::Ini, "a.;b", "c", false),
        (Format::Ini, "[a]", "b", false),
        (Format::Ini, "a=b", "c", false),
        (Format::Env, "A", "é", true),
        (Format::Env, "", "x", false),
    ] {
        let written = render(format, &[(key, value)]);
        assert_eq!(written.is_ok(), taken, "{key}: {written:?}");
    }
    // Lines are as long as Docker's scanner takes (64 KiB with the line end), in bytes.
    let long = "é".repeat((65_536 - "A=\n".len()) / 2);
    assert!(render(Format::Env, &[("A", &long)]).is_ok());
    assert!(render(Format::Env, &[("A", &(long + "é"))]).is_err());
    // A value has no place where others have keys below it.
    for entries in [[("a", "1"), ("a.b", "2")], [("a.b", "2"), ("a", "1")]] {
        assert!(render(Format::Yaml, &entries).is_err(), "{entries:?}");
    }
    let words = ["null", "~", "yes", "1.10", ""];
    for word in words {
        let text = render(Format::Yaml, &[("a", word)]).unwrap();
        assert_eq!(text, format!("\"a\": \"{word}\"\n").replace("\"a\"", "a"));
    }
}
