use lienthong_protocol::{Moment, NodeId};
use serde_json::json;

use super::{Outgoing, Sender, TAKEOVER_MS};
use crate::fixture_tests::{MINUTE_MS, MORNING, act, minute, office, opened, read, with};
use crate::{ActKind, Dossier, NewAct, NoticeChannel};

const NODES: [u8; 3] = [7, 3, 5];

fn nodes(numbers: &[u8]) -> Vec<NodeId> {
    numbers.iter().map(|number| NodeId::from_bytes([*number; 32])).collect()
}

/// What the node `node` of `place` has to send, when these nodes of it are admitted.
fn outbox(dossier: &Dossier, place: &str, node: u8, admitted: &[u8], now: Moment) -> Vec<Outgoing> {
    let nodes = nodes(admitted);
    let sender =
        Sender { office: office(place), node: NodeId::from_bytes([node; 32]), nodes: &nodes };
    dossier.outbox(&sender, |_| true, now)
}

fn about(id: &str, kind: ActKind, regards: &str) -> NewAct {
    NewAct { regards: Some(regards.into()), ..act(id, kind) }
}

fn queued(id: &str, event: &str) -> NewAct {
    let notice = json!({ "notice": { "channel": "sms" } });
    let detail = Some(serde_json::from_value(notice).expect("a detail"));
    NewAct { detail, ..about(id, ActKind::NotificationQueued, event) }
}

/// Finished, and queued at minute 3 that the applicant is told so.
fn waiting() -> lienthong_document::Document {
    let acts = [act("b", ActKind::InProcess), act("c", ActKind::Finished), queued("q", "c")];
    with(&opened(), &acts)
}

#[test]
fn one_node_of_one_office_sends_at_once() {
    let dossier = read(&waiting());
    let all = ["HOIAN", "STNMT", "STC"];
    let from = |place, node| outbox(&dossier, place, node, &NODES, minute(3)).len();
    let senders = all.iter().flat_map(|place| NODES.map(|node| (*place, node, from(place, node))));
    let senders: Vec<_> = senders.filter(|(.., count)| *count > 0).collect();
    assert_eq!(senders, [("HOIAN", 3, 1)], "the ward's node of the lowest id");
    let sent = outbox(&dossier, "HOIAN", 3, &NODES, minute(3)).remove(0);
    assert_eq!((sent.queued.as_str(), sent.event.as_str()), ("q", "c"));
    assert_eq!((sent.queued_at, sent.key), (minute(3), format!("{}:c:sms", dossier.id)));
    assert_eq!(dossier.address(sent.channel), Some("0000123456"));
    assert_eq!(dossier.address(NoticeChannel::Email), Some("hoa@vidu.vn"));
}

#[test]
fn the_next_node_takes_over_with_the_same_key() {
    let dossier = read(&waiting());
    let after = |minutes: u64| Moment(minute(3).0 + minutes * MINUTE_MS);
    let wait = TAKEOVER_MS / MINUTE_MS;
    // Who sends: the admitted nodes, the minutes that nothing was heard, those that send.
    let cases: [(&[u8], u64, &[u8]); 7] = [
        (&NODES, 0, &[3]),
        (&NODES, wait - 1, &[3]),
        (&NODES, wait, &[5, 3]),
        (&NODES, 2 * wait, &[7, 5, 3]),
        (&[7, 5], 0, &[5]),
        (&[7], 0, &[7]),
        (&[], 9 * wait, &[]),
    ];
    for (admitted, minutes, expected) in cases {
        let sends = |node: &u8| outbox(&dossier, "HOIAN", *node, admitted, after(minutes));
        let mut senders: Vec<u8> =
            NODES.into_iter().filter(|node| !sends(node).is_empty()).collect();
        senders.sort_by(|one, other| other.cmp(one));
        assert_eq!(senders, expected, "{admitted:?} after {minutes} minutes");
        for node in senders {
            assert_eq!(sends(&node)[0].key, format!("{}:c:sms", dossier.id));
        }
    }
}

#[test]
fn nothing_is_sent_twice_early_or_about_what_does_not_hold() {
    let far = Moment(MORNING.0 + 999 * TAKEOVER_MS);
    let by_first = |document| outbox(&read(document), "HOIAN", 3, &NODES, far).len();
    let waiting = waiting();
    assert_eq!(by_first(&waiting), 1);
    let sent = with(&waiting, &[about("s", ActKind::NotificationSent, "q")]);
    assert_eq!(by_first(&sent), 0);
    let failed = with(&waiting, &[about("e", ActKind::NotificationFailed, "q")]);
    assert_eq!(by_first(&failed), 0, "it waits until it is queued again");
    let again = with(&failed, &[queued("q2", "c")]);
    let outgoing = outbox(&read(&again), "HOIAN", 3, &NODES, far).remove(0);
    assert_eq!((outgoing.queued.as_str(), outgoing.queued_at), ("q2", minute(5)));
    let taken_back = with(&waiting, &[about("r", ActKind::Reversed, "c")]);
    assert_eq!(by_first(&taken_back), 0, "the result that it tells of was taken back");
}

#[test]
fn a_closed_office_leaves_it_to_the_next() {
    let dossier = read(&waiting());
    let nodes = nodes(&NODES);
    let of = |place| Sender { office: office(place), node: nodes[1], nodes: &nodes };
    let is_open = |place| place != office("HOIAN");
    assert_eq!(dossier.outbox(&of("HOIAN"), is_open, minute(3)), []);
    let sent = dossier.outbox(&of("STNMT"), is_open, minute(3));
    assert_eq!(sent[0].key, format!("{}:c:sms", dossier.id));
}
