//! What is said on a link, from hello to settled.

use std::time::Duration;

use lienthong_protocol::{
    Ack, CloseCode, Compare, Frame, Hello, Incarnation, Moment, NodeId, Pong, Proof, Standing,
    VersionRange, Want, Written, verify,
};

use crate::event::{Alarm, Effect, LinkId, Notice};
use crate::link::{Comparison, Link, PeerMemory, Roots, State};
use crate::reconcile::{Sets, whole_count};
use crate::replica::Replica;
use crate::shelf::{Shelf, ShelfError};

/// How long a second process with a connected key waits for the first to answer.
const PROBE_WAIT: Duration = Duration::from_secs(3);
/// How long an unanswered comparison, or one that came to nothing, keeps the next one from being
/// opened. Shorter finds a mended peer sooner and repeats useless work more often.
const COMPARISON_WAIT: Duration = Duration::from_secs(60);
/// How many comparisons may end where they began before a person is told.
const UNEQUAL_ALARM: u32 = 2;

impl<S: Shelf> Replica<S> {
    pub(crate) fn reached(
        &mut self,
        now: Moment,
        id: LinkId,
        node: NodeId,
        dialed: bool,
    ) -> Result<(), ShelfError> {
        let Some(office) = self.registry.node(node).map(|known| known.office) else {
            let words = "your key is not in the registry".into();
            self.effects.push_back(Effect::HangUp {
                link: id,
                code: CloseCode::UNKNOWN_NODE,
                words,
            });
            return Ok(());
        };
        self.links.insert(id, Link::new(id, (node, office), dialed, now));
        let hello = Hello {
            versions: VersionRange::OURS,
            federation: self.me.federation,
            office: self.me.office,
            incarnation: self.me.incarnation,
            at: now,
            addresses: self.settings.addresses.clone(),
            agent: self.me.agent.clone(),
        };
        self.send(id, Frame::Hello(hello));
        Ok(())
    }

    pub(crate) fn down(&mut self, now: Moment, id: LinkId) {
        let Some(link) = self.links.remove(&id) else { return };
        if link.is_open() {
            self.notify(Notice::Disconnected { office: link.office, node: link.node });
        }
        if link.dialed && !self.links.values().any(|other| other.node == link.node) {
            self.dial_lost(link.node, now);
        }
        // A second process that waited for this one to answer has its answer.
        for other in self.links.values_mut() {
            if let State::Probing { rival, until, .. } = &mut other.state
                && *rival == id
            {
                *until = now;
            }
        }
    }

    pub(crate) fn frame(
        &mut self,
        now: Moment,
        id: LinkId,
        frame: Frame,
    ) -> Result<(), ShelfError> {
        let Some(link) = self.links.get_mut(&id) else { return Ok(()) };
        link.last_contact = now;
        self.rival_is_alive(id);
        let Some(link) = self.links.get(&id) else { return Ok(()) };
        match (link.state, frame) {
            (State::Greeting, Frame::Hello(hello)) => self.hello(now, id, hello),
            (State::Open { .. }, Frame::Compare(compare)) => self.compare(now, id, &compare),
            (State::Open { .. }, Frame::Want(want)) => self.want(now, id, &want),
            (State::Open { .. }, Frame::Ack(ack)) => self.ack(now, id, ack),
            (State::Open { .. }, Frame::Standing(standing)) => self.standing(now, id, standing),
            (State::Open { .. }, Frame::Proof(proof)) => self.proof(id, proof),
            (State::Open { .. }, Frame::Reports(reports)) => {
                self.notify(Notice::Reports { link: id, reports });
                Ok(())
            }
            (_, Frame::Ping(ping)) => {
                self.send(id, Frame::Pong(Pong { number: ping.number, at: now }));
                Ok(())
            }
            (_, Frame::Pong(pong)) => {
                self.pong(now, id, pong);
                Ok(())
            }
            // The peer regards the link as open before we have probed its rival: it will say
            // all of this again.
            (State::Probing { .. }, Frame::Standing(standing)) => {
                if let Some(link) = self.links.get_mut(&id) {
                    link.hear(standing);
                }
                Ok(())
            }
            (State::Probing { .. }, Frame::Compare(_) | Frame::Want(_)) => Ok(()),
            (State::Probing { .. }, Frame::Ack(_) | Frame::Proof(_) | Frame::Reports(_)) => Ok(()),
            (_, frame) => {
                let words = format!("a {} frame may not come here", frame.name());
                self.hang_up(id, CloseCode::MALFORMED_FRAME, words);
                Ok(())
            }
        }
    }

