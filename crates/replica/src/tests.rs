use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use bytes::Bytes;
use lienthong_document::{Actor, Document, EditError, Editor};
use lienthong_federation::{NewNode, Office, Province, add_node, found};
use lienthong_protocol::{
    Change, CloseCode, DocumentId, FederationId, Frame, Header, Incarnation, Kind, Moment, NodeId,
    NodeKey, OfficeId,
};

use crate::{
    Effect, Event, Identity, Inspected, LinkId, Notice, Order, Pair, Place, Replica, Settings,
    Shelf, ShelfError, Stored, Verdict, Wake, inspect,
};

/// A shelf in memory with its log beside it.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) keys: BTreeMap<Vec<u8>, Vec<u8>>,
    pub(crate) log: Vec<Bytes>,
}

impl Memory {
    /// Appends a record; each lies in a segment of its own.
    pub(crate) fn append(&mut self, record: &Bytes) -> Place {
        self.log.push(record.clone());
        place(self.log.len(), record)
    }

    /// What lies at a place cannot be read any more.
    fn damage(&mut self, place: Place) {
        self.log[place.segment as usize - 1] = Bytes::new();
    }
}

/// The place of the record with a number, from 1.
fn place(number: usize, record: &Bytes) -> Place {
    let short = |length: usize| u32::try_from(length).expect("short");
    Place { segment: short(number), offset: 0, length: short(record.len()) }
}

impl Shelf for Memory {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, ShelfError> {
        Ok(self.keys.get(key).cloned())
    }
    fn put(&mut self, key: &[u8], value: Vec<u8>) -> Result<(), ShelfError> {
        self.keys.insert(key.to_vec(), value);
        Ok(())
    }
    fn delete(&mut self, key: &[u8]) -> Result<(), ShelfError> {
        self.keys.remove(key);
        Ok(())
    }
    fn range(
        &self,
        from: &[u8],
        to: &[u8],
        order: Order,
        limit: usize,
    ) -> Result<Vec<Pair>, ShelfError> {
        if from >= to {
            return Ok(Vec::new());
        }
        let found = self.keys.range(from.to_vec()..to.to_vec());
        let owned = |(key, value): (&Vec<u8>, &Vec<u8>)| (key.clone(), value.clone());
        Ok(match order {
            Order::Ascending => found.map(owned).take(limit).collect(),
            Order::Descending => found.rev().map(owned).take(limit).collect(),
        })
    }
    fn record(&self, place: Place) -> Result<Option<Bytes>, ShelfError> {
        // A record of no bytes is a damaged one.
        Ok(self.log.get(place.segment as usize - 1).filter(|record| !record.is_empty()).cloned())
    }
}

pub(crate) struct Node {
    pub(crate) replica: Replica<Memory>,
    seed: u8,
    pub(crate) notices: Vec<Notice>,
    effects: VecDeque<Effect>,
}

/// Replicas that hand each other frames without delay.
pub(crate) struct World {
    pub(crate) now: Moment,
    pub(crate) federation: FederationId,
    pub(crate) nodes: Vec<Node>,
    /// The links that a replica closed, with what it said.
    pub(crate) closed: Vec<(usize, CloseCode)>,
    genesis: Change,
    links: BTreeMap<(usize, LinkId), (usize, LinkId)>,
    next_link: u64,
    bytes: u64,
    /// How many changes were sent, each as often as it was.
    carried: usize,
}

pub(crate) const OFFICES: [&str; 4] = ["HUB", "DISTRICT", "COMMUNE", "OTHER"];

pub(crate) fn office(name: &str) -> OfficeId {
    name.parse().expect("a valid office id")
}

pub(crate) fn key(seed: u8) -> NodeKey {
    NodeKey::from_seed([seed; 32])
}

fn province() -> Province {
    let child = |name: &str, above: &str| Office::new(office(name), name, "", Some(office(above)));
    let offices = vec![
        Office::new(office("HUB"), "HUB", "", None),
        child("DISTRICT", "HUB"),
        child("COMMUNE", "DISTRICT"),
        child("OTHER", "HUB"),
    ];
    Province { name: "test".into(), root: office("HUB"), offices }
}

