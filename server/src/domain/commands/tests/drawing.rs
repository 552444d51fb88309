//! What happens, drawn at random: steps, and the commands that they come to.

use super::*;

/// What happens; an index chooses a ticket or a transition of those that there are.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Create(BTreeMap<String, String>, &'static str, &'static str, u8),
    Update(Index, BTreeMap<String, String>, Option<&'static str>),
    Cc(Index, Vec<String>),
    Transition(Index, Index, &'static str),
    Reply(Index, ReplyKind, &'static str, &'static str, Option<Index>, BTreeMap<String, String>, bool),
    Assign(Index, &'static str),
    Transfer(Index, &'static str),
    Escalate(Index, &'static str, &'static str),
    Case(Index, Case),
    Feedback(Index, i32, Option<Micros>),
    Import(BTreeMap<String, String>, Vec<(usize, Past)>),
    Claim(Index),
    ClaimNext(&'static str),
    Release(Index),
    Read(Index),
}

/// What has happened to a ticket that is imported.
#[derive(Debug, Clone)]
pub(super) enum Past {
    Status(Index, &'static str),
    Transfer(&'static str),
    Assign(&'static str),
    Update(BTreeMap<String, String>),
    Reply(ReplyKind, &'static str),
}

/// What happens between a ticket and others.
#[derive(Debug, Clone)]
pub(super) enum Case {
    Link(Index, LinkKind),
    Unlink(Index, Option<LinkKind>),
    Merge(Vec<Index>),
    Split(Vec<Index>, BTreeMap<String, String>),
}

fn cases() -> impl Strategy<Value = Case> {
    let ticket = any::<Index>;
    let some = || prop::collection::vec(any::<Index>(), 1..4);
    let kind = || select(LinkKind::ALL.to_vec());
    prop_oneof![
        3 => (ticket(), kind()).prop_map(|(other, kind)| Case::Link(other, kind)),
        1 => (ticket(), prop::option::of(kind())).prop_map(|(other, kind)| Case::Unlink(other, kind)),
        3 => some().prop_map(Case::Merge),
        3 => (some(), fields()).prop_map(|(replies, fields)| Case::Split(replies, fields)),
    ]
}

fn past() -> impl Strategy<Value = Past> {
    prop_oneof![
        3 => (any::<Index>(), select(vec!["", "Water"])).prop_map(|(to, solution)| Past::Status(to, solution)),
        1 => select(QUEUES.to_vec()).prop_map(Past::Transfer),
        2 => select(vec!["agent", "supervisor", "service", ""]).prop_map(Past::Assign),
        1 => fields().prop_map(Past::Update),
        3 => (select(vec![ReplyKind::Public, ReplyKind::Note]), select(vec!["Hello", "Hello again"]))
            .prop_map(|(kind, body)| Past::Reply(kind, body)),
    ]
}

fn fields() -> impl Strategy<Value = BTreeMap<String, String>> {
    let value = select(vec![
        ("kind", "a"),
        ("kind", "b"),
        ("words", "x"),
        ("words", "y"),
        ("words", ""),
        ("sure", "false"),
        ("sure", "x"),
        ("see", "1"),
        ("see", "helpdesks/desk/tickets/2"),
        ("see", "nowhere"),
        ("see", ""),
    ]);
    let pairs = prop::collection::vec(value, 0..3);
    pairs.prop_map(|pairs| pairs.into_iter().map(|(id, value)| (id.to_owned(), value.to_owned())).collect())
}

pub(super) fn steps() -> impl Strategy<Value = Vec<(usize, Step)>> {
    let ticket = any::<Index>;
    let requester = select(vec!["ani@example.com", "ani@example.com", "ani@example.com", "bela@example.com"]);
    let priority = || select(vec!["", "high", "low"]);
    let solution = || select(vec!["", "", "Water"]);
    let body = select(vec!["", "", "Hello", "https://example.com", "See https://example.com for all the rest of it"]);
    let kind = select(vec![ReplyKind::Public, ReplyKind::Public, ReplyKind::Note]);
    let cc = select(vec![Vec::new(), vec!["boss@example.com".to_owned()], vec!["friend@example.com".to_owned()]]);
    let step = prop_oneof![
        4 => (fields(), priority(), requester, 0..20_u8)
            .prop_map(|(fields, priority, of, text)| Step::Create(fields, priority, of, text)),
        2 => (ticket(), fields(), prop::option::of(priority())).prop_map(|(it, fields, to)| Step::Update(it, fields, to)),
        1 => (ticket(), cc).prop_map(|(it, cc)| Step::Cc(it, cc)),
        5 => (ticket(), ticket(), solution()).prop_map(|(it, which, solution)| Step::Transition(it, which, solution)),
        7 => (ticket(), kind, body, solution(), prop::option::weighted(0.2, ticket()), fields(), prop::bool::weighted(0.1))
            .prop_map(|(it, kind, body, solution, which, fields, canned)| {
                Step::Reply(it, kind, body, solution, which, fields, canned)
            }),
        2 => (ticket(), select(vec!["agent", "supervisor", "service", ""])).prop_map(|(it, whom)| Step::Assign(it, whom)),
        2 => (ticket(), select(QUEUES.to_vec())).prop_map(|(it, queue)| Step::Transfer(it, queue)),
        2 => (ticket(), select(vec!["onwards", "below"]), select(QUEUES.to_vec()))
            .prop_map(|(it, way, queue)| Step::Escalate(it, way, queue)),
        9 => (ticket(), cases()).prop_map(|(it, case)| Step::Case(it, case)),
        3 => (ticket(), 1..6, prop::option::of(Just(START)))
            .prop_map(|(it, rating, link_made)| Step::Feedback(it, rating, link_made)),
        3 => (fields(), prop::collection::vec((0..Role::ALL.len(), past()), 0..4))
            .prop_map(|(fields, events)| Step::Import(fields, events)),
        2 => ticket().prop_map(Step::Claim),
        2 => select(QUEUES.to_vec()).prop_map(Step::ClaimNext),
        2 => ticket().prop_map(Step::Release),
        1 => ticket().prop_map(Step::Read),
    ];
    prop::collection::vec((0..Role::ALL.len(), step), 50)
}

pub(super) fn command(step: Step, set: &WorkingSet, rules: &Definition) -> Command {
    let ticket = |index: Index| i64::try_from(index.index(set.tickets.len().max(1))).unwrap() + 1;
    // Mostly one that leads on.
    let transition = |it: Index, which: Index| {
        let status = set.tickets.get(&ticket(it)).map_or("", |ticket| &ticket.status);
        let leading: Vec<_> = rules.transitions_from(status).map(|transition| &transition.id).collect();
        let all = || rules.transitions().iter().map(|transition| &transition.id);
        let choices: Vec<_> = leading.into_iter().chain(all().take(1)).collect();
        choices[which.index(choices.len())].clone()
    };
    match step {
        Step::Create(fields, priority, requester, text) => Command::CreateTicket(CreateTicket {
            requester: requester.to_owned(),
            subject: format!("Printer {text}"),
            body: "It burns.".to_owned(),
            priority: priority.to_owned(),
            fields,
            ..CreateTicket::default()
        }),
        Step::Update(it, fields, priority) => Command::UpdateTicket(UpdateTicket {
            ticket: ticket(it),
            priority: priority.map(str::to_owned),
            fields,
            ..UpdateTicket::default()
        }),
        Step::Cc(it, cc) => {
            Command::UpdateTicket(UpdateTicket { ticket: ticket(it), cc: Some(cc), ..UpdateTicket::default() })
        }
        Step::Transition(it, which, solution) => Command::TransitionTicket(TransitionTicket {
            ticket: ticket(it),
            transition: transition(it, which),
            solution: solution.to_owned(),
            ..TransitionTicket::default()
        }),
        Step::Reply(it, kind, body, solution, which, fields, canned) => Command::CreateReply(CreateReply {
            ticket: ticket(it),
            kind,
            body: body.to_owned(),
            solution: solution.to_owned(),
            transition: which.map(|which| transition(it, which)).unwrap_or_default(),
            etag: String::new(),
            uploads: Vec::new(),
            fields: if body.is_empty() { BTreeMap::new() } else { fields },
            canned_response: if canned { "greeting".to_owned() } else { String::new() },
            survey_token: None,
        }),
        Step::Assign(it, whom) => Command::AssignTicket(AssignTicket {
            ticket: ticket(it),
            assignee: whom.to_owned(),
            reason: String::new(),
            etag: String::new(),
        }),
        Step::Transfer(it, queue) => Command::TransferTicket(TransferTicket {
            ticket: ticket(it),
            queue: queue.to_owned(),
            reason: "It is theirs.".to_owned(),
            etag: String::new(),
        }),
        Step::Escalate(it, way, queue) => Command::EscalateTicket(EscalateTicket {
            ticket: ticket(it),
            escalation: way.to_owned(),
            reason: "It is beyond us.".to_owned(),
            queue: queue.to_owned(),
            ..EscalateTicket::default()
        }),
        Step::Case(it, case) => command_of(case, ticket(it), set),
        Step::Feedback(it, rating, link_made) => {
            // Mostly of one that is closed.
            let closed = set.tickets.values().filter(|ticket| ticket.state == State::Closed).map(|ticket| ticket.id);
            let closed: Vec<i64> = closed.collect::<BTreeSet<_>>().into_iter().collect();
            let ticket = if closed.is_empty() { ticket(it) } else { closed[it.index(closed.len())] };
            Command::SubmitFeedback(SubmitFeedback { ticket, rating, comment: String::new(), link_made })
        }
        Step::Import(fields, events) => import_of(fields, events, rules),
        Step::Claim(it) => Command::ClaimTicket(ClaimTicket { ticket: ticket(it), etag: String::new() }),
        Step::ClaimNext(queue) => Command::ClaimNextTicket(ClaimNextTicket { queue: queue.to_owned(), waited: 0 }),
        Step::Release(it) => {
            Command::ReleaseTicket(ReleaseTicket { ticket: ticket(it), reason: String::new(), etag: String::new() })
        }
        Step::Read(it) => Command::MarkTicketRead(MarkTicketRead { ticket: ticket(it), etag: String::new() }),
    }
}

/// Everything happened at the start, and was filed by the requester.
fn import_of(fields: BTreeMap<String, String>, events: Vec<(usize, Past)>, rules: &Definition) -> Command {
    let happened = |role: Role| Happened { time: START, actor: actor(role).subject, role };
    let step = |past| match past {
        Past::Status(to, solution) => {
            let status = rules.statuses()[to.index(rules.statuses().len())].id.clone();
            HistoryStep::Status(StatusStep { status, solution: solution.to_owned(), ..StatusStep::default() })
        }
        Past::Transfer(queue) => HistoryStep::Transfer(TransferTicket {
            ticket: 0,
            queue: queue.to_owned(),
            reason: String::new(),
            etag: String::new(),
        }),
        Past::Assign(whom) => HistoryStep::Assignment(AssignTicket {
            ticket: 0,
            assignee: whom.to_owned(),
            reason: String::new(),
            etag: String::new(),
        }),
        Past::Update(fields) => HistoryStep::Update(UpdateTicket { fields, ..UpdateTicket::default() }),
        Past::Reply(kind, body) => HistoryStep::Reply(CreateReply {
            ticket: 0,
            kind,
            body: body.to_owned(),
            solution: String::new(),
            transition: String::new(),
            etag: String::new(),
            uploads: Vec::new(),
            fields: BTreeMap::new(),
            canned_response: String::new(),
            survey_token: None,
        }),
    };
    let events = events.into_iter().map(|(role, past)| {
        let happened = happened(Role::ALL[role]);
        Ok(Event { happened, step: step(past) })
    });
    Command::ImportTicket(ImportTicket {
        new: CreateTicket {
            requester: actor(Role::Requester).subject,
            subject: "It burned".to_owned(),
            body: "Last year.".to_owned(),
            fields,
            ..CreateTicket::default()
        },
        filed: happened(Role::Requester),
        events: events.collect(),
    })
}

fn command_of(case: Case, it: i64, set: &WorkingSet) -> Command {
    let ticket = |index: Index| i64::try_from(index.index(set.tickets.len().max(1))).unwrap() + 1;
    match case {
        Case::Link(other, kind) => Command::LinkTickets(LinkTickets {
            ticket: it,
            other: ticket(other),
            kind,
            reason: String::new(),
            etag: String::new(),
        }),
        Case::Unlink(other, kind) => {
            // Mostly one that is there.
            let links = set.tickets.get(&it).map_or(&[][..], |ticket| &ticket.more.links);
            let other = if links.is_empty() { ticket(other) } else { links[other.index(links.len())].ticket };
            Command::UnlinkTickets(UnlinkTickets {
                ticket: it,
                other,
                kind,
                reason: String::new(),
                etag: String::new(),
            })
        }
        Case::Merge(others) => {
            let all: BTreeSet<i64> = others.into_iter().map(ticket).chain([it]).collect();
            // Mostly into the first.
            let mut all = all.into_iter();
            Command::MergeTickets(MergeTickets {
                ticket: all.next().unwrap(),
                duplicates: all.collect(),
                reason: String::new(),
                etag: String::new(),
            })
        }
        Case::Split(which, fields) => {
            // Mostly of a ticket that has some to split off.
            let is_open = |reply: &&Reply| {
                let splits = &set.tickets[&reply.ticket].more.splits;
                reply.author_role == Role::Requester && splits.iter().all(|split| split.reply != reply.id)
            };
            let mut open: Vec<_> =
                set.replies.values().flatten().filter(is_open).map(|reply| (reply.ticket, reply.id)).collect();
            open.sort_unstable();
            let it = if open.is_empty() { it } else { open[which[0].index(open.len())].0 };
            let mut all: Vec<i64> =
                open.into_iter().filter(|(ticket, _)| *ticket == it).map(|(_, reply)| reply).collect();
            if all.is_empty() {
                all.push(1);
            }
            let replies: BTreeSet<i64> = which.into_iter().map(|which| all[which.index(all.len())]).collect();
            let new = CreateTicket { subject: "Another matter".to_owned(), fields, ..CreateTicket::default() };
            let replies = replies.into_iter().collect();
            Command::SplitReply(SplitReply { ticket: it, replies, new, etag: String::new() })
        }
    }
}

/// One person for each role; the requester is whose most tickets are.
pub(super) fn actor(role: Role) -> Actor {
    let subject = if role == Role::Requester { "ani@example.com" } else { role.word() };
    Actor { subject: subject.to_owned(), role, on_behalf_of: String::new() }
}
