//! What only acts of one kind have: papers, money, post, ratings, notices, opinions.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::check;
use crate::clock::Dues;
use crate::reception::{NAME_CHARS, check_dues};
use crate::refusal::{Form, Refusal};

/// The part of an act that depends on its kind; in JSON an object with one key, such as
/// `{"fee": {...}}`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Detail {
    /// A paper that the applicant gets.
    Result(ResultPaper),
    /// What was paid.
    Fee(Fee),
    /// What was paid back.
    Refund(Refund),
    /// How a fee was passed on to the Treasury.
    Remittance(Remittance),
    /// One leg of the post.
    Leg(Leg),
    /// What the applicant thinks of an officer.
    Rating(Rating),
    /// By which way the applicant is to be told.
    Notice(Notice),
    /// What became of telling the applicant.
    Delivery(Delivery),
    /// The letter to a ministry.
    Opinion(Opinion),
    /// What holds for a dossier that was registered before it was taken in.
    Intake(Intake),
}

/// What is worked out when a dossier that was only registered is taken in; its due is that of the
/// act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Intake {
    /// The version of the procedure that is in force then.
    pub version: u32,
    /// What the due was computed from, and the dues of the steps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dues: Option<Dues>,
}

/// A paper that the applicant gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ResultPaper {
    /// What it is, such as `Giấy chứng nhận quyền sử dụng đất`.
    pub kind: String,
    /// Its number.
    pub number: String,
    /// Who signed it.
    pub signer: String,
    /// Its day, as `YYYY-MM-DD`.
    pub date: String,
    /// Under which name its scan is kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
}

/// A fee that was paid. The receipt's series and number together are used once in a dossier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fee {
    /// What was paid for.
    pub item: String,
    /// How much, in đồng: 1 to a million million.
    pub amount_vnd: u64,
    /// How.
    pub method: PayMethod,
    /// The series of the receipt, such as `AA/24E`.
    pub series: String,
    /// The number of the receipt within its series.
    pub number: String,
}

/// How a fee was paid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PayMethod {
    /// In cash at the counter.
    Cash,
    /// By card at the counter.
    Card,
    /// By transfer to the account of the office.
    Transfer,
    /// Through the portal.
    Portal,
    /// To the post that brought the dossier or the result.
    Post,
}

/// What was paid back of the fee that the act regards.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Refund {
    /// How much, in đồng; all refunds of a fee together are no more than the fee.
    pub amount_vnd: u64,
}

/// How the fee that the act regards was passed on to the Treasury.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Remittance {
    /// The number of the payment order.
    pub number: String,
    /// Its day, as `YYYY-MM-DD`.
    pub date: String,
}

/// One leg of the post (bưu chính công ích); its time is that of the act.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Leg {
    /// The number of the waybill.
    pub waybill: String,
    /// In which direction.
    pub way: Way,
    /// How far it is.
    pub stage: LegStage,
    /// The papers in the envelope; at most 200.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inventory: Vec<String>,
    /// What the post takes for it, in đồng.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fee_vnd: Option<u64>,
}

/// The direction of a leg.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Way {
    /// The dossier, to the office.
    ToOffice,
    /// The result, to the applicant.
    ToApplicant,
}

/// How far a leg is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LegStage {
    /// The post has it.
    HandedOver,
    /// It lies at the post office of its destination.
    Arrived,
    /// It was handed to the one whom it is for.
    Delivered,
    /// It could not be delivered and came back.
    SentBack,
}

/// What the applicant thinks of one officer; one rating for each officer of a dossier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rating {
    /// Who is rated: an officer who acted in the dossier.
    pub officer: String,
    /// From 1, not content, to 5, very content.
    pub score: u8,
}

/// By which way the applicant is to be told of the act that this one regards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Notice {
    /// The way; the applicant agreed to it.
    pub channel: NoticeChannel,
}

/// A way by which an applicant is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NoticeChannel {
    /// By e-mail.
    Email,
    /// By SMS.
    Sms,
    /// By Zalo.
    Zalo,
}

