//! `iduhelp`: operators on a mailing list, of whom one wins a ticket and sees it through; the PIC closes.

use loket::v1::{EmptyReplyPolicy, ErrorReason, Helpdesk, LinkKind, NumberAssignment, Reply, Role, Ticket};

use crate::support::scenario::{Desk, Edit as _, reason, scenarios};

scenarios! {
    "iduhelp":
    I2 "An empty reply to all is a claim" i2_an_empty_reply_is_a_claim
        without |it| it.set_empty_reply(EmptyReplyPolicy::Refuse);
    I3 "Exactly one operator wins a ticket" i3_exactly_one_operator_wins
        without |it| it.by_hand("claim"), |it| it.transition("claim").effects = None;
    I4 "The number is given at the claim" i4_the_number_is_born_with_the_claim
        without |it| it.number_on(NumberAssignment::Submission);
    I7 "Answers go to the customer with two mandatory copies" i7_two_mandatory_copies
        without |it| it.mandatory_cc.clear();
    I8 "Missing data are asked for first" i8_the_operator_asks_and_it_is_the_customers_turn
        without |it| it.by_hand("answered");
    I9 "A reply is a conversation, not links alone" i9_a_reply_is_a_conversation
        without |it| it.reply_rules.clear();
    I10 "A second-tier ticket, once the data are complete" i10_a_rooster_ticket_needs_complete_data
        without |it| it.escalations[0].guards.clear();
    I11 "The same operator continues until the customer is satisfied" i11_the_same_operator_goes_on_until_the_customer_is_satisfied
        without |it| it.delete_transition("customer_replied"),
            |it| it.transition("customer_replied").from.retain(|status| status != "closing");
    I12 "Close step 1: the operator's closing statement" i12_the_operator_proposes_to_close
        without |it| unguard(it, "propose_close", "staff_reply_count"),
            |it| unguard(it, "propose_close", "requester_reply_count"),
            |it| unguard(it, "propose_close", "last_canned_response");
    I14 "Still silent: closed with another text and reason" i14_a_silent_customer_gets_another_statement
        without |it| unguard(it, "propose_close", "last_canned_response"),
            |it| unguard(it, "propose_close", "ticket.status");
    I15 "Close step 2: the PIC alone closes, with the survey link" i15_the_pic_alone_closes_with_the_survey_link
        without |it| it.transition("close").roles.clear(), |it| unguard(it, "close", "last_canned_response"),
            |it| unguard(it, "close", "last_reply_role"), |it| unguard(it, "close", "last_transition_by");
    I16 "Four roles: customer, operator, admin, PIC" i16_each_role_has_its_part
        without |it| it.transition("return_to_operator").roles.clear();
}

fn unguard(helpdesk: &mut Helpdesk, transition: &str, about: &str) {
    helpdesk.transition(transition).guards.retain(|guard| !guard.expression.contains(about));
}

const SATISFIED: [(&str, &str); 1] = [("close_reason", "satisfied")];
const SILENT: [(&str, &str); 1] = [("close_reason", "no_response")];

async fn i2_an_empty_reply_is_a_claim(desk: Desk) {
    let ticket = desk.file([]).await;
    let won = desk.agent.reply(&ticket, "").await.unwrap();
    assert_eq!((won.claimed_ticket, won.claimed_number.as_str()), (ticket.name.clone(), "1"));
    let claimed = desk.look(&ticket).await;
    assert_eq!((claimed.assignee.as_str(), claimed.status.as_str(), claimed.reply_count), ("budi", "claimed", 0));
    let lost = desk.person(Role::Agent, "dewi").await.reply(&ticket, "").await.unwrap_err();
    assert_eq!((lost.reason, lost.metadata["assignee"].as_str()), (ErrorReason::AlreadyClaimed, "budi"));
}

