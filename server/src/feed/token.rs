//! Resume tokens: a place in one helpdesk's log, good for one filter and one visibility.

use sha2::{Digest, Sha256};

use super::Head;

/// Changes when what follows it does.
const VERSION: u8 = 1;

/// Of those who do not see all of a ticket. They were given tokens of the first kind once, which say nothing of what was shown
/// and are taken still.
const VERSION_WITH_SHOWN: u8 = 2;

/// Version, helpdesk, filter and visibility, in some what is shown, revision, uid, checksum.
const LENGTH: usize = 1 + 8 + 8 + 8 + 8 + 4;
const LENGTH_WITH_SHOWN: usize = LENGTH + 8;

/// What a token is good for: watchers of the same scope see the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// Says the filter and the visibility; equal for those that see the same under one definition.
    key: String,
    helpdesk: [u8; 8],
    sight: [u8; 8],
    /// None for those who see all of a ticket.
    shown: Option<[u8; 8]>,
}

impl Scope {
    /// `filter` in its canonical form; `visibility` says all that decides what the watcher may see.
    pub fn new(helpdesk: &str, filter: &str, visibility: &str) -> Self {
        // The filter comes last: nothing in it can pass for a visibility.
        let key = format!("{visibility}\n{filter}");
        Self { helpdesk: hash(helpdesk.as_bytes()), sight: hash(key.as_bytes()), key, shown: None }
    }

    /// For those who see some of a ticket's own fields, by their ids in order. What was told before they saw others does not
    /// add up with what is told now, so their tokens are good as long as they see the same.
    #[must_use]
    pub fn showing<'f>(mut self, fields: impl IntoIterator<Item = &'f String>) -> Self {
        let fields: Vec<_> = fields.into_iter().map(String::as_str).collect();
        self.shown = Some(hash(fields.join("\n").as_bytes()));
        self
    }

    pub fn key(&self) -> &str {
        &self.key
    }

    pub fn token(&self, at: Head) -> String {
        let mut bytes = Vec::with_capacity(LENGTH_WITH_SHOWN);
        bytes.push(if self.shown.is_some() { VERSION_WITH_SHOWN } else { VERSION });
        bytes.extend(self.helpdesk);
        bytes.extend(self.sight);
        bytes.extend(self.shown.into_iter().flatten());
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
        let (version, _) = content.split_first().ok_or(MALFORMED)?;
        let length = if *version == VERSION_WITH_SHOWN { LENGTH_WITH_SHOWN } else { LENGTH };
        if bytes.len() != length || hash::<4>(content) != *checksum {
            return Err(MALFORMED);
        }
        let (version, content) = content.split_first().ok_or(MALFORMED)?;
        if ![VERSION, VERSION_WITH_SHOWN].contains(version) {
            return Err("was made by another version of the server: watch from a new start");
        }
        let (helpdesk, content) = content.split_first_chunk::<8>().ok_or(MALFORMED)?;
        let (sight, content) = content.split_first_chunk::<8>().ok_or(MALFORMED)?;
        let (shown, content) = match content.split_first_chunk::<8>() {
            Some((shown, content)) if *version == VERSION_WITH_SHOWN => (Some(shown), content),
            Some(_) | None => (None, content),
        };
        let (revision, content) = content.split_first_chunk::<8>().ok_or(MALFORMED)?;
        let (uid, _) = content.split_first_chunk::<8>().ok_or(MALFORMED)?;
        if *helpdesk != self.helpdesk {
            return Err("belongs to another helpdesk");
        }
        if *sight != self.sight {
            return Err("belongs to another filter, or to a caller who sees other tickets");
        }
        if shown.is_some() && shown != self.shown.as_ref() {
            return Err("is from before a new definition changed what you see of tickets: watch from a new snapshot");
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
