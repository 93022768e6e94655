//! What all acts of a dossier add up to.
//!
//! The order of acts is the order in which they saw each other; acts that did not see each other
//! follow their time and then their id. So every node that has the same acts folds them into the
//! same standing, whatever order they came in.

use std::collections::{BTreeMap, BTreeSet};

use lienthong_protocol::OfficeId;

use crate::act::{Act, ActKind, Effect};
use crate::authority::Stage;
use crate::order::{Past, order};
use crate::reception::Reception;
use crate::records::Records;
use crate::refusal::Doubt;
use crate::review::{Review, conflicts};
use crate::status::Status;

/// Where a dossier stands after all its acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// The status; [`Status::Registered`] if no act counts.
    pub status: Status,
    /// The due that holds now, as `YYYY-MM-DD` or `YYYY-MM-DDTHH:MM`.
    pub due: Option<String>,
    /// The office that holds the dossier.
    pub holder: OfficeId,
    /// The offices that were asked for a written answer and still owe it, by the act that asks.
    pub owed: BTreeMap<String, OfficeId>,
    /// What a person has to decide.
    pub review: Vec<Review>,
}

/// Brings acts into their order, says of each what became of it, and gives what they add up to.
pub(crate) fn fold(acts: &mut Vec<Act>, reception: &Reception) -> (Standing, Records) {
    let past = order(acts);
    let mut corrections = Corrections::default();
    let mut stage = Stage::before_all(reception);
    for here in 0..acts.len() {
        if !is_correction(&acts[here]) {
            count(&mut stage, acts, here, &corrections);
            continue;
        }
        match corrections.admit(&stage, acts, here, &past) {
            Ok(()) => {
                corrections.enter(acts, here);
                stage = corrections.replay(acts, here, reception);
            }
            Err(doubt) => cast_doubt(&mut acts[here], doubt),
        }
    }
    let deciding = stage.deciding();
    let Stage { mut standing, records, .. } = stage;
    standing.review = conflicts(acts, &past, deciding);
    (standing, records)
}

/// Judges a correction that saw some acts of a dossier: which acts it speaks about, by position,
/// and that it may. The act that opened the dossier is never corrected.
pub(crate) fn judge(
    stage: &Stage<'_>,
    acts: &[Act],
    correction: &Act,
    saw: impl Fn(usize) -> bool,
) -> Result<Vec<usize>, Doubt> {
    let kind = stage.admit(correction, false)?;
    let opening = acts.iter().position(|act| act.counts);
    let find = |id: &String| {
        let known = acts.iter().position(|act| act.id == *id).filter(|at| saw(*at));
        let at = known.ok_or(Doubt::NoSuchAct)?;
        if known == opening { Err(Doubt::Fixed) } else { Ok(at) }
    };
    let named = find(correction.regards.as_ref().ok_or(Doubt::NoSuchAct)?)?;
    if acts[named].effect == Effect::Reversed {
        return Err(Doubt::Fixed);
    }
    if kind == ActKind::Resolved {
        if acts[named].foreign_signer().is_some() {
            return Err(Doubt::NoSuchAct);
        }
        let overruled = correction.overrules.iter().map(find);
        let mut spoken_about = overruled.collect::<Result<Vec<_>, _>>()?;
        if spoken_about.contains(&named) {
            return Err(Doubt::NoSuchAct);
        }
        spoken_about.insert(0, named);
        return Ok(spoken_about);
    }
    let entitled = [acts[named].office, stage.deciding()];
    if entitled.contains(&correction.office) {
        Ok(vec![named])
    } else {
        Err(Doubt::NotEntitled { entitled: entitled.to_vec() })
    }
}

/// The corrections that were admitted, and what they do to the acts before them.
#[derive(Default)]
struct Corrections {
    /// Those that were admitted, by position; one that was taken back itself does nothing.
    effective: BTreeSet<usize>,
    /// What each of them speaks about.
    targets: BTreeMap<usize, Vec<usize>>,
    /// The acts that an entitled office let hold, whoever did them.
    confirmed: BTreeSet<usize>,
}

impl Corrections {
    fn admit(
        &mut self,
        stage: &Stage<'_>,
        acts: &[Act],
        here: usize,
        past: &Past,
    ) -> Result<(), Doubt> {
        if self.effective.len() >= MAX_CORRECTIONS {
            return Err(Doubt::TooManyCorrections);
        }
        let targets = judge(stage, &acts[..here], &acts[here], |at| past[here].contains(at))?;
        let is_decision = acts[here].known_kind() == Some(ActKind::Resolved);
        let is_contradicted = is_decision && self.is_decided_otherwise(&targets, past, here);
        self.targets.insert(here, targets);
        if is_contradicted { Err(Doubt::DecidedOtherwise) } else { Ok(()) }
    }

