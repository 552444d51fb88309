//! Definitions that nobody would write, each of which is right.

use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};

use super::spec::{
    CannedResponseSpec, DuplicatePolicySpec, EffectsSpec, EscalationSpec, GuardSpec, NotificationSpec,
    NumberPolicySpec, ReplyRuleSpec, SurveySpec, TransferPolicySpec,
};
use super::*;
use crate::domain::LinkKind;

const QUEUES: [&str; 3] = ["q0", "q1", "q2"];
const PRIORITIES: [&str; 2] = ["high", "low"];

/// Conditions over all that there is; some hardly ever hold.
const CONDITIONS: [&str; 12] = [
    "ticket.solution != ''",
    "ticket.staff_reply_count > ticket.requester_reply_count",
    "ticket.fields.kind == 'a'",
    "has(ticket.fields.words) || ticket.assignee == ''",
    "ticket.last_reply_role == 'requester'",
    "ticket.last_transition_by != actor.subject",
    "ticket.last_reply_solves || ticket.note_count > 0",
    "!has(ticket.read_time) || ticket.read_time < ticket.last_reply_time",
    "actor.role != 'service'",
    "ticket.queue == 'q0'",
    "ticket.child_count == 0",
    "ticket.priority in ['high', '']",
];

const REPLY_RULES: [&str; 3] = [
    "reply.links == 0 || reply.words > 3",
    "reply.kind == 'note' || reply.characters < 50",
    "ticket.state != 'closed'",
];

/// Right ones only.
pub(crate) fn definitions() -> impl Strategy<Value = Definition> {
    (statuses(), fields(), queues(), transitions(), policies(), ways()).prop_filter_map(
        "definitions that are right",
        |(statuses, fields, (queues, routing), wanted, policies, (transfer_policy, across_requesters, duplicates))| {
            let count = statuses.len();
            let chain = (1..count).map(|to| TransitionSpec {
                ..transition(&format!("on{to}"), &[&format!("s{}", to - 1)], &format!("s{to}"), Trigger::Manual)
            });
            let further = wanted.into_iter().enumerate().map(|(number, wanted)| wanted.of(number, count));
            let transitions: Vec<_> = chain.chain(further).collect();
            let (empty_reply, mandatory_cc, reply_rules, assigned_on) = policies;
            let last = statuses[count - 1].id.clone();
            let spec = DefinitionSpec {
                display_name: "Generated".to_owned(),
                statuses,
                initial_status: "s0".to_owned(),
                transitions,
                fields,
                priorities: PRIORITIES.map(priority).into(),
                default_priority: String::new(),
                queues,
                routing,
                default_queue: "q0".to_owned(),
                number_policy: NumberPolicySpec { assigned_on, format: String::new() },
                empty_reply,
                mandatory_cc,
                reply_rules,
                transfer_policy,
                escalations: escalations(),
                merge_policy: across_requesters
                    .map(|across_requesters| MergePolicy { status: last, across_requesters }),
                duplicate_policy: duplicates,
                canned_responses: vec![CannedResponseSpec {
                    id: "greeting".to_owned(),
                    body: "Hello {requester}, it is about {fields.kind}.".to_owned(),
                    ..CannedResponseSpec::default()
                }],
                survey: Some(SurveySpec {
                    uri_template: "https://example.com/{token}".to_owned(),
                    ..SurveySpec::default()
                }),
                ..spec()
            };
            Definition::check(spec).ok()
        },
    )
}

/// From one to the next, the last of which is closed.
fn statuses() -> impl Strategy<Value = Vec<StatusSpec>> {
    let open = (select(vec![State::New, State::Active, State::Waiting, State::Solved]), turns(), replies());
    (prop::collection::vec(open, 1..5), replies()).prop_map(|(open, last)| {
        let all = open.into_iter().chain([(State::Closed, WaitsOn::Nobody, last)]).enumerate();
        let status = |(place, (state, turn, policy)): (usize, (State, WaitsOn, ReplyPolicy))| StatusSpec {
            requester_reply: policy,
            requester_reply_message: "Mind this.".to_owned(),
            ..status(&format!("s{place}"), state, turn)
        };
        all.map(status).collect()
    })
}

