//! How the answers of the node are told: offices by name, times, clocks.

use std::collections::BTreeMap;

use lienthong_protocol::Moment;
use lienthong_request::{Failure, Request};
use lienthong_web::{Language, Tongue, Visit, when, worked};
use serde_json::Value;

/// The offices of the federation, and which of them is this node's.
pub(crate) struct Offices {
    pub(crate) own: String,
    by_id: BTreeMap<String, (String, Option<String>)>,
}

impl Offices {
    /// Asks the node for its offices; `status` is its answer to where it stands.
    pub(crate) async fn ask(visit: &Visit, status: &Value) -> Result<Offices, Failure> {
        Ok(Offices::of(&visit.ask(Request::Offices).await?, status))
    }

    fn of(answer: &Value, status: &Value) -> Offices {
        let by_id = list(&answer["offices"]).iter().map(|office| {
            let (id, name) = (text(&office["id"]), text(&office["name"]));
            let name = if name.is_empty() { id } else { name };
            (id.to_owned(), (name.to_owned(), office["parent"].as_str().map(ToOwned::to_owned)))
        });
        Offices { own: text(&status["office"]).to_owned(), by_id: by_id.collect() }
    }

    /// The name of an office; its id if it is not known here.
    pub(crate) fn name<'o>(&'o self, id: &'o str) -> &'o str {
        self.by_id.get(id).map_or(id, |(name, _)| name)
    }

    /// The offices above this node's, the nearest first; a circle in the tree ends it.
    fn above(&self) -> Vec<&str> {
        let (mut above, mut at): (Vec<&str>, &str) = (Vec::new(), &self.own);
        while let Some((_, Some(parent))) = self.by_id.get(at) {
            if above.contains(&parent.as_str()) {
                break;
            }
            above.push(parent);
            at = parent;
        }
        above
    }

    /// The offices to choose from, with their names: those above this node's first.
    pub(crate) fn choices(&self) -> Vec<(String, String)> {
        let above = self.above();
        let named = |id: &str| (id.to_owned(), self.name(id).to_owned());
        let mut choices: Vec<_> = above.iter().map(|id| named(id)).collect();
        let others = self.by_id.keys().filter(|id| **id != self.own);
        let mut others: Vec<_> =
            others.filter(|id| !above.contains(&id.as_str())).map(|id| named(id)).collect();
        others.sort_by(|(_, one), (_, other)| one.cmp(other));
        choices.append(&mut others);
        choices
    }

    /// Whether what this office did in a dossier is known above it; `None` where nobody is above.
    pub(crate) fn at_center(&self, t: Tongue<'_>, status: &Value, shown: &Value) -> Option<String> {
        let above = self.above();
        let nearness = |link: &&Value| above.iter().position(|office| link["office"] == **office);
        let links = list(&status["links"]).iter().filter(|link| nearness(link).is_some());
        let best = links.max_by_key(|link| (link["settled_at_ms"].as_u64(), nearness(link)));
        let own = list(&shown["acts"]).iter().filter(|act| act["office"] == *self.own);
        let last_ms = own.filter_map(|act| act["at"].as_u64()).max().unwrap_or(0);
        let Some(link) = best else {
            let center = self.name(above.first()?);
            return Some(t.fill("dossier.unsent", "center", center));
        };
        let center = self.name(text(&link["office"]));
        let settled_ms = link["settled_at_ms"].as_u64();
        let there = settled_ms.filter(|at| *at >= last_ms || link["settled"] == true);
        Some(match there {
            Some(at) => {
                let time = when(Moment(at));
                t.tell("dossier.at_center", &[("center", center), ("time", &time)])
            }
            None => t.fill("dossier.unsent", "center", center),
        })
    }
}

/// How the clock of a dossier stands, and whether it is late.
pub(crate) fn clock_words(t: Tongue<'_>, clock: &Value) -> (String, bool) {
    let minutes = |field: &str| clock[field].as_u64().unwrap_or(0);
    let late = minutes("late_by_minutes");
    let words = match text(&clock["state"]) {
        "waiting" => t.say("clock.waiting"),
        "stopped" if late > 0 => t.fill("clock.was_late", "time", &worked(t, late)),
        "stopped" => t.say("clock.stopped"),
        "paused" => t.fill("clock.paused", "time", &worked(t, minutes("remaining_minutes"))),
        "running" if late > 0 => t.fill("clock.late", "time", &worked(t, late)),
        "running" if clock["due_ms"].is_null() => t.say("clock.no_due"),
        "running" => t.fill("clock.left", "time", &worked(t, minutes("remaining_minutes"))),
        _ => t.say("clock.unknown"),
    };
    (words, late > 0)
}

/// A due such as `2025-11-28T17:00` as people write it: `17:00 28/11/2025`.
pub(crate) fn due(value: &Value) -> String {
    let (day, minute) = match text(value).split_once('T') {
        Some((day, minute)) => (day, minute),
        None => (text(value), ""),
    };
    let mut parts: Vec<&str> = day.split('-').collect();
    parts.reverse();
    format!("{minute} {}", parts.join("/")).trim().to_owned()
}

/// The words of an answer that says the same in two fields, `words_vi` and `words`.
pub(crate) fn words(t: Tongue<'_>, value: &Value) -> String {
    let field = match t.language {
        Language::Vietnamese => "words_vi",
        Language::English => "words",
    };
    text(&value[field]).to_owned()
}

pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

pub(crate) fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

#[cfg(test)]
#[path = "spoken_tests.rs"]
mod tests;
