//! Hadoop's XML configuration files: `<configuration>` with a `<property>` block per entry.
//!
//! Owns the escapes and a reader of exactly this vocabulary. It is no general XML parser: what
//! Hadoop would have to fetch from elsewhere (a document type, an include) is refused, not guessed.

use super::{Corruption, shown};
use indexmap::IndexMap;
use std::fmt::Write as _;

/// What makes a property empty for Hadoop since 2.9: it leaves out one with `<value></value>`, and
/// passes over the section below.
const EMPTY_ATTRIBUTE: &str = " value=\"\"";

/// What makes a property empty for Hadoop until 2.8: it leaves out one with `<value></value>`, too,
/// and knows no attributes. To any other reader of XML the text is empty as well.
const EMPTY_TEXT: &str = "<![CDATA[]]>";

/// The text of a file with these entries.
///
/// # Errors
/// Control characters, for which XML 1.0 has no spelling, and keys that Hadoop would trim.
pub(super) fn render(entries: &[(&str, &str)]) -> Result<String, Vec<Corruption>> {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<configuration>\n");
    let mut problems = Vec::new();
    for (index, (key, value)) in entries.iter().enumerate() {
        let found = key_fault(key).or_else(|| value_fault(value));
        problems.extend(found.map(|(reason, way)| Corruption::of_entry(index, reason, way)));
        let (attribute, value) = if value.is_empty() {
            (EMPTY_ATTRIBUTE, EMPTY_TEXT.to_owned())
        } else {
            ("", escape(value))
        };
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "  <property{attribute}>\n    <name>{}</name>\n    <value>{value}</value>\n  </property>\n",
            escape(key),
        );
    }
    text.push_str("</configuration>\n");
    if problems.is_empty() {
        Ok(text)
    } else {
        Err(problems)
    }
}

/// Why a key cannot stand in a `<name>`, and the way round.
pub(crate) fn key_fault(key: &str) -> Option<(String, String)> {
    let trimmed = key.trim_matches(|c| c <= ' ') != key;
    let control = key.chars().any(|c| c.is_control() || is_forbidden(c));
    (trimmed || control).then(|| {
        let reason = if trimmed {
            "Hadoop cuts the blanks around a name"
        } else {
            "a name in an XML file cannot hold control characters"
        };
        (
            reason.to_owned(),
            format!("write the key `{}` without them", shown(key)),
        )
    })
}

/// Why a value cannot stand in a `<value>`, and the way round.
pub(crate) fn value_fault(value: &str) -> Option<(String, String)> {
    let c = value.chars().find(|c| is_forbidden(*c))?;
    Some((
        format!(
            "XML 1.0 has no spelling for the character U+{:04X}",
            u32::from(c)
        ),
        "take the character out of the value".to_owned(),
    ))
}

/// Characters that are outside XML 1.0. The NUL of a secret's token is not ours to judge.
const fn is_forbidden(c: char) -> bool {
    match c {
        '\0' | '\t' | '\n' | '\r' => false,
        '\u{fffe}' | '\u{ffff}' => true,
        _ => c < ' ',
    }
}

/// The text as character data: `&`, `<`, the `>` of `]]>`, and CR, which a reader would turn into LF.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' if escaped.ends_with("]]") => escaped.push_str("&gt;"),
            '\r' => escaped.push_str("&#13;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

/// Character data as a reader sees it.
///
/// # Errors
/// The reference that is none of the five of XML and no character number.
pub(crate) fn unescape(text: &str) -> Result<String, String> {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        plain.push_str(before);
        let (name, behind) = after
            .split_once(';')
            .ok_or_else(|| "an `&` stands alone; it is written `&amp;`".to_owned())?;
        plain.push(referenced(name).ok_or_else(|| format!("`&{};` is not defined", shown(name)))?);
        rest = behind;
    }
    plain.push_str(rest);
    Ok(plain)
}

/// The character that a reference stands for.
fn referenced(name: &str) -> Option<char> {
    let number = match name {
        "amp" => return Some('&'),
        "lt" => return Some('<'),
        "gt" => return Some('>'),
        "quot" => return Some('"'),
        "apos" => return Some('\''),
        _ => name.strip_prefix('#')?,
    };
    let code = match number.strip_prefix('x') {
        Some(digits) => u32::from_str_radix(digits, 16),
        None => number.parse(),
    };
    code.ok()
        .and_then(char::from_u32)
        .filter(|c| *c != '\0' && !is_forbidden(*c))
}

