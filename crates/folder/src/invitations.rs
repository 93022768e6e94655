//! The hub's book of join codes: which were given out, who came with which, who is in.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use data_encoding::HEXLOWER as HEX;
use lienthong_protocol::limits::MAX_ADDRESSES;
use lienthong_protocol::{Moment, NodeId, OfficeId};
use lienthong_request::Failure;
use serde::{Deserialize, Serialize};

use crate::folder::{as_text, read_limited, replace};

/// The book, in memory and in `invitations.json`; on disk before any method returns.
///
/// ```text
/// Open --knock--> Knocked --approve--> Approved --admit--> Used
///   │                └────refuse─────> Refused
///   └──withdraw──> Withdrawn
/// ```
#[derive(Debug)]
pub struct Invitations {
    file: PathBuf,
    codes: BTreeMap<String, Code>,
}

/// One node at the door, with what it showed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Visit {
    /// The hash of the secret it sent.
    pub secret_hash: [u8; 32],
    /// The office that it says the code is for.
    pub office: OfficeId,
    /// Its key, proved by the handshake.
    pub node: NodeId,
    /// Where it can be dialled; what is beyond the limits is left out.
    pub addresses: Vec<String>,
}

/// How far a code has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase", tag = "state")]
pub enum Standing {
    /// Nobody has come with it.
    Open,
    /// Bound to the first node that came; it waits for approval.
    Knocked {
        /// Which node.
        #[serde(with = "as_text")]
        node: NodeId,
        /// Where it can be dialled.
        addresses: Vec<String>,
        /// When it came first.
        since: Moment,
    },
    /// The node may come in the next time it knocks.
    Approved {
        /// Which node.
        #[serde(with = "as_text")]
        node: NodeId,
        /// Where it can be dialled.
        addresses: Vec<String>,
    },
    /// The node is in.
    Used {
        /// Which node.
        #[serde(with = "as_text")]
        node: NodeId,
    },
    /// The hub's operator refused the node.
    Refused {
        /// Which node.
        #[serde(with = "as_text")]
        node: NodeId,
    },
    /// The hub's operator took the code back before anybody came with it.
    Withdrawn,
}

/// A code that was given out, without its secret.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Issued {
    /// Its name: 16 hex digits of the hash of its secret, which nobody can come in with.
    pub id: String,
    /// The office that it is for.
    pub office: OfficeId,
    /// When it ends, unless a node was approved before.
    pub expires: Moment,
    /// Whether it ended before anybody was approved.
    pub is_over: bool,
    /// How far it has come.
    pub standing: Standing,
}

/// A node that waits for approval.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Waiting {
    /// The office of its code.
    pub office: OfficeId,
    /// Which node.
    #[serde(with = "as_text")]
    pub node: NodeId,
    /// Where it can be dialled.
    pub addresses: Vec<String>,
    /// When it came first.
    pub since: Moment,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Code {
    office: OfficeId,
    expires: Moment,
    standing: Standing,
}

