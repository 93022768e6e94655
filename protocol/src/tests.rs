use bytes::Bytes;

use crate::{Change, DocumentId, Header, Incarnation, Kind, Moment, NodeKey};

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
