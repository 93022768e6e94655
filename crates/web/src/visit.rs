//! One request as a page sees it: who asks, in which language, with which fields.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::IpAddr;
use std::sync::{Arc, PoisonError};

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, Method, header};
use lienthong_folder::{Account, Role};
use lienthong_protocol::Moment;
use lienthong_request::{Caller, Failure, Request};
use serde_json::Value;

use crate::form::Drafts;
use crate::guard::Hosts;
use crate::once::Press;
use crate::session::{Session, random_hex};
use crate::site::{Site, broken_off};
use crate::words::{Language, Tongue};

/// One request, by somebody whom the route lets in.
pub struct Visit {
    pub(crate) site: Arc<Site>,
    pub(crate) method: Method,
    pub(crate) path: String,
    /// The path with its query, as it was asked for.
    pub(crate) address_line: String,
    pub(crate) headers: HeaderMap,
    pub(crate) address: IpAddr,
    pub(crate) parts: BTreeMap<String, String>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) sent: Sent,
    pub(crate) token: Option<String>,
    pub(crate) session: Option<Session>,
    pub(crate) account: Option<Account>,
}

/// What came in the body.
#[derive(Debug, Default)]
pub(crate) struct Sent {
    pub(crate) fields: Vec<(String, String)>,
    pub(crate) files: BTreeMap<String, Bytes>,
    pub(crate) raw: Bytes,
}

impl Visit {
    /// The state behind all pages.
    pub fn site(&self) -> &Arc<Site> {
        &self.site
    }

    /// What time it is.
    pub fn now(&self) -> Moment {
        self.site.now()
    }

    /// The words in the language of the browser: what was chosen, else Vietnamese.
    pub fn tongue(&self) -> Tongue<'_> {
        let language =
            cookie(&self.headers, LANGUAGE_COOKIE).map_or(Language::default(), Language::of);
        Tongue::new(self.site.words(), language)
    }

    /// Where it comes from.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// The path that was asked for, without the query.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// Where a form of the frame leads back to: this page, or the nearest above it that is read.
    pub(crate) fn way_back(&self) -> &str {
        if self.method == Method::GET {
            return &self.address_line;
        }
        let mut page = self.path();
        while !self.site.has_page(page) {
            match page.rsplit_once('/') {
                Some((above, _)) if !above.is_empty() => page = above,
                _ => return "/",
            }
        }
        page
    }

    /// The officer's id; empty if nobody is signed in, which only routes for anyone meet.
    pub fn officer(&self) -> &str {
        self.session.as_ref().map_or("", |session| &session.officer)
    }

    /// Whether the account has one of these roles.
    pub fn has_role(&self, roles: &[Role]) -> bool {
        let held = self.account.as_ref().map(|account| &account.roles);
        held.is_some_and(|held| roles.iter().any(|role| held.contains(role)))
    }

    /// A named part of the path; empty if there is none.
    pub fn part(&self, name: &str) -> &str {
        self.parts.get(name).map_or("", String::as_str)
    }

    /// A field of the query; empty if there is none. Never for what names a person.
    pub fn query(&self, name: &str) -> &str {
        first(&self.query, name)
    }

    /// A field of the form, trimmed; empty if there is none.
    pub fn field(&self, name: &str) -> &str {
        first(&self.sent.fields, name).trim()
    }

    /// Every value of a field that stands more than once, as of ticked boxes.
    pub fn fields<'v>(&'v self, name: &'v str) -> impl Iterator<Item = &'v str> {
        self.sent.fields.iter().filter(move |(held, _)| held == name).map(|(_, value)| &**value)
    }

    /// All fields in the order of the form, for a draft.
    pub fn all_fields(&self) -> &[(String, String)] {
        &self.sent.fields
    }

    /// An uploaded file; `None` if none was chosen.
    pub fn file(&self, name: &str) -> Option<&Bytes> {
        self.sent.files.get(name).filter(|bytes| !bytes.is_empty())
    }

    /// The body as it came, if it is no form.
    pub fn body(&self) -> &Bytes {
        &self.sent.raw
    }

    /// A header in plain ASCII; `None` if it is missing or is not.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// Whether htmx asks for a part of a page.
    pub fn is_fragment(&self) -> bool {
        self.headers.contains_key("hx-request")
    }

    /// Whether a program asks.
    pub fn is_api(&self) -> bool {
        self.path.starts_with("/api/")
    }

    /// Asks the node.
    pub async fn ask(&self, request: Request) -> Result<Value, Failure> {
        self.site.ask_for(self.caller(), request).await
    }

    /// Who asks, for the access log.
    fn caller(&self) -> Caller {
        let officer = self.officer().to_owned();
        if self.is_api() { Caller::Api { officer } } else { Caller::Page { officer } }
    }

    /// Asks the node to do something, once for this officer and key: a second press with the same
    /// key gets the answer of the first.
    pub async fn ask_once(&self, key: &str, request: Request) -> Result<Value, Failure> {
        let asked = serde_json::to_vec(&request).unwrap_or_default();
        let (site, caller) = (Arc::clone(&self.site), self.caller());
        self.do_once(key, &asked, async move { site.ask_for(caller, request).await }).await
    }

    /// The same for what the node is not asked: `asked` tells one thing to do from another.
    pub async fn do_once<F>(&self, key: &str, asked: &[u8], doing: F) -> Result<Value, Failure>
    where
        F: Future<Output = Result<Value, Failure>> + Send + 'static,
    {
        self.site.once.run(Press { officer: self.officer(), key, asked }, doing).await
    }

    /// Works on the officer's drafts, beside the runtime and one at a time: they are a file.
    pub async fn with_drafts<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Drafts) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let (site, officer, now) = (Arc::clone(&self.site), self.officer().to_owned(), self.now());
        let done = tokio::task::spawn_blocking(move || {
            let _turn = site.drafting.lock().unwrap_or_else(PoisonError::into_inner);
            work(&mut Drafts::open(site.folder(), &officer, now)?)
        });
        done.await.map_err(|_| broken_off())?
    }

    /// A key for the hidden field `once` of a new form; the one that a form came with, if it comes
    /// back with errors.
    pub fn once_key(&self) -> Result<String, Failure> {
        match self.field("once") {
            "" => random_hex::<16>(),
            key => Ok(key.to_owned()),
        }
    }

    /// Signs in; the header sets the cookie of the session.
    pub async fn sign_in(&self, officer: &str, password: &str) -> Result<HeaderValue, Failure> {
        let token = self.site.enter(officer, password, self.address).await?;
        if let Some(old) = &self.token {
            self.site.sessions().end(old);
        }
        Ok(session_cookie(&token, &self.site.fitting.hosts))
    }

    /// Signs out; the header removes the cookie.
    pub fn sign_out(&self) -> HeaderValue {
        if let Some(token) = &self.token {
            self.site.sessions().end(token);
        }
        session_cookie("", &self.site.fitting.hosts)
    }

    /// Locks the screen; `page` is shown after unlocking.
    pub fn lock(&self, page: &str) {
        if let Some(token) = &self.token {
            let page = if is_own_page(page) { page } else { "/" };
            self.site.sessions().change(token, |session| {
                session.locked_at = Some(page.to_owned());
            });
        }
    }

    /// Whether the screen is locked.
    pub fn is_locked(&self) -> bool {
        self.session.as_ref().is_some_and(|session| session.locked_at.is_some())
    }

    /// Unlocks the screen with the password; says which page stood there.
    pub async fn unlock(&self, password: &str) -> Result<String, Failure> {
        self.site.check_password_of(self.officer(), password, self.address).await?;
        let (now, mut page) = (self.now(), None);
        if let Some(token) = &self.token {
            self.site.sessions().change(token, |session| {
                session.used = now;
                page = session.locked_at.take();
            });
        }
        Ok(page.filter(|page| is_own_page(page)).unwrap_or_else(|| "/".into()))
    }

    /// Replaces the officer's own password and signs out everywhere.
    pub async fn change_password(&self, old: &str, new: &str) -> Result<(), Failure> {
        self.site.check_password_of(self.officer(), old, self.address).await?;
        let account = self.site.accounts().of(self.officer()).cloned();
        let account = account.ok_or_else(crate::entrance::wrong_password)?;
        self.site.save_account(Account { is_one_time: false, ..account }, new).await
    }
}

