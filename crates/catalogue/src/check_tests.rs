//! Each fault of a catalogue file is told with file, line, field and remedy.

use crate::catalogue::Edition;
use crate::source::SourceError;

const SAMPLE: &str = concat!(
    r#"schema = 1
[catalogue]
publisher = "HUB"
version = 1
reform_from = "2025-07-01"
[[role]]
id = "xa"
name = "Ủy ban nhân dân cấp xã"
tier = "commune"
office = "EAST"
[[role]]
id = "huyen"
name = "Ủy ban nhân dân cấp huyện"
tier = "district"
successor = "xa"
[[procedure]]
code = "1.001193.H47"
name = "Thủ tục đăng ký khai sinh"
field = "Hộ tịch"
group = "civil-status"
level = "commune"
role = "xa"
received_by = ["xa"]
channels = ["counter", "online"]
sets = 1
results = ["Giấy khai sinh"]
decision_from = "2023-07-04"
assumed = ["fees"]
source = "dng:92"
limits = [{ amount = 3, unit = "working_day" }]
components = [{ code = "TP01", name = "Tờ khai", originals = 1, copies = 0 }, "#,
    r#"{ code = "TP02", name = "Đơn", originals = 1, copies = 0 }]
fees = [{ vnd = 5000, per = "hồ sơ" }]
[procedure.flow]
kind = "sequential"
lead = "huyen"
amount = 5
unit = "day"
steps = [{ role = "xa", act = "kiểm tra", amount = 1, unit = "day", parallel = "a" }]
[[procedure.revision]]
version = 2
valid_from = "2025-07-01"
role = "xa"
[[procedure.revision]]
version = 3
valid_from = "2026-01-01"
limits = [{ amount = 2, unit = "working_day" }]
[[procedure]]
code = "1.000894.H47"
name = "Thủ tục đăng ký kết hôn"
field = "Hộ tịch"
group = "civil-status"
level = "commune"
role = "xa"
channels = ["counter"]
results = ["Giấy chứng nhận kết hôn"]
source = "dng:90"
limits = [{ amount = 1, unit = "same_day" }]
"#
);

fn faults(text: &str) -> Vec<SourceError> {
    Edition::parse("x.toml", text).err().unwrap_or_default()
}

/// Replaces one text and asserts that exactly this fault is told.
#[track_caller]
fn refuses(good: &str, bad: &str, (line, field, cause): (usize, &str, &str)) {
    assert!(SAMPLE.contains(good), "{good} is not in the sample");
    let told = faults(&SAMPLE.replacen(good, bad, 1));
    let places: Vec<_> = told.iter().map(|told| (told.line, told.field.as_str())).collect();
    assert_eq!(places, [(line, field)], "{told:?}");
    assert!(told[0].cause.contains(cause), "{}", told[0].cause);
    assert!(told[0].to_string().starts_with(&format!("x.toml:{line}: {field}: ")));
    assert!(!told[0].remedy().is_empty());
}

#[test]
fn the_sample_is_sound() {
    assert_eq!(faults(SAMPLE), []);
}

#[test]
fn another_schema_is_refused() {
    refuses("schema = 1", "schema = 2\nnew = 1", (1, "schema", "is 2, this version reads 1"));
}

#[test]
fn a_text_that_is_no_toml_is_refused() {
    refuses("sets = 1", "sets = ", (25, "file", ""));
}

#[test]
fn an_unknown_field_is_refused() {
    refuses("sets = 1", "set = 1", (25, "procedure[0].set", "unknown field"));
    refuses("kind = \"seq", "form = 1\nkind = \"seq", (34, "procedure[0].flow.form", "unknown"));
}

#[test]
fn a_missing_field_is_refused() {
    refuses("level = \"commune\"\n", "", (16, "procedure[0]", "missing field `level`"));
}

#[test]
fn a_limit_without_unit_is_refused() {
    let bad = "limits = [{ amount = 3 }]";
    let good = "limits = [{ amount = 3, unit = \"working_day\" }]";
    refuses(good, bad, (30, "procedure[0].limits[0]", "missing field `unit`"));
    let field = "procedure[0].flow.amount";
    refuses("amount = 5\nunit = \"day\"", "amount = 5", (36, field, "has no unit"));
    let field = "procedure[0].flow.steps[0].amount";
    refuses("1, unit = \"day\"", "1", (38, field, "has no unit"));
}

#[test]
fn a_limit_of_nothing_or_of_an_unknown_unit_is_refused() {
    let field = "procedure[0].limits[0].amount";
    refuses("amount = 3", "amount = 0", (30, field, "the least is half a unit"));
    refuses("amount = 3", "amount = 99999", (30, field, "the most is 3650"));
    let field = "procedure[0].limits[0].unit";
    refuses(
        "3, unit = \"working_day\"",
        "3, unit = \"week\"",
        (30, field, "unknown variant `week`"),
    );
    let field = "procedure[0].limits";
    refuses("[{ amount = 3, unit = \"working_day\" }]", "[]", (30, field, "holds no limit"));
}

#[test]
fn a_limit_for_accepting_is_checked_like_any_other() {
    let with = |limit: &str| {
        let line = format!("version = 1\naccept_within = {limit}\n");
        faults(&SAMPLE.replacen("version = 1\n", &line, 1))
    };
    assert_eq!(with(r#"{ amount = 8, unit = "hour", source = "luật" }"#), []);
    let faulty = [
        (r#"{ amount = 0, unit = "hour" }"#, "catalogue.accept_within.amount"),
        (r#"{ amount = 29201, unit = "hour" }"#, "catalogue.accept_within.amount"),
        (r#"{ amount = 8 }"#, "catalogue.accept_within"),
        (r#"{ amount = 8, unit = "hour", source = " " }"#, "catalogue.accept_within.source"),
        (r#"{ amount = 8, unit = "hour", days = 1 }"#, "catalogue.accept_within.days"),
    ];
    for (limit, field) in faulty {
        let told = with(limit);
        let places: Vec<_> = told.iter().map(|told| (told.line, told.field.as_str())).collect();
        assert_eq!(places, [(5, field)], "{limit}: {told:?}");
    }
}

#[test]
fn an_unknown_channel_is_refused() {
    let field = "procedure[0].channels[1]";
    refuses("\"online\"", "\"fax\"", (24, field, "unknown variant `fax`"));
    refuses("\"online\"", "\"counter\"", (24, "procedure[0].channels", "names a channel twice"));
    let field = "procedure[0].channels";
    refuses("[\"counter\", \"online\"]", "[]", (24, field, "holds no channel"));
}

#[test]
fn an_unknown_role_is_refused() {
    let cause = "there is no role 'no'";
    refuses("\nrole = \"xa\"\nrec", "\nrole = \"no\"\nrec", (22, "procedure[0].role", cause));
    refuses("[\"xa\"]", "[\"no\"]", (23, "procedure[0].received_by[0]", cause));
    refuses("lead = \"huyen\"", "lead = \"no\"", (35, "procedure[0].flow.lead", cause));
    let step = "procedure[0].flow.steps[0].role";
    refuses("{ role = \"xa\"", "{ role = \"no\"", (38, step, cause));
    let revision = "procedure[0].revision[0].role";
    refuses("-01\"\nrole = \"xa\"", "-01\"\nrole = \"no\"", (42, revision, cause));
    refuses("successor = \"xa\"", "successor = \"no\"", (15, "role[1].successor", cause));
}

#[test]
fn two_roles_with_one_id_are_refused() {
    let bad = "successor = \"xa\"\n[[role]]\nid = \"xa\"\nname = \"X\"\ntier = \"any\"";
    refuses("successor = \"xa\"", bad, (17, "role[2].id", "'xa' is given to two roles"));
}

#[test]
fn an_unknown_tier_is_refused() {
    refuses("tier = \"district\"", "tier = \"county\"", (14, "role[1].tier", "'county'"));
    let field = "procedure[0].level";
    refuses("level = \"commune\"", "level = \"county\"", (21, field, "'county' is not known"));
}

#[test]
fn two_procedures_with_one_code_are_refused() {
    let cause = "'1.001193.H47' is the code of two procedures, also procedure[0].code";
    refuses("1.000894.H47", "1.001193.H47", (48, "procedure[1].code", cause));
    let bad = "version = 3\ncode = \"1.000894.H47\"";
    let cause = "'1.000894.H47' is the code of two procedures";
    refuses("version = 3", bad, (49, "procedure[1].code", cause));
}

#[test]
fn a_code_of_another_form_is_refused() {
    for code in ["DNG-1", "1.001193", "1.001193.h47", "1.001193.H47 ", ""] {
        refuses("1.001193.H47", code, (17, "procedure[0].code", "is no code of a procedure"));
    }
}

#[test]
fn a_revision_out_of_order_is_refused() {
    let field = "procedure[0].revision[1].version";
    refuses("version = 3", "version = 2", (44, field, "is 2, the one before has 2"));
    let field = "procedure[0].revision[0].version";
    refuses("version = 2", "version = 1", (40, field, "is 1, the one before has 1"));
    let field = "procedure[0].revision[1].valid_from";
    refuses("2026-01-01", "2025-07-01", (45, field, "the one before holds from 2025-07-01"));
}

#[test]
fn a_day_that_does_not_exist_is_refused() {
    let field = "procedure[0].decision_from";
    refuses("2023-07-04", "2023-02-30", (27, field, "`2023-02-30` is not a day that exists"));
    let field = "procedure[0].revision[0].valid_from";
    refuses("valid_from = \"2025-07-01\"", "valid_from = \"2025-7-1\"", (41, field, "2025-7-1"));
}

#[test]
fn a_component_code_given_twice_is_refused() {
    let field = "procedure[0].components[1].code";
    refuses("TP02", "TP01", (31, field, "is given to two components"));
}

#[test]
fn a_text_that_is_empty_or_too_long_is_refused() {
    let field = "procedure[0].name";
    refuses("Thủ tục đăng ký khai sinh", " ", (18, field, "is empty"));
    let long = "ồ".repeat(501);
    let cause = "has 501 characters, the limit is 500";
    refuses("Thủ tục đăng ký khai sinh", &long, (18, field, cause));
    let field = "procedure[0].fees[0].per";
    refuses("per = \"hồ sơ\"", "per = \"\\u0007\"", (32, field, "has a control character"));
}

#[test]
fn letters_in_parts_behind_escapes_are_refused() {
    let field = "procedure[0].field";
    refuses("field = \"Hộ", "field = \"Ho\\u0323\\u0302", (19, field, "is not in Unicode NFC"));
}

#[test]
fn an_unknown_part_is_refused() {
    refuses("[\"fees\"]", "[\"price\"]", (28, "procedure[0].assumed[0]", "'price' is not known"));
}

#[test]
fn no_sets_no_results_and_no_steps_are_refused() {
    refuses("sets = 1", "sets = 0", (25, "procedure[0].sets", "is 0"));
    refuses("[\"Giấy khai sinh\"]", "[]", (26, "procedure[0].results", "holds no result"));
    let steps =
        "[{ role = \"xa\", act = \"kiểm tra\", amount = 1, unit = \"day\", parallel = \"a\" }]";
    refuses(steps, "[]", (38, "procedure[0].flow.steps", "holds no step"));
    refuses("version = 1", "version = 0", (4, "catalogue.version", "is 0"));
}

#[test]
fn a_fee_beyond_reason_and_a_wrong_letter_are_refused() {
    let cause = "the limit is 1000000000000";
    refuses("5000", "9000000000000", (32, "procedure[0].fees[0].vnd", cause));
    let field = "procedure[0].flow.steps[0].parallel";
    refuses("parallel = \"a\"", "parallel = \"Ă\"", (38, field, "is no small letter"));
}

#[test]
fn every_fault_of_a_file_is_told_at_once() {
    let bad = SAMPLE.replace("role = \"xa\"", "role = \"no\"").replace("sets = 1", "sets = 0");
    assert_eq!(faults(&bad).len(), 5);
    let many = SAMPLE
        .replace("results = [\"Giấy khai sinh\"]", &format!("results = [{}]", "\"\",".repeat(99)));
    assert_eq!(faults(&many).len(), 99);
}

#[test]
fn lists_without_end_are_refused() {
    let long = format!("[{}]", "\"a\",".repeat(101));
    let cause = "has 101 entries, the limit is 100";
    refuses("[\"Giấy khai sinh\"]", &long, (26, "procedure[0].results", cause));
}
