//! Somebody who saw that a link was left alone.

use lienthong_protocol::OfficeId;
use lienthong_replica::Notice;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::TryRecvError;

use crate::{World, office};

/// Watches one link from the time it is called.
pub struct Witness {
    here: &'static str,
    there: &'static str,
    peer: OfficeId,
    notices: Receiver<Notice>,
}

impl Witness {
    /// Watches a link that is settled.
    pub async fn of(world: &World, here: &'static str, there: &'static str) -> Witness {
        let notices = world.node(here).notices();
        world.settle_between(here, there).await;
        Witness { here, there, peer: office(there), notices }
    }

    /// Asserts that the link was up all the time, and that a new dossier still crosses it.
    pub async fn saw_no_harm(mut self, world: &World) {
        let fresh = world.receive(self.there, "Đặng Thị Hoa").await;
        world.reaches(self.here, &fresh).await;
        world.settle_between(self.here, self.there).await;
        loop {
            match self.notices.try_recv() {
                Ok(Notice::Disconnected { office, .. }) if office == self.peer => {
                    panic!("{} lost its link with {}", self.here, self.there);
                }
                Ok(_) => {}
                Err(TryRecvError::Empty) => return,
                Err(missed) => panic!("the witness looked away: {missed}"),
            }
        }
    }
}
