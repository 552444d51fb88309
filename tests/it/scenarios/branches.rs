//! `oriflame`: what a branch does with tickets that are another's.

use std::time::Duration;

use loket::v1::{ErrorReason, State, Ticket, TransferPlacement};

use super::oriflame::{QUESTION, question};
use crate::support::scenario::{Desk, Edit as _, reason, scenarios};
use crate::support::{fields, own};

scenarios! {
    "oriflame":
    O3 "Done, investigated, or escalated to a branch or the head office" o3_a_ticket_is_escalated_to_a_branch_or_the_head_office
        without |it| it.escalations.clear();
    O12 "A misrouted ticket is transferred by the wrong branch, when its turn has come" o12_the_wrong_branch_transfers_when_its_turn_has_come
        without |it| it.transfer_policy.as_mut().unwrap().claimed_only = false,
            |it| it.field("branch").set_when.clear();
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
    desk.agent.escalate(&ticket, "head_office", "").await.unwrap();
    desk.agent.take_with(&ticket, "close", [], "Diganti").await.unwrap();
    // Whether it is done, investigated or escalated is there to be read.
    let history = desk.requester.history(&ticket).await;
    let stood: Vec<_> = history.iter().filter_map(|change| change.ticket_after.as_ref()).collect();
    let outcomes: Vec<_> = stood.iter().map(|ticket| (ticket.queue.as_str(), ticket.status.as_str())).collect();
    assert_eq!(
        outcomes,
        [
            ("jakarta", "open"),
            ("jakarta", "open"),
            ("jakarta", "in_progress"),
            ("medan", "in_progress"),
            ("medan", "in_progress"),
            ("head_office", "in_progress"),
            ("head_office", "closed")
        ]
    );
    let done = desk.requester.get(&ticket).await.unwrap();
    assert_eq!((done.state(), done.receive_time), (State::Closed, ticket.receive_time));
}

async fn o12_the_wrong_branch_transfers_when_its_turn_has_come(desk: Desk) {
    let first = desk.file(QUESTION).await;
    desk.wait(Duration::from_secs(1));
    let misrouted = desk.file(QUESTION).await;
    assert_eq!(reason(desk.requester.transfer(&misrouted, "bandung").await), ErrorReason::RoleNotAllowed);
    // Neither the requester nor who is not at it goes around the line, also not by another branch.
    assert_eq!(reason(desk.agent.transfer(&misrouted, "bandung").await), ErrorReason::TransferRefused);
    let bandung = [("branch", "bandung")];
    for person in [&desk.requester, &desk.agent] {
        assert_eq!(reason(person.save(&misrouted, bandung).await), ErrorReason::InvalidRequest);
    }
    assert_eq!(desk.agent.next("jakarta").await.unwrap().unwrap().name, first.name);
    assert_eq!(reason(desk.agent.transfer(&misrouted, "bandung").await), ErrorReason::TransferRefused);
    let turn = desk.agent.next("jakarta").await.unwrap().unwrap();
    assert_eq!(turn.name, misrouted.name);
    assert_eq!(desk.agent.transfer(&turn, "bandung").await.unwrap().queue, "bandung");
    let history = desk.agent.history(&turn).await;
    assert_eq!(history.last().unwrap().reason, "Salah antrian");
    // By the branch it goes too, and waits again all the same.
    assert_eq!(desk.agent.save(&first, [("branch", "medan")]).await.unwrap().queue, "medan");
    assert_eq!(desk.line("medan").await, [first.subject]);
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
