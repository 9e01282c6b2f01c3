//! Whether a process can be asked: `FERROFUSE_STATS`.

use crate::sys::env;

/// The user's choice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum StatsPolicy {
    /// A socket for sessions with several workers. A program with one thread keeps just that one.
    Auto,
    /// A socket for every session that one of the library's loops serves.
    On,
    /// None. What a session has whose maker does not say, so that only programs' sessions are shown.
    #[default]
    Off,
    /// As `On`, and everything is counted from the beginning.
    Always,
}

impl StatsPolicy {
    /// What `FERROFUSE_STATS` says; an unknown value is reported and has no effect.
    pub fn from_env() -> StatsPolicy {
        let Some(value) = env::secure_var("FERROFUSE_STATS") else { return StatsPolicy::Auto };
        StatsPolicy::parse(&value.to_string_lossy()).unwrap_or_else(|| {
            log::warn!("FERROFUSE_STATS={value:?} is not auto, on, off or always; using auto");
            StatsPolicy::Auto
        })
    }

    /// Reads `auto`, `on`, `off` or `always`.
    pub fn parse(value: &str) -> Option<StatsPolicy> {
        Some(match value {
            "auto" => StatsPolicy::Auto,
            "on" => StatsPolicy::On,
            "off" => StatsPolicy::Off,
            "always" => StatsPolicy::Always,
            _ => return None,
        })
    }

    /// Whether a session has a socket whose loop has several workers, or has not.
    pub fn wants_socket(self, several_workers: bool) -> bool {
        match self {
            StatsPolicy::Auto => several_workers,
            StatsPolicy::On | StatsPolicy::Always => true,
            StatsPolicy::Off => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_thread_stays_one_thread() {
        assert!(!StatsPolicy::Auto.wants_socket(false));
        assert!(StatsPolicy::Auto.wants_socket(true));
        assert!(StatsPolicy::On.wants_socket(false));
        assert!(!StatsPolicy::Off.wants_socket(true));
        assert_eq!(StatsPolicy::parse("always"), Some(StatsPolicy::Always));
        assert_eq!(StatsPolicy::parse("yes"), None);
    }
}
