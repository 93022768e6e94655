//! The first start: joining a federation or founding one, then the first administrator.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use askama::Template;
use axum::http::header;
use lienthong_folder::{Account, Role};
use lienthong_qr::ReadError;
use lienthong_request::{Failure, Request};
use lienthong_web::{
    Answer, BoxFuture, FieldErrors, Node, Route, Site, Tongue, Visit, Who, see_other,
};
use serde_json::Value;

use crate::login::{error_at, raw};

/// What can be begun in an empty folder.
pub trait Start: Send + Sync {
    /// Reads a join code and says whom it makes this node trust; sends nothing.
    fn read_code(&self, code: &str) -> Result<Trust, Failure>;

    /// Joins, and answers with the node that runs. It may wait for the hub to approve.
    fn join(&self, code: String) -> BoxFuture<Result<Arc<dyn Node>, Failure>>;

    /// Founds a federation from the text of a province file, and answers with its first node.
    fn found(&self, province: String) -> BoxFuture<Result<Arc<dyn Node>, Failure>>;
}

/// Whom a join code makes a node trust.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trust {
    /// The federation, in hex.
    pub federation: String,
    /// The key of the hub, in hex.
    pub hub: String,
    /// Where the hub listens, as `host:port`.
    pub addresses: Vec<String>,
    /// The id of the office that this node will be of.
    pub office: String,
    /// Until when the code is good.
    pub expires: String,
}

/// How far the first start is.
pub struct Setup {
    start: Option<Arc<dyn Start>>,
    secret: String,
    stage: Mutex<Stage>,
}

#[derive(Clone, Debug)]
enum Stage {
    /// Nothing was chosen yet.
    Choosing,
    /// Somebody with the secret is asked whether to trust.
    Asking { code: String, trust: Trust },
    /// It is under way.
    Working,
    /// It did not work; another try may.
    Failed(Failure),
    /// A node runs.
    Running,
}

impl Setup {
    /// A first start; `start` is missing where the node has joined already. The secret is what the
    /// program prints: who knows it sits at this machine.
    pub fn new(start: Option<Arc<dyn Start>>, secret: String) -> Arc<Setup> {
        let stage = if start.is_some() { Stage::Choosing } else { Stage::Running };
        Arc::new(Setup { start, secret, stage: Mutex::new(stage) })
    }

    fn stage(&self) -> MutexGuard<'_, Stage> {
        self.stage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn knows(&self, secret: &str) -> bool {
        let typed: String = secret.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
        let own: String = self.secret.chars().filter(|c| c.is_ascii_alphanumeric()).collect();
        // Hashes take as long to compare whatever was guessed right.
        !own.is_empty()
            && blake3::hash(typed.to_ascii_uppercase().as_bytes()) == blake3::hash(own.as_bytes())
    }
}

#[derive(Template)]
#[template(path = "setup.html")]
struct Page<'p> {
    t: Tongue<'p>,
    errors: FieldErrors,
    secret: &'p str,
    officer: &'p str,
    step: Step<'p>,
}

enum Step<'p> {
    Choose { code: &'p str },
    Confirm { trust: Trust },
    Wait,
    Administrator { done: u64, all: u64, loading: String },
}

/// The routes of the first start.
pub(crate) fn routes(setup: &Arc<Setup>) -> Vec<Route> {
    let with = |act: fn(Arc<Setup>, Arc<Visit>) -> BoxFuture<Answer>| {
        let setup = Arc::clone(setup);
        move |visit: Arc<Visit>| act(Arc::clone(&setup), visit)
    };
    vec![
        Route::get("/setup", Who::Anyone, with(|setup, visit| Box::pin(show(setup, visit)))),
        Route::post("/setup/code", Who::Anyone, with(|setup, visit| Box::pin(read(setup, visit))))
            .takes(MAX_UPLOAD_BYTES),
        Route::post("/setup/join", Who::Anyone, with(|setup, visit| Box::pin(join(setup, visit)))),
        Route::post("/setup/back", Who::Anyone, with(|setup, visit| Box::pin(back(setup, visit)))),
        Route::post(
            "/setup/found",
            Who::Anyone,
            with(|setup, visit| Box::pin(found(setup, visit))),
        )
        .takes(MAX_UPLOAD_BYTES),
        Route::post(
            "/setup/administrator",
            Who::Anyone,
            with(|setup, visit| Box::pin(administrator(setup, visit))),
        ),
    ]
}

