//! What lets a caller in.

use super::{Micros, Role};

/// SHA-256 of the secret.
pub type KeyHash = [u8; 32];

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccessKey {
    pub id: String,
    pub hash: KeyHash,
    pub role: Role,
    pub subject: String,
    /// The ids of the helpdesks it opens; empty for all, which only an admin's can be.
    pub helpdesks: Vec<String>,
    pub display_name: String,
    pub create_time: Micros,
    pub revoke_time: Option<Micros>,
    pub revision: i64,
}

impl AccessKey {
    /// The id of the key whose name this is.
    pub fn id_of(name: &str) -> Option<&str> {
        name.strip_prefix("accessKeys/")
    }

    /// Whether keys for every helpdesk can be made with it.
    pub fn makes_any(&self) -> bool {
        self.role == Role::Admin && self.helpdesks.is_empty() && self.revoke_time.is_none()
    }
}
