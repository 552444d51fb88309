//! The tickets that wait and need a skill, by each skill with which they can be taken.

use diesel::prelude::*;

use super::AnyConnection;
pub use super::dialect::{delete_waiting_skills as delete, first_by_skills as first, insert_waiting_skills as insert};
use super::schema::waiting_skills;

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Insertable, Queryable, Selectable)]
#[diesel(table_name = waiting_skills)]
pub struct WaitingSkillRow {
    pub helpdesk: String,
    pub queue: String,
    pub skill: String,
    pub queue_key: String,
    pub ticket: i64,
}

/// Forgets all of a helpdesk, before they are put in anew.
pub fn clear(connection: &mut AnyConnection, helpdesk: &str) -> QueryResult<()> {
    diesel::delete(waiting_skills::table.filter(waiting_skills::helpdesk.eq(helpdesk))).execute(connection).map(drop)
}
