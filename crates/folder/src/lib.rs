//! The data folder of a node, besides its log, index and views: who it is, its settings, its join
//! codes, its accounts, and who looked at which dossier. Files are put in place whole or only
//! appended to, mode 0600, and are on disk when a call returns.

mod access;
mod accounts;
mod folder;
mod invitations;
mod settings;

pub use access::{AccessLog, Look, Looks, Place, Sought};
pub use accounts::{Account, Accounts, Role};
pub use folder::{
    Folder, Membership, RESTORED, check_private, read_limited, replace_with, socket_of, sync_parent,
};
pub use invitations::{Invitations, Issued, Standing, Visit};
pub use settings::{Approval, Flags, LogFormat, Settings};
