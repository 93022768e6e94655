use lienthong_document::{Actor, Document, EditError, Editor, Step};
use lienthong_protocol::{Change, Header, Incarnation, Kind, NodeKey};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::fixture_tests::{MORNING, act, id, office, reception};
use crate::{ActKind, Code, Dossier, Doubt, Effect, NewAct, Opening, ReplyLetter, Review, Status};

/// Nodes of several offices that each sign what they write.
#[derive(Clone, Default)]
struct Province {
    changes: Vec<Change>,
}

impl Province {
    /// A dossier that the ward opened and the department works on.
    fn at_work() -> Province {
        let mut province = Province::opened_by("HOIAN");
        province.plan("STNMT", &act("b", ActKind::InProcess));
        province
    }

    /// A dossier in the name of the ward, opened by a node of `place`.
    fn opened_by(place: &str) -> Province {
        let code = Code::issue("000.00.19.H47", MORNING, 1).expect("a real unit code");
        let opening = Opening::received(code, "a", "Lan", MORNING);
        let mut province = Province::default();
        province.write(place, &[], |editor| crate::receive(editor, &reception(), &opening));
        province
    }

    /// A node plans an act on everything that is there and signs it.
    fn plan(&mut self, place: &str, act: &NewAct) {
        let planned = self.read().plan(act, MORNING).expect("the act is allowed");
        let all = self.changes.clone();
        self.write(place, &all, |editor| planned.write(editor));
    }

    /// A node writes what no program of ours would plan, having seen `base`.
    fn write(
        &mut self,
        place: &str,
        base: &[Change],
        edit: impl FnOnce(&mut Editor<'_>) -> Result<(), EditError>,
    ) {
        let key = NodeKey::from_seed([*place.as_bytes().last().expect("a name"); 32]);
        let incarnation = Incarnation(place.len() as u64);
        let document = Document::open_changes(base).document;
        let draft = document.edit(Actor::derive(key.id(), incarnation), edit);
        let header = Header {
            document: id(),
            kind: Kind::DOSSIER,
            author: key.id(),
            office: office(place),
            incarnation,
            seq: 1 + self.changes.len() as u64,
            at: MORNING,
            adds: vec![],
        };
        let draft = draft.expect("the edit is sound");
        self.changes.push(Change::sign(header, draft.payload(), &key).expect("it is small"));
    }

    /// A node adds an entry to the acts, as another office's or its own, having seen `base`.
    fn add(&mut self, place: &str, base: &[Change], entry: Value) {
        self.write(place, base, |editor| editor.append(&["acts"], entry));
    }

    fn read(&self) -> Dossier {
        let opened = Document::open_changes(&self.changes);
        assert!(opened.refused.is_empty());
        let read = Dossier::read(id(), &opened.document).expect("it is a dossier");
        if let Some(fast) = Dossier::of_taken(id(), &self.changes) {
            assert_eq!(fast.as_ref(), Ok(&read), "both ways of reading give the same");
        }
        read
    }
}

fn entry(id: &str, kind: ActKind, place: &str, saw: &str) -> Value {
    let at = MORNING;
    json!({ "id": id, "kind": kind, "office": place, "officer": "Lan", "at": at, "saw": saw })
}

fn found<'a>(dossier: &'a Dossier, id: &str) -> &'a crate::Act {
    dossier.acts.iter().find(|act| act.id == id).expect("the act is kept")
}

