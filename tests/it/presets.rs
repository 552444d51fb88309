//! The five presets, as they are shipped: one test for each number of the requirements.

use loket::v1::{
    CreateReplyRequest, CreateTicketRequest, ErrorReason, LookupTicketRequest, Reply, Role, State, Ticket,
    TransitionTicketRequest,
};
use loket_client::Error;

use super::database;
use crate::support::{Caller, Server, draft, eventually, fields, own, reason};

/// One of the helpdesks, with one person in each role.
struct Preset {
    server: Server,
    requester: Caller,
    agent: Caller,
    supervisor: Caller,
}

async fn preset(id: &str) -> Preset {
    let server = Server::start(database().with().presets()).await;
    let requester = server.caller(Role::Requester, "ani@example.com", &[id]).await;
    let agent = server.caller(Role::Agent, "budi", &[id]).await;
    let supervisor = server.caller(Role::Supervisor, "citra", &[id]).await;
    // Where nobody has to be, it changes nothing.
    server.admin().on(id).verified("ani@example.com").await;
    Preset { server, requester, agent, supervisor }
}

impl Preset {
    /// Files what the requester would.
    async fn file<const N: usize>(&self, given: [(&str, &str); N]) -> Ticket {
        self.requester.create(Ticket { fields: fields(given), ..own("Mohon bantuan") }).await.unwrap()
    }

    async fn status(&self, ticket: &Ticket) -> String {
        self.agent.get(&ticket.name).await.unwrap().status
    }
}

async fn transition<const N: usize>(
    caller: &Caller,
    ticket: &Ticket,
    transition: &str,
    given: [(&str, &str); N],
    solution: &str,
) -> Result<Ticket, Error> {
    let request = TransitionTicketRequest {
        name: ticket.name.clone(),
        transition: transition.to_owned(),
        fields: fields(given),
        solution: solution.to_owned(),
        ..TransitionTicketRequest::default()
    };
    caller.transition_ticket(request).await
}

/// The subjects of those that wait in a queue, in the order in which it is worked.
async fn line(caller: &Caller, queue: &str) -> Vec<String> {
    let request = loket::v1::ListTicketsRequest {
        parent: caller.parent.clone(),
        filter: format!("queue = {queue}"),
        order_by: "queue_order".to_owned(),
        ..loket::v1::ListTicketsRequest::default()
    };
    caller.list_tickets(request).await.unwrap().tickets.into_iter().map(|ticket| ticket.subject).collect()
}

const ORDER: [(&str, &str); 3] = [("type", "order"), ("order_id", "454837"), ("action", "speedup")];
const QUESTION: [(&str, &str); 2] = [("kind", "question"), ("category", "order/not_received")];

// O. oriflame

#[tokio::test]
async fn o1_a_ticket_is_a_question_a_complaint_or_a_suggestion() {
    let desk = preset("oriflame").await;
    for kind in ["question", "complaint", "suggestion"] {
        assert_eq!(desk.file([("kind", kind), ("category", "product")]).await.fields["kind"], kind);
    }
    let without = Ticket { fields: fields([("category", "product")]), ..own("Halo") };
    assert_eq!(reason(desk.requester.create(without).await), ErrorReason::InvalidRequest);
}

#[tokio::test]
async fn o2_every_ticket_gets_a_number_at_submission() {
    let desk = preset("oriflame").await;
    let ticket = desk.file(QUESTION).await;
    assert_eq!(ticket.number, "00000001");
    let lookup = LookupTicketRequest {
        parent: desk.requester.parent.clone(),
        number: ticket.number,
        ..LookupTicketRequest::default()
    };
    assert_eq!(desk.requester.lookup_ticket(lookup).await.unwrap().name, ticket.name);
}

