//! Mount helpers that misbehave, and the role of one.

use std::io::IoSlice;
use std::os::fd::{AsRawFd, RawFd};
use std::process::{Command, ExitCode, Output};

use nix::sys::socket::{ControlMessage, MsgFlags, sendmsg};

use crate::Case;
use crate::support::{Scratch, mounted, run};

pub const CASES: &[Case] = &[
    ("helper_missing_is_named", missing),
    ("helper_answers_are_checked", answers),
    ("helper_is_also_found_in_path", path),
    ("helper_gets_the_options_and_only_its_socket", arguments),
    ("helper_is_tried_silently_with_a_subtype_first", subtype),
];

/// `role:helper MODE ...`: answers as MODE says.
pub fn main(args: &[String]) -> ExitCode {
    let socket: RawFd = std::env::var("_FUSE_COMMFD").unwrap().parse().unwrap();
    let null = std::fs::File::open("/dev/null").unwrap();
    let file = std::fs::File::open("/proc/self/exe").unwrap();
    let send = |data: &[u8], fds: &[RawFd]| {
        let rights = [ControlMessage::ScmRights(fds)];
        let rights = if fds.is_empty() { &rights[..0] } else { &rights[..] };
        let iov = [IoSlice::new(data)];
        sendmsg::<()>(socket, &iov, rights, MsgFlags::MSG_NOSIGNAL, None).unwrap();
    };
    let null = null.as_raw_fd();
    match args[0].as_str() {
        "nothing" => {}
        "fails" => return ExitCode::from(3),
        "dies" => nix::sys::signal::raise(nix::sys::signal::Signal::SIGKILL).unwrap(),
        "byte" => send(b"x", &[]),
        "bytes" => send(b"xy", &[null]),
        "many" => send(b"x", &[null; 200]),
        "file" => send(b"x", &[file.as_raw_fd()]),
        // Not an answer to complain about: the rest is not read.
        "chatty" => {
            send(b"x", &[null]);
            let _ = sendmsg::<()>(
                socket,
                &[IoSlice::new(&[0; 100_000])],
                &[ControlMessage::ScmRights(&[null])],
                MsgFlags::MSG_NOSIGNAL,
                None,
            );
        }
        "good" => send(b"x", &[null]),
        mode => panic!("{mode}"),
    }
    ExitCode::SUCCESS
}

/// Mounts in a process with the given ways of finding a helper. With `auto_unmount` the helper is
/// asked at once, otherwise because root is not allowed to mount there.
fn hold(scratch: &Scratch, options: &str, dir: &str, path: &str) -> Output {
    let mut command = Command::new("/usr/bin/setpriv");
    command.args(["--bounding-set", "-sys_admin", "--inh-caps", "-sys_admin"]);
    command.arg(scratch.program()).arg("role:holder").arg(scratch.path("mnt"));
    run(command.args([options, dir, "unmount"]).env("PATH", path))
}

fn texts(out: &Output) -> (String, String) {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (text(&out.stdout), text(&out.stderr))
}

const PATH: &str = "/usr/bin:/bin";

fn missing() {
    let scratch = Scratch::new();
    let mnt = scratch.dir("mnt");
    for options in ["", "auto_unmount", "subtype=x"] {
        let out = hold(&scratch, options, "/nonexistent", "/nowhere:sbin");
        let (stdout, stderr) = texts(&out);
        assert_eq!(stdout, "ENOENT children=[] new=[]\n");
        assert_eq!(
            stderr,
            "fuse: failed to exec fusermount3: No such file or directory \
             (looked for in /nonexistent and PATH)\n"
        );
        assert_eq!(mounted(&mnt), None);
    }
}

