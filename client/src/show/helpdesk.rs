//! Helpdesks: a list, and one definition in short.

use loket_client::v1::{CannedResponse, Helpdesk};

use super::Column::{Names, Text, Whole};
use super::{Table, card, clean, indented, instant, role, word};
use crate::output::Output;

/// A list of helpdesks.
pub(crate) fn list(helpdesks: &[Helpdesk]) -> Table {
    Table::new(
        &[Whole("HELPDESK"), Text("CALLED"), Whole("VERSION"), Names("QUEUES"), Whole("UPDATED")],
        helpdesks.iter().map(|helpdesk| {
            vec![
                helpdesk.name.clone(),
                helpdesk.display_name.clone(),
                helpdesk.definition_version.to_string(),
                helpdesk.queues.iter().map(|queue| queue.id.as_str()).collect::<Vec<_>>().join(", "),
                instant(helpdesk.update_time.as_ref()),
            ]
        }),
    )
}

/// The texts that the staff reply with.
pub(crate) fn canned(canned: &[CannedResponse]) -> Table {
    Table::new(
        &[Whole("ID"), Text("CALLED")],
        canned.iter().map(|canned| vec![retired(&canned.id, canned.retired), canned.display_name.clone()]),
    )
}

/// The same texts whole, each set in under its id.
pub(crate) fn canned_texts(canned: &[CannedResponse], terminal_width: Option<u16>) -> String {
    let under =
        |canned: &CannedResponse| format!("\n── {}\n{}", clean(&canned.id), indented(&canned.body, terminal_width));
    canned.iter().map(under).collect()
}

/// One line about a helpdesk that was applied, and what became of it.
pub(crate) fn line(helpdesk: &Helpdesk, fate: &str) -> String {
    format!("{}  definition version {}  {fate}\n", clean(&helpdesk.name), helpdesk.definition_version)
}

/// The statuses, moves, fields and queues. The whole definition is there with `-o json`.
pub(crate) fn whole(helpdesk: &Helpdesk, output: Output) -> String {
    let statuses = Table::new(
        &[Whole("STATUS"), Text("CALLED"), Whole("STATE"), Whole("WAITS ON")],
        helpdesk.statuses.iter().map(|status| {
            vec![
                retired(&status.id, status.retired),
                status.display_name.clone(),
                word(status.state().as_str_name(), "STATE_"),
                word(status.waits_on().as_str_name(), "WAITS_ON_"),
            ]
        }),
    );
    let transitions = Table::new(
        &[Whole("TRANSITION"), Names("FROM"), Whole("TO"), Whole("TRIGGER"), Names("ROLES")],
        helpdesk.transitions.iter().map(|transition| {
            vec![
                transition.id.clone(),
                transition.from.join(", "),
                transition.to.clone(),
                word(transition.trigger().as_str_name(), "TRANSITION_TRIGGER_"),
                transition.roles().map(role).collect::<Vec<_>>().join(", "),
            ]
        }),
    );
    let fields = Table::new(
        &[Whole("FIELD"), Text("CALLED"), Whole("TYPE")],
        helpdesk.fields.iter().map(|field| {
            vec![field.id.clone(), field.display_name.clone(), word(field.r#type().as_str_name(), "FIELD_TYPE_")]
        }),
    );
    let queues = Table::new(
        &[Whole("QUEUE"), Text("CALLED")],
        helpdesk.queues.iter().map(|queue| vec![retired(&queue.id, queue.retired), queue.display_name.clone()]),
    );
    let priorities: Vec<_> = helpdesk.priorities.iter().map(|priority| priority.id.as_str()).collect();

    let mut text = card(&[
        ("helpdesk", helpdesk.name.clone()),
        ("called", helpdesk.display_name.clone()),
        ("version", helpdesk.definition_version.to_string()),
        ("priorities", priorities.join(", ")),
        ("updated", instant(helpdesk.update_time.as_ref())),
        ("etag", helpdesk.etag.clone()),
    ]);
    for table in [&statuses, &transitions, &fields, &queues] {
        text.push('\n');
        text.push_str(&output.table(table));
    }
    text
}

fn retired(id: &str, retired: bool) -> String {
    if retired { format!("{id} (retired)") } else { id.to_owned() }
}
