//! The root office's part: join codes, knocks, and the registry that follows from them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use bytes::Bytes;
use lienthong_document::{Document, EditError, Editor};
use lienthong_federation::{
    Need, NewNode, Tick, add_node, explain_revocation, revoke, set_addresses, set_serials, tick,
};
use lienthong_folder::Approval;
use lienthong_folder::{Invitations, Standing, Visit};
use lienthong_protocol::limits::{AIM_BATCH_BYTES, MAX_TEXT_BYTES};
use lienthong_protocol::{Invitation, JoinSecret, Kind, Knock, NodeId, OfficeId, Reply};
use lienthong_replica::Replica;
use lienthong_request::Failure;
use lienthong_transport::Answer;
use serde_json::{Value, json};
use unicode_normalization::UnicodeNormalization;

use crate::mind::{Mind, store_failed};
use crate::shelf::StoreShelf;
use crate::shelf::may_pass;

/// The longest time that a join code may be good, in hours: 30 days.
const MAX_VALID_HOURS: u32 = 720;

/// What only a node of the root office has.
pub(crate) struct Hub {
    pub(crate) invitations: Invitations,
    pub(crate) approval: Approval,
    /// Where new nodes find this one, as `host:port`.
    pub(crate) addresses: Vec<String>,
    /// Addresses that nodes have said while the disk was full, for the registry.
    pub(crate) unsaved: BTreeMap<NodeId, Vec<String>>,
}

impl Mind {
    pub(crate) fn invite(&mut self, office: OfficeId, valid_hours: u32) -> Result<Value, Failure> {
        if self.replica.registry().office(office).is_none() {
            return Err(unknown_office(office, NO_CODE));
        }
        if !(1..=MAX_VALID_HOURS).contains(&valid_hours) {
            return Err(Failure::usage(
                "valid-hours",
                NO_CODE,
                format!(
                    "{valid_hours} giờ, giới hạn từ 1 đến {MAX_VALID_HOURS} / \
                     {valid_hours} hours, the limit is 1 to {MAX_VALID_HOURS}"
                ),
                "chọn số trong giới hạn / choose a number within the limit",
            ));
        }
        let (federation, node) =
            (self.replica.identity().federation, self.replica.identity().key.id());
        let at = self.now();
        let hub = self.hub.as_mut().ok_or_else(not_the_hub)?;
        let secret = JoinSecret(random_bytes()?);
        let expires = at.after(Duration::from_secs(u64::from(valid_hours) * 3600));
        let (secret_hash, addresses) = (secret.hash(), hub.addresses.clone());
        let code =
            Invitation { federation, hub: node, office, addresses, secret, expires }.to_code();
        let code = code.map_err(|error| {
            let (code, remedy) = (error.code(), error.remedy());
            Failure::refused(code, NO_CODE, error.to_string(), remedy)
        })?;
        hub.invitations.issue(office, &secret_hash, expires, at)?;
        tracing::info!(%office, valid_hours, "join-code-made");
        Ok(json!({ "office": office.to_string(), "code": code, "expires_ms": expires.0 }))
    }

    pub(crate) fn approve(&mut self, node: NodeId) -> Result<Value, Failure> {
        let hub = self.hub.as_mut().ok_or_else(not_the_hub)?;
        let office = hub.invitations.approve(node)?;
        Ok(json!({ "node": node.to_string(), "office": office.to_string() }))
    }

    /// Revokes a node for ever. What this hub holds of it stays and counts; whatever else bears
    /// its name, wherever it turns up, does not.
    pub(crate) fn revoke(&mut self, node: NodeId, reason: Option<&str>) -> Result<Value, Failure> {
        if self.hub.is_none() {
            return Err(not_the_hub());
        }
        let registry = self.replica.registry();
        let known = registry.node(node).ok_or_else(|| no_such_node(node))?;
        let office = known.office;
        if known.revoked.is_some() {
            return Err(is_revoked(node, NOT_REVOKED));
        }
        if node == self.replica.identity().key.id() {
            return Err(own_node(node));
        }
        if let Some(bytes) = reason.map(str::len).filter(|bytes| *bytes > MAX_TEXT_BYTES) {
            return Err(long_reason(bytes));
        }
        let last_seqs = self.replica.last_seqs(node).map_err(store_failed)?;
        self.edit_registry(|editor| {
            revoke(editor, node, &last_seqs)?;
            reason.map_or(Ok(()), |reason| explain_revocation(editor, node, reason))
        })?;
        tracing::warn!(%office, node = node.short(), "node-revoked");
        let kept: BTreeMap<String, u64> =
            last_seqs.iter().map(|(incarnation, seq)| (incarnation.to_string(), *seq)).collect();
        Ok(json!({
            "node": node.to_string(),
            "office": office.to_string(),
            "last_seqs": kept,
        }))
    }

