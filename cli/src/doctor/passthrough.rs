//! Passthrough: reads and writes that the kernel does in a backing file by itself.

use super::system::System;
use super::{Finding, State};
use crate::libraries::{folder, present};

const SUBJECT: &str = "passthrough";

/// Whether it can be used.
pub fn finding(system: &System) -> Finding {
    let has_interface = folder().is_ok_and(|folder| present(&folder).contains(&"libfuse3.so.4"));
    finding_with(system, has_interface)
}

fn finding_with(system: &System, has_interface: bool) -> Finding {
    let (release, version) = system.kernel();
    if version < (6, 9) {
        let reason = format!("Linux 6.9 is needed, this is {release}");
        return Finding::new(SUBJECT, State::Missing, reason);
    }
    let config = system.text(&format!("/boot/config-{release}"));
    if config.is_some_and(|config| !config.contains("CONFIG_FUSE_PASSTHROUGH=y")) {
        let reason = format!("Linux {release} was built without CONFIG_FUSE_PASSTHROUGH");
        return Finding::new(SUBJECT, State::Missing, reason);
    }
    if !has_interface {
        return Finding::new(
            SUBJECT,
            State::Missing,
            "programs ask for it by libfuse3.so.4, which is not here",
        );
    }
    if !system.is_root {
        return Finding::new(SUBJECT, State::Off, "the kernel grants it to root only")
            .fix("sudo PROGRAM ...");
    }
    Finding::new(SUBJECT, State::On, "for programs of libfuse 3.17 and later that ask for it")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::tests_support::machine;

    #[test]
    fn reasons() {
        let old = [("/proc/sys/kernel/osrelease", "6.1.0-13-amd64")];
        assert!(finding_with(&machine(&old).1, true).reason.contains("6.9"));
        let files = [
            ("/proc/sys/kernel/osrelease", "6.12.1"),
            ("/boot/config-6.12.1", "# CONFIG_FUSE_PASSTHROUGH is not set\n"),
        ];
        let (_folder, system) = machine(&files);
        assert!(finding_with(&system, true).reason.contains("built without"));
        let (_folder, system) = machine(&[("/proc/sys/kernel/osrelease", "6.12.1")]);
        assert_eq!(finding_with(&system, true).command.as_deref(), Some("sudo PROGRAM ..."));
        assert!(finding_with(&system, false).reason.contains("libfuse3.so.4"));
    }
}
