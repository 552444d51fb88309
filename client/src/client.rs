//! The connection, and the one retry that all calls go through.

use std::time::Duration;

use loket::reason::{AUTHORIZATION, ON_BEHALF_OF};
use loket::v1::access_service_client::AccessServiceClient;
use loket::v1::agent_service_client::AgentServiceClient;
use loket::v1::attachment_service_client::AttachmentServiceClient;
use loket::v1::feedback_service_client::FeedbackServiceClient;
use loket::v1::helpdesk_service_client::HelpdeskServiceClient;
use loket::v1::queue_service_client::QueueServiceClient;
use loket::v1::requester_service_client::RequesterServiceClient;
use loket::v1::ticket_service_client::TicketServiceClient;
use tokio::time::{Instant, sleep, timeout_at};
use tonic::metadata::{Ascii, MetadataValue};
use tonic::service::Interceptor;
use tonic::service::interceptor::InterceptedService;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Response, Status};

use crate::backoff::Backoff;
use crate::error::{Error, Origin, Result};
use crate::options::Options;
use crate::socket::connector;

/// A page of a thousand whole tickets is larger than the 4 MiB that tonic takes.
const MAX_MESSAGE: usize = 256 << 20;

/// What is to wait longer waits so long: no clock goes on for ever.
const FOR_EVER: Duration = Duration::from_hours(24 * 365);

/// A connection to a server, with a key. Cheap to clone: clones share the connection.
#[derive(Debug, Clone)]
pub struct Client {
    channel: Channel,
    credentials: Credentials,
    timeout: Duration,
}

/// The connection with the caller's key put on every call.
pub type Service = InterceptedService<Channel, Credentials>;

/// Puts the caller's key, and for whom it acts, on every call.
#[derive(Debug, Clone)]
pub struct Credentials {
    authorization: MetadataValue<Ascii>,
    on_behalf_of: Option<MetadataValue<Ascii>>,
}

impl Client {
    /// Connects, and fails when the server cannot be reached. A connection that breaks later is made anew by itself.
    ///
    /// # Errors
    ///
    /// UNAVAILABLE when the server cannot be reached, `INVALID_ARGUMENT` for options that cannot be right.
    pub async fn connect(options: Options) -> Result<Self> {
        let endpoint = endpoint(&options)?;
        let credentials = Credentials::new(&options)?;
        let channel = endpoint
            .connect_with_connector(connector(options.connect_timeout))
            .await
            .map_err(|error| Error::unreachable(&options.endpoint, error))?;
        Ok(Self { channel, credentials, timeout: options.timeout })
    }

    /// Connects with the first call.
    ///
    /// # Errors
    ///
    /// `INVALID_ARGUMENT` for options that cannot be right.
    pub fn connect_lazy(options: &Options) -> Result<Self> {
        let credentials = Credentials::new(options)?;
        let channel = endpoint(options)?.connect_with_connector_lazy(connector(options.connect_timeout));
        Ok(Self { channel, credentials, timeout: options.timeout })
    }

    /// The same connection with another time for each call, all its tries included.
    #[must_use]
    pub fn with_timeout(&self, timeout: Duration) -> Self {
        Self { timeout, ..self.clone() }
    }

    /// How long a call may take, all its tries included.
    pub fn timeout(&self) -> Duration {
        self.timeout
    }

    /// The tickets' generated client, without retries.
    pub fn tickets(&self) -> TicketServiceClient<Service> {
        TicketServiceClient::new(self.service()).max_decoding_message_size(MAX_MESSAGE)
    }

    /// The queues' generated client, without retries.
    pub fn queues(&self) -> QueueServiceClient<Service> {
        QueueServiceClient::new(self.service()).max_decoding_message_size(MAX_MESSAGE)
    }

    /// The agents' generated client, without retries.
    pub fn agents(&self) -> AgentServiceClient<Service> {
        AgentServiceClient::new(self.service()).max_decoding_message_size(MAX_MESSAGE)
    }

    /// The helpdesks' generated client, without retries.
    pub fn helpdesks(&self) -> HelpdeskServiceClient<Service> {
        HelpdeskServiceClient::new(self.service()).max_decoding_message_size(MAX_MESSAGE)
    }

    /// The requesters' generated client, without retries.
    pub fn requesters(&self) -> RequesterServiceClient<Service> {
        RequesterServiceClient::new(self.service()).max_decoding_message_size(MAX_MESSAGE)
    }

    /// The feedback's generated client, without retries.
    pub fn feedback(&self) -> FeedbackServiceClient<Service> {
        FeedbackServiceClient::new(self.service()).max_decoding_message_size(MAX_MESSAGE)
    }

    /// The access keys' generated client, without retries.
    pub fn access(&self) -> AccessServiceClient<Service> {
        AccessServiceClient::new(self.service()).max_decoding_message_size(MAX_MESSAGE)
    }

    /// The attachments' generated client, without retries.
    pub fn attachments(&self) -> AttachmentServiceClient<Service> {
        AttachmentServiceClient::new(self.service()).max_decoding_message_size(MAX_MESSAGE)
    }

    /// The bare connection, for services that need no key, such as `grpc.health.v1.Health`.
    pub fn channel(&self) -> Channel {
        self.channel.clone()
    }

