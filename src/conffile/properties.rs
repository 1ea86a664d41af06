//! `key=value` files for `java.util.Properties`.
//!
//! Serves `properties` and `cfg`: `ZooKeeper` reads `zoo.cfg` with the same class, so the two formats
//! need the same escapes. Everything outside ASCII is written as `\uXXXX`, so that a program that
//! loads the file as `ISO-8859-1` (`load(InputStream)`) and one that loads it as UTF-8
//! (`load(Reader)`) see one text.

use indexmap::IndexMap;
use std::fmt::Write as _;
use std::iter::Peekable;
use std::str::Chars;

/// The text of a file with these entries; this format has a spelling for every key and value.
pub(super) fn render(entries: &[(&str, &str)]) -> String {
    let mut text = String::new();
    for (key, value) in entries {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{}={}", escape_key(key), escape_value(value));
    }
    text
}

/// A key such that neither its end nor a comment is seen inside it.
pub(crate) fn escape_key(key: &str) -> String {
    let mut text = String::with_capacity(key.len());
    for (index, c) in key.chars().enumerate() {
        match c {
            ' ' => text.push_str("\\ "),
            ':' | '=' => text.extend(['\\', c]),
            '#' | '!' if index == 0 => text.extend(['\\', c]),
            _ => push_escaped(&mut text, c),
        }
    }
    text
}

/// A value such that its leading blanks, backslashes and line ends survive.
pub(crate) fn escape_value(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for (index, c) in value.chars().enumerate() {
        match c {
            ' ' if index == 0 => text.push_str("\\ "),
            _ => push_escaped(&mut text, c),
        }
    }
    text
}

/// The escapes that keys and values share; the NUL of a secret's token passes.
fn push_escaped(text: &mut String, c: char) {
    match c {
        '\\' => text.push_str("\\\\"),
        '\n' => text.push_str("\\n"),
        '\r' => text.push_str("\\r"),
        '\t' => text.push_str("\\t"),
        '\u{c}' => text.push_str("\\f"),
        '\0' | ' '..='~' => text.push(c),
        _ => push_unicode(text, c),
    }
}

/// `\uXXXX`, in two halves for a character beyond the first plane, as Java has it.
pub(crate) fn push_unicode(text: &mut String, c: char) {
    let mut units = [0; 2];
    for unit in c.encode_utf16(&mut units) {
        // Writing to a String cannot fail.
        let _ = write!(text, "\\u{unit:04x}");
    }
}

/// What `java.util.Properties` reads from this text.
///
/// # Errors
/// A `\u` escape that is not one, which Java refuses, and half a surrogate pair, which no Rust
/// string can hold.
pub(crate) fn parse(text: &str) -> Result<IndexMap<String, String>, String> {
    let mut entries = IndexMap::new();
    let mut chars = text.chars().peekable();
    while skip_to_key(&mut chars) {
        let key = read_piece(&mut chars, |c| {
            matches!(c, '=' | ':' | ' ' | '\t' | '\u{c}')
        })?;
        skip_separator(&mut chars);
        let value = read_piece(&mut chars, |_| false)?;
        entries.insert(key, value);
    }
    Ok(entries)
}

const fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\u{c}')
}

const fn is_line_end(c: char) -> bool {
    matches!(c, '\n' | '\r')
}

/// Goes to the first character of the next key; false at the end of the text.
fn skip_to_key(chars: &mut Peekable<Chars<'_>>) -> bool {
    loop {
        while chars.next_if(|c| is_blank(*c) || is_line_end(*c)).is_some() {}
        match chars.peek() {
            None => return false,
            Some('#' | '!') => while chars.next_if(|c| !is_line_end(*c)).is_some() {},
            Some(_) => return true,
        }
    }
}

/// Goes over the blanks and the one `=` or `:` between a key and its value.
fn skip_separator(chars: &mut Peekable<Chars<'_>>) {
    skip_blanks(chars);
    if chars.next_if(|c| matches!(c, '=' | ':')).is_some() {
        skip_blanks(chars);
    }
}

/// Goes over blanks, and over line ends that a backslash before them hides.
fn skip_blanks(chars: &mut Peekable<Chars<'_>>) {
    loop {
        while chars.next_if(|c| is_blank(*c)).is_some() {}
        let mut ahead = chars.clone();
        if ahead.next() != Some('\\') || !ahead.peek().is_some_and(|c| is_line_end(*c)) {
            return;
        }
        *chars = ahead;
        join_lines(chars);
    }
}

/// Goes over a line end, which may be CR LF, and the blanks that open the next line.
fn join_lines(chars: &mut Peekable<Chars<'_>>) {
    if chars.next() == Some('\r') {
        chars.next_if_eq(&'\n');
    }
    while chars.next_if(|c| is_blank(*c)).is_some() {}
}

/// Reads up to the end of the line or, without taking it, a character that ends the piece.
fn read_piece(chars: &mut Peekable<Chars<'_>>, ends: fn(char) -> bool) -> Result<String, String> {
    let mut units: Vec<u16> = Vec::new();
    while let Some(c) = chars.next_if(|c| !is_line_end(*c) && !ends(*c)) {
        if c != '\\' {
            push_units(&mut units, c);
            continue;
        }
        match chars.peek().copied() {
            None => break,
            Some(c) if is_line_end(c) => join_lines(chars),
            Some(c) => {
                chars.next();
                read_escape(c, chars, &mut units)?;
            }
        }
    }
    String::from_utf16(&units).map_err(|_| "half a surrogate pair is written with `\\u`".into())
}

/// Reads what follows the backslash and `c`.
fn read_escape(
    c: char,
    chars: &mut Peekable<Chars<'_>>,
    units: &mut Vec<u16>,
) -> Result<(), String> {
    match c {
        'n' => push_units(units, '\n'),
        'r' => push_units(units, '\r'),
        't' => push_units(units, '\t'),
        'f' => push_units(units, '\u{c}'),
        'u' => {
            let digits: String = chars.by_ref().take(4).collect();
            let well_formed = digits.len() == 4 && digits.chars().all(|c| c.is_ascii_hexdigit());
            let unit = u16::from_str_radix(&digits, 16)
                .ok()
                .filter(|_| well_formed);
            units.push(unit.ok_or_else(|| format!("`\\u{digits}` is no character"))?);
        }
        _ => push_units(units, c),
    }
    Ok(())
}

fn push_units(units: &mut Vec<u16>, c: char) {
    units.extend_from_slice(c.encode_utf16(&mut [0; 2]));
}
