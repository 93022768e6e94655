//! Who tells the applicant, so that it happens once although several nodes could.

use lienthong_protocol::{Moment, NodeId, OfficeId};

use crate::act::Effect;
use crate::detail::NoticeChannel;
use crate::dossier::Dossier;
use crate::json::{MASK, last_three};
use crate::records::{Notification, NotificationState};

/// Who asks what it has to send.
#[derive(Clone, Copy, Debug)]
pub struct Sender<'a> {
    /// The office of the node.
    pub office: OfficeId,
    /// The node.
    pub node: NodeId,
    /// The nodes of the office that the registry lists as admitted, in any order; a node that is
    /// not among them sends nothing.
    pub nodes: &'a [NodeId],
}

/// What a node has to send to the applicant now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// What keeps a gateway from sending it twice, the same whichever node asks for it.
    pub key: String,
    /// The act that [`crate::ActKind::NotificationSent`] or
    /// [`crate::ActKind::NotificationFailed`] has to regard.
    pub queued: String,
    /// The act that the applicant is told of.
    pub event: String,
    /// The way; [`Dossier::address`] says where to.
    pub channel: NoticeChannel,
    /// When it was queued, or queued again after it had failed.
    pub queued_at: Moment,
}

impl Dossier {
    /// What keeps a notification from being sent twice by a gateway: document, event and way.
    pub fn idempotency_key(&self, notification: &Notification) -> String {
        format!("{}:{}", self.id, notification.key)
    }

    /// What a node has to send at a moment, to be asked after every settle. `is_open` as in
    /// [`elected_sender`].
    ///
    /// The node with the lowest id sends at once. Each after it takes over when nothing was heard
    /// of the message for [`TAKEOVER_MS`] more, so that a node that is down keeps nobody from being
    /// told; a node that is revoked is out of the list. A message about an act that does not count,
    /// or is in conflict, waits.
    pub fn outbox(
        &self,
        sender: &Sender<'_>,
        is_open: impl Fn(OfficeId) -> bool,
        now: Moment,
    ) -> Vec<Outgoing> {
        if !sender.nodes.contains(&sender.node) {
            return Vec::new();
        }
        let before = sender.nodes.iter().filter(|node| **node < sender.node);
        let rank = before.collect::<std::collections::BTreeSet<_>>().len() as u64;
        let waiting = self.to_be_sent(sender.office, is_open);
        let told = waiting.filter(|known| self.holds(&known.event));
        let outgoing = told.map(|known| self.outgoing(known));
        let is_mine = |sent: &Outgoing| {
            rank == 0 || now.0.saturating_sub(sent.queued_at.0) >= rank.saturating_mul(TAKEOVER_MS)
        };
        outgoing.filter(is_mine).collect()
    }

    /// Where a message goes by a way, if the applicant gave that address.
    pub fn address(&self, channel: NoticeChannel) -> Option<&str> {
        let applicant = &self.reception.applicant;
        match channel {
            NoticeChannel::Email => applicant.email.as_deref(),
            NoticeChannel::Sms | NoticeChannel::Zalo => applicant.phone.as_deref(),
        }
    }

    /// The same as lists show it.
    pub fn masked_address(&self, channel: NoticeChannel) -> Option<String> {
        self.address(channel).map(|address| match channel {
            NoticeChannel::Email => MASK.to_owned(),
            NoticeChannel::Sms | NoticeChannel::Zalo => last_three(address),
        })
    }

    /// What waits to be sent, whoever sends it.
    pub fn waiting(&self) -> impl Iterator<Item = &Notification> {
        let waits = |known: &&Notification| known.state == NotificationState::Queued;
        self.records.notifications.iter().filter(waits)
    }

    fn holds(&self, id: &str) -> bool {
        let holds = |effect| matches!(effect, Effect::Effective);
        self.acts.iter().any(|act| act.id == id && act.counts && holds(act.effect))
    }

    fn outgoing(&self, known: &Notification) -> Outgoing {
        let queued = known.queued.last().cloned().unwrap_or_default();
        let again = self.acts.iter().find(|act| act.id == queued);
        Outgoing {
            key: self.idempotency_key(known),
            event: known.event.clone(),
            channel: known.channel,
            queued_at: again.map_or(known.queued_at, |act| act.at),
            queued,
        }
    }

    /// What waits to be sent by an office. `is_open` as in [`elected_sender`].
    pub fn to_be_sent<'a>(
        &'a self,
        office: OfficeId,
        is_open: impl Fn(OfficeId) -> bool + 'a,
    ) -> impl Iterator<Item = &'a Notification> {
        self.waiting().filter(move |known| elected_sender(self, known, &is_open) == office)
    }
}

/// The office that sends a notification: the same on every node that holds the same dossier and
/// the same registry.
///
/// It is the office that the applicant comes to for the result (returning, else receiving); if the
/// registry does not know it or it is closed, the one that received the dossier, then the one that
/// decides, then the one that holds it, then the others that take part by id. `is_open` says
/// whether an office is known, open and has a node. If none is, the office that queued it stays
/// elected, so that somebody is.
pub fn elected_sender(
    dossier: &Dossier,
    notification: &Notification,
    is_open: impl Fn(OfficeId) -> bool,
) -> OfficeId {
    let offices = &dossier.reception.offices;
    let named = [
        offices.returning.unwrap_or(offices.receiving),
        offices.receiving,
        offices.deciding(),
        dossier.standing.holder,
    ];
    let mut candidates = named.into_iter().chain(dossier.coordinating());
    candidates.find(|office| is_open(*office)).unwrap_or(notification.queued_by)
}

/// How long each further node of an office waits before it takes over: 30 minutes.
pub const TAKEOVER_MS: u64 = 30 * 60_000;

#[cfg(test)]
#[path = "notification_tests.rs"]
mod tests;
