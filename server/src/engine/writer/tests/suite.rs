//! The tests of a writer. `tests.rs` takes this file in once for each database, under the database's name.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use prost::Message as _;
use tokio::sync::oneshot::error::TryRecvError;

use super::{
    DEFINITION, DESK, Desk, PANICS, agent, apply, by, claim_next, create, link, needing, reply, request, retitle,
    skilled, transition,
};
use crate::domain::commands::{
    ApplyDefinition, ClaimTicket, Command, DefinitionPart, Merged, Proposed, RegisterRequester, ReleaseTicket,
    TransitionTicket, UpdateAgent, UpdateTicket, VerifyRequester,
};
use crate::domain::context::{Answer, DefinitionVersion};
use crate::domain::definition::{Definition, DefinitionSpec};
use crate::domain::requester::id_of;
use crate::domain::{ContactRefusal, Refusal, ReplyKind, Role};
use crate::engine::definitions::Definitions;
use crate::engine::inbox::Held;
use crate::engine::{Failure, Limits, Outcome, Request, load, skill_lists};
use crate::store::throwaway::Throwaway;
use crate::store::{definition_payload, heads, payload, tickets};

/// The database that this copy of the suite runs on.
fn name() -> &'static str {
    module_path!().rsplit("::").next().unwrap()
}

fn throwaway() -> Throwaway {
    Throwaway::named(name())
}

fn patient() -> Desk {
    Desk::patient(throwaway())
}

#[test]
fn five_hundred_creates_read_no_more_often_than_one() {
    let mut desk = patient();
    // The first finds no head, and makes one.
    desk.all([create("First")])[0].as_ref().unwrap();
    let mut one = BTreeMap::new();
    for commands in [1, 512] {
        let mut answered: Vec<_> = (0..commands).map(|number| desk.put(create(&format!("Ticket {number}")))).collect();
        let before = desk.head();
        let counts = desk.counted(Desk::run);
        for answer in &mut answered {
            answer.try_recv().unwrap().unwrap();
        }
        assert_eq!(desk.head() - before, i64::try_from(commands).unwrap());
        assert_eq!((counts["BEGIN"], counts["COMMIT"]), (1, 1), "{counts:?}");
        if commands == 1 {
            one = counts.clone();
        }
        match name() {
            // Each statement is a message there and back: their number does not grow.
            "postgres" => assert_eq!(counts, one),
            // One for many rows of each of five tables.
            _ => assert!(counts["INSERT"] <= one["INSERT"] + 5 * commands / 32, "{counts:?}"),
        }
        assert_eq!(counts["SELECT"], one["SELECT"], "{counts:?}");
    }
    assert!((1..=6).contains(&one["SELECT"]), "{one:?}");
    assert!(name() != "postgres" || one.values().sum::<usize>() <= 8, "{one:?}");
}

#[test]
fn who_files_is_looked_up_for_all_together_and_codes_are_counted_one_by_one() {
    let mut desk = patient();
    let email = |number: usize| format!("c{number}@example.com");
    let code = [7; 32];
    let demanding = format!("{DEFINITION}identity: IDENTITY_POLICY_VERIFIED\n");
    assert!(desk.all([create("First"), apply(&demanding)]).iter().all(Result::is_ok));
    let register = |number| {
        let command = RegisterRequester { email: email(number), display_name: String::new(), code: Some(code) };
        by("service", Command::RegisterRequester(command))
    };
    let verify = |number, code| {
        let command = VerifyRequester { requester: id_of(&email(number)), code, validate_only: false };
        by("service", Command::VerifyRequester(command))
    };
    // Within one batch, each sees what those before it have done.
    for number in 0..64 {
        assert!(desk.all([register(number), verify(number, code)]).iter().all(Result::is_ok));
    }
    let told = desk.all([register(64), verify(64, [0; 32]), verify(64, [1; 32])]).map(Result::unwrap);
    let left = |outcome: &Outcome| {
        let Answer::Refused(refusal) = &outcome.answer else { return None };
        let Refusal::Contact(ContactRefusal::CodeRefused { tries_left, .. }) = **refusal else { return None };
        Some(tries_left)
    };
    assert_eq!(told.each_ref().map(left), [None, Some(4), Some(3)]);

    let file = |number: usize| {
        let mut request = create("Mine");
        if let Command::CreateTicket(command) = &mut request.command {
            command.requester = email(number);
        }
        request
    };
    assert!(matches!(desk.all([file(64)])[0], Err(Failure::Refused(Refusal::Contact(_)))));
    let mut reads = Vec::new();
    for requesters in [0..1, 1..64] {
        let mut answered: Vec<_> = requesters.map(|number| desk.put(file(number))).collect();
        let counts = desk.counted(Desk::run);
        for answer in &mut answered {
            answer.try_recv().unwrap().unwrap();
        }
        reads.push(counts["SELECT"]);
    }
    assert_eq!(reads[0], reads[1]);
}

