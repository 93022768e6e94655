use bytes::Bytes;
use data_encoding::HEXLOWER as HEX;
use proptest::prelude::{ProptestConfig, any};
use proptest::{prop_assert, proptest};

use crate::limits::{
    MAX_ADDRESSES, MAX_BATCH_BYTES, MAX_BATCH_CHANGES, MAX_CHANGE_BYTES, MAX_CLAIMS,
    MAX_FRAME_BYTES, MAX_LISTED_IDS, MAX_REPORT_BYTES, MAX_REPORTS, MAX_TEXT_BYTES,
};
use crate::{
    Ack, Batch, Bound, Change, Claim, Claimed, CloseCode, Compare, FederationId, Frame, FrameError,
    FrameHead, Hello, Incarnation, JoinSecret, Knock, Moment, NodeId, NodeKey, OfficeId, Ping,
    Pong, Proof, Reply, Report, ReportOrder, Reports, ShortId, ShortTally, Signature, Standing,
    Tally, Told, VersionRange, Want, Written,
};

const COMPARE: u8 = 2;
const WANT: u8 = 3;
const BATCH: u8 = 4;
const REPORTS: u8 = 10;
const AT: Moment = Moment(1_500_000_000_000);

fn office() -> OfficeId {
    "QNM-HOIAN".parse().expect("a valid office id")
}

fn hello() -> Hello {
    Hello {
        versions: VersionRange::OURS,
        federation: FederationId::from_bytes([1; 32]),
        office: office(),
        incarnation: Incarnation(0x0102_0304_0506_0708),
        at: AT,
        addresses: vec!["10.0.0.1:4930".into()],
        agent: "lienthong 0.1.0".into(),
    }
}

fn compare() -> Compare {
    let sum = Claimed::Sum(ShortTally { count: 300, sum: [2; 16] });
    let ids = Claimed::Ids(vec![ShortId::from_bytes([3; 16])]);
    let claims = vec![
        Claim { to: Bound::hour(100), what: Claimed::Skip },
        Claim { to: Bound::hour(2000), what: sum },
        Claim { to: Bound::END, what: ids },
    ];
    Compare { from: Bound::START, claims }
}

fn want() -> Want {
    let ids = vec![ShortId::from_bytes([3; 16])];
    Want { from: Bound::hour(1), to: Bound::hour(2), ids }
}

fn standing() -> Standing {
    Standing {
        root: Tally { count: 70_000, sum: [4; 32] },
        registry: Tally { count: 3, sum: [5; 32] },
        written: Written { incarnation: Incarnation(6), seq: 251 },
        authored: 300,
        held: Written { incarnation: Incarnation(7), seq: 0 },
        held_total: 250,
    }
}

fn report(node: u8) -> Report {
    let order = ReportOrder { run: 300, incarnation: Incarnation(6), number: 251 };
    let (node, signature) = (NodeId::from_bytes([node; 32]), Signature([9; 64]));
    Report { node, order, body: b"body".to_vec(), signature }
}

fn reports() -> Reports {
    let own = Told { report: report(1), age_ms: 0, skew_ms: Some(-2) };
    let below = Told { report: report(2), age_ms: 251, skew_ms: None };
    Reports { told: vec![own, below] }
}

fn knock() -> Knock {
    Knock {
        federation: FederationId::from_bytes([1; 32]),
        office: office(),
        secret: JoinSecret([8; 16]),
        addresses: vec![],
        agent: "lienthong 0.1.0".into(),
    }
}