    /// Calls until there is an answer, the error is not transient, or the time is up.
    ///
    /// UNAVAILABLE and broken connections are tried again, with growing waits that are never shorter than the server's
    /// `RetryInfo`; nothing else is. A mutation must carry a request id, or it may be done twice; the methods of
    /// [`Client`] see to that.
    ///
    /// # Errors
    ///
    /// The last error, or `DEADLINE_EXCEEDED` when the last try got no answer in time.
    ///
    /// ```no_run
    /// # use loket_client::{Client, Error, v1};
    /// # async fn get(client: Client) -> Result<v1::Queue, Error> {
    /// let request = v1::GetQueueRequest { name: "helpdesks/smmpanel/queues/order".to_owned(), ..Default::default() };
    /// client.retry(request, |client, request| async move { client.queues().get_queue(request).await }).await
    /// # }
    /// ```
    pub async fn retry<Q, A, F>(&self, request: Q, call: impl Fn(Self, Request<Q>) -> F) -> Result<A>
    where
        Q: Clone,
        F: Future<Output = std::result::Result<Response<A>, Status>>,
    {
        let deadline = Instant::now() + self.timeout.min(FOR_EVER);
        let mut backoff = Backoff::new(Duration::from_millis(50), Duration::from_secs(5));
        loop {
            let mut attempt = Request::new(request.clone());
            attempt.set_timeout(deadline.saturating_duration_since(Instant::now()));
            // Apart: else whoever awaits a call has room for all that is under way in it.
            let error = match timeout_at(deadline, Box::pin(call(self.clone(), attempt))).await {
                Ok(Ok(answer)) => return Ok(answer.into_inner()),
                Ok(Err(status)) => match Error::from(status) {
                    // The channel keeps the same time, and says less of it.
                    error if error.origin() == Origin::Client && error.code() == Code::DeadlineExceeded => {
                        Error::late(self.timeout)
                    }
                    error => error,
                },
                Err(_elapsed) => Error::late(self.timeout),
            };
            let wait = backoff.next(error.retry_delay());
            if !error.is_transient() || Instant::now() + wait >= deadline {
                return Err(error);
            }
            sleep(wait).await;
        }
    }

    fn service(&self) -> Service {
        InterceptedService::new(self.channel.clone(), self.credentials.clone())
    }
}

impl Credentials {
    fn new(options: &Options) -> Result<Self> {
        let mut authorization = MetadataValue::try_from(format!("Bearer {}", options.token))
            .map_err(|_| Error::unusable("the access key holds characters that no key has"))?;
        authorization.set_sensitive(true);
        let on_behalf_of = options.on_behalf_of.as_deref().map(MetadataValue::try_from).transpose().map_err(|_| {
            Error::unusable(
                "the subject to act for holds characters that metadata cannot carry: only ASCII is possible",
            )
        })?;
        Ok(Self { authorization, on_behalf_of })
    }
}

impl Interceptor for Credentials {
    fn call(&mut self, mut request: Request<()>) -> std::result::Result<Request<()>, Status> {
        request.metadata_mut().insert(AUTHORIZATION, self.authorization.clone());
        if let Some(subject) = &self.on_behalf_of {
            request.metadata_mut().insert(ON_BEHALF_OF, subject.clone());
        }
        Ok(request)
    }
}

fn endpoint(options: &Options) -> Result<Endpoint> {
    let wrong = |error: tonic::transport::Error| {
        Error::unusable(format!(
            "`{}` is not an endpoint such as {}: {error}",
            options.endpoint,
            crate::options::DEFAULT_ENDPOINT
        ))
    };
    let address = crate::options::address(&options.endpoint);
    if address.split_once("://").is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case("https")) {
        // Passed on, it would be spoken to in the clear, key and all.
        return Err(Error::unusable(format!(
            "`{}` is not an endpoint such as {}: this client speaks no TLS; reach a server behind a proxy that does through a \
             tunnel or a local proxy",
            options.endpoint,
            crate::options::DEFAULT_ENDPOINT
        )));
    }
    Ok(Endpoint::from_shared(address)
        .map_err(wrong)?
        .user_agent(concat!("loket-client/", env!("CARGO_PKG_VERSION")))
        .map_err(wrong)?
        .connect_timeout(options.connect_timeout)
        .http2_keep_alive_interval(Duration::from_secs(30))
        .keep_alive_timeout(Duration::from_secs(10))
        .keep_alive_while_idle(true)
        // Errors come in headers, and one that does not fit would come without a word about what was wrong.
        .http2_max_header_list_size(64 << 10)
        // Wide enough that a stream fills a fast line, and that one slow stream does not hold up the others.
        .initial_stream_window_size(4 << 20)
        .initial_connection_window_size(16 << 20))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_promises_tls_is_not_spoken_to_in_the_clear() {
        let refused = endpoint(&Options::new("https://desk.example.com", "secret")).unwrap_err().to_string();
        assert!(refused.contains("`https://desk.example.com`") && refused.contains("no TLS"), "{refused}");
        for good in ["localhost:50051", "http://127.0.0.1:50051"] {
            assert!(endpoint(&Options::new(good, "secret")).is_ok());
        }
    }

    #[tokio::test]
    async fn who_has_all_the_time_in_the_world_calls_like_others() {
        let channel = Channel::from_static("http://127.0.0.1:1").connect_lazy();
        let credentials = Credentials::new(&Options::new("localhost:1", "secret")).unwrap();
        let client = Client { channel, credentials, timeout: Duration::MAX };
        let answer = client.retry((), |_, _| async { Ok(Response::new(7)) }).await;
        assert_eq!(answer.unwrap(), 7);
    }
}
