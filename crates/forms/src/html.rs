//! Renders a form as a page of HTML that prints on A4 and needs nothing else.

use crate::form::{Align, Block, Face, Form, Line, Sheet, Signature, Table};
use crate::qr;

/// Renders a form. Every text is escaped; there is no script and nothing is loaded.
pub fn html(form: &Form) -> String {
    let mut page = Writer::default();
    let size = match form.sheet {
        Sheet::Portrait => "A4 portrait",
        Sheet::Landscape => "A4 landscape",
    };
    let class = match form.sheet {
        Sheet::Portrait => "portrait",
        Sheet::Landscape => "landscape",
    };
    page.raw("<!doctype html>\n<html lang=\"vi\">\n<head>\n<meta charset=\"utf-8\">\n<title>");
    page.text(form.kind.title());
    page.raw("</title>\n<style>\n@page { size: ");
    page.raw(size);
    page.raw("; margin: 20mm 15mm 20mm 20mm; }\n");
    page.raw(STYLE);
    page.raw("</style>\n</head>\n<body class=\"");
    page.raw(class);
    page.raw("\">\n");
    for block in &form.blocks {
        page.block(block);
    }
    page.element("footer", "", |page| page.text(&form.foot));
    page.raw("</body>\n</html>\n");
    page.out
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
        let class = if line.ruled { format!("{align} ruled") } else { align.to_owned() };
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
                    page.raw(&format!("<col style=\"width: {percent:.2}%\">"));
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
* { box-sizing: border-box; margin: 0; }
body { font: 12pt/1.3 \"Liberation Serif\", \"Times New Roman\", serif; color: #000; }
body { margin: 0 auto; overflow-wrap: anywhere; }
body.portrait { max-width: 175mm; }
body.landscape { max-width: 262mm; }
p { margin: 0 0 4pt; }
p.centre { text-align: center; }
p.right { text-align: right; }
p.ruled::after { content: \"\"; display: block; width: 40%; margin: 2pt auto 0; \
border-top: 0.7pt solid #000; }
header { display: flex; gap: 6mm; margin-bottom: 12pt; font-size: 12pt; }
header div:first-child { flex: 42; }
header div:last-child { flex: 58; }
.title { position: relative; margin-bottom: 6pt; font-size: 14pt; }
.title:has(.qr) { min-height: 24mm; padding-left: 29mm; }
.qr { position: absolute; left: 0; top: 0; width: 24mm; height: 24mm; }
table { width: calc(100% - 1pt); table-layout: fixed; border-collapse: collapse; font-size: 11pt; }
table.small { font-size: 8pt; }
th, td { border: 0.7pt solid #000; padding: 3pt; vertical-align: top; text-align: left; }
th { text-align: center; }
thead { display: table-header-group; }
tr { break-inside: avoid; }
.signatures { display: flex; gap: 6mm; margin-top: 14pt; break-inside: avoid; }
.signatures div { flex: 1; text-align: center; }
.signatures .name { margin-top: 60pt; }
footer { margin-top: 12pt; font-size: 9pt; text-align: center; }
";

#[cfg(test)]
#[path = "html_tests.rs"]
mod tests;