/// One of every kind and of every enum variant, with its bytes. Written once; a difference means
/// that released nodes no longer understand each other.
fn golden() -> Vec<(Frame, &'static str)> {
    let root = Tally { count: 1, sum: [4; 32] };
    let refused = Reply::Refused {
        code: "code-expired".into(),
        cause: "the code expired".into(),
        remedy: "ask for a new one".into(),
    };
    let frames = vec![
        Frame::Hello(hello()),
        Frame::Compare(compare()),
        Frame::Want(want()),
        Frame::Batch(batch()),
        Frame::Ack(Ack { number: 1, refused: 2 }),
        Frame::Standing(standing()),
        Frame::Proof(Proof { root, at: AT, signature: Signature([9; 64]) }),
        Frame::Ping(Ping { number: 0xffff }),
        Frame::Pong(Pong { number: 0x1_0000, at: AT }),
        Frame::Reports(reports()),
        Frame::Knock(knock()),
        Frame::Reply(Reply::Welcome { batches: 2 }),
        Frame::Reply(Reply::Pending),
        Frame::Reply(refused),
    ];
    assert_eq!(frames.len(), GOLDEN.len());
    frames.into_iter().zip(GOLDEN).collect()
}

/// In the order of [`golden`].
const GOLDEN: [&str; 14] = [
    "5e000000010101010101010101010101010101010101010101010101010101010101010101010109\
     514e4d2d484f49414efd0807060504030201fd0098f73e5d010000010d31302e302e302e313a3439\
     33300f6c69656e74686f6e6720302e312e30",
    "4300000002000003fb70170000fcc0d401000001fb2c0102020202020202020202020202020202fc\
     fffffffffdffffffffffffffff020103030303030303030303030303030303",
    "16000000033c0078000103030303030303030303030303030303",
    "240000000401000000000000000e00000028b52ffd200e710000030000006f6e650300000074776f",
    "03000000050102",
    "5100000006fc70110100040404040404040404040404040404040404040404040404040404040404\
     040403050505050505050505050505050505050505050505050505050505050505050506fbfb00fb\
     2c010700fa",
    "6b00000007010404040404040404040404040404040404040404040404040404040404040404fd00\
     98f73e5d010000090909090909090909090909090909090909090909090909090909090909090909\
     09090909090909090909090909090909090909090909090909090909090909",
    "0400000008fbffff",
    "0f00000009fc00000100fd0098f73e5d010000",
    "e10000000a020101010101010101010101010101010101010101010101010101010101010101fb2c\
     0106fbfb0004626f6479090909090909090909090909090909090909090909090909090909090909\
     09090909090909090909090909090909090909090909090909090909090909090909000103020202\
     0202020202020202020202020202020202020202020202020202020202fb2c0106fbfb0004626f64\
     79090909090909090909090909090909090909090909090909090909090909090909090909090909\
     09090909090909090909090909090909090909090909090909fbfb0000",
    "4c00000020010101010101010101010101010101010101010101010101010101010101010109514e\
     4d2d484f49414e08080808080808080808080808080808000f6c69656e74686f6e6720302e312e30",
    "03000000210002",
    "020000002101",
    "3200000021020c636f64652d657870697265641074686520636f646520657870697265641161736b\
     20666f722061206e6577206f6e65",
];

fn batch() -> Batch {
    Batch { number: 1, records: vec![Bytes::from_static(b"one"), Bytes::from_static(b"two")] }
}

fn decode(frame: &[u8]) -> Result<Frame, FrameError> {
    let (head, body) = frame.split_first_chunk().expect("a frame has a head");
    let head = FrameHead::parse(*head)?;
    assert_eq!(head.body_bytes, body.len(), "the head counts kind and body");
    Frame::decode(head.kind, &Bytes::copy_from_slice(body))
}

fn code_of(kind: u8, body: &[u8]) -> Option<CloseCode> {
    let error = Frame::decode(kind, &Bytes::copy_from_slice(body)).err();
    error.and_then(|error| error.close_code())
}

#[test]
fn every_frame_has_its_golden_bytes() {
    for (frame, hex) in golden() {
        let bytes = HEX.decode(hex.as_bytes()).expect("golden bytes are hex");
        assert_eq!(decode(&bytes).expect("golden bytes decode"), frame);
        // Another zstd may compress a batch to other bytes; those of above must decode for ever.
        if !matches!(frame, Frame::Batch(_)) {
            let encoded = HEX.encode(&frame.encode().expect("encodes"));
            assert_eq!(encoded, hex, "{} frame", frame.name());
        }
    }
}