fn answers() {
    let scratch = Scratch::new();
    let mnt = scratch.dir("mnt");
    let mnt = mnt.display();
    let refused = |how: &str| format!("fuse: fusermount3 could not mount on {mnt} ({how})\n");
    let invalid = |what: &str| {
        format!("fuse: fusermount3 gave an invalid answer ({what}) mounting on {mnt}\n")
    };
    for keep in [false, true] {
        let how = |how: &str| refused(if keep { "it ended early" } else { how });
        let expected = [
            ("nothing", "EPERM", how("it ended without passing a device")),
            ("fails", "EPERM", how("exit status 3")),
            ("dies", "EPERM", how("killed by signal 9")),
            ("byte", "EPROTO", invalid("not one descriptor")),
            ("bytes", "EPROTO", invalid("not one byte")),
            ("many", "EPROTO", invalid("not one descriptor")),
            ("file", "EPROTO", invalid("not a device")),
        ];
        let dir = scratch.path(if keep { "keep" } else { "once" });
        std::fs::create_dir(&dir).unwrap();
        let dir = dir.to_str().unwrap();
        let options = if keep { "auto_unmount" } else { "" };
        let script = |mode: &str| {
            let program = scratch.program();
            let text = format!("exec {} role:helper {mode} \"$@\"", program.display());
            scratch.script(&format!("{dir}/fusermount3"), &text);
        };
        for (mode, error, message) in expected {
            script(mode);
            let (stdout, stderr) = texts(&hold(&scratch, options, dir, PATH));
            assert_eq!(stdout, format!("{error} children=[] new=[]\n"), "{mode}");
            assert_eq!(stderr, message, "{mode}");
        }
        for mode in ["good", "chatty"] {
            script(mode);
            let (stdout, _) = texts(&hold(&scratch, options, dir, PATH));
            let new = if keep { r#"["null", "socket"]"# } else { r#"["null"]"# };
            let expected = format!("mounted\nnew={new} children=[]\n");
            assert!(stdout.starts_with(&expected), "{mode}: {stdout}");
            assert!(stdout.ends_with("new=[] children=[]\n"), "{mode}: {stdout}");
        }
    }
}

fn path() {
    let scratch = Scratch::new();
    scratch.dir("mnt");
    scratch.dir("bin");
    let program = scratch.program();
    let text = format!("exec {} role:helper good \"$@\"", program.display());
    let script = scratch.script("bin/fusermount3", &text);
    let bin = script.parent().unwrap().to_str().unwrap();
    let found = |path: String| {
        texts(&hold(&scratch, "auto_unmount", "/nonexistent", &path)).0.starts_with("mounted\n")
    };
    assert!(found(format!("{bin}:{PATH}")));
    // The element before does not have an executable one.
    scratch.dir("other");
    std::fs::write(scratch.path("other/fusermount3"), "").unwrap();
    assert!(found(format!("{}:{bin}:{PATH}", scratch.path("other").display())));
}

fn arguments() {
    let scratch = Scratch::new();
    let mnt = scratch.dir("mnt");
    scratch.dir("bin");
    let log = scratch.path("log");
    scratch.script(
        "bin/fusermount3",
        &format!(
            r#"{{ echo "$#"; printf '%s\n' "$@"; for f in /proc/$$/fd/*; do readlink $f; done; }} > {}
            exit 1"#,
            log.display()
        ),
    );
    let bin = scratch.path("bin");
    hold(&scratch, r"ro,fsname=a\b,noatime,user=x", bin.to_str().unwrap(), PATH);
    let text = std::fs::read_to_string(log).unwrap();
    let lines: Vec<&str> = text.lines().collect();
    let list = r"ro,nosuid,nodev,noatime,fsname=a\\b";
    assert_eq!(lines[..5], ["4", "-o", list, "--", mnt.to_str().unwrap()]);
    assert_eq!(lines.iter().filter(|line| line.starts_with("socket:")).count(), 1, "{text}");
    assert!(!text.contains("/dev/fuse"), "{text}");
}

fn subtype() {
    let scratch = Scratch::new();
    scratch.dir("mnt");
    scratch.dir("bin");
    let log = scratch.path("log");
    let text = format!("echo \"$2\" >> {}; echo reason >&2; exit 1", log.display());
    scratch.script("bin/fusermount3", &text);
    let bin = scratch.path("bin");
    let out = hold(&scratch, "subtype=st", bin.to_str().unwrap(), PATH);
    let (stdout, stderr) = texts(&out);
    assert!(stdout.starts_with("EPERM"), "{stdout}");
    assert_eq!(stderr.matches("reason\n").count(), 1, "{stderr}");
    let text = std::fs::read_to_string(log).unwrap();
    assert_eq!(text, "rw,nosuid,nodev,subtype=st\nrw,nosuid,nodev\n");
}
