use super::*;

fn hosts() -> Hosts {
    Hosts::of("127.0.0.1:8080".parse().expect("an address"))
}

fn admitted(method: &Method, headers: &[(&'static str, &str)]) -> Result<(), Refusal> {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.append(*name, HeaderValue::from_str(value).expect("plain text"));
    }
    hosts().admit(method, &map)
}

#[test]
fn only_its_own_names_are_answered() {
    for host in ["127.0.0.1:8080", "localhost:8080", "LocalHost:8080"] {
        assert_eq!(admitted(&Method::GET, &[("host", host)]), Ok(()), "{host}");
    }
    for host in ["", "127.0.0.1", "evil.example:8080", "127.0.0.1:8081", "127.0.0.1:8080.evil.vn"] {
        assert_eq!(admitted(&Method::GET, &[("host", host)]), Err(Refusal::Host), "{host}");
    }
    let twice = [("host", "127.0.0.1:8080"), ("host", "127.0.0.1:8080")];
    assert_eq!(admitted(&Method::GET, &twice), Err(Refusal::Host));
    assert_eq!(admitted(&Method::GET, &[]), Err(Refusal::Host));
}

#[test]
fn what_changes_something_comes_from_this_site() {
    let own = ("host", "127.0.0.1:8080");
    let good = [
        vec![own, ("origin", "http://127.0.0.1:8080")],
        vec![own, ("sec-fetch-site", "same-origin")],
    ];
    for headers in good {
        assert_eq!(admitted(&Method::POST, &headers), Ok(()), "{headers:?}");
    }
    let bad = [
        vec![own],
        vec![own, ("origin", "null")],
        vec![own, ("origin", "https://127.0.0.1:8080")],
        vec![own, ("origin", "http://localhost:8080")],
        vec![own, ("origin", "http://evil.example")],
        vec![own, ("sec-fetch-site", "none")],
        vec![own, ("sec-fetch-site", "same-site"), ("origin", "http://127.0.0.1:8080")],
        vec![own, ("sec-fetch-site", "same-origin"), ("origin", "http://evil.example")],
        vec![own, ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")],
    ];
    for headers in bad {
        assert_eq!(admitted(&Method::POST, &headers), Err(Refusal::Origin), "{headers:?}");
    }
}

#[test]
fn a_form_of_this_site_says_where_it_comes_from() {
    // Under `no-referrer` a browser sends `Origin: null` with every form, and is refused.
    let headers = HEADERS;
    let policy = headers.iter().find(|(name, _)| *name == header::REFERRER_POLICY);
    assert_eq!(policy.map(|(_, value)| *value), Some("same-origin"));
}

#[test]
fn another_site_reads_nothing_but_may_link_here() {
    let own = ("host", "127.0.0.1:8080");
    let link = [own, ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "navigate")];
    assert_eq!(admitted(&Method::GET, &link), Ok(()));
    let fetch = [own, ("sec-fetch-site", "cross-site"), ("sec-fetch-mode", "cors")];
    assert_eq!(admitted(&Method::GET, &fetch), Err(Refusal::Origin));
    let origin = [own, ("origin", "http://evil.example")];
    assert_eq!(admitted(&Method::GET, &origin), Err(Refusal::Origin));
}

#[test]
fn a_secured_site_answers_to_its_names_alone_and_over_https() {
    let names = ["mot-cua.lan".to_owned(), "fd00::1".to_owned()];
    let hosts = Hosts::secured(&names, "0.0.0.0:8443".parse().expect("an address"));
    assert_eq!(hosts.origin(), "https://mot-cua.lan:8443");
    let admitted = |host: &str, origin: &str| {
        let mut headers = HeaderMap::new();
        headers.insert("host", host.parse().expect("a header"));
        headers.insert("origin", origin.parse().expect("a header"));
        hosts.admit(&Method::POST, &headers)
    };
    assert_eq!(admitted("mot-cua.lan:8443", "https://mot-cua.lan:8443"), Ok(()));
    assert_eq!(admitted("[fd00::1]:8443", "https://[fd00::1]:8443"), Ok(()));
    assert_eq!(admitted("mot-cua.lan:8443", "http://mot-cua.lan:8443"), Err(Refusal::Origin));
    assert_eq!(admitted("localhost:8443", "https://localhost:8443"), Err(Refusal::Host));
    let usual = Hosts::secured(&names, "0.0.0.0:443".parse().expect("an address"));
    assert_eq!(usual.origin(), "https://mot-cua.lan");
}
