//! What is the same text from the same requester.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::definition::DuplicateComparison;

/// What stands for a ticket's text in look-ups: 128 bits of a SHA-256, as lower-case hex.
///
/// The text is folded first: every run of white space is one space, and capitals are small letters. Whose it is
/// goes in too, so that nobody's text collides with another's.
pub fn digest(compare: DuplicateComparison, requester: &str, subject: &str, body: &str) -> String {
    const BYTES: usize = 16;
    let mut hash = Sha256::new();
    let subject = match compare {
        DuplicateComparison::SubjectAndBody => subject,
        DuplicateComparison::Body => "",
    };
    for text in [requester, subject, body] {
        for (place, word) in text.split_whitespace().enumerate() {
            if place > 0 {
                hash.update(" ");
            }
            hash.update(word.to_lowercase());
        }
        // In no text: the parts stay apart.
        hash.update("\0");
    }
    let mut digest = String::with_capacity(2 * BYTES);
    for byte in hash.finalize().iter().take(BYTES) {
        // Writing to a String never fails.
        let _ = write!(digest, "{byte:02x}");
    }
    digest
}

#[cfg(test)]
mod tests {
    use super::DuplicateComparison::{Body, SubjectAndBody};

    fn digest(requester: &str, subject: &str, body: &str) -> String {
        super::digest(SubjectAndBody, requester, subject, body)
    }

    #[test]
    fn case_and_white_space_make_no_difference() {
        let first = digest("ani@example.com", "Pesanan belum masuk", "Mohon  DICEK.\n\nTerima kasih");
        assert_eq!(first, digest("ani@example.com", " pesanan belum\tmasuk", "mohon dicek. terima kasih\r\n"));
        assert_eq!(first.len(), 32);
    }

    #[test]
    fn whose_it_is_and_what_it_says_do() {
        let first = digest("ani@example.com", "a b", "c");
        for (requester, subject, body) in
            [("bela@example.com", "a b", "c"), ("ani@example.com", "a", "b c"), ("ani@example.com", "ab", "c")]
        {
            assert_ne!(first, digest(requester, subject, body));
        }
    }

    #[test]
    fn the_subject_makes_none_where_the_body_is_compared() {
        let of = |subject: &str, body: &str| super::digest(Body, "ani@example.com", subject, body);
        assert_eq!(of("a", "c"), of("b", "C"));
        assert_ne!(of("a", "c"), of("a", "d"));
    }
}
