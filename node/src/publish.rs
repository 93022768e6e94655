//! Publishing: catalogue, calendars and staff, by the office that is entitled to; and what a staff
//! list that was published lets an officer do.

use std::collections::BTreeSet;

use jiff::civil::Date;
use lienthong_catalogue::{
    CalendarYear, Edition, Power, Publication, PublishRefusal, SourceError, Staff, StaffRefusal,
    calendar_publication,
};
use lienthong_dossier::{ActKind, Dossier, NewAct};
use lienthong_federation::Audience;
use lienthong_protocol::{DocumentId, Kind, OfficeId};
use lienthong_request::{Failure, Publishing};
use serde_json::{Value, json};

use crate::library::named_day;
use crate::mind::Mind;

impl Mind {
    /// Publishes the text of a file; `from` is the day from which a catalogue holds.
    pub(crate) fn publish(
        &mut self,
        what: Publishing,
        (file, text): (&str, &str),
        from: Option<&str>,
    ) -> Result<Value, Failure> {
        let from = from.map(named_day).transpose()?;
        match what {
            Publishing::Catalogue => self.publish_catalogue(file, text, from),
            Publishing::Calendar => self.publish_calendar(file, text),
            Publishing::Staff => self.publish_staff(file, text),
        }
    }

    fn publish_catalogue(
        &mut self,
        file: &str,
        text: &str,
        from: Option<Date>,
    ) -> Result<Value, Failure> {
        self.entitled(Kind::CATALOGUE)?;
        let edition = Edition::parse(file, text).map_err(|faults| faulty(&faults))?;
        self.own_name("publisher", edition.publisher())?;
        let published = self.published()?;
        let is_first = published.catalogue().is_empty();
        let from = from.or_else(|| (!is_first).then(|| self.today()));
        let publication = published.catalogue().publication(&edition, from);
        let publication = publication.map_err(|refusal| not_published(&refusal))?;
        let id = self.write_all(Kind::CATALOGUE, None, &publication)?;
        tracing::info!(
            version = edition.version(),
            procedures = edition.len(),
            "catalogue-published"
        );
        let registry = self.replica.registry();
        let offices = edition.roles().iter().filter_map(|role| role.office);
        let unknown: BTreeSet<String> = offices
            .filter(|office| registry.office(*office).is_none())
            .map(|office| office.to_string())
            .collect();
        Ok(json!({
            "published": "catalogue",
            "id": id.to_string(),
            "version": edition.version(),
            "from": from.map(|day| day.to_string()),
            "procedures": edition.len(),
            "unknown_offices": unknown,
        }))
    }

    fn publish_calendar(&mut self, file: &str, text: &str) -> Result<Value, Failure> {
        self.entitled(Kind::CALENDAR)?;
        let year = CalendarYear::parse(file, text).map_err(|fault| faulty(&[fault]))?;
        let published = self.published()?;
        let publication = calendar_publication(published.years(), &year);
        let publication = publication.map_err(|refusal| not_published(&refusal))?;
        let id = self.write_all(Kind::CALENDAR, None, &publication)?;
        tracing::info!(year = year.year, version = year.version, "calendar-published");
        Ok(json!({
            "published": "calendar",
            "id": id.to_string(),
            "year": year.year,
            "version": year.version,
        }))
    }

    fn publish_staff(&mut self, file: &str, text: &str) -> Result<Value, Failure> {
        let staff = Staff::parse(file, text).map_err(|faults| faulty(&faults))?;
        let own = self.replica.identity().office;
        self.own_name("staff.office", staff.office())?;
        let published = self.published()?;
        let publication = staff.publication(published.staff(own));
        let publication = publication.map_err(|refusal| not_published(&refusal))?;
        let id = self.write_all(Kind::STAFF, Some(own), &publication)?;
        tracing::info!(
            version = staff.version(),
            officers = staff.officers().len(),
            "staff-published"
        );
        Ok(json!({
            "published": "staff",
            "id": id.to_string(),
            "office": own.to_string(),
            "version": staff.version(),
            "officers": staff.officers().len(),
            "delegations": staff.delegations().len(),
        }))
    }

