//! Canned responses, filled in for a ticket.

use std::borrow::Cow;

use super::context::Context;
use super::definition::{Definition, Placeholder};
use super::survey::{self, SurveyToken};
use super::text::{listed, shown};
use super::{Precondition, PreconditionKind, Refusal, Ticket, Violation};

/// The text of a canned response for a ticket as the reply leaves it.
pub fn filled_in(
    context: &Context<'_>,
    rules: &Definition,
    id: &str,
    ticket: &Ticket,
    token: Option<&SurveyToken>,
) -> Result<String, Refusal> {
    let Some(canned) = rules.canned_response(id).filter(|canned| !canned.retired) else {
        let known = rules.canned_responses().iter().filter(|canned| !canned.retired);
        let known = listed(known.map(|canned| canned.id.as_str()));
        let known = if known.is_empty() { "this helpdesk has none".to_owned() } else { known };
        let wrong = format!("there is no canned response {}; there are: {known}", shown(id));
        return Err(Refusal::Invalid(vec![Violation::new("reply.canned_response", wrong)]));
    };
    let value = |place: &Placeholder| value(context, rules, ticket, token, place);
    let empty: Vec<_> = canned.body.places().filter(|place| value(place).is_empty()).map(missing).collect();
    if !empty.is_empty() {
        return Err(Refusal::TicketNotReady { ticket: context.ticket_name(ticket.id), failures: empty });
    }
    Ok(canned.body.write(value))
}

fn value<'t>(
    context: &Context<'t>,
    rules: &'t Definition,
    ticket: &'t Ticket,
    token: Option<&SurveyToken>,
    place: &Placeholder,
) -> Cow<'t, str> {
    match place {
        Placeholder::Requester => Cow::from(&ticket.requester),
        Placeholder::Number => Cow::from(&ticket.number),
        Placeholder::Subject => Cow::from(&ticket.subject),
        Placeholder::Status => {
            let name = rules.status(&ticket.status).map_or("", |status| status.display_name.as_str());
            Cow::from(if name.is_empty() { &ticket.status } else { name })
        }
        Placeholder::Agent => {
            let actor = context.actor;
            Cow::from(if actor.on_behalf_of.is_empty() { &actor.subject } else { &actor.on_behalf_of })
        }
        Placeholder::SurveyLink => {
            let name = context.ticket_name(ticket.id);
            let link = rules.survey().zip(token).map(|(survey, token)| survey::link(survey, &name, ticket, token));
            link.map(Cow::from).unwrap_or_default()
        }
        Placeholder::Field(id) => {
            let value = ticket.fields.get(id).map_or("", String::as_str);
            let choices = rules.field(id).map_or(&[][..], |field| field.choices.as_slice());
            let choice = choices.iter().find(|choice| choice.value == value && !choice.display_name.is_empty());
            Cow::from(choice.map_or(value, |choice| choice.display_name.as_str()))
        }
    }
}

fn missing(place: &Placeholder) -> Precondition {
    let (subject, what) = match place {
        Placeholder::Field(id) => (format!("fields.{id}"), format!("the field `{id}` must have a value")),
        Placeholder::Number => ("number".to_owned(), "the ticket must have its number".to_owned()),
        Placeholder::Requester
        | Placeholder::Subject
        | Placeholder::Status
        | Placeholder::Agent
        | Placeholder::SurveyLink => (String::new(), "nothing stands for a placeholder".to_owned()),
    };
    Precondition {
        kind: PreconditionKind::RequiredField,
        subject,
        description: format!("{what}, as the canned response tells it"),
    }
}
