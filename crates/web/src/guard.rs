//! Who may speak to the pages at all: exact Host and Origin, and the headers of every answer.

use std::net::{IpAddr, SocketAddr};

use axum::http::header::{self, HeaderName};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode};
use lienthong_request::Failure;

/// The names under which the pages may be asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hosts {
    names: Vec<String>,
    scheme: &'static str,
}

impl Hosts {
    /// The names of a loopback address: itself and `localhost`, with its port.
    pub fn of(address: SocketAddr) -> Hosts {
        let port = address.port();
        let mut names = vec![address.to_string(), format!("localhost:{port}")];
        if port == 80 {
            names.extend(
                names
                    .clone()
                    .iter()
                    .filter_map(|name| name.strip_suffix(":80").map(ToOwned::to_owned)),
            );
        }
        Hosts { names, scheme: "http" }
    }

    /// The names under which a secured address is asked for, each with its port, the first the one
    /// that is told to people.
    pub fn secured(names: &[String], address: SocketAddr) -> Hosts {
        let port = address.port();
        let mut known = Vec::new();
        for name in names {
            let name = match name.parse() {
                Ok(IpAddr::V6(ip)) => format!("[{ip}]"),
                _ => name.clone(),
            };
            known.extend((port == 443).then(|| name.clone()));
            known.push(format!("{name}:{port}"));
        }
        Hosts { names: known, scheme: "https" }
    }

    /// Where a browser goes.
    pub(crate) fn origin(&self) -> String {
        format!("{}://{}", self.scheme, self.names.first().map_or("", String::as_str))
    }

    /// Whether what is sent is secured on its way.
    pub(crate) fn is_secured(&self) -> bool {
        self.scheme == "https"
    }

    /// Lets a request pass that names this site exactly and does not come from another one. A
    /// request that may change something must say where it comes from, as every browser of the
    /// last years does by itself; a program sends `Origin`.
    pub(crate) fn admit(&self, method: &Method, headers: &HeaderMap) -> Result<(), Refusal> {
        let mut hosts = headers.get_all(header::HOST).iter();
        let host = hosts.next().and_then(|host| host.to_str().ok()).unwrap_or_default();
        if hosts.next().is_some() || !self.names.iter().any(|name| name.eq_ignore_ascii_case(host))
        {
            // The one defence against a foreign name that is made to point here.
            return Err(Refusal::Host);
        }
        let is_safe = [Method::GET, Method::HEAD].contains(method);
        let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
        let origin = headers.get(header::ORIGIN);
        if origin.is_some_and(|origin| !self.is_own(host, origin)) {
            return Err(Refusal::Origin);
        }
        match site {
            Some(b"same-origin") => Ok(()),
            // A typed address or a bookmark; it carries no form.
            Some(b"none") if is_safe => Ok(()),
            // A link elsewhere that is followed shows the page without the session: its cookie is
            // not sent.
            Some(_) if is_safe && is_navigation(headers) => Ok(()),
            Some(_) => Err(Refusal::Origin),
            None if is_safe || origin.is_some() => Ok(()),
            None => Err(Refusal::Origin),
        }
    }

    fn is_own(&self, host: &str, origin: &HeaderValue) -> bool {
        let own = format!("{}://{host}", self.scheme);
        origin.to_str().is_ok_and(|origin| origin.eq_ignore_ascii_case(&own))
    }
}

fn is_navigation(headers: &HeaderMap) -> bool {
    headers.get("sec-fetch-mode").is_some_and(|mode| mode.as_bytes() == b"navigate")
}

/// Why a request is not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// It names another host.
    Host,
    /// It comes from another site, or does not say where from.
    Origin,
}

impl Refusal {
    pub(crate) const fn status(self) -> StatusCode {
        match self {
            Refusal::Host => StatusCode::MISDIRECTED_REQUEST,
            Refusal::Origin => StatusCode::FORBIDDEN,
        }
    }

    pub(crate) fn failure(self) -> Failure {
        let what = "không thực hiện / nothing was done";
        match self {
            Refusal::Host => Failure::refused(
                "wrong-host",
                what,
                "địa chỉ này không phải của trang / the request names another host",
                "mở đúng địa chỉ mà chương trình in ra / open the address that the program prints",
            ),
            Refusal::Origin => Failure::refused(
                "wrong-origin",
                what,
                "yêu cầu đến từ trang khác hoặc không nói đến từ đâu / \
                 the request comes from another site or does not say from where",
                "mở lại trang và làm lại; chương trình phải gửi Origin / \
                 open the page again; a program must send Origin",
            ),
        }
    }
}

/// The headers of every answer. What is not allowed here does not run or load, whatever a text in
/// a dossier says.
pub(crate) const HEADERS: [(HeaderName, &str); 8] = [
    (
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
         connect-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    ),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    // No other site learns an address. Stricter, browsers would hide from this site, too, where its
    // own forms come from: they would send `Origin: null`.
    (header::REFERRER_POLICY, "same-origin"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
    (
        HeaderName::from_static("permissions-policy"),
        "camera=(), microphone=(), geolocation=(), payment=(), usb=()",
    ),
];

/// Adds the headers that an answer does not have.
pub(crate) fn cover(headers: &mut HeaderMap) {
    for (name, value) in HEADERS {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}

#[cfg(test)]
#[path = "guard_tests.rs"]
mod tests;