    /// Writes part after part into the earliest document of the kind, of the office if one is
    /// named; opens one if there is none.
    fn write_all(
        &mut self,
        kind: Kind,
        office: Option<OfficeId>,
        publication: &Publication,
    ) -> Result<DocumentId, Failure> {
        let mut target = None;
        for (id, document) in self.documents_of(kind)? {
            if target.is_none() && (office.is_none() || self.opener(id)? == office) {
                target = Some((id, document));
            }
        }
        for part in publication.parts() {
            let held = target.as_ref().map(|(id, document)| (*id, document));
            match self.author(held, kind, Vec::new(), |editor| part.write(editor)) {
                Ok(id) => {
                    let document = self.open_document(id)?.ok_or_else(lost)?;
                    target = Some((id, document));
                }
                // A publication that was broken off had written this part already.
                Err(failure) if failure.code == NOTHING_NEW => {}
                Err(failure) => return Err(failure),
            }
        }
        self.library.read_anew(kind);
        target.map(|(id, _)| id).ok_or_else(lost)
    }

    fn entitled(&self, kind: Kind) -> Result<(), Failure> {
        let own = self.replica.identity().office;
        let registry = self.replica.registry();
        registry.may_write(own, kind, &Audience::Everyone).map_err(|refusal| {
            let root = registry.root().map_or_else(|| "?".to_owned(), |root| root.to_string());
            let why = format!(
                "{own} chỉ được đọc, chỉ {root} được công bố / {refusal}: the root office is {root}"
            );
            let remedy = format!("gửi tệp cho {root} công bố / let {root} publish the file");
            Failure::refused(refusal.code(), NOT_PUBLISHED, why, remedy)
        })
    }

    /// Makes sure that a file is about this office.
    fn own_name(&self, field: &str, named: OfficeId) -> Result<(), Failure> {
        let own = self.replica.identity().office;
        if named == own {
            return Ok(());
        }
        let why = format!(
            "{field}: tệp của {named}, nút này thuộc {own} / \
             the file is that of {named}, this node is of {own}"
        );
        let remedy = format!("công bố tại {named} / publish it at {named}");
        Err(Failure::refused("other-office", NOT_PUBLISHED, why, remedy))
    }

    // ------------------------------------------------------------- what a staff list allows

    /// Makes sure that an officer may take dossiers of a procedure in.
    pub(crate) fn officer_may_receive(
        &mut self,
        officer: &str,
        procedure: &str,
    ) -> Result<(), Failure> {
        let own = self.replica.identity().office;
        self.officer_may(officer, procedure, &[(Power::Intake, own)])
    }

    /// Makes sure that an officer may do an act about a dossier. What is decided is decided in the
    /// name of the holder, while the receiving office holds it in that of the competent one; all
    /// else is done in the name of this office.
    pub(crate) fn officer_may_act(&mut self, act: &NewAct, about: &Dossier) -> Result<(), Failure> {
        let own = self.replica.identity().office;
        let (offices, holder) = (&about.reception.offices, about.standing.holder);
        let deciding = if holder == offices.receiving { offices.deciding() } else { holder };
        let powers = powers_for(decided(act, about)).iter().map(|power| match power {
            Power::Intake | Power::Process => (*power, own),
            Power::Decide | Power::Sign => (*power, deciding),
        });
        self.officer_may(&act.officer, &about.reception.procedure, &powers.collect::<Vec<_>>())
    }

    /// Makes sure that an officer of this office has one of these powers today. Without a
    /// published staff list everybody has.
    pub(crate) fn officer_may(
        &mut self,
        officer: &str,
        procedure: &str,
        powers: &[(Power, OfficeId)],
    ) -> Result<(), Failure> {
        let own = self.replica.identity().office;
        let today = self.today();
        let published = self.published()?;
        let Some(staff) = published.staff(own) else { return Ok(()) };
        let mut refusal = None;
        for (power, office) in powers {
            match staff.may(officer, *office, *power, procedure, today) {
                Ok(()) => return Ok(()),
                Err(refused) => refusal = refusal.or(Some(refused)),
            }
        }
        refusal.map_or(Ok(()), |refusal| Err(not_allowed(&refusal)))
    }
}

