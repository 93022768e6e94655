//! What a dossier is due by, and what about it a person should look at.

use lienthong_catalogue::DueError;
use lienthong_dossier::{Clock, Dossier, Reception, checks};
use lienthong_protocol::Moment;
use lienthong_request::Failure;
use serde_json::{Value, json};

use crate::counter::refused;
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

    /// What about a dossier a person should look at: conflicts, unreadable entries, findings.
    pub(crate) fn review(&mut self, dossier: &str) -> Result<Value, Failure> {
        let (id, _, known) = self.find(dossier)?;
        let published = self.published()?;
        let mut answer = looked_over(&known, &published, self.now());
        if let Some(fields) = answer.as_object_mut() {
            fields.insert("id".into(), id.to_string().into());
            fields.insert("code".into(), known.code.to_string().into());
        }
        Ok(answer)
    }

    /// A dossier with its clock and what the checks find.
    pub(crate) fn shown(&mut self, known: &Dossier) -> Result<Value, Failure> {
        let published = self.published()?;
        let mut shown = known.to_json();
        let more = looked_over(known, &published, self.now());
        if let (Some(fields), Value::Object(more)) = (shown.as_object_mut(), more) {
            fields.extend(more);
        }
        Ok(shown)
    }
}

fn looked_over(known: &Dossier, published: &Published, at: Moment) -> Value {
    let (code, version) = (&known.reception.procedure, known.reception.version);
    let version = published.catalogue().procedure_version(code, version);
    let findings = checks(known, at, version.map(|version| &version.procedure));
    let clock = known.clock(published.calendar(), at).ok();
    json!({
        "review": known.standing.review,
        "findings": findings,
        "clock": clock.map(|clock| clock_json(&clock)),
    })
}

fn clock_json(clock: &Clock) -> Value {
    json!({
        "state": clock.state,
        "due_ms": clock.due.map(|due| due.0),
        "original_due_ms": clock.original_due.map(|due| due.0),
        "remaining_minutes": clock.remaining.0,
        "late_by_minutes": clock.late_by.0,
        "verdict": clock.verdict,
    })
}

fn no_due(error: &DueError) -> Failure {
    let what = "chưa tiếp nhận hồ sơ / the dossier was not received";
    Failure::refused(error.code(), what, error.to_string(), error.remedy())
}