impl Invitations {
    /// Reads the book of a data folder that is held; no file is an empty book.
    pub fn open(folder: &Path) -> Result<Invitations, Failure> {
        let file = folder.join("invitations.json");
        let bytes = match read_limited(&file, MAX_BOOK_BYTES) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => b"{}".to_vec(),
            Err(error) => {
                return Err(Failure::disk(
                    "chưa đọc được sổ mã tham gia / book of join codes not read",
                    &file,
                    &error,
                ));
            }
        };
        let codes = serde_json::from_slice(&bytes).map_err(|error| {
            Failure::store(
                "invitations-unreadable",
                "chưa đọc được sổ mã tham gia / book of join codes not read",
                format!("{0} không đọc được / {0} does not read: {error}", file.display()),
                "dời tệp đó đi, mã đã cấp hết hiệu lực, cấp mã mới / \
                 move that file away: codes given out are void then, give out new ones",
            )
        })?;
        Ok(Invitations { file, codes })
    }

    /// Enters a new code. Codes that expired 30 days ago are dropped; at most 10,000 are kept.
    pub fn issue(
        &mut self,
        office: OfficeId,
        secret_hash: &[u8; 32],
        expires: Moment,
        now: Moment,
    ) -> Result<(), Failure> {
        let mut codes = self.codes.clone();
        codes.retain(|_, code| now < code.expires.after(KEPT));
        if codes.len() >= MAX_CODES {
            return Err(Failure::refused(
                "codes-full",
                "chưa tạo mã tham gia / no join code made",
                format!(
                    "sổ đã có {0} mã, giới hạn {MAX_CODES} / \
                     {0} codes are in the book, the limit is {MAX_CODES}",
                    codes.len()
                ),
                "chờ mã cũ hết hạn quá 30 ngày / \
                 wait until older ones have been expired for 30 days",
            ));
        }
        let code = Code { office, expires, standing: Standing::Open };
        codes.insert(HEX.encode(secret_hash), code);
        self.save(codes)
    }

    /// What the code is worth to this visitor, without binding it. Expiry ends a code until it
    /// is approved. The node that a code is bound to is told its standing, also when it is
    /// already in: its welcome may have been lost on the way.
    pub fn check(&self, visit: &Visit, now: Moment) -> Result<Standing, Failure> {
        let Some(code) = self.codes.get(&HEX.encode(&visit.secret_hash)) else {
            return Err(refused(
                "code-unknown",
                "trung tâm không cấp mã này / the hub gave out no such code",
            ));
        };
        if code.office != visit.office {
            let why = format!(
                "mã cấp cho {0}, không phải {1} / the code is for office {0}, not {1}",
                code.office, visit.office
            );
            return Err(refused("code-for-other-office", &why));
        }
        if code.standing.node().is_some_and(|node| node != visit.node) {
            let why = "nút khác đã dùng mã này / another node came with this code first";
            return Err(refused("code-used", why));
        }
        if matches!(code.standing, Standing::Refused { .. }) {
            let why = "trung tâm đã từ chối nút này / the hub's operator refused this node";
            return Err(refused("code-refused", why));
        }
        if code.standing == Standing::Withdrawn {
            let why = "trung tâm đã thu lại mã này / the hub's operator withdrew this code";
            return Err(refused("code-withdrawn", why));
        }
        if code.is_over(now) {
            let minutes = now.since(code.expires).as_secs() / 60;
            let why = format!(
                "mã đã hết hạn {minutes} phút theo đồng hồ của trung tâm / \
                 the code expired {minutes} minutes ago by the hub's clock"
            );
            return Err(refused("code-expired", &why));
        }
        Ok(code.standing.clone())
    }

    /// Checks the code and binds an open one to the visitor.
    pub fn knock(&mut self, visit: &Visit, now: Moment) -> Result<Standing, Failure> {
        let standing = self.check(visit, now)?;
        if standing != Standing::Open {
            return Ok(standing);
        }
        let fits = |address: &&String| address.len() <= MAX_ADDRESS_BYTES;
        let addresses = visit.addresses.iter().filter(fits).take(MAX_ADDRESSES).cloned().collect();
        let bound = Standing::Knocked { node: visit.node, addresses, since: now };
        self.set(&HEX.encode(&visit.secret_hash), bound.clone())?;
        Ok(bound)
    }

    /// Lets a waiting node in; says for which office. With two codes the later knock counts.
    pub fn approve(&mut self, node: NodeId) -> Result<OfficeId, Failure> {
        let (key, office, addresses) =
            self.waiting(node, "chưa phê duyệt nút / node not approved")?;
        self.set(&key, Standing::Approved { node, addresses })?;
        Ok(office)
    }

    /// Refuses a waiting node and voids its code; says for which office it came.
    pub fn refuse(&mut self, node: NodeId) -> Result<OfficeId, Failure> {
        let (key, office, _) = self.waiting(node, "chưa từ chối nút / node not refused")?;
        self.set(&key, Standing::Refused { node })?;
        Ok(office)
    }

    /// Takes back a code that nobody has come with; says for which office it was. Again changes
    /// nothing.
    pub fn withdraw(&mut self, id: &str) -> Result<OfficeId, Failure> {
        let found = self.codes.iter().find(|(key, _)| id_of(key) == id);
        let Some((key, code)) = found.map(|(key, code)| (key.clone(), code.clone())) else {
            return Err(not_withdrawn(
                "invitation-unknown",
                "sổ không có mã này / the book has no such code",
                "xem các mã đã cấp bằng / see the codes with 'lienthong invitation list'",
            ));
        };
        match code.standing {
            Standing::Withdrawn => {}
            Standing::Open => self.set(&key, Standing::Withdrawn)?,
            Standing::Knocked { .. }
            | Standing::Approved { .. }
            | Standing::Used { .. }
            | Standing::Refused { .. } => {
                return Err(not_withdrawn(
                    "invitation-taken",
                    "đã có nút đến với mã này / a node has come with this code",
                    "từ chối hoặc thu hồi nút đó / refuse or revoke that node",
                ));
            }
        }
        Ok(code.office)
    }

    /// The code with which a node waits: its key, its office, and where the node can be dialled.
    fn waiting(
        &self,
        node: NodeId,
        what: &str,
    ) -> Result<(String, OfficeId, Vec<String>), Failure> {
        let at = |code: &Code| match &code.standing {
            Standing::Knocked { node: own, addresses, since } if *own == node => {
                Some((*since, code.office, addresses.clone()))
            }
            _ => None,
        };
        let found = self.codes.iter().filter_map(|(key, code)| Some((at(code)?, key.clone())));
        let Some(((_, office, addresses), key)) = found.max() else {
            return Err(Failure::refused(
                "node-not-waiting",
                what,
                format!(
                    "nút {0} không chờ phê duyệt / node {0} does not wait for approval",
                    node.short()
                ),
                "xem nút đang chờ bằng / see who waits with 'lienthong node list'",
            ));
        };
        Ok((key, office, addresses))
    }

    /// Marks the code of an approved visitor as used; once it is, nobody else can ever use it.
    /// Again for the same node changes nothing.
    pub fn admit(&mut self, visit: &Visit, now: Moment) -> Result<(), Failure> {
        match self.check(visit, now)? {
            Standing::Used { .. } => Ok(()),
            Standing::Approved { node, .. } => {
                self.set(&HEX.encode(&visit.secret_hash), Standing::Used { node })
            }
            Standing::Open
            | Standing::Knocked { .. }
            | Standing::Refused { .. }
            | Standing::Withdrawn => {
                let why = "trung tâm chưa phê duyệt / the hub has not approved the node yet";
                Err(refused("code-not-approved", why))
            }
        }
    }

    /// Who waits for approval, the longest first.
    pub fn pending(&self) -> Vec<Waiting> {
        let waits = |code: &Code| match code.standing.clone() {
            Standing::Knocked { node, addresses, since } => {
                Some(Waiting { office: code.office, node, addresses, since })
            }
            Standing::Open
            | Standing::Approved { .. }
            | Standing::Used { .. }
            | Standing::Refused { .. }
            | Standing::Withdrawn => None,
        };
        let mut waiting: Vec<Waiting> = self.codes.values().filter_map(waits).collect();
        waiting.sort_by_key(|one| (one.since, one.node));
        waiting
    }

    /// Every code that is in the book, the one that ends last first.
    pub fn issued(&self, now: Moment) -> Vec<Issued> {
        let issued = self.codes.iter().map(|(key, code)| Issued {
            id: id_of(key).to_owned(),
            is_over: code.is_over(now),
            office: code.office,
            expires: code.expires,
            standing: code.standing.clone(),
        });
        let mut issued: Vec<Issued> = issued.collect();
        issued.sort_by_key(|code| (std::cmp::Reverse(code.expires), code.office));
        issued
    }

    fn set(&mut self, key: &str, standing: Standing) -> Result<(), Failure> {
        let mut codes = self.codes.clone();
        if let Some(code) = codes.get_mut(key) {
            code.standing = standing;
        }
        self.save(codes)
    }

    /// Memory follows the disk, so that a failed write grants nothing.
    fn save(&mut self, codes: BTreeMap<String, Code>) -> Result<(), Failure> {
        let bytes = serde_json::to_vec(&codes).map_err(io::Error::from);
        bytes.and_then(|bytes| replace(&self.file, &bytes)).map_err(|error| {
            Failure::disk(
                "chưa lưu được sổ mã tham gia / book of join codes not saved",
                &self.file,
                &error,
            )
        })?;
        self.codes = codes;
        Ok(())
    }
}

