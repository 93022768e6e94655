//! The embedded faces of Liberation Serif 2.1.5, and how wide their letters are.

use skrifa::charmap::Charmap;
use skrifa::instance::{LocationRef, Size};
use skrifa::metrics::GlyphMetrics;
use skrifa::{FontRef, GlyphId, MetadataProvider};

use crate::form::Face;

/// The three faces, ready to measure.
pub(crate) struct Fonts {
    faces: [Measured; 3],
}

/// One face. All lengths are in ems, so that they hold for every size.
struct Measured {
    charmap: Charmap<'static>,
    widths: GlyphMetrics<'static>,
    units_per_em: f32,
    ascent: f32,
    descent: f32,
}

impl Fonts {
    /// Reads the faces that are part of the program.
    pub(crate) fn embedded() -> Fonts {
        Fonts { faces: Face::ALL.map(|face| Measured::of(bytes(face))) }
    }

    /// The glyph of a character; a hollow box if the face has none, so that nobody takes the paper
    /// for complete.
    pub(crate) fn glyph(&self, face: Face, character: char) -> GlyphId {
        let charmap = &self.face(face).charmap;
        charmap.map(character).or_else(|| charmap.map(BOX)).unwrap_or(GlyphId::NOTDEF)
    }

    /// The width of a character in ems.
    pub(crate) fn width_of(&self, face: Face, character: char) -> f32 {
        let measured = self.face(face);
        let glyph = self.glyph(face, character);
        measured.widths.advance_width(glyph).unwrap_or(0.0) / measured.units_per_em
    }

    /// The width of a text in ems.
    pub(crate) fn width(&self, face: Face, text: &str) -> f32 {
        text.chars().map(|character| self.width_of(face, character)).sum()
    }

    /// How far letters reach above the baseline, in ems.
    pub(crate) fn ascent(&self, face: Face) -> f32 {
        self.face(face).ascent
    }

    /// How far letters reach below the baseline, in ems.
    pub(crate) fn descent(&self, face: Face) -> f32 {
        self.face(face).descent
    }

    fn face(&self, face: Face) -> &Measured {
        &self.faces[face as usize]
    }
}

impl Measured {
    fn of(bytes: &'static [u8]) -> Measured {
        let font = FontRef::new(bytes).expect("the embedded font is sound, as a test checks");
        let metrics = font.metrics(Size::unscaled(), LocationRef::default());
        let units_per_em = f32::from(metrics.units_per_em);
        Measured {
            charmap: font.charmap(),
            widths: font.glyph_metrics(Size::unscaled(), LocationRef::default()),
            units_per_em,
            ascent: metrics.ascent / units_per_em,
            descent: -metrics.descent / units_per_em,
        }
    }
}

impl Face {
    /// Every face, in the order of their numbers.
    pub(crate) const ALL: [Face; 3] = [Face::Regular, Face::Bold, Face::Italic];
}

/// The file of a face. See `fonts/OFL.txt` for its licence.
pub(crate) fn bytes(face: Face) -> &'static [u8] {
    match face {
        Face::Regular => include_bytes!("../fonts/LiberationSerif-Regular.ttf"),
        Face::Bold => include_bytes!("../fonts/LiberationSerif-Bold.ttf"),
        Face::Italic => include_bytes!("../fonts/LiberationSerif-Italic.ttf"),
    }
}

/// A hollow square; every face has it, as a test checks.
const BOX: char = '\u{25a1}';

#[cfg(test)]
#[path = "fonts_tests.rs"]
mod tests;
