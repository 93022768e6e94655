//! The page of one dossier: where it stands, what happened, what can be done.

use std::sync::Arc;

use askama::Template;
use lienthong_dossier::{ActKind, Status};
use lienthong_request::{Failure, Request};
use lienthong_web::{Answer, Tongue, Visit, moment};
use serde_json::Value;

use crate::act::{act_word, told};
use crate::spoken::{Offices, clock_words, due, list, text, words};

#[derive(Template)]
#[template(path = "dossier.html")]
struct Page<'p> {
    t: Tongue<'p>,
    id: String,
    code: String,
    procedure: String,
    clock: String,
    is_late: bool,
    center: Option<String>,
    conflicts: Vec<Conflict>,
    remarks: Vec<String>,
    moves: Vec<&'static str>,
    others: Vec<&'static str>,
    facts: Vec<(&'static str, String)>,
    papers: Vec<[String; 3]>,
    steps: Vec<Step>,
    given: Vec<Given>,
    asked: Vec<Asked>,
    forms: Vec<&'static str>,
}

/// Two acts that exclude each other, and who decides.
struct Conflict {
    acts: [(String, String); 2],
    entitled: String,
    /// The key of the form that decides; none for who may not.
    once: Option<String>,
}

/// One act of the timeline.
struct Step {
    what: String,
    at: String,
    office: String,
    officer: String,
    /// What became of it, where it is more than that it counts.
    effect: Option<String>,
    doubt: String,
    notes: Vec<(&'static str, String)>,
}

/// One hand-over.
struct Given {
    from: String,
    to: String,
    at: String,
    taken: String,
}

/// One question to an office or a body outside, with its answer.
struct Asked {
    whom: String,
    question: String,
    at: String,
    due: String,
    answer: String,
}

pub(crate) async fn show(visit: Arc<Visit>) -> Answer {
    let dossier = visit.part("dossier").to_owned();
    let shown = visit.ask(Request::Show { dossier }).await?;
    let id = text(&shown["id"]).to_owned();
    let officer = visit.officer().to_owned();
    let offered = visit.ask(Request::Offered { dossier: id.clone(), officer }).await?;
    let status = visit.ask(Request::Status).await?;
    let offices = Offices::ask(&visit, &status).await?;
    let offered = kinds(&offered["acts"]);
    let t = visit.tongue();
    let told = Told { t, shown: &shown, offices: &offices };
    let (clock, is_late) = clock_words(t, &shown["clock"]);
    let (moves, others) = sorted(&offered, &shown["status"]);
    let page = Page {
        t,
        code: text(&shown["code"]).to_owned(),
        procedure: procedure_name(&visit, &shown).await,
        clock,
        is_late,
        center: offices.at_center(t, &status, &shown),
        conflicts: told.conflicts(&visit, offered.contains(&ActKind::Resolved))?,
        remarks: told.remarks(),
        moves,
        others,
        facts: told.facts(),
        papers: told.papers(),
        steps: told.steps(),
        given: told.given(),
        asked: told.asked(),
        forms: told.forms(),
        id,
    };
    visit.page("dossier.title", &page).await
}

fn kinds(words: &Value) -> Vec<ActKind> {
    list(words).iter().filter_map(|word| ActKind::of(text(word))).collect()
}

/// The acts that move the dossier on, and the others. A conflict has a form of its own.
fn sorted(offered: &[ActKind], status: &Value) -> (Vec<&'static str>, Vec<&'static str>) {
    let held = Status::ALL.into_iter().find(|known| *status == known.number());
    let moving = held.map(Status::moves).unwrap_or_default();
    let offered = offered.iter().filter(|kind| **kind != ActKind::Resolved);
    let (moves, others): (Vec<&ActKind>, Vec<&ActKind>) =
        offered.partition(|kind| moving.contains(kind));
    let words = |kinds: Vec<&ActKind>| kinds.into_iter().map(|kind| kind.word()).collect();
    (words(moves), words(others))
}

async fn procedure_name(visit: &Visit, shown: &Value) -> String {
    let code = text(&shown["procedure"]).to_owned();
    let known = visit.ask(Request::Procedure { code: code.clone(), day: None }).await;
    match known.as_ref().map(|known| text(&known["procedure"]["name"])) {
        Ok(name) if !name.is_empty() => format!("{name} ({code})"),
        _ => code,
    }
}

/// A dossier as its page tells it.
struct Told<'a> {
    t: Tongue<'a>,
    shown: &'a Value,
    offices: &'a Offices,
}

