use lienthong_protocol::OfficeId;

use crate::{Province, UnknownOffice};

const SAMPLE: &str = r#"schema = 1
[federation]
name = "Liên thông tỉnh Quảng Nam"
root = "HUB"
unit_suffix = "H47"
time_zone = "Asia/Ho_Chi_Minh"

[[office]]
id = "HUB"
name = "Trung tâm"
tier = "province"
unit_code = { code = "000.00.00.H47", assumed = true }
codes = [{ system = "gso", code = "49", valid_from = "2015-03-12", valid_to = "2020-01-31" }]

[[office]]
id = "HOIAN"
name = "Thành phố Hội An"
tier = "district"
parent = "HUB"
wave = 2017
unit_code = { code = "000.00.31.H47" }

[[office]]
id = "HOIAN-CAMHA"
name = "Xã Cẩm Hà"
tier = "commune"
kind = "xã"
parent = "HOIAN"
unit_code = { code = "000.01.31.H47" }

[[office]]
id = "TAMKY"
name = "Thành phố Tam Kỳ"
tier = "district"
parent = "HUB"
unit_code = { code = "000.00.32.H47" }
"#;

fn office(id: &str) -> OfficeId {
    id.parse().expect("the tests name valid office ids")
}

/// Replaces a text of the sample and checks what is said about it.
fn refuses(text: &str, with: &str, code: &str, message: &str) {
    assert!(SAMPLE.contains(text), "the sample has no '{text}'");
    let error = Province::parse(&SAMPLE.replacen(text, with, 1)).expect_err("it must be refused");
    assert_eq!(error.code(), code, "{error}");
    assert!(error.to_string().contains(message), "{error}");
    assert!(!error.remedy().is_empty());
}

#[test]
fn a_province_file_is_read() {
    let province = Province::parse(SAMPLE).expect("the sample is sound");
    assert_eq!(province.root, office("HUB"));
    let ids: Vec<_> = province.offices.iter().map(|office| office.id.to_string()).collect();
    assert_eq!(ids, ["HUB", "HOIAN", "HOIAN-CAMHA", "TAMKY"]);
    let hoian = &province.offices[1];
    assert_eq!((hoian.parent, hoian.wave), (Some(office("HUB")), Some(2017)));
    assert_eq!(hoian.unit_code, "000.00.31.H47");
}

#[test]
fn a_wrong_field_is_named_with_its_line() {
    refuses("schema = 1", "schema = 2", "province-schema", "line 1 of the");
    refuses("wave = 2017", "wafe = 2017", "province-shape", "line 20 of the");
    refuses("wave = 2017", "wave = ", "province-shape", "line 20 of the");
    refuses("name = \"Trung tâm\"\n", "", "province-shape", "missing field `name`");
    refuses("root = \"HUB\"", "root = \"H B\"", "province-id", "line 4 of the province file, root");
    refuses("000.00.32", "h", "province-text", "unit_code: 'h.H47' is not 1 to 32");
    refuses("2020-01-31", "2020-02-30", "province-text", "codes: '2020-02-30' is not a day");
    refuses("\"Xã Cẩm Hà\"", "\" \"", "province-text", "line 24 of the");
}

#[test]
fn offices_that_make_no_tree_are_named() {
    refuses("id = \"TAMKY\"", "id = \"HOIAN\"", "province-twice", "line 32 of the");
    refuses("000.00.32", "000.00.31", "province-twice", "unit_code: '000.00.31.H47' is given");
    refuses("root = \"HUB\"", "root = \"GONE\"", "province-no-root", "line 4 of the");
    refuses("parent = \"HUB\"", "parent = \"GONE\"", "province-tree", "line 16 of the");
    refuses("parent = \"HUB\"", "parent = \"HOIAN-CAMHA\"", "province-tree", "line 16 of the");
    refuses("parent = \"HUB\"\n", "", "province-tree", "line 16 of the province file, parent");
}

#[test]
fn a_subset_holds_the_offices_and_all_above_them() {
    let province = Province::parse(SAMPLE).expect("the sample is sound");
    let ids = |offices: &[&str]| {
        let offices: Vec<_> = offices.iter().map(|id| office(id)).collect();
        let subset = province.subset(&offices).expect("the offices are there");
        subset.offices.iter().map(|office| office.id.to_string()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&["HOIAN-CAMHA"]), ["HUB", "HOIAN", "HOIAN-CAMHA"]);
    assert_eq!(ids(&["TAMKY", "HOIAN"]), ["HUB", "HOIAN", "TAMKY"]);
    assert_eq!(ids(&[]), ["HUB"]);
    let office = office("GONE");
    assert_eq!(province.subset(&[office]), Err(UnknownOffice { office }));
}