    // ------------------------------------------------------------- hello

    fn hello(&mut self, now: Moment, id: LinkId, hello: Hello) -> Result<(), ShelfError> {
        let Some(link) = self.links.get(&id) else { return Ok(()) };
        let (node, office) = (link.node, link.office);
        let refusal = if hello.versions.common(VersionRange::OURS).is_none() {
            Some((CloseCode::VERSION, "no protocol version in common; update the older node"))
        } else if hello.federation != self.me.federation {
            Some((CloseCode::WRONG_FEDERATION, "the node belongs to another federation"))
        } else if hello.office != office {
            Some((CloseCode::WRONG_OFFICE, "the registry has another office for this key"))
        } else {
            None
        };
        if let Some((code, words)) = refusal {
            self.hang_up(id, code, words.into());
            return Ok(());
        }
        if let Some(link) = self.links.get_mut(&id) {
            link.addresses = hello.addresses;
        }
        let rival = self
            .links
            .values()
            .find(|other| other.id != id && other.node == node && other.is_open())
            .map(|other| (other.id, other.incarnation()));
        match rival {
            Some((rival, incarnation)) if incarnation != Some(hello.incarnation) => {
                self.probe(now, id, rival, hello.incarnation);
                Ok(())
            }
            Some((rival, _)) => {
                self.hang_up(rival, CloseCode::REPLACED, "a newer link replaces this one".into());
                self.opened(now, id, hello.incarnation)
            }
            None => self.opened(now, id, hello.incarnation),
        }
    }

    fn opened(
        &mut self,
        now: Moment,
        id: LinkId,
        incarnation: Incarnation,
    ) -> Result<(), ShelfError> {
        let Some(link) = self.links.get_mut(&id) else { return Ok(()) };
        link.state = State::Open { incarnation };
        link.since = now;
        let (office, node, dialed) = (link.office, link.node, link.dialed);
        let addresses = std::mem::take(&mut link.addresses);
        // Not before the probe of a rival is over: a clone must not lead others to itself.
        self.notify(Notice::Connected { office, node, addresses });
        if dialed {
            self.dial_succeeded(node, now);
            // The end that dialled speaks first; the other answers when it has compared roots.
            self.tell(id)?;
        }
        self.ping(now, id);
        Ok(())
    }

    fn probe(&mut self, now: Moment, id: LinkId, rival: LinkId, incarnation: Incarnation) {
        if let Some(link) = self.links.get_mut(&id) {
            link.state = State::Probing { incarnation, rival, until: now.after(PROBE_WAIT) };
        }
        if let Some(old) = self.links.get_mut(&rival) {
            old.pinged = None;
        }
        self.ping(now, rival);
    }

    /// Something came on a link that is being probed: its process lives, so the other is a clone.
    fn rival_is_alive(&mut self, id: LinkId) {
        let clones: Vec<(LinkId, NodeId)> = self
            .links
            .values()
            .filter(|link| matches!(link.state, State::Probing { rival, .. } if rival == id))
            .map(|link| (link.id, link.node))
            .collect();
        for (clone, node) in clones {
            let words = "another process with this key is connected; stop one of them";
            self.hang_up(clone, CloseCode::CLONE, words.into());
            self.notify(Notice::Alarm(Alarm::Clone { node }));
        }
    }

