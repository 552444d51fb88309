//! Throw-away PostgreSQL clusters, for the tests of every package: nothing here is from elsewhere in the harness.

#![allow(clippy::disallowed_methods, reason = "PATH says where programs are; nothing is configured by it")]

use std::fs::{self, File};
use std::io::Write as _;
use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use diesel::connection::SimpleConnection as _;
use diesel::{Connection as _, PgConnection};

/// A cluster of its own in a temporary folder, which listens on a socket in there.
///
/// It is as durable as the default makes it. Stopped and removed when it is dropped, and when this process ends, in
/// whichever way.
pub(crate) struct Cluster {
    programs: PathBuf,
    folder: PathBuf,
    /// Who runs it where the tests are run by root, which PostgreSQL refuses.
    owner: Option<(u32, u32)>,
    /// Waits until this process closes its end of a pipe, then stops the cluster and removes the folder.
    watchdog: Child,
    databases: AtomicUsize,
}

/// `$1` is `pg_ctl`, `$2` the folder. Ctrl-C at a terminal reaches every process of the tests: this one goes on.
const WATCHDOG: &str = r#"
trap '' INT TERM HUP
cat >/dev/null
"$1" stop --silent --wait --timeout=10 --mode=immediate --pgdata="$2/data" ||
  kill -9 "$(head -n 1 "$2/data/postmaster.pid")"
rm -rf "$2"
"#;

impl Cluster {
    /// The cluster that the tests of this process share, each with databases of its own. Started when it is first asked for.
    pub(crate) fn shared() -> &'static Self {
        static SHARED: OnceLock<Cluster> = OnceLock::new();
        SHARED.get_or_init(|| Self::start(&[]))
    }

    /// Another one, with these settings.
    pub(crate) fn start(settings: &[(&str, &str)]) -> Self {
        Self::start_in(&std::env::temp_dir(), settings)
    }

    /// The same, in a folder which whoever runs it may enter.
    pub(crate) fn start_in(parent: &Path, settings: &[(&str, &str)]) -> Self {
        let programs = programs();
        let folder = tempfile::Builder::new().prefix("loket-postgres-").tempdir_in(parent).unwrap().keep();
        let owner = owner();
        if let Some((user, group)) = owner {
            chown(&folder, Some(user), Some(group)).unwrap();
        }
        let mut watchdog = command(Path::new("/bin/sh"), owner);
        watchdog.arg("-c").arg(WATCHDOG).arg("loket-postgres").arg(programs.join("pg_ctl")).arg(&folder);
        let watchdog = watchdog.stdin(Stdio::piped()).spawn().unwrap();
        let cluster = Self { programs, folder, owner, watchdog, databases: AtomicUsize::new(0) };
        cluster.initialize(settings);
        cluster.go();
        cluster
    }

    /// A new database, as a URL.
    pub(crate) fn create_database(&self) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.execute("postgres", &format!("CREATE DATABASE {name}"));
        self.url(&name)
    }

    /// A copy of a database, as a URL. Who is still connected to it is cut off.
    pub(crate) fn copy_database(&self, database: &str) -> String {
        let name = format!("test_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.copy_into(&name, database);
        self.url(&name)
    }

    /// Puts a copy of another database in the place of this one.
    pub(crate) fn restore_database(&self, database: &str, copy: &str) {
        self.execute("postgres", &format!("DROP DATABASE {database} WITH (FORCE)"));
        self.copy_into(database, copy);
    }

    /// A backend goes on for a moment after its client was killed.
    fn copy_into(&self, name: &str, from: &str) {
        let cut = format!("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{from}'");
        self.execute("postgres", &cut);
        self.execute("postgres", &format!("CREATE DATABASE {name} TEMPLATE {from}"));
    }

    /// The URL of a database.
    pub(crate) fn url(&self, database: &str) -> String {
        let folder = self.folder.to_str().unwrap().replace('/', "%2F");
        format!("postgres://loket@{folder}/{database}")
    }

    /// Runs statements in a database, as the cluster's superuser.
    pub(crate) fn execute(&self, database: &str, statements: &str) {
        let mut connection = PgConnection::establish(&self.url(database)).unwrap();
        connection.batch_execute(statements).unwrap_or_else(|error| panic!("{error}: {statements}"));
    }

    /// Starts it, when it is not running. It answers when this returns.
    pub(crate) fn go(&self) {
        self.control(&["start"]);
    }

    /// The same by another command, as `strace` is, which who runs the cluster can run.
    pub(crate) fn go_under(&self, outer: &[String]) {
        let (program, arguments) = outer.split_first().unwrap();
        let mut control = self.command(Path::new(program));
        control.args(arguments).arg(self.programs.join("pg_ctl"));
        self.finish(control, &["start"]);
    }

    /// Stops it as a crash would: nothing is finished, nobody is waited for.
    pub(crate) fn crash(&self) {
        self.control(&["stop", "--mode=immediate"]);
    }

    /// Stops it as a crash would, and starts it again. It answers when this returns.
    pub(crate) fn crash_and_restart(&self) {
        self.control(&["restart", "--mode=immediate"]);
    }

    pub(crate) fn is_running(&self) -> bool {
        let mut control = self.command(&self.programs.join("pg_ctl"));
        control.arg("status").arg("--pgdata").arg(self.folder.join("data")).status().unwrap().success()
    }

    /// What it has written to its log.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.folder.join("log.txt")).unwrap_or_default()
    }

    /// Where its socket is, and everything else of it.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// A command that runs as who runs the cluster.
    pub(crate) fn command(&self, program: &Path) -> Command {
        command(program, self.owner)
    }

    /// Makes a folder that belongs to who runs the cluster.
    pub(crate) fn make_folder(&self, folder: &Path) {
        fs::create_dir(folder).unwrap();
        if let Some((user, group)) = self.owner {
            chown(folder, Some(user), Some(group)).unwrap();
        }
    }

    fn initialize(&self, settings: &[(&str, &str)]) {
        let data = self.folder.join("data");
        // A language's order, so that a text which is not compared by code points is noticed.
        let locale = ["--encoding=UTF8", "--locale-provider=icu", "--icu-locale=en-US"];
        let mut initdb = self.command(&self.programs.join("initdb"));
        run(initdb.args(["--no-sync", "--auth=trust", "--username=loket"]).args(locale).arg("--pgdata").arg(&data));
        let mut file = File::options().append(true).open(data.join("postgresql.conf")).unwrap();
        let folder = self.folder.display();
        writeln!(file, "listen_addresses = ''\nunix_socket_directories = '{folder}'").unwrap();
        writeln!(file, "max_connections = 500\nshared_buffers = 64MB").unwrap();
        for (name, value) in settings {
            writeln!(file, "{name} = '{value}'").unwrap();
        }
    }

    fn control(&self, arguments: &[&str]) {
        self.finish(self.command(&self.programs.join("pg_ctl")), arguments);
    }

    fn finish(&self, mut control: Command, arguments: &[&str]) {
        control.args(arguments).args(["--silent", "--wait", "--pgdata"]).arg(self.folder.join("data"));
        if arguments != ["stop", "--mode=immediate"] {
            control.arg("--log").arg(self.folder.join("log.txt"));
        }
        assert!(control.status().unwrap().success(), "pg_ctl {arguments:?}:\n{}", self.log());
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.watchdog.stdin.take());
        let _ = self.watchdog.wait();
    }
}

