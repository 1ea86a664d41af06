//! Dockerfiles that every reader takes for the same: the classic builder, `BuildKit`, Buildah, and hadolint.
//!
//! Sources: the Dockerfile reference (docs.docker.com/reference/dockerfile) and `BuildKit`'s parser
//! and shell lexer (moby/buildkit, `frontend/dockerfile/{parser,shell}`). Inside double quotes three
//! characters have a meaning, `\`, `"` and `$`, and a backslash takes it from them. A line end can't
//! be written there at all, see [`writable`].

use std::fmt::Write as _;

/// The longest line that a builder reads: its scanner's buffer is 64 KiB (`bufio.MaxScanTokenSize`).
pub const LONGEST: usize = 65_535;

/// Where a longer text goes on in the next line, behind a backslash; what one character is spelled
/// with is far less than the rest.
const BREAK: usize = 60_000;

/// One instruction, or what stands between them. Texts of `Run`, and paths and names of images, are
/// written as they are: the caller answers for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Instruction {
    /// A comment, a line each.
    Comment(String),
    /// An empty line.
    Blank,
    /// `FROM image AS stage`.
    From(String, String),
    /// The shell of the commands that follow.
    Shell(Vec<String>),
    /// Commands for the shell, each if the one before it ended well; a line each, or several that
    /// end in a backslash.
    Run(Vec<String>),
    /// `COPY`.
    Copy {
        /// The stage that it comes from, not the context.
        from: Option<String>,
        /// Whose it becomes; root's otherwise.
        owner: Option<String>,
        /// What is copied; of a directory, what is in it.
        source: String,
        /// Where to.
        target: String,
    },
    /// `ENV` with one variable.
    Env(String, String),
    /// Directories before those of `PATH`.
    Path(Vec<String>),
    /// `LABEL` with one label.
    Label(String, String),
    /// Ports with their protocols.
    Expose(Vec<String>),
    /// The working directory, absolute.
    Workdir(String),
    /// Numeric ids.
    User(String),
    /// A check in exec form, after its options.
    Healthcheck(Vec<(&'static str, String)>, Vec<String>),
    /// The entrypoint in exec form.
    Entrypoint(Vec<String>),
    /// The command in exec form.
    Cmd(Vec<String>),
}

/// The text of a Dockerfile.
pub fn document(instructions: &[Instruction]) -> String {
    let mut out = String::with_capacity(2048);
    for instruction in instructions {
        out.push_str(&line(instruction));
        out.push('\n');
    }
    out
}

/// One instruction, without its line end.
pub fn line(instruction: &Instruction) -> String {
    match instruction {
        Instruction::Comment(text) => {
            let lines: Vec<String> = text.lines().map(|l| format!("# {l}")).collect();
            lines.join("\n")
        }
        Instruction::Blank => String::new(),
        Instruction::From(image, stage) => format!("FROM {image} AS {stage}"),
        Instruction::Shell(words) => format!("SHELL {}", exec(words)),
        Instruction::Run(commands) => format!("RUN {}", commands.join(" \\\n && ")),
        Instruction::Copy {
            from,
            owner,
            source,
            target,
        } => {
            let mut out = "COPY ".to_owned();
            for (flag, value) in [("from", from), ("chown", owner)] {
                if let Some(value) = value {
                    let _ = write!(out, "--{flag}={value} ");
                }
            }
            let _ = write!(out, "{source} {target}");
            out
        }
        Instruction::Env(name, value) => format!("ENV {}={}", name_text(name), last(value)),
        Instruction::Path(directories) => {
            format!("ENV PATH=\"{}:${{PATH}}\"", directories.join(":"))
        }
        // A name ends at the first `=`, unless it comes from somewhere else.
        Instruction::Label(name, value) if name.contains('=') => {
            let argument = format!("ARG label={}", last(name));
            format!("{argument}\nLABEL \"${{label}}\"={}", last(value))
        }
        Instruction::Label(name, value) => format!("LABEL {}={}", name_text(name), last(value)),
        Instruction::Expose(ports) => format!("EXPOSE {}", ports.join(" ")),
        Instruction::Workdir(path) => format!("WORKDIR {path}"),
        Instruction::User(user) => format!("USER {user}"),
        Instruction::Healthcheck(options, words) => {
            let mut out = "HEALTHCHECK".to_owned();
            for (option, value) in options {
                let _ = write!(out, " --{option}={value}");
            }
            let _ = write!(out, " CMD {}", exec(words));
            out
        }
        Instruction::Entrypoint(words) => format!("ENTRYPOINT {}", exec(words)),
        Instruction::Cmd(words) => format!("CMD {}", exec(words)),
    }
}

/// Can a text stand in `ENV` or `LABEL`? Lines end at a line feed, whatever stands before it: a
/// backslash joins two lines without one, and `\n` is two characters.
pub fn writable(text: &str) -> bool {
    !text.contains('\n')
}

/// Exec form. What is no JSON would silently be taken for a line of a shell, and where a line may
/// not end in a word, JSON has `\n`.
fn exec(words: &[String]) -> String {
    let mut out = String::from("[");
    let mut begin = 0;
    for (at, word) in words.iter().enumerate() {
        if at > 0 {
            out.push_str(", ");
        }
        json(word, &mut out, &mut begin);
    }
    out.push(']');
    out
}

/// A word, in lines of which the last begins at `begin`.
fn json(text: &str, out: &mut String, begin: &mut usize) {
    out.push('"');
    let mut rest = text.chars().peekable();
    let mut broken = false;
    while let Some(c) = rest.next() {
        // No character on either side of the break that a builder could take for something else.
        let full = out.len() - *begin > BREAK;
        if full || broken {
            escaped(c, out);
            broken = full;
            if full {
                out.push_str("\\\n");
                *begin = out.len();
            }
            continue;
        }
        match c {
            '"' => out.push_str("\\\""),
            // hadolint (2.15.1) takes `\\"` for an escaped quote.
            '\\' if rest.peek().is_none_or(|next| *next == '"') => out.push_str("\\u005c"),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_invisible(c) => escaped(c, out),
            c => out.push(c),
        }
    }
    // A closing quote alone on a line is one like any other.
    out.push('"');
}

fn escaped(c: char, out: &mut String) {
    for unit in c.encode_utf16(&mut [0; 2]) {
        let _ = write!(out, "\\u{unit:04x}");
    }
}

/// Characters that nobody sees in a text, or that some reader takes for a line end.
fn is_invisible(c: char) -> bool {
    c.is_control() || matches!(c, '\u{a0}' | '\u{2028}' | '\u{2029}' | '\u{feff}')
}

/// A name is quoted where a blank would end it, the shell lexer would see something in it, or it
/// would be taken for an option of the instruction.
fn name_text(name: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_.-/!:".contains(c);
    if name.chars().all(plain) && !name.starts_with('-') {
        return name.to_owned();
    }
    quoted(name)
}

/// A text in double quotes that ends a line. Where backslashes end it, Docker takes two of them for one of the
/// text; Buildah (1.28) takes the last for the sign that the line goes on.
fn last(text: &str) -> String {
    let mut out = quoted(text);
    if text.ends_with('\\') {
        out.push_str("\"\"");
    }
    out
}

/// A text in double quotes, in as many lines as it takes: the pieces stand side by side.
fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    let mut rest = text;
    loop {
        let mut starts = rest.char_indices().map(|(at, _)| at);
        let end = starts.find(|at| *at >= BREAK / 4).unwrap_or(rest.len());
        let (piece, after) = rest.split_at_checked(end).unwrap_or((rest, ""));
        out.push_str(&piece_quoted(piece));
        if after.is_empty() {
            return out;
        }
        // Behind a backslash of the text another one would be no end of a line.
        if piece.ends_with('\\') {
            out.push_str("\"\"");
        }
        out.push_str("\\\n");
        rest = after;
    }
}

/// A piece in double quotes. Backslashes before a `"` or at the end stand outside of them, because
/// hadolint (2.15.1) takes `\\"` for an escaped quote.
fn piece_quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    let mut open = false;
    let mut rest = text.chars().peekable();
    if text.is_empty() {
        out.push_str("\"\"");
    }
    while let Some(c) = rest.next() {
        if c == '\\' {
            let mut count = 1;
            while rest.next_if_eq(&'\\').is_some() {
                count += 1;
            }
            if open != matches!(rest.peek(), Some(next) if *next != '"') {
                out.push('"');
                open = !open;
            }
            out.push_str(&"\\\\".repeat(count));
            continue;
        }
        if !open {
            out.push('"');
            open = true;
        }
        if matches!(c, '"' | '$') {
            out.push('\\');
        }
        out.push(c);
    }
    if open {
        out.push('"');
    }
    out
}
