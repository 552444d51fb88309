//! The presets as a server creates them.

use super::database;
use crate::support::{Server, eventually};

#[tokio::test]
async fn presets_are_created_once_and_left_as_they_are() {
    let server = Server::start(database().with().presets()).await;
    let admin = server.admin();
    let helpdesks = eventually("the presets are there", async || {
        let page = admin.list_helpdesks(loket::v1::ListHelpdesksRequest::default()).await.unwrap();
        (page.helpdesks.len() == 5).then_some(page.helpdesks)
    })
    .await;
    let names: Vec<_> = helpdesks.iter().map(|helpdesk| helpdesk.name.as_str()).collect();
    assert_eq!(names, ["beone", "iduhelp", "oriflame", "ovo", "smmpanel"].map(|id| format!("helpdesks/{id}")));
    let mut renamed = helpdesks[0].clone();
    renamed.display_name = "Ours now".to_owned();
    let request =
        loket::v1::UpdateHelpdeskRequest { helpdesk: Some(renamed), ..loket::v1::UpdateHelpdeskRequest::default() };
    let renamed = admin.update_helpdesk(request).await.unwrap();
    let server = server.again().await;
    let get = loket::v1::GetHelpdeskRequest { name: renamed.name.clone() };
    assert_eq!(server.admin().get_helpdesk(get).await.unwrap(), renamed);
}
