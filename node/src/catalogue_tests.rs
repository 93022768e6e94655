//! Every office of the reference province has work, and all of it can be received.

use super::*;
use crate::tree::above;

const PROVINCE: &str = include_str!("../../config/quang-nam/province.toml");

#[test]
fn every_centre_and_commune_receives_what_its_tier_may() {
    let province = Province::parse(PROVINCE).expect("the reference province is sound");
    let catalogue = Catalogue::reference().expect("the reference catalogue is sound");
    let mut procedures = std::collections::BTreeSet::new();
    for tier in ["province", "district", "commune"] {
        let offices = province.offices.iter().filter(|office| office.tier == tier).take(9);
        for (at, office) in offices.enumerate() {
            for number in 0..40 {
                let reception = catalogue.reception(&province, office, at * 100 + number);
                let reception = reception.expect("every tier has procedures");
                let checked = reception.check().expect("what is drawn can be received");
                assert_eq!(checked.offices.receiving, office.id);
                assert!(checked.applicant.name.contains(' '), "{}", checked.applicant.name);
                procedures.insert(checked.procedure);
            }
        }
    }
    assert!(procedures.len() > 40, "only {} of 71 procedures are drawn", procedures.len());
}

#[test]
fn the_deciding_office_is_that_of_the_role() {
    let province = Province::parse(PROVINCE).expect("the reference province is sound");
    let catalogue = Catalogue::reference().expect("the reference catalogue is sound");
    let of = |tier: &str| province.offices.iter().find(|office| office.tier == tier);
    let hub = of("province").expect("a root");
    let deciding = (0..60).map(|number| catalogue.reception(&province, hub, number));
    let deciding = deciding.map(|drawn| drawn.expect("work").offices.deciding());
    let deciding: std::collections::BTreeSet<_> = deciding.collect();
    assert!(deciding.len() > 3, "departments decide what the centre receives: {deciding:?}");
    assert!(deciding.iter().all(|id| province.offices.iter().any(|office| office.id == *id)));
}

#[test]
fn equal_numbers_draw_equal_receptions() {
    let province = Province::parse(PROVINCE).expect("the reference province is sound");
    let catalogue = Catalogue::reference().expect("the reference catalogue is sound");
    let office = &province.offices[50];
    let draw = |number| catalogue.reception(&province, office, number).expect("work");
    assert_eq!(draw(7), draw(7));
    assert!((0..9).any(|number| draw(number) != draw(number + 1)));
}

#[test]
fn as_many_offices_as_asked_for_are_chosen_and_each_below_one_that_is() {
    let province = Province::parse(PROVINCE).expect("the reference province is sound");
    for count in [4, 8, 20, 100] {
        let chosen = choose(&province, count);
        assert_eq!(chosen.len(), count);
        for office in &chosen {
            let parent = above(&province, *office).first().copied();
            assert!(
                parent.is_some_and(|parent| parent == province.root || chosen.contains(&parent))
            );
        }
    }
}
