//! Which tokens are good.

use proptest::prelude::*;

use super::support::{HELPDESK, Log};
use crate::feed::{FeedOptions, Head, ResumeError, Scope};

fn scope() -> Scope {
    Scope::new(HELPDESK, "status = \"new\"", "staff")
}

proptest! {
    #[test]
    fn a_token_says_its_place(revision in 0..i64::MAX, uid: i64) {
        let token = scope().token(Head { revision, uid });
        prop_assert!(token.chars().all(|character| character.is_ascii_alphanumeric() || "-_".contains(character)));
        let read = scope().read(&token).unwrap();
        prop_assert_eq!(read.0, Head { revision, uid });
    }

    #[test]
    fn an_altered_token_is_none(revision in 0..i64::MAX, uid: i64, place in 0..50usize, character in "[A-Za-z0-9_-]") {
        let token = scope().token(Head { revision, uid });
        let mut altered = token.clone();
        altered.replace_range(place..=place, &character);
        prop_assert_eq!(scope().read(&altered).is_ok(), altered == token);
    }

    #[test]
    fn what_is_no_token_is_refused(text: String) {
        prop_assert!(scope().read(&text).is_err());
    }
}

#[test]
fn a_token_is_good_for_its_scope_only() {
    let token = scope().token(Head { revision: 5, uid: 6 });
    let refused =
        |helpdesk: &str, filter: &str, visibility: &str| Scope::new(helpdesk, filter, visibility).read(&token);
    assert_eq!(refused("other", "status = \"new\"", "staff"), Err("belongs to another helpdesk"));
    for (filter, visibility) in [("", "staff"), ("status = \"new\"", "requester a@example.com")] {
        assert_eq!(
            refused(HELPDESK, filter, visibility),
            Err("belongs to another filter, or to a caller who sees other tickets")
        );
    }
}

#[test]
fn a_token_is_good_as_long_as_its_watchers_see_the_same_of_tickets() {
    let showing = |fields: &[&str]| {
        let fields: Vec<_> = fields.iter().map(|field| (*field).to_owned()).collect();
        Scope::new(HELPDESK, "", "requester a@example.com").showing(&fields)
    };
    let place = Head { revision: 5, uid: 6 };
    let token = showing(&["amount", "order"]).token(place);
    assert_eq!(showing(&["amount", "order"]).read(&token).map(|token| token.0), Ok(place));
    for others in [&["amount"] as &[_], &["amount", "order", "risk"], &["amountorder"], &[]] {
        let refused = showing(others).read(&token).unwrap_err();
        assert_eq!(
            refused,
            "is from before a new definition changed what you see of tickets: watch from a new snapshot"
        );
    }
    // Those that were given before tokens said so are taken, and those of others are others' still.
    let without = Scope::new(HELPDESK, "", "requester a@example.com").token(place);
    assert_eq!(showing(&["amount"]).read(&without).map(|token| token.0), Ok(place));
    assert!(Scope::new(HELPDESK, "", "requester b@example.com").read(&token).is_err());
    for place in 0..token.len() {
        let mut altered = token.clone();
        altered.replace_range(place..=place, if &token[place..=place] == "A" { "B" } else { "A" });
        assert!(showing(&["amount", "order"]).read(&altered).is_err());
    }
}

#[tokio::test]
async fn a_token_is_checked_against_the_log() {
    let mut log = Log::new(FeedOptions { feed_window: 3, ..FeedOptions::default() });
    let feed = log.feed().await;
    for _ in 0..5 {
        log.commit_and_publish(&[vec![(1, "new")]]);
    }
    let uid = |revision: i64| if revision == 0 { 0 } else { revision * 1000 + 7 };
    let resume = async |revision: i64, uid: i64| {
        let token = scope().token(Head { revision, uid });
        feed.resume(scope().read(&token).unwrap()).await
    };
    assert_eq!(resume(2, uid(2)).await.unwrap(), Head { revision: 2, uid: uid(2) });
    assert_eq!(resume(5, uid(5)).await.unwrap(), Head { revision: 5, uid: uid(5) });
    assert!(matches!(resume(1, uid(1)).await, Err(ResumeError::Expired { oldest: 2, head: 5 })));
    assert!(matches!(resume(6, uid(6)).await, Err(ResumeError::Ahead { oldest: 2, head: 5 })));
    assert!(matches!(resume(4, 1).await, Err(ResumeError::EpochChanged { oldest: 2, head: 5 })));
}

#[tokio::test]
async fn the_beginning_of_the_log_is_a_place() {
    let log = Log::new(FeedOptions::default());
    let token = scope().token(Head::default());
    assert_eq!(log.feed().await.resume(scope().read(&token).unwrap()).await.unwrap(), Head::default());
}
