//! `beone`: a support desk whose agents fill in the triage fields, and whose customers confirm.

use loket::v1::{
    ErrorReason, FieldType, Helpdesk, LinkKind, Role, SplitReplyRequest, State, Ticket, TransitionEffects,
};
use loket_client::Client;

use crate::support::scenario::{Desk, Edit as _, reason, scenarios};
use crate::support::{draft, fields, own};

scenarios! {
    "beone":
    F1 "Agents authenticate; the phone is there for who cannot" f1_agents_authenticate_and_calls_become_tickets
        engine "nobody is let in without a key, and a call is a ticket that the staff file";
    F2 "New is told from the other open ones, and is among them" f2_new_is_told_from_the_other_open_ones
        without |it| it.status("new").set_state(State::Active);
    F3 "The agent fills the triage fields, before the ticket leaves triage" f3_the_triage_fields_are_the_staffs_and_needed_to_leave_triage
        without |it| it.field("group").required_when.clear(), |it| it.field("category").required_when.clear(),
            |it| it.field("pic_customer_support").required_when.clear(), |it| it.field("pic_team").required_when.clear(),
            |it| it.field("group").set_by.clear();
    F4 "Two named people: the PIC of Customer Support and that of the team" f4_the_two_pics_are_the_staffs_and_hidden_from_the_customer
        without |it| it.field("pic_team").staff_only = false, |it| it.field("pic_team").set_type(FieldType::Text);
    F5 "The type starts as Checking Issue" f5_the_type_starts_as_checking_issue
        without |it| it.field("type").default_value.clear();
    F6 "The PIC changes the type later" f6_the_type_is_the_pics_to_change
        without |it| it.field("type").set_when.clear();
    F7 "Eight groups, each with its queue" f7_each_of_the_eight_groups_has_its_queue
        without |it| it.delete_routes_to("trolley"), |it| effects(it, "wait_for_customer").route = false,
            |it| effects(it, "accept").route = false, |it| effects(it, "accept").assign = 0;
    F8 "The category is issue, project, business insight or internal" f8_a_category_is_one_of_four
        without |it| it.free("category");
    F9 "Several fields are saved at once" f9_several_fields_are_saved_at_once
        engine "an update changes everything that its mask names in one revision, at any helpdesk";
    F10 "Acknowledged with an estimate" f10_acknowledged_with_an_estimate_in_one_step
        without |it| it.canned_responses.retain(|canned| canned.id != "received");
    F11 "The PIC is told that it is ready" f11_the_pic_is_told_that_it_is_ready
        without |it| it.transition("accept").effects = None, |it| it.transition("accept").guards.clear(),
            |it| effects(it, "customer_replied").notifications.clear(), |it| effects(it, "resume").notifications.clear();
    F12 "Ask and set Waiting on Customer in one action" f12_ask_and_wait_in_one_action
        without |it| it.delete_status("waiting_on_customer");
    F13 "Questions ready to send" f13_what_is_missing_is_asked_with_a_ready_question
        without |it| it.canned_responses.retain(|canned| canned.id != "ask_screenshot");
    F14 "Work resumes when the customer answers" f14_work_resumes_on_the_answer
        without |it| it.delete_transition("customer_replied");
    F16 "Closed only after the customer has confirmed" f16_closed_only_after_the_customer_has_confirmed
        without |it| it.transition("close").guards.retain(|guard| !guard.expression.contains("customer_confirmed")),
            |it| it.field("customer_confirmed").set_when.clear(), |it| it.delete_transition("customer_wrote"),
            |it| effects(it, "customer_replied").fields.clear();
    F17 "An agent marks it Closed" f17_an_agent_closes
        without |it| it.delete_status("closed");
    F18 "Feedback after closing: an agent decides" f18_feedback_after_closing_stays_on_the_ticket_and_an_agent_decides
        without |it| it.delete_transition("feedback");
    F21 "Escalation and internal discussion are announced at once" f21_escalation_and_discussion_are_announced_at_once
        without |it| it.delete_transition("discuss_open"), |it| it.delete_transition("discuss_closed"),
            |it| it.transition("escalate").effects = None, |it| it.delete_transition("escalate_new"),
            |it| it.delete_transition("escalate_waiting");
}

const TRIAGED: [(&str, &str); 4] =
    [("pic_customer_support", "dewi"), ("pic_team", "eka"), ("group", "functional"), ("category", "issue")];
const CONFIRMED: [(&str, &str); 1] = [("customer_confirmed", "true")];

