//! Counter work: dossiers received, acted on, shown.

use lienthong_document::Document;
use lienthong_dossier::{
    ActRefusal, Code, Dossier, NewAct, Opening, Reception, Refusal, local_day, receive,
};
use lienthong_protocol::{DocumentId, Kind, OfficeId};
use serde_json::{Value, json};

use crate::failure::Failure;
use crate::mind::{Mind, now, store_failed};

/// How many dossiers are looked through at a time.
const PAGE: usize = 256;
/// The most dossiers that one list gives.
const MAX_LIST: usize = 1_000;

impl Mind {
    pub(crate) fn receive(
        &mut self,
        reception: &Reception,
        officer: &str,
    ) -> Result<Value, Failure> {
        let reception = reception.check().map_err(|refusal| refused(&refusal))?;
        let own = self.replica.identity().office;
        if reception.offices.receiving != own {
            return Err(Failure::refused(
                "other-office",
                "the dossier was not received",
                format!(
                    "this node is {own}, the receiving office is {}",
                    reception.offices.receiving
                ),
                "receive it at that office, or name this one",
            ));
        }
        for office in reception.offices_added() {
            self.known_office(office)?;
        }
        let code = self.next_code()?;
        let adds: Vec<OfficeId> =
            reception.offices_added().into_iter().filter(|office| *office != own).collect();
        let act = self.next_act_id();
        let opening = Opening::received(code.clone(), &act, officer, now());
        let id =
            self.author(None, Kind::DOSSIER, adds, |editor| receive(editor, &reception, &opening))?;
        self.serial = Some((local_day(now()), code.serial()));
        Ok(json!({ "id": id.to_string(), "code": code.to_string() }))
    }

    pub(crate) fn act(&mut self, dossier: &str, mut act: NewAct) -> Result<Value, Failure> {
        let (id, document, known) = self.find(dossier)?;
        act.office = self.replica.identity().office;
        if act.id.is_empty() {
            act.id = self.next_act_id();
        }
        if let Some(office) = act.to_office {
            self.known_office(office)?;
        }
        let planned = known.plan(&act, now()).map_err(|refusal| act_refused(&refusal))?;
        let adds = planned.offices_added();
        self.author(Some((id, &document)), Kind::DOSSIER, adds, |editor| planned.write(editor))?;
        let (_, _, now_known) = self.find(&id.to_string())?;
        Ok(json!({
            "id": id.to_string(),
            "code": now_known.code.to_string(),
            "act": act.id,
            "status": now_known.standing.status.number(),
        }))
    }

    pub(crate) fn show(&mut self, dossier: &str) -> Result<Value, Failure> {
        let (_, _, known) = self.find(dossier)?;
        Ok(known.to_json())
    }

    pub(crate) fn history(&mut self, dossier: &str) -> Result<Value, Failure> {
        let (id, _, known) = self.find(dossier)?;
        let held = self.replica.document(id).map_err(store_failed)?;
        let entries = held.map(|(_, entries)| entries).unwrap_or_default();
        let mut changes = Vec::new();
        for entry in entries {
            use lienthong_replica::Shelf;
            let record = self.replica.shelf().record(entry.place).map_err(store_failed)?;
            let change = record.and_then(|bytes| lienthong_protocol::Change::trusted(bytes).ok());
            changes.push(json!({
                "change": entry.id.to_string(),
                "verdict": entry.verdict.name(),
                "office": change.as_ref().map(|change| change.header().office.to_string()),
                "author": change.as_ref().map(|change| change.header().author.to_string()),
                "at_ms": change.as_ref().map(|change| change.header().at.0),
                "bytes": entry.place.length,
            }));
        }
        Ok(json!({ "id": id.to_string(), "code": known.code.to_string(), "changes": changes }))
    }

    pub(crate) fn list(&mut self, limit: usize) -> Result<Value, Failure> {
        let limit = limit.clamp(1, MAX_LIST);
        let ids = self.replica.documents(Kind::DOSSIER, None, limit).map_err(store_failed)?;
        let mut dossiers = Vec::with_capacity(ids.len());
        for id in ids {
            let Some(document) = self.open_document(id)? else { continue };
            if let Ok(dossier) = Dossier::read(id, &document) {
                dossiers.push(serde_json::to_value(dossier.summary()).unwrap_or_default());
            }
        }
        Ok(json!({ "dossiers": dossiers }))
    }

    /// One page of canonical exports.
    pub(crate) fn export(&mut self, below: Option<&str>) -> Result<Value, Failure> {
        let below = below.map(str::parse::<DocumentId>).transpose();
        let below = below.map_err(|error| not_found(&error.to_string()))?;
        let ids = self.replica.documents(Kind::DOSSIER, below, PAGE).map_err(store_failed)?;
        let mut documents = Vec::with_capacity(ids.len());
        for id in &ids {
            let Some(document) = self.open_document(*id)? else { continue };
            documents.push(json!({ "id": id.to_string(), "document": document.value() }));
        }
        let next = ids.last().filter(|_| ids.len() == PAGE).map(ToString::to_string);
        Ok(json!({ "documents": documents, "next": next }))
    }

