//! What a form may say: facts, drawn from a dossier and cleaned for paper.
//!
//! This is the only place that knows how a dossier is built.

use lienthong_catalogue::{Calendar, Limit, Procedure, Unit, Verdict};
use lienthong_dossier::{
    Act, ActKind, Applicant, Channel, Dossier, ReturnBy, SlipLine, due_moment,
};
use lienthong_protocol::{Moment, OfficeId};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;

use crate::day::When;

/// Gives what a dossier only refers to.
pub trait Lookup {
    /// The official name of an office; none if it is not known here.
    fn office(&self, office: OfficeId) -> Option<String>;

    /// A version of a procedure; none if it is not known here.
    fn procedure(&self, code: &str, version: u32) -> Option<&Procedure>;

    /// The full name of an officer of an office; none if it is not known here.
    fn officer(&self, office: OfficeId, officer: &str) -> Option<String>;

    /// The working calendar by which dues without a minute end.
    fn calendar(&self) -> &Calendar;
}

/// What the forms 01 to 06 may say about one dossier. Texts are in Unicode NFC, without control
/// characters but `\n`, and at most 4,000 characters long; an empty text is one that is not known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Facts {
    /// The code of the dossier.
    pub code: String,
    /// The code of the dossier that it is a part of (liên thông) and counted with.
    pub part_of: Option<String>,
    /// Its status in Vietnamese.
    pub status: String,
    /// The procedure.
    pub procedure: ProcedureWords,
    /// The offices that take part.
    pub offices: OfficeNames,
    /// Whose dossier it is.
    pub applicant: Person,
    /// Who handed it in, where that is somebody else.
    pub submitter: Option<String>,
    /// Who took it in.
    pub receiver: String,
    /// The papers that were handed in; at most 500.
    pub papers: Vec<Paper>,
    /// When things happen.
    pub times: Times,
    /// Whether the result goes back by post.
    pub returned_by_post: bool,
    /// What was written to the applicant.
    pub letters: Letters,
    /// Who gave it to whom, in order; at most 500.
    pub hand_overs: Vec<HandOver>,
}

/// What the register says: the dossiers that one office received.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct RegisterFacts {
    /// The name of the office.
    pub office: String,
    /// When it is printed.
    pub printed: When,
    /// The dossiers, in any order.
    pub dossiers: Vec<Facts>,
    /// How many more of this time no list may name, since their procedures are sensitive.
    pub unlisted: u64,
    /// Whether dossiers may be missing, since the lists of the node are still being made.
    pub is_partial: bool,
}

/// What a form says about a procedure.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProcedureWords {
    /// Its code.
    pub code: String,
    /// Its name, where the catalogue is known.
    pub name: Option<String>,
    /// Its field, such as `Hộ tịch`.
    pub field: Option<String>,
    /// Its time limit, such as `15 ngày làm việc`.
    pub limit: Option<String>,
    /// How many sets of papers are handed in.
    pub sets: Option<u16>,
}

/// The names of the offices of a dossier.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfficeNames {
    /// Took the dossier in.
    pub receiving: String,
    /// Decides.
    pub competent: String,
    /// Are asked on the way.
    pub coordinating: Vec<String>,
    /// Hands the result out.
    pub returning: String,
}

/// What a form says about an applicant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// The full name.
    pub name: String,
    /// The address.
    pub address: String,
    /// A telephone number.
    pub phone: String,
    /// An e-mail address.
    pub email: String,
}

/// A paper that was handed in.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Paper {
    /// Its name.
    pub name: String,
    /// How many originals.
    pub originals: u16,
    /// How many copies.
    pub copies: u16,
}

/// When things happen to a dossier.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Times {
    /// When the form is printed.
    pub printed: When,
    /// When the dossier was taken in.
    pub received: Option<When>,
    /// The due that the applicant was promised first.
    pub due_original: Option<When>,
    /// The due that holds now.
    pub due: Option<When>,
    /// When it was decided.
    pub finished: Option<When>,
    /// When the applicant got the result.
    pub returned: Option<When>,
}

