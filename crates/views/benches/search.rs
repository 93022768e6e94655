//! Fills the view with 100,000 made-up dossiers and says how long questions take.
//!
//! `cargo bench -p lienthong-views` prints rows per second of filling, and the median and the
//! 99th percentile of each question in milliseconds.

use std::io::Write;
use std::time::Instant;

use lienthong_document::{Actor, Document};
use lienthong_dossier::{Code, Dossier, Opening, Reception, Status, receive};
use lienthong_protocol::{DocumentId, Incarnation, Moment, NodeId, NodeKey, OfficeId, Tally};
use lienthong_views::{DossierRow, Query, Reader, Views};
use serde_json::json;

const DOSSIERS: u32 = 100_000;
const BATCH: usize = 512;
const ROUNDS: u32 = 200;
/// 2026-01-05, 08:00 in Vietnam.
const FIRST: u64 = 1_767_574_800_000;

const FAMILIES: [&str; 10] =
    ["Nguyễn", "Nguyễn", "Nguyễn", "Nguyễn", "Trần", "Lê", "Phạm", "Huỳnh", "Võ", "Đặng"];
const MIDDLES: [&str; 6] = ["Văn", "Thị", "Văn", "Thị", "Hữu", "Ngọc"];
const GIVEN: [&str; 12] =
    ["An", "Bình", "Chi", "Dũng", "Đức", "Giang", "Hà", "Hùng", "Lan", "Minh", "Phúc", "Yến"];

fn main() {
    let folder = tempfile::TempDir::new().expect("a temporary folder");
    let path = folder.path().join("views.db");
    let mut views = Views::open(&path).expect("opens").views;
    fill(&mut views);
    let reader = views.reader().expect("opens");
    let limit = 50;
    let text = |text: &str| Query { text: Some(text.into()), limit, ..Query::default() };
    let office = |name: &str| name.parse::<OfficeId>().ok();
    let plain = Query { limit, ..Query::default() };
    let at = Some(Moment(FIRST + 200 * 86_400_000));
    for (name, query) in [
        ("newest", plain.clone()),
        ("search nguyen van an", text("nguyen van an")),
        ("search n", text("n")),
        ("search one phone", text("0000012345")),
        ("search one code", text("000.00.03.H47-260105-00042")),
        ("search nobody", text("xyzzy khong co")),
        ("search nguyen, rare status", Query { status: Some(Status::Stopped), ..text("nguyen") }),
        ("search nguyen, one office", Query { office: office("OFFICE-7"), ..text("nguyen") }),
        ("status in process", Query { status: Some(Status::InProcess), ..plain.clone() }),
        ("overdue", Query { overdue_at: at, ..plain.clone() }),
        ("overdue of an office", Query { overdue_at: at, office: office("HUB"), ..plain.clone() }),
        ("due in one week", due("2026-03-02", "2026-03-09")),
        ("office", Query { office: office("OFFICE-7"), ..plain.clone() }),
        (
            "office of all, rare status",
            Query { office: office("HUB"), status: Some(Status::Stopped), ..plain.clone() },
        ),
        ("officer", Query { officer: Some("officer-3".into()), ..plain.clone() }),
        (
            "officer, office, status",
            Query {
                officer: Some("officer-3".into()),
                office: office("OFFICE-7"),
                status: Some(Status::Returned),
                ..plain.clone()
            },
        ),
        ("procedure", Query { procedure: Some("1.001193.H47".into()), ..plain }),
    ] {
        ask(&reader, name, &query);
    }
    let stats = reader.stats().expect("counts");
    tell(&format!("{} documents in {:.1} MiB", stats.documents, stats.bytes as f64 / 1_048_576.0));
}

fn due(after: &str, before: &str) -> Query {
    let (after, before) = (Some(after.into()), Some(before.into()));
    Query { due_after: after, due_before: before, limit: 50, ..Query::default() }
}

