//! Proposals to make a procedure simpler: written by any officer, seen by the offices above,
//! answered where the catalogue is published.

use lienthong_catalogue::{
    Answer, Answered, Catalogue, Cut, Power, Proposal, ProposalRefusal, Weight, Wish,
};
use lienthong_document::Document;
use lienthong_federation::Audience;
use lienthong_protocol::{DocumentId, Kind, OfficeId};
use lienthong_request::{Deciding, Failure, ProposalFilter, Proposing};
use serde_json::{Value, json};

use crate::library::unknown_procedure;
use crate::mind::{Mind, store_failed};

impl Mind {
    /// Writes down what an officer of this office wants to have cut.
    pub(crate) fn propose(&mut self, asked: &Proposing) -> Result<Value, Failure> {
        let Proposing { procedure, cut, case, why, officer } = asked;
        let [what, to] = cut.as_slice() else { return Err(not_two_words(cut.len())) };
        let today = self.today();
        let published = self.published()?;
        let held = published.catalogue().procedure_at(procedure, today);
        let held = held.ok_or_else(|| unknown_procedure(procedure, today))?;
        let wish = Wish { what, to, case: case.as_deref() };
        let proposal = Proposal::of(held, wish, (officer, why), self.now());
        let proposal = proposal.map_err(|refusal| refused(&refusal))?;
        self.officer_may_propose(&proposal)?;
        let id = self.author(None, Kind::PROPOSAL, Vec::new(), |editor| proposal.write(editor))?;
        tracing::info!(%id, procedure = proposal.procedure, "proposal-written");
        self.proposal(id)
    }

    /// Answers a proposal in the name of the office that publishes the catalogue.
    pub(crate) fn decide(&mut self, asked: &Deciding) -> Result<Value, Failure> {
        let Deciding { proposal: id, accept, decline, officer } = asked;
        let own = self.replica.identity().office;
        let registry = self.replica.registry();
        let entitled = registry.may_write(own, Kind::CATALOGUE, &Audience::Everyone);
        entitled.map_err(|_| not_entitled(own, registry.root()))?;
        let answer = Answer::of(*accept, decline.as_deref(), officer, self.now());
        let answer = answer.map_err(|refusal| refused(&refusal))?;
        let (document, proposal) = self.find_proposal(*id)?;
        let answers = Answer::read_all(&document, self.replica.registry().root());
        if answers.iter().any(|known| known.weight == Weight::Counts) {
            return Err(answered_already());
        }
        self.officer_may_decide(&answer.officer, &proposal.procedure)?;
        if let Some(version) = answer.edition {
            let published = self.published()?;
            let edition = edition(published.catalogue(), version);
            let edition = edition.ok_or_else(|| no_edition(version))?;
            proposal.check_carried(edition).map_err(|refusal| refused(&refusal))?;
        }
        let opened = Some((*id, &document));
        self.author(opened, Kind::PROPOSAL, Vec::new(), |editor| answer.write(editor))?;
        tracing::info!(%id, accepted = answer.edition.is_some(), "proposal-answered");
        self.proposal(*id)
    }

    /// One page of the proposals that are held here, newest first.
    pub(crate) fn proposals(&mut self, filter: &ProposalFilter) -> Result<Value, Failure> {
        let ProposalFilter { open, after, limit } = *filter;
        if !(1..=MAX_PAGE).contains(&limit) {
            return Err(bad_limit(limit));
        }
        let ids = self.replica.documents(Kind::PROPOSAL, after, limit).map_err(store_failed)?;
        let mut proposals = Vec::new();
        let mut unread = 0;
        for id in &ids {
            match self.proposal(*id) {
                Ok(shown) if open && shown["state"] != OPEN => {}
                Ok(shown) => proposals.push(shown),
                Err(failure) if failure.code == NOT_FOUND => unread += 1,
                Err(failure) => return Err(failure),
            }
        }
        let next = ids.last().filter(|_| ids.len() == limit).map(ToString::to_string);
        Ok(json!({ "proposals": proposals, "unread": unread, "next": next }))
    }

    fn find_proposal(&mut self, id: DocumentId) -> Result<(Document, Proposal), Failure> {
        let held = self.replica.document(id).map_err(store_failed)?;
        if held.is_none_or(|(record, _)| record.kind != Kind::PROPOSAL) {
            return Err(not_found());
        }
        let document = self.open_document(id)?.ok_or_else(not_found)?;
        let proposal = Proposal::read(&document).ok_or_else(not_found)?;
        Ok((document, proposal))
    }

    /// What is known of one proposal.
    fn proposal(&mut self, id: DocumentId) -> Result<Value, Failure> {
        let (document, proposal) = self.find_proposal(id)?;
        let office = self.opener(id)?.ok_or_else(not_found)?;
        let published = self.published()?;
        let catalogue = published.catalogue();
        let held = catalogue.procedure_version(&proposal.procedure, proposal.version);
        let answers = Answer::read_all(&document, self.replica.registry().root());
        let counts = answers.iter().find(|known| known.weight == Weight::Counts);
        let state = match counts.map(|known| known.answer.edition) {
            None => OPEN,
            Some(Some(_)) => "accepted",
            Some(None) => "declined",
        };
        let shown = |known: &Answered| shown(known, &proposal, catalogue);
        Ok(json!({
            "id": id.to_string(),
            "office": office.to_string(),
            "officer": proposal.officer,
            "at_ms": proposal.at.0,
            "procedure": proposal.procedure,
            "version": proposal.version,
            "name": held.map(|held| &held.procedure.name),
            "cut": proposal.cut,
            "words": in_words(&proposal.cut),
            "why": proposal.why,
            "state": state,
            "answers": answers.iter().map(shown).collect::<Vec<_>>(),
        }))
    }

