//! What may be said about proposals to make a procedure simpler.

use clap::Args;
use lienthong_protocol::DocumentId;
use serde::{Deserialize, Serialize};

/// What an officer proposes to cut from a procedure that is in force today.
#[derive(Clone, Debug, Args, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Proposing {
    /// Any code of the procedure.
    pub procedure: String,
    /// `component CODE`, `limit 2`, `limit '4 hour'` or `step NUMBER`.
    #[arg(long, num_args = 2, required = true, value_names = ["WHAT", "TO"])]
    pub cut: Vec<String>,
    /// The case whose limit is meant; default the usual one.
    #[arg(long)]
    #[serde(default)]
    pub case: Option<String>,
    /// Why; 1 to 1,000 characters.
    #[arg(long, value_name = "TEXT")]
    pub why: String,
    /// Who proposes it.
    #[arg(long)]
    pub officer: String,
}

/// What the office that publishes the catalogue answers.
#[derive(Clone, Debug, Args, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Deciding {
    /// The proposal, by its id.
    pub proposal: DocumentId,
    /// The version of the catalogue that carries it.
    #[arg(long, value_name = "VERSION", conflicts_with = "decline")]
    #[serde(default)]
    pub accept: Option<u32>,
    /// It will not be carried out; why.
    #[arg(long, value_name = "TEXT", required_unless_present = "accept")]
    #[serde(default)]
    pub decline: Option<String>,
    /// Who answers.
    #[arg(long)]
    pub officer: String,
}

/// Which proposals a list shows: those of the own office and of the offices below it.
#[derive(Clone, Debug, Args, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ProposalFilter {
    /// Only those that are not answered.
    #[arg(long)]
    pub open: bool,
    /// The `next` of the page before.
    #[arg(long, value_name = "PROPOSAL")]
    pub after: Option<DocumentId>,
    /// How many are looked at, 1 to 1,000.
    #[arg(long, default_value_t = DEFAULT_LIMIT)]
    pub limit: usize,
}

impl Default for ProposalFilter {
    fn default() -> ProposalFilter {
        ProposalFilter { open: false, after: None, limit: DEFAULT_LIMIT }
    }
}

const DEFAULT_LIMIT: usize = 200;
