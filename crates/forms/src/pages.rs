//! Places a form on sheets of A4: every text and rule with its position.

use crate::fonts::Fonts;
use crate::form::{Align, Block, Face, Form, Line, Rule, Sheet, Signature, Span, Table};
use crate::html::MANY_COLUMNS;
use crate::lines::{SetLine, break_lines};
use lienthong_qr as qr;

/// One sheet. Lengths are in points, 1/72 inch, from the upper left corner.
#[derive(Clone, Debug, PartialEq)]
pub struct Page {
    /// Its width.
    pub width: f32,
    /// Its height.
    pub height: f32,
    /// What is printed on it, in reading order.
    pub marks: Vec<Mark>,
}

/// Something printed.
#[derive(Clone, Debug, PartialEq)]
pub enum Mark {
    /// A text in one face.
    Text {
        /// Where it begins.
        x: f32,
        /// The line that letters stand on.
        baseline: f32,
        /// The size of the face.
        size: f32,
        /// The face.
        face: Face,
        /// The text.
        text: String,
    },
    /// A black rectangle: a rule, or dark squares of a QR code.
    Box {
        /// Its left edge.
        x: f32,
        /// Its upper edge.
        y: f32,
        /// Its width.
        width: f32,
        /// Its height.
        height: f32,
    },
}

/// Places a form. There is at least one page, and nothing lies over anything else. Lines stand a
/// little closer where that saves a page.
pub fn pages(form: &Form) -> Vec<Page> {
    let fonts = Fonts::embedded();
    let usual = placed(form, &fonts, 1.0);
    if usual.len() == 1 {
        return usual;
    }
    let closer = placed(form, &fonts, CLOSER);
    if closer.len() < usual.len() { closer } else { usual }
}

fn placed(form: &Form, fonts: &Fonts, spacing: f32) -> Vec<Page> {
    let mut placer = Placer::new(fonts, form.sheet, spacing);
    for block in &form.blocks {
        placer.block(block);
    }
    placer.feet(&form.foot);
    placer.pages
}

/// Lines side by side that share a height. Rows break between lines where they must.
struct Row {
    cells: Vec<Cell>,
    size: f32,
    /// The height of a line, in sizes of its face.
    leading: f32,
    /// Room above and below the lines.
    pad: f32,
    is_bordered: bool,
    /// Whether it moves to the next page rather than break, if that helps.
    is_kept: bool,
}

struct Cell {
    x: f32,
    width: f32,
    lines: Vec<Placed>,
}

struct Placed {
    align: Align,
    line: SetLine,
    rule: Option<Rule>,
}

impl Row {
    fn line_height(&self) -> f32 {
        self.size * self.leading
    }

    fn line_count(&self) -> usize {
        self.cells.iter().map(|cell| cell.lines.len()).max().unwrap_or(0).max(1)
    }

    fn height(&self, lines: usize) -> f32 {
        lines as f32 * self.line_height() + 2.0 * self.pad
    }

    /// How many of its lines fit a room.
    fn fitting(&self, room: f32) -> usize {
        let lines = (room - 2.0 * self.pad + ROUNDING) / self.line_height();
        lines.max(0.0) as usize
    }
}

struct Placer<'a> {
    fonts: &'a Fonts,
    width: f32,
    height: f32,
    /// What lines and gaps are high, as a share of the usual.
    spacing: f32,
    pages: Vec<Page>,
    /// Where the next thing goes on the last page.
    y: f32,
    /// Whether nothing but a repeated head stands on the last page.
    is_fresh: bool,
}

