//! Forms 06 and 07: the control slip and the register.

use lienthong_catalogue::Verdict;

use crate::day::When;
use crate::facts::{Facts, HandOver, Party, RegisterFacts};
use crate::form::{
    Block, COUNTER, Face, Form, FormKind, Line, Sheet, Table, field, head, or_blank,
};
use crate::receipt::{foot, signer, title};

/// Form 06.
pub(crate) fn slip(facts: &Facts) -> Form {
    let Facts { code, times, offices, .. } = facts;
    let day = times.received_or_printed().day_words();
    let blocks = vec![
        head(&offices.receiving, Some(COUNTER), "PKS", &day),
        title(FormKind::Slip, code),
        field("Nội dung yêu cầu giải quyết", &facts.procedure.title()),
        field("Cơ quan (bộ phận) giải quyết hồ sơ", &offices.competent),
        field("Cơ quan phối hợp giải quyết hồ sơ", &offices.coordinating.join("; ")),
        field("Thời gian hẹn trả kết quả", &words(times.due_original.as_ref())),
        Block::Table(Table {
            columns: columns(&SLIP_COLUMNS),
            rows: match facts.hand_overs.as_slice() {
                [] => vec![by_hand(); 4],
                hand_overs => hand_overs.iter().map(hand_over).collect(),
            },
        }),
    ];
    Form { kind: FormKind::Slip, sheet: Sheet::Portrait, foot: foot(code), blocks }
}

/// Form 07.
pub(crate) fn register(facts: &RegisterFacts) -> Form {
    let name = FormKind::Register.title();
    let mut dossiers: Vec<&Facts> = facts.dossiers.iter().collect();
    dossiers.sort_by(|a, b| place(a).cmp(&place(b)));
    let mut filings = 0;
    let row = |one: &Facts| match one.part_of {
        Some(_) => entry(None, one),
        None => {
            filings += 1;
            entry(Some(filings), one)
        }
    };
    let rows = dossiers.into_iter().map(row).collect();
    let mut blocks = vec![
        head(&facts.office, Some(COUNTER), "", &facts.printed.day_words()),
        Block::Title { lines: vec![Line::of(Face::Bold, name).centred()], qr: None },
    ];
    blocks.extend(counts(facts, filings).into_iter().map(|line| Block::Text(Line::plain(line))));
    blocks.push(Block::Table(Table { columns: columns(&REGISTER_COLUMNS), rows }));
    let signers = vec![signer("NGƯỜI LẬP SỔ", ""), signer("NGƯỜI KIỂM TRA", "")];
    blocks.push(Block::Signatures(signers));
    let foot = format!("Sổ theo dõi hồ sơ, in {}", facts.printed.short());
    Form { kind: FormKind::Register, sheet: Sheet::Landscape, foot, blocks }
}

/// Where a dossier stands: by its code, its parts (liên thông) right behind it.
fn place(facts: &Facts) -> (&str, bool, &str) {
    let whole = facts.part_of.as_deref().unwrap_or(&facts.code);
    (whole, facts.part_of.is_some(), &facts.code)
}

/// How much the register holds, and what it does not name.
fn counts(facts: &RegisterFacts, filings: usize) -> Vec<String> {
    let mut lines = vec![format!("Số hồ sơ trong sổ: {filings}")];
    let parts = facts.dossiers.len() - filings;
    if parts > 0 {
        lines.push(format!("Hồ sơ liên thông tính cùng hồ sơ chính, không đánh số: {parts}"));
    }
    if facts.unlisted > 0 {
        let unlisted = facts.unlisted;
        lines.push(format!("Hồ sơ của thủ tục nhạy cảm, không ghi trong bản in này: {unlisted}"));
    }
    if facts.is_partial {
        lines.push("Chưa đầy đủ: danh sách đang được lập lại, hãy in lại sau.".to_owned());
    }
    lines
}

fn columns(columns: &[(&str, u16)]) -> Vec<(String, u16)> {
    columns.iter().map(|(title, share)| ((*title).to_owned(), *share)).collect()
}

