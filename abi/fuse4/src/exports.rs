//! The public symbols of `libfuse3.so.4` that `libfuse3.so.3` has otherwise, or not at all; the rest is in
//! `exports_common`.
//!
//! Symbols and nodes are those of libfuse 3.19 (`abi/tables/symbols-libfuse3.tsv`). Tests compare the table, this file
//! and the library as built.

use ferrofuse_abi_common::export;

use crate::newer::{
    contexts, devices, early, fatal, features, notify, passthrough, rings, service, session, statx,
    syslog, versioned, watchdog,
};

// What has the name of a symbol of 3.14.
export!(fuse_apply_conn_info_opts @@ "FUSE_3.0" = features::fuse_apply_conn_info_opts);
export!(fuse_cmdline_help @@ "FUSE_3.0" = crate::texts::cmdline_help);
export!(fuse_daemonize @@ "FUSE_3.0" = crate::daemon::fuse_daemonize);
export!(fuse_lowlevel_help @@ "FUSE_3.0" = crate::texts::lowlevel_help);
export!(fuse_lowlevel_notify_expire_entry @@ "FUSE_3.12" = notify::fuse_lowlevel_notify_expire_entry);
export!(fuse_lowlevel_version @@ "FUSE_3.0" = crate::texts::fuse_lowlevel_version);
export!(fuse_main_real @@ "FUSE_3.0" = crate::high::main::fuse_main_real);
export!(fuse_new @ "FUSE_3.1" = crate::high::fuse::fuse_new_31);
export!(fuse_pkgversion @@ "FUSE_3.0" = crate::texts::fuse_pkgversion);
export!(fuse_remove_signal_handlers @@ "FUSE_3.0" = fatal::fuse_remove_signal_handlers);
export!(fuse_session_custom_io @ "FUSE_3.0" = crate::session::fuse_session_custom_io);
export!(fuse_version @@ "FUSE_3.0" = crate::texts::fuse_version);

// 3.17.
export!(_fuse_new_30 @@ "FUSE_3.17" = versioned::_fuse_new_30);
export!(_fuse_new_31 @@ "FUSE_3.17" = versioned::_fuse_new_31);
export!(fuse_log_close_syslog @@ "FUSE_3.17" = syslog::fuse_log_close_syslog);
export!(fuse_log_enable_syslog @@ "FUSE_3.17" = syslog::fuse_log_enable_syslog);
export!(fuse_main_real_versioned @@ "FUSE_3.17" = versioned::fuse_main_real_versioned);
export!(fuse_passthrough_close @@ "FUSE_3.17" = passthrough::fuse_passthrough_close);
export!(fuse_passthrough_open @@ "FUSE_3.17" = passthrough::fuse_passthrough_open);
export!(fuse_session_custom_io @@ "FUSE_3.17" = session::fuse_session_custom_io_317);
export!(fuse_session_custom_io_30 @@ "FUSE_3.17" = crate::session::fuse_session_custom_io);
export!(fuse_session_custom_io_317 @@ "FUSE_3.17" = session::fuse_session_custom_io_317);
export!(fuse_session_new_versioned @@ "FUSE_3.17" = versioned::fuse_session_new_versioned);
export!(fuse_set_fail_signal_handlers @@ "FUSE_3.17" = fatal::fuse_set_fail_signal_handlers);

// 3.17.3.
export!(fuse_convert_to_conn_want_ext @@ "FUSE_3.17.3" = features::fuse_convert_to_conn_want_ext);
export!(fuse_get_feature_flag @@ "FUSE_3.17.3" = features::fuse_get_feature_flag);
export!(fuse_set_feature_flag @@ "FUSE_3.17.3" = features::fuse_set_feature_flag);
export!(fuse_unset_feature_flag @@ "FUSE_3.17.3" = features::fuse_unset_feature_flag);

