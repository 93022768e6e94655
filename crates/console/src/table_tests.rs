//! Rows of a table become receptions, or are refused alone with line, code and cause.

use std::io::Cursor;

use super::*;
use lienthong_request::Exit;

fn table(text: &[u8]) -> Result<Table, Failure> {
    Table::open(Box::new(Cursor::new(text.to_vec())))
}

fn rows(text: &[u8]) -> Vec<Row> {
    let mut table = table(text).expect("a good first row");
    std::iter::from_fn(|| table.next().expect("reads")).collect()
}

fn only(text: &str) -> Result<Value, Failure> {
    let mut rows = rows(text.as_bytes());
    assert_eq!(rows.len(), 1, "{text}");
    rows.remove(0).value
}

const PLAIN: &str = "procedure,offices.receiving,applicant.name\n";

#[test]
fn cells_go_where_their_columns_say() {
    let text = "applicant.name,procedure,offices.receiving,offices.coordinating,version,\
                applicant.consents.sms,note,remark\n\
                \"Nguyễn, Văn An\",1.001193.H47, HILL ,EAST; WEST,2,x,\"hai\ndòng\",của tôi\n";
    let wanted = json!({
        "applicant": { "name": "Nguyễn, Văn An", "consents": { "sms": true } },
        "procedure": "1.001193.H47",
        "offices": { "receiving": "HILL", "coordinating": ["EAST", "WEST"] },
        "version": 2,
        "note": "hai\ndòng",
    });
    assert_eq!(only(text).expect("a reception"), wanted);
}

#[test]
fn every_column_leads_to_a_field_that_a_reception_has() {
    let cell = |path: &str, shape| match (path, shape) {
        (_, Shape::Number | Shape::Flag) => "1",
        (_, Shape::List) => "EAST",
        (_, Shape::Papers) => "TP01",
        ("parent_code", _) => "000.00.03.H47-260105-0001",
        ("channel", _) => "online",
        ("return_by", _) => "post",
        ("applicant.kind", _) => "firm",
        (path, _) if path.ends_with("id_kind") => "tax",
        (path, _) if path.starts_with("offices.") && path != "offices.shelf" => "HILL",
        _ => "0905123456",
    };
    let names: Vec<&str> = COLUMNS.iter().map(|(path, _)| *path).collect();
    let cells: Vec<&str> = COLUMNS.iter().map(|(path, shape)| cell(path, *shape)).collect();
    let value = only(&format!("{}\n{}\n", names.join(","), cells.join(","))).expect("fits");
    let read: lienthong_dossier::Reception =
        serde_json::from_value(value.clone()).expect("a reception has all these fields");
    let written = serde_json::to_value(read).expect("encodes");
    let is_whole = |shape| !matches!(shape, Shape::Ignored | Shape::Papers);
    for (path, shape) in COLUMNS.into_iter().filter(|(_, shape)| is_whole(*shape)) {
        let at =
            |value: &Value| path.split('.').fold(value.clone(), |value, key| value[key].clone());
        assert_eq!(at(&written), at(&value), "{path} {shape:?}");
    }
}

#[test]
fn components_are_codes_with_originals_and_copies() {
    let header = "procedure,offices.receiving,applicant.name,components\n";
    let papers = |cell: &str| only(&format!("{header}p,HILL,An,{cell}\n"));
    let one = |code: &str, originals: u16, copies: u16| {
        let count = (originals, copies);
        json!({ "code": code, "originals": count.0, "copies": count.1 })
    };
    for (cell, wanted) in [
        ("TP01", vec![one("TP01", 1, 0)]),
        ("TP01;TP02:1/2", vec![one("TP01", 1, 0), one("TP02", 1, 2)]),
        (" TP01 ; ; TP02 : 0 / 3 ;", vec![one("TP01", 1, 0), one("TP02", 0, 3)]),
    ] {
        let value = papers(cell).expect(cell);
        assert_eq!(value["components"], json!(wanted), "{cell}");
        let read: lienthong_dossier::Reception = serde_json::from_value(value).expect(cell);
        assert_eq!(read.components.len(), wanted.len(), "{cell}");
    }
    assert_eq!(papers("").expect("none")["components"], Value::Null);
    for cell in ["TP01:", "TP01:x/1", "TP01:1", "TP01:-1/0", ":1/1", "TP01:1/70000", "TP01:1/2/3"] {
        let refused = papers(cell).expect_err(cell);
        assert_eq!(refused.code, "bad-cell", "{cell}");
        assert!(refused.to_string().contains("TP01; TP02:1/2"), "{refused}");
    }
}

