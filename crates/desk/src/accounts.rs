//! The accounts of this node, for its administrators.

use std::collections::BTreeSet;
use std::sync::Arc;

use askama::Template;
use lienthong_folder::{Account, Role};
use lienthong_request::{Failure, Request, SCHEMA};
use lienthong_web::{Answer, FieldErrors, Site, Tongue, Visit};
use serde_json::{Value, json};

use crate::login::error_at;

#[derive(Template)]
#[template(path = "accounts.html")]
struct Page<'p> {
    t: Tongue<'p>,
    errors: FieldErrors,
    lines: Vec<Line>,
    candidates: Vec<(String, String)>,
    has_staff: bool,
    officer: &'p str,
    one_time: Option<(String, String)>,
}

/// One account with what the staff list says of its officer.
struct Line {
    account: Account,
    name: String,
    dates: String,
}

impl Line {
    fn has(&self, role: &Role) -> bool {
        self.account.roles.contains(role)
    }
}

pub(crate) async fn show(visit: Arc<Visit>) -> Answer {
    page(&visit, FieldErrors::default(), None).await
}

/// Adds or changes one account; which, says the button that was pressed.
pub(crate) async fn save(visit: Arc<Visit>) -> Answer {
    let officer = visit.field("officer").to_owned();
    let done = match pressed(&visit) {
        Ok(asked) => change(visit.site(), &officer, asked).await,
        Err(failure) => Err(failure),
    };
    match done {
        Ok(one_time) => {
            let one_time = one_time.map(|password| (officer, password));
            page(&visit, FieldErrors::default(), one_time).await
        }
        Err(failure) => page(&visit, error_at("officer", &visit, failure)?, None).await,
    }
}

/// What is done to an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Change {
    /// The officer gets one.
    Add(BTreeSet<Role>),
    /// It is for something else from now on.
    Roles(BTreeSet<Role>),
    /// It gets a new one-time password.
    Reset,
    /// Nobody may log in with it.
    End,
    /// Its officer may log in again.
    Open,
}

/// Changes an account of this node; a new one-time password is told this once. One that ends, and
/// one with a new password, is signed out.
pub(crate) async fn change(
    site: &Arc<Site>,
    officer: &str,
    change: Change,
) -> Result<Option<String>, Failure> {
    let held = site.accounts().of(officer).cloned();
    let changed = match (change, held) {
        (Change::Add(roles), None) => {
            let account = Account {
                officer: officer.to_owned(),
                password: String::new(),
                roles,
                is_one_time: true,
                is_disabled: false,
            };
            return site.reset_account(account).await.map(Some);
        }
        (Change::Add(_), Some(_)) => return Err(has_account()),
        (_, None) => return Err(no_such_account()),
        (Change::Reset, Some(account)) => return site.reset_account(account).await.map(Some),
        (Change::Roles(roles), Some(account)) => Account { roles, ..account },
        (Change::End, Some(account)) => Account { is_disabled: true, ..account },
        (Change::Open, Some(account)) => Account { is_disabled: false, ..account },
    };
    site.change_account(changed).await.map(|()| None)
}

/// The accounts of this node as programs see them; nothing of a password is in it.
pub(crate) fn listed(site: &Site) -> Value {
    let accounts = site.accounts();
    let shown = accounts.all().map(|account| {
        json!({
            "officer": account.officer,
            "roles": account.roles,
            "one_time": account.is_one_time,
            "ended": account.is_disabled,
        })
    });
    json!({ "schema": SCHEMA, "accounts": shown.collect::<Vec<_>>() })
}

/// What the button of the page asks for.
fn pressed(visit: &Visit) -> Result<Change, Failure> {
    match visit.field("do") {
        "add" => roles(visit).map(Change::Add),
        "roles" => roles(visit).map(Change::Roles),
        "reset" => Ok(Change::Reset),
        "disable" => Ok(Change::End),
        "enable" => Ok(Change::Open),
        _ => Err(no_such_account()),
    }
}

fn roles(visit: &Visit) -> Result<BTreeSet<Role>, Failure> {
    visit.fields("role").map(str::parse).collect()
}

async fn page(visit: &Visit, errors: FieldErrors, one_time: Option<(String, String)>) -> Answer {
    let staff = match visit.ask(Request::Staff { office: None }).await {
        Ok(staff) => Some(staff),
        Err(failure) if failure.code == "no-staff" => None,
        Err(failure) => return Err(failure),
    };
    let officers = staff.as_ref().and_then(|staff| staff["officers"].as_array());
    let officers = officers.map_or(&[][..], Vec::as_slice);
    let accounts: Vec<Account> = visit.site().accounts().all().cloned().collect();
    let has_account = |id: &str| accounts.iter().any(|account| account.officer == id);
    let mut candidates = Vec::new();
    for officer in officers {
        let (id, name) = (text(&officer["id"]), text(&officer["name"]));
        if !has_account(&id) && !candidates.iter().any(|(known, _)| *known == id) {
            candidates.push((id, name));
        }
    }
    let lines = accounts.into_iter().map(|account| line(account, officers)).collect();
    let is_wrong = !errors.is_empty();
    let (t, officer) = (visit.tongue(), if is_wrong { visit.field("officer") } else { "" });
    let has_staff = staff.is_some();
    let page = Page { t, errors, lines, candidates, has_staff, officer, one_time };
    if is_wrong {
        visit.page_with_errors("accounts.title", &page).await
    } else {
        visit.page("accounts.title", &page).await
    }
}

fn line(account: Account, officers: &[Value]) -> Line {
    let times: Vec<&Value> =
        officers.iter().filter(|time| time["id"] == account.officer.as_str()).collect();
    let name = times.first().map(|time| text(&time["name"])).unwrap_or_default();
    let dates = times.iter().map(|time| format!("{} – {}", text(&time["from"]), text(&time["to"])));
    let dates = dates.collect::<Vec<_>>().join(", ");
    Line { account, name, dates }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn has_account() -> Failure {
    Failure::refused(
        "account-there",
        "chưa lưu / nothing was saved",
        "cán bộ này đã có tài khoản / this officer has an account already",
        "sửa tài khoản đó / change that account",
    )
}

fn no_such_account() -> Failure {
    Failure::refused(
        "no-such-account",
        "chưa lưu / nothing was saved",
        "không có tài khoản này / there is no such account",
        "chọn trong danh sách / choose one of the list",
    )
}

/// The key of a role's word.
pub(crate) const fn role_key(role: &Role) -> &'static str {
    match role {
        Role::Intake => "role.intake",
        Role::Processing => "role.processing",
        Role::Leader => "role.leader",
        Role::Supervisor => "role.supervisor",
        Role::Administrator => "role.administrator",
    }
}