/// The last letter of each kind that counts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letters {
    /// What the applicant must add.
    pub supplement: Option<Letter>,
    /// Why the dossier is not taken in.
    pub refusal: Option<Letter>,
    /// Why the result is late, and the new due.
    pub extension: Option<Letter>,
    /// Why work has stopped.
    pub stop: Option<Letter>,
}

/// One act that the applicant is told of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Letter {
    /// When it was done.
    pub at: When,
    /// The name of the office that did it.
    pub office: String,
    /// Who did it there.
    pub officer: String,
    /// Why.
    pub reason: String,
    /// What else was written; a line for each thing that is asked for.
    pub note: String,
    /// The day that it sets.
    pub due: Option<When>,
}

/// One line of the control slip.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HandOver {
    /// Who gave.
    pub giver: Party,
    /// Who took.
    pub taker: Party,
    /// When it was given.
    pub given: When,
    /// When it was taken, where that is known.
    pub taken: Option<When>,
    /// Whether the giver was in time, where a due is known.
    pub verdict: Option<Verdict>,
    /// What it was about.
    pub note: String,
}

/// One side of a hand-over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Party {
    /// The name of the office.
    pub office: String,
    /// Who acted there; empty if it is not known.
    pub officer: String,
}

impl ProcedureWords {
    /// How many sets of papers are handed in, or the room to write it by hand.
    pub(crate) fn sets_words(&self) -> String {
        self.sets.map_or_else(|| "……".to_owned(), |sets| format!("{sets:02}"))
    }

    /// What the applicant asks for: the name with the code, or what is known of it.
    pub(crate) fn title(&self) -> String {
        match (&self.name, &self.field) {
            (Some(name), _) if self.code.is_empty() => name.clone(),
            (Some(name), _) => format!("{name} (mã TTHC: {})", self.code),
            (None, _) if self.code.is_empty() => String::new(),
            (None, Some(field)) => format!("Thủ tục {}, lĩnh vực {field}", self.code),
            (None, None) => format!("Thủ tục {}", self.code),
        }
    }
}

impl Times {
    pub(crate) fn received_or_printed(&self) -> &When {
        self.received.as_ref().unwrap_or(&self.printed)
    }
}

impl Facts {
    /// Draws the facts from a dossier. Acts that do not count are left out.
    pub fn of(dossier: &Dossier, known: &impl Lookup, printed: Moment) -> Facts {
        let source = Source { dossier, known };
        let reception = &dossier.reception;
        let received = source.last(ActKind::Received);
        let submitter = reception.submitter.as_ref();
        Facts {
            code: dossier.code.to_string(),
            part_of: reception.parent_code.as_ref().map(ToString::to_string),
            status: dossier.standing.status.name_vi().to_owned(),
            procedure: source.procedure(),
            offices: source.offices(),
            applicant: person(&reception.applicant),
            submitter: submitter.map(|submitter| clean(&submitter.name)),
            receiver: received
                .map(|act| source.officer(act.office, &act.officer))
                .unwrap_or_default(),
            papers: papers(dossier),
            times: source.times(printed),
            returned_by_post: reception.return_by == ReturnBy::Post,
            letters: source.letters(),
            hand_overs: source.hand_overs(),
        }
    }

    /// The same without what the register does not show: papers, letters, later hand-overs.
    pub fn brief(mut self) -> Facts {
        self.papers.clear();
        self.letters = Letters::default();
        self.hand_overs.truncate(1);
        self
    }

    /// Who stood at the counter.
    pub(crate) fn handed_in_by(&self) -> &str {
        self.submitter.as_deref().unwrap_or(&self.applicant.name)
    }

    /// Where the result will be.
    pub(crate) fn returned_at(&self) -> String {
        let address = &self.applicant.address;
        match (self.returned_by_post, self.offices.returning.as_str()) {
            (true, _) if address.is_empty() => "Nhà, qua dịch vụ bưu chính".to_owned(),
            (true, _) => format!("Nhà, qua dịch vụ bưu chính ({address})"),
            (false, "") => String::new(),
            (false, office) => format!("Bộ phận tiếp nhận và trả kết quả, {office}"),
        }
    }
}

/// A dossier with what it refers to.
struct Source<'a, K> {
    dossier: &'a Dossier,
    known: &'a K,
}

