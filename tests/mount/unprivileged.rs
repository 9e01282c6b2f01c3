//! Mounts by an ordinary user, through the installed `fusermount3`.
//!
//! Each runs in a mount namespace of its own, where `/dev/fuse` is open to all.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::Case;
use crate::support::{Holder, Line, Scratch, eventually, parse_mounts, run};

pub const CASES: &[Case] = &[
    ("user_mounts_through_the_helper", mounts),
    ("user_auto_unmount_after_kill", auto_unmount),
    ("user_auto_unmount_ends_with_a_clean_unmount", clean_end),
    ("user_errors_give_the_reason", errors),
];

/// Mounts as `nobody` and does `action`.
fn holder(scratch: &Scratch, mnt: &Path, list: &str, action: &str) -> Command {
    let node = scratch.path("device");
    if !node.exists() {
        let status =
            Command::new("mknod").arg(&node).args(["-m", "666", "c", "10", "229"]).status();
        assert!(status.unwrap().success());
    }
    let shell = format!(
        r#"mount --bind {} /dev/fuse && exec setpriv --reuid 65534 --regid 65534 --clear-groups "$@""#,
        node.display()
    );
    let mut command = Command::new("unshare");
    command.args(["-m", "sh", "-c", &shell, "sh"]).arg(scratch.program());
    command.arg("role:holder").arg(mnt).args([list, "", action]);
    command
}

/// The mount on `mnt` as process `pid` sees it, in its own namespace.
fn mounted(pid: u32, mnt: &Path) -> Option<Line> {
    let text = fs::read_to_string(format!("/proc/{pid}/mountinfo")).unwrap();
    parse_mounts(&text).into_iter().find(|line| line.point == mnt)
}

fn mounts() {
    let scratch = Scratch::new();
    let mnt = scratch.dir("mnt");
    for list in ["", "subtype=sub,fsname=a@b,ro,noatime,max_read=4096"] {
        let holder = Holder::start(holder(&scratch, &mnt, list, "wait"));
        let line = mounted(holder.child.id(), &mnt).unwrap();
        let (kind, source) =
            if list.is_empty() { ("fuse", "/dev/fuse") } else { ("fuse.sub", "a@b") };
        assert_eq!((line.kind.as_str(), line.source.as_str()), (kind, source));
        assert!(line.flags.contains(&"nosuid".to_owned()));
        assert_eq!(line.flags.contains(&"noatime".to_owned()), !list.is_empty());
        assert!(line.options.contains(&"user_id=65534".to_owned()), "{line:?}");
        assert_eq!(line.options.contains(&"max_read=4096".to_owned()), !list.is_empty());
        let lines = holder.finish();
        assert_eq!(lines, ["new=[\"fuse\"] children=[]", "Ok(())", "new=[] children=[]"]);
    }
}

fn auto_unmount() {
    let scratch = Scratch::new();
    let mnt = scratch.dir("mnt");
    let mut holder = Holder::start(holder(&scratch, &mnt, "auto_unmount", "wait"));
    // Someone who stays in the namespace to look at it.
    let pid = holder.child.id().to_string();
    let mut watcher =
        Command::new("nsenter").args(["-m", "-t", &pid, "sleep", "60"]).spawn().unwrap();
    eventually("watcher is there", || {
        fs::read_to_string(format!("/proc/{}/comm", watcher.id())).unwrap() == "sleep\n"
    });
    let before = mounted(watcher.id(), &mnt).is_some();
    holder.child.kill().unwrap();
    let start = std::time::Instant::now();
    while mounted(watcher.id(), &mnt).is_some() && start.elapsed().as_secs() < 10 {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    let after = mounted(watcher.id(), &mnt).is_some();
    watcher.kill().unwrap();
    watcher.wait().unwrap();
    assert_eq!((before, after), (true, false));
    nobody_watches(&mnt);
}

/// Those who watch over an `auto_unmount` mount have it on their command line.
fn nobody_watches(mnt: &Path) {
    let ours = |pid: &Path| {
        let line = fs::read_to_string(pid.join("cmdline")).unwrap_or_default();
        line.split('\0').any(|arg| Path::new(arg) == mnt)
    };
    eventually("watchers ended", || {
        !fs::read_dir("/proc").unwrap().any(|entry| ours(&entry.unwrap().path()))
    });
}

fn clean_end() {
    let scratch = Scratch::new();
    let mnt = scratch.dir("mnt");
    let out = run(&holder(&scratch, &mnt, "auto_unmount", "unmount"));
    assert_eq!(
        String::from_utf8(out.stdout).unwrap(),
        "mounted\nnew=[\"fuse\", \"pipe\", \"socket\"] children=[]\nOk(())\nnew=[] children=[]\n"
    );
    nobody_watches(&mnt);
}

fn errors() {
    let scratch = Scratch::new();
    let mnt = scratch.dir("mnt");
    let check = |mnt: &Path, list: &str, error: &str, message: &str| {
        let out = run(&holder(&scratch, mnt, list, "unmount"));
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        assert_eq!(text(out.stdout), format!("{error} children=[] new=[]\n"));
        assert_eq!(text(out.stderr), message.replace("MNT", mnt.to_str().unwrap()));
    };
    let refusal = "\nfuse: fusermount3 could not mount on MNT (exit status 1)\n";
    check(
        &mnt,
        "blkdev,fsname=/dev/loop0",
        "EPERM",
        &format!("fusermount3: option blkdev is privileged{refusal}"),
    );
    let private = scratch.path("private");
    fs::create_dir(&private).unwrap();
    check(
        &private,
        "subtype=x",
        "EPERM",
        &format!("fusermount3: user has no write access to mountpoint MNT{refusal}"),
    );
    let hidden = private.join("x");
    fs::create_dir(&hidden).unwrap();
    let mode = <fs::Permissions as std::os::unix::fs::PermissionsExt>::from_mode(0o700);
    fs::set_permissions(&private, mode).unwrap();
    let message = "fuse: failed to access mountpoint MNT: Permission denied\n";
    check(&hidden, "", "EACCES", message);
    check(&hidden, "auto_unmount", "EACCES", message);
}
