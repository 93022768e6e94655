//! Who may enter: passwords, the wait after wrong ones, and the dates of a secondment.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::Duration;

use argon2::{Algorithm, Argon2, Params, PasswordHash, PasswordHasher, PasswordVerifier, Version};
use data_encoding::BASE32_NOPAD;
use lienthong_catalogue::{DayMinute, local, moment};
use lienthong_protocol::Moment;
use lienthong_request::Failure;
use serde_json::Value;

use crate::session::after;

/// The fewest characters of a password that somebody chooses.
pub const PASSWORD_MIN_CHARS: usize = 10;

/// How much work one guess of a password costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Strength {
    /// Memory, KiB.
    pub memory_kib: u32,
    /// Passes over it.
    pub passes: u32,
}

impl Default for Strength {
    /// 19 MiB and 2 passes, the least that OWASP advises: about 50 ms on an old PC.
    fn default() -> Strength {
        Strength { memory_kib: 19 * 1024, passes: 2 }
    }
}

impl Strength {
    /// The argon2id hash of a password, in PHC form. Slow: not for the threads of the runtime.
    pub(crate) fn hash(self, password: &str) -> Result<String, Failure> {
        let hashed = self.argon2()?.hash_password(password.as_bytes());
        hashed.map(|hash| hash.to_string()).map_err(|error| no_hash(&error.to_string()))
    }

    /// Whether a password has this hash. Without a hash it takes as long and says no, so that the
    /// time does not tell which accounts there are.
    pub(crate) fn fits(self, password: &str, hash: Option<&str>) -> Result<bool, Failure> {
        let Some(hash) = hash else {
            self.hash(password)?;
            return Ok(false);
        };
        let parsed = PasswordHash::new(hash).map_err(|error| no_hash(&error.to_string()))?;
        Ok(self.argon2()?.verify_password(password.as_bytes(), &parsed).is_ok())
    }

    fn argon2(self) -> Result<Argon2<'static>, Failure> {
        let params = Params::new(self.memory_kib, self.passes, 1, None);
        let params = params.map_err(|error| no_hash(&error.to_string()))?;
        Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
    }
}

/// Refuses a password that is too short or too long.
pub(crate) fn check_password(password: &str) -> Result<(), Failure> {
    let chars = password.chars().count();
    if chars >= PASSWORD_MIN_CHARS && password.len() <= PASSWORD_MAX_BYTES {
        return Ok(());
    }
    let why = format!(
        "mật khẩu có {chars} ký tự, cần ít nhất {PASSWORD_MIN_CHARS} / \
         the password has {chars} characters, at least {PASSWORD_MIN_CHARS} are needed"
    );
    let remedy = "dùng vài từ liền nhau / use some words together";
    Err(Failure::usage("weak-password", "chưa lưu / nothing was saved", why, remedy))
}

/// A code that people can read out and type, such as `K7QF-W2MD-XN5A-3RTB`: 80 random bits.
pub fn spoken_code() -> Result<String, Failure> {
    let mut bytes = [0; 10];
    getrandom::fill(&mut bytes).map_err(|error| no_hash(&error.to_string()))?;
    let code = BASE32_NOPAD.encode(&bytes);
    let groups: Vec<&str> = [0, 4, 8, 12].iter().filter_map(|at| code.get(*at..at + 4)).collect();
    Ok(groups.join("-"))
}

/// Wrong passwords of late, by account and by address, 4,096 at most.
#[derive(Debug, Default)]
pub(crate) struct Attempts {
    wrong: BTreeMap<Whose, Wrong>,
}

/// Whose wrong passwords are counted together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Whose {
    /// An account, or one that is not there, by the hash of its name.
    Account([u8; 32]),
    /// Everybody at an address.
    Address(IpAddr),
}

impl Whose {
    pub(crate) fn account(officer: &str) -> Whose {
        Whose::Account(*blake3::hash(officer.as_bytes()).as_bytes())
    }

    /// A person mistypes; behind one address there may be a whole office.
    const fn free(self) -> u32 {
        match self {
            Whose::Account(_) => 4,
            Whose::Address(_) => 20,
        }
    }
}

#[derive(Clone, Copy, Debug)]
struct Wrong {
    count: u32,
    last: Moment,
}

impl Wrong {
    fn until(self, whose: Whose) -> Moment {
        let over = self.count.saturating_sub(whose.free());
        if over == 0 {
            return self.last;
        }
        after(self.last, Duration::from_secs(1 << over.min(9)).min(LONGEST_WAIT))
    }
}

