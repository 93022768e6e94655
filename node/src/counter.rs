//! Counter work: dossiers received, acted on, shown.

use lienthong_catalogue::{AcceptLimit, DueError, Edition, local};
use lienthong_document::{Document, Editor};
use lienthong_dossier::{
    ActRefusal, Code, Detail, Dossier, Intake, NewAct, Opening, ReadError, Reception, Refusal,
    receive, receiving_officer,
};
use lienthong_protocol::{DocumentId, Kind, Moment, OfficeId};
use lienthong_request::Failure;
use serde_json::{Value, json};

use crate::list::Rest;
use crate::mind::{Mind, store_failed};
use crate::review::no_due;

/// How many dossiers are looked through at a time.
const PAGE: usize = 256;

impl Mind {
    pub(crate) fn receive(
        &mut self,
        reception: &Reception,
        officer: &str,
        is_registered: bool,
    ) -> Result<Value, Failure> {
        let at = self.now();
        let officer = receiving_officer(officer).map_err(|refusal| refused(&refusal))?;
        let named = reception.with_component_names(self.published()?.catalogue(), at);
        let checked = named.and_then(|reception| reception.check());
        let reception = checked.map_err(|refusal| refused(&refusal))?;
        let own = self.replica.identity().office;
        if reception.offices.receiving != own {
            return Err(Failure::refused(
                "other-office",
                "chưa tiếp nhận hồ sơ / the dossier was not received",
                format!(
                    "nút này thuộc {own}, cơ quan tiếp nhận ghi là {} / \
                     this node is of {own}, the receiving office is another",
                    reception.offices.receiving
                ),
                "tiếp nhận tại cơ quan đó, hoặc ghi cơ quan này / \
                 receive it at that office, or name this one",
            ));
        }
        for office in reception.offices_added() {
            self.known_office(office)?;
        }
        self.competent_office(&reception, at)?;
        self.officer_may_receive(&officer, &reception.procedure)?;
        let submitted = reception.submitted_at(at).map_err(|refusal| refused(&refusal))?;
        reception.check_due_from(submitted).map_err(|refusal| refused(&refusal))?;
        let reception = match is_registered {
            true => self.registered(reception, at, submitted)?,
            false => self.dated(reception, at)?,
        };
        let code = self.next_code(at)?;
        let adds: Vec<OfficeId> =
            reception.offices_added().into_iter().filter(|office| *office != own).collect();
        let act = self.next_act_id();
        let open = if is_registered { Opening::registered } else { Opening::received };
        let opening = open(code.clone(), &act, &officer, at);
        let edit = |editor: &mut Editor<'_>| receive(editor, &reception, &opening);
        let id = self.author_at(at, None, Kind::DOSSIER, adds, edit)?;
        self.code_given(&code, id);
        let (due, accept_by) = (reception.due, reception.accept_by.filter(|_| is_registered));
        Ok(json!({
            "id": id.to_string(),
            "code": code.to_string(),
            "due": due,
            "accept_by": accept_by,
            "warnings": self.doubts(at, due.as_deref())?,
        }))
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
        self.officer_may_act(&act, &known)?;
        let at = self.now();
        let act = self.with_due(act, &known, at)?;
        let planned = known.plan(&act, at).map_err(|refusal| act_refused(&refusal))?;
        self.receipt_is_unused(&act, id)?;
        let adds = planned.offices_added();
        self.author(Some((id, &document)), Kind::DOSSIER, adds, |editor| planned.write(editor))?;
        let (_, _, now_known) = self.find(&id.to_string())?;
        Ok(json!({
            "id": id.to_string(),
            "code": now_known.code.to_string(),
            "act": act.id,
            "status": now_known.standing.status.number(),
            "warnings": self.doubts(at, act.due.as_deref())?,
        }))
    }

    /// Pins the version of the procedure that is in force and works out by when somebody has to
    /// look at a dossier that is only registered.
    fn registered(
        &mut self,
        mut reception: Reception,
        at: Moment,
        submitted: Moment,
    ) -> Result<Reception, Failure> {
        let published = self.published()?;
        let catalogue = published.catalogue();
        if !catalogue.is_empty() {
            let version = reception.version_in(catalogue, at);
            reception.version = version.map_err(|refusal| refused(&refusal))?.version;
        }
        let limit = catalogue.edition_at(local(at).0).and_then(Edition::accept_within);
        let limit = limit.map(AcceptLimit::limit);
        let registered = reception.registered(limit, published.calendar(), submitted);
        registered.map_err(|error| no_due(&error))
    }