#[test]
fn every_frame_reads_back_as_the_same() {
    for (frame, _) in golden() {
        let encoded = frame.encode().expect("encodes");
        assert_eq!(decode(&encoded).expect("decodes"), frame);
    }
}

#[test]
fn a_frame_head_keeps_its_limits() {
    let head = |length: usize| {
        let [a, b, c, d] = u32::try_from(length).expect("fits").to_le_bytes();
        FrameHead::parse([a, b, c, d, 8])
    };
    assert_eq!(head(1).ok(), Some(FrameHead { kind: 8, body_bytes: 0 }));
    assert_eq!(head(MAX_FRAME_BYTES).map(|head| head.body_bytes).ok(), Some(MAX_FRAME_BYTES - 1));
    let code = |length| head(length).err().and_then(|error| error.close_code());
    assert_eq!(code(MAX_FRAME_BYTES + 1), Some(CloseCode::FRAME_TOO_LONG));
    assert_eq!(code(u32::MAX as usize), Some(CloseCode::FRAME_TOO_LONG));
    assert_eq!(code(0), Some(CloseCode::MALFORMED_FRAME));
}

#[test]
fn reports_that_do_not_ascend_are_neither_sent_nor_taken() {
    for told in [vec![long(1), long(1)], many(2).into_iter().rev().collect()] {
        let bytes = body(&told);
        assert_eq!(code_of(REPORTS, &bytes), Some(CloseCode::MALFORMED_FRAME));
        assert!(reporting(told).encode().is_err());
    }
}

#[test]
fn a_report_holds_for_its_node_its_place_and_its_federation() {
    let key = NodeKey::from_seed([5; 32]);
    let (ours, theirs) = (FederationId::from_bytes([1; 32]), FederationId::from_bytes([2; 32]));
    let order = ReportOrder { run: 2, incarnation: Incarnation(3), number: 4 };
    let signed = Report::sign(ours, &key, order, b"well".to_vec());
    assert_eq!(signed.verify(ours), Ok(()));
    assert!(signed.verify(theirs).is_err());
    let later = ReportOrder { number: 5, ..order };
    assert!(Report { order: later, ..signed.clone() }.verify(ours).is_err());
    let elsewhere = Report { node: NodeId::from_bytes([7; 32]), ..signed.clone() };
    assert!(elsewhere.verify(ours).is_err());
    assert!(Report { body: b"ill".to_vec(), ..signed }.verify(ours).is_err());
}

#[test]
fn an_unknown_kind_is_skipped_and_not_a_reason_to_close() {
    for kind in [0, 11, 31, 34, 255] {
        let error = Frame::decode(kind, &Bytes::new()).expect_err("the kind is unknown");
        assert!(matches!(error, FrameError::UnknownKind { .. }));
        assert_eq!(error.close_code(), None);
    }
}

#[test]
fn a_byte_too_few_or_too_many_is_malformed() {
    for (frame, _) in golden() {
        let encoded = frame.encode().expect("encodes");
        let body = &encoded[FrameHead::BYTES..];
        let longer = [body, &[0]].concat();
        for body in [&body[..body.len() - 1], &longer] {
            let error = Frame::decode(frame.kind(), &Bytes::copy_from_slice(body)).err();
            let code = error.and_then(|error| error.close_code());
            assert_eq!(code, Some(CloseCode::MALFORMED_FRAME), "{} frame", frame.name());
        }
    }
}

/// A list or text of a frame: its limit, the frame with so many items or bytes, and the body as
/// bytes of unlimited parts, to be told what no node of ours says.
type Limited = (usize, fn(usize) -> Frame, fn(usize) -> Vec<u8>);