#[tokio::test]
async fn o4_only_who_is_registered_and_verified_files() {
    let desk = preset("oriflame").await;
    let budi = desk.server.caller(Role::Requester, "budi@example.com", &["oriflame"]).await;
    let ticket = || Ticket { fields: fields(QUESTION), ..own("Mohon bantuan") };
    assert_eq!(reason(budi.create(ticket()).await), ErrorReason::RequesterNotRegistered);
    // Whoever files.
    let for_budi = Ticket { requester: "Budi@Example.com".to_owned(), ..ticket() };
    assert_eq!(reason(desk.agent.create(for_budi.clone()).await), ErrorReason::RequesterNotRegistered);
    let own = budi.register("").await.unwrap();
    assert_eq!(own.code, "");
    assert_eq!(reason(budi.create(ticket()).await), ErrorReason::RequesterNotVerified);
    let mailed = desk.server.admin().on("oriflame").register("budi@example.com").await.unwrap();
    assert_eq!(mailed.name, own.name);
    budi.verify(&own.name, &mailed.code.to_lowercase()).await.unwrap();
    budi.create(ticket()).await.unwrap();
    desk.agent.create(for_budi).await.unwrap();
}

#[tokio::test]
async fn o5_the_category_decides_who_works_it() {
    let desk = preset("oriflame").await;
    assert_eq!(
        desk.file([("kind", "question"), ("category", "website/login"), ("branch", "medan")]).await.queue,
        "head_office"
    );
}

#[tokio::test]
async fn o7_a_wrong_category_is_corrected_and_routed_again() {
    let desk = preset("oriflame").await;
    let ticket = desk.file(QUESTION).await;
    let corrected =
        Ticket { name: ticket.name, fields: fields([("category", "website/ordering")]), ..Ticket::default() };
    assert_eq!(desk.agent.update(corrected, &["fields.category"]).await.unwrap().queue, "head_office");
}

#[tokio::test]
async fn o8_high_comes_before_medium_and_normal_in_order_of_receipt() {
    let desk = preset("oriflame").await;
    for (subject, priority) in
        [("n1", ""), ("m1", "medium"), ("h1", "high"), ("n2", "normal"), ("h2", "high"), ("m2", "medium")]
    {
        let ticket = Ticket { priority: priority.to_owned(), fields: fields(QUESTION), ..own(subject) };
        desk.requester.create(ticket).await.unwrap();
        desk.server.clock.advance(std::time::Duration::from_secs(1));
    }
    assert_eq!(line(&desk.agent, "jakarta").await, ["h1", "h2", "m1", "m2", "n1", "n2"]);
}

#[tokio::test]
async fn o10_o11_each_branch_has_its_queue_and_without_one_it_is_jakartas() {
    let desk = preset("oriflame").await;
    for branch in
        ["jakarta", "bandung", "semarang", "yogyakarta", "surabaya", "denpasar", "medan", "palembang", "makassar"]
    {
        assert_eq!(desk.file([QUESTION[0], QUESTION[1], ("branch", branch)]).await.queue, branch);
    }
    let ticket = desk.file(QUESTION).await;
    assert_eq!((ticket.fields["branch"].as_str(), ticket.queue.as_str()), ("jakarta", "jakarta"));
}

#[tokio::test]
async fn o14_o15_subject_and_body_are_required() {
    let desk = preset("oriflame").await;
    let with = |subject: &str, body: &str| Ticket { body: body.to_owned(), fields: fields(QUESTION), ..own(subject) };
    assert_eq!(reason(desk.requester.create(with("", "Semua detil")).await), ErrorReason::InvalidRequest);
    assert_eq!(reason(desk.requester.create(with("Pesanan", "")).await), ErrorReason::InvalidRequest);
}

#[tokio::test]
async fn o17_a_ticket_is_reviewed_before_it_is_sent() {
    let desk = preset("oriflame").await;
    let request = CreateTicketRequest {
        parent: desk.requester.parent.clone(),
        ticket: Some(Ticket { fields: fields(QUESTION), ..own("Pesanan") }),
        validate_only: true,
        ..CreateTicketRequest::default()
    };
    assert_eq!(desk.requester.create_ticket(request).await.unwrap().queue, "jakarta");
    assert_eq!(desk.requester.list("").await.unwrap(), []);
}

#[tokio::test]
async fn o18_a_requester_sees_the_whole_history_of_own_tickets() {
    let desk = preset("oriflame").await;
    let ticket = desk.file(QUESTION).await;
    desk.agent.reply(&ticket.name, "Kami cek").await.unwrap();
    transition(&desk.agent, &ticket, "close", [], "Sudah dikirim").await.unwrap();
    let history = desk.requester.changes(&ticket.name).await.unwrap();
    let statuses: Vec<_> = history.into_iter().map(|change| change.ticket_after.unwrap().status).collect();
    assert_eq!(statuses, ["open", "in_progress", "closed"]);
}

