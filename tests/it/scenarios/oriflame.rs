//! `oriflame`: e-ticketing, with a queue per branch and priorities that the requester chooses.

use std::time::Duration;

use loket::v1::{
    CreateTicketRequest, DuplicateComparison, ErrorReason, IdentityPolicy, LinkKind, MergeTicketsRequest,
    NumberAssignment, Role, SplitReplyRequest, State, Ticket, WaitsOn,
};
use loket_client::Client;

use crate::support::scenario::{Desk, Edit, reason, scenarios};
use crate::support::{fields, own};

scenarios! {
    "oriflame":
    O1 "A ticket is a question, a complaint or a suggestion" o1_a_ticket_is_a_question_a_complaint_or_a_suggestion
        without |it| it.field("kind").required_when.clear();
    O2 "Every ticket gets a number at submission" o2_every_ticket_gets_a_number_at_submission
        without |it| it.number_on(NumberAssignment::Claim);
    O4 "Only who is registered and has a validated address files" o4_only_who_is_registered_and_verified_files
        without |it| it.set_identity(IdentityPolicy::Registered);
    O5 "The category decides which staff work it" o5_the_category_decides_who_works_it
        without |it| it.delete_routes_to("head_office"),
            |it| it.queues.iter_mut().for_each(|queue| queue.skill_field.clear());
    O6 "Categories are a tree; a node is kept as it was chosen, and found by any above it" o6_the_most_specific_category_is_kept_and_found_by_any_above_it
        without |it| it.field("category").set_type(loket::v1::FieldType::Choice);
    O7 "The staff correct a wrong category, and the ticket is routed again" o7_a_wrong_category_is_corrected_and_routed_again
        without |it| it.delete_routes_to("head_office"), |it| it.field("category").set_when.clear();
    O8 "High before Medium before Normal, chosen by the requester" o8_high_comes_before_medium_and_medium_before_normal
        without Edit::order_by_time, |it| it.priorities.iter_mut().for_each(|priority| priority.description.clear());
    O9 "A branch is the office that serves the requester" o9_a_branch_is_one_of_the_offices
        without |it| it.free("branch");
    O10 "Without a branch it is Jakarta's" o10_without_a_branch_it_is_jakartas
        without |it| it.field("branch").default_value.clear();
    O11 "One queue per branch" o11_each_branch_has_its_queue
        without |it| it.delete_routes_to("bandung");
    O14 "A subject of one line is required" o14_a_subject_is_required
        engine "a ticket of any helpdesk has a subject of one line";
    O15 "A body is required" o15_a_body_is_required
        engine "a ticket of any helpdesk has a body";
    O17 "A ticket is reviewed before it is sent" o17_a_ticket_is_reviewed_before_it_is_sent
        engine "every mutation can be validated only";
    O18 "The requester sees the whole history of own tickets" o18_a_requester_sees_the_whole_history_of_own_tickets
        engine "a requester of any helpdesk sees own tickets and their history";
    O19 "Open: in the queue, waiting for the staff" o19_an_open_ticket_is_in_its_queue_and_waits_for_the_staff
        without |it| it.status("open").set_waits_on(WaitsOn::Nobody);
    O20 "In Progress: the first answer of the staff" o20_the_first_answer_of_the_staff_moves_it_to_in_progress
        without |it| it.by_hand("respond");
    O21 "Closed: answered, and a solution given" o21_closing_needs_an_answer_and_a_solution
        without |it| it.transition("close").guards.retain(|guard| !guard.expression.contains("solution")),
            |it| it.transition("close").guards.retain(|guard| !guard.expression.contains("staff_reply_count"));
    O22 "A reply on a closed ticket opens it again under its number" o22_a_reply_on_a_closed_ticket_opens_it_again_under_its_number
        without |it| it.delete_transition("reopen");
    O23 "An unrelated matter becomes a ticket of its own" o23_an_unrelated_matter_becomes_a_ticket_of_its_own
        engine "the staff of any helpdesk split off what a requester wrote";
    O24 "After 24 hours the requester nudges on the same number, without losing the place" o24_a_nudge_is_welcome_and_does_not_move_the_ticket
        without |it| it.refuse_replies("open");
    O25 "The same description again is refused" o25_the_same_description_again_is_refused
        without |it| it.duplicate_policy = None,
            |it| it.duplicate_policy.as_mut().unwrap().set_compare(DuplicateComparison::SubjectAndBody);
    O26 "First come, first served" o26_equal_priorities_are_worked_in_the_order_of_receipt
        engine "a line is in the order of receipt where nothing in the definition orders it otherwise";
    O27 "Of duplicates the first is worked, the others are merged into it" o27_the_first_is_worked_and_the_others_are_merged_into_it
        without |it| it.merge_policy = None;
}