fn limited() -> [Limited; 13] {
    [
        (MAX_CLAIMS, |n| Frame::Compare(skipping(n)), |n| body(&(Bound::START, skips(n)))),
        (MAX_LISTED_IDS, |n| Frame::Compare(listing(n)), |n| body(&(Bound::START, lists(n)))),
        (
            MAX_LISTED_IDS,
            |n| Frame::Want(Want { ids: ids(n), ..want() }),
            |n| body(&(want().from, want().to, ids(n))),
        ),
        (MAX_ADDRESSES, |n| greeting(texts(n), text(3)), |n| greeted(texts(n), text(3))),
        (MAX_TEXT_BYTES, |n| greeting(vec![text(n)], text(3)), |n| greeted(vec![text(n)], text(3))),
        (MAX_TEXT_BYTES, |n| greeting(texts(1), text(n)), |n| greeted(texts(1), text(n))),
        (MAX_ADDRESSES, |n| knocking(texts(n), text(3)), |n| knocked(texts(n), text(3))),
        (MAX_TEXT_BYTES, |n| knocking(vec![text(n)], text(3)), |n| knocked(vec![text(n)], text(3))),
        (MAX_TEXT_BYTES, |n| knocking(texts(1), text(n)), |n| knocked(texts(1), text(n))),
        (
            MAX_TEXT_BYTES,
            |n| refusing([text(n), text(1), text(n)]),
            |n| body(&(2_u32, [text(n), text(1), text(n)])),
        ),
        (
            MAX_TEXT_BYTES,
            |n| refusing([text(1), text(n), text(1)]),
            |n| body(&(2_u32, [text(1), text(n), text(1)])),
        ),
        (MAX_REPORTS, |n| reporting(many(n)), |n| body(&many(n))),
        (MAX_REPORT_BYTES, |n| reporting(vec![long(n)]), |n| body(&vec![long_parts(n)])),
    ]
}

#[test]
fn a_list_or_text_past_its_limit_is_neither_sent_nor_taken() {
    for (case, (limit, frame, body)) in limited().into_iter().enumerate() {
        let most = frame(limit);
        let sent = most.encode().expect("a frame at its limit encodes").split_off(FrameHead::BYTES);
        assert!(sent == body(limit), "case {case} is the frame's own form");
        assert_eq!(code_of(most.kind(), &sent), None, "case {case} at its limit");
        let code = code_of(most.kind(), &body(limit + 1));
        assert_eq!(code, Some(CloseCode::MALFORMED_FRAME), "case {case} past its limit");
        let sent = frame(limit + 1).encode().map(drop);
        let error = sent.expect_err("a frame past its limit is not sent");
        let (length, limit) = (format!(" of {} ", limit + 1), format!("the limit is {limit}"));
        let words = error.to_string();
        assert!(words.contains(&length) && words.contains(&limit), "case {case}: {words}");
    }
}

#[test]
fn a_frame_full_of_the_smallest_claims_is_refused_unread() {
    const SKIP_BYTES: usize = 3;
    let count = (MAX_FRAME_BYTES - 16) / SKIP_BYTES;
    let body = body(&(Bound::START, vec![[0_u8; SKIP_BYTES]; count]));
    assert!(body.len() > MAX_FRAME_BYTES - 32, "the frame is full");
    let error = Frame::decode(COMPARE, &body.into()).expect_err("the list is over its limit");
    let words = format!("list of {count} items, the limit is {MAX_CLAIMS}");
    assert!(error.to_string().contains(&words), "{error}");
}

fn body<T: serde::Serialize>(parts: &T) -> Vec<u8> {
    crate::codec::encode(parts, MAX_FRAME_BYTES).expect("within the length of a frame")
}

fn ids(count: usize) -> Vec<ShortId> {
    vec![ShortId::from_bytes([3; 16]); count]
}

fn listing(count: usize) -> Compare {
    let claims = vec![Claim { to: Bound::END, what: Claimed::Ids(ids(count)) }];
    Compare { from: Bound::START, claims }
}

