//! A stock of dossiers, written into the log of a hub as its own earlier incarnation.

use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use lienthong_document::{Actor, Document};
use lienthong_dossier::{ActKind, Code, Dossier, NewAct, Opening, Reception, local_day, receive};
use lienthong_folder::Folder;
use lienthong_protocol::{
    Change, DocumentId, Header, Incarnation, Kind, Moment, NodeId, NodeKey, OfficeId,
};
use lienthong_store::{EngineChoice, LogSettings, MemoryEngine, RealDisk, Store, StoreSettings};
use lienthong_tests::{office, province};
use serde_json::json;

/// How many signed changes each dossier has.
pub(crate) const CHANGES: u64 = 21;
/// How many dossiers are no copies of others; to write one takes 20 ms.
const DISTINCT: u64 = 10_000;
/// The first dossier comes in here: 2025-07-01, 07:30 in Vietnam.
const FROM: Moment = Moment(1_751_329_800_000);
/// Dossiers come in this far apart, in milliseconds.
const APART_MS: u64 = 5 * 60_000;
/// Acts of one dossier lie this far apart, in milliseconds.
const STEP_MS: u64 = 7 * 3_600_000;
/// How long the office that is asked has for its answer: ten days.
const ANSWER_WITHIN: Duration = Duration::from_secs(10 * 24 * 3600);
/// The incarnation that wrote them: that of no process.
const INCARNATION: Incarnation = Incarnation(1);

/// What happens to a dossier after its reception.
const COURSE: [ActKind; 20] = [
    ActKind::InProcess,
    ActKind::Noted,
    ActKind::SupplementAsked,
    ActKind::Noted,
    ActKind::Supplied,
    ActKind::Noted,
    ActKind::Consulted,
    ActKind::Noted,
    ActKind::PaymentAsked,
    ActKind::Noted,
    ActKind::Paid,
    ActKind::Noted,
    ActKind::Stopped,
    ActKind::Noted,
    ActKind::Resumed,
    ActKind::Noted,
    ActKind::Noted,
    ActKind::Noted,
    ActKind::Finished,
    ActKind::Returned,
];

/// Founds a hub whose log holds `dossiers` dossiers that the office EAST may hold too. Beyond
/// [`DISTINCT`] they say the same as the first ones, codes included, in documents and changes of
/// their own.
pub(crate) fn found(path: &Path, dossiers: u64) {
    let folder = lienthong::init(path, office("HUB"), &province(), &[]).expect("founds");
    let seed = folder.key().seed();
    let written =
        in_halves(0..dossiers.min(DISTINCT), |number| dossier(number, &NodeKey::from_seed(*seed)));
    let mut store = store(&folder);
    append(&mut store, &written);
    let all: Vec<u64> = (DISTINCT..dossiers).collect();
    for numbers in all.chunks(DISTINCT as usize) {
        let (first, last) = (numbers[0], numbers[numbers.len() - 1]);
        append(
            &mut store,
            &in_halves(first..last + 1, |number| {
                let like = (number % DISTINCT * CHANGES) as usize;
                let payloads = written[like..].iter().take(CHANGES as usize).map(Change::payload);
                let key = NodeKey::from_seed(*seed);
                let sign = |(step, payload): (u64, &[u8])| {
                    Change::sign(header(number, step, &key), payload, &key).expect("within limits")
                };
                (0..).zip(payloads).map(sign).collect()
            }),
        );
    }
}

/// Makes the changes of some dossiers on two threads, in their order.
fn in_halves(numbers: Range<u64>, changes: impl Fn(u64) -> Vec<Change> + Sync) -> Vec<Change> {
    let middle = numbers.start.midpoint(numbers.end);
    let write = |numbers: Range<u64>| numbers.flat_map(&changes).collect::<Vec<Change>>();
    thread::scope(|scope| {
        let first = scope.spawn(|| write(numbers.start..middle));
        let second = write(middle..numbers.end);
        first.join().expect("writes").into_iter().chain(second).collect()
    })
}

fn store(folder: &Folder) -> Store {
    let disk = RealDisk::open(folder.log()).expect("a log");
    let settings = StoreSettings { log: LogSettings::default(), ..StoreSettings::default() };
    let engine = EngineChoice::Memory(MemoryEngine::default());
    Store::open(Arc::new(disk), &engine, settings).expect("opens").store
}

fn append(store: &mut Store, changes: &[Change]) {
    for batch in changes.chunks(500) {
        store.append(batch).expect("appends");
    }
}

/// The document of one dossier of the stock of a hub.
pub(crate) fn document(number: u64, hub: NodeId) -> DocumentId {
    DocumentId::derive(hub, INCARNATION, number * CHANGES + 1, received(number))
}

fn received(number: u64) -> Moment {
    FROM.after(Duration::from_millis(number * APART_MS))
}

