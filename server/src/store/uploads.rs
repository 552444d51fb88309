//! Files on their way.

use diesel::prelude::*;

use super::schema::{attachments, uploads};
use super::{AnyConnection, StoreError, dialect};
use crate::domain::Upload;

pub use dialect::{delete_uploads as remove, insert_uploads as insert, update_uploads as update};

#[derive(Debug, Clone, Insertable, Queryable, Selectable)]
#[diesel(table_name = uploads)]
pub struct UploadRow {
    pub helpdesk: String,
    pub upload: String,
    pub subject: String,
    pub filename: String,
    pub mime_type: String,
    pub size: i64,
    /// SHA-256 as it was declared; empty: it was not.
    pub sha256: Vec<u8>,
    /// SHA-256 of what came; empty until all has.
    pub digest: Vec<u8>,
    /// 0 until it is attached.
    pub ticket: i64,
    pub create_time: i64,
    pub expire_time: i64,
    pub revision: i64,
}

impl UploadRow {
    pub fn new(helpdesk: &str, upload: &Upload) -> Self {
        let Upload {
            id,
            subject,
            filename,
            mime_type,
            size,
            sha256,
            digest,
            ticket,
            create_time,
            expire_time,
            revision,
        } = upload;
        Self {
            helpdesk: helpdesk.to_owned(),
            upload: id.clone(),
            subject: subject.clone(),
            filename: filename.clone(),
            mime_type: mime_type.clone(),
            size: *size,
            sha256: sha256.map(Vec::from).unwrap_or_default(),
            digest: digest.map(Vec::from).unwrap_or_default(),
            ticket: ticket.unwrap_or_default(),
            create_time: *create_time,
            expire_time: *expire_time,
            revision: *revision,
        }
    }

    pub fn into_upload(self) -> Result<Upload, StoreError> {
        let corrupt = || StoreError::Corrupt(format!("a hash of upload {} of {}", self.upload, self.helpdesk));
        let hash = |bytes: &[u8]| match bytes {
            [] => Ok(None),
            bytes => bytes.try_into().map(Some).map_err(|_| corrupt()),
        };
        Ok(Upload {
            sha256: hash(&self.sha256)?,
            digest: hash(&self.digest)?,
            ticket: (self.ticket != 0).then_some(self.ticket),
            id: self.upload,
            subject: self.subject,
            filename: self.filename,
            mime_type: self.mime_type,
            size: self.size,
            create_time: self.create_time,
            expire_time: self.expire_time,
            revision: self.revision,
        })
    }
}

/// The uploads of these ids that there are.
pub fn by_ids(connection: &mut AnyConnection, helpdesk: &str, ids: &[String]) -> Result<Vec<Upload>, StoreError> {
    let rows = dialect::uploads_by_ids(connection, helpdesk, ids)?;
    rows.into_iter().map(UploadRow::into_upload).collect()
}

/// What these subjects have under way that was not expired at `time`.
pub fn open_of(
    connection: &mut AnyConnection,
    helpdesk: &str,
    subjects: &[String],
    time: i64,
) -> Result<Vec<Upload>, StoreError> {
    let rows: Vec<UploadRow> = uploads::table
        .filter(uploads::helpdesk.eq(helpdesk).and(uploads::subject.eq_any(subjects)))
        // Written out: with a bound value SQLite would not know that the partial index has it.
        .filter(diesel::dsl::sql::<diesel::sql_types::Bool>("ticket = 0"))
        .filter(uploads::expire_time.gt(time))
        .select(UploadRow::as_select())
        .load(connection)?;
    rows.into_iter().map(UploadRow::into_upload).collect()
}

/// At most `limit` that expired before `time`, the longest expired first and used ones included: their ids, each with whether
/// its bytes are nobody's.
pub fn expired(
    connection: &mut AnyConnection,
    helpdesk: &str,
    time: i64,
    limit: i64,
) -> QueryResult<Vec<(String, bool)>> {
    let rows: Vec<(String, i64)> = uploads::table
        .filter(uploads::helpdesk.eq(helpdesk).and(uploads::expire_time.lt(time)))
        .order((uploads::expire_time, uploads::upload))
        .limit(limit)
        .select((uploads::upload, uploads::ticket))
        .load(connection)?;
    Ok(rows.into_iter().map(|(id, ticket)| (id, ticket == 0)).collect())
}

/// Those of these ids that neither an upload nor an attachment has.
pub fn unknown(connection: &mut AnyConnection, helpdesk: &str, ids: Vec<String>) -> QueryResult<Vec<String>> {
    let mut known: Vec<String> = uploads::table
        .filter(uploads::helpdesk.eq(helpdesk).and(uploads::upload.eq_any(&ids)))
        .select(uploads::upload)
        .load(connection)?;
    known.extend(
        attachments::table
            .filter(attachments::helpdesk.eq(helpdesk).and(attachments::attachment.eq_any(&ids)))
            .select(attachments::attachment)
            .load::<String>(connection)?,
    );
    Ok(ids.into_iter().filter(|id| !known.contains(id)).collect())
}