async fn i3_exactly_one_operator_wins(desk: Desk) {
    let ticket = desk.file([]).await;
    let won = desk.agent.claim(&ticket).await.unwrap();
    assert_eq!((won.assignee.as_str(), won.status.as_str()), ("budi", "claimed"));
    // Who has won is told so, and nobody else.
    let told = desk.agent.history(&ticket).await.pop().unwrap().notifications;
    let told: Vec<_> = told.iter().map(|told| (told.address.as_str(), told.message.as_str())).collect();
    assert_eq!(told, [("budi", "Tiket ini menjadi milik Anda.")]);
    let lost = desk.person(Role::Agent, "dewi").await.claim(&ticket).await.unwrap_err();
    assert_eq!((lost.reason, lost.metadata["assignee"].as_str()), (ErrorReason::AlreadyClaimed, "budi"));
}

async fn i4_the_number_is_born_with_the_claim(desk: Desk) {
    let ticket = desk.file([]).await;
    assert_eq!(ticket.number, "");
    assert_eq!(desk.agent.claim(&ticket).await.unwrap().number, "1");
    // Given back and taken again, it keeps its number.
    desk.agent.release(&ticket).await.unwrap();
    assert_eq!(desk.person(Role::Agent, "dewi").await.claim(&ticket).await.unwrap().number, "1");
}

async fn i7_two_mandatory_copies(desk: Desk) {
    let ticket = desk.file([]).await;
    assert_eq!(ticket.cc, ["milis@iduhelp.example", "pic@iduhelp.example"]);
    let without = Ticket { name: ticket.name.clone(), cc: vec!["pic@iduhelp.example".to_owned()], ..Ticket::default() };
    let refused = desk.agent.update(without, vec!["cc".to_owned()]).await;
    assert_eq!(reason(refused), ErrorReason::InvalidRequest);
}

async fn i8_the_operator_asks_and_it_is_the_customers_turn(desk: Desk) {
    let ticket = desk.file([]).await;
    desk.agent.claim(&ticket).await.unwrap();
    desk.agent.reply(&ticket, "Mohon lengkapi data Anda").await.unwrap();
    assert_eq!(desk.status(&ticket).await, "waiting_for_customer");
}

async fn i9_a_reply_is_a_conversation(desk: Desk) {
    let ticket = desk.file([]).await;
    desk.agent.claim(&ticket).await.unwrap();
    let refused = desk.agent.reply(&ticket, "https://example.com/jawaban").await.unwrap_err();
    assert_eq!((refused.reason, refused.violations.len()), (ErrorReason::ReplyRuleBroken, 2));
    let steps = "Silakan ikuti langkah berikut.\n1. Buka menu Pengaturan di aplikasi Anda.\n2. Baca https://example.com/jawaban";
    desk.agent.reply(&ticket, steps).await.unwrap();
}

async fn i11_the_same_operator_goes_on_until_the_customer_is_satisfied(desk: Desk) {
    let ticket = desk.file([]).await;
    desk.agent.claim(&ticket).await.unwrap();
    for question in ["Data apa?", "Masih ada kendala?"] {
        desk.agent.reply(&ticket, question).await.unwrap();
        desk.requester.reply(&ticket, "Ini").await.unwrap();
        let again = desk.look(&ticket).await;
        assert_eq!((again.status.as_str(), again.assignee.as_str()), ("claimed", "budi"));
    }
    // Also while the PIC has not closed it.
    propose(&desk, &ticket).await;
    desk.requester.reply(&ticket, "Ternyata belum").await.unwrap();
    let again = desk.look(&ticket).await;
    assert_eq!((again.status.as_str(), again.assignee.as_str()), ("claimed", "budi"));
}

/// The operator's statement that the customer is satisfied.
async fn propose(desk: &Desk, ticket: &Ticket) -> Reply {
    desk.agent.reply_canned(ticket, "closing_satisfied", SATISFIED, "propose_close").await.unwrap()
}

