//! What a new server makes for itself: an admin's key, and the preset helpdesks that are asked for and missing.

use std::path::Path;
use std::sync::Arc;

use include_dir::{Dir, include_dir};
use uuid::Uuid;

use crate::domain::commands::{Command, CreateAccessKey, CreateHelpdesk};
use crate::domain::survey::SurveyKey;
use crate::domain::text::DISPLAY_NAME_MAX;
use crate::domain::{Actor, Refusal, Role};
use crate::engine::{Engine, Failure, Request, RequestId};
use crate::rpc::{Keys, identity};
use crate::serve::{ServeError, read_preset, write_secret};
use crate::store::{SYSTEM, StoreError, definition_payload, dialect, keys, signing_keys};

/// Embedded by folder: a preset is a file, and nothing else in the server knows its name.
static PRESETS: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/presets");

const ADMIN_KEY: &str = "admin.key";
/// The id of the first admin's key.
const FIRST: &str = "admin";

/// Makes the first admin's key when there is no key at all: nobody is let in unasked, and nobody has to configure anything.
pub(crate) async fn admin_key(engine: &Engine, keys: &Arc<Keys>, data_dir: &Path) -> Result<(), ServeError> {
    let path = data_dir.join(ADMIN_KEY);
    let any = engine.read(|connection| Ok(keys::page(connection, true, "", 1)?.pop())).await?;
    if any.is_some() {
        if !path.exists() {
            let made = engine.read(|connection| Ok(keys::by_ids(connection, &[FIRST.to_owned()])?.pop())).await;
            let made = made?.map(|first| first.display_name).unwrap_or_default();
            tracing::info!(first_key = made, "the database has access keys already: none is made here");
        }
        return Ok(());
    }
    let secret = identity::new_secret().map_err(|error| ServeError::FirstStart(error.to_string()))?;
    // The file first: a key that was made and not written down would lock everybody out.
    write_secret(&path, &secret)?;
    let command = Command::CreateAccessKey(CreateAccessKey {
        id: FIRST.to_owned(),
        hash: identity::hash(&secret),
        role: Some(Role::Admin),
        subject: "admin".to_owned(),
        helpdesks: Vec::new(),
        display_name: made_at_first_start(&path),
    });
    engine.submit(request(SYSTEM, command)).await?;
    keys.refresh()?;
    tracing::info!(path = %path.display(), "wrote the admin's key");
    Ok(())
}

/// What survey links are signed with: made once, while no other server starts, and read by all.
pub(crate) async fn survey_key(engine: &Engine) -> Result<SurveyKey, ServeError> {
    const ID: &str = "survey";
    let now = engine.clock().now();
    let mut fresh = [0_u8; 32];
    getrandom::fill(&mut fresh).map_err(|error| ServeError::FirstStart(error.to_string()))?;
    let kept = engine
        .read(move |connection| {
            dialect::write(connection, |connection| {
                if let Some(bits) = signing_keys::get(connection, ID)? {
                    return Ok(bits);
                }
                signing_keys::insert(connection, ID, &fresh, now)?;
                Ok::<_, StoreError>(fresh.to_vec())
            })
        })
        .await?;
    let bits = kept.try_into().map_err(|_| ServeError::FirstStart("the key of the survey is corrupt".to_owned()))?;
    Ok(SurveyKey::new(bits))
}

/// Tells other servers on the same database, and whoever lists the keys, where to look for this one.
fn made_at_first_start(path: &Path) -> String {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let told = format!("Made at the first start and written to {}", path.display());
    told.chars().filter(|c| !c.is_control()).take(DISPLAY_NAME_MAX).collect()
}

/// Creates those of the presets that are missing; the others stay as they are.
pub(crate) async fn presets(engine: &Engine) -> Result<(), ServeError> {
    for file in PRESETS.files() {
        let path = file.path();
        let (Some(id), Some(text)) = (path.file_stem().and_then(|stem| stem.to_str()), file.contents_utf8()) else {
            continue;
        };
        let message = read_preset(id, text)?;
        let definition = definition_payload::definition_from_proto(&message).map_err(|wrong| {
            let wrong: Vec<_> = wrong.iter().map(|wrong| format!("{}: {}", wrong.field, wrong.description)).collect();
            ServeError::FirstStart(format!("the preset {id}: {}", wrong.join("; ")))
        })?;
        let definition = Arc::new(definition);
        let command = Command::CreateHelpdesk(CreateHelpdesk { id: id.to_owned(), definition });
        match engine.submit(request(SYSTEM, command)).await {
            Ok(_) => tracing::info!(helpdesk = id, "created a preset"),
            Err(Failure::Refused(Refusal::AlreadyExists { .. })) => {}
            Err(failure) => return Err(failure.into()),
        }
    }
    Ok(())
}

/// A command of the server's own.
fn request(helpdesk: &str, command: Command) -> Box<Request> {
    Box::new(Request {
        helpdesk: Arc::from(helpdesk),
        actor: Actor { subject: "loket".to_owned(), role: Role::Admin, on_behalf_of: String::new() },
        command,
        request_id: RequestId { id: Uuid::now_v7().to_string(), fresh: true },
        digest: [0; 32],
        deadline: None,
        bytes: 0,
        bulk: false,
        validate_only: false,
    })
}
