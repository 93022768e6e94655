//! What the acts of a dossier leave behind: requests, hand-overs, money, papers, pauses.

use lienthong_protocol::{Moment, OfficeId};
use serde::Serialize;

use crate::act::{Act, ActKind, ReplyLetter};
use crate::day::past_from;
use crate::detail::{Detail, Fee, Leg, NoticeChannel, Opinion, Remittance, ResultPaper};
use crate::status::Status;

/// Everything that the acts that count leave behind, each list in the order of the acts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Records {
    /// When what happened.
    pub times: Times,
    /// The offices that were asked for a written answer (liên thông).
    pub requests: Vec<Request>,
    /// The bodies outside that were asked for an opinion.
    pub opinions: Vec<AskedOpinion>,
    /// The hand-overs from office to office; they make the control slip.
    pub handovers: Vec<Handover>,
    /// The apologies for being late.
    pub extensions: Vec<Extension>,
    /// The papers that the applicant gets.
    pub results: Vec<IssuedResult>,
    /// The fees that were paid.
    pub fees: Vec<PaidFee>,
    /// The legs of the post.
    pub legs: Vec<PostLeg>,
    /// What the applicant thinks of the officers.
    pub ratings: Vec<GivenRating>,
    /// What the applicant is told, one entry for each act and way.
    pub notifications: Vec<Notification>,
    /// When the clock stood still; the entries may overlap.
    pub pauses: Vec<Pause>,
}

/// The moments of a dossier, as the offices gave them; the latest of each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Times {
    /// When the applicant applied.
    pub submitted: Option<Moment>,
    /// When it was taken in.
    pub received: Option<Moment>,
    /// When the applicant was asked to add something.
    pub supplement_asked: Option<Moment>,
    /// When the applicant added it.
    pub supplied: Option<Moment>,
    /// When it was decided.
    pub finished: Option<Moment>,
    /// When the applicant was told.
    pub notified: Option<Moment>,
    /// When the applicant got the result.
    pub returned: Option<Moment>,
    /// When the due that holds was set; none while it is that of the reception.
    pub due_set: Option<Moment>,
}

/// A question to another office, which owes a written answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Request {
    /// The act that asks.
    pub act: String,
    /// Who asks.
    pub asked_by: OfficeId,
    /// Who is asked.
    pub agency: OfficeId,
    /// When.
    pub asked_at: Moment,
    /// What is asked.
    pub question: Option<String>,
    /// When the answer is due, as `YYYY-MM-DD` or `YYYY-MM-DDTHH:MM`.
    pub due: Option<String>,
    /// The answer; none while it is owed.
    pub reply: Option<Answer>,
}

/// A written answer, and when it came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Answer {
    /// The act that answers.
    pub act: String,
    /// When it was entered.
    pub at: Moment,
    /// The letter.
    pub letter: ReplyLetter,
}

/// A question to a ministry or another body outside.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AskedOpinion {
    /// The act that asks.
    pub act: String,
    /// Who asks.
    pub asked_by: OfficeId,
    /// When.
    pub asked_at: Moment,
    /// The letter that asks.
    pub letter: Opinion,
    /// When it was reminded.
    pub follow_ups: Vec<Moment>,
    /// The answer; none while it is owed.
    pub reply: Option<Answer>,
}

/// The dossier going from one office to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Handover {
    /// The act that gives.
    pub act: String,
    /// Who gives.
    pub giver: OfficeId,
    /// The officer who gives.
    pub giver_officer: String,
    /// When.
    pub given_at: Moment,
    /// Who gets it.
    pub receiver: OfficeId,
    /// The officer who took it; none while nobody did.
    pub receiver_officer: Option<String>,
    /// When it was taken.
    pub taken_at: Option<Moment>,
    /// The step of the procedure that the giver has done.
    pub step: Option<String>,
    /// When the receiver's part is due.
    pub due: Option<String>,
}

/// An apology for being late, with the new due.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Extension {
    /// The act.
    pub act: String,
    /// Who apologises.
    pub office: OfficeId,
    /// When.
    pub at: Moment,
    /// Why it is late.
    pub reason: String,
    /// The new due.
    pub due: String,
}

/// A paper that the applicant gets.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct IssuedResult {
    /// The act that issued it.
    pub act: String,
    /// Whose paper it is.
    pub office: OfficeId,
    /// When it was entered.
    pub at: Moment,
    /// The paper.
    pub paper: ResultPaper,
}

/// A fee that was paid.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PaidFee {
    /// The act.
    pub act: String,
    /// Who took it.
    pub office: OfficeId,
    /// When.
    pub at: Moment,
    /// The fee and its receipt.
    pub fee: Fee,
    /// What was paid back of it, in đồng.
    pub refunded_vnd: u64,
    /// How it was passed on to the Treasury; none while the office has it.
    pub remittance: Option<Remittance>,
}

/// One leg of the post.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PostLeg {
    /// The act.
    pub act: String,
    /// Who entered it.
    pub office: OfficeId,
    /// When.
    pub at: Moment,
    /// The leg.
    pub leg: Leg,
}