// 3.18.
export!(fuse_fs_statx @@ "FUSE_3.18" = statx::fuse_fs_statx);
export!(fuse_lowlevel_notify_increment_epoch @@ "FUSE_3.18" = notify::fuse_lowlevel_notify_increment_epoch);
export!(fuse_reply_statx @@ "FUSE_3.18" = statx::fuse_reply_statx);
export!(fuse_req_get_payload @@ "FUSE_3.18" = rings::fuse_req_get_payload);
export!(fuse_req_is_uring @@ "FUSE_3.18" = rings::fuse_req_is_uring);

// 3.19.
export!(cuse_lowlevel_main_319 @@ "FUSE_3.19" = devices::cuse_lowlevel_main_319);
export!(cuse_lowlevel_new_319 @@ "FUSE_3.19" = devices::cuse_lowlevel_new_319);
export!(cuse_lowlevel_setup_319 @@ "FUSE_3.19" = devices::cuse_lowlevel_setup_319);
export!(fuse_daemonize_early_fail @@ "FUSE_3.19" = early::fuse_daemonize_early_fail);
export!(fuse_daemonize_early_is_active @@ "FUSE_3.19" = early::fuse_daemonize_early_is_active);
export!(fuse_daemonize_early_start @@ "FUSE_3.19" = early::fuse_daemonize_early_start);
export!(fuse_daemonize_early_success @@ "FUSE_3.19" = early::fuse_daemonize_early_success);
export!(fuse_lowlevel_notify_prune @@ "FUSE_3.19" = notify::fuse_lowlevel_notify_prune);
export!(fuse_req_secctx_count @@ "FUSE_3.19" = contexts::fuse_req_secctx_count);
export!(fuse_req_secctx_next @@ "FUSE_3.19" = contexts::fuse_req_secctx_next);
export!(fuse_req_secctx_reset @@ "FUSE_3.19" = contexts::fuse_req_secctx_reset);
export!(fuse_service_accept @@ "FUSE_3.19" = service::fuse_service_accept);
export!(fuse_service_append_args @@ "FUSE_3.19" = service::arguments::fuse_service_append_args);
export!(fuse_service_can_allow_other @@ "FUSE_3.19" = service::fuse_service_can_allow_other);
export!(fuse_service_can_fuseblk @@ "FUSE_3.19" = service::fuse_service_can_fuseblk);
export!(fuse_service_cmdline @@ "FUSE_3.19" = service::arguments::fuse_service_cmdline);
export!(fuse_service_destroy @@ "FUSE_3.19" = service::fuse_service_destroy);
export!(fuse_service_exit @@ "FUSE_3.19" = service::fuse_service_exit);
export!(fuse_service_expect_mount_format @@ "FUSE_3.19" = service::fuse_service_expect_mount_format);
export!(fuse_service_finish_file_requests @@ "FUSE_3.19" = service::fuse_service_finish_file_requests);
export!(fuse_service_main_real_versioned @@ "FUSE_3.19" = service::main::fuse_service_main_real_versioned);
export!(fuse_service_parse_cmdline_opts @@ "FUSE_3.19" = service::arguments::fuse_service_parse_cmdline_opts);
export!(fuse_service_receive_file @@ "FUSE_3.19" = service::fuse_service_receive_file);
export!(fuse_service_release @@ "FUSE_3.19" = service::fuse_service_release);
export!(fuse_service_request_blockdev @@ "FUSE_3.19" = service::fuse_service_request_blockdev);
export!(fuse_service_request_file @@ "FUSE_3.19" = service::fuse_service_request_file);
export!(fuse_service_send_goodbye @@ "FUSE_3.19" = service::fuse_service_send_goodbye);
export!(fuse_service_session_mount @@ "FUSE_3.19" = service::fuse_service_session_mount);
export!(fuse_session_set_debug @@ "FUSE_3.19" = session::fuse_session_set_debug);
export!(fuse_session_set_sync_init @@ "FUSE_3.19" = session::fuse_session_set_sync_init);
export!(fuse_session_start_teardown_watchdog @@ "FUSE_3.19" = watchdog::fuse_session_start_teardown_watchdog);
export!(fuse_session_stop_teardown_watchdog @@ "FUSE_3.19" = watchdog::fuse_session_stop_teardown_watchdog);
export!(fuse_set_conn_flag @@ "FUSE_3.19" = features::fuse_set_conn_flag);
