//! `struct fuse_config`: its defaults, and what the tree is told of it.

use std::mem;

use ferrofuse::tree::TreeConfig;

use crate::types::FuseConfig;

/// What holds before options and `init` say otherwise.
pub fn defaults() -> Box<FuseConfig> {
    let tree = TreeConfig::default();
    // SAFETY: the struct is numbers and one pointer, for which all zeros is a value.
    let zeros: FuseConfig = unsafe { mem::zeroed() };
    Box::new(FuseConfig {
        entry_timeout: tree.entry_timeout,
        negative_timeout: tree.negative_timeout,
        attr_timeout: tree.attr_timeout,
        intr_signal: tree.intr_signal,
        ..zeros
    })
}

/// The same for the tree.
pub fn tree(config: &FuseConfig) -> TreeConfig {
    TreeConfig {
        set_gid: (config.set_gid != 0).then_some(config.gid),
        set_uid: (config.set_uid != 0).then_some(config.uid),
        set_mode: config.set_mode != 0,
        umask: config.umask,
        entry_timeout: config.entry_timeout,
        negative_timeout: config.negative_timeout,
        attr_timeout: config.attr_timeout,
        intr: config.intr != 0,
        intr_signal: config.intr_signal,
        remember: config.remember,
        hard_remove: config.hard_remove != 0,
        use_ino: config.use_ino != 0,
        readdir_ino: config.readdir_ino != 0,
        direct_io: config.direct_io != 0,
        kernel_cache: config.kernel_cache != 0,
        auto_cache: config.auto_cache != 0,
        no_rofd_flush: config.no_rofd_flush != 0,
        ac_attr_timeout: Some(config.ac_attr_timeout),
        nullpath_ok: config.nullpath_ok != 0,
        debug: config.debug != 0,
        ..config.later()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_the_trees() {
        let mut config = defaults();
        config.ac_attr_timeout = config.attr_timeout;
        let want = TreeConfig { ac_attr_timeout: Some(1.0), ..TreeConfig::default() };
        assert_eq!(tree(&config), want);
    }
}
