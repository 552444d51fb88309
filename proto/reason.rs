//! The reasons of errors, as they stand in `google.rpc.ErrorInfo`.

use crate::v1::ErrorReason;

/// The `domain` of every `google.rpc.ErrorInfo`.
pub const DOMAIN: &str = "loket.v1";

/// The metadata key of the access key: `authorization: Bearer …`.
pub const AUTHORIZATION: &str = "authorization";

/// The metadata key that names for whom a service or an admin acts.
pub const ON_BEHALF_OF: &str = "loket-on-behalf-of";

const PREFIX: &str = "ERROR_REASON_";

impl ErrorReason {
    /// The name in `ErrorInfo.reason`: the value's name without its prefix.
    #[must_use]
    pub fn as_reason(&self) -> &'static str {
        let name = self.as_str_name();
        name.strip_prefix(PREFIX).unwrap_or(name)
    }

    /// The value of a name in `ErrorInfo.reason`; none when this version does not know it.
    #[must_use]
    pub fn from_reason(reason: &str) -> Option<Self> {
        Self::from_str_name(&format!("{PREFIX}{reason}"))
    }
}
