//! The write-ahead log begins anew before it is large, whether much or little is written at once: on SQLite.

use std::fs;
use std::path::Path;

use super::{Desk, create};
use crate::engine::checkpoints::Checkpoints;
use crate::engine::{Limits, Request};
use crate::store::Database;
use crate::store::throwaway::Throwaway;

/// A checkpoint comes after so many KiB, as they are guessed.
const EVERY: usize = 2_048;

/// How often the log has begun anew, and how many KiB it takes.
fn log(database: &Database) -> (u32, u64) {
    let Database::Sqlite(path) = database else { unreachable!() };
    let log = format!("{}-wal", path.display());
    let header = fs::read(Path::new(&log)).unwrap();
    (u32::from_be_bytes(header[12..16].try_into().unwrap()), header.len() as u64 / 1_024)
}

/// Commits batches of so many tickets until the log has begun anew five times; how large it is then.
fn size_after(batch: usize) -> u64 {
    let mut desk = Desk::patient(Throwaway::named("sqlite"));
    let database = desk.writer.database.clone();
    desk.writer.checkpoints = Checkpoints::each(database.clone(), EVERY);
    let requests = || -> Vec<Request> { (0..batch).map(|number| create(&format!("Ticket {number}"))).collect() };
    let begun = log(&database).0;
    let mut batches = 0;
    while log(&database).0 < begun + 5 {
        let answers: Vec<_> = requests().into_iter().map(|request| desk.put(request)).collect();
        desk.run();
        desk.writer.checkpoints.wait();
        for answer in answers {
            answer.blocking_recv().unwrap().unwrap();
        }
        batches += 1;
        assert!(batches < 5_000, "after {batches} batches of {batch} tickets the log has not begun anew five times");
    }
    log(&database).1
}

#[test]
fn the_log_begins_anew_before_it_is_large() {
    for batch in [1, 10, Limits::default().batch_commands] {
        let size = size_after(batch);
        // What was guessed, twice over, and what the last batch before it and those that came after it have written.
        let most = (2 * EVERY + 16 * batch) as u64;
        assert!(size <= most, "batches of {batch}: {size} KiB, more than {most}");
    }
}