#[test]
fn replies_and_claims_of_many_tickets_read_no_more_often_than_of_one() {
    let mut desk = patient();
    let _waiting: Vec<_> = (0..201).map(|_| desk.put(create("Ticket"))).collect();
    desk.run();
    let mut reads = Vec::new();
    for tickets in [1..=1, 2..=101] {
        let mut answered = Vec::new();
        for ticket in tickets {
            answered.extend([desk.put(reply(ticket)), desk.put(claim_next())]);
        }
        let counts = desk.counted(Desk::run);
        for answer in &mut answered {
            answer.try_recv().unwrap().unwrap();
        }
        reads.push(counts["SELECT"]);
    }
    assert_eq!(reads[0], reads[1]);
}

/// Whatever skills they have, and however many rows they take away.
#[test]
fn claims_by_skill_read_and_delete_no_more_often_than_one_and_load_what_they_may_take() {
    let mut desk = patient();
    assert!(desk.all([apply(&skilled()), agent("all", 0..40), agent("one", 0..1)]).iter().all(Result::is_ok));
    let _waiting: Vec<_> = (0..400).map(|number| desk.put(needing(number % 40))).collect();
    desk.run();
    let claim = |subject: &str| by(subject, claim_next().command);
    let mut statements = Vec::new();
    for (subject, claims) in [("one", 1), ("all", 1), ("all", 100)] {
        let mut answered: Vec<_> = (0..claims).map(|_| desk.put(claim(subject))).collect();
        let counts = desk.counted(Desk::run);
        for answer in &mut answered {
            assert!(matches!(answer.try_recv().unwrap().unwrap().answer, Answer::Ticket(_)));
        }
        statements.push((counts["SELECT"], counts["DELETE"]));
    }
    assert_eq!(statements, [statements[0]; 3]);

    // 298 wait, in 40 lists: those that come first are loaded, and none beside them.
    let requests = [claim("all"), claim("one"), claim("all"), claim("all")];
    let connection = desk.writer.connection.as_mut().unwrap();
    let head = heads::get(connection, DESK).unwrap().unwrap();
    let rules = desk.writer.definitions.version(connection, DESK, head.definition_version).unwrap();
    let set = load::working_set(connection, DESK, &head, rules.as_deref(), requests.iter()).unwrap();
    assert_eq!(set.tickets.len(), 4);
    assert!(set.skilled["main"].values().map(BTreeSet::len).sum::<usize>() <= 40 * 4);
    let foreseen: BTreeSet<_> = set.tickets.into_keys().collect();
    let got: BTreeSet<_> = desk.claimed(requests).into_iter().flatten().collect();
    assert_eq!(got, foreseen);
    // Each has been given once, in the order of the queue.
    assert_eq!(desk.count("waiting_skills"), 294);
}

/// Long lists are looked at as far as a batch may take from them.
#[test]
fn a_batch_claims_by_skill_as_far_as_there_are_tickets() {
    let mut desk = patient();
    assert!(desk.all([apply(&skilled()), agent("two", 0..2), agent("one", 0..1)]).iter().all(Result::is_ok));
    let _waiting: Vec<_> = (0..300).map(|number| desk.put(needing(number % 3))).collect();
    desk.run();
    let claim = |number: usize| by(if number.is_multiple_of(2) { "two" } else { "one" }, claim_next().command);
    let mut answered: Vec<_> = (0..250).map(|number| desk.put(claim(number))).collect();
    desk.run();
    let mut got = 0;
    for answer in &mut answered {
        let answer = answer.try_recv().unwrap().unwrap().answer;
        assert!(matches!(answer, Answer::Ticket(_) | Answer::NoneFits), "{answer:?}");
        got += usize::from(matches!(answer, Answer::Ticket(_)));
    }
    assert_eq!(got, 200, "all but those of the third skill");
    assert_eq!(desk.count("waiting_skills"), 100);
}

