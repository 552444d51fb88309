//! Those who file tickets.

use loket_client::v1::Requester;

use super::Column::{Text, Whole};
use super::{Table, card, instant, short};

/// A list of requesters.
pub(crate) fn list(requesters: &[Requester]) -> Table {
    Table::new(
        &[Whole("REQUESTER"), Whole("EMAIL"), Text("CALLED"), Whole("REGISTERED"), Whole("VERIFIED")],
        requesters.iter().map(|requester| {
            vec![
                short(&requester.name),
                requester.email.clone(),
                requester.display_name.clone(),
                instant(requester.create_time.as_ref()),
                instant(requester.verify_time.as_ref()),
            ]
        }),
    )
}

/// A requester, with the code if it is there.
pub(crate) fn whole(requester: &Requester) -> String {
    let tries = match requester.code_expire_time {
        Some(_) => requester.code_tries_left.to_string(),
        None => String::new(),
    };
    card(&[
        ("requester", requester.name.clone()),
        ("email", requester.email.clone()),
        ("called", requester.display_name.clone()),
        ("registered", instant(requester.create_time.as_ref())),
        ("verified", instant(requester.verify_time.as_ref())),
        ("code", requester.code.clone()),
        ("good until", instant(requester.code_expire_time.as_ref())),
        ("tries left", tries),
        ("revision", requester.revision.to_string()),
    ])
}
