//! Access keys.

use loket_client::v1::AccessKey;

use super::Column::{Names, Text, Whole};
use super::{Table, card, instant, role};

/// A list of keys.
pub(crate) fn list(keys: &[AccessKey]) -> Table {
    Table::new(
        &[
            Whole("KEY"),
            Whole("ROLE"),
            Whole("SUBJECT"),
            Names("HELPDESKS"),
            Text("NOTE"),
            Whole("CREATED"),
            Whole("REVOKED"),
        ],
        keys.iter().map(|key| {
            vec![
                key.name.clone(),
                role(key.role()),
                key.subject.clone(),
                helpdesks(key),
                key.display_name.clone(),
                instant(key.create_time.as_ref()),
                instant(key.revoke_time.as_ref()),
            ]
        }),
    )
}

/// A key, with its secret if it is there.
pub(crate) fn whole(key: &AccessKey) -> String {
    card(&[
        ("key", key.name.clone()),
        ("role", role(key.role())),
        ("subject", key.subject.clone()),
        ("helpdesks", helpdesks(key)),
        ("note", key.display_name.clone()),
        ("created", instant(key.create_time.as_ref())),
        ("revoked", instant(key.revoke_time.as_ref())),
        ("secret", key.secret.clone()),
    ])
}

fn helpdesks(key: &AccessKey) -> String {
    if key.helpdesks.is_empty() { "all".to_owned() } else { key.helpdesks.join(", ") }
}