/// The entries of a configuration file.
///
/// # Errors
/// Text that is not well-formed, and what flokkr does not follow (includes, document types).
pub(super) fn parse(text: &str) -> Result<IndexMap<String, String>, String> {
    if let Some((_, encoding, _)) = other_encoding(text).filter(|_| !text.is_ascii()) {
        return Err(format!(
            "it says that it is {}, and holds characters of UTF-8",
            shown(encoding)
        ));
    }
    let mut reader = Reader::default();
    // XML turns every line end into LF before anything else.
    let unified = text.replace("\r\n", "\n").replace('\r', "\n");
    let mut rest = unified.strip_prefix('\u{feff}').unwrap_or(&unified);
    while let Some((before, after)) = rest.split_once('<') {
        reader.text(&unescape(before)?)?;
        rest = reader.markup(after)?;
    }
    reader.text(&unescape(rest)?)?;
    reader.finish()
}

/// The encoding that a text declares, unless that is UTF-8, and what stands before and behind it.
fn other_encoding(text: &str) -> Option<(&str, &str, &str)> {
    let declaration = text.strip_prefix('\u{feff}').unwrap_or(text);
    let declaration = declaration.strip_prefix("<?xml")?;
    let (inside, _) = declaration.split_once("?>")?;
    let (name, rest) = declaration.split_once("encoding")?;
    if !inside.starts_with(char::is_whitespace) || name.len() > inside.len() {
        return None;
    }
    let rest = rest.trim_start().strip_prefix('=')?.trim_start();
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let rest = rest.strip_prefix(quote)?;
    let (encoding, _) = rest.split_once(quote)?;
    let (before, _) = text.split_at_checked(text.len() - rest.len())?;
    let behind = rest.strip_prefix(encoding)?;
    (!encoding.eq_ignore_ascii_case("utf-8")).then_some((before, encoding, behind))
}

/// What has been seen of a file so far.
#[derive(Default)]
struct Reader {
    open: Vec<String>,
    root_seen: bool,
    name: Option<String>,
    value: Option<String>,
    text: String,
    entries: IndexMap<String, String>,
}

impl Reader {
    /// Takes what stands after a `<`, gives back what stands behind the markup.
    fn markup<'a>(&mut self, after: &'a str) -> Result<&'a str, String> {
        if let Some(comment) = after.strip_prefix("!--") {
            return behind(comment, "-->").map(|(_, rest)| rest);
        }
        if let Some(section) = after.strip_prefix("![CDATA[") {
            let (text, rest) = behind(section, "]]>")?;
            self.text(text)?;
            return Ok(rest);
        }
        if let Some(instruction) = after.strip_prefix('?') {
            return behind(instruction, "?>").map(|(_, rest)| rest);
        }
        if after.starts_with('!') {
            return Err("a document type is not supported".to_owned());
        }
        let Some(closing) = after.strip_prefix('/') else {
            return self.tag(after);
        };
        let (name, rest) = behind(closing, ">")?;
        self.close(name.trim_end())?;
        Ok(rest)
    }

    fn tag<'a>(&mut self, after: &'a str) -> Result<&'a str, String> {
        let tag = Tag::read(after)?;
        if tag.name == "include" || tag.name.ends_with(":include") {
            return Err("an include is not followed".to_owned());
        }
        self.open(tag.name)?;
        if tag.name == "property" {
            for (name, value) in tag.attributes {
                match name {
                    "name" => self.name = Some(value),
                    "value" => self.value = Some(value),
                    _ => {}
                }
            }
        }
        if tag.closes {
            self.close(tag.name)?;
        }
        Ok(tag.behind)
    }

    fn open(&mut self, name: &str) -> Result<(), String> {
        let fits = match self.open.last().map(String::as_str) {
            None => name == "configuration" && !self.root_seen,
            Some("configuration") => name == "property",
            Some("property") => true,
            Some(_) => false,
        };
        if !fits {
            return Err(format!("`<{}>` is at the wrong place", shown(name)));
        }
        self.root_seen = true;
        self.text.clear();
        self.open.push(name.to_owned());
        Ok(())
    }

    fn close(&mut self, name: &str) -> Result<(), String> {
        if self.open.pop().as_deref() != Some(name) {
            return Err(format!("`</{}>` closes nothing", shown(name)));
        }
        match name {
            // Java's trim() cuts everything up to the blank.
            "name" => self.name = Some(self.text.trim_matches(|c| c <= ' ').to_owned()),
            // One without text is passed over, and leaves what an attribute said.
            "value" if self.text.is_empty() => {}
            "value" => self.value = Some(std::mem::take(&mut self.text)),
            "property" => self.property()?,
            _ => {}
        }
        Ok(())
    }

    /// Takes the entry at the end of its block; Hadoop leaves out a property without a value, which
    /// an empty `<value>` is, too.
    fn property(&mut self) -> Result<(), String> {
        let name = self.name.take().filter(|name| !name.is_empty());
        let name = name.ok_or("a property has no name")?;
        if let Some(value) = self.value.take() {
            self.entries.insert(name, value);
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), String> {
        let inside = !matches!(
            self.open.last().map(String::as_str),
            None | Some("configuration" | "property")
        );
        if inside {
            self.text.push_str(text);
        } else if !text.trim().is_empty() {
            return Err(format!(
                "the text `{}` is at the wrong place",
                shown(text.trim())
            ));
        }
        Ok(())
    }

    fn finish(self) -> Result<IndexMap<String, String>, String> {
        match self.open.last() {
            Some(name) => Err(format!("`<{}>` is not closed", shown(name))),
            None if !self.root_seen => Err("there is no `<configuration>`".to_owned()),
            None => Ok(self.entries),
        }
    }
}