    /// Gives an act that names no due the one that follows: that of a reception if it takes in
    /// what was only registered, the due as it has moved if it lets the clock run again.
    fn with_due(
        &mut self,
        mut act: NewAct,
        known: &Dossier,
        at: Moment,
    ) -> Result<NewAct, Failure> {
        let published = self.published()?;
        let (catalogue, calendar) = (published.catalogue(), published.calendar());
        let unsaved = |error: DueError| Failure { what: UNSAVED.to_owned(), ..no_due(&error) };
        if !known.would_take_in(act.kind) {
            let due = known.due_set_by(act.kind, calendar, at).map_err(unsaved)?;
            act.due = act.due.or(due);
            return Ok(act);
        }
        let reception = &known.reception;
        // What was applied for in time is taken in although it is not offered any more.
        let applied = || catalogue.procedure_version(&reception.procedure, reception.version);
        let version = reception.version_in(catalogue, at).ok().or_else(applied);
        let Some(version) = version else { return Ok(act) };
        let computed = reception.due_of(version, calendar, at).map_err(unsaved)?;
        let intake = Intake { version: version.version, dues: Some(computed.dues) };
        act.due = act.due.or(computed.due);
        act.detail = act.detail.or(Some(Detail::Intake(intake)));
        Ok(act)
    }

