//! Questions to a running node: to its mind, to the view beside it, or to both in turns. Who is
//! shown a dossier is noted before.

use std::path::Path;
use std::sync::Arc;

use lienthong_folder::{AccessLog, Look, Looks, Sought};
use lienthong_request::{AccessFilter, Caller, Exit, Failure, Filter, LookKind, Request, SCHEMA};
use serde_json::{Value, json};
use tokio::sync::{mpsc, oneshot};

use crate::board::Sketch;
use crate::list::{Door, Outlook, list, with_figures};
use crate::mind::{Clock, Message, Mind};
use crate::outbox::{PAGE, Waiting};
use crate::print::Registered;

/// Asks a node that somebody else holds; after its end it says that it has stopped.
#[derive(Clone)]
pub(crate) struct Asker {
    messages: mpsc::Sender<Message>,
    door: Arc<Door>,
    watcher: Watcher,
}

impl Asker {
    pub(crate) fn new(messages: mpsc::Sender<Message>, door: Arc<Door>, watcher: Watcher) -> Asker {
        Asker { messages, door, watcher }
    }

    /// Asks for somebody, who is noted before a dossier is shown.
    pub(crate) async fn ask(&self, caller: Caller, request: Request) -> Result<Value, Failure> {
        if let Request::Looks(filter) = request {
            return self.watcher.list(filter).await;
        }
        let look = request.look();
        let answer = ask(&self.messages, &self.door, request).await?;
        if let Some(what) = look {
            self.watcher.note(&caller, what, &answer).await?;
        }
        Ok(answer)
    }
}

/// Asks a node. What the view can answer keeps the mind from nothing.
async fn ask(
    messages: &mpsc::Sender<Message>,
    door: &Arc<Door>,
    request: Request,
) -> Result<Value, Failure> {
    match request {
        Request::List(filter) => ask_view(messages, Arc::clone(door), *filter).await,
        Request::Outbox => ask_outbox(messages, door).await,
        Request::PrintRegister { limit } => ask_register(messages, door, limit).await,
        Request::Status => {
            let answer = ask_mind(messages, request).await?;
            let (door, outlook) = (Arc::clone(door), outlook(messages).await?);
            // Beside the mind: what the view costs, nothing else waits for.
            let told = tokio::task::spawn_blocking(move || with_figures(&door, answer, outlook));
            told.await.map_err(|_| stopped())
        }
        Request::Board => {
            let (door, sketch) = (Arc::clone(door), sketch(messages).await?);
            // Beside the mind, too: it counts every open dossier.
            let told = tokio::task::spawn_blocking(move || sketch.finished(&door));
            told.await.map_err(|_| stopped())
        }
        request => ask_mind(messages, request).await,
    }
}

async fn ask_mind(messages: &mpsc::Sender<Message>, request: Request) -> Result<Value, Failure> {
    let (answer, answered) = oneshot::channel();
    messages.send(Message::Ask { request, answer }).await.map_err(|_| stopped())?;
    answered.await.map_err(|_| stopped())?
}

/// What an answer from the view is to show now.
async fn outlook(messages: &mpsc::Sender<Message>) -> Result<Outlook, Failure> {
    let (answer, answered) = oneshot::channel();
    messages.send(Message::Outlook(answer)).await.map_err(|_| stopped())?;
    answered.await.map_err(|_| stopped())?
}

/// The board without what the view knows.
async fn sketch(messages: &mpsc::Sender<Message>) -> Result<Sketch, Failure> {
    let (answer, answered) = oneshot::channel();
    messages.send(Message::Sketch(answer)).await.map_err(|_| stopped())?;
    answered.await.map_err(|_| stopped())?
}

/// Asks the view, beside the mind, as soon as it has what the mind has now.
async fn ask_view(
    messages: &mpsc::Sender<Message>,
    door: Arc<Door>,
    filter: Filter,
) -> Result<Value, Failure> {
    let outlook = outlook(messages).await?;
    // What is late is counted in the answer.
    let _: bool = door.catch_up(outlook.growths).await;
    let listed = tokio::task::spawn_blocking(move || list(&door, &filter, outlook)).await;
    listed.map_err(|_| stopped())?
}