/// A tag that opens an element.
struct Tag<'a> {
    name: &'a str,
    attributes: Vec<(&'a str, String)>,
    /// It closes the element as well.
    closes: bool,
    /// What stands behind it.
    behind: &'a str,
}

impl<'a> Tag<'a> {
    /// Reads what stands after a `<`.
    fn read(after: &'a str) -> Result<Self, String> {
        let end = after.find(|c: char| c.is_whitespace() || matches!(c, '/' | '>'));
        let (name, mut rest) = end
            .and_then(|end| after.split_at_checked(end))
            .ok_or("`>` is missing")?;
        let mut attributes: Vec<(&str, String)> = Vec::new();
        loop {
            let next = rest.trim_start();
            let closes = next.starts_with("/>");
            if let Some(behind) = next.strip_prefix("/>").or_else(|| next.strip_prefix('>')) {
                return Ok(Self {
                    name,
                    attributes,
                    closes,
                    behind,
                });
            }
            let (attribute, value, behind) = attribute(next).ok_or_else(|| {
                format!(
                    "the attributes of `<{}>` are not name and text",
                    shown(name)
                )
            })?;
            if next.len() == rest.len() || attributes.iter().any(|(known, _)| *known == attribute) {
                return Err(format!(
                    "the attribute `{}` is at the wrong place",
                    shown(attribute)
                ));
            }
            // Line ends and tabs are blanks in an attribute, but references to them are not.
            attributes.push((attribute, unescape(&value.replace(['\n', '\t'], " "))?));
            rest = behind;
        }
    }
}

/// The name and the raw text of an attribute, and what stands behind it.
fn attribute(text: &str) -> Option<(&str, &str, &str)> {
    let (name, rest) = text.split_once('=')?;
    let rest = rest.trim_start();
    let quote = rest.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let (value, behind) = rest.strip_prefix(quote)?.split_once(quote)?;
    let name = name.trim_end();
    let is_name =
        !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || "<>/'\"".contains(c));
    (is_name && !value.contains('<')).then_some((name, value, behind))
}

/// The `<property>` blocks of a text that [`render`] made.
pub(super) fn blocks(rendered: &str) -> &str {
    let (_, inside) = rendered
        .split_once("<configuration>")
        .unwrap_or(("", rendered));
    let end = inside.rfind("</configuration>").unwrap_or(inside.len());
    inside
        .split_at_checked(end)
        .map_or(inside, |(text, _)| text)
}