/// As a server leaves the lists that knows nothing of them: what it took away is still in them, what it filed is not.
#[test]
fn lists_of_skills_that_an_older_server_left_behind_are_set_right() {
    let mut desk = patient();
    assert!(desk.all([apply(&skilled()), agent("one", 0..1)]).iter().all(Result::is_ok));
    let _waiting: Vec<_> = (0..100).map(|_| desk.put(needing(0))).collect();
    desk.run();
    desk.execute("CREATE TEMPORARY TABLE kept AS SELECT * FROM waiting_skills");
    let mut answered: Vec<_> = (0..50).map(|_| desk.put(by("somebody", claim_next().command))).collect();
    desk.run();
    assert!(answered.iter_mut().all(|answer| answer.try_recv().unwrap().is_ok()));
    desk.execute("DELETE FROM waiting_skills; INSERT INTO waiting_skills SELECT * FROM kept WHERE ticket <= 99");

    // One that is given back comes to the place at which it is already.
    let release = ReleaseTicket { ticket: 1, reason: "not mine".to_owned(), etag: String::new() };
    desk.all([by("somebody", Command::ReleaseTicket(release))])[0].as_ref().unwrap();
    let claim = || by("one", claim_next().command);
    let mut got: BTreeSet<_> = desk.claimed([claim(), claim(), claim()]).into_iter().collect();
    assert_eq!(got.len(), 3);
    let mut answered: Vec<_> = (0..48).map(|_| desk.put(claim())).collect();
    desk.run();
    got.extend(answered.iter_mut().map(|answer| {
        let Answer::Ticket(ticket) = answer.try_recv().unwrap().unwrap().answer else { return None };
        Some(ticket.id)
    }));
    assert_eq!(got, std::iter::once(1).chain(51..=99).map(Some).chain([None]).collect());
    assert_eq!(desk.count("waiting_skills"), 0);

    let connection = desk.writer.connection.as_mut().unwrap();
    let next = skill_lists::complete(connection, &desk.writer.definitions, DESK, "main", None).unwrap();
    assert_eq!((next, desk.count("waiting_skills")), (None, 1));
    assert_eq!(desk.claimed([claim()]), [Some(100)]);
}

/// Also when there is nothing else to commit.
#[test]
fn misplaced_tickets_go_from_the_lists_of_skills_though_nobody_gets_one() {
    let mut desk = patient();
    assert!(desk.all([apply(&skilled()), agent("one", 0..1), needing(1)]).iter().all(Result::is_ok));
    desk.execute(
        "INSERT INTO waiting_skills (helpdesk, queue, skill, queue_key, ticket) VALUES ('desk', 'main', 's0', '1', 1),
             ('desk', 'main', 's0', '1', 77)",
    );
    assert_eq!(desk.claimed([by("one", claim_next().command)]), [None]);
    assert_eq!(desk.count("waiting_skills"), 1);
}

#[test]
fn a_command_that_panics_is_internal_for_itself_alone() {
    let mut desk = patient();
    let panics = by(PANICS, create("Panics").command);
    let [first, panicked, last] = desk.all([create("First"), panics, create("Last")]);
    assert_eq!(first.unwrap().revision, 1);
    assert!(matches!(panicked, Err(Failure::Internal)));
    assert_eq!(last.unwrap().revision, 2);
    assert_eq!(desk.log(), [(1, "CreateTicket".to_owned()), (2, "CreateTicket".to_owned())]);
}

#[test]
fn a_refused_command_leaves_no_trace_among_its_neighbours() {
    let mut desk = patient();
    let [first, refused, claimed, lost] = desk.all([
        create("First"),
        create(""),
        by("dewi", Command::ClaimTicket(ClaimTicket { ticket: 1, etag: String::new() })),
        by("rina", Command::ClaimTicket(ClaimTicket { ticket: 1, etag: String::new() })),
    ]);
    assert_eq!(first.unwrap().revision, 1);
    assert!(matches!(refused, Err(Failure::Refused(Refusal::Invalid(_)))));
    assert_eq!(claimed.unwrap().revision, 2);
    assert!(matches!(lost, Err(Failure::Refused(Refusal::AlreadyClaimed { assignee, .. })) if assignee == "dewi"));
    assert_eq!(desk.head(), 2);
}

/// What the database has against one is found out with all of a batch, which is then tried one by one.
#[test]
fn what_the_database_refuses_harms_no_neighbour() {
    let mut desk = patient();
    let faulty = match name() {
        "sqlite" => {
            "CREATE TRIGGER faulty BEFORE INSERT ON tickets WHEN NEW.subject = 'Faulty'
             BEGIN SELECT RAISE(ABORT, 'faulty'); END"
        }
        _ => {
            "CREATE FUNCTION faulty() RETURNS trigger LANGUAGE plpgsql AS
                 'BEGIN RAISE EXCEPTION ''faulty''; END';
             CREATE TRIGGER faulty BEFORE INSERT ON tickets FOR EACH ROW WHEN (NEW.subject = 'Faulty')
                 EXECUTE FUNCTION faulty()"
        }
    };
    desk.execute(faulty);
    let [first, refused, last] = desk.all([create("First"), create("Faulty"), create("Last")]);
    assert_eq!(first.unwrap().revision, 1);
    assert!(matches!(refused, Err(Failure::Store(_))));
    assert_eq!(last.unwrap().revision, 2);
    assert_eq!(desk.count("tickets"), 2);
    assert_eq!(desk.head(), 2);
}

