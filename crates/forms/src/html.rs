//! Renders a form as a page of HTML that prints on A4 and needs nothing else.

use crate::form::{Align, Block, Face, Form, Line, Rule, Sheet, Signature, Table};
use lienthong_qr as qr;

/// Renders a form as a page of its own. Every text is escaped; there is no script and nothing is
/// loaded.
pub fn html(form: &Form) -> String {
    let mut page = Writer::default();
    page.raw("<!doctype html>\n<html lang=\"vi\">\n<head>\n<meta charset=\"utf-8\">\n<title>");
    page.text(form.kind.title());
    page.raw("</title>\n<style>\n");
    page.raw(&style(form.sheet));
    page.raw("</style>\n</head>\n<body>\n");
    page.raw(&html_part(form));
    page.raw("</body>\n</html>\n");
    page.out
}

/// Renders a form as a part of another page, which brings the [`style`] of its sheet.
pub fn html_part(form: &Form) -> String {
    let mut page = Writer::default();
    let class = match form.sheet {
        Sheet::Portrait => "paper portrait",
        Sheet::Landscape => "paper landscape",
    };
    page.element("div", class, |page| {
        for block in &form.blocks {
            page.block(block);
        }
        page.element("footer", "", |page| page.text(&form.foot));
    });
    page.out
}

/// The style of forms on a sheet; it says nothing about what stands around them.
pub fn style(sheet: Sheet) -> String {
    let size = match sheet {
        Sheet::Portrait => "A4 portrait",
        Sheet::Landscape => "A4 landscape",
    };
    format!("@page {{ size: {size}; margin: 20mm 15mm 20mm 20mm; }}\n{STYLE}")
}

#[derive(Default)]
struct Writer {
    out: String,
}

impl Writer {
    fn block(&mut self, block: &Block) {
        match block {
            Block::Head { left, right } => self.element("header", "", |page| {
                page.element("div", "", |page| page.lines(left));
                page.element("div", "", |page| page.lines(right));
            }),
            Block::Title { lines, qr } => self.element("section", "title", |page| {
                if let Some(content) = qr {
                    page.qr(content);
                }
                page.lines(lines);
            }),
            Block::Text(line) => self.line(line),
            Block::Table(table) => self.table(table),
            Block::Signatures(signatures) => self.element("section", "signatures", |page| {
                for signature in signatures {
                    page.signature(signature);
                }
            }),
        }
    }

    fn lines(&mut self, lines: &[Line]) {
        for line in lines {
            self.line(line);
        }
    }

    fn line(&mut self, line: &Line) {
        let align = match line.align {
            Align::Left => "left",
            Align::Centre => "centre",
            Align::Right => "right",
        };
        let class = match line.rule {
            None => align.to_owned(),
            Some(Rule::Part) => format!("{align} ruled"),
            Some(Rule::Whole) => format!("{align} ruled whole"),
        };
        self.element("p", &class, |page| {
            for span in &line.spans {
                match span.face {
                    Face::Regular => page.text(&span.text),
                    Face::Bold => page.inline("b", &span.text),
                    Face::Italic => page.inline("i", &span.text),
                }
            }
        });
    }

    fn table(&mut self, table: &Table) {
        let total: u32 = table.columns.iter().map(|(_, share)| u32::from(*share)).sum();
        let small = if table.columns.len() > MANY_COLUMNS { "small" } else { "" };
        self.element("table", small, |page| {
            page.element("colgroup", "", |page| {
                for (_, share) in &table.columns {
                    let percent = f64::from(*share) * 100.0 / f64::from(total.max(1));
                    // A page that says which styles it knows lets no style attribute in.
                    page.raw(&format!("<col width=\"{percent:.2}%\">"));
                }
            });
            page.element("thead", "", |page| {
                page.row("th", table.columns.iter().map(|(title, _)| title.as_str()));
            });
            page.element("tbody", "", |page| {
                for row in &table.rows {
                    page.row("td", row.iter().map(String::as_str));
                }
            });
        });
    }

