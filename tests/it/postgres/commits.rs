//! Connections that end at the worst moment.

use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use diesel::sql_types::{BigInt, Text};
use diesel::{Connection as _, OptionalExtension as _, PgConnection, QueryableByName, RunQueryDsl as _};
use loket::v1::ErrorReason;
use loket_server::store::{self, dialect, heads};
use tonic::Code;

use crate::support::tail::{Tail, narrow, now};
use crate::support::{Cluster, Data, Database, Desk, SIMPLE, ServerProcess, draft, eventually};

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    count: i64,
}

/// What is looked up and done past the server.
struct Operator(PgConnection);

impl Operator {
    fn on(data: &Data) -> Self {
        Self(PgConnection::establish(data.url()).unwrap())
    }

    fn execute(&mut self, statements: &str) {
        self.0.batch_execute(statements).unwrap_or_else(|error| panic!("{error}: {statements}"));
    }

    /// How many backends of this database are so.
    fn backends(&mut self, condition: &str) -> i64 {
        let from = "FROM pg_stat_activity WHERE datname = current_database()";
        let sql = format!("SELECT count(*) AS count {from} AND {condition}");
        diesel::sql_query(sql).get_result::<Count>(&mut self.0).unwrap().count
    }

    fn process(&mut self, condition: &str) -> Option<i64> {
        let from = "FROM pg_stat_activity WHERE datname = current_database()";
        let sql = format!("SELECT CAST(pid AS BIGINT) AS count {from} AND {condition}");
        diesel::sql_query(sql).get_result::<Count>(&mut self.0).optional().unwrap().map(|found| found.count)
    }

    fn terminate(&mut self, condition: &str) -> i64 {
        let from = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()";
        let sql = format!("SELECT count(pg_terminate_backend(pid)) AS count {from} AND {condition}");
        diesel::sql_query(sql).get_result::<Count>(&mut self.0).unwrap().count
    }
}

/// The commit is on disk and its answer is lost: while it waits for a standby that is not there, its backend is ended.
#[tokio::test]
async fn a_commit_that_happened_and_was_not_answered_is_found_and_not_repeated() {
    let cluster = Cluster::start(&[("synchronous_standby_names", "nobody"), ("synchronous_commit", "local")]);
    let url = cluster.create_database();
    let desk = Desk::open(Database::Postgres.with().at(&url)).await;
    let admin = desk.admin();
    admin.create(draft("Before")).await.unwrap();
    let mut watch = Tail::open(narrow(admin, 65_535).await, now(admin, "")).await.unwrap();
    let mut operator = Operator::on(desk.data());
    let name = url.rsplit('/').next().unwrap();
    let mut wait_for = |whom: &str| {
        operator.execute(&format!("ALTER DATABASE {name} SET synchronous_commit = {whom}"));
        operator.terminate("TRUE");
    };
    wait_for("on");

    let filing = tokio::spawn({
        let admin = admin.clone();
        async move { admin.create(draft("Half done")).await }
    });
    let mut operator = Operator::on(desk.data());
    let waits = |but: i64| format!("wait_event = 'SyncRep' AND pid <> {but}");
    let first = eventually("the commit waits for a standby", async || operator.process(&waits(0))).await;
    assert_eq!(operator.terminate("wait_event = 'SyncRep'"), 1);
    // It is found, and not answered for before a standby has it.
    eventually("it waits for a standby again", async || operator.process(&waits(first))).await;
    assert!(!filing.is_finished());
    wait_for("local");
    let ticket = filing.await.unwrap().unwrap();
    assert_eq!(ticket.name, "helpdesks/desk/tickets/2");

    admin.create(draft("After")).await.unwrap();
    let subjects: Vec<_> = admin.list("").await.unwrap().into_iter().map(|ticket| ticket.subject).collect();
    assert_eq!(subjects, ["Before", "Half done", "After"]);
    watch.until(3).await;
    assert_eq!(watch.seen.events.iter().map(|event| event.revision).collect::<Vec<_>>(), [2, 3]);
}

/// Whoever gives no request id is not asked twice either: what was filed is found by what it wrote.
#[tokio::test]
async fn also_a_commit_without_a_request_id_is_found_and_not_repeated() {
    let cluster = Cluster::start(&[("synchronous_standby_names", "nobody"), ("synchronous_commit", "local")]);
    let url = cluster.create_database();
    let desk = Desk::open(Database::Postgres.with().at(&url)).await;
    let admin = desk.admin();
    admin.create(draft("Before")).await.unwrap();
    let mut operator = Operator::on(desk.data());
    let name = url.rsplit('/').next().unwrap();
    operator.execute(&format!("ALTER DATABASE {name} SET synchronous_commit = on"));
    operator.terminate("TRUE");

    let filing = tokio::spawn({
        let admin = admin.clone();
        // Not by the client's own method, which gives one.
        async move { admin.try_create(draft("Half done")).await }
    });
    let waits = async || operator.process("wait_event = 'SyncRep'");
    eventually("the commit waits for a standby", waits).await;
    // So that what is asked next need not wait for one.
    operator.execute(&format!("ALTER DATABASE {name} SET synchronous_commit = local"));
    assert_eq!(operator.terminate("wait_event = 'SyncRep'"), 1);
    assert_eq!(filing.await.unwrap().unwrap().name, "helpdesks/desk/tickets/2");

    admin.create(draft("After")).await.unwrap();
    let subjects: Vec<_> = admin.list("").await.unwrap().into_iter().map(|ticket| ticket.subject).collect();
    assert_eq!(subjects, ["Before", "Half done", "After"]);
    assert_eq!(desk.head().await, 3);
}

