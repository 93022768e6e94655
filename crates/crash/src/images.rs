//! The survey of crash images: how many there were, and that none of them lost anything.

use std::collections::BTreeSet;
use std::fmt;

use thiserror::Error;

use crate::dice::Dice;
use crate::life::{Book, Broken, Life, Moments, check};
use crate::tape::Files;

/// What a survey of images came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Survey {
    /// How many lives were lived, each from a seed of its own.
    pub lives: u64,
    /// How many moments were looked at.
    pub moments: u64,
    /// How many images were opened and checked, each different from all others of its life.
    pub images: u64,
    /// In how many of them a torn tail was cut.
    pub torn: u64,
    /// In how many of them bytes that were never acknowledged were reported as damage.
    pub alarmed: u64,
    /// In how many of them the index was thrown away.
    pub rebuilt: u64,
    /// The largest number of changes in an image.
    pub most_changes: usize,
    /// A digest of all images and of what was seen in them.
    pub digest: blake3::Hash,
}

/// What was broken, and where.
#[derive(Debug, Error)]
#[error("the life of seed {seed} is broken at image {image} of moment {moment}")]
pub struct Failure {
    /// The seed of the life.
    pub seed: u64,
    /// The moment in that life, from 1.
    pub moment: u64,
    /// The image of all images of that life, from 1; 0 when the life itself found the fault.
    pub image: u64,
    /// What was broken.
    #[source]
    pub broken: Broken,
}

/// Lives the lives of the seeds from `seed` on until `count` images were checked; `most` images,
/// about, are drawn from each unsynced file at each moment.
///
/// # Errors
/// A promise is broken.
pub fn survey(seed: u64, count: u64, most: usize) -> Result<Survey, Box<Failure>> {
    let digest = blake3::hash(b"");
    let (lives, moments, images, most_changes) = (0, 0, 0, 0);
    let (torn, alarmed, rebuilt) = (0, 0, 0);
    let mut all = Survey { lives, moments, images, torn, alarmed, rebuilt, most_changes, digest };
    while all.images < count {
        let seed = seed.wrapping_add(all.lives);
        let (moments, images) = (all.moments, all.images);
        let (mut dice, mut known) = (Dice::new(!seed), BTreeSet::new());
        let lived = Life::new(seed).run(STARTS, &mut |moment| {
            all.moments += 1;
            all.look(&moment, most, &mut dice, &mut known)
        });
        lived.map_err(|broken| {
            let (moment, image) = (all.moments - moments, all.images - images);
            Box::new(Failure { seed, moment, image, broken })
        })?;
        all.lives += 1;
    }
    Ok(all)
}

impl fmt::Display for Survey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Survey { lives, moments, images, torn, alarmed, rebuilt, most_changes, digest } = self;
        write!(
            formatter,
            "{images} images of {moments} moments in {lives} lives, up to {most_changes} changes \
             in each: 0 acknowledged changes lost; {torn} torn tails cut, {alarmed} reported \
             unacknowledged bytes, {rebuilt} indexes rebuilt; digest {digest}"
        )
    }
}

impl Survey {
    fn look(
        &mut self,
        moment: &Moments<'_>,
        most: usize,
        dice: &mut Dice,
        known: &mut BTreeSet<[u8; 16]>,
    ) -> Result<(), Broken> {
        for image in moment.medium.images(most, dice) {
            let index = dice.place(moment.indexes.len());
            let name = name_of(&image, index, moment.book);
            if !known.insert(name) {
                continue;
            }
            self.images += 1;
            let index = index.map(|place| &moment.indexes[place]);
            let seen = check(&image, index, moment.book, moment.settings)?;
            self.torn += u64::from(seen.torn);
            self.alarmed += u64::from(seen.alarmed);
            self.rebuilt += u64::from(seen.rebuilt);
            self.most_changes = self.most_changes.max(seen.found);
            self.digest = blake3::hash(format!("{} {name:x?} {seen:?}", self.digest).as_bytes());
        }
        Ok(())
    }
}

/// Names an image together with what must be found in it.
fn name_of(image: &Files, index: Option<usize>, book: &Book) -> [u8; 16] {
    let mut hasher = blake3::Hasher::new();
    for (name, id) in &image.names {
        hasher.update(name.as_bytes());
        hasher.update(image.contents.get(id).map_or(&[], |content| content));
    }
    let last = book.possible.last().map(|change| change.header().seq);
    hasher.update(format!("{index:?} {} {last:?}", book.promised.len()).as_bytes());
    let mut name = [0; 16];
    name.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
    name
}

/// How often a store is started in one life.
const STARTS: u32 = 6;

#[cfg(test)]
#[path = "images_tests.rs"]
mod tests;
