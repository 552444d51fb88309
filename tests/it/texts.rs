//! Texts that a database might not take as they are: U+0000 is refused, and everything else comes back as it came.

use loket::v1::{
    AccessKey, CreateAccessKeyRequest, ErrorReason, ExternalRef, ListHelpdesksRequest, ListTicketsRequest,
    LookupTicketRequest, Role, Ticket, UpdateTicketRequest,
};
use loket_client::Error;
use prost_types::FieldMask;

use super::database;
use crate::support::{Desk, RICH, SIMPLE, draft, fields};

const ZERO: &str = "zero \0 in the middle";

fn invalid<T: std::fmt::Debug>(what: &str, answer: Result<T, Error>) {
    let error = answer.expect_err(what);
    let reason = error.reason();
    let refused = [
        ErrorReason::InvalidRequest,
        ErrorReason::InvalidFilter,
        ErrorReason::InvalidOrderBy,
        ErrorReason::InvalidPageToken,
    ];
    assert!(reason.is_some_and(|reason| refused.contains(&reason)), "{what}: {error:?}");
}

#[tokio::test]
async fn the_character_zero_is_refused_wherever_it_stands() {
    let desk = Desk::of(database(), RICH).await;
    let admin = desk.admin();
    let zero = || ZERO.to_owned();
    let ticket = || Ticket { fields: fields([("product", "app")]), ..draft("Printer") };
    let tickets = [
        ("requester", Ticket { requester: format!("{ZERO}@example.com"), ..ticket() }),
        ("subject", Ticket { subject: zero(), ..ticket() }),
        ("body", Ticket { body: zero(), ..ticket() }),
        ("channel", Ticket { channel: zero(), ..ticket() }),
        ("fields", Ticket { fields: fields([("order", ZERO)]), ..ticket() }),
        ("field ids", Ticket { fields: fields([(ZERO, "1")]), ..ticket() }),
        ("tags", Ticket { tags: vec![zero()], ..ticket() }),
        ("cc", Ticket { cc: vec![format!("{ZERO}@example.com")], ..ticket() }),
        ("priority", Ticket { priority: zero(), ..ticket() }),
        ("source", Ticket { external_refs: vec![ExternalRef { source: zero(), id: "1".to_owned() }], ..ticket() }),
        ("id", Ticket { external_refs: vec![ExternalRef { source: "s".to_owned(), id: zero() }], ..ticket() }),
    ];
    for (what, ticket) in tickets {
        invalid(what, admin.create(ticket).await);
    }
    let filed = admin.create(ticket()).await.unwrap();
    invalid("reply", admin.reply(&filed.name, ZERO).await);
    let update = |path: &str, ticket: Ticket| {
        let update_mask = Some(FieldMask { paths: vec![path.to_owned()] });
        UpdateTicketRequest { ticket: Some(ticket), update_mask, ..UpdateTicketRequest::default() }
    };
    let solution = Ticket { name: filed.name.clone(), solution: zero(), ..Ticket::default() };
    invalid("solution", admin.update_ticket(update("solution", solution)).await);
    let key = AccessKey { role: Role::Admin.into(), subject: zero(), ..AccessKey::default() };
    let request = CreateAccessKeyRequest { access_key: Some(key), ..CreateAccessKeyRequest::default() };
    invalid("the subject of a key", admin.create_access_key(request).await);
    for filter in ["subject:\"\0\"", "fields.order = \"a\0\"", "assignee = \"\0\""] {
        invalid("filter", admin.list(filter).await);
    }
    let parent = || "helpdesks/desk".to_owned();
    let lookup = LookupTicketRequest { parent: parent(), number: "T-\0".to_owned(), ..LookupTicketRequest::default() };
    invalid("number", admin.lookup_ticket(lookup).await);
    let list = ListTicketsRequest { parent: parent(), order_by: zero(), ..ListTicketsRequest::default() };
    invalid("order", admin.list_tickets(list).await);
}

#[tokio::test]
async fn a_token_that_was_meddled_with_reaches_no_database() {
    let desk = Desk::open(database()).await;
    desk.admin().open("other", SIMPLE).await;
    let first = ListHelpdesksRequest { page_size: 1, ..ListHelpdesksRequest::default() };
    let token = desk.admin().list_helpdesks(first.clone()).await.unwrap().next_page_token;
    // A byte 0 in the encoding of keys.
    let page_token = format!("{token}00");
    invalid("token", desk.admin().list_helpdesks(ListHelpdesksRequest { page_token, ..first }).await);
}

#[tokio::test]
async fn everything_else_comes_back_as_it_came() {
    let desk = Desk::open(database()).await;
    let texts = [
        "\u{1}\u{7f}\u{ffff}\u{10ffff}",
        "'); DROP TABLE tickets; --",
        "e\u{301} é ß İ",
        "\\ \\000 $1 ? % _",
        "\u{feff}😀",
    ];
    for text in texts {
        let filed = desk.admin().create(Ticket { body: text.to_owned(), ..draft("Text") }).await.unwrap();
        assert_eq!(desk.admin().get(&filed.name).await.unwrap().body, text);
        desk.admin().reply(&filed.name, text).await.unwrap();
        assert_eq!(desk.admin().replies(&filed.name).await.unwrap()[0].body, text);
    }
}
