//! Access keys. Secrets are never stored, only their hashes.

use diesel::prelude::*;

use super::schema::access_keys;
use super::{AnyConnection, SYSTEM, dialect};
use crate::domain::Role;

#[derive(Debug, Clone, Insertable, AsChangeset, Queryable, Selectable)]
#[diesel(table_name = access_keys, primary_key(helpdesk, id))]
#[diesel(treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct KeyRow {
    pub helpdesk: String,
    pub id: String,
    /// SHA-256 of the secret.
    pub hash: Vec<u8>,
    pub role: String,
    pub subject: String,
    /// A JSON array of ids; empty for all.
    pub helpdesks: String,
    pub display_name: String,
    pub create_time: i64,
    pub revoke_time: Option<i64>,
    pub revision: i64,
}

/// At most `limit` keys behind `after`, in order of their ids.
pub fn page(connection: &mut AnyConnection, with_revoked: bool, after: &str, limit: i64) -> QueryResult<Vec<KeyRow>> {
    let mut query =
        access_keys::table.filter(access_keys::helpdesk.eq(SYSTEM).and(access_keys::id.gt(after))).into_boxed();
    if !with_revoked {
        query = query.filter(access_keys::revoke_time.is_null());
    }
    query.order(access_keys::id).limit(limit).select(KeyRow::as_select()).load(connection)
}

/// Every key, revoked ones included.
pub fn all(connection: &mut AnyConnection) -> QueryResult<Vec<KeyRow>> {
    access_keys::table.filter(access_keys::helpdesk.eq(SYSTEM)).select(KeyRow::as_select()).load(connection)
}

/// The keys of admins that are good.
pub fn of_admins(connection: &mut AnyConnection) -> QueryResult<Vec<KeyRow>> {
    let good = access_keys::revoke_time.is_null().and(access_keys::role.eq(Role::Admin.word()));
    access_keys::table.filter(access_keys::helpdesk.eq(SYSTEM).and(good)).select(KeyRow::as_select()).load(connection)
}

pub fn by_ids(connection: &mut AnyConnection, ids: &[String]) -> QueryResult<Vec<KeyRow>> {
    dialect::access_keys_by_ids(connection, SYSTEM, ids)
}

pub fn insert(connection: &mut AnyConnection, row: &KeyRow) -> QueryResult<()> {
    diesel::insert_into(access_keys::table).values(row).execute(connection).map(drop)
}

pub fn update(connection: &mut AnyConnection, row: &KeyRow) -> QueryResult<()> {
    diesel::update(access_keys::table.find((SYSTEM, &row.id))).set(row).execute(connection).map(drop)
}