    fn row<'a>(&mut self, name: &str, cells: impl Iterator<Item = &'a str>) {
        self.raw("<tr>");
        for cell in cells {
            self.inline(name, cell);
        }
        self.raw("</tr>\n");
    }

    fn signature(&mut self, signature: &Signature) {
        self.element("div", "", |page| {
            page.element("p", "", |page| page.inline("b", &signature.role));
            page.element("p", "", |page| page.inline("i", &signature.hint));
            page.element("p", "name", |page| page.inline("b", &signature.name));
        });
    }

    fn qr(&mut self, content: &str) {
        let Some(grid) = qr::grid(content) else { return };
        let side = grid.side;
        self.raw(&format!(
            "<svg class=\"qr\" viewBox=\"0 0 {side} {side}\" shape-rendering=\"crispEdges\" \
             role=\"img\" aria-label=\"QR\"><path d=\""
        ));
        for stretch in &grid.dark {
            let qr::Stretch { column, row, length } = stretch;
            self.raw(&format!("M{column} {row}h{length}v1h-{length}z"));
        }
        self.raw("\"/></svg>\n");
    }

    fn element(&mut self, name: &str, class: &str, inner: impl FnOnce(&mut Writer)) {
        let class = if class.is_empty() { String::new() } else { format!(" class=\"{class}\"") };
        self.raw(&format!("<{name}{class}>"));
        inner(self);
        self.raw(&format!("</{name}>\n"));
    }

    fn inline(&mut self, name: &str, text: &str) {
        self.raw(&format!("<{name}>"));
        self.text(text);
        self.raw(&format!("</{name}>"));
    }

    /// Writes text that somebody else wrote.
    fn text(&mut self, text: &str) {
        for character in text.chars() {
            match character {
                '&' => self.raw("&amp;"),
                '<' => self.raw("&lt;"),
                '>' => self.raw("&gt;"),
                '"' => self.raw("&quot;"),
                '\'' => self.raw("&#39;"),
                '\n' => self.raw("<br>"),
                other => self.out.push(other),
            }
        }
    }

    /// Writes markup of our own.
    fn raw(&mut self, markup: &str) {
        self.out.push_str(markup);
    }
}

/// From how many columns on a table is set in small letters.
pub(crate) const MANY_COLUMNS: usize = 8;

const STYLE: &str = "\
.paper, .paper * { box-sizing: border-box; margin: 0; }
.paper { font: 12pt/1.3 \"Liberation Serif\", \"Times New Roman\", serif; color: #000; }
.paper { margin: 0 auto; overflow-wrap: anywhere; background: #fff; }
.paper.portrait { max-width: 175mm; }
.paper.landscape { max-width: 262mm; }
.paper p { margin: 0 0 4pt; }
.paper p.centre { text-align: center; }
.paper p.right { text-align: right; }
.paper p.ruled { width: fit-content; margin-left: auto; margin-right: auto; }
.paper p.ruled.whole::after { width: 100%; }
.paper p.ruled::after { content: \"\"; display: block; width: 40%; margin: 2pt auto 0; \
border-top: 0.7pt solid #000; }
.paper header { display: flex; gap: 6mm; margin-bottom: 12pt; font-size: 12pt; }
.paper header div:first-child { flex: 42; }
.paper header div:last-child { flex: 58; }
.paper .title { position: relative; margin-bottom: 6pt; font-size: 14pt; }
.paper .title:has(.qr) { min-height: 24mm; padding-left: 29mm; }
.paper .qr { position: absolute; left: 0; top: 0; width: 24mm; height: 24mm; }
.paper table { width: calc(100% - 1pt); table-layout: fixed; border-collapse: collapse; \
font-size: 11pt; }
.paper table.small { font-size: 8pt; }
.paper th, .paper td { border: 0.7pt solid #000; padding: 3pt; vertical-align: top; \
text-align: left; }
.paper th { text-align: center; }
.paper thead { display: table-header-group; }
.paper tr { break-inside: avoid; }
.paper .signatures { display: flex; gap: 6mm; margin-top: 14pt; break-inside: avoid; }
.paper .signatures div { flex: 1; text-align: center; }
.paper .signatures .name { margin-top: 60pt; }
.paper footer { margin-top: 12pt; font-size: 9pt; text-align: center; }
";

#[cfg(test)]
#[path = "html_tests.rs"]
mod tests;
