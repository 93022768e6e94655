//! No crash of a store loses what it acknowledged.

use super::*;

#[test]
fn no_image_of_a_sample_loses_an_acknowledged_change() {
    let survey = survey(1, 20_000, 60).expect("no promise is broken");
    assert!(survey.images >= 20_000);
    assert!(survey.torn > 100 && survey.rebuilt > 100, "{survey:?}");
}

#[test]
fn the_same_seed_gives_the_same_images() {
    let two = [survey(5, 300, 10), survey(5, 300, 10)].map(|one| one.expect("nothing is broken"));
    assert_eq!(two[0], two[1]);
    assert_ne!(two[0].digest, survey(6, 300, 10).expect("nothing is broken").digest);
}
