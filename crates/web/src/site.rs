//! What all pages share: the node behind them, accounts, sessions, words.

use std::collections::BTreeSet;
use std::future::Future;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use lienthong_folder::{Account, Accounts};
use lienthong_protocol::Moment;
use lienthong_request::{Caller, Failure, Request};
use serde_json::Value;
use tokio::sync::Semaphore;

use crate::entrance::{
    Attempts, Posting, Strength, Whose, check_password, spoken_code, wrong_password,
};
use crate::guard::Hosts;
use crate::metrics::Metrics;
use crate::once::Once;
use crate::page::Offices;
use crate::session::{SESSION_LIMITS, SessionLimits, Sessions, Token};
use crate::words::Words;

/// A future on the heap.
pub type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A node that can be asked, as the socket of commands asks it.
pub trait Node: Send + Sync {
    /// Asks it for somebody and waits for the answer.
    fn ask(&self, caller: Caller, request: Request) -> BoxFuture<Result<Value, Failure>>;
}

/// What a site is made of.
pub struct Fitting {
    /// The data folder, for accounts and drafts.
    pub folder: PathBuf,
    /// Every text.
    pub words: Words,
    /// The names under which it may be asked for.
    pub hosts: Hosts,
    /// What time it is.
    pub clock: fn() -> Moment,
    /// What a guess of a password costs.
    pub strength: Strength,
    /// How long sessions last.
    pub sessions: SessionLimits,
}

impl Fitting {
    /// A site with the usual strength and limits.
    pub fn new(folder: &Path, words: Words, hosts: Hosts, clock: fn() -> Moment) -> Fitting {
        let (strength, sessions) = (Strength::default(), SESSION_LIMITS);
        Fitting { folder: folder.to_owned(), words, hosts, clock, strength, sessions }
    }
}

/// The state behind all pages of one node.
pub struct Site {
    pub(crate) fitting: Fitting,
    pub(crate) once: Once,
    pub(crate) metrics: Metrics,
    node: OnceLock<Arc<dyn Node>>,
    accounts: Mutex<Accounts>,
    sessions: Mutex<Sessions>,
    attempts: Mutex<Attempts>,
    hashing: Semaphore,
    pages: OnceLock<BTreeSet<&'static str>>,
    /// Held by who works on drafts: two presses must not write one file.
    pub(crate) drafting: Mutex<()>,
    pub(crate) offices: Mutex<Arc<Offices>>,
}

impl Site {
    /// A site whose node is not there yet; its accounts are read from the folder.
    pub fn new(fitting: Fitting) -> Result<Arc<Site>, Failure> {
        let accounts = Mutex::new(Accounts::open(&fitting.folder)?);
        let sessions = Mutex::new(Sessions::new(fitting.sessions));
        Ok(Arc::new(Site {
            fitting,
            once: Once::default(),
            metrics: Metrics::default(),
            node: OnceLock::new(),
            accounts,
            sessions,
            attempts: Mutex::default(),
            hashing: Semaphore::new(MAX_HASHING),
            pages: OnceLock::new(),
            drafting: Mutex::default(),
            offices: Mutex::default(),
        }))
    }

    /// Puts the node behind the pages; a second one is passed over.
    pub fn found(&self, node: Arc<dyn Node>) {
        // The first one stays: it holds the folder.
        drop(self.node.set(node));
    }

    /// Whether a node is behind the pages.
    pub fn is_founded(&self) -> bool {
        self.node.get().is_some()
    }

    /// What time it is.
    pub fn now(&self) -> Moment {
        (self.fitting.clock)()
    }

    /// The words of all pages.
    pub fn words(&self) -> &Words {
        &self.fitting.words
    }

    /// The data folder.
    pub fn folder(&self) -> &Path {
        &self.fitting.folder
    }

    /// Asks the node for nobody in particular.
    pub(crate) async fn ask(&self, request: Request) -> Result<Value, Failure> {
        self.ask_for(Caller::Program, request).await
    }

    /// Asks the node for somebody.
    pub(crate) async fn ask_for(&self, caller: Caller, request: Request) -> Result<Value, Failure> {
        match self.node.get() {
            Some(node) => node.ask(caller, request).await,
            None => Err(Failure::not_joined(
                "not-joined",
                "chưa làm được / nothing was done",
                "nút này chưa tham gia liên thông / this node has not joined yet",
                "mở trang bắt đầu / open the first page",
            )),
        }
    }

    pub(crate) fn set_pages(&self, patterns: impl Iterator<Item = &'static str>) {
        // A site has one router; a second one would show the navigation of the first.
        drop(self.pages.set(patterns.collect()));
    }

