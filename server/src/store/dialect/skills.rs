//! The first that wait and can be taken with each of several skills, in one statement for any number of skills.

use diesel::pg::Pg;
use diesel::prelude::*;
use diesel::query_builder::{AstPass, Query, QueryFragment, QueryId};
use diesel::sql_types::{Array, BigInt, Text};
use diesel::sqlite::Sqlite;

use crate::store::AnyConnection;

/// The statement; the skills are a JSON array on SQLite, and an array on PostgreSQL.
struct First<'a, S> {
    helpdesk: &'a str,
    queue: &'a str,
    skills: S,
    limit: i64,
}

impl<S> QueryId for First<'_, S> {
    type QueryId = First<'static, ()>;

    const HAS_STATIC_QUERY_ID: bool = true;
}

impl<S> Query for First<'_, S> {
    type SqlType = (Text, Text, BigInt);
}

impl<S, C> RunQueryDsl<C> for First<'_, S> {}

impl QueryFragment<Sqlite> for First<'_, String> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        // What is first is gathered for each skill: a table cannot be limited for each row of another.
        out.push_sql("SELECT wanted.value, place.value ->> 0, place.value ->> 1 FROM json_each(");
        out.push_bind_param::<Text, _>(&self.skills)?;
        out.push_sql(
            ") AS wanted CROSS JOIN json_each((
                 SELECT json_group_array(json_array(queue_key, ticket)) FROM (
                     SELECT f.queue_key, f.ticket FROM waiting_skills AS f
                     WHERE f.skill = wanted.value AND f.helpdesk = ",
        );
        out.push_bind_param::<Text, _>(self.helpdesk)?;
        out.push_sql(" AND f.queue = ");
        out.push_bind_param::<Text, _>(self.queue)?;
        out.push_sql(" ORDER BY f.queue_key, f.ticket LIMIT ");
        out.push_bind_param::<BigInt, _>(&self.limit)?;
        out.push_sql(") AS first)) AS place");
        Ok(())
    }
}

impl QueryFragment<Pg> for First<'_, &[&str]> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Pg>) -> QueryResult<()> {
        out.push_sql("SELECT w.skill, w.queue_key, w.ticket FROM unnest(");
        out.push_bind_param::<Array<Text>, _>(self.skills)?;
        out.push_sql(
            ") AS wanted(skill) CROSS JOIN LATERAL (SELECT * FROM waiting_skills AS f
                 WHERE f.skill = wanted.skill AND f.helpdesk = ",
        );
        out.push_bind_param::<Text, _>(self.helpdesk)?;
        out.push_sql(" AND f.queue = ");
        out.push_bind_param::<Text, _>(self.queue)?;
        out.push_sql(" ORDER BY f.queue_key, f.ticket LIMIT ");
        out.push_bind_param::<BigInt, _>(&self.limit)?;
        out.push_sql(") AS w");
        Ok(())
    }
}

/// The first `limit` tickets of a queue that can be taken with each of these skills: the skill, and the ticket's place, which
/// is its queue key and id.
pub fn first_by_skills(
    connection: &mut AnyConnection,
    helpdesk: &str,
    queue: &str,
    skills: &[&str],
    limit: i64,
) -> QueryResult<Vec<(String, String, i64)>> {
    match connection {
        AnyConnection::Sqlite(connection) => {
            let skills = serde_json::json!(skills).to_string();
            First { helpdesk, queue, skills, limit }.load(connection)
        }
        AnyConnection::Postgres(connection) => First { helpdesk, queue, skills, limit }.load(connection),
    }
}
