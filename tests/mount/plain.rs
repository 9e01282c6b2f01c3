//! Mounts made by root itself.

use std::fs;
use std::io::Write;
use std::os::fd::{AsFd, AsRawFd, IntoRawFd};
use std::path::Path;
use std::process::Command;

use ferrofuse::Errno;
use ferrofuse::mount::{Flavor, mount, unmount_path};

use crate::Case;
use crate::support::{Holder, Scratch, eventually, logged, mounted, options, run};

pub const CASES: &[Case] = &[
    ("root_mount_shows_in_the_mount_table", table),
    ("root_mount_on_a_file", file),
    ("root_mount_errors_name_the_mount_point", errors),
    ("root_mount_takes_a_mounted_device", external),
    ("root_unmount_notices_that_it_is_gone", gone),
    ("root_unmount_spares_other_mounts", spares),
    ("root_unmount_by_path", by_path),
    ("root_closed_standard_descriptors_are_filled", closed),
    ("root_ignored_sigchld_is_no_obstacle", sigchld),
    ("root_auto_unmount_after_kill", auto_unmount),
    ("root_auto_unmount_survives_exec", exec),
    ("root_mtab_is_kept_where_it_is_a_file", mtab),
];

fn table() {
    let scratch = Scratch::new();
    let mnt = scratch.dir("mnt");
    let cases = [
        ("", "rw nosuid nodev relatime", "fuse", "/dev/fuse", "rw user_id=0 group_id=0"),
        (
            "ro,noexec,noatime,fsname=left@right,subtype=sub,user=me,-n",
            "ro nosuid nodev noexec noatime",
            "fuse.sub",
            "left@right",
            "ro user_id=0 group_id=0",
        ),
        (
            "suid,dev,sync,dirsync,subtype=sub,allow_other,default_permissions,max_read=65536",
            "rw relatime",
            "fuse.sub",
            "sub",
            "rw sync dirsync user_id=0 group_id=0 default_permissions allow_other max_read=65536",
        ),
    ];
    for (list, flags, kind, source, super_options) in cases {
        let mount = mount(&mnt, &options(list)).unwrap();
        let line = mounted(&mnt).unwrap();
        assert_eq!(line.flags.join(" "), flags, "{list}");
        assert_eq!((line.kind.as_str(), line.source.as_str()), (kind, source), "{list}");
        assert_eq!(line.options.join(" "), super_options, "{list}");
        assert_eq!(mount.point().path(), mnt);
        mount.unmount().unwrap();
        assert_eq!(mounted(&mnt), None);
    }
    assert_eq!(logged(), [""; 0]);
}

fn file() {
    let scratch = Scratch::new();
    let path = scratch.path("file");
    fs::write(&path, "").unwrap();
    let mount = mount(&path, &options("")).unwrap();
    assert!(mounted(&path).is_some());
    mount.unmount().unwrap();
    assert_eq!(mounted(&path), None);
}

fn errors() {
    let scratch = Scratch::new();
    let mnt = scratch.dir("mnt");
    let check = |path: &Path, list: &str, error: Errno, message: &str| {
        assert_eq!(mount(path, &options(list)).unwrap_err(), error);
        assert_eq!(logged(), [message.replace("MNT", path.to_str().unwrap())]);
    };
    let path = scratch.path("missing");
    let message = "fuse: failed to access mountpoint MNT: No such file or directory";
    check(&path, "", Errno::ENOENT, message);
    check(&path, "auto_unmount", Errno::ENOENT, message);
    fs::write(scratch.path("file"), "").unwrap();
    let message = "fuse: failed to access mountpoint MNT: Not a directory";
    check(&scratch.path("file/x"), "", Errno::ENOTDIR, message);
    let message = "fuse: mount failed: Invalid argument (mounting on MNT)";
    check(&mnt, "blksize=512", Errno::EINVAL, message);
    let message = "fuse: mount failed: Argument list too long (mounting on MNT)";
    check(&mnt, &format!("context={}", "x".repeat(4096)), Errno::E2BIG, message);
    assert_eq!(mounted(&mnt), None);

    // A mount whose server is dead.
    let dead = mount(&mnt, &options("")).unwrap();
    let (device, point) = dead.into_parts();
    drop(device);
    let message = "fuse: failed to access mountpoint MNT: Transport endpoint is not connected";
    check(&mnt, "", Errno::ENOTCONN, message);
    point.unmount(None).unwrap();
    assert_eq!(mounted(&mnt), None);
}

