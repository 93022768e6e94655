use super::{html, html_part, style};
use crate::fixture_tests::{bare, every_form, facts, long};
use crate::{FormKind, Sheet, compose};

#[test]
fn what_people_wrote_is_never_markup() {
    let mut facts = facts();
    let evil = "<script>alert('x')</script> & \"y\"";
    facts.applicant.name = evil.into();
    facts.submitter = Some(evil.into());
    facts.offices.receiving = evil.into();
    facts.procedure.name = Some(evil.into());
    facts.papers[0].name = evil.into();
    for hand_over in &mut facts.hand_overs {
        hand_over.note = evil.into();
    }
    for form in every_form(&facts) {
        let page = html(&form);
        let escaped = "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &quot;y&quot;";
        assert!(page.contains(escaped), "{:?}", form.kind);
        assert!(!page.to_lowercase().contains("<script"), "{:?}", form.kind);
    }
}

#[test]
fn a_page_loads_nothing_and_runs_nothing() {
    for form in every_form(&facts()) {
        let page = html(&form);
        for loads in ["http", "src=", "url(", "href", "@import", "<link", "<script", " on"] {
            let found = page.find(loads).map(|at| &page[at..]);
            assert_eq!(found, None, "{:?} has {loads}", form.kind);
        }
    }
}

#[test]
fn every_form_renders_whatever_is_missing_or_long() {
    for facts in [bare(), long()] {
        for form in every_form(&facts) {
            let page = html(&form);
            assert!(page.starts_with("<!doctype html>") && page.ends_with("</html>\n"));
            for name in ["p", "div", "section", "table", "tr", "td", "th", "b", "i", "header"] {
                let count = |tag: String| page.matches(&tag).count();
                let opened = count(format!("<{name}>")) + count(format!("<{name} "));
                assert_eq!(opened, count(format!("</{name}>")), "{:?}: {name}", form.kind);
            }
        }
    }
}

#[test]
fn a_line_feed_is_a_new_line_and_the_register_lies_on_its_side() {
    let slip = html(&compose(FormKind::Slip, &facts()));
    assert!(slip.contains("<td>Giao: Ủy ban nhân dân thành phố Hội An<br>Nhận: Sở"));
    assert!(slip.contains("size: A4 portrait"));
    assert!(html(&compose(FormKind::Register, &facts())).contains("size: A4 landscape"));
}

#[test]
fn a_part_keeps_its_style_to_itself() {
    for form in every_form(&facts()) {
        let part = html_part(&form);
        assert!(part.starts_with("<div class=\"paper ") && part.ends_with("</div>\n"));
        assert!(!part.contains("style"), "{:?}: no style but the page's", form.kind);
    }
    for sheet in [Sheet::Portrait, Sheet::Landscape] {
        let style = style(sheet);
        let rules = style.lines().filter(|line| !line.starts_with("@page"));
        for rule in rules.filter(|line| line.contains('{')) {
            let selectors = rule.split('{').next().unwrap_or_default();
            for selector in selectors.split(',') {
                assert!(selector.trim().starts_with(".paper"), "{rule}");
            }
        }
    }
}