fn effects<'h>(helpdesk: &'h mut Helpdesk, transition: &str) -> &'h mut TransitionEffects {
    helpdesk.transition(transition).effects.as_mut().unwrap()
}

/// The two PICs work here.
async fn staff(desk: &Desk) {
    for pic in ["dewi", "eka"] {
        desk.register_agent(pic, &[]).await;
    }
}

/// A ticket that has left triage.
async fn accepted(desk: &Desk) -> Ticket {
    staff(desk).await;
    let ticket = desk.file([]).await;
    desk.agent.reply(&ticket, "Ticket sudah kami terima").await.unwrap();
    desk.agent.take_with(&ticket, "accept", TRIAGED, "").await.unwrap()
}

/// Gives the solution that the customer is to confirm.
async fn solve(desk: &Desk, ticket: &Ticket) {
    let solved = Ticket { name: ticket.name.clone(), solution: "Diperbaiki".to_owned(), ..Ticket::default() };
    desk.agent.update(solved, vec!["solution".to_owned()]).await.unwrap();
}

/// A solution, the customer's confirmation, and the end.
async fn close(desk: &Desk, ticket: &Ticket) -> Ticket {
    solve(desk, ticket).await;
    desk.requester.save(ticket, CONFIRMED).await.unwrap();
    desk.agent.take(ticket, "close").await.unwrap()
}

async fn f1_agents_authenticate_and_calls_become_tickets(desk: Desk) {
    assert_eq!(reason(desk.agent.without_key().await.list("").await), ErrorReason::InvalidAccessKey);
    let call = Ticket { channel: "phone".to_owned(), ..draft("Tidak bisa login") };
    let called = desk.agent.file(call).await.unwrap();
    assert_eq!((called.channel.as_str(), called.queue.as_str()), ("phone", "triage"));
}

async fn f2_new_is_told_from_the_other_open_ones(desk: Desk) {
    let new = desk.file([]).await;
    let other = accepted(&desk).await;
    let names = |tickets: Vec<Ticket>| tickets.into_iter().map(|ticket| ticket.name).collect::<Vec<_>>();
    assert_eq!(names(desk.agent.list("status = new").await.unwrap()), std::slice::from_ref(&new.name));
    assert_eq!(names(desk.agent.list("state = NEW").await.unwrap()), std::slice::from_ref(&new.name));
    assert_eq!(names(desk.agent.list("state != CLOSED").await.unwrap()), [new.name, other.name]);
}

async fn f3_the_triage_fields_are_the_staffs_and_needed_to_leave_triage(desk: Desk) {
    let theirs = Ticket { fields: fields([("group", "sales")]), ..own("Halo") };
    assert_eq!(reason(desk.requester.file(theirs).await), ErrorReason::InvalidRequest);
    staff(&desk).await;
    let ticket = desk.file([]).await;
    assert_eq!(ticket.queue, "triage");
    desk.agent.reply(&ticket, "Ticket sudah kami terima").await.unwrap();
    let refused = desk.agent.take(&ticket, "accept").await.unwrap_err();
    let mut missing: Vec<_> = refused.violations.iter().map(|wrong| wrong.split(':').next().unwrap()).collect();
    missing.sort_unstable();
    assert_eq!(missing, ["fields.category", "fields.group", "fields.pic_customer_support", "fields.pic_team"]);
    desk.agent.take_with(&ticket, "accept", TRIAGED, "").await.unwrap();
}

async fn f4_the_two_pics_are_the_staffs_and_hidden_from_the_customer(desk: Desk) {
    let ticket = accepted(&desk).await;
    assert_eq!((ticket.fields["pic_customer_support"].as_str(), ticket.fields["pic_team"].as_str()), ("dewi", "eka"));
    // Nobody else's name will do.
    assert_eq!(reason(desk.agent.save(&ticket, [("pic_team", "Tim Functional")]).await), ErrorReason::InvalidRequest);
    assert!(!desk.requester.get(&ticket).await.unwrap().fields.contains_key("pic_team"));
    assert_eq!(reason(desk.requester.save(&ticket, [("pic_team", "dewi")]).await), ErrorReason::InvalidRequest);
}

async fn f5_the_type_starts_as_checking_issue(desk: Desk) {
    assert_eq!(desk.file([]).await.fields["type"], "checking_issue");
}

