//! SIGKILL under load: what was acknowledged is there once, nothing is done twice, and who watches misses nothing.

use std::time::Duration;

use loket::v1::Role;

use super::database;
use crate::support::{Load, Random, SIMPLE, ServerProcess};

const KILLS: usize = 20;
const WRITERS: usize = 6;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn twenty_kills_lose_nothing_repeat_nothing_and_hide_nothing() {
    let mut random = Random::new(20);
    let mut server = ServerProcess::start(database()).await;
    let admin = server.admin().await;
    admin.open("desk", SIMPLE).await;
    let mut agents = Vec::new();
    for number in 0..WRITERS {
        agents.push(server.caller(Role::Agent, &format!("writer-{number}"), &["desk"]).await);
    }
    let load = Load::begin(agents, vec![admin.clone()]).await;
    for kill in 0..KILLS {
        load.moves_on(&format!("before kill {kill}"), 1 + random.below(200)).await;
        // Any moment is as good as another: in the middle of a commit, or between two.
        tokio::time::sleep(Duration::from_micros(random.number() % 15_000)).await;
        server.kill();
        server.restart().await;
    }
    assert!(load.count() > 2 * KILLS);
    load.check(&admin).await;
}