#[tokio::test]
async fn o19_an_open_ticket_is_in_its_queue_and_waits_for_the_staff() {
    let desk = preset("oriflame").await;
    let ticket = desk.file(QUESTION).await;
    assert_eq!((ticket.status.as_str(), ticket.state()), ("open", State::New));
    assert_eq!(line(&desk.agent, "jakarta").await, std::slice::from_ref(&ticket.subject));
}

#[tokio::test]
async fn o20_the_first_answer_of_the_staff_moves_it_to_in_progress() {
    let desk = preset("oriflame").await;
    let ticket = desk.file(QUESTION).await;
    desk.agent.note(&ticket.name, "Hanya catatan").await.unwrap();
    assert_eq!(desk.status(&ticket).await, "open");
    desk.agent.reply(&ticket.name, "Kami cek").await.unwrap();
    assert_eq!(desk.status(&ticket).await, "in_progress");
}

#[tokio::test]
async fn o21_closing_needs_a_solution() {
    let desk = preset("oriflame").await;
    let ticket = desk.file(QUESTION).await;
    assert_eq!(reason(transition(&desk.agent, &ticket, "close", [], "").await), ErrorReason::TransitionRefused);
    let closed = transition(&desk.agent, &ticket, "close", [], "Pesanan dikirim ulang").await.unwrap();
    assert_eq!((closed.state(), closed.solution.as_str()), (State::Closed, "Pesanan dikirim ulang"));
}

#[tokio::test]
async fn o22_a_reply_on_a_closed_ticket_opens_it_again_under_its_number() {
    let desk = preset("oriflame").await;
    let ticket = desk.file(QUESTION).await;
    transition(&desk.agent, &ticket, "close", [], "Sudah").await.unwrap();
    desk.server.clock.advance(std::time::Duration::from_mins(1));
    desk.requester.reply(&ticket.name, "Belum selesai").await.unwrap();
    let reopened = desk.agent.get(&ticket.name).await.unwrap();
    assert_eq!((reopened.status.as_str(), &reopened.number), ("open", &ticket.number));
    assert_eq!(reopened.queue_time, Some(desk.server.clock.timestamp()));
}

#[tokio::test]
async fn o24_a_nudge_does_not_move_a_ticket_in_its_queue() {
    let desk = preset("oriflame").await;
    let first = desk.file(QUESTION).await;
    desk.server.clock.advance(std::time::Duration::from_hours(24));
    desk.requester.create(Ticket { fields: fields(QUESTION), ..own("Kedua") }).await.unwrap();
    desk.requester.reply(&first.name, "Belum ada tanggapan").await.unwrap();
    assert_eq!(line(&desk.agent, "jakarta").await, ["Mohon bantuan", "Kedua"]);
    assert_eq!(desk.agent.get(&first.name).await.unwrap().queue_time, first.queue_time);
}

// F. beone

const TRIAGED: [(&str, &str); 4] =
    [("pic_customer_support", "Dewi"), ("pic_team", "Eka"), ("group", "functional"), ("category", "issue")];

#[tokio::test]
async fn f2_new_is_told_from_the_other_open_ones() {
    let desk = preset("beone").await;
    let new = desk.file([]).await;
    let other = desk.file([]).await;
    transition(&desk.agent, &other, "accept", TRIAGED, "").await.unwrap();
    let names = |tickets: Vec<Ticket>| tickets.into_iter().map(|ticket| ticket.name).collect::<Vec<_>>();
    assert_eq!(names(desk.agent.list("status = new").await.unwrap()), std::slice::from_ref(&new.name));
    assert_eq!(names(desk.agent.list("state != CLOSED").await.unwrap()), [new.name, other.name]);
}

#[tokio::test]
async fn f3_the_triage_fields_are_the_staffs_and_needed_to_leave_triage() {
    let desk = preset("beone").await;
    let theirs = Ticket { fields: fields([("group", "sales")]), ..own("Halo") };
    assert_eq!(reason(desk.requester.create(theirs).await), ErrorReason::InvalidRequest);
    let ticket = desk.file([]).await;
    assert_eq!(ticket.queue, "triage");
    let error = desk.agent.transition(&ticket.name, "accept").await.unwrap_err();
    let mut missing: Vec<_> = error
        .violations()
        .iter()
        .map(|violation| violation.to_string().split(':').next().unwrap().to_owned())
        .collect();
    missing.sort();
    assert_eq!(missing, ["fields.category", "fields.group", "fields.pic_customer_support", "fields.pic_team"]);
}

