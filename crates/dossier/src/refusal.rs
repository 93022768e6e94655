//! Why a reception or an act is not taken, in words for the counter.

use std::fmt;

use lienthong_protocol::OfficeId;
use thiserror::Error;

use crate::act::Act;
use crate::status::Status;

/// Why data is not taken: which field, why, and what to do. Shows no value that may be personal.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{field}: {}", words.cause)]
pub struct Refusal {
    /// A fixed word for programs.
    pub code: &'static str,
    /// The field, as a path such as `applicant.phone`.
    pub field: String,
    /// The words for people.
    pub words: Box<Words>,
}

/// A cause and a remedy, in both languages.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Words {
    /// What is wrong, in English.
    pub cause: String,
    /// What to do, in English.
    pub remedy: String,
    /// What is wrong, in Vietnamese.
    pub cause_vi: String,
    /// What to do, in Vietnamese.
    pub remedy_vi: String,
}

impl Words {
    pub(crate) fn new(cause: String, remedy: &str, cause_vi: String, remedy_vi: &str) -> Words {
        Words { cause, remedy: remedy.to_owned(), cause_vi, remedy_vi: remedy_vi.to_owned() }
    }
}

/// A form that a field must have, in both languages.
#[derive(Clone, Copy)]
pub(crate) struct Form {
    pub(crate) code: &'static str,
    pub(crate) english: &'static str,
    pub(crate) vietnamese: &'static str,
}

impl Refusal {
    pub(crate) fn missing(field: &str) -> Refusal {
        let words = Words::new(
            "is missing".to_owned(),
            "fill it in",
            "còn thiếu".to_owned(),
            "nhập đầy đủ thông tin này",
        );
        Refusal { code: "missing", field: field.to_owned(), words: words.into() }
    }

    pub(crate) fn too_long(field: &str, chars: usize, limit: usize) -> Refusal {
        let words = Words::new(
            format!("has {chars} characters, the limit is {limit}"),
            "shorten it, or put the rest into a file",
            format!("dài {chars} ký tự, tối đa {limit}"),
            "rút gọn, hoặc đính kèm phần còn lại bằng tệp",
        );
        Refusal { code: "too-long", field: field.to_owned(), words: words.into() }
    }

    pub(crate) fn too_many(field: &str, count: usize, limit: usize) -> Refusal {
        let words = Words::new(
            format!("has {count} entries, the limit is {limit}"),
            "leave out what is not needed",
            format!("có {count} mục, tối đa {limit}"),
            "bỏ bớt những mục không cần thiết",
        );
        Refusal { code: "too-many", field: field.to_owned(), words: words.into() }
    }

    /// The catalogue that is in force has not what was named.
    pub(crate) fn not_offered(field: &str, code: &'static str) -> Refusal {
        let words = Words::new(
            "is not in the catalogue that is in force".to_owned(),
            "take it from `lienthong catalogue list`, or have it published",
            "không có trong danh mục thủ tục đang có hiệu lực".to_owned(),
            "chọn trong `lienthong catalogue list`, hoặc đề nghị công bố",
        );
        Refusal { code, field: field.to_owned(), words: words.into() }
    }

    /// The procedure, as it is in force, has not what was named.
    pub(crate) fn not_in_procedure(field: &str, code: &'static str, procedure: &str) -> Refusal {
        let words = Words {
            cause: format!("is no part of {procedure} as it is in force"),
            remedy: format!("take it from `lienthong catalogue show {procedure}`"),
            cause_vi: format!("không thuộc thủ tục {procedure} đang có hiệu lực"),
            remedy_vi: format!("chọn trong `lienthong catalogue show {procedure}`"),
        };
        Refusal { code, field: field.to_owned(), words: words.into() }
    }

