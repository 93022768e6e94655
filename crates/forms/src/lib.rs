//! The printed forms of the one-stop offices (biểu mẫu 01 đến 07), made without a network.
//!
//! [`Facts`] is what a form may say about a dossier and [`RegisterFacts`] what the register says
//! about many; [`compose`] and [`compose_register`] turn them into a [`Form`], a description of
//! the page as plain data. [`html`] and [`pdf`] render that description; neither knows what a
//! dossier is. Nothing here reads a clock or a file: the fonts are part of the program.

mod day;
mod facts;
mod fonts;
mod form;
mod html;
mod letters;
mod lines;
mod pages;
mod pdf;
#[cfg(test)]
#[path = "qr_tests.rs"]
mod qr_tests;
mod receipt;
mod tables;

pub use day::When;
pub use facts::{Facts, HandOver, Letter, Letters, Lookup, OfficeNames, Paper, Party, Person};
pub use facts::{ProcedureWords, RegisterFacts, Times};
pub use form::{Align, Block, Face, Form, FormKind, Line, Rule, Sheet, Signature, Span, Table};
pub use form::{compose, compose_register};
pub use html::{html, html_part, style};
pub use pages::{Mark, Page, pages};
pub use pdf::{PdfError, pdf};

#[cfg(test)]
mod fixture_tests;
