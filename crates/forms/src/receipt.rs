//! Form 01: the receipt with the appointment.

use crate::facts::{Facts, Person};
use crate::form::{
    Block, COUNTER, Face, Form, FormKind, Line, SIGN_AND_NAME, Sheet, Signature, field, head,
    or_blank,
};

pub(crate) fn receipt(facts: &Facts) -> Form {
    let Facts { code, times, offices, .. } = facts;
    let day = times.received_or_printed().day_words();
    let mut blocks = vec![
        head(&offices.receiving, Some(COUNTER), "TNHS", &day),
        title(FormKind::Receipt, code),
        field("Bộ phận tiếp nhận và trả kết quả", &offices.receiving),
        field("Tiếp nhận hồ sơ của", &facts.applicant.name),
    ];
    blocks.extend(reach(&facts.applicant));
    if let Some(submitter) = &facts.submitter {
        blocks.push(field("Người nộp thay", submitter));
    }
    blocks.push(field("Nội dung yêu cầu giải quyết", &facts.procedure.title()));
    blocks.push(Block::Text(Line::plain("Thành phần hồ sơ nộp gồm:")));
    blocks.extend(papers(facts));
    let when = |when: &Option<crate::When>| when.as_ref().map(crate::When::words);
    let limit = facts.procedure.limit.clone().unwrap_or_default();
    blocks.extend([
        Block::Text(Line::plain(format!("Số lượng hồ sơ: {} (bộ)", facts.procedure.sets_words()))),
        field("Thời gian giải quyết hồ sơ theo quy định là", &limit),
        field("Thời gian nhận hồ sơ", &when(&times.received).unwrap_or_default()),
        field(
            "Thời gian trả kết quả giải quyết hồ sơ",
            &when(&times.due_original).unwrap_or_default(),
        ),
        field("Đăng ký nhận kết quả tại", &facts.returned_at()),
        Block::Text(Line::plain("Vào Sổ theo dõi hồ sơ, Quyển số: ………… Số thứ tự: …………")),
        Block::Signatures(vec![
            signer("NGƯỜI NỘP HỒ SƠ", facts.handed_in_by()),
            signer("NGƯỜI TIẾP NHẬN HỒ SƠ", &facts.receiver),
        ]),
    ]);
    blocks.extend(notes());
    Form { kind: FormKind::Receipt, sheet: Sheet::Portrait, foot: foot(code), blocks }
}

/// The title of a form about one dossier: its name, and below it the code. Only the receipt,
/// which the applicant keeps, has the code as a QR code too.
pub(crate) fn title(kind: FormKind, code: &str) -> Block {
    let mut lines = vec![Line::of(Face::Bold, kind.title()).centred()];
    lines.push(Line::plain("Mã hồ sơ: ").and(Face::Bold, or_blank(code)).centred());
    if kind == FormKind::Receipt {
        lines.push(Line::of(Face::Italic, "(Liên: Lưu/giao khách hàng)").centred());
    }
    let qr = (kind == FormKind::Receipt && !code.is_empty()).then(|| code.to_owned());
    Block::Title { lines, qr }
}

/// Where somebody can be reached.
pub(crate) fn reach(person: &Person) -> Vec<Block> {
    let phone = Line::plain("Số điện thoại: ").and(Face::Bold, or_blank(&person.phone));
    let both = phone.and(Face::Regular, "   Email: ").and(Face::Bold, or_blank(&person.email));
    vec![field("Địa chỉ", &person.address), Block::Text(both)]
}

/// What stands at the foot of a page about one dossier.
pub(crate) fn foot(code: &str) -> String {
    if code.is_empty() { String::new() } else { format!("Mã hồ sơ {code}") }
}

pub(crate) fn signer(role: &str, name: &str) -> Signature {
    Signature { role: role.to_owned(), hint: SIGN_AND_NAME.to_owned(), name: name.to_owned() }
}

fn papers(facts: &Facts) -> Vec<Block> {
    if facts.papers.is_empty() {
        let by_hand =
            |number: usize| Block::Text(Line::plain(format!("{number}. {}", or_blank(""))));
        return (1..=2).map(by_hand).collect();
    }
    let paper = |(index, paper): (usize, &crate::Paper)| {
        let counted = [(paper.originals, "bản chính"), (paper.copies, "bản sao")];
        let counted: Vec<String> = counted
            .iter()
            .filter(|(count, _)| *count > 0)
            .map(|(count, what)| format!("{count:02} {what}"))
            .collect();
        let end =
            if counted.is_empty() { String::new() } else { format!(" ({})", counted.join(", ")) };
        Block::Text(Line::plain(format!("{}. {}{end}", index + 1, paper.name)))
    };
    facts.papers.iter().enumerate().map(paper).collect()
}

fn notes() -> Vec<Block> {
    let note = |text: &str| Block::Text(Line::of(Face::Italic, text));
    vec![
        Block::Text(Line::of(Face::Bold, "Ghi chú:")),
        note(
            "- Giấy tiếp nhận hồ sơ và hẹn trả kết quả được lập thành 2 liên; một liên giao cho \
             tổ chức, cá nhân nộp hồ sơ; một liên lưu tại Bộ phận tiếp nhận và trả kết quả.",
        ),
        note(
            "- Tổ chức, cá nhân có thể đăng ký nhận kết quả tại Bộ phận tiếp nhận và trả kết quả \
             hoặc tại nhà (trụ sở tổ chức) qua dịch vụ bưu chính.",
        ),
    ]
}