fn ask(reader: &Reader, name: &str, query: &Query) {
    let mut times = Vec::new();
    let mut found = 0;
    for _ in 0..ROUNDS {
        let begun = Instant::now();
        found = reader.search(query).expect("answers").dossiers.len();
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    let at = |percent: usize| times[times.len() * percent / 100].as_secs_f64() * 1e3;
    let begun = Instant::now();
    let count = reader.count(query).expect("counts");
    let counted = begun.elapsed().as_secs_f64() * 1e3;
    tell(&format!(
        "{name:28} p50 {:7.3} ms  p99 {:7.3} ms  {found} of {count}, counted in {counted:.1} ms",
        at(50),
        at(99),
    ));
}

fn fill(views: &mut Views) {
    let model = model();
    let author = NodeKey::from_seed([1; 32]).id();
    let mut rows = Vec::with_capacity(BATCH);
    let mut writing = std::time::Duration::ZERO;
    for number in 1..=DOSSIERS {
        rows.push(row(&model, author, number));
        if rows.len() == BATCH || number == DOSSIERS {
            let begun = Instant::now();
            views.apply(&rows, &[], None).expect("writes");
            writing += begun.elapsed();
            rows.clear();
        }
    }
    let rate = f64::from(DOSSIERS) / writing.as_secs_f64();
    tell(&format!("filled {DOSSIERS} rows in {:.1} s, {rate:.0} rows/s", writing.as_secs_f64()));
    let begun = Instant::now();
    views.tidy().expect("tidies");
    tell(&format!("tidied in {:.1} s", begun.elapsed().as_secs_f64()));
}

fn row(model: &Dossier, author: NodeId, number: u32) -> DossierRow {
    let pick = |list: &[&str], salt: u32| {
        let drawn = number.wrapping_mul(2_654_435_761).wrapping_add(salt) >> 7;
        list[drawn as usize % list.len()].to_owned()
    };
    let at = Moment(FIRST + u64::from(number / 500) * 86_400_000 + u64::from(number % 500) * 1_000);
    let mut dossier = model.clone();
    dossier.id = DocumentId::derive(author, Incarnation(1), u64::from(number), at);
    dossier.code = Code::issue("000.00.03.H47", at, number % 500 + 1).expect("a code");
    let applicant = &mut dossier.reception.applicant;
    applicant.name = [pick(&FAMILIES, 1), pick(&MIDDLES, 77_777), pick(&GIVEN, 999_999)].join(" ");
    applicant.phone = Some(format!("0000{number:06}"));
    applicant.id_number = Some(format!("04909999{number:06}"));
    dossier.reception.offices.competent = format!("OFFICE-{}", number % 30).parse().ok();
    dossier.acts[0].officer = format!("officer-{}", number % 40);
    dossier.standing.status = match number % 100 {
        0..=3 => Status::InProcess,
        4 => Status::SupplementAsked,
        5 if number % 1_000 == 5 => Status::Stopped,
        _ => Status::Returned,
    };
    let day = lienthong_dossier::local_day(Moment(at.0 + 10 * 86_400_000));
    dossier.standing.due = Some(day);
    DossierRow::of(&dossier, Tally::default(), None)
}

fn model() -> Dossier {
    let reception = json!({
        "procedure": "1.001193.H47",
        "field": "Hộ tịch",
        "offices": { "receiving": "HUB" },
        "applicant": { "kind": "citizen", "name": "Nguyễn Văn An" },
    });
    let reception: Reception = serde_json::from_value(reception).expect("a reception");
    let code = Code::issue("000.00.03.H47", Moment(FIRST), 1).expect("a code");
    let opening = Opening::received(code, "act-1", "officer-1", Moment(FIRST));
    let author = NodeKey::from_seed([1; 32]).id();
    let actor = Actor::derive(author, Incarnation(1));
    let mut document = Document::new();
    let draft = document.edit(actor, |editor| receive(editor, &reception, &opening));
    document.take(draft.expect("writes")).expect("takes");
    let id = DocumentId::derive(author, Incarnation(1), 1, Moment(FIRST));
    Dossier::read(id, &document).expect("reads")
}

fn tell(line: &str) {
    writeln!(std::io::stdout(), "{line}").expect("standard output is open");
}
