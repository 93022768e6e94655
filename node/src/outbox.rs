//! What this node has to tell applicants, asked of the view and of the dossiers beside the mind.

use lienthong_dossier::{Dossier, Sender};
use lienthong_protocol::{DocumentId, NodeId, OfficeId};
use lienthong_request::{Failure, SCHEMA};
use lienthong_views::Cursor;
use serde_json::{Value, json};

use crate::list::Door;
use crate::mind::Mind;

/// How many dossiers the mind opens before it sees to everything else again.
pub(crate) const PAGE: usize = 16;
/// How many messages one answer holds at least, if there are as many.
const MAX_MESSAGES: usize = 1_000;

/// What waits to be sent about some dossiers.
#[derive(Default)]
pub(crate) struct Waiting {
    /// What this node has to send now.
    messages: Vec<Value>,
    /// How many messages another office or node has to send.
    elsewhere: usize,
    is_cut: bool,
}

impl Waiting {
    /// Adds what waits about more dossiers; `true` when the answer is full.
    pub(crate) fn add(&mut self, more: Waiting) -> bool {
        self.messages.extend(more.messages);
        self.elsewhere += more.elsewhere;
        self.is_cut = self.messages.len() >= MAX_MESSAGES;
        self.is_cut
    }

    /// The answer, with how many dossiers the view does not hold yet.
    pub(crate) fn answer(self, door: &Door) -> Value {
        let (behind, _) = door.figures();
        json!({
            "schema": SCHEMA,
            "messages": self.messages,
            "elsewhere": self.elsewhere,
            "more": self.is_cut,
            "behind": behind,
        })
    }
}

impl Mind {
    /// What this node has to tell applicants, to its end.
    pub(crate) fn outbox(&mut self) -> Result<Value, Failure> {
        let (mut waiting, mut after) = (Waiting::default(), None);
        loop {
            let (more, next) = self.waiting_page(after)?;
            let is_full = waiting.add(more);
            match next.filter(|_| !is_full) {
                Some(cursor) => after = Some(cursor),
                None => return Ok(waiting.answer(&self.viewer.door)),
            }
        }
    }

    /// What waits about the next dossiers behind a cursor, and the cursor of the page after it.
    pub(crate) fn waiting_page(
        &mut self,
        after: Option<Cursor>,
    ) -> Result<(Waiting, Option<Cursor>), Failure> {
        let office = self.replica.identity().office;
        let page = self.viewer.door.read(|reader| reader.queued(office, after, PAGE))?;
        let next = page.last().map(|(_, cursor)| *cursor).filter(|_| page.len() == PAGE);
        let ids: Vec<DocumentId> = page.into_iter().map(|(id, _)| id).collect();
        Ok((self.waiting_about(&ids)?, next))
    }

    /// What waits to be sent about some dossiers, and which of it this node has to send.
    fn waiting_about(&mut self, ids: &[DocumentId]) -> Result<Waiting, Failure> {
        let mut waiting = Waiting::default();
        for id in ids {
            let Some(document) = self.open_document(*id)? else { continue };
            // What cannot be read is shown where dossiers are reviewed.
            let Ok(known) = Dossier::read(*id, &document) else { continue };
            waiting.add(self.waiting_of(&known));
        }
        Ok(waiting)
    }

    fn waiting_of(&self, known: &Dossier) -> Waiting {
        let (me, office) = (self.replica.identity().key.id(), self.replica.identity().office);
        let nodes = self.admitted_of(office);
        let sender = Sender { office, node: me, nodes: &nodes };
        let is_open = |office| !self.admitted_of(office).is_empty();
        let outgoing = known.outbox(&sender, is_open, self.now());
        let told = |event: &str| known.acts.iter().find(|act| act.id == event);
        let messages = outgoing.iter().map(|message| {
            json!({
                "key": message.key,
                "code": known.code.to_string(),
                "id": known.id.to_string(),
                "event": told(&message.event).map(|act| &act.kind),
                "channel": message.channel,
                "to": known.masked_address(message.channel),
                "queued": message.queued,
                "queued_at_ms": message.queued_at.0,
            })
        });
        let messages: Vec<Value> = messages.collect();
        let elsewhere = known.waiting().count().saturating_sub(messages.len());
        Waiting { messages, elsewhere, is_cut: false }
    }

    /// The nodes of an office that may have links.
    fn admitted_of(&self, office: OfficeId) -> Vec<NodeId> {
        let nodes = self.replica.registry().nodes_of(office);
        nodes.filter(|node| node.revoked.is_none()).map(|node| node.id).collect()
    }
}
