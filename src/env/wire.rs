//! Keys and values between a blueprint and the file that a launcher writes.
//!
//! No launcher escapes anything: it puts the text of the variable into the file. So the escapes of
//! the file's reader are put into the variable here, and taken out again when an environment is
//! read. Where the reader has no escapes, what it would see differently is refused.

use super::grammar::is_python_blank;
use super::timestamp::is_written_plain;
use super::{AS_FILE, Dialect, Fault};
use crate::conffile::tree::is_index;
use crate::conffile::{Format, lines, properties, shell, shown, xml, yaml};

/// Whether [`write`] gives back just this key and value, as it does with most: then there is no need
/// to ask it.
pub(super) fn is_plain(format: Format, key: &str, value: &str) -> bool {
    let flat = matches!(format, Format::Xml | Format::Properties | Format::Cfg);
    let end = |b: Option<&u8>| b.is_some_and(u8::is_ascii_alphanumeric);
    let in_key = |b: &u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'-' | b'_');
    let in_value =
        |b: &u8| in_key(b) || matches!(b, b'/' | b':' | b',' | b';' | b'@' | b'=' | b'+');
    let (key, value) = (key.as_bytes(), value.as_bytes());
    flat && end(key.first())
        && key.iter().all(in_key)
        && !value.is_empty()
        && value.iter().all(in_value)
}

/// The key and value to put into the variable.
///
/// # Errors
/// What the launcher would change, or the reader of its file would see differently.
pub(super) fn write(
    dialect: Dialect,
    format: Format,
    key: &str,
    value: &str,
) -> Result<(String, String), Fault> {
    if dialect == Dialect::Launch {
        // It renders the file itself; what that cannot render is reported by `convention`.
        return Ok((key.to_owned(), value.to_owned()));
    }
    let (key, value) = escape(dialect, format, key, value)?;
    let fault = name_fault(dialect, &key)
        .or_else(|| python_fault(dialect, &key, &value))
        .or_else(|| empty_fault(dialect, &value).filter(|_| format == Format::Xml));
    match fault {
        Some(fault) => Err(fault),
        None => Ok((key, value)),
    }
}

fn escape(
    dialect: Dialect,
    format: Format,
    key: &str,
    value: &str,
) -> Result<(String, String), Fault> {
    let raw = || (key.to_owned(), value.to_owned());
    let checked = |fault: Option<Fault>| fault.map_or_else(|| Ok(raw()), Err);
    match format {
        Format::Xml => match xml::key_fault(key).or_else(|| xml::value_fault(value)) {
            Some(fault) => Err(fault),
            None => Ok((xml::escape(key), xml_value(value))),
        },
        Format::Properties | Format::Cfg => {
            let key = protect_end(properties::escape_key(key));
            Ok((
                key,
                protect_start(protect_end(properties::escape_value(value))),
            ))
        }
        Format::Env => checked(lines::fault(key, value)),
        Format::Sh | Format::Conf => {
            checked(shell::key_fault(key).or_else(|| shell_fault(dialect, format, value)))
        }
        Format::Yaml if dialect.is_python() => {
            yaml_fault(key).map_or_else(|| Ok((key.to_owned(), yaml_value(value)?)), Err)
        }
        Format::Yaml => checked(numeral_fault(key).or_else(|| plain_fault(key, value))),
        Format::Ini => Ok(raw()),
    }
}

/// XML text that is one line, and whose ends no launcher cuts: blanks and quotes there, and line
/// ends anywhere, become references, which every reader of XML resolves.
fn xml_value(value: &str) -> String {
    let escaped = xml::escape(value).replace('\n', "&#10;");
    let (first, last) = (escaped.chars().next(), escaped.chars().next_back());
    let frail = |c: &char| is_python_blank(*c) || *c == '"';
    let reference = |c: char| format!("&#{};", u32::from(c));
    let mut middle = escaped.as_str();
    let (mut start, mut end) = (String::new(), String::new());
    if let Some(c) = first.filter(frail) {
        start = reference(c);
        middle = middle.strip_prefix(c).unwrap_or(middle);
    }
    if let Some(c) = last.filter(frail).filter(|_| !middle.is_empty()) {
        end = reference(c);
        middle = middle.strip_suffix(c).unwrap_or(middle);
    }
    start + middle + &end
}