pub(super) const QUESTION: [(&str, &str); 2] = [("kind", "question"), ("category", "order/not_received")];

pub(super) fn question(subject: &str) -> Ticket {
    Ticket { fields: fields(QUESTION), body: format!("Mohon bantuan: {subject}"), ..own(subject) }
}

async fn o1_a_ticket_is_a_question_a_complaint_or_a_suggestion(desk: Desk) {
    for kind in ["question", "complaint", "suggestion"] {
        assert_eq!(desk.file([("kind", kind), ("category", "product")]).await.fields["kind"], kind);
    }
    let without = Ticket { fields: fields([("category", "product")]), ..own("Halo") };
    assert_eq!(reason(desk.requester.file(without).await), ErrorReason::InvalidRequest);
}

async fn o4_only_who_is_registered_and_verified_files(desk: Desk) {
    let dewi = desk.person(Role::Requester, "dewi@example.com").await;
    assert_eq!(reason(dewi.file(question("Halo")).await), ErrorReason::RequesterNotRegistered);
    // Whoever files.
    let for_dewi = Ticket { requester: "Dewi@Example.com".to_owned(), ..question("Dari Dewi") };
    assert_eq!(reason(desk.agent.file(for_dewi.clone()).await), ErrorReason::RequesterNotRegistered);
    assert_eq!(dewi.register("").await.unwrap().code, "");
    assert_eq!(reason(dewi.file(question("Halo")).await), ErrorReason::RequesterNotVerified);
    // The website's service mails the code, and dewi types it.
    let website = desk.person(Role::Service, "website").await;
    let registered = website.register("dewi@example.com").await.unwrap();
    dewi.verify(&registered, &registered.code.to_lowercase()).await.unwrap();
    dewi.file(question("Halo")).await.unwrap();
    desk.agent.file(for_dewi).await.unwrap();
}

async fn o2_every_ticket_gets_a_number_at_submission(desk: Desk) {
    let ticket = desk.file(QUESTION).await;
    assert_eq!(ticket.number, "00000001");
    assert_eq!(desk.file(QUESTION_TOO).await.number, "00000002");
    assert_eq!(desk.requester.lookup("00000001").await.unwrap().name, ticket.name);
}

const QUESTION_TOO: [(&str, &str); 2] = [("kind", "complaint"), ("category", "order/damaged")];

async fn o5_the_category_decides_who_works_it(desk: Desk) {
    let ticket = desk.file([("kind", "question"), ("category", "website/login"), ("branch", "medan")]).await;
    assert_eq!(ticket.queue, "head_office");
    // In each queue the staff are dedicated to categories.
    desk.file(QUESTION).await;
    let payment = desk.file([("kind", "question"), ("category", "payment/refund")]).await;
    desk.register_agent("budi", &["payment"]).await;
    assert_eq!(desk.agent.next("jakarta").await.unwrap().unwrap().name, payment.name);
    assert_eq!(desk.agent.next("jakarta").await.unwrap(), None);
}

async fn o6_the_most_specific_category_is_kept_and_found_by_any_above_it(desk: Desk) {
    let specific = desk.file(QUESTION).await;
    assert_eq!(specific.fields["category"], "order/not_received");
    desk.file([("kind", "question"), ("category", "payment/refund")]).await;
    let found = desk.agent.list("fields.category:order").await.unwrap();
    assert_eq!(found.iter().map(|ticket| &ticket.name).collect::<Vec<_>>(), [&specific.name]);
    let unknown = Ticket { fields: fields([QUESTION[0], ("category", "order/lost")]), ..own("Halo") };
    assert_eq!(reason(desk.requester.file(unknown).await), ErrorReason::InvalidRequest);
}

async fn o7_a_wrong_category_is_corrected_and_routed_again(desk: Desk) {
    let ticket = desk.file(QUESTION).await;
    let right = [("category", "website/ordering")];
    assert_eq!(reason(desk.requester.save(&ticket, right).await), ErrorReason::InvalidRequest);
    desk.agent.next("jakarta").await.unwrap();
    let corrected = desk.agent.save(&ticket, right).await.unwrap();
    assert_eq!((corrected.queue.as_str(), corrected.assignee.as_str()), ("head_office", ""));
    assert_eq!(desk.line("head_office").await, [ticket.subject], "it waits for those who know about it");
}

async fn o8_high_comes_before_medium_and_medium_before_normal(desk: Desk) {
    for (subject, priority) in [("n1", ""), ("m1", "medium"), ("h1", "high"), ("n2", "normal"), ("h2", "high")] {
        desk.requester.file(Ticket { priority: priority.to_owned(), ..question(subject) }).await.unwrap();
        desk.wait(Duration::from_secs(1));
    }
    assert_eq!(desk.line("jakarta").await, ["h1", "h2", "m1", "n1", "n2"]);
    // What each means is there to be shown where it is chosen.
    let priorities = desk.definition().await.priorities;
    assert!(priorities.iter().all(|priority| !priority.description.is_empty()), "{priorities:?}");
}

