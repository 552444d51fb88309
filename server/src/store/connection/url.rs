//! What a URL of PostgreSQL must be for libpq to read it.

/// What libpq would object to by quoting a part of the URL, which may be the password.
pub(super) fn check(url: &str) -> Result<(), String> {
    let is_encoded = |text: &str| text.len() >= 2 && text.bytes().take(2).all(|byte| byte.is_ascii_hexdigit());
    let (before, _) = url.split_once('?').unwrap_or((url, ""));
    let rest = before.split_once("://").map_or("", |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or_default();
    let hosts = authority.split_once('@').map_or(authority, |(_, hosts)| hosts);
    let is_host = |host: &str| match host.strip_prefix('[') {
        // An address of IPv6, and a port.
        Some(address) => address.split_once(']').is_some_and(|(address, port)| {
            !address.is_empty() && !address.contains('[') && (port.is_empty() || port.starts_with(':'))
        }),
        None => !host.contains(['[', ']']),
    };
    let wrong = if url.contains(|c: char| c.is_whitespace() || c.is_control()) {
        "it has a blank or a control character: write them as %20 and the like"
    } else if !url.split('%').skip(1).all(is_encoded) {
        "it has a % without two hexadecimal digits behind it: write a % as %25"
    } else if url.contains("%00") {
        "it has a %00, which is in no name or password"
    } else if rest.matches('@').count() > usize::from(authority.contains('@')) {
        "its user or password has an @ or a /: write them as %40 and %2F"
    } else if !hosts.split(',').all(is_host) {
        "its host has a [ or ] that is not around an address of IPv6: write them as %5B and %5D in a name or password"
    } else {
        return Ok(());
    };
    Err(wrong.to_owned())
}