/// Where PostgreSQL's programs are: on the path, in Debian's folders, the newest first, or where `pg_config` says.
fn programs() -> PathBuf {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let versioned = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten().map(|entry| entry.path());
    let mut versioned: Vec<_> = versioned.collect();
    versioned.sort_by_key(|folder| folder.file_name().and_then(|name| name.to_str()?.parse::<u32>().ok()));
    let told = Command::new("pg_config").arg("--bindir").output().ok();
    let told = told.and_then(|output| String::from_utf8(output.stdout).ok()).map(|bin| PathBuf::from(bin.trim()));
    let mut folders =
        std::env::split_paths(&path).chain(versioned.into_iter().rev().map(|folder| folder.join("bin"))).chain(told);
    let has_all = |folder: &PathBuf| ["initdb", "pg_ctl", "postgres"].iter().all(|name| folder.join(name).exists());
    folders.find(has_all).expect("PostgreSQL is missing: apt-get install postgresql")
}

/// Where root runs the tests: the user that Debian's package makes, or the one that is everywhere.
fn owner() -> Option<(u32, u32)> {
    let id = |arguments: &[&str]| -> Option<u32> {
        let output = Command::new("id").args(arguments).stderr(Stdio::null()).output().ok()?;
        String::from_utf8(output.stdout).ok()?.trim().parse().ok()
    };
    if id(&["-u"]) != Some(0) {
        return None;
    }
    let ids = ["postgres", "nobody"].into_iter().find_map(|user| Some((id(&["-u", user])?, id(&["-g", user])?)));
    Some(ids.expect("PostgreSQL does not run as root, and there is neither a user postgres nor a user nobody"))
}

/// Without anything that the environment says of other clusters and languages.
fn command(program: &Path, owner: Option<(u32, u32)>) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("LC_ALL", "C").current_dir("/");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
    if let Some((user, group)) = owner {
        command.uid(user).gid(group);
    }
    command
}

fn run(command: &mut Command) {
    let output = command.stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap();
    assert!(output.status.success(), "{command:?}: {}", String::from_utf8_lossy(&output.stderr));
}