#[test]
fn nobody_waits_so_nothing_is_decided() {
    let mut desk = patient();
    let mut late = desk.put(Request { deadline: Some(Instant::now()), ..create("Too late") });
    drop(desk.put(create("Its caller is gone")));
    let mut in_time =
        desk.put(Request { deadline: Some(Instant::now() + Duration::from_hours(1)), ..create("In time") });
    desk.run();
    assert!(matches!(late.try_recv(), Ok(Err(Failure::TimedOut))));
    assert_eq!(in_time.try_recv().unwrap().unwrap().revision, 1);
    assert_eq!(desk.log().len(), 1);
}

#[test]
fn when_time_is_up_the_rest_waits_for_the_next_batch_in_its_order() {
    let mut desk = Desk::new(throwaway(), Limits { batch_time: Duration::ZERO, ..Limits::default() });
    let mut answered: Vec<_> = (0..3).map(|number| desk.put(create(&format!("Ticket {number}")))).collect();
    for place in 0..3 {
        desk.run();
        for (other, answer) in answered.iter_mut().enumerate() {
            let expected = i64::try_from(other + 1).unwrap();
            match answer.try_recv() {
                Ok(outcome) => assert_eq!((other, outcome.unwrap().revision), (place, expected)),
                Err(TryRecvError::Empty) => assert!(other > place),
                Err(TryRecvError::Closed) => assert!(other < place),
            }
        }
    }
}

/// A definition looks at kept counts, which a batch does not carry along.
#[test]
fn a_definition_sees_what_was_filed_in_the_moment_before() {
    let mut desk = patient();
    let without_a = DEFINITION.replace("{value: a}, ", "");
    let [created, applied, after] = desk.all([create("Uses a"), apply(&without_a), create("Uses a, too")]);
    created.unwrap();
    assert!(matches!(applied, Err(Failure::Refused(Refusal::DefinitionInUse(_)))), "{applied:?}");
    after.unwrap();

    let wider = DEFINITION.replace("{value: b}", "{value: b}, {value: c}");
    let mut uses_c = create("Uses c");
    if let Command::CreateTicket(command) = &mut uses_c.command {
        command.fields.insert("kind".to_owned(), "c".to_owned());
    }
    let [applied, created] = desk.all([apply(&wider), uses_c]);
    assert!(matches!(applied.unwrap().answer, Answer::Definition(version) if version.version == 2));
    created.unwrap();
}

#[test]
fn a_request_id_counts_within_a_batch_and_after_it() {
    let mut desk = patient();
    let once = create("Once");
    let again = || Request { request_id: once.request_id.clone(), command: once.command.clone(), ..create("") };
    let [first, second] = desk.all([again(), again()]);
    let [third] = desk.all([again()]);
    let other_content = Request { digest: [8; 32], ..again() };
    let [reused] = desk.all([other_content]);
    let other_subject = Request { actor: by("dewi", claim_next().command).actor, ..again() };
    assert_eq!((first.unwrap().replayed, second.unwrap().replayed, third.unwrap().replayed), (false, true, true));
    assert!(matches!(reused, Err(Failure::Refused(Refusal::RequestIdReused { .. }))));
    let [others] = desk.all([other_subject]);
    assert!(matches!(others, Err(Failure::Refused(Refusal::ExternalRefExists { .. }))), "another subject's is another");
    assert_eq!(desk.head(), 1);
}

/// A commit happened and its answer was lost: its commands are tried again, and are found in the log, also those whose
/// request ids the server made.
#[test]
fn what_an_unknown_commit_did_is_not_done_again() {
    let mut desk = patient();
    let fresh = |subject: &str| {
        let mut request = create(subject);
        request.request_id.fresh = true;
        request
    };
    let mut answered = [desk.put(fresh("One")), desk.put(create("Two"))];
    let Held { helpdesk, mut submissions } = desk.inbox.take().unwrap();
    let Ok(committed) = desk.writer.attempt(&helpdesk, &submissions) else { panic!("the first try commits") };
    assert_eq!(committed.entries.len(), 2);
    for submission in &mut submissions {
        submission.request.request_id.fresh = false;
    }
    let rest = desk.writer.commit(&helpdesk, submissions);
    assert!(rest.is_empty());
    for (answer, revision) in answered.iter_mut().zip(1..) {
        let outcome = answer.try_recv().unwrap().unwrap();
        assert_eq!((outcome.replayed, outcome.revision), (true, revision));
    }
    assert_eq!(desk.head(), 2);
}

