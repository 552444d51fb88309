//! The lines by themselves: who is taken when, and by whom.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::sync::Arc;

use tokio::sync::oneshot::error::TryRecvError;
use tokio::sync::oneshot::{Receiver, channel};

use super::{Held, Inbox, Limits};
use crate::engine::Request;
use crate::engine::submission::{Failure, Outcome, Submission};
use crate::engine::writer::tests::create;

type Answered = Receiver<Result<Outcome, Failure>>;

fn put(inbox: &Inbox, request: Request) -> Answered {
    let (answer, answered) = channel();
    inbox.put(Submission::new(request.into(), answer)).unwrap();
    answered
}

#[test]
fn a_full_line_refuses_at_once() {
    let inbox = Inbox::new(Limits { queued_commands: 2, ..Limits::default() });
    let _waiting = [put(&inbox, create("One")), put(&inbox, create("Two"))];
    let (answer, _answered) = channel();
    let refused = inbox.put(Submission::new(create("Three").into(), answer));
    assert!(matches!(refused, Err(Failure::Overloaded { .. })));
}

#[test]
fn bulk_work_leaves_a_quarter_of_a_line_to_others() {
    let inbox = Inbox::new(Limits { queued_commands: 4, ..Limits::default() });
    let bulk = || Request { bulk: true, ..create("Bulk") };
    let _bulk = [put(&inbox, bulk()), put(&inbox, bulk()), put(&inbox, bulk())];
    let (answer, _answered) = channel();
    let refused = inbox.put(Submission::new(bulk().into(), answer));
    assert!(matches!(refused, Err(Failure::Overloaded { .. })));
    let _other = put(&inbox, create("Four"));
}

#[test]
fn a_line_and_a_batch_are_full_of_bytes_too() {
    let inbox = Inbox::new(Limits { queued_bytes: 1_000, batch_bytes: 300, ..Limits::default() });
    let heavy = |bytes| Request { bytes, ..create("Heavy") };
    let _waiting = [400, 200, 100, 200].map(|bytes| put(&inbox, heavy(bytes)));
    let (answer, _answered) = channel();
    let refused = inbox.put(Submission::new(heavy(101).into(), answer));
    assert!(matches!(refused, Err(Failure::Overloaded { .. })));
    // One is taken however heavy it is, and as many more as fit.
    let mut taken = Vec::new();
    for _ in 0..3 {
        let held = inbox.take().unwrap();
        taken.push(held.submissions.iter().map(|submission| submission.request.bytes).collect::<Vec<_>>());
        inbox.release(&held.helpdesk, Vec::new());
    }
    assert_eq!(taken, [vec![400], vec![200, 100], vec![200]]);
    let _room_again = put(&inbox, heavy(1_000));
}

#[test]
fn the_helpdesk_that_waits_longest_is_next() {
    let inbox = Inbox::new(Limits { batch_commands: 1, batch_floor: 1, ..Limits::default() });
    let at = |helpdesk: &str| put(&inbox, Request { helpdesk: helpdesk.into(), ..create("Waits") });
    let _waiting = ["a", "b", "a", "c", "a"].map(at);
    let mut order = Vec::new();
    for _ in 0..5 {
        let held = inbox.take().unwrap();
        order.push(held.helpdesk.to_string());
        // What is left of it goes behind the others.
        inbox.release(&held.helpdesk, Vec::new());
    }
    assert_eq!(order, ["a", "b", "c", "a", "a"]);
}

/// The others are answered, and call, while these are written.
#[test]
fn of_many_that_wait_a_part_is_taken() {
    let inbox = Inbox::new(Limits::default());
    let mut waiting = 0;
    for (more, taken) in [(100, 100), (128, 128), (200, 128), (528, 200), (2_000, 512)] {
        let _answers: Vec<_> = (0..more).map(|_| put(&inbox, create("Waits"))).collect();
        waiting += more;
        let held = inbox.take().unwrap();
        assert_eq!(held.submissions.len(), taken, "of {waiting}");
        waiting -= taken;
        inbox.release(&held.helpdesk, Vec::new());
    }
}

#[test]
fn bulk_work_takes_a_quarter_while_people_wait_and_all_that_is_left() {
    let bulk = |held: &Held| held.submissions.iter().filter(|submission| submission.request.bulk).count();
    let with_both = |limits: Limits| {
        let inbox = Inbox::new(limits);
        let people = (0..400).map(|_| put(&inbox, create("Interactive")));
        let _people: Vec<_> = people.collect();
        let _bulk: Vec<_> = (0..400).map(|_| put(&inbox, Request { bulk: true, ..create("Bulk") })).collect();
        inbox
    };
    let whole = Limits { batch_floor: Limits::default().batch_commands, ..Limits::default() };
    let inbox = with_both(whole);
    let held = inbox.take().unwrap();
    assert_eq!((held.submissions.len(), bulk(&held)), (512, 128));
    let first = held.submissions.iter().take(8).map(|submission| submission.request.bulk).collect::<Vec<_>>();
    assert_eq!(first, [false, false, false, true, false, false, false, true]);
    inbox.release(&held.helpdesk, Vec::new());
    inbox.answered(512);
    let held = inbox.take().unwrap();
    assert_eq!((held.submissions.len(), bulk(&held)), (288, 272));

    let held = with_both(Limits::default()).take().unwrap();
    assert_eq!((held.submissions.len(), bulk(&held)), (266, 66), "of a part as of the whole");
}

/// Whoever lets go of a helpdesk goes on with what is left of it, and who is woken for another finds that one.
#[test]
fn several_writers_leave_nothing_behind() {
    const EACH: usize = 500;
    let limits = Limits { batch_floor: 1, batch_commands: 7, queued_commands: EACH, ..Limits::default() };
    let inbox = Arc::new(Inbox::new(limits));
    let writers: Vec<_> = (0..4)
        .map(|_| {
            let inbox = Arc::clone(&inbox);
            std::thread::spawn(move || {
                let mut taken = 0;
                while let Some(Held { helpdesk, submissions }) = inbox.take() {
                    taken += submissions.len();
                    inbox.answered(submissions.len());
                    inbox.release(&helpdesk, Vec::new());
                }
                taken
            })
        })
        .collect();
    for number in 0..3 * EACH {
        let request = Request { helpdesk: format!("desk-{}", number % 3).into(), ..create("Waits") };
        while inbox.put(Submission::new(request.clone().into(), channel().0)).is_err() {
            std::thread::yield_now();
        }
    }
    inbox.close();
    let taken: usize = writers.into_iter().map(|writer| writer.join().unwrap()).sum();
    assert_eq!(taken, 3 * EACH);
}

#[test]
fn when_a_writer_dies_what_waits_is_refused_and_nothing_more_is_taken() {
    let inbox = Inbox::new(Limits { batch_commands: 1, ..Limits::default() });
    let [mut held_one, mut waiting] = [put(&inbox, create("Held")), put(&inbox, create("Waiting"))];
    let held = inbox.take().unwrap();
    inbox.abandon();
    assert!(matches!(waiting.try_recv(), Ok(Err(Failure::ShuttingDown))));
    assert!(held_one.try_recv().is_err_and(|error| error == TryRecvError::Empty));
    drop(held.submissions);
    assert!(held_one.try_recv().is_err_and(|error| error == TryRecvError::Closed));
    inbox.release(&held.helpdesk, Vec::new());
    inbox.answered(1);
    let (answer, _answered) = channel();
    assert!(matches!(inbox.put(Submission::new(create("Late").into(), answer)), Err(Failure::ShuttingDown)));
    assert!(inbox.take().is_none());
}
