//! `smmpanel`: the ticket menu of a panel, whose type routes and whose replies move the status by themselves.

use loket::v1::{ErrorReason, IdentityPolicy, Role, State, Ticket, UpdateHelpdeskRequest};
use loket_client::Client;

use crate::support::scenario::{Desk, Edit as _, reason, scenarios};
use crate::support::{fields, own};

scenarios! {
    "smmpanel":
    S1 "A complaint, a request or a problem" s1_a_complaint_a_request_or_a_problem
        without |it| it.field("type").choices.retain(|choice| choice.value != "other");
    S2 "Everything is recorded and in order" s2_everything_is_recorded_and_in_order
        engine "every helpdesk keeps what happened to a ticket, in the order in which it did";
    S3 "Speedup, refill and cancel go straight to the team concerned" s3_what_is_asked_for_goes_straight_to_the_team
        without |it| it.routing.iter_mut().for_each(|rule| rule.when = rule.when.replace(" || has(ticket.fields.action)", ""));
    S4 "Tickets come before informal channels" s4_a_ticket_comes_before_what_arrived_informally
        without |it| it.routing.retain(|rule| rule.priority.is_empty()), |it| it.priority_set_by.clear();
    S5 "The type routes to the right team without hops" s5_the_type_routes_to_the_right_team
        without |it| it.delete_routes_to("deposit"), |it| it.field("type").set_when.clear();
    S6 "Login is required" s6_who_files_has_logged_in
        without |it| it.set_identity(IdentityPolicy::Anybody);
    S7 "The requester chooses a type from an extensible list" s7_a_type_is_chosen_from_a_list_that_can_grow
        without |it| it.field("type").required_when.clear();
    S8 "A description" s8_a_description_is_required
        engine "a ticket of any helpdesk has a body";
    S9 "An order id, required with an order only, and found by" s9_an_order_id_is_required_with_an_order_only_and_found_by
        without |it| it.field("order_id").required_when.clear(),
            |it| "ticket.fields.type == 'order'".clone_into(&mut it.field("order_id").required_when);
    S10 "The action is a word, not prose" s10_the_action_is_a_word_and_not_prose
        without |it| it.free("action");
    S11 "The requester monitors the status" s11_the_requester_monitors_the_status
        without |it| it.delete_status("in_progress");
    S12 "The staff update the status and respond" s12_the_staff_update_the_status_and_respond
        without |it| it.delete_status("in_progress");
    S13 "Waiting: not read and not answered" s13_waiting_is_neither_read_nor_answered
        without |it| it.by_hand("mark_read");
    S14 "Responded: the staff answered" s14_an_answer_of_the_staff_makes_it_responded
        without |it| it.by_hand("respond");
    S15 "In Progress: no further messages of the requester meanwhile" s15_replies_are_refused_while_in_progress
        without |it| it.allow_replies("in_progress");
    S16 "User Reply: the requester answered" s16_a_reply_of_the_requester_makes_it_user_reply
        without |it| it.by_hand("user_replied");
    S17 "Closed is the end for the requester, who opens a new ticket" s17_closed_is_the_end_for_the_requester
        without |it| it.allow_replies("closed");
}

const ORDER: [(&str, &str); 3] = [("type", "order"), ("order_id", "454837"), ("action", "speedup")];

async fn s1_a_complaint_a_request_or_a_problem(desk: Desk) {
    for (subject, kind) in [("Layanan lambat", "service"), ("Minta ganti email", "account"), ("Situs galat", "other")] {
        let ticket = Ticket { fields: fields([("type", kind)]), ..own(subject) };
        assert_eq!(desk.requester.file(ticket).await.unwrap().fields["type"], kind);
    }
}

async fn s2_everything_is_recorded_and_in_order(desk: Desk) {
    let ticket = desk.file(ORDER).await;
    desk.agent.reply(&ticket, "Sedang kami cek").await.unwrap();
    desk.requester.reply(&ticket, "Terima kasih").await.unwrap();
    desk.agent.take(&ticket, "close").await.unwrap();
    let history = desk.agent.history(&ticket).await;
    let told: Vec<_> = history.iter().map(|change| (change.command.as_str(), change.actor.as_str())).collect();
    assert_eq!(
        told,
        [
            ("CreateTicket", "ani@example.com"),
            ("CreateReply", "budi"),
            ("CreateReply", "ani@example.com"),
            ("TransitionTicket", "budi")
        ]
    );
    assert!(history.is_sorted_by_key(|change| change.revision));
}

