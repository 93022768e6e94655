//! Which dossiers a list shows, and which looks at them.

use clap::Args;
use lienthong_protocol::OfficeId;
use serde::{Deserialize, Serialize};

/// Which dossiers a list shows, as people ask for them.
#[derive(Clone, Debug, Args, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Filter {
    /// Words, or their beginnings, of a code, name, ID number, phone, procedure or field; marks
    /// do not count.
    #[arg(long)]
    pub text: Option<String>,
    /// The portal number of the status: 1 registered, 2 received, 3 refused, 4 in process, 5
    /// supplement asked, 6 payment asked, 7 withdrawn, 8 stopped, 9 finished, 10 returned.
    #[arg(long)]
    pub status: Option<u8>,
    /// Due before this day or minute, as YYYY-MM-DD or YYYY-MM-DDTHH:MM.
    #[arg(long)]
    pub due_before: Option<String>,
    /// Due after this day or minute.
    #[arg(long)]
    pub due_after: Option<String>,
    /// Only those whose due has passed while the clock runs.
    #[arg(long)]
    pub overdue: bool,
    /// An office that takes part.
    #[arg(long)]
    pub office: Option<OfficeId>,
    /// Who did the last act.
    #[arg(long)]
    pub officer: Option<String>,
    /// The code of the procedure.
    #[arg(long)]
    pub procedure: Option<String>,
    /// Only those that somebody has to look at: conflicts, acts that do not count, findings.
    #[arg(long)]
    pub review: bool,
    /// How many at most, 1 to 1,000.
    #[arg(long, default_value_t = DEFAULT_LIMIT)]
    pub limit: usize,
    /// The `next` of the page before.
    #[arg(long, value_name = "CURSOR")]
    pub after: Option<String>,
}

impl Default for Filter {
    fn default() -> Filter {
        Filter {
            text: None,
            status: None,
            due_before: None,
            due_after: None,
            overdue: false,
            office: None,
            officer: None,
            procedure: None,
            review: false,
            limit: DEFAULT_LIMIT,
            after: None,
        }
    }
}

/// Which looks at dossiers a list of the access log shows.
#[derive(Clone, Debug, Args, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AccessFilter {
    /// Those at one dossier, by code or document id, and those at many at once, which may show it.
    #[arg(long)]
    pub dossier: Option<String>,
    /// Those of one officer, or of one user of the machine, as `uid-1000`.
    #[arg(long)]
    pub who: Option<String>,
    /// How many at most, 1 to 1,000.
    #[arg(long, default_value_t = DEFAULT_LIMIT)]
    pub limit: usize,
    /// The `next` of the page before.
    #[arg(long, value_name = "CURSOR")]
    pub after: Option<String>,
}

impl Default for AccessFilter {
    fn default() -> AccessFilter {
        AccessFilter { dossier: None, who: None, limit: DEFAULT_LIMIT, after: None }
    }
}

/// How many lines a page has if nobody says.
const DEFAULT_LIMIT: usize = 50;
