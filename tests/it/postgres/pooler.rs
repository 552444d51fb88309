//! Through PgBouncer in transaction mode: nothing may be left on a connection from one transaction to the next.

use std::collections::BTreeSet;

use loket::v1::Role;
use tokio::task::JoinSet;

use crate::support::{Cluster, Database, Desk, Pooler, draft};

#[tokio::test]
async fn two_servers_share_three_connections() {
    let pooler = Pooler::start(3).await;
    let direct = Cluster::shared().create_database();
    let url = pooler.url(direct.rsplit('/').next().unwrap());
    let options = || Database::Postgres.with().at(&url).flag("--database-pooler");
    let desk = Desk::open(options()).await;
    let second = desk.server.beside(options()).await;
    let mut running = JoinSet::new();
    for number in 0..60 {
        let admin = if number % 2 == 0 { desk.admin() } else { second.admin() }.clone();
        running.spawn(async move {
            let ticket = admin.create(draft(&format!("Ticket {number}"))).await.unwrap();
            admin.reply(&ticket.name, "Hello.").await.unwrap();
            assert_eq!(admin.replies(&ticket.name).await.unwrap().len(), 1);
            assert!(admin.list(&format!("subject = \"Ticket {number}\"")).await.unwrap().len() == 1);
        });
    }
    while let Some(done) = running.join_next().await {
        done.unwrap();
    }
    let mut claimed = BTreeSet::new();
    for server in [&desk.server, &second] {
        let agent = server.caller(Role::Agent, "budi", &["desk"]).await;
        for _ in 0..30 {
            let ticket = agent.claim_next("main").await.unwrap().expect("as many wait as are claimed");
            assert!(claimed.insert(ticket.name.clone()), "{} was claimed twice", ticket.name);
        }
    }
    assert_eq!(claimed.len(), 60);
    assert_eq!(desk.head().await, 60 * 3);
}
