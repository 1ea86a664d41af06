//! What Docker reads of a line, after its documentation and `BuildKit`'s parser and shell lexer.
//! Not taken from what flokkr writes: whatever is quoted or not, this is what it means.

/// Words of an instruction: blanks of Unicode end one, unless quoted or behind a backslash.
fn words(rest: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut quote = None;
    let mut chars = rest.chars();
    while let Some(c) = chars.next() {
        let word = words.last_mut().unwrap();
        match quote {
            None if c.is_whitespace() => {
                if !word.is_empty() {
                    words.push(String::new());
                }
                continue;
            }
            None if c == '"' || c == '\'' => quote = Some(c),
            Some(q) if c == q => quote = None,
            _ => {}
        }
        word.push(c);
        if c == '\\' && quote != Some('\'') {
            word.extend(chars.next());
        }
    }
    assert_eq!(quote, None, "a quote is open: {rest}");
    words.retain(|w| !w.is_empty());
    words
}

/// A word without its quotes and backslashes; a variable in it is none of what flokkr may write.
fn unquoted(word: &str) -> String {
    let mut out = String::new();
    let mut quote = None;
    let mut chars = word.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, quote) {
            ('\'', Some('\'')) | ('"', Some('"')) => quote = None,
            (c, Some('\'')) => out.push(c),
            ('\'' | '"', None) => quote = Some(c),
            ('\\', Some('"')) if !matches!(chars.peek(), Some('"' | '$' | '\\')) => out.push('\\'),
            ('\\', _) => out.extend(chars.next()),
            ('$', _) => panic!("a variable: {word}"),
            (c, _) => out.push(c),
        }
    }
    out
}

/// The only pair of an instruction.
pub fn pair(line: &str) -> (String, String) {
    assert!(!continues(line), "it would take in the next line: {line}");
    let (_, rest) = line.split_once(' ').unwrap();
    let words = words(rest);
    let [word] = words.as_slice() else {
        panic!("{} words: {line}", words.len())
    };
    assert!(!word.starts_with("--"), "an option: {line}");
    let (name, value) = word.split_once('=').unwrap();
    (unquoted(name), unquoted(value))
}

/// A line goes on behind one backslash, but not behind `\\`.
fn continues(line: &str) -> bool {
    let line = line.trim_end_matches([' ', '\t']);
    let before = line.strip_suffix('\\');
    before.is_some_and(|before| !before.ends_with('\\'))
}

/// The lines of a Dockerfile that have an instruction.
pub fn instructions<'t>(dockerfile: &'t str, instruction: &str) -> Vec<&'t str> {
    let lines = dockerfile.split('\n');
    let is = |line: &&str| line.split(' ').next() == Some(instruction);
    lines.filter(is).collect()
}
/// The words of an instruction in exec form.
pub fn exec(line: &str) -> Vec<String> {
    let at = line.find('[').unwrap();
    serde_json::from_str(&line[at..]).unwrap()
}