/// The kind of act whose powers are needed: whoever takes an act back must be entitled to it.
fn decided(act: &NewAct, about: &Dossier) -> ActKind {
    if act.kind != ActKind::Reversed {
        return act.kind;
    }
    let taken_back = about.acts.iter().find(|known| act.regards.as_ref() == Some(&known.id));
    taken_back.and_then(|known| ActKind::of(&known.kind)).unwrap_or(ActKind::Reversed)
}

/// The powers of which one is enough for an act.
fn powers_for(kind: ActKind) -> &'static [Power] {
    match kind {
        ActKind::Registered
        | ActKind::Received
        | ActKind::Supplied
        | ActKind::Paid
        | ActKind::FeePaid
        | ActKind::Refunded
        | ActKind::Remitted
        | ActKind::Withdrawn
        | ActKind::Returned
        | ActKind::Posted
        | ActKind::Rated => &[Power::Intake],
        ActKind::Refused | ActKind::SupplementAsked | ActKind::PaymentAsked => {
            &[Power::Intake, Power::Process]
        }
        ActKind::Stopped
        | ActKind::Resumed
        | ActKind::Finished
        | ActKind::Extended
        | ActKind::Resolved => &[Power::Decide],
        ActKind::ResultIssued => &[Power::Sign],
        ActKind::Reversed => &[Power::Process, Power::Decide],
        ActKind::Noted
        | ActKind::NotificationQueued
        | ActKind::NotificationSent
        | ActKind::NotificationFailed => {
            &[Power::Intake, Power::Process, Power::Decide, Power::Sign]
        }
        ActKind::InProcess
        | ActKind::Transferred
        | ActKind::Taken
        | ActKind::Consulted
        | ActKind::Replied
        | ActKind::OpinionAsked
        | ActKind::OpinionFollowedUp
        | ActKind::OpinionReplied
        | ActKind::Recomputed => &[Power::Process],
    }
}

/// The first fault with its remedy, and where the others are.
fn faulty(faults: &[SourceError]) -> Failure {
    let Some((first, others)) = faults.split_first() else { return lost() };
    let lines: BTreeSet<usize> = others.iter().map(|fault| fault.line).collect();
    let lines: Vec<String> = lines.iter().take(MAX_LINES).map(ToString::to_string).collect();
    let more = match others.len() {
        0 => String::new(),
        count => {
            format!(" (và {count} lỗi khác / and {count} more, on lines {})", lines.join(", "))
        }
    };
    Failure::refused(first.code(), NOT_PUBLISHED, format!("{first}{more}"), first.remedy())
}

fn not_published(refusal: &PublishRefusal) -> Failure {
    let why = format!("{} / {refusal}", refusal.cause_vi());
    let remedy = format!("{} / {}", refusal.remedy_vi(), refusal.remedy());
    Failure::refused(refusal.code(), NOT_PUBLISHED, why, remedy)
}

fn not_allowed(refusal: &StaffRefusal) -> Failure {
    let why = format!("{} / {refusal}", refusal.cause_vi());
    let remedy = format!("{} / {}", refusal.remedy_vi(), refusal.remedy());
    Failure::refused(refusal.code(), "chưa ghi gì / nothing was saved", why, remedy)
}

fn lost() -> Failure {
    let why = "nội dung vừa ghi không còn nữa / what was written is not there any more";
    Failure::failed("publication-lost", NOT_PUBLISHED, why, "làm lại / do it again")
}

const NOT_PUBLISHED: &str = "chưa công bố / not published";
/// The code of an edit that wrote nothing new.
const NOTHING_NEW: &str = "edit-nothing";

/// How many lines with further faults are named.
const MAX_LINES: usize = 10;