/// A ticket of which the customer has said that it is answered, and the operator that it can be closed.
async fn proposed(desk: &Desk) -> Ticket {
    let ticket = desk.file([]).await;
    desk.agent.claim(&ticket).await.unwrap();
    desk.agent.reply(&ticket, "Silakan dicoba").await.unwrap();
    desk.requester.reply(&ticket, "Sudah bisa").await.unwrap();
    propose(desk, &ticket).await;
    ticket
}

async fn i12_the_operator_proposes_to_close(desk: Desk) {
    let ticket = desk.file([]).await;
    desk.agent.claim(&ticket).await.unwrap();
    // Not without an answer besides it, nor while the customer has said nothing.
    desk.requester.reply(&ticket, "Halo?").await.unwrap();
    let early = desk.agent.reply_canned(&ticket, "closing_satisfied", SATISFIED, "propose_close").await;
    assert_eq!(reason(early), ErrorReason::TransitionRefused);
    let silent = desk.file([]).await;
    desk.agent.claim(&silent).await.unwrap();
    desk.agent.reply(&silent, "Selesai").await.unwrap();
    let unheard = desk.agent.reply_canned(&silent, "closing_satisfied", SATISFIED, "propose_close").await;
    assert_eq!(reason(unheard), ErrorReason::TransitionRefused);
    desk.agent.reply(&ticket, "Selesai").await.unwrap();
    desk.requester.reply(&ticket, "Terima kasih").await.unwrap();
    desk.agent.reply(&ticket, "Sama-sama").await.unwrap();
    // Not without the closing statement, nor without the reason.
    let bare = desk.agent.take_with(&ticket, "propose_close", SATISFIED, "").await;
    assert_eq!(reason(bare), ErrorReason::TransitionRefused);
    let unreasoned = desk.agent.reply_canned(&ticket, "closing_satisfied", [], "propose_close").await;
    assert_eq!(reason(unreasoned), ErrorReason::TransitionRefused);
    let statement = propose(&desk, &ticket).await;
    assert!(statement.body.contains("nomor#1") && statement.body.ends_with("budi"), "{}", statement.body);
    assert_eq!(desk.status(&ticket).await, "closing");
}

async fn i14_a_silent_customer_gets_another_statement(desk: Desk) {
    let ticket = desk.file([]).await;
    desk.agent.claim(&ticket).await.unwrap();
    desk.agent.reply(&ticket, "Apakah sudah puas?").await.unwrap();
    // Who has answered is not silent: it is asked again first.
    desk.requester.reply(&ticket, "Belum").await.unwrap();
    let answered = desk.agent.reply_canned(&ticket, "closing_no_response", SILENT, "propose_close").await;
    assert_eq!(reason(answered), ErrorReason::TransitionRefused);
    desk.agent.reply(&ticket, "Apakah sekarang sudah puas?").await.unwrap();
    let satisfied = desk.agent.reply_canned(&ticket, "closing_satisfied", SILENT, "propose_close").await;
    assert_eq!(reason(satisfied), ErrorReason::TransitionRefused);
    let statement = desk.agent.reply_canned(&ticket, "closing_no_response", SILENT, "propose_close").await.unwrap();
    assert!(statement.body.contains("belum menerima balasan"), "{}", statement.body);
    // Who answers after all gets a statement of its own before the next closing.
    desk.requester.reply(&ticket, "Belum").await.unwrap();
    let stale = desk.agent.take_with(&ticket, "propose_close", SILENT, "").await;
    assert_eq!(reason(stale), ErrorReason::TransitionRefused);
}

