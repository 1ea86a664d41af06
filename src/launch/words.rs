//! The words of a command that published launchers give to a shell.
//!
//! Owns quotes and backslashes, as POSIX has them (Shell Command Language, 2.2). What a shell does beyond that
//! is not done here, and told.

/// The words of a command; what stands in it for a shell only.
pub(super) fn split(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            ' ' | '\t' => words.extend(word.take()),
            '\\' => word.get_or_insert_default().push(
                chars
                    .next()
                    .filter(|c| *c != '\n')
                    .ok_or("a `\\` at the end of a line")?,
            ),
            '\'' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or("a quote without an end")? {
                        '\'' => break,
                        c => word.push(c),
                    }
                }
            }
            '"' => {
                let word = word.get_or_insert_default();
                loop {
                    match chars.next().ok_or("a quote without an end")? {
                        '"' => break,
                        c @ ('$' | '`') => return Err(format!("`{c}`")),
                        '\\' => match chars.next().ok_or("a quote without an end")? {
                            c @ ('$' | '`' | '"' | '\\') => word.push(c),
                            c => word.extend(['\\', c]),
                        },
                        c => word.push(c),
                    }
                }
            }
            '\n' => return Err("the end of a line".to_owned()),
            '$' | '`' | ';' | '&' | '|' | '<' | '>' | '(' | ')' | '*' | '?' | '[' => {
                return Err(format!("`{c}`"));
            }
            '#' | '~' if word.is_none() => return Err(format!("`{c}`")),
            _ => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    Ok(words)
}
