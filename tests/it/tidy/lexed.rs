//! Rust text split into code and comments, so that a rule about one never reads the other.

/// A Rust file in two copies of equal line numbers: its code without the contents of strings, and
/// its comments.
pub(super) struct Lexed {
    code: String,
    comments: String,
}

impl Lexed {
    pub(super) fn new(text: &str) -> Lexed {
        let mut splitter = Splitter { rest: text, code: String::new(), comments: String::new() };
        while !splitter.rest.is_empty() {
            splitter.step();
        }
        Lexed { code: splitter.code, comments: splitter.comments }
    }

    pub(super) fn code(&self) -> &str {
        &self.code
    }

    pub(super) fn comments(&self) -> &str {
        &self.comments
    }

    /// Code with every item under `#[cfg(test)]` blanked out.
    pub(super) fn shipped_code(&self) -> String {
        let mut shipped = self.code.clone();
        while let Some(start) = shipped.find("#[cfg(test)]") {
            let end = item_end(&shipped, start).unwrap_or(shipped.len());
            let blank: String = shipped[start..end].chars().filter(|c| *c == '\n').collect();
            shipped.replace_range(start..end, &blank);
        }
        shipped
    }

    /// Indices of the code lines that hold `word` as a whole word.
    pub(super) fn lines_with_word(&self, word: &str) -> Vec<usize> {
        let lines = self.code.lines().enumerate();
        lines.filter(|(_, line)| has_word(line, word)).map(|(index, _)| index).collect()
    }
}

/// Whether `word` stands in `line` with no letter, digit or underscore on either side.
pub(super) fn has_word(line: &str, word: &str) -> bool {
    let joins = |c: char| c.is_alphanumeric() || c == '_';
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        !before.is_some_and(joins) && !after.is_some_and(joins)
    })
}

/// Where the item that begins at `start` ends: after its closing brace, or a semicolon before one.
pub(super) fn item_end(code: &str, start: usize) -> Option<usize> {
    let (mut round, mut curly) = (0_usize, 0_usize);
    for (at, c) in code[start..].char_indices() {
        match c {
            '(' | '[' => round += 1,
            ')' | ']' => round = round.saturating_sub(1),
            ';' if round == 0 && curly == 0 => return Some(start + at + 1),
            // Braces inside brackets are patterns of arguments, or blocks that end with them.
            '{' if round == 0 => curly += 1,
            '}' if round == 0 && curly <= 1 => return Some(start + at + 1),
            '}' if round == 0 => curly -= 1,
            _ => {}
        }
    }
    None
}

struct Splitter<'a> {
    rest: &'a str,
    code: String,
    comments: String,
}

impl Splitter<'_> {
    fn step(&mut self) {
        if self.rest.starts_with("//") {
            let end = self.rest.find('\n').unwrap_or(self.rest.len());
            self.take_comment(end);
        } else if self.rest.starts_with("/*") {
            let end = self.block_comment_end();
            self.take_comment(end);
        } else if let Some(end) = self.raw_string_end() {
            self.take_blanked(end);
        } else if self.rest.starts_with('"') {
            let end = self.quoted_end('"');
            self.take_blanked(end);
        } else if self.is_char_literal() {
            let end = self.quoted_end('\'');
            self.take_blanked(end);
        } else {
            self.take_code();
        }
    }

    fn take_comment(&mut self, end: usize) {
        self.comments.push_str(&self.rest[..end]);
        self.code.extend(self.rest[..end].chars().filter(|c| *c == '\n'));
        self.rest = &self.rest[end..];
    }

    /// Leaves a pair of quotes in the code, and the line breaks between them.
    fn take_blanked(&mut self, end: usize) {
        let breaks: String = self.rest[..end].chars().filter(|c| *c == '\n').collect();
        self.code.push('"');
        self.code.push_str(&breaks);
        self.code.push('"');
        self.comments.push_str(&breaks);
        self.rest = &self.rest[end..];
    }

    /// Takes a whole word at once, so that the `r` of a name never looks like a raw string.
    fn take_code(&mut self) {
        let joins = |c: char| c.is_alphanumeric() || c == '_';
        let word = self.rest.find(|c| !joins(c)).unwrap_or(self.rest.len());
        let first = self.rest.chars().next().map_or(0, char::len_utf8);
        let end = word.max(first);
        self.code.push_str(&self.rest[..end]);
        self.comments.extend(self.rest[..end].chars().filter(|c| *c == '\n'));
        self.rest = &self.rest[end..];
    }

    fn block_comment_end(&self) -> usize {
        let (mut depth, mut at) = (0_usize, 0);
        loop {
            let Some(step) = self.rest[at..].find(['/', '*']) else {
                return self.rest.len();
            };
            at += step;
            if self.rest[at..].starts_with("/*") {
                depth += 1;
                at += 2;
            } else if self.rest[at..].starts_with("*/") {
                depth = depth.saturating_sub(1);
                at += 2;
                if depth == 0 {
                    return at;
                }
            } else {
                at += 1;
            }
        }
    }

    fn raw_string_end(&self) -> Option<usize> {
        let prefix = ["br", "cr", "r"].into_iter().find(|prefix| self.rest.starts_with(prefix))?;
        let after = &self.rest[prefix.len()..];
        let hashes = after.len() - after.trim_start_matches('#').len();
        let body = after[hashes..].strip_prefix('"')?;
        let close = format!("\"{}", "#".repeat(hashes));
        let start = self.rest.len() - body.len();
        Some(body.find(&close).map_or(self.rest.len(), |at| start + at + close.len()))
    }

    fn quoted_end(&self, quote: char) -> usize {
        let mut escaped = false;
        for (at, c) in self.rest.char_indices().skip(1) {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                _ if c == quote => return at + c.len_utf8(),
                _ => {}
            }
        }
        self.rest.len()
    }

    /// Tells `'a'` from the lifetime `'a`.
    fn is_char_literal(&self) -> bool {
        let mut chars = self.rest.chars();
        if chars.next() != Some('\'') {
            return false;
        }
        chars.next() == Some('\\') || chars.next() == Some('\'')
    }
}

#[test]
fn strings_and_comments_are_kept_out_of_the_code() {
    let text = r###"let a = "one // two"; // three
let b = r#"four " five"#; /* six /* seven */
eight */ let c = '"'; let d: &'static str = "\"nine";"###;
    let lexed = Lexed::new(text);
    for hidden in ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"] {
        assert!(!has_word(lexed.code(), hidden), "{hidden} is not code");
    }
    for seen in ["a", "b", "c", "d", "static", "str"] {
        assert!(has_word(lexed.code(), seen), "{seen} is code");
    }
    for comment in ["three", "six", "seven", "eight"] {
        assert!(has_word(lexed.comments(), comment), "{comment} is a comment");
    }
    assert_eq!(lexed.code().lines().count(), 3);
    assert_eq!(lexed.comments().lines().count(), 3);
}

#[test]
fn tests_inside_a_file_are_not_shipped() {
    let text = "fn a() {}\n#[cfg(test)]\nmod tests {\n    fn b() { c() }\n}\nfn d() {}\n";
    let shipped = Lexed::new(text).shipped_code();
    assert!(!has_word(&shipped, "b") && has_word(&shipped, "a") && has_word(&shipped, "d"));
    assert_eq!(shipped.lines().position(|line| line.contains("fn d")), Some(5));
}
