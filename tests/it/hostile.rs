//! Whoever breaks a rule loses its own link, by name, and nobody else's.

use lienthong_document::{Actor, Document};
use lienthong_dossier::{Code, Opening, Reception, receive};
use lienthong_protocol::{
    Batch, Change, CloseCode, DocumentId, FederationId, Frame, Header, Hello, Incarnation, Kind,
    Moment, NodeKey, Report, ReportOrder, Reports, Told, VersionRange,
};
use lienthong_request::Request;
use lienthong_tests::{
    BATCH_LANE, CONTROL_LANE, Impostor, Journal, Stranger, Witness, World, office,
};
use serde_json::json;

/// What the holder of EAST's key would say first, if it were EAST.
async fn hello(world: &World) -> Hello {
    Hello {
        versions: VersionRange::OURS,
        federation: world.node("HUB").membership().federation,
        office: office("EAST"),
        incarnation: Incarnation(1),
        at: Moment(1_700_000_000_000),
        addresses: Vec::new(),
        agent: "mallory".into(),
    }
}

fn on_control(frame: &[u8]) -> Vec<u8> {
    [&[CONTROL_LANE], frame].concat()
}

fn greeting(hello: Hello) -> Vec<u8> {
    on_control(&Frame::Hello(hello).encode().expect("a hello within the limits"))
}

/// The hub with WEST, and EAST's key in the hands of somebody who says `bytes`: the hub closes
/// that link with `code`, tells the peer and its own operator so, and WEST notices nothing.
async fn check(world: &World, bytes: &[u8], code: CloseCode) {
    let witness = Witness::of(world, "HUB", "WEST").await;
    let mallory = Stranger::reach(world.node("HUB").address(), &world.key("EAST")).await;
    let stream = mallory.says(bytes).await;
    assert_eq!(mallory.closed().await, code);
    drop(stream);
    world.until_closed("HUB", "EAST", code.name()).await;
    let east = world.link("HUB", "EAST").await;
    assert_eq!((&east["state"], &east["settled"]), (&"down".into(), &false.into()), "{east}");
    assert_eq!(east["last_close"]["by_peer"], false, "{east}");
    witness.saw_no_harm(world).await;
}

/// A hub that knows WEST, which runs, and EAST, which does not.
async fn hub_and_two() -> World {
    let mut world = World::new().await;
    world.join("WEST").await;
    world.join_only("EAST").await;
    world
}

