//! Answers about the node itself.

use lienthong_federation::SerialPart;
use lienthong_protocol::OfficeId;
use lienthong_replica::LinkStatus;
use lienthong_request::{Failure, Request, SCHEMA};
use serde_json::{Value, json};

use crate::list::list;
use crate::mind::{Mind, store_failed};

impl Mind {
    /// Answers one request, with the version of the answer's shape in it.
    pub(crate) fn answer(&mut self, request: Request) -> Result<Value, Failure> {
        let mut answer = self.bare_answer(request)?;
        if let Some(fields) = answer.as_object_mut() {
            fields.insert("schema".into(), SCHEMA.into());
        }
        Ok(answer)
    }

    fn bare_answer(&mut self, request: Request) -> Result<Value, Failure> {
        match request {
            Request::Status => self.status(),
            Request::Peers => Ok(json!({ "links": self.status()?["links"] })),
            Request::Ping { office } => self.ping(office),
            Request::Invite { office, valid_hours } => self.invite(office, valid_hours),
            Request::Approve { node } => self.approve(node),
            Request::Revoke { node, reason } => self.revoke(node, reason.as_deref()),
            Request::Publish { what, file, text, from } => {
                self.publish(what, (&file, &text), from.as_deref())
            }
            Request::Procedures { text, day } => self.procedures(text.as_deref(), day.as_deref()),
            Request::Procedure { code, day } => self.procedure(&code, day.as_deref()),
            Request::CalendarYear { year } => self.calendar_year(year),
            Request::Staff { office } => self.staff(office),
            Request::Nodes => Ok(self.nodes()),
            Request::Offices => Ok(self.offices()),
            Request::Receive { reception, officer, registered } => {
                self.receive(&reception, &officer, registered)
            }
            Request::Due { reception } => self.due(*reception),
            Request::Offered { dossier, officer } => self.offered(&dossier, &officer),
            Request::Act { dossier, act } => self.act(&dossier, *act),
            Request::Show { dossier } => self.show(&dossier),
            Request::Review { dossier } => self.review(&dossier),
            Request::List(filter) => {
                let outlook = self.outlook()?;
                list(&self.viewer.door, &filter, outlook)
            }
            Request::RebuildViews => self.rebuild_views(),
            Request::History { dossier } => self.history(&dossier),
            Request::Print { dossier } => self.print(&dossier),
            Request::PrintRegister { limit } => self.print_register(limit),
            Request::Export { below } => self.export(below.as_deref()),
        }
    }

    fn status(&mut self) -> Result<Value, Failure> {
        let status = self.replica.status().map_err(store_failed)?;
        let mut alarms = self.troubles.alarms();
        alarms.extend(self.restored_alarm());
        let me = self.replica.identity();
        let (behind, viewed) = self.viewer.door.figures();
        // A node that was revoked has no link to stand anywhere on.
        let links = status.links.iter().filter(|link| self.replica.admits(link.node));
        Ok(json!({
            "office": me.office.to_string(),
            "node": me.key.id().to_string(),
            "incarnation": me.incarnation.to_string(),
            "documents": status.totals.documents,
            "changes": status.totals.changes,
            "waiting": status.totals.waiting,
            "quarantined": status.totals.quarantined,
            "written": status.written.seq,
            "root": status.root.hex(),
            "alarms": alarms,
            "views": { "behind": behind, "documents": viewed },
            "links": links.map(|link| self.link_json(link)).collect::<Vec<_>>(),
        }))
    }

    fn ping(&mut self, office: OfficeId) -> Result<Value, Failure> {
        let status = self.replica.status().map_err(store_failed)?;
        let link = status.links.iter().find(|link| link.office == office);
        match link.filter(|link| link.state == "connected") {
            Some(link) => Ok(self.link_json(link)),
            None => Err(Failure::unreachable(
                "no-link",
                format!("{office} does not answer"),
                "there is no link with it now",
                "see `lienthong peers` for when it was last heard",
            )),
        }
    }

    fn nodes(&self) -> Value {
        let nodes = self.replica.registry().nodes().map(|node| {
            json!({
                "node": node.id.to_string(),
                "office": node.office.to_string(),
                "addresses": node.addresses,
                "serials": self.replica.registry().serial_part(node.id).map(SerialPart::number),
                "revoked": node.revoked.is_some(),
                "revoked_because": node.revoked_because,
            })
        });
        json!({ "nodes": nodes.collect::<Vec<_>>(), "waiting": self.waiting() })
    }

    fn offices(&self) -> Value {
        let registry = self.replica.registry();
        let offices = registry.offices().map(|office| {
            json!({
                "id": office.id.to_string(),
                "name": office.name,
                "tier": office.tier,
                "parent": registry.parent(office.id).map(|parent| parent.to_string()),
                "nodes": registry.nodes_of(office.id).count(),
            })
        });
        json!({ "offices": offices.collect::<Vec<_>>() })
    }

    fn link_json(&self, link: &LinkStatus) -> Value {
        let traffic = self.traffic(link.node).unwrap_or_default();
        json!({
            "office": link.office.to_string(),
            "node": link.node.to_string(),
            "state": link.state,
            "settled": link.settled,
            "root": link.root.hex(),
            "shared_changes": link.root.count,
            "peer_changes": link.peer_changes,
            "unsent": link.unsent,
            "last_contact_ms": link.last_contact.map(|at| at.0),
            "settled_at_ms": link.settled_at.map(|at| at.0),
            "proven": link.proven,
            "last_close": self.troubles.last_close(link.node),
            "rtt_ms": link.rtt_ms,
            "skew_ms": link.skew_ms,
            "bytes_sent": traffic.bytes_sent,
            "bytes_received": traffic.bytes_received,
            "frames_sent": traffic.frames_sent,
            "frames_received": traffic.frames_received,
            "udp_bytes_sent": traffic.udp_bytes_sent,
            "udp_bytes_received": traffic.udp_bytes_received,
        })
    }
}
