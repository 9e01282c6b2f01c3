//! The public symbols that every `libfuse3.so` has at the same version node, with the function behind each.
//!
//! The others are in `exports`, of this library and of `libfuse3.so.4`, which compiles this file with its own types.

use ferrofuse_abi_common::{conn_opts, export, log, opt};

// Sessions: from creation to unmounting.
export!(fuse_open_channel @@ "FUSE_3.3" = crate::session::fuse_open_channel);
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

// Character devices.
export!(cuse_lowlevel_main @@ "FUSE_3.0" = crate::cuse::cuse_lowlevel_main);
export!(cuse_lowlevel_new @@ "FUSE_3.0" = crate::cuse::cuse_lowlevel_new);
export!(cuse_lowlevel_setup @@ "FUSE_3.0" = crate::cuse_setup::cuse_lowlevel_setup);
export!(cuse_lowlevel_teardown @@ "FUSE_3.0" = crate::cuse::cuse_lowlevel_teardown);

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

// The path-based API: file systems, their loops, and the main function.
export!(fuse_clean_cache @@ "FUSE_3.0" = crate::high::handle::fuse_clean_cache);
export!(fuse_destroy @@ "FUSE_3.0" = crate::high::handle::fuse_destroy);
export!(fuse_exit @@ "FUSE_3.0" = crate::high::handle::fuse_exit);
export!(fuse_get_session @@ "FUSE_3.0" = crate::high::handle::fuse_get_session);
export!(fuse_invalidate_path @@ "FUSE_3.1" = crate::high::fuse::fuse_invalidate_path);
export!(fuse_lib_help @@ "FUSE_3.1" = crate::high::options::fuse_lib_help);
export!(fuse_loop @@ "FUSE_3.0" = crate::high::loops::fuse_loop);
export!(fuse_loop_mt @ "FUSE_3.0" = crate::high::loops::fuse_loop_mt_31);
export!(fuse_loop_mt @ "FUSE_3.2" = crate::high::loops::fuse_loop_mt_32);
export!(fuse_loop_mt @@ "FUSE_3.12" = crate::high::loops::fuse_loop_mt_312);
export!(fuse_loop_mt_31 @@ "FUSE_3.2" = crate::high::loops::fuse_loop_mt_31);
export!(fuse_loop_mt_312 @@ "FUSE_3.12" = crate::high::loops::fuse_loop_mt_312);
export!(fuse_loop_mt_32 @@ "FUSE_3.12" = crate::high::loops::fuse_loop_mt_32);
export!(fuse_mount @@ "FUSE_3.0" = crate::high::fuse::fuse_mount);
export!(fuse_new @ "FUSE_3.0" = crate::high::fuse::fuse_new_30);
export!(fuse_new_30 @@ "FUSE_3.1" = crate::high::fuse::fuse_new_30);
export!(fuse_new_31 @@ "FUSE_3.1" = crate::high::fuse::fuse_new_31);
export!(fuse_start_cleanup_thread @@ "FUSE_3.0" = crate::high::handle::fuse_start_cleanup_thread);
export!(fuse_stop_cleanup_thread @@ "FUSE_3.0" = crate::high::handle::fuse_stop_cleanup_thread);
export!(fuse_unmount @@ "FUSE_3.0" = crate::high::fuse::fuse_unmount);

// What a path-based operation can ask of its request.
export!(fuse_get_context @@ "FUSE_3.0" = crate::high::context::fuse_get_context);
export!(fuse_getgroups @@ "FUSE_3.0" = crate::high::context::fuse_getgroups);
export!(fuse_interrupted @@ "FUSE_3.0" = crate::high::context::fuse_interrupted);
export!(fuse_notify_poll @@ "FUSE_3.0" = crate::notify::fuse_lowlevel_notify_poll);