fn lists(count: usize) -> Vec<(Bound, u32, Vec<ShortId>)> {
    vec![(Bound::END, 2, ids(count))]
}

fn skipping(count: usize) -> Compare {
    let claims = skips(count).into_iter().map(|(to, _)| Claim { to, what: Claimed::Skip });
    Compare { from: Bound::START, claims: claims.collect() }
}

fn skips(count: usize) -> Vec<(Bound, u32)> {
    let last = u32::try_from(count).expect("fits");
    (1..=last).map(|minute| (Bound { minute, prefix: 0 }, 0)).collect()
}

fn text(bytes: usize) -> String {
    "a".repeat(bytes)
}

fn texts(count: usize) -> Vec<String> {
    vec![text(3); count]
}

fn greeting(addresses: Vec<String>, agent: String) -> Frame {
    Frame::Hello(Hello { addresses, agent, ..hello() })
}

fn greeted(addresses: Vec<String>, agent: String) -> Vec<u8> {
    let Hello { versions, federation, office, incarnation, at, .. } = hello();
    body(&(versions, federation, office, incarnation, at, addresses, agent))
}

fn knocking(addresses: Vec<String>, agent: String) -> Frame {
    Frame::Knock(Knock { addresses, agent, ..knock() })
}

fn knocked(addresses: Vec<String>, agent: String) -> Vec<u8> {
    let Knock { federation, office, secret, .. } = knock();
    body(&(federation, office, secret, addresses, agent))
}

fn reporting(told: Vec<Told>) -> Frame {
    Frame::Reports(Reports { told })
}

fn many(count: usize) -> Vec<Told> {
    let nodes = (1..).take(count);
    nodes.map(|node| Told { report: report(node), age_ms: 0, skew_ms: None }).collect()
}

fn long(bytes: usize) -> Told {
    let report = Report { body: vec![7; bytes], ..report(1) };
    Told { report, age_ms: 1, skew_ms: None }
}

fn long_parts(bytes: usize) -> impl serde::Serialize {
    let Told { report, age_ms, skew_ms } = long(bytes);
    ((report.node, report.order, report.body, report.signature), age_ms, skew_ms)
}

fn refusing([code, cause, remedy]: [String; 3]) -> Frame {
    Frame::Reply(Reply::Refused { code, cause, remedy })
}

#[test]
fn a_range_that_does_not_ascend_is_neither_sent_nor_taken() {
    let mut turned = compare();
    turned.claims.swap(0, 1);
    let same = Want { to: want().from, ..want() };
    let bodies = [(COMPARE, body(&turned)), (WANT, body(&same))];
    for (frame, (kind, body)) in [Frame::Compare(turned), Frame::Want(same)].iter().zip(bodies) {
        assert_eq!(frame.kind(), kind);
        assert!(matches!(frame.encode(), Err(FrameError::Malformed { .. })));
        assert_eq!(code_of(kind, &body), Some(CloseCode::MALFORMED_FRAME));
    }
}

// ---------------------------------------------------------------- batches

/// A batch body that claims a decoded length of its own.
fn claiming(claimed_bytes: usize, plain: &[u8]) -> Bytes {
    let claimed = word(claimed_bytes);
    let squeezed = zstd::bulk::compress(plain, 3).expect("compresses");
    [&1_u64.to_le_bytes()[..], &claimed, &squeezed].concat().into()
}

fn word(length: usize) -> [u8; RECORD_HEAD_BYTES] {
    u32::try_from(length).expect("fits").to_le_bytes()
}

const RECORD_HEAD_BYTES: usize = 4;

fn refused(body: &[u8]) -> bool {
    code_of(BATCH, body) == Some(CloseCode::MALFORMED_FRAME)
}

#[test]
fn a_batch_bomb_is_refused() {
    let bomb = vec![0; 3 << 20];
    assert!(refused(&claiming(bomb.len(), &bomb)), "claims 3 MiB");
    assert!(refused(&claiming(MAX_BATCH_BYTES, &bomb)), "claims the limit, decodes to more");
    assert!(refused(&claiming(u32::MAX as usize, b"")), "claims 4 GiB");
    assert!(refused(&claiming(3, &[0; 4])), "decodes to more than it claims");
    assert!(refused(&claiming(5, &[0; 4])), "decodes to less than it claims");
}

