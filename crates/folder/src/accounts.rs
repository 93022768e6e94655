//! Who may work at the pages of this node: accounts with their roles and password hashes.
//!
//! The file is the node's own and is never replicated: a password is good at one place, and a
//! node that is taken over tells nothing that opens another.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use lienthong_request::Failure;
use serde::{Deserialize, Serialize};

use crate::folder::{read_limited, replace};

/// The accounts of one node, as `accounts.json` of its data folder holds them.
#[derive(Debug)]
pub struct Accounts {
    file: PathBuf,
    held: BTreeMap<String, Account>,
}

/// One officer's account.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// The officer's id, as in the staff list; 1 to 64 bytes.
    pub officer: String,
    /// The argon2id hash of the password, in PHC form.
    pub password: String,
    /// What the account is for.
    pub roles: BTreeSet<Role>,
    /// Whether the password was given by an administrator and must be replaced at the next log-in.
    pub is_one_time: bool,
    /// Whether nobody may log in with it.
    pub is_disabled: bool,
}

/// What an account is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Takes dossiers in and gives results out.
    Intake,
    /// Works on dossiers.
    Processing,
    /// Decides and signs.
    Leader,
    /// Looks at the work of others.
    Supervisor,
    /// Gives accounts, admits nodes, publishes.
    Administrator,
}

impl Role {
    /// Every role, in the order in which pages show them.
    pub const ALL: [Role; 5] =
        [Role::Intake, Role::Processing, Role::Leader, Role::Supervisor, Role::Administrator];

    /// The word in files and forms.
    pub const fn word(self) -> &'static str {
        match self {
            Role::Intake => "intake",
            Role::Processing => "processing",
            Role::Leader => "leader",
            Role::Supervisor => "supervisor",
            Role::Administrator => "administrator",
        }
    }
}

impl FromStr for Role {
    type Err = Failure;

    fn from_str(word: &str) -> Result<Role, Failure> {
        Role::ALL.into_iter().find(|role| role.word() == word).ok_or_else(|| {
            let words = Role::ALL.map(Role::word).join(", ");
            Failure::usage("unknown-role", UNSAVED, "no such role", format!("use one of {words}"))
        })
    }
}

impl Accounts {
    /// Reads the accounts of a data folder; none if the file is not there yet.
    pub fn open(folder: &Path) -> Result<Accounts, Failure> {
        let file = folder.join(FILE);
        let bytes = match read_limited(&file, MAX_FILE_BYTES) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Ok(Accounts { file, held: BTreeMap::new() });
            }
            Err(error) => return Err(Failure::disk("accounts not read", &file, &error)),
        };
        let accounts: Vec<Account> = serde_json::from_slice(&bytes).map_err(|error| {
            // What the file holds is never repeated.
            let why = format!("{}: line {} does not fit", file.display(), error.line());
            let remedy = "put the file back from a backup; without it, the first administrator is \
                          made anew at the next start";
            Failure::store("accounts-unreadable", "accounts not read", why, remedy)
        })?;
        let held = accounts.into_iter().map(|account| (account.officer.clone(), account));
        Ok(Accounts { file, held: held.collect() })
    }

    /// The account of an officer.
    pub fn of(&self, officer: &str) -> Option<&Account> {
        self.held.get(officer)
    }

    /// Every account, by officer.
    pub fn all(&self) -> impl Iterator<Item = &Account> {
        self.held.values()
    }

    /// Whether somebody can give accounts.
    pub fn has_administrator(&self) -> bool {
        let is_in_charge =
            |held: &Account| !held.is_disabled && held.roles.contains(&Role::Administrator);
        self.held.values().any(is_in_charge)
    }

    /// Puts an account in place of the officer's old one; on disk when this returns. Refused: a
    /// bad id, an account too many (1,000), and what would leave no administrator.
    pub fn put(&mut self, account: Account) -> Result<(), Failure> {
        let id_bytes = account.officer.len();
        if id_bytes == 0 || id_bytes > MAX_ID_BYTES {
            let why = format!("the officer's id has {id_bytes} bytes, the limit is {MAX_ID_BYTES}");
            return Err(Failure::usage(
                "bad-officer",
                UNSAVED,
                why,
                "take the id of the staff list",
            ));
        }
        let had_administrator = self.has_administrator();
        let mut next = self.held.clone();
        next.insert(account.officer.clone(), account);
        if next.len() > MAX_ACCOUNTS {
            let why = format!("there are {MAX_ACCOUNTS} accounts already");
            return Err(Failure::refused("too-many-accounts", UNSAVED, why, "disable old ones"));
        }
        let next = Accounts { file: self.file.clone(), held: next };
        if had_administrator && !next.has_administrator() {
            let why = "nobody would be left to give accounts";
            let remedy = "make another administrator first";
            return Err(Failure::refused("last-administrator", UNSAVED, why, remedy));
        }
        let accounts: Vec<&Account> = next.held.values().collect();
        let bytes = serde_json::to_vec_pretty(&accounts).map_err(io::Error::from);
        let saved = bytes.and_then(|bytes| replace(&self.file, &bytes));
        saved.map_err(|error| Failure::disk(UNSAVED, &self.file, &error))?;
        *self = next;
        Ok(())
    }
}

impl fmt::Debug for Account {
    /// Without the hash of the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account").field("roles", &self.roles).finish_non_exhaustive()
    }
}

const FILE: &str = "accounts.json";
const UNSAVED: &str = "account not saved";
const MAX_FILE_BYTES: u64 = 1 << 20;
const MAX_ACCOUNTS: usize = 1_000;
const MAX_ID_BYTES: usize = 64;

#[cfg(test)]
#[path = "accounts_tests.rs"]
mod tests;
