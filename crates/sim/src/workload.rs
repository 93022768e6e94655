//! What people do: clerks open dossiers, share them and act at once; the root office keeps the
//! registry.

use lienthong_document::{Actor, Document};
use lienthong_dossier::{ActKind, Code, Dossier, NewAct, Opening, Reception, ReplyLetter, receive};
use lienthong_federation::{
    NewNode, Office, Province, Registry, add_node, add_office, found, move_office, revoke,
    set_addresses,
};
use lienthong_protocol::{
    Change, DocumentId, Header, Incarnation, Kind, Moment, NodeId, NodeKey, OfficeId,
};
use serde_json::json;

use crate::network::Seat;
use crate::oracle::Broken;
use crate::plan::{Dice, Fault};
use crate::process::{Member, Out, Process, Stop};
use crate::world::{DAY_MS, HOUR_MS, Happening, MINUTE_MS, MONDAY, World};

/// A kind of document that a later version may know.
const UNKNOWN_KIND: Kind = Kind(9);
/// How many of its newest dossiers a clerk has on the desk.
const DESK: usize = 24;
/// How many kinds of act a clerk thinks of before giving up.
const MOST_TRIES: usize = 12;

/// The id of the office with this number; 0 is the root.
pub(crate) fn office_id(number: usize) -> OfficeId {
    format!("OFFICE-{number}").parse().expect("letters and digits are an office id")
}

/// The seed of the key of the seat with this number.
pub(crate) fn key_of(seat: usize) -> [u8; 32] {
    let mut seed = [7; 32];
    seed[..8].copy_from_slice(&u64::try_from(seat).unwrap_or(u64::MAX).to_le_bytes());
    seed
}

/// The address of the seat with this number.
pub(crate) fn address_of(seat: usize) -> String {
    format!("seat-{seat}:1")
}

/// The first change of a registry: a tree of offices, and a node for each of them.
pub(crate) fn genesis(dice: &mut Dice, offices: usize, at: Moment) -> Change {
    let mut stated = vec![Office::new(office_id(0), "root", "", None)];
    for number in 1..offices {
        // Few offices stand directly under the root, as in a province.
        let above = if dice.chance(350_000) { 0 } else { dice.place(number).unwrap_or(0) };
        let above = if offices > 40 && number > 20 { above.min(20) } else { above };
        stated.push(Office::new(office_id(number), "office", "", Some(office_id(above))));
    }
    let province = Province { name: "sim".into(), root: office_id(0), offices: stated };
    let key = NodeKey::from_seed(key_of(0));
    let (author, incarnation) = (key.id(), Incarnation(1));
    let draft = Document::new().edit(Actor::derive(author, incarnation), |editor| {
        found(editor, &province, author, &[address_of(0)], at)?;
        (1..offices).try_for_each(|number| {
            let id = NodeKey::from_seed(key_of(number)).id();
            let (office, addresses) = (office_id(number), vec![address_of(number)]);
            add_node(editor, &NewNode { id, office, addresses, serials: None }, at)
        })
    });
    let draft = draft.expect("the founding edit is sound");
    let header = Header {
        document: DocumentId::derive(author, incarnation, 1, at),
        kind: Kind::REGISTRY,
        author,
        office: office_id(0),
        incarnation,
        seq: 1,
        at,
        adds: Vec::new(),
    };
    Change::sign(header, draft.payload(), &key).expect("the key is the author's")
}

impl World {
    /// Draws when people act and when what strikes.
    pub(crate) fn arrange(&mut self) {
        let days = u64::from(self.plan.days);
        let working: Vec<u64> = (0..days).filter(|day| day % 7 < 5).collect();
        let acts = u64::from(self.plan.acts) * working.len() as u64 / 5;
        let mut left = acts;
        while left > 0 {
            let day = self.people.pick(&working).copied().unwrap_or(0);
            let start = day * DAY_MS + 8 * HOUR_MS + self.people.below(9 * HOUR_MS);
            let burst = if self.people.chance(30_000) { self.people.between(5, 40) } else { 1 };
            for _ in 0..burst.min(left) {
                let after = self.people.below(if burst > 1 { MINUTE_MS / 2 } else { 1 });
                self.at(Moment(MONDAY.0 + start + after), Happening::Act);
            }
            left = left.saturating_sub(burst);
        }
        for fault in self.plan.faults.clone() {
            let most = fault.most_in_a_week() * days * u64::from(self.plan.intensity_percent);
            let most = most.div_ceil(700);
            for _ in 0..(if most > 0 { self.fate.between(1, most) } else { 0 }) {
                let at = self.fate.below(days * DAY_MS);
                // Most of it in the hours in which there is somebody to suffer.
                let at = if self.fate.chance(800_000) {
                    at / DAY_MS * DAY_MS + 8 * HOUR_MS + at % (9 * HOUR_MS)
                } else {
                    at
                };
                self.at(Moment(MONDAY.0 + at), Happening::Strike(fault));
            }
        }
        if self.plan.has(Fault::Nights) {
            for seat in 1..self.machines.len() {
                self.arrange_nights(seat);
            }
        }
        for day in 0..days {
            self.at(Moment(MONDAY.0 + day * DAY_MS + 12 * HOUR_MS), Happening::Backup);
        }
        self.at(Moment(MONDAY.0 + days * DAY_MS), Happening::Heal);
    }

