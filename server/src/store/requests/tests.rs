//! Sought as a range or one by one, the same requests are found.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use uuid::Uuid;

use super::{FEW, NewRequestRow, Range, by_ids};
use crate::store::throwaway::Throwaway;
use crate::store::{BatchRows, HeadRow, dialect, write_batch};

/// An id of version 7 that was made at this millisecond.
fn id(millisecond: u64, rest: u8) -> String {
    uuid::Builder::from_unix_timestamp_millis(millisecond, &[rest; 10]).into_uuid().to_string()
}

/// An id that is in no order.
fn random(number: u128) -> String {
    uuid::Builder::from_random_bytes(number.wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835).to_le_bytes())
        .into_uuid()
        .to_string()
}

fn agree(database: &str) {
    let throwaway = Throwaway::named(database);
    let mut connection = throwaway.database.open().unwrap();
    dialect::migrate(&mut connection).unwrap();
    let kept: Vec<_> = (0..200).map(|n| id(1_000_000 + n * 10, 1)).chain((0..20).map(random)).collect();
    for (helpdesk, subject) in [("desk", "budi"), ("desk", "ana"), ("other", "budi")] {
        let of_both = kept.iter().step_by(if subject == "budi" { 1 } else { 2 });
        let rows: Vec<_> = of_both
            .map(|request_id| NewRequestRow {
                helpdesk,
                subject,
                request_id,
                command: "CreateTicket",
                digest: &[7; 32],
                revision: 1,
                create_time: 1,
            })
            .collect();
        let head = HeadRow::fresh(helpdesk);
        write_batch(&mut connection, &BatchRows { requests: &rows, ..BatchRows::of(&head) }).unwrap();
    }
    let newer: Vec<_> = (0..64).map(|n| id(2_000_000 + n, 1)).collect();
    // Some of them are there, and few others between them: none is left to be sought alone.
    let mixed: Vec<_> = (0..64).map(|n| id(1_000_500 + n * 5, if n % 9 == 0 { 1 } else { 2 })).collect();
    // Each comes twice, and one in the middle is of another version.
    let foreign = id(1_000_600, 3).replacen("-7", "-4", 1);
    let odd: Vec<_> = mixed.iter().chain(&mixed).cloned().chain([foreign]).collect();
    // As many are there as are asked for, and one fewer.
    let as_many: Vec<_> = (10..20).map(|n| id(1_000_000 + n * 10, 1)).collect();
    let one_fewer: Vec<_> = as_many[..9].iter().cloned().chain([id(1_000_175, 2)]).collect();
    // More are there than are asked for.
    let crowded: Vec<_> = (0..10).map(|n| id(1_000_000 + n * 190, 1)).collect();
    let far: Vec<_> = (0..64).map(|n| id(1_000_000 + n * 100, 1)).collect();
    let unordered: Vec<_> = (0..40).map(random).collect();
    let few = mixed[..FEW].to_vec();
    let mut seen = Vec::new();
    for (ids, as_range) in [
        (&newer, true),
        (&mixed, true),
        (&odd, true),
        (&one_fewer, true),
        (&as_many, true),
        (&crowded, true),
        (&far, false),
        (&unordered, false),
        (&few, false),
    ] {
        for subject in ["budi", "ana", "nobody"] {
            let pairs: Vec<_> = ids.iter().rev().map(|id| (subject, id.as_str())).collect();
            assert_eq!(Range::of(&pairs).is_some(), as_range, "{pairs:?}");
            let found = |rows: Vec<super::RequestRow>| {
                let mut ids: Vec<_> = rows.into_iter().map(|row| (row.helpdesk, row.subject, row.request_id)).collect();
                ids.sort();
                // Single looks tell of what is asked for twice twice.
                ids.dedup();
                ids
            };
            let sought = found(by_ids(&mut connection, "desk", &pairs).unwrap());
            assert_eq!(sought, found(dialect::requests_by_ids(&mut connection, "desk", &pairs).unwrap()));
            seen.push(sought.len());
        }
    }
    let in_each = seen.as_chunks::<3>().0;
    let expected: [[usize; 3]; 9] =
        [[0, 0, 0], [4, 2, 0], [4, 2, 0], [9, 5, 0], [10, 5, 0], [10, 5, 0], [20, 20, 0], [20, 10, 0], [1, 1, 0]];
    assert_eq!(in_each, expected);
    let of_two: Vec<_> = ["budi", "ana"].into_iter().zip(newer.iter().map(String::as_str).cycle()).collect();
    assert!(Range::of(&of_two.repeat(FEW)).is_none());
    assert!(Range::of(&[("budi", Uuid::nil().to_string().as_str()); FEW + 1]).is_none());
}

#[test]
fn on_sqlite_a_range_finds_what_single_looks_find() {
    agree("sqlite");
}

#[test]
fn on_postgres_a_range_finds_what_single_looks_find() {
    agree("postgres");
}
