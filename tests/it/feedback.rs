//! The survey after closing.

use std::time::Duration;

use insta::assert_snapshot;
use loket::v1::{ErrorReason, Feedback, SubmitFeedbackRequest, Ticket};

use super::database;
use crate::support::tail::{Tail, behind, narrow, snapshot};
use crate::support::{Caller, Desk, RICH, SIMPLE, draft, own, reason, told};

/// A desk with a closed ticket of ani's.
async fn closed() -> (Desk, Caller, Ticket) {
    let desk = Desk::of(database(), RICH).await;
    let ani = desk.requester("ani@example.com").await;
    let ticket = ani.create(own("Printer on fire")).await.unwrap();
    let ticket = desk.admin().transition(&ticket.name, "give_up").await.unwrap();
    (desk, ani, ticket)
}

#[tokio::test]
async fn a_requester_answers_each_closing_once() {
    let (desk, ani, ticket) = closed().await;
    let name = &ticket.name;
    let mut tail = Tail::open(narrow(&ani, 1 << 20).await, snapshot(&ani, "")).await.unwrap();
    tail.snapshot().await;
    let token = tail.seen.token.clone();
    let feedback = ani.rate(name, 5, "").await.unwrap();
    assert_eq!((feedback.rating, feedback.comment.as_str(), feedback.via_link), (5, "Terima kasih", false));
    assert_eq!((feedback.submit_time, feedback.close_time), (Some(desk.clock.timestamp()), ticket.close_time));
    assert_snapshot!(told(ani.rate(name, 1, "").await), @r"
    AlreadyExists FEEDBACK_EXISTS
    helpdesks/desk/tickets/1 has its feedback already; each closing is answered once
    ");
    for caller in [&ani, desk.admin()] {
        assert_eq!(caller.get(name).await.unwrap().feedback, Some(feedback.clone()));
        assert_eq!(caller.list("").await.unwrap()[0].feedback, Some(feedback.clone()));
    }
    let history = ani.changes(name).await.unwrap();
    let last = history.last().unwrap();
    assert_eq!((last.command.as_str(), last.field_changes[0].field.as_str()), ("SubmitFeedback", "feedback"));
    // Whoever watches is told, also from the log.
    let mut tail = Tail::open(narrow(&ani, 1 << 20).await, behind(&ani, "", &token)).await.unwrap();
    tail.until(desk.head().await).await;
    let watched = tail.seen.events.last().unwrap().ticket.as_ref().unwrap();
    assert_eq!(watched.feedback, Some(feedback.clone()));

    // While it is open again nobody asks; the next closing is another.
    desk.clock.advance(Duration::from_hours(1));
    desk.admin().transition(name, "reopen").await.unwrap();
    assert_snapshot!(told(ani.rate(name, 1, "").await), @r"
    FailedPrecondition TICKET_NOT_READY
    helpdesks/desk/tickets/1 cannot be changed so: the status `open` is not closed; a closed ticket is asked about
    - helpdesks/desk/tickets/1: the status `open` is not closed; a closed ticket is asked about
    ");
    let again = desk.admin().transition(name, "give_up").await.unwrap();
    assert_eq!(again.feedback, Some(feedback));
    let second = ani.rate(name, 2, "").await.unwrap();
    assert_eq!((second.rating, second.close_time), (2, again.close_time));
    assert_eq!(reason(ani.rate(name, 3, "").await), ErrorReason::FeedbackExists);
    assert_eq!(ani.get(name).await.unwrap().feedback, Some(second));
}

#[tokio::test]
async fn whoever_holds_the_link_answers_until_it_is_too_old() {
    let (desk, _, ticket) = closed().await;
    let other = desk.admin().create(draft("Another")).await.unwrap();
    let bela = desk.requester("bela@example.com").await;
    let service = desk.service("survey").await;
    let link = desk.agent("budi").await.survey_link(&ticket.name).await.unwrap();
    assert_eq!(link.uri, format!("https://survey.example/{}?token={}", ticket.name, link.token));
    let ten_days = 10 * 24 * 3600;
    assert_eq!(link.expire_time.unwrap().seconds - desk.clock.timestamp().seconds, ten_days);

    // Not without it, nor with one that is not this ticket's.
    assert_eq!(reason(bela.rate(&ticket.name, 1, "").await), ErrorReason::ResourceNotFound);
    assert_snapshot!(told(service.rate(&ticket.name, 1, "").await), @r"
    PermissionDenied ROLE_NOT_ALLOWED
    answering a survey without the token of its link is not for the role service; it is for: requester
    ");
    let mut forged = link.token.clone();
    forged.replace_range(forged.len() - 1.., if forged.ends_with('0') { "1" } else { "0" });
    for (name, token) in [(&ticket.name, forged.as_str()), (&ticket.name, "x"), (&other.name, link.token.as_str())] {
        assert_eq!(reason(bela.rate(name, 1, token).await), ErrorReason::InvalidSurveyToken, "{token}");
    }
    assert_snapshot!(told(bela.rate(&ticket.name, 1, "x").await), @r#"
    InvalidArgument INVALID_SURVEY_TOKEN
    token: is not of a survey link of "helpdesks/desk/tickets/1"
    - token: is not of a survey link of "helpdesks/desk/tickets/1"
    "#);
    // Word for word what is told of a ticket that there is not.
    let nowhere = "helpdesks/desk/tickets/99";
    assert_eq!(
        bela.rate(&ticket.name, 1, "x").await.unwrap_err().message().replace(&ticket.name, "?"),
        bela.rate(nowhere, 1, "x").await.unwrap_err().message().replace(nowhere, "?"),
    );
    assert_eq!(desk.admin().get(&ticket.name).await.unwrap().feedback, None);

    desk.clock.advance(Duration::from_secs(ten_days as u64));
    assert_snapshot!(told(bela.rate(&ticket.name, 4, &link.token).await), @r"
    FailedPrecondition SURVEY_TOKEN_EXPIRED
    the survey link of helpdesks/desk/tickets/1 was good until 2026-03-12T01:00:00.000000Z; ask the helpdesk for another
    ");
    let link = desk.admin().survey_link(&ticket.name).await.unwrap();
    let feedback = bela.rate(&ticket.name, 4, &link.token).await.unwrap();
    assert!(feedback.via_link);
    assert_eq!(reason(service.rate(&ticket.name, 5, &link.token).await), ErrorReason::FeedbackExists);
    // It opened the survey, and not the ticket.
    assert_eq!(reason(bela.get(&ticket.name).await), ErrorReason::ResourceNotFound);
}

#[tokio::test]
async fn a_link_is_good_after_a_restart() {
    let (desk, _, ticket) = closed().await;
    let token = desk.admin().survey_link(&ticket.name).await.unwrap().token;
    let server = desk.server.again().await;
    assert!(server.admin().rate(&ticket.name, 4, &token).await.unwrap().via_link);
}

#[tokio::test]
async fn what_is_wrong_with_an_answer_is_told() {
    let (desk, ani, ticket) = closed().await;
    let request =
        |feedback| SubmitFeedbackRequest { name: ticket.name.clone(), feedback, ..SubmitFeedbackRequest::default() };
    assert_snapshot!(told(ani.submit_feedback(request(None)).await), @r"
    InvalidArgument INVALID_REQUEST
    feedback: is required
    - feedback: is required
    ");
    let bad = Feedback { rating: 6, comment: "x".repeat(4_097), ..Feedback::default() };
    assert_snapshot!(told(ani.submit_feedback(request(Some(bad))).await), @r"
    InvalidArgument INVALID_REQUEST
    the request is invalid: 2
    - feedback.rating: 6 is no rating; write 1 to 5, the best
    - feedback.comment: has 4097 characters; at most 4096 are taken
    ");
    for rating in [0, -1, 6] {
        assert_eq!(reason(ani.rate(&ticket.name, rating, "").await), ErrorReason::InvalidRequest);
    }
    // Requesters do not get the links, and nobody learns of tickets by them.
    let unseen = "helpdesks/desk/tickets/99";
    assert_eq!(reason(ani.survey_link(&ticket.name).await), ErrorReason::RoleNotAllowed);
    assert_eq!(reason(ani.survey_link(unseen).await), ErrorReason::ResourceNotFound);
    let open = desk.admin().create(draft("Open")).await.unwrap();
    assert_eq!(reason(ani.survey_link(&open.name).await), ErrorReason::ResourceNotFound);
    assert_eq!(reason(desk.admin().survey_link(&open.name).await), ErrorReason::TicketNotReady);
    assert_eq!(reason(desk.admin().survey_link("helpdesks/desk").await), ErrorReason::InvalidRequest);
}

#[tokio::test]
async fn a_helpdesk_without_a_survey_takes_no_feedback() {
    let desk = Desk::of(database(), SIMPLE).await;
    let ani = desk.requester("ani@example.com").await;
    let ticket = ani.create(own("Mine")).await.unwrap();
    desk.admin().transition(&ticket.name, "close").await.unwrap();
    assert_snapshot!(told(ani.rate(&ticket.name, 5, "").await), @r"
    FailedPrecondition NO_SURVEY
    the definition of helpdesks/desk has no survey
    ");
    assert_eq!(reason(desk.admin().survey_link(&ticket.name).await), ErrorReason::NoSurvey);
}