impl Standing {
    /// The node that the code is bound to.
    pub fn node(&self) -> Option<NodeId> {
        match self {
            Standing::Open | Standing::Withdrawn => None,
            Standing::Knocked { node, .. }
            | Standing::Approved { node, .. }
            | Standing::Used { node }
            | Standing::Refused { node } => Some(*node),
        }
    }
}

impl Code {
    /// Expiry ends a code until its node is approved.
    fn is_over(&self, now: Moment) -> bool {
        let undecided = matches!(self.standing, Standing::Open | Standing::Knocked { .. });
        undecided && now >= self.expires
    }
}

/// The name of a code in the book.
fn id_of(key: &str) -> &str {
    key.get(..ID_DIGITS).unwrap_or(key)
}

fn not_withdrawn(code: &str, why: &str, remedy: &str) -> Failure {
    Failure::refused(code, "chưa thu lại mã / code not withdrawn", why, remedy)
}

fn refused(code: &str, why: &str) -> Failure {
    let remedy = match code {
        "code-for-other-office" => {
            "tham gia bằng đúng mã đã cấp / join with the code as it was given out"
        }
        "code-not-approved" => {
            "phê duyệt tại trung tâm / approve it at the hub: 'lienthong node approve NODE'"
        }
        _ => {
            "xin trung tâm mã mới / \
             ask the hub's operator for a new code: 'lienthong invite OFFICE'"
        }
    };
    Failure::refused(code, "nút chưa được vào / node not admitted", why, remedy)
}

/// How long an expired code is kept, so that its refusal can still say why.
const KEPT: Duration = Duration::from_secs(30 * 24 * 60 * 60);
const MAX_CODES: usize = 10_000;
const ID_DIGITS: usize = 16;
/// A DNS name and a port.
const MAX_ADDRESS_BYTES: usize = 261;
/// Room for every code with every address.
const MAX_BOOK_BYTES: u64 = 64 << 20;

#[cfg(test)]
#[path = "invitations_tests.rs"]
mod tests;