fn hand_over(hand_over: &HandOver) -> Vec<String> {
    let HandOver { giver, taker, given, taken, verdict, note } = hand_over;
    let party = |what: &str, party: &Party| format!("{what}: {}", or_blank(&party.office));
    let signed = |what: &str, when: String, party: &Party| {
        format!("{what}: {}\n{}", or_blank(&when), or_blank(&party.officer))
    };
    vec![
        format!("{}\n{}", party("Giao", giver), party("Nhận", taker)),
        format!(
            "{}\n{}",
            signed("Giao", given.words(), giver),
            signed("Nhận", words(taken.as_ref()), taker)
        ),
        verdict.map_or("", in_time).to_owned(),
        note.clone(),
    ]
}

/// Whether it was in time, as the slip says it.
fn in_time(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Early => "Trước hạn",
        Verdict::OnTime => "Đúng hạn",
        Verdict::Late => "Quá hạn",
    }
}

/// A line of the slip that is filled in by hand.
fn by_hand() -> Vec<String> {
    let empty = HandOver::default();
    let mut cells = hand_over(&empty);
    cells[1] = "Giao: … giờ … phút, ngày … tháng … năm …\n\
        Nhận: … giờ … phút, ngày … tháng … năm …"
        .to_owned();
    cells
}

/// A line of the register; without a number it is counted with another.
fn entry(number: Option<usize>, facts: &Facts) -> Vec<String> {
    let Facts { code, procedure, offices, applicant, times, .. } = facts;
    let short = |when: Option<&When>| when.map(When::short).unwrap_or_default();
    let name = procedure.name.clone().unwrap_or_else(|| procedure.code.clone());
    let reach = [&applicant.address, &applicant.phone];
    let reach: Vec<&str> =
        reach.into_iter().map(String::as_str).filter(|text| !text.is_empty()).collect();
    let given = facts.hand_overs.first().map(|first| &first.given);
    let by = if facts.returned_by_post { "Bưu chính" } else { "Trực tiếp" };
    let note = match &facts.part_of {
        Some(whole) => format!("{}\nThuộc hồ sơ {whole}", facts.status),
        None => facts.status.clone(),
    };
    let cells = vec![
        number.map(|number| number.to_string()).unwrap_or_default(),
        code.clone(),
        name,
        procedure.sets_words(),
        applicant.name.clone(),
        reach.join("\n"),
        offices.competent.clone(),
        short(times.received.as_ref()),
        short(times.due_original.as_ref()),
        short(given),
        short(times.finished.as_ref()),
        short(times.returned.as_ref()),
        by.to_owned(),
        String::new(),
        note,
    ];
    cells.into_iter().map(cut).collect()
}

/// A text that leaves room for other lines in a narrow column.
fn cut(text: String) -> String {
    match text.char_indices().nth(MAX_CELL_CHARS) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text,
    }
}

fn words(when: Option<&When>) -> String {
    when.map(When::words).unwrap_or_default()
}

/// As long as the longest name or address that a counter may type.
const MAX_CELL_CHARS: usize = 500;

const SLIP_COLUMNS: [(&str, u16); 4] = [
    ("TÊN CƠ QUAN", 32),
    ("THỜI GIAN GIAO,\nNHẬN HỒ SƠ", 34),
    ("KẾT QUẢ GIẢI QUYẾT HỒ SƠ\n(Trước hạn/đúng hạn/quá hạn)", 18),
    ("GHI CHÚ", 16),
];

const REGISTER_COLUMNS: [(&str, u16); 15] = [
    ("STT", 4),
    ("Mã hồ sơ", 10),
    ("Tên thủ tục hành chính", 14),
    ("Số lượng hồ sơ (bộ)", 5),
    ("Tên tổ chức, cá nhân", 10),
    ("Địa chỉ, số điện thoại", 12),
    ("Cơ quan chủ trì giải quyết", 10),
    ("Nhận hồ sơ", 8),
    ("Hẹn trả kết quả", 8),
    ("Chuyển đến cơ quan giải quyết", 8),
    ("Nhận kết quả từ cơ quan giải quyết", 8),
    ("Trả kết quả", 8),
    ("Phương thức nhận kết quả", 8),
    ("Ký nhận", 6),
    ("Ghi chú", 8),
];
