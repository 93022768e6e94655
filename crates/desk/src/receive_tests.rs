use super::*;

fn fields(pairs: &[(&str, &str)]) -> Fields {
    Fields(pairs.iter().map(|(name, value)| ((*name).into(), (*value).into())).collect())
}

#[test]
fn papers_are_proposed_until_somebody_writes() {
    let component = Component {
        code: "TP01".into(),
        name: "Tờ khai".into(),
        originals: "1".into(),
        copies: "2".into(),
        is_required: true,
    };
    assert_eq!(fields(&[]).papers("originals", &component), "1");
    assert_eq!(fields(&[]).papers("copies", &component), "2");
    let written = fields(&[("originals.TP01", ""), ("copies.TP01", "5")]);
    assert_eq!(written.papers("originals", &component), "");
    assert_eq!(written.papers("copies", &component), "5");
    let rare = Component { is_required: false, ..component };
    assert_eq!(fields(&[]).papers("originals", &rare), "0", "not every child is a foundling");
}

#[test]
fn only_what_was_handed_in_is_received_and_no_number_is_guessed() {
    let given = fields(&[
        ("originals.TP01", "1"),
        ("copies.TP01", ""),
        ("originals.TP02", "0"),
        ("copies.TP02", "0"),
    ]);
    let expected = json!([{ "code": "TP01", "originals": 1, "copies": 0 }]);
    assert_eq!(handed_in(&given), Ok(expected));
    for wrong in ["x", "-1", "99999999", "1.5"] {
        let refused = handed_in(&fields(&[("originals.TP01", wrong)])).expect_err("no number");
        assert!(refused.why.starts_with("originals.TP01: "), "{}", refused.why);
    }
    let most = handed_in(&fields(&[("originals.A", "65535"), ("copies.A", "65535")]));
    assert!(most.is_ok(), "the sum of two large numbers is not taken");
}

#[test]
fn another_procedure_keeps_the_person_and_drops_the_papers() {
    let kept = of_person(fields(&[
        ("applicant.name", "A"),
        ("originals.TP01", "1"),
        ("once", "k"),
        ("case", "c"),
    ]));
    assert_eq!(kept.0, [("applicant.name".to_owned(), "A".to_owned())]);
}
