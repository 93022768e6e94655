//! What the view keeps of one dossier.

use lienthong_catalogue::Procedure;
use lienthong_dossier::{Dossier, NotificationState, Summary};
use lienthong_protocol::{DocumentId, Moment, OfficeId, Tally};

use crate::open::OpenItems;
use crate::receipt::ReceiptKey;
use crate::text::{OFFICE, REVIEW, STATUS, composed, dialled, folded, plain, tag};

/// One dossier as the view keeps it. Names and numbers go into the full-text index alone, which
/// gives them back to nobody; what lists show is masked.
#[derive(Clone, Debug)]
pub struct DossierRow {
    /// The document that holds it.
    pub id: DocumentId,
    /// The changes that it was made from: equal tallies give equal rows.
    pub seen: Tally,
    /// What lists show.
    pub summary: Summary,
    /// The name that the catalogue gives the procedure; none if it was not known.
    pub procedure_name: Option<String>,
    /// Who did the last act.
    pub officer: String,
    /// Every office that takes part.
    pub offices: Vec<OfficeId>,
    /// Whether the applicant is still to be told of something.
    pub is_queued: bool,
    /// Whether time passes for it: its clock stands still neither for a while nor for good.
    pub is_running: bool,
    /// The receipts for the fees that were paid for it.
    pub(crate) receipts: Vec<ReceiptKey>,
    /// Whether statistics count it as a filing of its own, and not with its parent.
    pub is_filing: bool,
    pub(crate) open: OpenItems,
    /// What the full-text index reads.
    pub(crate) words: Words,
}

/// The columns of the full-text index, folded.
#[derive(Clone, Debug)]
pub(crate) struct Words {
    pub(crate) code: String,
    pub(crate) names: String,
    pub(crate) numbers: String,
    pub(crate) phones: String,
    pub(crate) subject: String,
    /// What a search may be filtered by, as [`crate::text::tag`] writes it.
    pub(crate) tags: String,
}

/// How far the view has followed the log: everything before this place is in it.
///
/// The numbers are the node's; the view only keeps them in the same transaction as the rows.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Watermark {
    /// The number of the segment.
    pub segment: u32,
    /// The offset behind the last record, in bytes.
    pub offset: u32,
    /// Count and sum of the changes before it: tells whether this is the same log.
    pub tally: Tally,
}

impl DossierRow {
    /// Makes the row of a dossier that was read from the changes in `seen`. The procedure is the
    /// version that the dossier keeps; without it, what the catalogue says is not searched.
    /// Findings that passed before `now` are left out.
    pub fn of(
        dossier: &Dossier,
        seen: Tally,
        procedure: Option<&Procedure>,
        now: Moment,
    ) -> DossierRow {
        let mut summary = dossier.summary();
        summary.applicant = composed(&summary.applicant);
        summary.procedure = composed(&summary.procedure);
        let reception = &dossier.reception;
        let named = &reception.offices;
        let mut offices = vec![named.receiving, named.deciding(), dossier.standing.holder];
        offices.extend(named.returning);
        offices.extend(dossier.coordinating());
        let notifications = dossier.records.notifications.iter();
        let mut queued =
            notifications.filter(|known| known.state == NotificationState::Queued).peekable();
        let is_queued = queued.peek().is_some();
        // One of these sends it.
        offices.extend(queued.map(|known| known.queued_by));
        offices.sort_unstable();
        offices.dedup();
        let last = dossier.acts.last();
        let open = OpenItems::of(dossier, procedure, now);
        let mut tags = vec![tag(STATUS, &summary.status.to_string())];
        tags.extend(offices.iter().map(|office| tag(OFFICE, office.as_str())));
        tags.extend((open.all > 0).then(|| tag(REVIEW, "")));
        DossierRow {
            id: dossier.id,
            seen,
            procedure_name: procedure.map(|procedure| composed(&procedure.name)),
            officer: last.map(|act| composed(&cut(&act.officer))).unwrap_or_default(),
            offices,
            is_queued,
            is_running: dossier.clock_state().runs(),
            receipts: dossier.records.fees.iter().map(ReceiptKey::of).take(MAX_RECEIPTS).collect(),
            is_filing: dossier.is_filing(),
            open,
            words: Words { tags: tags.join(" "), ..Words::of(dossier, procedure) },
            summary,
        }
    }
}

impl Words {
    fn of(dossier: &Dossier, procedure: Option<&Procedure>) -> Words {
        let reception = &dossier.reception;
        let (applicant, submitter) = (&reception.applicant, reception.submitter.as_ref());
        let names = [Some(applicant.name.as_str()), submitter.map(|one| one.name.as_str())];
        let numbers =
            [applicant.id_number.as_deref(), submitter.and_then(|one| one.id_number.as_deref())];
        let phones = [applicant.phone.as_deref(), submitter.and_then(|one| one.phone.as_deref())];
        let subject = [
            Some(reception.procedure.as_str()),
            reception.field.as_deref(),
            reception.case.as_deref(),
            procedure.map(|procedure| procedure.name.as_str()),
            procedure.map(|procedure| procedure.field.as_str()),
        ];
        let phones: Vec<String> =
            phones.into_iter().flatten().map(|phone| dialled(&cut(phone))).collect();
        // As written, and in one piece whatever stands between its parts.
        let plain = numbers.into_iter().flatten().map(|number| plain(&cut(number)));
        let plain = plain.collect::<Vec<_>>().join(" ");
        Words {
            code: folded(dossier.code.as_str()),
            names: joined(&names),
            numbers: joined(&[numbers[0], numbers[1], Some(&plain)]),
            phones: phones.join(" "),
            subject: joined(&subject),
            tags: String::new(),
        }
    }
}

fn joined(texts: &[Option<&str>]) -> String {
    let given = texts.iter().flatten().map(|text| folded(&cut(text)));
    given.collect::<Vec<_>>().join(" ")
}

/// Dossiers of other offices may hold longer texts than this node would take.
fn cut(text: &str) -> String {
    text.chars().take(MAX_INDEXED_CHARS).collect()
}

/// The most receipts of one dossier that are kept.
const MAX_RECEIPTS: usize = 256;
/// The most characters of one text that are searched.
const MAX_INDEXED_CHARS: usize = 500;