async fn s3_what_is_asked_for_goes_straight_to_the_team(desk: Desk) {
    for action in ["speedup", "refill", "cancel"] {
        assert_eq!(desk.file([("type", "other"), ORDER[1], ("action", action)]).await.queue, "order");
    }
}

async fn s4_a_ticket_comes_before_what_arrived_informally(desk: Desk) {
    for (subject, channel) in [("chat", "whatsapp"), ("ticket", "web")] {
        let ticket = Ticket { channel: channel.to_owned(), fields: fields(ORDER), ..own(subject) };
        desk.requester.file(ticket).await.unwrap();
    }
    assert_eq!(desk.line("order").await, ["ticket", "chat"]);
    let high =
        Ticket { priority: "high".to_owned(), channel: "whatsapp".to_owned(), fields: fields(ORDER), ..own("chat") };
    assert_eq!(reason(desk.requester.file(high).await), ErrorReason::InvalidRequest);
}

async fn s5_the_type_routes_to_the_right_team(desk: Desk) {
    for (kind, queue) in [("deposit", "deposit"), ("service", "other"), ("account", "other"), ("other", "other")] {
        assert_eq!(desk.file([("type", kind)]).await.queue, queue, "{kind}");
    }
    let ticket = desk.file(ORDER).await;
    assert_eq!(ticket.queue, "order");
    // And there it stays, unless the staff find that it is about something else.
    assert_eq!(reason(desk.requester.save(&ticket, [("type", "deposit")]).await), ErrorReason::InvalidRequest);
    assert_eq!(desk.agent.save(&ticket, [("type", "deposit"), ("action", "")]).await.unwrap().queue, "deposit");
}

async fn s6_who_files_has_logged_in(desk: Desk) {
    // With a key of one's own; and the staff answer for whom they file.
    desk.person(Role::Requester, "dewi@example.com").await.file(deposit("")).await.unwrap();
    for staff in [&desk.agent, &desk.supervisor, &desk.admin()] {
        staff.file(deposit("eka@example.com")).await.unwrap();
    }
    // A service files for those who have an account.
    let bot = desk.person(Role::Service, "bot").await;
    assert_eq!(reason(bot.file(deposit("eka@example.com")).await), ErrorReason::RequesterNotRegistered);
    bot.register("eka@example.com").await.unwrap();
    bot.file(deposit("Eka@example.com")).await.unwrap();
}

fn deposit(requester: &str) -> Ticket {
    Ticket { requester: requester.to_owned(), fields: fields([("type", "deposit")]), ..own("Deposit") }
}

async fn s7_a_type_is_chosen_from_a_list_that_can_grow(desk: Desk) {
    assert_eq!(reason(desk.requester.file(own("Halo")).await), ErrorReason::InvalidRequest);
    let voucher = Ticket { fields: fields([("type", "voucher")]), ..own("Halo") };
    assert_eq!(reason(desk.requester.file(voucher.clone()).await), ErrorReason::InvalidRequest);
    let mut grown = desk.definition().await;
    let choice = loket::v1::FieldChoice { value: "voucher".to_owned(), ..loket::v1::FieldChoice::default() };
    grown.field("type").choices.push(choice);
    let request = UpdateHelpdeskRequest { helpdesk: Some(grown), ..UpdateHelpdeskRequest::default() };
    desk.admin().call(Client::update_helpdesk, request).await.unwrap();
    assert_eq!(desk.requester.file(voucher).await.unwrap().fields["type"], "voucher");
}

async fn s8_a_description_is_required(desk: Desk) {
    let without = Ticket { body: String::new(), fields: fields(ORDER), ..own("Pesanan") };
    let refused = desk.requester.file(without).await.unwrap_err();
    assert!(refused.violations[0].starts_with("ticket.body"), "{refused:?}");
}

