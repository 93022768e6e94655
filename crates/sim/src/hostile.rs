//! One node that has a good key and keeps no rule: it forges, replays, floods and lies.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use lienthong_document::{Actor, Document};
use lienthong_protocol::{
    Ack, Batch, Bound, Change, Claim, Claimed, Compare, DocumentId, Frame, Header, Hello,
    Incarnation, Kind, Moment, NodeId, NodeKey, OfficeId, Ping, Pong, Proof, Standing, Tally,
    VersionRange, Want, Written,
};
use lienthong_replica::{Event, LinkId};

use crate::network::Seat;
use crate::oracle::Broken;
use crate::plan::Dice;
use crate::process::Member;
use crate::workload::{self, Decree};
use crate::world::{HOUR_MS, Happening, ROOT, SECOND_MS, World};

/// The seed of the key of the hostile node.
const KEY_SEED: [u8; 32] = [66; 32];
/// Where the hostile node sits.
pub(crate) const SEAT: Seat = 1_000_000;
/// How many changes it remembers.
const MOST_SEEN: usize = 64;

/// The name of the hostile node.
pub(crate) fn node() -> NodeId {
    // Asked for all the time and dear to derive.
    static NODE: LazyLock<NodeId> = LazyLock::new(|| key().id());
    *NODE
}

fn key() -> NodeKey {
    NodeKey::from_seed(KEY_SEED)
}

/// A key that is in no registry.
fn strange_key() -> NodeKey {
    NodeKey::from_seed([67; 32])
}

/// The hostile node: what it has seen, and whom it is connected with.
pub(crate) struct Enemy {
    dice: Dice,
    office: OfficeId,
    links: BTreeMap<LinkId, Seat>,
    seen: Vec<Change>,
    seq: u64,
    batches: u64,
}

impl World {
    /// Takes the hostile node into the registry and lets it begin.
    pub(crate) fn let_enemy_in(&mut self) -> Result<(), Broken> {
        let Some(replica) = self.machines[ROOT].process.replica() else { return Ok(()) };
        if self.enemy.is_some() {
            return Ok(());
        }
        let offices: Vec<OfficeId> = replica.registry().offices().map(|one| one.id).collect();
        let Some(above) = self.fate.pick(&offices).copied() else { return Ok(()) };
        let of_others = self.fate.chance(400_000) && above != workload::office_id(0);
        let office = if of_others { above } else { workload::office_id(SEAT) };
        let federation = self.machines[ROOT].process.me.federation;
        let address = "enemy:1".to_owned();
        let member = Member::new(federation, office, KEY_SEED, address);
        if self.decree(&Decree::Join { member, above })? {
            let dice = self.fate.fork();
            let (links, seen) = (BTreeMap::new(), Vec::new());
            self.enemy = Some(Enemy { dice, office, links, seen, seq: 0, batches: 0 });
            self.later(SECOND_MS, Happening::Misdeed);
        }
        Ok(())
    }

    /// Has the hostile node leave for good.
    pub(crate) fn banish_enemy(&mut self) {
        for end in self.network.vanish(self.now, SEAT) {
            self.later(1, Happening::Closed(end));
        }
        if let Some(enemy) = &mut self.enemy {
            enemy.links.clear();
        }
    }

    /// The hostile node does something, and comes back to it.
    pub(crate) fn misdeed(&mut self) -> Result<(), Broken> {
        if self.healed_at.is_some() {
            return Ok(());
        }
        let Some(mut enemy) = self.enemy.take() else { return Ok(()) };
        if enemy.links.is_empty() || enemy.dice.chance(150_000) {
            self.approach(&mut enemy);
        }
        let links: Vec<(LinkId, Seat)> = enemy.links.iter().map(|(l, s)| (*l, *s)).collect();
        if let Some((link, seat)) = enemy.dice.pick(&links).copied() {
            let deed = enemy.dice.below(14);
            self.say(format_args!("the enemy does {deed} to {seat}"));
            let frames = self.deed(&mut enemy, deed, seat);
            for frame in frames {
                let sent = self.network.send(self.now, (SEAT, link), frame);
                self.on_the_way(sent);
            }
        }
        let longest = *enemy.dice.pick(&[SECOND_MS, 60 * SECOND_MS, HOUR_MS]).unwrap_or(&HOUR_MS);
        let wait_ms = enemy.dice.between(1, longest);
        self.enemy = Some(enemy);
        self.later(wait_ms, Happening::Misdeed);
        Ok(())
    }

