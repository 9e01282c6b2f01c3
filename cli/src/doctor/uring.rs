//! Requests by io_uring.

use ferrofuse::Errno;
use ferrofuse::transport::uring::Unused;

use super::system::System;
use super::{Finding, State};

const SWITCH: &str = "/sys/module/fuse/parameters/enable_uring";
const SUBJECT: &str = "io_uring";

/// Whether requests can come by io_uring.
pub fn finding(system: &System) -> Finding {
    finding_with(system, std::env::var("FERROFUSE_TRANSPORT").ok().as_deref(), ring)
}

/// Whether this process can make a ring.
fn ring() -> Result<(), Errno> {
    io_uring::IoUring::new(2).map(|_| ()).map_err(Errno::from)
}

fn finding_with(
    system: &System,
    choice: Option<&str>,
    ring: impl FnOnce() -> Result<(), Errno>,
) -> Finding {
    if choice == Some("dev") {
        return Finding::new(SUBJECT, State::Off, "FERROFUSE_TRANSPORT=dev refuses it")
            .fix("unset FERROFUSE_TRANSPORT");
    }
    let (release, _) = system.kernel();
    match system.text(SWITCH).as_deref() {
        None if !system.has("/sys/module/fuse") => {
            return Finding::new(SUBJECT, State::Missing, "the fuse module is not loaded")
                .fix("modprobe fuse");
        }
        None => {
            let reason =
                format!("Linux 6.14 is needed, this is {release}; or it was built without");
            return Finding::new(SUBJECT, State::Missing, reason);
        }
        Some("Y") => {}
        Some(_) => {
            return Finding::new(SUBJECT, State::Off, Unused::ParameterOff.to_string()).fix(
                format!(
                    "echo 1 > {SWITCH}   (for good: echo options fuse enable_uring=1 > \
                 /etc/modprobe.d/fuse-uring.conf)"
                ),
            );
        }
    }
    if let Err(error) = ring() {
        let fix = match system.number("/proc/sys/kernel/io_uring_disabled") {
            Some(1 | 2) => "sysctl kernel.io_uring_disabled=0",
            _ if error == Errno::ENOMEM => "ulimit -l unlimited",
            _ => "allow io_uring_setup in the seccomp profile (podman, docker: --security-opt)",
        };
        let reason = Unused::Failed("io_uring_setup", error).to_string();
        return Finding::new(SUBJECT, State::Off, reason).fix(fix);
    }
    Finding::new(
        SUBJECT,
        State::On,
        "the kernel offers it; used by multi-threaded filesystems without clone_fd and auto_unmount, as \
         FERROFUSE_LOG=info says of each (all others: FERROFUSE_TRANSPORT=uring)",
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::tests_support::machine;

    fn of(files: &[(&str, &str)], choice: Option<&str>, ring: Result<(), Errno>) -> Finding {
        let (_folder, system) = machine(files);
        finding_with(&system, choice, || ring)
    }

    #[test]
    fn each_reason_has_its_command() {
        let old = of(&[("/sys/module/fuse/parameters/max_user_bgreq", "1")], None, Ok(()));
        assert_eq!(old.state, State::Missing);
        let off = of(&[(SWITCH, "N\n")], None, Ok(()));
        assert!(off.state == State::Off && off.command.unwrap_or_default().contains(SWITCH));
        let disabled = [(SWITCH, "Y\n"), ("/proc/sys/kernel/io_uring_disabled", "2")];
        let disabled = of(&disabled, None, Err(Errno::EPERM)).command.unwrap_or_default();
        assert!(disabled.contains("io_uring_disabled=0"));
        let refused = of(&[(SWITCH, "Y\n")], Some("dev"), Ok(()));
        assert!(refused.command.unwrap_or_default().contains("unset"));
        assert_eq!(of(&[(SWITCH, "Y\n")], None, Ok(())).state, State::On);
    }
}