async fn o9_a_branch_is_one_of_the_offices(desk: Desk) {
    let ticket = desk.file([QUESTION[0], QUESTION[1], ("branch", "surabaya")]).await;
    assert_eq!(ticket.fields["branch"], "surabaya");
    let elsewhere = Ticket { fields: fields([QUESTION[0], QUESTION[1], ("branch", "paris")]), ..own("Halo") };
    let refused = desk.requester.file(elsewhere).await.unwrap_err();
    assert!(refused.violations[0].starts_with("ticket.fields.branch"), "{refused:?}");
}

async fn o10_without_a_branch_it_is_jakartas(desk: Desk) {
    let ticket = desk.file(QUESTION).await;
    assert_eq!(ticket.fields["branch"], "jakarta");
    assert_eq!(ticket.queue, "jakarta");
}

async fn o11_each_branch_has_its_queue(desk: Desk) {
    for branch in
        ["jakarta", "bandung", "semarang", "yogyakarta", "surabaya", "denpasar", "medan", "palembang", "makassar"]
    {
        assert_eq!(desk.file([QUESTION[0], QUESTION[1], ("branch", branch)]).await.queue, branch);
    }
}

async fn o14_a_subject_is_required(desk: Desk) {
    for subject in ["", "Satu\ndua"] {
        let refused = desk.requester.file(question(subject)).await.unwrap_err();
        assert!(refused.violations[0].starts_with("ticket.subject"), "{refused:?}");
    }
}

async fn o15_a_body_is_required(desk: Desk) {
    let refused = desk.requester.file(Ticket { body: String::new(), ..question("Pesanan") }).await.unwrap_err();
    assert!(refused.violations[0].starts_with("ticket.body"), "{refused:?}");
}

async fn o17_a_ticket_is_reviewed_before_it_is_sent(desk: Desk) {
    let request = CreateTicketRequest {
        parent: desk.requester.parent(),
        ticket: Some(question("Pesanan")),
        validate_only: true,
        ..CreateTicketRequest::default()
    };
    assert_eq!(desk.requester.call(Client::create_ticket, request).await.unwrap().queue, "jakarta");
    assert_eq!(desk.requester.list("").await.unwrap(), []);
}

async fn o18_a_requester_sees_the_whole_history_of_own_tickets(desk: Desk) {
    let ticket = desk.file(QUESTION).await;
    desk.agent.reply(&ticket, "Kami cek").await.unwrap();
    desk.agent.take_with(&ticket, "close", [], "Sudah dikirim").await.unwrap();
    let history = desk.requester.history(&ticket).await;
    let statuses: Vec<_> = history.into_iter().map(|change| change.ticket_after.unwrap().status).collect();
    assert_eq!(statuses, ["open", "in_progress", "closed"]);
    desk.file(QUESTION_TOO).await;
    let own = desk.requester.list("").await.unwrap();
    assert_eq!(own.iter().map(|ticket| ticket.status.as_str()).collect::<Vec<_>>(), ["closed", "open"]);
    let other = desk.person(Role::Requester, "other@example.com").await;
    assert_eq!(reason(other.get(&ticket).await), ErrorReason::ResourceNotFound);
    assert_eq!(other.list("").await.unwrap(), []);
}

async fn o19_an_open_ticket_is_in_its_queue_and_waits_for_the_staff(desk: Desk) {
    let ticket = desk.file(QUESTION).await;
    assert_eq!((ticket.status.as_str(), ticket.state()), ("open", State::New));
    assert_eq!(desk.line("jakarta").await, [ticket.subject]);
}

async fn o20_the_first_answer_of_the_staff_moves_it_to_in_progress(desk: Desk) {
    let ticket = desk.file(QUESTION).await;
    desk.agent.note(&ticket, "Hanya catatan").await.unwrap();
    assert_eq!(desk.status(&ticket).await, "open");
    desk.agent.reply(&ticket, "Kami cek").await.unwrap();
    assert_eq!(desk.status(&ticket).await, "in_progress");
}

async fn o21_closing_needs_an_answer_and_a_solution(desk: Desk) {
    let ticket = desk.file(QUESTION).await;
    let unanswered = desk.agent.take_with(&ticket, "close", [], "Pesanan dikirim ulang").await;
    assert_eq!(reason(unanswered), ErrorReason::TransitionRefused);
    desk.agent.reply(&ticket, "Kami cek").await.unwrap();
    assert_eq!(reason(desk.agent.take(&ticket, "close").await), ErrorReason::TransitionRefused);
    let closed = desk.agent.take_with(&ticket, "close", [], "Pesanan dikirim ulang").await.unwrap();
    assert_eq!((closed.state(), closed.solution.as_str()), (State::Closed, "Pesanan dikirim ulang"));
}

