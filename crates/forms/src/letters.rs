//! Forms 02 to 05: letters to the applicant.

use crate::facts::{Facts, Letter};
use crate::form::{
    Block, COUNTER, Face, Form, FormKind, Line, Sheet, Signature, field, head, or_blank,
};
use crate::receipt::{foot, reach, signer, title};

/// Form 02.
pub(crate) fn supplement(facts: &Facts) -> Form {
    let letter = facts.letters.supplement.as_ref();
    let mut blocks = above(FormKind::Supplement, facts, letter, Some(COUNTER), "HDHS");
    blocks.push(field("Hồ sơ của", &facts.applicant.name));
    blocks.push(field("Nội dung yêu cầu giải quyết", &facts.procedure.title()));
    blocks.extend(reach(&facts.applicant));
    blocks.push(Block::Text(Line::plain("Yêu cầu hoàn thiện hồ sơ gồm những nội dung sau:")));
    blocks.extend(numbered(letter.map_or("", |letter| &letter.note)));
    blocks.push(field("Lý do", letter.map_or("", |letter| &letter.reason)));
    blocks.push(field("Thời hạn bổ sung", &due_words(letter)));
    blocks.push(Block::Text(Line::plain(format!(
        "Trong quá trình hoàn thiện hồ sơ nếu có vướng mắc, đề nghị ông (bà) liên hệ với {} số \
         điện thoại {} để được hướng dẫn./.",
        or_blank(letter.map_or("", |letter| &letter.officer)),
        or_blank(""),
    ))));
    let officer = letter.map_or("", |letter| &letter.officer);
    blocks.push(Block::Signatures(vec![Signature::default(), signer("NGƯỜI HƯỚNG DẪN", officer)]));
    upright(FormKind::Supplement, facts, blocks)
}

/// Form 03.
pub(crate) fn refusal(facts: &Facts) -> Form {
    let letter = facts.letters.refusal.as_ref();
    let mut blocks = above(FormKind::Refusal, facts, letter, Some(COUNTER), "TCHS");
    blocks.push(field("Bộ phận tiếp nhận và trả kết quả", &facts.offices.receiving));
    blocks.push(field("Tiếp nhận hồ sơ của", &facts.applicant.name));
    blocks.extend(reach(&facts.applicant));
    blocks.push(field("Nội dung yêu cầu giải quyết", &facts.procedure.title()));
    let office = or_blank(&facts.offices.receiving);
    blocks.push(Block::Text(Line::plain(format!(
        "Qua xem xét, Bộ phận tiếp nhận và trả kết quả của {office} thông báo không tiếp nhận, \
         giải quyết hồ sơ này với lý do cụ thể như sau:"
    ))));
    blocks.extend(reasons(letter));
    blocks.push(Block::Text(Line::plain("Xin thông báo cho Ông/Bà được biết và thực hiện./.")));
    let officer = letter.map_or("", |letter| &letter.officer);
    blocks.push(Block::Signatures(vec![
        signer("NGƯỜI NỘP HỒ SƠ", facts.handed_in_by()),
        signer("NGƯỜI TIẾP NHẬN HỒ SƠ", officer),
    ]));
    upright(FormKind::Refusal, facts, blocks)
}

/// Form 04.
pub(crate) fn apology(facts: &Facts) -> Form {
    let letter = facts.letters.extension.as_ref();
    let office = or_blank(letter.map_or(facts.offices.competent.as_str(), |letter| &letter.office));
    let mut blocks = above(FormKind::Apology, facts, letter, None, "PXL");
    let words = |when: &Option<crate::When>| when.as_ref().map(crate::When::words);
    let received = facts.times.received.as_ref().map(crate::When::day_words);
    let received = received.unwrap_or_else(|| "ngày …… tháng …… năm ……".to_owned());
    let paragraph = |text: String| Block::Text(Line::plain(text));
    blocks.extend([
        addressed(facts),
        paragraph(format!(
            "Vào {received}, {office} tiếp nhận giải quyết hồ sơ đề nghị giải quyết thủ tục hành \
             chính {} của Ông/Bà/Tổ chức; mã số: {}.",
            or_blank(without_kind(&facts.procedure.title())),
            or_blank(&facts.code),
        )),
        paragraph(format!(
            "Thời gian hẹn trả kết quả giải quyết hồ sơ: {}.",
            or_blank(&words(&facts.times.due_original).unwrap_or_default()),
        )),
        paragraph(format!(
            "Tuy nhiên đến nay, {office} chưa trả kết quả giải quyết hồ sơ của Ông/Bà/Tổ chức \
             đúng thời hạn quy định."
        )),
        field("Lý do", letter.map_or("", |letter| &letter.reason)),
        Block::Text(
            Line::plain(
                "Sự chậm trễ này đã gây phiền hà, tốn kém chi phí, công sức của Ông/Bà/Tổ chức. \
                 Chúng tôi xin lỗi Ông/Bà/Tổ chức và sẽ trả kết quả giải quyết hồ sơ vào: ",
            )
            .and(Face::Bold, or_blank(&due_words(letter)))
            .and(Face::Regular, "."),
        ),
        paragraph("Mong nhận được sự thông cảm của Ông/Bà/Tổ chức vì sự chậm trễ này./.".into()),
        head_signs(),
    ]);
    upright(FormKind::Apology, facts, blocks)
}

