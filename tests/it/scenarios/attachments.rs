//! `oriflame`: the files of a ticket.

use loket::v1::{CreateReplyRequest, CreateTicketRequest, ErrorReason, Reply};
use loket_client::Client;

use super::oriflame::question;
use crate::support::scenario::{Desk, reason, scenarios};

scenarios! {
    "oriflame":
    O16 "Attachments up to 8 MB per ticket, at filing or later" o16_the_files_of_a_ticket_share_eight_megabytes
        without |it| it.attachment_policy = None;
}

const MIB: i64 = 1 << 20;

async fn o16_the_files_of_a_ticket_share_eight_megabytes(desk: Desk) {
    let photo = desk.requester.upload("foto.jpg", 5 * MIB).await;
    let request = CreateTicketRequest {
        parent: desk.requester.parent(),
        ticket: Some(question("Produk rusak")),
        uploads: vec![photo],
        ..CreateTicketRequest::default()
    };
    let ticket = desk.requester.call(Client::create_ticket, request).await.unwrap();
    assert_eq!((ticket.attachment_count, ticket.attachment_bytes), (1, 5 * MIB));
    // The staff ask for the invoice: what fits is taken, and nothing beyond.
    desk.agent.reply(&ticket, "Mohon unggah scan invoice").await.unwrap();
    let with = |upload: String| CreateReplyRequest {
        parent: ticket.name.clone(),
        reply: Some(Reply { body: "Ini".to_owned(), ..Reply::default() }),
        uploads: vec![upload],
        ..CreateReplyRequest::default()
    };
    let large = desk.requester.upload("besar.pdf", 3 * MIB + 1).await;
    let refused = desk.requester.call(Client::create_reply, with(large)).await;
    assert_eq!(reason(refused), ErrorReason::AttachmentQuotaExceeded);
    let invoice = desk.requester.upload("invoice.pdf", 3 * MIB).await;
    desk.requester.call(Client::create_reply, with(invoice)).await.unwrap();
    assert_eq!(desk.look(&ticket).await.attachment_bytes, 8 * MIB);
}