/// A server that is running does not look again at what its role or its database was told.
#[test]
fn a_writer_waits_for_the_disk_whatever_it_was_told() {
    let cluster = Cluster::start(&[]);
    let url = cluster.create_database();
    let mut operator = PgConnection::establish(&url).unwrap();
    let database: store::Database = url.parse().unwrap();
    let (mut connection, _) = database.open_to_write().unwrap();
    for (told, kept) in [("off", "on"), ("local", "local"), ("remote_apply", "remote_apply")] {
        operator.batch_execute(&format!("ALTER SYSTEM SET synchronous_commit = {told}")).unwrap();
        operator.batch_execute("SELECT pg_reload_conf()").unwrap();
        let mut setting = || {
            dialect::begin(&mut connection).unwrap();
            let setting = diesel::dsl::sql::<Text>("SELECT current_setting('synchronous_commit')");
            let setting: String = setting.get_result(&mut connection).unwrap();
            dialect::rollback(&mut connection);
            setting
        };
        // What is told is heard of between two statements, whichever they are.
        if told == "off" {
            for _ in 0..100 {
                assert_eq!(setting(), kept);
            }
        }
        let deadline = std::time::Instant::now() + Duration::from_mins(1);
        while setting() != kept {
            assert!(std::time::Instant::now() < deadline, "{told} is not heard of");
        }
    }
}

/// The backend is ended within COMMIT, before anything is on disk.
#[tokio::test]
async fn a_commit_that_was_not_answered_and_did_not_happen_is_done_again() {
    const LOCK: i64 = 4711;
    let desk = Desk::open(Database::Postgres).await;
    let admin = desk.admin();
    admin.create(draft("Before")).await.unwrap();
    let mut operator = Operator::on(desk.data());
    operator.execute(&format!(
        "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS
             'BEGIN PERFORM pg_advisory_xact_lock({LOCK}); RETURN NULL; END';
         CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON changes DEFERRABLE INITIALLY DEFERRED
             FOR EACH ROW EXECUTE FUNCTION wait();
         SELECT pg_advisory_lock({LOCK})"
    ));
    let filing = tokio::spawn({
        let admin = admin.clone();
        async move { admin.try_create(draft("At last")).await }
    });
    let waits = async || (operator.backends("wait_event = 'advisory' AND query = 'COMMIT'") == 1).then_some(());
    eventually("the commit waits for the lock", waits).await;
    operator.terminate("wait_event = 'advisory'");
    operator.execute(&format!("SELECT pg_advisory_unlock({LOCK})"));
    let ticket = filing.await.unwrap().unwrap();
    assert_eq!(ticket.name, "helpdesks/desk/tickets/2");
    assert_eq!(admin.list("").await.unwrap().len(), 2);
    assert_eq!(desk.head().await, 2);
}

#[tokio::test]
async fn connections_that_were_ended_in_between_are_opened_again_and_nobody_notices() {
    let desk = Desk::open(Database::Postgres).await;
    let mut operator = Operator::on(desk.data());
    for round in 1..=5 {
        desk.admin().try_create(draft(&format!("Round {round}"))).await.unwrap();
        assert!(operator.terminate("TRUE") > 0);
        assert_eq!(desk.admin().list("").await.unwrap().len(), round);
    }
}

/// Whoever stops in the middle of a transaction, as a process does that is paused, is cut off.
#[tokio::test]
async fn a_head_is_not_held_by_who_has_stopped() {
    let desk = Desk::open(Database::Postgres).await;
    desk.admin().create(draft("Before")).await.unwrap();
    let mut stopped = desk.data().connect();
    dialect::begin(&mut stopped).unwrap();
    heads::lock(&mut stopped, "desk").unwrap().unwrap();
    desk.admin().try_create(draft("After")).await.unwrap();
    let error = loket_server::store::StoreError::from(heads::lock(&mut stopped, "desk").unwrap_err());
    assert!(error.is_transient(), "{error}");
}

