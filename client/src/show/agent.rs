//! Agents.

use loket_client::v1::Agent;

use super::Column::{Names, Text, Whole};
use super::{Table, card, instant, short};

/// A list of agents.
pub(crate) fn list(agents: &[Agent]) -> Table {
    Table::new(
        &[Whole("AGENT"), Whole("SUBJECT"), Text("NAME"), Names("QUEUES"), Names("SKILLS"), Whole("ACTIVE")],
        agents.iter().map(|agent| {
            vec![
                short(&agent.name),
                agent.subject.clone(),
                agent.display_name.clone(),
                or_all(&agent.queues),
                or_all(&agent.skills),
                yes(agent.active),
            ]
        }),
    )
}

/// An agent with all it has.
pub(crate) fn whole(agent: &Agent) -> String {
    card(&[
        ("agent", agent.name.clone()),
        ("subject", agent.subject.clone()),
        ("name", agent.display_name.clone()),
        ("queues", or_all(&agent.queues)),
        ("skills", or_all(&agent.skills)),
        ("active", yes(agent.active)),
        ("created", instant(agent.create_time.as_ref())),
        ("updated", instant(agent.update_time.as_ref())),
        ("revision", agent.revision.to_string()),
        ("etag", agent.etag.clone()),
    ])
}

fn or_all(names: &[String]) -> String {
    if names.is_empty() { "all".to_owned() } else { names.join(", ") }
}

fn yes(yes: bool) -> String {
    if yes { "yes" } else { "no" }.to_owned()
}
