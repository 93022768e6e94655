//! The QR code of a dossier code, as dark stretches on a grid.

use qrcode::{Color, EcLevel, QrCode};

/// A QR code with its quiet zone.
pub(crate) struct Grid {
    /// How many squares wide and high it is, quiet zone included.
    pub(crate) side: u16,
    /// The dark stretches.
    pub(crate) dark: Vec<Stretch>,
}

/// Dark squares side by side; the first column and row are 0.
pub(crate) struct Stretch {
    pub(crate) column: u16,
    pub(crate) row: u16,
    pub(crate) length: u16,
}

/// Encodes a text, readable with a seventh of it lost; none if it is too long for a QR code.
pub(crate) fn grid(content: &str) -> Option<Grid> {
    let code = QrCode::with_error_correction_level(content, EcLevel::M).ok()?;
    let width = code.width();
    let colors = code.to_colors();
    let mut dark = Vec::new();
    for (row, squares) in (QUIET..).zip(colors.chunks(width)) {
        let mut column = QUIET;
        for same in squares.chunk_by(|a, b| a == b) {
            let length = u16::try_from(same.len()).ok()?;
            if same.first() == Some(&Color::Dark) {
                dark.push(Stretch { column, row, length });
            }
            column += length;
        }
    }
    let side = u16::try_from(width).ok()? + 2 * QUIET;
    Some(Grid { side, dark })
}

/// How wide the white border is that readers need, in squares.
const QUIET: u16 = 4;

#[cfg(test)]
#[path = "qr_tests.rs"]
mod tests;
