//! Errors, as tests look at them.

use std::fmt::Debug;

use loket::v1::ErrorReason;
use loket_client::Error;
use loket_client::error::Origin;
use prost_reflect::DescriptorPool;
use tonic::Code;

/// An error in full, for a snapshot: code and reason, the message, and each violation in a line of its own.
///
/// Every error of the server has a reason of the contract, with the code that the contract gives it.
#[track_caller]
pub(crate) fn told<T: Debug>(result: Result<T, Error>) -> String {
    let error = result.expect_err("a refusal");
    let reason = checked(&error);
    // The message of several violations repeats them.
    let message = error.message().split(" things are wrong. ").next().unwrap();
    let mut told = format!("{:?} {}\n{message}", error.code(), reason.as_reason());
    for violation in error.violations() {
        told.push_str(&format!("\n- {violation}"));
    }
    told
}

/// The reason of an error.
#[track_caller]
pub(crate) fn reason<T: Debug>(result: Result<T, Error>) -> ErrorReason {
    checked(&result.expect_err("a refusal"))
}

#[track_caller]
fn checked(error: &Error) -> ErrorReason {
    assert_eq!(error.origin(), Origin::Server, "{error}");
    let reason = error.reason().unwrap_or_else(|| panic!("an error without a reason: {error:?}"));
    assert_eq!(Some(error.code()), documented_code(reason), "{reason:?} comes with another code than documented");
    reason
}

/// The code that the comment of a reason begins with.
pub(crate) fn documented_code(reason: ErrorReason) -> Option<Code> {
    let pool: &DescriptorPool = &loket::json::POOL;
    let values = pool.get_enum_by_name("loket.v1.ErrorReason").unwrap();
    let path = values.get_value(reason.into()).unwrap().path().to_vec();
    let file = values.parent_file().file_descriptor_proto().clone();
    let place = file.source_code_info?.location.into_iter().find(|place| place.path == path)?;
    let comment = place.leading_comments?;
    let (code, rest) = comment.trim().split_once(": ")?;
    let known = (0..=16).map(Code::from_i32).find(|known| wire_name(*known) == code)?;
    (!rest.is_empty()).then_some(known)
}

/// `InvalidArgument` is `INVALID_ARGUMENT`.
fn wire_name(code: Code) -> String {
    let mut name = String::new();
    for character in format!("{code:?}").chars() {
        if character.is_uppercase() && !name.is_empty() {
            name.push('_');
        }
        name.extend(character.to_uppercase());
    }
    name
}