    pub(crate) fn refuse(&mut self, node: NodeId) -> Result<Value, Failure> {
        let hub = self.hub.as_mut().ok_or_else(not_the_hub)?;
        let office = hub.invitations.refuse(node)?;
        tracing::info!(%office, node = node.short(), "node-refused");
        Ok(json!({ "node": node.to_string(), "office": office.to_string() }))
    }

    pub(crate) fn withdraw(&mut self, invitation: &str) -> Result<Value, Failure> {
        let hub = self.hub.as_mut().ok_or_else(not_the_hub)?;
        let office = hub.invitations.withdraw(invitation)?;
        tracing::info!(%office, invitation, "join-code-withdrawn");
        Ok(json!({ "invitation": invitation, "office": office.to_string() }))
    }

    /// The join codes that were given out; a node that is not the hub's gives none.
    pub(crate) fn invitations(&self) -> Value {
        let at = self.now();
        let issued = self.hub.iter().flat_map(|hub| hub.invitations.issued(at));
        json!({ "invitations": issued.collect::<Vec<_>>() })
    }

    /// Notes what an office has of the readiness list. What is said again by anybody changes
    /// nothing: the first who said it stands there.
    pub(crate) fn tick(
        &mut self,
        office: OfficeId,
        need: &str,
        is_done: bool,
        officer: &str,
    ) -> Result<Value, Failure> {
        if self.hub.is_none() {
            return Err(not_the_hub());
        }
        let need = Need::of(need).ok_or_else(|| unknown_need(need))?;
        if self.replica.registry().office(office).is_none_or(|known| known.closed.is_some()) {
            return Err(unknown_office(office, NOTHING_DONE));
        }
        let who: String = officer.trim().nfc().collect();
        if who.is_empty() || who.len() > MAX_TEXT_BYTES {
            return Err(bad_officer(who.len()));
        }
        let held = self.replica.registry().tick(office, need).cloned();
        let said = match held {
            Some(held) if held.is_done == is_done => held,
            None | Some(_) => {
                let said = Tick { is_done, who, at: self.now() };
                self.edit_registry(|editor| tick(editor, office, need, &said))?;
                tracing::info!(%office, need = need.word(), is_done, "readiness-ticked");
                said
            }
        };
        Ok(json!({
            "office": office.to_string(),
            "need": need.word(),
            "done": said.is_done,
            "who": said.who,
            "at_ms": said.at.0,
        }))
    }

    /// The offices that were given a join code.
    pub(crate) fn invited(&self) -> BTreeSet<OfficeId> {
        let at = self.now();
        let issued = self.hub.iter().flat_map(|hub| hub.invitations.issued(at));
        let issued = issued.filter(|issued| issued.standing != Standing::Withdrawn);
        issued.map(|issued| issued.office).collect()
    }

    pub(crate) fn waiting(&self) -> Value {
        let Some(hub) = &self.hub else { return json!([]) };
        serde_json::to_value(hub.invitations.pending()).unwrap_or_default()
    }

    /// Decides on a node that shows a join code.
    pub(crate) fn knock(&mut self, node: NodeId, knock: &Knock) -> Result<Answer, Failure> {
        match self.welcome(node, knock) {
            Ok(answer) => Ok(answer),
            Err(failure) => {
                tracing::warn!(node = node.short(), code = failure.code, "knock-refused");
                let reply = Reply::Refused {
                    code: failure.code,
                    cause: failure.why,
                    remedy: failure.remedy,
                };
                Ok(Answer { reply, batches: Vec::new() })
            }
        }
    }

