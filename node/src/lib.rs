//! The node of Liên Thông: the only place where the layers meet.

mod asker;
mod board;
mod catalogue;
mod codes;
mod counter;
mod demo;
mod health;
mod hub;
mod library;
mod list;
mod mind;
mod node;
mod outbox;
mod print;
mod proposals;
mod publish;
mod report;
mod review;
mod serials;
mod setup;
mod shelf;
mod stage;
mod story;
mod tree;
mod troubles;
mod viewer;
mod web;

pub use demo::{Played, demo};
pub use mind::Clock;
pub use node::{Node, Surroundings};
pub use print::{Format, print};
pub use setup::{init, join};
pub use web::Pages;
