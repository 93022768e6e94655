use super::*;

#[test]
fn a_list_of_words_is_whole_and_without_doubles() {
    let words = Words::parse(&[Words::FRAME]).expect("the frame's words are good");
    assert!(words.has("sync.away"));
    for bad in ["key | only one", "key |  | English", "a | b | c\na | d | e"] {
        assert!(Words::parse(&[bad]).is_err(), "{bad}");
    }
}

#[test]
fn each_language_has_its_own_half() {
    let words = Words::parse(&["count | còn {n} | {n} left"]).expect("the list is good");
    let [vi, en] = [Language::Vietnamese, Language::English].map(|l| Tongue::new(&words, l));
    assert_eq!(vi.fill("count", "n", "3"), "còn 3");
    assert_eq!(en.fill("count", "n", "3"), "3 left");
    assert_eq!(vi.own_half("chưa lưu / not saved"), "chưa lưu");
    assert_eq!(en.own_half("chưa lưu / not saved"), "not saved");
    assert_eq!(vi.say("nobody.gave.this"), "[nobody.gave.this]");
}
