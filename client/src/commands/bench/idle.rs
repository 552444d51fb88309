//! `loket bench watch --idle`: what a stream costs that waits.

use std::time::{Duration, Instant};

use futures_util::{FutureExt as _, StreamExt as _, stream};
use serde::Serialize;
use tonic::Streaming;

use super::connection::Connection;
use super::desk::Desk;
use super::verdict::verdict;
use super::watch::{Response, open, product_of};
use super::{Bench, LoadArgs};
use crate::commands::progress::Progress;
use crate::commands::report::report;
use crate::commands::stop::Stop;
use crate::failure::Failure;

/// Streams that are opened at the same time.
const OPENING: usize = 64;

/// How often the streams are read while they wait.
const BETWEEN_READS: Duration = Duration::from_secs(1);

#[derive(Debug, Serialize)]
struct Report {
    helpdesk: String,
    streams: usize,
    connections: usize,
    /// Streams that ended while they waited.
    ended: usize,
    memory_before_bytes: u64,
    memory_after_bytes: u64,
    bytes_per_stream: f64,
    seconds: f64,
}

/// The connections are opened here, and so are part of what is measured.
pub(super) async fn run(
    streams: usize,
    server: u32,
    desk: &Desk,
    load: &LoadArgs,
    stop: &Stop,
    bench: &Bench,
) -> Result<(), Failure> {
    let before = resident_bytes(server)?;
    let connections = Connection::open(&bench.options, &load.further_endpoints, load.connections).await?;
    let mut opened = open_all(streams, &connections, desk, stop, bench).await?;
    let begin = Instant::now();
    let end = begin + load.duration;
    let streams = opened.len();
    while Instant::now() < end && !stop.is_set() {
        stop.sleep_until(end.min(Instant::now() + BETWEEN_READS)).await;
        opened.retain_mut(is_open);
    }
    let after = resident_bytes(server)?;
    let result = Report {
        helpdesk: desk.parent.clone(),
        streams,
        connections: connections.len(),
        ended: streams - opened.len(),
        memory_before_bytes: before,
        memory_after_bytes: after,
        bytes_per_stream: after.saturating_sub(before) as f64 / (streams as f64).max(1.0),
        seconds: begin.elapsed().as_secs_f64(),
    };
    let told = report(bench.output, &result, Report::lines);
    verdict(result.streams as u64, &[("streams that ended", result.ended as u64)]).and(told)
}

async fn open_all(
    streams: usize,
    connections: &[Connection],
    desk: &Desk,
    stop: &Stop,
    bench: &Bench,
) -> Result<Vec<Streaming<Response>>, Failure> {
    let mut progress = Progress::new(Some(streams as u64));
    let mut opening = stream::iter(connections.iter().cycle().take(streams).enumerate())
        .map(|(number, connection)| {
            let mut connection = connection.clone();
            async move { open(&mut connection, desk, product_of(number)).await }
        })
        .buffer_unordered(OPENING);
    let mut opened = Vec::with_capacity(streams);
    while let Some(stream) = opening.next().await {
        opened.push(stream?);
        progress.show(bench.output, opened.len() as u64, || format!("{} of {streams} streams open", opened.len()));
        if stop.is_set() {
            break;
        }
    }
    Ok(opened)
}

/// Reads what has arrived: now and then a marker that there is nothing.
fn is_open(stream: &mut Streaming<Response>) -> bool {
    loop {
        match stream.message().now_or_never() {
            None => return true,
            Some(Ok(Some(_))) => {}
            Some(Ok(None) | Err(_)) => return false,
        }
    }
}

/// The resident memory of a process.
fn resident_bytes(pid: u32) -> Result<u64, Failure> {
    let path = format!("/proc/{pid}/status");
    let text = std::fs::read_to_string(&path).map_err(|error| {
        Failure::Usage(format!("{path} cannot be read: {error}; --server-pid is the server's process on this machine"))
    })?;
    resident_in(&text).ok_or_else(|| Failure::Usage(format!("{path} has no line `VmRSS: … kB`")))
}

fn resident_in(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib * 1024)
}

impl Report {
    fn lines(&self) -> Vec<(&'static str, String)> {
        let mebi = |bytes: u64| format!("{:.1} MiB", bytes as f64 / 1_048_576.0);
        [
            ("idle streams", format!("{} on {} connections", self.streams, self.connections)),
            ("ended meanwhile", self.ended.to_string()),
            ("server's memory before", mebi(self.memory_before_bytes)),
            ("server's memory after", format!("{} (after {:.0} s)", mebi(self.memory_after_bytes), self.seconds)),
            ("each stream", format!("{:.1} KiB", self.bytes_per_stream / 1024.0)),
        ]
        .into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_the_resident_memory() {
        assert_eq!(resident_in("Name:\tloket-server\nVmRSS:\t   20480 kB\nThreads:\t4\n"), Some(20 << 20));
        assert_eq!(resident_in("Name:\tloket-server\n"), None);
    }
}