#[tokio::test]
async fn f4_the_two_pics_are_the_staffs_and_hidden_from_the_customer() {
    let desk = preset("beone").await;
    let ticket = desk.file([]).await;
    transition(&desk.agent, &ticket, "accept", TRIAGED, "").await.unwrap();
    assert_eq!(desk.agent.get(&ticket.name).await.unwrap().fields["pic_team"], "Eka");
    assert!(!desk.requester.get(&ticket.name).await.unwrap().fields.contains_key("pic_team"));
}

#[tokio::test]
async fn f5_f6_the_type_starts_as_checking_issue_and_is_the_pics_to_change() {
    let desk = preset("beone").await;
    let ticket = desk.file([]).await;
    assert_eq!(ticket.fields["type"], "checking_issue");
    let bug = Ticket { name: ticket.name, fields: fields([("type", "bug")]), ..Ticket::default() };
    assert_eq!(reason(desk.agent.update(bug.clone(), &["fields.type"]).await), ErrorReason::InvalidRequest);
    assert_eq!(desk.supervisor.update(bug, &["fields.type"]).await.unwrap().fields["type"], "bug");
}

#[tokio::test]
async fn f7_each_of_the_eight_groups_has_its_queue() {
    let desk = preset("beone").await;
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
        let ticket = desk.agent.create(Ticket { fields: fields([("group", group)]), ..draft("Halo") }).await.unwrap();
        assert_eq!(ticket.queue, group);
    }
    let ninth = Ticket { fields: fields([("group", "marketing")]), ..draft("Halo") };
    assert_eq!(reason(desk.agent.create(ninth).await), ErrorReason::InvalidRequest);
}

#[tokio::test]
async fn f8_a_category_is_one_of_four() {
    let desk = preset("beone").await;
    for (category, good) in
        [("issue", true), ("project", true), ("business_insight", true), ("internal", true), ("other", false)]
    {
        let ticket = Ticket { fields: fields([("category", category)]), ..draft("Halo") };
        assert_eq!(desk.agent.create(ticket).await.is_ok(), good, "{category}");
    }
}

#[tokio::test]
async fn f9_several_fields_are_saved_at_once_and_route_the_ticket() {
    let desk = preset("beone").await;
    let ticket = desk.file([]).await;
    let saved = Ticket { name: ticket.name, fields: fields(TRIAGED), ..Ticket::default() };
    let paths = TRIAGED.map(|(id, _)| format!("fields.{id}"));
    let saved = desk.agent.update(saved, &paths.each_ref().map(String::as_str)).await.unwrap();
    assert_eq!((saved.queue.as_str(), saved.revision), ("functional", ticket.revision + 1));
}

#[tokio::test]
async fn f12_f14_ask_and_wait_in_one_action_and_work_resumes_on_the_answer() {
    let desk = preset("beone").await;
    let ticket = desk.file([]).await;
    transition(&desk.agent, &ticket, "accept", TRIAGED, "").await.unwrap();
    let asked = CreateReplyRequest {
        parent: ticket.name.clone(),
        reply: Some(Reply { body: "Boleh dikirimkan screenshot?".to_owned(), ..Reply::default() }),
        transition: "wait_for_customer".to_owned(),
        ..CreateReplyRequest::default()
    };
    desk.agent.create_reply(asked).await.unwrap();
    assert_eq!(desk.status(&ticket).await, "waiting_on_customer");
    desk.requester.reply(&ticket.name, "Ini").await.unwrap();
    assert_eq!(desk.status(&ticket).await, "open");
}

#[tokio::test]
async fn f16_f17_closed_only_with_a_solution_that_the_customer_confirmed() {
    let desk = preset("beone").await;
    let ticket = desk.file([]).await;
    transition(&desk.agent, &ticket, "accept", TRIAGED, "").await.unwrap();
    let both = transition(&desk.agent, &ticket, "close", [], "").await.unwrap_err();
    assert_eq!(both.violations().len(), 2);
    assert_eq!(
        reason(transition(&desk.agent, &ticket, "close", [], "Diperbaiki").await),
        ErrorReason::TransitionRefused
    );
    let closed =
        transition(&desk.agent, &ticket, "close", [("customer_confirmed", "true")], "Diperbaiki").await.unwrap();
    assert_eq!(closed.status, "closed");
}

