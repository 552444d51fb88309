use super::*;

fn routed(change: impl FnOnce(&mut Ticket)) -> Routed {
    let definition = definition();
    let mut ticket = ticket();
    change(&mut ticket);
    let actor = actor(Role::Requester);
    definition.route(&ticket, &actor)
}

#[test]
fn the_first_rule_with_a_queue_ends_the_search_and_the_first_priority_stays() {
    let order = |ticket: &mut Ticket| drop(ticket.fields.insert("type".to_owned(), "order".to_owned()));
    assert_eq!(routed(order), Routed { queue: "orders".to_owned(), priority: "high".to_owned() });
    let by_phone = |ticket: &mut Ticket| {
        order(ticket);
        ticket.channel = "phone".to_owned();
    };
    assert_eq!(routed(by_phone).priority, "normal");
}

#[test]
fn a_ticket_keeps_the_priority_it_came_with() {
    assert_eq!(routed(|ticket| ticket.priority = "low".to_owned()).priority, "low");
}

#[test]
fn without_a_rule_it_is_the_default_queue() {
    let routed = routed(|ticket| ticket.channel.clear());
    assert_eq!(routed, Routed { queue: "desk".to_owned(), priority: "normal".to_owned() });
}

#[test]
fn the_paths_that_route_are_known() {
    let definition = definition();
    for (path, routes) in [
        ("fields.type", true),
        ("fields.place", true),
        ("channel", true),
        ("fields.order_id", false),
        ("priority", false),
    ] {
        assert_eq!(definition.routes_by(path), routes, "{path}");
    }
}
