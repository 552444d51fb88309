//! Resume tokens: a place in one helpdesk's log, good for one filter and one visibility.

use sha2::{Digest, Sha256};

use super::Head;

/// Changes when what follows it does.
const VERSION: u8 = 1;

/// Version, helpdesk, filter and visibility, revision, uid, checksum.
const LENGTH: usize = 1 + 8 + 8 + 8 + 8 + 4;

/// What a token is good for: watchers of the same scope see the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// Says the filter and the visibility; equal for those that see the same.
    key: String,
    helpdesk: [u8; 8],
    sight: [u8; 8],
}

impl Scope {
    /// `filter` in its canonical form; `visibility` says all that decides what the watcher may see.
    pub fn new(helpdesk: &str, filter: &str, visibility: &str) -> Self {
        // The filter comes last: nothing in it can pass for a visibility.
        let key = format!("{visibility}\n{filter}");
        Self { helpdesk: hash(helpdesk.as_bytes()), sight: hash(key.as_bytes()), key }
    }

    pub fn key(&self) -> &str {
        &self.key
    }

    pub fn token(&self, at: Head) -> String {
        let mut bytes = Vec::with_capacity(LENGTH);
        bytes.push(VERSION);
        bytes.extend(self.helpdesk);
        bytes.extend(self.sight);
        bytes.extend(at.revision.to_be_bytes());
        bytes.extend(at.uid.to_be_bytes());
        let checksum: [u8; 4] = hash(&bytes);
        bytes.extend(checksum);
        encode(&bytes)
    }

    /// # Errors
    ///
    /// Why the token is none, or not for this scope, as a sentence.
    pub fn read(&self, token: &str) -> Result<Token, &'static str> {
        const MALFORMED: &str = "is not a token that a response carried";
        let bytes = decode(token).ok_or(MALFORMED)?;
        let (content, checksum) = bytes.split_last_chunk::<4>().ok_or(MALFORMED)?;
        if bytes.len() != LENGTH || hash::<4>(content) != *checksum {
            return Err(MALFORMED);
        }
        let (version, content) = content.split_first().ok_or(MALFORMED)?;
        if *version != VERSION {
            return Err("was made by another version of the server: watch from a new start");
        }
        let (helpdesk, content) = content.split_first_chunk::<8>().ok_or(MALFORMED)?;
        let (sight, content) = content.split_first_chunk::<8>().ok_or(MALFORMED)?;
        let (revision, content) = content.split_first_chunk::<8>().ok_or(MALFORMED)?;
        let (uid, _) = content.split_first_chunk::<8>().ok_or(MALFORMED)?;
        if *helpdesk != self.helpdesk {
            return Err("belongs to another helpdesk");
        }
        if *sight != self.sight {
            return Err("belongs to another filter, or to a caller who sees other tickets");
        }
        Ok(Token(Head { revision: i64::from_be_bytes(*revision), uid: i64::from_be_bytes(*uid) }))
    }
}

/// A token of the right scope; whether the log still has its place is to be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token(pub(super) Head);

/// The beginning of the SHA-256.
fn hash<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut short = [0; N];
    for (to, from) in short.iter_mut().zip(Sha256::digest(bytes)) {
        *to = from;
    }
    short
}

const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/// URL-safe base64 without padding.
fn encode(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for group in bytes.chunks(3) {
        let bits =
            group.iter().enumerate().fold(0u32, |bits, (place, byte)| bits | u32::from(*byte) << (16 - 8 * place));
        for place in 0..=group.len() {
            text.push(char::from(ALPHABET[(bits >> (18 - 6 * place)) as usize & 63]));
        }
    }
    text
}

/// None when it is none; a last character with bits that say nothing is none either, so each place has one token.
fn decode(text: &str) -> Option<Vec<u8>> {
    if text.len() > 2 * LENGTH {
        return None;
    }
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    for group in text.as_bytes().chunks(4) {
        let mut bits = 0u32;
        for (place, character) in group.iter().enumerate() {
            let value = ALPHABET.iter().position(|known| known == character)?;
            bits |= u32::try_from(value).ok()? << (18 - 6 * place);
        }
        let count = match group.len() {
            4 => 3,
            3 => 2,
            2 => 1,
            _ => return None,
        };
        let [_, whole @ ..] = bits.to_be_bytes();
        let (kept, rest) = whole.split_at(count);
        if rest.iter().any(|bits| *bits != 0) {
            return None;
        }
        bytes.extend_from_slice(kept);
    }
    Some(bytes)
}