/// What the applicant thinks of an officer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct GivenRating {
    /// The act.
    pub act: String,
    /// The counter at which it was given.
    pub office: OfficeId,
    /// When.
    pub at: Moment,
    /// Who is rated.
    pub officer: String,
    /// From 1 to 5.
    pub score: u8,
}

/// One thing that the applicant is told by one way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Notification {
    /// What keeps it from being told twice: the act that it tells and the way.
    pub key: String,
    /// The act that the applicant is told of.
    pub event: String,
    /// The way.
    pub channel: NoticeChannel,
    /// The acts that queued it; several if offices did so at once.
    pub queued: Vec<String>,
    /// The office that queued it first.
    pub queued_by: OfficeId,
    /// When that was.
    pub queued_at: Moment,
    /// How far it is.
    pub state: NotificationState,
    /// How often it failed.
    pub failures: u32,
    /// The acts that say that it was sent; more than one is a fault.
    pub sent: Vec<String>,
    /// What it cost the offices, in đồng.
    pub cost_vnd: u64,
}

/// How far a notification is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum NotificationState {
    /// It waits for its sender.
    Queued,
    /// It was sent.
    Sent,
    /// It could not be sent and may be queued again.
    Failed,
}

/// A time in which the clock stood still.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pause {
    /// Why.
    pub because: PauseCause,
    /// The act that stopped the clock.
    pub act: String,
    /// From when.
    pub from: Moment,
    /// Until when, never before `from`; none while it lasts.
    pub to: Option<Moment>,
}

/// Why the clock stands still.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum PauseCause {
    /// The applicant has to add something.
    SupplementAsked,
    /// The applicant has to pay.
    PaymentAsked,
    /// Work is stopped.
    Stopped,
    /// A body outside is asked, and the procedure lets the clock stand still.
    OpinionAsked,
}

impl Request {
    /// The moment from which the answer is owed past its due; none if it came, or has none.
    pub fn overdue_from(&self) -> Option<Moment> {
        let due = self.due.as_deref().filter(|_| self.reply.is_none());
        due.and_then(past_from)
    }
}

impl Records {
    /// The requests whose answer is owed past its due.
    pub fn overdue_requests(&self, now: Moment) -> impl Iterator<Item = &Request> {
        let is_overdue = move |from: Moment| from <= now;
        self.requests.iter().filter(move |request| request.overdue_from().is_some_and(is_overdue))
    }

    /// Enters an act that counts.
    pub(crate) fn enter(&mut self, kind: ActKind, act: &Act) {
        self.enter_time(kind, act);
        if let Some(detail) = &act.detail {
            self.enter_detail(kind, act, detail);
        }
        match kind {
            ActKind::Consulted => self.requests.extend(asked(act)),
            ActKind::Transferred => self.handovers.extend(given(act)),
            ActKind::Taken => self.take(act),
            ActKind::Replied | ActKind::OpinionReplied => self.answer(act),
            ActKind::OpinionFollowedUp => {
                let opinion = self.opinions.iter_mut().find(|asked| regards(act, &asked.act));
                opinion.into_iter().for_each(|asked| asked.follow_ups.push(act.at));
            }
            ActKind::Extended => self.extensions.extend(apology(act)),
            ActKind::NotificationSent | ActKind::NotificationFailed => self.deliver(kind, act),
            _ => (),
        }
    }

    /// Enters that an act moved the dossier from one status to another.
    pub(crate) fn move_on(&mut self, to: Status, act: &Act) {
        if to == Status::InProcess {
            // Who was asked for more before anybody took the dossier in, and brought it.
            self.times.received = self.times.received.or(Some(act.at));
        }
        for pause in &mut self.pauses {
            if pause.to.is_none() && pause.because != PauseCause::OpinionAsked {
                pause.to = Some(act.at.max(pause.from));
            }
        }
        let because = match to {
            Status::SupplementAsked => PauseCause::SupplementAsked,
            Status::PaymentAsked => PauseCause::PaymentAsked,
            Status::Stopped => PauseCause::Stopped,
            _ => return,
        };
        self.pauses.push(Pause { because, act: act.id.clone(), from: act.at, to: None });
    }

    fn enter_time(&mut self, kind: ActKind, act: &Act) {
        let Times { submitted, received, supplement_asked, supplied, finished, .. } =
            &mut self.times;
        let time = match kind {
            ActKind::Registered if submitted.is_none() => submitted,
            ActKind::Received => received,
            ActKind::SupplementAsked => supplement_asked,
            ActKind::Supplied => supplied,
            ActKind::Finished => finished,
            ActKind::Returned => &mut self.times.returned,
            ActKind::NotificationSent => &mut self.times.notified,
            _ => return,
        };
        *time = Some(act.at);
    }

