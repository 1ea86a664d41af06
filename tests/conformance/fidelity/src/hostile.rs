//! Names and values that some platform changes unless they are written with care, made from a seed.

use fastrand::Rng;

/// Pieces that mean something to a parser, a shell, a template engine or an interpolation.
const PIECES: &[&str] = &[
    "$",
    "$$",
    "$$$",
    "${",
    "$${",
    "$$${",
    "$(",
    "$$(",
    ")",
    "}",
    "{",
    "%",
    "%%",
    "%{",
    "%%{",
    "$é",
    "${x}",
    "$${x}",
    "$$${x}",
    "${A:-b}",
    "${A:?b}",
    "${A-b}",
    "${#a}",
    "${sys:x}",
    "${user.name}",
    "${a b}",
    "${}",
    "$(x)",
    "$$(x)",
    "$(POD_NAME)",
    "$(FLOKKR_REPLICA)",
    "$(HOSTNAME)",
    "$POD_NAME",
    "$HOME",
    "${HOME}",
    "${NOMAD_ALLOC_ID}",
    "${NOMAD_ALLOC_INDEX}",
    "${NOMAD_META_dollar}",
    "${node.unique.id}",
    "${attr.kernel.name}",
    "${meta.x}",
    "${env.HOME}",
    "${NOMAD_TASK_DIR}",
    "%{x}",
    "%{ if true }",
    "%{~ endif ~}",
    "{{",
    "}}",
    "{{ x }}",
    "{{- x -}}",
    "{{ env \"HOME\" }}",
    "{{ .Values.x }}",
    "{%",
    "%}",
    "{#",
    "#}",
    "{{{",
    "}}}",
    "<<",
    "<<EOT",
    "EOT",
    "\"",
    "'",
    "\"\"",
    "''",
    "`",
    "`id`",
    "\\",
    "\\\\",
    "\\n",
    "\\\"",
    "\\$",
    "\\u0041",
    "\\x41",
    "\\0",
    "&",
    "&&",
    "&a",
    "*",
    "*a",
    "!",
    "!!",
    "!!str",
    "|",
    "|-",
    ">",
    ">-",
    "|+",
    "#",
    " #",
    ":",
    ": ",
    "::",
    "- ",
    "-",
    "--",
    "---",
    "...",
    "? ",
    "?",
    ",",
    "[",
    "]",
    "[a]",
    "{a: b}",
    "~",
    "@",
    "=",
    "==",
    ";",
    "<",
    "</value>",
    "<!--",
    "]]>",
    "&amp;",
    "&#10;",
    "^",
    "/",
    "//",
    "/*",
    "*/",
    "..",
    ".",
    "x-",
    "x-a",
    "_",
    "+",
    " ",
    "  ",
    "\t",
    "a",
    "b",
    "x",
    "é",
    "ü",
    "😀",
    "日本",
    "0",
    "1",
    "9",
    "a b",
    "a=b",
    "A",
    "null",
    "true",
    "yes",
    "http://a:1/b?c=d&e=f#g",
];

/// Line ends, and what some parser takes for one.
const LINE_ENDS: &[&str] = &[
    "\n", "\r\n", "\r", "\n\n", " \n", "\n ", "\t\n", "\u{85}", "\u{2028}", "\u{2029}", "\u{b}",
    "\u{c}",
];

/// Whole values that YAML 1.1, YAML 1.2, JSON or TOML take for something else than text.
pub const WORDS: &[&str] = &[
    "yes",
    "Yes",
    "YES",
    "no",
    "No",
    "on",
    "On",
    "off",
    "OFF",
    "y",
    "Y",
    "n",
    "N",
    "true",
    "True",
    "TRUE",
    "false",
    "null",
    "Null",
    "NULL",
    "~",
    "",
    "0",
    "1",
    "-1",
    "+1",
    "007",
    "0777",
    "0o14",
    "0x1F",
    "0b11",
    "1_000",
    "1.0",
    "1.10",
    "1.",
    ".5",
    "1e3",
    "1E+3",
    "-1.5e-3",
    ".inf",
    "-.INF",
    ".nan",
    ".NaN",
    "123456789012345678901234567890",
    "1:30",
    "190:20:30",
    "2001-01-01",
    "2001-12-14t21:59:43.10-05:00",
    "2001-12-14 21:59:43 Z",
    "=",
    "<<",
    "NaN",
    "Infinity",
    "undefined",
    "None",
    "nil",
    "void",
];

