//! Access keys. Secrets are never stored, only their hashes.

use diesel::prelude::*;

use super::schema::access_keys;
use super::{AnyConnection, SYSTEM, StoreError, dialect};
use crate::domain::{AccessKey, Role};

#[derive(Debug, Clone, Insertable, AsChangeset, Queryable, Selectable)]
#[diesel(table_name = access_keys, primary_key(helpdesk, id))]
#[diesel(treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct KeyRow {
    helpdesk: String,
    id: String,
    /// SHA-256 of the secret.
    hash: Vec<u8>,
    role: String,
    subject: String,
    /// A JSON array of ids; empty for all.
    helpdesks: String,
    display_name: String,
    create_time: i64,
    revoke_time: Option<i64>,
    revision: i64,
}

impl KeyRow {
    fn new(key: &AccessKey) -> Self {
        Self {
            helpdesk: SYSTEM.to_owned(),
            id: key.id.clone(),
            hash: key.hash.to_vec(),
            role: key.role.word().to_owned(),
            subject: key.subject.clone(),
            helpdesks: serde_json::json!(key.helpdesks).to_string(),
            display_name: key.display_name.clone(),
            create_time: key.create_time,
            revoke_time: key.revoke_time,
            revision: key.revision,
        }
    }

    fn into_key(self) -> Result<AccessKey, StoreError> {
        let corrupt = |what: &str| StoreError::Corrupt(format!("{what} of the access key {}", self.id));
        Ok(AccessKey {
            hash: self.hash.as_slice().try_into().map_err(|_| corrupt("the hash"))?,
            role: Role::from_word(&self.role).ok_or_else(|| corrupt("the role"))?,
            helpdesks: serde_json::from_str(&self.helpdesks).map_err(|_| corrupt("the helpdesks"))?,
            id: self.id,
            subject: self.subject,
            display_name: self.display_name,
            create_time: self.create_time,
            revoke_time: self.revoke_time,
            revision: self.revision,
        })
    }
}

fn keys(rows: Vec<KeyRow>) -> Result<Vec<AccessKey>, StoreError> {
    rows.into_iter().map(KeyRow::into_key).collect()
}

/// A key; None of one that this version cannot read, as of a role that a later one knows. It opens nothing here, and hides no
/// other.
fn readable(row: KeyRow) -> Option<AccessKey> {
    row.into_key().inspect_err(|error| tracing::error!(%error, "a key opens nothing")).ok()
}

/// At most `limit` keys behind `after`, in order of their ids; fewer only where there are no more.
pub fn page(
    connection: &mut AnyConnection,
    with_revoked: bool,
    after: &str,
    limit: i64,
) -> Result<Vec<AccessKey>, StoreError> {
    let (mut found, mut after) = (Vec::new(), after.to_owned());
    loop {
        let behind = access_keys::helpdesk.eq(SYSTEM).and(access_keys::id.gt(after));
        let mut query = access_keys::table.filter(behind).into_boxed();
        if !with_revoked {
            query = query.filter(access_keys::revoke_time.is_null());
        }
        let wanted = limit - found.len() as i64;
        let rows: Vec<KeyRow> =
            query.order(access_keys::id).limit(wanted).select(KeyRow::as_select()).load(connection)?;
        let is_end = (rows.len() as i64) < wanted;
        after = rows.last().map(|last| last.id.clone()).unwrap_or_default();
        found.extend(rows.into_iter().filter_map(readable));
        if is_end || found.len() as i64 >= limit {
            return Ok(found);
        }
    }
}

/// Every key, revoked ones included.
pub fn all(connection: &mut AnyConnection) -> QueryResult<Vec<AccessKey>> {
    let rows = access_keys::table.filter(access_keys::helpdesk.eq(SYSTEM)).select(KeyRow::as_select());
    Ok(rows.load(connection)?.into_iter().filter_map(readable).collect())
}

/// The keys of admins that are good.
pub fn of_admins(connection: &mut AnyConnection) -> Result<Vec<AccessKey>, StoreError> {
    let good = access_keys::revoke_time.is_null().and(access_keys::role.eq(Role::Admin.word()));
    let ours = access_keys::helpdesk.eq(SYSTEM);
    keys(access_keys::table.filter(ours.and(good)).select(KeyRow::as_select()).load(connection)?)
}

pub fn by_ids(connection: &mut AnyConnection, ids: &[String]) -> Result<Vec<AccessKey>, StoreError> {
    keys(dialect::access_keys_by_ids(connection, SYSTEM, ids)?)
}

/// Those of these keys that this version can read.
pub fn readable_by_ids(connection: &mut AnyConnection, ids: &[String]) -> Result<Vec<AccessKey>, StoreError> {
    Ok(dialect::access_keys_by_ids(connection, SYSTEM, ids)?.into_iter().filter_map(readable).collect())
}

pub fn insert(connection: &mut AnyConnection, key: &AccessKey) -> QueryResult<()> {
    diesel::insert_into(access_keys::table).values(KeyRow::new(key)).execute(connection).map(drop)
}

pub fn update(connection: &mut AnyConnection, key: &AccessKey) -> QueryResult<()> {
    diesel::update(access_keys::table.find((SYSTEM, &key.id))).set(KeyRow::new(key)).execute(connection).map(drop)
}