/// All changes of one dossier, oldest first.
fn dossier(number: u64, key: &NodeKey) -> Vec<Change> {
    let (id, received) = (document(number, key.id()), received(number));
    let first = number * CHANGES + 1;
    let header = |step: u64| header(number, step, key);
    let actor = Actor::derive(key.id(), INCARNATION);
    let mut document = Document::new();
    let mut changes = Vec::new();
    let opened = document
        .edit(actor, |editor| {
            receive(editor, &reception(number), &opening(number, &act_id(key, first), received))
        })
        .expect("receives");
    changes.push(Change::sign(header(0), opened.payload(), key).expect("within limits"));
    document.take(opened).expect("nothing else was taken");
    for (step, kind) in (1u64..).zip(COURSE) {
        let header = header(step);
        let act = act(&act_id(key, first + step), kind, (step, header.at));
        let known = Dossier::of_taken(id, &changes).expect("it only grew").expect("reads");
        let planned = known.plan(&act, header.at).expect("the course is lawful");
        let draft = document.edit(actor, |editor| planned.write(editor)).expect("acts");
        changes.push(Change::sign(header, draft.payload(), key).expect("within limits"));
        document.take(draft).expect("nothing else was taken");
    }
    changes
}

/// The header of one change of a dossier.
fn header(number: u64, step: u64, key: &NodeKey) -> Header {
    Header {
        document: document(number, key.id()),
        kind: Kind::DOSSIER,
        author: key.id(),
        office: office("HUB"),
        incarnation: INCARNATION,
        seq: number * CHANGES + 1 + step,
        at: received(number).after(Duration::from_millis(step * STEP_MS)),
        adds: if step == 0 { vec![office("EAST")] } else { vec![] },
    }
}

fn act_id(key: &NodeKey, seq: u64) -> String {
    format!("{}-{INCARNATION}-{seq}", key.id().short())
}

fn opening(number: u64, act: &str, at: Moment) -> Opening {
    let serial = u32::try_from(number % 9_999 + 1).expect("below the limit of a day");
    let code = Code::issue("000.00.00.H47", at, serial).expect("a code");
    Opening::received(code, act, "Trần Thị Một Cửa", at)
}

fn act(id: &str, kind: ActKind, (step, at): (u64, Moment)) -> NewAct {
    let mut act = NewAct::new(id, kind, office("HUB"), OFFICERS[step as usize % OFFICERS.len()]);
    act.note = matches!(kind, ActKind::Noted).then(|| NOTES[step as usize % NOTES.len()].into());
    act.reason = matches!(kind, ActKind::SupplementAsked | ActKind::Stopped)
        .then(|| "Thiếu bản sao giấy chứng nhận quyền sử dụng đất".into());
    act.to_office = matches!(kind, ActKind::Consulted).then(|| -> OfficeId { office("EAST") });
    if kind == ActKind::Consulted {
        act.note = Some("Đề nghị cho biết ranh giới thửa đất".into());
        act.due = Some(local_day(at.after(ANSWER_WITHIN)));
    }
    act
}

const OFFICERS: [&str; 3] = ["Trần Thị Một Cửa", "Nguyễn Văn Thẩm Định", "Lê Quang Phê Duyệt"];

const NOTES: [&str; 4] = [
    "Đã kiểm tra thực địa, ranh giới đúng với bản đồ địa chính",
    "Đã chuyển phiếu thông tin địa chính sang cơ quan thuế",
    "Chờ chữ ký của lãnh đạo phòng",
    "Công dân đã được báo qua điện thoại",
];

/// What was handed in: no two alike, so that compression finds no more than at a real counter.
fn reception(number: u64) -> Reception {
    let mixed = number.wrapping_mul(0x9E37_79B9_7F4A_7C15);
    let pick = |names: &[&'static str], shift: u32| names[(mixed >> shift) as usize % names.len()];
    let name = format!(
        "{} {} {}",
        pick(&["Nguyễn", "Trần", "Lê", "Phạm", "Huỳnh", "Võ", "Alăng", "Bríu"], 8),
        pick(&["Văn", "Thị", "Quang", "Ngọc", "Đình"], 16),
        pick(&["Hạnh", "Dũng", "Lan", "Tám", "Phượng", "Sơn", "Thảo", "Bình", "Quý"], 24),
    );
    let reception = json!({
        "procedure": pick(&["1.001193.H47", "1.004873.H47", "1.000894.H47"], 32),
        "offices": { "receiving": "HUB", "coordinating": ["EAST"] },
        "applicant": {
            "kind": "citizen", "name": name,
            "id_kind": "citizen", "id_number": format!("049{:09}", mixed % 1_000_000_000),
            "phone": format!("09{:08}", (mixed >> 7) % 100_000_000),
        },
    });
    let reception: Reception = serde_json::from_value(reception).expect("a reception");
    reception.check().expect("sound")
}