    /// Draws when a machine is switched off and on again, until the end.
    pub(crate) fn arrange_nights(&mut self, seat: Seat) {
        let today = self.now.since(MONDAY).as_millis() as u64 / DAY_MS;
        for day in today..u64::from(self.plan.days) {
            let morning = day * DAY_MS + 7 * HOUR_MS + self.fate.below(HOUR_MS);
            let evening = day * DAY_MS + 17 * HOUR_MS + self.fate.below(HOUR_MS);
            if day % 7 < 5 {
                self.at(Moment(MONDAY.0 + morning), Happening::Start(seat));
            }
            self.at(Moment(MONDAY.0 + evening), Happening::Evening(seat));
        }
    }

    /// Somebody at some machine that runs does something.
    pub(crate) fn act(&mut self) -> Result<(), Broken> {
        let up = |seat: &Seat| {
            let machine = &self.machines[*seat];
            machine.process.is_up() && !machine.is_paused
        };
        let up: Vec<Seat> = (0..self.machines.len()).filter(up).collect();
        let Some(seat) = self.people.pick(&up).copied() else { return Ok(()) };
        self.acts += 1;
        let machine = &mut self.machines[seat];
        let dice = &mut self.people;
        let (newer, real) = (machine.is_newer, self.plan.real);
        let wish = Wish { dice, number: self.acts, newer, real };
        let mut out = Vec::new();
        let done = act(&mut machine.process, self.now, wish, &mut out);
        if let Ok(Some(document)) = &done {
            self.counts.acts += 1;
            self.say(format_args!("{seat} acts on {document}"));
        }
        self.after_writing(seat, out, done.map(|_| ()))
    }
}

/// What one act of a clerk may draw on.
pub(crate) struct Wish<'a> {
    pub(crate) dice: &'a mut Dice,
    /// Counts the acts of a run, so that each says something new.
    pub(crate) number: u64,
    /// Whether this node knows kinds of documents that others do not.
    pub(crate) newer: bool,
    /// Whether acts are those of real dossiers.
    pub(crate) real: bool,
}

/// Does one act at a process. Says which document it concerned, if anything was saved.
pub(crate) fn act(
    process: &mut Process,
    now: Moment,
    wish: Wish<'_>,
    out: &mut Vec<Out>,
) -> Result<Option<DocumentId>, Stop> {
    let Wish { dice, number, newer, real } = wish;
    if newer && dice.chance(100_000) {
        let about = (None, UNKNOWN_KIND);
        return process
            .author(now, about, Vec::new(), out, |editor| editor.put(&["unknown"], number));
    }
    let desk = on_the_desk(process);
    let offices = others(process);
    let share = dice.chance(150_000).then(|| dice.pick(&offices).copied()).flatten();
    let document = if dice.chance(300_000) { None } else { dice.pick(&desk).copied() };
    if real {
        let other = dice.pick(&offices).copied();
        return match document {
            None => receive_dossier(process, now, (number, other), out),
            Some(id) => act_on_dossier(process, now, id, (dice, number, other), out),
        };
    }
    let adds: Vec<OfficeId> = share.into_iter().collect();
    let place = format!("act-{}", dice.below(6));
    let office = process.me.office;
    process.author(now, (document, Kind::DOSSIER), adds, out, |editor| {
        editor.put(&[place.as_str()], json!({ "number": number, "office": office }))
    })
}

/// Takes in a real dossier, for which the other office is competent.
fn receive_dossier(
    process: &mut Process,
    now: Moment,
    (number, other): (u64, Option<OfficeId>),
    out: &mut Vec<Out>,
) -> Result<Option<DocumentId>, Stop> {
    let (own, at) = (process.me.office, process.local(now));
    let typed = json!({
        "procedure": "2.002621.H56",
        "offices": { "receiving": own, "competent": other },
        "applicant": { "name": format!("Nguyễn Văn {number}") },
    });
    let reception = serde_json::from_value::<Reception>(typed).expect("the shape is right");
    let serial = u32::try_from(number % 90_000).unwrap_or(0) + 1;
    let code = Code::issue("000.00.19.H47", at, serial);
    let (Ok(reception), Ok(code)) = (reception.check(), code) else { return Ok(None) };
    let opening = Opening::received(code, &format!("act-{number}"), "clerk", at);
    let adds = reception.offices_added().into_iter().filter(|office| *office != own).collect();
    let about = (None, Kind::DOSSIER);
    process.author(now, about, adds, out, |editor| receive(editor, &reception, &opening))
}

