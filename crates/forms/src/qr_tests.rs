use rqrr::PreparedImage;

use crate::fixture_tests::{CODE, facts};
use crate::{FormKind, Mark, compose, html, pages};

/// Dark rectangles: left, top, right, bottom.
type Areas = Vec<[f64; 4]>;

/// Draws a square of a plane and reads the one QR code on it, as a telephone would.
fn scanned(areas: &Areas, corner: (f64, f64), side: f64) -> String {
    let pixels = 400;
    let step = side / f64::from(pixels);
    let is_dark = |x: usize, y: usize| {
        let at = |index: usize, start: f64| start + (index as f64 + 0.5) * step;
        let (x, y) = (at(x, corner.0), at(y, corner.1));
        areas.iter().any(|[left, top, right, bottom]| {
            (*left..*right).contains(&x) && (*top..*bottom).contains(&y)
        })
    };
    let size = pixels as usize;
    let shade = |x, y| if is_dark(x, y) { 0 } else { 255 };
    let mut image = PreparedImage::prepare_from_greyscale(size, size, shade);
    let grids = image.detect_grids();
    let [found] = grids.as_slice() else { panic!("{} QR codes, not one", grids.len()) };
    found.decode().expect("the QR code is readable").1
}

/// The rectangles of an SVG path of the form `M4 5h7v1h-7z`.
fn rectangles(path: &str) -> Areas {
    let rectangle = |part: &str| {
        let number = |text: &str| text.parse::<f64>().expect("the path holds numbers");
        let (start, rest) = part.split_once('h').expect("a stretch has a length");
        let (x, y) = start.split_once(' ').expect("a stretch has a start");
        let (x, y) = (number(x), number(y));
        let length = number(rest.split_once('v').expect("a stretch has a height").0);
        [x, y, x + length, y + 1.0]
    };
    path.split('M').filter(|part| !part.is_empty()).map(rectangle).collect()
}

#[test]
fn the_qr_code_on_the_page_holds_the_dossier_code_and_nothing_else() {
    let page = pages(&compose(FormKind::Receipt, &facts())).swap_remove(0);
    let square = |mark: &Mark| match mark {
        Mark::Box { x, y, width, height } => {
            let [x, y, width, height] = [*x, *y, *width, *height].map(f64::from);
            (height > 1.0).then_some([x, y, x + width, y + height])
        }
        Mark::Text { .. } => None,
    };
    let areas: Areas = page.marks.iter().filter_map(square).collect();
    let edge = |at: usize| areas.iter().map(|area| area[at]).fold(f64::MAX, f64::min);
    let quiet = 7.0;
    let corner = (edge(0) - quiet, edge(1) - quiet);
    assert_eq!(scanned(&areas, corner, 68.03), CODE);
}

#[test]
fn the_qr_code_in_html_holds_the_dossier_code_and_nothing_else() {
    let page = html(&compose(FormKind::Receipt, &facts()));
    let (_, svg) = page.split_once("<svg").expect("the receipt has a QR code");
    let side = svg.split_once("viewBox=\"0 0 ").expect("it has a size").1;
    let side: f64 = side.split(' ').next().and_then(|side| side.parse().ok()).expect("a number");
    let path = svg.split_once("d=\"").expect("it has a path").1.split('"').next();
    let areas = rectangles(path.expect("the path ends"));
    assert_eq!(scanned(&areas, (0.0, 0.0), side), CODE);
}
