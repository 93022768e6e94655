//! Who tells the applicant, so that it happens once although several nodes could.

use lienthong_protocol::{NodeId, OfficeId};

use crate::dossier::Dossier;
use crate::records::{Notification, NotificationState};

impl Dossier {
    /// What keeps a notification from being sent twice by a gateway: document, event and way.
    pub fn idempotency_key(&self, notification: &Notification) -> String {
        format!("{}:{}", self.id, notification.key)
    }

    /// What waits to be sent by an office. `is_open` as in [`elected_sender`].
    pub fn to_be_sent<'a>(
        &'a self,
        office: OfficeId,
        is_open: impl Fn(OfficeId) -> bool + 'a,
    ) -> impl Iterator<Item = &'a Notification> {
        let waits = |known: &&Notification| known.state == NotificationState::Queued;
        let queued = self.records.notifications.iter().filter(waits);
        queued.filter(move |known| elected_sender(self, known, &is_open) == office)
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

/// The node of the elected office that sends: the one with the lowest id of those that the
/// registry lists as admitted. None if there is none.
pub fn elected_node(nodes: impl IntoIterator<Item = NodeId>) -> Option<NodeId> {
    nodes.into_iter().min()
}
