//! How much work conditions may be.

use super::spec::{EffectsSpec, GuardSpec};
use super::*;

fn guards(expression: &str, count: usize) -> Vec<GuardSpec> {
    (0..count).map(|_| GuardSpec { expression: expression.to_owned(), message: "No.".to_owned() }).collect()
}

/// A definition with as many guards, on transitions of their own.
fn with_guards(expression: &str, count: usize) -> DefinitionSpec {
    let mut spec = spec();
    for place in 0..count.div_ceil(50) {
        let guards = guards(expression, 50.min(count - place * 50));
        spec.transitions
            .push(TransitionSpec { guards, ..transition(&format!("more{place}"), &["new"], "open", Trigger::Manual) });
    }
    spec
}

#[test]
fn a_condition_takes_steps_by_its_parts_and_by_the_texts_that_it_looks_through() {
    let steps = |source: &str| Condition::compile(source).unwrap().steps();
    let told: Vec<String> = [
        "true",
        "ticket.reply_count > 1 && actor.role == 'agent'",
        "ticket.solution != ''",
        "has(ticket.solution)",
        "ticket.status in ['new', 'open']",
        "'vip' in ticket.tags",
        "int(ticket.fields.price) > 100",
        "ticket.fields.price == ticket.fields.type",
        "size(ticket.solution) > 10",
        "ticket.solution.contains('x') || ticket.solution.contains('y')",
        "ticket.subject.startsWith('x')",
        "(ticket.reply_count > 0 ? ticket.solution : ticket.subject) == ticket.solution",
    ]
    .into_iter()
    .map(|source| format!("{} {source}", steps(source)))
    .collect();
    insta::assert_snapshot!(told.join("\n"), @r"
    3 true
    10 ticket.reply_count > 1 && actor.role == 'agent'
    5 ticket.solution != ''
    3 has(ticket.solution)
    8 ticket.status in ['new', 'open']
    205 'vip' in ticket.tags
    262 int(ticket.fields.price) > 100
    261 ticket.fields.price == ticket.fields.type
    4102 size(ticket.solution) > 10
    8202 ticket.solution.contains('x') || ticket.solution.contains('y')
    6 ticket.subject.startsWith('x')
    4106 (ticket.reply_count > 0 ? ticket.solution : ticket.subject) == ticket.solution
    ");
}

#[test]
fn more_work_than_may_be_is_refused_and_goes_on_where_it_is_in_force() {
    let search = "ticket.solution.contains('x')";
    let mut most = with_guards(search, 36);
    assert!(Definition::check(most.clone()).is_ok());
    most.transitions[3].guards.extend(guards(search, 1));
    let told = lines(&Definition::check(most.clone()).unwrap_err());
    insta::assert_snapshot!(told, @"transitions[3].guards[0].expression: takes up to 4102 steps, the most of all conditions; they come to 151804 together, and at most 150000 are taken: look through fewer long texts, or ask fewer conditions");

    let old = Definition::stored(most.clone()).unwrap();
    assert_eq!(lines(old.contradictions()), told);
    assert!(old.amend(DefinitionSpec { display_name: "New".to_owned(), ..most.clone() }).is_ok());
    let mut more = most.clone();
    more.transitions[3].guards.extend(guards("true", 1));
    assert!(old.amend(more).is_err());
    // What is less, though still too much, is not refused.
    most.transitions[3].guards.extend(guards(search, 3));
    let heavy = Definition::stored(most.clone()).unwrap();
    most.transitions[3].guards.pop();
    assert!(Definition::check(most.clone()).is_err());
    assert!(heavy.amend(most).is_ok());
}

/// What a transition would come to is found out for each that may be taken.
#[test]
fn what_is_asked_for_every_transition_counts_as_often() {
    let mut spec = spec();
    for number in 0..300 {
        spec.transitions.push(TransitionSpec {
            guards: guards("ticket.solution != ''", 1),
            effects: EffectsSpec { route: true, ..EffectsSpec::default() },
            ..transition(&format!("more{number}"), &["new"], "open", Trigger::Manual)
        });
    }
    assert!(Definition::check(spec.clone()).is_ok());
    let mut routed = spec.clone();
    routed.routing.insert(0, rule("ticket.subject.contains('x') || ticket.solution.contains('x')", "orders", ""));
    spec.fields[2].required_when = "ticket.solution.contains('x')".to_owned();
    let told = [routed, spec].map(|spec| lines(&Definition::check(spec).unwrap_err()));
    insta::assert_snapshot!(told.join("\n"), @r"
    routing[0].when: takes up to 4137 steps 302 times, the most of all conditions; they come to 1255404 together, and at most 150000 are taken: look through fewer long texts, or ask fewer conditions
    fields[2].required_when: takes up to 4102 steps 304 times, the most of all conditions; they come to 1253038 together, and at most 150000 are taken: look through fewer long texts, or ask fewer conditions
    ");
}

#[test]
fn texts_are_not_put_together() {
    let joined = with_guards("ticket.channel + ticket.priority == 'webhigh' && ticket.reply_count + 1 > 2", 1);
    let told = lines(&Definition::check(joined.clone()).unwrap_err());
    insta::assert_snapshot!(told, @"transitions[3].guards[0].expression: `+` adds numbers and does not put texts together: ask each by itself, as in ticket.channel == 'web' && ticket.priority == 'high'");

    let old = Definition::stored(joined).unwrap();
    assert_eq!(lines(old.contradictions()), told);
}
