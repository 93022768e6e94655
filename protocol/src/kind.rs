//! What a document is about.

use serde::{Deserialize, Serialize};

/// The kind of a document. A number this version does not know is kept and replicated, and its
/// changes wait: a newer peer may know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Kind(pub u8);

impl Kind {
    /// Which offices and nodes exist. Written by the root office.
    pub const REGISTRY: Kind = Kind(1);
    /// The procedures that a province offers.
    pub const CATALOGUE: Kind = Kind(2);
    /// Days off and make-up days of a year.
    pub const CALENDAR: Kind = Kind(3);
    /// The people of one office.
    pub const STAFF: Kind = Kind(4);
    /// One citizen's or firm's application.
    pub const DOSSIER: Kind = Kind(5);

    /// The word for this kind in logs and output; `unknown` for a number not known here.
    pub fn name(self) -> &'static str {
        match self {
            Kind::REGISTRY => "registry",
            Kind::CATALOGUE => "catalogue",
            Kind::CALENDAR => "calendar",
            Kind::STAFF => "staff",
            Kind::DOSSIER => "dossier",
            _ => "unknown",
        }
    }

    /// Whether this version knows what to do with the kind.
    pub fn is_known(self) -> bool {
        (1..=5).contains(&self.0)
    }

    /// Whether every office of the federation holds documents of this kind.
    pub fn is_public(self) -> bool {
        matches!(self, Kind::REGISTRY | Kind::CATALOGUE | Kind::CALENDAR)
    }

    /// Where the kind stands in the order of sending: lower goes first.
    pub fn rank(self) -> u8 {
        match self {
            Kind::REGISTRY => 0,
            Kind::CATALOGUE | Kind::CALENDAR => 1,
            Kind::STAFF => 2,
            _ => 3,
        }
    }
}