/// Does on a real dossier one of the acts that the rules allow this office now.
fn act_on_dossier(
    process: &mut Process,
    now: Moment,
    id: DocumentId,
    (dice, number, other): (&mut Dice, u64, Option<OfficeId>),
    out: &mut Vec<Out>,
) -> Result<Option<DocumentId>, Stop> {
    let (own, at) = (process.me.office, process.local(now));
    let Some(document) = process.open(now, id, out)? else { return Ok(None) };
    let Ok(dossier) = Dossier::read(id, &document) else { return Ok(None) };
    let regards = dice.pick(&dossier.acts).map(|act| act.id.clone());
    let (number_of, date, signer) = (number.to_string(), "2026-01-06".into(), "Lan".into());
    let letter = ReplyLetter { number: number_of, date, signer, file: None };
    let blank = NewAct {
        note: Some("hỏi lại".into()),
        due: Some("2026-02-02".into()),
        to_office: other,
        regards,
        reply: Some(letter),
        ..NewAct::new(&format!("act-{number}"), ActKind::Noted, own, "clerk")
    };
    for _ in 0..MOST_TRIES {
        let kind = dice.pick(&ActKind::ALL).copied().unwrap_or(ActKind::Noted);
        let Ok(planned) = dossier.plan(&NewAct { kind, ..blank.clone() }, at) else { continue };
        let (adds, about) = (planned.offices_added(), (Some(id), Kind::DOSSIER));
        return process.author(now, about, adds, out, |editor| planned.write(editor));
    }
    Ok(None)
}

/// The dossiers that a clerk may work on: the newest of those that the office takes part in.
fn on_the_desk(process: &Process) -> Vec<DocumentId> {
    let Some(replica) = process.replica() else { return Vec::new() };
    replica.documents(Kind::DOSSIER, None, DESK).unwrap_or_default()
}

fn others(process: &Process) -> Vec<OfficeId> {
    let Some(replica) = process.replica() else { return Vec::new() };
    let offices = replica.registry().offices().map(|office| office.id);
    offices.filter(|office| *office != process.me.office).collect()
}

/// Something that the root office writes into the registry.
pub(crate) enum Decree {
    /// A node joins, with its office if that is new.
    Join { member: Member, above: OfficeId },
    /// An office stands under another one from now on.
    Move { office: OfficeId, above: OfficeId },
    /// What the root holds of a node counts, and nothing else.
    Revoke { node: NodeId },
    /// A node listens elsewhere.
    Address { node: NodeId, addresses: Vec<String> },
}

/// Has the root office's process write into the registry; whether it was saved.
pub(crate) fn decree(
    root: &mut Process,
    now: Moment,
    decree: &Decree,
    out: &mut Vec<Out>,
) -> Result<bool, Stop> {
    let Some(replica) = root.replica() else { return Ok(false) };
    let Some(document) = replica.registry_document() else { return Ok(false) };
    let registry = replica.registry().clone();
    let last_seqs = match decree {
        Decree::Revoke { node } => replica.last_seqs(*node).unwrap_or_default(),
        _ => std::collections::BTreeMap::new(),
    };
    let about = (Some(document), Kind::REGISTRY);
    let saved = root.author(now, about, Vec::new(), out, |editor| match decree {
        Decree::Join { member, above } => {
            if registry.office(member.office).is_none() {
                let office = Office::new(member.office, "new", "", Some(*above));
                add_office(editor, &office, now)?;
            }
            let (id, office) = (member.node(), member.office);
            let addresses = vec![member.address.clone()];
            add_node(editor, &NewNode { id, office, addresses, serials: None }, now)
        }
        Decree::Move { office, above } => move_office(editor, *office, *above, now),
        Decree::Revoke { node } => revoke(editor, *node, &last_seqs),
        Decree::Address { node, addresses } => set_addresses(editor, *node, addresses),
    })?;
    Ok(saved.is_some())
}

/// Where an office may move: not below itself.
pub(crate) fn new_parent(
    dice: &mut Dice,
    registry: &Registry,
    office: OfficeId,
) -> Option<OfficeId> {
    let fits = |above: &OfficeId| {
        *above != office
            && !registry.is_ancestor(office, *above)
            && registry.parent(office) != Some(*above)
    };
    let offices: Vec<OfficeId> = registry.offices().map(|office| office.id).filter(fits).collect();
    dice.pick(&offices).copied()
}
