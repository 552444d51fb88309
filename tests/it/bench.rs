//! Every benchmark against a real server, as small as it can be: that it ends well, and that it counts.

use serde_json::Value;

use super::database;
use crate::support::Server;
use crate::support::programs::{json, loket, run, said};

async fn bench(server: &Server, arguments: &str) -> std::process::Output {
    let mut command = loket(&server.endpoint(), server.data().folder(), server.data().folder());
    command.arg("bench").args(arguments.split_whitespace()).args(["-o", "json"]);
    run(command).await
}

/// The report of one that ended well.
async fn measured(server: &Server, arguments: &str) -> Value {
    let output = bench(server, arguments).await;
    assert!(output.status.success(), "{arguments}: {}", said(&output));
    let report = json(&output);
    assert_eq!(report.get("errors").unwrap_or(&0.into()), 0, "{arguments}: {report}");
    report
}

fn number(report: &Value, path: &str) -> f64 {
    report.pointer(path).and_then(Value::as_f64).unwrap_or_else(|| panic!("{path} is not in {report}"))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn creations_are_measured_beside_calls_that_do_nothing_and_bare_commits() {
    let server = Server::start(database()).await;
    let report =
        measured(&server, "create --connections 2 --in-flight 4 --duration 400ms --warmup 40ms --request-ids v7").await;
    assert!(number(&report, "/rate") > 0.0 && number(&report, "/noop_rate") > number(&report, "/rate"), "{report}");
    assert_eq!(report["request_ids"], "v7");
    assert!(report.get("commit_ratio").is_none(), "{report}");

    let bare = "create --one --commit-baseline . --duration 400ms --warmup 40ms";
    let report = measured(&server, bare).await;
    assert!(number(&report, "/commit_p50_micros") > 0.0 && number(&report, "/commit_ratio") > 0.0, "{report}");
    assert_eq!(report["commit_bytes"], report["size"]);
    assert_eq!(
        (&report["connections"], &report["in_flight"], &report["request_ids"]),
        (&1.into(), &1.into(), &"v7".into())
    );

    let report = measured(&server, &format!("{bare} --commit-bytes 100000")).await;
    assert_eq!(report["commit_bytes"], 100_000);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn watchers_get_everything_once() {
    let server = Server::start(database()).await;
    let report =
        measured(&server, "watch --watchers 24 --connections 2 --in-flight 4 --duration 400ms --warmup 40ms").await;
    assert!(number(&report, "/delivered_rate") > 0.0, "{report}");
    // Each ticket reaches the twelve that see all, and one or two of the others.
    let (delivered, created) = (number(&report, "/delivered"), number(&report, "/created"));
    assert!(created > 0.0 && delivered >= 13.0 * created && delivered <= 14.0 * created, "{report}");
    assert_eq!((&report["gaps"], &report["duplicates"]), (&0.into(), &0.into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn idle_watchers_are_weighed() {
    let server = Server::start(database()).await;
    let arguments = format!("watch --idle 20 --connections 2 --duration 200ms --server-pid {}", std::process::id());
    let report = measured(&server, &arguments).await;
    assert_eq!((&report["streams"], &report["ended"]), (&20.into(), &0.into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_queue_is_worked_and_nothing_is_claimed_twice() {
    let server = Server::start(database()).await;
    // Tickets so large that five hundred are more than a server takes at once.
    let report =
        measured(&server, "claim --tickets 100 --workers 8 --connections 2 --requesters 10 --size 60000").await;
    assert_eq!((&report["claimed"], &report["claimed_twice"], &report["missing"]), (&100.into(), &0.into(), &0.into()));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn workers_that_wait_are_measured_by_time_and_turns() {
    let server = Server::start(database()).await;
    let report = measured(&server, "claim --waiting --tickets 40 --workers 4 --connections 2 --requesters 10").await;
    assert_eq!((&report["claimed"], &report["p50_turns"]), (&40.into(), &3.into()), "{report}");
    assert!(number(&report, "/p99_micros") >= number(&report, "/p50_micros"), "{report}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_small_helpdesk_is_compared_with_a_large_one() {
    let server = Server::start(database()).await;
    let report = measured(&server, "scale --small 100 --large 300 --samples 5").await;
    assert!(number(&report, "/small/tickets") >= 100.0 && number(&report, "/large/tickets") >= 300.0, "{report}");
    for ratio in ["claim_ratio", "list_ratio", "queue_list_ratio", "create_ratio"] {
        assert!(number(&report, &format!("/{ratio}")) > 0.0, "{report}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_benchmark_that_finds_errors_fails() {
    let server = Server::start(database().with().max_queued(1)).await;
    let output = bench(&server, "create --connections 2 --in-flight 64 --duration 400ms --warmup 40ms").await;
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(number(&json(&output), "/errors") > 0.0);
    assert!(String::from_utf8_lossy(&output.stderr).contains("errors: "), "{}", said(&output));
}