    fn welcome(&mut self, node: NodeId, knock: &Knock) -> Result<Answer, Failure> {
        if knock.federation != self.replica.identity().federation {
            return Err(Failure::refused(
                "wrong-federation",
                NOT_LET_IN,
                "mã của liên thông khác / the code belongs to another federation",
                "xin mã của trung tâm này / ask this hub for a code",
            ));
        }
        if self.replica.registry().node(node).is_some_and(|known| known.revoked.is_some()) {
            return Err(is_revoked(node, NOT_LET_IN));
        }
        let at = self.now();
        let hub = self.hub.as_mut().ok_or_else(not_the_hub)?;
        let visit = Visit {
            secret_hash: knock.secret.hash(),
            office: knock.office,
            node,
            addresses: knock.addresses.clone(),
        };
        let mut standing = hub.invitations.knock(&visit, at)?;
        if matches!(standing, Standing::Knocked { .. }) && hub.approval == Approval::Automatic {
            hub.invitations.approve(node)?;
            standing = hub.invitations.check(&visit, at)?;
        }
        match standing {
            Standing::Open | Standing::Knocked { .. } => {
                return Ok(Answer { reply: Reply::Pending, batches: Vec::new() });
            }
            Standing::Approved { .. } => {
                // First the registry, then the mark: a crash in between lets the node knock again.
                self.enter_node(node, &visit)?;
                let hub = self.hub.as_mut().ok_or_else(not_the_hub)?;
                hub.invitations.admit(&visit, at)?;
                tracing::info!(office = %knock.office, node = node.short(), "node-joined");
            }
            Standing::Used { .. } | Standing::Refused { .. } | Standing::Withdrawn => {}
        }
        self.registry_answer()
    }

    fn enter_node(&mut self, node: NodeId, visit: &Visit) -> Result<(), Failure> {
        let registry = self.replica.registry();
        let (office, addresses) = (visit.office, visit.addresses.clone());
        if registry.node(node).is_some_and(|known| known.addresses == addresses) {
            // A crash before the mark: there is nothing to add.
            return Ok(());
        }
        let serials = registry.free_serial_part(office);
        if serials.is_none() {
            tracing::warn!(%office, node = node.short(), "no-serials-left");
        }
        let new = NewNode { id: node, office, addresses, serials };
        let at = self.now();
        self.edit_registry(|editor| add_node(editor, &new, at))
    }

    fn registry_answer(&mut self) -> Result<Answer, Failure> {
        let mut batches: Vec<Vec<Bytes>> = Vec::new();
        let mut room = 0;
        if let Some(id) = self.replica.registry_document() {
            let held = self.replica.document(id).map_err(store_failed)?;
            for entry in held.map(|(_, entries)| entries).unwrap_or_default() {
                use lienthong_replica::Shelf;
                let record = self.replica.shelf().record(entry.place).map_err(store_failed)?;
                let Some(record) = record else { continue };
                if batches.is_empty() || room < record.len() {
                    batches.push(Vec::new());
                    room = AIM_BATCH_BYTES;
                }
                room = room.saturating_sub(record.len());
                if let Some(batch) = batches.last_mut() {
                    batch.push(record);
                }
            }
        }
        let count = u32::try_from(batches.len()).unwrap_or(u32::MAX);
        Ok(Answer { reply: Reply::Welcome { batches: count }, batches })
    }

    fn edit_registry(
        &mut self,
        edit: impl FnOnce(&mut Editor<'_>) -> Result<(), EditError>,
    ) -> Result<(), Failure> {
        let id = self.replica.registry_document().ok_or_else(not_the_hub)?;
        let document = self.open_document(id)?.unwrap_or_else(Document::new);
        self.author(Some((id, &document)), Kind::REGISTRY, Vec::new(), edit)?;
        Ok(())
    }

    /// Writes down which part of the day's serials each node has, where the registry does not say
    /// so or gives one part to two nodes.
    pub(crate) fn share_out_serials(&mut self) -> Result<(), Failure> {
        let parts = self.replica.registry().serials_to_give();
        if self.hub.is_none() || parts.is_empty() {
            return Ok(());
        }
        let give = |editor: &mut Editor<'_>| {
            parts.iter().try_for_each(|(node, part)| set_serials(editor, *node, *part))
        };
        match self.edit_registry(give) {
            // The next start or change of the registry does it: no reason to stop the node.
            Err(failure) if may_pass(&failure) => {
                tracing::warn!(nodes = parts.len(), code = failure.code, "serials-not-shared-out");
                Ok(())
            }
            written => written,
        }
    }

    /// Writes a node's new addresses into the registry: it says them in every hello.
    pub(crate) fn follow_addresses(
        &mut self,
        node: NodeId,
        addresses: &[String],
    ) -> Result<(), Failure> {
        let Some(hub) = self.hub.as_mut().filter(|_| !addresses.is_empty()) else {
            return Ok(());
        };
        hub.unsaved.remove(&node);
        let known = self.replica.registry().node(node).map(|known| known.addresses.clone());
        if known.is_none_or(|known| known == addresses) {
            return Ok(());
        }
        match self.edit_registry(|editor| set_addresses(editor, node, addresses)) {
            // No reason to stop the node: it is tried again.
            Err(failure) if may_pass(&failure) => {
                tracing::warn!(node = node.short(), code = failure.code, "address-not-saved");
                if let Some(hub) = self.hub.as_mut() {
                    hub.unsaved.insert(node, addresses.to_vec());
                }
                Ok(())
            }
            written => written,
        }
    }

