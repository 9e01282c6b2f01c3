//! Whether workers are placed: `FERROFUSE_PLACEMENT`.

use crate::sys::env;

/// The user's choice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PlacementChoice {
    /// Where trying shows that it pays. With max_threads > 1 only.
    Auto,
    /// Never. What a session has whose maker does not say.
    #[default]
    Never,
    /// As soon as there is something to do, whether it pays or not.
    Always,
}

impl PlacementChoice {
    /// What `FERROFUSE_PLACEMENT` says; an unknown value is reported and has no effect.
    pub fn from_env() -> PlacementChoice {
        let Some(value) = env::secure_var("FERROFUSE_PLACEMENT") else {
            return PlacementChoice::Auto;
        };
        PlacementChoice::parse(&value.to_string_lossy()).unwrap_or_else(|| {
            log::warn!("FERROFUSE_PLACEMENT={value:?} is not auto, never or always; using auto");
            PlacementChoice::Auto
        })
    }

    fn parse(value: &str) -> Option<PlacementChoice> {
        Some(match value {
            "auto" => PlacementChoice::Auto,
            "never" => PlacementChoice::Never,
            "always" => PlacementChoice::Always,
            _ => return None,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_have_names() {
        assert_eq!(PlacementChoice::parse("auto"), Some(PlacementChoice::Auto));
        assert_eq!(PlacementChoice::parse("never"), Some(PlacementChoice::Never));
        assert_eq!(PlacementChoice::parse("always"), Some(PlacementChoice::Always));
        assert_eq!(PlacementChoice::parse("Auto"), None);
    }
}