#[tokio::test]
async fn while_the_database_is_away_callers_are_told_so_and_then_it_goes_on() {
    let cluster = Cluster::start(&[]);
    let desk = Desk::open(Database::Postgres.with().at(&cluster.create_database())).await;
    let ticket = desk.admin().create(draft("Before")).await.unwrap();
    cluster.crash();
    let error = desk.admin().try_create(draft("Meanwhile")).await.unwrap_err();
    assert_eq!((error.code(), error.reason()), (Code::Unavailable, Some(ErrorReason::StoreUnavailable)), "{error:?}");
    let filing = tokio::spawn({
        let admin = desk.admin().clone();
        async move { admin.create(draft("Retried by the client")).await }
    });
    cluster.go();
    filing.await.unwrap().unwrap();
    assert_eq!(desk.admin().get(&ticket.name).await.unwrap().uid, ticket.uid);
    let subjects: Vec<_> = desk.admin().list("").await.unwrap().into_iter().map(|ticket| ticket.subject).collect();
    assert_eq!(subjects, ["Before", "Retried by the client"]);
}

#[tokio::test]
async fn two_processes_outlive_a_crash_of_their_database() {
    let cluster = Cluster::start(&[]);
    let url = cluster.create_database();
    let options = || Database::Postgres.with().at(&url);
    let first = ServerProcess::start(options()).await;
    let second = first.beside(options()).await;
    let (one, other) = (first.admin().await, second.admin().await);
    one.open("desk", SIMPLE).await;
    one.create(draft("Before")).await.unwrap();
    other.create(draft("Before")).await.unwrap();
    cluster.crash_and_restart();
    one.create(draft("After")).await.unwrap();
    other.create(draft("After")).await.unwrap();
    assert_eq!(other.list("").await.unwrap(), one.list("").await.unwrap());
    assert_eq!(one.list("").await.unwrap().len(), 4);
}

/// What PostgreSQL says when trying again may help is known to the engine.
#[tokio::test]
async fn what_may_help_to_try_again_is_known() {
    let data = Data::new(&Database::Postgres.into());
    let mut operator = Operator::on(&data);
    operator.execute("CREATE TABLE t (id INT PRIMARY KEY, n INT); INSERT INTO t VALUES (1, 0), (2, 0)");
    let fails = |statements: &str| {
        let mut connection = PgConnection::establish(data.url()).unwrap();
        let error = connection.batch_execute(statements).expect_err(statements);
        let error = loket_server::store::StoreError::from(error);
        assert!(error.is_transient(), "{statements}: {error}");
    };
    operator.execute("BEGIN; UPDATE t SET n = n + 1 WHERE id = 1");
    fails("BEGIN; SET LOCAL lock_timeout = 1; UPDATE t SET n = n + 1 WHERE id = 1");
    fails("BEGIN; SET LOCAL statement_timeout = 1; UPDATE t SET n = n + 1 WHERE id = 1");
    operator.execute("ROLLBACK");
    fails("SELECT pg_terminate_backend(pg_backend_pid())");

    let mut other = PgConnection::establish(data.url()).unwrap();
    other.batch_execute("BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT * FROM t").unwrap();
    operator.execute("UPDATE t SET n = n + 1 WHERE id = 2");
    let error =
        loket_server::store::StoreError::from(other.batch_execute("UPDATE t SET n = 7 WHERE id = 2").unwrap_err());
    assert!(error.is_transient(), "{error}");

    // Each has what the other wants: one of them is told.
    other.batch_execute("ROLLBACK; BEGIN; UPDATE t SET n = n + 1 WHERE id = 2").unwrap();
    operator.execute("BEGIN; SET LOCAL deadlock_timeout = '10s'; UPDATE t SET n = n + 1 WHERE id = 1");
    let other = std::thread::spawn(move || {
        other.batch_execute("SET LOCAL deadlock_timeout = '50ms'; UPDATE t SET n = n + 1 WHERE id = 1").unwrap_err()
    });
    operator.execute("UPDATE t SET n = n + 1 WHERE id = 2");
    let error = loket_server::store::StoreError::from(other.join().unwrap());
    assert!(error.is_transient() && error.to_string().contains("deadlock"), "{error}");
}

#[tokio::test]
async fn writers_of_one_server_work_on_several_helpdesks_at_once() {
    let desk = Desk::open(Database::Postgres).await;
    let admin = desk.admin();
    admin.create(draft("Before")).await.unwrap();
    admin.open("other", SIMPLE).await;
    let mut held = desk.data().connect();
    dialect::begin(&mut held).unwrap();
    heads::lock(&mut held, "desk").unwrap().unwrap();
    let filing = tokio::spawn({
        let admin = admin.clone();
        async move { admin.create(draft("Held up")).await }
    });
    // While one helpdesk's head is held, another writer serves the other.
    tokio::time::timeout(Duration::from_secs(4), admin.on("other").create(draft("Not held up")))
        .await
        .unwrap()
        .unwrap();
    dialect::rollback(&mut held);
    filing.await.unwrap().unwrap();
}
