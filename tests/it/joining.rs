//! What a join code is worth: one node, one office, one hub, until it expires.

use std::time::{Duration, SystemTime};

use lienthong_folder::Invitations;
use lienthong_protocol::{FederationId, Invitation, JoinSecret, Moment, NodeId, Reply};
use lienthong_request::{Exit, Request};
use lienthong_tests::{Impostor, Witness, World, office};
use lienthong_transport::{Answer, LinkEvent};
use serde_json::{Value, json};

/// A code with something changed and check characters that fit.
fn forged(code: &str, change: impl FnOnce(&mut Invitation)) -> String {
    let mut invitation = Invitation::from_code(code).expect("the hub makes good codes");
    change(&mut invitation);
    code_of(&invitation)
}

fn code_of(invitation: &Invitation) -> String {
    invitation.to_code().expect("as short as the hub made it")
}

/// The code and exit of the failure with which an office is not let in.
async fn refusal(world: &World, name: &str, code: &str) -> (String, Exit) {
    let failure = world.try_join(name, code).await.expect_err("this code is not good");
    (failure.code, failure.exit)
}

fn refused(code: &str) -> (String, Exit) {
    (code.to_owned(), Exit::Refused)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_code_that_was_altered_lets_nobody_in() {
    let mut world = World::new().await;
    world.join("WEST").await;
    let witness = Witness::of(&world, "HUB", "WEST").await;
    let code = world.invite("EAST").await;
    let mut typed = code.clone().into_bytes();
    typed[20] = if typed[20] == b'0' { b'1' } else { b'0' };
    let mistyped = String::from_utf8(typed).expect("ASCII");
    assert_eq!(refusal(&world, "EAST", &mistyped).await, refused("join-code-altered"));
    let guessed = forged(&code, |invitation| invitation.secret = JoinSecret([7; 16]));
    assert_eq!(refusal(&world, "EAST", &guessed).await, refused("code-unknown"));
    let moved = forged(&code, |invitation| invitation.office = office("HILL"));
    assert_eq!(refusal(&world, "HILL", &moved).await, refused("code-for-other-office"));
    let foreign = |invitation: &mut Invitation| {
        invitation.federation = FederationId::from_bytes([5; 32]);
    };
    let abroad = forged(&code, foreign);
    assert_eq!(refusal(&world, "EAST", &abroad).await, refused("wrong-federation"));
    witness.saw_no_harm(&world).await;
    // None of this has used it up.
    drop(world.try_join("EAST", &code).await.expect("the code itself is good"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hub_that_crashed_before_it_marked_the_code_lets_the_node_in_again() {
    let mut world = World::new().await;
    let code = world.invite("EAST").await;
    let node = world.try_join("EAST", &code).await.expect("a good code").key().id();
    world.stop("HUB").await;
    let book = world.path("HUB").join("invitations.json");
    let text = std::fs::read_to_string(&book).expect("the hub has a book");
    let mut codes: Value = serde_json::from_str(&text).expect("the hub wrote it");
    let approved = json!({ "state": "approved", "node": node.to_string(), "addresses": [] });
    for code in codes.as_object_mut().expect("codes by name").values_mut() {
        code["standing"] = approved.clone();
    }
    std::fs::write(&book, codes.to_string()).expect("there is space");
    // The node got no answer: it has its key, and nothing else.
    std::fs::remove_file(world.path("EAST").join("federation.json")).expect("it has joined");
    std::fs::remove_dir_all(world.log("EAST")).expect("it has joined");
    world.start("HUB").await;
    let address = world.node("HUB").address().to_string();
    let moved = forged(&code, |invitation| invitation.addresses = vec![address]);
    drop(world.try_join("EAST", &moved).await.expect("the same node with the same code"));
    world.start("EAST").await;
    world.settle().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_used_code_lets_nobody_else_in() {
    let mut world = World::new().await;
    let code = world.invite("EAST").await;
    drop(world.try_join("EAST", &code).await.expect("joins"));
    world.start("EAST").await;
    let witness = Witness::of(&world, "HUB", "EAST").await;
    assert_eq!(refusal(&world, "EAST-AGAIN", &code).await, refused("code-used"));
    assert_eq!(refusal(&world, "WEST", &code).await, refused("code-used"));
    witness.saw_no_harm(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_expired_code_lets_nobody_in() {
    let mut world = World::founded();
    // Given out two hours ago for one: nobody waits for that hour here.
    let hour = Duration::from_secs(3600);
    let today = SystemTime::UNIX_EPOCH.elapsed().expect("the clock is past 1970");
    let given_out = Moment(u64::try_from((today - 2 * hour).as_millis()).expect("a near year"));
    let (secret, expires) = (JoinSecret([9; 16]), given_out.after(hour));
    let mut book = Invitations::open(&world.path("HUB")).expect("no book is an empty one");
    book.issue(office("EAST"), &secret.hash(), expires, given_out).expect("it is entered");
    world.start("HUB").await;
    world.join("WEST").await;
    let witness = Witness::of(&world, "HUB", "WEST").await;
    let hub = world.node("HUB");
    let old = code_of(&Invitation {
        federation: hub.membership().federation,
        hub: world.id("HUB").await,
        office: office("EAST"),
        addresses: vec![hub.address().to_string()],
        secret,
        expires,
    });
    assert_eq!(refusal(&world, "EAST", &old).await, refused("code-expired"));
    // What the code says of its end is for people: the hub's book decides.
    let later = Moment(u64::from(u32::MAX) * 1_000);
    let stretched = forged(&old, |invitation| invitation.expires = later);
    assert_eq!(refusal(&world, "EAST", &stretched).await, refused("code-expired"));
    witness.saw_no_harm(&world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_false_hub_is_never_shown_the_secret() {
    let world = World::new().await;
    let code = world.invite("EAST").await;
    let anywhere = "127.0.0.1:0".parse().expect("an address");
    let impostor = Impostor::at(anywhere);
    let lure = |address: String| {
        forged(&code, |invitation: &mut Invitation| invitation.addresses = vec![address])
    };
    let wrong_key = ("wrong-key".to_owned(), Exit::Unreachable);
    let lured = lure(impostor.address().to_string());
    assert_eq!(refusal(&world, "EAST", &lured).await, wrong_key);
    impostor.leaves_unheard().await;
    // Such a listener does hear whoever means it.
    let mut impostor = Impostor::at(anywhere);
    let meant = forged(&lure(impostor.address().to_string()), |invitation| {
        invitation.hub = impostor.id();
    });
    let listener = tokio::spawn(async move {
        let LinkEvent::Knock { knock, answer, .. } = impostor.hears().await else {
            panic!("expected a knock");
        };
        let reply = Reply::Refused {
            code: "not-today".into(),
            cause: "a test".into(),
            remedy: "none".into(),
        };
        answer.send(Answer { reply, batches: Vec::new() }).expect("the new node waits");
        // Leaving now would take the answer away again.
        (knock.secret, impostor)
    });
    assert_eq!(refusal(&world, "EAST", &meant).await, refused("not-today"));
    let (told, _impostor) = listener.await.expect("the listener does not panic");
    assert!(told == Invitation::from_code(&code).expect("a good code").secret);
}

async fn waiting(world: &World) -> Vec<Value> {
    let nodes = world.ask("HUB", Request::Nodes).await.expect("answers");
    nodes["waiting"].as_array().cloned().expect("a list")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_waits_until_it_is_approved_by_hand() {
    let mut world = World::approving_by_hand().await;
    let code = world.invite("EAST").await;
    let path = world.path("EAST");
    let told = code.clone();
    let joining = tokio::spawn(async move {
        let mut waited = 0;
        let joined = lienthong::join(&path, &told, &[], || waited += 1).await;
        drop(joined.expect("it is approved in the end"));
        waited
    });
    world.until("somebody waiting", async || !waiting(&world).await.is_empty()).await;
    let guest = waiting(&world).await.remove(0);
    assert_eq!(guest["office"], "EAST");
    let node: NodeId = guest["node"].as_str().and_then(|id| id.parse().ok()).expect("its id");
    // Whoever waits is not in, and nobody else can take its place.
    let nodes = world.ask("HUB", Request::Nodes).await.expect("answers");
    assert_eq!(nodes["nodes"].as_array().map(Vec::len), Some(1), "the hub alone: {nodes}");
    assert_eq!(refusal(&world, "EAST-AGAIN", &code).await, refused("code-used"));
    world.ask("HUB", Request::Approve { node }).await.expect("it waits");
    assert!(joining.await.expect("the join does not panic") > 0, "it was let in at once");
    world.start("EAST").await;
    world.settle().await;
    assert_eq!(world.id("EAST").await, node);
    assert_eq!(waiting(&world).await, Vec::<Value>::new());
    let again = world.ask("HUB", Request::Approve { node }).await.expect_err("it is in");
    assert_eq!(again.code, "node-not-waiting");
}
