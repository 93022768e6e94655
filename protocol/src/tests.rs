use bytes::Bytes;
use data_encoding::HEXLOWER as HEX;
use proptest::prelude::{ProptestConfig, any};
use proptest::{prop_assert, prop_assert_eq, proptest};

use crate::limits::{
    MAX_ADDED_OFFICES, MAX_ADDRESSES, MAX_CHANGE_BYTES, MAX_HEADER_BYTES, MAX_JOIN_CODE_CHARS,
    MAX_TEXT_BYTES,
};
use crate::{
    Change, ChangeError, ChangeId, DocumentId, FederationId, Header, Incarnation, Invitation,
    InvitationError, JoinSecret, Kind, Moment, NodeId, NodeKey, OfficeId, Tally,
};

fn key() -> NodeKey {
    NodeKey::from_seed([7; 32])
}

fn header() -> Header {
    let (author, incarnation, at) = (key().id(), Incarnation(9), Moment(1_500_000_000_000));
    Header {
        document: DocumentId::derive(author, incarnation, 1, at),
        kind: Kind::DOSSIER,
        author,
        office: "QNM-HOIAN".parse().expect("a valid office id"),
        incarnation,
        seq: 1,
        at,
        adds: vec![],
    }
}

#[test]
fn a_signed_change_opens_again_as_the_same() {
    let change = Change::sign(header(), b"payload", &key()).expect("signs");
    let opened = Change::open(change.bytes().clone()).expect("opens");
    assert_eq!(opened.id(), change.id());
    assert_eq!(opened.header(), change.header());
    assert_eq!(opened.payload(), b"payload");
}

#[test]
fn no_flipped_bit_opens() {
    let change = Change::sign(header(), b"payload", &key()).expect("signs");
    for at in 0..change.bytes().len() * 8 {
        let mut bytes = change.bytes().to_vec();
        bytes[at / 8] ^= 1 << (at % 8);
        assert!(Change::open(Bytes::from(bytes)).is_err(), "bit {at} was not noticed");
    }
}

/// Written once; a difference means that released nodes no longer understand each other.
#[test]
fn a_change_has_its_golden_bytes() {
    let mut header = header();
    header.adds = vec!["QNM-HOIAN-MINHAN".parse().expect("a valid office id")];
    let change = Change::sign(header, b"payload", &key()).expect("signs");
    assert_eq!(HEX.encode(change.bytes()), GOLDEN_CHANGE);
    assert_eq!(change.id().to_string(), GOLDEN_CHANGE_ID);
}

const GOLDEN_CHANGE: &str = "\
    5ece987243ff7e8c1f322fc6da38aeb4187a34d51ef1fed82dcf871e07d023824ed299fc542bc430\
    51944e8add5539ce6db487c6b53f18b43d5cfd5f0b9e18065800015d3ef798007e43988570bab8c5\
    d55805ea4a6c63e29c520abef5507b132ec5f9954776aebebe7b92421eea691446d22c09514e4d2d\
    484f49414e0901fd0098f73e5d0100000110514e4d2d484f49414e2d4d494e48414e7061796c6f61\
    64";
const GOLDEN_CHANGE_ID: &str = "30ac07812af5dfd2c71a9dc393377b366bafed80eef2621bc2c504508e87cfaf";

#[test]
fn a_header_past_a_limit_is_not_signed() {
    let office: OfficeId = "QNM".parse().expect("a valid office id");
    let most = Header { adds: vec![office; MAX_ADDED_OFFICES], ..header() };
    Change::sign(most, b"", &key()).expect("the most added offices are allowed");
    let broken = [
        Header { adds: vec![office; MAX_ADDED_OFFICES + 1], ..header() },
        Header { seq: 0, ..header() },
        Header { at: Moment::LIMIT, ..header() },
    ];
    for header in broken {
        assert!(matches!(Change::sign(header, b"", &key()), Err(ChangeError::Rule { .. })));
    }
    let error = Change::sign(header(), b"", &NodeKey::from_seed([8; 32])).err();
    assert!(matches!(error, Some(ChangeError::Signature(_))));
}

#[test]
fn a_header_that_adds_too_many_offices_is_not_opened() {
    let opened = |count: usize| {
        let Header { document, kind, author, office, incarnation, seq, at, .. } = header();
        let adds = vec![office; count];
        let parts = (document, kind, author, office, incarnation, seq, at, adds);
        let encoded = crate::codec::encode(&parts, MAX_HEADER_BYTES).expect("within the limit");
        let length = u16::try_from(encoded.len()).expect("fits").to_le_bytes();
        Change::trusted([&[0; 64][..], &length, &encoded].concat().into())
    };
    let most = opened(MAX_ADDED_OFFICES).expect("the most added offices are allowed");
    assert_eq!(most.header().adds.len(), MAX_ADDED_OFFICES);
    let error = opened(MAX_ADDED_OFFICES + 1).expect_err("one office more");
    let ChangeError::Header(cause) = error else { panic!("the header decoded: {error}") };
    assert!(cause.to_string().contains("list of 65 items, the limit is 64"), "{cause}");
}

