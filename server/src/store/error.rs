//! What can go wrong with the database, for the operator to read. Callers never see it.

use diesel::result::{DatabaseErrorKind, Error as Diesel};

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("cannot connect to the database: {0}")]
    Connect(#[from] diesel::ConnectionError),
    #[error("no connection to the database came free: {0}")]
    Pool(#[from] r2d2::Error),
    #[error("the database refused: {0}")]
    Query(#[from] Diesel),
    #[error("the database could not be brought to this version: {0}")]
    Migrate(String),
    #[error("the database holds what this version cannot read: {0}")]
    Corrupt(String),
}

impl StoreError {
    /// Whether trying again may help: the database was away, busy or full, and nothing is wrong with what was asked.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Connect(_)
            | Self::Pool(_)
            | Self::Query(Diesel::BrokenTransactionManager | Diesel::RollbackErrorOnCommit { .. }) => true,
            Self::Query(Diesel::DatabaseError(kind, information)) => {
                let text = information.message();
                matches!(
                    kind,
                    DatabaseErrorKind::SerializationFailure
                        | DatabaseErrorKind::ClosedConnection
                        | DatabaseErrorKind::UnableToSendCommand
                        | DatabaseErrorKind::ReadOnlyTransaction
                ) || text.contains("database is locked")
                    || text.contains("is full")
                    || text.contains("No space left on device")
                    || text.contains("disk I/O error")
            }
            Self::Query(_) | Self::Migrate(_) | Self::Corrupt(_) => false,
        }
    }
}