// File systems in a stack.
export!(fuse_fs_access @@ "FUSE_3.0" = crate::high::names::fuse_fs_access);
export!(fuse_fs_bmap @@ "FUSE_3.0" = crate::high::files::fuse_fs_bmap);
export!(fuse_fs_chmod @@ "FUSE_3.0" = crate::high::shaped::fuse_fs_chmod);
export!(fuse_fs_chown @@ "FUSE_3.0" = crate::high::shaped::fuse_fs_chown);
export!(fuse_fs_copy_file_range @@ "FUSE_3.4" = crate::high::shaped::fuse_fs_copy_file_range);
export!(fuse_fs_create @@ "FUSE_3.0" = crate::high::files::fuse_fs_create);
export!(fuse_fs_destroy @@ "FUSE_3.0" = crate::high::fs::fuse_fs_destroy);
export!(fuse_fs_fallocate @@ "FUSE_3.0" = crate::high::files::fuse_fs_fallocate);
export!(fuse_fs_flock @@ "FUSE_3.0" = crate::high::files::fuse_fs_flock);
export!(fuse_fs_flush @@ "FUSE_3.0" = crate::high::files::fuse_fs_flush);
export!(fuse_fs_fsync @@ "FUSE_3.0" = crate::high::files::fuse_fs_fsync);
export!(fuse_fs_fsyncdir @@ "FUSE_3.0" = crate::high::files::fuse_fs_fsyncdir);
export!(fuse_fs_getattr @@ "FUSE_3.0" = crate::high::shaped::fuse_fs_getattr);
export!(fuse_fs_getxattr @@ "FUSE_3.0" = crate::high::names::fuse_fs_getxattr);
export!(fuse_fs_init @@ "FUSE_3.0" = crate::high::start::fuse_fs_init);
export!(fuse_fs_ioctl @@ "FUSE_3.0" = crate::high::shaped::fuse_fs_ioctl);
export!(fuse_fs_link @@ "FUSE_3.0" = crate::high::names::fuse_fs_link);
export!(fuse_fs_listxattr @@ "FUSE_3.0" = crate::high::names::fuse_fs_listxattr);
export!(fuse_fs_lock @@ "FUSE_3.0" = crate::high::files::fuse_fs_lock);
export!(fuse_fs_lseek @@ "FUSE_3.0" = crate::high::shaped::fuse_fs_lseek);
export!(fuse_fs_mkdir @@ "FUSE_3.0" = crate::high::names::fuse_fs_mkdir);
export!(fuse_fs_mknod @@ "FUSE_3.0" = crate::high::names::fuse_fs_mknod);
export!(fuse_fs_new @@ "FUSE_3.0" = crate::high::fs::fuse_fs_new);
export!(fuse_fs_open @@ "FUSE_3.0" = crate::high::files::fuse_fs_open);
export!(fuse_fs_opendir @@ "FUSE_3.0" = crate::high::files::fuse_fs_opendir);
export!(fuse_fs_poll @@ "FUSE_3.0" = crate::high::files::fuse_fs_poll);
export!(fuse_fs_read @@ "FUSE_3.0" = crate::high::data::fuse_fs_read);
export!(fuse_fs_read_buf @@ "FUSE_3.0" = crate::high::data::fuse_fs_read_buf);
export!(fuse_fs_readdir @@ "FUSE_3.0" = crate::high::shaped::fuse_fs_readdir);
export!(fuse_fs_readlink @@ "FUSE_3.0" = crate::high::names::fuse_fs_readlink);
export!(fuse_fs_release @@ "FUSE_3.0" = crate::high::files::fuse_fs_release);
export!(fuse_fs_releasedir @@ "FUSE_3.0" = crate::high::files::fuse_fs_releasedir);
export!(fuse_fs_removexattr @@ "FUSE_3.0" = crate::high::names::fuse_fs_removexattr);
export!(fuse_fs_rename @@ "FUSE_3.0" = crate::high::shaped::fuse_fs_rename);
export!(fuse_fs_rmdir @@ "FUSE_3.0" = crate::high::names::fuse_fs_rmdir);
export!(fuse_fs_setxattr @@ "FUSE_3.0" = crate::high::names::fuse_fs_setxattr);
export!(fuse_fs_statfs @@ "FUSE_3.0" = crate::high::names::fuse_fs_statfs);
export!(fuse_fs_symlink @@ "FUSE_3.0" = crate::high::names::fuse_fs_symlink);
export!(fuse_fs_truncate @@ "FUSE_3.0" = crate::high::shaped::fuse_fs_truncate);
export!(fuse_fs_unlink @@ "FUSE_3.0" = crate::high::names::fuse_fs_unlink);
export!(fuse_fs_utimens @@ "FUSE_3.0" = crate::high::shaped::fuse_fs_utimens);
export!(fuse_fs_write @@ "FUSE_3.0" = crate::high::data::fuse_fs_write);
export!(fuse_fs_write_buf @@ "FUSE_3.0" = crate::high::data::fuse_fs_write_buf);

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
export!(fuse_lowlevel_notify_inval_entry @@ "FUSE_3.0" = crate::notify::fuse_lowlevel_notify_inval_entry);
export!(fuse_lowlevel_notify_inval_inode @@ "FUSE_3.0" = crate::notify::fuse_lowlevel_notify_inval_inode);
export!(fuse_lowlevel_notify_poll @@ "FUSE_3.0" = crate::notify::fuse_lowlevel_notify_poll);
export!(fuse_lowlevel_notify_retrieve @@ "FUSE_3.0" = crate::notify::fuse_lowlevel_notify_retrieve);
export!(fuse_lowlevel_notify_store @@ "FUSE_3.0" = crate::notify::fuse_lowlevel_notify_store);
export!(fuse_pollhandle_destroy @@ "FUSE_3.0" = crate::notify::fuse_pollhandle_destroy);

// Buffer vectors.
export!(fuse_buf_copy @@ "FUSE_3.0" = crate::buffer::fuse_buf_copy);
export!(fuse_buf_size @@ "FUSE_3.0" = crate::buffer::fuse_buf_size);

// Command line.
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
export!(fuse_parse_conn_info_opts @@ "FUSE_3.0" = conn_opts::fuse_parse_conn_info_opts);

// Logging.
export!(fuse_log @@ "FUSE_3.7" = log::ferrofuse_fuse_log);
export!(fuse_set_log_func @@ "FUSE_3.7" = log::fuse_set_log_func);

// Daemons and signals.
export!(fuse_set_signal_handlers @@ "FUSE_3.0" = crate::signals::fuse_set_signal_handlers);