#[test]
fn a_mark_of_byte_order_semicolons_and_tabs_are_understood() {
    for text in [
        "\u{feff}procedure,offices.receiving,applicant.name\n1.001193.H47,HILL,An\n",
        "\u{feff}procedure;offices.receiving;applicant.name\r\n1.001193.H47;HILL;An\r\n",
        "procedure\toffices.receiving\tapplicant.name\n1.001193.H47\tHILL\tAn",
    ] {
        let value = only(text).expect("a reception");
        assert_eq!(value["applicant"]["name"], "An", "{text}");
        assert_eq!(value["procedure"], "1.001193.H47", "{text}");
    }
}

#[test]
fn rows_know_their_lines_and_blank_ones_are_passed_over() {
    let text = format!("{PLAIN}a,b,\"c\nd\"\n\n,,\ne,f,g\n");
    let rows = rows(text.as_bytes());
    let lines: Vec<u64> = rows.iter().map(|row| row.line).collect();
    assert_eq!(lines, [2, 6]);
    assert_eq!(rows[1].end, text.len() as u64);
}

#[test]
fn a_bad_row_is_refused_alone_and_its_cells_are_not_repeated() {
    let mut text =
        b"procedure,offices.receiving,applicant.name,version,applicant.consents.sms\n".to_vec();
    text.extend_from_slice("p,HILL,Bí Mật,1,x,more\n".as_bytes());
    text.extend_from_slice("p,HILL,Bí Mật,hai,x\n".as_bytes());
    text.extend_from_slice("p,HILL,Bí Mật,1,Bí Mật\n".as_bytes());
    text.extend_from_slice(b"p,HILL,B\xed M\xe2t,1,x\n");
    text.extend_from_slice(b"p,HILL,An,1,\n");
    let rows = rows(&text);
    let codes = rows.iter().map(|row| row.value.as_ref().map_err(|refused| refused.code.as_str()));
    let codes: Vec<_> = codes.map(Result::err).collect();
    let wanted = ["cells-do-not-fit", "bad-cell", "bad-cell", "not-utf8"].map(Some);
    assert_eq!(codes[..4], wanted);
    assert_eq!(codes[4], None);
    for refused in rows.iter().filter_map(|row| row.value.as_ref().err()) {
        assert_eq!(refused.exit, Exit::Refused);
        assert!(!refused.to_string().contains("Bí Mật"), "{refused}");
    }
}

#[test]
fn a_first_row_that_cannot_be_meant_imports_nothing() {
    for (text, words) in [
        ("procedure,offices.receiving\n", "'applicant.name' is missing"),
        ("procedure,offices.receiving,applicant.name,tên\n", "no column 'tên'"),
        ("procedure,procedure,offices.receiving,applicant.name\n", "'procedure' is there twice"),
        ("", "'procedure' is missing"),
    ] {
        let refused = table(text.as_bytes()).err().expect("refused");
        assert_eq!((refused.code.as_str(), refused.exit), ("bad-header", Exit::Usage));
        assert!(refused.to_string().contains(words), "{refused}");
    }
}

#[test]
fn a_quote_that_nobody_closes_ends_at_the_limit_of_a_row() {
    let mut text = format!("{PLAIN}a,b,c\nd,e,\"").into_bytes();
    text.resize(text.len() + 3 * MAX_ROW_BYTES, b'x');
    let mut table = table(&text).expect("a good first row");
    assert!(table.next().expect("reads").is_some());
    let refused = table.next().err().expect("refused");
    assert_eq!(refused.code, "unreadable-table");
    assert!(refused.to_string().contains("behind line 2"), "{refused}");
    assert!(refused.to_string().contains("limit of 1000000 bytes"), "{refused}");
}
