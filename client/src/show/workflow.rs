//! A helpdesk's rules in words.

mod page;
mod policies;

use loket_client::v1::{
    FieldDefinition, Helpdesk, QueueDefinition, ReplyPolicy, Role, StatusDefinition, TransitionDefinition,
    TransitionTrigger,
};

use self::page::Page;
use super::{effects, role, word};

/// Everything that the definition says, section by section.
pub(crate) fn text(helpdesk: &Helpdesk) -> String {
    let mut page = Page::default();
    let version = helpdesk.definition_version;
    page.line(0, &format!("{}{}, definition version {version}", helpdesk.name, called(&helpdesk.display_name)));

    page.section("Statuses");
    for definition in &helpdesk.statuses {
        status(&mut page, definition, helpdesk.initial_status == definition.id);
    }
    page.section("Transitions");
    for definition in &helpdesk.transitions {
        transition(&mut page, definition);
    }
    if !helpdesk.fields.is_empty() {
        page.section("Fields");
        helpdesk.fields.iter().for_each(|definition| field(&mut page, definition));
    }
    if !helpdesk.priorities.is_empty() {
        page.section("Priorities, most urgent first");
        for priority in &helpdesk.priorities {
            let default = if priority.id == helpdesk.default_priority { ", unless another is given" } else { "" };
            let line = format!("{}{}{default}", priority.id, called(&priority.display_name));
            page.told(1, &line, &priority.description);
            page.rest(2, "PriorityDefinition", priority, &["id", "display_name", "description"]);
        }
        if !helpdesk.priority_set_by.is_empty() {
            page.line(1, &format!("set by {}", roles(helpdesk.priority_set_by())));
        }
    }
    page.section("Queues");
    for definition in &helpdesk.queues {
        queue(&mut page, definition);
    }
    page.section("Routing, the first that holds");
    routing(&mut page, helpdesk);

    policies::write(&mut page, helpdesk);
    page.text
}

fn status(page: &mut Page, status: &StatusDefinition, initial: bool) {
    let state = word(status.state().as_str_name(), "STATE_");
    let waits_on = word(status.waits_on().as_str_name(), "WAITS_ON_");
    let initial = if initial { "; a new ticket stands here" } else { "" };
    page.line(1, &format!("{}{}: {state}, waits on {waits_on}{initial}", status.id, called(&status.display_name)));
    if !matches!(status.requester_reply(), ReplyPolicy::Unspecified | ReplyPolicy::Allow) {
        let reply = word(status.requester_reply().as_str_name(), "REPLY_POLICY_");
        page.told(2, &format!("the requester's replies: {reply}"), &status.requester_reply_message);
    }
    let told = ["id", "display_name", "state", "waits_on", "requester_reply", "requester_reply_message"];
    page.rest(2, "StatusDefinition", status, &told);
}

fn transition(page: &mut Page, transition: &TransitionDefinition) {
    let TransitionDefinition { id, display_name, from, to, guards, .. } = transition;
    page.line(1, &format!("{id}{}: {} → {to}", called(display_name), from.join(", ")));
    let trigger = transition.trigger();
    let roles = match (transition.roles.is_empty(), trigger) {
        (false, _) => roles(transition.roles()),
        (true, TransitionTrigger::RequesterReply) => "requester".to_owned(),
        // The replies of services are not the staff's.
        (true, TransitionTrigger::AgentReply) => "agent, supervisor, admin".to_owned(),
        (true, _) => "any of the staff".to_owned(),
    };
    if trigger == TransitionTrigger::Manual {
        page.line(2, &format!("taken by {roles}"));
    } else {
        let trigger = word(trigger.as_str_name(), "TRANSITION_TRIGGER_").replace('_', " ");
        page.line(2, &format!("on {trigger}, by {roles}"));
    }
    for guard in guards {
        page.told(2, &format!("if {}", guard.expression), &guard.message);
    }
    for effect in transition.effects.iter().flat_map(effects) {
        page.told(2, &format!("then {}", effect.does), effect.message);
    }
    let told = ["id", "display_name", "from", "to", "trigger", "roles", "guards", "effects"];
    page.rest(2, "TransitionDefinition", transition, &told);
}

fn field(page: &mut Page, field: &FieldDefinition) {
    let kind = word(field.r#type().as_str_name(), "FIELD_TYPE_");
    let hidden = if field.staff_only { ", hidden from requesters" } else { "" };
    page.line(1, &format!("{}{}: {kind}{hidden}", field.id, called(&field.display_name)));
    if !field.choices.is_empty() {
        let choices: Vec<_> = field.choices.iter().map(|choice| retired(&choice.value, choice.retired)).collect();
        page.line(2, &format!("one of {}", choices.join(", ")));
    }
    if !field.default_value.is_empty() {
        page.line(2, &format!("{} unless given", field.default_value));
    }
    match field.required_when.as_str() {
        "" => {}
        "true" => page.line(2, "required"),
        when => page.line(2, &format!("required if {when}")),
    }
    if !field.set_by.is_empty() {
        page.line(2, &format!("set by {}", roles(field.set_by())));
    }
    if !field.set_when.is_empty() {
        page.line(2, &format!("set if {}", field.set_when));
    }
    let told = [
        "id",
        "display_name",
        "type",
        "choices",
        "default_value",
        "required_when",
        "set_by",
        "set_when",
        "staff_only",
        "indexed",
    ];
    page.rest(2, "FieldDefinition", field, &told);
}

fn queue(page: &mut Page, queue: &QueueDefinition) {
    let ordering: Vec<_> =
        queue.ordering().map(|key| word(key.as_str_name(), "ORDERING_KEY_").replace('_', " ")).collect();
    let ordering = if ordering.is_empty() { "queue time".to_owned() } else { ordering.join(", then ") };
    page.line(1, &format!("{}{}: by {ordering}", queue.id, called(&queue.display_name)));
    if !queue.skill_field.is_empty() {
        page.line(2, &format!("needs the skill that {} says", queue.skill_field));
    }
    if !queue.transfers_to.is_empty() {
        page.line(2, &format!("transfers lead to {}", queue.transfers_to.join(", ")));
    }
    page.rest(2, "QueueDefinition", queue, &["id", "display_name", "ordering", "skill_field", "transfers_to"]);
}

fn routing(page: &mut Page, helpdesk: &Helpdesk) {
    for rule in &helpdesk.routing {
        let when = if rule.when.is_empty() { "always".to_owned() } else { format!("if {}", rule.when) };
        let given = [("queue", &rule.queue), ("priority", &rule.priority)].into_iter().filter(|(_, id)| !id.is_empty());
        let given: Vec<_> = given.map(|(what, id)| format!("{what} {id}")).collect();
        page.line(1, &format!("{when} → {}", given.join(", ")));
        page.rest(2, "RoutingRule", rule, &["when", "queue", "priority"]);
    }
    page.line(1, &format!("otherwise → queue {}", helpdesk.default_queue));
}

fn called(display_name: &str) -> String {
    if display_name.is_empty() { String::new() } else { format!(" «{display_name}»") }
}

fn retired(id: &str, retired: bool) -> String {
    if retired { format!("{id} (retired)") } else { id.to_owned() }
}

fn roles(roles: impl Iterator<Item = Role>) -> String {
    roles.map(role).collect::<Vec<_>>().join(", ")
}
