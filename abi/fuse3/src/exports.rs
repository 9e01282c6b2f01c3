//! Every public symbol of `libfuse3.so.3`, its version node and the function behind it.
//!
//! Symbols and nodes are those of libfuse 3.14 (`abi/tables/symbols-libfuse3.tsv`); what is missing from that table
//! is named, with the reason, in `abi/tables/scope-fuse3.tsv`. Tests compare all three, and the library as built.

use ferrofuse_abi_common::{cmdline, conn_opts, daemonize, export, log, opt, version};

// Sessions: from creation to unmounting.
export!(fuse_open_channel @@ "FUSE_3.3" = crate::session::fuse_open_channel);
export!(fuse_session_custom_io @@ "FUSE_3.0" = crate::session::fuse_session_custom_io);
export!(fuse_session_destroy @@ "FUSE_3.0" = crate::session::fuse_session_destroy);
export!(fuse_session_exit @@ "FUSE_3.0" = crate::session::fuse_session_exit);
export!(fuse_session_exited @@ "FUSE_3.0" = crate::session::fuse_session_exited);
export!(fuse_session_fd @@ "FUSE_3.0" = crate::session::fuse_session_fd);
export!(fuse_session_mount @@ "FUSE_3.0" = crate::session::fuse_session_mount);
export!(fuse_session_new @@ "FUSE_3.0" = crate::session::fuse_session_new);
export!(fuse_session_process_buf @@ "FUSE_3.0" = crate::session::fuse_session_process_buf);
export!(fuse_session_receive_buf @@ "FUSE_3.0" = crate::session::fuse_session_receive_buf);
export!(fuse_session_reset @@ "FUSE_3.0" = crate::session::fuse_session_reset);
export!(fuse_session_unmount @@ "FUSE_3.0" = crate::session::fuse_session_unmount);

// Session loops and their configuration.
export!(fuse_loop_cfg_convert @@ "FUSE_3.12" = crate::loops::fuse_loop_cfg_convert);
export!(fuse_loop_cfg_create @@ "FUSE_3.12" = crate::loops::fuse_loop_cfg_create);
export!(fuse_loop_cfg_destroy @@ "FUSE_3.12" = crate::loops::fuse_loop_cfg_destroy);
export!(fuse_loop_cfg_set_clone_fd @@ "FUSE_3.12" = crate::loops::fuse_loop_cfg_set_clone_fd);
export!(fuse_loop_cfg_set_idle_threads @@ "FUSE_3.12" = crate::loops::fuse_loop_cfg_set_idle_threads);
export!(fuse_loop_cfg_set_max_threads @@ "FUSE_3.12" = crate::loops::fuse_loop_cfg_set_max_threads);
export!(fuse_session_loop @@ "FUSE_3.0" = crate::loops::fuse_session_loop);
export!(fuse_session_loop_mt @ "FUSE_3.0" = crate::loops::fuse_session_loop_mt_31);
export!(fuse_session_loop_mt @ "FUSE_3.2" = crate::loops::fuse_session_loop_mt_32);
export!(fuse_session_loop_mt @@ "FUSE_3.12" = crate::loops::fuse_session_loop_mt_312);
export!(fuse_session_loop_mt_31 @@ "FUSE_3.2" = crate::loops::fuse_session_loop_mt_31);
export!(fuse_session_loop_mt_312 @@ "FUSE_3.12" = crate::loops::fuse_session_loop_mt_312);
export!(fuse_session_loop_mt_32 @@ "FUSE_3.2" = crate::loops::fuse_session_loop_mt_32);

// What a handler can ask of its request.
export!(fuse_req_ctx @@ "FUSE_3.0" = crate::request::fuse_req_ctx);
export!(fuse_req_getgroups @@ "FUSE_3.0" = crate::request::fuse_req_getgroups);
export!(fuse_req_interrupt_func @@ "FUSE_3.0" = crate::request::fuse_req_interrupt_func);
export!(fuse_req_interrupted @@ "FUSE_3.0" = crate::request::fuse_req_interrupted);
export!(fuse_req_userdata @@ "FUSE_3.0" = crate::request::fuse_req_userdata);

