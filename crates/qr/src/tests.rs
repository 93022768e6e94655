use image::{GrayImage, ImageFormat, Luma};

use super::*;

const TEXT: &str = "LT1-ABCDEFGHJKMNPQRSTVWXYZ-0123456789-ABCDEFGHJKMNPQRSTVWXYZ-0123456789";

/// A photograph of codes side by side, on a grey table.
fn pictured(texts: &[&str], scale: u32, format: ImageFormat) -> Vec<u8> {
    let grids: Vec<Grid> = texts.iter().map(|text| grid(text).expect("it fits")).collect();
    let side = grids.iter().map(|grid| u32::from(grid.side)).max().unwrap_or(0) * scale;
    let edge = 40;
    let mut picture = GrayImage::from_pixel(
        (side + edge) * grids.len() as u32 + edge,
        side + 2 * edge,
        Luma([150]),
    );
    for (number, grid) in (0..).zip(&grids) {
        let left = edge + number * (side + edge);
        for (x, y) in (0..side).flat_map(|x| (0..side).map(move |y| (x, y))) {
            picture.put_pixel(left + x, edge + y, Luma([235]));
        }
        for Stretch { column, row, length } in &grid.dark {
            let (column, row) = (u32::from(*column), u32::from(*row));
            for x in column * scale..(column + u32::from(*length)) * scale {
                for y in row * scale..(row + 1) * scale {
                    picture.put_pixel(left + x, edge + y, Luma([20]));
                }
            }
        }
    }
    let mut bytes = Cursor::new(Vec::new());
    picture.write_to(&mut bytes, format).expect("it is written");
    bytes.into_inner()
}

#[test]
fn what_was_drawn_is_read_from_small_and_large_pictures() {
    for (scale, format) in [(3, ImageFormat::Png), (6, ImageFormat::Jpeg), (60, ImageFormat::Jpeg)]
    {
        assert_eq!(read(&pictured(&[TEXT], scale, format)).as_deref(), Ok(TEXT), "{scale}");
    }
}

#[test]
fn what_is_no_picture_or_shows_no_code_or_several_says_so() {
    assert_eq!(read(b""), Err(ReadError::NoPicture));
    assert_eq!(read(b"GIF89a"), Err(ReadError::NoPicture));
    let whole = pictured(&[TEXT], 4, ImageFormat::Png);
    assert_eq!(read(&whole[..whole.len() / 2]), Err(ReadError::NoPicture));
    assert_eq!(read(&pictured(&["a", "b"], 6, ImageFormat::Png)), Err(ReadError::Several));
    let grey = GrayImage::from_pixel(300, 200, Luma([150]));
    let mut bytes = Cursor::new(Vec::new());
    grey.write_to(&mut bytes, ImageFormat::Png).expect("it is written");
    assert_eq!(read(&bytes.into_inner()), Err(ReadError::NoCode));
}

#[test]
fn a_picture_of_a_billion_pixels_is_refused_before_it_takes_memory() {
    // The head of a PNG of 65,535 pixels on each side, with the checksum of the chunk.
    let mut head = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\xff\xff\0\0\xff\xff\x08\0\0\0\0".to_vec();
    let crc = crc(&head[12..]);
    head.extend(crc.to_be_bytes());
    head.extend(b"\0\0\0\0IDAT\x35\xaf\x06\x1e");
    assert_eq!(read(&head), Err(ReadError::TooLarge));
}

/// CRC-32 as PNG has it.
fn crc(bytes: &[u8]) -> u32 {
    let folded = bytes.iter().fold(!0_u32, |mut crc, byte| {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = if crc & 1 == 1 { crc >> 1 ^ 0xedb8_8320 } else { crc >> 1 };
        }
        crc
    });
    !folded
}

#[test]
fn an_svg_holds_the_squares_and_what_is_too_long_has_none() {
    let drawn = svg(TEXT, 4).expect("it fits");
    assert!(drawn.starts_with("<svg ") && drawn.contains("viewBox=\"0 0 "), "{drawn}");
    assert!(grid(&"x".repeat(4_000)).is_none());
}
