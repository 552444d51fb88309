//! The agents of a helpdesk.

use diesel::prelude::*;

use super::rows::{list_from_json, list_to_json};
use super::schema::agents;
use super::{AnyConnection, StoreError, dialect};
use crate::domain::Agent;

#[derive(Debug, Clone, Insertable, AsChangeset, Queryable, Selectable)]
#[diesel(table_name = agents, primary_key(helpdesk, agent))]
pub struct AgentRow {
    pub helpdesk: String,
    pub agent: String,
    pub subject: String,
    pub display_name: String,
    /// A JSON array of ids.
    pub queues: String,
    /// A JSON array of values.
    pub skills: String,
    /// 0 or 1.
    pub active: i32,
    pub create_time: i64,
    pub update_time: i64,
    pub revision: i64,
}

impl AgentRow {
    pub fn new(helpdesk: &str, agent: &Agent) -> Self {
        let Agent { id, subject, display_name, queues, skills, active, create_time, update_time, revision } = agent;
        Self {
            helpdesk: helpdesk.to_owned(),
            agent: id.clone(),
            subject: subject.clone(),
            display_name: display_name.clone(),
            queues: list_to_json(queues),
            skills: list_to_json(skills),
            active: i32::from(*active),
            create_time: *create_time,
            update_time: *update_time,
            revision: *revision,
        }
    }

    pub fn into_agent(self) -> Result<Agent, StoreError> {
        let corrupt =
            |what: &str| StoreError::Corrupt(format!("{what} of the agent {} of {}", self.agent, self.helpdesk));
        Ok(Agent {
            queues: list_from_json(&self.queues).ok_or_else(|| corrupt("queues"))?,
            skills: list_from_json(&self.skills).ok_or_else(|| corrupt("skills"))?,
            id: self.agent,
            subject: self.subject,
            display_name: self.display_name,
            active: self.active != 0,
            create_time: self.create_time,
            update_time: self.update_time,
            revision: self.revision,
        })
    }
}

pub fn get(connection: &mut AnyConnection, helpdesk: &str, id: &str) -> Result<Option<Agent>, StoreError> {
    let row: Option<AgentRow> =
        agents::table.find((helpdesk, id)).select(AgentRow::as_select()).first(connection).optional()?;
    row.map(AgentRow::into_agent).transpose()
}

/// Those of these subjects and ids that are registered.
pub fn find(
    connection: &mut AnyConnection,
    helpdesk: &str,
    subjects: &[String],
    ids: &[String],
) -> Result<Vec<Agent>, StoreError> {
    let mut rows = dialect::agents_by_subjects(connection, helpdesk, subjects)?;
    rows.extend(dialect::agents_by_ids(connection, helpdesk, ids)?);
    rows.into_iter().map(AgentRow::into_agent).collect()
}

/// Whether any is registered.
pub fn are_any(connection: &mut AnyConnection, helpdesk: &str) -> QueryResult<bool> {
    let first: Option<String> =
        agents::table.filter(agents::helpdesk.eq(helpdesk)).select(agents::agent).first(connection).optional()?;
    Ok(first.is_some())
}

/// At most `limit` agents behind `after`, in order of their ids.
pub fn page(connection: &mut AnyConnection, helpdesk: &str, after: &str, limit: i64) -> Result<Vec<Agent>, StoreError> {
    let rows: Vec<AgentRow> = agents::table
        .filter(agents::helpdesk.eq(helpdesk).and(agents::agent.gt(after)))
        .order(agents::agent)
        .limit(limit)
        .select(AgentRow::as_select())
        .load(connection)?;
    rows.into_iter().map(AgentRow::into_agent).collect()
}

pub fn put(connection: &mut AnyConnection, row: &AgentRow) -> QueryResult<()> {
    let updated = diesel::update(agents::table.find((&row.helpdesk, &row.agent))).set(row).execute(connection)?;
    if updated == 0 {
        diesel::insert_into(agents::table).values(row).execute(connection)?;
    }
    Ok(())
}