async fn s9_an_order_id_is_required_with_an_order_only_and_found_by(desk: Desk) {
    for about in [("type", "order"), ORDER[2]] {
        let without = Ticket { fields: fields([("type", "other"), about]), ..own("Halo") };
        assert_eq!(reason(desk.requester.file(without).await), ErrorReason::InvalidRequest);
    }
    desk.file([("type", "deposit")]).await;
    // Several tickets may share one.
    let tickets = [desk.file(ORDER).await, desk.file(ORDER).await];
    let found = desk.agent.list("fields.order_id = 454837").await.unwrap();
    assert_eq!(found.iter().map(|ticket| &ticket.name).collect::<Vec<_>>(), [&tickets[0].name, &tickets[1].name]);
}

async fn s10_the_action_is_a_word_and_not_prose(desk: Desk) {
    for action in ["speedup", "refill", "cancel"] {
        desk.file([ORDER[0], ORDER[1], ("action", action)]).await;
    }
    let prose = Ticket { fields: fields([ORDER[0], ORDER[1], ("action", "Mohon dipercepat")]), ..own("Halo") };
    assert_eq!(reason(desk.requester.file(prose).await), ErrorReason::InvalidRequest);
}

async fn s11_the_requester_monitors_the_status(desk: Desk) {
    let ticket = desk.file(ORDER).await;
    assert_eq!(ticket.state(), State::New);
    desk.agent.take(&ticket, "start").await.unwrap();
    let menu = desk.requester.list("state != CLOSED").await.unwrap();
    assert_eq!(menu.iter().map(|ticket| ticket.status.as_str()).collect::<Vec<_>>(), ["in_progress"]);
}

async fn s12_the_staff_update_the_status_and_respond(desk: Desk) {
    let ticket = desk.file(ORDER).await;
    assert_eq!(desk.agent.take(&ticket, "start").await.unwrap().status, "in_progress");
    desk.agent.reply(&ticket, "Sudah kami percepat").await.unwrap();
    assert_eq!(desk.requester.replies(&ticket).await[0].author_role(), Role::Agent);
}

async fn s13_waiting_is_neither_read_nor_answered(desk: Desk) {
    let ticket = desk.file(ORDER).await;
    assert_eq!((ticket.status.as_str(), ticket.read_time), ("waiting", None));
    let read = desk.agent.read(&ticket).await.unwrap();
    assert_eq!(read.status, "read");
    assert!(desk.requester.get(&ticket).await.unwrap().read_time.is_some());
    let answered = desk.file(ORDER).await;
    desk.agent.reply(&answered, "Sedang kami cek").await.unwrap();
    assert_ne!(desk.status(&answered).await, "waiting");
    assert_eq!(desk.agent.list("status = waiting").await.unwrap(), []);
}

async fn s14_an_answer_of_the_staff_makes_it_responded(desk: Desk) {
    let ticket = desk.file(ORDER).await;
    desk.agent.reply(&ticket, "Sedang kami cek").await.unwrap();
    assert_eq!(desk.status(&ticket).await, "responded");
}

async fn s15_replies_are_refused_while_in_progress(desk: Desk) {
    let ticket = desk.file(ORDER).await;
    desk.agent.take(&ticket, "start").await.unwrap();
    let refused = desk.requester.reply(&ticket, "Cepat!").await.unwrap_err();
    assert_eq!(refused.reason, ErrorReason::ReplyRefused);
    assert!(refused.message.contains("Responded"), "the way on is named: {refused:?}");
    assert_eq!(desk.requester.replies(&ticket).await, []);
}

async fn s16_a_reply_of_the_requester_makes_it_user_reply(desk: Desk) {
    let ticket = desk.file(ORDER).await;
    desk.agent.reply(&ticket, "Sedang kami cek").await.unwrap();
    desk.requester.reply(&ticket, "Terima kasih").await.unwrap();
    assert_eq!(desk.status(&ticket).await, "user_reply");
    assert_eq!(desk.line("order").await, [ticket.subject]);
}

async fn s17_closed_is_the_end_for_the_requester(desk: Desk) {
    let ticket = desk.file(ORDER).await;
    assert_eq!(reason(desk.requester.take(&ticket, "close").await), ErrorReason::TransitionRefused);
    desk.agent.take(&ticket, "close").await.unwrap();
    let refused = desk.requester.reply(&ticket, "Belum").await.unwrap_err();
    assert_eq!(refused.reason, ErrorReason::ReplyRefused);
    assert!(refused.message.contains("tiket baru"), "{refused:?}");
    assert_eq!(desk.status(&ticket).await, "closed");
    desk.file(ORDER).await;
}
