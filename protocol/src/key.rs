//! The node's own key, and checking what others signed with theirs.

use std::fmt;

use ed25519_dalek::{Signer, SigningKey, VerifyingKey};
use serde::de::{Error as _, SeqAccess, Visitor};
use serde::ser::SerializeTuple;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use thiserror::Error;
use zeroize::Zeroizing;

use crate::NodeId;

/// The signature is not by that node over those bytes (or the key is no valid key).
#[derive(Debug, Error, PartialEq, Eq)]
#[error("signature does not match node {} and the signed bytes", node.short())]
pub struct BadSignature {
    /// Who was said to have signed.
    pub node: NodeId,
}

/// An Ed25519 signing key. Wiped from memory when dropped; never printed.
pub struct NodeKey(SigningKey);

impl NodeKey {
    /// Makes the key of a 32-byte seed, which must come from the system's randomness.
    pub fn from_seed(seed: [u8; 32]) -> NodeKey {
        NodeKey(SigningKey::from_bytes(&seed))
    }

    /// The seed, for the one file that keeps it (mode 0600).
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// The public half: the id of this node.
    pub fn id(&self) -> NodeId {
        NodeId::from_bytes(self.0.verifying_key().to_bytes())
    }

    /// Signs bytes that start with a domain of their own, so that no signature can be moved
    /// from one meaning to another.
    pub fn sign(&self, message: &[u8]) -> Signature {
        Signature(self.0.sign(message).to_bytes())
    }
}

impl fmt::Debug for NodeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NodeKey({})", self.id().short())
    }
}

/// An Ed25519 signature (RFC 8032), 64 bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Signature(pub [u8; 64]);

impl fmt::Debug for Signature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Signature")
    }
}

/// Checks a signature strictly: no small-order keys, no second form of the same signature.
pub fn verify(node: NodeId, message: &[u8], signature: &Signature) -> Result<(), BadSignature> {
    Verifier::default().verify(node, message, signature)
}

/// Checks signatures one after another. It keeps the last key unpacked, because neighbours in a
/// batch have mostly one author and unpacking is a tenth of the work.
#[derive(Debug, Default)]
pub struct Verifier(Option<(NodeId, VerifyingKey)>);

impl Verifier {
    /// Checks one signature, as [`verify`] does.
    pub fn verify(
        &mut self,
        node: NodeId,
        message: &[u8],
        signature: &Signature,
    ) -> Result<(), BadSignature> {
        let bad = BadSignature { node };
        let key = match &self.0 {
            Some((known, key)) if *known == node => key,
            _ => {
                let Ok(key) = VerifyingKey::from_bytes(node.as_bytes()) else { return Err(bad) };
                &self.0.insert((node, key)).1
            }
        };
        let signature = ed25519_dalek::Signature::from_bytes(&signature.0);
        key.verify_strict(message, &signature).map_err(|_| bad)
    }
}

impl Serialize for Signature {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut tuple = serializer.serialize_tuple(64)?;
        for byte in self.0 {
            tuple.serialize_element(&byte)?;
        }
        tuple.end()
    }
}

impl<'de> Deserialize<'de> for Signature {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Bytes;
        impl<'de> Visitor<'de> for Bytes {
            type Value = Signature;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("64 signature bytes")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut bytes: A) -> Result<Signature, A::Error> {
                let mut signature = [0; 64];
                for byte in &mut signature {
                    *byte = bytes
                        .next_element()?
                        .ok_or_else(|| A::Error::custom("fewer than 64 signature bytes"))?;
                }
                Ok(Signature(signature))
            }
        }
        deserializer.deserialize_tuple(64, Bytes)
    }
}
