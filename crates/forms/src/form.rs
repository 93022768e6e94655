//! A form as plain data: what stands on the page and in which order, not where.

use serde::Serialize;

use crate::facts::{Facts, RegisterFacts};
use crate::{letters, receipt, tables};

/// Which form, with the number that the offices know it by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum FormKind {
    /// 01: the dossier was taken in, and when the result is there.
    Receipt = 1,
    /// 02: what the applicant must add.
    Supplement = 2,
    /// 03: the dossier is not taken in.
    Refusal = 3,
    /// 04: the result is late; an apology and a new day.
    Apology = 4,
    /// 05: work has stopped.
    Stop = 5,
    /// 06: who gave the dossier to whom, when, and whether in time.
    Slip = 6,
    /// 07: the list of dossiers that an office received.
    Register = 7,
}

impl FormKind {
    /// Every form, by number.
    pub const ALL: [FormKind; 7] = [
        FormKind::Receipt,
        FormKind::Supplement,
        FormKind::Refusal,
        FormKind::Apology,
        FormKind::Stop,
        FormKind::Slip,
        FormKind::Register,
    ];

    /// The number, 1 to 7.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The word for it in commands.
    pub fn word(self) -> &'static str {
        match self {
            FormKind::Receipt => "receipt",
            FormKind::Supplement => "supplement",
            FormKind::Refusal => "refusal",
            FormKind::Apology => "apology",
            FormKind::Stop => "stop",
            FormKind::Slip => "slip",
            FormKind::Register => "register",
        }
    }

    /// The form of a number or a word: `01`, `1` or `receipt`.
    pub fn of(text: &str) -> Option<FormKind> {
        let number = text.parse::<u8>().ok();
        let named = |kind: &FormKind| Some(kind.number()) == number || kind.word() == text;
        FormKind::ALL.into_iter().find(named)
    }

    /// Says whether there is what the form tells of: a dossier that was taken in, or an act that
    /// counts. A paper that tells of an act nobody did must not go out.
    pub fn is_of(self, facts: &Facts) -> bool {
        let letters = &facts.letters;
        match self {
            FormKind::Receipt => facts.times.received.is_some(),
            FormKind::Supplement => letters.supplement.is_some(),
            FormKind::Refusal => letters.refusal.is_some(),
            FormKind::Apology => letters.extension.is_some(),
            FormKind::Stop => letters.stop.is_some(),
            FormKind::Slip | FormKind::Register => true,
        }
    }

    /// The official title.
    pub fn title(self) -> &'static str {
        match self {
            FormKind::Receipt => "GIẤY TIẾP NHẬN HỒ SƠ VÀ HẸN TRẢ KẾT QUẢ",
            FormKind::Supplement => "PHIẾU YÊU CẦU BỔ SUNG, HOÀN THIỆN HỒ SƠ",
            FormKind::Refusal => "PHIẾU TỪ CHỐI TIẾP NHẬN GIẢI QUYẾT HỒ SƠ",
            FormKind::Apology => "PHIẾU XIN LỖI VÀ HẸN LẠI NGÀY TRẢ KẾT QUẢ",
            FormKind::Stop => "PHIẾU THÔNG BÁO DỪNG GIẢI QUYẾT HỒ SƠ",
            FormKind::Slip => "PHIẾU KIỂM SOÁT QUÁ TRÌNH GIẢI QUYẾT HỒ SƠ",
            FormKind::Register => "SỔ THEO DÕI HỒ SƠ",
        }
    }
}

/// A form that can be rendered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Form {
    /// Which form.
    pub kind: FormKind,
    /// How the paper lies.
    pub sheet: Sheet,
    /// What stands at the foot of every page, before the page's number.
    pub foot: String,
    /// What stands on it, from the top down.
    pub blocks: Vec<Block>,
}

/// How a sheet of A4 lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Sheet {
    /// Upright.
    Portrait,
    /// On its long side.
    Landscape,
}

/// A part of a form.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Block {
    /// The office on the left; state and motto on the right.
    Head {
        /// The left column.
        left: Vec<Line>,
        /// The right column.
        right: Vec<Line>,
    },
    /// The title, with a QR code beside it where `qr` says what it holds.
    Title {
        /// The lines, centred.
        lines: Vec<Line>,
        /// What the QR code holds.
        qr: Option<String>,
    },
    /// A paragraph.
    Text(Line),
    /// A table with a head that every page repeats.
    Table(Table),
    /// Who signs, side by side, kept on one page.
    Signatures(Vec<Signature>),
}

/// A paragraph or a line of a head.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// Where its lines stand.
    pub align: Align,
    /// Its text, in pieces of one face.
    pub spans: Vec<Span>,
    /// The rule below it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule: Option<Rule>,
}

/// How long a rule below a line is, as Decree 30/2020 has it for letters of offices.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Rule {
    /// As long as the line: below the motto.
    Whole,
    /// Less than half as long: below the name of the office.
    Part,
}