/// Names that a platform, a shell or the kernel has a use for itself.
const RESERVED: &[&str] = &[
    "PATH",
    "HOME",
    "HOSTNAME",
    "PWD",
    "USER",
    "SHELL",
    "TERM",
    "LANG",
    "IFS",
    "PS1",
    "LD_PRELOAD",
    "LD_LIBRARY_PATH",
    "BASH_ENV",
    "ENV",
    "SHLVL",
    "_",
    "POD_NAME",
    "FLOKKR_REPLICA",
    "KUBERNETES_SERVICE_HOST",
    "KUBERNETES_PORT",
    "NOMAD_ALLOC_ID",
    "NOMAD_ALLOC_INDEX",
    "NOMAD_TASK_DIR",
    "NOMAD_META_dollar",
    "NOMAD_META_empty",
    "NOMAD_X",
    "NOMAD_",
    "nomad_x",
    "COMPOSE_PROJECT_NAME",
    "COMPOSE_FILE",
    "DOCKER_HOST",
    "DEBUG",
    "meta",
    "attr",
    "env",
    "x-a",
    "x-",
    "X-a",
    "<<",
    "extends",
    "null",
    "~",
    "true",
    "yes",
    "on",
    "y",
    "N",
    "1e3",
    "0777",
    "1",
    "2001-01-01",
    "1_000",
    ".inf",
    "=",
];

/// Pieces of names of variables that all platforms take.
const NAME_PIECES: &[&str] = &[
    "a",
    "B",
    "x",
    "_",
    ".",
    "-",
    "0",
    "9",
    "CORE-SITE.XML_",
    "fs.defaultFS",
    "LOG4J.PROPERTIES_",
    "key",
    "!",
    "!CFG_",
    "/",
    "*",
    "x-",
    "$",
    "$$",
    "${x}",
    "$(x)",
    "%",
    "%{x}",
    "{{",
    "}}",
    "{{ x }}",
    "[",
    "]",
    ":",
    "#",
    "'",
    "\"",
    "\\",
    "`",
    "&",
    "~",
    "@",
    "+",
    ",",
    ";",
    "<",
    ">",
    "?",
    "^",
    "|",
    "(",
    ")",
    " ",
];