#[tokio::test]
async fn f18_feedback_after_closing_stays_on_the_ticket_and_an_agent_decides() {
    let desk = preset("beone").await;
    let ticket = desk.file([]).await;
    transition(&desk.agent, &ticket, "accept", TRIAGED, "").await.unwrap();
    transition(&desk.agent, &ticket, "close", [("customer_confirmed", "true")], "Diperbaiki").await.unwrap();
    desk.requester.reply(&ticket.name, "Terjadi lagi").await.unwrap();
    assert_eq!(desk.status(&ticket).await, "closed");
    assert_eq!(desk.agent.transition(&ticket.name, "reopen").await.unwrap().status, "open");
}

#[tokio::test]
async fn f10_the_confirmation_gives_an_estimate_in_one_step() {
    let desk = preset("beone").await;
    let ticket = desk.file([]).await;
    let confirm = async |given| desk.agent.reply_canned(&ticket.name, "received", "", given, "").await;
    // No confirmation without the estimate that it tells.
    assert_eq!(reason(confirm([("promised_time", "")]).await), ErrorReason::TicketNotReady);
    let confirmed = confirm([("promised_time", "2026-12-01T17:00:00+07:00")]).await.unwrap();
    assert!(confirmed.body.contains("Estimasi penyelesaian: 2026-12-01T10:00:00.000000Z"), "{}", confirmed.body);
    assert_eq!(desk.requester.get(&ticket.name).await.unwrap().fields["promised_time"], "2026-12-01T10:00:00.000000Z");
}

#[tokio::test]
async fn f13_what_is_missing_is_asked_with_a_canned_question() {
    let desk = preset("beone").await;
    let ticket = desk.file([]).await;
    let canned = "ask_screenshot";
    let asked = desk.agent.reply_canned(&ticket.name, canned, "Terima kasih.", [], "wait_for_customer").await.unwrap();
    assert_eq!(asked.body, "Boleh dikirimkan screenshot dari kendala pada ticket #1?\n\nTerima kasih.");
    assert_eq!(desk.status(&ticket).await, "waiting_on_customer");
    assert_eq!(desk.requester.replies(&ticket.name).await.unwrap()[0].canned_response, "ask_screenshot");
}

// I. iduhelp

#[tokio::test]
async fn i14_a_silent_customer_gets_another_statement() {
    let desk = preset("iduhelp").await;
    let ticket = desk.file([]).await;
    desk.agent.claim(&ticket.name).await.unwrap();
    let silent = [("close_reason", "no_response")];
    let close = async |canned| desk.agent.reply_canned(&ticket.name, canned, "", silent, "propose_close").await;
    assert_eq!(reason(close("closing_satisfied").await), ErrorReason::TransitionRefused);
    assert!(close("closing_no_response").await.unwrap().body.contains("belum menerima balasan"));
    // An answer of the customer after all makes the statement one that was sent before it.
    desk.requester.reply(&ticket.name, "Belum selesai").await.unwrap();
    assert_eq!(
        reason(transition(&desk.agent, &ticket, "propose_close", silent, "").await),
        ErrorReason::TransitionRefused
    );
}

#[tokio::test]
async fn i3_i4_one_operator_wins_and_the_number_is_born_with_the_claim() {
    let desk = preset("iduhelp").await;
    let ticket = desk.file([]).await;
    assert_eq!(ticket.number, "");
    let claimed = desk.agent.claim(&ticket.name).await.unwrap();
    assert_eq!((claimed.number.as_str(), claimed.assignee.as_str(), claimed.status.as_str()), ("1", "budi", "claimed"));
    let other = desk.server.caller(Role::Agent, "dewi", &["iduhelp"]).await;
    assert_eq!(reason(other.claim(&ticket.name).await), ErrorReason::AlreadyClaimed);
    // Given back and taken again, it keeps its number.
    desk.agent.release(&ticket.name).await.unwrap();
    assert_eq!(other.claim(&ticket.name).await.unwrap().number, "1");
}