    fn enter_detail(&mut self, kind: ActKind, act: &Act, detail: &Detail) {
        let (id, office, at) = (act.id.clone(), act.office, act.at);
        match detail.clone() {
            Detail::Result(paper) => {
                self.results.push(IssuedResult { act: id, office, at, paper });
            }
            Detail::Fee(fee) => {
                let (refunded_vnd, remittance) = (0, None);
                self.fees.push(PaidFee { act: id, office, at, fee, refunded_vnd, remittance });
            }
            Detail::Leg(leg) => self.legs.push(PostLeg { act: id, office, at, leg }),
            Detail::Rating(rating) => {
                let (officer, score) = (rating.officer, rating.score);
                self.ratings.push(GivenRating { act: id, office, at, officer, score });
            }
            Detail::Refund(refund) => {
                if let Some(paid) = self.fees.iter_mut().find(|paid| regards(act, &paid.act)) {
                    paid.refunded_vnd = paid.refunded_vnd.saturating_add(refund.amount_vnd);
                }
            }
            Detail::Remittance(order) => {
                if let Some(paid) = self.fees.iter_mut().find(|paid| regards(act, &paid.act)) {
                    paid.remittance = Some(order);
                }
            }
            Detail::Notice(notice) if kind == ActKind::NotificationQueued => {
                self.queue(act, notice.channel);
            }
            Detail::Opinion(letter) => self.ask_opinion(act, letter),
            Detail::Notice(_) | Detail::Delivery(_) | Detail::Intake(_) => (),
        }
    }

    fn ask_opinion(&mut self, act: &Act, letter: Opinion) {
        if letter.pauses {
            let (because, from) = (PauseCause::OpinionAsked, act.at);
            self.pauses.push(Pause { because, act: act.id.clone(), from, to: None });
        }
        let (asked_by, asked_at) = (act.office, act.at);
        let asked = AskedOpinion {
            act: act.id.clone(),
            asked_by,
            asked_at,
            letter,
            follow_ups: Vec::new(),
            reply: None,
        };
        self.opinions.push(asked);
    }

    fn take(&mut self, act: &Act) {
        if let Some(given) = self.handovers.iter_mut().find(|given| regards(act, &given.act)) {
            given.receiver_officer = Some(act.officer.clone());
            given.taken_at = Some(act.at);
        }
    }

    fn answer(&mut self, act: &Act) {
        let letter = act.reply.clone();
        let answer = letter.map(|letter| Answer { act: act.id.clone(), at: act.at, letter });
        if let Some(request) = self.requests.iter_mut().find(|asked| regards(act, &asked.act)) {
            request.reply = answer;
        } else if let Some(asked) = self.opinions.iter_mut().find(|asked| regards(act, &asked.act))
        {
            asked.reply = answer;
            for pause in self.pauses.iter_mut().filter(|pause| pause.act == asked.act) {
                pause.to = pause.to.or(Some(act.at.max(pause.from)));
            }
        }
    }

    /// Offices that queue the same at once queue it once: the key is the same.
    fn queue(&mut self, act: &Act, channel: NoticeChannel) {
        let event = act.regards.clone().unwrap_or_default();
        let key = format!("{event}:{}", channel.word());
        if let Some(known) = self.notifications.iter_mut().find(|known| known.key == key) {
            known.queued.push(act.id.clone());
            if known.state == NotificationState::Failed {
                known.state = NotificationState::Queued;
            }
            return;
        }
        self.notifications.push(Notification {
            key,
            event,
            channel,
            queued: vec![act.id.clone()],
            queued_by: act.office,
            queued_at: act.at,
            state: NotificationState::Queued,
            failures: 0,
            sent: Vec::new(),
            cost_vnd: 0,
        });
    }

    fn deliver(&mut self, kind: ActKind, act: &Act) {
        let part = |known: &&mut Notification| known.queued.iter().any(|id| regards(act, id));
        let Some(known) = self.notifications.iter_mut().find(part) else { return };
        if let Some(Detail::Delivery(delivery)) = &act.detail {
            known.cost_vnd = known.cost_vnd.saturating_add(delivery.cost_vnd.unwrap_or(0));
        }
        if kind == ActKind::NotificationSent {
            known.sent.push(act.id.clone());
            known.state = NotificationState::Sent;
            return;
        }
        known.failures = known.failures.saturating_add(1);
        // A message that once went out stays told, whatever another node says about its attempt.
        if known.sent.is_empty() {
            known.state = NotificationState::Failed;
        }
    }
}

fn regards(act: &Act, id: &str) -> bool {
    act.regards.as_deref() == Some(id)
}

fn asked(act: &Act) -> Option<Request> {
    Some(Request {
        act: act.id.clone(),
        asked_by: act.office,
        agency: act.to_office?,
        asked_at: act.at,
        question: act.note.clone(),
        due: act.due.clone(),
        reply: None,
    })
}

fn given(act: &Act) -> Option<Handover> {
    Some(Handover {
        act: act.id.clone(),
        giver: act.office,
        giver_officer: act.officer.clone(),
        given_at: act.at,
        receiver: act.to_office?,
        receiver_officer: None,
        taken_at: None,
        step: act.step.clone(),
        due: act.due.clone(),
    })
}

fn apology(act: &Act) -> Option<Extension> {
    Some(Extension {
        act: act.id.clone(),
        office: act.office,
        at: act.at,
        reason: act.reason.clone().unwrap_or_default(),
        due: act.due.clone()?,
    })
}

#[cfg(test)]
#[path = "records_tests.rs"]
mod tests;
