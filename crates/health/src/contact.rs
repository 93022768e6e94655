//! When an office was heard and when it was not: the history of contact.

use std::collections::VecDeque;
use std::time::Duration;

use lienthong_protocol::Moment;
use serde::{Deserialize, Serialize};

/// How long nothing may be heard of an office without a link of its own before contact counts as
/// lost. Three times as long as nodes wait between two reports.
pub const SILENT_AFTER: Duration = Duration::from_secs(180);

/// How many turns are kept of each office; the oldest go first.
pub const MAX_TURNS: usize = 64;

/// One turn of contact: it came, or it was lost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Turn {
    /// When, by the clock of who kept the history.
    pub at: Moment,
    /// Whether there was contact from then on.
    pub is_up: bool,
}

/// The history of contact with one office.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Contact {
    turns: VecDeque<Turn>,
    heard: Option<Moment>,
}

impl Contact {
    pub(crate) fn of(turns: Vec<Turn>, heard: Option<Moment>) -> Contact {
        let mut contact = Contact { turns: turns.into(), heard };
        contact.shorten();
        contact
    }

    /// Whether there is contact now.
    pub fn is_up(&self) -> bool {
        self.turns.back().is_some_and(|turn| turn.is_up)
    }

    /// When the office was last heard; `None` if never.
    pub fn heard(&self) -> Option<Moment> {
        self.heard
    }

    /// The turns, the oldest first. They alternate.
    pub fn turns(&self) -> impl DoubleEndedIterator<Item = Turn> + '_ {
        self.turns.iter().copied()
    }

    /// Something was heard of the office at a moment that is not in the future; `true` if contact
    /// came by that.
    pub(crate) fn hear(&mut self, at: Moment) -> bool {
        self.heard = self.heard.max(Some(at));
        self.turn(Turn { at, is_up: true })
    }

    /// Contact is lost; `true` if there was contact before.
    pub(crate) fn lose(&mut self, at: Moment) -> bool {
        self.is_up() && self.turn(Turn { at, is_up: false })
    }

    fn turn(&mut self, turn: Turn) -> bool {
        if self.is_up() == turn.is_up {
            return false;
        }
        self.turns.push_back(turn);
        self.shorten();
        true
    }

    fn shorten(&mut self) {
        while self.turns.len() > MAX_TURNS {
            self.turns.pop_front();
        }
    }
}
