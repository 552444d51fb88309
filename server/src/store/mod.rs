//! The database: rows, queries and migrations. What differs between the databases is in `dialect.rs`, how either is opened in
//! `connection.rs`.

pub mod agents;
pub mod attachments;
pub mod changes;
pub mod connection;
pub mod content;
pub mod counts;
pub mod definition_payload;
pub mod dialect;
pub mod duplicates;
mod error;
pub mod folders;
pub mod heads;
pub mod helpdesks;
pub mod keys;
pub mod list;
pub mod payload;
mod pool;
pub mod queues;
pub mod replies;
pub mod requesters;
pub mod requests;
pub mod rows;
pub mod schema;
pub mod signing_keys;
pub mod skills;
#[cfg(test)]
pub(crate) mod throwaway;
pub mod tickets;
pub mod uploads;
pub mod wal;

pub use attachments::AttachmentRow;
pub use changes::{ChangeRow, LogEntry, NewChangeRow};
pub use connection::{AnyConnection, Database};
pub use content::Content;
pub use counts::CountRow;
pub use dialect::{BatchRows, write_batch};
pub use duplicates::DuplicateTextRow;
pub use error::StoreError;
pub use heads::HeadRow;
pub use pool::Pool;
pub use requests::{NewRequestRow, RequestRow};
pub use tickets::{ExternalRefRow, FieldRow};
pub use uploads::UploadRow;
pub use wal::Wal;

/// The reserved helpdesk that holds the directory of helpdesks and the access keys.
pub const SYSTEM: &str = "_system";