#[tokio::test(flavor = "multi_thread")]
async fn garbage_closes_its_link_alone() {
    let world = hub_and_two().await;
    // A head that promises a hello, and no hello.
    let garbage = on_control(&[9, 0, 0, 0, 1, 255, 255, 255, 255, 0, 0, 0, 0]);
    check(&world, &garbage, CloseCode::MALFORMED_FRAME).await;
    // The same after a good start, on a link that is connected.
    let good = hello(&world).await;
    let later = [greeting(good), garbage[1..].to_vec()].concat();
    check(&world, &later, CloseCode::MALFORMED_FRAME).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_frame_over_the_limit_closes_its_link_alone() {
    let world = hub_and_two().await;
    let head = [&(3_u32 << 20).to_le_bytes()[..], &[1]].concat();
    check(&world, &on_control(&head), CloseCode::FRAME_TOO_LONG).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hello_that_does_not_fit_closes_its_link_alone() {
    let world = hub_and_two().await;
    let good = hello(&world).await;
    let foreign = Hello { federation: FederationId::from_bytes([5; 32]), ..good.clone() };
    check(&world, &greeting(foreign), CloseCode::WRONG_FEDERATION).await;
    let borrowed = Hello { office: office("HILL"), ..good };
    check(&world, &greeting(borrowed), CloseCode::WRONG_OFFICE).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_report_that_its_node_did_not_sign_closes_its_link_alone() {
    let world = hub_and_two().await;
    let federation = world.node("HUB").membership().federation;
    let order = ReportOrder { run: u64::MAX, incarnation: Incarnation(1), number: 1 };
    let signed = Report::sign(federation, &world.key("EAST"), order, b"well".to_vec());
    let report = Report { body: b"ill".to_vec(), ..signed };
    let told = vec![Told { report, age_ms: 0, skew_ms: None }];
    let forged = Frame::Reports(Reports { told }).encode().expect("within the limits");
    let bytes = [greeting(hello(&world).await), forged].concat();
    check(&world, &bytes, CloseCode::MALFORMED_FRAME).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_nobody_registered_is_refused_before_it_is_heard() {
    let journal = Journal::open();
    let mut world = World::new().await;
    world.join("WEST").await;
    let witness = Witness::of(&world, "HUB", "WEST").await;
    let key = NodeKey::from_seed([66; 32]);
    let mallory = Stranger::reach(world.node("HUB").address(), &key).await;
    // Whoever read this would close the link with another code.
    let stream = mallory.says(&on_control(&[0, 0, 0, 0, 0])).await;
    assert_eq!(mallory.closed().await, CloseCode::UNKNOWN_NODE);
    drop(stream);
    assert!(journal.says(&["link-refused", key.id().short().as_str(), "unknown-node"]));
    let links = world.ask("HUB", Request::Peers).await.expect("answers");
    assert!(!links.to_string().contains(&key.id().to_string()), "it has no link: {links}");
    witness.saw_no_harm(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_with_another_key_at_the_address_of_the_hub_hears_nothing() {
    let mut world = World::new().await;
    world.join("EAST").await;
    world.settle_between("HUB", "EAST").await;
    world.join("HILL").await;
    world.settle().await;
    let address = world.node("HUB").address();
    world.cut("HUB").await;
    let witness = Witness::of(&world, "EAST", "HILL").await;
    let impostor = Impostor::at(address);
    world.until_closed("EAST", "HUB", "wrong-key").await;
    impostor.leaves_unheard().await;
    witness.saw_no_harm(&world).await;
    world.reconnect("HUB").await;
    world.settle_between("EAST", "HUB").await;
}

/// A dossier that the holder of EAST's key opens in the name of the hub.
fn forged(key: &NodeKey) -> Change {
    let (incarnation, at) = (Incarnation(1), Moment(1_700_000_000_000));
    let reception: Reception = serde_json::from_value(json!({
        "procedure": "1.001193.H47",
        "offices": { "receiving": "HUB" },
        "applicant": { "kind": "citizen", "name": "Nguyễn Văn An" },
    }))
    .expect("it has the form of a reception");
    let reception = reception.check().expect("it could be received");
    let code = Code::issue("000.00.00.H47", at, 7_001).expect("a code");
    let opening = Opening::received(code, "forged-1", "nobody", at);
    let actor = Actor::derive(key.id(), incarnation);
    let draft = Document::new().edit(actor, |editor| receive(editor, &reception, &opening));
    let header = Header {
        document: DocumentId::derive(key.id(), incarnation, 1, at),
        kind: Kind::DOSSIER,
        author: key.id(),
        office: office("EAST"),
        incarnation,
        seq: 1,
        at,
        adds: vec![office("HUB")],
    };
    let draft = draft.expect("a skeleton");
    Change::sign(header, draft.payload(), key).expect("a change within the limits")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_signed_in_the_name_of_another_office_is_kept_and_counts_nowhere() {
    let world = hub_and_two().await;
    let key = world.key("EAST");
    let forged = forged(&key);
    let document = forged.header().document.to_string();
    let mallory = Stranger::reach(world.node("HUB").address(), &key).await;
    let hello = mallory.says(&greeting(hello(&world).await)).await;
    let batch = Frame::Batch(Batch { number: 1, records: vec![forged.bytes().clone()] });
    let batch = batch.encode().expect("a batch within the limits");
    let stream = mallory.says(&[&[BATCH_LANE], &batch[..]].concat()).await;
    world.reaches("HUB", &document).await;
    drop((hello, stream));
    let shown = world.show("HUB", &document).await.expect("held");
    assert_eq!(shown["acts"][0]["effect"], "unconfirmed", "{shown}");
    assert_eq!(shown["acts"][0]["doubt"]["code"], "signed-by-another", "{shown}");
    assert_eq!(shown["status"], 1, "nothing that counts has taken it in: {shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn noise_at_the_port_disturbs_no_link() {
    let mut world = World::new().await;
    world.join("WEST").await;
    let witness = Witness::of(&world, "HUB", "WEST").await;
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").expect("loopback");
    for length in 0..1_200_u32 {
        let noise: Vec<u8> = (0..length).map(|at| (at * 31 + length * 17) as u8).collect();
        socket.send_to(&noise, world.node("HUB").address()).expect("UDP can be sent");
    }
    witness.saw_no_harm(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_nodes_log_names_no_applicant() {
    let journal = Journal::open();
    let mut world = World::new().await;
    world.join("EAST").await;
    let dossier = world.receive("EAST", "Huỳnh Thị Kín").await;
    world.reaches("HUB", &dossier).await;
    world.settle().await;
    let short = world.id("EAST").await.short();
    assert!(journal.says(&["node-joined", short.as_str()]), "the log is on");
    assert!(!journal.says(&["Huỳnh Thị Kín"]));
}