#[test]
fn a_change_past_its_length_is_neither_signed_nor_opened() {
    let overhead = Change::sign(header(), b"", &key()).expect("signs").bytes().len();
    let most = vec![0; MAX_CHANGE_BYTES - overhead];
    let change = Change::sign(header(), &most, &key()).expect("the longest change signs");
    let longer = [change.bytes(), &[0][..]].concat();
    let error = Change::sign(header(), &[most, vec![0]].concat(), &key()).err();
    assert!(matches!(error, Some(ChangeError::TooLong { .. })));
    let error = Change::trusted(longer.into()).err();
    assert!(matches!(error, Some(ChangeError::TooLong { .. })));
}

// ---------------------------------------------------------------- ids

#[test]
fn a_document_id_is_a_uuid_of_version_7_that_carries_its_time() {
    let (author, at) = (key().id(), Moment(1_500_000_000_123));
    let id = DocumentId::derive(author, Incarnation(9), 1, at);
    assert_eq!(id.as_bytes()[6] >> 4, 7, "version");
    assert_eq!(id.as_bytes()[8] >> 6, 0b10, "variant");
    assert_eq!(id.created_at(), at);
    assert_eq!(id.to_string().parse(), Ok(id));
}

#[test]
fn a_document_id_differs_with_each_of_its_creators_marks() {
    let (author, at) = (key().id(), Moment(1_500_000_000_123));
    let id = DocumentId::derive(author, Incarnation(9), 1, at);
    let other = NodeKey::from_seed([8; 32]).id();
    assert_ne!(id, DocumentId::derive(other, Incarnation(9), 1, at));
    assert_ne!(id, DocumentId::derive(author, Incarnation(8), 1, at));
    assert_ne!(id, DocumentId::derive(author, Incarnation(9), 2, at));
    assert_ne!(id, DocumentId::derive(author, Incarnation(9), 1, Moment(at.0 + 1)));
}

#[test]
fn an_office_id_has_1_to_32_plain_characters() {
    let longest = "A".repeat(32);
    for text in ["Q", "QNM-HOIAN_1.a", longest.as_str()] {
        let office: OfficeId = text.parse().expect("within the limits");
        assert_eq!(office.as_str(), text);
    }
    let long = "A".repeat(33);
    for text in ["", "a b", "a\0", "Hội-An", "a/b", long.as_str()] {
        assert!(text.parse::<OfficeId>().is_err(), "'{text}' is no office id");
        let encoded = crate::codec::encode(&text, 64).expect("short");
        assert!(crate::codec::decode::<OfficeId>(&encoded, 64).is_err(), "'{text}' decoded");
    }
}

// ---------------------------------------------------------------- tallies

fn tally(ids: &[[u8; 32]]) -> Tally {
    let mut tally = Tally::default();
    ids.iter().for_each(|id| tally.add(ChangeId::from_bytes(*id)));
    tally
}

#[test]
fn a_tally_carries_over_all_its_bytes() {
    let mut one = [0; 32];
    one[0] = 1;
    assert_eq!(tally(&[[0xff; 32], one]), Tally { count: 2, sum: [0; 32] });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn a_tally_depends_on_the_set_alone(
        ids in proptest::collection::vec(any::<[u8; 32]>(), 0..20),
        cut in 0_usize..20,
    ) {
        let whole = tally(&ids);
        let reversed: Vec<[u8; 32]> = ids.iter().rev().copied().collect();
        prop_assert_eq!(tally(&reversed), whole);

        let (left, right) = ids.split_at(cut.min(ids.len()));
        let mut merged = tally(left);
        merged.merge(&tally(right));
        prop_assert_eq!(merged, whole);

        let mut rest = whole;
        rest.split_off(&tally(right));
        prop_assert_eq!(rest, tally(left));

        ids.iter().for_each(|id| rest.add(ChangeId::from_bytes(*id)));
        ids.iter().for_each(|id| rest.remove(ChangeId::from_bytes(*id)));
        prop_assert_eq!(rest, tally(left));
    }

    #[test]
    fn no_text_makes_a_parser_panic(text in ".{0,80}", tail in "[0-9A-Za-z -]{0,200}") {
        for code in [["LT1-", &tail].concat(), ["LT1-", &text].concat(), text.clone()] {
            prop_assert!(Invitation::from_code(&code).is_err());
        }
        prop_assert!(text.parse::<DocumentId>().is_err());
        prop_assert!(text.parse::<NodeId>().is_err());
        prop_assert_eq!(text.parse::<OfficeId>().is_ok_and(|id| id.as_str() != text), false);
    }
}

// ---------------------------------------------------------------- join codes