impl World {
    /// The hub alone, with a registry that holds all four offices and, at once, their nodes.
    pub(crate) fn new() -> World {
        let now = Moment(1_500_000_000_000);
        let author = key(1).id();
        let incarnation = Incarnation(1);
        let document = DocumentId::derive(author, incarnation, 1, now);
        let draft = Document::new().edit(Actor::derive(author, incarnation), |editor| {
            found(editor, &province(), author, &[], now)?;
            (1..OFFICES.len()).try_for_each(|at| {
                let seed = u8::try_from(at + 1).expect("few offices");
                let new = NewNode {
                    id: key(seed).id(),
                    office: office(OFFICES[at]),
                    addresses: vec![],
                    serials: None,
                };
                add_node(editor, &new, now)
            })
        });
        let header = Header {
            document,
            kind: Kind::REGISTRY,
            author,
            office: office("HUB"),
            incarnation,
            seq: 1,
            at: now,
            adds: vec![],
        };
        let draft = draft.expect("the founding edit is sound");
        let genesis = Change::sign(header, draft.payload(), &key(1)).expect("signs");
        let mut world = World {
            now,
            federation: genesis.id().into(),
            nodes: Vec::new(),
            closed: Vec::new(),
            genesis,
            links: BTreeMap::new(),
            next_link: 0,
            bytes: 0,
            carried: 0,
        };
        for (at, name) in OFFICES.iter().enumerate() {
            world.start(u8::try_from(at + 1).expect("few offices"), name);
        }
        for at in 0..OFFICES.len() {
            world.tell_genesis(at);
        }
        world
    }

    pub(crate) fn start(&mut self, seed: u8, name: &str) {
        let me = Identity {
            federation: self.federation,
            office: office(name),
            key: key(seed),
            incarnation: Incarnation(101 + self.nodes.len() as u64),
            agent: "test".into(),
        };
        let shelf = Memory::default();
        let replica = Replica::open(me, Settings::default(), shelf, 7, self.now).expect("opens");
        self.nodes.push(Node { replica, seed, notices: vec![], effects: VecDeque::new() });
    }

    /// Starts another process with the key of a node and an empty store.
    pub(crate) fn start_clone(&mut self, of: usize) -> usize {
        let at = self.start_empty(of);
        self.tell_genesis(at);
        at
    }

    /// The same, and it does not even hold the federation's first change.
    pub(crate) fn start_empty(&mut self, of: usize) -> usize {
        self.start(self.nodes[of].seed, OFFICES[of]);
        self.nodes.len() - 1
    }

    fn tell_genesis(&mut self, at: usize) {
        let item = inspect(self.genesis.clone()).expect("a sound change");
        self.author(at, item);
    }

    /// Stores a change at a node as if it had been written there.
    pub(crate) fn author(&mut self, at: usize, change: Inspected) {
        let node = &mut self.nodes[at];
        node.replica.handle_event(self.now, Event::Authored { change }).expect("memory");
        self.run();
    }

    /// Opens a dossier or adds to one.
    pub(crate) fn write(
        &mut self,
        at: usize,
        document: Option<DocumentId>,
        text: &str,
    ) -> DocumentId {
        self.write_for(at, document, text, &[])
    }

    pub(crate) fn write_for(
        &mut self,
        at: usize,
        document: Option<DocumentId>,
        text: &str,
        adds: &[&str],
    ) -> DocumentId {
        let adds = adds.iter().map(|name| office(name)).collect();
        let header = self.nodes[at].replica.header(self.now, document, Kind::DOSSIER, adds);
        let id = header.document;
        self.edit(at, header, |editor| editor.put(&[text], serde_json::json!(text)));
        id
    }