    fn known_office(&self, office: OfficeId) -> Result<(), Failure> {
        match self.replica.registry().office(office) {
            Some(_) => Ok(()),
            None => Err(Failure::refused(
                "unknown-office",
                "nothing was saved",
                format!("the registry has no office {office}"),
                "take an office from `lienthong office list`",
            )),
        }
    }

    /// An act's id: author and number, so no two nodes give the same.
    fn next_act_id(&self) -> String {
        let header = self.replica.header(now(), None, Kind::DOSSIER, Vec::new());
        format!("{}-{}-{}", header.author.short(), header.incarnation, header.seq)
    }

    /// The next code of this office on this day in Vietnam.
    fn next_code(&mut self) -> Result<Code, Failure> {
        let office = self.replica.identity().office;
        let unit = self.replica.registry().office(office).map(|office| office.unit_code.clone());
        let unit = unit.unwrap_or_default();
        let today = local_day(now());
        let last = match &self.serial {
            Some((day, serial)) if *day == today => *serial,
            _ => self.last_serial(&unit, &today)?,
        };
        Code::issue(&unit, now(), last + 1).map_err(|error| {
            Failure::refused(error.code(), "no code was given", error.to_string(), error.remedy())
        })
    }

    /// The largest serial that any dossier of this unit and day is known to have.
    fn last_serial(&mut self, unit: &str, today: &str) -> Result<u32, Failure> {
        let mut last = 0;
        self.look_through(|id, document| {
            if local_day(id.created_at()).as_str() < today {
                return false;
            }
            if let Ok(dossier) = Dossier::read(id, document)
                && dossier.code.unit() == unit
                && local_day(id.created_at()) == today
            {
                last = last.max(dossier.code.serial());
            }
            true
        })?;
        Ok(last)
    }

    /// Visits dossiers, newest first, until `visit` has enough.
    fn look_through(
        &mut self,
        mut visit: impl FnMut(DocumentId, &Document) -> bool,
    ) -> Result<(), Failure> {
        let mut below = None;
        loop {
            let ids = self.replica.documents(Kind::DOSSIER, below, PAGE).map_err(store_failed)?;
            for id in &ids {
                let Some(document) = self.open_document(*id)? else { continue };
                if !visit(*id, &document) {
                    return Ok(());
                }
            }
            match ids.last().filter(|_| ids.len() == PAGE) {
                Some(last) => below = Some(*last),
                None => return Ok(()),
            }
        }
    }

    /// Finds a dossier by document id or by code.
    fn find(&mut self, dossier: &str) -> Result<(DocumentId, Document, Dossier), Failure> {
        let id = match dossier.parse::<DocumentId>() {
            Ok(id) => id,
            Err(_) => self.find_code(dossier)?,
        };
        let document = self.open_document(id)?;
        let document = document.ok_or_else(|| not_found("this office does not hold it"))?;
        let known = Dossier::read(id, &document).map_err(|error| not_found(&error.to_string()))?;
        Ok((id, document, known))
    }

    fn find_code(&mut self, text: &str) -> Result<DocumentId, Failure> {
        let code = Code::parse(text).map_err(|error| {
            Failure::refused(
                error.code(),
                "no dossier was looked for",
                error.to_string(),
                error.remedy(),
            )
        })?;
        let mut found = None;
        self.look_through(|id, document| {
            let same = Dossier::read(id, document).is_ok_and(|known| known.code == code);
            if same {
                found = Some(id);
            }
            !same
        })?;
        found.ok_or_else(|| not_found("no dossier with this code is held here"))
    }
}

fn not_found(why: &str) -> Failure {
    let remedy = "check the code; a dossier of another office is not held here";
    Failure::refused("dossier-not-found", "dossier not found", why, remedy)
}

fn refused(refusal: &Refusal) -> Failure {
    let why = format!("{}: {} / {}", refusal.field, refusal.words.cause_vi, refusal.words.cause);
    let remedy = format!("{} / {}", refusal.words.remedy_vi, refusal.words.remedy);
    Failure::refused(refusal.code, "the dossier was not received", why, remedy)
}

fn act_refused(refusal: &ActRefusal) -> Failure {
    let words = refusal.words();
    let why = format!("{} / {}", words.cause_vi, words.cause);
    let remedy = format!("{} / {}", words.remedy_vi, words.remedy);
    Failure::refused(refusal.code(), "the act was not saved", why, remedy)
}