// Replies.
export!(fuse_add_direntry @@ "FUSE_3.0" = crate::reply::fuse_add_direntry);
export!(fuse_add_direntry_plus @@ "FUSE_3.0" = crate::reply::fuse_add_direntry_plus);
export!(fuse_reply_attr @@ "FUSE_3.0" = crate::reply::fuse_reply_attr);
export!(fuse_reply_bmap @@ "FUSE_3.0" = crate::reply::fuse_reply_bmap);
export!(fuse_reply_buf @@ "FUSE_3.0" = crate::reply::fuse_reply_buf);
export!(fuse_reply_create @@ "FUSE_3.0" = crate::reply::fuse_reply_create);
export!(fuse_reply_data @@ "FUSE_3.0" = crate::reply::fuse_reply_data);
export!(fuse_reply_entry @@ "FUSE_3.0" = crate::reply::fuse_reply_entry);
export!(fuse_reply_err @@ "FUSE_3.0" = crate::reply::fuse_reply_err);
export!(fuse_reply_ioctl @@ "FUSE_3.0" = crate::reply::fuse_reply_ioctl);
export!(fuse_reply_ioctl_iov @@ "FUSE_3.0" = crate::reply::fuse_reply_ioctl_iov);
export!(fuse_reply_ioctl_retry @@ "FUSE_3.0" = crate::reply::fuse_reply_ioctl_retry);
export!(fuse_reply_iov @@ "FUSE_3.0" = crate::reply::fuse_reply_iov);
export!(fuse_reply_lock @@ "FUSE_3.0" = crate::reply::fuse_reply_lock);
export!(fuse_reply_lseek @@ "FUSE_3.0" = crate::reply::fuse_reply_lseek);
export!(fuse_reply_none @@ "FUSE_3.0" = crate::reply::fuse_reply_none);
export!(fuse_reply_open @@ "FUSE_3.0" = crate::reply::fuse_reply_open);
export!(fuse_reply_poll @@ "FUSE_3.0" = crate::reply::fuse_reply_poll);
export!(fuse_reply_readlink @@ "FUSE_3.0" = crate::reply::fuse_reply_readlink);
export!(fuse_reply_statfs @@ "FUSE_3.0" = crate::reply::fuse_reply_statfs);
export!(fuse_reply_write @@ "FUSE_3.0" = crate::reply::fuse_reply_write);
export!(fuse_reply_xattr @@ "FUSE_3.0" = crate::reply::fuse_reply_xattr);

// Notifications to the kernel.
export!(fuse_lowlevel_notify_delete @@ "FUSE_3.0" = crate::notify::fuse_lowlevel_notify_delete);
export!(fuse_lowlevel_notify_expire_entry @@ "FUSE_3.12" = crate::notify::fuse_lowlevel_notify_expire_entry);
export!(fuse_lowlevel_notify_inval_entry @@ "FUSE_3.0" = crate::notify::fuse_lowlevel_notify_inval_entry);
export!(fuse_lowlevel_notify_inval_inode @@ "FUSE_3.0" = crate::notify::fuse_lowlevel_notify_inval_inode);
export!(fuse_lowlevel_notify_poll @@ "FUSE_3.0" = crate::notify::fuse_lowlevel_notify_poll);
export!(fuse_lowlevel_notify_retrieve @@ "FUSE_3.0" = crate::notify::fuse_lowlevel_notify_retrieve);
export!(fuse_lowlevel_notify_store @@ "FUSE_3.0" = crate::notify::fuse_lowlevel_notify_store);
export!(fuse_pollhandle_destroy @@ "FUSE_3.0" = crate::notify::fuse_pollhandle_destroy);

// Buffer vectors.
export!(fuse_buf_copy @@ "FUSE_3.0" = crate::buffer::fuse_buf_copy);
export!(fuse_buf_size @@ "FUSE_3.0" = crate::buffer::fuse_buf_size);

// Versions.
export!(fuse_lowlevel_version @@ "FUSE_3.0" = version::fuse_lowlevel_version);
export!(fuse_pkgversion @@ "FUSE_3.0" = version::fuse_pkgversion);
export!(fuse_version @@ "FUSE_3.0" = version::fuse_version);

// Command line.
export!(fuse_cmdline_help @@ "FUSE_3.0" = cmdline::cmdline_help);
export!(fuse_lowlevel_help @@ "FUSE_3.0" = cmdline::lowlevel_help);
export!(fuse_parse_cmdline @ "FUSE_3.0" = crate::cmdline::fuse_parse_cmdline_30);
export!(fuse_parse_cmdline @@ "FUSE_3.12" = crate::cmdline::fuse_parse_cmdline_312);
export!(fuse_parse_cmdline_30 @@ "FUSE_3.12" = crate::cmdline::fuse_parse_cmdline_30);
export!(fuse_parse_cmdline_312 @@ "FUSE_3.12" = crate::cmdline::fuse_parse_cmdline_312);

// The option parser.
export!(fuse_opt_add_arg @@ "FUSE_3.0" = opt::fuse_opt_add_arg);
export!(fuse_opt_add_opt @@ "FUSE_3.0" = opt::fuse_opt_add_opt);
export!(fuse_opt_add_opt_escaped @@ "FUSE_3.0" = opt::fuse_opt_add_opt_escaped);
export!(fuse_opt_free_args @@ "FUSE_3.0" = opt::fuse_opt_free_args);
export!(fuse_opt_insert_arg @@ "FUSE_3.0" = opt::fuse_opt_insert_arg);
export!(fuse_opt_match @@ "FUSE_3.0" = opt::fuse_opt_match);
export!(fuse_opt_parse @@ "FUSE_3.0" = opt::fuse_opt_parse);

// Connection options.
export!(fuse_apply_conn_info_opts @@ "FUSE_3.0" = conn_opts::fuse_apply_conn_info_opts);
export!(fuse_parse_conn_info_opts @@ "FUSE_3.0" = conn_opts::fuse_parse_conn_info_opts);

// Logging.
export!(fuse_log @@ "FUSE_3.7" = log::ferrofuse_fuse_log);
export!(fuse_set_log_func @@ "FUSE_3.7" = log::fuse_set_log_func);

// Daemons and signals.
export!(fuse_daemonize @@ "FUSE_3.0" = daemonize::fuse_daemonize);
export!(fuse_remove_signal_handlers @@ "FUSE_3.0" = crate::signals::fuse_remove_signal_handlers);
export!(fuse_set_signal_handlers @@ "FUSE_3.0" = crate::signals::fuse_set_signal_handlers);
