//! Whether filesystems can be mounted, and by whom.

use super::system::System;
use super::{Finding, State};

/// The device, the mount helpers, and what users may ask for.
pub fn findings(system: &System) -> Vec<Finding> {
    vec![device(system), helper(system), allow_other(system), namespaces(system)]
}

fn device(system: &System) -> Finding {
    const SUBJECT: &str = "/dev/fuse";
    let Some(found) = system.device("/dev/fuse") else {
        return Finding::new(
            SUBJECT,
            State::Broken,
            "there is no such device: the kernel module is not loaded, or this container was not \
             given it",
        )
        .fix("modprobe fuse   (in a container: docker run --device /dev/fuse ...)");
    };
    let mode = found.mode;
    if !found.opens {
        return Finding::new(SUBJECT, State::Broken, format!("can't be opened (mode {mode:03o})"))
            .fix("chmod 666 /dev/fuse");
    }
    if mode & 0o006 != 0o006 {
        let reason = format!("mode {mode:03o}: not for all users");
        return Finding::new(SUBJECT, State::Off, reason).fix("chmod 666 /dev/fuse");
    }
    Finding::new(SUBJECT, State::On, format!("can be opened by all (mode {mode:03o})"))
}

fn helper(system: &System) -> Finding {
    const SUBJECT: &str = "mounts by users";
    const ROOT: u32 = 0;
    let Some((path, mode, owner)) = system.program("fusermount3") else {
        return Finding::new(
            SUBJECT,
            State::Off,
            "fusermount3 is not installed: only root can mount",
        )
        .fix("apt-get install fuse3");
    };
    let path = path.display();
    if mode & libc::S_ISUID == 0 || owner != ROOT {
        let reason = format!("{path} is not set-user-ID root: only root can mount");
        return Finding::new(SUBJECT, State::Off, reason)
            .fix(format!("chown root {path} && chmod u+s {path}"));
    }
    Finding::new(SUBJECT, State::On, format!("{path} mounts for them"))
}

fn allow_other(system: &System) -> Finding {
    const SUBJECT: &str = "allow_other for users";
    let text = system.text("/etc/fuse.conf").unwrap_or_default();
    if text.lines().any(|line| line.trim() == "user_allow_other") {
        return Finding::new(SUBJECT, State::On, "user_allow_other is in /etc/fuse.conf");
    }
    Finding::new(
        SUBJECT,
        State::Off,
        "user_allow_other is not in /etc/fuse.conf: a user's mount is that user's alone",
    )
    .fix("echo user_allow_other >> /etc/fuse.conf")
}

fn namespaces(system: &System) -> Finding {
    const SUBJECT: &str = "mounts in user namespaces";
    let off = |path: &str| system.number(path) == Some(0);
    if off("/proc/sys/user/max_user_namespaces") {
        return Finding::new(SUBJECT, State::Off, "user.max_user_namespaces is 0")
            .fix("sysctl user.max_user_namespaces=10000");
    }
    if off("/proc/sys/kernel/unprivileged_userns_clone") {
        return Finding::new(SUBJECT, State::Off, "kernel.unprivileged_userns_clone is 0")
            .fix("sysctl kernel.unprivileged_userns_clone=1");
    }
    if system.number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == Some(1) {
        return Finding::new(SUBJECT, State::Off, "AppArmor keeps users from user namespaces")
            .fix("sysctl kernel.apparmor_restrict_unprivileged_userns=0");
    }
    if system.kernel().1 < (4, 18) {
        return Finding::new(SUBJECT, State::Missing, "Linux 4.18 is needed");
    }
    Finding::new(SUBJECT, State::On, "the kernel allows them (rootless containers)")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::tests_support::machine;

    #[test]
    fn a_machine_without_anything() {
        let (_folder, system) = machine(&[("/proc/sys/kernel/osrelease", "6.1.0")]);
        let states: Vec<_> = findings(&system).iter().map(|finding| finding.state).collect();
        assert_eq!(states, [State::Broken, State::Off, State::Off, State::On]);
        assert!(findings(&system)[..3].iter().all(|finding| finding.command.is_some()));
    }

    #[test]
    fn a_line_of_fuse_conf_that_is_a_comment_does_not_count() {
        let commented = [("/etc/fuse.conf", "#user_allow_other\n")];
        assert_eq!(allow_other(&machine(&commented).1).state, State::Off);
        let set = [("/etc/fuse.conf", "mount_max = 7\nuser_allow_other\n")];
        let (_folder, system) = machine(&set);
        assert_eq!(allow_other(&system).state, State::On);
    }
}