impl Attempts {
    /// Counts a try before it is made, so that many at once are counted too. Refused while the
    /// wait after wrong ones lasts: 2 s after the fifth of an account, then twice as long each
    /// time, up to 5 min; forgotten an hour after the last.
    pub(crate) fn begin(&mut self, all: [Whose; 2], now: Moment) -> Result<(), Failure> {
        self.wrong.retain(|_, wrong| now < after(wrong.last, MEMORY));
        for whose in all {
            let until = self.wrong.get(&whose).map_or(now, |wrong| wrong.until(whose));
            if until > now {
                return Err(wait((until.0 - now.0).div_ceil(1_000)));
            }
        }
        for whose in all {
            let wrong = self.wrong.entry(whose).or_insert(Wrong { count: 0, last: now });
            *wrong = Wrong { count: wrong.count.saturating_add(1), last: now };
        }
        while self.wrong.len() > MAX_REMEMBERED {
            let fewest = self.wrong.iter().min_by_key(|(_, wrong)| (wrong.count, wrong.last));
            let Some(whose) = fewest.map(|(whose, _)| *whose) else { break };
            self.wrong.remove(&whose);
        }
        Ok(())
    }

    /// The password was right: the account is forgotten, and the try at the address not counted.
    pub(crate) fn succeed(&mut self, [account, address]: [Whose; 2]) {
        self.wrong.remove(&account);
        if let Some(wrong) = self.wrong.get_mut(&address) {
            wrong.count = wrong.count.saturating_sub(1);
        }
    }
}

/// What the staff list says about an officer today.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Posting {
    /// The name, for the pages.
    pub(crate) name: String,
    /// When the last day is over; none: until further notice.
    pub(crate) until: Option<Moment>,
}

impl Posting {
    /// The posting of an officer by the answer to a request for the staff; `None` for an officer
    /// whom the list does not know. Outside all dates it is refused.
    pub(crate) fn of(
        staff: &Value,
        officer: &str,
        now: Moment,
    ) -> Result<Option<Posting>, Failure> {
        let today = local(now).0;
        let officers = staff["officers"].as_array().into_iter().flatten();
        let times = officers.filter(|time| time["id"] == officer);
        let mut is_known = false;
        for time in times {
            is_known = true;
            let day = |field: &str| time[field].as_str().and_then(|day| day.parse().ok());
            let (from, to) = (day("from").unwrap_or(today), day("to").unwrap_or(today));
            if from <= today && today <= to {
                let ends = time["to"].as_str().and_then(|_| to.tomorrow().ok());
                let until = ends.zip(DayMinute::at(0, 0)).and_then(|(day, at)| moment(day, at));
                let name = time["name"].as_str().unwrap_or(officer).to_owned();
                return Ok(Some(Posting { name, until }));
            }
        }
        if is_known { Err(outside_dates()) } else { Ok(None) }
    }
}

pub(crate) fn wrong_password() -> Failure {
    Failure::refused(
        "login-refused",
        "chưa đăng nhập / not signed in",
        "tên hoặc mật khẩu không đúng, hoặc tài khoản đã khóa / \
         name or password is wrong, or the account is disabled",
        "thử lại, hoặc nhờ quản trị đặt lại mật khẩu / \
         try again, or let an administrator reset the password",
    )
}

fn outside_dates() -> Failure {
    Failure::refused(
        "outside-secondment",
        "chưa đăng nhập / not signed in",
        "ngoài thời gian công tác trong danh sách cán bộ / \
         outside the dates in the staff list",
        "nhờ đơn vị công bố lại danh sách cán bộ / let the office publish its staff list anew",
    )
}

fn wait(seconds: u64) -> Failure {
    let why =
        format!("sai nhiều lần, chờ {seconds} giây / too many wrong ones, wait {seconds} seconds");
    let remedy = "chờ rồi thử lại / wait, then try again";
    Failure::refused("login-wait", "chưa đăng nhập / not signed in", why, remedy)
}

fn no_hash(cause: &str) -> Failure {
    let remedy = "free memory; if it stays, reset the password";
    Failure::failed("password-not-checked", "password not checked", cause, remedy)
}

const PASSWORD_MAX_BYTES: usize = 256;
const LONGEST_WAIT: Duration = Duration::from_secs(300);
const MEMORY: Duration = Duration::from_secs(3_600);
const MAX_REMEMBERED: usize = 4_096;

#[cfg(test)]
#[path = "entrance_tests.rs"]
mod tests;
