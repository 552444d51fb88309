//! A disk that is small enough to be filled.

use std::fs::File;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

/// A file system in memory. Gone when it is dropped.
pub(crate) struct Disk {
    folder: TempDir,
}

impl Disk {
    /// None where this user may not mount one: on Linux, root may.
    pub(crate) fn new(megabytes: u32) -> Option<Self> {
        let folder = tempfile::Builder::new().prefix("loket-disk-").tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", &format!("size={megabytes}m"), "loket-test"]).arg(folder.path());
        if !mount.output().is_ok_and(|output| output.status.success()) {
            // Whoever may mount must have the test run: it is not to be passed over on the machine that guards the rest.
            let is_root = std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0);
            assert!(!is_root, "a small disk cannot be mounted, although this is root");
            return None;
        }
        // For a database that another user runs.
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o777)).unwrap();
        Some(Self { folder })
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Takes all the room there is.
    pub(crate) fn fill(&self) {
        let mut ballast = File::options().create(true).append(true).open(self.ballast()).unwrap();
        let mut block = vec![0x5a; 1 << 20];
        while !block.is_empty() {
            if ballast.write_all(&block).is_err() {
                block.truncate(block.len() / 2);
            }
        }
    }

    /// Gives it back.
    pub(crate) fn make_room(&self) {
        std::fs::remove_file(self.ballast()).unwrap();
    }

    fn ballast(&self) -> std::path::PathBuf {
        self.path().join("ballast")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        // Lazily: what still has a file open there goes soon.
        let _ = Command::new("umount").arg("--lazy").arg(self.folder.path()).status();
    }
}
