use super::*;

#[test]
fn what_is_taken_away_is_listed_and_what_is_retired_is_not() {
    let old = definition();
    let mut next = spec();
    next.statuses.remove(1);
    next.statuses[1].state = State::Solved;
    next.statuses.push(status("over", State::Closed, WaitsOn::Nobody));
    next.transitions = vec![
        transition("close", &["new"], "closed", Trigger::Manual),
        transition("end", &["closed"], "over", Trigger::Manual),
    ];
    next.fields[0].choices.remove(1);
    next.fields[1].choices[1].retired = true;
    next.fields[2].field_type = FieldType::Integer;
    next.priorities.remove(0);
    next.routing = vec![rule("", "desk", "")];
    next.queues[1].retired = true;
    let new = Definition::check(next).unwrap_or_else(|wrong| panic!("{}", lines(&wrong)));
    let uses: Vec<String> = Definition::in_use(&old, &new)
        .into_iter()
        .map(|used| format!("{} {} {:?} at {}: {}", used.kind, used.id, used.value, used.path, used.description))
        .collect();
    insta::assert_snapshot!(uses.join("\n"), @r#"
    status open "" at statuses: the status `open` is removed while tickets use it: mark it `retired` instead
    status closed "" at statuses[1].state: the state of `closed` changes from closed to solved while tickets stand there: retire it and add another status
    priority high "" at priorities: the priority `high` is removed while tickets use it: mark it `retired` instead
    choice type "deposit" at fields[0].choices: the choice `deposit` is removed while tickets use it: mark it `retired` instead
    field order_id "" at fields[2].type: the type of `order_id` changes from text to integer while tickets have values: retire it and add another field
    "#);
    assert!(old.spec().reorders(new.spec()));
}

#[test]
fn the_same_again_takes_nothing_away() {
    assert_eq!(Definition::in_use(&definition(), &definition()), []);
    assert!(!definition().spec().reorders(definition().spec()));
}
