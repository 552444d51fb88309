//! The tickets that wait and need a skill, by each skill with which they can be taken.

use diesel::prelude::*;

use super::AnyConnection;
pub use super::dialect::insert_waiting_skills as insert;
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

/// The first `limit` tickets of a queue that can be taken with a skill, in its order: by queue key and id.
pub fn first(
    connection: &mut AnyConnection,
    helpdesk: &str,
    queue: &str,
    skill: &str,
    limit: i64,
) -> QueryResult<Vec<(String, i64)>> {
    waiting_skills::table
        .filter(waiting_skills::helpdesk.eq(helpdesk))
        .filter(waiting_skills::queue.eq(queue).and(waiting_skills::skill.eq(skill)))
        .order((waiting_skills::queue_key, waiting_skills::ticket))
        .limit(limit)
        .select((waiting_skills::queue_key, waiting_skills::ticket))
        .load(connection)
}

pub fn delete(connection: &mut AnyConnection, rows: &[WaitingSkillRow]) -> QueryResult<()> {
    for WaitingSkillRow { helpdesk, queue, skill, queue_key, ticket } in rows {
        let row = waiting_skills::table.find((helpdesk, queue, skill, queue_key, *ticket));
        diesel::delete(row).execute(connection)?;
    }
    Ok(())
}

/// Forgets all of a helpdesk, before they are put in anew.
pub fn clear(connection: &mut AnyConnection, helpdesk: &str) -> QueryResult<()> {
    diesel::delete(waiting_skills::table.filter(waiting_skills::helpdesk.eq(helpdesk))).execute(connection).map(drop)
}