    fn approach(&mut self, enemy: &mut Enemy) {
        let open = |seat: &Seat| {
            let machine = &self.machines[*seat];
            !machine.is_paused && machine.process.replica().is_some_and(|one| one.admits(node()))
        };
        let open: Vec<Seat> = (0..self.machines.len()).filter(open).collect();
        let Some(seat) = enemy.dice.pick(&open).copied() else { return };
        let [(_, near), (_, far)] = self.network.connect(self.now, [SEAT, seat]);
        enemy.links.insert(near, seat);
        self.say(format_args!("the enemy reaches {seat}"));
        let event = Event::Reached { link: far, node: node(), dialed: false };
        self.machines[seat].process.tell(event);
        self.turn_soon(seat);
        let hello = enemy.hello(self.machines[ROOT].process.me.federation, self.now);
        let sent = self.network.send(self.now, (SEAT, near), hello);
        self.on_the_way(sent);
    }

    fn deed(&mut self, enemy: &mut Enemy, deed: u64, seat: Seat) -> Vec<Frame> {
        let now = self.now;
        match deed {
            0 => vec![enemy.hello(self.machines[ROOT].process.me.federation, now)],
            1 => vec![enemy.lie(now)],
            2 => self.forged(enemy),
            3..=6 => self.signed(enemy, deed, seat),
            7 => {
                let replayed: Vec<Change> = enemy.seen.clone();
                self.replayed(enemy, seat, &replayed)
            }
            8 => vec![Frame::Ack(Ack { number: enemy.dice.below(40), refused: 0 })],
            9 => vec![enemy.claim()],
            10 => vec![enemy.want()],
            11 => {
                let number = enemy.dice.draw();
                vec![Frame::Ping(Ping { number }); 200]
            }
            12 => {
                let root = enemy.tally();
                let signature = key().sign(b"something else");
                vec![Frame::Proof(Proof { root, at: now, signature })]
            }
            _ => {
                let Some(change) = enemy.dice.pick(&enemy.seen.clone()).cloned() else {
                    return Vec::new();
                };
                let many = vec![change; 50];
                self.replayed(enemy, seat, &many)
            }
        }
    }

    /// Changes of others with a bit turned: nobody has signed them.
    fn forged(&mut self, enemy: &mut Enemy) -> Vec<Frame> {
        let Some(change) = enemy.dice.pick(&enemy.seen.clone()).cloned() else {
            return Vec::new();
        };
        let mut bytes = change.bytes().to_vec();
        // Behind the signature and the lengths: another document, author, number or payload.
        let at = 66 + enemy.dice.place(bytes.len() - 66).unwrap_or(0);
        bytes[at] ^= 1 << enemy.dice.below(8);
        if let Ok(forged) = Change::trusted(bytes.clone().into()) {
            self.oracle.forged(forged.id());
        }
        vec![enemy.batch(vec![bytes.into()])]
    }

    fn replayed(&mut self, enemy: &mut Enemy, seat: Seat, changes: &[Change]) -> Vec<Frame> {
        for change in changes {
            self.oracle.leaked(seat, change.header().document);
        }
        vec![enemy.batch(changes.iter().map(|change| change.bytes().clone()).collect())]
    }

    /// Changes with a good signature: of an own dossier, in the name of another office, by a key
    /// in no registry, two under one number, one into another's document.
    fn signed(&mut self, enemy: &mut Enemy, deed: u64, seat: Seat) -> Vec<Frame> {
        let (mut office, mut signer, mut kind) = (enemy.office, key(), Kind::DOSSIER);
        let mut base = None;
        match deed {
            3 => {}
            4 => office = self.machines[seat].process.me.office,
            5 => base = enemy.dice.pick(&enemy.seen.clone()).map(|one| one.header().document),
            _ if enemy.dice.chance(500_000) => signer = strange_key(),
            _ => kind = Kind::REGISTRY,
        }
        enemy.seq += enemy.dice.below(3);
        let twice = if enemy.dice.chance(300_000) { 2 } else { 1 };
        let mut records = Vec::new();
        for _ in 0..twice {
            let about = (base, kind, office);
            let Some(change) = enemy.write(&signer, about, self.now) else { continue };
            self.oracle.hostile(&change);
            records.push(change.bytes().clone());
        }
        if records.is_empty() { Vec::new() } else { vec![enemy.batch(records)] }
    }

