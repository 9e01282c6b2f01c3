//! Help texts, versions, signal handlers and daemonizing against the system's libfuse3, each in a
//! forked child.

mod support;

use std::ffi::{CStr, c_int, c_void};

use ferrofuse_abi_common::signals::OnPipe;
use ferrofuse_abi_common::{help, signals, version};
use support::{Api, OURS, in_child, their_main, theirs};

/// Runs `body` with each library and demands equal output and exit status, which is returned.
fn compare(body: impl Fn(&Api)) -> (String, c_int) {
    // Symbols are looked up before the fork.
    let libraries = [theirs(), &OURS];
    let [expected, ours] = libraries.map(|api| in_child(|| body(api)));
    assert_eq!(expected, ours);
    ours
}

#[test]
fn help_texts_are_equal() {
    let (text, status) = compare(|api| {
        (api.cmdline_help)();
        (api.lowlevel_help)();
    });
    assert_eq!(status, 0);
    assert!(text.contains("-o max_threads") && text.contains("-o auto_unmount"), "{text}");
}

#[test]
fn versions_are_equal() {
    let (text, status) = compare(|api| (api.lowlevel_version)());
    assert_eq!(status, 0);
    // The helper's line is missing if the package fuse3 is; the libraries then agree on that.
    assert!(text.contains("using FUSE kernel interface version"), "{text}");
    assert_eq!((theirs().version)(), (OURS.version)());
    // SAFETY: both return static strings.
    unsafe {
        assert_eq!(CStr::from_ptr((theirs().pkgversion)()), CStr::from_ptr((OURS.pkgversion)()));
    }
}

/// What the system's `fuse_main` prints for the program name and option, which ends it.
fn their_main_prints(program: &CStr, option: &CStr) -> String {
    let main = their_main();
    let argv = [program.as_ptr().cast_mut(), option.as_ptr().cast_mut(), std::ptr::null_mut()];
    let (text, status) = in_child(|| {
        // No operations, in the size of libfuse 3.14's table.
        let operations = [0u64; 42];
        // SAFETY: as fuse_main calls it.
        let result = unsafe {
            main(2, argv.as_ptr(), operations.as_ptr().cast(), 336, std::ptr::null_mut())
        };
        assert_eq!(result, 0);
    });
    assert_eq!(status, 0, "{text}");
    text
}

#[test]
fn texts_of_fuse_main_are_equal() {
    for program in [c"prog", c"/usr/bin/prog", c""] {
        let (ours, _) = in_child(|| {
            help::main_usage(program);
            help::cmdline_help();
            help::highlevel_help();
            help::lowlevel_help();
        });
        // The help of the built-in modules follows; it belongs to them.
        let theirs = their_main_prints(program, c"--help");
        let modules = theirs.strip_prefix(&ours);
        assert!(modules.is_some_and(|text| text.starts_with("\nOptions for")), "{ours}{theirs}");
    }
    let (ours, _) = in_child(|| {
        help::main_version();
        version::fuse_lowlevel_version();
    });
    assert_eq!(ours, their_main_prints(c"prog", c"--version"));
}

const SIGNALS: [c_int; 4] = [libc::SIGHUP, libc::SIGINT, libc::SIGTERM, libc::SIGPIPE];

/// Prints what each signal does at this point, without using buffers a fork would share.
fn show_dispositions(when: &str) {
    let states = SIGNALS.map(|signal| {
        // SAFETY: reads the disposition into a valid structure.
        let action = unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            assert_eq!(libc::sigaction(signal, std::ptr::null(), &mut action), 0);
            action
        };
        let restart = action.sa_flags & libc::SA_RESTART != 0;
        match action.sa_sigaction {
            libc::SIG_DFL => ("default", restart),
            libc::SIG_IGN => ("ignored", restart),
            _ => ("handled", restart),
        }
    });
    write_line(&format!("{when} {states:?}\n"));
}

fn write_line(line: &str) {
    // SAFETY: a readable buffer.
    unsafe {
        libc::write(1, line.as_ptr().cast(), line.len());
    }
}

fn defaults() {
    for signal in SIGNALS {
        // SAFETY: SIG_DFL is always a valid disposition.
        unsafe {
            libc::signal(signal, libc::SIG_DFL);
        }
    }
}

#[test]
fn signal_handlers_are_set_and_removed_alike() {
    let (text, status) = compare(|api| {
        // Large enough to be a session of either library, and never freed.
        let [first, second] = [0, 1].map(|_| {
            let memory = Box::leak(Box::new([0u64; 8192]));
            memory.as_mut_ptr().cast::<c_void>()
        });
        let none = std::ptr::null_mut();
        let set = |session| {
            // SAFETY: a session that lives until the child exits, or NULL.
            let result = unsafe { (api.set_signal_handlers)(session) };
            write_line(&format!("{result}\n"));
        };
        // SAFETY: as above.
        let remove = |session| unsafe { (api.remove_signal_handlers)(session) };
        defaults();
        set(first);
        show_dispositions("set");
        for signal in SIGNALS {
            // SAFETY: a handled signal.
            assert_eq!(unsafe { libc::raise(signal) }, 0);
        }
        write_line("survived\n");
        remove(second);
        show_dispositions("removed by another");
        remove(first);
        show_dispositions("removed again");
        set(first);
        set(second);
        remove(second);
        show_dispositions("replaced and removed");
        // SAFETY: valid dispositions.
        unsafe {
            libc::signal(libc::SIGINT, libc::SIG_IGN);
        }
        set(first);
        show_dispositions("set beside an ignored one");
        // SAFETY: as above.
        unsafe {
            libc::signal(libc::SIGHUP, libc::SIG_IGN);
        }
        remove(first);
        show_dispositions("removed beside foreign ones");
        defaults();
        set(none);
        show_dispositions("set for NULL");
        // SAFETY: handled without a session.
        unsafe {
            libc::raise(libc::SIGTERM);
        }
        remove(none);
        remove(none);
        show_dispositions("removed for NULL");
        set(first);
        remove(none);
        show_dispositions("removed by NULL");
    });
    assert_eq!(status, 0);
    assert_eq!(text.matches("unknown session").count(), 2, "{text}");
    assert!(text.contains("survived"), "{text}");
}

