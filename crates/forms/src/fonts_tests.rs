use skrifa::instance::{LocationRef, Size};
use skrifa::string::StringId;
use skrifa::{FontRef, GlyphId, MetadataProvider};
use unicode_normalization::UnicodeNormalization;

use super::{Fonts, bytes};
use crate::form::Face;

/// Every letter of Vietnamese with every tone, small and capital, in one character each.
fn letters() -> Vec<char> {
    let vowels = ["a", "ă", "â", "e", "ê", "i", "o", "ô", "ơ", "u", "ư", "y"];
    let tones = ["", "\u{300}", "\u{309}", "\u{303}", "\u{301}", "\u{323}"];
    let toned = vowels.iter().flat_map(|vowel| tones.map(|tone| format!("{vowel}{tone}")));
    let small = toned.chain(["đ".to_owned()]).map(|letter| letter.nfc().collect::<String>());
    let both = small.flat_map(|letter| [letter.to_uppercase(), letter]);
    let characters = both.map(|letter| {
        let mut characters = letter.chars();
        let first = characters.next().expect("a letter is not empty");
        assert_eq!(characters.next(), None, "{letter} is one character");
        first
    });
    characters.collect()
}

#[test]
fn every_face_has_every_vietnamese_letter_and_every_sign_that_forms_use() {
    let letters = letters();
    assert_eq!(letters.iter().filter(|letter| !letter.is_ascii()).count(), 134);
    let plain = (' '..='~').chain("…–—“”‘’«»°§№₫•\u{a0}".chars());
    let all: Vec<char> = letters.into_iter().chain(plain).collect();
    let fonts = Fonts::embedded();
    for face in Face::ALL {
        for character in &all {
            let glyph = fonts.glyph(face, *character);
            assert_ne!(glyph, GlyphId::NOTDEF, "{face:?} lacks {character}");
            assert_ne!(glyph, fonts.glyph(face, '\u{1f600}'), "{face:?} lacks {character}");
            assert!(fonts.width_of(face, *character) > 0.0, "{character} has no width");
        }
    }
}

#[test]
fn a_letter_that_no_face_has_is_a_box_that_people_see() {
    let fonts = Fonts::embedded();
    for face in Face::ALL {
        for unknown in ['\u{1f600}', '阮', '\u{10330}'] {
            let shown = fonts.glyph(face, unknown);
            assert_ne!(shown, GlyphId::NOTDEF);
            assert_eq!(shown, fonts.glyph(face, '□'), "{face:?} {unknown}");
            let font = FontRef::new(bytes(face)).expect("the embedded font is sound");
            let metrics = font.glyph_metrics(Size::unscaled(), LocationRef::default());
            let ink = metrics.bounds(shown).expect("the glyph has an outline");
            assert!(ink.x_max - ink.x_min > 500.0 && ink.y_max - ink.y_min > 500.0, "{ink:?}");
            assert!(fonts.width_of(face, unknown) > 0.2, "it takes the room that it needs");
        }
    }
}

#[test]
fn the_faces_are_those_of_liberation_serif_2_1_5() {
    for face in Face::ALL {
        let font = FontRef::new(bytes(face)).expect("the embedded font is sound");
        let named = |id: StringId| font.localized_strings(id).english_or_first();
        let text = |id| named(id).map(|name| name.to_string()).unwrap_or_default();
        assert_eq!(text(StringId::FAMILY_NAME), "Liberation Serif");
        assert_eq!(text(StringId::VERSION_STRING), "Version 2.1.5");
        let style = match face {
            Face::Regular => "Regular",
            Face::Bold => "Bold",
            Face::Italic => "Italic",
        };
        assert_eq!(text(StringId::SUBFAMILY_NAME), style);
    }
}