    /// Whether a path is one that is read, such as `/dossier/1` by `/dossier/{dossier}`.
    pub(crate) fn has_page(&self, path: &str) -> bool {
        let fits = |pattern: &&str| {
            let (asked, held) = (path.split('/'), pattern.split('/'));
            asked.clone().count() == held.clone().count()
                && asked.zip(held).all(|(asked, held)| held.starts_with('{') || asked == held)
        };
        self.pages.get().is_some_and(|pages| pages.iter().any(fits))
    }

    /// The accounts, held for a moment.
    pub fn accounts(&self) -> MutexGuard<'_, Accounts> {
        self.accounts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn sessions(&self) -> MutexGuard<'_, Sessions> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn attempts(&self) -> MutexGuard<'_, Attempts> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Opens a session for the right password, within the dates of the staff list.
    pub(crate) async fn enter(
        &self,
        officer: &str,
        password: &str,
        address: IpAddr,
    ) -> Result<Token, Failure> {
        self.check_password_of(officer, password, address).await?;
        let posting = self.posting(officer).await?;
        let until = posting.and_then(|posting| posting.until);
        let token = self.sessions().open(officer, self.now(), until)?;
        tracing::info!("signed-in");
        Ok(token)
    }

    /// Makes sure that a password is the officer's, after the wait that wrong ones earn.
    pub(crate) async fn check_password_of(
        &self,
        officer: &str,
        password: &str,
        address: IpAddr,
    ) -> Result<(), Failure> {
        let whose = [Whose::account(officer), Whose::Address(address)];
        self.attempts().begin(whose, self.now()).inspect_err(|_| self.metrics.sign_in("wait"))?;
        let account = self.accounts().of(officer).cloned();
        let hash = account.as_ref().map(|account| account.password.clone());
        let (strength, password) = (self.fitting.strength, password.to_owned());
        let fits = self.hashed(move || strength.fits(&password, hash.as_deref())).await?;
        if !fits || account.is_none_or(|account| account.is_disabled) {
            self.metrics.sign_in("refused");
            return Err(wrong_password());
        }
        self.attempts().succeed(whose);
        self.metrics.sign_in("done");
        Ok(())
    }

    /// What the staff list says about an officer; `None` without a list, or for an administrator
    /// whom it does not know. Anybody else whom it does not know is refused.
    pub(crate) async fn posting(&self, officer: &str) -> Result<Option<Posting>, Failure> {
        let staff = match self.ask(Request::Staff { office: None }).await {
            Ok(staff) => staff,
            Err(failure) if failure.code == NO_STAFF => return Ok(None),
            Err(failure) => return Err(failure),
        };
        let posting = Posting::of(&staff, officer, self.now())?;
        let is_in_charge = self
            .accounts()
            .of(officer)
            .is_some_and(|account| account.roles.contains(&lienthong_folder::Role::Administrator));
        match posting {
            None if !is_in_charge => Err(wrong_password()),
            posting => Ok(posting),
        }
    }

    /// Saves an account with a password that its officer chose.
    pub async fn save_account(&self, account: Account, password: &str) -> Result<(), Failure> {
        check_password(password)?;
        self.save_hashed(account, password.to_owned()).await
    }

    /// Saves an account with a new one-time password, and tells it.
    pub async fn reset_account(&self, account: Account) -> Result<String, Failure> {
        let password = spoken_code()?;
        let account = Account { is_one_time: true, ..account };
        self.save_hashed(account, password.clone()).await?;
        Ok(password)
    }

    /// Saves an account with the password it has. A disabled one is signed out.
    pub async fn change_account(self: &Arc<Self>, account: Account) -> Result<(), Failure> {
        let officer = account.officer.clone();
        let is_disabled = account.is_disabled;
        let site = Arc::clone(self);
        let saved = tokio::task::spawn_blocking(move || site.accounts().put(account)).await;
        saved.map_err(|_| broken_off())??;
        if is_disabled {
            self.sessions().end_all(&officer, None);
        }
        Ok(())
    }

    async fn save_hashed(&self, account: Account, password: String) -> Result<(), Failure> {
        let strength = self.fitting.strength;
        let password = self.hashed(move || strength.hash(&password)).await?;
        let officer = account.officer.clone();
        self.accounts().put(Account { password, ..account })?;
        self.sessions().end_all(&officer, None);
        Ok(())
    }

    /// Works on a hash beside the runtime, at most 2 at once: each takes 19 MiB.
    async fn hashed<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let _turn = self.hashing.acquire().await.map_err(|_| broken_off())?;
        tokio::task::spawn_blocking(work).await.map_err(|_| broken_off())?
    }
}

pub(crate) fn broken_off() -> Failure {
    let why = "việc đang làm bị ngắt / what was under way broke off";
    let remedy = "làm lại / try again";
    Failure::failed("broken-off", "chưa xong / not done", why, remedy)
}

/// How the node says that no staff list is published.
const NO_STAFF: &str = "no-staff";
const MAX_HASHING: usize = 2;