/// A text up to its `</configuration>`, without the properties of these keys, in UTF-8 whatever it was in.
/// What is in comments is no property.
///
/// # Errors
/// As [`parse`] has them.
pub(super) fn without(text: &str, keys: &[&str]) -> Result<String, String> {
    parse(text)?;
    let mut kept = String::with_capacity(text.len());
    let mut rest = text;
    if let Some((before, _, behind)) = other_encoding(text) {
        kept.extend([before, "UTF-8"]);
        rest = behind;
    }
    while let Some((before, after)) = rest.split_once('<') {
        kept.push_str(before);
        if after.starts_with("!--") || after.starts_with("![CDATA[") || after.starts_with('?') {
            let end = match after.as_bytes().get(1) {
                Some(b'-') => "-->",
                Some(b'[') => "]]>",
                _ => "?>",
            };
            let (inside, behind) = behind(after, end)?;
            kept.extend(["<", inside, end]);
            rest = behind;
        } else if after.starts_with("/configuration") {
            return Ok(kept);
        } else if after.starts_with("configuration") {
            let tag = Tag::read(after)?;
            let (own, _) = after
                .split_at_checked(after.len() - tag.behind.len())
                .ok_or("`>` is missing")?;
            kept.push('<');
            if let Some(own) = own.strip_suffix("/>") {
                kept.extend([own.trim_end(), ">"]);
                return Ok(kept);
            }
            kept.push_str(own);
            rest = tag.behind;
        } else if after.starts_with("property") {
            let (block, behind) = property(after)?;
            if keys.contains(&name_of(block)?.as_str()) {
                // Its indentation goes with it.
                kept.truncate(kept.trim_end_matches([' ', '\t']).len());
                rest = behind.trim_start_matches([' ', '\t']);
                rest = rest.strip_prefix('\n').unwrap_or(rest);
            } else {
                kept.extend(["<", block]);
                rest = behind;
            }
        } else {
            kept.push('<');
            rest = after;
        }
    }
    Err("`</configuration>` is missing".to_owned())
}

/// A property from behind its `<` to its end, and what follows. A comment in it may hold whatever.
fn property(after: &str) -> Result<(&str, &str), String> {
    let tag = Tag::read(after)?;
    let mut at = after.len() - tag.behind.len();
    if tag.closes {
        return after
            .split_at_checked(at)
            .ok_or_else(|| "`>` is missing".to_owned());
    }
    loop {
        let rest = after.get(at..).unwrap_or_default();
        let end = rest.find("</property");
        let comment = rest.find("<!--");
        match (end, comment) {
            (Some(end), Some(comment)) if comment < end => {
                let inside = rest.get(comment..).unwrap_or_default();
                let close = inside.find("-->").ok_or("`-->` is missing")?;
                at += comment + close + "-->".len();
            }
            (Some(end), _) => {
                let tail = rest.get(end..).unwrap_or_default();
                let close = tail.find('>').ok_or("`>` is missing")?;
                return after
                    .split_at_checked(at + end + close + 1)
                    .ok_or_else(|| "`</property>` is missing".to_owned());
            }
            (None, _) => return Err("`</property>` is missing".to_owned()),
        }
    }
}

/// The name of a property, given from behind its `<`.
fn name_of(block: &str) -> Result<String, String> {
    let tag = Tag::read(block)?;
    let attribute = tag.attributes.into_iter().find(|(name, _)| *name == "name");
    if tag.closes {
        let named = attribute.map(|(_, value)| value);
        return named.ok_or_else(|| "a property has no name".to_owned());
    }
    let mut reader = Reader::default();
    reader.open("configuration")?;
    let mut rest = reader.tag(block)?;
    while let Some((before, after)) = rest.split_once('<') {
        reader.text(&unescape(before)?)?;
        if after.starts_with("/property") {
            break;
        }
        rest = reader.markup(after)?;
    }
    reader
        .name
        .ok_or_else(|| "a property has no name".to_owned())
}

/// What stands before and behind the end of a piece of markup.
fn behind<'a>(text: &'a str, end: &str) -> Result<(&'a str, &'a str), String> {
    text.split_once(end)
        .ok_or_else(|| format!("`{end}` is missing"))
}
