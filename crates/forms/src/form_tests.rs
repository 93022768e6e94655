use std::path::Path;

use serde_json::{Value, json};

use super::{Block, FormKind, compose};
use crate::fixture_tests::{bare, facts, long};

/// The layouts that reviewers have read. After a change that is meant, run the test with
/// `LIENTHONG_GOLDEN=write` and read the difference.
fn golden(kind: FormKind, name: &str, layout: &Value) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("golden");
    let path = folder.join(format!("{:02}-{name}.json", kind.number()));
    let text = serde_json::to_string_pretty(layout).expect("a layout encodes") + "\n";
    if std::env::var("LIENTHONG_GOLDEN").is_ok_and(|mode| mode == "write") {
        std::fs::write(&path, text).expect("the golden file is writable");
        return;
    }
    let expected = std::fs::read_to_string(&path).expect("the golden file exists");
    assert!(text == expected, "{} differs; see the layout:\n{text}", path.display());
}

#[test]
fn the_layout_of_every_form_is_the_one_that_was_reviewed() {
    for kind in FormKind::ALL {
        golden(kind, "whole", &json!(compose(kind, &facts())));
    }
    golden(FormKind::Receipt, "bare", &json!(compose(FormKind::Receipt, &bare())));
}

#[test]
fn a_form_has_a_number_and_a_word() {
    for kind in FormKind::ALL {
        assert_eq!(FormKind::of(kind.word()), Some(kind));
        assert_eq!(FormKind::of(&format!("{:02}", kind.number())), Some(kind));
        assert_eq!(FormKind::of(&kind.number().to_string()), Some(kind));
    }
    for wrong in ["", "0", "8", "receipts", "-1"] {
        assert_eq!(FormKind::of(wrong), None, "{wrong}");
    }
}

#[test]
fn only_the_receipt_has_a_qr_code_and_it_is_the_code_alone() {
    for facts in [facts(), bare(), long()] {
        for kind in FormKind::ALL {
            let form = compose(kind, &facts);
            let codes = form.blocks.iter().filter_map(|block| match block {
                Block::Title { qr, .. } => qr.clone(),
                _ => None,
            });
            let expected = (kind == FormKind::Receipt).then(|| facts.code.clone());
            assert_eq!(codes.collect::<Vec<_>>(), Vec::from_iter(expected), "{kind:?}");
        }
    }
}

#[test]
fn a_table_has_a_cell_for_every_column() {
    for facts in [facts(), bare(), long()] {
        for kind in FormKind::ALL {
            for block in compose(kind, &facts).blocks {
                let Block::Table(table) = block else { continue };
                assert!(!table.rows.is_empty(), "{kind:?} has lines, to write on if nothing else");
                for row in table.rows {
                    assert_eq!(row.len(), table.columns.len(), "{kind:?}");
                }
            }
        }
    }
}
