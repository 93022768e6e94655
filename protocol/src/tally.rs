//! Count and sum of change ids: equal tallies mean equal sets.

use serde::{Deserialize, Serialize};

use crate::ChangeId;

/// How many change ids a set holds and their sum mod 2^256, little-endian. Adding and removing
/// are inverse and order does not matter, so tallies of parts add up to the tally of the whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tally {
    /// How many ids.
    pub count: u64,
    /// Their sum mod 2^256, little-endian.
    pub sum: [u8; 32],
}

impl Tally {
    /// Counts one id in.
    pub fn add(&mut self, id: ChangeId) {
        self.count = self.count.wrapping_add(1);
        self.sum = sum(&self.sum, id.as_bytes());
    }

    /// Counts one id out; the caller knows that it was in.
    pub fn remove(&mut self, id: ChangeId) {
        self.count = self.count.wrapping_sub(1);
        self.sum = sum(&self.sum, &negated(id.as_bytes()));
    }

    /// Adds the tally of a set that shares no id with this one.
    pub fn merge(&mut self, other: &Tally) {
        self.count = self.count.wrapping_add(other.count);
        self.sum = sum(&self.sum, &other.sum);
    }

    /// Takes out the tally of a part of this set.
    pub fn split_off(&mut self, part: &Tally) {
        self.count = self.count.wrapping_sub(part.count);
        self.sum = sum(&self.sum, &negated(&part.sum));
    }

    /// Whether the set is empty.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The form that ranges carry on the wire.
    pub fn short(&self) -> ShortTally {
        let mut low = [0; 16];
        low.copy_from_slice(&self.sum[..16]);
        ShortTally { count: self.count, sum: low }
    }

    /// The root as people see it: 64 hex characters of the sum.
    pub fn hex(&self) -> String {
        data_encoding::HEXLOWER.encode(&self.sum)
    }
}

/// A tally with the low 128 bits of the sum. Ranges carry it; roots are always compared in full,
/// so a range that is equal by accident is found by the root and compared again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShortTally {
    /// How many ids.
    pub count: u64,
    /// The low 128 bits of their sum, little-endian.
    pub sum: [u8; 16],
}

fn sum(a: &[u8; 32], b: &[u8; 32]) -> [u8; 32] {
    let mut out = [0; 32];
    let mut carry = false;
    for limb in 0..4 {
        let at = limb * 8..limb * 8 + 8;
        let (partial, over) = limb_of(a, limb).overflowing_add(limb_of(b, limb));
        let (total, again) = partial.overflowing_add(u64::from(carry));
        carry = over || again;
        out[at].copy_from_slice(&total.to_le_bytes());
    }
    out
}

fn limb_of(bytes: &[u8; 32], limb: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[limb * 8..limb * 8 + 8]);
    u64::from_le_bytes(word)
}

fn negated(bytes: &[u8; 32]) -> [u8; 32] {
    let mut one = [0; 32];
    one[0] = 1;
    sum(&bytes.map(|byte| !byte), &one)
}
