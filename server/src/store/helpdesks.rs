//! The directory of helpdesks and the versions of their definitions, as encoded messages.

use diesel::prelude::*;

use super::schema::{definitions, directory};
use super::{AnyConnection, SYSTEM};

/// A helpdesk in the directory, with its first definition.
#[derive(Debug, Clone, Insertable, Queryable, Selectable)]
#[diesel(table_name = directory)]
pub struct DirectoryRow {
    pub helpdesk: String,
    pub id: String,
    pub definition: Vec<u8>,
    pub revision: i64,
    pub create_time: i64,
}

/// One version of a definition.
#[derive(Debug, Clone, Insertable, Queryable, Selectable)]
#[diesel(table_name = definitions)]
pub struct DefinitionRow {
    pub helpdesk: String,
    pub version: i64,
    pub definition: Vec<u8>,
    pub revision: i64,
    pub create_time: i64,
}

pub fn directory_entry(connection: &mut AnyConnection, id: &str) -> QueryResult<Option<DirectoryRow>> {
    directory::table.find((SYSTEM, id)).select(DirectoryRow::as_select()).first(connection).optional()
}

/// At most `limit` helpdesks behind `after`, in order of their ids.
pub fn directory_page(connection: &mut AnyConnection, after: &str, limit: i64) -> QueryResult<Vec<DirectoryRow>> {
    directory::table
        .filter(directory::helpdesk.eq(SYSTEM).and(directory::id.gt(after)))
        .order(directory::id)
        .limit(limit)
        .select(DirectoryRow::as_select())
        .load(connection)
}

pub fn insert_directory_entry(connection: &mut AnyConnection, row: &DirectoryRow) -> QueryResult<()> {
    diesel::insert_into(directory::table).values(row).execute(connection).map(drop)
}

pub fn definition(connection: &mut AnyConnection, helpdesk: &str, version: i64) -> QueryResult<Option<DefinitionRow>> {
    definitions::table.find((helpdesk, version)).select(DefinitionRow::as_select()).first(connection).optional()
}

pub fn insert_definition(connection: &mut AnyConnection, row: &DefinitionRow) -> QueryResult<()> {
    diesel::insert_into(definitions::table).values(row).execute(connection).map(drop)
}

/// The version that was in force at a revision.
pub fn version_of_revision(connection: &mut AnyConnection, helpdesk: &str, revision: i64) -> QueryResult<i64> {
    let found = definitions::table
        .filter(definitions::helpdesk.eq(helpdesk).and(definitions::revision.le(revision)))
        .order(definitions::version.desc())
        .select(definitions::version)
        .first(connection)
        .optional()?;
    Ok(found.unwrap_or(1))
}
