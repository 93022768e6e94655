//! Who takes part in a document.

use std::collections::BTreeSet;

use lienthong_protocol::{Kind, OfficeId};

use crate::registry::Registry;

/// The offices that may write a document: those it was shared with and all that stand above them or
/// did so before somebody was moved. It only grows.
///
/// When an office moves in the tree, its new ancestors join on the next [`Audience::grow`] with
/// the new registry, and the old ones stay: what an office has written counts for ever, whoever
/// judges it and when. What they are sent from then on is another question, which the tree of the
/// day answers: [`Registry::closure`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Every office of the federation.
    Everyone,
    /// These offices; closed under ancestors, former ones too, in the registry that it was last
    /// grown with.
    Offices(BTreeSet<OfficeId>),
}

impl Audience {
    /// The audience of a document of this kind that was shared with `offices`. A kind that this
    /// version does not know goes only to the offices that its changes name.
    pub fn of(
        kind: Kind,
        offices: impl IntoIterator<Item = OfficeId>,
        registry: &Registry,
    ) -> Audience {
        if kind.is_public() {
            return Audience::Everyone;
        }
        Audience::Offices(registry.closure_ever(offices))
    }

    /// Says whether an office belongs to it.
    pub fn contains(&self, office: OfficeId) -> bool {
        match self {
            Audience::Everyone => true,
            Audience::Offices(offices) => offices.contains(&office),
        }
    }

    /// Adds offices and all above them, and everything above those that were there. Says whether
    /// the audience is larger now.
    pub fn grow(&mut self, added: impl IntoIterator<Item = OfficeId>, registry: &Registry) -> bool {
        let Audience::Offices(offices) = self else {
            return false;
        };
        let before = offices.len();
        let grown = registry.closure_ever(offices.iter().copied().chain(added));
        *offices = grown;
        offices.len() > before
    }
}