type Tamper = fn(&mut Editor<'_>) -> Result<(), EditError>;

#[test]
fn a_dossier_that_only_grew_is_read_without_its_document() {
    let province = Province::at_work();
    assert_eq!(Dossier::of_taken(id(), &province.changes), Some(Ok(province.read())));
}

#[test]
fn an_act_in_the_name_of_another_office_is_kept_and_never_counts() {
    let mut province = Province::at_work();
    let base = province.changes.clone();
    province.add("STC", &base, entry("x", ActKind::Finished, "STNMT", "b"));
    let dossier = province.read();
    assert_eq!((dossier.standing.status, dossier.acts.len()), (Status::InProcess, 3));
    let forged = found(&dossier, "x");
    assert_eq!((forged.effect, forged.counts), (Effect::Unconfirmed, false));
    let doubt = Doubt::SignedByAnother { signer: office("STC") };
    assert_eq!(forged.doubt.as_ref(), Some(&doubt));
    let shown = &dossier.to_json()["acts"][2];
    assert_eq!(shown["doubt"]["code"], "signed-by-another");
    assert_eq!(shown["doubt"]["words_vi"], "ghi tên STNMT nhưng do nút của STC ký");
    assert_eq!(shown["doubt"]["words"], "names STNMT, but a node of STC signed it");
    // Nobody can let it hold, and it keeps nobody from deciding.
    let choose = NewAct {
        regards: Some("x".into()),
        overrules: vec!["b".into()],
        ..act("y", ActKind::Resolved)
    };
    let refused = dossier.plan(&choose, MORNING).expect_err("nobody can let it hold");
    assert_eq!(refused.code(), "no-such-act");
    province.plan("STNMT", &act("z", ActKind::Finished));
    assert_eq!(province.read().standing.status, Status::Finished);
}

#[test]
fn a_forged_act_beside_a_true_one_is_no_conflict() {
    let mut province = Province::at_work();
    let base = province.changes.clone();
    province.add("STNMT", &base, entry("x", ActKind::Finished, "STNMT", "b"));
    province.add("STC", &base, entry("y", ActKind::SupplementAsked, "STNMT", "b"));
    let dossier = province.read();
    assert_eq!((dossier.standing.status, dossier.standing.review), (Status::Finished, vec![]));
    assert_eq!(dossier.acts.iter().filter(|act| act.counts).count(), 3);
}

#[test]
fn a_dossier_that_another_office_opened_in_the_wards_name_never_begins() {
    let mut province = Province::opened_by("STC");
    let base = province.changes.clone();
    province.add("STNMT", &base, entry("b", ActKind::InProcess, "STNMT", "a"));
    let dossier = province.read();
    assert_eq!(dossier.standing.status, Status::Registered);
    assert!(dossier.acts.iter().all(|act| !act.counts));
    let doubt = Doubt::SignedByAnother { signer: office("STC") };
    assert_eq!(found(&dossier, "a").doubt.as_ref(), Some(&doubt));
}

#[test]
fn an_answer_a_taking_a_receipt_and_a_rating_in_anothers_name_leave_nothing_behind() {
    let mut province = Province::at_work();
    let asked = NewAct {
        to_office: Some(office("STC")),
        note: Some("Có nợ thuế không?".into()),
        due: Some("2026-01-07".into()),
        ..act("c", ActKind::Consulted)
    };
    province.plan("STNMT", &asked);
    let handed = NewAct { to_office: Some(office("STC")), ..act("d", ActKind::Transferred) };
    province.plan("STNMT", &handed);
    let forged = |id: &str, kind, place, more: Value| {
        let mut entry = entry(id, kind, place, "d");
        let fields = entry.as_object_mut().expect("an object");
        fields.extend(more.as_object().expect("an object").clone());
        entry
    };
    let letter = json!({ "number": "1", "date": "2026-01-05", "signer": "A" });
    let fee = json!({ "item": "lệ phí", "amount_vnd": 1, "method": "cash", "series": "A",
        "number": "1" });
    let rating = json!({ "officer": "Lan", "score": 5 });
    let entries = [
        forged("e", ActKind::Replied, "STC", json!({ "regards": "c", "reply": letter })),
        forged("f", ActKind::Taken, "STC", json!({ "regards": "d" })),
        forged("g", ActKind::FeePaid, "HOIAN", json!({ "detail": { "fee": fee } })),
        forged("h", ActKind::Rated, "HOIAN", json!({ "detail": { "rating": rating } })),
    ];
    for entry in entries {
        let base = province.changes.clone();
        province.add("STNMT", &base, entry);
    }
    let dossier = province.read();
    let records = &dossier.records;
    assert_eq!(dossier.standing.owed.get("c"), Some(&office("STC")));
    assert_eq!((records.requests[0].reply.as_ref(), records.handovers[0].taken_at), (None, None));
    assert_eq!((records.fees.len(), records.ratings.len()), (0, 0));
    assert_eq!(dossier.acts.iter().filter(|act| act.effect == Effect::Unconfirmed).count(), 4);
    // The agency's own answer still counts.
    let (number, date) = ("1".to_owned(), "2026-01-05".to_owned());
    let reply = ReplyLetter { number, date, signer: "A".into(), file: None };
    let (regards, place) = (Some("c".into()), office("STC"));
    let own = NewAct { office: place, regards, reply: Some(reply), ..act("i", ActKind::Replied) };
    province.plan("STC", &own);
    assert_eq!(province.read().standing.owed.len(), 0);
}

#[test]
fn what_another_office_wrote_is_not_changed_by_altering_or_deleting_it() {
    let place = |key| [Step::Key("acts"), Step::Index(1), Step::Key(key)];
    let tampering: [Tamper; 5] = [
        |editor| editor.put(&[Step::Key("acts"), Step::Index(1), Step::Key("kind")], "noted"),
        |editor| editor.put(&[Step::Key("acts"), Step::Index(1), Step::Key("office")], "STC"),
        |editor| editor.delete(&[Step::Key("acts"), Step::Index(1)]),
        |editor| editor.delete(&["acts"]),
        |editor| {
            editor.put(&["applicant", "name"], "Ai đó")?;
            editor.put(&["offices", "competent"], "STC")?;
            editor.put(&["acts"], json!([]))
        },
    ];
    let honest = Province::at_work();
    assert_eq!(honest.read().acts[1].office, office("STNMT"));
    assert!(Document::open_changes(&honest.changes).document.text(&place("kind")).is_some());
    for (number, tamper) in tampering.into_iter().enumerate() {
        let mut province = honest.clone();
        let base = province.changes.clone();
        province.write("STC", &base, tamper);
        let (dossier, before) = (province.read(), honest.read());
        assert_eq!(dossier.acts, before.acts, "{number}");
        assert_eq!(dossier.reception, before.reception, "{number}");
        assert_eq!(dossier.standing.status, Status::InProcess, "{number}");
        let review = &dossier.standing.review;
        let told = matches!(review[..], [Review::Altered { entries: 1, .. }]);
        assert_eq!((told, review.len()), (number < 3, usize::from(number < 3)), "{number}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Several offices write honestly and in each other's names on whatever they have seen, and
    /// tamper with each other's acts; every node reads the same whatever came first.
    #[test]
    fn forged_and_true_acts_fold_to_the_same_in_any_order_of_arrival(
        deeds in proptest::collection::vec((0..3_usize, 0..4_usize, 0..9_usize, 0..4_usize), 1..9),
        order in any::<prop::sample::Index>(),
    ) {
        let places = ["HOIAN", "STNMT", "STC"];
        let kinds = [ActKind::Finished, ActKind::SupplementAsked, ActKind::Noted];
        let mut province = Province::at_work();
        let mut held = vec![province.changes.clone(); 3];
        for (number, (signer, named, deed, meets)) in deeds.into_iter().enumerate() {
            if let Some(more) = held.get(meets).cloned() {
                let new = more.into_iter().filter(|change| {
                    held[signer].iter().all(|known| known.id() != change.id())
                });
                let new: Vec<Change> = new.collect();
                held[signer].extend(new);
            }
            let base = held[signer].clone();
            let known = Dossier::read(id(), &Document::open_changes(&base).document);
            let known = known.expect("it was opened");
            let saw: Vec<&str> = known.acts.iter().map(|act| act.id.as_str()).collect();
            let name = format!("n{number}");
            let entry = entry(&name, kinds[deed % 3], places[named % 3], &saw.join(" "));
            let second = [Step::Key("acts"), Step::Index(1)];
            match deed {
                0..7 => province.add(places[signer], &base, entry),
                7 => province.write(places[signer], &base, |editor| editor.put(&second, entry)),
                _ => province.write(places[signer], &base, |editor| {
                    let at = [second.as_slice(), &[Step::Key("at")]].concat();
                    editor.put(&at, number as u64)
                }),
            }
            held[signer].extend(province.changes.last().cloned());
        }
        let straight = province.read();
        let at = order.index(province.changes.len());
        province.changes.rotate_left(at);
        prop_assert_eq!(&province.read(), &straight);
        province.changes.reverse();
        prop_assert_eq!(&province.read(), &straight);
        let mut forged = straight.acts.iter().filter(|act| act.signer != Some(act.office));
        prop_assert!(forged.all(|act| !act.counts));
        prop_assert!(straight.acts.iter().filter(|act| act.counts).count() >= 2);
    }
}
