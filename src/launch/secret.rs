//! What no log should have.
//!
//! Owns which values are secrets by the look of their names, and masks them in whatever is said: by a dry run, on the
//! way, and of what is wrong. It rather masks too much than too little.

/// What stands for a secret.
const MASK: &str = "********";

/// What is in the name of a secret, with dots between words.
const NAMES: [&str; 16] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "credential",
    "token",
    "access.key",
    "accesskey",
    "private.key",
    "privatekey",
    "account.key",
    "accountkey",
    "api.key",
    "apikey",
    "jaas.config",
    "signature",
];

/// A value as it may be said, given its key.
pub(super) fn masked_value(key: &str, value: &str) -> String {
    if is_secret(key, value) {
        MASK.to_owned()
    } else {
        masked(value)
    }
}

/// A command as it may be said.
pub(super) fn masked_words<'a>(words: impl IntoIterator<Item = &'a str>) -> Vec<String> {
    let mut said = Vec::new();
    let mut before: Option<&str> = None;
    for word in words {
        let masked = match (before, word.split_once('=')) {
            (Some(before), _) if !word.starts_with('-') && is_secret(before, word) => {
                MASK.to_owned()
            }
            // The whole word is the value, with whatever blanks.
            (_, Some((name, value))) if name.chars().all(is_of_name) && is_secret(name, value) => {
                format!("{name}={MASK}")
            }
            _ => masked(word),
        };
        said.push(masked);
        before = Some(word).filter(|word| word.starts_with('-') && !word.contains('='));
    }
    said
}

/// A text as it may be said: without passwords in addresses, and without what stands behind the name of a
/// secret, be it `name=value`, or the word behind `--name`.
pub fn masked(text: &str) -> String {
    let text = without_passwords(text);
    let mut out = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find(|c: char| c == '=' || c.is_whitespace()) {
        let Some((before, after)) = rest.split_at_checked(at) else {
            break;
        };
        let begin = before.rfind(|c| !is_of_name(c));
        let begin = begin.map_or(0, |at| at + before.get(at..).map_or(0, first_width));
        let name = before.get(begin..).unwrap_or_default();
        let sign = after.get(..first_width(after)).unwrap_or_default();
        let behind = after.get(sign.len()..).unwrap_or_default();
        out.extend([before, sign]);
        rest = behind;
        if sign != "=" && !name.starts_with('-') {
            continue;
        }
        let quote = behind.chars().next().filter(|c| matches!(c, '"' | '\''));
        let inside = quote.map_or(behind, |quote| behind.strip_prefix(quote).unwrap_or(behind));
        let end = inside.find(|c: char| match quote {
            Some(quote) => c == quote,
            None => c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<'),
        });
        let (value, left) = inside
            .split_at_checked(end.unwrap_or(inside.len()))
            .unwrap_or((inside, ""));
        if is_secret(name, value) && (sign == "=" || !value.starts_with('-')) {
            out.extend(quote);
            out.push_str(MASK);
            rest = left;
        }
    }
    out + rest
}

fn first_width(text: &str) -> usize {
    text.chars().next().map_or(0, char::len_utf8)
}

/// Names of options and of keys; the `-D` of Java stands before some.
fn is_of_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '.' | '_' | '-')
}

/// Is the value of this name one that no log should have?
fn is_secret(name: &str, value: &str) -> bool {
    let name = name.to_ascii_lowercase().replace(['_', '-'], ".");
    let mut words = name.split('.');
    let ends = |word: &str| word.ends_with("pass") || word.ends_with("pwd");
    let named = NAMES.iter().any(|part| name.contains(part))
        || name.ends_with("encryption.key")
        || words.any(|word| ends(word) || matches!(word, "sas" | "sig" | "pw"));
    if !named {
        return false;
    }
    // What says how long or how many has another word last.
    let last = name.rsplit('.').next().unwrap_or_default();
    let number = value.chars().all(|c| c.is_ascii_digit());
    let itself = name.contains("pass")
        || ends(last)
        || [
            "secret",
            "token",
            "key",
            "credential",
            "credentials",
            "pw",
            "sig",
        ]
        .contains(&last);
    let harmless = matches!(value, "" | "true" | "false")
        || number && !itself
        || value.starts_with("org.apache.")
        || (name.ends_with("path") || name.ends_with("file")) && value.starts_with('/');
    !harmless
}

/// A text whose addresses have no passwords, and on the web no users either: some are tokens.
fn without_passwords(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, behind)) = rest.split_once("://") {
        out.extend([before, "://"]);
        let end =
            |c: char| c.is_whitespace() || matches!(c, '/' | '?' | '#' | '"' | '\'' | '`' | '<');
        let end = behind.find(end).unwrap_or(behind.len());
        // Of several with commas between.
        let end = behind.find("://").map_or(end, |next| next.min(end));
        let (authority, left) = behind.split_at_checked(end).unwrap_or((behind, ""));
        let web = out.ends_with("http://") || out.ends_with("https://");
        match authority.rsplit_once('@') {
            Some((user, host)) if web || user.contains(':') => out.extend([MASK, "@", host]),
            _ => out.push_str(authority),
        }
        rest = left;
    }
    out + rest
}
