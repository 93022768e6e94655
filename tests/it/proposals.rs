//! An officer of a commune proposes, the hub sees it and answers with the version of the catalogue
//! that carries it, and the commune sees the answer.

use std::slice;

use lienthong_protocol::DocumentId;
use lienthong_request::{Deciding, Failure, ProposalFilter, Proposing, Publishing, Request};
use lienthong_tests::World;
use serde_json::Value;

const CATALOGUE: &str = include_str!("../../config/quang-nam/procedures.toml");
const CODE: &str = "1.001193.H47";
/// What follows the procedure in the reference catalogue.
const NEXT: &str = "[[procedure]]\ncode = \"1.000894.H47\"\n";

/// The next edition, in which a later version of the procedure is content with two papers.
fn carrying() -> String {
    let papers = ["TP01", "TP02"].map(|code| {
        format!("  {{ code = \"{code}\", name = \"Giấy {code}\", originals = 1, copies = 0 }},\n")
    });
    let revision = format!(
        "[[procedure.revision]]\nversion = 3\nvalid_from = \"2026-01-01\"\ncomponents = [\n{}]\n\n",
        papers.concat()
    );
    assert_eq!(CATALOGUE.matches(NEXT).count(), 1, "the test knows the catalogue");
    let numbered = CATALOGUE.replacen("version = 1", "version = 2", 1);
    numbered.replacen(NEXT, &format!("{revision}{NEXT}"), 1)
}

async fn publish(world: &World, text: &str) -> Result<Value, Failure> {
    let text = text.replace("publisher = \"QNM-HCC\"", "publisher = \"HUB\"");
    let (what, file) = (Publishing::Catalogue, "sent.toml".to_owned());
    world.ask("HUB", Request::Publish { what, file, text, from: None }).await
}

async fn propose(world: &World, name: &str, cut: [&str; 2], why: &str) -> Result<Value, Failure> {
    let (cut, why) = (cut.map(str::to_owned).to_vec(), why.to_owned());
    let (procedure, officer) = (CODE.to_owned(), "lan".to_owned());
    let asked = Proposing { procedure, cut, case: None, why, officer };
    world.ask(name, Request::Propose(Box::new(asked))).await.map(bare)
}

async fn decide(
    world: &World,
    name: &str,
    proposal: DocumentId,
    (accept, decline): (Option<u32>, Option<&str>),
) -> Result<Value, Failure> {
    let (decline, officer) = (decline.map(str::to_owned), "minh".to_owned());
    let asked = Deciding { proposal, accept, decline, officer };
    world.ask(name, Request::Decide(Box::new(asked))).await.map(bare)
}

/// An answer as it stands in a list of them.
fn bare(mut answer: Value) -> Value {
    answer.as_object_mut().expect("an object").remove("schema");
    answer
}

async fn proposals(world: &World, name: &str, open: bool) -> Vec<Value> {
    let filter = ProposalFilter { open, ..ProposalFilter::default() };
    let page = world.ask(name, Request::Proposals(filter)).await.expect("answers");
    page["proposals"].as_array().expect("a list").clone()
}

fn id(proposal: &Value) -> DocumentId {
    proposal["id"].as_str().and_then(|id| id.parse().ok()).expect("an id")
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_commune_proposes_is_answered_with_the_version_that_carries_it() {
    let mut world = World::new().await;
    for name in ["EAST", "WEST", "HILL"] {
        world.join(name).await;
    }
    let early = propose(&world, "HILL", ["component", "TP03"], "thừa").await;
    assert_eq!(early.expect_err("nothing is offered yet").code, "unknown-procedure");
    publish(&world, CATALOGUE).await.expect("the hub is entitled");
    world.settle().await;

    for (cut, why, code) in [
        (["component", "TP99"], "thừa", "component-unknown"),
        (["component", "TP03"], " ", "text-length"),
        (["fee", "0"], "thừa", "cut-unknown"),
    ] {
        let failure = propose(&world, "HILL", cut, why).await.expect_err("it is refused");
        assert_eq!(failure.code, code);
        assert!(failure.why.contains(" / ") && failure.remedy.contains(" / "), "{failure}");
    }
    assert_eq!(proposals(&world, "HILL", false).await, [] as [Value; 0], "nothing was stored");

    let why = "Không ai xem giấy này thu\u{031b}\u{0300}a";
    let made = propose(&world, "HILL", ["component", "TP03"], why).await.expect("it is there");
    assert_eq!((&made["state"], &made["office"]), (&"open".into(), &"HILL".into()));
    assert_eq!(made["why"], "Không ai xem giấy này thừa");
    let arrived = async || !proposals(&world, "HUB", true).await.is_empty();
    world.until("the proposal at HUB", arrived).await;
    assert_eq!(proposals(&world, "HUB", true).await, slice::from_ref(&made));
    let above = proposals(&world, "EAST", true).await;
    assert_eq!(above, slice::from_ref(&made), "it stands above HILL");
    assert_eq!(proposals(&world, "WEST", true).await, [] as [Value; 0]);

    let proposal = id(&made);
    for (name, answer, code) in [
        ("EAST", (None, Some("không")), "not-root"),
        ("HUB", (None, None), "text-length"),
        ("HUB", (Some(1), None), "cut-not-carried"),
        ("HUB", (Some(2), None), "edition-unknown"),
    ] {
        let failure = decide(&world, name, proposal, answer).await.expect_err("it is refused");
        assert_eq!(failure.code, code);
    }
    publish(&world, &carrying()).await.expect("it is a new version");
    let accepted = decide(&world, "HUB", proposal, (Some(2), None)).await.expect("it is carried");
    assert_eq!(accepted["state"], "accepted");
    let again = decide(&world, "HUB", proposal, (None, Some("thôi"))).await;
    assert_eq!(again.expect_err("it has an answer").code, "proposal-answered");

    let answered = async || proposals(&world, "HILL", true).await.is_empty();
    world.until("the answer at HILL", answered).await;
    let there = proposals(&world, "HILL", false).await;
    assert_eq!(there, [accepted]);
    let answer = &there[0]["answers"][0];
    assert_eq!((&answer["office"], &answer["edition"]), (&"HUB".into(), &2.into()));
    assert_eq!((&answer["effect"], &answer["carried"]), (&"effective".into(), &true.into()));
}
