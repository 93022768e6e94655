use super::*;

#[test]
fn a_day_is_the_one_in_vietnam_and_holds_the_documents_opened_on_it() {
    // 2026-11-24T17:00:00Z is midnight in Vietnam.
    let midnight = Moment(1_795_539_600_000);
    let evening = Moment(midnight.0 - 1);
    assert_eq!(day_of(midnight), day_of(evening) + 1);
    let author = lienthong_protocol::NodeId::from_bytes([7; 32]);
    let opened = |at| DocumentId::derive(author, Incarnation(1), 1, at);
    let first = first_of(day_of(midnight));
    assert!(opened(evening) < first && first < opened(midnight));
    assert!(opened(Moment(midnight.0 + DAY_MS - 1)) < first_of(day_of(midnight) + 1));
}