async fn show(setup: Arc<Setup>, visit: Arc<Visit>) -> Answer {
    if is_over(&visit) {
        return Ok(see_other("/login"));
    }
    page(&setup, &visit, FieldErrors::default()).await
}

/// Shows whom a code makes this node trust; nothing is sent yet.
async fn read(setup: Arc<Setup>, visit: Arc<Visit>) -> Answer {
    if let Some(answer) = stranger(&setup, &visit).await {
        return answer;
    }
    let code = match given_code(&visit).await {
        Ok(code) => code,
        Err(words) => {
            let mut errors = FieldErrors::default();
            errors.add("picture", words);
            return page(&setup, &visit, errors).await;
        }
    };
    let read = match &setup.start {
        Some(start) => start.read_code(&code),
        None => Err(under_way()),
    };
    match read {
        Ok(trust) => {
            let mut stage = setup.stage();
            if matches!(*stage, Stage::Working | Stage::Running) {
                return Err(under_way());
            }
            *stage = Stage::Asking { code, trust };
            Ok(see_other("/setup"))
        }
        Err(failure) => page(&setup, &visit, error_at("code", &visit, failure)?).await,
    }
}

/// The code that was typed, or the one on the picture that was chosen; else what is wrong with the
/// picture, in words.
async fn given_code(visit: &Visit) -> Result<String, String> {
    let typed = visit.field("code");
    let picture = visit.file("picture").cloned();
    let tongue = visit.tongue();
    let Some(picture) = picture else {
        let none = || tongue.say("setup.picture.none");
        return if typed.is_empty() { Err(none()) } else { Ok(typed.to_owned()) };
    };
    let read = tokio::task::spawn_blocking(move || lienthong_qr::read(&picture)).await;
    // A picture that makes its reader panic is none that can be read.
    read.unwrap_or(Err(ReadError::NoPicture)).map_err(|error| {
        let limit = lienthong_qr::MAX_PIXELS.to_string();
        tongue.fill(&format!("setup.picture.{}", error.code()), "count", &limit)
    })
}

async fn back(setup: Arc<Setup>, visit: Arc<Visit>) -> Answer {
    if let Some(answer) = stranger(&setup, &visit).await {
        return answer;
    }
    let mut stage = setup.stage();
    if matches!(*stage, Stage::Asking { .. } | Stage::Failed(_)) {
        *stage = Stage::Choosing;
    }
    Ok(see_other("/setup"))
}

async fn join(setup: Arc<Setup>, visit: Arc<Visit>) -> Answer {
    if let Some(answer) = stranger(&setup, &visit).await {
        return answer;
    }
    let Some(start) = setup.start.clone() else { return Err(under_way()) };
    let code = match &*setup.stage() {
        Stage::Asking { code, .. } => code.clone(),
        _ => return Err(under_way()),
    };
    begin(&setup, visit.site(), start.join(code));
    Ok(see_other("/setup"))
}

async fn found(setup: Arc<Setup>, visit: Arc<Visit>) -> Answer {
    if let Some(answer) = stranger(&setup, &visit).await {
        return answer;
    }
    let Some(start) = setup.start.clone() else { return Err(under_way()) };
    let text = visit.file("province").map(|bytes| String::from_utf8(bytes.to_vec()));
    let Some(Ok(province)) = text else {
        let mut errors = FieldErrors::default();
        errors.add("province", visit.tongue().say("setup.no_file"));
        return page(&setup, &visit, errors).await;
    };
    if matches!(*setup.stage(), Stage::Working | Stage::Running) {
        return Err(under_way());
    }
    begin(&setup, visit.site(), start.found(province));
    Ok(see_other("/setup"))
}

