//! Whose library programs get.

use std::process::{Command, Stdio};

use super::{Finding, State};
use crate::libraries::{SONAMES, folder, is_ours, present};

/// The file that the loader finds under a name, by its own list.
fn installed(list: &str, name: &str) -> Option<String> {
    let line = list.lines().find(|line| line.split_whitespace().next() == Some(name))?;
    Some(line.rsplit_once(" => ")?.1.to_owned())
}

fn loader_list() -> String {
    // Debian has it where a user's PATH does not lead.
    let listed = ["/sbin/ldconfig", "ldconfig"].iter().find_map(|program| {
        Command::new(program).arg("-p").stdin(Stdio::null()).stderr(Stdio::null()).output().ok()
    });
    listed.map(|output| String::from_utf8_lossy(&output.stdout).into_owned()).unwrap_or_default()
}

/// Which library each name stands for.
pub fn findings() -> Vec<Finding> {
    let list = loader_list();
    let (ours, here) = match folder() {
        Ok(folder) => (present(&folder), folder.display().to_string()),
        Err(_) => (Vec::new(), String::new()),
    };
    let mut findings = Vec::new();
    for name in SONAMES {
        let found = installed(&list, name);
        let finding = match &found {
            Some(path) if is_ours(path.as_ref()) => {
                Finding::new(name, State::On, format!("programs get ferrofuse ({path})"))
            }
            Some(path) if ours.contains(&name) => Finding::new(
                name,
                State::Off,
                format!("programs get {path}; ferrofuse's is in {here}"),
            )
            .fix("ferrofuse-run PROGRAM ... (one program); the Debian packages (all of them)"),
            Some(path) => Finding::new(name, State::Missing, format!("programs get {path}")),
            None if ours.contains(&name) => {
                Finding::new(name, State::Off, format!("only in {here}"))
                    .fix("ferrofuse-run PROGRAM ...")
            }
            None => continue,
        };
        findings.push(finding);
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_loader_s_list() {
        let list = "2 libs found\n\tlibfuse3.so.3 (libc6,x86-64) => /usr/lib/libfuse3.so.3\n\
                    \tlibfuse.so.2 (libc6,x86-64) => /usr/lib/libfuse.so.2\n";
        assert_eq!(installed(list, "libfuse.so.2").as_deref(), Some("/usr/lib/libfuse.so.2"));
        assert_eq!(installed(list, "libfuse3.so.4"), None);
    }
}
