//! `ovo`: an e-mail desk with a number for every case, the most urgent first.

use std::time::Duration;

use loket::v1::{ErrorReason, IdentityPolicy, NumberAssignment, Role, State, Ticket};

use crate::support::scenario::{Desk, Edit, reason, scenarios};
use crate::support::{draft, own};

scenarios! {
    "ovo":
    V1 "A unique number per case" v1_every_case_has_a_number_of_its_own
        without |it| it.number_on(NumberAssignment::Claim);
    V4 "The customer asks for the status by number alone" v4_the_customer_asks_by_number_alone
        without |it| it.number_on(NumberAssignment::Claim);
    V5 "The staff find the case by number alone" v5_the_staff_find_the_case_by_number_alone
        without |it| it.number_on(NumberAssignment::Claim);
    V6 "The most urgent come first" v6_the_most_urgent_come_first
        without Edit::order_by_time, |it| it.priority_set_by.clear();
    V7 "Verified, assigned to the right agent, then communicated" v7_a_problem_is_verified_and_then_assigned_to_an_agent
        without |it| it.delete_transition("verify"), |it| it.by_hand("take"), |it| it.queues[0].skill_field.clear(),
            |it| it.field("category").required_when.clear();
    V8 "Some cases solve at once, others need investigation" v8_some_cases_are_solved_at_once_and_others_investigated
        without |it| it.transition("close").from.retain(|status| status != "new"), |it| it.delete_transition("reopen"),
            |it| it.transition("reopen").effects = None;
    V9 "Identity is the e-mail address; no registration" v9_an_address_is_enough
        without |it| it.set_identity(IdentityPolicy::Verified);
}

const ABOUT: [(&str, &str); 1] = [("category", "transfer")];

async fn v1_every_case_has_a_number_of_its_own(desk: Desk) {
    assert_eq!(desk.file([]).await.number, "OVO-00000001");
    assert_eq!(desk.file([]).await.number, "OVO-00000002");
}

async fn v4_the_customer_asks_by_number_alone(desk: Desk) {
    let ticket = desk.file([]).await;
    desk.agent.take_with(&ticket, "verify", ABOUT, "").await.unwrap();
    let asked = desk.requester.lookup("OVO-00000001").await.unwrap();
    assert_eq!((asked.name, asked.status.as_str()), (ticket.name, "verified"));
    let other = desk.person(Role::Requester, "other@example.com").await;
    assert!(other.lookup("OVO-00000001").await.is_err(), "another's case");
}

async fn v5_the_staff_find_the_case_by_number_alone(desk: Desk) {
    let ticket = desk.file([]).await;
    assert_eq!(desk.agent.lookup("OVO-00000001").await.unwrap().name, ticket.name);
}

async fn v6_the_most_urgent_come_first(desk: Desk) {
    // Everybody's own case is urgent; the staff judge.
    let urgent = Ticket { priority: "urgent".to_owned(), ..own("Mendesak!") };
    assert_eq!(reason(desk.requester.file(urgent).await), ErrorReason::InvalidRequest);
    for priority in ["low", "normal", "urgent", "high"] {
        let ticket = desk.requester.file(own(priority)).await.unwrap();
        let judged = Ticket { name: ticket.name, priority: priority.to_owned(), ..Ticket::default() };
        desk.agent.update(judged, vec!["priority".to_owned()]).await.unwrap();
    }
    assert_eq!(desk.line("customer_care").await, ["urgent", "high", "normal", "low"]);
}

async fn v7_a_problem_is_verified_and_then_assigned_to_an_agent(desk: Desk) {
    let ticket = desk.file([]).await;
    assert_eq!(reason(desk.agent.take_with(&ticket, "investigate", ABOUT, "").await), ErrorReason::TransitionRefused);
    // Who verifies it says what it is about, and so who is the right one.
    assert_eq!(reason(desk.supervisor.take(&ticket, "verify").await), ErrorReason::TransitionRefused);
    let verified = desk.supervisor.take_with(&ticket, "verify", ABOUT, "").await.unwrap();
    assert_eq!(verified.status, "verified");
    desk.register_agent("dewi", &["login"]).await;
    desk.register_agent("budi", &["transfer"]).await;
    let dewi = desk.person(Role::Agent, "dewi").await;
    assert_eq!(dewi.next("customer_care").await.unwrap(), None);
    let taken = desk.agent.next("customer_care").await.unwrap().unwrap();
    assert_eq!((&taken.name, taken.status.as_str(), taken.assignee.as_str()), (&ticket.name, "in_progress", "budi"));
    desk.agent.reply(&ticket, "Sedang kami periksa").await.unwrap();
    assert_eq!(desk.requester.replies(&ticket).await.len(), 1);
}

async fn v8_some_cases_are_solved_at_once_and_others_investigated(desk: Desk) {
    let quick = desk.file([]).await;
    let closed = desk.agent.take_with(&quick, "close", ABOUT, "Saldo dikembalikan").await.unwrap();
    assert_eq!(closed.state(), State::Closed);
    let slow = desk.file([]).await;
    desk.agent.take_with(&slow, "verify", ABOUT, "").await.unwrap();
    assert_eq!(desk.agent.take(&slow, "investigate").await.unwrap().state(), State::Active);
    desk.agent.claim(&slow).await.unwrap();
    assert_eq!(desk.agent.take(&slow, "close").await.unwrap().state(), State::Closed);
    // What was not solved after all waits again, behind those that came meanwhile.
    let later = desk.file([]).await;
    for ticket in [&slow, &quick] {
        desk.wait(Duration::from_mins(1));
        desk.requester.reply(ticket, "Belum").await.unwrap();
        assert_eq!(desk.status(ticket).await, "verified");
    }
    assert_eq!(desk.line("customer_care").await, [later.subject, slow.subject, quick.subject.clone()]);
    assert_eq!(desk.look(&quick).await.solution, "");
}

async fn v9_an_address_is_enough(desk: Desk) {
    let mail = desk.person(Role::Service, "mail").await;
    let ticket = mail.file(Ticket { requester: "siapa@example.com".to_owned(), ..draft("Saldo") }).await.unwrap();
    let sender = desk.person(Role::Requester, "siapa@example.com").await;
    assert_eq!(sender.get(&ticket).await.unwrap().number, ticket.number);
}