/// Goes on behind the page, which asks again how far it is.
fn begin(setup: &Arc<Setup>, site: &Arc<Site>, work: BoxFuture<Result<Arc<dyn Node>, Failure>>) {
    *setup.stage() = Stage::Working;
    let (setup, site) = (Arc::clone(setup), Arc::clone(site));
    tokio::spawn(async move {
        let ended = work.await;
        let stage = match ended {
            Ok(node) => {
                site.found(node);
                Stage::Running
            }
            Err(failure) => Stage::Failed(failure),
        };
        *setup.stage() = stage;
    });
}

async fn administrator(setup: Arc<Setup>, visit: Arc<Visit>) -> Answer {
    if let Some(answer) = stranger(&setup, &visit).await {
        return answer;
    }
    if !matches!(*setup.stage(), Stage::Running) {
        return Err(under_way());
    }
    let (officer, password) = (visit.field("officer"), raw(&visit, "password"));
    let roles = Role::ALL.into_iter().collect();
    let account = Account {
        officer: officer.to_owned(),
        password: String::new(),
        roles,
        is_one_time: false,
        is_disabled: false,
    };
    let mut errors = FieldErrors::default();
    if password != raw(&visit, "again") {
        errors.add("again", visit.tongue().say("password.differ"));
    } else if let Err(failure) = visit.site().save_account(account, password).await {
        let field = if failure.code == "weak-password" { "password" } else { "officer" };
        errors = error_at(field, &visit, failure)?;
    }
    if !errors.is_empty() {
        return page(&setup, &visit, errors).await;
    }
    let mut response = see_other("/");
    let cookie = visit.sign_in(officer, password).await?;
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}

/// What somebody gets who does not know the secret, or comes when all is done.
async fn stranger(setup: &Setup, visit: &Visit) -> Option<Answer> {
    if is_over(visit) {
        return Some(Ok(see_other("/login")));
    }
    if setup.knows(visit.field("secret")) {
        return None;
    }
    let mut errors = FieldErrors::default();
    errors.add("secret", visit.tongue().say("setup.wrong_secret"));
    Some(page(setup, visit, errors).await)
}

/// Once there is an administrator, the set-up is closed for good.
fn is_over(visit: &Visit) -> bool {
    visit.site().is_founded() && visit.site().accounts().has_administrator()
}

async fn page(setup: &Setup, visit: &Visit, mut errors: FieldErrors) -> Answer {
    let secret = if setup.knows(visit.field("secret")) { visit.field("secret") } else { "" };
    let stage = setup.stage().clone();
    if let Stage::Failed(failure) = &stage {
        errors.add_failure("code", failure, visit.tongue());
    }
    let step = match stage {
        Stage::Choosing | Stage::Failed(_) => Step::Choose { code: visit.field("code") },
        Stage::Asking { trust, .. } => Step::Confirm { trust },
        Stage::Working => Step::Wait,
        Stage::Running => {
            let (done, all) = first_load(&visit.ask(Request::Status).await?);
            let counts = [done.to_string(), all.to_string()];
            let parts = [("done", &*counts[0]), ("all", &*counts[1])];
            let loading = visit.tongue().tell("setup.loading", &parts);
            Step::Administrator { done, all, loading }
        }
    };
    let officer = visit.field("officer");
    let is_wrong = !errors.is_empty();
    let page = Page { t: visit.tongue(), errors, secret, officer, step };
    if is_wrong {
        visit.page_with_errors("setup.title", &page).await
    } else {
        visit.page("setup.title", &page).await
    }
}

/// How many changes are here of those that the peers hold.
fn first_load(status: &Value) -> (u64, u64) {
    let links = status["links"].as_array().into_iter().flatten();
    let counts = links.filter_map(|link| {
        let (here, there) = (link["shared_changes"].as_u64()?, link["peer_changes"].as_u64()?);
        (link["settled"] == false && there > here).then_some((here, there))
    });
    counts.fold((0, 0), |(done, all), (here, there)| (done + here, all + there))
}

fn under_way() -> Failure {
    Failure::refused(
        "setup-under-way",
        "chưa làm được / nothing was done",
        "việc thiết lập đang ở bước khác / the set-up is at another step",
        "mở lại trang thiết lập / open the set-up page again",
    )
}

/// A province with 265 offices has 60 kB.
const MAX_UPLOAD_BYTES: usize = 4 << 20;
