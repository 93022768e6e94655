//! Answers about this node, and about the offices below it one by one.

use std::collections::BTreeMap;

use lienthong_federation::{Need, SerialPart};
use lienthong_health::Health;
use lienthong_protocol::{Change, NodeId, OfficeId};
use lienthong_replica::{LinkStatus, MAX_SKEW_MS, Shelf};
use lienthong_request::{Failure, Request, SCHEMA};
use serde_json::{Value, json};

use crate::asker::stopped;
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
            Request::Propose(asked) => self.propose(&asked),
            Request::Decide(asked) => self.decide(&asked),
            Request::Proposals(filter) => self.proposals(&filter),
            Request::Nodes => Ok(self.nodes()),
            Request::Offices => Ok(self.offices()),
            Request::Board => Ok(self.sketch()?.finished(&self.viewer.door)),
            Request::BoardOffice { office } => self.board_office(office),
            Request::Rollout => self.rollout(),
            Request::Tick { office, need, done, officer } => {
                self.tick(office, &need, done, &officer)
            }
            Request::Invitations => Ok(self.invitations()),
            Request::Withdraw { invitation } => self.withdraw(&invitation),
            Request::Refuse { node } => self.refuse(node),
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
            Request::Outbox => self.outbox(),
            // The log of looks is read beside the mind, by whoever asks for it.
            Request::Looks(_) => Err(stopped()),
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

    /// One office of the board.
    fn board_office(&mut self, office: OfficeId) -> Result<Value, Failure> {
        if !self.board_offices().iter().any(|known| known.id == office) {
            return Err(not_below(office));
        }
        let status = self.replica.status().map_err(store_failed)?;
        let links = status.links.iter().filter(|link| link.office == office);
        let links = links.map(|link| self.link_json(link)).collect::<Vec<_>>();
        let contact = self.watch.board.contact(office);
        let turns = contact.into_iter().flat_map(|contact| contact.turns().rev());
        let nodes = self.replica.registry().nodes_of(office).map(|node| {
            let held = self.watch.board.of(node.id);
            json!({
                "node": node.id.to_string(),
                "addresses": node.addresses,
                "since_ms": node.since.0,
                "revoked": node.revoked.is_some(),
                "heard_ms": held.map(|held| held.heard.0),
                "skew_ms": held.and_then(|held| held.skew_ms),
            })
        });
        Ok(json!({
            "office": office,
            "links": links,
            "contact": turns
                .map(|turn| json!({ "at_ms": turn.at.0, "up": turn.is_up }))
                .collect::<Vec<_>>(),
            "nodes": nodes.collect::<Vec<_>>(),
            "quarantine": self.quarantine_of(office)?,
        }))
    }

    /// What nodes of an office wrote that is in quarantine here.
    fn quarantine_of(&self, office: OfficeId) -> Result<Vec<Value>, Failure> {
        let mut found = Vec::new();
        for (document, why, place) in
            self.replica.quarantine(MAX_LOOKED_AT).map_err(store_failed)?
        {
            let record = self.replica.shelf().record(place).map_err(store_failed)?;
            let change = record.and_then(|bytes| Change::trusted(bytes).ok());
            if change.is_some_and(|change| change.header().office == office) {
                let reason = crate::health::reason(why).name();
                found.push(json!({ "document": document.to_string(), "reason": reason }));
            }
            if found.len() >= MAX_SHOWN {
                break;
            }
        }
        Ok(found)
    }

    /// The waves of the registry, and what each office has of what it needs.
    fn rollout(&mut self) -> Result<Value, Failure> {
        let published = self.published()?;
        let status = self.replica.status().map_err(store_failed)?;
        let invited = self.invited();
        let mut waves: BTreeMap<u16, Vec<Value>> = BTreeMap::new();
        for office in self.board_offices() {
            let Some(wave) = office.wave else { continue };
            let nodes: Vec<NodeId> = self.live_nodes(office.id).map(|node| node.id).collect();
            let joined = self.live_nodes(office.id).map(|node| node.since).min();
            let held = nodes.iter().filter_map(|node| self.watch.board.of(*node));
            let held = held.max_by_key(|held| held.heard);
            let health = held.and_then(|held| Health::from_body(&held.report.body).ok());
            let link = status.links.iter().find(|link| link.office == office.id);
            let below = self.replica.registry().children(office.id);
            let below: Vec<bool> =
                below.map(|child| self.live_nodes(child).next().is_some()).collect();
            let has_settled = link.is_some_and(|link| link.settled_at.is_some())
                || health.as_ref().is_some_and(|health| health.has_settled());
            let space = health.as_ref().and_then(|health| health.disk);
            let program = &self.replica.identity().agent;
            let skew_ms = link.and_then(|link| link.skew_ms);
            let skew_ms = skew_ms.or(held.and_then(|held| held.skew_ms));
            waves.entry(wave).or_default().push(json!({
                "office": office.id,
                "name": office.name,
                "joined_ms": joined.map(|at| at.0),
                "list": self.readiness(office.id),
                "below": below.len(),
                "below_joined": below.iter().filter(|joined| **joined).count(),
                "ready": {
                    "invited": joined.is_some() || invited.contains(&office.id),
                    "joined": joined.is_some(),
                    "settled": has_settled,
                    "staff": published.staff(office.id).is_some(),
                    "program": health.as_ref().is_some_and(|health| health.program == *program),
                    "clock": skew_ms.is_some_and(|skew| skew.abs() <= MAX_SKEW_MS),
                    "disk": space.is_some_and(|disk| disk.free_bytes >= disk.total_bytes / 10),
                },
            }));
        }
        let waves =
            waves.into_iter().map(|(year, offices)| json!({ "wave": year, "offices": offices }));
        let may_tick = self.hub.is_some();
        Ok(json!({ "waves": waves.collect::<Vec<_>>(), "may_tick": may_tick }))
    }

    /// The readiness list of an office: what people at the root have said of it.
    fn readiness(&self, office: OfficeId) -> Vec<Value> {
        let line = |need: Need| {
            let tick = self.replica.registry().tick(office, need);
            json!({
                "need": need.word(),
                "done": tick.is_some_and(|tick| tick.is_done),
                "who": tick.map(|tick| &tick.who),
                "at_ms": tick.map(|tick| tick.at.0),
            })
        };
        Need::ALL.map(line).to_vec()
    }

    /// How a link stands, and the proof of the last time that it settled.
    fn link_json(&self, link: &LinkStatus) -> Value {
        let traffic = self.traffic(link.node).unwrap_or_default();
        let proof = link.proof.as_ref();
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
            "proven": link.proof.is_some(),
            "proven_root": proof.map(|proof| proof.root.hex()),
            "proven_changes": proof.map(|proof| proof.root.count),
            "proven_ms": proof.map(|proof| proof.at.0),
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

fn not_below(office: OfficeId) -> Failure {
    Failure::refused(
        "not-found",
        "không có gì để xem / there is nothing to show",
        format!("{office} không ở đây hay bên dưới / {office} is neither here nor below"),
        "chọn một cơ quan trên bảng / choose an office of the board",
    )
}

/// How many documents with changes in quarantine are looked at, and how many changes are shown.
const MAX_LOOKED_AT: usize = 1_000;
const MAX_SHOWN: usize = 100;