/// Properties text whose last character no launcher cuts.
fn protect_end(mut text: String) -> String {
    let Some(last) = text.chars().next_back().filter(|c| matches!(c, ' ' | '"')) else {
        return text;
    };
    text.pop();
    // A blank may have its own backslash before it, which the new escape replaces.
    let backslashes = text.len() - text.trim_end_matches('\\').len();
    if last == ' ' && backslashes % 2 == 1 {
        text.pop();
    }
    properties::push_unicode(&mut text, last);
    text
}

/// Properties text whose first character no launcher cuts.
fn protect_start(text: String) -> String {
    match text.strip_prefix('"') {
        Some(rest) => format!("\\u0022{rest}"),
        None => text,
    }
}

/// What a shell that sources the file would not take as it is.
fn shell_fault(dialect: Dialect, format: Format, value: &str) -> Option<Fault> {
    let quoted = dialect.is_python() && format == Format::Sh;
    let survives = if quoted {
        !value.contains(['$', '`', '"', '\\'])
    } else {
        shell::is_plain(value)
    };
    (!survives).then(|| {
        let reason = if quoted {
            format!(
                "{} puts the value between double quotes, in which the shell still sees \
                `$`, `` ` ``, `\"` and `\\`",
                dialect.launcher()
            )
        } else {
            format!(
                "{} writes `export KEY=value` without quotes, so the shell that sources \
                the file would cut or expand the value",
                dialect.launcher()
            )
        };
        (reason, AS_FILE.to_owned())
    })
}

/// What the YAML writer of apache/hadoop makes of a key that no reader finds before its colon.
const LONG_KEY: &str = "envtoconf.py of apache/hadoop writes `key: value` alone, and a YAML key of more \
    than 1024 characters needs a `? ` before it";

/// What the YAML writer of envtoconf 1.2.2, yaml.v2 2.4.0, leaves without the quotes it needs: to
/// readers of YAML 1.1 a plain `<<` merges a mapping, and as a value it is no text; and there are times
/// that only they know.
fn plain_fault(key: &str, value: &str) -> Option<Fault> {
    let (what, meaning) = if value == "<<" || key.split('.').any(|piece| piece == "<<") {
        ("`<<`", "a merge")
    } else if is_written_plain(value) || key.split('.').any(is_written_plain) {
        ("such a time", "a time, and not for this text")
    } else {
        return None;
    };
    let reason = format!(
        "envtoconf 1.2.2 writes {what} without quotes, and readers of YAML take that for {meaning}"
    );
    Some((reason, AS_FILE.to_owned()))
}

/// What the YAML writer of apache/hadoop, which quotes nothing, would not write as a plain key.
fn yaml_fault(key: &str) -> Option<Fault> {
    if key.split('.').rev().skip(1).any(is_index) {
        return Some((
            "envtoconf.py of apache/hadoop fails at maps in a list, and the container does \
                not start"
                .to_owned(),
            AS_FILE.to_owned(),
        ));
    }
    if key.split('.').any(|piece| piece.len() > yaml::LONGEST_KEY) {
        return Some((LONG_KEY.to_owned(), AS_FILE.to_owned()));
    }
    let last = key.rsplit('.').next().unwrap_or(key);
    if is_index(last) && last != "1" {
        return Some((
            "envtoconf.py of apache/hadoop fills a list in the order of the environment, \
                which no platform promises"
                .to_owned(),
            AS_FILE.to_owned(),
        ));
    }
    let plain = key
        .split('.')
        .all(|piece| yaml::is_plain_key(piece) || is_index(piece));
    (!plain).then(|| {
        (
            format!(
                "envtoconf.py of apache/hadoop writes keys without quotes, and `{}` needs them",
                shown(key)
            ),
            AS_FILE.to_owned(),
        )
    })
}

