//! Who may depend on whom, and where versions and lints come from.

use toml::{Table, Value};

use super::{Finding, Member, Source, assert_caught, assert_clean, lexed::Lexed, members, sources};

/// Each layer with the layers it may depend on: arrows point down, siblings do not know each other.
const ARROWS: [(&str, &[&str]); 23] = [
    ("protocol", &[]),
    ("document", &["protocol"]),
    ("health", &["protocol"]),
    ("federation", &["protocol", "document"]),
    ("catalogue", &["protocol", "document"]),
    ("dossier", &["protocol", "document", "catalogue"]),
    ("replica", &["protocol", "document", "federation", "dossier"]),
    ("store", &["protocol", "document", "federation", "dossier"]),
    ("crash", &["protocol", "store"]),
    ("transport", &["protocol", "document", "federation", "dossier"]),
    ("views", &["protocol", "document", "federation", "catalogue", "dossier"]),
    ("qr", &[]),
    ("forms", &["protocol", "document", "catalogue", "dossier", "qr"]),
    ("request", &["protocol", "dossier"]),
    ("folder", &["protocol", "request"]),
    ("certificate", &["protocol", "request", "folder"]),
    ("console", &["protocol", "catalogue", "dossier", "request"]),
    ("web", &["protocol", "catalogue", "request", "folder", "certificate"]),
    ("desk", &BELOW_DESK),
    ("board", &["protocol", "catalogue", "qr", "request", "folder", "web"]),
    ("node", &BELOW_NODE),
    ("sim", &BELOW_NODE),
    ("tests", &BELOW_TESTS),
];

const BELOW_DESK: [&str; 9] =
    ["protocol", "catalogue", "dossier", "views", "qr", "forms", "request", "folder", "web"];

const BELOW_NODE: [&str; 18] = [
    "qr",
    "protocol",
    "health",
    "document",
    "federation",
    "catalogue",
    "dossier",
    "forms",
    "replica",
    "store",
    "transport",
    "views",
    "request",
    "folder",
    "console",
    "web",
    "desk",
    "board",
];

const BELOW_TESTS: [&str; 19] = [
    "protocol",
    "health",
    "document",
    "federation",
    "catalogue",
    "dossier",
    "forms",
    "replica",
    "store",
    "transport",
    "views",
    "request",
    "folder",
    "console",
    "web",
    "desk",
    "board",
    "node",
    "sim",
];

/// Libraries that one layer alone may know. The hostile peer of `tests` speaks QUIC without the
/// transport, so that it can break the rules that the transport keeps.
const OWNERS: [(&str, &[&str]); 6] = [
    ("automerge", &["document"]),
    ("bincode", &["protocol"]),
    ("sled", &["store"]),
    ("quinn", &["transport", "tests"]),
    ("rustls", &["transport", "certificate", "tests"]),
    ("rusqlite", &["views"]),
];

/// The one file that may name bincode.
const CODEC: &str = "protocol/src/codec.rs";

const MAX_LIBRARY_DEPENDENCIES: usize = 10;

#[test]
fn dependencies_follow_the_layers() {
    assert_clean(&each_member(wrong_arrows));
}

#[test]
fn a_library_with_one_owner_is_known_to_no_other_crate() {
    assert_clean(&each_member(wrong_owners));
}

#[test]
fn only_the_codec_names_bincode() {
    assert_clean(&bincode_outside_codec(&sources("rs")));
}

#[test]
fn versions_and_lints_come_from_the_workspace() {
    assert_clean(&each_member(own_settings));
}

#[test]
fn a_library_has_few_direct_dependencies() {
    assert_clean(&each_member(too_many_dependencies));
}

fn each_member(rule: fn(&Member) -> Vec<Finding>) -> Vec<Finding> {
    members().iter().flat_map(rule).collect()
}

fn wrong_arrows(member: &Member) -> Vec<Finding> {
    let Some((_, allowed)) = ARROWS.iter().find(|(layer, _)| *layer == member.layer()) else {
        let fault = format!("{} is no layer", member.layer());
        return vec![Finding::new(
            member.manifest_path(),
            fault,
            "give it a place in ARROWS first",
        )];
    };
    let layers = dependencies(member).filter_map(|(name, _)| layer_of(name));
    let wrong = layers.filter(|layer| !allowed.contains(layer));
    let finding = |layer| {
        let fault = format!("{} must not depend on {layer}", member.layer());
        let remedy = "move the shared type down, or let node join the two";
        Finding::new(member.manifest_path(), fault, remedy)
    };
    wrong.map(finding).collect()
}

/// The layer that a package of this workspace is, or nothing for a package from elsewhere.
fn layer_of(package: &str) -> Option<&str> {
    match package {
        "lienthong" => Some("node"),
        _ => package.strip_prefix("lienthong-"),
    }
}

fn wrong_owners(member: &Member) -> Vec<Finding> {
    let owned = dependencies(member).filter_map(|(name, _)| {
        OWNERS
            .iter()
            .find(|(library, owners)| *library == name && !owners.contains(&member.layer()))
    });
    let finding = |(library, owners): &(&str, &[&str])| {
        let fault = format!("only {} may know {library}", owners.join(" and "));
        Finding::new(member.manifest_path(), fault, "add what you need to its owner")
    };
    owned.map(finding).collect()
}

