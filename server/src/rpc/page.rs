//! Pages and their tokens (AIP-158).

use sha2::{Digest, Sha256};

use crate::domain::{Refusal, Violation};

const DEFAULT: i32 = 50;
const MOST: i32 = 1_000;

/// How many are asked for: 50 by default, 1,000 at most.
pub(super) fn size(page_size: i32) -> Result<usize, Refusal> {
    match page_size {
        0 => Ok(DEFAULT as usize),
        size if size < 0 => Err(Refusal::Invalid(vec![Violation::new(
            "page_size",
            format!("{size} is negative; write 1 to {MOST}, or 0 for {DEFAULT}"),
        )])),
        size => Ok(size.min(MOST) as usize),
    }
}

/// The token of the page behind `key`. Opaque, and good only for a request with the same `scope`: the method and everything
/// of the request that decides what is listed.
pub(super) fn token(scope: &[&str], key: &str) -> String {
    format!("{}{}", fingerprint(scope), hex(key.as_bytes()))
}

/// The key in a token; None without a token.
pub(super) fn key(scope: &[&str], token: &str) -> Result<Option<String>, Refusal> {
    if token.is_empty() {
        return Ok(None);
    }
    let key = token.strip_prefix(&fingerprint(scope)).and_then(unhex).and_then(|bytes| String::from_utf8(bytes).ok());
    // No key of ours has one, and PostgreSQL takes it for no text.
    key.filter(|key| !key.contains('\0')).map(Some).ok_or(Refusal::InvalidPageToken)
}

fn fingerprint(scope: &[&str]) -> String {
    let mut digest = Sha256::new();
    for part in scope {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part.as_bytes());
    }
    hex(&digest.finalize()[..8])
}

fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |nibble: u8| char::from(DIGITS[usize::from(nibble)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let nibble = |digit: u8| char::from(digit).to_digit(16).map(|value| value as u8);
    digits.chunks_exact(2).map(|pair| Some(nibble(pair[0])? << 4 | nibble(pair[1])?)).collect()
}
