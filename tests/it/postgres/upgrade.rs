//! A rolling upgrade: a newer server brings the schema of its version while older ones serve.

use std::fs;
use std::path::Path;

use diesel::{Connection as _, PgConnection, QueryableByName, RunQueryDsl as _};
use diesel_migrations::{FileBasedMigrations, MigrationHarness as _};
use loket::v1::Role;

use crate::support::{Database, Load, SIMPLE, ServerProcess};

/// What every migration is held to: it adds, and what it adds has a default.
const LATER: &str = "
ALTER TABLE heads ADD COLUMN later BIGINT NOT NULL DEFAULT 7;
ALTER TABLE tickets ADD COLUMN later TEXT COLLATE \"C\" NOT NULL DEFAULT 'default';
ALTER TABLE requests ADD COLUMN later BIGINT;
ALTER TABLE changes ADD COLUMN later BIGINT NOT NULL DEFAULT 0;
ALTER TABLE external_refs ADD COLUMN later BIGINT;
CREATE TABLE later (helpdesk TEXT COLLATE \"C\" NOT NULL, id BIGINT NOT NULL, PRIMARY KEY (helpdesk, id));
CREATE INDEX tickets_later ON tickets (helpdesk, later, ticket);
";

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = diesel::sql_types::BigInt)]
    count: i64,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_older_server_goes_on_while_a_newer_one_changes_the_schema() {
    let first = ServerProcess::start(Database::Postgres).await;
    let mut second = first.beside(Database::Postgres).await;
    let admin = first.admin().await;
    admin.open("desk", SIMPLE).await;
    let mut agents = Vec::new();
    for (place, server) in [&first, &second].into_iter().enumerate() {
        for number in 0..3 {
            agents.push(server.caller(Role::Agent, &format!("writer-{place}-{number}"), &["desk"]).await);
        }
    }
    let load = Load::begin(agents, vec![admin.clone(), second.admin().await]).await;
    // Everything that is prepared has been used.
    load.moves_on("before the upgrade", 200).await;

    let url = first.data().url().to_owned();
    tokio::task::spawn_blocking(move || upgrade(&url)).await.unwrap();
    load.moves_on("after the upgrade", 200).await;

    // An older one also starts on the newer schema: an upgrade can be taken back.
    second.kill();
    second.restart().await;
    load.moves_on("after an older server has started again", 200).await;
    load.check(&admin).await;

    let url = first.data().url().to_owned();
    let count = tokio::task::spawn_blocking(move || {
        let mut connection = PgConnection::establish(&url).unwrap();
        let query = diesel::sql_query("SELECT count(*) AS count FROM tickets WHERE later = 'default'");
        query.get_result::<Count>(&mut connection).unwrap().count
    });
    assert_eq!(count.await.unwrap(), i64::try_from(admin.list("").await.unwrap().len()).unwrap());
}

/// As a server of a later version does when it starts.
fn upgrade(url: &str) {
    let folder = tempfile::tempdir().unwrap();
    write(&folder.path().join("2099-01-01-000001_later"));
    let migrations = FileBasedMigrations::from_path(folder.path()).unwrap();
    let mut connection = PgConnection::establish(url).unwrap();
    let run = connection.run_pending_migrations(migrations).unwrap();
    assert_eq!(run.len(), 1);
}

fn write(migration: &Path) {
    fs::create_dir(migration).unwrap();
    fs::write(migration.join("up.sql"), LATER).unwrap();
    fs::write(migration.join("down.sql"), "DROP TABLE later;").unwrap();
}