/// What a reader that counts clusters, columns or composed characters joins with what stands beside
/// it, turns round, or passes over.
const RARE: &[&str] = &[
    // Shown with what follows: a quote, or whatever ends a text.
    "\u{600}",
    "\u{601}",
    "\u{605}",
    "\u{6dd}",
    "\u{70f}",
    "\u{8e2}",
    "\u{d4e}",
    "\u{110bd}",
    "\u{110cd}",
    "\u{111c2}",
    "\u{11f02}",
    // Shown with what stands before.
    "\u{300}",
    "\u{301}\u{327}",
    "\u{327}\u{301}",
    "\u{345}",
    "\u{34f}",
    "\u{483}",
    "\u{903}",
    "\u{e33}",
    "\u{eb3}",
    "\u{f71}\u{f72}",
    "\u{20dd}",
    "\u{20e3}",
    "\u{3099}",
    "\u{302a}",
    "\u{ff9e}",
    "\u{ff9f}",
    "ｶ\u{ff9e}",
    "\u{1d165}",
    // Joiners, and what they join.
    "\u{200c}",
    "\u{200d}",
    "\u{2060}",
    "👍🏽",
    "🏽",
    "👩\u{200d}👩\u{200d}👧",
    "👩\u{200d}",
    "\u{200d}👧",
    "❤\u{fe0f}\u{200d}🔥",
    "🏴\u{e0067}\u{e0062}\u{e007f}",
    "1\u{fe0f}\u{20e3}",
    "🇩",
    "🇩🇪",
    "🇩🇪🇫",
    "\u{fe00}",
    "\u{fe0e}",
    "\u{fe0f}",
    "\u{e0100}",
    "\u{e01ef}",
    "\u{e0001}",
    "\u{e0020}",
    "\u{e007d}",
    "\u{e007f}",
    // Parts of syllables.
    "\u{1100}",
    "\u{1100}\u{1161}",
    "\u{1100}\u{1161}\u{11a8}",
    "\u{1161}",
    "\u{11a8}",
    "\u{115f}",
    "\u{1160}",
    "\u{a960}",
    "\u{d7b0}",
    "\u{d7cb}",
    "가\u{11a8}",
    "각\u{11a8}",
    "क\u{94d}",
    "क\u{94d}ष",
    "क\u{94d}\u{200d}ष",
    "\u{94d}",
    "\u{9cd}",
    "\u{1039}",
    "\u{17d2}",
    "\u{1f3fb}",
    // What turns a line round, and what no one sees.
    "\u{61c}",
    "\u{200e}",
    "\u{200f}",
    "\u{202a}",
    "\u{202c}",
    "\u{202e}",
    "\u{2066}",
    "\u{2069}",
    "\u{ad}",
    "\u{180e}",
    "\u{200b}",
    "\u{3164}",
    "\u{ffa0}",
    "\u{206f}",
    "\u{fff9}",
    "\u{fffb}",
    "\u{fffc}",
    "\u{feff}",
    "\u{feff}\u{feff}",
    // Ends of lines, to some.
    "\u{85}",
    "\u{2028}",
    "\u{2029}",
    "\u{1c}",
    "\u{1e}",
    // Blanks, to some.
    "\u{a0}",
    "\u{1680}",
    "\u{2003}",
    "\u{202f}",
    "\u{205f}",
    "\u{3000}",
    // Other widths, cases and signs that mean the same to some.
    "＂",
    "＄",
    "｛",
    "＼",
    "“",
    "\u{37e}",
    "\u{2126}",
    "\u{fdfa}",
    "ß",
    "ı",
    "İ",
    "ſ",
    // No characters, nobody's, not yet any, and ends of planes.
    "\u{fffe}",
    "\u{ffff}",
    "\u{fdd0}",
    "\u{fdef}",
    "\u{1ffff}",
    "\u{10fffe}",
    "\u{10ffff}",
    "\u{d7ff}",
    "\u{e000}",
    "\u{f8ff}",
    "\u{f0000}",
    "\u{ffffd}",
    "\u{100000}",
    "\u{10fffd}",
    "\u{378}",
    "\u{1ff}\u{2fe0}",
    "\u{e0080}",
    "\u{e0fff}",
    "\u{10000}",
    "\u{1fffd}",
    "\u{2fffd}",
    "\u{30000}",
    "\u{50000}",
];

/// What a rare character hides when a reader takes both for one.
const HIDDEN: &[&str] = &[
    "\"", "\"\"", "'", "$", "$$", "$$$", "%", "%%", "{", "}", "${", "$${", "%{", "%%{", "${x}",
    "$(x)", "$$(x)", "$x", "{{", "}}", "{{ x }}", "\\", "\\\\", "\\\"", "\\n", "=", "==", "#",
    " #", ":", ": ", "-", "- ", " ", "\t", "\n", "\n\n", "\r\n", "\r", "\n ", "\n#", "\nEOF\n",
    "`", ",", "/", "<", "&", "", "a", "1", "é", "가", "日",
];

/// What the texts of one batch are made with.
pub struct Hostile {
    random: Rng,
}

impl Hostile {
    /// The same texts for the same seed.
    pub fn new(seed: u64) -> Self {
        Self {
            random: Rng::with_seed(seed),
        }
    }

    /// One of so many.
    pub fn below(&mut self, end: usize) -> usize {
        self.random.usize(..end)
    }

    /// True once in so many times.
    pub fn once_in(&mut self, times: usize) -> bool {
        self.below(times) == 0
    }

