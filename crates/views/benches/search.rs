//! Fills the view with 100,000 made-up dossiers and says how long questions take.
//!
//! `cargo bench -p lienthong-views` prints rows per second of filling, and for each kind of
//! question the median, the 99th percentile and the longest wait. `README.md` beside this file
//! holds what it gave.

use std::io::Write;
use std::time::{Duration, Instant};

use lienthong_catalogue::{Edition, Procedure};
use lienthong_document::{Actor, Document};
use lienthong_dossier::{Code, Dossier, Effect, Opening, Reception, Status, local_day, receive};
use lienthong_protocol::{DocumentId, Incarnation, Moment, NodeId, NodeKey, Tally};
use lienthong_views::{DossierRow, Query, Reader, Views};
use serde_json::json;

const DOSSIERS: u32 = 100_000;
const BATCH: usize = 512;
const ROUNDS: u32 = 200;
/// 2026-01-05, 08:00 in Vietnam.
const FIRST: u64 = 1_767_574_800_000;
const DAY_MS: u64 = 86_400_000;
/// Nine of ten; the tenth is of another, whose name nobody knows.
const PROCEDURE: &str = "1.001193.H47";
const OTHER: &str = "9.9";

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
    let begun = Instant::now();
    let steps = std::iter::from_fn(|| views.tidy().expect("merges").then_some(())).count();
    tell(&format!("tidied in {steps} steps and {:.1} s", begun.elapsed().as_secs_f64()));
    let reader = views.reader().expect("opens");
    let (mut all, mut processed) = (Vec::new(), Duration::ZERO);
    for (name, queries) in questions() {
        let before = processor();
        let times: Vec<Duration> = queries.iter().map(|query| ask(&reader, query)).collect();
        let used = processor().saturating_sub(before);
        all.extend_from_slice(&times);
        processed += used;
        spread(name, times, used);
    }
    spread("all of them", all, processed);
    let stats = reader.stats().expect("counts");
    tell(&format!("{} documents in {:.1} MiB", stats.documents, stats.bytes as f64 / 1_048_576.0));
}

/// Every kind of question with many of its kind, no two alike where people would ask for others.
fn questions() -> Vec<(&'static str, Vec<Query>)> {
    let page = || Query { limit: 50, ..Query::default() };
    let text = |text: String| Query { text: Some(text), ..page() };
    let many = |query: &dyn Fn(u32) -> Query| (0..ROUNDS).map(query).collect::<Vec<_>>();
    let dossier = |n: u32| n.wrapping_mul(7_919) % DOSSIERS;
    let office = |n: u32| format!("OFFICE-{}", n % 30).parse().ok();
    let hub = || "HUB".parse().ok();
    let officer = |n: u32| Some(format!("officer-{}", n % 40));
    let at = |n: u32| Some(Moment(FIRST + u64::from(n % 200) * DAY_MS));
    let pick = |list: &[&str], n: u32| list[n as usize % list.len()].to_owned();
    let code = |n: u32| {
        let at = Moment(FIRST + u64::from(n / 500) * DAY_MS);
        Code::issue("000.00.03.H47", at, n % 500 + 1).expect("a code").to_string()
    };
    vec![
        ("newest", many(&|_| page())),
        ("code", many(&|n| text(code(dossier(n))))),
        ("name", many(&|n| text(full_name(dossier(n))))),
        ("family name, broad", many(&|n| text(pick(&["nguyen", "tran", "le", "van"], n)))),
        ("one letter", many(&|n| text(pick(&["n", "t", "a", "h"], n)))),
        ("ID number", many(&|n| text(format!("049 099 99{:04} {:02}", n, n % 100)))),
        ("phone", many(&|n| text(format!("0000.{:03}.{:03}", n, n * 3 % 1_000)))),
        ("nobody", many(&|n| text(format!("xyzzy khong co {n}")))),
        ("name of a procedure", many(&|_| text("đăng ký khai sinh".into()))),
        ("name and procedure", many(&|n| text(format!("{} khai sinh", full_name(dossier(n)))))),
        ("status", many(&|n| Query { status: status(n), ..page() })),
        ("due in a week", many(&|n| due(n % 200))),
        ("overdue", many(&|n| Query { overdue_at: at(n), ..page() })),
        ("overdue of all", many(&|n| Query { overdue_at: at(n), office: hub(), ..page() })),
        ("office", many(&|n| Query { office: office(n), ..page() })),
        ("office, status", many(&|n| Query { office: office(n), status: status(n), ..page() })),
        ("officer", many(&|n| Query { officer: officer(n), ..page() })),
        ("officer, status", many(&|n| Query { officer: officer(n), status: status(n), ..page() })),
        ("procedure", many(&|_| Query { procedure: Some(PROCEDURE.into()), ..page() })),
        ("review", many(&|_| Query { review: true, ..page() })),
        ("review, office", many(&|n| Query { review: true, office: office(n), ..page() })),
        ("broad, office", many(&|n| Query { office: office(n), ..text("nguyen".into()) })),
        ("broad, status", many(&|n| Query { status: status(n), ..text("nguyen".into()) })),
        (
            "broad, procedure",
            many(&|_| Query { procedure: Some("9.9".into()), ..text("an".into()) }),
        ),
        ("broad, review", many(&|_| Query { review: true, ..text("nguyen van".into()) })),
    ]
}