/// A ticket that is closed is no obstacle, and one that is reopened is again, also within a batch.
#[test]
fn a_ticket_is_answered_as_it_was_encoded_for_the_log() {
    let mut desk = patient();
    let named = create("Three");
    let mut outcomes = Vec::from(desk.all([create("One"), create("Two"), named.clone()]).map(Result::unwrap));
    // A link changes both of its tickets in one revision.
    outcomes.extend(desk.all([retitle(1, "Uno"), link(2, 1), retitle(2, "Due")]).map(Result::unwrap));
    for outcome in outcomes {
        let Answer::Ticket(ticket) = outcome.answer else { panic!("these answer with tickets") };
        let encoded = loket::v1::Ticket::decode(outcome.encoded.unwrap()).unwrap();
        assert_eq!(encoded, payload::ticket_to_proto(DESK, &ticket, false));
        assert_eq!(encoded.revision, outcome.revision);
    }
    let [again, reply] = desk.all([named, reply(1)]).map(Result::unwrap);
    assert!(again.replayed && again.encoded.is_none());
    assert!(reply.encoded.is_none());
}

#[test]
fn a_repeated_text_is_seen_within_a_batch_and_after_it() {
    let mut desk = patient();
    let strict = DEFINITION
        .replace("fields:", "- {id: reopen, from: [closed], to: new, trigger: TRANSITION_TRIGGER_MANUAL}\nfields:");
    let strict = format!("{strict}duplicate_policy: {{on_create: DUPLICATE_ACTION_REFUSE}}\n");
    assert!(desk.all([create("Filed before"), apply(&strict)]).iter().all(Result::is_ok));
    let refused = |outcome: Result<_, Failure>, first: &str| match outcome {
        Err(Failure::Refused(Refusal::DuplicateTicket { first: named })) => assert_eq!(named, first),
        other => panic!("not refused: {other:?}"),
    };
    let [two, repeated, closed, three, reopened, again, before] = desk.all([
        create("Printer"),
        create("printer"),
        transition(2, "close"),
        create("Printer"),
        transition(2, "reopen"),
        create("Printer"),
        create("Filed before"),
    ]);
    assert!([two, closed, three, reopened].iter().all(Result::is_ok));
    refused(repeated, "helpdesks/desk/tickets/2");
    refused(again, "helpdesks/desk/tickets/2");
    refused(before, "helpdesks/desk/tickets/1");
    let [closed, repeated, closed_too, reopened, again] = desk.all([
        transition(2, "close"),
        create("Printer"),
        transition(3, "close"),
        transition(3, "reopen"),
        create("Printer"),
    ]);
    assert!([closed, closed_too, reopened].iter().all(Result::is_ok));
    refused(repeated, "helpdesks/desk/tickets/3");
    refused(again, "helpdesks/desk/tickets/3");
    let [closed, four] = desk.all([transition(3, "close"), create("Printer")]);
    assert!(closed.is_ok() && four.is_ok());
    assert_eq!(desk.all([transition(2, "reopen"), create("Printer")]).map(|outcome| outcome.is_ok()), [true, false]);
}

#[test]
fn a_text_that_a_batch_has_changed_is_free_within_it() {
    let mut desk = patient();
    let strict = format!("{DEFINITION}duplicate_policy: {{on_create: DUPLICATE_ACTION_REFUSE}}\n");
    assert!(desk.all([create("Printer"), apply(&strict)]).iter().all(Result::is_ok));
    let done = desk.all([
        retitle(1, "Fax"),
        create("Printer"),
        create("fax"),
        // Where only the spelling is new, the text is still its own.
        retitle(1, "FAX"),
        create("fax"),
        // Also of one that the batch has filed.
        retitle(2, "Scanner"),
        create("Printer"),
        retitle(1, "Printer"),
        create("Fax"),
        create("Printer"),
    ]);
    let is_ok = done.map(|outcome| outcome.is_ok());
    assert_eq!(is_ok, [true, true, false, true, false, true, true, true, true, false]);
}

/// However many links lead on: each level of all lines is one read.
#[test]
fn links_of_many_tickets_read_no_more_often_than_of_few() {
    let mut desk = patient();
    let _filed: Vec<_> = (0..201).map(|_| desk.put(create("Ticket"))).collect();
    desk.run();
    let mut reads = Vec::new();
    for tickets in [1..=1, 2..=100] {
        let mut answered: Vec<_> = tickets.map(|ticket| desk.put(link(ticket, ticket + 100))).collect();
        let counts = desk.counted(Desk::run);
        for answer in &mut answered {
            answer.try_recv().unwrap().unwrap();
        }
        reads.push(counts["SELECT"]);
    }
    assert_eq!(reads[0], reads[1]);
    // What closes a circle through links of the same batch is found, and so is what is too long.
    let mut links: Vec<_> = (101..165).map(|ticket| desk.put(link(ticket + 1, ticket))).collect();
    links.push(desk.put(link(101, 140)));
    links.push(desk.put(link(1, 165)));
    desk.run();
    let made = links.iter_mut().map(|answer| answer.try_recv().unwrap().is_ok()).collect::<Vec<_>>();
    assert_eq!(made.iter().position(|made| !made), Some(63), "a line has 64 tickets");
    assert_eq!(made[63..], [false, false, false]);
}

