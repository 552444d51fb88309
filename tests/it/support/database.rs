//! The databases that the suite runs on.

/// A database. Each server gets one of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Database {
    Sqlite,
}

impl Database {
    /// By the name of the suite's module.
    pub(crate) fn named(name: &str) -> Self {
        match name {
            "sqlite" => Self::Sqlite,
            other => panic!("there is no database {other}"),
        }
    }
}
