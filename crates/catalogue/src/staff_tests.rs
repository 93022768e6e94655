//! The sample staff list is read; who may do what follows from days, powers and delegations.

use super::*;
use crate::day::day;

const SAMPLE: &str = include_str!("../../../config/quang-nam/staff.toml");

fn sample() -> Staff {
    Staff::parse("staff.toml", SAMPLE).expect("the sample is sound")
}

fn office(name: &str) -> OfficeId {
    name.parse().expect("the tests name offices well")
}

/// Asks the sample; gives the code of the refusal.
fn ask(officer: &str, at: &str, power: Power, (procedure, on): (&str, &str)) -> &'static str {
    let on = day(on).expect("the tests name days that exist");
    let answer = sample().may(officer, office(at), power, procedure, on);
    answer.map_or_else(|refusal| refusal.code(), |()| "may")
}

#[test]
fn the_sample_is_read() {
    let staff = sample();
    assert_eq!((staff.office(), staff.version()), (office("QNM-HCC"), 1));
    assert_eq!((staff.officers().len(), staff.delegations().len()), (5, 2));
    assert_eq!(staff.officers()[0].to, None);
}

#[test]
fn an_officer_works_within_the_dates_of_the_secondment() {
    let ask = |on| ask("stnmt-1", "QNM-STNMT", Power::Process, ("1.010733.H47", on));
    for (on, expected) in [
        ("2017-06-04", "officer-outside-dates"),
        ("2017-06-05", "may"),
        ("2018-06-04", "may"),
        ("2018-06-05", "officer-outside-dates"),
        ("2019-01-01", "officer-outside-dates"),
        ("2019-01-02", "may"),
        ("2020-01-01", "officer-outside-dates"),
    ] {
        assert_eq!(ask(on), expected, "{on}");
    }
}

#[test]
fn own_powers_hold_for_the_office_and_for_the_home_agency_alone() {
    let ask = |officer, at, power| ask(officer, at, power, ("1.010733.H47", "2017-09-01"));
    assert_eq!(ask("hcc-tiep-nhan-1", "QNM-HCC", Power::Intake), "may");
    assert_eq!(ask("hcc-tiep-nhan-1", "QNM-HCC", Power::Sign), "officer-without-power");
    assert_eq!(ask("hcc-tiep-nhan-1", "QNM-STP", Power::Intake), "officer-without-power");
    assert_eq!(ask("stp-1", "QNM-STP", Power::Decide), "may");
    assert_eq!(ask("stp-1", "QNM-STNMT", Power::Decide), "officer-without-power");
    assert_eq!(ask("nobody", "QNM-HCC", Power::Intake), "officer-unknown");
}

#[test]
fn a_delegation_holds_for_its_procedures_powers_and_days() {
    let sign = |procedure, on| ask("stnmt-1", "QNM-STNMT", Power::Sign, (procedure, on));
    assert_eq!(sign("1.010727.H47", "2017-06-30"), "delegation-outside-dates");
    assert_eq!(sign("1.010727.H47", "2017-07-01"), "may");
    assert_eq!(sign("1.010727.H47", "2018-03-31"), "may");
    assert_eq!(sign("1.010727.H47", "2018-04-01"), "delegation-outside-dates");
    assert_eq!(sign("1.010733.H47", "2017-07-01"), "delegation-other-procedure");
    let any = |procedure| ask("stp-1", "QNM-STP", Power::Sign, (procedure, "2019-01-01"));
    assert_eq!((any("2.000488.H47"), any("1.003160.H47")), ("may", "may"), "it names no procedure");
    let late = ask("stp-1", "QNM-STP", Power::Sign, ("2.000488.H47", "2019-06-05"));
    assert_eq!(late, "officer-outside-dates", "a delegation does not outlast the secondment");
}

#[test]
fn one_of_two_delegations_is_enough() {
    let more = format!(
        "{SAMPLE}\n[[delegation]]\ngrantor = \"QNM-STNMT\"\ngrantee = \"stnmt-1\"\n\
         powers = [\"sign\"]\nfrom = \"2018-04-01\"\ndecision = \"03/QĐ-MẪU\"\n"
    );
    let staff = Staff::parse("staff.toml", &more).expect("it is sound");
    let may = |on| {
        let on = day(on).expect("the tests name days that exist");
        staff.may("stnmt-1", office("QNM-STNMT"), Power::Sign, "1.010727.H47", on)
    };
    assert_eq!(may("2017-07-01"), Ok(()), "by the first");
    assert_eq!(may("2018-05-01"), Ok(()), "by the second");
}