    /// Lets an admitted correction work; one that decides for a decision lets that one work too.
    fn enter(&mut self, acts: &mut [Act], here: usize) {
        self.effective.insert(here);
        let held = self.targets.get(&here).and_then(|targets| targets.first().copied());
        if let Some(held) = held.filter(|held| self.targets.contains_key(held))
            && acts[here].known_kind() == Some(ActKind::Resolved)
        {
            acts[held].effect = Effect::Effective;
            acts[held].doubt = None;
            self.effective.insert(held);
        }
    }

    /// Says whether a decision that this one did not see overrules what this one lets hold, or
    /// lets hold what this one overrules.
    fn is_decided_otherwise(&self, targets: &[usize], past: &Past, here: usize) -> bool {
        let unseen = self.effective.iter().filter(|earlier| !past[here].contains(**earlier));
        let mut decided = unseen.filter_map(|earlier| self.targets.get(earlier));
        decided.any(|other| match (other.split_first(), targets.split_first()) {
            (Some((one, overruled)), Some((mine, mine_overruled))) => {
                overruled.contains(mine) || mine_overruled.contains(one)
            }
            _ => false,
        })
    }

    /// Walks from the first act up to and with `here`, with what is corrected by now.
    fn replay<'a>(&mut self, acts: &mut [Act], here: usize, reception: &'a Reception) -> Stage<'a> {
        self.mark(&mut acts[..=here]);
        let mut stage = Stage::before_all(reception);
        for at in 0..=here {
            if is_correction(&acts[at]) {
                if self.effective.contains(&at) {
                    acts[at].counts = acts[at].effect == Effect::Effective;
                }
            } else {
                count(&mut stage, acts, at, self);
            }
        }
        stage
    }

    /// Marks what was taken back or overruled. From the last correction to the first, because a
    /// correction may itself have been corrected, and because the latest decision prevails.
    fn mark(&mut self, acts: &mut [Act]) {
        let judged = |effect| matches!(effect, Effect::Reversed | Effect::Overruled);
        for act in acts.iter_mut().filter(|act| judged(act.effect)) {
            act.effect = if act.doubt.is_some() { Effect::Unconfirmed } else { Effect::Effective };
        }
        self.confirmed.clear();
        for at in self.effective.iter().rev() {
            let Some(targets) = self.targets.get(at) else { continue };
            if judged(acts[*at].effect) {
                continue;
            }
            if acts[*at].known_kind() == Some(ActKind::Reversed) {
                targets.iter().for_each(|target| acts[*target].effect = Effect::Reversed);
                continue;
            }
            let Some((holds, overruled)) = targets.split_first() else { continue };
            self.confirmed.insert(*holds);
            for target in overruled.iter().filter(|target| !self.confirmed.contains(target)) {
                if acts[*target].effect != Effect::Reversed {
                    acts[*target].effect = Effect::Overruled;
                }
            }
        }
    }
}

/// Lets an act that is no correction count, or says why it does not.
fn count(stage: &mut Stage<'_>, acts: &mut [Act], here: usize, corrections: &Corrections) {
    let act = &mut acts[here];
    act.counts = false;
    act.doubt = None;
    if matches!(act.effect, Effect::Reversed | Effect::Overruled) {
        return;
    }
    match stage.admit(act, corrections.confirmed.contains(&here)) {
        Ok(kind) => {
            act.effect = Effect::Effective;
            act.counts = true;
            stage.enter(kind, act);
        }
        Err(doubt) => cast_doubt(act, doubt),
    }
}

fn cast_doubt(act: &mut Act, doubt: Doubt) {
    act.effect = Effect::Unconfirmed;
    act.counts = false;
    act.doubt = Some(doubt);
}

fn is_correction(act: &Act) -> bool {
    matches!(act.known_kind(), Some(ActKind::Reversed | ActKind::Resolved))
}

/// The most corrections of a dossier that count. A real one has a few; each is a walk through all
/// acts before it.
const MAX_CORRECTIONS: usize = 256;

#[cfg(test)]
#[path = "fold_tests.rs"]
mod tests;