impl<K: Lookup> Source<'_, K> {
    fn procedure(&self) -> ProcedureWords {
        let reception = &self.dossier.reception;
        let known = self.known.procedure(&reception.procedure, reception.version);
        let channel = match reception.channel {
            Channel::Counter => lienthong_catalogue::Channel::Counter,
            Channel::Online => lienthong_catalogue::Channel::Online,
            Channel::Post => lienthong_catalogue::Channel::Post,
        };
        let limit = known.and_then(|known| known.limit(reception.case.as_deref(), Some(channel)));
        ProcedureWords {
            code: clean(&reception.procedure),
            name: known.map(|known| clean(&known.name)),
            field: reception.field.as_deref().map(clean),
            limit: limit.map(|limit| limit_words(limit.limit())),
            sets: known.map(|known| known.sets),
        }
    }

    fn offices(&self) -> OfficeNames {
        let offices = &self.dossier.reception.offices;
        let coordinating = self.dossier.coordinating();
        OfficeNames {
            receiving: self.office(offices.receiving),
            competent: self.office(offices.deciding()),
            coordinating: coordinating.iter().map(|office| self.office(*office)).collect(),
            returning: self.office(offices.returning.unwrap_or(offices.receiving)),
        }
    }

    fn times(&self, printed: Moment) -> Times {
        let due = |text: Option<&str>| text.and_then(When::parse);
        let at = |kind: ActKind| self.last(kind).map(|act| When::of(act.at));
        // Without the calendar of its years nobody knows how far the due moved.
        let held = self.dossier.due_at(self.known.calendar(), printed);
        let held = held.unwrap_or_else(|_| self.dossier.standing.due.clone());
        Times {
            printed: When::of(printed),
            received: self.dossier.records.times.received.map(When::of),
            due_original: due(self.dossier.original_due()),
            due: due(held.as_deref()),
            finished: at(ActKind::Finished),
            returned: at(ActKind::Returned),
        }
    }

    fn letters(&self) -> Letters {
        let letter = |kind| self.last(kind).map(|act| self.letter(act));
        Letters {
            supplement: letter(ActKind::SupplementAsked),
            refusal: letter(ActKind::Refused),
            extension: letter(ActKind::Extended),
            stop: letter(ActKind::Stopped),
        }
    }

    fn letter(&self, act: &Act) -> Letter {
        let text = |text: &Option<String>| text.as_deref().map(clean).unwrap_or_default();
        Letter {
            at: When::of(act.at),
            office: self.office(act.office),
            officer: self.officer(act.office, &act.officer),
            reason: text(&act.reason),
            note: text(&act.note),
            due: act.due.as_deref().and_then(When::parse),
        }
    }

    /// The lines of the slip: the dossier handed over, questions and answers, the result.
    fn hand_overs(&self) -> Vec<HandOver> {
        let mut lines: Vec<(Moment, HandOver)> = self.handed_over();
        lines.extend(self.effective().filter_map(|act| Some((act.at, self.passed_on(act)?))));
        lines.sort_by_key(|(at, _)| *at);
        lines.truncate(MAX_ENTRIES);
        lines.into_iter().map(|(_, line)| line).collect()
    }

    fn handed_over(&self) -> Vec<(Moment, HandOver)> {
        let slip = self.dossier.control_slip(self.known.calendar());
        let line = |line: SlipLine| {
            let hand_over = HandOver {
                giver: self.party(line.giver, &line.giver_officer),
                taker: self.party(line.receiver, line.receiver_officer.as_deref().unwrap_or("")),
                given: When::of(line.given_at),
                taken: line.taken_at.map(When::of),
                verdict: line.verdict,
                note: self.passing_note(&line),
            };
            (line.given_at, hand_over)
        };
        slip.into_iter().map(line).collect()
    }

    /// What stands beside a hand-over: that it is one, and what the giver wrote for the taker.
    fn passing_note(&self, line: &SlipLine) -> String {
        let is_this = |act: &&Act| {
            let is_hand_over = act.known_kind() == Some(ActKind::Transferred);
            is_hand_over && (act.office, act.at) == (line.giver, line.given_at)
        };
        let note = self.effective().find(is_this).and_then(|act| act.note.as_deref());
        let note: String = note.map(clean).unwrap_or_default();
        let cut: String = note.chars().take(MAX_NOTE_CHARS).collect();
        let end = if cut.len() < note.len() { "…" } else { "" };
        if cut.is_empty() { HANDED_OVER.to_owned() } else { format!("{HANDED_OVER}\n{cut}{end}") }
    }

    /// The line that an act makes which asks, answers or decides.
    fn passed_on(&self, act: &Act) -> Option<HandOver> {
        let offices = &self.dossier.reception.offices;
        let (to, due, words) = match act.known_kind()? {
            ActKind::Consulted => (act.to_office?, None, "Lấy ý kiến phối hợp"),
            ActKind::Replied => {
                let asked = act.regards.as_ref()?;
                let question = self.effective().find(|earlier| earlier.id == *asked)?;
                (question.office, question.due.as_deref(), "Trả lời phối hợp")
            }
            ActKind::Finished => {
                let to = offices.returning.unwrap_or(offices.receiving);
                (to, self.dossier.original_due(), "Chuyển kết quả")
            }
            _ => return None,
        };
        let due = due.and_then(|due| due_moment(self.known.calendar(), due));
        Some(HandOver {
            giver: self.party(act.office, &act.officer),
            taker: self.party(to, ""),
            given: When::of(act.at),
            taken: None,
            verdict: due.map(|due| Verdict::of(due, act.at)),
            note: words.to_owned(),
        })
    }

    fn party(&self, office: OfficeId, officer: &str) -> Party {
        Party { office: self.office(office), officer: self.officer(office, officer) }
    }

    /// The acts that count, in their order.
    fn effective(&self) -> impl Iterator<Item = &Act> {
        self.dossier.acts.iter().filter(|act| act.counts)
    }

    /// The last act of a kind that counts.
    fn last(&self, kind: ActKind) -> Option<&Act> {
        self.effective().filter(|act| act.known_kind() == Some(kind)).last()
    }

    fn officer(&self, office: OfficeId, officer: &str) -> String {
        clean(&self.known.officer(office, officer).unwrap_or_else(|| officer.to_owned()))
    }

    fn office(&self, office: OfficeId) -> String {
        clean(&self.known.office(office).unwrap_or_else(|| office.to_string()))
    }
}