/// What became of telling the applicant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Delivery {
    /// The number that the gateway gave.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
    /// What it cost the office, in đồng.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost_vnd: Option<u64>,
}

/// The letter that asks a ministry, or another body outside the province, for its opinion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Opinion {
    /// Who is asked.
    pub agency: String,
    /// The number of the letter.
    pub number: String,
    /// Its day, as `YYYY-MM-DD`.
    pub date: String,
    /// Who signed it.
    pub signer: String,
    /// When the answer is expected, as `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// Whether the clock stands still until the answer; the procedure says so.
    #[serde(default)]
    pub pauses: bool,
}

impl NoticeChannel {
    /// The word for it in documents, keys and JSON.
    pub fn word(self) -> &'static str {
        match self {
            NoticeChannel::Email => "email",
            NoticeChannel::Sms => "sms",
            NoticeChannel::Zalo => "zalo",
        }
    }
}

impl Detail {
    /// The key that it has in JSON.
    pub fn name(&self) -> &'static str {
        match self {
            Detail::Result(_) => "result",
            Detail::Fee(_) => "fee",
            Detail::Refund(_) => "refund",
            Detail::Remittance(_) => "remittance",
            Detail::Leg(_) => "leg",
            Detail::Rating(_) => "rating",
            Detail::Notice(_) => "notice",
            Detail::Delivery(_) => "delivery",
            Detail::Opinion(_) => "opinion",
            Detail::Intake(_) => "intake",
        }
    }

    /// Reads a detail of a document by the fields that this version knows.
    pub(crate) fn read(value: &Value) -> Option<Detail> {
        let (name, content) = value.as_object()?.iter().next()?;
        let (_, fields) = FIELDS.iter().find(|(known, _)| known == name)?;
        let known = content.as_object()?.iter().filter(|(key, _)| fields.contains(&key.as_str()));
        let known: Map<String, Value> =
            known.map(|(key, value)| (key.clone(), value.clone())).collect();
        let detail = Map::from_iter([(name.clone(), Value::Object(known))]);
        serde_json::from_value(Value::Object(detail)).ok()
    }

    /// Brings its texts into one form and refuses what cannot be right.
    pub(crate) fn check(&self) -> Result<Detail, Refusal> {
        Ok(match self {
            Detail::Result(paper) => Detail::Result(paper.check()?),
            Detail::Fee(fee) => Detail::Fee(fee.check()?),
            Detail::Refund(refund) => {
                amount("detail.refund.amount_vnd", refund.amount_vnd)?;
                self.clone()
            }
            Detail::Remittance(order) => Detail::Remittance(Remittance {
                number: name("detail.remittance.number", &order.number)?,
                date: day("detail.remittance.date", &order.date)?,
            }),
            Detail::Leg(leg) => Detail::Leg(leg.check()?),
            Detail::Rating(rating) if !(1..=5).contains(&rating.score) => {
                return Err(Refusal::form("detail.rating.score", SCORE));
            }
            Detail::Rating(Rating { officer, score }) => Detail::Rating(Rating {
                officer: name("detail.rating.officer", officer)?,
                score: *score,
            }),
            Detail::Notice(_) => self.clone(),
            Detail::Delivery(delivery) => Detail::Delivery(delivery.check()?),
            Detail::Opinion(opinion) => Detail::Opinion(opinion.check()?),
            Detail::Intake(intake) => Detail::Intake(intake.check()?),
        })
    }
}

impl ResultPaper {
    fn check(&self) -> Result<ResultPaper, Refusal> {
        Ok(ResultPaper {
            kind: name("detail.result.kind", &self.kind)?,
            number: name("detail.result.number", &self.number)?,
            signer: name("detail.result.signer", &self.signer)?,
            date: day("detail.result.date", &self.date)?,
            file: check::maybe("detail.result.file", self.file.as_deref(), NAME_CHARS)?,
        })
    }
}

