//! Files: uploads that go on where they broke off, and downloads likewise.

use std::fs::File;
use std::io::{self, Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use loket::v1;
use loket::v1::upload::State;
use sha2::{Digest as _, Sha256};
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep, timeout};
use tokio_stream::wrappers::ReceiverStream;
use tonic::Code;

use crate::backoff::Backoff;
use crate::client::Client;
use crate::error::{Error, Result};

/// In one message.
const PIECE: usize = 256 << 10;

/// What to upload, and as what.
#[derive(Debug, Clone)]
pub struct FileUpload {
    /// The helpdesk: `helpdesks/{helpdesk}`.
    pub parent: String,
    /// What it is called.
    pub filename: String,
    /// What it is, such as `image/png`; empty: bytes of any kind.
    pub mime_type: String,
    /// Its bytes. They must not change meanwhile.
    pub source: Source,
}

/// Where bytes come from.
#[derive(Debug, Clone)]
pub enum Source {
    /// A file.
    Path(PathBuf),
    /// Memory.
    Bytes(Arc<[u8]>),
}

impl From<&Path> for Source {
    fn from(path: &Path) -> Self {
        Self::Path(path.to_owned())
    }
}

impl From<Vec<u8>> for Source {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(bytes.into())
    }
}

trait ReadAndSeek: Read + Seek + Send {}
impl<T: Read + Seek + Send> ReadAndSeek for T {}

impl Source {
    fn open(&self) -> io::Result<Box<dyn ReadAndSeek>> {
        Ok(match self {
            Self::Path(path) => Box::new(File::open(path)?),
            Self::Bytes(bytes) => Box::new(Cursor::new(Arc::clone(bytes))),
        })
    }

    /// How many bytes there are, and their SHA-256 in hexadecimal digits.
    fn measure(&self) -> io::Result<(i64, String)> {
        let (mut file, mut hash) = (self.open()?, Sha256::new());
        let (mut buffer, mut size) = (vec![0; PIECE], 0);
        loop {
            match file.read(&mut buffer)? {
                0 => break,
                read => {
                    hash.update(&buffer[..read]);
                    size += read as i64;
                }
            }
        }
        Ok((size, hex(&hash.finalize())))
    }
}

impl Client {
    /// Uploads a file, to be named in a [`v1::CreateTicketRequest`] or [`v1::CreateReplyRequest`] within an hour.
    ///
    /// It goes on from what the server has on disk when the connection breaks or the server is started again, until nothing
    /// moves for as long as a call may take. `progress` is told how many bytes were sent so far, of how many.
    ///
    /// # Errors
    ///
    /// See the service; and `INVALID_ARGUMENT` for a file that cannot be read, whose source is then the [`io::Error`], or that
    /// changed meanwhile.
    pub async fn upload(
        &self,
        file: FileUpload,
        progress: impl Fn(u64, u64) + Send + Sync + 'static,
    ) -> Result<v1::Upload> {
        let FileUpload { parent, filename, mime_type, source } = file;
        let measured = source.clone();
        let (size_bytes, sha256) = apart(move || measured.measure()).await?;
        let upload = v1::Upload { filename, mime_type, size_bytes, sha256, ..v1::Upload::default() };
        let request = v1::CreateUploadRequest { parent, upload: Some(upload), ..v1::CreateUploadRequest::default() };
        let upload = self.create_upload(request).await?;
        self.resume_upload(upload, source, progress).await
    }

    /// Sends what is missing of an upload, like [`Client::upload`]: one that this or another program has begun.
    ///
    /// # Errors
    ///
    /// The same.
    pub async fn resume_upload(
        &self,
        upload: v1::Upload,
        source: Source,
        progress: impl Fn(u64, u64) + Send + Sync + 'static,
    ) -> Result<v1::Upload> {
        let progress: Arc<dyn Fn(u64, u64) + Send + Sync> = Arc::new(progress);
        let name = upload.name.clone();
        let mut upload = upload;
        let mut patience = Patience::new(self.timeout());
        loop {
            if upload.state() != State::Open {
                return Ok(upload);
            }
            match self.send(&upload, &source, &progress).await {
                Ok(sent) if sent.state() == State::Open => {
                    return Err(Error::unusable(format!(
                        "the file ended after {} of its {} bytes: it has changed",
                        sent.committed_bytes, sent.size_bytes
                    )));
                }
                Ok(sent) => return Ok(sent),
                Err(error) => patience.bear(error, upload.committed_bytes).await?,
            }
            upload = self.get_upload(v1::GetUploadRequest { name: name.clone() }).await?;
        }
    }

    /// One try, from what is committed on.
    async fn send(
        &self,
        upload: &v1::Upload,
        source: &Source,
        progress: &Arc<dyn Fn(u64, u64) + Send + Sync>,
    ) -> Result<v1::Upload> {
        let (sender, receiver) = mpsc::channel(4);
        let (source, progress) = (source.clone(), Arc::clone(progress));
        let (name, from, size) = (upload.name.clone(), upload.committed_bytes, upload.size_bytes);
        let reading = apart(move || pump(&source, &name, from, size, &sender, &*progress));
        let sending = async {
            let answer = self.attachments().upload_attachment(ReceiverStream::new(receiver)).await?;
            answer.into_inner().upload.ok_or_else(|| Error::unusable("the server answered without an upload"))
        };
        // Who reads ends when the stream does; what went wrong with it says more than that the stream was cut short.
        let (read, sent) = tokio::join!(reading, sending);
        read?;
        sent
    }