#[tokio::test]
async fn i11_the_same_operator_goes_on_until_the_customer_is_satisfied() {
    let desk = preset("iduhelp").await;
    let ticket = desk.file([]).await;
    desk.agent.claim(&ticket.name).await.unwrap();
    desk.agent.reply(&ticket.name, "Data apa?").await.unwrap();
    assert_eq!(desk.status(&ticket).await, "waiting_for_customer");
    desk.requester.reply(&ticket.name, "Ini").await.unwrap();
    let again = desk.agent.get(&ticket.name).await.unwrap();
    assert_eq!((again.status.as_str(), again.assignee.as_str()), ("claimed", "budi"));
}

#[tokio::test]
async fn i12_i15_the_operator_proposes_and_the_pic_alone_closes() {
    let desk = preset("iduhelp").await;
    let ticket = desk.file([]).await;
    desk.agent.claim(&ticket.name).await.unwrap();
    let satisfied = [("close_reason", "satisfied")];
    assert_eq!(
        reason(transition(&desk.agent, &ticket, "propose_close", satisfied, "").await),
        ErrorReason::TransitionRefused
    );
    desk.agent.reply(&ticket.name, "Selesai").await.unwrap();
    // Not without the closing statement, nor without the reason, nor with another's statement.
    assert_eq!(
        reason(transition(&desk.agent, &ticket, "propose_close", satisfied, "").await),
        ErrorReason::TransitionRefused
    );
    let propose = async |canned, given| desk.agent.reply_canned(&ticket.name, canned, "", given, "propose_close").await;
    assert_eq!(reason(propose("closing_satisfied", [("close_reason", "")]).await), ErrorReason::TransitionRefused);
    assert_eq!(reason(propose("closing_no_response", satisfied).await), ErrorReason::TransitionRefused);
    let statement = propose("closing_satisfied", satisfied).await.unwrap();
    assert_eq!(statement.canned_response, "closing_satisfied");
    assert!(statement.body.contains("nomor#1 telah terjawab") && statement.body.ends_with("Operator iDuHelp! budi"));
    assert_eq!(reason(desk.agent.transition(&ticket.name, "close").await), ErrorReason::TransitionRefused);
    // The PIC closes with the survey link, and not without.
    assert_eq!(reason(desk.supervisor.transition(&ticket.name, "close").await), ErrorReason::TransitionRefused);
    let closed = desk.supervisor.reply_canned(&ticket.name, "survey", "", [], "close").await.unwrap();
    assert_eq!(desk.status(&ticket).await, "closed");
    let address = format!("https://survey.iduhelp.example/isi?tiket={}&token=", ticket.name);
    let token = closed.body.split(&address).nth(1).unwrap().split_whitespace().next().unwrap();
    let service = desk.server.caller(Role::Service, "survey", &["iduhelp"]).await;
    assert_eq!(service.rate(&ticket.name, 5, token).await.unwrap().rating, 5);
    assert_eq!(reason(desk.requester.reply(&ticket.name, "Lagi").await), ErrorReason::ReplyRefused);
}

// V. ovo

#[tokio::test]
async fn v1_v5_every_case_has_a_number_by_which_the_staff_find_it() {
    let desk = preset("ovo").await;
    let ticket = desk.file([]).await;
    assert_eq!(ticket.number, "OVO-00000001");
    let lookup = LookupTicketRequest {
        parent: desk.agent.parent.clone(),
        number: ticket.number,
        ..LookupTicketRequest::default()
    };
    assert_eq!(desk.agent.lookup_ticket(lookup).await.unwrap().name, ticket.name);
}

#[tokio::test]
async fn v4_the_customer_asks_for_the_status_by_the_number_alone() {
    let desk = preset("ovo").await;
    let ticket = desk.file([]).await;
    desk.agent.transition(&ticket.name, "verify").await.unwrap();
    let by = |number: &str| LookupTicketRequest {
        parent: desk.requester.parent.clone(),
        number: number.to_owned(),
        ..LookupTicketRequest::default()
    };
    assert_eq!(desk.requester.lookup_ticket(by(&ticket.number)).await.unwrap().status, "verified");
    // A number is no secret: another's case is not there for who knows it.
    let budi = desk.server.caller(Role::Requester, "budi@example.com", &["ovo"]).await;
    assert_eq!(reason(budi.lookup_ticket(by(&ticket.number)).await), ErrorReason::ResourceNotFound);
}

