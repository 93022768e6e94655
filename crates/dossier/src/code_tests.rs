use lienthong_protocol::Moment;

use super::is_procedure;
use crate::{Code, CodeError};

/// 2026-01-05 00:00 in Asia/Ho_Chi_Minh.
const MIDNIGHT: Moment = Moment(1_767_546_000_000);

#[test]
fn real_codes_are_read_and_never_rewritten() {
    for text in ["000.00.19.H47-260105-0001", "H57.132-260804-0583", "H57-260804-12345"] {
        assert_eq!(Code::parse(text).expect("a real code").to_string(), text);
    }
    assert!(Code::parse("H57.1.22.333.4-260804-0583").is_ok());
    let code = Code::parse("000.00.19.H47-260105-0017").expect("a real code");
    assert_eq!((code.unit(), code.day(), code.serial()), ("000.00.19.H47", "260105", 17));
}

#[test]
fn what_has_not_the_form_is_no_code() {
    let wrong = [
        "",
        "H57",
        "000.00.19.H47-260105-001",
        "000.00.19.H47-260105-000001",
        "000.00.19.H47-26010-0001",
        "00.00.19.H47-260105-0001",
        "000.00.19.h47-260105-0001",
        "000.00.19.H47-260105-0001-2",
        "H57.1.2.3.4.5-260804-0583",
        "H57.1234-260804-0583",
        "H57.-260804-0583",
        "H5７-260804-0583",
        " H57-260804-0583",
        "000.00.19-260804-0583",
    ];
    for text in wrong {
        assert_eq!(Code::parse(text), Err(CodeError::Form { text: text.into() }));
    }
}

#[test]
fn a_code_carries_the_local_day_and_its_serial() {
    let issue = |at, serial| Code::issue("000.00.19.H47", at, serial).map(String::from);
    assert_eq!(issue(MIDNIGHT, 1).as_deref(), Ok("000.00.19.H47-260105-0001"));
    let before = Moment(MIDNIGHT.0 - 1);
    assert_eq!(issue(before, 9_999).as_deref(), Ok("000.00.19.H47-260104-9999"));
    assert_eq!(issue(MIDNIGHT, 10_000).as_deref(), Ok("000.00.19.H47-260105-10000"));
    for serial in [0, 100_000] {
        assert_eq!(issue(MIDNIGHT, serial), Err(CodeError::Serial { serial }));
    }
    let unit_code = "Hội An".to_owned();
    assert_eq!(Code::issue("Hội An", MIDNIGHT, 1), Err(CodeError::Unit { unit_code }));
}

#[test]
fn procedure_codes_have_two_forms() {
    for code in ["1.002835.000.00.00.H56", "2.002621.H56"] {
        assert!(is_procedure(code), "{code}");
    }
    let wrong =
        ["", "1.002835", "1.02835.H56", "1.002835.000.00.H56", "1.002835.H5", "x.002835.H56"];
    for code in wrong {
        assert!(!is_procedure(code), "{code}");
    }
}
