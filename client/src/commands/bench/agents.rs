//! The agents that the benchmarks work as: each with a key of its own.

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use loket::v1::{AccessKey, CreateAccessKeyRequest, RevokeAccessKeyRequest, Role};
use loket_client::Client;

use crate::failure::Failure;

/// Keys made or revoked at the same time.
const KEYS_AT_ONCE: usize = 8;

/// Keys of `count` agents of a helpdesk.
pub(super) async fn create(client: &Client, helpdesk: &str, count: usize) -> Result<Vec<AccessKey>, Failure> {
    let keys = stream::iter(0..count).map(|number| {
        let access_key = AccessKey {
            role: Role::Agent.into(),
            subject: format!("bench-worker-{number}"),
            helpdesks: vec![helpdesk.to_owned()],
            display_name: "loket bench".to_owned(),
            ..AccessKey::default()
        };
        let request = CreateAccessKeyRequest { access_key: Some(access_key), ..CreateAccessKeyRequest::default() };
        client.create_access_key(request)
    });
    Ok(keys.buffered(KEYS_AT_ONCE).try_collect().await?)
}

/// Takes them back.
pub(super) async fn revoke(client: &Client, keys: Vec<AccessKey>) -> Result<(), Failure> {
    let revoked = stream::iter(keys).map(|key| {
        let request = RevokeAccessKeyRequest { name: key.name, ..RevokeAccessKeyRequest::default() };
        client.revoke_access_key(request)
    });
    let _: Vec<AccessKey> = revoked.buffer_unordered(KEYS_AT_ONCE).try_collect().await?;
    Ok(())
}