/// A YAML value for a writer that quotes nothing: single quotes are the only ones it does not cut.
fn yaml_value(value: &str) -> Result<String, Fault> {
    if yaml::is_typed(value) {
        return Ok(value.to_owned());
    }
    // A marker of a secret is no control character of the value.
    if value.chars().any(|c| {
        c != '\0'
            && (c.is_control()
                || matches!(
                    c,
                    '\u{2028}' | '\u{2029}' | '\u{feff}' | '\u{fffe}' | '\u{ffff}'
                ))
    }) {
        return Err((
            "envtoconf.py of apache/hadoop cannot write line ends or control characters into YAML"
                .to_owned(),
            AS_FILE.to_owned(),
        ));
    }
    Ok(format!("'{}'", value.replace('\'', "''")))
}

/// Pieces of a key that a program may or may not take for a list index, and lists in lists.
fn numeral_fault(key: &str) -> Option<Fault> {
    let doubtful = |piece: &str| {
        let digits = piece.trim_start_matches(['+', '-']);
        !is_index(piece) && !digits.is_empty() && digits.chars().all(char::is_numeric)
    };
    let nested = key
        .split('.')
        .zip(key.split('.').skip(1))
        .any(|(a, b)| is_index(a) && is_index(b));
    (nested || key.split('.').any(doubtful)).then(|| {
        (
            format!(
                "it is not certain that envtoconf 1.2.2 reads the indices of `{}` as \
                they are meant",
                shown(key)
            ),
            AS_FILE.to_owned(),
        )
    })
}

/// What becomes of an empty value in Hadoop's XML, of which every launcher writes the same text.
/// Only a whole file has room for more ([`xml`]).
pub(super) fn empty_fault(dialect: Dialect, value: &str) -> Option<Fault> {
    value.is_empty().then(|| {
        (
            format!(
                "{} writes `<value></value>`, and Hadoop leaves out a property without a text there",
                dialect.launcher()
            ),
            AS_FILE.to_owned(),
        )
    })
}

/// Keys that do not survive in the name of a variable.
fn name_fault(dialect: Dialect, key: &str) -> Option<Fault> {
    let trimmed = key.trim_matches(is_python_blank) != key;
    let hollow = key.chars().all(|c| matches!(c, '.' | '_'));
    (trimmed || hollow).then(|| {
        (
            format!(
                "{} cuts blanks around a key, and takes a key of only `.` and `_` for none",
                dialect.launcher()
            ),
            AS_FILE.to_owned(),
        )
    })
}

/// What the `key: value` file in between does to an entry (envtoconf.py keeps one per result, and
/// reads it back with `split(": ")`, `strip()` and `strip('"')`).
pub(super) fn python_fault(dialect: Dialect, key: &str, value: &str) -> Option<Fault> {
    if !dialect.is_python() {
        return None;
    }
    let wrong = if value.is_empty() {
        "takes an empty value for a part of the key, and writes the key with a colon at its end"
    } else if value.contains(['\n', '\r']) {
        "takes every further line of a value for an entry of its own"
    } else if value.trim_matches(is_python_blank) != value {
        "cuts the blanks around a value"
    } else if value.starts_with('"') || value.ends_with('"') {
        "cuts the double quotes around a value"
    } else if key.starts_with('#') {
        "takes a key that begins with `#` for a comment, and drops it"
    } else if key.contains(": ") {
        "cuts a key at its first colon with a blank behind it"
    } else {
        return None;
    };
    Some((
        format!("{} {wrong}", dialect.launcher()),
        AS_FILE.to_owned(),
    ))
}

/// What the product finds for one variable, once the launcher has written its text.
pub(super) struct Read {
    /// The entries: mostly one, more or fewer when the text breaks its line.
    pub pairs: Vec<(String, String)>,
    /// What is wrong with the text, if the product would not read it.
    pub fault: Option<String>,
}

