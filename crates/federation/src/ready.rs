//! What a centre needs before it opens and no machine can measure: people at the root tick it.

use std::collections::BTreeMap;

use lienthong_document::{EditError, Editor};
use lienthong_protocol::limits::MAX_TEXT_BYTES;
use lienthong_protocol::{Moment, OfficeId};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// One thing that a centre needs, in the order in which it comes by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// Counters and a place to wait.
    Counters,
    /// A line to the network.
    Line,
    /// Computers, printers and scanners.
    Machines,
    /// Power for the time in which there is none.
    Power,
    /// Officers who were sent there.
    People,
    /// Officers who know the program.
    Training,
    /// The procedures, posted where citizens read them.
    Notices,
}

impl Need {
    /// All of them.
    pub const ALL: [Need; 7] = [
        Need::Counters,
        Need::Line,
        Need::Machines,
        Need::Power,
        Need::People,
        Need::Training,
        Need::Notices,
    ];

    /// Its word, for programs and the registry.
    pub const fn word(self) -> &'static str {
        match self {
            Need::Counters => "counters",
            Need::Line => "line",
            Need::Machines => "machines",
            Need::Power => "power",
            Need::People => "people",
            Need::Training => "training",
            Need::Notices => "notices",
        }
    }

    /// The need with this word.
    pub fn of(word: &str) -> Option<Need> {
        Need::ALL.into_iter().find(|need| need.word() == word)
    }
}

/// Whether a centre has what it needs, who said so last, and when.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tick {
    /// Whether it is there; a tick can be taken back.
    #[serde(rename = "done")]
    pub is_done: bool,
    /// The officer of the root office; readers leave out who has more than
    /// `protocol::limits::MAX_TEXT_BYTES`, and the tick with them.
    pub who: String,
    /// When.
    pub at: Moment,
}

/// Notes whether an office has one of the things that it needs; what was noted before is replaced.
pub fn tick(
    editor: &mut Editor<'_>,
    office: OfficeId,
    need: Need,
    tick: &Tick,
) -> Result<(), EditError> {
    let Tick { is_done, who, at } = tick;
    let entry = json!({ "done": is_done, "who": who, "at": at });
    editor.put(&["offices", office.as_str(), &key(need)], entry)
}

/// What was ticked for some offices. What does not read, and a need of a later version, is left
/// out: nobody is let in or kept out by it.
pub(crate) fn read_ticks(
    registry: &Value,
    offices: impl Iterator<Item = OfficeId>,
) -> BTreeMap<(OfficeId, Need), Tick> {
    let of = |office: OfficeId| Need::ALL.map(|need| (office, need));
    let read = |(office, need): (OfficeId, Need)| {
        let tick = Tick::deserialize(&registry["offices"][office.as_str()][key(need)]).ok()?;
        (tick.who.len() <= MAX_TEXT_BYTES).then_some(((office, need), tick))
    };
    offices.flat_map(of).filter_map(read).collect()
}

/// Where a tick lies in the entry of its office. It has no map of its own for all ticks: of two
/// that are made at once on two nodes of the root, one would be lost with all that is in it.
fn key(need: Need) -> String {
    format!("ready-{}", need.word())
}
