use super::{LEFT, MARGIN, Mark, Page, RIGHT, pages, placed};
use crate::fixture_tests::{bare, every_form, facts, joined, long, without_blanks};
use crate::fonts::Fonts;
use crate::{Block, Form, FormKind, Line, compose};

/// Left, top, right, bottom.
type Area = [f32; 4];

fn area(fonts: &Fonts, mark: &Mark) -> Area {
    match mark {
        Mark::Text { x, baseline, size, face, text } => [
            *x,
            baseline - fonts.ascent(*face) * size,
            x + fonts.width(*face, text) * size,
            baseline + fonts.descent(*face) * size,
        ],
        Mark::Box { x, y, width, height } => [*x, *y, x + width, y + height],
    }
}

fn meet(a: &Area, b: &Area) -> bool {
    let slack = 0.05;
    a[0] + slack < b[2] && b[0] + slack < a[2] && a[1] + slack < b[3] && b[1] + slack < a[3]
}

/// Asserts that texts lie over nothing and stay within the margins.
fn assert_sound(fonts: &Fonts, page: &Page, what: &str) {
    let areas: Vec<(bool, Area, &Mark)> = page
        .marks
        .iter()
        .map(|mark| (matches!(mark, Mark::Text { .. }), area(fonts, mark), mark))
        .collect();
    let slack = 0.5;
    for (index, (is_text, here, mark)) in areas.iter().enumerate() {
        let [left, top, right, bottom] = *here;
        let inside = left >= LEFT - slack && right <= page.width - RIGHT + slack;
        assert!(inside && top >= MARGIN - slack, "{what}: {mark:?} leaves the page");
        let foot = page.height - if top > page.height - MARGIN { 0.0 } else { MARGIN };
        assert!(bottom <= foot + slack, "{what}: {mark:?} leaves the page at the foot");
        for (other_is_text, there, other) in &areas[index + 1..] {
            let matters = *is_text || *other_is_text;
            assert!(!(matters && meet(here, there)), "{what}: {mark:?} lies over {other:?}");
        }
    }
}

/// Every character of a form but blanks, sorted.
fn characters(form: &Form) -> Vec<char> {
    let line = |line: &Line| line.spans.iter().map(|span| span.text.clone()).collect::<String>();
    let lines = |lines: &[Line]| lines.iter().map(line).collect::<String>();
    let text = |block: &Block| match block {
        Block::Head { left, right } => lines(left) + &lines(right),
        Block::Title { lines: title, .. } => lines(title),
        Block::Text(text) => line(text),
        Block::Table(table) => table.rows.concat().concat(),
        Block::Signatures(all) => {
            all.iter().map(|one| one.role.clone() + &one.hint + &one.name).collect()
        }
    };
    sorted(&form.blocks.iter().map(text).collect::<String>())
}

fn sorted(text: &str) -> Vec<char> {
    let mut characters: Vec<char> = without_blanks(text).chars().collect();
    characters.sort_unstable();
    characters
}

#[test]
fn nothing_lies_over_anything_and_nothing_leaves_the_page() {
    let fonts = Fonts::embedded();
    for facts in [bare(), facts(), long()] {
        for form in every_form(&facts) {
            for (number, page) in pages(&form).iter().enumerate() {
                assert_sound(&fonts, page, &format!("{:?} page {number}", form.kind));
            }
        }
    }
}

#[test]
fn no_character_gets_lost_at_a_line_or_a_page() {
    for facts in [bare(), facts(), long()] {
        for form in every_form(&facts) {
            let pages = pages(&form);
            let count = pages.len();
            let mut placed = String::new();
            for (index, page) in pages.iter().enumerate() {
                let text = joined(&page.marks);
                let dash = if form.foot.is_empty() { "" } else { " - " };
                let foot = format!("{}{dash}Trang {}/{count}", form.foot, index + 1);
                let foot = without_blanks(&foot);
                placed += text.strip_suffix(&foot).expect("a page ends with its foot");
            }
            let titles: String = form.blocks.iter().map(titles).collect();
            let titles = without_blanks(&titles);
            let heads = if titles.is_empty() { 0 } else { placed.matches(&titles).count() };
            assert!(titles.is_empty() || heads > 0, "{:?} names its columns", form.kind);
            let body = if heads > 0 { placed.replace(&titles, "") } else { placed };
            assert_eq!(sorted(&body), characters(&form), "{:?}", form.kind);
        }
    }
}

fn titles(block: &Block) -> String {
    match block {
        Block::Table(table) => table.columns.iter().map(|(title, _)| title.as_str()).collect(),
        _ => String::new(),
    }
}

#[test]
fn the_rule_below_the_motto_is_as_long_as_it_and_that_below_the_office_less_than_half() {
    let fonts = Fonts::embedded();
    for form in every_form(&facts()) {
        let marks = &pages(&form)[0].marks;
        let with_rule = marks.windows(2).filter_map(|pair| match pair {
            [text @ Mark::Text { .. }, Mark::Box { x, width, height, .. }] if *height < 1.0 => {
                Some((area(&fonts, text), *x, *width))
            }
            _ => None,
        });
        let shares: Vec<f32> = with_rule
            .map(|([left, _, right, _], x, width)| {
                let middle = (x + width / 2.0) - f32::midpoint(left, right);
                assert!(middle.abs() < 0.5, "{:?}: the rule stands in the middle", form.kind);
                width / (right - left)
            })
            .take(2)
            .collect();
        let [office, motto] = shares[..] else { panic!("{:?}: {shares:?}", form.kind) };
        assert!((0.33..0.5).contains(&office), "{:?}: {office}", form.kind);
        assert!((motto - 1.0).abs() < 0.01, "{:?}: {motto}", form.kind);
    }
}

#[test]
fn a_receipt_of_every_day_fits_one_page() {
    assert_eq!(pages(&compose(FormKind::Receipt, &facts())).len(), 1);
}

#[test]
fn lines_stand_closer_where_that_saves_a_page() {
    let fonts = Fonts::embedded();
    let mut facts = facts();
    let (mut saved, mut over) = (0, 0);
    while over == 0 {
        let form = compose(FormKind::Receipt, &facts);
        let (usual, chosen) = (placed(&form, &fonts, 1.0).len(), pages(&form).len());
        assert!(chosen <= usual, "{chosen} pages instead of {usual}");
        saved += usize::from(chosen < usual);
        over += usize::from(chosen > 1);
        let paper = facts.papers.first().expect("it has papers").clone();
        facts.papers.push(paper);
    }
    assert!(saved > 2, "{saved} receipts fit one page after all");
}

#[test]
fn every_page_of_a_long_table_repeats_its_head() {
    let form = compose(FormKind::Slip, &long());
    let with_lines: Vec<Page> =
        pages(&form).into_iter().filter(|page| joined(&page.marks).contains("Chuyển")).collect();
    assert!(with_lines.len() > 5, "{} pages", with_lines.len());
    for page in &with_lines {
        assert_eq!(joined(&page.marks).matches("TÊNCƠQUAN").count(), 1);
    }
}
