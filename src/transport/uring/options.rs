//! Whether requests come by io_uring, and why not.

use std::fmt;

use crate::errno::Errno;
use crate::sys::env;

/// The user's choice: `FERROFUSE_TRANSPORT`, or the mount options `io_uring` and `no_io_uring`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TransportChoice {
    /// By io_uring where the kernel grants it and several workers serve. One thread alone stays with
    /// the device: nothing runs in parallel there, and requests come in their order.
    #[default]
    Auto,
    /// By the device alone.
    Dev,
    /// By io_uring where the kernel grants it.
    Uring,
}

impl TransportChoice {
    fn parse(value: &str) -> Option<TransportChoice> {
        Some(match value {
            "auto" => TransportChoice::Auto,
            "dev" => TransportChoice::Dev,
            "uring" => TransportChoice::Uring,
            _ => return None,
        })
    }
}

/// How requests are to come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TransportOptions {
    /// By which way.
    pub choice: TransportChoice,
    /// Entries for each queue to begin with; 0 is the default.
    pub depth: usize,
}

impl TransportOptions {
    /// What the mount options say, unless `FERROFUSE_TRANSPORT` is set: it wins. A value that is
    /// none of `auto`, `dev` and `uring` is reported and has no effect.
    pub fn or_environment(mut self) -> TransportOptions {
        if let Some(value) = env::secure_var("FERROFUSE_TRANSPORT") {
            match TransportChoice::parse(&value.to_string_lossy()) {
                Some(choice) => self.choice = choice,
                None => log::warn!(
                    "FERROFUSE_TRANSPORT={value:?} is not auto, dev or uring; it has no effect"
                ),
            }
        }
        self
    }
}

/// Why requests do not come by io_uring.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unused {
    /// The user refused it.
    Option,
    /// The loop has one thread, and the user did not ask for it.
    OneThread,
    /// The filesystem refused it in init.
    Filesystem,
    /// The mount has `auto_unmount`. The kernel takes rings down some time after their process has been
    /// killed, and the device with them; the helper looks right away whether the mount is dead, and leaves
    /// one alone that does not seem to be.
    AutoUnmount,
    /// One thread of a process under valgrind runs at a time, and valgrind (3.19) does not know that one which
    /// waits in io_uring_enter(2) lets others run.
    Valgrind,
    /// The caller's own I/O.
    CustomIo,
    /// A character device.
    CharDevice,
    /// Each worker was to have its own descriptor.
    CloneFd,
    /// The loop may have one thread only, besides the one that waits for it.
    OneWorker,
    /// The kernel has no such thing.
    OldKernel,
    /// The kernel has it switched off.
    ParameterOff,
    /// A step of setting up failed.
    Failed(&'static str, Errno),
}

impl fmt::Display for Unused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unused::Option => "io_uring is refused by option",
            Unused::OneThread => "one thread serves (option io_uring asks for it all the same)",
            Unused::Filesystem => "the filesystem does not want it",
            Unused::AutoUnmount => "with auto_unmount the mount of a killed process would stay",
            Unused::Valgrind => "under valgrind nothing else runs while a thread waits in a ring",
            Unused::CustomIo => "the program does its own I/O",
            Unused::CharDevice => "character devices have no io_uring",
            Unused::CloneFd => "clone_fd is set",
            Unused::OneWorker => "max_threads is 1",
            Unused::OldKernel => "the kernel has no FUSE over io_uring",
            Unused::ParameterOff => {
                "the kernel's switch is off (/sys/module/fuse/parameters/enable_uring)"
            }
            Unused::Failed("io_uring_setup", Errno::EPERM | Errno::EACCES | Errno::ENOSYS) => {
                "io_uring is forbidden here (seccomp, or sysctl kernel.io_uring_disabled)"
            }
            Unused::Failed(_, Errno::ENOMEM) => "no memory for it (RLIMIT_MEMLOCK, or a cgroup)",
            Unused::Failed(step, error) => return write!(f, "{step} failed: {error}"),
        })
    }
}

impl Unused {
    /// Why the kernel does not offer it.
    pub fn not_offered() -> Unused {
        match std::path::Path::new("/sys/module/fuse/parameters/enable_uring").exists() {
            true => Unused::ParameterOff,
            false => Unused::OldKernel,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_have_names() {
        assert_eq!(TransportChoice::parse("uring"), Some(TransportChoice::Uring));
        assert_eq!(TransportChoice::parse("dev"), Some(TransportChoice::Dev));
        assert_eq!(TransportChoice::parse("auto"), Some(TransportChoice::Auto));
        assert_eq!(TransportChoice::parse("io_uring"), None);
    }

    #[test]
    fn reasons_are_told_apart() {
        let setup = |error| Unused::Failed("io_uring_setup", error).to_string();
        assert!(setup(Errno::EPERM).contains("seccomp"));
        assert!(setup(Errno::ENOMEM).contains("MEMLOCK"));
        assert!(setup(Errno::EMFILE).contains("io_uring_setup failed"));
    }
}
