//! What a dossier is due by, and what about it a person should look at.

use lienthong_catalogue::{Calendar, DueError, ProcedureVersion, day, local};
use lienthong_dossier::{
    Act, ActKind, Clock, ClockState, Detail, Dossier, Fee, Finding, NewAct, PaidFee, Reception,
    checks,
};
use lienthong_protocol::{DocumentId, Moment};
use lienthong_request::{Exit, Failure};
use lienthong_views::ReceiptKey;
use serde_json::{Value, json};

use crate::counter::{UNSAVED, refused};
use crate::library::Published;
use crate::mind::Mind;

impl Mind {
    /// Pins the version of the procedure that is in force and works out the dues. Before a
    /// catalogue is published any procedure is taken in, without dues. A due that was given stays.
    pub(crate) fn dated(
        &mut self,
        mut reception: Reception,
        at: Moment,
    ) -> Result<Reception, Failure> {
        let published = self.published()?;
        if published.catalogue().is_empty() {
            return Ok(reception);
        }
        let version = reception.version_in(published.catalogue(), at);
        let version = version.map_err(|refusal| refused(&refusal))?;
        let computed = reception.due_of(version, published.calendar(), at);
        let computed = computed.map_err(|error| no_due(&error))?;
        reception.version = version.version;
        reception.due = reception.due.or(computed.due);
        reception.dues = reception.dues.or(Some(computed.dues));
        Ok(reception)
    }

    /// What a reception would be due by if it were taken in now.
    pub(crate) fn due(&mut self, reception: Reception) -> Result<Value, Failure> {
        let dated = self.dated(reception, self.now())?;
        let warnings = self.doubts(self.now(), dated.due.as_deref())?;
        Ok(json!({
            "due": dated.due,
            "version": dated.version,
            "dues": dated.dues,
            "warnings": warnings,
        }))
    }

    /// What makes a due less than certain, in words of both languages: a year on the way to it has
    /// no calendar yet, or a day off is not law yet.
    pub(crate) fn doubts(
        &mut self,
        from: Moment,
        due: Option<&str>,
    ) -> Result<Vec<String>, Failure> {
        Ok(doubts(self.published()?.calendar(), from, due))
    }

    /// The kinds of act that are open to this office and to one of its officers now.
    pub(crate) fn offered(&mut self, dossier: &str, officer: &str) -> Result<Value, Failure> {
        let (id, _, known) = self.find(dossier)?;
        let own = self.replica.identity().office;
        let mut acts = Vec::new();
        for kind in known.open_to(own) {
            match self.officer_may_act(&NewAct::new("", kind, own, officer), &known) {
                Ok(()) => acts.push(kind),
                Err(failure) if failure.exit == Exit::Refused => {}
                Err(failure) => return Err(failure),
            }
        }
        Ok(json!({ "id": id.to_string(), "acts": acts }))
    }

    /// What about a dossier a person should look at: conflicts, unreadable entries, findings.
    pub(crate) fn review(&mut self, dossier: &str) -> Result<Value, Failure> {
        let (id, _, known) = self.find(dossier)?;
        let published = self.published()?;
        let mut answer = self.looked_over(&known, &published, self.now());
        if let Some(fields) = answer.as_object_mut() {
            fields.insert("id".into(), id.to_string().into());
            fields.insert("code".into(), known.code.to_string().into());
        }
        Ok(answer)
    }

    /// A dossier with its clock, the due as that says it, and what the checks find.
    pub(crate) fn shown(&mut self, known: &Dossier) -> Result<Value, Failure> {
        let published = self.published()?;
        let mut shown = known.to_json();
        let at = self.now();
        let more = self.looked_over(known, &published, at);
        if let (Some(fields), Value::Object(more)) = (shown.as_object_mut(), more) {
            fields.extend(more);
            let due = known.due_at(published.calendar(), at).ok();
            fields.extend(due.map(|due| ("due".to_owned(), json!(due))));
        }
        Ok(shown)
    }

    fn looked_over(&self, known: &Dossier, published: &Published, at: Moment) -> Value {
        let (code, version) = (&known.reception.procedure, known.reception.version);
        let version = published.catalogue().procedure_version(code, version);
        let mut findings = checks(known, at, version.map(|version| &version.procedure));
        findings.extend(self.receipts_elsewhere(known));
        let calendar = published.calendar();
        let clock = known.clock(calendar, at).ok();
        let due = known.due_at(calendar, at).ok().flatten();
        let due = due.filter(|_| clock.is_some_and(|clock| clock.state != ClockState::Stopped));
        let since = known.records.times.received.unwrap_or(at);
        let mut warnings = doubts(calendar, since, due.as_deref());
        let moved =
            version.filter(|_| due.is_some()).and_then(|v| by_calendars_now(known, v, calendar));
        warnings.extend(moved);
        json!({
            "warnings": warnings,
            "review": known.standing.review,
            "findings": findings,
            "clock": clock.map(|clock| clock_json(&clock)),
        })
    }

