use lienthong_protocol::{
    Change, DocumentId, Header, Incarnation, Kind, Moment, NodeKey, OfficeId,
};
use serde_json::{Value, json};

use crate::{Actor, Document, EditError, Editor, Refusal, Step};

/// Offices that write one document, each knowing what the last had.
#[derive(Default)]
struct Town {
    document: Document,
    changes: Vec<Change>,
}

impl Town {
    /// A list with one entry of office 1.
    fn opened() -> Town {
        let mut town = Town::default();
        town.write(1, |editor| {
            editor.put(&["name"], "Hoa")?;
            editor.put(&["acts"], json!([{ "id": "a", "office": "O1", "reply": { "n": 1 } }]))
        });
        town
    }

    fn write(
        &mut self,
        number: u8,
        edit: impl FnOnce(&mut Editor<'_>) -> Result<(), EditError>,
    ) -> &mut Town {
        self.sign(number, number, edit);
        let opened = Document::open_changes(&self.changes);
        assert_eq!(opened.refused, []);
        self.document = opened.document;
        self
    }

    /// Signs an edit of one node with the key of another.
    fn sign(
        &mut self,
        number: u8,
        key: u8,
        edit: impl FnOnce(&mut Editor<'_>) -> Result<(), EditError>,
    ) {
        let actor = Actor::derive(NodeKey::from_seed([number; 32]).id(), Incarnation(7));
        let draft = self.document.edit(actor, edit).expect("the edit changes something");
        let key = NodeKey::from_seed([key; 32]);
        let header = Header {
            document: DocumentId::derive(key.id(), Incarnation(7), 1, Moment(1)),
            kind: Kind::DOSSIER,
            author: key.id(),
            office: office(number),
            incarnation: Incarnation(7),
            seq: 1 + self.changes.len() as u64,
            at: Moment(1),
            adds: vec![],
        };
        self.changes.push(Change::sign(header, draft.payload(), &key).expect("it is small"));
    }

    /// The entries as `id by signer`, with `*` behind those that were altered.
    fn entries(&self) -> Vec<String> {
        let entries = self.document.entries("acts");
        let line = |entry: &super::Entry| {
            let signer = entry.signer.map_or("nobody".into(), |office| office.to_string());
            let mark = if entry.is_altered { "*" } else { "" };
            format!("{} by {signer}{mark}", entry.value["id"].as_str().unwrap_or("?"))
        };
        entries.iter().map(line).collect()
    }
}

fn office(number: u8) -> OfficeId {
    format!("O{number}").parse().expect("a valid id")
}

fn act(id: &str) -> Value {
    json!({ "id": id })
}

fn first(key: &str) -> [Step<'_>; 3] {
    [Step::Key("acts"), Step::Index(0), Step::Key(key)]
}

type Tamper = fn(&mut Editor<'_>) -> Result<(), EditError>;

#[test]
fn entries_say_who_signed_them() {
    let mut town = Town::opened();
    town.write(2, |editor| editor.append(&["acts"], act("b")));
    town.write(1, |editor| editor.append(&["acts"], act("c")));
    assert_eq!(town.entries(), ["a by O1", "b by O2", "c by O1"]);
    let backwards = Document::reopen_changes(town.changes.iter().rev());
    assert_eq!(backwards.refused, []);
    assert_eq!(backwards.document.entries("acts"), town.document.entries("acts"));
    let again = Document::load(&town.document.save()).expect("it was saved");
    let unsigned = Town { document: again, changes: vec![] };
    assert_eq!(unsigned.entries(), ["a by nobody", "b by nobody", "c by nobody"]);
}

#[test]
fn a_change_by_another_actor_than_its_authors_is_refused() {
    let mut town = Town::opened();
    town.sign(2, 3, |editor| editor.append(&["acts"], act("b")));
    let opened = Document::open_changes(&town.changes);
    assert!(matches!(opened.refused[..], [(_, Refusal::Actor { .. })]));
}

#[test]
fn an_entry_stays_what_its_author_wrote_whatever_others_do_to_it() {
    let tampering: [Tamper; 7] = [
        |editor| editor.put(&first("office"), "O2"),
        |editor| editor.put(&first("due"), "2026-01-05"),
        |editor| editor.delete(&first("office")),
        |editor| editor.put(&[first("reply").as_slice(), &[Step::Key("n")]].concat(), 2),
        |editor| editor.put(&[Step::Key("acts"), Step::Index(0)], act("z")),
        |editor| editor.delete(&[Step::Key("acts"), Step::Index(0)]),
        |editor| editor.put(&["acts"], json!([act("z")])),
    ];
    let written = Town::opened().document.entries("acts");
    for (number, tamper) in tampering.into_iter().enumerate() {
        let mut town = Town::opened();
        town.write(2, tamper).write(1, |editor| editor.put(&["more"], 1));
        let entries = town.document.entries("acts");
        let kept = entries.iter().find(|entry| entry.signer == Some(office(1)));
        let kept = kept.expect("it is not lost");
        assert_eq!(kept.value, written[0].value, "{number}");
        assert_eq!(kept.is_altered, number < 6, "{number}");
        let again = Document::open_changes(town.changes.iter().rev()).document;
        assert_eq!(again.entries("acts"), entries, "{number}");
    }
}

#[test]
fn two_that_replace_an_entry_at_once_hide_neither_each_other_nor_it() {
    let mut town = Town::opened();
    let place = [Step::Key("acts"), Step::Index(0)];
    town.sign(2, 2, |editor| editor.put(&place, act("b")));
    town.write(3, |editor| editor.put(&place, act("c")));
    let mut entries = town.entries();
    entries.sort();
    assert_eq!(entries, ["a by O1*", "b by O2", "c by O3"]);
}

#[test]
fn a_document_is_read_as_it_was_opened() {
    let mut town = Town::opened();
    let opened = town.document.opened();
    town.write(2, |editor| editor.put(&["name"], "Lan"));
    town.write(2, |editor| editor.delete(&["acts"]));
    assert_eq!(town.document.opened(), opened);
    assert_eq!(town.entries(), ["a by O1"]);
    assert_eq!(Document::new().opened(), Value::Null);
    assert_eq!(Document::new().entries("acts"), []);
}
