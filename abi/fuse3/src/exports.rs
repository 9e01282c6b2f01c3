//! The public symbols of `libfuse3.so.3` that `libfuse3.so.4` has otherwise; the rest is in `exports_common`.
//!
//! Symbols and nodes are those of libfuse 3.14 (`abi/tables/symbols-libfuse3.tsv`); what is missing from that table
//! is named, with the reason, in `abi/tables/scope-fuse3.tsv`. Tests compare all three, and the library as built.

use ferrofuse_abi_common::{conn_opts, export};

export!(fuse_session_custom_io @@ "FUSE_3.0" = crate::session::fuse_session_custom_io);
export!(fuse_main_real @@ "FUSE_3.0" = crate::high::main::fuse_main_real);
export!(fuse_new @@ "FUSE_3.1" = crate::high::fuse::fuse_new_31);
export!(fuse_lowlevel_notify_expire_entry @@ "FUSE_3.12" = crate::notify::fuse_lowlevel_notify_expire_entry);
export!(fuse_lowlevel_version @@ "FUSE_3.0" = crate::texts::fuse_lowlevel_version);
export!(fuse_pkgversion @@ "FUSE_3.0" = crate::texts::fuse_pkgversion);
export!(fuse_version @@ "FUSE_3.0" = crate::texts::fuse_version);
export!(fuse_cmdline_help @@ "FUSE_3.0" = crate::texts::cmdline_help);
export!(fuse_lowlevel_help @@ "FUSE_3.0" = crate::texts::lowlevel_help);
export!(fuse_apply_conn_info_opts @@ "FUSE_3.0" = conn_opts::fuse_apply_conn_info_opts);
export!(fuse_daemonize @@ "FUSE_3.0" = crate::daemon::fuse_daemonize);
export!(fuse_remove_signal_handlers @@ "FUSE_3.0" = crate::signals::fuse_remove_signal_handlers);