    /// The receipts of this office in a dossier that stand in others, too.
    fn receipts_elsewhere(&self, known: &Dossier) -> Vec<Finding> {
        let own = self.replica.identity().office;
        let paid = known.records.fees.iter().filter(|paid| paid.office == own);
        let found = paid.take(MAX_RECEIPTS).filter_map(|paid| {
            let key = ReceiptKey::new(own, &paid.fee.series, &paid.fee.number);
            // Without the view lists do not answer, either; the dossier does.
            let mut others = self.viewer.door.read(|reader| reader.with_receipt(&key)).ok()?;
            others.retain(|(id, _)| *id != known.id);
            let codes: Vec<String> = others.into_iter().map(|(_, code)| code).collect();
            let finding = used_twice(&paid.fee, &codes.join(", "));
            (!codes.is_empty()).then(|| Finding { act: Some(paid.act.clone()), ..finding })
        });
        found.collect()
    }

    /// Refuses a fee whose receipt this office gave in another dossier. What another node
    /// of this office does meanwhile is found later.
    pub(crate) fn receipt_is_unused(
        &mut self,
        act: &NewAct,
        dossier: DocumentId,
    ) -> Result<(), Failure> {
        let Some(Detail::Fee(fee)) = &act.detail else { return Ok(()) };
        let own = self.replica.identity().office;
        let key = ReceiptKey::new(own, &fee.series, &fee.number);
        let known = self.viewer.door.read(|reader| reader.with_receipt(&key)).unwrap_or_default();
        let known = known.into_iter().map(|(id, _)| id);
        // The view may not know yet that an act was done, or taken back: the dossier does.
        let mut others: Vec<DocumentId> = known.chain(self.not_in_view().documents).collect();
        others.retain(|id| *id != dossier);
        for id in others {
            let Some(document) = self.open_document(id)? else { continue };
            let Ok(other) = Dossier::read(id, &document) else { continue };
            let is_used = |paid: &PaidFee| {
                key == ReceiptKey::new(paid.office, &paid.fee.series, &paid.fee.number)
            };
            if other.records.fees.iter().any(is_used) {
                return Err(receipt_used(fee, other.code.as_str()));
            }
        }
        Ok(())
    }
}

fn used_twice(fee: &Fee, codes: &str) -> Finding {
    let Fee { series, number, .. } = fee;
    Finding {
        code: "receipt-used-twice",
        act: None,
        words: format!("receipt {series} {number} also stands in {codes}: take the wrong one back"),
        words_vi: format!("biên lai {series} số {number} có cả ở {codes}: thu hồi bên ghi nhầm"),
        addressees: Vec::new(),
    }
}

fn receipt_used(fee: &Fee, code: &str) -> Failure {
    let Fee { series, number, .. } = fee;
    Failure::refused(
        "receipt-used",
        UNSAVED,
        format!(
            "biên lai {series} số {number} đã dùng ở hồ sơ {code} / \
             receipt {series} {number} was used for dossier {code}"
        ),
        "xem lại ký hiệu và số trên biên lai; nếu hồ sơ kia ghi nhầm thì thu hồi bước đó trước / \
         look at series and number of the receipt again; if the other dossier is wrong, take that \
         act back first",
    )
}

/// The same by a calendar that is at hand; none without a due.
fn doubts(calendar: &Calendar, from: Moment, due: Option<&str>) -> Vec<String> {
    let due = due.and_then(|due| due.get(..DAY_CHARS)).and_then(|text| day(text).ok());
    let warnings = due.map(|due| calendar.warnings(local(from).0, due)).unwrap_or_default();
    warnings.iter().take(MAX_DOUBTS).map(ToString::to_string).collect()
}

/// What the calendars that were published since make of a due, until somebody sets it anew: no
/// calendar moves a due that was given by itself.
fn by_calendars_now(
    known: &Dossier,
    version: &ProcedureVersion,
    calendar: &Calendar,
) -> Option<String> {
    let (received, used) = (known.records.times.received?, known.reception.dues.as_ref()?);
    let is_set_anew = |act: &Act| {
        let kind = act.known_kind();
        act.counts && matches!(kind, Some(ActKind::Recomputed | ActKind::Extended))
    };
    let now = known.reception.due_of(version, calendar, received).ok()?;
    let is_same =
        now.dues.calendars == used.calendars || now.due.as_deref() == known.original_due();
    if is_same || known.acts.iter().any(is_set_anew) {
        return None;
    }
    let due = now.due?;
    Some(format!(
        "lịch làm việc đã công bố lại sau khi hẹn: nay tính ra {due}, chưa kể lúc dừng; ghi việc \
         recomputed với hạn mới và báo cho người nộp / the calendar was published after this due \
         was given: it would be {due} now, without pauses; do the act recomputed with the new due \
         and tell the applicant"
    ))
}

fn clock_json(clock: &Clock) -> Value {
    json!({
        "state": clock.state,
        "accept_by_ms": clock.accept_by.map(|at| at.0),
        "due_ms": clock.due.map(|due| due.0),
        "original_due_ms": clock.original_due.map(|due| due.0),
        "remaining_minutes": clock.remaining.0,
        "late_by_minutes": clock.late_by.0,
        "verdict": clock.verdict,
    })
}

pub(crate) fn no_due(error: &DueError) -> Failure {
    let what = "chưa tiếp nhận hồ sơ / the dossier was not received";
    let why = format!("{} / {error}", error.cause_vi());
    let remedy = format!("{} / {}", error.remedy_vi(), error.remedy());
    Failure::refused(error.code(), what, why, remedy)
}

/// The most receipts of one dossier that are looked for elsewhere.
const MAX_RECEIPTS: usize = 64;
/// The length of a day that is written out.
const DAY_CHARS: usize = 10;
/// How many doubts about one due are told.
const MAX_DOUBTS: usize = 5;