async fn f6_the_type_is_the_pics_to_change(desk: Desk) {
    let ticket = accepted(&desk).await;
    // Not another's, whoever that is.
    for other in [&desk.requester, &desk.agent, &desk.supervisor] {
        assert_eq!(reason(other.save(&ticket, [("type", "bug")]).await), ErrorReason::InvalidRequest);
    }
    for (pic, found) in [("dewi", "bug"), ("eka", "incident")] {
        let pic = desk.person(Role::Agent, pic).await;
        assert_eq!(pic.save(&ticket, [("type", found)]).await.unwrap().fields["type"], found);
    }
}

async fn f7_each_of_the_eight_groups_has_its_queue(desk: Desk) {
    staff(&desk).await;
    for group in [
        "customer_support",
        "development",
        "functional",
        "hrga",
        "sales",
        "system_engineer",
        "solution_architect",
        "trolley",
    ] {
        // Where it waits once it is triaged.
        let ticket = desk.file([]).await;
        assert_eq!(desk.agent.save(&ticket, [("group", group)]).await.unwrap().queue, "triage");
        desk.agent.reply(&ticket, "Ticket sudah kami terima").await.unwrap();
        let given = TRIAGED.map(|(id, value)| if id == "group" { (id, group) } else { (id, value) });
        assert_eq!(desk.agent.take_with(&ticket, "accept", given, "").await.unwrap().queue, group);
    }
    // For the group, whoever has triaged it.
    let ticket = desk.file([]).await;
    desk.agent.claim(&ticket).await.unwrap();
    desk.agent.reply(&ticket, "Ticket sudah kami terima").await.unwrap();
    let accepted = desk.agent.take_with(&ticket, "accept", TRIAGED, "").await.unwrap();
    assert_eq!((accepted.queue.as_str(), accepted.assignee.as_str()), ("functional", ""));
    let asked = desk.file([]).await;
    desk.agent.claim(&asked).await.unwrap();
    let asked = desk.agent.take_with(&asked, "wait_for_customer", TRIAGED, "").await.unwrap();
    assert_eq!((asked.queue.as_str(), asked.assignee.as_str()), ("functional", ""));
    // Whoever asks again leaves it where somebody has sent it by hand.
    desk.requester.reply(&asked, "Ini").await.unwrap();
    desk.agent.transfer(&asked, "development").await.unwrap();
    assert_eq!(desk.agent.take(&asked, "wait_again").await.unwrap().queue, "development");
    let ninth = Ticket { fields: fields([("group", "marketing")]), ..draft("Halo") };
    assert_eq!(reason(desk.agent.file(ninth).await), ErrorReason::InvalidRequest);
}

async fn f8_a_category_is_one_of_four(desk: Desk) {
    for (category, good) in
        [("issue", true), ("project", true), ("business_insight", true), ("internal", true), ("other", false)]
    {
        let ticket = Ticket { fields: fields([("category", category)]), ..draft(category) };
        assert_eq!(desk.agent.file(ticket).await.is_ok(), good, "{category}");
    }
}

async fn f9_several_fields_are_saved_at_once(desk: Desk) {
    staff(&desk).await;
    let ticket = desk.file([]).await;
    let saved = desk.agent.save(&ticket, TRIAGED).await.unwrap();
    for (id, value) in TRIAGED {
        assert_eq!(saved.fields[id], value);
    }
    assert_eq!(saved.revision, ticket.revision + 1);
    // All of them, or none.
    let refused = desk.agent.save(&ticket, [("group", "sales"), ("category", "other")]).await;
    assert_eq!(reason(refused), ErrorReason::InvalidRequest);
    assert_eq!(desk.look(&ticket).await.fields["group"], "functional");
}

async fn f10_acknowledged_with_an_estimate_in_one_step(desk: Desk) {
    staff(&desk).await;
    let ticket = desk.file([]).await;
    // Not without the estimate that it tells.
    let bare = desk.agent.reply_canned(&ticket, "received", TRIAGED, "accept").await;
    assert_eq!(reason(bare), ErrorReason::TicketNotReady);
    let promised = [TRIAGED.as_slice(), &[("promised_time", "2026-12-01T17:00:00+07:00")]].concat();
    let given: [(&str, &str); 5] = promised.try_into().unwrap();
    let told = desk.agent.reply_canned(&ticket, "received", given, "accept").await.unwrap();
    assert!(told.body.contains("Estimasi penyelesaian: 2026-12-01T10:00:00.000000Z"), "{}", told.body);
    let seen = desk.requester.get(&ticket).await.unwrap();
    assert_eq!((seen.status.as_str(), seen.fields["promised_time"].as_str()), ("open", "2026-12-01T10:00:00.000000Z"));
}

