//! Sessions: who is signed in, since when, and until when.

use std::collections::BTreeMap;
use std::time::Duration;

use data_encoding::HEXLOWER;
use lienthong_protocol::Moment;
use lienthong_request::Failure;

/// How long sessions last, and how many there are.
#[derive(Clone, Copy, Debug)]
pub struct SessionLimits {
    /// Without a sign of life the screen is locked and the password asked for again.
    pub lock_after: Duration,
    /// Without a sign of life the session ends.
    pub idle: Duration,
    /// The session ends, whatever happens.
    pub absolute: Duration,
    /// The oldest session of an officer makes place for one more.
    pub per_officer: usize,
    /// The oldest session of all makes place for one more.
    pub all: usize,
}

/// 15 minutes to the lock, 4 hours idle, 12 hours in all, 5 sessions an officer, 1,000 in all.
pub const SESSION_LIMITS: SessionLimits = SessionLimits {
    lock_after: Duration::from_secs(15 * 60),
    idle: Duration::from_secs(4 * 3_600),
    absolute: Duration::from_secs(12 * 3_600),
    per_officer: 5,
    all: 1_000,
};

/// One signed-in officer at one browser.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) officer: String,
    pub(crate) ends: Moment,
    pub(crate) used: Moment,
    /// When the staff list was last asked whether the officer may still work.
    pub(crate) checked: Moment,
    /// The page that stood there when the screen was locked.
    pub(crate) locked_at: Option<String>,
}

/// What a cookie carries: 256 random bits in hex. Only its hash is kept.
pub(crate) type Token = String;

/// The sessions of this process; a restart ends them.
#[derive(Debug)]
pub(crate) struct Sessions {
    limits: SessionLimits,
    held: BTreeMap<[u8; 32], Session>,
}

impl Sessions {
    pub(crate) fn new(limits: SessionLimits) -> Sessions {
        Sessions { limits, held: BTreeMap::new() }
    }

    /// Opens a session that ends at `until` at the latest.
    pub(crate) fn open(
        &mut self,
        officer: &str,
        now: Moment,
        until: Option<Moment>,
    ) -> Result<Token, Failure> {
        self.held.retain(|_, session| !is_over(session, self.limits, now));
        self.make_place(officer);
        let token = random_hex::<32>()?;
        let longest = after(now, self.limits.absolute);
        let ends = until.map_or(longest, |until| until.min(longest));
        let officer = officer.to_owned();
        let session = Session { officer, ends, used: now, checked: now, locked_at: None };
        self.held.insert(hash(&token), session);
        Ok(token)
    }

    /// The session of a token, if it still lasts. One that was idle too long is locked.
    pub(crate) fn of(&mut self, token: &str, now: Moment) -> Option<Session> {
        let key = hash(token);
        let limits = self.limits;
        if is_over(self.held.get(&key)?, limits, now) {
            self.held.remove(&key);
            return None;
        }
        let session = self.held.get_mut(&key)?;
        if now >= after(session.used, limits.lock_after) && session.locked_at.is_none() {
            session.locked_at = Some(String::new());
        }
        Some(session.clone())
    }

    /// Changes a session that still lasts.
    pub(crate) fn change(&mut self, token: &str, change: impl FnOnce(&mut Session)) {
        if let Some(session) = self.held.get_mut(&hash(token)) {
            change(session);
        }
    }

    /// Ends the session of a token.
    pub(crate) fn end(&mut self, token: &str) {
        self.held.remove(&hash(token));
    }

    /// Ends every session of an officer but that of `but`.
    pub(crate) fn end_all(&mut self, officer: &str, but: Option<&str>) {
        let kept = but.map(hash);
        self.held.retain(|key, session| session.officer != officer || Some(*key) == kept);
    }

    /// How many there are.
    pub(crate) fn len(&self) -> usize {
        self.held.len()
    }

    fn make_place(&mut self, officer: &str) {
        let own = self.held.values().filter(|session| session.officer == officer).count();
        if own >= self.limits.per_officer {
            self.drop_oldest(|session| session.officer == officer);
        }
        if self.held.len() >= self.limits.all {
            self.drop_oldest(|_| true);
        }
    }

    fn drop_oldest(&mut self, of: impl Fn(&Session) -> bool) {
        let among = self.held.iter().filter(|(_, session)| of(session));
        let oldest = among.min_by_key(|(_, session)| session.used).map(|(key, _)| *key);
        if let Some(key) = oldest {
            self.held.remove(&key);
        }
    }
}

/// Random bytes of the system, in hex.
pub(crate) fn random_hex<const N: usize>() -> Result<String, Failure> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| {
        let remedy = "check that /dev/urandom can be read";
        Failure::failed("no-randomness", "nothing was done", error.to_string(), remedy)
    })?;
    Ok(HEXLOWER.encode(&bytes))
}

pub(crate) fn after(at: Moment, wait: Duration) -> Moment {
    Moment(at.0.saturating_add(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX)))
}

fn is_over(session: &Session, limits: SessionLimits, now: Moment) -> bool {
    now >= session.ends || now >= after(session.used, limits.idle)
}

/// A stolen memory image or core file holds no token that opens anything.
fn hash(token: &str) -> [u8; 32] {
    *blake3::hash(token.as_bytes()).as_bytes()
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
