//! Who looked at which dossier, for whoever watches over the work of others.

use std::collections::BTreeMap;
use std::sync::Arc;

use askama::Template;
use lienthong_request::{AccessFilter, Request};
use lienthong_web::{Answer, Tongue, Visit, moment};
use serde_json::Value;

use crate::line::{list, text};

#[derive(Template)]
#[template(path = "access.html")]
struct Page<'p> {
    t: Tongue<'p>,
    dossier: &'p str,
    who: &'p str,
    lines: Vec<Line>,
    unreadable: Option<String>,
    next: Option<String>,
}

/// One look.
struct Line {
    at: String,
    who: String,
    way: String,
    what: String,
    /// The address part and the code of one dossier; none for many at once.
    dossier: Option<(String, String)>,
    dossiers: String,
}

pub(crate) async fn show(visit: Arc<Visit>) -> Answer {
    let asked =
        |field: &str| Some(visit.query(field).trim().to_owned()).filter(|it| !it.is_empty());
    let (dossier, who, after) = (asked("dossier"), asked("who"), asked("after"));
    let filter = AccessFilter { dossier, who, after, ..AccessFilter::default() };
    let answer = visit.ask(Request::Looks(filter)).await?;
    let t = visit.tongue();
    let names = names(&visit).await;
    let lines = list(&answer["looks"]).iter().map(|look| line(t, look, &names)).collect();
    let unreadable = answer["unreadable"].as_u64().filter(|lines| *lines > 0);
    let unreadable =
        unreadable.map(|lines| t.fill("access.unreadable", "count", &lines.to_string()));
    let page = Page {
        t,
        dossier: visit.query("dossier").trim(),
        who: visit.query("who").trim(),
        lines,
        unreadable,
        next: answer["next"].as_str().map(ToOwned::to_owned),
    };
    visit.page("nav.access", &page).await
}

fn line(t: Tongue<'_>, look: &Value, names: &BTreeMap<String, String>) -> Line {
    let (who, way, what) = (text(&look["who"]), text(&look["way"]), text(&look["what"]));
    let (dossier, code) = (text(&look["dossier"]), text(&look["code"]));
    let is_one = !code.is_empty();
    let dossiers = look["dossiers"].as_u64().unwrap_or(1).to_string();
    Line {
        at: moment(&look["at_ms"]),
        who: match names.get(who) {
            Some(name) => format!("{name} ({who})"),
            None => who.to_owned(),
        },
        way: t.say_or(&format!("access.way.{way}"), way),
        what: t.say_or(&format!("access.what.{what}"), what),
        dossier: is_one.then(|| (dossier.to_owned(), code.to_owned())),
        dossiers: t.fill("access.many", "count", &dossiers),
    }
}

/// The names of this office's officers; none before a staff list is published.
async fn names(visit: &Visit) -> BTreeMap<String, String> {
    let staff = visit.ask(Request::Staff { office: None }).await.unwrap_or_default();
    let named = list(&staff["officers"]).iter();
    named.map(|it| (text(&it["id"]).to_owned(), text(&it["name"]).to_owned())).collect()
}