/// Asks what this node has to tell applicants, a few dossiers at a time: work at the counter goes
/// on between them.
async fn ask_outbox(messages: &mpsc::Sender<Message>, door: &Arc<Door>) -> Result<Value, Failure> {
    // What is late is counted in the answer.
    let _: bool = door.catch_up(outlook(messages).await?.growths).await;
    let (mut waiting, mut after) = (Waiting::default(), None);
    loop {
        let (more, next) = visit(messages, move |mind| mind.waiting_page(after)).await??;
        let is_full = waiting.add(more);
        match next.filter(|_| !is_full) {
            Some(cursor) => after = Some(cursor),
            None => return Ok(waiting.answer(door)),
        }
    }
}

/// Asks for the register, a few dossiers at a time, too.
async fn ask_register(
    messages: &mpsc::Sender<Message>,
    door: &Arc<Door>,
    limit: usize,
) -> Result<Value, Failure> {
    let is_partial = !door.catch_up(outlook(messages).await?.growths).await;
    let Registered { ids, unlisted } =
        visit(messages, move |mind| mind.registered_here(limit)).await??;
    let mut dossiers = Vec::with_capacity(ids.len());
    for some in ids.chunks(PAGE).map(<[_]>::to_vec) {
        dossiers.extend(visit(messages, move |mind| mind.brief_facts(&some)).await??);
    }
    visit(messages, move |mind| mind.register(dossiers, unlisted, is_partial)).await
}

/// Does something short with the mind.
async fn visit<T: Send + 'static>(
    messages: &mpsc::Sender<Message>,
    what: impl FnOnce(&mut Mind) -> T + Send + 'static,
) -> Result<T, Failure> {
    let (answer, answered) = oneshot::channel();
    // Whoever asked may have gone.
    let visit = move |mind: &mut Mind| drop(answer.send(what(mind)));
    messages.send(Message::Visit(Box::new(visit))).await.map_err(|_| stopped())?;
    answered.await.map_err(|_| stopped())
}

/// The access log of a node, written and read beside its mind.
#[derive(Clone)]
pub(crate) struct Watcher {
    log: Arc<AccessLog>,
    clock: Clock,
}

impl Watcher {
    pub(crate) fn of(folder: &Path, clock: Clock) -> Watcher {
        Watcher { log: Arc::new(AccessLog::of(folder)), clock }
    }

    /// Notes that somebody is about to be shown an answer.
    pub(crate) async fn note(
        &self,
        caller: &Caller,
        what: LookKind,
        answer: &Value,
    ) -> Result<(), Failure> {
        let Shown { dossier, code, dossiers } = shown(what, answer);
        let (at_ms, who, way) = ((self.clock)(), caller.who(), caller.way().to_owned());
        let look = Look { at_ms, who, way, what, dossier, code, dossiers };
        self.beside(move |log| log.note(look)).await
    }

    /// The looks that a filter names, the newest first.
    pub(crate) async fn list(&self, filter: AccessFilter) -> Result<Value, Failure> {
        let before = filter.after.as_deref().map(str::parse).transpose()?;
        let AccessFilter { dossier, who, limit, .. } = filter;
        let sought = Sought { dossier, who, before, limit };
        let Looks { looks, next, unreadable } = self.beside(move |log| log.read(&sought)).await?;
        Ok(json!({
            "schema": SCHEMA,
            "looks": looks,
            "next": next.map(|next| next.to_string()),
            "unreadable": unreadable,
        }))
    }

    async fn beside<T: Send + 'static>(
        &self,
        work: impl FnOnce(&AccessLog) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let log = Arc::clone(&self.log);
        tokio::task::spawn_blocking(move || work(&log)).await.map_err(|_| stopped())?
    }
}

/// The dossiers that an answer shows.
struct Shown {
    dossier: String,
    code: String,
    dossiers: u64,
}

fn shown(what: LookKind, answer: &Value) -> Shown {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let many = |all: &Value| all.as_array().map_or(0, |all| all.len() as u64);
    match what {
        LookKind::Export => {
            let all = &answer["documents"];
            Shown { dossier: text(&all[0]["id"]), code: String::new(), dossiers: many(all) }
        }
        LookKind::Register => {
            let dossiers = many(&answer["facts"]["dossiers"]);
            Shown { dossier: String::new(), code: String::new(), dossiers }
        }
        LookKind::Dossier | LookKind::Review | LookKind::History | LookKind::Form => {
            let code = text(&answer["code"]);
            Shown { dossier: text(&answer["id"]), code, dossiers: 1 }
        }
    }
}

/// The failure of whoever asks a node that has stopped.
pub(crate) fn stopped() -> Failure {
    let remedy = "see the log of the node and start it again";
    Failure::new(Exit::Store, "node-stopped", "no answer", "the node has stopped", remedy)
}
