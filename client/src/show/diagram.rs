//! The statuses of a helpdesk and the moves between them, as a Mermaid state diagram.

use std::fmt::Write as _;

use loket_client::v1::{Helpdesk, State, TransitionDefinition, TransitionTrigger};

use super::{clean, effects, role, word};

/// Each status with its state, and each transition with what sets it off, who may take it, and its guards.
pub(crate) fn mermaid(helpdesk: &Helpdesk) -> String {
    let mut text = "stateDiagram-v2\n".to_owned();
    for status in &helpdesk.statuses {
        let called = if status.display_name.is_empty() { &status.id } else { &status.display_name };
        let state = word(status.state().as_str_name(), "STATE_");
        let waits_on = word(status.waits_on().as_str_name(), "WAITS_ON_");
        let about = format!("{}<br/>({state}, waits on {waits_on})", label(called));
        let _ = writeln!(text, "    state \"{about}\" as {}", node(&status.id));
    }
    let _ = writeln!(text, "    [*] --> {}", node(&helpdesk.initial_status));
    for transition in &helpdesk.transitions {
        for from in &transition.from {
            let _ = writeln!(text, "    {} --> {}: {}", node(from), node(&transition.to), about(transition));
        }
    }
    for status in helpdesk.statuses.iter().filter(|status| status.state() == State::Closed) {
        let _ = writeln!(text, "    {} --> [*]", node(&status.id));
    }
    text
}

fn about(transition: &TransitionDefinition) -> String {
    let called = if transition.display_name.is_empty() { &transition.id } else { &transition.display_name };
    let mut about = label(called);
    if transition.trigger() != TransitionTrigger::Manual {
        let trigger = word(transition.trigger().as_str_name(), "TRANSITION_TRIGGER_").replace('_', " ");
        let _ = write!(about, "<br/>on {trigger}");
    }
    if !transition.roles.is_empty() {
        let roles: Vec<_> = transition.roles().map(role).collect();
        let _ = write!(about, "<br/>by {}", roles.join(", "));
    }
    for guard in &transition.guards {
        let _ = write!(about, "<br/>[{}]", label(&guard.expression));
    }
    for effect in transition.effects.iter().flat_map(effects) {
        let _ = write!(about, "<br/>/ {}", label(&effect.does));
    }
    about
}

/// Some ids are words of Mermaid's own, such as `end`; and it knows no hyphens.
fn node(id: &str) -> String {
    format!("s_{}", id.replace('-', "H"))
}

/// What would end a label, or begin something else, is written as an entity.
fn label(text: &str) -> String {
    let mut label = String::new();
    for c in clean(text).chars() {
        match c {
            '\n' | '\t' => label.push(' '),
            '"' | '#' | ';' | ':' | '<' | '>' | '{' | '}' | '[' | ']' | '`' | '\\' | '&' | '%' => {
                let _ = write!(label, "#{};", u32::from(c));
            }
            c => label.push(c),
        }
    }
    label
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_ends_a_label() {
        assert_eq!(label("a: \"b\"\n;c <d>"), "a#58; #34;b#34; #59;c #60;d#62;");
        assert_eq!((node("end").as_str(), node("a-b").as_str()), ("s_end", "s_aHb"));
    }
}