impl Told<'_> {
    fn office(&self, id: &Value) -> String {
        self.offices.name(text(id)).to_owned()
    }

    fn conflicts(&self, visit: &Visit, may_decide: bool) -> Result<Vec<Conflict>, Failure> {
        let acts = list(&self.shown["acts"]);
        let mut conflicts = Vec::new();
        for review in list(&self.shown["review"]).iter().filter(|it| it["kind"] == "conflict") {
            let told = |id: &Value| {
                let act = acts.iter().find(|act| act["id"] == *id);
                let told = act.map(|act| told(self.t, act, self.offices)).unwrap_or_default();
                (text(id).to_owned(), told)
            };
            conflicts.push(Conflict {
                acts: [told(&review["first"]), told(&review["second"])],
                entitled: self.office(&review["entitled"]),
                once: may_decide.then(|| visit.once_key()).transpose()?,
            });
        }
        Ok(conflicts)
    }

    /// What a person should look at besides conflicts.
    fn remarks(&self) -> Vec<String> {
        let review = list(&self.shown["review"]).iter().filter(|it| it["kind"] != "conflict");
        let review = review.map(|it| {
            let is_unreadable = it["kind"] == "unreadable";
            if is_unreadable { self.t.say("dossier.unreadable") } else { words(self.t, it) }
        });
        let findings = list(&self.shown["findings"]).iter().map(|it| words(self.t, it));
        review.chain(findings).collect()
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        let (shown, t) = (self.shown, self.t);
        let (person, submitter) = (&shown["applicant"], &shown["submitter"]);
        let plain = |value: &Value| text(value).to_owned();
        let status = shown["status"].as_u64().unwrap_or(1);
        let channel = |value: &Value| t.say_or(&format!("channel.{}", text(value)), text(value));
        let facts = vec![
            ("list.status", t.say(&format!("status.{status}"))),
            ("list.due", due(&shown["due"])),
            ("dossier.due_original", due(&shown["due_original"])),
            ("dossier.holder", self.office(&shown["offices"]["holder"])),
            ("receive.competent", self.office(&shown["offices"]["competent"])),
            ("dossier.receiving", self.office(&shown["offices"]["receiving"])),
            ("receive.case", plain(&shown["case"])),
            ("receive.channel", channel(&shown["channel"])),
            ("receive.return_by", channel(&shown["return_by"])),
            ("dossier.shelf", plain(&shown["offices"]["shelf"])),
            ("list.applicant", plain(&person["name"])),
            ("dossier.id_number", plain(&person["id_number"])),
            ("receive.birth_date", due(&person["birth_date"])),
            ("receive.phone", plain(&person["phone"])),
            ("receive.email", plain(&person["email"])),
            ("receive.address", plain(&person["address"])),
            ("receive.submitter", plain(&submitter["name"])),
            ("field.note", plain(&shown["note"])),
        ];
        let is_moved = shown["due"] != shown["due_original"];
        let is_told = |(name, fact): &(&str, String)| {
            !fact.is_empty() && (*name != "dossier.due_original" || is_moved)
        };
        facts.into_iter().filter(is_told).collect()
    }

    fn papers(&self) -> Vec<[String; 3]> {
        let count = |value: &Value| value.as_u64().unwrap_or(0).to_string();
        let papers = list(&self.shown["components"]).iter();
        let paper = |it: &Value| {
            [text(&it["name"]).to_owned(), count(&it["originals"]), count(&it["copies"])]
        };
        papers.map(paper).collect()
    }

    /// The acts, the newest first.
    fn steps(&self) -> Vec<Step> {
        list(&self.shown["acts"]).iter().rev().map(|act| self.step(act)).collect()
    }

    fn step(&self, act: &Value) -> Step {
        let effect = text(&act["effect"]);
        let plain = |field: &str| text(&act[field]).to_owned();
        let letter = &act["reply"];
        let letter = format!("{} {}", text(&letter["number"]), due(&letter["date"]));
        let regards = list(&self.shown["acts"])
            .iter()
            .find(|it| it["id"] == act["regards"] && !act["regards"].is_null());
        let notes = [
            ("field.reason", plain("reason")),
            ("field.note", plain("note")),
            ("field.by", due(&act["due"])),
            ("field.to_office", self.office(&act["to_office"])),
            ("field.regards", regards.map(|it| told(self.t, it, self.offices)).unwrap_or_default()),
            ("field.letter", letter.trim().to_owned()),
        ];
        Step {
            what: act_word(self.t, text(&act["kind"])),
            at: moment(&act["at"]),
            office: self.office(&act["office"]),
            officer: plain("officer"),
            effect: (effect != "effective").then(|| self.t.say(&format!("effect.{effect}"))),
            doubt: words(self.t, &act["doubt"]),
            notes: notes.into_iter().filter(|(_, note)| !note.is_empty()).collect(),
        }
    }

    fn given(&self) -> Vec<Given> {
        let given = list(&self.shown["records"]["handovers"]).iter();
        let given = given.map(|it| Given {
            from: self.office(&it["giver"]),
            to: self.office(&it["receiver"]),
            at: moment(&it["given_at"]),
            taken: moment(&it["taken_at"]),
        });
        given.collect()
    }

    fn asked(&self) -> Vec<Asked> {
        let records = &self.shown["records"];
        let answer = |reply: &Value| {
            let letter = &reply["letter"];
            let number = text(&letter["number"]);
            format!("{number} {}", moment(&reply["at"])).trim().to_owned()
        };
        let requests = list(&records["requests"]).iter().map(|it| Asked {
            whom: self.office(&it["agency"]),
            question: text(&it["question"]).to_owned(),
            at: moment(&it["asked_at"]),
            due: due(&it["due"]),
            answer: answer(&it["reply"]),
        });
        let opinions = list(&records["opinions"]).iter().map(|it| Asked {
            whom: text(&it["letter"]["agency"]).to_owned(),
            question: text(&it["letter"]["number"]).to_owned(),
            at: moment(&it["asked_at"]),
            due: due(&it["letter"]["expected"]),
            answer: answer(&it["reply"]),
        });
        requests.chain(opinions).collect()
    }

    /// The forms that say something about this dossier.
    fn forms(&self) -> Vec<&'static str> {
        let has = |kind: &str| {
            let mut acts = list(&self.shown["acts"]).iter();
            acts.any(|act| act["kind"] == kind && act["counts"] == true)
        };
        let forms = [
            ("receipt", "received"),
            ("supplement", "supplement-asked"),
            ("refusal", "refused"),
            ("apology", "extended"),
            ("stop", "stopped"),
            ("slip", "received"),
        ];
        forms.into_iter().filter(|(_, kind)| has(kind)).map(|(form, _)| form).collect()
    }
}