    pub(crate) fn not_competent(office: OfficeId, role: &str, named: Option<OfficeId>) -> Refusal {
        let named = named.map(|named| named.to_string());
        let whom = named.as_deref().unwrap_or("the office of that role");
        let whom_vi = named.as_deref().unwrap_or("cơ quan đó");
        let words = Words {
            cause: format!("{office} does not decide about this procedure: {role} does"),
            remedy: format!("name {whom} as the competent office; yours may still receive it"),
            cause_vi: format!("{office} không có thẩm quyền với thủ tục này: {role} giải quyết"),
            remedy_vi: format!(
                "chọn {whom_vi} làm cơ quan giải quyết; cơ quan này vẫn tiếp nhận được"
            ),
        };
        let field = "offices.competent".to_owned();
        Refusal { code: "office-not-competent", field, words: words.into() }
    }

    pub(crate) fn control(field: &str) -> Refusal {
        let words = Words::new(
            "has a control character".to_owned(),
            "type it again instead of pasting it",
            "chứa ký tự điều khiển".to_owned(),
            "gõ lại thay vì dán",
        );
        Refusal { code: "control-character", field: field.to_owned(), words: words.into() }
    }

    pub(crate) fn form(field: &str, form: Form) -> Refusal {
        let words = Words::new(
            format!("is not {}", form.english),
            "correct it as the paper shows it",
            format!("không phải là {}", form.vietnamese),
            "sửa lại theo đúng giấy tờ",
        );
        Refusal { code: form.code, field: field.to_owned(), words: words.into() }
    }

    pub(crate) fn not_later(field: &str, held: &str) -> Refusal {
        let words = Words::new(
            format!("does not lie behind {held}, the due that holds"),
            "name a later day",
            format!("không sau ngày hẹn trả hiện tại {held}"),
            "chọn ngày muộn hơn",
        );
        Refusal { code: "due-not-later", field: field.to_owned(), words: words.into() }
    }

    pub(crate) fn office_twice(field: &str, office: OfficeId) -> Refusal {
        let words = Words::new(
            format!("names {office} twice"),
            "name each office once",
            format!("nêu {office} hai lần"),
            "mỗi cơ quan chỉ nêu một lần",
        );
        Refusal { code: "office-twice", field: field.to_owned(), words: words.into() }
    }
}

/// Why an act may not be done now; one of another office that is nevertheless there is kept and
/// does not count.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// It is of a kind that this version does not know, or of none.
    UnknownKind,
    /// The status that it meets does not allow it; none before the first act.
    Status(Option<Status>),
    /// Its office is not entitled to it now.
    NotEntitled {
        /// The offices that are.
        entitled: Vec<OfficeId>,
    },
    /// It names an office, and a node of another signed it.
    SignedByAnother {
        /// The office whose node signed it.
        signer: OfficeId,
    },
    /// It lacks something without which it says nothing.
    Missing {
        /// The field.
        field: &'static str,
    },
    /// It regards an act that is not there, that it did not see, or that does not fit.
    NoSuchAct,
    /// It takes back the act that opened the dossier, or one that was taken back already.
    Fixed,
    /// Its office owes no answer to the act that it regards.
    NotAsked,
    /// The receipt was used before in this dossier.
    ReceiptUsed,
    /// It pays back more than is left of the fee.
    RefundTooHigh {
        /// What is left, in đồng.
        left_vnd: u64,
    },
    /// The officer was rated before.
    RatedBefore,
    /// The officer did nothing in this dossier.
    NotAnOfficer,
    /// The applicant is told of that act by that way already.
    QueuedBefore,
    /// The applicant did not agree to be told by that way, or gave no address for it.
    NotAgreed,
    /// Another decision that it did not see lets another act hold.
    DecidedOtherwise,
    /// The dossier has more corrections than are looked at.
    TooManyCorrections,
}

