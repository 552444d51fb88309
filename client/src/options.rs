//! Where the server is and who is calling.

// The one place of this crate that reads the environment.
#![allow(clippy::disallowed_methods)]

use std::env::{self, VarError};
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fmt, fs, io};

use tonic::transport::Uri;

use crate::error::{Error, Result};

/// Where a server listens unless it is told otherwise.
pub const DEFAULT_ENDPOINT: &str = "http://127.0.0.1:50051";

/// Where a server keeps its data unless it is told otherwise.
pub const DEFAULT_DATA_DIR: &str = "./loket-data";

/// The file in the data directory that holds the first admin key.
pub const KEY_FILE: &str = "admin.key";

/// Where the server is and who is calling.
#[derive(Clone)]
pub struct Options {
    /// The server's address: `http://127.0.0.1:50051`.
    pub endpoint: String,
    /// The access key's secret.
    pub token: String,
    /// For whom to act; only services and admins may.
    pub on_behalf_of: Option<String>,
    /// How long a call may take, with all its tries. Watches have no end; for them it limits each opening.
    pub timeout: Duration,
    /// How long a connection may take.
    pub connect_timeout: Duration,
}

impl Options {
    /// A call may take 30 seconds, a connection 10.
    pub fn new(endpoint: impl Into<String>, token: impl Into<String>) -> Self {
        Self {
            endpoint: endpoint.into(),
            token: token.into(),
            on_behalf_of: None,
            timeout: Duration::from_secs(30),
            connect_timeout: Duration::from_secs(10),
        }
    }

    /// From `LOKET_ENDPOINT` and `LOKET_TOKEN`. Without a token, the key in `LOKET_DATA_DIR` is used, or, for a server on this
    /// machine, the one in `./loket-data`.
    ///
    /// # Errors
    ///
    /// UNAUTHENTICATED when there is no key, or `LOKET_TOKEN` is set to nothing.
    pub fn from_env() -> Result<Self> {
        Self::given_or_from_env(None, None, None)
    }

    /// Like [`Options::from_env`], but what is given comes before what the environment says: a data directory also before
    /// `LOKET_TOKEN`.
    ///
    /// # Errors
    ///
    /// UNAUTHENTICATED when there is no key.
    pub fn given_or_from_env(
        endpoint: Option<String>,
        token: Option<String>,
        data_dir: Option<PathBuf>,
    ) -> Result<Self> {
        // Whoever names a data directory means the key that is in it.
        let token = match token {
            None if data_dir.is_none() => token_variable()?,
            given => given,
        };
        Self::find(
            endpoint.or_else(|| variable("LOKET_ENDPOINT")),
            token,
            data_dir.or_else(|| variable("LOKET_DATA_DIR").map(PathBuf::from)),
        )
    }

    /// Like [`Options::from_env`] with other answers than the environment's; none means the default.
    ///
    /// # Errors
    ///
    /// UNAUTHENTICATED when there is no key.
    pub fn find(endpoint: Option<String>, token: Option<String>, data_dir: Option<PathBuf>) -> Result<Self> {
        let endpoint = endpoint.unwrap_or_else(|| DEFAULT_ENDPOINT.to_owned());
        let token = match (token, data_dir) {
            (Some(token), _) => token,
            (None, Some(named)) => key_file(&named)?,
            // It opens everything, and nobody has said that it belongs to that server.
            (None, None) if !is_here(&endpoint) => {
                return Err(Error::no_key(format!(
                    "there is no key for {endpoint}: none is given, and the one in {DEFAULT_DATA_DIR} is only sent to a server on \
                     this machine; give its key, or name the data directory that has it"
                )));
            }
            (None, None) => key_file(Path::new(DEFAULT_DATA_DIR))?,
        };
        Ok(Self::new(endpoint, token))
    }
}

/// The token does not belong into logs.
impl fmt::Debug for Options {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { endpoint, token: _, on_behalf_of, timeout, connect_timeout } = self;
        f.debug_struct("Options")
            .field("endpoint", endpoint)
            .field("on_behalf_of", on_behalf_of)
            .field("timeout", timeout)
            .field("connect_timeout", connect_timeout)
            .finish_non_exhaustive()
    }
}

/// Whether `LOKET_TOKEN` has a key.
pub fn token_is_in_env() -> bool {
    variable("LOKET_TOKEN").is_some()
}

/// An endpoint as an address: `localhost:50051` is what people type.
pub(crate) fn address(endpoint: &str) -> String {
    let scheme = if endpoint.contains("://") { "" } else { "http://" };
    format!("{scheme}{endpoint}")
}

/// Whether an endpoint is one of this machine.
fn is_here(endpoint: &str) -> bool {
    let Ok(address) = address(endpoint).parse::<Uri>() else { return false };
    let host = address.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback() || address.is_unspecified())
}

/// A key that is set to nothing is a mistake, after which nobody else's is to be used.
fn token_variable() -> Result<Option<String>> {
    match env::var("LOKET_TOKEN") {
        Ok(token) if token.is_empty() => Err(Error::no_key(
            "LOKET_TOKEN is set to nothing: give it a key, or unset it for the key in the data directory",
        )),
        Ok(token) => Ok(Some(token)),
        Err(VarError::NotPresent) => Ok(None),
        Err(VarError::NotUnicode(_)) => Err(Error::no_key("LOKET_TOKEN is no key: it is not UTF-8")),
    }
}

/// A variable set to nothing is not set.
fn variable(name: &str) -> Option<String> {
    env::var(name).ok().filter(|value| !value.is_empty())
}

fn key_file(data_dir: &Path) -> Result<String> {
    let path = data_dir.join(KEY_FILE);
    match fs::read_to_string(&path) {
        Ok(text) if text.trim().is_empty() => Err(Error::no_key(format!("the key file {} is empty", path.display()))),
        Ok(text) => Ok(text.trim().to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            Err(Error::no_key(format!("there is no key: none is given, and {} does not exist", path.display())))
        }
        Err(error) => Err(Error::no_key(format!("cannot read the key in {}: {error}", path.display()))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_not_shown() {
        let shown = format!("{:?}", Options::new("http://localhost:1", "secret"));
        assert!(!shown.contains("secret"), "{shown}");
    }

    #[test]
    fn a_missing_key_says_where_it_was_sought() {
        let error = Options::find(None, None, Some("/nowhere".into())).unwrap_err();
        assert!(error.to_string().contains("/nowhere/admin.key"), "{error}");
    }

    #[test]
    fn a_key_that_nobody_named_stays_on_this_machine() {
        for (endpoint, here) in [
            (DEFAULT_ENDPOINT, true),
            ("http://localhost:50051", true),
            ("http://[::1]:50051", true),
            ("http://127.8.9.1", true),
            ("http://example.com:50051", false),
            ("http://localhost.example.com", false),
            ("http://10.0.0.1:50051", false),
            ("http://127.0.0.1@example.com", false),
            ("localhost:50051", true),
            ("example.com:50051/", false),
            ("not an address", false),
        ] {
            assert_eq!(is_here(endpoint), here, "{endpoint}");
        }
        let error = Options::find(Some("http://example.com:50051".to_owned()), None, None).unwrap_err();
        assert!(error.to_string().contains("only sent to a server on this machine"), "{error}");
    }
}
