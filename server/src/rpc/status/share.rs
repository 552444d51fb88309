//! What is told of a key that has as much as it may.

use std::time::Duration;

use loket::v1::ErrorReason;
use tonic::{Code, Status};
use tonic_types::ErrorDetails;

use super::build;
use crate::rpc::share::{Of, TooMany};

impl From<TooMany> for Status {
    fn from(TooMany { of, most }: TooMany) -> Self {
        let (quota, what) = match of {
            Of::Calls => ("calls", "calls under way"),
            Of::Waits => ("waits", "calls that wait for a revision"),
            Of::Claims => ("waiting_claims", "claims that wait for a ticket"),
            Of::Streams => ("streams", "streams open"),
            Of::Uploads => ("streams", "uploads coming in"),
        };
        let text = format!("this key has {most} {what} on this server, which is all that one key may have");
        let limit = [("limit", most.to_string())];
        let quota_of = |details: &mut ErrorDetails| {
            details.add_quota_failure_violation(quota, format!("at most {most} {what} for one key"));
        };
        match of {
            Of::Calls | Of::Waits => {
                let text = format!("{text}; nothing was done: try again a little later");
                build(Code::Unavailable, ErrorReason::Overloaded, limit, text, |details| {
                    details.set_retry_info(Some(Duration::from_millis(500)));
                })
            }
            Of::Claims => {
                let text = format!("{text}; ask again without waiting");
                build(Code::ResourceExhausted, ErrorReason::TooManyWaitingClaims, limit, text, quota_of)
            }
            Of::Streams | Of::Uploads => {
                let text = format!("{text}; end one first");
                build(Code::ResourceExhausted, ErrorReason::TooManyStreams, limit, text, quota_of)
            }
        }
    }
}
