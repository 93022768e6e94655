//! Renders a form as a PDF whose text can be searched and copied.

use krilla::geom::{PathBuilder, Point, Rect};
use krilla::metadata::Metadata;
use krilla::page::PageSettings;
use krilla::paint::Fill;
use krilla::surface::Surface;
use krilla::text::{Font, GlyphId, KrillaGlyph};
use krilla::{Document, SerializeSettings};
use thiserror::Error;

use crate::fonts::{self, Fonts};
use crate::form::{Face, Form};
use crate::pages::{Mark, Page, pages};

/// Why a form did not become a PDF. The same form as HTML prints all the same.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("the form cannot be written as PDF: {cause}")]
pub struct PdfError {
    /// What the library says; it names no content of the form.
    pub cause: String,
}

/// Renders a form. Equal forms give equal bytes: nothing in them tells when or where.
pub fn pdf(form: &Form) -> Result<Vec<u8>, PdfError> {
    let mut document = Document::new_with(SerializeSettings::default());
    let title = form.kind.title().to_owned();
    let metadata = Metadata::new().title(title).language("vi".into()).creator("lienthong".into());
    document.set_metadata(metadata);
    let ink = Ink::new()?;
    for page in pages(form) {
        let settings = PageSettings::from_wh(page.width, page.height);
        let mut sheet = document.start_page_with(settings.ok_or_else(|| failed("page size"))?);
        let mut surface = sheet.surface();
        ink.draw(&page, &mut surface);
        surface.finish();
        sheet.finish();
    }
    document.finish().map_err(|error| failed(&error.to_string()))
}

/// The faces as the PDF embeds them, with the measures that chose the places.
struct Ink {
    measured: Fonts,
    embedded: [Font; 3],
}

impl Ink {
    fn new() -> Result<Ink, PdfError> {
        let load = |face| Font::new(fonts::bytes(face).into(), 0);
        let [Some(regular), Some(bold), Some(italic)] = Face::ALL.map(load) else {
            return Err(failed("a font of the program cannot be read"));
        };
        Ok(Ink { measured: Fonts::embedded(), embedded: [regular, bold, italic] })
    }

    fn draw(&self, page: &Page, surface: &mut Surface<'_>) {
        surface.set_fill(Some(Fill::default()));
        for mark in &page.marks {
            match mark {
                Mark::Text { x, baseline, size, face, text } => {
                    let glyphs = self.glyphs(*face, text);
                    let font = self.embedded[*face as usize].clone();
                    let start = Point::from_xy(*x, *baseline);
                    surface.draw_glyphs(start, &glyphs, font, text, *size, false);
                }
                Mark::Box { x, y, width, height } => {
                    let Some(area) = Rect::from_xywh(*x, *y, *width, *height) else { continue };
                    let mut path = PathBuilder::new();
                    path.push_rect(area);
                    if let Some(path) = path.finish() {
                        surface.draw_path(&path);
                    }
                }
            }
        }
    }

    /// The glyphs of a text, each tied to its character, which is what makes text copyable.
    /// Vietnamese in NFC needs one glyph for each letter, so nothing has to be shaped.
    fn glyphs(&self, face: Face, text: &str) -> Vec<KrillaGlyph> {
        let glyph = |(at, character): (usize, char)| KrillaGlyph {
            glyph_id: GlyphId::new(self.measured.glyph(face, character).to_u32()),
            text_range: at..at + character.len_utf8(),
            x_advance: self.measured.width_of(face, character),
            x_offset: 0.0,
            y_offset: 0.0,
            y_advance: 0.0,
            location: None,
        };
        text.char_indices().map(glyph).collect()
    }
}

fn failed(cause: &str) -> PdfError {
    PdfError { cause: cause.to_owned() }
}

#[cfg(test)]
#[path = "pdf_tests.rs"]
mod tests;
