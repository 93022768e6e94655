//! A limit is chosen by case and channel; a revision changes what it names and nothing else.

use super::*;

fn limit(amount: u32, case: Option<&str>, channel: Option<Channel>) -> LegalLimit {
    LegalLimit {
        amount,
        half: false,
        unit: Unit::WorkingDay,
        case: case.map(str::to_owned),
        channel,
        extension: false,
        assumed: false,
        assumed_unit: false,
        note: None,
    }
}

fn procedure(limits: Vec<LegalLimit>) -> Procedure {
    const TEXT: &str = r#"
        code = "1.001193.H47"
        name = "Thủ tục đăng ký khai sinh"
        field = "Hộ tịch"
        group = "civil-status"
        level = "commune"
        role = "ubnd-xa"
        channels = ["counter"]
        results = ["Giấy khai sinh"]
        decision = "427/QĐ-UBND"
        note = "theo nguồn"
        source = "dng:92"
        limits = []
        fees = [{ vnd = 5000, per = "hồ sơ" }]
        [[revision]]
        version = 2
        valid_from = "2025-07-01"
        code = "1.009999.H47"
        levels = ["province", "commune"]
        decision = "163/QĐ-BTP"
        [[revision]]
        version = 4
        valid_from = "2026-01-01"
        name = "Đăng ký khai sinh"
        components = [{ code = "TP01", name = "Tờ khai", originals = 1, copies = 0 }]"#;
    let procedure: Procedure = toml::from_str(TEXT).expect("the sample is sound");
    Procedure { limits, ..procedure }
}

#[test]
fn the_limit_that_fits_best_is_chosen() {
    let online = Some(Channel::Online);
    let limits = vec![
        limit(1, None, online),
        limit(2, Some("phải xác minh"), None),
        limit(3, None, None),
        limit(4, Some("phải xác minh"), online),
        LegalLimit { extension: true, ..limit(5, Some("phức tạp"), None) },
    ];
    let procedure = procedure(limits);
    let amount = |case, channel| procedure.limit(case, channel).map(|limit| limit.amount);
    assert_eq!(amount(None, None), Some(3), "the usual one");
    assert_eq!(amount(None, Some(Channel::Post)), Some(3));
    assert_eq!(amount(None, online), Some(1));
    assert_eq!(amount(Some("phải xác minh"), None), Some(2));
    assert_eq!(amount(Some("phải xác minh"), online), Some(4));
    assert_eq!(amount(Some("phức tạp"), None), Some(3), "an extension replaces nothing");
    let more: Vec<u32> = procedure.extensions(Some("phức tạp")).map(|limit| limit.amount).collect();
    assert_eq!(more, [5]);
    assert_eq!(procedure.extensions(None).count(), 0);
}

#[test]
fn without_a_usual_limit_the_first_one_holds() {
    let procedure =
        procedure(vec![limit(7, Some("cấp mới"), None), limit(8, Some("cấp lại"), None)]);
    assert_eq!(procedure.limit(None, None).map(|limit| limit.amount), Some(7));
}

#[test]
fn a_revision_changes_what_it_names_and_leaves_the_rest() {
    let versions = procedure(vec![limit(3, None, None)]).versions();
    let numbers: Vec<u32> = versions.iter().map(|version| version.version).collect();
    assert_eq!(numbers, [1, 2, 4]);
    let [first, second, last] = [0, 1, 2].map(|at| &versions[at].procedure);
    assert_eq!((first.code.as_str(), second.code.as_str()), ("1.001193.H47", "1.009999.H47"));
    assert_eq!(
        (second.level.as_str(), &second.also_levels[..]),
        ("province", &["commune".into()][..])
    );
    assert_eq!(second.name, first.name);
    assert_eq!(second.limits, first.limits);
    assert_eq!(second.decision.as_deref(), Some("163/QĐ-BTP"));
    assert_eq!(second.note, None, "the remark was about the first version");
    assert_eq!((last.code.as_str(), last.name.as_str()), ("1.009999.H47", "Đăng ký khai sinh"));
    assert_eq!((last.components.len(), last.fees.len()), (1, 1));
    assert!(versions.iter().all(|version| version.procedure.revisions.is_empty()));
    assert_eq!(versions[0].valid_from, None);
}

#[test]
fn counters_are_those_of_the_role_unless_others_are_named() {
    let mut procedure = procedure(vec![limit(3, None, None)]);
    assert_eq!(procedure.receivers(), ["ubnd-xa"]);
    procedure.received_by = vec!["ubnd-huyen".into()];
    assert_eq!(procedure.receivers(), ["ubnd-huyen"]);
}