    /// Writes into the registry at the hub.
    pub(crate) fn edit_registry(
        &mut self,
        edit: impl FnOnce(&mut Editor<'_>) -> Result<(), EditError>,
    ) {
        let hub = &self.nodes[HUB].replica;
        let header = hub.header(self.now, hub.registry_document(), Kind::REGISTRY, vec![]);
        self.edit(HUB, header, edit);
    }

    fn edit(
        &mut self,
        at: usize,
        header: Header,
        edit: impl FnOnce(&mut Editor<'_>) -> Result<(), EditError>,
    ) {
        let actor = Actor::derive(header.author, header.incarnation);
        let draft = self.open(at, header.document).edit(actor, edit).expect("an edit");
        let key = key(self.nodes[at].seed);
        let change = Change::sign(header, draft.payload(), &key).expect("signs");
        self.author(at, inspect(change).expect("a sound change"));
    }

    pub(crate) fn open(&self, at: usize, id: DocumentId) -> Document {
        let replica = &self.nodes[at].replica;
        let Some((_, entries)) = replica.document(id).expect("memory") else {
            return Document::new();
        };
        let accepted = entries.iter().filter(|entry| entry.verdict == Verdict::Accepted);
        let changes: Vec<Change> = accepted
            .map(|entry| replica.shelf().record(entry.place).expect("memory").expect("stored"))
            .map(|bytes| Change::trusted(bytes).expect("sound"))
            .collect();
        let payloads = changes.iter().map(|change| (change.id(), change.payload()));
        Document::open(payloads, |_| None).document
    }

    pub(crate) fn link(&mut self, dialer: usize, dialed: usize) {
        let (a, b) = (LinkId(self.next_link), LinkId(self.next_link + 1));
        self.next_link += 2;
        self.links.insert((dialer, a), (dialed, b));
        self.links.insert((dialed, b), (dialer, a));
        for (at, link, peer, dialed) in [(dialer, a, dialed, true), (dialed, b, dialer, false)] {
            let node = self.nodes[peer].replica.identity().key.id();
            let event = Event::Reached { link, node, dialed };
            self.nodes[at].replica.handle_event(self.now, event).expect("memory");
        }
        self.run();
    }

    /// Ends all links of a node.
    pub(crate) fn cut(&mut self, at: usize) {
        for peer in 0..self.nodes.len() {
            self.cut_between((at, peer));
        }
    }

    /// Ends the link between two nodes.
    pub(crate) fn cut_between(&mut self, (a, b): (usize, usize)) {
        let ends = |((from, _), (to, _)): &(&(usize, LinkId), &(usize, LinkId))| {
            (*from, *to) == (a, b) || (*from, *to) == (b, a)
        };
        let gone: Vec<_> = self.links.iter().filter(ends).map(|(from, _)| *from).collect();
        for (at, link) in gone {
            self.links.remove(&(at, link));
            let event = Event::Down { link };
            self.nodes[at].replica.handle_event(self.now, event).expect("memory");
        }
        self.run();
    }

    /// A node falls silent: nothing that it or its peers say arrives, and nobody is told.
    pub(crate) fn silence(&mut self, node: usize) {
        self.links.retain(|(from, _), (to, _)| *from != node && *to != node);
    }

    /// Lets time pass and wakes the replicas that want it.
    pub(crate) fn pass(&mut self, wait: Duration) {
        let until = self.now.after(wait);
        while let Some(at) = self.next_wake().filter(|at| *at <= until) {
            self.now = self.now.max(at);
            for node in &mut self.nodes {
                node.replica.handle_timeout(self.now).expect("memory");
            }
            self.run();
        }
        self.now = until;
    }

    fn next_wake(&self) -> Option<Moment> {
        self.nodes.iter().filter_map(|node| Some(node.replica.poll_timeout()?.0)).min()
    }

    /// Performs effects until there are none.
    pub(crate) fn run(&mut self) {
        for _ in 0..100_000 {
            let mut idle = true;
            for at in 0..self.nodes.len() {
                while let Some(effect) = self.nodes[at].replica.poll_effect() {
                    self.nodes[at].effects.push_back(effect);
                }
                while let Some(effect) = self.nodes[at].effects.pop_front() {
                    idle = false;
                    self.perform(at, effect);
                }
            }
            if idle {
                return;
            }
        }
        panic!("the replicas never come to rest");
    }

    fn perform(&mut self, at: usize, effect: Effect) {
        let now = self.now;
        match effect {
            Effect::Append { ticket, changes } => {
                let replica = &mut self.nodes[at].replica;
                let mut stored = Vec::new();
                for item in changes {
                    let place = replica.shelf_mut().append(item.change.bytes());
                    stored.push(Stored { item, place });
                }
                replica.handle_event(now, Event::Stored { ticket, stored }).expect("memory");
            }
            Effect::Send { link, frame } => {
                let Some((peer, link)) = self.links.get(&(at, link)).copied() else { return };
                self.bytes += frame.encode().expect("within limits").len() as u64;
                let event = match frame {
                    Frame::Batch(batch) => {
                        self.carried += batch.records.len();
                        let open = |bytes| inspect(Change::open(bytes).ok()?).ok();
                        let changes = batch.records.into_iter().filter_map(open).collect();
                        Event::Changes { link, number: batch.number, changes, refused: 0 }
                    }
                    frame => Event::Frame { link, frame },
                };
                self.nodes[peer].replica.handle_event(now, event).expect("memory");
            }
            Effect::HangUp { link, code, .. } => {
                self.closed.push((at, code));
                let Some((peer, other)) = self.links.remove(&(at, link)) else { return };
                self.links.remove(&(peer, other));
                let event = Event::Down { link: other };
                self.nodes[peer].replica.handle_event(now, event).expect("memory");
            }
            Effect::Dial { .. } => {}
            Effect::Notify(notice) => self.nodes[at].notices.push(notice),
        }
    }

    pub(crate) fn assert_settled(&self, a: usize, b: usize) {
        assert_eq!(self.closed, [], "a replica closed a link");
        for (at, peer) in [(a, b), (b, a)] {
            let office = office(OFFICES[peer]);
            let status = self.nodes[at].replica.status().expect("memory");
            let link = status.links.iter().find(|link| link.office == office);
            let link = link.expect("a link");
            assert!(link.settled, "{} is not settled with {office}: {link:?}", OFFICES[at]);
            assert!(link.proof.is_some(), "{} has no proof of {office}", OFFICES[at]);
            assert_eq!(link.unsent, 0);
        }
    }

    pub(crate) fn holds(&self, at: usize, id: DocumentId) -> usize {
        let known = self.nodes[at].replica.document(id).expect("memory");
        known.map_or(0, |(_, entries)| entries.len())
    }

    pub(crate) fn node_id(&self, at: usize) -> NodeId {
        self.nodes[at].replica.identity().key.id()
    }
}

pub(crate) const HUB: usize = 0;
pub(crate) const DISTRICT: usize = 1;
pub(crate) const COMMUNE: usize = 2;
pub(crate) const OTHER: usize = 3;

#[test]
fn what_was_written_offline_settles_on_every_link() {
    let mut world = World::new();
    let a = world.write(COMMUNE, None, "a");
    let b = world.write(DISTRICT, None, "b");
    world.link(DISTRICT, HUB);
    world.link(COMMUNE, DISTRICT);
    world.assert_settled(DISTRICT, HUB);
    world.assert_settled(COMMUNE, DISTRICT);
    assert_eq!((world.holds(HUB, a), world.holds(HUB, b)), (1, 1));
    assert_eq!(world.holds(COMMUNE, b), 0, "a commune is no ancestor of its district");
    assert_eq!(world.open(HUB, a).canonical(), world.open(COMMUNE, a).canonical());
}

#[test]
fn a_live_link_pushes_at_once_and_settles_again() {
    let mut world = World::new();
    world.link(DISTRICT, HUB);
    world.link(COMMUNE, DISTRICT);
    let a = world.write(COMMUNE, None, "a");
    world.write(HUB, Some(a), "from the hub");
    assert_eq!(world.holds(COMMUNE, a), 2);
    world.assert_settled(DISTRICT, HUB);
    world.assert_settled(COMMUNE, DISTRICT);
}

#[test]
fn no_change_is_sent_back_to_the_node_that_brought_it() {
    let mut world = World::new();
    let a = world.write(COMMUNE, None, "a");
    world.write(COMMUNE, Some(a), "b");
    world.link(DISTRICT, HUB);
    world.carried = 0;
    world.link(COMMUNE, DISTRICT);
    let registry = world.carried - 4;
    world.write(COMMUNE, Some(a), "c");
    world.assert_settled(DISTRICT, HUB);
    world.assert_settled(COMMUNE, DISTRICT);
    assert_eq!(world.carried, registry + 6, "three changes over two links, each once");
}

#[test]
fn a_shared_document_reaches_the_new_office_whole() {
    let mut world = World::new();
    world.link(DISTRICT, HUB);
    world.link(OTHER, HUB);
    let a = world.write(DISTRICT, None, "a");
    world.write(DISTRICT, Some(a), "b");
    assert_eq!(world.holds(OTHER, a), 0);
    world.write_for(DISTRICT, Some(a), "c", &["OTHER"]);
    assert_eq!(world.holds(OTHER, a), 3);
    world.assert_settled(OTHER, HUB);
}

#[test]
fn concurrent_changes_are_both_kept() {
    let mut world = World::new();
    world.link(DISTRICT, HUB);
    let a = world.write(DISTRICT, None, "a");
    world.cut(DISTRICT);
    world.write(DISTRICT, Some(a), "from the district");
    world.write(HUB, Some(a), "from the hub");
    world.link(DISTRICT, HUB);
    world.assert_settled(DISTRICT, HUB);
    assert_eq!(world.holds(HUB, a), 3);
    assert_eq!(world.open(HUB, a).canonical(), world.open(DISTRICT, a).canonical());
}

#[test]
fn an_office_outside_the_audience_cannot_write_itself_in() {
    let mut world = World::new();
    let a = world.write(DISTRICT, None, "a");
    world.link(DISTRICT, HUB);
    world.link(OTHER, HUB);
    let stolen = world.open(HUB, a);
    let header = world.nodes[OTHER].replica.header(world.now, Some(a), Kind::DOSSIER, vec![]);
    let actor = Actor::derive(header.author, header.incarnation);
    let draft = stolen.edit(actor, |editor| editor.put(&["x"], serde_json::json!("forged")));
    let change = Change::sign(header, draft.expect("edits").payload(), &key(4)).expect("signs");
    let change = inspect(change).expect("sound bytes");
    let (ticket_event, hub) = (Event::Authored { change }, HUB);
    world.nodes[hub].replica.handle_event(world.now, ticket_event).expect("memory");
    world.run();
    let (record, entries) = world.nodes[HUB].replica.document(a).expect("memory").expect("held");
    assert!(entries.iter().any(|entry| matches!(entry.verdict, Verdict::Quarantined(_))));
    assert!(!record.offices.contains(&office("OTHER")));
    assert_eq!(world.holds(OTHER, a), 0);
}

#[test]
fn two_settled_nodes_that_meet_again_say_little() {
    let mut world = World::new();
    world.link(DISTRICT, HUB);
    for number in 0..50 {
        world.now = Moment(world.now.0 + 3_600_000);
        world.write(DISTRICT, None, &number.to_string());
    }
    world.cut(DISTRICT);
    world.bytes = 0;
    world.link(DISTRICT, HUB);
    world.assert_settled(DISTRICT, HUB);
    assert!(world.bytes < 3_000, "{} bytes", world.bytes);
}

#[test]
fn a_difference_among_many_costs_what_differs() {
    let mut world = World::new();
    let mut documents = Vec::new();
    for number in 0..2_000u64 {
        if number % 10 == 0 {
            world.now = Moment(world.now.0 + 3_600_000);
        }
        documents.push(world.write(DISTRICT, None, &number.to_string()));
    }
    world.link(DISTRICT, HUB);
    world.assert_settled(DISTRICT, HUB);
    world.cut(DISTRICT);
    for document in documents.iter().step_by(100) {
        world.write(DISTRICT, Some(*document), "late");
        world.write(HUB, Some(*document), "too");
    }
    world.bytes = 0;
    world.link(DISTRICT, HUB);
    world.assert_settled(DISTRICT, HUB);
    assert!(world.bytes < 20_000, "{} bytes for 40 changes", world.bytes);
}

#[test]
fn an_index_replayed_from_the_log_is_the_same() {
    let mut world = World::new();
    world.link(DISTRICT, HUB);
    world.link(COMMUNE, DISTRICT);
    let a = world.write(COMMUNE, None, "a");
    world.write_for(HUB, Some(a), "b", &["OTHER"]);
    let memory = world.nodes[HUB].replica.shelf();
    let peers = |key: &&Vec<u8>| key.first() != Some(&b'p');
    let before: BTreeSet<_> = memory.keys.keys().filter(peers).cloned().collect();
    let log = memory.log.clone();
    let me = Identity {
        federation: world.federation,
        office: office("HUB"),
        key: key(1),
        incarnation: Incarnation(999),
        agent: "test".into(),
    };
    let shelf = Memory { log: log.clone(), ..Memory::default() };
    let mut again = Replica::open(me, Settings::default(), shelf, 7, world.now).expect("opens");
    let stored = log.iter().enumerate().map(|(before, bytes)| Stored {
        item: inspect(Change::trusted(bytes.clone()).expect("sound")).expect("sound"),
        place: place(before + 1, bytes),
    });
    again.replay(stored.collect()).expect("memory");
    let after: BTreeSet<_> = again.shelf().keys.keys().cloned().collect();
    assert_eq!(after, before);
    let status = |replica: &Replica<Memory>| replica.status().expect("memory");
    assert_eq!(status(&again).root, status(&world.nodes[HUB].replica).root);
    assert_eq!(again.registry(), world.nodes[HUB].replica.registry());
    assert!(again.admits(world.node_id(OTHER)));
}

#[test]
fn a_change_whose_record_is_damaged_comes_back_on_the_links_that_are_up() {
    for loser in [HUB, DISTRICT] {
        let mut world = World::new();
        world.link(DISTRICT, HUB);
        let a = world.write(DISTRICT, None, "a");
        world.write(DISTRICT, Some(a), "b");
        world.write(HUB, Some(a), "c");
        let status = |world: &World| world.nodes[loser].replica.status().expect("memory");
        let (before, text) = (status(&world), world.open(loser, a).canonical());
        for number in 0..3 {
            let replica = &mut world.nodes[loser].replica;
            let (_, entries) = replica.document(a).expect("memory").expect("held");
            let damaged = entries[number].place;
            replica.shelf_mut().damage(damaged);
            let event = Event::Damaged { places: vec![damaged] };
            replica.handle_event(world.now, event).expect("memory");
            assert!(replica.status().expect("memory").root.count < before.root.count);
            world.run();
            world.assert_settled(DISTRICT, HUB);
            let after = status(&world);
            assert_eq!((after.root, after.totals), (before.root, before.totals));
            assert_eq!(world.open(loser, a).canonical(), text);
        }
    }
}

#[test]
fn what_builds_on_a_damaged_change_waits_until_a_link_brings_it_back() {
    let mut world = World::new();
    world.link(DISTRICT, HUB);
    let a = world.write(DISTRICT, None, "a");
    world.write(DISTRICT, Some(a), "b");
    let before = world.nodes[HUB].replica.status().expect("memory");
    world.cut(HUB);
    let replica = &mut world.nodes[HUB].replica;
    let (_, entries) = replica.document(a).expect("memory").expect("held");
    replica.shelf_mut().damage(entries[0].place);
    let whole = Place { length: u32::MAX, ..entries[0].place };
    let event = Event::Damaged { places: vec![whole] };
    replica.handle_event(world.now, event).expect("memory");
    let totals = replica.status().expect("memory").totals;
    assert_eq!((totals.changes, totals.waiting), (before.totals.changes - 1, 1));
    world.link(DISTRICT, HUB);
    world.assert_settled(DISTRICT, HUB);
    let after = world.nodes[HUB].replica.status().expect("memory");
    assert_eq!((after.root, after.totals), (before.root, before.totals));
    assert_eq!(world.open(HUB, a).canonical(), world.open(DISTRICT, a).canonical());
}

#[test]
fn a_damaged_registry_record_comes_back_and_nobody_is_forgotten_meanwhile() {
    let mut world = World::new();
    world.link(DISTRICT, HUB);
    world.edit_registry(|editor| {
        let id = key(77).id();
        let new = NewNode { id, office: office("COMMUNE"), addresses: vec![], serials: None };
        add_node(editor, &new, Moment(1_500_000_000_000))
    });
    let id = world.nodes[HUB].replica.registry_document().expect("the registry is here");
    let known = world.nodes[DISTRICT].replica.registry().clone();
    for number in 0..2 {
        world.cut(DISTRICT);
        let replica = &mut world.nodes[DISTRICT].replica;
        let (_, entries) = replica.document(id).expect("memory").expect("held");
        let damaged = entries[number].place;
        replica.shelf_mut().damage(damaged);
        let event = Event::Damaged { places: vec![damaged] };
        replica.handle_event(world.now, event).expect("memory");
        assert_eq!(replica.lost().get(&id).map(BTreeSet::len), Some(1));
        world.pass(Duration::from_secs(60));
        assert_eq!(world.nodes[DISTRICT].replica.registry(), &known);
        world.link(DISTRICT, HUB);
        world.assert_settled(DISTRICT, HUB);
        let replica = &world.nodes[DISTRICT].replica;
        assert!(replica.lost().is_empty());
        assert_eq!(replica.registry(), &known);
        assert_eq!(replica.status().expect("memory").totals.waiting, 0);
    }
}

#[test]
fn a_clock_that_is_set_back_makes_no_wait_longer() {
    let mut world = World::new();
    world.pass(Duration::from_secs(1_000 * 86_400));
    let set_back = |world: &mut World| -> (Duration, Wake) {
        world.now = Moment(world.now.0 - 86_400_000 * 400);
        let (now, district) = (world.now, &mut world.nodes[DISTRICT].replica);
        district.handle_timeout(now).expect("memory");
        let (due, why) = district.poll_timeout().expect("something is always due");
        (due.since(now), why)
    };
    world.link(DISTRICT, HUB);
    world.assert_settled(DISTRICT, HUB);
    let (wait, why) = set_back(&mut world);
    assert!(why == Wake::Link && wait <= Duration::from_secs(60), "{wait:?}");

    world.cut(DISTRICT);
    let node = world.node_id(HUB);
    for _ in 0..20 {
        let event = Event::DialFailed { node };
        world.nodes[DISTRICT].replica.handle_event(world.now, event).expect("memory");
    }
    let (wait, why) = set_back(&mut world);
    assert!(why == Wake::Dial && wait <= Duration::from_secs(300), "{wait:?}");
}

#[test]
fn a_node_that_starts_without_its_registry_takes_it_from_what_was_kept_beside_the_log() {
    let mut world = World::new();
    world.link(DISTRICT, HUB);
    let replica = &mut world.nodes[DISTRICT].replica;
    let known = replica.registry().clone();
    let kept = replica.registry_changes().expect("memory").expect("nothing is damaged");
    let id = replica.registry_document().expect("the registry is here");
    let (_, entries) = replica.document(id).expect("memory").expect("held");
    assert_eq!(kept.len(), entries.len());

    let fresh = world.start_empty(DISTRICT);
    let replica = &world.nodes[fresh].replica;
    assert!(replica.registry_changes().expect("memory").is_none());
    for _ in 0..2 {
        let changes = kept.iter().cloned().map(|change| inspect(change).expect("sound")).collect();
        let event = Event::Spared { changes };
        world.nodes[fresh].replica.handle_event(world.now, event).expect("memory");
        world.run();
        let replica = &world.nodes[fresh].replica;
        assert_eq!(replica.registry(), &known);
        // What is here already is not stored a second time.
        assert_eq!(replica.status().expect("memory").totals.changes, kept.len() as u64);
    }
}

#[test]
fn what_was_unfit_is_rehearsed_again_when_other_changes_have_come() {
    let mut world = World::new();
    let a = world.write(HUB, None, "a");
    world.write(HUB, Some(a), "b");
    let verdicts = |world: &World| -> Vec<&'static str> {
        let held = world.nodes[HUB].replica.document(a).expect("memory");
        held.expect("held").1.iter().map(|entry| entry.verdict.name()).collect()
    };
    let second = {
        let held = world.nodes[HUB].replica.document(a).expect("memory");
        held.expect("held").1[1].id
    };
    let refuse = |world: &mut World| {
        let event = Event::Unfit { document: a, changes: vec![second] };
        world.nodes[HUB].replica.handle_event(world.now, event).expect("memory");
        world.run();
    };
    refuse(&mut world);
    assert_eq!(verdicts(&world), ["accepted", "quarantined-unfit"]);
    world.nodes[HUB].notices.clear();
    world.write(HUB, Some(a), "c");
    assert_eq!(verdicts(&world), ["accepted"; 3]);
    let is_told = |notice: &Notice| matches!(notice, Notice::Grew { document } if *document == a);
    assert!(world.nodes[HUB].notices.iter().any(is_told), "whoever opens it rehearses it");
    refuse(&mut world);
    assert_eq!(verdicts(&world), ["accepted", "quarantined-unfit", "accepted"]);
    let totals = world.nodes[HUB].replica.status().expect("memory").totals;
    assert_eq!((totals.quarantined, totals.waiting), (1, 0));
}
