//! The data folder of a node, besides its log, index and views: who it is, its settings, its join
//! codes, its accounts. Files are put in place whole, mode 0600, and are on disk when a call
//! returns.

mod accounts;
mod folder;
mod invitations;
mod settings;

pub use accounts::{Account, Accounts, Role};
pub use folder::{
    Folder, Membership, RESTORED, check_private, read_limited, replace_with, socket_of, sync_parent,
};
pub use invitations::{Invitations, Issued, Standing, Visit};
pub use settings::{Approval, Flags, LogFormat, Settings};