fn external() {
    let scratch = Scratch::new();
    let mnt = scratch.dir("mnt");
    let (device, point) = mount(&mnt, &options("")).unwrap().into_parts();
    let number = device.into_raw_fd();
    let name = format!("/dev/fd/{number}");
    let again = mount(Path::new(&name), &options("auto_unmount")).unwrap();
    assert_eq!(again.as_fd().as_raw_fd(), number);
    assert!(again.point().is_external());
    assert_eq!(again.point().path(), Path::new(&name));
    again.unmount().unwrap();
    assert!(mounted(&mnt).is_some(), "unmounted a mount that someone else made");
    point.unmount(None).unwrap();
    assert_eq!(mounted(&mnt), None);

    assert_eq!(mount(Path::new(&name), &options("")).unwrap_err(), Errno::EBADF);
    assert_eq!(logged(), [format!("fuse: Invalid file descriptor {name}")]);
}

fn gone() {
    let scratch = Scratch::new();
    let mnt = scratch.dir("mnt");
    let ours = mount(&mnt, &options("")).unwrap();
    nix::mount::umount(&mnt).unwrap();
    ours.unmount().unwrap();

    // Without the device to ask, the mount point tells.
    let (device, point) = mount(&mnt, &options("")).unwrap().into_parts();
    nix::mount::umount(&mnt).unwrap();
    drop(device);
    point.unmount(None).unwrap();
    assert_eq!(logged(), [""; 0]);
}

fn spares() {
    let scratch = Scratch::new();
    scratch.dir("parent");
    let mnt = scratch.dir("parent/mnt");
    scratch.dir("trap");
    let victim = scratch.dir("trap/mnt");
    // Not mount(8): it looks at the mount point first, which would hang on a FUSE mount that
    // nobody serves.
    let tmpfs = |on: &Path, source: &str| {
        nix::mount::mount(
            Some(source),
            on,
            Some("tmpfs"),
            nix::mount::MsFlags::empty(),
            None::<&str>,
        )
    };
    tmpfs(&victim, "victim").unwrap();
    let ours = mount(&mnt, &options("")).unwrap();
    fs::rename(scratch.path("parent"), scratch.path("moved")).unwrap();
    std::os::unix::fs::symlink(scratch.path("trap"), scratch.path("parent")).unwrap();
    ours.unmount().unwrap();
    assert_eq!(mounted(&victim).unwrap().source, "victim");

    // Nor is a mount on top of ours taken for it.
    let mnt = scratch.dir("covered");
    let (device, point) = mount(&mnt, &options("")).unwrap().into_parts();
    tmpfs(&mnt, "cover").unwrap();
    point.unmount(Some(device)).unwrap();
    assert_eq!(mounted(&mnt).unwrap().source, "cover");
}

fn by_path() {
    let scratch = Scratch::new();
    let mnt = scratch.dir("mnt");
    let (device, _) = mount(&mnt, &options("")).unwrap().into_parts();
    unmount_path(&mnt, Some(device), Flavor::FUSE3).unwrap();
    assert_eq!(mounted(&mnt), None);
    assert_eq!(unmount_path(&mnt, None, Flavor::FUSE3), Err(Errno::EINVAL));
    assert_eq!(logged(), [format!("fuse: failed to unmount {}: Invalid argument", mnt.display())]);
}

fn holder(scratch: &Scratch, shell: &str, mnt: &Path, list: &str, action: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", shell, "sh"]).arg(scratch.program());
    command.arg("role:holder").arg(mnt).args([list, "", action]);
    command
}

fn closed() {
    let scratch = Scratch::new();
    let mnt = scratch.dir("mnt");
    // Rust's own start-up opens /dev/null for closed descriptors, as C's does not: so close them
    // here, in this process, which has no other thread, and put them back.
    let keep = [
        nix::unistd::dup(std::io::stdin()).unwrap(),
        nix::unistd::dup(std::io::stdout()).unwrap(),
        nix::unistd::dup(std::io::stderr()).unwrap(),
    ];
    for fd in [0, 1, 2] {
        nix::unistd::close(fd).unwrap();
    }
    let result = mount(&mnt, &options(""));
    let names = [0, 1, 2].map(|fd| fs::read_link(format!("/proc/self/fd/{fd}")));
    let mut back = [
        nix::unistd::dup2_stdin(&keep[0]),
        nix::unistd::dup2_stdout(&keep[1]),
        nix::unistd::dup2_stderr(&keep[2]),
    ]
    .into_iter();
    assert!(back.all(|result| result.is_ok()));
    let mount = result.unwrap();
    assert!(mount.as_fd().as_raw_fd() > 2);
    for name in names {
        assert_eq!(name.unwrap(), Path::new("/dev/null"));
    }
    mount.unmount().unwrap();
}