    /// A frame has come to the hostile node.
    pub(crate) fn arrive_at_enemy(&mut self, link: LinkId, frame: Frame) -> Result<(), Broken> {
        let Some(mut enemy) = self.enemy.take() else { return Ok(()) };
        let answer = match frame {
            Frame::Batch(batch) => {
                for bytes in batch.records {
                    let seen = Change::trusted(bytes).ok();
                    enemy.seen.extend(seen.filter(|_| enemy.dice.chance(500_000)));
                }
                let surplus = enemy.seen.len().saturating_sub(MOST_SEEN);
                enemy.seen.drain(..surplus);
                // It says that it keeps what it throws away.
                Some(Frame::Ack(Ack { number: batch.number, refused: 0 }))
            }
            Frame::Ping(ping) if enemy.dice.chance(700_000) => {
                let at = Moment(enemy.dice.draw() >> 20);
                Some(Frame::Pong(Pong { number: ping.number, at }))
            }
            Frame::Standing(standing) if enemy.dice.chance(300_000) => {
                Some(Frame::Standing(standing))
            }
            Frame::Standing(_) => Some(enemy.lie(self.now)),
            Frame::Compare(_) if enemy.dice.chance(500_000) => Some(enemy.claim()),
            _ => None,
        };
        self.enemy = Some(enemy);
        let sent = answer.and_then(|frame| self.network.send(self.now, (SEAT, link), frame));
        self.on_the_way(sent);
        Ok(())
    }

    /// The hostile node has lost a link.
    pub(crate) fn enemy_loses(&mut self, link: LinkId) {
        if let Some(enemy) = &mut self.enemy {
            enemy.links.remove(&link);
        }
    }
}

impl Enemy {
    fn hello(&mut self, federation: lienthong_protocol::FederationId, now: Moment) -> Frame {
        let wrong_office = self.dice.chance(100_000);
        let old = self.dice.chance(100_000);
        let versions = VersionRange { oldest: 0, newest: 0 };
        Frame::Hello(Hello {
            versions: if old { versions } else { VersionRange::OURS },
            federation,
            office: if wrong_office { workload::office_id(0) } else { self.office },
            incarnation: Incarnation(self.dice.draw()),
            at: now,
            addresses: vec!["enemy:1".into()],
            agent: "enemy".into(),
        })
    }

    fn tally(&mut self) -> Tally {
        let mut tally = Tally::default();
        for _ in 0..self.dice.below(4) {
            let mut id = [0; 32];
            id[..8].copy_from_slice(&self.dice.draw().to_le_bytes());
            tally.add(lienthong_protocol::ChangeId::from_bytes(id));
        }
        tally
    }

    fn lie(&mut self, _now: Moment) -> Frame {
        let written = Written { incarnation: Incarnation(self.dice.draw()), seq: self.dice.draw() };
        let (root, registry) = (self.tally(), self.tally());
        let (authored, held_total) = (self.dice.draw(), self.dice.draw());
        Frame::Standing(Standing { root, registry, written, authored, held: written, held_total })
    }

    fn bounds(&mut self) -> (Bound, Bound) {
        let minute = |dice: &mut Dice| u32::try_from(dice.below(1 << 31)).unwrap_or(0);
        let (one, other) = (minute(&mut self.dice), minute(&mut self.dice));
        let bound = |minute| Bound { minute, prefix: 0 };
        (bound(one.min(other)), bound(one.max(other).saturating_add(1)))
    }

    fn claim(&mut self) -> Frame {
        let (from, to) = self.bounds();
        let what = match self.dice.below(3) {
            0 => Claimed::Skip,
            1 => Claimed::Sum(self.tally().short()),
            _ => Claimed::Ids(Vec::new()),
        };
        let whole = self.dice.chance(300_000);
        let (from, to) = if whole { (Bound::START, Bound::END) } else { (from, to) };
        Frame::Compare(Compare { from, claims: vec![Claim { to, what }] })
    }

    fn want(&mut self) -> Frame {
        let (from, to) = self.bounds();
        Frame::Want(Want { from, to, ids: self.seen.iter().map(|one| one.id().listed()).collect() })
    }

    fn batch(&mut self, records: Vec<bytes::Bytes>) -> Frame {
        self.batches += 1;
        Frame::Batch(Batch { number: self.batches, records })
    }

    fn write(
        &mut self,
        signer: &NodeKey,
        (document, kind, office): (Option<DocumentId>, Kind, OfficeId),
        at: Moment,
    ) -> Option<Change> {
        let (author, incarnation, seq) = (signer.id(), Incarnation(666), self.seq + 1);
        let of_document = |change: &&Change| Some(change.header().document) == document;
        let known: Vec<Change> = self.seen.iter().filter(of_document).cloned().collect();
        let payloads = known.iter().map(|change| (change.id(), change.payload()));
        let base = Document::open(payloads, |_| None).document;
        let (number, actor) = (self.dice.draw() >> 12, Actor::derive(author, incarnation));
        let draft = base.edit(actor, |editor| editor.put(&["enemy"], number)).ok()?;
        let document = document.unwrap_or_else(|| DocumentId::derive(author, incarnation, seq, at));
        let adds = Vec::new();
        let header = Header { document, kind, author, office, incarnation, seq, at, adds };
        Change::sign(header, draft.payload(), signer).ok()
    }
}