/// Each names another by its number or its name, half of them only in the command that takes the transition.
#[test]
fn tickets_that_fields_name_are_read_all_together() {
    let mut desk = patient();
    let linking = DEFINITION
        .replace("to: closed,", "to: closed, effects: {link: {kind: LINK_KIND_PARENT, field: above}},")
        .replace("fields:", "fields:\n- {id: above, type: FIELD_TYPE_TEXT}");
    assert!(desk.all([create("First"), apply(&linking)]).iter().all(Result::is_ok));
    let _filed: Vec<_> = (0..200).map(|_| desk.put(create("Ticket"))).collect();
    desk.run();
    let mut reads = Vec::new();
    for tickets in [2..=3, 4..=99] {
        let close = |ticket: i64| {
            let above = if ticket % 2 == 0 {
                format!("helpdesks/desk/tickets/{}", ticket + 100)
            } else {
                (ticket + 100).to_string()
            };
            close_below(ticket, &above)
        };
        let mut answered: Vec<_> = tickets.map(|ticket| desk.put(close(ticket))).collect();
        let counts = desk.counted(Desk::run);
        for answer in &mut answered {
            answer.try_recv().unwrap().unwrap();
        }
        reads.push(counts["SELECT"]);
    }
    assert_eq!(reads[0], reads[1]);
    // Of what the same batch has filed, set and linked everything is known.
    let done = desk.all([
        create("Ticket"),
        close_below(202, "100"),
        put_below(100, "202"),
        transition(100, "close"),
        put_below(100, "101"),
        transition(100, "close"),
        transition(101, "close"),
    ]);
    assert_eq!(done.map(|outcome| outcome.is_ok()), [true, true, true, false, true, true, true]);
}

fn close_below(ticket: i64, above: &str) -> Request {
    let (transition, fields) = ("close".to_owned(), [("above".to_owned(), above.to_owned())].into());
    request(Command::TransitionTicket(TransitionTicket { ticket, transition, fields, ..TransitionTicket::default() }))
}

fn put_below(ticket: i64, above: &str) -> Request {
    let fields = [("above".to_owned(), above.to_owned())].into();
    request(Command::UpdateTicket(UpdateTicket { ticket, fields, ..UpdateTicket::default() }))
}

#[test]
fn a_circle_is_seen_when_a_ticket_of_it_is_in_the_batch_for_something_else() {
    let mut desk = patient();
    for done in desk.all([create("a"), create("b"), create("c"), create("d")]) {
        done.unwrap();
    }
    for done in desk.all([link(1, 2), link(2, 3), link(3, 4)]) {
        done.unwrap();
    }
    let [replied, linked] = desk.all([reply(2), link(4, 1)]);
    replied.unwrap();
    assert!(matches!(linked, Err(Failure::Refused(Refusal::LinkRefused { .. }))), "{linked:?}");
}

/// A command that fails for a reason of its own is not tried again while others wait.
#[test]
fn a_database_that_refuses_is_not_asked_again() {
    let mut desk = patient();
    desk.all([create("First")])[0].as_ref().unwrap();
    desk.writer.connection.as_mut().unwrap().batch_execute("ALTER TABLE counts RENAME TO gone").unwrap();
    let mut answered = [desk.put(create("One")), desk.put(create("Two"))];
    let counts = desk.counted(Desk::run);
    for answer in &mut answered {
        assert!(matches!(answer.try_recv(), Ok(Err(Failure::Store(_)))));
    }
    // Together, and then each alone.
    assert_eq!(counts["BEGIN"], 3, "{counts:?}");
    desk.writer.connection.as_mut().unwrap().batch_execute("ALTER TABLE gone RENAME TO counts").unwrap();
    desk.all([create("Second")])[0].as_ref().unwrap();
    assert_eq!(desk.head(), 2);
}

/// Only a new order gives them places: they are read by the page, and where one ends is asked for.
#[test]
fn a_definition_reads_those_who_wait_only_when_their_order_changes() {
    let mut desk = patient();
    for created in desk.all([create("One"), create("Two")]) {
        created.unwrap();
    }
    let mut reads = Vec::new();
    for yaml in [
        format!("display_name: New\n{DEFINITION}"),
        DEFINITION.replace("{id: main}", "{id: main, ordering: [ORDERING_KEY_RECEIVE_TIME]}"),
    ] {
        let mut applied = desk.put(apply(&yaml));
        let counts = desk.counted(Desk::run);
        applied.try_recv().unwrap().unwrap();
        reads.push(counts["SELECT"]);
    }
    assert_eq!(reads[1], reads[0] + 2, "{reads:?}");
}

