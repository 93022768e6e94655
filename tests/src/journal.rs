//! What the nodes of this process log, for tests of what an operator can read.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tracing_subscriber::filter::LevelFilter;

/// The log of all nodes of the process from its opening on, at INFO.
#[derive(Clone)]
pub struct Journal(Arc<Mutex<Vec<u8>>>);

static JOURNAL: OnceLock<Journal> = OnceLock::new();

impl Journal {
    /// The one journal of the process; opens it when it is asked for first.
    pub fn open() -> &'static Journal {
        JOURNAL.get_or_init(|| {
            let journal = Journal(Arc::new(Mutex::new(Vec::new())));
            let pages = journal.clone();
            let log = tracing_subscriber::fmt()
                .with_max_level(LevelFilter::INFO)
                .with_ansi(false)
                .with_writer(move || pages.clone());
            log.try_init().expect("nothing else in the tests takes the log");
            journal
        })
    }

    /// Whether one line holds all of these words.
    pub fn says(&self, words: &[&str]) -> bool {
        let pages = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let text = String::from_utf8_lossy(&pages);
        text.lines().any(|line| words.iter().all(|word| line.contains(word)))
    }
}

impl Write for Journal {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
