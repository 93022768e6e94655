//! How a folder becomes a node: founding a federation, or joining one.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use lienthong_document::{Actor, Document};
use lienthong_federation::{Province, found};
use lienthong_folder::{Folder, Membership};
use lienthong_protocol::{
    Change, CloseCode, DocumentId, FederationId, Header, Incarnation, Invitation, Kind, Knock,
    OfficeId, Reply,
};
use lienthong_request::{Exit, Failure};
use lienthong_store::{EngineChoice, MemoryEngine, RealDisk, Store, StoreSettings};
use lienthong_transport::{Answer, LinkSettings, knock};

use crate::hub::random_bytes;
use crate::mind::now;

/// How often a new node asks whether it was approved.
const KNOCK_EVERY: Duration = Duration::from_secs(3);

/// How often a hub that is overrun with knocks is asked again, and how long apart: it takes one of
/// each caller every second.
const FLOODED_TRIES: u32 = 30;
const FLOODED_PAUSE: Duration = Duration::from_secs(1);

/// Founds a federation: the first node, of the root office.
pub fn init(
    path: &Path,
    office: OfficeId,
    province: &Province,
    advertise: &[String],
) -> Result<Folder, Failure> {
    if office != province.root {
        return Err(Failure::refused(
            "not-the-root",
            "no federation was founded",
            format!("{office} is not the root office, which is {}", province.root),
            "found it at the root office; other offices join with `lienthong join`",
        ));
    }
    let folder = Folder::create(path)?;
    let (author, at) = (folder.key().id(), now());
    let incarnation = Incarnation(u64::from_le_bytes(random_bytes()?));
    let document = DocumentId::derive(author, incarnation, 1, at);
    let draft = Document::new().edit(Actor::derive(author, incarnation), |editor| {
        found(editor, province, author, advertise, at)
    });
    let draft = draft.map_err(|error| not_founded(&error.to_string()))?;
    let kind = Kind::REGISTRY;
    let header =
        Header { document, kind, author, office, incarnation, seq: 1, at, adds: Vec::new() };
    let genesis = Change::sign(header, draft.payload(), folder.key());
    let genesis = genesis.map_err(|error| not_founded(&error.to_string()))?;
    append(&folder, std::slice::from_ref(&genesis))?;
    let federation = FederationId::from(genesis.id());
    let hub_addresses = advertise.to_vec();
    folder.join(&Membership { federation, office, hub: author, hub_addresses })?;
    Ok(folder)
}

/// Joins the federation of a join code. Waits while the hub has to approve; `waiting` is told. A
/// hub that is overrun with new nodes is asked again for half a minute.
pub async fn join(
    path: &Path,
    code: &str,
    advertise: &[String],
    mut waiting: impl FnMut(),
) -> Result<Folder, Failure> {
    let invitation = Invitation::from_code(code).map_err(|error| {
        Failure::refused(error.code(), "not joined", error.to_string(), error.remedy())
    })?;
    let folder = Folder::create(path)?;
    let mut flooded = 0;
    loop {
        let request = Knock {
            federation: invitation.federation,
            office: invitation.office,
            secret: invitation.secret.clone(),
            addresses: advertise.to_vec(),
            agent: concat!("lienthong ", env!("CARGO_PKG_VERSION")).to_owned(),
        };
        let (hub, addresses) = (invitation.hub, &invitation.addresses);
        let asked = knock(folder.key(), hub, addresses, request, LinkSettings::default()).await;
        if matches!(&asked, Err(error) if error.code() == CloseCode::FLOODED.name())
            && flooded < FLOODED_TRIES
        {
            flooded += 1;
            tokio::time::sleep(FLOODED_PAUSE).await;
            continue;
        }
        let answer = asked.map_err(|error| {
            let (code, remedy) = (error.code(), error.remedy());
            Failure::unreachable(code, "not joined", error.to_string(), remedy)
        })?;
        match answer.reply {
            Reply::Pending => {
                waiting();
                tokio::time::sleep(KNOCK_EVERY).await;
            }
            Reply::Refused { code, cause, remedy } => {
                return Err(Failure::refused(&code, "not joined", cause, remedy));
            }
            Reply::Welcome { .. } => {
                enter(&folder, &invitation, answer)?;
                return Ok(folder);
            }
        }
    }
}

/// Takes over the registry that the hub sent: its first change must be the federation's.
fn enter(folder: &Folder, invitation: &Invitation, answer: Answer) -> Result<(), Failure> {
    let mut changes = Vec::new();
    for record in answer.batches.into_iter().flatten() {
        changes.push(Change::open(record).map_err(|error| bad_registry(&error.to_string()))?);
    }
    let is_genesis = |change: &Change| FederationId::from(change.id()) == invitation.federation;
    if !changes.iter().any(is_genesis) {
        return Err(bad_registry("the federation's first change is not in it"));
    }
    append(folder, &changes)?;
    folder.join(&Membership {
        federation: invitation.federation,
        office: invitation.office,
        hub: invitation.hub,
        hub_addresses: invitation.addresses.clone(),
    })
}

/// Writes the first changes of a log; the index is built from them at the first start.
fn append(folder: &Folder, changes: &[Change]) -> Result<(), Failure> {
    let disk = RealDisk::open(folder.log())
        .map_err(|error| Failure::disk("the log", &folder.log(), &error))?;
    let engine = EngineChoice::Memory(MemoryEngine::new());
    let failed = |code: &str, why: String, remedy: &str| {
        Failure::new(Exit::Store, code, "the log was not written", why, remedy)
    };
    let opened = Store::open(Arc::new(disk), &engine, StoreSettings::default());
    let mut store =
        opened.map_err(|error| failed(error.code(), error.to_string(), error.remedy()))?.store;
    let appended = store.append(changes);
    appended.map_err(|error| failed(error.code(), error.to_string(), error.remedy()))?;
    Ok(())
}

fn not_founded(why: &str) -> Failure {
    let remedy = "check the province file: `config/quang-nam/province.toml` is an example";
    Failure::refused("not-founded", "no federation was founded", why, remedy)
}

fn bad_registry(why: &str) -> Failure {
    let remedy = "ask the hub for a new code and try again";
    Failure::refused("bad-registry", "not joined: the hub's registry is not sound", why, remedy)
}