impl Placer<'_> {
    fn new(fonts: &Fonts, sheet: Sheet, spacing: f32) -> Placer<'_> {
        let (width, height) = match sheet {
            Sheet::Portrait => (A4_SHORT, A4_LONG),
            Sheet::Landscape => (A4_LONG, A4_SHORT),
        };
        let (pages, y) = (Vec::new(), MARGIN);
        let mut placer = Placer { fonts, width, height, spacing, pages, y, is_fresh: true };
        placer.turn();
        placer
    }

    fn inner_width(&self) -> f32 {
        self.width - LEFT - RIGHT
    }

    fn room(&self) -> f32 {
        self.height - MARGIN - self.y
    }

    fn turn(&mut self) {
        let (width, height) = (self.width, self.height);
        self.pages.push(Page { width, height, marks: Vec::new() });
        (self.y, self.is_fresh) = (MARGIN, true);
    }

    /// Leaves room before what comes; none at the top of a page.
    fn gap(&mut self, height: f32) {
        if !self.is_fresh {
            self.y += height * self.spacing;
        }
    }

    fn block(&mut self, block: &Block) {
        match block {
            Block::Head { left, right } => self.head(left, right),
            Block::Title { lines, qr } => self.title(lines, qr.as_deref()),
            Block::Text(line) => {
                self.gap(4.0);
                let cell = self.cell(LEFT, self.inner_width(), std::slice::from_ref(line), BODY);
                // One line alone on the next page would look like a mistake.
                let is_kept = cell.lines.len() <= KEPT_LINES;
                self.row(&self.plain(vec![cell], BODY, is_kept), None);
            }
            Block::Table(table) => self.table(table),
            Block::Signatures(signatures) => self.signatures(signatures),
        }
    }

    fn head(&mut self, left: &[Line], right: &[Line]) {
        let inner = self.inner_width() - GUTTER;
        let (narrow, wide) = (inner * 0.42, inner * 0.58);
        let cells = vec![
            self.cell(LEFT, narrow, left, HEAD),
            self.cell(LEFT + narrow + GUTTER, wide, right, HEAD),
        ];
        self.row(&self.airy(cells, HEAD), None);
        self.gap(10.0);
    }

    fn title(&mut self, lines: &[Line], qr: Option<&str>) {
        let grid = qr.and_then(qr::grid);
        let aside = if grid.is_some() { QR_SIDE + GUTTER } else { 0.0 };
        let inner = self.inner_width() - aside;
        let cells = vec![self.cell(LEFT + aside, inner, lines, TITLE)];
        let row = self.airy(cells, TITLE);
        let needed = if grid.is_some() { QR_SIDE } else { 0.0 };
        if needed.max(row.height(row.line_count())) > self.room() && !self.is_fresh {
            self.turn();
        }
        let (page, top) = (self.pages.len(), self.y);
        if let Some(grid) = grid {
            self.squares(&grid);
        }
        self.row(&row, None);
        if self.pages.len() == page {
            self.y = self.y.max(top + needed);
        }
        self.gap(6.0);
    }

    fn squares(&mut self, grid: &qr::Grid) {
        let square = QR_SIDE / f32::from(grid.side);
        let at = |squares: u16| f32::from(squares) * square;
        for stretch in &grid.dark {
            let (x, y) = (LEFT + at(stretch.column), self.y + at(stretch.row));
            self.mark(Mark::Box { x, y, width: at(stretch.length), height: square });
        }
    }

    fn table(&mut self, table: &Table) {
        self.gap(8.0);
        let size = if table.columns.len() > MANY_COLUMNS { SMALL } else { TABLE };
        let titles = table.columns.iter().map(|(title, _)| title.clone()).collect();
        let head = self.table_row(table, &titles, Face::Bold, size);
        self.row(&head, None);
        for texts in &table.rows {
            let row = self.table_row(table, texts, Face::Regular, size);
            self.row(&row, Some(&head));
        }
        self.gap(6.0);
    }

    fn table_row(&self, table: &Table, texts: &Vec<String>, face: Face, size: f32) -> Row {
        let shares = table.columns.iter().map(|(_, share)| f32::from(*share));
        let total = shares.clone().sum::<f32>().max(1.0);
        let mut x = LEFT;
        let mut cells = Vec::with_capacity(texts.len());
        for (share, text) in shares.zip(texts) {
            let width = self.inner_width() * share / total;
            let line = Line::of(face, text.as_str());
            let line = if face == Face::Bold { line.centred() } else { line };
            let mut cell = self.cell(x + PAD, width - 2.0 * PAD, &[line], size);
            (cell.x, cell.width) = (x, width);
            cells.push(cell);
            x += width;
        }
        Row { pad: PAD, is_bordered: true, ..self.plain(cells, size, true) }
    }

    fn signatures(&mut self, signatures: &[Signature]) {
        self.gap(14.0);
        let count = signatures.len().max(1) as f32;
        let width = (self.inner_width() - (count - 1.0) * GUTTER) / count;
        let mut cells = Vec::with_capacity(signatures.len());
        for (index, signature) in signatures.iter().enumerate() {
            let by_hand = Line::plain("\n".repeat(SIGNATURE_LINES - 1));
            let lines = [
                Line::of(Face::Bold, signature.role.as_str()).centred(),
                Line::of(Face::Italic, signature.hint.as_str()).centred(),
                by_hand,
                Line::of(Face::Bold, signature.name.as_str()).centred(),
            ];
            cells.push(self.cell(LEFT + index as f32 * (width + GUTTER), width, &lines, BODY));
        }
        self.row(&self.plain(cells, BODY, true), None);
        self.gap(6.0);
    }

    fn plain(&self, cells: Vec<Cell>, size: f32, is_kept: bool) -> Row {
        let leading = LINE * self.spacing;
        Row { cells, size, leading, pad: 0.0, is_bordered: false, is_kept }
    }

    /// Lines with rules below them, which stand clear of letters that hang down.
    fn airy(&self, cells: Vec<Cell>, size: f32) -> Row {
        Row { leading: AIRY * self.spacing, ..self.plain(cells, size, true) }
    }

    fn cell(&self, x: f32, width: f32, lines: &[Line], size: f32) -> Cell {
        let mut placed = Vec::new();
        for line in lines {
            let Line { align, spans, rule } = line;
            let broken = break_lines(self.fonts, spans, size, width);
            let last = broken.len() - 1;
            placed.extend(broken.into_iter().enumerate().map(|(index, line)| Placed {
                align: *align,
                line,
                rule: rule.filter(|_| index == last),
            }));
        }
        Cell { x, width, lines: placed }
    }

    /// Places a row, over several pages if it must; each begins with the head of the table.
    fn row(&mut self, row: &Row, head: Option<&Row>) {
        let total = row.line_count();
        let mut from = 0;
        while from < total {
            let left = total - from;
            let fitting = row.fitting(self.room());
            let above = head.map_or(0.0, |head| head.height(head.line_count()));
            let whole = row.fitting(self.height - 2.0 * MARGIN - above);
            let helps = row.is_kept && left <= whole;
            if left > fitting && (helps || fitting == 0) && !self.is_fresh {
                self.turn();
                if let Some(head) = head {
                    self.part(head, 0, head.line_count());
                    self.is_fresh = true;
                }
                continue;
            }
            let count = left.min(fitting).max(1);
            self.part(row, from, count);
            from += count;
        }
    }

    /// Places some lines of a row here.
    fn part(&mut self, row: &Row, from: usize, count: usize) {
        let height = row.height(count);
        let inset = if row.is_bordered { PAD } else { 0.0 };
        for cell in &row.cells {
            let mut top = self.y + row.pad;
            for placed in cell.lines.iter().skip(from).take(count) {
                self.line(placed, (cell.x + inset, cell.width - 2.0 * inset), top, row);
                top += row.line_height();
            }
        }
        if row.is_bordered {
            self.borders(row, height);
        }
        self.y += height;
        self.is_fresh = false;
    }

    /// Places a line; `across` is where its cell begins and how wide it is.
    fn line(&mut self, placed: &Placed, across: (f32, f32), top: f32, row: &Row) {
        let (x, width) = across;
        let size = row.size;
        let spare = width - placed.line.width;
        let start = match placed.align {
            Align::Left => x,
            Align::Centre => x + spare / 2.0,
            Align::Right => x + spare,
        };
        let (ascent, descent) =
            (self.fonts.ascent(Face::Regular), self.fonts.descent(Face::Regular));
        let baseline = top + size * ((row.leading - ascent - descent) / 2.0 + ascent);
        for run in &placed.line.runs {
            let (face, text) = (run.face, run.text.clone());
            self.mark(Mark::Text { x: start + run.x, baseline, size, face, text });
        }
        if let Some(rule) = placed.rule {
            let share = if rule == Rule::Whole { 1.0 } else { PART };
            let (width, y) = (placed.line.width * share, top + row.line_height() - RULE / 2.0);
            let x = start + (placed.line.width - width) / 2.0;
            self.mark(Mark::Box { x, y, width, height: RULE });
        }
    }

    /// Draws the rules around a row that begins here.
    fn borders(&mut self, row: &Row, height: f32) {
        let (y, width) = (self.y, self.inner_width());
        for edge in [y, y + height] {
            let (x, y) = (LEFT - RULE / 2.0, edge - RULE / 2.0);
            self.mark(Mark::Box { x, y, width: width + RULE, height: RULE });
        }
        let starts = row.cells.iter().map(|cell| cell.x);
        for edge in starts.chain([LEFT + width]) {
            self.mark(Mark::Box { x: edge - RULE / 2.0, y, width: RULE, height });
        }
    }

    /// Writes at the foot of every page what it belongs to, and which page it is.
    fn feet(&mut self, foot: &str) {
        let (count, inner) = (self.pages.len(), self.inner_width());
        for index in 0..count {
            let words = if foot.is_empty() { String::new() } else { format!("{foot} - ") };
            let text = format!("{words}Trang {}/{count}", index + 1);
            let span = Span { face: Face::Regular, text };
            let line = break_lines(self.fonts, &[span], FOOT, inner).swap_remove(0);
            let x = LEFT + (inner - line.width) / 2.0;
            let baseline = self.height - MARGIN / 2.0;
            for run in line.runs {
                let (face, text) = (run.face, run.text);
                let text = Mark::Text { x: x + run.x, baseline, size: FOOT, face, text };
                self.pages[index].marks.push(text);
            }
        }
    }

    fn mark(&mut self, mark: Mark) {
        self.pages.last_mut().expect("the first page was begun at the start").marks.push(mark);
    }
}

