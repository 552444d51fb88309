//! A log in a temporary database, and watchers that note down what they are told.

use std::collections::BTreeMap;
use std::sync::Arc;

use diesel::connection::SimpleConnection;
use tempfile::TempDir;

use crate::domain::{Actor, Change, Role, State, Ticket};
use crate::feed::{FeedOptions, Followed, Head, Hub, Lens, Scope, Step, Subscription};
use crate::store::rows::NewTicketRow;
use crate::store::{
    AnyConnection, BatchRows, Database, HeadRow, LogEntry, NewChangeRow, Pool, StoreError, dialect, heads, write_batch,
};

pub(super) const HELPDESK: &str = "desk";

/// What a revision does: the new status of each of these tickets.
pub(super) type Moves = Vec<(i64, &'static str)>;

pub(super) struct Log {
    pub(super) hub: Hub,
    pub(super) pool: Pool,
    connection: AnyConnection,
    head: i64,
    /// How often it lost commits.
    losses: i64,
    tickets: BTreeMap<i64, Arc<Ticket>>,
    /// Everything that was committed.
    pub(super) entries: Vec<LogEntry>,
    _folder: TempDir,
}

impl Log {
    pub(super) fn new(options: FeedOptions) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let database: Database = format!("sqlite:{}", folder.path().join("log.db").display()).parse().unwrap();
        let mut connection = database.open().unwrap();
        dialect::migrate(&mut connection).unwrap();
        if let AnyConnection::Sqlite(connection) = &mut connection {
            connection.batch_execute("PRAGMA synchronous = OFF").unwrap();
        }
        heads::insert(&mut connection, &HeadRow::fresh(HELPDESK)).unwrap();
        let pool = Pool::of(&database, 4).unwrap();
        let hub = Hub::new(pool.clone(), options, folder.path());
        Self {
            hub,
            pool,
            connection,
            head: 0,
            losses: 0,
            tickets: BTreeMap::new(),
            entries: Vec::new(),
            _folder: folder,
        }
    }

    pub(super) async fn feed(&self) -> Followed {
        self.hub.feed(HELPDESK).await.unwrap()
    }

    /// Commits revisions, and returns what is to be published.
    pub(super) fn commit(&mut self, revisions: &[Moves]) -> Vec<LogEntry> {
        let mut committed = Vec::new();
        for moves in revisions {
            self.head += 1;
            let uid = self.head * 1000 + 7 + self.losses;
            for (ordinal, (id, status)) in moves.iter().enumerate() {
                let before = self.tickets.get(id).cloned();
                let after = Arc::new(Ticket { revision: self.head, update_time: self.head, ..ticket(*id, status) });
                self.tickets.insert(*id, Arc::clone(&after));
                let change = change(self.head, ordinal, before, after);
                committed.push(LogEntry { uid, change: Arc::new(change) });
            }
        }
        self.write(&committed, 1);
        committed
    }

    /// Applies another definition, by a revision that changes no ticket and was decided by the first.
    pub(super) fn redefine_and_publish(&mut self) {
        self.head += 1;
        let resource = format!("helpdesks/{HELPDESK}");
        let applied =
            Change { before: None, after: None, resource, ..change(self.head, 0, None, Arc::new(ticket(1, ""))) };
        let committed = vec![LogEntry { uid: self.head * 1000 + 7 + self.losses, change: Arc::new(applied) }];
        self.write(&committed, 2);
        self.hub.publish(HELPDESK, committed);
    }

    fn write(&mut self, committed: &[LogEntry], definition_version: i64) {
        let rows: Vec<_> = committed.iter().map(|entry| NewChangeRow::new(HELPDESK, entry)).collect();
        let head = HeadRow { last_revision: self.head, definition_version, ..HeadRow::fresh(HELPDESK) };
        let rows = BatchRows { changes: &rows, ..BatchRows::of(&head) };
        dialect::write(&mut self.connection, |connection| Ok::<_, StoreError>(write_batch(connection, &rows)?))
            .unwrap();
        self.entries.extend(committed.iter().cloned());
    }

    pub(super) fn commit_and_publish(&mut self, revisions: &[Moves]) {
        let committed = self.commit(revisions);
        self.hub.publish(HELPDESK, committed);
    }

    /// Loses what was committed behind a revision, as a standby that takes over without it. What follows has other uids.
    pub(super) fn lose_behind(&mut self, revision: i64) {
        let AnyConnection::Sqlite(connection) = &mut self.connection else { panic!("feeds are tested on SQLite") };
        let lose = format!(
            "DELETE FROM changes WHERE revision > {revision};
             UPDATE heads SET last_revision = {revision} WHERE helpdesk = '{HELPDESK}'"
        );
        connection.batch_execute(&lose).unwrap();
        self.entries.retain(|entry| entry.change.revision <= revision);
        self.head = revision;
        self.losses += 1;
    }

    /// Writes the tickets as they stand, for snapshots.
    pub(super) fn store_tickets(&mut self) {
        let rows: Vec<_> =
            self.tickets.values().map(|ticket| NewTicketRow::new(HELPDESK, ticket, &ticket.body)).collect();
        // The head as the last commit has left it.
        let head = heads::get(&mut self.connection, HELPDESK).unwrap().unwrap_or_else(|| HeadRow::fresh(HELPDESK));
        write_batch(&mut self.connection, &BatchRows { tickets: &rows, ..BatchRows::of(&head) }).unwrap();
    }
}