impl Fee {
    fn check(&self) -> Result<Fee, Refusal> {
        Ok(Fee {
            item: name("detail.fee.item", &self.item)?,
            amount_vnd: amount("detail.fee.amount_vnd", self.amount_vnd)?,
            method: self.method,
            series: check::text("detail.fee.series", &self.series, RECEIPT_CHARS)?,
            number: check::text("detail.fee.number", &self.number, RECEIPT_CHARS)?,
        })
    }
}

impl Leg {
    fn check(&self) -> Result<Leg, Refusal> {
        let papers = self.inventory.len();
        if papers > MAX_INVENTORY {
            return Err(Refusal::too_many("detail.leg.inventory", papers, MAX_INVENTORY));
        }
        let inventory = self.inventory.iter().enumerate();
        let inventory =
            inventory.map(|(index, paper)| name(&format!("detail.leg.inventory.{index}"), paper));
        let fee_vnd = self.fee_vnd.map(|fee| amount("detail.leg.fee_vnd", fee)).transpose()?;
        Ok(Leg {
            waybill: check::text("detail.leg.waybill", &self.waybill, RECEIPT_CHARS)?,
            inventory: inventory.collect::<Result<_, _>>()?,
            fee_vnd,
            ..self.clone()
        })
    }
}

impl Delivery {
    fn check(&self) -> Result<Delivery, Refusal> {
        let cost = self.cost_vnd.map(|cost| amount("detail.delivery.cost_vnd", cost));
        let reference = self.reference.as_deref();
        Ok(Delivery {
            reference: check::maybe("detail.delivery.reference", reference, NAME_CHARS)?,
            cost_vnd: cost.transpose()?,
        })
    }
}

impl Opinion {
    fn check(&self) -> Result<Opinion, Refusal> {
        Ok(Opinion {
            agency: name("detail.opinion.agency", &self.agency)?,
            number: name("detail.opinion.number", &self.number)?,
            date: day("detail.opinion.date", &self.date)?,
            signer: name("detail.opinion.signer", &self.signer)?,
            expected: check::day("detail.opinion.expected", self.expected.as_deref())?,
            pauses: self.pauses,
        })
    }
}

impl Intake {
    fn check(&self) -> Result<Intake, Refusal> {
        let dues = self.dues.as_ref().map(|dues| check_dues("detail.intake.dues", dues));
        Ok(Intake { version: self.version, dues: dues.transpose()? })
    }
}

fn name(field: &str, text: &str) -> Result<String, Refusal> {
    check::text(field, text, NAME_CHARS)
}

fn day(field: &str, text: &str) -> Result<String, Refusal> {
    check::day(field, Some(text))?.ok_or_else(|| Refusal::missing(field))
}

fn amount(field: &str, vnd: u64) -> Result<u64, Refusal> {
    if (1..=MAX_VND).contains(&vnd) { Ok(vnd) } else { Err(Refusal::form(field, AMOUNT)) }
}

const MAX_VND: u64 = 1_000_000_000_000;
const MAX_INVENTORY: usize = 200;
const RECEIPT_CHARS: usize = 64;

const FIELDS: [(&str, &[&str]); 10] = [
    ("result", &["kind", "number", "signer", "date", "file"]),
    ("fee", &["item", "amount_vnd", "method", "series", "number"]),
    ("refund", &["amount_vnd"]),
    ("remittance", &["number", "date"]),
    ("leg", &["waybill", "way", "stage", "inventory", "fee_vnd"]),
    ("rating", &["officer", "score"]),
    ("notice", &["channel"]),
    ("delivery", &["reference", "cost_vnd"]),
    ("opinion", &["agency", "number", "date", "signer", "expected", "pauses"]),
    ("intake", &["version", "dues"]),
];

const AMOUNT: Form = Form {
    code: "not-an-amount",
    english: "an amount from 1 to 1000000000000 đồng",
    vietnamese: "số tiền từ 1 đến 1000000000000 đồng",
};
const SCORE: Form = Form {
    code: "not-a-score",
    english: "a score from 1 to 5",
    vietnamese: "mức đánh giá từ 1 đến 5",
};