#[test]
fn a_refusal_says_what_why_and_what_to_do_in_both_languages() {
    let on = day("2018-06-05").expect("it exists");
    let refused = sample().may("stnmt-1", office("QNM-STNMT"), Power::Process, "1.010733.H47", on);
    let refusal = refused.expect_err("the secondment is over");
    let words = "officer 'stnmt-1' works here from 2017-06-05 to 2018-06-04, not on 2018-06-05";
    assert_eq!(refusal.to_string(), words);
    let words =
        "cán bộ 'stnmt-1' làm việc tại đây từ 2017-06-05 đến 2018-06-04, không gồm 2018-06-05";
    assert_eq!(refusal.cause_vi(), words);
    assert!(refusal.remedy().contains("publish the new secondment"));
    assert!(refusal.remedy_vi().contains("quyết định biệt phái mới"));
    assert!(!refusal.to_string().contains("Cán bộ mẫu"), "names stay out of errors");
}

/// Replaces one text of the sample and asserts that exactly this fault is told.
#[track_caller]
fn refuses(good: &str, bad: &str, (field, cause): (&str, &str)) {
    assert!(SAMPLE.contains(good), "{good} is not in the sample");
    let told = Staff::parse("staff.toml", &SAMPLE.replacen(good, bad, 1)).err().unwrap_or_default();
    let fields: Vec<&str> = told.iter().map(|told| told.field.as_str()).collect();
    assert_eq!(fields, [field], "{told:?}");
    assert!(told[0].cause.contains(cause), "{}", told[0].cause);
    assert!(told[0].line > 1 && !told[0].remedy().is_empty());
}

#[test]
fn a_last_day_before_the_first_is_refused() {
    let cause = "is 2016-06-04, before the first day 2017-06-05";
    refuses("to = \"2018-06-04\"", "to = \"2016-06-04\"", ("officer[2].to", cause));
    refuses("to = \"2018-03-31\"", "to = \"2017-03-31\"", ("delegation[0].to", "before"));
}

#[test]
fn one_id_for_two_people_at_once_is_refused() {
    let cause = "is that of somebody who works on the same days";
    refuses("id = \"hcc-tiep-nhan-1\"", "id = \"hcc-giam-doc\"", ("officer[1].id", cause));
    refuses("from = \"2019-01-02\"", "from = \"2018-06-04\"", ("officer[3].id", cause));
}

#[test]
fn a_delegation_to_nobody_is_refused() {
    let cause = "there is no officer 'x'";
    refuses("grantee = \"stnmt-1\"", "grantee = \"x\"", ("delegation[0].grantee", cause));
}

#[test]
fn an_unknown_power_and_no_power_are_refused() {
    refuses("[\"intake\"]", "[]", ("officer[1].powers", "holds no power"));
    refuses("[\"intake\"]", "[\"rule\"]", ("officer[1].powers[0]", "unknown variant `rule`"));
    refuses("[\"sign\"]", "[]", ("delegation[1].powers", "holds no power"));
}

#[test]
fn a_wrong_day_code_field_or_text_is_refused() {
    refuses("to = \"2018-06-04\"", "to = \"2018-06-31\"", ("officer[2].to", "2018-06-31"));
    refuses("[\"1.010727.H47\"]", "[\"x\"]", ("delegation[0].procedures[0]", "is no code"));
    refuses("counter = \"Quầy 1\"", "desk = \"Quầy 1\"", ("officer[1].desk", "unknown field"));
    refuses("\"Cán bộ mẫu A\"", "\"\"", ("officer[0].name", "is empty"));
    refuses("decision = \"01/QĐ-MẪU\"", "decision = \" \"", ("delegation[0].decision", "is empty"));
    refuses("office = \"QNM-HCC\"", "office = \"Quảng Nam\"", ("staff.office", "office id"));
}

#[test]
fn a_name_of_ten_kilobytes_is_refused() {
    let cause = "has 10240 characters, the limit is 200";
    refuses("Cán bộ mẫu A", &"a".repeat(10_240), ("officer[0].name", cause));
}