/// Form 05.
pub(crate) fn stop(facts: &Facts) -> Form {
    let letter = facts.letters.stop.as_ref();
    let office = or_blank(letter.map_or(facts.offices.competent.as_str(), |letter| &letter.office));
    let mut blocks = above(FormKind::Stop, facts, letter, None, "TBDGQ");
    let received = facts.times.received.as_ref().map(crate::When::day_words);
    blocks.extend([
        addressed(facts),
        Block::Text(Line::plain(format!(
            "{office} đã tiếp nhận hồ sơ của Ông/Bà/Tổ chức {}, mã số {}, về việc: {}.",
            or_blank(&received.unwrap_or_default()),
            or_blank(&facts.code),
            or_blank(&facts.procedure.title()),
        ))),
        Block::Text(Line::plain(format!(
            "Qua xem xét, {office} thông báo dừng giải quyết hồ sơ này kể từ {} với lý do cụ thể \
             như sau:",
            or_blank(&letter.map(|letter| letter.at.day_words()).unwrap_or_default()),
        ))),
    ]);
    blocks.extend(reasons(letter));
    blocks.push(Block::Text(Line::plain(format!(
        "Ông/Bà/Tổ chức có thể nhận lại giấy tờ đã nộp tại: {}.",
        or_blank(&facts.offices.returning),
    ))));
    blocks.push(Block::Text(Line::plain("Xin thông báo cho Ông/Bà/Tổ chức được biết./.")));
    blocks.push(head_signs());
    upright(FormKind::Stop, facts, blocks)
}

/// Head and title of a letter; it bears the day of the act that it tells of.
fn above(
    kind: FormKind,
    facts: &Facts,
    letter: Option<&Letter>,
    unit: Option<&str>,
    number: &str,
) -> Vec<Block> {
    let competent = facts.offices.competent.as_str();
    let office = match unit {
        Some(_) => facts.offices.receiving.as_str(),
        None => letter.map_or(competent, |letter| letter.office.as_str()),
    };
    let day = letter.map_or_else(|| facts.times.printed.day_words(), |one| one.at.day_words());
    vec![head(office, unit, number, &day), title(kind, &facts.code)]
}

fn upright(kind: FormKind, facts: &Facts, blocks: Vec<Block>) -> Form {
    Form { kind, sheet: Sheet::Portrait, foot: foot(&facts.code), blocks }
}

fn addressed(facts: &Facts) -> Block {
    let name = or_blank(&facts.applicant.name);
    Block::Text(Line::plain("Kính gửi: ").and(Face::Bold, name).centred())
}

/// Why, and what was written beside it.
fn reasons(letter: Option<&Letter>) -> Vec<Block> {
    let reason = letter.map_or("", |letter| letter.reason.as_str());
    let note = letter.map_or("", |letter| letter.note.as_str());
    let lines = [or_blank(reason), note.to_owned()].into_iter().filter(|text| !text.is_empty());
    lines.map(|text| Block::Text(Line::plain(text))).collect()
}

/// The lines of a note as a numbered list; room for two if there is nothing.
fn numbered(note: &str) -> Vec<Block> {
    let mut lines: Vec<&str> =
        note.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    if lines.is_empty() {
        lines = vec!["", ""];
    }
    let item = |(index, line): (usize, &&str)| {
        Block::Text(Line::plain(format!("{}. {}", index + 1, or_blank(line))))
    };
    lines.iter().enumerate().map(item).collect()
}

/// A name behind the words "thủ tục hành chính", with which many official names begin.
fn without_kind(title: &str) -> &str {
    title.strip_prefix("Thủ tục ").unwrap_or(title)
}

fn due_words(letter: Option<&Letter>) -> String {
    letter.and_then(|letter| letter.due.as_ref()).map(crate::When::words).unwrap_or_default()
}

fn head_signs() -> Block {
    let head = Signature {
        role: "THỦ TRƯỞNG CƠ QUAN, ĐƠN VỊ".to_owned(),
        hint: "(Ký tên và đóng dấu)".to_owned(),
        name: String::new(),
    };
    Block::Signatures(vec![Signature::default(), head])
}