#[tokio::test]
async fn v9_an_address_is_enough() {
    let desk = preset("ovo").await;
    let service = desk.server.caller(Role::Service, "mail", &["ovo"]).await;
    service.create(draft("Saldo belum masuk")).await.unwrap();
}

#[tokio::test]
async fn v6_the_most_urgent_come_first() {
    let desk = preset("ovo").await;
    for priority in ["low", "normal", "urgent", "high"] {
        desk.requester.create(Ticket { priority: priority.to_owned(), ..own(priority) }).await.unwrap();
    }
    assert_eq!(line(&desk.agent, "customer_care").await, ["urgent", "high", "normal", "low"]);
}

#[tokio::test]
async fn v7_a_problem_is_verified_and_then_taken_by_an_agent() {
    let desk = preset("ovo").await;
    let ticket = desk.file([]).await;
    assert_eq!(desk.agent.transition(&ticket.name, "verify").await.unwrap().status, "verified");
    assert_eq!(desk.agent.claim(&ticket.name).await.unwrap().status, "in_progress");
}

// S. smmpanel

#[tokio::test]
async fn s3_s5_s7_the_type_routes_to_the_right_team() {
    let desk = preset("smmpanel").await;
    for (kind, queue) in [("deposit", "deposit"), ("service", "other"), ("account", "other"), ("other", "other")] {
        assert_eq!(desk.file([("type", kind)]).await.queue, queue, "{kind}");
    }
    assert_eq!(desk.file(ORDER).await.queue, "order");
    // What is asked for goes straight to the team concerned.
    assert_eq!(desk.file([("type", "other"), ("action", "refill")]).await.queue, "order");
}

#[tokio::test]
async fn s4_a_ticket_comes_before_what_arrived_informally() {
    let desk = preset("smmpanel").await;
    for (subject, channel) in [("chat", "whatsapp"), ("ticket", "web")] {
        let ticket = Ticket { channel: channel.to_owned(), fields: fields(ORDER), ..own(subject) };
        desk.requester.create(ticket).await.unwrap();
    }
    assert_eq!(line(&desk.agent, "order").await, ["ticket", "chat"]);
}

#[tokio::test]
async fn s6_who_files_has_logged_in() {
    let desk = preset("smmpanel").await;
    desk.server.caller(Role::Requester, "budi@example.com", &["smmpanel"]).await.create(order("")).await.unwrap();
    for staff in [&desk.agent, &desk.supervisor, &desk.server.admin().on("smmpanel")] {
        staff.create(order("somebody@example.com")).await.unwrap();
    }
    let service = desk.server.caller(Role::Service, "bot", &["smmpanel"]).await;
    assert_eq!(reason(service.create(order("somebody@example.com")).await), ErrorReason::RequesterNotRegistered);
    service.register("somebody@example.com").await.unwrap();
    service.create(order("somebody@example.com")).await.unwrap();
}

fn order(requester: &str) -> Ticket {
    Ticket { requester: requester.to_owned(), fields: fields(ORDER), ..own("Pesanan") }
}

#[tokio::test]
async fn s9_an_order_id_is_required_with_an_order_only_and_found_by() {
    let desk = preset("smmpanel").await;
    let without = Ticket { fields: fields([("type", "order")]), ..own("Halo") };
    assert_eq!(reason(desk.requester.create(without).await), ErrorReason::InvalidRequest);
    desk.file([("type", "deposit")]).await;
    // Several tickets may share one.
    let tickets = [desk.file(ORDER).await, desk.file(ORDER).await];
    let found = desk.agent.list("fields.order_id = 454837").await.unwrap();
    assert_eq!(found.iter().map(|ticket| &ticket.name).collect::<Vec<_>>(), [&tickets[0].name, &tickets[1].name]);
}

#[tokio::test]
async fn s10_the_action_is_a_word_and_not_prose() {
    let desk = preset("smmpanel").await;
    for action in ["speedup", "refill", "cancel"] {
        desk.file([ORDER[0], ORDER[1], ("action", action)]).await;
    }
    let prose = Ticket { fields: fields([ORDER[0], ORDER[1], ("action", "Mohon dipercepat")]), ..own("Halo") };
    assert_eq!(reason(desk.requester.create(prose).await), ErrorReason::InvalidRequest);
}

