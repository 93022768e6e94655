//! The JSON that `dossier show` prints, whole or masked.

use serde_json::{Value, json};

use crate::act::{Act, Effect};
use crate::dossier::Dossier;
use crate::reception::{Applicant, ApplicantKind, Submitter};
use crate::records::Records;

impl Dossier {
    /// Everything, for those who may see it.
    pub fn to_json(&self) -> Value {
        self.json(&self.reception.applicant, self.reception.submitter.as_ref(), false)
    }

    /// The same without what tells who the applicant is, and without free words.
    pub fn to_masked_json(&self) -> Value {
        let submitter = self.reception.submitter.as_ref().map(mask_submitter);
        self.json(&mask(&self.reception.applicant), submitter.as_ref(), true)
    }

    fn json(&self, applicant: &Applicant, submitter: Option<&Submitter>, masked: bool) -> Value {
        let reception = &self.reception;
        let standing = &self.standing;
        let offices = &reception.offices;
        let returning = offices.returning.unwrap_or(offices.receiving);
        let acts: Vec<Value> = self.acts.iter().map(|act| act_json(act, masked)).collect();
        json!({
            "id": self.id.to_string(),
            "code": self.code,
            "parent_code": reception.parent_code,
            "procedure": reception.procedure,
            "procedure_version": reception.version,
            "case": reception.case,
            "field": reception.field,
            "channel": reception.channel,
            "return_by": reception.return_by,
            "status": standing.status.number(),
            "status_name": standing.status.name(),
            "status_name_vi": standing.status.name_vi(),
            "submitted": reception.submitted,
            "accept_by": reception.accept_by,
            "due": standing.due,
            "due_original": self.original_due(),
            "dues": reception.dues,
            "offices": {
                "receiving": offices.receiving,
                "competent": offices.deciding(),
                "coordinating": self.coordinating(),
                "holder": standing.holder,
                "returning": returning,
                "shelf": offices.shelf,
            },
            "owed": standing.owed,
            "applicant": applicant,
            "submitter": submitter,
            "components": reception.components,
            "note": reception.note.as_ref().filter(|_| !masked),
            "acts": acts,
            "heads": self.heads,
            "records": records_json(&self.records, masked),
            "review": standing.review,
        })
    }
}

/// What the acts leave behind; masked without free words and without the numbers of papers that
/// are the applicant's.
fn records_json(records: &Records, masked: bool) -> Value {
    let mut value = json!(records);
    if masked && let Some(lists) = value.as_object_mut() {
        for list in lists.values_mut().filter_map(Value::as_array_mut) {
            for fields in list.iter_mut().filter_map(Value::as_object_mut) {
                FREE_WORDS.iter().for_each(|field| drop(fields.remove(*field)));
            }
        }
    }
    value
}

fn act_json(act: &Act, masked: bool) -> Value {
    let mut value = json!(act);
    if let Some(fields) = value.as_object_mut() {
        fields.insert("to".into(), json!(act.target().map(|status| status.number())));
        if act.effect != Effect::Reversed
            && let Some(doubt) = &act.doubt
        {
            let words = doubt.words(act);
            fields.insert(
                "doubt".into(),
                json!({ "code": doubt.code(), "words": words.cause, "words_vi": words.cause_vi }),
            );
        }
        if masked {
            FREE_WORDS.iter().for_each(|field| drop(fields.remove(*field)));
        }
    }
    value
}

/// The applicant as lists show it: `N*** V*** A***`. Names of bodies are public.
pub(crate) fn mask_name(applicant: &Applicant) -> String {
    match applicant.kind {
        ApplicantKind::Citizen | ApplicantKind::Other => mask_words(&applicant.name),
        ApplicantKind::Firm | ApplicantKind::Agency | ApplicantKind::Organisation => {
            applicant.name.clone()
        }
    }
}

fn mask(applicant: &Applicant) -> Applicant {
    Applicant {
        kind: applicant.kind,
        name: mask_name(applicant),
        id_kind: applicant.id_kind,
        id_number: applicant.id_number.as_deref().map(last_three),
        birth_date: None,
        phone: applicant.phone.as_deref().map(last_three),
        email: applicant.email.as_ref().map(|_| MASK.to_owned()),
        address: applicant.address.as_ref().map(|_| MASK.to_owned()),
        consents: applicant.consents,
    }
}

fn mask_submitter(submitter: &Submitter) -> Submitter {
    Submitter {
        name: mask_words(&submitter.name),
        id_kind: submitter.id_kind,
        id_number: submitter.id_number.as_deref().map(last_three),
        phone: submitter.phone.as_deref().map(last_three),
        authorisation: submitter.authorisation.as_ref().map(|_| MASK.to_owned()),
    }
}

fn mask_words(name: &str) -> String {
    let words = name.split_whitespace().filter_map(|word| word.chars().next());
    words.map(|first| format!("{first}{MASK}")).collect::<Vec<_>>().join(" ")
}

/// The last three characters of a number that is long enough to stay unknown by them.
pub(crate) fn last_three(number: &str) -> String {
    let chars: Vec<char> = number.chars().collect();
    let shown = if chars.len() >= 8 { &chars[chars.len() - 3..] } else { &[] };
    format!("{MASK}{}", shown.iter().collect::<String>())
}

/// The fields that hold free words, or papers that tell who the applicant is.
const FREE_WORDS: [&str; 7] = ["note", "reason", "question", "reply", "paper", "leg", "detail"];
pub(crate) const MASK: &str = "***";