fn turns() -> impl Strategy<Value = WaitsOn> {
    select(vec![WaitsOn::Staff, WaitsOn::Staff, WaitsOn::Requester, WaitsOn::Nobody])
}

fn replies() -> impl Strategy<Value = ReplyPolicy> {
    select(vec![ReplyPolicy::Allow, ReplyPolicy::Allow, ReplyPolicy::Warn, ReplyPolicy::Refuse])
}

fn fields() -> impl Strategy<Value = Vec<FieldSpec>> {
    let required = select(vec!["", "", "ticket.status == 's1'", "ticket.state == 'closed'"]);
    (required, any::<bool>(), select(vec!["", "a"])).prop_map(|(required, staff_only, default)| {
        vec![
            FieldSpec {
                default_value: default.to_owned(),
                indexed: true,
                ..field("kind", FieldType::Choice, &["a", "b"])
            },
            FieldSpec { required_when: required.to_owned(), staff_only, ..field("words", FieldType::Text, &[]) },
            field("see", FieldType::Text, &[]),
            field("sure", FieldType::Boolean, &[]),
            field("due", FieldType::Timestamp, &[]),
        ]
    })
}

fn queues() -> impl Strategy<Value = (Vec<QueueSpec>, Vec<RoutingRuleSpec>)> {
    let keys = vec![OrderingKey::Priority, OrderingKey::QueueTime];
    let ordering = prop_oneof![subsequence(keys, 0..=2), Just(vec![OrderingKey::ReceiveTime])];
    let queues = prop::collection::vec(ordering, QUEUES.len()).prop_map(|orderings| {
        let pairs = QUEUES.into_iter().zip(orderings);
        pairs.map(|(id, ordering)| queue(id, &ordering)).collect::<Vec<_>>()
    });
    let rule = (select(CONDITIONS.to_vec()), select(QUEUES.to_vec()), select(vec!["", "low"]))
        .prop_map(|(when, to, priority)| rule(when, to, priority));
    (queues, prop::collection::vec(rule, 0..3))
}

/// What transfers do, whether tickets are merged and whose, and whether repeated ones are taken.
type Ways = (TransferPolicySpec, Option<bool>, DuplicatePolicySpec);

fn ways() -> impl Strategy<Value = Ways> {
    let placement = select(vec![TransferPlacement::Requeue, TransferPlacement::KeepPlace]);
    let transfer = (placement, any::<bool>(), any::<bool>()).prop_map(|(placement, claimed_only, keep_assignee)| {
        TransferPolicySpec { placement, claimed_only, keep_assignee, ..TransferPolicySpec::default() }
    });
    (
        transfer,
        prop::option::weighted(0.8, any::<bool>()),
        select(vec![
            DuplicatePolicySpec::default(),
            DuplicatePolicySpec { on_create: DuplicateAction::Refuse, compare: DuplicateComparison::SubjectAndBody },
            DuplicatePolicySpec { on_create: DuplicateAction::Refuse, compare: DuplicateComparison::Body },
        ]),
    )
}

/// One that moves the ticket, and one that files a child.
fn escalations() -> Vec<EscalationSpec> {
    let escalation = |id: &str, mode| EscalationSpec {
        id: id.to_owned(),
        display_name: String::new(),
        mode,
        queues: QUEUES.map(str::to_owned).into(),
        from_queues: Vec::new(),
        from_statuses: Vec::new(),
        roles: Vec::new(),
        guards: Vec::new(),
    };
    vec![escalation("onwards", EscalationMode::Move), escalation("below", EscalationMode::Child)]
}