const A4_SHORT: f32 = 595.28;
const A4_LONG: f32 = 841.89;
/// 20 mm above and below, 20 mm at the left for filing, 15 mm at the right.
const MARGIN: f32 = 56.69;
const LEFT: f32 = 56.69;
const RIGHT: f32 = 42.52;
/// Between columns without rules.
const GUTTER: f32 = 14.0;
/// Between a rule and the text beside it.
const PAD: f32 = 3.0;
/// How thick rules are.
const RULE: f32 = 0.7;
/// The share of a line that a rule takes which is not to take it whole: between a third and a half.
const PART: f32 = 0.4;
/// 24 mm: the squares of a dossier code are 0.65 mm wide, which any telephone reads.
const QR_SIDE: f32 = 68.03;
/// The height of a line, in sizes of its face.
const LINE: f32 = 1.3;
/// The same in heads and titles.
const AIRY: f32 = 1.5;
/// How much closer lines may stand: accents over capitals still have room.
const CLOSER: f32 = 0.9;
/// Paragraphs of so many lines are not broken.
const KEPT_LINES: usize = 4;
/// Room to sign, in lines.
const SIGNATURE_LINES: usize = 4;
/// What sums of lengths may differ by.
const ROUNDING: f32 = 0.01;
const BODY: f32 = 12.0;
const HEAD: f32 = 12.0;
const TITLE: f32 = 14.0;
const TABLE: f32 = 11.0;
const SMALL: f32 = 8.0;
const FOOT: f32 = 9.0;

#[cfg(test)]
#[path = "pages_tests.rs"]
mod tests;
