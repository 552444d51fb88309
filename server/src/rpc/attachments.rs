//! `AttachmentService`, one file for each method.

pub(super) mod create_upload;
pub(super) mod download;
pub(super) mod get_upload;
pub(super) mod list;
pub(super) mod upload;

use loket::v1 as proto;

use super::call::Call;
use super::names;
use super::server::Server;
use crate::domain::{Refusal, Upload, Violation, text};
use crate::engine::Failure;
use crate::store::content::{self, Content, ContentError, Part};
use crate::store::{payload, uploads};

/// With one ticket or reply.
const MOST: usize = 20;

/// The ids of the uploads that a ticket or a reply names; `parent` is where it goes.
pub(super) fn named(parent: &str, uploads: &[String]) -> Result<Vec<String>, Refusal> {
    if uploads.len() > MOST {
        let description = format!("has {} uploads; at most {MOST} are taken at once", uploads.len());
        return Err(Refusal::Invalid(vec![Violation::new("uploads", description)]));
    }
    let own = parent.split('/').nth(1).unwrap_or_default();
    let mut ids = Vec::new();
    let mut violations = Vec::new();
    for (place, name) in uploads.iter().enumerate() {
        let field = format!("uploads[{place}]");
        match names::upload(&field, name) {
            // Of a parent that is none, only that is told.
            Ok((helpdesk, _)) if helpdesk != own && text::is_id(own, "-") => {
                violations.push(Violation::new(field, format!("is of another helpdesk than helpdesks/{own}")));
            }
            Ok((_, id)) if ids.contains(&id) => violations.push(Violation::new(field, "is named twice")),
            Ok((_, id)) => ids.push(id),
            Err(Refusal::Invalid(wrong)) => violations.extend(wrong),
            Err(refusal) => return Err(refusal),
        }
    }
    if violations.is_empty() { Ok(ids) } else { Err(Refusal::Invalid(violations)) }
}

/// An upload of the caller's; others' do not exist for it.
async fn own(server: &Server, call: &Call, helpdesk: &str, id: &str) -> Result<Upload, Failure> {
    call.caller.enter(helpdesk)?;
    let (key, ids) = (helpdesk.to_owned(), [id.to_owned()]);
    let found = server.engine.read(move |connection| uploads::by_ids(connection, &key, &ids)).await?;
    let found = found.into_iter().next().filter(|upload| upload.subject == call.caller.actor.subject);
    found.ok_or_else(|| {
        let name = crate::domain::upload::upload_name(helpdesk, id);
        Failure::Refused(Refusal::NotFound { kind: "Upload", name })
    })
}

/// An upload as its caller sees it, with what is on disk of it now.
async fn show(server: &Server, helpdesk: &str, upload: &Upload) -> Result<proto::Upload, Failure> {
    let committed = match upload.digest {
        Some(_) => upload.size,
        None => content::end(&settled_parts(server.engine.content(), helpdesk, &upload.id).await?),
    };
    Ok(payload::upload_to_proto(helpdesk, upload, committed))
}

/// The parts of a file, once they stand on disk with their names.
async fn settled_parts(content: &Content, helpdesk: &str, id: &str) -> Result<Vec<Part>, Failure> {
    let parts = content.parts(helpdesk, id).await.map_err(unavailable)?;
    if !parts.is_empty() {
        settle(content, helpdesk, id).await?;
    }
    Ok(parts)
}

/// Syncs the folders that lead to a file's parts.
async fn settle(content: &Content, helpdesk: &str, id: &str) -> Result<(), Failure> {
    let (content, helpdesk, id) = (content.clone(), helpdesk.to_owned(), id.to_owned());
    let synced = tokio::task::spawn_blocking(move || content.settle(&helpdesk, &id)).await;
    synced.map_err(|_| Failure::Internal)?.map_err(unavailable)
}

/// The operator reads what went wrong; it may hold paths.
#[allow(clippy::needless_pass_by_value, reason = "it goes into `map_err`")]
fn unavailable(error: ContentError) -> Failure {
    tracing::error!(%error, "the folder of the attachments failed");
    let is_missing = matches!(error, ContentError::NotFound { .. });
    if is_missing { Failure::Internal } else { Failure::ContentUnavailable }
}
