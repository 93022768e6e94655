use std::cell::Cell;
use std::iter;

use serde::de::value::{Error, SeqDeserializer};
use serde::{Deserialize, Deserializer, Serialize};

use super::{CodecError, List, decode, encode};

const MOST: usize = 3;
const LIMIT_BYTES: usize = 1 << 20;

thread_local! {
    static READ: Cell<usize> = const { Cell::new(0) };
}

/// One byte whose reading is counted.
#[derive(Debug, PartialEq)]
struct Counted(u8);

impl<'de> Deserialize<'de> for Counted {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        READ.set(READ.get() + 1);
        u8::deserialize(deserializer).map(Counted)
    }
}

#[derive(Debug, Deserialize)]
struct Row {
    #[serde(deserialize_with = "List::<MOST>::deserialize")]
    items: Vec<Counted>,
}

#[derive(Debug, Serialize)]
struct Short {
    #[serde(serialize_with = "List::<MOST>::serialize")]
    items: Vec<u8>,
}

fn row(items: usize) -> Result<Row, CodecError> {
    let bytes = encode(&vec![0_u8; items], LIMIT_BYTES).expect("within the limit");
    READ.set(0);
    decode(&bytes, LIMIT_BYTES)
}

#[test]
fn a_list_at_its_limit_is_read_whole_and_without_slack() {
    let row = row(MOST).expect("the most items are allowed");
    assert_eq!(row.items, [Counted(0), Counted(0), Counted(0)]);
    assert_eq!((row.items.capacity(), READ.get()), (MOST, MOST));
}

#[test]
fn a_list_past_its_limit_is_refused_before_its_first_item() {
    for items in [MOST + 1, LIMIT_BYTES / 2] {
        let error = row(items).expect_err("the list is too long").to_string();
        assert!(error.contains(&format!("list of {items} items, the limit is {MOST}")), "{error}");
        assert_eq!(READ.get(), 0);
    }
}

#[test]
fn a_list_that_claims_more_than_it_holds_ends_with_its_bytes() {
    let bytes = encode(&vec![0_u8; MOST], LIMIT_BYTES).expect("within the limit");
    for held in 0..MOST {
        let error = decode::<Row>(&bytes[..1 + held], LIMIT_BYTES);
        assert!(matches!(error, Err(CodecError::Malformed { .. })));
    }
    let most = encode(&u64::MAX, LIMIT_BYTES).expect("within the limit");
    assert!(matches!(decode::<Row>(&most, LIMIT_BYTES), Err(CodecError::Malformed { .. })));
}

#[test]
fn a_list_that_does_not_say_its_length_is_stopped_at_its_limit() {
    let taken = Cell::new(0);
    let endless = iter::from_fn(|| {
        taken.set(taken.get() + 1);
        Some(0_u8)
    });
    let list = SeqDeserializer::<_, Error>::new(endless);
    let error = List::<MOST>::deserialize::<u8, _>(list).expect_err("the list has no end");
    assert_eq!(error.to_string(), "list of 4 items, the limit is 3");
    assert_eq!(taken.get(), MOST + 1);
}

#[test]
fn a_list_past_its_limit_is_not_written() {
    encode(&Short { items: vec![0; MOST] }, LIMIT_BYTES).expect("the most items are allowed");
    let error = encode(&Short { items: vec![0; MOST + 1] }, LIMIT_BYTES).expect_err("one more");
    assert!(matches!(error, CodecError::Unfit { .. }), "{error}");
}