#[tokio::test]
async fn s13_a_new_ticket_waits() {
    let desk = preset("smmpanel").await;
    let ticket = desk.file(ORDER).await;
    assert_eq!((ticket.status.as_str(), ticket.state(), ticket.priority.as_str()), ("waiting", State::New, "normal"));
}

#[tokio::test]
async fn s11_the_requester_follows_own_tickets_in_the_menu() {
    let desk = preset("smmpanel").await;
    let ticket = desk.file(ORDER).await;
    desk.agent.create(order("somebody@example.com")).await.unwrap();
    desk.agent.transition(&ticket.name, "start").await.unwrap();
    let mine = desk.requester.list("").await.unwrap();
    assert_eq!(mine.iter().map(|ticket| ticket.status.as_str()).collect::<Vec<_>>(), ["in_progress"]);
}

#[tokio::test]
async fn s12_s14_an_answer_of_the_staff_makes_it_responded() {
    let desk = preset("smmpanel").await;
    let ticket = desk.file(ORDER).await;
    desk.agent.reply(&ticket.name, "Sedang kami cek").await.unwrap();
    assert_eq!(desk.status(&ticket).await, "responded");
}

#[tokio::test]
async fn s15_reply_refused_while_in_progress() {
    let desk = preset("smmpanel").await;
    let ticket = desk.file(ORDER).await;
    desk.agent.transition(&ticket.name, "start").await.unwrap();
    let refused = desk.requester.reply(&ticket.name, "Cepat!").await.unwrap_err();
    assert!(refused.message().contains("Responded"), "the way on is named: {refused}");
    assert_eq!(reason::<()>(Err(refused)), ErrorReason::ReplyRefused);
    assert_eq!(desk.requester.replies(&ticket.name).await.unwrap(), []);
}

#[tokio::test]
async fn s16_a_reply_of_the_requester_makes_it_user_reply() {
    let desk = preset("smmpanel").await;
    let ticket = desk.file(ORDER).await;
    desk.agent.reply(&ticket.name, "Sedang kami cek").await.unwrap();
    desk.requester.reply(&ticket.name, "Terima kasih").await.unwrap();
    assert_eq!(desk.status(&ticket).await, "user_reply");
    assert_eq!(line(&desk.agent, "order").await, [ticket.subject]);
}

#[tokio::test]
async fn s17_closed_is_the_end_for_the_requester() {
    let desk = preset("smmpanel").await;
    let ticket = desk.file(ORDER).await;
    assert_eq!(reason(desk.requester.transition(&ticket.name, "close").await), ErrorReason::TransitionRefused);
    desk.agent.transition(&ticket.name, "close").await.unwrap();
    let refused = desk.requester.reply(&ticket.name, "Belum").await.unwrap_err();
    assert!(refused.message().contains("tiket baru"), "{refused}");
    assert_eq!(desk.status(&ticket).await, "closed");
}

#[tokio::test]
async fn presets_are_created_once_and_left_as_they_are() {
    let server = Server::start(database().with().presets()).await;
    let admin = server.admin();
    let helpdesks = eventually("the presets are there", async || {
        let page = admin.list_helpdesks(loket::v1::ListHelpdesksRequest::default()).await.unwrap();
        (page.helpdesks.len() == 5).then_some(page.helpdesks)
    })
    .await;
    let names: Vec<_> = helpdesks.iter().map(|helpdesk| helpdesk.name.as_str()).collect();
    assert_eq!(names, ["beone", "iduhelp", "oriflame", "ovo", "smmpanel"].map(|id| format!("helpdesks/{id}")));
    let mut renamed = helpdesks[0].clone();
    renamed.display_name = "Ours now".to_owned();
    let request =
        loket::v1::UpdateHelpdeskRequest { helpdesk: Some(renamed), ..loket::v1::UpdateHelpdeskRequest::default() };
    let renamed = admin.update_helpdesk(request).await.unwrap();
    let server = server.again().await;
    let get = loket::v1::GetHelpdeskRequest { name: renamed.name.clone() };
    assert_eq!(server.admin().get_helpdesk(get).await.unwrap(), renamed);
}
