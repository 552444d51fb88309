//! Pages and their tokens (AIP-158).

use prost::Message;
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

/// A page ends when it has grown so large, whatever was asked for: clients take answers of 4 MiB unless they are told
/// otherwise, and the largest ticket has somewhat less than that.
const MOST_BYTES: usize = 2 << 20;

/// How many are read at a time, so that not much more is read than a page holds.
const AT_ONCE: usize = 50;

/// So many rows are read for a page at most, before it is returned short.
const MOST_READ: usize = 10_000;

/// What pages are made of, and what of it the caller sees.
pub(super) struct Rows<Read, Key, See, Weigh> {
    /// Reads so many rows behind a key at most.
    pub(super) read: Read,
    /// The key of a row.
    pub(super) key: Key,
    /// What the caller sees of it. What it does not see takes no place in a page, and no token tells of it.
    pub(super) see: See,
    /// What takes part in a page weighs so many bytes.
    pub(super) weigh: Weigh,
}

/// Reads on behind `after` until a page is full: of at most `size`, and of bearable weight. With the key of its last row when
/// there is more for the caller to see.
pub(super) fn gather<R, T, K: Clone, E>(
    size: usize,
    after: K,
    mut rows: Rows<
        impl FnMut(&K, usize) -> Result<Vec<R>, E>,
        impl Fn(&R) -> K,
        impl FnMut(R) -> Result<Option<T>, E>,
        impl Fn(&T) -> usize,
    >,
) -> Result<(Vec<T>, Option<K>), E> {
    let mut page: Vec<T> = Vec::new();
    let (mut last, mut behind) = (after.clone(), after);
    let (mut bytes, mut have_read) = (0, 0);
    loop {
        // Where much is hidden, a few at a time would be many queries.
        let wanted = if have_read > page.len() { AT_ONCE } else { AT_ONCE.min(size + 1 - page.len()) };
        let found = (rows.read)(&behind, wanted)?;
        let is_end = found.len() < wanted;
        have_read += found.len();
        for row in found {
            behind = (rows.key)(&row);
            let Some(item) = (rows.see)(row)? else { continue };
            bytes += (rows.weigh)(&item);
            if page.len() == size || (bytes > MOST_BYTES && !page.is_empty()) {
                return Ok((page, Some(last)));
            }
            page.push(item);
            last = behind.clone();
        }
        if is_end {
            return Ok((page, None));
        }
        if have_read >= MOST_READ {
            return Ok((page, Some(behind)));
        }
    }
}

/// How many of these, from the first on, a page has room for; at least one, if there is one.
pub(super) fn fitting<M: Message>(messages: &[M]) -> usize {
    let mut bytes = 0;
    let fits = |message: &&M| {
        bytes += message.encoded_len();
        bytes <= MOST_BYTES
    };
    messages.iter().take_while(fits).count().max(1).min(messages.len())
}

/// Reads the values of these keys until they alone would fill a page.
pub(super) fn gather_values<K, V, E>(
    keys: &[K],
    mut read: impl FnMut(&[K]) -> Result<Vec<V>, E>,
    weigh: impl Fn(&V) -> usize,
) -> Result<Vec<V>, E> {
    let mut values = Vec::new();
    let mut bytes = 0;
    for keys in keys.chunks(AT_ONCE) {
        let found = read(keys)?;
        bytes += found.iter().map(&weigh).sum::<usize>();
        values.extend(found);
        if bytes > MOST_BYTES {
            break;
        }
    }
    Ok(values)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A page of the numbers behind `after`, of which there are as many as `last`, when so few of them are seen.
    fn page(size: usize, after: usize, last: usize, seen: impl Fn(usize) -> bool) -> (Vec<usize>, Option<usize>) {
        let rows = Rows {
            read: |behind: &usize, wanted| Ok((behind + 1..=last).take(wanted).collect()),
            key: |row: &usize| *row,
            see: |row| Ok(Some(row).filter(|row| seen(*row))),
            weigh: |_: &usize| 1,
        };
        gather(size, after, rows).unwrap_or_else(|never: std::convert::Infallible| match never {})
    }

    #[test]
    fn a_page_whose_rows_are_hidden_ends_and_the_next_goes_on_behind_them() {
        let of_two = |after| page(50, after, 30_000, |row| [7, 20_100].contains(&row));
        assert_eq!(of_two(0), (vec![7], Some(10_000)));
        assert_eq!(of_two(10_000), (vec![], Some(20_000)));
        assert_eq!(of_two(20_000), (vec![20_100], Some(30_000)));
        assert_eq!(of_two(30_000), (vec![], None));
    }

    #[test]
    fn a_page_has_a_token_only_when_there_is_more_to_see() {
        assert_eq!(page(2, 0, 100, |row| row % 40 == 0), (vec![40, 80], None));
        assert_eq!(page(2, 0, 120, |row| row % 40 == 0), (vec![40, 80], Some(80)));
    }
}