async fn f12_ask_and_wait_in_one_action(desk: Desk) {
    staff(&desk).await;
    let ticket = desk.file([]).await;
    desk.agent.save(&ticket, TRIAGED).await.unwrap();
    let asked = desk.agent.reply_and(&ticket, "Boleh dikirimkan screenshot?", "wait_for_customer").await.unwrap();
    let waiting = desk.look(&ticket).await;
    assert_eq!((waiting.status.as_str(), waiting.revision), ("waiting_on_customer", asked.revision));
}

async fn f13_what_is_missing_is_asked_with_a_ready_question(desk: Desk) {
    let ticket = accepted(&desk).await;
    let asked = desk.agent.reply_canned(&ticket, "ask_screenshot", [], "wait_again").await.unwrap();
    assert_eq!(asked.body, "Boleh dikirimkan screenshot dari kendala pada ticket #1?");
    assert_eq!(desk.requester.replies(&ticket).await.last(), Some(&asked));
}

async fn f14_work_resumes_on_the_answer(desk: Desk) {
    let ticket = accepted(&desk).await;
    desk.agent.reply_and(&ticket, "Boleh dikirimkan screenshot?", "wait_again").await.unwrap();
    desk.requester.reply(&ticket, "Ini").await.unwrap();
    assert_eq!(desk.status(&ticket).await, "open");
    desk.agent.reply(&ticket, "Issue sedang diproses").await.unwrap();
    assert_eq!(desk.status(&ticket).await, "open");
}

async fn f16_closed_only_after_the_customer_has_confirmed(desk: Desk) {
    let ticket = accepted(&desk).await;
    let refused = desk.agent.take(&ticket, "close").await.unwrap_err();
    assert_eq!((refused.reason, refused.violations.len()), (ErrorReason::TransitionRefused, 2));
    // There is nothing to confirm before there is a solution.
    for person in [&desk.requester, &desk.agent] {
        assert_eq!(reason(person.save(&ticket, CONFIRMED).await), ErrorReason::InvalidRequest);
    }
    solve(&desk, &ticket).await;
    assert_eq!(reason(desk.agent.take(&ticket, "close").await), ErrorReason::TransitionRefused);
    // Who has confirmed it and complains after all has not.
    desk.requester.save(&ticket, CONFIRMED).await.unwrap();
    desk.requester.reply(&ticket, "Ternyata masih error").await.unwrap();
    assert_eq!(reason(desk.agent.take(&ticket, "close").await), ErrorReason::TransitionRefused);
    desk.agent.reply_and(&ticket, "Mohon dicek lagi", "wait_again").await.unwrap();
    desk.requester.save(&ticket, CONFIRMED).await.unwrap();
    desk.requester.reply(&ticket, "Masih error").await.unwrap();
    assert_eq!(reason(desk.agent.take(&ticket, "close").await), ErrorReason::TransitionRefused);
    desk.requester.save(&ticket, CONFIRMED).await.unwrap();
    desk.agent.take(&ticket, "close").await.unwrap();
}

async fn f17_an_agent_closes(desk: Desk) {
    let ticket = accepted(&desk).await;
    solve(&desk, &ticket).await;
    desk.requester.save(&ticket, CONFIRMED).await.unwrap();
    let theirs = desk.requester.take(&ticket, "close").await.unwrap_err();
    assert_eq!((theirs.reason, theirs.violations.len()), (ErrorReason::TransitionRefused, 1));
    assert!(theirs.violations[0].contains("the role requester may not take it"), "{theirs:?}");
    let closed = desk.agent.take(&ticket, "close").await.unwrap();
    assert_eq!((closed.status.as_str(), closed.state()), ("closed", State::Closed));
    assert!(closed.close_time.is_some());
}