    /// Any officer may, whatever else the staff list lets that one do.
    fn officer_may_propose(&mut self, proposal: &Proposal) -> Result<(), Failure> {
        let own = self.replica.identity().office;
        let powers = [Power::Intake, Power::Process, Power::Decide, Power::Sign];
        let powers = powers.map(|power| (power, own));
        self.officer_may(&proposal.officer, &proposal.procedure, &powers)
    }

    fn officer_may_decide(&mut self, officer: &str, procedure: &str) -> Result<(), Failure> {
        let own = self.replica.identity().office;
        self.officer_may(officer, procedure, &[(Power::Decide, own)])
    }
}

/// One answer, and whether the edition that it names does what was proposed, as far as it is held.
fn shown(known: &Answered, proposal: &Proposal, catalogue: &Catalogue) -> Value {
    let Answered { answer, office, weight } = known;
    let named = answer.edition.and_then(|version| edition(catalogue, version));
    json!({
        "office": office.map(|office| office.to_string()),
        "officer": answer.officer,
        "at_ms": answer.at.0,
        "edition": answer.edition,
        "why": answer.why,
        "effect": weight.word(),
        "carried": named.map(|edition| proposal.is_carried_by(edition) == Some(true)),
    })
}

fn edition(catalogue: &Catalogue, version: u32) -> Option<&lienthong_catalogue::Edition> {
    catalogue.editions().map(|(_, edition)| edition).find(|held| held.version() == version)
}

/// What is to be cut, in words of both languages.
fn in_words(cut: &Cut) -> String {
    match cut {
        Cut::Component { code, name } => {
            format!("bỏ thành phần {code} / drop component {code}: {name}")
        }
        Cut::Limit { case, from, to } => {
            let case = case.as_ref().map_or_else(String::new, |case| format!(" ({case})"));
            format!("rút thời hạn / shorten the limit{case}: {from} → {to}")
        }
        Cut::Step { role, act } => format!("bỏ bước / drop the step: {role}: {act}"),
    }
}

fn refused(refusal: &ProposalRefusal) -> Failure {
    let [vi, en] = refusal.remedies();
    let why = format!("{} / {refusal}", refusal.cause_vi());
    Failure::refused(refusal.code(), NOT_WRITTEN, why, format!("{vi} / {en}"))
}

fn not_two_words(words: usize) -> Failure {
    let why = format!("--cut nhận hai từ, có {words} / --cut takes two words, it has {words}");
    let remedy = "mỗi lần một đề nghị, như --cut component TP02 / one cut at a time, such as that";
    Failure::usage("bad-cut", NOT_WRITTEN, why, remedy)
}

fn not_entitled(own: OfficeId, root: Option<OfficeId>) -> Failure {
    let root = root.map_or_else(|| "?".to_owned(), |root| root.to_string());
    let why = format!(
        "{own} chỉ được xem, {root} trả lời đề nghị / \
         {own} only reads them, proposals are answered by {root}"
    );
    let remedy = format!("trả lời tại {root} / answer it at {root}");
    Failure::refused("not-root", NOT_WRITTEN, why, remedy)
}

fn answered_already() -> Failure {
    let why = "đề nghị này đã được trả lời / it has an answer";
    let remedy = "xem câu trả lời, hoặc nộp đề nghị mới / read it, or make a new proposal";
    Failure::refused("proposal-answered", NOT_WRITTEN, why, remedy)
}

fn no_edition(version: u32) -> Failure {
    let why = format!(
        "danh mục phiên bản {version} chưa công bố / version {version} of the catalogue is not \
         published"
    );
    let remedy = "công bố trước bằng `lienthong catalogue publish` / publish it first";
    Failure::refused("edition-unknown", NOT_WRITTEN, why, remedy)
}

fn bad_limit(limit: usize) -> Failure {
    let why = format!("--limit {limit}: cho phép 1 đến {MAX_PAGE} / 1 to {MAX_PAGE} are allowed");
    let remedy = "ghi số trong khoảng đó / give a number in that range";
    Failure::usage("bad-limit", "không có gì để xem / nothing is shown", why, remedy)
}

fn not_found() -> Failure {
    let why = "nơi này không có đề nghị mang mã đó / no proposal with that id is held here";
    let remedy = "lấy mã từ `lienthong catalogue proposals` / take an id from that list";
    Failure::refused(NOT_FOUND, NOT_WRITTEN, why, remedy)
}

const NOT_WRITTEN: &str = "chưa ghi gì / nothing was saved";
const NOT_FOUND: &str = "proposal-not-found";
const OPEN: &str = "open";
/// How many proposals one answer looks at.
const MAX_PAGE: usize = 1_000;
