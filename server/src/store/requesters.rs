//! Those who are registered to file tickets.

use diesel::prelude::*;

use super::schema::requesters;
use super::{AnyConnection, StoreError};
use crate::domain::Requester;
use crate::domain::requester::{Code, CodeHash};

pub use super::dialect::requesters_by_ids as by_ids;

#[derive(Debug, Clone, Insertable, AsChangeset, Queryable, Selectable)]
#[diesel(table_name = requesters, primary_key(helpdesk, requester))]
#[diesel(treat_none_as_default_value = false, treat_none_as_null = true)]
pub struct RequesterRow {
    pub helpdesk: String,
    pub requester: String,
    pub email: String,
    pub display_name: String,
    pub create_time: i64,
    pub verify_time: Option<i64>,
    /// Empty: there is no code.
    pub code_hash: Vec<u8>,
    pub code_expire_time: i64,
    pub code_tries_left: i32,
    pub revision: i64,
}

impl RequesterRow {
    pub fn new(helpdesk: &str, requester: &Requester) -> Self {
        let Requester { id, email, display_name, create_time, verify_time, code, revision } = requester;
        Self {
            helpdesk: helpdesk.to_owned(),
            requester: id.clone(),
            email: email.clone(),
            display_name: display_name.clone(),
            create_time: *create_time,
            verify_time: *verify_time,
            code_hash: code.as_ref().map(|code| code.hash.to_vec()).unwrap_or_default(),
            code_expire_time: code.as_ref().map_or(0, |code| code.expire_time),
            code_tries_left: code.as_ref().map_or(0, |code| code.tries_left),
            revision: *revision,
        }
    }

    pub fn into_requester(self) -> Result<Requester, StoreError> {
        let code = if self.code_hash.is_empty() {
            None
        } else {
            let hash = CodeHash::try_from(self.code_hash.as_slice())
                .map_err(|_| StoreError::Corrupt(format!("the code of {} of {}", self.requester, self.helpdesk)))?;
            Some(Code { hash, expire_time: self.code_expire_time, tries_left: self.code_tries_left })
        };
        Ok(Requester {
            id: self.requester,
            email: self.email,
            display_name: self.display_name,
            create_time: self.create_time,
            verify_time: self.verify_time,
            code,
            revision: self.revision,
        })
    }
}

pub fn get(connection: &mut AnyConnection, helpdesk: &str, id: &str) -> Result<Option<Requester>, StoreError> {
    let row: Option<RequesterRow> =
        requesters::table.find((helpdesk, id)).select(RequesterRow::as_select()).first(connection).optional()?;
    row.map(RequesterRow::into_requester).transpose()
}

/// At most `limit` requesters behind `after`, in order of their ids.
pub fn page(
    connection: &mut AnyConnection,
    helpdesk: &str,
    after: &str,
    limit: i64,
) -> Result<Vec<Requester>, StoreError> {
    let rows: Vec<RequesterRow> = requesters::table
        .filter(requesters::helpdesk.eq(helpdesk).and(requesters::requester.gt(after)))
        .order(requesters::requester)
        .limit(limit)
        .select(RequesterRow::as_select())
        .load(connection)?;
    rows.into_iter().map(RequesterRow::into_requester).collect()
}

pub fn insert(connection: &mut AnyConnection, row: &RequesterRow) -> QueryResult<()> {
    diesel::insert_into(requesters::table).values(row).execute(connection).map(drop)
}

pub fn update(connection: &mut AnyConnection, row: &RequesterRow) -> QueryResult<()> {
    diesel::update(requesters::table.find((&row.helpdesk, &row.requester))).set(row).execute(connection).map(drop)
}
