//! Those who are registered to file tickets, and whether a ticket may be filed for somebody.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

use super::context::{Context, WorkingSet};
use super::definition::{Definition, IdentityPolicy};
use super::time::SECOND;
use super::{ContactRefusal, Micros, Refusal, Role};

/// Somebody who is registered at a helpdesk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Requester {
    /// Made of the address: see [`id_of`].
    pub id: String,
    /// In its normal form.
    pub email: String,
    pub display_name: String,
    pub create_time: Micros,
    pub verify_time: Option<Micros>,
    /// None while there is none that could be good.
    pub code: Option<Code>,
    pub revision: i64,
}

/// A one-time code that was handed out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code {
    pub hash: CodeHash,
    pub expire_time: Micros,
    /// How many wrong ones are still taken.
    pub tries_left: i32,
}

pub type CodeHash = [u8; 32];

impl Code {
    pub const LIFETIME: Micros = 30 * 60 * SECOND;
    pub const TRIES: i32 = 5;

    pub fn new(hash: CodeHash, now: Micros) -> Self {
        Self { hash, expire_time: now + Self::LIFETIME, tries_left: Self::TRIES }
    }

    /// What is kept of a code. It belongs to one requester, so that nothing can be computed for all of them beforehand; and
    /// its 50 random bits outlast half an hour of trying by whoever reads the database.
    pub fn hash(helpdesk: &str, requester: &str, code: &str) -> CodeHash {
        let told = code.chars().filter(|c| !c.is_whitespace() && *c != '-').flat_map(char::to_uppercase);
        let mut digest = Sha256::new();
        for part in ["code", helpdesk, requester, &told.collect::<String>()] {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part);
        }
        digest.finalize().into()
    }
}

/// The id of whoever has an address: the same for the same address, and not to be read back from logs and names.
pub fn id_of(email: &str) -> String {
    let digest = Sha256::digest(email);
    digest.iter().take(16).fold("r".to_owned(), |mut id, byte| {
        // Writing to a text never fails.
        let _ = write!(id, "{byte:02x}");
        id
    })
}

/// Refuses a ticket for somebody of whom the helpdesk does not know what it demands.
pub(super) fn admit(rules: &Definition, set: &WorkingSet, context: &Context<'_>, email: &str) -> Result<(), Refusal> {
    let must_be_verified = match rules.identity() {
        IdentityPolicy::Anybody => return Ok(()),
        // Who has a key has an account, and the staff answer for whom they file.
        IdentityPolicy::Registered if context.actor.role != Role::Service => return Ok(()),
        IdentityPolicy::Registered => false,
        IdentityPolicy::Verified => true,
    };
    match set.requesters.get(&id_of(email)) {
        None => Err(ContactRefusal::RequesterNotRegistered {
            helpdesk: context.helpdesk.to_owned(),
            email: email.to_owned(),
            must_be_verified,
        }
        .into()),
        Some(requester) if must_be_verified && requester.verify_time.is_none() => {
            Err(ContactRefusal::RequesterNotVerified {
                name: context.requester_name(&requester.id),
                email: email.to_owned(),
            }
            .into())
        }
        Some(_) => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_is_the_same_however_it_is_typed_and_belongs_to_one_requester() {
        let hash = |helpdesk, requester, code| Code::hash(helpdesk, requester, code);
        let known = hash("desk", "r1", "7KQ2M-0XB9T");
        assert_eq!(hash("desk", "r1", " 7kq2m 0xb9t\n"), known);
        for other in
            [hash("desk", "r1", "7KQ2M0XB9S"), hash("desk", "r2", "7KQ2M0XB9T"), hash("des", "kr1", "7KQ2M0XB9T")]
        {
            assert_ne!(other, known);
        }
    }

    #[test]
    fn an_id_is_an_id_and_does_not_tell_the_address() {
        let id = id_of("ani@example.com");
        assert!(crate::domain::text::is_id(&id, ""), "{id}");
        assert_eq!(id, id_of("ani@example.com"));
        assert_ne!(id, id_of("ani@example.org"));
    }
}
