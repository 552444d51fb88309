//! Which folders of files belong to the database.

use diesel::prelude::*;

use super::schema::folders;
use super::{AnyConnection, SYSTEM};

/// The id in the mark of a folder.
pub fn get(connection: &mut AnyConnection, folder: &str) -> QueryResult<Option<String>> {
    folders::table.find((SYSTEM, folder)).select(folders::id).first(connection).optional()
}

pub fn insert(connection: &mut AnyConnection, folder: &str, id: &str) -> QueryResult<()> {
    let row = (folders::helpdesk.eq(SYSTEM), folders::folder.eq(folder), folders::id.eq(id));
    diesel::insert_into(folders::table).values(row).execute(connection).map(drop)
}
