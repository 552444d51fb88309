//! What the servers of a database sign with.

use diesel::prelude::*;

use super::schema::signing_keys;
use super::{AnyConnection, SYSTEM};

#[derive(Insertable)]
#[diesel(table_name = signing_keys)]
struct SigningKeyRow<'a> {
    helpdesk: &'a str,
    id: &'a str,
    bits: &'a [u8],
    create_time: i64,
}

pub fn get(connection: &mut AnyConnection, id: &str) -> QueryResult<Option<Vec<u8>>> {
    signing_keys::table.find((SYSTEM, id)).select(signing_keys::bits).first(connection).optional()
}

pub fn insert(connection: &mut AnyConnection, id: &str, bits: &[u8], create_time: i64) -> QueryResult<()> {
    let row = SigningKeyRow { helpdesk: SYSTEM, id, bits, create_time };
    diesel::insert_into(signing_keys::table).values(row).execute(connection).map(drop)
}