impl Doubt {
    /// A fixed word for programs.
    pub fn code(&self) -> &'static str {
        match self {
            Doubt::UnknownKind => "unknown-act",
            Doubt::Status(_) => "act-not-allowed",
            Doubt::NotEntitled { .. } => "not-entitled",
            Doubt::SignedByAnother { .. } => "signed-by-another",
            Doubt::Missing { .. } => "missing",
            Doubt::NoSuchAct => "no-such-act",
            Doubt::Fixed => "act-fixed",
            Doubt::NotAsked => "not-asked",
            Doubt::ReceiptUsed => "receipt-used",
            Doubt::RefundTooHigh { .. } => "refund-too-high",
            Doubt::RatedBefore => "rated-before",
            Doubt::NotAnOfficer => "not-an-officer",
            Doubt::QueuedBefore => "queued-before",
            Doubt::NotAgreed => "not-agreed",
            Doubt::DecidedOtherwise => "decided-otherwise",
            Doubt::TooManyCorrections => "too-many-corrections",
        }
    }

    /// The cause and what a person can do about it, for an act that is in doubt.
    pub fn words(&self, act: &Act) -> Words {
        match self {
            Doubt::Status(status) => Doubt::of_status(*status, act),
            Doubt::NotEntitled { entitled } => Doubt::of_office(entitled, act),
            Doubt::SignedByAnother { signer } => Doubt::of_signer(*signer, act),
            Doubt::NoSuchAct | Doubt::Fixed | Doubt::NotAsked => self.of_regards(act),
            Doubt::ReceiptUsed | Doubt::RefundTooHigh { .. } => self.of_money(),
            Doubt::RatedBefore | Doubt::NotAnOfficer | Doubt::QueuedBefore | Doubt::NotAgreed => {
                self.of_applicant()
            }
            Doubt::UnknownKind => Words::new(
                format!("this version knows no act '{}'", act.kind),
                "install the latest version",
                format!("phiên bản này không biết việc \"{}\"", act.kind),
                "cài đặt phiên bản mới nhất",
            ),
            Doubt::Missing { field } => Words::new(
                format!("{} without {field} says nothing", act.kind),
                "do it again with it",
                format!("\"{}\" thiếu thông tin {field}", act.name_vi()),
                "thực hiện lại với đầy đủ thông tin",
            ),
            Doubt::DecidedOtherwise => Words::new(
                "another decision lets another act hold".to_owned(),
                "decide between the two decisions",
                "đã có quyết định khác chọn việc khác".to_owned(),
                "chọn một trong hai quyết định",
            ),
            Doubt::TooManyCorrections => Words::new(
                "the dossier has too many corrections".to_owned(),
                "open a new dossier and name this one",
                "hồ sơ có quá nhiều lần đính chính".to_owned(),
                "lập hồ sơ mới và nêu mã hồ sơ này",
            ),
        }
    }

    fn of_status(status: Option<Status>, act: &Act) -> Words {
        let Some(status) = status else {
            return Words::new(
                format!("a dossier cannot begin with {}", act.kind),
                "receive it first",
                format!("hồ sơ không thể bắt đầu bằng \"{}\"", act.name_vi()),
                "tiếp nhận hồ sơ trước",
            );
        };
        let moves = status.moves();
        let english = moves.iter().map(|kind| kind.word()).collect::<Vec<_>>().join(", ");
        let vietnamese = moves.iter().map(|kind| kind.name_vi()).collect::<Vec<_>>().join(", ");
        let none = moves.is_empty();
        let possible = |named: String, none_left: &str| {
            if none { none_left.to_owned() } else { named }
        };
        Words {
            cause: format!("a dossier that is {} cannot be {}", status.name(), act.kind),
            remedy: possible(format!("possible now: {english}"), "write a note, or correct an act"),
            cause_vi: format!(
                "hồ sơ ở trạng thái \"{}\" không thực hiện được \"{}\"",
                status.name_vi(),
                act.name_vi()
            ),
            remedy_vi: possible(
                format!("hiện có thể: {vietnamese}"),
                "ghi chú, hoặc đính chính việc trước",
            ),
        }
    }

    fn of_office(entitled: &[OfficeId], act: &Act) -> Words {
        let offices = entitled.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        Words {
            cause: format!("{} is not entitled to '{}' now", act.office, act.kind),
            remedy: format!("ask {offices} to do it, or write a note"),
            cause_vi: format!(
                "{} hiện không có thẩm quyền thực hiện \"{}\"",
                act.office,
                act.name_vi()
            ),
            remedy_vi: format!("đề nghị {offices} thực hiện, hoặc ghi chú"),
        }
    }

    fn of_signer(signer: OfficeId, act: &Act) -> Words {
        let office = act.office;
        Words {
            cause: format!("names {office}, but a node of {signer} signed it"),
            remedy: format!("ask {office} to do it itself if it is right; tell {signer}"),
            cause_vi: format!("ghi tên {office} nhưng do nút của {signer} ký"),
            remedy_vi: format!("hỏi {office}, nếu đúng thì đề nghị tự thực hiện; báo cho {signer}"),
        }
    }

    fn of_regards(&self, act: &Act) -> Words {
        let id = act.regards.as_deref().unwrap_or_default();
        match self {
            Doubt::Fixed => Words::new(
                format!("act {id} opened the dossier or was taken back already"),
                "withdraw or stop the dossier instead, or write a note",
                format!("bước {id} là bước mở hồ sơ hoặc đã được đính chính"),
                "rút hoặc dừng hồ sơ, hoặc ghi chú",
            ),
            Doubt::NotAsked => Words::new(
                format!("office {} owes no answer to act {id}", act.office),
                "name the act that asked this office, or write a note",
                format!("{} không phải trả lời bước {id}", act.office),
                "chọn đúng bước đã hỏi cơ quan này, hoặc ghi chú",
            ),
            _ => Words::new(
                format!("the dossier has no act {id} that {} can regard", act.kind),
                "copy the id from the list of acts",
                format!("hồ sơ không có bước {id} phù hợp với \"{}\"", act.name_vi()),
                "chép đúng mã bước trong danh sách",
            ),
        }
    }

    fn of_money(&self) -> Words {
        match self {
            Doubt::RefundTooHigh { left_vnd } => Words {
                cause: format!("only {left_vnd} đồng of the fee can be paid back"),
                remedy: format!("pay back at most {left_vnd} đồng"),
                cause_vi: format!("chỉ còn {left_vnd} đồng có thể hoàn"),
                remedy_vi: format!("hoàn tối đa {left_vnd} đồng"),
            },
            _ => Words::new(
                "a receipt of this series and number was used before".to_owned(),
                "copy series and number from the receipt again",
                "biên lai có ký hiệu và số này đã được sử dụng".to_owned(),
                "chép lại ký hiệu và số trên biên lai",
            ),
        }
    }

    fn of_applicant(&self) -> Words {
        match self {
            Doubt::RatedBefore => Words::new(
                "the officer was rated before in this dossier".to_owned(),
                "take the first rating back, if it was wrong",
                "cán bộ này đã được đánh giá trong hồ sơ".to_owned(),
                "hủy lần đánh giá trước nếu sai",
            ),
            Doubt::NotAnOfficer => Words::new(
                "no such officer acted in this dossier".to_owned(),
                "copy the name from the list of acts",
                "không có cán bộ này tham gia xử lý hồ sơ".to_owned(),
                "chép đúng tên trong danh sách các bước",
            ),
            Doubt::QueuedBefore => Words::new(
                "the applicant is told of that act by that way already".to_owned(),
                "wait until it is sent, or choose another way",
                "đã có thông báo cho việc này theo cách này".to_owned(),
                "chờ gửi xong, hoặc chọn cách khác",
            ),
            _ => Words::new(
                "the applicant did not agree to that way, or gave no address for it".to_owned(),
                "choose a way that the applicant agreed to",
                "người nộp không đồng ý nhận theo cách này, hoặc chưa cho địa chỉ".to_owned(),
                "chọn cách mà người nộp đã đồng ý",
            ),
        }
    }
}

impl fmt::Display for Words {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.cause, self.remedy)
    }
}