pub(super) fn ticket(id: i64, status: &str) -> Ticket {
    Ticket {
        id,
        uid: format!("uid-{id}"),
        subject: "Subject".to_owned(),
        channel: "web".to_owned(),
        status: status.to_owned(),
        state: State::Active,
        queue: format!("queue-{status}"),
        ..Ticket::unfiled("somebody@example.com".to_owned())
    }
}

fn change(revision: i64, ordinal: usize, before: Option<Arc<Ticket>>, after: Arc<Ticket>) -> Change {
    let actor = Actor { subject: "agent".to_owned(), role: Role::Agent, on_behalf_of: String::new() };
    Change {
        ordinal: i32::try_from(ordinal).unwrap(),
        command: "Move".into(),
        before,
        after: Some(after),
        ..Change::bare(revision, actor)
    }
}

/// Sees the tickets of some statuses, as lines of text; responses end with a line of their own.
pub(super) struct Statuses {
    pub(super) seen: Vec<&'static str>,
    /// How long each line is, to reach the ends of responses.
    pub(super) padding: usize,
    pub(super) definition_version: Option<i64>,
}

impl Statuses {
    pub(super) fn scope(&self) -> Scope {
        Scope::new(HELPDESK, &self.seen.join(" "), &self.padding.to_string())
    }
}

impl Lens for Statuses {
    fn definition_version(&self) -> Option<i64> {
        self.definition_version
    }

    fn event(&self, change: &Change, out: &mut Vec<u8>) {
        let matches = |ticket: &Arc<Ticket>| self.seen.contains(&&*ticket.status);
        let Some(after) = &change.after else { return };
        let kind = match (change.before.as_ref().is_some_and(matches), matches(after)) {
            (false, false) => return,
            (false, true) => "entered",
            (true, true) => "updated",
            (true, false) => "left",
        };
        let line = format!("{kind} {} {}{}\n", after.id, change.revision, " ".repeat(self.padding));
        out.extend_from_slice(line.as_bytes());
    }

    fn snapshot_event(&self, ticket: &Ticket, out: &mut Vec<u8>) {
        out.extend_from_slice(
            format!("snapshot {} {}{}\n", ticket.id, ticket.revision, " ".repeat(self.padding)).as_bytes(),
        );
    }

    fn seal(&self, revision: i64, uid: Option<i64>, out: &mut Vec<u8>) {
        let token = uid.map(|uid| self.scope().token(Head { revision, uid })).unwrap_or_default();
        out.extend_from_slice(format!("@{revision} {token}\n").as_bytes());
    }
}

/// What the log should tell a lens between two revisions.
pub(super) fn expected(entries: &[LogEntry], lens: &Statuses, after: i64) -> Vec<String> {
    let mut out = Vec::new();
    for entry in entries.iter().filter(|entry| entry.change.revision > after) {
        lens.event(&entry.change, &mut out);
    }
    String::from_utf8(out).unwrap().lines().map(|line| line.trim_end().to_owned()).collect()
}

/// A subscription with everything it was told.
pub(super) struct Watcher {
    pub(super) subscription: Subscription,
    pub(super) started: i64,
    pub(super) events: Vec<String>,
    /// The last revision and token.
    pub(super) told: Option<(i64, String)>,
}

impl Watcher {
    pub(super) fn new(subscription: Subscription) -> Self {
        Self { started: subscription.cursor().revision, subscription, events: Vec::new(), told: None }
    }

    /// Takes one response; false when there is none.
    pub(super) async fn step(&mut self) -> bool {
        loop {
            match self.subscription.next().await.unwrap() {
                Step::Response(bytes) => {
                    self.note(std::str::from_utf8(&bytes).unwrap());
                    return true;
                }
                Step::Passed => {}
                Step::Idle => return false,
                Step::Outdated => panic!("outdated"),
            }
        }
    }

    pub(super) async fn drain(&mut self) {
        while self.step().await {}
    }

    fn note(&mut self, response: &str) {
        let mut before = self.told.as_ref().map_or(self.started, |told| told.0);
        assert!(response.lines().last().unwrap().starts_with('@'), "a response ends with its token");
        for line in response.lines() {
            if let Some(told) = line.strip_prefix('@') {
                let (revision, token) = told.split_once(' ').unwrap();
                let revision = revision.parse().unwrap();
                assert!(revision > before, "revisions go on: {before} then {revision}");
                before = revision;
                self.told = Some((revision, token.to_owned()));
            } else {
                self.events.push(line.trim_end().to_owned());
            }
        }
        assert_eq!(self.subscription.cursor().revision, before);
    }
}
