//! How long is waited for a connection.

use super::{Outage, PATIENCE, PATIENCE_IN_OUTAGE};

#[test]
fn who_asks_in_an_outage_is_told_soon() {
    let outage = Outage::default();
    assert_eq!(outage.patience(), PATIENCE);
    assert!(outage.note(false), "the log is told");
    assert_eq!(outage.patience(), PATIENCE_IN_OUTAGE);
    assert!(!outage.note(false), "the log is told once, not several times a second");
    assert!(!outage.note(true));
    assert_eq!(outage.patience(), PATIENCE);
}