/// In process, being supplemented, stopped (rare), returned (most), withdrawn (none).
fn status(number: u32) -> Option<Status> {
    use Status::{InProcess, Returned, Stopped, SupplementAsked, Withdrawn};
    let all = [InProcess, SupplementAsked, Stopped, Returned, Withdrawn];
    Some(all[number as usize % all.len()])
}

fn due(day: u32) -> Query {
    let local = |day: u32| Some(local_day(Moment(FIRST + u64::from(day) * DAY_MS)));
    Query { due_after: local(day), due_before: local(day + 8), limit: 50, ..Query::default() }
}

fn ask(reader: &Reader, query: &Query) -> Duration {
    let begun = Instant::now();
    reader.search(query).expect("answers");
    begun.elapsed()
}

fn spread(name: &str, mut times: Vec<Duration>, used: Duration) {
    times.sort_unstable();
    let at = |percent: usize| times[(times.len() - 1) * percent / 100].as_secs_f64() * 1e3;
    tell(&format!(
        "{name:22} {:5} questions  p50 {:7.3} ms  p99 {:7.3} ms  max {:7.3} ms  \
         processor {:7.3} ms each",
        times.len(),
        at(50),
        at(99),
        at(100),
        used.as_secs_f64() * 1e3 / times.len() as f64,
    ));
}

/// What this thread has had of a processor: tells the cost also where others want it too. Zero
/// where the system does not tell.
fn processor() -> Duration {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    let nanoseconds = text.split(' ').next().and_then(|first| first.parse().ok());
    Duration::from_nanos(nanoseconds.unwrap_or(0))
}

fn fill(views: &mut Views) {
    let model = model();
    let text = include_str!("../../../config/quang-nam/procedures.toml");
    let edition = Edition::parse("procedures.toml", text).expect("the province's own catalogue");
    let versions = edition.versions(PROCEDURE).expect("birth registration");
    let procedure = &versions[0].procedure;
    let author = NodeKey::from_seed([1; 32]).id();
    let mut rows = Vec::with_capacity(BATCH);
    let (mut writing, mut used) = (Duration::ZERO, Duration::ZERO);
    for number in 1..=DOSSIERS {
        rows.push(row((&model, procedure), author, number));
        if rows.len() == BATCH || number == DOSSIERS {
            let (begun, before) = (Instant::now(), processor());
            views.apply(&rows, &[], None).expect("writes");
            writing += begun.elapsed();
            used += processor().saturating_sub(before);
            rows.clear();
        }
    }
    let (wall, used) = (writing.as_secs_f64(), used.as_secs_f64());
    tell(&format!("filled {DOSSIERS} rows in {wall:.1} s, {used:.1} s of a processor"));
}

fn row((model, procedure): (&Dossier, &Procedure), author: NodeId, number: u32) -> DossierRow {
    let at = Moment(FIRST + u64::from(number / 500) * DAY_MS + u64::from(number % 500) * 1_000);
    let mut dossier = model.clone();
    dossier.id = DocumentId::derive(author, Incarnation(1), u64::from(number), at);
    dossier.code = Code::issue("000.00.03.H47", at, number % 500 + 1).expect("a code");
    let applicant = &mut dossier.reception.applicant;
    applicant.name = full_name(number);
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
    let day = local_day(Moment(at.0 + 10 * DAY_MS));
    dossier.standing.due = Some(day);
    if number.is_multiple_of(200) {
        dossier.acts[0].effect = Effect::Unconfirmed;
    }
    if number.is_multiple_of(10) {
        dossier.reception.procedure = OTHER.into();
        return DossierRow::of(&dossier, Tally::default(), None, at);
    }
    DossierRow::of(&dossier, Tally::default(), Some(procedure), at)
}

fn full_name(number: u32) -> String {
    let pick = |list: &[&'static str], salt: u32| {
        let drawn = number.wrapping_mul(2_654_435_761).wrapping_add(salt) >> 7;
        list[drawn as usize % list.len()]
    };
    [pick(&FAMILIES, 1), pick(&MIDDLES, 77_777), pick(&GIVEN, 999_999)].join(" ")
}

fn model() -> Dossier {
    let reception = json!({
        "procedure": PROCEDURE,
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
