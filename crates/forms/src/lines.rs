//! Breaks text into lines that fit a width.

use crate::fonts::Fonts;
use crate::form::{Face, Span};

/// One line of text that fits.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct SetLine {
    /// Its pieces, from the left.
    pub(crate) runs: Vec<Run>,
    /// How wide it is, in points.
    pub(crate) width: f32,
}

/// A piece of a line in one face.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Run {
    /// Where it begins, in points from the start of the line.
    pub(crate) x: f32,
    pub(crate) face: Face,
    pub(crate) text: String,
}

/// Breaks text at blanks and at `\n`, and inside a word only where the word alone is too wide.
/// There is at least one line, and every character but blanks at the ends of lines is kept.
pub(crate) fn break_lines(fonts: &Fonts, spans: &[Span], size: f32, width: f32) -> Vec<SetLine> {
    let mut breaker = Breaker { fonts, size, width, lines: Vec::new(), line: SetLine::default() };
    for span in spans {
        for (index, part) in span.text.split('\n').enumerate() {
            if index > 0 {
                breaker.finish_line();
            }
            for word in part.split_inclusive(' ') {
                breaker.add_word(span.face, word);
            }
        }
    }
    breaker.finish_line();
    breaker.lines
}

struct Breaker<'a> {
    fonts: &'a Fonts,
    size: f32,
    width: f32,
    lines: Vec<SetLine>,
    line: SetLine,
}

impl Breaker<'_> {
    fn add_word(&mut self, face: Face, word: &str) {
        let visible = word.trim_end_matches(' ');
        if visible.is_empty() && self.line.runs.is_empty() {
            return;
        }
        if !self.fits(face, visible) && !self.line.runs.is_empty() {
            self.finish_line();
        }
        let mut rest = word;
        while !self.fits(face, rest.trim_end_matches(' ')) {
            let (head, tail) = rest.split_at(self.break_in(face, rest));
            self.push(face, head);
            self.finish_line();
            rest = tail;
        }
        self.push(face, rest);
    }

    fn fits(&self, face: Face, text: &str) -> bool {
        // Stops where it is decided: a hostile word is thousands of lines long.
        let mut used = self.line.width;
        text.chars().all(|character| {
            used += self.fonts.width_of(face, character) * self.size;
            used <= self.width
        })
    }

    /// Where to break a word that is wider than a line: behind its last sign that fits, else
    /// behind its last character that fits, and behind its first if none does.
    fn break_in(&self, face: Face, word: &str) -> usize {
        let mut used = 0.0;
        let (mut behind_character, mut behind_sign) = (0, 0);
        for (at, character) in word.char_indices() {
            used += self.fonts.width_of(face, character) * self.size;
            if used > self.width {
                break;
            }
            behind_character = at + character.len_utf8();
            if SIGNS.contains(&character) {
                behind_sign = behind_character;
            }
        }
        match (behind_sign, behind_character) {
            (0, 0) => word.chars().next().map_or(word.len(), char::len_utf8),
            (0, end) | (end, _) => end,
        }
    }

    fn push(&mut self, face: Face, text: &str) {
        if text.is_empty() {
            return;
        }
        let width = self.fonts.width(face, text) * self.size;
        match self.line.runs.last_mut().filter(|run| run.face == face) {
            Some(run) => run.text.push_str(text),
            None => {
                let text = text.to_owned();
                self.line.runs.push(Run { x: self.line.width, face, text });
            }
        }
        self.line.width += width;
    }

    fn finish_line(&mut self) {
        let mut line = std::mem::take(&mut self.line);
        while let Some(run) = line.runs.last_mut() {
            let kept = run.text.trim_end_matches(' ').len();
            line.width = run.x + self.fonts.width(run.face, &run.text[..kept]) * self.size;
            run.text.truncate(kept);
            if kept > 0 {
                break;
            }
            line.runs.pop();
        }
        self.lines.push(line);
    }
}

/// Behind these a code, an address or a number may go on in the next line.
const SIGNS: [char; 6] = ['-', '.', '/', '_', '@', ','];

#[cfg(test)]
#[path = "lines_tests.rs"]
mod tests;
