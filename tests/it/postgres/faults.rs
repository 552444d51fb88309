//! What breaks while servers are under load: no acknowledged write is lost and none is done twice, no watcher misses a
//! change or is told one again, and health says so and recovers by itself.

use std::time::Duration;

use diesel::connection::SimpleConnection as _;
use loket::v1::{Role, Ticket, WatchMarker};
use loket_server::store::dialect;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::support::tail::{Tail, narrow, now};
use crate::support::{
    Caller, Cluster, Database, Desk, Disk, Load, Options, Random, SIMPLE, ServerProcess, draft, eventually,
};

/// Agents at each server.
const AGENTS: usize = 3;

/// Several processes on one database, under load, with a watcher at each.
struct Fleet {
    servers: Vec<ServerProcess>,
    load: Load,
}

impl Fleet {
    async fn start(options: impl Into<Options>, processes: usize) -> Self {
        let options = options.into();
        let first = ServerProcess::start(options.clone()).await;
        let mut servers = vec![first];
        while servers.len() < processes {
            let next = servers[0].beside(options.clone()).await;
            servers.push(next);
        }
        servers[0].admin().await.open("desk", SIMPLE).await;
        let (mut agents, mut watchers) = (Vec::new(), Vec::new());
        for (place, server) in servers.iter().enumerate() {
            for number in 0..AGENTS {
                agents.push(server.caller(Role::Agent, &format!("writer-{place}-{number}"), &["desk"]).await);
            }
            watchers.push(server.admin().await);
        }
        let load = Load::begin(agents, watchers).await;
        Self { servers, load }
    }

    async fn check(self) {
        let admin: Caller = self.servers[0].admin().await;
        self.load.check(&admin).await;
        for server in &self.servers {
            eventually("every server serves", async || (health(server).await == Some(true)).then_some(())).await;
        }
    }
}

/// Whether the server says that it serves; None when it says nothing.
async fn health(server: &ServerProcess) -> Option<bool> {
    let endpoint = tonic::transport::Endpoint::from_shared(server.endpoint()).unwrap();
    let mut client = HealthClient::new(endpoint.connect().await.ok()?);
    let answer = client.check(HealthCheckRequest::default()).await.ok()?.into_inner();
    Some(answer.status() == ServingStatus::Serving)
}

async fn any_moment(random: &mut Random) {
    tokio::time::sleep(Duration::from_micros(random.number() % 15_000)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn killed_processes_leave_nothing_behind() {
    let mut random = Random::new(31);
    let mut fleet = Fleet::start(Database::Postgres, 2).await;
    for kill in 0..10 {
        fleet.load.moves_on(&format!("before kill {kill}"), 1 + random.below(150)).await;
        any_moment(&mut random).await;
        let server = &mut fleet.servers[kill % 2];
        server.kill();
        server.restart().await;
    }
    fleet.check().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn terminated_backends_are_replaced() {
    let mut random = Random::new(32);
    let cluster = Cluster::start(&[]);
    let url = cluster.create_database();
    let fleet = Fleet::start(Database::Postgres.with().at(&url), 2).await;
    let name = url.rsplit('/').next().unwrap().to_owned();
    for round in 0..10 {
        fleet.load.moves_on(&format!("before round {round}"), 1 + random.below(150)).await;
        any_moment(&mut random).await;
        // Every connection of every server: writers, readers, and those for the bell.
        let all = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> \
                   pg_backend_pid()";
        cluster.execute(&name, all);
    }
    fleet.load.moves_on("after all", 100).await;
    fleet.check().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_crashes_is_waited_for() {
    let mut random = Random::new(33);
    let cluster = Cluster::start(&[]);
    let fleet = Fleet::start(Database::Postgres.with().at(&cluster.create_database()), 2).await;
    for crash in 0..4 {
        fleet.load.moves_on(&format!("before crash {crash}"), 1 + random.below(150)).await;
        any_moment(&mut random).await;
        cluster.crash_and_restart();
    }
    fleet.load.moves_on("after the crashes", 100).await;
    // Down for as long as it takes to be noticed.
    cluster.crash();
    for server in &fleet.servers {
        eventually("health says so", async || (health(server).await == Some(false)).then_some(())).await;
    }
    cluster.go();
    for server in &fleet.servers {
        eventually("health recovers", async || (health(server).await == Some(true)).then_some(())).await;
    }
    fleet.load.moves_on("after the pause", 100).await;
    fleet.check().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_paused_process_holds_up_nobody_and_comes_back() {
    let mut random = Random::new(34);
    let fleet = Fleet::start(Database::Postgres, 2).await;
    for pause in 0..10 {
        fleet.load.moves_on(&format!("before pause {pause}"), 1 + random.below(150)).await;
        any_moment(&mut random).await;
        let paused = &fleet.servers[pause % 2];
        paused.signal("STOP");
        // Whatever it held, the other goes on.
        let before = fleet.load.count();
        let goes_on = async || (fleet.load.count() > before + 50).then_some(());
        eventually("the other server goes on", goes_on).await;
        paused.signal("CONT");
    }
    fleet.load.moves_on("after the pauses", 100).await;
    fleet.check().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_disk_refuses_and_loses_nothing() {
    let Some(disk) = Disk::new(256) else {
        println!("not tested: only root may mount a small disk");
        return;
    };
    let cluster = Cluster::start_in(disk.path(), &[("max_wal_size", "32MB"), ("min_wal_size", "32MB")]);
    let fleet = Fleet::start(Database::Postgres.with().at(&cluster.create_database()), 2).await;
    for round in 0..2 {
        fleet.load.moves_on(&format!("before the disk is full, round {round}"), 100).await;
        disk.fill();
        for server in &fleet.servers {
            eventually("health says so", async || (health(server).await == Some(false)).then_some(())).await;
        }
        assert!(fleet.servers.iter().any(|server| server.log().contains("No space left on device")));
        disk.make_room();
        // PostgreSQL ends when it cannot write its log; then whoever looks after it starts it again.
        if !cluster.is_running() {
            cluster.go();
        }
        for server in &fleet.servers {
            eventually("health recovers", async || (health(server).await == Some(true)).then_some(())).await;
        }
    }
    fleet.load.moves_on("when there is room again", 100).await;
    fleet.check().await;
}

#[tokio::test]
async fn a_stream_that_waits_for_the_log_to_be_read_says_that_it_is_there() {
    let desk = Desk::open(Database::Postgres.with().ring_capacity(1)).await;
    let agent = desk.agent("budi").await;
    let mut tail = Tail::open(narrow(&agent, 1_024).await, now(&agent, "")).await.unwrap();
    tail.next().await.unwrap();
    for number in 0..10 {
        let solution = "A long story. ".repeat(4_300);
        agent.create(Ticket { solution, ..draft(&format!("Ticket {number}")) }).await.unwrap();
    }
    let mut holding = desk.data().connect();
    dialect::begin(&mut holding).unwrap();
    let hold = "SET LOCAL idle_in_transaction_session_timeout = 0; LOCK TABLE changes IN ACCESS EXCLUSIVE MODE";
    holding.batch_execute(hold).unwrap();
    // What was on its way comes first.
    for _ in 0..2 {
        while tail.next().await.unwrap().unwrap().marker() != WatchMarker::Progress {}
        assert!(tail.seen.revision < 10, "nothing of the log is read");
    }
    dialect::rollback(&mut holding);
    tail.until(10).await;
    assert_eq!(tail.seen.events.len(), 10);
}
