//! Starting on a database: many at once, and on one that does not do.

use std::sync::Arc;

use futures_util::future::join_all;
use loket::v1::{ListAccessKeysRequest, ListHelpdesksRequest};
use loket_server::serve;

use crate::support::{Cluster, Data, Database, Desk, Server, TestClock, draft};

#[tokio::test]
async fn of_servers_that_start_at_once_one_makes_the_key_and_the_presets() {
    let first = Data::new(&Database::Postgres.into());
    let all: Vec<_> = std::iter::once(first.clone()).chain((0..5).map(|_| first.beside())).collect();
    let options = Database::Postgres.with().presets();
    let started = join_all(all.iter().map(|data| serve::start(options.config(data), Arc::new(TestClock::new())))).await;
    let running: Vec<_> = started.into_iter().map(Result::unwrap).collect();
    let keys: Vec<_> = all.iter().filter(|data| data.folder().join("admin.key").exists()).collect();
    let [data] = keys.as_slice() else { panic!("{} of them wrote a key", keys.len()) };
    for server in running {
        let endpoint = format!("http://{}", server.address);
        let admin = crate::support::Caller::connect(&endpoint, &data.admin_key(), "desk").await;
        let keys = admin.list_access_keys(ListAccessKeysRequest::default()).await.unwrap().access_keys;
        assert_eq!(keys.len(), 1);
        assert!(keys[0].display_name.ends_with(&data.folder().join("admin.key").display().to_string()), "{keys:?}");
        let helpdesks = admin.list_helpdesks(ListHelpdesksRequest::default()).await.unwrap().helpdesks;
        assert_eq!(helpdesks.len(), 5);
        server.stopper().cancel();
        server.stopped().await.unwrap();
    }
}

#[tokio::test]
async fn a_second_server_files_where_the_first_one_does() {
    let desk = Desk::open(Database::Postgres).await;
    let second = desk.server.beside(Database::Postgres).await;
    assert!(!second.data().folder().join("admin.key").exists());
    for round in 0..3 {
        for admin in [desk.admin(), second.admin()] {
            admin.create(draft(&format!("Round {round}"))).await.unwrap();
        }
    }
    let tickets = second.admin().list("").await.unwrap();
    let numbers: Vec<_> = tickets.iter().map(|ticket| ticket.name.rsplit('/').next().unwrap()).collect();
    assert_eq!(numbers, ["1", "2", "3", "4", "5", "6"]);
}

/// A helpdesk's head is made when it is first written to: here by two servers at once.
#[tokio::test]
async fn two_servers_make_the_same_head_at_once() {
    let desk = Desk::open(Database::Postgres).await;
    let second = desk.server.beside(Database::Postgres).await;
    for number in 0..5 {
        let id = format!("desk-{number}");
        desk.admin().open(&id, crate::support::SIMPLE).await;
        let (one, other) = (desk.admin().on(&id), second.admin().on(&id));
        let filed = join_all((0..8).map(|n| [&one, &other][n % 2].create(draft("First")))).await;
        let mut names: Vec<_> = filed.into_iter().map(|ticket| ticket.unwrap().name).collect();
        names.sort();
        assert_eq!(names, (1..=8).map(|n| format!("helpdesks/{id}/tickets/{n}")).collect::<Vec<_>>());
    }
}

/// What a server says that does not start.
async fn refusal(url: &str) -> String {
    let options = Database::Postgres.with().at(url);
    let data = Data::new(&options);
    serve::start(options.config(&data), Arc::new(TestClock::new())).await.err().expect("it refuses").to_string()
}

#[tokio::test]
async fn a_database_that_acknowledges_what_is_not_on_disk_is_refused() {
    let url = Cluster::shared().create_database();
    let name = url.rsplit('/').next().unwrap();
    Cluster::shared().execute("postgres", &format!("ALTER DATABASE {name} SET synchronous_commit = off"));
    insta::assert_snapshot!(refusal(&url).await, @"the database cannot be used: synchronous_commit is off: what it acknowledges can be lost; set it to on for this database (ALTER DATABASE … SET synchronous_commit = on) or its role");
    Cluster::shared().execute("postgres", &format!("ALTER DATABASE {name} SET synchronous_commit = on"));
    Server::start(Database::Postgres.with().at(&url)).await.admin().open("desk", crate::support::SIMPLE).await;
}

#[tokio::test]
async fn a_database_that_cannot_hold_every_text_is_refused() {
    let cluster = Cluster::shared();
    let make = "CREATE DATABASE latin ENCODING 'LATIN1' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0";
    cluster.execute("postgres", make);
    insta::assert_snapshot!(refusal(&cluster.url("latin")).await, @"the database cannot be used: its encoding is LATIN1; make one with CREATE DATABASE … ENCODING 'UTF8' TEMPLATE template0");
}

#[tokio::test]
async fn a_database_that_is_not_there_is_named_by_what_is_wrong() {
    let refusal = refusal(&Cluster::shared().url("nowhere")).await;
    assert!(refusal.starts_with("cannot connect to the database: ") && refusal.contains("nowhere"), "{refusal}");
}