async fn f18_feedback_after_closing_stays_on_the_ticket_and_an_agent_decides(desk: Desk) {
    let ticket = accepted(&desk).await;
    close(&desk, &ticket).await;
    let feedback = desk.requester.reply(&ticket, "Modul lain juga error").await.unwrap();
    assert_eq!(desk.status(&ticket).await, "closed");
    // What waits for a decision is found, and the customer does not see that mark.
    let pending = desk.agent.list("fields.feedback_pending = true").await.unwrap();
    assert_eq!(pending.iter().map(|ticket| &ticket.name).collect::<Vec<_>>(), [&ticket.name]);
    assert!(!desk.requester.get(&ticket).await.unwrap().fields.contains_key("feedback_pending"));
    // It is a new ticket, and the old one stays closed.
    let request = SplitReplyRequest {
        parent: ticket.name.clone(),
        replies: vec![feedback.name],
        ticket: Some(Ticket { subject: "Modul lain error".to_owned(), ..Ticket::default() }),
        ..SplitReplyRequest::default()
    };
    let new = desk.agent.call(Client::split_reply, request).await.unwrap();
    assert_eq!((new.status.as_str(), new.queue.as_str()), ("new", "triage"));
    assert_eq!((new.links[0].ticket.as_str(), new.links[0].kind()), (ticket.name.as_str(), LinkKind::Related));
    let kept = desk.agent.take(&ticket, "keep_closed").await.unwrap();
    assert!(!kept.fields.contains_key("feedback_pending"));
    // Or it is opened again.
    desk.requester.reply(&ticket, "Masih terjadi").await.unwrap();
    let reopened = desk.agent.take(&ticket, "reopen").await.unwrap();
    assert_eq!((reopened.status.as_str(), reopened.solution.as_str()), ("open", ""));
    // Closing it again takes another confirmation.
    let refused = desk.agent.take_with(&ticket, "close", [], "Diperbaiki lagi").await;
    assert_eq!(reason(refused), ErrorReason::TransitionRefused);
}

/// Whom the last change of a ticket tells.
async fn told(desk: &Desk, ticket: &Ticket) -> Vec<String> {
    let change = desk.agent.history(ticket).await.pop().unwrap();
    change.notifications.into_iter().map(|notification| notification.address).collect()
}

async fn f11_the_pic_is_told_that_it_is_ready(desk: Desk) {
    staff(&desk).await;
    let ticket = desk.file([]).await;
    // The customer is answered first.
    let silent = desk.agent.take_with(&ticket, "accept", TRIAGED, "").await;
    assert_eq!(reason(silent), ErrorReason::TransitionRefused);
    desk.agent.reply(&ticket, "Ticket sudah kami terima").await.unwrap();
    desk.agent.take_with(&ticket, "accept", TRIAGED, "").await.unwrap();
    assert_eq!(told(&desk, &ticket).await, ["eka"]);
    // So it is when the customer had to be asked first.
    let asked = desk.file([]).await;
    desk.agent.save(&asked, TRIAGED).await.unwrap();
    desk.agent.reply_and(&asked, "Boleh dikirimkan screenshot?", "wait_for_customer").await.unwrap();
    desk.requester.reply(&asked, "Ini").await.unwrap();
    assert_eq!(told(&desk, &asked).await, ["functional", "eka"]);
    desk.agent.reply_and(&asked, "Dan langkah-langkahnya?", "wait_again").await.unwrap();
    desk.agent.take(&asked, "resume").await.unwrap();
    assert_eq!(told(&desk, &asked).await, ["eka"]);
}

async fn f21_escalation_and_discussion_are_announced_at_once(desk: Desk) {
    let ticket = accepted(&desk).await;
    desk.agent.note(&ticket, "Perlu dibahas dengan tim").await.unwrap();
    assert_eq!(told(&desk, &ticket).await, ["functional", "eka"]);
    assert_eq!(desk.requester.replies(&ticket).await.len(), 1, "the acknowledgement");
    desk.agent.take(&ticket, "escalate").await.unwrap();
    assert_eq!(told(&desk, &ticket).await, ["functional", "eka", "dewi"]);
    // The customer learns neither of the one nor of the other.
    let seen = desk.requester.history(&ticket).await;
    assert_eq!(seen.last().map(|change| change.transition.as_str()), Some("accept"));
    // Wherever the ticket stands.
    desk.agent.take(&ticket, "wait_again").await.unwrap();
    desk.agent.note(&ticket, "Customer belum menjawab").await.unwrap();
    assert_eq!(told(&desk, &ticket).await, ["functional", "eka"]);
    desk.agent.take(&ticket, "escalate_waiting").await.unwrap();
    assert_eq!(told(&desk, &ticket).await, ["functional", "eka", "dewi"]);
    close(&desk, &ticket).await;
    desk.agent.note(&ticket, "Perlu dievaluasi").await.unwrap();
    assert_eq!(told(&desk, &ticket).await, ["functional", "eka"]);
    let new = desk.file([]).await;
    desk.agent.take(&new, "escalate_new").await.unwrap();
    assert_eq!(told(&desk, &new).await, ["triage"]);
    assert_eq!(desk.agent.list("fields.escalated = true").await.unwrap().len(), 2);
}