fn bincode_outside_codec(sources: &[Source]) -> Vec<Finding> {
    let others = sources.iter().filter(|source| source.path != CODEC);
    let naming = others.flat_map(|source| {
        let lexed = Lexed::new(&source.text);
        let lines = lexed.lines_with_word("bincode");
        lines.into_iter().map(|line| source.place(line)).collect::<Vec<_>>()
    });
    let remedy = "encode through lienthong_protocol::codec";
    naming
        .map(|place| Finding::new(place, "bincode outside protocol/src/codec.rs", remedy))
        .collect()
}

fn own_settings(member: &Member) -> Vec<Finding> {
    let mut findings = Vec::new();
    let inherits = |value: Option<&Value>| {
        value.and_then(|value| value.get("workspace")).and_then(Value::as_bool) == Some(true)
    };
    if !inherits(member.manifest.get("lints")) {
        let remedy = "add [lints] workspace = true";
        findings.push(Finding::new(member.manifest_path(), "lints are not inherited", remedy));
    }
    for (name, value) in dependencies(member).filter(|(_, value)| !inherits(Some(value))) {
        let fault = format!("{name} has its own version ({value})");
        let remedy = "list it in [workspace.dependencies] and take it with workspace = true";
        findings.push(Finding::new(member.manifest_path(), fault, remedy));
    }
    findings
}

fn too_many_dependencies(member: &Member) -> Vec<Finding> {
    let count = member.manifest.get("dependencies").and_then(Value::as_table).map_or(0, Table::len);
    // Where many meet: the node and the tests join all layers; web keeps HTTP, passwords, templates
    // and figures out of every other crate, and desk answers for all that can be asked.
    let joins_many = ["node", "tests", "web", "desk"].contains(&member.layer());
    if count <= MAX_LIBRARY_DEPENDENCIES || joins_many {
        return Vec::new();
    }
    let fault = format!("{count} direct dependencies, the limit is {MAX_LIBRARY_DEPENDENCIES}");
    vec![Finding::new(
        member.manifest_path(),
        fault,
        "drop one, or move its use to the crate above",
    )]
}

/// Every dependency of a member: at run time, for tests, for the build, for one platform.
fn dependencies(member: &Member) -> impl Iterator<Item = (&str, &Value)> {
    let platforms = member.manifest.get("target").and_then(Value::as_table);
    let platforms = platforms.into_iter().flat_map(|table| table.values());
    let tables = platforms.filter_map(Value::as_table).chain([&member.manifest]);
    let kinds = ["dependencies", "dev-dependencies", "build-dependencies"];
    let kinds = tables.flat_map(move |table| kinds.into_iter().filter_map(|kind| table.get(kind)));
    kinds.filter_map(Value::as_table).flatten().map(|(name, value)| (name.as_str(), value))
}

#[test]
fn a_new_arrow_is_caught() {
    let upward = "[dependencies]\nlienthong-store.workspace = true";
    assert_caught(&wrong_arrows(&Member::new("protocol", upward)), "must not depend on store");
    let sideways = "[dev-dependencies]\nlienthong-transport.workspace = true";
    assert_caught(&wrong_arrows(&Member::new("crates/store", sideways)), "depend on transport");
    let to_the_top = "[target.'cfg(unix)'.dependencies]\nlienthong.workspace = true";
    assert_caught(&wrong_arrows(&Member::new("crates/sim", to_the_top)), "must not depend on node");
    assert_caught(&wrong_arrows(&Member::new("crates/util", "")), "util is no layer");
    let downward = "[dependencies]\nlienthong-protocol.workspace = true\nserde.workspace = true";
    assert_clean(&wrong_arrows(&Member::new("crates/replica", downward)));
}

#[test]
fn a_borrowed_library_is_caught() {
    let manifest = "[dependencies]\nsled.workspace = true";
    assert_caught(&wrong_owners(&Member::new("node", manifest)), "only store may know sled");
    assert_clean(&wrong_owners(&Member::new("crates/store", manifest)));
    let network = "[dependencies]\nquinn.workspace = true";
    let words = "only transport and tests may know quinn";
    assert_caught(&wrong_owners(&Member::new("node", network)), words);
    assert_clean(&wrong_owners(&Member::new("tests", network)));
}

#[test]
fn bincode_in_another_file_is_caught() {
    let text = "// bincode in a comment\nfn f() { bincode::serialize(&1); }";
    let frame = Source::new("protocol/src/frame.rs", text);
    assert_caught(&bincode_outside_codec(&[frame]), "protocol/src/frame.rs:2");
    assert_clean(&bincode_outside_codec(&[Source::new(CODEC, text)]));
}

#[test]
fn an_own_version_and_missing_lints_are_caught() {
    let own_version = "[dependencies]\nserde = \"1\"\n[lints]\nworkspace = true";
    assert_caught(&own_settings(&Member::new("node", own_version)), "serde has its own version");
    assert_caught(&own_settings(&Member::new("node", "")), "lints are not inherited");
}

#[test]
fn an_eleventh_dependency_is_caught() {
    let list: String = (0..11).map(|n| format!("dep{n}.workspace = true\n")).collect();
    let manifest = format!("[dependencies]\n{list}");
    let store = Member::new("crates/store", &manifest);
    assert_caught(&too_many_dependencies(&store), "11 direct dependencies, the limit is 10");
    assert_clean(&too_many_dependencies(&Member::new("node", &manifest)));
}