/// Where the lines of a paragraph stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Align {
    /// At the left.
    Left,
    /// In the middle.
    Centre,
    /// At the right.
    Right,
}

/// A piece of text in one face.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Span {
    /// The face.
    pub face: Face,
    /// The text; `\n` begins a new line.
    pub text: String,
}

/// The three faces that the forms use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Face {
    /// Upright.
    Regular,
    /// Bold.
    Bold,
    /// Italic.
    Italic,
}

/// A table; every row has a cell for every column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Table {
    /// The columns: title and share of the width. The shares need not add up to anything.
    pub columns: Vec<(String, u16)>,
    /// The rows.
    pub rows: Vec<Vec<String>>,
}

/// Somebody who signs; all empty for an empty place.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Signature {
    /// As what.
    pub role: String,
    /// What is asked: signature and name, or a stamp.
    pub hint: String,
    /// The printed name; empty where it is written by hand.
    pub name: String,
}

impl Line {
    /// A paragraph in the upright face, at the left.
    pub fn plain(text: impl Into<String>) -> Line {
        Line::of(Face::Regular, text)
    }

    /// A paragraph in one face, at the left.
    pub fn of(face: Face, text: impl Into<String>) -> Line {
        let spans = vec![Span { face, text: text.into() }];
        Line { align: Align::Left, spans, rule: None }
    }

    /// The same with a piece of text behind it.
    pub fn and(mut self, face: Face, text: impl Into<String>) -> Line {
        self.spans.push(Span { face, text: text.into() });
        self
    }

    /// The same in the middle.
    pub fn centred(self) -> Line {
        Line { align: Align::Centre, ..self }
    }

    /// The same at the right.
    pub fn at_right(self) -> Line {
        Line { align: Align::Right, ..self }
    }

    /// The same with a rule below.
    pub fn ruled(self, rule: Rule) -> Line {
        Line { rule: Some(rule), ..self }
    }
}

/// Composes the form of one dossier. The register of that one dossier for
/// [`FormKind::Register`].
pub fn compose(kind: FormKind, facts: &Facts) -> Form {
    match kind {
        FormKind::Receipt => receipt::receipt(facts),
        FormKind::Supplement => letters::supplement(facts),
        FormKind::Refusal => letters::refusal(facts),
        FormKind::Apology => letters::apology(facts),
        FormKind::Stop => letters::stop(facts),
        FormKind::Slip => tables::slip(facts),
        FormKind::Register => tables::register(&RegisterFacts {
            office: facts.offices.receiving.clone(),
            printed: facts.times.printed.clone(),
            dossiers: vec![facts.clone()],
            ..RegisterFacts::default()
        }),
    }
}

/// Composes the register of an office, form 07.
pub fn compose_register(facts: &RegisterFacts) -> Form {
    tables::register(facts)
}

/// What is written by hand where nothing is known.
pub(crate) const BLANK: &str = "……………………";

/// A value, or the room to write it by hand.
pub(crate) fn or_blank(value: &str) -> String {
    if value.trim().is_empty() { BLANK.to_owned() } else { value.to_owned() }
}

/// `label: value`, the value in bold where it is known.
pub(crate) fn field(label: &str, value: &str) -> Block {
    let face = if value.trim().is_empty() { Face::Regular } else { Face::Bold };
    Block::Text(Line::plain(format!("{label}: ")).and(face, or_blank(value)))
}

/// The head that all forms share; `number` ends the number of the letter, such as `TNHS`.
pub(crate) fn head(office: &str, unit: Option<&str>, number: &str, day: &str) -> Block {
    let mut left = vec![Line::of(Face::Regular, or_blank(office).to_uppercase()).centred()];
    if let Some(unit) = unit {
        left.push(Line::of(Face::Bold, unit).centred());
    }
    if let Some(last) = left.last_mut() {
        last.rule = Some(Rule::Part);
    }
    if !number.is_empty() {
        left.push(Line::plain(format!("Số: ………/{number}")).centred());
    }
    let right = vec![
        Line::of(Face::Bold, "CỘNG HÒA XÃ HỘI CHỦ NGHĨA VIỆT NAM").centred(),
        Line::of(Face::Bold, "Độc lập - Tự do - Hạnh phúc").centred().ruled(Rule::Whole),
        Line::of(Face::Italic, format!("……………, {day}")).centred(),
    ];
    Block::Head { left, right }
}

/// The counter, as the heads of its forms call it.
pub(crate) const COUNTER: &str = "BỘ PHẬN TIẾP NHẬN\nVÀ TRẢ KẾT QUẢ";
/// What every signer is asked for.
pub(crate) const SIGN_AND_NAME: &str = "(Ký và ghi rõ họ tên)";

#[cfg(test)]
#[path = "form_tests.rs"]
mod tests;