    /// Tries again with the addresses that found the disk full, once a link settles: a node says
    /// its own only once on each link, and others dial by the registry.
    pub(crate) fn follow_unsaved(&mut self) -> Result<(), Failure> {
        let unsaved = self.hub.as_mut().map(|hub| std::mem::take(&mut hub.unsaved));
        for (node, addresses) in unsaved.unwrap_or_default() {
            self.follow_addresses(node, &addresses)?;
        }
        Ok(())
    }
}

fn unknown_office(office: OfficeId, what: &str) -> Failure {
    Failure::refused(
        "unknown-office",
        what,
        format!("sổ đăng ký không có {office} / the registry has no office {office}"),
        "chọn trong `lienthong office list` / take an office from that list",
    )
}

fn unknown_need(need: &str) -> Failure {
    let need: String = need.chars().take(32).collect();
    let known = Need::ALL.map(Need::word).join(", ");
    Failure::usage(
        "unknown-need",
        NOTHING_DONE,
        format!("danh sách không có '{need}' / the list has no '{need}'"),
        format!("dùng một trong / use one of: {known}"),
    )
}

fn bad_officer(bytes: usize) -> Failure {
    Failure::usage(
        "bad-officer",
        NOTHING_DONE,
        format!(
            "mã cán bộ dài {bytes} byte, giới hạn từ 1 đến {MAX_TEXT_BYTES} / \
             the officer has {bytes} bytes, the limit is 1 to {MAX_TEXT_BYTES}"
        ),
        "nêu mã cán bộ / name the officer",
    )
}

fn no_such_node(node: NodeId) -> Failure {
    Failure::refused(
        "unknown-node",
        NOTHING_DONE,
        format!("sổ đăng ký không có nút {0} / the registry has no node {0}", node.short()),
        "chọn trong `lienthong node list` / take a node from that list",
    )
}

fn is_revoked(node: NodeId, what: &str) -> Failure {
    Failure::refused(
        "node-revoked",
        what,
        format!(
            "nút {0} đã bị thu hồi, khóa đã thu hồi không dùng lại được / \
             node {0} is revoked, and a revoked key never comes back",
            node.short()
        ),
        "tham gia lại với thư mục dữ liệu mới và mã mới: đó là một nút mới / \
         join with a new data folder and a new code: that is a new node",
    )
}

fn own_node(node: NodeId) -> Failure {
    Failure::refused(
        "own-node",
        NOT_REVOKED,
        format!(
            "{0} là chính nút này, sau đó không ai được ghi sổ đăng ký / \
             {0} is this node, and nobody may write the registry after it",
            node.short()
        ),
        "thu hồi tại nút khác của cơ quan gốc / revoke it at another node of the root office",
    )
}

fn long_reason(bytes: usize) -> Failure {
    Failure::usage(
        "reason-too-long",
        NOT_REVOKED,
        format!(
            "lý do dài {bytes} byte, giới hạn {MAX_TEXT_BYTES} / \
             the reason has {bytes} bytes, the limit is {MAX_TEXT_BYTES}"
        ),
        "viết ngắn hơn / say it in fewer words",
    )
}

/// Random bytes of the system.
pub(crate) fn random_bytes<const N: usize>() -> Result<[u8; N], Failure> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| {
        let remedy = "kiểm tra /dev/urandom đọc được / check that /dev/urandom can be read";
        Failure::failed(
            "no-randomness",
            "hệ thống không cho số ngẫu nhiên / the system gave no random bytes",
            error.to_string(),
            remedy,
        )
    })?;
    Ok(bytes)
}

/// How many nodes the registry has revoked.
pub(crate) fn revoked(replica: &Replica<StoreShelf>) -> usize {
    replica.registry().nodes().filter(|node| node.revoked.is_some()).count()
}

fn not_the_hub() -> Failure {
    Failure::refused(
        "not-the-hub",
        NOTHING_DONE,
        "chỉ nút của cơ quan gốc được ghi sổ đăng ký / \
         only a node of the root office writes the registry",
        "làm việc này tại trung tâm / do it at the hub",
    )
}

const NO_CODE: &str = "chưa tạo mã tham gia / no join code was made";
const NOT_REVOKED: &str = "chưa thu hồi nút / the node was not revoked";
const NOT_LET_IN: &str = "nút chưa được vào / the node was not let in";
const NOTHING_DONE: &str = "chưa làm gì / nothing was done";
