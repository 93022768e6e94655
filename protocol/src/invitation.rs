//! The join code: what an operator reads out, pastes or shows as a QR code.

use std::fmt;

use data_encoding::{Encoding, Specification};
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::codec;
use crate::limits::{MAX_ADDRESSES, MAX_JOIN_CODE_CHARS};
use crate::{FederationId, Moment, NodeId, OfficeId};

/// 128 random bits that prove the invitation. Never logged; the hub keeps only its hash.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JoinSecret(pub [u8; 16]);

impl JoinSecret {
    /// What the hub stores: the secret cannot be had back from it.
    pub fn hash(&self) -> [u8; 32] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(b"lienthong join secret 1\0");
        hasher.update(&self.0);
        *hasher.finalize().as_bytes()
    }
}

impl fmt::Debug for JoinSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JoinSecret")
    }
}

/// Everything a new node needs in order to find the hub and to know that it is the right one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitation {
    /// The federation to join.
    pub federation: FederationId,
    /// The hub's key, checked before the secret is sent.
    pub hub: NodeId,
    /// The one office that the code is for.
    pub office: OfficeId,
    /// Where the hub listens, as `host:port`; at most [`MAX_ADDRESSES`], and all together no more
    /// than a code has room for.
    #[serde(with = "codec::List::<MAX_ADDRESSES>")]
    pub addresses: Vec<String>,
    /// Good for one node.
    pub secret: JoinSecret,
    /// From when on the hub refuses the code, to the second.
    pub expires: Moment,
}

/// Why a text is no join code.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum InvitationError {
    /// It does not start with the sign of a join code.
    #[error("text is no join code: it does not start with '{PREFIX}'")]
    NotACode,
    /// It has a character that no join code has.
    #[error("character {at} of the join code is none of 0-9 and A-Z without I, L, O, U")]
    Character {
        /// Where in the text as it was given, counted from 1 in characters.
        at: usize,
    },
    /// The check characters do not fit the rest: something was changed or left out.
    #[error("join code was altered: its check characters do not fit the rest")]
    Altered,
    /// It is longer than any join code.
    #[error("join code is longer than {MAX_JOIN_CODE_CHARS} characters")]
    TooLong,
    /// It was made by a newer version, or holds what this one cannot read.
    #[error("join code of a form that this version does not know")]
    Form,
}

impl InvitationError {
    /// The fixed word for the error.
    pub fn code(&self) -> &'static str {
        match self {
            InvitationError::NotACode => "not-a-join-code",
            InvitationError::Character { .. } => "join-code-character",
            InvitationError::Altered => "join-code-altered",
            InvitationError::TooLong => "join-code-too-long",
            InvitationError::Form => "join-code-form",
        }
    }

    /// What the person who typed it should do.
    pub fn remedy(&self) -> &'static str {
        match self {
            InvitationError::Form => "update this node, or ask the hub for a new code",
            _ => "copy the whole code again, from 'LT1-' to its end",
        }
    }
}

/// Why an invitation has no code: its addresses are too many, or too long together.
#[derive(Debug, Error, PartialEq, Eq)]
#[error(
    "{count} addresses of {bytes} bytes do not fit a join code: \
     the limits are {MAX_ADDRESSES} addresses and a code of {MAX_JOIN_CODE_CHARS} characters"
)]
pub struct UnfitAddresses {
    /// How many addresses.
    pub count: usize,
    /// How long they are together, in bytes.
    pub bytes: usize,
}

impl UnfitAddresses {
    /// The fixed word for the error.
    pub fn code(&self) -> &'static str {
        "join-code-addresses"
    }

    /// What the operator of the hub should do.
    pub fn remedy(&self) -> &'static str {
        "let the hub advertise fewer or shorter addresses"
    }
}

const PREFIX: &str = "LT1-";
const CHECK_BYTES: usize = 5;
const GROUP: usize = 8;
const MAX_BYTES: usize = MAX_JOIN_CODE_CHARS / 8 * 5;

/// Crockford's base 32: no I, L, O or U, and what people type instead is understood.
fn alphabet() -> Encoding {
    let mut specification = Specification::new();
    specification.symbols.push_str("0123456789ABCDEFGHJKMNPQRSTVWXYZ");
    specification.translate.from.push_str("abcdefghjkmnpqrstvwxyzIiLlOo");
    specification.translate.to.push_str("ABCDEFGHJKMNPQRSTVWXYZ111100");
    specification.encoding().expect("the alphabet is a valid one")
}

impl Invitation {
    /// The code as text: `LT1-` and groups of eight characters; none that [`Self::from_code`]
    /// would refuse.
    pub fn to_code(&self) -> Result<String, UnfitAddresses> {
        let unfit = || UnfitAddresses {
            count: self.addresses.len(),
            bytes: self.addresses.iter().map(String::len).sum(),
        };
        let mut bytes = codec::encode(self, MAX_BYTES).map_err(|_| unfit())?;
        bytes.extend_from_slice(&check(&bytes));
        let text = alphabet().encode(&bytes);
        let groups: Vec<&str> = (0..text.len())
            .step_by(GROUP)
            .map(|at| &text[at..text.len().min(at + GROUP)])
            .collect();
        let code = format!("{PREFIX}{}", groups.join("-"));
        if code.len() <= MAX_JOIN_CODE_CHARS { Ok(code) } else { Err(unfit()) }
    }

    /// Reads a code; small letters, spaces, line breaks and missing dashes are understood.
    pub fn from_code(code: &str) -> Result<Invitation, InvitationError> {
        if code.chars().count() > MAX_JOIN_CODE_CHARS {
            return Err(InvitationError::TooLong);
        }
        let start = code.trim_start().get(..PREFIX.len());
        if !start.is_some_and(|start| start.eq_ignore_ascii_case(PREFIX)) {
            return Err(InvitationError::NotACode);
        }
        let letters = letters(code)?;
        let mut bytes =
            alphabet().decode(letters.as_bytes()).map_err(|_| InvitationError::Altered)?;
        let body = bytes.len().checked_sub(CHECK_BYTES).ok_or(InvitationError::Altered)?;
        if bytes.split_off(body) != check(&bytes) {
            return Err(InvitationError::Altered);
        }
        codec::decode(&bytes, MAX_BYTES).map_err(|_| InvitationError::Form)
    }
}

/// The characters after the prefix that count.
fn letters(code: &str) -> Result<String, InvitationError> {
    let mut letters = String::with_capacity(code.len());
    let places = code.chars().enumerate().skip_while(|(_, char)| char.is_whitespace());
    for (at, char) in places.skip(PREFIX.len()) {
        if char == '-' || char.is_whitespace() {
            continue;
        }
        if !char.is_ascii_alphanumeric() || char.eq_ignore_ascii_case(&'u') {
            return Err(InvitationError::Character { at: at + 1 });
        }
        letters.push(char);
    }
    Ok(letters)
}

fn check(bytes: &[u8]) -> [u8; CHECK_BYTES] {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"lienthong join code 1\0");
    hasher.update(bytes);
    let mut check = [0; CHECK_BYTES];
    check.copy_from_slice(&hasher.finalize().as_bytes()[..CHECK_BYTES]);
    check
}