fn sigchld() {
    let scratch = Scratch::new();
    let mnt = scratch.dir("mnt");
    let command = holder(&scratch, r#"trap "" CHLD; exec "$@""#, &mnt, "auto_unmount", "unmount");
    let out = run(&command);
    let text = String::from_utf8(out.stdout).unwrap();
    let expected = "mounted\nnew=[\"fuse\", \"socket\"] children=[]\nOk(())\nnew=[] children=[]\n";
    assert_eq!(text, expected);
    assert_eq!(mounted(&mnt), None);
}

fn auto_unmount() {
    let scratch = Scratch::new();
    let mnt = scratch.dir("mnt");
    for list in ["auto_unmount", "auto_unmount,subtype=sub,fsname=a", "auto_unmount,suid,dev"] {
        let command = holder(&scratch, r#"exec "$@""#, &mnt, list, "wait");
        let mut holder = Holder::start(command);
        let line = mounted(&mnt).unwrap();
        assert!(line.kind.starts_with("fuse"));
        let asked = list.contains("dev");
        assert_eq!(line.flags.iter().any(|flag| flag == "nodev" || flag == "nosuid"), !asked);
        holder.child.kill().unwrap();
        eventually("unmounted after the kill", || mounted(&mnt).is_none());
        assert_eq!(holder.line(), "");
    }
}

fn exec() {
    let scratch = Scratch::new();
    let mnt = scratch.dir("mnt");
    let mut command = holder(&scratch, r#"exec "$@""#, &mnt, "auto_unmount", "exec");
    let mut holder = Holder::start(std::mem::replace(&mut command, Command::new("true")));
    let comm = format!("/proc/{}/comm", holder.child.id());
    eventually("executed", || fs::read_to_string(&comm).unwrap() == "sh\n");
    // The helper would react within milliseconds.
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert!(mounted(&mnt).is_some(), "the executed program no longer keeps the mount");
    holder.child.stdin.take().unwrap().write_all(b"\n").unwrap();
    eventually("unmounted after the end", || mounted(&mnt).is_none());
}

fn mtab() {
    let scratch = Scratch::new();
    let mnt = scratch.dir("mnt");
    let log = scratch.path("log");
    let etc = scratch.dir("etc");
    fs::write(etc.join("mtab"), "").unwrap();
    let record = |name: &str| {
        let log = log.display();
        // Also the real user id and whether the holder's environment came through.
        let text = format!(r#"echo {name} $(/usr/bin/id -ru) "${{FOO-none}}" "$@" >> {log}"#);
        scratch.script(name, &text)
    };
    let (fake_mount, fake_umount) = (record("mount"), record("umount"));
    // In a mount namespace of its own: another /etc, and recorders for the two programs.
    let shell = format!(
        r#"mount --bind {etc} /etc && mount --bind {fu} /bin/umount &&
           mount --bind {fm} /bin/mount && FOO=1 exec "$@""#,
        fm = fake_mount.display(),
        fu = fake_umount.display(),
        etc = etc.display()
    );
    let run_holder = |list: &str| {
        let inner = holder(&scratch, &shell, &mnt, list, "unmount");
        let mut command = Command::new("unshare");
        command.arg("-m").arg(inner.get_program()).args(inner.get_args());
        let out = run(&command);
        assert!(out.status.success(), "{out:?}");
        let text = fs::read_to_string(&log).unwrap_or_default();
        let _ = fs::remove_file(&log);
        text
    };
    let text = run_holder("ro,fsname=-src,subtype=sub,user=me");
    let mnt = mnt.display();
    assert_eq!(
        text,
        format!(
            "mount 0 none --no-canonicalize -i -f -t fuse.sub -o ro,nosuid,nodev,user=me -- -src {mnt}\n\
             umount 0 none --no-canonicalize -i --fake -- {mnt}\n"
        )
    );
    // A link, as nearly everywhere: nothing is run.
    fs::remove_file(etc.join("mtab")).unwrap();
    std::os::unix::fs::symlink("/proc/mounts", etc.join("mtab")).unwrap();
    assert_eq!(run_holder(""), "");
}
