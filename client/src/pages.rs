//! Whole lists, page by page, as streams.

use futures_util::Stream;
use futures_util::stream::{self, TryStreamExt as _};
use loket::v1;

use crate::client::Client;
use crate::error::{Error, Result};

/// One line for each list: its name, its request and its items, and the call and field they come from.
macro_rules! lists {
    ($($(#[$doc:meta])* $name:ident($request:ident) -> $item:ident by $call:ident in $field:ident;)*) => {
        impl Client {
            $(
                $(#[$doc])*
                ///
                /// Pages are read as the stream is; the request's page token says where to begin. The stream ends after an
                /// error.
                pub fn $name(
                    &self,
                    request: v1::$request,
                ) -> impl Stream<Item = Result<v1::$item>> + Send + Unpin + 'static {
                    pages(self.clone(), request, |client, mut request| async move {
                        let page = client.$call(request.clone()).await?;
                        request.page_token.clone_from(&page.next_page_token);
                        let next = (!page.next_page_token.is_empty()).then_some(request);
                        Ok((page.$field, next))
                    })
                }
            )*
        }
    };
}

lists! {
    /// Every ticket that matches a filter.
    ///
    /// ```no_run
    /// # use loket_client::{Client, Error, v1};
    /// use futures_util::TryStreamExt as _;
    /// # async fn list(client: Client) -> Result<(), Error> {
    /// let mut tickets = client.all_tickets(v1::ListTicketsRequest {
    ///     parent: "helpdesks/smmpanel".to_owned(),
    ///     filter: "status = waiting".to_owned(),
    ///     ..Default::default()
    /// });
    /// while let Some(ticket) = tickets.try_next().await? {
    ///     // …
    /// #   drop(ticket);
    /// }
    /// # Ok(())
    /// # }
    /// ```
    all_tickets(ListTicketsRequest) -> Ticket by list_tickets in tickets;
    /// Every reply on a ticket, oldest first.
    all_replies(ListRepliesRequest) -> Reply by list_replies in replies;
    /// Everything that happened to a ticket, oldest first.
    all_changes(ListChangesRequest) -> Change by list_changes in changes;
    /// Every attachment of a ticket and its replies that the caller may see.
    all_attachments(ListAttachmentsRequest) -> Attachment by list_attachments in attachments;
    /// Every queue of a helpdesk, in the order of its definition.
    all_queues(ListQueuesRequest) -> Queue by list_queues in queues;
    /// Every agent of a helpdesk, by name.
    all_agents(ListAgentsRequest) -> Agent by list_agents in agents;
    /// Every requester of a helpdesk that the key may see, by name.
    all_requesters(ListRequestersRequest) -> Requester by list_requesters in requesters;
    /// Every helpdesk that the key opens, by name.
    all_helpdesks(ListHelpdesksRequest) -> Helpdesk by list_helpdesks in helpdesks;
    /// Every access key, by name.
    all_access_keys(ListAccessKeysRequest) -> AccessKey by list_access_keys in access_keys;
}

/// `read` returns a page's items and the request for the next page, if there is one.
fn pages<Q, T, F>(
    client: Client,
    first: Q,
    read: impl Fn(Client, Q) -> F + Send + 'static,
) -> impl Stream<Item = Result<T>> + Send + Unpin + 'static
where
    Q: Send + 'static,
    T: Send + 'static,
    F: Future<Output = Result<(Vec<T>, Option<Q>)>> + Send + 'static,
{
    let pages = stream::try_unfold(Some(first), move |request| {
        let page = request.map(|request| read(client.clone(), request));
        async move {
            match page {
                Some(page) => page.await.map(|(items, next)| Some((items, next))),
                None => Ok::<_, Error>(None),
            }
        }
    });
    Box::pin(pages.map_ok(|items| stream::iter(items.into_iter().map(Ok))).try_flatten())
}