    /// Downloads an attachment, or the part of it that the request names, and hands each piece to `write`, in order.
    ///
    /// It goes on where it broke off, until nothing comes for as long as a call may take. A whole attachment is compared with
    /// its SHA-256.
    ///
    /// # Errors
    ///
    /// See the service; `INVALID_ARGUMENT` for what `write` fails with, which is then its source; `DATA_LOSS` for bytes that are not what was attached.
    pub async fn download(
        &self,
        request: v1::DownloadAttachmentRequest,
        mut write: impl FnMut(&v1::Attachment, &[u8]) -> io::Result<()>,
    ) -> Result<v1::Attachment> {
        let is_whole = request.offset == 0 && request.length == 0;
        let (mut request, mut hash) = (request, Sha256::new());
        let (mut attachment, mut patience) = (None, Patience::new(self.timeout()));
        loop {
            let before = request.offset;
            let error = match self.receive(&mut request, &mut attachment, &mut hash, &mut write).await {
                Ok(()) => break,
                Err(error) => error,
            };
            patience.bear(error, before).await?;
        }
        let attachment = attachment.ok_or_else(|| Error::unusable("the server sent no attachment"))?;
        if is_whole && hex(&hash.finalize()) != attachment.sha256 {
            return Err(Error::spoiled(format!("what came of {} is not what was attached", attachment.name)));
        }
        Ok(attachment)
    }

    /// One try. The request moves on with what has come, so that the next begins there.
    async fn receive(
        &self,
        request: &mut v1::DownloadAttachmentRequest,
        attachment: &mut Option<v1::Attachment>,
        hash: &mut Sha256,
        write: &mut impl FnMut(&v1::Attachment, &[u8]) -> io::Result<()>,
    ) -> Result<()> {
        let mut call = Box::pin(async { self.attachments().download_attachment(request.clone()).await });
        let silent = |_| Error::silent(self.timeout());
        let mut stream = timeout(self.timeout(), &mut call).await.map_err(silent)??.into_inner();
        drop(call);
        while let Some(message) = timeout(self.timeout(), stream.message()).await.map_err(silent)?? {
            if let Some(first) = message.attachment {
                attachment.get_or_insert(first);
            }
            let Some(attachment) = attachment else { continue };
            write(attachment, &message.data).map_err(|error| Error::local("cannot write it", error))?;
            hash.update(&message.data);
            let came = message.data.len() as i64;
            request.offset += came;
            // A length of 0 means all: one that has come whole asks for no more.
            if request.length > 0 {
                request.length -= came;
                if request.length <= 0 {
                    return Ok(());
                }
            }
        }
        Ok(())
    }
}

/// How long it is tried again: until nothing has moved for so long.
struct Patience {
    limit: Duration,
    since: Instant,
    place: i64,
    backoff: Backoff,
}

impl Patience {
    fn new(limit: Duration) -> Self {
        let backoff = Backoff::new(Duration::from_millis(100), Duration::from_secs(5));
        Self { limit, since: Instant::now(), place: -1, backoff }
    }

    /// Waits for the next try, or gives up with the error. `place` is where the try that failed had begun.
    async fn bear(&mut self, error: Error, place: i64) -> Result<()> {
        if place != self.place {
            (self.place, self.since) = (place, Instant::now());
            self.backoff.reset();
        }
        // One that has fallen asleep, and one whose connection is gone and not yet known to be, hold the place for a while.
        let passes = error.is_transient()
            || error.code() == Code::Cancelled
            || matches!(
                error.reason(),
                Some(
                    v1::ErrorReason::StreamIdle
                        | v1::ErrorReason::UploadOffsetMismatch
                        | v1::ErrorReason::TooManyStreams
                )
            );
        let wait = self.backoff.next(error.retry_delay());
        if !passes || self.since.elapsed() + wait >= self.limit {
            return Err(error);
        }
        sleep(wait).await;
        Ok(())
    }
}

/// Reads on until the end, or until nobody takes it any more.
fn pump(
    source: &Source,
    name: &str,
    from: i64,
    size: i64,
    sender: &mpsc::Sender<v1::UploadAttachmentRequest>,
    progress: &dyn Fn(u64, u64),
) -> io::Result<()> {
    let mut file = source.open()?;
    let mut sent = from as u64;
    file.seek(SeekFrom::Start(sent))?;
    let (mut name, mut offset) = (name.to_owned(), from);
    loop {
        let mut data = vec![0; PIECE];
        let read = file.read(&mut data)?;
        data.truncate(read);
        let is_first = !name.is_empty();
        if read == 0 && !is_first {
            return Ok(());
        }
        let message =
            v1::UploadAttachmentRequest { name: std::mem::take(&mut name), offset: std::mem::take(&mut offset), data };
        if sender.blocking_send(message).is_err() {
            return Ok(());
        }
        sent += read as u64;
        progress(sent, size as u64);
    }
}

/// Reads files off the async threads.
async fn apart<T: Send + 'static>(work: impl FnOnce() -> io::Result<T> + Send + 'static) -> Result<T> {
    match tokio::task::spawn_blocking(work).await {
        Ok(read) => read.map_err(|error| Error::local("cannot read the file", error)),
        Err(error) => Err(Error::unusable(format!("reading the file failed: {error}"))),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .filter_map(|nibble| char::from_digit(nibble.into(), 16))
        .collect()
}
