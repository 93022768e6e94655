//! What the system lets a process of many nodes have.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use lienthong_request::Failure;

/// Open files of one node, and of the process besides its nodes.
const FILES_PER_NODE: u64 = 32;
const FILES_BESIDES: u64 = 128;

/// Raises the limit on open files as far as this process may, and says so if that is too low.
pub(crate) fn raise_file_limit(offices: usize) -> Result<(), Failure> {
    let needed = FILES_BESIDES + FILES_PER_NODE * (offices as u64 + 1);
    let Rlimit { current, maximum } = getrlimit(Resource::Nofile);
    let most = maximum.unwrap_or(u64::MAX);
    if current.unwrap_or(u64::MAX) >= needed {
        return Ok(());
    }
    let raised = Rlimit { current: Some(needed.min(most)), maximum };
    if most >= needed && setrlimit(Resource::Nofile, raised).is_ok() {
        return Ok(());
    }
    let why = format!("{offices} offices need {needed} open files, the limit is {most}");
    let remedy = "raise it with `ulimit -Hn`, or give fewer --offices";
    Err(Failure::failed("few-files", "no demonstration", why, remedy))
}
