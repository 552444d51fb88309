//! `oriflame`: what a branch does with tickets that are another's.

use std::time::Duration;

use loket::v1::{ErrorReason, Ticket, TransferPlacement};

use super::oriflame::{QUESTION, question};
use crate::support::scenario::{Desk, reason, scenarios};
use crate::support::{fields, own};

scenarios! {
    "oriflame":
    O3 "Done, investigated, or escalated to a branch or the head office" o3_a_ticket_is_escalated_to_a_branch_or_the_head_office
        without |it| it.escalations.clear();
    O12 "A misrouted ticket is transferred by the wrong branch, when its turn has come" o12_the_wrong_branch_transfers_when_its_turn_has_come
        without |it| it.transfer_policy.as_mut().unwrap().claimed_only = false;
    O13 "A transfer queues again" o13_transfer_requeues
        without |it| it.transfer_policy.as_mut().unwrap().set_placement(TransferPlacement::KeepPlace);
}

async fn o3_a_ticket_is_escalated_to_a_branch_or_the_head_office(desk: Desk) {
    let ticket = desk.file(QUESTION).await;
    desk.agent.claim(&ticket).await.unwrap();
    desk.agent.reply(&ticket, "Kami cek").await.unwrap();
    let (elsewhere, _) = desk.agent.escalate(&ticket, "other_branch", "medan").await.unwrap();
    assert_eq!((elsewhere.queue.as_str(), elsewhere.status.as_str()), ("medan", "in_progress"));
    desk.agent.claim(&ticket).await.unwrap();
    let (above, _) = desk.agent.escalate(&ticket, "head_office", "").await.unwrap();
    assert_eq!((above.queue.as_str(), above.receive_time), ("head_office", ticket.receive_time));
    // Whether it is done, investigated or escalated is there to be read.
    let history = desk.agent.history(&ticket).await;
    let queues: Vec<_> = history.iter().map(|change| change.ticket_after.as_ref().unwrap().queue.as_str()).collect();
    assert_eq!(queues, ["jakarta", "jakarta", "jakarta", "medan", "medan", "head_office"]);
}

async fn o12_the_wrong_branch_transfers_when_its_turn_has_come(desk: Desk) {
    let ticket = desk.file(QUESTION).await;
    assert_eq!(reason(desk.requester.transfer(&ticket, "bandung").await), ErrorReason::RoleNotAllowed);
    assert_eq!(reason(desk.agent.transfer(&ticket, "bandung").await), ErrorReason::TransferRefused);
    let turn = desk.agent.next("jakarta").await.unwrap().unwrap();
    assert_eq!(desk.agent.transfer(&turn, "bandung").await.unwrap().queue, "bandung");
    let history = desk.agent.history(&ticket).await;
    assert_eq!(history.last().unwrap().reason, "Salah antrian");
}

async fn o13_transfer_requeues(desk: Desk) {
    let misrouted = desk.requester.file(question("Salah cabang")).await.unwrap();
    desk.wait(Duration::from_hours(1));
    let here = [QUESTION[0], QUESTION[1], ("branch", "bandung")];
    desk.requester.file(Ticket { fields: fields(here), ..own("Cabang yang benar") }).await.unwrap();
    desk.wait(Duration::from_hours(1));
    desk.agent.claim(&misrouted).await.unwrap();
    let transferred = desk.agent.transfer(&misrouted, "bandung").await.unwrap();
    assert_eq!(transferred.assignee, "");
    assert_eq!(transferred.receive_time, misrouted.receive_time);
    assert_ne!(transferred.queue_time, misrouted.queue_time);
    assert_eq!(desk.line("bandung").await, ["Cabang yang benar", "Salah cabang"]);
    assert_eq!(desk.line("jakarta").await, [""; 0]);
}
