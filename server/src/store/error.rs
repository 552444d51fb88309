//! What can go wrong with the database, for the operator to read. Callers never see it.

use diesel::result::{DatabaseErrorKind, Error as Diesel};

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("cannot connect to the database: {}", one_line(.0))]
    Connect(#[from] diesel::ConnectionError),
    #[error("no connection to the database came free: {}", one_line(.0))]
    Pool(#[from] r2d2::Error),
    #[error("the database failed: {}", one_line(.0))]
    Query(#[from] Diesel),
    #[error("what was committed could not be put on disk: {0}")]
    Flush(#[source] std::io::Error),
    #[error("the database cannot be used: {0}")]
    Unfit(String),
    #[error("the database could not be brought to this version: {0}")]
    Migrate(String),
    #[error("the database holds what this version cannot read: {0}")]
    Corrupt(String),
    /// Nothing is wrong with the database.
    #[error("the system has {what}: {error}")]
    System { what: &'static str, error: std::io::Error },
    /// A panic, or the end of the process.
    #[error("{what} ended early: {error}")]
    Ended { what: &'static str, error: String },
}

/// libpq writes lines, the last with an end; an error is a part of a line.
fn one_line(error: &impl std::fmt::Display) -> String {
    error.to_string().split_whitespace().collect::<Vec<_>>().join(" ")
}

/// What SQLite says of a file that is not whole, as one copied without its log.
const DAMAGED: [&str; 2] = ["database disk image is malformed", "file is not a database"];

/// What the databases say where trying again may help and no kind of error tells. PostgreSQL says it in its own language:
/// in another than English, of which `dialect::check` warns, each command of the batch is tried again for itself, and its caller
/// may read `INTERNAL`.
const TRANSIENT: [&str; 16] = [
    // SQLite
    "database is locked",
    "is full",
    "disk I/O error",
    // PostgreSQL: 40P01, 55P03, 57014, 57P01 to 57P03, 25P03, 53100, 53200, 53300; and 0A000 of a standby that is to write
    "deadlock detected",
    "due to lock timeout",
    "due to statement timeout",
    "due to user request",
    "during recovery",
    "terminating connection",
    "server closed the connection",
    "connection to server was lost",
    "could not receive data from server",
    "the database system is",
    "No space left on device",
    "out of memory",
    "too many clients",
];

impl StoreError {
    /// Whether the database is not whole, which nothing but another one mends.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Query(Diesel::DatabaseError(_, information)) => DAMAGED.contains(&information.message()),
            Self::Query(_)
            | Self::Connect(_)
            | Self::Pool(_)
            | Self::Flush(_)
            | Self::Unfit(_)
            | Self::Migrate(_)
            | Self::Corrupt(_)
            | Self::System { .. }
            | Self::Ended { .. } => false,
        }
    }

    /// Whether trying again may help: the database was away, busy or full, and nothing is wrong with what was asked.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Connect(_)
            | Self::Pool(_)
            | Self::Flush(_)
            | Self::Query(Diesel::BrokenTransactionManager | Diesel::RollbackErrorOnCommit { .. }) => true,
            Self::Query(Diesel::DatabaseError(kind, information)) => {
                let text = information.message();
                matches!(
                    kind,
                    DatabaseErrorKind::SerializationFailure
                        | DatabaseErrorKind::ClosedConnection
                        | DatabaseErrorKind::UnableToSendCommand
                        | DatabaseErrorKind::ReadOnlyTransaction
                ) || TRANSIENT.iter().any(|part| text.contains(part))
            }
            Self::Query(_)
            | Self::Unfit(_)
            | Self::Migrate(_)
            | Self::Corrupt(_)
            | Self::System { .. }
            | Self::Ended { .. } => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> StoreError {
        Diesel::DatabaseError(DatabaseErrorKind::Unknown, Box::new(text.to_owned())).into()
    }

    #[test]
    fn a_standby_and_a_cancelled_statement_are_tried_again() {
        for text in [
            "cannot set transaction read-write mode during recovery",
            "cannot execute INSERT during recovery",
            "canceling statement due to user request",
            "canceling statement due to statement timeout",
        ] {
            assert!(said(text).is_transient(), "{text}");
        }
        assert!(!said("division by zero").is_transient());
    }
}
