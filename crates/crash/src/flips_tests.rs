//! No flipped bit is silent.

use super::*;

#[test]
fn a_flipped_bit_in_the_log_is_harmless_or_named_and_every_lost_change_comes_back() {
    let flips = flip_log(1, 4000).expect("no flip is silent");
    assert!(flips.at_start > 100 && flips.by_read > 1000 && flips.repaired > 1000, "{flips}");
}

#[test]
fn a_flipped_bit_in_an_index_of_sled_ends_in_equal_content() {
    let flips = flip_index(1, 100).expect("no flip is silent");
    assert!(
        flips.flips == 100 && flips.harmless + flips.at_start + flips.by_read == 100,
        "{flips}"
    );
}