async fn o22_a_reply_on_a_closed_ticket_opens_it_again_under_its_number(desk: Desk) {
    let ticket = desk.file(QUESTION).await;
    desk.agent.claim(&ticket).await.unwrap();
    desk.agent.reply(&ticket, "Kami kirim").await.unwrap();
    desk.agent.take_with(&ticket, "close", [], "Sudah").await.unwrap();
    desk.wait(Duration::from_mins(1));
    desk.requester.reply(&ticket, "Belum selesai").await.unwrap();
    let reopened = desk.look(&ticket).await;
    assert_eq!(desk.line("jakarta").await, [reopened.subject.as_str()], "whoever comes to it takes it");
    assert_eq!((reopened.status.as_str(), &reopened.number), ("open", &ticket.number));
    assert_eq!(reopened.queue_time, reopened.update_time, "it queues again");
}

async fn o23_an_unrelated_matter_becomes_a_ticket_of_its_own(desk: Desk) {
    let old = desk.file(QUESTION).await;
    let reply = desk.requester.reply(&old, "Saya juga tidak bisa login").await.unwrap();
    let request = SplitReplyRequest {
        parent: old.name.clone(),
        replies: vec![reply.name],
        ticket: Some(Ticket {
            subject: "Tidak bisa login".to_owned(),
            fields: fields([QUESTION[0], ("category", "website/login")]),
            ..Ticket::default()
        }),
        ..SplitReplyRequest::default()
    };
    let new = desk.agent.call(Client::split_reply, request.clone()).await.unwrap();
    let seen = desk.requester.get(&new).await.unwrap();
    assert_eq!((seen.body.as_str(), seen.number.as_str()), ("Saya juga tidak bisa login", "00000002"));
    assert_eq!((seen.queue.as_str(), seen.links[0].kind()), ("head_office", LinkKind::Related));
    assert_eq!(desk.status(&old).await, "open");
    assert_eq!(reason(desk.agent.call(Client::split_reply, request).await), ErrorReason::SplitRefused);
}

async fn o24_a_nudge_is_welcome_and_does_not_move_the_ticket(desk: Desk) {
    let first = desk.requester.file(question("Pertama")).await.unwrap();
    desk.wait(Duration::from_hours(24));
    desk.requester.file(question("Kedua")).await.unwrap();
    desk.requester.reply(&first, "Belum ada tanggapan").await.unwrap();
    assert_eq!(desk.line("jakarta").await, ["Pertama", "Kedua"]);
    assert_eq!(desk.look(&first).await.queue_time, first.queue_time);
}

async fn o25_the_same_description_again_is_refused(desk: Desk) {
    let first = desk.requester.file(question("Pertama")).await.unwrap();
    let again = Ticket { body: "mohon  BANTUAN: pertama\n".to_owned(), ..question("Kedua") };
    let refused = desk.requester.file(again).await.unwrap_err();
    assert_eq!((refused.reason, &refused.metadata["ticket"]), (ErrorReason::DuplicateTicket, &first.name));
    assert_eq!(desk.look(&first).await.revision, first.revision, "the first keeps its place");
    desk.requester.file(question("Kedua")).await.unwrap();
}

async fn o26_equal_priorities_are_worked_in_the_order_of_receipt(desk: Desk) {
    for subject in ["Pertama", "Kedua", "Ketiga"] {
        desk.requester.file(question(subject)).await.unwrap();
        desk.wait(Duration::from_secs(1));
    }
    for subject in ["Pertama", "Kedua", "Ketiga"] {
        assert_eq!(desk.agent.next("jakarta").await.unwrap().unwrap().subject, subject);
    }
    assert_eq!(desk.agent.next("jakarta").await.unwrap(), None);
}

async fn o27_the_first_is_worked_and_the_others_are_merged_into_it(desk: Desk) {
    let mut names = Vec::new();
    for subject in ["Pertama", "Lain", "Kedua"] {
        names.push(desk.requester.file(question(subject)).await.unwrap());
        desk.wait(Duration::from_secs(1));
    }
    let request = MergeTicketsRequest {
        name: names[0].name.clone(),
        duplicates: vec![names[2].name.clone()],
        ..MergeTicketsRequest::default()
    };
    desk.agent.call(Client::merge_tickets, request).await.unwrap();
    assert_eq!(desk.line("jakarta").await, ["Pertama", "Lain"]);
    // Without a solution, which closing needs: the first will have one.
    assert_eq!(desk.status(&names[2]).await, "closed");
    let refused = desk.requester.reply(&names[2], "Bagaimana?").await.unwrap_err();
    assert_eq!((refused.reason, &refused.metadata["ticket"]), (ErrorReason::TicketMerged, &names[0].name));
}
