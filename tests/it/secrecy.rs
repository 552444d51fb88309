//! What requesters do not learn, whichever way they ask.

use loket::v1::{
    ErrorReason, ExplainTransitionsRequest, GetHelpdeskRequest, Helpdesk, ListHelpdesksRequest, Ticket,
    UpdateHelpdeskRequest,
};

use super::database;
use crate::support::tail::{Tail, behind, narrow, snapshot};
use crate::support::{Desk, RICH, fields, own, reason};

/// Applies the definition in force with a change.
async fn redefine(desk: &Desk, change: impl FnOnce(&mut Helpdesk)) {
    let get = GetHelpdeskRequest { name: "helpdesks/desk".to_owned() };
    let mut helpdesk = desk.admin().get_helpdesk(get).await.unwrap();
    change(&mut helpdesk);
    let request = UpdateHelpdeskRequest { helpdesk: Some(helpdesk), ..UpdateHelpdeskRequest::default() };
    desk.admin().update_helpdesk(request).await.unwrap();
}

/// Nobody can tell any more for whom the values of a field were that is gone.
#[tokio::test]
async fn a_field_that_was_for_the_staff_stays_hidden_when_the_definition_has_forgotten_it() {
    let desk = Desk::of(database(), RICH).await;
    let (ani, agent) = (desk.requester("ani@example.com").await, desk.agent("budi").await);
    let ticket = ani.create(own("Mine")).await.unwrap();
    let mut tail = Tail::open(narrow(&ani, 1 << 20).await, snapshot(&ani, "")).await.unwrap();
    tail.snapshot().await;
    let token = tail.seen.token.clone();
    drop(tail);
    let set = |risk: &str, amount: &str| Ticket {
        name: ticket.name.clone(),
        fields: fields([("risk", risk), ("amount", amount)]),
        ..Ticket::default()
    };
    agent.update(set("A secret", "7"), &["fields.risk", "fields.amount"]).await.unwrap();
    agent.update(set("", "8"), &["fields.risk", "fields.amount"]).await.unwrap();
    redefine(&desk, |helpdesk| helpdesk.fields.retain(|field| field.id != "risk")).await;
    agent.update(set("", "9"), &["fields.amount"]).await.unwrap();

    let history = format!("{:?}", ani.changes(&ticket.name).await.unwrap());
    assert!(history.contains("fields.amount"));
    assert!(!history.contains("secret") && !history.contains("risk"), "{history}");
    assert!(format!("{:?}", agent.changes(&ticket.name).await.unwrap()).contains("A secret"));
    // Nor after a resume from before.
    let mut tail = Tail::open(narrow(&ani, 1 << 20).await, behind(&ani, "", &token)).await.unwrap();
    tail.until(desk.head().await).await;
    let events = format!("{:?}", tail.seen.events);
    assert!(events.contains("fields.amount"));
    assert!(!events.contains("secret") && !events.contains("risk"), "{events}");
}

#[tokio::test]
async fn nothing_tells_that_there_are_fields_for_the_staff() {
    // A field that only the staff know is required where a requester leads, and is named in expressions.
    let yaml = RICH
        .replace(
            "{id: risk, type: FIELD_TYPE_TEXT, staff_only: true}",
            "{id: risk, type: FIELD_TYPE_TEXT, staff_only: true, required_when: ticket.status == 'closed'}",
        )
        .replace("- {when: ticket.channel == 'phone', priority: high}", "- {when: ticket.fields.risk != '', queue: pay}")
        .replace(
            "roles: [ROLE_REQUESTER, ROLE_SUPERVISOR]}",
            "roles: [ROLE_REQUESTER, ROLE_SUPERVISOR], guards: [{expression: ticket.fields.risk != 'high', message: Not this one.}]}",
        );
    let desk = Desk::of(database(), &yaml).await;
    let ani = desk.requester("ani@example.com").await;
    let ticket = ani.create(own("Mine")).await.unwrap();

    let get = GetHelpdeskRequest { name: "helpdesks/desk".to_owned() };
    let seen = ani.get_helpdesk(get.clone()).await.unwrap();
    let listed = ani.list_helpdesks(ListHelpdesksRequest::default()).await.unwrap().helpdesks;
    assert_eq!(listed.as_slice(), std::slice::from_ref(&seen));
    assert_eq!((seen.fields.len(), seen.routing.len()), (8, 2));
    let guard = &seen.transitions.iter().find(|transition| transition.id == "give_up").unwrap().guards[0];
    assert_eq!((guard.expression.as_str(), guard.message.as_str()), ("", "Not this one."));
    let staffs = desk.agent("budi").await.get_helpdesk(get).await.unwrap();
    assert_eq!((staffs.fields.len(), staffs.routing.len()), (9, 3));

    let explain = ExplainTransitionsRequest { name: ticket.name.clone(), ..ExplainTransitionsRequest::default() };
    let explained = ani.explain_transitions(explain).await.unwrap();
    let give_up = explained.transitions.iter().find(|transition| transition.transition == "give_up").unwrap();
    assert!(!give_up.allowed && give_up.missing_fields.is_empty(), "{give_up:?}");
    let refused = ani.transition(&ticket.name, "give_up").await.unwrap_err();
    assert_eq!(refused.reason(), Some(ErrorReason::TransitionRefused));
    assert!(!refused.violations().is_empty());
    for told in [format!("{refused:?}"), format!("{explained:?}"), format!("{seen:?}")] {
        assert!(!told.contains("risk"), "{told}");
    }
    // The staff are told what is missing.
    let staffs = desk.supervisor("citra").await.transition(&ticket.name, "give_up").await.unwrap_err();
    assert!(format!("{staffs:?}").contains("fields.risk"), "{staffs:?}");
}

/// Watches begin under one definition and go on under the next.
#[tokio::test]
async fn a_field_that_becomes_the_staffs_is_hidden_from_then_on() {
    let desk = Desk::of(database(), RICH).await;
    let (ani, agent) = (desk.requester("ani@example.com").await, desk.agent("budi").await);
    let ticket = ani.create(Ticket { fields: fields([("amount", "7")]), ..own("Mine") }).await.unwrap();
    redefine(&desk, |helpdesk| {
        helpdesk.fields.iter_mut().find(|field| field.id == "amount").unwrap().staff_only = true;
    })
    .await;
    let mut set = Ticket { name: ticket.name.clone(), ..Ticket::default() };
    set.fields = fields([("amount", "1234567")]);
    agent.update(set, &["fields.amount"]).await.unwrap();
    assert!(ani.get(&ticket.name).await.unwrap().fields.is_empty());
    assert!(ani.list("").await.unwrap()[0].fields.is_empty());
    assert!(!format!("{:?}", ani.changes(&ticket.name).await.unwrap()).contains("amount"));
    assert_eq!(reason(ani.list("fields.amount = 1234567").await), ErrorReason::InvalidFilter);
}
