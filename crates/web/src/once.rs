//! Pressing twice does not do twice: what was done under a key is answered again, not done again.

use std::collections::{BTreeMap, VecDeque};
use std::future::Future;
use std::sync::{Mutex, PoisonError};

use lienthong_request::Failure;
use serde_json::Value;
use tokio::sync::watch;

type Outcome = Option<Result<Value, Failure>>;

/// The last 1,000 things done under a key, in memory: after a restart a key is new again.
#[derive(Debug, Default)]
pub(crate) struct Once {
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    done: BTreeMap<[u8; 32], Doing>,
    order: VecDeque<[u8; 32]>,
}

#[derive(Clone, Debug)]
struct Doing {
    asked: [u8; 32],
    outcome: watch::Receiver<Outcome>,
}

/// What is done: by whom, under which key, and what was asked.
pub(crate) struct Press<'p> {
    pub(crate) officer: &'p str,
    pub(crate) key: &'p str,
    pub(crate) asked: &'p [u8],
}

impl Once {
    /// Does it unless it was done under this key or is being done; then waits for that outcome. It
    /// is done to its end also when the browser has left. What failed may be tried again under the
    /// same key; something else under the same key is refused.
    pub(crate) async fn run<F>(&self, press: Press<'_>, doing: F) -> Result<Value, Failure>
    where
        F: Future<Output = Result<Value, Failure>> + Send + 'static,
    {
        if press.key.is_empty() || press.key.len() > MAX_KEY_BYTES {
            return Err(bad_key(press.key.len()));
        }
        let name = blake3::hash(format!("{}\0{}", press.officer, press.key).as_bytes());
        let asked = *blake3::hash(press.asked).as_bytes();
        let mut outcome = self.begin(*name.as_bytes(), asked, doing)?;
        let ended = outcome.wait_for(Option::is_some).await;
        let ended = ended.ok().and_then(|ended| ended.clone()).unwrap_or_else(|| Err(lost()));
        if ended.is_err() {
            self.forget(name.as_bytes(), &outcome);
        }
        ended
    }

    fn begin<F>(
        &self,
        name: [u8; 32],
        asked: [u8; 32],
        doing: F,
    ) -> Result<watch::Receiver<Outcome>, Failure>
    where
        F: Future<Output = Result<Value, Failure>> + Send + 'static,
    {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = held.done.get(&name) {
            return if known.asked == asked { Ok(known.outcome.clone()) } else { Err(reused()) };
        }
        let (says, outcome) = watch::channel(None);
        tokio::spawn(async move {
            says.send_replace(Some(doing.await));
        });
        held.done.insert(name, Doing { asked, outcome: outcome.clone() });
        held.order.push_back(name);
        if held.order.len() > MAX_KEYS
            && let Some(oldest) = held.order.pop_front()
        {
            held.done.remove(&oldest);
        }
        Ok(outcome)
    }

    /// Lets a key be new again, unless it was tried again meanwhile.
    fn forget(&self, name: &[u8; 32], failed: &watch::Receiver<Outcome>) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.done.get(name).is_some_and(|doing| doing.outcome.same_channel(failed)) {
            held.done.remove(name);
            held.order.retain(|known| known != name);
        }
    }
}

fn bad_key(bytes: usize) -> Failure {
    let why = format!("the key has {bytes} bytes, the limit is 1 to {MAX_KEY_BYTES}");
    let remedy = "mở lại trang / open the page again";
    Failure::usage("bad-once-key", "chưa lưu / nothing was saved", why, remedy)
}

fn reused() -> Failure {
    let why = "phiếu này đã gửi với nội dung khác / this form was sent before with other contents";
    let remedy = "mở lại trang / open the page again";
    Failure::refused("once-key-reused", "chưa lưu / nothing was saved", why, remedy)
}

fn lost() -> Failure {
    let why = "việc đang làm bị ngắt / what was under way broke off";
    let remedy = "xem đã lưu chưa rồi làm lại / see whether it is saved, then try again";
    Failure::failed("broken-off", "chưa rõ / not known", why, remedy)
}

const MAX_KEYS: usize = 1_000;
const MAX_KEY_BYTES: usize = 64;

#[cfg(test)]
#[path = "once_tests.rs"]
mod tests;