#[test]
fn a_batch_keeps_its_count_and_its_lengths() {
    let empty = [0; 4].repeat(MAX_BATCH_CHANGES);
    assert!(!refused(&claiming(empty.len(), &empty)), "the most changes are allowed");
    let more = [0; 4].repeat(MAX_BATCH_CHANGES + 1);
    assert!(refused(&claiming(more.len(), &more)), "one change more");
    assert!(refused(&claiming(3, &[0; 3])), "ends inside a length");
    assert!(refused(&claiming(5, &[2, 0, 0, 0, 7])), "ends inside a record");
    assert!(refused(&Bytes::from_static(&[0; 11])), "ends inside the head");
    let long = [&word(MAX_CHANGE_BYTES + 1)[..], &vec![0; MAX_CHANGE_BYTES + 1]].concat();
    assert!(refused(&claiming(long.len(), &long)), "a record over its limit");
}

#[test]
fn a_batch_that_the_peer_would_refuse_is_not_sent() {
    let sent = |records| Frame::Batch(Batch { number: 1, records }).encode();
    let record = |bytes: usize| Bytes::from(vec![0; bytes]);
    sent(vec![Bytes::new(); MAX_BATCH_CHANGES]).expect("the most changes are sent");
    sent(vec![record(MAX_CHANGE_BYTES)]).expect("the longest change is sent");
    for records in [vec![Bytes::new(); MAX_BATCH_CHANGES + 1], vec![record(MAX_CHANGE_BYTES + 1)]] {
        assert!(matches!(sent(records), Err(FrameError::Malformed { .. })));
    }
    let most = MAX_BATCH_BYTES - MAX_CHANGE_BYTES - 2 * RECORD_HEAD_BYTES;
    sent(vec![record(MAX_CHANGE_BYTES), record(most)]).expect("the longest batch is sent");
    let error = sent(vec![record(MAX_CHANGE_BYTES), record(most + 1)]).err();
    assert!(matches!(error, Some(FrameError::TooLong { .. })));
}

// ---------------------------------------------------------------- hostile bytes

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn random_bytes_never_panic(
        kind in any::<u8>(),
        head in any::<[u8; 5]>(),
        body in proptest::collection::vec(any::<u8>(), 0..400),
    ) {
        let body = Bytes::from(body);
        if let Ok(head) = FrameHead::parse(head) {
            prop_assert!(head.body_bytes < MAX_FRAME_BYTES);
        }
        for kind in [kind, kind % 10, 32, 33] {
            reads_back(Frame::decode(kind, &body));
        }
        if let Ok(change) = Change::trusted(body.clone()) {
            prop_assert!(change.payload().len() < body.len());
        }
        prop_assert!(Change::open(body).is_err());
    }

    #[test]
    fn altered_frames_never_panic(
        which in 0_usize..13,
        at in any::<usize>(),
        bits in 1_u8..,
        keep in any::<usize>(),
    ) {
        let (frame, _) = &golden()[which];
        let mut body = frame.encode().expect("encodes").split_off(FrameHead::BYTES);
        if !body.is_empty() {
            let at = at % body.len();
            body[at] ^= bits;
            reads_back(Frame::decode(frame.kind(), &Bytes::copy_from_slice(&body)));
            body.truncate(keep % body.len());
            reads_back(Frame::decode(frame.kind(), &body.into()));
        }
    }
}

/// Whatever is understood can be said again.
fn reads_back(decoded: Result<Frame, FrameError>) {
    if let Ok(frame) = decoded {
        let encoded = frame.encode().expect("a decoded frame encodes");
        assert_eq!(decode(&encoded).expect("decodes"), frame);
    }
}