    // ------------------------------------------------------------- settling

    fn ack(&mut self, now: Moment, id: LinkId, ack: Ack) -> Result<(), ShelfError> {
        let Some(link) = self.links.get_mut(&id) else { return Ok(()) };
        if !link.outbox.acknowledged(ack.number) {
            let words = format!("batch {} was never sent", ack.number);
            self.hang_up(id, CloseCode::MALFORMED_FRAME, words);
            return Ok(());
        }
        self.tend(now, id)
    }

    fn want(&mut self, now: Moment, id: LinkId, want: &Want) -> Result<(), ShelfError> {
        let Some(link) = self.links.get_mut(&id) else { return Ok(()) };
        let sets = Sets::new(&self.ledger, link.office);
        let missing = sets.wanted(want)?;
        link.outbox.add(missing);
        self.tend(now, id)
    }

    fn compare(&mut self, now: Moment, id: LinkId, compare: &Compare) -> Result<(), ShelfError> {
        let Some(link) = self.links.get_mut(&id) else { return Ok(()) };
        link.peer_changes = whole_count(compare).or(link.peer_changes);
        let sets = Sets::new(&self.ledger, link.office);
        let answer = sets.answer(compare)?;
        answer.sends.into_iter().for_each(|missing| link.outbox.add(missing));
        let opens = link.opens_comparisons();
        let is_done = answer.reply.as_ref().is_none_or(|reply| reply.claims.is_empty());
        if opens && is_done {
            if let Comparison::Open { roots, .. } = link.comparison {
                link.compared = Some(roots);
                link.comparison = Comparison::Closed;
            }
            link.told = None;
        } else if let Comparison::Open { since, .. } = &mut link.comparison {
            *since = now;
        }
        for want in answer.wants {
            self.send(id, Frame::Want(want));
        }
        // The end that did not open says when nothing is left; the one that opened knows it then.
        let is_last_word = (opens && is_done) || compare.claims.is_empty();
        if let Some(reply) = answer.reply.filter(|_| !is_last_word) {
            self.send(id, Frame::Compare(reply));
        }
        self.tend(now, id)
    }

    fn standing(&mut self, now: Moment, id: LinkId, standing: Standing) -> Result<(), ShelfError> {
        let Some(link) = self.links.get_mut(&id) else { return Ok(()) };
        link.hear(standing);
        let (office, is_quiet) = (link.office, link.is_quiet());
        let mut memory: PeerMemory = self.ledger.peer(office)?.unwrap_or_default();
        memory.held_total = standing.held_total;
        memory.last_contact = now;
        self.ledger.set_peer(office, &memory)?;
        let ours = self.ledger.root(office)?;
        if standing.root == ours {
            return self.settled(now, id);
        }
        let Some(link) = self.links.get_mut(&id) else { return Ok(()) };
        link.settled = false;
        if !is_quiet {
            // Whatever is under way may make both equal: say so when it is done.
            link.told = None;
            return self.tend(now, id);
        }
        if link.opens_comparisons() { self.open_comparison(now, id) } else { self.tell(id) }
    }

    fn open_comparison(&mut self, now: Moment, id: LinkId) -> Result<(), ShelfError> {
        let Some(link) = self.links.get_mut(&id) else { return Ok(()) };
        let Some(heard) = link.heard else { return Ok(()) };
        let (office, theirs) = (link.office, heard.root);
        let roots = Roots { ours: self.ledger.root(office)?, theirs };
        let is_repeated = link.compared == Some(roots);
        match link.comparison {
            Comparison::Open { since, .. } if now.since(since) < COMPARISON_WAIT => return Ok(()),
            Comparison::Paused { .. } if is_repeated => return Ok(()),
            Comparison::Open { .. } | Comparison::Paused { .. } | Comparison::Closed => {}
        }
        link.unequal = if is_repeated { link.unequal.saturating_add(1) } else { 0 };
        if link.unequal < UNEQUAL_ALARM {
            return self.begin_comparison(now, id, roots);
        }
        link.comparison = Comparison::Paused { since: now };
        if !std::mem::replace(&mut link.alarmed, true) {
            self.notify(Notice::Alarm(Alarm::Unequal { office }));
        }
        Ok(())
    }