/// A page of this site and nothing else, as `/queue` or `/dossier/1?tab=2`.
pub(crate) fn is_own_page(page: &str) -> bool {
    let is_plain = page.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    page.starts_with('/') && !page.starts_with("//") && is_plain && page.len() <= 512
}

/// The value of a cookie.
pub(crate) fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let lines = headers.get_all(header::COOKIE).iter().filter_map(|line| line.to_str().ok());
    let pairs =
        lines.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.into_iter().find(|(held, _)| *held == name).map(|(_, value)| value)
}

/// The cookie that chooses a language for a year.
pub(crate) fn language_cookie(language: Language) -> HeaderValue {
    let year_seconds = 365 * 86_400;
    let text = format!(
        "{LANGUAGE_COOKIE}={}; Path=/; HttpOnly; SameSite=Strict; Max-Age={year_seconds}",
        language.tag()
    );
    HeaderValue::from_str(&text).expect("a tag and numbers are ASCII")
}

fn session_cookie(token: &str, hosts: &Hosts) -> HeaderValue {
    // It goes with the browser; the server ends it before.
    let end = if token.is_empty() { "; Max-Age=0" } else { "" };
    let secure = if hosts.is_secured() { "; Secure" } else { "" };
    let text = format!("{SESSION_COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict{secure}{end}");
    HeaderValue::from_str(&text).expect("a token is hex")
}

fn first<'f>(fields: &'f [(String, String)], name: &str) -> &'f str {
    fields.iter().find(|(held, _)| held == name).map_or("", |(_, value)| value)
}

pub(crate) const SESSION_COOKIE: &str = "lienthong_session";
const LANGUAGE_COOKIE: &str = "lienthong_language";