type Policies = (EmptyReplyPolicy, Vec<String>, Vec<ReplyRuleSpec>, NumberAssignment);

fn policies() -> impl Strategy<Value = Policies> {
    let cc = subsequence(vec!["boss@example.com".to_owned(), "desk@example.com".to_owned()], 0..=2);
    let rules = subsequence(REPLY_RULES.to_vec(), 0..=2).prop_map(|expressions| {
        let rule = |expression: &str| ReplyRuleSpec {
            expression: expression.to_owned(),
            message: "Otherwise, please.".to_owned(),
            roles: Vec::new(),
        };
        expressions.into_iter().map(rule).collect()
    });
    (
        select(vec![EmptyReplyPolicy::Claim, EmptyReplyPolicy::Refuse]),
        cc,
        rules,
        select(vec![NumberAssignment::Submission, NumberAssignment::Claim]),
    )
}

/// A transition between statuses that are chosen when it is known how many there are.
#[derive(Debug, Clone)]
struct Wanted {
    from: Vec<Index>,
    to: Index,
    trigger: Trigger,
    guards: Vec<&'static str>,
    effects: EffectsSpec,
}

impl Wanted {
    fn of(self, number: usize, statuses: usize) -> TransitionSpec {
        let Self { from, to, trigger, guards, effects } = self;
        let id = |index: Index| format!("s{}", index.index(statuses));
        let mut from: Vec<String> = from.into_iter().map(id).collect();
        from.sort();
        from.dedup();
        let from: Vec<&str> = from.iter().map(String::as_str).collect();
        let guard = |source: &str| GuardSpec { expression: source.to_owned(), message: "Not yet.".to_owned() };
        TransitionSpec {
            guards: guards.into_iter().map(guard).collect(),
            effects,
            ..transition(&format!("t{number}"), &from, &id(to), trigger)
        }
    }
}

fn transitions() -> impl Strategy<Value = Vec<Wanted>> {
    let one = (
        prop::collection::vec(any::<Index>(), 1..3),
        any::<Index>(),
        select(Trigger::ALL.to_vec()),
        subsequence(CONDITIONS.to_vec(), 0..=1),
        effects(),
    );
    let wanted = one.prop_map(|(from, to, trigger, guards, effects)| Wanted { from, to, trigger, guards, effects });
    prop::collection::vec(wanted, 2..7)
}

fn effects() -> impl Strategy<Value = EffectsSpec> {
    let values = vec![("kind", "b"), ("words", ""), ("sure", "true"), ("due", "2026-03-02T08:00:00+07:00")];
    let notices = vec![(Recipient::Assignee, ""), (Recipient::Requester, ""), (Recipient::Field, "words")];
    (
        subsequence(values, 0..=2),
        select(vec!["", "", "high"]),
        any::<bool>(),
        select(vec![Assignment::Keep, Assignment::Keep, Assignment::Actor, Assignment::Nobody]),
        select(vec![("", false), ("", false), ("q1", false), ("", true)]),
        select(vec![QueuePlace::Usual, QueuePlace::Keep, QueuePlace::Last]),
        subsequence(notices, 0..=2),
        prop::option::weighted(0.3, select(LinkKind::ALL.to_vec())),
    )
        .prop_map(|(values, priority, clear_solution, assign, (queue, route), queue_place, notices, link)| {
            EffectsSpec {
                fields: values.into_iter().map(|(id, value)| (id.to_owned(), value.to_owned())).collect(),
                priority: priority.to_owned(),
                clear_solution,
                assign,
                queue: queue.to_owned(),
                route,
                queue_place,
                notifications: notices
                    .into_iter()
                    .map(|(recipient, field)| NotificationSpec {
                        recipient,
                        field: field.to_owned(),
                        message: "Look.".to_owned(),
                    })
                    .collect(),
                link: link.map(|kind| LinkEffect { kind, field: "see".to_owned() }),
            }
        })
}