    fn begin_comparison(
        &mut self,
        now: Moment,
        id: LinkId,
        roots: Roots,
    ) -> Result<(), ShelfError> {
        let Some(link) = self.links.get_mut(&id) else { return Ok(()) };
        link.comparison = Comparison::Open { roots, since: now };
        let opening = Sets::new(&self.ledger, link.office).opening()?;
        self.send(id, Frame::Compare(opening));
        Ok(())
    }

    /// Compares once more when the last comparison had no answer, or came to nothing, for the
    /// wait: the peer may have been mended since.
    fn compare_again(&mut self, now: Moment, id: LinkId) -> Result<(), ShelfError> {
        let Some(link) = self.links.get_mut(&id) else { return Ok(()) };
        let (Some(since), Some(heard)) = (link.comparison.since(), link.heard) else {
            return Ok(());
        };
        if now.since(since) < COMPARISON_WAIT {
            return Ok(());
        }
        if !link.is_quiet() {
            link.comparison.postpone(now);
            return Ok(());
        }
        let roots = Roots { ours: self.ledger.root(link.office)?, theirs: heard.root };
        self.begin_comparison(now, id, roots)
    }

    fn settled(&mut self, now: Moment, id: LinkId) -> Result<(), ShelfError> {
        let Some(link) = self.links.get_mut(&id) else { return Ok(()) };
        let (office, node, was) = (link.office, link.node, link.settled);
        link.settled = true;
        link.own_since_settled = 0;
        link.compared = None;
        link.unequal = 0;
        link.alarmed = false;
        link.comparison = Comparison::Closed;
        let root = self.ledger.root(office)?;
        if self.links.get(&id).is_some_and(|link| link.told != Some(root)) {
            self.tell(id)?;
        }
        if was {
            return Ok(());
        }
        let mut memory: PeerMemory = self.ledger.peer(office)?.unwrap_or_default();
        memory.settled_at = Some(now);
        memory.held_total = self.ledger.authored(self.node)?.max(memory.held_total);
        self.ledger.set_peer(office, &memory)?;
        let message = Proof::message(self.me.federation, node, &root, now);
        let signature = self.me.key.sign(&message);
        self.send(id, Frame::Proof(Proof { root, at: now, signature }));
        self.notify(Notice::Settled { office, changes: root.count });
        Ok(())
    }

    fn proof(&mut self, id: LinkId, proof: Proof) -> Result<(), ShelfError> {
        let Some(link) = self.links.get(&id) else { return Ok(()) };
        let (node, office) = (link.node, link.office);
        let message = Proof::message(self.me.federation, self.node, &proof.root, proof.at);
        if verify(node, &message, &proof.signature).is_err() {
            let words = "the proof is not signed by this node".into();
            self.hang_up(id, CloseCode::MALFORMED_FRAME, words);
            return Ok(());
        }
        let mut memory: PeerMemory = self.ledger.peer(office)?.unwrap_or_default();
        memory.proof = Some((node, proof));
        self.ledger.set_peer(office, &memory)
    }

    /// Tells the peer what this end holds.
    fn tell(&mut self, id: LinkId) -> Result<(), ShelfError> {
        let Some(link) = self.links.get_mut(&id) else { return Ok(()) };
        let Some(incarnation) = link.incarnation() else { return Ok(()) };
        let (office, node) = (link.office, link.node);
        let root = self.ledger.root(office)?;
        link.told = Some(root);
        let standing = Standing {
            root,
            registry: self.registry_tally()?,
            written: Written { incarnation: self.me.incarnation, seq: self.next_seq - 1 },
            authored: self.ledger.authored(self.node)?,
            held: self.ledger.held(node, incarnation)?,
            held_total: self.ledger.authored(node)?,
        };
        self.send(id, Frame::Standing(standing));
        Ok(())
    }

