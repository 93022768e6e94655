//! The figures of a whole node: what a person or a neighbour waits for, what rests in memory,
//! what goes over the wire. `README.md` beside this file says how to run it and what it gave.

mod alone;
mod linked;
mod pages;
mod process;
mod report;
mod stock;
mod views;

use std::path::{Path, PathBuf};

use report::Report;

#[tokio::main]
async fn main() {
    let dossiers = std::env::var("BENCH_DOSSIERS");
    let dossiers = dossiers.ok().and_then(|text| text.parse().ok()).unwrap_or(10_000);
    let scratch = tempfile::tempdir().expect("a temporary folder");
    let hub = scratch.path().join("hub");
    copy(&stocked(dossiers), &hub);
    let mut report = Report::new(dossiers);
    let only = std::env::var("BENCH_ONLY").unwrap_or_default();
    let is_wanted = |part: &str| only.is_empty() || only == part;
    if is_wanted("views") {
        views::measure(&hub, dossiers, &mut report).await;
    }
    if is_wanted("pages") {
        pages::measure(&hub, dossiers, &mut report).await;
    }
    if is_wanted("alone") {
        alone::measure(&hub, &mut report).await;
    }
    if is_wanted("linked") {
        linked::measure(scratch.path(), dossiers, &mut report).await;
    }
    report.print();
}

/// The folder of a hub with this many dossiers; made once and kept with the build.
fn stocked(dossiers: u64) -> PathBuf {
    let kept = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("stock-{dossiers}"));
    if !kept.join("done").exists() {
        drop(std::fs::remove_dir_all(&kept));
        stock::found(&kept, dossiers);
        std::fs::write(kept.join("done"), "").expect("writes");
    }
    kept
}

fn copy(from: &Path, to: &Path) {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    std::fs::DirBuilder::new().mode(0o700).create(to).expect("a new folder");
    for entry in std::fs::read_dir(from).expect("reads") {
        let entry = entry.expect("reads");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).expect("copies");
            let mode = entry.metadata().expect("reads").permissions().mode();
            let same = std::fs::Permissions::from_mode(mode);
            std::fs::set_permissions(&target, same).expect("sets the mode");
        }
    }
}
