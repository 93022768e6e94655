//! The status of a dossier, with the numbers of the national portal.

use crate::act::ActKind;

/// Where a dossier stands. Derived from its acts, never stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// 1: applied for, not looked at yet.
    Registered = 1,
    /// 2: taken in; the clock runs.
    Received = 2,
    /// 3: not taken in; final.
    Refused = 3,
    /// 4: being worked on; the clock runs.
    InProcess = 4,
    /// 5: the applicant must add something; the clock is paused.
    SupplementAsked = 5,
    /// 6: the applicant must pay; the clock is paused.
    PaymentAsked = 6,
    /// 7: taken back by the applicant; final.
    Withdrawn = 7,
    /// 8: work has stopped; paused or final.
    Stopped = 8,
    /// 9: decided; lateness is judged here.
    Finished = 9,
    /// 10: the applicant has the result; final.
    Returned = 10,
}

impl Status {
    /// Every status, by number.
    pub const ALL: [Status; 10] = [
        Status::Registered,
        Status::Received,
        Status::Refused,
        Status::InProcess,
        Status::SupplementAsked,
        Status::PaymentAsked,
        Status::Withdrawn,
        Status::Stopped,
        Status::Finished,
        Status::Returned,
    ];

    /// The number on the national portal, 1 to 10.
    pub fn number(self) -> u8 {
        self as u8
    }

    /// The name in English.
    pub fn name(self) -> &'static str {
        match self {
            Status::Registered => "registered",
            Status::Received => "received",
            Status::Refused => "refused",
            Status::InProcess => "in process",
            Status::SupplementAsked => "supplement asked",
            Status::PaymentAsked => "payment asked",
            Status::Withdrawn => "withdrawn",
            Status::Stopped => "stopped",
            Status::Finished => "finished",
            Status::Returned => "returned",
        }
    }

    /// The official name, in Vietnamese.
    pub fn name_vi(self) -> &'static str {
        match self {
            Status::Registered => "mới đăng ký",
            Status::Received => "được tiếp nhận",
            Status::Refused => "không được tiếp nhận",
            Status::InProcess => "đang xử lý",
            Status::SupplementAsked => "yêu cầu bổ sung",
            Status::PaymentAsked => "yêu cầu thực hiện nghĩa vụ tài chính",
            Status::Withdrawn => "công dân rút hồ sơ",
            Status::Stopped => "dừng xử lý",
            Status::Finished => "đã xử lý xong",
            Status::Returned => "đã trả kết quả",
        }
    }

    /// The kinds of act that move a dossier on from it.
    pub fn moves(self) -> Vec<ActKind> {
        MOVES.iter().filter(|step| step.from.contains(&self)).map(|step| step.kind).collect()
    }

    /// Says whether the clock stands still while it lasts.
    pub(crate) fn pauses(self) -> bool {
        matches!(self, Status::SupplementAsked | Status::PaymentAsked | Status::Stopped)
    }

    /// Says whether no act moves it further, but one that reverses another.
    pub fn is_final(self) -> bool {
        matches!(self, Status::Refused | Status::Withdrawn | Status::Returned)
    }
}

/// One kind of act that moves a dossier: from which statuses it may, and to which it does.
struct Move {
    kind: ActKind,
    from: &'static [Status],
    to: Status,
}

/// All moves that there are. The two kinds that may open a dossier are named in [`opens`].
const MOVES: &[Move] = {
    use Status::{
        Finished, InProcess, PaymentAsked, Received, Refused, Registered, Returned, Stopped,
        SupplementAsked, Withdrawn,
    };
    &[
        Move { kind: ActKind::Registered, from: &[], to: Registered },
        Move { kind: ActKind::Received, from: &[Registered], to: Received },
        Move { kind: ActKind::Refused, from: &[Registered, SupplementAsked], to: Refused },
        Move { kind: ActKind::InProcess, from: &[Received], to: InProcess },
        Move {
            kind: ActKind::SupplementAsked,
            from: &[Registered, InProcess],
            to: SupplementAsked,
        },
        Move { kind: ActKind::Supplied, from: &[SupplementAsked], to: InProcess },
        Move { kind: ActKind::PaymentAsked, from: &[InProcess], to: PaymentAsked },
        Move { kind: ActKind::Paid, from: &[PaymentAsked], to: InProcess },
        Move { kind: ActKind::Withdrawn, from: &[Registered, Received, InProcess], to: Withdrawn },
        Move { kind: ActKind::Stopped, from: &[InProcess, SupplementAsked], to: Stopped },
        Move { kind: ActKind::Resumed, from: &[Stopped], to: InProcess },
        Move { kind: ActKind::Finished, from: &[InProcess], to: Finished },
        Move { kind: ActKind::Returned, from: &[Finished], to: Returned },
    ]
};

/// Says whether an act of this kind may be the first of a dossier.
fn opens(kind: ActKind) -> bool {
    matches!(kind, ActKind::Registered | ActKind::Received)
}

/// The status that an act of this kind moves to; none if it moves nothing.
pub(crate) fn target(kind: ActKind) -> Option<Status> {
    MOVES.iter().find(|step| step.kind == kind).map(|step| step.to)
}

/// Says whether an act of this kind may come at this status; none: before the first act.
pub(crate) fn allows(kind: ActKind, status: Option<Status>) -> bool {
    let step = MOVES.iter().find(|step| step.kind == kind);
    match (step, status) {
        (None, status) => {
            status.is_some_and(|status| kind.is_allowed_after_end() || !status.is_final())
        }
        (Some(_), None) => opens(kind),
        (Some(step), Some(status)) => step.from.contains(&status),
    }
}

#[cfg(test)]
#[path = "status_tests.rs"]
mod tests;