fn invitation() -> Invitation {
    Invitation {
        federation: FederationId::from_bytes([1; 32]),
        hub: key().id(),
        office: "QNM-HOIAN".parse().expect("a valid office id"),
        addresses: vec!["hub.example.vn:4930".into(), "[2001:db8::1]:4930".into()],
        secret: JoinSecret([3; 16]),
        expires: Moment(1_500_000_000_000),
    }
}

fn code() -> String {
    invitation().to_code().expect("two short addresses fit a code")
}

#[test]
fn a_join_code_reads_back_as_the_same_invitation() {
    assert_eq!(Invitation::from_code(&code()), Ok(invitation()));
}

#[test]
fn every_altered_character_of_a_join_code_is_found() {
    let code = code();
    for at in 0..code.len() {
        let before = code.as_bytes()[at];
        if before == b'-' && at > 3 {
            continue;
        }
        for symbol in "0123456789ABCDEFGHJKMNPQRSTVWXYZU!-".bytes().filter(|s| *s != before) {
            let mut altered = code.clone().into_bytes();
            altered[at] = symbol;
            let altered = String::from_utf8(altered).expect("all is ASCII");
            assert!(Invitation::from_code(&altered).is_err(), "character {at} as {symbol}");
        }
    }
}

#[test]
fn a_join_code_is_understood_as_people_type_it() {
    let code = code();
    let (prefix, rest) = code.split_at(4);
    let typed = [
        code.to_lowercase(),
        format!("  {code}\n"),
        format!("{prefix}{}", rest.replace('-', " ")),
        format!("{prefix}{}", rest.replace('-', "")),
        format!("{prefix}{}", rest.replace('-', "\r\n")),
        format!("{prefix}{}", rest.replace('0', "O").replace('1', "I")),
        format!("{prefix}{}", rest.replace('0', "o").replace('1', "l")),
    ];
    assert!(rest.contains('0') && rest.contains('1'), "the code tries both confusions");
    for text in typed {
        assert_eq!(Invitation::from_code(&text), Ok(invitation()), "{text}");
    }
}

#[test]
fn what_is_wrong_with_a_join_code_is_told() {
    let code = code();
    let long = format!("LT1-{}", "0".repeat(MAX_JOIN_CODE_CHARS));
    let wrong = |text: &str| Invitation::from_code(text).err();
    assert_eq!(wrong(&code[4..]), Some(InvitationError::NotACode));
    assert_eq!(wrong(&code[..code.len() - 1]), Some(InvitationError::Altered));
    for (text, at) in
        [("LT1-ABU", 7), (" \u{a0}\n lt1-A B\r\n-!", 15), ("LT1-é", 5), ("\tLT1-ếU", 6)]
    {
        assert_eq!(wrong(text), Some(InvitationError::Character { at }), "{text:?}");
    }
    assert_eq!(wrong("  "), Some(InvitationError::NotACode));
    assert_eq!(wrong("L T1-"), Some(InvitationError::NotACode));
    assert_eq!(wrong("LT1-"), Some(InvitationError::Altered));
    assert_eq!(wrong(&long), Some(InvitationError::TooLong));
}

#[test]
fn every_join_code_that_is_made_is_read() {
    let office = "A".repeat(32).parse().expect("a valid office id");
    let with = |addresses| Invitation { addresses, office, expires: Moment::LIMIT, ..invitation() };
    let (mut longest, mut refused) = (0, 0);
    for bytes in 0..=MAX_TEXT_BYTES {
        let invitation = with(vec!["a".repeat(bytes)]);
        match invitation.to_code() {
            Ok(code) => {
                longest = longest.max(code.len());
                assert_eq!(Invitation::from_code(&code), Ok(invitation), "{bytes} bytes");
            }
            Err(_) => refused += 1,
        }
    }
    assert!(longest > MAX_JOIN_CODE_CHARS - 8, "no more is refused than must be: {longest}");
    assert!(refused > 0, "an address may be longer than the room in a code");
}

#[test]
fn an_invitation_that_does_not_fit_a_join_code_says_what_to_do() {
    let with = |addresses| Invitation { addresses, ..invitation() }.to_code();
    with(vec!["a:1".into(); MAX_ADDRESSES]).expect("the most addresses fit");
    let many = with(vec!["a:1".into(); MAX_ADDRESSES + 1]).expect_err("one more");
    assert_eq!(
        many.to_string(),
        "9 addresses of 27 bytes do not fit a join code: \
         the limits are 8 addresses and a code of 1024 characters"
    );
    let long = with(vec!["a".repeat(60); MAX_ADDRESSES]).expect_err("longer than any code");
    assert_eq!((long.count, long.bytes), (8, 480));
    assert_eq!(long.code(), "join-code-addresses");
    assert_eq!(long.remedy(), "let the hub advertise fewer or shorter addresses");
}