/// A limit as receipts say it: `15 ngày làm việc`, `2,5 ngày`.
fn limit_words(limit: Limit) -> String {
    let half = if limit.half { ",5" } else { "" };
    let unit = match limit.unit {
        Unit::WorkingDay => "ngày làm việc",
        Unit::Day => "ngày",
        Unit::Hour => "giờ làm việc",
        Unit::SameDay => return "trong ngày".to_owned(),
    };
    format!("{:02}{half} {unit}", limit.amount)
}

fn person(applicant: &Applicant) -> Person {
    let text = |text: &Option<String>| text.as_deref().map(clean).unwrap_or_default();
    Person {
        name: clean(&applicant.name),
        address: text(&applicant.address),
        phone: text(&applicant.phone),
        email: text(&applicant.email),
    }
}

fn papers(dossier: &Dossier) -> Vec<Paper> {
    let components = dossier.reception.components.iter().take(MAX_ENTRIES);
    let paper = components.map(|component| Paper {
        name: clean(&component.name),
        originals: component.originals,
        copies: component.copies,
    });
    paper.collect()
}

/// Brings a text into NFC, without control characters but `\n`, and not too long for paper.
fn clean(text: &str) -> String {
    let printable = |c: char| if c.is_control() && c != '\n' { ' ' } else { c };
    let mut chars = text.nfc().map(printable);
    let mut cleaned: String = chars.by_ref().take(MAX_CHARS).collect();
    if chars.next().is_some() {
        cleaned.push('…');
    }
    cleaned.trim().to_owned()
}

/// As long as the longest text that a counter may type; a hostile one is cut there.
const MAX_CHARS: usize = 4_000;
/// More than any dossier has of papers and hand-overs.
const MAX_ENTRIES: usize = 500;
/// What fits beside a hand-over without making its line of the slip much higher.
const MAX_NOTE_CHARS: usize = 120;
const HANDED_OVER: &str = "Chuyển hồ sơ";

#[cfg(test)]
#[path = "facts_tests.rs"]
mod tests;