/// An older server has applied it, and looked for less.
#[test]
fn a_definition_that_contradicts_itself_is_held_to_what_an_update_adds() {
    let mut desk = patient();
    let contradictory = DEFINITION.replace("to: closed,", "to: closed, guards: [{expression: 'false', message: No.}],");
    let helpdesk = loket::json::helpdesk_from_yaml(&contradictory).unwrap();
    let (spec, _) = definition_payload::spec_from_proto(&helpdesk);
    let old = Proposed::Whole(Arc::new(Definition::stored(spec.clone()).unwrap()));
    assert!(desk.all([create("First"), propose(old)]).iter().all(Result::is_ok));
    let part = |current: &DefinitionVersion, change: fn(&mut DefinitionSpec), part| {
        let mut spec = spec.clone();
        change(&mut spec);
        propose(Proposed::Merged(Merged::new(current, &spec, &[part])))
    };
    let current = |desk: &mut Desk| {
        let connection = desk.writer.connection.as_mut().unwrap();
        Definitions::default().current(connection, DESK).unwrap().unwrap()
    };
    let contradictory = current(&mut desk);
    let renamed =
        part(&contradictory, |spec| "Renamed".clone_into(&mut spec.display_name), DefinitionPart::DisplayName);
    let worse = part(
        &contradictory,
        |spec| "ticket.stats == ''".clone_into(&mut spec.transitions[0].guards[0].expression),
        DefinitionPart::Transitions,
    );
    let late = part(&contradictory, |spec| "Late".clone_into(&mut spec.display_name), DefinitionPart::DisplayName);
    let [worse, renamed, outdated] = desk.all([worse, renamed, late]);
    assert!(renamed.is_ok(), "{renamed:?}");
    let Err(Failure::Refused(Refusal::EtagMismatch { sent, .. })) = outdated else { panic!("{outdated:?}") };
    assert_eq!(sent, contradictory.etag());
    let Err(Failure::Refused(Refusal::InvalidDefinition(wrong))) = worse else { panic!("{worse:?}") };
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    // Whoever reads it is told.
    let read = current(&mut desk);
    assert_eq!((read.version, read.definition.spec().display_name.as_str()), (3, "Renamed"));
    let told: Vec<_> = read.definition.contradictions().iter().map(|wrong| wrong.field.as_str()).collect();
    assert_eq!(told, ["transitions[0].guards[0].expression"]);
    let mended = part(&read, |spec| spec.transitions[0].guards.clear(), DefinitionPart::Transitions);
    assert!(desk.all([mended]).iter().all(Result::is_ok));
    let read = current(&mut desk);
    assert_eq!(read.definition.contradictions(), []);
}

/// Its first command does not wait until it is checked again.
#[test]
fn a_new_helpdesks_definition_is_known() {
    assert!(patient().writer.definitions.has(DESK));
}

/// Applied in one database, and another one in that which took over without it.
#[test]
fn a_definition_that_was_lost_is_not_decided_by() {
    let with = |choice| DEFINITION.replace("{value: b}", &format!("{{value: b}}, {{value: {choice}}}"));
    let of_kind = |kind: &str| {
        let mut request = create("Of a kind");
        if let Command::CreateTicket(command) = &mut request.command {
            command.fields.insert("kind".to_owned(), kind.to_owned());
        }
        request
    };
    for is_applied_elsewhere in [false, true] {
        let mut desk = patient();
        assert!(desk.all([apply(&with("lost")), of_kind("lost")]).iter().all(Result::is_ok));
        desk.execute(
            "DELETE FROM definitions WHERE helpdesk = 'desk' AND version = 2;
             UPDATE heads SET definition_version = 1 WHERE helpdesk = 'desk'",
        );
        desk.writer.connection = None;
        if is_applied_elsewhere {
            let known = std::mem::take(&mut desk.writer.definitions);
            assert!(desk.all([apply(&with("found"))]).iter().all(Result::is_ok));
            desk.writer.definitions = known;
            desk.writer.connection = None;
        } else {
            assert!(desk.all([apply(&with("found"))]).iter().all(Result::is_ok));
        }
        let [lost, found] = desk.all([of_kind("lost"), of_kind("found")]);
        assert!(lost.is_err() && found.is_ok(), "{lost:?} {found:?}");
    }
}

fn propose(proposed: Proposed) -> Request {
    request(Command::ApplyDefinition(ApplyDefinition { proposed, etag: String::new() }))
}