    pub(crate) fn show(&mut self, dossier: &str) -> Result<Value, Failure> {
        let (_, _, known) = self.find(dossier)?;
        self.shown(&known)
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

    /// One page of canonical exports.
    pub(crate) fn export(&mut self, below: Option<&str>) -> Result<Value, Failure> {
        let below = below.map(str::parse::<DocumentId>).transpose();
        let below =
            below.map_err(|error| not_found(&format!("mã tài liệu không đúng / {error}")))?;
        let ids = self.replica.documents(Kind::DOSSIER, below, PAGE).map_err(store_failed)?;
        let mut documents = Vec::with_capacity(ids.len());
        for id in &ids {
            let Some(document) = self.open_document(*id)? else { continue };
            documents.push(json!({ "id": id.to_string(), "document": document.value() }));
        }
        let next = ids.last().filter(|_| ids.len() == PAGE).map(ToString::to_string);
        Ok(json!({ "documents": documents, "next": next }))
    }

    /// Refuses a competent office to which the procedure does not belong. Before a catalogue is
    /// published any office decides.
    fn competent_office(&mut self, reception: &Reception, at: Moment) -> Result<(), Failure> {
        let published = self.published()?;
        let (catalogue, registry) = (published.catalogue(), self.replica.registry());
        if catalogue.is_empty() {
            return Ok(());
        }
        let tier_of = |office| registry.office(office).map(|known| known.tier.clone());
        let version = reception.version_in(catalogue, at);
        let checked =
            version.and_then(|version| reception.check_competent(catalogue, version, tier_of, at));
        checked.map_err(|refusal| refused(&refusal))
    }

    fn known_office(&self, office: OfficeId) -> Result<(), Failure> {
        match self.replica.registry().office(office) {
            Some(_) => Ok(()),
            None => Err(Failure::refused(
                "unknown-office",
                "chưa ghi gì / nothing was saved",
                format!("sổ đăng ký không có {office} / the registry has no such office"),
                "chọn cơ quan trong `lienthong office list` / take one from that list",
            )),
        }
    }

    /// An act's id: author and number, so no two nodes give the same.
    fn next_act_id(&self) -> String {
        let header = self.replica.header(self.now(), None, Kind::DOSSIER, Vec::new());
        format!("{}-{}-{}", header.author.short(), header.incarnation, header.seq)
    }

    /// Visits the dossiers that the view may not hold yet, newest first, until `visit` has enough.
    fn look_through(
        &mut self,
        rest: Rest,
        mut visit: impl FnMut(DocumentId, &Document) -> bool,
    ) -> Result<(), Failure> {
        let Rest { documents: mut ids, all_below: mut rest } = rest;
        loop {
            for id in ids {
                let Some(document) = self.open_document(id)? else { continue };
                if !visit(id, &document) {
                    return Ok(());
                }
            }
            let Some(below) = rest else { return Ok(()) };
            ids = self.replica.documents(Kind::DOSSIER, below, PAGE).map_err(store_failed)?;
            rest = ids.last().filter(|_| ids.len() == PAGE).map(|last| Some(*last));
        }
    }

    /// Finds a dossier by document id or by code.
    pub(crate) fn find(
        &mut self,
        dossier: &str,
    ) -> Result<(DocumentId, Document, Dossier), Failure> {
        let id = match dossier.parse::<DocumentId>() {
            Ok(id) => id,
            Err(_) => self.find_code(dossier)?,
        };
        let document = self.open_document(id)?;
        let document = document.ok_or_else(|| not_found(NOT_HELD))?;
        let known = Dossier::read(id, &document).map_err(|error| unread(&error))?;
        Ok((id, document, known))
    }

    fn find_code(&mut self, text: &str) -> Result<DocumentId, Failure> {
        let code = Code::parse(text).map_err(|error| {
            Failure::refused(
                error.code(),
                "chưa tìm hồ sơ / no dossier was looked for",
                format!("{} / {error}", error.cause_vi()),
                format!("{} / {}", error.remedy_vi(), error.remedy()),
            )
        })?;
        let (known, rest) = self.in_view(code.as_str());
        if let [_, _, ..] = known.as_slice() {
            return Err(given_twice(&code, &known));
        }
        let mut found = known.first().copied();
        if found.is_none() {
            self.look_through(rest, |id, document| {
                let same = Dossier::read(id, document).is_ok_and(|known| known.code == code);
                if same {
                    found = Some(id);
                }
                !same
            })?;
        }
        found.ok_or_else(|| not_found(NO_SUCH_CODE))
    }
}

fn given_twice(code: &Code, dossiers: &[DocumentId]) -> Failure {
    let ids: Vec<String> = dossiers.iter().map(ToString::to_string).collect();
    let (vi, en) = (ids.join(" và "), ids.join(" and "));
    let why = format!("{code} là mã của {vi} / {code} is the code of {en}");
    let remedy = "gọi hồ sơ bằng mã tài liệu / call the dossier by its document id";
    Failure::refused("code-given-twice", "chưa chọn hồ sơ nào / no dossier was chosen", why, remedy)
}

fn unread(error: &ReadError) -> Failure {
    not_found(&format!("tài liệu không đọc được như hồ sơ / {error}"))
}

fn not_found(why: &str) -> Failure {
    let remedy = "kiểm tra mã; hồ sơ của nơi khác không có ở đây / \
                  check the code; a dossier of another office is not held here";
    Failure::refused("dossier-not-found", "không tìm thấy hồ sơ / dossier not found", why, remedy)
}

pub(crate) fn refused(refusal: &Refusal) -> Failure {
    let why = format!("{}: {} / {}", refusal.field, refusal.words.cause_vi, refusal.words.cause);
    let remedy = format!("{} / {}", refusal.words.remedy_vi, refusal.words.remedy);
    Failure::refused(
        refusal.code,
        "chưa tiếp nhận hồ sơ / the dossier was not received",
        why,
        remedy,
    )
}

fn act_refused(refusal: &ActRefusal) -> Failure {
    let words = refusal.words();
    let field = match refusal {
        ActRefusal::Field(refusal) => format!("{}: ", refusal.field),
        ActRefusal::Rule { .. } | ActRefusal::Undecided { .. } => String::new(),
    };
    let why = format!("{field}{} / {}", words.cause_vi, words.cause);
    let remedy = format!("{} / {}", words.remedy_vi, words.remedy);
    Failure::refused(refusal.code(), UNSAVED, why, remedy)
}

const NOT_HELD: &str = "nơi này không giữ hồ sơ đó / this office does not hold it";
const NO_SUCH_CODE: &str =
    "ở đây không có hồ sơ mang mã này / no dossier with this code is held here";
pub(crate) const UNSAVED: &str = "chưa ghi việc này / the act was not saved";