    /// One of these.
    pub fn one<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len())]
    }

    fn piece(&mut self, of: &[&str]) -> String {
        self.one(of).to_owned()
    }

    /// A value.
    pub fn value(&mut self) -> String {
        match self.below(400) {
            0 => self.long(),
            1..40 => self.piece(WORDS),
            40..60 => self.dollars(),
            60..120 => self.text_of(1, 12, Self::any_char),
            120..160 => self.text_of(1, 6, Self::composed_char),
            160..240 => self.beside(6),
            _ => {
                let mut value = String::new();
                for _ in 0..=self.below(6) {
                    value.push_str(&self.part());
                }
                value
            }
        }
    }

    /// A part of a value, in which lines may end.
    fn part(&mut self) -> String {
        match self.below(40) {
            0 => self.text_of(1, 4, Self::any_char),
            1 => self.text_of(1, 3, Self::composed_char),
            2 => self.text_of(1, 3, Self::control),
            3..6 => self.piece(LINE_ENDS),
            6 => self.dollars(),
            7..10 => self.beside(2),
            _ => self.piece(PIECES),
        }
    }

    /// Rare characters before and behind what they may hide.
    fn beside(&mut self, most: usize) -> String {
        let mut text = String::new();
        for _ in 0..=self.below(most) {
            match self.below(8) {
                0 if self.once_in(4) => text.push_str(&self.other_plane()),
                0 => text.push(self.rare_char()),
                // Some readers leave only so many marks on one character.
                1 if self.once_in(8) => {
                    let times = 28 + self.below(5);
                    text.push_str(&self.piece(RARE).repeat(times));
                }
                1..5 => text.push_str(&self.piece(RARE)),
                _ => text.push_str(&self.piece(HIDDEN)),
            }
        }
        text
    }

    /// A value on one line, of characters that nearly every platform takes: what is left is what they
    /// mean.
    pub fn tame(&mut self) -> String {
        let part = |hostile: &mut Self| {
            let rare = hostile.once_in(16);
            hostile.piece(if rare { RARE } else { PIECES })
        };
        (0..=self.below(5)).map(|_| part(self)).collect()
    }

    /// As many dollars as there may be, before what some of them mean.
    fn dollars(&mut self) -> String {
        let before = self.piece(&["", "a", "é", "\\", "$(x)", "${x}", "\n"]);
        let sign = self.piece(&["$", "$", "$", "%"]);
        let signs = sign.repeat(1 + self.below(9));
        let after = self.piece(&[
            "",
            "{",
            "{x}",
            "(x)",
            "(",
            "x",
            " ",
            "é",
            "{x",
            "}",
            "1",
            "\"",
            "{NOMAD_ALLOC_ID}",
            "(POD_NAME)",
        ]);
        before + &signs + &after
    }

    /// Up to 100 kB: a process takes 128 kB in one text.
    fn long(&mut self) -> String {
        let piece = match self.below(3) {
            0 => "0123456789abcdef".to_owned(),
            1 => self.tame(),
            _ => self.text_of(1, 8, Self::any_char),
        };
        let length = 1 + self.below(100_000);
        let mut text = String::new();
        while !piece.is_empty() && text.len() + piece.len() <= length {
            text.push_str(&piece);
        }
        text
    }

    fn text_of(&mut self, least: usize, most: usize, char: fn(&mut Self) -> char) -> String {
        let count = least + self.below(most + 1 - least);
        (0..count).map(|_| char(self)).collect()
    }

    /// Any character, from each plane and each end of it.
    fn any_char(&mut self) -> char {
        let code = match self.below(10) {
            0 => self.random.u32(..0x80),
            1 => self.random.u32(0x80..0x250),
            2 => self.random.u32(..0x1_0000),
            3 => self.random.u32(0xe000..0x1_0000),
            4 => self.random.u32(0x2000..0x2100),
            5 => 0xfff0 + self.random.u32(..16) + 0x1_0000 * self.random.u32(..17),
            6 => 0xd7f0 + self.random.u32(..16),
            _ => self.random.u32(..0x11_0000),
        };
        char::from_u32(code).unwrap_or('\u{fffd}')
    }

    /// What would be composed if its letter were of the first plane: some readers see just 16 bits of it.
    fn other_plane(&mut self) -> String {
        const PAIRS: &[(char, char)] = &[
            ('A', '\u{300}'),
            ('e', '\u{301}'),
            ('\u{1f02}', '\u{345}'),
            ('\u{1f41}', '\u{300}'),
            ('か', '\u{3099}'),
            ('\u{1099}', '\u{110ba}'),
        ];
        let (letter, mark) = PAIRS[self.below(PAIRS.len())];
        let code = u32::from(letter) + 0x1_0000 * self.random.u32(..17);
        let letter = char::from_u32(code).unwrap_or(letter);
        String::from_iter([letter, mark])
    }

    /// What normalisation changes: marks, parts of Hangul, singletons, compatibility characters.
    fn composed_char(&mut self) -> char {
        const LETTERS: &[char] = &[
            'a', 'e', 'A', 'o', 'é', 'Å', 'ü', '\u{212b}', '\u{2126}', '\u{212a}', '\u{340}',
            '\u{344}', '\u{387}', '\u{37e}',
        ];
        let code = match self.below(7) {
            0 => self.random.u32(0x300..0x370),
            1 => self.random.u32(0x1100..0x1200),
            2 => self.random.u32(0xf900..0xfb50),
            3 => self.random.u32(0x2f800..0x2fa20),
            4 => self.random.u32(0xac00..0xd7a4),
            _ => return LETTERS[self.below(LETTERS.len())],
        };
        char::from_u32(code).unwrap_or('\u{301}')
    }

    /// Any of the characters that [`RARE`] has examples of.
    fn rare_char(&mut self) -> char {
        let code = match self.below(9) {
            0 => self.random.u32(0x600..0x606),
            1 => self.random.u32(0x1100..0x1200),
            2 => self.random.u32(0xfe00..0xfe10),
            3 => self.random.u32(0xe0000..0xe0200),
            4 => self.random.u32(0x1f1e6..0x1f200),
            5 => self.random.u32(0x1f3f8..0x1f400),
            6 => self.random.u32(0x900..0xe00),
            7 => self.random.u32(0x2000..0x2070),
            _ => self.random.u32(0x11000..0x11500),
        };
        char::from_u32(code).unwrap_or('\u{fffd}')
    }

    /// A character that is no character to look at.
    fn control(&mut self) -> char {
        const OTHERS: &[char] = &[
            '\u{7f}',
            '\u{85}',
            '\u{a0}',
            '\u{ad}',
            '\u{200b}',
            '\u{200e}',
            '\u{2028}',
            '\u{feff}',
            '\u{fffe}',
            '\u{ffff}',
            '\u{fdd0}',
            '\u{1fffe}',
            '\u{10ffff}',
        ];
        match self.below(3) {
            // No text has a NUL in it: once in a while is enough.
            0 if !self.once_in(20) => char::from(1 + self.random.u8(..31)),
            0 => '\0',
            1 => char::from(0x80 + self.random.u8(..32)),
            _ => OTHERS[self.below(OTHERS.len())],
        }
    }

    /// The name of a variable or a label.
    pub fn name(&mut self) -> String {
        match self.below(40) {
            0..3 => self.piece(RESERVED),
            3 => self.text_of(1, 4, Self::any_char),
            4 => self.text_of(1, 3, Self::composed_char) + "x",
            5 => self.text_of(1, 2, Self::control) + "x",
            6 => self.tame(),
            7..20 => self.key(),
            20..22 => self.beside(3) + "x",
            22 if self.once_in(40) => self.key().repeat(1 + self.below(400)),
            22 => self.piece(NAME_PIECES) + &self.beside(2),
            _ => (0..=self.below(5))
                .map(|_| self.piece(NAME_PIECES))
                .collect(),
        }
    }

    /// A name that every shell passes on.
    pub fn identifier(&mut self) -> String {
        let alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_";
        let mut name = self.piece(&["a", "K", "yes_", "x"]);
        for _ in 0..self.below(12) {
            let at = self.below(alphabet.len());
            name.push_str(&alphabet[at..=at]);
        }
        name
    }

    /// A key of a config file: no launcher stumbles over it.
    pub fn key(&mut self) -> String {
        let alphabet = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";
        let mut key = self.piece(&["a", "k", "fs", "dfs"]);
        for _ in 0..self.below(20) {
            let at = self.below(alphabet.len());
            key.push_str(&alphabet[at..=at]);
        }
        key
    }
}
