//! PgBouncer before the shared cluster, in the mode in which connections are shared most.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use super::Cluster;

/// Each transaction gets whichever of a few connections is free. Ends when it is dropped, and with this process.
pub(crate) struct Pooler {
    folder: PathBuf,
    process: Child,
}

/// `$1` is the program, `$2` its settings: it runs until this process closes its end of a pipe.
const RUN: &str = r#"
trap '' INT HUP
"$1" --quiet "$2/pgbouncer.ini" &
cat >/dev/null
kill "$!"
wait
rm -rf "$2"
"#;

impl Pooler {
    /// With so many connections to each database.
    pub(crate) async fn start(connections: usize) -> Self {
        let cluster = Cluster::shared();
        let folder = cluster.folder().join(format!("pooler-{:x}", next()));
        let ini = format!(
            "[databases]\n* = host={socket} user=loket\n\
             [pgbouncer]\nlisten_addr =\nlisten_port = 6432\nunix_socket_dir = {folder}\nauth_type = any\n\
             logfile = {folder}/log.txt\npool_mode = transaction\ndefault_pool_size = {connections}\n",
            socket = cluster.folder().display(),
            folder = folder.display(),
        );
        cluster.make_folder(&folder);
        std::fs::write(folder.join("pgbouncer.ini"), ini).unwrap();
        let mut run = cluster.command(Path::new("/bin/sh"));
        run.arg("-c").arg(RUN).arg("loket-pgbouncer").arg(program()).arg(&folder);
        let process = run.stdin(Stdio::piped()).spawn().unwrap();
        let pooler = Self { folder, process };
        super::eventually("PgBouncer listens", async || pooler.folder.join(".s.PGSQL.6432").exists().then_some(()))
            .await;
        pooler
    }

    /// The URL of a database through it.
    pub(crate) fn url(&self, database: &str) -> String {
        let folder = self.folder.to_str().unwrap().replace('/', "%2F");
        format!("postgres://loket@{folder}:6432/{database}")
    }
}

impl Drop for Pooler {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}

/// Debian keeps it where only root looks.
fn program() -> PathBuf {
    let found = Command::new("sh").args(["-c", "PATH=\"$PATH:/usr/sbin\" command -v pgbouncer"]).output().unwrap();
    assert!(found.status.success(), "PgBouncer is missing: apt-get install pgbouncer");
    PathBuf::from(String::from_utf8(found.stdout).unwrap().trim())
}

/// Short: the path of a socket is at most a hundred characters.
fn next() -> u32 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