    // ------------------------------------------------------------- tending

    pub(crate) fn tend_all(&mut self, now: Moment) -> Result<(), ShelfError> {
        let open: Vec<LinkId> =
            self.links.values().filter(|link| link.is_open()).map(|link| link.id).collect();
        open.into_iter().try_for_each(|id| self.tend(now, id))
    }

    /// Sends what may go, and says how this end stands when nothing is left to send.
    pub(crate) fn tend(&mut self, now: Moment, id: LinkId) -> Result<(), ShelfError> {
        let Some(link) = self.links.get_mut(&id).filter(|link| link.is_open()) else {
            return Ok(());
        };
        let office = link.office;
        while let Some(batch) = link.outbox.next_batch(&self.ledger, office)? {
            self.effects.push_back(Effect::Send { link: id, frame: Frame::Batch(batch) });
        }
        if !link.is_quiet() {
            return Ok(());
        }
        if link.outbox.take_behind() {
            link.told = None;
        }
        let (told, spoke) = (link.told, link.dialed || link.heard.is_some());
        let (settled, heard) = (link.settled, link.heard.map(|heard| heard.root));
        let root = self.ledger.root(office)?;
        if spoke && told != Some(root) {
            self.tell(id)?;
        }
        if !settled && heard == Some(root) {
            // The peer said so when this end, which caught up by another link, was not as far;
            // it has no reason to say it again.
            return self.settled(now, id);
        }
        Ok(())
    }

    pub(crate) fn tend_links(&mut self, now: Moment) -> Result<(), ShelfError> {
        let ids: Vec<LinkId> = self.links.keys().copied().collect();
        for id in ids {
            let Some(link) = self.links.get(&id) else { continue };
            match link.state {
                State::Probing { incarnation, rival, until } if until <= now => {
                    let words = "a newer process with the same key replaces this link";
                    self.hang_up(rival, CloseCode::REPLACED, words.into());
                    self.opened(now, id, incarnation)?;
                    self.tell(id)?;
                    // What the peer said of itself during the probe may be what this end holds.
                    self.tend(now, id)?;
                }
                State::Open { .. } => {
                    if link.next_ping <= now {
                        self.ping(now, id);
                    }
                    self.compare_again(now, id)?;
                }
                State::Greeting | State::Probing { .. } => {}
            }
        }
        Ok(())
    }

    pub(crate) fn next_link_wake(&self) -> Option<Moment> {
        let wakes = self.links.values().filter_map(|link| match link.state {
            State::Greeting => None,
            State::Probing { until, .. } => Some(until),
            State::Open { .. } => {
                let again = link.comparison.since().map(|since| since.after(COMPARISON_WAIT));
                Some(again.map_or(link.next_ping, |at| at.min(link.next_ping)))
            }
        });
        wakes.min()
    }

    // ------------------------------------------------------------- closing

    /// Closes a link, if it is there.
    pub fn hang_up(&mut self, id: LinkId, code: CloseCode, words: String) {
        let Some(link) = self.links.remove(&id) else { return };
        if link.is_open() {
            self.notify(Notice::Disconnected { office: link.office, node: link.node });
        }
        let stays = self.links.values().any(|other| other.node == link.node);
        if link.dialed && !stays {
            let since = link.last_contact;
            self.dial_lost(link.node, since);
        }
        self.effects.push_back(Effect::HangUp { link: id, code, words });
    }

    pub(crate) fn send(&mut self, link: LinkId, frame: Frame) {
        self.effects.push_back(Effect::Send { link, frame });
    }
}

#[cfg(test)]
#[path = "conversation_tests.rs"]
mod tests;
