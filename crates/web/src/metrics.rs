//! What the pages count, and the figures of the node, as OpenMetrics.

use std::sync::Mutex;
use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use lienthong_request::{Failure, Request};
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use serde_json::Value;

use crate::routes::{Answer, Route, Who};
use crate::visit::Visit;

type Labels = Vec<(&'static str, String)>;

/// The families of metrics; `crates/web/README.md` says what each means.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Mutex<Registry>,
    answers: Family<Labels, Counter>,
    answer_seconds: Family<Labels, Histogram>,
    sign_ins: Family<Labels, Counter>,
    sessions: Gauge,
    node: Family<Labels, Gauge>,
    links: Family<Labels, Gauge>,
    unsent: Family<Labels, Gauge>,
    board: Family<Labels, Gauge>,
    board_dossiers: Family<Labels, Gauge>,
}

impl Default for Metrics {
    fn default() -> Metrics {
        let histogram = || Histogram::new([0.005, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0]);
        let metrics = Metrics {
            registry: Mutex::default(),
            answers: Family::default(),
            answer_seconds: Family::new_with_constructor(histogram),
            sign_ins: Family::default(),
            sessions: Gauge::default(),
            node: Family::default(),
            links: Family::default(),
            unsent: Family::default(),
            board: Family::default(),
            board_dossiers: Family::default(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&self) {
        let mut registry = self.registry.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let web = registry.sub_registry_with_prefix("lienthong");
        web.register("http_answers", "Answers by route and status", self.answers.clone());
        let help = "Time from the request's head to its answer";
        let seconds = self.answer_seconds.clone();
        web.register_with_unit("http_answer", help, Unit::Seconds, seconds);
        web.register("sign_ins", "Passwords tried, by outcome", self.sign_ins.clone());
        web.register("sessions", "Signed-in browsers", self.sessions.clone());
        web.register("node_items", "What the node holds, by kind", self.node.clone());
        web.register("links", "Links by state", self.links.clone());
        web.register("unsent_changes", "Changes that a peer lacks", self.unsent.clone());
        let help = "Offices at and below this node's, by state";
        web.register("board_offices", help, self.board.clone());
        let help = "Dossiers that the board counts: overdue, due behind a link that is down";
        web.register("board_dossiers", help, self.board_dossiers.clone());
    }

    pub(crate) fn answered(&self, route: &'static str, status: u16, took: Duration) {
        let labels = vec![("route", route.to_owned()), ("status", status.to_string())];
        self.answers.get_or_create(&labels).inc();
        let labels = vec![("route", route.to_owned())];
        self.answer_seconds.get_or_create(&labels).observe(took.as_secs_f64());
    }

    pub(crate) fn sign_in(&self, outcome: &'static str) {
        self.sign_ins.get_or_create(&vec![("outcome", outcome.to_owned())]).inc();
    }

    fn see(&self, status: &Value, sessions: usize) {
        let whole = |value: &Value| value.as_i64().unwrap_or(0);
        self.sessions.set(i64::try_from(sessions).unwrap_or(i64::MAX));
        for kind in ["documents", "changes", "waiting", "quarantined", "written"] {
            let labels = vec![("kind", kind.to_owned())];
            self.node.get_or_create(&labels).set(whole(&status[kind]));
        }
        let behind = vec![("kind", "view_behind".to_owned())];
        self.node.get_or_create(&behind).set(whole(&status["views"]["behind"]));
        self.links.clear();
        self.unsent.clear();
        for link in status["links"].as_array().into_iter().flatten() {
            let state = match link["settled"] == true {
                true => "settled",
                false => link["state"].as_str().unwrap_or("unknown"),
            };
            self.links.get_or_create(&vec![("state", state.to_owned())]).inc();
            let office = link["office"].as_str().unwrap_or_default().to_owned();
            self.unsent.get_or_create(&vec![("office", office)]).set(whole(&link["unsent"]));
        }
    }

    fn see_board(&self, board: &Value) {
        let whole = |value: &Value| value.as_i64().unwrap_or(0);
        self.board.clear();
        for row in board["offices"].as_array().into_iter().flatten() {
            let state = row["standing"]["state"].as_str().unwrap_or("unknown").to_owned();
            self.board.get_or_create(&vec![("state", state)]).inc();
        }
        for kind in ["overdue", "at_risk"] {
            let labels = vec![("kind", kind.to_owned())];
            self.board_dossiers.get_or_create(&labels).set(whole(&board["numbers"][kind]));
        }
    }

    fn text(&self) -> Result<String, Failure> {
        let registry = self.registry.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let mut text = String::new();
        encode(&mut text, &registry).map_err(|error| {
            Failure::failed("metrics-not-written", "no figures", error.to_string(), "report this")
        })?;
        Ok(text)
    }
}

/// What machines ask for: whether it lives, whether it works, and its figures.
pub(crate) fn watch_routes() -> Vec<Route> {
    vec![
        Route::get("/healthz", Who::Anyone, |_| Box::pin(async { Ok(plain("ok\n".into())) })),
        Route::get("/readyz", Who::Anyone, |visit| {
            Box::pin(async move {
                Ok(match visit.ask(Request::Status).await {
                    Ok(_) => plain("ready\n".into()),
                    Err(failure) => {
                        let text = format!("not ready: {}\n", failure.code);
                        (StatusCode::SERVICE_UNAVAILABLE, plain(text)).into_response()
                    }
                })
            })
        }),
        Route::get("/metrics", Who::Anyone, |visit| Box::pin(async move { figures(&visit).await })),
    ]
}

async fn figures(visit: &Visit) -> Answer {
    let metrics = &visit.site().metrics;
    // A node that is not there yet has no figures; the pages have theirs.
    let status = visit.ask(Request::Status).await.unwrap_or(Value::Null);
    metrics.see(&status, visit.site().sessions().len());
    metrics.see_board(&visit.ask(Request::Board).await.unwrap_or(Value::Null));
    let kind =
        HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");
    Ok(([(header::CONTENT_TYPE, kind)], metrics.text()?).into_response())
}

fn plain(text: String) -> Response {
    let kind = HeaderValue::from_static("text/plain; charset=utf-8");
    ([(header::CONTENT_TYPE, kind)], text).into_response()
}