async fn i15_the_pic_alone_closes_with_the_survey_link(desk: Desk) {
    let ticket = proposed(&desk).await;
    // Not without the link, nor with one that another has sent.
    assert_eq!(reason(desk.supervisor.take(&ticket, "close").await), ErrorReason::TransitionRefused);
    desk.supervisor.reply(&ticket, "Kami tutup").await.unwrap();
    assert_eq!(reason(desk.supervisor.take(&ticket, "close").await), ErrorReason::TransitionRefused);
    desk.agent.reply_canned(&ticket, "survey", [], "").await.unwrap();
    assert_eq!(reason(desk.supervisor.take(&ticket, "close").await), ErrorReason::TransitionRefused);
    // Nor by an operator, with whatever link; nor by who proposed it.
    desk.supervisor.reply_canned(&ticket, "survey", [], "").await.unwrap();
    let other = desk.person(Role::Agent, "dewi").await;
    assert_eq!(reason(other.take(&ticket, "close").await), ErrorReason::TransitionRefused);
    let own = desk.file([]).await;
    desk.supervisor.claim(&own).await.unwrap();
    desk.supervisor.reply(&own, "Silakan dicoba").await.unwrap();
    desk.requester.reply(&own, "Sudah bisa").await.unwrap();
    desk.supervisor.reply_canned(&own, "closing_satisfied", SATISFIED, "propose_close").await.unwrap();
    let alone = desk.supervisor.reply_canned(&own, "survey", [], "close").await;
    assert_eq!(reason(alone), ErrorReason::TransitionRefused);
    let closed = desk.supervisor.reply_canned(&ticket, "survey", [], "close").await.unwrap();
    assert_eq!(desk.status(&ticket).await, "closed");
    assert_eq!(reason(desk.requester.reply(&ticket, "Lagi").await), ErrorReason::ReplyRefused);
    // Whoever follows the link answers, once.
    let token = closed.body.split("&token=").nth(1).unwrap().split_whitespace().next().unwrap();
    let survey = desk.person(Role::Service, "survey").await;
    assert_eq!(survey.rate(&ticket, 5, token).await.unwrap().rating, 5);
    assert_eq!(reason(survey.rate(&ticket, 1, token).await), ErrorReason::FeedbackExists);
    assert_eq!(desk.look(&ticket).await.feedback.unwrap().rating, 5);
}

async fn i16_each_role_has_its_part(desk: Desk) {
    let ticket = desk.file([]).await;
    assert_eq!(reason(desk.requester.claim(&ticket).await), ErrorReason::RoleNotAllowed);
    // The admin gives tickets out and takes them back, which no operator can.
    assert!(desk.agent.assign(&ticket, "dewi").await.is_err());
    let given = desk.admin().assign(&ticket, "dewi").await.unwrap();
    assert_eq!((given.assignee.as_str(), given.number.as_str()), ("dewi", "1"));
    assert!(desk.agent.release(&ticket).await.is_err());
    desk.admin().release(&ticket).await.unwrap();
    let ticket = proposed(&desk).await;
    let back = desk.agent.take(&ticket, "return_to_operator").await;
    assert_eq!(reason(back), ErrorReason::TransitionRefused);
    assert_eq!(desk.supervisor.take(&ticket, "return_to_operator").await.unwrap().status, "claimed");
}

async fn i10_a_rooster_ticket_needs_complete_data(desk: Desk) {
    let ticket = desk.file([]).await;
    desk.agent.claim(&ticket).await.unwrap();
    assert_eq!(reason(desk.agent.escalate(&ticket, "rooster", "").await), ErrorReason::EscalationRefused);
    desk.agent.save(&ticket, [("data_complete", "true")]).await.unwrap();
    let (ticket, rooster) = desk.agent.escalate(&ticket, "rooster", "").await.unwrap();
    let rooster = rooster.unwrap();
    assert_eq!((rooster.queue.as_str(), rooster.requester.as_str()), ("rooster", "ani@example.com"));
    assert_eq!((ticket.links[0].ticket.as_str(), ticket.links[0].kind()), (rooster.name.as_str(), LinkKind::Child));
    // The operator goes on with the customer.
    assert_eq!((ticket.status.as_str(), ticket.assignee.as_str()), ("claimed", "budi"));
}