#[test]
fn a_claim_by_name_leaves_the_next_to_who_asks_for_it() {
    let mut desk = patient();
    assert!(desk.all([create("One"), create("Two")]).iter().all(Result::is_ok));
    let named = Command::ClaimTicket(ClaimTicket { ticket: 1, etag: String::new() });
    assert_eq!(desk.claimed([by("dewi", named), claim_next()]), [Some(1), Some(2)]);
}

#[test]
fn an_agent_that_was_changed_in_front_of_its_claim_gets_what_it_may_take_now() {
    let mut desk = patient();
    assert!(desk.all([apply(&skilled()), agent("budi", 0..1), needing(1)]).iter().all(Result::is_ok));
    let skills = Some(vec!["s1".to_owned()]);
    let update = UpdateAgent { id: "budi".to_owned(), skills, ..UpdateAgent::default() };
    let mut update = by("lead", Command::UpdateAgent(update));
    update.actor.role = Role::Admin;
    assert_eq!(desk.claimed([update, claim_next()]), [None, Some(1)]);
}

/// A ticket of which nothing is said but what must be.
fn bare(subject: &str) -> Request {
    let mut request = create(subject);
    if let Command::CreateTicket(command) = &mut request.command {
        command.external_refs.clear();
    }
    request
}

/// Tickets that nothing was done with are written in a shorter way: not those that something was done with in their batch.
#[test]
fn what_was_done_with_a_ticket_in_the_batch_that_files_it_is_on_disk() {
    let with_solution = |mut request: Request| {
        if let Command::CreateTicket(command) = &mut request.command {
            command.solution = "Water".to_owned();
        }
        request
    };
    let note = |mut request: Request| {
        if let Command::CreateReply(command) = &mut request.command {
            command.kind = ReplyKind::Note;
        }
        request
    };
    let batches = [
        vec![with_solution(bare("Solved"))],
        vec![bare("Claimed"), claim_next()],
        vec![bare("Noted"), note(reply(1))],
        vec![bare("Answered"), reply(1)],
        vec![bare("Closed"), transition(1, "close")],
        vec![bare("Linked"), bare("Parent"), link(1, 2)],
    ];
    let kept = batches.map(|batch| {
        let mut desk = patient();
        let mut answered: Vec<_> = batch.into_iter().map(|request| desk.put(request)).collect();
        desk.run();
        for answer in &mut answered {
            answer.try_recv().unwrap().unwrap();
        }
        let connection = desk.writer.connection.as_mut().unwrap();
        let ticket = tickets::by_ids(connection, DESK, &[1]).unwrap().remove(&1).unwrap();
        let replies = (ticket.replies.notes, ticket.replies.staff, ticket.first_reply_time.is_some());
        (ticket.solution, ticket.assignee, replies, ticket.close_time.is_some(), ticket.more.links.len())
    });
    let kept = kept.each_ref().map(|kept| (kept.0.as_str(), kept.1.as_str(), kept.2, kept.3, kept.4));
    let unanswered = (0, 0, false);
    assert_eq!(
        kept,
        [
            ("Water", "", unanswered, false, 0),
            ("", "budi", unanswered, false, 0),
            ("", "", (1, 0, false), false, 0),
            ("", "", (0, 1, true), false, 0),
            ("", "", unanswered, true, 0),
            ("", "", unanswered, false, 1),
        ]
    );
}

/// A new format may write what an old one wrote before.
#[test]
fn tickets_that_are_filed_together_pass_over_the_numbers_there_are() {
    let mut desk = patient();
    let numbered = |format: &str| {
        let policy = format!("number_policy: {{assigned_on: NUMBER_ASSIGNMENT_SUBMISSION, format: '{format}'}}\n");
        apply(&format!("{DEFINITION}{policy}"))
    };
    let numbers = |desk: &mut Desk, count: usize| {
        let mut answered: Vec<_> = (0..count).map(|place| desk.put(create(&format!("Ticket {place}")))).collect();
        desk.run();
        let number = |answer: &mut super::Answered| {
            let Answer::Ticket(ticket) = answer.try_recv().unwrap().unwrap().answer else { panic!("no ticket") };
            ticket.number.clone()
        };
        answered.iter_mut().map(number).collect::<Vec<_>>()
    };
    assert!(desk.all([numbered("1{number}")]).iter().all(Result::is_ok));
    assert_eq!(numbers(&mut desk, 5), ["11", "12", "13", "14", "15"]);
    assert!(desk.all([numbered("{number}")]).iter().all(Result::is_ok));
    assert_eq!(numbers(&mut desk, 8), ["6", "7", "8", "9", "10", "16", "17", "18"]);
}
