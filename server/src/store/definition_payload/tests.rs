use std::fs;
use std::path::Path;

use super::words::{ESCALATION_MODES, TRANSFER_PLACEMENTS};
use super::*;
use crate::domain::definition::IdentityPolicy;
use crate::domain::definition::tests::{actor, ticket};
use crate::domain::definition::{
    Assignment, EmptyReplyPolicy, EscalationMode, Facts, NumberAssignment, OrderingKey, QueuePlace, ReplyPolicy,
    TransferPlacement,
};
use crate::domain::{Role, Ticket};

/// Each preset of the folder, by its name.
fn presets() -> Vec<(String, proto::Helpdesk)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("presets");
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        let read = loket::json::helpdesk_from_yaml(&fs::read_to_string(&path).unwrap());
        found.push((name.clone(), read.unwrap_or_else(|error| panic!("{name}: {error}"))));
    }
    assert_eq!(found.len(), 5);
    found
}

#[test]
fn every_preset_is_a_valid_definition() {
    for (name, helpdesk) in presets() {
        if let Err(violations) = definition_from_proto(&helpdesk) {
            let lines: Vec<String> =
                violations.iter().map(|wrong| format!("{}: {}", wrong.field, wrong.description)).collect();
            panic!("{name}:\n{}", lines.join("\n"));
        }
    }
}

#[test]
fn presets_survive_the_way_through_the_domain() {
    for (name, helpdesk) in presets() {
        let (spec, violations) = spec_from_proto(&helpdesk);
        assert_eq!(violations, [], "{name}");
        let (again, violations) = spec_from_proto(&spec_to_proto(&spec));
        assert_eq!(violations, [], "{name}");
        assert_eq!(again, spec, "{name}");
    }
}

/// Whoever files a ticket can give all that is asked for at the start, and it comes to a queue.
#[test]
fn every_preset_takes_new_tickets_from_requesters() {
    for (name, helpdesk) in presets() {
        let definition = definition_from_proto(&helpdesk).unwrap();
        let mut ticket = ticket();
        ticket.status.clone_from(&definition.initial_status().id);
        for field in definition.fields() {
            ticket.fields.insert(field.id.clone(), field.default_value.clone());
        }
        let actor = actor(Role::Requester);
        let facts = Facts::new(&ticket, &actor);
        for field in definition.fields().iter().filter(|field| field.default_value.is_empty()) {
            let required = field.required_when.as_ref().is_some_and(|condition| condition.holds(&facts));
            let unfiled = Ticket::unfiled(ticket.requester.clone());
            let settable = field.settable_by(Role::Requester) && field.settable_now(&Facts::new(&unfiled, &actor));
            assert!(!required || settable, "{name}: {}", field.id);
        }
        assert!(definition.queue(&definition.route(&ticket, &actor).queue).is_some(), "{name}");
    }
}

#[test]
fn every_enum_value_has_its_word() {
    for state in State::ALL {
        assert_ne!(number(state, STATES), 0);
    }
    for role in Role::ALL {
        assert_ne!(number(role, ROLES), 0);
    }
    for turn in [WaitsOn::Staff, WaitsOn::Requester, WaitsOn::Nobody] {
        assert_ne!(number(turn, TURNS), 0);
    }
    for policy in [ReplyPolicy::Allow, ReplyPolicy::Warn, ReplyPolicy::Refuse] {
        assert_ne!(number(policy, REPLY_POLICIES), 0);
    }
    for trigger in Trigger::ALL {
        assert_ne!(number(trigger, TRIGGERS), 0);
    }
    for assignment in [Assignment::Keep, Assignment::Actor, Assignment::Nobody] {
        assert_ne!(number(assignment, ASSIGNMENTS), 0);
    }
    for place in [QueuePlace::Keep, QueuePlace::Last] {
        assert_ne!(number(place, QUEUE_PLACES), 0);
    }
    for recipient in [Recipient::Assignee, Recipient::Queue, Recipient::Requester, Recipient::Field] {
        assert_ne!(number(recipient, RECIPIENTS), 0);
    }
    for policy in [EmptyReplyPolicy::Refuse, EmptyReplyPolicy::Claim] {
        assert_ne!(number(policy, EMPTY_REPLY_POLICIES), 0);
    }
    for key in [OrderingKey::Priority, OrderingKey::ReceiveTime, OrderingKey::QueueTime] {
        assert_ne!(number(key, ORDERING_KEYS), 0);
    }
    for assignment in [NumberAssignment::Submission, NumberAssignment::Claim] {
        assert_ne!(number(assignment, NUMBER_ASSIGNMENTS), 0);
    }
    for placement in [TransferPlacement::Requeue, TransferPlacement::KeepPlace] {
        assert_ne!(number(placement, TRANSFER_PLACEMENTS), 0);
    }
    for mode in [EscalationMode::Move, EscalationMode::Child] {
        assert_ne!(number(mode, ESCALATION_MODES), 0);
    }
    for identity in [IdentityPolicy::Anybody, IdentityPolicy::Registered, IdentityPolicy::Verified] {
        assert_ne!(number(identity, contact::IDENTITY_POLICIES), 0);
    }
    for field_type in FieldType::ALL {
        assert_ne!(number(field_type, FIELD_TYPES), 0);
    }
}

#[test]
fn enums_that_are_missing_or_unknown_are_reported_with_the_rest() {
    let helpdesk = proto::Helpdesk {
        statuses: vec![proto::StatusDefinition { id: "new".to_owned(), waits_on: 9, ..Default::default() }],
        initial_status: "new".to_owned(),
        fields: vec![proto::FieldDefinition { id: "kind".to_owned(), set_by: vec![1, 0], ..Default::default() }],
        queues: vec![proto::QueueDefinition { id: "desk".to_owned(), ordering: vec![7], ..Default::default() }],
        default_queue: "desks".to_owned(),
        ..Default::default()
    };
    let violations = definition_from_proto(&helpdesk).unwrap_err();
    let lines: Vec<String> = violations.iter().map(|wrong| format!("{}: {}", wrong.field, wrong.description)).collect();
    insta::assert_snapshot!(lines.join("\n"), @r#"
    statuses[0].state: is required: valid are STATE_NEW, STATE_ACTIVE, STATE_WAITING, STATE_SOLVED, STATE_CLOSED
    statuses[0].waits_on: there is no value 9: valid are WAITS_ON_STAFF, WAITS_ON_REQUESTER, WAITS_ON_NOBODY
    fields[0].type: is required: valid are FIELD_TYPE_TEXT, FIELD_TYPE_INTEGER, FIELD_TYPE_BOOLEAN, FIELD_TYPE_DATE, FIELD_TYPE_TIMESTAMP, FIELD_TYPE_CHOICE, FIELD_TYPE_TREE, FIELD_TYPE_AGENT
    fields[0].set_by[1]: is required: valid are ROLE_REQUESTER, ROLE_AGENT, ROLE_SUPERVISOR, ROLE_SERVICE, ROLE_ADMIN
    queues[0].ordering[0]: there is no value 7: valid are ORDERING_KEY_PRIORITY, ORDERING_KEY_RECEIVE_TIME, ORDERING_KEY_QUEUE_TIME
    default_queue: there is no queue "desks": valid is `desk`
    "#);
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { failure_persistence: None, ..Default::default() })]

    #[test]
    fn any_definition_survives_its_row(definition in crate::domain::definition::tests::generated::definitions()) {
        assert_eq!(&decode(&encode(definition.spec())).unwrap(), definition.spec());
    }
}
