//! QR codes: drawn for paper and screen, and read from the picture that somebody took of one.

use std::io::Cursor;

use image::{DynamicImage, ImageError, ImageReader, Limits};
use qrcode::{Color, EcLevel, QrCode};
use rqrr::PreparedImage;
use thiserror::Error;

/// A QR code with its quiet zone.
pub struct Grid {
    /// How many squares wide and high it is, quiet zone included.
    pub side: u16,
    /// The dark stretches.
    pub dark: Vec<Stretch>,
}

/// Dark squares side by side.
pub struct Stretch {
    /// The column of the first, quiet zone included.
    pub column: u16,
    /// The row.
    pub row: u16,
    /// How many.
    pub length: u16,
}

/// Encodes a text, readable with a seventh of it lost; none if it is too long for a QR code.
pub fn grid(content: &str) -> Option<Grid> {
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

/// The same as an SVG document of its own, each square `scale` pixels wide.
pub fn svg(content: &str, scale: u16) -> Option<String> {
    let Grid { side, dark } = grid(content)?;
    let path: String = dark
        .iter()
        .map(|Stretch { column, row, length }| format!("M{column} {row}h{length}v1h-{length}z"))
        .collect();
    let width = u32::from(side) * u32::from(scale);
    Some(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{width}\" \
         viewBox=\"0 0 {side} {side}\"><path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/>\
         <path d=\"{path}\"/></svg>\n"
    ))
}

/// Why a picture gives no text. Nothing of the picture is in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum ReadError {
    /// It is no PNG or JPEG, or a broken one.
    #[error("it is no picture in PNG or JPEG")]
    NoPicture,
    /// It has more than [`MAX_PIXELS`] on a side.
    #[error("it is wider or higher than {MAX_PIXELS} pixels")]
    TooLarge,
    /// No QR code is found, or none can be made out.
    #[error("no QR code can be made out")]
    NoCode,
    /// It shows several, and nobody can know which is meant.
    #[error("it shows several QR codes")]
    Several,
}

impl ReadError {
    /// Its name, for words in the reader's language.
    pub const fn code(self) -> &'static str {
        match self {
            ReadError::NoPicture => "no-picture",
            ReadError::TooLarge => "too-large",
            ReadError::NoCode => "no-code",
            ReadError::Several => "several",
        }
    }
}

/// Reads the one QR code on a picture in PNG or JPEG, as a telephone takes or a screen shows it.
/// Blocks for up to about a second; takes at most 128 MiB of memory.
pub fn read(picture: &[u8]) -> Result<String, ReadError> {
    let mut reader = ImageReader::new(Cursor::new(picture));
    let mut limits = Limits::default();
    limits.max_image_width = Some(MAX_PIXELS);
    limits.max_image_height = Some(MAX_PIXELS);
    limits.max_alloc = Some(MAX_BYTES);
    reader.limits(limits);
    let reader = reader.with_guessed_format().map_err(|_| ReadError::NoPicture)?;
    let picture = reader.decode().map_err(|error| match error {
        ImageError::Limits(_) => ReadError::TooLarge,
        _ => ReadError::NoPicture,
    })?;
    // A code that fills a photograph is found better in a smaller one, a small code in the whole.
    let smaller = (picture.width().max(picture.height()) > SMALLER)
        .then(|| picture.thumbnail(SMALLER, SMALLER));
    let small = smaller.map(|smaller| found(&smaller));
    match small {
        Some(Ok(text)) => Ok(text),
        _ => found(&picture),
    }
}

fn found(picture: &DynamicImage) -> Result<String, ReadError> {
    let grey = picture.to_luma8();
    let (width, height) = (grey.width() as usize, grey.height() as usize);
    let shade = |x: usize, y: usize| grey.as_raw()[y * width + x];
    let mut prepared = PreparedImage::prepare_from_greyscale(width, height, shade);
    let grids = prepared.detect_grids();
    let mut texts: Vec<String> =
        grids.iter().filter_map(|grid| grid.decode().ok()).map(|(_, text)| text).collect();
    texts.sort_unstable();
    texts.dedup();
    match (texts.pop(), texts.is_empty()) {
        (Some(text), true) => Ok(text),
        (Some(_), false) => Err(ReadError::Several),
        (None, _) => Err(ReadError::NoCode),
    }
}

/// The most pixels on a side of a picture that is read.
pub const MAX_PIXELS: u32 = 8_192;
const MAX_BYTES: u64 = 128 << 20;
const SMALLER: u32 = 1_600;

/// How wide the white border is that readers need, in squares.
const QUIET: u16 = 4;

#[cfg(test)]
mod tests;
