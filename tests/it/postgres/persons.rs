//! Codes and survey links at several servers of one database.

use loket::v1::ErrorReason;

use crate::support::{Caller, Database, Desk, RICH, draft};

#[tokio::test]
async fn wrong_codes_are_counted_together_at_every_server() {
    let desk = Desk::of(Database::Postgres, RICH).await;
    let other = desk.beside(Database::Postgres).await;
    let registered = desk.admin().register("ani@example.com").await.unwrap();
    let tries = (0..24).map(|number| {
        let caller: Caller = if number % 2 == 0 { desk.admin().clone() } else { other.admin().clone() };
        let name = registered.name.clone();
        async move { caller.verify(&name, &format!("00000-{number:05}")).await.unwrap_err() }
    });
    let refused = futures_util::future::join_all(tries).await;
    let of = |reason| refused.iter().filter(move |error| error.reason() == Some(reason));
    let mut left: Vec<_> =
        of(ErrorReason::VerificationCodeRefused).map(|error| error.metadata()["tries_left"].clone()).collect();
    left.sort();
    assert_eq!(left, ["0", "1", "2", "3", "4"]);
    assert_eq!(of(ErrorReason::VerificationCodeExpired).count(), 19);
    // Registered again at the one, verified at the other.
    let again = desk.admin().register("ani@example.com").await.unwrap();
    assert!(other.admin().verify(&again.name, &again.code).await.unwrap().verify_time.is_some());
}

#[tokio::test]
async fn a_survey_link_of_one_server_is_good_at_another() {
    let desk = Desk::of(Database::Postgres, RICH).await;
    let other = desk.beside(Database::Postgres).await;
    let ticket = desk.admin().create(draft("Printer")).await.unwrap();
    desk.admin().transition(&ticket.name, "give_up").await.unwrap();
    let link = desk.admin().survey_link(&ticket.name).await.unwrap();
    assert_eq!(other.admin().rate(&ticket.name, 4, &link.token).await.unwrap().rating, 4);
}
