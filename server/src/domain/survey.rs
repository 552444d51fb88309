//! Links to the survey of a ticket, and the tokens in them.

use std::borrow::Cow;
use std::fmt::{self, Write as _};

use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::definition::{LinkPart, Survey};
use super::{Micros, Ticket, time::SECOND};

/// What tokens are signed with: the same at every server of a database.
pub struct SurveyKey([u8; 32]);

/// Lets whoever has it answer the survey of one ticket.
#[derive(Clone, PartialEq, Eq)]
pub struct SurveyToken(pub String);

/// Neither is to be found in a log.
impl fmt::Debug for SurveyToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SurveyToken")
    }
}

impl SurveyKey {
    pub fn new(bits: [u8; 32]) -> Self {
        Self(bits)
    }

    /// A token made at this time: the time in seconds, and half of an HMAC-SHA256 (RFC 2104, 5) over it and the ticket.
    pub fn token(&self, helpdesk: &str, ticket: i64, now: Micros) -> SurveyToken {
        let made = now.div_euclid(SECOND);
        let code = self.code(helpdesk, ticket, made).finalize().into_bytes();
        let signed = code.iter().take(CODE_BYTES).fold(format!("{made:x}-"), |mut token, byte| {
            // Writing to a text never fails.
            let _ = write!(token, "{byte:02x}");
            token
        });
        SurveyToken(signed)
    }

    /// When a token of this ticket was made; None when it is none.
    pub fn made(&self, helpdesk: &str, ticket: i64, token: &str) -> Option<Micros> {
        let (time, code) = token.split_once('-')?;
        let made = i64::from_str_radix(time, 16).ok().filter(|made| format!("{made:x}") == time)?;
        let digits = code.as_bytes();
        if digits.len() != 2 * CODE_BYTES {
            return None;
        }
        // In one way only, so no capitals.
        let nibble = |digit: u8| char::from(digit).to_digit(16).filter(|_| !digit.is_ascii_uppercase());
        let byte = |pair: &[u8]| Some((nibble(pair[0])? << 4 | nibble(pair[1])?) as u8);
        let bytes: Vec<u8> = digits.chunks_exact(2).map(byte).collect::<Option<_>>()?;
        self.code(helpdesk, ticket, made).verify_truncated_left(&bytes).ok()?;
        made.checked_mul(SECOND)
    }

    fn code(&self, helpdesk: &str, ticket: i64, made: i64) -> Hmac<Sha256> {
        let Ok(mut code) = Hmac::<Sha256>::new_from_slice(&self.0) else {
            unreachable!("a key of any length is taken");
        };
        // An id of a helpdesk has no slash.
        code.update(format!("survey/{helpdesk}/{ticket}/{made}").as_bytes());
        code
    }
}

const CODE_BYTES: usize = 16;

/// The address at which the survey of a ticket is answered.
pub fn link(survey: &Survey, name: &str, ticket: &Ticket, token: &SurveyToken) -> String {
    survey.link.write(|part| match part {
        LinkPart::Token => Cow::from(token.0.clone()),
        LinkPart::Ticket => Cow::from(escaped(name)),
        LinkPart::Number => Cow::from(escaped(&ticket.number)),
    })
}

/// RFC 3986, 2.3: what is not unreserved stands as its bytes.
fn escaped(text: &str) -> String {
    text.bytes().fold(String::new(), |mut escaped, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            // Writing to a text never fails.
            let _ = write!(escaped, "%{byte:02X}");
        }
        escaped
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_of_one_ticket_and_one_key_and_cannot_be_altered() {
        let key = SurveyKey::new([7; 32]);
        let now = 1_764_000_000 * SECOND + 17;
        let token = key.token("desk", 42, now).0;
        assert_eq!(key.made("desk", 42, &token), Some(1_764_000_000 * SECOND));
        assert_eq!(key.made("desk", 43, &token), None);
        assert_eq!(key.made("desk2", 42, &token), None);
        assert_eq!(SurveyKey::new([8; 32]).made("desk", 42, &token), None);
        for place in 0..token.len() {
            let mut altered = token.clone().into_bytes();
            altered[place] = if altered[place] == b'0' { b'1' } else { b'0' };
            assert_eq!(key.made("desk", 42, &String::from_utf8(altered).unwrap()), None, "{place}");
        }
        for wrong in ["", "-", "zz-00", "1-", &token[..token.len() - 2], &format!("{token}00"), &format!("+{token}")] {
            assert_eq!(key.made("desk", 42, wrong), None, "{wrong}");
        }
        let (time, code) = token.split_once('-').unwrap();
        assert_eq!(key.made("desk", 42, &format!("{time}-{}", code.to_uppercase())), None);
        assert!(!format!("{:?}", SurveyToken(token.clone())).contains(&token));
    }

    #[test]
    fn an_address_takes_any_number() {
        assert_eq!(escaped("helpdesks/a/tickets/1"), "helpdesks/a/tickets/1");
        assert_eq!(escaped("T 1&é"), "T%201%26%C3%A9");
    }
}