#[test]
fn our_handler_passes_target_and_signal_and_keeps_errno() {
    let (text, status) = in_child(|| {
        defaults();
        let session: &'static mut c_int = Box::leak(Box::new(0));
        let target = (&raw mut *session).cast::<c_void>();
        // SAFETY: a session that lives on; errno is a thread-local.
        unsafe {
            unsafe extern "C" fn stop(target: *mut c_void, signal: c_int) {
                // SAFETY: the test's target; errno is a thread-local.
                unsafe {
                    target.cast::<c_int>().write_volatile(signal);
                    *libc::__errno_location() = libc::EBADF;
                }
            }
            assert_eq!(signals::set(target, stop, OnPipe::DoNothing), 0);
            for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGTERM] {
                *libc::__errno_location() = libc::EXDEV;
                libc::raise(signal);
                assert_eq!(*libc::__errno_location(), libc::EXDEV);
                assert_eq!(target.cast::<c_int>().read_volatile(), signal);
            }
            signals::remove(target, OnPipe::DoNothing);
        }
        show_dispositions("removed");
    });
    assert_eq!(status, 0, "{text}");
    assert_eq!(text.matches("default").count(), 4, "{text}");
}

/// Where a process stands after `fuse_daemonize`.
fn standing(result: c_int) -> String {
    let cwd = std::env::current_dir();
    let streams = [0, 1, 2].map(|fd| std::fs::read_link(format!("/proc/self/fd/{fd}")).ok());
    let null = streams.map(|target| target.is_some_and(|path| path.as_os_str() == "/dev/null"));
    // SAFETY: no arguments that matter.
    let leader = unsafe { libc::getsid(0) == libc::getpid() };
    format!("{result} {cwd:?} null: {null:?} session leader: {leader}\n")
}

#[test]
fn daemonizing_leaves_alike() {
    for foreground in [0, 1] {
        let (text, status) = compare(|api| {
            // stdout may become /dev/null, so report through a descriptor of its own.
            // SAFETY: duplicates an open descriptor and writes to it.
            unsafe {
                let report = libc::dup(1);
                let line = standing((api.daemonize)(foreground));
                libc::write(report, line.as_ptr().cast(), line.len());
                if foreground == 0 {
                    // The parent's status is what the caller sees; this one must not show.
                    libc::_exit(7);
                }
            }
        });
        assert_eq!(status, 0, "{text}");
        let expected = if foreground == 0 { "session leader: true" } else { "leader: false" };
        assert!(text.contains(expected) && text.contains(r#"0 Ok("/")"#), "{text}");
    }
}

#[test]
fn the_parent_waits_until_the_child_is_ready() {
    let (text, status) = in_child(|| {
        for round in 0..50 {
            // SAFETY: the daemon becomes a child of this process, which is its subreaper, and is
            // killed and waited for below.
            let daemon: c_int = unsafe {
                assert_eq!(libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1), 0);
                let parent = libc::fork();
                if parent == 0 {
                    // Should a check fail, the daemon goes by itself.
                    libc::alarm(20);
                    (OURS.daemonize)(0);
                    libc::alarm(20);
                    libc::pause();
                    libc::_exit(1);
                }
                let mut status = 0;
                assert_eq!(libc::waitpid(parent, &mut status, 0), parent);
                assert_eq!(status, 0);
                let own = libc::getpid();
                let children = std::fs::read_to_string(format!("/proc/{own}/task/{own}/children"));
                children.unwrap().trim().parse().unwrap()
            };
            let link = |name| std::fs::read_link(format!("/proc/{daemon}/{name}")).unwrap();
            assert_eq!(link("cwd").as_os_str(), "/", "round {round}");
            for fd in ["fd/0", "fd/1", "fd/2"] {
                assert_eq!(link(fd).as_os_str(), "/dev/null", "round {round}, {fd}");
            }
            // SAFETY: this process's own child.
            unsafe {
                assert_eq!(libc::getsid(daemon), daemon);
                assert_eq!(libc::kill(daemon, libc::SIGKILL), 0);
                assert_eq!(libc::waitpid(daemon, std::ptr::null_mut(), 0), daemon);
            }
        }
    });
    assert_eq!((text.as_str(), status), ("", 0));
}

#[test]
fn closed_standard_streams_are_filled() {
    let (_, status) = in_child(|| {
        // SAFETY: the child's own descriptors.
        unsafe {
            libc::close(0);
            libc::close(2);
        }
        ferrofuse_abi_common::daemonize::fill_standard_streams();
        for fd in [0, 2] {
            let target = std::fs::read_link(format!("/proc/self/fd/{fd}"));
            assert!(target.is_ok_and(|path| path.as_os_str() == "/dev/null"));
        }
    });
    assert_eq!(status, 0);
}