/// Reads an entry as the product does; a text that it could not read is taken as it is.
pub(super) fn read(dialect: Dialect, format: Format, key: &str, value: &str) -> Read {
    let raw = |value: &str, fault: Option<String>| Read {
        pairs: vec![(key.to_owned(), value.to_owned())],
        fault,
    };
    match format {
        _ if dialect == Dialect::Launch => raw(value, None),
        Format::Xml => read_xml(dialect, key, value),
        Format::Properties => read_line(key, ": ", value),
        Format::Cfg => read_line(key, "=", value),
        Format::Env => match lines::parse(&format!("{key}={value}\n")) {
            Ok(entries) => Read {
                pairs: entries.into_iter().collect(),
                fault: None,
            },
            Err(reason) => raw(value, Some(format!("the file cannot be read: {reason}"))),
        },
        Format::Sh | Format::Conf => {
            let quoted = dialect.is_python() && format == Format::Sh;
            let meant = if quoted { value } else { shell::unquote(value) };
            let key = shell::key_fault(key).map(|(reason, _)| reason);
            let broken = || shell_fault(dialect, format, value).map(|(reason, _)| reason);
            let whole = !quoted && meant != value;
            raw(meant, key.or_else(|| broken().filter(|_| !whole)))
        }
        Format::Yaml if dialect.is_python() => raw(&unquote_yaml(value), yaml_break(key, value)),
        Format::Yaml => raw(value, plain_fault(key, value).map(|(reason, _)| reason)),
        Format::Ini => raw(value, None),
    }
}

/// Reads a line of a properties file.
fn read_line(key: &str, separator: &str, value: &str) -> Read {
    let open = (value.len() - value.trim_end_matches('\\').len()) % 2 == 1;
    let joins = "it ends with a backslash, which joins the next line of the file to it";
    match properties::parse(&format!("{key}{separator}{value}\n")) {
        Ok(entries) => Read {
            pairs: entries.into_iter().collect(),
            fault: open.then(|| joins.to_owned()),
        },
        Err(reason) => Read {
            pairs: vec![(key.to_owned(), value.to_owned())],
            fault: Some(format!("the file cannot be read: {reason}")),
        },
    }
}

fn read_xml(dialect: Dialect, key: &str, value: &str) -> Read {
    if let Some((reason, _)) = empty_fault(dialect, value) {
        return Read {
            pairs: Vec::new(),
            fault: Some(reason),
        };
    }
    let text = |raw: &str| {
        if raw.contains('<') || raw.contains("]]>") {
            return Err("a `<` stands unescaped in it".to_owned());
        }
        // A reader of XML turns every line end into LF before it resolves references.
        xml::unescape(&raw.replace("\r\n", "\n").replace('\r', "\n"))
    };
    match text(key).and_then(|key| Ok((key, text(value)?))) {
        Ok((key, value)) => {
            let key = key.trim_matches(|c| c <= ' ').to_owned();
            Read {
                pairs: vec![(key, value)],
                fault: None,
            }
        }
        Err(reason) => Read {
            pairs: vec![(key.to_owned(), value.to_owned())],
            fault: Some(format!("the file cannot be read as XML: {reason}")),
        },
    }
}

/// Why a value that is written into YAML without quotes would break the file, if it would.
fn yaml_break(key: &str, value: &str) -> Option<String> {
    if key.split('.').any(|piece| piece.len() > yaml::LONGEST_KEY) {
        return Some(LONG_KEY.to_owned());
    }
    let quoted = unquote_yaml(value) != value;
    let begins = value.starts_with(|c: char| "?:,[]{}#&*!|>'\"%@`".contains(c));
    let breaks = begins
        || value == "<<"
        || value.contains(": ")
        || value.contains(" #")
        || value.ends_with(':');
    (breaks && !quoted)
        .then(|| "the file cannot be read as YAML: its value is written without quotes".to_owned())
}

/// A single-quoted YAML text as it is meant; others unchanged.
fn unquote_yaml(value: &str) -> String {
    let inner = value
        .strip_prefix('\'')
        .and_then(|rest| rest.strip_suffix('\''));
    match inner {
        Some(inner) if !inner.replace("''", "").contains('\'') => inner.replace("''", "'"),
        _ => value.to_owned(),
    }
}
