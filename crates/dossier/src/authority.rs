//! Who may do what at which stage; the same rules judge an act before it is written and after it
//! came from another office.

use std::collections::BTreeMap;

use lienthong_catalogue::{Catalogue, ProcedureVersion, Role, local};
use lienthong_protocol::{Moment, OfficeId};

use crate::act::{Act, ActKind};
use crate::clock::minute_moment;
use crate::detail::{Detail, NoticeChannel};
use crate::fold::Standing;
use crate::reception::Reception;
use crate::records::{Pause, Records, Times};
use crate::refusal::{Doubt, Refusal};
use crate::status::{Status, allows};

/// Where a dossier stands between two acts.
#[derive(Clone, Debug)]
pub(crate) struct Stage<'a> {
    pub(crate) reception: &'a Reception,
    /// None before the first act that counts.
    pub(crate) status: Option<Status>,
    pub(crate) standing: Standing,
    pub(crate) records: Records,
}

/// Which offices an act is open to.
enum Right {
    /// Every office that holds the dossier.
    Anyone,
    /// The office that received it.
    Receiving,
    /// The offices that the applicant comes to, and the one that decides.
    Counters,
    /// The office that decides.
    Deciding,
    /// The office that decides, and the one that has it in its hands.
    Holding,
}

impl<'a> Stage<'a> {
    /// The stage before the first act.
    pub(crate) fn before_all(reception: &'a Reception) -> Stage<'a> {
        let standing = Standing {
            status: Status::Registered,
            due: reception.due.clone(),
            holder: reception.offices.receiving,
            owed: BTreeMap::new(),
            review: Vec::new(),
        };
        let submitted = reception.submitted.as_deref().and_then(minute_moment);
        let times = Times { submitted, ..Times::default() };
        let records = Records { times, ..Records::default() };
        Stage { reception, status: None, standing, records }
    }

    /// The office that decides now. A receiving office that is not competent does intake only, so
    /// while it holds the dossier the competent office decides; otherwise the holder does.
    pub(crate) fn deciding(&self) -> OfficeId {
        let offices = &self.reception.offices;
        let holder = self.standing.holder;
        if holder == offices.receiving { offices.deciding() } else { holder }
    }

    /// Says whether an act may be done here; corrections are judged by what they correct too.
    /// `is_confirmed`: the entitled office decided that it holds, whoever did it.
    /// Nobody can let an act hold that another office signed.
    pub(crate) fn admit(&self, act: &Act, is_confirmed: bool) -> Result<ActKind, Doubt> {
        if let Some(signer) = act.foreign_signer() {
            return Err(Doubt::SignedByAnother { signer });
        }
        let kind = act.known_kind().ok_or(Doubt::UnknownKind)?;
        if !allows(kind, self.status) {
            return Err(Doubt::Status(self.status));
        }
        if !is_confirmed
            && let Some(entitled) = self.entitled(kind)
            && !entitled.contains(&act.office)
        {
            return Err(Doubt::NotEntitled { entitled });
        }
        self.admit_content(kind, act)?;
        Ok(kind)
    }

    /// Enters an act that was admitted.
    pub(crate) fn enter(&mut self, kind: ActKind, act: &Act) {
        if let Some(status) = act.target() {
            self.status = Some(status);
            self.standing.status = status;
            self.records.move_on(status, act);
        }
        match (kind, act.to_office, &act.regards) {
            (ActKind::Transferred, Some(office), _) => self.standing.holder = office,
            (ActKind::Consulted, Some(office), _) => {
                self.standing.owed.insert(act.id.clone(), office);
            }
            (ActKind::Replied, _, Some(request)) => drop(self.standing.owed.remove(request)),
            _ => (),
        }
        if (kind.sets_due() || self.ends_pause(kind, act)) && act.due.is_some() {
            self.standing.due.clone_from(&act.due);
            self.records.times = Times { due_set: Some(act.at), ..self.records.times };
        }
        self.records.enter(kind, act);
    }

    /// Says whether an act answers an opinion for which the clock stands still.
    fn ends_pause(&self, kind: ActKind, act: &Act) -> bool {
        let lasts = |pause: &Pause| pause.to.is_none() && act.regards.as_ref() == Some(&pause.act);
        kind == ActKind::OpinionReplied && self.records.pauses.iter().any(lasts)
    }

    /// The offices that may do an act of a kind now; none: every office, or those that the act
    /// which it regards names.
    pub(crate) fn entitled(&self, kind: ActKind) -> Option<Vec<OfficeId>> {
        let offices = &self.reception.offices;
        let mut entitled = match self.right(kind) {
            Right::Anyone => return None,
            Right::Receiving => vec![offices.receiving],
            Right::Deciding => vec![self.deciding()],
            Right::Holding => vec![self.deciding(), self.standing.holder],
            Right::Counters => {
                let returning = offices.returning.unwrap_or(offices.receiving);
                vec![offices.receiving, returning, self.deciding(), self.standing.holder]
            }
        };
        entitled.sort_unstable();
        entitled.dedup();
        Some(entitled)
    }

    fn right(&self, kind: ActKind) -> Right {
        use ActKind as K;
        match kind {
            K::Registered | K::Received => Right::Receiving,
            K::Refused | K::SupplementAsked if self.is_intake() => Right::Receiving,
            K::Refused
            | K::SupplementAsked
            | K::InProcess
            | K::PaymentAsked
            | K::Stopped
            | K::Resumed
            | K::Finished
            | K::Consulted
            | K::OpinionAsked
            | K::OpinionFollowedUp
            | K::OpinionReplied
            | K::Extended
            | K::Recomputed
            | K::ResultIssued
            | K::Resolved => Right::Deciding,
            K::Transferred => Right::Holding,
            K::Supplied
            | K::Paid
            | K::Withdrawn
            | K::Returned
            | K::FeePaid
            | K::Refunded
            | K::Remitted
            | K::Posted
            | K::Rated
            | K::NotificationQueued => Right::Counters,
            K::Taken
            | K::Replied
            | K::NotificationSent
            | K::NotificationFailed
            | K::Noted
            | K::Reversed => Right::Anyone,
        }
    }

    /// Says whether the dossier was applied for and not taken in yet.
    fn is_intake(&self) -> bool {
        self.records.times.received.is_none()
    }

    /// Judges what an act of its kind says.
    fn admit_content(&self, kind: ActKind, act: &Act) -> Result<(), Doubt> {
        if let Some(name) = kind.detail()
            && act.detail.as_ref().map(Detail::name) != Some(name)
        {
            return Err(Doubt::Missing { field: name });
        }
        match kind {
            ActKind::Transferred | ActKind::Consulted if act.to_office.is_none() => {
                Err(Doubt::Missing { field: "to_office" })
            }
            ActKind::Extended | ActKind::Recomputed if act.due.is_none() => {
                Err(Doubt::Missing { field: "due" })
            }
            ActKind::Replied => self.admit_reply(act),
            ActKind::Taken => self.admit_taking(act),
            ActKind::FeePaid | ActKind::Paid => self.admit_receipt(act),
            ActKind::Refunded | ActKind::Remitted => self.admit_settlement(act),
            ActKind::OpinionFollowedUp | ActKind::OpinionReplied => {
                let asked = self.records.opinions.iter().filter(|asked| asked.reply.is_none());
                known(asked.map(|asked| &asked.act), act)
            }
            ActKind::Rated => self.admit_rating(act),
            ActKind::NotificationQueued => self.admit_notice(act),
            ActKind::NotificationSent | ActKind::NotificationFailed => {
                known(self.records.notifications.iter().flat_map(|known| &known.queued), act)
            }
            _ => Ok(()),
        }
    }

    fn admit_reply(&self, act: &Act) -> Result<(), Doubt> {
        let request = act.regards.as_ref().and_then(|id| self.standing.owed.get(id));
        if request != Some(&act.office) {
            return Err(Doubt::NotAsked);
        }
        if act.reply.is_none() { Err(Doubt::Missing { field: "reply" }) } else { Ok(()) }
    }

    fn admit_taking(&self, act: &Act) -> Result<(), Doubt> {
        let open = self.records.handovers.iter().filter(|given| given.taken_at.is_none());
        let own = open.filter(|given| given.receiver == act.office);
        known(own.map(|given| &given.act), act)
    }

    fn admit_receipt(&self, act: &Act) -> Result<(), Doubt> {
        let Some(Detail::Fee(fee)) = &act.detail else { return Ok(()) };
        let receipt = (&fee.series, &fee.number);
        let mut paid = self.records.fees.iter();
        let is_used = paid.any(|paid| (&paid.fee.series, &paid.fee.number) == receipt);
        if is_used { Err(Doubt::ReceiptUsed) } else { Ok(()) }
    }

    fn admit_settlement(&self, act: &Act) -> Result<(), Doubt> {
        let mut fees = self.records.fees.iter();
        let paid = fees.find(|paid| act.regards.as_deref() == Some(&paid.act));
        let paid = paid.ok_or(Doubt::NoSuchAct)?;
        let left_vnd = paid.fee.amount_vnd.saturating_sub(paid.refunded_vnd);
        match &act.detail {
            Some(Detail::Refund(refund)) if refund.amount_vnd > left_vnd => {
                Err(Doubt::RefundTooHigh { left_vnd })
            }
            Some(Detail::Remittance(_)) if paid.remittance.is_some() => Err(Doubt::NoSuchAct),
            _ => Ok(()),
        }
    }

    fn admit_rating(&self, act: &Act) -> Result<(), Doubt> {
        let Some(Detail::Rating(rating)) = &act.detail else { return Ok(()) };
        let mut given = self.records.ratings.iter();
        let is_rated = given.any(|given| given.officer == rating.officer);
        if is_rated { Err(Doubt::RatedBefore) } else { Ok(()) }
    }

    fn admit_notice(&self, act: &Act) -> Result<(), Doubt> {
        let Some(Detail::Notice(notice)) = &act.detail else { return Ok(()) };
        let applicant = &self.reception.applicant;
        let consents = &applicant.consents;
        let is_agreed = match notice.channel {
            NoticeChannel::Email => consents.email && applicant.email.is_some(),
            NoticeChannel::Sms => consents.sms && applicant.phone.is_some(),
            NoticeChannel::Zalo => consents.zalo && applicant.phone.is_some(),
        };
        if is_agreed { Ok(()) } else { Err(Doubt::NotAgreed) }
    }
}

impl Reception {
    /// Refuses a competent office that does not decide about a version of the procedure: another
    /// one than the catalogue names for its role, or one of another level. `tier_of` is the label
    /// that the registry gives an office, none for one that it has not. Where catalogue or label
    /// say nothing, nothing is refused.
    pub fn check_competent(
        &self,
        catalogue: &Catalogue,
        version: &ProcedureVersion,
        tier_of: impl Fn(OfficeId) -> Option<String>,
        now: Moment,
    ) -> Result<(), Refusal> {
        let (procedure, day) = (&version.procedure, local(now).0);
        let Some(edition) = catalogue.edition_at(day) else { return Ok(()) };
        let Some(role) = edition.role(&procedure.role) else { return Ok(()) };
        // After the reform the successor may decide already where the version does not say it.
        let roles = [Some(role), edition.role_at(&role.id, day)].into_iter().flatten();
        let roles: Vec<&Role> = roles.collect();
        let named = roles.iter().filter_map(|role| role.office);
        let named: Vec<OfficeId> = named.filter(|office| tier_of(*office).is_some()).collect();
        let competent = self.offices.deciding();
        let level = tier_of(competent).and_then(|tier| level_of(&tier));
        let Some(level) = level.filter(|_| !named.contains(&competent)) else { return Ok(()) };
        let also = procedure.also_levels.iter().chain([&procedure.level]).map(String::as_str);
        let mut levels: Vec<&str> = also.chain(roles.iter().map(|role| &*role.tier)).collect();
        // An office that is named decides alone at its level.
        let taken = named.iter().filter_map(|named| level_of(&tier_of(*named)?));
        let taken: Vec<&str> = taken.collect();
        levels.retain(|known| !taken.contains(known));
        if levels.iter().any(|known| *known == level || OPEN_LEVELS.contains(known)) {
            return Ok(());
        }
        Err(Refusal::not_competent(competent, &role.name, named.first().copied()))
    }
}

/// The level of the catalogue at which an office of a tier decides; none for a label that the
/// catalogue does not use.
fn level_of(tier: &str) -> Option<&'static str> {
    match tier {
        "commune" => Some("commune"),
        "district" => Some("district"),
        "province" | "department" => Some("province"),
        _ => None,
    }
}

/// Levels of which the catalogue does not say who they are.
const OPEN_LEVELS: [&str; 2] = ["any", "other"];

/// Says whether an act regards one of those that it may.
fn known<'a>(mut ids: impl Iterator<Item = &'a String>, act: &Act) -> Result<(), Doubt> {
    let is_known = ids.any(|id| act.regards.as_ref() == Some(id));
    if is_known { Ok(()) } else { Err(Doubt::NoSuchAct) }
}
