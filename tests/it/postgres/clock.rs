//! Clocks that jump and disagree.

use std::sync::Arc;
use std::time::Duration;

use crate::support::{Caller, Database, Desk, Load, Random, TestClock};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn clocks_that_jump_and_disagree_change_neither_order_nor_outcome() {
    const HOUR: i64 = 3_600_000_000;
    let mut random = Random::new(35);
    let desk = Desk::open(Database::Postgres).await;
    let clocks = [Arc::clone(&desk.clock), Arc::new(TestClock::new())];
    let other = desk.beside_at(Database::Postgres, Arc::clone(&clocks[1])).await;
    let mut agents = Vec::new();
    for number in 0..6 {
        let here = desk.agent(&format!("writer-{number}")).await;
        let there = Caller::connect(&other.endpoint(), &here.secret, "desk").await;
        agents.push(if number % 2 == 0 { here } else { there });
    }
    let begin = desk.clock.micros();
    let load = Load::begin(agents, vec![desk.admin().clone(), other.admin().clone()]).await;
    for jump in 0..20 {
        load.moves_on(&format!("before jump {jump}"), 20).await;
        let by = i64::try_from(random.below(6)).unwrap() - 3;
        clocks[random.below(2)].set(begin + by * HOUR);
        clocks[random.below(2)].advance(Duration::from_millis(random.number() % 1_000));
    }
    load.moves_on("after the jumps", 50).await;
    load.check(other.admin()).await;
}
